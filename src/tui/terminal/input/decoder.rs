//! Decodes the bytes of a terminal into keys and pastes. Everything else that a terminal sends (responses to queries of
//! other programs, reports of modes, the mouse or the focus) is recognized as a whole and dropped, however it is split.
//!
//! - An incomplete sequence ends after a pause. A lone Esc is then a key; the rest of a sequence was not typed, and is
//!   dropped.
//! - The rest of a sequence or a paste may arrive after it has ended in this way. Until a key is pressed alone, a burst
//!   continues what has ended.
//! - An Esc with a character, Enter, Tab or a key with Ctrl is two keys: terminal multiplexers and slow lines join keys
//!   that are pressed one after the other. So is an Esc with a character that begins a string or a key of the keypad, if
//!   nothing follows. Esc with b, f or d is one event with `ALT_OR_ESC`: in a text, most terminals send it for Alt with
//!   the letter, which moves or deletes by words. Two Escs are two keys, unless they begin a key that the terminal sends
//!   with another Esc for Alt. While Esc is held, each Esc shows that the ones before it are keys.
//! - Ctrl+C is always reported, whatever came before it. Within a paste it may be part of the text, so it counts only if
//!   nothing follows until the paste ends because of a pause, except releases, reports and more of Ctrl+C. What follows it
//!   in another sequence is still part of that sequence.
//! - Other control characters within a sequence are dropped, so that the bytes after them are still part of the
//!   sequence.
//!
//! The decoder reads no clock: times come with the bytes.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::paste::{Paste, Pasted};
use super::place::{Place, is_continuation};
use super::unfinished::{BACKSPACE, CTRL_C, ESC, ESCAPED, Mode, Unfinished};
use crate::keyboard::encodings::{self, Meaning};
use crate::keyboard::pauses::{CHARACTER, ESCAPE, LATE, SEQUENCE};
use crate::keyboard::records::Records;

/// For this long after the pause that ended a sequence or a paste, its rest may arrive.
const REST: Duration = Duration::from_secs(30);
/// A key was pressed alone if nothing follows for this long. Longer than the time between two bytes at 300 baud.
const ALONE: Duration = Duration::from_millis(60);
/// Maximum length of a key's sequence, in bytes. The rest of a longer sequence is dropped like a string.
const LONGEST: usize = 256;

/// A decoded key or paste.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A key was pressed.
    Key(KeyEvent),
    /// Text that the terminal marked as a paste.
    Paste(String),
}

/// Returns the character that a key is in a paste.
fn character(input: &Input) -> Option<char> {
    let Input::Key(key) = input else {
        return None;
    };
    match key.code {
        KeyCode::Char(ch) if (key.modifiers - KeyModifiers::SHIFT).is_empty() => Some(ch),
        KeyCode::Enter => Some('\n'),
        KeyCode::Tab => Some('\t'),
        _ => None,
    }
}

/// Decodes the bytes of a terminal into keys and pastes.
#[derive(Debug, Default)]
pub struct Decoder {
    /// Whether this is the Linux console, which sends Esc Tab for Shift+Tab.
    linux: bool,
    mode: Mode,
    place: Place,
    records: Records,
    /// Whether Ctrl+C arrived within the unfinished sequence.
    interrupted: bool,
    /// When the last byte of the unfinished input arrived.
    at: Duration,
    /// When an Esc arrived that became a key because nothing followed in time.
    escaped: Option<Duration>,
    /// What has ended because of a pause, in [`Mode::Ground`] only.
    unfinished: Option<Box<Unfinished>>,
    /// When a carriage return arrived, if it was the last byte.
    returned: Option<Duration>,
}

impl Decoder {
    /// Creates a decoder for the Linux console, or for another terminal.
    #[must_use]
    pub fn new(linux: bool) -> Self {
        Self {
            linux,
            ..Self::default()
        }
    }

    /// Decodes bytes that arrived at `at`. For a pause before them, call [`Self::expire`] first.
    pub fn feed(&mut self, bytes: &[u8], at: Duration) -> Vec<Input> {
        let mut inputs = Vec::new();
        // Another Esc: those before it are keys. Those of one read are pressed together, so that no other one answers a
        // question that the first one opens.
        if let Mode::Escape { before, .. } = &mut self.mode
            && bytes.starts_with(&[ESC])
            && at > self.at
        {
            escapes(std::mem::take(before), &mut inputs);
        }
        self.at = at;
        match self.unfinished.take() {
            Some(mut unfinished) if at.saturating_sub(unfinished.since) <= REST => {
                unfinished.held.extend(bytes);
                if unfinished.is_held_escape() {
                    self.decode(&unfinished.held, &mut inputs);
                } else if unfinished.may_be_key() {
                    self.unfinished = Some(unfinished);
                } else {
                    self.resume(*unfinished, &mut inputs);
                }
            }
            _ => self.decode(bytes, &mut inputs),
        }
        inputs
    }

    /// Continues what has ended because of a pause.
    fn resume(&mut self, unfinished: Unfinished, inputs: &mut Vec<Input>) {
        self.mode = unfinished.mode;
        self.decode(&unfinished.held, inputs);
    }

    fn decode(&mut self, bytes: &[u8], inputs: &mut Vec<Input>) {
        let at = self.at;
        let late = self
            .escaped
            .take()
            .is_some_and(|escaped| at.saturating_sub(escaped) <= LATE);
        if late
            && matches!(
                bytes,
                [b'[' | b']', ..] | [b'P' | b'X' | b'^' | b'_', _, ..]
            )
        {
            self.mode = ESCAPED;
        }
        for byte in bytes {
            if matches!(self.mode, Mode::Ground) {
                self.interrupted = false;
            }
            self.byte(*byte, inputs);
        }
    }

    /// Returns the time after which [`Self::expire`] has something to do.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        let held = self.unfinished.as_ref().map(|it| it.held.as_slice());
        match held {
            Some([ESC, ..]) => return Some(self.at + ESCAPE),
            Some([_, ..]) => return Some(self.at + ALONE),
            Some([]) | None => {}
        }
        // The pause after Ctrl+C begins with the first one, or a held key would never be heard.
        let since = match &self.mode {
            Mode::Paste(paste) => paste.interrupted().unwrap_or(self.at),
            _ => self.at,
        };
        let pause = self.mode.pause(self.interrupted);
        pause.map(|pause| since + pause)
    }

    /// Returns the input that is complete because nothing has followed until `at`.
    pub fn expire(&mut self, at: Duration) -> Vec<Input> {
        let mut inputs = Vec::new();
        if self.deadline().is_none_or(|deadline| at <= deadline) {
            return inputs;
        }
        if let Some(mut unfinished) = self.unfinished.take() {
            match self.alone(&unfinished.held) {
                Some(keys) => {
                    self.escaped = unfinished.held.ends_with(&[ESC]).then_some(self.at);
                    // Pressed while the rest is late, which may still arrive.
                    if matches!(&keys[..], [Input::Key(key)] if encodings::is_ctrl_c(key)) {
                        unfinished.held.clear();
                        self.unfinished = Some(unfinished);
                    }
                    inputs.extend(keys);
                }
                None => self.resume(*unfinished, &mut inputs),
            }
            return inputs;
        }
        let rest = match std::mem::take(&mut self.mode) {
            Mode::Escape {
                string: false,
                before,
            } => {
                self.escaped = Some(self.at);
                escapes(before, &mut inputs);
                escapes(1, &mut inputs);
                None
            }
            Mode::Introducer { byte, alt } => {
                // Nobody types the beginning of the most common strings.
                if byte != b']' {
                    escapes(1 + u8::from(alt), &mut inputs);
                    press(encodings::of_char(byte.into()), &mut inputs);
                }
                Some(Mode::Introducer { byte, alt }.begun())
                    .filter(|mode| !matches!(mode, Mode::Intermediate))
            }
            Mode::Paste(mut paste) => {
                let closed = paste.closed;
                let ctrl_c = paste.take_ctrl_c();
                finish(paste, &mut inputs);
                inputs.extend(ctrl_c.map(Input::Key));
                (!closed).then(|| Mode::Paste(Paste::rest()))
            }
            Mode::Control(sequence) if encodings::of_cut_off(&sequence).is_some() => {
                cut_off(&sequence, &mut inputs);
                None
            }
            Mode::Ground | Mode::Character(..) => None,
            mode => Some(mode),
        };
        self.unfinished = rest.map(|mode| {
            Box::new(Unfinished {
                mode,
                since: at,
                held: Vec::new(),
            })
        });
        inputs
    }

    /// Returns the key that the bytes are, if they are one, also with an Esc before it.
    fn alone(&self, bytes: &[u8]) -> Option<Vec<Input>> {
        let mut decoder = Self::new(self.linux);
        let mut inputs = decoder.feed(bytes, Duration::ZERO);
        inputs.extend(decoder.expire(SEQUENCE));
        let is_escape =
            |input: &Input| matches!(input, Input::Key(key) if key.code == KeyCode::Esc);
        let is_key = match inputs.split_last() {
            Some((Input::Key(_), before)) => before.iter().all(is_escape),
            _ => false,
        };
        is_key.then_some(inputs)
    }

    fn byte(&mut self, byte: u8, inputs: &mut Vec<Input>) {
        let last = self.place.last;
        if byte != b'\n' {
            self.returned = None;
        }
        let control = self.place.control(byte);
        match (std::mem::take(&mut self.mode).begun(), control) {
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
                // Nobody types this control character.
                self.mode = std::mem::take(&mut self.mode).begun();
            }
            (mode, None) => self.follow(mode, byte, inputs),
        }
    }

    /// Processes a byte in `mode`. The mode ends unless it is set again.
    fn follow(&mut self, mode: Mode, byte: u8, inputs: &mut Vec<Input>) {
        match (mode, byte) {
            (Mode::Paste(paste), _) => self.pasted(paste, byte, inputs),
            (mode, CTRL_C) => {
                self.ground(byte, inputs);
                if !mode.is_typed() {
                    self.mode = mode;
                    self.interrupted = true;
                }
            }
            (mode, ESC) => {
                let string = matches!(mode, Mode::String | Mode::Escape { string: true, .. });
                let before = match mode {
                    Mode::Escape {
                        string: false,
                        before,
                    } => before.saturating_add(1),
                    _ => 0,
                };
                if let Mode::Control(sequence) = mode {
                    cut_off(&sequence, inputs);
                }
                self.mode = Mode::Escape { string, before };
            }
            (Mode::Ground | Mode::Introducer { .. } | Mode::Skip(_), _)
            | (Mode::Keypad(_), 0x80..) => {
                self.ground(byte, inputs);
            }
            (Mode::Character(bytes, escaped), _) => self.character(bytes, escaped, byte, inputs),
            (Mode::Escape { string, before }, _) => self.escaped(byte, string, before, inputs),
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
            ESC => self.mode = ESCAPED,
            0x20..=0x7e => press(encodings::of_char(byte.into()), inputs),
            0x80.. => self.character(Vec::new(), false, byte, inputs),
            // Some terminals send a line feed after the carriage return of Enter.
            b'\n' if self.follows_return() => {}
            _ => {
                self.returned = (byte == b'\r').then_some(self.at);
                if let Some(key) = encodings::of_control(byte) {
                    press(key, inputs);
                }
            }
        }
    }

    fn follows_return(&mut self) -> bool {
        let returned = self.returned.take();
        returned.is_some_and(|returned| self.at.saturating_sub(returned) <= CHARACTER)
    }

    /// Processes a byte after the first `bytes` of a character.
    fn character(&mut self, mut bytes: Vec<u8>, escaped: bool, byte: u8, inputs: &mut Vec<Input>) {
        if !bytes.is_empty() && !is_continuation(byte) {
            if escaped {
                self.escaped(byte, false, 0, inputs);
            } else {
                self.ground(byte, inputs);
            }
            return;
        }
        bytes.push(byte);
        match std::str::from_utf8(&bytes) {
            Ok(text) => {
                for ch in text.chars().filter(|ch| !ch.is_control()) {
                    escapes(u8::from(escaped), inputs);
                    press(encodings::of_char(ch), inputs);
                }
            }
            Err(error) if error.error_len().is_none() => {
                self.mode = Mode::Character(bytes, escaped);
            }
            Err(_) => {}
        }
    }

    /// Processes a byte after an Esc, and the Escs before it. In a string, only another sequence counts: nobody typed the
    /// rest.
    fn escaped(&mut self, byte: u8, string: bool, before: u8, inputs: &mut Vec<Input>) {
        if matches!(byte, 0x80..=0xc1 | 0xf5..) {
            return self.mode = Mode::Escape { string, before };
        }
        // rxvt sends another Esc for Alt with these keys.
        let alt = before > 0 && matches!(byte, b'[' | b'O');
        escapes(before - u8::from(alt), inputs);
        let key = match byte {
            b'[' => return self.mode = Mode::Control(Vec::new()),
            // Space and / are keys of the program.
            b'O' | b']' | b'P' | b'X' | b'^' | b'_' | 0x21..=0x2e => {
                let mode = Mode::Introducer { byte, alt };
                self.mode = if string { mode.begun() } else { mode };
                return;
            }
            0x80.. if string => return self.mode = Mode::Escape { string, before },
            0x80.. => return self.character(Vec::new(), true, byte, inputs),
            // The end of a string.
            b'\\' => return,
            b' ' | b'/' | 0x30..=0x7e => Some(encodings::of_char(byte.into())),
            // Keys that are single control characters.
            _ => {
                self.returned = (byte == b'\r').then_some(self.at);
                encodings::of_control(byte)
            }
        };
        let Some(key) = key.filter(|_| !string) else {
            return;
        };
        match key.code {
            KeyCode::Tab if self.linux => press(encodings::back_tab(), inputs),
            // Alt+Backspace on some terminals.
            KeyCode::Char(_) if byte == BACKSPACE => {}
            KeyCode::Char('b' | 'd' | 'f') if key.modifiers.is_empty() => {
                inputs.push(Input::Key(KeyEvent::new(key.code, encodings::ALT_OR_ESC)));
            }
            KeyCode::Char(_) | KeyCode::Enter | KeyCode::Tab => {
                escapes(1, inputs);
                press(key, inputs);
            }
            _ => press(encodings::with_alt(key), inputs),
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
            Meaning::Record(record) => {
                let keys = encodings::of_record(&mut self.records, &record);
                for key in keys {
                    press(key, inputs);
                }
            }
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
        match paste.byte(byte, self.at) {
            Pasted::More => self.mode = Mode::Paste(paste),
            Pasted::End => finish(paste, inputs),
            Pasted::Another => {
                finish(paste, inputs);
                self.mode = Mode::Paste(Paste::default());
            }
        }
    }
}

/// Adds presses of Esc.
fn escapes(count: u8, inputs: &mut Vec<Input>) {
    for _ in 0..count {
        press(KeyCode::Esc.into(), inputs);
    }
}

/// Adds a paste. The rest of a paste may be something else, such as a report: only its text counts.
fn finish(paste: Paste, inputs: &mut Vec<Input>) {
    let rest = paste.rest;
    let bytes = paste.finish();
    let text = if rest {
        let keys = Decoder::default().feed(&bytes, Duration::ZERO);
        keys.iter().filter_map(character).collect()
    } else {
        String::from_utf8_lossy(&bytes).into_owned()
    };
    if !(rest && text.is_empty()) {
        inputs.push(Input::Paste(text));
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
        inputs.push(Input::Key(encodings::as_sent_plainly(key)));
    }
}
