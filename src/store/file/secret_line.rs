//! A client secret in the first line of a file, a pipe or a text.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use zeroize::Zeroizing;

use super::named;
use super::read::{Kinds, ReadError, in_time, is_readable_by_others, open};
use crate::clean::{is_visible, trimmed};
use crate::oauth::jose::pem;
use crate::oauth::other_file::OtherFile;
use crate::secret::{self, SecretString};

/// Maximum length of a client secret, in bytes.
pub const SECRET_LIMIT: u64 = 64 * 1024;
/// What is wrong with a line in another encoding.
const NOT_UTF_8: &str = "its first line is not UTF-8. Save the client secret in that encoding";
/// The buffer for the line, in bytes. Most lines are much shorter.
const LINE_BUFFER: usize = 4 * 1024;

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
pub fn first_line(mut reader: impl BufRead) -> Result<SecretString, String> {
    // Growing the buffer would leave copies behind.
    let mut line = Zeroizing::new(Vec::with_capacity(LINE_BUFFER));
    reader
        .by_ref()
        .take(SECRET_LIMIT + 1)
        .read_until(b'\n', &mut line)
        .map_err(|error| ReadError::from(error).to_string())?;
    if line.len() as u64 > SECRET_LIMIT {
        return Err(format!(
            "its first line is longer than {} KiB",
            SECRET_LIMIT / 1024
        ));
    }
    let decoded;
    let text = if is_wide(&line) {
        decoded = wide_line(&mut reader, &mut line)?;
        decoded.as_str()
    } else {
        std::str::from_utf8(&line).map_err(|_| NOT_UTF_8)?
    };
    let secret = checked(text)?;
    if is_start_of_json(secret) {
        let rest = secret::read(reader, SECRET_LIMIT);
        let rest = rest.map_err(|error| ReadError::from(error).to_string())?;
        if !rest.trim_ascii().is_empty() {
            let whole = Zeroizing::new([text.as_bytes(), rest.as_slice()].concat());
            let whole = std::str::from_utf8(&whole).unwrap_or_default();
            return Err(other_file(OtherFile::of(whole).unwrap_or(OtherFile::Json)));
        }
    }
    if trimmed(secret).is_empty() {
        return Err("its first line is empty".to_owned());
    }
    Ok(secret.into())
}

/// Returns whether the line begins as text in UTF-16, which Windows PowerShell writes with `>`.
fn is_wide(line: &[u8]) -> bool {
    matches!(
        line,
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [1..=127, 0, ..] | [0, 1..=127, ..]
    )
}

/// Decodes a line in UTF-16 that was read up to a byte of its line end.
fn wide_line(
    reader: &mut impl BufRead,
    line: &mut Zeroizing<Vec<u8>>,
) -> Result<Zeroizing<String>, String> {
    let ends = line.ends_with(b"\n");
    if ends && line.len() % 2 == 1 {
        let rest = reader.by_ref().take(1).read_to_end(line);
        rest.map_err(|error| ReadError::from(error).to_string())?;
    }
    // The byte may also be half of another character, and half a character may be missing.
    let text = pem::in_utf8(line).filter(|text| text.ends_with('\n') == ends);
    let text = text.filter(|_| line.len().is_multiple_of(2));
    text.ok_or_else(|| NOT_UTF_8.to_owned())
}

/// Returns whether JSON that begins with this line goes on in the next line.
fn is_start_of_json(line: &str) -> bool {
    let parsed: Result<serde::de::IgnoredAny, _> = serde_json::from_str(line);
    trimmed(line).starts_with('{') && parsed.is_err_and(|error| error.is_eof())
}

fn other_file(file: OtherFile) -> String {
    format!("it is {}", file.words())
}

/// Checks a secret, and returns it without its line end and without a byte order mark. Surrounding whitespace stays.
///
/// # Errors
/// Returns an error, as a clause, if it contains invisible characters: the user couldn't see that they are wrong. Also if
/// it is the content of a key file or of a JSON file.
pub fn checked(text: &str) -> Result<&str, String> {
    // Some editors write a byte order mark at the start.
    let text = text.trim_start_matches('\u{feff}');
    let text = text.trim_end_matches(['\r', '\n']);
    if let Some(file) = OtherFile::of(text) {
        return Err(other_file(file));
    }
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;
    use crate::secret::ExposeSecret;

    #[test]
    fn client_secret_in_utf_16_is_decoded() {
        let little =
            |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
        let big =
            |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_be_bytes).collect() };
        for text in ["s3cret~ü\r\nrest", "s3cret~ü\n", "s3cret~ü"] {
            let marked = format!("\u{feff}{text}");
            for bytes in [little(text), big(text), little(&marked), big(&marked)] {
                let secret = first_line(&*bytes).unwrap();
                assert_eq!(secret.expose_secret(), "s3cret~ü", "{bytes:?}");
            }
        }
        // One byte of these characters is that of a line feed.
        for text in ["\u{feff}s\u{10a}t", "\u{feff}s\u{a85}t"] {
            for bytes in [little(text), big(text)] {
                let secret = first_line(&*bytes);
                let whole = text.trim_start_matches('\u{feff}');
                assert!(secret.is_err() || secret.is_ok_and(|it| it.expose_secret() == whole));
            }
        }
        // Half a character is not dropped.
        for bytes in [
            &b"\xff\xfes\x003\x00c"[..],
            b"\xfe\xff\x00s\x003\x00",
            b"s\x003\x00\n",
        ] {
            let error = first_line(bytes).unwrap_err();
            assert!(error.contains("not UTF-8"), "{bytes:?}: {error}");
        }
        let error = first_line(&b"s\xfcret\n"[..]).unwrap_err();
        assert!(error.contains("not UTF-8"), "{error}");
    }

    #[test]
    fn keys_and_json_files_are_refused_as_secrets() {
        for (text, part) in [
            (
                "-----BEGIN PRIVATE KEY-----\nMIIsecret\n-----END PRIVATE KEY-----\n",
                "--client-key",
            ),
            (
                "-----BEGIN RSA PRIVATE KEY-----\\nMIIsecret",
                "--client-key",
            ),
            (
                "{\n  \"client_secret\": \"MIIsecret\"\n}\n",
                "value of client_secret",
            ),
            (
                "{\r\n\"web\": {\r\n\"x\": \"MIIsecret\"}}",
                "value of client_secret",
            ),
            (
                "{\"client_secret\":\"MIIsecret\"}",
                "value of client_secret",
            ),
            (
                "{\"installed\":{\"client_secret\":\"MIIsecret\"}}\n",
                "value of client_secret",
            ),
            (
                "{\"type\":\"service_account\",\"private_key\":\"MIIsecret\"}",
                "--service-account-file",
            ),
            (
                "{\n\"type\": \"service_account\",\n\"private_key\": \"MIIsecret\"\n}",
                "--service-account-file",
            ),
            ("{\"password\":\"MIIsecret\"}", "JSON, not a client secret"),
            ("{\n  secret: MIIsecret\n}\n", "JSON, not a client secret"),
        ] {
            let error = first_line(text.as_bytes()).map(|_| ()).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
            assert!(!error.contains("MIIsecret"), "{error}");
        }
        for text in [
            "{s3cret}",
            "{s3cret",
            "{\"s3",
            "{",
            "s{3}",
            "{}",
            "{s3cret}\nrest",
        ] {
            for end in ["", "\n", "\r\n", "\n\n"] {
                let secret = first_line(format!("{text}{end}").as_bytes());
                let line = text.lines().next();
                let secret = secret.as_ref().map(ExposeSecret::expose_secret);
                assert_eq!(secret.ok().map(trimmed), line, "{text}{end:?}");
            }
        }
    }
}
