//! Job control: the program is stopped by its user, its shell or a signal, and continued in the foreground or background.
//!
//! SIGTSTP and SIGCONT are blocked in all threads, and one thread takes them. The terminal is given back before the
//! default action of SIGTSTP stops the program. That action is kept because the system ignores it where no shell could
//! continue the program. SIGSTOP, SIGTTIN and SIGTTOU stop it as it is.

/// What the front end has to do.
#[derive(Debug)]
pub enum Job {
    /// Give the terminal back, and leave it alone. The program is stopped once this is dropped, or after two
    /// seconds.
    Leave(Ready),
    /// Take the terminal again: the program was continued, and is in the foreground. The modes of the terminal and what
    /// it shows may have changed.
    Return,
}

/// Dropped when the program may be stopped.
#[derive(Debug)]
pub struct Ready(
    #[cfg(unix)]
    #[allow(dead_code, reason = "it tells by being dropped")]
    Option<std::sync::mpsc::Sender<()>>,
);

#[cfg(unix)]
pub use self::unix::{Jobs, hold, suspend};
#[cfg(windows)]
pub use self::windows::{Jobs, hold, suspend};

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

    /// The front end has this long to give the terminal back.
    const PATIENCE: Duration = Duration::from_secs(2);

    /// The front end that is told.
    static LISTENER: Mutex<Option<mpsc::Sender<Taken>>> = Mutex::new(None);

    /// A signal that was taken.
    #[derive(Debug)]
    enum Taken {
        Stop(Ready),
        Continue,
    }

    /// Takes the signals from now on. Has to come before other threads are started, because they inherit what is blocked.
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
                    // Ends when the other side is dropped.
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

    /// Stops all threads here, until the program is continued.
    fn stop() {
        let stop = SigSet::from(Signal::SIGTSTP);
        let _ = stop.thread_unblock();
        let _ = kill_process(getpid(), rustix::process::Signal::TSTP);
        let _ = stop.thread_block();
        // Where the system has ignored it, nobody else continues the program. Where somebody has, this is the same signal
        // once more, and is told once.
        let _ = kill_process(getpid(), rustix::process::Signal::CONT);
    }

    /// Asks to stop all of the job, as the terminal does for Ctrl+Z.
    pub fn suspend() {
        let _ = kill_current_process_group(rustix::process::Signal::TSTP);
    }

    /// Tells the front end. There is one at a time.
    #[derive(Debug)]
    pub struct Jobs {
        taken: mpsc::Receiver<Taken>,
        terminal: Option<File>,
        /// Continued in the background.
        away: bool,
        look: Interval,
    }

    impl Jobs {
        /// Listens from now on, within a runtime.
        #[must_use]
        pub fn new() -> Self {
            hold();
            let (sender, taken) = mpsc::channel(16);
            *LISTENER.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
            Self {
                taken,
                terminal: device::open().ok(),
                away: false,
                // A shell sends no signal to a job that runs.
                look: tokio::time::interval(device::LOOK),
            }
        }

        fn in_foreground(&self) -> bool {
            let terminal = self.terminal.as_ref();
            terminal.is_none_or(device::is_in_foreground)
        }

        /// What comes next. Nothing is lost if it is no longer waited for.
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

    /// Windows has no jobs that are stopped.
    pub fn hold() {}

    /// Does nothing here.
    pub fn suspend() {}

    /// Tells of nothing here.
    #[derive(Debug, Default)]
    pub struct Jobs(());

    impl Jobs {
        /// Listens for nothing.
        #[must_use]
        pub fn new() -> Self {
            Self(())
        }

        /// Never comes back.
        pub async fn next(&mut self) -> Job {
            std::future::pending().await
        }
    }
}
