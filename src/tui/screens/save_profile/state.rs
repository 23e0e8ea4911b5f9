//! The state of the screen that saves a profile, and its items.

use crate::profile::name::{NameError, ProfileName};
use crate::session::content::Content;
use crate::session::profiles::{Listed, SaveDraft};
use crate::tui::screen::{Common, SaveFrom, ViewContext};

/// An item of the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tui::screens) enum Item {
    Name,
    /// The owner of the profile: the user or the machine.
    For,
    /// The account that may use the profile.
    UsedBy,
    /// The store for the secrets.
    Kept,
    /// The command that prints the secrets.
    Read,
    /// The command that stores the secrets.
    Write,
    Tokens,
    Secret,
    Save,
    File,
    Back,
    Help,
}

/// The purpose of a dialog.
#[derive(Debug, Clone)]
pub(in crate::tui::screens) enum DialogId {
    /// Asks whether to replace an existing profile of this name.
    Replace(ProfileName),
    /// Asks for the path of the file to save this content to instead.
    File(Content),
}

/// The screen that saves a profile.
#[derive(Debug)]
pub(in crate::tui::screens) struct SaveProfile {
    pub(super) common: Common<Item, DialogId>,
    pub(super) from: SaveFrom,
    /// The entries of the screen. The session has a copy, for when the screen is opened again.
    pub(super) draft: SaveDraft,
    /// Whether the user has tried to save. From then on, a missing value is an error.
    pub(super) tried: bool,
}

impl SaveProfile {
    pub(in crate::tui::screens) fn new(from: SaveFrom, cx: ViewContext<'_>) -> Self {
        let draft = cx.session.profiles.draft.clone();
        Self {
            common: Common::at(Item::Name),
            from,
            draft: draft.unwrap_or_else(|| SaveDraft::new(cx.session.profile())),
            tried: false,
        }
    }

    /// Returns whether to save the settings that the tokens were issued for, instead of those of the form.
    pub(super) fn has_token_settings(&self) -> bool {
        self.from != SaveFrom::Form
    }

    /// Returns the name, or why it is invalid.
    pub(super) fn name(&self) -> Result<ProfileName, NameError> {
        self.draft.name.trim().parse()
    }

    /// Returns the existing profile of this name, if the list is loaded.
    pub(super) fn existing<'a>(&self, cx: ViewContext<'a>) -> Option<&'a Listed> {
        let profiles = &cx.session.profiles;
        let name = self.name().ok()?;
        let place = profiles
            .places
            .as_ref()?
            .new_place(&name, self.draft.machine)?;
        let mut list = profiles.list.as_ref()?.iter();
        list.find(|listed| listed.place.is(&place))
    }

    /// Returns whether an account can be given access. Only Windows has access lists for this.
    pub(super) fn has_account(&self) -> bool {
        cfg!(windows) && self.draft.machine
    }

    /// Returns whether there are tokens that can be saved with the profile.
    pub(super) fn has_tokens(&self, cx: ViewContext<'_>) -> bool {
        cx.session
            .tokens_to_save(self.has_token_settings())
            .is_some()
    }

    /// Returns whether there is a client secret.
    pub(super) fn has_secret(&self, cx: ViewContext<'_>) -> bool {
        use crate::secret::ExposeSecret;
        let settings = cx.session.settings_to_save(self.has_token_settings());
        !settings.secret().expose_secret().is_empty()
    }
}
