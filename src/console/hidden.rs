//! Reads a line without showing it, such as a secret, and always restores the terminal.

use std::io::{self, BufRead, Read};

use tokio::sync::oneshot;
use zeroize::Zeroizing;

use super::jobs::{Job, Jobs};
#[cfg(unix)]
use super::modes;
use super::signals::Signals;
use super::talk::say;

/// Shows `hint`, and reads a line of at most `limit` bytes from standard input, which must be a terminal. Returns
/// `None` if the system asks the program to end, such as for Ctrl+C.
///
/// # Errors
/// Returns an error if the terminal can't be read.
pub fn read_line(hint: &str, limit: u64) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut signals = Signals::new()?;
        let mut jobs = Jobs::new();
        let mut hidden = Some(Hidden::new()?);
        say("hint", hint);
        let (sender, mut line) = oneshot::channel();
        // The thread is never joined, because reading blocks.
        std::thread::spawn(move || sender.send(read(limit)));
        loop {
            tokio::select! {
                biased;
                () = signals.next() => return Ok(None),
                job = jobs.next() => {
                    drop(hidden.take());
                    if let Job::Return = job {
                        hidden = Some(Hidden::new()?);
                        say("hint", hint);
                    }
                }
                line = &mut line => {
                    if let Some(hidden) = hidden {
                        hidden.show_again();
                    }
                    let line = line.unwrap_or_else(|_| Err(io::ErrorKind::UnexpectedEof.into()));
                    return line.map(Some);
                }
            }
        }
    })
}

fn read(limit: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    let stdin = io::stdin();
    #[cfg(unix)]
    super::device::wait_for_input(&stdin)?;
    // Growing the buffer would leave copies behind.
    let size = usize::try_from(limit).unwrap_or_default();
    let mut line = Zeroizing::new(Vec::with_capacity(size));
    stdin.lock().take(limit).read_until(b'\n', &mut line)?;
    Ok(line)
}

/// Turns off the echo of the terminal; restores it on drop.
#[cfg(unix)]
struct Hidden(());

#[cfg(unix)]
impl Hidden {
    fn new() -> io::Result<Self> {
        use rustix::termios::LocalModes;
        modes::take(io::stdin(), |modes| {
            modes.local_modes.remove(LocalModes::ECHO);
        })?;
        Ok(Self(()))
    }

    /// Restores the echo after the line was read. Input typed since is kept, because it may be for another program.
    fn show_again(self) {
        modes::give_back(io::stdin());
        drop(self);
    }
}

#[cfg(unix)]
impl Drop for Hidden {
    fn drop(&mut self) {
        modes::give_back_without_input(io::stdin());
    }
}

/// The previous console mode, which is restored on drop.
#[cfg(windows)]
struct Hidden(u32);

#[cfg(windows)]
impl Hidden {
    const ENABLE_ECHO_INPUT: u32 = 0x4;

    fn show_again(self) {
        drop(self);
    }

    fn new() -> io::Result<Self> {
        let mode = Self::mode()?;
        let before = mode.mode()?;
        mode.set_mode(before & !Self::ENABLE_ECHO_INPUT)?;
        Ok(Self(before))
    }

    fn mode() -> io::Result<crossterm_winapi::ConsoleMode> {
        let input = crossterm_winapi::Handle::new(crossterm_winapi::HandleType::InputHandle)?;
        Ok(crossterm_winapi::ConsoleMode::from(input))
    }
}

#[cfg(windows)]
impl Drop for Hidden {
    fn drop(&mut self) {
        let _ = Self::mode().and_then(|mode| mode.set_mode(self.0));
    }
}
