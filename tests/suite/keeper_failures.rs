//! Refreshes that fail: what the program says, what it asks of the service, and what it leaves on disk.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::profiles::{Profiles, Ran};
use crate::scripted::{Reply, Scripted};
use crate::servers::{eventually, free_port};
use crate::terminal::{base, program};

/// The requests to refresh.
fn refreshes(server: &Scripted) -> usize {
    let requests = server.requests("/token");
    let grants = requests
        .iter()
        .filter_map(|request| request.form.get("grant_type"));
    grants.filter(|grant| *grant == "refresh_token").count()
}

/// The access token has this many seconds left of an hour.
fn leave(profiles: &Profiles, seconds: u64) {
    let now = std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .unwrap()
        .as_secs();
    profiles.edit(|record| {
        record["tokens"]["obtained_at"] = json!(now + seconds - 3600);
        record["tokens"]["expires_at"] = json!(now + seconds);
    });
}

fn with_header(mut reply: Reply, name: &str, value: &str) -> Reply {
    reply.headers.push((name.to_owned(), value.to_owned()));
    reply
}

/// Changes the note about the last refresh.
fn edit_attempt(profiles: &Profiles, change: impl FnOnce(&mut serde_json::Value)) {
    let path = profiles.state("attempt");
    let mut attempt = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    change(&mut attempt);
    std::fs::write(&path, attempt.to_string()).unwrap();
}

#[test]
fn requested_wait_is_remembered_between_commands() {
    for (status, wait) in [(429, "600"), (503, "7200")] {
        let (profiles, server) =
            Profiles::scripted(move |_| with_header(Reply::json(status, ""), "Retry-After", wait));
        profiles.expire();
        let first = profiles.run(&["token", "office"]);
        assert_eq!(first.code, 5, "{first:?}");
        let asked = refreshes(&server);
        for command in [&["token", "office"][..], &["refresh", "office"]] {
            let ran = profiles.run(command);
            assert_eq!(ran.code, 5, "{ran:?}");
            assert!(
                ran.stderr.contains(
                    "The service asked clients to wait. The next request is sent no earlier than "
                ) && ran.stderr.contains("hint: Try again then."),
                "{ran:?}"
            );
        }
        assert_eq!(refreshes(&server), asked);
        // A valid token is still printed.
        let record = profiles.record();
        leave(&profiles, 40);
        let ran = profiles.run(&["token", "office"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, "first\n"), "{ran:?}");
        assert_eq!(refreshes(&server), asked);
        profiles.edit(|edited| *edited = record);
        // Another time can't block the profile for long.
        edit_attempt(&profiles, |attempt| {
            let until = attempt["pause"]["until"].as_u64().unwrap();
            attempt["pause"]["until"] = json!(until + 3700);
        });
        assert_eq!(profiles.run(&["token", "office"]).code, 5);
        assert_eq!(refreshes(&server), 2 * asked);
        // With other settings, the service is asked.
        let text = std::fs::read_to_string(profiles.settings()).unwrap();
        std::fs::write(profiles.settings(), format!("{text}\n# edited\n")).unwrap();
        assert_eq!(profiles.run(&["token", "office"]).code, 5);
        assert_eq!(refreshes(&server), 3 * asked);
    }
}

#[test]
fn each_error_response_sets_exit_code_and_keeps_tokens() {
    let html = || {
        with_header(
            Reply::json(200, "<html>Welcome</html>"),
            "Content-Type",
            "text/html",
        )
    };
    let cases: Vec<(&str, Reply, i32, usize, &[&str])> = vec![
        (
            "refused",
            Reply::json(
                400,
                r#"{"error":"invalid_grant","error_description":"AADSTS700082: expired"}"#,
            ),
            7,
            1,
            &[
                "invalid_grant",
                "hint: Sign in: oauth-authorizer --profile office",
            ],
        ),
        (
            "400 without a body",
            Reply::json(400, ""),
            2,
            1,
            &["400", "the refresh token is no longer valid. Sign in"],
        ),
        (
            "throttled in a final code",
            Reply::json(
                400,
                r#"{"error":"invalid_grant","error_description":"AADSTS90055: The request is throttled."}"#,
            ),
            5,
            4,
            &["hint: Try again later. The tokens are unchanged."],
        ),
        (
            "an outage in a final code",
            Reply::json(500, r#"{"error":"invalid_token"}"#),
            5,
            2,
            &["hint: Try again later."],
        ),
        (
            "a policy of a gateway",
            Reply::json(
                403,
                r#"{"error":"access_denied","error_description":"IP address not allowed by policy"}"#,
            ),
            5,
            1,
            &["hint: Try again later. The tokens are unchanged."],
        ),
        (
            "a dead token in the code of a client",
            Reply::json(
                403,
                r#"{"error":"unauthorized_client","error_description":"refresh_token is invalid"}"#,
            ),
            7,
            1,
            &["hint: Sign in: oauth-authorizer --profile office"],
        ),
        (
            "not valid yet",
            Reply::json(
                401,
                r#"{"error":"invalid_grant","error_description":"The refresh token is not valid yet"}"#,
            ),
            5,
            1,
            &[
                "not valid yet",
                "hint: Try again shortly before the access token expires.",
            ],
        ),
        (
            "the client",
            Reply::json(
                401,
                r#"{"error":"invalid_client","error_description":"AADSTS7000222: expired secret"}"#,
            ),
            2,
            1,
            &["invalid_client"],
        ),
        (
            "busy for long",
            with_header(Reply::json(429, ""), "Retry-After", "120"),
            5,
            1,
            &["429", "hint: Try again later. The tokens are unchanged."],
        ),
        (
            "a broken service",
            Reply::json(502, "<html>Bad gateway</html>"),
            5,
            2,
            &["502"],
        ),
        ("a page", html(), 5, 2, &["a web page"]),
        (
            "no tokens",
            Reply::json(200, "{}"),
            5,
            1,
            &["no access_token"],
        ),
        (
            "a page of a firewall",
            Reply::json(403, "<html><title>Forbidden</title>"),
            5,
            1,
            &["403", "hint: Try again later. The tokens are unchanged."],
        ),
        (
            "a page of a gateway",
            Reply::json(400, "<html><title>Bad Request</title>"),
            5,
            1,
            &["400", "hint: Try again later. The tokens are unchanged."],
        ),
        (
            "a login page of a gateway",
            Reply::json(401, "<html><title>Sign in</title>"),
            5,
            1,
            &["401", "hint: Try again later. The tokens are unchanged."],
        ),
        (
            "a text of a gateway",
            Reply::json(400, "Bad Request"),
            5,
            1,
            &["400", "hint: Try again later. The tokens are unchanged."],
        ),
        (
            "JSON of a gateway",
            Reply::json(400, r#"{"message":"Request blocked"}"#),
            5,
            1,
            &[
                "Request blocked",
                "hint: Try again later. The tokens are unchanged.",
            ],
        ),
        (
            "a list of errors",
            Reply::json(
                400,
                r#"{"errors":[{"code":"invalid_client","message":"who?"}]}"#,
            ),
            2,
            1,
            &["invalid_client: who?"],
        ),
        (
            "no token",
            Reply::json(200, r#"{"access_token":"two words","token_type":"Bearer"}"#),
            1,
            1,
            &["hint: "],
        ),
    ];
    for (name, reply, code, asked, words) in cases {
        let answer = reply.clone();
        let (profiles, server) = Profiles::scripted(move |_| answer.clone());
        // A token that is still valid is printed, with a warning.
        leave(&profiles, 40);
        let ran = profiles.run(&["token", "office"]);
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (0, "first\n"),
            "{name}: {ran:?}"
        );
        assert!(
            ran.stderr.starts_with("warning: office: ") && ran.stderr.contains(" seconds more."),
            "{name}: {ran:?}"
        );
        assert_eq!(refreshes(&server), asked, "{name}");
        profiles.edit(|record| record["rejected"] = json!(null));
        std::fs::remove_file(profiles.state("attempt")).unwrap();
        profiles.expire();
        let before = profiles.record();
        let ran = profiles.run(&["token", "office"]);
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (code, ""),
            "{name}: {ran:?}"
        );
        assert!(ran.stderr.starts_with("error: office: "), "{name}: {ran:?}");
        for words in words {
            assert!(ran.stderr.contains(words), "{name}: {ran:?}");
        }
        assert_eq!(refreshes(&server), 2 * asked, "{name}");
        assert_eq!(profiles.record()["tokens"], before["tokens"], "{name}");
        if code == 7 {
            // The service is not asked again for a while, and the reason stays the same.
            let again = profiles.run(&["token", "office"]);
            assert_eq!(again.code, 7, "{name}: {again:?}");
            let error = ran.stderr.lines().next();
            assert_eq!(again.stderr.lines().next(), error, "{name}");
            for words in [
                "The service rejected the last refresh at ",
                "The next request is sent no earlier than ",
            ] {
                assert!(again.stderr.contains(words), "{name}: {again:?}");
            }
            assert_eq!(refreshes(&server), 2 * asked, "{name}");
        }
        assert!(!profiles.state("next").exists(), "{name}");
    }
}

#[test]
fn new_refresh_token_is_stored_despite_invalid_access_token() {
    for (useless, words) in [
        (r#""access_token":"at 9""#, "contains whitespace"),
        (
            r#""access_token":"at9","token_type":" ""#,
            "token_type is empty",
        ),
        (r#""access_token":null"#, "contains no access_token"),
    ] {
        let (profiles, server) = Profiles::scripted(move |request| {
            let body = match request.form.get("refresh_token").map(String::as_str) {
                Some("refresh-1") => format!("{{{useless},\"refresh_token\":\"refresh-2\"}}"),
                Some("refresh-2") => {
                    r#"{"access_token":"third","token_type":"Bearer","expires_in":3600}"#.to_owned()
                }
                _ => r#"{"error":"invalid_grant"}"#.to_owned(),
            };
            Reply::json(200, &body)
        });
        profiles.expire();
        let ran = profiles.run(&["refresh", "office"]);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(
            ran.stderr.contains(words)
                && ran
                    .stderr
                    .contains("It contains a new refresh token, which replaces the old one."),
            "{ran:?}"
        );
        let record = profiles.record();
        assert_eq!(record["tokens"]["refresh_token"], "refresh-2", "{useless}");
        assert_eq!(record["tokens"]["access_token"], "first", "{useless}");
        assert_eq!(record["generation"], 1, "{useless}");
        assert!(!profiles.state("next").exists());
        assert_eq!(profiles.token(), "third", "{useless}");
        assert_eq!(refreshes(&server), 2, "{useless}");
    }
}

#[test]
fn invalid_access_token_marks_refresh_token_as_possibly_used() {
    let (profiles, server) = Profiles::scripted(|_| {
        Reply::json(200, r#"{"access_token":"at 9","token_type":"Bearer"}"#)
    });
    profiles.expire();
    let ran = profiles.run(&["refresh", "office"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.stderr
            .contains("The refresh token may have been used up.")
            && !ran.stderr.contains("unchanged"),
        "{ran:?}"
    );
    assert_eq!(refreshes(&server), 1);
    let ran = profiles.run(&["profiles", "check", "office"]);
    assert!(
        ran.code == 12 && ran.stdout.contains("its response was lost"),
        "{ran:?}"
    );
}

#[test]
fn status_401_may_be_about_the_client_secret() {
    for body in [
        "",
        "Client authentication failed",
        r#"{"message":"Bad client credentials"}"#,
    ] {
        for secret in [json!("secret"), json!(null)] {
            let (profiles, server) = Profiles::scripted(move |_| Reply::json(401, body));
            if secret != json!(null) {
                let text = std::fs::read_to_string(profiles.settings()).unwrap();
                let text = text.replace(
                    "[settings]\n",
                    "[settings]\nclient_authentication = \"post\"\n",
                );
                std::fs::write(profiles.settings(), text).unwrap();
            }
            profiles.edit(|record| {
                record["client_secret"] = secret.clone();
                if secret != json!(null) {
                    record["issued_for"]["client_authentication"] = json!("post");
                }
            });
            profiles.expire();
            let ran = profiles.run(&["token", "office"]);
            assert_eq!(ran.code, 2, "{ran:?}");
            let hint = if secret == json!(null) {
                "hint: Check the Client ID, the proxy and the token URL: a gateway may have sent this response. If they are correct,"
            } else {
                "hint: Check the client secret or key and Client auth. If they are correct,"
            };
            assert!(ran.stderr.contains(hint), "{ran:?}");
            // A corrected secret is tried at once.
            let asked = refreshes(&server);
            profiles.run(&["token", "office"]);
            assert_eq!(refreshes(&server), 2 * asked, "{ran:?}");
        }
    }
}

#[test]
fn valid_token_is_not_reported_as_expired() {
    let (profiles, server) = Profiles::scripted(|_| Reply::json(500, ""));
    leave(&profiles, 40);
    let ran = profiles.run(&["token", "office", "--offline"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "first\n"), "{ran:?}");
    assert!(
        ran.stderr
            .starts_with("warning: office: The access token expires soon, and --offline"),
        "{ran:?}"
    );
    profiles.edit(|record| record["tokens"]["refresh_token"] = json!(null));
    let ran = profiles.run(&["refresh", "office"]);
    assert_eq!(ran.code, 7, "{ran:?}");
    assert!(
        ran.stderr.contains("office: There is no refresh token, so"),
        "{ran:?}"
    );
    profiles.expire();
    let ran = profiles.run(&["token", "office"]);
    assert!(
        ran.stderr
            .contains("The access token has expired, and there is no refresh token."),
        "{ran:?}"
    );
    assert_eq!(refreshes(&server), 0);
}

#[test]
fn lost_response_is_reported_even_after_other_failures() {
    let answers = std::sync::atomic::AtomicUsize::new(0);
    let (profiles, server) = Profiles::scripted(move |_| {
        match answers.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
            // It may have been taken; asked once more at once.
            0 | 1 => Reply {
                drop: true,
                ..Reply::default()
            },
            2 => with_header(Reply::json(429, ""), "Retry-After", "120"),
            3 => Reply::json(400, "Bad Request"),
            _ => Reply::json(400, r#"{"error":"invalid_grant"}"#),
        }
    });
    profiles.expire();
    for code in [5, 5, 5, 7] {
        let ran = profiles.run(&["token", "office"]);
        assert_eq!(ran.code, code, "{ran:?}");
        edit_attempt(&profiles, |attempt| attempt["pause"] = json!(null));
        let named = ran
            .stderr
            .contains("and the response was lost in transit. The service has probably replaced");
        assert_eq!(named, code == 7, "{ran:?}");
        assert!(!ran.stderr.contains("unchanged"), "{ran:?}");
    }
    assert_eq!(refreshes(&server), 5);
}

#[test]
fn rejection_of_a_repeated_request_says_that_a_response_was_lost() {
    let answers = std::sync::atomic::AtomicUsize::new(0);
    let (profiles, server) = Profiles::scripted(move |_| {
        match answers.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
            0 => Reply {
                drop: true,
                ..Reply::default()
            },
            _ => Reply::json(400, r#"{"error":"invalid_grant"}"#),
        }
    });
    profiles.expire();
    // The second one finds the reason in the record.
    for _ in 0..2 {
        let ran = profiles.run(&["token", "office"]);
        assert_eq!(ran.code, 7, "{ran:?}");
        assert!(
            ran.stderr.contains(
                "and the response was lost in transit. The service has probably replaced"
            ),
            "{ran:?}"
        );
    }
    assert_eq!(refreshes(&server), 2);
}

#[test]
fn unreachable_service_is_reported() {
    let (profiles, server) = Profiles::scripted(|_| Reply::json(500, ""));
    let elsewhere = format!("http://127.0.0.1:{}/token", free_port());
    let settings = std::fs::read_to_string(profiles.settings()).unwrap();
    let settings = settings.replace(&format!("{}/token", server.url), &elsewhere);
    std::fs::write(profiles.settings(), settings).unwrap();
    profiles.edit(|record| record["issued_for"]["token_url"] = json!(elsewhere));
    profiles.expire();
    let ran = profiles.run(&["token", "office"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (5, ""), "{ran:?}");
    assert!(
        ran.stderr.contains("refused") && ran.stderr.contains("127.0.0.1"),
        "{ran:?}"
    );
    let ran = profiles.run(&["token", "office", "--offline"]);
    assert_eq!(ran.code, 5, "{ran:?}");
    assert!(ran.stderr.contains("--offline"), "{ran:?}");
}

#[test]
fn response_without_refresh_token_keeps_the_old_one() {
    let (profiles, _server) = Profiles::scripted(|_| {
        Reply::json(
            200,
            r#"{"access_token":"second","token_type":"Bearer","expires_in":3600}"#,
        )
    });
    profiles.expire();
    assert_eq!(profiles.token(), "second");
    assert_eq!(profiles.record()["tokens"]["refresh_token"], "refresh-1");
    assert_eq!(profiles.record()["generation"], 2);
}

/// Nothing is asked of the service, the record stays as it was, and the message says what to do.
fn assert_untouched(profiles: &Profiles, server: &Scripted, words: &str) {
    let bytes = std::fs::read(profiles.state("record")).ok();
    for arguments in [&["token", "office"][..], &["refresh", "office"]] {
        let ran = profiles.run(arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (9, ""), "{words}: {ran:?}");
        assert!(ran.stderr.contains(words), "{words}: {ran:?}");
        assert_eq!(
            std::fs::read(profiles.state("record")).ok(),
            bytes,
            "{words}"
        );
    }
    assert_eq!(refreshes(server), 0, "{words}");
}

#[test]
fn invalid_or_unsafe_record_is_refused_and_left_unchanged() {
    let (profiles, server) = Profiles::scripted(|_| Reply::json(500, ""));
    profiles.expire();
    let path = profiles.state("record");
    let whole = std::fs::read(&path).unwrap();
    let folder = path.parent().unwrap();
    let set_mode = |path: &Path, mode| {
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    };
    let text = String::from_utf8(whole.clone()).unwrap();
    for (bytes, words) in [
        (
            whole[..whole.len() / 2].to_vec(),
            "is damaged, or another program wrote it",
        ),
        (
            whole[..0].to_vec(),
            "is damaged, or another program wrote it",
        ),
        (
            b"[main]\nother = program\n".to_vec(),
            "is damaged, or another program wrote it",
        ),
        (
            b"{\"version\": 3, \"profiles\": []}".to_vec(),
            "is damaged, or another program wrote it",
        ),
        (
            text.replace("\"format\":1", "\"format\":2").into_bytes(),
            "newer version",
        ),
        (
            text.replace("\"office\"", "\"other\"").into_bytes(),
            "is damaged, or another program wrote it",
        ),
        (vec![b' '; 3 << 20], "is larger than"),
    ] {
        std::fs::write(&path, bytes).unwrap();
        assert_untouched(&profiles, &server, words);
    }
    std::fs::write(&path, &whole).unwrap();
    for mode in [0o644, 0o640, 0o604] {
        set_mode(&path, mode);
        assert_untouched(
            &profiles,
            &server,
            &format!(
                "can be read by other users. Run: chmod 600 {}",
                path.display()
            ),
        );
    }
    set_mode(&path, 0o600);
    for mode in [0o777, 0o720] {
        set_mode(folder, mode);
        assert_untouched(&profiles, &server, "can be changed by other users");
    }
    set_mode(folder, 0o700);
    // A link and a folder in place of the files.
    let aside = profiles.home.path().join("aside");
    for end in ["record", "lock"] {
        let path = profiles.state(end);
        std::fs::rename(&path, &aside).unwrap();
        symlink(&aside, &path).unwrap();
        assert_untouched(&profiles, &server, "is a symbolic link");
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert_untouched(&profiles, &server, "is not a regular file");
        std::fs::remove_dir(&path).unwrap();
        std::fs::rename(&aside, &path).unwrap();
    }
    // Only root can give a file to somebody else.
    if rustix::process::geteuid().is_root() {
        for path in [
            &path,
            &profiles.state("lock"),
            &profiles.settings(),
            &folder.to_path_buf(),
        ] {
            std::os::unix::fs::chown(path, Some(12_345), None).unwrap();
            assert_untouched(&profiles, &server, "belongs to another user (uid 12345)");
            std::os::unix::fs::chown(path, Some(0), None).unwrap();
        }
    }
}

#[test]
fn planted_next_record_is_not_used() {
    let (profiles, _server) = Profiles::scripted(|_| {
        Reply::json(
            200,
            r#"{"access_token":"second","token_type":"Bearer","expires_in":3600,"refresh_token":"r2"}"#,
        )
    });
    let target = profiles.home.path().join("target");
    std::fs::write(&target, "old").unwrap();
    let mut planted = profiles.record();
    planted["generation"] = json!(4);
    planted["issued_for"]["token_url"] = json!("http://evil.example/token");
    planted["tokens"]["access_token"] = json!("planted");
    for round in 0..3 {
        profiles.expire();
        let next = profiles.state("next");
        match round {
            0 => symlink(&target, &next).unwrap(),
            1 => std::fs::hard_link(&target, &next).unwrap(),
            _ => {
                std::fs::write(&next, planted.to_string()).unwrap();
                std::fs::set_permissions(&next, PermissionsExt::from_mode(0o600)).unwrap();
            }
        }
        let ran = profiles.run(&["token", "office"]);
        let note = std::fs::read_to_string(profiles.state("attempt"));
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (0, "second\n"),
            "round {round}: {ran:?} {note:?}"
        );
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "old");
    }
}

/// Runs a script in a mount namespace of its own, in which `$STATE` is a file system of 192 KiB with the state folder.
fn on_small_disk(profiles: &Profiles, script: &str) -> Ran {
    let state = profiles.state("record");
    let state = state.parent().unwrap();
    let whole = format!(
        "set -e
        cp -a \"$STATE\" \"$STATE.kept\"
        mount -t tmpfs -o size=192k,mode=700 tmpfs \"$STATE\"
        cp -a \"$STATE.kept/.\" \"$STATE\"
        set +e
        {script}"
    );
    Command::new("unshare")
        .args(["--mount", "sh", "-c", &whole])
        .env_clear()
        .envs(base(profiles.home.path()))
        .env("STATE", state)
        .env("PROGRAM", program())
        .output()
        .unwrap()
        .into()
}

#[test]
fn full_or_read_only_disk_prevents_the_request() {
    for (break_it, repair, words) in [
        (
            "cat /dev/zero >\"$STATE/fill\" 2>/dev/null",
            "rm \"$STATE/fill\"",
            "No space left on device",
        ),
        (
            "mount -o remount,ro \"$STATE\"",
            "mount -o remount,rw \"$STATE\"",
            "Read-only file system",
        ),
    ] {
        let (profiles, server) = Profiles::scripted(|_| {
            Reply::json(
                200,
                r#"{"access_token":"second","token_type":"Bearer","expires_in":3600,"refresh_token":"r2"}"#,
            )
        });
        profiles.expire();
        let ran = on_small_disk(
            &profiles,
            &format!(
                "{break_it}
                cksum <\"$STATE/office.record\"
                \"$PROGRAM\" token office; echo \"code $?\"
                cksum <\"$STATE/office.record\"
                echo between >&2
                {repair}
                \"$PROGRAM\" token office; echo \"code $?\""
            ),
        );
        let lines: Vec<&str> = ran.stdout.lines().collect();
        assert_eq!(lines.len(), 5, "{ran:?}");
        assert_eq!((lines[0], lines[1]), (lines[2], "code 9"), "{ran:?}");
        assert_eq!((lines[3], lines[4]), ("second", "code 0"), "{ran:?}");
        let (before, _) = ran.stderr.split_once("between").unwrap();
        assert!(before.contains(words), "{ran:?}");
        // Only the second try reached the service.
        assert_eq!(refreshes(&server), 1);
    }
}

#[test]
fn hanging_lock_holder_is_reported() {
    let (profiles, server) = Profiles::scripted(|_| Reply {
        silent: true,
        ..Reply::default()
    });
    profiles.expire();
    // Its own keeper is not another process.
    let ran = profiles.run(&["token", "office", "--wait", "0s"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (8, ""), "{ran:?}");
    assert!(
        ran.stderr
            .contains("The refresh did not finish within 0 seconds. It continues"),
        "{ran:?}"
    );
    let mut first = profiles.command(&["token", "office"]).spawn().unwrap();
    eventually("the request", || (refreshes(&server) == 1).then_some(()));
    let note: serde_json::Value =
        serde_json::from_slice(&std::fs::read(profiles.state("attempt")).unwrap()).unwrap();
    let pid = note["pid"].as_u64().unwrap().to_string();
    Command::new("kill").args(["-STOP", &pid]).status().unwrap();
    let begun = Instant::now();
    let ran = profiles.run(&["token", "office", "--wait", "1s"]);
    assert!(begun.elapsed() < Duration::from_secs(30));
    assert_eq!((ran.code, ran.stdout.as_str()), (8, ""), "{ran:?}");
    assert!(
        ran.stderr.contains(&format!("Process {pid} on "))
            && ran.stderr.contains("within 1 second"),
        "{ran:?}"
    );
    // A token that still lives is printed all the same.
    leave(&profiles, 20);
    let ran = profiles.run(&["token", "office", "--wait", "1s"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "first\n"), "{ran:?}");
    assert!(ran.stderr.starts_with("warning: "), "{ran:?}");
    assert_eq!(refreshes(&server), 1);
    Command::new("kill").args(["-KILL", &pid]).status().unwrap();
    first.kill().unwrap();
    first.wait().unwrap();
}

#[test]
fn wrong_clock_causes_only_one_refresh() {
    let (profiles, server) = Profiles::scripted(|_| {
        Reply::json(
            200,
            r#"{"access_token":"second","token_type":"Bearer","expires_in":3600,"refresh_token":"r2"}"#,
        )
    });
    for (round, by) in [86_400_i64, -86_400].into_iter().enumerate() {
        // As if it had been issued by a clock that is a day ahead or behind.
        profiles.edit(|record| {
            for name in ["obtained_at", "expires_at"] {
                let time = record["tokens"][name].as_i64().unwrap() + by;
                record["tokens"][name] = json!(time);
            }
        });
        for _ in 0..3 {
            assert_eq!(profiles.token(), "second");
            assert_eq!(refreshes(&server), round + 1);
        }
    }
}

#[test]
fn keeper_outlives_its_caller_without_holding_its_lock() {
    let (profiles, server) = Profiles::scripted(|_| {
        std::thread::sleep(Duration::from_secs(2));
        Reply::json(
            200,
            r#"{"access_token":"second","token_type":"Bearer","expires_in":3600,"refresh_token":"r2"}"#,
        )
    });
    profiles.expire();
    let lock = profiles.home.path().join("mine");
    let mut script = Command::new("sh")
        .args(["-c", "exec 9>mine; flock 9; exec \"$PROGRAM\" token office"])
        .current_dir(profiles.home.path())
        .env_clear()
        .envs(base(profiles.home.path()))
        .env("PROGRAM", program())
        .spawn()
        .unwrap();
    eventually("the request", || (refreshes(&server) == 1).then_some(()));
    script.kill().unwrap();
    script.wait().unwrap();
    let file = std::fs::File::open(&lock).unwrap();
    eventually("the caller's lock", || file.try_lock().ok());
    // The keeper still runs, or has stored what it got.
    assert_eq!(profiles.token(), "second");
    assert_eq!(refreshes(&server), 1);
}
