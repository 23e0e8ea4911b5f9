//! A service that is good except for one endpoint, whose response a scenario defines.

use std::collections::{BTreeMap, HashMap};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;

use super::file::{Answer, Case, Encoding, Endpoint, Hostile, Text};
use super::secrets::{fill, value};
use super::tls::{Connection, begin};
use crate::id_tokens::IdTokens;

/// Number of bytes that are sent if a scenario says that a response is huge.
const HUGE: u64 = 1 << 30;
/// Pause between two bytes, long enough for each byte to arrive separately.
const DRIP: Duration = Duration::from_secs(1);

/// A request as it was received.
#[derive(Debug, Clone)]
pub struct Request {
    pub at: Instant,
    pub path: String,
    pub form: HashMap<String, String>,
}

/// A running service. It lives as long as the test process.
pub struct Service {
    /// The base URL of the good endpoints.
    pub url: String,
    pub id_token: String,
    state: Arc<State>,
}

struct State {
    endpoint: Endpoint,
    case: Case,
    good: OnceUrl,
    id_tokens: IdTokens,
    id_token: Mutex<String>,
    clock: PathBuf,
    log: Mutex<Vec<Request>>,
    /// Number of tested requests that were answered.
    answered: Mutex<usize>,
    /// Number of bytes of a huge response that the client read.
    taken: AtomicU64,
}

type OnceUrl = std::sync::OnceLock<(String, String)>;

impl Service {
    /// Starts a service. If its clock jumps, the jump is written to `clock`.
    pub fn start(endpoint: Endpoint, case: &Case, clock: PathBuf) -> Self {
        let state = Arc::new(State {
            endpoint,
            case: case.clone(),
            good: OnceUrl::new(),
            id_tokens: IdTokens::new(),
            id_token: Mutex::default(),
            clock,
            log: Mutex::default(),
            answered: Mutex::default(),
            taken: AtomicU64::new(0),
        });
        let certificate = case.answers()[0].certificate;
        let url = state.listen(None);
        let tested = match certificate {
            None => url.clone(),
            certificate => state.listen(certificate),
        };
        state.good.set((url.clone(), tested)).unwrap();
        let id_token = state.id_tokens.issue(&state.base(Endpoint::Discovery));
        state.id_token.lock().unwrap().clone_from(&id_token);
        Self {
            url,
            id_token,
            state,
        }
    }

    /// The URL of an endpoint.
    pub fn at(&self, endpoint: Endpoint) -> String {
        format!("{}{}", self.state.base(endpoint), path(endpoint))
    }

    /// The requests to the tested endpoint.
    pub fn requests(&self) -> Vec<Request> {
        let log = self.state.log.lock().unwrap();
        log.iter()
            .filter(|request| self.state.is_tested(&request.path))
            .cloned()
            .collect()
    }

    /// All requests.
    pub fn all(&self) -> Vec<Request> {
        self.state.log.lock().unwrap().clone()
    }

    pub fn taken(&self) -> u64 {
        self.state.taken.load(Ordering::Relaxed)
    }
}

/// The path of an endpoint. Discovery has no path of its own, because it uses the issuer.
fn path(endpoint: Endpoint) -> &'static str {
    match endpoint {
        Endpoint::Poll | Endpoint::Exchange | Endpoint::Refresh => "/token",
        Endpoint::Keys => "/keys",
        Endpoint::Device => "/device",
        Endpoint::Revoke => "/revoke",
        Endpoint::Introspect => "/introspect",
        Endpoint::Userinfo => "/userinfo",
        Endpoint::Par => "/par",
        Endpoint::Registration => "/register",
        _ => "",
    }
}

impl State {
    fn listen(self: &Arc<Self>, certificate: Option<super::tls::Kind>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let scheme = if certificate.is_some() {
            "https"
        } else {
            "http"
        };
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let state = Arc::clone(self);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&state);
                std::thread::spawn(move || {
                    // The client may close the connection at any point.
                    if let Some(mut connection) = begin(stream, certificate) {
                        let _ = state.serve(&mut connection);
                    }
                });
            }
        });
        url
    }

    fn base(&self, endpoint: Endpoint) -> String {
        let (good, tested) = self.good.wait();
        if endpoint == self.endpoint {
            tested.clone()
        } else {
            good.clone()
        }
    }

    fn is_tested(&self, to: &str) -> bool {
        match self.endpoint {
            Endpoint::Discovery => to.starts_with("/.well-known/"),
            endpoint => !path(endpoint).is_empty() && to == path(endpoint),
        }
    }

    /// The next response of the tested endpoint.
    fn next(&self) -> Answer {
        let mut answered = self.answered.lock().unwrap();
        let at = *answered;
        *answered += 1;
        let answers = self.case.answers();
        match answers.get(at) {
            Some(answer) => answer.clone(),
            // A poll after the failed one gets a good response.
            None if self.endpoint == Endpoint::Poll && self.case.answers.is_empty() => {
                Answer::default()
            }
            None if self.endpoint == Endpoint::Poll => Answer {
                status: Some(400),
                body: Some(Text::Plain(
                    r#"{"error":"invalid_request","error_description":"not part of the scenario"}"#
                        .to_owned(),
                )),
                ..Answer::default()
            },
            None => answers.last().cloned().unwrap_or_default(),
        }
    }

    fn serve(&self, connection: &mut Connection) -> std::io::Result<()> {
        loop {
            let Some((to, length)) = head(connection)? else {
                return Ok(());
            };
            let tested = self.is_tested(&to);
            let answer = if tested {
                self.next()
            } else {
                Answer::default()
            };
            let mut body = vec![0; length];
            connection.read_exact(&mut body)?;
            let form = url::form_urlencoded::parse(&body).into_owned().collect();
            let request = Request {
                at: Instant::now(),
                path: to,
                form,
            };
            self.log.lock().unwrap().push(request.clone());
            if let Some(jump) = &answer.clock {
                let new = self.clock.with_extension("new");
                std::fs::write(&new, jump)?;
                std::fs::rename(new, &self.clock)?;
            }
            let (status, good) = self.good(&request);
            let status = answer.status.unwrap_or(status);
            let body = match &answer.body {
                Some(body) => fill(&body.build(), self.endpoint),
                None => changed(&good, &answer, self.endpoint, tested),
            };
            for interim in &answer.interim {
                write!(connection, "HTTP/1.1 {interim} X\r\n\r\n")?;
            }
            let Some(hostile) = answer.hostile else {
                write_answer(connection, status, &answer, &body, self.endpoint)?;
                continue;
            };
            return self.misbehave(connection, hostile, &body);
        }
    }

    fn misbehave(
        &self,
        connection: &mut Connection,
        hostile: Hostile,
        body: &str,
    ) -> std::io::Result<()> {
        const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
        match hostile {
            Hostile::Silent => drop(std::io::copy(connection, &mut std::io::sink())?),
            Hostile::CloseBefore => {}
            Hostile::CloseInside => connection.write_all(&HEAD.as_bytes()[..30])?,
            Hostile::CloseAfter => {
                write!(
                    connection,
                    "{HEAD}Content-Length: {}\r\n\r\n{}",
                    body.len() + 9,
                    body
                )?;
            }
            Hostile::ResetBefore => connection.reset(),
            Hostile::ResetInside => {
                connection.write_all(&HEAD.as_bytes()[..30])?;
                connection.reset();
            }
            Hostile::ResetAfter => {
                write!(
                    connection,
                    "{HEAD}Content-Length: {}\r\n\r\n{}",
                    body.len() + 9,
                    body
                )?;
                connection.reset();
            }
            Hostile::Drip => {
                let whole = format!("{HEAD}Content-Length: {}\r\n\r\n{body}", body.len());
                for byte in whole.bytes() {
                    connection.write_all(&[byte])?;
                    connection.flush()?;
                    std::thread::sleep(DRIP);
                }
            }
            Hostile::Huge => {
                write!(connection, "{HEAD}Content-Length: {HUGE}\r\n\r\n{{\"a\":\"")?;
                self.pour(connection, "a".repeat(65536).as_bytes())?;
            }
            Hostile::HugeChunks => {
                write!(connection, "{HEAD}Transfer-Encoding: chunked\r\n\r\n")?;
                let chunk = format!("8000\r\n{}\r\n", "[".repeat(0x8000));
                self.pour(connection, chunk.as_bytes())?;
            }
            Hostile::HugeHead => {
                write!(connection, "{HEAD}X-Padding: ")?;
                self.pour(connection, "a".repeat(65536).as_bytes())?;
            }
            Hostile::HugeLines => {
                write!(connection, "{HEAD}")?;
                self.pour(connection, "X-Padding: a\r\n".repeat(4096).as_bytes())?;
            }
        }
        connection.flush()
    }

    /// Writes this piece repeatedly up to 1 GB, and counts the bytes.
    fn pour(&self, connection: &mut Connection, piece: &[u8]) -> std::io::Result<()> {
        while self.taken.load(Ordering::Relaxed) < HUGE {
            let count = connection.write(piece)?;
            self.taken.fetch_add(count as u64, Ordering::Relaxed);
        }
        Ok(())
    }

    /// The response of a good service: the status, and the members with their JSON.
    fn good(&self, request: &Request) -> (u16, Vec<(String, String)>) {
        let at = |endpoint: Endpoint| format!("{}{}", self.base(endpoint), path(endpoint));
        let base = self.base(Endpoint::Discovery);
        let has = |name: &str| {
            request
                .form
                .get("grant_type")
                .is_some_and(|grant| grant == name)
        };
        let (status, body) = match request.path.as_str() {
            to if to.starts_with("/.well-known/") => {
                let mut all = json!({
                    "issuer": base,
                    "authorization_endpoint": format!("{}/authorize", self.good.wait().0),
                    "token_endpoint": at(Endpoint::Poll),
                    "device_authorization_endpoint": at(Endpoint::Device),
                    "id_token_signing_alg_values_supported": ["EdDSA"],
                });
                let more = match self.endpoint {
                    Endpoint::Keys => &[("jwks_uri", Endpoint::Keys)][..],
                    Endpoint::Par => &[("pushed_authorization_request_endpoint", Endpoint::Par)],
                    Endpoint::Registration => &[("registration_endpoint", Endpoint::Registration)],
                    Endpoint::Refresh
                    | Endpoint::Revoke
                    | Endpoint::Introspect
                    | Endpoint::Userinfo => &[
                        ("revocation_endpoint", Endpoint::Revoke),
                        ("introspection_endpoint", Endpoint::Introspect),
                        ("userinfo_endpoint", Endpoint::Userinfo),
                    ],
                    _ => &[],
                };
                for (name, endpoint) in more {
                    all[name] = at(*endpoint).into();
                }
                if self.endpoint == Endpoint::Par {
                    all["require_pushed_authorization_requests"] = true.into();
                }
                (200, all)
            }
            // Scenarios change the key, not the list.
            "/keys" => (200, self.id_tokens.key.clone()),
            "/device" => {
                let mut all = json!({
                    "device_code": value("devcode"), "user_code": "WDJB-MJHT",
                    "verification_uri": "https://as.example/", "expires_in": 300, "interval": 1,
                });
                for (name, text) in &self.case.grant {
                    match text.build().as_str() {
                        "" => drop(all.as_object_mut().unwrap().remove(name)),
                        text => all[name] = serde_json::from_str(text).unwrap(),
                    }
                }
                (200, all)
            }
            "/token" if has("refresh_token") => (
                200,
                json!({
                    "access_token": value("newaccess"), "token_type": "Bearer", "expires_in": 3600,
                    "refresh_token": value("newrefresh"),
                }),
            ),
            "/token" => {
                let mut all = json!({
                    "access_token": value("access"), "token_type": "Bearer", "expires_in": 3600,
                    "refresh_token": value("refresh"),
                });
                // For userinfo, the ID token identifies the user of the tokens.
                if matches!(self.endpoint, Endpoint::Keys | Endpoint::Userinfo) {
                    all["id_token"] = self.id_token.lock().unwrap().as_str().into();
                }
                (200, all)
            }
            "/revoke" => (200, json!({})),
            "/introspect" if self.endpoint == Endpoint::Revoke => (200, json!({ "active": false })),
            "/introspect" => (
                200,
                json!({ "active": true, "client_id": "me", "scope": "mail" }),
            ),
            "/userinfo" => (200, json!({ "sub": "alice", "name": "Alice" })),
            "/par" => (
                201,
                json!({ "request_uri": format!("urn:ietf:params:oauth:request_uri:{}", value("pushed")), "expires_in": 60 }),
            ),
            "/register" => (
                201,
                json!({
                    "client_id": "registered-client", "client_secret": value("regsecret"),
                    "client_secret_expires_at": 0, "registration_access_token": value("regtoken"),
                    "registration_client_uri": format!("{base}/register/me"),
                    "token_endpoint_auth_method": "client_secret_basic",
                }),
            ),
            _ => (404, json!({})),
        };
        let members = body.as_object().unwrap().iter();
        (
            status,
            members
                .map(|(name, value)| (name.clone(), value.to_string()))
                .collect(),
        )
    }
}

/// Reads the path of a request and the length of its body; `None` at the end of the connection.
fn head(connection: &mut Connection) -> std::io::Result<Option<(String, usize)>> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if connection.read(&mut byte)? == 0 {
            return Ok(None);
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse().unwrap())
    });
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    Ok(Some((path, length.unwrap_or(0))))
}

/// The good body with the changes of this answer.
fn changed(good: &[(String, String)], answer: &Answer, endpoint: Endpoint, tested: bool) -> String {
    let mut members: Vec<(String, String)> = good.to_vec();
    members.retain(|(name, _)| !answer.without.contains(name));
    let build = |changes: &BTreeMap<String, Text>| -> Vec<(String, String)> {
        let changes = changes.iter();
        changes
            .map(|(name, text)| (name.clone(), fill(&text.build(), endpoint)))
            .collect()
    };
    for (name, text) in build(&answer.set) {
        match members.iter_mut().find(|(known, _)| *known == name) {
            Some(member) => member.1 = text,
            None => members.push((name, text)),
        }
    }
    members.extend(build(&answer.again));
    let members: Vec<String> = members
        .iter()
        .map(|(name, value)| format!("\"{}\":{value}", fill(name, endpoint)))
        .collect();
    let body = format!("{{{}}}", members.join(","));
    if endpoint == Endpoint::Keys && tested {
        format!("{{\"keys\":[{body}]}}")
    } else {
        body
    }
}

fn write_answer(
    connection: &mut Connection,
    status: u16,
    answer: &Answer,
    body: &str,
    endpoint: Endpoint,
) -> std::io::Result<()> {
    let (name, body) = encoded(body, answer.encoding);
    write!(connection, "HTTP/1.1 {status} X\r\n")?;
    let own = |name: &str| {
        answer
            .headers
            .keys()
            .any(|known| known.eq_ignore_ascii_case(name))
    };
    if !own("content-type") {
        let kind = if body.starts_with(b"<") {
            "text/html"
        } else {
            "application/json"
        };
        write!(connection, "Content-Type: {kind}\r\n")?;
    }
    if let Some(name) = name {
        write!(connection, "Content-Encoding: {name}\r\n")?;
    }
    for (name, value) in &answer.headers {
        write!(connection, "{name}: {}\r\n", fill(value, endpoint))?;
    }
    if answer.encoding == Some(Encoding::Chunked) {
        write!(
            connection,
            "Transfer-Encoding: chunked\r\nTrailer: X-Late\r\n\r\n"
        )?;
        for byte in body {
            write!(connection, "1;note=x\r\n")?;
            connection.write_all(&[byte])?;
            write!(connection, "\r\n")?;
        }
        write!(connection, "0\r\nX-Late: 1\r\n\r\n")?;
    } else {
        // Responses with these statuses have no body (RFC 9110, section 6.4.1).
        let length = if matches!(status, 204 | 304) {
            0
        } else {
            body.len()
        };
        write!(connection, "Content-Length: {length}\r\n\r\n")?;
        connection.write_all(&body[..length])?;
    }
    connection.flush()
}

/// The encoded body, and the name of its encoding if it needs a header.
fn encoded(body: &str, encoding: Option<Encoding>) -> (Option<&'static str>, Vec<u8>) {
    match encoding {
        Some(Encoding::Gzip) => (Some("gzip"), gzip(body.as_bytes())),
        // A megabyte of spaces for each compressed kilobyte, before a good body.
        Some(Encoding::GzipBomb) => (
            Some("gzip"),
            gzip(&[&vec![b' '; 64 << 20][..], body.as_bytes()].concat()),
        ),
        Some(Encoding::Utf16) => {
            let units = std::iter::once(0xfeff).chain(body.encode_utf16());
            (None, units.flat_map(u16::to_be_bytes).collect())
        }
        Some(Encoding::Latin1) => {
            let latin = |ch: char| u8::try_from(u32::from(ch)).unwrap_or(b'?');
            (None, body.chars().map(latin).collect())
        }
        Some(Encoding::Bom) => (None, format!("\u{feff}{body}").into_bytes()),
        Some(Encoding::Chunked) | None => (None, body.as_bytes().to_vec()),
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut child = Command::new("gzip")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let bytes = bytes.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&bytes).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output.stdout
}
