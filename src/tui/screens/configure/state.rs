//! The state of the Configure… screen, and its items.

use crate::configure::plan::SetUpAction;
use crate::tui::screen::{Common, ViewContext};
use crate::tui::widgets::editor::Editor;

/// An item of the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tui::screens) enum Item {
    /// The account that the listener runs as.
    User,
    /// The thumbprint of the certificate.
    Thumbprint,
    CertificateList,
    /// The redirect URL that needs no setup.
    WithoutSetUp,
    Do(SetUpAction),
    /// Copies the commands, or the tunnel command.
    Copy,
    Back,
    Help,
}

/// The purpose of a dialog.
#[derive(Debug, Clone)]
pub(in crate::tui::screens) enum DialogId {
    Certificates,
    Delete,
}

/// The Configure… screen.
#[derive(Debug)]
pub(in crate::tui::screens) struct Configure {
    pub(super) common: Common<Item, DialogId>,
    /// The action whose steps are shown.
    pub(super) shown: SetUpAction,
    /// The change that started the check in progress.
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

    /// Returns the editor if this item is being edited.
    pub(super) fn editor(&self, cx: ViewContext<'_>, item: &Item) -> Option<&Editor> {
        self.common
            .has_focus(cx, item)
            .then_some(&self.common.editor)
    }
}
