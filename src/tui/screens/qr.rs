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

use super::super::model::{Model, Phase};
use super::super::qr::{Picture, ROWS_KEPT};
use super::super::widgets::draw::put;
use super::super::widgets::text::{chunks, shorten, width, wrap};
use crate::oauth::url::is_loopback;

/// Columns on the left of the code, and between it and the words.
const MARGIN: usize = 3;
/// Columns that words need beside it, or rows below it.
const WORDS: (usize, usize) = (16, 3);
/// Lines of a long URL; the code says all of it.
const URL_LINES: usize = 4;

/// Draws it over all but the title and the keys, and says where the cursor belongs.
pub(super) fn draw(
    model: &Model,
    picture: &Picture,
    frame: &mut Frame<'_>,
    area: Rect,
) -> Position {
    let theme = model.theme;
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
    let words = words(model, picture, wide - left - 1, high - top);
    let (left, first) = (narrow(left), all.y + narrow(top));
    for (y, line) in (first..all.bottom()).zip(words) {
        put(theme, frame, left, y, line);
    }
    Position::new(left, first)
}

fn narrow(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

/// Two modules. A cell of one colour is a space: some fonts leave a gap around a full block.
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

/// What it leads to, and the code to be entered there; without blank lines where there is little room.
fn words(model: &Model, picture: &Picture, columns: usize, rows: usize) -> Vec<Line<'static>> {
    let theme = model.theme;
    let mut paragraphs: Vec<Vec<Line<'static>>> = Vec::new();
    let text = |words: &str| wrap(words, columns).into_iter().map(Line::from);
    let strong = |words: String| Line::styled(words, theme.strong());
    let mut lines = chunks(picture.url.as_str(), columns);
    if lines.len() > URL_LINES {
        lines.truncate(URL_LINES);
        if let Some(last) = lines.last_mut() {
            let room = columns - width(theme.ellipsis());
            *last = format!("{}{}", shorten(last, room, ""), theme.ellipsis());
        }
    }
    let code = match model.run.as_ref().map(|run| &run.phase) {
        Some(Phase::Device {
            user_code,
            complete,
            ..
        }) => Some((user_code, complete.as_ref() == Some(&picture.url))),
        _ => None,
    };
    let mut leads: Vec<Line<'static>> = text("The QR code leads to").collect();
    leads.extend(lines.into_iter().map(strong));
    if let Some((user_code, included)) = code {
        let about = if included {
            "The code is in it"
        } else {
            "Enter the code there"
        };
        let mut enter: Vec<Line<'static>> = text(about).collect();
        enter.push(strong(shorten(user_code, columns, theme.ellipsis())));
        // The code first, where the URL could push it out.
        if rows < leads.len() + enter.len() {
            paragraphs.push(enter);
        } else {
            paragraphs.push(std::mem::take(&mut leads));
            paragraphs.push(enter);
        }
    }
    if !leads.is_empty() {
        paragraphs.push(leads);
    }
    if is_loopback(&picture.url) {
        paragraphs
            .push(text("This is an address of this machine: a phone cannot open it.").collect());
    }
    paragraphs.push(text("The program goes on waiting.").collect());
    let needed: usize = paragraphs.iter().map(|lines| lines.len() + 1).sum();
    let mut all = Vec::new();
    for lines in paragraphs {
        if !all.is_empty() && needed <= rows {
            all.push(Line::default());
        }
        all.extend(lines);
    }
    all
}
