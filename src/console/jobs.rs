//! Job control: handles stopping the program, and continuing it in the foreground or background.
//!
//! SIGTSTP and SIGCONT are blocked in all threads, and one thread waits for them. The terminal is restored before the
//! default action of SIGTSTP stops the program. The default action is kept because the system ignores it if no shell
//! could continue the program. SIGSTOP, SIGTTIN and SIGTTOU stop the program directly.

/// What the front end must do.
#[derive(Debug)]
pub enum Job {
    /// Restore the terminal and leave it alone. The program is stopped once this is dropped, or after two seconds.
    Leave(Ready),
    /// Set up the terminal again: the program was continued, and is in the foreground. The modes and the content of the
    /// terminal may have changed.
    Return,
}

/// A guard: dropping it allows the program to be stopped.
#[derive(Debug)]
pub struct Ready(
    #[cfg(unix)]
    #[allow(dead_code, reason = "dropping it is the signal")]
    Option<std::sync::mpsc::Sender<()>>,
);

#[cfg(unix)]
pub use self::unix::{Jobs, hold, interrupt, suspend};
#[cfg(windows)]
pub use self::windows::{Jobs, hold, interrupt, suspend};

#[cfg(unix)]
mod unix {
    use std::fs::File;
    use std::sync::{Mutex, Once, PoisonError};
    use std::time::Duration;

    use nix::sys::signal::{SigSet, Signal};
    use rustix::process::{getpid, kill_current_process_group, kill_process};
    use tokio::sync::mpsc;
    use tokio::time::Interval;

    use super::{Job, Ready};
    use crate::console::device;

    /// How long the front end may take to restore the terminal.
    const PATIENCE: Duration = Duration::from_secs(2);

    /// The channel to the front end.
    static LISTENER: Mutex<Option<mpsc::Sender<Taken>>> = Mutex::new(None);

    /// A signal that was received.
    #[derive(Debug)]
    enum Taken {
        Stop(Ready),
        Continue,
    }

    /// Blocks the signals and starts the thread that receives them. Must be called before other threads start, because
    /// threads inherit the blocked signals.
    pub fn hold() {
        static HELD: Once = Once::new();
        HELD.call_once(|| {
            let signals = SigSet::from_iter([Signal::SIGTSTP, Signal::SIGCONT]);
            if signals.thread_block().is_err() {
                return;
            }
            let taker = std::thread::Builder::new().spawn(move || take(signals));
            if taker.is_err() {
                let _ = signals.thread_unblock();
            }
        });
    }

    fn take(signals: SigSet) {
        loop {
            match signals.wait() {
                Ok(Signal::SIGTSTP) => {
                    let (ready, waited) = std::sync::mpsc::channel();
                    tell(Taken::Stop(Ready(Some(ready))));
                    // Returns when the guard is dropped.
                    let _ = waited.recv_timeout(PATIENCE);
                    stop();
                }
                Ok(_) => tell(Taken::Continue),
                Err(_) => return,
            }
        }
    }

    fn tell(taken: Taken) {
        let listener = LISTENER.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(listener) = &*listener {
            let _ = listener.try_send(taken);
        }
    }

    /// Stops all threads of this program, until it is continued.
    fn stop() {
        let stop = SigSet::from(Signal::SIGTSTP);
        let _ = stop.thread_unblock();
        let _ = kill_process(getpid(), rustix::process::Signal::TSTP);
        let _ = stop.thread_block();
        // If the system ignored the stop, nobody else continues the program. If a shell has continued it, this signal
        // merges with the pending one, so the front end is notified once.
        let _ = kill_process(getpid(), rustix::process::Signal::CONT);
    }

    /// Asks to stop the whole job, as the terminal does for Ctrl+Z.
    pub fn suspend() {
        let _ = kill_current_process_group(rustix::process::Signal::TSTP);
    }

    /// Asks to end the whole job, as the terminal does for Ctrl+C.
    pub fn interrupt() {
        let _ = kill_current_process_group(rustix::process::Signal::INT);
    }

    /// Notifies the front end about stops and continuations. Only one can be active at a time.
    #[derive(Debug)]
    pub struct Jobs {
        taken: mpsc::Receiver<Taken>,
        terminal: Option<File>,
        /// Whether the program was continued in the background.
        away: bool,
        look: Interval,
    }

    impl Jobs {
        /// Starts to listen. Requires a Tokio runtime.
        #[must_use]
        pub fn new() -> Self {
            hold();
            let (sender, taken) = mpsc::channel(16);
            *LISTENER.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
            Self {
                taken,
                terminal: device::open().ok(),
                away: false,
                // A shell sends no signal when a running job returns to the foreground.
                look: tokio::time::interval(device::LOOK),
            }
        }

        fn in_foreground(&self) -> bool {
            let terminal = self.terminal.as_ref();
            terminal.is_none_or(device::is_in_foreground)
        }

        /// Returns the next event. Cancel-safe: no event is lost if the future is dropped.
        pub async fn next(&mut self) -> Job {
            loop {
                tokio::select! {
                    biased;
                    Some(taken) = self.taken.recv() => match taken {
                        Taken::Stop(ready) => {
                            self.away = false;
                            return Job::Leave(ready);
                        }
                        Taken::Continue => {
                            self.away = !self.in_foreground();
                            return if self.away { Job::Leave(Ready(None)) } else { Job::Return };
                        }
                    },
                    _ = self.look.tick(), if self.away => {
                        if self.in_foreground() {
                            self.away = false;
                            return Job::Return;
                        }
                    }
                    else => std::future::pending().await,
                }
            }
        }
    }

    impl Default for Jobs {
        fn default() -> Self {
            Self::new()
        }
    }
}

#[cfg(windows)]
mod windows {
    use super::Job;

    /// Does nothing: Windows has no job control.
    pub fn hold() {}

    /// Does nothing: Windows has no job control.
    pub fn suspend() {}

    /// Does nothing: the console itself handles Ctrl+C.
    pub fn interrupt() {}

    /// Never reports an event on Windows.
    #[derive(Debug, Default)]
    pub struct Jobs(());

    impl Jobs {
        /// Creates a value that reports nothing.
        #[must_use]
        pub fn new() -> Self {
            Self(())
        }

        /// Never returns.
        pub async fn next(&mut self) -> Job {
            std::future::pending().await
        }
    }
}
