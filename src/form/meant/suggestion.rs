//! Creates a problem with the value to use instead.

use unicode_width::UnicodeWidthChar;

use crate::clean::{clean, is_visible, trimmed};
use crate::form::choices::Change;
use crate::form::field::Key;
use crate::form::problem::{Problem, Severity};
use crate::form::settings::Settings;

/// Describes a character that doesn't belong in a value.
pub(super) fn character(ch: char) -> String {
    let code = u32::from(ch);
    match ch {
        '\n' | '\r' => format!("a line break (U+{code:04X})"),
        '\t' => format!("a tab (U+{code:04X})"),
        ch if ch.is_control() => format!("a control character (U+{code:04X})"),
        // Shown, it would be on the space before it.
        ch if is_visible(ch) && ch.width() == Some(0) => {
            format!("a combining character (U+{code:04X})")
        }
        ch if is_visible(ch) => format!("{ch} (U+{code:04X})"),
        ch if ch.is_whitespace() => format!("a special space (U+{code:04X})"),
        _ => format!("an invisible character (U+{code:04X})"),
    }
}

/// Maximum number of characters of a value on the button that enters it. A GUID is shown in full.
const SHOWN: usize = 40;

/// Returns the label of the fix that enters a value.
pub(in crate::form) fn use_label(value: &str) -> String {
    format!("Use {}", clean(value, SHOWN))
}

/// Creates a problem, with the value to use instead if it can be guessed.
pub(super) fn suggested(
    settings: &Settings,
    key: Key,
    severity: Severity,
    word: &'static str,
    text: &str,
    meant: Option<String>,
) -> Problem {
    let typed = settings.value(key);
    match meant.filter(|meant| !meant.is_empty() && *meant != trimmed(&typed)) {
        Some(meant) => {
            let text = format!("{text}. Did you mean {}?", clean(&meant, 160));
            let label = use_label(&meant);
            Problem::new(key, severity, word, text).with_remedy(label, Change::Text(key, meant))
        }
        None => Problem::new(key, severity, word, text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_are_not_alone_on_the_screen_are_not_shown() {
        for (ch, text) in [
            ('é', "é (U+00E9)"),
            ('漢', "漢 (U+6F22)"),
            ('\u{301}', "a combining character (U+0301)"),
            ('\u{20dd}', "a combining character (U+20DD)"),
            ('\u{5b0}', "a combining character (U+05B0)"),
            ('\u{e31}', "a combining character (U+0E31)"),
            ('\u{1161}', "a combining character (U+1161)"),
            ('\u{200b}', "an invisible character (U+200B)"),
            ('\u{1b}', "a control character (U+001B)"),
            ('\u{a0}', "a special space (U+00A0)"),
        ] {
            assert_eq!(character(ch), text);
        }
    }
}
