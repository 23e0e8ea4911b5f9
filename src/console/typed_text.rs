//! Decodes what is typed on a terminal into text and the control characters that edit it. A terminal may send these keys
//! as sequences, if another program has left it in such a mode. Other sequences, of the mouse and reports, are dropped.

use std::time::Instant;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use zeroize::Zeroizing;

use crate::escapes::{Escape, Escapes};
use crate::keyboard::encodings::{self, Meaning};
use crate::keyboard::pauses::{CHARACTER, ESCAPE, LATE, SEQUENCE};
use crate::keyboard::records::Records;

/// The key that deletes the character before the cursor.
pub const BACKSPACE: char = '\x08';
/// The key that ends the program. A terminal that doesn't send it in a sequence sends a signal instead.
pub const CTRL_C: char = '\x03';
/// The key that ends the input on an empty line.
pub const CTRL_D: char = '\x04';
/// The key that deletes the line.
pub const CTRL_U: char = '\x15';
/// The key that deletes a word.
pub const CTRL_W: char = '\x17';
/// The key that suspends the program, also usually a signal.
pub const CTRL_Z: char = '\x1a';
/// What most terminals send for Backspace.
pub const DELETE: char = '\x7f';

/// Maximum length of a key's sequence, in bytes.
const LONGEST: usize = 256;

/// Decodes typed bytes.
#[derive(Debug)]
pub struct TypedText {
    escapes: Escapes,
    /// The sequence, without its introducer.
    sequence: Zeroizing<Vec<u8>>,
    records: Records,
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
            sequence: Zeroizing::new(Vec::with_capacity(LONGEST)),
            records: Records::default(),
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
            _ if self.is_beginning => CHARACTER,
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
            // With Alt, Backspace deletes a word.
            let is_word = before == Escape::Begun && matches!(ch, BACKSPACE | DELETE);
            each(if is_word { CTRL_W } else { ch });
        } else if matches!(before, Escape::Control { .. } | Escape::Keypad) {
            if let Ok(byte) = u8::try_from(ch)
                && self.sequence.len() < LONGEST
            {
                self.sequence.push(byte);
            }
            if self.escapes.state() == Escape::None {
                self.keys(before == Escape::Keypad)
                    .into_iter()
                    .filter_map(character)
                    .for_each(each);
            }
        } else {
            self.sequence.clear();
        }
        self.is_beginning = matches!(before, Escape::None | Escape::Begun);
    }

    /// Returns the keys of the complete sequence.
    fn keys(&mut self, is_keypad: bool) -> Vec<KeyEvent> {
        match self.sequence.split_last() {
            Some((byte, params)) if is_keypad => {
                encodings::of_keypad(params, *byte).into_iter().collect()
            }
            _ => match encodings::of_sequence(&self.sequence) {
                Meaning::Keys(keys) => keys,
                Meaning::Record(record) => encodings::of_record(&mut self.records, &record),
                Meaning::Paste | Meaning::Skip(_) | Meaning::Nothing => Vec::new(),
            },
        }
    }
}

/// Returns the character that a terminal usually sends for a key that types or edits.
fn character(key: KeyEvent) -> Option<char> {
    let key = encodings::as_sent_plainly(key);
    let modifiers = key.modifiers - KeyModifiers::SHIFT;
    Some(match key.code {
        KeyCode::Enter => '\r',
        KeyCode::Tab => '\t',
        KeyCode::Backspace if modifiers.is_empty() => DELETE,
        KeyCode::Backspace => CTRL_W,
        KeyCode::Char(ch) if modifiers.is_empty() => ch,
        KeyCode::Char(ch) if modifiers == KeyModifiers::CONTROL && ch.is_ascii_alphabetic() => {
            char::from(ch as u8 & 0x1f)
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

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
            (b"\x1bOHa\x1bO5Ab", "ab"),
            (b"\x1b[200~s3cret\x1b[201~", "s3cret"),
            (b"\x1b]11;rgb:0/0/0\x1b\\a\x1b]11;x\x07b\x1b[?62;c", "ab"),
            // Keys in the modes of other programs, and in those of a keypad.
            (b"\x1b[99;5ua\x1b[27;5;99~b\x1b[99;5:3u", "\x03a\x03b"),
            (
                b"\x1b[1089::99;5u\x1b[67;46;3;1;8;1_\x1b[122;5u",
                "\x03\x03\x1a",
            ),
            (
                b"\x1b[100;5u\x1b[117;5u\x1b[27;5;119~\x1b[109;5u",
                "\x04\x15\x17\r",
            ),
            (
                b"\x1b[13;28;13;1;0;1_\x1b[13;28;13;0;0;1_\x1b[57414u",
                "\r\r",
            ),
            (b"\x1b\x7f\x1b\x08\x7f", "\x17\x17\x7f"),
            (b"\x1b[127u\x1b[127;3u\x1b[127;5u\x1b[9u", "\x7f\x17\x17\t"),
            (
                b"\x1b[97u\x1b[97;2u\x1b[65;30;97;1;0;3_\x1b[233u",
                "aAaaa\u{e9}",
            ),
            (b"\x1bOM\x1bOqa\x1bOj", "\r1a*"),
            (b"\x1b[97;3u\x1b[97;7u\x1b[1;5D\x1b[27u", ""),
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
            (&[(0, b"\x1b"), (150, b"\x7f")], "\x7f"),
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
