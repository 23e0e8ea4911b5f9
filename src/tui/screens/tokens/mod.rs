//! The tokens: what was obtained, for whom and for how long, and what can be done with it.

mod state;
#[cfg(test)]
mod tests;
mod view;

use std::time::Duration;

use ratatui::layout::Rect;

use self::state::Item;
pub(super) use self::state::Tokens;
use crate::session::content::Content;
use crate::session::{SessionEvent, Value};
use crate::tui::copies::save_dialog;
use crate::tui::dialog::Answer;
use crate::tui::message::Effect;
use crate::tui::screen::{
    Common, Entry, FormTarget, Navigation, Route, Screen, UpdateContext, ViewContext, set_focus,
};
use crate::tui::widgets::draw::Body;
use crate::tui::widgets::text::time_left;

impl Tokens {
    fn reveal(&mut self) {
        self.revealed = !self.revealed;
        self.common.scroll = 0;
    }
}

impl Screen for Tokens {
    type Item = Item;
    type DialogId = Content;

    fn common(&self) -> &Common<Item, Content> {
        &self.common
    }

    fn common_mut(&mut self) -> &mut Common<Item, Content> {
        &mut self.common
    }

    fn route(&self) -> Route {
        Route::Tokens
    }

    fn title(&self, cx: ViewContext<'_>) -> String {
        match &cx.session.tokens {
            Some(tokens) => format!("{} {} tokens", tokens.preset.name, cx.theme().dot()),
            None => cx.session.settings.preset().name.clone(),
        }
    }

    fn items(&self, cx: ViewContext<'_>) -> Vec<Entry<Item>> {
        let Some(tokens) = &cx.session.tokens else {
            return vec![Entry::button(Item::Settings, "Settings", 's')];
        };
        let mut items: Vec<Entry<Item>> = tokens
            .values()
            .into_iter()
            .map(|value| Entry::line(Item::Value(value), value.label()))
            .collect();
        items.push(Entry::button(Item::Copy, "Copy", 'c'));
        if tokens.set.is_bearer() || tokens.header() != "Bearer" {
            items.push(Entry::button(Item::CopyHeader, "Copy header", 'h'));
        }
        let reveal = if self.revealed { "Hide" } else { "Reveal" };
        items.extend([
            Entry::button(Item::CopyJson, "Copy JSON", 'j'),
            Entry::button(Item::Reveal, reveal, 'r'),
            Entry::button(Item::PlainView, "Plain view", 'p'),
            // With the other buttons it has to fit into a small window.
            Entry::button(Item::Save, "Save", 'w'),
        ]);
        if cx.session.is_refreshing() {
            items.push(Entry::button(Item::Cancel, "Cancel", 'x'));
        } else if tokens.set.refresh_token.is_some() {
            items.push(Entry::button(Item::Refresh, "Refresh", 'f'));
        }
        items.extend([
            Entry::button(Item::Trace, "Trace", 'e'),
            Entry::button(Item::Settings, "Settings", 's'),
            Entry::button(Item::Help, "Help", '?'),
        ]);
        items
    }

    fn body(&self, cx: ViewContext<'_>, area: Rect, page: u16) -> Body {
        view::body(self, cx, area, page)
    }

    fn activate(&mut self, item: Item, cx: &mut UpdateContext<'_>) {
        let Some(attempt) = cx.session.tokens.as_ref().map(|tokens| tokens.attempt) else {
            cx.go(Navigation::Open(Route::Form(FormTarget::Authorize)));
            return;
        };
        match item {
            Item::Value(_) | Item::Reveal => self.reveal(),
            Item::Copy => {
                if let Some(content) = self.content(cx.view()) {
                    cx.emit(Effect::Copy(content));
                }
            }
            Item::CopyHeader => cx.emit(Effect::Copy(Content::Header(attempt))),
            Item::CopyJson => cx.emit(Effect::Copy(Content::Json(attempt))),
            Item::PlainView => {
                if let Some(content) = self.content(cx.view()) {
                    cx.show_alone(content);
                }
            }
            Item::Save => {
                self.common.dialog = self.content(cx.view()).and_then(|it| save_dialog(it, None));
            }
            Item::Refresh => match cx.session.refresh() {
                Ok(started) => {
                    cx.emit(Effect::Start(started));
                    cx.say("Asking for new tokens. The ones at hand stay until they come.");
                    set_focus(self, Item::Cancel, cx);
                }
                Err(refused) => cx.warn_refused(&refused),
            },
            Item::Cancel => cx.cancel(),
            Item::Trace => cx.go(Navigation::Open(Route::Trace)),
            Item::Settings => cx.go(Navigation::Open(Route::Form(FormTarget::Authorize))),
            Item::Help => cx.help(),
        }
    }

    fn focused(&mut self, item: Item, _cx: &mut UpdateContext<'_>) {
        if let Item::Value(value) = item
            && self.chosen != value
        {
            self.chosen = value;
            self.revealed = false;
            self.common.scroll = 0;
        }
    }

    fn answered(&mut self, id: Content, answer: Answer, cx: &mut UpdateContext<'_>) {
        match answer {
            Answer::Text(path) => cx.emit(Effect::save(id, &path)),
            // The token alone, or all as JSON.
            Answer::Other(path) => {
                let other = match id.tokens_of() {
                    Some(attempt) if !matches!(id, Content::Json(_)) => {
                        Some(Content::Json(attempt))
                    }
                    _ => self.content(cx.view()),
                };
                self.common.dialog = other.and_then(|other| save_dialog(other, Some((&id, path))));
            }
            Answer::Picked { .. } | Answer::Ticked(_) | Answer::Button(_) => {}
        }
    }

    fn on_event(&mut self, event: &SessionEvent, cx: &mut UpdateContext<'_>) {
        let (SessionEvent::Tokens { .. }, Some(tokens)) = (event, &cx.session.tokens) else {
            return;
        };
        // The value that was chosen may be gone with the old tokens.
        if tokens.secret(self.chosen).is_none() {
            (self.chosen, self.revealed) = (Value::Access, false);
        }
        // What is to be saved is now of the new tokens, where they have it.
        if let Some(mut dialog) = self.common.dialog.take() {
            dialog.id = dialog.id.of_attempt(tokens.attempt);
            if dialog.id.text(cx.session).is_some() {
                self.common.dialog = Some(dialog);
            }
        }
    }

    fn entered(&mut self, _route: Route, cx: &mut UpdateContext<'_>) {
        set_focus(self, Item::Value(Value::Access), cx);
    }

    fn scrolled(&mut self, by: isize, _cx: &mut UpdateContext<'_>) {
        self.common.scroll = self.common.scroll.saturating_add_signed(by);
    }

    fn fits_beside(&self, area: Rect, cx: ViewContext<'_>) -> bool {
        !view::is_long(self, cx, area)
    }

    fn tick(&self, cx: ViewContext<'_>) -> Option<Duration> {
        let left = cx.session.tokens.as_ref()?.left(cx.console.now)?;
        (!left.is_zero()).then(|| time_left(left).1)
    }
}
