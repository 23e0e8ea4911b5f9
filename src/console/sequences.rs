//! Which terminals are sent sequences that do more than draw.
//!
//! A terminal that does not know such a sequence should drop it in silence, but some print it. Nothing is asked:
//! an answer would arrive among the keys, or never. So only terminals that are known to be silent get one.

use crate::console::environment::{Environment, Terminal};

/// The beginnings of the names of terminals that drop what they do not know.
const SILENT: &[&str] = &[
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

/// What is between the program and the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Multiplexer {
    /// Nothing that is known.
    Nothing,
    /// GNU screen. It hands on only what is wrapped for it, and prints the rest of a sequence that it finds too long
    /// (seen: 4.9 does from 768 bytes on).
    Screen,
    /// GNU screen or tmux, on the machine that the user came from: both call themselves `screen`, and neither's
    /// variables come along over SSH.
    ScreenOrTmux,
}

/// How the terminal is reached by sequences; `None` if it might print them.
#[must_use]
pub fn multiplexer(environment: &Environment) -> Option<Multiplexer> {
    multiplexer_beside(environment, environment.tmux || environment.lost_tmux)
}

/// The same where it is known better whether this is tmux.
#[must_use]
pub fn multiplexer_beside(environment: &Environment, tmux: bool) -> Option<Multiplexer> {
    let term = environment.term.as_str();
    if !SILENT.iter().any(|name| term.starts_with(name)) {
        return None;
    }
    Some(match (environment.screen, tmux) {
        (true, false) => Multiplexer::Screen,
        // tmux is the inner one, or was started first; screen's limits hold for both.
        (true, true) => Multiplexer::ScreenOrTmux,
        (false, false) if term.starts_with("screen") => Multiplexer::ScreenOrTmux,
        (false, true | false) => Multiplexer::Nothing,
    })
}

/// True if the terminal can insert and delete rows (IL, DL), which moves the rows below. A terminal on a serial line may
/// be too old for that.
#[must_use]
pub fn moves_rows(environment: &Environment) -> bool {
    let known = || SILENT.iter().any(|name| environment.term.starts_with(name));
    match environment.terminal {
        Terminal::Linux => true,
        Terminal::Emulator => known(),
        Terminal::Serial(_) | Terminal::Windows | Terminal::Dumb => false,
    }
}

/// True if text may be sent as links (OSC 8). tmux passes them on from 3.4, and drops them before; screen drops
/// short ones and prints the rest of long ones, so it gets none.
#[must_use]
pub fn takes_links(environment: &Environment) -> bool {
    !environment.no_links && multiplexer(environment) == Some(Multiplexer::Nothing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here(term: &str, tmux: bool, screen: bool) -> Environment {
        Environment {
            term: term.to_owned(),
            tmux,
            screen,
            ..Environment::default()
        }
    }

    #[test]
    fn only_silent_terminals_are_sent_sequences() {
        for term in ["linux", "vt100", "vt220", "dumb", "", "unheard-of", "xt"] {
            assert_eq!(multiplexer(&here(term, false, false)), None, "{term}");
            assert!(!takes_links(&here(term, false, false)), "{term}");
        }
        for term in ["xterm", "xterm-256color", "tmux-256color", "rxvt-unicode"] {
            assert!(takes_links(&here(term, false, false)), "{term}");
        }
    }

    #[test]
    fn screen_is_known_by_its_variable_or_suspected_by_its_name() {
        let both = "screen-256color";
        assert_eq!(
            multiplexer(&here("xterm", false, true)),
            Some(Multiplexer::Screen)
        );
        assert_eq!(
            multiplexer(&here(both, true, false)),
            Some(Multiplexer::Nothing)
        );
        assert_eq!(
            multiplexer(&here(both, false, false)),
            Some(Multiplexer::ScreenOrTmux)
        );
        assert!(takes_links(&here(both, true, false)));
        for screen in [true, false] {
            assert!(!takes_links(&here(both, false, screen)));
        }
    }
}
