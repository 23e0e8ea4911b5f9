//! Routes: the screens that a screen can send the user to.

use crate::form::field::Key;
use crate::session::Value;

/// The name of a screen, so that screens don't depend on each other's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// The settings form, which is always open, below all other screens.
    Form(FormTarget),
    /// The sign-in in progress, or a failed one.
    SignIn,
    /// The tokens.
    Tokens,
    /// The trace of the HTTP exchanges.
    Trace,
    /// The setup of the listener.
    Configure,
    /// The test of the mail servers.
    MailTest,
    /// The profiles.
    Profiles,
    /// The dialog to save a profile.
    SaveProfile(SaveFrom),
}

/// The source of a profile to save.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaveFrom {
    /// The form.
    Form,
    /// The tokens, with the token to save if the user saves to a file instead.
    Tokens(Option<Value>),
}

/// The part of the form to focus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormTarget {
    /// The button that starts the flow.
    Authorize,
    /// The first field that prevents a sign-in, or else the button.
    Missing,
    /// This field, or the setting that locks it.
    Field(Key),
}

impl Route {
    /// Returns the name of the screen, for the help.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Form(_) => "settings",
            Self::SignIn => "sign-in",
            Self::Tokens => "tokens",
            Self::Trace => "trace",
            Self::Configure => "configure",
            Self::MailTest => "mail test",
            Self::Profiles => "profiles",
            Self::SaveProfile(_) => "save as a profile",
        }
    }

    /// Returns whether both routes name the same screen.
    #[must_use]
    pub fn is_same_screen(self, other: Self) -> bool {
        std::mem::discriminant(&self) == std::mem::discriminant(&other)
    }
}

/// A request to go to another screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Navigation {
    /// Opens this screen on top of all others, or returns to it if it is already open.
    Open(Route),
    /// Returns to the screen below.
    Back,
}
