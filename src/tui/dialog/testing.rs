//! Draws a dialog alone, for the tests beside it.

use ratatui::backend::TestBackend;
use ratatui::layout::Rect;
use ratatui::{Frame, Terminal};

use crate::console::environment::Environment;
use crate::tui::widgets::theme::Theme;

/// Smallest supported window.
pub(super) const SMALLEST: Rect = Rect::new(0, 0, 40, 10);

/// Returns the theme of the tests.
pub(super) fn theme() -> Theme {
    Theme::new(&Environment::default())
}

/// Returns the rows of the smallest window after `draw`, without blanks at their ends, and the result of `draw`.
pub(super) fn drawn<T>(draw: impl FnOnce(&mut Frame<'_>) -> T) -> Option<(Vec<String>, T)> {
    let (columns, rows) = (SMALLEST.width, SMALLEST.height);
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).ok()?;
    let mut result = None;
    let completed = terminal.draw(|frame| result = Some(draw(frame))).ok()?;
    let row = |cells: &[ratatui::buffer::Cell]| -> String {
        let cells: String = cells.iter().map(ratatui::buffer::Cell::symbol).collect();
        cells.trim_end().to_owned()
    };
    let rows = completed.buffer.content.chunks(columns.into()).map(row);
    Some((rows.collect(), result?))
}
