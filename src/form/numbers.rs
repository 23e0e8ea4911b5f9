//! Recognizes the numbers of errors: alone, because a service whose error is `ABC50011` may send only `error=50011`, or
//! after the letters of a service.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// Minimum number of digits. Shorter numbers may mean anything.
const SHORTEST: usize = 5;

/// Maximum number of bytes between a number and the word that says it is an error.
const APART: usize = 16;

/// Maximum number of bytes to search before a number.
const LOOKED_AT: usize = 64;

/// Returns the number of an error whose name consists of letters and a number.
fn number_of(name: &str) -> Option<&str> {
    let number = name.trim_start_matches(|ch: char| ch.is_ascii_alphabetic());
    let is_number = number.len() >= SHORTEST && number.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && number.len() < name.len()).then_some(number)
}

/// Returns whether `text` contains this error's number: alone, or after a word such as `error`, `error_code` or `code`.
pub(super) fn names_by_number(text: &str, name: &str) -> bool {
    number_of(name).is_some_and(|wanted| numbers(&decoded(text)).any(|number| number == wanted))
}

/// Returns whether `text` contains the number of an error.
pub(super) fn has_number(text: &str) -> bool {
    numbers(&decoded(text)).next().is_some()
}

/// Returns the text with percent-encoding decoded.
fn decoded(text: &str) -> Cow<'_, str> {
    percent_decode_str(text).decode_utf8_lossy()
}

/// Minimum number of digits after the letters of an error's name.
const OWN: usize = 4;

/// Returns the letters in front of the number of an error's name, such as `ABC` in `ABC50011`. They may contain digits.
pub(super) fn prefix(name: &str) -> Option<&str> {
    let letters = name.trim_end_matches(|ch: char| ch.is_ascii_digit());
    let is_name = letters.len() >= 3
        && name.len() - letters.len() >= OWN
        && letters
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    is_name.then_some(letters)
}

/// Returns whether `text` contains a word that consists of these letters and a number.
pub(super) fn has_number_like(text: &str, letters: &str) -> bool {
    let part = |ch: char| ch.is_alphanumeric() || ch == '_';
    text.split(|ch| !part(ch)).any(|word| {
        let (Some(start), Some(number)) = (word.get(..letters.len()), word.get(letters.len()..))
        else {
            return false;
        };
        start.eq_ignore_ascii_case(letters)
            && number.len() >= OWN
            && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Returns the numbers that mean an error.
fn numbers(text: &str) -> impl Iterator<Item = &str> {
    let is_part = |ch: char| ch.is_alphanumeric() || ch == '_';
    let mut end = 0;
    let words = text
        .split_inclusive(move |ch: char| !is_part(ch))
        .map(move |word| {
            end += word.len();
            (
                end - word.len(),
                word.trim_end_matches(|ch: char| !is_part(ch)),
            )
        });
    let is_long =
        |word: &str| word.len() >= SHORTEST && word.bytes().all(|byte| byte.is_ascii_digit());
    words
        .filter(move |(at, word)| is_long(word) && is_error(&text[..*at], &text[at + word.len()..]))
        .map(|(_, word)| word)
}

/// Returns whether the text before and after a number says that it is an error.
fn is_error(before: &str, behind: &str) -> bool {
    let is_letter = |ch: char| ch.is_alphabetic() || ch == '_';
    let start = before.floor_char_boundary(before.len().saturating_sub(LOOKED_AT));
    let before = &before[start..];
    let Some((at, last)) = before.char_indices().rfind(|(_, ch)| is_letter(*ch)) else {
        return start == 0 && !behind.contains(char::is_alphanumeric);
    };
    let between = &before[at + last.len_utf8()..];
    let close = between.len() <= APART && !between.contains(['/', '.', '@', '?', '&', ';']);
    let word = before[..at + last.len_utf8()]
        .rsplit(|ch: char| !is_letter(ch))
        .next()
        .unwrap_or_default()
        .to_lowercase();
    close && (word.contains("error") || ["code", "codes"].iter().any(|end| word.ends_with(end)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_numbers_are_recognized_by_their_letters() {
        for (name, letters) in [
            ("ABC50011", Some("ABC")),
            ("A2CD9001", Some("A2CD")),
            ("ABC999", None),
            ("invalid_50011", None),
            ("Command 50011", None),
            ("50011", None),
        ] {
            assert_eq!(prefix(name), letters, "{name}");
        }
        for text in ["ABC1234", "error: abc50099: no", "(ABC50099)"] {
            assert!(has_number_like(text, "ABC"), "{text}");
        }
        for text in [
            "ABC",
            "ABC123",
            "ABC50099x",
            "XABC50099",
            "ABCD50099",
            "\u{e4}b50099",
        ] {
            assert!(!has_number_like(text, "ABC"), "{text}");
        }
    }

    #[test]
    fn number_is_recognized_as_an_error_only_in_context() {
        for text in [
            "50011",
            " 50011\n",
            "error=50011",
            "https://login.example.com/error?code=50011",
            "http://localhost:8400/?error=50011&x=1",
            "http://localhost:8400/#error_code=50011",
            "https://login.example.com/e?x=1&errorCode=50011&trace=1",
            "https://login.example.com/e?u=http%3A%2F%2Fx%2F%3Ferror%3D50011",
            "Error code: 50011",
            "ERROR (50011)",
            "Error #50011: something went wrong",
            "Fehlercode 50011",
            r#"{"error":"invalid_request","error_codes":[70011,50011]}"#,
        ] {
            assert!(names_by_number(text, "ABC50011"), "{text}");
        }
        for text in [
            "",
            "500112",
            "error=500112",
            "error=x50011",
            "error: http://localhost:50011/",
            "http://localhost:50011/?error=access_denied",
            "50011 people",
            "code=4/0AbC50011",
            "error?id=50011",
            "the error came at 50011",
        ] {
            assert!(!names_by_number(text, "ABC50011"), "{text}");
        }
        // Names that are too short, without letters, or without a number at their end.
        for name in ["E404", "50011", "ABC", "ABC50011x", "invalid_grant"] {
            assert!(!names_by_number("error=404 error=50011", name), "{name}");
        }
    }
}
