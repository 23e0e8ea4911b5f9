//! The events of a running flow. A front end only displays them.

use std::time::Duration;

use url::Url;

use super::http_error::HttpError;
use super::listener::{ListenError, Stray};
use super::mail_login::Report;
use super::tool_report::Told;
use super::trace::Exchange;
use crate::certificate::{About, CertificateError};
use crate::clean::clean_path;
use crate::form::request::ServiceAccountFile;
use crate::mail::server::Protocol;
use crate::oauth::assertion::KeyFileError;
use crate::oauth::check::Check;
use crate::oauth::device::Note;
use crate::oauth::discovery::Metadata;
use crate::oauth::failure::{Failure, ServerError};
use crate::oauth::jwt_bearer::KeyFileProblem;
use crate::oauth::registration::Registered;
use crate::oauth::request::RequestError;
use crate::oauth::token::TokenSet;
use crate::oauth::url::RedirectUrl;
use crate::secret::SecretString;
use crate::store::file::read::ReadError;
use crate::words::sentence;

/// A step of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Requesting a device code.
    DeviceCode,
    /// Waiting for the user's approval.
    Approval,
    /// Listening on the port of the redirect URL.
    Listen,
    /// Pushing the parameters of the sign-in to the service (RFC 9126).
    Pushed,
    /// Waiting for the sign-in in the browser.
    SignIn,
    /// Exchanging the code for tokens.
    Exchange,
    /// Requesting new tokens with the refresh token.
    Refresh,
    /// Requesting an access token for the client itself.
    TokenRequest,
}

/// An event of a run. Events come in the order in which things happened; `Tokens` and `Failed` are the last.
pub enum FlowEvent {
    /// A step began.
    Began(Step),
    /// The step in progress is done, and took this long.
    Done(Duration),
    /// The device code arrived: what the user needs to approve the sign-in.
    DeviceCode {
        /// The code to enter, exactly as sent.
        user_code: String,
        /// The address to open on any device (RFC 8628, section 3.2).
        verification_uri: Url,
        /// The same address with the code included.
        complete: Option<Url>,
        /// How long the code is valid.
        expires_in: Duration,
    },
    /// The response to a poll.
    Polled {
        /// Number of polls so far.
        times: u32,
        /// The state of the sign-in, according to this poll.
        note: Note,
        /// Time until the next poll.
        pause: Duration,
    },
    /// The browser can sign in: what the user needs for the authorization code flow.
    SignIn {
        /// The authorization URL, to be opened in a browser.
        url: Url,
        /// The redirect URL of this sign-in.
        redirect_url: RedirectUrl,
        /// The addresses that the program listens on; empty if it can't listen.
        listening: Vec<String>,
        /// The certificate that the listener shows to the browser, if the redirect URL is https.
        certificate: Option<Box<About>>,
    },
    /// A callback that is not the response to this sign-in, with the reason.
    NotOurs(String),
    /// An error without the state of this sign-in. Anyone may have sent it, so the sign-in continues.
    Unverified(ServerError),
    /// A paste that is not the response to this sign-in, with the reason.
    PasteRefused(String),
    /// A problem after which the program tries again, as a sentence.
    Trouble(String),
    /// Something the user should know that doesn't stop the run, as a sentence.
    Note(String),
    /// An HTTP exchange or a callback, with its secrets redacted.
    Exchange(Exchange),
    /// The result of a discovery.
    Metadata(Box<Metadata>),
    /// The result of a registration.
    Registered(Box<Registered>),
    /// Another request or connection on the port of the redirect URL.
    Stray(Stray),
    /// The result of a named check.
    Check(Check),
    /// The result of a request about existing tokens.
    Tool(Box<Told>),
    /// The result of the test of a mail server.
    MailTested(Protocol, Box<Report>),
    /// The run ended with these tokens.
    Tokens(Box<TokenSet>),
    /// The run ended without tokens.
    Failed(FlowError),
}

impl FlowEvent {
    /// Returns the texts that may repeat input from outside.
    pub(super) fn texts(&mut self) -> Vec<&mut String> {
        match self {
            Self::Polled {
                note: Note::Trouble(text),
                ..
            }
            | Self::NotOurs(text)
            | Self::PasteRefused(text)
            | Self::Trouble(text)
            | Self::Note(text) => vec![text],
            Self::Unverified(error) => error.texts(),
            Self::Check(check) => vec![&mut check.detail],
            Self::Failed(error) => error.texts(),
            Self::Tool(told) => told.texts(),
            // These were redacted when they were created.
            Self::MailTested(..)
            | Self::Began(_)
            | Self::Done(_)
            | Self::DeviceCode { .. }
            | Self::Polled { .. }
            | Self::SignIn { .. }
            | Self::Exchange(_)
            | Self::Metadata(_)
            | Self::Registered(_)
            | Self::Stray(_)
            | Self::Tokens(_) => Vec::new(),
        }
    }
}

impl std::fmt::Debug for FlowEvent {
    /// Writes only the kind of event. URLs and codes are for the screen, not for a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Began(_) => "Began",
            Self::Done(_) => "Done",
            Self::DeviceCode { .. } => "DeviceCode",
            Self::Polled { .. } => "Polled",
            Self::SignIn { .. } => "SignIn",
            Self::NotOurs(_) => "NotOurs",
            Self::Unverified(_) => "Unverified",
            Self::PasteRefused(_) => "PasteRefused",
            Self::Trouble(_) => "Trouble",
            Self::Note(_) => "Note",
            Self::Exchange(_) => "Exchange",
            Self::Metadata(_) => "Metadata",
            Self::Registered(_) => "Registered",
            Self::Stray(_) => "Stray",
            Self::Check(_) => "Check",
            Self::Tool(_) => "Tool",
            Self::MailTested(..) => "MailTested",
            Self::Tokens(_) => "Tokens",
            Self::Failed(_) => "Failed",
        })
    }
}

/// Why a run ended without tokens.
#[derive(Debug, thiserror::Error)]
pub enum FlowError {
    /// The service rejected the request, the user denied it, or the response is invalid.
    #[error(transparent)]
    Protocol(#[from] Failure),
    /// The server was not reached.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The code was sent, but the response was lost. A code must not be sent twice (RFC 6749, section 4.1.2).
    #[error("{} The authorization code {} been used up, so it is not sent again.", .0.sentence(), .0.used_up())]
    Lost(Box<FlowError>),
    /// The refresh token was sent, but the response was lost.
    #[error("{} The refresh token may have been used up.", .0.sentence())]
    LostRefresh(Box<FlowError>),
    /// The response to a refresh contains no usable access token, but a new refresh token, which must be kept: the old one
    /// may no longer work.
    #[error("{} It contains a new refresh token, which replaces the old one.", .cause.sentence())]
    Replaced {
        /// What is wrong with the response.
        cause: Box<FlowError>,
        /// The new refresh token.
        refresh_token: SecretString,
    },
    /// The program can't listen on the redirect URL.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The certificate for an https redirect URL can't be used.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The key file of a service account can't be used.
    #[error(transparent)]
    KeyFile(#[from] ServiceAccountError),
    /// A key or certificate file of the client can't be used.
    #[error(transparent)]
    ClientKey(#[from] KeyFileError),
    /// The issuer's metadata can't be used.
    #[error("No usable metadata found for {issuer} ({reason}).")]
    Discovery {
        /// The issuer as entered.
        issuer: String,
        /// Why the metadata can't be used, for each address.
        reason: String,
        /// The issuer that was probably meant.
        instead: Option<String>,
        /// Whether the metadata that was found is that of another issuer.
        mismatch: bool,
    },
    /// A request could not be built.
    #[error("The request can't be built: {0}.")]
    Request(#[from] RequestError),
}

/// Why the key file of a service account can't be used. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("The key file {path} can't be used. {problem}")]
pub struct ServiceAccountError {
    path: String,
    problem: String,
    hint: String,
}

impl ServiceAccountError {
    pub(super) fn unread(file: &ServiceAccountFile, error: &ReadError) -> Self {
        Self {
            path: clean_path(&file.path),
            problem: error.sentence(),
            hint: "Correct the path, or make the file readable.".to_owned(),
        }
    }

    pub(super) fn of_content(file: &ServiceAccountFile, problem: &KeyFileProblem) -> Self {
        Self {
            path: clean_path(&file.path),
            problem: problem.to_string(),
            hint: format!("{} {}", problem.hint(), file.help)
                .trim_end()
                .to_owned(),
        }
    }

    /// Returns how to fix the problem, in sentences.
    #[must_use]
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

impl FlowError {
    /// Returns the texts that may repeat input from outside.
    fn texts(&mut self) -> Vec<&mut String> {
        match self {
            Self::Protocol(failure) => failure.texts(),
            Self::Http(HttpError::Redirected { target, error, .. }) => {
                std::iter::once(target).chain(error).collect()
            }
            Self::Lost(cause) | Self::LostRefresh(cause) | Self::Replaced { cause, .. } => {
                cause.texts()
            }
            Self::Discovery {
                reason, instead, ..
            } => std::iter::once(reason).chain(instead).collect(),
            Self::Http(_)
            | Self::Listen(_)
            | Self::Certificate(_)
            | Self::KeyFile(_)
            | Self::ClientKey(_)
            | Self::Request(_) => Vec::new(),
        }
    }

    /// If the issuer may be wrong, returns why there is no metadata, and the issuer that was probably meant.
    #[must_use]
    pub fn of_issuer(&self) -> Option<(String, Option<String>)> {
        let checked = || format!("{} {}", self.sentence(), self.hint());
        match self {
            // Naming the issuer to use helps more than the general hint.
            Self::Discovery {
                instead: Some(issuer),
                ..
            } => Some((self.sentence(), Some(issuer.clone()))),
            Self::Discovery { .. } | Self::Http(HttpError::Unreachable { .. }) => {
                Some((checked(), None))
            }
            _ => None,
        }
    }

    /// Returns whether the issuer's URL returned the metadata of another issuer.
    #[must_use]
    pub fn is_issuer_mismatch(&self) -> bool {
        matches!(self, Self::Discovery { mismatch: true, .. })
    }

    /// Returns the message with a period at its end, so that another sentence can follow.
    #[must_use]
    pub fn sentence(&self) -> String {
        sentence(self.to_string())
    }

    /// Returns how certain it is that the code of the request has been used up.
    pub(super) fn used_up(&self) -> &'static str {
        match self {
            Self::Protocol(failure) if failure.is_busy() => "may have",
            _ => "has probably",
        }
    }

    /// Returns how to fix the problem, in sentences.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Protocol(failure) => failure.hint(),
            Self::Http(error) => error.hint().to_owned(),
            Self::Lost(cause) => match cause.as_ref() {
                Self::Protocol(failure) if let Some(when) = failure.when() => {
                    format!("Start again {when} to get a new code.")
                }
                Self::Http(error @ (HttpError::TooLarge { .. } | HttpError::NotHttp { .. })) => {
                    format!("Start again to get a new code. {}", error.hint())
                }
                Self::Http(_) => "Start again to get a new code. If it happens again, check the network, firewall and proxy \
                                  settings."
                    .to_owned(),
                cause => format!("Start again to get a new code. {}", cause.hint()),
            },
            Self::LostRefresh(cause) => {
                let when = match cause.as_ref() {
                    Self::Protocol(failure) => failure.when(),
                    _ => None,
                };
                let when = when.map(|when| format!(" {when}")).unwrap_or_default();
                let check = match cause.as_ref() {
                    Self::Http(error @ HttpError::NotHttp { .. }) => format!("{} ", error.hint()),
                    _ => String::new(),
                };
                format!("{check}Refresh again{when}. If the service then rejects the refresh token, sign in again.")
            }
            Self::Replaced { cause, .. } => format!("Refresh again. {}", cause.hint()),
            Self::Listen(error) => error.hint().to_owned(),
            Self::Certificate(error) => error.hint().to_owned(),
            Self::Discovery { mismatch: true, .. } => {
                "Nothing else was sent. Check Issuer: it must be the URL that the service itself uses. To sign in without \
                 its metadata, remove Issuer and enter the endpoints yourself."
                    .to_owned()
            }
            Self::KeyFile(error) => error.hint().to_owned(),
            Self::ClientKey(error) => error.hint().to_owned(),
            Self::Discovery { .. } => {
                "Check Issuer: it must be the URL that the service itself uses. If it is right, tell the service's administrator, or \
                 enter the endpoints yourself."
                    .to_owned()
            }
            Self::Request(_) => "Check the URLs in the form.".to_owned(),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;
    use crate::oauth::asked::Asked;

    #[test]
    fn error_sentence_ends_with_a_period() {
        let asked = Asked::Exchange;
        let error = ServerError::new("made_up", None);
        let error = FlowError::from(Failure::Server { asked, error });
        assert!(error.sentence().ends_with("made_up."));
        assert!(
            FlowError::from(Failure::Expired)
                .sentence()
                .ends_with("approved.")
        );
    }

    #[test]
    fn debug_output_names_events_without_their_data() {
        let url = Url::parse("https://as.example/?user_code=WDJB-MJHT").unwrap();
        let code = FlowEvent::DeviceCode {
            user_code: "WDJB-MJHT".to_owned(),
            verification_uri: url.clone(),
            complete: Some(url.clone()),
            expires_in: Duration::from_secs(1),
        };
        let sign_in = FlowEvent::SignIn {
            url: url.clone(),
            redirect_url: url.into(),
            listening: Vec::new(),
            certificate: None,
        };
        assert_eq!(format!("{code:?} {sign_in:?}"), "DeviceCode SignIn");
    }

    #[test]
    fn issuer_error_includes_the_suggested_issuer() {
        let discovery = |instead: Option<&str>, mismatch| FlowError::Discovery {
            issuer: "https://as.example".to_owned(),
            reason: "HTTP status 404".to_owned(),
            instead: instead.map(str::to_owned),
            mismatch,
        };
        let other = "https://as.example/other";
        let error = discovery(Some(other), false);
        assert_eq!(
            error.of_issuer(),
            Some((error.sentence(), Some(other.to_owned())))
        );
        let unreachable = HttpError::Unreachable {
            host: "as.example".to_owned(),
            cause: "connection refused".to_owned(),
        };
        for error in [
            discovery(None, false),
            discovery(None, true),
            unreachable.into(),
        ] {
            let words = format!("{} {}", error.sentence(), error.hint());
            assert_eq!(error.of_issuer(), Some((words, None)));
        }
        let late = HttpError::TimedOut {
            host: "as.example".to_owned(),
        };
        for error in [FlowError::from(late), Failure::Expired.into()] {
            assert_eq!(error.of_issuer(), None);
            assert!(!error.is_issuer_mismatch());
        }
        assert!(discovery(None, true).is_issuer_mismatch());
        assert!(!discovery(Some(other), false).is_issuer_mismatch());
    }
}
