//! Keys of a client in a certificate store of Windows. They stay there, and sign there.

mod found;
#[cfg(windows)]
mod windows;
pub mod words;

use std::time::SystemTime;

pub use self::found::ListedKey;
pub(super) use self::found::Opened;
use crate::certificate::store_path::StorePath;

/// What to say where there is no store.
#[cfg(not(windows))]
const ELSEWHERE: &str = "Certificate stores exist only on Windows. Enter the path of a PEM file.";

/// Opens the key of a certificate. Does not wait for a user: a key that requires a PIN is an error.
///
/// # Errors
/// Why the key can't be used, in sentences.
#[cfg(windows)]
pub(super) fn open(path: &StorePath) -> Result<Opened, String> {
    windows::open(path)
}

/// The same elsewhere: there is none.
#[cfg(not(windows))]
pub(super) fn open(_path: &StorePath) -> Result<Opened, String> {
    Err(ELSEWHERE.to_owned())
}

/// The certificates with a private key, as of the time `now`: those of the machine, then those of the user.
///
/// # Errors
/// Why they can't be listed, in a sentence.
#[cfg(windows)]
pub fn list(now: SystemTime) -> Result<Vec<ListedKey>, String> {
    windows::list(now)
}

/// The same elsewhere: there are none.
///
/// # Errors
/// Always.
#[cfg(not(windows))]
pub fn list(_now: SystemTime) -> Result<Vec<ListedKey>, String> {
    Err(ELSEWHERE.to_owned())
}

#[cfg(all(test, not(windows)))]
mod tests {
    use super::*;

    #[test]
    fn there_is_no_store_except_on_windows() {
        let told = list(SystemTime::now()).map(|keys| keys.len());
        assert_eq!(told, Err(ELSEWHERE.to_owned()));
    }
}
