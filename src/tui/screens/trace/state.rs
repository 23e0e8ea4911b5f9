//! What the trace screen itself remembers, and what on it can have the focus.

use crate::session::content::Content;
use crate::tui::screen::Common;

/// What can have the focus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tui::screens) enum Item {
    Copy,
    Save,
    Back,
    Help,
}

/// The trace screen.
#[derive(Debug)]
pub(in crate::tui::screens) struct Trace {
    /// A dialog asks where to save it.
    pub(super) common: Common<Item, Content>,
}

impl Trace {
    pub(in crate::tui::screens) fn new() -> Self {
        Self {
            common: Common::at(Item::Back),
        }
    }
}
