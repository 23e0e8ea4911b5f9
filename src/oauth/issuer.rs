//! How the issuer that a response names differs from the expected one, also where both look the same.

use crate::clean::{clean, is_visible};

/// Maximum length of an issuer in a message, in characters.
const LIMIT: usize = 120;

/// Returns how the two differ, as part of a sentence.
pub(super) fn difference(named: &str, expected: &str) -> String {
    let (shown, other) = (clean(named, LIMIT), clean(expected, LIMIT));
    if shown.is_empty() {
        return "its issuer is empty".to_owned();
    }
    if shown != other {
        return format!("its issuer is {shown}, not {other}");
    }
    let same = named.chars().zip(expected.chars());
    let same = same.take_while(|(one, other)| one == other).count();
    match named.chars().nth(same) {
        Some(ch) if ch == ' ' || !is_visible(ch) => format!(
            "its issuer is {shown}, but contains an invisible character (U+{:04X})",
            u32::from(ch)
        ),
        _ => format!(
            "its issuer differs from {other} from character {} on",
            same + 1
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lookalike_issuers_are_explained_by_their_difference() {
        let expected = "https://as.example";
        let long = format!("{expected}/{}", "x".repeat(200));
        let hidden = "its issuer is https://as.example, but contains an invisible character";
        for (named, expected, told) in [
            (
                "https://other.example",
                expected,
                "its issuer is https://other.example, not https://as.example",
            ),
            (
                "https://as.example ",
                expected,
                &format!("{hidden} (U+0020)"),
            ),
            (
                "https://as.example\0",
                expected,
                &format!("{hidden} (U+0000)"),
            ),
            (
                "https://as\u{200b}.example",
                expected,
                &format!("{hidden} (U+200B)"),
            ),
            ("", expected, "its issuer is empty"),
            (" ", expected, "its issuer is empty"),
            (
                &format!("{long}y"),
                &long,
                &format!(
                    "its issuer differs from {} from character 220 on",
                    clean(&long, LIMIT)
                ),
            ),
            (
                &long,
                &format!("{long}y"),
                &format!(
                    "its issuer differs from {} from character 220 on",
                    clean(&long, LIMIT)
                ),
            ),
        ] {
            assert_eq!(difference(named, expected), told);
        }
    }
}
