//! The bytes of a frame, and the shortest ways for the cursor.
//!
//! The cursor moves by the shortest sequence; a short stretch that did not change is written again where that is shorter;
//! the end of a row is erased where that is shorter than spaces.
//!
//! Terminals disagree about the width of some characters. A row with such a character is erased and written as a whole
//! when it changes, and the cursor is set again after each of them, so nothing of the old row stays. After any character
//! beyond ASCII, the cursor moves only to a named place.

use ratatui::buffer::{Buffer, Cell, CellDiffOption};
use ratatui::layout::Position;

use super::pen::Pen;
use crate::tui::widgets::text::width;

/// In place of a cell that a wide character or a link covers; no other cell has this symbol.
pub(super) const COVERED: &str = "";
/// Erases from the cursor to the end of the row.
pub(super) const ERASE: &[u8] = b"\x1b[K";
/// A longer stretch that did not change, and has several styles, is never shorter than a move.
const STRETCH: u16 = 12;

/// How many columns a cell takes: a link is one cell with the width of its text.
pub(super) fn columns(cell: &Cell) -> u16 {
    match cell.diff_option {
        CellDiffOption::ForcedWidth(columns) => columns.get(),
        _ => u16::try_from(width(cell.symbol())).unwrap_or(1),
    }
}

/// The cells of a row.
pub(super) fn row(buffer: &Buffer, y: u16) -> &[Cell] {
    let width = usize::from(buffer.area.width);
    let start = usize::from(y) * width;
    buffer.content.get(start..start + width).unwrap_or_default()
}

/// The column from which on a row is blank.
pub(super) fn end(row: &[Cell]) -> u16 {
    let used = row.iter().rposition(|cell| !is_blank(cell));
    used.map_or(0, |x| column(x + 1))
}

fn column(x: usize) -> u16 {
    u16::try_from(x).unwrap_or(u16::MAX)
}

/// True where a terminal may draw a cell wider or narrower than expected. A link has the width of its text.
fn is_doubtful(cell: &Cell) -> bool {
    let symbol = cell.symbol();
    !symbol.is_ascii()
        && !matches!(cell.diff_option, CellDiffOption::ForcedWidth(_))
        && (width(symbol) != 1 || symbol.chars().count() != 1)
}

/// True where every terminal moves the cursor by one column.
fn is_certain(cell: &Cell) -> bool {
    let symbol = cell.symbol();
    symbol.len() == 1 && symbol.is_ascii()
}

/// True for a cell that shows nothing, whatever its style.
fn is_blank(cell: &Cell) -> bool {
    cell.symbol() == " " && cell.diff_option == CellDiffOption::None && Pen::of(cell).is_unseen()
}

/// True where both look the same.
fn same(a: &Cell, b: &Cell) -> bool {
    a == b || (is_blank(a) && is_blank(b))
}

/// Bytes for the terminal, and the state that they put it in.
#[derive(Debug, Clone, Default)]
pub(super) struct Line {
    pub(super) bytes: Vec<u8>,
    pen: Pen,
    /// Where the cursor is, where that is known.
    at: Option<Position>,
    /// Every terminal has the cursor there.
    certain: bool,
}

impl Line {
    /// Continues where the cursor is known to be, if it is.
    pub(super) fn from(at: Option<Position>) -> Self {
        Self {
            at,
            certain: at.is_some(),
            ..Self::default()
        }
    }

    /// The place of the cursor, where every terminal has it there.
    pub(super) fn certain(&self) -> Option<Position> {
        self.at.filter(|_| self.certain)
    }

    /// Ends a frame: with the default style.
    pub(super) fn finish(&mut self) {
        self.set_pen(Pen::default());
    }

    /// Sends a sequence that inserts or deletes rows from a row on.
    pub(super) fn send_rows(&mut self, y: u16, sequence: &str) {
        self.move_to(0, y, None);
        self.bytes.extend(sequence.as_bytes());
        // Not all terminals leave the cursor there.
        self.at = None;
    }

    /// Makes `new` of `old`.
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
            // A link is written as a whole. On a blank row there is nothing to erase.
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

    /// The same state without the bytes, to try one of several ways.
    fn fork(&self) -> Self {
        Self {
            bytes: Vec::new(),
            ..*self
        }
    }

    /// Takes the way that was tried.
    fn join(&mut self, way: Self) {
        self.bytes.extend(way.bytes);
        (self.pen, self.at, self.certain) = (way.pen, way.at, way.certain);
    }

    fn set_pen(&mut self, pen: Pen) {
        self.pen.change(pen, &mut self.bytes);
        self.pen = pen;
    }

    /// Moves the cursor. Where that is shorter and `on` says what is there, the cells that it passes are written again.
    pub(super) fn move_to(&mut self, x: u16, y: u16, on: Option<&[Cell]>) {
        if self.at == Some(Position::new(x, y)) {
            return;
        }
        let mut best = position(x, y);
        if let Some(at) = self.certain().filter(|at| at.y <= y) {
            let down = usize::from(y - at.y);
            let (from, start) = if down > 0 || x < at.x {
                // The return also matters in raw mode, where a line feed only goes down.
                (0, [b"\r".as_slice(), &b"\n".repeat(down)].concat())
            } else {
                (at.x, Vec::new())
            };
            let back = (down == 0 && x < at.x).then(|| b"\x08".repeat(usize::from(at.x - x)));
            let forward = [start.as_slice(), &forward(x - from)].concat();
            let again = on.and_then(|row| self.again(between(row, from, x)));
            let again = again.map(|cells| [start.as_slice(), &cells].concat());
            // Of several that are as short, the last one.
            for way in [Some(forward), back] {
                best = way.filter(|way| way.len() < best.len()).unwrap_or(best);
            }
            best = again.filter(|way| way.len() <= best.len()).unwrap_or(best);
        }
        self.certain |= best.starts_with(b"\x1b[") && best.ends_with(b"H");
        self.bytes.extend(best);
        self.at = Some(Position::new(x, y));
    }

    /// Cells as they are written again without a change of style.
    fn again(&self, cells: &[Cell]) -> Option<Vec<u8>> {
        let fits = |cell: &Cell| is_certain(cell) && self.pen.fits(cell);
        let symbols = cells.iter().map(|cell| cell.symbol().as_bytes());
        cells
            .iter()
            .all(fits)
            .then(|| symbols.flatten().copied().collect())
    }

    /// Writes a cell at the cursor, which is to be at this place.
    fn put(&mut self, (x, y): (u16, u16), row: &[Cell]) {
        let cell = &row[usize::from(x)];
        if !self.pen.fits(cell) {
            self.set_pen(Pen::of(cell));
        }
        self.bytes.extend(cell.symbol().as_bytes());
        self.certain &= is_certain(cell);
        // In the last column terminals keep the cursor.
        let next = x.saturating_add(columns(cell));
        let known = usize::from(next) < row.len() && !is_doubtful(cell);
        self.at = known.then(|| Position::new(next, y));
    }

    /// Erases from the cursor on, in the default style.
    fn erase(&mut self) {
        if !self.pen.is_unseen() {
            self.set_pen(Pen::default());
        }
        self.bytes.extend(ERASE);
    }

    /// Writes what changed in a row.
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

    /// Moves the cursor to a cell that is written next, by the shorter of two ways.
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
            // In their own styles.
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

    /// The length with the style of the next cell.
    fn length_with(&self, next: &Cell) -> usize {
        let mut change = Vec::new();
        if !self.pen.fits(next) {
            self.pen.change(Pen::of(next), &mut change);
        }
        self.bytes.len() + change.len()
    }

    /// Erases a row from a column on, and writes the rest.
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

    /// Erases a row and writes all of it.
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

/// The cells of a row from one column to another.
fn between(row: &[Cell], from: u16, to: u16) -> &[Cell] {
    row.get(usize::from(from)..usize::from(to))
        .unwrap_or_default()
}

/// The sequence that sets the cursor.
fn position(x: u16, y: u16) -> Vec<u8> {
    match (x, y) {
        (0, 0) => b"\x1b[H".to_vec(),
        (0, y) => format!("\x1b[{}H", y + 1).into_bytes(),
        (x, y) => format!("\x1b[{};{}H", y + 1, x + 1).into_bytes(),
    }
}

/// The sequence that moves the cursor to the right.
fn forward(count: u16) -> Vec<u8> {
    match count {
        0 => Vec::new(),
        1 => b"\x1b[C".to_vec(),
        count => format!("\x1b[{count}C").into_bytes(),
    }
}
