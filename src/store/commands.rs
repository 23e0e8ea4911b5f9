//! The user's own commands that keep the secrets of a record, such as those of pass: one stores the secrets, the other
//! prints them. They are run without a shell. Secrets count as stored only after they were printed again: a command may
//! end without an error although it stored nothing, or stored the secrets where the other command doesn't look.

use std::thread::sleep;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

use super::origin::random_text;
use super::program::{ProgramError, run};
use crate::clean::clean;
use crate::secret::wipe;

/// How long to retry the command if it doesn't store new tokens.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long to retry it before a refresh, whose caller waits.
const SHORT_PATIENCE: Duration = Duration::from_secs(10);
/// The pause before the first retry. Each later pause is twice as long as the previous one.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The text that replaces the secrets of a deleted profile.
const NOTHING: &[u8] = b"{\"format\":1}\n";

/// The two commands, each a program and its arguments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreCommands {
    /// The command that prints what was stored.
    pub read: Vec<String>,
    /// The command that stores its standard input and replaces what was stored before.
    pub write: Vec<String>,
}

impl StoreCommands {
    /// Returns the name of the program that prints the secrets, for messages.
    #[must_use]
    pub fn name(&self) -> String {
        clean(self.read.first().map_or("", String::as_str), 80)
    }

    /// Returns the name of the program that stores the secrets, for messages.
    #[must_use]
    pub fn write_name(&self) -> String {
        clean(self.write.first().map_or("", String::as_str), 80)
    }

    /// Returns what the store contains.
    ///
    /// # Errors
    /// Returns an error if the command fails.
    pub fn secrets(&self) -> Result<Zeroizing<Vec<u8>>, ProgramError> {
        run(&self.read, b"")
    }

    /// Stores `bytes`, a JSON object, and checks that the other command prints them and nothing else. An additional member
    /// distinguishes them from what was stored before.
    ///
    /// # Errors
    /// Returns an error if a command fails, or if what was stored isn't printed.
    pub fn keep(&self, bytes: &[u8]) -> Result<(), ProgramError> {
        let stored = marked(bytes, &random_text());
        run(&self.write, &stored)?;
        let printed = self.secrets()?;
        // Programs may format JSON in their own way.
        if Content::of(&stored) == Content::of(&printed) {
            return Ok(());
        }
        let stored = stored.trim_ascii();
        let what = if printed.windows(stored.len()).any(|part| part == stored) {
            "prints other text before or after the tokens. Use one that prints only what was stored"
        } else {
            "doesn't print what it stored"
        };
        let problem = format!(
            "ended without an error, but the command {} {what}",
            self.name()
        );
        Err(ProgramError::of(&self.write, problem))
    }

    /// Stores `bytes` like [`keep`](Self::keep), and retries for 20 seconds.
    ///
    /// # Errors
    /// Returns an error if the command still fails.
    pub fn keep_patiently(&self, bytes: &[u8]) -> Result<(), ProgramError> {
        patiently(PATIENCE, FIRST_PAUSE, || self.keep(bytes))
    }

    /// Does the same for 10 seconds.
    ///
    /// # Errors
    /// Returns an error if the command still fails.
    pub fn keep_soon(&self, bytes: &[u8]) -> Result<(), ProgramError> {
        patiently(SHORT_PATIENCE, FIRST_PAUSE, || self.keep(bytes))
    }

    /// Checks whether the commands work, with a text that contains no secret. The text replaces what is stored.
    ///
    /// # Errors
    /// Returns the errors of [`keep`](Self::keep).
    pub fn try_out(&self) -> Result<(), ProgramError> {
        self.keep(NOTHING)
    }

    /// Replaces the secrets with a text that contains none.
    ///
    /// # Errors
    /// Returns an error if the command fails.
    pub fn clear(&self) -> Result<(), ProgramError> {
        run(&self.write, NOTHING).map(drop)
    }
}

/// Parsed JSON with secrets, which are wiped on drop. Any text that is not JSON is `None`.
#[derive(PartialEq)]
struct Content(Option<Value>);

impl Content {
    fn of(bytes: &[u8]) -> Self {
        Self(serde_json::from_slice(bytes).ok())
    }
}

impl Drop for Content {
    fn drop(&mut self) {
        self.0.iter_mut().for_each(wipe);
    }
}

/// Appends a member to a JSON object.
fn marked(object: &[u8], mark: &str) -> Zeroizing<Vec<u8>> {
    let last = object.iter().rposition(|byte| *byte == b'}');
    let (begin, end) = object.split_at(last.unwrap_or(object.len()));
    let member = format!(",\"stored\":\"{mark}\"");
    // Allocated at its full size, because a vector that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(object.len() + member.len()));
    bytes.extend_from_slice(begin);
    bytes.extend_from_slice(member.as_bytes());
    bytes.extend_from_slice(end);
    bytes
}

/// Runs `action`, and retries it after growing pauses while it fails and the next pause ends within `limit`.
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
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn shell(script: &str) -> Vec<String> {
        ["/bin/sh", "-c", script].map(str::to_owned).to_vec()
    }

    #[test]
    fn stored_value_is_readable_until_cleared() {
        let folder = tempfile::tempdir().unwrap();
        let kept = folder.path().join("kept").display().to_string();
        let commands = StoreCommands {
            read: shell(&format!("cat '{kept}'")),
            write: shell(&format!("cat >'{kept}'")),
        };
        assert_eq!(commands.name(), "/bin/sh");
        assert!(commands.secrets().is_err());
        let value = || {
            let bytes = commands.secrets().unwrap();
            serde_json::from_slice::<serde_json::Value>(&bytes).unwrap()["value"].take()
        };
        commands.keep(b"{\"value\":1}\n").unwrap();
        assert_eq!(value(), 1);
        commands.keep_patiently(b"{\"value\":{\"a\":2}}\n").unwrap();
        assert_eq!(value()["a"], 2);
        commands.clear().unwrap();
        assert_eq!(*commands.secrets().unwrap(), NOTHING);
    }

    #[test]
    fn store_fails_unless_the_read_command_prints_the_value() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let (kept, other) = (path("kept"), path("other"));
        let text = b"{\"value\":1}\n";
        let commands = |read: &str, write: &str| StoreCommands {
            read: shell(read),
            write: shell(write),
        };
        let good = commands(&format!("cat '{kept}'"), &format!("cat >'{kept}'"));
        good.keep(text).unwrap();
        std::fs::copy(&kept, &other).unwrap();
        // Each of these ends without an error. The first three leave an earlier text with the same content.
        for (read, write) in [
            (format!("cat '{kept}'"), "cat >/dev/null".to_owned()),
            (format!("cat '{other}'"), format!("cat >'{kept}'")),
            (format!("cat '{kept}'"), format!("head -c 9 >'{kept}'")),
            ("exit 0".to_owned(), format!("cat >'{kept}'")),
        ] {
            let error = commands(&read, &write).keep(text).unwrap_err().to_string();
            assert!(
                error.ends_with(" doesn't print what it stored."),
                "{read}, {write}: {error}"
            );
        }
        let error = commands("exit 1", "cat >/dev/null").try_out().unwrap_err();
        assert!(error.to_string().contains("exit code 1"), "{error}");
        for script in [
            "echo Reading...; cat '{}'",
            "cat '{}'; echo read",
            "cat '{}' '{}'",
        ] {
            let read = script.replace("{}", &kept);
            let error = commands(&read, &format!("cat >'{kept}'"))
                .keep(text)
                .unwrap_err();
            let words = "prints other text before or after the tokens. Use one that prints only what was stored.";
            assert!(error.to_string().ends_with(words), "{read}: {error}");
        }
        // The command may print the JSON object in another format.
        let spaced = format!("sed 's/,/ ,\\n /g' '{kept}'");
        commands(&spaced, &format!("cat >'{kept}'"))
            .keep(text)
            .unwrap();
    }

    #[test]
    fn failing_command_is_retried_until_it_succeeds() {
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
    fn retries_back_off_and_stop_at_the_limit() {
        let tries = Cell::new(0);
        let never = || {
            tries.set(tries.get() + 1);
            // At 0, 10, 30, 70 and 150 milliseconds. The next pause would end after 310 milliseconds.
            assert!(tries.get() <= 5);
            run(&[], b"").map(drop)
        };
        let (limit, pause) = (Duration::from_millis(300), Duration::from_millis(10));
        assert!(patiently(limit, pause, never).is_err());
    }
}
