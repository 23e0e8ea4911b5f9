//! A sign-in under way: what the user has to do, the steps and the checks; or why it failed.

mod caption;
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
use self::state::{DeviceItem, Item, user_code};
use crate::oauth::client::FlowKind;
use crate::secret::{ExposeSecret, SecretString};
use crate::session::SessionEvent;
use crate::session::content::Content;
use crate::session::run::{Phase, Run};
use crate::tui::dialog::qr_code::{self, Picture};
use crate::tui::dialog::{Dialog, DialogKind};
use crate::tui::message::Effect;
use crate::tui::screen::{
    Common, Entry, FormTarget, Navigation, Route, Screen, UpdateContext, ViewContext, set_focus,
};
use crate::tui::widgets::draw::Body;
use crate::tui::widgets::text::time_left;

impl SignIn {
    /// Shows the URL that says most as a QR code, or else says why not.
    fn show_qr_code(&mut self, cx: &mut UpdateContext<'_>) {
        let (theme, size) = (cx.console.theme, cx.console.size);
        let mut refused = None;
        // One with the code in it may be too long, where the one without is not.
        for url in cx.session.sign_in().into_iter().flat_map(Run::urls) {
            match Picture::of(theme, size, url) {
                Ok(picture) => {
                    self.common.dialog = Some(Dialog::picture((), picture));
                    return;
                }
                Err(refusal) => refused = refused.or(Some(refusal)),
            }
        }
        if let Some(refusal) = refused {
            cx.say(format!("{refusal} Copy the URL, or open the plain view."));
        }
    }

    /// The pasted answer goes to the flow, which says what it makes of it.
    fn hand_over(&mut self, cx: &mut UpdateContext<'_>) {
        if self.pasted.expose_secret().trim().is_empty() {
            cx.say(
                "Paste the address that the browser came back to, or the code in it, and press Enter.",
            );
            return;
        }
        let pasted = std::mem::take(&mut self.pasted);
        match cx.session.explain_paste(pasted.expose_secret()) {
            Some(page) => cx.say(format!(
                "That is an error page, and no answer: {} {}",
                page.cause, page.remedy
            )),
            None => cx.emit(Effect::Paste(pasted)),
        }
    }
}

impl Screen for SignIn {
    type Item = Item;
    type DialogId = ();

    fn common(&self) -> &Common<Item, ()> {
        &self.common
    }

    fn common_mut(&mut self) -> &mut Common<Item, ()> {
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
        let kind = match run.request.kind {
            FlowKind::DeviceCode => "device code",
            FlowKind::AuthorizationCode => "authorization code",
        };
        format!("{name} {} {kind}", cx.theme().dot())
    }

    fn items(&self, cx: ViewContext<'_>) -> Vec<Entry<Item>> {
        let Some(run) = cx.session.sign_in() else {
            return vec![Entry::button(Item::Settings, "Settings", 's')];
        };
        let mut items = Vec::new();
        let theme = cx.theme();
        match &run.phase {
            Phase::Starting => {}
            Phase::Device { complete, .. } => {
                items.extend([
                    Entry::line(Item::Device(DeviceItem::Url), "open"),
                    Entry::line(Item::Device(DeviceItem::Code), "and enter the code"),
                ]);
                if complete.is_some() {
                    let item = Item::Device(DeviceItem::CompleteUrl);
                    items.push(Entry::line(item, "or open, code included"));
                }
                items.extend([
                    Entry::button(Item::CopyCode, "Copy code", 'c'),
                    Entry::button(Item::CopyUrl, "Copy URL", 'u'),
                ]);
                // Where it cannot be shown, pressing it says why; but not where no window of this size could.
                if qr_code::has_room(cx.console.size) {
                    items.push(Entry::button(Item::QrCode, "QR code", 'q'));
                }
                items.push(Entry::button(Item::PlainView, "Plain view", 'p'));
            }
            Phase::SignIn { url, .. } => {
                items.extend([
                    Entry::paste(Item::Paste, "Or paste it here"),
                    Entry::button(Item::CopyUrl, "Copy URL", 'u'),
                ]);
                if run.tunnel.is_some() {
                    items.push(Entry::button(Item::CopyTunnel, "Copy tunnel", 't'));
                }
                // Few of these URLs are short enough.
                if qr_code::version(theme, cx.console.size, url).is_ok() {
                    items.push(Entry::button(Item::QrCode, "QR code", 'q'));
                }
                items.push(Entry::button(Item::PlainView, "Plain view", 'p'));
                if cx
                    .session
                    .with_device_code(&cx.console.environment)
                    .is_some()
                {
                    let item = Item::SwitchToDeviceCode;
                    items.push(Entry::button(item, "Switch to device code", 'd'));
                }
            }
            Phase::Failed(ended) => {
                if cx.session.explained_field().is_some() {
                    items.push(Entry::beside(Item::Explanation, "Field"));
                }
                let again = if ended.expired {
                    "New code"
                } else {
                    "Try again"
                };
                items.extend([
                    Entry::button(Item::Again, again, 'n'),
                    Entry::button(Item::Trace, "Trace", 'e'),
                    Entry::button(Item::Settings, "Settings", 's'),
                    Entry::button(Item::Help, "Help", '?'),
                ]);
                return items;
            }
        }
        if run.urls().next().is_some() {
            if cx.console.environment.can_browse() {
                items.push(Entry::button(Item::OpenBrowser, "Open browser", 'b'));
            }
            if cx.session.settings.preset().embedded_server {
                items.push(Entry::button(Item::ApproveDemo, "Approve (demo)", 'a'));
            }
        }
        items.extend([
            Entry::button(Item::Trace, "Trace", 'e'),
            Entry::button(Item::Cancel, "Cancel", 'x'),
            Entry::button(Item::Help, "Help", '?'),
        ]);
        items
    }

    fn body(&self, cx: ViewContext<'_>, area: Rect, page: u16) -> Body {
        view::body(self, cx, area, page)
    }

    fn activate(&mut self, item: Item, cx: &mut UpdateContext<'_>) {
        match item {
            Item::Paste => self.hand_over(cx),
            Item::Explanation => {
                if let Some(key) = cx.session.explained_field() {
                    cx.go(Navigation::Open(Route::Form(FormTarget::Field(key))));
                }
            }
            Item::CopyCode | Item::Device(DeviceItem::Code) => {
                if let Some(code) = user_code(cx.view()) {
                    cx.emit(Effect::Copy(Content::UserCode(code)));
                }
            }
            Item::CopyUrl | Item::Device(_) => {
                if let Some(url) = self.url(cx.view()) {
                    cx.emit(Effect::Copy(Content::Url(url)));
                }
            }
            Item::CopyTunnel => {
                let tunnel = cx.session.sign_in().and_then(|run| run.tunnel.as_ref());
                if let Some(command) = tunnel.map(ToString::to_string) {
                    cx.emit(Effect::Copy(Content::Tunnel(command)));
                }
            }
            Item::QrCode => self.show_qr_code(cx),
            Item::PlainView => {
                if let Some(content) = self.content(cx.view()) {
                    cx.show_alone(content);
                }
            }
            Item::SwitchToDeviceCode => {
                if let Some(settings) = cx.session.with_device_code(&cx.console.environment) {
                    cx.session.settings = settings;
                    cx.authorize();
                }
            }
            Item::OpenBrowser => {
                if let (Some(url), Some(attempt)) = (self.url(cx.view()), cx.session.attempt()) {
                    cx.emit(Effect::OpenBrowser(url, attempt));
                }
            }
            Item::ApproveDemo => {
                if let Some(url) = self.url(cx.view()) {
                    cx.emit(Effect::ApproveDemo(url));
                }
            }
            Item::Trace => cx.go(Navigation::Open(Route::Trace)),
            Item::Cancel => cx.cancel(),
            // With the form as it is now: it may have been what was wrong.
            Item::Again => cx.authorize(),
            Item::Settings => cx.go(Navigation::Open(Route::Form(FormTarget::Authorize))),
            Item::Help => cx.help(),
        }
    }

    fn text(&self, item: &Item, _cx: ViewContext<'_>) -> SecretString {
        match item {
            Item::Paste => self.pasted.clone(),
            _ => SecretString::default(),
        }
    }

    fn edited(&mut self, _item: Item, text: &str, cx: &mut UpdateContext<'_>) {
        self.pasted = text.into();
        // What is typed is seen, wherever the screen was scrolled to.
        self.common.scroll = 0;
        cx.clear_message();
    }

    fn focused(&mut self, item: Item, _cx: &mut UpdateContext<'_>) {
        if let Item::Device(which) = item {
            self.chosen = which;
        }
    }

    fn moved(&mut self, _cx: &mut UpdateContext<'_>) {
        self.common.scroll = 0;
    }

    /// While an answer can be pasted, a paste is meant to be one wherever the focus is.
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
        match event {
            SessionEvent::Code => set_focus(self, Item::CopyCode, cx),
            SessionEvent::SignIn { .. } => set_focus(self, Item::CopyUrl, cx),
            SessionEvent::SignInFailed(..) => {
                self.common.scroll = 0;
                let item = match cx.session.explained_field() {
                    Some(_) => Item::Explanation,
                    None => Item::Again,
                };
                set_focus(self, item, cx);
            }
            _ => {}
        }
        // What the QR code leads to may be over.
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
        if matches!(&self.common.dialog, Some(dialog) if matches!(dialog.kind, DialogKind::Picture(_)))
        {
            self.common.dialog = None;
            self.show_qr_code(cx);
        }
        // A button that makes no sense in a small window takes the focus with it.
        let items = self.items(cx.view());
        if !items.iter().any(|entry| entry.item == self.common.focus) {
            let button = items.into_iter().find(|entry| !entry.beside);
            if let Some(button) = button {
                set_focus(self, button.item, cx);
            }
        }
    }

    /// A new sign-in.
    fn entered(&mut self, _route: Route, cx: &mut UpdateContext<'_>) {
        *self = Self::new();
        set_focus(self, Item::Cancel, cx);
    }

    fn scrolled(&mut self, by: isize, _cx: &mut UpdateContext<'_>) {
        self.common.scroll = self.common.scroll.saturating_add_signed(by);
    }

    fn tick(&self, cx: ViewContext<'_>) -> Option<Duration> {
        let Phase::Device { until, .. } = &cx.session.sign_in()?.phase else {
            return None;
        };
        let left = until.saturating_sub(cx.console.now.up);
        (!left.is_zero()).then(|| time_left(left).1)
    }

    fn urls(&self, cx: ViewContext<'_>) -> Vec<Url> {
        let run = cx.session.sign_in();
        run.into_iter().flat_map(Run::urls).cloned().collect()
    }
}
