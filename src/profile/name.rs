//! Checks the names of profiles.

use std::str::FromStr;

/// Maximum length of a name, in characters.
const LIMIT: usize = 64;
/// Device names, which Windows reserves with any extension.
const DEVICES: &[&str] = &["con", "prn", "aux", "nul"];

/// The name of a profile, which is also the name of its files, such as a mail address.
#[derive(Debug, Clone)]
pub struct ProfileName(String);

/// The error for a text that is not a valid name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a profile name has 1 to {LIMIT} characters (a-z, A-Z, 0-9 and . _ @ + -), begins with a letter or digit, doesn't end with a period, and is not a device name of Windows such as con"
)]
pub struct NameError;

impl FromStr for ProfileName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let begins = text.starts_with(|ch: char| ch.is_ascii_alphanumeric());
        let is_allowed = |ch: char| ch.is_ascii_alphanumeric() || "._@+-".contains(ch);
        let stem = text
            .split('.')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let port = (stem
            .strip_prefix("com")
            .or_else(|| stem.strip_prefix("lpt")))
        .is_some_and(|rest| rest.len() == 1 && rest.chars().all(|ch| ch.is_ascii_digit()));
        let ends = !text.ends_with('.');
        if begins
            && ends
            && text.len() <= LIMIT
            && text.chars().all(is_allowed)
            && !DEVICES.contains(&stem.as_str())
            && !port
        {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError)
        }
    }
}

impl ProfileName {
    /// Returns the name as it was entered.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Compares names without regard to case, as some file systems do.
    #[must_use]
    pub fn is(&self, other: &str) -> bool {
        self.0.eq_ignore_ascii_case(other)
    }
}

impl std::fmt::Display for ProfileName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profile_names_are_portable_file_names() {
        for good in [
            "office",
            "alice@contoso.example",
            "a",
            "0_x+y-z",
            "com",
            "console",
        ] {
            assert!(good.parse::<ProfileName>().is_ok(), "{good}");
        }
        let long = "a".repeat(65);
        for bad in [
            "", ".hidden", "-x", "@a", "a/b", "a\\b", "..", "a b", "ü", "con", "Con.txt", "com1",
            "LPT9.x", "a.", &long,
        ] {
            assert!(bad.parse::<ProfileName>().is_err(), "{bad}");
        }
    }
}
