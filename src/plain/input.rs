//! Reads lines from standard input.

#[cfg(unix)]
use std::io::IsTerminal;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use clap::ValueEnum;
use tokio::sync::mpsc;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::typing::{Line, Pressed, Typing};
use crate::console::standard_input::StandardInput;
use crate::console::talk::{Often, say_often};
use crate::console::typed_line;
#[cfg(unix)]
use crate::console::{device, modes};
use crate::console::{hidden, jobs};
use crate::oauth::pasted;
use crate::outcome::Print;
use crate::secret::{ExposeSecret, SecretString};

/// Words that quit the program, like Ctrl+D on an empty line.
const QUIT: [&str; 2] = ["quit", "exit"];

/// The message about a line that is too long to be read.
const TOO_LONG: &str = "a paste: it is longer than 128 KiB";

/// Returns whether a line quits the program.
pub(super) fn is_quit(line: &str) -> bool {
    QUIT.iter().any(|word| line.eq_ignore_ascii_case(word))
}

/// Maximum size of a URL joined from several lines, in bytes.
const LINE_LIMIT: u64 = 128 * 1024;

/// How long to wait for another line of the same paste.
const PAUSE: Duration = Duration::from_millis(150);
/// Lines further apart than this were not pasted together.
const ONE_PASTE: Duration = Duration::from_secs(2);

/// The lines of standard input. On a terminal, the kernel's line limit (4096 bytes on Linux) would cut a long URL, and
/// Ctrl+D would end an input that is not empty, so the program turns off the kernel's line mode and edits the lines
/// itself.
pub(super) struct Input {
    /// The lines, each with the number of the question that it answers.
    lines: mpsc::Receiver<(usize, SecretString)>,
    /// A line that was read but not requested yet.
    ahead: Option<SecretString>,
    /// A URL that is not returned yet, because it may continue in the next line.
    begun: Option<Begun>,
    /// The URL that was returned last, and when.
    handed_over: Option<(SecretString, Instant)>,
    state: Arc<State>,
    #[cfg(unix)]
    modes: Option<Modes>,
}

/// What the thread that reads must know.
#[derive(Default)]
struct State {
    /// Whether the program edits the lines, instead of the system.
    is_edited: AtomicBool,
    /// The number of the current question.
    question: AtomicUsize,
}

impl Drop for Input {
    fn drop(&mut self) {
        self.leave();
        typed_line::leave(false);
    }
}

impl Input {
    /// Starts to read lines.
    pub(super) fn start() -> Self {
        let (sender, lines) = mpsc::channel(4);
        let state = Arc::new(State::default());
        let mut input = Self {
            lines,
            ahead: None,
            begun: None,
            handed_over: None,
            state: state.clone(),
            #[cfg(unix)]
            modes: None,
        };
        input.take_again();
        // The thread is never joined, because reading blocks.
        std::thread::spawn(move || read(&sender, &state));
        input
    }

    /// Begins another question. What was typed before doesn't answer it.
    pub(super) fn begin_question(&mut self) {
        self.state.question.fetch_add(1, Ordering::SeqCst);
        hidden::discard();
        self.ahead = None;
        self.begun = None;
        typed_line::leave(false);
        self.take_again();
    }

    /// Restores the terminal modes.
    pub(super) fn leave(&mut self) {
        self.state.is_edited.store(false, Ordering::SeqCst);
        typed_line::leave(true);
        #[cfg(unix)]
        drop(self.modes.take());
    }

    /// Sets the terminal modes again, if the program is in the foreground.
    pub(super) fn take_again(&mut self) {
        #[cfg(unix)]
        if std::io::stdin().is_terminal() && device::is_in_foreground(std::io::stdin()) {
            self.leave();
            // If this fails, short lines can still be read.
            self.modes = Modes::set().ok();
            let is_edited = self.modes.is_some();
            self.state.is_edited.store(is_edited, Ordering::SeqCst);
            if is_edited {
                typed_line::show_again();
            }
        }
    }

    /// Returns the next line unchanged; `None` after the last one.
    pub(super) async fn next_word(&mut self) -> Option<SecretString> {
        match self.ahead.take() {
            Some(line) => Some(line),
            None => self.receive().await,
        }
    }

    /// Returns the next line that answers the current question.
    async fn receive(&mut self) -> Option<SecretString> {
        loop {
            let (question, line) = self.lines.recv().await?;
            if question == self.state.question.load(Ordering::SeqCst) {
                return Some(line);
            }
        }
    }

    /// Returns the next pasted response, and joins the lines of a URL that was broken. A line that continues a URL is
    /// never returned separately, because it would be mistaken for a code. Never resolves after the last line.
    pub(super) async fn next_answer(&mut self) -> SecretString {
        loop {
            let line = match (self.begun.is_some(), self.ahead.take()) {
                (_, Some(line)) => Some(line),
                (true, None) => {
                    let line = tokio::time::timeout(PAUSE, self.receive()).await;
                    line.ok().flatten()
                }
                (false, None) => match self.receive().await {
                    Some(line) => Some(line),
                    None => std::future::pending().await,
                },
            };
            let before = self.begun.as_ref().map(|begun| &begun.text);
            let before = before.or_else(|| self.handed_over.as_ref().map(|(text, _)| text));
            let before = before.map_or("", |text| text.expose_secret());
            let goes_on = line.as_ref().is_some_and(|line| {
                let line = line.expose_secret();
                (before.len() + line.len()) as u64 <= LINE_LIMIT && is_a_rest(before, line)
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

/// A URL that may continue in the next line.
struct Begun {
    text: SecretString,
    /// The last line was not pasted together with the others. The line after it is a separate response again.
    is_late: bool,
}

fn joined(begun: &SecretString, rest: &SecretString) -> SecretString {
    let rest = pasted::without_quote_mark(rest.expose_secret());
    [begun.expose_secret(), rest].concat().into()
}

/// Returns whether a line can be the continuation of the URL `before`.
fn is_a_rest(before: &str, line: &str) -> bool {
    let is_word = Print::from_str(line, true).is_ok() || is_quit(line);
    let line = pasted::without_quote_mark(line);
    !is_word && (pasted::continues(before, line) || !pasted::begins_an_answer(line))
}

/// Reads lines until standard input ends, or the receiver is gone.
fn read(lines: &mpsc::Sender<(usize, SecretString)>, state: &State) {
    let mut input = StandardInput::lock();
    let mut typing = Typing::default();
    let mut before = 0;
    // As large as the buffer of standard input, so that nothing stays there unnoticed.
    let mut bytes = Zeroizing::new([0; 8192]);
    loop {
        let count = input.read(&mut bytes[..]).unwrap_or(0);
        let is_edited = state.is_edited.load(Ordering::SeqCst);
        let question = state.question.load(Ordering::SeqCst);
        if std::mem::replace(&mut before, question) != question {
            typing = Typing::default();
        }
        typing.arrive(Instant::now().into());
        let columns = if is_edited {
            typed_line::columns()
        } else {
            None
        };
        let mut typed = typing.feed(&bytes[..count], columns);
        if count == 0 {
            typed.push(typing.end());
        }
        let echo = typing.echo();
        let pressed = typing.pressed();
        if is_edited {
            typed_line::show(&echo, typing.shown());
            match pressed {
                Some(Pressed::End) => typed.push(Line::Text(QUIT[0].into())),
                Some(Pressed::Interrupt) => jobs::interrupt(),
                Some(Pressed::Suspend) => jobs::suspend(),
                None => {}
            }
        }
        for line in typed {
            match line {
                Line::TooLong => say_often(Often::Paste, TOO_LONG),
                Line::Text(line) if line.expose_secret().is_empty() => {}
                Line::Text(line) => {
                    if lines.blocking_send((question, line)).is_err() {
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

/// Lets Ctrl+C end the program while it asks nothing, on a terminal that another program left in raw mode. Restores the
/// previous modes on drop.
#[derive(Default)]
pub(super) struct Waiting {
    #[cfg(unix)]
    _modes: Option<Modes>,
}

impl Waiting {
    /// Sets the terminal modes, if that is necessary.
    pub(super) fn begin() -> Self {
        Self {
            #[cfg(unix)]
            _modes: Modes::for_wait(),
        }
    }

    /// Sets the terminal modes again. The previous ones are restored first: later, that would undo the new ones.
    pub(super) fn again(&mut self) {
        *self = Self::default();
        *self = Self::begin();
    }
}

/// The modes of the terminal while the program reads lines; restores the previous ones on drop.
#[cfg(unix)]
struct Modes(());

#[cfg(unix)]
impl Modes {
    /// Turns off line mode and echo.
    fn set() -> std::io::Result<Self> {
        modes::take(std::io::stdin(), modes::set_for_prompt)?;
        Ok(Self(()))
    }

    /// Lets Ctrl+C through, if it isn't and the program is in the foreground.
    fn for_wait() -> Option<Self> {
        let stdin = std::io::stdin();
        let is_raw =
            stdin.is_terminal() && modes::is_raw(&stdin) && device::is_in_foreground(&stdin);
        let set = is_raw.then(|| modes::take(&stdin, modes::set_for_wait));
        set?.ok().map(Self)
    }
}

#[cfg(unix)]
impl Drop for Modes {
    fn drop(&mut self) {
        modes::give_back(std::io::stdin());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input() -> (mpsc::Sender<(usize, SecretString)>, Input) {
        let (sender, lines) = mpsc::channel(16);
        let input = Input {
            lines,
            ahead: None,
            begun: None,
            handed_over: None,
            state: Arc::default(),
            #[cfg(unix)]
            modes: None,
        };
        (sender, input)
    }

    /// Returns the responses read from lines that arrive together, up to `count`.
    async fn answers(lines: &[&str], count: usize) -> Vec<String> {
        let (sender, mut input) = input();
        for line in lines {
            sender.send((0, (*line).into())).await.ok();
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
    async fn url_split_over_several_lines_is_joined() {
        let url = "http://127.0.0.1:8400/cb?state=S&code=4/0Ab&scope=https://mail.example/";
        for lines in [
            &[url][..],
            &[
                "http://127.0.0.1:8400/cb?state=S",
                "&code=4/0Ab&scope=https://mail.example/",
            ],
            &[
                "http://127.0.0.1:8400/cb?",
                "state=S&",
                "code=4/0Ab&",
                "scope=https://mail.example/",
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
        let quoted = ["> http://127.0.0.1:8400/cb?state=S&", "> code=C"];
        let joined = "> http://127.0.0.1:8400/cb?state=S&code=C";
        assert_eq!(answers(&quoted, 1).await, [joined]);
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
    async fn endless_continuation_lines_are_bounded() {
        let (sender, mut input) = input();
        sender
            .send((0, "http://127.0.0.1/cb?code=C".into()))
            .await
            .ok();
        let rest = "x".repeat(10_000);
        let flood =
            tokio::spawn(
                async move { while sender.send((0, rest.as_str().into())).await.is_ok() {} },
            );
        for _ in 0..4 {
            let answer = input.next_answer().await;
            assert!(answer.expose_secret().len() as u64 <= LINE_LIMIT);
        }
        drop(input);
        flood.await.ok();
    }

    #[tokio::test(start_paused = true)]
    async fn line_after_half_a_url_is_not_a_code() {
        let (sender, mut input) = input();
        let half = "http://127.0.0.1:8400/cb?code=C&state=S";
        sender.send((0, half.into())).await.ok();
        assert_eq!(input.next_answer().await.expose_secret(), half);
        tokio::time::advance(Duration::from_secs(30)).await;
        sender.send((0, "second-half".into())).await.ok();
        let joined = format!("{half}second-half");
        assert_eq!(input.next_answer().await.expose_secret(), joined);
        // The next line is a separate response again, so it can be a code.
        sender.send((0, "a-bare-code".into())).await.ok();
        assert_eq!(input.next_answer().await.expose_secret(), "a-bare-code");
    }

    #[tokio::test(start_paused = true)]
    async fn commands_after_a_url_are_not_joined_to_it() {
        let (sender, mut input) = input();
        for line in [
            "http://127.0.0.1:8400/cb?code=C&state=S",
            "access-token",
            "quit",
        ] {
            sender.send((0, line.into())).await.ok();
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

    #[tokio::test]
    async fn earlier_lines_do_not_answer_a_question() {
        let (sender, mut input) = input();
        let url = "http://127.0.0.1:8400/cb?code=C&state=S";
        for line in [url, "quit", "json"] {
            sender.send((0, line.into())).await.ok();
        }
        assert_eq!(input.next_answer().await.expose_secret(), url);
        input.begin_question();
        // The thread was waiting for room in the channel.
        sender.send((0, "quit".into())).await.ok();
        sender.send((1, "access-token".into())).await.ok();
        let next = input.next_word().await.unwrap_or_default();
        assert_eq!(next.expose_secret(), "access-token");
    }
}
