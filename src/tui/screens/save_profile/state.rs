//! The state of the screen that saves a profile, and its items.

use crate::profile::name::{NameError, ProfileName};
use crate::profile::store_kind::StoreKind;
use crate::session::content::Content;
use crate::session::profiles::Listed;
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

/// The choice of the store for the secrets.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// The kind of store; `None` for that of the profile that is replaced, or the default.
    pub(super) kind: Option<StoreKind>,
    /// The command that prints the secrets, as entered.
    pub(super) read: String,
    /// The command that stores the secrets, as entered.
    pub(super) write: String,
}

/// The screen that saves a profile.
#[derive(Debug)]
pub(in crate::tui::screens) struct SaveProfile {
    pub(super) common: Common<Item, DialogId>,
    pub(super) from: SaveFrom,
    pub(super) name: String,
    /// Whether the profile is for all users of this machine.
    pub(super) machine: bool,
    /// The account that may use a profile of this machine, in addition to administrators.
    pub(super) account: String,
    pub(super) kept: Kept,
    pub(super) tokens: bool,
    pub(super) secret: bool,
    /// Whether the user has tried to save. From then on, a missing value is an error.
    pub(super) tried: bool,
}

impl SaveProfile {
    pub(in crate::tui::screens) fn new(from: SaveFrom, cx: ViewContext<'_>) -> Self {
        let name = cx.session.profile().map(ToString::to_string);
        Self {
            common: Common::at(Item::Name),
            from,
            name: name.unwrap_or_default(),
            machine: false,
            account: String::new(),
            kept: Kept::default(),
            tokens: true,
            secret: true,
            tried: false,
        }
    }

    /// Returns whether to save the settings that the tokens were issued for, instead of those of the form.
    pub(super) fn has_token_settings(&self) -> bool {
        self.from != SaveFrom::Form
    }

    /// Returns the name, or why it is invalid.
    pub(super) fn name(&self) -> Result<ProfileName, NameError> {
        self.name.trim().parse()
    }

    /// Returns the existing profile of this name, if the list is loaded.
    pub(super) fn existing<'a>(&self, cx: ViewContext<'a>) -> Option<&'a Listed> {
        let profiles = &cx.session.profiles;
        let name = self.name().ok()?;
        let place = profiles.places.as_ref()?.new_place(&name, self.machine)?;
        let mut list = profiles.list.as_ref()?.iter();
        list.find(|listed| listed.place.is(&place))
    }

    /// Returns whether an account can be given access. Only Windows has access lists for this.
    pub(super) fn has_account(&self) -> bool {
        cfg!(windows) && self.machine
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
