//! The content of a list dialog: its entries, and the texts around them.

use crate::tui::widgets::said::Said;

/// An entry of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListEntry {
    /// An identifier that stays the same when the list is reloaded.
    pub key: String,
    /// The text on the left.
    pub name: String,
    /// The text on the right.
    pub about: String,
    /// The state at the end of the row, in a full-screen list.
    pub state: String,
    /// The full text of the entry, below the list while it is selected. If it is empty: the name and `about`, if the row
    /// cuts them.
    pub whole: String,
    /// The message about the entry, in a full-screen list.
    pub said: Vec<Said>,
    /// Whether the entry is unavailable; `about` says why.
    pub off: bool,
}

/// The content of a list dialog.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct List {
    /// The title.
    pub head: String,
    /// The entries, in order.
    pub entries: Vec<ListEntry>,
    /// The message if there are no entries.
    pub none: String,
    /// The text below the entries.
    pub note: String,
    /// Whether the list uses the whole screen, with three columns.
    pub page: bool,
}
