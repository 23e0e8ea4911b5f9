//! The format of explanations: what an error means, what to do, and where it is documented.

use serde::Deserialize;

use crate::mail::server::Protocol;
use crate::oauth::client::ClientAuthentication;

/// A file of explanations.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorFile {
    /// In the order in which they are tried.
    #[serde(rename = "error", default)]
    pub errors: Vec<ErrorEntry>,
}

/// An error and its explanation.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorEntry {
    /// The error code, exactly.
    pub code: Option<String>,
    /// Stands in the code or in the description as whole words.
    pub text: Option<String>,
    /// At which requests; empty: everywhere.
    #[serde(default)]
    pub at: Vec<At>,
    /// Only for this mail protocol.
    pub protocol: Option<Protocol>,
    /// Only where a client secret was used, or only where the client didn't authenticate.
    pub secret: Option<bool>,
    /// Only for clients that authenticate with one of these methods; empty: for all.
    #[serde(default)]
    pub method: Vec<ClientAuthentication>,
    /// What went wrong, in the user's terms.
    pub cause: String,
    /// What to do.
    pub remedy: String,
    /// The key of the field to change.
    pub field: Option<String>,
    /// Where that is documented.
    pub source: String,
}

/// Where an error comes up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum At {
    /// A device code is requested.
    DeviceCode,
    /// It is asked whether the user approved.
    Approval,
    /// The code is exchanged for tokens.
    Exchange,
    /// New tokens are requested.
    Refresh,
    /// A token for the client itself is requested.
    ClientCredentials,
    /// A token is requested with the key of a service account.
    ServiceAccount,
    /// The browser came back with it.
    Callback,
    /// A mail server's response to a token.
    Mail,
}
