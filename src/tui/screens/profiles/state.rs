//! What the list of profiles itself remembers, and what on it can have the focus.

use crate::profile::finding::Forecast;
use crate::profile::places::{Owner, Place};
use crate::session::profiles::{Listed, Opening};
use crate::tui::screen::{Common, ViewContext};

/// What can have the focus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tui::screens) enum Item {
    /// The profile with this label.
    Row(String),
    Open,
    Authorize,
    Check,
    MailTest,
    Find,
    Delete,
    More,
    Rename,
    CopyCommand,
    Back,
    Help,
}

/// What a dialog was opened for.
#[derive(Debug, Clone)]
pub(in crate::tui::screens) enum DialogId {
    Find,
    /// What was found in one.
    Checked(Place, Forecast),
    Delete(Place),
    Rename(Place),
    /// To open a profile in place of what would be lost.
    Open(Place, Opening),
}

/// The list of profiles.
#[derive(Debug)]
pub(in crate::tui::screens) struct Profiles {
    pub(super) common: Common<Item, DialogId>,
    /// The profile that the buttons act on.
    pub(super) chosen: String,
    /// Where it stands: when it is gone, what takes its place is chosen.
    pub(super) at: usize,
    /// The name that it is being given.
    pub(super) renamed: Option<String>,
}

/// What a profile is called in the list: one of the machine may have the name of one of the user.
pub(super) fn label(listed: &Listed) -> String {
    match listed.place.owner {
        Owner::User | Owner::Named => listed.place.name.to_string(),
        Owner::Machine => format!("{} (machine)", listed.place.name),
    }
}

/// All profiles; none until they were read.
pub(super) fn all(cx: ViewContext<'_>) -> &[Listed] {
    cx.session.profiles.list.as_deref().unwrap_or_default()
}

impl Profiles {
    pub(in crate::tui::screens) fn new() -> Self {
        Self {
            common: Common::at(Item::Back),
            chosen: String::new(),
            at: 0,
            renamed: None,
        }
    }

    /// The profile that the buttons act on.
    pub(super) fn chosen<'a>(&self, cx: ViewContext<'a>) -> Option<&'a Listed> {
        all(cx).iter().find(|listed| label(listed) == self.chosen)
    }
}
