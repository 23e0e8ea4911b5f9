//! Formats times for messages.

use crate::clock::timestamp;
use crate::zone;

/// Formats a time of today as a time of day, any other as a date, in local time, with a preposition.
pub(super) fn when(at: u64, now: u64) -> String {
    let (preposition, time) = parts(at, now);
    format!("{preposition} {time}")
}

/// Does the same without a preposition.
pub(super) fn time(at: u64, now: u64) -> String {
    parts(at, now).1
}

fn parts(at: u64, now: u64) -> (&'static str, String) {
    let zone = zone::local();
    let of = |seconds: u64| timestamp(seconds).to_zoned(zone.clone());
    let (at, now) = (of(at), of(now));
    if at.date() == now.date() {
        ("at", at.strftime("%H:%M:%S").to_string())
    } else {
        ("on", at.strftime("%Y-%m-%d at %H:%M").to_string())
    }
}
