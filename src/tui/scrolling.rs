//! Scrolls the body of the screen on top.

use super::keys::Command;
use super::model::Model;
use super::page::Page;

/// Keeps the body from scrolling beyond its end, and scrolls to the focus if it moved. Called after every message.
pub(super) fn scroll_into_sight(model: &mut Model) {
    let follow = model.screens.top_mut().take_follow();
    model.scrolled &= !follow;
    if !model.has_dialog() || follow {
        let page = Page::of(model);
        // Unless the user has scrolled away from the focus.
        let first = if model.scrolled {
            page.first
        } else {
            page.with_focus()
        };
        model.screens.top_mut().scroll_to(first);
    }
}

/// Scrolls the body by a page or a line, up to its start or end.
pub(super) fn scroll(model: &mut Model, command: Command) {
    let page = Page::of(model);
    let height = page.height();
    let first = match command {
        Command::LineDown => page.first + 1,
        Command::LineUp => page.first.saturating_sub(1),
        // Keep one line of the previous page visible.
        Command::PageDown => page.first + height.saturating_sub(1).max(1),
        _ => page.first.saturating_sub(height.saturating_sub(1).max(1)),
    };
    let first = first.min(page.last_first());
    model.scrolled = true;
    model.screens.top_mut().scroll_to(first);
}
