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
#[allow(clippy::unwrap_used, reason = "a test ends on what it did not expect")]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_that_of_the_system() {
        let since = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
        assert!(unix_time().abs_diff(since) < 60);
    }
}
