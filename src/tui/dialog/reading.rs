//! A full-screen text that scrolls.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;
use ratatui::widgets::Clear;

use super::head;
use crate::tui::widgets::draw::put_in;
use crate::tui::widgets::grid::{LABEL, LOW, NARROW};
use crate::tui::widgets::theme::Theme;

/// A text to read.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// The title.
    pub title: String,
    /// The text.
    pub lines: Vec<Line<'static>>,
}

/// Returns the area of the text in a window.
fn inside(area: Rect) -> Rect {
    let left = if area.width < NARROW {
        2
    } else {
        u16::try_from(LABEL).unwrap_or(0)
    };
    // Above: the title and the rule. Below: an empty row, the rule and the keys.
    let (above, below) = if area.height < LOW { (1, 1) } else { (2, 3) };
    Rect {
        x: left,
        y: above,
        width: area.width.saturating_sub(left + 1),
        height: area.height.saturating_sub(above + below).max(1),
    }
}

/// Returns the width of the text, in columns.
pub(super) fn columns(area: Rect) -> usize {
    inside(area).width.into()
}

/// Returns how many lines are visible at once, and the first visible line when the text is scrolled to its end.
pub(super) fn height(lines: usize, area: Rect) -> (usize, usize) {
    let height = usize::from(inside(area).height);
    (height, lines.saturating_sub(height))
}

/// Draws the text starting at line `scroll`, over everything except the keys, and returns the cursor position.
pub(super) fn draw(
    reading: Reading,
    scroll: usize,
    theme: Theme,
    frame: &mut Frame<'_>,
    area: Rect,
) -> Position {
    let low = area.height < LOW;
    let whole = Rect {
        height: area.height.saturating_sub(if low { 1 } else { 2 }),
        ..area
    };
    frame.render_widget(Clear, whole);
    let count = reading.lines.len();
    let (height, last) = height(count, area);
    let first = scroll.min(last);
    let place = head::place(theme, first, height, count);
    head::draw(theme, frame, &reading.title, "lines ", &place);
    let inside = inside(area);
    let lines = reading.lines.into_iter().skip(first).take(height);
    for (y, line) in (inside.y..inside.bottom()).zip(lines) {
        let row = Rect {
            y,
            height: 1,
            ..inside
        };
        put_in(theme, frame, row, line);
    }
    Position::new(inside.x, inside.y)
}
