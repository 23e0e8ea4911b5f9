//! The client and endpoints that the tokens of a record were issued for.

use serde::{Deserialize, Serialize};
use url::Url;

use super::commands::StoreCommands;
use crate::oauth::client_authentication::ClientAuthentication;
use crate::oauth::flow_kind::FlowKind;

/// The client authentication methods that need no client secret.
const WITHOUT_SECRET: [ClientAuthentication; 3] = [
    ClientAuthentication::None,
    ClientAuthentication::PrivateKeyJwt,
    ClientAuthentication::MutualTls,
];

/// The settings that a token was issued with. Tokens and secrets are never sent anywhere else, even if settings and
/// presets change later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(Default))]
pub struct IssuedFor {
    /// The token endpoint.
    pub token_url: String,
    /// The client ID.
    pub client_id: String,
    /// The client authentication method, as in its flag, or `none`.
    pub client_authentication: String,
    /// The service account whose key requests the tokens, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account: Option<ServiceAccountPin>,
    /// The path of the file with the private key of the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_key: Option<String>,
    /// The path of the file with the certificate for this key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<String>,
    /// The algorithms that the issuer's metadata lists for assertions. A refresh doesn't request the metadata again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assertion_algorithms: Vec<String>,
    /// The scopes that were requested.
    pub scope: Vec<String>,
    /// The flow, as in its flag.
    pub flow: String,
    /// An additional CA certificate to trust.
    pub ca_file: Option<String>,
    /// The command that prints the client secret, and its arguments.
    #[serde(default)]
    pub secret_command: Option<Vec<String>>,
    /// The commands that keep the secrets of the record, if the record's file doesn't contain them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<StoreCommands>,
    /// The mailbox, for output formats that need it.
    pub user: Option<String>,
    /// The authentication scheme in an `Authorization` header.
    pub header: String,
    /// The mail servers, each as `imap host:port TLS`. `None` in a record of an older version, which didn't store them:
    /// the servers in the settings are used until the next sign-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<Vec<String>>,
    /// The endpoints for existing tokens that were known at the sign-in.
    #[serde(default)]
    pub tools: ToolPins,
}

/// A client of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// The token endpoint of the service.
    pub token_url: String,
    /// The client ID.
    pub client_id: String,
}

impl Client {
    /// Returns whether both are the same client of the same service. Endpoints of one service may differ in the path, such
    /// as those of its tenants, but another port or subdomain may be another program.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let urls =
            Url::parse(&self.token_url).and_then(|url| Ok((url, Url::parse(&other.token_url)?)));
        self.client_id == other.client_id
            && (self.token_url == other.token_url
                || urls.is_ok_and(|(one, other)| one.origin() == other.origin()))
    }
}

impl IssuedFor {
    /// Returns the client that the tokens were issued for.
    #[must_use]
    pub fn client(&self) -> Client {
        Client {
            token_url: self.token_url.clone(),
            client_id: self.client_id.clone(),
        }
    }

    /// Returns whether the client authenticates with its secret.
    #[must_use]
    pub fn needs_secret(&self) -> bool {
        let method = &self.client_authentication;
        WITHOUT_SECRET.iter().all(|known| known.name() != method)
    }

    /// Returns whether no user signed in: the client secret or the key gets a new access token, and there is no refresh
    /// token.
    #[must_use]
    pub fn is_without_user(&self) -> bool {
        let mut flows = FlowKind::ALL.into_iter();
        flows.any(|flow| flow.name() == self.flow && !flow.has_user())
    }
}

/// The service account whose key requests tokens, and the user that it acts for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceAccountPin {
    /// The path of the key file.
    pub key_file: String,
    /// The user that the service account acts for.
    pub subject: Option<String>,
}

/// The endpoints for existing tokens. An unknown endpoint is `None`, and so is each in a record of an older version.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ToolPins {
    /// The revocation endpoint (RFC 7009).
    pub revocation: Option<String>,
    /// The introspection endpoint (RFC 7662).
    pub introspection: Option<String>,
    /// The userinfo endpoint (OpenID Connect Core, section 5.3).
    pub userinfo: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_host_port_or_scheme_is_another_service() {
        let client = |token_url: &str, client_id: &str| Client {
            token_url: token_url.to_owned(),
            client_id: client_id.to_owned(),
        };
        let own = "https://login.example/one/token";
        for (one, other, same) in [
            (own, "https://LOGIN.example:443/two/token?x", true),
            (own, "https://login.example:8443/one/token", false),
            (own, "http://login.example/one/token", false),
            (own, "https://a.login.example/one/token", false),
            (own, "https://example/one/token", false),
            ("https://corp:8443/token", "https://corp:9443/token", false),
            (
                "http://127.0.0.1:47001/token",
                "http://127.0.0.1:47001/other",
                true,
            ),
            (
                "http://127.0.0.1:47001/token",
                "http://127.0.0.1:47002/token",
                false,
            ),
            (
                "http://127.0.0.1:1/token",
                "http://localhost:1/token",
                false,
            ),
            (
                "http://127.0.0.1:1/token",
                "http://127.0.0.2:1/token",
                false,
            ),
            ("no URL", "no URL", true),
            ("no URL", own, false),
            ("", own, false),
        ] {
            let (one, other) = (client(one, "me"), client(other, "me"));
            assert_eq!(one.is_same(&other), same, "{one:?} {other:?}");
            assert_eq!(other.is_same(&one), same, "{one:?} {other:?}");
        }
        assert!(!client(own, "me").is_same(&client(own, "you")));
    }
}
