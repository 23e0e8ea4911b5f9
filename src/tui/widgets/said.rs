//! A labeled sentence for the user.

use std::borrow::Cow;

/// The tone of a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// Neutral information.
    #[default]
    Plain,
    /// Something went as intended.
    Good,
    /// Something may go wrong.
    Warning,
    /// Something went wrong.
    Bad,
}

/// A labeled sentence in the message area.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The kind or the subject of the sentence.
    pub label: Cow<'static, str>,
    /// The sentence.
    pub text: String,
    /// The tone of the sentence.
    pub tone: Tone,
}

impl Said {
    /// Creates a sentence with a label.
    pub fn new(label: impl Into<Cow<'static, str>>, text: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            text: text.into(),
            tone: Tone::Plain,
        }
    }

    /// Sets the tone.
    #[must_use]
    pub fn toned(self, tone: Tone) -> Self {
        Self { tone, ..self }
    }
}
