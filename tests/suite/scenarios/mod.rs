//! Attacks of hostile services and mail servers at every endpoint, on the real program: the files in `tests/scenarios`.
//!
//! Each states what the user reads, the exit code, and what is stored. Each run is searched for secrets.

mod endpoints;
mod file;
mod leak;
mod mail;
mod played;
mod run;
mod secrets;
mod service;
mod table;
mod tls;

use std::path::Path;
use std::time::Instant;

use self::endpoints::{on_screen, prepare};
use self::file::{Case, Endpoint, Scenario};
use self::played::{Run, play};
use self::run::{Outcome, run};
use self::secrets::value;
use crate::terminal::program;

/// The scenarios, without those that an environment variable leaves out.
fn scenarios() -> Vec<Scenario> {
    let only = std::env::var("OAUTH_AUTHORIZER_SCENARIOS").unwrap_or_default();
    let mut all = file::all();
    all.retain(|scenario| scenario.name.contains(&only));
    all
}

#[test]
fn every_service_behavior_is_reported_without_leaks() {
    let scenarios = scenarios();
    let runs: Vec<Run<'_>> = scenarios
        .iter()
        .flat_map(|scenario| {
            let cases = scenario.cases.iter();
            cases.map(move |(endpoint, case)| Run {
                scenario,
                endpoint: *endpoint,
                case,
            })
        })
        .collect();
    let (began, count) = (Instant::now(), runs.len());
    let wrong = play(runs, &program());
    println!(
        "{count} runs of {} scenarios in {:?}",
        scenarios.len(),
        began.elapsed()
    );
    assert!(
        wrong.is_empty(),
        "{} of {count} failed\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn every_endpoint_has_scenarios_of_every_class() {
    let scenarios = file::all();
    let (table, wrong) = table::table(&scenarios);
    let variants: usize = scenarios.iter().map(|scenario| scenario.cases.len()).sum();
    println!("{table}\n{} scenarios, {variants} runs", scenarios.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A case given as TOML text.
fn case(text: &str) -> Case {
    toml::from_str(text).unwrap()
}

const ERROR: &str = r#"
exit = 1
reads = []
answer.status = 400
answer.body = '{"error":"e_nobody_knows","error_description":"$all"}'
"#;

#[test]
fn sign_in_screen_and_trace_contain_no_secrets() {
    for endpoint in [Endpoint::Device, Endpoint::Poll, Endpoint::Exchange] {
        for case in [case(ERROR), case("exit = 0\nreads = []")] {
            let (server, plan) = prepare(endpoint, &case);
            let outcome = run(&program(), &on_screen(plan), false);
            assert!(outcome.trace.contains(" -> "), "{}", outcome.trace);
            let told = outcome.trace.contains("e_nobody_knows");
            assert_eq!(told, case.exit != 0, "{}", outcome.trace);
            let scenario = Scenario {
                name: String::new(),
                about: String::new(),
                class: String::new(),
                cases: Vec::new(),
            };
            let one = Run {
                scenario: &scenario,
                endpoint,
                case: &case,
            };
            let leaks = one.leaks(&outcome, &server);
            assert!(
                leaks.is_empty(),
                "{endpoint:?}: {leaks:?}\n{}",
                outcome.screen
            );
        }
    }
}

/// A program that leaks the refresh token by this line of shell code, and then runs the real program.
fn leaking(folder: &Path, line: &str) -> std::path::PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join("leaking");
    let text = format!(
        "#!/bin/sh\nS='{}'\n{line}\nexec '{}' \"$@\"\n",
        value("refresh"),
        program().display()
    );
    // Another process writes the file; see `copy_program`.
    let text = std::process::Command::new("sh")
        .args(["-c", "printf %s \"$1\" >\"$2\"", "sh", &text])
        .arg(&path)
        .status();
    assert!(text.unwrap().success());
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    path
}

#[test]
fn planted_leak_is_found_in_every_place_and_encoding() {
    let folder = tempfile::tempdir().unwrap();
    for (endpoint, line, place) in [
        (Endpoint::Exchange, "", None),
        (
            Endpoint::Exchange,
            "echo \"debug: $S\" >&2",
            Some("standard error"),
        ),
        (
            Endpoint::Exchange,
            "printf %s \"x$S\" | base64 >&2",
            Some("standard error"),
        ),
        (
            Endpoint::Exchange,
            "printf %s \"$S\" | od -An -tx1 >&2",
            Some("standard error"),
        ),
        (
            Endpoint::Exchange,
            "echo \"$S\" | cut -c1-12 >&2",
            Some("standard error"),
        ),
        (Endpoint::Refresh, "", None),
        (Endpoint::Refresh, "echo \"$S\"", Some("standard output")),
        (
            Endpoint::Refresh,
            "/bin/true \"$S\"",
            Some("a child's arguments or environment"),
        ),
        (
            Endpoint::Refresh,
            "LEAK=$S env >/dev/null",
            Some("a child's arguments or environment"),
        ),
        (
            Endpoint::Refresh,
            "echo \"$S\" >debug.log",
            Some("the file debug.log"),
        ),
        (
            Endpoint::Refresh,
            "touch \"$(printf %s \"$S\" | tr / _)\"",
            Some("the name of a file"),
        ),
        (
            Endpoint::Refresh,
            "echo \"# $S\" >>.config/oauth-authorizer/profiles/office.toml",
            Some("the file .config/oauth-authorizer/profiles/office.toml"),
        ),
        (Endpoint::Registration, "", None),
        (
            Endpoint::Registration,
            "echo \"$S\"",
            Some("the bytes of the terminal"),
        ),
    ] {
        let case = case("exit = 0\nreads = []");
        let (_server, plan) = prepare(endpoint, &case);
        let outcome = run(&leaking(folder.path(), line), &plan, false);
        let found = leak::leaks(&outcome, &[], None);
        let found: Vec<&str> = found
            .iter()
            .filter_map(|leak| leak.strip_prefix("refresh in "))
            .collect();
        match place {
            Some(place) => assert!(found.contains(&place), "{line}: {found:?}"),
            None => assert!(found.is_empty(), "{endpoint:?}: {found:?}"),
        }
    }
    // In the trace, on the screen, and in everything else that is searched.
    let search = secrets::Search::new([("refresh", value("refresh"))]);
    for form in secrets::forms(value("refresh")) {
        assert_eq!(
            search.find(format!("({form})").as_bytes()),
            ["refresh"],
            "{form}"
        );
        assert_eq!(
            search.find(form.to_uppercase().as_bytes()),
            ["refresh"],
            "{form}"
        );
    }
    assert!(search.find(value("newrefresh").as_bytes()).is_empty());
    let planted = Outcome {
        trace: format!("body: {}", value("refresh")),
        screen: value("code").to_owned(),
        ..Outcome::default()
    };
    assert_eq!(
        leak::leaks(&planted, &[], None),
        ["code in the screen", "refresh in the trace"]
    );
}
