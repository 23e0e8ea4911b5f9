//! Finds a preset by a name that users have for its service.

use super::format::{Preset, mail_domain};

/// How well a preset matches a search. Better matches are less.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// The search is the whole name or identifier.
    Exactly,
    /// The name starts with the search.
    Name,
    /// Each search word starts a word of the name, or the search consists of the first characters of its words, such as
    /// `m3`, or the identifier starts with the search.
    Words,
    /// The search matches another name of the service.
    Alias(String),
    /// The service has mailboxes in this domain.
    Domain(String),
    /// The preset contains each word somewhere.
    Somewhere,
}

impl Preset {
    /// Returns how well the preset matches `typed`: words in any order, in its name, identifier, keywords and mail
    /// domains. Returns `None` if it doesn't match.
    #[must_use]
    pub fn fit(&self, typed: &str) -> Option<Fit> {
        let typed = typed.trim().to_lowercase();
        let name = self.name.to_lowercase();
        if name == typed || self.id == typed {
            return Some(Fit::Exactly);
        }
        if typed.is_empty() || name.starts_with(&typed) {
            return Some(Fit::Name);
        }
        if let Some(domain) = mail_domain(&typed) {
            return self.has_mailbox(&typed).then_some(Fit::Domain(domain));
        }
        let words: Vec<&str> = typed.split_whitespace().collect();
        let begins = |text: &str, word: &str| {
            let mut parts = text.split(|ch: char| !ch.is_alphanumeric());
            parts.any(|part| part.starts_with(word))
        };
        let initials: String = name
            .split_whitespace()
            .filter_map(|it| it.chars().next())
            .collect();
        if words.iter().all(|word| begins(&name, word))
            || initials.starts_with(&typed)
            || self.id.starts_with(&typed)
        {
            return Some(Fit::Words);
        }
        let run_together: String = typed.split_whitespace().collect();
        let called = |alias: &&String| {
            let alias = alias.to_lowercase();
            let without: String = alias.split_whitespace().collect();
            alias.starts_with(&typed)
                || without.starts_with(&run_together)
                || words.iter().all(|word| begins(&alias, word))
        };
        if let Some(alias) = self.keywords.iter().find(called) {
            return Some(Fit::Alias(alias.clone()));
        }
        let domains = || self.mail.iter().flat_map(|mail| &mail.domains);
        if let Some(domain) = domains().find(|domain| domain.starts_with(&typed)) {
            return Some(Fit::Domain(domain.clone()));
        }
        let anywhere = |word: &&str| {
            let mut texts = std::iter::once(&name)
                .chain(std::iter::once(&self.id))
                .chain(&self.keywords)
                .chain(domains());
            texts.any(|text| text.to_lowercase().contains(*word))
        };
        words.iter().all(anywhere).then_some(Fit::Somewhere)
    }

    /// Returns the name of the service that differs from `typed` by one character: added, missing, changed or swapped
    /// with the next.
    #[must_use]
    pub fn nearly(&self, typed: &str) -> Option<&str> {
        let typed = typed.trim().to_lowercase();
        let length = typed.chars().count();
        let near = |text: &str| {
            let text = text.to_lowercase();
            let first = text.split(' ').next().unwrap_or_default();
            // Comparing long texts is slow, and texts whose lengths differ by more are never similar.
            let close = |text: &str| {
                text.chars().count().abs_diff(length) <= 1
                    && strsim::damerau_levenshtein(text, &typed) == 1
            };
            close(&text) || close(first)
        };
        let names = std::iter::once(&self.name).chain(&self.keywords);
        names
            .map(String::as_str)
            .find(|name| length > 2 && near(name))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use crate::presets::Library;

    /// Returns the presets that match, the best first.
    fn found(typed: &str) -> Vec<String> {
        let all = Library::default().all().unwrap();
        let mut fitting: Vec<_> = all
            .iter()
            .filter_map(|preset| Some((preset.fit(typed)?, preset)))
            .collect();
        fitting.sort_by(|a, b| a.0.cmp(&b.0));
        fitting
            .into_iter()
            .map(|(_, preset)| preset.id.clone())
            .collect()
    }

    #[test]
    fn services_are_found_by_their_common_names() {
        for (typed, expected) in [
            ("m3", "microsoft-mail"),
            ("office 365", "microsoft-mail"),
            ("365 office", "microsoft-mail"),
            ("o365", "microsoft-mail"),
            ("m365", "microsoft-mail"),
            ("exchange online", "microsoft-mail"),
            ("mail microsoft", "microsoft-mail"),
            ("gmail", "google-mail"),
            ("gmail.com", "google-mail"),
            ("google workspace", "google-mail"),
            ("gsuite", "google-mail"),
            ("g suite", "google-mail"),
            ("azure ad", "microsoft-mail"),
            ("entra", "microsoft-mail"),
            ("git", "github"),
        ] {
            let all = found(typed);
            assert_eq!(
                all.first().map(String::as_str),
                Some(expected),
                "{typed}: {all:?}"
            );
        }
        assert!(found("no such service").is_empty());
        assert_eq!(found("someone@gmail.com"), ["google-mail"]);
    }

    #[test]
    fn misspelled_name_has_a_close_match() {
        let preset = crate::presets::get("microsoft-mail").unwrap();
        assert_eq!(preset.nearly("ofice"), Some("office 365"));
        assert_eq!(preset.nearly("xy"), None);
    }
}
