//! Lines of standard input.

#[cfg(unix)]
use std::io::IsTerminal;
use std::io::{BufRead, BufReader, Read};

use tokio::sync::mpsc;

use crate::secret::{ExposeSecret, SecretString};

/// The longest line.
const LINE_LIMIT: u64 = 128 * 1024;

/// The lines of standard input. On a terminal they are read without the limit of the kernel for a line (4096 bytes on
/// Linux), which would cut a long URL.
pub(super) struct Input {
    pub(super) lines: mpsc::Receiver<SecretString>,
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
    pub(super) fn start() -> std::io::Result<Self> {
        // A job in the background would be stopped by the kernel for touching the terminal.
        #[cfg(unix)]
        if std::io::stdin().is_terminal()
            && rustix::termios::tcgetpgrp(std::io::stdin())? != rustix::process::getpgrp()
        {
            return Err(std::io::ErrorKind::WouldBlock.into());
        }
        #[cfg(unix)]
        let unlimited = if std::io::stdin().is_terminal() {
            Some(Unlimited::new()?)
        } else {
            None
        };
        let (sender, lines) = mpsc::channel(4);
        // Not joined at the end, because reading blocks.
        std::thread::spawn(move || {
            let mut reader = BufReader::new(std::io::stdin());
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
        Ok(Self {
            lines,
            #[cfg(unix)]
            unlimited,
        })
    }

    /// From here on lines are short: the system edits them, and Ctrl+D ends them.
    pub(super) fn expect_short_lines(&mut self) {
        #[cfg(unix)]
        drop(self.unlimited.take());
    }

    /// The next line. Never resolves after the last one.
    pub(super) async fn next_line(&mut self) -> SecretString {
        match self.lines.recv().await {
            Some(line) => line,
            None => std::future::pending().await,
        }
    }
}

/// A line with its backspaces applied: without the line editing of the kernel, nothing else applies them.
fn apply_backspaces(line: &str) -> SecretString {
    let mut text = String::new();
    for ch in line.chars() {
        match ch {
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
    }
}
