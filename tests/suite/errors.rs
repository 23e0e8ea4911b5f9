//! Error responses from public documentation, each sent by a scripted service: the screen shows cause, fix and field,
//! and the service's own words. Also, general rules for all files of explanations.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use oauth_authorizer::clean::{TEXT_LIMIT, clean};
use oauth_authorizer::form::field::Key;
use oauth_authorizer::oauth::client_authentication::ClientAuthentication;
use oauth_authorizer::presets::errors::{At, ErrorEntry, ErrorFile};
use oauth_authorizer::presets::{Preset, SecretRule, check};
use serde::Deserialize;
use serde_json::Value;

use crate::scripted::{Reply, Request, Scripted};
use crate::servers::get;
use crate::service_account::{self, KeyFile};
use crate::terminal::{Command, ENTER, Terminal, is_focused};

const PAGE_DOWN: &str = "\x1b[6~";

/// Number of runs at the same time. They mostly wait.
const AT_ONCE: usize = 6;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Facts {
    answer: Vec<Documented>,
}

/// An error response from a service's documentation, and what the program must say about it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Documented {
    name: String,
    preset: String,
    at: At,
    #[serde(default)]
    status: u16,
    /// The body of the error response.
    #[serde(default)]
    body: String,
    /// The query of the redirect.
    #[serde(default)]
    query: String,
    /// A part of the cause that is shown.
    cause: String,
    field: Option<String>,
    source: String,
}

impl Documented {
    /// The service's own words as they are shown, without spaces, because they may be wrapped anywhere.
    fn words(&self) -> String {
        let (code, description) = if self.at == At::Callback {
            let find = |wanted: &str| {
                url::form_urlencoded::parse(self.query.as_bytes())
                    .find(|(name, _)| name == wanted)
                    .map(|(_, value)| value.into_owned())
            };
            (find("error"), find("error_description"))
        } else {
            let body: Value = serde_json::from_str(&self.body).unwrap();
            let text = |name: &str| body[name].as_str().map(str::to_owned);
            if let Some(message) = text("message") {
                return without_space(&message);
            }
            (
                text("error").or_else(|| text("error_code")),
                text("error_description"),
            )
        };
        let words = [code.expect("a code"), description.unwrap_or_default()];
        let words = words.map(|text| clean(&text, TEXT_LIMIT));
        without_space(words.join(":").trim_end_matches(':'))
    }
}

fn without_space(text: &str) -> String {
    text.split_whitespace().collect()
}

fn presets() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("presets")
}

fn explanations(set: &str) -> Vec<ErrorEntry> {
    let path = presets().join(format!("errors/{set}.toml"));
    let text = std::fs::read_to_string(&path).unwrap();
    let file: ErrorFile = toml::from_str(&text).unwrap_or_else(|error| panic!("{set}: {error}"));
    file.errors
}

/// The text of a built-in preset with all its endpoints at `server`, without variables that only the endpoints used.
fn moved(text: &str, server: &str) -> String {
    let mut section = String::new();
    let mut tables: Vec<String> = vec![String::new()];
    for line in text.lines() {
        if line.starts_with('[') {
            line.trim().clone_into(&mut section);
            tables.push(String::new());
        }
        let key = line.split_once('=').map_or("", |(key, _)| key.trim());
        let line = match (section.as_str(), key) {
            ("[endpoints]", "issuer") => format!("issuer = \"{server}\""),
            ("[endpoints]", key) if !key.is_empty() => format!("{key} = \"{server}/{key}\""),
            ("[device]", "token_url") => format!("token_url = \"{server}/token\""),
            _ => line.to_owned(),
        };
        *tables.last_mut().unwrap() += &(line + "\n");
    }
    // These tables may be about a variable that is removed.
    tables.retain(|table| !table.starts_with("[[patterns") && !table.starts_with("[[requirements"));
    let whole = tables.concat();
    tables.retain(|table| {
        let name = table
            .lines()
            .find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
        !table.starts_with("[[variables]]")
            || name.is_some_and(|name| whole.contains(&format!("{{{name}}}")))
    });
    tables.concat()
}

/// The kind of a request.
fn asked(request: &Request) -> At {
    if request.path.starts_with("/device") {
        return At::DeviceCode;
    }
    match request.form.get("grant_type").map(String::as_str) {
        Some("authorization_code") => At::Exchange,
        Some("refresh_token") => At::Refresh,
        Some("client_credentials") => At::ClientCredentials,
        Some(service_account::GRANT) => At::ServiceAccount,
        _ => At::Approval,
    }
}

/// A service that responds with `reply` at this place, and leads the sign-in there.
fn service(at: At, reply: Reply) -> Scripted {
    Scripted::start(move |request| match asked(request) {
        place if place == at => reply.clone(),
        At::DeviceCode => Reply::json(
            200,
            r#"{"device_code":"d","user_code":"WDJB-MJHT","verification_uri":"https://as.example/d",
                "verification_url":"https://as.example/d","expires_in":600,"interval":1}"#,
        ),
        _ => Reply::json(
            200,
            r#"{"ok":true,"access_token":"an-access-token-of-the-test","token_type":"Bearer",
                "expires_in":3600,"refresh_token":"a-refresh-token-of-the-test"}"#,
        ),
    })
}

/// The form of a built-in preset that was moved to `server`, with the flow that reaches this place.
fn form(home: &Path, preset: &str, server: &str, at: At) -> (Terminal, Preset) {
    let text = std::fs::read_to_string(presets().join(format!("{preset}.toml"))).unwrap();
    let text = moved(&text, server);
    let about =
        check::parse_preset(&text).unwrap_or_else(|findings| panic!("{findings:?}\n{text}"));
    std::fs::write(home.join("moved.toml"), text).unwrap();
    let device = matches!(at, At::DeviceCode | At::Approval);
    let flow = match at {
        At::ClientCredentials => "client-credentials",
        At::ServiceAccount => "service-account",
        _ if device => "device-code",
        _ => "authorization-code",
    };
    // Any free port, and plain http; a rule of the service against them is only a warning.
    let key = KeyFile::for_token_url(&format!("{server}/token")).write(home);
    let flags = [
        "--preset-file",
        "moved.toml",
        "--client-id",
        "a-client",
        "--flow",
        flow,
        "--redirect-url",
        "http://localhost:0/",
        "--service-account-file",
        &key,
        "--subject",
        service_account::SUBJECT,
    ];
    let mut command = Command::new(home, &flags);
    let secret = match about.client.secret {
        _ if at == At::ClientCredentials => true,
        SecretRule::Required => true,
        SecretRule::RequiredForAuthorizationCode => !device,
        SecretRule::Optional | SecretRule::None => false,
    };
    if secret {
        command = command.env("OAUTH_AUTHORIZER_CLIENT_SECRET", "a-secret");
    }
    let mut terminal = command.start();
    terminal.wait_for("[a Authorize]");
    terminal.focus("Authorize");
    (terminal, about)
}

/// Acts as the browser: redirects with this query, to which the state is added.
fn come_back(terminal: &mut Terminal, query: &str) {
    terminal.wait_for("URL, code or error text");
    let url = url::Url::parse(&terminal.url()).unwrap();
    let parameter = |wanted: &str| {
        url.query_pairs()
            .find(|(name, _)| name == wanted)
            .unwrap_or_else(|| panic!("no {wanted} in {url}"))
            .1
            .into_owned()
    };
    let query: Vec<&str> = query
        .split('&')
        .filter(|part| !part.starts_with("state="))
        .collect();
    let state = format!("state={}", parameter("state"));
    let place = parameter("redirect_uri");
    get(&format!("{place}?{}&{state}", query.join("&")), &[]);
}

/// Runs until the sign-in has failed, or until a refresh of the tokens was rejected.
fn fail(terminal: &mut Terminal, answer: &Documented) {
    terminal.send(ENTER);
    match answer.at {
        At::DeviceCode | At::Approval | At::ClientCredentials | At::ServiceAccount | At::Mail => {}
        At::Exchange => come_back(terminal, "code=c"),
        At::Callback => come_back(terminal, &answer.query),
        At::Refresh => {
            come_back(terminal, "code=c");
            terminal.wait_for("Access token");
            terminal.send("f");
        }
    }
    let end = if answer.at == At::Refresh {
        answer.cause.as_str()
    } else {
        "[a Try again]"
    };
    terminal.wait_for(end);
}

/// Checks that the service's own words are on the screen or after Page Down.
fn assert_words(terminal: &mut Terminal, words: &str) {
    for _ in 0..6 {
        if without_space(&terminal.screen()).contains(words) {
            return;
        }
        terminal.send(PAGE_DOWN);
        terminal.settle();
    }
    panic!("the service's own words, {words}\n{}", terminal.screen());
}

/// Checks that Enter on the row of the field moves to the field, or to the preset that locks it.
fn assert_field(terminal: &mut Terminal, key: Key) {
    let told = format!("Field {} [Edit]", key.label());
    assert!(terminal.flat().contains(&told), "{}", terminal.screen());
    assert!(
        terminal.look(|screen| is_focused(screen, "Edit")),
        "{}",
        terminal.screen()
    );
    terminal.send(ENTER);
    let locked = matches!(key, Key::AuthorizationUrl | Key::DeviceUrl | Key::TokenUrl);
    let label = match key {
        _ if locked => "Preset",
        // The label is shortened to the width of its column.
        Key::ExtraParameters => "Extra params",
        _ => key.label(),
    };
    terminal.wait_until(&format!("the focus on {label}"), |screen| {
        is_focused(screen, label)
    });
    if locked {
        terminal.wait_for(&format!(
            "{} is set by the preset. To change it, choose another preset or Custom settings.",
            key.label()
        ));
    }
}

fn play(answer: &Documented) {
    assert!(answer.source.starts_with("https://"), "{}", answer.source);
    let home = tempfile::tempdir().unwrap();
    let service = service(answer.at, Reply::json(answer.status, &answer.body));
    let (mut terminal, preset) = form(home.path(), &answer.preset, &service.url, answer.at);
    fail(&mut terminal, answer);

    let sets = preset.errors.iter().map(String::as_str);
    let told: Vec<ErrorEntry> = sets
        .chain(["protocol"])
        .flat_map(explanations)
        .filter(|entry| entry.cause.contains(&answer.cause) && entry.field == answer.field)
        .collect();
    assert!(!told.is_empty(), "no explanation says {:?}", answer.cause);
    let refresh = answer.at == At::Refresh;
    let flat = terminal.flat();
    let shown = told.iter().any(|entry| {
        let (cause, remedy) = (&entry.cause, &entry.remedy);
        if refresh {
            flat.contains(&format!("{cause} {remedy}"))
        } else {
            flat.contains(&format!("Failed {cause} Fix {remedy}"))
        }
    });
    assert!(
        shown,
        "none of these is told: {told:#?}\n{}",
        terminal.screen()
    );
    if refresh {
        // The message has room for only one sentence of the service's; the trace has the whole response.
        let trace = without_space(&terminal.trace(home.path()));
        for words in answer.words().split(':') {
            assert!(trace.contains(words), "{words}\n{trace}");
        }
        return;
    }
    assert_words(&mut terminal, &answer.words());
    match &answer.field {
        Some(name) => assert_field(&mut terminal, Key::from_name(name).unwrap()),
        None => assert!(!terminal.flat().contains("[Edit]"), "{}", terminal.screen()),
    }
}

#[test]
fn documented_error_responses_are_explained() {
    let facts: Facts = toml::from_str(include_str!("../facts/errors.toml")).unwrap();
    assert_eq!(facts.answer.len(), 50);
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(answer) = facts.answer.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = catch_unwind(AssertUnwindSafe(|| play(answer)));
                    if let Err(reason) = outcome {
                        let reason = reason.downcast_ref::<String>().cloned();
                        let reason = format!("{}: {}", answer.name, reason.unwrap_or_default());
                        failed.lock().unwrap().push(reason);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

#[test]
fn editing_a_locked_field_moves_focus_to_preset() {
    let home = tempfile::tempdir().unwrap();
    let body = r#"{"ok":false,"error":"invalid_grant_type"}"#;
    let service = service(At::Exchange, Reply::json(200, body));
    let (mut terminal, _) = form(home.path(), "slack", &service.url, At::Exchange);
    terminal.send(ENTER);
    come_back(&mut terminal, "code=c");
    terminal.wait_for("Slack didn't recognize the type of token request.");
    assert_field(&mut terminal, Key::TokenUrl);
}

#[test]
fn long_error_response_can_be_read_to_its_end() {
    let home = tempfile::tempdir().unwrap();
    let body = format!(
        r#"{{"error":"redirect_uri_mismatch","error_description":"{}the very end"}}"#,
        "these words go on and on, ".repeat(18)
    );
    let service = service(At::Exchange, Reply::json(400, &body));
    let (mut terminal, _) = form(home.path(), "google-mail", &service.url, At::Exchange);
    terminal.send(ENTER);
    come_back(&mut terminal, "code=c");
    terminal.wait_for("[a Try again]");
    // The focus is on the Edit button of the field that the error is about.
    assert!(terminal.look(|screen| is_focused(screen, "Edit")));
    assert_words(&mut terminal, "theveryend");
}

/// All files of explanations, by name.
fn files() -> Vec<(String, Vec<ErrorEntry>)> {
    let mut files: Vec<(String, Vec<ErrorEntry>)> = std::fs::read_dir(presets().join("errors"))
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let set = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let errors = explanations(&set);
            (set, errors)
        })
        .collect();
    files.sort_by(|one, other| one.0.cmp(&other.0));
    files
}

#[test]
fn explanations_are_well_formed() {
    let files = files();
    let count: usize = files.iter().map(|(_, errors)| errors.len()).sum();
    assert!(count >= 60, "{count}");
    let mut wrong = Vec::new();
    for (set, errors) in files {
        for entry in errors {
            let mut object = |what: &str| wrong.push(format!("{set}: {what}: {entry:?}"));
            if entry.code.is_none() && entry.text.is_none() {
                object("neither code nor text");
            }
            for sentence in [&entry.cause, &entry.remedy] {
                if !sentence.ends_with('.') {
                    object("no full stop");
                }
                if sentence.chars().count() > 180 {
                    object("too long");
                }
            }
            if !entry.source.starts_with("https://") {
                object("no source");
            }
            if let Some(field) = &entry.field
                && Key::from_name(field).is_none()
            {
                object("an unknown field");
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Returns whether `text` contains `words` as whole words.
fn holds(text: &str, words: &str) -> bool {
    let (text, words) = (text.to_lowercase(), words.to_lowercase());
    let part = |ch: char| ch.is_alphanumeric() || ch == '_';
    text.match_indices(&words)
        .any(|(at, _)| !text[..at].ends_with(part) && !text[at + words.len()..].starts_with(part))
}

/// The places that an entry applies to.
fn places(entry: &ErrorEntry) -> Vec<At> {
    if entry.at.is_empty() {
        let all = [At::DeviceCode, At::Approval, At::Exchange];
        return [&all[..], &[At::Refresh, At::Callback]].concat();
    }
    entry.at.clone()
}

/// Returns whether `entry` matches whenever `other` does.
fn covers(entry: &ErrorEntry, other: &ErrorEntry) -> bool {
    let place = places(other).iter().all(|at| places(entry).contains(at));
    let code = entry.code.is_none() || entry.code == other.code;
    let text = entry.text.as_ref().is_none_or(|words| {
        let texts = [&other.code, &other.text];
        texts.into_iter().flatten().any(|text| holds(text, words))
    });
    let secret = entry.secret.is_none() || entry.secret == other.secret;
    let method = |one: &ClientAuthentication| entry.method.contains(one);
    let all = !other.method.is_empty() && other.method.iter().all(method);
    place && code && text && secret && (entry.method.is_empty() || all)
}

#[test]
fn every_explanation_can_be_reached() {
    let mut wrong = Vec::new();
    for (set, errors) in files() {
        // Entries with a text are tried before entries with only a code.
        let (texts, codes): (Vec<_>, Vec<_>) =
            errors.iter().partition(|entry| entry.text.is_some());
        let order = [texts, codes].concat();
        for (at, entry) in order.iter().enumerate() {
            if let Some(earlier) = order[..at].iter().find(|earlier| covers(earlier, entry)) {
                wrong.push(format!(
                    "{set}: {earlier:?}\nis found in place of {entry:?}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
