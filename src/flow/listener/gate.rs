//! What every listener takes, turns away and tells.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};

use http::Method;
use tokio::sync::oneshot;
use url::Url;

use crate::flow::pages::Page;
use crate::request::ListenAddress;
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
pub(crate) struct Gate {
    path: String,
    hosts: Vec<String>,
}

impl Gate {
    pub(crate) fn new(
        redirect_url: &Url,
        listen: Option<ListenAddress>,
        addresses: &[SocketAddr],
    ) -> Self {
        Self {
            path: redirect_url.path().to_owned(),
            hosts: hosts(redirect_url, listen, addresses),
        }
    }

    /// `Err` with what it is and the page for it, where a request is not a callback.
    pub(crate) fn judge(
        &self,
        method: &Method,
        path: &str,
        host: Option<&str>,
    ) -> Result<(), (Stray, Page)> {
        let right_host = host.is_some_and(|named| {
            self.hosts
                .iter()
                .any(|host| named.eq_ignore_ascii_case(host))
        });
        if path != self.path {
            Err((Stray::Path, Page::NotFound))
        } else if !right_host {
            Err((Stray::Host, Page::WrongHost))
        } else if method != Method::GET {
            Err((Stray::Method, Page::WrongMethod))
        } else {
            Ok(())
        }
    }
}
