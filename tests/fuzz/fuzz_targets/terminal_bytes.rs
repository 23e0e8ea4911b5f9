//! Any bytes from a terminal, checked against rules that apply to all of them.

#![no_main]

#[path = "../../../src/keyboard/mod.rs"]
mod keyboard;
#[path = "decoder.rs"]
mod tui;

use std::path::Path;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyModifiers};
use libfuzzer_sys::fuzz_target;

use tui::decoder::{Decoder, Input};

/// Ctrl+C, as various terminals send it, some with its release.
const CTRL_C: [&[u8]; 8] = [
    b"\x03",
    b"\x1b[99;5u",
    b"\x1b[27;5;99~",
    b"\x1b[1089::99;5:1u",
    b"\x1b[67;69u",
    b"\x1b[67;46;3;1;8;1_",
    b"\x1b[99;5u\x1b[99;5:3u",
    b"\x1b[67;46;3;1;8;1_\x1b[67;46;3;0;8;1_",
];

/// Maximum number of keys of one record.
const REPEATS: usize = 100;

/// Maximum length of the decoder's debug output if it has no paste.
const SMALL: usize = 2500;

fuzz_target!(
    init: {
        // Write the seeds before the fuzzer reads them.
        if let Ok(folder) = std::env::var("SEEDS") {
            for (at, (bytes, _)) in tui::rows().enumerate() {
                std::fs::write(Path::new(&folder).join(at.to_string()), bytes).unwrap();
            }
        }
    },
    |bytes: &[u8]| {
        let mut decoder = Decoder::default();
        let inputs = decoder.feed(bytes, Duration::ZERO);
        is_the_same_byte_by_byte(bytes, &inputs);
        is_bounded(bytes, &decoder);
        types_no_sequence(bytes, &inputs);
        hears_ctrl_c(bytes);
        ends(decoder, bytes);
    }
);

fn is_the_same_byte_by_byte(bytes: &[u8], inputs: &[Input]) {
    let mut decoder = Decoder::default();
    let single: Vec<Input> = bytes
        .iter()
        .flat_map(|byte| decoder.feed(&[*byte], Duration::ZERO))
        .collect();
    assert_eq!(single, inputs);
}

fn is_bounded(bytes: &[u8], decoder: &Decoder) {
    let pastes = bytes.windows(4).any(|part| part == b"200~");
    assert!(pastes || format!("{decoder:?}").len() < SMALL);
}

/// The parser of another program finds at least as many bare characters. Inputs that it treats differently are left
/// out: it ends no sequence at Ctrl+C, but does at CAN and SUB, and at BEL in fewer strings. For it, an Esc with a
/// control character or a UTF-8 character is not a key, an Esc with Space or / begins a sequence, and 8-bit bytes are not
/// control characters.
fn types_no_sequence(bytes: &[u8], inputs: &[Input]) {
    #[derive(Default)]
    struct Bare(usize);
    impl vte::Perform for Bare {
        fn print(&mut self, _: char) {
            self.0 += 1;
        }
        // A key after an Esc.
        fn esc_dispatch(&mut self, middle: &[u8], _: bool, _: u8) {
            self.0 += usize::from(middle.is_empty());
        }
        // A key, or its text.
        fn csi_dispatch(&mut self, params: &vte::Params, middle: &[u8], _: bool, action: char) {
            if middle.is_empty() && matches!(action, 'u' | '~' | '_') {
                self.0 += params.iter().map(<[u16]>::len).sum::<usize>();
            }
            // A record of the Windows console, which may stand for many presses.
            if middle.is_empty() && action == '_' {
                self.0 += REPEATS;
            }
        }
    }
    let mut escaped = false;
    for byte in bytes {
        match byte {
            0x03 | 0x07 | 0x18 | 0x1a | 0x80..=0x9f => return,
            0x1b => escaped = true,
            0x00..=0x1f | b' ' | b'/' | 0x7f.. if escaped => return,
            _ => escaped = false,
        }
    }
    let mut bare = Bare::default();
    <vte::Parser>::default().advance(&mut bare, bytes);
    let commands = KeyModifiers::CONTROL | KeyModifiers::ALT;
    let typed = |input: &&Input| match input {
        Input::Key(key) => {
            matches!(key.code, KeyCode::Char(_)) && !key.modifiers.intersects(commands)
        }
        Input::Paste(_) => false,
    };
    let typed = inputs.iter().filter(typed).count();
    assert!(typed <= bare.0, "{typed} characters of {}", bare.0);
}

fn hears_ctrl_c(bytes: &[u8]) {
    for encoding in CTRL_C {
        let mut decoder = Decoder::default();
        decoder.feed(bytes, Duration::ZERO);
        let mut inputs = decoder.feed(encoding, Duration::ZERO);
        // In a paste it may be text, unless nothing follows.
        if let Some(deadline) = decoder.deadline() {
            assert!(deadline <= Duration::from_secs(1));
            inputs.extend(decoder.expire(deadline + Duration::from_millis(1)));
        }
        let Some(Input::Key(key)) = inputs.last() else {
            panic!("{encoding:?} is not heard");
        };
        assert!(matches!(key.code, KeyCode::Char('c' | 'C')));
        assert_eq!(key.modifiers, KeyModifiers::CONTROL);
        assert_eq!(decoder.deadline(), None);
    }
}

/// After its time limit, an unfinished sequence is over: a report then presses nothing, and a key is read as usual.
fn ends(mut decoder: Decoder, bytes: &[u8]) {
    if let Some(deadline) = decoder.deadline() {
        assert!(deadline <= Duration::from_secs(1));
        decoder.expire(deadline + Duration::from_millis(1));
        assert_eq!(decoder.deadline(), None);
    }
    let at = Duration::from_secs(2);
    let rows: Vec<_> = tui::rows()
        .filter(|(_, expected)| expected.is_empty())
        .collect();
    let which = bytes
        .first()
        .map_or(0, |byte| usize::from(*byte) * 7 + bytes.len());
    let (report, _) = rows[which % rows.len()];
    assert_eq!(decoder.feed(report, at), []);
    for second in 4..7 {
        decoder.expire(Duration::from_secs(second));
    }
    // It may be held for a moment, because it may be the rest of what has ended.
    let mut key = decoder.feed(b"q", Duration::from_secs(7));
    key.extend(decoder.expire(Duration::from_secs(8)));
    assert_eq!(key.len(), 1);
}
