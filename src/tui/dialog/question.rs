//! A question with up to three buttons; the first one changes nothing.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;

use crate::tui::widgets::draw::{button, inside_dialog, put};
use crate::tui::widgets::text::{fit, wrap};
use crate::tui::widgets::theme::Theme;

/// Where the buttons of a question stand: an empty line below its text.
fn inside_height(lines: usize) -> u16 {
    u16::try_from(lines).unwrap_or(1) + 2
}

/// Draws the question and its buttons.
pub(super) fn draw(
    text: &str,
    buttons: &[&str],
    selected: usize,
    theme: Theme,
    frame: &mut Frame<'_>,
    area: Rect,
) -> Option<Position> {
    let columns = usize::from(area.width.saturating_sub(6));
    let lines: Vec<String> = text.lines().flat_map(|line| wrap(line, columns)).collect();
    let below = inside_height(lines.len());
    let inside = inside_dialog(frame, area);
    let y = (inside.y + below).min(inside.bottom().saturating_sub(1));
    // The buttons stay, even where the text has no room.
    let rows = usize::from(y.saturating_sub(inside.y + 1));
    let lines = fit(lines, rows, columns, theme.ellipsis());
    for (y, line) in (inside.y + 1..y).zip(lines) {
        put(theme, frame, 3, y, Line::from(line));
    }
    let mut x = 3;
    let mut cursor = None;
    for (at, label) in buttons.iter().enumerate() {
        let (next, at) = button(theme, frame, (x, y), label, at == selected);
        cursor = at.or(cursor);
        x = next;
    }
    cursor
}
