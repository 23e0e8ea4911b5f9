//! What the sign-in screen itself remembers, and what on it can have the focus.

use url::Url;

use crate::secret::SecretString;
use crate::session::content::Content;
use crate::session::run::Phase;
use crate::tui::screen::{Common, ViewContext};

/// What the user needs for the device flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui::screens) enum DeviceItem {
    /// Where to enter the code.
    Url,
    /// The code.
    Code,
    /// The address with the code in it.
    CompleteUrl,
}

/// What can have the focus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tui::screens) enum Item {
    /// The paste box of the authorization code flow.
    Paste,
    /// To the field that an error is about.
    Explanation,
    Device(DeviceItem),
    CopyCode,
    CopyUrl,
    CopyTunnel,
    QrCode,
    PlainView,
    SwitchToDeviceCode,
    OpenBrowser,
    ApproveDemo,
    Trace,
    Cancel,
    Again,
    Settings,
    Help,
}

/// The sign-in screen.
#[derive(Debug)]
pub(in crate::tui::screens) struct SignIn {
    pub(super) common: Common<Item, ()>,
    /// What the buttons act on.
    pub(super) chosen: DeviceItem,
    /// What was typed into the paste box.
    pub(super) pasted: SecretString,
}

impl SignIn {
    pub(in crate::tui::screens) fn new() -> Self {
        Self {
            common: Common::at(Item::Cancel),
            chosen: DeviceItem::Code,
            pasted: SecretString::default(),
        }
    }

    /// The URL to open: the chosen one, else the one that says most.
    pub(super) fn url(&self, cx: ViewContext<'_>) -> Option<Url> {
        let run = cx.session.sign_in()?;
        match &run.phase {
            Phase::Device {
                verification_uri, ..
            } if self.chosen == DeviceItem::Url => Some(verification_uri.clone()),
            _ => run.urls().next().cloned(),
        }
    }

    /// What the plain view shows.
    pub(super) fn content(&self, cx: ViewContext<'_>) -> Option<Content> {
        match (user_code(cx), self.chosen) {
            (Some(code), DeviceItem::Code) => Some(Content::UserCode(code)),
            _ => self.url(cx).map(Content::Url),
        }
    }
}

/// The code to be entered, in a device flow.
pub(super) fn user_code(cx: ViewContext<'_>) -> Option<String> {
    match &cx.session.sign_in()?.phase {
        Phase::Device { user_code, .. } => Some(user_code.clone()),
        Phase::Starting | Phase::SignIn { .. } | Phase::Failed(_) => None,
    }
}
