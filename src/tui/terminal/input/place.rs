//! 8-bit control characters, some of which are also bytes of UTF-8 characters.

/// The position of the stream within a UTF-8 character.
#[derive(Debug, Default)]
pub(super) struct Place {
    left: u8,
    /// The last byte.
    pub(super) last: u8,
}

impl Place {
    /// Processes a byte, and returns the byte after the Esc in the 7-bit form of an 8-bit control character. Within a
    /// UTF-8 character such a byte is part of the character, unless that character is the control character itself.
    pub(super) fn control(&mut self, byte: u8) -> Option<u8> {
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

/// Returns whether a byte is not the first of a UTF-8 character.
pub(super) fn is_continuation(byte: u8) -> bool {
    (0x80..=0xbf).contains(&byte)
}
