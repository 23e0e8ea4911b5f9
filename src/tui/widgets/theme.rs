//! Colors and glyphs. A state is a word first and a color second; without colors, no color is set.

use ratatui::style::{Color, Modifier, Style};

use super::said::Tone;
use crate::console::environment::Environment;

/// The colors and glyphs that the terminal supports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    colors: bool,
    /// Whether the terminal supports glyphs beyond ASCII.
    pub utf8: bool,
}

impl Theme {
    /// Creates the theme for an environment.
    #[must_use]
    pub fn new(environment: &Environment) -> Self {
        Self {
            colors: environment.colors,
            utf8: environment.utf8,
        }
    }

    /// Returns the marker next to the focused item.
    #[must_use]
    pub fn marker(self) -> &'static str {
        if self.utf8 { "▸" } else { ">" }
    }

    /// Returns the ellipsis that marks cut text.
    #[must_use]
    pub fn ellipsis(self) -> &'static str {
        if self.utf8 { "…" } else { "..." }
    }

    /// Returns the segment of a horizontal rule.
    #[must_use]
    pub fn rule(self) -> &'static str {
        if self.utf8 { "─" } else { "-" }
    }

    /// Returns the symbol of a value that opens a list.
    #[must_use]
    pub fn list(self) -> &'static str {
        if self.utf8 { "▾" } else { "v" }
    }

    /// Returns the parts of a box: the corners, from the top left, then the horizontal and the vertical line.
    #[must_use]
    pub fn corners(self) -> [&'static str; 6] {
        if self.utf8 {
            ["┌", "┐", "└", "┘", "─", "│"]
        } else {
            ["+", "+", "+", "+", "-", "|"]
        }
    }

    /// Returns the character that masks each character of a secret.
    #[must_use]
    pub fn mask(self) -> &'static str {
        if self.utf8 { "•" } else { "*" }
    }

    /// Returns the symbol of a choice that is selected or not.
    #[must_use]
    pub fn radio(self, on: bool) -> &'static str {
        match (on, self.utf8) {
            (true, true) => "(•)",
            (true, false) => "(*)",
            (false, _) => "( )",
        }
    }

    /// Returns the dash of a range.
    #[must_use]
    pub fn dash(self) -> &'static str {
        if self.utf8 { "–" } else { "-" }
    }

    /// Returns the separator between the parts of a title.
    #[must_use]
    pub fn dot(self) -> &'static str {
        if self.utf8 { "·" } else { "-" }
    }

    /// Returns the style of the focused item.
    #[must_use]
    pub fn focus(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// Returns the style of locked and unused values.
    #[must_use]
    pub fn dim(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// Returns the style of the program's name, and of the most important value on a screen.
    #[must_use]
    pub fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// Returns the style of errors.
    #[must_use]
    pub fn bad(self) -> Style {
        self.colored(Color::Red).add_modifier(Modifier::BOLD)
    }

    /// Returns the style of warnings.
    #[must_use]
    pub fn warning(self) -> Style {
        self.colored(Color::Yellow).add_modifier(Modifier::BOLD)
    }

    /// Returns the style of a label with this tone.
    #[must_use]
    pub fn tone(self, tone: Tone) -> Style {
        match tone {
            Tone::Plain => Style::new(),
            Tone::Good => self.good().add_modifier(Modifier::BOLD),
            Tone::Warning => self.warning(),
            Tone::Bad => self.bad(),
        }
    }

    /// Returns the style of completed steps and passed checks.
    #[must_use]
    pub fn good(self) -> Style {
        self.colored(Color::Green)
    }

    /// Returns the style of work in progress.
    #[must_use]
    pub fn active(self) -> Style {
        self.colored(Color::Cyan)
    }

    /// Returns the style of a QR code, with explicit colors, because the terminal's default colors may be anything.
    /// `None` if colors are off.
    #[must_use]
    pub fn black_on_white(self) -> Option<Style> {
        self.colors
            .then(|| Style::new().fg(Color::Black).bg(Color::White))
    }

    fn colored(self, color: Color) -> Style {
        if self.colors {
            Style::new().fg(color)
        } else {
            Style::new()
        }
    }
}
