//! Secrets that a service or a browser repeats, in whatever form, reach neither the screen, nor standard error, nor a
//! saved trace.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::plain::Plain;
use crate::scripted::{Reply, Request, Scripted};
use crate::servers::{eventually, get};
use crate::terminal::{Command, ENTER, Terminal};

const CODE: &str = "4/0AbCdEf-Gh1JkLmN";
const SECRET: &str = "Sup3r~s3cret/Q9x";
const DEVICE_CODE: &str = "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNh";
const USER_CODE: &str = "WDJB-MJHT";
const ACCESS: &str = "ya29.A0ARrdaM-k8/Zx";
const REFRESH: &str = "1//0gQwErTy-Zx81VbN";

/// The forms in which a service may repeat a secret in JSON text.
fn forms(secret: &str) -> Vec<String> {
    let percent: Vec<String> = secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
    vec![
        secret.to_owned(),
        secret.replace('/', "\\/"),
        secret.to_uppercase(),
        STANDARD.encode(secret),
        STANDARD.encode(format!("x{secret}x")),
        percent.concat(),
        format!("{}\u{200b}{}", &secret[..4], &secret[4..]),
        format!("{}...", &secret[..secret.len() - 4]),
    ]
}

/// A sentence with all forms of a secret.
fn sentence(secret: &str) -> String {
    format!("refused: {}; sorry", forms(secret).join(" or "))
}

/// Checks that the text does not contain five consecutive characters of the secret, in any of its forms.
fn assert_without(text: &str, secret: &str, place: &str) {
    let letters = |text: &str| -> String {
        text.chars()
            .filter(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_lowercase()
    };
    // Check each word by itself, because letters from two words prove nothing.
    for form in forms(secret) {
        let form = letters(&form);
        for word in text.split_whitespace() {
            let word = letters(word);
            for part in form.as_bytes().windows(5) {
                let part = std::str::from_utf8(part).unwrap();
                assert!(
                    !word.contains(part),
                    "{part:?} of {secret} {place}:\n{text}"
                );
            }
        }
    }
}

/// An error response that repeats these secrets in several members.
fn error(code: &str, secrets: &[&str]) -> Reply {
    let all: Vec<String> = secrets.iter().map(|secret| sentence(secret)).collect();
    let text = all.join(" ");
    Reply::json(
        400,
        &format!(
            r#"{{"error":"{code}","error_description":"{text}","message":"{text}","status":"{}","error_uri":"https://as.example/{}","{}":"{text}"}}"#,
            secrets[0], secrets[0], secrets[0]
        ),
    )
}

/// The flags for a service at `server`.
fn flags(server: &Scripted, flow: &str) -> Vec<String> {
    let at = |path: &str| format!("{}/{path}", server.url);
    [
        ("--flow", flow.to_owned()),
        ("--client-id", "me".to_owned()),
        ("--client-authentication", "post".to_owned()),
        ("--device-url", at("device")),
        ("--authorization-url", at("authorize")),
        ("--token-url", at("token")),
        ("--redirect-url", "http://127.0.0.1:0/callback".to_owned()),
    ]
    .into_iter()
    .flat_map(|(flag, value)| [flag.to_owned(), value])
    .collect()
}

fn terminal(home: &Path, server: &Scripted, flow: &str) -> Terminal {
    let flags = flags(server, flow);
    let mut terminal = Command::new(home, &flags.iter().map(String::as_str).collect::<Vec<_>>())
        .env("OAUTH_AUTHORIZER_CLIENT_SECRET", SECRET)
        .start();
    terminal.wait_for("[a Authorize]");
    terminal.focus("Authorize");
    terminal.send(ENTER);
    terminal
}

/// Acts as the browser: redirects with this query, in which the state replaces `{state}`. Returns the state.
fn come_back(terminal: &mut Terminal, query: &str) -> String {
    terminal.wait_for("URL, code or error text");
    let url = url::Url::parse(&terminal.url()).unwrap();
    let value = |name: &str| {
        let found = url.query_pairs().find(|(known, _)| known == name);
        found.unwrap().1.into_owned()
    };
    let state = value("state");
    let query = query.replace("{state}", &state);
    let _ = get(&format!("{}?{query}", value("redirect_uri")), &[]);
    state
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// A device flow that ends with an error.
fn device(request: &Request) -> Reply {
    if request.path == "/device" {
        return Reply::json(
            200,
            &format!(
                r#"{{"device_code":"{DEVICE_CODE}","user_code":"{USER_CODE}","verification_uri":"https://as.example/","interval":1,
                "message":"To sign in, enter the code {USER_CODE}","hint":"{}","verification_hint":"{USER_CODE}","{USER_CODE}":1}}"#,
                sentence(USER_CODE)
            ),
        );
    }
    error("invalid_grant", &[DEVICE_CODE, SECRET])
}

#[test]
fn device_flow_reveals_no_code_or_secret() {
    let (home, server) = (tempfile::tempdir().unwrap(), Scripted::start(device));
    let mut terminal = terminal(home.path(), &server, "device-code");
    terminal.wait_for("[a Try again]");
    let trace = terminal.trace(home.path());
    for secret in [DEVICE_CODE, SECRET] {
        assert_without(&terminal.screen(), secret, "on the screen");
    }
    for secret in [DEVICE_CODE, SECRET, USER_CODE] {
        assert_without(&trace, secret, "in the trace");
    }
    assert!(
        trace.contains("message: To sign in, enter the code [redacted, "),
        "{trace}"
    );
    let flags = flags(&server, "device-code");
    let mut flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    flags.extend(["--print", "access-token"]);
    let secret = [("OAUTH_AUTHORIZER_CLIENT_SECRET", SECRET)];
    let (exit, stdout, stderr) = Plain::start_with(home.path(), &flags, &secret).end();
    assert_eq!((exit, stdout.as_str()), (1, ""), "{stderr}");
    for secret in [DEVICE_CODE, SECRET] {
        assert_without(&stderr, secret, "on standard error");
    }
}

#[test]
fn code_exchange_reveals_no_code_or_secret() {
    let server = Scripted::start(|request| {
        let verifier = request
            .form
            .get("code_verifier")
            .cloned()
            .unwrap_or_default();
        error("invalid_client", &[CODE, SECRET, &verifier])
    });
    let home = tempfile::tempdir().unwrap();
    let mut terminal = terminal(home.path(), &server, "authorization-code");
    let state = come_back(
        &mut terminal,
        &format!("code={}&state={{state}}", encoded(CODE)),
    );
    terminal.wait_for("[a Try again]");
    let verifier = server.requests("/token")[0].form["code_verifier"].clone();
    let trace = terminal.trace(home.path());
    for secret in [CODE, SECRET, &verifier, &state] {
        assert_without(&terminal.screen(), secret, "on the screen");
        assert_without(&trace, secret, "in the trace");
    }
    assert!(trace.contains("error: invalid_client"), "{trace}");
}

#[test]
fn callback_error_reveals_no_code_or_state() {
    let (home, server) = (
        tempfile::tempdir().unwrap(),
        Scripted::start(|_| Reply::default()),
    );
    let mut terminal = terminal(home.path(), &server, "authorization-code");
    let text = encoded(&sentence(CODE));
    let state = come_back(
        &mut terminal,
        &format!(
            "error=server_error&code={}&error_description={text}+{{state}}&error_uri={text}&state={{state}}&{}={text}",
            encoded(CODE),
            encoded(CODE)
        ),
    );
    terminal.wait_for("[a Try again]");
    let trace = terminal.trace(home.path());
    for secret in [CODE, &state] {
        assert_without(&terminal.screen(), secret, "on the screen");
        assert_without(&trace, secret, "in the trace");
    }
    assert!(trace.contains("error=server_error"), "{trace}");
}

/// A token response that repeats the tokens in every text.
fn tokens(access: &str, refresh: &str) -> Reply {
    let text = format!(
        "mail {} {}",
        forms(access).join(" "),
        forms(refresh).join(" ")
    );
    Reply::json(
        200,
        &format!(
            r#"{{"access_token":"{access}","refresh_token":"{refresh}","token_type":"Bearer","expires_in":3600,
            "scope":"{text}","message":"{text}","status":"{access}","error_description":"{text}","note":"{text}"}}"#
        ),
    )
}

#[test]
fn failed_refresh_reveals_no_tokens_or_secret() {
    let server = Scripted::start(|request| match request.form.get("refresh_token") {
        None => tokens(ACCESS, REFRESH),
        Some(_) => error("invalid_grant", &[REFRESH, ACCESS, SECRET]),
    });
    let home = tempfile::tempdir().unwrap();
    let mut terminal = terminal(home.path(), &server, "authorization-code");
    come_back(
        &mut terminal,
        &format!("code={}&state={{state}}", encoded(CODE)),
    );
    terminal.wait_for("Access token");
    let first = terminal.screen();
    // Scroll to the rest of the screen.
    terminal.send("\x1b[6~");
    terminal.settle();
    let below = terminal.screen();
    terminal.send("f");
    eventually("the refresh", || {
        (server.requests("/token").len() == 2).then_some(())
    });
    terminal.wait_for("invalid_grant");
    let trace = terminal.trace(home.path());
    for secret in [ACCESS, REFRESH, SECRET] {
        for screen in [&first, &below, &terminal.screen()] {
            assert_without(screen, secret, "on the screen");
        }
        assert_without(&trace, secret, "in the trace");
    }
    assert!(trace.contains("scope: mail [redacted, "), "{trace}");
}
