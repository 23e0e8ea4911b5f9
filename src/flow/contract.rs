//! The contract of the listeners, tested with each listener of this platform.
//!
//! Each printed line says what a listener did, or what the platform can't do.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails on anything unexpected, and says what ran"
)]

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;
use url::Url;

use super::attempt::Attempts;
use super::driver::{Flow, Job};
#[cfg(not(windows))]
use super::event::FlowError;
use super::event::FlowEvent;
use super::listener::{ListenError, Listener, ListenerEvent, ResponseMode, Stray};
use super::pages::Page;
use super::reporter::Report;
use crate::form::choices::ListenerChoice;
use crate::form::request::FlowRequest;
use crate::oauth::client::Client;
use crate::oauth::client_authentication::ClientAuthentication;
use crate::oauth::dialect::Dialect;
use crate::oauth::flow_kind::FlowKind;
use crate::oauth::url::RedirectUrl;
use crate::secret::ExposeSecret;

/// The listeners of this platform.
const KINDS: &[ListenerChoice] = if cfg!(windows) {
    &[ListenerChoice::Loopback, ListenerChoice::HttpSys]
} else {
    &[ListenerChoice::Loopback]
};

/// How long a test waits for a response.
const LIMIT: Duration = Duration::from_secs(10);

fn ran(kind: ListenerChoice, what: &str) {
    println!("contract: {kind:?}: {what}: done");
}

fn cannot(kind: ListenerChoice, what: &str, why: &str) {
    println!("contract: {kind:?}: {what}: not tried here, {why}");
}

/// Returns whether the test runs under Wine, which leaves some requests unanswered that the real driver answers.
fn under_wine() -> bool {
    std::env::var_os("WINEPREFIX").is_some()
}

/// Returns a free port that no other test gets, below those that the system assigns: a test may free it for a moment.
fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let start = std::process::id().wrapping_mul(101);
    loop {
        let at = start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = u16::try_from(20_000 + at % 12_000).unwrap();
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        // A child process that is being started may hold a copy, which must not keep the port taken.
        #[cfg(unix)]
        socket.set_reuse_address(true).unwrap();
        if socket
            .bind(&SocketAddr::from(([127, 0, 0, 1], port)).into())
            .is_ok()
        {
            return port;
        }
    }
}

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

/// Returns the path of the redirect URL. The driver accepts a request for `/callback` under the prefix `/callback/`;
/// Wine compares them literally.
fn path(kind: ListenerChoice) -> &'static str {
    if kind == ListenerChoice::HttpSys && under_wine() {
        "/callback/"
    } else {
        "/callback"
    }
}

async fn bind(kind: ListenerChoice, redirect: &str) -> Result<Listener, ListenError> {
    bind_for(kind, redirect, ResponseMode::Query).await
}

async fn bind_for(
    kind: ListenerChoice,
    redirect: &str,
    mode: ResponseMode,
) -> Result<Listener, ListenError> {
    let tasks = TaskTracker::new();
    Listener::bind(&url(redirect), None, kind, None, mode, &tasks).await
}

/// Releases a listener as a canceled flow does, and waits until its tasks have ended.
async fn dropped(listener: Listener, tasks: &TaskTracker) {
    drop(listener);
    tasks.close();
    within("the end of the tasks", tasks.wait()).await;
    tasks.reopen();
}

/// Sends bytes to a port. Returns the response, or an empty string if the connection fails.
fn raw(to: impl Into<SocketAddr>, bytes: &str) -> String {
    let Ok(mut stream) = TcpStream::connect_timeout(&to.into(), LIMIT) else {
        return String::new();
    };
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let _ = stream.write_all(bytes.as_bytes());
    whole(&mut stream)
}

/// Reads the whole response, or as much of it as arrives.
fn whole(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let mut some = [0; 4096];
    // Wine doesn't close the connection, so the Content-Length tells where the response ends.
    while !is_whole(&answer) {
        match stream.read(&mut some) {
            Ok(0) | Err(_) => break,
            Ok(count) => answer.extend(&some[..count]),
        }
    }
    String::from_utf8_lossy(&answer).into_owned()
}

fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let head = head.to_ascii_lowercase();
    let length = head.split("content-length:").nth(1);
    let length = length.and_then(|rest| rest.lines().next()?.trim().parse::<usize>().ok());
    length.is_some_and(|length| body.len() >= length)
}

/// Sends the request of a browser from its own thread.
fn browse(ip: IpAddr, port: u16, host: &str, target: &str) -> std::thread::JoinHandle<String> {
    let request =
        format!("GET {target} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n");
    std::thread::spawn(move || raw((ip, port), &request))
}

fn local(port: u16, target: &str) -> std::thread::JoinHandle<String> {
    browse(IpAddr::from([127, 0, 0, 1]), port, "localhost", target)
}

async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    let outcome = tokio::time::timeout(LIMIT, future).await;
    outcome.unwrap_or_else(|_| panic!("timed out waiting for {what}"))
}

async fn answered(browser: std::thread::JoinHandle<String>) -> String {
    let joined = tokio::task::spawn_blocking(|| browser.join().unwrap());
    within("the page", joined).await.unwrap()
}

/// Starts a token endpoint that returns a token for any code.
fn token_endpoint() -> Url {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in socket.incoming().flatten() {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let body = r#"{"access_token":"the-token","token_type":"Bearer"}"#;
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    url(&format!("http://{address}/token"))
}

fn request(kind: ListenerChoice, redirect: &str) -> FlowRequest {
    FlowRequest {
        kind: FlowKind::AuthorizationCode,
        client: Client {
            client_id: "me".to_owned(),
            secret: None,
            authentication: ClientAuthentication::None,
            credential: crate::oauth::assertion::Credential::None,
            authorization_url: Some(url("https://as.example/authorize")),
            device_url: None,
            token_url: token_endpoint(),
            poll_url: None,
            scopes: Vec::new(),
            extra: Vec::new(),
            pkce: true,
            issuer: None,
            iss_promised: false,
            pushed: None,
            id_token_issuers: Vec::new(),
            signing: crate::oauth::signing::Signing::default(),
            dialect: Dialect::default(),
        },
        redirect_url: Some(url(redirect).into()),
        listen: None,
        listener: kind,
        certificate: None,
        ca_file: None,
        service_account: None,
    }
}

/// A flow in progress, and its events.
struct Sign {
    flow: Flow,
    events: mpsc::Receiver<Report>,
    redirect: RedirectUrl,
    state: String,
}

async fn sign_in(kind: ListenerChoice, redirect: &str, before: Option<Flow>) -> Sign {
    let (reports, mut events) = mpsc::channel(64);
    let job = Job::Authorize(request(kind, redirect));
    let flow = Flow::start(job, Attempts::default().begin(), before, reports);
    loop {
        match within("the sign-in", events.recv()).await.unwrap().1 {
            FlowEvent::SignIn {
                url, redirect_url, ..
            } => {
                let state = url.query_pairs().find(|(name, _)| name == "state");
                let state = state.unwrap().1.into_owned();
                return Sign {
                    flow,
                    events,
                    redirect: redirect_url,
                    state,
                };
            }
            FlowEvent::Failed(error) => panic!("{kind:?}: {error}"),
            _ => {}
        }
    }
}

impl Sign {
    fn port(&self) -> u16 {
        self.redirect.port_or_known_default().unwrap()
    }

    async fn until<T>(&mut self, what: &str, wanted: impl Fn(FlowEvent) -> Option<T>) -> T {
        loop {
            let (_, event) = within(what, self.events.recv()).await.unwrap();
            if let FlowEvent::Failed(error) = &event {
                panic!("{what}: {error}");
            }
            if let Some(found) = wanted(event) {
                return found;
            }
        }
    }
}

#[tokio::test]
async fn valid_callback_yields_tokens_after_a_forged_one() {
    for kind in KINDS {
        let mut sign = sign_in(*kind, &format!("http://localhost:0{}", path(*kind)), None).await;
        let port = sign.port();
        let page = answered(local(
            port,
            &format!("{}?code=c0de-c0de&state=forged", path(*kind)),
        ))
        .await;
        assert!(page.starts_with("HTTP/1.1 400 "), "{kind:?}: {page}");
        assert!(page.contains("This sign-in doesn't match"), "{page}");
        let refused = |event| matches!(event, FlowEvent::NotOurs(_)).then_some(());
        sign.until("the refusal", refused).await;
        ran(*kind, "a forged state is refused");
        let target = format!("{}?code=c0de-c0de&state={}", path(*kind), sign.state);
        let browser = local(port, &target);
        let tokens = |event| match event {
            FlowEvent::Tokens(tokens) => Some(tokens),
            _ => None,
        };
        let tokens = sign.until("tokens", tokens).await;
        assert_eq!(tokens.access_token.expose_secret(), "the-token");
        let page = answered(browser).await;
        assert!(page.starts_with("HTTP/1.1 200 "), "{kind:?}: {page}");
        assert!(page.contains("Almost done"), "{page}");
        let headers = page.to_ascii_lowercase();
        for header in [
            "cache-control: no-store",
            "referrer-policy: no-referrer",
            "content-security-policy: default-src 'none'",
            "content-type: text/html",
        ] {
            assert!(headers.contains(header), "{kind:?}: {header}\n{page}");
        }
        ran(*kind, "the right callback");
    }
}

#[tokio::test]
async fn canceling_releases_the_redirect_url_for_reuse() {
    for kind in KINDS {
        let redirect = format!("http://localhost:{}/callback", free_port());
        let mut before = None;
        for _ in 0..5 {
            let sign = sign_in(*kind, &redirect, before.take()).await;
            sign.flow.cancel();
            before = Some(sign.flow);
        }
        let after = sign_in(*kind, &redirect, before.take()).await;
        after.flow.end().await;
        bind(*kind, &redirect).await.unwrap().finish().await;
        ran(*kind, "cancel, and restart on the same URL");
    }
}

#[tokio::test]
async fn second_listener_fails_until_the_first_is_dropped() {
    for kind in KINDS {
        let redirect = format!("http://localhost:{}/callback", free_port());
        let tasks = TaskTracker::new();
        let first = Listener::bind(
            &url(&redirect),
            None,
            *kind,
            None,
            ResponseMode::Query,
            &tasks,
        )
        .await
        .unwrap();
        let error = bind(*kind, &redirect).await.unwrap_err();
        match kind {
            ListenerChoice::HttpSys => {
                assert!(
                    matches!(error, ListenError::HttpSys { code: 183, .. }),
                    "{error}"
                );
                assert!(error.to_string().contains("listening on"), "{error}");
            }
            _ => assert!(matches!(error, ListenError::InUse { .. }), "{error}"),
        }
        dropped(first, &tasks).await;
        bind(*kind, &redirect).await.unwrap().finish().await;
        ran(*kind, "two programs on one URL");
    }
}

#[tokio::test]
async fn non_callback_requests_are_refused_and_reported() {
    for kind in KINDS {
        let mut listener = bind(*kind, &format!("http://localhost:0{}", path(*kind)))
            .await
            .unwrap();
        let port = listener.redirect_url().port().unwrap();
        let stray = async |listener: &mut Listener| match within("an event", listener.next()).await
        {
            Some(ListenerEvent::Stray(stray)) => stray,
            other => panic!("{other:?}"),
        };
        // This path is below the prefix, so the request reaches every listener.
        let browser = local(port, "/callback/favicon.ico");
        assert_eq!(stray(&mut listener).await, Stray::Path);
        assert!(answered(browser).await.starts_with("HTTP/1.1 404 "));
        // With a state, it may be the response, so the flow decides what to report.
        let browser = local(port, "/callback/other?code=c&state=s");
        let Some(ListenerEvent::Arrival(arrival)) = within("an event", listener.next()).await
        else {
            panic!("{kind:?}: it was not reported");
        };
        let astray = arrival.astray.unwrap();
        assert_eq!(
            astray.reason(),
            format!(
                "it came to the path /callback/other, but Redirect URL has {}",
                path(*kind)
            )
        );
        assert_eq!(arrival.query.expose_secret(), "code=c&state=s");
        drop(arrival.answer);
        assert!(answered(browser).await.starts_with("HTTP/1.1 404 "));
        ran(*kind, "a response at another path");
        let post = format!(
            "POST {} HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            path(*kind)
        );
        let browser = std::thread::spawn(move || raw(([127, 0, 0, 1], port), &post));
        assert_eq!(stray(&mut listener).await, Stray::Post);
        let page = answered(browser).await;
        assert!(page.starts_with("HTTP/1.1 405 "), "{page}");
        assert!(page.to_ascii_lowercase().contains("allow: get"), "{page}");
        ran(*kind, "another path below the URL, another method");
        if *kind == ListenerChoice::HttpSys && under_wine() {
            cannot(
                *kind,
                "a path outside the URL",
                "Wine leaves such a request hanging",
            );
        } else {
            assert!(
                answered(local(port, "/elsewhere"))
                    .await
                    .starts_with("HTTP/1.1 404 ")
            );
            ran(*kind, "a path outside the URL");
        }
        listener.finish().await;
    }
}

/// Posts a form like a browser, in pieces that end at these offsets.
fn post(
    port: u16,
    target: &str,
    headers: &str,
    body: &str,
    ends: Vec<usize>,
) -> std::thread::JoinHandle<String> {
    let request = format!(
        "POST {target} HTTP/1.1\r\nHost: localhost:{port}\r\nOrigin: https://as.example\r\nSec-Fetch-Site: cross-site\r\n\
         {headers}Connection: close\r\n\r\n{body}"
    );
    std::thread::spawn(move || {
        let to = SocketAddr::from(([127, 0, 0, 1], port));
        let mut stream = TcpStream::connect_timeout(&to, LIMIT).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream.set_write_timeout(Some(LIMIT)).unwrap();
        let mut from = 0;
        let ends = ends.into_iter().map(|end| end.min(request.len()));
        for end in ends.chain([request.len()]) {
            // The listener may close the connection early when it rejects the request.
            if stream.write_all(&request.as_bytes()[from..end]).is_err() {
                break;
            }
            from = end;
            std::thread::yield_now();
        }
        whole(&mut stream)
    })
}

const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";

#[tokio::test]
async fn form_post_mode_reads_a_form_like_a_query() {
    for kind in KINDS {
        let redirect = format!("http://localhost:0{}", path(*kind));
        let mut listener = bind_for(*kind, &redirect, ResponseMode::FormPost)
            .await
            .unwrap();
        let port = listener.redirect_url().port().unwrap();
        let body = "code=c0de%2Bc0de&state=a+state";
        let length = format!("{FORM}Content-Length: {}\r\n", body.len());
        let charset = length.replace("urlencoded", "URLencoded; charset=UTF-8");
        let chunked = format!("{FORM}Transfer-Encoding: chunked\r\n");
        let chunks = format!(
            "5\r\n{}\r\n{:x}\r\n{}\r\n0\r\n\r\n",
            &body[..5],
            body.len() - 5,
            &body[5..]
        );
        // The query of the URL is ignored.
        let target = format!("{}?code=another&state=another", path(*kind));
        let start = format!("POST {target} HTTP/1.1\r\n").len();
        let mut cases = vec![(charset, body.to_owned(), vec![])];
        if matches!(kind, ListenerChoice::Loopback) {
            // No browser sends a chunked form, and Wine's HTTP.sys doesn't read it.
            cases.push((chunked, chunks, vec![]));
        }
        for end in start..start + 240 {
            cases.push((length.clone(), body.to_owned(), vec![end]));
        }
        for (headers, body, ends) in cases {
            let browser = post(port, &target, &headers, &body, ends.clone());
            let Some(ListenerEvent::Arrival(arrival)) = within("the form", listener.next()).await
            else {
                panic!("{kind:?}: no callback: {headers} {ends:?}");
            };
            assert!(arrival.posted);
            assert_eq!(
                arrival.query.expose_secret(),
                "code=c0de%2Bc0de&state=a+state",
                "{kind:?} {headers} {ends:?}"
            );
            arrival.answer.send(Page::Received).unwrap();
            let page = answered(browser).await;
            assert!(
                page.starts_with("HTTP/1.1 200 ") && page.contains("Almost done"),
                "{page}"
            );
        }
        // The service may still report an error by GET.
        let browser = local(port, &format!("{}?error=x", path(*kind)));
        let Some(ListenerEvent::Arrival(arrival)) = within("a GET", listener.next()).await else {
            panic!("{kind:?}: no callback");
        };
        assert!(!arrival.posted && arrival.query.expose_secret() == "error=x");
        arrival.answer.send(Page::NotOurs).unwrap();
        answered(browser).await;
        listener.finish().await;
        ran(*kind, "a form, split at every byte");
    }
}

#[tokio::test]
async fn invalid_oversized_and_slow_form_posts_are_refused() {
    for kind in KINDS {
        let redirect = format!("http://localhost:0{}", path(*kind));
        let mut listener = bind_for(*kind, &redirect, ResponseMode::FormPost)
            .await
            .unwrap();
        let port = listener.redirect_url().port().unwrap();
        let body = "code=c0de-c0de&state=s";
        let length = |kind: &str| format!("{kind}Content-Length: {}\r\n", body.len());
        // Wine's HTTP.sys is slow with larger bodies.
        let is_loopback = matches!(kind, ListenerChoice::Loopback);
        let large = "x".repeat(if is_loopback { 1024 * 1024 } else { 50 * 1024 });
        let large_length = format!("{FORM}Content-Length: {}\r\n", large.len());
        let chunks = format!("{:x}\r\n{large}\r\n0\r\n\r\n", large.len());
        let chunked = format!("{FORM}Transfer-Encoding: chunked\r\n");
        for (headers, body, status) in [
            (length(""), body, Some("415")),
            (length("Content-Type: text/plain\r\n"), body, Some("415")),
            (
                length("Content-Type: application/json\r\n"),
                body,
                Some("415"),
            ),
            (
                length("Content-Type: application/x-www-form-urlencodedx\r\n"),
                body,
                Some("415"),
            ),
            // The connection may be closed while the browser is still sending.
            (large_length, &large, None),
            (chunked, &chunks, None),
        ] {
            if headers.contains("chunked") && !is_loopback {
                continue;
            }
            let browser = post(port, path(*kind), &headers, body, vec![]);
            let event = within("the rejection", listener.next()).await;
            assert!(
                matches!(event, Some(ListenerEvent::Stray(Stray::Connection))),
                "{kind:?} {headers} {event:?}"
            );
            let page = answered(browser).await;
            let expected = format!("HTTP/1.1 {} ", status.unwrap_or("413"));
            assert!(
                page.starts_with(&expected) || (status.is_none() && page.is_empty()),
                "{kind:?} {headers} {page}"
            );
        }
        ran(*kind, "no form, and a large one");
        // The rest of this form never comes. Another browser must get through before and after the listener drops it.
        let headers = format!("{FORM}Content-Length: 40000\r\n");
        let slow = post(port, path(*kind), &headers, "code=", vec![]);
        let browser = post(port, path(*kind), &length(FORM), body, vec![]);
        // Wine's HTTP.sys only passes on complete requests.
        let mut dropped = !is_loopback;
        let mut right = false;
        while !(dropped && right) {
            match within("the slow form's end", listener.next()).await {
                Some(ListenerEvent::Arrival(arrival)) => {
                    assert_eq!(arrival.query.expose_secret(), body);
                    arrival.answer.send(Page::Received).unwrap();
                    right = true;
                }
                Some(ListenerEvent::Stray(Stray::Connection)) => dropped = true,
                other => panic!("{kind:?}: {other:?}"),
            }
        }
        assert!(answered(browser).await.starts_with("HTTP/1.1 200 "));
        if is_loopback {
            assert!(!answered(slow).await.starts_with("HTTP/1.1 200 "));
        }
        listener.finish().await;
        ran(*kind, "a slow form");
    }
}

#[tokio::test]
async fn oversized_and_slow_requests_do_not_block_the_browser() {
    for kind in KINDS {
        let mut listener = bind(*kind, &format!("http://localhost:0{}", path(*kind)))
            .await
            .unwrap();
        let port = listener.redirect_url().port().unwrap();
        let mut slow = TcpStream::connect(("127.0.0.1", port)).unwrap();
        slow.write_all(b"GET /callback?code=x HTTP/1.1\r\nHo")
            .unwrap();
        let big = format!(
            "GET {} HTTP/1.1\r\nHost: localhost:{port}\r\nX: {}\r\nConnection: close\r\n\r\n",
            path(*kind),
            "x".repeat(96 * 1024)
        );
        let oversized = std::thread::spawn(move || {
            let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else {
                return;
            };
            stream
                .set_write_timeout(Some(Duration::from_secs(2)))
                .unwrap();
            let _ = stream.write_all(big.as_bytes());
        });
        let _ = tokio::task::spawn_blocking(|| oversized.join()).await;
        let browser = local(port, &format!("{}?state=s", path(*kind)));
        let arrival = loop {
            match within("the callback", listener.next()).await {
                Some(ListenerEvent::Arrival(arrival))
                    if arrival.query.expose_secret() == "state=s" =>
                {
                    break arrival;
                }
                Some(_) => {}
                None => panic!("the listener ended"),
            }
        };
        arrival.answer.send(Page::Received).unwrap();
        assert!(
            answered(browser).await.starts_with("HTTP/1.1 200 "),
            "{kind:?}"
        );
        listener.finish().await;
        ran(*kind, "oversized and slow requests");
    }
}

#[tokio::test]
async fn a_client_that_pauses_before_its_request_gets_through() {
    for kind in KINDS {
        let mut listener = bind(*kind, &format!("http://localhost:0{}", path(*kind)))
            .await
            .unwrap();
        let port = listener.redirect_url().port().unwrap();
        let request = format!(
            "GET {}?state=s HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n",
            path(*kind)
        );
        let browser = std::thread::spawn(move || {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
            std::thread::sleep(Duration::from_millis(200));
            stream.set_read_timeout(Some(LIMIT)).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            let mut answer = [0; 64];
            let count = stream.read(&mut answer).unwrap();
            String::from_utf8_lossy(&answer[..count]).into_owned()
        });
        let Some(ListenerEvent::Arrival(arrival)) = within("the callback", listener.next()).await
        else {
            panic!("{kind:?}: no callback");
        };
        arrival.answer.send(Page::NotOurs).unwrap();
        let page = answered(browser).await;
        assert!(page.starts_with("HTTP/1.1 400 "), "{kind:?}: {page}");
        listener.finish().await;
        ran(*kind, "a pause before the request");
    }
}

#[tokio::test]
async fn localhost_listener_accepts_ipv6_connections() {
    for kind in KINDS {
        if TcpListener::bind("[::1]:0").is_err() {
            cannot(*kind, "::1", "this machine has no IPv6");
            continue;
        }
        let mut listener = bind(*kind, &format!("http://localhost:0{}", path(*kind)))
            .await
            .unwrap();
        let port = listener.redirect_url().port().unwrap();
        let v6 = IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]);
        if *kind == ListenerChoice::HttpSys
            && under_wine()
            && TcpStream::connect((v6, port)).is_err()
        {
            cannot(*kind, "::1", "Wine's HTTP.sys listens on IPv4 only");
        } else {
            let browser = browse(v6, port, "localhost", &format!("{}?state=s", path(*kind)));
            let Some(ListenerEvent::Arrival(arrival)) =
                within("the callback", listener.next()).await
            else {
                panic!("{kind:?}: no callback");
            };
            arrival.answer.send(Page::NotOurs).unwrap();
            assert!(
                answered(browser).await.starts_with("HTTP/1.1 400 "),
                "{kind:?}"
            );
            ran(*kind, "::1");
        }
        listener.finish().await;
    }
}

/// Returns an address of this machine that is not loopback.
fn own_address() -> Option<IpAddr> {
    if let Ok(given) = std::env::var("CONTRACT_ADDRESS") {
        return Some(given.parse().unwrap());
    }
    // Sends nothing: connecting a UDP socket only selects the local address for this route.
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let ip = socket.local_addr().ok()?.ip();
    (!ip.is_loopback() && !ip.is_unspecified()).then_some(ip)
}

#[tokio::test]
async fn other_machines_are_refused() {
    for kind in KINDS {
        let Some(ip) = own_address() else {
            cannot(
                *kind,
                "a remote address is refused",
                "this machine has no address beyond loopback",
            );
            continue;
        };
        let mut listener = bind(*kind, &format!("http://localhost:0{}", path(*kind)))
            .await
            .unwrap();
        let port = listener.redirect_url().port().unwrap();
        let browser = browse(
            ip,
            port,
            "localhost",
            &format!("{}?code=c0de-c0de&state=s", path(*kind)),
        );
        if *kind == ListenerChoice::HttpSys {
            let ListenerEvent::Stray(stray) = within("an event", listener.next()).await.unwrap()
            else {
                panic!("it was taken");
            };
            assert_eq!(stray, Stray::Remote);
            assert!(answered(browser).await.starts_with("HTTP/1.1 403 "));
        } else {
            // Nothing listens on this address.
            assert_eq!(answered(browser).await, "");
        }
        listener.finish().await;
        ran(*kind, "a remote address is refused");
    }
}

#[tokio::test]
async fn a_hundred_starts_and_cancels_leave_nothing_registered() {
    for kind in KINDS {
        let redirect = format!("http://localhost:{}/callback", free_port());
        let tasks = TaskTracker::new();
        for round in 0..100 {
            match Listener::bind(
                &url(&redirect),
                None,
                *kind,
                None,
                ResponseMode::Query,
                &tasks,
            )
            .await
            {
                Ok(listener) => dropped(listener, &tasks).await,
                Err(error) => panic!("{kind:?}, round {round}: {error}"),
            }
        }
        ran(*kind, "a hundred rounds of start and cancel");
    }
}

#[cfg(not(windows))]
#[tokio::test]
async fn http_sys_is_unavailable_outside_windows() {
    let error = bind(ListenerChoice::HttpSys, "http://localhost:0/").await;
    let error = FlowError::from(error.unwrap_err());
    assert!(
        error.to_string().contains("only available on Windows"),
        "{error}"
    );
    assert!(error.hint().contains("Omit"), "{}", error.hint());
}
