//! The state of the mail test screen, and its items.

use crate::mail::server::Protocol;
use crate::tui::screen::Common;

/// An item of the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tui::screens) enum Item {
    /// The server of this protocol, with the steps of its test below it.
    Server(Protocol),
    Test,
    CopyReport,
    Trace,
    More,
    Mailbox,
    OtherServer,
    Mechanism,
    Cancel,
    Back,
    Help,
}

/// The purpose of a dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui::screens) enum DialogId {
    /// The lines exchanged with the servers.
    Trace,
    /// The mailbox to sign in to.
    Mailbox,
    /// The mail server to sign in to.
    Server,
    /// The SASL mechanism.
    Mechanism,
}

/// The mail test screen.
#[derive(Debug)]
pub(in crate::tui::screens) struct MailTest {
    pub(super) common: Common<Item, DialogId>,
    /// The servers whose steps the user has shown or hidden.
    pub(super) unfolded: Vec<(Protocol, bool)>,
    /// Whether to start the test once the refresh has returned new tokens.
    pub(super) then_test: bool,
}

impl MailTest {
    pub(in crate::tui::screens) fn new() -> Self {
        Self {
            common: Common::at(Item::Back),
            unfolded: Vec::new(),
            then_test: false,
        }
    }
}
