//! Acts as a browser and its user on a page of the demo server: opens it and presses Approve.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use url::{Host, Position, Url};

/// Time limit for all requests together: everything happens on this machine.
const TIME: Duration = Duration::from_secs(10);
/// Maximum size of a page, in bytes.
const BODY_LIMIT: usize = 64 * 1024;
/// Maximum number of redirects after a request. One is usual.
const REDIRECTS: usize = 3;

/// Why [`approve`] failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DemoError {
    /// The URL, or the target of a redirect, is not plain http on this machine.
    #[error("only http URLs of this machine are opened, without user name")]
    NotLoopback,
    /// Nothing listens at the address.
    #[error("could not connect to {authority}")]
    Connect {
        /// Host and port, as in the URL.
        authority: String,
        /// The error of the system.
        source: std::io::Error,
    },
    /// The response is not HTTP, was cut off, is longer than 64 KiB, or redirects to an invalid URL.
    #[error("the HTTP exchange failed")]
    Http(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// There were too many redirects.
    #[error("there were too many redirects")]
    Redirects,
    /// The page is not one of a demo server that waits for a decision.
    #[error("the page has no Approve button (HTTP status {0})")]
    NoButton(StatusCode),
    /// The decision, or the request after the redirect, was rejected.
    #[error("the approval was answered with HTTP status {0}")]
    Answer(StatusCode),
    /// The approval took longer than ten seconds.
    #[error("the approval took longer than ten seconds")]
    Time,
}

impl DemoError {
    fn http(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Http(source.into())
    }
}

struct Page {
    url: Url,
    status: StatusCode,
    text: Bytes,
}

/// Opens an authorization URL or a complete verification URL of the demo server, presses Approve, and follows the
/// redirect: for the authorization code flow, to the listener of the program that sent the request.
///
/// Connects only to loopback addresses, and uses no proxy.
///
/// # Errors
///
/// Returns an error if a URL on the way is not plain http on this machine, if nothing responds within ten seconds in
/// total, if the page has no Approve button, or if the decision is not accepted.
pub async fn approve(url: &Url) -> Result<(), DemoError> {
    let approval = async {
        let page = browse(Method::GET, url.clone(), "").await?;
        // Searching for the button is enough, because its form is known to have no hidden fields, and to post to the
        // URL of its page.
        let button = br#"name="decision" value="approve""#;
        if !page.text.windows(button.len()).any(|part| part == button) {
            return Err(DemoError::NoButton(page.status));
        }
        let page = browse(Method::POST, page.url, "decision=approve").await?;
        if page.status.is_success() {
            Ok(())
        } else {
            Err(DemoError::Answer(page.status))
        }
    };
    tokio::time::timeout(TIME, approval)
        .await
        .unwrap_or(Err(DemoError::Time))
}

/// Sends one request, and follows the redirects.
async fn browse(method: Method, url: Url, form: &'static str) -> Result<Page, DemoError> {
    let (mut page, mut location) = exchange(method, url, form).await?;
    let mut redirects = 0..REDIRECTS;
    while let Some(target) = location {
        redirects.next().ok_or(DemoError::Redirects)?;
        let target = page.url.join(&target).map_err(DemoError::http)?;
        (page, location) = exchange(Method::GET, target, "").await?;
    }
    Ok(page)
}

/// Sends one request on a new connection. Also returns the `Location` of a redirect.
async fn exchange(
    method: Method,
    url: Url,
    form: &'static str,
) -> Result<(Page, Option<String>), DemoError> {
    let addresses = loopback(&url).ok_or(DemoError::NotLoopback)?;
    // Without a user name, the authority is the host and port, as in a Host header.
    let authority = url.authority();
    let stream = TcpStream::connect(addresses.as_slice()).await;
    let stream = stream.map_err(|source| {
        let authority = authority.to_owned();
        DemoError::Connect { authority, source }
    })?;
    let handshake = http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(DemoError::http)?;
    let request = Request::builder()
        .method(method)
        .uri(&url[Position::BeforePath..Position::AfterQuery])
        .header(header::HOST, authority)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::CONNECTION, "close")
        .body(Full::new(Bytes::from_static(form.as_bytes())))
        .map_err(DemoError::http)?;
    let answer = async move {
        let (head, body) = sender
            .send_request(request)
            .await
            .map_err(DemoError::http)?
            .into_parts();
        let body = Limited::new(body, BODY_LIMIT)
            .collect()
            .await
            .map_err(DemoError::Http)?;
        let location = head
            .headers
            .get(header::LOCATION)
            .filter(|_| head.status.is_redirection());
        let location = location.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        Ok((head.status, body.to_bytes(), location))
    };
    // The connection must be polled while the response is read. If the connection fails, so does the response.
    let (answer, _) = tokio::join!(answer, connection);
    let (status, text, location) = answer?;
    Ok((Page { url, status, text }, location))
}

/// Returns the addresses to connect to, if the URL is plain http on this machine.
fn loopback(url: &Url) -> Option<Vec<SocketAddr>> {
    if url.scheme() != "http" || !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    let addresses: Vec<IpAddr> = match url.host()? {
        Host::Ipv4(address) => vec![address.into()],
        Host::Ipv6(address) => vec![address.into()],
        // Browsers also resolve localhost by themselves.
        Host::Domain("localhost") => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
        Host::Domain(_) => return None,
    };
    let port = url.port_or_known_default()?;
    addresses.iter().all(IpAddr::is_loopback).then(|| {
        addresses
            .iter()
            .map(|address| SocketAddr::new(*address, port))
            .collect()
    })
}
