//! The loopback listener (RFC 8252, section 7.3), based on hyper. With a certificate it serves https, with rustls.
//!
//! Any program on this machine can connect to it. Connections and their memory are limited. `pool` decides which
//! connections are served, so that a browser gets through whatever other programs do. Each gets one response.

use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, ready};
use std::time::Duration;

use http::{Method, Request};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use rustls::server::Acceptor;
use rustls::sign::SingleCertAndKey;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::{Host, Url};
use zeroize::{Zeroize, Zeroizing};

use super::error::ListenError;
use super::gate::{Arrival, Astray, FORM_BYTES, Gate, ListenerEvent, ResponseMode, Stray};
use super::pool::{Guest, Limits, Pool};
use crate::certificate::Certificate;
use crate::flow::pages::Page;
use crate::form::listen_address::ListenAddress;
use crate::secret::SecretString;

/// Maximum size of the headers, in bytes. A callback with a long code fits.
const HEADER_BYTES: usize = 48 * 1024;
/// How many bytes of a request to peek at while it is still in the kernel's buffer. Longer requests are read then.
const LOOK_BYTES: usize = 16 * 1024;
/// Maximum number of headers, as in hyper.
const HEADERS: usize = 100;
/// Pause before peeking at an unfinished request again, so that single bytes cost little.
const LOOK_PAUSE: Duration = Duration::from_millis(20);
/// Number of connections that the kernel may queue; the system may allow fewer.
const BACKLOG: u32 = 4096;
/// Pause after an error of the system while accepting.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How long sending the response to the browser may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);
/// Number of attempts to find a port that is free for both address families.
const PORT_TRIES: usize = 20;

/// The loopback listener. Finishing or dropping it frees the port.
#[derive(Debug)]
pub(super) struct Loopback {
    redirect_url: Url,
    addresses: Vec<SocketAddr>,
    arrivals: mpsc::Receiver<Arrival>,
    strays: Arc<Strays>,
    accepting: CancellationToken,
    serving: CancellationToken,
    tasks: TaskTracker,
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.accepting.cancel();
        self.serving.cancel();
    }
}

impl Loopback {
    /// Listens on the port of the redirect URL, within a runtime. Port 0 is replaced with a free port. `localhost`
    /// means both address families. With a certificate, only https is served.
    ///
    /// # Errors
    /// Returns an error if the port isn't available.
    pub(super) fn bind(
        redirect_url: &Url,
        listen: Option<ListenAddress>,
        certificate: Option<&Certificate>,
        mode: ResponseMode,
        tasks: &TaskTracker,
    ) -> Result<Self, ListenError> {
        let mut redirect_url = redirect_url.clone();
        let port = redirect_url.port_or_known_default().unwrap_or(80);
        let tls = certificate
            .map(acceptor)
            .transpose()
            .map_err(|error| ListenError::Other {
                ip: Ipv4Addr::LOCALHOST.into(),
                port,
                cause: error.to_string(),
            })?;
        let sockets = match listen {
            Some(ListenAddress { ip, port: own }) => vec![bind_one(ip, own.unwrap_or(port))?],
            None => match redirect_url.host() {
                Some(Host::Ipv4(ip)) => vec![bind_one(ip.into(), port)?],
                Some(Host::Ipv6(ip)) => vec![bind_one(ip.into(), port)?],
                Some(Host::Domain(_)) | None => bind_both(port)?,
            },
        };
        let addresses: Vec<SocketAddr> = sockets
            .iter()
            .filter_map(|socket| socket.0.local_addr().ok())
            .collect();
        if let (0, Some(first)) = (port, addresses.first()) {
            // Cannot fail: an http or https URL with a host accepts any port.
            let _ = redirect_url.set_port(Some(first.port()));
        }
        let (sender, arrivals) = mpsc::channel(16);
        let (accepting, serving) = (CancellationToken::new(), CancellationToken::new());
        let strays = Arc::new(Strays::default());
        let limits = Limits::of_process();
        let with = Shared {
            tls,
            gate: Arc::new(Gate::new(&redirect_url, listen, mode)),
            arrivals: sender,
            strays: Arc::clone(&strays),
            look: Arc::new(Mutex::new(Zeroizing::new(vec![0; LOOK_BYTES]))),
            sending: Pool::new(limits.of_sending()),
            accepting: accepting.clone(),
            serving: serving.clone(),
        };
        let all = accept(sockets, with, Pool::new(limits), tasks.clone());
        tasks.spawn(accepting.clone().run_until_cancelled_owned(all));
        Ok(Self {
            redirect_url,
            addresses,
            arrivals,
            strays,
            accepting,
            serving,
            tasks: tasks.clone(),
        })
    }

    /// Returns the redirect URL with the port that is actually used.
    #[must_use]
    pub(super) fn redirect_url(&self) -> &Url {
        &self.redirect_url
    }

    /// Returns the addresses that it listens on.
    #[must_use]
    pub(super) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Waits for the next event. Never returns `None`.
    pub(super) async fn next(&mut self) -> Option<ListenerEvent> {
        Some(tokio::select! {
            biased;
            Some(arrival) = self.arrivals.recv() => ListenerEvent::Arrival(arrival),
            stray = self.strays.next() => ListenerEvent::Stray(stray),
        })
    }

    /// Frees the port at once, and sends responses in progress for at most two seconds.
    pub(super) async fn finish(mut self) {
        self.accepting.cancel();
        // Other callbacks get the page that the sign-in is over.
        self.arrivals.close();
        while self.arrivals.try_recv().is_ok() {}
        self.tasks.close();
        let _ = tokio::time::timeout(ANSWER_LIMIT, self.tasks.wait()).await;
    }
}

/// A listening socket that frees its port when it is dropped.
#[derive(Debug)]
struct Socket(TcpListener);

impl Drop for Socket {
    fn drop(&mut self) {
        // A child process that is being started holds a copy until it runs its program, and would keep the port taken.
        #[cfg(unix)]
        let _ = rustix::net::shutdown(&self.0, rustix::net::Shutdown::Both);
    }
}

/// Binds both loopback addresses to the same port. A machine without IPv6 only has the first.
fn bind_both(port: u16) -> Result<Vec<Socket>, ListenError> {
    let mut tries = if port == 0 { PORT_TRIES } else { 1 };
    loop {
        tries -= 1;
        let v4 = bind_one(Ipv4Addr::LOCALHOST.into(), port)?;
        let taken = v4.0.local_addr().map_or(port, |address| address.port());
        match bind_one(Ipv6Addr::LOCALHOST.into(), taken) {
            Ok(v6) => return Ok(vec![v4, v6]),
            Err(ListenError::NotHere { .. } | ListenError::Other { .. }) => return Ok(vec![v4]),
            Err(error) if tries == 0 => return Err(error),
            Err(_) => {}
        }
    }
}

fn bind_one(ip: IpAddr, port: u16) -> Result<Socket, ListenError> {
    let bind = || {
        let socket = match ip {
            IpAddr::V4(_) => TcpSocket::new_v4()?,
            IpAddr::V6(_) => TcpSocket::new_v6()?,
        };
        // On Windows, this option would let other programs share the port.
        if cfg!(unix) {
            socket.set_reuseaddr(true)?;
        }
        socket.bind((ip, port).into())?;
        socket.listen(BACKLOG).map(Socket)
    };
    bind().map_err(|error| ListenError::new(ip, port, &error))
}

/// Creates an acceptor for TLS 1.2 and 1.3 with this certificate. Never fails, because the provider supports both.
fn acceptor(certificate: &Certificate) -> Result<TlsAcceptor, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(
            &certificate.key,
        ))));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Rejected requests that must still be reported. They are counted, not queued: however many there are, they cost no
/// memory, delay no response, and don't come before a callback.
#[derive(Debug, Default)]
struct Strays {
    counts: [AtomicU64; Stray::ALL.len()],
    came: Notify,
}

impl Strays {
    fn add(&self, stray: Stray) {
        self.counts[stray as usize].fetch_add(1, Ordering::Relaxed);
        self.came.notify_one();
    }

    async fn next(&self) -> Stray {
        loop {
            let counted = Stray::ALL.into_iter().find(|stray| {
                self.counts[*stray as usize]
                    .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| {
                        count.checked_sub(1)
                    })
                    .is_ok()
            });
            match counted {
                Some(stray) => return stray,
                None => self.came.notified().await,
            }
        }
    }
}

/// The state that all connections share.
#[derive(Clone)]
struct Shared {
    tls: Option<TlsAcceptor>,
    gate: Arc<Gate>,
    arrivals: mpsc::Sender<Arrival>,
    strays: Arc<Strays>,
    /// Buffer for peeking at a request.
    look: Arc<Mutex<Zeroizing<Vec<u8>>>>,
    /// The connections whose requests are being read. These need memory, not only a file descriptor.
    sending: Arc<Pool>,
    accepting: CancellationToken,
    serving: CancellationToken,
}

/// Accepts connections from the sockets in turn.
async fn accept(mut sockets: Vec<Socket>, with: Shared, pool: Arc<Pool>, tasks: TaskTracker) {
    while let Some(place) = pool.place().await {
        match accept_one(&sockets).await {
            Ok(stream) => {
                tasks.spawn(serve(stream, with.clone(), place.take()));
            }
            // The client closed the connection before it was accepted.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset
                ) => {}
            // No file descriptors are left. Neither stop nor retry in a busy loop.
            Err(_) => {
                pool.drop_oldest();
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
        sockets.rotate_left(1);
    }
}

async fn accept_one(sockets: &[Socket]) -> io::Result<TcpStream> {
    std::future::poll_fn(|context| {
        for socket in sockets {
            if let Poll::Ready(accepted) = socket.0.poll_accept(context) {
                return Poll::Ready(accepted.map(|(stream, _)| stream));
            }
        }
        Poll::Pending
    })
    .await
}

/// Serves a connection until it is answered or must be closed.
async fn serve(stream: TcpStream, with: Shared, guest: Guest) {
    let stray = tokio::select! {
        biased;
        () = with.serving.cancelled() => None,
        () = over(&with, &guest) => None,
        () = guest.has_to_go() => Some(Stray::Connection),
        talked = talk(stream, &with, &guest) => talked.err(),
    };
    if let Some(stray) = stray {
        with.strays.add(stray);
    }
}

/// Resolves when the listener stops accepting, but never for a connection that is being answered.
async fn over(with: &Shared, guest: &Guest) {
    with.accepting.cancelled().await;
    if !guest.stops_waiting() {
        std::future::pending::<()>().await;
    }
}

/// Waits until the client has sent a complete request head (with TLS, a ClientHello), or something that can't become
/// one. No other memory is used before. Returns what the connection is if it fails, or `None` if the client closes it
/// without sending anything.
async fn has_sent(stream: &TcpStream, with: &Shared) -> io::Result<Option<Stray>> {
    let is_whole = if with.tls.is_some() {
        is_whole_hello
    } else {
        is_whole_head
    };
    loop {
        let ready = stream.ready(Interest::READABLE).await?;
        let (count, is_whole, stray) = std::future::poll_fn(|context| {
            let mut look = with.look.lock().unwrap_or_else(PoisonError::into_inner);
            let mut seen = ReadBuf::new(&mut look);
            let count = ready!(stream.poll_peek(context, &mut seen))?;
            let is_whole = count == LOOK_BYTES || is_whole(seen.filled());
            let stray = Stray::of_failure(seen.filled(), with.tls.is_some());
            seen.filled_mut().zeroize();
            Poll::Ready(io::Result::Ok((count, is_whole, stray)))
        })
        .await?;
        if count == 0 || is_whole {
            return Ok((count > 0).then_some(stray));
        }
        if ready.is_read_closed() {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        tokio::time::sleep(LOOK_PAUSE).await;
    }
}

/// Returns `true` for a complete request head, and for bytes that are not a request.
fn is_whole_head(bytes: &[u8]) -> bool {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let parsed = httparse::Request::new(&mut headers).parse(bytes);
    !parsed.is_ok_and(|status| status.is_partial())
}

/// Returns `true` for a complete TLS ClientHello, and for bytes that are not one.
fn is_whole_hello(mut bytes: &[u8]) -> bool {
    let mut acceptor = Acceptor::default();
    while !bytes.is_empty() {
        if acceptor.read_tls(&mut bytes).is_err() || !matches!(acceptor.accept(), Ok(None)) {
            return true;
        }
    }
    false
}

/// Answers one request.
async fn talk(stream: TcpStream, with: &Shared, guest: &Guest) -> Result<(), Stray> {
    let sent = has_sent(&stream, with).await;
    let Some(stray) = sent.map_err(|_| Stray::Connection)? else {
        return Ok(());
    };
    // From now on, the connection waits for this program, in order of arrival.
    guest.stops_waiting();
    let Some(place) = with.sending.place().await else {
        return Ok(());
    };
    let sender = place.take();
    let local = stream.local_addr().ok();
    let asked = || {
        sender.stops_waiting();
    };
    let talking = async {
        match &with.tls {
            None => talk_http(stream, local, with, asked).await,
            // A client that doesn't trust the certificate or doesn't use TLS is an error.
            Some(tls) => talk_http(tls.accept(stream).await?, local, with, asked).await,
        }
    };
    tokio::select! {
        biased;
        () = sender.has_to_go() => Err(Stray::Connection),
        talked = talking => talked.map_err(|_| stray),
        // A request that has arrived is still answered.
        () = over(with, &sender) => Ok(()),
    }
}

async fn talk_http(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    local: Option<SocketAddr>,
    with: &Shared,
    asked: impl Fn(),
) -> io::Result<()> {
    let service = service_fn(async |request: Request<Incoming>| {
        Ok::<_, Infallible>(answer(with, request, local, &asked).await.response())
    });
    http1::Builder::new()
        // The pool limits the time.
        .header_read_timeout(None)
        .max_buf_size(HEADER_BYTES)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service)
        .await
        .map_err(io::Error::other)
}

/// Judges a request, and passes it on if it may be the callback. Calls `asked` when the whole request has arrived.
async fn answer(
    with: &Shared,
    request: Request<Incoming>,
    local: Option<SocketAddr>,
    asked: impl Fn(),
) -> Page {
    let posted = request.method() == Method::POST;
    let judged = async {
        let astray = with.gate.judge_request(&request, local)?;
        // Until the form is complete, the connection may be dropped for another one, or because it takes too long.
        let query = if posted {
            form(request).await?
        } else {
            SecretString::from(request.uri().query().unwrap_or_default())
        };
        let astray = Astray::with_state(astray, &query)?;
        Ok((query, astray))
    };
    let judged = judged.await;
    asked();
    let (query, astray) = match judged {
        Ok(judged) => judged,
        Err((stray, page)) => {
            with.strays.add(stray);
            return page;
        }
    };
    let over = astray.as_ref().map_or(Page::Over, Astray::page);
    let (answer, page) = oneshot::channel();
    let arrival = Arrival {
        astray,
        query,
        posted,
        answer,
    };
    // Both ends are dropped once another callback was accepted.
    let _ = with.arrivals.send(arrival).await;
    page.await.unwrap_or(over)
}

/// Reads the form that a browser posts. Like in a query, bytes that aren't UTF-8 are replaced.
async fn form(request: Request<Incoming>) -> Result<SecretString, (Stray, Page)> {
    let body = Limited::new(request.into_body(), FORM_BYTES)
        .collect()
        .await;
    match body {
        Ok(body) => {
            let bytes = Zeroizing::new(body.to_bytes().to_vec());
            Ok(SecretString::from(
                String::from_utf8_lossy(&bytes).into_owned(),
            ))
        }
        Err(error) if error.is::<LengthLimitError>() => Err((Stray::Connection, Page::TooLarge)),
        Err(_) => Err((Stray::Connection, Page::Malformed)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::panic,
        reason = "a test fails on anything unexpected"
    )]

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::task::JoinHandle;

    use super::*;
    use crate::secret::ExposeSecret;

    async fn within<T>(future: impl Future<Output = T>) -> T {
        let limit = Duration::from_secs(10);
        tokio::time::timeout(limit, future).await.unwrap()
    }

    fn bind() -> Loopback {
        let url = Url::parse("http://127.0.0.1:0/callback").unwrap();
        let tasks = TaskTracker::new();
        Loopback::bind(&url, None, None, ResponseMode::Query, &tasks).unwrap()
    }

    /// Sends a request. The handle returns the response.
    fn get(loopback: &Loopback, target: &str) -> JoinHandle<String> {
        let to = loopback.addresses()[0];
        let request = format!("GET {target} HTTP/1.1\r\nHost: {to}\r\n\r\n");
        tokio::spawn(async move {
            let mut stream = TcpStream::connect(to).await.unwrap();
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            answer
        })
    }

    /// Without IPv6, there is nothing to test.
    #[tokio::test]
    async fn port_taken_on_one_address_family_is_in_use() {
        let Ok(v6) = bind_one(Ipv6Addr::LOCALHOST.into(), 0) else {
            return;
        };
        let port = v6.0.local_addr().unwrap().port();
        let bound = tokio::task::spawn_blocking(move || bind_both(port).map(drop));
        let error = within(bound).await.unwrap().unwrap_err();
        assert!(matches!(error, ListenError::InUse { .. }), "{error}");
        let both = bind_both(0).unwrap();
        let ports = both.iter().map(|one| one.0.local_addr().unwrap().port());
        assert_eq!(ports.collect::<std::collections::BTreeSet<_>>().len(), 1);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn dropped_socket_frees_its_port_despite_a_copy_in_another_process() {
        use std::os::fd::AsFd;

        let socket = bind_one(Ipv4Addr::LOCALHOST.into(), 0).unwrap();
        let port = socket.0.local_addr().unwrap().port();
        let copy = socket.0.as_fd().try_clone_to_owned().unwrap();
        drop(socket);
        bind_one(Ipv4Addr::LOCALHOST.into(), port).unwrap();
        drop(copy);
    }

    #[tokio::test]
    async fn stray_requests_never_block_and_callbacks_come_first() {
        let mut loopback = bind();
        for _ in 0..100 {
            let answer = within(get(&loopback, "/favicon.ico")).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
        }
        let browser = get(&loopback, "/callback?state=s");
        let Some(ListenerEvent::Arrival(arrival)) = within(async {
            // Wait until the callback has arrived.
            while loopback.arrivals.is_empty() {
                tokio::task::yield_now().await;
            }
            loopback.next().await
        })
        .await
        else {
            panic!("a callback comes before what was rejected");
        };
        assert_eq!(arrival.query.expose_secret(), "state=s");
        arrival.answer.send(Page::NotOurs).unwrap();
        assert!(within(browser).await.unwrap().starts_with("HTTP/1.1 400 "));
        for _ in 0..100 {
            let event = within(loopback.next()).await;
            assert!(
                matches!(event, Some(ListenerEvent::Stray(Stray::Path))),
                "{event:?}"
            );
        }
        let more = tokio::time::timeout(Duration::from_millis(20), loopback.next()).await;
        assert!(more.is_err(), "{more:?}");
        loopback.finish().await;
    }

    #[tokio::test]
    async fn late_callbacks_get_the_already_received_page() {
        let mut loopback = bind();
        // More callbacks than the queue of the flow holds.
        let browsers: Vec<_> = (0..30).map(|_| get(&loopback, "/callback?x")).collect();
        let ListenerEvent::Arrival(arrival) = within(loopback.next()).await.unwrap() else {
            panic!("no callback");
        };
        within(async {
            while loopback.arrivals.len() < 16 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        arrival.answer.send(Page::Received).unwrap();
        let begin = std::time::Instant::now();
        loopback.finish().await;
        assert!(begin.elapsed() < ANSWER_LIMIT, "{:?}", begin.elapsed());
        let mut pages = Vec::new();
        for browser in browsers {
            // Connections that were not read before the end were dropped.
            pages.extend(within(browser).await.ok());
        }
        let count = |words| pages.iter().filter(|page| page.contains(words)).count();
        assert_eq!(count("Almost done"), 1, "{pages:?}");
        assert!(count("Already received") >= 16, "{pages:?}");
    }

    #[test]
    fn request_is_complete_only_with_its_last_byte() {
        for request in [
            "GET /callback?x HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "GET / HTTP/1.0\n\n",
        ] {
            for end in 0..request.len() {
                assert!(!is_whole_head(&request.as_bytes()[..end]), "{end}");
            }
            assert!(is_whole_head(request.as_bytes()));
        }
        let hello = hello();
        for end in 0..hello.len() {
            assert!(!is_whole_hello(&hello[..end]), "{end}");
        }
        assert!(is_whole_hello(&hello) && is_whole_head(&hello));
        assert!(is_whole_hello(b"GET / HTTP/1.1\r\n"));
        let request = b"GET /callback?x HTTP/1.1\r\n";
        assert_eq!(Stray::of_failure(&hello, false), Stray::Tls);
        assert_eq!(Stray::of_failure(request, true), Stray::NoTls);
        for (bytes, has_tls) in [
            (&hello[..], true),
            (request, false),
            (b"GET", false),
            (b"\x00 GET ", true),
        ] {
            assert_eq!(Stray::of_failure(bytes, has_tls), Stray::Connection);
        }
    }

    #[tokio::test]
    async fn tls_at_a_listener_without_it_is_reported() {
        let mut loopback = bind();
        let mut stream = TcpStream::connect(loopback.addresses()[0]).await.unwrap();
        stream.write_all(&hello()).await.unwrap();
        let event = within(loopback.next()).await;
        assert!(
            matches!(event, Some(ListenerEvent::Stray(Stray::Tls))),
            "{event:?}"
        );
        loopback.finish().await;
    }

    /// Returns the first message of a TLS client.
    fn hello() -> Vec<u8> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        let host = "localhost".try_into().unwrap();
        let mut client = rustls::ClientConnection::new(Arc::new(config), host).unwrap();
        let mut hello = Vec::new();
        client.write_tls(&mut hello).unwrap();
        hello
    }
}
