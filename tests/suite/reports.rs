//! Input of terminals other than keys, while tokens are on the screen: responses to queries of other programs, reports,
//! broken sequences, random bytes. They press nothing, and Ctrl+C works after all of them.

use std::time::{Duration, Instant};

use crate::terminal::{CTRL_C, Command, ENTER, LIMIT, Terminal, Unread};

/// The same table that the unit tests of the decoder use.
#[path = "../../src/tui/terminal/input/cases.rs"]
mod cases;

/// All rows of the table, as bytes.
fn rows() -> impl Iterator<Item = (&'static [u8], &'static str)> {
    let texts = cases::CASES.iter();
    let texts = texts.map(|(text, expected)| (text.as_bytes(), *expected));
    texts.chain(cases::RAW.iter().copied())
}

/// All input that presses nothing: reports, keys that the program doesn't know, and unfinished sequences.
fn reports() -> Vec<&'static [u8]> {
    let silent = rows().filter(|(_, expected)| expected.is_empty());
    let silent: Vec<&[u8]> = silent.map(|(bytes, _)| bytes).collect();
    assert!(silent.len() > 150, "{}", silent.len());
    silent
}

/// Reports that are also sent as slowly as over a line of 300 baud: those whose letters once pressed buttons, and one
/// of each kind.
const SLOW: [&str; 12] = [
    "\x1b]11;rgb:1c1c/2e2e/3434\x1b\\",
    "\x1b]11;rgb:ffff/ffff/ffff\x07",
    "\x1b]52;c;c2VjcmV0\x07",
    "\x1b[>0;276;0c",
    "\x1b[?2026;2$y",
    "\x1b[?997;1n",
    "\x1b[24;80R",
    "\x1b[<35;10;10M",
    "\x1b[M !!",
    "\x1b[48;24;80;480;800t",
    "\x1bP>|tmux 3.4\x1b\\",
    "\x1b_Gi=31;OK\x1b\\",
];

/// Starts the demo and waits for its tokens.
fn tokens(home: &tempfile::TempDir) -> Terminal {
    let mut terminal = Command::new(home.path(), &["--demo"]).start();
    terminal.wait_for("[a Authorize]");
    terminal.send(ENTER);
    terminal.wait_for("Enter code");
    terminal.send("y");
    terminal.wait_for("Access token");
    terminal
}

/// Checks that the bytes pressed nothing and caused no message with `said`, and that Ctrl+C ends the program.
fn assert_nothing_pressed(mut terminal: Terminal, said: &[&str], what: &str) {
    terminal.send(CTRL_C);
    terminal.wait_for("not been copied or saved:");
    let written = String::from_utf8_lossy(&terminal.bytes()).into_owned();
    let pressed = [
        "\x1b]52;",
        "r Hide",
        "Sent",
        "Copied",
        "Refreshing",
        "Refreshed",
        "Saved",
    ];
    for word in pressed.iter().chain(said) {
        assert!(
            !written.contains(word),
            "{what}: {word:?}\n{}",
            terminal.screen()
        );
    }
    terminal.send(CTRL_C);
    assert_eq!(terminal.wait_exit().exit_code(), 0);
    terminal.assert_restored();
}

/// Waits until the program has read everything.
fn wait_read(input: &Unread) {
    assert!(
        input.wait_read(Duration::from_micros(20), LIMIT),
        "the program does not read"
    );
}

#[test]
fn whole_and_split_terminal_reports_press_no_keys() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = tokens(&home);
    let input = terminal.input().unwrap();
    for report in reports() {
        terminal.send_bytes(report);
    }
    // The next Esc ends an unfinished sequence, and the halves below.
    for report in reports() {
        for at in 1..report.len() {
            let (head, tail) = report.split_at(at);
            terminal.send_bytes(head);
            wait_read(&input);
            terminal.send_bytes(tail);
            wait_read(&input);
        }
    }
    drop(input);
    assert_nothing_pressed(terminal, &["dropped"], "whole and split");
}

/// Sends bytes as a line of 300 baud does. Returns false if the machine was so busy that an Esc may have become a key.
fn send_slowly(terminal: &mut Terminal, bytes: &[u8]) -> bool {
    let mut in_time = true;
    for byte in bytes {
        let sent = Instant::now();
        terminal.send_bytes(&[*byte]);
        std::thread::sleep(Duration::from_millis(34));
        in_time &= sent.elapsed() < Duration::from_millis(90);
    }
    in_time
}

#[test]
fn terminal_reports_at_300_baud_press_no_keys() {
    let home = tempfile::tempdir().unwrap();
    for _ in 0..5 {
        let mut terminal = tokens(&home);
        let mut slow = SLOW.iter();
        if slow.all(|report| send_slowly(&mut terminal, report.as_bytes())) {
            assert_nothing_pressed(terminal, &["dropped"], "byte by byte");
            return;
        }
    }
    panic!("this machine is too busy to send a byte every 34 ms");
}

#[test]
fn terminal_report_before_startup_is_not_treated_as_keys() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = Command::new(home.path(), &["--demo"]).start();
    // A late response to a query that was typed ahead, and a key.
    terminal.send_now("\x1b[?2026;2$y\x1b]11;rgb:1c1c/2e2e/3434\x1b\\");
    terminal.wait_for("[a Authorize]");
    terminal.send(ENTER);
    terminal.wait_for("Enter code");
}

#[test]
fn typing_continues_after_an_unfinished_paste() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = Command::new(home.path(), &[]).start();
    terminal.wait_for("[a Authorize]");
    terminal.focus("Client ID");
    terminal.send("\x1b[200~hello");
    terminal.wait_for("hello");
    terminal.send(" more");
    terminal.wait_for("hello more");
}

#[test]
fn every_encoding_of_ctrl_c_ends_the_program() {
    let home = tempfile::tempdir().unwrap();
    let encodings = rows().filter(|(bytes, expected)| {
        let whole = !bytes.starts_with(b"\x1b[200~") && !bytes.ends_with(b"\x03");
        whole
            && matches!(
                *expected,
                "Ctrl+c" | "Ctrl+C" | "Ctrl+Shift+c" | "Ctrl+Shift+C"
            )
    });
    let mut encodings: Vec<&[u8]> = encodings.map(|(bytes, _)| bytes).collect();
    encodings.push(CTRL_C.as_bytes());
    assert!(encodings.len() > 30, "{}", encodings.len());
    let unfinished = [
        "",
        "\x1b",
        "\x1b[",
        "\x1b[?2026;2",
        "\x1b]11;rgb:1e1e",
        "\x1bP>|tmux",
        "\x1b_Gi=31",
        "\x1b^private\x1b",
        "\x1b[200~hello",
        "\x1b[200~hello\x1b[20",
        "\x1b[M",
        "\x1bO",
    ];
    for (at, encoding) in encodings.iter().enumerate() {
        let mut before = unfinished[at % unfinished.len()];
        // Within a string, only 7-bit forms count, because text in other encodings than UTF-8 contains the 8-bit bytes.
        let string = matches!(before.as_bytes(), [0x1b, b']' | b'P' | b'_' | b'^', ..]);
        if string && !encoding.is_ascii() {
            before = "\x1b[1;5";
        }
        let mut terminal = Command::new(home.path(), &[]).start();
        terminal.wait_for("[a Authorize]");
        terminal.send_now(before);
        terminal.send_bytes(encoding);
        println!("{before:?} {}", encoding.escape_ascii());
        assert_eq!(terminal.wait_exit().exit_code(), 0);
    }
}

/// Pseudo-random numbers that are the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        let at = self.below(all.len() as u64);
        all[usize::try_from(at).unwrap()]
    }

    /// A byte or character that presses nothing by itself: no letter, Space or Enter, no key that quits or suspends.
    fn alone(&mut self, to: &mut Vec<u8>) {
        match self.below(6) {
            0 | 1 => to.push(self.of(b"0123456789!\"#$%&'()*+,-./:;<=>@[\\]^_`{|}")),
            2 => to.push(self.of(b"\0\x01\x02\x04\x05\x06\x07\x08\t\x0b\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x7f")),
            3 => to.extend(self.of(&["🙂", "€", "\u{301}", "\u{202e}", "\u{85}"]).bytes()),
            // These bytes never begin a UTF-8 character, or are not followed by its next byte.
            4 => to.extend([self.of(&[0xc0, 0xc1, 0xf5, 0xf8, 0xff]), b'.']),
            _ => to.extend([self.of(&[0xc3, 0xd1, 0xe6, 0xf0]), b'.', self.of(&[0x80, 0x85, 0xa9, 0xbf]), b'.']),
        }
    }

    /// A sequence that is not a key: complete, cut off, or of random bytes.
    fn sequence(&mut self, to: &mut Vec<u8>) {
        let eight = self.below(8) == 0;
        let mut sequence = Vec::new();
        let begin = |letter: u8, sequence: &mut Vec<u8>| {
            if eight {
                sequence.push(letter + 0x40);
            } else {
                sequence.extend([0x1b, letter]);
            }
        };
        let may_be_cut = match self.below(8) {
            // No final byte of a key that presses something: those of `CSI u`, `CSI ~`, `CSI _` and the keypad.
            0..=2 => {
                begin(b'[', &mut sequence);
                for _ in 0..self.below(12) {
                    sequence.push(self.of(b"0123456789;:?<=>"));
                }
                sequence.push(self.of(b"abcdefghijklmnopqrsvwxyzEGIJKLNOQRSUVWXY"));
                true
            }
            3..=5 => {
                begin(self.of(b"]PX^_"), &mut sequence);
                for _ in 0..self.below(60) {
                    // Any byte except those that end the string, and first bytes of UTF-8, which would swallow the end.
                    let byte = u8::try_from(self.below(256)).unwrap();
                    let ends = matches!(byte, 0x03 | 0x07 | 0x1b | 0x9c | 0xc0..);
                    sequence.push(if ends { b'r' } else { byte });
                }
                sequence.extend(self.of::<&[u8]>(&[b"\x07", b"\x1b\\", b"r\x9c"]));
                true
            }
            // A mouse report in the old format, with any bytes as the position.
            6 => {
                begin(b'[', &mut sequence);
                sequence.extend([b'M', b' ']);
                for _ in 0..2 {
                    sequence.push(u8::try_from(32 + self.below(160)).unwrap());
                }
                false
            }
            _ => {
                sequence.extend([0x1b, self.of(b" #%()*+"), self.of(b"ABDGcrtw012")]);
                false
            }
        };
        // Cutting is safe because the bytes that follow contain no letter that would end the sequence.
        if may_be_cut && self.below(4) == 0 {
            let length = 2 + self.below(sequence.len() as u64 - 1);
            sequence.truncate(usize::try_from(length).unwrap());
            // An Esc at the end would join with the next sequence.
            while sequence.last() == Some(&0x1b) {
                sequence.pop();
            }
        }
        to.extend(sequence);
    }
}

#[test]
fn a_million_random_bytes_press_no_keys() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = tokens(&home);
    let mut dice = Dice(0x5eed_cafe);
    let input = terminal.input().unwrap();
    let mut sent = 0;
    while sent < 1_000_000 {
        let mut chunk = Vec::new();
        while chunk.len() < 4000 {
            if dice.below(3) == 0 {
                dice.alone(&mut chunk);
            } else {
                dice.sequence(&mut chunk);
            }
        }
        sent += chunk.len();
        terminal.send_bytes(&chunk);
        // Writing would block forever if the program no longer read its input.
        wait_read(&input);
    }
    drop(input);
    // End the last sequence, which may have been cut off.
    terminal.send_now("\x1b\\");
    // Digits in one burst may be a paste.
    assert_nothing_pressed(terminal, &[], "random bytes");
}
