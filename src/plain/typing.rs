//! The line editor of the line-by-line interface.

use std::time::Instant;

use unicode_width::UnicodeWidthStr;
use zeroize::Zeroizing;

use crate::clean::is_visible;
use crate::console::typed_line::{erasing, position};
use crate::console::typed_text::{
    BACKSPACE, CTRL_C, CTRL_D, CTRL_U, CTRL_W, CTRL_Z, DELETE, TypedText,
};
use crate::secret::SecretString;

/// Maximum length of a line, in bytes.
const LINE_LIMIT: usize = 128 * 1024;

/// The result of a complete line.
#[derive(Debug)]
pub(super) enum Line {
    Text(SecretString),
    /// The line exceeded the maximum length.
    TooLong,
}

/// A key for the program instead of the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pressed {
    /// The key Ctrl+D on an empty line.
    End,
    /// The key Ctrl+C.
    Interrupt,
    /// The key Ctrl+Z.
    Suspend,
}

/// Collects typed bytes and applies editing keys. Escape sequences, such as those of arrow keys, are ignored.
#[derive(Default)]
pub(super) struct Typing {
    bytes: TypedText,
    line: Typed,
}

#[derive(Default)]
struct Typed {
    text: Zeroizing<String>,
    is_too_long: bool,
    pressed: Option<Pressed>,
    /// The text on the screen.
    shown: Zeroizing<String>,
    /// The output that updates the line on the screen.
    echo: Zeroizing<String>,
}

impl Typing {
    /// Takes note of the time at which the next bytes arrive.
    pub(super) fn arrive(&mut self, at: Instant) {
        self.bytes.arrive(at);
    }

    /// Processes bytes, and returns the lines that they complete. `columns` is the width of a terminal that can move the
    /// cursor up.
    pub(super) fn feed(&mut self, bytes: &[u8], columns: Option<usize>) -> Vec<Line> {
        let mut lines = Vec::new();
        for byte in bytes {
            self.bytes.byte(*byte, |ch| match ch {
                '\n' | '\r' => {
                    self.line.draw(columns);
                    self.line.echo.push('\n');
                    self.line.shown.clear();
                    lines.push(self.line.end());
                }
                ch => self.line.take(ch),
            });
        }
        self.line.draw(columns);
        lines
    }

    /// Returns the current line, and starts the next one.
    pub(super) fn end(&mut self) -> Line {
        self.bytes.reset();
        self.line.end()
    }

    /// Returns the most urgent key for the program, and forgets the keys.
    pub(super) fn pressed(&mut self) -> Option<Pressed> {
        self.line.pressed.take()
    }

    /// Returns the output that shows the bytes processed since the last call.
    pub(super) fn echo(&mut self) -> Zeroizing<String> {
        std::mem::take(&mut self.line.echo)
    }

    /// Returns the current line, as the screen shows it.
    pub(super) fn shown(&self) -> &str {
        &self.line.shown
    }
}

impl Typed {
    /// Returns the line, and starts the next one.
    fn end(&mut self) -> Line {
        let text = std::mem::take(&mut self.text);
        if std::mem::take(&mut self.is_too_long) {
            return Line::TooLong;
        }
        Line::Text(text.trim().into())
    }

    /// Adds what changes the screen to the current text. A backspace doesn't go up a row, so text that ends in another row
    /// than before is written again.
    fn draw(&mut self, columns: Option<usize>) {
        let mut text = Zeroizing::new(String::with_capacity(self.text.len()));
        text.extend(self.text.chars().filter(|ch| is_visible(*ch)));
        let pairs = self.shown.chars().zip(text.chars());
        let same = pairs.take_while(|(one, other)| one == other);
        let mut same: usize = same.map(|(ch, _)| ch.len_utf8()).sum();
        let (kept, erased) = self.shown.split_at(same);
        let is_in_row = |columns| {
            let (row, column) = position(&self.shown, columns);
            column < columns && position(kept, columns).0 == row
        };
        match columns {
            Some(columns) if !erased.is_empty() && !is_in_row(columns) => {
                self.echo.push_str(&erasing(&self.shown, columns));
                same = 0;
            }
            _ => self.echo.push_str(&"\x08 \x08".repeat(erased.width())),
        }
        self.echo.push_str(&text[same..]);
        self.shown = text;
    }

    fn erase_while(&mut self, is_erased: impl Fn(char) -> bool) {
        while self.text.chars().next_back().is_some_and(&is_erased) {
            self.text.pop();
        }
    }

    /// Applies a typed character.
    fn take(&mut self, ch: char) {
        match ch {
            BACKSPACE | DELETE => drop(self.text.pop()),
            CTRL_U => self.erase_while(|_| true),
            CTRL_W => {
                self.erase_while(char::is_whitespace);
                self.erase_while(|ch| !ch.is_whitespace());
            }
            CTRL_C => self.pressed = Some(Pressed::Interrupt),
            CTRL_Z if self.pressed != Some(Pressed::Interrupt) => {
                self.pressed = Some(Pressed::Suspend);
            }
            CTRL_D if self.text.is_empty() => {
                self.pressed.get_or_insert(Pressed::End);
            }
            '\t' => self.take(' '),
            ch if ch.is_control() => {}
            ch if self.text.len() + ch.len_utf8() > LINE_LIMIT => self.is_too_long = true,
            ch => self.text.push(ch),
        }
    }
}

#[cfg(test)]
#[allow(clippy::panic, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;
    use crate::secret::ExposeSecret;

    /// Returns the line, and its echo on the screen.
    fn typed(text: &str) -> (String, String) {
        let mut typing = Typing::default();
        let mut bytes = text.bytes();
        let line = bytes.find_map(|byte| typing.feed(&[byte], Some(80)).pop());
        let Some(Line::Text(line)) = line else {
            panic!("no line");
        };
        assert_eq!(typing.shown(), "");
        (line.expose_secret().to_owned(), typing.echo().to_string())
    }

    #[test]
    fn typed_text_can_be_erased() {
        for (text, line, shown) in [
            ("ab\x7f\x08c\n", "c", "ab\x08 \x08\x08 \x08c\n"),
            ("é\x7f\x7f\n", "", "é\x08 \x08\n"),
            ("漢\x7fx\n", "x", "漢\x08 \x08\x08 \x08x\n"),
            ("ab\x15c\x04\n", "c", "ab\x08 \x08\x08 \x08c\n"),
            (
                "one two \x172\n",
                "one 2",
                "one two \x08 \x08\x08 \x08\x08 \x08\x08 \x082\n",
            ),
            // Up, Home on a keypad, Delete, a bracketed paste, and a line that ends within a sequence.
            (
                "\x1b[Aa\x1bOHb\x1b[3~\x1b[200~c\x1b[201~\x1b[1;\n",
                "abc",
                "abc\n",
            ),
            ("\x1b]0;title\nx\n", "", "\n"),
            // F1 on the Linux console, and a click.
            ("\x1b[[Aab\x1b[M !!c\u{9b}A\n", "abc", "abc\n"),
        ] {
            let text = text.split_inclusive('\n').next().unwrap_or_default();
            assert_eq!(typed(text), (line.to_owned(), shown.to_owned()), "{text:?}");
        }
    }

    #[test]
    fn carriage_return_ends_a_line() {
        assert_eq!(typed("ab\r"), ("ab".to_owned(), "ab\n".to_owned()));
    }

    #[test]
    fn erased_rows_are_removed_from_the_screen() {
        let echo = |text: &str, columns| {
            let mut typing = Typing::default();
            typing.feed(&[b'x'; 25], columns);
            typing.echo();
            typing.feed(text.as_bytes(), columns);
            typing.echo().to_string()
        };
        assert_eq!(echo("\x15", Some(10)), "\r\x1b[2A\x1b[J");
        assert_eq!(echo("\x7f\x7f", Some(10)), "\x08 \x08".repeat(2));
        // The cursor stays in the last column at the end of a row.
        let rows = format!("\r\x1b[2A\x1b[J{}", "x".repeat(20));
        assert_eq!(echo(&"\x7f".repeat(5), Some(10)), rows);
        assert_eq!(
            echo("\x7f", Some(25)),
            format!("\r\x1b[J{}", "x".repeat(24))
        );
        assert_eq!(echo(" y\x17\x17\x15", Some(10)), "\r\x1b[2A\x1b[J");
        assert_eq!(
            echo(&"\x7f".repeat(6), Some(10)),
            rows.replace(&"x".repeat(20), &"x".repeat(19))
        );
        // A terminal that can't move the cursor up.
        assert_eq!(echo("\x15", None), "\x08 \x08".repeat(25));
    }

    #[test]
    fn ctrl_d_ends_input_only_on_an_empty_line() {
        let mut typing = Typing::default();
        assert!(typing.feed(b"a\x04", None).is_empty() && typing.pressed().is_none());
        assert!(typing.feed(b"\x7f\x04", None).is_empty());
        assert_eq!(typing.pressed(), Some(Pressed::End));
        assert_eq!(typing.pressed(), None);
    }

    #[test]
    fn keys_of_other_modes_end_the_line_and_the_program() {
        for (bytes, pressed) in [
            (&b"\x1b[99;5u"[..], Pressed::Interrupt),
            (b"abc\x1b[27;5;99~", Pressed::Interrupt),
            (b"\x1b[122;5u", Pressed::Suspend),
            (b"a\x1b[127u\x1b[100;5u", Pressed::End),
            (b"\x1b[100;5u\x1b[99;5u\x1b[100;5u", Pressed::Interrupt),
        ] {
            let mut typing = Typing::default();
            assert!(typing.feed(bytes, None).is_empty());
            assert_eq!(typing.pressed(), Some(pressed), "{}", bytes.escape_ascii());
        }
        let mut typing = Typing::default();
        let lines = typing.feed(b"one\x1b[57414utwo\x1bOMthree\nfour", Some(80));
        let lines = lines.into_iter().map(|line| match line {
            Line::Text(line) => line.expose_secret().to_owned(),
            Line::TooLong => panic!("too long"),
        });
        assert_eq!(lines.collect::<Vec<_>>(), ["one", "two", "three"]);
        assert_eq!(typing.echo().as_str(), "one\ntwo\nthree\nfour");
        assert_eq!(typing.shown(), "four");
    }

    #[test]
    fn too_long_line_is_not_truncated() {
        let mut typing = Typing::default();
        let long = vec![b'x'; LINE_LIMIT];
        assert!(typing.feed(&long, None).is_empty());
        assert!(matches!(typing.feed(b"x\n", None)[..], [Line::TooLong]));
        assert!(typing.feed(&long, None).is_empty());
        let [Line::Text(line)] = &typing.feed(b"\n", None)[..] else {
            panic!("no line");
        };
        assert_eq!(line.expose_secret().len(), LINE_LIMIT);
    }
}
