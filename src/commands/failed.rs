//! Formats a system error as a sentence.

use std::io;

use crate::clean::system_reason;

/// Returns an error that says what failed and why, without the system's error number.
pub(super) fn failed(what: &str, error: &io::Error) -> io::Error {
    let reason = error.to_string();
    io::Error::new(error.kind(), format!("{what}: {}.", system_reason(&reason)))
}
