//! The OAuth flows.

use serde::Deserialize;

/// The flow to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FlowKind {
    /// The device code flow (RFC 8628).
    DeviceCode,
    /// The authorization code flow (RFC 6749, section 4.1, with RFC 7636 and RFC 8252).
    AuthorizationCode,
    /// The client credentials flow (RFC 6749, section 4.4): the client gets a token for itself.
    ClientCredentials,
    /// The JWT bearer flow (RFC 7523, section 2.1): the key of a service account gets a token, for itself or for a user
    /// of its organization.
    #[serde(rename = "service-account")]
    JwtBearer,
}

impl FlowKind {
    /// All flows, in the order of the form.
    pub const ALL: [Self; 4] = [
        Self::DeviceCode,
        Self::AuthorizationCode,
        Self::ClientCredentials,
        Self::JwtBearer,
    ];

    /// Returns the name on screen.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::DeviceCode => "Device code",
            Self::AuthorizationCode => "Authorization code",
            Self::ClientCredentials => "Client credentials",
            Self::JwtBearer => "Service account",
        }
    }

    /// Returns the name in flags and files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DeviceCode => "device-code",
            Self::AuthorizationCode => "authorization-code",
            Self::ClientCredentials => "client-credentials",
            Self::JwtBearer => "service-account",
        }
    }

    /// Returns whether a user signs in. If not, there is no refresh token: the client secret or the key gets every
    /// access token.
    #[must_use]
    pub fn has_user(self) -> bool {
        !matches!(self, Self::ClientCredentials | Self::JwtBearer)
    }

    /// Returns whether the request contains a client ID. If not, the key identifies the sender.
    #[must_use]
    pub fn has_client(self) -> bool {
        self != Self::JwtBearer
    }
}
