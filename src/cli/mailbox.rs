//! The mailbox that `--user` or a profile names.

use crate::mail::server::is_mailbox;

/// The mailbox of `--user`.
///
/// # Errors
/// If it can't be one, with what to write.
pub(super) fn mailbox(text: &str) -> Result<String, &'static str> {
    if is_mailbox(text) {
        Ok(text.to_owned())
    } else {
        Err("write a mailbox, such as alice@example.org")
    }
}

/// The mailbox of a profile, if it can be one.
///
/// # Errors
/// Returns what to do, as a sentence.
pub fn checked_mailbox(of_profile: &str) -> Result<&str, &'static str> {
    if is_mailbox(of_profile) {
        Ok(of_profile)
    } else {
        Err(
            "The mailbox of the profile is not valid. Correct [mail] user in its settings, or add --user ADDRESS.",
        )
    }
}
