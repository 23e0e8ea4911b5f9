//! Rows and bodies, and the functions that draw lines on the screen.

use std::num::NonZeroU16;

use ratatui::Frame;
use ratatui::buffer::CellDiffOption;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use crate::clean::is_visible;
use crate::tui::widgets::said::Said;
use crate::tui::widgets::text::{ascii, characters, shorten, width};
use crate::tui::widgets::theme::Theme;

/// A row of the body.
#[derive(Debug, Default)]
pub(in crate::tui) struct Row {
    /// The text of the row.
    pub(in crate::tui) line: Line<'static>,
    /// The column of the terminal's cursor, if the focus is on this row.
    pub(in crate::tui) cursor: Option<u16>,
}

impl Row {
    /// Creates a row of plain text, three columns in.
    pub(in crate::tui) fn text(text: impl Into<String>) -> Self {
        Self::line(Line::from(format!("   {}", text.into())))
    }

    /// Creates a row without the focus.
    pub(in crate::tui) fn line(line: impl Into<Line<'static>>) -> Self {
        Self {
            line: line.into(),
            cursor: None,
        }
    }

    /// Creates an empty row.
    pub(in crate::tui) fn blank() -> Self {
        Self::default()
    }
}

/// The content of a screen.
#[derive(Debug, Default)]
pub struct Body {
    /// The rows. If they don't fit, they scroll.
    pub(in crate::tui) rows: Vec<Row>,
    /// A value to copy that is too wide to fit next to another body: it goes below, across the whole width.
    pub(in crate::tui) below: Vec<Row>,
    /// The hint that is shown while there is no message.
    pub(in crate::tui) hint: Vec<Said>,
}

/// Draws a line at this position. Characters from outside that the terminal can't show are dropped or replaced, and a
/// line that is cut ends with an ellipsis.
pub(in crate::tui) fn put(theme: Theme, frame: &mut Frame<'_>, x: u16, y: u16, line: Line<'_>) {
    let area = frame.area();
    let columns = area.width.saturating_sub(x);
    put_in(theme, frame, Rect::new(x, y, columns, 1), line);
}

/// Draws a line in an area of one row, in the same way.
pub(in crate::tui) fn put_in(theme: Theme, frame: &mut Frame<'_>, area: Rect, mut line: Line<'_>) {
    let area = area.intersection(frame.area());
    if area.is_empty() {
        return;
    }
    for span in &mut line.spans {
        if span.content.is_ascii() {
            continue;
        }
        // Draw only characters with a visible width, or the text after them would be misplaced.
        span.content = if theme.utf8 {
            span.content.chars().filter(|ch| is_visible(*ch)).collect()
        } else {
            ascii(&span.content).into()
        };
    }
    cut(&mut line, usize::from(area.width), theme.ellipsis());
    // The style of a line would otherwise extend to the end of its area.
    let columns: usize = line.spans.iter().map(|span| width(&span.content)).sum();
    let columns = u16::try_from(columns).unwrap_or(u16::MAX);
    let line = apart(&line);
    let width = columns.min(area.width);
    let area = Rect { width, ..area };
    frame.render_widget(line, area);
    // Ratatui counts these marks as wider than it draws them, and would leave out the text after them.
    let buffer = frame.buffer_mut();
    for x in area.x..area.right() {
        let cell = &mut buffer[(x, area.y)];
        if matches!(cell.symbol(), "\u{ff9e}" | "\u{ff9f}") {
            cell.diff_option = CellDiffOption::ForcedWidth(NonZeroU16::MIN);
        }
    }
}

/// Returns the same line with a separate span for each non-ASCII character. Ratatui would join some of them in one
/// cell, with a different width than on the terminal.
fn apart<'a>(line: &'a Line<'_>) -> Line<'a> {
    let spans = line.spans.iter().flat_map(|span| {
        let whole = span.content.is_ascii().then_some(&*span.content);
        let parts = characters(if whole.is_some() { "" } else { &span.content });
        whole
            .into_iter()
            .chain(parts)
            .map(|text| Span::styled(text, span.style))
    });
    Line {
        spans: spans.collect(),
        ..*line
    }
}

/// Cuts a line that is wider than `columns`.
pub(in crate::tui) fn cut(line: &mut Line<'_>, columns: usize, ellipsis: &str) {
    while let Some(last) = line.spans.last_mut() {
        let end = last.content.trim_end();
        // Spaces that are visible because of their color are not trailing spaces.
        let seen = last.style.add_modifier.contains(Modifier::REVERSED) || last.style.bg.is_some();
        if !end.is_empty() || seen {
            break;
        }
        line.spans.pop();
    }
    let trimmed = |span: &Span<'_>| width(span.content.trim_end());
    let count = line.spans.len();
    let needed: usize = (line.spans.iter().enumerate())
        .map(|(at, span)| {
            if at + 1 == count {
                trimmed(span)
            } else {
                width(&span.content)
            }
        })
        .sum();
    if needed <= columns {
        return;
    }
    let mut room = columns.saturating_sub(width(ellipsis));
    for at in 0..count {
        let span = &mut line.spans[at];
        let needed = width(&span.content);
        if needed > room || (needed == room && at + 1 == count) {
            span.content = format!("{}{ellipsis}", shorten(&span.content, room, "")).into();
            line.spans.truncate(at + 1);
            return;
        }
        room -= needed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut_to(columns: usize, spans: &[&'static str]) -> String {
        let mut line = Line::from(
            spans
                .iter()
                .map(|text| Span::raw(*text))
                .collect::<Vec<_>>(),
        );
        cut(&mut line, columns, "…");
        line.spans
            .iter()
            .map(|span| span.content.as_ref())
            .collect()
    }

    #[test]
    fn truncated_line_ends_with_an_ellipsis() {
        assert_eq!(cut_to(6, &["abc", "def"]), "abcdef");
        assert_eq!(cut_to(5, &["abc", "def"]), "abcd…");
        assert_eq!(cut_to(3, &["abc", "def"]), "ab…");
        assert_eq!(cut_to(4, &["abc", "def"]), "abc…");
        assert_eq!(cut_to(6, &["abc", "def   ", "  "]), "abcdef   ");
        assert_eq!(cut_to(5, &["日本語"]), "日本…");
    }
}
