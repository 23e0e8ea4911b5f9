//! A list to choose from, or to select and clear entries in, with or without a filter line.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::entries::{List, ListEntry};
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
/// A window lower than this shows the note only in free rows, and no empty row.
const SMALL: u16 = 12;

/// The layout of a list in a window.
struct Parts {
    /// Lines below the entries: the full text of the selected entry, if its row doesn't show it, and the note.
    below: Vec<String>,
    /// Empty rows above them.
    gap: u16,
    lines: u16,
}

impl Parts {
    fn of(list: &List, filter: bool, selected: usize, theme: Theme, area: Rect) -> Self {
        let (_, inner) = places(area, u16::MAX - 2);
        let (columns, height) = (usize::from(inner.width), usize::from(inner.height));
        let small = area.height < SMALL;
        let head = if filter { 2 } else { 0 };
        let rows = head + list.entries.len().max(1);
        let selected = list.entries.get(selected);
        let text = selected.and_then(|entry| full_text(list, entry, columns));
        // Half of the window stays for the entries.
        let mut below = text.map_or_else(Vec::new, |text| {
            fit(wrap(&text, columns), height / 2, columns, theme.ellipsis())
        });
        if !list.note.is_empty() {
            let note = wrap(&list.note, columns);
            let free = height.saturating_sub(rows + below.len());
            let room = if small { free } else { note.len() };
            below.extend(fit(note, room, columns, theme.ellipsis()));
        }
        let roomy = !small || rows + below.len() < height;
        let gap = u16::from(roomy && !below.is_empty());
        let lines = u16::try_from(rows + below.len()).unwrap_or(u16::MAX - 3) + gap;
        Self { below, gap, lines }
    }

    /// Returns the area of the entries.
    fn entries(&self, filter: bool, inside: Rect) -> Rect {
        let head = match (filter, inside.height > 6) {
            (true, true) => 2,
            (true, false) => 1,
            (false, _) => 0,
        };
        let below = u16::try_from(self.below.len()).unwrap_or(0) + self.gap;
        Rect {
            y: inside.y + head,
            height: inside.height.saturating_sub(head + below),
            ..inside
        }
    }
}

/// Returns the text of an entry that its row doesn't show in full.
fn full_text(list: &List, entry: &ListEntry, columns: usize) -> Option<String> {
    let names = name_columns(list, columns);
    let about = columns.saturating_sub(INDENT + names + 2);
    let cut = width(&entry.name) > names || width(&entry.about) > about;
    match entry.whole.as_str() {
        "" => cut.then(|| format!("{}: {}", entry.name, entry.about)),
        whole => Some(whole.to_owned()),
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
    for (y, line) in (at.bottom() + parts.gap..inside.bottom()).zip(parts.below) {
        put_in(theme, frame, row(y), Line::from(line));
    }
    typing.or(cursor)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::super::testing;
    use super::*;

    /// Draws a list in the smallest window, and returns its rows.
    fn drawn(list: &List, selected: usize) -> Vec<String> {
        let draw = |frame: &mut Frame<'_>| {
            draw(
                list,
                None,
                selected,
                testing::theme(),
                frame,
                testing::SMALLEST,
            );
        };
        testing::drawn(draw).unwrap().0
    }

    fn entry(name: &str, about: &str) -> ListEntry {
        ListEntry {
            name: name.to_owned(),
            about: about.to_owned(),
            ..ListEntry::default()
        }
    }

    #[test]
    fn small_window_shows_selected_entry_text_below_the_list() {
        let reason = "No revocation endpoint is known for this service. To revoke access by hand, remove the app at \
            https://apps.example.org";
        let mut entries: Vec<ListEntry> = (0..7).map(|_| entry("Copy", "key: c")).collect();
        entries.push(entry("Revoke", reason));
        let list = List {
            entries,
            ..List::default()
        };
        let rows = drawn(&list, 7);
        assert!(rows[4].starts_with(" > Revoke"), "{rows:?}");
        let below: Vec<&str> = rows[5..9].iter().map(|row| row.trim()).collect();
        assert_eq!(below.join(" "), format!("Revoke: {reason}"));
        // An entry that its row shows in full leaves all rows to the list.
        assert!(drawn(&list, 0)[8].contains("Revoke"));
    }

    #[test]
    fn small_window_shows_the_note_in_free_rows() {
        let list = |entries: usize| List {
            entries: (0..entries).map(|_| entry("one", "")).collect(),
            note: "Type another in the field.".to_owned(),
            ..List::default()
        };
        let note = |entries| {
            let rows = drawn(&list(entries), 0);
            rows.iter().position(|row| row.contains("Type another"))
        };
        assert_eq!(note(3), Some(8));
        assert_eq!(note(7), Some(8));
        assert_eq!(note(8), None);
    }
}
