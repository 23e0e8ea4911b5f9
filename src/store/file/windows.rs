//! Access lists of files and folders on Windows. They are set before the first byte is written.

#![allow(
    unsafe_code,
    reason = "the standard library has no API for access lists; each block explains why it is sound"
)]

use std::fs::{File, OpenOptions};
use std::io;
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::{AsRawHandle, FromRawHandle};
use std::path::Path;
use std::ptr::null_mut;

use windows_sys::Win32::Foundation::{GENERIC_READ, GENERIC_WRITE, INVALID_HANDLE_VALUE};
use windows_sys::Win32::Security::Authorization::{
    ConvertStringSecurityDescriptorToSecurityDescriptorW, GetSecurityInfo, SDDL_REVISION_1,
    SE_FILE_OBJECT, SetNamedSecurityInfoW,
};
use windows_sys::Win32::Security::{
    ACCESS_ALLOWED_ACE, ACL, DACL_SECURITY_INFORMATION, GetAce, GetSecurityDescriptorDacl,
    INHERIT_ONLY_ACE, OWNER_SECURITY_INFORMATION, PROTECTED_DACL_SECURITY_INFORMATION, PSID,
    SECURITY_ATTRIBUTES,
};
use windows_sys::Win32::Storage::FileSystem::{
    CREATE_NEW, CreateDirectoryW, CreateFileW, FILE_ATTRIBUTE_NORMAL, FILE_FLAG_BACKUP_SEMANTICS,
    FILE_FLAG_OPEN_REPARSE_POINT, FILE_SHARE_DELETE, FILE_SHARE_READ, FILE_SHARE_WRITE,
    GetVolumeInformationByHandleW, MOVEFILE_REPLACE_EXISTING, MOVEFILE_WRITE_THROUGH, MoveFileExW,
    READ_CONTROL,
};

use crate::store::access::{Access, Entry};
use crate::windows::{Local, checked, sid_text, user_sid, wide};

/// The flag of a file system that stores access lists.
const FILE_PERSISTENT_ACLS: u32 = 8;
/// The types of entries that allow something: without and with a condition.
const ALLOWS: [u8; 2] = [0, 9];
/// The types of entries that deny something.
const DENIES: [u8; 4] = [1, 6, 10, 12];

fn failed(code: u32) -> io::Error {
    io::Error::from_raw_os_error(code.cast_signed())
}

/// A security descriptor, parsed from its text form.
struct Descriptor(Local);

impl Descriptor {
    fn parse(text: &str) -> io::Result<Self> {
        let text = wide(text);
        let mut descriptor = null_mut();
        // SAFETY: the text ends with a zero, and `descriptor` outlives the call.
        let understood = unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                text.as_ptr(),
                SDDL_REVISION_1,
                &raw mut descriptor,
                null_mut(),
            )
        };
        if understood == 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call returned a pointer that must be freed with `LocalFree`.
        Ok(Self(unsafe { Local::new(descriptor) }))
    }

    /// Returns the attributes for a new object that child processes don't inherit. Valid as long as `self`.
    fn attributes(&self) -> SECURITY_ATTRIBUTES {
        SECURITY_ATTRIBUTES {
            nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
            lpSecurityDescriptor: self.0.pointer(),
            bInheritHandle: 0,
        }
    }
}

/// Returns the descriptor, in text form, of a file that only this user can access. It inherits nothing from the folder.
///
/// # Errors
/// Returns an error if the system can't tell who the user is.
pub(in crate::store) fn user_alone() -> io::Result<String> {
    let user = user_sid().map_err(failed)?;
    Ok(format!("O:{user}D:P(A;;FA;;;{user})"))
}

/// Creates `path`, which must not exist, with this descriptor.
///
/// # Errors
/// Returns an error if the file exists, or if the folder can't be written to.
pub(in crate::store) fn create(path: &Path, descriptor: &str) -> io::Result<File> {
    let descriptor = Descriptor::parse(descriptor)?;
    let attributes = descriptor.attributes();
    let path = wide(path);
    // SAFETY: the path ends with a zero, and the attributes and the descriptor outlive the call.
    let handle = unsafe {
        CreateFileW(
            path.as_ptr(),
            GENERIC_READ | GENERIC_WRITE,
            // The sharing mode of the standard library, because the file is renamed while it is open.
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
    // SAFETY: the handle is that of a file, and nothing else owns it.
    Ok(unsafe { File::from_raw_handle(handle) })
}

/// Creates a folder, which must not exist, with this descriptor.
///
/// # Errors
/// Returns an error if the path exists, or if the parent folder can't be written to.
pub(in crate::store) fn create_folder(path: &Path, descriptor: &str) -> io::Result<()> {
    let descriptor = Descriptor::parse(descriptor)?;
    let attributes = descriptor.attributes();
    let path = wide(path);
    // SAFETY: the path ends with a zero, and the attributes and the descriptor outlive the call.
    if unsafe { CreateDirectoryW(path.as_ptr(), &raw const attributes) } == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Returns the owner and the access list of a file or folder. Links are not followed.
///
/// # Errors
/// Returns an error if the system can't tell.
pub(in crate::store) fn access(path: &Path) -> io::Result<Access> {
    let mut options = OpenOptions::new();
    let flags = FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT;
    options.access_mode(READ_CONTROL).custom_flags(flags);
    access_of(&options.open(path)?)
}

/// Returns the owner and the access list of an open file.
///
/// # Errors
/// Returns an error if the system can't tell.
pub(in crate::store) fn access_of(file: &File) -> io::Result<Access> {
    let (mut owner, mut list, mut descriptor): (PSID, *mut ACL, _) =
        (null_mut(), null_mut(), null_mut());
    // SAFETY: the handle is that of an open file, and all output variables outlive the call.
    let code = unsafe {
        GetSecurityInfo(
            file.as_raw_handle(),
            SE_FILE_OBJECT,
            OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
            &raw mut owner,
            null_mut(),
            &raw mut list,
            null_mut(),
            &raw mut descriptor,
        )
    };
    checked(code).map_err(failed)?;
    // SAFETY: the call returned a pointer that must be freed with `LocalFree`. It contains the owner and the list.
    let _descriptor = unsafe { Local::new(descriptor) };
    // SAFETY: the call has set `owner`, which is valid until the descriptor is freed.
    let owner = unsafe { sid_text(owner) }.map_err(failed)?;
    let entries = if list.is_null() {
        None
    } else {
        // SAFETY: the call has set `list` too.
        Some(unsafe { entries(list) }?)
    };
    Ok(Access { owner, entries })
}

/// Returns the entries of a list that allow something.
///
/// # Safety
/// `list` must point to a valid access list.
unsafe fn entries(list: *const ACL) -> io::Result<Vec<Entry>> {
    // SAFETY: the caller guarantees that `list` is valid.
    let count = u32::from(unsafe { (*list).AceCount });
    let mut entries = Vec::new();
    for index in 0..count {
        let mut entry = null_mut();
        // SAFETY: the index is within the list, and `entry` outlives the call.
        if unsafe { GetAce(list, index, &raw mut entry) } == 0 {
            return Err(io::Error::last_os_error());
        }
        let entry = entry.cast::<ACCESS_ALLOWED_ACE>();
        // SAFETY: every entry starts with a header.
        let header = unsafe { (*entry).Header };
        if u32::from(header.AceFlags) & INHERIT_ONLY_ACE != 0 || DENIES.contains(&header.AceType) {
            continue;
        }
        entries.push(if ALLOWS.contains(&header.AceType) {
            // SAFETY: in entries of these types, the rights and the account follow the header.
            let (rights, account) = unsafe { ((*entry).Mask, &raw mut (*entry).SidStart) };
            Entry {
                // SAFETY: the SID of the account is part of the entry.
                account: unsafe { sid_text(account.cast()) }.map_err(failed)?,
                rights,
            }
        } else {
            // Files don't have entries of other types. Their meaning is unknown, so assume the worst.
            Entry {
                account: "an unknown account".to_owned(),
                rights: u32::MAX,
            }
        });
    }
    Ok(entries)
}

/// Replaces the access list of a file or folder. Objects in a folder receive its inheritable entries.
///
/// # Errors
/// Returns an error if this user isn't allowed to change the access list.
pub(in crate::store) fn set_access(path: &Path, descriptor: &str) -> io::Result<()> {
    let descriptor = Descriptor::parse(descriptor)?;
    let (mut present, mut defaulted, mut list) = (0, 0, null_mut());
    // SAFETY: the descriptor is valid, and all output variables outlive the call.
    let told = unsafe {
        GetSecurityDescriptorDacl(
            descriptor.0.pointer(),
            &raw mut present,
            &raw mut list,
            &raw mut defaulted,
        )
    };
    if told == 0 || present == 0 {
        return Err(io::Error::other("the descriptor has no access list"));
    }
    let path = wide(path);
    // SAFETY: the path ends with a zero. The list is part of the descriptor, which outlives the call.
    let code = unsafe {
        SetNamedSecurityInfoW(
            path.as_ptr(),
            SE_FILE_OBJECT,
            DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION,
            null_mut(),
            null_mut(),
            list,
            null_mut(),
        )
    };
    checked(code).map_err(failed)
}

/// Replaces `to` with `from`, and returns when the change is on disk.
///
/// # Errors
/// Returns an error if the system doesn't allow it, for example while another program has `to` open.
pub(in crate::store) fn replace(from: &Path, to: &Path) -> io::Result<()> {
    let (from, to) = (wide(from), wide(to));
    let flags = MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH;
    // SAFETY: both paths end with a zero.
    if unsafe { MoveFileExW(from.as_ptr(), to.as_ptr(), flags) } == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Returns whether the file system of a file stores access lists. FAT does not.
///
/// # Errors
/// Returns an error if the system can't tell.
pub(in crate::store) fn keeps_access_lists(file: &File) -> io::Result<bool> {
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
