//! The values of the form that are chosen, not typed.

use crate::form::field::Key;
use crate::oauth::client::{ClientAuthentication, FlowKind};
use crate::presets::Preset;

/// How the client authenticates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AuthenticationChoice {
    /// As the preset prefers.
    #[default]
    Automatic,
    /// The secret is in the request body.
    Post,
    /// The secret is in the `Authorization` header.
    Basic,
    /// The secret signs an assertion.
    SecretJwt,
    /// A private key signs an assertion.
    KeyJwt,
    /// A client certificate.
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

    /// The name on screen.
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

    /// The method that it stands for; `None` if the preset and the credentials decide.
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

    /// The choice that stands for a method.
    #[must_use]
    pub fn of(method: ClientAuthentication) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|choice| choice.method() == Some(method))
    }

    /// The choice with this name in flags and files.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|choice| choice.method().is_some_and(|method| method.name() == name))
    }

    /// The choice after this one, or before it where `by` is negative; around the ends.
    #[must_use]
    pub fn next(self, by: isize) -> Self {
        let all = Self::ALL;
        let at = all.iter().position(|known| *known == self).unwrap_or(0);
        let step = if by < 0 { all.len() - 1 } else { 1 };
        all[(at + step) % all.len()]
    }
}

/// Which listener waits for the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ListenerChoice {
    /// HTTP.sys on Windows if the account may use it, otherwise the loopback listener.
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
    /// Where it runs, if one can or can't be opened on this machine.
    #[must_use]
    pub fn of(can_be_opened: bool) -> Self {
        if can_be_opened {
            Self::Here
        } else {
            Self::Elsewhere
        }
    }

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
