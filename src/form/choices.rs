//! The values of the form that are chosen, not typed.

use crate::form::field::Key;
use crate::oauth::client::FlowKind;
use crate::presets::Preset;

/// How the client secret is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AuthenticationChoice {
    /// As the preset prefers.
    #[default]
    Automatic,
    /// In the request body.
    Post,
    /// In the `Authorization` header.
    Basic,
}

impl AuthenticationChoice {
    /// All choices, in the order of the form.
    pub const ALL: [Self; 3] = [Self::Automatic, Self::Post, Self::Basic];

    /// The name on screen.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Automatic => "Automatic",
            Self::Post => "Request body",
            Self::Basic => "Basic header",
        }
    }

    /// The choice after this one, or before it where `by` is negative; around the ends.
    #[must_use]
    pub fn next(self, by: isize) -> Self {
        match (self, by >= 0) {
            (Self::Automatic, true) | (Self::Basic, false) => Self::Post,
            (Self::Post, true) | (Self::Automatic, false) => Self::Basic,
            (Self::Basic, true) | (Self::Post, false) => Self::Automatic,
        }
    }
}

/// Which listener waits for the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ListenerChoice {
    /// HTTP.sys on Windows, otherwise the loopback listener.
    #[default]
    Auto,
    /// The web server in the Windows kernel.
    HttpSys,
    /// The built-in one, on the loopback addresses.
    Loopback,
}

impl ListenerChoice {
    /// True if this chooses HTTP.sys on this machine: the default of Windows, unless a listen address was given.
    #[must_use]
    pub fn is_http_sys(self, elsewhere: bool) -> bool {
        match self {
            Self::Auto => cfg!(windows) && self.is_http_sys_on_windows(elsewhere),
            Self::HttpSys | Self::Loopback => self.is_http_sys_on_windows(elsewhere),
        }
    }

    /// The same for a Windows machine.
    #[must_use]
    pub fn is_http_sys_on_windows(self, elsewhere: bool) -> bool {
        match self {
            Self::Auto => !elsewhere,
            Self::HttpSys => true,
            Self::Loopback => false,
        }
    }
}

/// Where the browser of the user runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Browser {
    /// On this machine, as far as is known.
    #[default]
    Here,
    /// On another machine: none can be opened here.
    Elsewhere,
}

impl Browser {
    /// The flow that a preset starts with.
    pub(super) fn first_flow(self, preset: &Preset) -> FlowKind {
        match self {
            Self::Here => preset.preferred(),
            Self::Elsewhere => preset.preferred_without_browser(),
        }
    }
}

/// What the metadata of an issuer may overwrite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overwrite {
    /// No field: only empty ones are filled.
    Nothing,
    /// Every field that is not locked.
    Everything,
}

/// A change that fixes a problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Sets the text of a field.
    Text(Key, String),
    /// Moves what was meant for another field there, and empties this one.
    Move {
        /// The field to empty.
        from: Key,
        /// The field to fill.
        to: Key,
        /// Its text.
        text: String,
    },
    /// Removes what was copied along with the client secret.
    BareSecret,
    /// Selects a flow.
    Flow(FlowKind),
    /// Trusts a host with endpoints of the issuer on another host.
    Trust {
        /// Host of the issuer.
        issuer: String,
        /// Host of the endpoints.
        host: String,
    },
}
