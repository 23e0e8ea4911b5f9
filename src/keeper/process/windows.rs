//! Starts a process that inherits one pipe and nothing else.

#![allow(
    unsafe_code,
    reason = "the standard library lets every process inherit handles; each block explains why it is sound"
)]

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::windows::ffi::OsStrExt;
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle};
use std::path::Path;
use std::ptr::{null, null_mut};

use windows_sys::Win32::Foundation::{
    HANDLE, HANDLE_FLAG_INHERIT, SetHandleInformation, WAIT_TIMEOUT,
};
use windows_sys::Win32::System::Threading::{
    CREATE_BREAKAWAY_FROM_JOB, CREATE_NEW_PROCESS_GROUP, CREATE_UNICODE_ENVIRONMENT,
    CreateProcessW, DETACHED_PROCESS, DeleteProcThreadAttributeList, EXTENDED_STARTUPINFO_PRESENT,
    GetExitCodeProcess, InitializeProcThreadAttributeList, PROC_THREAD_ATTRIBUTE_HANDLE_LIST,
    PROCESS_INFORMATION, STARTF_USESTDHANDLES, STARTUPINFOEXW, STARTUPINFOW,
    UpdateProcThreadAttribute, WaitForSingleObject,
};

use crate::windows::wide;

/// A started process.
#[derive(Debug)]
pub(super) struct Process(OwnedHandle);

impl Process {
    /// Starts a process without a console. It inherits `output` as its standard output and no other handle of this
    /// process: an inherited pipe or lock would stay open, and other programs may be waiting for its end. `arguments`
    /// are passed without quotes, so they must not need any. If the job of this process doesn't allow breakaway, the
    /// new process starts within the job.
    ///
    /// # Errors
    /// Returns an error if the system can't start a process.
    pub(super) fn start(
        program: &Path,
        arguments: &str,
        environment: &[(OsString, OsString)],
        output: OwnedHandle,
    ) -> io::Result<Self> {
        let output = output.as_handle();
        // SAFETY: the handle is open.
        let set = unsafe {
            SetHandleInformation(
                output.as_raw_handle(),
                HANDLE_FLAG_INHERIT,
                HANDLE_FLAG_INHERIT,
            )
        };
        if set == 0 {
            return Err(io::Error::last_os_error());
        }
        let start = |flags| Self::start_as(program, arguments, environment, output, flags);
        start(CREATE_BREAKAWAY_FROM_JOB).or_else(|_| start(0))
    }

    fn start_as(
        program: &Path,
        arguments: &str,
        environment: &[(OsString, OsString)],
        output: BorrowedHandle<'_>,
        flags: u32,
    ) -> io::Result<Self> {
        // The call may write to the command line.
        let mut line = OsString::from("\"");
        line.push(program);
        line.push("\" ");
        line.push(arguments);
        let mut line = wide(line);
        let environment = block(environment);
        let program = wide(program);
        let inherited = [output.as_raw_handle()];
        let mut list = HandleList::new(&inherited)?;
        let about = STARTUPINFOEXW {
            StartupInfo: STARTUPINFOW {
                cb: size_of::<STARTUPINFOEXW>() as u32,
                dwFlags: STARTF_USESTDHANDLES,
                hStdOutput: inherited[0],
                ..STARTUPINFOW::default()
            },
            lpAttributeList: list.as_mut_ptr(),
        };
        let mut process = PROCESS_INFORMATION::default();
        let flags = flags
            | DETACHED_PROCESS
            | CREATE_NEW_PROCESS_GROUP
            | CREATE_UNICODE_ENVIRONMENT
            | EXTENDED_STARTUPINFO_PRESENT;
        // SAFETY: all strings end with a zero and the environment with two; all of it outlives the call. The flag says
        // that `about` is the extended structure. Only the handles in the list are inherited.
        let started = unsafe {
            CreateProcessW(
                program.as_ptr(),
                line.as_mut_ptr(),
                null(),
                null(),
                1,
                flags,
                environment.as_ptr().cast(),
                null(),
                (&raw const about).cast(),
                &raw mut process,
            )
        };
        if started == 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: both handles were just opened, and this process owns them.
        let (thread, process) = unsafe {
            (
                OwnedHandle::from_raw_handle(process.hThread),
                OwnedHandle::from_raw_handle(process.hProcess),
            )
        };
        drop(thread);
        Ok(Self(process))
    }

    /// Returns the exit code once the process has ended.
    pub(super) fn exit_code(&self) -> Option<u32> {
        let process = self.0.as_raw_handle();
        // SAFETY: the handle is open as long as `self` exists; the call doesn't wait.
        if unsafe { WaitForSingleObject(process, 0) } == WAIT_TIMEOUT {
            return None;
        }
        let mut code = u32::MAX;
        // SAFETY: as above; `code` outlives the call. If the call fails, `code` stays unchanged.
        unsafe { GetExitCodeProcess(process, &raw mut code) };
        Some(code)
    }
}

/// The attribute that restricts the handles that a process inherits to these.
struct HandleList<'a> {
    /// An array of words, so that the alignment is what Windows expects.
    memory: Vec<usize>,
    _handles: &'a [HANDLE],
}

impl<'a> HandleList<'a> {
    fn new(handles: &'a [HANDLE]) -> io::Result<Self> {
        let mut size = 0;
        // SAFETY: without memory, the call only returns the size that is needed.
        unsafe { InitializeProcThreadAttributeList(null_mut(), 1, 0, &raw mut size) };
        let mut memory = vec![0_usize; size.div_ceil(size_of::<usize>())];
        // SAFETY: the memory has the size that was returned.
        let begun = unsafe {
            InitializeProcThreadAttributeList(memory.as_mut_ptr().cast(), 1, 0, &raw mut size)
        };
        if begun == 0 {
            return Err(io::Error::last_os_error());
        }
        let mut list = Self {
            memory,
            _handles: handles,
        };
        // SAFETY: the list was just created for one attribute, and the handles outlive it.
        let added = unsafe {
            UpdateProcThreadAttribute(
                list.as_mut_ptr(),
                0,
                PROC_THREAD_ATTRIBUTE_HANDLE_LIST as usize,
                handles.as_ptr().cast(),
                size_of_val(handles),
                null_mut(),
                null(),
            )
        };
        if added == 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(list)
    }

    fn as_mut_ptr(&mut self) -> *mut std::ffi::c_void {
        self.memory.as_mut_ptr().cast()
    }
}

impl Drop for HandleList<'_> {
    fn drop(&mut self) {
        // SAFETY: the list was created in `new`, and nothing uses it any more.
        unsafe { DeleteProcThreadAttributeList(self.as_mut_ptr()) };
    }
}

/// Returns an environment block as Windows requires it: sorted by name without regard to case, with a zero after each
/// variable and another zero at the end.
fn block(environment: &[(OsString, OsString)]) -> Vec<u16> {
    let mut sorted: Vec<_> = environment.iter().collect();
    sorted.sort_by_key(|(name, _)| name.to_ascii_uppercase());
    let mut block = Vec::new();
    for (name, value) in sorted {
        for part in [name.as_os_str(), OsStr::new("="), value, OsStr::new("\0")] {
            block.extend(part.encode_wide());
        }
    }
    // An empty block also requires two zeros.
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
    fn environment_block_is_sorted_and_ends_with_two_nuls() {
        let pair = |name: &str, value: &str| (name.into(), value.into());
        let all = [pair("b", "2"), pair("A", "1 x"), pair("C", "")];
        assert_eq!(String::from_utf16_lossy(&block(&all)), "A=1 x\0b=2\0C=\0\0");
        assert_eq!(block(&[]), [0, 0]);
    }
}
