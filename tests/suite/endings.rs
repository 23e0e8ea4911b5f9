//! The terminal is as it was, after every ending; and nothing runs while nothing happens.

use std::time::Duration;

use crate::terminal::{CTRL_C, Command, ENTER, Terminal, program};

fn started(home: &tempfile::TempDir) -> Terminal {
    let terminal = Command::new(home.path(), &["--preset", "github", "--client-id", "me"]).start();
    terminal.wait_for("[ Authorize ]");
    let (alternate, paste) =
        terminal.look(|screen| (screen.alternate_screen(), screen.bracketed_paste()));
    assert!(alternate && paste, "the guard has taken the terminal");
    terminal
}

#[test]
fn restored_after_quit() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = started(&home);
    terminal.focus("Quit");
    terminal.send(ENTER);
    assert_eq!(terminal.wait_exit().exit_code(), 0);
    terminal.assert_restored();
}

#[test]
fn restored_after_ctrl_c() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = started(&home);
    terminal.send(CTRL_C);
    assert_eq!(terminal.wait_exit().exit_code(), 0);
    terminal.assert_restored();
}

#[test]
fn restored_after_signals() {
    for signal in ["TERM", "HUP", "INT"] {
        let home = tempfile::tempdir().unwrap();
        let mut terminal = started(&home);
        terminal.signal(signal);
        assert_eq!(terminal.wait_exit().exit_code(), 130, "{signal}");
        terminal.assert_restored();
    }
}

#[test]
fn restored_after_panics_in_a_draw_and_in_a_task() {
    let fixture = std::path::Path::new(env!("CARGO_BIN_EXE_oauth-authorizer"))
        .with_file_name("examples/panics");
    for (place, code) in [("draw", 101), ("task", 1)] {
        let home = tempfile::tempdir().unwrap();
        let mut terminal = Command::of(&fixture, home.path(), &[place]).start();
        assert_eq!(terminal.wait_exit().exit_code(), code, "{place}");
        let bytes = String::from_utf8_lossy(&terminal.bytes()).into_owned();
        assert!(
            bytes.contains("\x1b[?1049h"),
            "the terminal was taken: {bytes:?}"
        );
        terminal.assert_restored();
        // Where it was is told, on the shell's screen; what the panic said may be a secret.
        assert!(
            terminal
                .flat()
                .contains("a defect at tests/suite/panics.rs:"),
            "{}",
            terminal.screen()
        );
        assert!(!bytes.contains("s3cret"), "{bytes:?}");
    }
}

#[test]
fn leaving_with_tokens_that_were_not_taken_asks_once() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = Command::new(home.path(), &["--demo"]).start();
    terminal.wait_for("[ Authorize ]");
    terminal.send(ENTER);
    terminal.wait_for("and enter the code");
    terminal.send("a");
    terminal.wait_for("Access token");
    terminal.send(CTRL_C);
    terminal.wait_for("The tokens were not copied,");
    terminal.send(ENTER);
    terminal.wait_until("the tokens again", |screen| {
        !screen.contents().contains("were not copied,")
    });
    terminal.send(CTRL_C);
    terminal.wait_for("The tokens were not copied,");
    terminal.send(CTRL_C);
    assert_eq!(terminal.wait_exit().exit_code(), 0);
    terminal.assert_restored();
}

#[test]
fn the_program_stops_and_goes_on_with_the_shell() {
    let home = tempfile::tempdir().unwrap();
    let bash = std::path::Path::new("/bin/bash");
    let mut terminal = Command::of(bash, home.path(), &["--norc", "--noprofile", "-i"])
        .env("PS1", "shell> ")
        .start();
    terminal.wait_for("shell>");
    terminal.send(&format!("{} --preset github\r", program().display()));
    terminal.wait_for("[ Authorize ]");
    terminal.send("\x1a");
    terminal.wait_until("the shell's prompt", |screen| {
        !screen.alternate_screen() && screen.contents().contains("Stopped")
    });
    terminal.send("fg\r");
    terminal.wait_until("our screen", vt100::Screen::alternate_screen);
    terminal.wait_for("[ Authorize ]");
    terminal.send(CTRL_C);
    terminal.wait_until("the shell again", |screen| !screen.alternate_screen());
}

/// CPU time of a process, in ticks of a hundredth of a second.
fn ticks(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let after = stat.rsplit_once(") ").unwrap().1;
    let fields: Vec<&str> = after.split(' ').collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

#[test]
fn nothing_is_written_and_nothing_runs_while_nothing_happens() {
    let home = tempfile::tempdir().unwrap();
    let terminal = started(&home);
    let (bytes, before) = (terminal.written(), ticks(terminal.pid()));
    // What is measured is this very time.
    std::thread::sleep(Duration::from_secs(11));
    assert_eq!(terminal.written(), bytes, "bytes written while idle");
    let used = ticks(terminal.pid()) - before;
    assert!(
        used <= 1,
        "{used} hundredths of a second of CPU time while idle"
    );
}

#[test]
fn without_a_terminal_it_says_so() {
    let home = tempfile::tempdir().unwrap();
    let output = std::process::Command::new("setsid")
        .arg("--wait")
        .arg(program())
        .current_dir(home.path())
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(
        text.contains("There is no terminal to draw on")
            && text.contains("Run the program in a terminal."),
        "{text}"
    );
    assert!(output.stdout.is_empty());
}
