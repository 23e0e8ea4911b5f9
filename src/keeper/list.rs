//! Reads all profiles for the list: their settings and the state of their tokens.

use super::profile::outline;
use super::refresh::unix_time;
use crate::oauth::tools::Tool;
use crate::presets::Library;
use crate::profile::places::{Place, Places};
use crate::profile::settings_file::SettingsFile;
use crate::session::profiles::{Listed, Standing};
use crate::store::private::PrivateError;
use crate::store::record::{Record, RecordError};

/// Maximum number of profiles in the list.
const MOST: usize = 1000;

/// Returns all profiles, sorted by name.
#[must_use]
pub fn list(places: &Places, library: &mut Library) -> Vec<Listed> {
    let now = unix_time();
    let all = places.all().into_iter().take(MOST);
    all.map(|place| {
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
        let (preset, user, standing, revocation) = match file {
            Ok((file, settings)) => {
                let preset = settings.as_ref().map(|settings| &settings.preset().name);
                let preset = preset.map_or_else(|| file.preset().to_owned(), Clone::clone);
                let (user, standing, has_tokens) = standing_of(&place, now);
                let user = user.or_else(|| file.user().map(str::to_owned));
                let revocation = settings
                    .filter(|_| has_tokens)
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
        Listed {
            place,
            preset,
            user,
            standing,
            revocation,
            store,
        }
    })
    .collect()
}

/// Returns the user, the state of the tokens, and whether the profile has tokens.
fn standing_of(place: &Place, now: u64) -> (Option<String>, Standing, bool) {
    match Record::outline(&place.record()) {
        Ok(record) => {
            let standing = standing(&record, now);
            (record.issued_for.user, standing, record.tokens.is_some())
        }
        Err(RecordError::File(PrivateError::Missing(_))) => (None, Standing::New, false),
        Err(error) => (None, Standing::Unusable(error.to_string()), false),
    }
}

/// Returns the state of the tokens of a record at `now`.
#[must_use]
pub fn standing(record: &Record, now: u64) -> Standing {
    match (&record.rejected, &record.tokens) {
        (Some(rejected), _) => Standing::Rejected {
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends on what it did not expect")]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::store::private;
    use crate::store::record::IssuedFor;

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
    fn there_is_nothing_to_revoke_before_the_first_token() {
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
