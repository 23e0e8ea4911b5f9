//! Saves a sign-in as a profile.

use std::time::{Duration, Instant};

use super::refresh::unix_time;
use crate::form::field::Key;
use crate::form::request::FlowRequest;
use crate::form::settings::Settings;
use crate::oauth::id_token::decode;
use crate::oauth::token::TokenSet;
use crate::profile::issued_for::issued_for;
use crate::profile::places::{Owner, Place};
use crate::profile::settings_file::{self, SettingsError, SettingsFile, digest};
use crate::profile::store_kind::StoreKind;
use crate::secret::ExposeSecret;
use crate::store::lock::Lock;
use crate::store::private::{self, PrivateError};
use crate::store::record::{Record, RecordError, Reserved, Tokens};
use crate::store::seal::Seal;

/// A refresh under way is waited for so long.
const LOCK_LIMIT: Duration = Duration::from_secs(45);

/// Why a profile was not saved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SaveError {
    /// The files.
    #[error(transparent)]
    File(#[from] PrivateError),
    /// The record that is there cannot be replaced.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The settings are wrong, and may name a store.
    #[error("{0}")]
    Settings(String),
    /// Another process refreshes the profile.
    #[error("Another process is refreshing this profile and did not finish. Try again.")]
    Busy,
}

/// Takes the lock of a profile, waiting for a refresh under way.
///
/// # Errors
/// Where another process holds it for too long.
pub fn lock(place: &Place) -> Result<Lock, SaveError> {
    let end = Instant::now() + LOCK_LIMIT;
    loop {
        match Lock::try_take(&place.lock())? {
            Some(lock) => return Ok(lock),
            None if Instant::now() >= end => return Err(SaveError::Busy),
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

/// Finds out whether a profile can be saved there, before there are tokens.
///
/// # Errors
/// Why it can't.
pub fn try_place(place: &Place) -> Result<(), SaveError> {
    create_folders(place)?;
    let _lock = lock(place)?;
    generation(place)?;
    let seal = seal(place, settings_before(place)?.as_ref());
    // Beside the place itself: a refresh that was stopped may have left tokens there, which the next one adopts.
    Reserved::probe(&place.next(), seal)?;
    Ok(())
}

fn create_folders(place: &Place) -> Result<(), PrivateError> {
    private::create_folder(place.settings_folder())?;
    private::create_folder(place.record_folder())?;
    match &place.account {
        Some(account) => private::grant(place.record_folder(), account),
        None => Ok(()),
    }
}

/// The settings that are there. They may name a store, so that they must be readable: one never stands in for another.
fn settings_before(place: &Place) -> Result<Option<SettingsFile>, SaveError> {
    match SettingsFile::read(place) {
        Ok(file) => Ok(Some(file)),
        Err(SettingsError::File(PrivateError::Missing(_))) => Ok(None),
        Err(SettingsError::File(error)) => Err(error.into()),
        Err(error) => Err(SaveError::Settings(error.to_string())),
    }
}

/// How the tokens are encrypted where these are the settings.
fn seal(place: &Place, file: Option<&SettingsFile>) -> Seal {
    file.and_then(SettingsFile::store).map_or_else(
        || Seal::by_default(place.owner == Owner::Machine),
        StoreKind::seal,
    )
}

/// The generation of the record that is replaced.
fn generation(place: &Place) -> Result<u64, SaveError> {
    match Record::read(&place.record()) {
        Ok(record) => Ok(record.generation),
        Err(
            RecordError::File(PrivateError::Missing(_) | PrivateError::Seal { .. })
            | RecordError::Damaged(_),
        ) => Ok(0),
        Err(error) => Err(error.into()),
    }
}

/// Saves settings and tokens under the name of `place`. What was there before is replaced as a whole; edited settings are
/// kept beside them with the ending `.before`.
///
/// # Errors
/// Where a file cannot be written.
pub fn save(
    place: &Place,
    settings: &Settings,
    request: &FlowRequest,
    set: &TokenSet,
) -> Result<(), SaveError> {
    create_folders(place)?;
    let _lock = lock(place)?;
    let before = generation(place)?;
    let user = user(settings, set);
    // What was written by hand and has no field in the form stays.
    let file = settings_before(place)?;
    let text = settings_file::write(settings, user.as_deref(), file.as_ref());
    let names_secret = file.as_ref().is_some_and(SettingsFile::names_secret);
    let secret_command = file.as_ref().and_then(SettingsFile::secret_command);
    let tokens = Tokens::of_set(set, unix_time(), None);
    let mut record = Record::new(
        place.name.as_str(),
        digest(text.as_bytes()),
        issued_for(
            request,
            settings,
            user,
            secret_command.map(<[String]>::to_vec),
        ),
        Some(tokens),
        request.client.secret.clone().filter(|_| !names_secret),
    );
    record.generation = before + 1;
    install(place, &text, &record)
}

/// Saves settings without a sign-in. Tokens that the profile has stay, and remain tied to what they were issued for.
///
/// # Errors
/// Where a file cannot be written.
pub fn save_settings(
    place: &Place,
    settings: &Settings,
    request: &FlowRequest,
) -> Result<(), SaveError> {
    create_folders(place)?;
    let _lock = lock(place)?;
    let current = match Record::read(&place.record()) {
        Ok(record) => Some(record),
        Err(RecordError::File(PrivateError::Missing(_))) => None,
        Err(error) => return Err(error.into()),
    };
    let file = settings_before(place)?;
    let text = settings_file::write(settings, user_of_form(settings).as_deref(), file.as_ref());
    let secret = request.client.secret.clone();
    let digest = digest(text.as_bytes());
    let command = file.as_ref().and_then(SettingsFile::secret_command);
    let now = issued_for(
        request,
        settings,
        user_of_form(settings),
        command.map(<[String]>::to_vec),
    );
    let record = match current {
        Some(current) if current.tokens.is_some() => Record {
            client_secret: secret.or(current.client_secret),
            generation: current.generation + 1,
            ..current
        },
        _ => Record::new(place.name.as_str(), digest, now, None, secret),
    };
    install(place, &text, &record)
}

/// Puts settings and a record in their places. The caller holds the lock.
fn install(place: &Place, text: &str, record: &Record) -> Result<(), SaveError> {
    let file = SettingsFile::parse(text.as_bytes(), &place.settings().to_string_lossy());
    let file = file.map_err(|error| SaveError::Settings(error.to_string()))?;
    // Reserved first: what cannot be stored must not leave new settings with old tokens.
    let reserved = Reserved::take(&place.next(), seal(place, Some(&file)))?;
    if let Err(error) = write_settings(place, text) {
        reserved.release();
        return Err(error.into());
    }
    reserved.store(record, &place.record())?;
    private::remove(&place.attempt())?;
    Ok(())
}

/// Saves a profile that was exported elsewhere. Returns whether it was: with `if_newer`, tokens that are not newer than the
/// stored ones change nothing.
///
/// # Errors
/// Where a file cannot be written.
pub fn save_imported(
    place: &Place,
    text: &str,
    record: Record,
    if_newer: bool,
) -> Result<bool, SaveError> {
    create_folders(place)?;
    let _lock = lock(place)?;
    let current = match Record::read(&place.record()) {
        Ok(current) => Some(current),
        Err(RecordError::File(PrivateError::Missing(_))) => None,
        Err(error) => return Err(error.into()),
    };
    if if_newer
        && current
            .as_ref()
            .is_some_and(|current| !record.is_newer_than(current))
    {
        return Ok(false);
    }
    let record = Record {
        profile: place.name.to_string(),
        ..record
    };
    install(place, text, &record)?;
    Ok(true)
}

fn write_settings(place: &Place, text: &str) -> Result<(), PrivateError> {
    let path = place.settings();
    match settings_file::read_bytes(place) {
        Ok(old) if old == text.as_bytes() => return Ok(()),
        Ok(old) => {
            let kept = path.with_extension("toml.before");
            private::replace(&kept, &path.with_extension("toml.next"), &old)?;
        }
        Err(PrivateError::Missing(_)) => {}
        Err(error) => return Err(error),
    }
    private::replace(&path, &path.with_extension("toml.next"), text.as_bytes())
}

/// The account that the form names, where it is a mailbox.
fn user_of_form(settings: &Settings) -> Option<String> {
    let hint = settings.value(Key::LoginHint).trim().to_owned();
    hint.contains('@').then_some(hint)
}

/// The mailbox: the account that the form names, or the one that signed in.
fn user(settings: &Settings, set: &TokenSet) -> Option<String> {
    if let Some(user) = user_of_form(settings) {
        return Some(user);
    }
    let claims = decode(set.id_token.as_ref()?.expose_secret())?;
    ["email", "preferred_username", "upn"]
        .into_iter()
        .find_map(|name| claims.text(name).filter(|text| text.contains('@')))
        .map(str::to_owned)
}
