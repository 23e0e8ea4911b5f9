//! A full-screen list: a search line, rows in three columns, and a description of the selected entry.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::Clear;

use super::entries::List;
use super::head;
use crate::tui::widgets::draw::put;
use crate::tui::widgets::editor::Editor;
use crate::tui::widgets::grid::{self, LABEL, LOW, NARROW};
use crate::tui::widgets::said::Said;
use crate::tui::widgets::text::{shorten, window, wrap};
use crate::tui::widgets::theme::Theme;

/// The columns at which the second and the third column of the list begin.
const COLUMNS: (usize, usize) = (34, 58);
/// Rows for the message about the selected entry.
const SAID: u16 = 4;

/// Returns the number of rows above the entries, and below them.
fn around(area: Rect) -> (u16, u16) {
    if area.height < LOW {
        (2, 2)
    } else {
        // Above: the title, the rule, the search line and an empty row. Below: an empty row, the message, the rule and
        // the keys.
        (4, SAID + 3)
    }
}

/// Returns how many entries are visible at once.
pub(super) fn height(area: Rect) -> usize {
    let (above, below) = around(area);
    area.height.saturating_sub(above + below).max(1).into()
}

/// Draws the list over everything except the keys, and returns the cursor position.
pub(super) fn draw(
    list: &List,
    filter: Option<&Editor>,
    selected: usize,
    theme: Theme,
    frame: &mut Frame<'_>,
) -> Position {
    let area = frame.area();
    let low = area.height < LOW;
    let whole = Rect {
        height: area.height - if low { 1 } else { 2 },
        ..area
    };
    frame.render_widget(Clear, whole);
    let rows = height(area);
    let first = (selected + 1).saturating_sub(rows);
    let place = head::place(theme, first, rows, list.entries.len());
    head::draw(theme, frame, &list.head, "", &place);
    let cursor = find(filter, theme, frame);
    let (above, _) = around(area);
    let entries = list.entries.iter().enumerate().skip(first).take(rows);
    for (y, (at, _)) in (above..).zip(entries) {
        entry(list, at, at == selected, theme, frame, y);
    }
    let said = list.entries.get(selected).map_or(&[][..], |it| &it.said);
    if low {
        let text = said.first().map_or("", |said| said.text.as_str());
        let text = shorten(text, usize::from(area.width) - 2, theme.ellipsis());
        put(theme, frame, 1, area.height - 2, Line::from(text));
    } else {
        let shown = list.entries.len().saturating_sub(first).min(rows);
        message(said, above + small(shown), theme, frame);
    }
    cursor
}

/// Draws the search line, and returns the cursor position.
fn find(filter: Option<&Editor>, theme: Theme, frame: &mut Frame<'_>) -> Position {
    let area = frame.area();
    let low = area.height < LOW;
    let (y, label, value) = if low {
        (1, 1, 6)
    } else {
        (2, LABEL, grid::value(area.width.into()))
    };
    let room = usize::from(area.width).saturating_sub(value);
    let (shown, column) = match filter {
        Some(filter) => {
            let (text, cursor) = (filter.text(), filter.cursor_column());
            window(text, cursor, room, theme.ellipsis())
        }
        None => (String::new(), 0),
    };
    put(
        theme,
        frame,
        small(label),
        y,
        Line::styled("Find", theme.strong()),
    );
    put(theme, frame, small(value), y, Line::from(shown));
    Position::new(small(value + column), y)
}

fn entry(list: &List, at: usize, focused: bool, theme: Theme, frame: &mut Frame<'_>, y: u16) {
    let columns = usize::from(frame.area().width);
    let Some(entry) = list.entries.get(at) else {
        return;
    };
    let narrow = columns < usize::from(NARROW);
    let (about, state) = COLUMNS;
    let room = if narrow {
        columns - LABEL - 1
    } else {
        about - LABEL - 1
    };
    let name = shorten(&entry.name, room, theme.ellipsis());
    let style = match (focused, entry.off) {
        (true, _) => theme.focus(),
        (false, true) => theme.dim(),
        (false, false) => Style::new(),
    };
    let marker = if focused { theme.marker() } else { " " };
    put(theme, frame, 1, y, Line::from(marker));
    put(theme, frame, small(LABEL), y, Line::styled(name, style));
    if narrow {
        return;
    }
    let cut = shorten(&entry.about, state - about - 1, theme.ellipsis());
    put(
        theme,
        frame,
        small(about),
        y,
        Line::styled(cut, theme.dim()),
    );
    let cut = shorten(
        &entry.state,
        columns.saturating_sub(state + 1),
        theme.ellipsis(),
    );
    put(theme, frame, small(state), y, Line::from(cut));
}

/// Draws the message about the selected entry above the keys, but not above row `free`.
fn message(said: &[Said], free: u16, theme: Theme, frame: &mut Frame<'_>) {
    let area = frame.area();
    let columns = usize::from(area.width);
    let (value, room) = (grid::value(columns), grid::room(columns));
    let lines: Vec<(Option<&Said>, String)> = said
        .iter()
        .flat_map(|said| {
            let lines = wrap(&said.text, room).into_iter().enumerate();
            lines.map(move |(at, line)| ((at == 0).then_some(said), line))
        })
        .take(area.height.saturating_sub(free + 4).into())
        .collect();
    let bottom = area.height - 3;
    let top = bottom - small(lines.len());
    for (y, (said, line)) in (top..bottom).zip(lines) {
        if let Some(said) = said {
            let label = shorten(&said.label, value - LABEL - 1, theme.ellipsis());
            let label = Line::styled(label, theme.tone(said.tone));
            put(theme, frame, small(LABEL), y, label);
        }
        put(theme, frame, small(value), y, Line::from(line));
    }
}

fn small(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}
