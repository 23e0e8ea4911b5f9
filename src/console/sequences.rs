//! Decides which terminals may be sent escape sequences for more than drawing.
//!
//! A terminal that doesn't know such a sequence should ignore it silently, but some print it. The terminal is not
//! queried: its response would arrive among the key presses, or never. So only terminals that are known to ignore
//! unknown sequences get them.

use crate::console::environment::{Environment, Terminal};

/// Prefixes of the types of terminals that ignore unknown sequences.
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

/// The multiplexer between the program and the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Multiplexer {
    /// No known multiplexer.
    Nothing,
    /// GNU screen. It forwards only sequences that are wrapped for it. If a sequence is too long, it prints the rest
    /// (seen in 4.9, from 768 bytes).
    Screen,
    /// GNU screen or tmux, on the machine from which the user connected: both call the terminal `screen`, and SSH
    /// forwards the variables of neither.
    ScreenOrTmux,
}

/// Returns which multiplexer sequences must pass; `None` if the terminal might print them.
#[must_use]
pub fn multiplexer(environment: &Environment) -> Option<Multiplexer> {
    multiplexer_beside(environment, environment.tmux || environment.lost_tmux)
}

/// Does the same, if it is better known whether this is tmux.
#[must_use]
pub fn multiplexer_beside(environment: &Environment, tmux: bool) -> Option<Multiplexer> {
    let term = environment.term.as_str();
    if !SILENT.iter().any(|name| term.starts_with(name)) {
        return None;
    }
    Some(match (environment.screen, tmux) {
        (true, false) => Multiplexer::Screen,
        // tmux runs inside screen, or was started first. The limits of screen apply to both.
        (true, true) => Multiplexer::ScreenOrTmux,
        (false, false) if term.starts_with("screen") => Multiplexer::ScreenOrTmux,
        (false, true | false) => Multiplexer::Nothing,
    })
}

/// Returns whether the terminal can insert and delete lines (IL, DL), which moves the lines below. A terminal on a
/// serial line may be too old for that.
#[must_use]
pub fn moves_rows(environment: &Environment) -> bool {
    let known = || SILENT.iter().any(|name| environment.term.starts_with(name));
    match environment.terminal {
        Terminal::Linux => true,
        Terminal::Emulator => known(),
        Terminal::Serial(_) | Terminal::Windows | Terminal::Dumb => false,
    }
}

/// Returns whether text may be sent as links (OSC 8). tmux forwards them since 3.4, and drops them before. screen drops
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
    fn unknown_terminals_get_no_escape_sequences() {
        for term in ["linux", "vt100", "vt220", "dumb", "", "unheard-of", "xt"] {
            assert_eq!(multiplexer(&here(term, false, false)), None, "{term}");
            assert!(!takes_links(&here(term, false, false)), "{term}");
        }
        for term in ["xterm", "xterm-256color", "tmux-256color", "rxvt-unicode"] {
            assert!(takes_links(&here(term, false, false)), "{term}");
        }
    }

    #[test]
    fn screen_is_detected_by_variable_or_suspected_by_term() {
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
