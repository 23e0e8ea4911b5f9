//! A Ratatui backend that sends frames in few bytes, because the terminal may be on a slow line.
//!
//! Ratatui passes the cells that changed. Of two ways to the new screen, the backend uses the shorter: it writes the
//! changed cells, or it moves rows that only moved as a whole, and writes the rest.

use std::io::{self, Write};

use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Rect, Size};

use super::line::{COVERED, ERASE, Line, columns};
use super::shift::Shift;
use super::size;

/// Frames with at most this many bytes are not worth a search for rows to move.
const SHORT: usize = 150;

/// A function that asks the terminal for its size.
type Ask = fn() -> io::Result<Size>;

/// A Ratatui backend that knows what is on the screen, and sends only the changes, in few bytes.
#[derive(Debug)]
pub(in crate::tui) struct Thrifty<W> {
    writer: W,
    /// The content of the screen.
    shown: Buffer,
    /// Whether the cursor is visible, if known.
    cursor: Option<bool>,
    /// The position of the cursor, if known.
    at: Option<Position>,
    /// The size to use if the terminal reports none.
    assumed: Size,
    /// Asks the terminal for its size.
    ask: Option<Ask>,
    /// Whether the terminal can insert and delete rows.
    moves_rows: bool,
}

impl<W: Write> Thrifty<W> {
    /// Creates a backend for an empty screen.
    pub(in crate::tui) fn new(writer: W) -> Self {
        Self {
            writer,
            shown: Buffer::default(),
            cursor: None,
            at: None,
            assumed: size::assumed(|_| None),
            ask: None,
            moves_rows: false,
        }
    }

    /// Sets the size to use if the terminal reports none.
    #[must_use]
    pub(in crate::tui) fn assuming(self, assumed: Size) -> Self {
        Self { assumed, ..self }
    }

    /// Sets the function that asks the terminal for its size.
    #[must_use]
    pub(in crate::tui) fn asking(self, ask: Ask) -> Self {
        let ask = Some(ask);
        Self { ask, ..self }
    }

    /// Sets whether the terminal can insert and delete rows.
    #[must_use]
    pub(in crate::tui) fn moving_rows(self, moves_rows: bool) -> Self {
        Self { moves_rows, ..self }
    }

    /// Forgets the content of the screen and the cursor: something else may have written to it.
    pub(in crate::tui) fn forget(&mut self) {
        self.shown = Buffer::default();
        (self.cursor, self.at) = (None, None);
    }

    fn take(&mut self, x: u16, y: u16, cell: &Cell) {
        let end = x.saturating_add(columns(cell).max(1));
        // Cells that the previous, wider cell covered become empty, unless they are among the changes.
        let before = x.saturating_add(columns(&self.shown[(x, y)]));
        for bared in x + 1..before.min(self.shown.area.width) {
            self.shown[(bared, y)] = Cell::default();
        }
        self.shown[(x, y)] = cell.clone();
        // The content of cells that this one covers is unknown until they are written again.
        for covered in x + 1..end {
            self.shown[(covered, y)] = Cell::new(COVERED);
        }
    }
}

impl<W: Write> Backend for Thrifty<W> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let content: Vec<_> = content.collect();
        let area = content.iter().fold(self.shown.area, |area, (x, y, cell)| {
            area.union(Rect::new(
                0,
                0,
                x.saturating_add(columns(cell).max(1)),
                y + 1,
            ))
        });
        if area != self.shown.area {
            // Keep the cells in their rows if the buffer becomes wider.
            let mut wider = Buffer::empty(area);
            wider.merge(&self.shown);
            self.shown = wider;
        }
        let old = self.shown.clone();
        for (x, y, cell) in content {
            self.take(x, y, cell);
        }
        let mut line = Line::default();
        line.write(&old, &self.shown);
        if self.moves_rows && line.bytes.len() > SHORT {
            // Try each move: unchanged rows stay in place, and the rest is written after the move.
            for shift in Shift::all(&old, &self.shown) {
                let mut shifted = Line::default();
                shift.write(&mut shifted);
                shifted.write(&shift.apply(&old), &self.shown);
                if shifted.bytes.len() < line.bytes.len() {
                    line = shifted;
                }
            }
        }
        if line.bytes.is_empty() {
            return Ok(());
        }
        line.finish();
        self.at = line.certain();
        self.writer.write_all(&line.bytes)
    }

    fn append_lines(&mut self, count: u16) -> io::Result<()> {
        self.at = None;
        self.writer.write_all(&b"\n".repeat(usize::from(count)))
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        if self.cursor.replace(false) == Some(false) {
            return Ok(());
        }
        self.writer.write_all(b"\x1b[?25l")
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        if self.cursor.replace(true) == Some(true) {
            return Ok(());
        }
        self.writer.write_all(b"\x1b[?25h")
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        // The terminal's response would arrive among the keys.
        Err(io::ErrorKind::Unsupported.into())
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        let position = position.into();
        let mut line = Line::from(self.at);
        line.move_to(position.x, position.y, None);
        self.at = Some(position);
        self.writer.write_all(&line.bytes)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.clear_region(ClearType::All)
    }

    fn clear_region(&mut self, clear_type: ClearType) -> io::Result<()> {
        // Ratatui redraws everything after this, perhaps on a smaller screen.
        self.shown = Buffer::default();
        self.at = None;
        self.writer.write_all(match clear_type {
            ClearType::All => b"\x1b[2J",
            ClearType::AfterCursor => b"\x1b[J",
            ClearType::BeforeCursor => b"\x1b[1J",
            ClearType::CurrentLine => b"\x1b[2K",
            ClearType::UntilNewLine => ERASE,
        })
    }

    fn size(&self) -> io::Result<Size> {
        let told = self.ask.map_or(Ok(Size::ZERO), |ask| ask())?;
        Ok(size::usable(told, self.assumed))
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize {
            columns_rows: self.size()?,
            pixels: Size::ZERO,
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
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

    /// An emulated terminal, and the Ratatui terminal that draws on it.
    struct Screen<B: Backend> {
        terminal: Terminal<B>,
        bytes: Bytes,
        parser: vt100::Parser,
    }

    impl<B: Backend> Screen<B> {
        fn new((columns, rows): (u16, u16), backend: impl FnOnce(Bytes) -> B) -> Self {
            let size = |count: u16| count.try_into().unwrap();
            let bytes = Bytes::default();
            let options = TerminalOptions {
                viewport: Viewport::Fixed(Rect::new(0, 0, columns, rows)),
            };
            let backend = backend(bytes.clone());
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

        /// Returns the text on the screen, row by row.
        fn rows(&self) -> Vec<String> {
            let screen = self.parser.screen();
            let rows = screen.rows(0, screen.size().1.get());
            rows.map(|row| row.trim_end().to_owned()).collect()
        }

        /// Returns the cells of the screen with their styles. Of a blank, only visible styles count.
        fn cells(&self) -> Vec<(String, vt100::Color, vt100::Color, [bool; 4])> {
            let screen = self.parser.screen();
            let (rows, columns) = screen.size();
            let all = (0..rows.get()).flat_map(|y| (0..columns.get()).map(move |x| (y, x)));
            let cells = all.filter_map(|(y, x)| screen.cell(y, x));
            cells
                .map(|cell| {
                    let text = cell.contents();
                    let text = if text.is_empty() { " " } else { text };
                    let seen = text != " ";
                    let front = if seen || cell.inverse() {
                        cell.fgcolor()
                    } else {
                        vt100::Color::Default
                    };
                    let modifiers = [
                        cell.inverse(),
                        cell.underline(),
                        seen && cell.bold(),
                        seen && cell.dim(),
                    ];
                    (text.to_owned(), front, cell.bgcolor(), modifiers)
                })
                .collect()
        }
    }

    /// Returns what a terminal shows after these frames, row by row.
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
    fn text_of_doubtful_width_leaves_no_residue() {
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
    fn text_drawn_wider_than_expected_leaves_no_residue() {
        // Ratatui makes each of them one cell with two columns, but this terminal draws four.
        let mut screen = Screen::new((40, 1), Thrifty::new);
        for text in ["a👍🏽b👍🏽", "next"] {
            screen.draw(|frame| frame.render_widget(text, frame.area()));
        }
        assert_eq!(screen.rows(), ["next"]);
    }

    /// Returns a row of random words in random styles.
    fn words(dice: &mut Dice) -> Line<'static> {
        let spans: Vec<_> = (0..dice.below(5))
            .map(|_| {
                let word = [
                    "a",
                    "  ",
                    "focus",
                    "日本",
                    "longer words here",
                    "…",
                    "      ",
                ][dice.below(7)];
                let style = [
                    Style::new(),
                    Style::new().add_modifier(Modifier::REVERSED),
                    Style::new().add_modifier(Modifier::BOLD),
                    Style::new().add_modifier(Modifier::DIM),
                    Style::new().add_modifier(Modifier::REVERSED | Modifier::BOLD),
                    Style::new().add_modifier(Modifier::UNDERLINED),
                    Style::new().fg(Color::Red),
                    Style::new().fg(Color::Black).bg(Color::White),
                ][dice.below(8)];
                ratatui::text::Span::styled(word.repeat(1 + dice.below(3)), style)
            })
            .collect();
        Line::from(spans)
    }

    #[test]
    fn thrifty_backend_draws_the_same_screen() {
        let mut dice = Dice(793);
        let (columns, rows) = (60, 12);
        for moves_rows in [false, true] {
            let mut thrifty = Screen::new((columns, rows), |bytes| {
                Thrifty::new(bytes).moving_rows(moves_rows)
            });
            let mut lines: Vec<Line<'_>> = (0..rows).map(|_| words(&mut dice)).collect();
            for _ in 0..2000 {
                // Rows are added, removed and changed.
                for _ in 0..dice.below(4) {
                    let at = dice.below(lines.len());
                    lines.insert(at, words(&mut dice));
                }
                for _ in 0..dice.below(4) {
                    lines.remove(dice.below(lines.len()));
                }
                lines.resize_with(usize::from(rows), || words(&mut dice));
                for _ in 0..dice.below(3) {
                    let at = dice.below(lines.len());
                    lines[at] = words(&mut dice);
                }
                let cursor = (dice.below(2) == 0).then(|| {
                    let below = |count: u16, dice: &mut Dice| {
                        u16::try_from(dice.below(usize::from(count))).unwrap()
                    };
                    Position::new(below(columns, &mut dice), below(rows, &mut dice))
                });
                let draw = |frame: &mut Frame<'_>| {
                    for (y, line) in (0..).zip(&lines) {
                        frame.render_widget(line, Rect::new(0, y, columns, 1));
                    }
                    if let Some(cursor) = cursor {
                        frame.set_cursor_position(cursor);
                    }
                };
                thrifty.draw(draw);
                // Compare with the same frame on an empty screen, drawn without `Thrifty`.
                let mut plain = Screen::new((columns, rows), CrosstermBackend::new);
                plain.draw(draw);
                assert!(
                    thrifty.cells() == plain.cells(),
                    "{:?}\n{:?}",
                    thrifty.rows(),
                    plain.rows()
                );
                let cursor = |screen: &vt100::Screen| {
                    (!screen.hide_cursor()).then(|| screen.cursor_position())
                };
                assert_eq!(
                    cursor(thrifty.parser.screen()),
                    cursor(plain.parser.screen())
                );
            }
        }
    }

    #[test]
    fn a_change_takes_few_bytes() {
        let bytes = |before: &[&str], after: &[&str]| {
            let bytes = Bytes::default();
            let mut terminal = Terminal::with_options(
                Thrifty::new(bytes.clone()).moving_rows(true),
                TerminalOptions {
                    viewport: Viewport::Fixed(Rect::new(0, 0, 80, 10)),
                },
            )
            .unwrap();
            for lines in [before, after] {
                bytes.0.borrow_mut().clear();
                let _ = terminal.draw(|frame| {
                    for (y, line) in (0..).zip(lines) {
                        frame.render_widget(*line, Rect::new(0, y, 80, 1));
                    }
                });
            }
            let bytes = bytes.0.borrow().clone();
            String::from_utf8(bytes).unwrap()
        };
        for (before, after, expected) in [
            // The end of the row is erased if the cursor is already there.
            (
                vec!["a name: longer"],
                vec!["a name: b"],
                "\x1b[1;9Hb\x1b[K",
            ),
            // Unchanged cells are passed over, or rewritten if that is as short.
            (vec!["a..b"], vec!["c..d"], "\x1b[Hc..d"),
            (vec!["a.......b"], vec!["c.......d"], "\x1b[Hc\x1b[7Cd"),
            (
                vec!["1", "2", "3", "same"],
                vec!["4", "5", "6", "same"],
                "\x1b[H4\r\n5\r\n6",
            ),
            // Terminals disagree about the width of some characters.
            (vec!["a.......b"], vec!["….......d"], "\x1b[H…\x1b[1;9Hd"),
        ] {
            assert_eq!(bytes(&before, &after), expected);
        }
        // Rows below an inserted or removed row move as a whole.
        let rows: Vec<String> = (0..8).map(|number| number.to_string().repeat(30)).collect();
        let all: Vec<&str> = rows.iter().map(String::as_str).collect();
        let mut more = all.clone();
        more.insert(2, "new");
        assert_eq!(bytes(&all, &more), "\x1b[9H\x1b[M\x1b[3H\x1b[L\x1b[3Hnew");
        assert_eq!(bytes(&more, &all), "\x1b[3H\x1b[M\x1b[9H\x1b[L");
    }
}
