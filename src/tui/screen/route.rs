//! Where a screen can send the user.

use crate::form::settings::Key;
use crate::session::Value;

/// Where a screen can send the user: a name, so that no screen names another's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// The settings; it is always there, below all others.
    Form(FormTarget),
    /// The sign-in in progress, or the one that failed.
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
    /// What is saved as a profile.
    SaveProfile(SaveFrom),
}

/// What is to be saved as a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaveFrom {
    /// The form.
    Form,
    /// The tokens; with the one that is saved instead where a file is wanted.
    Tokens(Option<Value>),
}

/// What to show of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormTarget {
    /// The button that starts the flow.
    Authorize,
    /// The first field that stops a sign-in, else the button.
    Missing,
    /// This field, or if it is locked, what locks it.
    Field(Key),
}

impl Route {
    /// The name of the screen, for the help.
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

    /// True for the same screen.
    #[must_use]
    pub fn is_same_screen(self, other: Self) -> bool {
        std::mem::discriminant(&self) == std::mem::discriminant(&other)
    }
}

/// Where to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Navigation {
    /// To this screen: back to it where it is open, else on top of what is.
    Open(Route),
    /// To the screen below.
    Back,
}
