//! Recognizes the content of a file that was given in place of a client secret, such as a key.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;

/// A file that contains more than a client secret, such as a key. Its content must not be sent as the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtherFile {
    /// A key or a certificate.
    Pem,
    /// The key of a service account.
    ServiceAccount,
    /// A JSON object with a member `client_secret`, or with one of the members that contain it in downloaded files.
    ClientJson,
    /// Another JSON object.
    Json,
}

impl OtherFile {
    /// Recognizes the content of such a file; `None` for a client secret, which may contain braces.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let text = text.trim_start_matches('\u{feff}').trim();
        // What openssl writes in front of a key.
        if text.starts_with("-----BEGIN ") || text.starts_with("Bag Attributes") {
            return Some(Self::Pem);
        }
        if !text.starts_with('{') {
            return None;
        }
        #[expect(
            clippy::zero_sized_map_values,
            reason = "serde reads an object into a map; nothing of the values is kept"
        )]
        let members: BTreeMap<String, IgnoredAny> = serde_json::from_str(text).ok()?;
        let has = |name: &str| members.contains_key(name);
        if members.is_empty() {
            None
        } else if has("private_key") {
            Some(Self::ServiceAccount)
        } else if has("client_secret") || has("installed") || has("web") {
            Some(Self::ClientJson)
        } else {
            Some(Self::Json)
        }
    }

    /// Returns what the content is, and what to do instead, as the end of a sentence and a second one without its period.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Pem => {
                "a key or a certificate in PEM format, not a client secret. For a private key, set Client key \
                 (--client-key) to the path of the file instead"
            }
            Self::ServiceAccount => {
                "the key of a service account in JSON format, not a client secret. Use the flow Service account \
                 (--flow service-account), and set Key file (--service-account-file) to the path of the file instead"
            }
            Self::ClientJson => {
                "JSON, not only the client secret. Use only the value of client_secret, without quotation marks"
            }
            Self::Json => {
                "JSON, not a client secret. Use only the secret itself, without names and quotation marks"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_and_json_files_are_recognized() {
        for (text, file) in [
            ("-----BEGIN PRIVATE KEY-----\nabc", OtherFile::Pem),
            ("\u{feff}-----BEGIN CERTIFICATE-----", OtherFile::Pem),
            ("Bag Attributes\n    friendlyName: x", OtherFile::Pem),
            (
                r#" {"type":"service_account","private_key":"x"}"#,
                OtherFile::ServiceAccount,
            ),
            (
                r#"{"installed":{"client_id":"a","client_secret":"b"}}"#,
                OtherFile::ClientJson,
            ),
            ("{\n  \"client_secret\": \"b\"\n}\n", OtherFile::ClientJson),
            (r#"{"a":[1,{"b":null}],"a":2}"#, OtherFile::Json),
        ] {
            assert_eq!(OtherFile::of(text), Some(file), "{text}");
        }
        for text in [
            "s3cret",
            "{s3cret}",
            "{s3cret",
            "{\"s3",
            "{}",
            "s3-----BEGIN ",
            "[1]",
            "",
        ] {
            assert_eq!(OtherFile::of(text), None, "{text}");
        }
    }
}
