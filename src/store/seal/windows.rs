//! The calls of the Data Protection API of Windows.

#![allow(
    unsafe_code,
    reason = "Windows APIs are C interfaces; each block explains why it is sound"
)]

use std::ptr::{null, null_mut};

use windows_sys::Win32::Security::Cryptography::{
    CRYPT_INTEGER_BLOB, CRYPTPROTECT_LOCAL_MACHINE, CRYPTPROTECT_UI_FORBIDDEN, CryptProtectData,
    CryptUnprotectData,
};
use windows_sys::Win32::System::Registry::{HKEY_USERS, KEY_READ, RegCloseKey, RegOpenKeyExW};
use windows_sys::Win32::UI::Shell::GetProfileType;
use zeroize::{Zeroize, Zeroizing};

use crate::windows::{Local, last_error, user_sid, wide};

/// The error code for data that is too large for the call.
const ERROR_ARITHMETIC_OVERFLOW: u32 = 534;
const ERROR_FILE_NOT_FOUND: u32 = 2;
/// The kinds of user profiles that are deleted when the user signs out.
const PT_TEMPORARY: u32 = 1;
const PT_MANDATORY: u32 = 4;

/// The state of the user profile, which contains the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Profile {
    /// The profile is permanent, as far as Windows says.
    Lasting,
    /// The profile is deleted at sign-out.
    Temporary,
    /// The profile is not loaded in this session.
    NotLoaded,
}

/// Returns the bytes in the form that the calls require. The calls only read them.
fn blob(bytes: &[u8]) -> Result<CRYPT_INTEGER_BLOB, u32> {
    Ok(CRYPT_INTEGER_BLOB {
        cbData: u32::try_from(bytes.len()).map_err(|_| ERROR_ARITHMETIC_OVERFLOW)?,
        pbData: bytes.as_ptr().cast_mut(),
    })
}

/// Takes over the bytes that a call returned, and erases the original.
///
/// # Safety
/// `blob` must have been filled in by such a call.
unsafe fn take(blob: &CRYPT_INTEGER_BLOB) -> Zeroizing<Vec<u8>> {
    // SAFETY: the call returned a pointer that must be freed with `LocalFree`.
    let memory = unsafe { Local::new(blob.pbData.cast()) };
    if memory.pointer().is_null() {
        return Zeroizing::default();
    }
    // SAFETY: the memory has the length that the call returned. Nothing else uses it, and it is freed below.
    let bytes = unsafe {
        std::slice::from_raw_parts_mut(memory.pointer().cast::<u8>(), blob.cbData as usize)
    };
    let taken = Zeroizing::new(bytes.to_vec());
    bytes.zeroize();
    taken
}

/// Encrypts bytes for the user, or for every process on the computer.
///
/// # Errors
/// Returns the Windows error code.
pub(super) fn protect(bytes: &[u8], machine: bool) -> Result<Vec<u8>, u32> {
    let input = blob(bytes)?;
    let mut output = CRYPT_INTEGER_BLOB::default();
    let place = if machine {
        CRYPTPROTECT_LOCAL_MACHINE
    } else {
        0
    };
    // SAFETY: `input` points to `bytes`, which is only read, and `output` outlives the call. The rest is optional.
    let done = unsafe {
        CryptProtectData(
            &raw const input,
            null(),
            null(),
            null(),
            null(),
            CRYPTPROTECT_UI_FORBIDDEN | place,
            &raw mut output,
        )
    };
    if done == 0 {
        return Err(last_error());
    }
    // SAFETY: the call has filled in `output`.
    Ok(unsafe { take(&output) }.to_vec())
}

/// Decrypts what [`protect`] encrypted.
///
/// # Errors
/// Returns the Windows error code.
pub(super) fn unprotect(bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, u32> {
    let input = blob(bytes)?;
    let mut output = CRYPT_INTEGER_BLOB::default();
    // SAFETY: `input` points to `bytes`, which is only read, and `output` outlives the call. No description is
    // requested.
    let done = unsafe {
        CryptUnprotectData(
            &raw const input,
            null_mut(),
            null(),
            null(),
            null(),
            CRYPTPROTECT_UI_FORBIDDEN,
            &raw mut output,
        )
    };
    if done == 0 {
        return Err(last_error());
    }
    // SAFETY: the call has filled in `output`.
    Ok(unsafe { take(&output) })
}

/// Returns the state of the user profile in this session.
pub(super) fn profile() -> Profile {
    let mut kind = 0;
    // SAFETY: `kind` outlives the call.
    let told = unsafe { GetProfileType(&raw mut kind) } != 0;
    if told && kind & (PT_TEMPORARY | PT_MANDATORY) != 0 {
        return Profile::Temporary;
    }
    let Ok(user) = user_sid() else {
        return Profile::Lasting;
    };
    // A loaded profile has its own registry key, named after the user's SID.
    let (user, mut key) = (wide(user), null_mut());
    // SAFETY: `user` ends with a zero, and `key` outlives the call.
    let code = unsafe { RegOpenKeyExW(HKEY_USERS, user.as_ptr(), 0, KEY_READ, &raw mut key) };
    match code {
        0 => {
            // SAFETY: the key was opened by the call above, and is closed once.
            unsafe { RegCloseKey(key) };
            Profile::Lasting
        }
        ERROR_FILE_NOT_FOUND => Profile::NotLoaded,
        // The state can't be determined.
        _ => Profile::Lasting,
    }
}
