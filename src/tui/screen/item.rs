//! The items of a screen that can have the focus, with their labels and keys.

use std::borrow::Cow;

use crate::tui::widgets::button::Shortcut;

/// The kind of an item. It decides which keys work and what the footer shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text field.
    Text,
    /// A text field that Enter submits.
    Paste,
    /// A value that is searched by typing.
    Search,
    /// A choice between a few values.
    Choice,
    /// A button.
    Button,
    /// A value to choose, select or copy.
    Line,
}

/// The place of an entry on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) enum Place {
    /// In the body.
    Body,
    /// In this row of buttons.
    Row(usize),
    /// Under More.
    More,
    /// Not shown: More, if there is nothing under it.
    Nowhere,
}

/// The label of the button that lists the buttons that don't fit.
pub(super) const MORE: &str = "More…";

/// A row in a screen's table of items.
#[derive(Debug, Clone)]
pub struct Entry<I> {
    /// The item.
    pub item: I,
    /// The kind of item.
    pub kind: Kind,
    /// The label on the screen.
    pub label: Cow<'static, str>,
    /// The key that activates the item.
    pub shortcut: Shortcut,
    /// Whether the item is next to a row of the body, not among the buttons at the bottom.
    pub beside: bool,
    /// Whether the item is a button that has a row of the body to itself.
    pub own_row: bool,
    /// A state at the end of the item's row, such as `missing`.
    pub state: Cow<'static, str>,
    /// The description under More. An entry with a description is shown only there.
    pub more: Option<Cow<'static, str>>,
    /// Whether the item is unavailable; the description under More says why.
    pub off: bool,
    /// The fix that Ctrl+F applies, in a few words.
    pub fix: Option<String>,
    /// What Enter does, for the footer, if it differs from other items of this kind.
    pub enter: Option<&'static str>,
    /// A key that works only on this item, and what it does, for the footer.
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
            own_row: false,
            state: Cow::Borrowed(""),
            more: None,
            off: false,
            fix: None,
            enter: None,
            hint: None,
        }
    }

    /// Creates a text field.
    pub fn text(item: I, label: impl Into<Cow<'static, str>>) -> Self {
        Self::new(item, Kind::Text, label, Shortcut::None)
    }

    /// Creates a text field that Enter submits.
    pub fn paste(item: I, label: impl Into<Cow<'static, str>>) -> Self {
        Self::new(item, Kind::Paste, label, Shortcut::None)
    }

    /// Creates a choice between a few values.
    pub fn choice(item: I, label: impl Into<Cow<'static, str>>) -> Self {
        Self::new(item, Kind::Choice, label, Shortcut::None)
    }

    /// Creates a value to choose, select or copy.
    pub fn line(item: I, label: impl Into<Cow<'static, str>>) -> Self {
        Self::new(item, Kind::Line, label, Shortcut::None)
    }

    /// Creates a button at the bottom.
    pub fn button(item: I, label: impl Into<Cow<'static, str>>, letter: char) -> Self {
        Self::new(item, Kind::Button, label, Shortcut::Letter(letter))
    }

    /// Creates a button at the bottom that Esc presses.
    pub fn esc(item: I, label: impl Into<Cow<'static, str>>) -> Self {
        Self::new(item, Kind::Button, label, Shortcut::Esc)
    }

    /// Creates a button at the bottom that does what Enter does on the selected row.
    pub fn enter(item: I, label: impl Into<Cow<'static, str>>) -> Self {
        Self::new(item, Kind::Button, label, Shortcut::Enter)
    }

    /// Creates a button at the bottom that Delete presses.
    pub fn del(item: I, label: impl Into<Cow<'static, str>>) -> Self {
        Self::new(item, Kind::Button, label, Shortcut::Del)
    }

    /// Creates a button at the bottom without a key of its own.
    pub fn quiet(item: I, label: impl Into<Cow<'static, str>>) -> Self {
        Self::new(item, Kind::Button, label, Shortcut::None)
    }

    /// Creates the button that lists the buttons that don't fit or are rarely needed.
    pub fn more(item: I) -> Self {
        Self::button(item, MORE, 'o')
    }

    /// Creates a button that has a row of the body to itself.
    pub fn in_own_row(item: I, label: impl Into<Cow<'static, str>>) -> Self {
        Self {
            own_row: true,
            ..Self::beside(item, label)
        }
    }

    /// Creates a button next to a row.
    pub fn beside(item: I, label: impl Into<Cow<'static, str>>) -> Self {
        Self {
            beside: true,
            ..Self::new(item, Kind::Button, label, Shortcut::None)
        }
    }

    /// Creates a value that is searched by typing.
    pub fn search(item: I, label: impl Into<Cow<'static, str>>) -> Self {
        Self::new(item, Kind::Search, label, Shortcut::None)
    }

    /// Sets the letter that activates the item.
    #[must_use]
    pub fn with_letter(self, letter: char) -> Self {
        Self {
            shortcut: Shortcut::Letter(letter),
            ..self
        }
    }

    /// Moves the item under More, with a description.
    #[must_use]
    pub fn under_more(self, about: impl Into<Cow<'static, str>>) -> Self {
        Self {
            more: Some(about.into()),
            ..self
        }
    }

    /// Moves the item under More as unavailable, with the reason.
    #[must_use]
    pub fn not_offered(self, why: impl Into<Cow<'static, str>>) -> Self {
        Self {
            off: true,
            ..self.under_more(why)
        }
    }

    /// Sets the state at the end of the item's row.
    #[must_use]
    pub fn with_state(self, state: impl Into<Cow<'static, str>>) -> Self {
        Self {
            state: state.into(),
            ..self
        }
    }

    /// Sets what Enter does, for the footer.
    #[must_use]
    pub fn with_enter(self, enter: &'static str) -> Self {
        Self {
            enter: Some(enter),
            ..self
        }
    }

    /// Sets a key that works only on this item, and what it does.
    #[must_use]
    pub fn with_hint(self, key: &'static str, words: &'static str) -> Self {
        Self {
            hint: Some((key, words)),
            ..self
        }
    }
}

/// An item without its type, for the frame and the tests.
#[derive(Debug, Clone)]
pub struct ItemView {
    /// The kind of item.
    pub kind: Kind,
    /// The label on the screen.
    pub label: Cow<'static, str>,
    /// The key that activates the item.
    pub shortcut: Shortcut,
    /// Whether the item is next to a row of the body.
    pub beside: bool,
    /// The fix that Ctrl+F applies.
    pub fix: Option<String>,
    /// What Enter does, if it differs from other items of this kind.
    pub enter: Option<&'static str>,
    /// A key that works only on this item, and what it does.
    pub hint: Option<(&'static str, &'static str)>,
    /// The description under More.
    pub more: Option<Cow<'static, str>>,
    /// Whether the item is unavailable.
    pub off: bool,
    /// The place of the item on the screen.
    pub(in crate::tui) place: Place,
    /// Whether the item has the focus.
    pub focused: bool,
}

impl ItemView {
    /// Returns whether this is a button at the bottom.
    #[must_use]
    pub fn is_button(&self) -> bool {
        self.kind == Kind::Button && !self.beside
    }

    /// Returns whether the item is under More.
    #[must_use]
    pub fn is_under_more(&self) -> bool {
        self.place == Place::More
    }

    /// Returns the letter that activates the item.
    #[must_use]
    pub fn letter(&self) -> Option<char> {
        match self.shortcut {
            Shortcut::Letter(letter) => Some(letter),
            Shortcut::Enter | Shortcut::Esc | Shortcut::Del | Shortcut::None => None,
        }
    }
}
