//! Servers on this machine, for the tests of code that connects to a server.

#![allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]

use std::sync::{Arc, Mutex};

#[cfg(unix)]
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
#[cfg(unix)]
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
#[cfg(unix)]
use rustls::server::WebPkiClientVerifier;
#[cfg(unix)]
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use url::Url;

/// A server that uses a new connection for each request.
pub(super) struct Server {
    pub(super) url: Url,
    /// Each request, and whether it came with a client certificate.
    asked: Arc<Mutex<Vec<(String, bool)>>>,
}

impl Server {
    /// Returns the requests so far, in order.
    pub(super) fn asked(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|(request, _)| request.clone()).collect()
    }

    /// Returns for each request whether it came with a client certificate.
    #[cfg(unix)]
    pub(super) fn certified(&self) -> Vec<bool> {
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|(_, certified)| *certified).collect()
    }
}

/// Starts a server that answers each request with the result of `reply`, then closes the connection.
pub(super) async fn serve(
    tls: Option<TlsAcceptor>,
    reply: impl Fn(&str) -> String + Send + Sync + 'static,
) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let scheme = if tls.is_some() { "https" } else { "http" };
    let asked = Arc::<Mutex<Vec<(String, bool)>>>::default();
    let server = Server {
        url: Url::parse(&format!("{scheme}://{address}")).unwrap(),
        asked: Arc::clone(&asked),
    };
    let reply = Arc::new(reply);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (tls, asked, reply) = (tls.clone(), Arc::clone(&asked), Arc::clone(&reply));
            tokio::spawn(async move {
                match tls {
                    Some(tls) => {
                        if let Ok(stream) = tls.accept(stream).await {
                            let certified = stream.get_ref().1.peer_certificates().is_some();
                            answer(stream, certified, &asked, &*reply).await;
                        }
                    }
                    None => answer(stream, false, &asked, &*reply).await,
                }
            });
        }
    });
    server
}

async fn answer(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    certified: bool,
    asked: &Mutex<Vec<(String, bool)>>,
    reply: &impl Fn(&str) -> String,
) {
    let mut bytes = Vec::new();
    while !is_whole(&bytes) {
        if stream.read_buf(&mut bytes).await.unwrap_or_default() == 0 {
            return;
        }
    }
    let request = String::from_utf8(bytes).unwrap();
    let answer = reply(&request);
    asked.lock().unwrap().push((request, certified));
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}

/// Returns whether the head and the whole body of its Content-Length have arrived.
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.split("content-length: ").nth(1);
    let length = length.and_then(|rest| rest.lines().next()?.parse().ok());
    body.len() >= length.unwrap_or_default()
}

/// Creates a response with this status, such as `200 OK`, and this body.
pub(super) fn http(status: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

/// Creates a TLS acceptor of this version for 127.0.0.1 with a certificate of a new CA, and returns that CA certificate
/// as PEM. Windows verifies certificates with its own rules and stores.
#[cfg(unix)]
pub(super) fn tls(version: &'static SupportedProtocolVersion) -> (TlsAcceptor, String) {
    acceptor(version, None, false)
}

/// Like `tls` with version 1.3, but requests this client certificate. Requests without it are accepted, too.
#[cfg(unix)]
pub(super) fn tls_for(client: CertificateDer<'static>) -> (TlsAcceptor, String) {
    acceptor(&rustls::version::TLS13, Some(client), false)
}

/// Like `tls`, but requires this client certificate.
#[cfg(unix)]
pub(super) fn tls_requiring(
    version: &'static SupportedProtocolVersion,
    client: CertificateDer<'static>,
) -> (TlsAcceptor, String) {
    acceptor(version, Some(client), true)
}

#[cfg(unix)]
fn acceptor(
    version: &'static SupportedProtocolVersion,
    client: Option<CertificateDer<'static>>,
    is_required: bool,
) -> (TlsAcceptor, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "The CA");
    let key = KeyPair::generate().unwrap();
    let ca = params.self_signed(&key).unwrap();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(Arc::clone(&provider));
    let config = config.with_protocol_versions(&[version]).unwrap();
    let config = match client {
        None => config.with_no_client_auth(),
        Some(client) => {
            let mut roots = RootCertStore::empty();
            roots.add(client).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
            let verifier = if is_required {
                verifier
            } else {
                verifier.allow_unauthenticated()
            };
            config.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let config = config
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), ca.pem())
}
