//! `doctor`: where the program finds itself, and what follows from that; on request, a copy as a test.
//!
//! One line each, a stable word and a colon in front, so that it can be read out, searched, and sent to a support desk: it
//! holds no secret. Nothing is asked of the network.

use std::io::{self, BufRead, IsTerminal, Write};
use std::net::SocketAddr;

use crate::clean::clean;
use crate::cli::{DoctorFlags, SECRET_VARIABLE};
use crate::console::clipboard::{self, CopiedBy, CopyWay, Desktop, Ladder, SkippedWay};
use crate::console::environment::{Environment, Terminal};
use crate::console::origin::Attached;
use crate::console::sequences::Multiplexer;
use crate::console::talk::say;
use crate::console::tmux;
use crate::console::tunnel::Tunnel;
use crate::outcome::exit;
use crate::secret::{ExposeSecret, SecretString};
use crate::tui::terminal::guard;

/// What is copied as a test: harmless, and known again when it is pasted.
const TEST_COPY: &str = "OAuth Authorizer: this is a test copy";
/// Stands for the port of a redirect URL.
const PORT: u16 = 8400;
/// More of a name is not shown.
const LIMIT: usize = 80;

/// Says what was found, on standard output.
///
/// # Errors
/// Where standard output cannot be written to.
pub(super) fn run(flags: &DoctorFlags) -> io::Result<u8> {
    let mut environment = flags.place.over(Environment::of_process());
    environment.secret_variables = vec![SECRET_VARIABLE.to_owned()];
    let tmux = tmux::settle(&mut environment);
    let mut out = io::stdout().lock();
    for (word, text) in lines(&environment, tmux.as_ref()) {
        writeln!(out, "{word}: {text}")?;
    }
    out.flush()?;
    if !flags.test_copy {
        say(
            "hint",
            "With --test-copy, a harmless text is copied the way that is named.",
        );
        return Ok(exit::DONE);
    }
    drop(out);
    test_copy(&environment)
}

/// What tmux said.
type Answer = Result<Attached, String>;

/// What was found, and what follows.
fn lines(environment: &Environment, tmux: Option<&Answer>) -> Vec<(&'static str, String)> {
    let mut lines = vec![
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ("reached", reached(environment)),
        ("terminal", terminal(environment, tmux)),
        (
            "screen",
            if environment.terminal == Terminal::Dumb {
                "none here: line by line, as with --plain".to_owned()
            } else {
                "the whole terminal".to_owned()
            },
        ),
        (
            "glyphs",
            choice(environment.utf8, "UTF-8", "ASCII", environment.why.utf8),
        ),
        (
            "colors",
            choice(environment.colours, "16", "none", environment.why.colours),
        ),
        ("clipboard", clipboard_text(environment, tmux)),
        ("browser", browser(environment)),
        (
            "flow",
            if environment.display {
                "each preset begins with the flow that it prefers".to_owned()
            } else {
                "each preset begins with the device code flow where it has one that will do; --flow chooses another"
                    .to_owned()
            },
        ),
    ];
    let ends = [SocketAddr::from(([127, 0, 0, 1], PORT))];
    let tunnel = |ssh| Tunnel::new(ssh, "localhost", PORT, &ends);
    if let Some(tunnel) = environment.ssh.as_ref().and_then(tunnel) {
        lines.push((
            "tunnel",
            format!(
                "{tunnel} ({PORT} stands for the port of the redirect URL). {}",
                tunnel.login_advice()
            ),
        ));
    }
    lines
}

fn choice(yes: bool, one: &str, other: &str, why: &str) -> String {
    format!("{}: {why}", if yes { one } else { other })
}

fn reached(environment: &Environment) -> String {
    let place = if environment.wsl {
        ", in Linux within Windows (WSL)"
    } else {
        ""
    };
    let why = environment.why.reached;
    let Some(ssh) = &environment.ssh else {
        return if why.is_empty() {
            format!("on this machine{place}")
        } else {
            why.to_owned()
        };
    };
    let server = ssh.server.map_or_else(
        || "at an address that was not told".to_owned(),
        |server| format!("at {} port {}", server.ip(), server.port()),
    );
    let login = ssh.login.as_ref().map_or_else(
        || "under a name that cannot stand in a command".to_owned(),
        |login| format!("as {login}"),
    );
    let by = if environment.mosh {
        "over mosh"
    } else {
        "over SSH"
    };
    let why = if why.is_empty() {
        String::new()
    } else {
        format!(": {why}")
    };
    format!("{by}, {server}, {login}{place}{why}")
}

fn terminal(environment: &Environment, tmux: Option<&Answer>) -> String {
    let kind = match &environment.terminal {
        Terminal::Emulator => "a terminal emulator".to_owned(),
        Terminal::Linux => "the console of Linux".to_owned(),
        Terminal::Serial(Some(line)) => format!("on the serial line {line}"),
        Terminal::Serial(None) => "as on a serial line".to_owned(),
        Terminal::Windows => "the console of Windows".to_owned(),
        Terminal::Dumb => "nothing is known of it".to_owned(),
    };
    let mut within = String::new();
    match tmux {
        Some(Ok(attached)) => within += tmux_text(attached),
        Some(Err(why)) => within += &format!(", with TMUX set but no answer ({why})"),
        None if environment.lost_tmux => within += ", in tmux, but TMUX is not set",
        None => {}
    }
    if environment.screen {
        within += ", in GNU screen";
    }
    let name = match clean(&environment.term, LIMIT) {
        name if name.is_empty() => "TERM is not set".to_owned(),
        name => format!("TERM is {name}"),
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

/// The ways that a copy would take, in order, why, and what is certain about each.
fn clipboard_text(environment: &Environment, tmux: Option<&Answer>) -> String {
    let Ladder { ways, skipped } = clipboard::ladder(environment, tmux, TEST_COPY.len());
    let words: Vec<&str> = ways.into_iter().map(way_text).collect();
    let mut text = if words.is_empty() {
        "none: there is no desktop here, and this terminal may print what others take as a copy; the plain view and Save remain"
            .to_owned()
    } else {
        words.join("; if that fails, ")
    };
    if environment.display && environment.changed_user {
        text += "; sudo or su changed the user, and the desktop belongs to the one who ran it";
    }
    if environment.mosh {
        text += &format!(
            "; mosh passes on {} bytes at most, and may not repeat an identical copy",
            clipboard::MOSH_LIMIT
        );
        if environment.tmux {
            text += "; it passes on tmux's copies only if tmux's terminal-overrides changes Ms";
        }
    }
    for SkippedWay { way, why } in skipped {
        text += &format!("; not {}: {why}", way.name());
    }
    text
}

fn way_text(way: CopyWay) -> &'static str {
    match way {
        CopyWay::Desktop => {
            "the desktop's, as there is one here; it says whether it has the text, and keeps it while the program runs"
        }
        CopyWay::Tmux => {
            "tmux's buffer, as this is tmux; tmux says whether it has the text, but not whether your terminal took it over"
        }
        CopyWay::TmuxAndTerminal(_) => {
            "tmux's buffer and your terminal's, by an escape sequence (OSC 52), as this terminal may not be tmux's; nobody says \
             whether the terminal took it"
        }
        CopyWay::Terminal(Multiplexer::Nothing) => {
            "your terminal's, by an escape sequence (OSC 52); nobody says whether it took it"
        }
        CopyWay::Terminal(Multiplexer::Screen) => {
            "your terminal's, by an escape sequence (OSC 52) in pieces through GNU screen; nobody says whether it took it"
        }
        CopyWay::Terminal(Multiplexer::ScreenOrTmux) => {
            "your terminal's, by an escape sequence (OSC 52) for GNU screen and for tmux, as TERM fits both; a long one for \
             screen alone; nobody says whether it took it"
        }
    }
}

fn browser(environment: &Environment) -> String {
    match (environment.display, environment.no_browser) {
        (true, true) => "is not opened: --no-browser was asked for".to_owned(),
        (false, _) => format!("is not opened: {}", environment.why.display),
        (true, false) => {
            let by = match &environment.browser {
                Some(named) => format!(" by {} (BROWSER)", clean(named, LIMIT)),
                None => String::new(),
            };
            let doubt = if environment.changed_user {
                "; sudo or su changed the user, so it is not certain that a browser starts"
            } else {
                ""
            };
            format!("is opened{by}: {}{doubt}", environment.why.display)
        }
    }
}

/// Copies a harmless text, and says what is certain about it.
fn test_copy(environment: &Environment) -> io::Result<u8> {
    let text = SecretString::from(TEST_COPY);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
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
        Some(CopiedBy::Desktop | CopiedBy::DesktopOfLogin) => {
            say(
                "copied",
                &format!("the desktop has {what}, as long as this program runs."),
            );
            if io::stdin().is_terminal() {
                say("hint", "Paste it somewhere, then press Enter here.");
                io::stdin().lock().read_line(&mut String::new())?;
            }
        }
        Some(CopiedBy::Tmux) => say(
            "copied",
            &format!(
                "tmux has {what}: prefix ] pastes it in tmux. Paste it elsewhere to see whether your terminal has it as well."
            ),
        ),
        Some(CopiedBy::TmuxOnly) => say(
            "copied",
            &format!(
                "tmux has {what}, and is too old to hand it on to your terminal: prefix ] pastes it in tmux only."
            ),
        ),
        Some(CopiedBy::TmuxThroughMosh) => say(
            "copied",
            &format!(
                "tmux has {what}. mosh passes it on to your terminal only if tmux's terminal-overrides changes Ms."
            ),
        ),
        // Nothing that mosh would cut.
        Some(CopiedBy::TmuxBeforeMosh) => {}
        Some(CopiedBy::TmuxAndTerminal(sequence)) => {
            send(sequence.expose_secret())?;
            say(
                "sent",
                &format!(
                    "tmux has {what}, and it went to your terminal. Paste it somewhere: if something else comes, your terminal does \
                     not take copies."
                ),
            );
        }
        Some(
            CopiedBy::Terminal(sequence)
            | CopiedBy::ThroughScreen(sequence)
            | CopiedBy::ThroughTmux(sequence)
            | CopiedBy::ThroughMosh(sequence),
        ) => {
            send(sequence.expose_secret())?;
            say(
                "sent",
                &format!(
                    "{what} went to your terminal. Paste it somewhere: if something else comes, your terminal does not take copies."
                ),
            );
        }
        None => {
            say(
                "error",
                "Nothing was copied: no way is left from here. The plain view shows a value alone, to be selected, and Save \
                 writes it to a file.",
            );
            return Ok(exit::FAILED);
        }
    }
    Ok(exit::DONE)
}

fn send(sequence: &str) -> io::Result<()> {
    let mut terminal = guard::output()?;
    terminal.write_all(sequence.as_bytes())?;
    terminal.flush()
}
