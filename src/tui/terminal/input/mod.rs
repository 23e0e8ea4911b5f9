//! Reads keys and pastes from the terminal.
//!
//! On Unix, this module reads the bytes, and splits them into keys, pastes and the rest (`decoder`); `keyboard` knows
//! the sequences of the keys. crossterm's own parser stops reporting keys after some terminal reports, and treats others
//! as typed text. On Windows, the console has its own records (`console`), some of which crossterm drops or confuses.

#[cfg(all(test, unix))]
mod cases;
#[cfg(windows)]
mod console;
#[cfg(unix)]
pub mod decoder;
#[cfg(unix)]
mod paste;
#[cfg(unix)]
mod place;
#[cfg(unix)]
mod reader;
#[cfg(all(test, unix))]
mod tests;
#[cfg(unix)]
mod unfinished;

use std::time::Instant;

use crossterm::event::Event;
use tokio::sync::mpsc;

/// Starts to read in a separate thread, because reading blocks and must not delay the end of the program. The channel
/// closes when the terminal can no longer be read. On Unix, keys that came together have the same time. `linux` says
/// whether this is the Linux console.
#[must_use]
pub fn start(linux: bool) -> mpsc::Receiver<(Event, Instant)> {
    let (sender, receiver) = mpsc::channel(256);
    std::thread::spawn(move || {
        #[cfg(unix)]
        reader::read(&sender, linux);
        #[cfg(windows)]
        let _ = linux;
        #[cfg(windows)]
        console::read(&sender);
    });
    receiver
}

/// Notifies of a change of the window's size. On Windows the change is an event among the keys.
#[derive(Debug)]
pub struct Resized(#[cfg(unix)] tokio::signal::unix::Signal);

impl Resized {
    /// Starts to watch.
    ///
    /// # Errors
    /// Returns an error if the system doesn't allow it.
    pub fn watch() -> std::io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            signal(SignalKind::window_change()).map(Self)
        }
        #[cfg(windows)]
        Ok(Self())
    }

    /// Waits until the size of the window has changed.
    pub async fn next(&mut self) {
        #[cfg(unix)]
        if self.0.recv().await.is_some() {
            return;
        }
        std::future::pending::<()>().await;
    }
}
