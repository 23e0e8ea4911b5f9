//! Time as the one who drives the session saw it.

use std::fmt;
use std::time::Duration;

/// A time. Nothing in the session asks a clock: each message brings one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Moment {
    /// Since the program began; never goes back.
    pub up: Duration,
    /// Hour, minute and second of the local wall clock.
    pub clock: (i8, i8, i8),
}

impl fmt::Display for Moment {
    /// As `12:01:07`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hour, minute, second) = self.clock;
        write!(f, "{hour:02}:{minute:02}:{second:02}")
    }
}
