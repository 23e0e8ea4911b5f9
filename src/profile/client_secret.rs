//! The `[secret]` section of the settings: where the client secret of a profile is, if it is not in the record.

use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::toml_text::{list, quoted};
use crate::clean::clean;
use crate::secret::{ExposeSecret, SecretString};
use crate::store::file;
use crate::store::program;

/// Maximum size of a client secret file, in bytes.
const SECRET_LIMIT: u64 = 64 * 1024;

/// Why a client secret can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The command failed.
    #[error("The client secret can't be read. {0}")]
    Command(String),
    /// Any other reason.
    #[error("The client secret can't be read: {0}.")]
    Other(String),
}

/// What is known about a client secret without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// The secret can be read.
    Fine,
    /// This process can't tell. Contains a sentence if that is worth reporting.
    Unknown(Option<String>),
    /// The secret is missing or can't be read. Contains the reason.
    Missing(String),
}

/// Where the client secret is, if it is not in the record.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretSource {
    /// A file that contains nothing but the secret.
    pub(super) file: Option<PathBuf>,
    /// The name of an environment variable.
    pub(super) env: Option<String>,
    /// The name of a systemd credential, a file in the folder `CREDENTIALS_DIRECTORY`.
    pub(super) credential: Option<String>,
    /// A program that prints the secret, and its arguments.
    pub(super) command: Option<Vec<String>>,
    /// When the client secret expires at the service.
    pub(super) expires: Option<toml::value::Datetime>,
}

impl SecretSource {
    /// Returns whether the section names a source.
    #[must_use]
    pub fn is_named(&self) -> bool {
        self.file.is_some()
            || self.env.is_some()
            || self.credential.is_some()
            || self.command.is_some()
    }

    /// Returns the client secret, or `None` if no source is named.
    ///
    /// # Errors
    /// Returns an error if the client secret can't be read.
    pub fn read(&self) -> Result<Option<SecretString>, SourceError> {
        let path = match (&self.file, &self.credential, &self.env, &self.command) {
            (Some(file), None, None, None) => file.clone(),
            (None, Some(name), None, None) => {
                let folder = std::env::var_os("CREDENTIALS_DIRECTORY").ok_or_else(|| {
                    SourceError::Other(
                        "CREDENTIALS_DIRECTORY is not set. systemd sets it for a service with LoadCredential"
                            .to_owned(),
                    )
                })?;
                PathBuf::from(folder).join(name)
            }
            (None, None, Some(name), None) => {
                let value = std::env::var(name).map_err(|_| {
                    SourceError::Other(format!(
                        "the environment variable {} is not set",
                        clean(name, 80)
                    ))
                })?;
                return Ok(Some(SecretString::from(value)));
            }
            (None, None, None, Some(command)) => {
                let output = program::run(command, b"")
                    .map_err(|error| SourceError::Command(error.to_string()))?;
                let text = std::str::from_utf8(&output)
                    .map_err(|_| SourceError::Other("it is not in UTF-8".to_owned()))?;
                // Password managers such as pass print the secret in the first line.
                let first = text.lines().next().unwrap_or_default().trim();
                return Ok(Some(SecretString::from(first.to_owned())));
            }
            (None, None, None, None) => return Ok(None),
            _ => {
                return Err(SourceError::Other(
                    "[secret] names more than one of file, credential, env and command".to_owned(),
                ));
            }
        };
        let bytes = file::read::read(&path, file::read::Kinds::WithPipes, SECRET_LIMIT).map_err(
            |error| {
                let path = clean(&path.to_string_lossy(), 200);
                SourceError::Other(format!("{path}: {error}"))
            },
        )?;
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| SourceError::Other("it is not in UTF-8".to_owned()))?;
        Ok(Some(SecretString::from(text.trim().to_owned())))
    }

    /// Checks whether the client secret can be read, without running a command.
    #[must_use]
    pub fn probe(&self) -> Probe {
        let unset = |name: &str| std::env::var_os(name).is_none();
        match self {
            Self { command: Some(_), .. } => Probe::Unknown(None),
            // The service that uses the profile may run with another environment than this process.
            Self { env: Some(name), .. } if unset(name) => Probe::Unknown(Some(format!(
                "The client secret was not checked: the environment variable {} is not set here.",
                clean(name, 80)
            ))),
            Self { credential: Some(_), .. } if unset("CREDENTIALS_DIRECTORY") => Probe::Unknown(Some(
                "The client secret was not checked: systemd provides it only to the service that uses it.".to_owned(),
            )),
            _ => match self.read() {
                Ok(Some(secret)) if secret.expose_secret().is_empty() => {
                    Probe::Missing("The client secret is empty.".to_owned())
                }
                Ok(_) => Probe::Fine,
                Err(error) => Probe::Missing(error.to_string()),
            },
        }
    }

    /// Returns when the client secret expires, in seconds since 1970. A date means the beginning of that day in `zone`.
    ///
    /// # Errors
    /// Returns an error for a time without a date.
    pub fn expires_at(&self, zone: &TimeZone) -> Result<Option<u64>, String> {
        let Some(expires) = &self.expires else {
            return Ok(None);
        };
        let text = expires.to_string();
        let instant = text.parse::<Timestamp>().or_else(|_| {
            let local: DateTime = text.parse()?;
            local.to_zoned(zone.clone()).map(|zoned| zoned.timestamp())
        });
        match instant {
            Ok(instant) => Ok(Some(u64::try_from(instant.as_second()).unwrap_or_default())),
            Err(_) => Err(format!(
                "[secret] expires is {text}, but must be a date such as 2027-05-01."
            )),
        }
    }

    /// Returns the lines of the section.
    #[must_use]
    pub fn lines(&self) -> String {
        let mut lines = String::new();
        let path = self.file.as_ref().map(|path| path.to_string_lossy());
        for (name, value) in [
            ("file", path.as_deref()),
            ("env", self.env.as_deref()),
            ("credential", self.credential.as_deref()),
        ] {
            if let Some(value) = value {
                lines += &format!("{name} = {}\n", quoted(value));
            }
        }
        if let Some(command) = &self.command {
            lines += &format!("command = {}\n", list(command));
        }
        if let Some(expires) = &self.expires {
            lines += &format!("expires = {expires}\n");
        }
        lines
    }
}
