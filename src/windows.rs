//! Helpers for Windows calls: strings, memory, error codes, libraries and security identifiers.

#![allow(
    unsafe_code,
    reason = "Windows APIs are C interfaces; each block explains why it is sound"
)]

use std::ffi::{CStr, OsStr, OsString, c_void};
use std::os::windows::ffi::{OsStrExt, OsStringExt};
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::path::PathBuf;
use std::ptr::{null, null_mut};
use std::sync::OnceLock;

use windows_sys::Win32::Foundation::{
    ERROR_NONE_MAPPED, GetLastError, HMODULE, LocalFree, NO_ERROR,
};
use windows_sys::Win32::Security::Authorization::{ConvertSidToStringSidW, ConvertStringSidToSidW};
use windows_sys::Win32::Security::{
    CheckTokenMembership, GetTokenInformation, LookupAccountNameW, PSID, SidTypeComputer,
    SidTypeDomain, TOKEN_QUERY, TOKEN_USER, TokenUser,
};
use windows_sys::Win32::System::LibraryLoader::{
    GetProcAddress, LOAD_LIBRARY_SEARCH_SYSTEM32, LoadLibraryExW, SetDefaultDllDirectories,
};
use windows_sys::Win32::System::Registry::{HKEY_LOCAL_MACHINE, RRF_RT_REG_SZ, RegGetValueW};
use windows_sys::Win32::System::StationsAndDesktops::{
    GetProcessWindowStation, GetUserObjectInformationW, UOI_FLAGS, USEROBJECTFLAGS,
};
use windows_sys::Win32::System::SystemInformation::GetSystemDirectoryW;
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};
use windows_sys::Win32::System::Time::{
    GetTimeZoneInformation, TIME_ZONE_ID_INVALID, TIME_ZONE_INFORMATION,
};
use windows_sys::Win32::UI::WindowsAndMessaging::WSF_VISIBLE;

/// Maximum length of a Windows string that is read, in UTF-16 units.
pub(crate) const TEXT_LIMIT: usize = 32 * 1024;
/// The size of a buffer for a security identifier, which has at most 68 bytes and the alignment of its numbers.
const SID_WORDS: usize = 32;
/// The size of a buffer for the largest `TOKEN_USER`: the structure and a security identifier.
const TOKEN_USER_WORDS: usize = 16;

/// Converts a string or a path to the form of Windows, with a zero at the end.
pub(crate) fn wide(text: impl AsRef<OsStr>) -> Vec<u16> {
    text.as_ref().encode_wide().chain([0]).collect()
}

/// Returns the string in a buffer, up to the first zero.
pub(crate) fn up_to_zero(text: &[u16]) -> String {
    let end = text.iter().position(|unit| *unit == 0);
    String::from_utf16_lossy(&text[..end.unwrap_or(text.len())])
}

/// Reads the string that a pointer points to.
///
/// # Safety
/// `text` is null or points to a string that ends with a zero.
pub(crate) unsafe fn read_wide(text: *const u16) -> String {
    if text.is_null() {
        return String::new();
    }
    let length = (0..TEXT_LIMIT)
        // SAFETY: everything up to the zero belongs to the string.
        .find(|at| unsafe { *text.add(*at) } == 0)
        .unwrap_or(TEXT_LIMIT);
    // SAFETY: as above.
    String::from_utf16_lossy(unsafe { std::slice::from_raw_parts(text, length) })
}

/// Returns the error code of the previous call.
pub(crate) fn last_error() -> u32 {
    // SAFETY: the function has no parameters.
    unsafe { GetLastError() }
}

/// Returns `Ok` for `NO_ERROR`, otherwise the code as an error.
pub(crate) fn checked(code: u32) -> Result<(), u32> {
    if code == NO_ERROR { Ok(()) } else { Err(code) }
}

/// Returns the folder of the programs of Windows, such as `C:\Windows\System32`; `None` if the system can't tell.
pub(crate) fn system_folder() -> Option<PathBuf> {
    let mut path = [0_u16; 512];
    // SAFETY: the length of the buffer is passed.
    let length = unsafe { GetSystemDirectoryW(path.as_mut_ptr(), path.len() as u32) };
    let path = path.get(..usize::try_from(length).ok()?)?;
    (!path.is_empty()).then(|| OsString::from_wide(path).into())
}

/// Reads a string of at most 127 characters from the machine's registry; `None` if it doesn't exist.
pub(crate) fn machine_setting(key: &str, name: &str) -> Option<String> {
    let (key, name) = (wide(key), wide(name));
    let mut text = [0_u16; 128];
    let mut bytes = size_of_val(&text) as u32;
    // SAFETY: both names end with a zero, and the size of the buffer is passed.
    let code = unsafe {
        RegGetValueW(
            HKEY_LOCAL_MACHINE,
            key.as_ptr(),
            name.as_ptr(),
            RRF_RT_REG_SZ,
            null_mut(),
            text.as_mut_ptr().cast(),
            &raw mut bytes,
        )
    };
    (code == NO_ERROR).then(|| up_to_zero(&text))
}

/// Returns the time zone of the machine, and whether daylight saving time is in effect (`TIME_ZONE_ID_DAYLIGHT`);
/// `None` if the system can't tell.
pub(crate) fn time_zone() -> Option<(TIME_ZONE_INFORMATION, u32)> {
    let mut zone = TIME_ZONE_INFORMATION::default();
    // SAFETY: `zone` outlives the call.
    let season = unsafe { GetTimeZoneInformation(&raw mut zone) };
    (season != TIME_ZONE_ID_INVALID).then_some((zone, season))
}

/// Returns whether this process belongs to a visible desktop, unlike services and remote shells.
pub(crate) fn desktop_is_visible() -> bool {
    let mut flags = USEROBJECTFLAGS::default();
    let mut length = 0;
    // SAFETY: the window station's handle need not be closed; `flags` is what this query returns, and its size is
    // passed.
    let told = unsafe {
        GetUserObjectInformationW(
            GetProcessWindowStation(),
            UOI_FLAGS,
            (&raw mut flags).cast(),
            size_of::<USEROBJECTFLAGS>() as u32,
            &raw mut length,
        )
    };
    told != 0 && flags.dwFlags & WSF_VISIBLE.cast_unsigned() != 0
}

/// Restricts the libraries that this process loads to those in the system folder. Must be called first: by default,
/// Windows looks in the program's folder, which may be a download folder.
pub fn load_libraries_from_system_only() {
    // SAFETY: the parameter is a number. The call can't fail since Windows 8.
    unsafe { SetDefaultDllDirectories(LOAD_LIBRARY_SEARCH_SYSTEM32) };
}

/// A function of unknown type.
pub(crate) type AnyFunction = unsafe extern "system" fn() -> isize;

/// A library in the system folder, loaded when it is first needed.
///
/// Windows looks for the libraries that a program is linked with in the program's folder first, which may be a download
/// folder. Only some libraries are exempt; the others are loaded with this type.
pub(crate) struct SystemLibrary {
    name: &'static str,
    /// The handle as a number, so that all threads can use it: the library is never unloaded.
    handle: OnceLock<usize>,
}

impl SystemLibrary {
    pub(crate) const fn new(name: &'static str) -> Self {
        Self {
            name,
            handle: OnceLock::new(),
        }
    }

    /// Returns the function of this name; `None` if this version of Windows doesn't have it.
    pub(crate) fn function(&self, name: &CStr) -> Option<AnyFunction> {
        let handle = self.handle.get_or_init(|| {
            let library = wide(self.name);
            // SAFETY: the name ends with a zero, and the library belongs to Windows.
            let library = unsafe {
                LoadLibraryExW(library.as_ptr(), null_mut(), LOAD_LIBRARY_SEARCH_SYSTEM32)
            };
            library.expose_provenance()
        });
        let library: HMODULE = std::ptr::with_exposed_provenance_mut(*handle);
        if library.is_null() {
            return None;
        }
        // SAFETY: the library is loaded, and the name ends with a zero.
        unsafe { GetProcAddress(library, name.as_ptr().cast()) }
    }
}

/// Memory allocated by Windows, to be freed with `LocalFree`.
pub(crate) struct Local(*mut c_void);

impl Local {
    /// # Safety
    /// The memory was allocated by a call whose result must be freed with `LocalFree`, and nothing else frees it.
    pub(crate) unsafe fn new(memory: *mut c_void) -> Self {
        Self(memory)
    }

    /// Returns the pointer, which is valid as long as `self`.
    pub(crate) fn pointer(&self) -> *mut c_void {
        self.0
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        // SAFETY: guaranteed by the caller of `new`; freed once.
        unsafe { LocalFree(self.0) };
    }
}

/// Opens the access token of this process for reading.
///
/// # Errors
/// Returns the Windows error code.
pub(crate) fn process_token() -> Result<OwnedHandle, u32> {
    let mut token = null_mut();
    // SAFETY: the pseudo handle of the current process need not be closed; `token` outlives the call.
    if unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &raw mut token) } == 0 {
        return Err(last_error());
    }
    // SAFETY: the handle was just opened, and this process owns it.
    Ok(unsafe { OwnedHandle::from_raw_handle(token) })
}

/// Formats a security identifier in full.
///
/// # Errors
/// Returns the Windows error code.
///
/// # Safety
/// `sid` points to a security identifier.
pub(crate) unsafe fn sid_text(sid: PSID) -> Result<String, u32> {
    let mut text = null_mut();
    // SAFETY: guaranteed by the caller.
    if unsafe { ConvertSidToStringSidW(sid, &raw mut text) } == 0 {
        return Err(last_error());
    }
    // SAFETY: allocated by a call whose result must be freed with `LocalFree`.
    let text = unsafe { Local::new(text.cast()) };
    // SAFETY: the string ends with a zero, and is valid until it is freed.
    Ok(unsafe { read_wide(text.pointer().cast()) })
}

/// Returns the security identifier of the user of this process.
///
/// # Errors
/// Returns the Windows error code.
pub(crate) fn user_sid() -> Result<String, u32> {
    let token = process_token()?;
    // Aligned for the pointer in the structure.
    let mut about = [0_u64; TOKEN_USER_WORDS];
    let mut length = 0;
    // SAFETY: the size of the buffer is passed.
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
        return Err(last_error());
    }
    // SAFETY: the response to this query is this structure.
    let sid = unsafe { (*about.as_ptr().cast::<TOKEN_USER>()).User.Sid };
    // SAFETY: the identifier is in the buffer `about`.
    unsafe { sid_text(sid) }
}

/// Returns the security identifier of a user or a group.
///
/// # Errors
/// Returns the Windows error code.
pub(crate) fn account_sid(user: &str) -> Result<String, u32> {
    let mut sid = [0_u32; SID_WORDS];
    let mut sid_bytes = size_of_val(&sid) as u32;
    let mut domain = [0_u16; 512];
    let mut domain_length = domain.len() as u32;
    let mut kind = 0;
    let user = wide(user);
    // SAFETY: `user` ends with a zero; the sizes of both buffers are passed.
    let known = unsafe {
        LookupAccountNameW(
            null(),
            user.as_ptr(),
            sid.as_mut_ptr().cast(),
            &raw mut sid_bytes,
            domain.as_mut_ptr(),
            &raw mut domain_length,
            &raw mut kind,
        )
    };
    if known == 0 {
        return Err(last_error());
    }
    // The name may be that of the machine or of a domain, which can't sign in.
    if kind == SidTypeDomain || kind == SidTypeComputer {
        return Err(ERROR_NONE_MAPPED);
    }
    // SAFETY: the previous call has filled in the identifier.
    unsafe { sid_text(sid.as_mut_ptr().cast()) }
}

/// Returns whether the current user is a member of this group.
pub(crate) fn is_member(sid: &str) -> bool {
    let Some(group) = Sid::parse(sid) else {
        return false;
    };
    let mut member = 0;
    // SAFETY: null stands for the token of this thread; the identifier is valid, and `member` outlives the call.
    let told = unsafe { CheckTokenMembership(null_mut(), group.pointer(), &raw mut member) };
    told != 0 && member != 0
}

/// A security identifier.
pub(crate) struct Sid(Local);

impl Sid {
    /// Parses a security identifier that is written in full, or by the short name used in descriptors.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = wide(text);
        let mut sid: PSID = null_mut();
        // SAFETY: `text` ends with a zero, and `sid` outlives the call.
        let known = unsafe { ConvertStringSidToSidW(text.as_ptr(), &raw mut sid) };
        // SAFETY: allocated by a call whose result must be freed with `LocalFree`.
        (known != 0).then(|| Self(unsafe { Local::new(sid) }))
    }

    /// Returns the pointer, which is valid as long as `self`.
    pub(crate) fn pointer(&self) -> PSID {
        self.0.pointer()
    }
}
