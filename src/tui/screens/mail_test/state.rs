//! What the mail test screen itself remembers, and what on it can have the focus.

use crate::mail::server::Protocol;
use crate::tui::screen::Common;

/// What can have the focus.
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

/// What a dialog was opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui::screens) enum DialogId {
    /// The lines that were exchanged.
    Trace,
    /// The mailbox to sign in to.
    Mailbox,
    /// Another server.
    Server,
    /// The mechanism.
    Mechanism,
}

/// The mail test screen.
#[derive(Debug)]
pub(in crate::tui::screens) struct MailTest {
    pub(super) common: Common<Item, DialogId>,
    /// Steps that the user has shown or hidden.
    pub(super) unfolded: Vec<(Protocol, bool)>,
    /// The test starts once the refresh has brought new tokens.
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
