//! Formats when tokens expire.

use std::time::Duration;

use jiff::civil::DateTime;

use crate::oauth::id_token::Claims;
use crate::session::clock::Moment;
use crate::session::{TokenState, Value};
use crate::tui::widgets::text::time_left;

/// A token that expires in less than this is about to expire.
const SOON: Duration = Duration::from_mins(5);
/// Expirations further away than this are shown with their date.
const DAY: Duration = Duration::from_hours(24);

/// The expiration of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct End {
    /// When the token expires, in local time.
    pub(super) at: DateTime,
    /// The remaining time.
    pub(super) left: Duration,
}

/// Returns when a token expires; `None` if this is not known.
pub(super) fn end(tokens: &TokenState, value: Value, now: Moment) -> Option<End> {
    match value {
        Value::Access => Some(End {
            at: tokens
                .at
                .local_in(i64::try_from(tokens.set.expires_in?).unwrap_or(i64::MAX)),
            left: tokens.left(now)?,
        }),
        Value::Refresh => None,
        Value::Id => {
            let expiry = tokens
                .claims
                .as_ref()
                .and_then(|it: &Claims| it.time("exp"))?;
            let left = u64::try_from(expiry.saturating_sub(now.unix)).unwrap_or(0);
            Some(End {
                at: tokens.at.local_in(expiry.saturating_sub(tokens.at.unix)),
                left: Duration::from_secs(left),
            })
        }
    }
}

impl End {
    /// Returns whether little or no time is left.
    pub(super) fn is_near(self) -> bool {
        self.left < SOON
    }

    /// Returns the time, or the date if it is on another day.
    pub(super) fn time(self) -> String {
        let format = if self.left < DAY { "%H:%M" } else { "%Y-%m-%d" };
        self.at.strftime(format).to_string()
    }

    /// Returns the texts for the end of a row: without and with the remaining time.
    pub(super) fn words(self) -> (String, String) {
        if self.left.is_zero() {
            return ("expired".to_owned(), "expired".to_owned());
        }
        let short = format!("until {}", self.time());
        let left = time_left(self.left).0;
        let left = left.replace(" minutes", " min").replace(" seconds", " s");
        let long = format!("{short} ({left})");
        (short, long)
    }

    /// Returns the expiration as a sentence.
    pub(super) fn sentence(self, now: Moment) -> String {
        if self.left.is_zero() {
            return format!(
                "Expired {} at {}.",
                now.day(self.at),
                self.at.strftime("%H:%M")
            );
        }
        let at = if self.left < DAY { "at" } else { "on" };
        let (time, left) = (self.time(), time_left(self.left).0);
        format!("Expires {at} {time}, in {left}.")
    }
}

/// Formats the time of a claim: `today 13:01:07, in 59 minutes`.
pub(super) fn claimed(unix: i64, now: Moment) -> String {
    let from_now = unix.saturating_sub(now.unix);
    let at = now.local_in(from_now);
    let time = format!("{} {}", now.day(at), at.strftime("%H:%M:%S"));
    match u64::try_from(from_now) {
        Ok(left @ 1..) => format!("{time}, in {}", time_left(Duration::from_secs(left)).0),
        Ok(0) | Err(_) => time,
    }
}
