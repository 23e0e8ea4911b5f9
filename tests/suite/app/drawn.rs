//! A screen as it was drawn: its text, its styles, and the item that a user sees to have the focus.

use std::cell::OnceCell;

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Position;
use ratatui::style::{Color, Modifier};

use super::program::width;

/// A screen as it was drawn.
pub struct Drawn {
    pub buffer: Buffer,
    pub cursor: Option<Position>,
    parts: Parts,
    rows: OnceCell<Vec<String>>,
}

/// The positions of the parts of a screen.
#[derive(Clone, Copy)]
pub struct Parts {
    /// The row after the last row of the body.
    pub body_end: u16,
    /// The first row of buttons.
    pub buttons: u16,
    /// Whether a dialog is open.
    pub dialog: bool,
}

/// An item that looks as if it has the focus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its label, without the brackets of a button.
    pub label: String,
    /// The label of its row.
    pub of: String,
    /// Whether it is drawn as `[k Label]`.
    pub button: bool,
    pub row: u16,
    /// From its first column to the column after its last.
    pub columns: std::ops::Range<u16>,
}

/// A label with three dots in place of the ellipsis, which not every terminal shows.
pub fn plain(label: &str) -> String {
    label.replace('…', "...")
}

impl Drawn {
    pub fn new(buffer: Buffer, cursor: Option<Position>, parts: Parts) -> Self {
        Self {
            buffer,
            cursor,
            parts,
            rows: OnceCell::new(),
        }
    }

    /// The rows as text, without the empty space at the end.
    pub fn rows(&self) -> &[String] {
        self.rows
            .get_or_init(|| self.part(0, self.buffer.area.width))
    }

    /// The rows as text, from one column to another.
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

    /// The whole text, with one line per row.
    pub fn text(&self) -> String {
        self.rows().join("\n")
    }

    /// The text as one line with single spaces, to find a sentence however it is wrapped.
    pub fn flat(&self) -> String {
        let text = self.text();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn cells(&self) -> impl Iterator<Item = &[Cell]> {
        let columns = usize::from(self.buffer.area.width).max(1);
        self.buffer.content.chunks(columns)
    }

    /// The items in reversed colors, which only the focus has.
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
                let button = buttons(&text).pop();
                items.push(Item {
                    button: button.is_some(),
                    label: button.unwrap_or_else(|| plain(&text)),
                    of: self.label_of(row),
                    row,
                    columns: start..column,
                });
            }
        }
        items
    }

    /// The first column of each half of a wide screen.
    fn halves(&self) -> Vec<u16> {
        let columns = self.buffer.area.width;
        if columns >= 120 {
            vec![0, (columns / 2 - 1).clamp(60, 100)]
        } else {
            vec![0]
        }
    }

    /// The column in which values begin.
    fn value(&self) -> u16 {
        if self.buffer.area.width < 60 { 14 } else { 21 }
    }

    /// The label at the beginning of a row, in the half that has the marker.
    fn label_of(&self, row: u16) -> String {
        let marked = self
            .halves()
            .into_iter()
            .rev()
            .find(|half| self.is_marked(half + 1, row));
        let half = marked.unwrap_or(0);
        let part = self.part(half + 3, half + self.value());
        plain(part[usize::from(row)].trim())
    }

    /// Returns whether the focus marker is at this position.
    pub fn is_marked(&self, column: u16, row: u16) -> bool {
        self.buffer.area.contains(Position::new(column, row))
            && matches!(self.buffer[(column, row)].symbol(), "▸" | ">")
    }

    /// The marked rows of the body, each with the first column of its half.
    pub fn marked(&self) -> Vec<(u16, u16)> {
        let rows = 1..self.body_end();
        let halves = self.halves();
        rows.flat_map(|row| halves.iter().map(move |half| (*half, row)))
            .filter(|(half, row)| self.is_marked(half + 1, *row))
            .collect()
    }

    /// The item with the focus: a button or list entry in reversed colors, or else the marked row; `None` if there is
    /// no such item or more than one.
    pub fn focus(&self) -> Option<Item> {
        let mut reversed = self.reversed();
        let one = reversed.pop().filter(|_| reversed.is_empty());
        if let Some(item) = one.filter(|item| item.button || self.has_dialog()) {
            return Some(item);
        }
        let [(half, row)] = self.marked()[..] else {
            return None;
        };
        let label = self.label_of(row);
        Some(Item {
            of: label.clone(),
            label,
            button: false,
            row,
            columns: half + 3..half + self.value(),
        })
    }

    /// The labels of all buttons, row by row.
    pub fn buttons(&self) -> Vec<String> {
        self.rows().iter().flat_map(|row| buttons(row)).collect()
    }

    /// The labels of the buttons at the end of a screen, which are in their own rows.
    pub fn bottom_buttons(&self) -> Vec<String> {
        if self.has_dialog() {
            return Vec::new();
        }
        let rows = self.rows();
        let footer = if self.buffer.area.height < 16 { 1 } else { 2 };
        let end = rows.len().saturating_sub(footer);
        let top = usize::from(self.parts.buttons).min(end);
        rows[top..end].iter().flat_map(|row| buttons(row)).collect()
    }

    /// Returns whether a dialog is open.
    pub fn has_dialog(&self) -> bool {
        self.parts.dialog
    }

    /// The row after the body, which scrolls. The message and the buttons are below.
    pub fn body_end(&self) -> u16 {
        if self.has_dialog() {
            return self.buffer.area.height.saturating_sub(1);
        }
        self.parts.body_end
    }

    /// The text in the box of a dialog, row by row; `None` if there is no box.
    pub fn boxed(&self) -> Option<Vec<String>> {
        let corner = |symbol: &str| matches!(symbol, "┌" | "+");
        let area = self.buffer.area;
        let symbol = |x: u16, y: u16| self.buffer[(x, y)].symbol();
        let (x, y) = (1..area.height)
            .flat_map(|y| (0..area.width / 2).map(move |x| (x, y)))
            .find(|(x, y)| corner(symbol(*x, *y)) && matches!(symbol(x + 1, *y), "─" | "-"))?;
        let right = (x + 1..area.width).find(|right| matches!(symbol(*right, y), "┐" | "+"))?;
        let bottom = (y + 1..area.height).find(|row| matches!(symbol(x, *row), "└" | "+"))?;
        let rows = self.part(x + 1, right);
        Some(rows[usize::from(y) + 1..usize::from(bottom)].to_vec())
    }

    /// The last row, which shows the keys of the screen.
    pub fn footer(&self) -> String {
        self.rows().last().map_or("", |row| row.trim()).to_owned()
    }

    /// A listing for snapshots: the text, the position of the cursor, and all styles other than the terminal's default.
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
                // A bold space looks like any other.
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

/// The text of cells, in which a wide character covers the next cell.
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

/// The labels of the buttons in a row, without their keys: `[k Label]`, but not check boxes and IPv6 addresses.
fn buttons(row: &str) -> Vec<String> {
    let parts = row.split('[').skip(1);
    let inner = parts
        .filter_map(|part| part.split_once(']'))
        .map(|(inner, _)| inner);
    inner
        .filter(|inner| {
            let first = inner.chars().next();
            first.is_some_and(|ch| ch.is_alphanumeric() || matches!(ch, '?' | '/'))
                && !matches!(*inner, "x")
                && !inner.contains(['[', ',', '='])
        })
        .map(|inner| match inner.split_once(' ') {
            Some((key, label)) if is_key(key) => plain(label),
            _ => plain(inner),
        })
        .collect()
}

/// Returns whether the text is the key of a button.
fn is_key(text: &str) -> bool {
    matches!(text, "Enter" | "Esc" | "Del" | "?" | "/")
        || text.chars().count() == 1 && text.chars().all(|ch| ch.is_ascii_lowercase())
}

/// The style of a cell in words, where it differs from the terminal's default.
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
