//! The terminal as it was before, after every ending.
//!
//! Restoring goes on after an error, asks the terminal nothing, and undoes exactly what was done. The panic
//! hook does the same, and says where the defect is without the panic's own words: they may hold a secret.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute, style};
use tokio::sync::Notify;

/// True while the terminal is ours.
static OURS: AtomicBool = AtomicBool::new(false);
/// Told of every panic, in whatever thread or task.
static PANICKED: Notify = Notify::const_new();

/// The terminal, apart from standard output, which may be a pipe and has a lock and a buffer.
#[cfg(unix)]
#[derive(Debug)]
pub struct Output(std::fs::File);

/// The console. Written through standard output, which translates for it.
#[cfg(windows)]
#[derive(Debug)]
pub struct Output(io::Stdout);

/// Opens the terminal: standard output where that is one, else the controlling terminal.
///
/// # Errors
/// Where there is none.
#[cfg(unix)]
pub fn output() -> io::Result<Output> {
    use std::io::IsTerminal;
    use std::os::fd::AsFd;
    let stdout = io::stdout();
    if stdout.is_terminal() {
        return Ok(Output(stdout.as_fd().try_clone_to_owned()?.into()));
    }
    Ok(Output(
        std::fs::File::options()
            .read(true)
            .write(true)
            .open("/dev/tty")?,
    ))
}

/// Opens the console.
///
/// # Errors
/// Where there is none.
#[cfg(windows)]
pub fn output() -> io::Result<Output> {
    use std::io::IsTerminal;
    let stdout = io::stdout();
    if stdout.is_terminal() {
        Ok(Output(stdout))
    } else {
        Err(io::Error::from(io::ErrorKind::NotFound))
    }
}

impl Output {
    /// Another handle of the same terminal.
    ///
    /// # Errors
    /// Where the system has none left.
    pub fn try_clone(&self) -> io::Result<Self> {
        #[cfg(unix)]
        return Ok(Self(self.0.try_clone()?));
        #[cfg(windows)]
        return Ok(Self(io::stdout()));
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
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

/// Holds the terminal; dropping it gives it back.
#[derive(Debug)]
pub struct Guard(Output);

impl Guard {
    /// Takes the terminal: raw mode, another screen, bracketed paste. Nothing that can fail may stand between
    /// this and the guard's first use.
    ///
    /// # Errors
    /// Where the terminal does not let us; it is as before then.
    pub fn enter(mut output: Output) -> io::Result<Self> {
        install_hook();
        take(&mut output)?;
        Ok(Self(output))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        restore(&mut self.0);
    }
}

fn take(output: &mut Output) -> io::Result<()> {
    enable_raw_mode()?;
    OURS.store(true, Ordering::SeqCst);
    let taken = execute!(output, EnterAlternateScreen, EnableBracketedPaste);
    if taken.is_err() {
        restore(output);
    }
    taken
}

/// Gives the terminal back, once. Errors are of no use here.
fn restore(output: &mut Output) {
    if !OURS.swap(false, Ordering::SeqCst) {
        return;
    }
    let _ = execute!(
        output,
        DisableBracketedPaste,
        style::ResetColor,
        LeaveAlternateScreen,
        cursor::Show
    );
    let _ = disable_raw_mode();
}

/// Gives the terminal to the shell until the program is continued.
///
/// # Errors
/// Where the terminal cannot be taken again.
pub fn suspend(output: &Output) -> io::Result<()> {
    #[cfg(unix)]
    {
        let mut output = output.try_clone()?;
        restore(&mut output);
        // Stops all of us here; goes on after `fg`.
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::TSTP)?;
        take(&mut output)?;
    }
    #[cfg(windows)]
    let _ = output;
    Ok(())
}

/// Comes back when something has panicked.
pub async fn panicked() {
    PANICKED.notified().await;
}

fn install_hook() {
    static INSTALLED: std::sync::Once = std::sync::Once::new();
    INSTALLED.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            if let Ok(mut output) = output() {
                restore(&mut output);
                let place = info.location().map(|place| format!(" at {}:{}", place.file(), place.line())).unwrap_or_default();
                let _ = writeln!(output, "oauth-authorizer: a defect{place} ended the program. Please report this line.\r");
            }
            PANICKED.notify_one();
        }));
    });
}
