//! Creates the folders of a profile.

use crate::profile::places::{Owner, Place};
use crate::store::private::{self, PrivateError};

/// Creates the folders of a profile that don't exist yet.
///
/// # Errors
/// Returns an error if a folder can't be created, or if others can change it.
pub(super) fn create_folders(place: &Place) -> Result<(), PrivateError> {
    for folder in [place.settings_folder(), place.record_folder()] {
        if place.owner == Owner::User {
            private::check_parents(folder)?;
        }
        private::create_folder(folder).map_err(|error| match error {
            PrivateError::System {
                path,
                action: action @ "created",
                reason,
            } if place.owner == Owner::User => PrivateError::System {
                path,
                action,
                reason: format!("{reason}. Set HOME, or name another folder with --profiles"),
            },
            error => error,
        })?;
    }
    match &place.account {
        Some(account) => private::grant(place.record_folder(), account),
        None => Ok(()),
    }
}
