//! Finds the token in the input of `inspect`: alone, in a header, in a token response, in the redirect URL, or in the
//! message of a mail program.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::wiped::Wiped;
use crate::clean::{trimmed, unquoted};
use crate::oauth::id_token::{decode, is_encrypted};
use crate::secret::SecretString;
use crate::session::Value as Kind;

/// A token from the input.
#[derive(Debug)]
pub(super) struct Given {
    /// The kind of token; `None` if the input doesn't say so.
    pub(super) kind: Option<Kind>,
    pub(super) token: SecretString,
}

/// The tokens of a response, in order of preference.
const KINDS: [Kind; 3] = [Kind::Access, Kind::Id, Kind::Refresh];

/// Finds the token in the input. In a text with other words, such as a header, the token is the last word.
///
/// # Errors
/// Returns an error, as a sentence, if there is no token.
pub(super) fn token(text: &str) -> Result<Given, String> {
    let text = trimmed(text);
    let text = unquoted(text).unwrap_or(text);
    if text.starts_with('{') {
        return of_response(text);
    }
    let alone = |token: &str| Given {
        kind: None,
        token: token.into(),
    };
    if let Some(given) = of_form(text) {
        return Ok(given);
    }
    let words: Vec<&str> = text.split_whitespace().map(without_name).collect();
    // A terminal or an editor may have wrapped the token. The header of a JWT is JSON, so its base64 starts with `ey`.
    let first = words.iter().position(|word| word.starts_with("ey"));
    let joined = Zeroizing::new(words[first.unwrap_or_default()..].concat());
    if decode(&joined).is_some() || is_encrypted(&joined) {
        return Ok(alone(&joined));
    }
    match words.last() {
        Some(last) => Ok(of_sasl(last).unwrap_or_else(|| alone(last))),
        None => Err("Pass a token on standard input, or name a profile.".to_owned()),
    }
}

/// Removes the name of a variable in front of a JWT, as in `ACCESS_TOKEN=eyJ…`.
fn without_name(word: &str) -> &str {
    let is_name = |name: &str| {
        name.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    match word.split_once('=') {
        Some((name, token)) if is_name(name) && token.trim_matches('"').starts_with("ey") => {
            unquoted(token).unwrap_or(token)
        }
        _ => word,
    }
}

/// Finds the token in a form-encoded response, or in the query or fragment of a URL.
fn of_form(text: &str) -> Option<Given> {
    let member = |kind: Kind| {
        let parts = text.split(['?', '#']);
        let mut members = parts.flat_map(|part| form_urlencoded::parse(part.as_bytes()));
        let (_, token) = members.find(|(key, token)| key == kind.member() && !token.is_empty())?;
        let token = Zeroizing::new(token.into_owned());
        Some(Given {
            kind: Some(kind),
            token: token.as_str().into(),
        })
    };
    KINDS.into_iter().find_map(member)
}

/// Finds the token in the Base64 of a SASL message (XOAUTH2, OAUTHBEARER), as a mail program sends it.
fn of_sasl(word: &str) -> Option<Given> {
    let bytes = Zeroizing::new(STANDARD.decode(word).ok()?);
    let message = std::str::from_utf8(&bytes).ok()?;
    let (_, rest) = message.split_once("\u{1}auth=Bearer ")?;
    let (token, _) = rest.split_once('\u{1}')?;
    Some(Given {
        kind: Some(Kind::Access),
        token: token.into(),
    })
}

/// Finds the token in a JSON object.
fn of_response(text: &str) -> Result<Given, String> {
    let object: Wiped = serde_json::from_str(text).map_err(|_| {
        "Standard input begins like JSON but isn't valid JSON. Pass the whole response, or only the token.".to_owned()
    })?;
    let member = |kind: Kind| match object.0.get(kind.member()) {
        Some(Value::String(token)) if !token.is_empty() => Some(Given {
            kind: Some(kind),
            token: token.as_str().into(),
        }),
        _ => None,
    };
    let given = KINDS.into_iter().find_map(member);
    given.ok_or_else(|| {
        format!(
            "The JSON on standard input has none of {}. Pass the response of a token endpoint, or only the token.",
            KINDS.map(Kind::member).join(", ")
        )
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;
    use crate::secret::ExposeSecret;

    /// The header is `{"alg":"none"}`, the payload `{"sub":"alice"}`.
    const JWT: &str = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.c2ln";
    /// The header is `{"enc":"x"}`.
    const ENCRYPTED: &str = "eyJlbmMiOiJ4In0.a.b.c.d";

    fn read(text: &str) -> Result<(Option<&'static str>, String), String> {
        token(text).map(|given| {
            (
                given.kind.map(Kind::member),
                given.token.expose_secret().to_owned(),
            )
        })
    }

    #[test]
    fn token_is_found_in_headers_and_wrapped_text() {
        let wrapped = |token: &str, at: usize, between: &str| {
            format!("{}{between}{}", &token[..at], &token[at..])
        };
        for (text, token) in [
            (JWT.to_owned(), JWT),
            (format!("\u{feff}{JWT}\r\n"), JWT),
            (format!("\"{JWT}\"\n"), JWT),
            (format!("Authorization: Bearer {JWT}\r\n"), JWT),
            (wrapped(JWT, 10, "\n"), JWT),
            (wrapped(JWT, 30, "\r\n  "), JWT),
            (wrapped(JWT, 20, " ") + "\n", JWT),
            (wrapped(&wrapped(JWT, 40, "\n"), 20, "\n"), JWT),
            (format!("Bearer {}", wrapped(JWT, 25, "\n")), JWT),
            (wrapped(ENCRYPTED, 18, "\n"), ENCRYPTED),
            // Two tokens must not be joined.
            (format!("{JWT} {JWT}"), JWT),
            (
                format!("{JWT}\nanother.opaque.token\n"),
                "another.opaque.token",
            ),
            ("Bearer opaque-token".to_owned(), "opaque-token"),
            (format!("ACCESS_TOKEN={JWT}"), JWT),
            (format!("export TOKEN=\"{JWT}\""), JWT),
            (
                "ACCESS_TOKEN=eyJhbGciOiJub25lIn0.eyJz".to_owned(),
                "eyJhbGciOiJub25lIn0.eyJz",
            ),
        ] {
            assert_eq!(read(&text), Ok((None, token.to_owned())), "{text}");
        }
        assert!(read(" \n").unwrap_err().starts_with("Pass a token"));
    }

    #[test]
    fn token_is_found_in_forms_urls_and_sasl_messages() {
        for (text, member, token) in [
            (
                "expires_in=3600&refresh_token=r&access_token=a%2Fb".to_owned(),
                Some("access_token"),
                "a/b",
            ),
            (
                "https://app.example/cb?x=1#id_token=i&state=s".to_owned(),
                Some("id_token"),
                "i",
            ),
            (
                "https://app.example/cb?access_token=a#_=_".to_owned(),
                Some("access_token"),
                "a",
            ),
            (
                format!(
                    "AUTH XOAUTH2 {}",
                    STANDARD.encode("user=a\u{1}auth=Bearer abc\u{1}\u{1}")
                ),
                Some("access_token"),
                "abc",
            ),
            (
                STANDARD.encode("n,a=a,\u{1}host=h\u{1}port=1\u{1}auth=Bearer abc\u{1}\u{1}"),
                Some("access_token"),
                "abc",
            ),
            // Opaque tokens with such characters.
            ("abc==".to_owned(), None, "abc=="),
            ("access_token=".to_owned(), None, "access_token="),
            ("dXNlcg==".to_owned(), None, "dXNlcg=="),
        ] {
            assert_eq!(read(&text), Ok((member, token.to_owned())), "{text}");
        }
    }

    #[test]
    fn tokens_in_a_response_are_picked_in_order() {
        for (text, member, token) in [
            (
                r#"{"token_type":"Bearer","refresh_token":"r","id_token":"i","access_token":"a"}"#,
                "access_token",
                "a",
            ),
            (r#" {"access_token":"","id_token":"i"} "#, "id_token", "i"),
            (
                "{\n\"access_token\": null,\n\"refresh_token\": \"r s\"\n}",
                "refresh_token",
                "r s",
            ),
        ] {
            let read = read(text);
            assert_eq!(read, Ok((Some(member), token.to_owned())), "{text}");
        }
        for (text, words) in [
            (r#"{"error":"invalid_grant"}"#, "none of access_token, id"),
            (r#"{"access_token":"abc","#, "isn't valid JSON"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(words) && !error.contains("abc"), "{error}");
        }
    }
}
