//! The keeper as a process of its own, which outlives the one that started it.

use std::io::{self, PipeReader, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use zeroize::Zeroizing;

use super::refresh::Known;
use super::unstored::LIMIT;
#[cfg(windows)]
use crate::profile::places;
use crate::profile::places::Place;
use crate::secret::SECRET_VARIABLE;

#[cfg(windows)]
mod windows;

/// The hidden command of the keeper.
pub const COMMAND: &str = "keep-token";

/// What a keeper that has ended handed over is there at once. If another process has its pipe by accident, it isn't.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A keeper that was started.
#[derive(Debug)]
pub struct Keeper {
    #[cfg(unix)]
    process: std::process::Child,
    #[cfg(windows)]
    process: windows::Process,
    /// Tokens that it can't store, through a pipe that no other process has. The pipe ends with the process.
    output: Receiver<Zeroizing<Vec<u8>>>,
    /// What came through it.
    handed_over: Option<Zeroizing<Vec<u8>>>,
}

impl Keeper {
    /// Starts the keeper of a profile. `named` is the folder of profiles that was named, `variable` the environment variable
    /// that has the client secret by the settings.
    ///
    /// # Errors
    /// If the system can't start a process.
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
        // It needs no other secret than that of the profile.
        let left_out = (variable != Some(SECRET_VARIABLE)).then_some(SECRET_VARIABLE);
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
            if let Some(name) = left_out {
                command.env_remove(name);
            }
            // This end of the pipe goes with the command: the keeper must have the only one.
            command.spawn()?
        };
        #[cfg(windows)]
        let process = {
            let is_kept = |name: &std::ffi::OsStr| {
                let is = |other: &str| name.eq_ignore_ascii_case(other);
                !left_out.is_some_and(is) && !is(places::VARIABLE)
            };
            let mut environment: Vec<_> = std::env::vars_os()
                .filter(|(name, _)| is_kept(name))
                .collect();
            // In the environment it needs no quotes.
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

    /// The exit code, once it has ended. One that a signal ended has none, for which another number stands.
    pub fn exit_code(&mut self) -> Option<u32> {
        #[cfg(unix)]
        return match self.process.try_wait() {
            Ok(None) => None,
            Ok(Some(status)) => Some(status.code().unwrap_or(-1).cast_unsigned()),
            // It can't be told apart from one that has ended.
            Err(_) => Some(u32::MAX),
        };
        #[cfg(windows)]
        return self.process.exit_code();
    }

    /// Waits for the end of the keeper, at most so long.
    pub fn wait(&mut self, limit: Duration) {
        match self.output.recv_timeout(limit) {
            Ok(line) => self.handed_over = Some(line),
            Err(RecvTimeoutError::Timeout) => {}
            // It has come before: the process ends at any moment.
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(limit),
        }
    }

    /// The line that a keeper handed over before it ended; `None` if there is none.
    #[must_use]
    pub fn handed_over(&mut self) -> Option<Zeroizing<Vec<u8>>> {
        let before = self.handed_over.take();
        before.or_else(|| self.output.recv_timeout(LAST_WORDS).ok())
    }
}

/// Reads one line from a keeper, without waiting for it here: the keeper may be writing while its end is waited for.
fn listen(mut pipe: PipeReader) -> io::Result<Receiver<Zeroizing<Vec<u8>>>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::Builder::new().spawn(move || {
        // As large as it can be: what grows leaves copies behind.
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
        // Nobody waits any more, perhaps.
        let _ = sender.send(line);
    })?;
    Ok(receiver)
}

/// This program. After an upgrade the path of the running one leads to another file, or to none.
fn program() -> std::io::Result<PathBuf> {
    if cfg!(target_os = "linux") {
        return Ok(PathBuf::from("/proc/self/exe"));
    }
    std::env::current_exe()
}

/// Closes all descriptors but the standard ones: a lock of the script that called must not stay held by the keeper.
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
            // The one of the list itself is closed already.
            let _ = nix::unistd::close(descriptor);
        }
    }
}

/// Signals that ask a process to end are put off while this lives: the keeper ends by itself within a minute.
#[derive(Debug)]
pub struct PutOff {
    #[cfg(unix)]
    _signals: Vec<tokio::signal::unix::Signal>,
}

/// Puts off the signals that ask to end. Requires a runtime.
///
/// # Errors
/// If the system has no such signals.
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
