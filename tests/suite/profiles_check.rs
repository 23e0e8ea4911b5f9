//! `profiles check`: present and future problems of a saved sign-in, the exit codes and the JSON.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::profiles::{Profiles, Ran};
use crate::scripted::{Reply, Request};
use crate::terminal::program;

const DOCUMENT: &str = include_str!("../../docs/profiles.md");
const GUIDE: &str = include_str!("../../docs/microsoft-365-mail.md");

/// A block of a document, with placeholders replaced by values.
fn block(document: &str, name: &str, values: &[(&str, &str)]) -> String {
    let mut parts = document.split("\n```");
    let block = parts.find_map(|part| {
        let (info, text) = part.split_once('\n')?;
        (info.split_whitespace().nth(1) == Some(name)).then_some(text)
    });
    let mut text = format!("{}\n", block.unwrap());
    for (from, to) in values {
        assert!(text.contains(from), "{name} has no {from:?}");
        text = text.replace(from, to);
    }
    text
}

const DAY: u64 = 86_400;

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    since.as_secs()
}

fn refreshed(_: &Request) -> Reply {
    Reply::json(
        200,
        r#"{"access_token":"second","token_type":"Bearer","expires_in":3600,"refresh_token":"refresh-2"}"#,
    )
}

/// Adds lines to the settings of `office`.
fn add(profiles: &Profiles, lines: &str) {
    let text = std::fs::read_to_string(profiles.settings()).unwrap();
    std::fs::write(profiles.settings(), format!("{text}\n{lines}")).unwrap();
}

#[test]
fn refresh_token_expiry_is_read_from_the_response() {
    for name in ["refresh_token_expires_in", "refresh_expires_in"] {
        let (profiles, _server) = Profiles::scripted(move |_| {
            let mut answer =
                json!({"access_token": "second", "expires_in": 3600, "refresh_token": "refresh-2"});
            answer[name] = json!(DAY);
            Reply::json(200, &answer.to_string())
        });
        profiles.expire();
        assert_eq!(profiles.token(), "second");
        // Most of the refresh token's lifetime is over.
        profiles.edit(|record| {
            let end = record["tokens"]["refresh_expires_at"].as_u64();
            assert!(
                end.is_some_and(|end| (1..=DAY).contains(&(end - now()))),
                "{name}: {end:?}"
            );
            record["tokens"]["refresh_obtained_at"] = json!(now() - DAY + 600);
            record["tokens"]["refresh_expires_at"] = json!(now() + 600);
        });
        let (code, row) = check(&profiles);
        assert_eq!(code, 12, "{name}: {row}");
    }
}

/// Runs the check. Returns the exit code and the result for `office`.
fn check(profiles: &Profiles) -> (i32, Value) {
    let ran = profiles.run(&["profiles", "check", "office", "--json"]);
    assert_eq!(ran.stderr, "", "{ran:?}");
    let rows: Value = serde_json::from_str(&ran.stdout).unwrap();
    let row = rows[0].clone();
    assert_eq!(row["name"], "office", "{rows}");
    assert_eq!(row["exit_code"], ran.code, "{rows}");
    let secrets = ["first", "second", "refresh-1", "refresh-2"];
    assert!(
        secrets
            .iter()
            .all(|secret| !ran.stdout.contains(&format!("\"{secret}\"")))
    );
    (ran.code, row)
}

/// Checks that there is one finding, with this ID and these words.
fn assert_found(profiles: &Profiles, code: i32, state: &str, id: &str, words: &str) {
    let (found, row) = check(profiles);
    let findings = row["findings"].as_array().unwrap();
    assert_eq!(found, code, "{row}");
    assert_eq!(row["state"], state, "{row}");
    assert_eq!(row["summary"].is_null(), state == "broken", "{row}");
    assert_eq!(
        (findings.len(), &findings[0]["id"]),
        (1, &json!(id)),
        "{row}"
    );
    assert!(
        findings[0]["text"].as_str().unwrap().contains(words),
        "{row}"
    );
}

/// The names and contents of the files of profiles, except `NAME.attempt`.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, std::fs::read(entry.path()).unwrap())
        })
        .collect();
    files.sort();
    files
}

#[test]
fn check_sends_nothing_writes_nothing_and_does_not_wait() {
    let (profiles, server) = Profiles::scripted(refreshed);
    let record = profiles.state("record");
    let folder = record.parent().unwrap();
    let asked = server.requests("/token").len();
    profiles.expire();
    let before = files(folder);
    // Another process is refreshing.
    let lock = std::fs::File::open(profiles.state("lock")).unwrap();
    lock.lock().unwrap();
    let Ran {
        code,
        stdout,
        stderr,
    } = profiles.run(&["profiles", "check"]);
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
    assert_eq!(
        stdout,
        "office  ok      access token expired; the next use refreshes it; refresh token used 2 hours ago\n"
    );
    assert_eq!(files(folder), before);
    assert_eq!(server.requests("/token").len(), asked);
    let quiet = profiles.run(&["profiles", "check", "--all", "--quiet"]);
    assert_eq!((quiet.code, quiet.stdout.as_str()), (0, ""), "{quiet:?}");
    for command in [
        &["profiles", "check"][..],
        &["profiles", "check", "--all", "--quiet"],
        &["refresh", "--all"],
    ] {
        let profiles = Profiles::new();
        let none = profiles.run(command);
        let folder = profiles.settings();
        let folder = folder.parent().unwrap().display();
        let start = format!("hint: There are no profiles in {folder}");
        assert!(
            none.code == 0 && none.stderr.starts_with(&start),
            "{none:?}"
        );
    }
}

#[test]
fn upcoming_failures_are_reported_with_their_date() {
    let (profiles, _server) = Profiles::scripted(refreshed);
    let settings = std::fs::read_to_string(profiles.settings()).unwrap();
    let ago = |days: u64| {
        profiles.edit(|record| {
            record["tokens"]["obtained_at"] = json!(now() - days * DAY);
            record["origin"]["signed_in_at"] = json!(now() - days * DAY);
        });
    };
    for (lines, days, code, state, id, words) in [
        (
            "[check]\nrefresh_idle = \"90d\"\n",
            70,
            12,
            "soon",
            "refresh-token-unused",
            "unless it is used before",
        ),
        (
            "[check]\nrefresh_idle = \"90d\"\n",
            91,
            7,
            "broken",
            "refresh-token-unused",
            "it was not used for 90 days",
        ),
        (
            "[check]\nrefresh_max = \"90d\"\n",
            70,
            12,
            "soon",
            "refresh-token-expires",
            "The refresh token expires on ",
        ),
        (
            "[check]\nrefresh_max = \"90d\"\n",
            91,
            7,
            "broken",
            "refresh-token-expires",
            "The refresh token expired on ",
        ),
        (
            "[secret]\nexpires = 2020-05-01\n",
            1,
            2,
            "broken",
            "client-secret-expires",
            "expired on 2020-05-01",
        ),
        (
            "[secret]\nexpires = 07:32:00\n",
            1,
            2,
            "broken",
            "client-secret-expires",
            "must be a date such as 2027-05-01",
        ),
        (
            "[secret]\nfile = \"/nowhere/secret\"\n",
            1,
            2,
            "broken",
            "client-secret",
            "/nowhere/secret",
        ),
        (
            "[secret]\nenv = \"NOT_SET_HERE\"\n",
            1,
            0,
            "ok",
            "client-secret-unchecked",
            "NOT_SET_HERE is not set here",
        ),
    ] {
        std::fs::write(profiles.settings(), format!("{settings}\n{lines}")).unwrap();
        ago(days);
        let authentication = if lines.contains("expires") || lines.contains("check") {
            "none"
        } else {
            "basic"
        };
        profiles
            .edit(|record| record["issued_for"]["client_authentication"] = json!(authentication));
        assert_found(&profiles, code, state, id, words);
    }
    profiles.edit(|record| record["issued_for"]["client_authentication"] = json!("none"));
    // `--within` defines "soon".
    std::fs::write(
        profiles.settings(),
        // Half an hour more, so that the remaining days are the same in each run.
        settings + "\n[check]\nrefresh_max = \"129630m\"\n",
    )
    .unwrap();
    ago(70);
    let line = |flags: &[&str]| profiles.run(&[&["profiles", "check"], flags].concat());
    assert_eq!(line(&["--within", "19d"]).code, 0);
    let soon = line(&["office", "--within", "21d"]);
    assert_eq!(soon.code, 12);
    let lines: Vec<&str> = soon.stdout.lines().collect();
    assert_eq!(lines.len(), 3, "{soon:?}");
    assert!(
        lines[0].starts_with("office  ok      access token"),
        "{soon:?}"
    );
    assert!(
        lines[1].starts_with("office  soon    The refresh token expires on "),
        "{soon:?}"
    );
    assert_eq!(
        lines[2],
        "office  fix     Sign in: oauth-authorizer --profile office"
    );
    // `--quiet` leaves out profiles that need no attention.
    let quiet = line(&["--quiet"]);
    assert_eq!(
        quiet.stdout.lines().collect::<Vec<_>>(),
        lines[1..],
        "{quiet:?}"
    );
}

#[test]
fn testing_mode_expiry_is_read_from_the_preset() {
    let profiles = Profiles::new();
    let folder = profiles.home.path().join("all");
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o700)).unwrap();
    let path = folder.to_str().unwrap();
    let save = profiles
        .command(&[
            "profiles",
            "save",
            "gmail",
            "--profiles",
            path,
            "--preset",
            "google-mail",
            "--client-id",
            "1-a.apps.googleusercontent.com",
        ])
        .env("OAUTH_AUTHORIZER_CLIENT_SECRET", "s3cret-of-the-test")
        .output();
    let save = Ran::from(save.unwrap());
    assert_eq!(save.code, 0, "{save:?}");
    let run = || profiles.run(&["profiles", "check", "gmail", "--profiles", path]);
    let new = run();
    assert_eq!(new.code, 7, "{new:?}");
    assert!(
        new.stdout.contains("broken  There are no tokens yet."),
        "{new:?}"
    );
    // As after a sign-in.
    let file = folder.join("gmail.record");
    let mut record: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let at = now() - 4 * DAY;
    record["tokens"] = json!({
        "access_token": "a", "token_type": "Bearer", "obtained_at": at, "expires_at": at + 3600, "scope": null,
        "refresh_token": "r", "refresh_obtained_at": at, "refresh_not_before": null, "id_token": null, "kept": [],
        "token_url": null, "redirect_url": null,
    });
    std::fs::write(&file, record.to_string()).unwrap();
    let unknown = run();
    assert_eq!(unknown.code, 0, "{unknown:?}");
    assert!(
        unknown
            .stdout
            .contains("gmail  note    If the app is in testing at Google mail"),
        "{unknown:?}"
    );
    assert!(
        unknown.stdout.contains("unused ones expire after 180 days"),
        "{unknown:?}"
    );
    let settings = folder.join("gmail.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, text.clone() + "\n[check]\ntesting = true\n").unwrap();
    let testing = run();
    assert_eq!(testing.code, 12, "{testing:?}");
    assert!(
        testing.stdout.contains(
            "soon    The app is in testing at Google mail: the refresh token expires on "
        ),
        "{testing:?}"
    );
    std::fs::write(&settings, text + "\n[check]\ntesting = false\n").unwrap();
    let published = run();
    assert_eq!(
        (published.code, published.stdout.lines().count()),
        (0, 1),
        "{published:?}"
    );
}

#[test]
fn broken_profile_sets_exit_code_that_matches_its_fix() {
    let (profiles, _server) = Profiles::scripted(|_| {
        Reply::json(
            400,
            r#"{"error":"invalid_grant","error_description":"It was revoked."}"#,
        )
    });
    // The service rejects the refresh token.
    profiles.expire();
    assert_eq!(profiles.run(&["token", "office"]).code, 7);
    assert_found(
        &profiles,
        7,
        "broken",
        "refresh-token-rejected",
        "invalid_grant",
    );
    let line = profiles.run(&["profiles", "check", "office"]);
    assert!(
        line.stdout
            .contains("office  fix     Sign in: oauth-authorizer --profile office"),
        "{line:?}"
    );
    profiles.edit(|record| record["rejected"] = Value::Null);
    // There is no refresh token.
    profiles.edit(|record| {
        record["tokens"]["refresh_token"] = Value::Null;
        record["tokens"]["refresh_obtained_at"] = Value::Null;
    });
    assert_found(
        &profiles,
        7,
        "broken",
        "no-refresh-token",
        "there is no refresh token",
    );
    profiles.edit(|record| {
        record["tokens"]["refresh_token"] = json!("refresh-1");
        record["tokens"]["refresh_obtained_at"] = record["tokens"]["obtained_at"].clone();
    });
    // The settings name another client.
    let settings = std::fs::read_to_string(profiles.settings()).unwrap();
    let other = settings.replace("client_id = \"me\"", "client_id = \"other\"");
    assert_ne!(other, settings);
    std::fs::write(profiles.settings(), other).unwrap();
    assert_found(
        &profiles,
        2,
        "broken",
        "settings",
        "The client ID has changed since the tokens were issued",
    );
    std::fs::write(profiles.settings(), "format = 1\nprset = \"x\"\n").unwrap();
    assert_found(&profiles, 2, "broken", "settings", "unknown field");
    std::fs::write(profiles.settings(), settings).unwrap();
    // The record can't be read.
    let record = profiles.state("record");
    let bytes = std::fs::read(&record).unwrap();
    let mode = |mode| std::fs::set_permissions(&record, PermissionsExt::from_mode(mode)).unwrap();
    mode(0o644);
    assert_found(
        &profiles,
        9,
        "broken",
        "record",
        "can be read by other users. Run: chmod 600",
    );
    mode(0o600);
    std::os::unix::fs::chown(&record, Some(12_345), None).unwrap();
    assert_found(&profiles, 9, "broken", "record", "belongs to another user");
    std::os::unix::fs::chown(&record, Some(0), None).unwrap();
    std::fs::write(&record, &bytes[..bytes.len() / 2]).unwrap();
    assert_found(&profiles, 9, "broken", "record", "is damaged");
    std::fs::remove_file(&record).unwrap();
    assert_found(
        &profiles,
        7,
        "broken",
        "not-signed-in",
        "There are no tokens yet.",
    );
    std::fs::write(&record, &bytes).unwrap();
    mode(0o600);
    // The worst state of several profiles counts. An unknown name is a usage error.
    add(&profiles, "[check]\nrefresh_max = \"1s\"\n");
    profiles.edit(|record| record["origin"]["signed_in_at"] = json!(1_000_000_000));
    let folder = profiles.settings().parent().unwrap().to_owned();
    std::fs::write(folder.join("broken.toml"), "format = 1\nx = 1\n").unwrap();
    let run = |names: &[&str]| profiles.run(&[&["profiles", "check"], names].concat());
    assert_eq!(run(&["broken"]).code, 2);
    assert_eq!(run(&[]).code, 7);
    let unknown = run(&["office", "nobody"]);
    assert_eq!(unknown.code, 7, "{unknown:?}");
    assert!(
        unknown.stderr.contains("There is no profile \"nobody\""),
        "{unknown:?}"
    );
    assert_eq!(run(&["nobody"]).code, 2);
}

#[test]
fn refresh_keeps_sign_in_time_and_records_clock_difference() {
    let (profiles, _server) = Profiles::scripted(|request| {
        let mut reply = refreshed(request);
        // The clock of the service is an hour behind.
        let date = SystemTime::now() - std::time::Duration::from_hours(1);
        reply
            .headers
            .push(("Date".to_owned(), httpdate::fmt_http_date(date)));
        reply
    });
    let signed_in = profiles.record()["origin"].clone();
    assert!(
        signed_in["signed_in_at"]
            .as_u64()
            .is_some_and(|at| at.abs_diff(now()) < 600),
        "{signed_in}"
    );
    profiles.edit(|record| record["origin"]["host"] = json!("elsewhere"));
    profiles.expire();
    assert_eq!(profiles.token(), "second");
    let origin = &profiles.record()["origin"];
    assert_eq!(origin["signed_in_at"], signed_in["signed_in_at"]);
    assert_eq!(origin["host"], signed_in["host"]);
    let ahead = origin["clock_ahead"].as_u64().unwrap();
    assert!(ahead.abs_diff(3600) < 60, "{origin}");
    assert_found(
        &profiles,
        12,
        "soon",
        "clock",
        "the clock of this machine was",
    );
    // A record of an older version has no such data.
    profiles.edit(|record| drop(record.as_object_mut().unwrap().remove("origin")));
    assert_eq!(check(&profiles).0, 0);
    profiles.expire();
    assert_eq!(profiles.token(), "second");
}

#[test]
fn failed_or_interrupted_refresh_is_reported() {
    let (profiles, _server) =
        Profiles::scripted(|_| Reply::json(401, r#"{"error":"invalid_client"}"#));
    profiles.expire();
    assert_eq!(profiles.run(&["token", "office"]).code, 2);
    assert_found(&profiles, 2, "broken", "refresh-failed", "invalid_client");
    // Settings that were changed since may be right.
    let attempt = profiles.state("attempt");
    let mut note: Value = serde_json::from_slice(&std::fs::read(&attempt).unwrap()).unwrap();
    note["since"] = json!(now() - 600);
    std::fs::write(&attempt, note.to_string()).unwrap();
    let ran = profiles.run(&["profiles", "check", "office"]);
    assert!(
        ran.code != 2
            && ran
                .stdout
                .contains("Try them: oauth-authorizer refresh office"),
        "{ran:?}"
    );
    let write = |outcome: Value| {
        let mut note = note.clone();
        note["outcome"] = outcome;
        note["since"] = json!(now() - 600);
        note["sent"] = json!(true);
        std::fs::write(&attempt, note.to_string()).unwrap();
    };
    write(
        json!({"code": 5, "error": "The service can't be reached.", "cause": null, "hint": null}),
    );
    assert_found(
        &profiles,
        12,
        "soon",
        "refresh-failed",
        "The service can't be reached.",
    );
    // The refreshing process was stopped. It is not known whether this service rotates refresh tokens.
    write(Value::Null);
    assert_found(
        &profiles,
        0,
        "ok",
        "answer-lost",
        "the program was stopped before it stored the response",
    );
    std::fs::set_permissions(&attempt, PermissionsExt::from_mode(0o666)).unwrap();
    assert_found(
        &profiles,
        9,
        "broken",
        "attempt",
        "can be read by other users",
    );
}

/// Checks units with systemd.
fn verify(flags: &[&str], home: &Path, units: &Path, names: [&str; 2]) {
    let ran = Command::new("systemd-analyze")
        .arg("verify")
        .args(flags)
        .args(names.map(|name| units.join(name)))
        .env("XDG_RUNTIME_DIR", units)
        .env("HOME", home)
        .stdin(Stdio::null())
        .output();
    let ran = Ran::from(ran.unwrap());
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
}

#[test]
fn systemd_units_in_mail_guide_are_valid() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["office-mail.service", "office-mail.timer"];
    for name in names {
        std::fs::write(folder.path().join(name), block(GUIDE, name, &[])).unwrap();
    }
    verify(&[], folder.path(), folder.path(), names);
}

#[test]
fn monitoring_plugin_translates_the_exit_code() {
    let (profiles, _server) = Profiles::scripted(refreshed);
    let home = profiles.home.path();
    let program = program().to_str().unwrap().to_owned();
    let plugin = home.join("check_oauth_profiles");
    let text = block(
        DOCUMENT,
        "check_oauth_profiles",
        &[("/usr/local/bin/oauth-authorizer", &program)],
    );
    std::fs::write(&plugin, text).unwrap();
    let run = |name: &str| {
        let ran = Command::new("/bin/sh")
            .arg(&plugin)
            .arg(name)
            .env_clear()
            .env("HOME", home)
            .env("PATH", "/usr/bin:/bin")
            .stdin(Stdio::null())
            .output();
        Ran::from(ran.unwrap())
    };
    let fine = run("office");
    assert_eq!(
        (fine.code, fine.stdout.as_str()),
        (0, "OAUTH OK: nothing to do\n")
    );
    // Whoever may run the plugin can't pass flags.
    let flag = run("--all");
    let start = "OAUTH CRITICAL: error: ";
    assert!(flag.code == 2 && flag.stdout.starts_with(start), "{flag:?}");
    let missing = run("relay");
    let start = "OAUTH CRITICAL: error: There is no profile \"relay\".\n";
    assert!(
        missing.code == 2 && missing.stdout.starts_with(start),
        "{missing:?}"
    );
    let settings = std::fs::read_to_string(profiles.settings()).unwrap();
    let in_ten_days = Timestamp::from_second((now() + 10 * DAY).cast_signed()).unwrap();
    let in_ten_days = in_ten_days.strftime("%Y-%m-%d").to_string();
    for (expires, code, start) in [
        (
            "2020-05-01",
            2,
            "OAUTH CRITICAL: office  broken  The client secret expired",
        ),
        (&in_ten_days, 1, "OAUTH WARNING: office  "),
        ("2999-05-01", 0, "OAUTH OK"),
    ] {
        let text = format!("{settings}[secret]\nexpires = {expires}\n");
        std::fs::write(profiles.settings(), text).unwrap();
        let ran = run("office");
        assert!(ran.code == code && ran.stdout.starts_with(start), "{ran:?}");
    }
}

#[test]
fn timer_and_cron_send_mail_about_problems() {
    let (profiles, _server) = Profiles::scripted(refreshed);
    let home = profiles.home.path();
    let installed = ("/usr/local/bin/oauth-authorizer", program());
    let installed = (installed.0, installed.1.to_str().unwrap());
    // A mail program that keeps what is sent.
    let bin = home.join("bin");
    let sent = home.join("sent");
    std::fs::create_dir(&bin).unwrap();
    let executable = |path: &Path, text: &str| {
        std::fs::write(path, text).unwrap();
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
    };
    let mail = format!("#!/bin/sh\n{{ echo \"$@\"; cat; }} >> {}\n", sent.display());
    executable(&bin.join("mail"), &mail);
    let report = home.join("profiles-report");
    executable(&report, &block(DOCUMENT, "profiles-report", &[installed]));
    let units = home.join("units");
    std::fs::create_dir(&units).unwrap();
    let path = report.to_str().unwrap();
    let service = block(
        DOCUMENT,
        "profiles-check.service",
        &[("/usr/local/bin/profiles-report", path)],
    );
    std::fs::write(units.join("profiles-check.service"), &service).unwrap();
    std::fs::write(
        units.join("profiles-check.timer"),
        block(DOCUMENT, "profiles-check.timer", &[]),
    )
    .unwrap();
    verify(
        &["--user"],
        home,
        &units,
        ["profiles-check.service", "profiles-check.timer"],
    );
    let start = service
        .lines()
        .find_map(|line| line.strip_prefix("ExecStart="))
        .unwrap();
    let crontab = block(DOCUMENT, "profiles-check.crontab", &[installed]);
    let line = crontab.lines().last().unwrap();
    let scheduled = line.splitn(6, ' ').last().unwrap();
    assert!(!scheduled.contains('%'), "{scheduled}");
    let run = |command: &str| {
        let ran = Command::new("/bin/sh")
            .args(["-c", command])
            .env_clear()
            .env("HOME", home)
            .env("PATH", format!("{}:/usr/bin:/bin", bin.display()))
            .stdin(Stdio::null())
            .output();
        Ran::from(ran.unwrap())
    };
    for command in [start, scheduled] {
        let fine = run(command);
        assert_eq!(
            (fine.code, fine.stdout.as_str(), fine.stderr.as_str()),
            (0, "", "")
        );
    }
    assert!(!sent.exists());
    add(&profiles, "[secret]\nexpires = 2020-05-01\n");
    let by_cron = run(scheduled);
    assert_eq!(by_cron.code, 2, "{by_cron:?}");
    assert!(
        by_cron
            .stdout
            .starts_with("office  broken  The client secret expired on 2020-05-01")
    );
    let by_timer = run(start);
    assert_eq!(
        (by_timer.code, by_timer.stdout.as_str()),
        (0, ""),
        "{by_timer:?}"
    );
    let mail = std::fs::read_to_string(&sent).unwrap();
    assert!(
        mail.starts_with("-s OAuth profiles on ") && mail.contains(" admin@example.org\n"),
        "{mail}"
    );
    assert!(mail.ends_with(&by_cron.stdout), "{mail}");
}

#[test]
fn invalid_mailbox_and_mail_server_are_reported() {
    let (profiles, _server) = Profiles::scripted(refreshed);
    let settings = std::fs::read_to_string(profiles.settings()).unwrap();
    for (line, name) in [
        ("user = \"not an address\"", "user"),
        ("imap = \"imap.example.org\"", "imap"),
        ("smtp = \"smtp.example.org:none:TLS\"", "smtp"),
    ] {
        let text = format!("{settings}\n[mail]\n{line}\n");
        std::fs::write(profiles.settings(), &text).unwrap();
        let place = format!("line {}, column 8: {name} in [mail]", text.lines().count());
        assert_found(&profiles, 2, "broken", "mail", &place);
    }
}

#[test]
fn mail_server_added_after_the_sign_in_is_noted() {
    let (profiles, _server) = Profiles::scripted(refreshed);
    add(&profiles, "[mail]\nimap = \"localhost:993 TLS\"\n");
    assert_found(
        &profiles,
        0,
        "ok",
        "mail-server",
        "The IMAP server localhost:993 TLS was added after the tokens were issued, so `mail-test` doesn't send",
    );
    profiles.edit(|record| record["issued_for"]["mail"] = json!(["imap localhost:143 STARTTLS"]));
    assert_found(
        &profiles,
        0,
        "ok",
        "mail-server",
        "The IMAP server has changed to localhost:993 TLS since the tokens were issued",
    );
    profiles.edit(|record| record["issued_for"]["mail"] = json!(["imap localhost:993 TLS"]));
    assert_eq!(check(&profiles).1["findings"], json!([]));
}

#[test]
fn full_or_read_only_disk_is_reported() {
    let (profiles, _server) = Profiles::scripted(refreshed);
    let record = profiles.state("record");
    let folder = record.parent().unwrap();
    let bytes = std::fs::read(&record).unwrap();
    let run = |program: &str, arguments: &[&str]| {
        let ran = std::process::Command::new(program)
            .args(arguments)
            .arg(folder)
            .output()
            .unwrap();
        assert!(ran.status.success(), "{ran:?}");
    };
    run(
        "mount",
        &["-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs"],
    );
    private_copy(&record, &bytes);
    assert_found(&profiles, 9, "broken", "no-room", "The disk of");
    run("mount", &["-o", "remount,size=1m,ro"]);
    assert_found(&profiles, 9, "broken", "no-room", "Read-only file system");
    run("mount", &["-o", "remount,rw"]);
    assert_eq!(check(&profiles).0, 0);
    run("umount", &[]);
}

/// Writes a record as this program does.
fn private_copy(path: &Path, bytes: &[u8]) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, bytes).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn secret_file_that_others_can_read_is_noted() {
    let (profiles, _server) = Profiles::scripted(refreshed);
    let secret = profiles.home.path().join("secret");
    std::fs::write(&secret, "s3cret\n").unwrap();
    let line = format!("[secret]\nfile = \"{}\"\n", secret.display());
    add(&profiles, &line);
    profiles.edit(|record| record["issued_for"]["client_authentication"] = json!("basic"));
    for (mode, count) in [(0o600, 0), (0o640, 1), (0o644, 1)] {
        std::fs::set_permissions(&secret, PermissionsExt::from_mode(mode)).unwrap();
        let (code, row) = check(&profiles);
        let findings = row["findings"].as_array().unwrap();
        assert_eq!((code, findings.len()), (0, count), "{mode:o}: {row}");
        if let Some(finding) = findings.first() {
            assert_eq!(finding["id"], "file-readable", "{row}");
            assert!(
                finding["text"]
                    .as_str()
                    .is_some_and(|text| text.starts_with("The client secret file ")
                        && text.ends_with(" can be read by other users.")),
                "{row}"
            );
        }
    }
}

#[test]
fn repaired_cause_of_a_failed_refresh_is_only_a_note() {
    let (profiles, server) = Profiles::scripted(refreshed);
    let secret = profiles.home.path().join("secret");
    let settings = std::fs::read_to_string(profiles.settings()).unwrap();
    let lines = format!(
        "client_authentication = \"basic\"\n\n[secret]\nfile = \"{}\"\n",
        secret.display()
    );
    std::fs::write(profiles.settings(), format!("{settings}{lines}")).unwrap();
    profiles.edit(|record| record["issued_for"]["client_authentication"] = json!("basic"));
    profiles.expire();
    let asked = server.requests("/token").len();
    let ran = profiles.run(&["refresh", "office"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert_eq!(server.requests("/token").len(), asked);
    let (code, row) = check(&profiles);
    assert_eq!((code, &row["state"]), (2, &json!("broken")), "{row}");
    std::fs::write(&secret, "s3cret\n").unwrap();
    std::fs::set_permissions(&secret, PermissionsExt::from_mode(0o600)).unwrap();
    assert_found(
        &profiles,
        0,
        "ok",
        "refresh-failed",
        "The last refresh failed",
    );
    let (_, row) = check(&profiles);
    assert_eq!(
        row["findings"][0]["fix"],
        "The cause is gone. Refresh it: oauth-authorizer refresh office"
    );
    // A variable may be set for another process only.
    let lines = std::fs::read_to_string(profiles.settings()).unwrap();
    let file = format!("file = \"{}\"", secret.display());
    std::fs::write(
        profiles.settings(),
        lines.replace(&file, "env = \"NOT_SET_HERE\""),
    )
    .unwrap();
    let (_, row) = check(&profiles);
    assert!(!row.to_string().contains("The cause is gone"), "{row}");
    std::fs::write(profiles.settings(), lines).unwrap();
    assert_eq!(profiles.run(&["refresh", "office"]).code, 0);
    let (_, row) = check(&profiles);
    assert_eq!(row["findings"], json!([]), "{row}");
}
