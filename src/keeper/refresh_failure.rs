//! Classifies a failed refresh: what it means for the stored tokens.

use std::time::Duration;

use crate::flow::event::FlowError;
use crate::flow::http_error::HttpError;
use crate::oauth::failure::{BodyKind, Failure, ServerError};
use crate::words::has_any;

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
    /// without an error code that tells, or an empty response with status 400. RFC 6749, section 5.2, defines status 401
    /// for the client only, but some services use it for both.
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
    // Some services call the refresh token a code.
    "invalid_code",
];

/// Words for the refresh token.
const TOKEN: &[&str] = &[
    "refresh token",
    "refresh_token",
    "refreshtoken",
    "refresh-token",
];

/// Words in a rejection by a gateway, or of something else that expires.
const OTHERS: &[&str] = &[
    "your ip",
    "ip address",
    "license",
    "subscription",
    "firewall",
];

/// Words for who no longer lets this client in.
const USER: &[&str] = &[
    "revoked",
    "consent",
    "resource owner",
    "the user",
    "user is",
    "user has",
    "account",
];

/// Words in an error about the request or the client, which may name the refresh token as well.
const REQUEST: &[&str] = &[
    "missing",
    "required",
    "parameter",
    "not allowed",
    "not authorized",
    "unauthorized",
    "client id",
    "client_id",
    "client has",
    "client is",
    "scope",
    "certificate",
    "refused",
    "invalid client",
    "unknown client",
    "grant type",
    "grant_type",
    "grant-type",
    "granttype",
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

/// Words for other tokens.
const OTHER_TOKENS: &[&str] = &["csrf", "xsrf", "x-token", "api token"];

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
            (_, BodyKind::Page) => Self::Unread,
            _ if is_about_the_secret(&message) => Self::Settings,
            _ if is_dead(&message) => Self::Rejected,
            // Glewlwyd rejects with status 400 and an empty body; so do load balancers.
            (401, _) | (_, BodyKind::Empty) => Self::Unclear,
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
        if error.is_temporary() {
            return Self::Busy(None);
        }
        let has_ended = has_any(&text, &["expired", "revoked"]);
        let said = error.description.as_deref().unwrap_or_default();
        let said = said.to_ascii_lowercase();
        match error.code.as_str() {
            // A user or an administrator withdrew the consent, or a gateway doesn't let this computer in.
            _ if error.is_denial() => match error.status {
                status if status != Some(403) && said.is_empty() => Self::Rejected,
                _ if is_dead(&said) => Self::Rejected,
                _ if has_any(&said, USER) && !has_any(&said, OTHERS) => Self::Rejected,
                _ => Self::Unread,
            },
            code if REJECTED.contains(&code) => Self::Rejected,
            code if code.contains("refresh_token") && !code.contains("missing") => Self::Rejected,
            "invalid_request" | "unauthorized_client"
                if !is_about_the_secret(&said) && is_rejected(&said) =>
            {
                Self::Rejected
            }
            "invalid_client"
            | "unauthorized_client"
            | "invalid_request"
            | "invalid_scope"
            | "invalid_target"
            | "unsupported_grant_type" => Self::Settings,
            _ if is_about_the_secret(&text) => Self::Settings,
            // Salesforce and others describe the expiry in their own words.
            _ if is_dead(&text) => Self::Rejected,
            _ if error.has_no_code() && error.status == Some(400) => {
                if said.is_empty() {
                    Self::Rejected
                } else {
                    Self::Unread
                }
            }
            _ if error.status == Some(401) => Self::Unclear,
            // Something else has ended, such as a license.
            _ if has_ended => Self::Unread,
            _ => Self::Unusable,
        }
    }
}

/// Returns whether the text, in lower case, says that the client secret can't be used.
fn is_about_the_secret(text: &str) -> bool {
    has_any(text, SECRET) && has_any(text, DEAD)
}

/// Returns whether the text, in lower case, says that the refresh token or the grant can no longer be used. "Token" alone
/// may be another one, such as that of a form, so it must have expired or been revoked.
fn is_dead(text: &str) -> bool {
    let text = (GRANT_TYPE.iter()).fold(text.to_owned(), |text, words| text.replace(words, ""));
    let is_other = has_any(&text, OTHERS) || has_any(&text, OTHER_TOKENS);
    (has_any(&text, TOKEN) && has_any(&text, DEAD))
        || (!has_any(&text, OTHERS) && text.contains("grant") && has_any(&text, DEAD))
        || (!is_other && text.contains("token") && has_any(&text, &["expired", "revoked"]))
}

/// Returns whether the description of a rejected request says that the only token in it can't be used.
fn is_rejected(text: &str) -> bool {
    let is_token = has_any(
        text,
        &["invalid token", "token is invalid", "token invalid"],
    );
    !has_any(text, REQUEST) && (is_dead(text) || (is_token && !has_any(text, OTHER_TOKENS)))
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
            (400, "", RefreshFailure::Unclear),
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
                RefreshFailure::Busy(None),
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
                401,
                "The refresh token has expired",
                RefreshFailure::Rejected,
            ),
            (
                400,
                r#"{"message":"grant of access expired for your IP"}"#,
                RefreshFailure::Unread,
            ),
            (
                401,
                r#"{"message":"No API key found in request"}"#,
                RefreshFailure::Unclear,
            ),
            (
                401,
                r#"{"error":"server_error","error_description":"access_denied"}"#,
                RefreshFailure::Unclear,
            ),
            (
                429,
                r#"{"error":"access_denied","error_description":"Global limit has been reached"}"#,
                RefreshFailure::Busy(None),
            ),
            (
                400,
                r#"{"error":"Access Denied","error_description":"You have made too many requests continuously. Please try again after some time.","status":"failure"}"#,
                RefreshFailure::Busy(None),
            ),
            (
                503,
                r#"{"error":"invalid_grant","error_description":"Service unavailable"}"#,
                RefreshFailure::Busy(None),
            ),
            (
                500,
                r#"{"error":"invalid_token"}"#,
                RefreshFailure::Busy(None),
            ),
            (
                502,
                r#"{"error":"access_denied"}"#,
                RefreshFailure::Busy(None),
            ),
            (
                408,
                r#"{"error":"invalid_grant"}"#,
                RefreshFailure::Busy(None),
            ),
            (
                403,
                r#"{"error":"access_denied","error_description":"IP address not allowed by policy"}"#,
                RefreshFailure::Unread,
            ),
            (403, r#"{"error":"access_denied"}"#, RefreshFailure::Unread),
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
                RefreshFailure::Busy(None),
            ),
            (
                "invalid_client",
                "Too many requests",
                RefreshFailure::Busy(None),
            ),
            (
                "access_denied",
                "IP address not allowed by policy",
                RefreshFailure::Unread,
            ),
            ("access_denied", "", RefreshFailure::Rejected),
            (
                "access_denied",
                "The refresh token was revoked",
                RefreshFailure::Rejected,
            ),
            ("invalid_code", "", RefreshFailure::Rejected),
            (
                "unauthorized_client",
                "refresh_token is invalid",
                RefreshFailure::Rejected,
            ),
            (
                "unauthorized_client",
                "Invalid client or client_id: refresh_token is invalid",
                RefreshFailure::Settings,
            ),
            (
                "unauthorized_client",
                "The refresh_token grant type is not valid for this client",
                RefreshFailure::Settings,
            ),
            (
                "invalid_request",
                "Invalid Token!",
                RefreshFailure::Rejected,
            ),
            (
                "invalid_request",
                "Invalid CSRF token",
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
            (unusable(400), RefreshFailure::Unclear),
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
