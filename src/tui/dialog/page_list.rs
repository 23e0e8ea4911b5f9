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
use crate::tui::widgets::text::{fit, shorten, window, wrap};
use crate::tui::widgets::theme::Theme;

/// The columns at which the second and the third column of the list begin.
const COLUMNS: (usize, usize) = (34, 58);
/// Rows for the message about the selected entry.
const SAID: u16 = 4;
/// The same in a low window.
const LOW_SAID: u16 = 3;

/// Returns the number of rows above the entries, and below them.
fn around(area: Rect) -> (u16, u16) {
    if area.height < LOW {
        // Above: the title and the search line. Below: the message and the keys.
        (2, LOW_SAID + 1)
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
    let shown = list.entries.len().saturating_sub(first).min(rows);
    let free = above + small(shown);
    if low {
        low_message(said, free, theme, frame);
    } else {
        message(said, free, theme, frame);
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
    // The last column stays empty.
    let room = usize::from(area.width).saturating_sub(value + 1);
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
    let end = if entry.state.is_empty() {
        columns
    } else {
        state
    };
    let cut = shorten(&entry.about, end - about - 1, theme.ellipsis());
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

/// Draws the message in a low window, in the rows from `free` to the keys.
fn low_message(said: &[Said], free: u16, theme: Theme, frame: &mut Frame<'_>) {
    let area = frame.area();
    let columns = usize::from(area.width) - 2;
    // The first text needs no label.
    let text = |(at, said): (usize, &Said)| match at {
        0 => said.text.clone(),
        _ => format!("{}: {}", said.label, said.text),
    };
    let texts = said.iter().enumerate().map(text);
    let lines = texts.flat_map(|text| wrap(&text, columns)).collect();
    let bottom = area.height - 1;
    let room = usize::from(bottom.saturating_sub(free));
    let lines = fit(lines, room, columns, theme.ellipsis());
    for (y, line) in (bottom - small(lines.len())..).zip(lines) {
        put(theme, frame, 1, y, Line::from(line));
    }
}

fn small(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::super::entries::ListEntry;
    use super::super::testing;
    use super::*;

    /// Draws a list with so many entries in the smallest window, and returns its rows and the cursor position.
    fn drawn(count: usize, said: &[Said], typed: &str) -> (Vec<String>, Position) {
        let entry = |at: usize| ListEntry {
            key: at.to_string(),
            name: format!("entry {at}"),
            said: said.to_vec(),
            ..ListEntry::default()
        };
        let list = List {
            entries: (0..count).map(entry).collect(),
            page: true,
            ..List::default()
        };
        let editor = Editor::new(typed);
        let drawn = testing::drawn(|frame| draw(&list, Some(&editor), 0, testing::theme(), frame));
        let (rows, cursor) = drawn.unwrap();
        let rows = rows.iter().map(|row| row.trim().to_owned());
        (rows.collect(), cursor)
    }

    #[test]
    fn small_window_shows_the_message_in_free_rows() {
        let text = "No preset covers alice@mail.example.org. Type the name of the service that hosts its mail, or press \
            Enter to use Custom settings.";
        let said = [
            Said::new("No match", text),
            Said::new("Nearest", "mail: Demo"),
        ];
        let (rows, _) = drawn(1, &said, "");
        assert_eq!(
            rows[3..9].join(" ").trim(),
            format!("{text} Nearest: mail: Demo")
        );
        // With many entries, the message keeps rows of its own.
        let (rows, _) = drawn(60, &said, "");
        assert!(rows[5].contains("entry 3"), "{rows:?}");
        assert!(rows[6].starts_with("No preset covers"), "{rows:?}");
        assert!(rows[8].ends_with("..."), "{rows:?}");
    }

    #[test]
    fn cursor_is_never_in_the_last_column() {
        for length in 0..60 {
            let (_, cursor) = drawn(1, &[], &"x".repeat(length));
            assert!(cursor.x < 39, "{length}: {cursor}");
        }
    }
}
