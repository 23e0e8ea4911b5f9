//! Secret text.
//!
//! Secrets are [`SecretString`]s: no `Display`, a redacted `Debug`, wiped on drop. What a library or
//! a screen buffer copies is short-lived; no more than that is promised.

pub use secrecy::{ExposeSecret, SecretString};

/// True where both hold the same text; compares all bytes, so that time tells nothing.
#[must_use]
pub fn same(a: &SecretString, b: &str) -> bool {
    let (a, b) = (a.expose_secret().as_bytes(), b.as_bytes());
    a.len() == b.len() && a.iter().zip(b).fold(0u8, |acc, (x, y)| acc | (x ^ y)) == 0
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
