//! Certificates for https redirect URLs on this machine, either created by the program or given as PEM files, and the
//! certificate stores of Windows.

pub mod created;
#[cfg(windows)]
pub(crate) mod store;
pub mod store_path;
pub mod thumbprint;
pub mod x509;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use jiff::Timestamp;
use rustls::client::verify_server_name;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use x509_parser::parse_x509_certificate;
use x509_parser::prelude::X509Certificate;

use self::x509::{bare, day, fingerprint, names};
use crate::clean::clean;
use crate::store::file::read::{self, Kinds, ReadError};

/// Maximum size of a file with a certificate chain or a key, in bytes.
const SIZE_LIMIT: u64 = 256 * 1024;

/// Where a certificate comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Created by this program.
    Created,
    /// Given by the user.
    Given,
}

/// A certificate and its key, as PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The certificate, and those of intermediate CAs.
    pub certificate: PathBuf,
    /// The private key; may be the same file.
    pub key: PathBuf,
    /// Where the files come from.
    pub origin: Origin,
}

/// One of the two files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateFile {
    /// The certificate.
    Certificate,
    /// The private key.
    Key,
}

/// Why a certificate can't be used, or could not be created.
#[derive(Debug, thiserror::Error)]
#[error("The {} {} cannot be used: {wrong}.", .part.name(), .path.display())]
pub struct CertificateError {
    /// The file with the problem.
    pub part: CertificateFile,
    /// Whether the program created the file or the user named it.
    pub origin: Origin,
    path: PathBuf,
    wrong: CertificateProblem,
}

/// The problem of a file, as a sentence without its beginning and its period.
#[derive(Debug, thiserror::Error)]
enum CertificateProblem {
    #[error(transparent)]
    Unread(#[from] ReadError),
    #[error("it contains no certificate in PEM format")]
    NoCertificate,
    #[error("its PEM data is damaged")]
    Damaged,
    #[error("it is not an X.509 version 3 certificate")]
    NotUnderstood,
    #[error("it contains no private key in PEM format")]
    NoKey,
    #[error("its key is protected by a passphrase")]
    Locked,
    #[error("its key type is not supported by TLS")]
    KeyKind,
    #[error("it does not belong to the certificate {}", .0.display())]
    OtherKey(PathBuf),
    #[error("it expired on {0}")]
    Expired(String),
    #[error("it is not valid before {0}")]
    NotYet(String),
    #[error("it is not for {host} but for {names}")]
    OtherHost { host: String, names: String },
    #[error("no certificate can be created for the host name {0}")]
    HostName(String),
    #[error("it could not be created ({0})")]
    NotMade(String),
    #[error("it could not be written ({0})")]
    NotWritten(String),
}

impl CertificateFile {
    fn name(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::Key => "certificate key",
        }
    }
}

impl CertificateError {
    /// Returns the fix, as a sentence.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match (&self.wrong, self.origin) {
            (CertificateProblem::HostName(_), _) => {
                "Use localhost or 127.0.0.1 in the Redirect URL."
            }
            (CertificateProblem::NotWritten(_), _) => "Make the folder writable, and try again.",
            (_, Origin::Created) => {
                "Create a new one with Configure… (oauth-authorizer configure setup), or enter your own PEM files."
            }
            (CertificateProblem::Unread(_) | CertificateProblem::NotMade(_), _) => {
                "Correct the path, or make the file readable."
            }
            (
                CertificateProblem::NoCertificate
                | CertificateProblem::Damaged
                | CertificateProblem::NotUnderstood,
                _,
            ) => {
                "Enter a PEM file with the certificate first, followed by its intermediate certificates."
            }
            (CertificateProblem::NoKey, _) => {
                "Enter the PEM file with the private key of the certificate."
            }
            (CertificateProblem::Locked, _) => {
                "Remove the passphrase: openssl pkey -in FILE -out NEW. Make sure that only you can read NEW."
            }
            (CertificateProblem::KeyKind, _) => {
                "Use a certificate with an ECDSA (P-256) or RSA (2048 bits) key."
            }
            (CertificateProblem::OtherKey(_), _) => {
                "Enter the private key that belongs to the certificate."
            }
            (CertificateProblem::Expired(_), _) => "Renew it, or enter another one.",
            (CertificateProblem::NotYet(_), _) => {
                "Check the clock of this machine, or wait until then."
            }
            (CertificateProblem::OtherHost { .. }, _) => {
                "Use a certificate for the host of the Redirect URL, or leave Certificate and Certificate key empty and \
                    create one with Configure… (oauth-authorizer configure setup)."
            }
        }
    }
}

/// A certificate that matches its key and host, and is valid now.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The certificate and key, for the listener.
    pub key: Arc<CertifiedKey>,
    /// The data of the certificate, for the user.
    pub about: About,
}

/// What the user must know about a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The SHA-256 fingerprint, as `openssl x509 -fingerprint -sha256` prints it.
    pub fingerprint: String,
    /// Whether the certificate is self-signed, so that no browser trusts it.
    pub self_made: bool,
    /// The last day of validity, in UTC.
    pub last_day: String,
}

impl About {
    /// Reads the data of a certificate, which is given in both encoded and parsed form.
    #[must_use]
    pub fn of(der: &[u8], certificate: &X509Certificate<'_>) -> Self {
        Self {
            fingerprint: fingerprint(der),
            self_made: certificate.subject().as_raw() == certificate.issuer().as_raw(),
            last_day: day(certificate.validity().not_after.timestamp()),
        }
    }

    /// Returns the expected warning of the browser, to be shown before the fingerprint. Fits in one terminal line.
    #[must_use]
    pub fn browser_warning(&self) -> &'static str {
        if self.self_made {
            "Your browser will warn that this certificate isn't trusted. SHA-256 fingerprint:"
        } else {
            "If your browser warns about the certificate, compare its SHA-256 fingerprint:"
        }
    }
}

/// Does the same on another thread, with a time limit for reading the files.
///
/// # Errors
/// Returns which file is wrong, and why.
pub async fn load_aside(
    files: &Files,
    host: &str,
    now: SystemTime,
) -> Result<Certificate, CertificateError> {
    let work = {
        let (files, host) = (files.clone(), host.to_owned());
        move || load(&files, &host, now)
    };
    read::aside(work).await.unwrap_or_else(|error| {
        Err(CertificateError {
            part: CertificateFile::Certificate,
            origin: files.origin,
            path: files.certificate.clone(),
            wrong: error.into(),
        })
    })
}

/// Reads the certificate for `host`, and checks that it can be used at the time `now`.
///
/// # Errors
/// Returns which file is wrong, and why.
pub fn load(files: &Files, host: &str, now: SystemTime) -> Result<Certificate, CertificateError> {
    let in_certificate = |wrong| CertificateError {
        part: CertificateFile::Certificate,
        origin: files.origin,
        path: files.certificate.clone(),
        wrong,
    };
    let in_key = |wrong| CertificateError {
        part: CertificateFile::Key,
        origin: files.origin,
        path: files.key.clone(),
        wrong,
    };
    // Created files are in a folder of the program; files given by the user may be pipes, as in `<(command)`.
    let content = |path: &Path| match files.origin {
        Origin::Created => read::read(path, Kinds::Regular, SIZE_LIMIT),
        Origin::Given => read::read_again(path, SIZE_LIMIT),
    };
    let text = content(&files.certificate).map_err(|error| in_certificate(error.into()))?;
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(|_| in_certificate(CertificateProblem::Damaged))?;
    let first = chain
        .first()
        .ok_or_else(|| in_certificate(CertificateProblem::NoCertificate))?;
    let about = judge(first, host, now).map_err(in_certificate)?;
    // Both may be the same pipe, which can be read only once.
    let text = if files.key == files.certificate {
        text
    } else {
        content(&files.key).map_err(|error| in_key(error.into()))?
    };
    let key = PrivateKeyDer::from_pem_slice(&text).map_err(|error| {
        in_key(match error {
            pem::Error::NoItemsFound if holds(&text, b"BEGIN ENCRYPTED PRIVATE KEY") => {
                CertificateProblem::Locked
            }
            pem::Error::NoItemsFound => CertificateProblem::NoKey,
            // The older format of an encrypted key.
            _ if holds(&text, b"Proc-Type: 4,ENCRYPTED") => CertificateProblem::Locked,
            _ => CertificateProblem::Damaged,
        })
    })?;
    let provider = rustls::crypto::ring::default_provider();
    let key = CertifiedKey::from_der(chain, key, &provider).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            in_key(CertificateProblem::OtherKey(files.certificate.clone()))
        }
        rustls::Error::InvalidCertificate(_) => in_certificate(CertificateProblem::NotUnderstood),
        _ if holds(&text, b"Proc-Type: 4,ENCRYPTED") => in_key(CertificateProblem::Locked),
        _ => in_key(CertificateProblem::KeyKind),
    })?;
    Ok(Certificate {
        key: Arc::new(key),
        about,
    })
}

/// Checks the certificate itself: that it can be parsed, is valid now, and matches the host.
fn judge(
    der: &CertificateDer<'_>,
    host: &str,
    now: SystemTime,
) -> Result<About, CertificateProblem> {
    let (_, certificate) =
        parse_x509_certificate(der).map_err(|_| CertificateProblem::NotUnderstood)?;
    let parsed = ParsedCertificate::try_from(der).map_err(|_| CertificateProblem::NotUnderstood)?;
    let now = Timestamp::try_from(now).map_or(0, Timestamp::as_second);
    let (first, last) = (
        certificate.validity().not_before.timestamp(),
        certificate.validity().not_after.timestamp(),
    );
    if now < first {
        return Err(CertificateProblem::NotYet(day(first)));
    }
    if now > last {
        return Err(CertificateProblem::Expired(day(last)));
    }
    let fits = ServerName::try_from(bare(host))
        .is_ok_and(|host| verify_server_name(&parsed, &host).is_ok());
    if !fits {
        return Err(CertificateProblem::OtherHost {
            host: clean(host, 80),
            names: names(&certificate),
        });
    }
    Ok(About::of(der, &certificate))
}

fn holds(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use std::time::Duration;

    use super::created::create;
    use super::*;

    const DAY: Duration = Duration::from_hours(24);

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_hours(500_000)
    }

    fn given(certificate: &Path, key: &Path) -> Files {
        Files {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            origin: Origin::Given,
        }
    }

    #[test]
    fn load_errors_name_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let write = |name: &str, text: &str| {
            std::fs::write(at(name), text).unwrap();
            at(name)
        };
        let (created, _) = create(folder.path(), "localhost", now()).unwrap();
        let (other, _) = create(folder.path(), "other.example", now()).unwrap();
        let (certificate, key) = (&created.certificate, &created.key);
        let both = write(
            "both.pem",
            &[certificate, key]
                .map(|path| std::fs::read_to_string(path).unwrap())
                .join(""),
        );
        assert!(load(&given(&both, &both), "localhost", now()).is_ok());
        let damaged = write(
            "damaged.pem",
            "-----BEGIN CERTIFICATE-----\n%\n-----END CERTIFICATE-----\n",
        );
        let strange = write(
            "strange.pem",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        );
        let locked = write(
            "locked.pem",
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
        );
        let odd = write(
            "odd.pem",
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        );
        let large = write("large.pem", &"x".repeat(300_000));
        let missing = at("missing.pem");
        let folder_itself = folder.path().to_owned();
        for (certificate, key, begin, words) in [
            (&missing, key, "The certificate ", "there is no such file"),
            (&folder_itself, key, "The certificate ", "it is a directory"),
            (&large, key, "The certificate ", "larger than 256 KiB"),
            (key, key, "The certificate ", "no certificate in PEM format"),
            (&damaged, key, "The certificate ", "damaged"),
            (&strange, key, "The certificate ", "X.509"),
            (
                &other.certificate,
                &other.key,
                "The certificate ",
                "it is not for localhost but for other.example.",
            ),
            (
                certificate,
                &missing,
                "The certificate key ",
                "there is no such file",
            ),
            (
                certificate,
                certificate,
                "The certificate key ",
                "no private key",
            ),
            (certificate, &locked, "The certificate key ", "passphrase"),
            (certificate, &odd, "The certificate key ", "key type"),
            (
                certificate,
                &other.key,
                "The certificate key ",
                "does not belong to the certificate",
            ),
        ] {
            let error = load(&given(certificate, key), "localhost", now()).unwrap_err();
            let text = error.to_string();
            assert!(text.starts_with(begin) && text.contains(words), "{text}");
            assert!(!error.hint().contains("Delete"), "{text}");
        }
        for (at, words) in [
            (now() - 2 * DAY, "it is not valid before 2027-01-15."),
            (now() + 31 * DAY, "it expired on 2027-02-14."),
        ] {
            let error = load(&created, "localhost", at).unwrap_err();
            assert!(error.to_string().ends_with(words), "{error}");
            assert!(error.hint().contains("Configure…"), "{}", error.hint());
        }
    }
}
