//! Creates, reads and deletes the loopback listener's certificates for https, in the user's folder.

use std::time::SystemTime;

use crate::certificate::created::{self, paths};
use crate::certificate::load;
use crate::store::file::Readers;
use crate::store::folders;

const NO_FOLDER: &str = "Can't store a certificate: no home folder is set.";

/// Creates a certificate for `host`. Returns its fingerprint, and who can read its private key.
///
/// # Errors
/// Returns an error, as a sentence, if that fails.
pub fn create(host: &str) -> Result<(String, Readers), String> {
    let folder = folders::certificates().ok_or(NO_FOLDER)?;
    let now = SystemTime::now();
    created::create(&folder, host, now)
        .and_then(|(files, readers)| Ok((load(&files, host, now)?.about.fingerprint, readers)))
        .map_err(|error| format!("{error} {}", error.hint()))
}

/// Returns the fingerprint of the certificate for `host`, if there is one.
///
/// # Errors
/// Returns an error, as a sentence, if the certificate can't be used.
pub fn fingerprint(host: &str) -> Result<Option<String>, String> {
    let folder = folders::certificates().ok_or(NO_FOLDER)?;
    let Some(files) = paths(&folder, host).filter(|files| files.certificate.exists()) else {
        return Ok(None);
    };
    load(&files, host, SystemTime::now())
        .map(|certificate| Some(certificate.about.fingerprint))
        .map_err(|error| format!("{error} {}", error.hint()))
}

/// Deletes the certificate for `host`. Returns whether there was one.
///
/// # Errors
/// Returns an error, as a sentence, if that fails.
pub fn delete(host: &str) -> Result<bool, String> {
    let folder = folders::certificates().ok_or(NO_FOLDER)?;
    created::delete(&folder, host)
        .map_err(|error| format!("The certificate could not be deleted: {error}."))
}
