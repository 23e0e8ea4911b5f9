//! The methods of client authentication.

use serde::Deserialize;

/// How a client authenticates (RFC 6749, section 2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientAuthentication {
    /// No authentication: only the client ID is sent.
    None,
    /// Client ID and secret in the body.
    Post,
    /// Client ID and secret in the `Authorization` header.
    Basic,
    /// An assertion signed with the client secret.
    ClientSecretJwt,
    /// An assertion signed with a private key.
    PrivateKeyJwt,
    /// A client certificate (RFC 8705).
    MutualTls,
}

impl ClientAuthentication {
    /// Returns the name in flags and files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Post => "post",
            Self::Basic => "basic",
            Self::ClientSecretJwt => "client-secret-jwt",
            Self::PrivateKeyJwt => "private-key-jwt",
            Self::MutualTls => "mutual-tls",
        }
    }

    /// Returns whether this method needs the client secret.
    #[must_use]
    pub fn uses_secret(self) -> bool {
        matches!(self, Self::Post | Self::Basic | Self::ClientSecretJwt)
    }

    /// Returns whether this method signs an assertion.
    #[must_use]
    pub fn is_signed(self) -> bool {
        matches!(self, Self::ClientSecretJwt | Self::PrivateKeyJwt)
    }

    /// Returns whether this method needs a private key.
    #[must_use]
    pub fn uses_key(self) -> bool {
        matches!(self, Self::PrivateKeyJwt | Self::MutualTls)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_method_states_what_credentials_it_uses() {
        use ClientAuthentication::{Basic, ClientSecretJwt, MutualTls, None, Post, PrivateKeyJwt};
        for (method, secret, signed, key) in [
            (None, false, false, false),
            (Post, true, false, false),
            (Basic, true, false, false),
            (ClientSecretJwt, true, true, false),
            (PrivateKeyJwt, false, true, true),
            (MutualTls, false, false, true),
        ] {
            let uses = (method.uses_secret(), method.is_signed(), method.uses_key());
            assert_eq!(uses, (secret, signed, key), "{method:?}");
        }
    }
}
