//! Pushed authorization requests (RFC 9126), at a certified OpenID provider and at servers that do it wrong.

use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};

use crate::plain::Plain;
use crate::scripted::{Reply, Scripted};
use crate::servers::{ODD_BASIC, ODD_POST, ODD_SECRET, Provider, eventually, free_port, person};
use crate::terminal::{Command, ENTER};

const ROUTE: &str = "pushed_authorization_request";
const SECRET: &str = "OAUTH_AUTHORIZER_CLIENT_SECRET";

/// The flags of a sign-in in the browser at this issuer.
fn flags(issuer: &str, client: &str, more: &[&str]) -> Vec<String> {
    let redirect = format!("http://127.0.0.1:{}/callback", free_port());
    let mut all: Vec<String> = [
        ("--flow", "authorization-code"),
        ("--issuer", issuer),
        ("--client-id", client),
        ("--scope", "openid email"),
        ("--redirect-url", &redirect),
    ]
    .into_iter()
    .flat_map(|(flag, value)| [flag.to_owned(), value.to_owned()])
    .collect();
    all.extend(more.iter().map(|&flag| flag.to_owned()));
    all
}

fn start(home: &tempfile::TempDir, flags: &[String], secret: &str) -> Plain {
    let mut all: Vec<&str> = flags.iter().map(String::as_str).collect();
    all.extend(["--print", "access-token"]);
    Plain::start_with(home.path(), &all, &[(SECRET, secret)])
}

fn names(url: &str) -> Vec<String> {
    let url = url::Url::parse(url).unwrap();
    url.query_pairs()
        .map(|(name, _)| name.into_owned())
        .collect()
}

#[test]
fn parameters_are_pushed_if_required_or_client_is_confidential() {
    let home = tempfile::tempdir().unwrap();
    for (par, client, authentication, pushed) in [
        ("required", "public-native", "none", true),
        ("required", ODD_BASIC, "basic", true),
        ("offered", ODD_POST, "post", true),
        ("offered", "public-native", "none", false),
    ] {
        let provider = Provider::start(&[("PAR", par), ("STRICT_AUTH", "1")]);
        let secret = if pushed && client != "public-native" {
            ODD_SECRET
        } else {
            ""
        };
        let method = ["--client-authentication", authentication];
        let method = if secret.is_empty() { &[][..] } else { &method };
        let all = flags(provider.issuer(), client, method);
        let mut plain = start(&home, &all, secret);
        let url = plain.value("authorization_url");
        if pushed {
            assert_eq!(names(&url), ["client_id", "request_uri"], "{url}");
            let note = plain.value("note");
            assert!(note.starts_with("Open the URL within 60 seconds"), "{note}");
        } else {
            assert!(names(&url).contains(&"state".to_owned()), "{url}");
        }
        let answer = person(&url, &[]);
        assert_eq!(answer["outcome"], "approved", "{answer}");
        let (code, token, stderr) = plain.end();
        assert_eq!(code, 0, "{stderr}");
        assert_eq!(
            provider.userinfo(token.trim_end()),
            (200, "alice".to_owned())
        );
        let statuses = || (provider.statuses(ROUTE).len() == usize::from(pushed)).then_some(());
        eventually("the pushed request", statuses);
        let step = stderr.contains("step: sending the parameters of the sign-in");
        assert_eq!(step, pushed, "{stderr}");
        for check in ["State passed", "PKCE passed", "ID token passed"] {
            assert!(stderr.contains(check), "{check}\n{stderr}");
        }
    }
}

#[test]
fn screen_shows_push_step_and_trace_redacts_request_uri() {
    let (home, provider) = (
        tempfile::tempdir().unwrap(),
        Provider::start(&[("PAR", "required")]),
    );
    let all = flags(provider.issuer(), "public-native", &[]);
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let mut terminal = Command::new(home.path(), &all).start();
    terminal.wait_for("[a Authorize]");
    terminal.focus("Discover");
    terminal.send(ENTER);
    terminal.wait_for("Found in the issuer's metadata");
    terminal.focus("Authorize");
    terminal.send(ENTER);
    terminal.wait_for("URL, code or error text");
    terminal.wait_for("Open the URL within 60 seconds");
    let url = terminal.url();
    assert_eq!(names(&url), ["client_id", "request_uri"], "{url}");
    let url = url::Url::parse(&url).unwrap();
    let reference = url.query_pairs().nth(1).unwrap().1.into_owned();
    let reference = reference.rsplit(':').next().unwrap();
    assert_eq!(person(url.as_str(), &[])["outcome"], "approved");
    terminal.wait_for("Access token");
    let trace = terminal.trace(home.path());
    assert!(
        trace.contains("/request") && trace.contains("expires_in"),
        "{trace}"
    );
    assert!(
        trace.contains("request_uri: ") && !trace.contains(reference),
        "{trace}"
    );
}

#[test]
fn rejection_is_explained_if_pushing_is_required() {
    let home = tempfile::tempdir().unwrap();
    let provider = Provider::start(&[("PAR", "required"), ("STRICT_AUTH", "1")]);
    let wrong_url = ["--redirect-url", "http://127.0.0.1:8400/elsewhere"];
    for (client, secret, more, words) in [
        (
            ODD_BASIC,
            "another",
            &[][..],
            &[
                "The service rejected the pushed authorization request: invalid_client",
                "field: Client secret",
            ][..],
        ),
        (
            "public-native",
            "",
            &wrong_url[..],
            &["redirect_uri", "field: Redirect URL"][..],
        ),
    ] {
        let mut all = flags(provider.issuer(), client, &[]);
        if more.first() == Some(&"--redirect-url") {
            all.truncate(all.len() - 2);
        }
        all.extend(more.iter().map(|&flag| flag.to_owned()));
        let (code, stdout, stderr) = start(&home, &all, secret).end();
        assert_eq!((code, stdout.as_str()), (1, ""), "{stderr}");
        for words in words {
            assert!(stderr.contains(words), "{words}\n{stderr}");
        }
        assert!(!stderr.contains("authorization_url:"), "{stderr}");
    }
}

/// A server whose metadata names an endpoint for pushed requests, which answers `reply`.
fn server(required: bool, reply: Reply) -> Scripted {
    let address = Arc::new(OnceLock::<String>::new());
    let known = Arc::clone(&address);
    let scripted = Scripted::start(move |request| {
        let url = known.wait();
        let body = match request.path.as_str() {
            "/par" => return reply.clone(),
            "/.well-known/openid-configuration" => json!({
                "issuer": url,
                "authorization_endpoint": format!("{url}/authorize"),
                "device_authorization_endpoint": format!("{url}/device"),
                "token_endpoint": format!("{url}/token"),
                "pushed_authorization_request_endpoint": format!("{url}/par"),
                "require_pushed_authorization_requests": required,
            }),
            "/device" => json!({
                "device_code": "d", "user_code": "WDJB-MJHT", "expires_in": 600, "interval": 1,
                "verification_uri": "https://as.example/device",
            }),
            "/token" => json!({"access_token": "t0ken", "token_type": "Bearer"}),
            _ => return Reply::json(404, "{}"),
        };
        Reply::json(200, &body.to_string())
    });
    address.set(scripted.url.clone()).unwrap();
    scripted
}

#[test]
fn invalid_push_response_is_fatal_only_if_required() {
    let home = tempfile::tempdir().unwrap();
    let redirect = Reply {
        headers: vec![("Location".to_owned(), "https://evil.example/par".to_owned())],
        ..Reply::json(307, "{}")
    };
    let large = json!({"request_uri": "urn:x:1", "padding": "x".repeat(4 * 1024 * 1024)});
    let object: Value = json!({"expires_in": 60});
    for (reply, words) in [
        (redirect, "redirects the request"),
        (Reply::json(201, &large.to_string()), "larger than 1 MB"),
        (
            Reply::json(201, &object.to_string()),
            "contains no request_uri",
        ),
        (Reply::json(404, "<html>no</html>"), "it is a web page"),
        (
            Reply {
                drop: true,
                ..Reply::default()
            },
            "",
        ),
    ] {
        let required = server(true, reply.clone());
        let all = flags(&required.url, "me", &[]);
        let (code, _, stderr) = start(&home, &all, "s3cret").end();
        assert!([1, 5].contains(&code), "{code} {stderr}");
        assert!(stderr.contains(words), "{words}\n{stderr}");
        assert!(!stderr.contains("authorization_url:"), "{stderr}");
        assert!(required.requests("/token").is_empty());
        let offered = server(false, reply);
        let all = flags(&offered.url, "me", &[]);
        let mut plain = start(&home, &all, "s3cret");
        let url = plain.value("authorization_url");
        assert!(names(&url).contains(&"code_challenge".to_owned()), "{url}");
        let note = plain.value("note");
        assert!(
            note.contains(words) && note.contains("the URL contains the parameters"),
            "{note}"
        );
        assert_eq!(offered.requests("/par").len(), 1);
    }
}

#[test]
fn the_device_code_flow_pushes_nothing() {
    let home = tempfile::tempdir().unwrap();
    let server = server(true, Reply::json(500, "{}"));
    let mut all = flags(&server.url, "me", &[]);
    "device-code".clone_into(&mut all[1]);
    let (code, token, stderr) = start(&home, &all, "s3cret").end();
    assert_eq!((code, token.trim_end()), (0, "t0ken"), "{stderr}");
    assert!(server.requests("/par").is_empty());
}
