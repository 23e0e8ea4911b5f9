//! A text to be read, which scrolls.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;

use crate::tui::widgets::draw::{inside_dialog, put};
use crate::tui::widgets::text::width;
use crate::tui::widgets::theme::Theme;

/// Draws the part of the text from line `scroll` on.
pub(super) fn draw(
    lines: Vec<Line<'_>>,
    scroll: usize,
    theme: Theme,
    frame: &mut Frame<'_>,
    area: Rect,
) -> Position {
    let inside = inside_dialog(frame, area);
    let height = usize::from(inside.height);
    let last = lines.len().saturating_sub(height);
    let below = scroll < last;
    for (y, line) in (inside.y..inside.bottom()).zip(lines.into_iter().skip(scroll.min(last))) {
        put(theme, frame, 3, y, line);
    }
    if below {
        let words = "more below";
        let x = area
            .width
            .saturating_sub(u16::try_from(width(words)).unwrap_or(0) + 1);
        // In the rule below, as every row may have text.
        let line = Line::styled(format!(" {words}"), theme.dim());
        put(theme, frame, x.saturating_sub(1), inside.bottom(), line);
    }
    Position::new(3, inside.y)
}
