//! What the tokens screen itself remembers, and what on it can have the focus.

use std::time::Duration;

use super::lines::{Line, content};
use crate::oauth::tool_answers::{Introspection, UserInfo};
use crate::oauth::tools::TokenKind;
use crate::session::Value;
use crate::session::content::Content;
use crate::tui::screen::{Common, ViewContext};

/// What can have the focus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tui::screens) enum Item {
    /// A value that can be copied.
    Line(Line),
    Checks,
    Copy,
    CopyHeader,
    CopyJson,
    Reveal,
    ViewAlone,
    Save,
    Refresh,
    Cancel,
    More,
    UserInfo,
    Introspect,
    Revoke,
    MailTest,
    Claims,
    CopyCommand,
    CopyReport,
    ClearClipboard,
    Trace,
    Settings,
    Help,
}

/// What a dialog was opened for.
#[derive(Debug, Clone)]
pub(in crate::tui::screens) enum DialogId {
    /// Where to save this.
    Save(Content),
    Claims,
    /// What the service said.
    Response(Box<Response>),
    /// Whether to revoke the tokens.
    Revoke,
}

/// What the service said of a token.
#[derive(Debug, Clone)]
pub(in crate::tui::screens) struct Response {
    pub(super) said: Said,
    /// How long it took.
    pub(super) took: Duration,
}

/// Its answer.
#[derive(Debug, Clone)]
pub(super) enum Said {
    UserInfo(UserInfo),
    Introspection(TokenKind, Introspection),
}

/// The tokens screen.
#[derive(Debug)]
pub(in crate::tui::screens) struct Tokens {
    pub(super) common: Common<Item, DialogId>,
    /// The line that the buttons act on.
    pub(super) chosen: Line,
    /// The chosen line is shown whole.
    pub(super) revealed: bool,
    /// The checks are unfolded.
    pub(super) checks: bool,
}

impl Tokens {
    pub(in crate::tui::screens) fn new() -> Self {
        let first = Line::Token(Value::Access);
        Self {
            common: Common::at(Item::Line(first)),
            chosen: first,
            revealed: false,
            checks: false,
        }
    }

    /// The chosen line, whole.
    pub(super) fn content(&self, cx: ViewContext<'_>) -> Option<Content> {
        content(cx.session.tokens.as_ref()?, self.chosen)
    }
}
