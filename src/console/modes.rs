//! The modes of the terminal: those that the program needs while it has it, and as before otherwise.

use std::io;
use std::os::fd::AsFd;
use std::sync::{Mutex, PoisonError};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use super::device;

/// The modes before, and those that were set.
static TAKEN: Mutex<Option<(Termios, Termios)>> = Mutex::new(None);

/// Changes the modes. Modes that another program has set since the last time are those to give back later.
///
/// # Errors
/// If the terminal doesn't allow it.
pub fn take(terminal: impl AsFd, change: impl FnOnce(&mut Termios)) -> io::Result<()> {
    let now = tcgetattr(&terminal)?;
    let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    let before = match taken.take() {
        Some((before, ours)) if are_equal(&ours, &now) => before,
        Some(_) | None => now,
    };
    let mut ours = before.clone();
    change(&mut ours);
    let set = tcsetattr(&terminal, OptionalActions::Now, &ours);
    *taken = Some((before, ours));
    Ok(set?)
}

/// Sets the modes from before, once.
pub fn give_back(terminal: impl AsFd) {
    set(terminal, OptionalActions::Now);
}

/// Sets the modes from before, once, and drops what was typed and not read, so that the shell does not show it.
pub fn give_back_without_input(terminal: impl AsFd) {
    set(terminal, OptionalActions::Flush);
}

fn set(terminal: impl AsFd, when: OptionalActions) {
    // Another job has set its own. Ours are still known: `fg` may set them again.
    if !device::is_in_foreground(&terminal) {
        return;
    }
    let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((before, _)) = taken.take() {
        // Nothing is left to do where the terminal has vanished.
        let _ = tcsetattr(terminal, when, &before);
    }
}

/// True if a program in the background is stopped for writing.
#[must_use]
pub fn stops_writers(terminal: impl AsFd) -> bool {
    tcgetattr(terminal).is_ok_and(|modes| modes.local_modes.contains(LocalModes::TOSTOP))
}

fn are_equal(one: &Termios, other: &Termios) -> bool {
    one.local_modes == other.local_modes
        && one.input_modes == other.input_modes
        && one.output_modes == other.output_modes
}
