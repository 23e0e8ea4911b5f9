//! Parses the requests that git sends to its credential helper.

use std::io::{self, BufRead};

use url::Url;
use zeroize::Zeroizing;

use super::failed::failed;
use crate::console::standard_input::StandardInput;
use crate::oauth::url::is_loopback;
use crate::secret::SecretString;

/// Maximum size of a request, in bytes. Git sends less for one credential.
const LIMIT: u64 = 64 * 1024;

/// The credential that git requests or has finished with.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Credential {
    protocol: Option<String>,
    host: Option<String>,
    password: Option<Zeroizing<String>>,
}

impl Credential {
    /// Reads the request of git on standard input.
    ///
    /// # Errors
    /// Returns an error if standard input can't be read, or is too long.
    pub(super) fn read() -> io::Result<Self> {
        let bytes = request(StandardInput::lock());
        let bytes = bytes.map_err(|error| failed("Can't read standard input", &error))?;
        if bytes.len() as u64 > LIMIT {
            return Err(io::Error::other(format!(
                "Standard input has more than {} KiB, so it is not a request of git.",
                LIMIT / 1024
            )));
        }
        Ok(Self::parse(&bytes))
    }

    /// Parses lines of `key=value`. If a key is repeated, the last value counts.
    fn parse(bytes: &[u8]) -> Self {
        let mut credential = Self::default();
        for line in bytes.split(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            // A value that is not UTF-8 is neither a host nor one of this program's tokens.
            let Some((key, value)) = std::str::from_utf8(line)
                .ok()
                .and_then(|line| line.split_once('='))
            else {
                continue;
            };
            match key {
                "protocol" => credential.protocol = Some(value.to_owned()),
                "host" => credential.host = Some(value.to_owned()),
                "password" => credential.password = Some(Zeroizing::new(value.to_owned())),
                _ => {}
            }
        }
        credential
    }

    /// Returns the password that the server rejected.
    pub(super) fn password(&self) -> Option<SecretString> {
        let password = self.password.as_ref()?;
        Some(SecretString::from(password.as_str()))
    }

    /// Returns whether git would send the password to another machine without TLS.
    pub(super) fn is_sent_in_clear(&self) -> bool {
        if !self
            .protocol
            .as_deref()
            .is_some_and(|name| name.eq_ignore_ascii_case("http"))
        {
            return false;
        }
        let host = self.host.as_deref().unwrap_or_default();
        !Url::parse(&format!("http://{host}/")).is_ok_and(|url| is_loopback(&url))
    }
}

/// Reads a request, up to a blank line or the end, and at most one byte more than allowed.
fn request(reader: impl BufRead) -> io::Result<Zeroizing<Vec<u8>>> {
    let room = usize::try_from(LIMIT + 1).unwrap_or_default();
    // Growing the buffer would leave copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    let mut reader = reader.take(LIMIT + 1);
    loop {
        let start = bytes.len();
        reader.read_until(b'\n', &mut bytes)?;
        if matches!(&bytes[start..], b"" | b"\n" | b"\r\n") {
            return Ok(bytes);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;
    use crate::secret::same;

    #[test]
    fn request_ends_with_a_blank_line_and_is_limited() {
        for (input, length) in [
            (&b"host=a\npassword=b\n"[..], 18),
            (b"host=a\n\npassword=b\n", 8),
            (b"host=a\r\n\r\npassword=b\r\n", 10),
            (b"host=a", 6),
            (b"", 0),
        ] {
            assert_eq!(request(input).unwrap().len(), length);
        }
        let endless = io::BufReader::new(io::repeat(0));
        assert_eq!(request(endless).unwrap().len() as u64, LIMIT + 1);
    }

    #[test]
    fn git_credential_lines_are_parsed_among_unknown_lines() {
        let read = |text: &[u8]| {
            let credential = Credential::parse(text);
            let password = credential.password();
            (credential.host, password)
        };
        for (text, host, password) in [
            (
                &b"protocol=https\nhost=example.org\nusername=a\npassword=a=b c\n\n"[..],
                Some("example.org"),
                Some("a=b c"),
            ),
            (b"host=a\r\npassword=b\r\n", Some("a"), Some("b")),
            (
                b"capability[]=authtype\nhost\n=\n\xff=\npassword=x",
                None,
                Some("x"),
            ),
            (b"password=\xff\n", None, None),
            (b"", None, None),
        ] {
            let (read_host, read_password) = read(text);
            assert_eq!(read_host.as_deref(), host);
            let same = match (&read_password, password) {
                (Some(read), Some(password)) => same(read, password),
                (None, None) => true,
                _ => false,
            };
            assert!(same, "{text:?}");
        }
    }

    #[test]
    fn http_is_cleartext_except_to_this_machine() {
        for (text, in_clear) in [
            ("protocol=http\nhost=example.org", true),
            ("protocol=HTTP\nhost=example.org:8080", true),
            ("protocol=http\nhost=localhost.example.org", true),
            ("protocol=http\nhost=127.0.0.1@example.org", true),
            ("protocol=http", true),
            ("protocol=http\nhost=127.0.0.1:3000", false),
            ("protocol=http\nhost=localhost", false),
            ("protocol=http\nhost=[::1]:80", false),
            ("protocol=https\nhost=example.org", false),
            ("protocol=smtp\nhost=example.org:587", false),
            ("", false),
        ] {
            let credential = Credential::parse(text.as_bytes());
            assert_eq!(credential.is_sent_in_clear(), in_clear, "{text}");
        }
    }
}
