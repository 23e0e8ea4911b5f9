//! Lines of standard input.

use std::io::{BufRead, BufReader, IsTerminal, Read, Stdin};

use tokio::sync::mpsc;

#[cfg(unix)]
use crate::console::device;
use crate::secret::{ExposeSecret, SecretString};

/// The longest line.
const LINE_LIMIT: u64 = 128 * 1024;
/// How often the program looks whether it is in the foreground again.
#[cfg(unix)]
const LOOK: std::time::Duration = std::time::Duration::from_millis(200);

/// The lines of standard input. On a terminal they are read without the limit of the kernel for a line (4096 bytes on
/// Linux), which would cut a long URL.
pub(super) struct Input {
    pub(super) lines: mpsc::Receiver<SecretString>,
    /// Lines may be long.
    #[cfg(unix)]
    long: bool,
    #[cfg(unix)]
    unlimited: Option<Unlimited>,
}

impl Input {
    /// Starts to read.
    #[cfg_attr(
        windows,
        allow(
            clippy::unnecessary_wraps,
            reason = "only Unix has jobs in the background"
        )
    )]
    pub(super) fn start() -> Self {
        let (sender, lines) = mpsc::channel(4);
        // Not joined at the end, because reading blocks.
        std::thread::spawn(move || {
            let mut reader = BufReader::new(Foreground(std::io::stdin()));
            loop {
                let mut line = zeroize::Zeroizing::new(Vec::new());
                match (&mut reader).take(LINE_LIMIT).read_until(b'\n', &mut line) {
                    Ok(0) | Err(_) => return,
                    // The rest of a line that is too long is no line of its own.
                    Ok(_) if !line.ends_with(b"\n") && reader.skip_until(b'\n').is_err() => return,
                    Ok(_) => {}
                }
                let line = apply_backspaces(&String::from_utf8_lossy(&line));
                if !line.expose_secret().is_empty() && sender.blocking_send(line).is_err() {
                    return;
                }
            }
        });
        #[cfg(not(unix))]
        return Self { lines };
        #[cfg(unix)]
        {
            let mut input = Self {
                lines,
                long: true,
                unlimited: None,
            };
            input.take_again();
            input
        }
    }

    /// From here on lines are short: the system edits them, and Ctrl+D ends them.
    pub(super) fn expect_short_lines(&mut self) {
        #[cfg(unix)]
        {
            self.long = false;
            self.leave();
        }
    }

    /// Leaves the terminal as it was before.
    pub(super) fn leave(&mut self) {
        #[cfg(unix)]
        drop(self.unlimited.take());
    }

    /// Takes the terminal, where it is ours and lines may be long.
    pub(super) fn take_again(&mut self) {
        #[cfg(unix)]
        if self.long && std::io::stdin().is_terminal() && device::is_in_foreground(std::io::stdin())
        {
            self.leave();
            // Short lines can be read all the same.
            self.unlimited = Unlimited::new().ok();
        }
    }

    /// The next line. Never resolves after the last one.
    pub(super) async fn next_line(&mut self) -> SecretString {
        match self.lines.recv().await {
            Some(line) => line,
            None => std::future::pending().await,
        }
    }
}

/// Standard input, which is not read while the program is a job in the background: that would stop it.
struct Foreground(Stdin);

impl Read for Foreground {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        #[cfg(unix)]
        if self.0.is_terminal() {
            use rustix::event::{PollFd, PollFlags, poll};
            // A read that has begun is begun again when the program is continued, wherever that is.
            loop {
                match poll(&mut [PollFd::new(&self.0, PollFlags::IN)], None) {
                    Err(rustix::io::Errno::INTR) => {}
                    Err(error) => return Err(error.into()),
                    Ok(_) if device::is_in_foreground(&self.0) => break,
                    Ok(_) => std::thread::sleep(LOOK),
                }
            }
        }
        self.0.read(buffer)
    }
}

/// A line with its backspaces applied: without the line editing of the kernel, nothing else applies them. The sequences of
/// arrows and other keys, which nothing interprets here, are left out.
fn apply_backspaces(line: &str) -> SecretString {
    let mut text = String::new();
    let mut chars = line.chars();
    while let Some(ch) = chars.next() {
        match ch {
            '\u{1b}' => match chars.next() {
                Some('[') => drop(chars.find(|ch| ('@'..='~').contains(ch))),
                Some('O') => drop(chars.next()),
                _ => {}
            },
            '\u{8}' | '\u{7f}' => drop(text.pop()),
            '\u{15}' => text.clear(),
            '\u{17}' => {
                let kept = text.trim_end().rfind(' ').map_or(0, |space| space + 1);
                text.truncate(kept);
            }
            // Ctrl+D ends nothing here.
            '\u{4}' => {}
            ch => text.push(ch),
        }
    }
    text.trim().into()
}

/// A terminal without line mode, which is restored on drop.
#[cfg(unix)]
struct Unlimited(rustix::termios::Termios);

#[cfg(unix)]
impl Unlimited {
    fn new() -> std::io::Result<Self> {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let before = tcgetattr(std::io::stdin())?;
        let mut unlimited = before.clone();
        unlimited.local_modes.remove(LocalModes::ICANON);
        tcsetattr(std::io::stdin(), OptionalActions::Now, &unlimited)?;
        Ok(Self(before))
    }
}

#[cfg(unix)]
impl Drop for Unlimited {
    fn drop(&mut self) {
        let _ = rustix::termios::tcsetattr(
            std::io::stdin(),
            rustix::termios::OptionalActions::Now,
            &self.0,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backspaces_are_applied() {
        assert_eq!(apply_backspaces("abx\u{7f}c \r\n").expose_secret(), "abc");
        assert_eq!(
            apply_backspaces("wrong\u{15}right").expose_secret(),
            "right"
        );
        assert_eq!(
            apply_backspaces("one two \u{17}2\u{4}").expose_secret(),
            "one 2"
        );
        // Up, Home on a keypad, Delete, a paste that is marked, and what ends within a sequence.
        assert_eq!(
            apply_backspaces("\u{1b}[Aa\u{1b}OHb\u{1b}[3~\u{1b}[200~c\u{1b}[201~\u{1b}[1;")
                .expose_secret(),
            "abc"
        );
    }
}
