//! A list to choose from, or to select and clear entries in, with or without a filter line.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::entries::List;
use super::page_list;
use crate::tui::widgets::boxed::{dialog_box, places};
use crate::tui::widgets::draw::put_in;
use crate::tui::widgets::editor::Editor;
use crate::tui::widgets::text::{fit, shorten, width, window, wrap};
use crate::tui::widgets::theme::Theme;

/// The label of the filter line.
const FIND: &str = "Find ";
/// Columns before an entry, with room for the marker.
const INDENT: usize = 2;
/// Minimum height of a window that shows anything below the entries.
const SMALL: u16 = 12;

/// The layout of a list in a window.
struct Parts {
    /// Lines below the entries: the full text of the selected entry if its row cuts it, and the note.
    below: Vec<String>,
    lines: u16,
}

impl Parts {
    fn of(list: &List, filter: bool, selected: usize, theme: Theme, area: Rect) -> Self {
        let (_, inner) = places(area, u16::MAX - 2);
        let columns = usize::from(inner.width);
        let names = name_columns(list, columns);
        let mut below = Vec::new();
        if area.height >= SMALL {
            if let Some(entry) = list.entries.get(selected) {
                let about = columns.saturating_sub(INDENT + names + 2);
                if !entry.whole.is_empty() {
                    below.extend(fit(
                        wrap(&entry.whole, columns),
                        2,
                        columns,
                        theme.ellipsis(),
                    ));
                } else if width(&entry.name) > names || width(&entry.about) > about {
                    let text = format!("{}: {}", entry.name, entry.about);
                    below.extend(fit(wrap(&text, columns), 2, columns, theme.ellipsis()));
                }
            }
            if !list.note.is_empty() {
                below.extend(wrap(&list.note, columns));
            }
        }
        let head = if filter { 2 } else { 0 };
        let entries = list.entries.len().max(1);
        let gap = usize::from(!below.is_empty());
        let lines = u16::try_from(head + entries + gap + below.len()).unwrap_or(u16::MAX - 2);
        Self { below, lines }
    }

    /// Returns the area of the entries.
    fn entries(&self, filter: bool, inside: Rect) -> Rect {
        let head = match (filter, inside.height > 6) {
            (true, true) => 2,
            (true, false) => 1,
            (false, _) => 0,
        };
        let below = u16::try_from(self.below.len()).unwrap_or(0);
        let below = if below > 0 { below + 1 } else { 0 };
        Rect {
            y: inside.y + head,
            height: inside.height.saturating_sub(head + below),
            ..inside
        }
    }
}

/// Returns the width of the names: as wide as the longest, up to a limit that leaves room for the rest.
fn name_columns(list: &List, columns: usize) -> usize {
    let names = list.entries.iter().map(|entry| width(&entry.name));
    let longest = names.max().unwrap_or(0);
    let without = list.entries.iter().all(|entry| entry.about.is_empty());
    let most = if without { columns } else { columns * 3 / 5 };
    longest.min(most.saturating_sub(INDENT))
}

/// Returns how many entries are visible at once.
pub(super) fn height(
    list: &List,
    filter: bool,
    selected: usize,
    theme: Theme,
    area: Rect,
) -> usize {
    if list.page {
        return page_list::height(area);
    }
    let parts = Parts::of(list, filter, selected, theme, area);
    let (_, inside) = places(area, parts.lines);
    parts.entries(filter, inside).height.into()
}

/// Draws a list, and returns the cursor position: in the filter line, or else on the selected entry.
pub(super) fn draw(
    list: &List,
    filter: Option<&Editor>,
    selected: usize,
    theme: Theme,
    frame: &mut Frame<'_>,
    area: Rect,
) -> Option<Position> {
    if list.page {
        return Some(page_list::draw(list, filter, selected, theme, frame));
    }
    let parts = Parts::of(list, filter.is_some(), selected, theme, area);
    let inside = dialog_box(theme, frame, &list.head, parts.lines);
    let columns = usize::from(inside.width);
    let row = |y: u16| Rect {
        y,
        height: 1,
        ..inside
    };
    let mut typing = None;
    if let Some(filter) = filter {
        let room = columns - width(FIND);
        let (shown, column) = window(
            filter.text(),
            filter.cursor_column(),
            room,
            theme.ellipsis(),
        );
        let x = inside.x + u16::try_from(width(FIND) + column).unwrap_or(0);
        typing = Some(Position::new(x, inside.y));
        let line = Line::from(vec![Span::styled(FIND, theme.strong()), Span::raw(shown)]);
        put_in(theme, frame, row(inside.y), line);
    }
    let at = parts.entries(filter.is_some(), inside);
    let mut cursor = None;
    if list.entries.is_empty() {
        let words = fit(
            wrap(&list.none, columns),
            at.height.into(),
            columns,
            theme.ellipsis(),
        );
        for (y, line) in (at.y..at.bottom()).zip(words) {
            put_in(theme, frame, row(y), Line::from(line));
        }
    }
    let rows = usize::from(at.height);
    let first = (selected + 1).saturating_sub(rows);
    let names = name_columns(list, columns);
    for (y, (at, entry)) in (at.y..at.bottom()).zip(list.entries.iter().enumerate().skip(first)) {
        let focused = at == selected;
        let style = match (focused, entry.off) {
            (true, _) => theme.focus(),
            (false, true) => theme.dim(),
            (false, false) => Style::new(),
        };
        let name = shorten(&entry.name, names, theme.ellipsis());
        let gap = names - width(&name) + 2;
        let marker = if focused { theme.marker() } else { " " };
        let spans = vec![
            Span::raw(format!("{marker} ")),
            Span::styled(name, style),
            Span::raw(" ".repeat(gap)),
            Span::styled(entry.about.clone(), theme.dim()),
        ];
        put_in(theme, frame, row(y), Line::from(spans));
        if focused {
            cursor = Some(Position::new(inside.x + 2, y));
        }
    }
    for (y, line) in (at.bottom() + 1..inside.bottom()).zip(parts.below) {
        put_in(theme, frame, row(y), Line::from(line));
    }
    typing.or(cursor)
}
