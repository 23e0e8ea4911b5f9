//! The loopback listener (RFC 8252, section 7.3), on hyper; with a certificate it speaks https, through rustls.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::{Request, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use rustls::sign::SingleCertAndKey;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::{Host, Url};

use super::gate::{Arrival, Gate, ListenError, News, Stray};
use crate::certificate::Certificate;
use crate::flow::pages::Page;
use crate::request::ListenAddress;
use crate::secret::SecretString;

/// A browser sends its header at once, and greets at once for https; whoever does not in this time is dropped.
const HEADER_LIMIT: Duration = Duration::from_secs(10);
/// Larger headers than a callback with a long code are refused.
const HEADER_BYTES: usize = 48 * 1024;
/// Above this many open connections the oldest is dropped: idle ones never lock the browser out.
const CONNECTION_LIMIT: usize = 64;
/// How long the answer to the browser may take to go out.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);
/// Tries to find a port that is free for both families.
const PORT_TRIES: usize = 20;

/// Listens until it is finished or dropped; either frees the port.
#[derive(Debug)]
pub(super) struct Loopback {
    redirect_url: Url,
    addresses: Vec<SocketAddr>,
    news: mpsc::Receiver<News>,
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
    /// Takes the port of the redirect URL; port 0 becomes a free one. `localhost` means both families. With a certificate
    /// it speaks https and nothing else.
    ///
    /// # Errors
    /// Where the port cannot be had.
    pub(super) async fn bind(
        redirect_url: &Url,
        listen: Option<ListenAddress>,
        certificate: Option<&Certificate>,
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
            Some(ListenAddress { ip, port: own }) => vec![bind_one(ip, own.unwrap_or(port)).await?],
            None => match redirect_url.host() {
                Some(Host::Ipv4(ip)) => vec![bind_one(ip.into(), port).await?],
                Some(Host::Ipv6(ip)) => vec![bind_one(ip.into(), port).await?],
                Some(Host::Domain(_)) | None => bind_both(port).await?,
            },
        };
        let addresses: Vec<SocketAddr> = sockets
            .iter()
            .filter_map(|socket| socket.local_addr().ok())
            .collect();
        if let (0, Some(first)) = (port, addresses.first()) {
            // Cannot fail: an http or https URL with a host takes any port.
            let _ = redirect_url.set_port(Some(first.port()));
        }
        let (sender, news) = mpsc::channel(16);
        let (accepting, serving) = (CancellationToken::new(), CancellationToken::new());
        for socket in sockets {
            tasks.spawn(accept(
                socket,
                Serving {
                    tls: tls.clone(),
                    gate: Gate::new(&redirect_url, listen, &addresses),
                    news: sender.clone(),
                    accepting: accepting.clone(),
                },
                serving.clone(),
                tasks.clone(),
            ));
        }
        Ok(Self {
            redirect_url,
            addresses,
            news,
            accepting,
            serving,
            tasks: tasks.clone(),
        })
    }

    /// The redirect URL with the port that was really taken.
    #[must_use]
    pub(super) fn redirect_url(&self) -> &Url {
        &self.redirect_url
    }

    /// Where it listens.
    #[must_use]
    pub(super) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Waits for the next thing that comes in; `None` never, while it lives.
    pub(super) async fn next(&mut self) -> Option<News> {
        self.news.recv().await
    }

    /// Frees the port at once and lets answers under way go out, for at most two seconds.
    pub(super) async fn finish(self) {
        self.accepting.cancel();
        self.tasks.close();
        let _ = tokio::time::timeout(ANSWER_LIMIT, self.tasks.wait()).await;
    }
}

/// Both loopback addresses on one port. A machine without IPv6 has only the first.
async fn bind_both(port: u16) -> Result<Vec<TcpListener>, ListenError> {
    let mut tries = if port == 0 { PORT_TRIES } else { 1 };
    loop {
        tries -= 1;
        let v4 = bind_one(Ipv4Addr::LOCALHOST.into(), port).await?;
        let taken = v4.local_addr().map_or(port, |address| address.port());
        match bind_one(Ipv6Addr::LOCALHOST.into(), taken).await {
            Ok(v6) => return Ok(vec![v4, v6]),
            Err(ListenError::NotHere { .. } | ListenError::Other { .. }) => return Ok(vec![v4]),
            Err(error) if tries == 0 => return Err(error),
            Err(_) => {}
        }
    }
}

async fn bind_one(ip: IpAddr, port: u16) -> Result<TcpListener, ListenError> {
    TcpListener::bind((ip, port))
        .await
        .map_err(|error| ListenError::new(ip, port, &error))
}

/// TLS 1.2 and 1.3 with this certificate. No error is expected: our provider speaks both.
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

/// Judges a request, and hands over what may be the callback.
async fn answer(gate: &Gate, news: &mpsc::Sender<News>, request: &Request<Incoming>) -> Page {
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|value| value.to_str().ok());
    let (stray, page) = match gate.judge(request.method(), request.uri().path(), host) {
        Ok(()) => {
            let (answer, page) = oneshot::channel();
            let query = SecretString::from(request.uri().query().unwrap_or_default());
            let _ = news.send(News::Arrival(Arrival { query, answer })).await;
            // Nobody answers any more once another callback was taken.
            return page.await.unwrap_or(Page::Over);
        }
        Err(turned_away) => turned_away,
    };
    let _ = news.send(News::Stray(stray)).await;
    page
}

/// What a connection is served with.
#[derive(Clone)]
struct Serving {
    tls: Option<TlsAcceptor>,
    gate: Gate,
    news: mpsc::Sender<News>,
    accepting: CancellationToken,
}

async fn accept(
    socket: TcpListener,
    with: Serving,
    serving: CancellationToken,
    tasks: TaskTracker,
) {
    let mut open: VecDeque<CancellationToken> = VecDeque::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = with.accepting.cancelled() => return,
            accepted = socket.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            // Out of descriptors, or the peer is gone already: neither is a reason to stop or to spin.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        open.retain(|token| !token.is_cancelled());
        if open.len() >= CONNECTION_LIMIT
            && let Some(oldest) = open.pop_front()
        {
            oldest.cancel();
        }
        let one = serving.child_token();
        open.push_back(one.clone());
        tasks.spawn(serve(stream, with.clone(), one));
    }
}

/// Greets, where it is https, and serves.
async fn serve(stream: TcpStream, with: Serving, one: CancellationToken) {
    let Some(tls) = &with.tls else {
        return serve_http(stream, with, one).await;
    };
    let greeting = tokio::time::timeout(HEADER_LIMIT, tls.accept(stream));
    let greeted = tokio::select! {
        biased;
        () = one.cancelled() => None,
        () = with.accepting.cancelled() => return,
        greeted = greeting => Some(greeted),
    };
    if let Some(Ok(Ok(stream))) = greeted {
        serve_http(stream, with, one).await;
    } else {
        // Too slow, a browser that does not trust the certificate, or no TLS at all: nothing was read.
        one.cancel();
        let _ = with.news.try_send(News::Stray(Stray::Connection));
    }
}

async fn serve_http(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    with: Serving,
    one: CancellationToken,
) {
    let Serving {
        gate,
        news,
        accepting,
        ..
    } = with;
    let asked = AtomicBool::new(false);
    let service = service_fn(|request: Request<Incoming>| {
        asked.store(true, Ordering::Relaxed);
        let (gate, news) = (gate.clone(), news.clone());
        async move {
            let page = answer(&gate, &news, &request).await;
            Ok::<_, std::convert::Infallible>(page.response())
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_LIMIT)
        .max_buf_size(HEADER_BYTES)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let outcome = tokio::select! {
        biased;
        () = one.cancelled() => None,
        outcome = connection.as_mut() => Some(outcome),
        // No more requests, but an answer under way goes out.
        () = accepting.cancelled() => {
            if !asked.load(Ordering::Relaxed) {
                return;
            }
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                () = one.cancelled() => None,
                outcome = connection.as_mut() => Some(outcome),
            }
        }
    };
    one.cancel();
    if !matches!(outcome, Some(Ok(()))) {
        let _ = news.try_send(News::Stray(Stray::Connection));
    }
}
