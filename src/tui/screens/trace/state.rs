//! The state of the trace screen, and its items.

use crate::session::content::Content;
use crate::tui::screen::Common;

/// An item of the screen.
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
    /// The only dialog asks where to save the trace.
    pub(super) common: Common<Item, Content>,
}

impl Trace {
    pub(in crate::tui::screens) fn new() -> Self {
        Self {
            common: Common::at(Item::Back),
        }
    }
}
