//! A QR code, with what it leads to beside it.
//!
//! ```text
//!  OAuth Authorizer                              Microsoft 365 mail · device code
//!  ─────────────────────────────────────────────────────────────────────────────
//!     ▀▀▀▀▀   ▄ ▀    ▄      ▀▀▀▀▀      The QR code leads to
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

/// Columns on the left of the code, and between it and the words.
const MARGIN: usize = 3;
/// Columns that words need beside it, or rows below it.
const WORDS: (usize, usize) = (16, 3);

/// Gives the words beside a picture, in so many columns and rows.
pub(super) type Captions<'a> = dyn Fn(&Picture, (usize, usize)) -> Vec<Line<'static>> + 'a;

/// Draws it over all but the title and the keys, and says where the cursor belongs.
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
    // The rule below the title stays where it can.
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
        // The code alone; the keys below say how to go back.
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

/// Two modules. A cell of one color is a space: some fonts leave a gap around a full block.
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
