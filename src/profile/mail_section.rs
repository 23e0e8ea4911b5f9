//! The section `[mail]` of a settings file.

use serde::Deserialize;
use toml::Spanned;

use super::setting::line_and_column;
use crate::mail::server::Protocol;

/// The values of the section.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mail {
    user: Option<Spanned<String>>,
    imap: Option<Spanned<String>>,
    pop3: Option<Spanned<String>>,
    smtp: Option<Spanned<String>>,
}

impl Mail {
    fn entries(&self) -> impl Iterator<Item = (&'static str, &Spanned<String>)> {
        let entries = [
            ("user", &self.user),
            (Protocol::Imap.key(), &self.imap),
            (Protocol::Pop3.key(), &self.pop3),
            (Protocol::Smtp.key(), &self.smtp),
        ];
        let entries = entries.into_iter();
        entries.filter_map(|(name, entry)| Some((name, entry.as_ref()?)))
    }

    /// Returns the value of an entry.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let (_, value) = self.entries().find(|(known, _)| *known == name)?;
        Some(value.get_ref())
    }

    /// Returns the lines and columns of the values in `text`, the whole file.
    pub(super) fn places(&self, text: &str) -> Vec<(&'static str, (usize, usize))> {
        let place = |value: &Spanned<String>| line_and_column(text, value.span().start);
        let entries = self.entries();
        entries.map(|(name, value)| (name, place(value))).collect()
    }
}
