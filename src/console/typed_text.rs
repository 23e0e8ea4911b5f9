//! Decodes what is typed on a terminal into text, without the escape sequences of keys, the mouse and reports.

use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::escapes::{Escape, Escapes};

/// The key that deletes the character before the cursor.
pub const BACKSPACE: char = '\x08';
/// The key that ends the input on an empty line.
pub const CTRL_D: char = '\x04';
/// The key that deletes the line.
pub const CTRL_U: char = '\x15';
/// The key that deletes a word.
pub const CTRL_W: char = '\x17';
/// What most terminals send for Backspace.
pub const DELETE: char = '\x7f';

/// After this pause an Esc was a key.
const ESCAPE: Duration = Duration::from_millis(100);
/// For this long after an Esc, `[` and `]` still begin a sequence with it: the rest arrived late.
const LATE: Duration = Duration::from_millis(500);
/// After this pause the beginning of a sequence was a key with Alt.
const BEGINNING: Duration = Duration::from_millis(250);
/// After this pause a sequence ends that is not complete.
const SEQUENCE: Duration = Duration::from_secs(1);

/// Decodes typed bytes.
#[derive(Debug)]
pub struct TypedText {
    escapes: Escapes,
    /// The first bytes of a character.
    character: Zeroizing<Vec<u8>>,
    /// When the last bytes arrived.
    at: Option<Instant>,
    /// Whether the sequence continues only with `[` or `]`.
    is_late: bool,
    /// Whether a sequence has only begun.
    is_beginning: bool,
}

impl Default for TypedText {
    fn default() -> Self {
        Self {
            escapes: Escapes::of_terminal(),
            character: Zeroizing::new(Vec::with_capacity(4)),
            at: None,
            is_late: false,
            is_beginning: false,
        }
    }
}

impl TypedText {
    /// Takes note of the time at which the next bytes arrive. An incomplete sequence ends after a pause.
    pub fn arrive(&mut self, at: Instant) {
        let before = self.at.replace(at).unwrap_or(at);
        let pause = at.saturating_duration_since(before);
        let state = self.escapes.state();
        let limit = match state {
            Escape::None => return,
            Escape::Begun => LATE,
            _ if self.is_beginning => BEGINNING,
            _ => SEQUENCE,
        };
        self.is_late = state == Escape::Begun && pause > ESCAPE;
        if pause > limit {
            self.reset();
        }
    }

    /// Ends an incomplete sequence or character.
    pub fn reset(&mut self) {
        self.escapes.reset();
        self.character.clear();
        self.is_late = false;
    }

    /// Calls `each` with the characters that a byte completes. A byte that is not UTF-8 is U+FFFD. Enter also ends an
    /// incomplete sequence.
    pub fn byte(&mut self, byte: u8, mut each: impl FnMut(char)) {
        if std::mem::take(&mut self.is_late) && !matches!(byte, b'[' | b']') {
            self.escapes.reset();
        }
        if !self.character.is_empty() && byte & 0xc0 != 0x80 {
            self.character.clear();
            self.put(char::REPLACEMENT_CHARACTER, &mut each);
        }
        if matches!(byte, b'\r' | b'\n') {
            self.escapes.reset();
        }
        self.character.push(byte);
        let ch = match std::str::from_utf8(&self.character) {
            Ok(text) => text.chars().next(),
            Err(error) if error.error_len().is_none() => return,
            // A control character with 8 bits.
            Err(_) if matches!(self.character[..], [0x80..=0x9f]) => Some(char::from(byte)),
            Err(_) => None,
        };
        self.character.clear();
        self.put(ch.unwrap_or(char::REPLACEMENT_CHARACTER), &mut each);
    }

    fn put(&mut self, ch: char, each: &mut impl FnMut(char)) {
        let before = self.escapes.state();
        if !self.escapes.takes(ch) {
            each(ch);
        }
        self.is_beginning = matches!(before, Escape::None | Escape::Begun);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the text of bytes, each with the pause before them in milliseconds.
    fn typed(parts: &[(u64, &[u8])]) -> String {
        let mut typed = TypedText::default();
        let mut now = Instant::now();
        let mut text = String::new();
        for (pause, bytes) in parts {
            now += Duration::from_millis(*pause);
            typed.arrive(now);
            for byte in *bytes {
                typed.byte(*byte, |ch| text.push(ch));
            }
        }
        text
    }

    #[test]
    fn keys_and_reports_are_not_text() {
        for (bytes, text) in [
            (&b"\x1b[[Aabc"[..], "abc"),
            (b"\x1b[[E\x1b[M !!abc", "abc"),
            (b"\x1b[M\xc2\xa0\xc2\xa1!abc", "abc"),
            (b"\x1b[<0;1;1Ma\x1b[Ib", "ab"),
            (b"\x9bAa\xc2\x9b3~b", "ab"),
            (b"\x1bOHa\x1bO5Ab\x1bOM", "ab"),
            (b"\x1b[200~s3cret\x1b[201~", "s3cret"),
            (b"\x1b]11;rgb:0/0/0\x1b\\a\x1b]11;x\x07b\x1b[?62;c", "ab"),
            (b"\x1b[99;5ua\x1b[27;5;99~b\x1b[13;28;13;1;0;1_c", "abc"),
            (b"\x1bba\x1b\x1b[Ab", "ab"),
            (b"\xc3\xa9\xe6\xbc\xa2", "é漢"),
            (b"\xe9a\xc3b\xff", "\u{fffd}a\u{fffd}b\u{fffd}"),
            (b"\x1b\xc3\xa9\x1b[1\rx", "é\rx"),
            (b"\x1b]x\ry\x1b[M\nz", "\ry\nz"),
        ] {
            assert_eq!(typed(&[(0, bytes)]), text, "{}", bytes.escape_ascii());
            let single: Vec<_> = bytes.chunks(1).map(|byte| (33, byte)).collect();
            assert_eq!(typed(&single), text, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn incomplete_sequence_ends_after_a_pause() {
        for (parts, text) in [
            // Esc, and Alt+] and Alt+[ before typed text.
            (&[(0, &b"\x1b"[..]), (150, b"quit")][..], "quit"),
            (&[(0, b"\x1b"), (700, b"[quit")], "[quit"),
            (&[(0, b"\x1b]"), (300, b"quit")], "quit"),
            (&[(0, b"\x1b["), (300, b"quit")], "quit"),
            (&[(0, b"\x1bP"), (300, b"q"), (100, b"uit")], "quit"),
            (&[(0, b"\x1b]11;"), (1100, b"quit")], "quit"),
            // The rest arrives late.
            (&[(0, b"\x1b"), (300, b"[Ax")], "x"),
            (&[(0, b"\x1b]11;"), (900, b"rgb\x07x")], "x"),
            (&[(0, b"\x1b[20"), (400, b"0~x")], "x"),
            (&[(0, b"\xc3"), (400, b"\xa9")], "é"),
        ] {
            assert_eq!(typed(parts), text, "{parts:?}");
        }
    }
}
