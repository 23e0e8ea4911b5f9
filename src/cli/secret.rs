//! Reads the client secret from an environment variable, a file or standard input, never from the command line.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::child::note_secret;
use crate::clean::{clean, clean_path, is_visible, trimmed, unquoted};
use crate::console::hidden;
use crate::console::standard_input::StandardInput;
use crate::console::talk::say;
use crate::profile::client_secret::is_variable_name;
use crate::secret::SECRET_VARIABLE;
use crate::secret::SecretString;
use crate::store::file::named;
use crate::store::file::secret_line::{SECRET_LIMIT, checked, first_line, first_line_of_file};

/// The message shown before the secret is typed.
const TYPE_IT: &str = "Enter the client secret. It is not echoed.";
/// Maximum length of the displayed name of an environment variable, in characters.
const NAME_LIMIT: usize = 300;

/// The flags that name the source of the client secret.
#[derive(Debug, Default, clap::Args)]
pub struct SecretFlags {
    /// Read the client secret from this environment variable. By default OAUTH_AUTHORIZER_CLIENT_SECRET is used if set
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_CLIENT_SECRET_ENV",
        hide_env_values = true,
        value_name = "NAME",
        group = "secret"
    )]
    pub client_secret_env: Option<String>,
    /// Read the client secret from the first line of this file
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_CLIENT_SECRET_FILE",
        hide_env_values = true,
        value_name = "FILE",
        group = "secret"
    )]
    pub client_secret_file: Option<PathBuf>,
    /// Read the client secret from the first line of standard input
    #[arg(long, group = "secret")]
    pub client_secret_stdin: bool,
}

/// Why the client secret can't be read.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The source can't be read, or its content is invalid.
    #[error("Can't read the client secret from {place}: {reason}.")]
    Unreadable {
        /// The source.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// The flag for the environment variable has a value that can't be its name. It may be the secret itself, so it is not
    /// repeated.
    #[error(
        "--client-secret-env takes the name of an environment variable that contains the client secret, such as \
         CLIENT_SECRET, not the secret itself. Enter a name of letters, digits and underscores."
    )]
    NotAName,
    /// The user interrupted the program.
    #[error("The program was interrupted.")]
    Interrupted,
}

/// A client secret, with information about its source.
pub(super) struct Secret {
    pub(super) text: SecretString,
    /// What the user should know about the source, such as insecure permissions.
    pub(super) notice: Option<String>,
    /// The name of the source.
    pub(super) source: String,
}

impl SecretFlags {
    /// Returns whether the user gives the client secret: a flag or its variable names a source, or the environment variable
    /// for the secret is set.
    #[must_use]
    pub fn is_given(&self, variable: impl Fn(&str) -> Option<OsString>) -> bool {
        variable(SECRET_VARIABLE).is_some_and(|value| !value.is_empty())
            || self.client_secret_stdin
            || self.client_secret_file.is_some()
            || self.client_secret_env.is_some()
    }

    /// Reads the client secret; `None` if no flag names a source and the environment variable is not set.
    pub(super) fn load(
        &self,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Option<Secret>, SecretError> {
        let failed =
            |place: String| move |reason: String| SecretError::Unreadable { place, reason };
        let named = self.client_secret_env.as_deref().map(trimmed);
        let named = named.map(|name| unquoted(name).unwrap_or(name).trim_start_matches('$'));
        // Other programs must not inherit it, even if another flag names the source.
        named.into_iter().for_each(note_secret);
        if let Some(path) = &self.client_secret_file {
            let place = clean_path(&named::cleaned(path));
            let line = first_line_of_file(path).map_err(failed(place.clone()))?;
            let notice = line.is_readable_by_others.then(|| {
                format!(
                    "The client secret file {place} can be read by other users. Run chmod 600 on it."
                )
            });
            return Ok(Some(Secret {
                text: line.text,
                notice,
                source: place,
            }));
        }
        if self.client_secret_stdin {
            let source = "standard input".to_owned();
            let line = if std::io::stdin().is_terminal() {
                typed()?
            } else {
                first_line(StandardInput::lock())
            };
            return Ok(Some(Secret {
                text: line.map_err(failed(source.clone()))?,
                notice: None,
                source,
            }));
        }
        let name = named.unwrap_or(SECRET_VARIABLE);
        let failed = failed(format!(
            "the environment variable {}",
            clean(name, NAME_LIMIT)
        ));
        // Like the variables of the flags, an empty one counts as unset.
        let value = variable(name).filter(|value| named.is_some() || !value.is_empty());
        let Some(value) = value else {
            return match named {
                Some(name) if !is_variable_name(name) => Err(SecretError::NotAName),
                Some(_) => Err(failed("it is not set".to_owned())),
                None => Ok(None),
            };
        };
        let value = value.into_string().map(Zeroizing::new);
        let value = value.map_err(|_| "it is not UTF-8".to_owned());
        let secret = value.and_then(|value| checked(&value).map(SecretString::from));
        let secret = secret.map_err(failed)?;
        Ok(Some(Secret {
            text: secret,
            notice: None,
            source: name.to_owned(),
        }))
    }
}

/// Reads the secret that the user types, and asks again if it contains a character that can't be part of it. Any other
/// mistake is returned as a clause.
fn typed() -> Result<Result<SecretString, String>, SecretError> {
    loop {
        // With room for the longest character, so that no part of a secret that is too long is dropped unnoticed.
        let line = match hidden::read_line(TYPE_IT, SECRET_LIMIT + 4) {
            Ok(Some(line)) => line,
            Ok(None) => return Err(SecretError::Interrupted),
            Err(error) => return Ok(Err(error.to_string())),
        };
        let text = std::str::from_utf8(&line).unwrap_or("\u{fffd}");
        let secret = if text.contains('\u{fffd}') {
            Err("the terminal doesn't send UTF-8. Set its encoding to UTF-8".to_owned())
        } else {
            first_line(&line[..])
        };
        match secret {
            // Of a file with several lines, the next one must not become the secret.
            Err(reason)
                if !trimmed(text)
                    .chars()
                    .all(|ch| is_visible(ch) && ch != '\u{fffd}') =>
            {
                hidden::discard_paste();
                say("error", &format!("Can't use this client secret: {reason}."));
            }
            secret => return Ok(secret),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::Cli;
    use crate::cli::tests::settings;
    use crate::form::field::Key;
    use crate::secret::ExposeSecret;

    #[test]
    fn client_secret_is_read_only_from_environment_or_file() {
        let secret = |flags: &[&str], variables: &[(&str, &str)]| {
            settings(flags, variables).map(|form| form.secret().expose_secret().to_owned())
        };
        assert_eq!(secret(&[], &[(SECRET_VARIABLE, "a")]).unwrap(), "a");
        assert_eq!(
            secret(&["--client-secret-env", "MINE"], &[("MINE", "b")]).unwrap(),
            "b"
        );
        assert!(
            secret(&["--client-secret-env", "MINE"], &[])
                .unwrap_err()
                .to_string()
                .contains("MINE")
        );
        for value in [
            "s3cr~et",
            "9lives",
            "a b",
            "",
            "GOCSPX-Ab3dEf6hIj9k",
            "aB3dE6gH9jK2mN5pQ8sT",
        ] {
            let error = secret(&["--client-secret-env", value], &[]).unwrap_err();
            let error = error.to_string();
            assert!(
                error.starts_with("--client-secret-env takes the name"),
                "{error}"
            );
            assert!(value.is_empty() || !error.contains(value), "{error}");
        }
        // A name that a shell doesn't accept may be set all the same.
        let odd = secret(&["--client-secret-env", "MY.SECRET"], &[("MY.SECRET", "b")]);
        assert_eq!(odd.unwrap(), "b");
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "c d \r\nrest").unwrap();
        assert_eq!(
            secret(
                &["--client-secret-file", file.path().to_str().unwrap()],
                &[]
            )
            .unwrap(),
            "c d"
        );
        assert!(Cli::try_parse_from(["oauth-authorizer", "--client-secret", "x"]).is_err());
    }

    #[test]
    fn invalid_client_secret_files_are_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let of_file = |bytes: &[u8]| {
            std::fs::write(file.path(), bytes).unwrap();
            let flags = ["--client-secret-file", file.path().to_str().unwrap()];
            settings(&flags, &[])
                .map(|form| form.secret().expose_secret().to_owned())
                .map_err(|error| error.to_string())
        };
        // Surrounding whitespace is removed with a note.
        for bytes in ["s3cret \n", "\ts3cret", "\u{a0}s3cret\u{2003}\r\n"] {
            std::fs::write(file.path(), bytes).unwrap();
            let flags = ["--client-secret-file", file.path().to_str().unwrap()];
            let form = settings(&flags, &[]).unwrap();
            assert_eq!(form.secret().expose_secret(), "s3cret");
            assert_eq!(
                form.notices()[&Key::ClientSecret],
                "Whitespace around the value was removed."
            );
        }
        // A file as saved by Windows Notepad.
        assert_eq!(of_file(b"\xef\xbb\xbfs3cret\r\n").unwrap(), "s3cret");
        // A file as written by Windows PowerShell.
        assert_eq!(of_file(b"\xff\xfes\x003\x00").unwrap(), "s3");
        assert_eq!(of_file(&vec![b'x'; 64 * 1024]).unwrap().len(), 64 * 1024);
        for (bytes, reason) in [
            (vec![b'x'; 64 * 1024 + 1], "longer than 64 KiB"),
            (vec![0; 100], "character 1 is a control character (U+0000)"),
            (
                b"s3c\0ret".to_vec(),
                "character 4 is a control character (U+0000)",
            ),
            (b"s3cret\x1b[A\n".to_vec(), "(U+001B)"),
            (b"s3\tcret\n".to_vec(), "(U+0009)"),
            ("s3\u{200b}cret\n".into(), "an invisible character (U+200B)"),
            ("s3\u{a0}cret\n".into(), "an invisible character (U+00A0)"),
            (b"s3cr\xe9t".to_vec(), "not UTF-8"),
            (b"\n".to_vec(), "its first line is empty"),
            (Vec::new(), "its first line is empty"),
        ] {
            let error = of_file(&bytes).unwrap_err();
            assert!(
                error.contains(reason) && error.contains(file.path().to_str().unwrap()),
                "{error}"
            );
        }
        let of_variable = |value: &str| {
            settings(&[], &[(SECRET_VARIABLE, value)])
                .map(|form| form.secret().expose_secret().to_owned())
                .map_err(|error| error.to_string())
        };
        assert_eq!(of_variable("s3cret\r\n").unwrap(), "s3cret");
        assert_eq!(of_variable("\u{feff}s3cret").unwrap(), "s3cret");
        // An empty one counts as unset.
        assert_eq!(of_variable("").unwrap(), "");
        for (name, value, is_given) in [
            (SECRET_VARIABLE, "s3cret", true),
            (SECRET_VARIABLE, "", false),
            ("OTHER", "s3cret", false),
        ] {
            let variable = |one: &str| (one == name).then(|| value.into());
            let flags = SecretFlags::default();
            assert_eq!(flags.is_given(variable), is_given, "{name}={value}");
            let loaded = flags.load(variable);
            assert_eq!(loaded.is_ok_and(|it| it.is_some()), is_given);
        }
        let error = of_variable("s3\u{7f}cret").unwrap_err();
        assert!(
            error.contains(SECRET_VARIABLE) && error.contains("(U+007F)"),
            "{error}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn secret_file_readable_by_others_shows_a_notice() {
        use std::os::unix::fs::PermissionsExt;
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "s3cret").unwrap();
        let told = |mode: u32| {
            let mode = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(file.path(), mode).unwrap();
            let flags = ["--client-secret-file", file.path().to_str().unwrap()];
            let mut form = settings(&flags, &[]).unwrap();
            let told = form.secret_notice().map(str::to_owned);
            // The notice doesn't apply to another secret.
            form.set(Key::ClientSecret, "another".to_owned());
            assert_eq!(form.secret_notice(), None);
            told
        };
        assert_eq!(told(0o600), None);
        assert_eq!(told(0o400), None);
        for mode in [0o644, 0o640, 0o604] {
            let told = told(mode).unwrap();
            assert!(
                told.contains(file.path().to_str().unwrap()) && told.contains("chmod 600"),
                "{told}"
            );
        }
    }
}
