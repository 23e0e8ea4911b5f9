//! The copy ladder: the ways by which text gets to the user's clipboard, best first, and those that need no
//! terminal.
//!
//! A value is never cut: where a way cannot carry it, or fails, the next is taken. What could not be confirmed is not
//! claimed, and the way used is always named.

use std::process::{Output, Stdio};
use std::sync::{OnceLock, mpsc};
use std::time::Duration;

use base64::Engine;
use tokio::io::AsyncWriteExt;
use tokio::sync::oneshot;

use crate::clean::clean;
use crate::console::environment::Environment;
use crate::console::sequences::{Multiplexer, multiplexer};
use crate::secret::{ExposeSecret, SecretString};

/// A desktop that does not answer must not hold up the user.
const LIMIT: Duration = Duration::from_secs(3);
/// Terminals drop longer sequences; xterm's limit is the lowest that is common. Of base64, so three quarters of it
/// is what fits.
const OSC_52_BYTES: usize = 74_994;
/// GNU screen passes strings on in pieces no longer than this.
const SCREEN_PIECE: usize = 500;
/// GNU screen prints what is longer and not wrapped for it; its own limit is 768.
const SCREEN_SILENT: usize = 700;

/// A way to the clipboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyWay {
    /// The desktop's clipboard.
    Desktop,
    /// tmux's buffer, which tmux hands on to its terminal.
    Tmux,
    /// An escape sequence to the terminal (OSC 52).
    Terminal(Multiplexer),
}

impl CopyWay {
    /// Its name within a sentence.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Desktop => "the desktop clipboard",
            Self::Tmux => "tmux's buffer",
            Self::Terminal(_) => "the terminal's clipboard",
        }
    }

    /// How many bytes it carries; `None` where no limit is known.
    #[must_use]
    pub fn limit(self) -> Option<usize> {
        match self {
            Self::Desktop | Self::Tmux => None,
            Self::Terminal(_) => Some(OSC_52_BYTES / 4 * 3),
        }
    }
}

/// A way that was not taken, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedWay {
    /// The way to the clipboard that was not taken.
    pub way: CopyWay,
    /// Why, as part of a sentence.
    pub why: String,
}

/// What is to be tried, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ladder {
    /// The ways that can carry the value.
    pub ways: Vec<CopyWay>,
    /// Those that are here, but cannot.
    pub skipped: Vec<SkippedWay>,
}

/// The ways from here for a text of this many bytes, best first.
#[must_use]
pub fn ladder(environment: &Environment, length: usize) -> Ladder {
    let terminal = || multiplexer(environment).map(CopyWay::Terminal);
    let here = [
        environment.display.then_some(CopyWay::Desktop),
        environment.tmux.then_some(CopyWay::Tmux),
        // tmux drops a program's sequence as it is configured by default.
        if environment.tmux { None } else { terminal() },
    ];
    let (ways, too_short): (Vec<CopyWay>, Vec<CopyWay>) = here
        .into_iter()
        .flatten()
        .partition(|way| way.limit().is_none_or(|limit| length <= limit));
    let skipped = too_short
        .into_iter()
        .map(|way| SkippedWay {
            way,
            why: format!(
                "it takes {} bytes at most, and this has {length}",
                way.limit().unwrap_or_default()
            ),
        })
        .collect();
    Ladder { ways, skipped }
}

/// What has the text now.
#[derive(Debug, Clone)]
pub enum CopiedBy {
    /// The desktop, which said so. It lasts while the program runs, unless a clipboard manager keeps it.
    Desktop,
    /// tmux, which said so. It was asked to hand it on as well.
    Tmux,
    /// tmux, which said so, but is too old to hand it on.
    TmuxOnly,
    /// The terminal, once it is sent this sequence; nobody confirms.
    Terminal(SecretString),
    /// The same, where only GNU screen hands a sequence of this length on, and tmux may be there instead.
    ThroughScreen(SecretString),
}

/// How a copy came out.
#[derive(Debug, Clone)]
pub struct Copied {
    /// `None` where no way was left.
    pub by: Option<CopiedBy>,
    /// The ways before it.
    pub skipped: Vec<SkippedWay>,
}

/// Takes the ways from here, one after the other, until one has the text.
pub async fn copy(environment: &Environment, desktop: &Desktop, text: SecretString) -> Copied {
    let Ladder { ways, mut skipped } = ladder(environment, text.expose_secret().len());
    for way in ways {
        let outcome = match way {
            CopyWay::Desktop => desktop.copy(text.clone()).await.map(|()| CopiedBy::Desktop),
            CopyWay::Tmux => tmux(environment, &text).await,
            CopyWay::Terminal(multiplexer) => Ok(osc_52(&text, multiplexer)),
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

/// The sequence that asks the terminal to copy `text`, and who gets it.
fn osc_52(text: &SecretString, multiplexer: Multiplexer) -> CopiedBy {
    let encoded = base64::engine::general_purpose::STANDARD.encode(text.expose_secret());
    let sequence = format!("\x1b]52;c;{encoded}\x07");
    match multiplexer {
        Multiplexer::Nothing => CopiedBy::Terminal(sequence.into()),
        // Each takes its own form and drops the other's.
        Multiplexer::ScreenOrTmux if sequence.len() <= SCREEN_SILENT => {
            CopiedBy::Terminal((for_screen(&sequence) + &sequence).into())
        }
        Multiplexer::Screen => CopiedBy::Terminal(for_screen(&sequence).into()),
        Multiplexer::ScreenOrTmux => CopiedBy::ThroughScreen(for_screen(&sequence).into()),
    }
}

/// In strings that screen hands on to its terminal.
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

/// Hands `text` to tmux, which keeps it in a buffer and sends it to its terminal.
async fn tmux(environment: &Environment, text: &SecretString) -> Result<CopiedBy, String> {
    let said = |output: &Output| clean(&String::from_utf8_lossy(&output.stderr), 100);
    let output = load_buffer(environment, &["load-buffer", "-w", "-"], text).await?;
    if output.status.success() {
        return Ok(CopiedBy::Tmux);
    }
    let first = said(&output);
    // Before 3.2, tmux knows no -w.
    if !["usage", "unknown flag", "unknown option"]
        .iter()
        .any(|sign| first.contains(sign))
    {
        return Err(format!("tmux said: {first}"));
    }
    let output = load_buffer(environment, &["load-buffer", "-"], text).await?;
    if output.status.success() {
        Ok(CopiedBy::TmuxOnly)
    } else {
        Err(format!("tmux said: {}", said(&output)))
    }
}

async fn load_buffer(
    environment: &Environment,
    arguments: &[&str],
    text: &SecretString,
) -> Result<Output, String> {
    let run = async {
        let mut child = environment
            .command("tmux")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        if let Some(mut input) = child.stdin.take() {
            // One that refuses does not read; what it says is of more use than that it closed the pipe.
            match input.write_all(text.expose_secret().as_bytes()).await {
                Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => return Err(error),
                Err(_) | Ok(()) => {}
            }
        }
        child.wait_with_output().await
    };
    match tokio::time::timeout(LIMIT, run).await {
        Ok(outcome) => outcome.map_err(|error| format!("tmux could not be run: {error}")),
        Err(_) => Err("tmux did not answer".to_owned()),
    }
}

type Order = (SecretString, oneshot::Sender<Result<(), String>>);

/// The desktop's clipboard. Its owner is a thread that lives as long as this value, because on X11 and
/// Wayland the text lives as long as its owner. It begins with the first copy.
#[derive(Debug, Default)]
pub struct Desktop(OnceLock<mpsc::Sender<Order>>);

fn owner() -> mpsc::Sender<Order> {
    let (orders, inbox) = mpsc::channel::<Order>();
    std::thread::spawn(move || {
        let mut clipboard = None;
        for (text, answer) in inbox {
            let _ = answer
                .send(set(&mut clipboard, &text).map_err(|error| clean(&error.to_string(), 120)));
        }
    });
    orders
}

fn set(
    clipboard: &mut Option<arboard::Clipboard>,
    text: &SecretString,
) -> Result<(), arboard::Error> {
    let clipboard = match clipboard {
        Some(open) => open,
        None => clipboard.insert(arboard::Clipboard::new()?),
    };
    let set = clipboard.set();
    #[cfg(any(windows, all(unix, not(target_os = "macos"))))]
    let set = {
        #[cfg(not(windows))]
        use arboard::SetExtLinux as Ext;
        #[cfg(windows)]
        use arboard::SetExtWindows as Ext;
        // Clipboard managers are asked not to keep it.
        Ext::exclude_from_history(set)
    };
    set.text(text.expose_secret())
}

impl Desktop {
    /// Puts `text` on the clipboard, or says why not.
    async fn copy(&self, text: SecretString) -> Result<(), String> {
        let (answer, outcome) = oneshot::channel();
        let ended = || "the clipboard has ended".to_owned();
        let orders = self.0.get_or_init(owner);
        orders.send((text, answer)).map_err(|_| ended())?;
        match tokio::time::timeout(LIMIT, outcome).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(ended()),
            Err(_) => Err("the desktop did not answer".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
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

    fn ways(environment: &Environment) -> Vec<CopyWay> {
        ladder(environment, 20).ways
    }

    #[test]
    fn the_ladder_follows_the_surroundings() {
        let osc = CopyWay::Terminal;
        let xterm = "xterm-256color";
        for (environment, expected) in [
            (
                here(xterm, true, false, false),
                vec![CopyWay::Desktop, osc(Multiplexer::Nothing)],
            ),
            (
                here(xterm, true, true, false),
                vec![CopyWay::Desktop, CopyWay::Tmux],
            ),
            (here("screen", false, true, false), vec![CopyWay::Tmux]),
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

    #[cfg(windows)]
    #[tokio::test]
    async fn the_desktop_has_what_was_copied() {
        let desktop = Desktop::default();
        let copied = desktop.copy("t0ken \u{e4}".into()).await;
        assert_eq!(copied, Ok(()));
        let text = arboard::Clipboard::new().unwrap().get_text().unwrap();
        assert_eq!(text, "t0ken \u{e4}");
    }

    #[test]
    fn a_value_too_large_for_a_way_misses_it_and_takes_the_others() {
        let limit = CopyWay::Terminal(Multiplexer::Nothing)
            .limit()
            .unwrap_or_default();
        let over_ssh = here("xterm", false, false, false);
        assert_eq!(ladder(&over_ssh, limit).skipped, []);
        let beyond = ladder(&over_ssh, limit + 1);
        assert_eq!(beyond.ways, []);
        assert_eq!(
            beyond.skipped[0].way,
            CopyWay::Terminal(Multiplexer::Nothing)
        );
        let at_a_desktop = ladder(&here("xterm", true, false, false), limit + 1);
        assert_eq!(at_a_desktop.ways, [CopyWay::Desktop]);
        // What fits has a sequence that fits.
        let text = "x".repeat(limit);
        let sequence = sent(osc_52(&text.into(), Multiplexer::Nothing));
        assert!(sequence.expose_secret().len() <= OSC_52_BYTES + "\x1b]52;c;\x07".len());
    }

    /// The sequence of a copy that the terminal is to make.
    fn sent(by: CopiedBy) -> SecretString {
        match by {
            CopiedBy::Terminal(sequence) | CopiedBy::ThroughScreen(sequence) => sequence,
            CopiedBy::Desktop | CopiedBy::Tmux | CopiedBy::TmuxOnly => SecretString::default(),
        }
    }

    #[test]
    fn the_sequence_holds_the_text_in_base64() {
        let sequence = sent(osc_52(&"t0ken".into(), Multiplexer::Nothing));
        assert_eq!(sequence.expose_secret(), "\x1b]52;c;dDBrZW4=\x07");
    }

    #[test]
    fn screen_gets_pieces_that_join_to_the_whole() {
        let text = SecretString::from("y".repeat(2000));
        let wrapped = sent(osc_52(&text, Multiplexer::Screen));
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
            sent(osc_52(&text, Multiplexer::Nothing)).expose_secret()
        );
        // Where it may be tmux as well, both forms are sent, as long as screen is silent about it.
        assert_eq!(
            sent(osc_52(&text, Multiplexer::ScreenOrTmux)).expose_secret(),
            wrapped.expose_secret()
        );
        // A longer one is for screen alone, and known to be.
        assert!(matches!(
            osc_52(&text, Multiplexer::ScreenOrTmux),
            CopiedBy::ThroughScreen(_)
        ));
        assert!(matches!(
            osc_52(&"t0ken".into(), Multiplexer::ScreenOrTmux),
            CopiedBy::Terminal(_)
        ));
        let short = sent(osc_52(&"t0ken".into(), Multiplexer::ScreenOrTmux));
        assert_eq!(
            short.expose_secret(),
            "\x1bP\x1b]52;c;dDBrZW4=\x07\x1b\\\x1b]52;c;dDBrZW4=\x07"
        );
    }
}
