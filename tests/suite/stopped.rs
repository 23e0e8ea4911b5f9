//! The terminal accepts no output for a while, as after Ctrl+S, with a selection in a console, or on a dead connection:
//! the sign-in continues, a signal or Ctrl+C ends the program, and nothing is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use base64::Engine;

use crate::scripted::{Reply, Scripted};
use crate::servers::{eventually, free_port, get};
use crate::terminal::{CTRL_C, Command, ENTER, Terminal};

/// How long the terminal accepts no output.
const STOPPED: Duration = Duration::from_secs(20);

/// What "at once" means on a machine that may be busy, with the time that the terminal has for the last bytes.
const AT_ONCE: Duration = Duration::from_secs(8);

/// Starts a device code sign-in, with a poll each second, at a server that approves once the flag is set.
fn device(home: &tempfile::TempDir) -> (Terminal, Scripted, Arc<AtomicBool>) {
    let approved = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&approved);
    let server = Scripted::start(move |request| match request.path.as_str() {
        "/device" => Reply::json(
            200,
            r#"{"device_code":"d","user_code":"WDJB-MJHT","expires_in":600,"interval":1,
                "verification_uri":"https://as.example/device"}"#,
        ),
        _ if told.load(Ordering::SeqCst) => Reply::json(
            200,
            r#"{"access_token":"the-access-token","token_type":"Bearer","expires_in":3600}"#,
        ),
        _ => Reply::json(400, r#"{"error":"authorization_pending"}"#),
    });
    let device = format!("{}/device", server.url);
    let token = format!("{}/token", server.url);
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
    terminal.wait_for("WDJB-MJHT");
    (terminal, server, approved)
}

/// Starts a sign-in in the browser that redirects to this port.
fn browser(home: &tempfile::TempDir, port: u16) -> (Terminal, Scripted) {
    let server = Scripted::start(|_| {
        Reply::json(
            200,
            r#"{"access_token":"the-access-token","token_type":"Bearer","expires_in":3600}"#,
        )
    });
    let authorize = format!("http://127.0.0.1:{port}/authorize");
    let token = format!("{}/token", server.url);
    let redirect = format!("http://127.0.0.1:{port}/callback");
    let flags = [
        "--flow",
        "authorization-code",
        "--client-id",
        "me",
        "--authorization-url",
        &authorize,
        "--token-url",
        &token,
        "--redirect-url",
        &redirect,
    ];
    let mut terminal = Command::new(home.path(), &flags).start();
    terminal.wait_for("[a Authorize]");
    terminal.focus("Authorize");
    terminal.send(ENTER);
    terminal.wait_for("URL, code or error text");
    (terminal, server)
}

#[test]
fn polling_and_copying_work_while_output_is_blocked() {
    let home = tempfile::tempdir().unwrap();
    let (mut terminal, server, approved) = device(&home);
    terminal.take_output(false);
    let began = Instant::now();
    let polls = || server.requests("/token").len();
    let before = polls();
    eventually("twenty seconds", || {
        (began.elapsed() >= STOPPED).then_some(())
    });
    // One poll each second, on a machine that may be busy.
    let count = polls() - before;
    assert!(count >= 14, "{count} polls in {STOPPED:?}");
    let written = terminal.written();
    approved.store(true, Ordering::SeqCst);
    let before = polls();
    eventually("the end of the polls", || {
        let requests = server.requests("/token");
        let last = requests.last().unwrap().at;
        (requests.len() > before && last.elapsed() > Duration::from_secs(3)).then_some(())
    });
    // The key works although no output is visible: it copies the access token.
    terminal.send("c");
    assert_eq!(terminal.written(), written, "the terminal takes nothing");
    terminal.take_output(true);
    terminal.wait_for("Access token");
    let copy = base64::prelude::BASE64_STANDARD.encode("the-access-token");
    let bytes = String::from_utf8_lossy(&terminal.bytes()).into_owned();
    assert!(bytes.contains(&format!("\x1b]52;c;{copy}")), "{bytes:?}");
    let shown = terminal.flat();
    let written = terminal.written();
    terminal.send("\x0c");
    terminal.wait_written(written);
    terminal.settle();
    assert_eq!(terminal.flat(), shown, "the frame before was whole");
}

#[test]
fn callback_is_served_while_output_is_blocked() {
    let home = tempfile::tempdir().unwrap();
    let port = free_port();
    let (mut terminal, server) = browser(&home, port);
    let url = terminal.url();
    let state = url::Url::parse(&url).unwrap();
    let state = state
        .query_pairs()
        .find(|(name, _)| name == "state")
        .unwrap()
        .1;
    terminal.take_output(false);
    let began = Instant::now();
    while began.elapsed() < STOPPED {
        let asked = Instant::now();
        let (status, _) = get(&format!("http://127.0.0.1:{port}/favicon.ico"), &[]);
        assert_eq!(status, 404);
        assert!(
            asked.elapsed() < Duration::from_secs(2),
            "{:?}",
            asked.elapsed()
        );
    }
    let callback = format!("http://127.0.0.1:{port}/callback?code=c&state={state}");
    assert_eq!(get(&callback, &[]).0, 200);
    eventually("the exchange", || {
        (server.requests("/token").len() == 1).then_some(())
    });
    terminal.take_output(true);
    terminal.wait_for("Access token");
}

#[test]
fn signals_and_ctrl_c_work_while_output_is_blocked() {
    for signal in ["TERM", "HUP", "INT", ""] {
        for flow in ["device", "browser"] {
            let home = tempfile::tempdir().unwrap();
            let mut terminal = match flow {
                "device" => device(&home).0,
                _ => browser(&home, free_port()).0,
            };
            terminal.take_output(false);
            // Open the help, to have output to write.
            terminal.send("?");
            let began = Instant::now();
            if signal.is_empty() {
                terminal.send(CTRL_C);
            } else {
                terminal.signal(signal);
            }
            eventually("the end", || terminal.has_ended().then_some(()));
            assert!(
                began.elapsed() < AT_ONCE,
                "{signal} {flow}: {:?}",
                began.elapsed()
            );
            terminal.assert_settings_restored();
        }
    }
}
