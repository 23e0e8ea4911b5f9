//! Parses and formats prefixes, endpoints and thumbprints, which HTTP.sys registers, reserves and binds.

use std::fmt::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use url::{ParseError, Url};

use crate::clean::is_clean;

/// Why a URL can't be a prefix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrefixError {
    /// The text is not a URL.
    #[error(
        "The redirect URL is not valid: {0}. Enter the full URL, such as http://localhost:8400/callback."
    )]
    Malformed(String),
    /// It has no scheme.
    #[error(
        "The redirect URL is not valid. Enter the full URL, such as http://localhost:8400/callback."
    )]
    Partial,
    /// The scheme is neither http nor https.
    #[error(
        "The program can listen only on a redirect URL that starts with http:// or https://. An app-specific URL or a urn: requires no \
         setup: paste the final URL or the code after you sign in."
    )]
    Scheme,
    /// The URL contains a user name or a fragment.
    #[error("The redirect URL must not contain a user name or a fragment (#). Remove it.")]
    Surplus,
    /// The host contains a `*`, which stands for many names.
    #[error("The host of a redirect URL can't be *. Enter one, such as localhost.")]
    Star,
}

/// A URL prefix, as HTTP.sys registers it for a redirect URL. It also tells other listeners where to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix {
    /// Whether the scheme is https.
    pub secure: bool,
    /// The host as in the URL; IPv6 addresses in brackets, `+` for all names.
    pub host: String,
    /// The port; the default port of the scheme if the URL contains none.
    pub port: u16,
    /// The path, which begins and ends with a slash.
    pub path: String,
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "https" } else { "http" };
        write!(f, "{scheme}://{}:{}{}", self.host, self.port, self.path)
    }
}

impl Prefix {
    /// Parses a redirect URL.
    ///
    /// # Errors
    /// Returns what is wrong with the URL.
    pub fn of(redirect_url: &str) -> Result<Self, PrefixError> {
        let text = redirect_url.trim();
        if !is_clean(text) || text.contains(char::is_whitespace) {
            return Err(PrefixError::Malformed(
                "it contains a space or an invisible character".to_owned(),
            ));
        }
        let url = Url::parse(text).map_err(|error| match error {
            ParseError::RelativeUrlWithoutBase => PrefixError::Partial,
            error => PrefixError::Malformed(error.to_string()),
        })?;
        let secure = match url.scheme() {
            "http" => false,
            "https" => true,
            _ => return Err(PrefixError::Scheme),
        };
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(PrefixError::Surplus);
        }
        let host = url.host_str().unwrap_or_default().to_owned();
        if host.contains('*') {
            return Err(PrefixError::Star);
        }
        let mut path = url.path().to_owned();
        if !path.ends_with('/') {
            path.push('/');
        }
        Ok(Self {
            secure,
            host,
            port: url.port_or_known_default().unwrap_or(80),
            path,
        })
    }

    /// Returns whether Windows reserves the prefix for all users.
    #[must_use]
    pub fn needs_no_set_up(&self) -> bool {
        let below = "/temporary_listen_addresses/";
        !self.secure && self.port == 80 && self.path.to_ascii_lowercase().starts_with(below)
    }

    /// Returns the prefix to register and to reserve. A URL that Windows reserves for all users is reserved for all
    /// host names (`+`), and a reservation applies only to the host in it.
    #[must_use]
    pub fn registered(&self) -> Self {
        let mut registered = self.clone();
        if self.needs_no_set_up() {
            "+".clone_into(&mut registered.host);
        }
        registered
    }

    /// Returns whether most versions of Windows let every user listen without a reservation: http, the host name
    /// localhost, and a port above 1024.
    #[must_use]
    pub fn is_free_for_all(&self) -> bool {
        !self.secure && self.host.eq_ignore_ascii_case("localhost") && self.port > 1024
    }

    /// Returns whether the path has an escaped character. HTTP.sys registers paths unchanged, but compares them
    /// decoded.
    #[must_use]
    pub fn is_escaped(&self) -> bool {
        self.path.contains('%')
    }

    /// Returns the URLs whose reservation covers this one, the closest first: the URL itself, and each parent path.
    #[must_use]
    pub fn covering(&self) -> Vec<Self> {
        let mut all = vec![self.clone()];
        let mut path = self.path.as_str();
        while let Some(at) = path.strip_suffix('/').and_then(|rest| rest.rfind('/')) {
            path = &path[..=at];
            all.push(Self {
                path: path.to_owned(),
                ..self.clone()
            });
        }
        all
    }

    /// Returns the endpoints for which HTTP.sys looks up a certificate when a browser on this machine connects, in this
    /// order: the address, the name, all addresses.
    #[must_use]
    pub fn lookups(&self) -> Vec<Endpoint> {
        let at = |ip: IpAddr| Endpoint::Address(SocketAddr::new(ip, self.port));
        let mut all = Vec::new();
        if let Some(ip) = self.address() {
            all.push(at(ip));
        } else {
            all.extend([
                at(Ipv4Addr::LOCALHOST.into()),
                at(Ipv6Addr::LOCALHOST.into()),
            ]);
            if self.host != "+" {
                all.push(Endpoint::Name {
                    host: self.host.clone(),
                    port: self.port,
                });
            }
        }
        all.extend([
            at(Ipv4Addr::UNSPECIFIED.into()),
            at(Ipv6Addr::UNSPECIFIED.into()),
        ]);
        all
    }

    /// Returns the host as an address, if it is one.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.host.trim_matches(['[', ']']).parse().ok()
    }

    /// Returns whether the host is this machine: localhost or a loopback address.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match self.address() {
            Some(address) => address.is_loopback(),
            None => self.host.eq_ignore_ascii_case("localhost"),
        }
    }
}

/// The connections that a certificate binding applies to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// An address and a port: `HTTP_SERVICE_CONFIG_SSL_KEY`.
    Address(SocketAddr),
    /// A host name and a port: `HTTP_SERVICE_CONFIG_SSL_SNI_KEY`.
    Name {
        /// The host name, as the browser sends it (SNI).
        host: String,
        /// The port of the binding.
        port: u16,
    },
}

impl fmt::Display for Endpoint {
    /// Formats the endpoint as netsh accepts it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(f, "ipport={address}"),
            Self::Name { host, port } => write!(f, "hostnameport={host}:{port}"),
        }
    }
}

/// A URL reservation (`HTTP_SERVICE_CONFIG_URLACL_SET`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlAcl {
    /// The URL prefix.
    pub prefix: String,
    /// The descriptor that says who may listen.
    pub sddl: String,
}

/// A certificate binding (`HTTP_SERVICE_CONFIG_SSL_SET` or, by name, `HTTP_SERVICE_CONFIG_SSL_SNI_SET`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SslBinding {
    /// The endpoint, which is the key of the entry.
    pub endpoint: Endpoint,
    /// The SHA-1 hash of the certificate.
    pub hash: [u8; 20],
    /// The ID of the program that the binding belongs to.
    pub app_id: u128,
    /// The name of the store that contains the certificate.
    pub store: &'static str,
}

/// A certificate binding that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundBinding {
    /// The hash of the certificate, of any length.
    pub hash: Vec<u8>,
    /// The ID of the program that the binding belongs to.
    pub app_id: u128,
    /// The name of the store that contains the certificate.
    pub store: String,
}

impl FoundBinding {
    /// Returns the hash as hexadecimal digits.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        hex(&self.hash)
    }
}

/// Formats bytes as hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    #[test]
    fn prefixes_have_an_explicit_port_and_a_trailing_slash() {
        for (url, prefix) in [
            (
                "http://localhost:8400/callback",
                "http://localhost:8400/callback/",
            ),
            (
                "http://localhost:8400/callback/",
                "http://localhost:8400/callback/",
            ),
            ("http://localhost:8400", "http://localhost:8400/"),
            ("http://localhost/", "http://localhost:80/"),
            ("https://localhost/a/b?x=1", "https://localhost:443/a/b/"),
            ("http://127.0.0.1:65535/", "http://127.0.0.1:65535/"),
            ("http://[::1]:1/cb", "http://[::1]:1/cb/"),
            ("https://[2001:DB8::1]/cb", "https://[2001:db8::1]:443/cb/"),
            (
                "https://sso.Example.org:8443/cb",
                "https://sso.example.org:8443/cb/",
            ),
            ("http://+:8400/cb", "http://+:8400/cb/"),
            ("http://bücher.example/", "http://xn--bcher-kva.example:80/"),
        ] {
            assert_eq!(Prefix::of(url).unwrap().to_string(), prefix, "{url}");
        }
    }

    #[test]
    fn invalid_redirect_urls_are_reported() {
        for (url, error) in [
            ("", "is not valid. Enter"),
            ("localhost:8400/", "starts with http"),
            ("callback", "is not valid. Enter"),
            ("http://", "is not valid: empty host. Enter"),
            ("http://local host/", "a space"),
            (
                "http://localhost:99999/",
                "is not valid: invalid port number. Enter",
            ),
            ("ftp://localhost/", "starts with http"),
            ("http://me@localhost/", "not contain a user name"),
            ("http://localhost/#x", "not contain a user name"),
            ("http://*:80/", "can't be *"),
        ] {
            let told = Prefix::of(url).unwrap_err().to_string();
            assert!(told.contains(error), "{url}: {told}");
        }
    }

    #[test]
    fn temporary_listen_addresses_need_no_set_up() {
        for (url, free) in [
            (
                "http://localhost/Temporary_Listen_Addresses/oauth-authorizer/",
                true,
            ),
            ("http://127.0.0.1/temporary_listen_addresses/x", true),
            ("http://localhost:80/Temporary_Listen_Addresses", true),
            ("http://localhost:8080/Temporary_Listen_Addresses/x", false),
            ("https://localhost:80/Temporary_Listen_Addresses/x", false),
            ("http://localhost/Temporary_Listen_AddressesX/", false),
            ("http://localhost/x/Temporary_Listen_Addresses/", false),
        ] {
            assert_eq!(Prefix::of(url).unwrap().needs_no_set_up(), free, "{url}");
        }
    }

    #[test]
    fn url_is_covered_by_its_parent_paths() {
        for (url, covering) in [
            ("http://localhost:1/", &["/"][..]),
            ("http://localhost:1/a/b", &["/a/b/", "/a/", "/"]),
            ("http://localhost:1//a//", &["//a//", "//a/", "//", "/"]),
        ] {
            let prefixes = Prefix::of(url).unwrap().covering();
            let paths: Vec<&str> = prefixes.iter().map(|prefix| &*prefix.path).collect();
            assert_eq!(paths, covering, "{url}");
            assert!(prefixes.iter().all(|prefix| prefix.port == 1));
        }
    }

    #[test]
    fn bindings_are_looked_up_by_address_name_then_wildcard() {
        let lookups = |url: &str| -> Vec<String> {
            let all = Prefix::of(url).unwrap().lookups();
            all.iter().map(ToString::to_string).collect()
        };
        let all = ["ipport=0.0.0.0:1", "ipport=[::]:1"];
        let both = ["ipport=127.0.0.1:1", "ipport=[::1]:1"];
        let name = ["hostnameport=localhost:1"];
        assert_eq!(
            lookups("https://localhost:1/"),
            [&both[..], &name, &all].concat()
        );
        assert_eq!(lookups("https://+:1/"), [both, all].concat());
        assert_eq!(lookups("https://127.0.0.1:1/"), [&both[..1], &all].concat());
    }
}
