//! Patterns of a service's client IDs, secrets and variables, and of common mistakes.
//!
//! A preset has its own patterns and can use sets from `presets/patterns/`, which several presets share.

use include_dir::{Dir, include_dir};
use regex_lite::Regex;
use serde::{Deserialize, Deserializer};

static SETS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/presets/patterns");

/// Returns the patterns of a shared set; `None` if there is no such set.
#[must_use]
pub fn set(name: &str) -> Option<Vec<Pattern>> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        patterns: Vec<Pattern>,
    }
    // A name must not be a path.
    let is_name = |ch: char| ch.is_ascii_lowercase() || ch == '-';
    if !name.chars().all(is_name) {
        return None;
    }
    let text = SETS.get_file(format!("{name}.toml"))?.contents_utf8()?;
    Some(toml::from_str::<File>(text).ok()?.patterns)
}

/// A pattern for the values of a field.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pattern {
    /// `client_id`, `client_secret`, or the name of a variable.
    pub field: String,
    /// The form of a correct value. Other values are not rejected, because services change their forms.
    pub form: Form,
    /// A value of that form.
    pub example: String,
    /// Values that are almost correct. The first that matches is shown.
    #[serde(default)]
    pub near: Vec<NearMiss>,
}

/// A value that is almost correct.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NearMiss {
    /// The form of such a value.
    pub form: Form,
    /// A value of that form.
    pub example: String,
    /// What the value is and how to fix it, in a sentence or two.
    pub means: String,
    /// The value to use instead: `$0` is replaced with the entered value, `$1` with the first group of the form.
    pub instead: Option<String>,
    /// Whether the value can't be correct and is rejected.
    #[serde(default)]
    pub refused: bool,
}

/// A regular expression for a whole value.
#[derive(Debug, Clone)]
pub struct Form(Regex);

impl Form {
    /// Returns whether the whole `value` has this form.
    #[must_use]
    pub fn fits(&self, value: &str) -> bool {
        self.0.is_match(value)
    }
}

impl<'de> Deserialize<'de> for Form {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Regex::new(&format!("^(?:{text})$"))
            .map(Self)
            .map_err(|error| {
                serde::de::Error::custom(format!("not a valid regular expression: {error}"))
            })
    }
}

impl Pattern {
    /// The name of the client ID field.
    pub const CLIENT_ID: &str = "client_id";
    /// The name of the client secret field.
    pub const CLIENT_SECRET: &str = "client_secret";

    /// Returns the near miss that matches `value`, and the value to use instead; `None` if the value is correct, or
    /// matches no near miss.
    #[must_use]
    pub fn near_miss(&self, value: &str) -> Option<(&NearMiss, Option<String>)> {
        if self.form.fits(value) {
            return None;
        }
        let near = self.near.iter().find(|near| near.form.fits(value))?;
        let instead = near.instead.as_ref().and_then(|template| {
            let mut instead = String::new();
            near.form.0.captures(value)?.expand(template, &mut instead);
            Some(instead)
        });
        Some((near, instead))
    }

    /// Returns what is wrong with the pattern itself.
    pub(super) fn finding(&self) -> Option<String> {
        if !self.form.fits(&self.example) {
            return Some("its example doesn't match its form. Correct one of them".to_owned());
        }
        self.near.iter().find_map(|near| {
            let Some((first, instead)) = self.near_miss(&near.example) else {
                return Some(
                    "the example of a near entry is a valid value, or doesn't match its form. Correct it".to_owned(),
                );
            };
            if !std::ptr::eq(first, near) {
                return Some(
                    "the example of a near entry matches an earlier near entry. Change their order".to_owned(),
                );
            }
            let wrong = |instead: &String| !self.form.fits(instead);
            instead
                .filter(wrong)
                .map(|_| "the value of instead doesn't match the form. Correct it".to_owned())
        })
    }
}
