//! Errors that say to ask again later. Services put them into any code, with any status.

use super::failure::{BUSY, NO_CODE, ServerError};
use crate::words::has_any;

/// Words that say that the client asks too often. In all lists, `_` and `-` are spaces.
const THROTTLED: &[&str] = &[
    "throttl",
    "rate limit",
    "ratelimit",
    "rate exceeded",
    "request limit",
    "requests per",
    "too many requests",
    "toomanyrequests",
    "too many calls",
    "too many concurrent",
    "too many connections",
    "too many login",
    "too many sign in",
    "too many token",
    "too frequent",
    "too often",
    "too fast",
    "slow down",
    "request loop",
    "quota",
    "being processed",
    "already in progress",
    "overload",
    "server busy",
    "is busy",
    "too busy",
    "back off",
    "backoff",
    "limit has been reached",
    "limit was reached",
    "limit reached",
    "limit exceeded",
    "limit has been exceeded",
    "exceeded the limit",
];

/// Words that say that the service has a problem, or when to ask again.
const LATER: &[&str] = &[
    "temporarily",
    "temporary error",
    "temporary failure",
    "temporary problem",
    "transient",
    "service unavailable",
    "server unavailable",
    "currently unavailable",
    "again later",
    "again after",
    "again in ",
    "again shortly",
    "retry later",
    "retry after",
    "retry in ",
    "please wait",
    "maintenance",
    "internal error",
    "internal failure",
    "internal server error",
    "cannot connect",
    "can't connect",
    "could not connect",
    "couldn't connect",
    "unable to connect",
    "failed to connect",
    "request timeout",
    "request timed out",
    "gateway timeout",
];

/// Words that ask for another attempt, which may be one with other input.
const AGAIN: &[&str] = &["try again", "please retry", "retry the request"];

/// Words that say that what was sent no longer works, whatever else the text says.
const ENDED: &[&str] = &[
    "expired",
    "revoked",
    "redeemed",
    "been used",
    "already used",
    "reuse",
];

/// Words for how often a refresh token may be used.
const USED_UP: &[&str] = &[
    "usage limit",
    "use limit",
    "limit of uses",
    "number of uses",
    "maximum uses",
    "max uses",
];

/// Words that say that another attempt needs something else.
const WRONG: &[&str] = &[
    "invalid",
    "incorrect",
    "wrong",
    "not valid",
    "not found",
    "not exist",
    "unknown",
    "sign in",
    "signin",
    "log in",
    "login",
    "consent",
    "reauth",
    "authenticate again",
    "retry with",
    "again with",
    "denied by",
    "denied the",
    "user denied",
    "you denied",
    "was denied",
    "declined",
    "cancel",
    "malformed",
    "no longer",
    "inactive",
    "not active",
    "consumed",
    "unrecognized",
    "no such",
    "reconnect",
    "rejected",
    "request is blocked",
    "request was blocked",
    "request has been blocked",
    "deleted",
    "removed",
];

impl ServerError {
    /// Returns whether the service says that the client asks too often, so it has not processed the request.
    #[must_use]
    pub fn is_throttled(&self) -> bool {
        let words = self.words();
        self.code == BUSY || (has_any(&words, THROTTLED) && !names_an_end(&words))
    }

    /// Returns whether the service says that the same request may succeed later. An error about the client or its
    /// request counts only if the client asks too often.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        if self.is_throttled() {
            return true;
        }
        let is_open = self.code == NO_CODE
            || matches!(self.code.as_str(), "invalid_grant" | "invalid_token")
            || self.is_denial()
            || (self.has_own_code() && !self.is_expiry());
        let words = self.words();
        let description = self.description.as_deref().unwrap_or_default();
        let told = if self.has_own_code() {
            words.clone()
        } else {
            spaced(description)
        };
        is_open
            && !has_any(&told.replace("unknown error", ""), WRONG)
            && !names_an_end(&words)
            && (has_any(&words, LATER) || (!self.is_denial() && has_any(&words, AGAIN)))
    }

    /// Returns the code and the description in lower case.
    fn words(&self) -> String {
        spaced(&format!(
            "{} {}",
            // The code of an error doesn't say when to ask again.
            if self.code == "server_error" {
                ""
            } else {
                &self.code
            },
            self.description.as_deref().unwrap_or_default()
        ))
    }
}

/// Returns whether the text says that a token, a grant or a code has ended. The use of a refresh token may be limited,
/// too.
fn names_an_end(words: &str) -> bool {
    has_any(words, ENDED) || (words.contains("refresh token") && has_any(words, USED_UP))
}

fn spaced(text: &str) -> String {
    text.to_ascii_lowercase().replace(['_', '-'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn throttling_and_outages_are_recognized_in_any_code() {
        for (code, description) in [
            ("access_denied", "Global limit has been reached"),
            (
                "access_denied",
                "Access Denied: You have made too many requests continuously. Please try again after some time.",
            ),
            (
                "invalid_grant",
                "AADSTS90055: The request is throttled because there have been too many requests.",
            ),
            (
                "invalid_grant",
                "AADSTS50196: The server terminated an operation because it encountered a client request loop.",
            ),
            ("invalid_grant", "login rate exceeded"),
            ("invalid_grant", "token request is already being processed"),
            ("invalid_client", "Too many requests"),
            ("invalid_request", "Rate limit exceeded"),
            ("unauthorized_client", "quota exceeded"),
            ("error", "API rate-limit exceeded"),
            ("too_many_requests", ""),
            ("polling_too_frequently", ""),
            ("ratelimited", ""),
            ("rate_limit_exceeded", ""),
            ("temporarily_unavailable", ""),
        ] {
            let error = ServerError::new(code, Some(description));
            assert!(error.is_throttled() && error.is_temporary(), "{error}");
        }
        for (code, description) in [
            ("invalid_grant", "Service unavailable"),
            ("invalid_grant", "Something failed. Please try again."),
            ("invalid_token", "Cannot connect to database"),
            ("access_denied", "Temporarily blocked"),
            ("internal_failure", ""),
            ("service_unavailable", ""),
            ("error", "Down for maintenance"),
        ] {
            let error = ServerError::new(code, Some(description));
            assert!(!error.is_throttled() && error.is_temporary(), "{error}");
        }
    }

    #[test]
    fn final_errors_that_ask_for_another_attempt_stay_final() {
        for (code, description) in [
            ("invalid_grant", ""),
            ("invalid_grant", "Token expired, please try again"),
            (
                "invalid_grant",
                "The session is over. Sign in and try again later.",
            ),
            (
                "invalid_grant",
                "AADSTS54005: OAuth2 Authorization code was already redeemed, please retry with a new valid code",
            ),
            (
                "invalid_grant",
                "The refresh token usage limit has been reached",
            ),
            ("invalid_grant", "Token revoked: too many requests"),
            ("invalid_scope", "No such scope. Try again later."),
            (
                "invalid_client",
                "Client authentication failed. Try again later.",
            ),
            (
                "access_denied",
                "The user denied the request. Try again later.",
            ),
            ("access_denied", "Not approved. Please try again."),
            ("expired_token", "Please try again later"),
            ("login_required", "Please try again later"),
            ("server_error", "access_denied"),
            ("access_denied", "Not allowed to connect to this app"),
            ("invalid_grant", "Change your temporary password"),
            ("user_cancelled", "Please try again"),
        ] {
            let error = ServerError::new(code, Some(description));
            assert!(!error.is_temporary(), "{error}");
        }
    }
}
