//! Parses the path of a certificate in a Windows store, in the form of PowerShell: `Cert:\LocalMachine\My\THUMBPRINT`.

use std::fmt;
use std::str::FromStr;

use super::thumbprint::{Thumbprint, ThumbprintError};

/// The store for certificates with private keys, of the machine or of a user. Windows displays it as Personal.
pub const STORE: &str = "MY";

/// The owner of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Location {
    /// The machine.
    LocalMachine,
    /// The user who runs the program.
    CurrentUser,
}

impl Location {
    /// Both owners, the machine first.
    pub const ALL: [Self; 2] = [Self::LocalMachine, Self::CurrentUser];

    /// Returns the name used in paths.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::LocalMachine => "LocalMachine",
            Self::CurrentUser => "CurrentUser",
        }
    }
}

/// The path of a certificate in the store `My`, which Windows displays as Personal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StorePath {
    /// The owner of the store.
    pub location: Location,
    /// The thumbprint of the certificate.
    pub thumbprint: Thumbprint,
}

/// Why a text is not such a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StorePathError {
    /// The path names another store, or parts are missing.
    #[error(
        "The path of a certificate is Cert:\\LocalMachine\\My\\ or Cert:\\CurrentUser\\My\\, followed by its thumbprint."
    )]
    Parts,
    /// The thumbprint is invalid.
    #[error(transparent)]
    Thumbprint(#[from] ThumbprintError),
}

/// The prefix of such paths.
const DRIVE: &str = "Cert:";
/// The end of the prefix that PowerShell uses in `PSPath` instead of the drive.
const PROVIDER: &str = r"\Certificate::";

/// Returns the part after the drive, if the text begins with one.
fn rest(text: &str) -> Option<&str> {
    if let Some((_, rest)) = text.split_once(PROVIDER) {
        return Some(rest);
    }
    let (drive, rest) = text.split_at_checked(DRIVE.len())?;
    drive.eq_ignore_ascii_case(DRIVE).then_some(rest)
}

impl StorePath {
    /// Returns whether a text is meant as such a path, correct or not, instead of a file path.
    #[must_use]
    pub fn is_meant(text: &str) -> bool {
        rest(text).is_some()
    }

    /// Returns the path in the machine's store if the text is a thumbprint.
    #[must_use]
    pub fn of_thumbprint(text: &str) -> Option<Self> {
        let thumbprint = text.parse().ok()?;
        Some(Self {
            location: Location::LocalMachine,
            thumbprint,
        })
    }
}

impl FromStr for StorePath {
    type Err = StorePathError;

    /// Ignores case, and accepts slashes, too.
    fn from_str(text: &str) -> Result<Self, StorePathError> {
        let rest = rest(text).ok_or(StorePathError::Parts)?;
        let parts: Vec<&str> = rest
            .split(['\\', '/'])
            .filter(|part| !part.is_empty())
            .collect();
        let [location, store, thumbprint] = parts[..] else {
            return Err(StorePathError::Parts);
        };
        let mut locations = Location::ALL.into_iter();
        let location = locations.find(|it| it.name().eq_ignore_ascii_case(location));
        match location {
            Some(location) if store.eq_ignore_ascii_case("My") => Ok(Self {
                location,
                thumbprint: thumbprint.parse()?,
            }),
            _ => Err(StorePathError::Parts),
        }
    }
}

impl fmt::Display for StorePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let thumbprint = self.thumbprint.to_string().to_ascii_uppercase();
        write!(f, r"Cert:\{}\My\{thumbprint}", self.location.name())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    const HASH: &str = "00112233445566778899AABBCCDDEEFF00112233";

    #[test]
    fn all_powershell_spellings_of_a_path_are_parsed() {
        let machine = format!(r"Cert:\LocalMachine\My\{HASH}");
        for text in [
            machine.clone(),
            machine.to_lowercase(),
            machine.replace('\\', "/"),
            format!(r"Cert:LocalMachine\My\{HASH}"),
            format!(r"Microsoft.PowerShell.Security\Certificate::LocalMachine\My\{HASH}"),
        ] {
            assert!(StorePath::is_meant(&text), "{text}");
            let path: StorePath = text.parse().unwrap();
            assert_eq!(path.to_string(), machine, "{text}");
            assert_eq!(path.location, Location::LocalMachine);
        }
        let user = format!(r"cert:\currentuser\MY\{HASH}");
        let user: StorePath = user.parse().unwrap();
        assert_eq!(user.location, Location::CurrentUser);
        let copied = format!("\u{200e}{}", HASH.to_lowercase());
        let path = StorePath::of_thumbprint(&copied).unwrap();
        assert_eq!(path.to_string(), machine);
        assert_eq!(StorePath::of_thumbprint("key.pem"), None);
    }

    #[test]
    fn invalid_store_paths_return_errors() {
        for text in [
            "Cert:",
            r"Cert:\LocalMachine\My",
            r"Cert:\LocalMachine\Root\00",
            r"Cert:\Machine\My\00",
            r"Cert:\LocalMachine\My\00\00",
        ] {
            assert!(StorePath::is_meant(text));
            assert_eq!(
                text.parse::<StorePath>(),
                Err(StorePathError::Parts),
                "{text}"
            );
        }
        let short = r"Cert:\LocalMachine\My\00".parse::<StorePath>();
        assert!(short.unwrap_err().to_string().contains("this one has 2"));
        for file in ["key.pem", r"C:\cert\key.pem", "cert", "ce\u{301}rt:"] {
            assert!(!StorePath::is_meant(file), "{file}");
        }
    }
}
