//! A screen as it was drawn: its text, its styles, and what a user sees to have the focus.

use std::cell::OnceCell;

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Position;
use ratatui::style::{Color, Modifier};

use super::program::width;

/// A screen as it was drawn.
pub struct Drawn {
    pub buffer: Buffer,
    pub cursor: Option<Position>,
    rows: OnceCell<Vec<String>>,
}

/// What has the focus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its words, without the brackets of a button.
    pub label: String,
    /// It is drawn as `[ Label ]`.
    pub button: bool,
    pub row: u16,
    /// From its first column to that behind its last.
    pub columns: std::ops::Range<u16>,
}

/// A label, whether the terminal shows the ellipsis or three dots.
pub fn plain(label: &str) -> String {
    label.replace('…', "...")
}

impl Drawn {
    pub fn new(buffer: Buffer, cursor: Option<Position>) -> Self {
        Self {
            buffer,
            cursor,
            rows: OnceCell::new(),
        }
    }

    /// The rows as text, with what stands right of the last glyph cut off.
    pub fn rows(&self) -> &[String] {
        self.rows
            .get_or_init(|| self.part(0, self.buffer.area.width))
    }

    /// The same from one column to another.
    pub fn part(&self, from: u16, to: u16) -> Vec<String> {
        let part = usize::from(from)..usize::from(to);
        let rows = self.cells();
        rows.map(|cells| {
            let cells = &cells[part.clone()];
            let end = cells.iter().rposition(|cell| cell.symbol() != " ");
            text(&cells[..end.map_or(0, |end| end + 1)])
        })
        .collect()
    }

    /// All of it, a line for a row.
    pub fn text(&self) -> String {
        self.rows().join("\n")
    }

    /// As one line with single spaces, so that a sentence is found wherever it is broken.
    pub fn flat(&self) -> String {
        let text = self.text();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn cells(&self) -> impl Iterator<Item = &[Cell]> {
        let columns = usize::from(self.buffer.area.width).max(1);
        self.buffer.content.chunks(columns)
    }

    /// What is reversed, as only the focus is.
    pub fn reversed(&self) -> Vec<Item> {
        let mut items = Vec::new();
        for (row, cells) in (0..).zip(self.cells()) {
            let mut column = 0;
            let reversed = |cell: &Cell| cell.modifier.contains(Modifier::REVERSED);
            for run in cells.chunk_by(|a, b| reversed(a) == reversed(b)) {
                let start = column;
                column += u16::try_from(run.len()).unwrap();
                if !reversed(&run[0]) {
                    continue;
                }
                let text = text(run);
                let inner = text
                    .strip_prefix("[ ")
                    .and_then(|text| text.strip_suffix(" ]"));
                items.push(Item {
                    label: plain(inner.unwrap_or(&text)),
                    button: inner.is_some(),
                    row,
                    columns: start..column,
                });
            }
        }
        items
    }

    /// The one item that is reversed; `None` where there is none, or more.
    pub fn focus(&self) -> Option<Item> {
        let mut items = self.reversed();
        let item = items.pop();
        item.filter(|_| items.is_empty())
    }

    /// The labels of the buttons, row by row.
    pub fn buttons(&self) -> Vec<String> {
        self.rows().iter().flat_map(|row| buttons(row)).collect()
    }

    /// Those that stand in rows of their own at the end of a screen.
    pub fn bottom_buttons(&self) -> Vec<String> {
        let rows = self.rows();
        let top = usize::from(self.button_top());
        let end = rows.len().saturating_sub(2);
        rows[top.min(end)..end]
            .iter()
            .flat_map(|row| buttons(row))
            .collect()
    }

    /// The first of the rows of buttons above the lower rule.
    fn button_top(&self) -> u16 {
        let rows = self.rows();
        let end = self.buffer.area.height.saturating_sub(2);
        let is_buttons = |row: &String| {
            row.trim_start_matches([' ', '▸', '>']).starts_with("[ ") && !buttons(row).is_empty()
        };
        let count = rows[..usize::from(end)]
            .iter()
            .rev()
            .take_while(|row| is_buttons(row))
            .count();
        end - u16::try_from(count).unwrap()
    }

    /// True where something lies on top of the screen: every screen has a button for the help, and nothing on top has.
    pub fn has_dialog(&self) -> bool {
        !self.bottom_buttons().iter().any(|label| label == "Help")
    }

    /// The row behind the last of the body, which scrolls: below are the message and the buttons.
    pub fn body_end(&self) -> u16 {
        let rows = self.rows();
        let button_top = self.button_top();
        if self.has_dialog() {
            return self.buffer.area.height.saturating_sub(2);
        }
        match self.buffer.area.height {
            ..18 => button_top - 1,
            18..22 => button_top - 3,
            22.. => {
                // Empty rows stand around the message, which has three to six.
                let last = button_top - 1;
                let said = rows[..usize::from(last)]
                    .iter()
                    .rev()
                    .take_while(|row| !matches!(row.trim(), "" | "more below"))
                    .count();
                last - u16::try_from(said).unwrap().clamp(3, 6) - 1
            }
        }
    }

    /// The last row: the keys that count here.
    pub fn footer(&self) -> String {
        self.rows().last().map_or("", |row| row.trim()).to_owned()
    }

    /// All of it for a snapshot: the text, where the cursor is, and what is not in the terminal's own style.
    pub fn listing(&self) -> String {
        let area = self.buffer.area;
        let cursor = match self.cursor {
            Some(at) => format!("cursor at {},{}", at.x, at.y),
            None => "no cursor".to_owned(),
        };
        let mut listing = format!("# {}x{}, {cursor}\n", area.width, area.height);
        for row in self.rows() {
            listing += &format!("{row}\n");
        }
        listing += "# styles\n";
        for (row, cells) in self.cells().enumerate() {
            let mut column = 0;
            let mut runs = Vec::new();
            for run in cells.chunk_by(|a, b| style(a) == style(b)) {
                let start = column;
                column += run.len();
                let style = style(&run[0]);
                // A space in bold looks like any other.
                let seen = style.contains("reversed")
                    || style.contains(" on ")
                    || !text(run).trim().is_empty();
                if !style.is_empty() && seen {
                    runs.push(format!("{start}..{column} {style}"));
                }
            }
            if !runs.is_empty() {
                listing += &format!("{row}: {}\n", runs.join(", "));
            }
        }
        listing
    }
}

/// The text of cells, in which a wide character covers the cell behind it.
fn text(cells: &[Cell]) -> String {
    let mut line = String::with_capacity(cells.len());
    let mut covered = 0;
    for cell in cells {
        if covered > 0 {
            covered -= 1;
            continue;
        }
        let symbol = cell.symbol();
        if let [one] = symbol.as_bytes() {
            line.push(char::from(*one));
        } else {
            covered = width(symbol).saturating_sub(1);
            line.push_str(symbol);
        }
    }
    line
}

/// The labels of the buttons in a row: `[ Label ]`, but no box to be ticked.
fn buttons(row: &str) -> Vec<String> {
    let parts = row.split("[ ").skip(1);
    parts
        .filter_map(|part| part.split_once(" ]"))
        .map(|(label, _)| plain(label))
        .collect()
}

/// What of a cell is not in the terminal's own style, in words.
fn style(cell: &Cell) -> String {
    let mut words = Vec::new();
    for (modifier, word) in [
        (Modifier::BOLD, "bold"),
        (Modifier::DIM, "dim"),
        (Modifier::REVERSED, "reversed"),
    ] {
        if cell.modifier.contains(modifier) {
            words.push(word.to_owned());
        }
    }
    let others = cell.modifier - (Modifier::BOLD | Modifier::DIM | Modifier::REVERSED);
    if !others.is_empty() {
        words.push(format!("{others:?}"));
    }
    match (cell.fg, cell.bg) {
        (Color::Reset, Color::Reset) => {}
        (front, Color::Reset) => words.push(front.to_string().to_lowercase()),
        (front, back) => words.push(format!("{front} on {back}").to_lowercase()),
    }
    words.join(" ")
}
