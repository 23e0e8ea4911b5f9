//! The front end without a screen: pipes only.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::scripted::{DeviceFlow, Reply, Scripted};
use crate::servers::{ODD_POST, ODD_SECRET, Provider, free_port, get, person};
use crate::terminal::{Terminal, base, program};

/// Time limit for a run, which may take a whole time-out and some pauses.
const LIMIT: Duration = Duration::from_secs(90);

/// The program with `--plain`, on pipes.
pub struct Plain {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
    pub stdin: Option<ChildStdin>,
}

impl Drop for Plain {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Plain {
    pub fn start(home: &Path, flags: &[&str]) -> Self {
        Self::start_with(home, flags, &[])
    }

    /// Like `start`, with these environment variables.
    pub fn start_with(home: &Path, flags: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::start_by(Command::new(program()), home, flags, variables)
    }

    /// Like `start_with`, by a command that runs the program.
    pub fn start_by(
        mut command: Command,
        home: &Path,
        flags: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        command
            .arg("--plain")
            .args(flags)
            .current_dir(home)
            .env_clear()
            .envs(base(home))
            .envs(variables.iter().copied());
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let stdin = child.stdin.take();
        Self {
            child,
            lines,
            seen: Vec::new(),
            stdin,
        }
    }

    /// Waits for a line that begins with `word: ` and returns its value.
    pub fn value(&mut self, word: &str) -> String {
        let start = format!("{word}: ");
        let end = Instant::now() + LIMIT;
        loop {
            let line = self
                .lines
                .recv_timeout(end.saturating_duration_since(Instant::now()));
            let line = line.unwrap_or_else(|_| {
                panic!("waited in vain for {start:?}\n{}", self.seen.join("\n"))
            });
            self.seen.push(line.clone());
            if let Some(value) = line.strip_prefix(&start) {
                return value.to_owned();
            }
        }
    }

    /// Pastes a line.
    pub fn paste(&mut self, line: &str) {
        writeln!(self.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Waits for the end and returns the exit code, standard output and standard error.
    pub fn end(mut self) -> (i32, String, String) {
        let mut pipe = self.child.stdout.take().unwrap();
        let reader = std::thread::spawn(move || {
            let mut stdout = String::new();
            pipe.read_to_string(&mut stdout).unwrap();
            stdout
        });
        let deadline = Instant::now() + LIMIT;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > deadline {
                self.child.kill().unwrap();
                self.seen.extend(self.lines.iter());
                panic!("it does not end:\n{}", self.seen.join("\n"));
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        self.seen.extend(self.lines.iter());
        (
            status.code().unwrap_or(-1),
            reader.join().unwrap(),
            self.seen.join("\n"),
        )
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

fn provider_flags(provider: &Provider, more: &[&str]) -> Vec<String> {
    let mut flags = provider.flags();
    flags.extend(["--client-id", "public-native", "--scope", "openid"].map(str::to_owned));
    flags.extend(more.iter().map(|&flag| flag.to_owned()));
    flags
}

fn start(home: &Path, flags: &[String]) -> Plain {
    Plain::start(home, &flags.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn device_flow_works_with_pipes_only() {
    let (home, provider) = (
        tempfile::tempdir().unwrap(),
        Provider::start(&[("DEVICE_INTERVAL", "1")]),
    );
    let flags = provider_flags(
        &provider,
        &["--flow", "device-code", "--print", "access-token"],
    );
    let mut plain = start(home.path(), &flags);
    let url = plain.value("verification_uri");
    let code = plain.value("user_code");
    assert_eq!(person(&url, &["--user-code", &code])["outcome"], "approved");
    let (exit, stdout, stderr) = plain.end();
    assert_eq!(exit, 0, "{stderr}");
    assert_eq!(
        provider.userinfo(stdout.trim_end()),
        (200, "alice".to_owned()),
        "{stdout}"
    );
    assert!(
        stdout.ends_with('\n') && stdout.lines().count() == 1,
        "{stdout:?}"
    );
    assert!(
        !stderr.contains(stdout.trim_end()),
        "the token is not told to the log"
    );
    assert!(stderr.contains("check: ID token passed"), "{stderr}");
}

#[test]
fn authorization_code_flow_works_with_pipes_only() {
    let (home, provider) = (tempfile::tempdir().unwrap(), Provider::start(&[]));
    let flags = provider_flags(
        &provider,
        &["--flow", "authorization-code", "--print", "json"],
    );
    let mut plain = start(home.path(), &flags);
    // The wait continues after the end of standard input.
    plain.stdin = None;
    assert!(plain.value("listening").starts_with("127.0.0.1:"));
    let url = plain.value("authorization_url");
    assert_eq!(person(&url, &[])["status"], 200);
    let (exit, stdout, stderr) = plain.end();
    assert_eq!(exit, 0, "{stderr}");
    let json: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(
        provider.userinfo(json["access_token"].as_str().unwrap()).0,
        200
    );
    assert!(
        stderr.contains("check: State passed") && !stderr.contains('\u{1b}'),
        "{stderr}"
    );
}

#[test]
fn pasted_redirect_is_read_from_standard_input() {
    let (home, provider) = (tempfile::tempdir().unwrap(), Provider::start(&[]));
    let flags = provider_flags(
        &provider,
        &["--flow", "authorization-code", "--print", "id-token"],
    );
    let mut plain = start(home.path(), &flags);
    let url = plain.value("authorization_url");
    plain.paste("http://127.0.0.1/?code=forged&state=forged");
    assert!(
        plain
            .value("refused")
            .contains("a paste: it is from a different sign-in")
    );
    let answer = person(&url, &["--no-callback"]);
    plain.paste(answer["callback"].as_str().unwrap());
    let (exit, stdout, stderr) = plain.end();
    assert_eq!((exit, stdout.split('.').count()), (0, 3), "{stderr}");
}

#[test]
fn endpoints_are_discovered_from_the_issuer() {
    let (home, provider) = (tempfile::tempdir().unwrap(), Provider::start(&[]));
    let start_with = |issuer: &str| {
        let flags = [
            "--issuer",
            issuer,
            "--client-id",
            "public-native",
            "--scope",
            "openid",
            "--flow",
            "authorization-code",
        ];
        Plain::start(
            home.path(),
            &[&flags[..], &["--print", "access-token"]].concat(),
        )
    };
    let mut plain = start_with(provider.issuer());
    let url = plain.value("authorization_url");
    assert!(url.starts_with(provider.endpoint("authorization")));
    // This provider announces that its redirects include `iss`, so a redirect without it is rejected, and so is a
    // code alone.
    let answer = person(&url, &["--no-callback"]);
    let callback = answer["callback"].as_str().unwrap().to_owned();
    let (before, _) = callback
        .split_once("&iss=")
        .expect("the provider names itself last");
    assert_eq!(get(before, &[]).0, 400);
    assert!(
        plain
            .value("refused")
            .contains("it has no issuer, although the service's metadata requires it")
    );
    plain.paste("c0de-alone");
    assert!(
        plain
            .value("refused")
            .contains("this service's responses must include the issuer")
    );
    assert_eq!(get(&callback, &[]).0, 200);
    assert_eq!(plain.end().0, 0);
    // An extra slash is only a different spelling; another path is another issuer.
    let mut slash = start_with(&format!("{}/", provider.issuer()));
    assert!(
        slash
            .value("authorization_url")
            .starts_with(provider.endpoint("authorization"))
    );
    drop(slash);
    let (exit, _, stderr) = start_with(&format!("{}/other", provider.issuer())).end();
    assert_eq!(exit, 1, "{stderr}");
    assert!(stderr.contains("No usable metadata found for"), "{stderr}");
}

/// Signs in at a server whose metadata names `issuer`, or that has no metadata. Returns the paths of the requests, the
/// exit code and standard error.
fn with_metadata_of(
    issuer: Option<&'static str>,
    flags: impl Fn(&str) -> Vec<String>,
) -> (Vec<String>, i32, String) {
    let home = tempfile::tempdir().unwrap();
    let address = Arc::new(std::sync::OnceLock::<String>::new());
    let known = Arc::clone(&address);
    let server = Scripted::start(move |request| {
        let url = known.wait();
        let body = match request.path.as_str() {
            "/device" => json!({
                "device_code": "d", "user_code": "WDJB-MJHT", "expires_in": 600, "interval": 1,
                "verification_uri": "https://as.example/device",
            }),
            "/token" => {
                json!({"access_token": "t0ken", "token_type": "Bearer", "expires_in": 3600})
            }
            "/.well-known/openid-configuration" if let Some(issuer) = issuer => json!({
                "issuer": if issuer.is_empty() { url } else { issuer },
                "token_endpoint": format!("{url}/token"),
                "device_authorization_endpoint": format!("{url}/device"),
            }),
            _ => return Reply::json(404, "{}"),
        };
        Reply::json(200, &body.to_string())
    });
    address.set(server.url.clone()).unwrap();
    let mut all = flags(&server.url);
    all.extend(["--client-id", "me", "--print", "access-token"].map(str::to_owned));
    let (code, stdout, stderr) = start(home.path(), &all).end();
    assert_eq!(stdout.trim_end(), if code == 0 { "t0ken" } else { "" });
    let asked = server.all().into_iter().map(|request| request.path);
    (asked.collect(), code, stderr)
}

const FIRST: &str = "/.well-known/openid-configuration";
const SECOND: &str = "/.well-known/oauth-authorization-server";

/// The flags for an issuer, with its endpoints if requested.
fn issuer_flags(url: &str, endpoints: bool) -> Vec<String> {
    let mut flags = vec!["--issuer".to_owned(), url.to_owned()];
    if endpoints {
        let token = ["--token-url".to_owned(), format!("{url}/token")];
        flags.extend(token);
        flags.extend(["--device-url".to_owned(), format!("{url}/device")]);
    }
    flags
}

#[test]
fn given_issuer_is_queried_first_and_must_match() {
    for endpoints in [false, true] {
        let flags = |url: &str| issuer_flags(url, endpoints);
        let (asked, code, stderr) = with_metadata_of(Some(""), flags);
        assert_eq!(
            (asked, code),
            (names(&[FIRST, "/device", "/token"]), 0),
            "{stderr}"
        );
        let (asked, code, stderr) = with_metadata_of(Some("https://evil.example"), flags);
        assert_eq!((asked, code), (names(&[FIRST, SECOND]), 1), "{stderr}");
        assert!(
            stderr.contains("its issuer is https://evil.example, not http://127"),
            "{stderr}"
        );
        assert!(stderr.contains("hint: Nothing else was sent."), "{stderr}");
    }
    // The endpoints from the flags are enough if there is no metadata.
    let (asked, code, stderr) = with_metadata_of(None, |url| issuer_flags(url, true));
    assert_eq!(
        (asked, code),
        (names(&[FIRST, SECOND, "/device", "/token"]), 0),
        "{stderr}"
    );
    let (asked, code, stderr) = with_metadata_of(None, |url| issuer_flags(url, false));
    assert_eq!((asked, code), (names(&[FIRST, SECOND]), 1), "{stderr}");
    // Without an issuer, no metadata is requested.
    let (asked, code, stderr) =
        with_metadata_of(Some(""), |url| issuer_flags(url, true)[2..].to_vec());
    assert_eq!(
        (asked, code),
        (names(&["/device", "/token"]), 0),
        "{stderr}"
    );
}

fn names(paths: &[&str]) -> Vec<String> {
    paths.iter().map(|&path| path.to_owned()).collect()
}

#[test]
fn issuer_of_an_unverified_preset_is_queried() {
    let home = tempfile::tempdir().unwrap();
    let preset = |url: &str, confidence: &str, endpoints: &str| {
        let file = home.path().join("own.toml");
        let text = format!(
            "id = \"own\"\nname = \"Own\"\ngroup = \"general\"\nconfidence = \"{confidence}\"\n[flows]\noffered = \
             [\"device-code\"]\npreferred = \"device-code\"\n[client]\nsecret = \"optional\"\n[endpoints]\nissuer = \"{url}\"\n{endpoints}"
        );
        std::fs::write(&file, text).unwrap();
        vec![
            "--preset-file".to_owned(),
            file.to_str().unwrap().to_owned(),
        ]
    };
    let both = |url: &str| format!("token = \"{url}/token\"\ndevice = \"{url}/device\"\n");
    let certain = |url: &str| preset(url, "high", &both(url));
    let (asked, code, stderr) = with_metadata_of(Some("https://evil.example"), certain);
    assert_eq!(
        (asked, code),
        (names(&["/device", "/token"]), 0),
        "{stderr}"
    );
    let unsure = |url: &str| preset(url, "low", &both(url));
    let (asked, code, stderr) = with_metadata_of(Some(""), unsure);
    assert_eq!(
        (asked, code),
        (names(&[FIRST, "/device", "/token"]), 0),
        "{stderr}"
    );
    let (asked, code, stderr) = with_metadata_of(Some("https://evil.example"), unsure);
    assert_eq!((asked, code), (names(&[FIRST, SECOND]), 1), "{stderr}");
}

#[test]
fn invalid_issuer_is_the_only_error_reported() {
    let home = tempfile::tempdir().unwrap();
    for issuer in [
        "https://idp.example/r?policy=x",
        "https://idp.example/{tenant}",
        "alice@example.com",
        "ftp://idp.example",
    ] {
        let flags = [
            "--issuer",
            issuer,
            "--client-id",
            "me",
            "--print",
            "access-token",
        ];
        let (exit, stdout, stderr) = Plain::start(home.path(), &flags).end();
        assert_eq!((exit, stdout.as_str()), (2, ""), "{stderr}");
        let errors: Vec<&str> = stderr
            .lines()
            .filter(|line| line.starts_with("error"))
            .collect();
        assert!(
            matches!(errors.as_slice(), [one] if one.starts_with("error: Issuer")),
            "{errors:?}"
        );
    }
}

/// The value after a word in the output on a terminal.
fn told(terminal: &Terminal, word: &str) -> String {
    let text = String::from_utf8(terminal.bytes()).unwrap();
    let start = format!("{word}: ");
    text.lines()
        .find_map(|line| line.trim_end().strip_prefix(&start))
        .unwrap_or_else(|| panic!("no {word}\n{text}"))
        .to_owned()
}

#[test]
fn dumb_terminal_runs_plain_mode_and_prompts_for_output() {
    for (term, flow) in [("dumb", "device-code"), ("", "authorization-code")] {
        let (home, provider) = (
            tempfile::tempdir().unwrap(),
            Provider::start(&[("DEVICE_INTERVAL", "1")]),
        );
        let flags = provider_flags(&provider, &["--flow", flow]);
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let mut terminal = crate::terminal::Command::new(home.path(), &flags)
            .env("TERM", term)
            .start();
        if flow == "device-code" {
            terminal.wait_for("expires_in:");
            let url = told(&terminal, "verification_uri");
            let code = told(&terminal, "user_code");
            assert_eq!(person(&url, &["--user-code", &code])["outcome"], "approved");
        } else {
            terminal.wait_for("Open the URL in a browser.");
            assert_eq!(
                person(&told(&terminal, "authorization_url"), &[])["status"],
                200
            );
        }
        terminal.wait_for("Enter quit to exit without printing.");
        terminal.send("the-token-please\r");
        terminal.wait_for(
            "Unknown choice. Enter one of: access-token, refresh-token, id-token, json, quit.",
        );
        terminal.send("json\r");
        terminal.wait_for("\"access_token\"");
        let text = String::from_utf8(terminal.bytes()).unwrap();
        let json = text.lines().find(|line| line.starts_with('{')).unwrap();
        let json: serde_json::Value = serde_json::from_str(json).unwrap();
        let token = json["access_token"].as_str().unwrap();
        assert_eq!(provider.userinfo(token).0, 200);
        // Upper and lower case don't matter, and the line can be edited.
        terminal.send("Refresh-Tokx\x7fen\r");
        terminal.wait_for("error: The service did not return a refresh token.");
        terminal.send(if term.is_empty() { "\x04" } else { "Exit\r" });
        assert_eq!(terminal.wait_exit().exit_code(), 0);
        terminal.assert_restored();
        let text = String::from_utf8(terminal.bytes()).unwrap();
        let reason = if term.is_empty() {
            "TERM is not set (export TERM=xterm sets it)"
        } else {
            "TERM is dumb"
        };
        assert!(
            text.contains(&format!("hint: {reason}, so the program runs without")),
            "{text}"
        );
        assert!(!text.contains('\u{1b}'), "{text:?}");
    }
}

#[test]
fn dumb_terminal_flows_write_no_escape_bytes_to_pipes() {
    let (home, provider) = (
        tempfile::tempdir().unwrap(),
        Provider::start(&[("DEVICE_INTERVAL", "1")]),
    );
    for flow in ["device-code", "authorization-code"] {
        let flags = provider_flags(&provider, &["--flow", flow, "--print", "json"]);
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let mut plain = Plain::start_with(home.path(), &flags, &[("TERM", "dumb")]);
        let answer = if flow == "device-code" {
            person(&plain.value("verification_uri_complete"), &[])
        } else {
            person(&plain.value("authorization_url"), &[])
        };
        assert_eq!(answer["outcome"], "approved");
        let (exit, stdout, stderr) = plain.end();
        assert_eq!(exit, 0, "{stderr}");
        let json: serde_json::Value = serde_json::from_str(&stdout).unwrap();
        assert_eq!(
            provider.userinfo(json["access_token"].as_str().unwrap()).0,
            200
        );
        assert!(
            !stdout.contains('\u{1b}') && !stderr.contains('\u{1b}'),
            "{stderr:?}"
        );
    }
}

/// A scripted authorization server that issues tokens for the code `true-code`.
fn scripted() -> Scripted {
    Scripted::start(
        |request| match request.form.get("code").map(String::as_str) {
            Some("true-code") => {
                Reply::json(200, r#"{"access_token":"the-token","token_type":"Bearer"}"#)
            }
            _ => Reply::json(400, r#"{"error":"invalid_grant"}"#),
        },
    )
}

fn scripted_flags(server: &Scripted, more: &[&str]) -> Vec<String> {
    let mut flags: Vec<String> = ["authorization", "device", "token"]
        .iter()
        .flat_map(|name| [format!("--{name}-url"), format!("{}/{name}", server.url)])
        .collect();
    flags.extend(["--client-id", "me", "--print", "access-token"].map(str::to_owned));
    flags.extend(more.iter().map(|&flag| flag.to_owned()));
    flags
}

/// An authorization code flow at a server whose token endpoint is `token`. The code is pasted with its state.
fn exchange(home: &Path, server: &Scripted, token: &str) -> Plain {
    let mut flags = scripted_flags(
        server,
        &[
            "--flow",
            "authorization-code",
            "--redirect-url",
            "http://127.0.0.1:0/",
        ],
    );
    let at = flags.iter().position(|flag| flag == "--token-url").unwrap();
    token.clone_into(&mut flags[at + 1]);
    let mut plain = start(home, &flags);
    let url = url::Url::parse(&plain.value("authorization_url")).unwrap();
    let state = url
        .query_pairs()
        .find(|(name, _)| name == "state")
        .unwrap()
        .1;
    plain.paste(&format!("?code=true-code&state={state}"));
    plain
}

#[test]
fn code_is_not_sent_again_after_a_lost_response() {
    let home = tempfile::tempdir().unwrap();
    let replies = [
        Reply {
            drop: true,
            ..Reply::default()
        },
        Reply {
            silent: true,
            ..Reply::default()
        },
        Reply::json(502, "<html>bad gateway</html>"),
    ];
    let runs: Vec<(Scripted, Plain)> = replies
        .into_iter()
        .map(|reply| {
            let server = Scripted::start(move |_| reply.clone());
            let plain = exchange(home.path(), &server, &format!("{}/token", server.url));
            (server, plain)
        })
        .collect();
    for ((server, plain), when) in runs.into_iter().zip(["", "", "later "]) {
        let (exit, stdout, stderr) = plain.end();
        assert_eq!((exit, stdout.as_str()), (5, ""), "{stderr}");
        assert_eq!(server.requests("/token").len(), 1, "{stderr}");
        let hint = format!("hint: Start again {when}to get a new code.");
        assert!(
            stderr.contains(
                "The authorization code has probably been used up, so it is not sent again."
            ) && stderr.contains(&hint),
            "{stderr}"
        );
    }
}

#[test]
fn code_is_sent_again_after_a_failed_connection() {
    let home = tempfile::tempdir().unwrap();
    let port = free_port();
    let token = format!("http://127.0.0.1:{port}/token");
    let mut plain = exchange(home.path(), &scripted(), &token);
    assert!(plain.value("trouble").contains("Can't connect to"));
    let listener = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let server = Scripted::start_at(listener, |_| {
        Reply::json(200, r#"{"access_token":"the-token","token_type":"Bearer"}"#)
    });
    let (exit, stdout, stderr) = plain.end();
    assert_eq!((exit, stdout.trim()), (0, "the-token"), "{stderr}");
    assert_eq!(server.requests("/token").len(), 1);
}

#[test]
fn every_exit_code_is_returned() {
    let home = tempfile::tempdir().unwrap();
    let server = scripted();
    let run = |more: &[&str]| start(home.path(), &scripted_flags(&server, more)).end();
    // The scenarios cover 0, 1, 3 and 4.
    let mut without_id = scripted_flags(&server, &[]);
    let at = without_id
        .iter()
        .position(|flag| flag == "--client-id")
        .unwrap();
    without_id.drain(at..at + 2);
    let (exit, _, stderr) = start(home.path(), &without_id).end();
    assert_eq!(exit, 2, "{stderr}");
    assert!(
        stderr.contains("error: The Client ID is missing."),
        "{stderr}"
    );
    let port = free_port().to_string();
    let nowhere = format!("http://127.0.0.1:{port}/device");
    let mut flags = scripted_flags(&server, &["--flow", "device-code"]);
    let at = flags
        .iter()
        .position(|flag| flag == "--device-url")
        .unwrap();
    flags[at + 1] = nowhere;
    let (exit, _, stderr) = start(home.path(), &flags).end();
    assert_eq!(exit, 5, "{stderr}");
    assert!(
        stderr.contains("field: Device code URL (--device-url)"),
        "{stderr}"
    );
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let redirect = format!("http://{}/cb", taken.local_addr().unwrap());
    let (exit, _, stderr) = run(&["--flow", "authorization-code", "--redirect-url", &redirect]);
    assert_eq!(exit, 6, "{stderr}");
    assert!(
        stderr.contains("is in use by another program")
            && stderr.contains("field: Redirect URL (--redirect-url)"),
        "{stderr}"
    );
    for signal in ["INT", "TERM", "HUP"] {
        let mut plain = start(
            home.path(),
            &scripted_flags(&server, &["--flow", "authorization-code"]),
        );
        plain.value("authorization_url");
        assert!(
            Command::new("kill")
                .args(["-s", signal, &plain.pid().to_string()])
                .status()
                .unwrap()
                .success()
        );
        let (exit, stdout, _) = plain.end();
        assert_eq!((exit, stdout.as_str()), (130, ""), "{signal}");
    }
    // Interrupted while the issuer doesn't respond, although all other settings were given.
    let silent = Scripted::start(|_| Reply {
        silent: true,
        ..Reply::default()
    });
    let mut plain = start(
        home.path(),
        &scripted_flags(
            &server,
            &["--flow", "authorization-code", "--issuer", &silent.url],
        ),
    );
    crate::servers::eventually("the question", || {
        (!silent
            .requests("/.well-known/openid-configuration")
            .is_empty())
        .then_some(())
    });
    assert!(
        Command::new("kill")
            .args(["-s", "INT", &plain.pid().to_string()])
            .status()
            .unwrap()
            .success()
    );
    plain.stdin = None;
    assert_eq!(plain.end().0, 130);
    // Nothing to print, and no user to ask.
    let output = Command::new(program())
        .arg("--plain")
        .env_clear()
        .envs(base(home.path()))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("Add --print access-token"), "{told}");
}

#[test]
fn closed_standard_error_does_not_stop_the_sign_in() {
    let (home, server) = (
        tempfile::tempdir().unwrap(),
        Provider::start(&[("DEVICE_INTERVAL", "1")]),
    );
    let flags = provider_flags(
        &server,
        &["--flow", "device-code", "--print", "access-token"],
    );
    let mut command = Command::new(program());
    command
        .arg("--plain")
        .args(&flags)
        .current_dir(home.path())
        .env_clear()
        .envs(base(home.path()));
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut complete = String::new();
    while !complete.starts_with("verification_uri_complete: ") {
        complete.clear();
        assert!(stderr.read_line(&mut complete).unwrap() > 0);
    }
    drop(stderr);
    assert_eq!(
        person(complete.trim_end().split_once(": ").unwrap().1, &[])["outcome"],
        "approved"
    );
    let mut stdout = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut stdout)
        .unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(server.userinfo(stdout.trim_end()).0, 200);
}

#[test]
fn every_pasted_line_is_evaluated() {
    let (home, server) = (tempfile::tempdir().unwrap(), scripted());
    let mut plain = start(
        home.path(),
        &scripted_flags(&server, &["--flow", "authorization-code"]),
    );
    let url = url::Url::parse(&plain.value("authorization_url")).unwrap();
    let state = url
        .query_pairs()
        .find(|(name, _)| name == "state")
        .unwrap()
        .1
        .into_owned();
    // A word, a code that the service doesn't know, a line without end, and a URL without its beginning.
    let mut lines = "help\nunknown-code\n".to_owned();
    lines += &"y".repeat(200_000);
    lines += "\nlocalhost:1/cb?code=x\n";
    lines += &"code=x&state=forged\n".repeat(200);
    lines += &format!("?code=true-code&state={state}");
    plain.paste(&lines);
    let (exit, stdout, stderr) = plain.end();
    assert_eq!((exit, stdout.as_str()), (0, "the-token\n"), "{stderr}");
    assert!(
        stderr.contains("refused: 204 pastes rejected in total"),
        "{stderr}"
    );
    for told in [
        "too short to be a code",
        "it has a code but no state",
        "the service doesn't recognize this code",
        "it is longer than 128 KiB",
    ] {
        assert!(stderr.contains(told), "{told}\n{stderr}");
    }
}

#[test]
fn a_long_line_is_read_from_a_terminal() {
    let (home, server) = (tempfile::tempdir().unwrap(), scripted());
    let flags = scripted_flags(&server, &["--flow", "authorization-code", "--plain"]);
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let mut terminal = crate::terminal::Command::new(home.path(), &flags).start();
    terminal.wait_for("Open the URL in a browser.");
    let screen = terminal.screen().replace('\n', "");
    let state = screen
        .split("state=")
        .nth(1)
        .unwrap()
        .split(['&', ' '])
        .next()
        .unwrap()
        .to_owned();
    // Longer than the 4096 bytes that the kernel accepts in a line.
    terminal.send(&format!(
        "http://127.0.0.1:1/cb?padding={}&code=true-code&state={state}\r",
        "p".repeat(6000)
    ));
    terminal.wait_for("the-token");
    assert_eq!(terminal.wait_exit().exit_code(), 0);
    terminal.assert_restored();
}

#[test]
fn ctrl_c_ends_a_wait_without_a_question_on_a_raw_terminal() {
    let home = tempfile::tempdir().unwrap();
    let server = Scripted::start(|_| {
        Reply::json(
            200,
            r#"{"device_code":"d","user_code":"U","verification_uri":"https://as.example/","interval":60}"#,
        )
    });
    let script = format!(
        "trap : INT; stty raw -echo; '{}' --plain --flow device-code --client-id me --device-url {url}/device --token-url \
         {url}/token; echo code $?; stty -a | grep -o -e -isig -e -echo",
        crate::terminal::program().display(),
        url = server.url,
    );
    let sh = Path::new("/bin/sh");
    let mut terminal = crate::terminal::Command::of(sh, home.path(), &["-c", &script]).start();
    terminal.wait_for("https://as.example/");
    terminal.send(crate::terminal::CTRL_C);
    terminal.wait_for("The program was interrupted.");
    terminal.wait_for("code 130");
    // The terminal is raw again.
    terminal.wait_for("-isig");
    assert_eq!(terminal.wait_exit().exit_code(), 0);
}

#[test]
fn completions_and_the_manual_page_are_printed() {
    for (arguments, words) in [
        (&["completions", "bash"][..], "complete -F"),
        (
            &["completions", "powershell"][..],
            "Register-ArgumentCompleter",
        ),
        (&["completions", "zsh"][..], "#compdef"),
        (&["man"][..], ".TH oauth-authorizer"),
    ] {
        let output = Command::new(program()).args(arguments).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty());
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains(words), "{arguments:?}");
        // This command is not for users.
        assert!(!text.contains("keep-token"), "{arguments:?}");
    }
}

#[test]
fn closed_output_pipe_is_not_an_error() {
    for arguments in [
        &["presets", "list"][..],
        &["presets", "show", "github"],
        &["completions", "bash"],
        &["man"],
        &["doctor"],
        &["--help"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = Command::new(program())
            .args(arguments)
            .stdout(writer)
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {stderr}");
        assert!(!stderr.contains("pipe"), "{arguments:?}: {stderr}");
    }
}

#[test]
fn unsuitable_term_value_selects_plain_mode() {
    let (home, server) = (tempfile::tempdir().unwrap(), scripted());
    for term in ["unknown", "network", "emacs", "dumb-emacs-ansi", "wyse60"] {
        let flags = scripted_flags(&server, &["--flow", "authorization-code"]);
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let terminal = crate::terminal::Command::new(home.path(), &flags)
            .env("TERM", term)
            .start();
        terminal.wait_for("Open the URL in a browser.");
        let text = String::from_utf8(terminal.bytes()).unwrap();
        let reason = format!("TERM is {term}, which does not support a full screen");
        assert!(text.contains(&reason), "{text}");
        assert!(text.is_ascii() && !text.contains('\u{1b}'), "{text:?}");
    }
}

#[test]
fn bash_completes_the_presets() {
    let script = r#"source <("$0" completions bash)
        for words in '--preset googl' 'presets show googl'; do
            COMP_WORDS=(oauth-authorizer $words)
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            _oauth__authorizer oauth-authorizer googl "${COMP_WORDS[COMP_CWORD - 1]}"
            printf '%s\n' "${COMPREPLY[@]}" | sort
        done"#;
    let program = program();
    let output = Command::new("bash")
        .args(["-c", script])
        .arg(program)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert_eq!(told, "google\ngoogle-mail\n".repeat(2), "{output:?}");
}

/// Runs the program with a pipe as standard input that doesn't block, as programs in node leave it, and writes `input`
/// after a while. Returns what the program prints until `told`, or until it ends.
fn with_late_input(home: &Path, flags: &[&str], input: &str, told: &'static str) -> String {
    let (reader, mut writer) = std::io::pipe().unwrap();
    rustix::fs::fcntl_setfl(&reader, rustix::fs::OFlags::NONBLOCK).unwrap();
    let (mut printed, output) = std::io::pipe().unwrap();
    let mut child = Command::new(program())
        .args(flags)
        .env_clear()
        .envs(base(home))
        .stdin(reader)
        .stdout(output.try_clone().unwrap())
        .stderr(output)
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(400));
    writer.write_all(input.as_bytes()).unwrap();
    drop(writer);
    let (sender, text) = mpsc::channel();
    std::thread::spawn(move || {
        let (mut text, mut some) = (Vec::new(), [0; 4096]);
        while !String::from_utf8_lossy(&text).contains(told) {
            match printed.read(&mut some) {
                Ok(count @ 1..) => text.extend_from_slice(&some[..count]),
                _ => break,
            }
        }
        sender.send(text)
    });
    let text = text.recv_timeout(LIMIT);
    // Nothing else ends a sign-in.
    let _ = child.kill();
    let _ = child.wait();
    String::from_utf8_lossy(&text.unwrap_or_default()).into_owned()
}

#[test]
fn input_that_does_not_block_is_waited_for() {
    let (home, server) = (tempfile::tempdir().unwrap(), scripted());
    let flow = ["--plain", "--no-browser", "--flow", "authorization-code"];
    let flow = scripted_flags(&server, &flow);
    let flow: Vec<&str> = flow.iter().map(String::as_str).collect();
    let secret = [
        "--demo",
        "--plain",
        "--client-secret-stdin",
        "--print",
        "json",
    ];
    for (flags, input, told) in [
        (&["explain", "-"][..], "AADSTS50011: no", "AADSTS50011"),
        (&flow, "http://127.0.0.1:1/cb?error=late\n", "refused: "),
        (&secret, "s3cr\u{200b}et\n", "an invisible character"),
    ] {
        let text = with_late_input(home.path(), flags, input, told);
        assert!(text.contains(told), "{flags:?}: {text}");
    }
}

#[test]
fn result_that_does_not_fit_on_the_disk_leaves_no_part_behind() {
    let token = "t".repeat(3000);
    let (server, flags) = DeviceFlow::giving(&token).start();
    let home = tempfile::tempdir().unwrap();
    for (before, redirect) in [("", ">out"), ("kept\n", ">>out")] {
        // A write beyond the limit fails like one to a full disk.
        let script = format!(
            "trap '' XFSZ; printf '{before}' >out; ulimit -f 2; exec \"$0\" \"$@\" --plain --print access-token {redirect}"
        );
        let run = Command::new("sh")
            .args(["-c", &script])
            .arg(program())
            .args(&flags)
            .env_clear()
            .envs(base(home.path()))
            .current_dir(home.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&run.stderr);
        assert!(stderr.contains("could not be printed"), "{stderr}");
        let out = std::fs::read_to_string(home.path().join("out")).unwrap();
        // Another program may append to the same file, so that nothing can be removed.
        assert!(out.starts_with(before));
        assert_eq!(out.len() > before.len(), redirect == ">>out", "{out}");
    }
    assert!(!server.requests("/token").is_empty());
}

#[test]
fn help_that_can_not_be_written_is_an_error() {
    for argument in ["--help", "--version"] {
        let full = std::fs::File::options().write(true).open("/dev/full");
        let output = Command::new(program())
            .arg(argument)
            .stdout(full.unwrap())
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(
            told.starts_with("error: Can't write to standard output: "),
            "{told}"
        );
    }
}

#[test]
fn secret_from_standard_input_reaches_only_the_token_url() {
    let (home, provider) = (
        tempfile::tempdir().unwrap(),
        Provider::start(&[("STRICT_AUTH", "1")]),
    );
    let mut flags = provider.flags();
    let more = [
        "--client-id",
        ODD_POST,
        "--client-authentication",
        "post",
        "--client-secret-stdin",
        "--scope",
        "openid",
    ];
    flags.extend(more.map(str::to_owned));
    flags.extend(["--flow", "authorization-code", "--print", "access-token"].map(str::to_owned));
    let mut plain = start(home.path(), &flags);
    plain.paste(ODD_SECRET);
    let url = plain.value("authorization_url");
    assert!(!url.contains("s3cr"), "{url}");
    // The lines after it are pastes.
    let answer = person(&url, &["--no-callback"]);
    plain.paste(answer["callback"].as_str().unwrap());
    let (exit, stdout, stderr) = plain.end();
    assert_eq!(exit, 0, "{stderr}");
    assert_eq!(provider.userinfo(stdout.trim_end()).0, 200);
    assert!(!stderr.contains("s3cr"), "{stderr}");
}
