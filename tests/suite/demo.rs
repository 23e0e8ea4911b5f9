//! The demo: from the first screen to the tokens with the keyboard only.

use crate::servers::{get, run};
use crate::terminal::{Command, ENTER, RIGHT, Terminal};

fn start(home: &tempfile::TempDir) -> Terminal {
    let terminal = Command::new(home.path(), &["--demo"]).start();
    terminal.wait_for("[a Authorize]");
    terminal
}

#[test]
fn device_flow_completes_with_keys_only() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = start(&home);
    terminal.send(ENTER);
    terminal.wait_for("Enter code");
    terminal.focus("Approve (demo)");
    terminal.send(ENTER);
    terminal.wait_for("Access token");
    assert!(
        terminal.flat().contains("work anywhere else"),
        "{}",
        terminal.screen()
    );
    assert!(
        terminal.flat().contains("Refresh token"),
        "{}",
        terminal.screen()
    );
}

#[test]
fn authorization_code_flow_completes_with_keys_only() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = start(&home);
    terminal.focus("Flow");
    terminal.send(RIGHT);
    terminal.wait_for("(•) Authorization code");
    terminal.focus("Authorize");
    terminal.send(ENTER);
    terminal.wait_for("for the browser at http://127.0.0.1:");
    terminal.send("y");
    terminal.wait_for("Access token");
    assert!(
        terminal.flat().contains("work anywhere else"),
        "{}",
        terminal.screen()
    );
}

#[test]
fn the_demo_can_be_approved_with_curl() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = start(&home);
    terminal.send(ENTER);
    terminal.wait_for("With code");
    let url = terminal.url();
    let (status, page) = get(&url, &[]);
    assert_eq!(status, 200);
    assert!(page.contains("curl"), "the page says how: {page}");
    run(std::process::Command::new("curl").args(["-sS", "-d", "decision=approve", &url]));
    terminal.wait_for("Access token");
}

#[test]
fn readme_starts_with_demo_and_test_commands() {
    let readme = include_str!("../../README.md");
    let commands: Vec<&str> = readme
        .split("```sh\n")
        .skip(1)
        .filter_map(|block| block.split("```").next())
        .flat_map(str::lines)
        .collect();
    assert_eq!(
        commands[..2],
        ["cargo run --release -- --demo", "tests/run"]
    );
}
