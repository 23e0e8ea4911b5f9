//! The terminal as it was before, after every ending.
//!
//! Restoring goes on after an error, asks the terminal nothing, and undoes exactly what was done. The panic
//! hook does the same, and says where the defect is without the panic's own words: they may hold a secret.

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

/// What the terminal is to this program: [`THEIRS`], [`TAKEN`] or [`DRAWN`].
static STATE: AtomicU8 = AtomicU8::new(THEIRS);
/// It has the modes and the screen of whoever started the program.
const THEIRS: u8 = 0;
/// It has our modes, and nothing was written yet.
const TAKEN: u8 = 1;
/// It has our modes and our screen, which it has to leave at the end.
const DRAWN: u8 = 2;
/// Told of every panic, in whatever thread or task.
static PANICKED: Notify = Notify::const_new();

/// How long the terminal may take for the last bytes.
pub const LAST_BYTES: Duration = Duration::from_secs(3);
/// The same where the system ends or stops the program.
pub const LAST_BYTES_IN_A_HURRY: Duration = Duration::from_millis(500);

/// The terminal, apart from standard output, which may be a pipe and has a lock and a buffer. Keys are read from it as well.
#[cfg(unix)]
#[derive(Debug)]
pub struct Output(pub(super) std::fs::File);

/// The console, apart from standard output, which may be a pipe. It takes Unicode, whatever its code page.
#[cfg(windows)]
#[derive(Debug)]
pub struct Output(Console);

/// More in one go is too much for the consoles of some systems.
#[cfg(windows)]
const PIECE: usize = 8 * 1024;

/// The two sides of the console, and the mode that each had before it was ours.
#[cfg(windows)]
static SIDES: [(HandleType, AtomicU32); 2] = [
    (HandleType::CurrentInputHandle, AtomicU32::new(0)),
    (HandleType::CurrentOutputHandle, AtomicU32::new(0)),
];

/// The console understands sequences (`ENABLE_PROCESSED_OUTPUT`, `ENABLE_VIRTUAL_TERMINAL_PROCESSING`).
#[cfg(windows)]
const SEQUENCES: u32 = 0x0001 | 0x0004;
/// What is wrong with a console that doesn't, and what to do.
#[cfg(windows)]
const LEGACY: &str = "this console doesn't support escape sequences. In the Properties of its window, under Options, clear \
    \"Use legacy console\" and open a new window, or use --plain";

/// Opens the terminal.
///
/// # Errors
/// If there is none.
#[cfg(unix)]
pub fn output() -> io::Result<Output> {
    device::open().map(Output)
}

/// Opens the console.
///
/// # Errors
/// If there is none.
#[cfg(windows)]
pub fn output() -> io::Result<Output> {
    let screen = Handle::new(HandleType::CurrentOutputHandle)?;
    Ok(Output(Console::from(screen)))
}

impl Output {
    /// Another handle of the same terminal.
    ///
    /// # Errors
    /// If the system has none left.
    pub fn try_clone(&self) -> io::Result<Self> {
        #[cfg(unix)]
        return Ok(Self(self.0.try_clone()?));
        #[cfg(windows)]
        return Ok(Self(self.0.clone()));
    }

    /// Waits until the terminal takes bytes again.
    ///
    /// # Errors
    /// If it can't be watched.
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
        // Characters stay whole.
        let piece = bytes[..bytes.len().min(PIECE)].utf8_chunks().next();
        self.0
            .write_char_buffer(piece.map_or("", |piece| piece.valid()).as_bytes())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The size that the terminal tells, which may be 0.
///
/// # Errors
/// If the terminal doesn't report its size, or is gone.
pub fn size() -> io::Result<Size> {
    #[cfg(unix)]
    {
        let told = rustix::termios::tcgetwinsize(output()?.0)?;
        Ok(Size::new(told.ws_col, told.ws_row))
    }
    #[cfg(windows)]
    Ok(crossterm::terminal::size()?.into())
}

/// False where the terminal has vanished.
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

/// Tells when the terminal is taken away without a signal: the reader of keys would run in circles then.
/// Where that cannot be watched, nothing is told.
#[must_use]
pub fn watch(output: Output) -> mpsc::Receiver<()> {
    let (sender, receiver) = mpsc::channel(1);
    #[cfg(unix)]
    std::thread::spawn(move || {
        use rustix::event::{PollFd, PollFlags, poll};
        loop {
            // A hang-up is told unasked.
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

/// Holds the terminal; dropping it gives it back.
#[derive(Debug)]
pub struct Guard(Output);

impl Guard {
    /// Takes the terminal, in raw mode; the first frame begins with another screen and bracketed paste. Nothing that can
    /// fail may stand between this and the guard's first use.
    ///
    /// # Errors
    /// If the terminal doesn't allow it; its modes are unchanged then.
    pub fn enter(output: Output) -> io::Result<Self> {
        install_hook();
        take(&output)?;
        Ok(Self(output))
    }

    /// Gives the terminal back, and waits at most this long for it to take the last bytes.
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
    // The modes are those of the console, whatever it is written to with.
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

/// Notes that something will be drawn, which leaving takes away. False where the terminal is not ours.
#[must_use]
pub fn may_draw() -> bool {
    let taken = STATE.compare_exchange(TAKEN, DRAWN, Ordering::SeqCst, Ordering::SeqCst);
    taken.unwrap_or_else(|now| now) != THEIRS
}

/// Gives the terminal back, once. Errors are of no use here.
fn restore(output: &Output, limit: Duration) {
    let before = STATE.swap(THEIRS, Ordering::SeqCst);
    if before == THEIRS {
        return;
    }
    // The system stops a program in the background that writes there.
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
    // crossterm would fail later, at the first sequence that an old console has no call for.
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

/// Writes behind what is being written. A terminal that takes nothing for so long is left alone; then it gets these bytes
/// when it takes any, while the program runs.
fn write_within(output: &Output, bytes: Vec<u8>, limit: Duration) -> io::Result<()> {
    let mut output = output.try_clone()?;
    let (written, done) = std::sync::mpsc::channel();
    std::thread::Builder::new().spawn(move || written.send(output.write_all(&bytes)))?;
    done.recv_timeout(limit).unwrap_or(Ok(()))
}

/// False where the terminal belongs to another job.
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

/// Gives the terminal back before the program is stopped, or when it goes on in the background.
pub fn leave(output: &Output) {
    restore(output, LAST_BYTES_IN_A_HURRY);
}

/// Takes the terminal again, whatever was done with it meanwhile.
///
/// # Errors
/// If the terminal doesn't allow it; its modes are restored then.
pub fn take_again(output: &Output) -> io::Result<()> {
    take(output)
}

/// Comes back when something has panicked.
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
