//! The trace of the HTTP exchanges.

mod state;
#[cfg(test)]
mod tests;
mod view;

use ratatui::layout::Rect;

use self::state::Item;
pub(super) use self::state::Trace;
use crate::secret::SecretString;
use crate::session::Value;
use crate::session::content::Content;
use crate::tui::copies::save_dialog;
use crate::tui::dialog::Answer;
use crate::tui::message::Effect;
use crate::tui::screen::{Common, Entry, Navigation, Route, Screen, UpdateContext, ViewContext};
use crate::tui::widgets::draw::Body;

impl Screen for Trace {
    type Item = Item;
    type DialogId = Content;

    fn common(&self) -> &Common<Item, Content> {
        &self.common
    }

    fn common_mut(&mut self) -> &mut Common<Item, Content> {
        &mut self.common
    }

    fn route(&self) -> Route {
        Route::Trace
    }

    fn title(&self, cx: ViewContext<'_>) -> String {
        let preset = cx.session.settings.preset();
        format!("{} {} trace", preset.name, cx.theme().dot())
    }

    fn items(&self, cx: ViewContext<'_>) -> Vec<Entry<Item>> {
        let mut items = Vec::new();
        if !cx.session.trace.is_empty() {
            items.extend([
                Entry::button(Item::Copy, "Copy", 'c'),
                Entry::button(Item::Save, "Save…", 's'),
            ]);
        }
        items.extend([
            Entry::esc(Item::Back, "Back"),
            Entry::button(Item::Help, "Help", '?'),
        ]);
        items
    }

    fn body(&self, cx: ViewContext<'_>, _area: Rect, page: u16) -> Body {
        view::body(cx, page)
    }

    fn activate(&mut self, item: Item, cx: &mut UpdateContext<'_>) {
        match item {
            Item::Back => cx.go(Navigation::Back),
            Item::Copy => cx.emit(Effect::Copy(Content::Trace)),
            Item::Save => self.common.dialog = save_dialog(Content::Trace, None, Value::Access),
            Item::Help => cx.help(),
        }
    }

    fn answered(&mut self, id: Content, answer: Answer, cx: &mut UpdateContext<'_>) {
        if let Answer::Text(path) = answer {
            cx.emit(Effect::save(id, &path));
        }
    }

    fn not_saved(&mut self, content: Content, path: SecretString, _cx: &mut UpdateContext<'_>) {
        self.common.dialog = save_dialog(Content::Trace, Some((&content, path)), Value::Access);
    }

    fn scrolls_by_line(&self) -> bool {
        true
    }

    fn fits_beside(&self, _area: Rect, _cx: ViewContext<'_>) -> bool {
        false
    }
}
