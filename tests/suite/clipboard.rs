//! Copies arrive whole, by each way.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command as Process, Stdio};

use base64::Engine;

use crate::servers::{Provider, eventually, person, run};
use crate::terminal::{Command, ENTER, RIGHT, Terminal, base, program};

/// The demo's tokens; the access token as it stands revealed.
fn tokens(command: Command) -> (Terminal, String) {
    let mut terminal = command.start();
    terminal.wait_for("[ Authorize ]");
    terminal.send(ENTER);
    terminal.wait_for("and enter the code");
    terminal.send("a");
    terminal.wait_for("Access token");
    terminal.send("r");
    terminal.wait_for("[ Hide ]");
    let token = terminal.revealed();
    (terminal, token)
}

/// An X server without a screen.
struct Xvfb(Child, String);

impl Drop for Xvfb {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Xvfb {
    fn start() -> Self {
        let mut child = Process::new("Xvfb")
            .args([
                "-displayfd",
                "1",
                "-screen",
                "0",
                "320x240x8",
                "-nolisten",
                "tcp",
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb is there");
        let mut number = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut number)
            .unwrap();
        Self(child, format!(":{}", number.trim()))
    }

    fn clipboard(&self) -> String {
        run(Process::new("xclip").args(["-o", "-selection", "clipboard", "-display", &self.1]))
    }
}

#[test]
fn with_a_display_the_desktop_clipboard_has_it() {
    let (home, x) = (tempfile::tempdir().unwrap(), Xvfb::start());
    let (mut terminal, token) = tokens(Command::new(home.path(), &["--demo"]).env("DISPLAY", &x.1));
    terminal.send("c");
    terminal.wait_for("Copied the access token to the desktop clipboard.");
    assert_eq!(x.clipboard(), token);
    terminal.focus("Refresh token");
    terminal.send("c");
    terminal.wait_for("Copied the refresh token to the desktop clipboard.");
    assert!(x.clipboard().starts_with("demo-refresh-"));
    terminal.send("h");
    terminal.wait_for("Copied the Authorization header");
    assert_eq!(x.clipboard(), format!("Authorization: Bearer {token}"));
    terminal.send("j");
    terminal.wait_for("Copied the JSON");
    let json: serde_json::Value = serde_json::from_str(&x.clipboard()).unwrap();
    assert_eq!(json["access_token"], token.as_str());
    // Nothing of it went to the terminal.
    assert!(osc_52(&terminal.bytes()).is_empty());
}

#[test]
fn the_user_code_and_the_url_are_copied() {
    let (home, x) = (tempfile::tempdir().unwrap(), Xvfb::start());
    let mut terminal = Command::new(home.path(), &["--demo"])
        .env("DISPLAY", &x.1)
        .start();
    terminal.wait_for("[ Authorize ]");
    terminal.send(ENTER);
    terminal.wait_for("and enter the code");
    terminal.send("c");
    terminal.wait_for("Copied the code");
    let code = x.clipboard();
    assert!(
        terminal
            .flat()
            .contains(&format!("and enter the code {code} ")),
        "{code}"
    );
    terminal.send("u");
    terminal.wait_for("Copied the URL");
    assert!(
        x.clipboard()
            .ends_with(&format!("/device?user_code={code}")),
        "{}",
        x.clipboard()
    );
}

#[test]
fn a_display_that_does_not_answer_is_told_and_the_program_goes_on() {
    let home = tempfile::tempdir().unwrap();
    let (mut terminal, _) = tokens(Command::new(home.path(), &["--demo"]).env("DISPLAY", ":987"));
    terminal.send("c");
    terminal.wait_for("The access token was not copied");
    terminal.send("p");
    terminal.wait_for("Any key: back");
}

/// tmux with its default configuration, on a socket of its own.
struct Tmux(tempfile::TempDir);

impl Drop for Tmux {
    fn drop(&mut self) {
        let _ = self.tmux().arg("kill-server").status();
    }
}

impl Tmux {
    fn tmux(&self) -> Process {
        let mut tmux = Process::new("tmux");
        tmux.env_clear()
            .envs(base(self.0.path()))
            .arg("-S")
            .arg(self.0.path().join("socket"))
            .args(["-f", "/dev/null"]);
        tmux
    }

    fn screen(&self) -> String {
        run(self.tmux().args(["capture-pane", "-p"]))
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn wait_for(&self, text: &str) -> String {
        eventually(text, || {
            Some(self.screen()).filter(|screen| screen.contains(text))
        })
    }

    fn send(&self, key: &str) {
        run(self.tmux().args(["send-keys", key]));
    }
}

#[test]
fn in_tmux_the_buffer_has_it() {
    let tmux = Tmux(tempfile::tempdir().unwrap());
    let command = format!("{} --demo", program().display());
    run(tmux
        .tmux()
        .args(["new-session", "-d", "-x", "80", "-y", "24", &command]));
    tmux.wait_for("[ Authorize ]");
    tmux.send("Enter");
    tmux.wait_for("and enter the code");
    tmux.send("a");
    tmux.wait_for("Access token");
    tmux.send("c");
    tmux.wait_for("Copied the access token to tmux's buffer");
    let buffer = run(tmux.tmux().arg("show-buffer"));
    tmux.send("r");
    tmux.wait_for("[ Hide ]");
    assert!(
        buffer.starts_with("demo-access-") && tmux.screen().contains(&buffer),
        "{buffer}"
    );
}

/// What the program asked the terminal to copy.
fn osc_52(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    text.split("\x1b]52;c;")
        .skip(1)
        .map(|rest| {
            let encoded = rest.split('\x07').next().unwrap();
            String::from_utf8(
                base64::engine::general_purpose::STANDARD
                    .decode(encoded)
                    .unwrap(),
            )
            .unwrap()
        })
        .collect()
}

#[test]
fn over_ssh_the_terminal_is_asked() {
    let home = tempfile::tempdir().unwrap();
    // A forwarded display does not count: the person is not in front of it.
    let command = Command::new(home.path(), &["--demo"])
        .env("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 22")
        .env("DISPLAY", "localhost:10.0");
    let (mut terminal, token) = tokens(command);
    terminal.send("c");
    terminal.wait_for("Sent the access token to your terminal's clipboard (OSC 52). Your terminal may not support that.");
    assert_eq!(osc_52(&terminal.bytes()), [token]);
}

#[test]
fn terminals_that_would_print_it_get_no_sequence() {
    for term in ["linux", "vt100"] {
        let home = tempfile::tempdir().unwrap();
        let command = Command::new(home.path(), &["--demo"])
            .env("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 22")
            .env("TERM", term);
        let (mut terminal, _) = tokens(command);
        terminal.send("c");
        terminal.wait_for("The access token was not copied");
        assert!(
            !terminal.bytes().windows(4).any(|bytes| bytes == b"\x1b]52"),
            "{term}"
        );
    }
}

#[test]
fn the_plain_view_shows_the_value_alone() {
    let home = tempfile::tempdir().unwrap();
    let (mut terminal, token) = tokens(Command::new(home.path(), &["--demo"]));
    terminal.send("p");
    terminal.wait_for("Any key: back");
    assert_eq!(terminal.flat(), format!("{token} Any key: back"));
    terminal.send("x");
    terminal.wait_for("Access token");
    assert!(terminal.look(vt100::Screen::alternate_screen));
}

#[test]
fn a_value_larger_than_the_window_is_shown_outside_after_a_warning() {
    let home = tempfile::tempdir().unwrap();
    let provider = Provider::start(&[("DEVICE_INTERVAL", "1"), ("JWT_ACCESS_TOKENS", "1")]);
    let mut flags = provider.flags();
    flags.extend(["--client-id", "public-native", "--scope", "openid"].map(str::to_owned));
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let mut terminal = Command::new(home.path(), &flags).start();
    terminal.wait_for("[ Authorize ]");
    terminal.focus("Authorize");
    terminal.send(ENTER);
    terminal.wait_for("or open, code included");
    let url = terminal.url();
    person(&url, &[]);
    terminal.wait_for("Access token");
    terminal.resize(60, 10);
    terminal.wait_until("the narrow screen", |screen| {
        screen.contents_between(1, 0, 1, 60).trim().chars().count() == 58
    });
    terminal.send("p");
    terminal.wait_for("does not fit into this window");
    // The question stands on Back; nothing was shown yet.
    assert!(terminal.look(vt100::Screen::alternate_screen));
    terminal.send(RIGHT);
    terminal.send(ENTER);
    terminal.wait_until("the shell's screen", |screen| {
        !screen.alternate_screen() && screen.contents().contains("Any key: back")
    });
    // All of it was written in one piece, for the terminal to break.
    let bytes = String::from_utf8_lossy(&terminal.bytes()).into_owned();
    let shown = bytes
        .rsplit("\x1b[?1049l")
        .next()
        .unwrap()
        .split("\r\n")
        .next()
        .unwrap();
    assert!(
        shown.len() > 500 && shown.split('.').count() == 3 && shown.starts_with("ey"),
        "{shown:?}"
    );
    terminal.send("x");
    terminal.wait_until("our screen", vt100::Screen::alternate_screen);
    terminal.wait_for("Access token");
}
