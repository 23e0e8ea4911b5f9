//! The trace of the HTTP exchanges.

mod state;
#[cfg(test)]
mod tests;
mod view;

use ratatui::layout::Rect;

use self::state::Item;
pub(super) use self::state::Trace;
use crate::session::content::Content;
use crate::tui::copies::save_dialog;
use crate::tui::dialog::Answer;
use crate::tui::message::Effect;
use crate::tui::screen::{Common, Entry, Navigation, Route, Screen, UpdateContext, ViewContext};
use crate::tui::widgets::draw::Body;
use crate::tui::widgets::text::width;

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

    fn title(&self, _cx: ViewContext<'_>) -> String {
        "Trace".to_owned()
    }

    fn items(&self, _cx: ViewContext<'_>) -> Vec<Entry<Item>> {
        vec![
            Entry::button(Item::Back, "Back", 'z'),
            Entry::button(Item::Save, "Save to a file", 'w'),
            Entry::button(Item::Help, "Help", '?'),
        ]
    }

    fn body(&self, cx: ViewContext<'_>, area: Rect, _page: u16) -> Body {
        view::body(self, cx, area)
    }

    fn activate(&mut self, item: Item, cx: &mut UpdateContext<'_>) {
        match item {
            Item::Back => cx.go(Navigation::Back),
            Item::Save => self.common.dialog = save_dialog(Content::Trace, None),
            Item::Help => cx.help(),
        }
    }

    fn answered(&mut self, id: Content, answer: Answer, cx: &mut UpdateContext<'_>) {
        if let Answer::Text(path) = answer {
            cx.emit(Effect::save(id, &path));
        }
    }

    fn scrolled(&mut self, by: isize, cx: &mut UpdateContext<'_>) {
        // Not far behind the end, from where it would be a long way back.
        let columns = usize::from(cx.console.size.0).saturating_sub(4).max(1);
        let lines = cx.session.trace.lines();
        let rows: usize = lines.map(|line| width(line).div_ceil(columns)).sum();
        let most = (rows + cx.session.trace.exchanges().len()).saturating_sub(1);
        let scroll = &mut self.common.scroll;
        *scroll = scroll.saturating_add_signed(by).min(most);
    }

    fn scrolls_by_line(&self) -> bool {
        true
    }

    fn fits_beside(&self, _area: Rect, _cx: ViewContext<'_>) -> bool {
        false
    }
}
