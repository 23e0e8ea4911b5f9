//! What is under way, and what is said about it. One thing at a time.

use super::run::Run;
use crate::form::choices::Overwrite;

/// What is under way.
#[derive(Debug)]
pub enum Work {
    /// A discovery, and what of the form it overwrites.
    Discovering(Overwrite),
    /// A sign-in.
    SigningIn(Box<Run>),
    /// A refresh of the tokens.
    Refreshing(Box<Run>),
}

impl Work {
    /// True where a sign-in or a discovery may take its place. A refresh that is cut off could lose the refresh token.
    #[must_use]
    pub fn gives_way(&self) -> bool {
        !matches!(self, Self::Refreshing(_))
    }

    /// Why something else has to wait, and what to do.
    #[must_use]
    pub fn in_the_way(&self) -> &'static str {
        match self {
            Self::Discovering(_) => {
                "The issuer's metadata is being requested. Wait for it, or press Esc in the form to cancel it."
            }
            Self::SigningIn(_) => {
                "A sign-in is in progress. Wait for it, or press Esc to cancel it."
            }
            Self::Refreshing(_) => {
                "A refresh is in progress. Wait for it, or press Esc on the tokens screen to cancel it."
            }
        }
    }

    /// What is said once it was canceled.
    #[must_use]
    pub fn canceled(&self) -> &'static str {
        match self {
            Self::Discovering(_) => "The discovery was canceled.",
            Self::SigningIn(_) => "The sign-in was canceled.",
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
            Self::Discovering(_) => None,
        }
    }
}
