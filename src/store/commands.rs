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
/// The time before the first retry; each pause is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
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
        patiently(PATIENCE, FIRST_PAUSE, || self.keep(bytes))
    }

    /// Replaces the secrets with a text that contains none.
    ///
    /// # Errors
    /// If the command fails.
    pub fn clear(&self) -> Result<(), ProgramError> {
        self.keep(NOTHING)
    }
}

/// Does something, and again after a pause while it fails and the pause ends within `limit`.
fn patiently(
    limit: Duration,
    mut pause: Duration,
    action: impl Fn() -> Result<(), ProgramError>,
) -> Result<(), ProgramError> {
    let end = Instant::now() + limit;
    loop {
        match action() {
            Err(_) if Instant::now() + pause < end => sleep(pause),
            outcome => return outcome,
        }
        pause *= 2;
    }
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used, reason = "a test ends on what it did not expect")]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn shell(script: &str) -> Vec<String> {
        ["/bin/sh", "-c", script].map(str::to_owned).to_vec()
    }

    #[test]
    fn what_was_stored_is_printed_until_it_is_cleared() {
        let folder = tempfile::tempdir().unwrap();
        let kept = folder.path().join("kept").display().to_string();
        let commands = StoreCommands {
            read: shell(&format!("cat '{kept}'")),
            write: shell(&format!("cat >'{kept}'")),
        };
        assert_eq!(commands.name(), "/bin/sh");
        assert!(commands.secrets().is_err());
        commands.keep(b"first\n").unwrap();
        assert_eq!(*commands.secrets().unwrap(), b"first\n");
        commands.keep_patiently(b"second\n").unwrap();
        assert_eq!(*commands.secrets().unwrap(), b"second\n");
        commands.clear().unwrap();
        assert_eq!(*commands.secrets().unwrap(), NOTHING);
    }

    #[test]
    fn a_command_that_fails_is_tried_again_until_it_works() {
        let tries = Cell::new(0);
        let third = || {
            tries.set(tries.get() + 1);
            let script = if tries.get() < 3 { "exit 1" } else { "exit 0" };
            run(&shell(script), b"").map(drop)
        };
        patiently(PATIENCE, Duration::from_millis(1), third).unwrap();
        assert_eq!(tries.get(), 3);
    }

    #[test]
    fn a_command_that_keeps_failing_is_tried_less_and_less_often_and_then_given_up() {
        let tries = Cell::new(0);
        let never = || {
            tries.set(tries.get() + 1);
            // At 0, 10, 30, 70 and 150 milliseconds; the next pause would end after 310.
            assert!(tries.get() <= 5);
            run(&[], b"").map(drop)
        };
        let (limit, pause) = (Duration::from_millis(300), Duration::from_millis(10));
        assert!(patiently(limit, pause, never).is_err());
    }
}
