//! What terminals send besides keys, while tokens are on the screen: answers to queries of other programs, reports, broken
//! sequences, random bytes. Nothing is pressed by them, and Ctrl+C is heard after all of them.

use std::process::Command as Process;
use std::sync::mpsc;
use std::time::Duration;

use crate::servers::run;
use crate::terminal::{Command, ENTER, LIMIT, Terminal};

const CTRL_C: &str = "\x03";

/// What terminals were seen to send, most of them to programs that had asked nothing.
const REPORTS: [&str; 30] = [
    "\x1b[?2026;2$y",
    "\x1b[?997;1n",
    "\x1b[?997;2n",
    "\x1b[?1;2c",
    "\x1b[?62;22;52c",
    "\x1b[>0;276;0c",
    "\x1b[>41;354;0c",
    "\x1b[=0;1c",
    "\x1b[24;80R",
    "\x1b[?24;80R",
    "\x1b[0n",
    "\x1b[8;24;80t",
    "\x1b[I",
    "\x1b[O",
    "\x1b[<35;10;10M",
    "\x1b[<0;10;10m",
    "\x1b[M !!",
    "\x1b[?1u",
    "\x1b[?12;2$y",
    "\x1b]11;rgb:1e1e/2c2c/3434\x1b\\",
    "\x1b]11;rgb:1c1c/2e2e/3434\x1b\\",
    "\x1b]11;rgb:ffff/ffff/ffff\x07",
    "\x1b]10;rgb:cccc/cccc/cccc\x1b\\",
    "\x1b]4;1;rgb:cccc/0000/0000\x1b\\",
    "\x1b]52;c;c2VjcmV0\x07",
    "\x1bP>|tmux 3.4\x1b\\",
    "\x1bP>|XTerm(379)\x1b\\",
    "\x1bP1+r544e=787465726d\x1b\\",
    "\x1bP1$r0m\x1b\\",
    "\x1b_Gi=31;OK\x1b\\",
];

/// With the tokens of the demo on the screen.
fn tokens(home: &tempfile::TempDir) -> Terminal {
    let mut terminal = Command::new(home.path(), &["--demo"]).start();
    terminal.wait_for("[ Authorize ]");
    terminal.send(ENTER);
    terminal.wait_for("and enter the code");
    terminal.send("a");
    terminal.wait_for("Access token");
    terminal
}

/// The bytes are seen to have pressed nothing, and the program ends with Ctrl+C.
fn assert_nothing_pressed(mut terminal: Terminal, what: &str) {
    terminal.send(CTRL_C);
    terminal.wait_for("The tokens were not copied,");
    let written = String::from_utf8_lossy(&terminal.bytes()).into_owned();
    for word in [
        "\x1b]52;",
        "demo-access-",
        "Sent",
        "Copied",
        "Asking for new",
        "Refreshed",
        "Saved",
        "dropped",
    ] {
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

#[test]
fn reports_of_terminals_press_nothing() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = tokens(&home);
    for report in REPORTS {
        terminal.send(report);
    }
    assert_nothing_pressed(terminal, "at once");
}

#[test]
fn reports_over_a_line_of_300_baud_press_nothing() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = tokens(&home);
    for report in REPORTS {
        for byte in report.chars() {
            terminal.send_now(byte.encode_utf8(&mut [0; 4]));
            std::thread::sleep(Duration::from_millis(34));
        }
    }
    assert_nothing_pressed(terminal, "byte by byte");
}

#[test]
fn a_report_before_the_start_is_no_key() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = Command::new(home.path(), &["--demo"]).start();
    // Type-ahead of a late answer, and a key.
    terminal.send_now("\x1b[?2026;2$y\x1b]11;rgb:1c1c/2e2e/3434\x1b\\");
    terminal.wait_for("[ Authorize ]");
    terminal.send(ENTER);
    terminal.wait_for("and enter the code");
}

#[test]
fn an_unfinished_paste_ends_and_ctrl_c_is_heard_in_it() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = Command::new(home.path(), &[]).start();
    terminal.wait_for("[ Authorize ]");
    terminal.focus("Client ID");
    terminal.send("\x1b[200~hello");
    terminal.wait_for("hello");
    terminal.send(" more");
    terminal.wait_for("hello more");
    for ctrl_c in [CTRL_C, "\x1b[99;5u", "\x1b[27;5;99~", "\x1b[1089::99;5u"] {
        let mut terminal = Command::new(home.path(), &[]).start();
        terminal.wait_for("[ Authorize ]");
        terminal.send_now("\x1b[200~hello");
        terminal.send_now(ctrl_c);
        assert_eq!(terminal.wait_exit().exit_code(), 0, "{ctrl_c:?}");
    }
}

/// Numbers that look random, the same in each run.
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

    /// A sequence that is no key: whole, cut off, or of random bytes.
    fn sequence(&mut self) -> Vec<u8> {
        let mut sequence = vec![0x1b];
        // No final byte of a key that presses something: those of `CSI u`, `CSI ~`, and of the keypad.
        let control = self.below(2) == 0;
        if control {
            sequence.push(b'[');
            for _ in 0..self.below(12) {
                sequence.push(self.of(b"0123456789;:?<=>"));
            }
            sequence.push(self.of(b"abcdefghijklmnopqrstvwxyzEGIJKLNOQRSTUVWXY"));
        } else {
            sequence.push(self.of(b"]PX^_"));
            for _ in 0..self.below(60) {
                sequence.push(u8::try_from(32 + self.below(95)).unwrap());
            }
            let end: &[u8] = if self.below(2) == 0 {
                b"\x07"
            } else {
                b"\x1b\\"
            };
            sequence.extend(end);
        }
        // What follows is an Esc again, so that what was cut off has no letter behind it.
        if self.below(4) == 0 {
            let length = 2 + self.below(sequence.len() as u64 - 2);
            sequence.truncate(usize::try_from(length).unwrap());
            // An Esc alone would be one with the next sequence.
            while sequence.last() == Some(&0x1b) {
                sequence.pop();
            }
        }
        sequence
    }
}

#[test]
fn a_million_random_bytes_press_nothing() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = tokens(&home);
    let mut dice = Dice(0x5eed_cafe);
    // Writing would wait for ever for a program that no longer reads.
    let pid = terminal.pid().to_string();
    let (done, waits) = mpsc::channel::<()>();
    std::thread::spawn(move || {
        if waits.recv_timeout(LIMIT) == Err(mpsc::RecvTimeoutError::Timeout) {
            run(Process::new("kill").arg(pid));
        }
    });
    let mut sent = 0;
    while sent < 1_000_000 {
        let mut chunk = Vec::new();
        while chunk.len() < 4000 {
            chunk.extend(dice.sequence());
        }
        sent += chunk.len();
        terminal.send_now(std::str::from_utf8(&chunk).unwrap());
    }
    drop(done);
    // What was cut off last is over.
    terminal.send_now("\x1b\\");
    assert_nothing_pressed(terminal, "random bytes");
}
