//! The untyped interface of a screen, implemented once for all screens: Tab, letters, Enter, editing, pasting, dialogs
//! and scrolling.

use std::fmt::Debug;
use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use url::Url;

use super::buttons::places;
use super::context::{UpdateContext, ViewContext};
use super::item::{Entry, ItemView, Kind, Place};
use super::route::{Navigation, Route};
use super::typed::{Screen, load, set_focus};
use crate::clean::clean;
use crate::escapes::without_escapes;
use crate::secret::{ExposeSecret, SecretString};
use crate::session::SessionEvent;
use crate::session::content::Content;
use crate::tui::dialog::{self, Reply};
use crate::tui::keys::{Command, Context};
use crate::tui::widgets::button::Shortcut;
use crate::tui::widgets::draw::Body;
use crate::tui::widgets::editor::Edit;

/// The message for a paste that is too long.
const TOO_LONG: &str = "Nothing pasted: a field can hold at most 32 KiB.";
/// Maximum length of a pasted search, in characters.
const SEARCH_LIMIT: usize = 200;
/// The message if a typed character does not fit, such as one of a paste that the terminal doesn't mark.
const FULL: &str = "The field is full: it can hold at most 32 KiB.";

/// A screen without its item and dialog types, for the event loop, the frame and the tests.
pub trait AnyScreen: Debug {
    /// Returns the route of the screen.
    fn route(&self) -> Route;
    /// Returns the title, which is at the top right.
    fn title(&self, cx: ViewContext<'_>) -> String;
    /// Returns the items, in the order of the screen.
    fn items(&self, cx: ViewContext<'_>) -> Vec<ItemView>;
    /// Returns the context that decides what keys do at the focus.
    fn context(&self, cx: ViewContext<'_>) -> Context;
    /// Returns whether a dialog is open over the screen.
    fn has_dialog(&self) -> bool;
    /// Returns whether the editor has text after the cursor.
    fn has_text_ahead(&self) -> bool;
    /// Returns the body.
    fn body(&self, cx: ViewContext<'_>, area: Rect, page: u16) -> Body;
    /// Draws the dialog over the screen, if one is open, and returns the cursor position.
    fn draw_dialog(
        &self,
        cx: ViewContext<'_>,
        frame: &mut Frame<'_>,
        area: Rect,
    ) -> Option<Position>;
    /// Returns the first visible row of the body.
    fn scroll(&self) -> usize;
    /// Scrolls the body so that this row is the first visible one.
    fn scroll_to(&mut self, row: usize);
    /// Returns whether the focus has moved since the last call.
    fn take_follow(&mut self) -> bool;
    /// Presses the button with this label, wherever it is.
    fn press(&mut self, label: &str, cx: &mut UpdateContext<'_>);
    /// Handles a key.
    fn key(&mut self, command: Command, cx: &mut UpdateContext<'_>);
    /// Handles a paste.
    fn paste(&mut self, text: &str, cx: &mut UpdateContext<'_>);
    /// Asks where to save everything that would be lost when the program ends.
    fn save_all(&mut self, cx: &mut UpdateContext<'_>);
    /// Handles that the content could not be saved to the path that the user entered. `reason` is a sentence.
    fn not_saved(
        &mut self,
        content: Content,
        path: SecretString,
        reason: &str,
        cx: &mut UpdateContext<'_>,
    );
    /// Updates the screen after every message: if the focused item is gone, the focus moves to the item in its place;
    /// if the focused value was changed elsewhere, the editor loads it.
    fn settle(&mut self, cx: &mut UpdateContext<'_>);
    /// Handles an event of the session.
    fn on_event(&mut self, event: &SessionEvent, cx: &mut UpdateContext<'_>);
    /// Handles a change of the window's size.
    fn resized(&mut self, cx: &mut UpdateContext<'_>);
    /// Handles that the screen was opened or returned to, and is now on top.
    fn entered(&mut self, route: Route, cx: &mut UpdateContext<'_>);
    /// Returns whether the screen can share a wide page with the form.
    fn fits_beside(&self, area: Rect, cx: ViewContext<'_>) -> bool;
    /// Returns the time until a time shown on the screen changes.
    fn tick(&self, cx: ViewContext<'_>) -> Option<Duration>;
    /// Returns the URLs on the screen that become links.
    fn urls(&self, cx: ViewContext<'_>) -> Vec<Url>;
}

impl<S: Screen> AnyScreen for S {
    fn route(&self) -> Route {
        Screen::route(self)
    }

    fn title(&self, cx: ViewContext<'_>) -> String {
        Screen::title(self, cx)
    }

    fn items(&self, cx: ViewContext<'_>) -> Vec<ItemView> {
        let focus = &self.common().focus;
        placed(self, cx)
            .into_iter()
            .map(|(entry, place)| ItemView {
                kind: entry.kind,
                label: entry.label,
                shortcut: entry.shortcut,
                beside: entry.beside,
                fix: entry.fix,
                enter: entry.enter,
                hint: entry.hint,
                more: entry.more,
                off: entry.off,
                place,
                focused: entry.item == *focus,
            })
            .collect()
    }

    fn has_text_ahead(&self) -> bool {
        let editor = &self.common().editor;
        editor.text().chars().nth(editor.cursor()).is_some()
    }

    fn context(&self, cx: ViewContext<'_>) -> Context {
        if let Some(dialog) = &self.common().dialog {
            return with_source(self, cx, |source| dialog.context(source));
        }
        if self.scrolls_by_line() {
            return Context::Below;
        }
        let focused = AnyScreen::items(self, cx)
            .into_iter()
            .find(|item| item.focused);
        match focused.map(|item| item.kind) {
            Some(Kind::Text) => Context::Text,
            Some(Kind::Paste) => Context::Paste,
            Some(Kind::Search) => Context::Search,
            Some(Kind::Choice) => Context::Choice,
            Some(Kind::Button | Kind::Line) | None => Context::Button,
        }
    }

    fn has_dialog(&self) -> bool {
        self.common().dialog.is_some()
    }

    fn body(&self, cx: ViewContext<'_>, area: Rect, page: u16) -> Body {
        Screen::body(self, cx, area, page)
    }

    fn draw_dialog(
        &self,
        cx: ViewContext<'_>,
        frame: &mut Frame<'_>,
        area: Rect,
    ) -> Option<Position> {
        let dialog = self.common().dialog.as_ref()?;
        with_source(self, cx, |source| {
            dialog::draw(dialog, source, cx.theme(), frame, area)
        })
    }

    fn scroll(&self) -> usize {
        self.common().scroll
    }

    fn scroll_to(&mut self, row: usize) {
        self.common_mut().scroll = row;
    }

    fn take_follow(&mut self) -> bool {
        std::mem::take(&mut self.common_mut().follow)
    }

    fn press(&mut self, label: &str, cx: &mut UpdateContext<'_>) {
        let found = Screen::items(self, cx.view());
        let found = found.into_iter().find(|entry| entry.label == label);
        if let Some(entry) = found {
            press(self, entry.item, cx);
        }
    }

    fn key(&mut self, command: Command, cx: &mut UpdateContext<'_>) {
        if let Some(mut dialog) = self.common_mut().dialog.take() {
            let (columns, rows) = cx.console.size;
            let window = (cx.console.theme, Rect::new(0, 0, columns, rows));
            let reply = with_source(self, cx.view(), |source| {
                dialog.key(command, source, window)
            });
            let id = dialog.id.clone();
            if matches!(reply, Reply::Open | Reply::Tell(_)) {
                self.common_mut().dialog = Some(dialog);
            }
            if let Reply::Close(Some(answer)) | Reply::Tell(answer) = reply {
                self.answered(id, answer, cx);
            }
            return;
        }
        let items = shown(self, cx.view());
        let focus = self.common().focus.clone();
        let at = items.iter().position(|entry| entry.item == focus);
        let kind = at.map(|at| items[at].kind);
        match command {
            Command::Next | Command::Previous => {
                let count = items.len();
                // A focus on an item that is gone counts as before the first.
                let next = match (at, command == Command::Next) {
                    (Some(at), true) => (at + 1) % count,
                    (Some(at), false) => (at + count - 1) % count,
                    (None, true) => 0,
                    (None, false) => count.saturating_sub(1),
                };
                if let Some(entry) = items.into_iter().nth(next) {
                    set_focus(self, entry.item, cx);
                }
                self.moved(cx);
            }
            Command::ChangeLeft => self.changed(focus, -1, cx),
            Command::ChangeRight | Command::Toggle => self.changed(focus, 1, cx),
            Command::Enter => activate(self, focus, cx),
            Command::Edit(Edit::Insert(ch)) if kind == Some(Kind::Search) => {
                self.searched(focus, ch.encode_utf8(&mut [0; 4]), cx);
            }
            Command::Edit(edit) => {
                if matches!(edit, Edit::Insert(_)) && self.common().editor.is_full() {
                    cx.say(FULL);
                    return;
                }
                self.common_mut().editor.edit(edit);
                // The cursor may now be on another line of the value.
                self.common_mut().follow = true;
                commit(self, &focus, cx);
            }
            Command::Restore => {
                if let Some(text) = self.default_text(&focus, cx.view()) {
                    self.common_mut().editor.replace(&text);
                    self.common_mut().follow = true;
                    commit(self, &focus, cx);
                }
            }
            Command::Fix => self.fix(focus, cx),
            Command::Save => self.save(cx),
            Command::Reveal => self.reveal(cx),
            Command::Letter(letter) => by_key(self, Shortcut::Letter(letter), cx),
            Command::Delete => by_key(self, Shortcut::Del, cx),
            Command::Escape => {
                let typed = matches!(kind, Some(Kind::Text | Kind::Paste | Kind::Search));
                let button = items
                    .into_iter()
                    .find(|entry| entry.kind == Kind::Button && !entry.beside);
                match button.filter(|_| typed) {
                    Some(button) => {
                        set_focus(self, button.item, cx);
                        self.moved(cx);
                    }
                    None => by_key(self, Shortcut::Esc, cx),
                }
            }
            // The root scrolls, because it knows how much of the body fits.
            Command::LineDown
            | Command::LineUp
            | Command::PageDown
            | Command::PageUp
            | Command::Leave
            | Command::WholeMessage
            | Command::Redraw
            | Command::Suspend => {}
        }
    }

    fn paste(&mut self, text: &str, cx: &mut UpdateContext<'_>) {
        if let Some(dialog) = &mut self.common_mut().dialog {
            if !dialog.paste(text) {
                cx.say(TOO_LONG);
            }
            return;
        }
        let focus = self.common().focus.clone();
        let items = Screen::items(self, cx.view());
        let kind = items.iter().find(|entry| entry.item == focus);
        let kind = kind.map(|entry| entry.kind);
        if kind == Some(Kind::Search) {
            let text = clean(&without_escapes(text), SEARCH_LIMIT);
            if !text.trim().is_empty() {
                self.searched(focus, text.trim(), cx);
            }
            return;
        }
        if !matches!(kind, Some(Kind::Text | Kind::Paste)) {
            let Some(target) = self.paste_target(cx.view()) else {
                cx.say("Nothing pasted: select a text field first.");
                return;
            };
            set_focus(self, target, cx);
        }
        let focus = self.common().focus.clone();
        let over = self.is_replaced_by_paste(&focus);
        let (text, note) = self.cleaned(&focus, text, cx.view());
        let editor = &mut self.common_mut().editor;
        let pasted = if over {
            editor.paste_over(text.expose_secret())
        } else {
            editor.paste(text.expose_secret())
        };
        if pasted {
            commit(self, &focus, cx);
            if let Some(note) = note {
                cx.say(note);
            }
        } else {
            cx.say(TOO_LONG);
        }
    }

    fn save_all(&mut self, cx: &mut UpdateContext<'_>) {
        Screen::save_all(self, cx);
    }

    fn not_saved(
        &mut self,
        content: Content,
        path: SecretString,
        reason: &str,
        cx: &mut UpdateContext<'_>,
    ) {
        if self.common().dialog.is_none() {
            Screen::not_saved(self, content, path, cx);
            // In a small window, the dialog covers the message.
            if let Some(dialog) = &mut self.common_mut().dialog {
                dialog.lead_with(reason);
            }
        }
    }

    fn settle(&mut self, cx: &mut UpdateContext<'_>) {
        let items = shown(self, cx.view());
        let common = self.common();
        let there = items.iter().position(|entry| entry.item == common.focus);
        let Some(place) = there else {
            let place = common.place.min(items.len().saturating_sub(1));
            if let Some(entry) = items.into_iter().nth(place) {
                set_focus(self, entry.item, cx);
                self.common_mut().place = place;
            }
            return;
        };
        let typed = matches!(items[place].kind, Kind::Text | Kind::Paste);
        let text = self.text(&common.focus, cx.view());
        let stale = text.expose_secret() != common.committed.expose_secret();
        self.common_mut().place = place;
        if typed && stale {
            let focus = self.common().focus.clone();
            load(self, focus, cx.view());
        }
    }

    fn on_event(&mut self, event: &SessionEvent, cx: &mut UpdateContext<'_>) {
        Screen::on_event(self, event, cx);
    }

    fn resized(&mut self, cx: &mut UpdateContext<'_>) {
        let common = self.common_mut();
        common.follow = true;
        let wanted = common.hidden.take().unwrap_or(common.focus.clone());
        Screen::resized(self, cx);
        let is_shown = shown(self, cx.view())
            .iter()
            .any(|entry| entry.item == wanted);
        if !is_shown {
            AnyScreen::settle(self, cx);
            self.common_mut().hidden = Some(wanted);
        } else if self.common().focus != wanted {
            set_focus(self, wanted, cx);
        }
    }

    fn entered(&mut self, route: Route, cx: &mut UpdateContext<'_>) {
        Screen::entered(self, route, cx);
    }

    fn fits_beside(&self, area: Rect, cx: ViewContext<'_>) -> bool {
        Screen::fits_beside(self, area, cx)
    }

    fn tick(&self, cx: ViewContext<'_>) -> Option<Duration> {
        Screen::tick(self, cx)
    }

    fn urls(&self, cx: ViewContext<'_>) -> Vec<Url> {
        Screen::urls(self, cx)
    }
}

/// Calls `act` with the content of the screen's dialogs.
fn with_source<S: Screen, T>(
    screen: &S,
    cx: ViewContext<'_>,
    act: impl FnOnce(&dialog::Source<'_, S::DialogId>) -> T,
) -> T {
    act(&dialog::Source {
        list: &|id, filter| screen.list(id, filter, cx),
        reading: &|id, columns| screen.reading(id, columns, cx),
        caption: &|picture, size| screen.caption(picture, size, cx),
    })
}

/// Returns the items, each with its place.
fn placed<S: Screen>(screen: &S, cx: ViewContext<'_>) -> Vec<(Entry<S::Item>, Place)> {
    let entries = Screen::items(screen, cx);
    let focus = &screen.common().focus;
    let focus = entries.iter().position(|entry| entry.item == *focus);
    let places = places(&entries, focus, cx.console.size, !cx.theme().utf8);
    let placed = entries.into_iter().zip(places);
    placed
        .filter(|(_, place)| *place != Place::Nowhere)
        .collect()
}

/// Returns the items that can have the focus.
fn shown<S: Screen>(screen: &S, cx: ViewContext<'_>) -> Vec<Entry<S::Item>> {
    let placed = placed(screen, cx).into_iter();
    let shown = placed.filter(|(_, place)| *place != Place::More);
    shown.map(|(entry, _)| entry).collect()
}

fn activate<S: Screen>(screen: &mut S, item: S::Item, cx: &mut UpdateContext<'_>) {
    if S::more().as_ref() == Some(&item) {
        cx.more();
    } else {
        screen.activate(item, cx);
    }
}

/// Activates the item with this key.
fn by_key<S: Screen>(screen: &mut S, key: Shortcut, cx: &mut UpdateContext<'_>) {
    let found = placed(screen, cx.view()).into_iter();
    let found = found
        .map(|(entry, _)| entry)
        .find(|entry| entry.shortcut == key && !entry.off);
    match (found, key) {
        (Some(entry), _) => press(screen, entry.item, cx),
        (None, Shortcut::Letter(letter)) if letter.is_alphabetic() && !letter.is_ascii() => {
            cx.say(format!(
                "No button has the letter {letter}. Change the keyboard layout, or use Tab and Enter."
            ));
        }
        (None, _) => {}
    }
}

fn press<S: Screen>(screen: &mut S, item: S::Item, cx: &mut UpdateContext<'_>) {
    activate(screen, item.clone(), cx);
    // An item that opens another screen has the focus after the return.
    if matches!(cx.out.navigation, Some(Navigation::Open(_))) {
        let common = screen.common_mut();
        common.focus = item;
        common.hidden = None;
    }
}

/// Passes the editor's text to the screen.
fn commit<S: Screen>(screen: &mut S, item: &S::Item, cx: &mut UpdateContext<'_>) {
    let text = SecretString::from(screen.common().editor.text());
    screen.edited(item.clone(), text.expose_secret(), cx);
    let stored = screen.text(item, cx.view());
    screen.common_mut().committed = stored;
}
