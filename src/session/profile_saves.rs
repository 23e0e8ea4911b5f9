//! Saves profiles, without access to files.

use super::Session;
use super::event::Refused;
use super::profiles::{
    OpenProfile, ProfileNews, ProfileTask, SaveChoice, SaveTask, Saved, TokensToSave, Unsaved, same,
};
use super::tokens::{Taken, TokenState};
use crate::form::request;
use crate::form::settings::Settings;
use crate::profile::name::ProfileName;
use crate::profile::places::Owner;
use crate::profile::saved_tokens::SavedTokens;

impl Session {
    /// Returns whether the form, or the settings that the tokens were issued for, can be saved as a profile. The demo
    /// can't: its server ends with the program.
    #[must_use]
    pub fn can_save_profile(&self, from_tokens: bool) -> bool {
        let settings = self.settings_to_save(from_tokens);
        self.profiles.places.is_some() && !settings.preset().embedded_server
    }

    /// Returns the tokens to be saved together with the settings. A save from the form includes them only if they were
    /// issued for the settings in the form; with `from_tokens`, a save from the tokens screen always does.
    #[must_use]
    pub fn tokens_to_save(&self, from_tokens: bool) -> Option<&TokenState> {
        let tokens = self.tokens.as_ref()?;
        (from_tokens || same(&tokens.settings, &self.settings)).then_some(tokens)
    }

    /// Returns the settings to be saved: those in the form, or those that the tokens were issued for.
    #[must_use]
    pub fn settings_to_save(&self, from_tokens: bool) -> &Settings {
        let tokens = self.tokens.as_ref().filter(|_| from_tokens);
        tokens.map_or(&self.settings, |tokens| &tokens.settings)
    }

    /// Returns the task to save the form, or the tokens with the settings that they were issued for, under a name.
    ///
    /// # Errors
    /// Returns an error if the form is incomplete, or another profile is being saved.
    pub fn save_profile(
        &mut self,
        name: ProfileName,
        choice: SaveChoice,
    ) -> Result<ProfileTask, Refused> {
        let task = self.save_task(name, choice)?;
        Ok(ProfileTask::Save(Box::new(task)))
    }

    fn save_task(&mut self, name: ProfileName, choice: SaveChoice) -> Result<SaveTask, Refused> {
        let SaveChoice {
            from_tokens,
            machine,
            account,
            replace,
            with_tokens,
            with_secret,
            store,
        } = choice;
        let places = self.profiles.places.clone().ok_or(Refused::NoFolder)?;
        if !self.can_save_profile(from_tokens) {
            return Err(Refused::Demo);
        }
        if self.profiles.saving {
            return Err(Refused::Busy("The profile is still being saved."));
        }
        let tokens = self.tokens_to_save(from_tokens);
        let mut request = match tokens {
            Some(tokens) if from_tokens => tokens.request.clone(),
            _ => request::request(&self.settings).map_err(Refused::Form)?,
        };
        if !with_secret {
            request.client.secret = None;
        }
        let tokens = tokens.filter(|_| with_tokens);
        let open = self.profiles.open.as_ref().filter(|open| {
            open.place.name.as_str() == name.as_str()
                && (open.place.owner == Owner::Machine) == machine
        });
        let of_profile = tokens.is_some_and(|tokens| tokens.profile.is_some());
        let known = open
            .filter(|_| of_profile)
            .and_then(|open| open.version.clone());
        let task = SaveTask {
            name,
            places,
            machine,
            account,
            replace,
            settings: self.settings_to_save(from_tokens).clone(),
            request,
            tokens: tokens.map(|tokens| TokensToSave {
                obtained: tokens.obtained.clone(),
                attempt: tokens.attempt,
            }),
            known,
            opened: None,
            store,
        };
        self.profiles.saving = true;
        Ok(task)
    }

    /// Returns whether to ask for the name of the profile before the tokens are saved. They belong in the open profile if
    /// they are in none yet, and were issued for its settings or for those in the form.
    #[must_use]
    pub fn asks_for_profile(&self) -> bool {
        let (Some(tokens), Some(open)) = (&self.tokens, &self.profiles.open) else {
            return true;
        };
        let fit = !open.differs(&tokens.settings) || same(&self.settings, &tokens.settings);
        tokens.profile.is_some() || !fit
    }

    /// Saves the form to the open profile, with tokens that are in no profile yet; returns `None` if none is open.
    pub fn save_open_profile(&mut self, from_tokens: bool) -> Option<Result<ProfileTask, Refused>> {
        let open = self.profiles.open.as_ref()?;
        let (name, machine) = (open.place.name.clone(), open.place.owner == Owner::Machine);
        let opened = Some(open.saved.clone());
        // Tokens of a profile are left out: its record may be newer than the tokens on screen.
        let fresh = self
            .tokens_to_save(from_tokens)
            .is_some_and(|tokens| tokens.profile.is_none());
        let choice = SaveChoice {
            from_tokens,
            machine,
            account: None,
            replace: true,
            with_tokens: fresh,
            with_secret: true,
            store: None,
        };
        let task = self.save_task(name, choice);
        Some(task.map(|task| ProfileTask::Save(Box::new(SaveTask { opened, ..task }))))
    }

    /// Processes the result of a save.
    pub(super) fn save_ended(
        &mut self,
        task: SaveTask,
        outcome: Result<Saved, Unsaved>,
    ) -> ProfileNews {
        self.profiles.saving = false;
        match outcome {
            Ok(saved) => {
                if let Some(registered) = &mut self.registration {
                    registered.took_by_profile(&task.request.client);
                }
                self.saved(task, saved)
            }
            Err(Unsaved::Exists) => ProfileNews::Exists,
            Err(Unsaved::Gone(reason)) => {
                self.close_profile();
                not_saved(&task.name, &reason)
            }
            Err(Unsaved::Failed(reason)) => not_saved(&task.name, &reason),
        }
    }

    fn saved(&mut self, task: SaveTask, saved: Saved) -> ProfileNews {
        let Saved {
            place,
            version,
            tokens: kept,
        } = saved;
        let with_tokens = task.tokens.is_some();
        // Tokens that were not saved, because the profile has newer ones, are no longer those of the profile.
        let of = task.tokens.as_ref().map(|tokens| tokens.attempt);
        let of = of.filter(|_| kept == SavedTokens::Fine);
        let same = self
            .tokens
            .as_mut()
            .filter(|tokens| of == Some(tokens.attempt));
        let name = place.name.clone();
        let stored = same.is_some();
        if let Some(tokens) = same {
            tokens.took_all(Taken::Saved);
        } else if let Some(tokens) = &mut self.tokens
            && self
                .profiles
                .open
                .as_ref()
                .is_none_or(|open| !open.place.is(&place))
        {
            // The tokens are in another profile than the one that is open from now on.
            tokens.profile = None;
        }
        let before = self.profiles.open.take();
        let same_place = before.as_ref().filter(|open| open.place.is(&place));
        let mail = same_place.map_or_else(Vec::new, |open| open.mail.clone());
        let version = if of.is_some() {
            version.filter(|_| stored)
        } else {
            before
                .filter(|open| open.place.is(&place))
                .and_then(|open| open.version)
        };
        self.profiles.draft = None;
        self.profiles.open = Some(OpenProfile {
            place: place.clone(),
            saved: task.settings,
            version,
            mail,
        });
        if stored {
            self.in_profile(&place);
        }
        ProfileNews::Saved(name, with_tokens, kept)
    }
}

fn not_saved(name: &ProfileName, reason: &str) -> ProfileNews {
    ProfileNews::NotSaved(format!("The profile \"{name}\" was not saved. {reason}"))
}
