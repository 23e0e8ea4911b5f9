//! A question with up to three buttons. Esc chooses the harmless answer.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;

use crate::tui::widgets::boxed::dialog_box;
use crate::tui::widgets::button::{Shortcut, button, button_width};
use crate::tui::widgets::draw::put_in;
use crate::tui::widgets::text::{fit, shorten, width, wrap};
use crate::tui::widgets::theme::Theme;

/// A question.
#[derive(Debug, Clone)]
pub struct Question {
    /// The question, in a few words.
    pub title: String,
    /// Rows above the text that name what the question is about.
    pub rows: Vec<String>,
    /// What the answers do.
    pub text: String,
    /// A note at the end of the row of buttons, if there is room for it.
    pub aside: &'static str,
    /// The answers. The one with Esc changes nothing.
    pub buttons: Vec<(Shortcut, &'static str)>,
    /// The button that has the focus.
    pub selected: usize,
}

impl Question {
    /// Creates a question with the focus on the answer that changes nothing.
    #[must_use]
    pub fn new(
        title: impl Into<String>,
        text: impl Into<String>,
        buttons: &[(Shortcut, &'static str)],
    ) -> Self {
        let harmless = buttons.iter().position(|(key, _)| *key == Shortcut::Esc);
        Self {
            title: title.into(),
            rows: Vec::new(),
            text: text.into(),
            aside: "",
            buttons: buttons.to_vec(),
            selected: harmless.unwrap_or(0),
        }
    }

    /// Adds rows above the text. A row that is too long is cut.
    #[must_use]
    pub fn with_rows(self, rows: Vec<String>) -> Self {
        Self { rows, ..self }
    }

    /// Adds a note at the end of the row of buttons.
    #[must_use]
    pub fn with_aside(self, aside: &'static str) -> Self {
        Self { aside, ..self }
    }

    /// Moves the focus to another answer that loses nothing.
    #[must_use]
    pub fn beginning_on(mut self, key: Shortcut) -> Self {
        let place = self.buttons.iter().position(|(own, _)| *own == key);
        self.selected = place.unwrap_or(self.selected);
        self
    }

    /// Returns the answer with this key.
    pub(super) fn answer(&self, key: Shortcut) -> Option<&'static str> {
        let mut buttons = self.buttons.iter();
        buttons.find_map(|(own, label)| (*own == key).then_some(*label))
    }
}

/// Draws the question and its buttons.
pub(super) fn draw(
    question: &Question,
    theme: Theme,
    frame: &mut Frame<'_>,
    area: Rect,
) -> Option<Position> {
    let (_, inner) = crate::tui::widgets::boxed::places(area, 1);
    let columns = usize::from(inner.width);
    let paragraphs = question.text.lines();
    let text: Vec<String> = paragraphs.flat_map(|line| wrap(line, columns)).collect();
    let rows = question.rows.len();
    let gap = usize::from(rows > 0);
    let places = button_places(question, columns, !theme.utf8);
    let below = places.last().map_or(0, |(_, row)| *row);
    let count = u16::try_from(rows + gap + text.len() + 2).unwrap_or(u16::MAX - 2);
    let count = count.saturating_add(below);
    let inside = dialog_box(theme, frame, &question.title, count);
    // The buttons stay, even if the text doesn't fit; the empty row above the text is dropped first.
    let bottom = (inside.y + count - 1).min(inside.bottom().saturating_sub(1));
    let y = bottom.saturating_sub(below);
    let room = usize::from(y.saturating_sub(inside.y));
    let gap = if rows + gap + text.len() > room {
        0
    } else {
        gap
    };
    let shown = question.rows.iter();
    let mut lines: Vec<String> = shown
        .map(|row| shorten(&format!("  {row}"), columns, theme.ellipsis()))
        .collect();
    lines.extend(std::iter::repeat_n(String::new(), gap));
    let left = room.saturating_sub(lines.len());
    lines.extend(fit(text, left, columns, theme.ellipsis()));
    for (y, line) in (inside.y..y).zip(lines) {
        let row = Rect {
            y,
            height: 1,
            ..inside
        };
        put_in(theme, frame, row, Line::from(line));
    }
    let mut x = inside.x + 1;
    let mut cursor = None;
    for (at, ((key, label), (column, row))) in question.buttons.iter().zip(places).enumerate() {
        let focused = at == question.selected;
        let place = (inside.x + column, y + row);
        let (next, at) = button(theme, frame, place, (*key, label), focused);
        cursor = at.or(cursor);
        x = next;
    }
    let y = bottom;
    let aside = u16::try_from(width(question.aside)).unwrap_or(u16::MAX);
    if x.saturating_add(aside) < inside.right() {
        let place = Rect::new(inside.right() - aside, y, aside, 1);
        put_in(theme, frame, place, Line::from(question.aside));
    }
    cursor
}

/// Returns the column and the row of each button. A button that doesn't fit next to the previous ones begins a new row.
fn button_places(question: &Question, columns: usize, ascii: bool) -> Vec<(u16, u16)> {
    let (mut x, mut row) = (1, 0);
    let place = |(key, label): &(Shortcut, &str)| {
        let width = button_width(*key, label, ascii);
        if x > 1 && x + width > columns {
            (x, row) = (1, row + 1);
        }
        let place = (u16::try_from(x).unwrap_or(u16::MAX), row);
        x += width + 1;
        place
    };
    question.buttons.iter().map(place).collect()
}
