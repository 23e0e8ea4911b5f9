//! Where the parts of a screen stand: the body, the message area, the buttons. Nothing else knows how much of the body fits.
//!
//! The body is at the top, everything else at the bottom. The message uses the rows that the body doesn't need.

use ratatui::layout::Rect;

use super::model::Model;
use super::screen::Place;
use super::screen::ViewContext;
use super::screens;
use super::widgets::draw::Body;
use super::widgets::grid::{self, LOW, NARROW, WIDE};
use super::widgets::said::{Said, Tone};
use super::widgets::text::{shorten, width, wrap};
use super::widgets::theme::Theme;

/// The most columns of either.
const WIDEST: u16 = 100;
/// From this height on there are empty rows above and below the message.
const ROOMY: u16 = 22;
/// Rows kept for the message, so that most of them leave the body where it is.
const MESSAGE_ROWS: u16 = 2;
/// Rows of the body that no message takes.
const BODY_ROWS: u16 = 3;

/// A line of the message area.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SaidLine {
    /// Which of the sentences it is part of.
    pub(super) said: usize,
    /// It is the first one, behind the label.
    pub(super) first: bool,
    /// What it says.
    pub(super) text: String,
}

/// What is next to the body that has the focus.
#[derive(Debug)]
pub(super) struct Beside {
    pub(super) body: Body,
    pub(super) area: Rect,
}

/// Where the parts of a screen stand.
#[derive(Debug)]
pub(super) struct Page {
    /// The body that has the focus.
    pub(super) body: Body,
    /// Where it stands.
    pub(super) body_area: Rect,
    /// The first row of it that is shown.
    pub(super) first: usize,
    /// What is next to it on a wide page.
    pub(super) beside: Option<Beside>,
    /// The message.
    pub(super) said: Vec<Said>,
    /// The same in lines.
    pub(super) lines: Vec<SaidLine>,
    /// Where they stand.
    pub(super) message: Rect,
    /// The first row of buttons.
    pub(super) buttons: u16,
}

/// True for a window in which every row counts.
pub(super) fn is_low(area: Rect) -> bool {
    area.height < LOW
}

/// True for a window in which every column counts.
pub(super) fn is_narrow(area: Rect) -> bool {
    area.width < NARROW
}

impl Page {
    /// In the window as it is.
    pub(super) fn of(model: &Model) -> Self {
        let (columns, rows) = model.console.size;
        let area = Rect::new(0, 0, columns, rows);
        let low = is_low(area);
        let (head, foot) = if low { (1, 1) } else { (2, 2) };
        let buttons = area
            .height
            .saturating_sub(foot + button_rows(model))
            .max(head);
        let roomy = u16::from(area.height >= ROOMY);
        // The empty rows above and below the message go first.
        let all = buttons.saturating_sub(head);
        let room = all.saturating_sub(2 * roomy);
        let offered = Rect::new(0, head, area.width, room.saturating_sub(MESSAGE_ROWS));
        let (mut body, beside, mut body_area) = bodies(model, offered, area.width);
        let said = match &model.message {
            Some(message) => message.said.clone(),
            None => std::mem::take(&mut body.hint),
        };
        let mut lines = said_lines(&said, area);
        let body_rows = u16::try_from(body.rows.len() + body.below.len()).unwrap_or(u16::MAX);
        // A hint gives way to the body in a small window; what happened does not.
        let is_hint = said.iter().all(|said| said.tone == Tone::Plain);
        let spared = if model.message.is_none() && is_hint && low {
            MESSAGE_ROWS
        } else {
            room.saturating_sub(BODY_ROWS)
        };
        let free = room.saturating_sub(body_rows).max(spared.min(room));
        let wanted = u16::try_from(lines.len()).unwrap_or(u16::MAX);
        let message_rows = wanted.min(free);
        cut(&mut lines, message_rows.into(), area, model.console.theme);
        let kept = message_rows.max(MESSAGE_ROWS.min(room));
        body_area.height = room - kept;
        let below = u16::try_from(body.below.len()).unwrap_or(0);
        body_area.height = body_area.height.saturating_sub(below);
        let first = first_row(&body, body_area.height, model.top().scroll());
        let beside = beside.map(|(body, area)| Beside {
            body,
            area: Rect {
                height: body_area.height,
                ..area
            },
        });
        let top = buttons - roomy.min(buttons) - message_rows;
        Self {
            body,
            body_area,
            first,
            beside,
            said,
            lines,
            message: Rect::new(0, top, area.width, message_rows),
            buttons,
        }
    }

    /// How many rows of the body are shown at once.
    pub(super) fn height(&self) -> usize {
        self.body_area.height.into()
    }

    /// The first row with which the last one is in sight.
    pub(super) fn last_first(&self) -> usize {
        self.body.rows.len().saturating_sub(self.height())
    }

    /// The first row with which the focus is in sight, moved as little as can be.
    pub(super) fn with_focus(&self) -> usize {
        let focused = self.body.rows.iter().position(|row| row.cursor.is_some());
        let first = self.first.min(self.last_first());
        let Some(row) = focused else {
            return first;
        };
        // With a row of context, where there is one.
        let context = usize::from(self.height() > 4);
        let lowest = (row + 1 + context)
            .saturating_sub(self.height())
            .min(self.last_first());
        let highest = row.saturating_sub(context);
        first.max(lowest).min(highest)
    }
}

fn first_row(body: &Body, height: u16, scroll: usize) -> usize {
    scroll.min(body.rows.len().saturating_sub(height.into()))
}

/// Rows of buttons at the bottom.
fn button_rows(model: &Model) -> u16 {
    let rows = model
        .items()
        .into_iter()
        .filter_map(|item| match item.place {
            Place::Row(row) => Some(row + 1),
            Place::Body | Place::More | Place::Nowhere => None,
        });
    u16::try_from(rows.max().unwrap_or(0)).unwrap_or(1)
}

/// What has no room is cut, and the last line says so.
fn cut(lines: &mut Vec<SaidLine>, rows: usize, area: Rect, theme: Theme) {
    if lines.len() <= rows {
        return;
    }
    lines.truncate(rows);
    if let Some(last) = lines.last_mut() {
        let room = said_columns(area).saturating_sub(width(theme.ellipsis()));
        let text = shorten(&last.text, room, "");
        last.text = format!("{}{}", text.trim_end(), theme.ellipsis());
    }
}

/// How many columns there are for the message.
fn said_columns(area: Rect) -> usize {
    if is_narrow(area) {
        usize::from(area.width).saturating_sub(2)
    } else {
        grid::room(area.width.into())
    }
}

/// The message, in lines of its columns.
fn said_lines(said: &[Said], area: Rect) -> Vec<SaidLine> {
    let narrow = is_narrow(area);
    let columns = said_columns(area);
    let mut lines = Vec::new();
    for (at, sentence) in said.iter().enumerate() {
        let text = if narrow && !sentence.label.is_empty() {
            format!("{}: {}", sentence.label, sentence.text)
        } else {
            sentence.text.clone()
        };
        for (row, text) in wrap(&text, columns).into_iter().enumerate() {
            lines.push(SaidLine {
                said: at,
                first: row == 0,
                text,
            });
        }
    }
    lines
}

/// The body that has the focus, what is next to it, and where the first one stands.
fn bodies(model: &Model, area: Rect, page: u16) -> (Body, Option<(Body, Rect)>, Rect) {
    let focused = model.view_context();
    let fits = model.top().fits_beside(area, focused);
    if !fits || area.width < WIDE || is_low(Rect::new(0, 0, page, model.console.size.1)) {
        return (model.top().body(focused, area, page), None, area);
    }
    // Wider ones are no easier to read.
    let width = (area.width / 2 - 1).min(WIDEST);
    let left = Rect { width, ..area };
    let right = Rect {
        x: width,
        width: (area.width - width).min(WIDEST),
        ..area
    };
    let passive = ViewContext {
        focused: false,
        ..focused
    };
    if model.screens.is_form_on_top() {
        let body = model.screens.form().body(focused, left, page);
        let beside = screens::beside_form(passive, right, page);
        return (body, Some((beside, right)), left);
    }
    let settings = model.screens.form().body(passive, left, page);
    let body = model.top().body(focused, right, page);
    (body, Some((settings, left)), right)
}
