//! What the calls of Windows have in common: texts, memory, codes, the identity of this process.

#![allow(
    unsafe_code,
    reason = "the interfaces of Windows are those of C; each block says why it is sound"
)]

use std::ffi::{OsStr, c_void};
use std::os::windows::ffi::OsStrExt;
use std::os::windows::io::{FromRawHandle, OwnedHandle};
use std::ptr::null_mut;

use windows_sys::Win32::Foundation::{GetLastError, LocalFree, NO_ERROR};
use windows_sys::Win32::Security::Authorization::ConvertSidToStringSidW;
use windows_sys::Win32::Security::{PSID, TOKEN_QUERY};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};

/// A text of Windows is not read beyond this many characters.
pub(crate) const TEXT_LIMIT: usize = 32 * 1024;

/// A text or a path as Windows takes it, with a zero at its end.
pub(crate) fn wide(text: impl AsRef<OsStr>) -> Vec<u16> {
    text.as_ref().encode_wide().chain([0]).collect()
}

/// The text in a buffer.
pub(crate) fn up_to_zero(text: &[u16]) -> String {
    let end = text.iter().position(|unit| *unit == 0);
    String::from_utf16_lossy(&text[..end.unwrap_or(text.len())])
}

/// The text that a pointer leads to.
///
/// # Safety
/// `text` is null or ends in a zero.
pub(crate) unsafe fn read_wide(text: *const u16) -> String {
    if text.is_null() {
        return String::new();
    }
    let length = (0..TEXT_LIMIT)
        // SAFETY: up to the zero all of it is the text's.
        .find(|at| unsafe { *text.add(*at) } == 0)
        .unwrap_or(TEXT_LIMIT);
    // SAFETY: as above.
    String::from_utf16_lossy(unsafe { std::slice::from_raw_parts(text, length) })
}

/// The code of the call before.
pub(crate) fn last_error() -> u32 {
    // SAFETY: takes nothing.
    unsafe { GetLastError() }
}

/// `Ok` for `NO_ERROR`, else the code.
pub(crate) fn checked(code: u32) -> Result<(), u32> {
    if code == NO_ERROR { Ok(()) } else { Err(code) }
}

/// Memory that Windows gave, to be freed with `LocalFree`.
pub(crate) struct Local(*mut c_void);

impl Local {
    /// # Safety
    /// The memory was given by a call whose result is to be freed so, and nobody else frees it.
    pub(crate) unsafe fn new(memory: *mut c_void) -> Self {
        Self(memory)
    }

    /// Valid as long as `self`.
    pub(crate) fn pointer(&self) -> *mut c_void {
        self.0
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        // SAFETY: as promised in `new`; freed once.
        unsafe { LocalFree(self.0) };
    }
}

/// The token of this process, to be read.
///
/// # Errors
/// The code of Windows.
pub(crate) fn process_token() -> Result<OwnedHandle, u32> {
    let mut token = null_mut();
    // SAFETY: the handle of one's own process need not be closed; `token` outlives the call.
    if unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &raw mut token) } == 0 {
        return Err(last_error());
    }
    // SAFETY: the handle was just opened, and is ours.
    Ok(unsafe { OwnedHandle::from_raw_handle(token) })
}

/// A security identifier, written whole.
///
/// # Errors
/// The code of Windows.
///
/// # Safety
/// `sid` leads to one.
pub(crate) unsafe fn sid_text(sid: PSID) -> Result<String, u32> {
    let mut text = null_mut();
    // SAFETY: as promised by the caller.
    if unsafe { ConvertSidToStringSidW(sid, &raw mut text) } == 0 {
        return Err(last_error());
    }
    // SAFETY: given by a call whose result is to be freed so.
    let text = unsafe { Local::new(text.cast()) };
    // SAFETY: a text that ends in a zero, until it is freed.
    Ok(unsafe { read_wide(text.pointer().cast()) })
}
