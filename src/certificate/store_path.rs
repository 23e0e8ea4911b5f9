//! The path of a certificate in a store of Windows, as PowerShell writes it: `Cert:\LocalMachine\My\THUMBPRINT`.

use std::fmt;
use std::str::FromStr;

use super::thumbprint::{Thumbprint, ThumbprintError};

/// The store of the machine or of a user that has certificates with their keys. Windows calls it Personal.
pub const STORE: &str = "MY";

/// Whose store it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Location {
    /// That of the machine.
    LocalMachine,
    /// That of the user who runs the program.
    CurrentUser,
}

impl Location {
    /// Both, the machine first.
    pub const ALL: [Self; 2] = [Self::LocalMachine, Self::CurrentUser];

    /// The name in paths.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::LocalMachine => "LocalMachine",
            Self::CurrentUser => "CurrentUser",
        }
    }
}

/// A certificate in the store `My`, which is called Personal in the windows of the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StorePath {
    /// Whose store it is.
    pub location: Location,
    /// Which certificate.
    pub thumbprint: Thumbprint,
}

/// Why a text is no such path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StorePathError {
    /// Another store, or not all parts.
    #[error(
        "The path of a certificate is Cert:\\LocalMachine\\My\\ or Cert:\\CurrentUser\\My\\, followed by its thumbprint."
    )]
    Parts,
    /// Something is wrong with the thumbprint.
    #[error(transparent)]
    Thumbprint(#[from] ThumbprintError),
}

/// The beginning of such paths.
const DRIVE: &str = "Cert:";
/// The end of what PowerShell writes in place of the drive in `PSPath`.
const PROVIDER: &str = r"\Certificate::";

/// What follows the drive, if a text begins with it.
fn rest(text: &str) -> Option<&str> {
    if let Some((_, rest)) = text.split_once(PROVIDER) {
        return Some(rest);
    }
    let (drive, rest) = text.split_at_checked(DRIVE.len())?;
    drive.eq_ignore_ascii_case(DRIVE).then_some(rest)
}

impl StorePath {
    /// True if a text is meant as such a path, right or wrong, and not as that of a file.
    #[must_use]
    pub fn is_meant(text: &str) -> bool {
        rest(text).is_some()
    }

    /// The certificate of the machine with the thumbprint that a text consists of.
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

    /// Whatever the case of its letters; with slashes, too.
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
#[allow(clippy::unwrap_used, reason = "a test ends on what it did not expect")]
mod tests {
    use super::*;

    const HASH: &str = "00112233445566778899AABBCCDDEEFF00112233";

    #[test]
    fn a_path_is_read_in_each_spelling_of_powershell() {
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
    fn what_is_wrong_with_a_path_is_said() {
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
