//! The `[check]` section of the settings: what the user knows about the limits of the tokens.

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::clean::clean;
use crate::presets::span::Span;

/// The `[check]` section. Its values override those of the preset.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckSettings {
    /// Whether the app is in the testing mode of the service.
    pub testing: Option<bool>,
    /// A refresh token expires if it isn't used for this long.
    #[serde(default, deserialize_with = "with_unit")]
    pub refresh_idle: Option<Span>,
    /// A refresh token expires this long after the sign-in, however often it is used.
    #[serde(default, deserialize_with = "with_unit")]
    pub refresh_max: Option<Span>,
}

/// Reads a length of time. A number alone is probably meant in days, but would be taken for seconds.
fn with_unit<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Span>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let text = clean(&text, 20);
        let problem = format!("\"{text}\" has no unit. Add s, m, h or d, such as \"{text}d\"");
        return Err(Error::custom(problem));
    }
    text.parse().map(Some).map_err(Error::custom)
}

impl CheckSettings {
    /// Returns the section in TOML; empty if nothing is set.
    pub(super) fn section(&self) -> String {
        let span = |span: Span| format!("\"{}\"", span.text());
        let lines: String = [
            ("testing", self.testing.map(|testing| testing.to_string())),
            ("refresh_idle", self.refresh_idle.map(span)),
            ("refresh_max", self.refresh_max.map(span)),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name} = {}\n", value?)))
        .collect();
        if lines.is_empty() {
            lines
        } else {
            format!("\n[check]\n{lines}")
        }
    }
}
