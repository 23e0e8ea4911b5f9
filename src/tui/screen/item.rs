//! The items of a screen: what can have the focus, what it is called, and which key activates it.

use std::borrow::Cow;

/// What kind of thing has the focus: decides which keys count and what the footer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A line to be typed.
    Text,
    /// A line to be typed whose Enter hands it over.
    Paste,
    /// A choice between a few values.
    Choice,
    /// A button.
    Button,
    /// A value to be chosen, selected or copied.
    Line,
}

/// The key that activates an item outside of texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shortcut {
    /// A letter key.
    Letter(char),
    /// Enter, from anywhere.
    Enter,
    /// The Esc key.
    Esc,
    /// The Delete key.
    Del,
    /// None but Enter on the item itself.
    None,
}

/// A row of a screen's one table of items.
#[derive(Debug, Clone)]
pub struct Entry<I> {
    /// The item.
    pub item: I,
    /// The kind of item.
    pub kind: Kind,
    /// On the screen.
    pub label: Cow<'static, str>,
    /// The key that activates it.
    pub shortcut: Shortcut,
    /// It stands beside a row of the body, not among the buttons at the bottom.
    pub beside: bool,
    /// A word about it at the edge of its row, such as `missing`.
    pub state: &'static str,
    /// The change that Ctrl+F makes here, in a few words.
    pub fix: Option<String>,
    /// What Enter does here, for the footer, where it is not what Enter does in any item of its kind.
    pub enter: Option<&'static str>,
}

impl<I> Entry<I> {
    fn new(item: I, kind: Kind, label: impl Into<Cow<'static, str>>, shortcut: Shortcut) -> Self {
        Self {
            item,
            kind,
            label: label.into(),
            shortcut,
            beside: kind != Kind::Button,
            state: "",
            fix: None,
            enter: None,
        }
    }

    /// A line to be typed.
    pub fn text(item: I, label: impl Into<Cow<'static, str>>) -> Self {
        Self::new(item, Kind::Text, label, Shortcut::None)
    }

    /// A line to be typed whose Enter hands it over.
    pub fn paste(item: I, label: impl Into<Cow<'static, str>>) -> Self {
        Self::new(item, Kind::Paste, label, Shortcut::None)
    }

    /// A choice between a few values.
    pub fn choice(item: I, label: impl Into<Cow<'static, str>>) -> Self {
        Self::new(item, Kind::Choice, label, Shortcut::None)
    }

    /// A value.
    pub fn line(item: I, label: impl Into<Cow<'static, str>>) -> Self {
        Self::new(item, Kind::Line, label, Shortcut::None)
    }

    /// A button at the bottom.
    pub fn button(item: I, label: impl Into<Cow<'static, str>>, letter: char) -> Self {
        Self::new(item, Kind::Button, label, Shortcut::Letter(letter))
    }

    /// A button beside a row.
    pub fn beside(item: I, label: impl Into<Cow<'static, str>>) -> Self {
        Self {
            beside: true,
            ..Self::new(item, Kind::Button, label, Shortcut::None)
        }
    }

    /// With a word at the edge of its row.
    #[must_use]
    pub fn with_state(self, state: &'static str) -> Self {
        Self { state, ..self }
    }

    /// With a word of its own for what Enter does.
    #[must_use]
    pub fn with_enter(self, enter: &'static str) -> Self {
        Self {
            enter: Some(enter),
            ..self
        }
    }

    /// With a change that Ctrl+F makes.
    #[must_use]
    pub fn with_fix(self, fix: Option<String>) -> Self {
        Self { fix, ..self }
    }
}

/// An item without its type: what the frame and the tests see.
#[derive(Debug, Clone)]
pub struct ItemView {
    /// The kind of item.
    pub kind: Kind,
    /// On the screen.
    pub label: Cow<'static, str>,
    /// The key that activates it.
    pub shortcut: Shortcut,
    /// It stands beside a row of the body.
    pub beside: bool,
    /// The change that Ctrl+F makes here.
    pub fix: Option<String>,
    /// What Enter does here, where it is not what it does in any item of this kind.
    pub enter: Option<&'static str>,
    /// It has the focus.
    pub focused: bool,
}

impl ItemView {
    /// True for a button at the bottom.
    #[must_use]
    pub fn is_button(&self) -> bool {
        self.kind == Kind::Button && !self.beside
    }

    /// The letter that activates it.
    #[must_use]
    pub fn letter(&self) -> Option<char> {
        match self.shortcut {
            Shortcut::Letter(letter) => Some(letter),
            Shortcut::Enter | Shortcut::Esc | Shortcut::Del | Shortcut::None => None,
        }
    }
}
