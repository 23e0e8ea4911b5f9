//! Fewer bytes to the terminal, which may be behind a slow line.
//!
//! Ratatui tells the cells that have changed, and each stretch of them costs a sequence that moves the cursor. Here a
//! short stretch that has not changed is written once more where that is shorter than the sequence, and the end of a
//! row is erased by a sequence where that is shorter than the spaces.

use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::{Buffer, Cell, CellDiffOption};
use ratatui::layout::{Position, Rect, Size};

use super::text::width;

/// What moving and erasing take together.
const ERASE: usize = 11;

/// What it takes to move the cursor, such as `ESC [ 12 ; 40 H`.
fn cost_of_move(x: u16, y: u16) -> usize {
    let digits = |count: u16| {
        if count < 9 {
            1
        } else {
            2 + usize::from(count >= 99)
        }
    };
    4 + digits(x) + digits(y)
}

/// In place of a cell that a wide character or a link covers; none has this by itself.
const COVERED: &str = "";

/// How many columns a cell takes: a link is one cell with the width of its text.
fn columns(cell: &Cell) -> u16 {
    match cell.diff_option {
        CellDiffOption::ForcedWidth(columns) => columns.get(),
        _ => u16::try_from(width(cell.symbol())).unwrap_or(1),
    }
}

/// A backend that keeps what it has written, and writes the same with fewer bytes.
#[derive(Debug)]
pub(super) struct Thrifty<B: Backend> {
    backend: B,
    /// What is on the screen.
    shown: Buffer,
    /// Whether the cursor is, where that is known.
    cursor: Option<bool>,
}

impl<B: Backend> Thrifty<B> {
    /// On a screen that is empty.
    pub(super) fn new(backend: B) -> Self {
        Self {
            backend,
            shown: Buffer::default(),
            cursor: None,
        }
    }

    /// The changed cells of a row, with those between them that are cheaper to write than to pass over.
    fn joined(&self, y: u16, changed: &[u16]) -> Vec<u16> {
        let mut all: Vec<u16> = Vec::with_capacity(changed.len());
        for &x in changed {
            if let Some(&before) = all.last() {
                let between = before + 1..x;
                let cell = |x: u16| &self.shown[(x, y)];
                let bytes: usize = between.clone().map(|x| cell(x).symbol().len()).sum();
                // As before, then as behind: no other change of style than there is anyway.
                let styles = between
                    .clone()
                    .skip_while(|at| cell(*at).style() == cell(before).style());
                let cheap = bytes <= cost_of_move(x, y)
                    && (before..x).all(|x| width(cell(x).symbol()) == 1)
                    && styles
                        .into_iter()
                        .all(|at| cell(at).style() == cell(x).style());
                if cheap {
                    all.extend(between);
                }
            }
            all.push(x);
        }
        all
    }

    /// Where the row is empty from, to its end.
    fn end(&self, y: u16) -> u16 {
        let area = self.shown.area;
        let empty = Cell::default();
        let used = (0..area.width).rev().find(|x| self.shown[(*x, y)] != empty);
        used.map_or(0, |x| x + 1)
    }
}

impl<B: Backend> Backend for Thrifty<B> {
    type Error = B::Error;

    fn draw<'a, I>(&mut self, content: I) -> Result<(), Self::Error>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let mut changed: Vec<(u16, u16)> = Vec::new();
        for (x, y, cell) in content {
            let end = x.saturating_add(columns(cell).max(1));
            let area = self.shown.area.union(Rect::new(0, 0, end, y + 1));
            if area != self.shown.area {
                // Rows keep their cells where the buffer becomes wider.
                let mut wider = Buffer::empty(area);
                wider.merge(&self.shown);
                self.shown = wider;
            }
            self.shown[(x, y)] = cell.clone();
            // What it covers is not known by itself any more, until it is written again.
            for covered in x + 1..end {
                self.shown[(covered, y)] = Cell::new(COVERED);
            }
            changed.push((x, y));
        }
        let mut written = Vec::with_capacity(changed.len());
        for row in changed.chunk_by(|a, b| a.1 == b.1) {
            let y = row[0].1;
            let row: Vec<u16> = row.iter().map(|(x, _)| *x).collect();
            let end = self.end(y);
            let (kept, emptied) = row.split_at(row.partition_point(|x| *x < end));
            if let Some(first) = emptied.first().filter(|_| emptied.len() > ERASE) {
                self.backend.set_cursor_position((*first, y))?;
                self.backend.clear_region(ClearType::UntilNewLine)?;
                written.extend(self.joined(y, kept).into_iter().map(|x| (x, y)));
            } else {
                written.extend(self.joined(y, &row).into_iter().map(|x| (x, y)));
            }
        }
        let shown = &self.shown;
        self.backend
            .draw(written.into_iter().map(|(x, y)| (x, y, &shown[(x, y)])))
    }

    fn append_lines(&mut self, count: u16) -> Result<(), Self::Error> {
        self.backend.append_lines(count)
    }

    fn hide_cursor(&mut self) -> Result<(), Self::Error> {
        if self.cursor.replace(false) == Some(false) {
            return Ok(());
        }
        self.backend.hide_cursor()
    }

    fn show_cursor(&mut self) -> Result<(), Self::Error> {
        if self.cursor.replace(true) == Some(true) {
            return Ok(());
        }
        self.backend.show_cursor()
    }

    fn get_cursor_position(&mut self) -> Result<Position, Self::Error> {
        self.backend.get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> Result<(), Self::Error> {
        self.backend.set_cursor_position(position)
    }

    fn clear(&mut self) -> Result<(), Self::Error> {
        self.shown.reset();
        self.backend.clear()
    }

    fn clear_region(&mut self, clear_type: ClearType) -> Result<(), Self::Error> {
        // Ratatui draws all anew after this.
        self.shown.reset();
        self.backend.clear_region(clear_type)
    }

    fn size(&self) -> Result<Size, Self::Error> {
        self.backend.size()
    }

    fn window_size(&mut self) -> Result<WindowSize, Self::Error> {
        self.backend.window_size()
    }

    fn flush(&mut self) -> Result<(), Self::Error> {
        self.backend.flush()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends on what it did not expect")]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use ratatui::style::{Color, Modifier, Style};
    use ratatui::text::Line;

    use super::*;

    struct Dice(u64);

    impl Dice {
        fn below(&mut self, count: usize) -> usize {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(self.0 >> 33).unwrap() % count
        }
    }

    #[test]
    fn the_screen_is_the_same_as_without() {
        let mut dice = Dice(793);
        let (columns, rows) = (60, 6);
        let mut plain = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        let mut thrifty = Terminal::new(Thrifty::new(TestBackend::new(columns, rows))).unwrap();
        for _ in 0..2000 {
            let lines: Vec<Line<'_>> = (0..rows)
                .map(|_| {
                    let spans: Vec<_> = (0..dice.below(5))
                        .map(|_| {
                            let word = ["a", "  ", "focus", "日本", "longer words here", "…"]
                                [dice.below(6)];
                            let style = [
                                Style::new(),
                                Style::new().add_modifier(Modifier::REVERSED),
                                Style::new().fg(Color::Red),
                            ][dice.below(3)];
                            ratatui::text::Span::styled(word.repeat(1 + dice.below(3)), style)
                        })
                        .collect();
                    Line::from(spans)
                })
                .collect();
            plain
                .draw(|frame| {
                    for (y, line) in (0..).zip(&lines) {
                        frame.render_widget(line, Rect::new(0, y, columns, 1));
                    }
                })
                .unwrap();
            thrifty
                .draw(|frame| {
                    for (y, line) in (0..).zip(&lines) {
                        frame.render_widget(line, Rect::new(0, y, columns, 1));
                    }
                })
                .unwrap();
            assert_eq!(thrifty.backend().backend.buffer(), plain.backend().buffer());
        }
    }
}
