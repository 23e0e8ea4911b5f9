//! The task in progress, and its messages. There is at most one.

use url::Url;

use super::run::Run;
use crate::form::choices::Overwrite;
use crate::oauth::tools::{TokenKind, Tool};

/// What is in progress.
#[derive(Debug)]
pub enum Work {
    /// A discovery, and what of the form it overwrites.
    Discovering(Overwrite),
    /// A registration at this endpoint.
    Registering(Url),
    /// A sign-in.
    SigningIn(Box<Run>),
    /// A refresh of the tokens.
    Refreshing(Box<Run>),
    /// The keeper of a profile refreshes its tokens; it is only waited for here.
    RefreshingProfile,
    /// The tokens of a profile are revoked, and removed from it.
    RevokingProfile,
    /// A question to the service about a token.
    Asking(Tool, TokenKind),
    /// Tests of mail servers.
    TestingMail,
}

impl Work {
    /// True if a sign-in or a discovery may take its place. A refresh that is cut off could lose the refresh token, and nobody
    /// would know what became of a revocation or a registration.
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

    /// Why something else has to wait, and what to do.
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

    /// The message after it was canceled.
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

    /// What a flow reports goes in here.
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
