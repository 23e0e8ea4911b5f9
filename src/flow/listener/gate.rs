//! Decides which requests a listener accepts, rejects and reports.

use std::net::{IpAddr, SocketAddr};

use http::uri::Authority;
use http::{Method, Request, Version, header};
use hyper::body::Body;
use tokio::sync::oneshot;
use url::Url;

use crate::clean::clean;
use crate::flow::pages::Page;
use crate::form::listen_address::ListenAddress;
use crate::oauth::pasted::has_state;
use crate::secret::{ExposeSecret, SecretString};

/// Maximum size of a form, in bytes. The headers, which include the query of a GET request, have the same limit.
pub(super) const FORM_BYTES: usize = 48 * 1024;

/// How the response reaches the redirect URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ResponseMode {
    /// In the query of a GET request. A posted form counts only if it is an error.
    #[default]
    Query,
    /// Like `Query`, or in a form that the browser posts (OAuth 2.0 Form Post Response Mode). The service's page posts
    /// the form, so `Origin` and `Sec-Fetch-Site` name another site: only the state shows whose response it is.
    FormPost,
}

/// A request for the redirect URL, or for a similar URL with a state. Its query or form decides which page the browser
/// gets.
#[derive(Debug)]
pub struct Arrival {
    /// The wrong place that it came to, if any. Its code must not be used then.
    pub astray: Option<Astray>,
    /// The query string, or the posted form. May contain a code.
    pub query: SecretString,
    /// Whether the response was posted as a form.
    pub posted: bool,
    /// Receives the page for the browser.
    pub answer: oneshot::Sender<Page>,
}

/// Any other request or connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stray {
    /// A request for another path, such as `/favicon.ico`.
    Path,
    /// A request with another method.
    Method,
    /// A response that was posted to the redirect URL, though the sign-in didn't request that.
    Post,
    /// A request for another host name.
    Host,
    /// A request from another machine.
    Remote,
    /// A connection without a request, a malformed, unfinished or oversized request, or one connection too many.
    Connection,
    /// A connection with TLS, which this listener doesn't use.
    Tls,
    /// A request without TLS, which this listener requires.
    NoTls,
}

impl Stray {
    /// All kinds, in the order of their declaration.
    pub(crate) const ALL: [Self; 8] = [
        Self::Path,
        Self::Method,
        Self::Post,
        Self::Host,
        Self::Remote,
        Self::Connection,
        Self::Tls,
        Self::NoTls,
    ];

    /// Returns what a connection is that starts with these bytes, if it fails.
    pub(super) fn of_failure(bytes: &[u8], has_tls: bool) -> Self {
        let method = bytes.split(|byte| *byte == b' ').next().unwrap_or_default();
        match bytes {
            // The start of a TLS record with a handshake (RFC 8446, section 5.1).
            [0x16, 3, ..] if !has_tls => Self::Tls,
            [_, ..] if has_tls && (method == b"GET" || method == b"POST") => Self::NoTls,
            _ => Self::Connection,
        }
    }
}

/// The place of a request that is not for the redirect URL, but may be the response to the sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Astray {
    /// `Path` or `Host`.
    pub stray: Stray,
    /// The path or host that it came to, and that of the redirect URL.
    to: String,
    right: String,
}

impl Astray {
    fn new(stray: Stray, to: &str, right: &str) -> Self {
        Self {
            stray,
            to: clean(to, 80),
            right: clean(right, 80),
        }
    }

    /// Returns what is wrong, as part of a sentence.
    #[must_use]
    pub fn reason(&self) -> String {
        let Self { stray, to, right } = self;
        match stray {
            Stray::Host if to.is_empty() => {
                format!("it names no host, but Redirect URL has {right}")
            }
            Stray::Host => format!("it came to {to}, but Redirect URL has {right}"),
            _ => format!("it came to the path {to}, but Redirect URL has {right}"),
        }
    }

    /// Returns the page for the browser.
    #[must_use]
    pub fn page(&self) -> Page {
        match self.stray {
            Stray::Host => Page::WrongHost,
            _ => Page::NotFound,
        }
    }

    /// Returns `astray` for a response with a state.
    ///
    /// # Errors
    /// Returns the kind of request and its page for any other request.
    pub(super) fn with_state(
        astray: Option<Self>,
        query: &SecretString,
    ) -> Result<Option<Self>, (Stray, Page)> {
        match astray {
            Some(astray) if !has_state(query.expose_secret()) => Err(astray.rejection()),
            astray => Ok(astray),
        }
    }

    /// Returns the kind of request and its page if it is not a response.
    pub(super) fn rejection(&self) -> (Stray, Page) {
        (self.stray, self.page())
    }
}

/// An event of the listener.
#[derive(Debug)]
pub enum ListenerEvent {
    /// A request for the redirect URL, with the right or a wrong response.
    Arrival(Arrival),
    /// Any other request or connection.
    Stray(Stray),
}

/// Splits an authority such as `localhost:8400` into host and port. Returns `None` if it contains user information or
/// anything else that isn't valid in a `Host` header.
fn split(authority: &str) -> Option<(&str, Option<u16>)> {
    let parsed: Authority = authority.parse().ok()?;
    let port = authority.strip_prefix(parsed.host())?;
    let host = &authority[..parsed.host().len()];
    match port.strip_prefix(':') {
        None => port.is_empty().then_some((host, None)),
        Some("") => Some((host, None)),
        Some(digits) if digits.bytes().all(|digit| digit.is_ascii_digit()) => {
            Some((host, Some(digits.parse().ok()?)))
        }
        Some(_) => None,
    }
}

/// The conditions for accepting a request.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    path: String,
    /// Host and port of the redirect URL.
    host: (String, u16),
    /// Address of the listener behind a proxy. The proxy may send this address as `Host`.
    listen: Option<IpAddr>,
    /// The port for a `Host` header without a port.
    default_port: u16,
    /// The scheme of the redirect URL; `None` behind a proxy, which may change the scheme.
    scheme: Option<String>,
    mode: ResponseMode,
}

impl Gate {
    pub(crate) fn new(
        redirect_url: &Url,
        listen: Option<ListenAddress>,
        mode: ResponseMode,
    ) -> Self {
        let default_port = if redirect_url.scheme() == "https" {
            443
        } else {
            80
        };
        let host = redirect_url.host_str().unwrap_or_default().to_owned();
        Self {
            path: redirect_url.path().to_owned(),
            host: (host, redirect_url.port().unwrap_or(default_port)),
            listen: listen.map(|listen| listen.ip),
            default_port,
            scheme: listen.is_none().then(|| redirect_url.scheme().to_owned()),
            mode,
        }
    }

    /// Returns whether the authority names the redirect URL's host. `local` is the address that accepted the request.
    fn is_ours(&self, authority: &str, local: Option<SocketAddr>) -> bool {
        split(authority).is_some_and(|(named, port)| {
            let (host, right) = &self.host;
            (named.eq_ignore_ascii_case(host) && port.unwrap_or(self.default_port) == *right)
                || local.is_some_and(|local| self.is_listener(named, port, local))
        })
    }

    /// Returns whether the authority is the listener's own address, which a proxy may send. Other names are rejected:
    /// any name can be made to resolve to this address (DNS rebinding).
    fn is_listener(&self, named: &str, port: Option<u16>, local: SocketAddr) -> bool {
        let Some(listen) = self.listen else {
            return false;
        };
        let address = named.trim_start_matches('[').trim_end_matches(']');
        let is_named = named.eq_ignore_ascii_case("localhost")
            || address.parse().is_ok_and(|address: IpAddr| {
                let address = address.to_canonical();
                [local.ip(), listen].contains(&address) || local.ip().to_canonical() == address
            });
        // A proxy omits the port if it is the default port of its scheme.
        is_named
            && port.map_or([80, 443].contains(&local.port()), |port| {
                port == local.port()
            })
    }

    /// Returns the wrong place of a request that may be a callback all the same.
    ///
    /// # Errors
    /// Returns the kind of request and its page if the request is not a callback.
    pub(crate) fn judge(
        &self,
        method: &Method,
        path: &str,
        host: Option<&str>,
        local: Option<SocketAddr>,
    ) -> Result<Option<Astray>, (Stray, Page)> {
        let astray = if !host.is_some_and(|host| self.is_ours(host, local)) {
            let (name, port) = &self.host;
            let right = if *port == self.default_port {
                name.clone()
            } else {
                format!("{name}:{port}")
            };
            Some(Astray::new(Stray::Host, host.unwrap_or_default(), &right))
        } else if path != self.path {
            Some(Astray::new(Stray::Path, path, &self.path))
        } else {
            None
        };
        match (method, astray) {
            (&Method::GET | &Method::POST, astray) => Ok(astray),
            (_, Some(astray)) => Err(astray.rejection()),
            (_, None) => Err((Stray::Method, Page::WrongMethod)),
        }
    }

    /// Returns an error if the posted content is not a form, or if the form is too large. `length` is the
    /// Content-Length, if it is known. Forms are read even if they weren't requested, because they may contain an error.
    pub(super) fn judge_form(
        &self,
        content_type: Option<&str>,
        length: Option<u64>,
    ) -> Result<(), (Stray, Page)> {
        let kind = content_type.unwrap_or_default().split(';').next();
        let kind = kind.unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            Err(match self.mode {
                ResponseMode::Query => (Stray::Post, Page::Posted),
                ResponseMode::FormPost => (Stray::Connection, Page::NoForm),
            })
        } else if length.is_some_and(|length| length > FORM_BYTES as u64) {
            Err((Stray::Connection, Page::TooLarge))
        } else {
            Ok(())
        }
    }

    /// Judges a request as parsed by hyper, which doesn't check some rules of HTTP/1.1: exactly one valid `Host` (RFC
    /// 9112, section 3.2), the authority of the target takes precedence (3.2.2), and a GET callback has no body.
    pub(crate) fn judge_request<B: Body>(
        &self,
        request: &Request<B>,
        local: Option<SocketAddr>,
    ) -> Result<Option<Astray>, (Stray, Page)> {
        const MALFORMED: (Stray, Page) = (Stray::Connection, Page::Malformed);
        let mut lines = request.headers().get_all(header::HOST).iter();
        let host = match (lines.next(), lines.next()) {
            (Some(line), None) => Some(line.to_str().map_err(|_| MALFORMED)?),
            (None, _) if request.version() < Version::HTTP_11 => None,
            _ => return Err(MALFORMED),
        };
        // An empty `Host` is valid, but names no host.
        if host.is_some_and(|host| !host.is_empty() && split(host).is_none()) {
            return Err(MALFORMED);
        }
        let (method, target) = (request.method(), request.uri());
        let host = match (target.scheme_str(), target.authority(), target.path()) {
            (None, None, path) if path.starts_with('/') => host,
            (Some(scheme), Some(authority), _) => {
                if split(authority.as_str()).is_none() {
                    return Err(MALFORMED);
                }
                let right = self.scheme.as_deref();
                let is_right = right.is_none_or(|right| scheme.eq_ignore_ascii_case(right));
                is_right.then_some(authority.as_str())
            }
            (None, Some(_), _) if method == Method::CONNECT => {
                return Err((Stray::Method, Page::WrongMethod));
            }
            (None, None, "*") if method == Method::OPTIONS => {
                return Err((Stray::Method, Page::WrongMethod));
            }
            _ => return Err(MALFORMED),
        };
        let astray = self.judge(method, target.path(), host, local)?;
        let content = if method == Method::POST {
            let mut lines = request.headers().get_all(header::CONTENT_TYPE).iter();
            let kind = match (lines.next(), lines.next()) {
                (Some(kind), None) => kind.to_str().ok(),
                _ => None,
            };
            self.judge_form(kind, request.body().size_hint().exact())
        } else if request.body().is_end_stream() {
            Ok(())
        } else {
            // No browser sends a body with GET, and it could hide another request.
            Err(MALFORMED)
        };
        match (content, astray) {
            (Ok(()), astray) => Ok(astray),
            (Err(_), Some(astray)) => Err(astray.rejection()),
            (Err(rejected), None) => Err(rejected),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]

    use http_body_util::Empty;
    use hyper::body::Bytes;

    use super::*;

    fn judged(redirect: &str, listen: bool, target: &str, host: &str) -> Option<Stray> {
        let listen = listen.then_some("127.0.0.1:8400");
        judged_at(redirect, listen, "127.0.0.1:8400", target, host)
    }

    fn judged_at(
        redirect: &str,
        listen: Option<&str>,
        local: &str,
        target: &str,
        host: &str,
    ) -> Option<Stray> {
        let listen = listen.map(|listen| listen.parse().unwrap());
        let gate = Gate::new(&Url::parse(redirect).unwrap(), listen, ResponseMode::Query);
        let request = Request::get(target).header(header::HOST, host);
        let request = request.body(Empty::<Bytes>::new()).unwrap();
        kind(gate.judge_request(&request, Some(local.parse().unwrap())))
    }

    fn kind(judged: Result<Option<Astray>, (Stray, Page)>) -> Option<Stray> {
        match judged {
            Ok(astray) => astray.map(|astray| astray.stray),
            Err((stray, _)) => Some(stray),
        }
    }

    #[test]
    fn response_at_a_similar_url_names_both_places() {
        let redirect = Url::parse("http://127.0.0.1:8400/cb").unwrap();
        let gate = Gate::new(&redirect, None, ResponseMode::Query);
        for (target, host, reason) in [
            ("/cb?state=s", "127.0.0.1:8400", None),
            (
                "/cb/?state=s",
                "127.0.0.1:8400",
                Some("it came to the path /cb/, but Redirect URL has /cb"),
            ),
            (
                "/CB?state=s",
                "127.0.0.1:8400",
                Some("it came to the path /CB, but Redirect URL has /cb"),
            ),
            (
                "//cb?state=s",
                "127.0.0.1:8400",
                Some("it came to the path //cb, but Redirect URL has /cb"),
            ),
            (
                "/?state=s",
                "127.0.0.1:8400",
                Some("it came to the path /, but Redirect URL has /cb"),
            ),
            (
                "/cb?state=s",
                "localhost:8400",
                Some("it came to localhost:8400, but Redirect URL has 127.0.0.1:8400"),
            ),
            (
                "/cb?state=s",
                "127.0.0.1",
                Some("it came to 127.0.0.1, but Redirect URL has 127.0.0.1:8400"),
            ),
            (
                "/cb?state=s",
                "",
                Some("it names no host, but Redirect URL has 127.0.0.1:8400"),
            ),
        ] {
            let request = Request::get(target).header(header::HOST, host);
            let request = request.body(Empty::<Bytes>::new()).unwrap();
            let astray = gate.judge_request(&request, None).unwrap();
            assert_eq!(
                astray.as_ref().map(Astray::reason).as_deref(),
                reason,
                "{target} {host}"
            );
            let Some(astray) = astray else { continue };
            let (stray, page) = astray.rejection();
            let judged = |query: &str| Astray::with_state(Some(astray.clone()), &query.into());
            assert_eq!(judged("code=c&state=s"), Ok(Some(astray.clone())));
            assert_eq!(judged("code=c"), Err((stray, page)));
        }
        // The place of a request with another method doesn't matter.
        let request = Request::put("/cb/?state=s").header(header::HOST, "127.0.0.1:8400");
        let request = request.body(Empty::<Bytes>::new()).unwrap();
        assert_eq!(
            gate.judge_request(&request, None),
            Err((Stray::Path, Page::NotFound))
        );
    }

    #[test]
    fn host_header_must_match_host_and_port() {
        for (redirect, host, expected) in [
            ("http://localhost/cb", "localhost", None),
            ("http://localhost/cb", "LocalHost", None),
            ("http://localhost/cb", "localhost:", None),
            ("http://localhost/cb", "localhost:80", None),
            ("http://localhost/cb", "localhost:443", Some(Stray::Host)),
            ("https://localhost/cb", "localhost", None),
            ("https://localhost/cb", "localhost:443", None),
            ("https://localhost/cb", "localhost:80", Some(Stray::Host)),
            ("http://localhost:8400/cb", "localhost:8400", None),
            ("http://localhost:8400/cb", "localhost", Some(Stray::Host)),
            (
                "http://localhost:8400/cb",
                "localhost:+8400",
                Some(Stray::Connection),
            ),
            ("http://[::1]:8400/cb", "[::1]:8400", None),
            ("http://[::1]:8400/cb", "::1:8400", Some(Stray::Connection)),
            ("http://[::1]/cb", "[::1]", None),
        ] {
            assert_eq!(
                judged(redirect, false, "/cb", host),
                expected,
                "{redirect} {host}"
            );
        }
    }

    #[test]
    fn request_target_without_path_is_not_a_callback() {
        for (method, target, expected) in [
            (Method::GET, "/cb", None),
            (Method::GET, "http://localhost:8400/cb", None),
            (Method::GET, "*", Some((Stray::Connection, Page::Malformed))),
            (
                Method::GET,
                "localhost:8400",
                Some((Stray::Connection, Page::Malformed)),
            ),
            (
                Method::OPTIONS,
                "*",
                Some((Stray::Method, Page::WrongMethod)),
            ),
            (
                Method::CONNECT,
                "localhost:8400",
                Some((Stray::Method, Page::WrongMethod)),
            ),
        ] {
            let redirect = Url::parse("http://localhost:8400/cb").unwrap();
            let gate = Gate::new(&redirect, None, ResponseMode::Query);
            let request = Request::builder().method(method.clone()).uri(target);
            let request = request.header(header::HOST, "localhost:8400");
            let request = request.body(Empty::<Bytes>::new()).unwrap();
            let judged = gate.judge_request(&request, Some("127.0.0.1:8400".parse().unwrap()));
            assert_eq!(judged.err(), expected, "{method} {target}");
        }
    }

    #[test]
    fn proxied_listener_accepts_both_hosts_and_schemes() {
        let redirect = "https://mail.example.org/cb";
        for (target, host, expected) in [
            ("/cb", "mail.example.org", None),
            ("/cb", "mail.example.org:443", None),
            ("/cb", "127.0.0.1:8400", None),
            ("/cb", "127.0.0.1", Some(Stray::Host)),
            ("/cb", "localhost:8400", None),
            ("/cb", "rebound.example:8400", Some(Stray::Host)),
            ("https://mail.example.org/cb", "127.0.0.1:8400", None),
            ("http://mail.example.org/cb", "127.0.0.1:8400", None),
            ("http://127.0.0.1:8400/cb", "mail.example.org", None),
            (
                "https://evil.example/cb",
                "mail.example.org",
                Some(Stray::Host),
            ),
        ] {
            assert_eq!(
                judged(redirect, true, target, host),
                expected,
                "{target} {host}"
            );
        }
    }

    #[test]
    fn proxied_listener_accepts_the_address_of_the_connection() {
        let redirect = "https://proxy.example/cb";
        for (listen, local, host, is_right) in [
            ("0.0.0.0:8400", "127.0.0.1:8400", "127.0.0.1:8400", true),
            ("0.0.0.0:8400", "127.0.0.1:8400", "LocalHost:8400", true),
            ("0.0.0.0:8400", "127.0.0.1:8400", "proxy.example", true),
            ("0.0.0.0:8400", "127.0.0.1:8400", "0.0.0.0:8400", true),
            (
                "0.0.0.0:8400",
                "127.0.0.1:8400",
                "[::ffff:127.0.0.1]:8400",
                true,
            ),
            ("0.0.0.0:8400", "192.168.1.5:8400", "192.168.1.5:8400", true),
            (
                "0.0.0.0:8400",
                "192.168.1.5:8400",
                "192.168.1.6:8400",
                false,
            ),
            (
                "0.0.0.0:8400",
                "192.168.1.5:8400",
                "192.168.1.5:8401",
                false,
            ),
            ("0.0.0.0:8400", "192.168.1.5:8400", "192.168.1.5", false),
            (
                "0.0.0.0:8400",
                "127.0.0.1:8400",
                "rebound.example:8400",
                false,
            ),
            ("0.0.0.0:8400", "127.0.0.1:8400", "localhost.:8400", false),
            (
                "0.0.0.0:8400",
                "127.0.0.1:8400",
                "127.0.0.1.nip.io:8400",
                false,
            ),
            ("0.0.0.0:80", "10.0.0.1:80", "10.0.0.1", true),
            (
                "[::]:8400",
                "[::ffff:127.0.0.1]:8400",
                "127.0.0.1:8400",
                true,
            ),
            ("[::]:8400", "[::1]:8400", "[::1]:8400", true),
            ("[::]:8400", "[::1]:8400", "[0:0::1]:8400", true),
            ("[::]:8400", "[::1]:8400", "127.0.0.1:8400", false),
        ] {
            let stray = judged_at(redirect, Some(listen), local, "/cb", host);
            let expected = (!is_right).then_some(Stray::Host);
            assert_eq!(stray, expected, "{listen} {local} {host}");
        }
        // Without a listen address, only the host of the redirect URL is accepted.
        let redirect = "http://localhost:8400/cb";
        let judged = |host| judged_at(redirect, None, "127.0.0.1:8400", "/cb", host);
        assert_eq!(judged("127.0.0.1:8400"), Some(Stray::Host));
    }

    #[test]
    fn http_1_1_requires_exactly_one_host_header() {
        let redirect = Url::parse("http://localhost:8400/cb").unwrap();
        let gate = Gate::new(&redirect, None, ResponseMode::Query);
        let judged = |target: &str, version, hosts: &[&str]| {
            let mut request = Request::get(target).version(version);
            for host in hosts {
                request = request.header(header::HOST, *host);
            }
            let request = request.body(Empty::<Bytes>::new()).unwrap();
            kind(gate.judge_request(&request, None))
        };
        let (old, new) = (Version::HTTP_10, Version::HTTP_11);
        let (right, whole) = ("localhost:8400", "http://localhost:8400/cb");
        for (target, version, hosts, expected) in [
            ("/cb", new, &[right][..], None),
            ("/cb", old, &[right], None),
            ("/cb", new, &[], Some(Stray::Connection)),
            // The request names no host, so it doesn't name the right host.
            ("/cb", old, &[], Some(Stray::Host)),
            (whole, old, &[], None),
            (whole, new, &[], Some(Stray::Connection)),
            ("/cb", new, &[right, right], Some(Stray::Connection)),
            ("/cb", old, &[right, right], Some(Stray::Connection)),
        ] {
            let judged = judged(target, version, hosts);
            assert_eq!(judged, expected, "{target} {version:?} {hosts:?}");
        }
    }

    #[test]
    fn form_must_be_url_encoded_and_within_the_limit() {
        let form = Some("application/x-www-form-urlencoded");
        let limit = FORM_BYTES as u64;
        for (kind, length, page) in [
            (form, None, None),
            (form, Some(0), None),
            (form, Some(limit), None),
            (form, Some(limit + 1), Some(Page::TooLarge)),
            (
                Some("Application/X-WWW-Form-URLencoded ; charset=utf-8"),
                None,
                None,
            ),
            (Some("multipart/form-data"), Some(0), Some(Page::NoForm)),
            (None, Some(0), Some(Page::NoForm)),
        ] {
            let redirect = Url::parse("http://localhost:8400/cb").unwrap();
            let judged = |mode| {
                let gate = Gate::new(&redirect, None, mode);
                gate.judge_form(kind, length).err().map(|(_, page)| page)
            };
            assert_eq!(judged(ResponseMode::FormPost), page, "{kind:?} {length:?}");
            let unrequested = page.map(|page| match page {
                Page::NoForm => Page::Posted,
                page => page,
            });
            assert_eq!(judged(ResponseMode::Query), unrequested, "{kind:?}");
        }
    }
}
