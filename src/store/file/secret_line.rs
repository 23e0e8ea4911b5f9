//! A client secret in the first line of a file, a pipe or a text.

use std::io::{BufRead, BufReader};
use std::path::Path;

use zeroize::Zeroizing;

use super::named;
use super::read::{Kinds, ReadError, in_time, is_readable_by_others, open};
use crate::clean::{is_visible, trimmed};
use crate::secret::SecretString;

/// Maximum length of a client secret, in bytes.
pub const SECRET_LIMIT: u64 = 64 * 1024;

/// The first line of a file.
#[derive(Debug)]
pub struct SecretLine {
    /// The line, without its end.
    pub text: SecretString,
    /// Whether the mode of the file lets other users read it.
    pub is_readable_by_others: bool,
}

/// Reads the first line of a file or a pipe that the user named. Waits at most ten seconds for a pipe.
///
/// # Errors
/// Returns an error, as a clause about the file, if there is no usable line.
pub fn first_line_of_file(path: &Path) -> Result<SecretLine, String> {
    let path = named::cleaned(path);
    let line = in_time(move || {
        let file = open(&path, Kinds::WithPipes).map_err(|error| error.to_string())?;
        let is_readable_by_others = is_readable_by_others(&file);
        let text = first_line(BufReader::new(file))?;
        Ok(SecretLine {
            text,
            is_readable_by_others,
        })
    });
    line.unwrap_or_else(|error| Err(error.to_string()))
}

/// Reads the first line.
///
/// # Errors
/// Returns an error, as a clause, if there is no usable line.
pub fn first_line(reader: impl BufRead) -> Result<SecretString, String> {
    let mut line = Zeroizing::new(Vec::new());
    reader
        .take(SECRET_LIMIT + 1)
        .read_until(b'\n', &mut line)
        .map_err(|error| ReadError::from(error).to_string())?;
    if line.len() as u64 > SECRET_LIMIT {
        return Err(format!(
            "its first line is longer than {} KiB",
            SECRET_LIMIT / 1024
        ));
    }
    let text = std::str::from_utf8(&line)
        .map_err(|_| "its first line is not UTF-8. Save the file as UTF-8".to_owned())?;
    let secret = checked(text)?;
    if trimmed(secret).is_empty() {
        return Err("its first line is empty".to_owned());
    }
    Ok(secret.into())
}

/// Checks a secret, and returns it without its line end and without a byte order mark. Surrounding whitespace stays.
///
/// # Errors
/// Returns an error, as a clause, if it contains invisible characters: the user couldn't see that they are wrong.
pub fn checked(text: &str) -> Result<&str, String> {
    // Some editors write a byte order mark at the start.
    let text = text.trim_start_matches('\u{feff}');
    let text = text.trim_end_matches(['\r', '\n']);
    let inner = trimmed(text);
    let before = text.find(inner).unwrap_or_default();
    let first = text[..before].chars().count() + 1;
    match inner.chars().zip(first..).find(|(ch, _)| !is_visible(*ch)) {
        None => Ok(text),
        Some((ch, place)) => {
            let kind = if ch.is_control() {
                "a control character"
            } else {
                "an invisible character"
            };
            let code = u32::from(ch);
            Err(format!(
                "character {place} is {kind} (U+{code:04X}). Enter the secret without it"
            ))
        }
    }
}
