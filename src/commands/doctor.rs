//! `doctor`: prints what was detected about the session and the terminal, and the consequences; can copy a test text.
//!
//! Each line starts with a stable name and a colon, so that the output can be read aloud and searched. It contains no
//! secret, so it can be sent to support. Nothing is sent over the network.

use std::ffi::OsString;
use std::io::{self, BufRead, IsTerminal, Write};
use std::net::SocketAddr;

use super::failed::failed;
use super::tools::runtime;
use crate::clean::clean;
use crate::cli::DoctorFlags;
use crate::console::clipboard::{
    self, CopiedBy, CopyWay, Desktop, KEEPS_COPIES, Ladder, SkippedWay,
};
use crate::console::environment::{Environment, Terminal};
use crate::console::origin::Attached;
use crate::console::sequences::Multiplexer;
use crate::console::talk::say;
use crate::console::tmux;
use crate::console::tunnel::Tunnel;
use crate::flow::proxy::{VARIABLES, useless_exceptions};
use crate::flow::windows_proxy::has_script;
use crate::outcome::exit;
use crate::secret::{ExposeSecret, SecretString};
use crate::tui::terminal::guard;

/// The test text to copy: harmless, and easy to recognize when pasted.
const TEST_COPY: &str = "OAuth Authorizer: this is a test copy";
/// An example of the port of a redirect URL.
const PORT: u16 = 8400;
/// Maximum length of a printed name, in characters.
const LIMIT: usize = 80;

/// Prints what was detected on standard output.
///
/// # Errors
/// Returns an error if standard output can't be written to.
pub(super) fn run(flags: &DoctorFlags) -> io::Result<u8> {
    let mut environment = flags.place.over(Environment::of_process());
    let tmux = tmux::settle(&mut environment);
    let mut out = io::stdout().lock();
    let exceptions = useless_exceptions();
    let exceptions = exceptions
        .into_iter()
        .map(|(entry, why)| ("NO_PROXY", format!("{entry} has no effect: {why}")));
    for (word, text) in lines(&environment, tmux.as_ref())
        .into_iter()
        .chain(exceptions)
        .chain(script(has_script(), |name| std::env::var_os(name)))
    {
        writeln!(out, "{word}: {text}")?;
    }
    out.flush()?;
    if !flags.test_copy {
        say(
            "hint",
            "Add --test-copy to copy a harmless text and see whether it arrives.",
        );
        return Ok(exit::DONE);
    }
    drop(out);
    test_copy(&environment)
}

/// Returns that the proxy settings of Windows name a PAC file, which doesn't apply to this program, unless an environment
/// variable names a proxy.
fn script(
    has_script: bool,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Option<(&'static str, String)> {
    let value = |name| variable(name).is_some_and(|it| !it.to_string_lossy().trim().is_empty());
    let is_needed = has_script && !VARIABLES.into_iter().any(value);
    let text = "Windows chooses the proxy with a PAC file, which this program can't read. Set HTTPS_PROXY to the address of the \
        proxy";
    is_needed.then(|| ("proxy", text.to_owned()))
}

/// The response of tmux.
type Answer = Result<Attached, String>;

/// Returns what was detected, and the consequences.
fn lines(environment: &Environment, tmux: Option<&Answer>) -> Vec<(&'static str, String)> {
    let mut lines = vec![
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ("session", session(environment)),
        ("terminal", terminal(environment, tmux)),
        (
            "screen",
            if environment.terminal == Terminal::Dumb {
                "line by line, as with --plain".to_owned()
            } else {
                "full screen".to_owned()
            },
        ),
        (
            "glyphs",
            choice(environment.utf8, "UTF-8", "ASCII", environment.why.utf8),
        ),
        (
            "colors",
            choice(environment.colors, "16", "none", environment.why.colors),
        ),
        ("clipboard", clipboard_text(environment, tmux)),
        ("browser", browser(environment)),
        (
            "default flow",
            if environment.has_browser() {
                "the one that the preset prefers".to_owned()
            } else {
                "device code where supported (change it with --flow)".to_owned()
            },
        ),
    ];
    let ends = [SocketAddr::from(([127, 0, 0, 1], PORT))];
    let tunnel = |ssh| Tunnel::new(ssh, "localhost", PORT, &ends);
    if let Some(tunnel) = environment.ssh.as_ref().and_then(tunnel) {
        lines.push((
            "tunnel",
            format!(
                "{tunnel} ({PORT} stands for the port of your redirect URL). {}",
                tunnel.login_advice()
            ),
        ));
    }
    lines
}

fn choice(yes: bool, one: &str, other: &str, why: &str) -> String {
    format!("{} ({why})", if yes { one } else { other })
}

fn session(environment: &Environment) -> String {
    let place = if environment.wsl { ", in WSL" } else { "" };
    let why = environment.why.reached;
    let Some(ssh) = &environment.ssh else {
        return if why.is_empty() {
            format!("local{place}")
        } else {
            why.to_owned()
        };
    };
    let by = if environment.mosh { "mosh" } else { "SSH" };
    let session = match (ssh.server, &ssh.login) {
        (Some(server), Some(login)) => format!("{by} to {login}@{server}"),
        (Some(server), None) => format!("{by} to {server} (user name unknown)"),
        (None, Some(login)) => format!("{by} as {login} (server address unknown)"),
        (None, None) => format!("{by} (server address and user name unknown)"),
    };
    let why = if why.is_empty() {
        String::new()
    } else {
        format!(" ({why})")
    };
    format!("{session}{place}{why}")
}

fn terminal(environment: &Environment, tmux: Option<&Answer>) -> String {
    let kind = match &environment.terminal {
        Terminal::Emulator => "terminal emulator".to_owned(),
        Terminal::Linux => "Linux console".to_owned(),
        Terminal::Serial(Some(line)) => format!("serial line {line}"),
        Terminal::Serial(None) => "serial terminal".to_owned(),
        Terminal::Windows => "Windows console".to_owned(),
        Terminal::Dumb => "unknown".to_owned(),
    };
    let mut within = String::new();
    match tmux {
        Some(Ok(attached)) => within += tmux_text(attached),
        Some(Err(why)) => within += &format!(", with TMUX set but no response ({why})"),
        None if environment.lost_tmux => within += ", in tmux, but TMUX is not set",
        None => {}
    }
    if environment.screen {
        within += ", in GNU screen";
    }
    let name = match clean(&environment.term, LIMIT) {
        name if name.is_empty() => "TERM is not set".to_owned(),
        name => format!("TERM={name}"),
    };
    format!("{kind}{within} ({name})")
}

fn tmux_text(attached: &Attached) -> &'static str {
    if !attached.ours {
        ", with TMUX set, but not a pane of that tmux"
    } else if attached.here {
        ", in tmux, attached from this desktop only"
    } else if attached.mosh {
        ", in tmux, attached over mosh"
    } else if attached.ssh {
        ", in tmux, attached over SSH"
    } else {
        ", in tmux"
    }
}

/// Describes the methods that a copy would use, in order, with the reason and the reliability of each.
fn clipboard_text(environment: &Environment, tmux: Option<&Answer>) -> String {
    let Ladder { ways, skipped } = clipboard::ladder(environment, tmux, TEST_COPY.len());
    let words: Vec<&str> = ways.into_iter().map(way_text).collect();
    let mut text = if words.is_empty() {
        "none (no desktop, and this terminal might print the text instead of copying it). Use View alone or Save".to_owned()
    } else {
        words.join("; if that fails, ")
    };
    if environment.display && environment.changed_user {
        text += "; the desktop belongs to the user who ran sudo or su";
    }
    if environment.mosh {
        text += &format!(
            "; mosh forwards at most {} bytes, and copying the same text again may have no effect",
            clipboard::MOSH_LIMIT
        );
        if environment.tmux {
            text += "; it forwards tmux's copies only if Ms is set in tmux's terminal-overrides";
        }
    }
    if environment.windows && !environment.display {
        text += "; the Windows console may drop OSC 52";
    }
    for SkippedWay { way, why } in skipped {
        text += &format!("; not {}: {why}", way.name());
    }
    text
}

fn way_text(way: CopyWay) -> &'static str {
    match way {
        CopyWay::Desktop if KEEPS_COPIES => {
            "desktop clipboard (delivery is confirmed; the text stays there after the program ends)"
        }
        CopyWay::Desktop => {
            "desktop clipboard (delivery is confirmed; the text stays there while the program runs)"
        }
        CopyWay::Tmux => {
            "tmux buffer (delivery to tmux is confirmed, delivery to your terminal is not)"
        }
        CopyWay::TmuxAndTerminal(_) => {
            "tmux buffer and OSC 52, because this terminal may not be a tmux pane (delivery to your terminal can't be \
                confirmed)"
        }
        CopyWay::Terminal(Multiplexer::Nothing) => "OSC 52 (delivery can't be confirmed)",
        CopyWay::Terminal(Multiplexer::Screen) => {
            "OSC 52 through GNU screen (delivery can't be confirmed)"
        }
        CopyWay::Terminal(Multiplexer::ScreenOrTmux) => {
            "OSC 52 for GNU screen or tmux, because TERM matches both; long texts for GNU screen only (delivery can't be \
                confirmed)"
        }
    }
}

fn browser(environment: &Environment) -> String {
    let why = environment.why.display;
    if environment.display && !environment.has_browser() {
        return "won't be opened (this edition of Windows has none; if you installed one, set BROWSER to its path)".to_owned();
    }
    match (environment.display, environment.no_browser) {
        (true, true) => "won't be opened (--no-browser)".to_owned(),
        (false, _) => format!("won't be opened ({why})"),
        (true, false) => {
            let by = match &environment.browser {
                Some(named) => format!(" with {}", clean(named, LIMIT)),
                None => String::new(),
            };
            let doubt = if environment.changed_user {
                "; sudo or su changed the user, so it may not start"
            } else {
                ""
            };
            format!("will be opened{by} ({why}){doubt}")
        }
    }
}

/// Copies a harmless text, and says what is certain about the result.
fn test_copy(environment: &Environment) -> io::Result<u8> {
    let text = SecretString::from(TEST_COPY);
    let runtime = runtime()?;
    let desktop = Desktop::default();
    if let Some(prelude) = clipboard::prelude(environment, &text) {
        send(prelude)?;
    }
    let copied = runtime.block_on(clipboard::copy(environment, &desktop, text));
    for SkippedWay { way, why } in &copied.skipped {
        say("skipped", &format!("{}: {why}.", way.name()));
    }
    let what = format!("\"{TEST_COPY}\"");
    match copied.by {
        Some(CopiedBy::DesktopForGood) => say(
            "copied",
            &format!("the desktop clipboard has {what}. It stays there: paste it somewhere."),
        ),
        Some(CopiedBy::Desktop | CopiedBy::DesktopOfLogin) => {
            say(
                "copied",
                &format!("the desktop clipboard has {what} while this program runs."),
            );
            if io::stdin().is_terminal() {
                say(
                    "hint",
                    "Paste it somewhere, then return here and press Enter.",
                );
                let read = io::stdin().lock().read_line(&mut String::new());
                read.map_err(|error| failed("Can't read standard input", &error))?;
            }
        }
        Some(CopiedBy::Tmux) => say(
            "copied",
            &format!(
                "tmux has {what}. Paste it in tmux with prefix ]. Paste it elsewhere to see whether your terminal has it too."
            ),
        ),
        Some(CopiedBy::TmuxOnly) => say(
            "copied",
            &format!(
                "tmux has {what}. This tmux is too old to send it to your terminal: paste it in tmux with prefix ]."
            ),
        ),
        Some(CopiedBy::TmuxThroughMosh) => say(
            "copied",
            &format!(
                "tmux has {what}. mosh forwards it to your terminal only if Ms is set in tmux's terminal-overrides."
            ),
        ),
        // The test text is too short for mosh to cut it off.
        Some(CopiedBy::TmuxBeforeMosh) => {}
        Some(CopiedBy::TmuxAndTerminal(sequence)) => {
            send(sequence.expose_secret())?;
            say(
                "sent",
                &format!(
                    "tmux has {what} and sent it to your terminal. Paste it somewhere. If you get something else, your \
                        terminal doesn't support this."
                ),
            );
        }
        Some(
            CopiedBy::Terminal(sequence)
            | CopiedBy::ThroughConsole(sequence)
            | CopiedBy::ThroughScreen(sequence)
            | CopiedBy::ThroughTmux(sequence)
            | CopiedBy::ThroughMosh(sequence),
        ) => {
            send(sequence.expose_secret())?;
            say(
                "sent",
                &format!(
                    "{what} was sent to your terminal. Paste it somewhere. If you get something else, your terminal doesn't \
                        support this."
                ),
            );
        }
        None => {
            say(
                "error",
                "Nothing was copied: no method is available. Use View alone to select a value with the mouse, or Save to \
                    write it to a file.",
            );
            return Ok(exit::FAILED);
        }
    }
    Ok(exit::DONE)
}

fn send(sequence: &str) -> io::Result<()> {
    let write = || {
        let mut terminal = guard::output()?;
        terminal.write_all(sequence.as_bytes())?;
        terminal.flush()
    };
    write().map_err(|error| failed("Can't write to the terminal", &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn script_is_reported_only_without_a_proxy_variable() {
        for (has_script, name, value, is_reported) in [
            (true, "NO_PROXY", "as.example", true),
            (true, "HTTPS_PROXY", " ", true),
            (true, "HTTPS_PROXY", "proxy.lan:3128", false),
            (true, "all_proxy", "proxy.lan:3128", false),
            (false, "NO_PROXY", "as.example", false),
        ] {
            let variable = |one: &str| (one == name).then(|| OsString::from(value));
            let reported = script(has_script, variable);
            assert_eq!(reported.is_some(), is_reported, "{name}={value}");
        }
    }
}
