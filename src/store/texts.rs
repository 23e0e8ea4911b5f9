//! What the texts in a record may contain. Commands print them in headers, scripts and files, so a line break in a record
//! from another computer could add lines there.

use crate::clean::is_http_token;

/// What a text in a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// An access token: one word.
    Word,
    /// A text on one line, such as a refresh token (RFC 6749, appendix A.17).
    Line,
    /// An authentication scheme (RFC 9110, section 11.1).
    Scheme,
}

/// Returns what is wrong with a text, as the rest of a clause; `None` if nothing is.
pub(super) fn problem(text: &str, kind: Kind) -> Option<&'static str> {
    text.chars().find_map(wrong).or(match kind {
        Kind::Word if text.contains(' ') => Some("contains a space"),
        Kind::Scheme if !is_http_token(text) => Some("is not a single word"),
        Kind::Word | Kind::Line | Kind::Scheme => None,
    })
}

fn wrong(ch: char) -> Option<&'static str> {
    match ch {
        ' ' => None,
        '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some("contains a line break"),
        ch if ch.is_control() => Some("contains a control character"),
        ch if ch.is_whitespace() => Some("contains whitespace"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_breaks_and_spaces_within_words_are_problems() {
        for (text, word, line, scheme) in [
            ("Zoho-oauthtoken", None, None, None),
            (
                "a\"b'c\\d$e`f\u{2019}ü",
                None,
                None,
                Some("is not a single word"),
            ),
            (
                "a b",
                Some("contains a space"),
                None,
                Some("is not a single word"),
            ),
            ("", None, None, Some("is not a single word")),
        ] {
            assert_eq!(problem(text, Kind::Word), word, "{text:?}");
            assert_eq!(problem(text, Kind::Line), line, "{text:?}");
            assert_eq!(problem(text, Kind::Scheme), scheme, "{text:?}");
        }
        for (end, told) in [
            ('\n', "contains a line break"),
            ('\r', "contains a line break"),
            ('\u{85}', "contains a line break"),
            ('\u{2028}', "contains a line break"),
            ('\0', "contains a control character"),
            ('\u{1b}', "contains a control character"),
            ('\u{7f}', "contains a control character"),
            ('\t', "contains a control character"),
            ('\u{a0}', "contains whitespace"),
        ] {
            for kind in [Kind::Word, Kind::Line, Kind::Scheme] {
                assert_eq!(problem(&format!("a b{end}"), kind), Some(told), "{end:?}");
            }
        }
    }
}
