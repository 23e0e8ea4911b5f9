//! Joins keys that arrive in a burst into a paste, if the terminal doesn't mark pastes. Nobody types that fast. Enter
//! and Tab in a burst don't act as keys, so that a paste starts nothing.
//!
//! Keys without text (Tabs, up to two Enters, a single letter) are keys however fast they arrive, because a slow line
//! sends them together. Once the terminal has marked a paste, it marks all of them, and every key is a key. mosh sends the
//! keys of up to 250 ms together, so through mosh a few letters are keys as well.
//!
//! The joiner reads no clock: times come with the keys.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Keys closer together than this are a burst. A held key repeats at 30 ms or slower.
const BURST: Duration = Duration::from_millis(25);
/// Maximum number of Enters without text that count as typed if they arrive together. More are blank lines.
const ENTERS: usize = 2;
/// Maximum number of letters that count as typed if they arrive together through mosh.
const TYPED_THROUGH_MOSH: usize = 8;
/// Maximum number of keys kept of a paste. The rest is dropped.
const LIMIT: usize = 64 * 1024;

/// A key, or a paste made of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Joined {
    /// A key press.
    Key(KeyEvent),
    /// Pasted text.
    Paste(String),
}

/// Joins keys that arrive in a burst.
#[derive(Debug, Default)]
pub struct Joiner {
    /// Whether the terminal marks pastes.
    marked: bool,
    /// Whether the keys come through mosh.
    mosh: bool,
    /// Keys that may turn out to be a burst.
    held: Vec<KeyEvent>,
    /// Whether a character was already typed in this burst.
    typed: bool,
    /// Whether the focus was on a text field when the last key arrived.
    typing: bool,
    /// When the last key arrived that may be text.
    text_at: Option<Duration>,
}

/// The role of a key in a paste.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Char(char),
    Enter,
    Tab,
    Other,
}

fn kind(event: &KeyEvent) -> Kind {
    let modifiers = event.modifiers - KeyModifiers::SHIFT;
    match event.code {
        KeyCode::Enter => Kind::Enter,
        KeyCode::Tab => Kind::Tab,
        // A line feed arrives as Ctrl+J.
        KeyCode::Char('j' | 'm') if modifiers == KeyModifiers::CONTROL => Kind::Enter,
        KeyCode::Char(ch)
            if modifiers.is_empty() || modifiers == KeyModifiers::CONTROL | KeyModifiers::ALT =>
        {
            Kind::Char(ch)
        }
        _ => Kind::Other,
    }
}

fn text(events: &[KeyEvent]) -> String {
    let part = |event| match kind(event) {
        Kind::Char(ch) => Some(ch),
        Kind::Enter => Some('\n'),
        Kind::Tab => Some('\t'),
        Kind::Other => None,
    };
    events.iter().filter_map(part).collect()
}

impl Joiner {
    /// Records that the terminal has marked a paste. Returns the keys before it.
    pub fn saw_paste(&mut self) -> Vec<Joined> {
        self.marked = true;
        self.release()
    }

    /// Sets whether the keys come through mosh.
    pub fn through_mosh(&mut self, mosh: bool) {
        self.mosh = mosh;
    }

    /// Processes a key that arrived at `at`. `typing` says whether the focus is on a text field.
    pub fn feed(&mut self, event: KeyEvent, at: Duration, typing: bool) -> Vec<Joined> {
        let mut out = self.expire(at);
        // Through mosh a letter doesn't show whether more keys come with it, so it is held as well.
        let typing = typing && !self.mosh;
        self.typing = typing;
        let kind = kind(&event);
        if self.marked || kind == Kind::Other {
            out.append(&mut self.release());
            self.text_at = None;
            out.push(Joined::Key(event));
            return out;
        }
        let before = self.text_at.replace(at);
        self.typed &= before.is_some_and(|before| at.saturating_sub(before) <= BURST);
        match (typing, kind) {
            // Tab only moves the focus, and the next keys may be for the new item.
            (false, Kind::Tab) if self.held.is_empty() => out.push(Joined::Key(event)),
            (true, Kind::Char(_)) => {
                // An Enter or a Tab just before was part of this text.
                self.held.clear();
                self.typed = true;
                out.push(Joined::Key(event));
            }
            // Part of the text just before.
            (true, _) if self.typed => self.held.clear(),
            _ => {
                if self.held.len() < LIMIT {
                    self.held.push(event);
                }
            }
        }
        out
    }

    /// Returns the held keys, as single keys or as a paste.
    fn release(&mut self) -> Vec<Joined> {
        let held = std::mem::take(&mut self.held);
        let count = |wanted: fn(Kind) -> bool| held.iter().filter(|key| wanted(kind(key))).count();
        let letters = count(|kind| matches!(kind, Kind::Char(_)));
        let enters = count(|kind| kind == Kind::Enter);
        let few = if self.mosh { TYPED_THROUGH_MOSH } else { 1 };
        if letters <= few && enters <= few || letters == 0 && enters <= ENTERS {
            return held.into_iter().map(Joined::Key).collect();
        }
        // Enter and Tab without text mean nothing to a text field.
        if letters == 0 && self.typing {
            return Vec::new();
        }
        vec![Joined::Paste(text(&held))]
    }

    /// Returns the time after which [`Self::expire`] has something to do.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        let held = self.text_at.filter(|_| !self.held.is_empty());
        held.map(|at| at + BURST)
    }

    /// Returns the input that is complete because nothing has followed until `at`.
    pub fn expire(&mut self, at: Duration) -> Vec<Joined> {
        match self.text_at {
            Some(text_at) if at > text_at + BURST => self.release(),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: KeyModifiers = KeyModifiers::NONE;

    /// Feeds the characters of `input` as keys, `gap` milliseconds apart, and then waits a second.
    fn join(input: &str, gap: u64, typing: bool) -> Vec<Joined> {
        let mut joiner = Joiner::default();
        let mut at = 1000;
        let mut out = Vec::new();
        for ch in input.chars() {
            let event = match ch {
                '\r' => KeyEvent::new(KeyCode::Enter, NONE),
                '\n' => KeyEvent::new(KeyCode::Char('j'), KeyModifiers::CONTROL),
                '\t' => KeyEvent::new(KeyCode::Tab, NONE),
                ch => KeyEvent::new(KeyCode::Char(ch), NONE),
            };
            out.append(&mut joiner.feed(event, Duration::from_millis(at), typing));
            at += gap;
        }
        out.append(&mut joiner.expire(Duration::from_millis(at + 1000)));
        assert_eq!(joiner.deadline(), None);
        out
    }

    fn keys(joined: &[Joined]) -> Vec<KeyCode> {
        joined
            .iter()
            .map(|one| match one {
                Joined::Key(event) => event.code,
                Joined::Paste(_) => KeyCode::Null,
            })
            .collect()
    }

    #[test]
    fn textless_keys_and_marked_pastes_are_not_joined() {
        for typing in [true, false] {
            for (input, expected) in [
                ("\t\r", &[KeyCode::Tab, KeyCode::Enter][..]),
                ("\r\r", &[KeyCode::Enter; 2]),
                ("\r\t\r", &[KeyCode::Enter, KeyCode::Tab, KeyCode::Enter]),
            ] {
                assert_eq!(keys(&join(input, 0, typing)), expected, "{input:?}");
            }
            let mut joiner = Joiner::default();
            let enter = KeyEvent::new(KeyCode::Enter, NONE);
            assert_eq!(joiner.feed(enter, Duration::ZERO, typing), []);
            // A key just before a paste comes before it.
            assert_eq!(joiner.saw_paste(), [Joined::Key(enter)]);
            for code in [
                KeyCode::Tab,
                KeyCode::Char('c'),
                KeyCode::Char('i'),
                KeyCode::Enter,
            ] {
                let event = KeyEvent::new(code, NONE);
                assert_eq!(
                    joiner.feed(event, Duration::ZERO, typing),
                    [Joined::Key(event)]
                );
            }
            assert_eq!(joiner.deadline(), None);
        }
        assert_eq!(
            keys(&join("\tc", 0, false)),
            [KeyCode::Tab, KeyCode::Char('c')]
        );
    }

    #[test]
    fn burst_of_keys_is_text_without_enters_and_tabs() {
        for gap in [0, 1, 5] {
            let typed = join("http://x/\r?code=a\tb\r", gap, true);
            let text: String = typed
                .iter()
                .filter_map(|one| match one {
                    Joined::Key(KeyEvent {
                        code: KeyCode::Char(ch),
                        ..
                    }) => Some(*ch),
                    _ => None,
                })
                .collect();
            assert_eq!((text.as_str(), typed.len()), ("http://x/?code=ab", 17));
            assert_eq!(
                join("ab\rc", gap, false),
                [Joined::Paste("ab\nc".to_owned())]
            );
            for newline in ["\r", "\n"] {
                assert_eq!(join(&newline.repeat(50), gap, true), []);
                assert_eq!(
                    join(&newline.repeat(50), gap, false),
                    [Joined::Paste("\n".repeat(50))]
                );
            }
        }
    }

    #[test]
    fn single_keys_are_not_joined() {
        for typing in [true, false] {
            assert_eq!(keys(&join("\r", 0, typing)), [KeyCode::Enter]);
            assert_eq!(
                keys(&join("ab\r", 60, typing)),
                [KeyCode::Char('a'), KeyCode::Char('b'), KeyCode::Enter]
            );
        }
    }

    #[test]
    fn a_held_tab_on_a_slow_line_still_moves() {
        for typing in [true, false] {
            assert_eq!(keys(&join("\t\t\t", 0, typing)), [KeyCode::Tab; 3]);
        }
    }

    #[test]
    fn only_long_bursts_through_mosh_are_a_paste() {
        for typing in [true, false] {
            let join = |input: &str| {
                let mut joiner = Joiner::default();
                joiner.through_mosh(true);
                let at = Duration::from_secs(1);
                let mut out = Vec::new();
                for ch in input.chars() {
                    let code = match ch {
                        '\r' => KeyCode::Enter,
                        '\t' => KeyCode::Tab,
                        ch => KeyCode::Char(ch),
                    };
                    out.extend(joiner.feed(KeyEvent::new(code, NONE), at, typing));
                }
                out.extend(joiner.expire(at + Duration::from_secs(1)));
                out
            };
            let [c, i, d] = ['c', 'i', 'd'].map(KeyCode::Char);
            assert_eq!(
                keys(&join("\tcid\r")),
                [KeyCode::Tab, c, i, d, KeyCode::Enter]
            );
            assert_eq!(keys(&join("d\r\tc")), [d, KeyCode::Enter, KeyCode::Tab, c]);
            assert_eq!(
                join("a-client-id\r"),
                [Joined::Paste("a-client-id\n".to_owned())]
            );
        }
    }

    #[test]
    fn text_after_tab_goes_to_the_next_field() {
        let mut joiner = Joiner::default();
        let mut feed =
            |code, typing| joiner.feed(KeyEvent::new(code, NONE), Duration::ZERO, typing);
        assert_eq!(keys(&feed(KeyCode::Tab, false)), [KeyCode::Tab]);
        for ch in ['c', 'i', 'd'] {
            assert_eq!(keys(&feed(KeyCode::Char(ch), true)), [KeyCode::Char(ch)]);
        }
        // A paste may end with an Enter.
        assert_eq!(feed(KeyCode::Enter, true), []);
        assert_eq!(join("a\tb", 0, false), [Joined::Paste("a\tb".to_owned())]);
    }

    #[test]
    fn typed_keys_are_passed_on_immediately() {
        let mut joiner = Joiner::default();
        let event = KeyEvent::new(KeyCode::Char('a'), NONE);
        assert_eq!(
            joiner.feed(event, Duration::from_secs(1), true),
            [Joined::Key(event)]
        );
        assert_eq!(joiner.deadline(), None);
        // A control key is never text.
        let leave = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(
            joiner.feed(leave, Duration::from_secs(1), false),
            [Joined::Key(leave)]
        );
    }
}
