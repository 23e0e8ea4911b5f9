//! A file that only its user can read, on Windows: its access list is there before its first byte.

#![allow(
    unsafe_code,
    reason = "the standard library creates no file with an access list; each block says why it is sound"
)]

use std::fs::File;
use std::io;
use std::os::windows::ffi::OsStrExt;
use std::os::windows::io::{AsRawHandle, FromRawHandle};
use std::path::Path;
use std::ptr::null_mut;

use windows_sys::Win32::Foundation::{
    CloseHandle, GENERIC_READ, GENERIC_WRITE, HANDLE, INVALID_HANDLE_VALUE, LocalFree,
};
use windows_sys::Win32::Security::Authorization::{
    ConvertSidToStringSidW, ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1,
};
use windows_sys::Win32::Security::{
    GetTokenInformation, SECURITY_ATTRIBUTES, TOKEN_QUERY, TOKEN_USER, TokenUser,
};
use windows_sys::Win32::Storage::FileSystem::{
    CREATE_NEW, CreateFileW, FILE_ATTRIBUTE_NORMAL, FILE_SHARE_DELETE, FILE_SHARE_READ,
    FILE_SHARE_WRITE, GetVolumeInformationByHandleW,
};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};

/// The flag of a file system that keeps access lists.
const FILE_PERSISTENT_ACLS: u32 = 8;

/// The largest `TOKEN_USER`: the structure and a security identifier of 68 bytes.
const TOKEN_USER_WORDS: usize = 16;

/// Creates `path`, which must not exist, for this user alone: nothing is inherited from the folder.
///
/// # Errors
/// Where there is such a file, or the folder cannot be written to.
pub(super) fn create(path: &Path) -> io::Result<File> {
    // Protected from what the folder hands down; all rights for one.
    let list = wide(&format!("D:P(A;;FA;;;{})", user()?));
    let mut descriptor = null_mut();
    // SAFETY: the text ends in a zero, and `descriptor` outlives the call.
    let understood = unsafe {
        ConvertStringSecurityDescriptorToSecurityDescriptorW(
            list.as_ptr(),
            SDDL_REVISION_1,
            &raw mut descriptor,
            null_mut(),
        )
    };
    if understood == 0 {
        return Err(io::Error::last_os_error());
    }
    let descriptor = Local(descriptor);
    let attributes = SECURITY_ATTRIBUTES {
        nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
        lpSecurityDescriptor: descriptor.0,
        bInheritHandle: 0,
    };
    let path: Vec<u16> = path.as_os_str().encode_wide().chain([0]).collect();
    // SAFETY: the path ends in a zero; attributes and descriptor outlive the call.
    let handle = unsafe {
        CreateFileW(
            path.as_ptr(),
            GENERIC_READ | GENERIC_WRITE,
            // As the standard library shares its files: it is renamed while it is open.
            FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
            &raw const attributes,
            CREATE_NEW,
            FILE_ATTRIBUTE_NORMAL,
            null_mut(),
        )
    };
    if handle == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the handle is that of a file, is ours, and is handed on.
    Ok(unsafe { File::from_raw_handle(handle) })
}

/// True where the file system of a file keeps access lists, as FAT does not.
///
/// # Errors
/// Where the system does not tell.
pub(super) fn keeps_access_lists(file: &File) -> io::Result<bool> {
    let mut flags = 0;
    // SAFETY: the handle is that of an open file, `flags` outlives the call, and nothing else is asked for.
    let told = unsafe {
        GetVolumeInformationByHandleW(
            file.as_raw_handle(),
            null_mut(),
            0,
            null_mut(),
            null_mut(),
            &raw mut flags,
            null_mut(),
            0,
        )
    };
    if told == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(flags & FILE_PERSISTENT_ACLS != 0)
}

/// The security identifier of this process' user.
///
/// # Errors
/// Where the system does not tell.
pub(super) fn user() -> io::Result<String> {
    let mut token = null_mut();
    // SAFETY: the handle of one's own process need not be closed; `token` outlives the call.
    if unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &raw mut token) } == 0 {
        return Err(io::Error::last_os_error());
    }
    let token = Owned(token);
    // Aligned for the pointer in it.
    let mut about = [0_u64; TOKEN_USER_WORDS];
    let mut length = 0;
    // SAFETY: the memory is as long as told.
    let told = unsafe {
        GetTokenInformation(
            token.0,
            TokenUser,
            about.as_mut_ptr().cast(),
            size_of_val(&about) as u32,
            &raw mut length,
        )
    };
    if told == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: this is what such a question is answered with.
    let sid = unsafe { (*about.as_ptr().cast::<TOKEN_USER>()).User.Sid };
    let mut text = null_mut();
    // SAFETY: the identifier lies in `about`.
    if unsafe { ConvertSidToStringSidW(sid, &raw mut text) } == 0 {
        return Err(io::Error::last_os_error());
    }
    let text = Local(text.cast());
    // SAFETY: a text that ends in a zero, until it is freed.
    Ok(unsafe { read_wide(text.0.cast()) })
}

/// # Safety
/// `text` ends in a zero.
unsafe fn read_wide(text: *const u16) -> String {
    // SAFETY: up to the zero all of it is the text's.
    let length = (0..)
        .take_while(|at| unsafe { *text.add(*at) } != 0)
        .count();
    // SAFETY: as above.
    String::from_utf16_lossy(unsafe { std::slice::from_raw_parts(text, length) })
}

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

/// A handle that is closed when it is dropped.
struct Owned(HANDLE);

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: the handle is ours, and is closed once.
        unsafe { CloseHandle(self.0) };
    }
}

/// Memory that Windows gave and wants back.
struct Local(*mut core::ffi::c_void);

impl Drop for Local {
    fn drop(&mut self) {
        // SAFETY: given by a call whose result is to be freed so, and freed once.
        unsafe { LocalFree(self.0) };
    }
}

/// The access list of a file, as text.
#[cfg(test)]
pub(super) fn access(path: &Path) -> io::Result<String> {
    use windows_sys::Win32::Security::Authorization::{
        ConvertSecurityDescriptorToStringSecurityDescriptorW, GetNamedSecurityInfoW, SE_FILE_OBJECT,
    };
    use windows_sys::Win32::Security::DACL_SECURITY_INFORMATION;
    let path: Vec<u16> = path.as_os_str().encode_wide().chain([0]).collect();
    let mut descriptor = null_mut();
    // SAFETY: the path ends in a zero; only the descriptor is asked for.
    let code = unsafe {
        GetNamedSecurityInfoW(
            path.as_ptr(),
            SE_FILE_OBJECT,
            DACL_SECURITY_INFORMATION,
            null_mut(),
            null_mut(),
            null_mut(),
            null_mut(),
            &raw mut descriptor,
        )
    };
    if code != 0 {
        return Err(io::Error::from_raw_os_error(code.cast_signed()));
    }
    let descriptor = Local(descriptor);
    let mut text = null_mut();
    // SAFETY: the descriptor is sound.
    let told = unsafe {
        ConvertSecurityDescriptorToStringSecurityDescriptorW(
            descriptor.0,
            SDDL_REVISION_1,
            DACL_SECURITY_INFORMATION,
            &raw mut text,
            null_mut(),
        )
    };
    if told == 0 {
        return Err(io::Error::last_os_error());
    }
    let text = Local(text.cast());
    // SAFETY: a text that ends in a zero, until it is freed.
    Ok(unsafe { read_wide(text.0.cast()) })
}
