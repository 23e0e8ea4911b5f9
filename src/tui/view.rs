//! Draws the model. Changes nothing, waits for nothing, reads no environment.
//!
//! ```text
//!  OAuth Authorizer                                        title of the screen
//!  ───────────────────────────────────────────────────────────────────────────
//!  body, which scrolls
//!
//!  message: what to do first, why second
//!  [ buttons ]
//!  ───────────────────────────────────────────────────────────────────────────
//!  keys that count here
//! ```
//!
//! On a wide screen the settings stand left, and what a run says right.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use url::Url;

use super::keys::{self, Context};
use super::model::Model;
use super::root;
use super::screen::{ItemView, ViewContext};
use super::screens;
use super::widgets::draw::{Anchor, Body, button, put, put_in};
use super::widgets::text::{fit, shorten, width, wrap};
use super::widgets::theme::Theme;

/// Below this the screen holds only a notice.
pub const SMALLEST: (u16, u16) = (40, 10);
/// From this width on, the settings stand left and what a run says right.
const WIDE: u16 = 120;
/// The most columns of either.
const WIDEST: u16 = 100;
/// From this height on there are empty rows around the message.
const ROOMY: u16 = 22;
/// Lines kept for the message above the buttons.
const MESSAGE_LINES: u16 = 3;
/// Lines that a long message may take.
const MESSAGE_MOST: u16 = 6;

/// Draws everything.
pub fn view(model: &Model, frame: &mut Frame<'_>) {
    let area = frame.area();
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        let text = format!(
            "This window is too small: {} x {} at least.",
            SMALLEST.0, SMALLEST.1
        );
        let columns = usize::from(area.width);
        let lines = wrap(&text, columns);
        let lines = fit(
            lines,
            area.height.into(),
            columns,
            model.console.theme.ellipsis(),
        );
        for (row, line) in (0..area.height).zip(lines) {
            put(model.console.theme, frame, 0, row, Line::from(line));
        }
        return;
    }
    let theme = model.console.theme;
    let cx = model.view_context();
    let inner = usize::from(area.width) - 2;
    let title = model.top().title(cx);
    let name = "OAuth Authorizer";
    let room = inner.saturating_sub(width(name) + 2);
    let title = shorten(&title, room, theme.ellipsis());
    put(theme, frame, 1, 0, Line::styled(name, theme.strong()));
    let x = area.width.saturating_sub(1 + columns(&title));
    put(theme, frame, x, 0, Line::from(title));
    rule(theme, frame, 1);

    let items = model.items();
    let places = Places::of(model, &items, area);
    let body_area = places.body;
    let (body, mut cursor) = if let Some((left, right)) = halves(model, body_area) {
        draw_halves(model, frame, left, right)
    } else {
        let body = model.top().body(cx, body_area, area.width);
        let first = first_row(&body, usize::from(body_area.height));
        let cursor = draw_body(theme, frame, &body, body_area, first);
        (body, cursor)
    };
    draw_message(model, frame, &body, places.message);
    for (row, buttons) in (places.button_top..).zip(places.buttons) {
        let mut x = 3;
        for item in buttons {
            let (next, at) = button(theme, frame, (x, row), &item.label, item.focused);
            cursor = at.or(cursor);
            x = next;
        }
    }
    rule(theme, frame, area.height - 2);
    footer(model, &items, frame);
    let over = match &model.dialog {
        Some(dialog) => root::draw(dialog, &items, theme, frame, area),
        None => model.top().draw_dialog(cx, frame, area),
    };
    cursor = over.or(cursor);
    if let Some(position) = cursor {
        frame.set_cursor_position(position);
    }
}

/// Where the parts of a screen stand.
struct Places<'a> {
    body: Rect,
    message: Rect,
    button_top: u16,
    /// In rows that fit.
    buttons: Vec<Vec<&'a ItemView>>,
}

impl<'a> Places<'a> {
    fn of(model: &Model, items: &'a [ItemView], area: Rect) -> Self {
        let inner = usize::from(area.width) - 2;
        let buttons = button_rows(items, inner);
        let button_count = u16::try_from(buttons.len()).unwrap_or(1);
        let button_top = area.height - 2 - button_count;
        let roomy = area.height >= ROOMY;
        let lines = match &model.message {
            // What was said is not cut where the body can spare the room.
            Some(message) if roomy => {
                let lines = wrap(&message.text, inner.saturating_sub(1)).len();
                u16::try_from(lines).map_or(MESSAGE_LINES, |lines| {
                    lines.clamp(MESSAGE_LINES, MESSAGE_MOST)
                })
            }
            Some(_) | None if area.height >= 18 => MESSAGE_LINES,
            Some(_) | None => 1,
        };
        let top = button_top - u16::from(roomy) - lines;
        let body = top.saturating_sub(2 + u16::from(roomy));
        Self {
            body: Rect::new(0, 2, area.width, body),
            message: Rect::new(1, top, area.width - 2, lines),
            button_top,
            buttons,
        }
    }
}

/// Columns of our own short texts.
fn columns(text: &str) -> u16 {
    u16::try_from(width(text)).unwrap_or(u16::MAX)
}

fn rule(theme: Theme, frame: &mut Frame<'_>, y: u16) {
    let columns = usize::from(frame.area().width.saturating_sub(2));
    let line = Line::styled(theme.rule().repeat(columns), theme.dim());
    put(theme, frame, 1, y, line);
}

/// Where the settings stand, and where what a run says, side by side, on a page that has room for both.
fn halves(model: &Model, area: Rect) -> Option<(Rect, Rect)> {
    let fits = model.top().fits_beside(area, model.view_context());
    if !fits || area.width < WIDE {
        return None;
    }
    // Wider ones are no easier to read.
    let width = (area.width / 2).min(WIDEST);
    let left = Rect { width, ..area };
    Some((left, Rect { x: width, ..left }))
}

/// Draws both halves, and what needs the whole width below them; says of the one with the focus what its hint is and
/// where the cursor belongs.
fn draw_halves(
    model: &Model,
    frame: &mut Frame<'_>,
    mut left: Rect,
    mut right: Rect,
) -> (Body, Option<Position>) {
    let page = frame.area().width;
    let theme = model.console.theme;
    let focused = model.view_context();
    let passive = ViewContext {
        focused: false,
        ..focused
    };
    if model.screens.is_form_on_top() {
        let body = model.screens.form().body(focused, left, page);
        let beside = screens::beside_form(passive, right, page);
        draw_body(theme, frame, &beside, right, 0);
        let first = first_row(&body, usize::from(left.height));
        let cursor = draw_body(theme, frame, &body, left, first);
        return (body, cursor);
    }
    let settings = model.screens.form().body(passive, left, page);
    let body = model.top().body(focused, right, page);
    if !body.below.is_empty() {
        let rows = u16::try_from(body.below.len()).unwrap_or(0);
        let top = left.bottom().saturating_sub(rows);
        for (y, row) in (top..left.bottom()).zip(&body.below) {
            put(theme, frame, 0, y, row.line.clone());
        }
        left.height = left.height.saturating_sub(rows + 1);
        right.height = left.height;
    }
    draw_body(theme, frame, &settings, left, 0);
    let first = first_row(&body, usize::from(right.height));
    let cursor = draw_body(theme, frame, &body, right, first);
    (body, cursor)
}

/// The first row that is shown, so that the focus is in sight.
fn first_row(body: &Body, height: usize) -> usize {
    let last = body.rows.len().saturating_sub(height);
    let scrolled = body.scroll.min(last);
    let focused = body.rows.iter().position(|row| row.cursor.is_some());
    match (body.anchor, focused) {
        (Anchor::Focus | Anchor::End, Some(row)) if row >= height => row + 1 - height,
        (Anchor::Focus | Anchor::End, Some(row)) => scrolled.min(row),
        (Anchor::End, None) => last,
        (Anchor::Focus, None) | (Anchor::Scroll, _) => scrolled,
    }
}

/// Draws the rows that fit, and says where the cursor belongs.
fn draw_body(
    theme: Theme,
    frame: &mut Frame<'_>,
    body: &Body,
    area: Rect,
    first: usize,
) -> Option<Position> {
    let last = body.rows.len().saturating_sub(usize::from(area.height));
    // Where there is room between the body and the message, what is hidden below is told.
    if first < last && frame.area().height >= ROOMY {
        let words = "more below";
        let x = area.right().saturating_sub(columns(words) + 1);
        let line = Line::styled(words, theme.dim());
        put(theme, frame, x, area.bottom(), line);
    }
    let mut cursor = None;
    for (y, row) in (area.y..area.bottom()).zip(body.rows.iter().skip(first)) {
        let place = Rect {
            y,
            height: 1,
            ..area
        };
        put_in(theme, frame, place, row.line.clone());
        if let Some(x) = row.cursor {
            let x = area.x + x.min(area.width.saturating_sub(1));
            cursor = Some(Position::new(x, y));
        }
    }
    cursor
}

fn draw_message(model: &Model, frame: &mut Frame<'_>, body: &Body, area: Rect) {
    let (text, bad) = match &model.message {
        Some(message) => (message.text.as_str(), message.bad),
        None => (body.hint.as_str(), body.hint_is_bad),
    };
    let style = if bad {
        model.console.theme.bad()
    } else {
        Style::new()
    };
    let columns = usize::from(area.width.saturating_sub(3));
    let lines = fit(
        wrap(text, columns),
        area.height.into(),
        columns,
        model.console.theme.ellipsis(),
    );
    for (y, line) in (area.y..area.bottom()).zip(lines) {
        put(model.console.theme, frame, 3, y, Line::styled(line, style));
    }
}

/// The buttons in rows that fit.
fn button_rows(items: &[ItemView], inner: usize) -> Vec<Vec<&ItemView>> {
    let mut rows = vec![Vec::new()];
    let mut used = 2;
    for item in items.iter().filter(|item| item.is_button()) {
        let needed = width(&item.label) + 5;
        if used + needed > inner + 1 {
            rows.push(Vec::new());
            used = 2;
        }
        used += needed;
        if let Some(row) = rows.last_mut() {
            row.push(item);
        }
    }
    rows
}

/// The label of a button as part of a sentence.
fn lower_first(label: &str) -> String {
    // QR stays QR.
    if label.chars().nth(1).is_some_and(char::is_uppercase) {
        return label.to_owned();
    }
    let mut chars = label.chars();
    let first = chars.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(chars).collect()
}

/// The keys that count here. Where room is short, how to cancel and how to leave stay.
fn footer(model: &Model, items: &[ItemView], frame: &mut Frame<'_>) {
    let theme = model.console.theme;
    let area = frame.area();
    let context = model.context();
    let entry = |key: String, words: &str| (key, words.to_owned());
    let mut keys: Vec<(String, String)> = keys::footer(context)
        .into_iter()
        .map(|(key, words)| entry(key, words))
        .collect();
    let mut last: Vec<(String, String)> = keys.pop().into_iter().collect();
    if !model.has_dialog() {
        if model.session.work().is_some() {
            last.insert(0, entry("Esc".to_owned(), "cancel"));
        }
        let focused = items.iter().find(|item| item.focused);
        if let Some(words) = focused.and_then(|item| item.enter)
            && let Some((_, told)) = keys.iter_mut().find(|(key, _)| key == "Enter")
        {
            words.clone_into(told);
        }
        if let Some(fix) = focused.and_then(|item| item.fix.as_ref()) {
            keys.insert(0, ("Ctrl+F".to_owned(), lower_first(fix)));
        }
        if matches!(context, Context::Button | Context::Below) {
            let letters = items.iter().filter_map(|item| {
                let letter = item.letter()?;
                Some((letter.to_string(), lower_first(&item.label)))
            });
            keys.extend(letters);
        }
    }
    let needed = |(key, words): &(String, String)| width(key) + width(words) + 4;
    let mut left =
        usize::from(area.width).saturating_sub(1 + last.iter().map(needed).sum::<usize>());
    keys.retain(|entry| {
        let fits = needed(entry) <= left;
        left = if fits { left - needed(entry) } else { 0 };
        fits
    });
    keys.extend(last);
    let mut spans = Vec::new();
    for (key, words) in keys {
        spans.push(Span::styled(key, theme.strong()));
        spans.push(Span::raw(format!(" {words}   ")));
    }
    put(theme, frame, 1, area.height - 1, Line::from(spans));
}

/// The URLs that stand on the screen to be opened, those that others begin with last.
#[must_use]
pub fn urls(model: &Model) -> Vec<Url> {
    model.top().urls(model.view_context())
}

/// True while something other than the model owns the screen.
#[must_use]
pub fn is_plain(model: &Model) -> bool {
    model.alone.is_some()
}
