//! The state of the tokens screen, and its items.

use std::time::Duration;

use super::lines::{Line, checks, content};
use crate::oauth::tool_answers::{Introspection, UserInfo};
use crate::oauth::tools::TokenKind;
use crate::session::Value;
use crate::session::content::Content;
use crate::tui::screen::{Common, ViewContext};

/// An item of the screen.
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

/// The purpose of a dialog.
#[derive(Debug, Clone)]
pub(in crate::tui::screens) enum DialogId {
    /// Asks for the path of the file to save this content to.
    Save(Content),
    Claims,
    /// Shows a response of the service.
    Response(Box<Response>),
    /// Asks whether to revoke the tokens.
    Revoke,
}

/// A response of the service about a token.
#[derive(Debug, Clone)]
pub(in crate::tui::screens) struct Response {
    pub(super) said: Said,
    /// How long the request took.
    pub(super) took: Duration,
}

/// The content of a response.
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
    /// Whether the selected line is shown in full.
    pub(super) revealed: bool,
    /// Whether the checks are shown.
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

    /// Returns the full content of the focused checks, or else of the selected line.
    pub(super) fn content(&self, cx: ViewContext<'_>) -> Option<Content> {
        let tokens = cx.session.tokens.as_ref()?;
        if self.common.focus == Item::Checks {
            return Some(Content::Text("list of checks", checks(tokens)));
        }
        content(tokens, self.chosen)
    }
}
