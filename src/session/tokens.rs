//! The tokens that were obtained.

use std::sync::Arc;
use std::time::Duration;

use super::clock::Moment;
use super::run::Run;
use crate::flow::attempt::AttemptId;
use crate::form::request::FlowRequest;
use crate::oauth::check::Check;
use crate::oauth::id_token::{Claims, decode};
use crate::oauth::token::TokenSet;
use crate::presets::Preset;
use crate::secret::{ExposeSecret, SecretString};

/// One of the tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// The bearer token.
    Access,
    /// The refresh token.
    Refresh,
    /// The ID token.
    Id,
}

impl Value {
    /// The label on screen.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Access => "Access token",
            Self::Refresh => "Refresh token",
            Self::Id => "ID token",
        }
    }

    /// The name within a sentence.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Access => "access token",
            Self::Refresh => "refresh token",
            Self::Id => "ID token",
        }
    }
}

/// Tokens, how they were obtained, and whether the user has them.
#[derive(Debug)]
pub struct TokenState {
    /// The tokens.
    pub set: TokenSet,
    /// When they came.
    pub at: Moment,
    /// What was requested, for the refresh.
    pub request: FlowRequest,
    /// The preset that they came by.
    pub preset: Arc<Preset>,
    /// How the checks of the run came out.
    pub checks: Vec<Check>,
    /// The claims of the ID token, not verified.
    pub claims: Option<Claims>,
    /// They were copied for certain, saved, or shown alone.
    pub taken: bool,
    /// The attempt that they came from.
    pub attempt: AttemptId,
}

impl TokenState {
    /// Tokens that have just come.
    #[must_use]
    pub(super) fn new(set: TokenSet, at: Moment, run: &Run, attempt: AttemptId) -> Self {
        let claims = set
            .id_token
            .as_ref()
            .and_then(|token| decode(token.expose_secret()));
        Self {
            set,
            at,
            request: run.request.clone(),
            preset: Arc::clone(&run.preset),
            checks: run.checks.clone(),
            claims,
            taken: false,
            attempt,
        }
    }

    /// The word before the token in an `Authorization` header.
    #[must_use]
    pub fn header(&self) -> &str {
        self.preset.tokens.header.as_deref().unwrap_or("Bearer")
    }

    /// The tokens that there are.
    #[must_use]
    pub fn values(&self) -> Vec<Value> {
        [Value::Access, Value::Refresh, Value::Id]
            .into_iter()
            .filter(|value| self.secret(*value).is_some())
            .collect()
    }

    /// A token.
    #[must_use]
    pub fn secret(&self, value: Value) -> Option<&SecretString> {
        match value {
            Value::Access => Some(&self.set.access_token),
            Value::Refresh => self.set.refresh_token.as_ref(),
            Value::Id => self.set.id_token.as_ref(),
        }
    }

    /// How long the access token is valid from `now` on; `None` where the service did not say.
    #[must_use]
    pub fn left(&self, now: Moment) -> Option<Duration> {
        let life = Duration::from_secs(self.set.expires_in?);
        Some((self.at.up + life).saturating_sub(now.up))
    }
}
