//! Checks the mailbox given by `--user` or a profile.

use crate::mail::server::is_mailbox;

/// Parses the mailbox of `--user`.
///
/// # Errors
/// Returns an error with what to enter, if the text can't be a mailbox.
pub(super) fn mailbox(text: &str) -> Result<String, &'static str> {
    if is_mailbox(text) {
        Ok(text.to_owned())
    } else {
        Err("enter a mailbox, such as alice@example.org")
    }
}

/// Returns the mailbox of a profile, if it is valid.
///
/// # Errors
/// Returns the fix, as a sentence, if it isn't.
pub fn checked_mailbox(of_profile: &str) -> Result<&str, &'static str> {
    if is_mailbox(of_profile) {
        Ok(of_profile)
    } else {
        Err(
            "The mailbox of the profile is not valid. Correct [mail] user in its settings, or add --user ADDRESS.",
        )
    }
}
