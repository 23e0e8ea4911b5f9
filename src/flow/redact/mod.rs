//! Redaction: finds secrets in untrusted text, however they are encoded, shortened or disguised.
//!
//! This file decides what is secret; `names` knows the parameters and members of the protocol, and `search` finds
//! secrets in texts, also in base64 and hex. The whole word around a secret is replaced.

mod names;
mod search;

use std::borrow::Cow;
use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::{Map, Value};
use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

use crate::oauth::error_members::is_sentence;
use crate::oauth::parameters::parameters;
use crate::oauth::request::Request;
use crate::oauth::tools::Method;
use crate::secret::{ExposeSecret, SecretString};

use names::{SECRET, is_error_word};
pub(super) use names::{is_address, is_harmless, is_known_name};
pub(super) use search::redacted;
use search::{ESCAPES, Index, LONGEST_WORD, RUN, SHORTEST, letters, replace};

/// Maximum number of short secrets. Each requires a search of its own.
const SHORT_LIMIT: usize = 64;
/// Maximum number of bytes of known secrets that are also searched for in base64 and hex.
const ENCODED_LIMIT: usize = 64 * 1024;
/// The same limit for possible secrets, of which there may be thousands.
const POSSIBLE_LIMIT: usize = 8 * 1024;
/// Maximum number of parts of a URL.
const PARTS_LIMIT: usize = 64;
/// Maximum size of all secrets of a run, in bytes. The oldest are forgotten first.
const KNOWN_LIMIT: usize = 256 * 1024;

/// The secrets to find in texts.
#[derive(Debug, Clone, Default)]
pub struct Secrets {
    list: Vec<SecretString>,
    /// Possible secrets of the latest response or callback.
    possible: Vec<SecretString>,
    /// The latest client assertion. Each is sent only once, so earlier ones are forgotten in favor of other secrets.
    assertion: Option<SecretString>,
}

impl Secrets {
    fn is_empty(&self) -> bool {
        self.list.is_empty() && self.possible.is_empty()
    }

    /// Adds a secret of the run, to be found in all later texts. Texts of fewer than four characters occur by chance
    /// and don't count. Of a URL, only the parameters and random-looking parts of the path are secret.
    pub fn remember(&mut self, secret: &str) {
        if secret.len() > KNOWN_LIMIT {
            return;
        }
        for part in parts(secret) {
            let known = |known: &SecretString| known.expose_secret() == part.as_ref();
            if part.chars().nth(SHORTEST - 1).is_some() && !self.list.iter().any(known) {
                self.list.push(part.as_ref().into());
            }
        }
        let mut size: usize = self.list.iter().map(|s| s.expose_secret().len()).sum();
        while size > KNOWN_LIMIT {
            size -= self.list.remove(0).expose_secret().len();
        }
    }

    /// Remembers a user code and its halves, because each half gives the code away.
    pub(super) fn remember_user_code(&mut self, code: &str) {
        self.remember(code);
        for half in code.split(['-', ' ']).filter(|half| half.len() >= SHORTEST) {
            self.remember(half);
        }
    }

    /// Remembers the values of a request in body, query and header, except for those that are known to be harmless.
    pub(super) fn remember_sent(&mut self, request: &Request) {
        let query = request.url.query().unwrap_or_default();
        let body = match request.method {
            // A JSON object contains no secret: secrets are in the header.
            Method::Json => "",
            Method::Post | Method::Bare | Method::Get => request.body.expose_secret(),
        };
        for form in [body, query] {
            for (name, value) in form_urlencoded::parse(form.as_bytes()) {
                if name == "client_assertion" {
                    let assertion = SecretString::from(value.as_ref());
                    if let Some(before) = self.assertion.replace(assertion) {
                        self.list
                            .retain(|known| known.expose_secret() != before.expose_secret());
                    }
                }
                if !is_harmless(&name) {
                    self.remember(&value);
                }
            }
        }
        let Some(header) = &request.authorization else {
            return;
        };
        let credentials = header.expose_secret().rsplit(' ').next();
        let credentials = credentials.unwrap_or_default();
        self.remember(credentials);
        let decoded = base64::engine::general_purpose::STANDARD
            .decode(credentials)
            .map(Zeroizing::new)
            .unwrap_or_default();
        // The secret is form-encoded before it is base64-encoded (RFC 6749, section 2.3.1).
        if let Some((_, secret)) = String::from_utf8_lossy(&decoded).split_once(':') {
            self.remember(secret);
            let form = Zeroizing::new(format!("x={secret}"));
            for (_, secret) in form_urlencoded::parse(form.as_bytes()) {
                self.remember(&secret);
            }
        }
    }

    /// Replaces the possible secrets with the parameters of a callback or paste.
    pub(super) fn consider_query(&mut self, query: &str) {
        self.possible.clear();
        for (name, value) in parameters(query) {
            let secret = (SECRET.contains(&name.as_str()) || name == "code")
                && value.chars().nth(SHORTEST - 1).is_some();
            if secret || (!is_harmless(&name) && may_be_secret(&value)) {
                self.possible.push(value.into());
            }
        }
    }

    /// Remembers the tokens and codes of a response, and replaces the possible secrets with its unknown members.
    pub(super) fn consider_answer(&mut self, members: &Map<String, Value>) {
        self.possible.clear();
        each_leaf(members, &mut |name, value| {
            let number;
            let text = match value {
                Value::String(text) => text,
                Value::Number(value) => {
                    number = value.to_string();
                    &number
                }
                Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return,
            };
            // Some services send an error message in place of the token.
            if is_error_word(text) || (name == "access_token" && is_sentence(text)) {
                return;
            }
            if name == "request_uri" {
                // The reference stands for the parameters of a sign-in. Its usual prefix (RFC 9126, section 2.2) is the
                // same for everyone.
                let reference = text.strip_prefix("urn:ietf:params:oauth:request_uri:");
                self.remember(reference.unwrap_or(text));
            } else if SECRET.contains(&name) {
                if text.len() > KNOWN_LIMIT {
                    self.possible.push(text.as_str().into());
                } else if name == "user_code" {
                    self.remember_user_code(text);
                } else {
                    self.remember(text);
                }
            } else if !is_harmless(name) && may_be_secret(text) {
                self.possible.push(text.as_str().into());
            }
        });
    }

    /// Replaces each word of `texts` that contains a secret or a telling part of it.
    pub(super) fn redact(&self, texts: &mut [&mut String]) {
        if self.is_empty() || texts.is_empty() {
            return;
        }
        let mut index = Index::new(texts);
        let mut shorts = 0;
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut left = (ENCODED_LIMIT, POSSIBLE_LIMIT);
        let known = self.list.iter().map(|secret| (secret, true));
        let possible = self.possible.iter().map(|secret| (secret, false));
        for (secret, known) in known.chain(possible) {
            let secret = secret.expose_secret();
            let encodable = if known { &mut left.0 } else { &mut left.1 };
            if letters(secret, false).nth(RUN - 1).is_some() {
                index.find(secret, RUN, false);
            } else if shorts < SHORT_LIMIT && seen.insert(secret) {
                shorts += 1;
                index.find_short(texts, secret);
            }
            if secret.contains(ESCAPES) {
                index.find(secret, RUN, true);
            }
            if secret.len() <= *encodable {
                *encodable -= secret.len();
                for (encoded, run) in encodings(secret.as_bytes()) {
                    index.find(&encoded, run, false);
                }
            }
        }
        let found = index.found(texts.len());
        for (text, found) in texts.iter_mut().zip(found) {
            replace(text, found);
        }
    }
}

/// Returns the secret parts of a value. Those of a URL are its parameters, and random-looking parts of its path or
/// fragment. A URL of more than [`PARTS_LIMIT`] parts is secret as a whole. URLs within a part are not split: the time
/// would grow with their depth.
fn parts(secret: &str) -> Vec<Cow<'_, str>> {
    let url = secret.contains("://").then(|| Url::parse(secret).ok());
    let Some(url) = url.flatten().filter(Url::has_host) else {
        return vec![secret.into()];
    };
    let path = url.path_segments().into_iter().flatten();
    let random = path
        .chain(url.fragment())
        .filter(|part| looks_random(part))
        .map(|part| part.to_owned().into());
    let values = url
        .query_pairs()
        .map(|(_, value)| value.into_owned().into());
    let parts: Vec<Cow<'_, str>> = values.chain(random).take(PARTS_LIMIT + 1).collect();
    if parts.len() > PARTS_LIMIT {
        return vec![secret.into()];
    }
    parts
}

/// Returns whether the value of an unknown name may be a secret.
fn may_be_secret(text: &str) -> bool {
    if text.contains("://") && !text.contains(char::is_whitespace) {
        return parts(text).iter().any(|part| looks_random(part));
    }
    looks_random(text)
}

/// Returns whether the text is a single word that looks neither like natural language, nor like an address, nor like an
/// identifier that support asks for.
fn looks_random(text: &str) -> bool {
    let letters = text.chars().filter(char::is_ascii_alphanumeric).count();
    let guid = text.len() == 36 && text.matches('-').count() == 4;
    if letters < RUN || text.contains(char::is_whitespace) || text.contains('@') || guid {
        return false;
    }
    let word = |word: &str| {
        // As in the names of parameters.
        let word = ["Id", "Ids"]
            .iter()
            .find_map(|end| word.strip_suffix(end))
            .unwrap_or(word);
        // Only letters, and capital letters only at the beginning of words of three letters or more.
        let starts = word.match_indices(|ch: char| ch.is_ascii_uppercase());
        let starts: Vec<usize> = starts.map(|(at, _)| at).collect();
        let ends = starts.iter().skip(1).copied().chain([word.len()]);
        word.len() <= 4 * LONGEST_WORD
            && word.chars().all(|ch| ch.is_ascii_alphabetic())
            && starts.iter().zip(ends).all(|(start, end)| end - start >= 3)
    };
    // As in names with a version, such as those of Apigee's errors.
    let version = |part: &str| {
        let number = part.strip_prefix('v').unwrap_or_default();
        (1..=2).contains(&number.len()) && number.bytes().all(|digit| digit.is_ascii_digit())
    };
    let capitals = |text: &str| !text.contains(|ch: char| ch.is_ascii_lowercase());
    // User codes have no lowercase letters.
    (capitals(text) && !text.contains('_'))
        || !text
            .split(|ch: char| !ch.is_ascii_alphanumeric())
            .all(|part| {
                word(part)
                    || version(part)
                    || (capitals(part) && part.chars().all(|ch| ch.is_ascii_alphabetic()))
            })
        || text
            .split(|ch: char| !ch.is_ascii_alphanumeric())
            .any(|part| {
                part.len() > 2 * LONGEST_WORD && !part.contains(|ch: char| ch.is_ascii_uppercase())
            })
}

/// Calls `see` with each value that is neither an array nor an object, and the name of its member.
fn each_leaf(members: &Map<String, Value>, see: &mut impl FnMut(&str, &Value)) {
    fn walk(name: &str, value: &Value, see: &mut impl FnMut(&str, &Value)) {
        match value {
            Value::Array(list) => list.iter().for_each(|value| walk(name, value, see)),
            Value::Object(members) => each_leaf(members, see),
            leaf => see(name, leaf),
        }
    }
    for (name, value) in members {
        walk(name, value, see);
    }
}

/// Returns the forms that a secret may take within a longer encoded text, each with the number of consecutive characters
/// that give it away.
fn encodings(secret: &[u8]) -> Vec<(Zeroizing<String>, usize)> {
    // Base64 has three forms, because the secret may begin at any of three byte offsets.
    let mut all: Vec<_> = (0..3)
        .map(|skipped| {
            let bytes = Zeroizing::new([&[0; 2][..skipped], secret].concat());
            let text = Zeroizing::new(STANDARD_NO_PAD.encode(&*bytes));
            // The first characters also encode the bytes before the secret.
            let begin = [0, 2, 3][skipped].min(text.len());
            (Zeroizing::new(text[begin..].to_owned()), RUN)
        })
        .collect();
    let mut hex = Zeroizing::new(String::with_capacity(secret.len() * 2));
    for byte in secret {
        for half in [byte >> 4, byte & 15] {
            hex.push(char::from_digit(half.into(), 16).unwrap_or('0'));
        }
    }
    // Two digits encode a byte. Any number of six digits is somewhere in a long token, such as a reply code of a server.
    all.push((hex, RUN * 2));
    all
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;
    use crate::oauth::assertion::Proof;
    use crate::oauth::tools::Method;

    #[test]
    fn assertions_do_not_displace_other_secrets() {
        let mut secrets = secrets(&["the-device-code-of-the-run"]);
        let sent = |secrets: &mut Secrets, at: usize| {
            let body = format!("client_assertion={at:06}{}", "x".repeat(4000));
            secrets.remember_sent(&Request {
                method: Method::Post,
                url: Url::parse("https://as.example/token").unwrap(),
                authorization: None,
                body: body.into(),
                proof: Proof::None,
            });
        };
        for at in 0..200 {
            sent(&mut secrets, at);
        }
        let mut text = format!("the-device-code-of-the-run 000199{}", "x".repeat(4000));
        secrets.redact(&mut [&mut text]);
        assert!(
            !text.contains("device-code") && !text.contains("000199"),
            "{text}"
        );
    }

    fn secrets(list: &[&str]) -> Secrets {
        let mut secrets = Secrets::default();
        for secret in list {
            secrets.remember(secret);
        }
        secrets
    }

    fn without(list: &[&str], text: &str) -> String {
        let mut text = text.to_owned();
        secrets(list).redact(&mut [&mut text]);
        text
    }

    fn each(text: &str, form: fn(char) -> String) -> String {
        text.chars().map(form).collect::<Vec<_>>().concat()
    }

    const CODE: &str = "4/0AbC-dEf_Gh1jKlMn0pQ";

    #[test]
    fn secret_is_found_in_any_encoding() {
        let base64 = |before: &str| {
            base64::engine::general_purpose::STANDARD.encode(format!("{before}{CODE}!"))
        };
        let hex = each(CODE, |ch| format!("{:02X}", u32::from(ch)));
        let entities = each(CODE, |ch| format!("&#{};", u32::from(ch)));
        let escapes = each(CODE, |ch| format!("\\u{:04x}", u32::from(ch)));
        let percent = each(CODE, |ch| format!("%{:02x}", u32::from(ch)));
        for form in [
            CODE.to_owned(),
            CODE.replace('/', "\\/"),
            CODE.replace('/', "%2F"),
            CODE.replace('/', "%252F"),
            CODE.bytes()
                .map(|byte| format!("%25{byte:02x}"))
                .collect::<Vec<_>>()
                .concat(),
            format!("<b>{}</b>-<i>{}</i>", &CODE[..5], &CODE[5..]),
            CODE.to_uppercase(),
            CODE.to_lowercase(),
            CODE[..9].to_owned() + "…",
            format!("…{}", &CODE[12..]),
            CODE.replace('C', "C\u{200b}\u{34f}\u{3164}"),
            each(CODE, |ch| format!("{ch} ")),
            CODE.chars()
                .map(|ch| match ch {
                    '!'..='~' => char::from_u32(u32::from(ch) + 0xfee0).unwrap(),
                    ch => ch,
                })
                .collect(),
            base64(""),
            base64("x"),
            base64("xy"),
            base64("").replace('+', "-").replace('/', "_"),
            hex,
            entities,
            escapes,
            percent,
        ] {
            let text = without(&[CODE], &format!("The code {form} is wrong"));
            assert!(
                text.contains("[redacted, ")
                    && text.starts_with("The code ")
                    && text.ends_with(" is wrong")
                    && text.matches("redacted").count() == 1,
                "{form}: {text}"
            );
        }
    }

    #[test]
    fn unrelated_text_is_left_unchanged() {
        let text = "AADSTS70008: The provided authorization code or refresh token has expired. Trace ID: \
                    1b4e28ba-2fa1-11d2-883f-0016d3cca427";
        assert_eq!(without(&[CODE, "hunter2"], text), text);
        assert_eq!(
            without(
                &["WDJB-MJHT"],
                "Enter wdjbmjht, or \"WDJB MJHT\"; then wait"
            ),
            "Enter [redacted, 8 chars], or \"[redacted, 9 chars]\"; then wait"
        );
        assert_eq!(without(&["ab1", "x"], "ab1 x"), "ab1 x");
    }

    #[test]
    fn hex_matches_need_twice_as_many_digits() {
        let secret = "q_SUxyz1-W8";
        let hex = each(secret, |ch| format!("{:02x}", u32::from(ch)));
        assert!(hex.contains("535578"));
        let reply = "535 5.7.8 Authentication failed";
        assert_eq!(without(&[secret], reply), reply);
        assert_eq!(without(&[secret], &hex[4..14]), &hex[4..14]);
        assert_eq!(without(&[secret], &hex[4..16]), "[redacted, 12 chars]");
        // A shorter secret is found as a whole.
        for short in ["aB3x", "aB3xY"] {
            let hex = each(short, |ch| format!("{:02x}", u32::from(ch)));
            let redacted = format!("[redacted, {} chars]", hex.len());
            assert_eq!(without(&[short], &hex), redacted);
        }
    }

    #[test]
    fn common_words_in_secrets_are_not_redacted() {
        let text = "The client secret is not the one of this client: invalid_client";
        assert_eq!(without(&["a-client-code", "my-client-2024"], text), text);
        assert_eq!(
            without(
                &["My-Client-Secret-2024"],
                "not My-Client-Sec or secret-2024"
            ),
            "not [redacted, 13 chars] or [redacted, 11 chars]"
        );
        assert_eq!(
            without(&["hunter-two"], "is it hunter?"),
            "is it [redacted, 6 chars]?"
        );
        let text =
            "AADSTS700082: The refresh token has expired: com.example.books.accounting, secret";
        let made_up = [
            "a-refresh-token-of-the-books",
            "my-books-access-token-1",
            "a-secret",
        ];
        assert_eq!(without(&made_up, text), text);
        let long = "abcdefghijklmnopqrstuvwx";
        assert_eq!(without(&[long], &long[..9]), "[redacted, 9 chars]");
    }

    #[test]
    fn short_and_symbol_secrets_are_matched_as_a_whole() {
        assert_eq!(
            without(&["a+b1:c"], "no A%2BB1:C here, ab1"),
            "no [redacted, 8 chars] here, ab1"
        );
        assert_eq!(
            without(&["+/+/="], "x +/+/= y"),
            "x [redacted, 5 chars]= y".replace("]= ", "] ")
        );
    }

    #[test]
    fn random_looking_values_are_treated_as_secrets() {
        for secret in [
            "WDJB-MJHT",
            "WDJBMJHT",
            "48151623",
            "ya29.a0AfH6SMx1",
            "s3cr3t-abcdef",
            "GmRhmhcxhwAzkoEqiMEg",
            "abcdefghijklmnopqrstuvwxyz",
            "https://as.example/d?c=WDJB-MJHT",
            "https://as.example/hooks/T00000000/B00000000",
            // The shortest secret, capital letters inside words, too long for a word, and a word that resembles a GUID.
            "A1b2C3",
            "aBcDeFgH",
            "abcdefghijklmnopqrstuvwxy",
            "aB3x-Y7q9-Kd82-mN4p-Qr5t",
            "GmRhmhcxhwAzkoEqiMEgGmRhmhcxhwAzkoEq",
        ] {
            assert!(may_be_secret(secret), "{secret}");
        }
        for other in [
            "AuthorizationPending",
            "InvalidDeviceCode",
            "MailSend",
            "authorization_pending",
            "INVALID_ARGUMENT",
            "com.example.books.accounting",
            "oauth.v2.InvalidApiKey",
            "invalidParameter.corpId",
            "https://login.example.com",
            "https://login.example.com/oauth/authorize",
            "alice1@example.com",
            "1b4e28ba-2fa1-11d2-883f-0016d3cca427",
            "user_denied",
            "Bearer",
            "A1b2C",
            "abcdefghijklmnopqrstuvwx",
            "https://as.example/hooks/T00000000 is gone",
        ] {
            assert!(!may_be_secret(other), "{other}");
        }
    }

    #[test]
    fn url_parameters_are_redacted_but_not_the_host() {
        let url = "http://127.0.0.1:46321/device?user_code=WDJB-MJHT";
        let text = "POST http://127.0.0.1:46321/device/auth user_code=wdjb-mjht";
        assert_eq!(
            without(&[url], text),
            "POST http://127.0.0.1:46321/device/auth user_code=[redacted, 9 chars]"
        );
    }

    #[test]
    fn nested_urls_are_processed_in_linear_time() {
        for mark in ["#", "?u=", "/"] {
            for (url, levels) in [("https://a.example", 40), ("https://a", 30_000)] {
                let text = format!("{}aB3xY7q", format!("{url}{mark}").repeat(levels));
                let started = std::time::Instant::now();
                let mut secrets = Secrets::default();
                secrets.remember(&text);
                secrets.consider_query(&format!("x={text}"));
                let members = serde_json::json!({ "x": text });
                secrets.consider_answer(members.as_object().unwrap());
                let took = started.elapsed();
                assert!(took.as_secs() < 20, "{levels} levels of {mark}: {took:?}");
            }
        }
    }

    #[test]
    fn redaction_takes_linear_time() {
        // Texts and secrets that share all their runs, and secrets that all share their first letters.
        let mut secrets = secrets(&[&"a".repeat(200_000)]);
        for at in 0..2_000 {
            secrets.possible.push(format!("aaaa{at}").into());
            secrets.possible.push(at.to_string().into());
        }
        let mut texts = ["a".repeat(16_384), "a ".repeat(8_192)];
        let begin = std::time::Instant::now();
        secrets.redact(&mut texts.iter_mut().collect::<Vec<_>>());
        // Comparing everything with everything would take minutes.
        assert!(begin.elapsed().as_secs() < 20, "{:?}", begin.elapsed());
        assert_eq!(texts[0], "[redacted, 16384 chars]");
    }

    #[test]
    fn oldest_secrets_are_forgotten_first() {
        let mut secrets = Secrets::default();
        for at in 0..100 {
            secrets.remember(&format!("{at:02}{}", "x".repeat(10_000)));
            secrets.remember("the same");
        }
        assert!(secrets.list.len() < 30);
        assert!(
            secrets
                .list
                .last()
                .unwrap()
                .expose_secret()
                .starts_with("99")
        );
    }

    /// Returns `text` after redaction for a callback with this query.
    fn after_query(query: &str, text: &str) -> String {
        let (mut secrets, mut text) = (Secrets::default(), text.to_owned());
        secrets.consider_query(query);
        secrets.redact(&mut [&mut text]);
        text
    }

    /// Returns `text` after redaction for a response with these members.
    fn after_answer(members: &Value, text: &str) -> String {
        let (mut secrets, mut text) = (Secrets::default(), text.to_owned());
        secrets.consider_answer(members.as_object().unwrap());
        secrets.redact(&mut [&mut text]);
        text
    }

    #[test]
    fn callback_values_are_secret_by_name_or_appearance() {
        for (query, text, left) in [
            // A word is a secret if its name says so.
            ("code=hunter", "no hunter", "no [redacted, 6 chars]"),
            ("state=hunter", "no hunter", "no [redacted, 6 chars]"),
            ("a=b&amp;code=hunter", "no hunter", "no [redacted, 6 chars]"),
            ("state=abcd", "no abcd", "no [redacted, 4 chars]"),
            // Shorter texts occur by chance.
            ("state=abc", "no abc", "no abc"),
            ("made_up=hunter", "no hunter", "no hunter"),
            (
                "made_up=s3cr3t-abcdef",
                "no s3cr3t-abcdef",
                "no [redacted, 13 chars]",
            ),
            (
                "scope=s3cr3t-abcdef",
                "no s3cr3t-abcdef",
                "no s3cr3t-abcdef",
            ),
        ] {
            assert_eq!(after_query(query, text), left, "{query}");
        }
    }

    #[test]
    fn words_in_place_of_access_token_are_not_secret() {
        let words = "no token for this client";
        let text = "There is no token for this client.";
        let members = |name: &str| serde_json::json!({ name: words });
        assert_eq!(after_answer(&members("access_token"), text), text);
        assert_ne!(after_answer(&members("refresh_token"), text), text);
    }

    #[test]
    fn words_of_error_messages_are_not_redacted() {
        for (members, text) in [
            (
                serde_json::json!({"error": {"errorId": "UNAUTHORIZED", "code": "UNAUTHORIZED"}}),
                "unauthorized",
            ),
            (
                serde_json::json!({"error": "denied", "token": "invalid"}),
                "token invalid",
            ),
        ] {
            let mut secrets = Secrets::default();
            secrets.consider_answer(members.as_object().unwrap());
            let mut shown = text.to_owned();
            secrets.redact(&mut [&mut shown]);
            assert_eq!(shown, text);
        }
    }

    #[test]
    fn oversized_secret_does_not_displace_others() {
        let known = |secrets: &Secrets| secrets.list.len();
        let long = |length: usize| format!("aB3xY7q9{}", "x".repeat(length - 8));
        let mut secrets = secrets(&["the-device-code", "the-user-code", "the-state"]);
        secrets.remember(&long(KNOWN_LIMIT + 1));
        assert_eq!(known(&secrets), 3);
        // A secret that just fits pushes out all others.
        secrets.remember(&long(KNOWN_LIMIT));
        assert_eq!(known(&secrets), 1);
        // A longer secret of a response still counts for that response.
        for (length, kept) in [(KNOWN_LIMIT, 1), (KNOWN_LIMIT + 1, 0)] {
            let mut secrets = Secrets::default();
            let members = serde_json::json!({ "access_token": long(length) });
            secrets.consider_answer(members.as_object().unwrap());
            assert_eq!(known(&secrets), kept);
            let mut text = "no aB3xY7q9 here".to_owned();
            secrets.redact(&mut [&mut text]);
            assert_eq!(text, "no [redacted, 8 chars] here");
        }
    }

    #[test]
    fn only_short_secrets_are_limited_in_number() {
        let numbered = |prefix: &str| -> Vec<String> {
            (0..=SHORT_LIMIT)
                .map(|at| format!("{prefix}{at:03}"))
                .collect()
        };
        let found = |list: &[String]| {
            let list: Vec<&str> = list.iter().map(String::as_str).collect();
            let text = without(&list, &list.join(" "));
            text.matches("redacted").count()
        };
        assert_eq!(found(&numbered("q8z")), SHORT_LIMIT + 1);
        assert_eq!(found(&numbered("q8")), SHORT_LIMIT);
        // A part of a longer secret gives it away.
        assert_eq!(without(&["s3cr3tX"], "no s3cr3t"), "no [redacted, 6 chars]");
    }

    #[test]
    fn base64_search_covers_a_limited_number_of_bytes() {
        let base64 = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
        let (one, other) = ("aB3xY7q9k", "kD5vW2m8p");
        let first = format!("{one}{}", "x".repeat(ENCODED_LIMIT - one.len()));
        let text = format!("{} {}", base64(one), base64(other));
        let left = format!("[redacted, 12 chars] {}", base64(other));
        assert_eq!(without(&[&first, other], &text), left);
        // A shorter secret leaves room for another.
        let left = format!("{} [redacted, 12 chars]", base64(one));
        assert_eq!(without(&[&first[one.len()..], other], &text), left);
    }

    #[test]
    fn url_with_too_many_parts_is_one_secret() {
        let url = |count: usize| {
            let query: Vec<String> = (0..count).map(|at| format!("a=v{at:03}")).collect();
            format!("https://as.example/?{}", query.join("&"))
        };
        assert_eq!(parts(&url(PARTS_LIMIT)).len(), PARTS_LIMIT);
        let many = url(PARTS_LIMIT + 1);
        assert_eq!(parts(&many), [many.as_str()]);
    }
}
