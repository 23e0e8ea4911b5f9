//! An error of the system as a sentence.

use std::io;

use crate::clean::system_reason;

/// What failed, and why, without the number of the error.
pub(super) fn failed(what: &str, error: &io::Error) -> io::Error {
    let reason = error.to_string();
    io::Error::new(error.kind(), format!("{what}: {}.", system_reason(&reason)))
}
