//! Loads a profile with all that a refresh needs: its settings, its request, and where its tokens may be sent.

use crate::form::choices::Browser;
use crate::form::field::Key;
use crate::form::request::{FlowRequest, request};
use crate::form::settings::Settings;
use crate::oauth::assertion::Credential;
use crate::oauth::jose::Algorithm;
use crate::outcome::exit;
use crate::presets::Library;
use crate::profile::finding;
use crate::profile::issued_for::{difference, issued_for};
use crate::profile::places::Place;
use crate::profile::settings_file::{SettingsError, SettingsFile};
use crate::secret::{ExposeSecret, SecretString};
use crate::store::attempt::Outcome;
use crate::store::issued_for::{Client, IssuedFor};
use crate::store::private::PrivateError;
use crate::store::record::Record;
use crate::store::record_error::RecordError;

/// The notice about a stored client secret that is not used.
const OTHER_SECRET: &str = "The stored client secret belongs to another client ID or service, so it wasn't filled in. If \
                            this client has a secret, enter it.";

/// A loaded profile.
#[derive(Debug)]
pub struct Profile {
    /// The settings file.
    pub file: SettingsFile,
    /// The form filled in from the file.
    pub settings: Settings,
    /// The request built from the form.
    pub request: FlowRequest,
    /// Presets and explanations.
    pub library: Library,
}

impl Profile {
    /// Loads a profile from its settings file, to send its tokens. The client secret comes from where the settings say, or
    /// from the record.
    ///
    /// # Errors
    /// Returns the outcome to report. This includes settings that would send tokens to a place other than the one they
    /// were issued for, or that get the client secret from another command.
    pub fn load(place: &Place, record: &Record, file: SettingsFile) -> Result<Self, Outcome> {
        if file.secret_command() != record.issued_for.secret_command.as_deref() {
            return Err(changed("command for the client secret", place));
        }
        let named = file.secret().map_err(|error| settings_outcome(&error))?;
        let secret = named.or_else(|| record.secret().cloned());
        let (mut profile, now) = Self::build(place, file, secret)?;
        profile.compare(place, &record.issued_for, &now)?;
        Ok(profile)
    }

    /// Checks whether the settings still match the tokens, without network access or commands. The client secret may be
    /// a placeholder.
    ///
    /// # Errors
    /// Returns the outcome to report if they don't match or can't be read.
    pub fn check(place: &Place, record: &Record) -> Result<Self, Outcome> {
        let (file, secret) = Self::unread(place, record)?;
        let (mut profile, now) = Self::build(place, file, secret)?;
        profile.compare(place, &record.issued_for, &now)?;
        Ok(profile)
    }

    /// Returns the name of the first setting that no longer matches the tokens; `None` if all match. Like
    /// [`Self::check`] otherwise.
    ///
    /// # Errors
    /// Returns the outcome to report if the settings can't be used.
    pub fn changed_setting(
        place: &Place,
        record: &Record,
        library: &mut Library,
    ) -> Result<Option<&'static str>, Outcome> {
        let (file, secret) = Self::unread(place, record)?;
        let (_, _, now) = built(place, &file, secret, library)?;
        Ok(difference(&record.issued_for, &now))
    }

    /// Returns the settings file, and a client secret that was not read from its source.
    fn unread(
        place: &Place,
        record: &Record,
    ) -> Result<(SettingsFile, Option<SecretString>), Outcome> {
        let file = SettingsFile::read(place).map_err(|error| settings_outcome(&error))?;
        // An outline contains no secret, but tells whether the record has one.
        let is_outline = record.issued_for.store.is_some() && record.client_secret.is_none();
        let is_kept = is_outline && record.issued_for.needs_secret();
        let secret = if file.names_secret() || is_kept {
            Some(SecretString::from("not read"))
        } else {
            record.secret().cloned()
        };
        Ok((file, secret))
    }

    /// Builds a profile. Also returns what tokens would be issued for.
    fn build(
        place: &Place,
        file: SettingsFile,
        secret: Option<SecretString>,
    ) -> Result<(Self, IssuedFor), Outcome> {
        let mut library = Library::load_user();
        let (settings, request, now) = built(place, &file, secret, &mut library)?;
        let profile = Self {
            file,
            settings,
            request,
            library,
        };
        Ok((profile, now))
    }

    /// Compares what the tokens were issued for with the settings, and keeps what the metadata said at the sign-in.
    fn compare(
        &mut self,
        place: &Place,
        before: &IssuedFor,
        now: &IssuedFor,
    ) -> Result<(), Outcome> {
        if let Some(name) = difference(before, now) {
            return Err(changed(name, place));
        }
        if let Credential::Files(_, rules) = &mut self.request.client.credential {
            let listed = before.assertion_algorithms.iter();
            rules.listed = listed.filter_map(|name| Algorithm::of(name)).collect();
        }
        Ok(())
    }
}

/// Returns the form and the request of a settings file, and what tokens would be issued for.
fn built(
    place: &Place,
    file: &SettingsFile,
    secret: Option<SecretString>,
    library: &mut Library,
) -> Result<(Settings, FlowRequest, IssuedFor), Outcome> {
    let settings = form(file, secret, Browser::Elsewhere, library)?;
    let request = request(&settings).map_err(|problems| {
        let problem = problems.into_iter().next();
        let text =
            problem.map(|problem| format!("{}: {}", settings.label(problem.key), problem.text));
        Outcome::new(
            exit::USAGE,
            text.unwrap_or_else(|| "The settings are incomplete.".to_owned()),
        )
        .with_hint(format!("Edit {}.", place.settings().display()))
    })?;
    let user = file.user().map(str::to_owned);
    let now = issued_for(&request, &settings, user, Some(file));
    Ok((settings, request, now))
}

/// Returns the outcome for settings that name another place than the one the tokens were issued for.
fn changed(name: &str, place: &Place) -> Outcome {
    Outcome::new(exit::USAGE, changed_text(name)).with_hint(format!(
        "Undo the change in {} or in its preset, or sign in again: oauth-authorizer --profile {}",
        place.settings().display(),
        place.target()
    ))
}

/// Says that this setting has changed.
pub(super) fn changed_text(name: &str) -> String {
    format!("The {name} has changed since the tokens were issued, so the tokens are not sent.")
}

/// Returns the form of a profile, with its client secret. The tokens are not read.
///
/// # Errors
/// Returns the outcome to report if the profile can't be opened.
pub fn open(place: &Place, browser: Browser, library: &mut Library) -> Result<Settings, Outcome> {
    opened(place, browser, library, false)
}

/// Does the same, but if the place of the client secret can't be read, the form says so, because the user can enter the
/// secret there.
///
/// # Errors
/// Returns the outcome to report if the profile can't be opened.
pub fn open_form(
    place: &Place,
    browser: Browser,
    library: &mut Library,
) -> Result<Settings, Outcome> {
    opened(place, browser, library, true)
}

fn opened(
    place: &Place,
    browser: Browser,
    library: &mut Library,
    may_lack_secret: bool,
) -> Result<Settings, Outcome> {
    let file = SettingsFile::read(place).map_err(|error| settings_outcome(&error))?;
    // A record that can't be read doesn't prevent the user from signing in again.
    let record = Record::outline(&place.record()).ok();
    let pinned = record
        .as_ref()
        .map(|record| &record.issued_for.secret_command);
    if pinned.is_some_and(|pinned| pinned.as_deref() != file.secret_command()) {
        let mut settings = form(&file, None, browser, library)?;
        settings.set_secret_notice(
            "The command for the client secret changed since the last sign-in and wasn't run. Enter the client secret; \
             saving this profile accepts the new command.",
        );
        return Ok(settings);
    }
    let named = match file.secret() {
        Ok(named) => named,
        Err(error) if may_lack_secret => {
            let mut settings = form(&file, None, browser, library)?;
            settings.set_secret_notice(&format!(
                "{} Repair it, or enter the client secret.",
                settings_outcome(&error).error
            ));
            return Ok(settings);
        }
        Err(error) => return Err(settings_outcome(&error)),
    };
    let is_named = named.is_some();
    let mut settings = form(&file, named, browser, library)?;
    let record = record.filter(|_| !is_named);
    let record = record.and_then(|outline| outline.complete().ok());
    if let Some(record) = record.filter(|record| record.client_secret.is_some()) {
        match own_secret(&record, &file.digest, &settings) {
            Some(secret) => settings.set(Key::ClientSecret, secret.expose_secret().to_owned()),
            None => settings.set_secret_notice(OTHER_SECRET),
        }
    }
    Ok(settings)
}

/// Returns the client secret of a record, if it belongs to the client in `settings`, which come from a settings file with
/// this digest.
pub(super) fn own_secret<'a>(
    record: &'a Record,
    digest: &str,
    settings: &Settings,
) -> Option<&'a SecretString> {
    let is_unchanged = record.settings == digest && record.secret_of.is_none();
    let is_own = is_unchanged || record.secret_client().is_same(&client(settings));
    record.client_secret.as_ref().filter(|_| is_own)
}

/// Returns the client in a form.
fn client(settings: &Settings) -> Client {
    let value = |key| settings.value(key).trim().to_owned();
    // The token URL may come from the issuer's metadata.
    let token_url = value(Key::TokenUrl);
    Client {
        token_url: if token_url.is_empty() {
            value(Key::Issuer)
        } else {
            token_url
        },
        client_id: value(Key::ClientId),
    }
}

/// Removes the client secret, which came from `opened`, the settings of a profile, if flags changed the client or the
/// service.
pub fn forget_other_secret(opened: &Settings, settings: &mut Settings) {
    let is_filled_in = !opened.secret().expose_secret().is_empty();
    if is_filled_in && !client(opened).is_same(&client(settings)) {
        settings.set(Key::ClientSecret, String::new());
        settings.set_secret_notice(OTHER_SECRET);
    }
}

/// Fills in the stored client secret of the profile at `place`, if it belongs to the client in `settings`. Otherwise
/// returns that secret with its client.
pub fn fill_in_secret(place: &Place, settings: &mut Settings) -> Option<(SecretString, Client)> {
    let record = Record::read(&place.record()).ok()?;
    match own_secret(&record, "", settings) {
        Some(secret) => {
            settings.set(Key::ClientSecret, secret.expose_secret().to_owned());
            None
        }
        None => Some((record.client_secret.clone()?, record.secret_client())),
    }
}

/// Returns the settings file of a profile, and its form without the client secret. Sends nothing and runs no command.
///
/// # Errors
/// Returns the outcome to report if the profile can't be read.
pub fn outline(place: &Place, library: &mut Library) -> Result<(SettingsFile, Settings), Outcome> {
    let file = SettingsFile::read(place).map_err(|error| settings_outcome(&error))?;
    let settings = form(&file, None, Browser::Elsewhere, library)?;
    Ok((file, settings))
}

/// Returns the form filled in from a settings file, with this client secret.
fn form(
    file: &SettingsFile,
    secret: Option<SecretString>,
    browser: Browser,
    library: &mut Library,
) -> Result<Settings, Outcome> {
    let mut settings = file
        .form(browser, library)
        .map_err(|error| settings_outcome(&error))?;
    if let Some(secret) = secret {
        settings.set(Key::ClientSecret, secret.expose_secret().to_owned());
    }
    Ok(settings)
}

/// Returns what to report about settings that can't be used.
#[must_use]
pub fn settings_outcome(error: &SettingsError) -> Outcome {
    let code = match error {
        SettingsError::File(PrivateError::Missing(_)) => exit::USAGE,
        SettingsError::File(_) => exit::RECORD,
        _ => exit::USAGE,
    };
    Outcome::new(code, error.to_string())
}

/// Returns what to report about a record that can't be used.
#[must_use]
pub fn record_outcome(error: &RecordError, place: &Place) -> Outcome {
    if let RecordError::File(PrivateError::Missing(_)) = error {
        return Outcome::new(exit::SIGN_IN, "There are no tokens yet.")
            .with_hint(sign_in_again(place));
    }
    let outcome = Outcome::new(exit::RECORD, error.to_string());
    match error {
        RecordError::File(PrivateError::Program(_)) => outcome.with_hint(sign_in_if_gone(place)),
        _ => outcome,
    }
}

/// Returns what to report about a file that can't be used.
#[must_use]
pub fn file_outcome(error: &PrivateError) -> Outcome {
    Outcome::new(exit::RECORD, error.to_string())
}

/// Returns the hint for tokens that may be gone from the store of a command.
pub(super) fn sign_in_if_gone(place: &Place) -> String {
    format!(
        "If the store no longer contains the tokens, sign in again: oauth-authorizer --profile {}",
        place.target()
    )
}

/// Returns the hint to sign in again.
#[must_use]
pub fn sign_in_again(place: &Place) -> String {
    finding::sign_in(&place.target())
}
