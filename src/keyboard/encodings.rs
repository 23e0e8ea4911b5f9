//! The encodings of keys: what the sequences of terminals mean, for every key that the program knows.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::layout;
use super::records::{Record, Records};

/// The modifiers of a letter that came together with Esc: the key with Alt, or both keys one after the other. No encoding of
/// a key returns them.
pub const ALT_OR_ESC: KeyModifiers = KeyModifiers::ALT.union(KeyModifiers::META);

/// The meaning of a control sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// One key, or the text of an input method.
    Keys(Vec<KeyEvent>),
    /// The beginning of a paste.
    Paste,
    /// A key record of the Windows console.
    Record(Record),
    /// The number of characters after the sequence that belong to it.
    Skip(usize),
    /// Nothing: a report, or a key that the program doesn't know.
    Nothing,
}

const NONE: KeyModifiers = KeyModifiers::NONE;
/// The modifiers of `AltGr`, if a terminal reports it.
const ALT_GR: KeyModifiers = KeyModifiers::CONTROL.union(KeyModifiers::ALT);
/// Maximum number of keys that a record may stand for.
const REPEATS: u16 = 100;

/// Returns the key that types a character.
#[must_use]
pub fn of_char(ch: char) -> KeyEvent {
    let modifiers = if ch.is_uppercase() {
        KeyModifiers::SHIFT
    } else {
        NONE
    };
    KeyEvent::new(KeyCode::Char(ch), modifiers)
}

/// Returns the key of a control character.
#[must_use]
pub fn of_control(byte: u8) -> Option<KeyEvent> {
    let ctrl = |letter: u8| KeyEvent::new(KeyCode::Char(letter.into()), KeyModifiers::CONTROL);
    Some(match byte {
        b'\r' | b'\n' => KeyCode::Enter.into(),
        b'\t' => KeyCode::Tab.into(),
        0x7f => KeyCode::Backspace.into(),
        0x00 => ctrl(b' '),
        0x01..=0x1a => ctrl(byte + 0x60),
        0x1f => ctrl(b'_'),
        _ => return None,
    })
}

/// Returns the same key with Alt.
#[must_use]
pub fn with_alt(mut key: KeyEvent) -> KeyEvent {
    key.modifiers |= KeyModifiers::ALT;
    key
}

/// Returns the key that a terminal without an encoding for modifiers would send: with Ctrl, some characters are control
/// characters, and Ctrl and Alt change nothing in Enter, Tab and Esc.
#[must_use]
pub fn as_sent_plainly(mut key: KeyEvent) -> KeyEvent {
    match key.code {
        KeyCode::Char(ch) if key.modifiers - KeyModifiers::SHIFT == KeyModifiers::CONTROL => {
            let byte = match ch {
                '[' | '3' => return KeyCode::Esc.into(),
                'i' | 'I' => b'\t',
                'j' | 'J' | 'm' | 'M' => b'\r',
                '8' | '?' => 0x7f,
                '/' => 0x1f,
                _ => return key,
            };
            of_control(byte).unwrap_or(key)
        }
        KeyCode::Enter | KeyCode::Tab | KeyCode::BackTab | KeyCode::Esc => {
            key.modifiers -= ALT_GR;
            key
        }
        _ => key,
    }
}

/// Returns the key of the keypad, or the arrow key in application mode, whose code follows `ESC O`. The last parameter
/// contains the modifiers.
#[must_use]
pub fn of_keypad(params: &[u8], byte: u8) -> Option<KeyEvent> {
    let mut key = match byte {
        b'A' | b'B' | b'C' | b'D' | b'H' | b'F' => cursor(byte.into())?.into(),
        // Arrow keys with Ctrl in rxvt.
        b'a'..=b'd' => KeyEvent::new(
            cursor(byte.to_ascii_uppercase().into())?,
            KeyModifiers::CONTROL,
        ),
        b'M' => KeyCode::Enter.into(),
        b'I' => KeyCode::Tab.into(),
        // Esc in mintty.
        b'[' => KeyCode::Esc.into(),
        b'X' => of_char('='),
        b' ' => of_char(' '),
        // From the asterisk to the nine, all with the same offset.
        b'j'..=b'y' => of_char(char::from(byte - b'j' + b'*')),
        _ => return None,
    };
    let params = numbers(params)?;
    key.modifiers |= modifiers(params.last()?)?;
    Some(key)
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

/// Returns the key that is sent as a number and a tilde.
fn numbered(number: u32) -> Option<KeyCode> {
    Some(match number {
        1 | 7 => KeyCode::Home,
        3 => KeyCode::Delete,
        4 | 8 => KeyCode::End,
        5 => KeyCode::PageUp,
        6 => KeyCode::PageDown,
        _ => return None,
    })
}

/// Parses parameters and their subparameters; an empty one is 0. Returns `None` if they contain other characters.
fn numbers(params: &[u8]) -> Option<Vec<Vec<u32>>> {
    let params = std::str::from_utf8(params).ok()?;
    let number = |part: &str| {
        // `parse` would accept a plus sign.
        let digits = part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| match part {
            "" => 0,
            _ => part.parse().unwrap_or(u32::MAX),
        })
    };
    let parts = |param: &str| param.split(':').map(number).collect();
    params.split(';').map(parts).collect()
}

/// Returns the meaning of a control sequence, without its introducer.
#[must_use]
pub fn of_sequence(sequence: &[u8]) -> Meaning {
    let Some((action, params)) = sequence.split_last() else {
        return Meaning::Nothing;
    };
    // The function keys of the Linux console.
    if sequence == b"[" {
        return Meaning::Skip(1);
    }
    // With private markers or intermediate bytes the sequence is not a key.
    let Some(params) = numbers(params) else {
        return Meaning::Nothing;
    };
    let param = |at: usize| params.get(at).map(Vec::as_slice).unwrap_or_default();
    let first = |at: usize| param(at).first().copied().unwrap_or(0);
    let bare = params == [[0]];
    if *action == b'_' {
        return of_console([first(0), first(2), first(3), first(4), first(5)]);
    }
    // A release is ignored: the press was already reported.
    let Some(modifiers) = modifiers(param(1)) else {
        return Meaning::Nothing;
    };
    let key = |code: KeyCode| Meaning::Keys(vec![KeyEvent::new(code, modifiers)]);
    let found = match action {
        b'A' | b'B' | b'C' | b'D' | b'H' | b'F' => cursor(char::from(*action)).map(key),
        // Arrow keys with Shift in rxvt.
        b'a'..=b'd' if bare => cursor(char::from(action.to_ascii_uppercase()))
            .map(|code| Meaning::Keys(vec![KeyEvent::new(code, KeyModifiers::SHIFT)])),
        b'Z' => Some(Meaning::Keys(vec![back_tab()])),
        // st sends Delete as `CSI P`; with parameters it is a function key.
        b'P' if bare => Some(key(KeyCode::Delete)),
        b'~' if first(0) == 200 => (params.len() == 1).then_some(Meaning::Paste),
        // xterm's modifyOtherKeys.
        b'~' if first(0) == 27 => Some(match char::from_u32(first(2)) {
            // AltGr is Ctrl with Alt, and part of the character.
            Some(ch) if modifiers.contains(ALT_GR) && is_of_alt_gr(ch) => {
                Meaning::Keys(vec![of_char(ch)])
            }
            _ => of_code(param(2), modifiers, &[]),
        }),
        b'~' => numbered(first(0)).map(key),
        b'u' if has_caps_lock(param(1)) && param(2).is_empty() => {
            Some(in_capitals(of_code(param(0), modifiers, param(2))))
        }
        b'u' => Some(of_code(param(0), modifiers, param(2))),
        // Legacy mouse reports: a click, and highlight tracking, which asks the program about a selection.
        b'M' if bare => Some(Meaning::Skip(3)),
        b't' if bare => Some(Meaning::Skip(2)),
        b'T' if bare => Some(Meaning::Skip(6)),
        _ => None,
    };
    found.unwrap_or(Meaning::Nothing)
}

/// Returns the record of a console event as Windows Terminal sends it (win32-input-mode): the key, its character, whether
/// it is down, the modifiers, and how often it repeated.
fn of_console([key, unit, down, state, repeat]: [u32; 5]) -> Meaning {
    let mut modifiers = NONE;
    for (bits, modifier) in [
        (0x1 | 0x2, KeyModifiers::ALT),
        (0x4 | 0x8, KeyModifiers::CONTROL),
        (0x10, KeyModifiers::SHIFT),
    ] {
        modifiers.set(modifier, state & bits != 0);
    }
    let Ok(key) = u16::try_from(key) else {
        return Meaning::Nothing;
    };
    let is_letter = (u16::from(b'A')..=u16::from(b'Z')).contains(&key);
    let unit = match (u16::try_from(unit), char::from_u32(unit)) {
        // With Ctrl, the key counts, not its character.
        (Ok(32..), _) if is_letter && modifiers - KeyModifiers::SHIFT == KeyModifiers::CONTROL => 0,
        (Ok(unit), _) => unit,
        // Some terminals send a character that is not in UTF-16.
        (Err(_), Some(ch)) if down != 0 => return Meaning::Keys(vec![of_char(ch)]),
        (Err(_), _) => return Meaning::Nothing,
    };
    Meaning::Record(Record {
        down: down != 0,
        repeat: u16::try_from(repeat).unwrap_or(REPEATS).min(REPEATS),
        key,
        unit,
        modifiers,
        enhanced: state & 0x100 != 0,
    })
}

/// Returns the keys of a record of the Windows console.
pub fn of_record(records: &mut Records, record: &Record) -> Vec<KeyEvent> {
    let Some((key, count)) = records.feed(record) else {
        return Vec::new();
    };
    let commands = key.modifiers - KeyModifiers::SHIFT;
    let key = match key.code {
        // AltGr is Ctrl with Alt, and part of the character.
        KeyCode::Char(ch) if commands.is_empty() || commands == ALT_GR => of_char(ch),
        _ => key,
    };
    vec![key; count.into()]
}

/// Returns the key of a control sequence without a final byte: rxvt sends keys with Shift this way, such as `CSI 7 $`.
#[must_use]
pub fn of_cut_off(sequence: &[u8]) -> Option<KeyEvent> {
    let params = numbers(sequence.strip_suffix(b"$")?)?;
    let [param] = params.as_slice() else {
        return None;
    };
    let code = numbered(*param.first()?)?;
    Some(KeyEvent::new(code, KeyModifiers::SHIFT))
}

/// Returns Shift+Tab.
#[must_use]
pub fn back_tab() -> KeyEvent {
    KeyEvent::new(KeyCode::BackTab, KeyModifiers::SHIFT)
}

/// Decodes the modifiers and the event type of a key; `None` if the key was released.
fn modifiers(state: &[u32]) -> Option<KeyModifiers> {
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
    if modifiers.contains(ALT_OR_ESC) {
        modifiers -= KeyModifiers::META;
    }
    Some(modifiers)
}

/// Returns whether `AltGr` types this character. With a letter or a digit, Ctrl and Alt are a command.
fn is_of_alt_gr(ch: char) -> bool {
    !ch.is_ascii_alphanumeric() && !ch.is_control() && ch != ' '
}

/// Returns whether Caps Lock is on, according to the modifiers of a key.
fn has_caps_lock(state: &[u32]) -> bool {
    let bits = state.first().map_or(0, |state| state.saturating_sub(1));
    bits & 64 != 0
}

/// Returns the keys as Caps Lock changes them. Text that a terminal reports is already changed.
fn in_capitals(meaning: Meaning) -> Meaning {
    match meaning {
        Meaning::Keys(keys) => Meaning::Keys(keys.into_iter().map(in_capital).collect()),
        other => other,
    }
}

fn in_capital(key: KeyEvent) -> KeyEvent {
    let KeyCode::Char(ch) = key.code else {
        return key;
    };
    if !(key.modifiers - KeyModifiers::SHIFT).is_empty() {
        return key;
    }
    let mut other: Vec<char> = if ch.is_lowercase() {
        ch.to_uppercase().collect()
    } else {
        ch.to_lowercase().collect()
    };
    match (other.pop(), other.is_empty()) {
        (Some(other), true) => KeyEvent::new(KeyCode::Char(other), key.modifiers),
        _ => key,
    }
}

/// Returns the key with this Unicode code (of the key itself, with Shift, and at its position on a Latin keyboard), or
/// the text that it types.
fn of_code(code: &[u32], modifiers: KeyModifiers, text: &[u32]) -> Meaning {
    let part = |at: usize| {
        let code = code.get(at).copied().filter(|code| *code != 0)?;
        char::from_u32(code)
    };
    let key = |code: KeyCode| Meaning::Keys(vec![KeyEvent::new(code, modifiers)]);
    let own = code.first().copied().unwrap_or(0);
    match functional(own) {
        Some(KeyCode::Tab) if modifiers.contains(KeyModifiers::SHIFT) => {
            return key(KeyCode::BackTab);
        }
        Some(code) => return key(code),
        None => {}
    }
    let text = text.iter().filter_map(|code| char::from_u32(*code));
    let text: Vec<char> = text.filter(|ch| !ch.is_control()).collect();
    if !text.is_empty() && (modifiers - KeyModifiers::SHIFT).is_empty() {
        return Meaning::Keys(text.into_iter().map(of_char).collect());
    }
    // Ctrl with a letter, sent as the control character that they type.
    if let Some(control) = u8::try_from(own).ok().filter(|own| matches!(own, 1..=0x1f)) {
        let key = of_control(control).filter(|_| modifiers == KeyModifiers::CONTROL);
        return key.map_or(Meaning::Nothing, |key| Meaning::Keys(vec![key]));
    }
    // Other keys without a character have codes in the private use area.
    let Some(own) =
        part(0).filter(|own| !own.is_control() && !matches!(own, '\u{e000}'..='\u{f8ff}'))
    else {
        return Meaning::Nothing;
    };
    let shifted = modifiers.contains(KeyModifiers::SHIFT);
    let commands = modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
    let ch = match (part(1), part(2)) {
        // The undo key, if the terminal doesn't report the character with Shift.
        _ if own == '-' && shifted && modifiers.contains(KeyModifiers::CONTROL) => '_',
        // With Ctrl or Alt, the position on the keyboard counts.
        (_, Some(place)) if commands && !own.is_ascii() => place,
        (_, None) if commands => layout::latin(own).unwrap_or(own),
        (Some(upper), _) if shifted => upper,
        (None, _) if shifted => own.to_uppercase().next().unwrap_or(own),
        _ => own,
    };
    key(KeyCode::Char(ch))
}

/// Returns the key that has a number instead of a character, in the order of the kitty protocol: from 57344 the editing
/// keys, and from 57399 the keypad.
fn functional(code: u32) -> Option<KeyCode> {
    use KeyCode::{
        Backspace, Char, Delete, Down, End, Enter, Esc, Home, Insert, Left, PageDown, PageUp,
        Right, Tab, Up,
    };
    const BLOCK: [KeyCode; 14] = [
        Esc, Enter, Tab, Backspace, Insert, Delete, Left, Right, Up, Down, PageUp, PageDown, Home,
        End,
    ];
    const KEYPAD: &str = "0123456789./*-+\r=,";
    const REST: [KeyCode; 10] = [
        Left, Right, Up, Down, PageUp, PageDown, Home, End, Insert, Delete,
    ];
    let from = |first: u32| usize::try_from(code.checked_sub(first)?).ok();
    match code {
        8 | 127 => Some(Backspace),
        9 => Some(Tab),
        13 => Some(Enter),
        27 => Some(Esc),
        57_344..57_358 => BLOCK.get(from(57_344)?).copied(),
        57_399..57_417 => match KEYPAD.chars().nth(from(57_399)?)? {
            '\r' => Some(Enter),
            sign => Some(Char(sign)),
        },
        57_417..57_427 => REST.get(from(57_417)?).copied(),
        _ => None,
    }
}

/// Returns Ctrl+C if the whole sequence is one of its encodings.
pub fn ctrl_c(sequence: &[u8]) -> Option<KeyEvent> {
    let keys = match of_sequence(sequence.strip_prefix(b"\x1b[")?) {
        Meaning::Keys(keys) => keys,
        Meaning::Record(record) => of_record(&mut Records::default(), &record),
        _ => return None,
    };
    keys.into_iter().find(is_ctrl_c)
}

/// Returns whether the whole sequence types nothing: a release, a modifier, or a report.
pub fn is_silent(sequence: &[u8]) -> bool {
    match sequence.strip_prefix(b"\x1b[").map(of_sequence) {
        // Half of a character types nothing yet.
        Some(Meaning::Record(record)) => {
            let is_half = (0xd800..=0xdfff).contains(&record.unit);
            !is_half && of_record(&mut Records::default(), &record).is_empty()
        }
        Some(Meaning::Nothing) => true,
        _ => false,
    }
}

/// Returns whether the key is Ctrl+C.
#[must_use]
pub fn is_ctrl_c(key: &KeyEvent) -> bool {
    let letter = matches!(key.code, KeyCode::Char('c' | 'C'));
    letter && key.modifiers - KeyModifiers::SHIFT == KeyModifiers::CONTROL
}
