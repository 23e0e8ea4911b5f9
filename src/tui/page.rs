//! The layout of a page: where the body, the message area and the buttons are, and how much of the body fits.
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
use super::widgets::text::{ascii, shorten, width, wrap};
use super::widgets::theme::Theme;

/// Maximum width of each of the two bodies on a wide page, in columns.
const WIDEST: u16 = 100;
/// Minimum height for empty rows above and below the message.
const ROOMY: u16 = 22;
/// The key that shows the whole of a message that was cut.
const WHOLE: &str = "Ctrl+O";
/// Rows reserved for the message, so that most messages don't move the body.
const MESSAGE_ROWS: u16 = 2;
/// Rows of the body that no message takes, so that the paste box stays visible wherever the focus is. Ctrl+O shows the
/// rest of a message.
const BODY_ROWS: u16 = 4;

/// A line of the message area.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SaidLine {
    /// Index of the sentence that this line is part of.
    pub(super) said: usize,
    /// Whether this is the first line of the sentence, which has the label.
    pub(super) first: bool,
    /// The text of the line.
    pub(super) text: String,
}

/// The body next to the one that has the focus.
#[derive(Debug)]
pub(super) struct Beside {
    pub(super) body: Body,
    pub(super) area: Rect,
}

/// The layout of a page.
#[derive(Debug)]
pub(super) struct Page {
    /// The body that has the focus.
    pub(super) body: Body,
    /// The area of the body.
    pub(super) body_area: Rect,
    /// Index of the first visible row of the body.
    pub(super) first: usize,
    /// The body next to it, on a wide page.
    pub(super) beside: Option<Beside>,
    /// The sentences of the message.
    pub(super) said: Vec<Said>,
    /// The message, wrapped into lines.
    pub(super) lines: Vec<SaidLine>,
    /// The area of the message.
    pub(super) message: Rect,
    /// The screen row of the first row of buttons.
    pub(super) buttons: u16,
}

/// Returns whether the window is so low that every row counts.
pub(super) fn is_low(area: Rect) -> bool {
    area.height < LOW
}

/// Returns whether the window is so narrow that every column counts.
pub(super) fn is_narrow(area: Rect) -> bool {
    area.width < NARROW
}

impl Page {
    /// Computes the layout for the current window size.
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
        let all = buttons.saturating_sub(head);
        let room = all.saturating_sub(2 * roomy);
        let offered = Rect::new(0, head, area.width, room.saturating_sub(MESSAGE_ROWS));
        let (mut body, beside, mut body_area) = bodies(model, offered, area.width);
        let said = match &model.message {
            Some(message) => message.said.clone(),
            None => std::mem::take(&mut body.hint),
        };
        let said = fitting(said, area, model.console.theme);
        let mut lines = said_lines(&said, area);
        let body_rows = u16::try_from(body.rows.len() + body.below.len()).unwrap_or(u16::MAX);
        // In a small window a hint gives way to the body; a message about an event does not.
        let is_hint = said.iter().all(|said| said.tone == Tone::Plain);
        let free = |room: u16| {
            let spared = if model.message.is_none() && is_hint && low {
                MESSAGE_ROWS
            } else {
                room.saturating_sub(BODY_ROWS)
            };
            room.saturating_sub(body_rows).max(spared.min(room))
        };
        let wanted = u16::try_from(lines.len()).unwrap_or(u16::MAX);
        // Drop the empty rows above and below the message before cutting its text.
        let (roomy, room) = if wanted > free(room) {
            (0, all)
        } else {
            (roomy, room)
        };
        let message_rows = wanted.min(free(room));
        cut(&mut lines, message_rows.into(), area, model.console.theme);
        // A low window without a message has these rows for its body.
        let least = if low && said.is_empty() {
            0
        } else {
            MESSAGE_ROWS.min(room)
        };
        let kept = message_rows.max(least);
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

    /// Returns how many rows of the body are visible at once.
    pub(super) fn height(&self) -> usize {
        self.body_area.height.into()
    }

    /// Returns the first visible row when the body is scrolled to its end.
    pub(super) fn last_first(&self) -> usize {
        self.body.rows.len().saturating_sub(self.height())
    }

    /// Returns the first visible row that keeps the focus in view, scrolling as little as possible.
    pub(super) fn with_focus(&self) -> usize {
        let focused = self.body.rows.iter().position(|row| row.cursor.is_some());
        let first = self.first.min(self.last_first());
        let Some(row) = focused else {
            return first;
        };
        // With a row of context, if there is room for it.
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

/// Returns the number of rows of buttons at the bottom.
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

/// Cuts the lines that don't fit. The last visible line then ends with an ellipsis and the key that shows the whole
/// message.
fn cut(lines: &mut Vec<SaidLine>, rows: usize, area: Rect, theme: Theme) {
    if lines.len() <= rows {
        return;
    }
    lines.truncate(rows);
    if let Some(last) = lines.last_mut() {
        let mark = format!("{} {WHOLE}", theme.ellipsis());
        let room = said_columns(area).saturating_sub(width(&mark));
        let text = shorten(&last.text, room, "");
        last.text = format!("{}{mark}", text.trim_end());
    }
}

/// Returns the width of the message text, in columns.
fn said_columns(area: Rect) -> usize {
    if is_narrow(area) {
        usize::from(area.width).saturating_sub(2)
    } else {
        grid::room(area.width.into())
    }
}

/// Returns the message as the terminal can show it. A label that is wider than its column moves to the start of the
/// text.
fn fitting(said: Vec<Said>, area: Rect, theme: Theme) -> Vec<Said> {
    let room = grid::label_room(area.width.into());
    let shown = |said: Said| {
        let said = if theme.utf8 {
            said
        } else {
            Said {
                label: ascii(&said.label).into(),
                text: ascii(&said.text),
                ..said
            }
        };
        if is_narrow(area) || width(&said.label) <= room {
            return said;
        }
        Said {
            label: "".into(),
            text: format!("{}: {}", said.label, said.text),
            ..said
        }
    };
    said.into_iter().map(shown).collect()
}

/// Wraps the message into lines.
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

/// Returns the body that has the focus, the one next to it, and the area of the first.
fn bodies(model: &Model, area: Rect, page: u16) -> (Body, Option<(Body, Rect)>, Rect) {
    let focused = model.view_context();
    let fits = model.top().fits_beside(area, focused);
    if !fits || area.width < WIDE || is_low(Rect::new(0, 0, page, model.console.size.1)) {
        return (model.top().body(focused, area, page), None, area);
    }
    // Wider bodies are no easier to read, and narrower ones have no room for the buttons next to their rows.
    let width = (area.width / 2 - 1).clamp(NARROW, WIDEST);
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

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails on anything unexpected"
)]
mod tests {
    use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::super::keys::Context;
    use super::super::message::{Event, Msg};
    use super::super::screen::Message;
    use super::super::update::update;
    use super::super::view::view;
    use super::*;
    use crate::console::environment::Environment;
    use crate::form::settings::Settings;
    use crate::presets::{self, Library};
    use crate::session::clock::Moment;

    /// Texts that users enter in the wrong field, or copy with surrounding text.
    const TYPED: [&str; 11] = [
        "x",
        "someone@contoso.com",
        "http://login.example.com/token",
        "https://<host>/token?x=y#z",
        "https://login.example.com/.well-known/openid-configuration",
        "{realm}",
        "Client ID: 11111111-2222-3333-4444-55555555555",
        "two, words; and = others & state=s",
        "/nonexistent/a file.pem",
        "日本語のクライアント",
        "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789",
    ];

    fn send(model: &mut Model, event: Event) {
        let at = Moment::default();
        update(model, Msg { at, event });
    }

    fn key(model: &mut Model, code: KeyCode, modifiers: KeyModifiers) {
        send(model, Event::Key(KeyEvent::new(code, modifiers)));
    }

    /// Removes the whitespace from `text`, so that line breaks don't matter.
    fn dense(text: &str) -> String {
        text.split_whitespace().collect()
    }

    /// Asserts that the screen shows the whole message.
    fn assert_whole(model: &Model, terminal: &mut Terminal<TestBackend>) {
        let page = Page::of(model);
        let frame = terminal.draw(|frame| view(model, frame)).unwrap();
        let columns = frame.area.width;
        let value = u16::try_from(grid::value(columns.into())).unwrap();
        let part = |from: u16, to: u16| {
            let cells = (page.message.y..page.message.bottom())
                .flat_map(|y| (from..to).map(move |x| (x, y)));
            dense(
                &cells
                    .map(|at| frame.buffer[at].symbol())
                    .collect::<String>(),
            )
        };
        let utf8 = model.console.theme.utf8;
        let whole = |part: fn(&Said) -> &str| {
            let text: String = page.said.iter().map(part).collect();
            dense(&if utf8 { text } else { ascii(&text) })
        };
        let shown = (part(0, value), part(value, columns));
        let said = (whole(|said| &said.label), whole(|said| &said.text));
        assert_eq!(shown, said, "{}", model.session.settings.preset().id);
    }

    fn is_on(model: &Model, label: &str) -> bool {
        let items = model.items();
        items.iter().any(|item| item.focused && item.label == label)
    }

    fn go(model: &mut Model, label: &str) {
        for _ in 0..model.items().len() {
            if is_on(model, label) {
                return;
            }
            key(model, KeyCode::Tab, KeyModifiers::NONE);
        }
        panic!("there is no {label}");
    }

    #[test]
    fn message_uses_empty_rows_before_it_is_truncated() {
        let settings = Settings::new(presets::get("github").unwrap());
        for utf8 in [true, false] {
            let environment = Environment {
                utf8,
                ..Environment::default()
            };
            let mut model = Model::new(environment, settings.clone(), Library::default());
            for (rows, words) in [(24, 15 * 9 - 7), (22, 13 * 9 - 7), (24, 3)] {
                let mut terminal = Terminal::new(TestBackend::new(80, rows)).unwrap();
                send(&mut model, Event::Resized(80, rows));
                let text = vec!["word…"; words].join(" ");
                let text = if utf8 {
                    text
                } else {
                    text.replace("word…", "wo…")
                };
                model.message = Some(Message::new("A label that is longer than its column", text));
                assert_whole(&model, &mut terminal);
            }
        }
    }

    /// Asserts that the focus is visible in the smallest window, and that Ctrl+O shows the text that doesn't fit.
    fn assert_readable(model: &mut Model, terminal: &mut Terminal<TestBackend>) {
        let page = Page::of(model);
        let frame = terminal.draw(|frame| view(model, frame)).unwrap();
        let rows = |frame: &ratatui::CompletedFrame<'_>| -> Vec<String> {
            let cells = frame.buffer.content.chunks(40);
            let row = |cells: &[ratatui::buffer::Cell]| {
                cells.iter().map(ratatui::buffer::Cell::symbol).collect()
            };
            cells.map(row).collect()
        };
        let shown = rows(&frame);
        let text = shown.join("\n");
        assert!(shown.iter().any(|row| row.contains('▸')), "{text}");
        let last = shown[usize::from(page.message.bottom().max(1)) - 1].trim_end();
        let said: usize = said_lines(&page.said, Rect::new(0, 0, 40, 10)).len();
        let is_cut = page.lines.len() < said;
        assert_eq!(last.ends_with("… Ctrl+O"), is_cut, "{text}");
        if !is_cut {
            return;
        }
        key(model, KeyCode::Char('o'), KeyModifiers::CONTROL);
        let mut read = String::new();
        // More pages than any message has.
        for _ in 0..12 {
            let frame = terminal.draw(|frame| view(model, frame)).unwrap();
            read += &rows(&frame)[1..9].join(" ");
            key(model, KeyCode::PageDown, KeyModifiers::NONE);
        }
        // Pages overlap by one line, so search for each sentence line by line.
        let read = dense(&read);
        for said in &page.said {
            for line in wrap(&said.text, 37) {
                assert!(read.contains(&dense(&line)), "{line:?} is not in {read}");
            }
        }
        key(model, KeyCode::Esc, KeyModifiers::NONE);
        assert!(!model.has_dialog() && Page::of(model).said == page.said);
    }

    #[test]
    fn small_window_shows_whole_messages_and_the_focus() {
        let mut terminal = Terminal::new(TestBackend::new(40, 10)).unwrap();
        let environment = Environment {
            utf8: true,
            ..Environment::default()
        };
        let mut typed = TYPED.iter().cycle();
        for id in ["custom", "microsoft-mail"] {
            for flow in Settings::new(presets::get(id).unwrap()).flows() {
                let mut settings = Settings::new(presets::get(id).unwrap());
                settings.set_flow(flow);
                let mut model = Model::new(environment.clone(), settings, Library::default());
                send(&mut model, Event::Resized(40, 10));
                go(&mut model, "Show");
                key(&mut model, KeyCode::Enter, KeyModifiers::NONE);
                for _ in 0..model.items().len() {
                    assert_readable(&mut model, &mut terminal);
                    if model.context() == Context::Text {
                        for text in typed.by_ref().copied().take(2) {
                            key(&mut model, KeyCode::Char('u'), KeyModifiers::CONTROL);
                            send(&mut model, Event::Paste(text.to_owned()));
                            assert_readable(&mut model, &mut terminal);
                        }
                    }
                    key(&mut model, KeyCode::Tab, KeyModifiers::NONE);
                }
            }
        }
    }

    #[test]
    fn field_messages_of_all_presets_are_shown_whole() {
        let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
        let presets = Library::default().all().unwrap();
        assert!(presets.len() > 50);
        // Each kind of field gets all of these texts, in one preset or another.
        let mut typed = TYPED.iter().cycle();
        for (number, preset) in presets.into_iter().enumerate() {
            let environment = Environment {
                utf8: number % 5 != 0,
                ..Environment::default()
            };
            for flow in Settings::new(preset.clone()).flows() {
                let mut settings = Settings::new(preset.clone());
                settings.set_flow(flow);
                let mut model = Model::new(environment.clone(), settings, Library::default());
                go(&mut model, "Show");
                key(&mut model, KeyCode::Enter, KeyModifiers::NONE);
                // The hint of each item.
                for _ in 0..model.items().len() {
                    assert_whole(&model, &mut terminal);
                    key(&mut model, KeyCode::Tab, KeyModifiers::NONE);
                }
                // The problem of each value. An empty field is reported only after Authorize was tried.
                go(&mut model, "Authorize");
                key(&mut model, KeyCode::Enter, KeyModifiers::NONE);
                if model.session.work().is_some() {
                    continue;
                }
                for _ in 0..model.items().len() {
                    let texts = [""].into_iter().chain(typed.by_ref().copied().take(2));
                    let is_text = model.context() == Context::Text;
                    for text in texts.take(if is_text { 3 } else { 0 }) {
                        key(&mut model, KeyCode::Char('u'), KeyModifiers::CONTROL);
                        send(&mut model, Event::Paste(text.to_owned()));
                        assert_whole(&model, &mut terminal);
                    }
                    key(&mut model, KeyCode::Tab, KeyModifiers::NONE);
                }
            }
        }
    }
}
