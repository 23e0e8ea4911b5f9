//! The title and the rule of a full-screen dialog.

use ratatui::Frame;
use ratatui::text::{Line, Span};

use crate::tui::widgets::draw::put;
use crate::tui::widgets::grid::{LOW, NARROW};
use crate::tui::widgets::text::{shorten, width};
use crate::tui::widgets::theme::Theme;

/// Returns the visible range and the keys that scroll: `1–18 of 59 · PgDn`. Empty if everything is visible.
pub(super) fn place(theme: Theme, first: usize, shown: usize, count: usize) -> String {
    if count <= shown {
        return String::new();
    }
    let last = (first + shown).min(count);
    let up = if first > 0 { " PgUp" } else { "" };
    let down = if last < count { " PgDn" } else { "" };
    let (dash, dot) = (theme.dash(), theme.dot());
    format!("{}{dash}{last} of {count} {dot}{up}{down}", first + 1)
}

/// Draws the title and the rule. A low window has no rule, and the range is in the title. On the rule, `unit` says what
/// is counted.
pub(super) fn draw(theme: Theme, frame: &mut Frame<'_>, head: &str, unit: &str, place: &str) {
    let area = frame.area();
    let columns = usize::from(area.width);
    let low = area.height < LOW;
    let behind = match (low, place) {
        (false, _) | (true, "") => String::new(),
        (true, place) => format!(" {} {place}", theme.dot()),
    };
    let named = !low || area.width >= NARROW;
    // Leave room for the name of the program, and for the range.
    let kept = if named { 20 } else { 2 } + width(&behind);
    let title = shorten(head, columns.saturating_sub(kept), theme.ellipsis()) + &behind;
    if named {
        let name = Line::styled("OAuth Authorizer", theme.strong());
        put(theme, frame, 1, 0, name);
    }
    let x = columns.saturating_sub(width(&title) + 1);
    put(theme, frame, small(x), 0, Line::from(title));
    if low {
        return;
    }
    let rule = |columns: usize| Span::styled(theme.rule().repeat(columns), theme.dim());
    let line = if place.is_empty() {
        Line::from(rule(columns - 2))
    } else {
        let words = format!(" {unit}{place} ");
        let before = columns.saturating_sub(width(&words) + 4);
        Line::from(vec![rule(before), Span::raw(words), rule(2)])
    };
    put(theme, frame, 1, 1, line);
}

fn small(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}
