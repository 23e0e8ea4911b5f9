//! Buttons, with their labels and the keys that press them.

use std::borrow::Cow;

use ratatui::Frame;
use ratatui::layout::Position;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::draw::put;
use super::text::{self, width};
use super::theme::Theme;

/// The key that activates an item while the focus is not on a text field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shortcut {
    /// A letter key.
    Letter(char),
    /// Enter, on any item.
    Enter,
    /// The Esc key.
    Esc,
    /// The Delete key.
    Del,
    /// No key except Enter on the item itself.
    None,
}

impl Shortcut {
    /// Returns the name of the key as the button shows it; empty if there is no key.
    #[must_use]
    pub fn name(self) -> Cow<'static, str> {
        match self {
            Self::Letter(letter) => letter.to_string().into(),
            Self::Enter => "Enter".into(),
            Self::Esc => "Esc".into(),
            Self::Del => "Del".into(),
            Self::None => "".into(),
        }
    }
}

/// Returns a label of the program as the terminal can show it.
pub(in crate::tui) fn shown_label(label: &str, ascii: bool) -> Cow<'_, str> {
    if ascii && !label.is_ascii() {
        text::ascii(label).into()
    } else {
        label.into()
    }
}

/// Returns the width of a button, in columns.
pub(in crate::tui) fn button_width(shortcut: Shortcut, label: &str, ascii: bool) -> usize {
    let key = width(&shortcut.name());
    width(&shown_label(label, ascii)) + key + usize::from(key > 0) + 2
}

/// Returns a button at the end of a row: `[u Copy URL]`.
pub(in crate::tui) fn button_spans(
    theme: Theme,
    shortcut: Shortcut,
    label: &str,
    focused: bool,
) -> Vec<Span<'static>> {
    let label = shown_label(label, !theme.utf8);
    let key = shortcut.name();
    let style = if focused { theme.focus() } else { Style::new() };
    let mut spans = vec![Span::styled("[", style)];
    if key.is_empty() {
        spans.push(Span::styled(format!("{label}]"), style));
    } else {
        let strong = theme.strong().patch(style);
        spans.push(Span::styled(key.into_owned(), strong));
        spans.push(Span::styled(format!(" {label}]"), style));
    }
    spans
}

/// Draws a button, with a marker if it has the focus. Returns the column where the next button begins, and the cursor
/// position.
pub(in crate::tui) fn button(
    theme: Theme,
    frame: &mut Frame<'_>,
    (x, y): (u16, u16),
    (shortcut, label): (Shortcut, &str),
    focused: bool,
) -> (u16, Option<Position>) {
    let columns = button_width(shortcut, label, !theme.utf8);
    let end = x + u16::try_from(columns).unwrap_or(0) + 1;
    if focused {
        // Reversed colors alone are not visible on every terminal.
        put(theme, frame, x - 1, y, Line::from(theme.marker()));
    }
    let spans = button_spans(theme, shortcut, label, focused);
    put(theme, frame, x, y, Line::from(spans));
    (end, focused.then(|| Position::new(x + 1, y)))
}
