//! Does what a browser and its user would do with a page of the demo server: open it and press Approve.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use url::{Host, Position, Url};

/// For everything: all of it happens on this machine.
const TIME: Duration = Duration::from_secs(10);
/// For one page.
const BODY_LIMIT: usize = 64 * 1024;
/// Redirects after one request. One is usual.
const REDIRECTS: usize = 3;

/// Why [`approve`] could not do it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DemoError {
    /// The URL, or where it redirects to, is not plain http on this machine.
    #[error("only http URLs of this machine are opened, without user name")]
    NotLoopback,
    /// Nothing answers there.
    #[error("could not connect to {authority}")]
    Connect {
        /// Host and port.
        authority: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The answer is not HTTP, broke off, is longer than 64 KiB, or redirects to what is no URL.
    #[error("the HTTP exchange failed")]
    Http(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// One redirect led to the next, again and again.
    #[error("there were too many redirects")]
    Redirects,
    /// It is not the page of a demo server that waits for a decision.
    #[error("the page has no Approve button (HTTP status {0})")]
    NoButton(StatusCode),
    /// The decision, or the redirect that followed it, was not accepted.
    #[error("the approval was answered with HTTP status {0}")]
    Answer(StatusCode),
    /// It took longer than ten seconds.
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

/// Opens an authorization URL or a complete verification URL of the demo server, presses Approve, and goes
/// where the answer leads: for the authorization code, to the listener of the program that asked.
///
/// Nothing but loopback addresses is ever connected to, and no proxy is used.
///
/// # Errors
///
/// When a URL on the way is not plain http on this machine, when nothing answers there or not within ten
/// seconds in all, when the page has no Approve button, or when the answer to it is not a success.
pub async fn approve(url: &Url) -> Result<(), DemoError> {
    let approval = async {
        let page = browse(Method::GET, url.clone(), "").await?;
        // Looking for the button is enough, since this is known of the form around it: it has no hidden
        // fields and posts to the URL of its page.
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

/// One request, and the redirects after it.
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

/// One request on its own connection. With the page comes the `Location` of a redirect.
async fn exchange(
    method: Method,
    url: Url,
    form: &'static str,
) -> Result<(Page, Option<String>), DemoError> {
    let addresses = loopback(&url).ok_or(DemoError::NotLoopback)?;
    // Without user name, the authority is host and port just as a Host header has them.
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
    // The connection has to be driven while the answer is read; what fails in it fails there as well.
    let (answer, _) = tokio::join!(answer, connection);
    let (status, text, location) = answer?;
    Ok((Page { url, status, text }, location))
}

/// Where to connect for this URL, if that is plain http on this machine.
fn loopback(url: &Url) -> Option<Vec<SocketAddr>> {
    if url.scheme() != "http" || !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    let addresses: Vec<IpAddr> = match url.host()? {
        Host::Ipv4(address) => vec![address.into()],
        Host::Ipv6(address) => vec![address.into()],
        // As browsers do, without asking the resolver.
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
