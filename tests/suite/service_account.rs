//! Service accounts: a signed assertion gets a token (RFC 7523, section 2.1). The test server verifies it with openssl.

use std::path::{Path, PathBuf};
use std::process::{Child, Command as Process};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::plain::Plain;
use crate::profiles::{Profiles, Ran};
use crate::scripted::{Reply, Request, Scripted};
use crate::terminal::{Command, ENTER, RIGHT, Terminal};

pub const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
pub const EMAIL: &str = "robot@project.iam.example";
pub const SUBJECT: &str = "alice@example.org";
const KEY_ID: &str = "key-of-the-test";
const SCOPE: &str = "https://mail.example/ https://files.example/";

/// The private key of the service account (PEM), and the folder of its key pair, which is kept until the end.
fn key() -> &'static (tempfile::TempDir, String) {
    static KEY: OnceLock<(tempfile::TempDir, String)> = OnceLock::new();
    KEY.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let bits = "rsa_keygen_bits:2048";
        openssl(
            folder.path(),
            &[
                "genpkey",
                "-algorithm",
                "RSA",
                "-pkeyopt",
                bits,
                "-out",
                "key",
            ],
        );
        openssl(
            folder.path(),
            &["pkey", "-in", "key", "-pubout", "-out", "public"],
        );
        let pem = std::fs::read_to_string(folder.path().join("key")).unwrap();
        (folder, pem)
    })
}

fn openssl(folder: &Path, arguments: &[&str]) {
    let ran = Process::new("openssl")
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(ran.status.success(), "{arguments:?}: {ran:?}");
}

/// A key file as a user downloads it.
pub struct KeyFile(pub Value);

impl KeyFile {
    pub fn for_token_url(url: &str) -> Self {
        Self(json!({
            "type": "service_account",
            "project_id": "project",
            "private_key_id": KEY_ID,
            "private_key": key().1,
            "client_email": EMAIL,
            "client_id": "123456789",
            "token_uri": url,
        }))
    }

    /// Writes the key file with access for the owner only, and returns its path.
    pub fn write(&self, folder: &Path) -> String {
        write(&folder.join("key.json"), &self.0.to_string(), 0o600)
    }
}

fn write(path: &Path, text: &str, mode: u32) -> String {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The claims of an assertion; null if there are none.
pub fn claims(assertion: &str) -> Value {
    part(assertion, 1)
}

fn part(assertion: &str, at: usize) -> Value {
    let part = assertion.split('.').nth(at).unwrap_or_default();
    let bytes = URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}

/// What is wrong with a request for this token URL and subject.
fn complaint(request: &Request, token_url: &str, subject: Option<&str>) -> Option<String> {
    let mut names: Vec<&str> = request.form.keys().map(String::as_str).collect();
    names.sort_unstable();
    if names != ["assertion", "grant_type"] || request.authorization.is_some() {
        return Some(format!("it has {names:?} and {:?}", request.authorization));
    }
    let assertion = &request.form["assertion"];
    if request.form["grant_type"] != GRANT {
        return Some("the grant type".to_owned());
    }
    if part(assertion, 0) != json!({"alg": "RS256", "kid": KEY_ID, "typ": "JWT"}) {
        return Some(format!("the header {}", part(assertion, 0)));
    }
    let claims = claims(assertion);
    let issued = claims["iat"].as_u64().unwrap_or_default();
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let mut wanted = json!({
        "iss": EMAIL, "aud": token_url, "scope": SCOPE, "iat": issued, "exp": issued + 3600,
    });
    if let Some(subject) = subject {
        wanted["sub"] = subject.into();
    }
    if claims != wanted || issued > now || now - issued > 60 {
        return Some(format!("the claims {claims}"));
    }
    let (message, signature) = assertion.rsplit_once('.').unwrap();
    let folder = tempfile::tempdir().unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    std::fs::write(folder.path().join("message"), message).unwrap();
    std::fs::write(folder.path().join("signature"), signature).unwrap();
    let public = key().0.path().join("public");
    let verified = Process::new("openssl")
        .args(["dgst", "-sha256", "-verify", public.to_str().unwrap()])
        .args(["-signature", "signature", "message"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    (!verified.status.success()).then(|| "the signature".to_owned())
}

/// A server that issues a new token for each valid assertion.
fn server(subject: Option<&'static str>) -> Scripted {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let token_url = format!("http://{}/token", listener.local_addr().unwrap());
    let times = AtomicUsize::new(0);
    Scripted::start_at(listener, move |request| {
        if let Some(complaint) = complaint(request, &token_url, subject) {
            let body = json!({"error": "invalid_grant", "error_description": complaint});
            return Reply::json(400, &body.to_string());
        }
        let number = times.fetch_add(1, Ordering::SeqCst) + 1;
        let body = json!({
            "access_token": format!("token-{number}-of-the-account"),
            "expires_in": 3599,
            "token_type": "Bearer",
        });
        Reply::json(200, &body.to_string())
    })
}

fn token_url(server: &Scripted) -> String {
    format!("{}/token", server.url)
}

/// The flags of Custom settings for this server, with a key file in `folder`.
fn flags(server: &Scripted, folder: &Path) -> Vec<String> {
    let url = token_url(server);
    let key = KeyFile::for_token_url(&url).write(folder);
    [
        ("--flow", "service-account"),
        ("--token-url", &url),
        ("--scope", SCOPE),
        ("--service-account-file", &key),
    ]
    .into_iter()
    .flat_map(|(flag, value)| [flag.to_owned(), value.to_owned()])
    .collect()
}

fn plain(home: &Path, flags: &[String], more: &[&str]) -> (i32, String, String) {
    let mut all: Vec<&str> = flags.iter().map(String::as_str).collect();
    all.extend(more);
    Plain::start(home, &all).end()
}

fn print(home: &Path, flags: &[String]) -> (i32, String, String) {
    plain(home, flags, &["--print", "access-token"])
}

#[test]
fn plain_mode_sends_signed_assertion_without_client_id() {
    let home = tempfile::tempdir().unwrap();
    for subject in [None, Some(SUBJECT)] {
        let server = server(subject);
        let mut flags = flags(&server, home.path());
        // Settings of other flows are not sent.
        flags.extend(["--client-id", "a-client"].map(str::to_owned));
        flags.extend(
            subject
                .into_iter()
                .flat_map(|it| ["--subject".to_owned(), it.to_owned()]),
        );
        let (code, stdout, stderr) = print(home.path(), &flags);
        assert_eq!(
            (code, stdout.trim_end()),
            (0, "token-1-of-the-account"),
            "{stderr}"
        );
        for line in [
            "step: requesting an access token",
            "check: Scope passed",
            "check: Refresh token not applicable",
        ] {
            assert!(stderr.contains(line), "{line}\n{stderr}");
        }
        assert!(!stderr.contains("note:"), "{stderr}");
        assert_eq!(server.requests("/token").len(), 1);
    }
}

#[test]
fn a_key_file_that_others_can_read_is_reported() {
    let home = tempfile::tempdir().unwrap();
    let server = server(None);
    let flags = flags(&server, home.path());
    let text = std::fs::read_to_string(home.path().join("key.json")).unwrap();
    write(&home.path().join("key.json"), &text, 0o644);
    let (code, _, stderr) = print(home.path(), &flags);
    assert_eq!(code, 0, "{stderr}");
    let words = "key.json can be read by other users. Run chmod 600 on it.";
    assert!(stderr.contains(words), "{stderr}");
}

#[test]
fn invalid_key_file_is_reported_before_any_request() {
    let home = tempfile::tempdir().unwrap();
    let (server, other) = (server(None), server(None));
    let flags = flags(&server, home.path());
    let path = home.path().join("key.json");
    let right = KeyFile::for_token_url(&token_url(&server)).0;
    let without = |member: &str| {
        let mut file = right.clone();
        file.as_object_mut().unwrap().remove(member);
        file.to_string()
    };
    let with = |member: &str, value: &str| {
        let mut file = right.clone();
        file[member] = value.into();
        file.to_string()
    };
    let elsewhere = token_url(&other);
    let large = format!("{}{right}", " ".repeat(70_000));
    let encrypted =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let cases: &[(Option<&str>, &str)] = &[
        (None, "There is no such file."),
        (Some(""), "It is empty."),
        (Some(&key().1), "not in JSON format"),
        (Some("[]"), "wrong type"),
        (
            Some(r#"{"installed":{"client_id":"i","client_secret":"s"}}"#),
            "client secret file",
        ),
        (
            Some(r#"{"web":{"client_id":"i","client_secret":"s"}}"#),
            "client secret file",
        ),
        (
            Some(r#"{"type":"authorized_user"}"#),
            "a user's credentials",
        ),
        (
            Some(r#"{"type":"external_account"}"#),
            "workload identity configuration",
        ),
        (Some(&without("client_email")), "It has no client_email."),
        (Some(&without("private_key")), "It has no private_key."),
        (
            Some(&without("private_key_id")),
            "It has no private_key_id.",
        ),
        (Some(&with("private_key", "no key")), "PEM format"),
        (Some(&with("private_key", encrypted)), "encrypted"),
        (Some(&with("token_uri", &elsewhere)), &elsewhere),
        (Some(&large), "larger than 64 KiB"),
    ];
    for (text, words) in cases {
        match text {
            Some(text) => drop(write(&path, text, 0o600)),
            None => std::fs::remove_file(&path).unwrap(),
        }
        let (code, stdout, stderr) = print(home.path(), &flags);
        assert_eq!((code, stdout.as_str()), (2, ""), "{words}\n{stderr}");
        let error = stderr.lines().find(|line| line.starts_with("error: "));
        assert!(error.unwrap().contains(words), "{words}\n{stderr}");
        assert!(stderr.contains("field: Key file"), "{stderr}");
        assert!(!stderr.contains("PRIVATE KEY-----\n"), "{stderr}");
    }
    assert!(server.requests("/token").is_empty());
    assert!(other.requests("/token").is_empty());
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    let (code, _, stderr) = print(home.path(), &flags);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("It is a directory."), "{stderr}");
}

/// A profile `office` of a service account.
fn saved(server: &Scripted) -> (Profiles, PathBuf) {
    let profiles = Profiles::new();
    let path = profiles.home.path().join("key.json");
    let mut flags = flags(server, profiles.home.path());
    // Given as a relative path; the settings file must have the absolute path.
    "key.json".clone_into(flags.last_mut().unwrap());
    let more = ["--subject", SUBJECT, "--save", "office"];
    let (code, stdout, stderr) = plain(profiles.home.path(), &flags, &more);
    assert_eq!((code, stdout.as_str()), (0, ""), "{stderr}");
    (profiles, path)
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
fn profile_stores_only_key_path_and_shares_one_token() {
    let server = server(Some(SUBJECT));
    let (profiles, path) = saved(&server);
    let settings = std::fs::read_to_string(profiles.settings()).unwrap();
    for line in [
        "flow = \"service-account\"".to_owned(),
        format!("service_account_file = \"{}\"", path.display()),
        format!("subject = \"{SUBJECT}\""),
        // The subject is also the mailbox.
        format!("user = \"{SUBJECT}\""),
    ] {
        assert!(settings.contains(&line), "{line}\n{settings}");
    }
    let record = profiles.record().to_string();
    for text in [&settings, &record] {
        assert!(!text.contains("PRIVATE KEY"), "{text}");
        assert!(!text.contains("eyJ"), "{text}");
    }
    assert_eq!(profiles.token(), "token-1-of-the-account");
    profiles.expire();
    let check = profiles.run(&["profiles", "check", "office"]);
    assert_eq!(check.code, 0, "{check:?}");
    let ran = twenty(&profiles);
    for ran in &ran {
        let told = (ran.code, ran.stdout.trim_end(), ran.stderr.as_str());
        assert_eq!(told, (0, "token-2-of-the-account", ""), "{ran:?}");
    }
    assert_eq!(server.requests("/token").len(), 2);
    let refreshed = profiles.run(&["refresh", "office"]);
    assert_eq!(refreshed.code, 0, "{refreshed:?}");
    assert_eq!(profiles.token(), "token-3-of-the-account");
}

#[test]
fn profile_refuses_a_changed_key_or_subject() {
    let server = server(Some(SUBJECT));
    let (profiles, path) = saved(&server);
    let settings = std::fs::read_to_string(profiles.settings()).unwrap();
    let other = profiles.home.path().join("other.json");
    let (before, after) = (path.to_str().unwrap(), other.to_str().unwrap());
    profiles.expire();
    for (changed, name) in [
        (settings.replace(before, after), "key file"),
        (settings.replace(SUBJECT, "mallory@example.org"), "subject"),
    ] {
        std::fs::write(profiles.settings(), changed).unwrap();
        let ran = profiles.run(&["token", "office"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
        let words = format!("The {name} has changed since the tokens were issued");
        assert!(ran.stderr.contains(&words), "{ran:?}");
    }
    std::fs::write(profiles.settings(), &settings).unwrap();
    // The key file may be replaced or missing.
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let ran = profiles.run(&["token", "office"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
    assert!(ran.stderr.contains("There is no such file."), "{ran:?}");
    let check = profiles.run(&["profiles", "check", "office"]);
    assert_eq!(check.code, 2, "{check:?}");
    assert!(check.stdout.contains("There is no such file."), "{check:?}");
    write(&path, &text, 0o644);
    let check = profiles.run(&["profiles", "check", "office"]);
    assert_eq!(check.code, 0, "{check:?}");
    for told in ["can be read by other users.", "The cause is gone."] {
        assert!(check.stdout.contains(told), "{check:?}");
    }
    write(&path, &text.replace(KEY_ID, "another-key"), 0o600);
    let ran = profiles.run(&["token", "office"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (7, ""), "{ran:?}");
    let words = format!("The key file is {}.", path.display());
    assert!(ran.stderr.contains(&words), "{ran:?}");
    assert!(!ran.stderr.contains("client secret"), "{ran:?}");
    write(&path, &text, 0o600);
    assert_eq!(profiles.token(), "token-2-of-the-account");
}

fn row(terminal: &Terminal, label: &str) -> String {
    let screen = terminal.screen();
    let row = screen.lines().find(|line| line.contains(label));
    row.unwrap_or_else(|| panic!("{label}\n{screen}"))
        .trim_end()
        .to_owned()
}

#[test]
fn the_screen_requests_tokens_with_a_key_file() {
    let home = tempfile::tempdir().unwrap();
    let server = server(Some(SUBJECT));
    let key = KeyFile::for_token_url(&token_url(&server)).write(home.path());
    let url = token_url(&server);
    let mut terminal = Command::new(home.path(), &["--token-url", &url, "--scope", SCOPE]).start();
    terminal.wait_for("[a Authorize]");
    let flows = "(•) Device code  ( ) Auth. code  ( ) No user  ( ) Service";
    assert!(
        row(&terminal, "Flow").contains(flows),
        "{}",
        terminal.screen()
    );
    assert!(!terminal.screen().contains("Key file"));
    terminal.focus("Flow");
    terminal.press_until(RIGHT, "the service account", |screen| {
        screen.contents().contains("(•) Service")
    });
    for label in [
        "Client ID",
        "Client secret",
        "Redirect URL",
        "Device code URL",
    ] {
        assert!(row(&terminal, label).ends_with("not used"), "{label}");
    }
    assert!(row(&terminal, "Key file").ends_with("required"));
    assert!(row(&terminal, "Subject").ends_with("optional"));
    terminal.focus("Key file");
    terminal.paste(&key);
    terminal.focus("Subject");
    terminal.paste(SUBJECT);
    terminal.focus("Authorize");
    terminal.send(ENTER);
    terminal.wait_for(&format!("Signed in as {SUBJECT}"));
    terminal.send("f");
    terminal.wait_for("Refreshed at");
    assert_eq!(server.requests("/token").len(), 2);
    let trace = terminal.trace(home.path());
    assert!(trace.contains("> assertion="), "{trace}");
    for request in server.requests("/token") {
        for part in request.form["assertion"].split('.') {
            assert!(!trace.contains(part), "{trace}");
        }
    }
}
