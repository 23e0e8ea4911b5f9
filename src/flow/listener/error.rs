//! The reasons that a listener can't listen, each with a fix.

use std::io::ErrorKind;
use std::net::IpAddr;

use url::Url;

use crate::httpsys::refused;

/// The reason that a listener can't listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Another program uses the port.
    #[error("Port {port} of {ip} is in use by another program.")]
    InUse {
        /// The address to listen on.
        ip: IpAddr,
        /// The port to listen on.
        port: u16,
    },
    /// The system doesn't allow this account to listen on the port.
    #[error("Your account isn't allowed to listen on port {port} of {ip}.")]
    NotAllowed {
        /// The address to listen on.
        ip: IpAddr,
        /// The port to listen on.
        port: u16,
    },
    /// The address is not an address of this machine.
    #[error("{ip} is not an address of this machine.")]
    NotHere {
        /// The address to listen on.
        ip: IpAddr,
    },
    /// HTTP.sys rejected the registration.
    #[error("{}", refused::reason(.prefix, *.code))]
    HttpSys {
        /// The URL prefix that was to be registered.
        prefix: String,
        /// The Windows error code.
        code: u32,
    },
    /// HTTP.sys compares unescaped paths, so it would never match a prefix with escaped characters.
    #[error("HTTP.sys doesn't accept the escaped characters (%) in the path of {prefix}.")]
    Escaped {
        /// The URL prefix that was to be registered.
        prefix: String,
    },
    /// HTTP.sys has no certificate for an https URL.
    #[error("No certificate is bound to {prefix}, so a browser can't return there.")]
    NotBound {
        /// The URL prefix that was to be registered.
        prefix: String,
    },
    /// HTTP.sys was requested on a system that doesn't have it.
    #[error("HTTP.sys is only available on Windows.")]
    NoHttpSys,
    /// Any other error of the system.
    #[error("Listening on port {port} of {ip} failed: {cause}.")]
    Other {
        /// The address to listen on.
        ip: IpAddr,
        /// The port to listen on.
        port: u16,
        /// The system's error message.
        cause: String,
    },
}

impl ListenError {
    /// Converts an I/O error of a socket.
    #[must_use]
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

    /// Returns the note that the loopback listener is used at `url` instead of HTTP.sys, in sentences; `None` if that
    /// wouldn't help. With `any_port`, the port changes with each sign-in, so no URL can be reserved.
    #[must_use]
    pub fn instead(&self, url: &Url, any_port: bool) -> Option<String> {
        match self {
            Self::HttpSys {
                code: code @ refused::ACCESS_DENIED,
                ..
            } => {
                let set_up = if any_port {
                    ""
                } else {
                    " To use HTTP.sys, set it up with Configure… (oauth-authorizer configure setup)."
                };
                Some(format!(
                    "Windows doesn't allow your account to use HTTP.sys for {url} (code {code}), so the program uses its own \
                     listener. The sign-in works the same.{set_up}"
                ))
            }
            Self::Escaped { .. } => Some(format!(
                "HTTP.sys doesn't accept escaped characters (%) in a path, so the program uses its own listener for {url}."
            )),
            _ => None,
        }
    }

    /// Returns how to fix the problem, in sentences.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::InUse { .. } => {
                "Stop that program, or choose another port and register it with the service. Port 0 picks a free port, if the \
                 service allows any port."
            }
            Self::NotAllowed { .. } if cfg!(windows) => {
                "Windows reserves this port for itself or for another program. Choose another port and register it with the \
                 service."
            }
            Self::NotAllowed { .. } => "Choose a port above 1023 and register it with the service.",
            Self::HttpSys { code, .. } => refused::remedy(*code),
            Self::Escaped { .. } => {
                "Use only letters, digits, - and _ in the path of Redirect URL, and register that URL with the service. Or start \
                 with --listener loopback."
            }
            Self::NotBound { .. } => {
                "Set up a certificate of this machine with Configure… (oauth-authorizer configure setup). Or start with \
                    --listener loopback, which can create its own certificate."
            }
            Self::NoHttpSys => "Omit --listener httpsys.",
            Self::NotHere { .. } => {
                "Use 127.0.0.1 or localhost, or correct the Listen address (--listen-address)."
            }
            Self::Other { .. } => "Choose another port in Redirect URL.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hint_for_forbidden_port_depends_on_the_system() {
        let ip = std::net::Ipv4Addr::LOCALHOST.into();
        let hint = ListenError::NotAllowed { ip, port: 80 }.hint();
        let words = if cfg!(windows) {
            "Windows reserves"
        } else {
            "above 1023"
        };
        assert!(hint.contains(words), "{hint}");
    }
}
