//! Secret text, which is redacted and wiped.
//!
//! Secrets are [`SecretString`]s: no `Display`, a redacted `Debug`, wiped on drop. Copies in libraries or screen
//! buffers are short-lived, but not guaranteed to be wiped.

pub use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

/// The default environment variable for the client secret.
pub const SECRET_VARIABLE: &str = "OAUTH_AUTHORIZER_CLIENT_SECRET";

/// Compares two texts in constant time: the duration depends only on their lengths.
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
