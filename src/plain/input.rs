//! Lines of standard input.

#[cfg(unix)]
use std::io::IsTerminal;
use std::io::{Read, Stdin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::mpsc;
use zeroize::Zeroizing;

use super::typing::{Line, Typing};
use crate::console::talk::{Often, say_often};
#[cfg(unix)]
use crate::console::{device, modes};
use crate::secret::{ExposeSecret, SecretString};

/// Ends the program, as Ctrl+D on an empty line does.
const QUIT: [&str; 2] = ["quit", "exit"];

/// What is said about a line that is not read.
const TOO_LONG: &str = "a paste: it is longer than 128 KiB";

/// True for a line that ends the program.
pub(super) fn is_quit(line: &SecretString) -> bool {
    let is = |word: &&str| line.expose_secret().eq_ignore_ascii_case(word);
    QUIT.iter().any(is)
}

/// The lines of standard input. On a terminal they are read without the limit of the kernel for a line (4096 bytes on
/// Linux), which would cut a long URL; they are edited here then.
pub(super) struct Input {
    pub(super) lines: mpsc::Receiver<SecretString>,
    /// Lines are edited here.
    edited: Arc<AtomicBool>,
    /// Lines may be long.
    #[cfg(unix)]
    long: bool,
    #[cfg(unix)]
    unlimited: Option<Unlimited>,
}

impl Input {
    /// Starts to read.
    pub(super) fn start() -> Self {
        let (sender, lines) = mpsc::channel(4);
        let edited = Arc::new(AtomicBool::new(false));
        let mut input = Self {
            lines,
            edited: edited.clone(),
            #[cfg(unix)]
            long: true,
            #[cfg(unix)]
            unlimited: None,
        };
        input.take_again();
        // Not joined at the end, because reading blocks.
        std::thread::spawn(move || read(&sender, &edited));
        input
    }

    /// From here on lines are short: the system edits them, and Ctrl+D ends them.
    pub(super) fn expect_short_lines(&mut self) {
        #[cfg(unix)]
        {
            self.long = false;
        }
        self.leave();
    }

    /// Leaves the terminal as it was before.
    pub(super) fn leave(&mut self) {
        self.edited.store(false, Ordering::SeqCst);
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
            self.edited
                .store(self.unlimited.is_some(), Ordering::SeqCst);
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

/// Reads until standard input ends, or nobody listens.
fn read(lines: &mpsc::Sender<SecretString>, edited: &AtomicBool) {
    let mut input = Foreground(std::io::stdin());
    let mut typing = Typing::default();
    let mut bytes = Zeroizing::new([0; 4096]);
    loop {
        let count = input.read(&mut bytes[..]).unwrap_or(0);
        let mut typed = Vec::new();
        for bytes in bytes[..count].split_inclusive(|byte| *byte == b'\n') {
            typed.extend(typing.feed(bytes));
        }
        if count == 0 {
            typed.push(typing.end());
        }
        let echo = typing.echo();
        let is_ended = typing.is_ended();
        if edited.load(Ordering::SeqCst) {
            show(&echo);
            if is_ended {
                typed.push(Line::Text(QUIT[0].into()));
            }
        }
        for line in typed {
            match line {
                Line::TooLong => say_often(Often::Paste, TOO_LONG),
                Line::Text(line) if line.expose_secret().is_empty() => {}
                Line::Text(line) => {
                    if lines.blocking_send(line).is_err() {
                        return;
                    }
                }
            }
        }
        if count == 0 {
            return;
        }
    }
}

/// Shows what is typed, as the system does not.
fn show(text: &str) {
    #[cfg(unix)]
    if let Ok(mut terminal) = device::open() {
        // What is typed counts all the same.
        let _ = std::io::Write::write_all(&mut terminal, text.as_bytes());
    }
    #[cfg(windows)]
    let _ = text;
}

/// Standard input, which is not read while the program is a job in the background: that would stop it.
struct Foreground(Stdin);

impl Read for Foreground {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        #[cfg(unix)]
        if self.0.is_terminal() {
            device::wait_for_input(&self.0)?;
        }
        self.0.read(buffer)
    }
}

/// A terminal without line mode, which is as before on drop.
#[cfg(unix)]
struct Unlimited(());

#[cfg(unix)]
impl Unlimited {
    fn new() -> std::io::Result<Self> {
        use rustix::termios::LocalModes;
        modes::take(std::io::stdin(), |modes| {
            modes
                .local_modes
                .remove(LocalModes::ICANON | LocalModes::ECHO);
        })?;
        Ok(Self(()))
    }
}

#[cfg(unix)]
impl Drop for Unlimited {
    fn drop(&mut self) {
        modes::give_back(std::io::stdin());
    }
}
