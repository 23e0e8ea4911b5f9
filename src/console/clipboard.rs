//! Copies text to the user's clipboard with the best available method.
//!
//! A value is never cut off: if a method can't transfer it or fails, the next method is tried. The message always names
//! the method, and claims only what was confirmed.

use std::sync::{OnceLock, mpsc};
use std::time::Duration;

use base64::Engine;
use tokio::sync::oneshot;

use crate::clean::clean;
use crate::console::environment::Environment;
use crate::console::origin::Attached;
use crate::console::sequences::{Multiplexer, multiplexer_beside};
use crate::console::tmux::{self, Onward};
use crate::secret::{ExposeSecret, SecretString};

/// How long to wait for the desktop's clipboard.
const LIMIT: Duration = Duration::from_secs(3);
/// Maximum length of the base64 text in an OSC 52 sequence, in bytes. Terminals drop longer sequences; the limit of
/// xterm is the lowest among common terminals. The original text may have three quarters of this length.
const OSC_52_BYTES: usize = 74_994;
/// Maximum size of a copy through mosh, in bytes. mosh cuts a sequence off after 16 KB (seen in 1.4.0), which is
/// slightly more than this size in base64.
pub const MOSH_LIMIT: usize = 12_200;
/// How long to wait until mosh has sent the previous screen state. It sends only the latest state, after at most 250
/// ms.
const MOSH_PAUSE: Duration = Duration::from_millis(400);
/// Maximum length of a string that GNU screen forwards, in bytes.
const SCREEN_PIECE: usize = 500;
/// GNU screen prints longer sequences that are not wrapped for it; its own limit is 768 bytes.
const SCREEN_SILENT: usize = 700;

/// Whether the desktop keeps copied text after the program ends.
pub const KEEPS_COPIES: bool = cfg!(any(windows, target_os = "macos"));

/// A method to copy text to the clipboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyWay {
    /// The desktop's clipboard.
    Desktop,
    /// The tmux buffer, which tmux forwards to its terminal.
    Tmux,
    /// The tmux buffer, and an escape sequence to the terminal, which may not belong to tmux.
    TmuxAndTerminal(Multiplexer),
    /// An escape sequence (OSC 52) to the terminal.
    Terminal(Multiplexer),
}

impl CopyWay {
    /// Returns the name for use within a sentence.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Desktop => "the desktop clipboard",
            Self::Tmux => "tmux's buffer",
            Self::TmuxAndTerminal(_) => "tmux's buffer and the terminal's clipboard",
            Self::Terminal(_) => "the terminal's clipboard",
        }
    }

    /// Returns the maximum size in bytes; `None` if there is no known limit.
    #[must_use]
    pub fn limit(self, environment: &Environment) -> Option<usize> {
        match self {
            Self::Desktop | Self::Tmux => None,
            Self::TmuxAndTerminal(_) | Self::Terminal(_) if environment.mosh => Some(MOSH_LIMIT),
            Self::TmuxAndTerminal(_) | Self::Terminal(_) => Some(OSC_52_BYTES / 4 * 3),
        }
    }
}

/// A method that was not used, with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedWay {
    /// The method.
    pub way: CopyWay,
    /// The reason, as part of a sentence.
    pub why: String,
}

/// The methods to try, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ladder {
    /// The methods that can transfer the value.
    pub ways: Vec<CopyWay>,
    /// The methods that exist on this machine but can't be used.
    pub skipped: Vec<SkippedWay>,
}

/// Returns the methods for a text of `length` bytes, best first. `tmux` is the response of tmux; `None` if the program
/// doesn't run in tmux.
#[must_use]
pub fn ladder(
    environment: &Environment,
    tmux: Option<&Result<Attached, String>>,
    length: usize,
) -> Ladder {
    let mut environment = environment.clone();
    let mut ours = false;
    if let Some(Ok(attached)) = tmux {
        environment.attached(attached);
        ours = attached.ours;
    }
    let environment = &environment;
    let mut skipped = Vec::new();
    let mut skip = |way: CopyWay, why: String| skipped.push(SkippedWay { way, why });
    if environment.display_in_doubt {
        skip(CopyWay::Desktop, environment.why.display.to_owned());
    }
    // If TMUX belongs to another window, only the type of the terminal is known.
    let terminal = multiplexer_beside(environment, ours || environment.lost_tmux);
    let fits = |way: CopyWay| way.limit(environment).is_none_or(|limit| length <= limit);
    let sequence = terminal.filter(|multiplexer| fits(CopyWay::Terminal(*multiplexer)));
    let mut ways = Vec::new();
    ways.extend(environment.display.then_some(CopyWay::Desktop));
    match tmux {
        Some(Ok(_)) => ways.push(match sequence {
            Some(multiplexer) if !ours => CopyWay::TmuxAndTerminal(multiplexer),
            _ => CopyWay::Tmux,
        }),
        Some(Err(why)) => skip(CopyWay::Tmux, why.clone()),
        None => {}
    }
    if let (Some(multiplexer), None) = (terminal, sequence)
        && !ours
    {
        let by = if environment.mosh { "mosh" } else { "it" };
        let way = CopyWay::Terminal(multiplexer);
        let limit = way.limit(environment).unwrap_or_default();
        skip(
            way,
            format!("{by} accepts at most {limit} bytes, but this has {length}"),
        );
    }
    ways.extend(sequence.map(CopyWay::Terminal));
    Ladder { ways, skipped }
}

/// Where the text was copied to.
#[derive(Debug, Clone)]
pub enum CopiedBy {
    /// The desktop, which confirmed it. The copy lasts while the program runs, unless a clipboard manager keeps it.
    Desktop,
    /// The same, but the user has changed, for example with sudo: it is the desktop of the original user.
    DesktopOfLogin,
    /// A desktop that keeps the text after the program ends.
    DesktopForGood,
    /// tmux, which confirmed it, and was asked to forward the text to its terminal.
    Tmux,
    /// tmux, which confirmed it, and was asked to forward the text. The terminal is connected through mosh.
    TmuxThroughMosh,
    /// tmux, which confirmed it, but is too old to forward the text.
    TmuxOnly,
    /// tmux, which confirmed it, but was not asked to forward the text: mosh would cut it off.
    TmuxBeforeMosh,
    /// tmux, which confirmed it, and the terminal after it was sent this sequence. The terminal may not belong to tmux.
    TmuxAndTerminal(SecretString),
    /// The terminal, after it was sent this sequence. The terminal doesn't confirm the copy.
    Terminal(SecretString),
    /// The same, but the Windows console is between the program and the terminal, and may drop the sequence.
    ThroughConsole(SecretString),
    /// The same, but only GNU screen forwards a sequence of this length, and the multiplexer may be tmux.
    ThroughScreen(SecretString),
    /// The same, but a tmux that could not be queried may drop the sequence.
    ThroughTmux(SecretString),
    /// The same, through mosh.
    ThroughMosh(SecretString),
}

impl CopiedBy {
    /// Returns whether the copy has certainly arrived. A sequence sent to a terminal may be lost.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        self.sequence().is_none()
    }

    /// Returns the sequence to send to the terminal, if there is one.
    #[must_use]
    pub fn sequence(&self) -> Option<&SecretString> {
        match self {
            Self::Desktop
            | Self::DesktopOfLogin
            | Self::DesktopForGood
            | Self::Tmux
            | Self::TmuxThroughMosh
            | Self::TmuxOnly
            | Self::TmuxBeforeMosh => None,
            Self::TmuxAndTerminal(sequence)
            | Self::Terminal(sequence)
            | Self::ThroughConsole(sequence)
            | Self::ThroughScreen(sequence)
            | Self::ThroughTmux(sequence)
            | Self::ThroughMosh(sequence) => Some(sequence),
        }
    }
}

/// The result of a copy.
#[derive(Debug, Clone)]
pub struct Copied {
    /// The method that worked; `None` if all methods failed.
    pub by: Option<CopiedBy>,
    /// The methods that were skipped or failed before.
    pub skipped: Vec<SkippedWay>,
}

/// Returns what to send to the terminal before `text` is copied. mosh doesn't repeat to its client a text that was
/// copied before, so the clipboard is emptied first.
#[must_use]
pub fn prelude(environment: &Environment, text: &SecretString) -> Option<&'static str> {
    let sends = environment.mosh
        && !environment.tmux
        && !ladder(environment, None, text.expose_secret().len())
            .ways
            .is_empty();
    sends.then_some("\x1b]52;c;\x07")
}

/// Tries the available methods, one after the other, until one succeeds. The [`prelude`] must already have been sent.
pub async fn copy(environment: &Environment, desktop: &Desktop, text: SecretString) -> Copied {
    let length = text.expose_secret().len();
    let answer = if environment.tmux {
        Some(tmux::ask(environment).await)
    } else {
        None
    };
    let Ladder { ways, mut skipped } = ladder(environment, answer.as_ref(), length);
    if prelude(environment, &text).is_some() {
        tokio::time::sleep(MOSH_PAUSE).await;
    }
    let attached = answer.as_ref().and_then(|answer| answer.as_ref().ok());
    let mosh = attached.is_some_and(|attached| attached.mosh);
    let too_long = mosh && length > MOSH_LIMIT;
    for way in ways {
        let outcome = match way {
            CopyWay::Desktop => desktop
                .copy(text.clone())
                .await
                .map_err(|why| unreached(environment, why))
                .map(|()| {
                    if KEEPS_COPIES {
                        CopiedBy::DesktopForGood
                    } else if environment.changed_user {
                        CopiedBy::DesktopOfLogin
                    } else {
                        CopiedBy::Desktop
                    }
                }),
            CopyWay::Tmux => tmux::copy(&text, !too_long)
                .await
                .map(|onward| match onward {
                    Onward::Asked if mosh => CopiedBy::TmuxThroughMosh,
                    Onward::Asked => CopiedBy::Tmux,
                    Onward::Stays if too_long => CopiedBy::TmuxBeforeMosh,
                    Onward::Stays => CopiedBy::TmuxOnly,
                }),
            CopyWay::TmuxAndTerminal(multiplexer) => {
                // tmux forwards the text only if this terminal looks like tmux or screen: otherwise, its clients may be
                // on another computer.
                let onward = is_of_keeper(environment) && !too_long;
                let by = osc_52(&text, multiplexer);
                let sequence = by.sequence().cloned().unwrap_or_default();
                tmux::copy(&text, onward)
                    .await
                    .map(|_| CopiedBy::TmuxAndTerminal(sequence))
            }
            CopyWay::Terminal(multiplexer) => {
                let dropped =
                    environment.lost_tmux || environment.tmux && is_of_keeper(environment);
                Ok(match osc_52(&text, multiplexer) {
                    CopiedBy::Terminal(sequence) if dropped => CopiedBy::ThroughTmux(sequence),
                    CopiedBy::Terminal(sequence) if environment.mosh => {
                        CopiedBy::ThroughMosh(sequence)
                    }
                    CopiedBy::Terminal(sequence) if environment.windows => {
                        CopiedBy::ThroughConsole(sequence)
                    }
                    by => by,
                })
            }
        };
        match outcome {
            Ok(by) => {
                return Copied {
                    by: Some(by),
                    skipped,
                };
            }
            Err(why) => skipped.push(SkippedWay { way, why }),
        }
    }
    Copied { by: None, skipped }
}

/// Returns why the desktop was not reached: the library names only the last display that it tried.
fn unreached(environment: &Environment, why: String) -> String {
    let named = match (&environment.wayland_display, &environment.x_display) {
        (Some(_), Some(_)) => "the displays that WAYLAND_DISPLAY and DISPLAY name",
        (Some(_), None) => "the display that WAYLAND_DISPLAY names",
        (None, Some(_)) => "the display that DISPLAY names",
        (None, None) => return why,
    };
    if why.contains("X11 server") {
        format!("{named} can't be reached")
    } else {
        why
    }
}

/// Returns whether the terminal type is one that tmux or GNU screen sets.
fn is_of_keeper(environment: &Environment) -> bool {
    ["screen", "tmux"]
        .into_iter()
        .any(|name| environment.term.starts_with(name))
}

/// Returns the sequence that asks the terminal to copy `text`, with its recipient.
fn osc_52(text: &SecretString, multiplexer: Multiplexer) -> CopiedBy {
    let encoded = base64::engine::general_purpose::STANDARD.encode(text.expose_secret());
    let sequence = format!("\x1b]52;c;{encoded}\x07");
    match multiplexer {
        Multiplexer::Nothing => CopiedBy::Terminal(sequence.into()),
        // Each of them uses its own form, and drops the other one.
        Multiplexer::ScreenOrTmux if sequence.len() <= SCREEN_SILENT => {
            CopiedBy::Terminal((for_screen(&sequence) + &sequence).into())
        }
        Multiplexer::Screen => CopiedBy::Terminal(for_screen(&sequence).into()),
        Multiplexer::ScreenOrTmux => CopiedBy::ThroughScreen(for_screen(&sequence).into()),
    }
}

/// Wraps a sequence in strings that screen forwards to its terminal.
fn for_screen(sequence: &str) -> String {
    let mut wrapped = String::new();
    let mut rest = sequence;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.len().min(SCREEN_PIECE));
        wrapped.push_str("\x1bP");
        wrapped.push_str(piece);
        wrapped.push_str("\x1b\\");
        rest = after;
    }
    wrapped
}

/// A command for the thread that owns the clipboard.
enum Order {
    /// Copy this text to the clipboard.
    Copy(SecretString, oneshot::Sender<Result<(), String>>),
    /// Empty the clipboard, if it still has the last copied text. The response says whether it had.
    Clear(oneshot::Sender<Result<bool, String>>),
}

/// The desktop's clipboard. A thread owns it as long as this value exists, because on X11 and Wayland the text
/// disappears with its owner. The thread starts with the first copy.
#[derive(Debug, Default)]
pub struct Desktop(OnceLock<mpsc::Sender<Order>>);

/// The clipboard functions of a desktop.
trait Board {
    fn set(&mut self, text: &SecretString) -> Result<(), arboard::Error>;
    fn text(&mut self) -> Result<SecretString, arboard::Error>;
    fn clear(&mut self) -> Result<(), arboard::Error>;
}

impl Board for arboard::Clipboard {
    fn set(&mut self, text: &SecretString) -> Result<(), arboard::Error> {
        let set = self.set();
        // Ask clipboard managers not to keep the text, and Windows not to send it to other computers.
        #[cfg(windows)]
        let set = {
            use arboard::SetExtWindows as _;
            set.exclude_from_monitoring()
                .exclude_from_cloud()
                .exclude_from_history()
        };
        #[cfg(all(unix, not(target_os = "macos")))]
        let set = {
            use arboard::SetExtLinux as _;
            set.exclude_from_history()
        };
        set.text(text.expose_secret())
    }

    fn text(&mut self) -> Result<SecretString, arboard::Error> {
        self.get_text().map(SecretString::from)
    }

    fn clear(&mut self) -> Result<(), arboard::Error> {
        arboard::Clipboard::clear(self)
    }
}

/// Starts the thread that owns the clipboard opened by `open`.
fn own<B: Board>(
    open: impl Fn() -> Result<B, arboard::Error> + Send + 'static,
) -> mpsc::Sender<Order> {
    let (orders, inbox) = mpsc::channel::<Order>();
    std::thread::spawn(move || {
        let mut board = None;
        let mut last = None;
        let told = |error: arboard::Error| clean(&error.to_string(), 120);
        for order in inbox {
            let opened = match &mut board {
                Some(board) => Ok(board),
                None => open().map(|opened| board.insert(opened)),
            };
            match order {
                Order::Copy(text, answer) => {
                    let outcome = opened.and_then(|board| board.set(&text));
                    // A failed copy leaves the previous text in the clipboard.
                    if outcome.is_ok() {
                        last = Some(text);
                    }
                    let _ = answer.send(outcome.map_err(told));
                }
                Order::Clear(answer) => {
                    let outcome = opened.and_then(|board| clear(board, last.as_ref()));
                    if outcome.is_ok() {
                        last = None;
                    }
                    let _ = answer.send(outcome.map_err(told));
                }
            }
        }
    });
    orders
}

/// Empties the clipboard if it has `text`, and returns whether it had.
fn clear(board: &mut impl Board, text: Option<&SecretString>) -> Result<bool, arboard::Error> {
    let there = match board.text() {
        Ok(there) => there,
        // The clipboard is empty, or contains a picture.
        Err(arboard::Error::ContentNotAvailable) => return Ok(false),
        Err(error) => return Err(error),
    };
    let ours = text.is_some_and(|text| text.expose_secret() == there.expose_secret());
    if ours {
        board.clear()?;
    }
    Ok(ours)
}

impl Desktop {
    /// Copies `text` to the clipboard, or returns why that failed.
    async fn copy(&self, text: SecretString) -> Result<(), String> {
        self.ask(|answer| Order::Copy(text, answer)).await
    }

    /// Empties the clipboard if it still has the last copied text. Returns whether it had.
    ///
    /// # Errors
    /// Returns an error, as part of a sentence, if the desktop doesn't allow it or doesn't respond.
    pub async fn clear(&self) -> Result<bool, String> {
        self.ask(Order::Clear).await
    }

    async fn ask<T>(
        &self,
        order: impl FnOnce(oneshot::Sender<Result<T, String>>) -> Order,
    ) -> Result<T, String> {
        let (answer, outcome) = oneshot::channel();
        let ended = || "the clipboard has ended".to_owned();
        let orders = self.0.get_or_init(|| own(arboard::Clipboard::new));
        orders.send(order(answer)).map_err(|_| ended())?;
        match tokio::time::timeout(LIMIT, outcome).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(ended()),
            Err(_) => Err("the desktop did not respond".to_owned()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    fn here(term: &str, display: bool, tmux: bool, screen: bool) -> Environment {
        Environment {
            term: term.to_owned(),
            display,
            tmux,
            screen,
            ..Environment::default()
        }
    }

    /// Returns the methods inside tmux, where this terminal is a pane of tmux.
    fn ways(environment: &Environment) -> Vec<CopyWay> {
        let pane = Attached {
            ours: true,
            ..Attached::default()
        };
        ladder(environment, environment.tmux.then_some(&Ok(pane)), 20).ways
    }

    #[test]
    fn unreached_desktop_is_named_by_its_variable() {
        let x11 = "X11 server connection timed out because it was unreachable";
        let named = |wayland: bool, x: bool, why: &str| {
            let name = |is_set: bool| is_set.then(|| "gone".to_owned());
            let environment = Environment {
                wayland_display: name(wayland),
                x_display: name(x),
                ..Environment::default()
            };
            unreached(&environment, why.to_owned())
        };
        assert_eq!(
            named(true, false, x11),
            "the display that WAYLAND_DISPLAY names can't be reached"
        );
        assert_eq!(
            named(false, true, x11),
            "the display that DISPLAY names can't be reached"
        );
        assert!(named(true, true, x11).contains("WAYLAND_DISPLAY and DISPLAY name "));
        assert_eq!(named(true, false, "it is busy"), "it is busy");
    }

    #[test]
    fn copy_methods_depend_on_the_environment() {
        let osc = CopyWay::Terminal;
        let xterm = "xterm-256color";
        for (environment, expected) in [
            (
                here(xterm, true, false, false),
                vec![CopyWay::Desktop, osc(Multiplexer::Nothing)],
            ),
            (
                here(xterm, true, true, false),
                vec![CopyWay::Desktop, CopyWay::Tmux, osc(Multiplexer::Nothing)],
            ),
            (
                here("screen", false, true, false),
                vec![CopyWay::Tmux, osc(Multiplexer::Nothing)],
            ),
            (
                here("screen", false, false, true),
                vec![osc(Multiplexer::Screen)],
            ),
            (
                here("screen", false, false, false),
                vec![osc(Multiplexer::ScreenOrTmux)],
            ),
            (
                here(xterm, false, false, false),
                vec![osc(Multiplexer::Nothing)],
            ),
            (here("linux", true, false, false), vec![CopyWay::Desktop]),
        ] {
            assert_eq!(ways(&environment), expected, "{environment:?}");
        }
        for term in ["linux", "vt100", "vt220", "dumb", "", "unheard-of"] {
            assert_eq!(ways(&here(term, false, false, false)), [], "{term}");
        }
    }

    #[test]
    fn desktop_requires_tmux_to_be_attached_from_it() {
        let environment = Environment {
            display_of_tmux: true,
            display_in_doubt: true,
            ..here("screen", false, true, false)
        };
        let ladder = |attached| ladder(&environment, Some(&attached), 20);
        let pane = |here| {
            Ok(Attached {
                ours: true,
                here,
                ..Attached::default()
            })
        };
        let osc = CopyWay::Terminal(Multiplexer::Nothing);
        let at_the_desk = ladder(pane(true));
        assert_eq!(at_the_desk.ways, [CopyWay::Desktop, CopyWay::Tmux, osc]);
        assert_eq!(at_the_desk.skipped, []);
        let elsewhere = ladder(pane(false));
        assert_eq!(elsewhere.ways, [CopyWay::Tmux, osc]);
        assert_eq!(elsewhere.skipped[0].way, CopyWay::Desktop);
        // TMUX belongs to another window: the clients of that tmux don't show this terminal.
        let both = Multiplexer::ScreenOrTmux;
        let stale = ladder(Ok(Attached {
            here: true,
            ..Attached::default()
        }));
        assert_eq!(
            stale.ways,
            [CopyWay::TmuxAndTerminal(both), CopyWay::Terminal(both)]
        );
        let gone = ladder(Err("gone".to_owned()));
        assert_eq!(gone.ways, [CopyWay::Terminal(both)]);
        assert_eq!(gone.skipped[1].why, "gone");
        // tmux was attached from this desktop before, but the current response counts.
        let mut before = environment.clone();
        before.display = true;
        let now = super::ladder(&before, Some(&pane(false)), 20);
        assert_eq!(now.ways, [CopyWay::Tmux, osc]);
    }

    #[test]
    fn mosh_is_sent_only_text_within_its_limit() {
        let mosh = Environment {
            mosh: true,
            ..here("xterm", false, false, false)
        };
        let limit = MOSH_LIMIT;
        assert_eq!(ladder(&mosh, None, limit).skipped, []);
        let sequence = sent(&osc_52(&"x".repeat(limit).into(), Multiplexer::Nothing));
        assert!(sequence.expose_secret().len() <= 16 * 1024 + "\x1b]\x07".len());
        let beyond = ladder(&mosh, None, limit + 1);
        assert_eq!(beyond.ways, []);
        assert!(
            beyond.skipped[0]
                .why
                .starts_with("mosh accepts at most 12200 bytes"),
            "{beyond:?}"
        );
        // The prelude is sent only together with a sequence.
        let prelude = |length| prelude(&mosh, &"x".repeat(length).into());
        assert!(prelude(limit).is_some() && prelude(limit + 1).is_none());
    }

    /// A clipboard that can reject a text, like one that another program has open.
    struct Refusing(Arc<Mutex<Option<String>>>);

    impl Board for Refusing {
        fn set(&mut self, text: &SecretString) -> Result<(), arboard::Error> {
            if text.expose_secret() == "refused" {
                return Err(arboard::Error::ClipboardOccupied);
            }
            *self.0.lock().unwrap() = Some(text.expose_secret().to_owned());
            Ok(())
        }

        fn text(&mut self) -> Result<SecretString, arboard::Error> {
            let text = self.0.lock().unwrap().clone();
            text.map(SecretString::from)
                .ok_or(arboard::Error::ContentNotAvailable)
        }

        fn clear(&mut self) -> Result<(), arboard::Error> {
            *self.0.lock().unwrap() = None;
            Ok(())
        }
    }

    #[tokio::test]
    async fn failed_copy_keeps_the_previous_one_clearable() {
        let there = Arc::default();
        let desktop = Desktop::default();
        let board = Arc::clone(&there);
        let _ = desktop.0.set(own(move || Ok(Refusing(Arc::clone(&board)))));
        assert_eq!(desktop.copy("t0ken".into()).await, Ok(()));
        assert!(desktop.copy("refused".into()).await.is_err());
        assert_eq!(there.lock().unwrap().as_deref(), Some("t0ken"));
        assert_eq!(desktop.clear().await, Ok(true));
        assert_eq!(*there.lock().unwrap(), None);
        // Text that another program has copied in the meantime must not be removed.
        assert_eq!(desktop.copy("t0ken".into()).await, Ok(()));
        *there.lock().unwrap() = Some("other".to_owned());
        assert_eq!(desktop.clear().await, Ok(false));
        assert_eq!(there.lock().unwrap().as_deref(), Some("other"));
    }

    #[cfg(windows)]
    #[tokio::test]
    async fn desktop_clipboard_contains_the_copied_text() {
        let desktop = Desktop::default();
        let copied = desktop.copy("t0ken \u{e4}".into()).await;
        assert_eq!(copied, Ok(()));
        let text = arboard::Clipboard::new().unwrap().get_text().unwrap();
        assert_eq!(text, "t0ken \u{e4}");
        // The text is removed only while the clipboard still has it.
        assert_eq!(desktop.clear().await, Ok(true));
        assert!(arboard::Clipboard::new().unwrap().get_text().is_err());
        assert_eq!(desktop.clear().await, Ok(false));
        arboard::Clipboard::new()
            .unwrap()
            .set_text("other")
            .unwrap();
        assert_eq!(desktop.clear().await, Ok(false));
        let text = arboard::Clipboard::new().unwrap().get_text().unwrap();
        assert_eq!(text, "other");
    }

    #[tokio::test]
    async fn copy_result_names_the_intermediary() {
        let over_ssh = here("xterm-256color", false, false, false);
        let by = async |environment: Environment| {
            let copied = copy(&environment, &Desktop::default(), "t0ken".into()).await;
            copied.by
        };
        let plain = by(over_ssh.clone()).await;
        assert!(matches!(plain, Some(CopiedBy::Terminal(_))), "{plain:?}");
        let through_console = Environment {
            windows: true,
            ..over_ssh.clone()
        };
        let by_console = by(through_console).await;
        assert!(
            matches!(by_console, Some(CopiedBy::ThroughConsole(_))),
            "{by_console:?}"
        );
        let through_mosh = Environment {
            mosh: true,
            ..over_ssh
        };
        let by_mosh = by(through_mosh).await;
        assert!(
            matches!(by_mosh, Some(CopiedBy::ThroughMosh(_))),
            "{by_mosh:?}"
        );
    }

    #[test]
    fn large_text_skips_copy_methods_with_lower_limits() {
        let limit = CopyWay::Terminal(Multiplexer::Nothing)
            .limit(&Environment::default())
            .unwrap_or_default();
        let over_ssh = here("xterm", false, false, false);
        assert_eq!(ladder(&over_ssh, None, limit).skipped, []);
        let beyond = ladder(&over_ssh, None, limit + 1);
        assert_eq!(beyond.ways, []);
        assert_eq!(
            beyond.skipped[0].way,
            CopyWay::Terminal(Multiplexer::Nothing)
        );
        let at_a_desktop = ladder(&here("xterm", true, false, false), None, limit + 1);
        assert_eq!(at_a_desktop.ways, [CopyWay::Desktop]);
        // The largest allowed text results in an allowed sequence.
        let text = "x".repeat(limit);
        let sequence = sent(&osc_52(&text.into(), Multiplexer::Nothing));
        assert!(sequence.expose_secret().len() <= OSC_52_BYTES + "\x1b]52;c;\x07".len());
    }

    /// Returns the sequence that asks the terminal to copy.
    fn sent(by: &CopiedBy) -> SecretString {
        by.sequence().cloned().unwrap_or_default()
    }

    #[test]
    fn osc_52_sequence_contains_the_text_in_base64() {
        let sequence = sent(&osc_52(&"t0ken".into(), Multiplexer::Nothing));
        assert_eq!(sequence.expose_secret(), "\x1b]52;c;dDBrZW4=\x07");
    }

    #[test]
    fn screen_sequence_is_split_into_pieces() {
        let text = SecretString::from("y".repeat(2000));
        let wrapped = sent(&osc_52(&text, Multiplexer::Screen));
        let pieces: Vec<&str> = wrapped
            .expose_secret()
            .split("\x1b\\")
            .filter(|piece| !piece.is_empty())
            .collect();
        assert!(
            pieces
                .iter()
                .all(|piece| piece.starts_with("\x1bP") && piece.len() <= SCREEN_PIECE + 2)
        );
        let joined: String = pieces.iter().map(|piece| &piece[2..]).collect();
        assert_eq!(
            joined,
            sent(&osc_52(&text, Multiplexer::Nothing)).expose_secret()
        );
        // If the multiplexer may be tmux as well, both forms are sent, as long as screen doesn't print the second one.
        assert_eq!(
            sent(&osc_52(&text, Multiplexer::ScreenOrTmux)).expose_secret(),
            wrapped.expose_secret()
        );
        // A longer sequence is wrapped for screen only.
        assert!(matches!(
            osc_52(&text, Multiplexer::ScreenOrTmux),
            CopiedBy::ThroughScreen(_)
        ));
        assert!(matches!(
            osc_52(&"t0ken".into(), Multiplexer::ScreenOrTmux),
            CopiedBy::Terminal(_)
        ));
        let short = sent(&osc_52(&"t0ken".into(), Multiplexer::ScreenOrTmux));
        assert_eq!(
            short.expose_secret(),
            "\x1bP\x1b]52;c;dDBrZW4=\x07\x1b\\\x1b]52;c;dDBrZW4=\x07"
        );
    }
}
