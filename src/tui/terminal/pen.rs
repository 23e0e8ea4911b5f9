//! The style that a terminal writes with, and the shortest sequence that changes it.

use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};

/// The style that a terminal writes with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pen {
    front: Color,
    back: Color,
    modifier: Modifier,
}

impl Default for Pen {
    fn default() -> Self {
        Self {
            front: Color::Reset,
            back: Color::Reset,
            modifier: Modifier::empty(),
        }
    }
}

/// Modifiers, with the codes that set and clear each. The same code clears bold and dim.
const MODIFIERS: [(Modifier, u8, u8); 9] = [
    (Modifier::BOLD, 1, 22),
    (Modifier::DIM, 2, 22),
    (Modifier::ITALIC, 3, 23),
    (Modifier::UNDERLINED, 4, 24),
    (Modifier::SLOW_BLINK, 5, 25),
    (Modifier::RAPID_BLINK, 6, 25),
    (Modifier::REVERSED, 7, 27),
    (Modifier::HIDDEN, 8, 28),
    (Modifier::CROSSED_OUT, 9, 29),
];

/// The modifiers that are visible on a blank.
const SEEN: Modifier = Modifier::UNDERLINED
    .union(Modifier::REVERSED)
    .union(Modifier::CROSSED_OUT);

impl Pen {
    /// Returns the style of a cell.
    pub(super) fn of(cell: &Cell) -> Self {
        Self {
            front: cell.fg,
            back: cell.bg,
            modifier: cell.modifier,
        }
    }

    /// Returns whether a blank in this style looks like one in the default style.
    pub(super) fn is_unseen(self) -> bool {
        self.back == Color::Reset && !self.modifier.intersects(SEEN)
    }

    /// Returns whether a cell written in this style looks as it should.
    pub(super) fn fits(self, cell: &Cell) -> bool {
        let wanted = Self::of(cell);
        self == wanted || (cell.symbol() == " " && self.is_unseen() && wanted.is_unseen())
    }

    /// Appends the sequence that changes this style into another.
    pub(super) fn change(self, to: Self, bytes: &mut Vec<u8>) {
        if self == to {
            return;
        }
        // Not all terminals can clear a single modifier, so a full reset is used if it is as short.
        let (afresh, step) = (Self::default().codes(to), self.codes(to));
        let sequence = match afresh.as_str() {
            "" => "\x1b[m".to_owned(),
            codes if codes.len() + 2 <= step.len() => format!("\x1b[0;{codes}m"),
            _ => format!("\x1b[{step}m"),
        };
        bytes.extend(sequence.into_bytes());
    }

    /// Returns the codes to set and clear to change this style into another.
    fn codes(self, to: Self) -> String {
        let mut codes: Vec<String> = Vec::new();
        let mut kept = self.modifier;
        for (modifier, _, off) in MODIFIERS {
            if kept.contains(modifier) && !to.modifier.contains(modifier) {
                codes.push(off.to_string());
                for (other, _, code) in MODIFIERS {
                    if code == off {
                        kept.remove(other);
                    }
                }
            }
        }
        for (modifier, on, _) in MODIFIERS {
            if to.modifier.contains(modifier) && !kept.contains(modifier) {
                codes.push(on.to_string());
            }
        }
        if self.front != to.front {
            codes.push(color_code(to.front, 30));
        }
        if self.back != to.back {
            codes.push(color_code(to.back, 40));
        }
        codes.join(";")
    }
}

/// Returns the code of a color; `base` is the code of black. Bright colors use the indexed form, which more terminals
/// support.
fn color_code(color: Color, base: u8) -> String {
    let dark = |number: u8| (base + number).to_string();
    let numbered = |number: u8| format!("{};5;{number}", base + 8);
    match color {
        Color::Reset => dark(9),
        Color::Black => dark(0),
        Color::Red => dark(1),
        Color::Green => dark(2),
        Color::Yellow => dark(3),
        Color::Blue => dark(4),
        Color::Magenta => dark(5),
        Color::Cyan => dark(6),
        Color::Gray => dark(7),
        Color::DarkGray => numbered(8),
        Color::LightRed => numbered(9),
        Color::LightGreen => numbered(10),
        Color::LightYellow => numbered(11),
        Color::LightBlue => numbered(12),
        Color::LightMagenta => numbered(13),
        Color::LightCyan => numbered(14),
        Color::White => numbered(15),
        Color::Indexed(number) => numbered(number),
        Color::Rgb(red, green, blue) => format!("{};2;{red};{green};{blue}", base + 8),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pen(modifier: Modifier, front: Color) -> Pen {
        Pen {
            front,
            modifier,
            ..Pen::default()
        }
    }

    #[test]
    fn style_changes_use_short_sequences() {
        let (plain, bold) = (Pen::default(), pen(Modifier::BOLD, Color::Reset));
        let reversed = pen(Modifier::REVERSED, Color::Reset);
        let both = pen(Modifier::BOLD | Modifier::REVERSED, Color::Reset);
        let bad = pen(Modifier::BOLD, Color::Red);
        for (from, to, expected) in [
            (plain, plain, ""),
            (plain, bold, "\x1b[1m"),
            (bold, plain, "\x1b[m"),
            (reversed, both, "\x1b[1m"),
            (both, reversed, "\x1b[22m"),
            (bold, pen(Modifier::DIM, Color::Reset), "\x1b[0;2m"),
            (bold, reversed, "\x1b[0;7m"),
            (bold, bad, "\x1b[31m"),
            (bad, bold, "\x1b[39m"),
            (bad, pen(Modifier::empty(), Color::White), "\x1b[0;38;5;15m"),
        ] {
            let mut bytes = Vec::new();
            from.change(to, &mut bytes);
            assert_eq!(String::from_utf8_lossy(&bytes), expected, "{from:?} {to:?}");
        }
    }

    #[test]
    fn blanks_fit_styles_that_are_invisible_on_them() {
        let blank = Cell::default();
        assert!(pen(Modifier::BOLD, Color::Red).fits(&blank));
        assert!(!pen(Modifier::REVERSED, Color::Reset).fits(&blank));
        assert!(!pen(Modifier::BOLD, Color::Reset).fits(&Cell::new("a")));
    }
}
