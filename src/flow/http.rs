//! HTTP to the authorization server. Only this module uses reqwest.
//!
//! Redirects are never followed, because requests contain credentials. Loopback bypasses proxies. Certificate checks
//! can't be turned off: use a CA file instead.

use std::error::Error as _;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, RETRY_AFTER,
    TRANSFER_ENCODING,
};
use rustls::pki_types::CertificateDer;
use rustls::{AlertDescription as Alert, ClientConfig};
use url::Url;

use super::apart::apart;
use super::causes::{is_end_of_connection, last_cause, tls_error};
use super::held_tls::unsigned;
use super::http_error::HttpError;
use super::retry_after::parse_retry_after;
use super::tls::{Trouble, trouble};
use super::{ca_file, client_certificate, proxy, tls_config};
use crate::clean::clean;
use crate::oauth::answer::{Answer, Body};
use crate::oauth::assertion::{Credential, Identity, Proof};
use crate::oauth::authcode::unverified_error;
use crate::oauth::charset::decoded;
use crate::oauth::client::Client;
use crate::oauth::request::Request;
use crate::oauth::tools::Method;
use crate::oauth::url::is_loopback;
use crate::secret::ExposeSecret;
use crate::store::file::read as file;

/// Maximum time for a connection.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// Maximum time for a whole exchange.
const EXCHANGE_LIMIT: Duration = Duration::from_secs(30);
/// Maximum time for an exchange whose handshake waits for a key, which may block longer. After that, nothing was sent.
const SIGNING_LIMIT: Duration = Duration::from_secs(40);
/// The error if the key has not signed by then.
pub(super) const NOT_IN_TIME: &str = "The private key did not sign in time.";
/// Maximum size of a response, in bytes. Token responses are a few kilobytes.
const BODY_LIMIT: usize = 1024 * 1024;
/// The buffer for a body without a length, in bytes. Tokens take up a few kilobytes.
const BODY_BUFFER: usize = 64 * 1024;

/// The HTTP client. Reads the CA certificates only when the first request needs them.
#[derive(Debug)]
pub struct Http {
    ca: Vec<CertificateDer<'static>>,
    /// The key and the certificate of the client, for requests that authenticate it with TLS.
    identity: Option<Identity>,
    /// The client for each [`Way`].
    clients: [OnceLock<reqwest::Client>; 5],
}

/// How a request reaches its server.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// Without TLS, which is allowed only on this machine.
    Here,
    /// With TLS, never through a proxy.
    Direct,
    /// With TLS, through the proxy if one is set.
    Proxied,
    // The same, with the TLS identity of the client.
    DirectIdentified,
    ProxiedIdentified,
}

impl Http {
    /// Reads the CA file, if there is one.
    ///
    /// # Errors
    /// Returns an error if the CA file can't be used.
    pub async fn new(ca_file: Option<&Path>) -> Result<Self, HttpError> {
        // Fails only if a provider is already set, which is then the same provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let ca = match ca_file {
            Some(path) => read_ca_file(path).await?,
            None => Vec::new(),
        };
        Ok(Self {
            ca,
            identity: None,
            clients: [const { OnceLock::new() }; 5],
        })
    }

    /// Like [`Http::new`], with the TLS identity of this client.
    ///
    /// # Errors
    /// Returns an error if the CA file can't be used.
    pub async fn of(client: &Client, ca_file: Option<&Path>) -> Result<Self, HttpError> {
        let identity = match &client.credential {
            Credential::Identity(identity) => Some(identity.clone()),
            _ => None,
        };
        Ok(Self {
            identity,
            ..Self::new(ca_file).await?
        })
    }

    /// Requests a document without credentials. Redirects are not followed.
    ///
    /// # Errors
    /// Returns an error if there is no response.
    pub async fn get(&self, url: &Url) -> Result<Answer, HttpError> {
        let client = self.client(url, None).await?;
        exchange(
            client.get(url.clone()).header(ACCEPT, "application/json"),
            url,
        )
        .await
    }

    /// Returns the client for `url` with this TLS identity, if any. Only requests that authenticate with it have one.
    async fn client(
        &self,
        url: &Url,
        identity: Option<&Identity>,
    ) -> Result<&reqwest::Client, HttpError> {
        let is_direct = is_loopback(url) || proxy::is_direct(url);
        let tls = url.scheme() == "https";
        let proxy = if is_direct {
            None
        } else {
            proxy::on_the_way_to(url)?
        };
        // On Windows, the proxy is always named: reqwest would misread some of the settings.
        let is_direct = is_direct || (cfg!(windows) && proxy.is_none());
        let way = match (tls, is_direct, identity) {
            (false, _, _) => Way::Here,
            (true, true, None) => Way::Direct,
            (true, false, None) => Way::Proxied,
            (true, true, Some(_)) => Way::DirectIdentified,
            (true, false, Some(_)) => Way::ProxiedIdentified,
        };
        let cell = &self.clients[way as usize];
        if let Some(client) = cell.get() {
            return Ok(client);
        }
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_LIMIT)
            .timeout(EXCHANGE_LIMIT)
            // Each request has its own connection: a request on a connection that the server is about to close would be
            // lost, and it would be unknown whether it was processed. Only the callers of this module retry.
            .pool_max_idle_per_host(0)
            .retry(reqwest::retry::never())
            // What is unambiguous in a response is accepted. Clients must accept folded headers (RFC 9112, section 5.2).
            .http1_allow_obsolete_multiline_headers_in_responses(true)
            .http1_allow_spaces_after_header_name_in_responses(true)
            .user_agent(concat!("oauth-authorizer/", env!("CARGO_PKG_VERSION")));
        if is_direct {
            builder = builder.no_proxy();
        } else if let Some((setting, url)) = proxy.and_then(|it| Some((it.setting, it.url?))) {
            let proxy = reqwest::Proxy::all(url.expose_secret());
            builder = builder.proxy(proxy.map_err(|_| proxy::Unreadable::no_address(setting))?);
        }
        // Reading the system's certificates is slow, and plain http on loopback doesn't need them.
        builder = if tls {
            builder.tls_backend_preconfigured(self.tls(url, identity).await?)
        } else {
            builder.tls_certs_only([])
        };
        let client = builder.build();
        let client = client.map_err(|error| named(&error, &host_and_port(url)))?;
        Ok(cell.get_or_init(|| client))
    }

    /// Returns the TLS configuration for `url` with this identity.
    async fn tls(&self, url: &Url, identity: Option<&Identity>) -> Result<ClientConfig, HttpError> {
        let resolver = identity.map(client_certificate::of).transpose();
        let resolver = resolver.map_err(|error| tls_failure(&error, host_and_port(url)))?;
        let ca = self.ca.clone();
        let work = move || {
            tls_config::check_system()?;
            // There is no connection yet, so an error in TLS has its cause on this machine.
            tls_config::trusting(ca).map_err(|error| trouble(&error).cause)
        };
        let trusting = file::aside(work).await;
        let trusting = trusting.unwrap_or_else(|error| Err(error.to_string()));
        let trusting = trusting.map_err(|reason| HttpError::Authorities { reason })?;
        let mut config = match resolver {
            Some(resolver) => trusting.with_client_cert_resolver(resolver),
            None => trusting.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

/// Sends requests. [`Http`] sends them over the network.
pub trait Transport {
    /// Sends a request and reads the response, whatever its status.
    ///
    /// # Errors
    /// Returns an error if there is no response, or if it is a redirect.
    fn send(&self, request: &Request) -> impl Future<Output = Result<Answer, HttpError>> + Send;
}

impl Transport for Http {
    async fn send(&self, request: &Request) -> Result<Answer, HttpError> {
        let host = host_and_port(&request.url);
        let identity = match request.proof {
            Proof::Certificate => self.identity.as_ref(),
            Proof::None | Proof::Assertion(_) => None,
        };
        let client = self.client(&request.url, identity).await?;
        let mut builder = match request.method {
            Method::Get => client.get(request.url.clone()),
            Method::Post | Method::Json | Method::Bare => client.post(request.url.clone()),
        };
        builder = builder.header(ACCEPT, "application/json");
        let body = request.body.expose_secret();
        let kind = match request.method {
            Method::Post => Some("application/x-www-form-urlencoded"),
            Method::Json => Some("application/json"),
            Method::Bare | Method::Get => None,
        };
        if let Some(kind) = kind {
            builder = builder.header(CONTENT_TYPE, kind).body(body.to_owned());
        }
        if let Some(credentials) = &request.authorization {
            // Tokens that aren't ASCII are sent as they are.
            let value = HeaderValue::from_bytes(credentials.expose_secret().as_bytes());
            let mut value = value.map_err(|_| HttpError::Unreachable {
                host,
                cause: "its credentials can't be sent".to_owned(),
            })?;
            value.set_sensitive(true);
            builder = builder.header(AUTHORIZATION, value);
        }
        if !matches!(identity, Some(Identity::Held { .. })) {
            return exchange(builder, &request.url).await;
        }
        // The key signs within the handshake, which may take a while.
        let url = request.url.clone();
        let exchange = apart(SIGNING_LIMIT, async move { exchange(builder, &url).await });
        exchange.await.unwrap_or_else(|error| {
            let reason = match error.kind() {
                ErrorKind::TimedOut => NOT_IN_TIME.to_owned(),
                _ => format!("The private key can't be used: {error}."),
            };
            Err(HttpError::Unsigned { reason })
        })
    }
}

/// Sends a request and reads its response, within the limits.
async fn exchange(request: reqwest::RequestBuilder, url: &Url) -> Result<Answer, HttpError> {
    let host = host_and_port(url);
    let mut response = match request.send().await {
        Ok(response) => response,
        Err(error) => return Err(through_proxy(named(&error, &host), url).await),
    };
    let status = response.status();
    let headers: Vec<(String, String)> = response
        .headers()
        .iter()
        .map(|(name, value)| {
            (
                name.as_str().to_owned(),
                decoded(value.as_bytes()).into_owned(),
            )
        })
        .collect();
    let header = |wanted: reqwest::header::HeaderName| {
        headers
            .iter()
            .find(|(name, _)| *name == wanted.as_str())
            .map(|(_, value)| value.as_str())
    };
    if let (true, Some(target)) = (status.is_redirection(), header(LOCATION)) {
        let target = url.join(target).ok();
        let query = target.as_ref().and_then(Url::query);
        return Err(HttpError::Redirected {
            error: query.and_then(unverified_error).map(|it| it.to_string()),
            target: target.map_or("another address".to_owned(), |it| redirect_target(url, &it)),
            host,
        });
    }
    // Some services use their own name for this header.
    let retry_after = header(RETRY_AFTER)
        .or_else(|| header(HeaderName::from_static("x-retry-after")))
        .and_then(|value| parse_retry_after(value, SystemTime::now()));
    // Growing the buffer would leave copies of tokens behind.
    let length = response
        .content_length()
        .and_then(|length| usize::try_from(length).ok());
    let size = length.unwrap_or(BODY_BUFFER).min(BODY_LIMIT);
    let mut body = zeroize::Zeroizing::new(Vec::with_capacity(size));
    let cut = loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > BODY_LIMIT => {
                return Err(HttpError::TooLarge { host });
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    let body = Body::parse_as(&body, header(CONTENT_TYPE));
    // Some servers end a connection without ending TLS. The end of a JSON object shows that it is whole, and the status of
    // an error says enough.
    let has_no_length = length.is_none() && header(TRANSFER_ENCODING).is_none();
    let is_enough = has_no_length && (body.is_object() || status.as_u16() >= 400);
    if let Some(error) = cut.filter(|cut| !(is_enough && is_end_of_connection(cut))) {
        return Err(named(&error, &host));
    }
    Ok(Answer {
        status: status.as_u16(),
        retry_after,
        headers,
        body,
    })
}

async fn read_ca_file(path: &Path) -> Result<Vec<CertificateDer<'static>>, HttpError> {
    let found = {
        let path = path.to_owned();
        file::aside(move || ca_file::read(&path))
    };
    found
        .await
        .unwrap_or_else(|error| Err(error.to_string()))
        .map_err(|reason| HttpError::CaFile {
            path: path.to_owned(),
            reason,
        })
}

/// Returns what differs between the URL of a request and its redirect target: the host, the scheme or the path. Never
/// includes the query, which may contain a session.
fn redirect_target(from: &Url, to: &Url) -> String {
    if to == from {
        "the same URL".to_owned()
    } else if to.host_str().unwrap_or_default().is_empty() {
        // Such as mailto: and data:, whose content may be anything.
        format!("a URL that starts with {}:", clean(to.scheme(), 20))
    } else if from.origin() == to.origin() {
        clean(to.path(), 100)
    } else if from.host() == to.host() && from.scheme() != to.scheme() {
        format!("{}://{}", clean(to.scheme(), 20), host_and_port(to))
    } else {
        host_and_port(to)
    }
}

/// Returns the host and port of a URL, for messages.
#[must_use]
pub fn host_and_port(url: &Url) -> String {
    let host = clean(url.host_str().unwrap_or_default(), 100);
    url.port()
        .map_or(host.clone(), |port| format!("{host}:{port}"))
}

fn named(error: &reqwest::Error, host: &str) -> HttpError {
    let host = host.to_owned();
    let cause = last_cause(error);
    if let Some(reason) = tls_error(error).and_then(unsigned) {
        return HttpError::Unsigned { reason };
    }
    // An error counts as a connection error until TLS and the proxy are ready. After that, the server may have received
    // the request, whatever the error is.
    if !error.is_connect() && !error.is_builder() {
        return if error.is_timeout() {
            HttpError::TimedOut { host }
        } else {
            match tls_error(error) {
                // With TLS 1.3, the server rejects a certificate only after its own part of the handshake.
                Some(
                    wrong @ rustls::Error::AlertReceived(
                        Alert::CertificateRequired
                        | Alert::UnknownCA
                        | Alert::CertificateUnknown
                        | Alert::CertificateExpired
                        | Alert::CertificateRevoked
                        | Alert::UnsupportedCertificate
                        | Alert::BadCertificate
                        | Alert::HandshakeFailure
                        | Alert::AccessDenied,
                    ),
                ) => tls_failure(wrong, host),
                Some(wrong) => HttpError::Lost {
                    host,
                    cause: trouble(wrong).cause,
                },
                None => match no_http(error) {
                    Some((cause, hint)) => HttpError::NotHttp { host, cause, hint },
                    None => HttpError::Lost { host, cause },
                },
            }
        };
    }
    match tls_error(error) {
        Some(wrong) => tls_failure(wrong, host),
        None => HttpError::unreachable(host, cause),
    }
}

/// Converts a TLS error.
fn tls_failure(error: &rustls::Error, host: String) -> HttpError {
    let Trouble {
        certificate,
        cause,
        hint,
    } = trouble(error);
    if certificate {
        HttpError::Certificate { host, cause, hint }
    } else {
        HttpError::Tls { host, cause, hint }
    }
}

/// Returns why the response can't be read as HTTP, and what to do, if that is the reason for the error.
fn no_http(error: &reqwest::Error) -> Option<(&'static str, &'static str)> {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(error) = cause.downcast_ref::<hyper::Error>() {
            return match error {
                error if error.is_parse_too_large() => Some((
                    "its headers are too large",
                    "Check that the URL is an endpoint of this service.",
                )),
                // hyper has no function for this kind of error.
                error if error.to_string().starts_with("invalid HTTP version") => Some((
                    "the server doesn't use HTTP 1.0 or 1.1",
                    "Check the scheme (http or https) and the port of the URL: probably another kind of server answers \
                        there.",
                )),
                error if error.is_parse() => Some((
                    if error.is_parse_status() {
                        "its status breaks the rules of HTTP"
                    } else if error.to_string().contains("content-length") {
                        "its Content-Length breaks the rules of HTTP"
                    } else {
                        "a header breaks the rules of HTTP"
                    },
                    "This is an error of the service, or of a proxy or gateway in front of it. Ask its administrator.",
                )),
                _ => None,
            };
        }
        source = cause.source();
    }
    None
}

/// Adds the proxy to an error, if the connection used a proxy.
async fn through_proxy(error: HttpError, url: &Url) -> HttpError {
    let proxy = if is_loopback(url) {
        None
    } else {
        proxy::on_the_way_to(url).ok().flatten()
    };
    let Some(proxy) = proxy else {
        return error;
    };
    let (host, (cause, hint)) = match &error {
        HttpError::Unreachable { host, cause } => (host, proxy.trouble(url, cause).await),
        HttpError::Tls { host, cause, .. } | HttpError::Certificate { host, cause, .. } => {
            match proxy.tls_trouble(cause).await {
                Some(trouble) => (host, trouble),
                None => return error,
            }
        }
        _ => return error,
    };
    HttpError::Proxy {
        host: host.clone(),
        proxy: proxy.address,
        setting: proxy.setting,
        cause,
        hint,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    #[cfg(unix)]
    use std::sync::{Arc, Mutex, mpsc};

    use rcgen::{CertificateParams, KeyPair};
    #[cfg(unix)]
    use rcgen::{PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384};
    #[cfg(unix)]
    use rustls::version::{TLS12, TLS13};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    #[cfg(unix)]
    use tokio::sync::Notify;

    use super::*;
    #[cfg(unix)]
    use crate::flow::held_tls::tests::held;
    use crate::flow::served::{self, serve};
    #[cfg(unix)]
    use crate::oauth::jose::openssl::Openssl;
    #[cfg(unix)]
    use crate::oauth::jose::{Algorithm, HeldElsewhere, HeldKey, KeyError, device};

    /// Sends a request to a server that reads some bytes, sends `reply` and closes the connection. Returns the error.
    async fn asked(scheme: &str, reply: &'static [u8]) -> HttpError {
        let http = Http::new(None).await.unwrap();
        asked_by(&http, scheme, Proof::None, reply).await
    }

    async fn asked_by(http: &Http, scheme: &str, proof: Proof, reply: &'static [u8]) -> HttpError {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(reply).await;
            }
        });
        let request = Request {
            method: Method::Post,
            url: Url::parse(&format!("{scheme}://{address}/token")).unwrap(),
            authorization: None,
            body: "code=c".into(),
            proof,
        };
        http.send(&request).await.unwrap_err()
    }

    #[tokio::test]
    async fn response_is_lost_only_after_a_connection() {
        for (scheme, reply, lost) in [
            ("http", &b""[..], true),
            (
                "http",
                b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{",
                true,
            ),
            ("http", b"what?", true),
            // The handshake fails before or because of a response.
            ("https", b"", false),
            ("https", b"HTTP/1.1 400 Bad Request\r\n\r\n", false),
        ] {
            let error = asked(scheme, reply).await;
            assert_eq!(error.is_lost_answer(), lost, "{scheme} {error:?}");
        }
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", free.local_addr().unwrap());
        drop(free);
        let error = Http::new(None)
            .await
            .unwrap()
            .get(&Url::parse(&url).unwrap())
            .await
            .unwrap_err();
        assert!(!error.is_lost_answer(), "{error:?}");
    }

    #[tokio::test]
    async fn redirect_error_names_the_error_in_the_target() {
        let reply = b"HTTP/1.1 302 Found\r\nLocation: /login?error=unauthorized_client&error_description=No+app\r\n\r\n";
        let error = asked("http", reply).await.to_string();
        assert!(
            error.contains("to /login (unauthorized_client: No app)."),
            "{error}"
        );
    }

    #[tokio::test]
    async fn response_is_lost_if_its_connection_is_reset_or_hangs() {
        // Wine ends a connection properly before it would reset it.
        let cases: &[bool] = if cfg!(windows) {
            &[true]
        } else {
            &[false, true]
        };
        for &hangs in cases {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                let _ = stream.read(&mut [0; 4096]).await;
                let reply = b"HTTP/1.1 400 Bad Request\r\n\r\n";
                stream.write_all(reply).await.unwrap();
                if hangs {
                    // The time limit then passes at once.
                    tokio::time::pause();
                    std::future::pending::<()>().await;
                }
                stream.set_zero_linger().unwrap();
            });
            let url = Url::parse(&format!("http://{address}/token")).unwrap();
            let error = Http::new(None).await.unwrap().get(&url).await.unwrap_err();
            assert!(error.is_lost_answer(), "{error:?}");
            let is_late = matches!(error, HttpError::TimedOut { .. });
            assert_eq!(is_late, hangs, "{error:?}");
        }
    }

    // Windows verifies certificates with its own rules and stores.
    #[cfg(unix)]
    #[tokio::test]
    async fn response_is_whole_although_tls_is_not_ended() {
        for (reply, status) in [
            ("HTTP/1.0 200 OK\r\n\r\n{}", Ok(200)),
            ("HTTP/1.0 401 No\r\n\r\n<title>No", Ok(401)),
            (
                "HTTP/1.0 200 OK\r\n\r\na=b",
                Err("the server closed the connection"),
            ),
            (
                "HTTP/1.0 200 OK\r\n\r\n{",
                Err("the server closed the connection"),
            ),
            (
                "HTTP/1.0 200 OK\r\n\r\n{\"access_token\":\"a\",\"x\":{\"error\":\"server_error\"},\"refr",
                Err("the server closed the connection"),
            ),
            (
                "HTTP/1.0 200 OK\r\n\r\ninvalid_grant: The co",
                Err("the server closed the connection"),
            ),
            // The length shows that the rest is missing.
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}",
                Err("was lost before the response was complete"),
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
                Err("was lost before the response was complete"),
            ),
            (
                "HTTP/1.1 400 No\r\nContent-Length: 99\r\n\r\n{}",
                Err("was lost before the response was complete"),
            ),
        ] {
            let (tls, ca) = served::tls(&TLS13);
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            tokio::spawn(async move {
                let (stream, _) = listener.accept().await.unwrap();
                let mut stream = tls.accept(stream).await.unwrap();
                let _ = stream.read(&mut [0; 4096]).await;
                stream.write_all(reply.as_bytes()).await.unwrap();
                stream.flush().await.unwrap();
                let _ = stream.get_mut().0.shutdown().await;
            });
            let (_folder, path) = ca_file(ca.as_bytes());
            let http = Http::new(Some(&path)).await.unwrap();
            let url = Url::parse(&format!("https://{address}/token")).unwrap();
            let answer = http.get(&url).await;
            match (answer, status) {
                (Ok(answer), Ok(status)) => assert_eq!(answer.status, status),
                (Err(error), Err(words)) => assert!(error.to_string().contains(words), "{error}"),
                other => unreachable!("{reply} {other:?}"),
            }
        }
    }

    #[tokio::test]
    async fn token_that_is_not_ascii_is_sent_unchanged() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (mut got, mut part) = (Vec::new(), [0; 4096]);
            while !got.ends_with(b"\r\n\r\n") {
                let count = stream.read(&mut part).await.unwrap();
                assert_ne!(count, 0);
                got.extend_from_slice(&part[..count]);
            }
            let reply = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
            stream.write_all(reply).await.unwrap();
            String::from_utf8(got).unwrap()
        });
        let request = Request {
            method: Method::Get,
            url: Url::parse(&format!("http://{address}/userinfo")).unwrap(),
            authorization: Some("Bearer tökén".into()),
            body: "".into(),
            proof: Proof::None,
        };
        let answer = Http::new(None).await.unwrap().send(&request).await.unwrap();
        assert_eq!(answer.status, 200);
        let got = server.await.unwrap();
        assert!(got.contains("authorization: Bearer tökén\r\n"), "{got}");
    }

    #[tokio::test]
    async fn tls_uses_http_1_1_regardless_of_client_certificate() {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let pem = Identity::Pem((key.serialize_pem() + &certificate.pem()).into());
        let http = Http::new(None).await.unwrap();
        let url = Url::parse("https://as.example").unwrap();
        for identity in [None, Some(&pem)] {
            let config = http.tls(&url, identity).await.unwrap();
            assert_eq!(config.alpn_protocols, [b"http/1.1"]);
            assert!(config.enable_sni);
            let presents = config.client_auth_cert_resolver.has_certs();
            assert_eq!(presents, identity.is_some());
        }
    }

    // Windows verifies certificates with its own rules and stores.
    #[cfg(unix)]
    #[tokio::test]
    async fn client_certificate_is_sent_only_with_authenticating_requests() {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["client.example".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let (tls, ca) = served::tls_for(certificate.der().clone());
        let server = serve(Some(tls), |_| served::http("200 OK", "{}")).await;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        std::fs::write(&path, ca).unwrap();
        let http = Http {
            identity: Some(Identity::Pem(
                (key.serialize_pem() + &certificate.pem()).into(),
            )),
            ..Http::new(Some(&path)).await.unwrap()
        };
        for proof in [Proof::Certificate, Proof::None, Proof::Certificate] {
            let request = Request {
                method: Method::Post,
                url: server.url.clone(),
                authorization: None,
                body: "a=b".into(),
                proof,
            };
            http.send(&request).await.unwrap();
        }
        http.get(&server.url).await.unwrap();
        assert_eq!(server.certified(), [true, false, true, false]);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn external_key_authenticates_to_server_requiring_a_certificate() {
        const PSS: [Algorithm; 3] = [Algorithm::Ps256, Algorithm::Ps384, Algorithm::Ps512];
        let openssl = Openssl::new();
        let pem = openssl.pem(
            "key",
            "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048",
        );
        let rsa = KeyPair::from_pem(pem.expose_secret()).unwrap();
        let p256 = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let p384 = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
        for (pair, lacks, version, refused) in [
            (&rsa, &[][..], &TLS12, None),
            (&rsa, &[], &TLS13, None),
            (&rsa, &PSS, &TLS12, None),
            (
                &rsa,
                &PSS,
                &TLS13,
                Some("The device can't sign with PS256."),
            ),
            (&p256, &[], &TLS12, None),
            (&p256, &[], &TLS13, None),
            (&p384, &[], &TLS12, None),
            (&p384, &[], &TLS13, None),
        ] {
            let (certificate, key) = held(pair, lacks);
            let (tls, ca) = served::tls_requiring(version, certificate.clone().into());
            let server = serve(Some(tls), |_| served::http("200 OK", "{}")).await;
            let (_folder, path) = ca_file(ca.as_bytes());
            let http = Http {
                identity: Some(Identity::Held {
                    chain: vec![certificate],
                    key: key.tried().unwrap(),
                }),
                ..Http::new(Some(&path)).await.unwrap()
            };
            let mut request = Request {
                method: Method::Post,
                url: server.url.clone(),
                authorization: None,
                body: "a=b".into(),
                proof: Proof::Certificate,
            };
            match (http.send(&request).await, refused) {
                (Ok(answer), None) => assert_eq!(answer.status, 200),
                (Err(HttpError::Unsigned { reason }), Some(told)) => assert_eq!(reason, told),
                other => unreachable!("{version:?} {lacks:?} {other:?}"),
            }
            assert_eq!(
                server.certified(),
                vec![true; usize::from(refused.is_none())]
            );
            // This server rejects requests without the certificate.
            request.proof = Proof::None;
            assert!(http.send(&request).await.is_err());
        }
    }

    /// A key that doesn't sign until it is allowed to.
    #[cfg(unix)]
    #[derive(Debug)]
    struct Slow {
        key: Arc<dyn HeldElsewhere>,
        asked: Arc<Notify>,
        go: Mutex<mpsc::Receiver<()>>,
    }

    #[cfg(unix)]
    impl HeldElsewhere for Slow {
        fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, KeyError> {
            self.asked.notify_one();
            let go = self.go.lock().unwrap().recv_timeout(CONNECT_LIMIT / 2);
            go.map_err(|_| KeyError::Elsewhere("Nothing else ran.".to_owned()))?;
            self.key.sign(algorithm, message)
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn slow_key_does_not_block_other_tasks() {
        let pair = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["client.example".to_owned()]).unwrap();
        let certificate = params.self_signed(&pair).unwrap().der().to_vec();
        let (go, may) = mpsc::channel();
        let asked = Arc::new(Notify::new());
        let slow = Slow {
            asked: Arc::clone(&asked),
            key: device(&pair.serialize_pem().into(), &[]),
            go: Mutex::new(may),
        };
        let key = HeldKey::of_certificate(&certificate, Arc::new(slow)).unwrap();
        go.send(()).unwrap();
        let key = key.tried().unwrap();
        asked.notified().await;
        let (tls, ca) = served::tls_requiring(&rustls::version::TLS13, certificate.clone().into());
        let server = serve(Some(tls), |_| served::http("200 OK", "{}")).await;
        let (_folder, path) = ca_file(ca.as_bytes());
        let chain = vec![certificate];
        let http = Http {
            identity: Some(Identity::Held { chain, key }),
            ..Http::new(Some(&path)).await.unwrap()
        };
        let request = Request {
            method: Method::Post,
            url: server.url.clone(),
            authorization: None,
            body: "a=b".into(),
            proof: Proof::Certificate,
        };
        // The server also runs on the thread that must not be blocked.
        let sent = http.send(&request);
        let other = async {
            asked.notified().await;
            go.send(()).unwrap();
        };
        let (answer, ()) = tokio::join!(sent, other);
        assert_eq!(answer.unwrap().status, 200);
    }

    #[tokio::test]
    async fn endless_headers_are_reported_as_too_large() {
        let many = format!("HTTP/1.1 200 OK\r\n{}", "X-Padding: a\r\n".repeat(200));
        for (reply, words) in [
            (many.leak().as_bytes(), "its headers are too large"),
            (b"what?", "the server doesn't use HTTP"),
        ] {
            let error = asked("http", reply).await.to_string();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn redirect_target_shows_the_difference_without_the_query() {
        let url = |text: &str| Url::parse(text).unwrap();
        for (to, told) in [
            ("https://other.example/token?session=1", "other.example"),
            ("https://as.example:8443/token", "as.example:8443"),
            ("http://as.example/token", "http://as.example"),
            (
                "https://as.example/oauth2/token?session=1#x",
                "/oauth2/token",
            ),
            ("https://as.example/token?session=1", "/token"),
            ("https://b\u{fc}cher.example/x", "xn--bcher-kva.example"),
            ("https://as.example/token", "the same URL"),
            ("mailto:me@as.example", "a URL that starts with mailto:"),
            ("data:text/html,s3cret", "a URL that starts with data:"),
            ("javascript:alert(1)", "a URL that starts with javascript:"),
            (
                "com.example.app:/cb?code=1",
                "a URL that starts with com.example.app:",
            ),
            ("file:///etc/passwd", "a URL that starts with file:"),
        ] {
            let from = url("https://as.example/token");
            assert_eq!(redirect_target(&from, &url(to)), told);
        }
        let long = url(&format!("https://as.example/{}", "x".repeat(9000)));
        assert!(redirect_target(&url("https://as.example/"), &long).len() < 120);
    }

    #[tokio::test]
    async fn a_redirect_is_not_followed() {
        let reply = "HTTP/1.1 307 Temporary Redirect\r\nLocation: /elsewhere?session=1\r\nContent-Length: 0\r\n\r\n";
        let server = serve(None, move |_| reply.to_owned()).await;
        let http = Http::new(None).await.unwrap();
        let error = http.get(&server.url).await.unwrap_err();
        assert!(
            matches!(&error, HttpError::Redirected { target, .. } if target == "/elsewhere"),
            "{error:?}"
        );
        let asked = server.asked();
        assert_eq!(asked.len(), 1, "{asked:?}");
        let asked = asked[0].to_ascii_lowercase();
        assert!(asked.contains("user-agent: oauth-authorizer/"), "{asked}");
        assert!(asked.contains("accept: application/json"), "{asked}");
    }

    #[tokio::test]
    async fn non_ascii_redirect_url_is_recognized() {
        for (location, told) in [
            (
                &b"https://b\xc3\xbccher.example/x"[..],
                "xn--bcher-kva.example",
            ),
            (b"https://b\xfccher.example/x", "xn--bcher-kva.example"),
            (b"/\xc3\xbc", "/%C3%BC"),
            (b"https://", "another address"),
        ] {
            let reply = [
                b"HTTP/1.1 302 Found\r\nLocation: ",
                location,
                b"\r\nContent-Length: 0\r\n\r\n",
            ];
            let error = asked("http", reply.concat().leak()).await;
            assert!(
                matches!(&error, HttpError::Redirected { target, .. } if target == told),
                "{error:?}"
            );
        }
    }

    #[tokio::test]
    async fn malformed_http_response_is_tolerated_or_explained() {
        for head in [
            "X-Name : a\r\n",
            "X-Name\t: a\r\n",
            "X-Name: a\r\n b\r\n",
            "X-Name: a\r\n\tb\r\n",
        ] {
            let reply = format!("HTTP/1.1 200 OK\r\n{head}Content-Length: 2\r\n\r\n{{}}");
            let server = serve(None, move |_| reply.clone()).await;
            let http = Http::new(None).await.unwrap();
            let answer = http.get(&server.url).await;
            assert_eq!(answer.unwrap().body.length(), 2, "{head}");
        }
        for (reply, cause) in [
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
                "its Content-Length",
            ),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\n{}",
                "its Content-Length",
            ),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n{}",
                "its Content-Length",
            ),
            ("HTTP/1.1 200 OK\r\nno header\r\n\r\n{}", "a header"),
            ("HTTP/1.1 200 OK\r\nX(Name): a\r\n\r\n{}", "a header"),
            ("HTTP/1.1 abc OK\r\n\r\n{}", "its status"),
        ] {
            let error = asked("http", reply.as_bytes()).await;
            let told = format!("{error} {}", error.hint());
            let words = format!(
                "not valid HTTP: {cause} breaks the rules of HTTP. This is an error of the service"
            );
            assert!(told.contains(&words), "{reply}: {told}");
        }
        for reply in ["HTTP/1.2 200 OK\r\n\r\n{}", "HTTP/2 200\r\n\r\n{}"] {
            let error = asked("http", reply.as_bytes()).await.to_string();
            assert!(
                error.ends_with("the server doesn't use HTTP 1.0 or 1.1."),
                "{error}"
            );
        }
    }

    #[tokio::test]
    async fn retry_after_is_read_from_either_header() {
        for (headers, seconds) in [
            ("", None),
            ("Retry-After: 7\r\n", Some(7)),
            ("X-Retry-After: 9\r\n", Some(9)),
            ("X-Retry-After: 9\r\nRetry-After: 7\r\n", Some(7)),
        ] {
            let reply = format!("HTTP/1.1 429 Busy\r\n{headers}Content-Length: 0\r\n\r\n");
            let server = serve(None, move |_| reply.clone()).await;
            let http = Http::new(None).await.unwrap();
            let answer = http.get(&server.url).await.unwrap();
            assert_eq!(answer.status, 429);
            assert_eq!(answer.retry_after, seconds.map(Duration::from_secs));
        }
    }

    #[tokio::test]
    async fn response_body_is_read_up_to_the_limit() {
        for (length, is_read) in [(BODY_LIMIT, true), (BODY_LIMIT + 1, false)] {
            let server = serve(None, move |_| served::http("200 OK", &"x".repeat(length))).await;
            let http = Http::new(None).await.unwrap();
            match http.get(&server.url).await {
                Ok(answer) => assert!(is_read && answer.body.length() == BODY_LIMIT),
                Err(error) => assert!(!is_read && matches!(error, HttpError::TooLarge { .. })),
            }
        }
    }

    #[tokio::test]
    async fn missing_response_is_explained_in_plain_words() {
        let server = serve(None, |_| String::new()).await;
        let http = Http::new(None).await.unwrap();
        let error = http.get(&server.url).await.unwrap_err();
        let HttpError::Lost { cause, .. } = &error else {
            unreachable!("{error:?}")
        };
        assert!(cause.starts_with("connection closed"), "{cause}");
        let error = asked("https", b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        let HttpError::Tls { cause, .. } = &error else {
            unreachable!("{error:?}")
        };
        assert_eq!(cause, "the server doesn't use TLS");
    }

    #[tokio::test]
    async fn client_certificate_requires_tls_and_certificate_proof() {
        let client = Client {
            credential: Credential::Identity(Identity::Pem("no key, no certificate".into())),
            ..crate::flow::scripted::client()
        };
        let http = Http::of(&client, None).await.unwrap();
        for (proof, words) in [
            (Proof::Certificate, "private key or certificate not found"),
            (Proof::None, "the server doesn't use TLS"),
        ] {
            let error = asked_by(&http, "https", proof, b"what?").await.to_string();
            assert!(error.contains(words), "{error}");
        }
        let error = asked_by(&http, "http", Proof::Certificate, b"what?").await;
        assert!(matches!(error, HttpError::NotHttp { .. }), "{error:?}");
    }

    #[tokio::test]
    async fn non_http_server_is_distinguished_from_lost_connection() {
        for answer in [
            &b"SSH-2.0-OpenSSH_9.6\r\n"[..],
            b"{\"access_token\":\"x\"}",
            b"\x15\x03\x03\x00\x02\x02\x28",
            b"220 mail.example ESMTP\r\n",
        ] {
            let error = asked("http", answer).await;
            let words = format!("{error} {}", error.hint());
            assert!(
                words.contains("sent a response that is not valid HTTP: the server doesn't use HTTP 1.0 or 1.1. Check the scheme"),
                "{words}"
            );
        }
    }

    /// Creates a CA file with this content.
    fn ca_file(content: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        std::fs::write(&path, content).unwrap();
        (folder, path)
    }

    // Windows verifies certificates with its own rules and stores.
    #[cfg(unix)]
    #[tokio::test]
    async fn only_certificates_from_the_ca_file_are_trusted() {
        let (tls, ca) = served::tls(&rustls::version::TLS13);
        let (_, other) = served::tls(&rustls::version::TLS13);
        let server = serve(Some(tls), |_| served::http("200 OK", "{}")).await;
        let marked = format!("\u{feff}{ca}");
        for (ca, is_trusted) in [(ca, true), (marked, true), (other, false)] {
            let (_folder, path) = ca_file(ca.as_bytes());
            let http = Http::new(Some(&path)).await.unwrap();
            match http.get(&server.url).await {
                Ok(answer) => assert!(is_trusted && answer.status == 200),
                Err(error) => assert!(
                    !is_trusted && matches!(error, HttpError::Certificate { .. }),
                    "{error:?}"
                ),
            }
        }
    }

    #[tokio::test]
    async fn unusable_ca_file_error_gives_the_reason() {
        let key = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        let damaged = b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n";
        for (content, words) in [
            (&b""[..], "it is empty"),
            (b"hello", "no certificate in PEM format"),
            (key, "it is a private key"),
            (damaged, "its certificate is damaged"),
        ] {
            let (_folder, path) = ca_file(content);
            let error = Http::new(Some(&path)).await.unwrap_err();
            let text = error.to_string();
            assert!(matches!(error, HttpError::CaFile { .. }), "{text}");
            assert!(text.contains(words), "{text}");
        }
        let (folder, path) = ca_file(b"");
        drop(folder);
        let error = Http::new(Some(&path)).await.unwrap_err().to_string();
        assert!(error.contains("there is no such file"), "{error}");
    }
}
