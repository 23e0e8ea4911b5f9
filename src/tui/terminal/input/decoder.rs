//! Decodes the bytes of a terminal into keys and pastes. Everything else that a terminal sends (responses to queries of
//! other programs, reports of modes, the mouse or the focus) is recognized as a whole and dropped, however it is split.
//!
//! - An incomplete sequence ends after a pause. A lone Esc is then a key; the rest of a sequence was not typed, and is
//!   dropped.
//! - Ctrl+C is always reported, whatever came before it.
//! - Other control characters within a sequence are dropped, so that the bytes after them are still part of the
//!   sequence.
//!
//! The decoder reads no clock: times come with the bytes.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::encodings::{self, Meaning};

/// After this pause a lone Esc is a key. Longer than the time between two bytes at 300 baud.
const ESCAPE: Duration = Duration::from_millis(100);
/// For this long after an Esc, `[` or `]` still begins a sequence with it: the rest arrived late, and nobody typed it.
const LATE: Duration = Duration::from_millis(500);
/// After this pause an unfinished character is dropped, and a sequence that may be an rxvt key is that key.
const CHARACTER: Duration = Duration::from_millis(250);
/// After this pause an unfinished sequence or string is dropped. Longer than the delay of a lost packet, or the rest
/// would be read as typed.
const SEQUENCE: Duration = Duration::from_secs(1);
/// After this pause a paste ends whose end marker was lost.
const PASTE: Duration = Duration::from_secs(1);
/// Maximum duration of anything but a paste, even without a pause: enough for 600 bytes at 300 baud.
const LASTS: Duration = Duration::from_secs(20);
/// Maximum duration of a paste.
const PASTE_LASTS: Duration = Duration::from_mins(5);
/// Maximum length of a key's sequence, in bytes. The rest of a longer sequence is dropped like a string.
const LONGEST: usize = 256;
/// Maximum size of a paste, in bytes. The rest is dropped.
const PASTE_LIMIT: usize = 1024 * 1024;
/// The sequences that begin and end a paste.
const PASTE_BEGIN: &[u8] = b"\x1b[200~";
const PASTE_END: &[u8] = b"\x1b[201~";

const ESC: u8 = 0x1b;
const CTRL_C: u8 = 0x03;

/// A decoded key or paste.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A key was pressed.
    Key(KeyEvent),
    /// Text that the terminal marked as a paste.
    Paste(String),
}

/// The unfinished input.
#[derive(Debug, Default)]
enum Mode {
    #[default]
    Ground,
    /// The first bytes of a character, and whether it came with Alt.
    Character(Vec<u8>, bool),
    /// An Esc, which may begin a sequence, or the end of a string.
    Escape { string: bool },
    /// An escape sequence with an intermediate byte, such as one that selects a character set.
    Intermediate,
    /// A control sequence, without its introducer.
    Control(Vec<u8>),
    /// The parameters of a keypad key.
    Keypad(Vec<u8>),
    /// How many characters of a report to skip; 0 if only the second byte of the last character may still follow.
    Skip(usize),
    /// A control string, or a sequence that is too long.
    String,
    /// A bracketed paste.
    Paste(Paste),
}

#[derive(Debug, Default)]
struct Paste {
    text: Vec<u8>,
    /// The bytes since the last Esc, which may be the end of the paste.
    sequence: Vec<u8>,
    /// How many nested pastes have begun.
    depth: usize,
}

impl Paste {
    fn keep(&mut self, bytes: &[u8]) {
        if self.text.len() + bytes.len() <= PASTE_LIMIT {
            self.text.extend(bytes);
        }
    }

    fn finish(mut self) -> Input {
        let sequence = std::mem::take(&mut self.sequence);
        if !PASTE_END.starts_with(&sequence) {
            self.keep(&sequence);
        }
        Input::Paste(String::from_utf8_lossy(&self.text).into_owned())
    }
}

/// The position of the stream within a UTF-8 character.
#[derive(Debug, Default)]
struct Place {
    left: u8,
    last: u8,
}

impl Place {
    /// Processes a byte, and returns the byte after the Esc in the 7-bit form of an 8-bit control character. Within a
    /// UTF-8 character such a byte is part of the character, unless that character is the control character itself.
    fn control(&mut self, byte: u8) -> Option<u8> {
        let within = self.left > 0 && is_continuation(byte);
        let control = !within || self.last == 0xc2;
        self.left = match byte {
            _ if within => self.left - 1,
            0xc2..=0xdf => 1,
            0xe0..=0xef => 2,
            0xf0..=0xf4 => 3,
            _ => 0,
        };
        self.last = byte;
        let known = matches!(byte, 0x8f | 0x90 | 0x98 | 0x9b..=0x9f);
        (control && known).then(|| byte - 0x40)
    }
}

fn is_continuation(byte: u8) -> bool {
    (0x80..=0xbf).contains(&byte)
}

/// Decodes the bytes of a terminal into keys and pastes.
#[derive(Debug, Default)]
pub struct Decoder {
    mode: Mode,
    place: Place,
    /// When the unfinished input began.
    since: Duration,
    /// When the last byte of the unfinished input arrived.
    at: Duration,
    /// When an Esc arrived that became a key because nothing followed in time.
    escaped: Option<Duration>,
}

impl Decoder {
    /// Decodes bytes that arrived at `at`. For a pause before them, call [`Self::expire`] first.
    pub fn feed(&mut self, bytes: &[u8], at: Duration) -> Vec<Input> {
        let mut inputs = Vec::new();
        self.at = at;
        let late = self
            .escaped
            .take()
            .is_some_and(|escaped| at.saturating_sub(escaped) <= LATE);
        if late && matches!(bytes, [b'[' | b']', ..]) {
            self.mode = Mode::Escape { string: false };
            self.since = at;
        }
        for byte in bytes {
            if matches!(self.mode, Mode::Ground) {
                self.since = at;
            }
            self.byte(*byte, &mut inputs);
        }
        inputs
    }

    /// Returns the time after which [`Self::expire`] has something to do.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        let (pause, lasts) = match &self.mode {
            Mode::Ground => return None,
            Mode::Escape { string: false } => (ESCAPE, LASTS),
            Mode::Character(..) => (CHARACTER, LASTS),
            Mode::Control(sequence) if encodings::of_cut_off(sequence).is_some() => {
                (CHARACTER, LASTS)
            }
            Mode::Paste(_) => (PASTE, PASTE_LASTS),
            Mode::Escape { string: true }
            | Mode::String
            | Mode::Intermediate
            | Mode::Control(_)
            | Mode::Keypad(_)
            | Mode::Skip(_) => (SEQUENCE, LASTS),
        };
        Some((self.at + pause).min(self.since + lasts))
    }

    /// Returns the input that is complete because nothing has followed until `at`.
    pub fn expire(&mut self, at: Duration) -> Vec<Input> {
        if self.deadline().is_none_or(|deadline| at <= deadline) {
            return Vec::new();
        }
        let mut inputs = Vec::new();
        match std::mem::take(&mut self.mode) {
            Mode::Escape { string: false } => {
                self.escaped = Some(self.at);
                press(KeyCode::Esc.into(), &mut inputs);
            }
            Mode::Paste(paste) => inputs.push(paste.finish()),
            Mode::Control(sequence) => cut_off(&sequence, &mut inputs),
            _ => {}
        }
        inputs
    }

    fn byte(&mut self, byte: u8, inputs: &mut Vec<Input>) {
        let last = self.place.last;
        let control = self.place.control(byte);
        match (std::mem::take(&mut self.mode), control) {
            // Coordinates of the mouse.
            (Mode::Skip(left), _) if byte != ESC && byte != CTRL_C => {
                self.skip(left, last, byte, inputs);
            }
            // Only its terminator ends a string.
            (Mode::String, Some(letter)) if letter != b'\\' => self.mode = Mode::String,
            (mode, Some(letter)) => {
                self.follow(mode, ESC, inputs);
                let mode = std::mem::take(&mut self.mode);
                self.follow(mode, letter, inputs);
            }
            (mode, None) => self.follow(mode, byte, inputs),
        }
    }

    /// Processes a byte in `mode`. The mode ends unless it is set again.
    fn follow(&mut self, mode: Mode, byte: u8, inputs: &mut Vec<Input>) {
        match (mode, byte) {
            (mode, CTRL_C) => {
                if let Mode::Paste(paste) = mode {
                    inputs.push(paste.finish());
                }
                self.ground(byte, inputs);
            }
            (Mode::Paste(paste), _) => self.pasted(paste, byte, inputs),
            (mode, ESC) => {
                let string = matches!(mode, Mode::String | Mode::Escape { string: true });
                if let Mode::Control(sequence) = mode {
                    cut_off(&sequence, inputs);
                }
                self.mode = Mode::Escape { string };
            }
            (Mode::Ground | Mode::Skip(_), _) | (Mode::Keypad(_), 0x80..) => {
                self.ground(byte, inputs);
            }
            (Mode::Character(bytes, alt), _) => self.character(bytes, alt, byte, inputs),
            (Mode::Escape { .. }, _) => self.escaped(byte, inputs),
            // The end of the string or sequence. In practice a bell ends strings of all kinds.
            (Mode::String, 0x07) | (Mode::Intermediate, 0x30..=0x7e) => {}
            (Mode::String, _) => self.mode = Mode::String,
            (Mode::Intermediate, _) => self.mode = Mode::Intermediate,
            (Mode::Control(sequence), _) => self.control(sequence, byte, inputs),
            (Mode::Keypad(mut params), b'0'..=b'9' | b':' | b';') if params.len() < LONGEST => {
                params.push(byte);
                self.mode = Mode::Keypad(params);
            }
            (Mode::Keypad(params), 0x20..=0x7e) => {
                if let Some(key) = encodings::of_keypad(&params, byte) {
                    press(key, inputs);
                }
            }
            (Mode::Keypad(_), _) => {}
        }
    }

    fn ground(&mut self, byte: u8, inputs: &mut Vec<Input>) {
        match byte {
            ESC => self.mode = Mode::Escape { string: false },
            0x20..=0x7e => press(encodings::of_char(byte.into()), inputs),
            0x80.. => self.character(Vec::new(), false, byte, inputs),
            _ => {
                if let Some(key) = encodings::of_control(byte) {
                    press(key, inputs);
                }
            }
        }
    }

    /// Processes a byte after the first `bytes` of a character.
    fn character(&mut self, mut bytes: Vec<u8>, alt: bool, byte: u8, inputs: &mut Vec<Input>) {
        if !bytes.is_empty() && !is_continuation(byte) {
            if alt {
                self.escaped(byte, inputs);
            } else {
                self.ground(byte, inputs);
            }
            return;
        }
        bytes.push(byte);
        match std::str::from_utf8(&bytes) {
            Ok(text) => {
                for ch in text.chars().filter(|ch| !ch.is_control()) {
                    let key = encodings::of_char(ch);
                    press(if alt { encodings::with_alt(key) } else { key }, inputs);
                }
            }
            Err(error) if error.error_len().is_none() => self.mode = Mode::Character(bytes, alt),
            Err(_) => {}
        }
    }

    /// Processes a byte after an Esc.
    fn escaped(&mut self, byte: u8, inputs: &mut Vec<Input>) {
        match byte {
            b'[' => self.mode = Mode::Control(Vec::new()),
            b'O' => self.mode = Mode::Keypad(Vec::new()),
            b']' | b'P' | b'X' | b'^' | b'_' => self.mode = Mode::String,
            0x20..=0x2f => self.mode = Mode::Intermediate,
            0xc2..=0xf4 => self.character(Vec::new(), true, byte, inputs),
            0x80.. => self.mode = Mode::Escape { string: false },
            // The end of a string.
            b'\\' => {}
            0x30..=0x7e => press(encodings::with_alt(encodings::of_char(byte.into())), inputs),
            // Keys that are single control characters. The Linux console sends Esc Tab for Shift+Tab.
            _ => {
                if let Some(key) = encodings::of_control(byte) {
                    press(encodings::with_alt(key), inputs);
                }
            }
        }
    }

    /// Processes a byte of a control sequence.
    fn control(&mut self, mut sequence: Vec<u8>, byte: u8, inputs: &mut Vec<Input>) {
        if sequence.len() == LONGEST {
            self.mode = Mode::String;
            return;
        }
        if (0x20..=0x7e).contains(&byte) {
            sequence.push(byte);
        }
        if !(0x40..=0x7e).contains(&byte) {
            self.mode = Mode::Control(sequence);
            return;
        }
        match encodings::of_sequence(&sequence) {
            Meaning::Keys(keys) => keys.into_iter().for_each(|key| press(key, inputs)),
            Meaning::Paste => self.mode = Mode::Paste(Paste::default()),
            Meaning::Skip(count) => self.mode = Mode::Skip(count),
            Meaning::Nothing => {}
        }
    }

    /// Processes a byte of a mouse coordinate: a UTF-8 character, or any byte.
    fn skip(&mut self, left: usize, last: u8, byte: u8, inputs: &mut Vec<Input>) {
        let begins = |byte| (0xc2..=0xdf).contains(&byte);
        let second = is_continuation(byte) && begins(last);
        match left {
            0 if second => {}
            0 => self.ground(byte, inputs),
            1 if !second && !begins(byte) => {}
            _ => self.mode = Mode::Skip(left - usize::from(!second)),
        }
    }

    /// Processes a byte within a paste.
    fn pasted(&mut self, mut paste: Paste, byte: u8, inputs: &mut Vec<Input>) {
        if byte == ESC {
            let before = std::mem::take(&mut paste.sequence);
            paste.keep(&before);
            // The first byte of an 8-bit control character in UTF-8.
            paste.text.pop_if(|last| *last == 0xc2);
        } else if paste.sequence.is_empty() {
            paste.keep(&[byte]);
            self.mode = Mode::Paste(paste);
            return;
        }
        paste.sequence.push(byte);
        let whole = paste.sequence.len() > 2 && (0x40..=0x7e).contains(&byte);
        if whole || paste.sequence.len() > LONGEST {
            let sequence = std::mem::take(&mut paste.sequence);
            match sequence.as_slice() {
                PASTE_BEGIN => paste.depth += 1,
                PASTE_END if paste.depth == 0 => {
                    inputs.push(paste.finish());
                    return;
                }
                PASTE_END => paste.depth -= 1,
                _ => {
                    if let Some(key) = encodings::ctrl_c(&sequence) {
                        inputs.push(paste.finish());
                        press(key, inputs);
                        return;
                    }
                    paste.keep(&sequence);
                }
            }
        }
        self.mode = Mode::Paste(paste);
    }
}

/// Adds the key of a control sequence that ended without its final byte, if it has one.
fn cut_off(sequence: &[u8], inputs: &mut Vec<Input>) {
    if let Some(key) = encodings::of_cut_off(sequence) {
        press(key, inputs);
    }
}

/// Adds a key. On Unix a character with Ctrl and Alt is not a key; on Windows it is (AltGr).
fn press(key: KeyEvent, inputs: &mut Vec<Input>) {
    let both = key
        .modifiers
        .contains(KeyModifiers::CONTROL | KeyModifiers::ALT);
    if !(both && matches!(key.code, KeyCode::Char(_))) {
        inputs.push(Input::Key(key));
    }
}
