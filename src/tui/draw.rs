//! What the screens draw with.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::text::ascii;
use super::theme::Theme;

/// A line of the body, and what of it can have the focus.
#[derive(Debug, Default)]
pub(super) struct Row {
    /// What is drawn.
    pub(super) line: Line<'static>,
    /// The column of the hardware cursor, where the focus is on this row.
    pub(super) cursor: Option<u16>,
}

impl Row {
    /// A row of plain text, two columns in.
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::line(Line::from(format!("   {}", text.into())))
    }

    /// A row without focus.
    pub(super) fn line(line: impl Into<Line<'static>>) -> Self {
        Self {
            line: line.into(),
            cursor: None,
        }
    }

    /// An empty row.
    pub(super) fn blank() -> Self {
        Self::default()
    }
}

/// What a screen gives to be drawn.
pub(super) struct Body {
    /// Lines; those that do not fit are scrolled.
    pub(super) rows: Vec<Row>,
    /// The first row wanted, where the screen scrolls by hand.
    pub(super) scroll: usize,
    /// What is said while there is no message.
    pub(super) hint: String,
    /// The hint is about something wrong.
    pub(super) hint_is_bad: bool,
}

/// Draws a line where it fits; outside text loses what the terminal cannot show.
pub(super) fn put(theme: Theme, frame: &mut Frame<'_>, x: u16, y: u16, mut line: Line<'_>) {
    let area = frame.area();
    if x >= area.width || y >= area.height {
        return;
    }
    if !theme.utf8 {
        for span in &mut line.spans {
            if !span.content.is_ascii() {
                span.content = ascii(&span.content).into();
            }
        }
    }
    frame.render_widget(line, Rect::new(x, y, area.width - x, 1));
}
