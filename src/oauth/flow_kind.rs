//! The flows.

use serde::Deserialize;

/// The flow to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FlowKind {
    /// RFC 8628.
    DeviceCode,
    /// RFC 6749, section 4.1, with RFC 7636 and RFC 8252.
    AuthorizationCode,
    /// RFC 6749, section 4.4: the client gets a token for itself.
    ClientCredentials,
}

impl FlowKind {
    /// All flows, in the order of the form.
    pub const ALL: [Self; 3] = [
        Self::DeviceCode,
        Self::AuthorizationCode,
        Self::ClientCredentials,
    ];

    /// The name on screen.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::DeviceCode => "Device code",
            Self::AuthorizationCode => "Authorization code",
            Self::ClientCredentials => "Client credentials",
        }
    }

    /// The name in flags and files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DeviceCode => "device-code",
            Self::AuthorizationCode => "authorization-code",
            Self::ClientCredentials => "client-credentials",
        }
    }

    /// True if a user signs in. Otherwise there is no refresh token: the client secret gets every access token.
    #[must_use]
    pub fn has_user(self) -> bool {
        self != Self::ClientCredentials
    }
}
