//! Writes to the terminal in a thread of its own, so that a terminal that takes nothing stops nothing else.

use std::io::{self, Write};

use tokio::sync::mpsc;
use zeroize::Zeroizing;

use super::guard::{self, Output};

/// The thread, and whether it is writing.
#[derive(Debug)]
pub(in crate::tui) struct Writer {
    bytes: std::sync::mpsc::Sender<Zeroizing<Vec<u8>>>,
    written: mpsc::Receiver<io::Result<()>>,
    busy: bool,
}

impl Writer {
    /// Starts the thread. It ends with this, or when the terminal has taken the last bytes.
    pub(in crate::tui) fn start(output: Output) -> Self {
        let (bytes, due) = std::sync::mpsc::channel::<Zeroizing<Vec<u8>>>();
        let (done, written) = mpsc::channel(1);
        std::thread::spawn(move || {
            let mut output = output;
            for bytes in due {
                // A screen that was given back is left alone.
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

    /// False while the terminal has not taken the last bytes.
    pub(in crate::tui) fn is_idle(&self) -> bool {
        !self.busy
    }

    /// Hands over bytes, while the writer is idle.
    pub(in crate::tui) fn write(&mut self, bytes: Zeroizing<Vec<u8>>) {
        debug_assert!(self.is_idle(), "the last bytes come first");
        self.busy = self.bytes.send(bytes).is_ok();
    }

    /// Comes back when the terminal has taken the last bytes; never, while there are none.
    ///
    /// # Errors
    /// If it couldn't be written to.
    pub(in crate::tui) async fn written(&mut self) -> io::Result<()> {
        if !self.busy {
            return std::future::pending().await;
        }
        let written = self.written.recv().await;
        self.busy = false;
        written.unwrap_or(Ok(()))
    }
}

/// Writes all, also where another program has made this terminal one that does not wait.
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
