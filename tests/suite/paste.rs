//! Pastes and keys as slow connections and old terminals send them, in a real terminal. Also, the program in a command
//! substitution.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::Command as Process;
use std::time::{Duration, Instant};

use crate::scripted::{Reply, Scripted};
use crate::servers::{eventually, run};
use crate::terminal::{Command, ENTER, LIMIT, TAB, Terminal, base, is_focused, program};

/// The last characters of the long code.
const END: &str = "_the_end__";

/// A code of 3,000 characters, which makes a long URL.
fn long_code() -> String {
    "0123456789".repeat(299) + END
}

fn server() -> Scripted {
    Scripted::start(|request| match request.form.get("code") {
        Some(code) if *code == long_code() => Reply::json(
            200,
            r#"{"access_token":"the-token-of-the-paste","token_type":"Bearer"}"#,
        ),
        _ if request.path == "/device" => Reply::json(
            200,
            r#"{"device_code":"d","user_code":"U","verification_uri":"https://as.example/","interval":60}"#,
        ),
        _ => Reply::json(400, r#"{"error":"invalid_grant"}"#),
    })
}

fn form(home: &tempfile::TempDir, server: &Scripted, flow: &str) -> Terminal {
    let endpoint = |name: &str| format!("{}/{name}", server.url);
    let flags = [
        ("--flow", flow.to_owned()),
        ("--client-id", "me".to_owned()),
        ("--authorization-url", endpoint("authorize")),
        ("--device-url", endpoint("device")),
        ("--token-url", endpoint("token")),
    ];
    let flags: Vec<&str> = flags
        .iter()
        .flat_map(|(flag, value)| [*flag, value.as_str()])
        .collect();
    let mut terminal = Command::new(home.path(), &flags).start();
    terminal.wait_for("[a Authorize]");
    terminal.focus("Authorize");
    terminal
}

/// Starts a sign-in and returns its state.
fn sign_in(home: &tempfile::TempDir, server: &Scripted) -> (Terminal, String) {
    let mut terminal = form(home, server, "authorization-code");
    terminal.send(ENTER);
    terminal.wait_for("URL, code or error text");
    let url = url::Url::parse(&terminal.url()).unwrap();
    let state = url
        .query_pairs()
        .find(|(name, _)| name == "state")
        .unwrap()
        .1
        .into_owned();
    (terminal, state)
}

thread_local! {
    /// The longest time between two keys that this test has sent, as the program read them.
    static LONGEST: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// Keys that the program reads this far apart may not be one burst.
const BURST: Duration = Duration::from_millis(20);
/// If the bytes of a sequence are this far apart, the sequence may have ended.
const SEQUENCE: Duration = Duration::from_millis(80);

/// Sends single key presses, with these gaps between them in turn, in milliseconds. Each is sent after the program has read
/// the one before.
fn type_fast(terminal: &mut Terminal, text: &str, gaps: &[u64]) {
    terminal.settle();
    let input = terminal.input().unwrap();
    let mut before = None;
    for (ch, gap) in text.chars().zip(gaps.iter().cycle()) {
        let sent = Instant::now();
        terminal.send_now(ch.encode_utf8(&mut [0; 4]));
        assert!(input.wait_read(Duration::from_micros(50), LIMIT));
        let longest = before.map_or(Duration::ZERO, |before: Instant| before.elapsed());
        LONGEST.set(LONGEST.get().max(longest));
        before = Some(sent);
        std::thread::sleep(Duration::from_millis(*gap));
    }
}

/// Runs a test of keys that must be read less than `limit` apart. It may fail only if the machine was too busy for that,
/// and is then repeated.
fn in_time(limit: Duration, test: impl Fn()) {
    for _ in 0..4 {
        LONGEST.set(Duration::ZERO);
        match catch_unwind(AssertUnwindSafe(&test)) {
            Ok(()) => return,
            Err(fault) if LONGEST.get() < limit => resume_unwind(fault),
            Err(_) => {}
        }
    }
    test();
}

fn assert_taken(terminal: &mut Terminal) {
    terminal.focus("Paste");
    terminal.send(ENTER);
    terminal.wait_for("Access token");
}

#[test]
fn long_bracketed_paste_is_accepted_and_forged_url_refused() {
    let (home, server) = (tempfile::tempdir().unwrap(), server());
    let (mut terminal, state) = sign_in(&home, &server);
    terminal.paste("http://127.0.0.1:1/callback?code=x&state=forged\r");
    terminal.wait_until("the paste box", |screen| is_focused(screen, "Paste"));
    // The line end in the paste submitted nothing.
    assert!(
        !terminal.flat().contains("Not used"),
        "{}",
        terminal.screen()
    );
    terminal.send(ENTER);
    terminal.wait_for("Not used It is from a different sign-in (state mismatch).");
    terminal.paste(&format!(
        "http://127.0.0.1:1/callback?code={}&state={state}",
        long_code()
    ));
    assert_taken(&mut terminal);
}

#[test]
fn query_pasted_as_single_keys_is_accepted() {
    in_time(BURST, || {
        let (home, server) = (tempfile::tempdir().unwrap(), server());
        let (mut terminal, state) = sign_in(&home, &server);
        // The focus is on a button, but the burst still goes to the paste box.
        type_fast(
            &mut terminal,
            &format!("?code={}&state={state}\r", long_code()),
            &[0, 1, 0, 0, 2],
        );
        terminal.wait_until("the paste box", |screen| is_focused(screen, "Paste"));
        // The burst has ended, so the following Enter is not a part of it.
        terminal.wait_for(&format!("&state={state}"));
        assert_taken(&mut terminal);
    });
}

#[test]
fn text_after_tab_goes_to_the_next_field() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = Command::new(home.path(), &[]).start();
    terminal.wait_for("[a Authorize]");
    terminal.focus("Preset");
    terminal.send("\tmy-client");
    terminal.wait_until("the text in Client ID", |screen| {
        is_focused(screen, "Client ID") && screen.contents().contains("my-client")
    });
}

#[test]
fn bare_code_pasted_as_single_keys_is_accepted() {
    let (home, server) = (tempfile::tempdir().unwrap(), server());
    let (mut terminal, _) = sign_in(&home, &server);
    terminal.focus("Paste");
    type_fast(&mut terminal, &long_code()[..2000], &[0]);
    type_fast(&mut terminal, &long_code()[2000..], &[0, 5, 1]);
    // An Enter that the program reads together with the text would be a part of it.
    terminal.wait_for(END);
    assert_taken(&mut terminal);
    terminal.send("k");
    terminal.wait_for("only the code was pasted, without its state");
}

#[test]
fn rejected_bare_code_does_not_end_the_wait() {
    let home = tempfile::tempdir().unwrap();
    let server = Scripted::start(
        |request| match request.form.get("code").map(String::as_str) {
            Some("the-true-code") => Reply::json(
                200,
                r#"{"access_token":"the-token-of-the-paste","token_type":"Bearer"}"#,
            ),
            Some("a-page-code") => Reply::json(200, "<html>what?</html>"),
            Some("a-broken-code") => Reply::json(500, ""),
            Some("a-dropped-code") => Reply {
                drop: true,
                ..Reply::default()
            },
            Some("a-client-code") => Reply::json(401, r#"{"error":"invalid_client"}"#),
            _ => Reply::json(200, r#"{"error":"bad_verification_code"}"#),
        },
    );
    let (mut terminal, _) = sign_in(&home, &server);
    let mut paste = |code: &str, told: &str| {
        terminal.focus("Paste");
        terminal.paste(code);
        terminal.send(ENTER);
        terminal.wait_for(told);
    };
    paste(
        "an-unknown-code",
        "rejected this code (bad_verification_code)",
    );
    paste("a-page-code", "it is a web page");
    paste("a-broken-code", "The service has a problem (HTTP 500)");
    paste(
        "a-dropped-code",
        "it has probably been used up: start again",
    );
    // The code may have been used up, so the program does not send it again.
    paste("a-dropped-code", "this code has probably been used up");
    paste("the-true-code", "Access token");
    assert_eq!(server.requests("/token").len(), 5);
    // This error does not depend on the code, so the sign-in fails.
    let (mut terminal, _) = sign_in(&home, &server);
    terminal.focus("Paste");
    terminal.paste("a-client-code");
    terminal.send(ENTER);
    terminal.wait_for("doesn't recognize this client ID");
}

/// The parts of the screen that a key press changes: title, buttons, choices, and a message about an action.
fn state(terminal: &Terminal) -> String {
    // The focus doesn't matter.
    let screen = terminal.screen().replace("▸[", " [");
    let told = |line: &str| {
        [
            "Copied",
            "Sent",
            "Saved",
            "canceled",
            "Asking",
            "not copied",
        ]
        .iter()
        .any(|word| line.contains(word))
    };
    let lines = screen
        .lines()
        .enumerate()
        .filter(|(at, line)| *at == 0 || line.contains('[') || line.contains("( )") || told(line));
    // The form may have a button next to a value; keep the button and leave out the value.
    let text: Vec<&str> = lines
        .map(|(_, line)| line.trim_end().rsplit("  ").next().unwrap_or(line))
        .collect();
    let choices: Vec<&str> = screen.lines().filter(|line| line.contains("(•)")).collect();
    format!(
        "{}\n{}",
        text.join("\n"),
        choices.join("\n").replace('▸', " ")
    )
}

/// Checks every screen: the form, both flows, the tokens, the trace, the help, the lists.
fn on_every_screen(check: impl Fn(&mut Terminal, &str)) {
    let (home, server) = (tempfile::tempdir().unwrap(), server());
    let mut terminal = form(&home, &server, "device-code");
    check(&mut terminal, "[a Authorize]");
    terminal.focus("Help");
    terminal.send(ENTER);
    terminal.wait_for("This screen: settings");
    check(&mut terminal, "This screen: settings");
    terminal.send("\x1b");
    terminal.wait_until("the form", |screen| {
        !screen.contents().contains("This screen: settings")
    });
    terminal.focus("Preset");
    terminal.send(ENTER);
    terminal.wait_for("Choose a preset");
    check(&mut terminal, "Choose a preset");
    terminal.send("\x1b");
    terminal.wait_until("the form", |screen| {
        !screen.contents().contains("Choose a preset")
    });
    terminal.focus("Authorize");
    terminal.send(ENTER);
    terminal.wait_for("Enter code");
    check(&mut terminal, "Enter code");
    terminal.focus("Trace");
    terminal.send(ENTER);
    terminal.wait_for("POST");
    check(&mut terminal, "POST");
    terminal.send("s");
    terminal.wait_for("Save the trace to this file");
    check(&mut terminal, "Save the trace to this file");
    let (mut terminal, state) = sign_in(&home, &server);
    check(&mut terminal, "Error page?");
    terminal.focus("Paste");
    terminal.send("\x05");
    terminal.send("\x15");
    // A terminal that does not mark pastes.
    let query = format!("?code={}&state={state}", long_code());
    type_fast(&mut terminal, &query, &[0]);
    let end = format!("{END}&state={state}");
    terminal.wait_until("all of it", |screen| screen.contents().contains(&end));
    assert_taken(&mut terminal);
    check(&mut terminal, "Access token");
    terminal.send("\x03");
    terminal.wait_for("not been copied or saved:");
    check(&mut terminal, "not been copied or saved:");
}

#[test]
fn split_arrow_keys_and_pastes_trigger_nothing() {
    in_time(SEQUENCE, || {
        on_every_screen(|terminal, sign| {
            let before = state(terminal);
            type_fast(terminal, "\x1b[A\x1b[B\x1b[A", &[20]);
            type_fast(terminal, "\x1b[200~x\rq\ta\x1b[201~", &[20]);
            // Longer than the program waits after an Esc.
            std::thread::sleep(Duration::from_millis(150));
            terminal.settle();
            assert!(terminal.flat().contains(sign), "{}", terminal.screen());
            assert_eq!(state(terminal), before);
            assert!(
                !terminal.flat().contains("canceled"),
                "{}",
                terminal.screen()
            );
        });
    });
}

#[test]
fn pasted_newlines_trigger_nothing_on_any_screen() {
    in_time(BURST, || {
        on_every_screen(|terminal, sign| {
            let before = state(terminal);
            for at in 0..9 {
                let newline = if at % 2 == 0 { "\r" } else { "\n" };
                type_fast(terminal, &newline.repeat(50), &[0, 0, 3]);
                terminal.settle();
                assert!(terminal.flat().contains(sign), "{}", terminal.screen());
                assert_eq!(state(terminal), before);
                // In a list, Tab only moves the marker.
                terminal.send(TAB);
                terminal.settle();
            }
        });
    });
}

#[test]
fn command_substitution_captures_only_the_token() {
    let home = tempfile::tempdir().unwrap();
    let tmux = || {
        let mut tmux = Process::new("tmux");
        tmux.env_clear()
            .envs(base(home.path()))
            .arg("-S")
            .arg(home.path().join("socket"))
            .args(["-f", "/dev/null"]);
        tmux
    };
    let screen = || run(tmux().args(["capture-pane", "-p"]));
    let wait_for = |text: &str| {
        eventually(text, || {
            Some(screen()).filter(|screen| screen.contains(text))
        })
    };
    let send = |keys: &[&str]| drop(run(tmux().arg("send-keys").args(keys)));
    run(tmux().args([
        "new-session",
        "-d",
        "-x",
        "80",
        "-y",
        "24",
        "bash --norc --noprofile",
    ]));
    let line = format!(
        "T=$({} --demo --print access-token); echo \"<$T>\" exit=$?",
        program().display()
    );
    send(&["-l", &line]);
    send(&["Enter"]);
    wait_for("[a Authorize]");
    // The screen works although standard output is a pipe, also when redrawn, and stopped and continued.
    send(&["C-l"]);
    wait_for("[a Authorize]");
    send(&["C-z"]);
    wait_for("[a Authorize]");
    send(&["Enter"]);
    wait_for("Enter code");
    send(&["y"]);
    let last = wait_for("<demo-access-");
    // The screen still shows the command itself, with another angle bracket.
    let (_, token) = last.split_once("<demo-access-").unwrap();
    let token = format!(
        "demo-access-{}",
        token.split('>').next().unwrap().replace('\n', "")
    );
    assert!(
        token.len() > 40
            && token
                .chars()
                .all(|ch| ch.is_ascii_alphanumeric() || "-_".contains(ch)),
        "{last}"
    );
    run(tmux().arg("kill-server"));
}

#[test]
fn trace_is_saved_without_secrets() {
    use std::os::unix::fs::PermissionsExt;
    let (home, server) = (tempfile::tempdir().unwrap(), server());
    let (mut terminal, state) = sign_in(&home, &server);
    terminal.paste(&format!("?code={}&state={state}", long_code()));
    assert_taken(&mut terminal);
    terminal.send("e");
    terminal.wait_for("POST");
    terminal.send("s");
    terminal.wait_for("Save the trace to this file");
    terminal.send(ENTER);
    terminal.wait_for("oauth-authorizer-trace.txt (mode 0600).");
    let path = home.path().join("oauth-authorizer-trace.txt");
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let trace = std::fs::read_to_string(&path).unwrap();
    for secret in ["the-token-of-the-paste", &long_code()[..100], &state] {
        assert!(!trace.contains(secret), "{trace}");
    }
    assert!(
        trace.contains("grant_type=authorization_code")
            && trace.contains("code=[redacted, 3000 chars]"),
        "{trace}"
    );
    // If the path can't be written, the program says so, and nothing else happens.
    terminal.send("s");
    terminal.wait_for("Save the trace to this file");
    terminal.send("\x15");
    terminal.paste("/nonexistent/trace.txt");
    terminal.send(ENTER);
    terminal.wait_for("The trace was not saved:");
}
