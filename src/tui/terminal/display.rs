//! Writes frames and other output to the terminal.
//!
//! Nothing is drawn until the terminal has received the previous bytes; then the latest state is drawn. So on a slow
//! line the screen is never more than one frame behind.

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

/// The Ratatui terminal that frames are drawn on.
type Screen = Terminal<Thrifty<Bytes>>;

/// The bytes to write next.
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

/// Output other than frames. While the terminal accepts nothing, a newer part replaces an older one of its kind.
#[derive(Debug)]
enum Part {
    /// An escape sequence that the terminal acts on, such as a copy.
    Sequence(SecretString),
    /// A value that stays in the scrollback.
    Scrollback(SecretString),
    /// An empty screen; the next frame is written in full.
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
    /// Creates a display with an empty screen. `moves_rows` says whether the terminal can insert and delete rows.
    ///
    /// # Errors
    /// Returns an error if the terminal's size can't be read.
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

    /// Returns the size of the area that can be drawn on.
    ///
    /// # Errors
    /// Returns an error if the terminal is gone.
    pub(in crate::tui) fn size(&self) -> io::Result<Size> {
        self.screen.size()
    }

    /// Sends an escape sequence.
    pub(in crate::tui) fn send(&mut self, sequence: SecretString) {
        self.push(Part::Sequence(sequence));
    }

    /// Writes a value to the shell's screen, where it stays in the scrollback.
    pub(in crate::tui) fn show_in_scrollback(&mut self, value: SecretString) {
        self.push(Part::Scrollback(value));
    }

    /// Clears the screen, and writes the value `alone` on it, if there is one. The next frame is written in full.
    pub(in crate::tui) fn wipe(&mut self, alone: Option<SecretString>) {
        self.push(alone.map_or(Part::Empty, Part::Alone));
    }

    fn push(&mut self, part: Part) {
        self.parts.retain(|older| !older.is_replaced_by(&part));
        self.parts.push(part);
    }

    /// Returns whether the terminal has received the previous bytes.
    pub(in crate::tui) fn is_ready(&self) -> bool {
        self.writer.is_idle()
    }

    /// Waits until the terminal has received the previous bytes; forever if there are none.
    ///
    /// # Errors
    /// Returns an error if the bytes can't be written.
    pub(in crate::tui) async fn written(&mut self) -> io::Result<()> {
        self.writer.written().await
    }

    /// Passes the waiting parts, and a frame if one is due, to the writer. To be called only while the display is
    /// ready.
    ///
    /// # Errors
    /// Returns an error if the terminal's size can't be read.
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

    /// Writes the waiting parts, and waits at most `limit` until the terminal has received them. So they come before
    /// anything that is written elsewhere.
    ///
    /// # Errors
    /// Returns an error if the bytes can't be written.
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
                // Only the terminal wraps it, so that it can be selected as one line.
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
        // Neither mode is on before the first frame, or after another program has used the terminal.
        queue!(
            self.bytes,
            EnterAlternateScreen,
            EnableBracketedPaste,
            style::ResetColor
        )?;
        self.screen.backend_mut().forget();
        // Clears the screen, so that the next frame is written in full. Ratatui's `clear` would query the cursor
        // position, and wait for the terminal's response. A new screen would need its memory twice.
        let size = self.size()?;
        self.screen.resize(Rect::from((Position::ORIGIN, size)))?;
        queue!(self.bytes, cursor::MoveTo(0, 0))
    }
}
