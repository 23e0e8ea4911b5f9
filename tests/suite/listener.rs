//! What a listener on a busy machine receives. None of it ends the wait, each request gets a correct page, and the true
//! callback succeeds at once.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::plain::Plain;
use crate::scripted::{Reply, Scripted};
use crate::servers::{free_port, get};
use crate::terminal::program;

/// A sign-in in progress at a server that issues tokens for `true-code`.
pub struct SignIn {
    pub plain: Plain,
    pub server: Scripted,
    pub authority: String,
    pub state: String,
    _home: tempfile::TempDir,
}

impl SignIn {
    pub fn start(redirect: &str, issuer: Option<&str>) -> Self {
        Self::at(Self::server(), redirect, issuer)
    }

    /// Starts a sign-in in a process that can have only this many open descriptors.
    #[cfg(target_os = "linux")]
    pub fn with_descriptors(count: u64) -> Self {
        let mut command = Command::new("sh");
        let script = format!("ulimit -n {count}; exec \"$0\" \"$@\"");
        command.args(["-c", &script]).arg(program());
        Self::by(command, Self::server(), LOOPBACK, None)
    }

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

    fn at(server: Scripted, redirect: &str, issuer: Option<&str>) -> Self {
        Self::by(Command::new(program()), server, redirect, issuer)
    }

    fn by(command: Command, server: Scripted, redirect: &str, issuer: Option<&str>) -> Self {
        let home = tempfile::tempdir().unwrap();
        let (authorize, token) = (
            format!("{}/authorize", server.url),
            format!("{}/token", server.url),
        );
        let mut flags = vec![
            "--flow",
            "authorization-code",
            "--client-id",
            "me",
            "--print",
            "access-token",
        ];
        flags.extend([
            "--authorization-url",
            &authorize,
            "--token-url",
            &token,
            "--redirect-url",
            redirect,
        ]);
        if let Some(issuer) = issuer {
            flags.extend(["--issuer", issuer]);
        }
        let mut plain = Plain::start_by(command, home.path(), &flags, &[]);
        let redirect = url::Url::parse(&plain.value("redirect_url")).unwrap();
        let url = url::Url::parse(&plain.value("authorization_url")).unwrap();
        let state = url
            .query_pairs()
            .find(|(name, _)| name == "state")
            .unwrap()
            .1
            .into_owned();
        let authority = format!(
            "{}:{}",
            redirect.host_str().unwrap(),
            redirect.port().unwrap()
        );
        Self {
            plain,
            server,
            authority,
            state,
            _home: home,
        }
    }

    pub fn get(&self, rest: &str) -> (u16, String) {
        get(&format!("http://{}{rest}", self.authority), &[])
    }

    /// Sends raw bytes and returns what is received within two seconds.
    fn raw(&self, bytes: &str) -> String {
        let mut stream = TcpStream::connect(&self.authority).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(2)))
            .unwrap();
        let _ = stream.write_all(bytes.as_bytes());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Checks that the true callback succeeds within a second.
    pub fn finish(self) -> String {
        let begin = Instant::now();
        let (status, page) = self.get(&format!("/callback?code=true-code&state={}", self.state));
        assert_eq!(status, 200);
        assert!(page.contains("Almost done"), "{page}");
        let (exit, stdout, stderr) = self.plain.end();
        let took = begin.elapsed();
        assert_eq!((exit, stdout.as_str()), (0, "the-token\n"), "{stderr}");
        assert!(
            took < Duration::from_secs(1),
            "from the callback to the end it took {took:?}"
        );
        assert_eq!(
            self.server.requests("/token").len(),
            1,
            "only the true code was exchanged"
        );
        stderr
    }
}

pub const LOOPBACK: &str = "http://127.0.0.1:0/callback";

#[test]
fn a_forged_state_is_refused() {
    let sign_in = SignIn::start(LOOPBACK, None);
    for query in [
        "code=true-code&state=forged",
        "code=true-code",
        "code=true-code&state=",
        "",
        "error=access_denied",
        "error=access_denied&state=forged",
    ] {
        let (status, page) = sign_in.get(&format!("/callback?{query}"));
        assert_eq!(status, 400, "{query}");
        let expected = if query.is_empty() {
            "No response received"
        } else {
            "This sign-in doesn't match"
        };
        assert!(page.contains(expected), "{query}: {page}");
        assert!(!page.contains("true-code"), "nothing is echoed");
    }
    let stderr = sign_in.finish();
    assert!(
        stderr.contains("refused: a callback: it has no state"),
        "{stderr}"
    );
    assert!(
        stderr.contains("refused: a callback: it is from a different sign-in (state mismatch)"),
        "{stderr}"
    );
}

#[test]
fn a_forged_issuer_is_refused() {
    let sign_in = SignIn::start(LOOPBACK, Some("https://as.example"));
    let (status, _) = sign_in.get(&format!(
        "/callback?code=true-code&state={}&iss=https://evil.example",
        sign_in.state
    ));
    assert_eq!(status, 400);
    assert!(
        sign_in
            .finish()
            .contains("refused: a callback: it comes from the issuer https://evil.example")
    );
}

#[test]
fn wrong_path_method_or_host_is_refused() {
    let sign_in = SignIn::start(LOOPBACK, None);
    let good = format!("/callback?code=true-code&state={}", sign_in.state);
    let authority = sign_in.authority.clone();
    for path in [
        "/favicon.ico",
        "/",
        "/callback/",
        "/Callback?code=true-code",
        "/callbackx",
    ] {
        let (status, page) = sign_in.get(path);
        assert_eq!(status, 404, "{path}");
        assert!(page.contains("Page not found"), "{page}");
    }
    for method in ["POST", "HEAD", "PUT", "OPTIONS"] {
        let answer = sign_in.raw(&format!(
            "{method} {good} HTTP/1.1\r\nHost: {authority}\r\nContent-Length: 0\r\n\r\n"
        ));
        assert!(answer.starts_with("HTTP/1.1 405 "), "{method}: {answer}");
        assert!(
            answer.to_ascii_lowercase().contains("allow: get"),
            "{answer}"
        );
    }
    for host in ["evil.example", "localhost", "127.0.0.1", ""] {
        let answer = sign_in.raw(&format!("GET {good} HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        assert!(answer.starts_with("HTTP/1.1 421 "), "{host}: {answer}");
    }
    let stderr = sign_in.finish();
    assert!(stderr.matches("stray: ").count() >= 8, "{stderr}");
    // The state is right, so the user learns why the response doesn't count.
    for host in ["evil.example", "localhost", "127.0.0.1"] {
        let told =
            format!("refused: a callback: it came to {host}, but Redirect URL has {authority}.");
        assert!(stderr.contains(&told), "{told}\n{stderr}");
    }
}

#[test]
fn response_at_a_similar_url_is_explained_and_never_used() {
    let sign_in = SignIn::start(LOOPBACK, None);
    let state = sign_in.state.clone();
    for path in ["/callback/", "/"] {
        for rest in [
            "code=true-code",
            "error=access_denied&error_description=No+license",
        ] {
            let (status, page) = sign_in.get(&format!("{path}?{rest}&state={state}"));
            assert_eq!(status, 404, "{path}");
            assert!(page.contains("your terminal shows why"), "{page}");
        }
        let (_, page) = sign_in.get(&format!("{path}?code=true-code&state=forged"));
        assert!(page.contains("Page not found"), "{page}");
    }
    // The browser was upgraded to https.
    sign_in.raw("\u{16}\u{3}\u{1}\u{2}\0\u{1}");
    let stderr = sign_in.finish();
    for path in ["/callback/", "/"] {
        let told = format!("it came to the path {path}, but Redirect URL has /callback.");
        assert!(stderr.contains(&told), "{told}\n{stderr}");
    }
    assert!(
        stderr.contains("It says: access_denied: No license"),
        "{stderr}"
    );
    let refused = stderr.lines().filter(|line| line.starts_with("refused: "));
    for line in refused {
        assert!(
            !line.contains("true-code") && !line.contains(&state),
            "{line}"
        );
    }
}

/// The response to each request. The state in the targets is forged, so a page shows which requests count as callbacks.
#[test]
fn requests_are_validated_according_to_http() {
    const CALLBACK: (u16, &str) = (400, "This sign-in doesn't match");
    const MALFORMED: (u16, &str) = (400, "not a valid HTTP request");
    // Rejected by the parser, which sends an empty page.
    const REFUSED: (u16, &str) = (400, "");
    const MISDIRECTED: (u16, &str) = (421, "different host name");
    const NOT_FOUND: (u16, &str) = (404, "Page not found");
    const METHOD: (u16, &str) = (405, "only accepts GET requests");
    let mut sign_in = SignIn::start(LOOPBACK, None);
    let us = sign_in.authority.clone();
    let port = us.split(':').nth(1).unwrap();
    let good = "/callback?code=c0de-c0de&state=forged";
    let get = |headers: &str| format!("GET {good} HTTP/1.1\r\n{headers}\r\n\r\n");
    let target =
        |target: &str, host: &str| format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let method = |line: &str| format!("{line} HTTP/1.1\r\nHost: {us}\r\n\r\n");
    let header = |header: &str| get(&format!("Host: {us}\r\n{header}"));
    let table = [
        // Host headers.
        (get(&format!("Host: {us}")), CALLBACK),
        (get(&format!("hOST:{us}  ")), CALLBACK),
        (get("X: y"), MALFORMED),
        (get(&format!("Host: {us}\r\nHost: evil.example")), MALFORMED),
        (get(&format!("Host: evil.example\r\nHost: {us}")), MALFORMED),
        (get(&format!("Host: {us}\r\nHost: {us}")), MALFORMED),
        (get(&format!("Host: me@{us}")), MALFORMED),
        (get(&format!("Host: me:pw@{us}")), MALFORMED),
        (get(&format!("Host: 127.0.0.1@127.0.0.1:{port}")), MALFORMED),
        (get(&format!("Host: http://{us}")), MALFORMED),
        (get(&format!("Host: {us}/")), MALFORMED),
        (get(&format!("Host: {us}, evil.example")), MALFORMED),
        (get(&format!("Host: {us} evil.example")), MALFORMED),
        (get(&format!("Host: {us}:{port}")), MALFORMED),
        (get("Host: 127.0.0.1:port"), MALFORMED),
        (get("Host: 127.0.0.1:+80"), MALFORMED),
        (get("Host: 127.0.0.1:99999"), MALFORMED),
        (get("Host: [::1"), MALFORMED),
        (get("Host: \u{e9}.example"), MALFORMED),
        (get("Host:"), MISDIRECTED),
        (get("Host: 127.0.0.1"), MISDIRECTED),
        (get("Host: 127.0.0.1:"), MISDIRECTED),
        (get(&format!("Host: localhost:{port}")), MISDIRECTED),
        (get(&format!("Host: [::1]:{port}")), MISDIRECTED),
        (get(&format!("Host: 127.0.0.1.:{port}")), MISDIRECTED),
        (get(&format!("Host: evil.example:{port}")), MISDIRECTED),
        (target("/elsewhere", "evil.example"), MISDIRECTED),
        (format!("GET {good} HTTP/1.0\r\n\r\n"), MISDIRECTED),
        (
            format!("GET {good} HTTP/1.0\r\nHost: {us}\r\n\r\n"),
            CALLBACK,
        ),
        // Absolute URLs: their authority counts, not the header.
        (target(&format!("http://{us}{good}"), &us), CALLBACK),
        (
            target(&format!("HTTP://{us}{good}"), "evil.example"),
            CALLBACK,
        ),
        (target(&format!("http://{us}{good}"), "@"), MALFORMED),
        (format!("GET http://{us}{good} HTTP/1.1\r\n\r\n"), MALFORMED),
        (
            target(&format!("http://evil.example{good}"), &us),
            MISDIRECTED,
        ),
        (target(&format!("http://127.0.0.1{good}"), &us), MISDIRECTED),
        (target(&format!("https://{us}{good}"), &us), MISDIRECTED),
        (target(&format!("ftp://{us}{good}"), &us), MISDIRECTED),
        (target(&format!("http://me@{us}{good}"), &us), MALFORMED),
        (target(&format!("http://{us}"), &us), NOT_FOUND),
        // Targets that are not paths.
        (target("*", &us), MALFORMED),
        (target(&us, &us), MALFORMED),
        (target("callback?state=forged", &us), REFUSED),
        (method("OPTIONS *"), METHOD),
        (method(&format!("CONNECT {us}")), METHOD),
        (method("CONNECT evil.example:443"), METHOD),
        // Paths that only look like the callback.
        (target("/%63allback?state=forged", &us), NOT_FOUND),
        (target("/callback%3Fstate=forged", &us), NOT_FOUND),
        (target("/callback%00?state=forged", &us), NOT_FOUND),
        (target("//callback?state=forged", &us), NOT_FOUND),
        (target("/./callback?state=forged", &us), NOT_FOUND),
        (target("/x/../callback?state=forged", &us), NOT_FOUND),
        (target("/callback;x?state=forged", &us), NOT_FOUND),
        (target("\\callback?state=forged", &us), REFUSED),
        // Bodies.
        (header("Content-Length: 0"), CALLBACK),
        (header("Content-Length: 4\r\n\r\nbody"), MALFORMED),
        // This body never arrives.
        (header("Content-Length: 1000000"), MALFORMED),
        (
            header("Expect: 100-continue\r\nContent-Length: 4"),
            MALFORMED,
        ),
        (header("Transfer-Encoding: chunked\r\n\r\n0"), MALFORMED),
        (
            header("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0"),
            MALFORMED,
        ),
        (header("Transfer-Encoding: identity"), REFUSED),
        (header("Content-Length: 4\r\nContent-Length: 5"), REFUSED),
        (header("Content-Length: -1"), REFUSED),
        (method("POST /callback?state=forged"), METHOD),
        (method("get /callback?state=forged"), METHOD),
        // A pipelined request is not read.
        (
            header(&format!("X: y\r\n\r\nGET {good} HTTP/1.1\r\nHost: {us}")),
            CALLBACK,
        ),
        // Malformed headers and request lines.
        (header("X: a\r\n b"), REFUSED),
        (header(" X: a"), REFUSED),
        (header("X : a"), REFUSED),
        (header("X: a\0b"), REFUSED),
        (header("X\0: a"), REFUSED),
        (header("X: a\rb"), REFUSED),
        (get(&format!("Host : {us}")), REFUSED),
        (target("/callback\0?state=forged", &us), REFUSED),
        (method("GET /callback?state=forged HTTP/1.1"), REFUSED),
        (method("GET  /callback?state=forged"), REFUSED),
        (format!("GET {good}\r\n\r\n"), REFUSED),
        (
            format!("GET {good} HTTP/9.9\r\nHost: {us}\r\n\r\n"),
            REFUSED,
        ),
    ];
    let mut callbacks = 0;
    let mut wrong = Vec::new();
    for (request, (status, page)) in &table {
        let answer = sign_in.raw(request);
        callbacks += usize::from((*status, *page) == CALLBACK);
        let is_callback = answer.contains(CALLBACK.1);
        let right = answer.starts_with(&format!("HTTP/1.1 {status} "))
            || answer.starts_with(&format!("HTTP/1.0 {status} "));
        if !right
            || !answer.contains(page)
            || is_callback != (*page == CALLBACK.1)
            || answer.matches("HTTP/1.").count() != 1
        {
            wrong.push(format!("{request:?}: not {status} {page:?}: {answer:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // A callback sent by POST has its own message, with what to change.
    let is_posted = |(request, _): &&(String, _)| request.starts_with("POST /callback");
    let told = callbacks + table.iter().filter(is_posted).count();
    // All rejected requests are counted before the sign-in ends. Most are summed up some time later.
    let rejected = table.len() - told;
    let mut counted = 0;
    while counted < rejected {
        let line = sign_in.plain.value("stray");
        let more = line.strip_suffix(" more requests rejected");
        counted += more.map_or(1, |more| more.parse().unwrap());
    }
    let stderr = sign_in.finish();
    assert_eq!(stderr.matches("refused: ").count(), told, "{stderr}");
    let total = format!("stray: {rejected} requests rejected in total");
    assert!(
        stderr.lines().any(|line| line == total),
        "{total}\n{stderr}"
    );
}

#[test]
fn screen_counts_refused_requests() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal =
        crate::terminal::Command::new(home.path(), &["--demo", "--flow", "authorization-code"])
            .start();
    terminal.wait_for("[a Authorize]");
    terminal.focus("Authorize");
    terminal.send(crate::terminal::ENTER);
    terminal.wait_for("for the browser at http://");
    let screen = terminal.flat();
    let callback = screen
        .split(" for the browser at http://")
        .nth(1)
        .unwrap()
        .split(' ')
        .next()
        .unwrap();
    let favicon = format!("http://{}/favicon.ico", callback.split('/').next().unwrap());
    assert_eq!(get(&favicon, &[]).0, 404);
    terminal.wait_for("1 other request to the port was rejected.");
    assert_eq!(get(&favicon, &[]).0, 404);
    terminal.wait_for("2 other requests to the port were rejected.");
    assert_eq!(get(&format!("http://{callback}?state=x"), &[]).0, 400);
    terminal.wait_for("Ignored a redirect: it is from a different sign-in (state mismatch).");
}

#[test]
fn pages_are_not_cached_and_load_nothing_external() {
    let sign_in = SignIn::start(LOOPBACK, None);
    let answer = sign_in
        .raw(&format!(
            "GET /callback HTTP/1.1\r\nHost: {}\r\n\r\n",
            sign_in.authority
        ))
        .to_ascii_lowercase();
    for header in [
        "cache-control: no-store",
        "referrer-policy: no-referrer",
        "content-security-policy: default-src 'none'",
        "connection: close",
    ] {
        assert!(answer.contains(header), "{header}\n{answer}");
    }
    assert!(
        !answer.contains("http://") && !answer.contains("https://"),
        "nothing external: {answer}"
    );
    sign_in.finish();
}

#[test]
fn oversized_slow_and_silent_connections_are_harmless() {
    let sign_in = SignIn::start(LOOPBACK, None);
    let authority = sign_in.authority.clone();
    // A connection that is closed at once.
    drop(TcpStream::connect(&authority).unwrap());
    // A header of 64 KB.
    let answer = sign_in.raw(&format!(
        "GET /callback HTTP/1.1\r\nHost: {authority}\r\nX: {}\r\n\r\n",
        "x".repeat(64 * 1024)
    ));
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431 "),
        "{answer}"
    );
    // Bytes that are not HTTP.
    let answer = sign_in.raw("\u{16}\u{3}\u{1} not http\r\n\r\n");
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 400 "),
        "{answer}"
    );
    // Far more silent connections than are served, and a client that sends a byte a second.
    let silent: Vec<TcpStream> = (0..200)
        .map(|_| TcpStream::connect(&authority).unwrap())
        .collect();
    let mut slow = TcpStream::connect(&authority).unwrap();
    let dripping = std::thread::spawn(move || {
        for byte in format!("GET /callback?code=true-code HTTP/1.1\r\nHost: {authority}\r\n")
            .bytes()
            .take(5)
        {
            if slow.write_all(&[byte]).is_err() {
                return;
            }
            std::thread::sleep(Duration::from_secs(1));
        }
    });
    sign_in.finish();
    drop(silent);
    dripping.join().unwrap();
}

#[test]
fn requests_after_the_callback_get_no_misleading_page() {
    // The exchange takes a while, so that requests can arrive after the callback.
    let server = Scripted::start(|_| {
        std::thread::sleep(Duration::from_millis(400));
        Reply::json(200, r#"{"access_token":"the-token","token_type":"Bearer"}"#)
    });
    let sign_in = SignIn::at(server, LOOPBACK, None);
    let authority = sign_in.authority.clone();
    // Connected before the callback, sent after it: a request for a favicon, and the same callback again.
    let mut spare: Vec<TcpStream> = (0..2)
        .map(|_| TcpStream::connect(&authority).unwrap())
        .collect();
    let callback = format!("/callback?code=true-code&state={}", sign_in.state);
    assert_eq!(sign_in.get(&callback).0, 200);
    for (stream, path) in spare.iter_mut().zip(["/favicon.ico", &callback]) {
        stream
            .set_read_timeout(Some(Duration::from_secs(2)))
            .unwrap();
        let _ = write!(stream, "GET {path} HTTP/1.1\r\nHost: {authority}\r\n\r\n");
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        assert!(
            !answer.contains("still waiting") && !answer.contains("was received"),
            "{answer}"
        );
    }
    assert!(
        TcpStream::connect(&authority).is_err(),
        "the port is free again"
    );
    let (exit, stdout, stderr) = sign_in.plain.end();
    assert_eq!((exit, stdout.as_str()), (0, "the-token\n"), "{stderr}");
    assert_eq!(sign_in.server.requests("/token").len(), 1);
}

#[test]
fn localhost_listens_on_ipv4_and_ipv6() {
    let port = free_port();
    let sign_in = SignIn::start(&format!("http://localhost:{port}/callback"), None);
    for address in ["127.0.0.1", "::1"] {
        let mut stream = TcpStream::connect((address, port))
            .unwrap_or_else(|error| panic!("{address}: {error}"));
        write!(
            stream,
            "GET /favicon.ico HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 404 "), "{address}: {answer}");
    }
    let mut stream = TcpStream::connect(("::1", port)).unwrap();
    write!(
        stream,
        "GET /callback?code=true-code&state={} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n",
        sign_in.state
    )
    .unwrap();
    let (exit, stdout, stderr) = sign_in.plain.end();
    assert_eq!((exit, stdout.as_str()), (0, "the-token\n"), "{stderr}");
}

#[test]
fn listen_address_overrides_the_redirect_url() {
    let port = free_port();
    let home = tempfile::tempdir().unwrap();
    let address = format!("127.0.0.1:{port}");
    let flags = [
        "--flow",
        "authorization-code",
        "--client-id",
        "me",
        "--print",
        "access-token",
        "--authorization-url",
        "https://as.example/a",
        "--token-url",
        "https://as.example/t",
        "--redirect-url",
        "https://mail.example.org/cb",
        "--listen-address",
        &address,
    ];
    let mut plain = Plain::start(home.path(), &flags);
    assert_eq!(plain.value("listening"), address);
    assert_eq!(plain.value("redirect_url"), "https://mail.example.org/cb");
    assert!(
        plain
            .value("authorization_url")
            .contains("redirect_uri=https%3A%2F%2Fmail.example.org%2Fcb")
    );
    // A proxy forwards the host or names the listener itself; any other host is rejected.
    assert_eq!(
        get(
            &format!("http://{address}/cb?state=x"),
            &[("X-Forwarded-Host", "mail.example.org")]
        )
        .0,
        400
    );
    assert!(
        plain
            .value("refused")
            .contains("it is from a different sign-in")
    );
}

#[test]
fn listener_behind_proxy_accepts_its_own_address_as_host() {
    let port = free_port();
    let home = tempfile::tempdir().unwrap();
    let mut plain = Plain::start(
        home.path(),
        &[
            "--flow",
            "authorization-code",
            "--client-id",
            "me",
            "--print",
            "access-token",
            "--authorization-url",
            "https://as.example/a",
            "--token-url",
            "https://as.example/t",
            "--redirect-url",
            "https://proxy.example/cb",
            "--listen-address",
            &format!("127.0.0.1:{port}"),
        ],
    );
    plain.value("authorization_url");
    for (host, status) in [
        (format!("127.0.0.1:{port}"), 400),
        (format!("[::ffff:127.0.0.1]:{port}"), 400),
        (format!("localhost:{port}"), 400),
        ("proxy.example".to_owned(), 400),
        (format!("127.0.0.2:{port}"), 421),
        (format!("rebound.example:{port}"), 421),
        (format!("127.0.0.1:{}", port ^ 1), 421),
    ] {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        write!(stream, "GET /cb?state=x HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let expected = format!("HTTP/1.1 {status} ");
        assert!(answer.starts_with(&expected), "{host}: {answer}");
    }
}
