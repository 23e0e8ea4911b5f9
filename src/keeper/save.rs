//! Saves a sign-in as a profile.

use std::time::Duration;

use super::folders::create_folders;
use super::present::{Present, file_to_keep, user};
use super::profile::own_secret;
use super::save_error::SaveError;
use super::trial::{Purpose, try_out};
use crate::form::choices::Browser;
use crate::form::request::FlowRequest;
use crate::form::settings::Settings;
use crate::presets::Library;
use crate::profile::issued_for::{difference, issued_for};
use crate::profile::places::{Owner, Place};
use crate::profile::saved_tokens::SavedTokens;
use crate::profile::settings_file::{self, SettingsError, SettingsFile, digest};
use crate::profile::store_kind::Store;
use crate::secret::{ExposeSecret, SecretString, same};
use crate::store::commands::StoreCommands;
use crate::store::issued_for::{Client, IssuedFor};
use crate::store::lock::Lock;
use crate::store::obtained::Obtained;
use crate::store::private::{self, PrivateError};
use crate::store::record::Record;
use crate::store::record_error::RecordError;
use crate::store::reserved::{Reserved, adopt};
use crate::store::seal::Seal;
use crate::store::tokens::Tokens;
use crate::store::version::Version;

/// How long to wait for a refresh in progress.
const LOCK_LIMIT: Duration = Duration::from_secs(45);

/// What is to be saved as a profile.
#[derive(Debug)]
pub struct Saving<'a> {
    /// The files of the profile.
    pub place: &'a Place,
    /// The settings.
    pub settings: &'a Settings,
    /// The request built from the settings, with the client secret if that is to be saved.
    pub request: &'a FlowRequest,
    /// The store for the secrets, and never another one; `None` for the one in the existing settings, or the default.
    pub store: Option<Store>,
    /// The settings as the user opened them from the profile: nothing is saved if it has others by now. `None` to replace
    /// whatever is there.
    pub opened: Option<&'a Settings>,
    /// The client that the client secret in `request` belongs to, if not that of the settings.
    pub secret_of: Option<Client>,
}

/// Takes the lock of a profile, waiting for a refresh in progress.
///
/// # Errors
/// Returns an error if another process keeps it locked for too long.
pub fn lock(place: &Place) -> Result<Lock, SaveError> {
    Lock::wait(&place.lock(), LOCK_LIMIT)?.ok_or(SaveError::Busy)
}

/// Checks whether a profile can be saved at `place`, before a sign-in.
///
/// # Errors
/// Returns an error if it can't.
pub fn try_place(place: &Place) -> Result<(), SaveError> {
    create_folders(place)?;
    let _lock = lock(place)?;
    generation(place)?;
    let seal = store(place)?;
    seal.check().map_err(|problem| PrivateError::Seal {
        path: place.record(),
        problem,
    })?;
    // The probe uses another file name: `next` may contain tokens of an interrupted refresh, for the next one to adopt.
    Reserved::probe(&place.next(), seal)?;
    match commands(place) {
        Some(commands) => try_out(place, &commands, Purpose::Replace),
        None => Ok(()),
    }
}

/// Returns the store commands named in the settings.
fn commands(place: &Place) -> Option<StoreCommands> {
    SettingsFile::read(place).ok()?.store()?.commands()
}

/// Returns how the record is encrypted, as the settings say. No other store is ever used as a fallback.
fn store(place: &Place) -> Result<Seal, SaveError> {
    match SettingsFile::read(place) {
        Ok(file) => Ok(seal_of(&file, place)),
        Err(SettingsError::File(PrivateError::Missing(_))) => {
            Ok(Seal::by_default(place.owner == Owner::Machine))
        }
        Err(SettingsError::File(error)) => Err(error.into()),
        Err(error) => Err(SaveError::Settings(error.to_string())),
    }
}

/// Does the same for the store `named`, after a trial of its commands; without one, uses the settings.
fn chosen(place: &Place, named: Option<&Store>, purpose: Purpose) -> Result<Seal, SaveError> {
    let Some(named) = named else {
        return store(place);
    };
    if let Some(commands) = named.commands() {
        try_out(place, &commands, purpose)?;
    }
    Ok(named.seal())
}

fn seal_of(file: &SettingsFile, place: &Place) -> Seal {
    let by_default = || Seal::by_default(place.owner == Owner::Machine);
    file.store().map_or_else(by_default, Store::seal)
}

/// Returns the generation of the record to be replaced.
fn generation(place: &Place) -> Result<u64, SaveError> {
    match Record::outline(&place.record()) {
        Ok(record) => Ok(record.generation),
        Err(
            RecordError::File(PrivateError::Missing(_) | PrivateError::Seal { .. })
            | RecordError::Damaged(_),
        ) => Ok(0),
        Err(error) => Err(error.into()),
    }
}

impl Saving<'_> {
    /// Saves the settings and tokens. A settings file with the same settings is left unchanged. Otherwise it is replaced
    /// completely, and kept next to the new one with the extension `.before`. `known` is the version of the profile's record
    /// that the tokens come from; if the profile has newer tokens, these stay.
    ///
    /// # Errors
    /// Returns an error if a file can't be written, or if the profile is not the one that the user opened.
    pub fn with_tokens(
        self,
        obtained: &Obtained,
        known: Option<&Version>,
    ) -> Result<SavedTokens, SaveError> {
        let place = self.place;
        create_folders(place)?;
        let _lock = lock(place)?;
        self.check_opened()?;
        // An interrupted refresh may have left newer tokens than those of the record.
        let is_kept =
            |known: &Version| newest(place).is_some_and(|it| known.is_before_tokens_of(&it));
        if known.is_some_and(is_kept) {
            return Ok(match self.locked()? {
                SavedTokens::Fine => SavedTokens::Newer,
                other => other,
            });
        }
        let seal = chosen(place, self.store.as_ref(), Purpose::Replace)?;
        let before = generation(place)?;
        let Content {
            text,
            issued_for: now,
            secret,
        } = self.content(Some(&obtained.tokens));
        let issued_for = match &obtained.pins {
            Some(pins) => with_pins(now, pins),
            None => now,
        };
        let record = Record::new(
            place.name.as_str(),
            digest(text.as_bytes()),
            issued_for,
            Some(obtained.tokens.clone()),
            secret,
        );
        let record = Record {
            generation: before + 1,
            origin: obtained.origin.clone().or_here(),
            ..record
        };
        install(place, &text, &record, seal)?;
        Ok(SavedTokens::Fine)
    }

    /// Saves the settings without a sign-in. Existing tokens stay, and may still be sent only where they were issued for.
    /// With a store, they move to it.
    ///
    /// # Errors
    /// Returns an error if a file can't be written, or if the profile is not the one that the user opened.
    pub fn alone(self) -> Result<SavedTokens, SaveError> {
        create_folders(self.place)?;
        let _lock = lock(self.place)?;
        self.check_opened()?;
        self.locked()
    }

    fn locked(self) -> Result<SavedTokens, SaveError> {
        let place = self.place;
        // Before a trial: tokens that can't be read may be in the same store.
        let mut before = current(place)?;
        let seal = chosen(place, self.store.as_ref(), Purpose::Keep)?;
        if let (Some(store), Some(record)) = (&self.store, &mut before) {
            record.issued_for.store = store.commands();
        }
        let Content {
            text,
            issued_for: now,
            secret,
        } = self.content(None);
        let digest = digest(text.as_bytes());
        let tokens_for = before
            .as_ref()
            .filter(|record| record.tokens.is_some())
            .map(|record| record.issued_for.clone());
        let changed = tokens_for.and_then(|issued_for| difference(&issued_for, &now));
        let secret_of = self.secret_of.clone().unwrap_or_else(|| now.client());
        let record = match before {
            Some(record) if changed.is_none() => {
                // Without a sign-in, tokens must not be sent to a new endpoint or mail server.
                let issued_for = match &record.tokens {
                    Some(_) => with_pins(now, &record.issued_for),
                    None => now,
                };
                Record {
                    settings: digest,
                    issued_for,
                    client_secret: secret,
                    ..record
                }
            }
            Some(record) => Record {
                client_secret: secret,
                ..record
            },
            None => Record::new(place.name.as_str(), digest, now, None, secret),
        };
        let is_own = secret_of.is_same(&record.issued_for.client());
        let record = Record {
            secret_of: (!is_own)
                .then_some(secret_of)
                .filter(|_| record.client_secret.is_some()),
            ..record
        };
        install(place, &text, &record, seal)?;
        Ok(changed.map_or(SavedTokens::Fine, SavedTokens::Unfit))
    }

    /// Returns what is written. The mailbox may come from the tokens of a sign-in.
    fn content(&self, tokens: Option<&Tokens>) -> Content {
        let (place, settings, request) = (self.place, self.settings, self.request);
        let present = Present::read(place, settings.browser());
        let id_token = tokens.and_then(|tokens| tokens.id_token.as_ref());
        let user = user(settings, id_token, present.as_ref());
        let mut file = file_to_keep(place, request);
        if let Some(store) = &self.store {
            file = Some(file.unwrap_or_default().with_store(store.clone()));
        }
        let text = settings_file::write(settings, user.as_deref(), file.as_ref());
        let names_secret = file.as_ref().is_some_and(SettingsFile::names_secret);
        Content {
            text: Present::unless_changed(present, text),
            issued_for: issued_for(request, settings, user, file.as_ref()),
            secret: request.client.secret.clone().filter(|_| !names_secret),
        }
    }

    /// Checks whether the profile still has the settings that the user opened. The caller must hold the lock.
    fn check_opened(&self) -> Result<(), SaveError> {
        let (Some(opened), place) = (self.opened, self.place) else {
            return Ok(());
        };
        let file = match SettingsFile::read(place) {
            Ok(file) => file,
            Err(SettingsError::File(PrivateError::Missing(_))) => return Err(SaveError::Gone),
            // The next step says what is wrong with it.
            Err(_) => return Ok(()),
        };
        let Ok(stored) = file.form(opened.browser(), &mut Library::load_user()) else {
            return Ok(());
        };
        let written = |settings| settings_file::write(settings, None, None);
        // A command that keeps the secrets is not run for this.
        let record = Record::outline(&place.record()).ok();
        let record = record.as_ref().filter(|_| !file.names_secret());
        let secret = record.and_then(|record| own_secret(record, &file.digest, &stored));
        let other_secret =
            secret.is_some_and(|secret| !same(secret, opened.secret().expose_secret()));
        if other_secret || written(&stored) != written(opened) {
            return Err(SaveError::Changed);
        }
        Ok(())
    }
}

/// Returns what existing tokens are issued for in a profile with these settings: their other endpoints and their mail
/// servers stay those of the sign-in.
fn with_pins(now: IssuedFor, pins: &IssuedFor) -> IssuedFor {
    IssuedFor {
        tools: pins.tools.clone(),
        mail: pins.mail.clone(),
        ..now
    }
}

/// What is written for a profile.
struct Content {
    /// The settings file.
    text: String,
    /// What tokens of these settings are issued for.
    issued_for: IssuedFor,
    /// The client secret, unless the settings name another place for it.
    secret: Option<SecretString>,
}

/// Returns the outline of the newest record of a profile, if it has a good one. The caller must hold the lock.
fn newest(place: &Place) -> Option<Record> {
    let path = place.record();
    let outline = Record::outline(&path).ok()?;
    let adopted = adopt(&place.next(), &outline, &path).ok().flatten();
    Some(adopted.unwrap_or(outline))
}

/// Returns the newest record of a profile. An interrupted refresh may have left one that is newer than the stored
/// record. The caller must hold the lock.
///
/// # Errors
/// Returns an error if the record can't be read.
pub fn current(place: &Place) -> Result<Option<Record>, SaveError> {
    let path = place.record();
    match Record::outline(&path) {
        Ok(outline) => Ok(Some(match adopt(&place.next(), &outline, &path)? {
            Some(record) => record,
            None => outline.complete()?,
        })),
        Err(RecordError::File(PrivateError::Missing(_))) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Writes settings and a record to their places. The caller must hold the lock.
fn install(place: &Place, text: &str, record: &Record, seal: Seal) -> Result<(), SaveError> {
    private::remove(&place.next())?;
    // Reserve space first: if the record can't be stored, new settings must not be left with old tokens.
    let reserved = Reserved::take(&place.next(), seal)?;
    let before = settings_file::read_bytes(place).ok();
    if let Err(error) = write_settings(place, text) {
        reserved.release();
        return Err(error.into());
    }
    if let Err(error) = reserved.store(record, &place.record()) {
        // Restore the settings: new settings don't match the old tokens.
        if let Some(before) = before {
            let path = place.settings();
            private::replace(&path, &path.with_extension("toml.next"), &before)?;
        }
        return Err(error.into());
    }
    private::remove(&place.attempt())?;
    Ok(())
}

/// Moves the tokens of a profile to another store, and changes its settings accordingly.
///
/// # Errors
/// Returns an error if a store can't be read or written. The tokens then stay where they were.
pub fn move_to(place: &Place, store: Store) -> Result<(), SaveError> {
    create_folders(place)?;
    let _lock = lock(place)?;
    let settings_error = |error: SettingsError| SaveError::Settings(error.to_string());
    let file = SettingsFile::read(place).map_err(settings_error)?;
    let user = file.user().map(str::to_owned);
    let seal = store.seal();
    let commands = store.commands();
    let file = file.with_store(store);
    let form = file.form(Browser::Elsewhere, &mut Library::load_user());
    let form = form.map_err(settings_error)?;
    let text = settings_file::write(&form, user.as_deref(), Some(&file));
    // If the program of the store was moved or printed other text, the new commands may print the tokens.
    let found = match (current(place), &commands) {
        (Err(SaveError::Record(error)), Some(commands)) => {
            let outline = Record::outline(&place.record())?;
            let record = Some(outline).filter(|outline| outline.issued_for.store.is_some());
            let record = record.and_then(|outline| outline.complete_with(commands).ok());
            Some(record.ok_or(error)?)
        }
        (found, _) => found?,
    };
    // Only now: if the tokens can't be read, a trial may destroy the only copy.
    if let Some(commands) = &commands {
        try_out(place, commands, Purpose::Keep)?;
    }
    let Some(record) = found else {
        return Ok(write_settings(place, &text)?);
    };
    let record = Record {
        settings: digest(text.as_bytes()),
        issued_for: IssuedFor {
            store: commands,
            ..record.issued_for
        },
        ..record
    };
    install(place, &text, &record, seal)
}

/// Saves a profile that was exported on another computer. Returns whether it was saved: with `if_newer`, tokens that
/// are not newer than the stored ones change nothing.
///
/// # Errors
/// Returns an error if a file can't be written.
pub fn save_imported(
    place: &Place,
    text: &str,
    file: SettingsFile,
    record: Record,
    if_newer: bool,
) -> Result<bool, SaveError> {
    create_folders(place)?;
    let _lock = lock(place)?;
    let current = current(place)?;
    let is_newer = |current: &Record| record.is_newer_than(current);
    if if_newer && !current.as_ref().is_none_or(is_newer) {
        return Ok(false);
    }
    let (with_store, file) = with_present_store(place, text, file)?;
    // Other settings than those of the sign-in stay recognizable.
    let is_of_sign_in = record.settings == digest(text.as_bytes());
    let text = with_store;
    let record = Record {
        profile: place.name.to_string(),
        settings: if is_of_sign_in {
            digest(text.as_bytes())
        } else {
            record.settings
        },
        issued_for: IssuedFor {
            store: file.store().and_then(Store::commands),
            ..record.issued_for
        },
        ..record
    };
    install(place, &text, &record, seal_of(&file, place))?;
    Ok(true)
}

/// Returns imported settings with the store and the mailbox of the profile that they replace, if they name none
/// themselves: tokens never move to another store unless the user chooses one.
fn with_present_store(
    place: &Place,
    text: &str,
    file: SettingsFile,
) -> Result<(String, SettingsFile), SaveError> {
    let present = SettingsFile::read(place).ok();
    let store = present.as_ref().and_then(SettingsFile::store);
    let user = present.as_ref().and_then(SettingsFile::user);
    let (store, user) = (
        store.filter(|_| file.store().is_none()),
        user.filter(|_| file.user().is_none()),
    );
    if store.is_none() && user.is_none() {
        return Ok((text.to_owned(), file));
    }
    let settings_error = |error: SettingsError| SaveError::Settings(error.to_string());
    let user = user.or(file.user()).map(str::to_owned);
    let file = match store {
        Some(store) => file.with_store(store.clone()),
        None => file,
    };
    let form = file.form(Browser::Elsewhere, &mut Library::load_user());
    let form = form.map_err(settings_error)?;
    let text = settings_file::write(&form, user.as_deref(), Some(&file));
    Ok((text, file))
}

fn write_settings(place: &Place, text: &str) -> Result<(), PrivateError> {
    let path = place.settings();
    match settings_file::read_bytes(place) {
        Ok(old) if old == text.as_bytes() => return Ok(()),
        Ok(old) => {
            private::replace(
                &place.settings_before(),
                &path.with_extension("toml.next"),
                &old,
            )?;
        }
        Err(PrivateError::Missing(_)) => {}
        Err(error) => return Err(error),
    }
    private::replace(&path, &path.with_extension("toml.next"), text.as_bytes())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::super::present::changed_by_variables;
    use super::*;
    use crate::clock::unix_time;
    use crate::form::field::Key;
    use crate::form::request::request;
    use crate::oauth::token::TokenSet;
    use crate::presets;
    use crate::profile::places::Places;

    fn settings(secret: &str) -> Settings {
        let mut settings = Settings::new(presets::get(presets::CUSTOM).unwrap());
        for (key, value) in [
            (Key::ClientId, "me"),
            (Key::ClientSecret, secret),
            (Key::DeviceUrl, "https://as.example/device"),
            (Key::TokenUrl, "https://as.example/token"),
        ] {
            settings.set(key, value.to_owned());
        }
        settings
    }

    fn place(folder: &tempfile::TempDir) -> Place {
        let places = Places::new(Some(folder.path())).unwrap();
        places.place(&"office".parse().unwrap(), false).unwrap()
    }

    fn saving<'a>(
        place: &'a Place,
        settings: &'a Settings,
        request: &'a FlowRequest,
        opened: Option<&'a Settings>,
    ) -> Saving<'a> {
        Saving {
            place,
            settings,
            request,
            store: None,
            opened,
            secret_of: None,
        }
    }

    fn alone(place: &Place, settings: &Settings) -> SavedTokens {
        let request = request(settings).unwrap();
        saving(place, settings, &request, None).alone().unwrap()
    }

    fn token_set(refresh_token: Option<&str>) -> TokenSet {
        TokenSet {
            access_token: "access".into(),
            token_type: None,
            expires_in: Some(3600),
            refresh_token: refresh_token.map(Into::into),
            id_token: None,
            scope: None,
            kept: Vec::new(),
            notes: Vec::new(),
            token_url: None,
            redirect_url: None,
        }
    }

    fn obtained(set: &TokenSet) -> Obtained {
        Obtained::at_sign_in(set, unix_time())
    }

    fn with_tokens(place: &Place, settings: &Settings, set: &TokenSet) -> SavedTokens {
        let request = request(settings).unwrap();
        let saving = saving(place, settings, &request, None);
        saving.with_tokens(&obtained(set), None).unwrap()
    }

    #[test]
    fn variables_that_change_a_saved_profile_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(&folder);
        let said = |settings: &Settings, set: &[(&str, &str)]| {
            let variable = |name: &str| {
                let found = set.iter().find(|(known, _)| *known == name)?;
                Some(found.1.into())
            };
            changed_by_variables(&place, settings, variable)
        };
        let before = settings("");
        let all = [
            ("OAUTH_AUTHORIZER_SCOPE", "zzz "),
            ("OAUTH_AUTHORIZER_CLIENT_ID", "you"),
            ("OAUTH_AUTHORIZER_TOKEN_URL", "https://as.example/token"),
        ];
        let mut changed = before.clone();
        changed.set(Key::Scope, "zzz".to_owned());
        assert_eq!(said(&changed, &all), None, "there is no profile yet");
        alone(&place, &before);
        assert_eq!(said(&before, &all), None);
        let path = place.settings_before();
        assert_eq!(
            said(&changed, &all),
            Some(format!(
                "The environment variable OAUTH_AUTHORIZER_SCOPE changed the settings of the profile. The previous ones are \
                 in {}.",
                path.display()
            ))
        );
        // A flag with another value takes precedence.
        assert_eq!(said(&changed, &[("OAUTH_AUTHORIZER_SCOPE", "yyy")]), None);
        changed.set(Key::ClientId, "you".to_owned());
        let both = said(&changed, &all).unwrap();
        assert!(
            both.contains("variables OAUTH_AUTHORIZER_CLIENT_ID, OAUTH_AUTHORIZER_SCOPE changed"),
            "{both}"
        );
    }

    #[test]
    fn saving_settings_keeps_tokens_and_external_secrets() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(&folder);
        let save = |settings: &Settings| {
            alone(&place, settings);
            let text = std::fs::read_to_string(place.settings()).unwrap();
            (text, Record::read(&place.record()).ok())
        };
        let (_, record) = save(&settings("s3cret"));
        let record = record.unwrap();
        assert_eq!(record.client_secret.unwrap().expose_secret(), "s3cret");
        assert!(record.tokens.is_none());
        // If the file names another place for the secret, the secret stays there.
        let kept = folder.path().join("kept");
        std::fs::write(&kept, "s3cret").unwrap();
        let table = format!("\n[secret]\nfile = {kept:?}\n");
        let (text, _) = save(&settings("s3cret"));
        std::fs::write(place.settings(), text + &table).unwrap();
        let (text, record) = save(&settings("s3cret"));
        assert!(text.ends_with(&table), "{text}");
        assert!(record.unwrap().client_secret.is_none());
        // A different secret drops the reference to that place.
        let (text, record) = save(&settings("another"));
        assert!(!text.contains("[secret]"), "{text}");
        assert!(record.unwrap().client_secret.is_some());
    }

    /// Tokens of a sign-in with this account.
    fn set_of(email: Option<&str>) -> TokenSet {
        use base64::Engine;
        use base64::engine::general_purpose::URL_SAFE_NO_PAD;
        let claims = serde_json::json!({ "sub": "1", "email": email });
        let id_token = format!("e30.{}.x", URL_SAFE_NO_PAD.encode(claims.to_string()));
        TokenSet {
            access_token: "access".into(),
            token_type: None,
            expires_in: Some(3600),
            refresh_token: Some("refresh".into()),
            id_token: Some(id_token.as_str().into()),
            scope: None,
            kept: Vec::new(),
            notes: Vec::new(),
            token_url: None,
            redirect_url: None,
        }
    }

    #[test]
    fn sign_in_updates_mailbox_unless_the_user_set_it() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(&folder);
        let form = |hint: &str| {
            let mut form = settings("");
            form.set(Key::LoginHint, hint.to_owned());
            form
        };
        let user = || {
            SettingsFile::read(&place)
                .unwrap()
                .user()
                .map(str::to_owned)
        };
        let sign_in = |hint: &str, email: Option<&str>| {
            let (form, set) = (form(hint), set_of(email));
            with_tokens(&place, &form, &set);
            let record = Record::read(&place.record()).unwrap();
            assert_eq!(record.issued_for.user, user());
            user()
        };
        let edit = |from: &str, to: &str| {
            let text = std::fs::read_to_string(place.settings()).unwrap();
            assert!(text.contains(from), "{text}");
            std::fs::write(place.settings(), text.replace(from, to)).unwrap();
        };
        let (alice, bob) = (Some("alice@contoso.example"), Some("bob@contoso.example"));
        let shared = Some("support@contoso.example");
        assert_eq!(sign_in("", alice).as_deref(), alice);
        assert_eq!(sign_in("", bob).as_deref(), bob);
        // An ID token without an address says nothing.
        assert_eq!(sign_in("", None).as_deref(), bob);
        edit("user = \"bob@", "user = \"support@");
        for (hint, email) in [
            ("", alice),
            ("", bob),
            ("", None),
            ("alice@contoso.example", alice),
        ] {
            assert_eq!(sign_in(hint, email).as_deref(), shared, "{hint} {email:?}");
        }
        let changed = form("bob@contoso.example");
        alone(&place, &changed);
        assert_eq!(user().as_deref(), shared);
        // Without the line, it is that of the account again.
        edit("user = \"support@contoso.example\"\n", "");
        assert_eq!(sign_in("", alice).as_deref(), alice);
        assert_eq!(sign_in("bob@contoso.example", alice).as_deref(), bob);
    }

    #[test]
    fn equivalent_settings_file_is_not_rewritten() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(&folder);
        let (mut form, set) = (settings(""), set_of(Some("alice@contoso.example")));
        let sign_in = |form: &Settings| {
            with_tokens(&place, form, &set);
            std::fs::read_to_string(place.settings()).unwrap()
        };
        let edited = "# The mailbox of the help desk.\n".to_owned()
            + &sign_in(&form).replace("user = \"alice@", "user   =  \"support@")
            + "\n[check]\nrefresh_idle = \"720h\" # as agreed\n";
        std::fs::write(place.settings(), &edited).unwrap();
        assert_eq!(sign_in(&form), edited);
        let record = Record::read(&place.record()).unwrap();
        assert_eq!(record.settings, digest(edited.as_bytes()));
        alone(&place, &form);
        assert_eq!(std::fs::read_to_string(place.settings()).unwrap(), edited);
        // Another setting: the whole file is rewritten, and the old one is kept.
        form.set(Key::ClientId, "other".to_owned());
        let text = sign_in(&form);
        assert!(
            text.contains("client_id = \"other\"") && !text.contains("help desk"),
            "{text}"
        );
        assert!(text.contains("refresh_idle = \"30d\""), "{text}");
        assert!(
            text.contains("user = \"support@contoso.example\""),
            "{text}"
        );
        let before = place.settings_before();
        assert_eq!(std::fs::read_to_string(before).unwrap(), edited);
    }

    #[test]
    fn lifetimes_count_from_the_arrival_of_the_tokens() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(&folder);
        let settings = settings("");
        let request = request(&settings).unwrap();
        let arrived = unix_time() - 3000;
        let tokens = Obtained::at_sign_in(&token_set(Some("refresh")), arrived);
        let saved = saving(&place, &settings, &request, None).with_tokens(&tokens, None);
        assert_eq!(saved.unwrap(), SavedTokens::Fine);
        let tokens = Record::read(&place.record()).unwrap().tokens.unwrap();
        assert_eq!(tokens.expires_at, Some(arrived + 3600));
        assert_eq!(tokens.refresh_obtained_at, Some(arrived));
    }

    #[test]
    fn tokens_keep_their_dates_and_endpoints_in_another_profile() {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings("");
        let request = request(&settings).unwrap();
        with_tokens(&place(&folder), &settings, &token_set(Some("refresh")));
        let mut record = Record::read(&place(&folder).record()).unwrap();
        record.origin.signed_in_at = Some(1000);
        record.origin.clock_ahead = Some(7);
        let tokens = record.tokens.as_mut().unwrap();
        (tokens.obtained_at, tokens.refresh_obtained_at) = (3000, Some(2000));
        let userinfo = "https://as.example/userinfo".to_owned();
        record.issued_for.tools.userinfo = Some(userinfo);
        let opened = Obtained::of_record(&record).unwrap();
        let places = Places::new(Some(folder.path())).unwrap();
        let other = places.place(&"other".parse().unwrap(), false).unwrap();
        let refreshed = |refresh| opened.clone().refreshed(&token_set(Some(refresh)), 4000);
        for (obtained, at, refresh_at, clock_ahead) in [
            (opened.clone(), 3000, 2000, Some(7)),
            (refreshed("refresh"), 4000, 2000, None),
            (refreshed("rotated"), 4000, 4000, None),
        ] {
            let saved = saving(&other, &settings, &request, None).with_tokens(&obtained, None);
            assert_eq!(saved, Ok(SavedTokens::Fine));
            let stored = Record::read(&other.record()).unwrap();
            assert_eq!(stored.issued_for.tools, record.issued_for.tools);
            assert_eq!(stored.origin.signed_in_at, Some(1000));
            assert_eq!(stored.origin.host, record.origin.host);
            assert_eq!(stored.origin.clock_ahead, clock_ahead);
            let tokens = stored.tokens.unwrap();
            assert_eq!(tokens.obtained_at, at);
            assert_eq!(tokens.refresh_obtained_at, Some(refresh_at));
        }
    }

    #[test]
    fn tokens_stay_pinned_to_their_mail_servers() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(&folder);
        let set = token_set(None);
        let settings = settings("s3cret");
        let pins = || {
            let record = Record::read(&place.record()).unwrap();
            record.issued_for.mail.unwrap()
        };
        with_tokens(&place, &settings, &set);
        assert!(pins().is_empty());
        let mut text = std::fs::read_to_string(place.settings()).unwrap();
        text += "\n[mail]\nimap = \"imap.example.org:993 TLS\"\n";
        std::fs::write(place.settings(), text).unwrap();
        // Without a sign-in, the settings keep the server, but the tokens may not be sent there.
        alone(&place, &settings);
        assert!(pins().is_empty());
        with_tokens(&place, &settings, &set);
        assert_eq!(pins(), ["imap imap.example.org:993 TLS"]);
    }

    #[test]
    fn tokens_adopt_settings_that_need_no_new_sign_in() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(&folder);
        let set = token_set(Some("refresh"));
        let mut settings = settings("");
        with_tokens(&place, &settings, &set);
        let first = Record::read(&place.record()).unwrap();
        settings.set(Key::LoginHint, "alice@example.org".to_owned());
        alone(&place, &settings);
        let second = Record::read(&place.record()).unwrap();
        let bytes = std::fs::read(place.settings()).unwrap();
        assert_eq!(second.settings, digest(&bytes));
        assert_eq!(second.issued_for.user.as_deref(), Some("alice@example.org"));
        assert_eq!(
            (second.generation, &second.lineage),
            (first.generation, &first.lineage)
        );
        assert_eq!(second.tokens.unwrap().access_token(), "access");
        // With another client, the tokens stay, but only for the client they were issued to.
        settings.set(Key::ClientId, "other".to_owned());
        alone(&place, &settings);
        let third = Record::read(&place.record()).unwrap();
        assert_eq!(third.issued_for.client_id, "me");
        assert_ne!(
            third.settings,
            digest(&std::fs::read(place.settings()).unwrap())
        );
    }

    #[test]
    fn newer_tokens_are_kept_and_lost_ones_restored() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(&folder);
        let (settings, set) = (settings(""), set_of(None));
        with_tokens(&place, &settings, &set);
        let known = Record::read(&place.record()).unwrap();
        let known = Version::of(&known);
        let again = || {
            let request = request(&settings).unwrap();
            let saving = saving(&place, &settings, &request, None);
            saving.with_tokens(&obtained(&set), Some(&known)).unwrap()
        };
        let stored = |change: fn(&mut Record)| {
            let mut record = Record::read(&place.record()).unwrap();
            change(&mut record);
            std::fs::write(place.record(), record.to_bytes()).unwrap();
        };
        let access = || {
            let record = Record::read(&place.record()).unwrap();
            record.tokens.map(|tokens| tokens.access_token().to_owned())
        };
        assert_eq!(again(), SavedTokens::Fine);
        for change in [
            (|record: &mut Record| record.generation += 9) as fn(&mut Record),
            |record| record.lineage = "another-sign-in".to_owned(),
        ] {
            stored(change);
            stored(|record| {
                record.tokens = Some(Tokens::of_set(
                    &TokenSet {
                        access_token: "newer".into(),
                        ..set_of(None)
                    },
                    unix_time(),
                    None,
                ));
            });
            assert_eq!(again(), SavedTokens::Newer);
            assert_eq!(access().as_deref(), Some("newer"));
        }
        // A refresh that was interrupted left its tokens next to the record.
        let mut record = Record::read(&place.record()).unwrap();
        record.lineage = known.lineage.clone();
        record.generation = known.generation;
        std::fs::write(place.record(), record.to_bytes()).unwrap();
        record.generation += 1;
        let mut next = private::create(&place.next()).unwrap();
        std::io::Write::write_all(&mut next, &record.to_bytes()).unwrap();
        // Windows doesn't rename an open file.
        drop(next);
        assert_eq!(again(), SavedTokens::Newer);
        assert_eq!(access().as_deref(), Some("newer"));
        // Tokens that the profile lost are saved.
        stored(|record| record.tokens = None);
        assert_eq!(again(), SavedTokens::Fine);
        assert_eq!(access().as_deref(), Some("access"));
    }

    #[test]
    fn profile_changed_or_deleted_elsewhere_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(&folder);
        let opened = settings("s3cret");
        let changed = |key: Key, value: &str| {
            let mut settings = settings("s3cret");
            settings.set(key, value.to_owned());
            settings
        };
        let save = |opened: &Settings| {
            let mine = changed(Key::LoginHint, "alice@example.org");
            let request = request(&mine).unwrap();
            saving(&place, &mine, &request, Some(opened)).alone()
        };
        alone(&place, &opened);
        assert_eq!(save(&opened), Ok(SavedTokens::Fine));
        for other in [
            changed(Key::Scope, "mail"),
            changed(Key::ClientSecret, "another"),
        ] {
            alone(&place, &other);
            assert_eq!(save(&opened), Err(SaveError::Changed));
            assert_eq!(save(&other), Ok(SavedTokens::Fine));
            alone(&place, &opened);
        }
        // A relative path is saved from the root.
        let relative = changed(Key::CaFile, "ca.pem");
        alone(&place, &relative);
        assert_eq!(save(&relative), Ok(SavedTokens::Fine));
        std::fs::remove_file(place.settings()).unwrap();
        assert_eq!(save(&opened), Err(SaveError::Gone));
        assert!(!place.settings().exists());
    }

    #[test]
    fn tokens_match_the_settings_saved_with_them() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(&folder);
        let mut settings = settings("");
        settings.set(Key::CaFile, "none/ca.pem".to_owned());
        settings.set(Key::ClientKey, "~/none/a key.pem".to_owned());
        settings.set(Key::ClientCertificate, "none/cert.pem".to_owned());
        settings.set(Key::Scope, "b a".to_owned());
        with_tokens(&place, &settings, &set_of(None));
        // As a refresh does.
        let differs = || {
            let file = SettingsFile::read(&place).unwrap();
            let form = file.form(Browser::Elsewhere, &mut Library::load_user());
            let form = form.unwrap();
            let now = issued_for(&request(&form).unwrap(), &form, None, None);
            difference(&Record::read(&place.record()).unwrap().issued_for, &now)
        };
        assert_eq!(differs(), None);
        let text = std::fs::read_to_string(place.settings()).unwrap();
        for (from, to, changed) in [
            ("\"b a\"", "\"a b\"", None),
            ("\"b a\"", "\"a b c\"", Some("scope")),
            ("ca.pem", "other.pem", Some("CA file")),
            ("a key.pem", "other.pem", Some("client key")),
            ("cert.pem", "other.pem", Some("client certificate")),
        ] {
            assert!(text.contains(from), "{text}");
            std::fs::write(place.settings(), text.replace(from, to)).unwrap();
            assert_eq!(differs(), changed, "{to}");
        }
    }

    /// A profile with tokens in a store, whose commands are these scripts in the folder.
    #[cfg(unix)]
    fn in_store(folder: &tempfile::TempDir, read: &str, write: &str) -> Store {
        let shell = |script: &str| {
            let script = format!("cd '{}' || exit 1; {script}", folder.path().display());
            ["/bin/sh".to_owned(), "-c".to_owned(), script].to_vec()
        };
        Store::new(
            crate::profile::store_kind::StoreKind::Command,
            shell(read),
            shell(write),
        )
        .unwrap()
    }

    #[cfg(unix)]
    #[test]
    fn trial_of_a_store_keeps_tokens_that_cannot_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(&folder);
        let settings = settings("");
        let request = request(&settings).unwrap();
        let saving = |store: &Store| Saving {
            store: Some(store.clone()),
            ..saving(&place, &settings, &request, None)
        };
        let kept = folder.path().join("kept");
        let read = "[ -e banner ] && echo Reading...; cat kept";
        let own = in_store(&folder, read, "cat >kept");
        let set = token_set(Some("refresh"));
        let saved = saving(&own).with_tokens(&obtained(&set), None);
        assert_eq!(saved, Ok(SavedTokens::Fine));
        let before = std::fs::read(&kept).unwrap();
        std::fs::write(folder.path().join("banner"), "").unwrap();
        for wrong in ["true", "echo Reading...; cat kept", "false"] {
            let other = in_store(&folder, wrong, "cat >kept");
            assert!(move_to(&place, other.clone()).is_err(), "{wrong}");
            assert!(saving(&other).alone().is_err(), "{wrong}");
            assert_eq!(std::fs::read(&kept).unwrap(), before, "{wrong}");
        }
        assert!(move_to(&place, own).is_err());
        // Before a sign-in, a command that prints other text is refused.
        let error = try_place(&place).unwrap_err().to_string();
        assert!(error.contains("prints other text"), "{error}");
        assert_eq!(std::fs::read(&kept).unwrap(), before);
        let corrected = in_store(&folder, "cat kept", "cat >kept");
        move_to(&place, corrected.clone()).unwrap();
        // After the user emptied or removed the entry, a sign-in replaces the tokens, also in another store.
        let other = in_store(&folder, "cat other", "cat >other");
        for (store, is_removed) in [(&corrected, false), (&corrected, true), (&other, true)] {
            std::fs::write(&kept, "").unwrap();
            if is_removed {
                std::fs::remove_file(&kept).unwrap();
            }
            assert_eq!(try_place(&place), Ok(()));
            assert_eq!(kept.exists(), !is_removed);
            let saved = saving(store).with_tokens(&obtained(&set), None);
            assert_eq!(saved, Ok(SavedTokens::Fine));
            assert!(Record::read(&place.record()).is_ok());
        }
    }

    #[cfg(unix)]
    #[test]
    fn locked_store_is_not_tried_before_a_sign_in() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(&folder);
        let settings = settings("");
        let request = request(&settings).unwrap();
        let saving = |store: &Store| Saving {
            store: Some(store.clone()),
            ..saving(&place, &settings, &request, None)
        };
        let set = token_set(Some("refresh"));
        let store = |read: &str| in_store(&folder, read, "cat >kept");
        let own = store("[ ! -e locked ] && cat kept");
        let saved = saving(&own).with_tokens(&obtained(&set), None);
        assert_eq!(saved, Ok(SavedTokens::Fine));
        let (kept, locked) = (folder.path().join("kept"), folder.path().join("locked"));
        let before = std::fs::read(&kept).unwrap();
        std::fs::write(&locked, "").unwrap();
        assert_eq!(try_place(&place), Ok(()));
        // The same store under another name, in settings that were edited by hand.
        let renamed = store("[ ! -e  locked ] && cat kept");
        assert_eq!(
            try_out(&place, &renamed.commands().unwrap(), Purpose::Replace),
            Ok(())
        );
        assert!(try_out(&place, &renamed.commands().unwrap(), Purpose::Keep).is_err());
        assert!(saving(&renamed).alone().is_err() && move_to(&place, renamed).is_err());
        // An entry of another profile.
        let foreign = String::from_utf8(before.clone()).unwrap();
        let foreign = foreign.replace("\"office\"", "\"desk\"");
        let foreign = foreign.replace("\"lineage\":\"", "\"lineage\":\"x");
        std::fs::write(folder.path().join("desk"), &foreign).unwrap();
        let desk = in_store(&folder, "cat desk", "cat >desk");
        let error = saving(&desk)
            .with_tokens(&obtained(&set), None)
            .unwrap_err();
        assert!(error.to_string().contains("profile desk"), "{error}");
        assert_eq!(std::fs::read(&kept).unwrap(), before);
        std::fs::remove_file(&locked).unwrap();
        assert!(Record::read(&place.record()).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn tokens_that_a_trial_destroyed_are_put_back() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(&folder);
        let settings = settings("");
        with_tokens(&place, &settings, &token_set(Some("refresh")));
        move_to(&place, in_store(&folder, "cat kept", "cat >kept")).unwrap();
        for read in ["cat  kept", "false"] {
            let faulty = in_store(&folder, read, ">kept; exit 1");
            let error = move_to(&place, faulty).unwrap_err();
            let is_kept = matches!(error, SaveError::File(PrivateError::Keeping(_)));
            assert!(is_kept, "{read}: {error}");
            let record = Record::read(&place.record()).unwrap();
            assert_eq!(record.tokens.unwrap().access_token(), "access", "{read}");
        }
    }

    #[test]
    fn mismatch_of_settings_and_tokens_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(&folder);
        let mut settings = settings("");
        with_tokens(&place, &settings, &set_of(None));
        settings.set(Key::Scope, "mail".to_owned());
        assert_eq!(alone(&place, &settings), SavedTokens::Unfit("scope"));
        assert_eq!(
            with_tokens(&place, &settings, &set_of(None)),
            SavedTokens::Fine
        );
    }
}
