//! Both flows against a certified OpenID provider.

use serde_json::Value;

use crate::servers::{ODD_BASIC, ODD_POST, ODD_SECRET, Provider, eventually, free_port, person};
use crate::terminal::{Command, DOWN, ENTER, ESC, Terminal, UP, is_focused};

/// The form at the provider, with these flags more.
fn form(home: &tempfile::TempDir, provider: &Provider, flags: &[&str]) -> Terminal {
    let mut all = provider.flags();
    all.extend(
        [
            "--scope",
            "openid email offline_access",
            "--extra-parameters",
            "prompt=consent",
        ]
        .map(str::to_owned),
    );
    all.extend(flags.iter().map(|&flag| flag.to_owned()));
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let mut terminal = Command::new(home.path(), &all).start();
    terminal.wait_for("[a Authorize]");
    terminal.focus("Authorize");
    terminal
}

/// Starts the device flow: the complete URL that the screen shows.
fn device(terminal: &mut Terminal) -> String {
    terminal.send(ENTER);
    terminal.wait_for("With code");
    terminal.url()
}

/// Starts the authorization code flow: the URL that the screen shows.
fn sign_in(terminal: &mut Terminal) -> String {
    terminal.send(ENTER);
    terminal.wait_for("URL, code or error text");
    terminal.url()
}

/// The access token on the screen is accepted by the server.
fn assert_token_works(terminal: &mut Terminal, provider: &Provider) -> String {
    terminal.wait_for("Access token");
    terminal.focus("Access token");
    terminal.send("r");
    terminal.wait_for("r Hide]");
    let token = terminal.revealed();
    assert_eq!(
        provider.userinfo(&token),
        (200, "alice".to_owned()),
        "{token}"
    );
    terminal.send("r");
    terminal.wait_for("[r Reveal]");
    assert!(
        !terminal.flat().contains(&token),
        "a token is shown only while revealed"
    );
    token
}

fn outcome(answer: &Value) -> &str {
    answer["outcome"].as_str().unwrap()
}

#[test]
fn device_flow_approved() {
    let (home, provider) = (
        tempfile::tempdir().unwrap(),
        Provider::start(&[("DEVICE_INTERVAL", "1")]),
    );
    let mut terminal = form(&home, &provider, &["--client-id", "public-native"]);
    let url = device(&mut terminal);
    // The code alone, to compare it with the page.
    let (_, code) = url.split_once("user_code=").unwrap();
    let screen = terminal.screen();
    assert!(
        screen.split_whitespace().any(|word| word == code),
        "{screen}"
    );
    assert_eq!(outcome(&person(&url, &[])), "approved");
    assert_token_works(&mut terminal, &provider);
    assert!(
        terminal.flat().contains("Signed in as"),
        "{}",
        terminal.screen()
    );
}

#[test]
fn device_flow_approved_by_typing_the_code() {
    let (home, provider) = (
        tempfile::tempdir().unwrap(),
        Provider::start(&[("DEVICE_INTERVAL", "1"), ("NO_COMPLETE_URI", "1")]),
    );
    let mut terminal = form(&home, &provider, &["--client-id", "public-native"]);
    terminal.send(ENTER);
    terminal.wait_for("Enter code");
    let screen = terminal.screen();
    let word = |before: &str| {
        screen
            .split(before)
            .nth(1)
            .unwrap()
            .split_whitespace()
            .next()
            .unwrap()
            .to_owned()
    };
    let (url, code) = (word("1  Open"), word("As text"));
    assert_eq!(outcome(&person(&url, &["--user-code", &code])), "approved");
    assert_token_works(&mut terminal, &provider);
}

#[test]
fn discovery_fills_the_form() {
    let (home, provider) = (
        tempfile::tempdir().unwrap(),
        Provider::start(&[("DEVICE_INTERVAL", "1")]),
    );
    let flags = [
        "--issuer",
        provider.issuer(),
        "--client-id",
        "public-native",
        "--scope",
        "openid",
    ];
    let mut terminal = Command::new(home.path(), &flags).start();
    terminal.wait_for("[a Authorize]");
    terminal.focus("Discover");
    terminal.wait_for("Fetch endpoints and scopes from the issuer's metadata.");
    terminal.send(ENTER);
    terminal.wait_for(&format!(
        "Source: {}/.well-known/openid-configuration",
        provider.issuer()
    ));
    let found = terminal.flat();
    assert!(
        found.contains("PKCE S256, responses include the issuer. Changing Issuer undoes this.")
            && found.contains(
                "Found in the issuer's metadata: Auth. code URL, Device code URL, Token ex. URL (now locked)"
            ),
        "{found}"
    );
    let screen = terminal.screen();
    for field in ["Device code URL", "Token ex. URL"] {
        let row = screen.lines().find(|line| line.contains(field)).unwrap();
        assert!(
            row.contains(provider.issuer()) && row.trim_end().ends_with("found"),
            "{screen}"
        );
    }
    terminal.focus("Authorize");
    let url = device(&mut terminal);
    assert_eq!(outcome(&person(&url, &[])), "approved");
    assert_token_works(&mut terminal, &provider);
}

#[test]
fn device_flow_denied() {
    let (home, provider) = (
        tempfile::tempdir().unwrap(),
        Provider::start(&[("DEVICE_INTERVAL", "1")]),
    );
    let mut terminal = form(&home, &provider, &["--client-id", "public-native"]);
    let url = device(&mut terminal);
    assert_eq!(outcome(&person(&url, &["--deny"])), "denied");
    terminal.wait_for("denied in the browser");
    assert!(
        terminal
            .flat()
            .contains("[a Try again] [e Trace] [c Copy report] [Esc Settings]"),
        "{}",
        terminal.screen()
    );
}

#[test]
fn expired_device_code_can_be_requested_again() {
    let (home, provider) = (
        tempfile::tempdir().unwrap(),
        Provider::start(&[("DEVICE_INTERVAL", "1"), ("DEVICE_CODE_TTL", "4")]),
    );
    let mut terminal = form(&home, &provider, &["--client-id", "public-native"]);
    device(&mut terminal);
    terminal.wait_for("without approval");
    // One key asks for a new code.
    let url = {
        terminal.send("a");
        terminal.wait_for("With code");
        terminal.url()
    };
    assert_eq!(outcome(&person(&url, &[])), "approved");
    assert_token_works(&mut terminal, &provider);
}

#[test]
fn authorization_code_flow_works_for_public_client() {
    let (home, provider) = (tempfile::tempdir().unwrap(), Provider::start(&[]));
    let mut terminal = form(
        &home,
        &provider,
        &[
            "--flow",
            "authorization-code",
            "--client-id",
            "public-native",
            "--issuer",
            provider.issuer(),
        ],
    );
    let url = sign_in(&mut terminal);
    let answer = person(&url, &[]);
    assert_eq!(outcome(&answer), "approved");
    assert!(
        answer["body"]
            .as_str()
            .unwrap()
            .contains("Return to your terminal"),
        "{answer}"
    );
    assert_token_works(&mut terminal, &provider);
    // All checks at once, each in full.
    terminal.resize(80, 40);
    terminal.send("k");
    for check in ["State", "Issuer", "PKCE", "ID token"] {
        terminal.wait_for(&format!("passed {check}: "));
    }
}

/// A confidential client whose ID and secret were typed.
fn confidential(client_id: &str, authentication: &str) {
    let (home, provider) = (
        tempfile::tempdir().unwrap(),
        Provider::start(&[("STRICT_AUTH", "1")]),
    );
    let flags = [
        "--flow",
        "authorization-code",
        "--client-authentication",
        authentication,
    ];
    let mut terminal = form(&home, &provider, &flags);
    terminal.focus("Client ID");
    terminal.send(client_id);
    terminal.focus("Client secret");
    terminal.send(ODD_SECRET);
    terminal.settle();
    assert!(
        !terminal.flat().contains(ODD_SECRET),
        "the secret is masked\n{}",
        terminal.screen()
    );
    terminal.focus("Authorize");
    let url = sign_in(&mut terminal);
    let answer = person(&url, &[]);
    assert_eq!(outcome(&answer), "approved");
    let token = assert_token_works(&mut terminal, &provider);
    let callback = url::Url::parse(answer["callback"].as_str().unwrap()).unwrap();
    let trace = terminal.trace(home.path());
    let encoded: String = url::form_urlencoded::byte_serialize(ODD_SECRET.as_bytes()).collect();
    let parameters = callback
        .query_pairs()
        .filter(|(name, _)| name != "iss")
        .map(|(_, value)| value.into_owned());
    for secret in parameters.chain([token, ODD_SECRET.to_owned(), encoded]) {
        assert!(!trace.contains(&secret), "in the trace: {secret}\n{trace}");
    }
    assert!(trace.contains("GET, from the browser -> taken"), "{trace}");
    assert_eq!(
        trace.contains("> authorization: Basic [redacted"),
        authentication == "basic",
        "{trace}"
    );
}

#[test]
fn authorization_code_flow_works_with_basic_authentication() {
    confidential(ODD_BASIC, "basic");
}

#[test]
fn authorization_code_flow_works_with_post_authentication() {
    confidential(ODD_POST, "post");
}

#[test]
fn refresh_rotates_the_refresh_token() {
    let (home, provider) = (
        tempfile::tempdir().unwrap(),
        Provider::start(&[("DEVICE_INTERVAL", "1")]),
    );
    let mut terminal = form(&home, &provider, &["--client-id", "public-native"]);
    let url = device(&mut terminal);
    person(&url, &[]);
    let first = assert_token_works(&mut terminal, &provider);
    let refresh_token = |terminal: &mut Terminal| {
        terminal.focus("Refresh token");
        terminal.send("r");
        terminal.wait_for("r Hide]");
        let token = terminal.revealed();
        terminal.send("r");
        terminal.wait_for("[r Reveal]");
        token
    };
    let old = refresh_token(&mut terminal);
    terminal.focus("Refresh]");
    terminal.send(ENTER);
    terminal.wait_for("Refreshed at");
    assert!(
        terminal.flat().contains("rotated; use the new one"),
        "{}",
        terminal.screen()
    );
    let second = assert_token_works(&mut terminal, &provider);
    assert_ne!(first, second);
    let new = refresh_token(&mut terminal);
    assert_ne!(old, new);
    // The new one is really the one in use: the old one would end everything here.
    terminal.send("f");
    eventually("a third refresh token", || {
        (refresh_token(&mut terminal) != new).then_some(())
    });
    assert_token_works(&mut terminal, &provider);
}

#[test]
fn screen_inspects_and_revokes_tokens() {
    let (home, provider) = (
        tempfile::tempdir().unwrap(),
        Provider::start(&[("DEVICE_INTERVAL", "1")]),
    );
    let flags = [
        "--issuer",
        provider.issuer(),
        "--client-id",
        "public-native",
        "--flow",
        "device-code",
    ];
    let mut terminal = form(&home, &provider, &flags);
    let url = device(&mut terminal);
    assert_eq!(outcome(&person(&url, &[])), "approved");
    let token = assert_token_works(&mut terminal, &provider);
    // The endpoints are in the issuer's metadata, which was not fetched so far.
    terminal.send("o");
    terminal.wait_for("The user info endpoint is unknown");
    // The list begins on a line that can be chosen; the line that can't be says what to do.
    for _ in 0..3 {
        terminal.send(UP);
    }
    terminal.wait_for("Press Discover in the form");
    terminal.send(ESC);
    terminal.wait_for("[Esc Settings]");
    terminal.send(ESC);
    terminal.wait_for("[a Authorize]");
    terminal.focus("Discover");
    terminal.send(ENTER);
    terminal.wait_for("Found in the issuer's metadata");
    terminal.send("\t");
    terminal.focus("Tokens");
    terminal.send(ENTER);
    terminal.wait_for("Signed in as");

    terminal.send("o");
    terminal.wait_for("Ask the service who the access token belongs to");
    terminal.send(ENTER);
    terminal.wait_for("yes: sub matches the ID token");
    terminal.wait_for("alice@example.org");
    terminal.send(ESC);
    terminal.wait_for("[o More…]");
    terminal.send("o");
    terminal.wait_for("Ask the service to revoke the tokens");
    terminal.send(DOWN);
    terminal.send(ENTER);
    terminal.wait_for("Introspection of the access token");
    terminal.wait_for("public-native");
    terminal.send(ESC);
    terminal.wait_for("[o More…]");

    terminal.send("o");
    terminal.wait_for("Ask the service to revoke the tokens");
    terminal.send(DOWN);
    terminal.send(DOWN);
    terminal.send(ENTER);
    terminal.wait_for("Revoke these tokens?");
    assert_eq!(provider.userinfo(&token).0, 200, "nothing is revoked yet");
    terminal.send("y");
    terminal.wait_for(
        "Revoked the refresh token and the access token, the service says. Introspection confirms it.",
    );
    assert_eq!(provider.userinfo(&token).0, 401);
    terminal.send("o");
    terminal.wait_for("Ask the service who the access token belongs to");
    terminal.send(ENTER);
    terminal.wait_for("The service rejected the user info request");
    terminal.send("o");
    terminal.wait_for("Ask the service who the access token belongs to");
    terminal.send(DOWN);
    terminal.send(ENTER);
    terminal.wait_for("Introspection of the access token");
    terminal.wait_for("This client has no secret.");
    let trace = {
        terminal.send(ESC);
        terminal.wait_for("[o More…]");
        terminal.trace(home.path())
    };
    assert!(!trace.contains(&token), "{trace}");
}

#[test]
fn redirect_with_wrong_state_is_refused_and_waiting_continues() {
    let (home, provider) = (tempfile::tempdir().unwrap(), Provider::start(&[]));
    let mut terminal = form(
        &home,
        &provider,
        &[
            "--flow",
            "authorization-code",
            "--client-id",
            "public-native",
        ],
    );
    let url = sign_in(&mut terminal);
    let answer = person(&url, &["--set", "state=forged"]);
    assert_eq!(answer["status"], 400);
    assert!(
        answer["body"]
            .as_str()
            .unwrap()
            .contains("This sign-in doesn't match")
    );
    terminal.wait_for("Ignored a redirect: it is from a different sign-in (state mismatch).");
    assert_eq!(person(&url, &[])["status"], 200);
    assert_token_works(&mut terminal, &provider);
}

#[test]
fn code_with_wrong_pkce_challenge_is_rejected() {
    let (home, provider) = (tempfile::tempdir().unwrap(), Provider::start(&[]));
    let mut terminal = form(
        &home,
        &provider,
        &[
            "--flow",
            "authorization-code",
            "--client-id",
            "public-native",
        ],
    );
    let url = sign_in(&mut terminal);
    // The challenge of RFC 7636, appendix B: whose verifier we do not have.
    person(
        &url,
        &[
            "--set",
            "code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        ],
    );
    terminal.wait_for("The service rejected the code");
    assert!(terminal.flat().contains("PKCE"), "{}", terminal.screen());
}

#[test]
fn an_id_token_with_a_wrong_nonce_is_refused() {
    let (home, provider) = (tempfile::tempdir().unwrap(), Provider::start(&[]));
    let mut terminal = form(
        &home,
        &provider,
        &[
            "--flow",
            "authorization-code",
            "--client-id",
            "public-native",
        ],
    );
    let url = sign_in(&mut terminal);
    person(&url, &["--set", "nonce=forged"]);
    terminal.wait_for(
        "The ID token is not valid for this sign-in: its nonce doesn't match the one that was sent.",
    );
    assert!(
        !terminal.flat().contains("Access token"),
        "{}",
        terminal.screen()
    );
}

#[test]
fn id_token_without_nonce_offers_one_key_fix() {
    let (home, provider) = (tempfile::tempdir().unwrap(), Provider::start(&[]));
    let flags = [
        "--flow",
        "authorization-code",
        "--client-id",
        "public-native",
    ];
    let mut terminal = form(&home, &provider, &flags);
    let url = sign_in(&mut terminal);
    person(&url, &["--unset", "nonce"]);
    terminal.wait_for("it has no nonce, although one was sent.");
    terminal.wait_for("Press Ctrl+F to remove openid from Scope.");
    terminal.wait_for("Ctrl+F fix");
    terminal.send("\x06");
    terminal.wait_for("Changed Scope is now");
    assert!(terminal.look(|screen| is_focused(screen, "Authorize")));
    let url = sign_in(&mut terminal);
    assert!(
        url.contains("scope=email+offline_access&") && !url.contains("nonce="),
        "{url}"
    );
    // Nothing is left to fix.
    terminal.send(ESC);
    terminal.wait_for("[y Cancel sign-in]");
    assert!(!terminal.flat().contains("Ctrl+F fix"));
}

#[test]
fn redirect_from_another_issuer_is_refused() {
    let (home, provider) = (tempfile::tempdir().unwrap(), Provider::start(&[]));
    let flags = [
        "--flow",
        "authorization-code",
        "--client-id",
        "public-native",
        "--issuer",
        "https://other.example",
    ];
    let mut terminal = form(&home, &provider, &flags);
    let url = sign_in(&mut terminal);
    assert_eq!(person(&url, &[])["status"], 400);
    terminal.wait_for("it comes from the issuer");
}

#[test]
fn denial_in_the_browser_is_reported() {
    let (home, provider) = (tempfile::tempdir().unwrap(), Provider::start(&[]));
    let mut terminal = form(
        &home,
        &provider,
        &[
            "--flow",
            "authorization-code",
            "--client-id",
            "public-native",
        ],
    );
    let url = sign_in(&mut terminal);
    let answer = person(&url, &["--deny"]);
    assert!(answer["body"].as_str().unwrap().contains("Sign-in failed"));
    terminal.wait_for("denied in the browser");
}

#[test]
fn canceling_frees_the_port_at_once() {
    let (home, provider) = (tempfile::tempdir().unwrap(), Provider::start(&[]));
    let port = free_port();
    let redirect = format!("http://127.0.0.1:{port}/callback");
    let flags = [
        "--flow",
        "authorization-code",
        "--client-id",
        "public-native",
        "--redirect-url",
        &redirect,
    ];
    let mut terminal = form(&home, &provider, &flags);
    let old = sign_in(&mut terminal);
    terminal.send(ESC);
    terminal.wait_for("Cancel this sign-in?");
    terminal.send("y");
    terminal.wait_for("The sign-in was canceled.");
    terminal.wait_until("the focus on Authorize", |screen| {
        crate::terminal::is_focused(screen, "Authorize")
    });
    let new = sign_in(&mut terminal);
    assert_ne!(old, new);
    // The answer to the canceled attempt is none to this one.
    assert_eq!(person(&old, &[])["status"], 400);
    assert_eq!(person(&new, &[])["status"], 200);
    assert_token_works(&mut terminal, &provider);
}

/// A sign-in with these extra parameters, and its URL.
fn with_extra(
    provider: &Provider,
    home: &tempfile::TempDir,
    extra: &str,
) -> (crate::plain::Plain, String) {
    let mut all = provider.flags();
    let redirect = format!("http://127.0.0.1:{}/callback", free_port());
    let more = [
        "--flow",
        "authorization-code",
        "--client-id",
        "public-native",
        "--scope",
        "openid email",
        "--redirect-url",
        &redirect,
        "--extra-parameters",
        extra,
        "--print",
        "access-token",
    ];
    all.extend(more.map(str::to_owned));
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let mut plain = crate::plain::Plain::start(home.path(), &all);
    let url = plain.value("authorization_url");
    assert!(url.contains(extra.split('=').next().unwrap()), "{url}");
    (plain, url)
}

#[test]
fn requested_auth_time_and_acr_are_checked() {
    let (home, provider) = (tempfile::tempdir().unwrap(), Provider::start(&[]));
    let level = "acr_values=urn:example:mfa";
    for (extra, lines) in [
        (
            format!("max_age=3600&{level}%20urn:example:password"),
            [
                "Auth. time passed: you signed in",
                "ACR passed: urn:example:password, as requested",
            ],
        ),
        (
            format!("max_age=0&{level}"),
            [
                "Auth. time passed: you signed in",
                "ACR failed: urn:example:password, which is none of",
            ],
        ),
    ] {
        let (plain, url) = with_extra(&provider, &home, &extra);
        assert_eq!(outcome(&person(&url, &[])), "approved");
        let (code, _, stderr) = plain.end();
        assert_eq!(code, 0, "{stderr}");
        for line in lines {
            assert!(
                stderr.contains(&format!("check: {line}")),
                "{line}\n{stderr}"
            );
        }
    }
    let (plain, url) = with_extra(&provider, &home, "prompt=login");
    assert_eq!(outcome(&person(&url, &[])), "approved");
    let (_, _, stderr) = plain.end();
    assert!(
        !stderr.contains("Auth. time") && !stderr.contains("ACR"),
        "{stderr}"
    );
}

#[test]
fn form_post_response_is_accepted_only_with_matching_state() {
    let (home, provider) = (tempfile::tempdir().unwrap(), Provider::start(&[]));
    let (mut plain, url) = with_extra(&provider, &home, "response_mode=form_post");
    // Forged by another page of the same browser.
    let forged = url.split("&state=").nth(1).unwrap();
    let forged = url.replace(forged.split('&').next().unwrap(), "forged-forged-forged");
    let answer = person(&forged, &[]);
    assert_eq!(answer["status"], 400, "{answer}");
    let refused = plain.value("refused");
    assert!(
        refused.contains("it is from a different sign-in"),
        "{refused}"
    );
    let answer = person(&url, &[]);
    assert_eq!(
        (outcome(&answer), &answer["status"]),
        ("approved", &200.into()),
        "{answer}"
    );
    let callback = answer["callback"].as_str().unwrap();
    assert!(!callback.contains("code="), "{callback}");
    let (code, token, stderr) = plain.end();
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(
        provider.userinfo(token.trim_end()),
        (200, "alice".to_owned())
    );
    // An error comes in the same way.
    let (plain, url) = with_extra(&provider, &home, "response_mode=form_post");
    assert_eq!(outcome(&person(&url, &["--deny"])), "denied");
    let (code, _, stderr) = plain.end();
    assert_eq!(code, 3, "{stderr}");
}
