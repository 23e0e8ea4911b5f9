//! A value in the section `[settings]` of a settings file, with its place there.

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
            Value::Integer(_) | Value::Float(_) => "a number".to_owned(),
            Value::Boolean(_) => "true or false without quotes".to_owned(),
            Value::Datetime(_) => "a date".to_owned(),
            Value::Array(_) => "a list".to_owned(),
            Value::Table(_) => "a table".to_owned(),
        }
    }
}

/// The line and the column of a place in a text, from 1 on.
pub(super) fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or_default();
    let row = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count() + 1, row.chars().count() + 1)
}
