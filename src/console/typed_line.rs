//! The line that the user is typing, if the program echoes it. Messages appear above it.

use std::fs::File;
use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};

use unicode_width::UnicodeWidthChar;
use zeroize::Zeroizing;

/// The typed text, as the terminal shows it.
#[derive(Debug)]
struct Line {
    /// `None` until something was typed.
    text: Option<Zeroizing<String>>,
    /// Whether the terminal shows the text now.
    is_shown: bool,
    /// Whether the terminal can move the cursor up and erase rows.
    moves: bool,
}

static LINE: Mutex<Line> = Mutex::new(Line {
    text: None,
    is_shown: false,
    moves: false,
});

fn lock() -> MutexGuard<'static, Line> {
    LINE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Line {
    /// Returns the text that is on the screen, if there is any.
    fn shown(&self) -> Option<&str> {
        let text = self.text.as_deref().filter(|_| self.is_shown)?;
        (!text.is_empty()).then_some(text)
    }
}

/// Sets whether the terminal can move the cursor up and erase rows.
pub fn set_moves(moves: bool) {
    lock().moves = moves;
}

/// Returns the width of the terminal, if it can move the cursor up.
#[must_use]
pub fn columns() -> Option<usize> {
    lock().moves.then(width)
}

/// Writes what changes the line on the screen to `text`.
pub fn show(change: &str, text: &str) {
    let mut line = lock();
    put(change);
    line.text = Some(Zeroizing::new(text.to_owned()));
    line.is_shown = true;
}

/// Ends the line on the screen before something else uses the terminal. With `keep`, [`show_again`] shows it again. Doesn't
/// wait for a terminal whose output is stopped.
pub fn leave(keep: bool) {
    let Ok(mut line) = LINE.try_lock() else {
        return;
    };
    if line.shown().is_some() {
        put_at_once("\n");
    }
    line.is_shown = false;
    if !keep {
        line.text = None;
    }
}

/// Shows the line again after [`leave`]. Doesn't wait, either.
pub fn show_again() {
    let Ok(mut line) = LINE.try_lock() else {
        return;
    };
    if !std::mem::replace(&mut line.is_shown, true) {
        put_at_once(line.shown().unwrap_or_default());
    }
}

/// Calls `write`, which writes whole lines to the terminal, so that they are above the typed line.
pub fn above(write: impl FnOnce()) {
    let line = lock();
    let Some(text) = line.shown() else {
        drop(line);
        return write();
    };
    if line.moves {
        put(&erasing(text, width()));
    } else {
        put("\n");
    }
    write();
    put(text);
}

/// Returns the sequences that erase the text before the cursor, which began at the first column.
#[must_use]
pub fn erasing(text: &str, columns: usize) -> String {
    match position(text, columns) {
        (0, _) => "\r\x1b[J".to_owned(),
        (up, _) => format!("\r\x1b[{up}A\x1b[J"),
    }
}

/// Returns the row and the column after the text. At the end of a row the column is the number of columns.
#[must_use]
pub fn position(text: &str, columns: usize) -> (usize, usize) {
    text.chars().fold((0, 0), |(row, column), ch| {
        let width = ch.width().unwrap_or(0);
        if column + width > columns {
            (row + 1, width)
        } else {
            (row, column + width)
        }
    })
}

/// Writes to the terminal. If this fails, the input still counts.
fn put(text: &str) {
    if let Some(mut terminal) = terminal().filter(|_| !text.is_empty()) {
        let _ = terminal.write_all(text.as_bytes());
    }
}

/// Does the same, unless the terminal accepts no output now.
fn put_at_once(text: &str) {
    #[cfg(unix)]
    {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let accepts = terminal().is_some_and(|terminal| {
            let mut watched = [PollFd::new(&terminal, PollFlags::OUT)];
            poll(&mut watched, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
        });
        if !accepts {
            return;
        }
    }
    put(text);
}

#[cfg(unix)]
fn terminal() -> Option<File> {
    super::device::open().ok()
}

/// On Windows the system echoes what is typed.
#[cfg(windows)]
fn terminal() -> Option<File> {
    None
}

fn width() -> usize {
    #[cfg(unix)]
    let size = terminal().and_then(|terminal| rustix::termios::tcgetwinsize(terminal).ok());
    #[cfg(unix)]
    let columns = size.map_or(0, |size| usize::from(size.ws_col));
    #[cfg(windows)]
    let columns = 0;
    if columns == 0 { 80 } else { columns }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn erasing_goes_up_to_the_first_row_of_the_text() {
        for (length, up) in [(1, 0), (10, 0), (11, 1), (20, 1), (21, 2)] {
            let erasing = erasing(&"x".repeat(length), 10);
            let expected = match up {
                0 => "\r\x1b[J".to_owned(),
                up => format!("\r\x1b[{up}A\x1b[J"),
            };
            assert_eq!(erasing, expected, "{length}");
        }
        // A wide character doesn't fit in the last column.
        assert_eq!(position("123456789漢", 10), (1, 2));
        assert_eq!(position("12345678漢", 10), (0, 10));
    }
}
