//! Fits text into columns.

use std::time::Duration;

use unicode_width::UnicodeWidthChar;

use crate::words::duration;

/// Returns the width of `text` in columns, counted character by character, as terminals do. Unicode's width of a whole
/// cluster, such as an emoji with a skin color, is less than what terminals draw.
#[must_use]
pub fn width(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

/// Returns the width of a character, in columns.
fn columns_of(ch: char) -> usize {
    ch.width().unwrap_or(0)
}

/// Returns the characters of `text`, each with its combining marks.
pub fn characters(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?.len_utf8();
        let end = rest[first..]
            .find(|ch| columns_of(ch) > 0)
            .map_or(rest.len(), |more| first + more);
        let (character, more) = rest.split_at(end);
        rest = more;
        Some(character)
    })
}

/// Returns the beginning of `text` in at most `columns`, with an ellipsis if it was cut.
#[must_use]
pub fn shorten(text: &str, columns: usize, ellipsis: &str) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let room = columns.saturating_sub(width(ellipsis));
    let mut out = String::new();
    let mut used = 0;
    for ch in text.chars() {
        used += columns_of(ch);
        if used > room {
            break;
        }
        out.push(ch);
    }
    if columns >= width(ellipsis) {
        out + ellipsis
    } else {
        out
    }
}

/// Returns the label of a button as part of a sentence.
#[must_use]
pub fn in_sentence(label: &str) -> String {
    lower_first(label.trim_end_matches('…'))
}

/// Returns a text in lowercase at its start, to continue a sentence.
#[must_use]
pub fn lower_first(label: &str) -> String {
    // Keep abbreviations such as QR.
    if label.chars().nth(1).is_some_and(char::is_uppercase) {
        return label.to_owned();
    }
    let mut chars = label.chars();
    let first = chars.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(chars).collect()
}

/// Wraps `text` into lines of at most `columns`, broken at spaces; a longer word is broken at the end of the line.
#[must_use]
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        let needed = width(&line) + usize::from(!line.is_empty()) + width(word);
        if needed <= columns {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        let mut pieces = chunks(word, columns);
        line = pieces.pop().unwrap_or_default();
        lines.extend(pieces);
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// Cuts `text` into pieces of at most `columns`, and adds nothing.
#[must_use]
pub fn chunks(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut pieces = vec![String::new()];
    let mut used = 0;
    for ch in text.chars() {
        let needed = columns_of(ch);
        if used + needed > columns {
            pieces.push(String::new());
            used = 0;
        }
        used += needed;
        if let Some(last) = pieces.last_mut() {
            last.push(ch);
        }
    }
    pieces
}

/// Returns the first `rows` of `lines`; if lines were dropped, the last one ends with an ellipsis.
#[must_use]
pub fn fit(mut lines: Vec<String>, rows: usize, columns: usize, ellipsis: &str) -> Vec<String> {
    if lines.len() > rows {
        let next = lines.split_off(rows);
        if let Some(last) = lines.last_mut() {
            // A word that fills a line by itself starts on this line.
            if let Some(word) = next
                .first()
                .filter(|next| width(next) >= columns && !next.contains(' '))
            {
                last.push(' ');
                last.push_str(word);
            }
            // Show the cut, even if the last line had room.
            let room = columns.saturating_sub(width(ellipsis));
            *last = format!("{}{ellipsis}", shorten(last, room, "").trim_end());
        }
    }
    lines
}

/// Returns the visible part of a line being edited, at most `columns` wide, and the column of the cursor in it. One
/// column stays free for a cursor after the last character. An ellipsis shows where there is more text.
#[must_use]
pub fn window(text: &str, cursor: usize, columns: usize, ellipsis: &str) -> (String, usize) {
    let room = columns.saturating_sub(1).max(1);
    let whole = width(text);
    if whole <= room {
        return (text.to_owned(), cursor);
    }
    // A window of a few columns has no room for ellipses.
    let ellipsis = if room < 2 * width(ellipsis) + 2 {
        ""
    } else {
        ellipsis
    };
    let mark = width(ellipsis);
    if cursor + mark < room {
        return (shorten(text, room, ellipsis), cursor);
    }
    let mut skipped = 0;
    let mut rest = text;
    // Keep the cursor to the left of the ellipsis at the end; at the end of the text there is no ellipsis.
    while cursor.saturating_sub(skipped) + mark > room
        || (whole - skipped + mark > room && cursor.saturating_sub(skipped) + 2 * mark >= room)
    {
        let Some(ch) = rest.chars().next() else { break };
        skipped += columns_of(ch);
        rest = &rest[ch.len_utf8()..];
    }
    let shown = shorten(rest, room - mark, ellipsis);
    (
        format!("{ellipsis}{shown}"),
        cursor.saturating_sub(skipped) + mark,
    )
}

/// Formats a remaining time, and returns how long the text stays correct: whole minutes from two minutes on, steps of
/// ten seconds below, seconds in the last minute.
#[must_use]
pub fn time_left(left: Duration) -> (String, Duration) {
    let seconds = left.as_secs();
    let (shown, step) = match seconds {
        0..60 => (seconds, 1),
        60..120 => (seconds - seconds % 10, 10),
        120.. => (seconds - seconds % 60, 60),
    };
    let boundary = Duration::from_secs(shown);
    // The text changes when less than the shown time is left.
    let until = left
        .saturating_sub(boundary)
        .max(Duration::from_millis(1))
        .min(Duration::from_secs(step))
        + Duration::from_millis(1);
    (duration(shown), until)
}

/// Formats the duration of a step.
#[must_use]
pub fn took(time: Duration) -> String {
    match time.as_millis() {
        millis @ 0..10_000 => format!("{millis} ms"),
        _ => format!("{} s", time.as_secs()),
    }
}

/// Converts text to ASCII: other characters become as many question marks as they have columns. Symbols of this program
/// have their own ASCII forms.
#[must_use]
pub fn ascii(text: &str) -> String {
    let mut shown = String::new();
    let mut arrow = false;
    for ch in text.chars() {
        let name = match ch {
            '←' => Some("Left"),
            '→' => Some("Right"),
            '↑' => Some("Up"),
            '↓' => Some("Down"),
            _ => None,
        };
        match (name, ch) {
            (Some(name), _) => {
                // Separate two arrows by a space.
                shown.push_str(if arrow { " " } else { "" });
                shown.push_str(name);
            }
            (None, '…') => shown.push_str("..."),
            (None, '–' | '—') => shown.push('-'),
            (None, ch) if ch.is_ascii() => shown.push(ch),
            (None, ch) => shown.push_str(&"?".repeat(columns_of(ch))),
        }
        arrow = name.is_some();
    }
    shown
}

/// Returns the first sentence of a text.
#[must_use]
pub fn first_sentence(text: &str) -> &str {
    let ends = text.match_indices(". ").map(|(at, _)| at + 1);
    // A period in an abbreviation or a file name doesn't end a sentence: the next sentence begins with a capital
    // letter.
    let mut ends = ends.filter(|end| {
        let next = text[*end..].trim_start().chars().next();
        next.is_some_and(|next| next.is_uppercase() || next == '"')
    });
    ends.next().map_or(text, |end| &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortened_text_ends_with_an_ellipsis() {
        assert_eq!(shorten("abcdef", 6, "…"), "abcdef");
        assert_eq!(shorten("abcdef", 4, "…"), "abc…");
        assert_eq!(shorten("日本語", 4, "…"), "日…");
        assert_eq!(shorten("abcdef", 5, "..."), "ab...");
    }

    #[test]
    fn lines_break_at_spaces_and_long_words_anywhere() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefghij k", 4), ["abcd", "efgh", "ij k"]);
        assert_eq!(wrap("", 4), [""]);
    }

    #[test]
    fn arrows_have_names_in_ascii() {
        assert_eq!(ascii("↑↓ PgUp … → 日"), "Up Down PgUp ... Right ??");
    }

    #[test]
    fn the_cursor_stays_in_the_window() {
        assert_eq!(window("abcdef", 6, 10, "…"), ("abcdef".to_owned(), 6));
        assert_eq!(window("abcdef", 6, 4, "…"), ("def".to_owned(), 3));
        assert_eq!(window("abcdef", 0, 4, "…"), ("abc".to_owned(), 0));
        assert_eq!(window("日本語", 6, 4, "…"), ("語".to_owned(), 2));
        assert_eq!(window("abcdefgh", 0, 7, "…"), ("abcde…".to_owned(), 0));
        assert_eq!(window("abcdefgh", 4, 7, "…"), ("abcde…".to_owned(), 4));
        assert_eq!(window("abcdefgh", 5, 7, "…"), ("…cdef…".to_owned(), 4));
        assert_eq!(window("abcdefgh", 8, 7, "…"), ("…defgh".to_owned(), 6));
    }

    #[test]
    fn window_always_shows_the_cursor_position() {
        let text = "0日1本2語3abcdefghijklmn";
        for ellipsis in ["…", "..."] {
            for columns in 2..30 {
                for (cursor, ch) in text.chars().scan(0, |at, ch| {
                    *at += columns_of(ch);
                    Some((*at - columns_of(ch), ch))
                }) {
                    let (shown, column) = window(text, cursor, columns, ellipsis);
                    assert!(
                        width(&shown) < columns && column < columns,
                        "{shown} {columns}"
                    );
                    let mut at = 0;
                    let there = shown.chars().find(|&ch| {
                        at += columns_of(ch);
                        at > column
                    });
                    // A wide character may not fit.
                    if columns > 15 {
                        assert_eq!(there, Some(ch), "{shown} {column} of {columns}");
                    }
                }
            }
        }
    }

    #[test]
    fn lines_without_room_end_with_an_ellipsis() {
        let lines = || vec!["one".to_owned(), "two".to_owned(), "three".to_owned()];
        assert_eq!(fit(lines(), 3, 5, "…"), lines());
        assert_eq!(fit(lines(), 2, 5, "…"), ["one", "two…"]);
        assert_eq!(fit(lines(), 2, 3, "…"), ["one", "tw…"]);
        let long = || wrap("at https://as.example", 7);
        assert_eq!(fit(long(), 1, 7, "…"), ["at htt…"]);
        assert!(fit(lines(), 0, 7, "…").is_empty());
    }

    #[test]
    fn ascii_text_has_the_same_width() {
        assert_eq!(ascii("a日e\u{301}é"), "a??e?");
        assert_eq!(width(&ascii("日本語")), width("日本語"));
    }

    #[test]
    fn columns_are_counted_as_terminals_do() {
        assert_eq!(width("e\u{301}日👍🏽لاﾊﾟ"), 1 + 2 + 4 + 2 + 2);
        let all: Vec<&str> = characters("\u{301}e\u{301}\u{302}日كّ").collect();
        assert_eq!(all, ["\u{301}", "e\u{301}\u{302}", "日", "كّ"]);
    }

    #[test]
    fn chunks_split_text_at_the_given_length() {
        assert_eq!(chunks("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(chunks("", 4), [""]);
    }

    #[test]
    fn time_left_is_minutes_then_tens_then_seconds() {
        let words = |seconds| time_left(Duration::from_secs(seconds)).0;
        assert_eq!(words(899), "14 minutes");
        assert_eq!(words(120), "2 minutes");
        assert_eq!(words(119), "110 seconds");
        assert_eq!(words(59), "59 seconds");
        assert_eq!(words(1), "1 second");
        let (_, until) = time_left(Duration::from_millis(899_500));
        assert!(until > Duration::from_secs(59) && until < Duration::from_mins(1));
    }
}
