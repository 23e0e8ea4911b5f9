//! What services answer where they do not follow the protocol, each played by a scripted service: what the program says of
//! it, what it sends, and how it ends.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Mutex;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::plain::Plain;
use crate::scripted::{Reply, Request, Scripted};
use crate::servers::get;
use crate::terminal::{Command, ENTER, Terminal};

const TOKENS: &str =
    r#"{"access_token":"at-1","token_type":"Bearer","expires_in":3600,"refresh_token":"rt-1"}"#;
const GRANT: &str = r#"{"device_code":"DC-1","user_code":"ABCD-EFGH","verification_uri":"https://as.example/dev",
    "expires_in":60,"interval":1}"#;

/// A reply with these headers.
fn reply(status: u16, headers: &[(&str, &str)], body: &str) -> Reply {
    let headers = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Reply {
        headers: headers.collect(),
        ..Reply::json(status, body)
    }
}

/// A service that gives out this grant, and answers requests for tokens one after the other; the last answer stays.
fn service(grant: &str, replies: Vec<Reply>) -> Scripted {
    let grant = grant.to_owned();
    let replies = Mutex::new(VecDeque::from(replies));
    Scripted::start(move |request| {
        if request.path == "/device" {
            return Reply::json(200, &grant);
        }
        let mut replies = replies.lock().unwrap();
        if replies.len() > 1 {
            replies.pop_front().unwrap()
        } else {
            replies.front().unwrap().clone()
        }
    })
}

fn flags(server: &Scripted, flow: &str, more: &[&str]) -> Vec<String> {
    let mut flags = vec![
        "--client-id".to_owned(),
        "cid".to_owned(),
        "--flow".to_owned(),
        flow.to_owned(),
        "--token-url".to_owned(),
        format!("{}/token", server.url),
    ];
    if flow == "device-code" {
        flags.extend(["--device-url".to_owned(), format!("{}/device", server.url)]);
    } else {
        flags.extend([
            "--authorization-url".to_owned(),
            format!("{}/authorize", server.url),
        ]);
        if !more.contains(&"--redirect-url") {
            flags.extend(["--redirect-url", "http://127.0.0.1:0/cb"].map(str::to_owned));
        }
    }
    flags.extend(more.iter().map(|&flag| flag.to_owned()));
    flags
}

fn plain(home: &Path, server: &Scripted, flow: &str, more: &[&str]) -> Plain {
    let flags = flags(server, flow, more);
    let print = ["--no-browser", "--print", "access-token"];
    let flags: Vec<&str> = print
        .into_iter()
        .chain(flags.iter().map(String::as_str))
        .collect();
    Plain::start(home, &flags)
}

/// The end of a device flow at a service with these answers: exit code, standard output, standard error.
fn device(grant: &str, replies: Vec<Reply>, more: &[&str]) -> (i32, String, String) {
    let home = tempfile::tempdir().unwrap();
    let server = service(grant, replies);
    plain(home.path(), &server, "device-code", more).end()
}

/// A sign-in in the authorization code flow that waits for the browser.
struct SignIn {
    plain: Plain,
    redirect_uri: String,
    state: String,
    nonce: Option<String>,
    server: Scripted,
    _home: tempfile::TempDir,
}

impl SignIn {
    fn start(replies: Vec<Reply>, more: &[&str]) -> Self {
        Self::at(service(GRANT, replies), more)
    }

    fn at(server: Scripted, more: &[&str]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut plain = plain(home.path(), &server, "authorization-code", more);
        let redirect_url = plain.value("redirect_url");
        let url = url::Url::parse(&plain.value("authorization_url")).unwrap();
        let parameter = |wanted: &str| {
            let mut pairs = url.query_pairs();
            pairs
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value.into_owned())
        };
        let redirect_uri = parameter("redirect_uri").unwrap();
        assert_eq!(redirect_url, redirect_uri);
        Self {
            plain,
            redirect_uri,
            state: parameter("state").unwrap(),
            nonce: parameter("nonce"),
            server,
            _home: home,
        }
    }

    /// The browser comes back with this query; the page that it gets.
    fn comes_back(&self, query: &str) -> String {
        let query = query.replace("{state}", &self.state);
        get(&format!("{}?{query}", self.redirect_uri), &[]).1
    }

    /// The answer is pasted.
    fn pastes(&mut self, text: &str) {
        self.plain.paste(&text.replace("{state}", &self.state));
    }

    /// The code comes, and the run ends.
    fn ends(self) -> (i32, String, String) {
        self.comes_back("code=c0de-c0de&state={state}");
        self.plain.end()
    }
}

fn asks_for_tokens(request: &Request) -> bool {
    request.path == "/token"
}

#[test]
fn invalid_token_values_are_never_printed() {
    for (members, words) in [
        (
            r#""access_token":"error: the token has expired","token_type":"","id_token":"","refresh_token":"""#,
            ": the token has expired",
        ),
        (
            r#""access_token":"Invalid credentials","token_type":"Bearer""#,
            "Invalid credentials",
        ),
        (r#""access_token":"token expired""#, "token expired"),
        (r#""access_token":"null""#, "no access_token"),
        (r#""access_token":"false""#, "no access_token"),
        (r#""access_token":"N/A""#, "no access_token"),
        (r#""access_token":null"#, "no access_token"),
        (
            r#""access_token":"Bearer abc","token_type":"Bearer""#,
            "contains whitespace",
        ),
        (
            r#""access_token":" abc","token_type":"Bearer""#,
            "contains whitespace",
        ),
        (
            r#""access_token":"abc ","token_type":"Bearer""#,
            "contains whitespace",
        ),
        (
            r#""access_token":"AbC9dEf gHi2Jkl","token_type":"bearer""#,
            "contains whitespace",
        ),
        (
            r#""access_token":"abc","token_type":"""#,
            "token_type is empty",
        ),
        (
            r#""access_token":"abc","token_type":" ""#,
            "token_type is empty",
        ),
    ] {
        let body = format!("{{{members},\"expires_in\":0}}");
        // An answer without a token doesn't end the polls.
        let grant = GRANT.replace("60", "4");
        let (exit, stdout, stderr) = device(&grant, vec![Reply::json(200, &body)], &[]);
        assert_eq!((exit, stdout.as_str()), (1, ""), "{body}\n{stderr}");
        assert!(stderr.contains(words), "{body}\n{stderr}");
        // Beside a word that may be a secret nothing of the token is told.
        for part in ["abc", "AbC9", "gHi2"] {
            assert!(!stderr.contains(part), "{body}\n{stderr}");
        }
        let sign_in = SignIn::start(vec![Reply::json(200, &body)], &[]);
        let (exit, stdout, stderr) = sign_in.ends();
        assert_eq!((exit, stdout.as_str()), (1, ""), "{body}\n{stderr}");
        assert!(stderr.contains(words), "{body}\n{stderr}");
    }
    // Words in place of a refresh token are none.
    let home = tempfile::tempdir().unwrap();
    let body =
        r#"{"access_token":"at-1","token_type":"Bearer","refresh_token":"error: not allowed"}"#;
    let server = service(GRANT, vec![Reply::json(200, body)]);
    let flags = flags(&server, "device-code", &["--print", "refresh-token"]);
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let (exit, stdout, stderr) = Plain::start(home.path(), &flags).end();
    assert_eq!((exit, stdout.as_str()), (1, ""), "{stderr}");
    assert!(
        stderr.contains("The service did not return a refresh token"),
        "{stderr}"
    );
    // What some services have in tokens stays allowed.
    for token in ["12|AbC", "a.b.c~d+e/f==", "ünï", "{x}", "error:5"] {
        let body = format!(r#"{{"access_token":"{token}","token_type":"bearer"}}"#);
        let (exit, stdout, stderr) = device(GRANT, vec![Reply::json(200, &body)], &[]);
        assert_eq!((exit, stdout.trim_end()), (0, token), "{token:?}\n{stderr}");
    }
}

#[test]
fn both_requests_send_redirect_url_as_typed() {
    let free = crate::servers::free_port();
    let local = format!("http://localhost:{free}");
    let upper = format!("http://LOCALHOST:{free}/Cb/../cb?x=%7e");
    for typed in [
        local.as_str(),
        &upper,
        "https://mail.example:443/cb",
        "https://Mail.Example/cb",
        "https://mail.example/a/../cb",
        "https://mail.example",
        "https://mail.example/%7Ecb?a=b+c",
    ] {
        let mut sign_in = SignIn::start(vec![Reply::json(200, TOKENS)], &["--redirect-url", typed]);
        assert_eq!(sign_in.redirect_uri, typed);
        sign_in.pastes("?code=c0de-c0de&state={state}");
        let SignIn { plain, server, .. } = sign_in;
        let (exit, stdout, stderr) = plain.end();
        assert_eq!((exit, stdout.trim_end()), (0, "at-1"), "{stderr}");
        assert_eq!(server.requests("/token")[0].form["redirect_uri"], typed);
    }
    // Port 0 alone is replaced, and by the same port in both.
    let mut sign_in = SignIn::start(
        vec![Reply::json(200, TOKENS)],
        &["--redirect-url", "http://LocalHost:0"],
    );
    let sent = sign_in.redirect_uri.clone();
    let port = sent.strip_prefix("http://LocalHost:").unwrap();
    assert!(port.parse::<u16>().unwrap() > 0, "{sent}");
    sign_in.pastes("?code=c0de-c0de&state={state}");
    let SignIn { plain, server, .. } = sign_in;
    assert_eq!(plain.end().0, 0);
    assert_eq!(server.requests("/token")[0].form["redirect_uri"], sent);
}

#[test]
fn a_resource_is_sent_with_every_request_for_tokens() {
    let resource = "https://api.example/v1";
    let more = [
        "--extra-parameters",
        "resource=https%3A%2F%2Fapi.example%2Fv1&audience=x",
    ];
    let home = tempfile::tempdir().unwrap();
    let pending = Reply::json(400, r#"{"error":"authorization_pending"}"#);
    let server = service(GRANT, vec![pending, Reply::json(200, TOKENS)]);
    let (exit, _, stderr) = plain(home.path(), &server, "device-code", &more).end();
    assert_eq!(exit, 0, "{stderr}");
    let polls = server.requests("/token");
    assert_eq!(polls.len(), 2);
    for request in server.requests("/device").iter().chain(&polls) {
        assert_eq!(request.form["resource"], resource, "{request:?}");
    }
    // Another parameter stays with the first request.
    assert!(!polls[0].form.contains_key("audience"));
    let sign_in = SignIn::start(vec![Reply::json(200, TOKENS)], &more);
    sign_in.comes_back("code=c0de-c0de&state={state}");
    let SignIn { plain, server, .. } = sign_in;
    assert_eq!(plain.end().0, 0);
    assert_eq!(server.requests("/token")[0].form["resource"], resource);
}

/// The screen of the tokens, of a device flow at this service.
fn tokens(home: &Path, server: &Scripted, more: &[&str]) -> Terminal {
    let flags = flags(server, "device-code", more);
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let mut terminal = Command::new(home, &flags).start_sized(100, 30);
    terminal.wait_for("[a Authorize]");
    terminal.focus("Authorize");
    terminal.send(ENTER);
    terminal.wait_for("Access token");
    terminal
}

#[test]
fn refresh_is_retried_with_scope_if_service_requires_it() {
    let home = tempfile::tempdir().unwrap();
    let server = Scripted::start(|request| {
        let scope = request.form.get("scope").map(String::as_str);
        match request.form.get("grant_type").map(String::as_str) {
            None => Reply::json(200, GRANT),
            Some("refresh_token") if scope == Some("mail.read") => Reply::json(
                200,
                r#"{"access_token":"at-2","token_type":"Bearer","expires_in":3600}"#,
            ),
            Some("refresh_token") => Reply::json(
                400,
                r#"{"error":"invalid_scope","error_description":"scope is missing"}"#,
            ),
            // Less was granted than was asked for: only that may be repeated.
            Some(_) => Reply::json(
                200,
                r#"{"access_token":"at-1","token_type":"Bearer","refresh_token":"rt-1","scope":"mail.read"}"#,
            ),
        }
    });
    let more = [
        "--scope",
        "mail.read mail.send",
        "--extra-parameters",
        "resource=urn:x",
    ];
    let mut terminal = tokens(home.path(), &server, &more);
    terminal.send("f");
    terminal.wait_for("Refresh token: not rotated; keep the current one.");
    let sent: Vec<Request> = server
        .requests("/token")
        .into_iter()
        .filter(|request| request.form["grant_type"] == "refresh_token")
        .collect();
    assert_eq!(sent.len(), 2);
    assert!(!sent[0].form.contains_key("scope") && sent[1].form["scope"] == "mail.read");
    assert!(
        sent.iter()
            .all(|request| request.form["resource"] == "urn:x")
    );
}

#[test]
fn failed_refresh_reports_cause_and_fix() {
    for (refusal, words) in [
        (
            Reply::json(400, ""),
            "The refresh token has probably expired: sign in again.",
        ),
        (
            Reply::json(400, "{}"),
            "The refresh token has probably expired: sign in again.",
        ),
        (reply(401, &[], ""), "check Client secret"),
        (
            reply(429, &[("Retry-After", "120")], ""),
            "The service is busy (HTTP 429) and asks clients to wait 2 minutes.",
        ),
        (
            Reply::json(404, "<html><title>Not Found</title>"),
            "Check the Token ex. URL",
        ),
    ] {
        let home = tempfile::tempdir().unwrap();
        let server = service(GRANT, vec![Reply::json(200, TOKENS), refusal.clone()]);
        let mut terminal = tokens(home.path(), &server, &[]);
        terminal.send("f");
        terminal.wait_until(words, |screen| {
            let text = screen.contents();
            text.split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
                .contains(words)
        });
        assert!(terminal.flat().contains("Access token"), "{refusal:?}");
    }
}

fn jwt(claims: &serde_json::Value) -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!(
        "{}.{}.sig",
        part("{\"alg\":\"RS256\"}"),
        part(&claims.to_string())
    )
}

fn with_id_token(token: &str) -> Reply {
    let body = format!(
        r#"{{"access_token":"at-1","token_type":"Bearer","refresh_token":"rt-1","id_token":"{token}"}}"#
    );
    Reply::json(200, &body)
}

#[test]
fn encrypted_id_token_does_not_fail_the_sign_in() {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#);
    let reply = with_id_token(&format!("{header}.A.B.C.D"));
    let (exit, stdout, stderr) = device(GRANT, vec![reply.clone()], &["--scope", "openid"]);
    assert_eq!((exit, stdout.trim_end()), (0, "at-1"), "{stderr}");
    assert!(
        stderr.contains("check: ID token not checked: it is encrypted"),
        "{stderr}"
    );
    let (exit, stdout, stderr) = SignIn::start(vec![reply], &["--scope", "openid"]).ends();
    assert_eq!((exit, stdout.trim_end()), (0, "at-1"), "{stderr}");
}

#[test]
fn id_token_with_wrong_audience_is_refused_with_reason() {
    let server = |claims: serde_json::Value| {
        let claims = Mutex::new(claims);
        Scripted::start(move |request: &Request| {
            assert!(asks_for_tokens(request));
            with_id_token(&jwt(&claims.lock().unwrap()))
        })
    };
    for (aud, words) in [
        (
            serde_json::json!("cid"),
            "remove openid from Scope and start again.\nfield: Scope",
        ),
        (serde_json::json!([]), "aud is missing or empty"),
        (serde_json::json!(["other", "more"]), "aud is other, more"),
    ] {
        let claims = serde_json::json!({"iss": "https://as.example", "aud": aud, "azp": "cid", "sub": "alice", "iat": 1, "exp": 4_000_000_000_u64});
        let sign_in = SignIn::at(server(claims), &["--scope", "openid"]);
        assert!(sign_in.nonce.is_some());
        let (exit, stdout, stderr) = sign_in.ends();
        assert_eq!((exit, stdout.as_str()), (1, ""), "{stderr}");
        assert!(stderr.contains(words), "{stderr}");
    }
    // A number as text is one.
    let claims = serde_json::json!({"iss": "https://as.example", "aud": "cid", "sub": "alice", "iat": 1, "exp": "4000000000"});
    let (exit, _, stderr) = device(
        GRANT,
        vec![with_id_token(&jwt(&claims))],
        &["--scope", "openid"],
    );
    assert!(exit == 0 && stderr.contains("ID token passed"), "{stderr}");
}

#[test]
fn unverified_callback_error_is_reported_while_waiting_continues() {
    let mut sign_in = SignIn::start(vec![Reply::json(200, TOKENS)], &[]);
    let redirect = sign_in.redirect_uri.clone();
    let compare = format!("compare Client ID cid and Redirect URL {redirect} with");
    while !sign_in.plain.value("hint").contains(&compare) {}
    for (query, words) in [
        (
            "error=invalid_scope&error_description=The+scope+mail.x+is+unknown",
            "invalid_scope: The scope mail.x is unknown",
        ),
        (
            "error=unauthorized_client&error_description=Client%20nobody%20is%20not%20authorized",
            "unauthorized_client: Client nobody is not authorized",
        ),
        (
            "error=access_denied&error_description=f%FCr+Sie",
            "access_denied: für Sie",
        ),
    ] {
        let page = sign_in.comes_back(query);
        assert!(
            page.contains("terminal") && !page.contains("Open the URL"),
            "{page}"
        );
        // Nothing of the request is in the page.
        assert!(
            !page.contains("invalid_scope") && !page.contains("nobody"),
            "{page}"
        );
        let told = sign_in.plain.value("refused");
        assert!(
            told.contains(words) && told.contains("unverified"),
            "{told}"
        );
    }
    // An empty error beside a code is none.
    sign_in.comes_back("code=c0de-c0de&error=&state={state}");
    let (exit, stdout, stderr) = sign_in.plain.end();
    assert_eq!((exit, stdout.trim_end()), (0, "at-1"), "{stderr}");
}

#[test]
fn screen_shows_unverified_error_and_values_to_compare() {
    let home = tempfile::tempdir().unwrap();
    let server = service(GRANT, vec![Reply::json(200, TOKENS)]);
    let flags = flags(&server, "authorization-code", &["--no-browser"]);
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let mut terminal = Command::new(home.path(), &flags).start_sized(100, 40);
    terminal.wait_for("[a Authorize]");
    terminal.focus("Authorize");
    terminal.send(ENTER);
    terminal.wait_for("for the browser at");
    let url = url::Url::parse(&terminal.url()).unwrap();
    let parameter = |wanted: &str| {
        let mut pairs = url.query_pairs();
        pairs
            .find(|(name, _)| name == wanted)
            .unwrap()
            .1
            .into_owned()
    };
    let redirect = parameter("redirect_uri");
    // A service that knows no such client or URL sends nobody back.
    terminal.wait_for(&format!(
        "or compare there client_id cid redirect_uri {redirect}"
    ));
    get(
        &format!("{redirect}?error=unauthorized_client&error_description=Client+nobody"),
        &[],
    );
    terminal
        .wait_for("anyone may have sent it: error unauthorized_client description Client nobody");
    terminal.wait_for("The unverified error did not end the sign-in.");
    get(
        &format!("{redirect}?code=c0de-c0de&state={}", parameter("state")),
        &[],
    );
    terminal.wait_for("Access token");
}

#[test]
fn redirect_without_state_suggests_pasting_the_code() {
    let mut sign_in = SignIn::start(vec![Reply::json(200, TOKENS)], &[]);
    for query in ["code=c0de-c0de", "code=c0de-c0de&state="] {
        sign_in.comes_back(query);
        let told = sign_in.plain.value("refused");
        assert!(told.contains("paste only the code"), "{told}");
    }
    sign_in.pastes("c0de-c0de");
    let (exit, stdout, stderr) = sign_in.plain.end();
    assert_eq!((exit, stdout.trim_end()), (0, "at-1"), "{stderr}");
}

#[test]
fn post_and_fragment_responses_are_explained_or_accepted() {
    use std::io::{Read, Write};
    let mut sign_in = SignIn::start(vec![Reply::json(200, TOKENS)], &[]);
    let url = url::Url::parse(&sign_in.redirect_uri).unwrap();
    let (host, body) = (
        format!("127.0.0.1:{}", url.port().unwrap()),
        format!("code=c0de-c0de&state={}", sign_in.state),
    );
    let mut stream = std::net::TcpStream::connect(&host).unwrap();
    write!(
        stream,
        "POST /cb HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: \
            {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    assert!(
        page.starts_with("HTTP/1.1 405") && page.contains("terminal"),
        "{page}"
    );
    let told = sign_in.plain.value("refused");
    let words = "by POST, which this sign-in didn't request. Add response_mode=form_post to Extra parameters";
    assert!(told.contains(words), "{told}");
    // What lies behind the # never reaches the listener, and the page says what to do.
    let page = sign_in.comes_back("");
    assert!(page.contains("after a #"), "{page}");
    sign_in.pastes("http://127.0.0.1/cb#code=c0de-c0de&state=forged");
    let told = sign_in.plain.value("refused");
    assert!(told.contains("after a #"), "{told}");
    let told = sign_in.plain.value("refused");
    assert!(told.contains("it is from a different sign-in"), "{told}");
    let redirect = sign_in.redirect_uri.clone();
    sign_in.pastes(&format!("{redirect}#code=c0de-c0de&state={{state}}"));
    let (exit, stdout, stderr) = sign_in.plain.end();
    assert_eq!((exit, stdout.trim_end()), (0, "at-1"), "{stderr}");
}

#[test]
fn non_json_error_response_is_explained() {
    let basic = [(
        "WWW-Authenticate",
        r#"Basic realm="as", error="invalid_client""#,
    )];
    let bearer = [(
        "WWW-Authenticate",
        r#"Bearer error="invalid_client", error_description="No such app, sorry""#,
    )];
    let xml = "<oauth><error>invalid_client</error></oauth>";
    let problem = r#"{"title":"Bad Request","detail":"redirect_uri does not match"}"#;
    let secret = ["Client ID", "secret"];
    for (reply, words) in [
        (reply(401, &basic, ""), ["invalid_client", "ecret"]),
        (
            reply(401, &bearer, "{}"),
            ["invalid_client: No such app, sorry", "ecret"],
        ),
        (reply(400, &basic, "<html>"), ["invalid_client", "ecret"]),
        (
            reply(401, &[], "Client authentication failed"),
            ["Client authentication failed", "check Client secret"],
        ),
        (
            reply(401, &[("WWW-Authenticate", "Basic realm=\"as\"")], ""),
            secret,
        ),
        (
            reply(400, &[], problem),
            [
                "Bad Request: redirect_uri does not match",
                "rejected the request",
            ],
        ),
        (reply(401, &[], xml), ["invalid_client", "ecret"]),
        (
            reply(400, &[], "<html><title>Sorry, wrong tenant</title>"),
            ["Sorry, wrong tenant", "rejected the request"],
        ),
        (
            reply(
                400,
                &[],
                "<html><title>400 No required SSL certificate was sent</title>",
            ),
            ["No required SSL certificate", "to Mutual TLS"],
        ),
        (
            reply(
                401,
                &[],
                r#"{"errorCode":"E1","errorSummary":"no such app"}"#,
            ),
            ["no such app", "field: Client secret"],
        ),
        (
            reply(404, &[], "no such route"),
            ["no such route", "Check the Token ex. URL"],
        ),
        (
            reply(403, &[], r#"{"message":"blocked by policy"}"#),
            ["blocked by policy", "firewall"],
        ),
        (
            reply(400, &[], r#"{"error":{"code":400,"message":"no app"}}"#),
            ["400: no app", ""],
        ),
    ] {
        let (exit, stdout, stderr) = SignIn::start(vec![reply.clone()], &[]).ends();
        assert_eq!((exit, stdout.as_str()), (1, ""), "{reply:?}\n{stderr}");
        for part in words {
            assert!(stderr.contains(part), "{part}: {reply:?}\n{stderr}");
        }
        assert!(
            !stderr.contains("is this service's endpoint"),
            "{reply:?}\n{stderr}"
        );
    }
    // A poll that is refused as a client is not repeated.
    let (exit, _, stderr) = device(GRANT, vec![reply(401, &[], "")], &[]);
    assert!(
        exit == 1 && stderr.contains("check Client secret"),
        "{stderr}"
    );
    // A success says nothing of itself: it may hold tokens.
    let (_, _, stderr) = SignIn::start(vec![Reply::json(200, "s3cret-token and more")], &[]).ends();
    assert!(!stderr.contains("s3cret"), "{stderr}");
}

#[test]
fn polls_without_valid_response_point_to_token_url() {
    let short = GRANT.replace("60", "5");
    let page = Reply::json(404, "<html><title>Not Found</title>");
    let (exit, _, stderr) = device(&short, vec![page], &[]);
    assert_eq!(exit, 1, "{stderr}");
    let polled: Vec<&str> = stderr
        .lines()
        .filter(|line| line.starts_with("polled"))
        .collect();
    assert!(
        polled
            .iter()
            .any(|line| line.contains("Check the Token ex. URL")),
        "{stderr}"
    );
    assert!(stderr.contains("no poll got a valid response"), "{stderr}");
    assert!(stderr.contains("field: Token ex. URL"), "{stderr}");
    assert!(
        !stderr.contains("Request a new code and approve"),
        "{stderr}"
    );
}

#[test]
fn every_spelling_of_expired_code_error_is_recognized() {
    for code in [
        "code_expired",
        "expired_token",
        "token_expired",
        "expired_code",
        "device_code_expired",
    ] {
        let refusal = Reply::json(400, &format!(r#"{{"error":"{code}"}}"#));
        let (exit, _, stderr) = device(GRANT, vec![refusal], &[]);
        assert_eq!(exit, 4, "{stderr}");
        assert!(stderr.contains("Request a new code"), "{stderr}");
    }
}

#[test]
fn response_without_access_token_points_to_scope() {
    let body = r#"{"id_token":"a.b.c","token_type":"Bearer","scope":"openid"}"#;
    let (exit, _, stderr) = device(GRANT, vec![Reply::json(200, body)], &["--scope", "openid"]);
    assert!(
        exit == 1 && stderr.contains("an ID token but no access token"),
        "{stderr}"
    );
    assert!(stderr.contains("to Scope"), "{stderr}");
    let (exit, _, stderr) =
        SignIn::start(vec![Reply::json(200, body)], &["--scope", "openid"]).ends();
    assert!(exit == 1 && stderr.contains("to Scope"), "{stderr}");
}

#[test]
fn relative_verification_uri_is_resolved_and_invalid_one_reported() {
    let grant = |uri: &str| {
        format!(r#"{{"device_code":"d","user_code":12345678,{uri},"expires_in":60,"interval":1}}"#)
    };
    let tokens = || vec![Reply::json(200, TOKENS)];
    let home = tempfile::tempdir().unwrap();
    let server = service(&grant(r#""verification_uri":"/device?x=1""#), tokens());
    let mut relative = plain(home.path(), &server, "device-code", &[]);
    assert_eq!(
        relative.value("verification_uri"),
        format!("{}/device?x=1", server.url)
    );
    assert_eq!(relative.value("user_code"), "12345678");
    let (exit, _, stderr) = relative.end();
    assert!(
        exit == 0 && stderr.contains("returned a relative URL"),
        "{stderr}"
    );
    let complete = r#""verification_uri":null,"verification_uri_complete":"https://as.example/c""#;
    let (exit, _, stderr) = device(&grant(complete), tokens(), &[]);
    assert!(
        exit == 0 && stderr.contains("https://as.example/c"),
        "{stderr}"
    );
    for uri in [
        r#""verification_uri":null"#,
        r#""verification_uri":"""#,
        r#""verification_uri":"http://idp.lan/device""#,
        r#""verification_uri":"idp.example/device""#,
    ] {
        let (exit, _, stderr) = device(&grant(uri), tokens(), &[]);
        assert!(
            exit == 1 && stderr.contains("an error of the service"),
            "{stderr}"
        );
        assert!(!stderr.contains("Check the Device code URL"), "{stderr}");
    }
}

#[test]
fn error_values_that_mean_none_are_ignored() {
    for value in ["0", "\"none\"", "\"\"", "null", "false", "\"OK\""] {
        let body = format!(r#"{{"error":{value},"access_token":"at-1","token_type":"Bearer"}}"#);
        let (exit, stdout, stderr) = device(GRANT, vec![Reply::json(200, &body)], &[]);
        assert_eq!((exit, stdout.trim_end()), (0, "at-1"), "{body}\n{stderr}");
    }
}

#[test]
fn scopes_with_different_names_are_reported_as_not_checked() {
    let body = r#"{"access_token":"at-1","token_type":"Bearer","scope":
        "openid https://www.googleapis.com/auth/userinfo.email https://www.googleapis.com/auth/userinfo.profile"}"#;
    let (exit, _, stderr) = device(
        GRANT,
        vec![Reply::json(200, body)],
        &["--scope", "email profile"],
    );
    assert_eq!(exit, 0, "{stderr}");
    assert!(
        stderr.contains("check: Scope not checked: named differently"),
        "{stderr}"
    );
    assert!(
        stderr.contains("https://www.googleapis.com/auth/userinfo.email for email"),
        "{stderr}"
    );
}

#[test]
fn lost_response_is_named_as_cause_of_later_error() {
    let gone = Reply {
        drop: true,
        ..Reply::default()
    };
    let refused = || Reply::json(400, r#"{"error":"invalid_grant"}"#);
    for first in [gone, Reply::json(502, "<html>"), Reply::json(500, "")] {
        let (_, _, stderr) = device(GRANT, vec![first.clone(), refused()], &[]);
        assert!(
            stderr.contains("An earlier response was lost"),
            "{first:?}\n{stderr}"
        );
        let (_, _, stderr) = SignIn::start(vec![first.clone(), refused()], &[]).ends();
        assert!(
            stderr.contains("has probably been used up"),
            "{first:?}\n{stderr}"
        );
    }
}

#[test]
fn busy_service_is_reported_with_time_to_wait() {
    for (headers, status, words) in [
        (
            &[("Retry-After", "120")][..],
            429,
            "asks clients to wait 2 minutes",
        ),
        (
            &[("X-Retry-After", "120")][..],
            429,
            "asks clients to wait 2 minutes",
        ),
        (&[("Retry-After", "rubbish")][..], 429, "is busy (HTTP 429)"),
        (&[][..], 500, "has a problem (HTTP 500)"),
        (&[][..], 503, "has a problem (HTTP 503)"),
    ] {
        let (exit, _, stderr) = SignIn::start(vec![reply(status, headers, "")], &[]).ends();
        assert_eq!(exit, 5, "{stderr}");
        assert!(
            stderr.contains(words) && !stderr.contains("Check the"),
            "{stderr}"
        );
    }
    // With a pause that is longer than the code is valid, there is only one more poll, and that is told.
    let short = GRANT.replace("60", "3");
    let pause = reply(400, &[("Retry-After", "86400")], r#"{"error":"slow_down"}"#);
    let (exit, _, stderr) = device(&short, vec![pause], &[]);
    assert!(
        exit == 4 && stderr.contains("polling once more shortly before it expires"),
        "{stderr}"
    );
}
