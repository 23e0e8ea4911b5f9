//! A process that inherits nothing.

#![allow(
    unsafe_code,
    reason = "the standard library lets every process inherit handles; each block says why it is sound"
)]

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::windows::ffi::OsStrExt;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::path::Path;
use std::ptr::null;

use windows_sys::Win32::Foundation::WAIT_TIMEOUT;
use windows_sys::Win32::System::Threading::{
    CREATE_BREAKAWAY_FROM_JOB, CREATE_NEW_PROCESS_GROUP, CREATE_UNICODE_ENVIRONMENT,
    CreateProcessW, DETACHED_PROCESS, GetExitCodeProcess, PROCESS_INFORMATION, STARTUPINFOW,
    WaitForSingleObject,
};

use crate::windows::wide;

/// A process that was started.
#[derive(Debug)]
pub(super) struct Process(OwnedHandle);

impl Process {
    /// Starts a process without a console and without any handle of this one: a pipe that somebody reads to its end, or a
    /// lock, must not stay open with it. `arguments` are not quoted, and need no quotes. If the job of this process does not
    /// let it go, it is started within it.
    ///
    /// # Errors
    /// If the system can't start a process.
    pub(super) fn start(
        program: &Path,
        arguments: &str,
        environment: &[(OsString, OsString)],
    ) -> io::Result<Self> {
        Self::start_as(program, arguments, environment, CREATE_BREAKAWAY_FROM_JOB)
            .or_else(|_| Self::start_as(program, arguments, environment, 0))
    }

    fn start_as(
        program: &Path,
        arguments: &str,
        environment: &[(OsString, OsString)],
        flags: u32,
    ) -> io::Result<Self> {
        // The call may write to it.
        let mut line = OsString::from("\"");
        line.push(program);
        line.push("\" ");
        line.push(arguments);
        let mut line = wide(line);
        let environment = block(environment);
        let program = wide(program);
        let about = STARTUPINFOW {
            cb: size_of::<STARTUPINFOW>() as u32,
            ..STARTUPINFOW::default()
        };
        let mut process = PROCESS_INFORMATION::default();
        let flags =
            flags | DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP | CREATE_UNICODE_ENVIRONMENT;
        // SAFETY: all texts end in a zero, the environment in two; all of it outlives the call. No handle is inherited.
        let started = unsafe {
            CreateProcessW(
                program.as_ptr(),
                line.as_mut_ptr(),
                null(),
                null(),
                0,
                flags,
                environment.as_ptr().cast(),
                null(),
                &raw const about,
                &raw mut process,
            )
        };
        if started == 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: both handles were just opened, and are ours.
        let (thread, process) = unsafe {
            (
                OwnedHandle::from_raw_handle(process.hThread),
                OwnedHandle::from_raw_handle(process.hProcess),
            )
        };
        drop(thread);
        Ok(Self(process))
    }

    /// The exit code, once it has ended.
    pub(super) fn exit_code(&self) -> Option<u32> {
        let process = self.0.as_raw_handle();
        // SAFETY: the handle is open as long as `self`; nothing is waited for.
        if unsafe { WaitForSingleObject(process, 0) } == WAIT_TIMEOUT {
            return None;
        }
        let mut code = u32::MAX;
        // SAFETY: as above; `code` outlives the call. Without an answer it stays as it is.
        unsafe { GetExitCodeProcess(process, &raw mut code) };
        Some(code)
    }
}

/// An environment as Windows takes it: sorted by names without regard to case, with a zero behind each variable and one more.
fn block(environment: &[(OsString, OsString)]) -> Vec<u16> {
    let mut sorted: Vec<_> = environment.iter().collect();
    sorted.sort_by_key(|(name, _)| name.to_ascii_uppercase());
    let mut block = Vec::new();
    for (name, value) in sorted {
        for part in [name.as_os_str(), OsStr::new("="), value, OsStr::new("\0")] {
            block.extend(part.encode_wide());
        }
    }
    // Without a variable, two zeros are needed as well.
    if block.is_empty() {
        block.push(0);
    }
    block.push(0);
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_is_sorted_and_ends_in_two_zeros() {
        let pair = |name: &str, value: &str| (name.into(), value.into());
        let all = [pair("b", "2"), pair("A", "1 x"), pair("C", "")];
        assert_eq!(String::from_utf16_lossy(&block(&all)), "A=1 x\0b=2\0C=\0\0");
        assert_eq!(block(&[]), [0, 0]);
    }
}
