//! Formats dates in forecasts, always with the time that is left or has passed.

use jiff::tz::TimeZone;

use crate::clock::timestamp;
use crate::presets::span::Span;

/// The time of a forecast, and the time zone for its dates.
#[derive(Debug, Clone)]
pub struct Now {
    /// The time, in seconds since 1970.
    pub seconds: u64,
    /// The time zone of displayed dates.
    pub zone: TimeZone,
}

impl Now {
    /// Formats a time as `on 2026-12-12 (in 16 days)`, or as `at 13:01 (41 minutes ago)` if it is today.
    #[must_use]
    pub fn when(&self, at: u64) -> String {
        let (preposition, date) = self.parts(at);
        format!("{preposition} {date}")
    }

    /// Does the same without the preposition.
    #[must_use]
    pub fn date(&self, at: u64) -> String {
        self.parts(at).1
    }

    fn parts(&self, at: u64) -> (&'static str, String) {
        let zoned = |seconds: u64| timestamp(seconds).to_zoned(self.zone.clone());
        let (then, now) = (zoned(at), zoned(self.seconds));
        let (preposition, time) = if then.date() == now.date() {
            ("at", then.strftime("%H:%M"))
        } else {
            ("on", then.strftime("%Y-%m-%d"))
        };
        let distance = Span(at.abs_diff(self.seconds));
        let date = if at > self.seconds {
            format!("{time} (in {distance})")
        } else {
            format!("{time} ({distance} ago)")
        };
        (preposition, date)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_include_the_relative_time() {
        let now = Now {
            // 2026-11-26 12:00.
            seconds: 1_795_694_400,
            zone: TimeZone::UTC,
        };
        let at =
            |seconds: i64| now.when(now.seconds.checked_add_signed(seconds).unwrap_or_default());
        assert_eq!(at(16 * 86_400), "on 2026-12-12 (in 16 days)");
        assert_eq!(at(41 * 60), "at 12:41 (in 41 minutes)");
        assert_eq!(at(-90), "at 11:58 (1 minute ago)");
        assert_eq!(at(-6 * 86_400), "on 2026-11-20 (6 days ago)");
        assert_eq!(now.when(u64::MAX).split(' ').nth(1), Some("9999-12-30"));
    }
}
