//! Classifies a failed refresh: what it means for the stored tokens.

use std::time::Duration;

use crate::flow::event::FlowError;
use crate::flow::http_error::HttpError;
use crate::oauth::failure::{BodyKind, Failure, ServerError};

/// What a failed refresh means for the stored tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshFailure {
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
    /// The response isn't the service's own: a gateway may have sent it.
    Unread,
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

/// Words in a rejection that has nothing to do with the refresh token.
const THROTTLED: &[&str] = &[
    "throttl",
    "rate limit",
    "rate_limit",
    "too many requests",
    "too_many_requests",
    "slow down",
    "slow_down",
];

/// Words for what only a new sign-in can replace.
const TOKEN: &[&str] = &[
    "refresh token",
    "refresh_token",
    "refreshtoken",
    "refresh-token",
    "grant",
];

/// Words that contain one of [`TOKEN`], but don't mean it.
const GRANT_TYPE: &[&str] = &["grant type", "grant_type", "grant-type", "granttype"];

/// Words that say that it can no longer be used.
const DEAD: &[&str] = &[
    "expired",
    "expiry",
    "timeout",
    "timed out",
    "revoked",
    "invalid",
    "not valid",
    "bad ",
    "malformed",
    "unknown",
    "unrecognized",
    "not recognized",
    "not found",
    "not exist",
    "doesn't exist",
    "no such",
    "used",
    "consumed",
    "reuse",
    "no longer",
    "inactive",
    "not active",
];

/// Words for a client secret, which is a setting.
const SECRET: &[&str] = &["client secret", "client_secret", "clientsecret"];

impl RefreshFailure {
    /// Classifies an error.
    #[must_use]
    pub fn of(error: &FlowError) -> Self {
        match error {
            FlowError::LostRefresh(cause) => match cause.as_ref() {
                FlowError::Protocol(Failure::Unavailable {
                    status: 408 | 425 | 429,
                    wait,
                    ..
                }) => Self::busy(*wait),
                // Asking again with the same refresh token helps nobody.
                FlowError::Protocol(Failure::Useless { .. }) => Self::Unusable,
                _ => Self::MaybeTaken,
            },
            FlowError::Http(error) => match error {
                HttpError::Unreachable { .. }
                | HttpError::Proxy { .. }
                | HttpError::Tls { .. }
                | HttpError::Certificate { .. } => Self::NotSent,
                HttpError::Lost { .. }
                | HttpError::NotHttp { .. }
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

    /// A wait of less than a second is none: then this program chooses the pauses.
    fn busy(wait: Option<Duration>) -> Self {
        Self::Busy(wait.filter(|wait| *wait >= Duration::from_secs(1)))
    }

    /// Returns how long the service asks clients to wait, if it is busy and says so.
    #[must_use]
    pub fn requested_wait(error: &FlowError) -> Option<Duration> {
        match error {
            FlowError::LostRefresh(cause) => Self::requested_wait(cause),
            FlowError::Protocol(Failure::Unavailable { wait, .. }) => *wait,
            _ => None,
        }
    }

    fn of_failure(failure: &Failure) -> Self {
        match failure {
            Failure::Server { error, .. } | Failure::Denied { error, .. } => Self::of_code(error),
            Failure::Unavailable { wait, .. } => Self::busy(*wait),
            Failure::UsedUp { .. } => Self::Rejected,
            Failure::Unusable {
                status: status @ (400 | 401),
                body,
                message,
                ..
            } => Self::of_rejection(*status, *body, message.as_deref().unwrap_or_default()),
            // Some services send errors with the status of a success.
            Failure::Unusable {
                status: 200,
                body,
                message: Some(message),
                ..
            } => Self::of_rejection(400, *body, message),
            // A firewall or proxy in front of the service.
            Failure::Unusable {
                status: 403,
                body: BodyKind::Page,
                ..
            } => Self::Unread,
            Failure::Unusable {
                status: 403 | 404 | 405 | 410,
                ..
            } => Self::Settings,
            _ => Self::Unusable,
        }
    }

    /// Classifies a rejection without an error code. A gateway in front of the service rejects requests, too.
    fn of_rejection(status: u16, body: BodyKind, message: &str) -> Self {
        let message = message.to_ascii_lowercase();
        match (status, body) {
            _ if has(&message, THROTTLED) => Self::Busy(None),
            // Glewlwyd rejects with status 400 and an empty body.
            (400, BodyKind::Empty) => Self::Rejected,
            (_, BodyKind::Page) => Self::Unread,
            _ if is_about_the_secret(&message) => Self::Settings,
            (400, _) if is_dead(&message) => Self::Rejected,
            (401, _) => Self::Unclear,
            _ => Self::Unread,
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
        let has_ended = has(&text, &["expired", "revoked"]);
        let is_refresh_token = has(&text, &["refresh token", "refresh_token"]);
        match error.code.as_str() {
            code if REJECTED.contains(&code) => Self::Rejected,
            code if code.contains("refresh_token") && !code.contains("missing") => Self::Rejected,
            "invalid_request" if has_ended && is_refresh_token => Self::Rejected,
            "invalid_client"
            | "unauthorized_client"
            | "invalid_request"
            | "invalid_scope"
            | "invalid_target"
            | "unsupported_grant_type" => Self::Settings,
            _ if has(&text, THROTTLED) => Self::Busy(None),
            _ if is_about_the_secret(&text) => Self::Settings,
            // Salesforce and others describe the expiry in their own words.
            _ if is_dead(&text) => Self::Rejected,
            _ if error.status == Some(400) && error.description.is_none() => Self::Rejected,
            _ if error.status == Some(400) => Self::Unread,
            _ if error.status == Some(401) => Self::Unclear,
            // Something else has ended, such as a license.
            _ if has_ended => Self::Unread,
            _ => Self::Unusable,
        }
    }
}

fn has(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.contains(word))
}

/// Returns whether the text, in lower case, says that the client secret can't be used.
fn is_about_the_secret(text: &str) -> bool {
    has(text, SECRET) && has(text, DEAD)
}

/// Returns whether the text, in lower case, says that the refresh token or the grant can no longer be used. "Token" alone
/// may be another one, such as that of a form, so it must have expired or been revoked.
fn is_dead(text: &str) -> bool {
    let text = (GRANT_TYPE.iter()).fold(text.to_owned(), |text, words| text.replace(words, ""));
    let is_other = has(&text, &["csrf", "xsrf", "x-token", "api token"]);
    (has(&text, TOKEN) && has(&text, DEAD))
        || (!is_other && text.contains("token") && has(&text, &["expired", "revoked"]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::answer::Answer;
    use crate::oauth::asked::Asked;
    use crate::oauth::dialect::Answers;
    use crate::oauth::token::parse_token_answer;

    fn server(code: &str, description: &str) -> FlowError {
        FlowError::Protocol(Failure::Server {
            asked: Asked::Refresh,
            error: ServerError::new(code, Some(description)),
        })
    }

    #[test]
    fn requested_wait_of_zero_leaves_the_pause_to_this_program() {
        for (wait, expected) in [(None, None), (Some(0), None), (Some(1), Some(1))] {
            let unavailable = |status| {
                FlowError::Protocol(Failure::Unavailable {
                    status,
                    wait: wait.map(Duration::from_secs),
                    error: None,
                })
            };
            let busy = RefreshFailure::Busy(expected.map(Duration::from_secs));
            assert_eq!(RefreshFailure::of(&unavailable(503)), busy);
            let lost = FlowError::LostRefresh(Box::new(unavailable(429)));
            assert_eq!(RefreshFailure::of(&lost), busy);
        }
    }

    #[test]
    fn gateway_errors_do_not_reject_the_refresh_token() {
        let unusable = |status, body: &str| {
            let response = Answer {
                status,
                retry_after: None,
                headers: Vec::new(),
                body: body.into(),
            };
            let reading = parse_token_answer(&response, &Answers::default());
            let failure = reading.into_tokens(Asked::Refresh, &response);
            FlowError::Protocol(failure.err().unwrap_or(Failure::Expired))
        };
        for (status, body, failure) in [
            (400, "", RefreshFailure::Rejected),
            (401, "", RefreshFailure::Unclear),
            (
                400,
                "<html><title>Bad Request</title>",
                RefreshFailure::Unread,
            ),
            (401, "<html><title>Blocked</title>", RefreshFailure::Unread),
            (
                401,
                "<?xml version=\"1.0\"?><why>Blocked</why>",
                RefreshFailure::Unread,
            ),
            (
                400,
                "<html><title>Session expired</title>",
                RefreshFailure::Unread,
            ),
            (400, "Bad Request", RefreshFailure::Unread),
            (400, r#"{"detail":"Bad Request"}"#, RefreshFailure::Unread),
            (400, "Request throttled", RefreshFailure::Busy(None)),
            (401, "Too Many Requests", RefreshFailure::Busy(None)),
            (400, "Unknown refresh token", RefreshFailure::Rejected),
            (401, "Client authentication failed", RefreshFailure::Unclear),
            (400, "CSRF token mismatch", RefreshFailure::Unread),
            (400, "CSRF token expired", RefreshFailure::Unread),
            (
                400,
                r#"{"message":"Missing X-Token header"}"#,
                RefreshFailure::Unread,
            ),
            (
                400,
                "Unexpected token < in JSON at position 0",
                RefreshFailure::Unread,
            ),
            (400, "Unsupported grant type", RefreshFailure::Unread),
            (400, "Invalid grant_type", RefreshFailure::Unread),
            (
                400,
                "Token endpoint is disabled for maintenance",
                RefreshFailure::Unread,
            ),
            (400, "Session expired", RefreshFailure::Unread),
            (400, "Token has been revoked", RefreshFailure::Rejected),
            (
                400,
                "The refresh token has already been used",
                RefreshFailure::Rejected,
            ),
            (400, "The grant doesn't exist", RefreshFailure::Rejected),
            (
                400,
                "Your client secret has expired",
                RefreshFailure::Settings,
            ),
            (
                200,
                r#"{"errcode":42002,"errmsg":"refresh_token timeout"}"#,
                RefreshFailure::Rejected,
            ),
            (
                200,
                r#"{"errcode":42003,"errmsg":"no app"}"#,
                RefreshFailure::Unread,
            ),
            (200, "{}", RefreshFailure::Unusable),
        ] {
            assert_eq!(
                RefreshFailure::of(&unusable(status, body)),
                failure,
                "{body}"
            );
        }
        let with_status = |status, description: &str| {
            let mut error = ServerError::new("error", Some(description));
            error.status = Some(status);
            FlowError::Protocol(Failure::Server {
                asked: Asked::Refresh,
                error,
            })
        };
        for (status, description, failure) in [
            (400, "Request blocked", RefreshFailure::Unread),
            (400, "Bad refresh token", RefreshFailure::Rejected),
            (400, "", RefreshFailure::Rejected),
            (401, "Request blocked", RefreshFailure::Unclear),
            (401, "client secret expired", RefreshFailure::Settings),
            (401, "license expired", RefreshFailure::Unclear),
        ] {
            let error = with_status(status, description);
            assert_eq!(RefreshFailure::of(&error), failure, "{description}");
        }
        for (code, description, failure) in [
            (
                "error",
                "Request throttled, slow down",
                RefreshFailure::Busy(None),
            ),
            ("slow_down", "", RefreshFailure::Busy(None)),
            (
                "invalid_grant",
                "Too many requests",
                RefreshFailure::Rejected,
            ),
            (
                "invalid_client",
                "Too many requests",
                RefreshFailure::Settings,
            ),
            ("invalid_refresh_token", "", RefreshFailure::Rejected),
            ("refresh_token_reused", "", RefreshFailure::Rejected),
            ("token_revoked", "", RefreshFailure::Rejected),
            ("unknown_error", "license expired", RefreshFailure::Unread),
            (
                "unknown_error",
                "client_secret is expired",
                RefreshFailure::Settings,
            ),
            (
                "invalid_request",
                "Refresh token is expired",
                RefreshFailure::Rejected,
            ),
            (
                "invalid_request",
                "Missing parameter: refresh_token",
                RefreshFailure::Settings,
            ),
        ] {
            assert_eq!(
                RefreshFailure::of(&server(code, description)),
                failure,
                "{code}"
            );
        }
    }

    #[test]
    fn errors_map_to_refresh_failures() {
        let with_body = |status, body| {
            FlowError::Protocol(Failure::Unusable {
                asked: Asked::Refresh,
                status,
                reason: "it has no tokens".to_owned(),
                body,
                message: None,
            })
        };
        let unusable = |status| with_body(status, BodyKind::Empty);
        let page = |status| with_body(status, BodyKind::Page);
        let busy = |status| {
            FlowError::Protocol(Failure::Unavailable {
                status,
                wait: None,
                error: None,
            })
        };
        let lost = |error| FlowError::LostRefresh(Box::new(error));
        for (error, failure) in [
            (server("invalid_grant", ""), RefreshFailure::Rejected),
            (
                server("invalid_grant", "Token is not valid yet"),
                RefreshFailure::TooEarly,
            ),
            (server("interaction_required", ""), RefreshFailure::Rejected),
            (
                server("invalid_client", "AADSTS7000222: expired"),
                RefreshFailure::Settings,
            ),
            (
                server("made_up", "the token was revoked"),
                RefreshFailure::Rejected,
            ),
            (server("made_up", "x"), RefreshFailure::Unusable),
            (unusable(400), RefreshFailure::Rejected),
            (unusable(401), RefreshFailure::Unclear),
            (unusable(404), RefreshFailure::Settings),
            (busy(429), RefreshFailure::Busy(None)),
            (lost(busy(408)), RefreshFailure::Busy(None)),
            (page(403), RefreshFailure::Unread),
            (page(404), RefreshFailure::Settings),
            (lost(busy(502)), RefreshFailure::MaybeTaken),
            (
                lost(FlowError::Http(HttpError::TimedOut {
                    host: "as.example".to_owned(),
                })),
                RefreshFailure::MaybeTaken,
            ),
            (
                FlowError::Http(HttpError::Unreachable {
                    host: "as.example".to_owned(),
                    cause: "connection refused".to_owned(),
                }),
                RefreshFailure::NotSent,
            ),
            // A retry doesn't help.
            (
                FlowError::Http(HttpError::Unsigned {
                    reason: "The private key is missing.".to_owned(),
                }),
                RefreshFailure::Settings,
            ),
        ] {
            assert_eq!(RefreshFailure::of(&error), failure, "{error}");
        }
    }
}
