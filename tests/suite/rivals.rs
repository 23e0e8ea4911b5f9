//! Other programs on this machine that get in the way of a listener: held connections, clients that reconnect all the
//! time, and junk requests. Also, the browser among them, and the resources that the listener uses.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::scripted::{Reply, Scripted};
use crate::terminal::{Command, ENTER, Terminal};

/// How long a rival or the browser waits for anything.
const PATIENCE: Duration = Duration::from_secs(10);
/// Number of descriptors that this process needs for the rivals.
const DESCRIPTORS: u64 = 8192;

/// Whether a held connection is opened again after it is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    Once,
    Again,
}

/// All rivals of one listener, until this value is dropped.
pub struct Rivals {
    to: SocketAddr,
    stop: Arc<AtomicBool>,
    junk: Arc<AtomicUsize>,
    held: Arc<AtomicUsize>,
    storm: Arc<AtomicUsize>,
    threads: Vec<JoinHandle<()>>,
}

impl Drop for Rivals {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Rivals {
    pub fn of(to: SocketAddr) -> Self {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Nofile);
        if limit.current.is_some_and(|current| current < DESCRIPTORS) {
            let most = limit
                .maximum
                .map_or(DESCRIPTORS, |most| most.min(DESCRIPTORS));
            let more = Rlimit {
                current: Some(most),
                ..limit
            };
            setrlimit(Resource::Nofile, more).unwrap();
        }
        Self {
            to,
            stop: Arc::default(),
            junk: Arc::default(),
            held: Arc::default(),
            storm: Arc::default(),
            threads: Vec::new(),
        }
    }

    fn start(&mut self, run: impl FnOnce(SocketAddr, &dyn Fn() -> bool) + Send + 'static) {
        let (to, stop) = (self.to, Arc::clone(&self.stop));
        self.threads.push(std::thread::spawn(move || {
            run(to, &|| !stop.load(Ordering::Relaxed));
        }));
    }

    /// Opens connections that send nothing. Waits until all are open.
    pub fn hold(&mut self, count: usize, held: Held) {
        self.hold_after(b"", count, held);
    }

    /// Opens connections that send only these bytes. Waits until all are open.
    pub fn hold_after(&mut self, bytes: &'static [u8], count: usize, held: Held) {
        let made = Arc::clone(&self.held);
        self.start(move |to, go_on| {
            let mut streams: Vec<Option<TcpStream>> = (0..count).map(|_| None).collect();
            let mut first = true;
            while go_on() {
                for stream in &mut streams {
                    let is_open = stream.as_ref().is_some_and(is_open);
                    if is_open || !(first || held == Held::Again) || !go_on() {
                        continue;
                    }
                    *stream = TcpStream::connect_timeout(&to, PATIENCE).ok();
                    if let Some(stream) = stream {
                        stream.set_nonblocking(true).unwrap();
                        let _ = stream.write_all(bytes);
                        made.fetch_add(1, Ordering::Relaxed);
                    }
                }
                first = false;
                std::thread::sleep(Duration::from_millis(2));
            }
        });
        let end = Instant::now() + PATIENCE;
        while self.held.load(Ordering::Relaxed) < count && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Starts clients that connect all the time; each keeps its last few connections and closes the one before.
    pub fn storm(&mut self, clients: usize) {
        for _ in 0..clients {
            let made = Arc::clone(&self.storm);
            self.start(move |to, go_on| {
                let mut last: [Option<TcpStream>; 40] = [const { None }; 40];
                let mut turn = 0;
                while go_on() {
                    last[turn] = TcpStream::connect_timeout(&to, PATIENCE).ok();
                    turn = (turn + 1) % last.len();
                    made.fetch_add(1, Ordering::Relaxed);
                    if turn == 0 {
                        // Leave processor time to other tests.
                        std::thread::sleep(Duration::from_millis(10));
                    }
                }
            });
        }
    }

    /// Sends `count` requests that are not callbacks, from a few clients.
    pub fn junk(&mut self, count: usize, callback: &str) {
        const CLIENTS: usize = 3;
        for client in 0..CLIENTS {
            let done = Arc::clone(&self.junk);
            let (callback, authority) = (callback.to_owned(), self.to);
            self.start(move |to, go_on| {
                for turn in (client..count).step_by(CLIENTS) {
                    if !go_on() {
                        return;
                    }
                    let request = match turn % 7 {
                        0 => format!("GET /favicon.ico HTTP/1.1\r\nHost: {authority}\r\n\r\n"),
                        1 => format!("GET {callback} HTTP/1.1\r\nHost: evil.example\r\n\r\n"),
                        2 => format!("POST {callback} HTTP/1.1\r\nHost: {authority}\r\n\r\n"),
                        3 => "\u{16}\u{3}\u{1} not http\r\n\r\n".to_owned(),
                        4 => format!("GET {callback} HTTP/1.1\r\nHost: {authority}\r\nHost: x\r\n\r\n"),
                        5 => format!(
                            "GET {callback}?code=c0de-c0de&state=forged HTTP/1.1\r\nHost: {authority}\r\n\r\n"
                        ),
                        _ => format!(
                            "GET {callback}?error=access_denied HTTP/1.1\r\nHost: {authority}\r\n\r\n"
                        ),
                    };
                    ask(to, Duration::ZERO, &request).ok();
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    }

    /// Number of junk requests so far.
    pub fn junk_made(&self) -> usize {
        self.junk.load(Ordering::Relaxed)
    }

    /// The numbers of connections and requests so far, in words.
    pub fn made(&self) -> String {
        format!(
            "{} held, {} reconnects, {} junk requests",
            self.held.load(Ordering::Relaxed),
            self.storm.load(Ordering::Relaxed),
            self.junk_made()
        )
    }
}

fn is_open(stream: &TcpStream) -> bool {
    let peeked = stream.peek(&mut [0]);
    peeked.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

/// Connects, pauses and sends a request. Returns the response, and the time since the request was sent.
pub fn ask(to: SocketAddr, pause: Duration, request: &str) -> std::io::Result<(String, Duration)> {
    let mut stream = TcpStream::connect_timeout(&to, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    std::thread::sleep(pause);
    let begin = Instant::now();
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        // The listener closed the connection without reading the whole body.
        Err(error) if error.kind() == ErrorKind::ConnectionReset && !answer.is_empty() => {}
        outcome => drop(outcome?),
    }
    Ok((
        String::from_utf8_lossy(&answer).into_owned(),
        begin.elapsed(),
    ))
}

/// Connects, pauses and sends a callback. Returns the response, and the time since the callback was sent.
pub fn callback(to: SocketAddr, pause: Duration, query: &str) -> (String, Duration) {
    let request = format!("GET /callback?{query} HTTP/1.1\r\nHost: {to}\r\n\r\n");
    ask(to, pause, &request).unwrap_or_else(|error| panic!("no answer after {pause:?}: {error}"))
}

/// A sign-in in progress on the screen, at a server that issues a token for any code.
pub struct OnScreen {
    pub terminal: Terminal,
    pub to: SocketAddr,
    pub state: String,
    _server: Scripted,
    _home: tempfile::TempDir,
}

impl OnScreen {
    pub fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        let server =
            Scripted::start(|_| Reply::json(200, r#"{"access_token":"t","token_type":"Bearer"}"#));
        let (authorize, token) = (
            format!("{}/authorize", server.url),
            format!("{}/token", server.url),
        );
        let flags = [
            "--flow",
            "authorization-code",
            "--client-id",
            "me",
            "--authorization-url",
            &authorize,
            "--token-url",
            &token,
            "--redirect-url",
            "http://127.0.0.1:0/callback",
        ];
        let mut terminal = Command::new(home.path(), &flags).start();
        terminal.wait_for("[a Authorize]");
        terminal.focus("Authorize");
        terminal.send(ENTER);
        terminal.wait_for("URL, code or error text");
        let url = url::Url::parse(&terminal.url()).unwrap();
        let value = |wanted: &str| {
            let mut pairs = url.query_pairs();
            pairs.find(|(name, _)| name == wanted).unwrap().1
        };
        let redirect = url::Url::parse(&value("redirect_uri")).unwrap();
        Self {
            terminal,
            to: redirect.socket_addrs(|| None).unwrap()[0],
            state: value("state").into_owned(),
            _server: server,
            _home: home,
        }
    }
}

/// The resources that a process uses.
#[derive(Debug, Clone, Copy)]
pub struct Spent {
    pub descriptors: usize,
    pub kilobytes: usize,
}

impl Spent {
    pub fn by(pid: u32) -> Self {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let kilobytes = line.unwrap().split_whitespace().nth(1).unwrap();
        Self {
            descriptors: std::fs::read_dir(format!("/proc/{pid}/fd"))
                .unwrap()
                .count(),
            kilobytes: kilobytes.parse().unwrap(),
        }
    }

    pub fn most(self, other: Self) -> Self {
        Self {
            descriptors: self.descriptors.max(other.descriptors),
            kilobytes: self.kilobytes.max(other.kilobytes),
        }
    }
}

impl std::fmt::Display for Spent {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        #[allow(clippy::cast_precision_loss, reason = "some megabytes")]
        let megabytes = self.kilobytes as f64 / 1024.0;
        write!(
            formatter,
            "{} descriptors, {megabytes:.1} MB",
            self.descriptors
        )
    }
}
