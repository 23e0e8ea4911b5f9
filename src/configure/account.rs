//! Looks up Windows users and groups, and the rights of this process.

#![allow(
    unsafe_code,
    reason = "Windows APIs are C interfaces; each block explains why it is sound"
)]

use std::os::windows::io::AsRawHandle;
use std::ptr::null;

use windows_sys::Win32::Security::{
    GetTokenInformation, LookupAccountSidW, SidTypeAlias, SidTypeGroup, SidTypeWellKnownGroup,
    TOKEN_ELEVATION, TokenElevation,
};

use super::reading::Account;
use crate::windows::{Sid, process_token, sid_text, up_to_zero, user_sid};

/// SYSTEM, LOCAL SERVICE and NETWORK SERVICE: accounts without members, which Windows lists as well-known groups.
const SERVICES: [&str; 3] = ["S-1-5-18", "S-1-5-19", "S-1-5-20"];

/// Returns the current user, as `DOMAIN\name`.
pub(super) fn user() -> Option<String> {
    let found = account(&user_sid().ok()?)?;
    (!found.name.is_empty()).then_some(found.name)
}

/// Returns the account of a security identifier.
pub(super) fn account(sid: &str) -> Option<Account> {
    let found = Sid::parse(sid)?;
    let (mut name, mut domain) = ([0_u16; 512], [0_u16; 512]);
    let (mut name_length, mut domain_length) = (name.len() as u32, domain.len() as u32);
    let mut kind = 0;
    // SAFETY: the identifier is valid; both buffers have the lengths that are passed.
    let known = unsafe {
        LookupAccountSidW(
            null(),
            found.pointer(),
            name.as_mut_ptr(),
            &raw mut name_length,
            domain.as_mut_ptr(),
            &raw mut domain_length,
            &raw mut kind,
        )
    };
    if known == 0 {
        return None;
    }
    Some(Account {
        name: match (up_to_zero(&domain), up_to_zero(&name)) {
            (domain, name) if domain.is_empty() => name,
            (domain, name) => format!("{domain}\\{name}"),
        },
        group: [SidTypeGroup, SidTypeAlias, SidTypeWellKnownGroup].contains(&kind)
            && !SERVICES.contains(&sid),
    })
}

/// Returns a descriptor in which every account has its full identifier: Windows uses short names for some accounts,
/// such as LA for the administrator of this machine.
pub(super) fn with_whole_identifiers(sddl: &str) -> String {
    let mut parts = sddl.split(')').map(|part| {
        let Some((head, whom)) = part.rsplit_once(';') else {
            return part.to_owned();
        };
        let whole = Sid::parse(whom).and_then(|sid| {
            // SAFETY: the identifier was just parsed.
            unsafe { sid_text(sid.pointer()) }.ok()
        });
        format!("{head};{}", whole.as_deref().unwrap_or(whom))
    });
    let first = parts.next().unwrap_or_default();
    parts.fold(first, |text, part| text + ")" + &part)
}

/// Returns whether this process is elevated, with the rights of an administrator.
pub(super) fn is_elevated() -> bool {
    let Ok(token) = process_token() else {
        return false;
    };
    let mut elevation = TOKEN_ELEVATION::default();
    let mut length = 0;
    // SAFETY: `elevation` is the type that this query returns, and its size is passed.
    let told = unsafe {
        GetTokenInformation(
            token.as_raw_handle(),
            TokenElevation,
            (&raw mut elevation).cast(),
            size_of::<TOKEN_ELEVATION>() as u32,
            &raw mut length,
        )
    };
    told != 0 && elevation.TokenIsElevated != 0
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use windows_sys::Win32::Foundation::ERROR_NONE_MAPPED;

    use super::*;
    use crate::windows::{account_sid, is_member};

    #[test]
    fn accounts_resolve_to_sids_and_names() {
        let me = user().unwrap();
        let own = account_sid(&me).unwrap();
        assert!(own.starts_with("S-1-5-"), "{me}: {own}");
        let found = account(&own).unwrap();
        assert_eq!(found.name.to_lowercase(), me.to_lowercase());
        assert!(!found.group);
        // The name of this account is translated; its identifier is not.
        let system = account("S-1-5-18").unwrap().name;
        assert_eq!(account_sid(&system).unwrap(), "S-1-5-18");
        assert_eq!(account_sid("nobody-of-that-name"), Err(ERROR_NONE_MAPPED));
        assert_eq!(account("S-1-rubbish"), None);
        // Every user is a member of Everyone, but not of Guests.
        assert!(is_member("S-1-1-0") && !is_member("S-1-5-32-546"));
        assert!(account("S-1-5-32-545").unwrap().group && account("S-1-1-0").unwrap().group);
        assert!(SERVICES.iter().all(|sid| !account(sid).unwrap().group));
    }

    #[test]
    fn sid_aliases_in_descriptors_are_expanded() {
        assert_eq!(
            with_whole_identifiers("D:(A;;GX;;;WD)(A;;GX;;;S-1-5-21-1-2-3-1001)"),
            "D:(A;;GX;;;S-1-1-0)(A;;GX;;;S-1-5-21-1-2-3-1001)"
        );
        assert_eq!(
            with_whole_identifiers("O:SYD:PAI(D;;GA;;;NS)"),
            "O:SYD:PAI(D;;GA;;;S-1-5-20)"
        );
        for odd in ["", "D:", "D:(A;;GX", "rubbish)", "D:(A;;GX;;;nobody)"] {
            assert_eq!(with_whole_identifiers(odd), odd);
        }
    }
}
