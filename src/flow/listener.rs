//! The loopback listener for the redirect URL (RFC 8252, section 7.3), on hyper.
//!
//! It takes GET on exactly the redirect path with the redirect URL's host. Everything else is answered
//! or dropped, and counted; none of it ends the wait.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::{Method, Request, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::{Host, Url};

use super::pages::Page;
use crate::oauth::url::is_loopback;
use crate::request::ListenAddress;
use crate::secret::SecretString;

/// A browser sends its header at once; whoever does not in this time is dropped.
const HEADER_LIMIT: Duration = Duration::from_secs(10);
/// Larger headers than a callback with a long code are refused.
const HEADER_BYTES: usize = 48 * 1024;
/// Above this many open connections the oldest is dropped: idle ones never lock the browser out.
const CONNECTION_LIMIT: usize = 64;
/// How long the answer to the browser may take to go out.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);
/// Tries to find a port that is free for both families.
const PORT_TRIES: usize = 20;

/// Why it does not listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Another program has the port.
    #[error("Port {port} of {ip} is in use by another program.")]
    InUse {
        /// Address.
        ip: IpAddr,
        /// Port.
        port: u16,
    },
    /// The system does not let us.
    #[error("Listening on port {port} of {ip} is not allowed for this user.")]
    NotAllowed {
        /// Address.
        ip: IpAddr,
        /// Port.
        port: u16,
    },
    /// Not an address of this machine.
    #[error("{ip} is not an address of this machine.")]
    NotHere {
        /// Address.
        ip: IpAddr,
    },
    /// Anything else that the system says.
    #[error("Listening on port {port} of {ip} failed: {cause}.")]
    Other {
        /// Address.
        ip: IpAddr,
        /// Port.
        port: u16,
        /// The system's words.
        cause: String,
    },
}

impl ListenError {
    fn new(ip: IpAddr, port: u16, error: &std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::AddrInUse => Self::InUse { ip, port },
            ErrorKind::PermissionDenied => Self::NotAllowed { ip, port },
            ErrorKind::AddrNotAvailable => Self::NotHere { ip },
            _ => Self::Other {
                ip,
                port,
                cause: error.to_string(),
            },
        }
    }

    /// What to do about it, in a sentence.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::InUse { .. } => {
                "End that program, or take another port in the Redirect URL and register it with the service (port 0 \
                 takes any free one, where the service allows it)."
            }
            Self::NotAllowed { .. } => {
                "Take a port above 1023 in the Redirect URL, and register that with the service."
            }
            Self::NotHere { .. } => {
                "Use 127.0.0.1 or localhost, or correct the Listen address under Advanced."
            }
            Self::Other { .. } => "Take another port in the Redirect URL.",
        }
    }
}

/// A request on the redirect URL. Its query decides the page.
#[derive(Debug)]
pub struct Arrival {
    /// The query string; holds a code.
    pub query: SecretString,
    /// Takes the page for the browser.
    pub answer: oneshot::Sender<Page>,
}

/// Something else that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stray {
    /// Another path, such as `/favicon.ico`.
    Path,
    /// Another method.
    Method,
    /// Another host name.
    Host,
    /// No request, an unfinished or oversized one, or one too many.
    Connection,
}

/// News from the listener.
#[derive(Debug)]
pub enum News {
    /// A callback, right or wrong.
    Arrival(Arrival),
    /// Anything else.
    Stray(Stray),
}

/// Listens until it is finished or dropped; either frees the port.
#[derive(Debug)]
pub struct Listener {
    redirect_url: Url,
    addresses: Vec<SocketAddr>,
    news: mpsc::Receiver<News>,
    accepting: CancellationToken,
    serving: CancellationToken,
    tasks: TaskTracker,
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.accepting.cancel();
        self.serving.cancel();
    }
}

/// True where the redirect URL leads to this machine and to a listener that speaks its language.
#[must_use]
pub fn can_be_here(redirect_url: &Url, listen: Option<ListenAddress>) -> bool {
    listen.is_some() || (redirect_url.scheme() == "http" && is_loopback(redirect_url))
}

impl Listener {
    /// Takes the port of the redirect URL, of which [`can_be_here`] holds; port 0 becomes a free one. `localhost` means both families.
    ///
    /// # Errors
    /// Where the port cannot be had.
    pub async fn bind(
        redirect_url: &Url,
        listen: Option<ListenAddress>,
    ) -> Result<Self, ListenError> {
        let mut redirect_url = redirect_url.clone();
        let port = redirect_url.port_or_known_default().unwrap_or(80);
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
            // Cannot fail: an http URL with a host takes any port.
            let _ = redirect_url.set_port(Some(first.port()));
        }
        let (sender, news) = mpsc::channel(16);
        let (accepting, serving, tasks) = (
            CancellationToken::new(),
            CancellationToken::new(),
            TaskTracker::new(),
        );
        for socket in sockets {
            let gate = Gate {
                path: redirect_url.path().to_owned(),
                hosts: hosts(&redirect_url, listen, &addresses),
                news: sender.clone(),
            };
            tasks.spawn(accept(
                socket,
                gate,
                accepting.clone(),
                serving.clone(),
                tasks.clone(),
            ));
        }
        tasks.close();
        Ok(Self {
            redirect_url,
            addresses,
            news,
            accepting,
            serving,
            tasks,
        })
    }

    /// The redirect URL with the port that was really taken.
    #[must_use]
    pub fn redirect_url(&self) -> &Url {
        &self.redirect_url
    }

    /// Where it listens.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Waits for the next thing that comes in; `None` never, while it lives.
    pub async fn next(&mut self) -> Option<News> {
        self.news.recv().await
    }

    /// Frees the port at once and lets answers under way go out, for at most two seconds.
    pub async fn finish(self) {
        self.accepting.cancel();
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

/// The `Host` header that a browser sends for `url`.
fn host_header(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// The `Host` headers that are right: the redirect URL's, and behind a proxy also that of the listener itself.
fn hosts(
    redirect_url: &Url,
    listen: Option<ListenAddress>,
    addresses: &[SocketAddr],
) -> Vec<String> {
    let own = addresses
        .iter()
        .filter(|_| listen.is_some())
        .map(ToString::to_string);
    std::iter::once(host_header(redirect_url))
        .chain(own)
        .collect()
}

/// What a request must look like to be looked at.
#[derive(Debug, Clone)]
struct Gate {
    path: String,
    hosts: Vec<String>,
    news: mpsc::Sender<News>,
}

impl Gate {
    async fn answer(&self, request: &Request<Incoming>) -> Page {
        let named = request
            .headers()
            .get(header::HOST)
            .and_then(|value| value.to_str().ok());
        let right_host = named.is_some_and(|named| {
            self.hosts
                .iter()
                .any(|host| named.eq_ignore_ascii_case(host))
        });
        let (stray, page) = if request.uri().path() != self.path {
            (Stray::Path, Page::NotFound)
        } else if !right_host {
            (Stray::Host, Page::WrongHost)
        } else if request.method() != Method::GET {
            (Stray::Method, Page::WrongMethod)
        } else {
            let (answer, page) = oneshot::channel();
            let query = SecretString::from(request.uri().query().unwrap_or_default());
            let _ = self
                .news
                .send(News::Arrival(Arrival { query, answer }))
                .await;
            // Nobody answers any more once another callback was taken.
            return page.await.unwrap_or(Page::Over);
        };
        let _ = self.news.send(News::Stray(stray)).await;
        page
    }
}

async fn accept(
    socket: TcpListener,
    gate: Gate,
    accepting: CancellationToken,
    serving: CancellationToken,
    tasks: TaskTracker,
) {
    let mut open: VecDeque<CancellationToken> = VecDeque::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = accepting.cancelled() => return,
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
        tasks.spawn(serve(stream, gate.clone(), one, accepting.clone()));
    }
}

async fn serve(
    stream: TcpStream,
    gate: Gate,
    one: CancellationToken,
    accepting: CancellationToken,
) {
    let news = gate.news.clone();
    let asked = AtomicBool::new(false);
    let service = service_fn(|request: Request<Incoming>| {
        asked.store(true, Ordering::Relaxed);
        let gate = gate.clone();
        async move { Ok::<_, std::convert::Infallible>(gate.answer(&request).await.response()) }
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
