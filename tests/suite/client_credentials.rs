//! The client credentials flow against a certified OpenID provider: the client gets tokens for itself, and new ones
//! without a refresh token.

use std::process::Child;

use crate::plain::Plain;
use crate::profiles::{Profiles, Ran};
use crate::servers::{ODD_SECRET, Provider};
use crate::terminal::{Command, ENTER};

const GRANT: &str = "client_credentials";
const SECRET: &str = "OAUTH_AUTHORIZER_CLIENT_SECRET";
/// The clients of the provider, and how each sends its secret.
const CLIENTS: [(&str, &str); 2] = [("service basic", "basic"), ("service post", "post")];

/// A provider that accepts a secret only in the way that its client has registered.
fn provider() -> Provider {
    Provider::start(&[("STRICT_AUTH", "1")])
}

/// The flags of a client. The token endpoint is the only endpoint.
fn flags<'a>(provider: &'a Provider, client: &'a str, authentication: &'a str) -> Vec<&'a str> {
    vec![
        "--flow",
        "client-credentials",
        "--token-url",
        provider.endpoint("token"),
        "--client-id",
        client,
        "--client-authentication",
        authentication,
        "--scope",
        "api:read",
    ]
}

/// Saves the tokens of a client as the profile `office`.
fn saved(provider: &Provider) -> Profiles {
    let profiles = Profiles::new();
    let mut all = flags(provider, "service basic", "basic");
    all.extend(["--save", "office"]);
    let plain = Plain::start_with(profiles.home.path(), &all, &[(SECRET, ODD_SECRET)]);
    let (code, stdout, stderr) = plain.end();
    assert_eq!((code, stdout.as_str()), (0, ""), "{stderr}");
    profiles
}

fn twenty(profiles: &Profiles) -> Vec<Ran> {
    let children: Vec<Child> = (0..20)
        .map(|_| profiles.command(&["token", "office"]).spawn().unwrap())
        .collect();
    children
        .into_iter()
        .map(|child| child.wait_with_output().unwrap().into())
        .collect()
}

#[test]
fn plain_mode_prints_the_client_token() {
    let (home, provider) = (tempfile::tempdir().unwrap(), provider());
    for (client, authentication) in CLIENTS {
        let mut all = flags(&provider, client, authentication);
        all.extend(["--print", "json"]);
        let plain = Plain::start_with(home.path(), &all, &[(SECRET, ODD_SECRET)]);
        let (code, stdout, stderr) = plain.end();
        assert_eq!(code, 0, "{stderr}");
        let tokens: serde_json::Value = serde_json::from_str(&stdout).unwrap();
        assert!(tokens["access_token"].is_string(), "{stdout}");
        assert_eq!(tokens["scope"], "api:read");
        assert!(tokens.get("refresh_token").is_none(), "{stdout}");
        for line in [
            "step: requesting an access token",
            "check: Scope passed: all requested scopes granted",
            "check: Refresh token not applicable: not used in this flow",
        ] {
            assert!(stderr.contains(line), "{line}\n{stderr}");
        }
        assert!(!stderr.contains("failed"), "{stderr}");
    }
    assert_eq!(provider.requests(GRANT), (2, 0));
}

#[test]
fn the_screen_shows_the_token_and_requests_another() {
    let (home, provider) = (tempfile::tempdir().unwrap(), provider());
    for (client, authentication) in CLIENTS {
        let all = flags(&provider, client, authentication);
        let mut terminal = Command::new(home.path(), &all)
            .env(SECRET, ODD_SECRET)
            .start();
        terminal.wait_for("[a Authorize]");
        let screen = terminal.screen();
        for field in ["Redirect URL", "Auth. code URL", "Device code URL"] {
            let row = screen.lines().find(|line| line.contains(field)).unwrap();
            assert!(row.trim_end().ends_with("not used"), "{screen}");
        }
        terminal.focus("Authorize");
        terminal.send(ENTER);
        terminal.wait_for("the client (no user)");
        let flat = terminal.flat();
        assert!(!flat.contains("No refresh token"), "{flat}");
        let first = revealed(&mut terminal);
        terminal.send("f");
        terminal.wait_for("Refreshed at");
        assert_ne!(revealed(&mut terminal), first);
    }
    assert_eq!(provider.requests(GRANT), (4, 0));
}

fn revealed(terminal: &mut crate::terminal::Terminal) -> String {
    terminal.focus("Access token");
    terminal.send("r");
    terminal.wait_for("r Hide]");
    let token = terminal.revealed();
    terminal.send("r");
    terminal.wait_for("[r Reveal]");
    token
}

#[test]
fn a_wrong_or_missing_secret_is_explained() {
    let (home, provider) = (tempfile::tempdir().unwrap(), provider());
    for (client, authentication) in CLIENTS {
        let mut all = flags(&provider, client, authentication);
        all.extend(["--print", "access-token"]);
        let plain = Plain::start_with(home.path(), &all, &[(SECRET, "another")]);
        let (code, stdout, stderr) = plain.end();
        assert_eq!((code, stdout.as_str()), (1, ""), "{stderr}");
        for words in [
            "error: The service rejected the token request: invalid_client",
            "cause: The service doesn't recognize this client ID, or the client secret is wrong",
            "field: Client secret",
        ] {
            assert!(stderr.contains(words), "{words}\n{stderr}");
        }
    }
    assert_eq!(provider.requests(GRANT), (2, 2));
    let all = flags(&provider, "service basic", "basic");
    let mut terminal = Command::new(home.path(), &all)
        .env(SECRET, "another")
        .start();
    terminal.wait_for("[a Authorize]");
    terminal.focus("Authorize");
    terminal.send(ENTER);
    terminal.wait_for("Field Client secret [Edit]");
    let before = provider.requests(GRANT);
    let mut all = flags(&provider, "service basic", "basic");
    all.extend(["--print", "access-token"]);
    let (code, _, stderr) = Plain::start(home.path(), &all).end();
    assert_eq!(code, 2, "{stderr}");
    let words = "error: The client secret is missing.";
    assert!(stderr.contains(words), "{stderr}");
    assert_eq!(provider.requests(GRANT), before);
}

#[test]
fn a_profile_requests_one_new_token_for_all_callers() {
    let provider = provider();
    let profiles = saved(&provider);
    let settings = std::fs::read_to_string(profiles.settings()).unwrap();
    assert!(
        settings.contains("flow = \"client-credentials\""),
        "{settings}"
    );
    let first = profiles.token();
    assert_eq!(provider.requests(GRANT), (1, 0));
    profiles.expire();
    // No user has to sign in, even after the access token has expired.
    let check = profiles.run(&["profiles", "check", "office"]);
    assert_eq!(check.code, 0, "{check:?}");
    let list = profiles.run(&["profiles", "list"]);
    assert!(list.stdout.contains("token expired"), "{list:?}");
    let ran = twenty(&profiles);
    for ran in &ran {
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    }
    assert!(ran.iter().all(|one| one.stdout == ran[0].stdout), "{ran:?}");
    assert_ne!(ran[0].stdout.trim_end(), first);
    assert_eq!(provider.requests(GRANT), (2, 0));
    let refreshed = profiles.run(&["refresh", "office"]);
    assert_eq!(refreshed.code, 0, "{refreshed:?}");
    assert_eq!(provider.requests(GRANT), (3, 0));
    let list = profiles.run(&["profiles", "list"]);
    assert!(!list.stdout.contains("sign in"), "{list:?}");
}

#[test]
fn settings_saved_without_token_are_sufficient() {
    let provider = provider();
    let profiles = Profiles::new();
    let mut all = vec!["profiles", "save", "office"];
    all.extend(flags(&provider, "service post", "post"));
    let mut command = profiles.command(&all);
    let saved: Ran = command.env(SECRET, ODD_SECRET).output().unwrap().into();
    assert_eq!(saved.code, 0, "{saved:?}");
    let check = profiles.run(&["profiles", "check", "office"]);
    assert_eq!(check.code, 0, "{check:?}");
    let offline = profiles.run(&["token", "office", "--offline"]);
    assert_eq!(offline.code, 5, "{offline:?}");
    assert_eq!(provider.requests(GRANT), (0, 0));
    let ran = twenty(&profiles);
    for one in &ran {
        assert_eq!((one.code, &one.stdout), (0, &ran[0].stdout), "{ran:?}");
    }
    assert_eq!(provider.requests(GRANT), (1, 0));
}

#[test]
fn rejected_secret_fails_all_callers_until_it_is_replaced() {
    let provider = provider();
    let profiles = saved(&provider);
    let secret = profiles.home.path().join("secret");
    let write = |text: &str| {
        use std::os::unix::fs::PermissionsExt;
        std::fs::write(&secret, text).unwrap();
        std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).unwrap();
    };
    // The wrong secret is first in the record, then in a file.
    profiles.expire();
    profiles.edit(|record| record["client_secret"] = "another".into());
    let ran = profiles.run(&["token", "office"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (7, ""), "{ran:?}");
    for words in [
        "error: office: The service rejected the token request: invalid_client",
        "Enter a new client secret: oauth-authorizer --profile office",
    ] {
        assert!(ran.stderr.contains(words), "{words}\n{ran:?}");
    }
    write("another");
    let mut settings = std::fs::read_to_string(profiles.settings()).unwrap();
    settings += &format!("\n[secret]\nfile = \"{}\"\n", secret.display());
    std::fs::write(profiles.settings(), settings).unwrap();
    let before = provider.requests(GRANT).0;
    let ran = twenty(&profiles);
    for ran in &ran {
        assert_eq!((ran.code, ran.stdout.as_str()), (7, ""), "{ran:?}");
        assert!(ran.stderr.contains("[secret] in "), "{ran:?}");
    }
    // A caller that starts after the failure sends another request.
    let after = provider.requests(GRANT).0;
    assert!((1..20).contains(&(after - before)), "{before} {after}");
    let check = profiles.run(&["profiles", "check", "office"]);
    assert!(check.stdout.contains("invalid_client"), "{check:?}");
    assert!(!check.stdout.contains("Sign in"), "{check:?}");
    // The tokens are requested as soon as the secret is right.
    write(ODD_SECRET);
    profiles.token();
}
