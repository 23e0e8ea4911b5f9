//! What the tokens screen itself remembers, and what on it can have the focus.

use crate::session::Value;
use crate::session::content::Content;
use crate::tui::screen::{Common, ViewContext};

/// What can have the focus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tui::screens) enum Item {
    Value(Value),
    Copy,
    CopyHeader,
    CopyJson,
    Reveal,
    PlainView,
    Save,
    Refresh,
    Cancel,
    Trace,
    Settings,
    Help,
}

/// The tokens screen.
#[derive(Debug)]
pub(in crate::tui::screens) struct Tokens {
    /// A dialog asks where to save its content.
    pub(super) common: Common<Item, Content>,
    /// The value that the buttons act on.
    pub(super) chosen: Value,
    /// The chosen value is shown.
    pub(super) revealed: bool,
}

impl Tokens {
    pub(in crate::tui::screens) fn new() -> Self {
        Self {
            common: Common::at(Item::Value(Value::Access)),
            chosen: Value::Access,
            revealed: false,
        }
    }

    /// The chosen value.
    pub(super) fn content(&self, cx: ViewContext<'_>) -> Option<Content> {
        let tokens = cx.session.tokens.as_ref()?;
        tokens.secret(self.chosen)?;
        Some(Content::Token(self.chosen, tokens.attempt))
    }
}
