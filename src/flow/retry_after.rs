//! The wait that a service requests.

use std::time::{Duration, SystemTime};

/// The longest wait that a service may request. Adding it to a time can't overflow.
const RETRY_AFTER_LIMIT: Duration = Duration::from_hours(24 * 365 * 1000);

/// How close to now a number is a time instead of a wait.
const NEAR: Duration = Duration::from_hours(24 * 365);

/// Parses `Retry-After`: seconds or a date (RFC 9110, section 10.2.3), in the spellings that services use. A time that
/// has just passed is no wait. Returns `None` for anything else, and at most a thousand years.
#[must_use]
pub fn parse_retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    let wait = seconds(value)
        .map(|seconds| after(seconds, now))
        // Several headers, or several waits in one.
        .or_else(|| {
            let all: Option<Vec<u64>> = value.split(',').map(|part| seconds(part.trim())).collect();
            all?.into_iter().map(|seconds| after(seconds, now)).max()
        })
        .or_else(|| {
            let zone = ["UTC", "+0000", "-0000", "Z"];
            let date = zone.iter().find_map(|zone| value.strip_suffix(zone));
            let date = date.map(|date| format!("{} GMT", date.trim_end()));
            let date = httpdate::parse_http_date(date.as_deref().unwrap_or(value)).ok()?;
            date.duration_since(now).ok()
        })?;
    Some(wait.min(RETRY_AFTER_LIMIT))
}

/// Parses a number of seconds, which may have a fraction or a unit. Fractions are rounded up.
fn seconds(text: &str) -> Option<u64> {
    let unit = text.trim_end_matches(|ch: char| ch.is_ascii_alphabetic());
    let number = match text[unit.len()..].to_ascii_lowercase().as_str() {
        "" | "s" | "sec" | "secs" | "second" | "seconds" => unit.trim_end(),
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|digit| digit.is_ascii_digit());
    let is_more = fraction.bytes().any(|digit| digit != b'0');
    let whole: u64 = whole
        .parse()
        .ok()
        .filter(|_| digits(whole) && digits(fraction))?;
    whole.checked_add(u64::from(is_more))
}

/// Returns the wait that the number means: some services send the time in seconds or milliseconds since 1970.
fn after(number: u64, now: SystemTime) -> Duration {
    let now = now.duration_since(SystemTime::UNIX_EPOCH);
    let now = now.unwrap_or_default();
    let times = [Duration::from_secs(number), Duration::from_millis(number)];
    let time = times.into_iter().find(|time| time.abs_diff(now) < NEAR);
    match time.filter(|_| now > NEAR * 2) {
        Some(time) => time.saturating_sub(now),
        None => Duration::from_secs(number),
    }
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
        for (text, wait) in [
            ("120.7", 121),
            ("120.0", 120),
            ("120s", 120),
            ("120 seconds", 120),
            ("60, 120", 120),
            ("784111702", 2),
            ("784111702000", 2),
            ("784111690", 0),
            ("Sun, 06 Nov 1994 08:49:37 UTC", 77),
            ("Sun, 06 Nov 1994 08:49:37 +0000", 77),
        ] {
            let expected = Some(Duration::from_secs(wait));
            assert_eq!(parse_retry_after(text, now), expected, "{text}");
        }
        let last_day = "Fri, 31 Dec 9999 23:59:59 GMT";
        for long in ["9223372036854775808", "18446744073709551615", last_day] {
            assert_eq!(parse_retry_after(long, now), Some(RETRY_AFTER_LIMIT));
        }
        for odd in [
            "",
            "soon",
            "2 minutes",
            "1.5.2",
            "60, soon",
            ".",
            "-5",
            "Sun, 06 Nov 1970 08:49:37 GMT",
            "99999999999999999999999",
        ] {
            assert_eq!(parse_retry_after(odd, now), None, "{odd}");
        }
    }
}
