//! Finds the escape sequences of a terminal in text.

use zeroize::Zeroizing;

const ESC: char = '\u{1b}';

/// Returns the text, which may be a secret, without the escape sequences of a terminal, such as those of colors and links.
/// If a string at the end of the text isn't complete, only its beginning is removed: the rest may be part of the value.
#[must_use]
pub fn without_escapes(text: &str) -> Zeroizing<String> {
    // Growing it would leave copies behind.
    let mut out = Zeroizing::new(String::with_capacity(text.len()));
    let mut escapes = Escapes::default();
    // Where the content of the string begins.
    let mut content = None;
    for (at, ch) in text.char_indices() {
        if !escapes.takes(ch) {
            out.push(ch);
        }
        content = match escapes.state {
            Escape::String => content.or(Some(at + ch.len_utf8())),
            _ => None,
        };
    }
    out.push_str(content.map_or("", |content| &text[content..]));
    out
}

/// Finds the escape sequences in text, character by character.
#[derive(Debug, Default)]
pub struct Escapes {
    state: Escape,
    /// Whether a terminal sends the text, so that it may contain keys and the mouse.
    from_terminal: bool,
}

/// Where in a sequence the next character is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Escape {
    /// Not in a sequence.
    #[default]
    None,
    /// After an Esc.
    Begun,
    /// After an Esc and other characters, before the last one.
    Middle,
    /// In a control sequence, after its beginning or after a parameter.
    Control {
        /// Whether it has no parameter yet.
        is_empty: bool,
    },
    /// In the sequence of a keypad key.
    Keypad,
    /// This number of characters before the end.
    Skip(u8),
    /// In a string, such as a title or a link.
    String,
}

impl Escapes {
    /// Starts with text that a terminal sends.
    #[must_use]
    pub fn of_terminal() -> Self {
        Self {
            from_terminal: true,
            ..Self::default()
        }
    }

    /// Returns where the next character is.
    #[must_use]
    pub fn state(&self) -> Escape {
        self.state
    }

    /// Ends the sequence, which was not completed.
    pub fn reset(&mut self) {
        self.state = Escape::None;
    }

    /// Returns whether the next character is part of a sequence. Any other character ends an incomplete one.
    pub fn takes(&mut self, ch: char) -> bool {
        let (state, takes) = match (self.state, ch) {
            (_, ESC) => (Escape::Begun, true),
            (Escape::Skip(left), _) if left > 1 => (Escape::Skip(left - 1), true),
            (Escape::Skip(_), _) | (Escape::String, '\u{7}' | '\u{9c}') => (Escape::None, true),
            (Escape::String, _)
            | (Escape::Begun, ']' | 'P' | 'X' | '^' | '_')
            | (_, '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}') => (Escape::String, true),
            (Escape::Begun, '[') | (_, '\u{9b}') => (Escape::Control { is_empty: true }, true),
            (Escape::Begun, 'O') | (_, '\u{8f}') | (Escape::Keypad, '0'..=';') => {
                (Escape::Keypad, true)
            }
            (Escape::Begun | Escape::Middle, ' '..='/') => (Escape::Middle, true),
            (Escape::Begun | Escape::Middle, '0'..='~') => (Escape::None, true),
            // F1 to F5 of the Linux console, and the oldest report of the mouse.
            (Escape::Control { is_empty: true }, '[') if self.from_terminal => {
                (Escape::Skip(1), true)
            }
            (Escape::Control { is_empty: true }, 'M') if self.from_terminal => {
                (Escape::Skip(3), true)
            }
            (Escape::Control { .. }, ' '..='?') => (Escape::Control { is_empty: false }, true),
            (Escape::Control { .. }, '@'..='~') | (Escape::Keypad, ' '..='~') => {
                (Escape::None, true)
            }
            (
                Escape::None
                | Escape::Begun
                | Escape::Middle
                | Escape::Control { .. }
                | Escape::Keypad,
                _,
            ) => (Escape::None, false),
        };
        self.state = state;
        takes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_escape_sequences_are_removed_from_text() {
        for (text, rest) in [
            ("plain", "plain"),
            ("\u{1b}[1ms3cret\u{1b}[0m", "s3cret"),
            ("\u{1b}[38;2;1;2;3mred\u{1b}[m", "red"),
            ("\u{1b}[4:3mred\u{1b}[K\u{1b}(B\u{1b}[m", "red"),
            ("a\u{1b}[?25l\u{1b}[2 qb\u{1b}7\u{1b}c", "ab"),
            ("\u{1b}]8;;http://x/\u{1b}\\text\u{1b}]8;;\u{1b}\\", "text"),
            ("\u{1b}]8;;http://x/\u{7}te\u{1b}]8;;\u{7}xt", "text"),
            ("\u{1b}P1$r0m\u{1b}\\a\u{1b}_x\u{9c}b", "ab"),
            ("\u{9b}31mred\u{9b}0m", "red"),
            // Incomplete sequences.
            ("a\u{1b}", "a"),
            ("a\u{1b}[31", "a"),
            ("a\u{1b}[31\nb", "a\nb"),
            ("a\u{1b}é", "aé"),
            ("\u{1b}]not a title\nb", "not a title\nb"),
            // Lines are deleted; there is no mouse in a text.
            ("\u{1b}[Mabc\u{1b}[Lx", "abcx"),
        ] {
            assert_eq!(without_escapes(text).as_str(), rest, "{text:?}");
        }
    }
}
