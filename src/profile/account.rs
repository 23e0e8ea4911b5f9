//! Finds the account, in addition to administrators, that may use the tokens of a machine profile. Windows only.

/// Returns the security identifier of an account, given by name or identifier. May query a domain controller.
///
/// # Errors
/// Returns an error, as a sentence, if the account can't be used: it is unknown, or a group that includes other users.
#[cfg(windows)]
pub fn find(name: &str) -> Result<String, String> {
    use crate::account_name::full_name;
    use crate::windows::{Sid, account_sid};
    let shown = crate::clean::clean(name, 80);
    let known = if name.starts_with("S-1-") {
        Sid::parse(name).map(|_| name.to_owned())
    } else {
        account_sid(&full_name(name)).ok()
    };
    let sid = known.ok_or_else(|| {
        format!(
            "There is no account \"{shown}\" on this machine or in its domain. Check the spelling. Built-in accounts have other \
             names in other languages: enter the security identifier, such as S-1-5-20."
        )
    })?;
    if crate::store::access::is_broad(&sid) {
        return Err(format!(
            "\"{shown}\" is a group that includes other users. Name the account of the service."
        ));
    }
    Ok(sid)
}

/// Always fails: other systems have no such accounts.
///
/// # Errors
/// Always returns an error.
#[cfg(not(windows))]
pub fn find(_: &str) -> Result<String, String> {
    Err("--for requires Windows.".to_owned())
}

#[cfg(all(test, windows))]
mod tests {
    use super::*;

    #[test]
    fn unknown_accounts_and_groups_are_refused() {
        assert_eq!(find("S-1-5-20").as_deref(), Ok("S-1-5-20"));
        for (name, words) in [
            ("Everyone", "is a group that includes other users"),
            ("S-1-5-32-545", "is a group that includes other users"),
            ("nobody-of-that-name", "There is no account"),
            ("S-1-rubbish", "There is no account"),
        ] {
            let error = find(name);
            assert!(
                error.as_ref().is_err_and(|it| it.contains(words)),
                "{error:?}"
            );
        }
    }
}
