//! Something wrong with a field of the form.

use crate::form::choices::Change;
use crate::form::field::Key;

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Authorize is stopped.
    Error,
    /// Authorize is possible.
    Warning,
}

/// Something wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The field that it is shown at.
    pub key: Key,
    /// Whether it stops Authorize.
    pub severity: Severity,
    /// A word or two for the edge of the field.
    pub word: &'static str,
    /// What is wrong and what to do.
    pub text: String,
    /// The change that one key makes against it.
    pub remedy: Option<Remedy>,
}

/// A change that fixes a problem, offered on a button.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remedy {
    /// The label of the button.
    pub label: String,
    /// The change itself.
    pub change: Change,
    /// The value may also be meant as it stands.
    pub guessed: bool,
}

impl Problem {
    /// A problem without a remedy.
    #[must_use]
    pub fn new(key: Key, severity: Severity, word: &'static str, mut text: String) -> Self {
        text.truncate(text.trim_end().len());
        if !text.ends_with(['.', '?']) {
            text.push('.');
        }
        Self {
            key,
            severity,
            word,
            text,
            remedy: None,
        }
    }

    /// The same problem with a remedy.
    pub(super) fn with_remedy(mut self, label: impl Into<String>, change: Change) -> Self {
        self.remedy = Some(Remedy {
            label: label.into(),
            change,
            guessed: false,
        });
        self
    }

    /// The same problem, whose remedy is a guess.
    pub(super) fn guessed(mut self) -> Self {
        if let Some(remedy) = &mut self.remedy {
            remedy.guessed = self.severity == Severity::Warning;
        }
        self
    }
}

/// Collects what is wrong with the form.
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

    /// Where a value was misspelled, what else is wrong with it follows from that. A warning hides no error, and only scopes
    /// have warnings that follow.
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

    /// All of them, in the order of the screen.
    pub(super) fn in_order(mut self) -> Vec<Problem> {
        self.0.sort_by_key(|problem| problem.key);
        self.0
    }
}
