//! The time of day.

use std::time::SystemTime;

/// Returns the current time in seconds since 1970.
#[must_use]
pub fn unix_time() -> u64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
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
