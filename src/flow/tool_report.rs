//! The result of a request about existing tokens.

use std::time::Duration;

use super::http_error::HttpError;
use crate::oauth::assertion::KeyFileError;
use crate::oauth::check::Check;
use crate::oauth::request::RequestError;
use crate::oauth::tool_answers::{Introspection, UserInfo};
use crate::oauth::tool_failure::ToolFailure;
use crate::oauth::tools::TokenKind;

/// The reason that there is no result.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// The service rejected the request, or its response is invalid.
    #[error(transparent)]
    Failure(#[from] ToolFailure),
    /// The service was not reached.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// A key or certificate file of the client can't be used.
    #[error(transparent)]
    ClientKey(#[from] KeyFileError),
    /// The request can't be built.
    #[error("The request can't be built: {0}.")]
    Request(#[from] RequestError),
    /// The program is exiting.
    #[error("The request was stopped.")]
    Stopped,
}

impl ToolError {
    /// Returns the cause, if it is known.
    #[must_use]
    pub fn cause(&self) -> Option<&'static str> {
        match self {
            Self::Failure(failure) => failure.cause(),
            Self::Http(_) | Self::ClientKey(_) | Self::Request(_) | Self::Stopped => None,
        }
    }

    /// Returns how to fix the problem.
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
            Self::Http(HttpError::Redirected { target, error, .. }) => {
                std::iter::once(target).chain(error).collect()
            }
            Self::Http(_) | Self::ClientKey(_) | Self::Request(_) | Self::Stopped => Vec::new(),
        }
    }
}

/// The result of revoking one token.
#[derive(Debug)]
pub struct Revoked {
    /// The kind of token.
    pub kind: TokenKind,
    /// The result of introspection after the service confirmed the revocation, or why the token wasn't revoked.
    pub outcome: Result<Verified, ToolError>,
}

impl Revoked {
    /// Returns whether the service confirmed the revocation and introspection doesn't contradict it.
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
    /// Introspection failed, for this reason (a sentence).
    Unknown(String),
}

/// The result of a task.
#[derive(Debug)]
pub enum Outcome {
    /// The result of a revocation, for each token that exists.
    Revoked(Vec<Revoked>),
    /// The result of an introspection.
    Introspected(Introspection),
    /// The user info.
    UserInfo(UserInfo),
    /// The verified signatures of the tokens that are JWTs.
    Verified {
        /// The check of the access token.
        access: Option<Check>,
        /// The check of the ID token.
        id: Option<Check>,
    },
}

/// The result of a task, and how long it took.
#[derive(Debug)]
pub struct Told {
    /// The result.
    pub outcome: Result<Outcome, ToolError>,
    /// Time from the first request to the last response.
    pub took: Duration,
}

impl Told {
    /// Returns the texts that may repeat input from outside.
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
            // The tokens are already redacted. The user's claims may look like secrets, but the user requested them.
            Ok(Outcome::Introspected(_) | Outcome::UserInfo(_)) => Vec::new(),
            Ok(Outcome::Verified { access, id }) => {
                let checks = access.iter_mut().chain(id);
                checks.map(|check| &mut check.detail).collect()
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;
    use crate::oauth::tools::Tool;

    #[test]
    fn tool_error_has_cause_and_hint_of_the_failure() {
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
