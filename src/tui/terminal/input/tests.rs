//! What terminals send, and what it comes to: whole, byte by byte at 300 baud, and split at every place.

#![allow(clippy::unwrap_used, reason = "a test ends on what it did not expect")]

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use proptest::prelude::*;

use super::decoder::{Decoder, Input};

/// The time of a byte at 300 baud.
const BYTE: Duration = Duration::from_millis(34);

/// Sequences, and what they come to. A paste is in quotes; nothing is an empty text.
const CASES: &[(&str, &str)] = &[
    // Characters.
    ("a", "a"),
    ("Q", "Shift+Q"),
    (" ", "Space"),
    ("~", "~"),
    ("é", "é"),
    ("日", "日"),
    ("👍", "👍"),
    ("ab", "a b"),
    // Control characters.
    ("\r", "Enter"),
    ("\n", "Ctrl+j"),
    ("\t", "Tab"),
    ("\x7f", "Backspace"),
    ("\x08", "Ctrl+h"),
    ("\x01", "Ctrl+a"),
    ("\x03", "Ctrl+c"),
    ("\x0c", "Ctrl+l"),
    ("\x15", "Ctrl+u"),
    ("\x1a", "Ctrl+z"),
    ("\0", "Ctrl+Space"),
    // Esc, and with Alt.
    ("\x1b", "Esc"),
    ("\x1b\x1b", "Esc"),
    ("\x1ba", "Alt+a"),
    ("\x1b1", "Alt+1"),
    ("\x1b\t", "Shift+BackTab"),
    ("\x1b\r", "Alt+Enter"),
    ("\x1b\x7f", "Alt+Backspace"),
    ("\x1b\x1b[A", "Up"),
    // Arrows and the like, as terminals send them by default.
    ("\x1b[A", "Up"),
    ("\x1b[B", "Down"),
    ("\x1b[C", "Right"),
    ("\x1b[D", "Left"),
    ("\x1b[H", "Home"),
    ("\x1b[F", "End"),
    ("\x1b[1~", "Home"),
    ("\x1b[3~", "Delete"),
    ("\x1b[4~", "End"),
    ("\x1b[5~", "PageUp"),
    ("\x1b[6~", "PageDown"),
    ("\x1b[7~", "Home"),
    ("\x1b[8~", "End"),
    ("\x1b[Z", "Shift+BackTab"),
    ("\x1b[P", "Delete"),
    // In application mode, and of the keypad.
    ("\x1bOA", "Up"),
    ("\x1bOB", "Down"),
    ("\x1bOC", "Right"),
    ("\x1bOD", "Left"),
    ("\x1bOH", "Home"),
    ("\x1bOF", "End"),
    ("\x1bOM", "Enter"),
    ("\x1bOI", "Tab"),
    ("\x1bOX", "="),
    ("\x1bO ", "Space"),
    ("\x1bOj", "*"),
    ("\x1bOk", "+"),
    ("\x1bOl", ","),
    ("\x1bOm", "-"),
    ("\x1bOn", "."),
    ("\x1bOo", "/"),
    ("\x1bOp", "0"),
    ("\x1bOq", "1"),
    ("\x1bOr", "2"),
    ("\x1bOs", "3"),
    ("\x1bOt", "4"),
    ("\x1bOu", "5"),
    ("\x1bOv", "6"),
    ("\x1bOw", "7"),
    ("\x1bOx", "8"),
    ("\x1bOy", "9"),
    ("\x1bO5A", "Up"),
    // With modifiers.
    ("\x1b[1;2A", "Shift+Up"),
    ("\x1b[1;5C", "Ctrl+Right"),
    ("\x1b[1;3D", "Alt+Left"),
    ("\x1b[1;2H", "Shift+Home"),
    ("\x1b[3;5~", "Ctrl+Delete"),
    ("\x1b[5;2~", "Shift+PageUp"),
    ("\x1b[1;1:1A", "Up"),
    ("\x1b[1;1:2A", "Up"),
    ("\x1b[1;1:3A", ""),
    ("\x1b[1;129A", "Up"),
    // modifyOtherKeys.
    ("\x1b[27;5;99~", "Ctrl+c"),
    ("\x1b[27;5;108~", "Ctrl+l"),
    ("\x1b[27;6;67~", "Ctrl+Shift+C"),
    ("\x1b[27;2;9~", "Shift+BackTab"),
    ("\x1b[27;5;13~", "Ctrl+Enter"),
    ("\x1b[27;2;65~", "Shift+A"),
    ("\x1b[27;5;1089~", "Ctrl+c"),
    ("\x1b[27;5;127~", "Ctrl+Backspace"),
    // The keyboard protocol of kitty.
    ("\x1b[99;5u", "Ctrl+c"),
    ("\x1b[67;5u", "Ctrl+C"),
    ("\x1b[99;6u", "Ctrl+Shift+c"),
    ("\x1b[1089;5u", "Ctrl+c"),
    ("\x1b[1089::99;5u", "Ctrl+c"),
    ("\x1b[1057;6u", "Ctrl+Shift+c"),
    ("\x1b[97u", "a"),
    ("\x1b[97;1u", "a"),
    ("\x1b[97;2u", "Shift+A"),
    ("\x1b[97:65;2u", "Shift+A"),
    ("\x1b[55:47:55;2u", "Shift+/"),
    ("\x1b[1092u", "ф"),
    ("\x1b[1092::97u", "ф"),
    ("\x1b[9u", "Tab"),
    ("\x1b[9;2u", "Shift+BackTab"),
    ("\x1b[13u", "Enter"),
    ("\x1b[27u", "Esc"),
    ("\x1b[127u", "Backspace"),
    ("\x1b[127;5u", "Ctrl+Backspace"),
    ("\x1b[32u", "Space"),
    ("\x1b[99;5:1u", "Ctrl+c"),
    ("\x1b[99;5:2u", "Ctrl+c"),
    ("\x1b[99;5:3u", ""),
    ("\x1b[99;133u", "Ctrl+c"),
    ("\x1b[57400u", "1"),
    ("\x1b[57408u", "9"),
    ("\x1b[57409u", "."),
    ("\x1b[57413u", "+"),
    ("\x1b[57414u", "Enter"),
    ("\x1b[57415u", "="),
    ("\x1b[57417u", "Left"),
    ("\x1b[57423u", "Home"),
    ("\x1b[57426u", "Delete"),
    ("\x1b[57441;2u", ""),
    ("\x1b[57364u", ""),
    // Keys that the program does not know.
    ("\x1bOP", ""),
    ("\x1bOS", ""),
    ("\x1b[11~", ""),
    ("\x1b[15;5~", ""),
    ("\x1b[24~", ""),
    ("\x1b[2~", ""),
    ("\x1b[1;5P", ""),
    ("\x1b[E", ""),
    ("\x1b[[A", ""),
    ("\x1b[[E", ""),
    ("\x1b[7^", ""),
    ("\x1b[3$", ""),
    ("\x1b[a", ""),
    // Answers and reports.
    ("\x1b[?2026;2$y", ""),
    ("\x1b[?997;1n", ""),
    ("\x1b[?1;2c", ""),
    ("\x1b[?62;22;52c", ""),
    ("\x1b[>0;276;0c", ""),
    ("\x1b[>41;354;0c", ""),
    ("\x1b[=1;2c", ""),
    ("\x1b[<0;5;7M", ""),
    ("\x1b[<0;5;7m", ""),
    ("\x1b[M !!", ""),
    ("\x1b[32;5;7M", ""),
    ("\x1b[I", ""),
    ("\x1b[O", ""),
    ("\x1b[24;80R", ""),
    ("\x1b[?24;80R", ""),
    ("\x1b[0n", ""),
    ("\x1b[8;24;80t", ""),
    ("\x1b[4;600;800t", ""),
    ("\x1b[?1u", ""),
    ("\x1b[?0u", ""),
    ("\x1b[?12;2$y", ""),
    ("\x1b[4;1$y", ""),
    ("\x1b[1;1;1;128;128;1;0x", ""),
    ("\x1b[?c", ""),
    ("\x1b[12;34;56!~", ""),
    ("\x1b[ q", ""),
    ("\x1b]11;rgb:1e1e/2c2c/3434\x1b\\", ""),
    ("\x1b]11;rgb:ffff/ffff/ffff\x07", ""),
    ("\x1b]10;rgb:1c1c/2e2e/3434\x1b\\", ""),
    ("\x1b]4;1;rgb:cccc/0000/0000\x1b\\", ""),
    ("\x1b]52;c;c2VjcmV0\x07", ""),
    ("\x1b]0;a title\x07", ""),
    ("\x1b]l a label\x1b\\", ""),
    ("\x1b]L an icon\x1b\\", ""),
    ("\x1b]\x07", ""),
    ("\x1bP>|tmux 3.4\x1b\\", ""),
    ("\x1bP1+r544e=787465726d\x1b\\", ""),
    ("\x1bP0+r\x1b\\", ""),
    ("\x1bP!|00000000\x1b\\", ""),
    ("\x1bP1$r0m\x1b\\", ""),
    ("\x1b_Gi=31;OK\x1b\\", ""),
    ("\x1b_application\x07", ""),
    ("\x1b^private\x1b\\", ""),
    ("\x1bXstring\x1b\\", ""),
    ("\x1b(B", ""),
    ("\x1b)0", ""),
    ("\x1b%G", ""),
    ("\x1b\\", ""),
    // What follows one is heard.
    ("\x1b[?2026;2$yq", "q"),
    ("\x1b]11;rgb:1e1e/2c2c/3434\x1b\\\t", "Tab"),
    ("\x1b]0;title\x1b[A", "Up"),
    ("\x1b[12\x1b[B", "Down"),
    ("\x1bO\x1b[B", "Down"),
    ("\x1b[[\x1b[B", "Down"),
    ("\x1b[12\x18q", "Ctrl+x q"),
    // Ctrl+C, after whatever is unfinished.
    ("\x1b[\x03", "Ctrl+c"),
    ("\x1b[?2026;2\x03", "Ctrl+c"),
    ("\x1b]11;rgb:1e1e\x03", "Ctrl+c"),
    ("\x1bP>|tmux\x03", "Ctrl+c"),
    ("\x1b_apc\x03", "Ctrl+c"),
    ("\x1b[M\x03", "Ctrl+c"),
    ("\x1bO\x03", "Ctrl+c"),
    ("\x1b\x03", "Ctrl+c"),
    ("\x1b]11;rgb:1e1e\x1b[99;5u", "Ctrl+c"),
    ("\x1bP>|tmux\x1b[27;5;99~", "Ctrl+c"),
    ("\x1b[200~hello\x03", "'hello' Ctrl+c"),
    ("\x1b[200~hello\x1b[99;5u", "'hello' Ctrl+c"),
    ("\x1b[200~hello\x1b[27;5;99~", "'hello' Ctrl+c"),
    ("\x1b[200~hello\x1b[1089;5u", "'hello' Ctrl+c"),
    // Pastes.
    ("\x1b[200~hello\x1b[201~", "'hello'"),
    ("\x1b[200~\x1b[201~", "''"),
    ("\x1b[200~a\rb\tc\x1b[201~", "'a\rb\tc'"),
    ("\x1b[200~日本\x1b[201~", "'日本'"),
    ("\x1b[200~a\x1b[Ab\x1b[201~", "'a\x1b[Ab'"),
    ("\x1b[200~a\x1b\x1b[201~", "'a\x1b'"),
    ("\x1b[200~a\x1b[20\x1b[201~", "'a\x1b[20'"),
    ("\x1b[200~a\x1b[201~q", "'a' q"),
    ("\x1b[200~hello", "'hello'"),
    ("\x1b[200~hello\x1b", "'hello\x1b'"),
    ("\x1b[201~", ""),
    // Unfinished.
    ("\x1b[", ""),
    ("\x1bO", ""),
    ("\x1b[1;5", ""),
    ("\x1b]11;rgb", ""),
    ("\x1bP", ""),
    ("\x1b(", ""),
    ("\x1b[M!", ""),
];

fn name(key: &KeyEvent) -> String {
    let mut name = String::new();
    for (modifier, word) in [
        (KeyModifiers::CONTROL, "Ctrl+"),
        (KeyModifiers::ALT, "Alt+"),
        (KeyModifiers::SHIFT, "Shift+"),
    ] {
        if key.modifiers.contains(modifier) {
            name += word;
        }
    }
    match key.code {
        KeyCode::Char(' ') => name + "Space",
        KeyCode::Char(ch) => format!("{name}{ch}"),
        code => format!("{name}{code:?}"),
    }
}

fn names(inputs: &[Input]) -> String {
    let name = |input: &Input| match input {
        Input::Key(key) => name(key),
        Input::Paste(text) => format!("'{text}'"),
    };
    inputs.iter().map(name).collect::<Vec<_>>().join(" ")
}

/// What parts come to that arrive `gap` apart, with a long pause at the end.
fn decode(parts: &[&[u8]], gap: Duration) -> String {
    let mut decoder = Decoder::default();
    let mut at = Duration::from_secs(1);
    let mut inputs = Vec::new();
    for part in parts {
        inputs.extend(decoder.feed(part, at));
        at += gap;
    }
    inputs.extend(decoder.expire(at + Duration::from_secs(5)));
    assert_eq!(decoder.deadline(), None);
    names(&inputs)
}

#[test]
fn every_sequence_comes_to_the_same_however_it_is_split() {
    assert!(CASES.len() >= 150, "{}", CASES.len());
    for (sequence, expected) in CASES {
        let bytes = sequence.as_bytes();
        assert_eq!(decode(&[bytes], BYTE), *expected, "{sequence:?}");
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(decode(&single, BYTE), *expected, "{sequence:?} by bytes");
        for at in 1..bytes.len() {
            let (head, tail) = bytes.split_at(at);
            assert_eq!(
                decode(&[head, tail], BYTE),
                *expected,
                "{sequence:?} at {at}"
            );
        }
    }
}

#[test]
fn a_key_is_heard_after_every_sequence_and_a_pause() {
    for (sequence, expected) in CASES {
        let mut decoder = Decoder::default();
        let mut inputs = decoder.feed(sequence.as_bytes(), Duration::ZERO);
        inputs.extend(decoder.feed(b"q", Duration::from_secs(2)));
        let heard = format!("{expected} q");
        assert_eq!(names(&inputs), heard.trim_start(), "{sequence:?}");
    }
}

#[test]
fn what_never_ends_is_dropped_until_a_pause() {
    let long = "\x1b[".to_owned() + &"1;".repeat(1000) + "trace";
    assert_eq!(decode(&[long.as_bytes()], BYTE), "");
    let title = "\x1b]0;".to_owned() + &"r".repeat(1_000_000);
    assert_eq!(decode(&[title.as_bytes()], BYTE), "");
    let mut decoder = Decoder::default();
    decoder.feed(title.as_bytes(), Duration::ZERO);
    assert_eq!(names(&decoder.feed(b"\x03", Duration::ZERO)), "Ctrl+c");
    // A paste keeps what it has room for.
    let paste = "\x1b[200~".to_owned() + &"x".repeat(3_000_000) + "\x1b[201~";
    assert_eq!(decode(&[paste.as_bytes()], BYTE).len(), 1024 * 1024 + 2);
}

proptest! {
    /// Whatever came before it, however it was split: Ctrl+C is heard, and nothing is left unfinished for long.
    #[test]
    fn ctrl_c_is_heard_after_any_bytes(
        parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..8),
        sequence in prop::sample::select(CASES),
        gap in 0..400u64,
    ) {
        let mut decoder = Decoder::default();
        let mut at = Duration::ZERO;
        for part in &parts {
            decoder.feed(part, at);
            at += Duration::from_millis(gap);
        }
        decoder.feed(sequence.0.as_bytes(), at);
        let heard = names(&decoder.feed(b"\x03", at));
        prop_assert!(heard.ends_with("Ctrl+c"), "{heard}");
        prop_assert_eq!(decoder.deadline(), None);
        prop_assert_eq!(names(&decoder.feed(b"q", at)), "q");
    }

    /// Letters within a sequence are no keys: whatever a terminal says in a string, nothing is pressed.
    #[test]
    fn strings_press_nothing(kind in prop::sample::select(&b"]PX^_"[..]), text in "[ -~]{0,200}", bell in any::<bool>()) {
        let end = if bell { "\x07" } else { "\x1b\\" };
        let sequence = format!("\x1b{}{text}{end}", char::from(kind));
        prop_assert_eq!(decode(&[sequence.as_bytes()], BYTE), "");
        let single: Vec<&[u8]> = sequence.as_bytes().chunks(1).collect();
        prop_assert_eq!(decode(&single, BYTE), "");
    }
}
