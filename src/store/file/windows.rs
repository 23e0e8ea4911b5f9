//! A file that only its user can read, on Windows: its access list is there before its first byte.

#![allow(
    unsafe_code,
    reason = "the standard library creates no file with an access list; each block says why it is sound"
)]

use std::fs::File;
use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle};
use std::path::Path;
use std::ptr::null_mut;

use windows_sys::Win32::Foundation::{GENERIC_READ, GENERIC_WRITE, INVALID_HANDLE_VALUE};
use windows_sys::Win32::Security::Authorization::{
    ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1,
};
use windows_sys::Win32::Security::{
    GetTokenInformation, SECURITY_ATTRIBUTES, TOKEN_USER, TokenUser,
};
use windows_sys::Win32::Storage::FileSystem::{
    CREATE_NEW, CreateFileW, FILE_ATTRIBUTE_NORMAL, FILE_SHARE_DELETE, FILE_SHARE_READ,
    FILE_SHARE_WRITE, GetVolumeInformationByHandleW,
};

use crate::windows::{Local, process_token, sid_text, wide};

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
    let list = wide(format!("D:P(A;;FA;;;{})", user()?));
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
    // SAFETY: given by a call whose result is to be freed so.
    let descriptor = unsafe { Local::new(descriptor) };
    let attributes = SECURITY_ATTRIBUTES {
        nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
        lpSecurityDescriptor: descriptor.pointer(),
        bInheritHandle: 0,
    };
    let path = wide(path);
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

/// True if the file system of a file keeps access lists, as FAT does not.
///
/// # Errors
/// Where the system does not tell.
pub(super) fn keeps_access_lists(file: &File) -> io::Result<bool> {
    let mut flags = 0;
    // SAFETY: the handle is that of an open file, `flags` outlives the call, and nothing else is requested.
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
    let failed = |code: u32| io::Error::from_raw_os_error(code.cast_signed());
    let token = process_token().map_err(failed)?;
    // Aligned for the pointer in it.
    let mut about = [0_u64; TOKEN_USER_WORDS];
    let mut length = 0;
    // SAFETY: the memory is as long as told.
    let told = unsafe {
        GetTokenInformation(
            token.as_raw_handle(),
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
    // SAFETY: the identifier lies in `about`.
    unsafe { sid_text(sid) }.map_err(failed)
}

/// The access list of a file, as text.
#[cfg(test)]
pub(super) fn access(path: &Path) -> io::Result<String> {
    use windows_sys::Win32::Security::Authorization::{
        ConvertSecurityDescriptorToStringSecurityDescriptorW, GetNamedSecurityInfoW, SE_FILE_OBJECT,
    };
    use windows_sys::Win32::Security::DACL_SECURITY_INFORMATION;
    let path = wide(path);
    let mut descriptor = null_mut();
    // SAFETY: the path ends in a zero; only the descriptor is requested.
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
    // SAFETY: given by a call whose result is to be freed so.
    let descriptor = unsafe { Local::new(descriptor) };
    let mut text = null_mut();
    // SAFETY: the descriptor is sound.
    let told = unsafe {
        ConvertSecurityDescriptorToStringSecurityDescriptorW(
            descriptor.pointer(),
            SDDL_REVISION_1,
            DACL_SECURITY_INFORMATION,
            &raw mut text,
            null_mut(),
        )
    };
    if told == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: given by a call whose result is to be freed so.
    let text = unsafe { Local::new(text.cast()) };
    // SAFETY: a text that ends in a zero, until it is freed.
    Ok(unsafe { crate::windows::read_wide(text.pointer().cast()) })
}
