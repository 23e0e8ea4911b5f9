//! Secret text.
//!
//! Secrets are [`SecretString`]s: no `Display`, a redacted `Debug`, wiped on drop. What a library or
//! a screen buffer copies is short-lived; no more than that is promised.

pub use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

/// The environment variable of the client secret.
pub const SECRET_VARIABLE: &str = "OAUTH_AUTHORIZER_CLIENT_SECRET";

/// Compares two texts in constant time: how long it takes depends on their lengths only.
#[must_use]
pub fn same(a: &SecretString, b: &str) -> bool {
    a.expose_secret().as_bytes().ct_eq(b.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_nothing_of_itself_in_debug() {
        let secret = SecretString::from("hunter2-hunter2");
        assert!(!format!("{secret:?}").contains("hunter2"));
    }

    #[test]
    fn same_compares_whole_texts() {
        let secret = SecretString::from("abc");
        assert!(same(&secret, "abc") && !same(&secret, "abd") && !same(&secret, "ab"));
    }
}
