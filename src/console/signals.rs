//! Signals of the system that ask the program to end.
//!
//! Once handled, they don't end the program by themselves: every long wait must stop when a signal arrives.

use std::io;

/// The signals that ask to end: terminate, hang up, interrupt, quit.
#[cfg(unix)]
#[derive(Debug)]
pub struct Signals {
    terminate: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    quit: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    /// Starts to listen for the signals.
    ///
    /// # Errors
    /// Returns an error if the system doesn't allow it.
    pub fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
        })
    }

    /// Returns when a signal arrives.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
            _ = self.interrupt.recv() => {}
            _ = self.quit.recv() => {}
        }
    }
}

/// The events that ask to end: Ctrl+C, Ctrl+Break, closing the console window, logging off, shutdown.
#[cfg(windows)]
#[derive(Debug)]
pub struct Signals {
    interrupt: tokio::signal::windows::CtrlC,
    ctrl_break: tokio::signal::windows::CtrlBreak,
    close: tokio::signal::windows::CtrlClose,
    shutdown: tokio::signal::windows::CtrlShutdown,
    log_off: tokio::signal::windows::CtrlLogoff,
}

#[cfg(windows)]
impl Signals {
    /// Starts to listen for the events.
    ///
    /// # Errors
    /// Returns an error if the system doesn't allow it.
    pub fn new() -> io::Result<Self> {
        use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_logoff, ctrl_shutdown};
        Ok(Self {
            interrupt: ctrl_c()?,
            ctrl_break: ctrl_break()?,
            close: ctrl_close()?,
            shutdown: ctrl_shutdown()?,
            log_off: ctrl_logoff()?,
        })
    }

    /// Returns when an event arrives.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.ctrl_break.recv() => {}
            _ = self.close.recv() => {}
            _ = self.shutdown.recv() => {}
            _ = self.log_off.recv() => {}
        }
    }
}

impl Signals {
    /// Runs work that may block, such as writing to a pipe that nobody reads, on a separate thread. Returns `None` if a
    /// signal arrives first: the thread is then left behind, and ends with the program.
    pub async fn unless_asked_to_end<T: Send + 'static>(
        &mut self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let done = tokio::task::spawn_blocking(work);
        tokio::select! {
            biased;
            () = self.next() => None,
            done = done => done.ok(),
        }
    }
}
