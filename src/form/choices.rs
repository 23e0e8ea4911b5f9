//! The values of the form that the user selects from a list.

use crate::form::field::Key;
use crate::oauth::client_authentication::ClientAuthentication;
use crate::oauth::flow_kind::FlowKind;
use crate::presets::Preset;

/// How the client authenticates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AuthenticationChoice {
    /// The method that the preset prefers.
    #[default]
    Automatic,
    /// The client secret is in the request body.
    Post,
    /// The client secret is in the `Authorization` header.
    Basic,
    /// The client secret signs a JWT assertion.
    SecretJwt,
    /// A private key signs a JWT assertion.
    KeyJwt,
    /// A client certificate authenticates the TLS connection.
    MutualTls,
}

impl AuthenticationChoice {
    /// All choices, in the order of the form.
    pub const ALL: [Self; 6] = [
        Self::Automatic,
        Self::Post,
        Self::Basic,
        Self::SecretJwt,
        Self::KeyJwt,
        Self::MutualTls,
    ];

    /// Returns the name on screen.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Automatic => "Automatic",
            Self::Post => "Request body",
            Self::Basic => "Basic header",
            Self::SecretJwt => "Secret JWT",
            Self::KeyJwt => "Key JWT",
            Self::MutualTls => "Mutual TLS",
        }
    }

    /// Returns the method of this choice; `None` if the preset and the credentials decide.
    #[must_use]
    pub fn method(self) -> Option<ClientAuthentication> {
        Some(match self {
            Self::Automatic => return None,
            Self::Post => ClientAuthentication::Post,
            Self::Basic => ClientAuthentication::Basic,
            Self::SecretJwt => ClientAuthentication::ClientSecretJwt,
            Self::KeyJwt => ClientAuthentication::PrivateKeyJwt,
            Self::MutualTls => ClientAuthentication::MutualTls,
        })
    }

    /// Returns the choice for a method.
    #[must_use]
    pub fn of(method: ClientAuthentication) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|choice| choice.method() == Some(method))
    }

    /// Returns the choice with this name in flags and files.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|choice| choice.method().is_some_and(|method| method.name() == name))
    }

    /// Returns the next choice, or the previous one if `by` is negative. Wraps around at the ends.
    #[must_use]
    pub fn next(self, by: isize) -> Self {
        let all = Self::ALL;
        let at = all.iter().position(|known| *known == self).unwrap_or(0);
        let step = if by < 0 { all.len() - 1 } else { 1 };
        all[(at + step) % all.len()]
    }
}

/// The listener that waits for the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ListenerChoice {
    /// HTTP.sys on Windows if the account may use it, otherwise the loopback listener.
    #[default]
    Auto,
    /// The web server in the Windows kernel.
    HttpSys,
    /// The built-in listener on the loopback addresses.
    Loopback,
}

impl ListenerChoice {
    /// Returns whether this choice means HTTP.sys on this machine. HTTP.sys is the default on Windows, unless a listen
    /// address is set (`elsewhere`).
    #[must_use]
    pub fn is_http_sys(self, elsewhere: bool) -> bool {
        match self {
            Self::Auto => cfg!(windows) && self.is_http_sys_on_windows(elsewhere),
            Self::HttpSys | Self::Loopback => self.is_http_sys_on_windows(elsewhere),
        }
    }

    /// Returns the same for a Windows machine.
    #[must_use]
    pub fn is_http_sys_on_windows(self, elsewhere: bool) -> bool {
        match self {
            Self::Auto => !elsewhere,
            Self::HttpSys => true,
            Self::Loopback => false,
        }
    }
}

/// Where the user's browser runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Browser {
    /// On this machine, as far as the program knows.
    #[default]
    Here,
    /// On another computer: this machine can't open a browser.
    Elsewhere,
}

impl Browser {
    /// Returns where the browser runs, depending on whether one can be opened on this machine.
    #[must_use]
    pub fn of(can_be_opened: bool) -> Self {
        if can_be_opened {
            Self::Here
        } else {
            Self::Elsewhere
        }
    }

    /// Returns the flow that a preset starts with.
    pub(super) fn first_flow(self, preset: &Preset) -> FlowKind {
        match self {
            Self::Here => preset.preferred(),
            Self::Elsewhere => preset.preferred_without_browser(),
        }
    }
}

/// Which fields the metadata of an issuer may overwrite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overwrite {
    /// None: only empty fields are filled.
    Nothing,
    /// All fields that are not locked.
    Everything,
}

/// A change that fixes a problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Sets the text of a field.
    Text(Key, String),
    /// Moves text that was meant for another field to that field, and empties this one.
    Move {
        /// The field to empty.
        from: Key,
        /// The field to fill.
        to: Key,
        /// The text to move.
        text: String,
    },
    /// Removes extra text that was copied along with the client secret.
    BareSecret,
    /// Selects a flow.
    Flow(FlowKind),
    /// Trusts a host for endpoints of an issuer on another host.
    Trust {
        /// The issuer's host.
        issuer: String,
        /// The host of the endpoints.
        host: String,
    },
}
