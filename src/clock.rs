//! The time of day.

use std::time::SystemTime;

use jiff::Timestamp;

/// Returns the current time in seconds since 1970.
#[must_use]
pub fn unix_time() -> u64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

/// Returns the time at `seconds` since 1970, or the last time that there is if that is too many.
#[must_use]
pub fn timestamp(seconds: u64) -> Timestamp {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    #[test]
    fn unix_time_matches_the_system_clock() {
        let since = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
        assert!(unix_time().abs_diff(since) < 60);
    }
}
