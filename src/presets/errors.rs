//! The format of explanations: what an error means, how to fix it, and where it is documented.

use serde::Deserialize;

use crate::mail::server::Protocol;
use crate::oauth::client_authentication::ClientAuthentication;

/// A file of explanations.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorFile {
    /// The errors, in the order in which they are tried.
    #[serde(rename = "error", default)]
    pub errors: Vec<ErrorEntry>,
}

/// An error and its explanation.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorEntry {
    /// The exact error code.
    pub code: Option<String>,
    /// Text that the code or the description contains as whole words.
    pub text: Option<String>,
    /// The requests that can return the error; empty for all requests.
    #[serde(default)]
    pub at: Vec<At>,
    /// The mail protocol, if the error belongs to only one.
    pub protocol: Option<Protocol>,
    /// `true` if the error requires a client secret, `false` if it requires a client that doesn't authenticate.
    pub secret: Option<bool>,
    /// The authentication methods to which the error is limited; empty for all methods.
    #[serde(default)]
    pub method: Vec<ClientAuthentication>,
    /// What went wrong, in the user's terms.
    pub cause: String,
    /// How to fix the problem.
    pub remedy: String,
    /// The key of the field to change.
    pub field: Option<String>,
    /// Where the error is documented.
    pub source: String,
}

/// The request that returns an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum At {
    /// The request for a device code.
    DeviceCode,
    /// The poll for the user's approval.
    Approval,
    /// The exchange of a code for tokens.
    Exchange,
    /// The request for new tokens with a refresh token.
    Refresh,
    /// The request for a token for the client itself.
    ClientCredentials,
    /// The request for a token with the key of a service account.
    ServiceAccount,
    /// The redirect to the browser, which contains the error.
    Callback,
    /// A mail server's response to a token.
    Mail,
}
