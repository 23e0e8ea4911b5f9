//! The box of a dialog.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;

use super::draw::put;
use super::grid::{LOW, NARROW};
use super::text::{shorten, width};
use super::theme::Theme;

/// Maximum width of a dialog. Wider dialogs are no easier to read.
const WIDEST_BOX: u16 = 100;

/// Returns the area of a dialog with this many lines, and the area of its lines: in a box, or in a small window below a
/// title.
pub(in crate::tui) fn places(area: Rect, lines: u16) -> (Rect, Rect) {
    if area.height < LOW || area.width < NARROW {
        let outer = Rect::new(0, 0, area.width, area.height.saturating_sub(1));
        let inner = Rect::new(
            1,
            1,
            area.width.saturating_sub(2),
            outer.height.saturating_sub(1),
        );
        return (outer, inner);
    }
    let height = lines.saturating_add(2).min(area.height - 4);
    let width = area.width.min(WIDEST_BOX) - 2;
    let x = (area.width - width) / 2;
    // Above the middle, where the user looks first.
    let y = 2 + (area.height - 4 - height) / 3;
    let outer = Rect::new(x, y, width, height);
    (outer, Rect::new(x + 2, y + 1, width - 4, height - 2))
}

/// Draws the box of a dialog with this many lines and its title over the screen. Returns the area of the lines.
pub(in crate::tui) fn dialog_box(
    theme: Theme,
    frame: &mut Frame<'_>,
    title: &str,
    lines: u16,
) -> Rect {
    let area = frame.area();
    let (outer, inside) = places(area, lines);
    if inside.y <= 1 {
        frame.render_widget(Clear, outer);
        let title = shorten(title, usize::from(area.width) - 2, theme.ellipsis());
        put(theme, frame, 1, 0, Line::styled(title, theme.strong()));
        return inside;
    }
    // Clear a column on either side as well, or the text next to the box would run into it.
    let cleared = Rect::new(outer.x - 1, outer.y, outer.width + 2, outer.height);
    frame.render_widget(Clear, cleared);
    let inner = usize::from(outer.width) - 2;
    let [left_top, right_top, left_bottom, right_bottom, rule, side] = theme.corners();
    let title = shorten(title, inner.saturating_sub(4), theme.ellipsis());
    let rest = rule.repeat(inner.saturating_sub(3 + width(&title)));
    let head = Line::from(vec![
        Span::styled(format!("{left_top}{rule} "), theme.dim()),
        Span::styled(title, theme.strong()),
        Span::styled(format!(" {rest}{right_top}"), theme.dim()),
    ]);
    put(theme, frame, outer.x, outer.y, head);
    let foot = format!("{left_bottom}{}{right_bottom}", rule.repeat(inner));
    let last = outer.bottom() - 1;
    put(theme, frame, outer.x, last, Line::styled(foot, theme.dim()));
    for row in outer.y + 1..last {
        for x in [outer.x, outer.right() - 1] {
            put(theme, frame, x, row, Line::styled(side, theme.dim()));
        }
    }
    inside
}
