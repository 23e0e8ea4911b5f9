//! The layout of the sign-in's rows: numbered steps, values to copy, and what is left out in small windows.

use ratatui::text::{Line, Span};

use crate::tui::screen::ViewContext;
use crate::tui::widgets::draw::Row;
use crate::tui::widgets::grid::{LOW, NARROW, WIDE};
use crate::tui::widgets::rows::{Parts, row};
use crate::tui::widgets::text::{shorten, width};
use crate::tui::widgets::theme::Theme;

/// Returns whether the window is so narrow that every column counts.
pub(super) fn is_narrow(cx: ViewContext<'_>) -> bool {
    cx.console.size.0 < NARROW
}

/// Returns whether the window is so low that every row counts.
pub(super) fn is_low(cx: ViewContext<'_>) -> bool {
    cx.console.size.1 < LOW
}

/// Returns whether the window is both narrow and low.
pub(super) fn is_small(cx: ViewContext<'_>) -> bool {
    is_narrow(cx) && is_low(cx)
}

/// Returns whether the sign-in has half of a wide page.
pub(super) fn is_wide(cx: ViewContext<'_>) -> bool {
    cx.console.size.0 >= WIDE && !is_low(cx)
}

/// Builds the rows with as much detail as fits. `build` gets the level of what to leave out, from nothing to everything
/// but the essentials. Before the next level is tried, empty rows are removed, from the top.
pub(super) fn fitted<L: Copy>(
    height: usize,
    levels: &[L],
    build: impl Fn(L) -> Vec<Row>,
) -> Vec<Row> {
    let mut rows = Vec::new();
    for level in levels {
        rows = build(*level);
        let mut excess = rows.len().saturating_sub(height);
        rows.retain(|row| {
            let goes = excess > 0 && row.line.spans.is_empty();
            excess -= usize::from(goes);
            !goes
        });
        if excess == 0 {
            break;
        }
    }
    rows
}

/// Returns the row of a step. Its number stands out, because the user looks for it.
pub(super) fn step(theme: Theme, parts: Parts, columns: usize) -> Row {
    let parts = Parts {
        label_style: Some(theme.strong()),
        ..parts
    };
    row(theme, parts, columns)
}

/// Returns the row of a step in a narrow window: its number, its text, and a key at the end.
pub(super) fn narrow_step(
    theme: Theme,
    number: &str,
    text: &Span<'static>,
    letter: Option<char>,
    columns: usize,
) -> Row {
    let key = letter
        .map(|letter| format!("[{letter}]"))
        .unwrap_or_default();
    let right = if key.is_empty() { 0 } else { width(&key) + 1 };
    let room = columns.saturating_sub(4 + right);
    let shown = shorten(&text.content, room, theme.ellipsis());
    let gap = room.saturating_sub(width(&shown)) + usize::from(right > 0);
    Row::line(Line::from(vec![
        Span::styled(format!(" {number:<2}"), theme.strong()),
        Span::styled(shown, text.style),
        Span::raw(" ".repeat(gap)),
        Span::raw(key),
    ]))
}

/// Returns a row without a number in a narrow window.
pub(super) fn narrow_text(text: impl Into<Span<'static>>) -> Row {
    Row::line(Line::from(vec![Span::raw("   "), text.into()]))
}
