//! The tokens that were obtained.

use std::sync::Arc;
use std::time::Duration;

use super::clock::Moment;
use super::run::{Run, StepLine};
use crate::flow::attempt::AttemptId;
use crate::form::request::FlowRequest;
use crate::form::settings::Settings;
use crate::oauth::check::{Check, CheckName, Outcome};
use crate::oauth::id_token::{Claims, decode};
use crate::oauth::token::TokenSet;
use crate::presets::Preset;
use crate::secret::{self, ExposeSecret, SecretString};
use crate::store::record::IssuedFor;

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
    /// All of them, in the order of the screen.
    pub const ALL: [Self; 3] = [Self::Access, Self::Refresh, Self::Id];

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

/// How a token has left the program; what is more certain is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Taken {
    /// Not at all.
    #[default]
    Not,
    /// It was sent to the terminal's clipboard, and nobody confirms that it arrived.
    Sent,
    /// It was shown alone.
    Viewed,
    /// It was copied for certain.
    Copied,
    /// It was saved to a file.
    Saved,
    /// It was revoked, so there is nothing to keep.
    Revoked,
}

impl Taken {
    /// The word on screen.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Not => "",
            Self::Sent => "sent",
            Self::Viewed => "viewed",
            Self::Copied => "copied",
            Self::Saved => "saved",
            Self::Revoked => "revoked",
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
    /// The command that gives them: that of their profile, or one that fills in the form like this.
    pub command: Option<String>,
    /// The form that they were requested with.
    pub settings: Settings,
    /// The profile that they are in.
    pub profile: Option<String>,
    /// What the record of the profile says that they were issued for; `None` for tokens of this run.
    pub pins: Option<Box<IssuedFor>>,
    /// The steps of the run.
    pub steps: Vec<StepLine>,
    /// What the user should know about the run, as sentences.
    pub notes: Vec<String>,
    /// How the checks of the run came out.
    pub checks: Vec<Check>,
    /// The claims of the ID token.
    pub claims: Option<Claims>,
    /// How each of them has left the program.
    taken: [Taken; 3],
    /// The attempt that they came from.
    pub attempt: AttemptId,
}

impl TokenState {
    /// True if the signature of the ID token was verified.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        self.checks
            .iter()
            .any(|check| check.name == CheckName::Signature && check.outcome == Outcome::Passed)
    }

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
            command: run.command.clone(),
            settings: run.settings.clone(),
            profile: None,
            pins: None,
            steps: run.steps.clone(),
            // Those of a device code are about signing in.
            notes: if run.request.kind.has_user() {
                Vec::new()
            } else {
                run.notes.clone()
            },
            checks: run.checks.clone(),
            claims,
            taken: [Taken::Not; 3],
            attempt,
        }
    }

    /// The word before the token in an `Authorization` header.
    #[must_use]
    pub fn header(&self) -> &str {
        self.preset.tokens.header.as_deref().unwrap_or("Bearer")
    }

    /// True if new tokens can be requested: with a refresh token, or in a flow without a user.
    #[must_use]
    pub fn can_refresh(&self) -> bool {
        self.set.refresh_token.is_some() || !self.request.kind.has_user()
    }

    /// The tokens that there are.
    #[must_use]
    pub fn values(&self) -> Vec<Value> {
        let mut all = Value::ALL.to_vec();
        all.retain(|value| self.secret(*value).is_some());
        all
    }

    /// How a token has left the program.
    #[must_use]
    pub fn taken(&self, value: Value) -> Taken {
        self.taken[value as usize]
    }

    /// A token has left the program.
    pub(super) fn took(&mut self, value: Value, how: Taken) {
        let taken = &mut self.taken[value as usize];
        *taken = how.max(*taken);
    }

    /// All of them have left the program.
    pub(super) fn took_all(&mut self, how: Taken) {
        for value in Value::ALL {
            self.took(value, how);
        }
    }

    /// The profile that they were in is gone, and what it had with it.
    pub(super) fn leave_profile(&mut self) {
        if self.profile.take().is_some() {
            self.pins = None;
            self.command = None;
            self.taken = [Taken::Not; 3];
        }
    }

    /// The tokens that the user may not have, and that are lost at the end of the program.
    #[must_use]
    pub fn untaken(&self) -> Vec<Value> {
        let mut values = self.values();
        values.retain(|value| self.taken(*value) <= Taken::Sent);
        values
    }

    /// A refresh may leave a token as it was before, which the user then has already.
    pub(super) fn keep_taken(&mut self, before: &Self) {
        for value in self.values() {
            let same = self.secret(value).zip(before.secret(value));
            if same.is_some_and(|(new, old)| secret::same(new, old.expose_secret())) {
                self.took(value, before.taken(value));
            }
        }
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

    /// How long the access token is valid from `now` on; `None` if the service did not say.
    #[must_use]
    pub fn left(&self, now: Moment) -> Option<Duration> {
        let life = Duration::from_secs(self.set.expires_in?);
        Some((self.at.up + life).saturating_sub(now.up))
    }
}
