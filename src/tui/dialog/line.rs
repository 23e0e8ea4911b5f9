//! A dialog with a text field, such as for a path or a name.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;

use crate::tui::widgets::boxed::{dialog_box, places};
use crate::tui::widgets::draw::put_in;
use crate::tui::widgets::editor::Editor;
use crate::tui::widgets::text::{fit, window, wrap};
use crate::tui::widgets::theme::Theme;

/// The texts around the field.
#[derive(Debug, Clone)]
pub struct Prompt {
    /// The title.
    pub title: String,
    /// The text above the field.
    pub lead: String,
    /// The text below the field.
    pub note: String,
}

/// Draws the dialog, and returns the cursor position. The end of a long text stays visible; a secret is masked.
pub(super) fn draw(
    prompt: &Prompt,
    (typed, secret): (&Editor, bool),
    theme: Theme,
    frame: &mut Frame<'_>,
    area: Rect,
) -> Position {
    let columns = usize::from(places(area, 1).1.width);
    let lead = wrap(&prompt.lead, columns);
    let note = wrap(&prompt.note, columns);
    let count = u16::try_from(lead.len() + note.len() + 3).unwrap_or(u16::MAX - 2);
    let inside = dialog_box(theme, frame, &prompt.title, count);
    let room = usize::from(inside.height).saturating_sub(2).max(1);
    let lead = fit(lead, room, columns, theme.ellipsis());
    // A small window has no empty rows.
    let tight = inside.height < count;
    let gap = u16::from(!tight);
    let line = inside.y + gap + u16::try_from(lead.len()).unwrap_or(1);
    let row = |y: u16| Rect {
        y,
        height: 1,
        ..inside
    };
    for (y, words) in (inside.y..inside.bottom()).zip(lead) {
        put_in(theme, frame, row(y), Line::from(words));
    }
    let mask = secret.then(|| theme.mask().repeat(typed.text().chars().count()));
    let (text, cursor) = match &mask {
        Some(mask) => (mask.as_str(), typed.cursor()),
        None => (typed.text(), typed.cursor_column()),
    };
    let (shown, column) = window(text, cursor, columns, theme.ellipsis());
    put_in(theme, frame, row(line), Line::from(shown));
    for (y, words) in (line + 1 + gap..inside.bottom()).zip(note) {
        put_in(theme, frame, row(y), Line::styled(words, theme.dim()));
    }
    Position::new(inside.x + u16::try_from(column).unwrap_or(0), line)
}
