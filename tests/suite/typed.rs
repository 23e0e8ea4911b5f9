//! What is typed where there is no screen: a secret, and the answer of a sign-in.

use crate::jobs::{assert_modes, kill, shell, start, wait_stopped};
use crate::scripted::{Reply, Scripted};
use crate::terminal::CTRL_C;

const CTRL_Z: &str = "\x1a";

/// A server that gives tokens for the code `true-code`, and for a device code with the secret `s3cr3t-typed`.
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
fn a_secret_is_not_shown_and_the_modes_are_given_back_at_every_end() {
    for name in ["bash", "dash"] {
        let (home, server) = (tempfile::tempdir().unwrap(), server());
        let mut terminal = shell(home.path(), name);
        let flags = flags(&server, "device-code").join(" ");
        let flags = format!(
            "{flags} --client-secret-stdin --client-authentication post --print access-token"
        );
        for end in ["stop", "Ctrl+C", "TERM", "HUP"] {
            let pid = start(&mut terminal, &flags);
            terminal.wait_for("It is not shown.");
            terminal.send("s3cr3t-");
            match end {
                "Ctrl+C" => terminal.send(CTRL_C),
                "stop" => {
                    terminal.send(CTRL_Z);
                    wait_stopped(pid);
                    assert_modes(&mut terminal);
                    terminal.send("fg\r");
                    terminal.wait_for("It is not shown.");
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
