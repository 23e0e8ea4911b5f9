//! A sentence for the user, behind a label.

use std::borrow::Cow;

/// How something is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// As a matter of fact.
    #[default]
    Plain,
    /// As intended.
    Good,
    /// Something may go wrong.
    Warning,
    /// Something went wrong.
    Bad,
}

/// A sentence in the message area, behind a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Which kind of sentence it is, or what it is about.
    pub label: Cow<'static, str>,
    /// The sentence.
    pub text: String,
    /// How it is meant.
    pub tone: Tone,
}

impl Said {
    /// A sentence behind a label.
    pub fn new(label: impl Into<Cow<'static, str>>, text: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            text: text.into(),
            tone: Tone::Plain,
        }
    }

    /// Meant like this.
    #[must_use]
    pub fn toned(self, tone: Tone) -> Self {
        Self { tone, ..self }
    }
}
