//! Secret text, and the cleaning of text that comes from outside.
//!
//! Secrets are [`SecretString`]s: no `Display`, a redacted `Debug`, wiped on drop. What a library or
//! a screen buffer copies is short-lived; no more than that is promised.

pub use secrecy::{ExposeSecret, SecretString};

/// How many characters of a server's text are kept by [`clean`] callers that have no better limit.
pub const TEXT_LIMIT: usize = 500;

/// True where both hold the same text; compares all bytes, so that time tells nothing.
#[must_use]
pub fn same(a: &SecretString, b: &str) -> bool {
    let (a, b) = (a.expose_secret().as_bytes(), b.as_bytes());
    a.len() == b.len() && a.iter().zip(b).fold(0u8, |acc, (x, y)| acc | (x ^ y)) == 0
}

/// Outside text made safe to show and to store: one line, no control, bidi or invisible characters,
/// at most `limit` characters (an ellipsis marks a cut).
#[must_use]
pub fn clean(text: &str, limit: usize) -> String {
    let mut out = String::new();
    let mut count = 0;
    for ch in text.chars() {
        let ch = if matches!(ch, '\n' | '\r' | '\t') {
            ' '
        } else {
            ch
        };
        if ch.is_control() || is_deceptive(ch) || (ch == ' ' && out.ends_with(' ')) {
            continue;
        }
        if count == limit {
            out.push('…');
            break;
        }
        out.push(ch);
        count += 1;
    }
    out.trim().to_owned()
}

/// True where `text` would lose something in [`clean`]: such a value must not be shown as if whole.
#[must_use]
pub fn is_clean(text: &str) -> bool {
    !text.chars().any(|ch| ch.is_control() || is_deceptive(ch))
}

/// Characters that reorder or hide text: bidi controls, zero-width characters, line and paragraph
/// separators, tag characters (Unicode TR 36).
fn is_deceptive(ch: char) -> bool {
    matches!(ch,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleaning_removes_control_and_bidi_characters_and_cuts() {
        assert_eq!(clean("a\u{1b}[31mb\u{202e}c\r\nd  e", 50), "a[31mbc d e");
        assert_eq!(clean("abcdef", 3), "abc…");
        assert!(is_clean("WDJB-MJHT") && !is_clean("WD\u{200b}JB") && !is_clean("a\nb"));
    }

    #[test]
    fn a_secret_shows_nothing_of_itself_in_debug() {
        let secret = SecretString::from("hunter2-hunter2");
        assert!(!format!("{secret:?}").contains("hunter2"));
    }

    #[test]
    fn same_compares_whole_texts() {
        let secret = SecretString::from("abc");
        assert!(same(&secret, "abc") && !same(&secret, "abd") && !same(&secret, "ab"));
    }
}
