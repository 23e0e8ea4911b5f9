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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::environment::Environment;

    #[test]
    fn only_the_ends_of_long_tokens_are_shown() {
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
}
