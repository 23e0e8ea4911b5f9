//! Discovery at servers that do it wrong: each ends as it should, and nothing in the form changes.

use std::path::Path;

use crate::plain::Plain;
use crate::scripted::{Reply, Scripted};
use crate::services::{ca, proxy};
use crate::terminal::{Command, ENTER, ESC, Terminal, is_focused};

const CTRL_F: &str = "\x06";
const WELL_KNOWN: &str = "/.well-known/openid-configuration";

/// Metadata of `issuer`, with the endpoints at `server`.
fn metadata(issuer: &str, server: &str) -> Reply {
    let body = serde_json::json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{server}/authorize"),
        "token_endpoint": format!("{server}/token"),
        "revocation_endpoint": format!("{server}/revoke"),
        "scopes_supported": ["mail.read", "mail.send"],
        "code_challenge_methods_supported": ["plain"],
    });
    Reply::json(200, &body.to_string())
}

/// A server of which `reply` knows the address once it runs.
fn server(reply: impl Fn(&str, &str) -> Reply + Send + Sync + 'static) -> Scripted {
    let address = std::sync::Arc::new(std::sync::OnceLock::<String>::new());
    let known = std::sync::Arc::clone(&address);
    let scripted = Scripted::start(move |request| reply(&request.path, known.wait()));
    address.set(scripted.url.clone()).unwrap();
    scripted
}

/// The form after Discover, and what it said.
fn discover(home: &Path, issuer: &str, told: &str) -> Terminal {
    let flags = [
        "--issuer",
        issuer,
        "--client-id",
        "me",
        "--flow",
        "authorization-code",
        "--token-url",
        "https://typed.example/token",
    ];
    let mut terminal = Command::new(home, &flags).start();
    terminal.wait_for("[a Authorize]");
    terminal.focus("Discover");
    terminal.send(ENTER);
    // A long URL is broken anywhere.
    let together = |text: &str| -> String { text.split_whitespace().collect() };
    terminal.wait_until(told, |screen| {
        together(&screen.contents()).contains(&together(told))
    });
    terminal
}

fn assert_nothing_changed(terminal: &Terminal) {
    let screen = terminal.screen();
    assert!(screen.contains("https://typed.example/token"), "{screen}");
    assert!(!screen.contains(" found\n"), "{screen}");
}

#[test]
fn discovered_values_are_used_until_issuer_changes() {
    let home = tempfile::tempdir().unwrap();
    let server = server(|path, url| match path {
        WELL_KNOWN => metadata(url, url),
        _ => Reply::json(404, "{}"),
    });
    let told = format!(
        "Found in the issuer's metadata: Auth. code URL, Token ex. URL (now locked), 2 scopes. Changing Issuer undoes this. \
            Source: {}{WELL_KNOWN}",
        server.url
    );
    let mut terminal = discover(home.path(), &server.url, &told);
    assert_eq!(terminal.screen().matches(" found\n").count(), 2);
    assert!(terminal.screen().contains(&format!("{}/token", server.url)));
    // An endpoint that the server announces nowhere stays typed by hand.
    terminal.focus("Scope");
    terminal.send("\t");
    terminal.send(ENTER);
    terminal.wait_for("[ ] mail.send");
    terminal.send(ENTER);
    // It names PKCE methods, and the only safe one is not among them: PKCE stays on, and no key offers less.
    terminal.focus("Show");
    terminal.send(ENTER);
    terminal.focus("PKCE");
    terminal.wait_for("doesn't list the PKCE method S256. PKCE stays on");
    terminal.wait_for("(•) On");
    assert!(
        !terminal.flat().to_lowercase().contains("off ]"),
        "{}",
        terminal.screen()
    );
    // Another issuer undoes it, and what was typed is there again.
    terminal.focus("Issuer");
    terminal.send("x");
    terminal.wait_for("https://typed.example/token");
    assert!(!terminal.screen().contains(" found\n"));
}

#[test]
fn issuer_with_path_or_trailing_slash_is_discovered() {
    let home = tempfile::tempdir().unwrap();
    let server = server(|path, url| match path {
        // RFC 8414 puts the well-known part before the path.
        "/.well-known/oauth-authorization-server/realms/a" => {
            metadata(&format!("{url}/realms/a"), url)
        }
        _ => Reply::json(404, "{}"),
    });
    let told = format!(
        "Source: {}/.well-known/oauth-authorization-server/realms/a",
        server.url
    );
    let terminal = discover(home.path(), &format!("{}/realms/a", server.url), &told);
    assert!(terminal.screen().contains(" found\n"));
    // The server's own spelling is taken over.
    let mut terminal = discover(home.path(), &format!("{}/realms/a/", server.url), &told);
    terminal.focus("Show");
    terminal.send(ENTER);
    terminal.wait_for("[Hide]");
    let screen = terminal.screen();
    let spelled = format!("{}/realms/a", server.url);
    assert!(
        screen
            .lines()
            .any(|line| line.contains("Issuer") && line.trim_end().ends_with(&spelled)),
        "{screen}"
    );
}

#[test]
fn metadata_of_another_issuer_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let server = server(|_, url| metadata("https://evil.example", url));
    let told = "its issuer is https://evil.example, not http://127.0.0.1";
    let terminal = discover(home.path(), &server.url, told);
    assert_nothing_changed(&terminal);
    // Another host is never offered.
    assert!(!terminal.flat().contains("Ctrl+F"), "{}", terminal.screen());
}

/// From a text, by the letter of the button.
fn press_discover(terminal: &mut Terminal) {
    terminal.send(ESC);
    terminal.wait_until("the buttons", |screen| is_focused(screen, "Authorize"));
    terminal.send("d");
}

#[test]
fn failed_discovery_suggests_the_correct_issuer() {
    let home = tempfile::tempdir().unwrap();
    // Asked for the address of an endpoint, it has nothing; its issuer names another spelling.
    let server = server(|path, url| match path {
        WELL_KNOWN | "/v1/.well-known/openid-configuration" => metadata(&format!("{url}/v1"), url),
        _ => Reply::json(404, "{}"),
    });
    let issuer = format!("{}/oauth2/token", server.url);
    let told = format!("Did you mean {}?", server.url);
    let mut terminal = discover(home.path(), &issuer, &told);
    terminal.wait_for("Issuer: No usable metadata found for");
    terminal.wait_for("Fix Press Ctrl+F to use http://127.0.0.1:");
    assert!(terminal.look(|screen| is_focused(screen, "Issuer")));
    terminal.send(CTRL_F);
    terminal.wait_for("Changed Issuer is now http://127.0.0.1:");
    press_discover(&mut terminal);
    let told = format!("Did you mean {}/v1?", server.url);
    terminal.wait_until(&told, |screen| {
        let together = |text: &str| -> String { text.split_whitespace().collect() };
        together(&screen.contents()).contains(&together(&told))
    });
    terminal.send(CTRL_F);
    terminal.wait_for("Changed Issuer is now http://127.0.0.1:");
    press_discover(&mut terminal);
    terminal.wait_for("Found in the issuer's metadata");
}

#[test]
fn invalid_issuer_is_reported_with_a_fix() {
    let home = tempfile::tempdir().unwrap();
    for (typed, told, fix, changed) in [
        (
            "as.example/r",
            "Did you mean https://as.example/r?",
            "use https://as.example/r.",
            "Issuer https://as.example/r",
        ),
        (
            "https://as.example/r/.well-known/openid-configuration",
            "This is the metadata URL, not the issuer",
            "use https://as.example/r.",
            "Issuer https://as.example/r",
        ),
        (
            "https://as.example/r?p=x",
            "An issuer can't have a query",
            "use https://as.example/r.",
            "Issuer https://as.example/r",
        ),
    ] {
        let mut terminal = Command::new(home.path(), &[]).start();
        terminal.focus("Show");
        terminal.send(ENTER);
        terminal.focus("Issuer");
        // Typed: what is pasted into an empty field is put right at once.
        let (first, rest) = typed.split_at(1);
        terminal.send(first);
        terminal.send(rest);
        terminal.focus("Discover");
        terminal.send(ENTER);
        terminal.wait_until("the focus on Issuer", |screen| is_focused(screen, "Issuer"));
        terminal.wait_for(told);
        terminal.wait_for(&format!("Fix Press Ctrl+F to {fix}"));
        terminal.send(CTRL_F);
        terminal.wait_for("Changed");
        terminal.wait_for(changed);
    }
}

#[test]
fn missing_invalid_and_redirected_metadata_changes_nothing() {
    let home = tempfile::tempdir().unwrap();
    let nothing = server(|_, _| Reply::json(404, "{}"));
    assert_nothing_changed(&discover(home.path(), &nothing.url, "HTTP status 404"));
    let page = server(|_, _| Reply::json(200, "<html><body>Welcome</body></html>"));
    assert_nothing_changed(&discover(home.path(), &page.url, "it is a web page"));
    let circle = server(|path, url| Reply {
        status: 302,
        headers: vec![("Location".to_owned(), format!("{url}{path}"))],
        ..Reply::default()
    });
    let terminal = discover(
        home.path(),
        &circle.url,
        "but metadata must be at the issuer's own URL",
    );
    assert_nothing_changed(&terminal);
    // Each address is asked once.
    assert_eq!(circle.requests(WELL_KNOWN).len(), 1);
}

#[test]
fn discovery_requires_issuer_and_mailbox_finds_its_preset() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = Command::new(home.path(), &[]).start();
    terminal.wait_for("[a Authorize]");
    terminal.focus("Discover");
    terminal.send(ENTER);
    terminal.wait_for("Enter the service's issuer URL");
    terminal.send("someone@gmail.com");
    // To the buttons.
    terminal.send(ESC);
    terminal.wait_until("the buttons", |screen| is_focused(screen, "Authorize"));
    terminal.send("d");
    terminal.wait_for("Find someone@gmail.com");
    terminal.send(ENTER);
    terminal.wait_for("Google mail");
    // Page Down.
    terminal.send("\x1b[6~");
    terminal.wait_for("Login hint someone@gmail.com");
}

/// The device code flow without a screen, at a service on https://as.example whose metadata and device answer have
/// these members besides.
fn at_a_service_elsewhere(
    metadata: serde_json::Value,
    device: serde_json::Value,
) -> (i32, String, String) {
    with_flags_at_a_service_elsewhere(metadata, device, &[])
}

/// The same with further flags.
fn with_flags_at_a_service_elsewhere(
    metadata: serde_json::Value,
    device: serde_json::Value,
    more: &[&str],
) -> (i32, String, String) {
    let with = |mut body: serde_json::Value, more: &serde_json::Value| {
        let more = more.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(more);
        (200, "application/json", body.to_string())
    };
    let port = proxy(move |request| match request.url.path() {
        WELL_KNOWN => {
            let body = serde_json::json!({
                "issuer": "https://as.example", "token_endpoint": "https://as.example/token",
                "device_authorization_endpoint": "https://as.example/device",
            });
            with(body, &metadata)
        }
        "/device" => {
            let body = serde_json::json!({
                "device_code": "d", "user_code": "U", "interval": 1, "verification_uri": "https://as.example/",
            });
            with(body, &device)
        }
        "/token" => (
            200,
            "application/json",
            r#"{"access_token":"the-token"}"#.to_owned(),
        ),
        _ => (404, "application/json", "{}".to_owned()),
    });
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("ca.pem"), ca()).unwrap();
    let flags = [
        ("--issuer", "https://as.example"),
        ("--ca-file", "ca.pem"),
        ("--client-id", "me"),
        ("--flow", "device-code"),
        ("--print", "access-token"),
    ];
    let flags: Vec<&str> = flags
        .iter()
        .flat_map(|(flag, value)| [*flag, value])
        .chain(more.iter().copied())
        .collect();
    let proxy = format!("http://127.0.0.1:{port}");
    Plain::start_with(home.path(), &flags, &[("HTTPS_PROXY", &proxy)]).end()
}

#[test]
fn remote_service_cannot_point_to_this_machine() {
    let none = || serde_json::json!({});
    let (exit, stdout, stderr) = at_a_service_elsewhere(none(), none());
    assert_eq!((exit, stdout.trim()), (0, "the-token"), "{stderr}");
    for (metadata, device, words) in [
        (
            serde_json::json!({"token_endpoint": "http://127.0.0.1:8400/token"}),
            none(),
            "its token_endpoint is invalid: 127.0.0.1 points to this machine",
        ),
        (
            serde_json::json!({"device_authorization_endpoint": "https://localhost/device"}),
            none(),
            "its device_authorization_endpoint is invalid: localhost points to this machine",
        ),
        (
            none(),
            serde_json::json!({"verification_uri": "http://127.0.0.1:8400/"}),
            "verification_uri: 127.0.0.1 points to this machine",
        ),
        (
            none(),
            serde_json::json!({"verification_uri_complete": "http://[::1]/?code=U"}),
            "verification_uri_complete: [::1] points to this machine",
        ),
    ] {
        let (exit, _, stderr) = at_a_service_elsewhere(metadata, device);
        assert!(exit == 1 && stderr.contains(words), "{exit} {stderr}");
    }
}

#[test]
fn endpoint_on_another_host_is_reported_before_any_request() {
    let metadata = serde_json::json!({"token_endpoint": "https://tokens.example/token"});
    let run = |more: &[&str]| {
        with_flags_at_a_service_elsewhere(metadata.clone(), serde_json::json!({}), more)
    };
    let (exit, stdout, stderr) = run(&["--trust-host", "other.example"]);
    assert_eq!((exit, stdout.as_str()), (2, ""), "{stderr}");
    for words in [
        "error: Token ex. URL: The metadata of as.example sets this to a different host: tokens.example.",
        "hint: To trust that host, add --trust-host tokens.example.",
    ] {
        assert!(stderr.contains(words), "{stderr}");
    }
    assert!(!stderr.contains("user_code"), "{stderr}");
    let (exit, stdout, stderr) = run(&[
        "--trust-host",
        "other.example",
        "--trust-host",
        "Tokens.example",
    ]);
    assert_eq!((exit, stdout.trim()), (0, "the-token"), "{stderr}");
    assert!(!stderr.contains("a different host"), "{stderr}");
}

#[test]
fn endpoint_on_another_host_requires_trust_before_sign_in() {
    let home = tempfile::tempdir().unwrap();
    let server = server(|path, url| match path {
        WELL_KNOWN => {
            let body = serde_json::json!({
                "issuer": url,
                "token_endpoint": "https://evil.example/token",
                "device_authorization_endpoint": format!("{url}/device"),
            });
            Reply::json(200, &body.to_string())
        }
        "/device" => Reply::json(
            200,
            r#"{"device_code":"d","user_code":"THE-CODE","verification_uri":"https://as.example/","interval":600}"#,
        ),
        _ => Reply::json(404, "{}"),
    });
    let flags = [
        "--issuer",
        server.url.as_str(),
        "--client-id",
        "me",
        "--flow",
        "device-code",
    ];
    let mut terminal = Command::new(home.path(), &flags).start();
    terminal.wait_for("[a Authorize]");
    terminal.focus("Discover");
    terminal.send(ENTER);
    terminal.wait_for("other host");
    for _ in 0..2 {
        terminal.focus("Authorize");
        terminal.send(ENTER);
        terminal.wait_for(
            "sets this to a different host: evil.example. It would receive the device code",
        );
        terminal.wait_for("Press Ctrl+F to trust evil.example.");
    }
    assert!(server.requests("/device").is_empty());
    terminal.send(CTRL_F);
    terminal.wait_for("evil.example is now trusted.");
    assert!(!terminal.screen().contains("other host"));
    terminal.send(ENTER);
    terminal.wait_for("THE-CODE");
}

#[test]
fn busy_service_is_not_reported_as_wrong_issuer() {
    let home = tempfile::tempdir().unwrap();
    let server = server(|path, _| match path {
        WELL_KNOWN => Reply {
            headers: vec![("Retry-After".to_owned(), "120".to_owned())],
            ..Reply::json(503, "<html>busy</html>")
        },
        _ => Reply::json(404, "{}"),
    });
    assert_nothing_changed(&discover(
        home.path(),
        &server.url,
        "The service is busy (HTTP 503) and asks clients to wait 2 minutes. Try again in 2 minutes.",
    ));
}

#[test]
fn url_with_protocol_parameter_is_refused_from_every_source() {
    let metadata =
        serde_json::json!({"token_endpoint": "https://as.example/token?client_id=other"});
    let (exit, _, stderr) = at_a_service_elsewhere(metadata, serde_json::json!({}));
    assert!(
        exit == 1 && stderr.contains("The URL's query contains client_id"),
        "{stderr}"
    );
    let home = tempfile::tempdir().unwrap();
    let flags = [
        "--authorization-url=https://as.example/authorize?keep=1&redirect_uri=https://evil.example/",
        "--token-url=https://as.example/token?keep=1",
        "--client-id=me",
        "--flow=authorization-code",
        "--print=access-token",
    ];
    let (exit, _, stderr) = Plain::start(home.path(), &flags).end();
    let error = "error: Auth. code URL (--authorization-url): The URL's query contains redirect_uri, which the program sets. Remove it from the URL.";
    assert!(exit == 2 && stderr.contains(error), "{exit} {stderr}");
}
