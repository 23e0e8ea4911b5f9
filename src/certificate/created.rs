//! Creates self-signed certificates, valid for 30 days. No browser trusts them: the fingerprint identifies them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use rcgen::{
    CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, date_time_ymd,
};
use rustls::pki_types::ServerName;

use super::x509::bare;
use super::{CertificateError, CertificateFile, CertificateProblem, Files, Origin, SIZE_LIMIT};
use crate::clean::{clean, system_reason};
use crate::secret::SecretString;
use crate::store::file::read::Kinds;
use crate::store::file::{self, Readers};
use crate::store::folders;

/// How long a created certificate is valid.
const DAYS: i64 = 30;
/// The host names and addresses that share one certificate.
const LOCALHOST: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// The hosts that have a created certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Created {
    folder: PathBuf,
    names: BTreeSet<String>,
}

impl Created {
    /// Returns the certificates of the user.
    #[must_use]
    pub fn load_user() -> Self {
        folders::certificates()
            .map(Self::in_folder)
            .unwrap_or_default()
    }

    /// Returns the certificates in a folder. Reads only file names; the files are read when they are used.
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

    /// Returns the files of the certificate for `host`, if there is one.
    #[must_use]
    pub fn files(&self, host: &str) -> Option<Files> {
        let files = paths(&self.folder, host)?;
        self.names.contains(&name(host)?).then_some(files)
    }
}

/// Returns the paths of the certificate for `host` and its key: `HOST.pem` and `HOST.key.pem`. The names of this
/// machine share one certificate. Returns `None` if `host` is not a host name.
#[must_use]
pub fn paths(folder: &Path, host: &str) -> Option<Files> {
    let name = name(host)?;
    Some(Files {
        certificate: folder.join(format!("{name}.pem")),
        key: folder.join(format!("{name}.key.pem")),
        origin: Origin::Created,
    })
}

/// Converts the host in a URL to a part of a file name.
fn name(host: &str) -> Option<String> {
    let host = bare(host).to_ascii_lowercase();
    if LOCALHOST.contains(&host.as_str()) {
        return Some(LOCALHOST[0].to_owned());
    }
    let fits = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '-' | '.' | ':');
    // The certificate of `a.key` would have the same path as the key of `a`.
    let sound = host.chars().all(fits)
        && !host.starts_with(['.', '-'])
        && host
            .rsplit('.')
            .next()
            .is_some_and(|last| last != "key" && !last.is_empty())
        && ServerName::try_from(host.as_str()).is_ok();
    // File names on Windows can't contain a colon.
    sound.then(|| host.replace(':', "_"))
}

/// Creates a self-signed certificate for `host`, valid for 30 days from `now`, and replaces an older one. Returns who
/// can read its key.
///
/// # Errors
/// Returns an error if that host can't have a certificate, or the folder can't be written to.
pub fn create(
    folder: &Path,
    host: &str,
    now: SystemTime,
) -> Result<(Files, Readers), CertificateError> {
    let failed = |part: CertificateFile, path: &Path, wrong: CertificateProblem| CertificateError {
        part,
        origin: Origin::Created,
        path: path.to_owned(),
        wrong,
    };
    let files = paths(folder, host).ok_or_else(|| {
        let host = clean(host, 80);
        failed(
            CertificateFile::Certificate,
            folder,
            CertificateProblem::HostName(host),
        )
    })?;
    let (certificate, key) = make(bare(host), now).map_err(|reason| {
        failed(
            CertificateFile::Certificate,
            &files.certificate,
            CertificateProblem::NotMade(reason),
        )
    })?;
    let not_written = |error: std::io::Error| {
        CertificateProblem::NotWritten(system_reason(&error.to_string()).to_owned())
    };
    std::fs::create_dir_all(folder)
        .map_err(|error| failed(CertificateFile::Certificate, folder, not_written(error)))?;
    let before = file::read::read(&files.key, Kinds::Regular, SIZE_LIMIT)
        .ok()
        .and_then(|key| Some(SecretString::from(std::str::from_utf8(&key).ok()?)));
    let readers = file::save(&files.key, &key)
        .map_err(|error| failed(CertificateFile::Key, &files.key, not_written(error)))?;
    file::save(&files.certificate, &certificate).map_err(|error| {
        // Restore the key of the old certificate. If that fails as well, the next use reports it.
        let _ = match &before {
            Some(key) => file::save(&files.key, key).map(drop),
            None => std::fs::remove_file(&files.key),
        };
        failed(
            CertificateFile::Certificate,
            &files.certificate,
            not_written(error),
        )
    })?;
    Ok((files, readers))
}

/// Returns a new certificate and its key, as PEM.
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

/// Deletes the created certificate for `host` and its key; returns `false` if there was none.
///
/// # Errors
/// Returns an error if a file could not be deleted.
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use std::time::Duration;

    use super::super::load;
    use super::*;

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_hours(500_000)
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
    fn created_certificate_can_be_loaded_replaced_and_deleted() {
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
    fn key_is_private_and_survives_a_failed_replacement() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (files, readers) = create(folder.path(), "localhost", now()).unwrap();
        assert_eq!(readers, Readers::User);
        let mode = std::fs::metadata(&files.key).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        // A folder with the name of the certificate file can't be replaced.
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
}
