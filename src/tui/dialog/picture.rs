//! A QR code, with its target next to it.
//!
//! ```text
//!  OAuth Authorizer                              Microsoft 365 mail · device code
//!  ─────────────────────────────────────────────────────────────────────────────
//!     ▀▀▀▀▀   ▄ ▀    ▄      ▀▀▀▀▀      The QR code points to
//!            ▄    ▀  ▀ ▄▀▄▄            https://microsoft.com/devicelogin
//!      ▀▀▀   ▀▀ ▄▀ ▀   ▀▀    ▀▀▀
//!    ▀▀▀▀▀▀▀ ▀  ▄▀▄        ▀▀▀▀▀▀▀     Enter the code there
//!    …                                 WDJB-MJHT
//! ```

use ratatui::Frame;
use ratatui::layout::{Offset, Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;

use super::qr_code::{Picture, ROWS_KEPT};
use crate::tui::widgets::draw::put;
use crate::tui::widgets::theme::Theme;

/// Columns to the left of the code, and between the code and the text.
const MARGIN: usize = 3;
/// Minimum columns for text next to the code, and minimum rows for text below it.
const WORDS: (usize, usize) = (16, 3);

/// A function that returns the text next to a picture, for an area of this many columns and rows.
pub(super) type Captions<'a> = dyn Fn(&Picture, (usize, usize)) -> Vec<Line<'static>> + 'a;

/// Draws the picture over everything except the title and the keys, and returns the cursor position.
pub(super) fn draw(
    picture: &Picture,
    caption: &Captions<'_>,
    theme: Theme,
    frame: &mut Frame<'_>,
    area: Rect,
) -> Position {
    let whole = Rect::new(0, 1, area.width, area.height.saturating_sub(ROWS_KEPT));
    let (columns, rows) = (picture.columns(), picture.rows());
    let (wide, high) = (usize::from(whole.width), usize::from(whole.height));
    let beside = columns + 2 * MARGIN + WORDS.0 <= wide;
    // Keep the rule below the title if there is room.
    let all = if rows < high {
        whole.offset(Offset { x: 0, y: 1 }).intersection(whole)
    } else {
        whole
    };
    frame.render_widget(Clear, all);
    let style = theme.black_on_white().unwrap_or_default();
    let left = if columns + MARGIN <= wide { MARGIN } else { 0 };
    for (y, row) in (all.y..all.bottom()).zip(0..rows) {
        let line = (0..columns).map(|column| module(picture.cell(column, row), style));
        put(theme, frame, narrow(left), y, line.collect());
    }
    let high = usize::from(all.height);
    let (left, top) = if beside {
        (columns + 2 * MARGIN, 1)
    } else if rows + WORDS.1 <= high {
        (MARGIN, rows)
    } else {
        // Only the code fits; the keys below it show how to go back.
        return Position::new(0, all.bottom());
    };
    let words = caption(picture, (wide - left - 1, high - top));
    let (left, first) = (narrow(left), all.y + narrow(top));
    for (y, line) in (first..all.bottom()).zip(words) {
        put(theme, frame, left, y, line);
    }
    Position::new(left, first)
}

fn narrow(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

/// Returns the cell of two modules. A cell of one color is a space, because some fonts leave a gap around a full block.
fn module((upper, lower): (bool, bool), style: Style) -> Span<'static> {
    let swapped = Style {
        fg: style.bg,
        bg: style.fg,
        ..style
    };
    match (upper, lower) {
        (false, false) => Span::styled(" ", style),
        (true, true) => Span::styled(" ", swapped),
        (true, false) => Span::styled("▀", style),
        (false, true) => Span::styled("▄", style),
    }
}
