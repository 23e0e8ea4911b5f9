//! A bracketed paste.

use std::time::Duration;

use crossterm::event::KeyEvent;

use crate::keyboard::encodings;

/// Maximum size of a paste, in bytes. The rest is dropped.
const LIMIT: usize = 1024 * 1024;
/// Maximum length of a sequence within a paste, in bytes.
const LONGEST: usize = 256;
/// The sequences that begin and end a paste.
const BEGIN: &[u8] = b"\x1b[200~";
const END: &[u8] = b"\x1b[201~";

pub(super) const ESC: u8 = 0x1b;
pub(super) const CTRL_C: u8 = 0x03;

/// The text of a paste.
#[derive(Debug, Default)]
pub(super) struct Paste {
    text: Vec<u8>,
    /// The bytes since the last Esc, which may be the end of the paste.
    sequence: Vec<u8>,
    /// The Ctrl+C that the text ends with.
    ctrl_c: Option<Interrupt>,
    /// How many nested pastes have begun.
    depth: usize,
    /// Whether the last bytes were the end of a nested paste.
    pub(super) closed: bool,
    /// Whether this is the rest of a paste that has ended because of a pause.
    pub(super) rest: bool,
}

/// A Ctrl+C, or several.
#[derive(Debug, Clone, Copy)]
struct Interrupt {
    /// The length of the text before it.
    before: usize,
    /// When the first one arrived.
    at: Duration,
    key: KeyEvent,
}

/// What a byte of a paste means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pasted {
    /// The paste continues.
    More,
    /// The paste has ended.
    End,
    /// The paste has ended, and another one begins.
    Another,
}

impl Paste {
    /// Returns an empty paste for the rest of another one.
    pub(super) fn rest() -> Self {
        Self {
            rest: true,
            ..Self::default()
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.text.len() + bytes.len() <= LIMIT {
            self.text.extend(bytes);
        }
    }

    /// Adds the bytes since the last Esc to the text, unless they are an incomplete end.
    fn flush(&mut self) {
        let sequence = std::mem::take(&mut self.sequence);
        if !END.starts_with(&sequence) {
            self.ctrl_c = None;
            self.keep(&sequence);
        }
    }

    /// Adds an encoding of Ctrl+C, which is either part of the text, or a key that was pressed because the end was lost.
    fn interrupt(&mut self, key: KeyEvent, at: Duration, bytes: &[u8]) {
        let before = self.text.len();
        self.keep(bytes);
        self.ctrl_c.get_or_insert(Interrupt { before, at, key });
    }

    /// Returns when Ctrl+C arrived, if nothing that may be text has followed.
    pub(super) fn interrupted(&self) -> Option<Duration> {
        let ctrl_c = self.ctrl_c.filter(|_| self.sequence.is_empty());
        ctrl_c.map(|ctrl_c| ctrl_c.at)
    }

    /// Removes the Ctrl+C that the text ends with.
    pub(super) fn take_ctrl_c(&mut self) -> Option<KeyEvent> {
        let ctrl_c = self.ctrl_c.take().filter(|_| self.sequence.is_empty())?;
        self.text.truncate(ctrl_c.before);
        Some(ctrl_c.key)
    }

    /// Returns the text.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.flush();
        self.text
    }

    /// Processes a byte within the paste that arrived at `at`.
    pub(super) fn byte(&mut self, byte: u8, at: Duration) -> Pasted {
        self.closed = false;
        if byte == ESC {
            let before = std::mem::take(&mut self.sequence);
            self.ctrl_c.take_if(|_| !before.is_empty());
            self.keep(&before);
            // The first byte of an 8-bit control character in UTF-8.
            self.text.pop_if(|last| *last == 0xc2);
        } else if let Some(key) = encodings::of_control(byte).filter(|_| byte == CTRL_C) {
            self.flush();
            self.interrupt(key, at, &[byte]);
            return Pasted::More;
        } else if self.sequence.is_empty() {
            self.ctrl_c = None;
            self.keep(&[byte]);
            return Pasted::More;
        }
        self.sequence.push(byte);
        let whole = self.sequence.len() > 2 && (0x40..=0x7e).contains(&byte);
        if !whole && self.sequence.len() <= LONGEST {
            return Pasted::More;
        }
        let sequence = std::mem::take(&mut self.sequence);
        if let Some(key) = encodings::ctrl_c(&sequence) {
            self.interrupt(key, at, &sequence);
            return Pasted::More;
        }
        // A release or a report after Ctrl+C is not text.
        if sequence == END || !encodings::is_silent(&sequence) {
            self.ctrl_c = None;
        }
        match sequence.as_slice() {
            // The end of the other paste was lost.
            BEGIN if self.rest => return Pasted::Another,
            BEGIN => self.depth += 1,
            END if self.depth == 0 => return Pasted::End,
            END => {
                self.depth -= 1;
                self.closed = true;
            }
            _ => self.keep(&sequence),
        }
        Pasted::More
    }
}
