//! The wait that a service requests.

use std::time::{Duration, SystemTime};

/// The longest wait that a service may request. Adding it to a time can't overflow.
const RETRY_AFTER_LIMIT: Duration = Duration::from_hours(24 * 365 * 1000);

/// Parses `Retry-After`: seconds or a date (RFC 9110, section 10.2.3). Returns `None` for anything else, and at most a
/// thousand years.
#[must_use]
pub fn parse_retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    let wait = match value.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => httpdate::parse_http_date(value)
            .ok()?
            .duration_since(now)
            .ok()?,
    };
    Some(wait.min(RETRY_AFTER_LIMIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_700);
        assert_eq!(parse_retry_after("120", now), Some(Duration::from_mins(2)));
        assert_eq!(
            parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now),
            Some(Duration::from_secs(77))
        );
        let last_day = "Fri, 31 Dec 9999 23:59:59 GMT";
        for long in ["9223372036854775808", "18446744073709551615", last_day] {
            assert_eq!(parse_retry_after(long, now), Some(RETRY_AFTER_LIMIT));
        }
        for odd in [
            "",
            "soon",
            "-5",
            "Sun, 06 Nov 1970 08:49:37 GMT",
            "99999999999999999999999",
        ] {
            assert_eq!(parse_retry_after(odd, now), None, "{odd}");
        }
    }
}
