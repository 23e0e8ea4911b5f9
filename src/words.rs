//! Puts texts and numbers into sentences.

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
}
