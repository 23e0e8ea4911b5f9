//! Takes over the terminal, and restores it however the program ends.
//!
//! Restoring continues after an error, asks the terminal nothing, and undoes exactly what was done. The panic hook also
//! restores the terminal. It reports the location of the bug without the panic message, which may contain a secret.

use std::io::{self, Write};
#[cfg(windows)]
use std::sync::atomic::AtomicU32;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use crossterm::event::DisableBracketedPaste;
use crossterm::terminal::LeaveAlternateScreen;
#[cfg(windows)]
use crossterm::terminal::enable_raw_mode;
use crossterm::{cursor, queue, style};
#[cfg(windows)]
use crossterm_winapi::{Console, ConsoleMode, Handle, HandleType};
use ratatui::layout::Size;
use tokio::sync::{Notify, mpsc};

#[cfg(unix)]
use crate::console::{device, modes};

/// Who the terminal's modes and screen belong to: [`THEIRS`], [`TAKEN`] or [`DRAWN`].
static STATE: AtomicU8 = AtomicU8::new(THEIRS);
/// The terminal has the modes and the screen of the program's caller.
const THEIRS: u8 = 0;
/// The terminal has this program's modes, and nothing was written yet.
const TAKEN: u8 = 1;
/// The terminal has this program's modes and screen, which must be left at the end.
const DRAWN: u8 = 2;
/// Notified of every panic, in any thread or task.
static PANICKED: Notify = Notify::const_new();

/// How long to wait until the terminal has received the last bytes.
pub const LAST_BYTES: Duration = Duration::from_secs(3);
/// The same limit, if the system ends or suspends the program.
pub const LAST_BYTES_IN_A_HURRY: Duration = Duration::from_millis(500);

/// The terminal device, separate from standard output, which may be a pipe and has a lock and a buffer. Keys are read
/// from this device as well.
#[cfg(unix)]
#[derive(Debug)]
pub struct Output(pub(super) std::fs::File);

/// The console, separate from standard output, which may be a pipe. It accepts Unicode with any code page.
#[cfg(windows)]
#[derive(Debug)]
pub struct Output(Console);

/// Maximum number of bytes per write. More is too much for the consoles of some systems.
#[cfg(windows)]
const PIECE: usize = 8 * 1024;

/// The input and output sides of the console, with the mode that each had before.
#[cfg(windows)]
static SIDES: [(HandleType, AtomicU32); 2] = [
    (HandleType::CurrentInputHandle, AtomicU32::new(0)),
    (HandleType::CurrentOutputHandle, AtomicU32::new(0)),
];

/// The mode of a console that supports escape sequences (`ENABLE_PROCESSED_OUTPUT`,
/// `ENABLE_VIRTUAL_TERMINAL_PROCESSING`).
#[cfg(windows)]
const SEQUENCES: u32 = 0x0001 | 0x0004;
/// Says why a console without these modes can't be used, and what to do.
#[cfg(windows)]
const LEGACY: &str = "this console doesn't support escape sequences. In the Properties of its window, under Options, clear \
    \"Use legacy console\" and open a new window, or use --plain";

/// Opens the terminal.
///
/// # Errors
/// Returns an error if there is no terminal.
#[cfg(unix)]
pub fn output() -> io::Result<Output> {
    device::open().map(Output)
}

/// Opens the console.
///
/// # Errors
/// Returns an error if there is no console.
#[cfg(windows)]
pub fn output() -> io::Result<Output> {
    let screen = Handle::new(HandleType::CurrentOutputHandle)?;
    Ok(Output(Console::from(screen)))
}

impl Output {
    /// Returns another handle of the same terminal.
    ///
    /// # Errors
    /// Returns an error if the system has no handles left.
    pub fn try_clone(&self) -> io::Result<Self> {
        #[cfg(unix)]
        return Ok(Self(self.0.try_clone()?));
        #[cfg(windows)]
        return Ok(Self(self.0.clone()));
    }

    /// Waits until the terminal accepts bytes again.
    ///
    /// # Errors
    /// Returns an error if the terminal can't be watched.
    pub(super) fn wait(&self) -> io::Result<()> {
        #[cfg(unix)]
        {
            use rustix::event::{PollFd, PollFlags, poll};
            match poll(&mut [PollFd::new(&self.0, PollFlags::OUT)], None) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

#[cfg(unix)]
impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(windows)]
impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Characters are not split.
        let piece = bytes[..bytes.len().min(PIECE)].utf8_chunks().next();
        self.0
            .write_char_buffer(piece.map_or("", |piece| piece.valid()).as_bytes())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns the size that the terminal reports, which may be 0.
///
/// # Errors
/// Returns an error if the terminal doesn't report its size, or is gone.
pub fn size() -> io::Result<Size> {
    #[cfg(unix)]
    {
        let told = rustix::termios::tcgetwinsize(output()?.0)?;
        Ok(Size::new(told.ws_col, told.ws_row))
    }
    #[cfg(windows)]
    Ok(crossterm::terminal::size()?.into())
}

/// Returns whether the terminal still exists.
#[must_use]
pub fn is_there(output: &Output) -> bool {
    #[cfg(unix)]
    return rustix::termios::tcgetwinsize(&output.0).is_ok();
    #[cfg(windows)]
    return {
        let _ = output;
        crossterm::terminal::size().is_ok()
    };
}

/// Watches for the terminal disappearing without a signal, after which the key reader would spin. Sends nothing if the
/// terminal can't be watched.
#[must_use]
pub fn watch(output: Output) -> mpsc::Receiver<()> {
    let (sender, receiver) = mpsc::channel(1);
    #[cfg(unix)]
    std::thread::spawn(move || {
        use rustix::event::{PollFd, PollFlags, poll};
        loop {
            // `poll` always reports a hangup.
            let mut watched = [PollFd::new(&output.0, PollFlags::empty())];
            match poll(&mut watched, None) {
                Err(rustix::io::Errno::INTR) => {}
                Ok(_) if watched[0].revents().contains(PollFlags::HUP) => {
                    let _ = sender.blocking_send(());
                    return;
                }
                Ok(_) | Err(_) => return,
            }
        }
    });
    #[cfg(windows)]
    let _ = (output, sender);
    receiver
}

/// Owns the terminal; dropping the guard restores it.
#[derive(Debug)]
pub struct Guard(Output);

impl Guard {
    /// Takes over the terminal in raw mode; the first frame begins with the alternate screen and bracketed paste.
    /// Nothing that can fail may come between this call and the guard's first use.
    ///
    /// # Errors
    /// Returns an error if the terminal doesn't allow it; its modes are then unchanged.
    pub fn enter(output: Output) -> io::Result<Self> {
        install_hook();
        take(&output)?;
        Ok(Self(output))
    }

    /// Restores the terminal, and waits at most `limit` until it has received the last bytes.
    pub fn leave(self, limit: Duration) {
        restore(&self.0, limit);
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        restore(&self.0, LAST_BYTES);
    }
}

fn take(output: &Output) -> io::Result<()> {
    // The modes belong to the console, not to the handle.
    #[cfg(windows)]
    let _ = output;
    #[cfg(windows)]
    for (side, before) in &SIDES {
        let mode = ConsoleMode::from(Handle::new(*side)?).mode()?;
        before.store(mode, Ordering::SeqCst);
    }
    #[cfg(windows)]
    if let Err(error) = set_modes() {
        give_back_modes();
        return Err(error);
    }
    #[cfg(unix)]
    modes::take(&output.0, rustix::termios::Termios::make_raw)?;
    STATE.store(TAKEN, Ordering::SeqCst);
    Ok(())
}

/// Records that something will be drawn, which leaving must undo. Returns false if the program doesn't own the
/// terminal.
#[must_use]
pub fn may_draw() -> bool {
    let taken = STATE.compare_exchange(TAKEN, DRAWN, Ordering::SeqCst, Ordering::SeqCst);
    taken.unwrap_or_else(|now| now) != THEIRS
}

/// Restores the terminal, once. Errors are ignored: nothing could be done about them.
fn restore(output: &Output, limit: Duration) {
    let before = STATE.swap(THEIRS, Ordering::SeqCst);
    if before == THEIRS {
        return;
    }
    // The system would stop a background program that writes to this terminal.
    #[cfg(unix)]
    if !is_in_foreground(output) && modes::stops_writers(&output.0) {
        return;
    }
    if before == DRAWN {
        let mut bytes = Vec::new();
        let _ = queue!(
            bytes,
            DisableBracketedPaste,
            style::ResetColor,
            LeaveAlternateScreen,
            cursor::Show
        );
        let _ = write_within(output, bytes, limit);
    }
    #[cfg(unix)]
    modes::give_back(&output.0);
    #[cfg(windows)]
    give_back_modes();
}

#[cfg(windows)]
fn set_modes() -> io::Result<()> {
    let screen = ConsoleMode::from(Handle::new(HandleType::CurrentOutputHandle)?);
    // crossterm would fail later, at the first sequence for which an old console has no API call.
    screen
        .set_mode(screen.mode()? | SEQUENCES)
        .map_err(|_| io::Error::new(io::ErrorKind::Unsupported, LEGACY))?;
    enable_raw_mode()
}

#[cfg(windows)]
fn give_back_modes() {
    for (side, before) in &SIDES {
        let _ = Handle::new(*side)
            .and_then(|side| ConsoleMode::from(side).set_mode(before.load(Ordering::SeqCst)));
    }
}

/// Writes after the output in progress. If the terminal accepts nothing within `limit`, the call returns, and the
/// terminal gets these bytes once it accepts any, while the program still runs.
fn write_within(output: &Output, bytes: Vec<u8>, limit: Duration) -> io::Result<()> {
    let mut output = output.try_clone()?;
    let (written, done) = std::sync::mpsc::channel();
    std::thread::Builder::new().spawn(move || written.send(output.write_all(&bytes)))?;
    done.recv_timeout(limit).unwrap_or(Ok(()))
}

/// Returns whether this program's job, not another one, owns the terminal.
#[must_use]
pub fn is_in_foreground(output: &Output) -> bool {
    #[cfg(unix)]
    return device::is_in_foreground(&output.0);
    #[cfg(windows)]
    {
        let _ = output;
        true
    }
}

/// Restores the terminal before the program is suspended, or when it continues in the background.
pub fn leave(output: &Output) {
    restore(output, LAST_BYTES_IN_A_HURRY);
}

/// Takes over the terminal again, whatever was done with it in the meantime.
///
/// # Errors
/// Returns an error if the terminal doesn't allow it; its modes are then restored.
pub fn take_again(output: &Output) -> io::Result<()> {
    take(output)
}

/// Waits until a thread or task panics.
pub async fn panicked() {
    PANICKED.notified().await;
}

fn install_hook() {
    static INSTALLED: std::sync::Once = std::sync::Once::new();
    INSTALLED.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            if let Ok(output) = output() {
                restore(&output, LAST_BYTES);
                let place = info.location().map(|place| format!(" at {}:{}", place.file(), place.line())).unwrap_or_default();
                let line = format!("oauth-authorizer: the program ended because of a bug{place}. Please report this line.\r\n");
                let _ = write_within(&output, line.into_bytes(), LAST_BYTES);
            }
            PANICKED.notify_one();
        }));
    });
}
