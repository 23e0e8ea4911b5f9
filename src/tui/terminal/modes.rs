//! The modes of the terminal's line: raw while the program has it, and as before otherwise.

use std::io;
use std::os::fd::AsFd;
use std::sync::{Mutex, PoisonError};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::console::device;

/// The modes before, and those that were set.
static TAKEN: Mutex<Option<(Termios, Termios)>> = Mutex::new(None);

/// Makes the line raw. Modes that somebody else has set since the last time are those to give back later.
///
/// # Errors
/// Where the terminal does not let us.
pub(super) fn take(terminal: impl AsFd) -> io::Result<()> {
    let now = tcgetattr(&terminal)?;
    let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    let before = match taken.take() {
        Some((before, raw)) if are_equal(&raw, &now) => before,
        Some(_) | None => now,
    };
    let mut raw = before.clone();
    raw.make_raw();
    let set = tcsetattr(&terminal, OptionalActions::Now, &raw);
    *taken = Some((before, raw));
    Ok(set?)
}

/// Sets the modes from before, once. In the background they are kept: the shell may set ours again with `fg`.
pub(super) fn give_back(terminal: impl AsFd) {
    if !device::is_in_foreground(&terminal) {
        return;
    }
    let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((before, _)) = taken.take() {
        device::give_back(terminal, &before);
    }
}

/// True where a program in the background is stopped for writing.
pub(super) fn stops_writers(terminal: impl AsFd) -> bool {
    tcgetattr(terminal).is_ok_and(|modes| modes.local_modes.contains(LocalModes::TOSTOP))
}

fn are_equal(one: &Termios, other: &Termios) -> bool {
    one.local_modes == other.local_modes
        && one.input_modes == other.input_modes
        && one.output_modes == other.output_modes
}
