//! The kinds of requests to the authorization server, and what messages call them.

/// The kind of a request to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// The device authorization request (RFC 8628, section 3.1).
    DeviceCode,
    /// A pushed authorization request (RFC 9126).
    Pushed,
    /// A poll for approval (RFC 8628, section 3.4).
    Approval,
    /// The exchange of an authorization code for tokens (RFC 6749, section 4.1.3).
    Exchange,
    /// A refresh (RFC 6749, section 6).
    Refresh,
    /// The request for a token for the client itself (RFC 6749, section 4.4).
    ClientCredentials,
    /// The registration of a client (RFC 7591).
    Registration,
    /// The request for a token with an assertion (RFC 7523, section 2.1).
    JwtBearer,
}

impl Asked {
    /// Returns the name of the request.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::DeviceCode => "the device code request",
            Self::Pushed => "the pushed authorization request",
            Self::Registration => "the registration",
            Self::Approval | Self::ClientCredentials | Self::JwtBearer => "the token request",
            Self::Exchange => "the code exchange",
            Self::Refresh => "the refresh",
        }
    }

    /// Returns the start of a sentence that says that the service rejected the request.
    pub(super) fn rejected(self) -> &'static str {
        match self {
            Self::DeviceCode => "The service rejected the device code request",
            Self::Pushed => "The service rejected the pushed authorization request",
            Self::Registration => "The service rejected the registration",
            Self::Approval | Self::Exchange | Self::ClientCredentials | Self::JwtBearer => {
                "The service rejected the token request"
            }
            Self::Refresh => "The service rejected the refresh",
        }
    }

    /// Returns the name of the credential in the request that may be used up.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::DeviceCode | Self::Approval => "device code",
            Self::Pushed | Self::Exchange => "authorization code",
            Self::Refresh => "refresh token",
            Self::ClientCredentials => "client secret",
            Self::Registration => "initial access token",
            Self::JwtBearer => "assertion",
        }
    }

    /// Returns the field of the form with the URL of the request.
    pub(super) fn field(self) -> &'static str {
        match self {
            Self::DeviceCode => "Device code URL",
            Self::Pushed | Self::Registration => "Issuer",
            Self::Approval
            | Self::Exchange
            | Self::Refresh
            | Self::ClientCredentials
            | Self::JwtBearer => "Token ex. URL",
        }
    }
}
