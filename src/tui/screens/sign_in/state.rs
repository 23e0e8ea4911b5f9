//! What the sign-in screen itself remembers, and what on it can have the focus.

use url::Url;

use crate::form::explain::Explanation;
use crate::form::settings::Key;
use crate::secret::SecretString;
use crate::session::content::Content;
use crate::session::run::{Phase, Run};
use crate::tui::dialog::qr_code::{self, Refusal};
use crate::tui::screen::{Common, ViewContext};

/// What can have the focus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tui::screens) enum Item {
    CopyTunnel,
    CopyUrl,
    CopyCode,
    /// The URL with the code in it.
    Link,
    /// The paste box of the authorization code flow.
    Paste,
    /// What an error page of the service is compared with.
    ClientId,
    RedirectUrl,
    /// To the field that an error is about.
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

/// What a dialog was opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui::screens) enum DialogId {
    Picture,
    /// Cancel the sign-in?
    Cancel,
    /// Cancel it, and change this field?
    Edit(Key),
}

/// How the text in the paste box stands.
#[derive(Debug)]
pub(in crate::tui::screens) enum Paste {
    /// Not submitted.
    Typed,
    /// Handed to the flow, which has not answered.
    Submitted,
    /// The flow did not take it, and says why.
    Refused(String),
    /// It is the text of an error page, with what that means.
    Explained(Explanation),
}

/// Whether a QR code can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui::screens) enum QrCode {
    Fits,
    /// In a window of so many columns and rows.
    Needs(usize, usize),
}

/// What is offered while the sign-in waits.
#[derive(Debug, Default)]
pub(in crate::tui::screens) struct Offered {
    /// The other flow.
    pub(super) other_flow: bool,
    /// A QR code.
    pub(super) qr_code: Option<QrCode>,
}

/// The sign-in screen.
#[derive(Debug)]
pub(in crate::tui::screens) struct SignIn {
    pub(super) common: Common<Item, DialogId>,
    /// What is in the paste box.
    pub(super) pasted: SecretString,
    pub(super) paste: Paste,
    /// The steps and checks are unfolded.
    pub(super) checks: bool,
    /// What is offered next to the steps. To find out takes too long for every key.
    pub(super) offered: Offered,
    /// The user has moved the focus, and is told what it is on.
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

    /// Finds out what is offered.
    pub(super) fn look_again(&mut self, cx: ViewContext<'_>) {
        let run = cx.session.sign_in();
        self.offered = Offered {
            other_flow: cx.session.with_other_flow().is_some(),
            qr_code: run.and_then(|run| qr_code(cx, run)),
        };
    }

    /// What stands alone on request.
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

/// Whether there is a QR code here. The URLs of the browser are hardly ever short enough, so a larger window is no advice
/// there.
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

/// The URL that is shown to be opened.
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

/// The code to be entered, in a device flow.
pub(super) fn user_code(cx: ViewContext<'_>) -> Option<String> {
    match &cx.session.sign_in()?.phase {
        Phase::Device { user_code, .. } => Some(user_code.clone()),
        Phase::Starting | Phase::SignIn { .. } | Phase::Failed(_) => None,
    }
}

/// The field that an error is about: the one that ended the sign-in, or one that anyone may have sent.
pub(super) fn field_to_edit(cx: ViewContext<'_>) -> Option<Key> {
    let run = cx.session.sign_in()?;
    match &run.phase {
        Phase::Failed(_) => cx.session.explained_field(),
        Phase::Starting | Phase::Device { .. } | Phase::SignIn { .. } => {
            run.unverified.as_ref()?.explanation.as_ref()?.field
        }
    }
}
