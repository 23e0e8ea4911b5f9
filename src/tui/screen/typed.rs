//! The trait that each screen implements.

use std::fmt::Debug;
use std::time::Duration;

use ratatui::layout::Rect;
use ratatui::text::Line;
use url::Url;

use super::context::{UpdateContext, ViewContext};
use super::item::Entry;
use super::route::Route;
use crate::secret::{ExposeSecret, SecretString};
use crate::session::SessionEvent;
use crate::tui::dialog::qr_code::Picture;
use crate::tui::dialog::{Answer, Dialog, List, Reading};
use crate::tui::widgets::draw::Body;
use crate::tui::widgets::editor::Editor;

/// What every screen has.
#[derive(Debug)]
pub struct Common<I, D> {
    /// The item that has the focus.
    pub focus: I,
    /// Where it stood when it was last there: what takes its place has the focus then.
    pub(super) place: usize,
    /// The line being edited, where the focus is on one.
    pub editor: Editor,
    /// What the session had of that line when the editor last agreed with it.
    pub(super) committed: SecretString,
    /// What lies on top.
    pub dialog: Option<Dialog<D>>,
    /// First row of the body that is shown.
    pub scroll: usize,
    /// The focus has moved, and has to be brought in sight.
    pub(super) follow: bool,
}

impl<I, D> Common<I, D> {
    /// With the focus on this item.
    #[must_use]
    pub fn at(focus: I) -> Self {
        Self {
            focus,
            place: 0,
            editor: Editor::default(),
            committed: SecretString::default(),
            dialog: None,
            scroll: 0,
            follow: true,
        }
    }
}

impl<I: PartialEq, D> Common<I, D> {
    /// True if an item has the focus, and the screen is not drawn next to another.
    #[must_use]
    pub fn has_focus(&self, cx: ViewContext<'_>, item: &I) -> bool {
        cx.focused && self.focus == *item
    }
}

/// The trait that each screen implements.
pub trait Screen: Debug {
    /// What on it can have the focus. Carries names, never positions.
    type Item: Clone + PartialEq + Debug;
    /// What a dialog of it was opened for.
    type DialogId: Clone + Debug;

    /// What every screen has.
    fn common(&self) -> &Common<Self::Item, Self::DialogId>;
    /// The same, to be changed.
    fn common_mut(&mut self) -> &mut Common<Self::Item, Self::DialogId>;
    /// The name of the screen.
    fn route(&self) -> Route;
    /// At the top right.
    fn title(&self, cx: ViewContext<'_>) -> String;
    /// In the order of the screen: Tab, letters, buttons, footer, help and tests read this one table.
    fn items(&self, cx: ViewContext<'_>) -> Vec<Entry<Self::Item>>;
    /// The body, for an area on a page of this width.
    fn body(&self, cx: ViewContext<'_>, area: Rect, page: u16) -> Body;
    /// The button that shows those without room, where the screen may have too many.
    #[must_use]
    fn more() -> Option<Self::Item> {
        None
    }
    /// Enter on an item, or its letter.
    fn activate(&mut self, item: Self::Item, cx: &mut UpdateContext<'_>);

    /// The text that an editor on this item begins with.
    fn text(&self, _item: &Self::Item, _cx: ViewContext<'_>) -> SecretString {
        SecretString::default()
    }
    /// The text that Ctrl+T restores; `None` if there is none for this item.
    fn default_text(&self, _item: &Self::Item, _cx: ViewContext<'_>) -> Option<String> {
        None
    }
    /// The text of an item was edited.
    fn edited(&mut self, _item: Self::Item, _text: &str, _cx: &mut UpdateContext<'_>) {}
    /// A choice was changed, one on or one back.
    fn changed(&mut self, _item: Self::Item, _by: isize, _cx: &mut UpdateContext<'_>) {}
    /// Ctrl+F on an item.
    fn fix(&mut self, _item: Self::Item, _cx: &mut UpdateContext<'_>) {}
    /// The focus came to this item.
    fn focused(&mut self, _item: Self::Item, _cx: &mut UpdateContext<'_>) {}
    /// The user moved the focus by hand.
    fn moved(&mut self, _cx: &mut UpdateContext<'_>) {}
    /// A character was typed on an item that is found by typing.
    fn searched(&mut self, _item: Self::Item, _ch: char, _cx: &mut UpdateContext<'_>) {}
    /// Ctrl+S, from anywhere.
    fn save(&mut self, _cx: &mut UpdateContext<'_>) {}
    /// Asks where to save all that is lost at the end of the program.
    fn save_all(&mut self, _cx: &mut UpdateContext<'_>) {}
    /// Ctrl+R, from anywhere.
    fn reveal(&mut self, _cx: &mut UpdateContext<'_>) {}
    /// Where a paste goes when the focus is on no text; `None`: nowhere, and that is said.
    fn paste_target(&self, _cx: ViewContext<'_>) -> Option<Self::Item> {
        None
    }
    /// What of a paste goes into the line, and the message about that.
    fn cleaned(
        &self,
        _item: &Self::Item,
        text: &str,
        _cx: ViewContext<'_>,
    ) -> (SecretString, Option<String>) {
        (text.into(), None)
    }
    /// True if a paste takes the place of the text instead of going into it.
    fn is_replaced_by_paste(&self, _item: &Self::Item) -> bool {
        false
    }
    /// A dialog was answered. It is closed by then, unless the answer says otherwise.
    fn answered(&mut self, _id: Self::DialogId, _answer: Answer, _cx: &mut UpdateContext<'_>) {}
    /// What a list dialog shows, with what was typed to filter it.
    fn list(&self, _id: &Self::DialogId, _filter: &str, _cx: ViewContext<'_>) -> List {
        List::default()
    }
    /// What a reading dialog shows, in lines of so many columns.
    fn reading(&self, _id: &Self::DialogId, _columns: usize, _cx: ViewContext<'_>) -> Reading {
        Reading::default()
    }
    /// The words next to a picture, in so many columns and rows.
    fn caption(
        &self,
        _picture: &Picture,
        _size: (usize, usize),
        _cx: ViewContext<'_>,
    ) -> Vec<Line<'static>> {
        Vec::new()
    }
    /// The session reported an event. Screens do not navigate here: the root does.
    fn on_event(&mut self, _event: &SessionEvent, _cx: &mut UpdateContext<'_>) {}
    /// The window has another size.
    fn resized(&mut self, _cx: &mut UpdateContext<'_>) {}
    /// It was navigated to, and is on top now.
    fn entered(&mut self, _route: Route, _cx: &mut UpdateContext<'_>) {}
    /// True if the body scrolls with the arrow keys, because it holds nothing that can have the focus.
    fn scrolls_by_line(&self) -> bool {
        false
    }
    /// True if it can share a wide page with the form.
    fn fits_beside(&self, _area: Rect, _cx: ViewContext<'_>) -> bool {
        true
    }
    /// How long until a time on it changes.
    fn tick(&self, _cx: ViewContext<'_>) -> Option<Duration> {
        None
    }
    /// The URLs on it that are to be links.
    fn urls(&self, _cx: ViewContext<'_>) -> Vec<Url> {
        Vec::new()
    }
}

/// Moves the focus of a screen, with an editor where text is typed.
pub fn set_focus<S: Screen + ?Sized>(screen: &mut S, item: S::Item, cx: &mut UpdateContext<'_>) {
    load(screen, item.clone(), cx.view());
    screen.focused(item, cx);
}

/// Puts the focus on an item, with an editor on its text.
pub(super) fn load<S: Screen + ?Sized>(screen: &mut S, item: S::Item, cx: ViewContext<'_>) {
    let text = screen.text(&item, cx);
    let common = screen.common_mut();
    common.focus = item;
    common.follow = true;
    common.editor = Editor::new(text.expose_secret());
    common.committed = text;
}
