//! `explain`, and docs/errors.md, which is generated from the same explanations.
//!
//! `INSTA_UPDATE=always` writes the document; review the diff.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Stdio;

use oauth_authorizer::form::known_errors::{KnownError, known_errors};
use oauth_authorizer::form::settings::Settings;
use oauth_authorizer::presets::{self, Library};

use crate::terminal::program;

/// Runs `explain` with these arguments and this input. Returns standard output, standard error and the exit code.
fn explain(arguments: &[&str], input: &str) -> (String, String, Option<i32>) {
    let mut child = std::process::Command::new(program())
        .arg("explain")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // The program may have ended already if it does not need the input.
    let _ = std::io::Write::write_all(&mut stdin, input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        text(output.stdout),
        text(output.stderr),
        output.status.code(),
    )
}

#[test]
fn error_is_explained_by_code_and_from_text() {
    let (told, _, code) = explain(&["AADSTS50011"], "");
    assert_eq!(code, Some(0));
    for part in [
        "AADSTS50011 (microsoft)",
        "Cause:  ",
        "Fix:    ",
        "Field:  Redirect URL",
        "Source: https://",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let page =
        "Sorry, but we\u{2019}re having trouble signing you in.\nAADSTS50011: The redirect URI";
    assert_eq!(explain(&[], page), (told.clone(), String::new(), Some(0)));
    assert_eq!(explain(&["-"], page).0, told);
    let long = format!("{page}\n{}", "a line of a log\n".repeat(20_000));
    let (out, error, code) = explain(&[], &long);
    assert_eq!((out.as_str(), code), ("", Some(2)));
    assert!(
        error.ends_with("Pass only the lines with the error.\n"),
        "{error}"
    );
    // Several arguments are one text.
    assert_eq!(explain(&["error", "AADSTS50011:", "The"], "").0, told);
    // The number is sufficient, also in a URL.
    for text in [
        "50011",
        "http://localhost/?error=50011",
        "https://login.example.com/error?code=50011",
    ] {
        assert_eq!(explain(&[text], "").0, told, "{text}");
    }
}

#[test]
fn mail_server_challenge_is_decoded() {
    // {"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}
    let line = "334 eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIiwic2NvcGUiOiJodHRwczovL21haWwuZ29vZ2xlLmNvbS8ifQ==";
    let (told, _, code) = explain(&[line], "");
    assert!(told.contains("https://mail.google.com/ (mail)"), "{told}");
    assert_eq!(code, Some(0));
    // {"status":"999"}
    let (_, error, code) = explain(&["334 eyJzdGF0dXMiOiI5OTkifQ=="], "");
    assert!(error.contains("{\"status\":\"999\"}"), "{error}");
    assert_eq!(code, Some(1));
}

#[test]
fn preset_limits_explanations_to_its_service() {
    let (google, _, code) = explain(&["--preset", "google-mail", "redirect_uri_mismatch"], "");
    assert_eq!(code, Some(0));
    assert!(
        google.contains("(google)") && !google.contains("(microsoft)"),
        "{google}"
    );
    let (_, error, code) = explain(&["--preset", "nobody", "invalid_grant"], "");
    assert!(error.contains("nobody"), "{error}");
    assert_eq!(code, Some(2));
}

#[test]
fn unknown_error_code_is_reported() {
    let (told, error, code) = explain(&["never_heard_of"], "");
    assert_eq!((told.as_str(), code), ("", Some(1)));
    assert!(error.contains("never_heard_of"), "{error}");
    assert_eq!(explain(&[], "").2, Some(2));
}

/// The expected text of docs/errors.md.
fn document() -> String {
    let library = Library::default();
    let custom = presets::get(presets::CUSTOM).unwrap();
    let settings = Settings::new(custom);
    let mut text = String::from(
        "# Errors\n\nError codes that OAuth Authorizer explains: what each means, what to do, and where it is documented. \
         The same explanations are on the screen when a sign-in fails, and `oauth-authorizer explain CODE` prints them.\n\n\
         This file is generated from `presets/errors/`.\n",
    );
    let mut sets = library.explanation_sets();
    sets.sort_by_key(|set| (set != "protocol", set.clone()));
    for set in sets {
        let title = match set.as_str() {
            "protocol" => "Any service (OAuth 2.0 and OpenID Connect)".to_owned(),
            "github" => "GitHub".to_owned(),
            "adfs" => "AD FS".to_owned(),
            set => {
                let (first, rest) = set.split_at(1);
                first.to_uppercase() + rest
            }
        };
        write!(text, "\n## {title}\n").unwrap();
        for entry in library.explanations(&set) {
            let known = KnownError {
                set: set.clone(),
                entry,
            };
            let entry = &known.entry;
            let name = match (&entry.text, &entry.code) {
                (Some(text), Some(code)) if text != code => format!("{code}: {text}"),
                _ => known.name().to_owned(),
            };
            write!(text, "\n### {name}\n\n").unwrap();
            let requests = known.requests();
            if !requests.is_empty() {
                writeln!(text, "- At: {requests}").unwrap();
            }
            writeln!(text, "- Cause: {}", entry.cause).unwrap();
            writeln!(text, "- Fix: {}", entry.remedy).unwrap();
            let label = known.field().map(|key| settings.label(key).to_owned());
            if let Some(label) = label.filter(|label| !label.is_empty()) {
                writeln!(text, "- Field: {label}").unwrap();
            }
            writeln!(text, "- Source: <{}>", entry.source).unwrap();
        }
    }
    text
}

#[test]
fn errors_document_lists_every_explanation() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/errors.md");
    let expected = document();
    if std::env::var("INSTA_UPDATE").is_ok_and(|it| it == "always") {
        std::fs::write(&path, &expected).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == expected,
        "docs/errors.md is out of date: INSTA_UPDATE=always writes it"
    );
    // Each explanation is found by its own heading.
    let library = Library::default();
    let headings: Vec<&str> = expected
        .lines()
        .filter_map(|line| line.strip_prefix("### "))
        .collect();
    assert!(headings.len() >= 250, "{}", headings.len());
    for heading in headings {
        assert!(
            !known_errors(heading, None, &library).is_empty(),
            "{heading}"
        );
    }
}

#[test]
fn every_command_has_a_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    let status = std::process::Command::new(program())
        .args(["man", "--output"])
        .arg(folder.path())
        .status()
        .unwrap();
    assert!(status.success());
    let page = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let main = page("oauth-authorizer.1");
    for part in [
        "ENVIRONMENT",
        "EXIT STATUS",
        "FILES",
        "EXAMPLES",
        "OAUTH_AUTHORIZER_CLIENT_SECRET",
        "HTTPS_PROXY",
    ] {
        assert!(main.contains(&part.replace('-', "\\-")), "{part}");
    }
    for name in [
        "presets",
        "presets-list",
        "presets-show",
        "configure-verify",
        "doctor",
        "explain",
        "completions",
    ] {
        assert!(
            page(&format!("oauth-authorizer-{name}.1")).contains(".SH"),
            "{name}"
        );
    }
    // The page as man formats it, if man is installed.
    let formatted = std::process::Command::new("man")
        .args(["--warnings", "-l"])
        .arg(folder.path().join("oauth-authorizer.1"))
        .env("MANWIDTH", "80")
        .output();
    if let Ok(output) = formatted
        && output.status.success()
    {
        let warnings = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(warnings.is_empty(), "{warnings}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("EXIT STATUS"));
    }
}
