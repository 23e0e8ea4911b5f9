//! Formats times for messages.

use jiff::Timestamp;

use crate::zone;

/// Formats a time of today as a time of day, any other as a date, in local time.
pub(super) fn when(at: u64, now: u64) -> String {
    let zone = zone::local();
    let of = |seconds: u64| {
        let seconds = i64::try_from(seconds).unwrap_or_default();
        let time = Timestamp::from_second(seconds).unwrap_or_default();
        time.to_zoned(zone.clone())
    };
    let (at, now) = (of(at), of(now));
    if at.date() == now.date() {
        format!("at {}", at.strftime("%H:%M:%S"))
    } else {
        format!("on {}", at.strftime("%Y-%m-%d at %H:%M"))
    }
}

/// Formats a duration in seconds, rounded down: a token lasts at least this long.
#[must_use]
pub fn seconds(count: u64) -> String {
    match count {
        1 => "1 second".to_owned(),
        0..120 => format!("{count} seconds"),
        120..7200 => format!("{} minutes", count / 60),
        _ => format!("{} hours", count / 3600),
    }
}
