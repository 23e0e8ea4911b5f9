//! Decodes the key records of the Windows console into keys. Windows Terminal can send the same records as sequences.
//!
//! The console has one record for the press of a key and one for its release. Characters that the keyboard doesn't
//! have, such as `~` on many, arrive as Alt codes: Alt is pressed, digits of the keypad follow, and the release of Alt
//! contains the character. The console pastes such characters that way. crossterm reports this release like that of any
//! other key, so this module reads the records itself.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// The virtual-key codes of Windows.
mod virtual_key {
    pub(super) const BACK: u16 = 0x08;
    pub(super) const TAB: u16 = 0x09;
    pub(super) const CLEAR: u16 = 0x0c;
    pub(super) const RETURN: u16 = 0x0d;
    pub(super) const MENU: u16 = 0x12;
    pub(super) const ESCAPE: u16 = 0x1b;
    pub(super) const PRIOR: u16 = 0x21;
    pub(super) const NEXT: u16 = 0x22;
    pub(super) const END: u16 = 0x23;
    pub(super) const HOME: u16 = 0x24;
    pub(super) const LEFT: u16 = 0x25;
    pub(super) const UP: u16 = 0x26;
    pub(super) const RIGHT: u16 = 0x27;
    pub(super) const DOWN: u16 = 0x28;
    pub(super) const INSERT: u16 = 0x2d;
    pub(super) const DELETE: u16 = 0x2e;
    pub(super) const A: u16 = 0x41;
    pub(super) const Z: u16 = 0x5a;
    pub(super) const NUMPAD0: u16 = 0x60;
    pub(super) const NUMPAD9: u16 = 0x69;
}

/// The keys of the keypad without Num Lock, from 0 to 9.
const KEYPAD: [u16; 10] = [
    virtual_key::INSERT,
    virtual_key::END,
    virtual_key::DOWN,
    virtual_key::NEXT,
    virtual_key::LEFT,
    virtual_key::CLEAR,
    virtual_key::RIGHT,
    virtual_key::HOME,
    virtual_key::UP,
    virtual_key::PRIOR,
];

/// A key record of the console (`KEY_EVENT_RECORD`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// Whether the key was pressed, not released.
    pub down: bool,
    /// How often the key repeated while it was held and the program was late.
    pub repeat: u16,
    /// The virtual-key code.
    pub key: u16,
    /// The UTF-16 unit that the key types; 0 for none.
    pub unit: u16,
    /// The modifiers that are pressed.
    pub modifiers: KeyModifiers,
    /// Whether the key is outside the keypad, if the keypad has the same key.
    pub enhanced: bool,
}

/// Decodes key records.
#[derive(Debug, Default)]
pub struct Records {
    /// The first half of a surrogate pair, which has two records.
    high: Option<u16>,
}

impl Records {
    /// Returns the key of a record, and how often it was pressed; `None` if the record is not a key.
    pub fn feed(&mut self, record: &Record) -> Option<(KeyEvent, u16)> {
        let code = if record.down {
            self.pressed(record)?
        } else if record.key == virtual_key::MENU && record.unit != 0 {
            // An Alt code is a character, whatever other keys are pressed.
            let code = KeyCode::Char(self.character(record.unit)?);
            return Some((KeyEvent::new(code, KeyModifiers::NONE), 1));
        } else {
            return None;
        };
        Some((KeyEvent::new(code, record.modifiers), record.repeat.max(1)))
    }

    fn pressed(&mut self, record: &Record) -> Option<KeyCode> {
        let Record { key, modifiers, .. } = *record;
        let digit = (virtual_key::NUMPAD0..=virtual_key::NUMPAD9).contains(&key);
        let keypad = digit || KEYPAD.contains(&key) && !record.enhanced;
        if keypad && modifiers == KeyModifiers::ALT {
            // Part of an Alt code.
            return None;
        }
        let code = match key {
            virtual_key::BACK => KeyCode::Backspace,
            virtual_key::TAB if modifiers.contains(KeyModifiers::SHIFT) => KeyCode::BackTab,
            virtual_key::TAB => KeyCode::Tab,
            virtual_key::RETURN => KeyCode::Enter,
            virtual_key::ESCAPE => KeyCode::Esc,
            virtual_key::PRIOR => KeyCode::PageUp,
            virtual_key::NEXT => KeyCode::PageDown,
            virtual_key::END => KeyCode::End,
            virtual_key::HOME => KeyCode::Home,
            virtual_key::LEFT => KeyCode::Left,
            virtual_key::UP => KeyCode::Up,
            virtual_key::RIGHT => KeyCode::Right,
            virtual_key::DOWN => KeyCode::Down,
            virtual_key::INSERT => KeyCode::Insert,
            virtual_key::DELETE => KeyCode::Delete,
            _ => KeyCode::Char(match with_ctrl(record) {
                Some(letter) => letter,
                None => self.character(record.unit)?,
            }),
        };
        Some(code)
    }

    /// Returns the character that this unit completes.
    fn character(&mut self, unit: u16) -> Option<char> {
        let before = if unit == 0 { None } else { self.high.take() };
        let ch = match unit {
            0xd800..=0xdbff => {
                self.high = Some(unit);
                return None;
            }
            0xdc00..=0xdfff => char::decode_utf16([before?, unit]).next()?.ok()?,
            _ => char::from_u32(u32::from(unit))?,
        };
        (!ch.is_control()).then_some(ch)
    }
}

/// Returns the letter or sign of a key that is pressed with Ctrl. Such a key types a control character, or nothing.
fn with_ctrl(record: &Record) -> Option<char> {
    let letter = |offset| Some(char::from(b'a' + u8::try_from(offset).ok()?));
    let letter = match (record.unit, record.key) {
        (1..=26, _) => letter(record.unit - 1)?,
        (27, _) => '[',
        (31, _) => '_',
        (0, virtual_key::A..=virtual_key::Z) => letter(record.key - virtual_key::A)?,
        _ => return None,
    };
    let with_ctrl = record.modifiers - KeyModifiers::SHIFT == KeyModifiers::CONTROL;
    with_ctrl.then_some(letter)
}

#[cfg(test)]
#[allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails on anything unexpected"
)]
mod tests {
    use super::*;

    const NONE: KeyModifiers = KeyModifiers::NONE;
    const ALT: KeyModifiers = KeyModifiers::ALT;
    const CTRL: KeyModifiers = KeyModifiers::CONTROL;
    const SHIFT: KeyModifiers = KeyModifiers::SHIFT;

    fn record(down: bool, key: u16, unit: u16, modifiers: KeyModifiers) -> Record {
        Record {
            down,
            repeat: 1,
            key,
            unit,
            modifiers,
            enhanced: false,
        }
    }

    /// Returns the records of a key that is pressed and released.
    fn stroke(key: u16, unit: u16, modifiers: KeyModifiers) -> [Record; 2] {
        [true, false].map(|down| record(down, key, unit, modifiers))
    }

    /// Returns the records of a character that the keyboard doesn't have, as the console pastes it; `digits` is its
    /// code in the code page.
    fn alt_code(unit: u16, digits: &str) -> Vec<Record> {
        let mut records = vec![record(true, virtual_key::MENU, 0, ALT)];
        for digit in digits.bytes() {
            let key = virtual_key::NUMPAD0 + u16::from(digit - b'0');
            records.extend(stroke(key, 0, ALT));
        }
        records.push(record(false, virtual_key::MENU, unit, NONE));
        records
    }

    fn feed(records: &[Record]) -> Vec<KeyEvent> {
        let mut decoder = Records::default();
        records
            .iter()
            .filter_map(|record| decoder.feed(record).map(|(key, _)| key))
            .collect()
    }

    fn typed(records: &[Record]) -> String {
        let keys = feed(records).into_iter();
        keys.map(|key| match key.code {
            KeyCode::Char(ch) if key.modifiers - SHIFT == NONE => ch,
            code => panic!("{code:?} with {:?} is no text", key.modifiers),
        })
        .collect()
    }

    #[test]
    fn alt_codes_and_surrogate_pairs_are_typed() {
        let mut records = stroke(0x41, u16::from(b'A'), SHIFT).to_vec();
        records.extend(alt_code(u16::from(b'~'), "126"));
        records.extend(stroke(0x42, u16::from(b'B'), SHIFT));
        // Not in the code page, so without digits.
        records.extend(alt_code(0x20ac, ""));
        records.extend(stroke(0x43, u16::from(b'C'), SHIFT));
        records.extend(alt_code(0x00fc, "129"));
        // As a surrogate pair, each half an Alt code or a key without a code.
        let mut halves = [0; 2];
        '😀'.encode_utf16(&mut halves);
        records.extend(halves.into_iter().flat_map(|half| alt_code(half, "")));
        records.extend(halves.into_iter().flat_map(|half| stroke(0, half, NONE)));
        assert_eq!(typed(&records), "A~B€Cü😀😀");
        // Typed by hand on a keypad without Num Lock.
        let mut by_hand = vec![record(true, virtual_key::MENU, 0, ALT)];
        by_hand.extend(KEYPAD.into_iter().flat_map(|key| stroke(key, 0, ALT)));
        by_hand.push(record(false, virtual_key::MENU, u16::from(b'@'), SHIFT));
        assert_eq!(typed(&by_hand), "@");
    }

    #[test]
    fn key_releases_are_ignored_except_for_alt_codes() {
        for key in 0..=0xff {
            for unit in [0, 0x0d, u16::from(b'a'), u16::from(b'~')] {
                for modifiers in [NONE, SHIFT, CTRL, ALT, CTRL | ALT] {
                    if key != virtual_key::MENU || unit == 0 {
                        assert_eq!(feed(&[record(false, key, unit, modifiers)]), []);
                    }
                }
            }
        }
        // An Alt code never acts as a control key.
        for unit in [0x03, 0x08, 0x09, 0x0d, 0x1b, 0x7f, 0xdc00] {
            assert_eq!(feed(&alt_code(unit, "")), []);
        }
        // Half of a surrogate pair that is never completed.
        let records = [
            stroke(0, 0xd83d, NONE),
            stroke(0x41, u16::from(b'a'), NONE),
            stroke(0, 0xde00, NONE),
        ];
        assert_eq!(typed(records.as_flattened()), "a");
    }

    #[test]
    fn records_map_to_keys_with_modifiers() {
        let at_sign = u16::from(b'@');
        for (key, unit, modifiers, expected) in [
            (virtual_key::BACK, 8, NONE, Some(KeyCode::Backspace)),
            (virtual_key::TAB, 9, NONE, Some(KeyCode::Tab)),
            (virtual_key::TAB, 9, SHIFT, Some(KeyCode::BackTab)),
            (virtual_key::RETURN, 13, NONE, Some(KeyCode::Enter)),
            (virtual_key::ESCAPE, 27, NONE, Some(KeyCode::Esc)),
            (virtual_key::LEFT, 0, CTRL, Some(KeyCode::Left)),
            (virtual_key::HOME, 0, NONE, Some(KeyCode::Home)),
            (virtual_key::NUMPAD0, 0x30, NONE, Some(KeyCode::Char('0'))),
            // Typed with AltGr, and sent by another program.
            (0x51, at_sign, CTRL | ALT, Some(KeyCode::Char('@'))),
            (0xe7, at_sign, NONE, Some(KeyCode::Char('@'))),
            // The letter of the key, whatever character the key types.
            (0x43, 3, CTRL, Some(KeyCode::Char('c'))),
            (0x43, 3, CTRL | SHIFT, Some(KeyCode::Char('c'))),
            (0x4c, 0, CTRL, Some(KeyCode::Char('l'))),
            (0xbd, 0x1f, CTRL | SHIFT, Some(KeyCode::Char('_'))),
            (0xdb, 0x1b, CTRL, Some(KeyCode::Char('['))),
            (0x41, 0x61, ALT, Some(KeyCode::Char('a'))),
            // Keys that type nothing, such as Ctrl+Alt+C or a volume key.
            (0x43, 0, CTRL | ALT, None),
            (0xaf, 0, NONE, None),
            (0x10, 0, SHIFT, None),
            (virtual_key::MENU, 0, ALT, None),
            (0x32, 0, CTRL, None),
        ] {
            let keys = feed(&stroke(key, unit, modifiers));
            let expected = expected.map(|code| KeyEvent::new(code, modifiers));
            assert_eq!(keys, Vec::from_iter(expected), "{key:#x} {unit:#x}");
        }
        // The arrow keys outside the keypad are not digits of an Alt code.
        let mut up = record(true, virtual_key::UP, 0, ALT);
        up.enhanced = true;
        assert_eq!(feed(&[up]), [KeyEvent::new(KeyCode::Up, ALT)]);
    }

    #[test]
    fn held_key_counts_its_repeats() {
        let mut held = record(true, virtual_key::BACK, 8, NONE);
        let mut count = |repeat| {
            held.repeat = repeat;
            Records::default().feed(&held).unwrap().1
        };
        assert_eq!((count(0), count(1), count(7)), (1, 1, 7));
    }
}
