//! Keys and pastes as the terminal sends them.
//!
//! On Unix the bytes are read and decoded here (`decoder`, `encodings`). crossterm's own parser stops hearing keys after
//! some reports of terminals, and takes others for typing. On Windows the console has records of its own (`console`, `records`),
//! some of which crossterm drops or confuses.

#[cfg(all(test, unix))]
mod cases;
#[cfg(windows)]
mod console;
#[cfg(unix)]
pub mod decoder;
#[cfg(unix)]
mod encodings;
#[cfg(unix)]
mod reader;
#[cfg(any(windows, test))]
mod records;
#[cfg(all(test, unix))]
mod tests;

use std::time::Instant;

use crossterm::event::Event;
use tokio::sync::mpsc;

/// Starts to read, in a thread of its own: reading blocks, and must not delay the end. The receiver ends where the terminal
/// can no longer be read.
#[must_use]
pub fn start() -> mpsc::Receiver<(Event, Instant)> {
    let (sender, receiver) = mpsc::channel(256);
    std::thread::spawn(move || {
        #[cfg(unix)]
        reader::read(&sender);
        #[cfg(windows)]
        console::read(&sender);
    });
    receiver
}

/// Tells when the window has another size. On Windows that is an event among the keys.
#[derive(Debug)]
pub struct Resized(#[cfg(unix)] tokio::signal::unix::Signal);

impl Resized {
    /// Begins to watch.
    ///
    /// # Errors
    /// If the system doesn't allow it.
    pub fn watch() -> std::io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            signal(SignalKind::window_change()).map(Self)
        }
        #[cfg(windows)]
        Ok(Self())
    }

    /// Comes back when it has.
    pub async fn next(&mut self) {
        #[cfg(unix)]
        if self.0.recv().await.is_some() {
            return;
        }
        std::future::pending::<()>().await;
    }
}
