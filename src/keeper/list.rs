//! Reads all profiles for the list: their settings and the state of their tokens.

use std::time::UNIX_EPOCH;

use super::profile::{Profile, changed_text, outline};
use crate::clock::unix_time;
use crate::oauth::tools::Tool;
use crate::presets::Library;
use crate::profile::places::{Place, Places};
use crate::profile::settings_file::SettingsFile;
use crate::secret::{ExposeSecret, SecretString, same};
use crate::session::profiles::{Listed, Standing};
use crate::store::private::PrivateError;
use crate::store::record::Record;
use crate::store::record_error::RecordError;
use crate::store::tokens::Tokens;

/// Maximum number of profiles in the list.
const MOST: usize = 1000;

/// Returns all profiles, sorted by name.
#[must_use]
pub fn list(places: &Places, library: &mut Library) -> Vec<Listed> {
    let now = unix_time();
    let all = places.all().into_iter().take(MOST);
    let mut refresh_tokens = Vec::new();
    let listed = all.map(|place| {
        let outlined = outline(&place, library);
        let file = match outlined {
            Ok((file, settings)) => Ok((file, Some(settings))),
            // The preset may be missing. The rest of the entry is still listed.
            Err(_) => SettingsFile::read(&place).map(|file| (file, None)),
        };
        let store = file
            .as_ref()
            .ok()
            .and_then(|(file, _)| file.store().cloned());
        let mut refresh_token = None;
        let (preset, user, standing, revocation) = match file {
            Ok((file, settings)) => {
                let preset = settings.as_ref().map(|settings| &settings.preset().name);
                let preset = preset.map_or_else(|| file.preset().to_owned(), Clone::clone);
                let (user, standing, tokens) = standing_of(&place, &file.digest, now, library);
                // It is empty if a command stores it.
                refresh_token = tokens
                    .as_ref()
                    .and_then(|it| it.refresh_token.clone())
                    .filter(|token| !token.expose_secret().is_empty());
                let user = user.or_else(|| file.user().map(str::to_owned));
                let revocation = settings
                    .filter(|_| tokens.is_some())
                    .map(|settings| settings.may_offer(Tool::Revocation, None));
                (preset, user, standing, revocation)
            }
            Err(error) => (
                String::new(),
                None,
                Standing::Unusable(error.to_string()),
                None,
            ),
        };
        refresh_tokens.push(refresh_token);
        Listed {
            place,
            preset,
            user,
            standing,
            revocation,
            twin: None,
            store,
        }
    });
    let mut listed: Vec<Listed> = listed.collect();
    for (at, own) in refresh_tokens.iter().enumerate() {
        let is_twin = |other: &Option<SecretString>| {
            let both = own.as_ref().zip(other.as_ref());
            both.is_some_and(|(own, other)| same(own, other.expose_secret()))
        };
        let others = refresh_tokens.iter().enumerate();
        let twin = others
            .filter(|(other, _)| *other != at)
            .find_map(|(other, token)| is_twin(token).then_some(other));
        listed[at].twin = twin.map(|twin| listed[twin].place.name.to_string());
    }
    listed
}

/// Returns the user, the state of the tokens, and the tokens, without those that a command stores.
fn standing_of(
    place: &Place,
    settings: &str,
    now: u64,
    library: &mut Library,
) -> (Option<String>, Standing, Option<Tokens>) {
    match Record::outline(&place.record()) {
        Ok(record) => {
            let standing = standing(place, settings, &record, now, library);
            (record.issued_for.user, standing, record.tokens)
        }
        Err(RecordError::File(PrivateError::Missing(_))) => (None, Standing::New, None),
        Err(error) => (None, Standing::Unusable(error.to_string()), None),
    }
}

/// Returns the state of the tokens of a record at `now`. `settings` is the digest of the current settings.
#[must_use]
pub fn standing(
    place: &Place,
    settings: &str,
    record: &Record,
    now: u64,
    library: &mut Library,
) -> Standing {
    match (&record.rejected, &record.tokens) {
        (Some(rejected), _) => Standing::SignInAgain {
            at: rejected.at,
            error: rejected.error.clone(),
        },
        // The next use requests a token.
        (None, None) if record.issued_for.is_without_user() => Standing::Tokens {
            expires_at: Some(now),
            refresh_at: None,
            sign_in_by: None,
        },
        (None, None) => Standing::New,
        (None, Some(tokens)) => {
            let sign_in_by = record.sign_in_by();
            if sign_in_by.is_some_and(|end| end <= now) {
                Standing::NoTokens
            } else if let Some(unfit) = unfit(place, settings, record, now, library) {
                unfit
            } else {
                Standing::Tokens {
                    expires_at: tokens.expires_at,
                    refresh_at: tokens.refresh_obtained_at,
                    sign_in_by,
                }
            }
        }
    }
}

/// Returns why the tokens of a record can't be used with the current settings.
fn unfit(
    place: &Place,
    settings: &str,
    record: &Record,
    now: u64,
    library: &mut Library,
) -> Option<Standing> {
    if settings == record.settings {
        return None;
    }
    match Profile::changed_setting(place, record, library) {
        Ok(name) => Some(Standing::SignInAgain {
            at: changed_at(place).unwrap_or(now),
            error: changed_text(name?),
        }),
        Err(outcome) => Some(Standing::Unusable(outcome.error)),
    }
}

/// Returns when the settings were written, in seconds since 1970.
fn changed_at(place: &Place) -> Option<u64> {
    let written = std::fs::metadata(place.settings()).ok()?.modified().ok()?;
    Some(written.duration_since(UNIX_EPOCH).ok()?.as_secs())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::store::issued_for::IssuedFor;
    use crate::store::private;

    #[test]
    fn a_profile_that_cannot_be_used_is_listed_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let mut file = private::create(&folder.path().join(name)).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        };
        write("broken.toml", "format = 1\nprset = \"x\"\n");
        write("new.toml", "format = 1\npreset = \"microsoft-mail\"\n");
        write(
            "torn.toml",
            "format = 1\n[mail]\nuser = \"bob@example.org\"\n",
        );
        write("torn.record", "{\"format\":1");
        let places = Places::new(Some(folder.path())).unwrap();
        let list = list(&places, &mut Library::default());
        let [broken, new, torn] = <[Listed; 3]>::try_from(list).unwrap();
        let is_unusable = |listed: &Listed, words: &str| match &listed.standing {
            Standing::Unusable(reason) => reason.contains(words),
            _ => false,
        };
        assert!(is_unusable(&broken, "unknown field"), "{broken:?}");
        assert_eq!(new.standing, Standing::New);
        assert_eq!(new.preset, "Microsoft 365 mail");
        assert!(is_unusable(&torn, "damaged"), "{torn:?}");
        assert_eq!(torn.user.as_deref(), Some("bob@example.org"));
    }

    #[test]
    fn profiles_with_the_same_refresh_token_name_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, refresh_token: Option<&str>| {
            let create = |file: &str, bytes: &[u8]| {
                let mut file = private::create(&folder.path().join(file)).unwrap();
                file.write_all(bytes).unwrap();
            };
            create(&format!("{name}.toml"), b"format = 1\npreset = \"auth0\"\n");
            let issued_for: IssuedFor = serde_json::from_value(serde_json::json!({
                "token_url": "https://as.example/token", "client_id": "me", "client_authentication": "basic",
                "scope": [], "flow": "device-code", "ca_file": null, "header": "Bearer", "user": null,
            }))
            .unwrap();
            let set: Tokens = serde_json::from_value(serde_json::json!({
                "access_token": name, "token_type": null, "obtained_at": 1, "expires_at": null, "scope": null,
                "refresh_token": refresh_token, "refresh_obtained_at": null, "refresh_not_before": null,
                "refresh_expires_at": null, "id_token": null, "kept": [], "token_url": null, "redirect_url": null,
            }))
            .unwrap();
            let record = Record {
                tokens: Some(set),
                ..Record::new(name, String::new(), issued_for, None, None)
            };
            create(&format!("{name}.record"), &record.to_bytes());
        };
        for (name, refresh_token) in [
            ("a", Some("one")),
            ("b", Some("two")),
            ("c", Some("one")),
            ("d", None),
            ("e", None),
        ] {
            write(name, refresh_token);
        }
        let places = Places::new(Some(folder.path())).unwrap();
        let list = list(&places, &mut Library::default());
        let twins: Vec<Option<&str>> = list.iter().map(|listed| listed.twin.as_deref()).collect();
        assert_eq!(twins, [Some("c"), None, Some("a"), None, None]);
    }

    #[test]
    fn tokens_of_other_settings_require_a_sign_in() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            let mut file = private::create(&folder.path().join(name)).unwrap();
            file.write_all(bytes).unwrap();
        };
        let issued_for: IssuedFor = serde_json::from_value(serde_json::json!({
            "token_url": "https://as.example/token", "client_id": "me", "client_authentication": "none",
            "scope": [], "flow": "device-code", "ca_file": null, "header": "Bearer", "user": null,
        }))
        .unwrap();
        let tokens: Tokens = serde_json::from_value(serde_json::json!({
            "access_token": "a", "token_type": null, "obtained_at": 1, "expires_at": null, "scope": null,
            "refresh_token": null, "refresh_obtained_at": null, "refresh_not_before": null,
            "refresh_expires_at": null, "id_token": null, "kept": [], "token_url": null, "redirect_url": null,
        }))
        .unwrap();
        for (name, client) in [("other", "you"), ("same", "me"), ("wrong", "")] {
            let settings = format!(
                "format = 1\npreset = \"custom\"\n[settings]\nclient_id = \"{client}\"\nflow = \"device-code\"\n\
                 token_url = \"https://as.example/token\"\n\
                 device_url = \"https://as.example/device\"\n"
            );
            write(&format!("{name}.toml"), settings.as_bytes());
            let record = Record {
                tokens: Some(tokens.clone()),
                ..Record::new(name, "old".to_owned(), issued_for.clone(), None, None)
            };
            write(&format!("{name}.record"), &record.to_bytes());
        }
        let places = Places::new(Some(folder.path())).unwrap();
        let list = list(&places, &mut Library::default());
        let [other, same, wrong] = <[Listed; 3]>::try_from(list).unwrap();
        assert_eq!(other.standing.words(2), "sign in again", "{other:?}");
        assert!(
            matches!(&other.standing, Standing::SignInAgain { error, .. } if error.starts_with("The client ID has changed")),
            "{other:?}"
        );
        assert_eq!(same.standing.words(2), "token", "{same:?}");
        assert_eq!(wrong.standing.words(2), "unusable", "{wrong:?}");
    }

    #[test]
    fn nothing_can_be_revoked_before_the_first_token() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            let mut file = private::create(&folder.path().join(name)).unwrap();
            file.write_all(bytes).unwrap();
        };
        write("api.toml", b"format = 1\npreset = \"auth0\"\n");
        let issued_for: IssuedFor = serde_json::from_value(serde_json::json!({
            "token_url": "https://as.example/token", "client_id": "me", "client_authentication": "basic",
            "scope": [], "flow": "client-credentials", "ca_file": null, "header": "Bearer", "user": null,
        }))
        .unwrap();
        let record = Record::new("api", String::new(), issued_for, None, None);
        write("api.record", &record.to_bytes());
        let places = Places::new(Some(folder.path())).unwrap();
        let list = list(&places, &mut Library::default());
        let [api] = <[Listed; 1]>::try_from(list).unwrap();
        // The next use requests a token.
        assert!(matches!(api.standing, Standing::Tokens { .. }), "{api:?}");
        assert_eq!(api.revocation, None);
    }
}
