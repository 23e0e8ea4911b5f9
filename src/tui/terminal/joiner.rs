//! Joins key events that belong together: escape sequences that a slow line has split, and pastes that arrive
//! as single key presses.
//!
//! - A lone Esc counts only when nothing follows for a moment. What follows may be the rest of an arrow key or
//!   of a bracketed paste.
//! - Keys that arrive in a burst are text: no person types so fast. Enter and Tab among them are dropped, so
//!   that a paste starts nothing. A burst of Tabs alone is a held key on a slow line, and moves.
//!
//! Knows no clock: times come with the keys.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// After this an Esc is one, and an unfinished sequence is none.
const ESCAPE: Duration = Duration::from_millis(100);
/// Keys closer together than this are a burst. A held key repeats at 30 ms or slower.
const BURST: Duration = Duration::from_millis(25);
/// A split paste whose end got lost is over after this.
const PASTE_END: Duration = Duration::from_millis(500);
/// Of a paste in single keys no more is kept.
const LIMIT: usize = 64 * 1024;

/// What the keys come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Joined {
    /// A key press.
    Key(KeyEvent),
    /// Pasted text.
    Paste(String),
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Ground,
    /// An Esc, and what has followed it so far.
    Escape(String),
    /// Within a bracketed paste that was split.
    Paste(String),
}

/// Joins keys.
#[derive(Debug, Default)]
pub struct Joiner {
    state: State,
    /// When the last key of `state` came.
    state_at: Duration,
    /// Keys that may turn out to be a burst.
    held: Vec<KeyEvent>,
    /// When the last key that may be text came.
    text_at: Option<Duration>,
}

/// A key as part of a paste.
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
    /// Takes a key that came at `at`. `typing` is true where the focus takes text.
    pub fn feed(&mut self, event: KeyEvent, at: Duration, typing: bool) -> Vec<Joined> {
        let mut out = self.expire(at);
        let escape = event.code == KeyCode::Esc && event.modifiers.is_empty();
        match std::mem::take(&mut self.state) {
            State::Ground if escape => {
                out.append(&mut self.release());
                self.escape(String::new(), at);
            }
            State::Ground => out.append(&mut self.plain(event, at, typing)),
            // The last of several counts.
            State::Escape(_) if escape => self.escape(String::new(), at),
            State::Escape(mut sequence) => match kind(&event) {
                Kind::Char(ch) if !sequence.is_empty() || matches!(ch, '[' | 'O') => {
                    sequence.push(ch);
                    out.append(&mut self.sequence(sequence, at));
                }
                // Not a sequence: the Esc was not alone, the key is itself.
                Kind::Char(_) | Kind::Enter | Kind::Tab | Kind::Other => {
                    out.append(&mut self.plain(event, at, typing));
                }
            },
            State::Paste(mut pasted) => {
                // What is no text belongs to no paste, and does not keep an unfinished one waiting: who goes on
                // pressing Ctrl+C is heard.
                if escape || kind(&event) != Kind::Other {
                    self.state_at = at;
                }
                if escape {
                    pasted.push('\x1b');
                } else if pasted.len() < LIMIT {
                    pasted.push_str(&text(&[event]));
                }
                match pasted.strip_suffix("\x1b[201~") {
                    Some(whole) => out.push(Joined::Paste(whole.to_owned())),
                    None => self.state = State::Paste(pasted),
                }
            }
        }
        out
    }

    fn escape(&mut self, sequence: String, at: Duration) {
        self.state = State::Escape(sequence);
        self.state_at = at;
    }

    /// Goes on with a sequence, or takes it where it is whole. One that means nothing here is dropped.
    fn sequence(&mut self, sequence: String, at: Duration) -> Vec<Joined> {
        let last = sequence.chars().last().unwrap_or_default();
        // The Linux console sends F1 to F5 as `[[A` to `[[E`.
        if sequence.len() < 2
            || sequence == "[["
            || (sequence.starts_with('[') && !('@'..='~').contains(&last) && sequence.len() < 16)
        {
            self.escape(sequence, at);
            return Vec::new();
        }
        if sequence == "[200~" {
            self.state = State::Paste(String::new());
            self.state_at = at;
            return Vec::new();
        }
        if sequence.starts_with("[[") {
            return Vec::new();
        }
        let code = match (
            last,
            sequence
                .trim_start_matches(['[', 'O'])
                .trim_end_matches(last),
        ) {
            ('A', _) => KeyCode::Up,
            ('B', _) => KeyCode::Down,
            ('C', _) => KeyCode::Right,
            ('D', _) => KeyCode::Left,
            ('H', _) | ('~', "1" | "7") => KeyCode::Home,
            ('F', _) | ('~', "4" | "8") => KeyCode::End,
            ('Z', _) => KeyCode::BackTab,
            ('~', "3") => KeyCode::Delete,
            ('~', "5") => KeyCode::PageUp,
            ('~', "6") => KeyCode::PageDown,
            _ => return Vec::new(),
        };
        vec![Joined::Key(KeyEvent::new(code, KeyModifiers::NONE))]
    }

    fn plain(&mut self, event: KeyEvent, at: Duration, typing: bool) -> Vec<Joined> {
        let kind = kind(&event);
        if kind == Kind::Other {
            let mut out = self.release();
            self.text_at = None;
            out.push(Joined::Key(event));
            return out;
        }
        let near = self
            .text_at
            .replace(at)
            .is_some_and(|before| at.saturating_sub(before) <= BURST);
        match (typing, kind) {
            (true, Kind::Char(_)) => {
                // An Enter or a Tab just before was a part of this text.
                self.held.clear();
                vec![Joined::Key(event)]
            }
            (true, Kind::Tab)
                if near
                    && self.held.iter().all(|held| held.code == KeyCode::Tab)
                    && !self.held.is_empty() =>
            {
                let out = self.release();
                self.held.push(event);
                out
            }
            (true, _) if near => {
                self.held.clear();
                Vec::new()
            }
            _ => {
                if self.held.len() < LIMIT {
                    self.held.push(event);
                }
                Vec::new()
            }
        }
    }

    /// The keys that were held, as what they are now known to be.
    fn release(&mut self) -> Vec<Joined> {
        let held = std::mem::take(&mut self.held);
        let tabs = held.iter().all(|event| event.code == KeyCode::Tab);
        if held.len() < 2 || tabs {
            return held.into_iter().map(Joined::Key).collect();
        }
        vec![Joined::Paste(text(&held))]
    }

    /// When [`Self::expire`] has something to do.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        let state = match self.state {
            State::Ground => None,
            State::Escape(_) => Some(self.state_at + ESCAPE),
            State::Paste(_) => Some(self.state_at + PASTE_END),
        };
        let held = self
            .text_at
            .filter(|_| !self.held.is_empty())
            .map(|at| at + BURST);
        [state, held].into_iter().flatten().min()
    }

    /// What is settled because nothing has followed until `at`.
    pub fn expire(&mut self, at: Duration) -> Vec<Joined> {
        let mut out = Vec::new();
        if self.text_at.is_some_and(|text_at| at > text_at + BURST) {
            out.append(&mut self.release());
        }
        match std::mem::take(&mut self.state) {
            State::Escape(sequence) if at > self.state_at + ESCAPE => {
                // An unfinished sequence is dropped: its letters were not typed.
                if sequence.is_empty() {
                    out.push(Joined::Key(KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE)));
                }
            }
            State::Paste(pasted) if at > self.state_at + PASTE_END => {
                out.push(Joined::Paste(pasted));
            }
            state => self.state = state,
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: KeyModifiers = KeyModifiers::NONE;

    /// Feeds the bytes of `input` as keys, `gap` milliseconds apart, and waits a second.
    fn join(input: &str, gap: u64, typing: bool) -> Vec<Joined> {
        let mut joiner = Joiner::default();
        let mut at = 1000;
        let mut out = Vec::new();
        for ch in input.chars() {
            let event = match ch {
                '\x1b' => KeyEvent::new(KeyCode::Esc, NONE),
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
    fn a_split_arrow_key_is_an_arrow_key() {
        for typing in [true, false] {
            for (input, code) in [
                ("\x1b[A", KeyCode::Up),
                ("\x1bOB", KeyCode::Down),
                ("\x1b[1;5C", KeyCode::Right),
                ("\x1b[3~", KeyCode::Delete),
                ("\x1b[Z", KeyCode::BackTab),
            ] {
                assert_eq!(keys(&join(input, 20, typing)), [code], "{input:?}");
            }
            assert_eq!(
                keys(&join("\x1b[A\x1b[B\x1b[A", 20, typing)),
                [KeyCode::Up, KeyCode::Down, KeyCode::Up]
            );
        }
    }

    #[test]
    fn a_lone_escape_counts_after_a_moment_and_a_broken_sequence_never() {
        assert_eq!(keys(&join("\x1b", 0, false)), [KeyCode::Esc]);
        assert_eq!(keys(&join("\x1b\x1b", 10, false)), [KeyCode::Esc]);
        assert_eq!(
            keys(&join("\x1b\x1b", 200, false)),
            [KeyCode::Esc, KeyCode::Esc]
        );
        assert_eq!(keys(&join("\x1b[", 20, false)), []);
        assert_eq!(keys(&join("\x1b[99~", 20, false)), []);
        assert_eq!(keys(&join("\x1b[[A", 20, false)), []);
    }

    #[test]
    fn a_split_bracketed_paste_is_one_paste() {
        for typing in [true, false] {
            let joined = join("\x1b[200~code=a\rb\tc\x1b[201~", 20, typing);
            assert_eq!(joined, [Joined::Paste("code=a\nb\tc".to_owned())]);
            // Its end got lost.
            assert_eq!(
                join("\x1b[200~abc", 20, typing),
                [Joined::Paste("abc".to_owned())]
            );
        }
    }

    #[test]
    fn who_goes_on_leaving_is_heard_after_a_paste_whose_end_got_lost() {
        let mut joiner = Joiner::default();
        for (at, ch) in (0..).zip("[200~abc".chars()) {
            if at == 0 {
                let escape = KeyEvent::new(KeyCode::Esc, NONE);
                joiner.feed(escape, Duration::ZERO, true);
            }
            let event = KeyEvent::new(KeyCode::Char(ch), NONE);
            joiner.feed(event, Duration::from_millis(at), true);
        }
        let leave = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        let heard = (1..=9).find_map(|press| {
            let out = joiner.feed(leave, Duration::from_millis(10 + press * 60), true);
            out.contains(&Joined::Key(leave)).then_some(out)
        });
        let paste = Joined::Paste("abc".to_owned());
        assert_eq!(heard, Some(vec![paste, Joined::Key(leave)]));
    }

    #[test]
    fn a_burst_is_text_and_its_enters_and_tabs_are_dropped() {
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
    fn single_keys_are_themselves() {
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
    fn what_is_typed_is_answered_at_once() {
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
