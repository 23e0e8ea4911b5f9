//! What a list dialog shows: its entries, and the words around them.

use crate::tui::widgets::said::Said;

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListEntry {
    /// What it is: a name that stays the same while the list is loaded again.
    pub key: String,
    /// On the left.
    pub name: String,
    /// On the right.
    pub about: String,
    /// At the end of its row, on a page.
    pub state: String,
    /// What stands for it below the list; empty: name and words, where its row cuts them.
    pub whole: String,
    /// The message about it, on a page.
    pub said: Vec<Said>,
    /// It cannot be chosen; `about` says why.
    pub off: bool,
}

/// What a list dialog shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct List {
    /// The title.
    pub head: String,
    /// In their order.
    pub entries: Vec<ListEntry>,
    /// The message if there are none.
    pub none: String,
    /// Below the entries.
    pub note: String,
    /// It takes the whole screen, in three columns.
    pub page: bool,
}
