//! The SASL mechanisms that accept an access token: XOAUTH2, and OAUTHBEARER (RFC 7628).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::clean::{TEXT_LIMIT, clean};
use crate::secret::SecretString;

/// A SASL mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    /// The older mechanism, which nearly every service supports.
    Xoauth2,
    /// The standard mechanism (RFC 7628).
    Oauthbearer,
}

impl Mechanism {
    /// All mechanisms, the most common first.
    pub const ALL: [Self; 2] = [Self::Xoauth2, Self::Oauthbearer];

    /// Returns the name of the mechanism.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Xoauth2 => "XOAUTH2",
            Self::Oauthbearer => "OAUTHBEARER",
        }
    }

    /// Returns the mechanism with this name, in any letter case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let is_it = |it: &Self| it.name().eq_ignore_ascii_case(name);
        Self::ALL.into_iter().find(is_it)
    }

    /// Returns the message that signs in, in Base64. Only OAUTHBEARER names the host and port of the `server`, and only
    /// if they are known.
    #[must_use]
    pub fn message(self, user: &str, token: &str, server: Option<(&str, u16)>) -> SecretString {
        let start = match self {
            Self::Xoauth2 => format!("user={user}\u{1}"),
            Self::Oauthbearer => {
                let user = user.replace('=', "=3D").replace(',', "=2C");
                let server = server.map(|(host, port)| format!("host={host}\u{1}port={port}\u{1}"));
                format!("n,a={user},\u{1}{}", server.unwrap_or_default())
            }
        };
        let message = Zeroizing::new([&start, "auth=Bearer ", token, "\u{1}\u{1}"].concat());
        STANDARD.encode(message.as_bytes()).into()
    }

    /// Returns the line that answers a challenge with an error. The server then sends the final result.
    #[must_use]
    pub fn answer_to_error(self) -> &'static str {
        match self {
            Self::Xoauth2 => "",
            // A single 0x01 (RFC 7628, section 3.2.3).
            Self::Oauthbearer => "AQ==",
        }
    }
}

/// Returns the error in a challenge as cleaned text, usually JSON in Base64. A challenge that isn't Base64 is not
/// decoded.
#[must_use]
pub fn read_challenge(text: &str) -> String {
    let Some(decoded) = decoded(text.trim()) else {
        return clean(text, TEXT_LIMIT);
    };
    clean(&object(&decoded).unwrap_or(decoded), TEXT_LIMIT)
}

/// Returns a text, such as a log, in which each challenge that is JSON in Base64 is replaced by the JSON.
#[must_use]
pub fn with_read_challenges(text: &str) -> String {
    let read = |word: &str| {
        let of_json = word.trim_end().starts_with("ey").then(|| word.trim_end())?;
        let object = object(&decoded(of_json)?)?;
        Some(clean(&object, TEXT_LIMIT) + &word[of_json.len()..])
    };
    text.split_inclusive(char::is_whitespace)
        .map(|word| read(word).unwrap_or_else(|| word.to_owned()))
        .collect()
}

fn decoded(text: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(text).ok()?).ok()
}

/// Returns a JSON object without whitespace; `None` for any other text.
fn object(text: &str) -> Option<String> {
    let json: Value = serde_json::from_str(text).ok()?;
    json.is_object().then(|| json.to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;
    use crate::secret::ExposeSecret;

    #[test]
    fn messages_match_the_standards() {
        let text = |mechanism: Mechanism, user: &str| {
            let message = mechanism.message(user, "abc.def", Some(("mail.example.org", 993)));
            String::from_utf8(STANDARD.decode(message.expose_secret()).unwrap()).unwrap()
        };
        assert_eq!(
            text(Mechanism::Xoauth2, "a@example.org"),
            "user=a@example.org\u{1}auth=Bearer abc.def\u{1}\u{1}"
        );
        assert_eq!(
            text(Mechanism::Oauthbearer, "a,b=c@example.org"),
            "n,a=a=2Cb=3Dc@example.org,\u{1}host=mail.example.org\u{1}port=993\u{1}auth=Bearer abc.def\u{1}\u{1}"
        );
    }

    #[test]
    fn challenges_are_decoded_and_cleaned() {
        let base64 = |text: &str| STANDARD.encode(text);
        for (challenge, read) in [
            (
                base64("{ \"status\": \"400\",\n \"schemes\":\"Bearer\"}"),
                "{\"schemes\":\"Bearer\",\"status\":\"400\"}",
            ),
            (base64("plain\u{1b}[31m words"), "plain[31m words"),
            (base64("[1]"), "[1]"),
            ("not base64!".to_owned(), "not base64!"),
            (String::new(), ""),
            (STANDARD.encode([0xff, 0xfe]), "//4="),
        ] {
            assert_eq!(read_challenge(&challenge), read);
        }
    }

    #[test]
    fn challenges_in_a_log_are_decoded() {
        let challenge = STANDARD.encode("{\"status\":\"400\",\"schemes\":\"Bearer\"}");
        let read = "{\"schemes\":\"Bearer\",\"status\":\"400\"}";
        assert_eq!(
            with_read_challenges(&format!("C: AUTH\r\nS: 334 {challenge}\r\n+ {challenge}")),
            format!("C: AUTH\r\nS: 334 {read}\r\n+ {read}")
        );
        // A JWT, and a token that isn't JSON.
        for text in [
            "",
            " ",
            "eyJhbGciOiJub25lIn0.e30.",
            "eyJhbGciOiJ",
            "a=b  eye",
        ] {
            assert_eq!(with_read_challenges(text), text);
        }
    }
}
