//! The certificates of hostile servers, and servers without secure TLS.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde::Deserialize;

use crate::terminal::LIMIT;

/// The certificate of a server, or what the server has instead of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Good,
    Expired,
    NotYetValid,
    WrongHost,
    UnknownCa,
    SelfSigned,
    /// A server that supports at most TLS 1.1.
    Tls11,
    /// Another protocol.
    NoTls,
}

/// The response of a server that supports only TLS 1.1: a fatal alert, `protocol_version`.
const ALERT: &[u8] = &[21, 3, 2, 0, 2, 2, 70];

/// The CA that the program trusts, and the key that all servers use.
struct Authority {
    folder: tempfile::TempDir,
    issuer: Issuer<'static, KeyPair>,
    other: Issuer<'static, KeyPair>,
}

fn authority() -> &'static Authority {
    static AUTHORITY: OnceLock<Authority> = OnceLock::new();
    AUTHORITY.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let issuer = |name: &str| {
            let mut params = CertificateParams::new(Vec::new()).unwrap();
            params.distinguished_name.push(DnType::CommonName, name);
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            let key = KeyPair::generate().unwrap();
            let pem = params.self_signed(&key).unwrap().pem();
            (Issuer::new(params, key), pem)
        };
        let (trusted, pem) = issuer("CA of the tests");
        std::fs::write(folder.path().join("ca.pem"), pem).unwrap();
        let (other, _) = issuer("another CA");
        Authority {
            folder,
            issuer: trusted,
            other,
        }
    })
}

/// Path of the file with the CA certificate, for `SSL_CERT_FILE`.
pub fn ca_file() -> PathBuf {
    authority().folder.path().join("ca.pem")
}

fn config(kind: Kind) -> Arc<ServerConfig> {
    let authority = authority();
    let names = match kind {
        Kind::WrongHost => vec!["other.example".to_owned()],
        _ => vec!["127.0.0.1".to_owned(), "localhost".to_owned()],
    };
    let mut params = CertificateParams::new(names).unwrap();
    match kind {
        Kind::Expired => {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2021, 1, 1);
        }
        Kind::NotYetValid => params.not_before = date_time_ymd(2090, 1, 1),
        _ => params.not_before = date_time_ymd(2020, 1, 1),
    }
    let key = KeyPair::generate().unwrap();
    let certificate = match kind {
        Kind::SelfSigned => params.self_signed(&key),
        Kind::UnknownCa => params.signed_by(&key, &authority.other),
        _ => params.signed_by(&key, &authority.issuer),
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.unwrap().der().clone()], key);
    Arc::new(config.unwrap())
}

/// A connection to a hostile server, encrypted or not.
pub enum Connection {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

/// Begins TLS with a certificate of this kind; `None` if the handshake fails, as it should.
pub fn begin(mut stream: TcpStream, kind: Option<Kind>) -> Option<Connection> {
    stream.set_nodelay(true).ok()?;
    // A failing test must not block its server.
    stream.set_read_timeout(Some(3 * LIMIT)).ok()?;
    let instead: &[u8] = match kind {
        None => return Some(Connection::Plain(stream)),
        Some(Kind::Tls11) => ALERT,
        Some(Kind::NoTls) => b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        Some(kind) => {
            let session = ServerConnection::new(config(kind)).unwrap();
            return Some(Connection::Tls(Box::new(StreamOwned::new(session, stream))));
        }
    };
    let _ = stream.read(&mut [0; 4096]).ok()?;
    stream.write_all(instead).ok()?;
    // Wait until the client has read it and closes the connection.
    let _ = std::io::copy(&mut stream, &mut std::io::sink());
    None
}

impl Connection {
    /// Resets the connection instead of closing it.
    pub fn reset(&mut self) {
        let _ = self.flush();
        let stream = match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => &stream.sock,
        };
        let _ = socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO));
    }
}

impl Read for Connection {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Connection {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}
