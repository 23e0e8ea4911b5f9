//! Deletes and renames profiles.

use std::path::Path;

use super::save::{current, lock};
use super::save_error::SaveError;
use crate::profile::name::ProfileName;
use crate::profile::places::{Place, Places};
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
/// Returns an error, as a sentence, if the profile can't be renamed.
pub fn rename(place: &Place, places: &Places, to: &ProfileName) -> Result<(), String> {
    let words = |error: SaveError| error.to_string();
    let file = |error: PrivateError| error.to_string();
    let new = place.renamed(to);
    let only_case = place.name.is(to.as_str());
    if places.find(to).is_some() && !only_case {
        return Err(format!(
            "There is already a profile \"{to}\". Choose another name, or delete it first."
        ));
    }
    private::create_folder(place.record_folder()).map_err(file)?;
    private::create_folder(new.record_folder()).map_err(file)?;
    private::share_as(new.record_folder(), place.record_folder()).map_err(file)?;
    let _lock = lock(place).map_err(words)?;
    let _new_lock = if only_case {
        None
    } else {
        Some(lock(&new).map_err(words)?)
    };
    if let Some(record) = current(place).map_err(words)? {
        let record = Record {
            profile: to.to_string(),
            ..record
        };
        let reserved = Reserved::take(&new.next(), record.seal).map_err(file)?;
        reserved.store(&record, &new.record()).map_err(file)?;
    }
    if place.settings_before().exists() {
        private::rename(&place.settings_before(), &new.settings_before()).map_err(file)?;
    }
    // This step switches to the new name. Until then, the old profile is complete.
    private::rename(&place.settings(), &new.settings()).map_err(file)?;
    let old = place.record();
    if old.file_name() != new.record().file_name() && !same_file(&old, &new.record()) {
        private::remove(&old).map_err(file)?;
    }
    for path in [place.next(), place.attempt()] {
        private::remove(&path).map_err(file)?;
    }
    Ok(())
}

/// Checks whether both paths are one file, as on file systems that ignore case.
fn same_file(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}
