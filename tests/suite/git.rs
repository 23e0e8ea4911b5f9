//! The program as a credential helper, called by git itself.

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::profiles::{Profiles, Ran};
use crate::scripted::{Reply, Scripted};
use crate::terminal::{base, program};

/// A profile whose first token is `first`, and `second` after a refresh.
fn profiles() -> (Profiles, Scripted) {
    let (profiles, server) = Profiles::scripted(|_| {
        Reply::json(
            200,
            r#"{"access_token":"second","token_type":"Bearer","expires_in":3600,"refresh_token":"refresh-2"}"#,
        )
    });
    profiles.edit(|record| record["issued_for"]["user"] = json!("alice@example.org"));
    (profiles, server)
}

fn refreshes(server: &Scripted) -> usize {
    // The first request is from the sign-in.
    server.requests("/token").len() - 1
}

/// Runs the credential helper as git does.
fn helper(profiles: &Profiles, action: &str, input: &str) -> Ran {
    use std::io::Write;
    let mut child = profiles
        .command(&["token", "office", "--format", "git", action])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap().into()
}

/// Runs git with the program as the helper for this server.
fn git(profiles: &Profiles, url: &str) -> Ran {
    let helper = format!("!{} token office --format git", program().display());
    Command::new("git")
        .args(["-c", &format!("credential.{url}.helper={helper}")])
        .args(["ls-remote", &format!("{url}/project.git")])
        .env_clear()
        .envs(base(profiles.home.path()))
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .stdin(Stdio::null())
        .output()
        .unwrap()
        .into()
}

/// A repository that accepts only this user with this token.
pub fn repository(user: &str, token: &str) -> Scripted {
    let credential = STANDARD.encode(format!("{user}:{token}"));
    let accepted = format!("Basic {credential}");
    Scripted::start(move |request| {
        if request.authorization.as_ref() != Some(&accepted) {
            return Reply {
                headers: vec![(
                    "WWW-Authenticate".to_owned(),
                    "Basic realm=\"x\"".to_owned(),
                )],
                ..Reply::json(401, "")
            };
        }
        let body = if request.path.contains("/info/refs") {
            "0123456789012345678901234567890123456789\trefs/heads/main\n"
        } else {
            "ref: refs/heads/main\n"
        };
        Reply::json(200, body)
    })
}

#[test]
fn git_gets_new_token_after_rejection() {
    let (profiles, server) = profiles();
    let repository = repository("alice@example.org", "second");
    let ran = git(&profiles, &repository.url);
    assert_eq!(ran.code, 128, "{ran:?}");
    assert!(ran.stderr.contains("Authentication failed"), "{ran:?}");
    assert_eq!(refreshes(&server), 0);
    for _ in 0..2 {
        let ran = git(&profiles, &repository.url);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(ran.stdout.contains("refs/heads/main"), "{ran:?}");
        assert_eq!(refreshes(&server), 1);
    }
}

#[test]
fn only_the_rejected_token_is_replaced() {
    let (profiles, server) = profiles();
    let before = profiles.record();
    for input in [
        "protocol=https\nhost=example.org\nusername=alice\npassword=typed by hand\n\n",
        "protocol=https\nhost=example.org\n\n",
        "password=firs\npassword=first2\n",
        "",
        "password=refresh-1\n",
    ] {
        let ran = helper(&profiles, "erase", input);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{ran:?}");
        assert_eq!(profiles.record(), before, "{input}");
    }
    for action in ["store", "capability"] {
        let ran = helper(&profiles, action, "password=first\n");
        assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{ran:?}");
        assert_eq!(profiles.record(), before, "{action}");
    }
    assert_eq!(profiles.token(), "first");
    for _ in 0..2 {
        let ran = helper(&profiles, "erase", "username=alice\npassword=first\n\n");
        assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{ran:?}");
    }
    assert!(!profiles.state("next").exists());
    let record = profiles.record();
    assert_eq!(record["generation"], before["generation"]);
    assert_eq!(record["tokens"]["access_token"], "first");
    assert_eq!(refreshes(&server), 0);
    // All callers get the new token, after a single refresh.
    let children: Vec<_> = (0..10)
        .map(|_| profiles.command(&["token", "office"]).spawn().unwrap())
        .collect();
    for child in children {
        let ran: Ran = child.wait_with_output().unwrap().into();
        assert_eq!((ran.code, ran.stdout.as_str()), (0, "second\n"), "{ran:?}");
    }
    assert_eq!(refreshes(&server), 1);
    // A late report about the old token.
    assert_eq!(helper(&profiles, "erase", "password=first\n").code, 0);
    assert_eq!(profiles.token(), "second");
    assert_eq!(refreshes(&server), 1);
}

#[test]
fn rejected_token_is_replaced_only_with_a_refresh_token() {
    let (profiles, server) = profiles();
    profiles.edit(|record| record["tokens"]["refresh_token"] = Value::Null);
    let before = profiles.record();
    assert_eq!(helper(&profiles, "erase", "password=first\n").code, 0);
    assert_eq!(profiles.record(), before);
    profiles.edit(|record| {
        record["tokens"]["refresh_token"] = json!("refresh-1");
        record["tokens"]["expires_at"] = Value::Null;
    });
    assert_eq!(profiles.token(), "first");
    assert_eq!(helper(&profiles, "erase", "password=first\n").code, 0);
    assert_eq!(profiles.token(), "second");
    assert_eq!(refreshes(&server), 1);
}

#[test]
fn newer_tokens_of_an_interrupted_refresh_are_kept() {
    let (profiles, server) = profiles();
    let mut next = profiles.record();
    next["generation"] = json!(next["generation"].as_u64().unwrap() + 1);
    next["tokens"]["access_token"] = json!("newer");
    let path = profiles.state("next");
    std::fs::write(&path, next.to_string()).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    assert_eq!(helper(&profiles, "erase", "password=first\n").code, 0);
    assert_eq!(profiles.token(), "newer");
    assert_eq!(refreshes(&server), 0);
}

#[test]
fn no_token_goes_over_http_to_another_machine() {
    let (profiles, _server) = profiles();
    let ran = helper(&profiles, "get", "protocol=http\nhost=git.example.org\n\n");
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
    assert!(ran.stderr.contains("Use its https URL"), "{ran:?}");
    for remote in [
        "protocol=https\nhost=git.example.org\n\n",
        "protocol=http\nhost=127.0.0.1:3000\n\n",
        "protocol=smtp\nhost=smtp.example.org:587\n\n",
    ] {
        let ran = helper(&profiles, "get", remote);
        assert!(ran.stdout.contains("password=first\n"), "{ran:?}");
    }
}

#[test]
fn credential_helper_actions_require_git_format() {
    let (profiles, _server) = profiles();
    for arguments in [
        &["token", "office", "get"][..],
        &["token", "office", "ticket"],
        &["token", "office", "--format", "json", "erase"],
    ] {
        let ran = profiles.run(arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
        assert!(ran.stderr.contains("Only --format git"), "{ran:?}");
    }
}

#[test]
fn request_of_git_is_read_only_to_its_end() {
    use std::io::{Read, Write};
    let (profiles, _server) = profiles();
    let command = ["token", "office", "--format", "git", "get"];
    let mut child = profiles
        .command(&command)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    // The pipe stays open.
    let mut stdin = child.stdin.take().unwrap();
    stdin
        .write_all(b"protocol=https\nhost=git.example.org\n\n")
        .unwrap();
    let mut printed = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut printed)
        .unwrap();
    drop(stdin);
    assert!(printed.contains("password=first\n"), "{printed}");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let endless = std::fs::File::open("/dev/zero").unwrap();
    let output = profiles.command(&command).stdin(endless).output().unwrap();
    let ran = Ran::from(output);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{ran:?}");
    assert!(ran.stderr.contains("is not a request of git."), "{ran:?}");
}
