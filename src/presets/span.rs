//! Lengths of time in presets, settings and flags, such as `90d`.

use std::str::FromStr;

use serde::{Deserialize, Deserializer};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// Maximum length. Anything longer is a mistake.
const LIMIT: u64 = 3650 * DAY;

/// A length of time in whole seconds. Parsed from a number with `s`, `m`, `h` or `d`; a number alone is in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub u64);

impl Span {
    /// Returns the text that gives this length again, in the largest unit that fits: `30d`, `36h`.
    #[must_use]
    pub fn text(self) -> String {
        let units = [(DAY, 'd'), (HOUR, 'h'), (MINUTE, 'm')];
        let fits = |(unit, _): &(u64, char)| self.0 > 0 && self.0.is_multiple_of(*unit);
        let (unit, letter) = units.into_iter().find(fits).unwrap_or((1, 's'));
        format!("{}{letter}", self.0 / unit)
    }
}

impl FromStr for Span {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "use a number with s, m, h or d, such as 90s, 5m or 12h";
        let digits = text.trim_end_matches(|ch: char| ch.is_ascii_alphabetic());
        let unit = match &text[digits.len()..] {
            "" | "s" => 1,
            "m" => MINUTE,
            "h" => HOUR,
            "d" => DAY,
            _ => return Err(wrong),
        };
        if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(wrong);
        }
        let count: u64 = digits.parse().unwrap_or(u64::MAX);
        let seconds = count.checked_mul(unit).filter(|all| *all <= LIMIT);
        seconds.map(Self).ok_or("the longest time is 3650d")
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Rounds down to the largest unit that gives at least two, or one: `90 days`, `36 hours`, `1 day`.
impl std::fmt::Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let seconds = self.0;
        let (count, unit) = if seconds >= 2 * DAY || (DAY..DAY + HOUR).contains(&seconds) {
            (seconds / DAY, "day")
        } else if seconds >= 2 * HOUR || (HOUR..HOUR + MINUTE).contains(&seconds) {
            (seconds / HOUR, "hour")
        } else if seconds >= MINUTE {
            (seconds / MINUTE, "minute")
        } else {
            (seconds, "second")
        };
        let many = if count == 1 { "" } else { "s" };
        write!(f, "{count} {unit}{many}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn span_text_uses_the_natural_unit() {
        for text in ["0s", "1s", "90s", "60s", "90m", "36h", "1d", "30d", "365d"] {
            let span: Result<Span, _> = text.parse();
            let again = if text == "60s" { "1m" } else { text };
            assert_eq!(span.map(Span::text).as_deref(), Ok(again));
        }
    }

    #[test]
    fn spans_are_parsed_and_shown() {
        for (text, shown) in [
            ("0", "0 seconds"),
            ("1s", "1 second"),
            ("90s", "1 minute"),
            ("60m", "1 hour"),
            ("90m", "90 minutes"),
            ("24h", "1 day"),
            ("36h", "36 hours"),
            ("48h", "2 days"),
            ("90d", "90 days"),
        ] {
            let span: Result<Span, _> = text.parse();
            assert_eq!(span.map(|span| span.text().parse()), Ok(span));
            assert_eq!(span.map(|span| span.to_string()), Ok(shown.to_owned()));
        }
        for text in [
            "",
            "d",
            "-1d",
            "1.5h",
            "5 m",
            "1w",
            "3651d",
            "9999999999999999d",
        ] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
        for text in [
            "3651d",
            "4000d",
            "9999999999999999d",
            "99999999999999999999999d",
        ] {
            assert_eq!(
                text.parse::<Span>(),
                Err("the longest time is 3650d"),
                "{text}"
            );
        }
    }
}
