//! The sign-in screen: the steps that the user has to do, or why the sign-in failed.

mod browser;
mod caption;
mod device;
mod failed;
mod hints;
mod items;
mod layout;
mod progress;
mod state;
#[cfg(test)]
mod tests;
mod view;

use std::time::Duration;

use ratatui::layout::Rect;
use ratatui::text::Line;
use url::Url;

pub(super) use self::state::SignIn;
use self::state::{DialogId, Item, Paste, field_to_edit, shown_url, user_code};
use crate::console::environment::Environment;
use crate::form::changed::changed;
use crate::form::field::Key;
use crate::oauth::flow_kind::FlowKind;
use crate::oauth::pasted;
use crate::secret::{ExposeSecret, SecretString};
use crate::session::SessionEvent;
use crate::session::content::Content;
use crate::session::run::{Phase, Run};
use crate::tui::dialog::qr_code::Picture;
use crate::tui::dialog::{Answer, Dialog, DialogKind, Question};
use crate::tui::message::Effect;
use crate::tui::screen::{
    Common, Entry, FormTarget, Message, Navigation, Route, Screen, Shortcut, UpdateContext,
    ViewContext, set_focus,
};
use crate::tui::widgets::draw::Body;
use crate::tui::widgets::text::time_left;

/// The button that cancels the sign-in.
const CANCEL: &str = "Cancel sign-in";
/// The button that cancels it and signs in with the other flow.
const SWITCH: &str = "Switch flows";
/// The button that keeps waiting.
const KEEP: &str = "Keep waiting";

impl SignIn {
    /// Shows the most complete URL that fits as a QR code, or else a message that says why none does.
    fn show_qr_code(&mut self, cx: &mut UpdateContext<'_>) {
        let (theme, size) = (cx.console.theme, cx.console.size);
        let mut refused = None;
        // The URL that includes the code may be too long while the one without it is not.
        for url in cx.session.sign_in().into_iter().flat_map(Run::urls) {
            match Picture::of(theme, size, url) {
                Ok(picture) => {
                    self.common.dialog = Some(Dialog::picture(DialogId::Picture, picture));
                    return;
                }
                Err(refusal) => refused = refused.or(Some(refusal)),
            }
        }
        if let Some(refusal) = refused {
            cx.say(refusal.to_string());
        }
    }

    /// Submits the pasted redirect to the flow, which reports whether it accepts it. The text of an error page is
    /// explained here.
    fn submit(&mut self, cx: &mut UpdateContext<'_>) {
        let text = self.pasted.expose_secret();
        if text.trim().is_empty() {
            cx.tell(Message::new("Paste", hints::PASTE));
            return;
        }
        if let Some(explanation) = cx.session.explain_paste(text) {
            let compare = match explanation.field {
                Some(Key::ClientId) => Some(Item::ClientId),
                Some(Key::RedirectUrl) => Some(Item::RedirectUrl),
                _ => None,
            };
            self.paste = Paste::Explained(explanation);
            if let Some(item) = compare {
                set_focus(self, item, cx);
            }
            return;
        }
        self.paste = Paste::Submitted;
        cx.emit(Effect::Paste(self.pasted.clone()));
    }

    /// Asks before the sign-in is canceled.
    fn ask(&mut self, id: DialogId, cx: &UpdateContext<'_>) {
        let lost = match user_code(cx.view()) {
            Some(code) => format!("If you cancel, the code {code} can no longer be used. "),
            None if cx.session.sign_in().is_some_and(Run::awaits_browser) => {
                "If you cancel, the URL can no longer be used. ".to_owned()
            }
            None => String::new(),
        };
        let (then, button) = match id {
            DialogId::OtherFlow => ("A sign-in with the other flow starts.", SWITCH),
            _ => ("Your settings are kept.", CANCEL),
        };
        let text = format!("{lost}{then}");
        let buttons = [(Shortcut::Letter('y'), button), (Shortcut::Esc, KEEP)];
        let question = Question::new("Cancel this sign-in?", text, &buttons);
        self.common.dialog = Some(Dialog::question(id, question));
    }

    /// Goes to the field of an error; a sign-in in progress must be canceled first.
    fn edit(&mut self, cx: &mut UpdateContext<'_>) {
        let Some(key) = field_to_edit(cx.view()) else {
            return;
        };
        if is_live(cx.view()) {
            self.ask(DialogId::Edit(key), cx);
        } else {
            cx.go(Navigation::Open(Route::Form(FormTarget::Field(key))));
        }
    }
}

fn is_live(cx: ViewContext<'_>) -> bool {
    cx.session.sign_in().is_some_and(Run::is_live)
}

/// Signs in with the other flow. A sign-in in progress is canceled.
fn other_flow(cx: &mut UpdateContext<'_>) {
    if let Some(settings) = cx.session.with_other_flow() {
        *cx.session.settings = settings;
        cx.authorize();
    }
}

/// Returns the item to focus when the URL arrives: the first step.
fn first_of_browser(environment: &Environment, run: &Run, low: bool) -> Item {
    match (&environment.ssh, &run.tunnel) {
        (Some(_), Some(_)) if !low => Item::CopyTunnel,
        (Some(_), _) => Item::Paste,
        (None, _) => Item::CopyUrl,
    }
}

impl Screen for SignIn {
    type Item = Item;
    type DialogId = DialogId;

    fn common(&self) -> &Common<Item, DialogId> {
        &self.common
    }

    fn common_mut(&mut self) -> &mut Common<Item, DialogId> {
        &mut self.common
    }

    fn route(&self) -> Route {
        Route::SignIn
    }

    fn title(&self, cx: ViewContext<'_>) -> String {
        let name = &cx.session.settings.preset().name;
        let Some(run) = cx.session.sign_in() else {
            return name.clone();
        };
        let kind = match (&run.phase, run.request.kind) {
            (Phase::Failed(ended), _) if ended.expired => "code expired",
            (Phase::Failed(_), _) => "sign-in failed",
            (_, FlowKind::DeviceCode) => "device code",
            (_, FlowKind::AuthorizationCode) => "authorization code",
            (_, FlowKind::ClientCredentials) => "no user",
            (_, FlowKind::JwtBearer) => "service account",
        };
        let dot = cx.theme().dot();
        if !layout::is_small(cx) {
            return format!("{name} {dot} {kind}");
        }
        match &run.phase {
            Phase::Device { until, .. } => {
                let (left, _) = time_left(until.up.saturating_sub(cx.console.now.up));
                format!("{kind} {dot} {left} left")
            }
            Phase::SignIn { .. } => format!("{kind} {dot} waiting"),
            Phase::Starting | Phase::Failed(_) => kind.to_owned(),
        }
    }

    fn items(&self, cx: ViewContext<'_>) -> Vec<Entry<Item>> {
        items::items(self, cx)
    }

    fn more() -> Option<Item> {
        Some(Item::More)
    }

    fn body(&self, cx: ViewContext<'_>, area: Rect, page: u16) -> Body {
        view::body(self, cx, area, page)
    }

    fn activate(&mut self, item: Item, cx: &mut UpdateContext<'_>) {
        let run = cx.session.sign_in();
        match item {
            Item::Paste => self.submit(cx),
            Item::Edit => self.edit(cx),
            Item::CopyCode => {
                if let Some(code) = user_code(cx.view()) {
                    cx.emit(Effect::Copy(Content::UserCode(code)));
                }
            }
            Item::CopyUrl => {
                if let Some(url) = shown_url(cx.view()) {
                    cx.emit(Effect::Copy(Content::Url(url)));
                }
            }
            Item::Link | Item::OpenBrowser | Item::ApproveDemo => {
                // The most complete URL.
                let Some(url) = run.and_then(|run| run.urls().next()).cloned() else {
                    return;
                };
                match (item, cx.session.attempt()) {
                    (Item::OpenBrowser, Some(attempt)) => {
                        cx.emit(Effect::OpenBrowser(url, attempt));
                    }
                    (Item::ApproveDemo, _) => cx.emit(Effect::ApproveDemo(url)),
                    _ => cx.emit(Effect::Copy(Content::Url(url))),
                }
            }
            Item::CopyTunnel => {
                let tunnel = run.and_then(|run| run.tunnel.as_ref());
                if let Some(command) = tunnel.map(ToString::to_string) {
                    cx.emit(Effect::Copy(Content::Tunnel(command)));
                }
            }
            Item::ClientId => {
                if let Some(id) = run.map(|run| run.request.client.client_id.clone()) {
                    cx.emit(Effect::Copy(Content::Text("client ID", id)));
                }
            }
            Item::RedirectUrl => {
                // Copy it exactly as it is sent.
                if let Some(url) = run.and_then(Run::redirect_url) {
                    let text = url.text().to_owned();
                    cx.emit(Effect::Copy(Content::Text("redirect URL", text)));
                }
            }
            Item::CopyReport => cx.emit(Effect::Copy(Content::Report)),
            Item::QrCode => self.show_qr_code(cx),
            Item::Alone => {
                if let Some(content) = Self::content(cx.view()) {
                    cx.show_alone(content);
                }
            }
            Item::OtherFlow if is_live(cx.view()) => self.ask(DialogId::OtherFlow, cx),
            Item::OtherFlow => other_flow(cx),
            Item::Checks => {
                self.checks = !self.checks;
                // The checks are at the end.
                self.common.scroll = if self.checks { usize::MAX } else { 0 };
            }
            Item::Trace => cx.go(Navigation::Open(Route::Trace)),
            Item::Cancel => self.ask(DialogId::Cancel, cx),
            // Use the current form, because the user may have corrected it.
            Item::Again => cx.authorize(),
            Item::Settings => cx.go(Navigation::Open(Route::Form(FormTarget::Authorize))),
            Item::More => cx.more(),
            Item::Help => cx.help(),
        }
    }

    /// Applies the fix, and goes to the form, where the sign-in can be started again.
    fn fix(&mut self, _item: Item, cx: &mut UpdateContext<'_>) {
        if let Some(remedy) = cx.session.explained_fix() {
            cx.session.settings.apply(&remedy.change);
            cx.go(Navigation::Open(Route::Form(FormTarget::Authorize)));
            let text = changed(&cx.session.settings, &remedy.change);
            cx.tell(Message::done("Changed", text));
        }
    }

    fn answered(&mut self, id: DialogId, answer: Answer, cx: &mut UpdateContext<'_>) {
        if !matches!(answer, Answer::Button(CANCEL | SWITCH)) {
            return;
        }
        if id == DialogId::OtherFlow {
            other_flow(cx);
            return;
        }
        cx.cancel();
        if let DialogId::Edit(key) = id {
            cx.go(Navigation::Open(Route::Form(FormTarget::Field(key))));
        }
    }

    fn text(&self, item: &Item, _cx: ViewContext<'_>) -> SecretString {
        match item {
            Item::Paste => self.pasted.clone(),
            _ => SecretString::default(),
        }
    }

    fn edited(&mut self, _item: Item, text: &str, cx: &mut UpdateContext<'_>) {
        if text != self.pasted.expose_secret() {
            self.paste = Paste::Typed;
        }
        self.pasted = text.into();
        cx.clear_message();
    }

    fn cleaned(
        &self,
        _item: &Item,
        text: &str,
        _cx: ViewContext<'_>,
    ) -> (SecretString, Option<String>) {
        (pasted::one_line(text).into(), None)
    }

    fn is_replaced_by_paste(&self, item: &Item) -> bool {
        *item == Item::Paste && !matches!(self.paste, Paste::Typed)
    }

    fn moved(&mut self, _cx: &mut UpdateContext<'_>) {
        self.moved = true;
    }

    /// While the sign-in waits for a redirect, a paste goes to the paste box wherever the focus is.
    fn paste_target(&self, cx: ViewContext<'_>) -> Option<Item> {
        let awaited = cx.session.sign_in().is_some_and(Run::awaits_browser);
        awaited.then_some(Item::Paste)
    }

    fn caption(
        &self,
        picture: &Picture,
        size: (usize, usize),
        cx: ViewContext<'_>,
    ) -> Vec<Line<'static>> {
        caption::caption(cx, picture, size)
    }

    fn on_event(&mut self, event: &SessionEvent, cx: &mut UpdateContext<'_>) {
        if matches!(event, SessionEvent::Code | SessionEvent::SignIn { .. }) {
            self.look_again(cx.view());
        }
        match event {
            SessionEvent::Code => set_focus(self, Item::CopyCode, cx),
            SessionEvent::SignIn { .. } => {
                let low = layout::is_small(cx.view());
                let item = match cx.session.sign_in() {
                    Some(run) => first_of_browser(&cx.console.environment, run, low),
                    None => Item::CopyUrl,
                };
                set_focus(self, item, cx);
            }
            SessionEvent::PasteRefused(reason) => {
                self.paste = Paste::Refused(reason.clone());
            }
            SessionEvent::SignInFailed(..) => {
                self.common.scroll = 0;
                self.common.dialog = None;
                let item = match cx.session.explained_field() {
                    Some(_) => Item::Edit,
                    None => Item::Again,
                };
                set_focus(self, item, cx);
            }
            _ => {}
        }
        // The URL of the QR code may no longer be valid.
        if let Some(Dialog {
            kind: DialogKind::Picture(picture),
            ..
        }) = &self.common.dialog
            && !cx
                .session
                .sign_in()
                .into_iter()
                .flat_map(Run::urls)
                .any(|url| *url == picture.url)
        {
            self.common.dialog = None;
        }
    }

    fn resized(&mut self, cx: &mut UpdateContext<'_>) {
        self.look_again(cx.view());
        if matches!(&self.common.dialog, Some(dialog) if matches!(dialog.kind, DialogKind::Picture(_)))
        {
            self.common.dialog = None;
            self.show_qr_code(cx);
        }
        // If the focused button is not available in this window, move the focus.
        let items = self.items(cx.view());
        if !items.iter().any(|entry| entry.item == self.common.focus) {
            let button = items.into_iter().find(|entry| !entry.beside);
            if let Some(button) = button {
                set_focus(self, button.item, cx);
            }
        }
    }

    /// Starts with a new sign-in.
    fn entered(&mut self, _route: Route, cx: &mut UpdateContext<'_>) {
        *self = Self::new();
        set_focus(self, Item::Cancel, cx);
    }

    fn tick(&self, cx: ViewContext<'_>) -> Option<Duration> {
        let Phase::Device { until, .. } = &cx.session.sign_in()?.phase else {
            return None;
        };
        let left = until.up.saturating_sub(cx.console.now.up);
        (!left.is_zero()).then(|| time_left(left).1)
    }

    fn urls(&self, cx: ViewContext<'_>) -> Vec<Url> {
        let run = cx.session.sign_in();
        run.into_iter().flat_map(Run::urls).cloned().collect()
    }
}
