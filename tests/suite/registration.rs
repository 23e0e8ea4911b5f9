//! Dynamic client registration (RFC 7591) at a certified OpenID provider, and sign-ins with the registered clients.

use crate::servers::{Provider, person};
use crate::terminal::{Command, DOWN, ENTER, Terminal};

const TOKEN: &str = "initial-token";

/// The form after Discover.
fn form(home: &tempfile::TempDir, provider: &Provider, flags: &[&str]) -> Terminal {
    let mut all = vec!["--issuer", provider.issuer()];
    all.extend(flags);
    let mut terminal = Command::new(home.path(), &all).start();
    terminal.wait_for("[a Authorize]");
    terminal.focus("Discover");
    terminal.send(ENTER);
    terminal.wait_for("registration of this program");
    terminal
}

/// Registers with this initial access token, and waits for the message `told`.
fn register(terminal: &mut Terminal, token: &str, told: &str) {
    terminal.focus("Register\u{2026}");
    terminal.send(ENTER);
    terminal.wait_for("Initial access token");
    terminal.send(token);
    terminal.settle();
    assert!(!terminal.flat().contains(TOKEN), "{}", terminal.screen());
    terminal.send(ENTER);
    terminal.wait_for(told);
}

const WITH_SECRET: &str = "Client ID, Client secret and Client auth. are filled in.";

#[test]
fn registered_client_signs_in_with_device_code() {
    let (home, provider) = (
        tempfile::tempdir().unwrap(),
        Provider::start(&[("REGISTRATION", "open"), ("DEVICE_INTERVAL", "1")]),
    );
    let flags = ["--scope", "openid email", "--flow", "device-code"];
    let mut terminal = form(&home, &provider, &flags);
    register(&mut terminal, "", "Client ID is filled in.");
    terminal.focus("Authorize");
    terminal.send(ENTER);
    terminal.wait_for("With code");
    assert_eq!(person(&terminal.url(), &[])["outcome"], "approved");
    works(&mut terminal, &provider);
}

fn works(terminal: &mut Terminal, provider: &Provider) {
    terminal.wait_for("Access token");
    terminal.focus("Access token");
    terminal.send("r");
    terminal.wait_for("r Hide]");
    let token = terminal.revealed();
    assert_eq!(provider.userinfo(&token), (200, "alice".to_owned()));
}

#[test]
fn registration_requires_initial_token_and_can_be_saved() {
    let (home, provider) = (
        tempfile::tempdir().unwrap(),
        Provider::start(&[("REGISTRATION", "token"), ("STRICT_AUTH", "1")]),
    );
    let flags = [
        "--scope",
        "openid email",
        "--flow",
        "authorization-code",
        "--client-authentication",
        "basic",
    ];
    let mut terminal = form(&home, &provider, &flags);
    for wrong in ["", "another-token"] {
        register(
            &mut terminal,
            wrong,
            "requires a valid initial access token",
        );
        terminal.wait_for("The service rejected the registration");
    }
    register(&mut terminal, TOKEN, WITH_SECRET);
    terminal.focus("More\u{2026}");
    terminal.send(ENTER);
    terminal.wait_for("Save registration");
    terminal.send(DOWN);
    terminal.send(ENTER);
    terminal.wait_for("Save the registration to this file");
    terminal.send(ENTER);
    terminal.wait_for("oauth-authorizer-registration.json (mode 0600)");
    let path = home.path().join("oauth-authorizer-registration.json");
    let kept = std::fs::read_to_string(&path).unwrap();
    let kept: serde_json::Value = serde_json::from_str(&kept).unwrap();
    let text = |name: &str| kept[name].as_str().unwrap_or_else(|| panic!("{kept}"));
    assert_eq!(text("token_endpoint_auth_method"), "client_secret_basic");
    let uri = format!("{}/reg/{}", provider.issuer(), text("client_id"));
    assert_eq!(text("registration_client_uri"), uri);
    // The registration access token allows the program to read and change the registration.
    let authorization = format!("Bearer {}", text("registration_access_token"));
    let (status, _) = crate::servers::get(&uri, &[("Authorization", &authorization)]);
    assert_eq!(status, 200);
    let trace = terminal.trace(home.path());
    assert!(trace.contains("client_name: OAuth Authorizer"), "{trace}");
    for secret in ["registration_access_token", "client_secret"] {
        assert!(
            trace.contains(secret) && !trace.contains(text(secret)),
            "{trace}"
        );
    }
    assert!(!trace.contains(TOKEN), "{trace}");
    terminal.focus("Authorize");
    terminal.send(ENTER);
    terminal.wait_for("URL, code or error text");
    assert_eq!(person(&terminal.url(), &[])["outcome"], "approved");
    works(&mut terminal, &provider);
}

#[test]
fn client_credentials_client_is_registered_with_a_secret() {
    let (home, provider) = (
        tempfile::tempdir().unwrap(),
        Provider::start(&[("REGISTRATION", "open"), ("STRICT_AUTH", "1")]),
    );
    let flags = ["--scope", "api:read", "--flow", "client-credentials"];
    let mut terminal = form(&home, &provider, &flags);
    register(&mut terminal, "", WITH_SECRET);
    terminal.focus("Authorize");
    terminal.send(ENTER);
    terminal.wait_for("the client (no user)");
    assert_eq!(provider.requests("client_credentials"), (1, 0));
}
