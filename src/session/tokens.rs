//! The tokens of a sign-in, and which of them the user has copied or saved.

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
use crate::store::obtained::Obtained;

/// The kind of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// The access token.
    Access,
    /// The refresh token.
    Refresh,
    /// The ID token.
    Id,
}

impl Value {
    /// All kinds, in the order on screen.
    pub const ALL: [Self; 3] = [Self::Access, Self::Refresh, Self::Id];

    /// Returns the label on screen.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Access => "Access token",
            Self::Refresh => "Refresh token",
            Self::Id => "ID token",
        }
    }

    /// Returns the name of the member of a token response (RFC 6749, section 5.1).
    #[must_use]
    pub fn member(self) -> &'static str {
        match self {
            Self::Access => "access_token",
            Self::Refresh => "refresh_token",
            Self::Id => "id_token",
        }
    }

    /// Returns the name for use within a sentence.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Access => "access token",
            Self::Refresh => "refresh token",
            Self::Id => "ID token",
        }
    }
}

/// How a token has left the program, in ascending order of certainty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Taken {
    /// The token has not left the program.
    #[default]
    Not,
    /// The token was sent to the terminal's clipboard, which doesn't confirm receipt.
    Sent,
    /// The token was shown alone on the screen.
    Viewed,
    /// The token was copied for certain.
    Copied,
    /// The token was saved to a file or a profile.
    Saved,
    /// The token was revoked, so it need not be kept.
    Revoked,
}

impl Taken {
    /// Returns the word on screen.
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
    /// When the tokens arrived.
    pub at: Moment,
    /// The request, for use by a refresh.
    pub request: FlowRequest,
    /// The preset that was used for the request.
    pub preset: Arc<Preset>,
    /// The command that gets these tokens: the one of their profile, or one that fills in the same form.
    pub command: Option<String>,
    /// The form that was used for the request.
    pub settings: Settings,
    /// The name of the profile that contains the tokens.
    pub profile: Option<String>,
    /// The same tokens as a record contains them, with their dates and what they were issued for.
    pub obtained: Obtained,
    /// The steps of the run.
    pub steps: Vec<StepLine>,
    /// Notes about the run for the user, as sentences.
    pub notes: Vec<String>,
    /// The results of the checks of the run.
    pub checks: Vec<Check>,
    /// The claims of the ID token.
    pub claims: Option<Claims>,
    /// How each token has left the program.
    taken: [Taken; 3],
    /// The attempt that issued the tokens.
    pub attempt: AttemptId,
}

impl TokenState {
    /// Returns whether the signature of the ID token was verified.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        self.checks
            .iter()
            .any(|check| check.name == CheckName::Signature && check.outcome == Outcome::Passed)
    }

    /// Creates the state for tokens that have just arrived.
    #[must_use]
    pub(super) fn new(set: TokenSet, at: Moment, run: &Run, attempt: AttemptId) -> Self {
        let claims = set
            .id_token
            .as_ref()
            .and_then(|token| decode(token.expose_secret()));
        // Those of a device code are about signing in.
        let of_run = run.notes.iter().filter(|_| !run.request.kind.has_user());
        let notes = of_run.chain(&set.notes).cloned().collect();
        Self {
            obtained: Obtained::at_sign_in(&set, at.unix_time()),
            set,
            at,
            request: run.request.clone(),
            preset: Arc::clone(&run.preset),
            command: run.command.clone(),
            settings: run.settings.clone(),
            profile: None,
            steps: run.steps.clone(),
            notes,
            checks: run.checks.clone(),
            claims,
            taken: [Taken::Not; 3],
            attempt,
        }
    }

    /// Replaces the refresh token with the one that a failed refresh returned.
    pub(super) fn replace_refresh_token(&mut self, token: SecretString, now: Moment) {
        let tokens = &mut self.obtained.tokens;
        tokens.replace_refresh_token(token.clone(), now.unix_time());
        self.set.refresh_token = Some(token);
        self.taken[Value::Refresh as usize] = Taken::Not;
    }

    /// Returns the scheme before the token in an `Authorization` header.
    #[must_use]
    pub fn header(&self) -> &str {
        self.preset.tokens.header.as_deref().unwrap_or("Bearer")
    }

    /// Returns whether new tokens can be requested: with a refresh token that is not revoked, or in a flow without a user.
    #[must_use]
    pub fn can_refresh(&self) -> bool {
        let revoked = self.taken(Value::Refresh) == Taken::Revoked;
        self.set.refresh_token.is_some() && !revoked || !self.request.kind.has_user()
    }

    /// Returns the kinds of tokens that exist.
    #[must_use]
    pub fn values(&self) -> Vec<Value> {
        let mut all = Value::ALL.to_vec();
        all.retain(|value| self.secret(*value).is_some());
        all
    }

    /// Returns how a token has left the program.
    #[must_use]
    pub fn taken(&self, value: Value) -> Taken {
        self.taken[value as usize]
    }

    /// Records that a token has left the program.
    pub(super) fn took(&mut self, value: Value, how: Taken) {
        let taken = &mut self.taken[value as usize];
        *taken = how.max(*taken);
    }

    /// Records that all tokens have left the program.
    pub(super) fn took_all(&mut self, how: Taken) {
        for value in Value::ALL {
            self.took(value, how);
        }
    }

    /// Detaches the tokens from their profile, which no longer contains them.
    pub(super) fn leave_profile(&mut self) {
        if self.profile.take().is_some() {
            self.command = None;
            self.taken = [Taken::Not; 3];
        }
    }

    /// Returns the tokens that the user may not have and that quitting would lose.
    #[must_use]
    pub fn untaken(&self) -> Vec<Value> {
        let mut values = self.values();
        values.retain(|value| self.taken(*value) <= Taken::Sent);
        values
    }

    /// Copies the state of unchanged tokens: a refresh may leave a token as it was, so the user already has it.
    pub(super) fn keep_taken(&mut self, before: &Self) {
        for value in self.values() {
            let same = self.secret(value).zip(before.secret(value));
            if same.is_some_and(|(new, old)| secret::same(new, old.expose_secret())) {
                self.took(value, before.taken(value));
            }
        }
    }

    /// Returns a token.
    #[must_use]
    pub fn secret(&self, value: Value) -> Option<&SecretString> {
        match value {
            Value::Access => Some(&self.set.access_token),
            Value::Refresh => self.set.refresh_token.as_ref(),
            Value::Id => self.set.id_token.as_ref(),
        }
    }

    /// Returns how long the access token is valid from `now`; `None` if the service gave no lifetime.
    #[must_use]
    pub fn left(&self, now: Moment) -> Option<Duration> {
        let life = Duration::from_secs(self.set.expires_in?);
        Some((self.at.up + life).saturating_sub(now.up))
    }
}
