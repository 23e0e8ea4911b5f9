//! What the calls of Windows have in common: texts, memory, codes, libraries, the identity of this process.

#![allow(
    unsafe_code,
    reason = "the interfaces of Windows are those of C; each block says why it is sound"
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
use windows_sys::Win32::System::SystemInformation::GetSystemDirectoryW;
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};
use windows_sys::Win32::System::Time::{
    GetTimeZoneInformation, TIME_ZONE_ID_INVALID, TIME_ZONE_INFORMATION,
};

/// A text of Windows is not read beyond this many characters.
pub(crate) const TEXT_LIMIT: usize = 32 * 1024;
/// A security identifier has 68 bytes at most; aligned like its numbers.
const SID_WORDS: usize = 32;
/// The largest `TOKEN_USER`: the structure and such an identifier.
const TOKEN_USER_WORDS: usize = 16;

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

/// The folder of Windows' own programs, such as `C:\Windows\System32`; `None` if the system can't tell.
pub(crate) fn system_folder() -> Option<PathBuf> {
    let mut path = [0_u16; 512];
    // SAFETY: the buffer is as long as told.
    let length = unsafe { GetSystemDirectoryW(path.as_mut_ptr(), path.len() as u32) };
    let path = path.get(..usize::try_from(length).ok()?)?;
    (!path.is_empty()).then(|| OsString::from_wide(path).into())
}

/// A text in the registry of the machine, of at most 127 characters; `None` if there is none.
pub(crate) fn machine_setting(key: &str, name: &str) -> Option<String> {
    let (key, name) = (wide(key), wide(name));
    let mut text = [0_u16; 128];
    let mut bytes = size_of_val(&text) as u32;
    // SAFETY: both names end in a zero, and the buffer is as long as told.
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

/// The time zone of the machine, and whether it is summer there (`TIME_ZONE_ID_DAYLIGHT`); `None` if the system can't tell.
pub(crate) fn time_zone() -> Option<(TIME_ZONE_INFORMATION, u32)> {
    let mut zone = TIME_ZONE_INFORMATION::default();
    // SAFETY: `zone` outlives the call.
    let season = unsafe { GetTimeZoneInformation(&raw mut zone) };
    (season != TIME_ZONE_ID_INVALID).then_some((zone, season))
}

/// From now on libraries come from the folder of the system only, whoever loads them in this process. Call it before anything
/// else: the program's own folder, where Windows would look first, may be one for downloads.
pub fn load_libraries_from_system_only() {
    // SAFETY: takes a number. It can't fail since Windows 8.
    unsafe { SetDefaultDllDirectories(LOAD_LIBRARY_SEARCH_SYSTEM32) };
}

/// A function, whatever it takes and returns.
pub(crate) type AnyFunction = unsafe extern "system" fn() -> isize;

/// A library in the folder of the system, loaded when it is first needed.
///
/// Windows looks for the libraries that a program is linked with in the program's folder first, which may be a folder of
/// downloads. Only some libraries are exempt; the others are loaded like this.
pub(crate) struct SystemLibrary {
    name: &'static str,
    /// A handle as a number, which all threads may use: the library is never unloaded.
    handle: OnceLock<usize>,
}

impl SystemLibrary {
    pub(crate) const fn new(name: &'static str) -> Self {
        Self {
            name,
            handle: OnceLock::new(),
        }
    }

    /// The function of this name; `None` where this Windows doesn't have it.
    pub(crate) fn function(&self, name: &CStr) -> Option<AnyFunction> {
        let handle = self.handle.get_or_init(|| {
            let library = wide(self.name);
            // SAFETY: the name ends in a zero, and the library is Windows' own.
            let library = unsafe {
                LoadLibraryExW(library.as_ptr(), null_mut(), LOAD_LIBRARY_SEARCH_SYSTEM32)
            };
            library.expose_provenance()
        });
        let library: HMODULE = std::ptr::with_exposed_provenance_mut(*handle);
        if library.is_null() {
            return None;
        }
        // SAFETY: the library is loaded, and the name ends in a zero.
        unsafe { GetProcAddress(library, name.as_ptr().cast()) }
    }
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
/// The Windows error code.
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
/// The Windows error code.
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

/// The security identifier of this process' user.
///
/// # Errors
/// If the system can't tell.
pub(crate) fn user_sid() -> Result<String, u32> {
    let token = process_token()?;
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
        return Err(last_error());
    }
    // SAFETY: this is what such a question is answered with.
    let sid = unsafe { (*about.as_ptr().cast::<TOKEN_USER>()).User.Sid };
    // SAFETY: the identifier lies in `about`.
    unsafe { sid_text(sid) }
}

/// The security identifier of a user or a group.
///
/// # Errors
/// The Windows error code.
pub(crate) fn account_sid(user: &str) -> Result<String, u32> {
    let mut sid = [0_u32; SID_WORDS];
    let mut sid_bytes = size_of_val(&sid) as u32;
    let mut domain = [0_u16; 512];
    let mut domain_length = domain.len() as u32;
    let mut kind = 0;
    let user = wide(user);
    // SAFETY: `user` ends in a zero; both buffers are as long as told.
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
    // A name alone may be that of the machine or of a domain, which nobody signs in as.
    if kind == SidTypeDomain || kind == SidTypeComputer {
        return Err(ERROR_NONE_MAPPED);
    }
    // SAFETY: the call before has filled in the identifier.
    unsafe { sid_text(sid.as_mut_ptr().cast()) }
}

/// True where the current user counts as a member of this group.
pub(crate) fn is_member(sid: &str) -> bool {
    let Some(group) = Sid::parse(sid) else {
        return false;
    };
    let mut member = 0;
    // SAFETY: without a token it is that of this thread; the identifier is sound, and `member` outlives the call.
    let told = unsafe { CheckTokenMembership(null_mut(), group.pointer(), &raw mut member) };
    told != 0 && member != 0
}

/// A security identifier.
pub(crate) struct Sid(Local);

impl Sid {
    /// Parses one that is written whole, or by the short name that descriptors have for it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = wide(text);
        let mut sid: PSID = null_mut();
        // SAFETY: `text` ends in a zero, and `sid` outlives the call.
        let known = unsafe { ConvertStringSidToSidW(text.as_ptr(), &raw mut sid) };
        // SAFETY: given by a call whose result is to be freed so.
        (known != 0).then(|| Self(unsafe { Local::new(sid) }))
    }

    /// Valid as long as `self`.
    pub(crate) fn pointer(&self) -> PSID {
        self.0.pointer()
    }
}
