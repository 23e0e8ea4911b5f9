//! A question with up to three buttons. Esc chooses the harmless answer.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;

use crate::tui::widgets::boxed::{dialog_box, places};
use crate::tui::widgets::button::{Shortcut, button, button_width};
use crate::tui::widgets::draw::put_in;
use crate::tui::widgets::grid::NARROW;
use crate::tui::widgets::text::{shorten, width, wrap};
use crate::tui::widgets::theme::Theme;

/// A question.
#[derive(Debug, Clone)]
pub struct Question {
    /// The question, in a few words.
    pub title: String,
    /// Rows above the text that name what the question is about.
    pub rows: Vec<String>,
    /// The title and the rows in a narrow window, if they are different there.
    narrow: Option<(String, Vec<String>)>,
    /// What the answers do.
    pub text: String,
    /// A note at the end of the row of buttons, if there is room for it.
    pub aside: &'static str,
    /// The answers. The one with Esc changes nothing.
    pub buttons: Vec<(Shortcut, &'static str)>,
    /// The button that has the focus.
    pub selected: usize,
    /// The first visible line, in a window that doesn't show all.
    scroll: usize,
}

impl Question {
    /// Creates a question with the focus on the answer that changes nothing.
    #[must_use]
    pub fn new(
        title: impl Into<String>,
        text: impl Into<String>,
        buttons: &[(Shortcut, &'static str)],
    ) -> Self {
        let harmless = buttons.iter().position(|(key, _)| *key == Shortcut::Esc);
        Self {
            title: title.into(),
            rows: Vec::new(),
            narrow: None,
            text: text.into(),
            aside: "",
            buttons: buttons.to_vec(),
            selected: harmless.unwrap_or(0),
            scroll: 0,
        }
    }

    /// Adds rows above the text. A row that is too long is cut.
    #[must_use]
    pub fn with_rows(self, rows: Vec<String>) -> Self {
        Self { rows, ..self }
    }

    /// Sets the title and the rows for a narrow window.
    #[must_use]
    pub fn with_narrow(self, title: String, rows: Vec<String>) -> Self {
        let narrow = Some((title, rows));
        Self { narrow, ..self }
    }

    /// Adds a note at the end of the row of buttons.
    #[must_use]
    pub fn with_aside(self, aside: &'static str) -> Self {
        Self { aside, ..self }
    }

    /// Moves the focus to another answer that loses nothing.
    #[must_use]
    pub fn beginning_on(mut self, key: Shortcut) -> Self {
        let place = self.buttons.iter().position(|(own, _)| *own == key);
        self.selected = place.unwrap_or(self.selected);
        self
    }

    /// Returns the answer with this key.
    pub(super) fn answer(&self, key: Shortcut) -> Option<&'static str> {
        let mut buttons = self.buttons.iter();
        buttons.find_map(|(own, label)| (*own == key).then_some(*label))
    }

    /// Turns to the next or the previous page, in a window with this theme and size. The last line of a page is also the
    /// first line of the next, because the page ends with the key that turns it.
    pub(super) fn turn(&mut self, next: bool, (theme, area): (Theme, Rect)) {
        let layout = Layout::of(self, theme, area);
        let page = layout.room.saturating_sub(1).max(1);
        let first = self.scroll.min(layout.last());
        self.scroll = if next {
            (first + page).min(layout.last())
        } else {
            first.saturating_sub(page)
        };
    }

    /// Returns the title and the rows, in this window.
    fn head(&self, area: Rect) -> (&str, &[String]) {
        match &self.narrow {
            Some((title, rows)) if area.width < NARROW => (title, rows),
            _ => (&self.title, &self.rows),
        }
    }

    /// Returns rows and the text in lines of this width, with or without empty lines.
    fn lines(&self, rows: &[String], columns: usize, ellipsis: &str, roomy: bool) -> Vec<String> {
        let mut lines: Vec<String> = rows
            .iter()
            .map(|row| shorten(&format!("  {row}"), columns, ellipsis))
            .collect();
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.extend(self.text.lines().flat_map(|line| wrap(line, columns)));
        lines.retain(|line| roomy || !line.is_empty());
        lines
    }
}

/// The key that turns to the next page.
const NEXT: &str = "PgDn";

/// The layout of a question in a window.
struct Layout {
    lines: Vec<String>,
    /// How many of them are visible at once.
    room: usize,
    /// The column and the row of each button, from the first row of buttons on.
    buttons: Vec<(u16, u16)>,
    /// The number of lines of the dialog.
    count: u16,
}

impl Layout {
    fn of(question: &Question, theme: Theme, area: Rect) -> Self {
        let columns = usize::from(places(area, 1).1.width);
        let (_, rows) = question.head(area);
        let buttons = button_places(question, columns, !theme.utf8);
        let below = buttons.last().map_or(0, |(_, row)| *row);
        let mut lines = question.lines(rows, columns, theme.ellipsis(), true);
        // An empty row, and the buttons.
        let count = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX - 2);
        let count = count.saturating_add(below);
        let inside = places(area, count).1;
        let room = usize::from(inside.height.min(count).saturating_sub(below + 1));
        // The buttons stay, even if the text doesn't fit; the empty rows are dropped first.
        if lines.len() > room {
            lines = question.lines(rows, columns, theme.ellipsis(), false);
        }
        Self {
            lines,
            room,
            buttons,
            count,
        }
    }

    /// Returns the first visible line of the last page.
    fn last(&self) -> usize {
        self.lines.len().saturating_sub(self.room)
    }
}

/// Draws the question and its buttons.
pub(super) fn draw(
    question: &Question,
    theme: Theme,
    frame: &mut Frame<'_>,
    area: Rect,
) -> Option<Position> {
    let layout = Layout::of(question, theme, area);
    let inside = dialog_box(theme, frame, question.head(area).0, layout.count);
    let columns = usize::from(inside.width);
    let first = question.scroll.min(layout.last());
    let goes_on = first < layout.last();
    let shown = layout.lines.into_iter().skip(first).take(layout.room);
    let mut lines: Vec<String> = shown.collect();
    if let Some(end) = lines.last_mut().filter(|_| goes_on) {
        let more = format!("{} {NEXT}", theme.ellipsis());
        // A line that is shown in full is apart from the ellipsis.
        *end = if width(end) + 1 + width(&more) <= columns {
            format!("{end} {more}")
        } else {
            shorten(end, columns.saturating_sub(width(&more)), "") + &more
        };
    }
    for (y, line) in (inside.y..inside.bottom()).zip(lines) {
        let row = Rect {
            y,
            height: 1,
            ..inside
        };
        put_in(theme, frame, row, Line::from(line));
    }
    let y = inside.y + u16::try_from(layout.room).unwrap_or(0);
    let places = layout.buttons;
    let bottom = y + places.last().map_or(0, |(_, row)| *row);
    let mut x = inside.x + 1;
    let mut cursor = None;
    for (at, ((key, label), (column, row))) in question.buttons.iter().zip(places).enumerate() {
        let focused = at == question.selected;
        let place = (inside.x + column, y + row);
        let (next, at) = button(theme, frame, place, (*key, label), focused);
        cursor = at.or(cursor);
        x = next;
    }
    let aside = u16::try_from(width(question.aside)).unwrap_or(u16::MAX);
    if x.saturating_add(aside) < inside.right() {
        let place = Rect::new(inside.right() - aside, bottom, aside, 1);
        put_in(theme, frame, place, Line::from(question.aside));
    }
    cursor
}

/// Returns the column and the row of each button. A button that doesn't fit next to the previous ones begins a new row.
fn button_places(question: &Question, columns: usize, ascii: bool) -> Vec<(u16, u16)> {
    let (mut x, mut row) = (1, 0);
    let place = |(key, label): &(Shortcut, &str)| {
        let width = button_width(*key, label, ascii);
        if x > 1 && x + width > columns {
            (x, row) = (1, row + 1);
        }
        let place = (u16::try_from(x).unwrap_or(u16::MAX), row);
        x += width + 1;
        place
    };
    question.buttons.iter().map(place).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::super::testing;
    use super::*;

    /// Draws a question in the smallest window, and returns its rows below the title.
    fn drawn(question: &Question) -> Vec<String> {
        let draw = |frame: &mut Frame<'_>| {
            draw(question, testing::theme(), frame, testing::SMALLEST);
        };
        let (rows, ()) = testing::drawn(draw).unwrap();
        rows.iter()
            .skip(1)
            .map(|row| row.trim().to_owned())
            .collect()
    }

    #[test]
    fn narrow_window_shows_the_short_title_and_rows() {
        let question = Question::new("A title for wide windows", "", &[(Shortcut::Esc, "Keep")])
            .with_rows(vec!["a wide row".to_owned()])
            .with_narrow("Short".to_owned(), vec!["a row".to_owned()]);
        for (width, title, row) in [
            (59, "Short", "a row"),
            (60, "A title for wide windows", "a wide row"),
        ] {
            let area = Rect::new(0, 0, width, 20);
            let lines = Layout::of(&question, testing::theme(), area).lines;
            assert_eq!(question.head(area).0, title);
            assert_eq!(lines[0].trim(), row);
        }
    }

    #[test]
    fn small_window_shows_every_question_in_full() {
        let window = (testing::theme(), testing::SMALLEST);
        let buttons = [
            (Shortcut::Letter('s'), "Save everything"),
            (Shortcut::Letter('y'), "Delete"),
            (Shortcut::Esc, "Keep"),
        ];
        for (count, some) in [(0, 1), (3, 2), (9, 3), (40, 2), (80, 3)] {
            let words: Vec<String> = (0..count).map(|at| format!("word{at:02}")).collect();
            let text = format!("First.\n\n{} end.", words.join(" "));
            let rows = vec!["A token".to_owned(), "Another token".to_owned()];
            let mut question = Question::new("Delete?", text, &buttons[3 - some..]);
            question = question.with_rows(rows);
            let mut read = String::new();
            let mut pages = Vec::new();
            loop {
                let page = drawn(&question);
                assert!(page.iter().any(|row| row.contains("Esc Keep")), "{page:?}");
                read += &page.join(" ");
                pages.push(page);
                let before = question.scroll;
                question.turn(true, window);
                if question.scroll == before {
                    break;
                }
            }
            let mut words = words.iter().map(String::as_str);
            let all = ["A token", "Another token", "First.", " end."];
            let all: Vec<&str> = all.into_iter().chain(words.by_ref()).collect();
            for word in all {
                assert!(read.contains(word), "{word} is not in {read}");
            }
            let last = pages.pop().unwrap_or_default();
            assert!(!last.iter().any(|row| row.ends_with(NEXT)), "{last:?}");
            for page in &pages {
                assert!(page.iter().any(|row| row.ends_with(NEXT)), "{page:?}");
            }
            assert_eq!(pages.is_empty(), count < 10, "{count}");
            for _ in 0..=pages.len() {
                question.turn(false, window);
            }
            assert_eq!(question.scroll, 0);
        }
    }
}
