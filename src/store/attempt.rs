//! What is being tried with a profile, and how the last try ended: for the processes that wait for it. Holds no secret.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::private::{self, Audience, PrivateError};

/// More than an attempt ever has.
const LIMIT: u64 = 64 * 1024;

/// One try to refresh. Written by the holder of the lock only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptNote {
    /// Counts the tries of the profile. Numbers are compared, never times: the clocks of two hosts differ.
    pub number: u64,
    /// The process that tries.
    pub pid: u32,
    /// The host that it runs on.
    pub host: String,
    /// When it began, in seconds since 1970.
    pub since: u64,
    /// The generation of the record that it began with.
    pub generation: u64,
    /// The refresh token may have reached the service.
    pub sent: bool,
    /// How it ended; `None` while it goes on, or where its process was stopped.
    pub outcome: Option<Outcome>,
}

/// How a try ended: what each process that waited for it reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The exit code.
    pub code: u8,
    /// What happened; empty where all is well.
    pub error: String,
    /// Why, where that is known.
    pub cause: Option<String>,
    /// What to do.
    pub hint: Option<String>,
}

impl AttemptNote {
    /// The last one; `None` if there was none, or it cannot be read.
    ///
    /// # Errors
    /// Where the file is within reach of other users.
    pub fn read(path: &Path) -> Result<Option<Self>, PrivateError> {
        match private::read(path, Audience::Owner, LIMIT) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(PrivateError::Missing(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Takes the place of the last one, and lasts.
    ///
    /// # Errors
    /// Where the folder cannot be written to.
    pub fn write(&self, path: &Path) -> Result<(), PrivateError> {
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        private::replace(path, &path.with_extension("attempt-next"), &bytes)
    }
}
