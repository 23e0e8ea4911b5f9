//! The result of a request about existing tokens.

use std::time::Duration;

use super::http::HttpError;
use crate::oauth::assertion::KeyFileError;
use crate::oauth::check::Check;
use crate::oauth::client::RequestError;
use crate::oauth::tool_answers::{Introspection, ToolFailure, UserInfo};
use crate::oauth::tools::TokenKind;

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// The service rejected the request, or its response is invalid.
    #[error(transparent)]
    Failure(#[from] ToolFailure),
    /// The service was not reached.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// A file of the client can't be used.
    #[error(transparent)]
    ClientKey(#[from] KeyFileError),
    /// The request can't be built.
    #[error("The request can't be built: {0}.")]
    Request(#[from] RequestError),
    /// The program is ending.
    #[error("The request was stopped.")]
    Stopped,
}

impl ToolError {
    /// The cause, if it is known.
    #[must_use]
    pub fn cause(&self) -> Option<&'static str> {
        match self {
            Self::Failure(failure) => failure.cause(),
            Self::Http(_) | Self::ClientKey(_) | Self::Request(_) | Self::Stopped => None,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &str {
        match self {
            Self::Failure(failure) => failure.hint(),
            Self::Http(error) => error.hint(),
            Self::ClientKey(error) => error.hint(),
            Self::Request(_) => "Check the URLs in the settings.",
            Self::Stopped => "Try again.",
        }
    }

    fn texts(&mut self) -> Vec<&mut String> {
        match self {
            Self::Failure(failure) => failure.texts(),
            Self::Http(HttpError::Redirected { target, .. }) => vec![target],
            Self::Http(_) | Self::ClientKey(_) | Self::Request(_) | Self::Stopped => Vec::new(),
        }
    }
}

/// What became of one token.
#[derive(Debug)]
pub struct Revoked {
    /// The token.
    pub kind: TokenKind,
    /// The service says that it is revoked, and what introspection says.
    pub outcome: Result<Verified, ToolError>,
}

impl Revoked {
    /// The service says that it is revoked, and introspection doesn't say otherwise.
    #[must_use]
    pub fn is_revoked(&self) -> bool {
        matches!(&self.outcome, Ok(verified) if *verified != Verified::StillActive)
    }
}

/// What introspection says about a revoked token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verified {
    /// It is no longer active.
    Inactive,
    /// It is still active.
    StillActive,
    /// There is no introspection endpoint.
    NotOffered,
    /// Introspection failed: a sentence.
    Unknown(String),
}

/// The result of a task.
#[derive(Debug)]
pub enum Outcome {
    /// Of a revocation: each token that there was.
    Revoked(Vec<Revoked>),
    /// Of an introspection.
    Introspected(Introspection),
    /// The user info.
    UserInfo(UserInfo),
    /// Of the signatures of the tokens that are JWTs.
    Verified {
        /// Of the access token.
        access: Option<Check>,
        /// Of the ID token.
        id: Option<Check>,
    },
}

/// A result, and how long the service took for it.
#[derive(Debug)]
pub struct Told {
    /// The result.
    pub outcome: Result<Outcome, ToolError>,
    /// From the first request to the last response.
    pub took: Duration,
}

impl Told {
    /// The texts in it that may repeat what came from outside.
    pub(super) fn texts(&mut self) -> Vec<&mut String> {
        match &mut self.outcome {
            Err(error) => error.texts(),
            Ok(Outcome::Revoked(tokens)) => tokens
                .iter_mut()
                .flat_map(|token| match &mut token.outcome {
                    Ok(Verified::Unknown(text)) => vec![text],
                    Ok(_) => Vec::new(),
                    Err(error) => error.texts(),
                })
                .collect(),
            // Only the tokens are redacted: the user's claims may look random, but they were requested.
            Ok(Outcome::Introspected(_) | Outcome::UserInfo(_)) => Vec::new(),
            Ok(Outcome::Verified { access, id }) => {
                let checks = access.iter_mut().chain(id);
                checks.map(|check| &mut check.detail).collect()
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends on what it did not expect")]
mod tests {
    use super::*;
    use crate::oauth::tools::Tool;

    #[test]
    fn an_error_has_the_cause_and_the_hint_of_what_failed() {
        let failure = ToolFailure::Refused {
            tool: Tool::UserInfo,
            status: 401,
            error: None,
            public: false,
        };
        let error = ToolError::from(failure.clone());
        assert!(error.cause().unwrap().contains("has expired"));
        assert_eq!(
            (error.cause(), error.hint()),
            (failure.cause(), failure.hint())
        );
        let late = || HttpError::TimedOut {
            host: "as.example".to_owned(),
        };
        let request = RequestError::NO_TOKEN;
        for (error, hint) in [
            (ToolError::from(late()), late().hint()),
            (request.into(), "Check the URLs in the settings."),
            (ToolError::Stopped, "Try again."),
        ] {
            assert_eq!((error.cause(), error.hint()), (None, hint));
        }
    }
}
