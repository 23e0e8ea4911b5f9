//! Wraps a value that is being edited into several lines, with the cursor.

use super::text::width;

/// A value in several lines.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::tui) struct Lines {
    /// The visible lines.
    pub(in crate::tui) shown: Vec<String>,
    /// Index of the visible line with the cursor.
    pub(in crate::tui) row: usize,
    /// Columns before the cursor in its line.
    pub(in crate::tui) column: usize,
    /// Number of lines above the visible ones.
    pub(in crate::tui) before: usize,
    /// Total number of lines.
    pub(in crate::tui) count: usize,
}

/// Wraps the value into lines of at most `columns`, of which at most `most` are visible. With `words`, each word has
/// its own line. The cursor is after `cursor` characters, and may be in the column after a full line.
pub(in crate::tui) fn lines(
    text: &str,
    cursor: usize,
    (columns, most): (usize, usize),
    words: bool,
) -> Lines {
    let columns = columns.max(1);
    let mut all = vec![String::new()];
    let (mut used, mut row, mut column) = (0, 0, 0);
    for (at, ch) in text.chars().enumerate() {
        let needed = width(ch.encode_utf8(&mut [0; 4]));
        if used + needed > columns && !(words && ch == ' ') {
            all.push(String::new());
            used = 0;
        }
        if at == cursor {
            (row, column) = (all.len() - 1, used);
        }
        if words && ch == ' ' {
            all.push(String::new());
            used = 0;
            continue;
        }
        if let Some(last) = all.last_mut() {
            last.push(ch);
        }
        used += needed;
    }
    if cursor >= text.chars().count() {
        (row, column) = (all.len() - 1, used);
    }
    let count = all.len();
    let most = most.max(1);
    // Keep the cursor in the middle if there are more lines on both sides.
    let before = row.saturating_sub(most / 2).min(count.saturating_sub(most));
    let shown = all.into_iter().skip(before).take(most).collect();
    Lines {
        shown,
        row: row - before,
        column,
        before,
        count,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, cursor: usize, most: usize) -> (Vec<String>, usize, usize) {
        let lines = lines(text, cursor, (6, most), true);
        (lines.shown, lines.row, lines.column)
    }

    #[test]
    fn each_word_gets_a_line_and_the_cursor_follows() {
        let text = "ab cdefghij k";
        let whole = |row, column| {
            (
                ["ab", "cdefgh", "ij", "k"].map(str::to_owned).to_vec(),
                row,
                column,
            )
        };
        assert_eq!(at(text, 0, 9), whole(0, 0));
        assert_eq!(at(text, 2, 9), whole(0, 2));
        assert_eq!(at(text, 3, 9), whole(1, 0));
        assert_eq!(at(text, 9, 9), whole(2, 0));
        assert_eq!(at(text, 13, 9), whole(3, 1));
        // The next word is on its own line.
        assert_eq!(at("ab ", 3, 9).1, 1);
    }

    #[test]
    fn long_value_scrolls_with_the_cursor() {
        let text = "a b c d e f g";
        assert_eq!(
            at(text, 13, 3),
            (["e", "f", "g"].map(str::to_owned).to_vec(), 2, 1)
        );
        assert_eq!(
            at(text, 6, 3),
            (["c", "d", "e"].map(str::to_owned).to_vec(), 1, 0)
        );
        assert_eq!(at(text, 0, 3).0, ["a", "b", "c"]);
    }

    #[test]
    fn other_values_wrap_at_the_line_end() {
        let broken = lines("abc defgh", 9, (4, 9), false);
        assert_eq!(broken.shown, ["abc ", "defg", "h"]);
        assert_eq!((broken.row, broken.column), (2, 1));
        // After a full line.
        let full = lines("abcd", 4, (4, 9), false);
        assert_eq!((full.row, full.column), (0, 4));
    }
}
