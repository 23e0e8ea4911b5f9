//! The user's own commands that keep the secrets of a record, such as those of pass: one stores them, the other prints them.
//! They are run without a shell.

use std::thread::sleep;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::program::{ProgramError, run};
use crate::clean::clean;

/// How long to retry the command if it doesn't store new tokens.
const PATIENCE: Duration = Duration::from_secs(20);
/// The text that replaces the secrets of a deleted profile.
const NOTHING: &[u8] = b"{\"format\":1}\n";

/// The commands: each a program and its arguments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreCommands {
    /// Prints what was stored.
    pub read: Vec<String>,
    /// Stores its standard input, in place of what was stored before.
    pub write: Vec<String>,
}

impl StoreCommands {
    /// The program that prints the secrets, for messages.
    #[must_use]
    pub fn name(&self) -> String {
        clean(self.read.first().map_or("", String::as_str), 80)
    }

    /// What the store has.
    ///
    /// # Errors
    /// If the command fails.
    pub fn secrets(&self) -> Result<Zeroizing<Vec<u8>>, ProgramError> {
        run(&self.read, b"")
    }

    /// Stores `bytes`, one line.
    ///
    /// # Errors
    /// If the command fails.
    pub fn keep(&self, bytes: &[u8]) -> Result<(), ProgramError> {
        run(&self.write, bytes).map(drop)
    }

    /// The same, tried again for 20 seconds.
    ///
    /// # Errors
    /// If the command still fails.
    pub fn keep_patiently(&self, bytes: &[u8]) -> Result<(), ProgramError> {
        let end = Instant::now() + PATIENCE;
        let mut pause = Duration::from_millis(500);
        loop {
            match self.keep(bytes) {
                Err(_) if Instant::now() + pause < end => sleep(pause),
                outcome => return outcome,
            }
            pause *= 2;
        }
    }

    /// Replaces the secrets with a text that contains none.
    ///
    /// # Errors
    /// If the command fails.
    pub fn clear(&self) -> Result<(), ProgramError> {
        self.keep(NOTHING)
    }
}
