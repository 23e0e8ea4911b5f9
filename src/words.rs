//! Puts texts and numbers into sentences.

use std::time::Duration;

/// Returns `text` as a sentence: with a period at its end, unless it ends like a sentence or was cut there.
#[must_use]
pub fn sentence(text: impl Into<String>) -> String {
    let mut text = text.into();
    text.truncate(text.trim_end().len());
    if !text.ends_with(['.', '?', '!', '…']) {
        text.push('.');
    }
    text
}

/// Returns `text` with a capital letter at its beginning.
#[must_use]
pub fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// Returns whether `text` contains any of `words`.
#[must_use]
pub fn has_any(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.contains(word))
}

/// Formats a count with thousands separators: `1,201`.
#[must_use]
pub fn thousands(count: usize) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Formats a duration, rounded down to the largest unit that gives at least two: `90 minutes`, `36 hours`.
#[must_use]
pub fn duration(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7200 => (seconds / 60, "minute"),
        7200..172_800 => (seconds / 3600, "hour"),
        172_800.. => (seconds / 86_400, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

/// Formats a duration in the same way, but rounded up, and at most as `more than a day`.
#[must_use]
pub fn rounded_up(time: Duration) -> String {
    let seconds = time.as_secs().max(1);
    match seconds {
        0..120 => duration(seconds),
        120..7200 => duration(seconds.next_multiple_of(60)),
        7200..172_800 => duration(seconds.next_multiple_of(3600)),
        172_800.. => "more than a day".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentence_ends_with_one_period() {
        for (text, whole) in [
            ("Not checked yet", "Not checked yet."),
            ("Trying again. ", "Trying again."),
            ("Did you mean this?", "Did you mean this?"),
            ("Use https://login.example…", "Use https://login.example…"),
        ] {
            assert_eq!(sentence(text), whole);
        }
    }

    #[test]
    fn first_letter_is_capitalized() {
        for (text, whole) in [("it is empty", "It is empty"), ("<b>", "<b>"), ("", "")] {
            assert_eq!(capitalized(text), whole);
        }
    }

    #[test]
    fn thousands_are_separated_by_commas() {
        for (count, text) in [
            (0, "0"),
            (999, "999"),
            (1201, "1,201"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(thousands(count), text);
        }
    }

    #[test]
    fn duration_uses_the_largest_unit_that_gives_two() {
        for (seconds, text) in [
            (0, "0 seconds"),
            (1, "1 second"),
            (119, "119 seconds"),
            (120, "2 minutes"),
            (7199, "119 minutes"),
            (7200, "2 hours"),
            (172_799, "47 hours"),
            (172_800, "2 days"),
        ] {
            assert_eq!(duration(seconds), text);
        }
    }
}
