//! Deletes and renames profiles.

use std::path::Path;

use super::profile::{file_outcome, settings_outcome};
use super::save::{current, lock};
use super::save_error::SaveError;
use crate::outcome::exit;
use crate::profile::name::ProfileName;
use crate::profile::places::{Place, Places};
use crate::profile::settings_file::{SettingsError, read_bytes};
use crate::store::attempt::Outcome;
use crate::store::private::{self, PrivateError};
use crate::store::record::Record;
use crate::store::reserved::Reserved;

/// Deletes the files of a profile. The lock file stays, because another process may be waiting for it.
///
/// # Errors
/// Returns an error, as a sentence, if the profile can't be deleted.
pub fn delete(place: &Place) -> Result<(), String> {
    let words = |error: SaveError| error.to_string();
    let file = |error: PrivateError| error.to_string();
    private::check_folder(place.settings_folder()).map_err(file)?;
    let has_record_folder = place.record_folder().exists();
    let _lock = if has_record_folder {
        private::check_folder(place.record_folder()).map_err(file)?;
        Some(lock(place).map_err(words)?)
    } else {
        None
    };
    let commands = Record::outline(&place.record()).ok();
    let commands = commands.and_then(|outline| outline.issued_for.store);
    // Delete the secrets first.
    let cleared = commands.map_or(Ok(()), |commands| commands.clear());
    for path in [
        place.record(),
        place.next(),
        place.attempt(),
        place.settings(),
        place.settings_before(),
    ] {
        private::remove(&path).map_err(file)?;
    }
    cleared.map_err(|error| {
        format!("The profile was deleted, but its tokens are still in the store of another program. {error}")
    })
}

/// Renames a profile. The lock file of the old name stays.
///
/// # Errors
/// Returns the outcome to report if the profile can't be renamed. It then keeps its name.
pub fn rename(place: &Place, places: &Places, to: &ProfileName) -> Result<(), Outcome> {
    let words = |error: SaveError| Outcome::new(exit::RECORD, error.to_string());
    let file = |error: PrivateError| file_outcome(&error);
    let new = place.renamed(to);
    let only_case = place.name.is(to.as_str());
    if places.find(to).is_some() && !only_case {
        return Err(Outcome::new(
            exit::USAGE,
            format!(
                "There is already a profile \"{to}\". Choose another name, or delete it first."
            ),
        ));
    }
    read_bytes(place).map_err(|error| settings_outcome(&SettingsError::File(error)))?;
    private::create_folder(place.record_folder()).map_err(file)?;
    private::create_folder(new.record_folder()).map_err(file)?;
    private::share_as(new.record_folder(), place.record_folder()).map_err(file)?;
    let _lock = lock(place).map_err(words)?;
    let _new_lock = if only_case {
        None
    } else {
        Some(lock(&new).map_err(words)?)
    };
    copy_record(place, &new)?;
    let old = place.record();
    let is_copy = old.file_name() != new.record().file_name() && !same_file(&old, &new.record());
    if let Err(error) = rename_settings(place, &new) {
        if is_copy {
            private::remove(&new.record()).map_err(file)?;
        }
        return Err(file(error));
    }
    if is_copy {
        private::remove(&old).map_err(file)?;
    }
    for path in [place.next(), place.attempt()] {
        private::remove(&path).map_err(file)?;
    }
    Ok(())
}

/// Writes the record of a profile under another name.
fn copy_record(place: &Place, new: &Place) -> Result<(), Outcome> {
    let (record, is_read) = match current(place) {
        Ok(None) => return Ok(()),
        Ok(Some(record)) => (record, true),
        // The store of a command may be locked or empty. It needs no change: what it contains fits this sign-in under any
        // name.
        Err(error) => match Record::outline(&place.record()) {
            Ok(outline) if outline.issued_for.store.is_some() => (outline, false),
            _ => return Err(Outcome::new(exit::RECORD, error.to_string())),
        },
    };
    let record = Record {
        profile: new.name.to_string(),
        ..record
    };
    Reserved::take(&new.next(), record.seal)
        .and_then(|reserved| {
            if is_read {
                reserved.store(&record, &new.record())
            } else {
                reserved.store_outline(&record, &new.record())
            }
        })
        .map_err(|error| file_outcome(&error))
}

/// Moves the settings, which switches to the new name: until then, the old profile is complete.
fn rename_settings(place: &Place, new: &Place) -> Result<(), PrivateError> {
    let before = place.settings_before();
    let has_before = before.exists();
    if has_before {
        private::rename(&before, &new.settings_before())?;
    }
    let renamed = private::rename(&place.settings(), &new.settings());
    if renamed.is_err() && has_before {
        private::rename(&new.settings_before(), &before)?;
    }
    renamed
}

/// Checks whether both paths are one file, as on file systems that ignore case.
fn same_file(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}
