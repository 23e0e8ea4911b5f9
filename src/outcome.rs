//! Defines the results on standard output, and the exit codes.

use clap::ValueEnum;

use crate::oauth::token::TokenSet;
use crate::secret::SecretString;

/// A result to print to standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Print {
    /// The bearer token.
    AccessToken,
    /// The refresh token.
    RefreshToken,
    /// The ID token.
    IdToken,
    /// All of it, as one line of JSON.
    Json,
}

impl Print {
    /// Returns all names, for use in a question.
    #[must_use]
    pub fn names() -> String {
        let values = Self::value_variants().iter();
        let names =
            values.filter_map(|print| Some(print.to_possible_value()?.get_name().to_owned()));
        names.collect::<Vec<_>>().join(", ")
    }

    /// Returns the text, without a line end.
    ///
    /// # Errors
    /// Returns an error, as a sentence, if the service issued no such token.
    pub fn text(self, set: &TokenSet) -> Result<SecretString, String> {
        let missing = |name: &str| format!("The service did not return {name}.");
        match self {
            Self::AccessToken => Ok(set.access_token.clone()),
            Self::RefreshToken => set
                .refresh_token
                .clone()
                .ok_or_else(|| missing("a refresh token")),
            Self::IdToken => set.id_token.clone().ok_or_else(|| missing("an ID token")),
            Self::Json => Ok(set.to_json()),
        }
    }
}

/// Exit codes, documented in docs/guide.md.
pub mod exit {
    use crate::certificate::{CertificateError, Origin};
    use crate::flow::event::FlowError;
    use crate::flow::http_error::HttpError;
    use crate::flow::tool_report::ToolError;
    use crate::oauth::failure::Failure;
    use crate::oauth::tool_failure::ToolFailure;

    /// The run completed as requested.
    pub const DONE: u8 = 0;
    /// An error without a code of its own.
    pub const FAILED: u8 = 1;
    /// A flag or a setting is invalid.
    pub const USAGE: u8 = 2;
    /// The user denied the sign-in.
    pub const REFUSED: u8 = 3;
    /// The device code expired.
    pub const EXPIRED: u8 = 4;
    /// The server was unreachable or is temporarily unavailable, or its response was lost.
    pub const UNREACHABLE: u8 = 5;
    /// The program can't listen on the redirect URL.
    pub const LISTENER: u8 = 6;
    /// The user must sign in again.
    pub const SIGN_IN: u8 = 7;
    /// Another process is refreshing the tokens and did not finish in time.
    pub const BUSY: u8 = 8;
    /// The files of a profile can't be read, locked or written. The service was not contacted.
    pub const RECORD: u8 = 9;
    /// The tokens were printed, but could not be stored.
    pub const NOT_STORED: u8 = 10;
    /// The service, or the mail server, rejected the token.
    pub const NOT_ACCEPTED: u8 = 11;
    /// Nothing is broken yet, but something will be soon.
    pub const SOON: u8 = 12;
    /// The program was interrupted by a signal, or the user quit before the requested result.
    pub const INTERRUPTED: u8 = 130;

    /// Returns the exit code for a failed request about tokens.
    #[must_use]
    pub fn tool_code(error: &ToolError) -> u8 {
        match error {
            ToolError::Failure(ToolFailure::Refused { .. } | ToolFailure::OtherUser) => {
                NOT_ACCEPTED
            }
            ToolError::Failure(ToolFailure::Unusable { .. } | ToolFailure::Jwt { .. })
            | ToolError::Stopped => FAILED,
            ToolError::Failure(ToolFailure::Unavailable { .. }) => UNREACHABLE,
            ToolError::ClientKey(_) | ToolError::Request(_) => USAGE,
            ToolError::Http(error) => http_code(error),
        }
    }

    fn http_code(error: &HttpError) -> u8 {
        match error {
            HttpError::Redirected { .. }
            | HttpError::TooLarge { .. }
            | HttpError::NotHttp { .. } => FAILED,
            HttpError::CaFile { .. }
            | HttpError::Authorities { .. }
            | HttpError::Unsigned { .. }
            | HttpError::ProxySetting { .. } => USAGE,
            HttpError::Unreachable { .. }
            | HttpError::Proxy { .. }
            | HttpError::Lost { .. }
            | HttpError::Tls { .. }
            | HttpError::TimedOut { .. }
            | HttpError::Certificate { .. } => UNREACHABLE,
        }
    }

    /// Returns the exit code for a run that ended with this error.
    #[must_use]
    pub fn code(error: &FlowError) -> u8 {
        match error {
            FlowError::Lost(cause)
            | FlowError::LostRefresh(cause)
            | FlowError::Replaced { cause, .. } => code(cause),
            FlowError::Protocol(Failure::Denied { .. }) => REFUSED,
            FlowError::Protocol(Failure::Expired) => EXPIRED,
            FlowError::Protocol(Failure::Unanswered {
                status: Some(429), ..
            }) => UNREACHABLE,
            FlowError::Protocol(
                Failure::Server { .. }
                | Failure::NeedsRedirect(_)
                | Failure::Callback(_)
                | Failure::Unusable { .. }
                | Failure::Unanswered {
                    status: Some(..500),
                    ..
                }
                | Failure::Useless { .. }
                | Failure::Address(_)
                | Failure::IdToken { .. },
            )
            | FlowError::Discovery { .. } => FAILED,
            FlowError::Certificate(CertificateError {
                origin: Origin::Given,
                ..
            })
            | FlowError::KeyFile(_)
            | FlowError::ClientKey(_)
            | FlowError::Request(_) => USAGE,
            FlowError::Protocol(
                Failure::UsedUp { .. } | Failure::Unavailable { .. } | Failure::Unanswered { .. },
            ) => UNREACHABLE,
            FlowError::Http(error) => http_code(error),
            FlowError::Listen(_) | FlowError::Certificate(_) => LISTENER,
        }
    }
}
