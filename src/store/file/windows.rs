//! Access lists of files and folders, on Windows: they are there before the first byte.

#![allow(
    unsafe_code,
    reason = "the standard library knows no access lists; each block says why it is sound"
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

/// The flag of a file system that keeps access lists.
const FILE_PERSISTENT_ACLS: u32 = 8;
/// Entries that allow something: plain ones, and those with a condition.
const ALLOWS: [u8; 2] = [0, 9];
/// Entries that deny something.
const DENIES: [u8; 4] = [1, 6, 10, 12];

fn failed(code: u32) -> io::Error {
    io::Error::from_raw_os_error(code.cast_signed())
}

/// A descriptor of who may do what, read from its text.
struct Descriptor(Local);

impl Descriptor {
    fn parse(text: &str) -> io::Result<Self> {
        let text = wide(text);
        let mut descriptor = null_mut();
        // SAFETY: the text ends in a zero, and `descriptor` outlives the call.
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
        // SAFETY: given by a call whose result is to be freed so.
        Ok(Self(unsafe { Local::new(descriptor) }))
    }

    /// For the creation of something that no other process inherits. Valid as long as `self`.
    fn attributes(&self) -> SECURITY_ATTRIBUTES {
        SECURITY_ATTRIBUTES {
            nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
            lpSecurityDescriptor: self.0.pointer(),
            bInheritHandle: 0,
        }
    }
}

/// The descriptor, as text, of a file for this user alone: nothing is inherited from the folder.
///
/// # Errors
/// If the system can't tell who that is.
pub(in crate::store) fn user_alone() -> io::Result<String> {
    let user = user_sid().map_err(failed)?;
    Ok(format!("O:{user}D:P(A;;FA;;;{user})"))
}

/// Creates `path`, which must not exist, with this descriptor.
///
/// # Errors
/// If there is such a file, or the folder can't be written to.
pub(in crate::store) fn create(path: &Path, descriptor: &str) -> io::Result<File> {
    let descriptor = Descriptor::parse(descriptor)?;
    let attributes = descriptor.attributes();
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

/// Creates a folder, which must not exist, with this descriptor.
///
/// # Errors
/// If something is there, or the folder above can't be written to.
pub(in crate::store) fn create_folder(path: &Path, descriptor: &str) -> io::Result<()> {
    let descriptor = Descriptor::parse(descriptor)?;
    let attributes = descriptor.attributes();
    let path = wide(path);
    // SAFETY: the path ends in a zero; attributes and descriptor outlive the call.
    if unsafe { CreateDirectoryW(path.as_ptr(), &raw const attributes) } == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Who owns a file or folder, and what others may do with it. A link is not followed.
///
/// # Errors
/// If the system can't tell.
pub(in crate::store) fn access(path: &Path) -> io::Result<Access> {
    let mut options = OpenOptions::new();
    let flags = FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT;
    options.access_mode(READ_CONTROL).custom_flags(flags);
    access_of(&options.open(path)?)
}

/// The same of an open file.
///
/// # Errors
/// If the system can't tell.
pub(in crate::store) fn access_of(file: &File) -> io::Result<Access> {
    let (mut owner, mut list, mut descriptor): (PSID, *mut ACL, _) =
        (null_mut(), null_mut(), null_mut());
    // SAFETY: the handle is that of an open file; what is asked for outlives the call.
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
    // SAFETY: given by a call whose result is to be freed so. Owner and list lie in it.
    let _descriptor = unsafe { Local::new(descriptor) };
    // SAFETY: filled in by the call, until the descriptor is freed.
    let owner = unsafe { sid_text(owner) }.map_err(failed)?;
    let entries = if list.is_null() {
        None
    } else {
        // SAFETY: as above.
        Some(unsafe { entries(list) }?)
    };
    Ok(Access { owner, entries })
}

/// The entries of a list that allow something.
///
/// # Safety
/// `list` leads to one.
unsafe fn entries(list: *const ACL) -> io::Result<Vec<Entry>> {
    // SAFETY: as promised by the caller.
    let count = u32::from(unsafe { (*list).AceCount });
    let mut entries = Vec::new();
    for index in 0..count {
        let mut entry = null_mut();
        // SAFETY: the index is within the list; `entry` outlives the call.
        if unsafe { GetAce(list, index, &raw mut entry) } == 0 {
            return Err(io::Error::last_os_error());
        }
        let entry = entry.cast::<ACCESS_ALLOWED_ACE>();
        // SAFETY: every entry begins with a header.
        let header = unsafe { (*entry).Header };
        if u32::from(header.AceFlags) & INHERIT_ONLY_ACE != 0 || DENIES.contains(&header.AceType) {
            continue;
        }
        entries.push(if ALLOWS.contains(&header.AceType) {
            // SAFETY: entries of these types have the rights and the account behind the header.
            let (rights, account) = unsafe { ((*entry).Mask, &raw mut (*entry).SidStart) };
            Entry {
                // SAFETY: as above.
                account: unsafe { sid_text(account.cast()) }.map_err(failed)?,
                rights,
            }
        } else {
            // Not for files, and not to be understood: taken for the worst.
            Entry {
                account: "an unknown account".to_owned(),
                rights: u32::MAX,
            }
        });
    }
    Ok(entries)
}

/// Replaces the access list of a file or folder. A folder's inheritable entries go to what is in it.
///
/// # Errors
/// If this user isn't allowed to do that.
pub(in crate::store) fn set_access(path: &Path, descriptor: &str) -> io::Result<()> {
    let descriptor = Descriptor::parse(descriptor)?;
    let (mut present, mut defaulted, mut list) = (0, 0, null_mut());
    // SAFETY: the descriptor is sound, and the rest outlives the call.
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
    // SAFETY: the path ends in a zero; the list lies in the descriptor, which outlives the call.
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

/// Puts `from` in the place of `to`, and comes back when that is on disk.
///
/// # Errors
/// If the system refuses, for example while another program has `to` open.
pub(in crate::store) fn replace(from: &Path, to: &Path) -> io::Result<()> {
    let (from, to) = (wide(from), wide(to));
    let flags = MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH;
    // SAFETY: both paths end in a zero.
    if unsafe { MoveFileExW(from.as_ptr(), to.as_ptr(), flags) } == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// True where the file system of a file keeps access lists, as FAT does not.
///
/// # Errors
/// If the system can't tell.
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
