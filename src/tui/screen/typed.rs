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
use crate::session::content::Content;
use crate::tui::dialog::qr_code::Picture;
use crate::tui::dialog::{Answer, Dialog, List, Reading};
use crate::tui::widgets::draw::Body;
use crate::tui::widgets::editor::Editor;

/// The state that every screen has.
#[derive(Debug)]
pub struct Common<I, D> {
    /// The item that has the focus.
    pub focus: I,
    /// The last position of the focused item. If the item disappears, the one now at this position gets the focus.
    pub(super) place: usize,
    /// The item that had the focus before the window became too small for it. It gets the focus back in a larger window,
    /// unless the focus has moved since.
    pub(super) hidden: Option<I>,
    /// The editor of the focused text field.
    pub editor: Editor,
    /// The session's text of the focused field when it last agreed with the editor.
    pub(super) committed: SecretString,
    /// The dialog over the screen.
    pub dialog: Option<Dialog<D>>,
    /// The first visible row of the body.
    pub scroll: usize,
    /// Whether the focus has moved, and must be scrolled into view.
    pub(super) follow: bool,
}

impl<I, D> Common<I, D> {
    /// Creates the state with the focus on this item.
    #[must_use]
    pub fn at(focus: I) -> Self {
        Self {
            focus,
            place: 0,
            hidden: None,
            editor: Editor::default(),
            committed: SecretString::default(),
            dialog: None,
            scroll: 0,
            follow: true,
        }
    }
}

impl<I: PartialEq, D> Common<I, D> {
    /// Returns whether the item has the focus, and the screen is not drawn next to the one that has it.
    #[must_use]
    pub fn has_focus(&self, cx: ViewContext<'_>, item: &I) -> bool {
        cx.focused && self.focus == *item
    }
}

/// The trait that each screen implements.
pub trait Screen: Debug {
    /// An item that can have the focus. It is a name, never a position.
    type Item: Clone + PartialEq + Debug;
    /// The purpose of a dialog.
    type DialogId: Clone + Debug;

    /// Returns the state that every screen has.
    fn common(&self) -> &Common<Self::Item, Self::DialogId>;
    /// Returns the state that every screen has, mutably.
    fn common_mut(&mut self) -> &mut Common<Self::Item, Self::DialogId>;
    /// Returns the route of the screen.
    fn route(&self) -> Route;
    /// Returns the title, which is at the top right.
    fn title(&self, cx: ViewContext<'_>) -> String;
    /// Returns the items in the order of the screen: Tab, letters, buttons, the footer, the help and tests all use this
    /// table.
    fn items(&self, cx: ViewContext<'_>) -> Vec<Entry<Self::Item>>;
    /// Returns the body for an area, on a page of the width `page`.
    fn body(&self, cx: ViewContext<'_>, area: Rect, page: u16) -> Body;
    /// Returns the button that lists the buttons that don't fit, if the screen may have too many.
    #[must_use]
    fn more() -> Option<Self::Item> {
        None
    }
    /// Handles Enter on an item, or the item's letter.
    fn activate(&mut self, item: Self::Item, cx: &mut UpdateContext<'_>);

    /// Returns the initial text of an editor on this item.
    fn text(&self, _item: &Self::Item, _cx: ViewContext<'_>) -> SecretString {
        SecretString::default()
    }
    /// Returns the text that Ctrl+T restores; `None` if this item has no default text.
    fn default_text(&self, _item: &Self::Item, _cx: ViewContext<'_>) -> Option<String> {
        None
    }
    /// Handles that the text of an item was edited.
    fn edited(&mut self, _item: Self::Item, _text: &str, _cx: &mut UpdateContext<'_>) {}
    /// Handles that a choice was changed to the next or the previous value.
    fn changed(&mut self, _item: Self::Item, _by: isize, _cx: &mut UpdateContext<'_>) {}
    /// Handles Ctrl+F on an item.
    fn fix(&mut self, _item: Self::Item, _cx: &mut UpdateContext<'_>) {}
    /// Handles that this item got the focus.
    fn focused(&mut self, _item: Self::Item, _cx: &mut UpdateContext<'_>) {}
    /// Handles that the user moved the focus.
    fn moved(&mut self, _cx: &mut UpdateContext<'_>) {}
    /// Handles a character that was typed on a value that is searched by typing, or a text that was pasted there.
    fn searched(&mut self, _item: Self::Item, _text: &str, _cx: &mut UpdateContext<'_>) {}
    /// Handles Ctrl+S on any item.
    fn save(&mut self, _cx: &mut UpdateContext<'_>) {}
    /// Asks where to save everything that would be lost when the program ends.
    fn save_all(&mut self, _cx: &mut UpdateContext<'_>) {}
    /// Handles that the content could not be saved to the path that the user entered: asks for the path again.
    fn not_saved(&mut self, _content: Content, _path: SecretString, _cx: &mut UpdateContext<'_>) {}
    /// Handles Ctrl+R on any item.
    fn reveal(&mut self, _cx: &mut UpdateContext<'_>) {}
    /// Returns the item that receives a paste if the focus is not on a text field. If it is `None`, a message says that
    /// nothing was pasted.
    fn paste_target(&self, _cx: ViewContext<'_>) -> Option<Self::Item> {
        None
    }
    /// Returns the part of a paste that goes into the field, and a message about the change.
    fn cleaned(
        &self,
        _item: &Self::Item,
        text: &str,
        _cx: ViewContext<'_>,
    ) -> (SecretString, Option<String>) {
        (text.into(), None)
    }
    /// Returns whether a paste replaces the text instead of being inserted.
    fn is_replaced_by_paste(&self, _item: &Self::Item) -> bool {
        false
    }
    /// Handles the answer of a dialog. The dialog is already closed, unless the answer says otherwise.
    fn answered(&mut self, _id: Self::DialogId, _answer: Answer, _cx: &mut UpdateContext<'_>) {}
    /// Returns the content of a list dialog, filtered by the typed text.
    fn list(&self, _id: &Self::DialogId, _filter: &str, _cx: ViewContext<'_>) -> List {
        List::default()
    }
    /// Returns the content of a reading dialog, in lines of at most this many columns.
    fn reading(&self, _id: &Self::DialogId, _columns: usize, _cx: ViewContext<'_>) -> Reading {
        Reading::default()
    }
    /// Returns the text next to a picture, for an area of this many columns and rows.
    fn caption(
        &self,
        _picture: &Picture,
        _size: (usize, usize),
        _cx: ViewContext<'_>,
    ) -> Vec<Line<'static>> {
        Vec::new()
    }
    /// Handles an event of the session. Screens don't navigate here: the root does.
    fn on_event(&mut self, _event: &SessionEvent, _cx: &mut UpdateContext<'_>) {}
    /// Handles a change of the window's size.
    fn resized(&mut self, _cx: &mut UpdateContext<'_>) {}
    /// Handles that the screen was opened or returned to, and is now on top.
    fn entered(&mut self, _route: Route, _cx: &mut UpdateContext<'_>) {}
    /// Returns whether the arrow keys scroll the body, because it contains no items.
    fn scrolls_by_line(&self) -> bool {
        false
    }
    /// Returns whether the screen can share a wide page with the form.
    fn fits_beside(&self, _area: Rect, _cx: ViewContext<'_>) -> bool {
        true
    }
    /// Returns the time until a time shown on the screen changes.
    fn tick(&self, _cx: ViewContext<'_>) -> Option<Duration> {
        None
    }
    /// Returns the URLs on the screen that become links.
    fn urls(&self, _cx: ViewContext<'_>) -> Vec<Url> {
        Vec::new()
    }
}

/// Moves the focus of a screen, and notifies the screen.
pub fn set_focus<S: Screen + ?Sized>(screen: &mut S, item: S::Item, cx: &mut UpdateContext<'_>) {
    load(screen, item.clone(), cx.view());
    screen.focused(item, cx);
}

/// Loads a changed text of the focused item into the editor, where the change can be undone.
pub fn reload<S: Screen + ?Sized>(screen: &mut S, cx: ViewContext<'_>) {
    let text = screen.text(&screen.common().focus, cx);
    let common = screen.common_mut();
    common.editor.replace(text.expose_secret());
    common.committed = text;
}

/// Puts the focus on an item, and loads its text into the editor.
pub(super) fn load<S: Screen + ?Sized>(screen: &mut S, item: S::Item, cx: ViewContext<'_>) {
    let text = screen.text(&item, cx);
    let common = screen.common_mut();
    common.focus = item;
    common.hidden = None;
    common.follow = true;
    common.editor = Editor::new(text.expose_secret());
    common.committed = text;
}
