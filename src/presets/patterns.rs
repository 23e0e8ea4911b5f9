//! The forms of what a service gives out: client IDs, secrets, and the values of variables; and what a near miss means.
//!
//! A preset has patterns of its own, and names sets that several presets share: `presets/patterns/`.

use include_dir::{Dir, include_dir};
use regex_lite::Regex;
use serde::{Deserialize, Deserializer};

static SETS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/presets/patterns");

/// The patterns of a shared set; `None` where there is no such set.
#[must_use]
pub fn set(name: &str) -> Option<Vec<Pattern>> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        patterns: Vec<Pattern>,
    }
    // A name is no path.
    let is_name = |ch: char| ch.is_ascii_lowercase() || ch == '-';
    if !name.chars().all(is_name) {
        return None;
    }
    let text = SETS.get_file(format!("{name}.toml"))?.contents_utf8()?;
    Some(toml::from_str::<File>(text).ok()?.patterns)
}

/// The form of a value.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pattern {
    /// `client_id`, `client_secret`, or the name of a variable.
    pub field: String,
    /// What a right value is like. Another value is not refused, as services change their forms.
    pub form: Form,
    /// A value of that form.
    pub example: String,
    /// Values that are nearly right, the first that fits is told.
    #[serde(default)]
    pub near: Vec<NearMiss>,
}

/// A value that is nearly right.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NearMiss {
    /// What it is like.
    pub form: Form,
    /// A value of that form.
    pub example: String,
    /// What it is and what to do, in a sentence or two.
    pub means: String,
    /// The value to use instead: `$0` stands for what was typed, `$1` for the first group of the form.
    pub instead: Option<String>,
    /// It cannot be right, and is refused.
    #[serde(default)]
    pub refused: bool,
}

/// A regular expression for a whole value.
#[derive(Debug, Clone)]
pub struct Form(Regex);

impl Form {
    /// True where all of `value` is of this form.
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
    /// The field of the client ID.
    pub const CLIENT_ID: &str = "client_id";
    /// The field of the client secret.
    pub const CLIENT_SECRET: &str = "client_secret";

    /// The near miss that `value` is, and the value to use instead; `None` where it is right, or like nothing known.
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

    /// What is wrong with the pattern itself.
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
