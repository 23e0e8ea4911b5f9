//! What the screen of Configure… itself remembers, and what on it can have the focus.

use crate::configure::report::SetUpAction;
use crate::tui::screen::{Common, ViewContext};
use crate::tui::widgets::editor::Editor;

/// What can have the focus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tui::screens) enum Item {
    /// Who is to listen.
    User,
    /// The thumbprint of the certificate.
    Thumbprint,
    CertificateList,
    /// The redirect URL that needs no setup.
    WithoutSetUp,
    Do(SetUpAction),
    /// The commands, or the tunnel.
    Copy,
    Back,
    Help,
}

/// What a dialog was opened for.
#[derive(Debug, Clone)]
pub(in crate::tui::screens) enum DialogId {
    Certificates,
    Delete,
}

/// The screen of Configure….
#[derive(Debug)]
pub(in crate::tui::screens) struct Configure {
    pub(super) common: Common<Item, DialogId>,
    /// The action whose steps are shown.
    pub(super) shown: SetUpAction,
    /// The change after which the check in progress was started.
    pub(super) after: Option<SetUpAction>,
}

impl Configure {
    pub(in crate::tui::screens) fn new() -> Self {
        Self {
            common: Common::at(Item::Back),
            shown: SetUpAction::SetUp,
            after: None,
        }
    }

    /// The editor of an item, where it is the one that is edited.
    pub(super) fn editor(&self, cx: ViewContext<'_>, item: &Item) -> Option<&Editor> {
        self.common
            .has_focus(cx, item)
            .then_some(&self.common.editor)
    }
}
