//! Turns the bytes of a terminal into keys and pastes. Everything else that a terminal sends (answers to queries of other
//! programs, reports of modes, the mouse or the focus) is complete in itself and is dropped, however it is split.
//!
//! - What is incomplete ends after a pause. A lone Esc is a key then; the rest of a sequence was not typed, and is dropped.
//! - Ctrl+C is always heard, whatever came before it.
//!
//! Knows no clock: times come with the bytes.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use vte::{Params, Parser, Perform};

use super::encodings::{self, Meaning};

/// After this pause an Esc is one. Longer than the time between two bytes at 300 baud.
const ESCAPE: Duration = Duration::from_millis(100);
/// After this pause an unfinished sequence is none.
const SEQUENCE: Duration = Duration::from_millis(250);
/// After this pause a paste is over whose end got lost.
const PASTE: Duration = Duration::from_secs(1);
/// No sequence of a key is longer. The rest of a longer one is dropped until a pause.
const LONGEST: usize = 64;
/// Of a paste no more is kept, in bytes.
const PASTE_LIMIT: usize = 1024 * 1024;
/// What ends a paste.
const PASTE_END: &[u8] = b"\x1b[201~";

/// What the bytes come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A key was pressed.
    Key(KeyEvent),
    /// Text was pasted, as the terminal says.
    Paste(String),
}

/// What is unfinished.
#[derive(Debug, Default)]
enum Mode {
    #[default]
    Ground,
    /// An Esc, which may be the beginning of a sequence.
    Escape,
    /// An escape sequence with an intermediate byte, such as one that chooses a character set.
    Intermediate,
    /// A control sequence, with its length.
    Control(usize),
    /// A key of the keypad, with its parameter.
    Keypad(Vec<u8>),
    /// So many bytes without meaning.
    Skip(usize),
    /// A string of the terminal, or a sequence that is too long: until its end, or a pause.
    String,
    /// A bracketed paste.
    Paste(Paste),
}

#[derive(Debug, Default)]
struct Paste {
    text: Vec<u8>,
    /// The bytes from the last Esc on, which may be the end.
    sequence: Vec<u8>,
}

impl Paste {
    fn keep(&mut self, bytes: &[u8]) {
        if self.text.len() + bytes.len() <= PASTE_LIMIT {
            self.text.extend(bytes);
        }
    }

    fn finish(mut self) -> Input {
        let sequence = std::mem::take(&mut self.sequence);
        self.keep(&sequence);
        Input::Paste(String::from_utf8_lossy(&self.text).into_owned())
    }
}

/// Decodes bytes.
#[derive(Default)]
pub struct Decoder {
    parser: Parser,
    mode: Mode,
    /// When the last byte of what is unfinished came.
    at: Duration,
}

/// What the parser has found.
#[derive(Default)]
struct Found {
    inputs: Vec<Input>,
    /// What has begun.
    mode: Option<Mode>,
}

impl Perform for Found {
    fn print(&mut self, ch: char) {
        if ch == '\x7f' {
            self.execute(0x7f);
        } else if !ch.is_control() && ch != char::REPLACEMENT_CHARACTER {
            self.inputs.push(Input::Key(encodings::of_char(ch)));
        }
    }

    fn execute(&mut self, byte: u8) {
        self.inputs
            .extend(encodings::of_control(byte).map(Input::Key));
    }

    fn csi_dispatch(&mut self, params: &Params, intermediates: &[u8], ignore: bool, action: char) {
        if ignore || !intermediates.is_empty() {
            return;
        }
        match encodings::of_sequence(params, action) {
            Meaning::Key(key) => self.inputs.push(Input::Key(key)),
            Meaning::Paste => self.mode = Some(Mode::Paste(Paste::default())),
            Meaning::Skip(count) => self.mode = Some(Mode::Skip(count)),
            Meaning::Nothing => {}
        }
    }

    fn esc_dispatch(&mut self, intermediates: &[u8], _ignore: bool, byte: u8) {
        match byte {
            _ if !intermediates.is_empty() => {}
            b'O' => self.mode = Some(Mode::Keypad(Vec::new())),
            // The end of a string.
            b'\\' => {}
            byte => {
                let mut key = encodings::of_char(byte.into());
                key.modifiers |= KeyModifiers::ALT;
                self.inputs.push(Input::Key(key));
            }
        }
    }
}

impl Decoder {
    /// Takes bytes that came at `at`.
    pub fn feed(&mut self, bytes: &[u8], at: Duration) -> Vec<Input> {
        let mut inputs = self.expire(at);
        self.at = at;
        for byte in bytes {
            self.byte(*byte, &mut inputs);
        }
        inputs
    }

    /// When [`Self::expire`] has something to do.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        let pause = match self.mode {
            Mode::Ground => return None,
            Mode::Escape => ESCAPE,
            Mode::Paste(_) => PASTE,
            Mode::Intermediate
            | Mode::Control(_)
            | Mode::Keypad(_)
            | Mode::Skip(_)
            | Mode::String => SEQUENCE,
        };
        Some(self.at + pause)
    }

    /// What is settled because nothing has followed until `at`.
    pub fn expire(&mut self, at: Duration) -> Vec<Input> {
        if self.deadline().is_none_or(|deadline| at <= deadline) {
            return Vec::new();
        }
        match self.reset() {
            Mode::Escape => vec![Input::Key(KeyEvent::from(KeyCode::Esc))],
            Mode::Paste(paste) => vec![paste.finish()],
            _ => Vec::new(),
        }
    }

    /// Forgets what is unfinished, and returns it.
    fn reset(&mut self) -> Mode {
        self.parser = Parser::default();
        std::mem::take(&mut self.mode)
    }

    fn byte(&mut self, byte: u8, inputs: &mut Vec<Input>) {
        let ctrl_c = 0x03;
        if byte == ctrl_c {
            if let Mode::Paste(paste) = self.reset() {
                inputs.push(paste.finish());
            }
            inputs.extend(encodings::of_control(byte).map(Input::Key));
            return;
        }
        let escape = byte == 0x1b;
        match std::mem::take(&mut self.mode) {
            Mode::Paste(paste) => self.pasted(paste, byte, inputs),
            Mode::Skip(1) if !escape => {}
            Mode::Skip(left) if !escape => self.mode = Mode::Skip(left - 1),
            Mode::Keypad(mut sequence) if !escape => {
                if byte.is_ascii_digit() || byte == b';' {
                    sequence.push(byte);
                    if sequence.len() < LONGEST {
                        self.mode = Mode::Keypad(sequence);
                    }
                } else {
                    let key = encodings::of_keypad(byte);
                    inputs.extend(key.map(Input::Key));
                }
            }
            // Alt with a key that is a control character by itself. The Linux console sends Shift+Tab so.
            Mode::Escape if !escape && (byte < 0x20 || byte == 0x7f) => {
                self.reset();
                let mut keys = encodings::of_control(byte).into_iter();
                inputs.extend(keys.by_ref().map(encodings::with_alt).map(Input::Key));
            }
            // Strings of all kinds end so in practice.
            Mode::String if byte == 0x07 => {
                self.reset();
            }
            mode => self.parse(&mode, byte, inputs),
        }
    }

    /// Lets the parser have a byte, and follows what it is in.
    fn parse(&mut self, mode: &Mode, byte: u8, inputs: &mut Vec<Input>) {
        let mut found = Found::default();
        self.parser.advance(&mut found, &[byte]);
        inputs.append(&mut found.inputs);
        self.mode = found.mode.unwrap_or(match (mode, byte) {
            (_, 0x1b) => Mode::Escape,
            (_, 0x18 | 0x1a) | (Mode::Control(_), 0x40..=0x7e) => Mode::Ground,
            (Mode::Escape, b'[') => Mode::Control(0),
            (Mode::Escape, b']' | b'P' | b'X' | b'^' | b'_') | (Mode::String, _) => Mode::String,
            (Mode::Escape | Mode::Intermediate, 0x20..=0x2f) => Mode::Intermediate,
            (Mode::Control(length), _) if *length < LONGEST => Mode::Control(length + 1),
            (Mode::Control(_), _) => {
                // The parser is at its beginning again; what comes is dropped all the same.
                self.parser = Parser::default();
                self.parser.advance(&mut Found::default(), b"\x1b_");
                Mode::String
            }
            _ => Mode::Ground,
        });
    }

    /// A byte within a paste.
    fn pasted(&mut self, mut paste: Paste, byte: u8, inputs: &mut Vec<Input>) {
        if byte == 0x1b || paste.sequence.is_empty() {
            let before = std::mem::take(&mut paste.sequence);
            paste.keep(&before);
            if byte == 0x1b {
                paste.sequence.push(byte);
            } else {
                paste.keep(&[byte]);
            }
            self.mode = Mode::Paste(paste);
            return;
        }
        paste.sequence.push(byte);
        if paste.sequence == PASTE_END {
            paste.sequence.clear();
            inputs.push(paste.finish());
            return;
        }
        let begins = paste.sequence.len() < 3;
        let whole = !begins && (0x40..=0x7e).contains(&byte);
        if whole || paste.sequence.len() > LONGEST {
            let sequence = std::mem::take(&mut paste.sequence);
            if let Some(key) = encodings::ctrl_c(&sequence) {
                inputs.push(paste.finish());
                inputs.push(Input::Key(key));
                return;
            }
            paste.keep(&sequence);
        }
        self.mode = Mode::Paste(paste);
    }
}
