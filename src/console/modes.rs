//! Sets the terminal modes that the program needs, and restores the previous ones.

use std::io;
use std::os::fd::AsFd;
use std::sync::{Mutex, PoisonError};

use rustix::termios::{
    InputModes, LocalModes, OptionalActions, OutputModes, SpecialCodeIndex, Termios, tcgetattr,
    tcsetattr,
};

use super::device;

/// The previous modes, and those that the program set.
static TAKEN: Mutex<Option<(Termios, Termios)>> = Mutex::new(None);

/// Changes the modes. Modes that another program has set since the last call become the ones to restore.
///
/// # Errors
/// Returns an error if the terminal doesn't allow it.
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

/// Sets what a prompt requires, also on a terminal that another program left in raw mode: Enter, Ctrl+C, line breaks. The
/// program edits the lines, and echoes them unless they are secret.
pub fn set_for_prompt(modes: &mut Termios) {
    modes
        .input_modes
        .remove(InputModes::IGNCR | InputModes::INLCR);
    modes.input_modes.insert(InputModes::ICRNL);
    set_for_wait(modes);
    modes
        .local_modes
        .remove(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ECHONL);
    // A read returns once there is something to read.
    modes.special_codes[SpecialCodeIndex::VMIN] = 1;
    modes.special_codes[SpecialCodeIndex::VTIME] = 0;
}

/// Sets what a wait without a question requires: Ctrl+C, and line breaks in messages.
pub fn set_for_wait(modes: &mut Termios) {
    modes
        .output_modes
        .insert(OutputModes::OPOST | OutputModes::ONLCR);
    modes.local_modes.insert(LocalModes::ISIG);
}

/// Returns whether Ctrl+C doesn't interrupt programs, because another program left the terminal in raw mode.
#[must_use]
pub fn is_raw(terminal: impl AsFd) -> bool {
    tcgetattr(terminal).is_ok_and(|modes| !modes.local_modes.contains(LocalModes::ISIG))
}

/// Restores the previous modes, once.
pub fn give_back(terminal: impl AsFd) {
    set(terminal, OptionalActions::Now);
}

/// Restores the previous modes, once, and discards unread input, so that the shell doesn't show it.
pub fn give_back_without_input(terminal: impl AsFd) {
    set(terminal, OptionalActions::Flush);
}

fn set(terminal: impl AsFd, when: OptionalActions) {
    // Another job has set its own modes. Keep the saved ones: after `fg`, they may be needed again.
    if !device::is_in_foreground(&terminal) {
        return;
    }
    let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((before, _)) = taken.take() {
        // If the terminal is gone, nothing is left to do.
        let _ = tcsetattr(terminal, when, &before);
    }
}

/// Returns whether writing to the terminal stops a background program.
#[must_use]
pub fn stops_writers(terminal: impl AsFd) -> bool {
    tcgetattr(terminal).is_ok_and(|modes| modes.local_modes.contains(LocalModes::TOSTOP))
}

fn are_equal(one: &Termios, other: &Termios) -> bool {
    one.local_modes == other.local_modes
        && one.input_modes == other.input_modes
        && one.output_modes == other.output_modes
}
