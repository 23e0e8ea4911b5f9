//! Finds rows that only moved, so that the terminal moves them as a whole.

use ratatui::buffer::{Buffer, Cell};

use super::line::{Line, end, row};

/// Maximum distance of a move, in rows.
const FAR: u16 = 6;
/// Minimum number of rows with content that are worth a move.
const FEW: usize = 2;

/// A run of rows that move together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shift {
    /// The first row, after the move.
    first: u16,
    /// The row after the last, after the move.
    end: u16,
    by: u16,
    down: bool,
}

impl Shift {
    /// Returns the longest run of moved rows for each distance.
    pub(super) fn all(old: &Buffer, new: &Buffer) -> Vec<Self> {
        let height = new.area.height;
        let distances = 1..=FAR.min(height.saturating_sub(1));
        let both = distances.flat_map(|by| [(by, false), (by, true)]);
        both.filter_map(|(by, down)| {
            let targets = if down { by..height } else { 0..height - by };
            let moved = targets.filter(|y| {
                let from = if down { y - by } else { y + by };
                row(old, from) == row(new, *y)
            });
            let moved: Vec<u16> = moved.collect();
            // Moving blank rows saves nothing.
            let used = |rows: &&[u16]| rows.iter().filter(|y| end(row(new, **y)) > 0).count();
            let runs = moved.chunk_by(|a, b| a + 1 == *b);
            let rows = runs.filter(|rows| used(rows) >= FEW).max_by_key(used)?;
            let (first, end) = (*rows.first()?, rows.last()? + 1);
            Some(Self {
                first,
                end,
                by,
                down,
            })
        })
        .collect()
    }

    /// Writes the move: deletes the rows that are replaced, which moves up all rows below, and inserts as many to move
    /// those down again.
    pub(super) fn write(self, line: &mut Line) {
        let Self {
            first,
            end,
            by,
            down,
        } = self;
        let count = if by == 1 {
            String::new()
        } else {
            by.to_string()
        };
        let (delete, insert) = if down {
            (end - by, first - by)
        } else {
            (first, end)
        };
        for (y, what) in [(delete, 'M'), (insert, 'L')] {
            line.send_rows(y, &format!("\x1b[{count}{what}"));
        }
    }

    /// Returns the screen after the move.
    pub(super) fn apply(self, old: &Buffer) -> Buffer {
        let Self {
            first,
            end,
            by,
            down,
        } = self;
        let mut new = old.clone();
        let touched = if down {
            first - by..end
        } else {
            first..end + by
        };
        for y in touched {
            let from = (first..end)
                .contains(&y)
                .then(|| if down { y - by } else { y + by });
            for x in 0..old.area.width {
                new[(x, y)] = from.map_or_else(Cell::default, |from| old[(x, from)].clone());
            }
        }
        new
    }
}
