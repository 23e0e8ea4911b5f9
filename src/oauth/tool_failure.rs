//! The failures of the endpoints for existing tokens: sentences, each with a cause and a fix.

use std::time::Duration;

use super::failure::ServerError;
use super::tools::Tool;

/// Why a request about a token failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ToolFailure {
    /// The service rejected the request.
    #[error("The service rejected {}{}", .tool.request(), said(*.status, .error.as_ref()))]
    Refused {
        /// The request.
        tool: Tool,
        /// HTTP status.
        status: u16,
        /// The service's error.
        error: Option<ServerError>,
        /// Whether the client has no secret.
        public: bool,
    },
    /// The user info is for a different user than the ID token (OpenID Connect Core, section 5.3.2).
    #[error(
        "The user info is for a different user than the ID token (sub differs), so it was rejected."
    )]
    OtherUser,
    /// The response is invalid.
    #[error("The response to {} is invalid: {reason}.", .tool.request())]
    Unusable {
        /// The request.
        tool: Tool,
        /// What the response is instead.
        reason: String,
    },
    /// The response is a JWT instead of JSON (OpenID Connect Core, section 5.3.2; RFC 9701).
    #[error(
        "The response to {} is a signed or encrypted JWT, which this program doesn't read.", .tool.request()
    )]
    Jwt {
        /// The request.
        tool: Tool,
    },
    /// The service is busy or has a problem.
    #[error("The service is busy or has a problem{}", said(*.status, .error.as_ref()))]
    Unavailable {
        /// HTTP status.
        status: u16,
        /// How long the service asks to wait.
        wait: Option<Duration>,
        /// The service's error.
        error: Option<ServerError>,
    },
}

fn said(status: u16, error: Option<&ServerError>) -> String {
    match error {
        Some(error) => {
            let text = error.to_string();
            format!(": {} (HTTP {status}).", text.trim_end_matches('.'))
        }
        None => format!(" (HTTP {status})."),
    }
}

impl ToolFailure {
    /// Returns the cause, if it is known.
    #[must_use]
    pub fn cause(&self) -> Option<&'static str> {
        match self {
            Self::Refused {
                tool: Tool::Introspection,
                public: true,
                error,
                ..
            } if !is_about_the_token(error.as_ref()) => Some(
                "Introspection is meant for servers that accept tokens. This service requires a client with a secret, and \
                 this client is public: it has none.",
            ),
            Self::Refused {
                tool: Tool::Revocation,
                error: Some(error),
                ..
            } if error.code == UNSUPPORTED => Some(
                "This service can't revoke this kind of token. It stays valid until it expires.",
            ),
            Self::Refused {
                tool: Tool::Introspection | Tool::Revocation,
                error: Some(error),
                ..
            } if error.code == INVALID_TOKEN => Some(
                "The service doesn't accept the token: it has expired, was revoked, or was issued by another server.",
            ),
            Self::Refused {
                tool: Tool::Introspection | Tool::Revocation,
                public: false,
                error: Some(error),
                ..
            } if error.code == "invalid_client" => {
                Some("The service doesn't accept this client, or its secret, at this endpoint.")
            }
            Self::Refused {
                tool: Tool::UserInfo,
                status: 401,
                ..
            } => Some("The access token has expired, was revoked, or is for a different API."),
            _ if self.lacks_scope() => {
                Some("The access token lacks the scope for it. Many services require openid.")
            }
            _ => None,
        }
    }

    /// Returns the fix, as a sentence.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Refused {
                tool: Tool::Introspection,
                public: true,
                error,
                ..
            } if !is_about_the_token(error.as_ref()) => {
                "Use User info to test the access token, or introspect it with a client that has a secret."
            }
            _ if self.lacks_scope() => {
                "Add the missing scope to Scope and sign in again. Refreshing the tokens doesn't add a scope."
            }
            Self::Refused {
                tool: Tool::Revocation,
                error: Some(error),
                ..
            } if error.code == UNSUPPORTED => {
                "To end it sooner, remove the access of this client in your account at the service."
            }
            Self::Refused {
                tool: Tool::Revocation,
                error: Some(error),
                ..
            } if error.code == INVALID_TOKEN => {
                "If it has expired or was revoked, nothing is left to revoke. Use User info to see whether the service still \
                 accepts the access token."
            }
            Self::Refused {
                tool: Tool::Introspection,
                error: Some(error),
                ..
            } if error.code == INVALID_TOKEN => REFRESH,
            Self::Refused {
                tool: Tool::UserInfo,
                ..
            } => REFRESH,
            Self::Refused { .. } => "Check the client ID and how the client authenticates.",
            Self::OtherUser => {
                "Sign in again. Report it to the service's administrator if it happens again."
            }
            Self::Unusable { .. } => {
                "Check the URL of the endpoint in the preset or in the issuer's metadata."
            }
            Self::Jwt { .. } => {
                "Configure the client at the service so that this endpoint responds with JSON that is neither signed nor encrypted."
            }
            Self::Unavailable { .. } => "Try again later.",
        }
    }

    /// Returns the texts that may repeat something from outside this program.
    pub(crate) fn texts(&mut self) -> Vec<&mut String> {
        match self {
            Self::Refused { error, .. } | Self::Unavailable { error, .. } => {
                error.iter_mut().flat_map(ServerError::texts).collect()
            }
            Self::Unusable { reason, .. } => vec![reason],
            Self::OtherUser | Self::Jwt { .. } => Vec::new(),
        }
    }
}

/// Returns whether the service rejected the token, not the client.
fn is_about_the_token(error: Option<&ServerError>) -> bool {
    error.is_some_and(|error| error.code == INVALID_TOKEN)
}

/// The error of a service that can't revoke tokens of this kind (RFC 7009, section 2.2.1).
const UNSUPPORTED: &str = "unsupported_token_type";
/// The error of a service that doesn't accept the token (RFC 6750, section 3.1).
const INVALID_TOKEN: &str = "invalid_token";
/// The fix if the service doesn't accept the token.
const REFRESH: &str =
    "Refresh the tokens and try again. If the service rejects the new token too, sign in again.";

impl ToolFailure {
    /// Returns whether the access token lacks the scope for the user info (RFC 6750, section 3.1).
    fn lacks_scope(&self) -> bool {
        let Self::Refused {
            tool: Tool::UserInfo,
            status,
            error,
            ..
        } = self
        else {
            return false;
        };
        let said = error.as_ref();
        *status == 403 || said.is_some_and(|error| error.code == "insufficient_scope")
    }

    /// Returns whether the service can't revoke tokens of this kind.
    #[must_use]
    pub fn is_unsupported(&self) -> bool {
        matches!(self, Self::Refused { error: Some(error), .. } if error.code == UNSUPPORTED)
    }
}
