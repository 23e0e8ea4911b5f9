//! The trace of the HTTP exchanges, fit to be sent to a support desk.
//!
//! Secrets, codes and tokens are replaced before an entry exists. Only what is known to be harmless is shown;
//! all else is replaced by its length, so that a member nobody has heard of cannot leak.

use std::time::Duration;

use base64::Engine;
use serde_json::Value;
use url::{Url, form_urlencoded};

use super::http::HttpError;
use crate::oauth::client::Request;
use crate::oauth::token::Answer;
use crate::secret::{ExposeSecret, SecretString, clean};

/// Parameters and members whose values tell no secret.
const HARMLESS: &[&str] = &[
    "access_type",
    "audience",
    "client_id",
    "client_key",
    "code_challenge_method",
    "correlation_id",
    "description",
    "error",
    "error_codes",
    "error_description",
    "error_uri",
    "expires_in",
    "grant_type",
    "interval",
    "iss",
    "login_hint",
    "message",
    "ok",
    "prompt",
    "redirect_uri",
    "resource",
    "response_type",
    "request_id",
    "scope",
    "scopes",
    "status",
    "timestamp",
    "token_access_type",
    "token_type",
    "trace_id",
    "trackingId",
    "verification_uri",
    "verification_url",
];

/// Names of parameters and members whose values are secrets; the names themselves tell none.
const NAMES: &[&str] = &[
    "access_token",
    "assertion",
    "client_secret",
    "code",
    "code_challenge",
    "code_verifier",
    "device_code",
    "id_token",
    "nonce",
    "refresh_token",
    "session_state",
    "state",
    "user_code",
    "verification_uri_complete",
];

/// Answer headers worth showing; cookies are not.
const HEADERS: &[&str] = &[
    "content-type",
    "date",
    "retry-after",
    "server",
    "www-authenticate",
    "x-request-id",
    "x-ms-request-id",
];

/// No line of the trace is longer.
const LINE_LIMIT: usize = 600;
/// No entry has more lines.
const ENTRY_LIMIT: usize = 120;

/// One exchange, in lines of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange(Vec<String>);

impl Exchange {
    /// The lines, the first one with method, URL, outcome and time.
    #[must_use]
    pub fn lines(&self) -> &[String] {
        &self.0
    }

    /// A form that was posted, and what came of it.
    #[must_use]
    pub fn posted(request: &Request, outcome: &Result<Answer, HttpError>, took: Duration) -> Self {
        let secrets = sent_secrets(request);
        let result = match outcome {
            Ok(answer) => answer.status.to_string(),
            Err(error) => error.to_string(),
        };
        let mut lines = vec![format!(
            "POST {} -> {result} ({} ms)",
            harmless_url(&request.url),
            took.as_millis()
        )];
        if let Some(authorization) = &request.authorization {
            let scheme = authorization
                .expose_secret()
                .split(' ')
                .next()
                .unwrap_or_default();
            lines.push(format!(
                "  > authorization: {} {}",
                clean(scheme, 20),
                replaced(authorization.expose_secret())
            ));
        }
        lines.extend(
            form(request.body.expose_secret())
                .into_iter()
                .map(|line| format!("  > {line}")),
        );
        if let Ok(answer) = outcome {
            lines.extend(answer_lines(answer));
        }
        Self::new(lines, &secrets)
    }

    /// A document that was asked for without credentials, and what came of it.
    #[must_use]
    pub fn got(url: &Url, outcome: &Result<Answer, HttpError>, took: Duration) -> Self {
        let result = match outcome {
            Ok(answer) => answer.status.to_string(),
            Err(error) => error.to_string(),
        };
        let mut lines = vec![format!(
            "GET {} -> {result} ({} ms)",
            harmless_url(url),
            took.as_millis()
        )];
        if let Ok(answer) = outcome {
            lines.extend(answer_lines(answer));
        }
        Self::new(lines, &[])
    }

    /// A callback that came to the listener or was pasted, and what was made of it.
    #[must_use]
    pub fn callback(way: &str, query: &str, verdict: &str) -> Self {
        let mut lines = vec![format!("{way} -> {verdict}")];
        lines.extend(form(query).into_iter().map(|line| format!("  < {line}")));
        let secrets: Vec<String> = form_urlencoded::parse(query.as_bytes())
            .filter(|(name, _)| !is_harmless(name))
            .map(|(_, value)| value.into_owned())
            .collect();
        Self::new(lines, &secrets)
    }

    /// Replaces what an answer may have repeated of the secrets that were sent, and bounds the entry.
    fn new(lines: Vec<String>, secrets: &[String]) -> Self {
        let mut lines: Vec<String> = lines
            .into_iter()
            .map(|line| {
                // Short values occur by chance; a secret that short is none.
                let line = secrets
                    .iter()
                    .filter(|secret| secret.len() >= 4)
                    .fold(line, |line, secret| {
                        line.replace(secret.as_str(), &replaced(secret))
                    });
                let indent = line.len() - line.trim_start().len();
                format!("{}{}", " ".repeat(indent.min(4)), clean(&line, LINE_LIMIT))
            })
            .collect();
        if lines.len() > ENTRY_LIMIT {
            lines.truncate(ENTRY_LIMIT);
            lines.push("  ...".to_owned());
        }
        Self(lines)
    }
}

fn is_harmless(name: &str) -> bool {
    HARMLESS.contains(&name)
}

fn replaced(value: &str) -> String {
    format!("[replaced, {} characters]", value.chars().count())
}

/// The values of a request that must not appear, wherever the server may repeat them, and however encoded.
/// The body of an answer with an error, without what it repeats of the secrets that were sent: its words come to
/// the screen.
#[must_use]
pub(super) fn without_sent(request: &Request, answer: &Answer) -> Option<SecretString> {
    let body = answer.body.expose_secret();
    let json = serde_json::from_str::<Value>(body).ok();
    let has_error = json
        .as_ref()
        .is_some_and(|json| json.get("error").is_some());
    if answer.status < 400 && !has_error {
        // Tokens may be the same as before.
        return None;
    }
    let mut text = body.to_owned();
    for secret in sent_secrets(request) {
        // Shorter values occur by chance; a secret that short is none.
        if secret.len() >= 6 {
            text = text.replace(&secret, &replaced(&secret));
        }
    }
    (text != body).then(|| text.into())
}

fn sent_secrets(request: &Request) -> Vec<String> {
    let body = form_urlencoded::parse(request.body.expose_secret().as_bytes());
    let mut secrets: Vec<String> = body
        .filter(|(name, _)| !is_harmless(name))
        .map(|(_, value)| value.into_owned())
        .collect();
    if let Some(header) = &request.authorization {
        let credentials = header
            .expose_secret()
            .rsplit(' ')
            .next()
            .unwrap_or_default();
        secrets.push(credentials.to_owned());
        let decoded = base64::engine::general_purpose::STANDARD
            .decode(credentials)
            .unwrap_or_default();
        if let Some((_, secret)) = String::from_utf8_lossy(&decoded).split_once(':') {
            let plain = format!("x={secret}");
            secrets.extend(
                form_urlencoded::parse(plain.as_bytes()).map(|(_, value)| value.into_owned()),
            );
        }
    }
    let encoded: Vec<String> = secrets
        .iter()
        .map(|text| form_urlencoded::byte_serialize(text.as_bytes()).collect())
        .collect();
    secrets.extend(encoded);
    secrets
}

/// A name, where it is one that is known: what stands in its place may be anything.
fn known_name(name: &str) -> String {
    if is_harmless(name) || NAMES.contains(&name) {
        name.to_owned()
    } else {
        replaced(name)
    }
}

/// A form, a line for a parameter.
fn form(text: &str) -> Vec<String> {
    form_urlencoded::parse(text.as_bytes())
        .map(|(name, value)| {
            let shown = match name.as_ref() {
                "redirect_uri" | "verification_uri" | "error_uri" => harmless_text_url(&value),
                other if is_harmless(other) => value.into_owned(),
                _ => replaced(&value),
            };
            format!("{}={shown}", known_name(&name))
        })
        .collect()
}

fn harmless_text_url(text: &str) -> String {
    Url::parse(text).map_or_else(|_| replaced(text), |url| harmless_url(&url))
}

/// A URL without what its query may hold.
fn harmless_url(url: &Url) -> String {
    let mut bare = url.clone();
    bare.set_fragment(None);
    bare.set_query(None);
    let _ = bare.set_username("");
    let _ = bare.set_password(None);
    let query: Vec<String> = url.query().map(form).unwrap_or_default();
    if query.is_empty() {
        bare.to_string()
    } else {
        format!("{bare}?{}", query.join("&"))
    }
}

fn answer_lines(answer: &Answer) -> Vec<String> {
    let mut lines: Vec<String> = answer
        .headers
        .iter()
        .filter(|(name, _)| HEADERS.contains(&name.as_str()))
        .map(|(name, value)| format!("  < {name}: {value}"))
        .collect();
    let body = answer.body.expose_secret();
    let trimmed = body.trim();
    if let Ok(value @ Value::Object(_)) = serde_json::from_str(trimmed) {
        json("", &value, &mut lines);
    } else if is_form(trimmed) {
        lines.extend(form(trimmed).into_iter().map(|line| format!("  < {line}")));
    } else {
        lines.push(format!(
            "  < [a body of {} bytes that is neither JSON nor a form]",
            body.len()
        ));
    }
    lines
}

/// True for a form that holds at least one name of the protocol.
fn is_form(body: &str) -> bool {
    let begins_as_one = body.starts_with(|ch: char| ch.is_ascii_lowercase());
    begins_as_one
        && form_urlencoded::parse(body.as_bytes())
            .any(|(name, _)| is_harmless(&name) || NAMES.contains(&name.as_ref()))
}

/// A JSON value, a line for a leaf.
fn json(path: &str, value: &Value, lines: &mut Vec<String>) {
    let name = path
        .rsplit('.')
        .find(|part| part.parse::<usize>().is_err())
        .unwrap_or_default();
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                let key = clean(key, 60);
                json(
                    &if path.is_empty() {
                        key
                    } else {
                        format!("{path}.{key}")
                    },
                    value,
                    lines,
                );
            }
        }
        Value::Array(list) => {
            for (at, value) in list.iter().enumerate() {
                json(&format!("{path}.{at}"), value, lines);
            }
        }
        // A number can be a code.
        Value::Number(_) if !is_harmless(name) => {
            lines.push(format!("  < {path}: {}", replaced(&value.to_string())));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            lines.push(format!("  < {path}: {value}"));
        }
        Value::String(text)
            if name.starts_with("verification_ur")
                || name.ends_with("_endpoint")
                || name == "issuer" =>
        {
            lines.push(format!("  < {path}: {}", harmless_text_url(text)));
        }
        Value::String(text) if is_harmless(name) || name.ends_with("_supported") => {
            lines.push(format!("  < {path}: {text}"));
        }
        Value::String(text) => lines.push(format!("  < {path}: {}", replaced(text))),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends on what it did not expect")]
mod tests {
    use super::*;

    fn request(body: &str, authorization: Option<&str>) -> Request {
        Request {
            url: Url::parse("https://as.example/token?session=s3cret-query").unwrap(),
            authorization: authorization.map(SecretString::from),
            body: body.into(),
        }
    }

    fn answer(body: &str) -> Answer {
        let headers = [
            ("content-type", "application/json"),
            ("set-cookie", "sid=s3cret-cookie"),
        ];
        Answer {
            status: 400,
            retry_after: None,
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
            body: body.into(),
        }
    }

    #[test]
    fn secrets_codes_and_tokens_are_replaced_and_the_rest_is_told() {
        let sent = request(
            "grant_type=authorization_code&code=s3cret-code&code_verifier=s3cret-verifier&client_secret=s3cret-%2B&client_id=me&made_up=s3cret-unknown",
            Some("Basic s3cret-basic"),
        );
        let body = r#"{"access_token":"s3cret-a","refresh_token":"s3cret-r","id_token":"s3cret-i","authed_user":{"access_token":"s3cret-n"},
            "expires_in":3600,"scope":"openid","secrets":["s3cret-list"],"pin":1234567,
            "error":"invalid_grant","error_description":"bad code s3cret-code for s3cret-+"}"#;
        let text = Exchange::posted(&sent, &Ok(answer(body)), Duration::from_millis(12))
            .lines()
            .join("\n");
        assert!(
            !text.contains("s3cret") && !text.contains("1234567"),
            "{text}"
        );
        for told in [
            "POST https://as.example/token?[replaced, 7 characters]=[replaced, 12 characters] -> 400 (12 ms)",
            "> authorization: Basic [replaced",
            "> grant_type=authorization_code",
            "> client_id=me",
            "< content-type: application/json",
            "< expires_in: 3600",
            "< scope: openid",
            "< error: invalid_grant",
            "< error_description: bad code [replaced, 11 characters] for",
            "< authed_user.access_token: [replaced",
        ] {
            assert!(text.contains(told), "{told}\n{text}");
        }
    }

    #[test]
    fn pages_and_broken_bodies_are_told_by_their_length_only() {
        for body in [
            "<html>s3cret</html>",
            "{\"access_token\":\"s3cret=\",\"tok",
            "[\"s3cret=\"]",
            "s3cret=",
            "s3cret words",
        ] {
            let text = Exchange::posted(&request("", None), &Ok(answer(body)), Duration::ZERO)
                .lines()
                .join("\n");
            assert!(
                !text.contains("s3cret words")
                    && !text.contains("html>")
                    && text.contains("neither JSON nor a form"),
                "{text}"
            );
        }
    }

    #[test]
    fn a_callback_shows_what_it_is_without_its_code_and_state() {
        let query = "code=s3cret-code&state=s3cret-state&iss=https%3A%2F%2Fas.example&error_description=no+s3cret-code";
        let text = Exchange::callback("GET /callback", query, "taken")
            .lines()
            .join("\n");
        assert!(!text.contains("s3cret"), "{text}");
        assert!(
            text.contains("iss=https://as.example")
                && text.contains("error_description=no [replaced"),
            "{text}"
        );
    }

    #[test]
    fn an_error_repeats_no_secret() {
        let sent = request("client_secret=hunter2-hunter2&refresh_token=r3fr3sh", None);
        let answer = |status, body: &str| Answer {
            status,
            retry_after: None,
            headers: Vec::new(),
            body: body.into(),
        };
        let body = r#"{"error":"invalid_grant","error_description":"hunter2-hunter2 and r3fr3sh are wrong"}"#;
        for status in [200, 400] {
            let without = without_sent(&sent, &answer(status, body)).unwrap();
            let without = without.expose_secret();
            assert!(
                !without.contains("hunter2") && !without.contains("r3fr3sh"),
                "{without}"
            );
            assert!(without.contains("are wrong"), "{without}");
        }
        // A refresh may bring back the token that was sent.
        let body = r#"{"access_token":"a","refresh_token":"r3fr3sh"}"#;
        assert!(without_sent(&sent, &answer(200, body)).is_none());
    }

    #[test]
    fn a_secret_sent_by_basic_is_replaced_where_the_server_repeats_it() {
        let basic = base64::engine::general_purpose::STANDARD.encode("me:s3cret%2Bs3cret");
        let sent = request("grant_type=refresh_token", Some(&format!("Basic {basic}")));
        let body = format!(
            r#"{{"error":"e","error_description":"s3cret+s3cret s3cret%2Bs3cret {basic}"}}"#
        );
        let text = Exchange::posted(&sent, &Ok(answer(&body)), Duration::ZERO)
            .lines()
            .join("\n");
        assert!(!text.contains("s3cret") && !text.contains(&basic), "{text}");
    }

    #[test]
    fn an_entry_is_bounded() {
        let body = format!(
            "{{\"scope\":\"{}\",\"a\":[{}]}}",
            "x".repeat(100_000),
            vec!["1"; 5000].join(",")
        );
        let exchange = Exchange::posted(&request("", None), &Ok(answer(&body)), Duration::ZERO);
        assert!(exchange.lines().len() <= ENTRY_LIMIT + 1);
        assert!(
            exchange
                .lines()
                .iter()
                .all(|line| line.chars().count() <= LINE_LIMIT + 5)
        );
    }
}
