//! Masks tokens so that only their ends are visible: enough to compare them, not enough to use them.

use super::theme::Theme;

/// Minimum number of characters that stay hidden. If a token is too short for that, none of it is shown.
const HIDDEN: usize = 22;
/// Maximum number of mask characters for a token that is completely hidden.
const MARKS: usize = 12;
/// How many characters are shown of a token's beginning and end.
pub(in crate::tui) const ENDS: (usize, usize) = (12, 6);
/// The same, if there is little room.
pub(in crate::tui) const SHORT_ENDS: (usize, usize) = (5, 4);

/// Returns the first `head` and the last `tail` characters of a token. A short token is masked completely.
pub(in crate::tui) fn masked(theme: Theme, token: &str, (head, tail): (usize, usize)) -> String {
    let count = token.chars().count();
    if count < ENDS.0 + ENDS.1 + HIDDEN {
        return theme.mask().repeat(count.min(head.min(MARKS)));
    }
    let first: String = token.chars().take(head).collect();
    let last: String = token.chars().skip(count - tail).collect();
    format!("{first}{}{last}", theme.ellipsis())
}

/// Formats a count with thousands separators: `1,201`.
pub(in crate::tui) fn thousands(count: usize) -> String {
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
    use crate::console::environment::Environment;

    #[test]
    fn the_ends_of_a_long_token_are_shown_and_nothing_of_a_short_one() {
        let theme = Theme::new(&Environment::default());
        let token: String = ('a'..='z').chain('A'..='Z').collect();
        let ellipsis = theme.ellipsis();
        assert_eq!(
            masked(theme, &token, ENDS),
            format!("abcdefghijkl{ellipsis}UVWXYZ")
        );
        assert_eq!(
            masked(theme, &token, SHORT_ENDS),
            format!("abcde{ellipsis}WXYZ")
        );
        let mark = theme.mask();
        assert_eq!(masked(theme, &token[..39], ENDS), mark.repeat(12));
        assert_eq!(masked(theme, "abc", ENDS), mark.repeat(3));
    }

    #[test]
    fn thousands_stand_apart() {
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
