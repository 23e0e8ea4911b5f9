//! The copy ladder: which way text gets to the person's clipboard, and the ways that need no terminal.
//!
//! What could not be confirmed is not claimed, and the way used is always named.

use std::process::Stdio;
use std::sync::mpsc;
use std::time::Duration;

use base64::Engine;
use tokio::io::AsyncWriteExt;
use tokio::sync::oneshot;

use crate::environment::Environment;
use crate::secret::{ExposeSecret, SecretString, clean};

/// A desktop that does not answer must not hold up the person.
const LIMIT: Duration = Duration::from_secs(3);
/// Terminals drop longer sequences; xterm's limit is the lowest that is common.
const OSC_52_BYTES: usize = 74_994;
/// GNU screen passes strings on in pieces no longer than this.
const SCREEN_PIECE: usize = 500;

/// A way to the clipboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The desktop's clipboard.
    Desktop,
    /// tmux's buffer, which tmux hands on to its terminal.
    Tmux,
    /// An escape sequence to the terminal.
    Osc52 {
        /// Wrapped for GNU screen.
        screen: bool,
    },
    /// None; the plain view remains.
    None,
}

/// The way from here.
#[must_use]
pub fn way(environment: &Environment) -> Way {
    if environment.display {
        return Way::Desktop;
    }
    if environment.tmux {
        return Way::Tmux;
    }
    if environment.screen {
        return Way::Osc52 { screen: true };
    }
    // Only terminals known to take the sequence in silence; others may print it.
    let term = environment.term.as_str();
    let known = [
        "xterm",
        "screen",
        "tmux",
        "rxvt",
        "alacritty",
        "foot",
        "ghostty",
        "kitty",
        "konsole",
        "st-",
        "vte",
        "wezterm",
    ];
    if known.iter().any(|name| term.starts_with(name)) {
        Way::Osc52 { screen: false }
    } else {
        Way::None
    }
}

/// How a copy came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Copied {
    /// Confirmed; lasts while the program runs, unless a clipboard manager keeps it.
    Desktop,
    /// Confirmed by tmux.
    Tmux,
    /// Sent; nobody confirms.
    SentToTerminal,
    /// Not copied; says why.
    Failed(String),
}

/// The sequence that asks the terminal to copy `text`.
///
/// # Errors
/// Where it is too long for a terminal.
pub fn osc_52(text: &SecretString, screen: bool) -> Result<SecretString, String> {
    let encoded = base64::engine::general_purpose::STANDARD.encode(text.expose_secret());
    if encoded.len() > OSC_52_BYTES {
        return Err("it is too long for a terminal's clipboard".to_owned());
    }
    let sequence = format!("\x1b]52;c;{encoded}\x07");
    if !screen {
        return Ok(sequence.into());
    }
    let mut wrapped = String::new();
    let mut rest = sequence.as_str();
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.len().min(SCREEN_PIECE));
        wrapped.push_str("\x1bP");
        wrapped.push_str(piece);
        wrapped.push_str("\x1b\\");
        rest = after;
    }
    Ok(wrapped.into())
}

/// Hands `text` to tmux, which keeps it in a buffer and sends it to its terminal.
pub async fn tmux(environment: &Environment, text: &SecretString) -> Copied {
    let run = async {
        let mut child = environment
            .command("tmux")
            .args(["load-buffer", "-w", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        if let Some(mut input) = child.stdin.take() {
            input.write_all(text.expose_secret().as_bytes()).await?;
        }
        child.wait_with_output().await
    };
    match tokio::time::timeout(LIMIT, run).await {
        Ok(Ok(output)) if output.status.success() => Copied::Tmux,
        Ok(Ok(output)) => Copied::Failed(format!(
            "tmux said: {}",
            clean(&String::from_utf8_lossy(&output.stderr), 100)
        )),
        Ok(Err(error)) => Copied::Failed(format!("tmux could not be run: {error}")),
        Err(_) => Copied::Failed("tmux did not answer".to_owned()),
    }
}

type Order = (SecretString, oneshot::Sender<Result<(), String>>);

/// The desktop's clipboard. Its owner is a thread that lives as long as this value, because on X11 and
/// Wayland the text lives as long as its owner.
#[derive(Debug)]
pub struct Desktop(mpsc::Sender<Order>);

impl Default for Desktop {
    fn default() -> Self {
        let (orders, inbox) = mpsc::channel::<Order>();
        std::thread::spawn(move || {
            let mut clipboard = None;
            for (text, answer) in inbox {
                let _ = answer.send(
                    set(&mut clipboard, &text).map_err(|error| clean(&error.to_string(), 120)),
                );
            }
        });
        Self(orders)
    }
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
    pub async fn copy(&self, text: SecretString) -> Copied {
        let (answer, outcome) = oneshot::channel();
        if self.0.send((text, answer)).is_err() {
            return Copied::Failed("the clipboard has ended".to_owned());
        }
        match tokio::time::timeout(LIMIT, outcome).await {
            Ok(Ok(Ok(()))) => Copied::Desktop,
            Ok(Ok(Err(reason))) => Copied::Failed(reason),
            Ok(Err(_)) => Copied::Failed("the clipboard has ended".to_owned()),
            Err(_) => Copied::Failed("the desktop's clipboard did not answer".to_owned()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends on what it did not expect")]
mod tests {
    use super::*;

    fn here(term: &str) -> Environment {
        Environment {
            term: term.to_owned(),
            ..Environment::default()
        }
    }

    #[test]
    fn the_way_follows_the_surroundings() {
        let xterm = here("xterm-256color");
        assert_eq!(
            way(&Environment {
                display: true,
                tmux: true,
                ..xterm.clone()
            }),
            Way::Desktop
        );
        assert_eq!(
            way(&Environment {
                tmux: true,
                ssh: true,
                ..xterm.clone()
            }),
            Way::Tmux
        );
        assert_eq!(
            way(&Environment {
                screen: true,
                ssh: true,
                ..xterm.clone()
            }),
            Way::Osc52 { screen: true }
        );
        assert_eq!(
            way(&Environment { ssh: true, ..xterm }),
            Way::Osc52 { screen: false }
        );
        for term in ["linux", "vt100", "vt220", "dumb", "", "unheard-of"] {
            assert_eq!(
                way(&Environment {
                    ssh: true,
                    ..here(term)
                }),
                Way::None,
                "{term}"
            );
        }
    }

    #[cfg(windows)]
    #[tokio::test]
    async fn the_desktop_has_what_was_copied() {
        let desktop = Desktop::default();
        let copied = desktop.copy("t0ken \u{e4}".into()).await;
        assert_eq!(copied, Copied::Desktop);
        let text = arboard::Clipboard::new().unwrap().get_text().unwrap();
        assert_eq!(text, "t0ken \u{e4}");
    }

    #[test]
    fn the_sequence_holds_the_text_in_base64() {
        let sequence = osc_52(&"t0ken".into(), false).unwrap();
        assert_eq!(sequence.expose_secret(), "\x1b]52;c;dDBrZW4=\x07");
        assert!(osc_52(&"x".repeat(60_000).into(), false).is_err());
    }

    #[test]
    fn screen_gets_pieces_that_join_to_the_whole() {
        let text = "y".repeat(2000);
        let wrapped = osc_52(&text.clone().into(), true).unwrap();
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
        assert_eq!(joined, osc_52(&text.into(), false).unwrap().expose_secret());
    }
}
