//! What a running flow reports. Front ends only show it.

use std::time::Duration;

use url::Url;

use super::http::HttpError;
use super::listener::{ListenError, Stray};
use super::mail_login::Report;
use super::tool_report::Told;
use super::trace::Exchange;
use crate::certificate::{About, CertificateError};
use crate::clean::clean;
use crate::form::request::ServiceAccountFile;
use crate::mail::server::Protocol;
use crate::oauth::assertion::KeyFileError;
use crate::oauth::check::Check;
use crate::oauth::client::RequestError;
use crate::oauth::device::Note;
use crate::oauth::discovery::Metadata;
use crate::oauth::failure::{Failure, ServerError};
use crate::oauth::jwt_bearer::KeyFileProblem;
use crate::oauth::registration::Registered;
use crate::oauth::token::TokenSet;
use crate::oauth::url::RedirectUrl;
use crate::store::file::read::ReadError;

/// A step of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Asking for a device code.
    DeviceCode,
    /// Waiting for the user's approval.
    Approval,
    /// Taking the port of the redirect URL.
    Listen,
    /// Sending the parameters of the sign-in to the service.
    Pushed,
    /// Waiting for the browser's return.
    SignIn,
    /// Exchanging the code for tokens.
    Exchange,
    /// Asking for new tokens.
    Refresh,
    /// Asking for an access token of the client itself.
    TokenRequest,
}

/// An event, in the order in which things happened. `Tokens` and `Failed` are the last.
pub enum FlowEvent {
    /// A step began.
    Began(Step),
    /// The step in progress is done and took this long.
    Done(Duration),
    /// What the user needs for the device flow.
    DeviceCode {
        /// To be typed; exactly as sent.
        user_code: String,
        /// The address to open on any device (RFC 8628, section 3.2).
        verification_uri: Url,
        /// The same with the code in it.
        complete: Option<Url>,
        /// How long the code lives.
        expires_in: Duration,
    },
    /// A poll came back.
    Polled {
        /// How many there were.
        times: u32,
        /// What it said.
        note: Note,
        /// How long until the next one.
        pause: Duration,
    },
    /// What the user needs for the authorization code flow.
    SignIn {
        /// To be opened in a browser.
        url: Url,
        /// Where the browser will come back to.
        redirect_url: RedirectUrl,
        /// Where it is awaited; empty if the program cannot listen on it.
        listening: Vec<String>,
        /// What the browser is shown there, where it speaks https.
        certificate: Option<Box<About>>,
    },
    /// A callback that is not the answer to this sign-in; says why.
    NotOurs(String),
    /// An error that came without the state of this sign-in: anyone may have sent it, so it ends nothing.
    Unverified(ServerError),
    /// A paste that is not the answer to this sign-in; says why.
    PasteRefused(String),
    /// Something went wrong and is tried again; says what.
    Trouble(String),
    /// Something that the user should know and that goes on all the same, as a sentence.
    Note(String),
    /// An exchange over HTTP, or a callback, without its secrets.
    Exchange(Exchange),
    /// The end of a discovery.
    Metadata(Box<Metadata>),
    /// The end of a registration.
    Registered(Box<Registered>),
    /// Another request or connection on the port.
    Stray(Stray),
    /// A named check came out.
    Check(Check),
    /// The result of a request about existing tokens.
    Tool(Box<Told>),
    /// The result of the test of a mail server.
    MailTested(Protocol, Box<Report>),
    /// The end: tokens.
    Tokens(Box<TokenSet>),
    /// The end: none.
    Failed(FlowError),
}

impl FlowEvent {
    /// The texts in it that may repeat what came from outside.
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
            // Redacted where it was made.
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
    /// The kind only: URLs and codes in the others are for the screen, not for a log.
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
    /// The server or the user said no, or the answer made no sense.
    #[error(transparent)]
    Protocol(#[from] Failure),
    /// The server was not reached.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The authorization code was sent and the answer is missing. A code must not be sent twice (RFC 6749, section 4.1.2).
    #[error("{} The authorization code {} been used up, so it is not sent again.", .0.sentence(), .0.used_up())]
    Lost(Box<FlowError>),
    /// The refresh token was sent and the answer is missing.
    #[error("{} The refresh token may have been used up.", .0.sentence())]
    LostRefresh(Box<FlowError>),
    /// The redirect URL could not be listened on.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The certificate of an https redirect URL cannot be used.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The key file of a service account cannot be used.
    #[error(transparent)]
    KeyFile(#[from] ServiceAccountError),
    /// A file of the client can't be used.
    #[error(transparent)]
    ClientKey(#[from] KeyFileError),
    /// The issuer's metadata cannot be used.
    #[error("No usable metadata found for {issuer}: {reason}.")]
    Discovery {
        /// As typed.
        issuer: String,
        /// Why not, by address.
        reason: String,
        /// The issuer that was probably meant.
        instead: Option<String>,
        /// The metadata that was found is that of another issuer.
        mismatch: bool,
    },
    /// A request could not be built.
    #[error("The request can't be built: {0}.")]
    Request(#[from] RequestError),
}

/// Why the key file of a service account cannot be used. Nothing was sent.
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
            path: clean(&file.path.display().to_string(), 300),
            problem: error.sentence(),
            hint: "Correct the path, or make the file readable.".to_owned(),
        }
    }

    pub(super) fn of_content(file: &ServiceAccountFile, problem: &KeyFileProblem) -> Self {
        Self {
            path: clean(&file.path.display().to_string(), 300),
            problem: problem.to_string(),
            hint: format!("{} {}", problem.hint(), file.help)
                .trim_end()
                .to_owned(),
        }
    }

    /// What to do about it, in sentences.
    #[must_use]
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

impl FlowError {
    /// The texts in it that may repeat what came from outside.
    fn texts(&mut self) -> Vec<&mut String> {
        match self {
            Self::Protocol(failure) => failure.texts(),
            Self::Http(HttpError::Redirected { target, .. }) => vec![target],
            Self::Lost(cause) | Self::LostRefresh(cause) => cause.texts(),
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

    /// Why there is no metadata, where that is a matter of the issuer; with the issuer that was probably meant.
    #[must_use]
    pub fn of_issuer(&self) -> Option<(String, Option<String>)> {
        let checked = || format!("{} {}", self.sentence(), self.hint());
        match self {
            // What to use instead says more than what to check.
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

    /// True if the issuer's URL has the metadata of another issuer.
    #[must_use]
    pub fn is_issuer_mismatch(&self) -> bool {
        matches!(self, Self::Discovery { mismatch: true, .. })
    }

    /// The words with a full stop at their end, for a sentence to follow.
    #[must_use]
    pub fn sentence(&self) -> String {
        let text = self.to_string();
        if text.ends_with(['.', '!', '?']) {
            text
        } else {
            format!("{text}.")
        }
    }

    /// How sure it is that the code sent with the request has been used.
    pub(super) fn used_up(&self) -> &'static str {
        match self {
            Self::Protocol(failure) if failure.is_busy() => "may have",
            _ => "has probably",
        }
    }

    /// What to do about it, in a sentence.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Protocol(failure) => failure.hint(),
            Self::Http(error) => error.hint().to_owned(),
            Self::Lost(cause) => match cause.as_ref() {
                Self::Protocol(failure) if let Some(when) = failure.when() => {
                    format!("Start again {when} to get a new code.")
                }
                Self::Http(error @ HttpError::TooLarge { .. }) => {
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
                format!("Refresh again{when}. If the service then rejects the refresh token, sign in again.")
            }
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
                "Check Issuer: it must be the URL that the service itself uses. You can also enter the endpoints yourself."
                    .to_owned()
            }
            Self::Request(_) => "Check the URLs in the form.".to_owned(),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends on what it did not expect")]
mod tests {
    use super::*;
    use crate::oauth::failure::Asked;

    #[test]
    fn the_words_of_an_error_are_a_sentence_where_another_follows() {
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
    fn a_log_names_an_event_and_shows_nothing_of_it() {
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
    fn what_is_wrong_with_an_issuer_is_told_with_the_one_that_was_probably_meant() {
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
