//! The time of events, passed in by the session's caller.

use std::fmt;
use std::time::Duration;

use jiff::civil::DateTime;
use jiff::{SignedDuration, Zoned};

/// A point in time. The session never reads a clock; each message brings the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Moment {
    /// The time since the program started. It never decreases.
    pub up: Duration,
    /// The local time.
    pub local: DateTime,
    /// The same time in seconds since 1970, as used for tokens.
    pub unix: i64,
}

impl Moment {
    /// Creates a moment from the local time and the time since the program started.
    #[must_use]
    pub fn new(up: Duration, local: &Zoned) -> Self {
        Self {
            up,
            local: local.datetime(),
            unix: local.timestamp().as_second(),
        }
    }

    /// Returns the time in seconds since 1970; 0 for an earlier one.
    #[must_use]
    pub fn unix_time(self) -> u64 {
        u64::try_from(self.unix).unwrap_or_default()
    }

    /// Returns the local time `seconds` later, or earlier if `seconds` is negative.
    #[must_use]
    pub fn local_in(&self, seconds: i64) -> DateTime {
        self.local
            .saturating_add(SignedDuration::from_secs(seconds))
    }

    /// Returns the day of another time for use within a sentence: `today`, `tomorrow`, `yesterday`, or else its date.
    #[must_use]
    pub fn day(&self, other: DateTime) -> String {
        let date = other.date();
        let (today, one) = (self.local.date(), SignedDuration::from_hours(24));
        if date == today {
            "today".to_owned()
        } else if date == today.saturating_add(one) {
            "tomorrow".to_owned()
        } else if date == today.saturating_sub(one) {
            "yesterday".to_owned()
        } else {
            date.to_string()
        }
    }
}

impl Moment {
    /// Returns the moment that is `time` later.
    #[must_use]
    pub fn after(self, time: Duration) -> Self {
        let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        Self {
            up: self.up + time,
            local: self.local_in(seconds),
            unix: self.unix.saturating_add(seconds),
        }
    }

    /// Formats hour and minute, as `12:01`.
    #[must_use]
    pub fn minute(self) -> String {
        self.local.strftime("%H:%M").to_string()
    }
}

impl fmt::Display for Moment {
    /// Formats the local time, as `12:01:07`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.local.strftime("%H:%M:%S"), f)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn days_are_named_relative_to_the_local_date() {
        let now = Moment {
            local: date(2026, 12, 31).at(23, 30, 0, 0),
            ..Moment::default()
        };
        for (seconds, day) in [
            (0, "today"),
            (1800, "tomorrow"),
            (-85_000, "yesterday"),
            (-200_000, "2026-12-29"),
            (90_000, "2027-01-02"),
            (i64::MAX, "9999-12-31"),
        ] {
            assert_eq!(now.day(now.local_in(seconds)), day, "{seconds}");
        }
        assert_eq!(now.to_string(), "23:30:00");
    }

    #[test]
    fn later_time_wraps_after_midnight() {
        let evening = Moment {
            up: Duration::from_secs(5),
            local: date(2026, 12, 31).at(23, 50, 59, 0),
            unix: 100,
        };
        let later = evening.after(Duration::from_mins(15));
        assert_eq!(later.to_string(), "00:05:59");
        assert_eq!(later.minute(), "00:05");
        assert_eq!((later.up, later.unix), (Duration::from_secs(905), 1000));
    }
}
