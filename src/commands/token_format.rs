//! The output formats of `token`, each of them safe for the program that reads it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use zeroize::Zeroizing;

use super::token_template::{Encoding, Field, Part};
use crate::cli::{TokenFormat, checked_mailbox};
use crate::clock::timestamp;
use crate::mail::sasl::Mechanism;
use crate::secret::{ExposeSecret, SecretString};
use crate::store::record::Record;
use crate::store::tokens::Tokens;

/// The data to print.
pub(super) struct Printed<'a> {
    pub(super) record: &'a Record,
    pub(super) tokens: &'a Tokens,
    /// The mailbox given by the user, or the one of the profile.
    pub(super) user: Option<&'a str>,
    /// The parts of the template; empty for the other formats.
    pub(super) template: &'a [Part<'a>],
    pub(super) now: u64,
}

impl Printed<'_> {
    /// Returns the text, without a final line feed.
    ///
    /// # Errors
    /// Returns an error, as a sentence, if a value is missing.
    pub(super) fn text(&self, format: TokenFormat) -> Result<SecretString, String> {
        let token = self.tokens.access_token();
        let header = &self.record.issued_for.header;
        let line = || joined(&["Authorization: ", header, " ", token]);
        let text = match format {
            TokenFormat::Raw => joined(&[token]),
            TokenFormat::Json => self.json(),
            TokenFormat::Header => line(),
            TokenFormat::Env => joined(&[
                "ACCESS_TOKEN=",
                &sh(token),
                "\nACCESS_TOKEN_EXPIRES_AT=",
                &sh(&self.expires_at()),
            ]),
            TokenFormat::EnvPowershell => joined(&[
                "$env:ACCESS_TOKEN = ",
                &powershell(token),
                "\n$env:ACCESS_TOKEN_EXPIRES_AT = ",
                &powershell(&self.expires_at()),
            ]),
            TokenFormat::Curl => match self.user()? {
                Some(user) => joined(&["oauth2-bearer = ", &curl(token), "\nuser = ", &curl(user)]),
                None => joined(&["header = ", &curl(&line())]),
            },
            TokenFormat::Xoauth2 => return self.sasl(Mechanism::Xoauth2),
            TokenFormat::Oauthbearer => return self.sasl(Mechanism::Oauthbearer),
            TokenFormat::Git => {
                let user = self.needed_user()?;
                let expiry = self.tokens.expires_at;
                let expiry =
                    expiry.map_or_else(String::new, |end| format!("\npassword_expiry_utc={end}"));
                joined(&["username=", user, "\npassword=", token, &expiry])
            }
            TokenFormat::Template => self.filled()?,
        };
        Ok(text.as_str().into())
    }

    /// Returns the mailbox, for formats in which it is optional.
    fn user(&self) -> Result<Option<&str>, &'static str> {
        self.user.map(checked_mailbox).transpose()
    }

    fn needed_user(&self) -> Result<&str, String> {
        Ok(self.user()?.ok_or(
            "This format needs the mailbox. Add --user ADDRESS, or [mail] user = \"ADDRESS\" to the settings of the profile.",
        )?)
    }

    fn sasl(&self, mechanism: Mechanism) -> Result<SecretString, String> {
        Ok(mechanism.message(self.needed_user()?, self.tokens.access_token(), None))
    }

    fn json(&self) -> Zeroizing<String> {
        let rest = json!({
            "expires_at": self.tokens.expires_at.map(time),
            "expires_in": self.tokens.left(self.now),
            "profile": self.record.profile,
            "scope": self.scope(),
            "token_type": self.tokens.token_type.as_deref().unwrap_or("Bearer"),
        });
        let rest = rest.to_string();
        let token = json_text(self.tokens.access_token());
        joined(&[
            "{\"access_token\":",
            &token,
            ",",
            rest.trim_start_matches('{'),
        ])
    }

    fn scope(&self) -> String {
        let asked = &self.record.issued_for.scope;
        self.tokens.scope.as_ref().unwrap_or(asked).join(" ")
    }

    fn expires_at(&self) -> String {
        self.tokens.expires_at.map(time).unwrap_or_default()
    }

    fn value(&self, field: Field) -> Result<Zeroizing<String>, String> {
        Ok(Zeroizing::new(match field {
            Field::AccessToken => self.tokens.access_token().to_owned(),
            Field::TokenType => {
                let kind = self.tokens.token_type.as_deref();
                kind.unwrap_or("Bearer").to_owned()
            }
            Field::ExpiresAt => self.expires_at(),
            Field::ExpiresIn => {
                let left = self.tokens.left(self.now);
                left.map(|left| left.to_string()).unwrap_or_default()
            }
            Field::Scope => self.scope(),
            Field::User => self.needed_user()?.to_owned(),
            Field::Profile => self.record.profile.clone(),
            Field::IdToken => {
                let token = self.tokens.id_token.as_ref();
                let token = token.ok_or("The profile has no ID token.")?;
                token.expose_secret().to_owned()
            }
        }))
    }

    /// Returns the template with the fields replaced by their values.
    fn filled(&self) -> Result<Zeroizing<String>, String> {
        let parts = self.template.iter().map(|part| {
            let (field, encoding) = match part {
                Part::Text(itself) => return Ok(Zeroizing::new((*itself).to_owned())),
                Part::Field(field, encoding) => (*field, *encoding),
            };
            let value = self.value(field)?;
            Ok(match encoding {
                None => value,
                Some(Encoding::Json) => json_text(&value),
                Some(Encoding::Url) => {
                    let pieces: Vec<&str> = utf8_percent_encode(&value, URL).collect();
                    joined(&pieces)
                }
                Some(Encoding::Base64) => Zeroizing::new(STANDARD.encode(value.as_bytes())),
                Some(Encoding::Sh) => sh(&value),
            })
        });
        let parts: Vec<Zeroizing<String>> = parts.collect::<Result<_, String>>()?;
        let parts: Vec<&str> = parts.iter().map(|part| part.as_str()).collect();
        Ok(joined(&parts))
    }
}

/// Joins texts, some of which are secret. The result has its full size from the start: growing it would leave copies
/// behind.
fn joined(parts: &[&str]) -> Zeroizing<String> {
    Zeroizing::new(parts.concat())
}

/// Quotes a text, in which some characters are replaced, between these quotation marks.
fn quoted(
    text: &str,
    quote: char,
    replaced: impl Fn(char) -> Option<&'static str>,
) -> Zeroizing<String> {
    let mut quoted = Zeroizing::new(String::with_capacity(4 * text.len() + 2));
    quoted.push(quote);
    for ch in text.chars() {
        match replaced(ch) {
            Some(text) => quoted.push_str(text),
            None => quoted.push(ch),
        }
    }
    quoted.push(quote);
    quoted
}

/// Quotes a text as a string of JSON.
fn json_text(text: &str) -> Zeroizing<String> {
    // The longest escape of one byte is \u0000.
    let mut bytes = Zeroizing::new(Vec::with_capacity(6 * text.len() + 2));
    // Writing to memory can't fail.
    let _ = serde_json::to_writer(&mut *bytes, text);
    Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned())
}

/// The characters to encode in a URL: all except the unreserved characters of RFC 3986, section 2.3.
const URL: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Formats a time as in RFC 3339.
pub(super) fn time(seconds: u64) -> String {
    timestamp(seconds).to_string()
}

/// Quotes a text as a word of a POSIX shell.
fn sh(text: &str) -> Zeroizing<String> {
    quoted(text, '\'', |ch| (ch == '\'').then_some(r"'\''"))
}

/// Quotes a text as a literal string of PowerShell, which treats typographic quotes as quotes, too.
fn powershell(text: &str) -> Zeroizing<String> {
    quoted(text, '\'', |ch| match ch {
        '\'' => Some("''"),
        '\u{2018}' => Some("\u{2018}\u{2018}"),
        '\u{2019}' => Some("\u{2019}\u{2019}"),
        '\u{201a}' => Some("\u{201a}\u{201a}"),
        '\u{201b}' => Some("\u{201b}\u{201b}"),
        _ => None,
    })
}

/// Quotes a text for a configuration file of curl.
fn curl(text: &str) -> Zeroizing<String> {
    quoted(text, '"', |ch| match ch {
        '\\' => Some(r"\\"),
        '"' => Some("\\\""),
        _ => None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::super::token_template::parts;
    use super::*;
    use crate::oauth::token::TokenSet;
    use crate::store::issued_for::IssuedFor;

    const ODD: &str = "a\"b'c\\d$e`f\u{2019}ü";

    fn record() -> Record {
        let set = TokenSet {
            access_token: ODD.into(),
            token_type: None,
            expires_in: Some(3600),
            refresh_token: Some("the-refresh-token".into()),
            id_token: None,
            scope: None,
            kept: Vec::new(),
            notes: Vec::new(),
            token_url: None,
            redirect_url: None,
        };
        let issued_for = IssuedFor {
            token_url: "https://as.example/token".to_owned(),
            client_id: "me".to_owned(),
            client_authentication: "none".to_owned(),
            scope: vec!["a".to_owned(), "b".to_owned()],
            flow: "device-code".to_owned(),
            header: "Bearer".to_owned(),
            ..IssuedFor::default()
        };
        let tokens = Tokens::of_set(&set, 1_000_000, None);
        Record::new("office", String::new(), issued_for, Some(tokens), None)
    }

    fn print(format: TokenFormat, user: Option<&str>, template: &str) -> String {
        let record = record();
        let template = parts(template).unwrap();
        let printed = Printed {
            record: &record,
            tokens: record.tokens.as_ref().unwrap(),
            user,
            template: &template,
            now: 1_000_600,
        };
        match printed.text(format) {
            Ok(text) => text.expose_secret().to_owned(),
            Err(error) => error,
        }
    }

    #[test]
    fn formats_keep_special_characters_and_omit_refresh_tokens() {
        let user = Some("al,i=ce@contoso.example");
        for (format, expected) in [
            (TokenFormat::Raw, ODD.to_owned()),
            (TokenFormat::Header, format!("Authorization: Bearer {ODD}")),
            (
                TokenFormat::Env,
                "ACCESS_TOKEN='a\"b'\\''c\\d$e`f\u{2019}ü'\nACCESS_TOKEN_EXPIRES_AT='1970-01-12T14:46:40Z'"
                    .to_owned(),
            ),
            (
                TokenFormat::EnvPowershell,
                "$env:ACCESS_TOKEN = 'a\"b''c\\d$e`f\u{2019}\u{2019}ü'\n$env:ACCESS_TOKEN_EXPIRES_AT = '1970-01-12T14:46:40Z'"
                    .to_owned(),
            ),
            (
                TokenFormat::Curl,
                "oauth2-bearer = \"a\\\"b'c\\\\d$e`f\u{2019}ü\"\nuser = \"al,i=ce@contoso.example\"".to_owned(),
            ),
            (
                TokenFormat::Xoauth2,
                STANDARD.encode(format!(
                    "user=al,i=ce@contoso.example\u{1}auth=Bearer {ODD}\u{1}\u{1}"
                )),
            ),
            (
                TokenFormat::Oauthbearer,
                STANDARD.encode(format!(
                    "n,a=al=2Ci=3Dce@contoso.example,\u{1}auth=Bearer {ODD}\u{1}\u{1}"
                )),
            ),
            (
                TokenFormat::Git,
                format!("username=al,i=ce@contoso.example\npassword={ODD}\npassword_expiry_utc=1003600"),
            ),
        ] {
            let text = print(format, user, "");
            assert_eq!(text, expected);
        }
        let json: serde_json::Value =
            serde_json::from_str(&print(TokenFormat::Json, None, "")).unwrap();
        assert_eq!(json["access_token"], ODD);
        assert_eq!(
            (&json["expires_in"], &json["scope"]),
            (&json!(3000), &json!("a b"))
        );
        assert!(!json.to_string().contains("the-refresh-token"));
    }

    #[test]
    fn templates_encode_fields_and_report_missing_values() {
        for (template, expected) in [
            (
                "{\"a\":{\"b\":\"{profile}\"}}",
                "{\"a\":{\"b\":\"office\"}}",
            ),
            ("{access_token|json}", "\"a\\\"b'c\\\\d$e`f\u{2019}ü\""),
            ("{access_token|url}", "a%22b%27c%5Cd%24e%60f%E2%80%99%C3%BC"),
            ("a } {} {0} { }", "a } {} {0} { }"),
            ("{scope|sh};{expires_in}", "'a b';3000"),
            ("{profile|base64}", "b2ZmaWNl"),
        ] {
            assert_eq!(print(TokenFormat::Template, None, template), expected);
        }
        for (template, words) in [
            ("{user}", "Add --user ADDRESS"),
            ("{id_token}", "no ID token"),
        ] {
            let error = print(TokenFormat::Template, None, template);
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn all_formats_refuse_empty_or_multiline_mailboxes() {
        for user in ["", " ", "a\nb", "a\u{1}b", "a\u{85}b"] {
            for format in [
                TokenFormat::Curl,
                TokenFormat::Xoauth2,
                TokenFormat::Oauthbearer,
                TokenFormat::Git,
                TokenFormat::Template,
            ] {
                let text = print(format, Some(user), "{user}");
                assert!(
                    text.contains("mailbox of the profile is not valid"),
                    "{format:?}: {text}"
                );
            }
        }
    }
}
