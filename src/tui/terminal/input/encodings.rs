//! What sequences of terminals mean: every encoding of every key that the program knows.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use vte::{Params, Parser, Perform};

use crate::tui::layout;

/// What a control sequence means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A key.
    Key(KeyEvent),
    /// The beginning of a paste.
    Paste,
    /// So many bytes belong to it.
    Skip(usize),
    /// Nothing here: a report, or a key that the program does not know.
    Nothing,
}

const NONE: KeyModifiers = KeyModifiers::NONE;

/// A character as it is typed.
pub(super) fn of_char(ch: char) -> KeyEvent {
    let modifiers = if ch.is_uppercase() {
        KeyModifiers::SHIFT
    } else {
        NONE
    };
    KeyEvent::new(KeyCode::Char(ch), modifiers)
}

/// A control character.
pub(super) fn of_control(byte: u8) -> Option<KeyEvent> {
    let ctrl = |letter: u8| KeyEvent::new(KeyCode::Char(letter.into()), KeyModifiers::CONTROL);
    Some(match byte {
        b'\r' => KeyCode::Enter.into(),
        b'\t' => KeyCode::Tab.into(),
        0x7f => KeyCode::Backspace.into(),
        0x00 => ctrl(b' '),
        0x01..=0x1a => ctrl(byte + 0x60),
        _ => return None,
    })
}

/// The same key with Alt. Alt+Tab is Shift+Tab on the Linux console.
pub(super) fn with_alt(mut key: KeyEvent) -> KeyEvent {
    if key.code == KeyCode::Tab {
        return KeyEvent::new(KeyCode::BackTab, KeyModifiers::SHIFT);
    }
    key.modifiers |= KeyModifiers::ALT;
    key
}

/// A key of the keypad or an arrow key in application mode: the byte after `ESC O` and its parameters.
pub(super) fn of_keypad(byte: u8) -> Option<KeyEvent> {
    Some(match byte {
        b'A' | b'B' | b'C' | b'D' | b'H' | b'F' => cursor(byte.into())?.into(),
        b'M' => KeyCode::Enter.into(),
        b'I' => KeyCode::Tab.into(),
        b'X' => of_char('='),
        b' ' => of_char(' '),
        // From the asterisk to the nine, moved by the same distance.
        b'j'..=b'y' => of_char(char::from(byte - b'j' + b'*')),
        _ => return None,
    })
}

fn cursor(action: char) -> Option<KeyCode> {
    Some(match action {
        'A' => KeyCode::Up,
        'B' => KeyCode::Down,
        'C' => KeyCode::Right,
        'D' => KeyCode::Left,
        'H' => KeyCode::Home,
        'F' => KeyCode::End,
        _ => return None,
    })
}

/// A key that is sent with a number and a tilde.
fn numbered(number: u16) -> Option<KeyCode> {
    Some(match number {
        1 | 7 => KeyCode::Home,
        3 => KeyCode::Delete,
        4 | 8 => KeyCode::End,
        5 => KeyCode::PageUp,
        6 => KeyCode::PageDown,
        _ => return None,
    })
}

/// A control sequence without private markers.
pub(super) fn of_sequence(params: &Params, action: char) -> Meaning {
    let params: Vec<&[u16]> = params.iter().collect();
    let first = |at: usize| params.get(at).and_then(|part| part.first()).copied();
    let number = first(0).unwrap_or(0);
    let pressed = |code: Option<KeyCode>, state: &[u16]| match (code, modifiers(state)) {
        (Some(code), Some(modifiers)) => Meaning::Key(KeyEvent::new(code, modifiers)),
        _ => Meaning::Nothing,
    };
    let state = params.get(1).copied().unwrap_or_default();
    match action {
        'A' | 'B' | 'C' | 'D' | 'H' | 'F' => pressed(cursor(action), state),
        'Z' => Meaning::Key(KeyEvent::new(KeyCode::BackTab, KeyModifiers::SHIFT)),
        // st sends Delete so; with parameters it is a function key.
        'P' if params.len() == 1 && number == 0 => Meaning::Key(KeyCode::Delete.into()),
        '~' if number == 200 => Meaning::Paste,
        // modifyOtherKeys of xterm.
        '~' if number == 27 => match (first(2), modifiers(state)) {
            (Some(code), Some(modifiers)) => of_code(&[code], modifiers),
            _ => Meaning::Nothing,
        },
        '~' => pressed(numbered(number), state),
        'u' => match (params.first(), modifiers(state)) {
            (Some(code), Some(modifiers)) => of_code(code, modifiers),
            _ => Meaning::Nothing,
        },
        // The Linux console's function keys, and the mouse of old.
        '[' => Meaning::Skip(1),
        'M' if params.len() == 1 && number == 0 => Meaning::Skip(3),
        _ => Meaning::Nothing,
    }
}

/// Modifiers as terminals number them, with the kind of event; `None` where a key was released.
fn modifiers(state: &[u16]) -> Option<KeyModifiers> {
    if state.get(1) == Some(&3) {
        return None;
    }
    let bits = state.first().map_or(0, |state| state.saturating_sub(1));
    let mut modifiers = NONE;
    for (bit, modifier) in [
        (1, KeyModifiers::SHIFT),
        (2, KeyModifiers::ALT),
        (4, KeyModifiers::CONTROL),
        (8, KeyModifiers::SUPER),
        (16, KeyModifiers::HYPER),
        (32, KeyModifiers::META),
    ] {
        if bits & bit != 0 {
            modifiers |= modifier;
        }
    }
    Some(modifiers)
}

/// A key by its Unicode code: of itself, with Shift, and at its place on a Latin keyboard.
fn of_code(code: &[u16], modifiers: KeyModifiers) -> Meaning {
    let part = |at: usize| {
        let code = code.get(at).copied().filter(|code| *code != 0)?;
        char::from_u32(code.into())
    };
    let Some(own) = part(0) else {
        return Meaning::Nothing;
    };
    let key = |code: KeyCode| Meaning::Key(KeyEvent::new(code, modifiers));
    match u32::from(own) {
        9 if modifiers.contains(KeyModifiers::SHIFT) => key(KeyCode::BackTab),
        9 => key(KeyCode::Tab),
        13 | 57_414 => key(KeyCode::Enter),
        27 => key(KeyCode::Esc),
        8 | 127 => key(KeyCode::Backspace),
        57_399..=57_408 => key(KeyCode::Char(digit(own))),
        57_409..=57_413 => {
            let signs = ['.', '/', '*', '-', '+'];
            let at = u32::from(own) - 57_409;
            let sign = usize::try_from(at).ok().and_then(|at| signs.get(at));
            sign.map_or(Meaning::Nothing, |sign| key(KeyCode::Char(*sign)))
        }
        57_415 => key(KeyCode::Char('=')),
        57_416 => key(KeyCode::Char(',')),
        57_417 => key(KeyCode::Left),
        57_418 => key(KeyCode::Right),
        57_419 => key(KeyCode::Up),
        57_420 => key(KeyCode::Down),
        57_421 => key(KeyCode::PageUp),
        57_422 => key(KeyCode::PageDown),
        57_423 => key(KeyCode::Home),
        57_424 => key(KeyCode::End),
        57_426 => key(KeyCode::Delete),
        // Keys without a character.
        0xe000..=0xf8ff => Meaning::Nothing,
        _ if own.is_control() => Meaning::Nothing,
        _ => {
            let shifted = modifiers.contains(KeyModifiers::SHIFT);
            let commands = modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
            let ch = match (part(1), part(2)) {
                // With Ctrl or Alt, what counts is the place on the keyboard.
                (_, Some(place)) if commands && !own.is_ascii() => place,
                (_, None) if commands => layout::latin(own).unwrap_or(own),
                (Some(upper), _) if shifted => upper,
                (None, _) if shifted => own.to_uppercase().next().unwrap_or(own),
                _ => own,
            };
            key(KeyCode::Char(ch))
        }
    }
}

fn digit(key: char) -> char {
    let value = u32::from(key).saturating_sub(57_399);
    char::from_digit(value, 10).unwrap_or('0')
}

/// Ctrl+C where a whole sequence is one of its encodings.
pub(super) fn ctrl_c(sequence: &[u8]) -> Option<KeyEvent> {
    #[derive(Default)]
    struct Last(Option<KeyEvent>);
    impl Perform for Last {
        fn csi_dispatch(
            &mut self,
            params: &Params,
            intermediates: &[u8],
            ignore: bool,
            action: char,
        ) {
            if !ignore
                && intermediates.is_empty()
                && let Meaning::Key(key) = of_sequence(params, action)
            {
                self.0 = Some(key);
            }
        }
    }
    let mut last = Last::default();
    <Parser>::default().advance(&mut last, sequence);
    last.0.filter(|key| {
        let letter = matches!(key.code, KeyCode::Char('c' | 'C'));
        letter && key.modifiers - KeyModifiers::SHIFT == KeyModifiers::CONTROL
    })
}
