//! The client's keys in a Windows certificate store. A key never leaves the store, and signs in it.

mod found;
#[cfg(windows)]
mod windows;
pub mod words;

use std::time::SystemTime;

pub use self::found::ListedKey;
pub(super) use self::found::Opened;
use crate::certificate::store_path::StorePath;

/// The error on systems without certificate stores.
#[cfg(not(windows))]
const ELSEWHERE: &str = "Certificate stores exist only on Windows. Enter the path of a PEM file.";

/// Opens the key of a certificate. Never waits for the user: a key that requires a PIN is an error.
///
/// # Errors
/// Returns why the key can't be used, in sentences.
#[cfg(windows)]
pub(super) fn open(path: &StorePath) -> Result<Opened, String> {
    windows::open(path)
}

/// Returns an error, because this system has no certificate stores.
#[cfg(not(windows))]
pub(super) fn open(_path: &StorePath) -> Result<Opened, String> {
    Err(ELSEWHERE.to_owned())
}

/// Lists the certificates with a private key, of the machine and then of the user. Their validity is checked at `now`.
///
/// # Errors
/// Returns why the certificates can't be listed, in a sentence.
#[cfg(windows)]
pub fn list(now: SystemTime) -> Result<Vec<ListedKey>, String> {
    windows::list(now)
}

/// Returns an error, because this system has no certificate stores.
///
/// # Errors
/// Always returns an error.
#[cfg(not(windows))]
pub fn list(_now: SystemTime) -> Result<Vec<ListedKey>, String> {
    Err(ELSEWHERE.to_owned())
}

#[cfg(all(test, not(windows)))]
mod tests {
    use super::*;

    #[test]
    fn key_store_is_unavailable_outside_windows() {
        let told = list(SystemTime::now()).map(|keys| keys.len());
        assert_eq!(told, Err(ELSEWHERE.to_owned()));
    }
}
