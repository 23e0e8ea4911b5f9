//! Why a request got no response: an error message and a fix for each cause.

use std::path::PathBuf;

/// The cause of an error if the server closes the connection during the TLS handshake.
const TLS_CLOSED: &str = "the connection was closed during the TLS handshake";

/// The reason that a request got no response.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The CA file of the settings can't be used.
    #[error("Can't use the CA file {path}: {reason}.", path = path.display())]
    CaFile {
        /// The path as entered.
        path: PathBuf,
        /// What is wrong with the file.
        reason: String,
    },
    /// The system's CA certificates can't be read.
    #[error("Can't use the system's CA certificates: {reason}.")]
    Authorities {
        /// What is wrong with the system's certificates.
        reason: String,
    },
    /// The private key of the client didn't sign, so nothing was sent.
    #[error("{reason}")]
    Unsigned {
        /// The reason, as a sentence.
        reason: String,
    },
    /// There was no connection, so nothing was sent.
    #[error("Can't connect to {host}: {cause}.")]
    Unreachable {
        /// Host and port.
        host: String,
        /// The end of the cause chain.
        cause: String,
    },
    /// A proxy setting is invalid, so nothing was sent.
    #[error("Can't use {variable}: {reason}.")]
    ProxySetting {
        /// The environment variable, or the settings of the system.
        variable: &'static str,
        /// What is wrong with the setting.
        reason: &'static str,
    },
    /// The proxy didn't connect to the service, so nothing was sent to the service.
    #[error("Can't connect to {host} through the proxy {proxy} ({setting}): {cause}.")]
    Proxy {
        /// Host and port.
        host: String,
        /// Host and port of the proxy.
        proxy: String,
        /// The setting that names the proxy.
        setting: &'static str,
        /// The proxy's response, or why there was none.
        cause: String,
        /// How to fix the problem.
        hint: &'static str,
    },
    /// The connection ended before the response was complete.
    #[error("The connection to {host} was lost before the response was complete: {cause}.")]
    Lost {
        /// Host and port.
        host: String,
        /// The end of the cause chain.
        cause: String,
    },
    /// The response can't be read as HTTP.
    #[error("{host} sent a response that is not valid HTTP: {cause}.")]
    NotHttp {
        /// Host and port.
        host: String,
        /// What is wrong with the response.
        cause: &'static str,
        /// How to fix the problem.
        hint: &'static str,
    },
    /// The response did not arrive in time.
    #[error("{host} did not respond in time.")]
    TimedOut {
        /// Host and port.
        host: String,
    },
    /// The server doesn't use TLS, or no secure version of it.
    #[error("Can't establish a secure connection to {host}: {cause}.")]
    Tls {
        /// Host and port.
        host: String,
        /// What went wrong.
        cause: String,
        /// How to fix the problem.
        hint: &'static str,
    },
    /// The server's certificate can't be trusted.
    #[error("The certificate of {host} is not trusted: {cause}.")]
    Certificate {
        /// Host and port.
        host: String,
        /// What is wrong with the certificate.
        cause: String,
        /// How to fix the problem.
        hint: &'static str,
    },
    /// The response is a redirect (a status of 3xx).
    #[error(
        "{host} redirects the request to {target}{said}. The program doesn't follow redirects, to protect your credentials.",
        said = .error.as_ref().map(|error| format!(" ({error})")).unwrap_or_default()
    )]
    Redirected {
        /// Host and port.
        host: String,
        /// The host, scheme or path that differs in the redirect target.
        target: String,
        /// The error in the query of the redirect target, if it contains one.
        error: Option<String>,
    },
    /// The body is larger than the limit.
    #[error("The response from {host} is larger than 1 MB.")]
    TooLarge {
        /// Host and port.
        host: String,
    },
}

impl HttpError {
    /// Creates the error of a connection that failed.
    pub(super) fn unreachable(host: String, cause: String) -> Self {
        // The words of the TLS library.
        let cause = match cause.as_str() {
            "tls handshake eof" => TLS_CLOSED.to_owned(),
            _ => cause,
        };
        Self::Unreachable { host, cause }
    }

    /// Returns whether the request may have been processed and only its response is missing. Without a connection,
    /// nothing was sent.
    #[must_use]
    pub fn is_lost_answer(&self) -> bool {
        match self {
            Self::Lost { .. }
            | Self::NotHttp { .. }
            | Self::TimedOut { .. }
            | Self::TooLarge { .. } => true,
            Self::CaFile { .. }
            | Self::Unsigned { .. }
            | Self::Unreachable { .. }
            | Self::ProxySetting { .. }
            | Self::Proxy { .. }
            | Self::Tls { .. }
            | Self::Certificate { .. }
            | Self::Authorities { .. }
            | Self::Redirected { .. } => false,
        }
    }

    /// Returns whether a mistake in the URL may be the cause.
    #[must_use]
    pub fn can_come_from_a_wrong_url(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::NotHttp { .. }
                | Self::TimedOut { .. }
                | Self::Tls { .. }
                | Self::Certificate { .. }
                | Self::Redirected { .. }
                | Self::TooLarge { .. }
        )
    }

    /// Returns how to fix the problem, in sentences.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::CaFile { .. } => {
                "Enter a readable file with certificates in PEM format, or leave CA file empty."
            }
            Self::Authorities { .. } => {
                "If SSL_CERT_FILE or SSL_CERT_DIR is set, unset it or set it to a readable file or directory. Otherwise \
                    install the system's CA certificates (package ca-certificates), or set CA file (--ca-file)."
            }
            Self::Unsigned { .. } => {
                "Nothing was sent. Correct the private key or the access to it, then try again."
            }
            Self::Unreachable { cause, .. } if cause == TLS_CLOSED => {
                "A firewall may block the connection, or the port doesn't use https. Check the scheme and port in the URL."
            }
            Self::Unreachable { .. } => {
                "Check the URL for typos, then check network, firewall and proxy."
            }
            Self::Lost { .. } | Self::TimedOut { .. } => {
                "Try again. If this continues, check the firewall and proxy settings."
            }
            Self::ProxySetting { .. } => {
                "Use the form http://user:password@host:port, with special characters in the user name and password \
                    percent-encoded (# as %23, % as %25, / as %2F, @ as %40, \\ as %5C), or unset it."
            }
            Self::Proxy { hint, .. }
            | Self::Certificate { hint, .. }
            | Self::Tls { hint, .. }
            | Self::NotHttp { hint, .. } => hint,
            Self::Redirected { .. } => {
                "Compare the URL with the service's documentation. Enter the other URL only if it is listed there."
            }
            Self::TooLarge { .. } => "Check that the URL is an endpoint of this service.",
        }
    }
}
