//! The items of a screen: what can have the focus, what it is called, and which key activates it.

use std::borrow::Cow;

pub use crate::tui::widgets::button::Shortcut;

/// What kind of thing has the focus: decides which keys count and what the footer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A line to be typed.
    Text,
    /// A line to be typed whose Enter hands it over.
    Paste,
    /// A value that is found by typing.
    Search,
    /// A choice between a few values.
    Choice,
    /// A button.
    Button,
    /// A value to be chosen, selected or copied.
    Line,
}

/// Where an entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) enum Place {
    /// In the body.
    Body,
    /// In this row of buttons.
    Row(usize),
    /// Under More.
    More,
    /// Nowhere: there is nothing under More.
    Nowhere,
}

/// The label of the button that shows the others.
pub(super) const MORE: &str = "More…";

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
    /// It is next to a row of the body, not among the buttons at the bottom.
    pub beside: bool,
    /// A word about it at the edge of its row, such as `missing`.
    pub state: Cow<'static, str>,
    /// What More says about it. It is only there.
    pub more: Option<Cow<'static, str>>,
    /// It cannot be used; More says why.
    pub off: bool,
    /// The change that Ctrl+F makes here, in a few words.
    pub fix: Option<String>,
    /// What Enter does here, for the footer, where it is not what Enter does in any item of its kind.
    pub enter: Option<&'static str>,
    /// A key that means something here alone, for the footer.
    pub hint: Option<(&'static str, &'static str)>,
}

impl<I> Entry<I> {
    fn new(item: I, kind: Kind, label: impl Into<Cow<'static, str>>, shortcut: Shortcut) -> Self {
        Self {
            item,
            kind,
            label: label.into(),
            shortcut,
            beside: kind != Kind::Button,
            state: Cow::Borrowed(""),
            more: None,
            off: false,
            fix: None,
            enter: None,
            hint: None,
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

    /// A button at the bottom that Esc presses.
    pub fn esc(item: I, label: impl Into<Cow<'static, str>>) -> Self {
        Self::new(item, Kind::Button, label, Shortcut::Esc)
    }

    /// A button at the bottom that does what Enter does on the chosen row.
    pub fn enter(item: I, label: impl Into<Cow<'static, str>>) -> Self {
        Self::new(item, Kind::Button, label, Shortcut::Enter)
    }

    /// A button at the bottom that Delete presses.
    pub fn del(item: I, label: impl Into<Cow<'static, str>>) -> Self {
        Self::new(item, Kind::Button, label, Shortcut::Del)
    }

    /// A button at the bottom that no key presses but Enter on it.
    pub fn quiet(item: I, label: impl Into<Cow<'static, str>>) -> Self {
        Self::new(item, Kind::Button, label, Shortcut::None)
    }

    /// The button that shows what has no room, or what is rarely needed.
    pub fn more(item: I) -> Self {
        Self::button(item, MORE, 'o')
    }

    /// A button next to a row.
    pub fn beside(item: I, label: impl Into<Cow<'static, str>>) -> Self {
        Self {
            beside: true,
            ..Self::new(item, Kind::Button, label, Shortcut::None)
        }
    }

    /// A value that is found by typing.
    pub fn search(item: I, label: impl Into<Cow<'static, str>>) -> Self {
        Self::new(item, Kind::Search, label, Shortcut::None)
    }

    /// With a letter that activates it.
    #[must_use]
    pub fn with_letter(self, letter: char) -> Self {
        Self {
            shortcut: Shortcut::Letter(letter),
            ..self
        }
    }

    /// Under More, with a sentence about it.
    #[must_use]
    pub fn under_more(self, about: impl Into<Cow<'static, str>>) -> Self {
        Self {
            more: Some(about.into()),
            ..self
        }
    }

    /// Under More, where it cannot be used, with the reason.
    #[must_use]
    pub fn not_offered(self, why: impl Into<Cow<'static, str>>) -> Self {
        Self {
            off: true,
            ..self.under_more(why)
        }
    }

    /// With a word at the edge of its row.
    #[must_use]
    pub fn with_state(self, state: impl Into<Cow<'static, str>>) -> Self {
        Self {
            state: state.into(),
            ..self
        }
    }

    /// With a word of its own for what Enter does.
    #[must_use]
    pub fn with_enter(self, enter: &'static str) -> Self {
        Self {
            enter: Some(enter),
            ..self
        }
    }

    /// With a key that means something here alone.
    #[must_use]
    pub fn with_hint(self, key: &'static str, words: &'static str) -> Self {
        Self {
            hint: Some((key, words)),
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
    /// It is next to a row of the body.
    pub beside: bool,
    /// The change that Ctrl+F makes here.
    pub fix: Option<String>,
    /// What Enter does here, where it is not what it does in any item of this kind.
    pub enter: Option<&'static str>,
    /// A key that means something here alone.
    pub hint: Option<(&'static str, &'static str)>,
    /// What More says about it.
    pub more: Option<Cow<'static, str>>,
    /// It cannot be used.
    pub off: bool,
    /// Where it stands.
    pub(in crate::tui) place: Place,
    /// It has the focus.
    pub focused: bool,
}

impl ItemView {
    /// True for a button at the bottom.
    #[must_use]
    pub fn is_button(&self) -> bool {
        self.kind == Kind::Button && !self.beside
    }

    /// True if it is under More.
    #[must_use]
    pub fn is_under_more(&self) -> bool {
        self.place == Place::More
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
