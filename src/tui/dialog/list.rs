//! A list to choose from or to tick, with or without a line to filter it.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::tui::widgets::draw::{inside_dialog, put};
use crate::tui::widgets::editor::Editor;
use crate::tui::widgets::text::{fit, shorten, width, window, wrap};
use crate::tui::widgets::theme::Theme;

/// Before the line that filters.
const FIND: &str = "Find: ";

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListEntry {
    /// What it is: a name that stays the same while the list is loaded again.
    pub key: String,
    /// On the left.
    pub name: String,
    /// On the right.
    pub about: String,
}

/// What a list dialog shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct List {
    /// Above it, where nothing filters it.
    pub head: String,
    /// In their order.
    pub entries: Vec<ListEntry>,
    /// What is said where there are none.
    pub none: String,
}

/// Draws a list. The cursor is on the marked entry, or where the filter is typed.
pub(super) fn draw(
    list: &List,
    filter: Option<&Editor>,
    selected: usize,
    theme: Theme,
    frame: &mut Frame<'_>,
    area: Rect,
) -> Option<Position> {
    let lines = &list.entries;
    let (head, typing) = match filter {
        Some(filter) => {
            let (shown, column) = window(
                filter.text(),
                filter.cursor_column(),
                usize::from(area.width.saturating_sub(4)) - width(FIND),
                theme.ellipsis(),
            );
            let typing = u16::try_from(3 + width(FIND) + column).unwrap_or(0);
            (format!("{FIND}{shown}"), Some(Position::new(typing, 2)))
        }
        None => (list.head.clone(), None),
    };
    let none = &list.none;
    let inside = inside_dialog(frame, area);
    let columns = usize::from(area.width);
    put(
        theme,
        frame,
        3,
        inside.y,
        Line::styled(head, theme.strong()),
    );
    // The marked entry stands below in full, where its row has no room for it.
    let full: Vec<String> =
        lines
            .get(selected)
            .map_or_else(Vec::new, |ListEntry { name, about, .. }| {
                let whole =
                    width(name) + width(about) + 7 <= columns && width(about) + 4 <= columns / 2;
                if whole || inside.height < 12 {
                    return Vec::new();
                }
                let words = wrap(&format!("{name}: {about}"), columns.saturating_sub(6));
                fit(words, 2, columns.saturating_sub(6), theme.ellipsis())
            });
    let below = if inside.height < 12 { 0 } else { 3 };
    let list_end = inside.bottom().saturating_sub(below);
    for (y, line) in (list_end + 1..inside.bottom()).zip(full) {
        put(theme, frame, 3, y, Line::styled(line, theme.dim()));
    }
    let rows = usize::from(list_end.saturating_sub(inside.y + 2));
    let first = (selected + 1).saturating_sub(rows);
    let mut cursor = None;
    if lines.is_empty() {
        let rows = usize::from(inside.height.saturating_sub(2));
        let room = columns.saturating_sub(6);
        let words = fit(wrap(none, room), rows, room, theme.ellipsis());
        for (y, line) in (inside.y + 2..inside.bottom()).zip(words) {
            put(theme, frame, 3, y, Line::from(line));
        }
    }
    for (y, (at, ListEntry { name, about, .. })) in
        (inside.y + 2..list_end).zip(lines.iter().enumerate().skip(first))
    {
        let focused = at == selected;
        let style = if focused { theme.focus() } else { Style::new() };
        let about_room = (columns / 2).saturating_sub(4);
        let about = shorten(about, about_room, theme.ellipsis());
        let name = shorten(
            name,
            columns.saturating_sub(width(&about) + 7),
            theme.ellipsis(),
        );
        let gap = columns.saturating_sub(4 + width(&name) + width(&about));
        let spans = vec![
            Span::raw(format!(" {} ", if focused { theme.marker() } else { " " })),
            Span::styled(name, style),
            Span::raw(" ".repeat(gap)),
            Span::styled(about, theme.dim()),
        ];
        put(theme, frame, 0, y, Line::from(spans));
        if focused {
            cursor = Some(Position::new(3, y));
        }
    }
    // The cursor is where the typing goes, unless there is an entry to take.
    cursor.or(typing)
}
