//! A value in the section `[settings]` of a settings file, with its place there, and how values are called in messages.

use toml::Value;

use crate::clean::clean;

/// A value in the section `[settings]`.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) value: Value,
    /// The line and the column of the name.
    pub(super) name_at: (usize, usize),
    /// The line and the column of the value.
    pub(super) value_at: (usize, usize),
}

impl Setting {
    /// What it is, for a message.
    pub(super) fn shown(&self) -> String {
        match &self.value {
            Value::String(text) => format!("\"{}\"", clean(text, 40)),
            value => kind(value).to_owned(),
        }
    }
}

/// What kind of value it is, for a message.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a string",
        Value::Integer(_) | Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false without quotes",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a table",
    }
}

/// What is wrong with a name in `[settings]` that is not a setting.
pub(super) fn unknown(name: &str) -> String {
    if name == "client_secret" {
        return "The client secret can't be in [settings]. Remove it, and name the file, credential, environment variable or \
                command that contains it in [secret]"
            .to_owned();
    }
    format!(
        "[settings] has the unknown setting {}. Settings have the names of the flags, with _ in place of -",
        clean(name, 40)
    )
}

/// The line and the column of a place in a text, from 1 on.
pub(super) fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or_default();
    let row = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count() + 1, row.chars().count() + 1)
}
