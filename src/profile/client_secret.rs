//! The `[secret]` section of the settings: where the client secret of a profile is, if it is not in the record.

use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::toml_text::{list, quoted};
use crate::clean::{clean, clean_path, trimmed};
use crate::oauth::tools::looks_like_token;
use crate::secret::{ExposeSecret, SecretString};
use crate::store::file::named;
use crate::store::file::secret_line::{checked, first_line, first_line_of_file};
use crate::store::program;

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

impl Probe {
    fn of(read: Result<Option<SecretString>, SourceError>) -> Self {
        match read {
            Ok(_) => Self::Fine,
            Err(error) => Self::Missing(error.to_string()),
        }
    }
}

/// Returns the secret without whitespace around it, or an error, as a clause.
fn usable(secret: SecretString) -> Result<SecretString, String> {
    match trimmed(secret.expose_secret()) {
        "" => Err("it is empty".to_owned()),
        text if text.len() < secret.expose_secret().len() => Ok(text.into()),
        _ => Ok(secret),
    }
}

/// Returns the error for a place and what is wrong there.
fn of(place: String) -> impl FnOnce(String) -> SourceError {
    move |reason| SourceError::Other(format!("{place}: {reason}"))
}

/// Where the client secret is, if it is not in the record.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretSource {
    /// A file with the secret in its first line.
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

    /// Returns whether the environment of a process decides whether it can read the client secret: it is in an environment
    /// variable, or a credential of a systemd service.
    #[must_use]
    pub fn is_in_environment(&self) -> bool {
        self.env.is_some() || self.credential.is_some()
    }

    /// Returns the client secret, or `None` if no source is named.
    ///
    /// # Errors
    /// Returns an error if the client secret can't be read.
    pub fn read(&self) -> Result<Option<SecretString>, SourceError> {
        if let Some(problem) = self.problem() {
            return Err(SourceError::Other(problem));
        }
        if let Some(command) = &self.command {
            let output = program::run(command, b"")
                .map_err(|error| SourceError::Command(error.to_string()))?;
            // Password managers such as pass print the secret in the first line.
            let line = first_line(&output[..]);
            let program = clean(command.first().map_or("", String::as_str), 80);
            let place = format!("the output of the command {program}");
            return line.and_then(usable).map(Some).map_err(of(place));
        }
        if let Some(name) = &self.env {
            let place = format!("the environment variable {}", clean(name, 80));
            let value = std::env::var_os(name)
                .ok_or_else(|| SourceError::Other(format!("{place} is not set")))?;
            let value = value.into_string().map(Zeroizing::new);
            let value = value.map_err(|_| "it is not UTF-8".to_owned());
            let value = value.and_then(|value| checked(&value).map(SecretString::from));
            return value.and_then(usable).map(Some).map_err(of(place));
        }
        if self.file.is_none() && self.credential.is_none() {
            return Ok(None);
        }
        let path = self.path().ok_or_else(|| {
            SourceError::Other(
                "CREDENTIALS_DIRECTORY is not set. systemd sets it for a service with LoadCredential"
                    .to_owned(),
            )
        })?;
        let line = first_line_of_file(&path).and_then(|line| usable(line.text));
        line.map(Some).map_err(of(clean_path(&path)))
    }

    /// Returns the path of the file with the client secret, if it is known.
    #[must_use]
    pub fn path(&self) -> Option<PathBuf> {
        if let Some(file) = &self.file {
            return Some(named::cleaned(file));
        }
        let name = self.credential.as_ref()?;
        Some(PathBuf::from(std::env::var_os("CREDENTIALS_DIRECTORY")?).join(name))
    }

    /// Returns what is wrong with the section itself, as a clause.
    fn problem(&self) -> Option<String> {
        let is_empty = |text: Option<&str>| text.map(|text| text.trim().is_empty());
        let file = self.file.as_ref().map(|file| file.as_os_str().is_empty());
        let command = self.command.as_deref();
        let command = command.map(|words| words.first().is_none_or(String::is_empty));
        let named: Vec<(&str, bool)> = [
            ("file", file),
            ("env", is_empty(self.env.as_deref())),
            ("credential", is_empty(self.credential.as_deref())),
            ("command", command),
        ]
        .into_iter()
        .filter_map(|(name, is_empty)| Some((name, is_empty?)))
        .collect();
        match *named {
            [(name, true)] => Some(format!("[secret] {name} is empty")),
            [("env", false)] if self.env.as_deref().is_some_and(is_no_variable) => Some(
                "[secret] env must be the name of an environment variable, not the secret itself. Enter a name of letters, \
                 digits and underscores"
                    .to_owned(),
            ),
            [] | [(_, false)] => None,
            _ => {
                let names: Vec<&str> = named.iter().map(|(name, _)| *name).collect();
                Some(format!(
                    "[secret] names more than one of file, credential, env and command: {}. Keep one of them",
                    names.join(", ")
                ))
            }
        }
    }

    /// Checks whether the client secret can be read, without running a command.
    #[must_use]
    pub fn probe(&self) -> Probe {
        let unset = |name: &str| std::env::var_os(name).is_none();
        match self {
            _ if self.problem().is_some() => Probe::of(self.read()),
            Self { command: Some(_), .. } => Probe::Unknown(None),
            // The service that uses the profile may run with another environment than this process.
            Self { env: Some(name), .. } if unset(name) => Probe::Unknown(Some(format!(
                "The client secret was not checked: the environment variable {} is not set here.",
                clean(name, 80)
            ))),
            Self { credential: Some(_), .. } if unset("CREDENTIALS_DIRECTORY") => Probe::Unknown(Some(
                "The client secret was not checked: systemd provides it only to the service that uses it.".to_owned(),
            )),
            _ => Probe::of(self.read()),
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

/// Returns whether this can be the name of an environment variable (POSIX, section 8.1), and not a secret.
#[must_use]
pub fn is_variable_name(text: &str) -> bool {
    let is_part = |ch: char| ch.is_ascii_alphanumeric() || ch == '_';
    text.chars().all(is_part)
        && !text.starts_with(|ch: char| ch.is_ascii_digit())
        && !text.is_empty()
        && !looks_like_token(text)
}

/// Returns whether this is neither a variable that is set nor a name for one. It may be the secret, so it must not be shown.
fn is_no_variable(text: &str) -> bool {
    !is_variable_name(text) && std::env::var_os(text).is_none()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    fn source(text: &str) -> SecretSource {
        toml::from_str(text).unwrap()
    }

    /// Returns the secret or the error, and what a check says.
    fn read(source: &SecretSource) -> (Result<String, String>, Probe) {
        let secret = source.read().map_err(|error| error.to_string());
        let text = secret.map(|secret| secret.unwrap().expose_secret().to_owned());
        (text, source.probe())
    }

    #[test]
    fn secret_files_are_trimmed_and_validated() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let source = SecretSource {
            file: Some(path.clone()),
            ..SecretSource::default()
        };
        for text in [
            "s3cret",
            "s3cret\n",
            "s3cret\r\n",
            "\u{feff}s3cret\r\n",
            " s3cret \nsecond line\n",
        ] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(
                read(&source),
                (Ok("s3cret".to_owned()), Probe::Fine),
                "{text:?}"
            );
        }
        let shown = path.to_str().unwrap();
        for (bytes, reason) in [
            (&b""[..], "its first line is empty"),
            (b"\ns3cret\n", "its first line is empty"),
            (
                "s3\u{200b}cret".as_bytes(),
                "an invisible character (U+200B)",
            ),
            (b"s3\0cret", "a control character (U+0000)"),
            (b"s3cr\xe9t", "not UTF-8"),
        ] {
            std::fs::write(&path, bytes).unwrap();
            let (secret, probe) = read(&source);
            let error = secret.unwrap_err();
            let begin = format!("The client secret can't be read: {shown}: ");
            assert!(
                error.starts_with(&begin) && error.contains(reason),
                "{error}"
            );
            assert_eq!(probe, Probe::Missing(error));
        }
    }

    #[test]
    fn tilde_in_a_secret_path_is_expanded() {
        let home = std::env::home_dir().unwrap();
        let (secret, _) = read(&source("file = \"~/none/secret\""));
        let shown = home.join("none/secret");
        let error = secret.unwrap_err();
        assert!(error.contains(shown.to_str().unwrap()), "{error}");
    }

    #[test]
    fn empty_or_ambiguous_secret_section_is_reported() {
        let unset = "OAUTH_AUTHORIZER_TEST_NOT_SET";
        for (text, reason) in [
            ("file = \"\"".to_owned(), "[secret] file is empty."),
            ("env = \" \"".to_owned(), "[secret] env is empty."),
            (
                "credential = \"\"".to_owned(),
                "[secret] credential is empty.",
            ),
            ("command = []".to_owned(), "[secret] command is empty."),
            (
                format!("file = \"secret\"\nenv = \"{unset}\""),
                "names more than one of file, credential, env and command: file, env.",
            ),
            (
                format!("env = \"{unset}\"\ncommand = [\"true\"]"),
                "command: env, command.",
            ),
        ] {
            let (secret, probe) = read(&source(&text));
            let error = secret.unwrap_err();
            assert!(error.contains(reason), "{error}");
            assert_eq!(probe, Probe::Missing(error));
        }
        let pasted = "1f~q.s3cr-et";
        let (secret, probe) = read(&source(&format!("env = \"{pasted}\"")));
        let error = secret.unwrap_err();
        assert!(
            error.contains("not the secret itself") && !error.contains(pasted),
            "{error}"
        );
        assert_eq!(probe, Probe::Missing(error));
        let unchecked = source(&format!("env = \"{unset}\"")).probe();
        assert!(
            matches!(unchecked, Probe::Unknown(Some(_))),
            "{unchecked:?}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn empty_output_of_secret_command_is_reported() {
        let (secret, probe) = read(&source("command = [\"echo\", \"\"]"));
        assert_eq!(
            secret.unwrap_err(),
            "The client secret can't be read: the output of the command echo: its first line is empty."
        );
        assert_eq!(probe, Probe::Unknown(None));
    }
}
