//! Copies arrive complete, with each copy method.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command as Process, Stdio};

use base64::Engine;

use crate::scripted::{DeviceFlow, Scripted};
use crate::servers::{Provider, eventually, person, run};
use crate::terminal::{Command, ENTER, Terminal, base, program};

/// The sizes of a short, a usual and a very large token.
const SIZES: [usize; 3] = [20, 2_000, 70_000];
/// The message for a token that is too large for OSC 52.
const TOO_LARGE: &str = "The access token was not copied. Failed: the terminal's clipboard: it accepts at most 56244 bytes, but this has 70000. Use View alone to select the token with the mouse, or Save… to write it, or \
                         everything as JSON, to a file.";

/// A token of this size in which no two parts are equal, so that a missing part is noticed.
pub fn token(size: usize) -> String {
    let mut token: String = (0..)
        .map(|number| format!("{number}-"))
        .take(size)
        .collect();
    token.truncate(size);
    token
}

/// The command line of the program with a service that issues `token`, changed by `wrap`.
pub fn command(
    token: &str,
    wrap: impl FnOnce(Vec<String>) -> Vec<String>,
) -> (Vec<String>, Scripted) {
    let (server, flags) = DeviceFlow::giving(token).start();
    let mut line = vec![program().to_str().unwrap().to_owned()];
    line.extend(flags);
    (wrap(line), server)
}

/// The tokens of a service that issues `token`, in a terminal with these environment variables.
fn given(token: &str, env: &[(&str, &str)]) -> (Terminal, Scripted, tempfile::TempDir) {
    let home = tempfile::tempdir().unwrap();
    let (line, server) = command(token, |line| line);
    let flags: Vec<&str> = line[1..].iter().map(String::as_str).collect();
    let mut command = Command::new(home.path(), &flags);
    for (name, value) in env {
        command = command.env(name, value);
    }
    let mut terminal = command.start();
    authorize(&mut terminal);
    (terminal, server, home)
}

pub fn authorize(terminal: &mut Terminal) {
    terminal.wait_for("[a Authorize]");
    terminal.focus("Authorize");
    terminal.send(ENTER);
    terminal.wait_for("Access token");
}

/// The demo's tokens, and the access token as it is revealed.
pub fn tokens(command: Command) -> (Terminal, String) {
    let mut terminal = command.start();
    terminal.wait_for("[a Authorize]");
    terminal.send(ENTER);
    terminal.wait_for("Enter code");
    terminal.send("y");
    terminal.wait_for("Access token");
    terminal.send("r");
    terminal.wait_for("r Hide]");
    let token = terminal.revealed();
    (terminal, token)
}

/// An X server without a screen.
pub struct Xvfb(Child, pub String);

impl Drop for Xvfb {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Xvfb {
    pub fn start() -> Self {
        Self::start_by(&["Xvfb"])
    }

    /// Starts the server by this command.
    pub fn start_by(line: &[&str]) -> Self {
        let mut child = Process::new(line[0])
            .args(&line[1..])
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

    pub fn clipboard(&self) -> String {
        run(Process::new("xclip").args(["-o", "-selection", "clipboard", "-display", &self.1]))
    }
}

#[test]
fn desktop_clipboard_is_used_if_there_is_a_display() {
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
    // No part of it was sent to the terminal.
    assert!(osc_52(&terminal.bytes()).is_empty());
}

#[test]
fn the_user_code_and_the_url_are_copied() {
    let (home, x) = (tempfile::tempdir().unwrap(), Xvfb::start());
    let mut terminal = Command::new(home.path(), &["--demo"])
        .env("DISPLAY", &x.1)
        .start();
    terminal.wait_for("[a Authorize]");
    terminal.send(ENTER);
    terminal.wait_for("Enter code");
    terminal.send("c");
    terminal.wait_for("Copied the code");
    let code = x.clipboard();
    assert!(
        terminal.flat().contains(&format!("As text {code} ")),
        "{code}"
    );
    terminal.send("u");
    terminal.wait_for("Copied the URL");
    assert!(x.clipboard().ends_with("/device"), "{}", x.clipboard());
}

#[test]
fn unresponsive_display_is_reported_and_program_continues() {
    let home = tempfile::tempdir().unwrap();
    let command = Command::new(home.path(), &["--demo"]).env("DISPLAY", ":987");
    // This terminal is not known to support copying, so no method is left.
    let (mut terminal, _) = tokens(command.env("TERM", "linux"));
    terminal.send("c");
    terminal.wait_for("The access token was not copied. Failed: the desktop clipboard: ");
    terminal.send("w");
    terminal.wait_for("Any key: back");
}

#[test]
fn failed_desktop_clipboard_falls_back_to_terminal() {
    let token = token(2_000);
    let (mut terminal, _server, _home) = given(&token, &[("DISPLAY", ":987")]);
    terminal.send("c");
    terminal.wait_for("Sent the access token to your terminal's clipboard (OSC 52).");
    terminal.wait_for("Failed: the desktop clipboard: ");
    assert_eq!(osc_52(&terminal.bytes()), [token]);
}

#[test]
fn desktop_clipboard_accepts_any_size() {
    let x = Xvfb::start();
    for size in SIZES {
        let token = token(size);
        let (mut terminal, _server, _home) = given(&token, &[("DISPLAY", &x.1)]);
        terminal.send("c");
        terminal.wait_for("Copied the access token to the desktop clipboard.");
        assert!(x.clipboard() == token, "{size}");
    }
}

/// tmux with its default configuration, on its own socket.
pub struct Tmux(pub tempfile::TempDir);

impl Drop for Tmux {
    fn drop(&mut self) {
        let _ = self.tmux().arg("kill-server").output();
    }
}

impl Tmux {
    /// Starts tmux with `line` in a pane of 80x24.
    pub fn start(line: &[String]) -> Self {
        let tmux = Self(tempfile::tempdir().unwrap());
        let mut start = tmux.tmux();
        run(start
            .args(["new-session", "-d", "-x", "80", "-y", "24"])
            .args(line));
        tmux
    }

    pub fn socket(&self) -> String {
        self.0.path().join("socket").to_str().unwrap().to_owned()
    }

    pub fn tmux(&self) -> Process {
        let mut tmux = Process::new("tmux");
        tmux.env_clear()
            .envs(base(self.0.path()))
            .args(["-S", &self.socket(), "-f", "/dev/null"]);
        tmux
    }

    fn screen(&self) -> String {
        run(self.tmux().args(["capture-pane", "-p"]))
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    }

    pub fn wait_for(&self, text: &str) -> String {
        eventually(text, || {
            Some(self.screen()).filter(|screen| screen.contains(text))
        })
    }

    pub fn send(&self, key: &str) {
        run(self.tmux().args(["send-keys", key]));
    }

    /// Signs in and copies the access token.
    fn copy(&self) {
        self.authorize();
        self.wait_for("Access token");
        self.send("c");
    }

    /// Presses Authorize.
    pub fn authorize(&self) {
        self.wait_for("[a Authorize]");
        // Several keys in a row would be read as a paste, and a frame may be incomplete.
        let there = (0..60).any(|_| {
            let there = self.settled().starts_with("a Authorize");
            if !there {
                self.send("Tab");
            }
            there
        });
        assert!(there, "{}", self.screen());
        self.send("Enter");
    }

    /// The text from the cursor on, once the screen has stopped changing.
    fn settled(&self) -> String {
        let look = || {
            let at = run(self
                .tmux()
                .args(["display-message", "-p", "#{cursor_x} #{cursor_y}"]));
            (at, run(self.tmux().args(["capture-pane", "-p"])))
        };
        let mut seen = vec![look()];
        let (at, screen) = eventually("the screen at rest", || {
            let now = look();
            if *seen.last().unwrap() != now {
                seen.clear();
            }
            seen.push(now);
            (seen.len() > 4).then(|| seen.pop().unwrap())
        });
        let (x, y) = at.trim().split_once(' ').unwrap();
        let (x, y): (usize, usize) = (x.parse().unwrap(), y.parse().unwrap());
        let line = screen.lines().nth(y).unwrap_or_default();
        line.chars().skip(x).collect()
    }

    pub fn buffer(&self) -> Option<String> {
        let output = self.tmux().arg("show-buffer").output().unwrap();
        output
            .status
            .success()
            .then(|| String::from_utf8(output.stdout).unwrap())
    }
}

#[test]
fn tmux_buffer_accepts_any_size() {
    for size in SIZES {
        let token = token(size);
        let (line, _server) = command(&token, |line| line);
        let tmux = Tmux::start(&line);
        tmux.copy();
        tmux.wait_for("Copied the access token to the tmux buffer (paste: prefix ])");
        assert!(tmux.buffer() == Some(token), "{size}");
    }
}

#[test]
fn nested_tmux_forwards_copy_to_outer_tmux() {
    for size in SIZES {
        let token = token(size);
        let inner = Tmux(tempfile::tempdir().unwrap());
        let (line, _server) = command(&token, |line| {
            let start = ["env", "-u", "TMUX", "tmux", "-f", "/dev/null", "-S"];
            let mut start = start.map(str::to_owned).to_vec();
            start.extend([inner.socket(), "new-session".to_owned()]);
            start.extend(line);
            start
        });
        let outer = Tmux::start(&line);
        // With the default configuration, the outer tmux accepts no copies from the programs in it.
        outer.copy();
        outer.wait_for("Copied the access token to the tmux buffer (paste: prefix ])");
        run(outer.tmux().args(["set", "-s", "set-clipboard", "on"]));
        outer.send("h");
        outer.wait_for("Copied the Authorization header to the tmux buffer");
        let header = format!("Authorization: Bearer {token}");
        assert!(inner.buffer().as_deref() == Some(&header), "{size}");
        let handed_on = eventually("the outer tmux's buffer", || outer.buffer());
        assert!(handed_on == header, "{size}");
        // Copies arrive in order, so the first one would have arrived, too.
        let buffers = run(outer.tmux().args(["list-buffers", "-F", "#{buffer_size}"]));
        assert_eq!(buffers.lines().count(), 1, "{buffers}");
    }
}

/// Puts a script named `tmux` before the real one in the search path.
fn instead_of_tmux(script: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tmux");
    std::fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!(
        "PATH={}:{}",
        folder.path().display(),
        std::env::var("PATH").unwrap()
    );
    (folder, path)
}

#[test]
fn older_tmux_copies_only_to_its_buffer() {
    let real = run(Process::new("sh").args(["-c", "command -v tmux"]));
    // tmux 3.1 rejects a flag that it does not know in this way.
    let (_folder, path) = instead_of_tmux(&format!(
        "case \"$*\" in *-w*) echo 'usage: load-buffer [-b buffer-name] path' >&2; exit 1;; esac; exec {} \"$@\"",
        real.trim()
    ));
    let token = token(2_000);
    let (line, _server) = command(&token, |line| {
        let mut with_path = vec!["env".to_owned(), path];
        with_path.extend(line);
        with_path
    });
    let tmux = Tmux::start(&line);
    tmux.copy();
    tmux.wait_for("Copied the access token to the tmux buffer only (paste: prefix ]).");
    assert!(tmux.buffer() == Some(token));
}

#[test]
fn failed_tmux_buffer_falls_back_to_terminal_with_reason() {
    let (_folder, path) = instead_of_tmux("echo 'server exited unexpectedly' >&2; exit 1");
    let (line, _server) = command("a-token", |line| {
        let mut with_path = vec!["env".to_owned(), path];
        with_path.extend(line);
        with_path
    });
    let tmux = Tmux::start(&line);
    tmux.copy();
    tmux.wait_for("Sent the access token to your terminal's clipboard (OSC 52). tmux forwards it only if its option");
    tmux.wait_for("Failed: tmux's buffer: tmux said: server exited unexpectedly.");
    assert_eq!(tmux.buffer(), None);
}

#[test]
fn gnu_screen_forwards_copy_without_visible_output() {
    for size in SIZES {
        let home = tempfile::tempdir().unwrap();
        let sockets = tempfile::tempdir().unwrap();
        let token = token(size);
        let (line, _server) = command(&token, |line| line);
        let mut arguments = vec!["-c", "/dev/null", "-S", Screen::NAME];
        arguments.extend(line.iter().map(String::as_str));
        // screen requires that only the owner can use the folder of its sockets.
        std::fs::set_permissions(sockets.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        let mut terminal = Command::of("screen".as_ref(), home.path(), &arguments)
            .env("SCREENDIR", sockets.path())
            .start();
        let _session = Screen(sockets.path());
        authorize(&mut terminal);
        terminal.send("c");
        if size > 56_244 {
            terminal.wait_for(TOO_LARGE);
            assert!(osc_52(&terminal.bytes()).is_empty());
            continue;
        }
        terminal.wait_for("Sent the access token to your terminal's clipboard (OSC 52).");
        // screen forwards the sequence with a delay.
        let copied = eventually("the sequence", || {
            let copied = osc_52(&terminal.bytes());
            (!copied.is_empty()).then_some(copied)
        });
        assert!(copied == [token.clone()], "{size}");
        terminal.send("\x0c");
        terminal.settle();
        let encoded = base64::engine::general_purpose::STANDARD.encode(&token);
        let screen = terminal.screen();
        let parts = encoded.as_bytes().chunks(12).map(String::from_utf8_lossy);
        assert!(
            !screen.contains("52;c") && !parts.into_iter().any(|part| screen.contains(&*part)),
            "{screen}"
        );
    }
}

/// A session of GNU screen, with its sockets in this folder. It outlives its terminal, so it is ended on drop.
struct Screen<'a>(&'a Path);

impl Screen<'_> {
    const NAME: &'static str = "copy";
}

impl Drop for Screen<'_> {
    fn drop(&mut self) {
        let _ = Process::new("screen")
            .env("SCREENDIR", self.0)
            .args(["-S", Self::NAME, "-X", "quit"])
            .output();
    }
}

/// The texts of all complete OSC 52 sequences.
pub fn osc_52(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    text.split("\x1b]52;c;")
        .skip(1)
        .filter_map(|rest| rest.split_once('\x07'))
        .map(|(encoded, _)| {
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
fn copy_over_ssh_goes_to_the_terminal() {
    let home = tempfile::tempdir().unwrap();
    // A forwarded display does not count: it is not a desktop of this machine.
    let command = Command::new(home.path(), &["--demo"])
        .env("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 22")
        .env("DISPLAY", "localhost:10.0");
    let (mut terminal, token) = tokens(command);
    terminal.send("c");
    terminal.wait_for("Sent the access token to your terminal's clipboard (OSC 52). Delivery can't be confirmed, and not \
        every terminal supports this.");
    assert_eq!(osc_52(&terminal.bytes()), [token]);
}

#[test]
fn oversized_value_is_not_copied_over_ssh() {
    let ssh = ("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 22");
    for size in SIZES {
        let token = token(size);
        let (mut terminal, _server, _home) = given(&token, &[ssh]);
        terminal.send("c");
        if size > 56_244 {
            terminal.wait_for(TOO_LARGE);
            assert!(!terminal.bytes().windows(4).any(|bytes| bytes == b"\x1b]52"));
        } else {
            terminal.wait_for("Sent the access token to your terminal's clipboard (OSC 52).");
            assert!(osc_52(&terminal.bytes()) == [token], "{size}");
        }
    }
}

#[test]
fn terminals_without_copy_support_get_no_sequence() {
    for term in ["linux", "vt100"] {
        let home = tempfile::tempdir().unwrap();
        let command = Command::new(home.path(), &["--demo"])
            .env("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 22")
            .env("TERM", term);
        let (mut terminal, _) = tokens(command);
        terminal.send("c");
        terminal.wait_for("The access token was not copied");
        assert!(
            terminal.flat().contains("not known to support copying"),
            "{}",
            terminal.screen()
        );
        // No OSC sequence of any kind.
        assert!(
            !terminal.bytes().windows(2).any(|bytes| bytes == b"\x1b]"),
            "{term}"
        );
    }
}

#[test]
fn plain_view_shows_only_the_value() {
    let home = tempfile::tempdir().unwrap();
    let (mut terminal, token) = tokens(Command::new(home.path(), &["--demo"]));
    terminal.send("w");
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
    terminal.wait_for("[a Authorize]");
    terminal.focus("Authorize");
    terminal.send(ENTER);
    terminal.wait_for("With code");
    let url = terminal.url();
    person(&url, &[]);
    terminal.wait_for("Access token");
    terminal.resize(60, 10);
    terminal.wait_until("the narrow screen", |screen| {
        screen.contents_between(1, 0, 1, 60).trim().chars().count() == 58
    });
    terminal.send("w");
    terminal.wait_for("doesn't fit in this window");
    // The focus is on Back; the value has not been shown yet.
    assert!(terminal.look(vt100::Screen::alternate_screen));
    terminal.send("y");
    terminal.wait_until("the shell's screen", |screen| {
        !screen.alternate_screen() && screen.contents().contains("Any key: back")
    });
    // The value was written in one piece, for the terminal to wrap.
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
