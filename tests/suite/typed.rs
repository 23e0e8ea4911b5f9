//! Input without the full-screen interface: a secret, and the redirect of a sign-in.

use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::jobs::{assert_modes, kill, shell, start, wait_stopped};
use crate::scripted::{DeviceFlow, Reply, Scripted};
use crate::terminal::{CTRL_C, Command, Terminal, program};

const CTRL_D: &str = "\x04";
const CTRL_U: &str = "\x15";
const CTRL_Z: &str = "\x1a";

/// The length of a secret that the system's line mode would cut.
const LONG: usize = 6000;

/// A server that issues tokens for the code `true-code`, and for a device code with the secret `s3cr3t-typed` or a long
/// one.
fn server() -> Scripted {
    Scripted::start(|request| {
        let has = |name: &str, value: &str| request.form.get(name).is_some_and(|is| is == value);
        if request.path == "/device" {
            return Reply::json(
                200,
                r#"{"device_code":"d","user_code":"U","verification_uri":"https://as.example/","interval":1}"#,
            );
        }
        let is_long = request
            .form
            .get("client_secret")
            .is_some_and(|secret| *secret == "x".repeat(LONG));
        if has("code", "true-code") || has("client_secret", "s3cr3t-typed") || is_long {
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
    // Also by the keys of a terminal that another program left in a mode of its own.
    let other = [
        "\x1b[99;5u",
        "\x1b[27;5;99~",
        "\x1b[100;5u",
        "quit\x1b[57414u",
    ];
    for typed in [CTRL_D, "Exit\r", "quit\r"].into_iter().chain(other) {
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
        let is_signal = typed.ends_with("99;5u") || typed.ends_with("99~");
        let told = ["You quit before", "was interrupted"][usize::from(is_signal)];
        assert!(terminal.flat().contains(told), "{}", terminal.screen());
    }
}

/// A server whose device codes are approved once the flag is set.
fn approved_later() -> (Scripted, Arc<AtomicBool>) {
    let approved = Arc::new(AtomicBool::new(false));
    let is_approved = Arc::clone(&approved);
    let server = Scripted::start(move |request| {
        if request.path == "/device" {
            return Reply::json(
                200,
                r#"{"device_code":"d","user_code":"U","verification_uri":"https://as.example/","interval":1}"#,
            );
        }
        if is_approved.load(Ordering::SeqCst) {
            return Reply::json(200, r#"{"access_token":"the-token","token_type":"Bearer"}"#);
        }
        Reply::json(400, r#"{"error":"authorization_pending"}"#)
    });
    (server, approved)
}

#[test]
fn wait_for_a_device_code_can_be_ended() {
    for typed in [CTRL_D, "quit\r", "abc\x1b[99;5u", "\x1b[27;5;99~"] {
        let (home, (server, _)) = (tempfile::tempdir().unwrap(), approved_later());
        let flags = flags(&server, "device-code");
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let mut terminal = Command::new(home.path(), &flags).start();
        terminal.wait_for("polled:");
        terminal.send(typed);
        assert_eq!(terminal.wait_exit().exit_code(), 130);
        terminal.assert_restored();
    }
}

#[test]
fn earlier_input_does_not_answer_the_question_about_tokens() {
    let (home, (server, approved)) = (tempfile::tempdir().unwrap(), approved_later());
    let flags = flags(&server, "device-code");
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let mut terminal = Command::new(home.path(), &flags).start();
    terminal.wait_for("polled:");
    terminal.send("access-token\rjson");
    terminal.wait_for("refused: a line");
    approved.store(true, Ordering::SeqCst);
    terminal.wait_for("Enter quit to exit without printing.");
    // On a line that is not empty, Ctrl+D does not end the input.
    terminal.send("\racc\x04\x04\r");
    terminal.wait_for("Unknown choice.");
    assert!(!terminal.screen().contains("the-token"));
    terminal.send("\x1b[[Aaccess-token\r");
    terminal.wait_for("the-token");
    terminal.send(CTRL_D);
    assert_eq!(terminal.wait_exit().exit_code(), 0);
    terminal.assert_restored();
}

#[test]
fn typed_secret_with_a_wrong_character_is_asked_for_again() {
    let (home, server) = (tempfile::tempdir().unwrap(), server());
    let mut given = flags(&server, "device-code");
    let more = "--client-secret-stdin --client-authentication post --print access-token";
    given.extend(more.split(' ').map(str::to_owned));
    let flags: Vec<&str> = given.iter().map(String::as_str).collect();
    let mut terminal = Command::new(home.path(), &flags).start();
    terminal.wait_for("It is not echoed.");
    terminal.send_bytes(b"s\xe9cret\r");
    terminal.wait_for("the terminal doesn't send UTF-8");
    terminal.send("s\u{200b}cret\r");
    terminal.wait_for("character 2 is an invisible character (U+200B)");
    terminal.paste("s3cr3t-typed");
    terminal.send("\r");
    terminal.wait_for("the-token");
    assert_eq!(terminal.wait_exit().exit_code(), 0);
    terminal.assert_restored();
}

#[test]
fn prompt_for_a_secret_hears_the_keys_of_another_mode() {
    let (home, server) = (tempfile::tempdir().unwrap(), server());
    let mut given = flags(&server, "device-code");
    let more = "--client-secret-stdin --client-authentication post --print access-token";
    given.extend(more.split(' ').map(str::to_owned));
    let flags: Vec<&str> = given.iter().map(String::as_str).collect();
    let start = || {
        let terminal = Command::new(home.path(), &flags).start();
        terminal.wait_for("It is not echoed.");
        terminal
    };
    let mut terminal = start();
    terminal.send("s3cr\x1b[99;5u");
    assert_eq!(terminal.wait_exit().exit_code(), 130);
    terminal.assert_restored();
    let mut terminal = start();
    terminal.send("wrong\x1b[117;5us3cr3t-typee\x1b[127u\x1b[100u\x1b[13u");
    terminal.wait_for("the-token");
    assert_eq!(terminal.wait_exit().exit_code(), 0);
    terminal.assert_restored();
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

/// Starts the program with these flags from a shell, after `before`, with output redirected as in `redirected`.
fn after(before: &str, home: &Path, flags: &[String], redirected: &str) -> Terminal {
    let program = program();
    let line = format!(
        "{before}; exec {} {} {redirected}",
        program.display(),
        flags.join(" ")
    );
    Command::of("sh".as_ref(), home, &["-c", &line]).start()
}

/// Returns the part of the output between `before` and the end of the word.
fn told(terminal: &Terminal, before: &str) -> String {
    let text = String::from_utf8(terminal.bytes()).unwrap();
    let rest = text.split(before).nth(1).unwrap();
    rest.split(['&', ' ', '\r', '\n'])
        .next()
        .unwrap()
        .to_owned()
}

#[test]
fn prompts_work_on_a_terminal_in_raw_mode() {
    for modes in ["stty raw -echo", "stty -icrnl"] {
        let (home, server) = (tempfile::tempdir().unwrap(), server());
        let mut given = flags(&server, "device-code");
        let more = "--client-secret-stdin --client-authentication post --print access-token";
        given.push(more.to_owned());
        let mut terminal = after(modes, home.path(), &given, "");
        terminal.wait_for("It is not echoed.");
        terminal.send(&format!("{}\r", "x".repeat(LONG)));
        assert_eq!(terminal.wait_exit().exit_code(), 0, "{}", terminal.screen());
        assert!(terminal.screen().contains("the-token"));

        let given = flags(&server, "authorization-code");
        let mut terminal = after(modes, home.path(), &given, "");
        terminal.wait_for("Open the URL in a browser.");
        terminal.send("wrong\r");
        terminal.wait_for("refused:");
        let state = told(&terminal, "state=");
        terminal.send(&format!("?code=true-code&state={state}\r"));
        terminal.wait_for("Enter quit to exit without printing.");
        terminal.send("access-token\r");
        terminal.wait_for("the-token");
        terminal.send(CTRL_C);
        assert_eq!(terminal.wait_exit().exit_code(), 130);
    }
}

#[test]
fn messages_appear_above_the_line_that_is_typed() {
    for term in ["xterm", "dumb"] {
        let (home, server) = (tempfile::tempdir().unwrap(), server());
        let flags = flags(&server, "authorization-code");
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let mut terminal = Command::new(home.path(), &flags).env("TERM", term).start();
        terminal.wait_for("Open the URL in a browser.");
        let address = told(&terminal, "listening: ");
        // More than a row.
        let typed = format!("http://127.0.0.1:1/cb?code={}", "abcdefghij".repeat(9));
        terminal.send(&typed);
        terminal.wait_until("the typed text", |screen| {
            screen.contents().replace('\n', "").ends_with(&typed)
        });
        let mut stray = TcpStream::connect(&address).unwrap();
        write!(stray, "GET /stray HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
        terminal.wait_until("a message above the text", |screen| {
            let text = screen.contents().replace('\n', "");
            text.ends_with(&format!("does not belong to this sign-in{typed}"))
        });
        if term == "xterm" {
            assert_eq!(terminal.flat().matches("code=abc").count(), 1);
            terminal.send(CTRL_U);
            terminal.wait_until("no typed text", |screen| {
                let text = screen.contents();
                text.trim_end().ends_with("does not belong to this sign-in")
            });
        }
        terminal.send(CTRL_C);
        assert_eq!(terminal.wait_exit().exit_code(), 130);
        terminal.assert_restored();
    }
}

#[test]
fn result_that_can_not_be_printed_is_not_lost() {
    let home = tempfile::tempdir().unwrap();
    let (_server, mut flags) = DeviceFlow::giving("the-token").start();
    flags.extend(["--plain", "--print", "access-token"].map(str::to_owned));
    let flags: Vec<String> = flags.iter().map(|flag| format!("'{flag}'")).collect();
    for choice in ["quit", "save tokens.json"] {
        let mut terminal = after("true", home.path(), &flags, ">/dev/full");
        terminal.wait_for("The program still has the tokens.");
        terminal.send("json\r");
        terminal.wait_until("the error again", |screen| {
            screen.contents().matches("could not be printed").count() == 2
        });
        terminal.send(&format!("{choice}\r"));
        assert_eq!(terminal.wait_exit().exit_code(), 1, "{choice}");
        assert!(!terminal.screen().contains("the-token"));
    }
    let saved = std::fs::read_to_string(home.path().join("tokens.json")).unwrap();
    assert!(saved.contains("\"the-token\""), "{saved}");
}

#[test]
fn result_that_can_not_be_printed_stays_on_the_screen() {
    let home = tempfile::tempdir().unwrap();
    let flags = ["--demo", "--flow", "device-code", "--no-browser"];
    let flags: Vec<String> = [&flags[..], &["--print", "access-token"]]
        .concat()
        .iter()
        .map(|flag| (*flag).to_owned())
        .collect();
    let mut terminal = after("true", home.path(), &flags, ">/dev/full");
    terminal.wait_for("▸[a Authorize]");
    terminal.send("a");
    terminal.wait_for("[y");
    terminal.send("y");
    terminal.wait_for("The result could not be printed");
    terminal.wait_for("Access token");
    terminal.send(CTRL_C);
    terminal.wait_for("Quit");
    terminal.send(CTRL_C);
    assert_eq!(terminal.wait_exit().exit_code(), 1);
    terminal.assert_restored();
    // A file that can be written gets the result.
    let mut terminal = after("true", home.path(), &flags, ">token");
    terminal.wait_for("▸[a Authorize]");
    terminal.send("a");
    terminal.wait_for("[y");
    terminal.send("y");
    assert_eq!(terminal.wait_exit().exit_code(), 0);
    terminal.assert_restored();
    let token = std::fs::read_to_string(home.path().join("token")).unwrap();
    assert!(token.trim_end().len() > 10, "{token}");
}
