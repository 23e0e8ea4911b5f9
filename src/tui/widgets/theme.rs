//! Colors and glyphs. States are words first, color second; mono sets no color at all.

use ratatui::style::{Color, Modifier, Style};

use super::said::Tone;
use crate::console::environment::Environment;

/// What the terminal supports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    colors: bool,
    /// Glyphs beyond ASCII.
    pub utf8: bool,
}

impl Theme {
    /// As the environment allows.
    #[must_use]
    pub fn new(environment: &Environment) -> Self {
        Self {
            colors: environment.colors,
            utf8: environment.utf8,
        }
    }

    /// Beside the focused item.
    #[must_use]
    pub fn marker(self) -> &'static str {
        if self.utf8 { "▸" } else { ">" }
    }

    /// Where text was cut.
    #[must_use]
    pub fn ellipsis(self) -> &'static str {
        if self.utf8 { "…" } else { "..." }
    }

    /// Horizontal rule.
    #[must_use]
    pub fn rule(self) -> &'static str {
        if self.utf8 { "─" } else { "-" }
    }

    /// A list opens here.
    #[must_use]
    pub fn list(self) -> &'static str {
        if self.utf8 { "▾" } else { "v" }
    }

    /// The parts of a box: corners from the left above, then the horizontal and the vertical rule.
    #[must_use]
    pub fn corners(self) -> [&'static str; 6] {
        if self.utf8 {
            ["┌", "┐", "└", "┘", "─", "│"]
        } else {
            ["+", "+", "+", "+", "-", "|"]
        }
    }

    /// In place of each character of a secret.
    #[must_use]
    pub fn mask(self) -> &'static str {
        if self.utf8 { "•" } else { "*" }
    }

    /// A choice, taken or not.
    #[must_use]
    pub fn radio(self, on: bool) -> &'static str {
        match (on, self.utf8) {
            (true, true) => "(•)",
            (true, false) => "(*)",
            (false, _) => "( )",
        }
    }

    /// From one number to another.
    #[must_use]
    pub fn dash(self) -> &'static str {
        if self.utf8 { "–" } else { "-" }
    }

    /// Between the parts of the title.
    #[must_use]
    pub fn dot(self) -> &'static str {
        if self.utf8 { "·" } else { "-" }
    }

    /// The focused item.
    #[must_use]
    pub fn focus(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// What stands back: locked and unused values.
    #[must_use]
    pub fn dim(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// The name of the program, and the one value that matters on a screen.
    #[must_use]
    pub fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// Something is wrong.
    #[must_use]
    pub fn bad(self) -> Style {
        self.colored(Color::Red).add_modifier(Modifier::BOLD)
    }

    /// Something may go wrong.
    #[must_use]
    pub fn warning(self) -> Style {
        self.colored(Color::Yellow).add_modifier(Modifier::BOLD)
    }

    /// How a label of this tone is drawn.
    #[must_use]
    pub fn tone(self, tone: Tone) -> Style {
        match tone {
            Tone::Plain => Style::new(),
            Tone::Good => self.good().add_modifier(Modifier::BOLD),
            Tone::Warning => self.warning(),
            Tone::Bad => self.bad(),
        }
    }

    /// Something is done.
    #[must_use]
    pub fn good(self) -> Style {
        self.colored(Color::Green)
    }

    /// Something is under way.
    #[must_use]
    pub fn active(self) -> Style {
        self.colored(Color::Cyan)
    }

    /// What a QR code is drawn with, said in full: the terminal's own colors may be any. `None` where no colors are
    /// used.
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
