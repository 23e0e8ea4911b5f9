//! Removes what was copied along with a value: quotation marks, brackets, a label, invisible characters.

use std::net::Ipv6Addr;

use crate::clean::{is_visible, trimmed, unquoted};
use crate::escapes::without_escapes;

/// A value, and what was removed around and in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unwrapped {
    pub(super) text: String,
    pub(super) extras: Vec<&'static str>,
}

impl Unwrapped {
    /// Returns what was removed, in words.
    pub(super) fn words(&self) -> String {
        match self.extras.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
            _ => self.extras.join(""),
        }
    }
}

/// Returns the value without what was copied along with it; `None` if there was nothing to remove.
pub(super) fn unwrapped(text: &str) -> Option<Unwrapped> {
    let plain = without_escapes(text);
    let mut value: String = plain
        .chars()
        .filter(|ch| ch.is_whitespace() || is_visible(*ch))
        .collect();
    let mut extras = Vec::new();
    if plain.as_str() != text {
        extras.push("an escape sequence");
    }
    if value.chars().count() < plain.chars().filter(|ch| *ch != '\u{feff}').count() {
        extras.push("an invisible character");
    }
    // Each layer may surround another.
    while let Some((inner, extra)) = peeled(trimmed(&value)) {
        if !extras.contains(&extra) {
            extras.push(extra);
        }
        trimmed(&inner).clone_into(&mut value);
    }
    let value = trimmed(&value).to_owned();
    (!extras.is_empty() && !value.is_empty()).then_some(Unwrapped {
        text: value,
        extras,
    })
}

/// Removes one layer.
fn peeled(text: &str) -> Option<(String, &'static str)> {
    if let Some(inner) = unquoted(text) {
        return Some((inner.to_owned(), "quotation marks"));
    }
    if let Some(inner) = unbracketed(text) {
        return Some((inner.to_owned(), "brackets"));
    }
    if let Some((_, value)) = labeled(text) {
        return Some((value.to_owned(), "a label"));
    }
    // A line of JSON or of source code ends with a punctuation mark.
    if let Some(inner) = text.strip_suffix([',', ';'])
        && !inner.contains([',', ';'])
        && !inner.is_empty()
        // Of a line that is not understood, no part is removed.
        && (unquoted(inner).is_some() || !inner.contains(|ch: char| ch.is_whitespace() || ch == '"'))
    {
        return Some((inner.to_owned(), "a punctuation mark"));
    }
    // The other quotation mark was not copied.
    let one = |ch: char| "\"'`“”‘’„".contains(ch);
    if text.chars().filter(|ch| one(*ch)).count() == 1
        && (text.starts_with(one) || text.ends_with(one))
    {
        return Some((text.trim_matches(one).to_owned(), "a quotation mark"));
    }
    None
}

/// Returns the secret without what was copied along with it, and a description that doesn't contain the secret.
pub(super) fn bare_secret(secret: &str) -> Option<(String, String)> {
    let bare = trimmed(secret);
    let value = unwrapped(bare);
    let words = match &value {
        Some(value) => value.words(),
        None if bare != secret => "whitespace".to_owned(),
        None => return None,
    };
    let text = value.map_or_else(|| bare.to_owned(), |value| value.text);
    Some((text, words))
}

fn unbracketed(text: &str) -> Option<&str> {
    [('{', '}'), ('<', '>'), ('(', ')'), ('[', ']')]
        .into_iter()
        .find_map(|(opening, closing)| {
            let inner = text.strip_prefix(opening)?.strip_suffix(closing)?;
            let again = |ch| ch == opening || ch == closing;
            // The brackets of an IPv6 address belong to it.
            let is_address = opening == '[' && inner.parse::<Ipv6Addr>().is_ok();
            (!is_address && !trimmed(inner).is_empty() && !inner.contains(again)).then_some(inner)
        })
}

/// The words of labels.
const LABEL_WORDS: &[&str] = &[
    "account",
    "address",
    "api",
    "app",
    "application",
    "auth",
    "authorisation",
    "authorization",
    "callback",
    "client",
    "code",
    "consumer",
    "device",
    "directory",
    "domain",
    "endpoint",
    "export",
    "here",
    "host",
    "hostname",
    "http",
    "https",
    "id",
    "identifier",
    "instance",
    "issuer",
    "key",
    "login",
    "mail",
    "my",
    "name",
    "oauth",
    "oauth2",
    "object",
    "of",
    "public",
    "realm",
    "redirect",
    "redirection",
    "region",
    "scope",
    "scopes",
    "secret",
    "server",
    "set",
    "site",
    "subdomain",
    "tenant",
    "the",
    "token",
    "uri",
    "url",
    "user",
    "username",
    "value",
    "your",
];

/// The last words of headings.
const HEADINGS: &[&str] = &[
    "address",
    "code",
    "domain",
    "endpoint",
    "host",
    "hostname",
    "id",
    "identifier",
    "issuer",
    "key",
    "name",
    "realm",
    "scope",
    "scopes",
    "secret",
    "tenant",
    "token",
    "uri",
    "url",
    "value",
];

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|ch: char| !ch.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
}

/// Returns the words of a label. In `clientId`, a capital letter begins a word.
fn label_words(label: &str) -> Vec<String> {
    let mut apart = String::new();
    let mut is_after_small = false;
    for ch in label.chars() {
        if ch.is_uppercase() && is_after_small {
            apart.push(' ');
        }
        is_after_small = ch.is_lowercase();
        apart.push(ch);
    }
    words(&apart).collect()
}

fn is_label_word(word: &str) -> bool {
    LABEL_WORDS.contains(&word)
}

/// Returns whether the words only name the value to enter, such as `tenant-id` and `your_client_id`.
pub(super) fn only_names_a_value(text: &str) -> bool {
    words(text).next().is_some() && words(text).all(|word| is_label_word(&word))
}

/// Splits a label and the value after it: `Client ID: 1111`, `client_id=1111`, `Application (client) ID 1111`.
fn labeled(text: &str) -> Option<(&str, &str)> {
    let is_plain = |label: &str| {
        let fits = |ch: char| ch.is_ascii_alphanumeric() || " _-().\"'".contains(ch);
        label.len() <= 60 && label.chars().all(fits)
    };
    let all = |label: &str| label_words(label).iter().all(|word| is_label_word(word));
    let last = |label: &str| {
        label_words(label)
            .last()
            .is_some_and(|word| is_label_word(word))
    };
    let behind = |at: usize, width: usize| {
        let (label, value) = (trimmed(&text[..at]), trimmed(&text[at + width..]));
        let there = words(label).next().is_some() && !value.is_empty() && is_plain(label);
        there.then_some((label, value))
    };
    if let Some(at) = text.find([':', '='])
        && let Some((label, value)) = behind(at, 1)
        // `https://` is not a label.
        && !text[at..].starts_with("://")
        && !text[at..].starts_with(":/")
    {
        let apart = text[at + 1..].starts_with(char::is_whitespace) || text[at..].starts_with('=');
        if all(label) || (apart && last(label)) {
            return Some((label, value));
        }
    }
    // A table cell and its heading.
    let at = text.rfind(char::is_whitespace)?;
    let width = text[at..].chars().next().map_or(1, char::len_utf8);
    let named = |label: &str| {
        words(label)
            .last()
            .is_some_and(|word| HEADINGS.contains(&word.as_str()))
    };
    behind(at, width).filter(|(label, _)| all(label) && named(label))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    #[test]
    fn labels_and_brackets_around_a_value_are_removed() {
        for (text, extras) in [
            ("{1111-2222}", "brackets"),
            ("<1111-2222>", "brackets"),
            ("(1111-2222)", "brackets"),
            ("[1111-2222]", "brackets"),
            ("Client ID: 1111-2222", "a label"),
            ("Client ID:1111-2222", "a label"),
            ("Application (client) ID\t1111-2222", "a label"),
            ("Application (client) ID 1111-2222", "a label"),
            ("client_id=1111-2222", "a label"),
            ("ACME_CLIENT_ID=1111-2222", "a label"),
            (
                "clientId: \"1111-2222\",",
                "a label, a punctuation mark and quotation marks",
            ),
            ("appId: 1111-2222", "a label"),
            (
                "export CLIENT_ID='1111-2222'",
                "a label and quotation marks",
            ),
            (
                "\"client_id\": \"1111-2222\",",
                "a label, a punctuation mark and quotation marks",
            ),
            ("\u{200b}1111-2222", "an invisible character"),
            ("\u{1b}[1m1111-2222\u{1b}[m", "an escape sequence"),
            ("1111-\u{ad}2222", "an invisible character"),
            ("\"1111-2222", "a quotation mark"),
            ("1111-2222”", "a quotation mark"),
            ("`{1111-2222}`", "quotation marks and brackets"),
            ("1111-2222,", "a punctuation mark"),
        ] {
            let value = unwrapped(text).unwrap();
            assert_eq!(
                (value.text.as_str(), value.words().as_str()),
                ("1111-2222", extras),
                "{text:?}"
            );
        }
    }

    #[test]
    fn plain_values_are_not_unwrapped() {
        for text in [
            "1111-2222",
            "https://as.example/x",
            "https://client.example",
            "urn:ietf:wg:oauth:2.0:oob",
            "localhost:8400",
            "com.example.app:/cb",
            "openid email",
            "acme:prod-1",
            "a=b&c=d",
            "{a}{b}",
            "[2001:db8::1]",
            "[::1]",
            "unit: \"a\",",
            "client",
            "",
        ] {
            assert_eq!(unwrapped(text), None, "{text:?}");
        }
    }

    #[test]
    fn placeholder_words_are_recognized() {
        for text in [
            "tenant-id",
            "your_client_id",
            "TENANT",
            "YOUR CLIENT SECRET HERE",
        ] {
            assert!(only_names_a_value(text), "{text}");
        }
        for text in ["contoso", "1111", "my-app-7", ""] {
            assert!(!only_names_a_value(text), "{text}");
        }
    }
}
