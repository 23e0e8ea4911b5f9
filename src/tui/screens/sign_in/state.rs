//! The state of the sign-in screen, and its items.

use url::Url;

use crate::form::explain::Explanation;
use crate::form::field::Key;
use crate::secret::SecretString;
use crate::session::content::Content;
use crate::session::run::{Phase, Run};
use crate::tui::dialog::qr_code::{self, Refusal};
use crate::tui::screen::{Common, ViewContext};

/// An item of the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tui::screens) enum Item {
    CopyTunnel,
    CopyUrl,
    CopyCode,
    /// The URL that includes the code.
    Link,
    /// The paste box of the authorization code flow.
    Paste,
    /// The values to compare with an error page of the service.
    ClientId,
    RedirectUrl,
    /// Goes to the field of an error.
    Edit,
    OpenBrowser,
    QrCode,
    Alone,
    OtherFlow,
    Checks,
    Trace,
    ApproveDemo,
    Again,
    CopyReport,
    More,
    Cancel,
    Settings,
    Help,
}

/// The purpose of a dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui::screens) enum DialogId {
    Picture,
    /// Asks whether to cancel the sign-in.
    Cancel,
    /// Asks whether to cancel the sign-in and sign in with the other flow.
    OtherFlow,
    /// Asks whether to cancel the sign-in and change this field.
    Edit(Key),
}

/// The state of the text in the paste box.
#[derive(Debug)]
pub(in crate::tui::screens) enum Paste {
    /// Not submitted yet.
    Typed,
    /// Submitted to the flow, which has not responded yet.
    Submitted,
    /// The flow rejected the text, for this reason.
    Refused(String),
    /// The text is from an error page, which is explained.
    Explained(Explanation),
}

/// Whether a QR code can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui::screens) enum QrCode {
    Fits,
    /// Requires a window with this many columns and rows.
    Needs(usize, usize),
}

/// What the screen offers while the sign-in waits.
#[derive(Debug, Default)]
pub(in crate::tui::screens) struct Offered {
    /// Whether another flow is offered.
    pub(super) other_flow: bool,
    /// Whether a QR code is offered, and fits.
    pub(super) qr_code: Option<QrCode>,
}

/// The sign-in screen.
#[derive(Debug)]
pub(in crate::tui::screens) struct SignIn {
    pub(super) common: Common<Item, DialogId>,
    /// The text in the paste box.
    pub(super) pasted: SecretString,
    pub(super) paste: Paste,
    /// Whether the steps and checks are shown.
    pub(super) checks: bool,
    /// What is offered in addition to the steps. Determining this takes too long to do at every key.
    pub(super) offered: Offered,
    /// Whether the user has moved the focus, and so sees the purpose of the focused item.
    pub(super) moved: bool,
}

impl SignIn {
    pub(in crate::tui::screens) fn new() -> Self {
        Self {
            common: Common::at(Item::Cancel),
            pasted: SecretString::default(),
            paste: Paste::Typed,
            checks: false,
            offered: Offered::default(),
            moved: false,
        }
    }

    /// Updates what is offered.
    pub(super) fn look_again(&mut self, cx: ViewContext<'_>) {
        let run = cx.session.sign_in();
        self.offered = Offered {
            other_flow: cx.session.with_other_flow().is_some(),
            qr_code: run.and_then(|run| qr_code(cx, run)),
        };
    }

    /// Returns the value that is shown alone on request.
    pub(super) fn content(cx: ViewContext<'_>) -> Option<Content> {
        match &cx.session.sign_in()?.phase {
            Phase::Device {
                user_code,
                verification_uri,
                ..
            } => Some(Content::CodeAndUrl(
                user_code.clone(),
                verification_uri.clone(),
            )),
            Phase::SignIn { url, .. } => Some(Content::Url(url.clone())),
            Phase::Starting | Phase::Failed(_) => None,
        }
    }
}

/// Returns whether a QR code can be shown. Authorization URLs are rarely short enough, so a larger window is not
/// suggested for them.
fn qr_code(cx: ViewContext<'_>, run: &Run) -> Option<QrCode> {
    let (theme, size) = (cx.theme(), cx.console.size);
    if !qr_code::has_room(size) {
        return None;
    }
    let mut refused = None;
    for url in run.urls() {
        match qr_code::version(theme, size, url) {
            Ok(_) => return Some(QrCode::Fits),
            Err(refusal) => refused = Some(refusal),
        }
    }
    match refused {
        Some(Refusal::TooLong { columns, rows, .. }) if !run.awaits_browser() => {
            Some(QrCode::Needs(columns, rows))
        }
        _ => None,
    }
}

/// Returns the URL to open.
pub(super) fn shown_url(cx: ViewContext<'_>) -> Option<Url> {
    match &cx.session.sign_in()?.phase {
        Phase::Device {
            verification_uri: url,
            ..
        }
        | Phase::SignIn { url, .. } => Some(url.clone()),
        Phase::Starting | Phase::Failed(_) => None,
    }
}

/// Returns the user code of a device flow.
pub(super) fn user_code(cx: ViewContext<'_>) -> Option<String> {
    match &cx.session.sign_in()?.phase {
        Phase::Device { user_code, .. } => Some(user_code.clone()),
        Phase::Starting | Phase::SignIn { .. } | Phase::Failed(_) => None,
    }
}

/// Returns the field of an error: one that ended the sign-in, or an unverified one.
pub(super) fn field_to_edit(cx: ViewContext<'_>) -> Option<Key> {
    let run = cx.session.sign_in()?;
    match &run.phase {
        Phase::Failed(_) => cx.session.explained_field(),
        Phase::Starting | Phase::Device { .. } | Phase::SignIn { .. } => {
            run.unverified.as_ref()?.explanation.as_ref()?.field
        }
    }
}
