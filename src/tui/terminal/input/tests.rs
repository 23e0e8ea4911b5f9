//! Tests of the decoder: every case as a whole, byte by byte at 300 baud, and split at every position.

#![allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use proptest::prelude::*;

use super::cases::{CASES, RAW};
use super::decoder::{Decoder, Input};

/// The duration of a byte at 300 baud.
const BYTE: Duration = Duration::from_millis(34);

/// Returns all cases, as bytes.
fn cases() -> impl Iterator<Item = (&'static [u8], &'static str)> {
    let texts = CASES
        .iter()
        .map(|(text, expected)| (text.as_bytes(), *expected));
    texts.chain(RAW.iter().copied())
}

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

/// Decodes parts that arrive `gap` apart, with a long pause at the end.
fn decode(parts: &[&[u8]], gap: Duration) -> String {
    let mut decoder = Decoder::default();
    let mut at = Duration::from_secs(1);
    let mut inputs = Vec::new();
    for part in parts {
        inputs.extend(decoder.expire(at));
        inputs.extend(decoder.feed(part, at));
        at += gap;
    }
    inputs.extend(decoder.expire(at + Duration::from_secs(5)));
    assert_eq!(decoder.deadline(), None);
    names(&inputs)
}

#[test]
fn sequences_decode_the_same_however_they_are_split() {
    assert!(CASES.len() >= 150 && RAW.len() >= 40);
    for (bytes, expected) in cases() {
        let sequence = bytes.escape_ascii();
        assert_eq!(decode(&[bytes], BYTE), expected, "{sequence}");
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(decode(&single, BYTE), expected, "{sequence} by bytes");
        for at in 1..bytes.len() {
            let (head, tail) = bytes.split_at(at);
            assert_eq!(decode(&[head, tail], BYTE), expected, "{sequence} at {at}");
        }
    }
}

#[test]
fn late_rest_of_a_report_is_not_typed() {
    let late = Duration::from_millis(400);
    let reports = cases().filter(|(bytes, expected)| {
        let begins = bytes.starts_with(b"\x1b[") || bytes.starts_with(b"\x1b]");
        begins && expected.is_empty() && bytes.is_ascii()
    });
    let mut split = 0;
    for (bytes, _) in reports {
        let (head, tail) = bytes.split_at(1);
        let heard = decode(&[head, tail], late);
        assert_eq!(heard, "Esc", "{}", bytes.escape_ascii());
        for at in 2..bytes.len() {
            let (head, tail) = bytes.split_at(at);
            // Unless the two parts are a complete key and something else.
            let end = head.ends_with(b"$") || head.ends_with(b"\x1b") && !tail.starts_with(b"\\");
            if !end {
                split += 1;
                let heard = decode(&[head, tail], late);
                assert_eq!(heard, "", "{} at {at}", bytes.escape_ascii());
            }
        }
    }
    assert!(split > 800, "{split}");
}

#[test]
fn bracket_long_after_escape_is_typed() {
    for (gap, heard) in [(499, "Esc"), (501, "Esc [ 3")] {
        let parts: [&[u8]; 2] = [b"\x1b", b"[3"];
        assert_eq!(decode(&parts, Duration::from_millis(gap)), heard);
    }
    // Another key was pressed in the meantime.
    let parts: [&[u8]; 3] = [b"\x1b", b"1", b"[3"];
    assert_eq!(decode(&parts, Duration::from_millis(150)), "Esc 1 [ 3");
}

#[test]
fn key_after_any_sequence_and_a_pause_is_reported() {
    for (bytes, expected) in cases() {
        let mut decoder = Decoder::default();
        let mut inputs = decoder.feed(bytes, Duration::ZERO);
        let later = Duration::from_secs(2);
        inputs.extend(decoder.expire(later));
        inputs.extend(decoder.feed(b"q", later));
        let heard = format!("{expected} q");
        assert_eq!(
            names(&inputs),
            heard.trim_start(),
            "{}",
            bytes.escape_ascii()
        );
    }
}

#[test]
fn sequences_without_a_pause_end_at_a_time_limit() {
    for (beginning, gap, limit) in [
        ("\x1b]0;", 200, 20),
        ("\x1b[", 200, 20),
        ("\x1b[200~", 500, 300),
    ] {
        let mut decoder = Decoder::default();
        decoder.feed(beginning.as_bytes(), Duration::ZERO);
        let end = Duration::from_secs(limit) + Duration::from_millis(1);
        let gap = Duration::from_millis(gap);
        let mut at = gap;
        while at < end {
            assert!(decoder.expire(at).is_empty());
            assert!(decoder.feed(b"1", at).is_empty(), "{beginning:?}");
            at += gap;
        }
        decoder.expire(at);
        assert_eq!(names(&decoder.feed(b"q", at)), "q", "{beginning:?}");
    }
}

#[test]
fn endless_sequences_are_dropped_until_a_pause() {
    let long = "\x1b[".to_owned() + &"1;".repeat(1000) + "trace";
    assert_eq!(decode(&[long.as_bytes()], BYTE), "");
    let title = "\x1b]0;".to_owned() + &"r".repeat(1_000_000);
    assert_eq!(decode(&[title.as_bytes()], BYTE), "");
    let mut decoder = Decoder::default();
    decoder.feed(title.as_bytes(), Duration::ZERO);
    assert_eq!(names(&decoder.feed(b"\x03", Duration::ZERO)), "Ctrl+c");
    // A paste keeps as much as fits.
    let paste = "\x1b[200~".to_owned() + &"x".repeat(3_000_000) + "\x1b[201~";
    assert_eq!(decode(&[paste.as_bytes()], BYTE).len(), 1024 * 1024 + 2);
}

proptest! {
    /// Ctrl+C is reported whatever came before it, however that was split, and nothing stays unfinished for long.
    #[test]
    fn ctrl_c_is_reported_after_any_bytes(
        parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..8),
        sequence in prop::sample::select(cases().collect::<Vec<_>>()),
        gap in 0..400u64,
    ) {
        let mut decoder = Decoder::default();
        let mut at = Duration::ZERO;
        for part in &parts {
            decoder.expire(at);
            decoder.feed(part, at);
            at += Duration::from_millis(gap);
        }
        decoder.expire(at);
        decoder.feed(sequence.0, at);
        let heard = names(&decoder.feed(b"\x03", at));
        prop_assert!(heard.ends_with("Ctrl+c"), "{heard}");
        prop_assert_eq!(decoder.deadline(), None);
        prop_assert_eq!(names(&decoder.feed(b"q", at)), "q");
    }

    /// Letters within a string are not keys: whatever a terminal sends in a string, no key is reported.
    #[test]
    fn terminal_strings_produce_no_keys(kind in prop::sample::select(&b"]PX^_"[..]), text in "[ -~Ü宛朜盛]{0,200}", bell in any::<bool>()) {
        let end = if bell { "\x07" } else { "\x1b\\" };
        let sequence = format!("\x1b{}{text}{end}", char::from(kind));
        prop_assert_eq!(decode(&[sequence.as_bytes()], BYTE), "");
        let single: Vec<&[u8]> = sequence.as_bytes().chunks(1).collect();
        prop_assert_eq!(decode(&single, BYTE), "");
    }

    /// Every sequence with a private marker or an intermediate byte is dropped as a whole, whatever it means.
    #[test]
    fn non_key_sequences_produce_no_keys(
        marker in "[<=>?]", params in "[0-9;:]{0,60}", middle in "[ -/]{0,3}", end in "[@-~]", eight in any::<bool>(),
    ) {
        let introducer = if eight { "\u{9b}" } else { "\x1b[" };
        let sequence = format!("{introducer}{marker}{params}{middle}{end}q");
        prop_assert_eq!(decode(&[sequence.as_bytes()], BYTE), "q");
        let sequence = format!("{introducer}{params}!{middle}{end}q");
        let single: Vec<&[u8]> = sequence.as_bytes().chunks(1).collect();
        prop_assert_eq!(decode(&single, BYTE), "q");
    }
}
