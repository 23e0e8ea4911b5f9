//! The unfinished input of the decoder.

use std::time::Duration;

use super::paste::Paste;

/// Maximum length of the sequence of a key that was pressed alone, in bytes.
const KEY: usize = 32;

pub(super) const ESC: u8 = 0x1b;
pub(super) const CTRL_C: u8 = 0x03;
pub(super) const BELL: u8 = 0x07;
pub(super) const BACKSPACE: u8 = 0x08;

/// The unfinished input.
#[derive(Debug, Default)]
pub(super) enum Mode {
    #[default]
    Ground,
    /// The first bytes of a character, and whether it came after an Esc.
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

impl Mode {
    /// Returns whether the user may have typed this.
    pub(super) fn is_typed(&self) -> bool {
        matches!(
            self,
            Self::Ground | Self::Character(..) | Self::Escape { string: false }
        )
    }
}

/// What has ended because of a pause. Its rest may arrive late.
#[derive(Debug)]
pub(super) struct Unfinished {
    pub(super) mode: Mode,
    /// When it ended.
    pub(super) since: Duration,
    /// Bytes that are either a key that was pressed alone, or the beginning of the rest.
    pub(super) held: Vec<u8>,
}

impl Unfinished {
    /// Returns whether the bytes may still be a key that was pressed alone. Ctrl+C waits only within a paste, whose text
    /// may contain it. A bell ends a string and is no key of the program.
    pub(super) fn may_be_key(&self) -> bool {
        let is_character = || match std::str::from_utf8(&self.held) {
            Ok(text) => text.chars().count() == 1,
            Err(error) => error.valid_up_to() == 0 && error.error_len().is_none(),
        };
        let is_sequence = self.held.first() == Some(&ESC) && self.held.len() <= KEY;
        let is_at_once = self.held.contains(&CTRL_C) && !matches!(self.mode, Mode::Paste(_));
        !is_at_once && !self.held.contains(&BELL) && (is_sequence || is_character())
    }
}
