//! The task in progress, and its messages. There is at most one.

use url::Url;

use super::run::Run;
use crate::form::choices::Overwrite;
use crate::oauth::tools::{TokenKind, Tool};

/// A task in progress.
#[derive(Debug)]
pub enum Work {
    /// A discovery, with the fields of the form that it overwrites.
    Discovering(Overwrite),
    /// A registration at this endpoint.
    Registering(Url),
    /// A sign-in.
    SigningIn(Box<Run>),
    /// A refresh of the tokens.
    Refreshing(Box<Run>),
    /// A refresh of a profile's tokens by its keeper; the session only waits for it.
    RefreshingProfile,
    /// A revocation of a profile's tokens, which also removes them from the profile.
    RevokingProfile,
    /// A request about a token.
    Asking(Tool, TokenKind),
    /// Tests of mail servers.
    TestingMail,
}

impl Work {
    /// Returns whether a sign-in or a discovery may replace this task. Stopping a refresh could lose the refresh token,
    /// and the result of a revocation or registration would stay unknown.
    #[must_use]
    pub fn gives_way(&self) -> bool {
        !matches!(
            self,
            Self::Refreshing(_)
                | Self::RefreshingProfile
                | Self::RevokingProfile
                | Self::Registering(_)
                | Self::Asking(Tool::Revocation, _)
        )
    }

    /// Returns why other tasks have to wait, and what to do.
    #[must_use]
    pub fn in_the_way(&self) -> &'static str {
        match self {
            Self::Discovering(_) => {
                "The issuer's metadata is being requested. Wait for it, or press Esc in the form to cancel it."
            }
            Self::Registering(_) => {
                "A registration is in progress. Wait for it, or press Esc in the form to cancel it."
            }
            Self::SigningIn(_) => {
                "A sign-in is in progress. Wait for it, or press Esc to cancel it."
            }
            Self::Refreshing(_) | Self::RefreshingProfile => {
                "A refresh is in progress. Wait for it, or press Esc on the tokens screen to cancel it."
            }
            Self::RevokingProfile | Self::Asking(Tool::Revocation, _) => {
                "A revocation is in progress. Wait for it, or press Esc on the tokens screen to cancel it."
            }
            Self::TestingMail => {
                "A mail test is in progress. Wait for it, or press Esc on its screen to cancel it."
            }
            Self::Asking(..) => {
                "A request about the tokens is in progress. Wait for it, or press Esc on the tokens screen to cancel it."
            }
        }
    }

    /// Returns the message after the task was canceled.
    #[must_use]
    pub fn canceled(&self) -> &'static str {
        match self {
            Self::Discovering(_) => "The discovery was canceled.",
            Self::Registering(_) => {
                "The registration was canceled. The service may have already registered this program."
            }
            Self::SigningIn(_) => "The sign-in was canceled.",
            Self::Asking(Tool::Revocation, _) => {
                "The revocation was canceled. The service may have already revoked the tokens. If they no longer work, sign in again."
            }
            Self::Asking(..) => "The request was canceled.",
            Self::TestingMail => "The mail test was canceled.",
            Self::RevokingProfile => {
                "The revocation continues in the background, and revoked tokens are removed from the profile."
            }
            Self::RefreshingProfile => {
                "The refresh continues in the background, and its tokens are saved in the profile."
            }
            Self::Refreshing(run) if !run.request.kind.has_user() => {
                "The request was canceled. Your current token is kept."
            }
            Self::Refreshing(_) => {
                "The refresh was canceled. The service may have already replaced the refresh token: if the next refresh is \
                    rejected, sign in again."
            }
        }
    }

    /// Returns the run that processes the events of a flow.
    pub(super) fn run_mut(&mut self) -> Option<&mut Run> {
        match self {
            Self::SigningIn(run) | Self::Refreshing(run) => Some(run),
            Self::Discovering(_)
            | Self::Registering(_)
            | Self::RefreshingProfile
            | Self::RevokingProfile
            | Self::Asking(..)
            | Self::TestingMail => None,
        }
    }
}
