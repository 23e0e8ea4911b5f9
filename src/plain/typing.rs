//! The line editor of the line-by-line interface.

use unicode_width::UnicodeWidthChar;
use vte::{Parser, Perform};
use zeroize::Zeroizing;

use crate::clean::is_visible;
use crate::secret::SecretString;

/// Maximum length of a line, in bytes.
const LINE_LIMIT: usize = 128 * 1024;
const BACKSPACE: u8 = 0x08;
const CTRL_D: u8 = 0x04;
const CTRL_U: u8 = 0x15;
const CTRL_W: u8 = 0x17;
const DELETE: char = '\x7f';

/// The result of a complete line.
#[derive(Debug)]
pub(super) enum Line {
    Text(SecretString),
    /// The line exceeded the maximum length.
    TooLong,
}

/// Collects typed bytes and applies editing keys. Escape sequences, such as those of arrow keys, are ignored.
pub(super) struct Typing {
    parser: Parser,
    line: Typed,
}

impl Default for Typing {
    fn default() -> Self {
        Self {
            parser: Parser::new(),
            line: Typed::default(),
        }
    }
}

#[derive(Default)]
struct Typed {
    text: Zeroizing<String>,
    is_too_long: bool,
    /// Whether Ctrl+D was pressed while the line was empty.
    is_ended: bool,
    /// The next character ends an escape sequence, such as that of Home on some terminals.
    ends_sequence: bool,
    /// The output that updates the line on the screen.
    echo: Zeroizing<String>,
}

impl Typing {
    /// Processes bytes of one line. Returns the line if the bytes end with a line feed.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Option<Line> {
        let (bytes, is_whole) = match bytes.split_last() {
            Some((b'\n', bytes)) => (bytes, true),
            _ => (bytes, false),
        };
        self.parser.advance(&mut self.line, bytes);
        is_whole.then(|| {
            self.line.echo.push('\n');
            self.end()
        })
    }

    /// Returns the current line, and starts the next one.
    pub(super) fn end(&mut self) -> Line {
        self.parser = Parser::new();
        self.line.ends_sequence = false;
        let text = std::mem::take(&mut self.line.text);
        if std::mem::take(&mut self.line.is_too_long) {
            return Line::TooLong;
        }
        Line::Text(text.trim().into())
    }

    /// Returns whether Ctrl+D was pressed on an empty line, and resets this.
    pub(super) fn is_ended(&mut self) -> bool {
        std::mem::take(&mut self.line.is_ended)
    }

    /// Returns the output that shows the bytes processed since the last call.
    pub(super) fn echo(&mut self) -> Zeroizing<String> {
        std::mem::take(&mut self.line.echo)
    }
}

impl Typed {
    /// Removes the last character. Returns `false` if the line is empty.
    fn erase(&mut self) -> bool {
        let Some(ch) = self.text.pop() else {
            return false;
        };
        for _ in 0..ch.width().unwrap_or(0) {
            self.echo.push_str("\x08 \x08");
        }
        true
    }

    fn erase_while(&mut self, is_erased: impl Fn(char) -> bool) {
        while self.text.chars().next_back().is_some_and(&is_erased) {
            self.erase();
        }
    }
}

impl Perform for Typed {
    fn print(&mut self, ch: char) {
        if std::mem::take(&mut self.ends_sequence) {
            return;
        }
        if ch == DELETE {
            self.erase();
        } else if self.text.len() + ch.len_utf8() > LINE_LIMIT {
            self.is_too_long = true;
        } else {
            self.text.push(ch);
            if is_visible(ch) {
                self.echo.push(ch);
            }
        }
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            BACKSPACE => drop(self.erase()),
            CTRL_U => self.erase_while(|_| true),
            CTRL_W => {
                self.erase_while(char::is_whitespace);
                self.erase_while(|ch| !ch.is_whitespace());
            }
            CTRL_D => self.is_ended |= self.text.is_empty(),
            b'\t' => self.print(' '),
            _ => {}
        }
    }

    fn esc_dispatch(&mut self, intermediates: &[u8], _ignore: bool, byte: u8) {
        self.ends_sequence = intermediates.is_empty() && byte == b'O';
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
        let Some(Line::Text(line)) = typing.feed(text.as_bytes()) else {
            panic!("no line");
        };
        (line.expose_secret().to_owned(), typing.echo().to_string())
    }

    #[test]
    fn typed_text_can_be_erased() {
        for (text, line, shown) in [
            ("ab\x7f\x08c\n", "c", "ab\x08 \x08\x08 \x08c\n"),
            ("é\x7f\x7f\n", "", "é\x08 \x08\n"),
            ("漢\x7fx\n", "x", "漢\x08 \x08\x08 \x08x\n"),
            ("ab\x15c\x04\r\n", "c", "ab\x08 \x08\x08 \x08c\n"),
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
        ] {
            let text = text.split_inclusive('\n').next().unwrap_or_default();
            assert_eq!(typed(text), (line.to_owned(), shown.to_owned()), "{text:?}");
        }
    }

    #[test]
    fn ctrl_d_ends_input_only_on_an_empty_line() {
        let mut typing = Typing::default();
        assert!(typing.feed(b"a\x04").is_none() && !typing.is_ended());
        assert!(typing.feed(b"\x7f\x04").is_none() && typing.is_ended());
        assert!(!typing.is_ended());
    }

    #[test]
    fn too_long_line_is_not_truncated() {
        let mut typing = Typing::default();
        let long = vec![b'x'; LINE_LIMIT];
        assert!(typing.feed(&long).is_none());
        assert!(matches!(typing.feed(b"x\n"), Some(Line::TooLong)));
        assert!(typing.feed(&long).is_none());
        let Some(Line::Text(line)) = typing.feed(b"\n") else {
            panic!("no line");
        };
        assert_eq!(line.expose_secret().len(), LINE_LIMIT);
    }
}
