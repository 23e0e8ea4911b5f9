//! The early end of a command.

use std::io;

/// Why a command ends early.
pub(super) enum Stop {
    /// The command has said why. Contains the exit code.
    Said(u8),
    /// A stream can't be read or written to.
    Failed(io::Error),
}

/// The exit code of a command, or why it ended early.
pub(super) type Ended = Result<u8, Stop>;

impl From<u8> for Stop {
    fn from(code: u8) -> Self {
        Self::Said(code)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// Returns the exit code of a command.
///
/// # Errors
/// Returns an error if a stream can't be read or written to.
pub(super) fn folded(ended: Ended) -> io::Result<u8> {
    match ended {
        Ok(code) | Err(Stop::Said(code)) => Ok(code),
        Err(Stop::Failed(error)) => Err(error),
    }
}
