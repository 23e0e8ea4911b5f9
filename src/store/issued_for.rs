//! Where the tokens of a record may be sent.

use serde::{Deserialize, Serialize};

use super::commands::StoreCommands;
use crate::oauth::client::{ClientAuthentication, FlowKind};

/// The methods of client authentication that need no secret.
const WITHOUT_SECRET: [ClientAuthentication; 3] = [
    ClientAuthentication::None,
    ClientAuthentication::PrivateKeyJwt,
    ClientAuthentication::MutualTls,
];

/// What a token was issued for. Tokens and secrets are sent nowhere else, whatever settings and presets say later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(Default))]
pub struct IssuedFor {
    /// The token endpoint.
    pub token_url: String,
    /// The client ID.
    pub client_id: String,
    /// How the client authenticates, as its flag names it, or `none`.
    pub client_authentication: String,
    /// The service account, where its key requests the tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account: Option<ServiceAccountPin>,
    /// The file with the private key of the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_key: Option<String>,
    /// The file with the certificate of that key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<String>,
    /// The algorithms that the issuer's metadata lists for assertions. A refresh doesn't request the metadata again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assertion_algorithms: Vec<String>,
    /// The scopes that were requested.
    pub scope: Vec<String>,
    /// The flow, as its flag names it.
    pub flow: String,
    /// An additional CA certificate to trust.
    pub ca_file: Option<String>,
    /// The command that prints the client secret.
    #[serde(default)]
    pub secret_command: Option<Vec<String>>,
    /// The commands that keep the secrets of the record, if its file doesn't.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<StoreCommands>,
    /// The mailbox, for the formats that need it.
    pub user: Option<String>,
    /// The scheme of the token in an `Authorization` header.
    pub header: String,
    /// The mail servers, each as `imap host:port TLS`. `None` in a record of an older version, which
    /// didn't store them: those of the settings are used until the next sign-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<Vec<String>>,
    /// The endpoints for existing tokens that were known.
    #[serde(default)]
    pub tools: ToolPins,
}

impl IssuedFor {
    /// True if the client authenticates with its secret.
    #[must_use]
    pub fn needs_secret(&self) -> bool {
        let method = &self.client_authentication;
        WITHOUT_SECRET.iter().all(|known| known.name() != method)
    }

    /// True if no user signed in: the client secret or the key gets a new access token, and there is no refresh token.
    #[must_use]
    pub fn is_without_user(&self) -> bool {
        let mut flows = FlowKind::ALL.into_iter();
        flows.any(|flow| flow.name() == self.flow && !flow.has_user())
    }
}

/// Whose key requests tokens, and for whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceAccountPin {
    /// The path of the key file.
    pub key_file: String,
    /// The user that the service account acts for.
    pub subject: Option<String>,
}

/// Endpoints for existing tokens. An unknown one is `None`, as in a record of an earlier version.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ToolPins {
    /// RFC 7009.
    pub revocation: Option<String>,
    /// RFC 7662.
    pub introspection: Option<String>,
    /// OpenID Connect Core, section 5.3.
    pub userinfo: Option<String>,
}
