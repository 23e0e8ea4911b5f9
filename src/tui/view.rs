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

use super::keys;
use super::model::{Action, Model, Overlay, Run, Screen, Target};
use super::screens::{configure, flow, form, overlay, tokens, trace};
use super::widgets::draw::{Body, button, put, put_in};
use super::widgets::text::{fit, shorten, width, wrap};

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
        let lines = fit(lines, area.height.into(), columns, model.theme.ellipsis());
        for (row, line) in (0..area.height).zip(lines) {
            put(model.theme, frame, 0, row, Line::from(line));
        }
        return;
    }
    let theme = model.theme;
    let inner = usize::from(area.width) - 2;
    let title = model.title();
    let name = "OAuth Authorizer";
    let room = inner.saturating_sub(width(name) + 2);
    let title = shorten(&title, room, theme.ellipsis());
    put(model.theme, frame, 1, 0, Line::styled(name, theme.strong()));
    put(
        model.theme,
        frame,
        area.width.saturating_sub(1 + columns(&title)),
        0,
        Line::from(title),
    );
    rule(model, frame, 1);

    let places = Places::of(model, area);
    let body_area = places.body;

    let (body, mut cursor) = if let Some((left, right)) = halves(model, body_area) {
        draw_halves(model, frame, left, right)
    } else {
        let body = match model.screen {
            Screen::Form => form::body(model, area.width),
            Screen::Flow => flow::body(model, body_area, area.width),
            Screen::Tokens => tokens::body(model, body_area, area.width),
            Screen::Trace => trace::body(model, body_area),
            Screen::Configure => configure::body(model, body_area),
        };
        let first = first_row(model, &body, usize::from(body_area.height));
        let cursor = draw_body(model, frame, &body, body_area, first);
        (body, cursor)
    };
    draw_message(model, frame, &body, places.message);
    for (row, buttons) in (places.button_top..).zip(places.buttons) {
        let mut x = 3;
        for action in buttons {
            let focused = model.focus == Target::Button(action);
            let (next, at) = button(theme, frame, (x, row), action.label(model), focused);
            cursor = at.or(cursor);
            x = next;
        }
    }
    rule(model, frame, area.height - 2);
    footer(model, frame);
    if let Some(open) = &model.overlay {
        cursor = overlay::draw(model, open, frame, area).or(cursor);
    }
    if let Some(position) = cursor {
        frame.set_cursor_position(position);
    }
}

/// Where the parts of a screen stand.
struct Places {
    body: Rect,
    message: Rect,
    button_top: u16,
    /// In rows that fit.
    buttons: Vec<Vec<Action>>,
}

impl Places {
    fn of(model: &Model, area: Rect) -> Self {
        let inner = usize::from(area.width) - 2;
        let buttons = button_rows(model, inner);
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

/// The part of the screen that scrolls.
#[must_use]
pub fn body_area(model: &Model, area: Rect) -> Rect {
    Places::of(model, area).body
}

/// Columns of our own short texts.
fn columns(text: &str) -> u16 {
    u16::try_from(width(text)).unwrap_or(u16::MAX)
}

fn rule(model: &Model, frame: &mut Frame<'_>, y: u16) {
    let line = model
        .theme
        .rule()
        .repeat(usize::from(frame.area().width.saturating_sub(2)));
    put(
        model.theme,
        frame,
        1,
        y,
        Line::styled(line, model.theme.dim()),
    );
}

/// Where the settings stand and where that which a run says, side by side, on a screen that has room for both.
#[must_use]
pub fn halves(model: &Model, area: Rect) -> Option<(Rect, Rect)> {
    let fits = match model.screen {
        Screen::Form | Screen::Flow => true,
        Screen::Tokens => !tokens::is_long(model, area),
        Screen::Trace | Screen::Configure => false,
    };
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
    let settings = form::body(model, left.width);
    let mut run = match (model.screen, &model.tokens, &model.run) {
        (Screen::Tokens, ..) | (Screen::Form, Some(_), _) => tokens::body(model, right, page),
        (Screen::Form, None, None) => form::prospect(model, right.width),
        _ => flow::body(model, right, page),
    };
    // What is shown among the tokens is not shown beside the form.
    let below = match model.screen {
        Screen::Form => Vec::new(),
        _ => std::mem::take(&mut run.below),
    };
    if !below.is_empty() {
        let rows = u16::try_from(below.len()).unwrap_or(0);
        let top = left.bottom().saturating_sub(rows);
        for (y, row) in (top..left.bottom()).zip(&below) {
            put(model.theme, frame, 0, y, row.line.clone());
        }
        left.height = left.height.saturating_sub(rows + 1);
        right.height = left.height;
    }
    let (active, passive) = if model.screen == Screen::Form {
        ((settings, left), (run, right))
    } else {
        ((run, right), (settings, left))
    };
    draw_body(model, frame, &passive.0, passive.1, 0);
    let (body, area) = active;
    let first = first_row(model, &body, usize::from(area.height));
    let cursor = draw_body(model, frame, &body, area, first);
    (body, cursor)
}

/// The first row that is shown, so that the focus is in sight.
fn first_row(model: &Model, body: &Body, height: usize) -> usize {
    let last = body.rows.len().saturating_sub(height);
    let focused = body.rows.iter().position(|row| row.cursor.is_some());
    match focused {
        // The focus is above a text that is longer than the screen.
        Some(_) if model.screen == Screen::Flow && model.flow_scroll > 0 => {
            model.flow_scroll.min(last)
        }
        Some(row) if row >= height => row + 1 - height,
        Some(_) => body.scroll.min(last).min(focused.unwrap_or(0)),
        // On the form the buttons come after the last row.
        None if model.screen == Screen::Form => last,
        None if model.screen == Screen::Flow => model.flow_scroll.min(last),
        None => body.scroll.min(last),
    }
}

/// Draws the rows that fit, and says where the cursor belongs.
fn draw_body(
    model: &Model,
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
        let line = Line::styled(words, model.theme.dim());
        put(model.theme, frame, x, area.bottom(), line);
    }
    let mut cursor = None;
    for (y, row) in (area.y..area.bottom()).zip(body.rows.iter().skip(first)) {
        let place = Rect {
            y,
            height: 1,
            ..area
        };
        put_in(model.theme, frame, place, row.line.clone());
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
    let style = if bad { model.theme.bad() } else { Style::new() };
    let columns = usize::from(area.width.saturating_sub(3));
    let lines = fit(
        wrap(text, columns),
        area.height.into(),
        columns,
        model.theme.ellipsis(),
    );
    for (y, line) in (area.y..area.bottom()).zip(lines) {
        put(model.theme, frame, 3, y, Line::styled(line, style));
    }
}

/// The buttons in rows that fit.
fn button_rows(model: &Model, inner: usize) -> Vec<Vec<Action>> {
    let mut rows = vec![Vec::new()];
    let mut used = 2;
    for action in model.buttons() {
        let needed = width(action.label(model)) + 5;
        if used + needed > inner + 1 {
            rows.push(Vec::new());
            used = 2;
        }
        used += needed;
        if let Some(row) = rows.last_mut() {
            row.push(action);
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
fn footer(model: &Model, frame: &mut Frame<'_>) {
    let theme = model.theme;
    let area = frame.area();
    let context = model.context();
    let entry = |key: String, words: &str| (key, words.to_owned());
    let mut keys: Vec<(String, String)> = keys::footer(context)
        .into_iter()
        .map(|(key, words)| entry(key, words))
        .collect();
    let mut last: Vec<(String, String)> = keys.pop().into_iter().collect();
    if model.overlay.is_none() {
        if model.discovering || model.run.as_ref().is_some_and(super::model::Run::is_live) {
            last.insert(0, entry("Esc".to_owned(), "cancel"));
        }
        if let Target::Field(key) | Target::Remedy(key) = model.focus
            && let Some(remedy) = model.remedied(key).and_then(|problem| problem.remedy)
        {
            keys.insert(0, ("Ctrl+F".to_owned(), lower_first(&remedy.label)));
        }
        if matches!(context, keys::Context::Button | keys::Context::Below) {
            let letters = model.buttons().into_iter();
            keys.extend(letters.map(|action| {
                (
                    action.letter().to_string(),
                    lower_first(action.label(model)),
                )
            }));
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
pub fn urls(model: &Model) -> impl Iterator<Item = &Url> {
    let run = model.run.iter().filter(|_| model.screen == Screen::Flow);
    run.flat_map(Run::urls)
}

/// True while something other than the model owns the screen.
#[must_use]
pub fn is_plain(model: &Model) -> bool {
    matches!(
        model.overlay,
        Some(Overlay::Plain { .. } | Overlay::Outside)
    )
}
