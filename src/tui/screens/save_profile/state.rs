//! What the screen that saves a profile remembers, and what on it can have the focus.

use crate::profile::name::{NameError, ProfileName};
use crate::profile::store_kind::StoreKind;
use crate::session::content::Content;
use crate::session::profiles::Listed;
use crate::tui::screen::{Common, SaveFrom, ViewContext};

/// What can have the focus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tui::screens) enum Item {
    Name,
    /// Whose it is.
    For,
    /// The account that may use it.
    UsedBy,
    /// Where its secrets are.
    Kept,
    /// The command that prints them.
    Read,
    /// The command that stores them.
    Write,
    Tokens,
    Secret,
    Save,
    File,
    Back,
    Help,
}

/// What a dialog was opened for.
#[derive(Debug, Clone)]
pub(in crate::tui::screens) enum DialogId {
    /// A profile of this name is there already.
    Replace(ProfileName),
    /// Where to save this instead.
    File(Content),
}

/// Where the secrets will be kept.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// `None` leaves it to the profile that is replaced, or to the default.
    pub(super) kind: Option<StoreKind>,
    /// The command that prints them, as it was typed.
    pub(super) read: String,
    /// The command that stores them.
    pub(super) write: String,
}

/// The screen that saves a profile.
#[derive(Debug)]
pub(in crate::tui::screens) struct SaveProfile {
    pub(super) common: Common<Item, DialogId>,
    pub(super) from: SaveFrom,
    pub(super) name: String,
    /// For all users of this computer.
    pub(super) machine: bool,
    /// The account that may use it if it is this computer's, beside administrators.
    pub(super) account: String,
    pub(super) kept: Kept,
    pub(super) tokens: bool,
    pub(super) secret: bool,
    /// Saving was tried: what is missing is a mistake now.
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

    /// True where the settings are those that the tokens were issued for.
    pub(super) fn has_token_settings(&self) -> bool {
        self.from != SaveFrom::Form
    }

    /// The name, or what is wrong with it.
    pub(super) fn name(&self) -> Result<ProfileName, NameError> {
        self.name.trim().parse()
    }

    /// The profile of this name that is there, as far as the list was read.
    pub(super) fn existing<'a>(&self, cx: ViewContext<'a>) -> Option<&'a Listed> {
        let profiles = &cx.session.profiles;
        let name = self.name().ok()?;
        let place = profiles.places.as_ref()?.new_place(&name, self.machine)?;
        let mut list = profiles.list.as_ref()?.iter();
        list.find(|listed| listed.place.is(&place))
    }

    /// True where an account can be let in. Other systems have no access lists.
    pub(super) fn has_account(&self) -> bool {
        cfg!(windows) && self.machine
    }

    /// True where there are tokens that can be saved with it.
    pub(super) fn has_tokens(&self, cx: ViewContext<'_>) -> bool {
        cx.session
            .tokens_to_save(self.has_token_settings())
            .is_some()
    }

    /// True where there is a client secret.
    pub(super) fn has_secret(&self, cx: ViewContext<'_>) -> bool {
        use crate::secret::ExposeSecret;
        let settings = cx.session.settings_to_save(self.has_token_settings());
        !settings.secret().expose_secret().is_empty()
    }
}
