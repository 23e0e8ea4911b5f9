//! https redirect URLs: certificates that the program created or was given, how curl and a real browser react to them,
//! and what the listener does with other connections.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};
use std::time::{Duration, Instant, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use oauth_authorizer::certificate::{Files, created};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::server::ParsedCertificate;
use serde_json::Value;

use crate::plain::Plain;
use crate::scripted::{Reply, Scripted};
use crate::servers::{free_port, run};
use crate::terminal::{Command, ENTER, is_focused};

/// A server that issues a token for `true-code`.
fn server() -> Scripted {
    Scripted::start(
        |request| match request.form.get("code").map(String::as_str) {
            Some("true-code") => {
                Reply::json(200, r#"{"access_token":"the-token","token_type":"Bearer"}"#)
            }
            _ => Reply::json(400, r#"{"error":"invalid_grant"}"#),
        },
    )
}

fn flags(server: &Scripted, redirect: &str, more: &[&str]) -> Vec<String> {
    let mut flags: Vec<String> = [
        ("--flow", "authorization-code"),
        ("--client-id", "me"),
        ("--authorization-url", &format!("{}/authorize", server.url)),
        ("--token-url", &format!("{}/token", server.url)),
        ("--redirect-url", redirect),
    ]
    .into_iter()
    .flat_map(|(flag, value)| [flag.to_owned(), value.to_owned()])
    .collect();
    flags.extend(more.iter().map(|&flag| flag.to_owned()));
    flags
}

/// The folder of the certificates of the user whose home folder is `home`.
fn folder(home: &Path) -> PathBuf {
    home.join(".config/oauth-authorizer/certificates")
}

fn create(home: &Path, host: &str) -> Files {
    created::create(&folder(home), host, SystemTime::now())
        .unwrap()
        .0
}

fn state(url: &str) -> String {
    let url = url::Url::parse(url).unwrap();
    let mut pairs = url.query_pairs();
    pairs
        .find(|(name, _)| name == "state")
        .unwrap()
        .1
        .into_owned()
}

/// Runs curl, trusting only this certificate. Returns the exit code and the status with the page.
fn curl(trusted: &Path, url: &str, more: &[&str]) -> (i32, String) {
    let output = Process::new("curl")
        .args(["--silent", "--noproxy", "*", "--max-time", "20"])
        .args(["--write-out", " %{http_code} %{http_version}", "--cacert"])
        .arg(trusted)
        .args(more)
        .arg(url)
        .stdin(Stdio::null())
        .output()
        .expect("curl is there");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code().unwrap_or(-1), text)
}

/// A sign-in in progress at an https redirect URL.
struct SignIn {
    plain: Plain,
    fingerprint: String,
    /// The redirect URL, with the port that was actually used.
    redirect: String,
    port: u16,
    state: String,
    trusted: PathBuf,
    _server: Scripted,
    _home: tempfile::TempDir,
}

impl SignIn {
    /// Starts a sign-in with a certificate created for `localhost`.
    fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        let trusted = create(home.path(), "localhost").certificate;
        Self::with(home, trusted, "https://localhost:0/callback", &[])
    }

    fn with(home: tempfile::TempDir, trusted: PathBuf, redirect: &str, more: &[&str]) -> Self {
        let server = server();
        let more = [&["--print", "access-token"], more].concat();
        let flags = flags(&server, redirect, &more);
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let mut plain = Plain::start(home.path(), &flags);
        let fingerprint = plain.value("certificate_fingerprint");
        let redirect = plain.value("redirect_url");
        let port = url::Url::parse(&redirect)
            .unwrap()
            .port_or_known_default()
            .unwrap();
        let state = state(&plain.value("authorization_url"));
        Self {
            plain,
            fingerprint,
            redirect,
            port,
            state,
            trusted,
            _server: server,
            _home: home,
        }
    }

    fn callback(&self) -> String {
        format!("{}?code=true-code&state={}", self.redirect, self.state)
    }

    /// Sends raw bytes and returns the response.
    fn raw(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(2)))
            .unwrap();
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        answer
    }

    /// Checks that the true callback succeeds within a second.
    fn finish(self) -> String {
        let begin = Instant::now();
        let (exit, page) = curl(&self.trusted, &self.callback(), &[]);
        assert_eq!(exit, 0, "{page}");
        assert!(
            page.contains("Almost done") && page.ends_with(" 200 1.1"),
            "{page}"
        );
        let (exit, stdout, stderr) = self.plain.end();
        let took = begin.elapsed();
        assert_eq!((exit, stdout.as_str()), (0, "the-token\n"), "{stderr}");
        assert!(
            took < Duration::from_secs(1),
            "from the callback to the end it took {took:?}"
        );
        stderr
    }
}

fn openssl_fingerprint(certificate: &Path) -> String {
    let said = run(Process::new("openssl")
        .args(["x509", "-noout", "-fingerprint", "-sha256", "-in"])
        .arg(certificate));
    said.trim().split_once('=').unwrap().1.to_owned()
}

#[test]
fn https_callback_works_with_the_created_certificate() {
    use std::os::unix::fs::PermissionsExt;
    let (home, server) = (tempfile::tempdir().unwrap(), server());
    let files = create(home.path(), "localhost");
    let mode = std::fs::metadata(&files.key).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let redirect = format!("https://localhost:{}/callback", free_port());
    let flags = flags(&server, &redirect, &[]);
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let mut terminal = Command::new(home.path(), &flags).start();
    terminal.wait_for("[a Authorize]");
    assert!(
        !terminal.flat().contains("no certificate"),
        "{}",
        terminal.screen()
    );
    terminal.focus("Authorize");
    terminal.send(ENTER);
    terminal.wait_for("URL, code or error text");
    let screen = terminal.flat();
    assert!(
        screen.contains(
            "Your browser will warn that this certificate isn't trusted. SHA-256 fingerprint:"
        ),
        "{}",
        terminal.screen()
    );
    let shown: String = screen.split_whitespace().collect();
    let fingerprint = openssl_fingerprint(&files.certificate);
    // The two halves of the fingerprint are on two lines.
    let halves = (&fingerprint[..47], &fingerprint[48..]);
    assert!(
        shown.contains(&format!("{}{}", halves.0, halves.1)),
        "{fingerprint}\n{}",
        terminal.screen()
    );
    let state = state(&terminal.url());
    let callback = format!("{redirect}?code=true-code&state={state}");
    let (exit, page) = curl(&files.certificate, &callback, &[]);
    assert_eq!(exit, 0, "{page}");
    assert!(
        page.contains("Almost done") && page.ends_with(" 200 1.1"),
        "{page}"
    );
    terminal.wait_for("Access token");
    terminal.send("k");
    terminal.wait_for("passed State: the one that was sent");
}

/// Opens `url` in Chromium, which also trusts the certificate with this key if there is one.
fn chromium(url: &str, trusted: Option<&Path>) -> Value {
    let mut command = fetch(url);
    if let Some(path) = trusted {
        let certificate = CertificateDer::from_pem_file(path).unwrap();
        let parsed = ParsedCertificate::try_from(&certificate).unwrap();
        let key = parsed.subject_public_key_info();
        let hash = ring::digest::digest(&ring::digest::SHA256, key.as_ref());
        command.arg("--trust").arg(STANDARD.encode(hash));
    }
    said(&mut command)
}

fn fetch(url: &str) -> Process {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/fetch.mjs");
    let mut command = Process::new("node");
    command.arg(script).arg(url);
    command
}

fn said(command: &mut Process) -> Value {
    let said = run(command);
    serde_json::from_str(&said).unwrap_or_else(|_| panic!("the browser's script said {said:?}"))
}

#[test]
fn a_real_browser_posts_the_response_of_another_site() {
    let home = tempfile::tempdir().unwrap();
    let redirect = format!("http://127.0.0.1:{}/callback", crate::servers::free_port());
    let callback = redirect.clone();
    let service = Scripted::start(move |request| {
        if request.path == "/token" {
            return Reply::json(200, r#"{"access_token":"the-token","token_type":"Bearer"}"#);
        }
        let url = url::Url::parse(&format!("http://localhost{}", request.path)).unwrap();
        let state = url.query_pairs().find(|(name, _)| name == "state");
        let Some((_, state)) = state else {
            // The browser also requests an icon.
            return Reply::json(404, "{}");
        };
        let body = format!(
            "<!doctype html><body onload=\"document.forms[0].submit()\"><form method=\"post\" action=\"{callback}\">\
             <input type=\"hidden\" name=\"code\" value=\"true-code\">\
             <input type=\"hidden\" name=\"state\" value=\"{state}\"></form></body>"
        );
        Reply {
            status: 200,
            body,
            ..Reply::default()
        }
    });
    // Another host name, so that the service is a different site than the redirect URL.
    let elsewhere = service.url.replace("127.0.0.1", "localhost");
    let (authorize, token) = (
        format!("{elsewhere}/authorize"),
        format!("{elsewhere}/token"),
    );
    let mut plain = Plain::start(
        home.path(),
        &[
            "--flow",
            "authorization-code",
            "--client-id",
            "me",
            "--authorization-url",
            &authorize,
            "--token-url",
            &token,
            "--redirect-url",
            &redirect,
            "--extra-parameters",
            "response_mode=form_post",
            "--print",
            "access-token",
        ],
    );
    let url = plain.value("authorization_url");
    let shown = said(fetch(&url).arg("--posted"));
    assert_eq!(shown["status"], 200, "{shown}");
    assert_eq!(shown["title"], "Almost done - OAuth Authorizer", "{shown}");
    let (exit, stdout, stderr) = plain.end();
    assert_eq!((exit, stdout.as_str()), (0, "the-token\n"), "{stderr}");
}

#[test]
fn real_browser_shows_page_only_with_trusted_certificate() {
    let sign_in = SignIn::start();
    assert_eq!(sign_in.fingerprint, openssl_fingerprint(&sign_in.trusted));
    let callback = sign_in.callback();
    let other_home = tempfile::tempdir().unwrap();
    let other = create(other_home.path(), "localhost").certificate;
    for trusted in [None, Some(other.as_path())] {
        let refused = chromium(&callback, trusted);
        assert_eq!(refused["error"], "ERR_CERT_AUTHORITY_INVALID", "{refused}");
    }
    let shown = chromium(&callback, Some(&sign_in.trusted));
    assert_eq!(shown["status"], 200, "{shown}");
    assert_eq!(shown["title"], "Almost done - OAuth Authorizer", "{shown}");
    let text = shown["text"].as_str().unwrap();
    assert!(
        text.contains("Return to your terminal to finish."),
        "{text}"
    );
    // The content security policy of the page allowed its style.
    assert_eq!(shown["border"], "rgb(9, 105, 218)", "{shown}");
    let (exit, stdout, stderr) = sign_in.plain.end();
    assert_eq!((exit, stdout.as_str()), (0, "the-token\n"), "{stderr}");
    assert!(
        stderr.contains("stray: "),
        "the refusals are told: {stderr}"
    );
}

#[test]
fn non_https_and_untrusting_clients_are_refused() {
    let sign_in = SignIn::start();
    let other_home = tempfile::tempdir().unwrap();
    let other = create(other_home.path(), "localhost").certificate;
    let good = format!("/callback?code=true-code&state={}", sign_in.state);
    let plain_http = format!(
        "GET {good} HTTP/1.1\r\nHost: localhost:{}\r\n\r\n",
        sign_in.port
    );
    // Plain http gets no http response.
    let answer = sign_in.raw(plain_http.as_bytes());
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    sign_in.raw(b"\x16\x03\x01\xff\xff\x01");
    sign_in.raw(&[0; 4096]);
    sign_in.raw(b"");
    assert_eq!(
        curl(&other, &sign_in.callback(), &[]).0,
        60,
        "no trust, no request"
    );
    let old = curl(&sign_in.trusted, &sign_in.callback(), &["--tls-max", "1.1"]);
    assert_ne!(old.0, 0, "{}", old.1);
    // Over TLS, the rules for path, method and host are the same as with http.
    let base = format!("https://localhost:{}", sign_in.port);
    for (more, url, status) in [
        (&[][..], format!("{base}/favicon.ico"), " 404 1.1"),
        (&["--request", "POST"], sign_in.callback(), " 405 1.1"),
        (
            &["--header", "Host: evil.example"],
            sign_in.callback(),
            " 421 1.1",
        ),
        (
            &["--tls-max", "1.2", "--http2"],
            format!("{base}/callback?state=x"),
            " 400 1.1",
        ),
    ] {
        let (exit, page) = curl(&sign_in.trusted, &url, more);
        assert_eq!(exit, 0, "{page}");
        assert!(page.ends_with(status), "{page}");
        assert!(!page.contains("true-code"), "nothing is echoed");
    }
    // The same listener, by IPv4 and IPv6 address.
    for host in ["127.0.0.1", "[::1]"] {
        let url = format!("https://{host}:{}/favicon.ico", sign_in.port);
        let (exit, page) = curl(&sign_in.trusted, &url, &[]);
        assert_eq!(exit, 0, "{host}: {page}");
    }
    let stderr = sign_in.finish();
    // The empty connection is not counted.
    assert!(stderr.matches("stray: ").count() >= 6, "{stderr}");
    assert!(stderr.contains("it came to evil.example, but"), "{stderr}");
    assert!(stderr.contains("the browser used http, but"), "{stderr}");
}

#[test]
fn slow_tls_handshakes_time_out_and_block_nobody() {
    let sign_in = SignIn::start();
    let begin = Instant::now();
    // More than the listener keeps open at once.
    let silent: Vec<TcpStream> = (0..600)
        .map(|_| TcpStream::connect(("127.0.0.1", sign_in.port)).unwrap())
        .collect();
    let mut slow = TcpStream::connect(("127.0.0.1", sign_in.port)).unwrap();
    slow.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    // The beginning of a TLS handshake, byte by byte; the last record is never complete.
    let mut bytes = [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3].into_iter().cycle();
    let dropped = loop {
        let _ = slow.write_all(&[bytes.next().unwrap()]);
        let mut answer = [0; 64];
        match slow.read(&mut answer) {
            Ok(0) => break begin.elapsed(),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => break begin.elapsed(),
        }
        assert!(
            begin.elapsed() < Duration::from_secs(15),
            "it is not dropped"
        );
    };
    assert!(dropped > Duration::from_secs(4), "{dropped:?}");
    drop(silent);
    let stderr = sign_in.finish();
    assert!(stderr.contains("stray: "), "{stderr}");
}

#[test]
fn silent_connections_do_not_delay_the_true_callback() {
    let sign_in = SignIn::start();
    let silent: Vec<TcpStream> = (0..200)
        .map(|_| TcpStream::connect(("127.0.0.1", sign_in.port)).unwrap())
        .collect();
    sign_in.finish();
    drop(silent);
}

/// Creates a CA, an intermediate CA and a server's certificate for `names`, as PEM files.
fn signed(folder: &Path, names: &[&str]) -> (PathBuf, PathBuf, PathBuf) {
    let authority = |name: &str| {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params
    };
    let root_key = KeyPair::generate().unwrap();
    let root_params = authority("The root of the tests");
    let root = root_params.self_signed(&root_key).unwrap();
    let root_issuer = Issuer::new(root_params, root_key);
    let between_key = KeyPair::generate().unwrap();
    let between_params = authority("Between");
    let between = between_params
        .signed_by(&between_key, &root_issuer)
        .unwrap();
    let between_issuer = Issuer::new(between_params, between_key);
    let key = KeyPair::generate().unwrap();
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let leaf = CertificateParams::new(names)
        .unwrap()
        .signed_by(&key, &between_issuer)
        .unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    (
        write("root.pem", &root.pem()),
        write("chain.pem", &(leaf.pem() + &between.pem())),
        write("chain.key", &key.serialize_pem()),
    )
}

#[test]
fn given_pem_files_take_precedence_over_created_certificate() {
    let home = tempfile::tempdir().unwrap();
    create(home.path(), "localhost");
    let (root, chain, key) = signed(home.path(), &["localhost"]);
    let expected = openssl_fingerprint(&chain);
    let files = [chain.to_str().unwrap(), key.to_str().unwrap()].map(str::to_owned);
    let sign_in = SignIn::with(
        home,
        root,
        "https://localhost:0/callback",
        &["--certificate", &files[0], "--certificate-key", &files[1]],
    );
    assert_eq!(sign_in.fingerprint, expected);
    let stderr = sign_in.finish();
    assert!(!stderr.contains("will warn"), "{stderr}");
}

#[test]
fn https_redirect_url_without_port_uses_443() {
    let home = tempfile::tempdir().unwrap();
    let trusted = create(home.path(), "127.0.0.2").certificate;
    let redirect = "https://127.0.0.2/callback";
    if std::net::TcpListener::bind("127.0.0.2:443").is_ok() {
        let sign_in = SignIn::with(home, trusted, redirect, &[]);
        assert_eq!(sign_in.redirect, redirect);
        sign_in.finish();
    } else {
        let server = server();
        let flags = flags(&server, redirect, &["--print", "access-token"]);
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let (exit, _, stderr) = Plain::start(home.path(), &flags).end();
        assert_eq!(exit, 6, "{stderr}");
        assert!(stderr.contains("ort 443 of 127.0.0.2"), "{stderr}");
    }
}

/// Runs a sign-in at an https redirect URL with these flags. Returns the exit code and standard error.
fn ended(home: &Path, more: &[&str]) -> (i32, String) {
    let server = server();
    let more = [&["--print", "access-token"], more].concat();
    let flags = flags(&server, "https://localhost:0/callback", &more);
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let (exit, stdout, stderr) = Plain::start(home, &flags).end();
    assert_eq!(stdout, "");
    (exit, stderr)
}

#[test]
fn unusable_files_are_reported_with_their_field() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    let (_, chain, key) = signed(home.path(), &["mail.example", "10.0.0.1"]);
    let (chain, key) = (chain.to_str().unwrap(), key.to_str().unwrap());
    let own_key = KeyPair::generate().unwrap();
    std::fs::write(at("own.key"), own_key.serialize_pem()).unwrap();
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let mut made = |name: &str, from: i32, to: i32| {
        params.not_before = date_time_ymd(from, 3, 1);
        params.not_after = date_time_ymd(to, 3, 1);
        let text = params.self_signed(&own_key).unwrap().pem();
        std::fs::write(at(name), text).unwrap();
    };
    made("expired.pem", 2019, 2020);
    made("coming.pem", 2090, 2091);
    made("own.pem", 2020, 2090);
    run(Process::new("openssl").args([
        "pkcs8",
        "-topk8",
        "-passout",
        "pass:x",
        "-in",
        &at("own.key"),
        "-out",
        &at("locked.key"),
    ]));
    for (certificate, certificate_key, field, words) in [
        (
            at("none.pem"),
            at("own.key"),
            "Certificate",
            "there is no such file",
        ),
        (
            at("own.key"),
            at("own.key"),
            "Certificate",
            "it contains no certificate in PEM format",
        ),
        (
            at("expired.pem"),
            at("own.key"),
            "Certificate",
            "it expired on 2020-03-01",
        ),
        (
            at("coming.pem"),
            at("own.key"),
            "Certificate",
            "it is not valid before 2090-03-01",
        ),
        (
            chain.to_owned(),
            key.to_owned(),
            "Certificate",
            "it is not for localhost but for mail.example, 10.0.0.1",
        ),
        (
            at("own.pem"),
            key.to_owned(),
            "Certificate key",
            "it does not belong to the certificate",
        ),
        (
            at("own.pem"),
            at("own.pem"),
            "Certificate key",
            "it contains no private key in PEM format",
        ),
        (
            at("own.pem"),
            at("locked.key"),
            "Certificate key",
            "its key is protected by a passphrase",
        ),
    ] {
        let more = [
            "--certificate",
            &certificate,
            "--certificate-key",
            &certificate_key,
        ];
        let (exit, stderr) = ended(home.path(), &more);
        assert_eq!(exit, 2, "{stderr}");
        let error = format!("error: The {} ", field.to_lowercase());
        assert!(
            stderr.contains(&error) && stderr.contains(words),
            "{words}: {stderr}"
        );
        assert!(stderr.contains(&format!("field: {field} (")), "{stderr}");
        assert!(stderr.contains("hint: "), "{stderr}");
    }
    // A certificate without its key is reported before the run.
    let (exit, stderr) = ended(home.path(), &["--certificate", &at("own.pem")]);
    assert_eq!(exit, 2, "{stderr}");
    assert!(
        stderr.contains("error: The Certificate key is missing"),
        "{stderr}"
    );
    // The error for an expired certificate that the program created names no field.
    let before = SystemTime::now() - Duration::from_hours(24 * 40);
    created::create(&folder(home.path()), "localhost", before).unwrap();
    let (exit, stderr) = ended(home.path(), &[]);
    assert_eq!(exit, 6, "{stderr}");
    assert!(
        stderr.contains("it expired on") && stderr.contains("Create a new one with Configure…"),
        "{stderr}"
    );
}

#[test]
fn screen_leads_from_unusable_file_to_its_field() {
    let (home, server) = (tempfile::tempdir().unwrap(), server());
    let redirect = "https://localhost:0/callback";
    let more = [
        "--certificate",
        "/nonexistent.pem",
        "--certificate-key",
        "/nonexistent.pem",
    ];
    let flags = flags(&server, redirect, &more);
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let mut terminal = Command::new(home.path(), &flags).start();
    terminal.wait_for("[a Authorize]");
    terminal.focus("Authorize");
    terminal.send(ENTER);
    terminal.wait_for("The certificate /nonexistent.pem cannot be used: there is no such file.");
    let screen = terminal.flat();
    assert!(
        screen.contains("Nothing was sent to the service."),
        "{screen}"
    );
    terminal.focus("Edit");
    terminal.send(ENTER);
    terminal.wait_until("the field", |screen| is_focused(screen, "Certificate"));
}

#[test]
fn missing_certificate_is_explained_and_redirect_can_be_pasted() {
    let (home, server) = (tempfile::tempdir().unwrap(), server());
    let flags = flags(&server, "https://localhost:8443/callback", &[]);
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let mut terminal = Command::new(home.path(), &flags).start();
    terminal.wait_for("[a Authorize]");
    terminal.wait_for("no certificate");
    terminal.focus("Redirect URL");
    terminal.wait_for("There is no certificate for localhost, so the program can't listen there. Create one with Configure…");
    terminal.focus("Authorize");
    terminal.send(ENTER);
    terminal.wait_for("This machine can't receive the redirect");
    let state = state(&terminal.url());
    terminal.focus("Paste");
    terminal.paste(&format!(
        "https://localhost:8443/callback?code=true-code&state={state}"
    ));
    terminal.send(ENTER);
    terminal.wait_for("Access token");
}
