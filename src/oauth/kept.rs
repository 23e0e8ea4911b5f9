//! Values other than tokens that a preset keeps from a response.

use serde_json::{Map, Value};

use super::members::at;
use super::parameters::parameters;
use crate::clean::{clean, is_clean};
use crate::secret::{ExposeSecret, SecretString};

/// Limits of the additional members that are kept from a response: their number, and the length of each in bytes.
const KEPT_COUNT: usize = 40;
const KEPT_LENGTH: usize = 8 * 1024;

/// A value other than a token that the service sent and the preset keeps.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The name of the member or parameter, as in the preset.
    pub name: String,
    /// Its value as text.
    pub value: SecretString,
    /// Whether the value must not be shown on screen.
    secret: bool,
    /// Whether it came with an earlier response than the tokens.
    earlier: bool,
}

/// Endings of names whose values are secrets.
const SECRET_WORDS: &[&str] = &[
    "token",
    "secret",
    "password",
    "assertion",
    "credential",
    "jwt",
    "key",
    "cookie",
];

impl Kept {
    /// Creates a kept value; `None` if it is empty, too long or contains characters that can't be shown.
    #[must_use]
    pub fn new(name: &str, value: String) -> Option<Self> {
        let lower = name.to_lowercase();
        let last = lower.rsplit('.').next().unwrap_or_default();
        let secret = SECRET_WORDS.iter().any(|word| last.ends_with(word))
            || last == "code"
            // Anyone who knows the URL of a webhook can write to it.
            || (last == "url" && lower.contains("webhook"))
            // A JSON value may contain anything.
            || value.starts_with(['{', '[']);
        (!value.is_empty() && value.len() <= KEPT_LENGTH && is_clean(&value)).then(|| Self {
            name: clean(name, 80),
            value: value.into(),
            secret,
            earlier: false,
        })
    }

    /// Marks the value as carried over to the tokens of a later response that did not contain it.
    #[must_use]
    pub fn carried_over(mut self) -> Self {
        self.earlier = true;
        self
    }

    /// Returns whether the value came with an earlier response than the tokens.
    #[must_use]
    pub fn is_carried_over(&self) -> bool {
        self.earlier
    }

    /// Returns the value to show on screen, cleaned and shortened; `None` if it must not be shown.
    #[must_use]
    pub fn display_value(&self) -> Option<String> {
        (!self.is_secret()).then(|| clean(self.value.expose_secret(), 300))
    }

    /// Returns whether the value must not be shown on screen.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.secret
    }
}

/// Returns the parameters of `query` that are to be kept.
pub(super) fn kept_of_query(query: &str, names: &[String]) -> Vec<Kept> {
    parameters(query)
        .filter(|(name, _)| names.contains(name))
        .filter_map(|(name, value)| Kept::new(&name, value))
        .take(KEPT_COUNT)
        .collect()
}

/// The names that services use for the lifetime of the refresh token, in seconds.
pub const REFRESH_LIFE: [&str; 3] = [
    "refresh_token_expires_in",
    "x_refresh_token_expires_in",
    "refresh_expires_in",
];

/// Returns the members of a response that are to be kept: those that the preset names, and the lifetime of the refresh
/// token.
pub(super) fn kept_of_answer(members: &Map<String, Value>, paths: &[String]) -> Vec<Kept> {
    let lives = REFRESH_LIFE.into_iter();
    let lives = lives.filter(|life| !paths.iter().any(|path| path == life));
    let paths = paths.iter().map(String::as_str);
    paths
        .chain(lives)
        .filter_map(|path| {
            let text = match at(members, path)? {
                Value::Null => return None,
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            Kept::new(path, text)
        })
        .take(KEPT_COUNT)
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    #[test]
    fn members_named_by_the_preset_are_kept() {
        let members: Map<String, Value> =
            serde_json::from_str(r#"{"a":{"b":{"c":1}},"n":null}"#).unwrap();
        let paths = ["a.b", "n", "missing"].map(str::to_owned);
        let kept = kept_of_answer(&members, &paths);
        assert_eq!(kept.len(), 1);
        assert_eq!(kept[0].value.expose_secret(), r#"{"c":1}"#);
    }

    #[test]
    fn kept_values_are_limited_and_clean() {
        let names = ["a", "b", "c"].map(str::to_owned);
        let query = format!("a=1&b=%1b[31m&c={}&d=4", "x".repeat(9000));
        let kept = kept_of_query(&query, &names);
        assert_eq!(kept.len(), 1);
        assert_eq!(kept[0].name, "a");
        let secret =
            |name: &str, value: &str| Kept::new(name, value.to_owned()).unwrap().is_secret();
        for (name, value) in [
            ("accessToken", "x"),
            ("api_key", "x"),
            ("user.Password", "x"),
            ("incoming_webhook.url", "x"),
            ("instance_url", "{\"access_token\":\"x\"}"),
        ] {
            assert!(secret(name, value), "{name}");
        }
        assert!(!secret("instance_url", "https://as.example") && !secret("team.id", "T1"));
    }

    #[test]
    fn kept_secret_is_not_displayed() {
        let shown = |name: &str, value: &str| {
            let kept = Kept::new(name, value.to_owned()).unwrap();
            kept.display_value()
        };
        assert_eq!(shown("team.id", "T1").as_deref(), Some("T1"));
        assert_eq!(shown("api_key", "T1"), None);
    }
}
