//! Rows that several screens have: a label with its value, a check, words behind a label.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::draw::Row;
use super::editor::Editor;
use super::text::{shorten, width, window, wrap};
use super::theme::Theme;
use crate::oauth::check::{Check, Outcome};

/// Where labels begin.
const LABEL: usize = 3;
/// Where values begin.
pub(in crate::tui) const VALUE: usize = 21;

/// One row: marker, label, value, and at the right edge what is to be said about it.
pub(in crate::tui) struct Parts {
    pub(in crate::tui) label: String,
    pub(in crate::tui) focused: bool,
    pub(in crate::tui) dim: bool,
    pub(in crate::tui) value: Vec<Span<'static>>,
    /// Columns before the cursor within the value.
    pub(in crate::tui) cursor: usize,
    pub(in crate::tui) tag: Option<Span<'static>>,
    /// The focus is on the tag, which then is a button.
    pub(in crate::tui) tag_focused: bool,
}

pub(in crate::tui) fn row(theme: Theme, parts: Parts, columns: usize) -> Row {
    let marked = parts.focused || parts.tag_focused;
    let marker = if marked { theme.marker() } else { " " };
    let label = shorten(&parts.label, VALUE - LABEL - 1, theme.ellipsis());
    let label_style = match (parts.focused, parts.dim) {
        (true, _) => theme.focus(),
        (false, true) => theme.dim(),
        (false, false) => Style::new(),
    };
    let mut spans = vec![
        Span::raw(format!(" {marker} ")),
        Span::styled(label.clone(), label_style),
    ];
    spans.push(Span::raw(" ".repeat(VALUE - LABEL - width(&label))));
    let used: usize = parts.value.iter().map(|span| width(&span.content)).sum();
    spans.extend(parts.value);
    let mut cursor = parts.focused.then_some(VALUE + parts.cursor);
    if let Some(tag) = parts.tag {
        let tag = fitting(tag, columns.saturating_sub(VALUE + 1), theme);
        let start = columns.saturating_sub(width(&tag.content) + 1);
        spans.push(Span::raw(" ".repeat(start.saturating_sub(VALUE + used))));
        if parts.tag_focused {
            cursor = Some(start);
        }
        spans.push(tag);
    }
    Row {
        line: Line::from(spans),
        cursor: cursor.and_then(|column| u16::try_from(column).ok()),
    }
}

/// A value that is there to be read.
pub(in crate::tui) fn fact(theme: Theme, label: &str, value: &str, columns: usize) -> Row {
    let room = columns.saturating_sub(VALUE + 1);
    let parts = Parts {
        label: label.to_owned(),
        focused: false,
        dim: true,
        value: vec![Span::raw(shorten(value, room, theme.ellipsis()))],
        cursor: 0,
        tag: None,
        tag_focused: false,
    };
    row(theme, parts, columns)
}

/// A line to be typed.
pub(in crate::tui) struct TextField<'a> {
    pub(in crate::tui) label: &'a str,
    pub(in crate::tui) value: &'a str,
    /// Where it is being edited.
    pub(in crate::tui) editor: Option<&'a Editor>,
    /// The button behind it, and whether that has the focus.
    pub(in crate::tui) button: Option<(&'a str, bool)>,
}

/// A line to be typed, with the cursor in sight while it is edited.
pub(in crate::tui) fn text_field(theme: Theme, field: &TextField<'_>, columns: usize) -> Row {
    let button = field.button.map_or(0, |(text, _)| width(text) + 2);
    let room = columns.saturating_sub(VALUE + 1 + button);
    let (text, cursor) = match field.editor {
        Some(editor) => {
            let (text, cursor) = (editor.text(), editor.cursor_column());
            window(text, cursor, room, theme.ellipsis())
        }
        None => (shorten(field.value, room, theme.ellipsis()), 0),
    };
    let style = match field.button {
        Some((_, true)) => theme.focus(),
        Some((_, false)) | None => Style::new(),
    };
    let tag = field.button;
    let parts = Parts {
        label: field.label.to_owned(),
        focused: field.editor.is_some(),
        dim: false,
        value: vec![Span::raw(text)],
        cursor,
        tag: tag.map(|(text, _)| Span::styled(text.to_owned(), style)),
        tag_focused: tag.is_some_and(|(_, focused)| focused),
    };
    row(theme, parts, columns)
}

/// A tag that is too long for its row is cut within its brackets.
fn fitting(tag: Span<'static>, room: usize, theme: Theme) -> Span<'static> {
    let inner = tag.content.strip_prefix("[ ");
    match inner.and_then(|inner| inner.strip_suffix(" ]")) {
        Some(inner) if width(&tag.content) > room => {
            let inner = shorten(inner, room.saturating_sub(4), theme.ellipsis());
            Span::styled(format!("[ {inner} ]"), tag.style)
        }
        _ => tag,
    }
}

/// A named check, as far as its words go.
pub(in crate::tui) fn check_rows(theme: Theme, check: &Check, columns: usize) -> Vec<Row> {
    let style = match check.outcome {
        Outcome::Passed => theme.good(),
        Outcome::Failed => theme.bad(),
        Outcome::NotChecked | Outcome::NotApplicable => theme.dim(),
    };
    let head = |detail: &str| {
        Row::line(vec![
            Span::raw(format!("   {:<17} ", check.name.label())),
            Span::styled(format!("{:<15}", check.outcome.word()), style),
            Span::raw(format!(" {detail}")),
        ])
    };
    // A small window has no room beside the outcome.
    let (first, indent) = if columns < 60 {
        (Some(head("")), 5)
    } else {
        (None, 37)
    };
    let mut rows: Vec<Row> = first.into_iter().collect();
    for line in wrap(&check.detail, columns.saturating_sub(indent + 1)) {
        rows.push(if rows.is_empty() {
            head(&line)
        } else {
            Row::line(Line::from(format!("{}{line}", " ".repeat(indent))))
        });
    }
    rows
}

/// Words behind a label; one too long for its column has lines of its own.
pub(in crate::tui) fn labelled_lines(
    label: &str,
    words: &str,
    indent: usize,
    columns: usize,
) -> Vec<Line<'static>> {
    let mut words = wrap(words, columns.saturating_sub(indent)).into_iter();
    let mut lines: Vec<Line<'_>> = if width(label) < indent {
        let first = words.next().unwrap_or_default();
        vec![Line::from(format!("{label:<indent$}{first}"))]
    } else {
        wrap(label, columns).into_iter().map(Line::from).collect()
    };
    lines.extend(words.map(|words| Line::from(format!("{}{words}", " ".repeat(indent)))));
    lines
}
