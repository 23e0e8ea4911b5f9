//! Fewer bytes to the terminal, which may be behind a slow line.
//!
//! Ratatui tells the cells that have changed, and each stretch of them costs a sequence that moves the cursor. Here a
//! short stretch that has not changed is written once more where that is shorter than the sequence, and the end of a
//! row is erased by a sequence where that is shorter than the spaces.
//!
//! About the width of some characters no two terminals agree. A row that holds one is erased and written as a whole when
//! something in it changes, and the cursor is set again after each such character, so nothing of it is left.

use std::collections::BTreeSet;

use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::{Buffer, Cell, CellDiffOption};
use ratatui::layout::{Position, Rect, Size};

use super::size;
use crate::tui::widgets::text::width;

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

/// True where a terminal may draw a cell wider or narrower than told. A link has the width of its text.
fn is_doubtful(cell: &Cell) -> bool {
    let symbol = cell.symbol();
    !symbol.is_ascii()
        && !matches!(cell.diff_option, CellDiffOption::ForcedWidth(_))
        && (width(symbol) != 1 || symbol.chars().count() != 1)
}

/// Asks the terminal for its size.
type Ask<B> = fn() -> Result<Size, <B as Backend>::Error>;

/// A backend that keeps what it has written, and writes the same with fewer bytes.
#[derive(Debug)]
pub(in crate::tui) struct Thrifty<B: Backend> {
    backend: B,
    /// What is on the screen.
    shown: Buffer,
    /// Whether the cursor is, where that is known.
    cursor: Option<bool>,
    /// Where the cursor is, where that is known.
    at: Option<Position>,
    /// The size where the terminal tells none.
    assumed: Size,
    /// Asks the terminal for its size, in place of the backend.
    ask: Option<Ask<B>>,
}

impl<B: Backend> Thrifty<B> {
    /// On a screen that is empty.
    pub(in crate::tui) fn new(backend: B) -> Self {
        Self {
            backend,
            shown: Buffer::default(),
            cursor: None,
            at: None,
            assumed: size::assumed(|_| None),
            ask: None,
        }
    }

    /// With this size where the terminal tells none.
    #[must_use]
    pub(in crate::tui) fn assuming(self, assumed: Size) -> Self {
        Self { assumed, ..self }
    }

    /// With this question for the size.
    #[must_use]
    pub(in crate::tui) fn asking(self, ask: Ask<B>) -> Self {
        let ask = Some(ask);
        Self { ask, ..self }
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

    fn is_doubtful_row(&self, y: u16) -> bool {
        let area = self.shown.area;
        y < area.height && (0..area.width).any(|x| is_doubtful(&self.shown[(x, y)]))
    }

    /// Erases a row and writes all of it.
    fn write_row(&mut self, y: u16) -> Result<(), B::Error> {
        self.backend.set_cursor_position((0, y))?;
        self.backend.clear_region(ClearType::UntilNewLine)?;
        let shown = &self.shown;
        let all: Vec<u16> = (0..self.end(y))
            .filter(|x| shown[(*x, y)].symbol() != COVERED)
            .collect();
        // Each piece begins with a sequence that moves the cursor.
        for piece in all.chunk_by(|before, _| !is_doubtful(&shown[(*before, y)])) {
            self.backend
                .draw(piece.iter().map(|x| (*x, y, &shown[(*x, y)])))?;
        }
        Ok(())
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
        let mut doubtful: BTreeSet<u16> = BTreeSet::new();
        for (x, y, cell) in content {
            // By what was there; what is there now is looked at below.
            if changed.last().is_none_or(|(_, last)| *last != y) && self.is_doubtful_row(y) {
                doubtful.insert(y);
            }
            let end = x.saturating_add(columns(cell).max(1));
            let area = self.shown.area.union(Rect::new(0, 0, end, y + 1));
            if area != self.shown.area {
                // Rows keep their cells where the buffer becomes wider.
                let mut wider = Buffer::empty(area);
                wider.merge(&self.shown);
                self.shown = wider;
            }
            // What a wider one has covered is empty, unless it is among the changes.
            let before = x.saturating_add(columns(&self.shown[(x, y)]));
            for bared in x + 1..before.min(self.shown.area.width) {
                self.shown[(bared, y)] = Cell::default();
            }
            self.shown[(x, y)] = cell.clone();
            // What it covers is not known by itself any more, until it is written again.
            for covered in x + 1..end {
                self.shown[(covered, y)] = Cell::new(COVERED);
            }
            changed.push((x, y));
        }
        if changed.is_empty() {
            return Ok(());
        }
        self.at = None;
        let mut written = Vec::with_capacity(changed.len());
        for row in changed.chunk_by(|a, b| a.1 == b.1) {
            let y = row[0].1;
            if doubtful.contains(&y) || self.is_doubtful_row(y) {
                doubtful.insert(y);
                continue;
            }
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
        for y in doubtful {
            self.write_row(y)?;
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
        let position = position.into();
        if self.at.replace(position) == Some(position) {
            return Ok(());
        }
        self.backend.set_cursor_position(position)
    }

    fn clear(&mut self) -> Result<(), Self::Error> {
        self.shown.reset();
        self.at = None;
        self.backend.clear()
    }

    fn clear_region(&mut self, clear_type: ClearType) -> Result<(), Self::Error> {
        // Ratatui draws everything again after this.
        self.shown.reset();
        self.at = None;
        self.backend.clear_region(clear_type)
    }

    fn size(&self) -> Result<Size, Self::Error> {
        let told = self.ask.map_or_else(|| self.backend.size(), |ask| ask())?;
        Ok(size::usable(told, self.assumed))
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
    use std::cell::RefCell;
    use std::rc::Rc;

    use ratatui::backend::CrosstermBackend;
    use ratatui::style::{Color, Modifier, Style};
    use ratatui::text::Line;
    use ratatui::{Frame, Terminal, TerminalOptions, Viewport};

    use super::*;
    use crate::console::environment::Environment;
    use crate::tui::widgets::draw::put;
    use crate::tui::widgets::theme::Theme;

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

    /// A terminal and what is drawn on it.
    struct Screen<B: Backend> {
        terminal: Terminal<B>,
        bytes: Bytes,
        parser: vt100::Parser,
    }

    impl<B: Backend> Screen<B> {
        fn new(
            (columns, rows): (u16, u16),
            backend: impl FnOnce(CrosstermBackend<Bytes>) -> B,
        ) -> Self {
            let size = |count: u16| count.try_into().unwrap();
            let bytes = Bytes::default();
            let options = TerminalOptions {
                viewport: Viewport::Fixed(Rect::new(0, 0, columns, rows)),
            };
            let backend = backend(CrosstermBackend::new(bytes.clone()));
            Self {
                terminal: Terminal::with_options(backend, options).unwrap(),
                bytes,
                parser: vt100::Parser::new(size(rows), size(columns), 0),
            }
        }

        fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) {
            assert!(self.terminal.draw(draw).is_ok());
            self.parser
                .process(&std::mem::take(&mut *self.bytes.0.borrow_mut()));
        }

        /// What it shows, row by row.
        fn rows(&self) -> Vec<String> {
            let screen = self.parser.screen();
            let rows = screen.rows(0, screen.size().1.get());
            rows.map(|row| row.trim_end().to_owned()).collect()
        }

        /// The same with its colours, cell by cell.
        fn cells(&self) -> Vec<(String, vt100::Color, bool)> {
            let screen = self.parser.screen();
            let (rows, columns) = screen.size();
            let all = (0..rows.get()).flat_map(|y| (0..columns.get()).map(move |x| (y, x)));
            let cells = all.filter_map(|(y, x)| screen.cell(y, x));
            cells
                .map(|cell| {
                    let text = cell.contents();
                    let text = if text.is_empty() { " " } else { text };
                    (text.to_owned(), cell.fgcolor(), cell.inverse())
                })
                .collect()
        }
    }

    /// What a terminal shows after these frames, row by row.
    fn shown(frames: &[&[&str]]) -> Vec<String> {
        let theme = Theme::new(&Environment {
            utf8: true,
            ..Environment::default()
        });
        let mut screen = Screen::new((40, 3), Thrifty::new);
        for lines in frames {
            screen.draw(|frame| {
                for (y, line) in (0..).zip(*lines) {
                    put(theme, frame, 0, y, Line::from(*line));
                }
            });
        }
        screen.rows()
    }

    #[derive(Clone, Default)]
    struct Bytes(Rc<RefCell<Vec<u8>>>);

    impl std::io::Write for Bytes {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.borrow_mut().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn nothing_stays_of_text_whose_width_is_doubtful() {
        for odd in [
            "a👍🏽b👍🏽c👍🏽d 1234567890",
            "لا لا لا لا لا لا لا لا 1234567890",
            "ក្ក ស្ត្រី ក្ក ក្ក 1234567890",
            "क्क्क्क्क्क्क x\u{301}\u{302}y 1234567890",
            "\u{1100}\u{1100}\u{1100}\u{1161}\u{11ab} 1234567890",
            "👩\u{200d}💻👩\u{200d}💻❤\u{fe0f}1\u{fe0f}\u{20e3} 1234567890",
            "a\u{3164}b\u{115f}c\u{ffa0}d\u{2800}e\u{1160} 1234567890",
            "\u{d4e}\u{d4e}\u{d4e}ക ﾊﾟｽﾜｰﾄﾞ 1234567890",
            "日本語日本語日本語 1234567890",
        ] {
            let row = odd.split(' ').next_back().unwrap();
            let first = shown(&[&["before", odd, "after"]]);
            assert!(first[1].ends_with(row), "{odd}: {first:?}");
            assert_eq!((first[0].as_str(), first[2].as_str()), ("before", "after"));
            for next in ["", "short", "xxxxxxxxxxxxxxxxxxxxxx", "ab👍🏽"] {
                let expected = shown(&[&["before", next, "after"]]);
                assert_eq!(
                    shown(&[&["before", odd, "after"], &["before", next, "after"]]),
                    expected,
                    "{odd} then {next}"
                );
                assert_eq!(
                    shown(&[&["x", next, "y"], &["before", odd, "after"]]),
                    first,
                    "{next} then {odd}"
                );
            }
        }
    }

    #[test]
    fn nothing_stays_where_the_terminal_draws_wider_than_told() {
        // Ratatui makes one cell of two columns of each, and this terminal draws four.
        let mut screen = Screen::new((40, 1), Thrifty::new);
        for text in ["a👍🏽b👍🏽", "next"] {
            screen.draw(|frame| frame.render_widget(text, frame.area()));
        }
        assert_eq!(screen.rows(), ["next"]);
    }

    #[test]
    fn the_screen_is_the_same_as_without() {
        let mut dice = Dice(793);
        let (columns, rows) = (60, 6);
        let mut thrifty = Screen::new((columns, rows), Thrifty::new);
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
            let draw = |frame: &mut Frame<'_>| {
                for (y, line) in (0..).zip(&lines) {
                    frame.render_widget(line, Rect::new(0, y, columns, 1));
                }
            };
            thrifty.draw(draw);
            // On an empty screen, and without.
            let mut plain = Screen::new((columns, rows), |backend| backend);
            plain.draw(draw);
            assert!(
                thrifty.cells() == plain.cells(),
                "{:?}\n{:?}",
                thrifty.rows(),
                plain.rows()
            );
        }
    }
}
