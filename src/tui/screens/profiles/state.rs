//! The state of the list of profiles, and its items.

use crate::profile::finding::Forecast;
use crate::profile::places::{Owner, Place};
use crate::session::profiles::{Listed, Opening};
use crate::tui::screen::{Common, ViewContext};

/// An item of the screen.
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

/// The purpose of a dialog.
#[derive(Debug, Clone)]
pub(in crate::tui::screens) enum DialogId {
    Find,
    /// The findings of a check.
    Checked(Place, Forecast),
    Delete(Place),
    Rename(Place),
    /// Asks whether to open a profile although changes or tokens would be lost.
    Open(Place, Opening),
}

/// The screen with the list of profiles.
#[derive(Debug)]
pub(in crate::tui::screens) struct Profiles {
    pub(super) common: Common<Item, DialogId>,
    /// The label of the profile that the buttons act on.
    pub(super) chosen: String,
    /// The position of that profile. If it is deleted, the profile now at this position is selected.
    pub(super) at: usize,
    /// The new name of a profile that is being renamed.
    pub(super) renamed: Option<String>,
}

/// Returns the label of a profile in the list. A profile of the machine may have the same name as one of the user.
pub(super) fn label(listed: &Listed) -> String {
    match listed.place.owner {
        Owner::User | Owner::Named => listed.place.name.to_string(),
        Owner::Machine => format!("{} (machine)", listed.place.name),
    }
}

/// Returns all profiles; none until they are loaded.
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

    /// Returns the profile that the buttons act on.
    pub(super) fn chosen<'a>(&self, cx: ViewContext<'a>) -> Option<&'a Listed> {
        all(cx).iter().find(|listed| label(listed) == self.chosen)
    }
}
