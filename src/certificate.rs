//! The certificate of an https redirect URL on this machine: created here, or given as PEM files.
//!
//! A created one is its own authority, for 30 days, and nobody trusts it: its fingerprint tells the person that it is ours.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use etcetera::BaseStrategy;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use rcgen::{
    CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, date_time_ymd,
};
use ring::digest::{SHA256, digest};
use rustls::client::verify_server_name;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use x509_parser::extensions::GeneralName;
use x509_parser::parse_x509_certificate;
use x509_parser::prelude::X509Certificate;

use crate::clean::clean;
use crate::secret::SecretString;
use crate::store::file::read::{Kinds, ReadError};
use crate::store::file::{self, Readers};

/// A larger file is neither a certificate with its chain nor a key.
const SIZE_LIMIT: u64 = 256 * 1024;
/// How long a created certificate is valid.
const DAYS: i64 = 30;
/// What one certificate is created for together, since `localhost` is all of them.
const LOCALHOST: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Where a certificate comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Made by this program.
    Created,
    /// Named by the person.
    Given,
}

/// A certificate and its key, as PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The certificate, and those of the authorities between.
    pub certificate: PathBuf,
    /// Its private key; may be the same file.
    pub key: PathBuf,
    /// Where they come from.
    pub origin: Origin,
}

impl Files {
    /// What was created lies in a folder of the program; what was given may be `<(command)`.
    fn kinds(&self) -> Kinds {
        match self.origin {
            Origin::Created => Kinds::Regular,
            Origin::Given => Kinds::WithPipes,
        }
    }
}

/// Which of the two files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The certificate.
    Certificate,
    /// Its key.
    Key,
}

/// Why a certificate cannot be used, or could not be created.
#[derive(Debug, thiserror::Error)]
#[error("The {} {} cannot be used: {wrong}.", .part.words(), .path.display())]
pub struct CertificateError {
    /// Which file.
    pub part: Part,
    /// Whose.
    pub origin: Origin,
    path: PathBuf,
    wrong: Wrong,
}

/// What is wrong with a file, as a sentence without its beginning and its stop.
#[derive(Debug, thiserror::Error)]
enum Wrong {
    #[error(transparent)]
    Unread(#[from] ReadError),
    #[error("it holds no certificate in PEM form")]
    NoCertificate,
    #[error("its PEM form is damaged")]
    Damaged,
    #[error("what it holds is no certificate of this time (X.509, version 3)")]
    NotUnderstood,
    #[error("it holds no private key in PEM form")]
    NoKey,
    #[error("its key is locked with a passphrase")]
    Locked,
    #[error("its key is of a kind that TLS does not take")]
    KeyKind,
    #[error("it does not belong to the certificate {}", .0.display())]
    OtherKey(PathBuf),
    #[error("it expired on {0}")]
    Expired(String),
    #[error("it is not valid before {0}")]
    NotYet(String),
    #[error("it is not for {host} but for {names}")]
    OtherHost { host: String, names: String },
    #[error("{0} is no host name that a certificate can be created for")]
    HostName(String),
    #[error("it could not be created ({0})")]
    NotMade(String),
    #[error("it could not be written ({0})")]
    NotWritten(String),
}

impl Part {
    fn words(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::Key => "certificate key",
        }
    }
}

impl CertificateError {
    /// What to do about it, in a sentence.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match (&self.wrong, self.origin) {
            (Wrong::HostName(_), _) => "Use localhost or 127.0.0.1 in the Redirect URL.",
            (Wrong::NotWritten(_), _) => "Make the folder writable for you, and try again.",
            (_, Origin::Created) => {
                "Create a new one with Configure…, or name PEM files of your own under Advanced."
            }
            (Wrong::Unread(_) | Wrong::NotMade(_), _) => {
                "Correct the path under Advanced, or make the file readable for you."
            }
            (Wrong::NoCertificate | Wrong::Damaged | Wrong::NotUnderstood, _) => {
                "Name a PEM file: the certificate first, then those of the authorities between."
            }
            (Wrong::NoKey, _) => "Name the PEM file that holds the private key of the certificate.",
            (Wrong::Locked, _) => {
                "Write it once more without: openssl pkey -in FILE -out NEW, with NEW readable by you alone."
            }
            (Wrong::KeyKind, _) => {
                "Take a certificate with an ECDSA (P-256) or RSA (2048 bits) key."
            }
            (Wrong::OtherKey(_), _) => "Name the key that the certificate was made for.",
            (Wrong::Expired(_), _) => "Have it renewed, or name another under Advanced.",
            (Wrong::NotYet(_), _) => "Check the clock of this machine, or wait until then.",
            (Wrong::OtherHost { .. }, _) => {
                "Take a certificate for the host of the Redirect URL, or leave Certificate and Certificate key empty and \
                 create one with Configure…"
            }
        }
    }
}

/// A certificate that fits its key, its host and the time.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// For the listener.
    pub key: Arc<CertifiedKey>,
    /// For the person.
    pub about: About,
}

/// What the person has to know of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// SHA-256 of the certificate, as `openssl x509 -fingerprint -sha256` prints it.
    pub fingerprint: String,
    /// It is its own authority, which no browser trusts.
    pub self_made: bool,
    /// The last day that it is valid on, in UTC.
    pub last_day: String,
}

impl About {
    /// Reads it off a certificate, which is given both ways.
    #[must_use]
    pub fn of(der: &[u8], certificate: &X509Certificate<'_>) -> Self {
        Self {
            fingerprint: fingerprint(der),
            self_made: certificate.subject().as_raw() == certificate.issuer().as_raw(),
            last_day: day(certificate.validity().not_after.timestamp()),
        }
    }

    /// What the browser will say, before the fingerprint; fits into a line of a terminal.
    #[must_use]
    pub fn words(&self) -> &'static str {
        if self.self_made {
            "Your browser will warn: it does not trust this certificate. Its SHA-256:"
        } else {
            "If your browser warns about the certificate, compare. Its SHA-256:"
        }
    }
}

/// The hosts for which there is a created certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Created {
    folder: PathBuf,
    names: BTreeSet<String>,
}

impl Created {
    /// Those of this person.
    #[must_use]
    pub fn of_person() -> Self {
        folder().map(Self::in_folder).unwrap_or_default()
    }

    /// Those of a folder. Looks at names only; what is in the files is read when it is used.
    #[must_use]
    pub fn in_folder(folder: PathBuf) -> Self {
        let names: BTreeSet<String> = std::fs::read_dir(&folder)
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .collect();
        let names = names
            .iter()
            .filter_map(|file| file.strip_suffix(".pem"))
            .filter(|name| names.contains(&format!("{name}.key.pem")))
            .map(str::to_owned)
            .collect();
        Self { folder, names }
    }

    /// The certificate for `host`, where there is one.
    #[must_use]
    pub fn files(&self, host: &str) -> Option<Files> {
        let files = paths(&self.folder, host)?;
        self.names.contains(&name(host)?).then_some(files)
    }
}

/// The folder of the created certificates; `None` where this system names no home folder.
#[must_use]
pub fn folder() -> Option<PathBuf> {
    let base = etcetera::choose_base_strategy().ok()?;
    Some(
        base.config_dir()
            .join("oauth-authorizer")
            .join("certificates"),
    )
}

/// Where the created certificate for `host` and its key are: `HOST.pem` and `HOST.key.pem`; the names of this machine
/// share one. `None` for what is no host name.
#[must_use]
pub fn paths(folder: &Path, host: &str) -> Option<Files> {
    let name = name(host)?;
    Some(Files {
        certificate: folder.join(format!("{name}.pem")),
        key: folder.join(format!("{name}.key.pem")),
        origin: Origin::Created,
    })
}

/// The host as a URL has it, as a part of a file name.
fn name(host: &str) -> Option<String> {
    let host = bare(host).to_ascii_lowercase();
    if LOCALHOST.contains(&host.as_str()) {
        return Some(LOCALHOST[0].to_owned());
    }
    let fits = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '-' | '.' | ':');
    // `a.key` would have its certificate where the key of `a` is.
    let sound = host.chars().all(fits)
        && !host.starts_with(['.', '-'])
        && host
            .rsplit('.')
            .next()
            .is_some_and(|last| last != "key" && !last.is_empty())
        && ServerName::try_from(host.as_str()).is_ok();
    // No file name on Windows has a colon.
    sound.then(|| host.replace(':', "_"))
}

/// An IPv6 address without the brackets that it has in a URL.
fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

/// Creates a certificate for `host` that is its own authority, valid from `now` on for 30 days, in place of an older one.
/// Says who can read its key.
///
/// # Errors
/// Where there can be none for that host, or the folder cannot be written to.
pub fn create(
    folder: &Path,
    host: &str,
    now: SystemTime,
) -> Result<(Files, Readers), CertificateError> {
    let failed = |part: Part, path: &Path, wrong: Wrong| CertificateError {
        part,
        origin: Origin::Created,
        path: path.to_owned(),
        wrong,
    };
    let files = paths(folder, host).ok_or_else(|| {
        let host = clean(host, 80);
        failed(Part::Certificate, folder, Wrong::HostName(host))
    })?;
    let (certificate, key) = make(bare(host), now).map_err(|reason| {
        failed(
            Part::Certificate,
            &files.certificate,
            Wrong::NotMade(reason),
        )
    })?;
    let not_written = |error: std::io::Error| Wrong::NotWritten(plain_words(&error));
    std::fs::create_dir_all(folder)
        .map_err(|error| failed(Part::Certificate, folder, not_written(error)))?;
    let before = file::read::read(&files.key, Kinds::Regular, SIZE_LIMIT)
        .ok()
        .map(|key| SecretString::from(String::from_utf8_lossy(&key).into_owned()));
    let readers = file::save(&files.key, &key)
        .map_err(|error| failed(Part::Key, &files.key, not_written(error)))?;
    file::save(&files.certificate, &certificate).map_err(|error| {
        // The certificate that is still there keeps its key. If that fails as well, the next use says so.
        let _ = match &before {
            Some(key) => file::save(&files.key, key).map(drop),
            None => std::fs::remove_file(&files.key),
        };
        failed(Part::Certificate, &files.certificate, not_written(error))
    })?;
    Ok((files, readers))
}

/// The certificate and the key, as PEM.
fn make(host: &str, now: SystemTime) -> Result<(SecretString, SecretString), String> {
    let words = |error: &dyn std::fmt::Display| clean(&error.to_string(), 120);
    let names: Vec<String> = if LOCALHOST.contains(&host) {
        LOCALHOST.map(str::to_owned).to_vec()
    } else {
        vec![host.to_owned()]
    };
    let mut params = CertificateParams::new(names).map_err(|error| words(&error))?;
    let today = Timestamp::try_from(now)
        .map_err(|error| words(&error))?
        .to_zoned(TimeZone::UTC)
        .date();
    let last = today
        .checked_add(Span::new().days(DAYS))
        .map_err(|error| words(&error))?;
    let midnight = |day: jiff::civil::Date| {
        date_time_ymd(
            day.year().into(),
            day.month().unsigned_abs(),
            day.day().unsigned_abs(),
        )
    };
    params.not_before = midnight(today);
    params.not_after = midnight(last);
    params
        .distinguished_name
        .push(DnType::CommonName, "OAuth Authorizer");
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|error| words(&error))?;
    let certificate = params.self_signed(&key).map_err(|error| words(&error))?;
    Ok((
        SecretString::from(certificate.pem()),
        SecretString::from(key.serialize_pem()),
    ))
}

/// Deletes the created certificate for `host` and its key; false where there was none.
///
/// # Errors
/// Where a file is still there.
pub fn delete(folder: &Path, host: &str) -> std::io::Result<bool> {
    let Some(files) = paths(folder, host) else {
        return Ok(false);
    };
    let mut deleted = false;
    for path in [files.key, files.certificate] {
        match std::fs::remove_file(path) {
            Ok(()) => deleted = true,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(deleted)
}

/// The same, for as long as a file may be waited for, while other things go on.
///
/// # Errors
/// What is wrong with which of the files.
pub async fn load_aside(
    files: &Files,
    host: &str,
    now: SystemTime,
) -> Result<Certificate, CertificateError> {
    let work = {
        let (files, host) = (files.clone(), host.to_owned());
        move || load(&files, &host, now)
    };
    file::read::aside(work).await.unwrap_or_else(|error| {
        Err(CertificateError {
            part: Part::Certificate,
            origin: files.origin,
            path: files.certificate.clone(),
            wrong: error.into(),
        })
    })
}

/// Reads a certificate for `host`, and makes sure that a browser can be shown it at the time `now`.
///
/// # Errors
/// What is wrong with which of the files.
pub fn load(files: &Files, host: &str, now: SystemTime) -> Result<Certificate, CertificateError> {
    let in_certificate = |wrong| CertificateError {
        part: Part::Certificate,
        origin: files.origin,
        path: files.certificate.clone(),
        wrong,
    };
    let in_key = |wrong| CertificateError {
        part: Part::Key,
        origin: files.origin,
        path: files.key.clone(),
        wrong,
    };
    let read = |path: &Path| file::read::read(path, files.kinds(), SIZE_LIMIT);
    let text = read(&files.certificate).map_err(|error| in_certificate(error.into()))?;
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(|_| in_certificate(Wrong::Damaged))?;
    let first = chain
        .first()
        .ok_or_else(|| in_certificate(Wrong::NoCertificate))?;
    let about = judge(first, host, now).map_err(in_certificate)?;
    // Both may be one pipe, which is read once.
    let text = if files.key == files.certificate {
        text
    } else {
        read(&files.key).map_err(|error| in_key(error.into()))?
    };
    let key = PrivateKeyDer::from_pem_slice(&text).map_err(|error| {
        in_key(match error {
            pem::Error::NoItemsFound if holds(&text, b"BEGIN ENCRYPTED PRIVATE KEY") => {
                Wrong::Locked
            }
            pem::Error::NoItemsFound => Wrong::NoKey,
            // The older form of a locked key.
            _ if holds(&text, b"Proc-Type: 4,ENCRYPTED") => Wrong::Locked,
            _ => Wrong::Damaged,
        })
    })?;
    let provider = rustls::crypto::ring::default_provider();
    let key = CertifiedKey::from_der(chain, key, &provider).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => in_key(Wrong::OtherKey(files.certificate.clone())),
        rustls::Error::InvalidCertificate(_) => in_certificate(Wrong::NotUnderstood),
        _ if holds(&text, b"Proc-Type: 4,ENCRYPTED") => in_key(Wrong::Locked),
        _ => in_key(Wrong::KeyKind),
    })?;
    Ok(Certificate {
        key: Arc::new(key),
        about,
    })
}

/// The certificate by itself: understood, of this time, for this host.
fn judge(der: &CertificateDer<'_>, host: &str, now: SystemTime) -> Result<About, Wrong> {
    let (_, certificate) = parse_x509_certificate(der).map_err(|_| Wrong::NotUnderstood)?;
    let parsed = ParsedCertificate::try_from(der).map_err(|_| Wrong::NotUnderstood)?;
    let now = Timestamp::try_from(now).map_or(0, Timestamp::as_second);
    let (first, last) = (
        certificate.validity().not_before.timestamp(),
        certificate.validity().not_after.timestamp(),
    );
    if now < first {
        return Err(Wrong::NotYet(day(first)));
    }
    if now > last {
        return Err(Wrong::Expired(day(last)));
    }
    let fits = ServerName::try_from(bare(host))
        .is_ok_and(|host| verify_server_name(&parsed, &host).is_ok());
    if !fits {
        return Err(Wrong::OtherHost {
            host: clean(host, 80),
            names: names(&certificate),
        });
    }
    Ok(About::of(der, &certificate))
}

/// The day of a time, in UTC.
#[must_use]
pub fn day(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(
        |_| "a day that no calendar has".to_owned(),
        |time| time.strftime("%Y-%m-%d").to_string(),
    )
}

/// The host names and addresses that a certificate is for, as browsers read it: its subject does not count.
#[must_use]
pub fn hosts(certificate: &X509Certificate<'_>) -> Vec<String> {
    let names = certificate
        .subject_alternative_name()
        .ok()
        .flatten()
        .map(|extension| extension.value.general_names.as_slice())
        .unwrap_or_default();
    names
        .iter()
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(clean(name, 255)),
            GeneralName::IPAddress(bytes) => address(bytes),
            _ => None,
        })
        .collect()
}

/// The same within a sentence.
fn names(certificate: &X509Certificate<'_>) -> String {
    let names = hosts(certificate);
    match names.len() {
        0 => "no host at all (its subject does not count)".to_owned(),
        1..=4 => clean(&names.join(", "), 240),
        more => format!(
            "{} and {} others",
            clean(&names[..4].join(", "), 240),
            more - 4
        ),
    }
}

fn address(bytes: &[u8]) -> Option<String> {
    <[u8; 4]>::try_from(bytes)
        .map(|v4| std::net::Ipv4Addr::from(v4).to_string())
        .or_else(|_| <[u8; 16]>::try_from(bytes).map(|v6| std::net::Ipv6Addr::from(v6).to_string()))
        .ok()
}

/// SHA-256 in upper-case hexadecimal digits, with a colon after each byte but the last.
#[must_use]
pub fn fingerprint(der: &[u8]) -> String {
    let bytes: Vec<String> = digest(&SHA256, der)
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    bytes.join(":")
}

fn holds(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// A system's error without its number.
fn plain_words(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error")
        .next()
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends on what it did not expect")]
mod tests {
    use std::time::Duration;

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
    fn files_are_named_after_the_host_and_stay_in_the_folder() {
        let folder = Path::new("/c");
        let certificate = |host| {
            paths(folder, host).map(|files| {
                let name = |path: &Path| path.strip_prefix("/c").unwrap().display().to_string();
                (name(&files.certificate), name(&files.key))
            })
        };
        let localhost = Some(("localhost.pem".to_owned(), "localhost.key.pem".to_owned()));
        for host in ["localhost", "LOCALHOST", "127.0.0.1", "::1", "[::1]"] {
            assert_eq!(certificate(host), localhost, "{host}");
        }
        assert_eq!(certificate("Mail.Example").unwrap().0, "mail.example.pem");
        assert_eq!(certificate("127.0.0.2").unwrap().1, "127.0.0.2.key.pem");
        assert_eq!(certificate("[fd00::2]").unwrap().0, "fd00__2.pem");
        for host in [
            "",
            ".",
            "..",
            "../x",
            "a/b",
            "a\\b",
            "a b",
            "localhost.key",
            "-x",
            "c:x",
            "é",
        ] {
            assert_eq!(certificate(host), None, "{host:?}");
        }
    }

    #[test]
    fn a_created_certificate_is_found_loaded_replaced_and_deleted() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("certificates");
        assert!(
            Created::in_folder(folder.clone())
                .files("localhost")
                .is_none()
        );
        let (files, _) = create(&folder, "127.0.0.1", now()).unwrap();
        let created = Created::in_folder(folder.clone());
        for host in LOCALHOST.iter().chain(&["[::1]"]) {
            assert_eq!(created.files(host).as_ref(), Some(&files), "{host}");
            let certificate = load(&files, host, now()).unwrap();
            assert!(certificate.about.self_made);
            assert_eq!(certificate.about.last_day, "2027-02-14");
        }
        assert!(created.files("other.example").is_none());
        let first = load(&files, "localhost", now()).unwrap().about;
        create(&folder, "localhost", now()).unwrap();
        let second = load(&files, "localhost", now()).unwrap().about;
        assert_ne!(first.fingerprint, second.fingerprint);
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2);
        assert!(delete(&folder, "localhost").unwrap());
        assert!(!delete(&folder, "localhost").unwrap());
        assert!(Created::in_folder(folder).files("localhost").is_none());
    }

    #[cfg(unix)]
    #[test]
    fn the_key_is_its_owners_alone_and_a_failed_replacement_keeps_the_pair() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (files, readers) = create(folder.path(), "localhost", now()).unwrap();
        assert_eq!(readers, Readers::User);
        let mode = std::fs::metadata(&files.key).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        // A folder in the place of the certificate cannot be replaced.
        let key = std::fs::read(&files.key).unwrap();
        std::fs::remove_file(&files.certificate).unwrap();
        std::fs::create_dir(&files.certificate).unwrap();
        let error = create(folder.path(), "localhost", now()).unwrap_err();
        assert!(
            error.to_string().contains("could not be written"),
            "{error}"
        );
        assert_eq!(std::fs::read(&files.key).unwrap(), key);
    }

    #[test]
    fn what_is_wrong_is_said_with_the_file() {
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
            (key, key, "The certificate ", "no certificate in PEM form"),
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
            (certificate, &odd, "The certificate key ", "of a kind"),
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

    #[test]
    fn a_fingerprint_is_written_as_openssl_does() {
        assert_eq!(
            fingerprint(b"abc"),
            "BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23:B0:03:61:A3:96:17:7A:9C:B4:10:FF:61:F2:00:15:AD"
        );
    }
}
