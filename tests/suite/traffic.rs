//! Number of bytes sent to the terminal: the program must stay usable over a slow connection.

use crate::scripted::{Reply, Scripted};
use crate::terminal::{BACK_TAB, Command, ENTER, LEFT, RIGHT, TAB, Terminal};

/// Maximum number of bytes for a key typed in a field, after the first key.
const TYPED: usize = 16;
/// The same for text that is longer than its field, and scrolls.
const IN_LONG_LINE: usize = 80;
/// The same for a move of the focus. Most of it is the new hint and the new keys in the footer.
const MOVED: usize = 260;
/// The same if a field shows its whole value only while it has the focus, so that the rows below move.
const MOVED_WITH_ROWS: usize = 370;
/// The same on a terminal that can't move rows.
const MOVED_WITH_ROWS_WRITTEN: usize = 830;
/// The same for a step of the countdown.
const COUNTED: usize = 20;

/// Number of bytes written after these keys.
fn bytes(terminal: &mut Terminal, keys: &str) -> usize {
    terminal.settle();
    let before = terminal.written();
    terminal.send(keys);
    terminal.wait_written(before);
    terminal.settle();
    terminal.written() - before
}

/// Number of bytes for a move of the focus, and whether the rows of the form moved.
fn move_focus(terminal: &mut Terminal, key: &str) -> (usize, bool) {
    let row = |terminal: &Terminal| {
        let screen = terminal.screen();
        screen.lines().position(|line| line.contains("Advanced"))
    };
    let before = row(terminal);
    let count = bytes(terminal, key);
    (count, row(terminal) != before)
}

fn form(home: &tempfile::TempDir, term: &str) -> Terminal {
    let flags = ["--preset", "microsoft-mail", "--flow", "authorization-code"];
    let terminal = Command::new(home.path(), &flags)
        .env("TERM", term)
        .env("SSH_TTY", "/dev/pts/0")
        .start();
    terminal.wait_for("[a Authorize]");
    terminal
}

#[test]
fn typing_and_moving_the_focus_write_few_bytes() {
    let home = tempfile::tempdir().unwrap();
    for term in ["xterm-256color", "linux", "vt100"] {
        let mut terminal = form(&home, term);
        terminal.focus("Client ID");
        bytes(&mut terminal, "a");
        let typed: Vec<usize> = "bcdefghij"
            .chars()
            .map(|ch| bytes(&mut terminal, &ch.to_string()))
            .collect();
        let back: Vec<usize> = [LEFT, RIGHT, "\x7f", "x"]
            .iter()
            .map(|key| bytes(&mut terminal, key))
            .collect();
        // Text that is longer than its field.
        let before = terminal.written();
        terminal.paste(&"0123456789".repeat(9));
        terminal.wait_written(before);
        let long: Vec<usize> = "klm"
            .chars()
            .map(|ch| bytes(&mut terminal, &ch.to_string()))
            .collect();
        let moved: Vec<(usize, bool)> = [[TAB; 24], [BACK_TAB; 24]]
            .concat()
            .iter()
            .map(|key| move_focus(&mut terminal, key))
            .collect();
        println!("{term}: typed {typed:?}, edited {back:?}, in a long line {long:?}");
        println!("{term}: focus moved {moved:?}");
        for typed in [typed, back].iter().flatten() {
            assert!(*typed <= TYPED, "{typed} bytes for a key on {term}");
        }
        for typed in long {
            assert!(typed <= IN_LONG_LINE, "{typed} bytes for a key on {term}");
        }
        for (moved, with_rows) in moved {
            let limit = match (with_rows, term) {
                (false, _) => MOVED,
                (true, "vt100") => MOVED_WITH_ROWS_WRITTEN,
                (true, _) => MOVED_WITH_ROWS,
            };
            assert!(moved <= limit, "{moved} bytes for a move on {term}");
        }
    }
}

#[test]
fn countdown_updates_write_few_bytes() {
    let home = tempfile::tempdir().unwrap();
    let server = Scripted::start(|request| match request.path.as_str() {
        "/device" => Reply::json(
            200,
            r#"{"device_code":"d","user_code":"WDJB-MJHT","verification_uri":"https://login.example.com/device",
                "expires_in":70,"interval":60}"#,
        ),
        _ => Reply::json(400, r#"{"error":"authorization_pending"}"#),
    });
    let (device, token) = (
        format!("{}/device", server.url),
        format!("{}/token", server.url),
    );
    let flags = [
        "--client-id",
        "me",
        "--device-url",
        &device,
        "--token-url",
        &token,
    ];
    let mut terminal = Command::new(home.path(), &flags).start();
    terminal.wait_for("[a Authorize]");
    terminal.focus("Authorize");
    terminal.send(ENTER);
    terminal.wait_for("in 60 seconds");
    let mut steps = Vec::new();
    // From here on, the countdown changes every second.
    for left in (50..60).rev() {
        let before = terminal.written();
        terminal.wait_for(&format!("in {left} seconds"));
        steps.push(terminal.written() - before);
    }
    println!("steps of the time left: {steps:?}");
    for step in steps {
        assert!(step > 0 && step <= COUNTED, "{step} bytes for a step");
    }
}
