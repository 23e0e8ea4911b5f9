//! The tokens screen: the tokens, who they are for, how long they are valid, and what can be done with them.

mod claims;
mod hints;
mod lines;
mod report;
mod state;
#[cfg(test)]
mod tests;
mod times;
mod tools;
mod view;

use std::time::Duration;

use ratatui::layout::Rect;

use self::lines::{Line, content, lines};
pub(super) use self::state::Tokens;
use self::state::{DialogId, Item};
use crate::form::changed::changed;
use crate::secret::SecretString;
use crate::session::content::Content;
use crate::session::profiles::ProfileNews;
use crate::session::{SessionEvent, TokenState, Value};
use crate::tui::copies::{CLEAR_CLIPBOARD, save_dialog};
use crate::tui::dialog::{Answer, Dialog, Reading};
use crate::tui::message::Effect;
use crate::tui::screen::{
    Common, Entry, FormTarget, Message, Navigation, Route, SaveFrom, Screen, UpdateContext,
    ViewContext, set_focus,
};
use crate::tui::widgets::draw::Body;
use crate::tui::widgets::grid::NARROW;
use crate::tui::widgets::text::time_left;

impl Tokens {
    fn reveal_chosen(&mut self, cx: ViewContext<'_>) {
        self.revealed = !self.revealed;
        // Include the row that the value belongs to.
        if let Some(at) = view::revealed_at(self, cx) {
            self.common.scroll = at.saturating_sub(1);
        }
    }

    /// Moves the focus from Cancel, which is gone, to Refresh, which is back.
    fn leave_cancel(&mut self, cx: &mut UpdateContext<'_>) {
        let tokens = cx.session.tokens.as_ref();
        let refreshable = tokens.is_some_and(TokenState::can_refresh);
        if self.common.focus == Item::Cancel && refreshable {
            set_focus(self, Item::Refresh, cx);
        }
    }

    /// Saves the tokens to the open profile, or asks for a name. The selected token can be saved to a file instead.
    fn save_chosen(&mut self, cx: &mut UpdateContext<'_>) {
        let chosen = match self.content(cx.view()) {
            Some(Content::Token(value, _)) => Some(value),
            _ => None,
        };
        self.save_from(SaveFrom::Tokens(chosen), cx);
    }

    fn save_from(&mut self, from: SaveFrom, cx: &mut UpdateContext<'_>) {
        let Some(tokens) = &cx.session.tokens else {
            return;
        };
        if !cx.session.can_save_profile(true) {
            let content = match from {
                SaveFrom::Tokens(Some(value)) => Content::Token(value, tokens.attempt),
                SaveFrom::Tokens(None) | SaveFrom::Form => Content::Json(tokens.attempt),
            };
            self.ask_where(content, None, cx.view());
        } else if cx.session.asks_for_profile() {
            cx.go(Navigation::Open(Route::SaveProfile(from)));
        } else {
            cx.save_profile(from);
        }
    }

    /// Asks where to save `content`. `before` is the content that the dialog asked about before, and the path in its
    /// field.
    fn ask_where(
        &mut self,
        content: Content,
        before: Option<(&Content, SecretString)>,
        cx: ViewContext<'_>,
    ) {
        let single = match self.content(cx) {
            Some(Content::Token(value, _)) => value,
            _ => Value::Access,
        };
        let dialog = save_dialog(content, before, single);
        self.common.dialog = dialog.map(|dialog| Dialog {
            id: DialogId::Save(dialog.id),
            kind: dialog.kind,
        });
    }

    /// Returns the buttons. Those that leave the screen, and Help, come last.
    fn buttons(&self, cx: ViewContext<'_>) -> Vec<Entry<Item>> {
        let Some(tokens) = &cx.session.tokens else {
            return Vec::new();
        };
        let testing = cx.session.is_testing_mail();
        let busy = cx.session.is_refreshing() || cx.session.is_asking() || testing;
        let reveal = if self.revealed { "Hide" } else { "Reveal" };
        let mut items = vec![Entry::button(Item::Copy, "Copy", 'c')];
        if lines::has_header(tokens) {
            items.push(Entry::button(Item::CopyHeader, "Copy header", 'h'));
        }
        items.extend([
            Entry::button(Item::CopyJson, "Copy JSON", 'j'),
            Entry::button(Item::Reveal, reveal, 'r'),
            Entry::button(Item::ViewAlone, "View alone", 'w'),
        ]);
        // A narrow window has room for two of these buttons.
        let narrow = cx.console.size.0 < NARROW;
        let place = if narrow { 1 } else { items.len() };
        let asks = cx.session.asks_for_profile() || !cx.session.can_save_profile(true);
        let save = if asks { "Save…" } else { "Save" };
        items.insert(place, Entry::button(Item::Save, save, 's'));
        if tokens.can_refresh() && !busy {
            items.push(Entry::button(Item::Refresh, "Refresh", 'f'));
        }
        let has_servers = !cx.session.mail_servers().is_empty();
        if has_servers {
            items.push(Entry::button(Item::MailTest, "Mail test", 'm'));
        }
        items.push(Entry::button(Item::Trace, "Trace", 'e'));
        items.push(Entry::more(Item::More));
        items.extend(self.tools(cx));
        if !has_servers {
            items.push(Entry::quiet(Item::MailTest, "Mail test…").under_more(hints::MAIL_TEST));
        }
        let claims = Entry::quiet(Item::Claims, "Claims…");
        items.push(if claims::claims(tokens).is_empty() {
            claims.not_offered("None of these tokens has readable claims")
        } else {
            claims.under_more(hints::CLAIMS)
        });
        if tokens.command.is_some() {
            let copy = Entry::quiet(Item::CopyCommand, "Copy command");
            items.push(copy.under_more(if tokens.profile.is_some() {
                hints::TOKEN_COMMAND
            } else {
                hints::COMMAND
            }));
        }
        items.push(Entry::quiet(Item::CopyReport, "Copy report").under_more(hints::REPORT));
        if cx.console.clipboard_has_token {
            let clear = Entry::quiet(Item::ClearClipboard, CLEAR_CLIPBOARD);
            items.push(clear.under_more(hints::CLEAR_CLIPBOARD));
        }
        items.push(if busy {
            Entry::esc(Item::Cancel, "Cancel")
        } else {
            Entry::esc(Item::Settings, "Settings")
        });
        items.push(Entry::button(Item::Help, "Help", '?'));
        items
    }
}

impl Screen for Tokens {
    type Item = Item;
    type DialogId = DialogId;

    fn common(&self) -> &Common<Item, DialogId> {
        &self.common
    }

    fn common_mut(&mut self) -> &mut Common<Item, DialogId> {
        &mut self.common
    }

    fn route(&self) -> Route {
        Route::Tokens
    }

    fn title(&self, cx: ViewContext<'_>) -> String {
        match &cx.session.tokens {
            Some(tokens) => {
                let name = tokens.profile.as_ref().unwrap_or(&tokens.preset.name);
                format!("{name} {} tokens", cx.theme().dot())
            }
            None => cx.session.settings.preset().name.clone(),
        }
    }

    fn items(&self, cx: ViewContext<'_>) -> Vec<Entry<Item>> {
        let Some(tokens) = &cx.session.tokens else {
            return vec![Entry::esc(Item::Settings, "Settings")];
        };
        let line = |line: &Line| Entry::line(Item::Line(*line), line.label()).with_enter("copy");
        let [first, mail, script] = lines(tokens);
        let mut items: Vec<Entry<Item>> = first.iter().map(line).collect();
        let unfold = if self.checks { "hide" } else { "show" };
        let checks = Entry::in_own_row(Item::Checks, "Checks").with_letter('k');
        items.push(checks.with_enter(unfold));
        items.extend(mail.iter().chain(&script).map(line));
        items.extend(self.buttons(cx));
        if hints::remedy(cx).is_some() {
            for entry in &mut items {
                entry.fix = Some("fix".to_owned());
            }
        }
        items
    }

    fn body(&self, cx: ViewContext<'_>, area: Rect, page: u16) -> Body {
        view::body(self, cx, area, page)
    }

    fn more() -> Option<Item> {
        Some(Item::More)
    }

    fn activate(&mut self, item: Item, cx: &mut UpdateContext<'_>) {
        let Some(attempt) = cx.session.tokens.as_ref().map(|tokens| tokens.attempt) else {
            cx.go(Navigation::Open(Route::Form(FormTarget::Authorize)));
            return;
        };
        match item {
            Item::Line(line) => {
                let tokens = cx.session.tokens.as_ref();
                let content = tokens.and_then(|tokens| content(tokens, line));
                cx.out.effects.extend(content.map(Effect::Copy));
            }
            Item::Checks => self.checks = !self.checks,
            Item::Copy => cx
                .out
                .effects
                .extend(self.content(cx.view()).map(Effect::Copy)),
            Item::CopyHeader => cx.emit(Effect::Copy(Content::Header(attempt))),
            Item::CopyJson => cx.emit(Effect::Copy(Content::Json(attempt))),
            Item::Reveal if self.common.focus == Item::Checks => self.checks = !self.checks,
            Item::Reveal => self.reveal_chosen(cx.view()),
            Item::ViewAlone => {
                if let Some(content) = self.content(cx.view()) {
                    cx.show_alone(content);
                }
            }
            Item::Save => self.save_chosen(cx),
            Item::Refresh => match cx.refresh() {
                Ok(()) => {
                    if self.common.focus == Item::Refresh {
                        set_focus(self, Item::Cancel, cx);
                    }
                    cx.tell(Message::new(
                        "Refreshing",
                        "Your current tokens are kept until new ones arrive.",
                    ));
                }
                Err(refused) => cx.warn_refused(&refused),
            },
            Item::Cancel => {
                cx.cancel();
                self.leave_cancel(cx);
            }
            Item::More => cx.more(),
            Item::UserInfo | Item::Introspect => self.ask_service(&item, cx),
            Item::Revoke => self.ask_to_revoke(cx.view()),
            Item::Claims => self.common.dialog = Some(Dialog::reading(DialogId::Claims)),
            Item::CopyCommand => {
                let tokens = cx.session.tokens.as_ref();
                let content = tokens.and_then(|tokens| content(tokens, Line::Command));
                cx.out.effects.extend(content.map(Effect::Copy));
            }
            Item::CopyReport => {
                let tokens = cx.session.tokens.as_ref();
                let report = tokens.map(|tokens| report::report(tokens, cx.console.now));
                let content = report.map(|report| Content::Text("report", report));
                cx.out.effects.extend(content.map(Effect::Copy));
            }
            Item::ClearClipboard => cx.emit(Effect::ClearClipboard),
            Item::Trace => cx.go(Navigation::Open(Route::Trace)),
            Item::MailTest => cx.go(Navigation::Open(Route::MailTest)),
            Item::Settings => cx.go(Navigation::Open(Route::Form(FormTarget::Authorize))),
            Item::Help => cx.help(),
        }
    }

    /// Applies the change that gets a refresh token, and returns to the form.
    fn fix(&mut self, _item: Item, cx: &mut UpdateContext<'_>) {
        let Some(remedy) = hints::remedy(cx.view()) else {
            return;
        };
        cx.session.settings.apply(&remedy.change);
        cx.go(Navigation::Open(Route::Form(FormTarget::Authorize)));
        let text = changed(&cx.session.settings, &remedy.change);
        let text = format!("{text} Sign in again to get a refresh token.");
        cx.tell(Message::done("Changed", text));
    }

    fn save(&mut self, cx: &mut UpdateContext<'_>) {
        self.activate(Item::Save, cx);
    }

    fn save_all(&mut self, cx: &mut UpdateContext<'_>) {
        self.save_from(SaveFrom::Tokens(None), cx);
    }

    fn not_saved(&mut self, content: Content, path: SecretString, cx: &mut UpdateContext<'_>) {
        self.ask_where(content.clone(), Some((&content, path)), cx.view());
    }

    fn focused(&mut self, item: Item, _cx: &mut UpdateContext<'_>) {
        if let Item::Line(line) = item
            && self.chosen != line
        {
            self.chosen = line;
            self.revealed = false;
        }
    }

    fn answered(&mut self, id: DialogId, answer: Answer, cx: &mut UpdateContext<'_>) {
        let content = match id {
            DialogId::Save(content) => content,
            DialogId::Revoke => return Self::revoke(&answer, cx),
            DialogId::Claims | DialogId::Response(_) => return,
        };
        match answer {
            Answer::Text(path) => cx.emit(Effect::save(content, &path)),
            // Switch between the single token and all tokens as JSON.
            Answer::Other(path) => {
                let Some(attempt) = content.tokens_of() else {
                    return;
                };
                let chosen = self.content(cx.view());
                let chosen = chosen.filter(|chosen| chosen.file_name().is_some());
                let other = match &content {
                    Content::Json(_) => chosen.unwrap_or(Content::Token(Value::Access, attempt)),
                    _ => Content::Json(attempt),
                };
                self.ask_where(other, Some((&content, path)), cx.view());
            }
            Answer::Picked { .. } | Answer::Ticked(_) | Answer::Button(_) => {}
        }
    }

    fn reading(&self, id: &DialogId, columns: usize, cx: ViewContext<'_>) -> Reading {
        match id {
            DialogId::Response(response) => tools::reading(response, cx, columns),
            _ => claims::reading(cx, columns),
        }
    }

    fn on_event(&mut self, event: &SessionEvent, cx: &mut UpdateContext<'_>) {
        if matches!(
            event,
            SessionEvent::Tokens { .. }
                | SessionEvent::RefreshFailed(_)
                | SessionEvent::Told(..)
                | SessionEvent::Profile(ProfileNews::NotSaved(_) | ProfileNews::Failed(_))
        ) {
            self.leave_cancel(cx);
        }
        if let SessionEvent::Told(_, kind, told) = event {
            self.show(*kind, told);
        }
        let (SessionEvent::Tokens { .. }, Some(tokens)) = (event, &cx.session.tokens) else {
            return;
        };
        // The new tokens may lack the selected line.
        if content(tokens, self.chosen).is_none() {
            (self.chosen, self.revealed) = (Line::Token(Value::Access), false);
        }
        // The dialog saves the new tokens. It closes if they lack what was to be saved.
        if let Some(mut dialog) = self.common.dialog.take() {
            if let DialogId::Save(content) = dialog.id {
                dialog.id = DialogId::Save(content.of_attempt(tokens.attempt));
            }
            let there = match &dialog.id {
                DialogId::Save(content) => content.text(cx.session).is_some(),
                DialogId::Claims | DialogId::Response(_) => true,
                // The question is about the old tokens.
                DialogId::Revoke => false,
            };
            self.common.dialog = there.then_some(dialog);
        }
    }

    fn entered(&mut self, _route: Route, cx: &mut UpdateContext<'_>) {
        set_focus(self, Item::Line(Line::Token(Value::Access)), cx);
    }

    fn fits_beside(&self, area: Rect, cx: ViewContext<'_>) -> bool {
        !view::is_long(self, cx, area)
    }

    fn tick(&self, cx: ViewContext<'_>) -> Option<Duration> {
        let left = cx.session.tokens.as_ref()?.left(cx.console.now)?;
        (!left.is_zero()).then(|| time_left(left).1)
    }
}
