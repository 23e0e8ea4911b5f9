//! Rows that several screens have: a label with its value, state and button; a check; text with a label.

use std::borrow::Cow;

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::button::{Shortcut, button_spans, button_width};
use super::draw::{self, Row};
use super::editor::Editor;
use super::grid::{self, DETAIL, LABEL, NARROW};
use super::text::{shorten, width, window, wrap};
use super::theme::Theme;
use crate::oauth::check::{Check, Outcome};

/// A button at the end of a row.
#[derive(Debug, Clone)]
pub(in crate::tui) struct Beside {
    pub(in crate::tui) shortcut: Shortcut,
    pub(in crate::tui) label: Cow<'static, str>,
    pub(in crate::tui) focused: bool,
}

impl Beside {
    /// Creates a button with this label and no key.
    pub(in crate::tui) fn new(label: impl Into<Cow<'static, str>>, focused: bool) -> Self {
        Self {
            shortcut: Shortcut::None,
            label: label.into(),
            focused,
        }
    }

    /// Creates a button with a letter.
    pub(in crate::tui) fn letter(
        letter: char,
        label: impl Into<Cow<'static, str>>,
        focused: bool,
    ) -> Self {
        Self {
            shortcut: Shortcut::Letter(letter),
            ..Self::new(label, focused)
        }
    }
}

/// The parts of a row: marker, label, value, state, button.
#[derive(Debug, Default)]
pub(in crate::tui) struct Parts {
    pub(in crate::tui) label: Cow<'static, str>,
    /// The style of the label, if it differs from the default.
    pub(in crate::tui) label_style: Option<Style>,
    /// Whether this is a detail of the row above.
    pub(in crate::tui) detail: bool,
    pub(in crate::tui) focused: bool,
    pub(in crate::tui) dim: bool,
    pub(in crate::tui) value: Vec<Span<'static>>,
    /// Columns between the start of the value and the cursor.
    pub(in crate::tui) cursor: usize,
    pub(in crate::tui) state: Option<Span<'static>>,
    /// The button at the end of the row. In a narrow window it is among the buttons at the bottom instead.
    pub(in crate::tui) button: Option<Beside>,
}

impl Parts {
    /// Creates a row with this label.
    pub(in crate::tui) fn new(label: impl Into<Cow<'static, str>>) -> Self {
        Self {
            label: label.into(),
            ..Self::default()
        }
    }

    /// Sets the value, in one style.
    pub(in crate::tui) fn with(self, value: impl Into<Span<'static>>) -> Self {
        Self {
            value: vec![value.into()],
            ..self
        }
    }

    /// Returns the maximum width of the value.
    pub(in crate::tui) fn room(&self, theme: Theme, columns: usize) -> usize {
        let right = self.right_width(theme, columns);
        let gap = if right > 0 { 2 } else { 0 };
        grid::room(columns).saturating_sub(right + gap)
    }

    fn right_width(&self, theme: Theme, columns: usize) -> usize {
        let state = self.state.as_ref().map_or(0, |state| width(&state.content));
        let button = self.shown_button(columns);
        let button = button.map_or(0, |button| {
            button_width(button.shortcut, &button.label, !theme.utf8)
        });
        state + button + if state > 0 && button > 0 { 2 } else { 0 }
    }

    fn shown_button(&self, columns: usize) -> Option<&Beside> {
        let narrow = columns < usize::from(NARROW);
        self.button.as_ref().filter(|_| !narrow)
    }
}

pub(in crate::tui) fn row(theme: Theme, parts: Parts, columns: usize) -> Row {
    let start = if parts.detail { DETAIL } else { LABEL };
    let value = grid::value(columns);
    let on_button = parts.button.as_ref().is_some_and(|button| button.focused);
    let marker = if parts.focused || on_button {
        theme.marker()
    } else {
        " "
    };
    let label = shorten(&parts.label, value - start - 1, theme.ellipsis());
    let label_style = match (parts.label_style, parts.focused, parts.dim) {
        (Some(style), ..) => style,
        (None, true, _) => theme.strong(),
        (None, false, true) => theme.dim(),
        (None, false, false) => Style::new(),
    };
    let right = parts.right_width(theme, columns);
    let shown = parts.shown_button(columns).cloned();
    let mut spans = vec![
        Span::raw(format!(" {marker} {}", " ".repeat(start - LABEL))),
        Span::styled(label.clone(), label_style),
        Span::raw(" ".repeat(value - start - width(&label))),
    ];
    // A value that is too long does not move the rest of its row.
    let room = columns.saturating_sub(right + 3).max(value) - value;
    let fitting = if right > 0 {
        cut(parts.value, room, theme)
    } else {
        parts.value
    };
    let used: usize = fitting.iter().map(|span| width(&span.content)).sum();
    spans.extend(fitting);
    let mut cursor = parts.focused.then_some(value + parts.cursor);
    if right > 0 {
        let mut at = columns.saturating_sub(right + 1).max(value);
        spans.push(Span::raw(" ".repeat(at.saturating_sub(value + used))));
        if let Some(state) = parts.state {
            at += width(&state.content);
            spans.push(state);
            if shown.is_some() {
                spans.push(Span::raw("  "));
                at += 2;
            }
        }
        if let Some(button) = shown {
            if button.focused {
                cursor = Some(at + 1);
            }
            spans.extend(button_spans(
                theme,
                button.shortcut,
                &button.label,
                button.focused,
            ));
        }
    }
    if cursor.is_none() && on_button {
        cursor = Some(value);
    }
    let mut line = Line::from(spans);
    // The last column stays empty, whatever is next to the row.
    draw::cut(&mut line, columns.saturating_sub(1), theme.ellipsis());
    Row {
        line,
        cursor: cursor.and_then(|column| u16::try_from(column).ok()),
    }
}

/// Returns the beginning of a value, with an ellipsis if it was cut.
fn cut(value: Vec<Span<'static>>, room: usize, theme: Theme) -> Vec<Span<'static>> {
    let used: usize = value.iter().map(|span| width(&span.content)).sum();
    if used <= room {
        return value;
    }
    let text: String = value.iter().map(|span| span.content.as_ref()).collect();
    let style = value.first().map_or_else(Style::new, |span| span.style);
    vec![Span::styled(shorten(&text, room, theme.ellipsis()), style)]
}

/// Returns a read-only value, in as many rows as it needs.
pub(in crate::tui) fn fact(theme: Theme, label: &str, text: &str, columns: usize) -> Vec<Row> {
    facts(theme, Parts::new(label.to_owned()), text, columns)
}

/// Returns a read-only value as a detail of the row above.
pub(in crate::tui) fn detail(theme: Theme, label: &str, text: &str, columns: usize) -> Vec<Row> {
    let parts = Parts {
        detail: true,
        ..Parts::new(label.to_owned())
    };
    facts(theme, parts, text, columns)
}

/// Returns the value in as many rows as it needs; the first row has these parts.
pub(in crate::tui) fn facts(theme: Theme, parts: Parts, text: &str, columns: usize) -> Vec<Row> {
    let room = parts.room(theme, columns);
    let mut lines = wrap(text, room).into_iter();
    let first = parts.with(lines.next().unwrap_or_default());
    let mut rows = vec![row(theme, first, columns)];
    rows.extend(lines.map(|line| below(line, columns)));
    rows
}

/// Returns a line below the value of the row above.
pub(in crate::tui) fn below(text: impl Into<Span<'static>>, columns: usize) -> Row {
    let indent = Span::raw(" ".repeat(grid::value(columns)));
    Row::line(Line::from(vec![indent, text.into()]))
}

/// Returns the heading of a group of rows.
pub(in crate::tui) fn head(theme: Theme, text: impl Into<Cow<'static, str>>) -> Row {
    let text = Span::styled(text, theme.strong());
    Row::line(Line::from(vec![Span::raw("   "), text]))
}

/// A text field.
pub(in crate::tui) struct TextField<'a> {
    pub(in crate::tui) label: &'a str,
    pub(in crate::tui) value: &'a str,
    /// The editor, while the field is being edited.
    pub(in crate::tui) editor: Option<&'a Editor>,
    /// The button at the end of the row.
    pub(in crate::tui) button: Option<Beside>,
}

/// Returns the row of a text field, with the cursor in view while the field is edited.
pub(in crate::tui) fn text_field(theme: Theme, field: TextField<'_>, columns: usize) -> Row {
    let mut parts = Parts {
        focused: field.editor.is_some(),
        button: field.button,
        ..Parts::new(field.label.to_owned())
    };
    let room = parts.room(theme, columns);
    let (text, cursor) = match field.editor {
        Some(editor) => {
            let (text, cursor) = (editor.text(), editor.cursor_column());
            window(text, cursor, room, theme.ellipsis())
        }
        None => (shorten(field.value, room, theme.ellipsis()), 0),
    };
    parts.cursor = cursor;
    row(theme, parts.with(text), columns)
}

/// Returns the rows of a check: its outcome as the label of a detail, then its name and what it found.
pub(in crate::tui) fn check_rows(theme: Theme, check: &Check, columns: usize) -> Vec<Row> {
    let style = match check.outcome {
        Outcome::Passed => theme.good(),
        Outcome::Failed => theme.bad(),
        Outcome::NotChecked | Outcome::NotApplicable => theme.dim(),
    };
    let text = format!("{}: {}", check.name.label(), check.detail);
    outcome_rows(theme, (check.outcome.word(), style), &text, columns)
}

/// Returns the rows of an outcome: a word as the label of a detail, and a text.
pub(in crate::tui) fn outcome_rows(
    theme: Theme,
    (word, style): (&str, Style),
    text: &str,
    columns: usize,
) -> Vec<Row> {
    let value = grid::value(columns);
    let word = shorten(word, value - DETAIL - 1, theme.ellipsis());
    let mut lines = wrap(text, grid::room(columns)).into_iter();
    let gap = " ".repeat(value - DETAIL - width(&word));
    let mut rows = vec![Row::line(Line::from(vec![
        Span::raw(" ".repeat(DETAIL)),
        Span::styled(word, style),
        Span::raw(format!("{gap}{}", lines.next().unwrap_or_default())),
    ]))];
    rows.extend(lines.map(|line| below(line, columns)));
    rows
}

/// Returns a text next to a label. A label that is too long for its column gets lines of its own.
pub(in crate::tui) fn labeled_lines(
    label: &str,
    words: &str,
    indent: usize,
    columns: usize,
) -> Vec<Line<'static>> {
    let mut words = wrap(words, columns.saturating_sub(indent)).into_iter();
    let mut lines: Vec<Line<'_>> = if width(label) < indent {
        let first = words.next().unwrap_or_default();
        let gap = " ".repeat(indent - width(label));
        vec![Line::from(format!("{label}{gap}{first}"))]
    } else {
        wrap(label, columns).into_iter().map(Line::from).collect()
    };
    lines.extend(words.map(|words| Line::from(format!("{}{words}", " ".repeat(indent)))));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::environment::Environment;

    #[test]
    fn cursor_is_never_in_the_last_column() {
        let theme = Theme::new(&Environment::default());
        for columns in [40, 59, 60, 80, 120] {
            for length in 0..200 {
                let editor = Editor::new(&"x".repeat(length));
                let field = TextField {
                    label: "User",
                    value: "",
                    editor: Some(&editor),
                    button: None,
                };
                let cursor = text_field(theme, field, columns).cursor;
                let cursor = cursor.map(usize::from);
                assert!(cursor.is_some_and(|it| it + 1 < columns), "{cursor:?}");
            }
        }
    }

    #[test]
    fn text_is_aligned_after_labels_of_any_width() {
        for label in ["name", "日本語", "e\u{301}👍", "ﾊﾟ"] {
            let lines = labeled_lines(label, "one two", 8, 12);
            let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
            let before = lines[0].split("one").next().unwrap_or_default();
            assert_eq!(
                (width(before), lines[1].as_str()),
                (8, "        two"),
                "{label}"
            );
        }
    }
}
