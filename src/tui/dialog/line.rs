//! A line to be typed, such as a path or a name.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;

use crate::tui::widgets::draw::{inside_dialog, put};
use crate::tui::widgets::editor::Editor;
use crate::tui::widgets::text::{fit, window, wrap};
use crate::tui::widgets::theme::Theme;

/// Draws it; what is typed last stays in sight.
pub(super) fn draw(
    lead: &str,
    note: &str,
    path: &Editor,
    theme: Theme,
    frame: &mut Frame<'_>,
    area: Rect,
) -> Position {
    let inside = inside_dialog(frame, area);
    let columns = usize::from(area.width.saturating_sub(6));
    let text = wrap(lead, columns);
    // The path comes below an empty row; a small window has none above.
    let height = usize::from(inside.height);
    let top = inside.y + u16::from(text.len() + 3 <= height);
    let room = height
        .saturating_sub(usize::from(top - inside.y) + 2)
        .max(1);
    let text = fit(text, room, columns, theme.ellipsis());
    let line = top + 1 + u16::try_from(text.len()).unwrap_or(1);
    for (y, words) in (top..inside.bottom()).zip(text) {
        put(theme, frame, 3, y, Line::from(words));
    }
    let (shown, column) = window(path.text(), path.cursor_column(), columns, theme.ellipsis());
    put(theme, frame, 3, line, Line::from(shown));
    for (y, words) in (line + 2..inside.bottom()).zip(wrap(note, columns)) {
        put(theme, frame, 3, y, Line::styled(words, theme.dim()));
    }
    Position::new(3 + u16::try_from(column).unwrap_or(0), line)
}
