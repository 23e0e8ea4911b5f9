//! Writes to the terminal in a separate thread, so that a terminal that accepts nothing blocks nothing else.

use std::io::{self, Write};

use tokio::sync::mpsc;
use zeroize::Zeroizing;

use super::guard::{self, Output};

/// The writing thread, and whether it is busy.
#[derive(Debug)]
pub(in crate::tui) struct Writer {
    bytes: std::sync::mpsc::Sender<Zeroizing<Vec<u8>>>,
    written: mpsc::Receiver<io::Result<()>>,
    busy: bool,
}

impl Writer {
    /// Starts the thread. It ends when the writer is dropped, after the terminal has received the last bytes.
    pub(in crate::tui) fn start(output: Output) -> Self {
        let (bytes, due) = std::sync::mpsc::channel::<Zeroizing<Vec<u8>>>();
        let (done, written) = mpsc::channel(1);
        std::thread::spawn(move || {
            let mut output = output;
            for bytes in due {
                // Write nothing to a terminal that was already restored.
                let written = if guard::may_draw() {
                    write(&mut output, &bytes)
                } else {
                    Ok(())
                };
                if done.blocking_send(written).is_err() {
                    return;
                }
            }
        });
        Self {
            bytes,
            written,
            busy: false,
        }
    }

    /// Returns whether the terminal has received the previous bytes.
    pub(in crate::tui) fn is_idle(&self) -> bool {
        !self.busy
    }

    /// Passes bytes to the thread. To be called only while the writer is idle.
    pub(in crate::tui) fn write(&mut self, bytes: Zeroizing<Vec<u8>>) {
        debug_assert!(self.is_idle(), "the last bytes come first");
        self.busy = self.bytes.send(bytes).is_ok();
    }

    /// Waits until the terminal has received the previous bytes; forever if there are none.
    ///
    /// # Errors
    /// Returns an error if the bytes can't be written.
    pub(in crate::tui) async fn written(&mut self) -> io::Result<()> {
        if !self.busy {
            return std::future::pending().await;
        }
        let written = self.written.recv().await;
        self.busy = false;
        written.unwrap_or(Ok(()))
    }
}

/// Writes all bytes, even if another program has made this terminal non-blocking.
fn write(output: &mut Output, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match output.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => output.wait()?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
