//! A problem with a field of the form.

use crate::form::choices::Change;
use crate::form::field::Key;
use crate::words::sentence;

/// The severity of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The flow can't start.
    Error,
    /// The flow can start.
    Warning,
}

/// A problem with a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The field to show the problem at.
    pub key: Key,
    /// Whether the problem stops the flow.
    pub severity: Severity,
    /// A word or two to show next to the field.
    pub word: &'static str,
    /// What is wrong, and how to fix it.
    pub text: String,
    /// A fix that the program can apply.
    pub remedy: Option<Remedy>,
}

/// A change that fixes a problem, offered on a button.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remedy {
    /// The label of the button.
    pub label: String,
    /// The change to make.
    pub change: Change,
    /// Whether the value may also be correct as entered.
    pub guessed: bool,
}

impl Problem {
    /// Creates a problem without a fix.
    #[must_use]
    pub fn new(key: Key, severity: Severity, word: &'static str, text: String) -> Self {
        Self {
            key,
            severity,
            word,
            text: sentence(text),
            remedy: None,
        }
    }

    /// Returns the text after the label of the field, for a place that doesn't show the field. A text that names the field
    /// first needs no label.
    #[must_use]
    pub fn labeled(&self, label: &str) -> String {
        let text = &self.text;
        let start = text.strip_prefix("The ").unwrap_or(text).get(..label.len());
        if start.is_some_and(|start| start.eq_ignore_ascii_case(label)) {
            text.clone()
        } else {
            format!("{label}: {text}")
        }
    }

    /// Returns the problem with a fix.
    pub(super) fn with_remedy(mut self, label: impl Into<String>, change: Change) -> Self {
        self.remedy = Some(Remedy {
            label: label.into(),
            change,
            guessed: false,
        });
        self
    }

    /// Returns the problem with its fix marked as a guess, if the problem is a warning.
    pub(super) fn guessed(mut self) -> Self {
        if let Some(remedy) = &mut self.remedy {
            remedy.guessed = self.severity == Severity::Warning;
        }
        self
    }
}

/// The problems with the form.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    pub(super) fn error(&mut self, key: Key, word: &'static str, text: impl Into<String>) {
        self.0
            .push(Problem::new(key, Severity::Error, word, text.into()));
    }

    pub(super) fn warning(&mut self, key: Key, word: &'static str, text: impl Into<String>) {
        self.0
            .push(Problem::new(key, Severity::Warning, word, text.into()));
    }

    pub(super) fn extend(&mut self, problems: Vec<Problem>) {
        self.0.extend(problems);
    }

    /// Removes the problems that only follow from a misspelled value. A warning hides no error, and only scopes have
    /// warnings that follow from others.
    pub(super) fn say_only(&mut self, misspelled: &Problem) {
        self.0.retain(|problem| {
            let follows = match misspelled.severity {
                Severity::Error => true,
                Severity::Warning => {
                    problem.key == Key::Scope && problem.severity == Severity::Warning
                }
            };
            problem.key != misspelled.key || problem == misspelled || !follows
        });
    }

    /// Returns all problems, in the order of the screen.
    pub(super) fn in_order(mut self) -> Vec<Problem> {
        self.0.sort_by_key(|problem| problem.key);
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_label_is_left_out_if_the_text_starts_with_it() {
        let labeled = |text: &str| {
            let text = text.to_owned();
            Problem::new(Key::ClientSecret, Severity::Error, "missing", text)
                .labeled(Key::ClientSecret.label())
        };
        for text in ["The client secret is missing.", "Client secret is short."] {
            assert_eq!(labeled(text), text);
        }
        for text in ["The", "Client", "The scope é is wrong.", ""] {
            assert!(labeled(text).starts_with("Client secret: "), "{text}");
        }
    }
}
