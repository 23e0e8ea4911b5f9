//! What every listener takes, turns away and tells.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};

use http::uri::Authority;
use http::{Method, Request, Version, header};
use hyper::body::Body;
use tokio::sync::oneshot;
use url::Url;

use crate::flow::pages::Page;
use crate::form::request::ListenAddress;
use crate::secret::SecretString;

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
    /// HTTP.sys refuses.
    #[error("{}", http_sys(.prefix, *.code))]
    HttpSys {
        /// What was to be registered.
        prefix: String,
        /// The code of Windows.
        code: u32,
    },
    /// HTTP.sys has no certificate for an https URL.
    #[error("No certificate is bound to {prefix}, so a browser cannot come back there.")]
    NotBound {
        /// What was to be registered.
        prefix: String,
    },
    /// HTTP.sys was asked for where there is none.
    #[error("HTTP.sys is a part of Windows, and this is another system.")]
    NoHttpSys,
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

/// What a code of HTTP.sys means when a URL is registered.
fn http_sys(prefix: &str, code: u32) -> String {
    match code {
        5 => format!("Windows does not let this user listen on {prefix} (access denied)."),
        183 => format!("Another program listens on {prefix} already."),
        32 => format!("The port of {prefix} is in use by another program."),
        87 => format!("HTTP.sys does not accept the URL {prefix}."),
        2 | 1058 | 1060 | 1062 | 1075 => {
            format!("The HTTP service of Windows is not running (code {code}).")
        }
        1 => format!(
            "HTTP.sys cannot listen on {prefix} (code 1): https needs a certificate binding."
        ),
        code => format!("HTTP.sys cannot listen on {prefix} (code {code})."),
    }
}

impl ListenError {
    #[must_use]
    /// What the system's error means for a socket.
    pub fn new(ip: IpAddr, port: u16, error: &std::io::Error) -> Self {
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
            Self::NotAllowed { .. } if cfg!(windows) => {
                "Windows keeps this port for itself or for another program. Take another port in the Redirect URL, \
                 and register that with the service."
            }
            Self::NotAllowed { .. } => {
                "Take a port above 1023 in the Redirect URL, and register that with the service."
            }
            Self::HttpSys { code: 5, .. } => {
                "Open Configure… and choose Set up: as administrator it reserves the URL for this user. Or use a Redirect URL \
                 below http://localhost:80/Temporary_Listen_Addresses/, which needs none."
            }
            Self::HttpSys { code: 183, .. } => {
                "End that program, or take another port or path in the Redirect URL and register it with the service."
            }
            Self::HttpSys { code: 32, .. } => {
                "Another program has the port without HTTP.sys. End it, or take another port in the Redirect URL."
            }
            Self::HttpSys { code: 87, .. } => {
                "Correct the Redirect URL: host name, port and path, without a query."
            }
            Self::HttpSys {
                code: 2 | 1058 | 1060 | 1062 | 1075,
                ..
            } => {
                "Start the service as an administrator: net start http. Or use --listener loopback."
            }
            Self::HttpSys { .. } => "Start with --listener loopback, which does without HTTP.sys.",
            Self::NotBound { .. } => {
                "Open Configure…, choose a certificate of this machine, and Set up. Or start with --listener loopback, \
                 which can make a certificate of its own."
            }
            Self::NoHttpSys => "Leave out --listener httpsys.",
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
    /// From another machine.
    Remote,
    /// No request, a malformed, unfinished or oversized one, or one too many.
    Connection,
}

impl Stray {
    /// Each kind, in their order.
    pub(crate) const ALL: [Self; 5] = [
        Self::Path,
        Self::Method,
        Self::Host,
        Self::Remote,
        Self::Connection,
    ];
}

/// News from the listener.
#[derive(Debug)]
pub enum News {
    /// A callback, right or wrong.
    Arrival(Arrival),
    /// Anything else.
    Stray(Stray),
}

/// The host and the port of an authority such as `localhost:8400`; `None` for user information or anything else that
/// no `Host` header may hold.
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

/// What a request must look like to be looked at.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    path: String,
    /// Hosts and ports that are right: the redirect URL's, and behind a proxy also those of the listener itself.
    hosts: Vec<(String, u16)>,
    /// The port that a `Host` header without one means.
    default_port: u16,
    /// The scheme of the redirect URL; `None` behind a proxy, which may translate it.
    scheme: Option<String>,
}

impl Gate {
    pub(crate) fn new(
        redirect_url: &Url,
        listen: Option<ListenAddress>,
        addresses: &[SocketAddr],
    ) -> Self {
        let default_port = if redirect_url.scheme() == "https" {
            443
        } else {
            80
        };
        let host = redirect_url.host_str().unwrap_or_default().to_owned();
        let own = addresses.iter().filter(|_| listen.is_some());
        let own = own.map(|address| match address.ip() {
            IpAddr::V4(ip) => (ip.to_string(), address.port()),
            IpAddr::V6(ip) => (format!("[{ip}]"), address.port()),
        });
        Self {
            path: redirect_url.path().to_owned(),
            hosts: std::iter::once((host, redirect_url.port().unwrap_or(default_port)))
                .chain(own)
                .collect(),
            default_port,
            scheme: listen.is_none().then(|| redirect_url.scheme().to_owned()),
        }
    }

    fn is_ours(&self, authority: &str) -> bool {
        split(authority).is_some_and(|(named, port)| {
            let port = port.unwrap_or(self.default_port);
            self.hosts
                .iter()
                .any(|(host, right)| named.eq_ignore_ascii_case(host) && port == *right)
        })
    }

    /// `Err` with what it is and the page for it, where a request is not a callback.
    pub(crate) fn judge(
        &self,
        method: &Method,
        path: &str,
        host: Option<&str>,
    ) -> Result<(), (Stray, Page)> {
        if !host.is_some_and(|host| self.is_ours(host)) {
            Err((Stray::Host, Page::WrongHost))
        } else if path != self.path {
            Err((Stray::Path, Page::NotFound))
        } else if method != Method::GET {
            Err((Stray::Method, Page::WrongMethod))
        } else {
            Ok(())
        }
    }

    /// The same for a request as hyper parses it, which leaves some rules of HTTP/1.1 to us: exactly one valid `Host`
    /// (RFC 9112, section 3.2), the authority of the target before it (3.2.2), and no body on a callback.
    pub(crate) fn judge_request<B: Body>(&self, request: &Request<B>) -> Result<(), (Stray, Page)> {
        const MALFORMED: (Stray, Page) = (Stray::Connection, Page::Malformed);
        let mut lines = request.headers().get_all(header::HOST).iter();
        let host = match (lines.next(), lines.next()) {
            (Some(line), None) => Some(line.to_str().map_err(|_| MALFORMED)?),
            (None, _) if request.version() < Version::HTTP_11 => None,
            _ => return Err(MALFORMED),
        };
        // An empty one is valid; it names nothing.
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
        self.judge(method, target.path(), host)?;
        // No browser sends one, and what hides in it is nobody's request.
        if request.body().is_end_stream() {
            Ok(())
        } else {
            Err(MALFORMED)
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test ends on what it did not expect")]

    use http_body_util::Empty;
    use hyper::body::Bytes;

    use super::*;

    fn judged(redirect: &str, listen: bool, target: &str, host: &str) -> Option<Stray> {
        let address: SocketAddr = "127.0.0.1:8400".parse().unwrap();
        let listen = listen.then(|| ListenAddress {
            ip: address.ip(),
            port: Some(address.port()),
        });
        let gate = Gate::new(&Url::parse(redirect).unwrap(), listen, &[address]);
        let request = Request::get(target).header(header::HOST, host);
        let request = request.body(Empty::<Bytes>::new()).unwrap();
        gate.judge_request(&request).err().map(|(stray, _)| stray)
    }

    #[test]
    fn a_host_is_compared_with_its_port() {
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
    fn behind_a_proxy_the_listener_has_two_names_and_either_scheme() {
        let redirect = "https://mail.example.org/cb";
        for (target, host, expected) in [
            ("/cb", "mail.example.org", None),
            ("/cb", "mail.example.org:443", None),
            ("/cb", "127.0.0.1:8400", None),
            ("/cb", "127.0.0.1", Some(Stray::Host)),
            ("/cb", "localhost:8400", Some(Stray::Host)),
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
}
