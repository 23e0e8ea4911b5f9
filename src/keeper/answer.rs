//! Classifies a failed refresh: what it means for the stored tokens.

use std::time::Duration;

use crate::flow::event::FlowError;
use crate::flow::http::HttpError;
use crate::oauth::failure::{Failure, ServerError};

/// What a failed refresh means for the stored tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// No request reached the service.
    NotSent,
    /// The service may have processed the request and replaced the refresh token.
    MaybeTaken,
    /// The service asks the client to retry later. Contains the wait time, if the service gave one.
    Busy(Option<Duration>),
    /// The refresh token is no longer valid.
    Rejected,
    /// The service rejected either the client or the refresh token, but the response doesn't say which: status 401
    /// without an error code that tells. RFC 6749, section 5.2, defines this status for the client only, but some
    /// services use it for both.
    Unclear,
    /// The refresh token is not valid yet.
    TooEarly,
    /// The client, its secret or a setting is wrong.
    Settings,
    /// The response can't be interpreted.
    Unusable,
}

/// Error codes that only a new sign-in can resolve.
const REJECTED: &[&str] = &[
    "invalid_grant",
    "login_required",
    "interaction_required",
    "consent_required",
    "invalid_token",
    "expired_token",
    "token_expired",
    "bad_refresh_token",
    "access_denied",
];

impl Answer {
    /// Classifies an error.
    #[must_use]
    pub fn of(error: &FlowError) -> Self {
        match error {
            FlowError::LostRefresh(cause) => match cause.as_ref() {
                FlowError::Protocol(Failure::Unavailable {
                    status: 429, wait, ..
                }) => Self::Busy(*wait),
                _ => Self::MaybeTaken,
            },
            FlowError::Http(error) => match error {
                HttpError::Unreachable { .. }
                | HttpError::Proxy { .. }
                | HttpError::Tls { .. }
                | HttpError::Certificate { .. } => Self::NotSent,
                HttpError::Lost { .. }
                | HttpError::TimedOut { .. }
                | HttpError::TooLarge { .. } => Self::MaybeTaken,
                HttpError::CaFile { .. }
                | HttpError::Authorities { .. }
                | HttpError::Unsigned { .. }
                | HttpError::ProxySetting { .. } => Self::Settings,
                HttpError::Redirected { .. } => Self::Unusable,
            },
            FlowError::Protocol(failure) => Self::of_failure(failure),
            FlowError::ClientKey(_) | FlowError::KeyFile(_) | FlowError::Request(_) => {
                Self::Settings
            }
            _ => Self::Unusable,
        }
    }

    fn of_failure(failure: &Failure) -> Self {
        match failure {
            Failure::Server { error, .. } | Failure::Denied { error, .. } => Self::of_code(error),
            Failure::Unavailable { wait, .. } => Self::Busy(*wait),
            // Glewlwyd rejects a refresh token with status 400 and an empty body.
            Failure::UsedUp { .. } | Failure::Unusable { status: 400, .. } => Self::Rejected,
            Failure::Unusable { status: 401, .. } => Self::Unclear,
            Failure::Unusable {
                status: 403 | 404 | 405 | 410,
                ..
            } => Self::Settings,
            _ => Self::Unusable,
        }
    }

    fn of_code(error: &ServerError) -> Self {
        let text = error.to_string().to_ascii_lowercase();
        if ["not valid yet", "not yet valid", "not before"]
            .iter()
            .any(|early| text.contains(early))
        {
            return Self::TooEarly;
        }
        match error.code.as_str() {
            code if REJECTED.contains(&code) => Self::Rejected,
            "invalid_client"
            | "unauthorized_client"
            | "invalid_request"
            | "invalid_scope"
            | "invalid_target"
            | "unsupported_grant_type" => Self::Settings,
            // Salesforce and others describe the expiry in their own words.
            _ if text.contains("expired") || text.contains("revoked") => Self::Rejected,
            _ if error.status == Some(400) => Self::Rejected,
            _ if error.status == Some(401) => Self::Unclear,
            _ => Self::Unusable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::failure::Asked;

    fn server(code: &str, description: &str) -> FlowError {
        FlowError::Protocol(Failure::Server {
            asked: Asked::Refresh,
            error: ServerError::new(code, Some(description)),
        })
    }

    #[test]
    fn each_answer_has_what_follows_from_it() {
        let unusable = |status| {
            FlowError::Protocol(Failure::Unusable {
                asked: Asked::Refresh,
                status,
                reason: "it is empty".to_owned(),
            })
        };
        let busy = |status| {
            FlowError::Protocol(Failure::Unavailable {
                status,
                wait: None,
                error: None,
            })
        };
        let lost = |error| FlowError::LostRefresh(Box::new(error));
        for (error, answer) in [
            (server("invalid_grant", ""), Answer::Rejected),
            (
                server("invalid_grant", "Token is not valid yet"),
                Answer::TooEarly,
            ),
            (server("interaction_required", ""), Answer::Rejected),
            (
                server("invalid_client", "AADSTS7000222: expired"),
                Answer::Settings,
            ),
            (server("made_up", "the token was revoked"), Answer::Rejected),
            (server("made_up", "x"), Answer::Unusable),
            (unusable(400), Answer::Rejected),
            (unusable(401), Answer::Unclear),
            (unusable(404), Answer::Settings),
            (busy(429), Answer::Busy(None)),
            (lost(busy(502)), Answer::MaybeTaken),
            (
                lost(FlowError::Http(HttpError::TimedOut {
                    host: "as.example".to_owned(),
                })),
                Answer::MaybeTaken,
            ),
            (
                FlowError::Http(HttpError::Unreachable {
                    host: "as.example".to_owned(),
                    cause: "connection refused".to_owned(),
                }),
                Answer::NotSent,
            ),
            // A retry doesn't help.
            (
                FlowError::Http(HttpError::Unsigned {
                    reason: "The private key is missing.".to_owned(),
                }),
                Answer::Settings,
            ),
        ] {
            assert_eq!(Answer::of(&error), answer, "{error}");
        }
    }
}
