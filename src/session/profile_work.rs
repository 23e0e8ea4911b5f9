//! Opens and refreshes profiles, without access to files.

use std::sync::Arc;

use super::clock::Moment;
use super::event::{Refreshed, Refused, SessionEvent};
use super::mail::Mail;
use super::profiles::{
    OpenProfile, Opened, Opening, ProfileNews, ProfileReport, ProfileTask, Stored,
};
use super::run::{Ended, Run};
use super::tokens::{Taken, TokenState};
use super::work::Work;
use super::{Session, command};
use crate::flow::attempt::AttemptId;
use crate::flow::tool_report::{Outcome, Revoked, Told};
use crate::flow::trace::Trace;
use crate::form::choices::Browser;
use crate::form::field::{Access, Key};
use crate::form::request;
use crate::form::settings::Settings;
use crate::oauth::tools::{TokenKind, Tool};
use crate::profile::name::ProfileName;
use crate::profile::places::{Owner, Place};
use crate::secret::{self, ExposeSecret};

impl Session {
    /// Returns the name of the profile that is open in the form.
    #[must_use]
    pub fn profile(&self) -> Option<&ProfileName> {
        Some(&self.profiles.open.as_ref()?.place.name)
    }

    /// Returns whether the form has changes that are not in the open profile.
    #[must_use]
    pub fn has_unsaved_changes(&self) -> bool {
        let open = self.profiles.open.as_ref();
        open.is_some_and(|open| open.differs(&self.settings))
    }

    /// Returns the value of a field in the open profile, if it differs from the form.
    #[must_use]
    pub fn saved_value(&self, key: Key) -> Option<String> {
        let saved = &self.profiles.open.as_ref()?.saved;
        let same_preset = saved.preset().id == self.settings.preset().id;
        let different = match key {
            Key::ClientSecret => {
                !secret::same(saved.secret(), self.settings.secret().expose_secret())
            }
            // A field of another preset, or one that follows from other fields, is not a change by the user.
            _ if key != Key::Preset && self.settings.access(key) != Access::Editable => false,
            _ if !same_preset && key != Key::Preset => false,
            _ => saved.value(key).trim() != self.settings.value(key).trim(),
        };
        different.then(|| saved.value(key))
    }

    /// Returns the task to read the list of profiles; `None` if there is no folder for them.
    #[must_use]
    pub fn list_profiles(&self) -> Option<ProfileTask> {
        self.profiles.places.clone().map(ProfileTask::List)
    }

    /// Returns the task to open a profile of the list.
    ///
    /// # Errors
    /// Returns an error if a task is in progress.
    pub fn open_profile(
        &self,
        place: &Place,
        opening: Opening,
        browser: Browser,
    ) -> Result<ProfileTask, Refused> {
        if let Some(work) = self.work() {
            return Err(Refused::Busy(work.in_the_way()));
        }
        Ok(ProfileTask::Open(place.clone(), opening, browser))
    }

    /// Returns the task to read the tokens of the open profile.
    #[must_use]
    pub fn load_profile_tokens(&self) -> Option<ProfileTask> {
        let place = self.profiles.open.as_ref()?.place.clone();
        Some(ProfileTask::Open(place, Opening::Tokens, Browser::Here))
    }

    /// Returns the task to refresh the tokens through the keeper of their profile; `None` if they are not in a profile.
    pub fn refresh_profile(&mut self) -> Option<Result<ProfileTask, Refused>> {
        let tokens = self.tokens.as_ref()?;
        tokens.profile.as_ref()?;
        let open = self.profiles.open.as_ref()?;
        let (place, version) = (open.place.clone(), open.version.clone()?);
        if let Some(work) = self.work() {
            return Some(Err(Refused::Busy(work.in_the_way())));
        }
        let attempt = self.attempts.begin();
        self.work = Some((attempt, Work::RefreshingProfile));
        self.failed = None;
        Some(Ok(ProfileTask::Refresh(place, attempt, version)))
    }

    /// Returns the task to revoke the tokens of their profile; `None` if they are not in a profile.
    pub fn revoke_profile(&mut self) -> Option<Result<ProfileTask, Refused>> {
        self.tokens.as_ref()?.profile.as_ref()?;
        let place = self.profiles.open.as_ref()?.place.clone();
        if let Some(work) = self.work() {
            return Some(Err(Refused::Busy(work.in_the_way())));
        }
        let attempt = self.attempts.begin();
        self.work = Some((attempt, Work::RevokingProfile));
        Some(Ok(ProfileTask::Revoke(place, attempt)))
    }

    /// Processes the report of a task.
    pub fn hear_profile(&mut self, report: ProfileReport, now: Moment) -> SessionEvent {
        SessionEvent::Profile(match report {
            ProfileReport::Listed(list) => {
                self.profiles.list = Some(list);
                ProfileNews::Listed
            }
            ProfileReport::Opened(Ok(opened), opening) => self.opened(*opened, opening, now),
            ProfileReport::Opened(Err(_), Opening::Tokens) => ProfileNews::Nothing,
            ProfileReport::Opened(Err(error), _)
            | ProfileReport::Deleted(_, Err(error))
            | ProfileReport::Renamed(_, Err(error)) => ProfileNews::Failed(error),
            ProfileReport::Saved(task, outcome) => self.save_ended(*task, outcome),
            ProfileReport::Refreshed(place, attempt, outcome) => {
                return self.refreshed(&place, attempt, outcome, now);
            }
            ProfileReport::Revoked(place, attempt, outcome) => {
                return self.revoked(&place, attempt, outcome);
            }
            ProfileReport::Checked(place, forecast) => ProfileNews::Checked(place, forecast),
            ProfileReport::Deleted(place, Ok(revoked)) => {
                if self.is_open(&place) {
                    self.close_profile();
                    self.took_revoked(&revoked);
                }
                let revoked = if revoked.iter().any(Revoked::is_revoked) {
                    " Its tokens were revoked."
                } else {
                    ""
                };
                ProfileNews::Done(
                    "Deleted",
                    format!("the profile \"{}\".{revoked}", place.name),
                )
            }
            ProfileReport::Renamed(place, Ok(to)) => {
                let text = format!("\"{}\" to \"{}\".", place.name, to.name);
                if self.is_open(&place) {
                    self.in_profile(&to);
                    if let Some(open) = &mut self.profiles.open {
                        open.place = to;
                    }
                }
                ProfileNews::Done("Renamed", text)
            }
        })
    }

    /// Closes the open profile, which was deleted. Its tokens are in no profile from now on.
    pub(super) fn close_profile(&mut self) {
        self.profiles.open = None;
        if let Some(tokens) = &mut self.tokens {
            tokens.leave_profile();
        }
    }

    fn is_open(&self, place: &Place) -> bool {
        let open = self.profiles.open.as_ref();
        open.is_some_and(|open| open.place.is(place))
    }

    fn opened(&mut self, opened: Opened, opening: Opening, now: Moment) -> ProfileNews {
        if opening == Opening::Tokens {
            // Don't replace the tokens of a sign-in that ended in the meantime.
            let own = self.tokens.as_ref();
            let replaceable = own.is_none_or(|tokens| tokens.profile.is_some());
            if let Some(open) = &mut self.profiles.open
                && open.place.is(&opened.place)
            {
                open.mail = opened.mail;
            }
            return match opened.tokens {
                Some(stored) if self.is_open(&opened.place) && replaceable => {
                    if self.work.is_some() {
                        return ProfileNews::Nothing;
                    }
                    let saved = self.profiles.open.as_ref().map(|open| open.saved.clone());
                    self.take_stored(stored, saved.unwrap_or(opened.settings), now);
                    ProfileNews::Tokens
                }
                // A profile with tokens that can't be used says why.
                _ => match opened.notice {
                    Some(notice) if self.is_open(&opened.place) => ProfileNews::Failed(notice),
                    _ => ProfileNews::Nothing,
                },
            };
        }
        if let Some(work) = self.work() {
            return ProfileNews::Failed(work.in_the_way().to_owned());
        }
        let before = std::mem::replace(&mut *self.settings, opened.settings.clone());
        if self.profiles.open.is_none() {
            self.settings.keep_entries_of(before);
        }
        self.tokens = None;
        self.failed = None;
        self.trace = Trace::default();
        self.profiles.draft = None;
        self.profiles.open = Some(OpenProfile {
            place: opened.place,
            saved: opened.settings.clone(),
            version: None,
            mail: opened.mail,
        });
        self.mail = Mail::default();
        if let Some(stored) = opened.tokens {
            self.take_stored(stored, opened.settings, now);
        }
        let mut notice = opened.notice;
        if opening == Opening::MailTest && self.tokens.is_none() {
            notice
                .get_or_insert_with(|| "The profile has no tokens. Press a to sign in.".to_owned());
        }
        ProfileNews::Opened(opening, notice)
    }

    /// Adopts the tokens of the open profile. Returns whether they changed.
    fn take_stored(&mut self, stored: Stored, settings: Settings, now: Moment) -> bool {
        let known = self
            .profiles
            .open
            .as_ref()
            .and_then(|open| open.version.as_ref());
        if known == Some(&stored.version) && self.tokens.is_some() {
            return false;
        }
        let Ok(request) = request::request(&settings) else {
            return false;
        };
        let Some(open) = &mut self.profiles.open else {
            return false;
        };
        let place = open.place.clone();
        open.version = Some(stored.version);
        let preset = Arc::clone(settings.preset());
        let run = Run::new(request, preset, None, settings);
        let attempt = self.attempts.begin();
        let mut tokens = TokenState::new(stored.set, now, &run, attempt);
        if let Some(before) = self.tokens.take() {
            tokens.checks = before.checks;
        }
        tokens.took_all(Taken::Saved);
        tokens.obtained = stored.obtained;
        self.tokens = Some(tokens);
        self.in_profile(&place);
        true
    }

    /// Records that the tokens are in this profile.
    pub(super) fn in_profile(&mut self, place: &Place) {
        if let Some(tokens) = &mut self.tokens {
            tokens.profile = Some(place.name.to_string());
            tokens.command = token_command(place);
        }
    }

    /// Processes the result of a revocation, even if it was canceled: revoked tokens must not look usable.
    fn revoked(
        &mut self,
        place: &Place,
        attempt: AttemptId,
        outcome: Result<Box<Told>, String>,
    ) -> SessionEvent {
        let _ = self.work.take_if(|(id, _)| *id == attempt);
        match outcome {
            Ok(told) => {
                if let Ok(Outcome::Revoked(revoked)) = &told.outcome
                    && self.is_open(place)
                {
                    self.took_revoked(revoked);
                }
                SessionEvent::Told(Tool::Revocation, TokenKind::Refresh, told)
            }
            Err(error) => SessionEvent::Profile(ProfileNews::Failed(error)),
        }
    }

    fn refreshed(
        &mut self,
        place: &Place,
        attempt: AttemptId,
        outcome: Result<Box<Stored>, Box<Ended>>,
        now: Moment,
    ) -> SessionEvent {
        let waited = self.work.take_if(|(id, _)| *id == attempt).is_some();
        let nothing = SessionEvent::Profile(ProfileNews::Nothing);
        let in_profile = self.tokens.as_ref().is_some_and(|it| it.profile.is_some());
        match outcome {
            Err(ended) if waited => SessionEvent::RefreshFailed(*ended),
            // Adopt the tokens even if the refresh was canceled: the screen must not show older ones than are stored.
            Ok(stored) if in_profile && self.is_open(place) => {
                let tokens = self.tokens.as_ref();
                let has_user = tokens.is_none_or(|tokens| tokens.request.kind.has_user());
                let settings = tokens.map(|tokens| tokens.settings.clone());
                let settings = settings.unwrap_or_else(|| self.settings.clone());
                let mut stored = *stored;
                let unstored = stored.unstored.take();
                self.take_stored(stored, settings, now);
                if let Some(why) = unstored {
                    // The tokens exist nowhere else. The user can copy them, or save them once the store works again.
                    if let Some(tokens) = &mut self.tokens {
                        tokens.leave_profile();
                    }
                    return SessionEvent::Tokens {
                        refreshed: Some(Refreshed::Unstored(why)),
                    };
                }
                if waited {
                    let what = if has_user {
                        "Refresh token"
                    } else {
                        "Access token"
                    };
                    let told = format!("{what}: stored in \"{}\".", place.name);
                    SessionEvent::Tokens {
                        refreshed: Some(Refreshed::Fine(told)),
                    }
                } else {
                    SessionEvent::Profile(ProfileNews::Tokens)
                }
            }
            _ => nothing,
        }
    }
}

/// Returns the command that prints a valid token of a profile.
#[must_use]
pub fn token_command(place: &Place) -> Option<String> {
    let mut words = vec!["token".to_owned(), place.name.to_string()];
    if place.owner == Owner::Named {
        let folder = place.settings_folder().to_str()?.to_owned();
        words.extend(["--profiles".to_owned(), folder]);
    }
    command(&words)
}
