//! Starts the keeper as a separate process, which outlives its parent.

use std::io::{self, PipeReader, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use zeroize::Zeroizing;

use super::refresh::Known;
use super::unstored::LIMIT;
use crate::child;
#[cfg(windows)]
use crate::profile::places;
use crate::profile::places::Place;

#[cfg(windows)]
mod windows;

/// The hidden subcommand that runs the keeper.
pub const COMMAND: &str = "keep-token";

/// How long to wait for the line of a keeper that has ended. Normally the line is there at once, unless another process
/// has inherited the pipe by accident.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A keeper process.
#[derive(Debug)]
pub struct Keeper {
    #[cfg(unix)]
    process: std::process::Child,
    #[cfg(windows)]
    process: windows::Process,
    /// Receives tokens that the keeper can't store, through a pipe that only the keeper has. The pipe closes when the
    /// keeper ends.
    output: Receiver<Zeroizing<Vec<u8>>>,
    /// The line received through the pipe.
    handed_over: Option<Zeroizing<Vec<u8>>>,
}

impl Keeper {
    /// Starts the keeper of a profile. `named` is the profile folder given by the user. `variable` is the environment
    /// variable that contains the client secret according to the settings.
    ///
    /// # Errors
    /// Returns an error if the system can't start a process.
    pub fn start(
        place: &Place,
        named: Option<&Path>,
        variable: Option<&str>,
        known: Known,
    ) -> std::io::Result<Self> {
        let (generation, attempt) = (known.generation.to_string(), known.attempt.to_string());
        let arguments = [
            COMMAND,
            place.name.as_str(),
            "--generation",
            &generation,
            "--attempt",
            &attempt,
            "--hand-over",
        ];
        let (output, input) = io::pipe()?;
        // The keeper needs no secret except that of the profile.
        let mut left_out = child::secrets();
        left_out.retain(|name| Some(name.as_str()) != variable);
        #[cfg(unix)]
        let process = {
            use std::os::unix::process::CommandExt;
            use std::process::{Command, Stdio};
            let mut command = Command::new(program()?);
            command
                .args(arguments)
                .stdin(Stdio::null())
                .stdout(input)
                .stderr(Stdio::null())
                .process_group(0);
            if let Some(folder) = named {
                command.arg("--profiles").arg(folder);
            }
            for name in left_out {
                command.env_remove(name);
            }
            // Dropping the command closes this copy of the pipe's write end: only the keeper may have one.
            command.spawn()?
        };
        #[cfg(windows)]
        let process = {
            let is_kept = |name: &std::ffi::OsStr| {
                let is = |other: &str| name.eq_ignore_ascii_case(other);
                !left_out.iter().any(|name| is(name)) && !is(places::VARIABLE)
            };
            let mut environment: Vec<_> = std::env::vars_os()
                .filter(|(name, _)| is_kept(name))
                .collect();
            // In the environment, the path needs no quotes.
            if let Some(folder) = named {
                environment.push((places::VARIABLE.into(), folder.into()));
            }
            let arguments = arguments.join(" ");
            windows::Process::start(&program()?, &arguments, &environment, input.into())?
        };
        Ok(Self {
            process,
            output: listen(output)?,
            handed_over: None,
        })
    }

    /// Returns the exit code once the process has ended. If a signal ended it, another number is returned.
    pub fn exit_code(&mut self) -> Option<u32> {
        #[cfg(unix)]
        return match self.process.try_wait() {
            Ok(None) => None,
            Ok(Some(status)) => Some(status.code().unwrap_or(-1).cast_unsigned()),
            // The process can't be told apart from one that has ended.
            Err(_) => Some(u32::MAX),
        };
        #[cfg(windows)]
        return self.process.exit_code();
    }

    /// Waits until the keeper ends, for at most `limit`.
    pub fn wait(&mut self, limit: Duration) {
        match self.output.recv_timeout(limit) {
            Ok(line) => self.handed_over = Some(line),
            Err(RecvTimeoutError::Timeout) => {}
            // The line arrived earlier, so the process is about to end.
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(limit),
        }
    }

    /// Returns the line that the keeper wrote before it ended, or `None` if it wrote none.
    #[must_use]
    pub fn handed_over(&mut self) -> Option<Zeroizing<Vec<u8>>> {
        let before = self.handed_over.take();
        before.or_else(|| self.output.recv_timeout(LAST_WORDS).ok())
    }
}

/// Reads one line from the keeper in a thread: the keeper may still be writing while the caller waits for it to end.
fn listen(mut pipe: PipeReader) -> io::Result<Receiver<Zeroizing<Vec<u8>>>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::Builder::new().spawn(move || {
        // Allocate the maximum size: a buffer that grows leaves copies of secrets in memory.
        let mut line = Zeroizing::new(vec![0; LIMIT]);
        let mut length = 0;
        while length < LIMIT && !line[..length].ends_with(b"\n") {
            match pipe.read(&mut line[length..]) {
                Ok(0) => break,
                Ok(read) => length += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        line.truncate(length);
        // The receiver may be gone.
        let _ = sender.send(line);
    })?;
    Ok(receiver)
}

/// Returns the path of this program. After an upgrade, the path of the running program may be another file, or none.
fn program() -> std::io::Result<PathBuf> {
    if cfg!(target_os = "linux") {
        return Ok(PathBuf::from("/proc/self/exe"));
    }
    std::env::current_exe()
}

/// Closes all file descriptors except the standard ones: the keeper must not keep a lock of the calling script open.
pub fn close_descriptors() {
    #[cfg(unix)]
    {
        let listed = std::fs::read_dir("/proc/self/fd").or_else(|_| std::fs::read_dir("/dev/fd"));
        let open: Vec<i32> = listed
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter(|descriptor| *descriptor > 2)
            .collect();
        for descriptor in open {
            // The descriptor of the directory listing is already closed.
            let _ = nix::unistd::close(descriptor);
        }
    }
}

/// Defers the signals that ask a process to end, until it is dropped. The keeper ends by itself within a minute.
#[derive(Debug)]
pub struct PutOff {
    #[cfg(unix)]
    _signals: Vec<tokio::signal::unix::Signal>,
}

/// Defers the signals that ask a process to end. Requires a Tokio runtime.
///
/// # Errors
/// Returns an error if the system doesn't support these signals.
pub fn put_off_signals() -> std::io::Result<PutOff> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [
            SignalKind::hangup(),
            SignalKind::interrupt(),
            SignalKind::terminate(),
            SignalKind::pipe(),
        ];
        let signals = kinds.into_iter().map(signal);
        Ok(PutOff {
            _signals: signals.collect::<Result<_, _>>()?,
        })
    }
    #[cfg(not(unix))]
    Ok(PutOff {})
}
