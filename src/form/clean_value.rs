//! Removes extra text around a pasted value or the value of a flag.

use crate::certificate::store_path::StorePath;
use crate::clean::{is_visible, trimmed, unquoted};
use crate::escapes::without_escapes;
use crate::form::field::Key;
use crate::oauth::issuer::issuer_of_address;
use crate::words::capitalized;

/// A value without the text that doesn't belong to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cleaned {
    /// The cleaned value.
    pub text: String,
    /// What was changed, as a sentence.
    pub note: Option<String>,
}

/// Removes whitespace and byte order marks around the value, and quotation marks around the whole value. A metadata URL
/// becomes the issuer, and a certificate thumbprint becomes its path. Escape sequences are removed. A secret keeps its
/// quotation marks, which may belong to it.
#[must_use]
pub fn clean_value(key: Key, text: &str) -> Cleaned {
    let mut removed = Vec::new();
    let escapes = escapes_note(text);
    let text = &*without_escapes(text);
    let bare = trimmed(text);
    let around = || {
        let (before, after) = text.split_at(text.find(bare).unwrap_or_default());
        before.chars().chain(after[bare.len()..].chars())
    };
    if around().any(char::is_whitespace) {
        removed.push("whitespace");
    }
    if around().any(|ch| ch == '\u{feff}') {
        removed.push("a byte order mark");
    }
    let mut value = bare;
    while let Some(inner) = unquoted(value).filter(|_| key != Key::ClientSecret) {
        if !removed.contains(&QUOTES) {
            removed.push(QUOTES);
        }
        value = trimmed(inner);
    }
    let mut notes: Vec<String> = escapes.into_iter().chain(sentence(&removed)).collect();
    let mut value = value.to_owned();
    // The value is masked, so the user can't see what a field for one line drops.
    if key == Key::ClientSecret && !value.chars().all(is_visible) {
        let inside = "Line breaks, tabs or invisible characters inside the value were removed.";
        notes.push(inside.to_owned());
    }
    let mut note = (!notes.is_empty()).then(|| notes.join(" "));
    if key == Key::Issuer
        && let Some(issuer) = issuer_of_address(&value)
    {
        note = Some("The metadata URL was replaced with the issuer.".to_owned());
        value = issuer;
    }
    if key == Key::ClientKey {
        if let Ok(path) = value.parse::<StorePath>() {
            value = path.to_string();
        } else if let Some(path) = StorePath::of_thumbprint(&value) {
            note = Some(THUMBPRINT.to_owned());
            value = path.to_string();
        }
    }
    Cleaned { text: value, note }
}

/// Returns the note about the removed escape sequences; `None` if the text has none.
#[must_use]
pub fn escapes_note(text: &str) -> Option<String> {
    let note = "Color codes or other escape sequences were removed.";
    (without_escapes(text).as_str() != text).then(|| note.to_owned())
}

const THUMBPRINT: &str = "The thumbprint was replaced with the path of the certificate in the machine's store. For the store of \
                          the current user, replace LocalMachine with CurrentUser.";

const QUOTES: &str = "quotation marks";

fn sentence(removed: &[&str]) -> Option<String> {
    let verb = match removed {
        [] => return None,
        [one] if *one != QUOTES => "was",
        _ => "were",
    };
    let list = match removed.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => removed.join(""),
    };
    let list = capitalized(&list);
    Some(format!("{list} around the value {verb} removed."))
}

/// Converts a paste to one line. Line breaks and tabs in a URL, a path or a secret are removed, because terminals break
/// long lines; between extra parameters a line break becomes `&`, and in other fields a space.
#[must_use]
pub fn one_line(key: Key, text: &str) -> String {
    let text = &*without_escapes(text);
    if key == Key::ExtraParameters {
        let lines = text.lines().map(|line| line.trim().trim_matches('&'));
        let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
        if lines.len() > 1 {
            return lines.join("&");
        }
    }
    let is_joined = matches!(
        key,
        Key::RedirectUrl
            | Key::AuthorizationUrl
            | Key::DeviceUrl
            | Key::TokenUrl
            | Key::Issuer
            | Key::KeyFile
            | Key::CaFile
            | Key::Certificate
            | Key::CertificateKey
            | Key::ClientKey
            | Key::ClientCertificate
            | Key::ClientSecret
    );
    let mut line = String::new();
    for ch in text.chars() {
        match ch {
            '\r' => {}
            '\n' | '\t' if is_joined => {}
            ch if ch.is_whitespace() => line.push(' '),
            ch => line.push(ch),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surrounding_characters_are_removed_with_a_note() {
        let blank = Some("Whitespace around the value was removed.");
        let quotes = Some("Quotation marks around the value were removed.");
        for (dirty, note) in [
            ("1111", None),
            (" 1111", blank),
            ("1111\r\n", blank),
            ("\t1111\u{a0}", blank),
            ("\u{2003}1111\u{3000}", blank),
            (
                "\u{feff}1111",
                Some("A byte order mark around the value was removed."),
            ),
            ("\"1111\"", quotes),
            ("'1111'", quotes),
            ("`1111`", quotes),
            ("“1111”", quotes),
            ("‘1111’", quotes),
            ("„1111“", quotes),
            ("«1111»", quotes),
            ("\"'1111'\"", quotes),
            (
                "\u{feff}\" 1111 \"\n",
                Some(
                    "Whitespace, a byte order mark and quotation marks around the value were removed.",
                ),
            ),
        ] {
            let cleaned = clean_value(Key::ClientId, dirty);
            assert_eq!(
                (cleaned.text.as_str(), cleaned.note.as_deref()),
                ("1111", note),
                "{dirty:?}"
            );
        }
        for whole in ["\"a\" \"b\"", "\"\"", "\"", "a\"b", "a b", ""] {
            assert_eq!(clean_value(Key::Scope, whole).text, whole);
        }
        let secret = clean_value(Key::ClientSecret, " \"s\"\u{a0}");
        assert_eq!(secret.text, "\"s\"");
        // What the field drops can't be seen in a masked value.
        for inside in ["a\tb", "a\nb", "a\u{7}b", "a\u{200b}b"] {
            let note = clean_value(Key::ClientSecret, inside)
                .note
                .unwrap_or_default();
            assert!(note.contains("inside the value were removed"), "{note}");
            assert_eq!(clean_value(Key::ClientId, inside).note, None);
        }
    }

    #[test]
    fn escape_sequences_are_removed_with_a_note() {
        for key in [Key::ClientId, Key::ClientSecret] {
            for (dirty, text) in [
                ("\u{1b}[1ms3cret\u{1b}[0m", "s3cret"),
                ("s3\u{1b}[31mcret\u{1b}(B\u{1b}[m", "s3cret"),
                ("\u{1b}]8;;http://x/\u{7}s3cret\u{1b}]8;;\u{7}", "s3cret"),
            ] {
                let cleaned = clean_value(key, dirty);
                assert_eq!(cleaned.text, text);
                let note = "Color codes or other escape sequences were removed.";
                assert_eq!(cleaned.note.as_deref(), Some(note), "{dirty:?}");
            }
            let note = clean_value(key, " \u{1b}[1ms\u{1b}[0m")
                .note
                .unwrap_or_default();
            assert!(
                note.contains("sequences were removed. Whitespace"),
                "{note}"
            );
        }
        let pasted = "\u{1b}[32mhttps://as.example/\n\u{1b}[0mtoken";
        assert_eq!(one_line(Key::TokenUrl, pasted), "https://as.example/token");
    }

    #[test]
    fn metadata_url_is_replaced_by_the_issuer() {
        for (typed, issuer) in [
            (
                "https://as.example/.well-known/openid-configuration",
                "https://as.example",
            ),
            (
                "https://as.example/realms/a/.well-known/openid-configuration",
                "https://as.example/realms/a",
            ),
            (
                "\"https://as.example/.well-known/oauth-authorization-server/a/b\"",
                "https://as.example/a/b",
            ),
            (
                "https://as.example/well-known",
                "https://as.example/well-known",
            ),
        ] {
            assert_eq!(clean_value(Key::Issuer, typed).text, issuer, "{typed}");
        }
        let url = "https://as.example/.well-known/openid-configuration";
        assert_eq!(clean_value(Key::DeviceUrl, url).text, url);
    }

    #[test]
    fn multiline_paste_becomes_one_line() {
        assert_eq!(one_line(Key::Scope, "a\r\nb\tc"), "a b c");
        assert_eq!(
            one_line(Key::TokenUrl, "https://as.example/\r\ntoken"),
            "https://as.example/token"
        );
        assert_eq!(
            one_line(Key::ClientId, "Client ID\u{a0}\t1"),
            "Client ID  1"
        );
        for lines in [
            "prompt=consent\nlogin_hint=a b\n",
            "prompt=consent&\r\n\r\n&login_hint=a b",
        ] {
            let line = one_line(Key::ExtraParameters, lines);
            assert_eq!(line, "prompt=consent&login_hint=a b");
        }
        assert_eq!(one_line(Key::ExtraParameters, "&x=1"), "&x=1");
    }

    const HASH: &str = "00112233445566778899AABBCCDDEEFF00112233";

    #[test]
    fn pasted_thumbprint_becomes_a_store_path() {
        let path = format!(r"Cert:\LocalMachine\My\{HASH}");
        let spaced = "\u{200e}00 11 22 33 44 55 66 77 88 99 aa bb cc dd ee ff 00 11 22 33";
        let cleaned = clean_value(Key::ClientKey, spaced);
        assert_eq!(cleaned.text, path);
        assert!(
            cleaned
                .note
                .is_some_and(|note| note.contains("LocalMachine"))
        );
        let shown = format!(r"Microsoft.PowerShell.Security\Certificate::LocalMachine\My\{HASH}");
        assert_eq!(clean_value(Key::ClientKey, &shown).text, path);
        for (key, text) in [(Key::ClientId, HASH), (Key::ClientKey, "key.pem")] {
            assert_eq!(clean_value(key, text).text, text);
        }
    }
}
