//! Tests of the decoder: every case as a whole, byte by byte at 300 baud, and split at every position.

#![allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use proptest::prelude::*;

use super::cases::{CASES, RAW};
use super::decoder::{Decoder, Input};
use crate::keyboard::encodings;

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
    if let (KeyCode::Char(ch), encodings::ALT_OR_ESC) = (key.code, key.modifiers) {
        return format!("Alt/Esc+{ch}");
    }
    let mut name = String::new();
    for (modifier, word) in [
        (KeyModifiers::CONTROL, "Ctrl+"),
        (KeyModifiers::ALT, "Alt+"),
        (KeyModifiers::META, "Meta+"),
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

/// Decodes parts, each with the pause before it in milliseconds. Returns what was decoded after the first part.
fn decode_rest(first: &[u8], rest: &[(u64, &[u8])]) -> String {
    let mut decoder = Decoder::default();
    let mut at = Duration::ZERO;
    let mut inputs = Vec::new();
    decoder.feed(first, at);
    let expired = |decoder: &mut Decoder, at: Duration, inputs: &mut Vec<Input>| {
        while let Some(deadline) = decoder.deadline().filter(|deadline| *deadline < at) {
            inputs.extend(decoder.expire(deadline + Duration::from_nanos(1)));
        }
    };
    let mut ignored = Vec::new();
    for (at_first, (pause, part)) in rest.iter().enumerate() {
        at += Duration::from_millis(*pause);
        // What ends the first part doesn't count.
        let heard = if at_first == 0 {
            &mut ignored
        } else {
            &mut inputs
        };
        expired(&mut decoder, at, heard);
        inputs.extend(decoder.feed(part, at));
    }
    expired(&mut decoder, at + Duration::from_mins(1), &mut inputs);
    assert_eq!(decoder.deadline(), None);
    names(&inputs)
}

#[test]
fn rest_of_a_sequence_after_its_time_limit_is_not_typed() {
    for (head, tail) in [
        ("\x1b]11;rgb:f", "fff/ffff/ffff\x1b\\"),
        ("\x1b]11;rgb:", "1c1c/2e2e/3434\x07"),
        ("\x1b[?62;22;5", "2c"),
        ("\x1bP>|tm", "ux 3.4\x1b\\"),
        ("\x1b_G", "i=31;OK\x1b\\"),
        ("\x1b[M", " !!"),
        ("\x1b]11;rgb:ffff/ffff/ff", "ff\x1b\\"),
        ("\x1b]11;rgb:ffff/ffff/fff", "f\x1b\\"),
        ("\x1b]11;rgb:ffff/ffff/ffff\x1b", "\\"),
        ("\x1b]11;rgb:ffff/ffff/ffff", "\x1b\\"),
    ] {
        let (head, tail) = (head.as_bytes(), tail.as_bytes());
        if tail.len() > 1 {
            assert_eq!(
                decode_rest(head, &[(1200, tail)]),
                "",
                "{}",
                head.escape_ascii()
            );
            let single: Vec<(u64, &[u8])> = tail.chunks(1).map(|byte| (34, byte)).collect();
            let single = [&[(1200, &tail[..1])], &single[1..]].concat();
            // The first byte of a rest may look like a key only if the second is late, too.
            assert_eq!(decode_rest(head, &single), "", "{}", head.escape_ascii());
        }
        // A key after it is heard, and so is the next one.
        let heard = decode_rest(head, &[(1200, tail), (1200, b"q"), (80, b"r"), (0, b"s")]);
        assert!(heard.ends_with("q r s"), "{heard}");
    }
}

#[test]
fn key_pressed_alone_after_an_unfinished_sequence_is_reported() {
    for head in ["\x1b]11;rgb:f", "\x1b[?62", "\x1bP", "\x1b[200~a", "\x1b[M"] {
        for (key, heard) in [
            ("q", "q"),
            ("é", "é"),
            ("\r", "Enter"),
            ("\t", "Tab"),
            ("\x1b[A", "Up"),
            ("\x1b", "Esc"),
            ("\x1b\x1b", "Esc Esc"),
            ("\x1ba", "Esc a"),
            ("\x1bP", "Esc Shift+P"),
            ("\x1b-", "Esc -"),
            ("\x1b\r", "Esc Enter"),
            ("\x1b\x13", "Esc Ctrl+s"),
            ("\x03", "Ctrl+c"),
            ("\x1b[99;5u", "Ctrl+c"),
        ] {
            let pressed = decode_rest(head.as_bytes(), &[(1200, key.as_bytes())]);
            assert_eq!(pressed, heard, "{head:?}");
            // After Ctrl+C, keys at once may still be the rest.
            let gap = if heard == "Ctrl+c" { 100 } else { 0 };
            let typed = [(1200, key.as_bytes()), (150, b"x".as_slice()), (gap, b"y")];
            let typed = decode_rest(head.as_bytes(), &typed);
            assert_eq!(typed, format!("{heard} x y"), "{head:?}");
        }
        // Keys at once may be the rest, but not for long.
        let burst = decode_rest(head.as_bytes(), &[(1200, b"qr"), (2000, b"s"), (80, b"t")]);
        assert!(burst.ends_with("s t") && !burst.contains("q r"), "{burst}");
        let much_later = decode_rest(head.as_bytes(), &[(32_000, b"qr")]);
        assert_eq!(much_later, "q r", "{head:?}");
    }
}

#[test]
fn rest_of_a_paste_after_its_time_limit_is_pasted() {
    let head = b"\x1b[200~see the ";
    for (rest, heard) in [
        (
            &[(1200, &b"rest of the mail\x1b[201~"[..])][..],
            "'rest of the mail'",
        ),
        (
            &[(1200, b"refresh cr\r\"}"), (700, b"\x1b[201~q")],
            "'refresh cr\n\"}' q",
        ),
        (
            &[(1200, b"ab"), (1200, b"cd\x1b[201~"), (0, b"q")],
            "'ab' 'cd' q",
        ),
        (&[(1200, b"\x1b[201~"), (10, b"q")], "q"),
        (&[(1200, b"\x1b[?2026;2$y"), (400, b"q"), (80, b"r")], "q r"),
        (&[(1200, b"\x1b[200~new\x1b[201~q")], "'new' q"),
        (&[(1200, b"ab\x03")], "'ab' Ctrl+c"),
        // In the text, or pressed because the end was lost.
        (&[(1200, b"ab\x03"), (900, b"yq\x1b[201~")], "'abyq'"),
        (&[(1200, b"\x03yq\x1b[201~")], "'yq'"),
        (&[(1200, b"\x03")], "Ctrl+c"),
        (
            &[(1200, b"\x03"), (33, b"y"), (33, b"\r\x1b[201~")],
            "'y\n'",
        ),
        (
            &[(1200, b"\x03"), (400, b"yq\r"), (2000, b"y")],
            "Ctrl+c 'yq\n' y",
        ),
        (
            &[(1200, b"\x03"), (400, b"\x03"), (400, b"y")],
            "Ctrl+c Ctrl+c y",
        ),
    ] {
        assert_eq!(decode_rest(head, rest), heard);
    }
}

#[test]
fn ctrl_c_counts_in_a_paste_only_if_nothing_follows() {
    for key in ["\x03", "\x1b[99;5u", "\x1b[27;5;99~", "\x1b[67;46;3;1;8;1_"] {
        let paste = |parts: &[(u64, String)]| {
            let parts: Vec<_> = parts
                .iter()
                .map(|(pause, part)| (*pause, part.as_bytes()))
                .collect();
            let first = [&[(0, &b"\x1b[200~abc"[..])], &parts[..]].concat();
            decode_rest(b"", &first)
        };
        let end = "\x1b[201~";
        for pause in [0, 33, 300, 900] {
            let heard = paste(&[
                (pause, key.to_owned()),
                (pause, format!("{key}xyz\r")),
                (pause, format!("q{end}")),
                (0, "r".to_owned()),
            ]);
            assert_eq!(heard, format!("'abc{key}{key}xyz\rq' r"));
            let heard = paste(&[(pause, key.to_owned()), (pause, end.to_owned())]);
            assert_eq!(heard, format!("'abc{key}'"));
        }
        // Its end was lost.
        let pressed = (1200, key.to_owned());
        let heard = paste(&[
            (100, key.to_owned()),
            (1200, "yq\r".to_owned()),
            pressed.clone(),
        ]);
        assert_eq!(heard, "'abc' Ctrl+c 'yq\n' Ctrl+c");
        let heard = paste(&[pressed, (500, "y".to_owned())]);
        assert_eq!(heard, "'abc' Ctrl+c y");
    }
    // A held key, also if a slow line joins its bytes.
    for key in [
        "\x03",
        "\x03\x03",
        "\x1b[99;5:2u",
        "\x1b[67;46;3;1;8;1_",
        "\x1b[67;46;3;1;8;1_\x1b[17;29;0;1;8;1_",
    ] {
        let held = vec![(33, key.as_bytes()); 30];
        let after = [&held[..], &[(300, b"\x03")]].concat();
        let heard = decode_rest(b"\x1b[200~abc", &after);
        assert_eq!(heard, "'abc' Ctrl+c Ctrl+c", "{key:?}");
    }
}

#[test]
fn ctrl_c_in_a_paste_whose_end_was_lost_counts_if_its_release_follows() {
    for (modifier, press, release) in [
        ("", "\x1b[99;5u", "\x1b[99;5:3u"),
        (
            "\x1b[57442;5u",
            "\x1b[99;5:1u",
            "\x1b[99;5:3u\x1b[57442;1:3u",
        ),
        ("", "\x1b[67;46;3;1;8;1_", "\x1b[67;46;3;0;8;1_"),
        (
            "\x1b[17;29;0;1;8;1_",
            "\x1b[67;46;3;1;8;1_",
            "\x1b[67;46;3;0;8;1_\x1b[17;29;0;0;0;1_",
        ),
        ("", "\x03", "\x1b[I"),
        ("\x1b[O", "\x03", "\x1b[<35;5;7M"),
    ] {
        let bytes = [modifier, press, release].map(str::as_bytes);
        // Soon after the beginning of the paste, and after it has ended.
        for (before, text) in [(100, "'abc' "), (1200, "")] {
            for (hold, gap) in [(0, 0), (30, 80), (150, 80), (400, 300)] {
                let mut keys = if modifier.is_empty() {
                    vec![(before, bytes[1]), (gap, bytes[2])]
                } else {
                    vec![(before, bytes[0]), (hold, bytes[1]), (gap, bytes[2])]
                };
                let heard = decode_rest(b"\x1b[200~abc", &keys);
                // A paste that ends late contains what came before Ctrl+C.
                let heard = heard.replace(modifier, "");
                assert!(
                    heard.ends_with("Ctrl+c"),
                    "{bytes:?} {before} {hold} {gap}: {heard}"
                );
                keys.push((2000, b"q"));
                let heard = decode_rest(b"\x1b[200~abc", &keys);
                let heard = heard.replace(modifier, "");
                assert_eq!(
                    heard,
                    format!("{text}Ctrl+c q"),
                    "{bytes:?} {before} {hold} {gap}"
                );
            }
        }
    }
    // Other keys are heard as well.
    let q = [
        (1200, &b"\x1b[81;16;113;1;0;1_"[..]),
        (80, b"\x1b[81;16;113;0;0;1_"),
    ];
    assert_eq!(decode_rest(b"\x1b[200~abc", &q), "q");
}

#[test]
fn rest_of_a_sequence_after_ctrl_c_is_not_typed() {
    for (head, tail) in [
        ("\x1b]11;rgb:ff\x03", "cc/iii\x07"),
        ("\x1b]11;rgb:ff\x03", "cc/iii\x1b\\"),
        ("\x1b[?62\x03", ";22c"),
        ("\x1bP>|t\x03", "mux\x1b\\"),
    ] {
        let whole = head.to_owned() + tail + "q";
        assert_eq!(decode(&[whole.as_bytes()], BYTE), "Ctrl+c q");
        let parts: [&[u8]; 3] = [head.as_bytes(), tail.as_bytes(), b"q"];
        for gap in [34, 90, 300] {
            let gap = Duration::from_millis(gap);
            assert_eq!(decode(&parts, gap), "Ctrl+c q");
        }
        // Pressed, not part of the sequence.
        let heard = decode_rest(head.as_bytes(), &[(500, b"y"), (100, b"\r")]);
        assert_eq!(heard, "y Enter");
    }
}

#[test]
fn end_of_a_nested_paste_ends_a_paste_after_a_moment() {
    let head = b"\x1b[200~id \x1b[200~1 \x1b[201~";
    assert_eq!(decode_rest(head, &[(400, b"\r"), (100, b"a")]), "Enter a");
    assert_eq!(
        decode_rest(head, &[(50, b"b\x1b[201~"), (0, b"q")]),
        "'id 1 b' q"
    );
}

#[test]
fn line_feed_after_a_return_is_another_key_only_if_it_comes_later() {
    for (pause, heard) in [(40, ""), (400, "Enter")] {
        assert_eq!(decode_rest(b"\r", &[(pause, b"\n")]), heard);
    }
}

#[test]
fn escape_with_tab_is_back_tab_only_on_the_linux_console() {
    for (linux, heard) in [(false, "Esc Tab"), (true, "Shift+BackTab")] {
        let mut decoder = Decoder::new(linux);
        assert_eq!(names(&decoder.feed(b"\x1b\t", Duration::ZERO)), heard);
        let mut decoder = Decoder::new(linux);
        decoder.feed(b"\x1b]11;", Duration::ZERO);
        decoder.expire(Duration::from_millis(1001));
        decoder.feed(b"\x1b\t", Duration::from_secs(2));
        let late = decoder.expire(Duration::from_secs(3));
        assert_eq!(names(&late), heard);
    }
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
fn keys_typed_after_escape_and_an_introducer_are_reported() {
    for (introducer, heard) in [
        ("P", "Esc Shift+P"),
        ("X", "Esc Shift+X"),
        ("^", "Esc ^"),
        ("_", "Esc _"),
        ("O", "Esc Shift+O"),
        ("-", "Esc -"),
        (".", "Esc ."),
        ("]", ""),
    ] {
        for pause in [130, 200, 700] {
            let head = "\x1b".to_owned() + introducer;
            let keys = [b"A", b"b", b"i", b"?", b"e"].map(|key| (pause, &key[..]));
            let typed = [&[(0, head.as_bytes())], &keys[..]].concat();
            let expected = format!("{heard} Shift+A b i ? e");
            let typed = decode_rest(b"", &typed);
            assert_eq!(typed, expected.trim_start(), "{introducer} {pause}");
        }
    }
    // But nobody types a late rest.
    for (head, tail, heard) in [
        ("\x1bP", ">|tmux 3.4\x1b\\", "Esc Shift+P"),
        ("\x1bP", "1+r544e=787465726d\x1b\\", "Esc Shift+P"),
        ("\x1b_", "Gi=31;OK\x1b\\", "Esc _"),
        ("\x1b]", "11;rgb:ffff/ffff/ffff\x07", ""),
        ("\x1bO", "1;5A", "Esc Shift+O Ctrl+Up"),
        ("\x1b", "P>|tmux 3.4\x1b\\", "Esc"),
        ("\x1b", "_Gi=31;OK\x1b\\", "Esc"),
    ] {
        let parts = [head.as_bytes(), tail.as_bytes(), b"q"];
        let late = Duration::from_millis(400);
        let expected = format!("{heard} q");
        assert_eq!(decode(&parts, late), expected.trim_start(), "{tail:?}");
    }
}

#[test]
fn escapes_at_once_are_as_many_as_escapes_one_by_one() {
    for count in 1..9 {
        let heard = vec!["Esc"; count].join(" ");
        let escapes = vec![0x1b; count];
        assert_eq!(decode(&[&escapes], BYTE), heard);
        let single: Vec<&[u8]> = escapes.chunks(1).collect();
        assert_eq!(decode(&single, BYTE), heard);
        assert_eq!(decode(&single, Duration::from_millis(150)), heard);
    }
    // All at the same time, so that a question that the first one opens is not answered by the others.
    let mut decoder = Decoder::default();
    assert_eq!(decoder.feed(b"\x1b\x1b\x1b", Duration::ZERO), []);
    assert_eq!(decoder.expire(Duration::from_millis(101)).len(), 3);
    let much = vec![0x1b; 1_000_000];
    assert!(decode(&[&much], BYTE).len() < 2000);
}

#[test]
fn held_escape_is_reported_while_it_is_held() {
    for (head, burst) in [
        ("", 1),
        ("", 2),
        ("", 3),
        ("\x1b]11;rgb:f", 1),
        ("\x1b[200~a", 2),
    ] {
        let mut decoder = Decoder::default();
        decoder.feed(head.as_bytes(), Duration::ZERO);
        decoder.expire(Duration::from_millis(1001));
        let mut heard = 0;
        let bytes = vec![0x1b; burst];
        for repeat in 1..=50 {
            let at = Duration::from_millis(1200 + 33 * repeat);
            assert_eq!(decoder.expire(at), []);
            let inputs = decoder.feed(&bytes, at);
            assert!(inputs.len() <= burst.max(3), "{repeat}: {inputs:?}");
            heard += inputs.len();
        }
        assert!(heard + burst + 1 >= 50 * burst, "{heard}");
        heard += decoder.expire(Duration::from_secs(4)).len();
        assert_eq!(heard, 50 * burst);
        assert_eq!(names(&decoder.feed(b"q", Duration::from_secs(5))), "q");
    }
    // The last one may be Alt.
    let arrow = [(33, &b"\x1b"[..]), (33, b"\x1b"), (33, b"[A")];
    assert_eq!(decode_rest(b"\x1b", &arrow), "Esc Up");
}

#[test]
fn key_after_any_sequence_and_a_pause_is_reported() {
    for (bytes, expected) in cases() {
        let mut decoder = Decoder::default();
        let mut inputs = decoder.feed(bytes, Duration::ZERO);
        let later = Duration::from_secs(2);
        inputs.extend(decoder.expire(later));
        inputs.extend(decoder.feed(b"q", later));
        // The rest of an unfinished sequence may arrive now, so the key is held for a moment.
        inputs.extend(decoder.expire(later + BYTE * 2));
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
fn sequences_last_while_their_bytes_keep_coming() {
    for (beginning, gap) in [
        ("\x1b]52;c;", 33),
        ("\x1b]0;", 900),
        ("\x1b[", 33),
        ("\x1bP1+r", 200),
        ("\x1b[200~", 33),
        ("\x1b[200~", 900),
    ] {
        let mut decoder = Decoder::default();
        let mut at = Duration::ZERO;
        let mut inputs = decoder.feed(beginning.as_bytes(), at);
        let mut text = String::new();
        // For longer than a paste of 9 KB at 300 baud.
        while at < Duration::from_mins(10) {
            at += Duration::from_millis(gap);
            inputs.extend(decoder.expire(at));
            inputs.extend(decoder.feed(b"0", at));
            text.push('0');
        }
        inputs.extend(decoder.expire(at + Duration::from_millis(1001)));
        let pasted = format!("'{text}'");
        let is_paste = beginning.ends_with('~');
        let expected = if is_paste { pasted.as_str() } else { "" };
        assert_eq!(names(&inputs), expected, "{beginning:?}");
        // Its rest may arrive now, so a key is held for a moment.
        decoder.feed(b"q", at + Duration::from_secs(2));
        let key = decoder.expire(at + Duration::from_secs(3));
        assert_eq!(names(&key), "q", "{beginning:?}");
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
    // A key doesn't repeat without end.
    let repeated = decode(&[b"\x1b[65;30;97;1;0;65535_"], BYTE);
    assert_eq!(repeated, ["a"; 100].join(" "));
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
        for key in [&b"\x03"[..], b"q"] {
            let mut heard = decoder.feed(key, at);
            while let Some(deadline) = decoder.deadline() {
                prop_assert!(deadline <= at + Duration::from_secs(1));
                at = deadline + Duration::from_nanos(1);
                heard.extend(decoder.expire(at));
            }
            let heard = names(&heard);
            let expected = if key == b"q" { "q" } else { "Ctrl+c" };
            prop_assert!(heard.ends_with(expected), "{heard}");
        }
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
