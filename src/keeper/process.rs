//! The keeper as a process of its own, which outlives the one that started it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::refresh::Known;
use crate::profile::places::Place;
use crate::secret::SECRET_VARIABLE;

/// The hidden command of the keeper.
pub const COMMAND: &str = "keep-token";

/// Starts the keeper of a profile. `named` is the folder of profiles that was named, `variable` the environment variable
/// that has the client secret by the settings.
///
/// # Errors
/// Where the system starts no process.
pub fn start(
    place: &Place,
    named: Option<&Path>,
    variable: Option<&str>,
    known: Known,
) -> std::io::Result<Child> {
    let mut command = Command::new(program()?);
    command
        .arg(COMMAND)
        .arg(place.name.as_str())
        .arg("--generation")
        .arg(known.generation.to_string())
        .arg("--attempt")
        .arg(known.attempt.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if let Some(folder) = named {
        command.arg("--profiles").arg(folder);
    }
    // It needs no other secret than that of the profile.
    if variable != Some(SECRET_VARIABLE) {
        command.env_remove(SECRET_VARIABLE);
    }
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    #[cfg(windows)]
    {
        use windows_sys::Win32::System::Threading::{
            CREATE_BREAKAWAY_FROM_JOB, CREATE_NEW_PROCESS_GROUP, DETACHED_PROCESS,
        };
        let flags = DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP;
        let started = std::os::windows::process::CommandExt::creation_flags(
            &mut command,
            flags | CREATE_BREAKAWAY_FROM_JOB,
        )
        .spawn();
        if started.is_ok() {
            return started;
        }
        // The job does not let it go.
        std::os::windows::process::CommandExt::creation_flags(&mut command, flags);
    }
    command.spawn()
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
/// Where the system has no such signals.
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
