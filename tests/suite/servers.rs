//! The real authorization server, and the user with a browser.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use serde_json::Value;
use socket2::{Domain, Socket, Type};

use crate::terminal::LIMIT;

/// Client IDs and a client secret with characters that always require encoding.
pub const ODD_BASIC: &str = "conf odd:id %/+&=?\"~ basic";
pub const ODD_POST: &str = "conf odd:id %/+&=?\"~ post";
pub const ODD_SECRET: &str = "s3cr%t:/+ &=?\"~";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oidc-provider")
}

/// A running oidc-provider (Node.js) on a free loopback port. It ends when the value is dropped.
pub struct Provider {
    child: Child,
    about: Value,
    log: Arc<Mutex<Vec<Value>>>,
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Provider {
    /// Starts a provider with these settings (see `server.mjs`).
    pub fn start(settings: &[(&str, &str)]) -> Self {
        let mut command = Command::new("node");
        command
            .arg(folder().join("server.mjs"))
            .env("PORT", "0")
            .env_remove("NODE_EXTRA_CA_CERTS");
        command.envs(settings.iter().copied());
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("node is there");
        let stderr = child.stderr.take().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if let Ok(entry) = serde_json::from_str(&line) {
                    kept.lock().unwrap().push(entry);
                }
            }
        });
        let stdout = child.stdout.take().unwrap();
        let (sender, ready) = mpsc::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            let _ = BufReader::new(stdout).read_line(&mut line);
            let _ = sender.send(line);
        });
        let line = ready
            .recv_timeout(LIMIT)
            .expect("the provider is ready in time");
        let about =
            serde_json::from_str(&line).unwrap_or_else(|_| panic!("the provider said {line:?}"));
        Self { child, about, log }
    }

    /// The issuer URL.
    pub fn issuer(&self) -> &str {
        self.about["issuer"].as_str().unwrap()
    }

    /// The log, complete for all responses sent before this call.
    ///
    /// The log arrives through a pipe, so it can be later than a response that the client has already received.
    fn log(&self) -> Vec<Value> {
        static MARKS: AtomicU32 = AtomicU32::new(0);
        let mark = MARKS.fetch_add(1, Ordering::Relaxed).to_string();
        let mut stdin = self.child.stdin.as_ref().unwrap();
        writeln!(stdin, "{mark}").expect("the provider runs");
        eventually("the provider's log", || {
            let log = self.log.lock().unwrap();
            let whole = log.iter().any(|entry| entry["echo"] == mark.as_str());
            whole.then(|| log.clone())
        })
    }

    /// Number of refreshes in the log, and how many of them were rejected.
    pub fn refreshes(&self) -> (usize, usize) {
        self.requests("refresh_token")
    }

    /// Number of token requests with this grant in the log, and how many of them were rejected.
    pub fn requests(&self, grant: &str) -> (usize, usize) {
        let log = self.log();
        let requests = log.iter().filter(|entry| entry["grant_type"] == grant);
        let refused = requests.clone().filter(|entry| entry["status"] != 200);
        (requests.count(), refused.count())
    }

    /// The statuses of the logged requests for an endpoint, by the name of its route.
    pub fn statuses(&self, route: &str) -> Vec<u64> {
        let log = self.log();
        let requests = log.iter().filter(|entry| entry["endpoint"] == route);
        requests
            .filter_map(|entry| entry["status"].as_u64())
            .collect()
    }

    /// The hosts that received the token requests with this grant.
    pub fn hosts(&self, grant: &str) -> Vec<String> {
        let log = self.log();
        let requests = log.iter().filter(|entry| entry["grant_type"] == grant);
        let host = |entry: &Value| entry["host"].as_str().unwrap().to_owned();
        requests.map(host).collect()
    }

    /// The URL of an endpoint: authorization, device, token, userinfo.
    pub fn endpoint(&self, name: &str) -> &str {
        self.about["endpoints"][name]
            .as_str()
            .unwrap_or_else(|| panic!("no endpoint {name} in {}", self.about))
    }

    /// Flags for Custom settings at this provider.
    pub fn flags(&self) -> Vec<String> {
        [
            ("--authorization-url", "authorization"),
            ("--device-url", "device"),
            ("--token-url", "token"),
        ]
        .into_iter()
        .flat_map(|(flag, name)| [flag.to_owned(), self.endpoint(name).to_owned()])
        .collect()
    }

    /// Requests userinfo with `token`. Returns the status and the subject.
    pub fn userinfo(&self, token: &str) -> (u16, String) {
        let (status, body) = get(
            self.endpoint("userinfo"),
            &[("Authorization", &format!("Bearer {token}"))],
        );
        let subject = serde_json::from_str::<Value>(&body)
            .ok()
            .and_then(|body| Some(body["sub"].as_str()?.to_owned()));
        (status, subject.unwrap_or_default())
    }
}

/// Acts as the user: opens `url` in a minimal browser and does what `flags` say (see `person.mjs`).
pub fn person(url: &str, flags: &[&str]) -> Value {
    person_by(&[], url, flags)
}

/// Like `person`, started by a command that runs another command.
pub fn person_by(way: &[String], url: &str, flags: &[&str]) -> Value {
    let words: Vec<&str> = way.iter().map(String::as_str).chain(["node"]).collect();
    let output = Command::new(words[0])
        .args(&words[1..])
        .arg(folder().join("person.mjs"))
        .arg(url)
        .args(flags)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .expect("node is there");
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text)
        .unwrap_or_else(|_| panic!("the script of the user printed {text:?}"))
}

/// Sends a GET request without following redirects.
pub fn get(url: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let rest = url.strip_prefix("http://").expect("plain http on loopback");
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut stream = TcpStream::connect(authority).expect("the server listens");
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let mut request = format!("GET /{path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n");
    for (name, value) in headers {
        request += &format!("{name}: {value}\r\n");
    }
    stream.write_all((request + "\r\n").as_bytes()).unwrap();
    let mut answer = Vec::new();
    let mut some = [0; 4096];
    // Not every server closes the connection, so the response's length also ends the loop.
    while !has_its_length(&answer) {
        match stream.read(&mut some) {
            Ok(0) => break,
            Ok(count) => answer.extend(&some[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => panic!("{url}: {error}"),
        }
    }
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or(0);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let chunked = head
        .to_ascii_lowercase()
        .contains("transfer-encoding: chunked");
    (
        status,
        if chunked {
            unchunk(body)
        } else {
            body.to_owned()
        },
    )
}

/// Returns whether the response states its length and is complete.
fn has_its_length(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let Some((head, _)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let named = name.eq_ignore_ascii_case("content-length");
        named.then(|| value.trim().parse::<usize>().ok())?
    });
    length.is_some_and(|length| answer.len() >= head.len() + 4 + length)
}

fn unchunk(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
        if size == 0 {
            break;
        }
        whole.push_str(&rest[..size]);
        body = rest[size..].trim_start_matches("\r\n");
    }
    whole
}

/// A free port that the system does not assign to connections of other tests.
pub fn free_port() -> u16 {
    /// Below the ports that systems assign to connections.
    const FIRST: u32 = 20_000;
    const COUNT: u32 = 12_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let start = std::process::id().wrapping_mul(101);
    for _ in 0..COUNT {
        let at = start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = u16::try_from(FIRST + at % COUNT).unwrap();
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        // A child process that is being started may hold a copy, which must not keep the port taken.
        socket.set_reuse_address(true).unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        if socket.bind(&address.into()).is_ok() {
            return port;
        }
    }
    panic!("no free port");
}

/// Runs a program to its end and returns its output.
pub fn run(command: &mut Command) -> String {
    let output = command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Calls `ask` until it returns a value, for a limited time.
pub fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = std::time::Instant::now() + LIMIT;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(std::time::Instant::now() < end, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
