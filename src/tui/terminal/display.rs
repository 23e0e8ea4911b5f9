//! What the terminal shows: the newest frame, and what is sent beside frames.
//!
//! While the terminal has not taken the last bytes, nothing is drawn; then the newest state is. So a slow line never lags
//! behind by more than a frame.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;
use std::time::Duration;

use crossterm::event::EnableBracketedPaste;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen};
use crossterm::{cursor, queue, style};
use ratatui::layout::{Position, Rect, Size};
use ratatui::{Frame, Terminal};
use zeroize::Zeroizing;

use super::guard::{self, Output};
use super::size;
use super::thrifty::Thrifty;
use super::writer::Writer;
use crate::secret::{ExposeSecret, SecretString};

/// What is drawn on.
type Screen = Terminal<Thrifty<Bytes>>;

/// What is to be written next.
#[derive(Debug, Clone, Default)]
struct Bytes(Rc<RefCell<Zeroizing<Vec<u8>>>>);

impl Bytes {
    fn take(&self) -> Zeroizing<Vec<u8>> {
        std::mem::take(&mut *self.0.borrow_mut())
    }
}

impl Write for Bytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is sent beside frames. While the terminal takes nothing, a newer one replaces an older one of its kind.
#[derive(Debug)]
enum Part {
    /// A sequence that the terminal acts upon, such as a copy.
    Sequence(SecretString),
    /// A value that stays in the scrollback.
    Scrollback(SecretString),
    /// A screen without anything on it; the next frame is written whole.
    Empty,
    /// A value alone on the screen.
    Alone(SecretString),
}

impl Part {
    fn is_replaced_by(&self, newer: &Self) -> bool {
        match self {
            Self::Sequence(_) => matches!(newer, Self::Sequence(_)),
            Self::Scrollback(_) => matches!(newer, Self::Scrollback(_)),
            Self::Empty | Self::Alone(_) => matches!(newer, Self::Empty | Self::Alone(_)),
        }
    }
}

/// The terminal's screen.
pub(in crate::tui) struct Display {
    screen: Screen,
    bytes: Bytes,
    parts: Vec<Part>,
    writer: Writer,
}

impl Display {
    /// Begins with an empty screen, on a terminal that can insert and delete rows where `moves_rows` is set.
    ///
    /// # Errors
    /// If the terminal's size can't be read.
    pub(in crate::tui) fn new(output: Output, moves_rows: bool) -> io::Result<Self> {
        let bytes = Bytes::default();
        let assumed = size::assumed(|name| std::env::var(name).ok());
        let backend = Thrifty::new(bytes.clone())
            .assuming(assumed)
            .asking(guard::size)
            .moving_rows(moves_rows);
        Ok(Self {
            screen: Terminal::new(backend)?,
            bytes,
            parts: vec![Part::Empty],
            writer: Writer::start(output),
        })
    }

    /// The size of what can be drawn on.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub(in crate::tui) fn size(&self) -> io::Result<Size> {
        self.screen.size()
    }

    /// Sends a sequence.
    pub(in crate::tui) fn send(&mut self, sequence: SecretString) {
        self.push(Part::Sequence(sequence));
    }

    /// Writes a value where it stays in the scrollback.
    pub(in crate::tui) fn show_in_scrollback(&mut self, value: SecretString) {
        self.push(Part::Scrollback(value));
    }

    /// Wipes the screen, and writes this value on it, where there is one. The next frame is written whole.
    pub(in crate::tui) fn wipe(&mut self, alone: Option<SecretString>) {
        self.push(alone.map_or(Part::Empty, Part::Alone));
    }

    fn push(&mut self, part: Part) {
        self.parts.retain(|older| !older.is_replaced_by(&part));
        self.parts.push(part);
    }

    /// False while the terminal has not taken the last bytes.
    pub(in crate::tui) fn is_ready(&self) -> bool {
        self.writer.is_idle()
    }

    /// Comes back when the terminal has taken the last bytes; never, while there are none.
    ///
    /// # Errors
    /// If it couldn't be written to.
    pub(in crate::tui) async fn written(&mut self) -> io::Result<()> {
        self.writer.written().await
    }

    /// Hands over what was sent, and a frame, where one is due. Only while ready.
    ///
    /// # Errors
    /// If the terminal's size can't be read.
    pub(in crate::tui) fn draw(
        &mut self,
        frame: Option<impl FnOnce(&mut Frame<'_>)>,
    ) -> io::Result<()> {
        for part in std::mem::take(&mut self.parts) {
            self.write(part)?;
        }
        if let Some(view) = frame {
            self.screen.draw(view)?;
        }
        let bytes = self.bytes.take();
        if !bytes.is_empty() {
            self.writer.write(bytes);
        }
        Ok(())
    }

    /// Hands over what was sent last, and waits for the terminal to take it, at most this long. What is being written then
    /// comes before anything that is written elsewhere.
    ///
    /// # Errors
    /// If it couldn't be written.
    pub(in crate::tui) async fn settle(&mut self, limit: Duration) -> io::Result<()> {
        let settled = async {
            while !self.is_ready() || !self.parts.is_empty() {
                if self.is_ready() {
                    self.draw(None::<fn(&mut Frame<'_>)>)?;
                }
                self.written().await?;
            }
            Ok(())
        };
        tokio::time::timeout(limit, settled).await.unwrap_or(Ok(()))
    }

    fn write(&mut self, part: Part) -> io::Result<()> {
        let mut bytes = self.bytes.clone();
        match part {
            Part::Sequence(sequence) => bytes.write_all(sequence.expose_secret().as_bytes())?,
            Part::Scrollback(value) => {
                queue!(bytes, LeaveAlternateScreen)?;
                bytes.write_all(value.expose_secret().as_bytes())?;
                bytes.write_all(b"\r\n\r\nAny key: back\r\n")?;
            }
            Part::Empty => self.empty()?,
            Part::Alone(value) => {
                self.empty()?;
                // Only the terminal breaks it, so that it is selected as one.
                bytes.write_all(value.expose_secret().as_bytes())?;
                let last = self.size()?.height.saturating_sub(1);
                queue!(
                    bytes,
                    cursor::MoveTo(0, last),
                    style::Print("Any key: back")
                )?;
            }
        }
        Ok(())
    }

    fn empty(&mut self) -> io::Result<()> {
        // Neither is on before the first frame, or after another program has used the terminal.
        queue!(
            self.bytes,
            EnterAlternateScreen,
            EnableBracketedPaste,
            style::ResetColor
        )?;
        self.screen.backend_mut().forget();
        // Clears the screen, so that the next frame is written as a whole. Ratatui's `clear` would ask where the cursor
        // is, and wait for the terminal's answer. A new screen would need its memory twice.
        let size = self.size()?;
        self.screen.resize(Rect::from((Position::ORIGIN, size)))?;
        queue!(self.bytes, cursor::MoveTo(0, 0))
    }
}
