//! The private key and the certificate of a client, read from their PEM files when a run starts.

use std::path::Path;
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use x509_parser::parse_x509_certificate;
use zeroize::Zeroizing;

use super::event::FlowEvent;
use super::reporter::Reporter;
use crate::certificate::x509::day;
use crate::clean::clean;
use crate::oauth::assertion::{Credential, KeyFileError, KeyFiles, KeyPart, Rules, Signer};
use crate::oauth::client::{Client, ClientAuthentication};
use crate::oauth::jose::certificate_thumbprint;
use crate::secret::{ExposeSecret, SecretString};
use crate::store::file::read::{self as file, Kinds};

/// A larger file is neither a key nor a certificate with its chain.
const LIMIT: u64 = 256 * 1024;
const PATH_LIMIT: usize = 200;

/// Reads the files of the client, if it has any.
pub(super) async fn ready(client: &mut Client, reporter: &Reporter) -> Result<(), KeyFileError> {
    let Credential::Files(files, rules) = &client.credential else {
        return Ok(());
    };
    let (method, id) = (client.authentication, client.client_id.clone());
    let work = {
        let (files, rules) = (files.clone(), rules.clone());
        move || read(&files, &rules, method, &id, SystemTime::now())
    };
    let late = |error: file::ReadError| wrong(KeyPart::Key, &files.key, &error.sentence());
    let (credential, warning) = file::aside(work).await.map_err(late)??;
    client.credential = credential;
    if let Some(warning) = warning {
        reporter.report(FlowEvent::Note(warning)).await;
    }
    Ok(())
}

/// Checks the files without using them. Returns when the certificate expires, in seconds since 1970, if there is one.
///
/// # Errors
/// Which file can't be used, and why.
pub fn probe(files: &KeyFiles, now: SystemTime) -> Result<Option<u64>, KeyFileError> {
    let certificate = files.certificate.as_ref();
    let parts = certificate.map(|path| (KeyPart::Certificate, path));
    for (part, path) in std::iter::once((KeyPart::Key, &files.key)).chain(parts) {
        // A pipe would be waited for.
        file::check(path, Kinds::Regular).map_err(|error| wrong(part, path, &error.sentence()))?;
    }
    let rules = Rules::default();
    read(files, &rules, ClientAuthentication::PrivateKeyJwt, "", now)?;
    let Some(path) = certificate else {
        return Ok(None);
    };
    let text = text(KeyPart::Certificate, path)?;
    let (_, validity) =
        chain(&text).map_err(|reason| wrong(KeyPart::Certificate, path, &reason))?;
    Ok(validity.end.try_into().ok())
}

/// What the files hold, and a warning if other users can read the key.
fn read(
    files: &KeyFiles,
    rules: &Rules,
    method: ClientAuthentication,
    client_id: &str,
    now: SystemTime,
) -> Result<(Credential, Option<String>), KeyFileError> {
    let in_key = |reason: &str| wrong(KeyPart::Key, &files.key, reason);
    let key = text(KeyPart::Key, &files.key)?;
    let signing = rules.private_key(&key);
    let signing = signing.map_err(|error| in_key(&error.to_string()))?;
    let signer = Signer::new(signing, client_id, rules);
    let credential = match &files.certificate {
        None => Credential::Signer(signer),
        Some(path) => {
            // Both may be one pipe.
            let certificate = if *path == files.key {
                key.clone()
            } else {
                text(KeyPart::Certificate, path)?
            };
            let in_certificate = |reason: &str| wrong(KeyPart::Certificate, path, reason);
            let identity = identity(&certificate, &key, now);
            let identity = identity.map_err(|reason| in_certificate(&reason))?;
            if method == ClientAuthentication::MutualTls {
                Credential::Identity(identity)
            } else if rules.thumbprint {
                let thumbprint = certificate_thumbprint(certificate.expose_secret());
                let thumbprint = thumbprint.map_err(|error| in_certificate(&error.to_string()))?;
                Credential::Signer(signer.with_thumbprint(thumbprint))
            } else {
                Credential::Signer(signer)
            }
        }
    };
    let is_open =
        file::open(&files.key, Kinds::Regular).is_ok_and(|file| file::is_readable_by_others(&file));
    let warning = is_open.then(|| {
        let path = clean(&files.key.to_string_lossy(), PATH_LIMIT);
        format!("The client key file {path} can be read by other users. Run chmod 600 on it.")
    });
    Ok((credential, warning))
}

fn wrong(part: KeyPart, path: &Path, reason: &str) -> KeyFileError {
    KeyFileError {
        part,
        path: clean(&path.to_string_lossy(), PATH_LIMIT),
        reason: reason.to_owned(),
    }
}

fn text(part: KeyPart, path: &Path) -> Result<SecretString, KeyFileError> {
    let bytes =
        file::read_again(path, LIMIT).map_err(|error| wrong(part, path, &error.sentence()))?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| wrong(part, path, "The file is not in PEM format, which is text."))?;
    Ok(text.into())
}

/// A block of a PEM file.
fn block(label: &str, der: &[u8]) -> Zeroizing<String> {
    let text = Zeroizing::new(STANDARD.encode(der));
    let mut lines = Zeroizing::new(String::with_capacity(text.len() * 2));
    for (at, ch) in text.chars().enumerate() {
        if at % 64 == 0 {
            lines.push('\n');
        }
        lines.push(ch);
    }
    Zeroizing::new(format!(
        "-----BEGIN {label}-----{}\n-----END {label}-----\n",
        lines.as_str()
    ))
}

/// The first and the last second that a certificate is valid.
struct Validity {
    begin: i64,
    end: i64,
}

const UNKNOWN: &str = "The file contains no X.509 version 3 certificate.";

/// The certificates in a PEM file, and the validity of the first.
fn chain(certificate: &SecretString) -> Result<(Vec<CertificateDer<'static>>, Validity), String> {
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(certificate.expose_secret().as_bytes())
            .collect::<Result<_, _>>()
            .map_err(|_| "The certificate is damaged.".to_owned())?;
    let first = chain
        .first()
        .ok_or("The file contains no certificate in PEM format (BEGIN CERTIFICATE).")?;
    let (_, parsed) = parse_x509_certificate(first).map_err(|_| UNKNOWN.to_owned())?;
    let validity = parsed.validity();
    let validity = Validity {
        begin: validity.not_before.timestamp(),
        end: validity.not_after.timestamp(),
    };
    Ok((chain, validity))
}

/// The key and the certificates as PEM, if they belong together and are valid now.
fn identity(
    certificate: &SecretString,
    key: &SecretString,
    now: SystemTime,
) -> Result<SecretString, String> {
    let (chain, Validity { begin, end }) = chain(certificate)?;
    let now = Timestamp::try_from(now).map_or(0, Timestamp::as_second);
    if now < begin {
        return Err(format!(
            "The certificate is not valid before {}. Check the clock of this machine.",
            day(begin)
        ));
    }
    if now > end {
        return Err(format!(
            "The certificate expired on {}. Register a new one with the service.",
            day(end)
        ));
    }
    let key = PrivateKeyDer::from_pem_slice(key.expose_secret().as_bytes())
        .map_err(|_| "The key of the certificate can't be read.".to_owned())?;
    let (label, der) = match &key {
        PrivateKeyDer::Pkcs1(key) => ("RSA PRIVATE KEY", key.secret_pkcs1_der()),
        PrivateKeyDer::Sec1(key) => ("EC PRIVATE KEY", key.secret_sec1_der()),
        PrivateKeyDer::Pkcs8(key) => ("PRIVATE KEY", key.secret_pkcs8_der()),
        _ => return Err("The key of the certificate can't be read.".to_owned()),
    };
    let mut pem = Zeroizing::new(block(label, der).to_string());
    for certificate in &chain {
        pem.push_str(&block("CERTIFICATE", certificate));
    }
    let provider = rustls::crypto::ring::default_provider();
    match CertifiedKey::from_der(chain, key.clone_key(), &provider) {
        Ok(_) => Ok(pem.as_str().into()),
        Err(rustls::Error::InconsistentKeys(_)) => Err(
            "The certificate doesn't belong to the Client key. Enter the certificate that was created for this key."
                .to_owned(),
        ),
        Err(_) => Err(UNKNOWN.to_owned()),
    }
}
