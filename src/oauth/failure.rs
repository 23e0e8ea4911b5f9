//! The failures of the protocol: sentences, each with a fix.

use std::time::Duration;

use super::advice::{NEEDS_REDIRECT, registration_hint, rejects_initial_token};
use super::advice::{response_hint, unusable_hint};
use super::asked::Asked;
pub use super::body_kind::BodyKind;
use super::codes::{as_in_protocol, is_protocol_code, repeats_status};
use super::id_token_problem::IdTokenProblem;
use super::readable::readable;
use super::useless::Useless;
use crate::clean::{TEXT_LIMIT, clean};
use crate::words::rounded_up;

/// An error that the authorization server sent (RFC 6749, sections 4.1.2.1 and 5.2). All of its text is cleaned on
/// creation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerError {
    /// The code, such as `invalid_grant`.
    pub code: String,
    /// The server's own description.
    pub description: Option<String>,
    /// The HTTP status, if it says more than the code.
    pub status: Option<u16>,
}

/// The code of an error that the server sent without one.
pub(super) const NO_CODE: &str = "error";

impl ServerError {
    /// Returns the texts that may repeat something from outside this program.
    pub(crate) fn texts(&mut self) -> Vec<&mut String> {
        let code = (!is_protocol_code(&self.code)).then_some(&mut self.code);
        code.into_iter().chain(&mut self.description).collect()
    }

    /// Creates an error and cleans both texts.
    #[must_use]
    pub fn new(code: &str, description: Option<&str>) -> Self {
        let code = clean(as_in_protocol(code), 80);
        Self {
            description: description
                .map(|text| clean(&readable(text), TEXT_LIMIT))
                // A description that repeats the code says nothing.
                .filter(|text| !text.is_empty() && *text != code),
            code,
            status: None,
        }
    }

    /// Returns whether the code is not one of the protocol, but the service's own.
    #[must_use]
    pub fn has_own_code(&self) -> bool {
        self.code != NO_CODE && !is_protocol_code(&self.code)
    }

    /// Returns whether the service sent only a message, without a code.
    #[must_use]
    pub fn has_no_code(&self) -> bool {
        self.code == NO_CODE
    }

    /// Returns the HTTP status if it says more than the code, which then only repeats it or is missing.
    fn telling_status(&self) -> Option<u16> {
        let status = self.status?;
        (self.has_no_code() || repeats_status(&self.code, status)).then_some(status)
    }

    /// Returns whether the user denied the sign-in (RFC 8628, section 3.5, and the names that some servers use).
    #[must_use]
    pub fn is_denial(&self) -> bool {
        matches!(
            self.code.as_str(),
            "access_denied"
                | "authorization_declined"
                | "authorization_denied"
                | "user_declined"
                | "user_denied"
        )
    }

    /// Returns whether the device code has expired (RFC 8628, section 3.5). Other servers use other names, or say it in the
    /// description of a general error.
    #[must_use]
    pub fn is_expiry(&self) -> bool {
        // Another word would be about something else, such as a client secret.
        let is_about_it = |word: &str| EXPIRY.contains(&word);
        let mut words = self.code.split('_');
        if words.clone().any(|word| word == "expired") && words.all(is_about_it) {
            return true;
        }
        let description = self.description.as_deref().unwrap_or_default();
        let description = description.to_ascii_lowercase();
        matches!(
            self.code.as_str(),
            "invalid_grant" | "invalid_request" | NO_CODE
        ) && SAID_EXPIRED.iter().any(|words| description.contains(words))
    }
}

/// The words in the codes of an expired device code.
const EXPIRY: &[&str] = &["expired", "code", "token", "device", "user", "verification"];

/// How a description says that the device code has expired.
const SAID_EXPIRED: &[&str] = &[
    "code expired",
    "code has expired",
    "code is expired",
    "expired code",
    "expired device code",
    "expired device_code",
];

impl std::fmt::Display for ServerError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.description {
            // A service that sent only a message sent no code.
            Some(description) if self.code == NO_CODE => f.write_str(description),
            Some(description) => write!(f, "{}: {description}", self.code),
            None => f.write_str(&self.code),
        }
    }
}

/// Returns the server's error in parentheses, if there is one.
fn beside(error: Option<&ServerError>) -> String {
    error.map(|error| format!(" ({error})")).unwrap_or_default()
}

/// Returns whether a status says that the same request may succeed later. The server didn't process a request that it
/// rejected with 408 or 425 (RFC 9110, section 15.5.9; RFC 8470, section 5.2).
pub(super) const fn is_temporary(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500..)
}

fn is_busy(status: u16, wait: Option<Duration>, error: Option<&ServerError>) -> bool {
    status == 429 || wait.is_some() || error.is_some_and(ServerError::is_throttled)
}

/// The status of a gateway that first requires a sign-in to the network itself (RFC 6585, section 6).
const NETWORK_SIGN_IN: u16 = 511;

fn unavailable(status: u16, wait: Option<Duration>, error: Option<&ServerError>) -> String {
    if status == NETWORK_SIGN_IN {
        return format!(
            "This network requires you to sign in first (HTTP {status}), so the service wasn't reached."
        );
    }
    let state = if is_busy(status, wait, error) {
        "is busy"
    } else {
        "has a problem"
    };
    let words = error.map(|error| format!(", {error}")).unwrap_or_default();
    let wait = wait
        .map(|wait| format!(" and asks clients to wait {}", rounded_up(wait)))
        .unwrap_or_default();
    format!("The service {state} (HTTP {status}{words}){wait}.")
}

/// The error code of a service that is overloaded (RFC 6749, section 4.1.2.1).
pub(super) const BUSY: &str = "temporarily_unavailable";

/// The fix if a service requires a client certificate.
pub const CLIENT_CERTIFICATE: &str = "Set Client auth. (--client-authentication) to Mutual TLS, with the Client key and the Client \
    certificate that are registered with the service.";

/// The setting that a failure is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// The client secret, and how it is sent.
    Secret,
    /// The URL of this request.
    Url(Asked),
    /// The key file of a service account.
    KeyFile,
    /// The scopes.
    Scope,
    /// The scope `openid`, without which the service issues no ID token.
    OpenId,
}

/// Why a request brought no tokens.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The user denied the sign-in.
    #[error("The sign-in was denied in the browser ({error}).")]
    Denied {
        /// Whether a poll reported the denial; otherwise the redirect did.
        polled: bool,
        /// The server's error.
        error: ServerError,
    },
    /// The device code was not used in time.
    #[error("The code expired before the sign-in was approved.")]
    Expired,
    /// The device code expired, and no response to a poll said whether the sign-in was approved.
    #[error("The code expired, and no poll got a valid response: {reason}.")]
    Unanswered {
        /// What was wrong with the last response.
        reason: String,
        /// Its HTTP status, if there was one.
        status: Option<u16>,
    },
    /// A successful response without a usable access token.
    #[error("The response to {} is invalid: {}.", .asked.name(), .useless.reason())]
    Useless {
        /// The request.
        asked: Asked,
        /// What is wrong with the response.
        useless: Useless,
    },
    /// The service sent a URL that must not be opened.
    #[error("The service returned an invalid URL: {0}.")]
    Address(String),
    /// The server rejected the request.
    #[error("The service rejected {}: {error}", .asked.name())]
    Server {
        /// The request.
        asked: Asked,
        /// The server's error.
        error: ServerError,
    },
    /// The service doesn't register a client without a redirect URL.
    #[error("The service rejected the registration: {0}")]
    NeedsRedirect(ServerError),
    /// The error was in the redirect (RFC 6749, section 4.1.2.1).
    #[error("The service ended the sign-in: {0}")]
    Callback(ServerError),
    /// The service doesn't know the code, probably because an earlier response to it was lost.
    #[error("An earlier response was lost, so the {} has probably been used up{}.", .asked.code(), beside(.error.as_ref()))]
    UsedUp {
        /// The request that the code was sent with.
        asked: Asked,
        /// The service's error for the code, if it was sent again.
        error: Option<ServerError>,
    },
    /// The service is not available now: 429, 5xx, or an error that says so.
    #[error("{}", unavailable(*.status, *.wait, .error.as_ref()))]
    Unavailable {
        /// HTTP status.
        status: u16,
        /// How long the service asks to wait.
        wait: Option<Duration>,
        /// The service's error.
        error: Option<ServerError>,
    },
    /// The response doesn't follow the protocol.
    #[error("The response to {} is invalid: {reason}.", .asked.name())]
    Unusable {
        /// The request.
        asked: Asked,
        /// HTTP status.
        status: u16,
        /// What is wrong with the response.
        reason: String,
        /// The kind of its body.
        body: BodyKind,
        /// The message in a rejection. `reason` contains it, too.
        message: Option<String>,
    },
    /// The ID token belongs to another sign-in, client or issuer.
    #[error("The ID token is not valid for this sign-in: {reason}. The tokens were discarded.")]
    IdToken {
        /// What is wrong with it.
        problem: IdTokenProblem,
        /// The same in words.
        reason: String,
    },
}

impl Failure {
    /// Returns whether the service rejected a registration for its initial access token, or for the lack of one.
    #[must_use]
    pub fn rejects_initial_token(&self) -> bool {
        match self {
            Self::Server {
                asked: Asked::Registration,
                error,
            } => rejects_initial_token(&error.code, error.status.unwrap_or(400)),
            Self::Unusable {
                asked: Asked::Registration,
                status,
                ..
            } => rejects_initial_token("", *status),
            _ => false,
        }
    }

    /// Returns the texts that may repeat something from outside this program.
    pub(crate) fn texts(&mut self) -> Vec<&mut String> {
        match self {
            Self::Denied { error, .. }
            | Self::Server { error, .. }
            | Self::NeedsRedirect(error)
            | Self::Callback(error) => error.texts(),
            Self::UsedUp { error, .. } | Self::Unavailable { error, .. } => {
                error.as_mut().map_or_else(Vec::new, ServerError::texts)
            }
            Self::Unusable {
                reason, message, ..
            } => std::iter::once(reason).chain(message).collect(),
            Self::Unanswered { reason, .. }
            | Self::Address(reason)
            | Self::IdToken { reason, .. } => vec![reason],
            Self::Expired | Self::Useless { .. } => Vec::new(),
        }
    }

    /// Returns whether the service said that it is overloaded, so that it has probably not processed the request.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        match self {
            Self::Unavailable {
                status,
                wait,
                error,
            } => is_busy(*status, *wait, error.as_ref()),
            _ => false,
        }
    }

    /// Returns the setting that is probably wrong, if the failure itself tells.
    #[must_use]
    pub fn about(&self) -> Option<About> {
        let by_status = |asked, status| match status {
            401 if asked == Asked::JwtBearer => Some(About::KeyFile),
            401 => Some(About::Secret),
            400 if asked == Asked::Refresh => None,
            status if is_temporary(status) => None,
            _ => Some(About::Url(asked)),
        };
        match self {
            Self::Server { asked, error } => match error.telling_status() {
                Some(status @ (401 | 404 | 405 | 406 | 410 | 415 | 421)) => {
                    by_status(*asked, status)
                }
                _ => None,
            },
            // The URL is probably right.
            Self::Unusable {
                body: BodyKind::Unread,
                status: 200..300,
                ..
            } => None,
            Self::Unusable {
                reason,
                asked,
                status,
                message,
                ..
            } if !requires_certificate(reason) && !is_said(*status, message.as_ref()) => {
                by_status(*asked, *status)
            }
            Self::Unanswered {
                status: Some(status),
                ..
            } => by_status(Asked::Approval, *status),
            Self::Useless {
                useless: Useless::IdTokenOnly,
                ..
            } => Some(About::Scope),
            Self::IdToken { problem, .. } if problem.is_incomplete() => Some(About::OpenId),
            _ => None,
        }
    }

    /// Returns the service's own error, after a few words about what it ended; `None` if the service sent no error.
    #[must_use]
    pub fn refusal(&self) -> Option<(&'static str, &ServerError)> {
        match self {
            Self::Denied { error, .. } => Some(("The sign-in was denied in the browser", error)),
            Self::Callback(error) => Some(("The service ended the sign-in", error)),
            Self::Server { asked, error } => Some((asked.rejected(), error)),
            Self::NeedsRedirect(error) => Some((Asked::Registration.rejected(), error)),
            Self::UsedUp { .. }
            | Self::Unavailable { .. }
            | Self::Unusable { .. }
            | Self::Unanswered { .. }
            | Self::Useless { .. }
            | Self::Address(_)
            | Self::IdToken { .. }
            | Self::Expired => None,
        }
    }

    /// Returns when to try again, if the service is not available now.
    #[must_use]
    pub fn when(&self) -> Option<String> {
        match self {
            Self::Unavailable { wait, .. } => Some(wait.map_or_else(
                || "later".to_owned(),
                |wait| format!("in {}", rounded_up(wait)),
            )),
            _ => None,
        }
    }

    /// Returns the fix, as a sentence. For a service's own errors, it is only used if `explain` has nothing better.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Denied { .. } => {
                "Start again and approve, or ask an administrator to approve the app.".to_owned()
            }
            Self::UsedUp { .. } => "Start again.".to_owned(),
            Self::Server {
                asked: Asked::Registration,
                error,
            } => registration_hint(&error.code, error.status.unwrap_or(400)),
            Self::Unusable {
                asked: Asked::Registration,
                status,
                ..
            } => registration_hint("", *status),
            Self::NeedsRedirect(_) => NEEDS_REDIRECT.to_owned(),
            Self::Expired => "Request a new code and approve it before it expires.".to_owned(),
            Self::Server { asked, error } => match error.telling_status() {
                Some(status @ (401 | 403 | 404 | 405 | 406 | 410 | 415 | 421)) => {
                    unusable_hint(*asked, status)
                }
                _ => SEE_MESSAGE.to_owned(),
            },
            Self::Callback(_) => SEE_MESSAGE.to_owned(),
            Self::Unavailable {
                status: NETWORK_SIGN_IN,
                ..
            } => "Open any page in a browser on this network and sign in there, then try again.".to_owned(),
            Self::Unavailable { .. } => {
                format!("Try again {}.", self.when().unwrap_or_default())
            }
            Self::Unusable { reason, .. } if requires_certificate(reason) => CLIENT_CERTIFICATE.to_owned(),
            Self::Unusable {
                status, message, ..
            } if is_said(*status, message.as_ref()) => SEE_MESSAGE.to_owned(),
            Self::Unusable {
                body: BodyKind::Unread,
                status: 200..300,
                ..
            } => UNREAD.to_owned(),
            Self::Unusable { asked, status, body, .. } => response_hint(*asked, *status, *body),
            Self::Unanswered {
                status: Some(429),
                ..
            } => "The service is busy. Request a new code later.".to_owned(),
            Self::Unanswered {
                status: Some(408 | 425 | 500..),
                ..
            } => "The service has a problem. Request a new code later.".to_owned(),
            Self::Unanswered {
                status: Some(status),
                ..
            } => unusable_hint(Asked::Approval, *status),
            Self::Unanswered { status: None, .. } => {
                "Check the Token ex. URL, the network and the proxy settings, then request a new code."
                    .to_owned()
            }
            Self::Useless { useless, .. } => useless.hint().to_owned(),
            Self::Address(_) => {
                "This is an error of the service. Ask its administrator to return a full https URL."
                    .to_owned()
            }
            Self::IdToken { problem, .. } => problem.fix(),
        }
    }
}

/// The fix if the response contains tokens in a form that this program doesn't read.
const UNREAD: &str = "The URL is probably right, but the response isn't in the form of RFC 6749, section 5.1: a JSON object with \
    access_token. Tell the service's administrator.";

/// The fix if only the service's message tells the cause.
const SEE_MESSAGE: &str = "See the service's message for the cause.";

/// Returns whether the service reported an error with the status of a success, so that its URL is right.
fn is_said(status: u16, message: Option<&String>) -> bool {
    status < 300 && message.is_some()
}

/// Returns whether this is the page of a web server that requires a client certificate, but says so only after it has
/// accepted the request.
fn requires_certificate(reason: &str) -> bool {
    let reason = reason.to_ascii_lowercase();
    let has = |words: &str| reason.contains(words);
    has("certificate") && (has("required") || has("client")) && (has("ssl") || has("tls"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unavailable_service_is_reported_with_the_time_to_wait() {
        let told = |status, wait: Option<u64>, code: Option<&str>| {
            let failure = Failure::Unavailable {
                status,
                wait: wait.map(Duration::from_secs),
                error: code.map(|code| ServerError::new(code, None)),
            };
            format!("{failure} {}", failure.hint())
        };
        for (status, wait, code, words) in [
            (
                503,
                Some(120),
                None,
                "The service is busy (HTTP 503) and asks clients to wait 2 minutes. Try again in 2 minutes.",
            ),
            (
                503,
                Some(1),
                None,
                "The service is busy (HTTP 503) and asks clients to wait 1 second. Try again in 1 second.",
            ),
            (
                429,
                None,
                None,
                "The service is busy (HTTP 429). Try again later.",
            ),
            (
                502,
                None,
                None,
                "The service has a problem (HTTP 502). Try again later.",
            ),
            (
                400,
                None,
                Some(BUSY),
                "The service is busy (HTTP 400, temporarily_unavailable). Try again later.",
            ),
            (
                500,
                None,
                Some("server_error"),
                "The service has a problem (HTTP 500, server_error). Try again later.",
            ),
            (
                511,
                None,
                None,
                "This network requires you to sign in first (HTTP 511), so the service wasn't reached. Open any page in a \
                    browser on this network and sign in there, then try again.",
            ),
            (
                503,
                Some(u64::MAX),
                None,
                "The service is busy (HTTP 503) and asks clients to wait more than a day. Try again in more than a day.",
            ),
        ] {
            assert_eq!(told(status, wait, code), words);
        }
        assert_eq!(rounded_up(Duration::from_secs(3601)), "61 minutes");
        assert_eq!(rounded_up(Duration::from_secs(7201)), "3 hours");
    }

    /// Returns one failure of each kind with text from outside.
    fn failures(said: &str) -> Vec<Failure> {
        let error = || ServerError::new(&format!("Odd code {said}"), Some(said));
        vec![
            Failure::Denied {
                polled: true,
                error: error(),
            },
            Failure::Server {
                asked: Asked::Exchange,
                error: error(),
            },
            Failure::Callback(error()),
            Failure::Unavailable {
                status: 503,
                wait: None,
                error: Some(error()),
            },
            Failure::Unusable {
                asked: Asked::Refresh,
                status: 200,
                reason: said.to_owned(),
                body: BodyKind::Other,
                message: Some(said.to_owned()),
            },
            Failure::Unanswered {
                status: None,
                reason: said.to_owned(),
            },
            Failure::Address(said.to_owned()),
            Failure::IdToken {
                problem: IdTokenProblem::Issuer,
                reason: said.to_owned(),
            },
        ]
    }

    #[test]
    fn external_text_in_failures_can_be_redacted() {
        for mut failure in failures("s3cret") {
            for text in failure.texts() {
                *text = text.replace("s3cret", "x");
            }
            let told = format!("{failure:?} {failure} {}", failure.hint());
            assert!(!told.contains("s3cret"), "{told}");
        }
        // An error code of the protocol is never a secret.
        let mut known = ServerError::new("invalid_grant", None);
        assert!(known.texts().is_empty());
    }

    #[test]
    fn response_status_indicates_the_incorrect_setting() {
        let about = |asked, status, reason: &str| {
            let failure = Failure::Unusable {
                asked,
                status,
                reason: reason.to_owned(),
                body: BodyKind::Other,
                message: None,
            };
            (failure.about(), failure.hint())
        };
        for (asked, status, setting, words) in [
            (Asked::Exchange, 401, Some(About::Secret), "Client secret"),
            (Asked::Refresh, 400, None, "has probably expired"),
            (
                Asked::Exchange,
                400,
                Some(About::Url(Asked::Exchange)),
                "Client ID and Client secret",
            ),
            (
                Asked::Exchange,
                404,
                Some(About::Url(Asked::Exchange)),
                "no such endpoint",
            ),
            (Asked::JwtBearer, 401, Some(About::KeyFile), "Key file"),
            (Asked::Exchange, 408, None, "this service's endpoint"),
            (Asked::Exchange, 425, None, "this service's endpoint"),
            (Asked::Exchange, 429, None, "this service's endpoint"),
            (Asked::Exchange, 500, None, "this service's endpoint"),
            (
                Asked::Pushed,
                404,
                Some(About::Url(Asked::Pushed)),
                "metadata doesn't exist",
            ),
            (
                Asked::Pushed,
                400,
                Some(About::Url(Asked::Pushed)),
                "Redirect URL and Scope",
            ),
            (
                Asked::Pushed,
                200,
                Some(About::Url(Asked::Pushed)),
                "is in the issuer's metadata",
            ),
        ] {
            let (found, hint) = about(asked, status, "it is a web page");
            assert_eq!(found, setting, "{asked:?} {status}");
            assert!(hint.contains(words), "{asked:?} {status}: {hint}");
        }
        for (status, setting) in [
            (401, Some(About::Secret)),
            (404, Some(About::Url(Asked::Exchange))),
            (500, None),
        ] {
            let mut error = ServerError::new("error", None);
            error.status = Some(status);
            let asked = Asked::Exchange;
            assert_eq!(
                Failure::Server { asked, error }.about(),
                setting,
                "{status}"
            );
            let unanswered = Failure::Unanswered {
                status: Some(status),
                reason: String::new(),
            };
            let setting = setting.map(|setting| match setting {
                About::Url(_) => About::Url(Asked::Approval),
                other => other,
            });
            assert_eq!(unanswered.about(), setting, "{status}");
        }
        // The page of a web server that requires a certificate doesn't mean that the URL is wrong.
        for (page, about_a_certificate) in [
            (
                "it is a web page: 400 No required SSL certificate was sent",
                true,
            ),
            (
                "it is a web page: 400 The SSL certificate error: client",
                true,
            ),
            ("it is a web page: TLS client certificate missing", true),
            ("it is a web page: required certificate", false),
            ("it is a web page: the SSL certificate", false),
            ("it is a web page: SSL is required", false),
        ] {
            let (found, hint) = about(Asked::Exchange, 400, page);
            assert_eq!(found.is_none(), about_a_certificate, "{page}");
            assert_eq!(hint == CLIENT_CERTIFICATE, about_a_certificate, "{page}");
        }
    }
}
