//! Draws the model. Changes nothing, waits for nothing, and doesn't read the environment.
//!
//! ```text
//!  OAuth Authorizer                                        title of the screen
//!  ─────────────────────────────────────────── lines 4–15 of 19 · PgUp PgDn ──
//!  body, which scrolls
//!
//!  message: a label and a text
//!
//!  [a Button] [? Help]
//!  ───────────────────────────────────────────────────────────────────────────
//!  keys that work now
//! ```
//!
//! On a wide page the settings are on the left, and the sign-in or the tokens on the right. A low window has no rules.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use url::Url;

use super::keys::{self, Context};
use super::leaving::asks_to_leave;
use super::model::Model;
use super::page::{Page, is_low, is_narrow};
use super::root::{self, Alone, Below};
use super::screen::{ItemView, Shortcut};
use super::screen::{Place, buttons};
use super::widgets::button::{button, shown_label};
use super::widgets::draw::{Row, put, put_in};
use super::widgets::grid::{self, LABEL};
use super::widgets::text::{fit, in_sentence, shorten, width, wrap};
use super::widgets::theme::Theme;

/// Minimum size of the window, in columns and rows. A smaller window shows only a notice.
pub const SMALLEST: (u16, u16) = (40, 10);
/// The program's name, at the top left.
const NAME: &str = "OAuth Authorizer";

/// Returns whether a window of this size shows only a notice.
pub(super) fn is_too_small((columns, rows): (u16, u16)) -> bool {
    columns < SMALLEST.0 || rows < SMALLEST.1
}

/// Draws the whole screen.
pub fn view(model: &Model, frame: &mut Frame<'_>) {
    let area = frame.area();
    let theme = model.console.theme;
    if is_too_small((area.width, area.height)) {
        too_small(model, frame);
        return;
    }
    let cx = model.view_context();
    let items = model.items();
    let page = Page::of(model);
    title(model, &page, frame);
    if !is_low(area) {
        let place = scroller(theme, &page);
        let words = if place.is_empty() {
            place
        } else {
            format!("lines {place}")
        };
        rule(theme, frame, 1, &words);
        rule(theme, frame, area.height - 2, "");
    }
    if let Some(beside) = &page.beside {
        let rows = &beside.body.rows;
        draw_rows(theme, frame, rows, beside.area);
    }
    let shown = page.body.rows.get(page.first..).unwrap_or_default();
    let mut cursor = draw_rows(theme, frame, shown, page.body_area);
    let below = Rect {
        x: 0,
        y: page.body_area.bottom(),
        width: area.width,
        height: page.message.y.saturating_sub(page.body_area.bottom()),
    };
    draw_rows(theme, frame, &page.body.below, below);
    draw_message(theme, &page, frame);
    footer(model, &items, frame);
    cursor = draw_buttons(theme, frame, &items, page.buttons).or(cursor);
    if model.has_dialog() {
        // The focus is in the dialog.
        for cell in &mut frame.buffer_mut().content {
            cell.modifier.remove(Modifier::REVERSED);
        }
    }
    let over = match &model.dialog {
        Some(dialog) => {
            let route = model.top().route();
            let items = &items;
            root::draw(dialog, &Below { route, items }, theme, frame, area)
        }
        None => model.top().draw_dialog(cx, frame, area),
    };
    // Without a focus, the cursor is at the start of the body. If the focused value continues below the window, the
    // cursor is at the end of the body.
    let focused = page.body.rows.iter().position(|row| row.cursor.is_some());
    let goes_on = focused.is_some_and(|row| row >= page.first + page.height());
    let last = page.body_area.bottom().saturating_sub(1);
    let y = if goes_on { last } else { page.body_area.y };
    let start = Position::new(page.body_area.x + 3, y);
    frame.set_cursor_position(over.or(cursor).unwrap_or(start));
}

/// Draws the notice in place of the screen, and what the key that quits does if its question can't be seen.
fn too_small(model: &Model, frame: &mut Frame<'_>) {
    let theme = model.console.theme;
    let area = frame.area();
    let asks = model.dialog.as_ref().is_some_and(asks_to_leave);
    let text = format!(
        "This window is too small. The smallest is {} x {}.{}",
        SMALLEST.0,
        SMALLEST.1,
        if asks {
            " Ctrl+C again quits without saving."
        } else {
            ""
        }
    );
    let columns = usize::from(area.width);
    let lines = wrap(&text, columns);
    let lines = fit(lines, area.height.into(), columns, theme.ellipsis());
    for (row, line) in (0..area.height).zip(lines) {
        put(theme, frame, 0, row, Line::from(line));
    }
}

/// Returns the width of a short text of the program, in columns.
fn columns(text: &str) -> u16 {
    u16::try_from(width(text)).unwrap_or(u16::MAX)
}

/// Draws the name of the program and the title of the screen. A low window also shows the scroll position here, and one
/// that is also narrow has no name.
fn title(model: &Model, page: &Page, frame: &mut Frame<'_>) {
    let theme = model.console.theme;
    let area = frame.area();
    let mut title = model.top().title(model.view_context());
    let named = !is_narrow(area) || !is_low(area);
    let left = if named { width(NAME) + 2 } else { 0 };
    let mut room = usize::from(area.width) - 2 - left;
    let mut place = scroller(theme, page);
    if is_low(area) && !place.is_empty() {
        place = format!(" {} {place}", theme.dot());
        room = room.saturating_sub(width(&place));
    } else {
        place.clear();
    }
    title = shorten(&title, room, theme.ellipsis()) + &place;
    if named {
        put(theme, frame, 1, 0, Line::styled(NAME, theme.strong()));
    }
    let x = area.width.saturating_sub(1 + columns(&title));
    put(theme, frame, x, 0, Line::from(title));
}

/// Draws a rule, with a text at its right end.
fn rule(theme: Theme, frame: &mut Frame<'_>, y: u16, words: &str) {
    let columns = usize::from(frame.area().width.saturating_sub(2));
    let line = if words.is_empty() {
        Line::styled(theme.rule().repeat(columns), theme.dim())
    } else {
        let before = columns.saturating_sub(width(words) + 4);
        Line::from(vec![
            Span::styled(theme.rule().repeat(before), theme.dim()),
            Span::raw(format!(" {words} ")),
            Span::styled(theme.rule().repeat(2), theme.dim()),
        ])
    };
    put(theme, frame, 1, y, line);
}

/// Returns the range of visible lines and the keys that scroll; empty if the whole body is visible.
fn scroller(theme: Theme, page: &Page) -> String {
    let (height, count) = (page.height(), page.body.rows.len());
    if count <= height {
        return String::new();
    }
    let (first, last) = (page.first + 1, (page.first + height).min(count));
    let up = if first > 1 { " PgUp" } else { "" };
    let down = if last < count { " PgDn" } else { "" };
    let dash = theme.dash();
    let dot = theme.dot();
    format!("{first}{dash}{last} of {count} {dot}{up}{down}")
}

/// Draws the rows that fit, and returns the cursor position.
fn draw_rows(theme: Theme, frame: &mut Frame<'_>, rows: &[Row], area: Rect) -> Option<Position> {
    let mut cursor = None;
    for (y, row) in (area.y..area.bottom()).zip(rows) {
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

fn draw_message(theme: Theme, page: &Page, frame: &mut Frame<'_>) {
    let narrow = is_narrow(frame.area());
    let columns = usize::from(page.message.width);
    let value = grid::value(columns);
    for (y, line) in (page.message.y..page.message.bottom()).zip(&page.lines) {
        let Some(said) = page.said.get(line.said) else {
            continue;
        };
        let style = theme.tone(said.tone);
        if narrow {
            let label = line.text.strip_prefix(said.label.as_ref());
            let rest = label.filter(|_| line.first).unwrap_or(&line.text);
            let (label, text) = line.text.split_at(line.text.len() - rest.len());
            let spans = vec![Span::styled(label, style), Span::raw(text)];
            put(theme, frame, 1, y, Line::from(spans));
            continue;
        }
        if line.first {
            let label = Line::styled(said.label.as_ref(), style);
            put(theme, frame, narrow_to_u16(LABEL), y, label);
        }
        put(
            theme,
            frame,
            narrow_to_u16(value),
            y,
            Line::from(line.text.as_str()),
        );
    }
}

fn narrow_to_u16(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

/// Draws the rows of buttons, starting at row `top`, and returns the cursor position.
fn draw_buttons(
    theme: Theme,
    frame: &mut Frame<'_>,
    items: &[ItemView],
    top: u16,
) -> Option<Position> {
    let start = buttons::start(frame.area().width);
    let mut cursor = None;
    let (mut row, mut x) = (0, start);
    // In order of their rows: in a narrow window, the buttons next to the focused row come first.
    let mut placed: Vec<(usize, &ItemView)> = items
        .iter()
        .filter_map(|item| match item.place {
            Place::Row(row) => Some((row, item)),
            Place::Body | Place::More | Place::Nowhere => None,
        })
        .collect();
    placed.sort_by_key(|(row, item)| (*row, !item.beside));
    for (at, item) in placed {
        if at != row {
            (row, x) = (at, start);
        }
        let y = top + narrow_to_u16(row);
        let shown = (item.shortcut, item.label.as_ref());
        let (next, focus) = button(theme, frame, (x, y), shown, item.focused);
        cursor = focus.or(cursor);
        x = next;
    }
    cursor
}

/// A key, and what it does.
type Hint = (String, String);

/// Draws the keys that work now: Ctrl+F and Enter first, Esc and Ctrl+C last. If room is short, those stay.
fn footer(model: &Model, items: &[ItemView], frame: &mut Frame<'_>) {
    let theme = model.console.theme;
    let area = frame.area();
    let gap = if is_narrow(area) { 2 } else { 3 };
    let (first, middle, last) = hints(model, items);
    let needed = |(key, words): &Hint| {
        width(&shown_label(key, !theme.utf8)) + width(&shown_label(words, !theme.utf8)) + 1 + gap
    };
    let mut left = usize::from(area.width - 1 + narrow_to_u16(gap)) - 1;
    let mut keep = |hints: Vec<Hint>| -> Vec<Hint> {
        let kept = hints.into_iter().take_while(|hint| {
            let fits = needed(hint) <= left;
            left = if fits { left - needed(hint) } else { left };
            fits
        });
        kept.collect()
    };
    let first = keep(first);
    let last = keep(last);
    let middle = keep(middle);
    // In one style, because the row is redrawn often, and the line may be slow.
    let hints = first.into_iter().chain(middle).chain(last);
    let hints: Vec<String> = hints.map(|(key, words)| format!("{key} {words}")).collect();
    let line = hints.join(&" ".repeat(gap));
    put(theme, frame, 1, area.height - 1, Line::from(line));
}

/// Returns the hints that come first, those that may be left out, and those that come last.
fn hints(model: &Model, items: &[ItemView]) -> (Vec<Hint>, Vec<Hint>, Vec<Hint>) {
    let context = model.context();
    let hint = |key: &str, words: &str| (key.to_owned(), words.to_owned());
    let mut keys: Vec<Hint> = keys::footer(context)
        .into_iter()
        .map(|(key, words)| hint(&key, words))
        .collect();
    let leave: Vec<Hint> = keys.pop().into_iter().collect();
    if model.has_dialog() {
        let (escape, keys) = keys.into_iter().partition(|(key, _)| key == "Esc");
        let mut last: Vec<Hint> = escape;
        last.extend(leave);
        let mut keys = keys;
        let first = keys.drain(..keys.len().min(1)).collect();
        return (first, keys, last);
    }
    let focused = items.iter().find(|item| item.focused);
    let mut first = Vec::new();
    if let Some(fix) = focused.and_then(|item| item.fix.as_ref()) {
        first.push(hint("Ctrl+F", &in_sentence(fix)));
    }
    if let Some(at) = keys.iter().position(|(key, _)| key == "Enter") {
        let (key, words) = keys.remove(at);
        let own = focused.and_then(|item| item.enter);
        first.push((key, own.map_or(words, ToOwned::to_owned)));
    }
    let mut last = Vec::new();
    // Buttons show their own keys.
    let mut middle = keys;
    if let Some((key, words)) = focused.and_then(|item| item.hint) {
        middle.insert(middle.len().min(1), hint(key, words));
    }
    let escape = items.iter().find(|item| item.shortcut == Shortcut::Esc);
    let typed = matches!(context, Context::Text | Context::Paste | Context::Search);
    if typed && items.iter().any(ItemView::is_button) {
        last.push(hint("Esc", "buttons"));
    } else if let Some(escape) = escape.filter(|item| !item.focused) {
        last.push(hint("Esc", &in_sentence(&escape.label)));
    }
    last.extend(leave);
    (first, middle, last)
}

/// Returns the URLs on the screen that the user can open. A URL that other URLs begin with comes last.
#[must_use]
pub fn urls(model: &Model) -> Vec<Url> {
    model.top().urls(model.view_context())
}

/// Returns the row below the body, and the first row of buttons, for the current window size.
#[must_use]
pub fn parts(model: &Model) -> (u16, u16) {
    let page = Page::of(model);
    (page.body_area.bottom(), page.buttons)
}

/// Returns whether a value is shown alone, so that the screen is not drawn from the model.
#[must_use]
pub fn is_plain(model: &Model) -> bool {
    model.alone().is_some() || matches!(model.alone, Some(Alone::Outside))
}
