//! The pauses that show what a byte of a terminal belongs to.

use std::time::Duration;

/// After this pause a lone Esc is a key, and so is a character that came with it. Longer than the time between two bytes
/// at 300 baud.
pub const ESCAPE: Duration = Duration::from_millis(100);
/// For this long after an Esc, `[` or `]` still begins a sequence with it, and so does a burst that begins with another
/// introducer: the rest arrived late, and nobody typed it.
pub const LATE: Duration = Duration::from_millis(500);
/// After this pause an unfinished character is dropped, and a sequence that may be a whole key is that key.
pub const CHARACTER: Duration = Duration::from_millis(250);
/// After this pause an unfinished sequence or string is dropped. Longer than the delay of a lost packet, or the rest
/// would be read as typed.
pub const SEQUENCE: Duration = Duration::from_secs(1);
