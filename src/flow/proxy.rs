//! The proxy of the environment: which proxy a request uses, and why it failed.
//!
//! An invalid setting is an error. reqwest would ignore it and connect directly.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, StatusCode, Uri};
use hyper_util::client::proxy::matcher::Matcher;
use rustls::pki_types::ServerName;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::Url;

use super::http_error::HttpError;
use super::proxy_answer::{NO_HTTP, OTHER_SCHEME, Said};
use super::tls::trouble;
use super::tls_config;
use super::windows_proxy::WindowsProxy;
use crate::clean::{clean, system_reason};
use crate::secret::{ExposeSecret, SecretString};
use crate::store::file::read as file;

/// The environment variables for https. The first one that is set and not blank counts. reqwest itself would ignore
/// `https_proxy` if `HTTPS_PROXY` is empty.
pub(crate) const VARIABLES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
const EXCEPTIONS: [&str; 2] = ["NO_PROXY", "no_proxy"];
/// The name of the setting without such a variable.
const SYSTEM: &str = "the system's proxy settings";
/// The proxy schemes that reqwest supports.
const SCHEMES: [&str; 6] = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"];
/// How long to ask the proxy why it rejected the connection.
const ASKING_LIMIT: Duration = Duration::from_secs(5);

const CREDENTIALS: &str = "Add the proxy's user name and password to that setting: http://user:password@host:port (or its \
    scheme), with special characters percent-encoded.";
const CREDENTIALS_OF_SYSTEM: &str = "Set HTTPS_PROXY to the proxy with its user name and password: \
    http://user:password@host:port, with special characters percent-encoded.";
const REJECTED: &str = "The proxy rejected the user name and password in that setting. Correct them, with special characters \
    percent-encoded. If they are correct, ask its administrator whether it accepts them from programs (Basic \
    authentication).";
const BEYOND: &str =
    "The proxy can't reach the service. Check the host name in the URL, or try again later.";
const FORBIDDEN: &str = "The proxy doesn't allow this host. Ask its administrator, or add the host to NO_PROXY if it can be \
    reached directly.";
const REFUSED: &str = "The proxy doesn't allow this host, or can't reach it. Check the host name in the URL, or ask the proxy's \
    administrator.";
const NO_PROXY_SERVER: &str =
    "This is probably a web server, not a proxy. Check the host and the port in that setting.";
const SIGN_IN: &str = "The proxy requires a sign-in in a browser, or doesn't allow this host. Open any page in a browser on this \
    network, then try again, or ask the proxy's administrator.";
const BUSY: &str = "The proxy is busy. Try again later.";
const DOWN: &str = "Check that the proxy is running and the setting is correct, or add the host to NO_PROXY if it can be \
    reached directly.";
const TLS: &str = "If the proxy doesn't use TLS, write http:// instead of https:// in that setting. Otherwise this machine or CA \
    file (--ca-file) must trust its certificate.";
const RESOLVE: &str = "Check the host name in the URL. With socks5h:// (or socks4a://) in that setting, the proxy resolves \
    names.";

/// Returns why a proxy can't be connected to, as part of a sentence.
fn down(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::ConnectionRefused => "it refused the connection".to_owned(),
        ErrorKind::TimedOut => "it did not respond in time".to_owned(),
        ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof => {
            "it closed the connection".to_owned()
        }
        _ => system_reason(&clean(&error.to_string(), 200)).to_owned(),
    }
}

/// The proxy for a connection to a service.
#[derive(Debug)]
pub(super) struct Proxy {
    /// The setting that names the proxy.
    pub(super) setting: &'static str,
    /// The proxy's address, without user name and password.
    pub(super) address: String,
    /// The proxy as a URL, with user name and password; `None` if the settings of the system name it.
    pub(super) url: Option<SecretString>,
    /// The protocol of the proxy.
    scheme: String,
    /// Whether the setting contains a user name or a password.
    has_credentials: bool,
    /// The header with both, for an HTTP proxy.
    credentials: Option<HeaderValue>,
}

/// A proxy setting that can't be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    /// The environment variable, or the settings of the system.
    pub(super) variable: &'static str,
    /// What is wrong, as part of a sentence. Never contains the value, which may include a password.
    pub(super) reason: &'static str,
}

/// What is wrong with a value that is not an address.
const NO_ADDRESS: &str = "it is not an address such as http://host:port";

impl Unreadable {
    /// The setting doesn't contain an address.
    pub(super) fn no_address(variable: &'static str) -> Self {
        let reason = NO_ADDRESS;
        Self { variable, reason }
    }
}

impl From<Unreadable> for HttpError {
    fn from(wrong: Unreadable) -> Self {
        Self::ProxySetting {
            variable: wrong.variable,
            reason: wrong.reason,
        }
    }
}

/// Returns the proxy for a request to this https URL, or `None` for a direct connection.
pub(super) fn on_the_way_to(url: &Url) -> Result<Option<Proxy>, Unreadable> {
    choose(
        url,
        |name| std::env::var_os(name),
        &Matcher::from_system(),
        WindowsProxy::of_user().as_ref(),
    )
}

/// Returns whether `NO_PROXY` names the host of this URL, in any of the forms that curl and Go accept. reqwest itself ignores
/// `*.` and ports.
pub(super) fn is_direct(url: &Url) -> bool {
    is_excepted(url, &|name| std::env::var_os(name))
}

fn is_excepted(url: &Url, variable: &impl Fn(&str) -> Option<OsString>) -> bool {
    let Ok(uri) = url.as_str().parse::<Uri>() else {
        return false;
    };
    let value = first(&EXCEPTIONS, variable).map(|(_, value)| value);
    let Some(text) = value.and_then(|value| value.into_string().ok()) else {
        return false;
    };
    let port = url.port_or_known_default();
    let entries = text.split(|ch: char| ch == ',' || ch.is_whitespace());
    let entries: Vec<&str> = entries
        .filter_map(|entry| {
            let (host, number) = host_and_port(entry);
            let number = number.map(|number| number.parse().ok());
            number
                .is_none_or(|number| number.is_some() && number == port)
                .then_some(host)
        })
        .map(|entry| entry.trim_start_matches('[').trim_end_matches(']'))
        .collect();
    let any = Matcher::builder().all("http://proxy.invalid");
    any.no(entries.join(",")).build().intercept(&uri).is_none()
}

/// Returns the first of these variables that is set and not blank.
fn first(
    names: &[&'static str],
    variable: &impl Fn(&str) -> Option<OsString>,
) -> Option<(&'static str, OsString)> {
    let mut set = names
        .iter()
        .filter_map(|name| Some((*name, variable(name)?)));
    set.find(|(_, value)| value.to_str().is_none_or(|text| !text.trim().is_empty()))
}

/// Returns the entries of `NO_PROXY` that can't match any host, each with the reason, as part of a sentence.
pub(crate) fn useless_exceptions() -> Vec<(String, &'static str)> {
    useless(&|name| std::env::var_os(name))
}

fn useless(variable: &impl Fn(&str) -> Option<OsString>) -> Vec<(String, &'static str)> {
    let text = first(&EXCEPTIONS, variable).map(|(_, value)| value);
    let text = text.unwrap_or_default();
    let text = text.to_string_lossy();
    let entries = text.split(|ch: char| ch == ',' || ch.is_whitespace());
    let found = entries.filter_map(|entry| Some((clean(entry, 100), why_useless(entry)?)));
    found.collect()
}

/// Returns the host in an entry of `NO_PROXY`, without `*.`, and its port.
fn host_and_port(entry: &str) -> (&str, Option<&str>) {
    let entry = entry.strip_prefix("*.").unwrap_or(entry);
    match entry.rsplit_once(':') {
        // More colons are an IPv6 address without brackets.
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, Some(port)),
        _ => (entry, None),
    }
}

fn why_useless(entry: &str) -> Option<&'static str> {
    let (host, port) = host_and_port(entry);
    if entry.contains("://") {
        Some("it is a URL: enter only the host")
    } else if entry.contains(';') {
        Some("separate entries with commas")
    } else if port.is_some_and(|port| port.parse::<u16>().is_err()) {
        Some("its port is not a number up to 65535")
    } else if let Some((address, length)) = host.split_once('/') {
        let bits = match address.parse() {
            Ok(IpAddr::V4(_)) => 32,
            Ok(IpAddr::V6(_)) => 128,
            Err(_) => return Some("it has a path: enter only the host"),
        };
        let is_length = length.parse::<u8>().is_ok_and(|length| length <= bits);
        (!is_length).then_some("the number after / is not a valid prefix length")
    } else if host.contains('*') && entry != "*" {
        Some("* is allowed only alone or at its start, as in *.example.com")
    } else if host.ends_with('.') {
        Some("remove the period at its end")
    } else {
        None
    }
}

fn choose(
    url: &Url,
    variable: impl Fn(&str) -> Option<OsString>,
    system: &Matcher,
    windows: Option<&WindowsProxy>,
) -> Result<Option<Proxy>, Unreadable> {
    let Ok(uri) = url.as_str().parse::<Uri>() else {
        return Ok(None);
    };
    // Like reqwest: in a CGI script, a client could set the proxy variable.
    if is_excepted(url, &variable) || variable("REQUEST_METHOD").is_some() {
        return Ok(None);
    }
    let named = match (first(&VARIABLES, &variable), windows) {
        (None, Some(windows)) => match windows.on_the_way_to(url) {
            Some(address) => Some((SYSTEM, OsString::from(address))),
            None => return Ok(None),
        },
        (named, _) => named,
    };
    let (setting, value) = match &named {
        Some((variable, value)) => {
            let text = value.to_str().ok_or("it is not UTF-8");
            let url = text.and_then(|text| check(text).map(|()| with_scheme(text)));
            let wrong = |reason| Unreadable { variable, reason };
            (*variable, Some(url.map_err(wrong)?))
        }
        None => (SYSTEM, None),
    };
    let proxy = match &value {
        Some(value) => Matcher::builder()
            .all(value.expose_secret())
            .build()
            .intercept(&uri),
        None => system.intercept(&uri),
    };
    if value.is_some() && proxy.is_none() {
        return Err(Unreadable::no_address(setting));
    }
    Ok(proxy.map(|proxy| Proxy {
        setting,
        url: value,
        address: clean(proxy.uri().authority().map_or("", |it| it.as_str()), 100),
        scheme: proxy.uri().scheme_str().unwrap_or_default().to_owned(),
        has_credentials: proxy.basic_auth().is_some() || proxy.raw_auth().is_some(),
        credentials: proxy.basic_auth().cloned(),
    }))
}

/// Returns the proxy's URL. Without a scheme, the proxy uses http.
fn with_scheme(text: &str) -> SecretString {
    if text.contains("://") {
        text.into()
    } else {
        format!("http://{text}").into()
    }
}

/// Checks for a value that reqwest would ignore or misread. Returns what is wrong with it.
fn check(text: &str) -> Result<(), &'static str> {
    if text.contains(['"', '\'']) {
        return Err("it contains quotation marks");
    }
    if text.contains(['\r', '\n']) {
        return Err("it contains a line break, perhaps from a file with Windows line endings");
    }
    if text.contains(char::is_whitespace) {
        return Err("it contains a space");
    }
    if text.starts_with('\u{feff}') {
        return Err("it begins with a byte order mark (U+FEFF): remove that character");
    }
    if !text.is_ascii() {
        return Err("it contains a character that is not ASCII, which must be percent-encoded");
    }
    // A password may contain these characters.
    let address = text.rsplit('@').next().unwrap_or_default();
    let address = address.split_once("://").map_or(address, |(_, rest)| rest);
    let host = address.split(['/', '?', '#']).next().unwrap_or_default();
    if text.matches("://").count() > 1 || host.contains(['=', ';', ',']) {
        return Err("it is not one address, such as http://host:port");
    }
    let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
    if scheme == "socks" {
        return Err("socks:// doesn't name the version of SOCKS: write socks5h://");
    }
    if scheme.contains(|ch: char| ch.is_ascii_uppercase()) {
        return Err("its scheme is not lowercase");
    }
    if !SCHEMES.contains(&scheme) {
        return Err("only http, https, socks4, socks4a, socks5 and socks5h proxies are supported");
    }
    let path = rest
        .split(['?', '#'])
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    if path.contains('/') && [".pac", ".dat"].iter().any(|end| path.ends_with(end)) {
        return Err(
            "it is the URL of a PAC file, which is not supported: use the address of the proxy in that file",
        );
    }
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    if authority.contains(['#', '/', '?', '\\']) || authority.matches('@').count() > 1 {
        return Err("it contains a special character that is not percent-encoded");
    }
    let encoded = |part: &str| part.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
    if !authority.split('%').skip(1).all(encoded) {
        return Err("it contains a % that is not percent-encoded");
    }
    let parsed: Result<http::uri::Authority, _> = authority.parse();
    let Ok(parsed) = parsed else {
        return Err(NO_ADDRESS);
    };
    let host = authority.rsplit('@').next().unwrap_or_default();
    let port = host.strip_prefix(parsed.host()).unwrap_or_default();
    if parsed.host().is_empty() || (!port.is_empty() && parsed.port_u16().is_none()) {
        return Err(NO_ADDRESS);
    }
    Ok(())
}

impl Proxy {
    /// Returns why the proxy can't be used, as part of a sentence, and the fix. `cause` is all that reqwest reports: it
    /// lacks the status of an HTTP response, and says little about SOCKS.
    pub(super) async fn trouble(&self, url: &Url, cause: &str) -> (String, &'static str) {
        let asking = tokio::time::timeout(ASKING_LIMIT, self.ask(url));
        match asking.await {
            Ok(Ok(Said::Status(status))) if status != 200 => {
                let reason = StatusCode::from_u16(status).ok();
                let reason = reason.and_then(|status| status.canonical_reason());
                let answer = format!("it returned {status} {}", reason.unwrap_or_default());
                let hint = match status {
                    407 => self.credentials_hint(),
                    400 | 404 | 405 | 501 => NO_PROXY_SERVER,
                    408 | 429 => BUSY,
                    300..400 | 511 => SIGN_IN,
                    ..300 => DOWN,
                    500.. => BEYOND,
                    _ => FORBIDDEN,
                };
                (answer.trim_end().to_owned(), hint)
            }
            Ok(Ok(Said::Requires(schemes))) => (format!("it requires {schemes}"), OTHER_SCHEME),
            Ok(Ok(Said::Other(words, hint))) => (words.to_owned(), hint),
            Ok(Err(error)) => match error.kind() {
                ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof => (down(&error), NO_HTTP),
                _ => (down(&error), DOWN),
            },
            Err(_) => ("it did not respond in time".to_owned(), DOWN),
            Ok(Ok(_)) => self.trouble_beyond(cause),
        }
    }

    /// Returns why TLS with an https proxy fails, as part of a sentence, and the fix; `None` if that isn't the `cause` of a
    /// failed request.
    pub(super) async fn tls_trouble(&self, cause: &str) -> Option<(String, &'static str)> {
        if self.scheme != "https" {
            return None;
        }
        let config = file::aside(|| tls_config::trusting(Vec::new()))
            .await
            .ok()?;
        let connector = TlsConnector::from(Arc::new(config.ok()?.with_no_client_auth()));
        let place = self.place();
        let (host, _) = place.rsplit_once(':')?;
        let host = host.trim_matches(['[', ']']).to_owned();
        let name = ServerName::try_from(host).ok()?;
        let connect = async {
            let stream = TcpStream::connect(&place).await.ok()?;
            connector.connect(name, stream).await.err()
        };
        let error = tokio::time::timeout(ASKING_LIMIT, connect).await.ok()??;
        let found = trouble(error.get_ref()?.downcast_ref()?).cause;
        (found == cause).then(|| (format!("TLS with the proxy itself failed: {cause}"), TLS))
    }

    /// Does the same for a proxy that accepts connections but returned no status. `cause` says more only for SOCKS.
    fn trouble_beyond(&self, cause: &str) -> (String, &'static str) {
        let here = matches!(self.scheme.as_str(), "socks4" | "socks5");
        let Some(words) = cause.strip_prefix("SOCKS error: ") else {
            return if here && cause.contains("lookup") {
                (
                    "this machine can't resolve the host name".to_owned(),
                    RESOLVE,
                )
            } else if let Some(words) = cause.strip_prefix("tunnel error: ") {
                // TLS with the proxy works.
                if words.contains("authorization required") {
                    let words = self.credentials_words();
                    (words.to_owned(), self.credentials_hint())
                } else {
                    ("it did not connect to the service".to_owned(), REFUSED)
                }
            } else if self.scheme == "https" {
                (
                    cause.replace("operation timed out", "it did not respond in time"),
                    TLS,
                )
            } else {
                (cause.to_owned(), DOWN)
            };
        };
        let (words, hint) = match words {
            "server does not support user/pass authentication"
            | "server implements authentication incorrectly"
            | "credentials not accepted" => (self.credentials_words(), self.credentials_hint()),
            "connection not allowed" => ("it doesn't allow the connection", FORBIDDEN),
            "failed parsing server response" | "io error during SOCKS handshake" => {
                ("the server doesn't use SOCKS", DOWN)
            }
            "could not resolve to acceptable address type" => {
                ("this machine can't resolve the host name", RESOLVE)
            }
            "failed to create underlying connection" => ("can't connect to it", DOWN),
            other => (other, BEYOND),
        };
        (words.to_owned(), hint)
    }

    /// Returns that the proxy requires a user name and password, as part of a sentence.
    fn credentials_words(&self) -> &'static str {
        if self.has_credentials {
            "it rejected the user name and password"
        } else {
            "it requires a user name and password"
        }
    }

    /// Returns what to do if the proxy requires a user name and password.
    fn credentials_hint(&self) -> &'static str {
        if self.has_credentials {
            REJECTED
        } else if self.setting == SYSTEM {
            CREDENTIALS_OF_SYSTEM
        } else {
            CREDENTIALS
        }
    }

    /// Returns the proxy's address with its port, which may be the default port of the scheme.
    fn place(&self) -> String {
        let port = self.address.rsplit(']').next().unwrap_or_default();
        if port.contains(':') {
            return self.address.clone();
        }
        let port = match self.scheme.as_str() {
            "http" => 80,
            "https" => 443,
            _ => 1080,
        };
        format!("{}:{port}", self.address)
    }

    /// Sends one more CONNECT request for `url` to an HTTP proxy, and returns what it responds. Only connects to
    /// other proxies, without sending anything.
    async fn ask(&self, url: &Url) -> std::io::Result<Said> {
        let target = format!(
            "{}:{}",
            url.host_str().unwrap_or_default(),
            url.port_or_known_default().unwrap_or(443)
        );
        let mut stream = TcpStream::connect(self.place()).await?;
        if self.scheme != "http" {
            return Ok(Said::Nothing);
        }
        let head = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
        stream.write_all(head.as_bytes()).await?;
        if let Some(credentials) = &self.credentials {
            stream.write_all(b"Proxy-Authorization: ").await?;
            stream.write_all(credentials.as_bytes()).await?;
            stream.write_all(b"\r\n").await?;
        }
        stream.write_all(b"\r\n").await?;
        Said::read(stream).await
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    use super::*;
    use crate::flow::proxy_answer::{NO_HTTP, NOT_PLAIN, SOCKS, SSH};
    use crate::flow::windows_proxy;

    fn chosen(variables: &[(&str, &str)], host: &str) -> Result<Option<Proxy>, Unreadable> {
        let value = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let matcher = Matcher::builder().build();
        let url = Url::parse(&format!("https://{host}/token")).unwrap();
        choose(&url, |name| value(name).map(OsString::from), &matcher, None)
    }

    #[test]
    fn invalid_setting_error_names_variable_but_not_value() {
        for value in [
            "http://dom\\user:p#w/1@127.0.0.1:3128",
            "http://user:p#w@127.0.0.1:3128",
            "http://user:1/w@127.0.0.1:3128",
            "http://user:1?w@127.0.0.1:3128",
            "http://us@er:pw@127.0.0.1:3128",
            "http://user:100%@127.0.0.1:3128",
            "\"http://127.0.0.1:3128\"",
            "'http://127.0.0.1:3128'",
            "http://127.0.0.1:3128 ",
            " http://127.0.0.1:3128",
            "http://us\u{1}er:pw@127.0.0.1:3128",
            "http://us\u{9f}er:pw@127.0.0.1:3128",
            "http://127.0.0.1:3128\u{7f}",
            "ftp://127.0.0.1:3128",
            "HTTP://127.0.0.1:3128",
            "SOCKS5H://127.0.0.1:1080",
            "http://",
            "http://:3128",
            "http://127.0.0.1:port",
            "http://127.0.0.1:99999",
            "127.0.0.1:3128/path",
        ] {
            for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
                let wrong = chosen(&[(variable, value)], "as.example").unwrap_err();
                assert_eq!(wrong.variable, variable, "{value}");
                assert!(!wrong.reason.contains("127.0.0.1"), "{wrong:?}");
            }
            // An invalid setting doesn't matter if the proxy isn't used.
            let exempt = [("HTTPS_PROXY", value), ("NO_PROXY", ".example")];
            assert!(chosen(&exempt, "as.example").unwrap().is_none());
        }
    }

    #[test]
    fn proxy_and_its_environment_variable_are_identified() {
        for (variables, setting, address) in [
            (
                &[("HTTPS_PROXY", "http://u:p%23w@proxy.lan:3128")][..],
                "HTTPS_PROXY",
                "proxy.lan:3128",
            ),
            (
                &[("https_proxy", "127.0.0.1:3128"), ("ALL_PROXY", "x y")],
                "https_proxy",
                "127.0.0.1:3128",
            ),
            (
                &[
                    ("HTTPS_PROXY", ""),
                    ("ALL_PROXY", "socks5h://127.0.0.1:1080"),
                ],
                "ALL_PROXY",
                "127.0.0.1:1080",
            ),
            (
                &[("all_proxy", "socks5://[::1]:1080/")],
                "all_proxy",
                "[::1]:1080",
            ),
            (
                &[("HTTPS_PROXY", " "), ("https_proxy", "proxy.lan:3128")],
                "https_proxy",
                "proxy.lan:3128",
            ),
            (
                &[("ALL_PROXY", ""), ("all_proxy", "proxy.lan:3128")],
                "all_proxy",
                "proxy.lan:3128",
            ),
        ] {
            let proxy = chosen(variables, "as.example").unwrap().unwrap();
            assert_eq!((proxy.setting, proxy.address.as_str()), (setting, address));
            let url = proxy.url.unwrap();
            assert!(url.expose_secret().contains("://"));
        }
        for blank in ["", " ", "\t"] {
            let all = VARIABLES.map(|name| (name, blank));
            assert!(chosen(&all, "as.example").unwrap().is_none());
            let excepted = [
                ("HTTPS_PROXY", "proxy.lan:3128"),
                ("NO_PROXY", blank),
                ("no_proxy", "as.example"),
            ];
            assert!(chosen(&excepted, "as.example").unwrap().is_none());
        }
        assert!(chosen(&[], "as.example").unwrap().is_none());
    }

    #[test]
    fn windows_settings_are_used_without_a_variable() {
        let url = Url::parse("https://as.example/token").unwrap();
        let none = Matcher::builder().build();
        let chosen = |servers: &str, exceptions: &str, variable: Option<&str>| {
            let windows = windows_proxy::tests::settings(servers, exceptions);
            let variable = |name: &str| {
                variable
                    .filter(|_| name == "HTTPS_PROXY")
                    .map(OsString::from)
            };
            choose(&url, variable, &none, Some(&windows))
        };
        let found = chosen("http=a:80;https=b:81", "", None).unwrap().unwrap();
        assert_eq!((found.setting, found.address.as_str()), (SYSTEM, "b:81"));
        assert_eq!(found.url.unwrap().expose_secret(), "http://b:81");
        assert!(chosen("b:81", "*.example", None).unwrap().is_none());
        let found = chosen("b:81", "*.example", Some("c:82")).unwrap().unwrap();
        assert_eq!(
            (found.setting, found.address.as_str()),
            ("HTTPS_PROXY", "c:82")
        );
        let wrong = chosen("b:port", "", None).unwrap_err();
        assert_eq!(wrong.variable, SYSTEM);
    }

    #[tokio::test]
    async fn proxy_status_is_requested_and_reported() {
        for (answer, told) in [
            (
                "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n",
                "it returned 407 Proxy Authentication Required",
            ),
            (
                "HTTP/1.0 403 Forbidden\r\n\r\n<html>",
                "it returned 403 Forbidden",
            ),
            ("HTTP/1.0 200 OK\r\n\r\n", "tunnel error"),
            ("what?", "its response is not HTTP"),
            ("", "it closed the connection without a response"),
        ] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let asked = tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    stream.read_buf(&mut request).await.unwrap();
                }
                stream.write_all(answer.as_bytes()).await.unwrap();
                String::from_utf8(request).unwrap()
            });
            let value = format!("http://me:pw@{address}");
            let proxy = chosen(&[("HTTPS_PROXY", &value)], "as.example")
                .unwrap()
                .unwrap();
            let url = Url::parse("https://as.example/token?x").unwrap();
            let (cause, _) = proxy.trouble(&url, "tunnel error").await;
            assert_eq!(cause, told, "{answer}");
            let asked = asked.await.unwrap();
            assert!(
                asked.starts_with("CONNECT as.example:443 HTTP/1.1\r\n"),
                "{asked}"
            );
            assert!(
                asked.contains("Proxy-Authorization: Basic bWU6cHc=\r\n"),
                "{asked}"
            );
        }
    }

    #[test]
    fn no_proxy_accepts_the_syntax_of_other_programs() {
        for (exceptions, host, is_direct) in [
            ("*.example", "as.example", true),
            ("*.example", "a.b.example", true),
            (".example", "as.example", true),
            ("example", "as.example", true),
            ("as.example", "as.example", true),
            ("as.example:443", "as.example", true),
            ("*.example:8443", "as.example:8443", true),
            ("localhost, *.example", "as.example", true),
            ("localhost *.example", "as.example", true),
            ("*", "as.example", true),
            ("10.0.0.0/8", "10.1.2.3", true),
            ("10.1.2.3:443", "10.1.2.3", true),
            ("[fd00::1]:443", "[fd00::1]", true),
            ("[fd00::1]", "[fd00::1]", true),
            ("fd00::1", "[fd00::1]", true),
            ("fd00::/8", "[fd00::1]", true),
            ("as.example:8443", "as.example", false),
            ("as.example:port", "as.example", false),
            ("*.other", "as.example", false),
            ("s.example", "as.example", false),
            ("10.0.0.0/8", "11.1.2.3", false),
            ("", "as.example", false),
        ] {
            let variables = [
                ("HTTPS_PROXY", "http://proxy.lan:3128"),
                ("NO_PROXY", exceptions),
            ];
            let url = Url::parse(&format!("https://{host}/token")).unwrap();
            let excepted = is_excepted(&url, &|name: &str| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| OsString::from(value))
            });
            assert_eq!(excepted, is_direct, "{exceptions}: {host}");
        }
        // reqwest's own reading doesn't count.
        let variables = [
            ("HTTPS_PROXY", "http://proxy.lan:3128"),
            ("NO_PROXY", "*.example"),
        ];
        assert!(chosen(&variables, "as.example").unwrap().is_none());
    }

    #[test]
    fn reason_names_what_is_wrong_with_the_setting() {
        for (text, reason) in [
            ("socks://proxy.lan:1080/", "write socks5h://"),
            ("http://a.lan:1,http://b.lan:2", "not one address"),
            ("http=a.lan:1;https=a.lan:1", "not one address"),
            ("https=a.lan:1", "not one address"),
            ("a.lan:1;b.lan:2", "not one address"),
            ("\u{feff}http://a.lan:1", "byte order mark"),
            ("http://j\u{f6}:x@a.lan:1", "not ASCII"),
        ] {
            let told = check(text).unwrap_err();
            assert!(told.contains(reason), "{text}: {told}");
        }
        assert_eq!(check("http://user:http=1;https=2,3@proxy.lan:8080"), Ok(()));
    }

    #[test]
    fn useless_no_proxy_entry_is_reported_with_the_reason() {
        for (entry, reason) in [
            ("a.example;b.example", "commas"),
            ("https://as.example", "a URL"),
            ("as.example.", "period"),
            ("10.0.0.0/33", "prefix length"),
            ("10.1.1.1/x", "prefix length"),
            ("fd00::/129", "prefix length"),
            ("as.example/path", "a path"),
            ("as.example:port", "port"),
            ("as.example:99999", "port"),
            ("as.*.example", "* is allowed only"),
            ("*example", "* is allowed only"),
        ] {
            let found =
                useless(&|name| (name == "NO_PROXY").then(|| format!("ok.example,{entry}").into()));
            let [(named, why)] = found.as_slice() else {
                unreachable!("{entry}: {found:?}")
            };
            assert_eq!(named, entry);
            assert!(why.contains(reason), "{entry}: {why}");
        }
        let fine = "*,.example,*.example,example:443,10.0.0.0/8,fd00::/8,fd00::1,[fd00::1]:443 localhost,,";
        assert_eq!(useless(&|_| Some(fine.into())), []);
        assert_eq!(useless(&|_| None), []);
    }

    #[test]
    fn url_of_a_pac_file_is_reported() {
        for (value, is_pac) in [
            ("http://proxy.lan:8080/proxy.pac", true),
            ("http://wpad.lan/wpad.dat?x=1", true),
            ("http://proxy.lan/path", false),
            ("http://proxy.pac", false),
        ] {
            let wrong = chosen(&[("HTTPS_PROXY", value)], "as.example").err();
            let is_named = wrong.is_some_and(|wrong| wrong.reason.contains("PAC file"));
            assert_eq!(is_named, is_pac, "{value}");
        }
    }

    #[test]
    fn whitespace_in_a_setting_is_reported() {
        for value in ["http://127.0.0.1:3128 ", "http://us er:pw@127.0.0.1:3128"] {
            let wrong = chosen(&[("HTTPS_PROXY", value)], "as.example").unwrap_err();
            assert_eq!(wrong.reason, "it contains a space");
        }
        for value in ["http://127.0.0.1:3128\r", "http://127.0.0.1:3128\n"] {
            let wrong = chosen(&[("HTTPS_PROXY", value)], "as.example").unwrap_err();
            assert!(wrong.reason.contains("a line break"), "{}", wrong.reason);
        }
    }

    /// Creates a proxy with this setting.
    fn proxy(value: &str) -> Proxy {
        let chosen = chosen(&[("HTTPS_PROXY", value)], "as.example");
        chosen.unwrap().unwrap()
    }

    #[tokio::test]
    async fn proxy_is_blamed_only_for_its_own_tls_errors() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let plain = tokio::spawn(async move {
            for _ in 0..2 {
                let (mut stream, _) = listener.accept().await.unwrap();
                stream
                    .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                    .await
                    .unwrap();
            }
        });
        let secure = proxy(&format!("https://{address}"));
        let (cause, hint) = secure
            .tls_trouble("the server doesn't use TLS")
            .await
            .unwrap();
        assert!(
            cause.starts_with("TLS with the proxy itself failed: "),
            "{cause}"
        );
        assert_eq!(hint, TLS);
        assert!(secure.tls_trouble("it has expired").await.is_none());
        plain.await.unwrap();
        // Without TLS to the proxy, the error is that of the service.
        let plain = proxy(&format!("http://{address}"));
        assert!(
            plain
                .tls_trouble("the server doesn't use TLS")
                .await
                .is_none()
        );
    }

    #[test]
    fn proxy_port_defaults_to_that_of_its_scheme() {
        for (value, place) in [
            ("http://proxy.lan", "proxy.lan:80"),
            ("https://proxy.lan", "proxy.lan:443"),
            ("socks5h://proxy.lan", "proxy.lan:1080"),
            ("http://[::1]", "[::1]:80"),
            ("http://[::1]:3128", "[::1]:3128"),
            ("http://proxy.lan:3128", "proxy.lan:3128"),
        ] {
            assert_eq!(proxy(value).place(), place, "{value}");
        }
    }

    #[test]
    fn proxy_failure_is_described_in_words() {
        for (kind, words) in [
            (ErrorKind::ConnectionRefused, "it refused the connection"),
            (ErrorKind::TimedOut, "it did not respond in time"),
            (ErrorKind::ConnectionReset, "it closed the connection"),
            (ErrorKind::UnexpectedEof, "it closed the connection"),
        ] {
            assert_eq!(down(&kind.into()), words);
        }
        let other = std::io::Error::other("No route to host (os error 113)");
        assert_eq!(down(&other), "No route to host");
    }

    /// Returns the reason and the fix for a proxy that sends these pieces. `cause` is the message from reqwest.
    async fn trouble(
        scheme: &str,
        pieces: &'static [&'static str],
        cause: &str,
    ) -> (String, &'static str) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                if stream.read_buf(&mut request).await.unwrap_or_default() == 0 {
                    return;
                }
            }
            for piece in pieces {
                stream.write_all(piece.as_bytes()).await.unwrap();
                // Let the other side read the piece.
                for _ in 0..100 {
                    tokio::task::yield_now().await;
                }
            }
        });
        let url = Url::parse("https://as.example/token").unwrap();
        let start = if scheme.contains("://") { "" } else { "://" };
        proxy(&format!("{scheme}{start}{address}"))
            .trouble(&url, cause)
            .await
    }

    #[tokio::test]
    async fn proxy_hint_depends_on_its_status() {
        let cases: [(&'static [&'static str], &str, &str); 19] = [
            (
                &["HTTP/1.1 405 x\r\n\r\n"],
                "it returned 405 Method Not Allowed",
                NO_PROXY_SERVER,
            ),
            (
                &["HTTP/1.1 429 x\r\n\r\n"],
                "it returned 429 Too Many Requests",
                BUSY,
            ),
            (
                &["HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"],
                "it returned 407 Proxy Authentication Required",
                CREDENTIALS,
            ),
            (
                &["HTTP/1.1 403 Forbidden\r\n\r\n"],
                "it returned 403 Forbidden",
                FORBIDDEN,
            ),
            (
                &["HTTP/1.1 500 x\r\n\r\n"],
                "it returned 500 Internal Server Error",
                BEYOND,
            ),
            (
                &["HTTP/1.1 5", "02 x\r\n\r\n"],
                "it returned 502 Bad Gateway",
                BEYOND,
            ),
            (
                &["HTTP/1.1 501 x\r\n\r\n"],
                "it returned 501 Not Implemented",
                NO_PROXY_SERVER,
            ),
            (
                &["HTTP/1.1 302 x\r\n\r\n"],
                "it returned 302 Found",
                SIGN_IN,
            ),
            (
                &["HTTP/1.1 511 x\r\n\r\n"],
                "it returned 511 Network Authentication Required",
                SIGN_IN,
            ),
            (
                &["HTTP/1.1 204 x\r\n\r\n"],
                "it returned 204 No Content",
                DOWN,
            ),
            // A status without a standard reason phrase.
            (&["HTTP/1.1 599 x\r\n\r\n"], "it returned 599", BEYOND),
            (&["HTTP/1.1 200 OK\r\n\r\n"], "tunnel error", DOWN),
            (&["what?"], "its response is not HTTP", NO_HTTP),
            (&[], "it closed the connection without a response", NO_HTTP),
            (&["SSH-2.0-OpenSSH_9.2\r\n"], "it is an SSH server", SSH),
            (&["\u{5}\u{1}"], "it is a SOCKS proxy", SOCKS),
            (&["\u{15}\u{3}\u{3}"], "it uses TLS", NOT_PLAIN),
            (
                &[
                    "HTTP/1.1 407 x\r\nProxy-Authenticate: Negotiate\r\n",
                    "Proxy-Authenticate: NTLM TlRM\r\n\r\n",
                ],
                "it requires Negotiate or NTLM",
                OTHER_SCHEME,
            ),
            (
                &["HTTP/1.1 407 x\r\nProxy-Authenticate: NTLM, Basic realm=\"x\"\r\n\r\n"],
                "it returned 407 Proxy Authentication Required",
                CREDENTIALS,
            ),
        ];
        for (pieces, cause, hint) in cases {
            let told = trouble("http", pieces, "tunnel error").await;
            assert_eq!(told, (cause.to_owned(), hint), "{pieces:?}");
        }
        let told = trouble("https", &[], "operation timed out").await;
        assert_eq!(told, ("it did not respond in time".to_owned(), TLS));
        // The proxy responded, so TLS with it works.
        for (cause, words, hint) in [
            (
                "tunnel error: proxy authorization required",
                "it requires a user name and password",
                CREDENTIALS,
            ),
            (
                "tunnel error: unsuccessful",
                "it did not connect to the service",
                REFUSED,
            ),
        ] {
            let told = trouble("https", &[], cause).await;
            assert_eq!(told, (words.to_owned(), hint));
        }
        let told = trouble("socks5", &[], "SOCKS error: connection not allowed").await;
        assert_eq!(
            told,
            ("it doesn't allow the connection".to_owned(), FORBIDDEN)
        );
    }

    #[test]
    fn socks_proxy_hint_depends_on_its_error() {
        const LOOKUP: &str = "failed to lookup address information";
        for (scheme, cause, told, hint) in [
            (
                "socks5",
                LOOKUP,
                "this machine can't resolve the host name",
                RESOLVE,
            ),
            (
                "socks4",
                LOOKUP,
                "this machine can't resolve the host name",
                RESOLVE,
            ),
            // The proxy resolves names itself, so the failed lookup is that of the proxy's own name.
            ("socks5h", LOOKUP, LOOKUP, DOWN),
            ("socks5", "connection closed", "connection closed", DOWN),
            (
                "socks5",
                "SOCKS error: credentials not accepted",
                "it requires a user name and password",
                CREDENTIALS,
            ),
            (
                "socks5h",
                "SOCKS error: failed parsing server response",
                "the server doesn't use SOCKS",
                DOWN,
            ),
            (
                "socks4",
                "SOCKS error: could not resolve to acceptable address type",
                "this machine can't resolve the host name",
                RESOLVE,
            ),
            (
                "socks5h",
                "SOCKS error: failed to create underlying connection",
                "can't connect to it",
                DOWN,
            ),
            (
                "socks5h",
                "SOCKS error: host unreachable",
                "host unreachable",
                BEYOND,
            ),
        ] {
            let proxy = proxy(&format!("{scheme}://127.0.0.1:1080"));
            let said = proxy.trouble_beyond(cause);
            assert_eq!(said, (told.to_owned(), hint), "{scheme} {cause}");
        }
    }

    #[tokio::test]
    async fn proxy_hint_distinguishes_rejected_from_missing_credentials() {
        const ANSWER: &[&str] = &["HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"];
        for (user, hint) in [
            ("", CREDENTIALS),
            ("me:pw@", REJECTED),
            ("me@", REJECTED),
            (":pw@", REJECTED),
        ] {
            let (_, told) = trouble(&format!("http://{user}"), ANSWER, "tunnel error").await;
            assert_eq!(told, hint, "{user}");
            for scheme in ["socks5", "socks5h"] {
                let proxy = proxy(&format!("{scheme}://{user}127.0.0.1:1080"));
                let (cause, told) = proxy.trouble_beyond("SOCKS error: credentials not accepted");
                assert_eq!(told, hint, "{scheme} {user}");
                assert_eq!(cause.contains("rejected"), hint == REJECTED, "{cause}");
            }
        }
    }
}
