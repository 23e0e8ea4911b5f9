//! The latest attempt to refresh a profile and its outcome, for the processes that wait for it. Contains no secret.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::private::{self, Audience, PrivateError};

/// Maximum size of the file, in bytes. An attempt never needs as much.
const LIMIT: u64 = 64 * 1024;
/// The last valid number, and the last valid time in seconds since 1970 (in the year 9999). A larger one is from a damaged
/// file.
const LAST_NUMBER: u64 = u64::MAX / 2;
const LAST_TIME: u64 = 253_402_300_799;
/// The longest time, in seconds, that a request of the service to wait is remembered.
pub const PAUSE_LIMIT: u64 = 3600;

/// An attempt to refresh. Only the holder of the lock writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptNote {
    /// The number of this attempt of the profile. Processes compare numbers, never times, because the clocks of two
    /// hosts differ.
    pub number: u64,
    /// The ID of the process that makes the attempt.
    pub pid: u32,
    /// The host that the process runs on.
    pub host: String,
    /// When the attempt started, in seconds since 1970.
    pub since: u64,
    /// The generation of the record at the start.
    pub generation: u64,
    /// Whether the refresh token may have reached the service.
    pub sent: bool,
    /// The outcome; `None` while the attempt is in progress, or if its process was stopped.
    pub outcome: Option<Outcome>,
    /// Whether the attempt failed before the service was asked, because of a file that a check reads, too.
    #[serde(default)]
    pub local: bool,
    /// A response that was lost and may have replaced the refresh token of this generation.
    #[serde(default)]
    pub lost: Option<LostAnswer>,
    /// The time that the service asked clients to wait for, if the attempt failed because of that.
    #[serde(default)]
    pub pause: Option<Pause>,
}

/// A time before which the service asked not to send another request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// The end of the wait, in seconds since 1970.
    pub until: u64,
    /// The digest of the settings that the request was made with. Other settings may name another service.
    pub settings: String,
}

/// A refresh request whose response was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostAnswer {
    /// When the attempt started, in seconds since 1970.
    pub since: u64,
    /// How the response was lost.
    pub by: LostBy,
}

/// How a response was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LostBy {
    /// The process was stopped.
    Stop,
    /// The network lost the response.
    Network,
    /// The response arrived but couldn't be stored.
    Storage,
}

/// The outcome of an attempt, which each process that waited for it reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The exit code.
    pub code: u8,
    /// What happened; empty if the attempt succeeded.
    pub error: String,
    /// The cause, if it is known.
    pub cause: Option<String>,
    /// The fix.
    pub hint: Option<String>,
}

impl Outcome {
    /// Creates an outcome without a cause and a hint.
    #[must_use]
    pub fn new(code: u8, error: impl Into<String>) -> Self {
        Self {
            code,
            error: error.into(),
            cause: None,
            hint: None,
        }
    }

    /// Adds a fix.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }

    /// Returns the outcome as one paragraph.
    #[must_use]
    pub fn text(self) -> String {
        let more = [self.cause, self.hint].into_iter().flatten();
        more.fold(self.error, |text, more| format!("{text} {more}"))
    }
}

impl AttemptNote {
    /// Returns the response that this attempt or an earlier one lost, if the record still has this `generation`.
    #[must_use]
    pub fn lost(&self, generation: u64) -> Option<LostAnswer> {
        let stopped = LostAnswer {
            since: self.since,
            by: LostBy::Stop,
        };
        match &self.outcome {
            _ if self.generation != generation => None,
            None if self.sent => Some(stopped),
            _ => self.lost,
        }
    }

    /// Returns until when no request is sent for this generation of the record with these settings, at `now`. A time that is
    /// too far away is from a damaged file, or the clock was set back.
    #[must_use]
    pub fn paused_until(&self, generation: u64, settings: &str, now: u64) -> Option<u64> {
        let pause = self.pause.as_ref();
        let pause =
            pause.filter(|pause| self.generation == generation && pause.settings == settings)?;
        let left = pause.until.saturating_sub(now);
        (1..=PAUSE_LIMIT).contains(&left).then_some(pause.until)
    }

    /// Reads the latest attempt; `None` if there was no attempt, or if it can't be parsed.
    ///
    /// # Errors
    /// Returns an error if the file is accessible to other users, or can't be read.
    pub fn read(path: &Path) -> Result<Option<Self>, PrivateError> {
        match private::read(path, Audience::Owner, LIMIT) {
            Ok(bytes) => Ok(Self::parse(&bytes)),
            Err(PrivateError::Missing(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Parses an attempt; `None` if it is damaged.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let note: Self = serde_json::from_slice(bytes).ok()?;
        let lost = note.lost.map_or(0, |lost| lost.since);
        let is_valid = note.number < LAST_NUMBER && note.since.max(lost) <= LAST_TIME;
        is_valid.then_some(note)
    }

    /// Replaces the latest attempt on disk, durably.
    ///
    /// # Errors
    /// Returns an error if the folder can't be written to.
    pub fn write(&self, path: &Path) -> Result<(), PrivateError> {
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        private::replace(path, &path.with_extension("attempt-next"), &bytes)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    #[test]
    fn note_round_trips_and_damaged_note_is_ignored() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("office.attempt");
        assert_eq!(AttemptNote::read(&path).unwrap(), None);
        let mut note = AttemptNote {
            number: 1,
            pid: 2,
            host: "here".to_owned(),
            since: 3,
            generation: 4,
            sent: true,
            outcome: None,
            local: false,
            lost: None,
            pause: None,
        };
        for number in [8, 9] {
            note.number = number;
            note.write(&path).unwrap();
            assert_eq!(AttemptNote::read(&path).unwrap().as_ref(), Some(&note));
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        let damaged = &std::fs::read(&path).unwrap()[1..];
        std::fs::write(&path, damaged).unwrap();
        assert_eq!(AttemptNote::read(&path).unwrap(), None);
        // Numbers that nothing can be added to.
        let lost = LostAnswer {
            since: u64::MAX,
            by: LostBy::Stop,
        };
        for wrong in [
            AttemptNote {
                number: u64::MAX,
                ..note.clone()
            },
            AttemptNote {
                since: u64::MAX,
                ..note.clone()
            },
            AttemptNote {
                lost: Some(lost),
                ..note.clone()
            },
        ] {
            wrong.write(&path).unwrap();
            assert_eq!(AttemptNote::read(&path).unwrap(), None);
        }
        assert!(AttemptNote::read(folder.path()).is_err());
    }

    #[test]
    fn requested_wait_applies_to_the_same_record_and_settings() {
        let mut note = AttemptNote {
            number: 1,
            pid: 1,
            host: String::new(),
            since: 7,
            generation: 3,
            sent: true,
            outcome: Some(Outcome::new(5, "busy")),
            local: false,
            lost: None,
            pause: None,
        };
        assert_eq!(note.paused_until(3, "a", 8), None);
        note.pause = Some(Pause {
            until: 4000,
            settings: "a".to_owned(),
        });
        for (generation, settings, now, until) in [
            (3, "a", 400, Some(4000)),
            (3, "a", 3999, Some(4000)),
            (3, "a", 4000, None),
            (3, "a", 5000, None),
            // Further away than any wait that is remembered.
            (3, "a", 399, None),
            (4, "a", 3000, None),
            (3, "b", 3000, None),
        ] {
            assert_eq!(note.paused_until(generation, settings, now), until, "{now}");
        }
        // An older version wrote no wait.
        let mut older = serde_json::to_value(&note).unwrap();
        older.as_object_mut().unwrap().remove("pause");
        let older = AttemptNote::parse(older.to_string().as_bytes()).unwrap();
        assert_eq!(older.pause, None);
    }

    #[test]
    fn lost_response_is_remembered_until_the_record_is_replaced() {
        let failed = Outcome::new(5, "x");
        let note = |sent, outcome, lost| AttemptNote {
            number: 1,
            pid: 1,
            host: String::new(),
            since: 7,
            generation: 3,
            sent,
            outcome,
            local: false,
            lost,
            pause: None,
        };
        let stopped = |since| {
            Some(LostAnswer {
                since,
                by: LostBy::Stop,
            })
        };
        assert_eq!(note(true, None, None).lost(3), stopped(7));
        assert_eq!(note(false, None, None).lost(3), None);
        assert_eq!(note(true, Some(failed.clone()), None).lost(3), None);
        // Another failure in between, or a process that was stopped before it sent anything, changes nothing.
        assert_eq!(note(true, Some(failed), stopped(5)).lost(3), stopped(5));
        assert_eq!(note(false, None, stopped(5)).lost(3), stopped(5));
        // The record has been replaced since then.
        assert_eq!(note(true, None, stopped(5)).lost(4), None);
    }
}
