//! Lines of standard input.

#[cfg(unix)]
use std::io::IsTerminal;
use std::io::{BufRead, BufReader, Read};
use std::time::Duration;

use clap::ValueEnum;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::oauth::pasted;
use crate::outcome::Print;
use crate::secret::{ExposeSecret, SecretString};

/// The longest line.
const LINE_LIMIT: u64 = 128 * 1024;

/// How long a further line of the same paste is waited for.
const PAUSE: Duration = Duration::from_millis(150);
/// Lines that come later than this after each other were not pasted together.
const ONE_PASTE: Duration = Duration::from_secs(2);

/// The lines of standard input. On a terminal they are read without the limit of the kernel for a line (4096 bytes on
/// Linux), which would cut a long URL.
pub(super) struct Input {
    lines: mpsc::Receiver<SecretString>,
    /// Read, and not asked for yet.
    ahead: Option<SecretString>,
    /// A URL that is not handed over yet, as it may go on in the next line.
    begun: Option<Begun>,
    /// The one that was handed over last, and when.
    handed_over: Option<(SecretString, Instant)>,
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
            ahead: None,
            begun: None,
            handed_over: None,
            #[cfg(unix)]
            unlimited,
        })
    }

    /// From here on lines are short: the system edits them, and Ctrl+D ends them.
    pub(super) fn expect_short_lines(&mut self) {
        #[cfg(unix)]
        drop(self.unlimited.take());
    }

    /// The next line as it is; `None` after the last one.
    pub(super) async fn next_word(&mut self) -> Option<SecretString> {
        match self.ahead.take() {
            Some(line) => Some(line),
            None => self.lines.recv().await,
        }
    }

    /// The next answer, with the lines that a URL was broken over put together. What follows half a URL is never an answer
    /// of its own: it would be taken for a code. Never resolves after the last line.
    pub(super) async fn next_answer(&mut self) -> SecretString {
        loop {
            let line = match (&self.begun, self.ahead.take()) {
                (_, Some(line)) => Some(line),
                (Some(_), None) => {
                    let line = tokio::time::timeout(PAUSE, self.lines.recv()).await;
                    line.ok().flatten()
                }
                (None, None) => match self.lines.recv().await {
                    Some(line) => Some(line),
                    None => std::future::pending().await,
                },
            };
            let before = self.begun.as_ref().map(|begun| &begun.text);
            let before = before.or_else(|| self.handed_over.as_ref().map(|(text, _)| text));
            let length = before.map_or(0, |text| text.expose_secret().len());
            let goes_on = line.as_ref().is_some_and(|line| {
                let line = line.expose_secret();
                (length + line.len()) as u64 <= LINE_LIMIT && is_a_rest(line)
            });
            match (self.begun.take(), line) {
                (Some(begun), Some(line)) if goes_on => {
                    self.begun = Some(Begun {
                        text: joined(&begun.text, &line),
                        ..begun
                    });
                }
                (Some(begun), line) => {
                    self.ahead = line;
                    self.handed_over =
                        (!begun.is_late).then(|| (begun.text.clone(), Instant::now()));
                    return begun.text;
                }
                (None, Some(line)) => match self.handed_over.take() {
                    Some((before, at)) if goes_on => {
                        self.begun = Some(Begun {
                            text: joined(&before, &line),
                            is_late: at.elapsed() > ONE_PASTE,
                        });
                    }
                    _ if pasted::is_like_a_url(line.expose_secret()) => {
                        self.begun = Some(Begun {
                            text: line,
                            is_late: false,
                        });
                    }
                    _ => return line,
                },
                (None, None) => {}
            }
        }
    }
}

/// A URL that may go on in the next line.
struct Begun {
    text: SecretString,
    /// Its last line was not pasted together with the others, and the one behind it is an answer again.
    is_late: bool,
}

fn joined(begun: &SecretString, rest: &SecretString) -> SecretString {
    [begun.expose_secret(), rest.expose_secret()]
        .concat()
        .into()
}

/// True for a line that can be the rest of a URL.
fn is_a_rest(line: &str) -> bool {
    let is_word = Print::from_str(line, true).is_ok() || is_farewell(line);
    !is_word && !pasted::begins_an_answer(line)
}

/// True where the user leaves.
pub(super) fn is_farewell(line: &str) -> bool {
    ["quit", "exit"]
        .iter()
        .any(|word| line.eq_ignore_ascii_case(word))
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

    fn input() -> (mpsc::Sender<SecretString>, Input) {
        let (sender, lines) = mpsc::channel(16);
        let input = Input {
            lines,
            ahead: None,
            begun: None,
            handed_over: None,
            #[cfg(unix)]
            unlimited: None,
        };
        (sender, input)
    }

    /// What comes of lines that come together, up to this many answers.
    async fn answers(lines: &[&str], count: usize) -> Vec<String> {
        let (sender, mut input) = input();
        for line in lines {
            sender.send((*line).into()).await.ok();
        }
        let mut answers = Vec::new();
        for _ in 0..count {
            answers.push(input.next_answer().await.expose_secret().to_owned());
        }
        let more = tokio::time::timeout(Duration::from_mins(1), input.next_answer()).await;
        assert!(more.is_err(), "{lines:?}");
        answers
    }

    #[tokio::test(start_paused = true)]
    async fn a_url_that_was_broken_over_lines_is_put_together() {
        let url = "http://127.0.0.1:8400/cb?state=S&code=4/0Ab&scope=https://mail.example/";
        for lines in [
            &[url][..],
            &[
                "http://127.0.0.1:8400/cb?state=S",
                "&code=4/0Ab&scope=https://mail.example/",
            ],
            &[
                "http://127.0.0.1:8400/cb?sta",
                "te=S&code=4/0A",
                "b&scope=https://mail.example/",
            ],
            &[
                "http://127.0.0.1:8400/cb?state=S&code=4/0Ab&scope=",
                "https:/",
                "/mail.example/",
            ],
        ] {
            assert_eq!(answers(lines, 1).await, [url], "{lines:?}");
        }
        for lines in [
            &["a-bare-code", "another-code"][..],
            &[url, "http://127.0.0.1:8400/cb?state=T"],
            &[url, "code=C&state=S"],
            &[url, "GET /cb?code=C HTTP/1.1"],
        ] {
            assert_eq!(answers(lines, 2).await, lines, "{lines:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn lines_without_end_are_not_kept() {
        let (sender, mut input) = input();
        sender.send("http://127.0.0.1/cb?code=C".into()).await.ok();
        let rest = "x".repeat(10_000);
        let flood =
            tokio::spawn(async move { while sender.send(rest.as_str().into()).await.is_ok() {} });
        for _ in 0..4 {
            let answer = input.next_answer().await;
            assert!(answer.expose_secret().len() as u64 <= LINE_LIMIT);
        }
        drop(input);
        flood.await.ok();
    }

    #[tokio::test(start_paused = true)]
    async fn what_follows_half_a_url_is_not_a_code() {
        let (sender, mut input) = input();
        let half = "http://127.0.0.1:8400/cb?code=C&state=S";
        sender.send(half.into()).await.ok();
        assert_eq!(input.next_answer().await.expose_secret(), half);
        tokio::time::advance(Duration::from_secs(30)).await;
        sender.send("second-half".into()).await.ok();
        let joined = format!("{half}second-half");
        assert_eq!(input.next_answer().await.expose_secret(), joined);
        // Whoever insists has a code.
        sender.send("a-bare-code".into()).await.ok();
        assert_eq!(input.next_answer().await.expose_secret(), "a-bare-code");
    }

    #[tokio::test(start_paused = true)]
    async fn what_to_print_is_no_rest_of_a_url() {
        let (sender, mut input) = input();
        for line in [
            "http://127.0.0.1:8400/cb?code=C&state=S",
            "access-token",
            "quit",
        ] {
            sender.send(line.into()).await.ok();
        }
        assert!(
            input
                .next_answer()
                .await
                .expose_secret()
                .ends_with("state=S")
        );
        for word in ["access-token", "quit"] {
            let next = input.next_word().await;
            assert_eq!(
                next.map(|it| it.expose_secret().to_owned()).as_deref(),
                Some(word)
            );
        }
    }

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
