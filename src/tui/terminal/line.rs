//! Encodes the changes of a frame in as few bytes as possible.
//!
//! The cursor moves by the shortest sequence; a few unchanged cells are rewritten if that is shorter than moving over
//! them; the end of a row is erased if that is shorter than writing spaces.
//!
//! Terminals disagree about the width of some characters. A row with such a character is erased and rewritten in full
//! when it changes, and the cursor position is set again after each such character, so that nothing of the old row
//! remains. After any non-ASCII character, the cursor moves only to an absolute position.

use ratatui::buffer::{Buffer, Cell, CellDiffOption};
use ratatui::layout::Position;

use super::pen::Pen;
use crate::tui::widgets::text::width;

/// The symbol of a cell that a wide character or a link covers; no other cell has this symbol.
pub(super) const COVERED: &str = "";
/// Erases from the cursor to the end of the row.
pub(super) const ERASE: &[u8] = b"\x1b[K";
/// A longer run of unchanged cells with several styles is never shorter to rewrite than a cursor move.
const STRETCH: u16 = 12;

/// Returns the width of a cell, in columns: a link is one cell with the width of its text.
pub(super) fn columns(cell: &Cell) -> u16 {
    match cell.diff_option {
        CellDiffOption::ForcedWidth(columns) => columns.get(),
        _ => u16::try_from(width(cell.symbol())).unwrap_or(1),
    }
}

/// Returns the cells of a row.
pub(super) fn row(buffer: &Buffer, y: u16) -> &[Cell] {
    let width = usize::from(buffer.area.width);
    let start = usize::from(y) * width;
    buffer.content.get(start..start + width).unwrap_or_default()
}

/// Returns the column at which the blank end of a row starts.
pub(super) fn end(row: &[Cell]) -> u16 {
    let used = row.iter().rposition(|cell| !is_blank(cell));
    used.map_or(0, |x| column(x + 1))
}

fn column(x: usize) -> u16 {
    u16::try_from(x).unwrap_or(u16::MAX)
}

/// Returns whether a terminal may draw a cell wider or narrower than expected. A link has the width of its text.
fn is_doubtful(cell: &Cell) -> bool {
    let symbol = cell.symbol();
    !symbol.is_ascii()
        && !matches!(cell.diff_option, CellDiffOption::ForcedWidth(_))
        && (width(symbol) != 1 || symbol.chars().count() != 1)
}

/// Returns whether every terminal moves the cursor by one column after this cell.
fn is_certain(cell: &Cell) -> bool {
    let symbol = cell.symbol();
    symbol.len() == 1 && symbol.is_ascii()
}

/// Returns whether a cell shows nothing, whatever its style.
fn is_blank(cell: &Cell) -> bool {
    cell.symbol() == " " && cell.diff_option == CellDiffOption::None && Pen::of(cell).is_unseen()
}

/// Returns whether two cells look the same.
fn same(a: &Cell, b: &Cell) -> bool {
    a == b || (is_blank(a) && is_blank(b))
}

/// Bytes for the terminal, and the terminal's state after them.
#[derive(Debug, Clone, Default)]
pub(super) struct Line {
    pub(super) bytes: Vec<u8>,
    pen: Pen,
    /// The position of the cursor, if known.
    at: Option<Position>,
    /// Whether every terminal has the cursor at this position.
    certain: bool,
}

impl Line {
    /// Starts with the cursor at this position, if it is known.
    pub(super) fn from(at: Option<Position>) -> Self {
        Self {
            at,
            certain: at.is_some(),
            ..Self::default()
        }
    }

    /// Returns the position of the cursor, if every terminal has it there.
    pub(super) fn certain(&self) -> Option<Position> {
        self.at.filter(|_| self.certain)
    }

    /// Ends a frame by restoring the default style.
    pub(super) fn finish(&mut self) {
        self.set_pen(Pen::default());
    }

    /// Sends a sequence that inserts or deletes rows, starting at row `y`.
    pub(super) fn send_rows(&mut self, y: u16, sequence: &str) {
        self.move_to(0, y, None);
        self.bytes.extend(sequence.as_bytes());
        // Not all terminals leave the cursor in this position.
        self.at = None;
    }

    /// Writes the bytes that change `old` into `new`.
    pub(super) fn write(&mut self, old: &Buffer, new: &Buffer) {
        for y in 0..new.area.height {
            let (old, new) = (row(old, y), row(new, y));
            let Some(first) = old.iter().zip(new).position(|(old, new)| !same(old, new)) else {
                continue;
            };
            if old.iter().chain(new).any(is_doubtful) {
                self.write_row(y, new);
                continue;
            }
            let mut shorter = self.fork();
            shorter.write_changes(y, old, new);
            // A link is written as a whole. A blank row has nothing to erase.
            if new[first].symbol() != COVERED && end(old) > 0 {
                let mut whole = self.fork();
                whole.write_from(column(first), y, new);
                if whole.bytes.len() < shorter.bytes.len() {
                    shorter = whole;
                }
            }
            self.join(shorter);
        }
    }

    /// Returns the same state without the bytes, to try one of several ways.
    fn fork(&self) -> Self {
        Self {
            bytes: Vec::new(),
            ..*self
        }
    }

    /// Appends the bytes of a way, and takes over its state.
    fn join(&mut self, way: Self) {
        self.bytes.extend(way.bytes);
        (self.pen, self.at, self.certain) = (way.pen, way.at, way.certain);
    }

    fn set_pen(&mut self, pen: Pen) {
        self.pen.change(pen, &mut self.bytes);
        self.pen = pen;
    }

    /// Moves the cursor. If `on` contains the cells that the cursor passes, they are rewritten instead if that is
    /// shorter.
    pub(super) fn move_to(&mut self, x: u16, y: u16, on: Option<&[Cell]>) {
        if self.at == Some(Position::new(x, y)) {
            return;
        }
        let mut best = position(x, y);
        if let Some(at) = self.certain().filter(|at| at.y <= y) {
            let down = usize::from(y - at.y);
            let (from, start) = if down > 0 || x < at.x {
                // The carriage return also matters in raw mode, where a line feed only moves down.
                (0, [b"\r".as_slice(), &b"\n".repeat(down)].concat())
            } else {
                (at.x, Vec::new())
            };
            let back = (down == 0 && x < at.x).then(|| b"\x08".repeat(usize::from(at.x - x)));
            let forward = [start.as_slice(), &forward(x - from)].concat();
            let again = on.and_then(|row| self.again(between(row, from, x)));
            let again = again.map(|cells| [start.as_slice(), &cells].concat());
            // An absolute position wins a tie with a relative move; rewriting wins every tie.
            for way in [Some(forward), back] {
                best = way.filter(|way| way.len() < best.len()).unwrap_or(best);
            }
            best = again.filter(|way| way.len() <= best.len()).unwrap_or(best);
        }
        self.certain |= best.starts_with(b"\x1b[") && best.ends_with(b"H");
        self.bytes.extend(best);
        self.at = Some(Position::new(x, y));
    }

    /// Returns the bytes that rewrite these cells, if that needs no change of style.
    fn again(&self, cells: &[Cell]) -> Option<Vec<u8>> {
        let fits = |cell: &Cell| is_certain(cell) && self.pen.fits(cell);
        let symbols = cells.iter().map(|cell| cell.symbol().as_bytes());
        cells
            .iter()
            .all(fits)
            .then(|| symbols.flatten().copied().collect())
    }

    /// Writes a cell at the cursor, which must be at this position.
    fn put(&mut self, (x, y): (u16, u16), row: &[Cell]) {
        let cell = &row[usize::from(x)];
        if !self.pen.fits(cell) {
            self.set_pen(Pen::of(cell));
        }
        self.bytes.extend(cell.symbol().as_bytes());
        self.certain &= is_certain(cell);
        // After writing the last column, terminals keep the cursor there.
        let next = x.saturating_add(columns(cell));
        let known = usize::from(next) < row.len() && !is_doubtful(cell);
        self.at = known.then(|| Position::new(next, y));
    }

    /// Erases from the cursor to the end of the row, in the default style.
    fn erase(&mut self) {
        if !self.pen.is_unseen() {
            self.set_pen(Pen::default());
        }
        self.bytes.extend(ERASE);
    }

    /// Writes the changes of a row.
    fn write_changes(&mut self, y: u16, old: &[Cell], new: &[Cell]) {
        let differs = |x: &u16| !same(&old[usize::from(*x)], &new[usize::from(*x)]);
        let (end, width) = (end(new), column(new.len()));
        for x in (0..end).filter(differs) {
            if new[usize::from(x)].symbol() != COVERED {
                self.pass_over(x, y, new);
                self.put((x, y), new);
            }
        }
        let (Some(first), Some(last)) =
            ((end..width).find(differs), (end..width).rev().find(differs))
        else {
            return;
        };
        let there = self.certain() == Some(Position::new(end, y));
        let x = if there { end } else { first };
        self.move_to(x, y, None);
        if !self.certain {
            self.bytes.extend(position(x, y));
            self.certain = true;
        }
        if x == first && usize::from(last - first) < ERASE.len() {
            for x in first..=last {
                self.put((x, y), new);
            }
        } else {
            self.erase();
        }
    }

    /// Moves the cursor to the next cell to write, by the shorter of two ways.
    fn pass_over(&mut self, x: u16, y: u16, row: &[Cell]) {
        if self.at == Some(Position::new(x, y)) {
            return;
        }
        let mut way = self.fork();
        way.move_to(x, y, Some(row));
        let near = self
            .at
            .filter(|at| at.y == y && at.x < x && x - at.x < STRETCH);
        if let Some(at) = near
            && between(row, at.x, x).iter().all(is_certain)
        {
            // Rewrite the cells in their own styles.
            let mut over = self.fork();
            for x in at.x..x {
                over.put((x, y), row);
            }
            let next = &row[usize::from(x)];
            if over.length_with(next) < way.length_with(next) {
                way = over;
            }
        }
        self.join(way);
    }

    /// Returns the number of bytes, including the change to the style of the next cell.
    fn length_with(&self, next: &Cell) -> usize {
        let mut change = Vec::new();
        if !self.pen.fits(next) {
            self.pen.change(Pen::of(next), &mut change);
        }
        self.bytes.len() + change.len()
    }

    /// Erases a row from a column on, and writes the rest of the row.
    fn write_from(&mut self, first: u16, y: u16, new: &[Cell]) {
        self.move_to(first, y, None);
        self.erase();
        for x in first..end(new) {
            let cell = &new[usize::from(x)];
            if !is_blank(cell) && cell.symbol() != COVERED {
                self.pass_over(x, y, new);
                self.put((x, y), new);
            }
        }
    }

    /// Erases a row, and writes all of it.
    fn write_row(&mut self, y: u16, new: &[Cell]) {
        self.at = None;
        self.move_to(0, y, None);
        self.erase();
        for x in 0..end(new) {
            if new[usize::from(x)].symbol() != COVERED {
                if self.at.is_none() {
                    self.move_to(x, y, None);
                }
                self.put((x, y), new);
            }
        }
        self.at = None;
    }
}

/// Returns the cells of a row between two columns.
fn between(row: &[Cell], from: u16, to: u16) -> &[Cell] {
    row.get(usize::from(from)..usize::from(to))
        .unwrap_or_default()
}

/// Returns the sequence that sets the cursor position.
fn position(x: u16, y: u16) -> Vec<u8> {
    match (x, y) {
        (0, 0) => b"\x1b[H".to_vec(),
        (0, y) => format!("\x1b[{}H", y + 1).into_bytes(),
        (x, y) => format!("\x1b[{};{}H", y + 1, x + 1).into_bytes(),
    }
}

/// Returns the sequence that moves the cursor to the right.
fn forward(count: u16) -> Vec<u8> {
    match count {
        0 => Vec::new(),
        1 => b"\x1b[C".to_vec(),
        count => format!("\x1b[{count}C").into_bytes(),
    }
}
