//! Input without the full-screen interface: a secret, and the redirect of a sign-in.

use crate::jobs::{assert_modes, kill, shell, start, wait_stopped};
use crate::scripted::{Reply, Scripted};
use crate::terminal::{CTRL_C, Command};

const CTRL_D: &str = "\x04";
const CTRL_U: &str = "\x15";
const CTRL_Z: &str = "\x1a";

/// A server that issues tokens for the code `true-code`, and for a device code with the secret `s3cr3t-typed`.
fn server() -> Scripted {
    Scripted::start(|request| {
        let has = |name: &str, value: &str| request.form.get(name).is_some_and(|is| is == value);
        if request.path == "/device" {
            return Reply::json(
                200,
                r#"{"device_code":"d","user_code":"U","verification_uri":"https://as.example/","interval":1}"#,
            );
        }
        if has("code", "true-code") || has("client_secret", "s3cr3t-typed") {
            return Reply::json(200, r#"{"access_token":"the-token","token_type":"Bearer"}"#);
        }
        Reply::json(400, r#"{"error":"invalid_grant"}"#)
    })
}

fn flags(server: &Scripted, flow: &str) -> Vec<String> {
    let mut flags: Vec<String> = [
        ("device", "device"),
        ("token", "token"),
        ("authorization", "authorize"),
    ]
    .iter()
    .flat_map(|(name, path)| [format!("--{name}-url"), format!("{}/{path}", server.url)])
    .collect();
    let more = [
        "--plain",
        "--no-browser",
        "--client-id",
        "me",
        "--flow",
        flow,
    ];
    flags.extend(more.map(str::to_owned));
    flags
}

#[test]
fn secret_is_not_echoed_and_modes_are_restored() {
    for name in ["bash", "dash"] {
        let (home, server) = (tempfile::tempdir().unwrap(), server());
        let mut terminal = shell(home.path(), name);
        let flags = flags(&server, "device-code").join(" ");
        let flags = format!(
            "{flags} --client-secret-stdin --client-authentication post --print access-token"
        );
        for end in ["stop", "Ctrl+C", "TERM", "HUP"] {
            let pid = start(&mut terminal, &flags);
            terminal.wait_for("It is not echoed.");
            terminal.send("s3cr3t-");
            terminal.settle();
            match end {
                "Ctrl+C" => terminal.send(CTRL_C),
                "stop" => {
                    terminal.send(CTRL_Z);
                    wait_stopped(pid);
                    assert_modes(&mut terminal);
                    terminal.send("fg\r");
                    terminal.wait_for("It is not echoed.");
                    terminal.send("s3cr3t-typed\r");
                    terminal.wait_for("the-token");
                }
                signal => kill(signal, &pid.to_string()),
            }
            let code = if end == "stop" { 0 } else { 130 };
            if code != 0 {
                terminal.wait_for("The program was interrupted.");
            }
            terminal.send("echo code $?\r");
            terminal.wait_for(&format!("code {code}"));
            assert_modes(&mut terminal);
        }
        let bytes = String::from_utf8_lossy(&terminal.bytes()).into_owned();
        assert!(!bytes.contains("s3cr3t"), "{bytes}");
    }
}

/// Only bash sets its own modes again if a program has not restored them.
#[test]
fn terminal_modes_are_restored_after_sigstop() {
    let secret = ["--client-secret-stdin", "--client-authentication", "post"];
    for (name, background) in [
        ("bash", false),
        ("bash", true),
        ("dash", false),
        ("dash", true),
    ] {
        for (flow, more, told) in [
            ("device-code", &secret[..], "It is not echoed."),
            ("authorization-code", &[], "Open the URL in a browser."),
        ] {
            let (home, server) = (tempfile::tempdir().unwrap(), server());
            let mut terminal = shell(home.path(), name);
            let mut flags = flags(&server, flow);
            flags.extend(more.iter().map(|&flag| flag.to_owned()));
            let pid = start(&mut terminal, &flags.join(" "));
            terminal.wait_for(told);
            kill("STOP", &pid.to_string());
            wait_stopped(pid);
            terminal.wait_for("Stopped");
            if background {
                let before = terminal.written();
                terminal.send("bg\r");
                terminal.wait_written(before);
            }
            if name == "bash" {
                assert_modes(&mut terminal);
            }
            let before = terminal.written();
            terminal.send("fg\r");
            terminal.wait_written(before);
            terminal.send(CTRL_C);
            terminal.wait_for("The program was interrupted.");
            assert_modes(&mut terminal);
        }
    }
}

#[test]
fn line_editing_works_while_waiting_for_a_redirect() {
    let (home, server) = (tempfile::tempdir().unwrap(), server());
    let flags = flags(&server, "authorization-code");
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let mut terminal = Command::new(home.path(), &flags).start();
    terminal.wait_for("Open the URL in a browser.");
    let url = terminal.screen().replace('\n', "");
    let state = url.split("state=").nth(1).unwrap();
    let state = state.split(['&', ' ']).next().unwrap().to_owned();
    for (typed, shown) in [
        ("abx\x7fc", "abc"),
        ("\x1b[D\x1b[3~é\x08d", "abcd"),
        (" two\x17e", "abcd e"),
    ] {
        terminal.send(typed);
        terminal.wait_until(shown, |screen| {
            screen.contents().trim_end().lines().last() == Some(shown)
        });
    }
    terminal.send(CTRL_U);
    terminal.send(&format!(
        "?x={}&code=true-code&state={state}\r",
        "x".repeat(6000)
    ));
    terminal.wait_for("Enter quit to exit without printing.");
    terminal.send("access-token\r");
    terminal.wait_for("the-token");
    terminal.send(CTRL_D);
    assert_eq!(terminal.wait_exit().exit_code(), 0);
    terminal.assert_restored();
}

#[test]
fn wait_for_a_redirect_can_be_ended() {
    for typed in [CTRL_D, "Exit\r", "quit\r"] {
        let (home, server) = (tempfile::tempdir().unwrap(), server());
        let flags = flags(&server, "authorization-code");
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let mut terminal = Command::new(home.path(), &flags).start();
        terminal.wait_for("Open the URL in a browser.");
        // On a line that is not empty, Ctrl+D does not end the input.
        terminal.send("wrong\x04\r");
        terminal.wait_for("refused:");
        terminal.send(typed);
        assert_eq!(terminal.wait_exit().exit_code(), 130);
        terminal.assert_restored();
    }
}

#[test]
fn overlong_line_is_dropped_and_reported() {
    let (home, server) = (tempfile::tempdir().unwrap(), server());
    let flags = flags(&server, "authorization-code");
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let mut terminal = Command::new(home.path(), &flags).start();
    terminal.wait_for("Open the URL in a browser.");
    terminal.send(&format!("{}\r", "x".repeat(140_000)));
    terminal.wait_for("refused: a paste: it is longer than 128 KiB");
    terminal.send(CTRL_C);
    assert_eq!(terminal.wait_exit().exit_code(), 130);
    terminal.assert_restored();
}
