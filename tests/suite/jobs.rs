//! The program as a job of a shell: stopped, continued, in the background; and without a controlling terminal.

use std::path::Path;

use crate::scripted::{Reply, Scripted};
use crate::servers::{eventually, run};
use crate::terminal::{CTRL_C, Command, ENTER, TAB, Terminal, is_focused, program};

const CTRL_D: &str = "\x04";
const CTRL_Z: &str = "\x1a";

pub fn shell(home: &Path, name: &str) -> Terminal {
    let flags: &[&str] = if name == "bash" {
        &["--norc", "--noprofile", "-i"]
    } else {
        &["-i"]
    };
    let mut terminal = Command::of(&Path::new("/bin").join(name), home, flags)
        .env("PS1", "shell> ")
        .start();
    terminal.wait_for("shell>");
    store_modes(&mut terminal);
    terminal
}

/// Prints the modes of the terminal, without the size of the window.
const MODES: &str = "stty -a | grep -v rows";

fn store_modes(terminal: &mut Terminal) {
    // A program that was stopped without warning leaves its screen behind.
    terminal.send(&format!("clear; {MODES} > before && echo stored\r"));
    terminal.wait_until("the modes to be stored", |screen| {
        let shown = screen.contents();
        shown.split_whitespace().eq(["stored", "shell>"])
    });
}

/// Checks that the modes of the terminal are the stored ones.
pub fn assert_modes(terminal: &mut Terminal) {
    terminal.send("clear\r");
    terminal.wait_until("an empty screen", |screen| {
        screen.contents().trim() == "shell>"
    });
    terminal.send(&format!("{MODES} | cmp - before && echo same\r"));
    terminal.wait_for("echo same same shell>");
}

pub fn start(terminal: &mut Terminal, flags: &str) -> u32 {
    terminal.send(&format!("{} {flags}\r", program().display()));
    let shell = terminal.pid();
    eventually("the program", || {
        let children = format!("/proc/{shell}/task/{shell}/children");
        let children = std::fs::read_to_string(children).unwrap();
        let child = children.split_whitespace().last()?.parse::<u32>().ok()?;
        let name = std::fs::read_to_string(format!("/proc/{child}/comm")).ok()?;
        name.starts_with("oauth-auth").then_some(child)
    })
}

fn state(pid: u32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

pub fn wait_stopped(pid: u32) {
    eventually("the stop", || (state(pid) == Some('T')).then_some(()));
}

pub fn kill(signal: &str, target: &str) {
    run(std::process::Command::new("kill").args(["-s", signal, "--", target]));
}

/// Checks that the form is on the screen and reacts to keys.
fn assert_works(terminal: &mut Terminal) {
    terminal.wait_until("our screen", |screen| {
        screen.alternate_screen() && screen.contents().contains("[a Authorize]")
    });
    let text = format!("typed-{}", terminal.written());
    terminal.focus("Client ID");
    terminal.send(&text);
    terminal.wait_for(&text);
}

#[test]
fn program_resumes_after_external_stop_signal() {
    for signal in ["TSTP", "STOP", "TTIN", "TTOU"] {
        for group in [false, true] {
            let home = tempfile::tempdir().unwrap();
            let mut terminal = shell(home.path(), "bash");
            let pid = start(&mut terminal, "--preset github");
            assert_works(&mut terminal);
            let target = format!("{}{pid}", if group { "-" } else { "" });
            kill(signal, &target);
            wait_stopped(pid);
            terminal.wait_for("Stopped");
            if signal == "TSTP" {
                terminal.look(|screen| {
                    assert!(!screen.alternate_screen() && !screen.hide_cursor());
                });
                assert_modes(&mut terminal);
            }
            // Another program has changed the modes meanwhile.
            terminal.send("stty sane; stty erase ^H\r");
            store_modes(&mut terminal);
            terminal.send("fg\r");
            assert_works(&mut terminal);
            // Also when no other program has used the terminal.
            kill("STOP", &target);
            wait_stopped(pid);
            kill("CONT", &target);
            terminal.send("fg\r");
            assert_works(&mut terminal);
            terminal.send(CTRL_C);
            terminal.wait_until("the shell", |screen| !screen.alternate_screen());
            terminal.wait_for("shell>");
            assert_modes(&mut terminal);
        }
    }
}

#[test]
fn dash_can_suspend_and_resume_the_program_repeatedly() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = shell(home.path(), "dash");
    let pid = start(&mut terminal, "--preset github");
    assert_works(&mut terminal);
    for _ in 0..2 {
        terminal.send(CTRL_Z);
        wait_stopped(pid);
        terminal.wait_until("the shell", |screen| !screen.alternate_screen());
        assert_modes(&mut terminal);
        terminal.send("fg\r");
        assert_works(&mut terminal);
    }
    terminal.send(CTRL_C);
    terminal.wait_until("the shell", |screen| !screen.alternate_screen());
    assert_modes(&mut terminal);
}

#[test]
fn background_program_leaves_the_terminal_alone() {
    for signal in ["TSTP", "STOP"] {
        for end in [false, true] {
            let home = tempfile::tempdir().unwrap();
            let mut terminal = shell(home.path(), "bash");
            let pid = start(&mut terminal, "--preset github");
            assert_works(&mut terminal);
            kill(signal, &pid.to_string());
            wait_stopped(pid);
            terminal.wait_for("Stopped");
            terminal.send("bg\r");
            terminal.wait_until("the shell's screen", |screen| !screen.alternate_screen());
            eventually("the program going on", || {
                (state(pid) == Some('S')).then_some(())
            });
            // Typed text goes to the shell, also after the window has changed.
            terminal.resize(90, 30);
            terminal.send("echo typed\r");
            terminal.wait_for("echo typed typed");
            assert_eq!(state(pid), Some('S'));
            assert_modes(&mut terminal);
            if end {
                kill("TERM", &pid.to_string());
                terminal.send(&format!("wait {pid}; echo code $?\r"));
                terminal.wait_for("code 130");
                terminal.look(|screen| assert!(!screen.alternate_screen()));
                assert_modes(&mut terminal);
                continue;
            }
            terminal.send("fg\r");
            assert_works(&mut terminal);
            terminal.look(|screen| assert!(screen.contents().lines().count() > 24));
        }
    }
}

#[test]
fn program_does_not_suspend_without_a_job_control_shell() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = Command::new(home.path(), &["--preset", "github"]).start();
    assert_works(&mut terminal);
    for outside in [false, true] {
        let before = terminal.written();
        if outside {
            terminal.signal("TSTP");
        } else {
            terminal.send(CTRL_Z);
        }
        terminal.wait_written(before);
        assert_works(&mut terminal);
    }
    terminal.send(CTRL_C);
    assert_eq!(terminal.wait_exit().exit_code(), 0);
    terminal.assert_restored();
}

#[test]
fn plain_view_can_be_closed_after_suspend() {
    for (token, fits) in [("the-token".to_owned(), true), ("t".repeat(3000), false)] {
        let home = tempfile::tempdir().unwrap();
        let reply = format!(r#"{{"access_token":"{token}","token_type":"Bearer"}}"#);
        let server = Scripted::start(move |request| {
            let device = r#"{"device_code":"d","user_code":"U","verification_uri":"https://as.example/","interval":1}"#;
            let is_device = request.path == "/device";
            Reply::json(200, if is_device { device } else { &reply })
        });
        let mut terminal = shell(home.path(), "bash");
        let pid = start(&mut terminal, &flags(&server, "device-code"));
        terminal.wait_for("[a Authorize]");
        terminal.focus("Authorize");
        terminal.send(ENTER);
        terminal.wait_for("Access token");
        terminal.send("w");
        if !fits {
            terminal.wait_for("doesn't fit in this window");
            terminal.send("y");
        }
        terminal.wait_for("Any key: back");
        kill("TSTP", &pid.to_string());
        wait_stopped(pid);
        terminal.wait_for("Stopped");
        terminal.send("clear\r");
        terminal.wait_until("an empty screen", |screen| {
            screen.contents().trim() == "shell>"
        });
        terminal.send("fg\r");
        terminal.wait_until("the value, and the way back", |screen| {
            let contents = screen.contents();
            screen.alternate_screen()
                && contents.contains("Any key: back")
                && contents.contains(&token) == fits
        });
        terminal.send("x");
        terminal.wait_for("Access token");
    }
}

/// A server that issues tokens for the code `true-code`, and for a device code at once.
fn server() -> Scripted {
    Scripted::start(|request| {
        if request.path == "/device" {
            return Reply::json(
                200,
                r#"{"device_code":"d","user_code":"U","verification_uri":"https://as.example/","interval":1}"#,
            );
        }
        Reply::json(200, r#"{"access_token":"the-token","token_type":"Bearer"}"#)
    })
}

fn flags(server: &Scripted, flow: &str) -> String {
    let url = &server.url;
    format!(
        "--client-id me --no-browser --flow {flow} --authorization-url {url}/authorize --device-url {url}/device \
         --token-url {url}/token"
    )
}

#[test]
fn plain_mode_restores_modes_and_repeats_prompt_after_suspend() {
    for name in ["bash", "dash"] {
        let (home, server) = (tempfile::tempdir().unwrap(), server());
        let mut terminal = shell(home.path(), name);
        let pid = start(
            &mut terminal,
            &format!("--plain {}", flags(&server, "authorization-code")),
        );
        terminal.wait_for("Open the URL in a browser.");
        let screen = terminal.screen().replace('\n', "");
        let state = screen.split("state=").nth(1).unwrap();
        let state = state.split(['&', ' ']).next().unwrap().to_owned();
        // Stop the program while it waits for a long pasted line.
        terminal.send(CTRL_Z);
        wait_stopped(pid);
        assert_modes(&mut terminal);
        terminal.send("fg\r");
        terminal.wait_for("oauth-authorizer");
        terminal.settle();
        let padding = "p".repeat(6000);
        terminal.send(&format!(
            "?padding={padding}&code=true-code&state={state}\r"
        ));
        terminal.wait_for("Enter quit to exit without printing.");
        terminal.send(CTRL_Z);
        wait_stopped(pid);
        assert_modes(&mut terminal);
        terminal.send("fg\r");
        terminal.wait_for("Enter quit to exit without printing.");
        // Arrow keys are not a part of the input.
        terminal.send("\x1b[A\x1bOBACCESS-TOKEN\x1b[D\r");
        terminal.wait_for("the-token");
        terminal.send(CTRL_D);
        terminal.settle();
        assert_modes(&mut terminal);
    }
}

#[test]
fn plain_mode_in_background_waits_for_the_terminal() {
    let (home, server) = (tempfile::tempdir().unwrap(), server());
    let mut terminal = shell(home.path(), "bash");
    let pid = start(
        &mut terminal,
        &format!("--plain {}", flags(&server, "device-code")),
    );
    terminal.wait_for("Enter quit to exit without printing.");
    terminal.send(CTRL_Z);
    wait_stopped(pid);
    terminal.send("bg\r");
    eventually("the program going on", || {
        (state(pid) == Some('S')).then_some(())
    });
    terminal.send("echo typed\r");
    terminal.wait_for("echo typed typed");
    assert_eq!(state(pid), Some('S'));
    assert_modes(&mut terminal);
    terminal.send("fg\r");
    terminal.wait_for("Enter quit to exit without printing.");
    terminal.send(CTRL_C);
    terminal.wait_for("The program was interrupted.");
    terminal.send("echo code $?\r");
    terminal.wait_for("code 130");
    assert_modes(&mut terminal);
}

#[test]
fn screen_uses_terminal_of_a_stream_without_controlling_terminal() {
    for redirected in ["", "</dev/null", "2>/dev/null"] {
        let (home, server) = (tempfile::tempdir().unwrap(), server());
        let script = format!(
            "T=$(setsid -w {} {} --print access-token {redirected}); echo \"got $T, $?\"",
            program().display(),
            flags(&server, "device-code")
        );
        let mut terminal = Command::of(Path::new("/bin/sh"), home.path(), &["-c", &script]).start();
        terminal.wait_for("[a Authorize]");
        if redirected.is_empty() {
            // Without a controlling terminal, no signal reports the new size.
            terminal.resize(100, 30);
            terminal.wait_until("the new size", |screen| {
                let contents = screen.contents();
                let columns = contents.lines().map(|line| line.trim_end().chars().count());
                contents.contains("[a Authorize]") && columns.max() > Some(80)
            });
        }
        terminal.focus("Authorize");
        terminal.send(ENTER);
        terminal.wait_for("got the-token, 0");
        assert_eq!(terminal.wait_exit().exit_code(), 0);
        terminal.assert_restored();
    }
}

#[test]
fn read_only_terminal_stream_is_reopened_for_writing() {
    let home = tempfile::tempdir().unwrap();
    let script = format!("{} --preset github <$(tty) >out 2>&1", program().display());
    let mut terminal = Command::of(Path::new("/bin/bash"), home.path(), &["-c", &script]).start();
    assert_works(&mut terminal);
    terminal.send(TAB);
    terminal.wait_until("the next item", |screen| !is_focused(screen, "Client ID"));
    terminal.send(CTRL_C);
    terminal.wait_exit();
    terminal.assert_restored();
    assert_eq!(
        std::fs::read_to_string(home.path().join("out")).unwrap(),
        ""
    );
}

#[test]
fn program_started_in_background_waits_for_foreground() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = shell(home.path(), "bash");
    let pid = start(&mut terminal, "--preset github &");
    wait_stopped(pid);
    terminal.send("echo typed\r");
    terminal.wait_for("echo typed typed");
    terminal.send("fg\r");
    assert_works(&mut terminal);
    terminal.send(CTRL_C);
    terminal.wait_until("the shell", |screen| !screen.alternate_screen());
    assert_modes(&mut terminal);
    assert!(!Path::new(&format!("/proc/{pid}")).exists());
}
