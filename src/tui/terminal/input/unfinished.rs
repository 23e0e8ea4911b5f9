//! The unfinished input of the decoder.

use std::time::Duration;

use super::paste::Paste;
pub(super) use super::paste::{CTRL_C, ESC};
use crate::keyboard::encodings;
use crate::keyboard::pauses::{CHARACTER, ESCAPE, SEQUENCE};

/// After this pause a paste ends whose end marker was lost.
const PASTE: Duration = Duration::from_secs(1);
/// After this pause a paste ends that contains the beginning of another paste and one end. Terminals don't nest pastes,
/// so that end is usually the last.
const NESTED: Duration = Duration::from_millis(100);
/// After this pause a burst ends that is the rest of a paste.
const BURST: Duration = Duration::from_millis(300);
/// Maximum length of the sequences of a key that was pressed alone, in bytes: those of its press and its release, and of
/// its modifiers.
const KEY: usize = 128;

pub(super) const BELL: u8 = 0x07;
pub(super) const BACKSPACE: u8 = 0x08;

/// The unfinished input.
#[derive(Debug, Default)]
pub(super) enum Mode {
    #[default]
    Ground,
    /// The first bytes of a character, and whether it came after an Esc.
    Character(Vec<u8>, bool),
    /// An Esc, which may begin a sequence, or the end of a string; and how many Escs came before it.
    Escape { string: bool, before: u8 },
    /// The character after an Esc that begins a sequence, or is a key that came with the Esc; and whether another Esc came
    /// before, which is Alt or a key.
    Introducer { byte: u8, alt: bool },
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
        match self {
            Self::Ground | Self::Character(..) | Self::Escape { string: false, .. } => true,
            Self::Control(sequence) => encodings::of_cut_off(sequence).is_some(),
            _ => false,
        }
    }

    /// Returns the pause that ends the unfinished input. While its bytes keep coming, it lasts: a response may be long and
    /// the line slow. `interrupted` says whether Ctrl+C arrived within it.
    pub(super) fn pause(&self, interrupted: bool) -> Option<Duration> {
        Some(match self {
            Self::Ground => return None,
            Self::Escape { string: false, .. } | Self::Introducer { .. } => ESCAPE,
            Self::Character(..) => CHARACTER,
            Self::Control(sequence) if encodings::of_cut_off(sequence).is_some() => CHARACTER,
            Self::Paste(paste) if paste.interrupted().is_some() => PASTE,
            Self::Paste(paste) if paste.closed => NESTED,
            Self::Paste(paste) if paste.rest => BURST,
            Self::Paste(_) => PASTE,
            _ if interrupted => ESCAPE,
            Self::Escape { string: true, .. }
            | Self::String
            | Self::Intermediate
            | Self::Control(_)
            | Self::Keypad(_)
            | Self::Skip(_) => SEQUENCE,
        })
    }

    /// Returns the mode of the sequence that an introducer begins.
    pub(super) fn begun(self) -> Self {
        match self {
            Self::Introducer { byte: b'O', .. } => Self::Keypad(Vec::new()),
            Self::Introducer {
                byte: 0x21..=0x2e, ..
            } => Self::Intermediate,
            Self::Introducer { .. } => Self::String,
            mode => mode,
        }
    }
}

/// After a first Esc.
pub(super) const ESCAPED: Mode = Mode::Escape {
    string: false,
    before: 0,
};

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
    /// Returns whether the bytes are an Esc that was held or pressed several times. No sequence contains that many.
    pub(super) fn is_held_escape(&self) -> bool {
        self.held.len() > 2 && self.held.iter().all(|byte| *byte == ESC)
    }

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
