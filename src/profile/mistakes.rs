//! Values of the wrong kind in a settings file, in the words of its users. The parser's own words are those of Rust.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::{Spanned, Value};

use super::setting::kind;
use super::store_kind::StoreKind;
use crate::clean::clean;

/// What the values must be.
const LIST: &str = "a list of strings, such as [\"pass\", \"show\", \"office\"]";
const DATE: &str = "a date without quotation marks, such as 2027-05-01";
const TIME: &str = "a duration in quotes, such as \"30d\"";

type Section = BTreeMap<String, Spanned<Value>>;

/// The same file with values of any kind.
#[derive(Debug, Deserialize)]
struct Loose {
    format: Option<Spanned<Value>>,
    preset: Option<Spanned<Value>>,
    preset_file: Option<Spanned<Value>>,
    #[serde(default)]
    vars: Section,
    #[serde(default)]
    secret: Section,
    #[serde(default)]
    mail: Section,
    #[serde(default)]
    store: Section,
    #[serde(default)]
    check: Section,
}

/// Returns the place of the mistake in `text` that `error` is about, in bytes, and what is wrong there.
pub(super) fn explained(error: &toml::de::Error, text: &str) -> (usize, String) {
    mistake(text).unwrap_or_else(|| {
        let at = error.span().map_or(0, |span| span.start).min(text.len());
        let message = error.message().lines().next().unwrap_or_default();
        let message = unknown(message).unwrap_or_else(|| message.to_owned());
        (at, clean(&message, 300))
    })
}

/// Rewords the parser's message about an unknown field.
fn unknown(message: &str) -> Option<String> {
    let rest = message.strip_prefix("unknown field `")?;
    let (name, known) = rest.split_once("`, expected ")?;
    let known = known.trim_start_matches("one of ").replace('`', "");
    Some(format!(
        "unknown field `{}`. Rename or remove it. The fields here are {known}",
        clean(name, 40)
    ))
}

/// Returns the first value of the wrong kind; `None` if there is none, or if the file is not TOML.
fn mistake(text: &str) -> Option<(usize, String)> {
    let file: Loose = toml::from_str(text).ok()?;
    let Some(format) = &file.format else {
        return Some((0, "Add the line format = 1 at the top".to_owned()));
    };
    let kinds = StoreKind::ALL.map(StoreKind::name);
    let one_of = format!("one of: \"{}\"", kinds.join("\", \""));
    let mut wrong = Vec::new();
    let mut look = |name: &str, value: &Spanned<Value>, needed: Option<&str>| {
        if let Some(needed) = needed {
            let is = kind(value.get_ref());
            let told = format!("{} is {is}, but must be {needed}", clean(name, 40));
            wrong.push((value.span().start, told));
        }
    };
    let number = "a number without quotes: format = 1";
    look(
        "format",
        format,
        unless(format.get_ref().is_integer(), number),
    );
    for (name, value) in [("preset", &file.preset), ("preset_file", &file.preset_file)] {
        if let Some(value) = value {
            look(name, value, text_in_quotes(value));
        }
    }
    for (name, value) in file.vars.iter().chain(&file.mail) {
        look(name, value, text_in_quotes(value));
    }
    for (name, value) in file.secret.iter().chain(&file.store).chain(&file.check) {
        let needed = match name.as_str() {
            "file" | "env" | "credential" => text_in_quotes(value),
            "command" | "read" | "write" => unless(is_list(value), LIST),
            "expires" => unless(value.get_ref().is_datetime(), DATE),
            "kind" => {
                let known = value.get_ref().as_str();
                unless(known.is_some_and(|text| kinds.contains(&text)), &one_of)
            }
            "testing" => unless(value.get_ref().is_bool(), "true or false without quotes"),
            "refresh_idle" | "refresh_max" => unless(value.get_ref().is_str(), TIME),
            // The parser tells unknown names.
            _ => None,
        };
        look(name, value, needed);
    }
    wrong.into_iter().min()
}

fn unless(fits: bool, needed: &str) -> Option<&str> {
    (!fits).then_some(needed)
}

fn text_in_quotes(value: &Spanned<Value>) -> Option<&'static str> {
    unless(value.get_ref().is_str(), "a string in quotes")
}

fn is_list(value: &Spanned<Value>) -> bool {
    let list = value.get_ref().as_array();
    list.is_some_and(|list| list.iter().all(Value::is_str))
}
