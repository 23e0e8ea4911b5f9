//! The private key and the certificate of a client, read from PEM files or a certificate store when a run starts.

use std::path::Path;
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use rustls::InconsistentKeys;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use x509_parser::parse_x509_certificate;
use zeroize::Zeroizing;

use super::ca_file::is_pkcs12;
use super::event::FlowEvent;
use super::reporter::Reporter;
use super::store_key::{self, Opened};
use crate::certificate::store_path::StorePath;
use crate::certificate::x509::day;
use crate::clean::clean_path;
use crate::oauth::assertion::{
    Credential, Identity, KeyFileError, KeyFiles, KeyPart, Rules, Signer,
};
use crate::oauth::client::Client;
use crate::oauth::client_authentication::ClientAuthentication;
use crate::oauth::jose::pem::{in_utf8, normalized};
use crate::oauth::jose::{KeyError, certificate_thumbprint, thumbprint_of_der};
use crate::quote::path_argument;
use crate::secret::{ExposeSecret, SecretString};
use crate::store::file::read::{self as file, Kinds};

/// Maximum size of a file, in bytes. A larger file contains neither a key nor a certificate chain.
const LIMIT: u64 = 256 * 1024;

/// Reads the files of the client, if it has any. Warns if other users can read the key.
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
    let found = file::aside(work).await.map_err(late)??;
    client.credential = found.credential;
    if let Some(warning) = found.warning {
        reporter.report(FlowEvent::Note(warning)).await;
    }
    Ok(())
}

/// Checks the files, or the key in a store, without sending anything. Returns when the certificate expires, in seconds
/// since 1970, if there is a certificate.
///
/// # Errors
/// Returns an error if a file can't be used: which file, and why.
pub fn probe(files: &KeyFiles, now: SystemTime) -> Result<Option<u64>, KeyFileError> {
    if in_store(&files.key).is_none() {
        let certificate = files.certificate.as_ref();
        let parts = certificate.map(|path| (KeyPart::Certificate, path));
        for (part, path) in std::iter::once((KeyPart::Key, &files.key)).chain(parts) {
            // Reading a pipe would block.
            file::check(path, Kinds::Regular)
                .map_err(|error| wrong(part, path, &error.sentence()))?;
        }
    }
    let rules = Rules::default();
    let method = ClientAuthentication::PrivateKeyJwt;
    let found = read(files, &rules, method, "", now)?;
    Ok(found.end.and_then(|end| end.try_into().ok()))
}

/// The contents of the files or of the store.
struct Found {
    credential: Credential,
    /// When the certificate expires, in seconds since 1970, if there is one.
    end: Option<i64>,
    /// A warning if other users can read the key.
    warning: Option<String>,
}

/// Returns the path of a certificate in a store, or `None` if the key is in a file.
fn in_store(path: &Path) -> Option<Result<StorePath, String>> {
    let path = path.to_str().filter(|path| StorePath::is_meant(path))?;
    Some(path.parse().map_err(|error| format!("{error}")))
}

fn read(
    files: &KeyFiles,
    rules: &Rules,
    method: ClientAuthentication,
    client_id: &str,
    now: SystemTime,
) -> Result<Found, KeyFileError> {
    let in_key = |reason: &str| wrong(KeyPart::Key, &files.key, reason);
    if let Some(path) = in_store(&files.key) {
        let found = path
            .and_then(|path| store_key::open(&path))
            .and_then(|opened| of_store(opened, rules, method, client_id, now));
        return found.map_err(|reason| in_key(&reason));
    }
    let key = text(KeyPart::Key, &files.key)?;
    let signing = rules.private_key(&key);
    let signing = signing.map_err(|error| in_key(&error.to_string()))?;
    let signer = Signer::new(signing, client_id, rules);
    let (credential, end) = match &files.certificate {
        None => (Credential::Signer(signer), None),
        Some(path) => {
            // Key and certificate may come from the same pipe.
            let certificate = if *path == files.key {
                key.clone()
            } else {
                text(KeyPart::Certificate, path)?
            };
            let in_certificate = |reason: &str| wrong(KeyPart::Certificate, path, reason);
            let identity = identity(&certificate, &key, now);
            let (identity, end) = identity.map_err(|reason| in_certificate(&reason))?;
            let credential = if method == ClientAuthentication::MutualTls {
                Credential::Identity(Identity::Pem(identity))
            } else if rules.thumbprint {
                let thumbprint = certificate_thumbprint(certificate.expose_secret());
                let thumbprint = thumbprint.map_err(|error| in_certificate(&error.to_string()))?;
                Credential::Signer(signer.with_thumbprint(thumbprint))
            } else {
                Credential::Signer(signer)
            };
            (credential, Some(end))
        }
    };
    let warning = file::may_others_read(&files.key).then(|| {
        let path = clean_path(&files.key);
        format!("The client key file {path} can be read by other users. Run chmod 600 on it.")
    });
    Ok(Found {
        credential,
        end,
        warning,
    })
}

/// Prepares a key from a store. The key makes a test signature, so that errors are reported before any request.
fn of_store(
    opened: Opened,
    rules: &Rules,
    method: ClientAuthentication,
    client_id: &str,
    now: SystemTime,
) -> Result<Found, String> {
    let validity = Validity::of(&opened.certificate)?;
    validity.check(now)?;
    if method == ClientAuthentication::MutualTls {
        let key = opened.key.tried().map_err(|error| error.to_string())?;
        let mut chain = vec![opened.certificate];
        chain.extend(opened.intermediates);
        return Ok(Found {
            credential: Credential::Identity(Identity::Held { chain, key }),
            end: Some(validity.end),
            warning: None,
        });
    }
    let signing = rules.held_key(opened.key);
    let signing = signing.map_err(|error| error.to_string())?;
    signing.try_out().map_err(|error| error.to_string())?;
    let mut signer = Signer::new(signing, client_id, rules);
    if rules.thumbprint {
        signer = signer.with_thumbprint(thumbprint_of_der(&opened.certificate));
    }
    Ok(Found {
        credential: Credential::Signer(signer),
        end: Some(validity.end),
        warning: None,
    })
}

fn wrong(part: KeyPart, path: &Path, reason: &str) -> KeyFileError {
    KeyFileError {
        part,
        path: clean_path(path),
        reason: reason.to_owned(),
    }
}

fn text(part: KeyPart, path: &Path) -> Result<SecretString, KeyFileError> {
    let bytes =
        file::read_again(path, LIMIT).map_err(|error| wrong(part, path, &error.sentence()))?;
    let decoded = in_utf8(&bytes);
    let text = match &decoded {
        Some(text) => text.as_str(),
        None => std::str::from_utf8(&bytes)
            .map_err(|_| wrong(part, path, &other(part, &bytes, path)))?,
    };
    if text.trim().is_empty() {
        return Err(wrong(part, path, "The file is empty."));
    }
    Ok(normalized(text).as_str().into())
}

/// Describes a file that isn't text, with the command that converts it, if there is one.
fn other(part: KeyPart, bytes: &[u8], path: &Path) -> String {
    let name = path_argument(path);
    // A DER sequence up to the end of the file.
    let is_der = matches!(bytes, [0x30, length, rest @ ..] if *length > 0x80 || usize::from(*length) == rest.len());
    let is_certificate = is_der && parse_x509_certificate(bytes).is_ok();
    let (what, command) = match part {
        KeyPart::Key if is_pkcs12(bytes) => (
            "a PKCS #12 file (.pfx, .p12)",
            format!("openssl pkcs12 -in {name} -nocerts -nodes -out key.pem"),
        ),
        KeyPart::Certificate if is_pkcs12(bytes) => (
            "a PKCS #12 file (.pfx, .p12)",
            format!("openssl pkcs12 -in {name} -clcerts -nokeys -out certificate.pem"),
        ),
        KeyPart::Key if is_certificate => return KeyError::Certificate.to_string(),
        KeyPart::Key if is_der => (
            "in DER format",
            format!("openssl pkey -inform DER -in {name} -out key.pem"),
        ),
        KeyPart::Certificate if is_certificate => (
            "in DER format",
            format!("openssl x509 -inform DER -in {name} -out certificate.pem"),
        ),
        _ => return "The file is not in PEM format, which is text.".to_owned(),
    };
    format!("The file is {what}, not in PEM format. Convert it: {command}")
}

/// Formats a block of a PEM file.
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

/// The first and the last second at which a certificate is valid.
struct Validity {
    begin: i64,
    end: i64,
}

impl Validity {
    /// Reads the validity of a certificate in DER format.
    fn of(certificate: &[u8]) -> Result<Self, String> {
        let (_, parsed) = parse_x509_certificate(certificate).map_err(|_| UNKNOWN.to_owned())?;
        let validity = parsed.validity();
        Ok(Self {
            begin: validity.not_before.timestamp(),
            end: validity.not_after.timestamp(),
        })
    }

    /// Returns an error with the reason if the certificate isn't valid at `now`.
    fn check(&self, now: SystemTime) -> Result<(), String> {
        let now = Timestamp::try_from(now).map_or(0, Timestamp::as_second);
        if now < self.begin {
            return Err(format!(
                "The certificate is not valid before {}. Check the clock of this machine.",
                day(self.begin)
            ));
        }
        if now > self.end {
            return Err(format!(
                "The certificate expired on {}. Register a new one with the service.",
                day(self.end)
            ));
        }
        Ok(())
    }
}

const UNKNOWN: &str = "The file contains no X.509 version 3 certificate.";

/// Reads the certificates in a PEM file, and the validity of the first.
fn chain(certificate: &SecretString) -> Result<(Vec<CertificateDer<'static>>, Validity), String> {
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(certificate.expose_secret().as_bytes())
            .collect::<Result<_, _>>()
            .map_err(|_| "The certificate is damaged.".to_owned())?;
    let first = chain
        .first()
        .ok_or("The file contains no certificate in PEM format (BEGIN CERTIFICATE).")?;
    let validity = Validity::of(first)?;
    Ok((chain, validity))
}

/// Returns key and certificates as PEM, and when the certificate expires, if they match and are valid at `now`.
fn identity(
    certificate: &SecretString,
    key: &SecretString,
    now: SystemTime,
) -> Result<(SecretString, i64), String> {
    let (chain, validity) = chain(certificate)?;
    validity.check(now)?;
    let unreadable = || "The key of the certificate can't be read.".to_owned();
    let key = PrivateKeyDer::from_pem_slice(key.expose_secret().as_bytes());
    let key = Zeroizing::new(key.map_err(|_| unreadable())?);
    let (label, der) = match &*key {
        PrivateKeyDer::Pkcs1(key) => ("RSA PRIVATE KEY", key.secret_pkcs1_der()),
        PrivateKeyDer::Sec1(key) => ("EC PRIVATE KEY", key.secret_sec1_der()),
        PrivateKeyDer::Pkcs8(key) => ("PRIVATE KEY", key.secret_pkcs8_der()),
        _ => return Err(unreadable()),
    };
    let key_block = block(label, der);
    let blocks: Vec<_> = chain.iter().map(|it| block("CERTIFICATE", it)).collect();
    let blocks = std::iter::once(&key_block).chain(&blocks);
    let blocks: Vec<&str> = blocks.map(|block| block.as_str()).collect();
    let pem = Zeroizing::new(blocks.concat());
    let signer = any_supported_type(&key).map_err(|_| UNKNOWN)?;
    match CertifiedKey::new(chain, signer).keys_match() {
        Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => {
            Ok((pem.as_str().into(), validity.end))
        }
        Err(rustls::Error::InconsistentKeys(_)) => Err(
            "The certificate doesn't belong to the Client key. Enter the certificate that was created for this key."
                .to_owned(),
        ),
        Err(_) => Err(UNKNOWN.to_owned()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use std::time::Duration;

    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;
    use crate::oauth::jose::{Algorithm, HeldElsewhere, HeldKey, fake};

    /// Imitates a store: returns a key that signs outside the program.
    fn opened() -> Opened {
        let (key, certificate) = fake(Algorithm::Es256);
        Opened {
            key: HeldKey::of_certificate(&certificate, key).unwrap(),
            intermediates: vec![b"issuer".to_vec()],
            certificate,
        }
    }

    fn read_store(opened: Opened, rules: &Rules, now: SystemTime) -> Result<Found, String> {
        of_store(
            opened,
            rules,
            ClientAuthentication::PrivateKeyJwt,
            "me",
            now,
        )
    }

    #[test]
    fn key_from_store_signs_assertions() {
        let rules = Rules {
            thumbprint: true,
            ..Rules::default()
        };
        let found = read_store(opened(), &rules, SystemTime::now()).unwrap();
        assert!(matches!(found.credential, Credential::Signer(_)));
        assert!(found.end.is_some() && found.warning.is_none());
        let fixed = Rules {
            algorithm: Some(Algorithm::Ps256),
            ..rules.clone()
        };
        let wrong = read_store(opened(), &fixed, SystemTime::now()).err();
        assert!(wrong.unwrap().contains("EC P-256 key, but PS256"));
    }

    #[test]
    fn key_and_chain_from_store_form_mutual_tls_identity() {
        let (opened, rules) = (opened(), Rules::default());
        let expected = vec![opened.certificate.clone(), b"issuer".to_vec()];
        let method = ClientAuthentication::MutualTls;
        let found = of_store(opened, &rules, method, "me", SystemTime::now()).unwrap();
        let Credential::Identity(Identity::Held { chain, key }) = found.credential else {
            unreachable!("{:?}", found.credential)
        };
        assert_eq!(chain, expected);
        assert_eq!(key.algorithms(), [Algorithm::Es256]);
        assert!(found.end.is_some());
    }

    /// A key that can't sign, such as a key that requires a PIN.
    #[derive(Debug)]
    struct Locked;

    impl HeldElsewhere for Locked {
        fn sign(&self, _: Algorithm, _: &[u8]) -> Result<Vec<u8>, KeyError> {
            Err(KeyError::Elsewhere("The key is locked.".to_owned()))
        }
    }

    #[test]
    fn unusable_store_key_is_reported_immediately() {
        let certificate = |year| {
            let mut params = CertificateParams::new(vec![]).unwrap();
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(year, 1, 1);
            let key = KeyPair::generate().unwrap();
            params.self_signed(&key).unwrap().der().to_vec()
        };
        let rules = Rules::default();
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        for (year, now, said) in [
            (2100, 1_800_000_000, "The key is locked."),
            (2021, 1_800_000_000, "expired on 2021-01-01"),
            (2100, 1_000_000_000, "not valid before 2020-01-01"),
        ] {
            let certificate = certificate(year);
            for method in [
                ClientAuthentication::PrivateKeyJwt,
                ClientAuthentication::MutualTls,
            ] {
                let locked = std::sync::Arc::new(Locked);
                let locked = Opened {
                    key: HeldKey::of_certificate(&certificate, locked).unwrap(),
                    intermediates: Vec::new(),
                    certificate: certificate.clone(),
                };
                let wrong = of_store(locked, &rules, method, "me", at(now));
                let wrong = wrong.err().unwrap();
                assert!(wrong.contains(said), "{wrong}");
            }
        }
        let files = |key: &str| KeyFiles {
            key: key.into(),
            certificate: None,
        };
        let short = probe(&files(r"Cert:\LocalMachine\My\00"), at(1)).unwrap_err();
        assert!(
            short.to_string().contains("40 hexadecimal digits"),
            "{short}"
        );
        let none = format!(r"Cert:\LocalMachine\My\{}", "0".repeat(40));
        let none = probe(&files(&none), at(1)).unwrap_err().reason;
        let expected = if cfg!(windows) {
            "doesn't contain"
        } else {
            "only on Windows"
        };
        assert!(none.contains(expected), "{none}");
    }

    #[test]
    fn certificate_validity_includes_both_bounds() {
        let validity = Validity {
            begin: 1000,
            end: 2000,
        };
        let at = |seconds| validity.check(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        assert!(at(999).unwrap_err().contains("not valid before"));
        assert_eq!((at(1000), at(2000)), (Ok(()), Ok(())));
        assert!(at(2001).unwrap_err().contains("expired"));
    }

    #[test]
    fn pem_block_has_lines_of_64_characters() {
        let text = block("CERTIFICATE", &[0; 49]);
        let line = "A".repeat(64);
        let expected =
            format!("-----BEGIN CERTIFICATE-----\n{line}\nAA==\n-----END CERTIFICATE-----\n");
        assert_eq!(text.as_str(), expected);
    }

    /// Creates a key and its certificate. Returns one file with both, and two separate files.
    fn key_files(folder: &Path) -> (KeyFiles, KeyFiles) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![]).unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        let key = key.serialize_pem();
        let file = |name: &str, content: String| {
            let path = folder.join(name);
            std::fs::write(&path, content).unwrap();
            path
        };
        let both = file("both.pem", format!("{certificate}{key}"));
        let one = KeyFiles {
            key: both.clone(),
            certificate: Some(both),
        };
        let two = KeyFiles {
            key: file("key.pem", key),
            certificate: Some(file("certificate.pem", certificate)),
        };
        (one, two)
    }

    #[tokio::test]
    async fn key_files_provide_the_client_credential() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = key_files(folder.path());
        let ready = async |files: &KeyFiles, authentication| {
            let mut client = Client {
                authentication,
                credential: Credential::Files(files.clone(), Rules::default()),
                ..crate::flow::scripted::client()
            };
            let (reporter, _) = crate::flow::scripted::reporter();
            let outcome = ready(&mut client, &reporter).await;
            outcome.map(|()| client.credential)
        };
        let (jwt, tls) = (
            ClientAuthentication::PrivateKeyJwt,
            ClientAuthentication::MutualTls,
        );
        for files in [&one, &two] {
            let credential = ready(files, jwt).await.unwrap();
            assert!(matches!(credential, Credential::Signer(_)));
            let credential = ready(files, tls).await.unwrap();
            let Credential::Identity(Identity::Pem(pem)) = credential else {
                unreachable!("{credential:?}")
            };
            let pem = pem.expose_secret().as_bytes();
            assert!(PrivateKeyDer::from_pem_slice(pem).is_ok());
            assert_eq!(CertificateDer::pem_slice_iter(pem).count(), 1);
        }
        let elsewhere = tempfile::tempdir().unwrap();
        let (other, _) = key_files(elsewhere.path());
        let mixed = KeyFiles {
            certificate: other.certificate,
            ..two.clone()
        };
        let error = ready(&mixed, tls).await.unwrap_err();
        assert!(error.reason.contains("doesn't belong"), "{error}");
        assert_eq!(error.part, KeyPart::Certificate);
        let missing = KeyFiles {
            key: folder.path().join("missing"),
            ..two
        };
        let error = ready(&missing, jwt).await.unwrap_err();
        assert_eq!(
            (error.part, error.reason.as_str()),
            (KeyPart::Key, "There is no such file.")
        );
    }

    #[test]
    fn key_files_are_read_despite_reformatted_lines() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = key_files(folder.path());
        let now = SystemTime::now();
        let rewrite = |files: &KeyFiles, change: &dyn Fn(&str) -> Vec<u8>| {
            for path in std::iter::once(&files.key).chain(&files.certificate) {
                let text = std::fs::read_to_string(path).unwrap();
                std::fs::write(path, change(&text)).unwrap();
                if files.certificate.as_ref() == Some(&files.key) {
                    break;
                }
            }
            probe(files, now).unwrap();
        };
        let joined = |text: &str| text.replace("\r\n", "\n").replace('\n', "\\n");
        for files in [&one, &two] {
            rewrite(files, &|text| joined(text).into_bytes());
            rewrite(files, &|text| text.replace("\\n", " ").into_bytes());
            rewrite(files, &|text| format!("\"{text}\"").into_bytes());
            rewrite(files, &|text| {
                let units = text.encode_utf16().flat_map(u16::to_le_bytes);
                [0xff, 0xfe].into_iter().chain(units).collect()
            });
            for method in [
                ClientAuthentication::MutualTls,
                ClientAuthentication::PrivateKeyJwt,
            ] {
                assert!(read(files, &Rules::default(), method, "me", now).is_ok());
            }
        }
    }

    #[test]
    fn other_formats_are_named_with_the_command_that_converts_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![]).unwrap();
        let certificate = certificate.self_signed(&key).unwrap().der().to_vec();
        let pkcs12 = b"\x30\x82\x01\x00\x02\x01\x03\x30\x82\x00\xf0\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";
        let account = json_file(r#""type":"service_account","#);
        for (part, content, words) in [
            (KeyPart::Key, b"".to_vec(), "The file is empty."),
            (KeyPart::Key, b" \r\n".to_vec(), "The file is empty."),
            (
                KeyPart::Key,
                pkcs12.to_vec(),
                "-nocerts -nodes -out key.pem",
            ),
            (
                KeyPart::Certificate,
                pkcs12.to_vec(),
                "-clcerts -nokeys -out certificate.pem",
            ),
            (
                KeyPart::Key,
                key.serialize_der(),
                "openssl pkey -inform DER -in",
            ),
            (
                KeyPart::Certificate,
                certificate.clone(),
                "openssl x509 -inform DER -in",
            ),
            (KeyPart::Key, certificate, "contains a certificate"),
            (
                KeyPart::Key,
                b"\x80abc".to_vec(),
                "not in PEM format, which is text",
            ),
            (KeyPart::Key, account, "--flow service-account"),
            (KeyPart::Key, json_file(""), "is in JSON format"),
            (
                KeyPart::Key,
                br#"{"kty":"RSA","n":"x"}"#.to_vec(),
                "JSON Web Key",
            ),
            (
                KeyPart::Key,
                br#"{"key":"x"}"#.to_vec(),
                "is in JSON format",
            ),
            (
                KeyPart::Key,
                b"PuTTY-User-Key-File-3: ssh-rsa\r\n".to_vec(),
                "puttygen",
            ),
        ] {
            std::fs::write(&path, content).unwrap();
            let reason = match text(part, &path) {
                Ok(key) => Rules::default().private_key(&key).unwrap_err().to_string(),
                Err(error) => error.reason,
            };
            assert!(reason.contains(words), "{reason}");
        }
    }

    fn json_file(more: &str) -> Vec<u8> {
        let key = KeyPair::generate().unwrap().serialize_pem();
        let key = key.replace("\r\n", "\n").replace('\n', "\\n");
        format!("{{{more}\"private_key\":\"{key}\"}}").into_bytes()
    }

    #[cfg(unix)]
    #[test]
    fn identity_keeps_the_pem_label_of_the_key() {
        for (command, label) in [
            ("openssl genrsa -out key.pem 2048", "PRIVATE KEY"),
            (
                "openssl genrsa -traditional -out key.pem 2048",
                "RSA PRIVATE KEY",
            ),
            (
                "openssl ecparam -genkey -noout -name prime256v1 -out key.pem",
                "EC PRIVATE KEY",
            ),
        ] {
            let openssl = crate::oauth::jose::openssl::Openssl::new();
            openssl.run(command);
            openssl.run("openssl req -x509 -key key.pem -subj /CN=me -out certificate.pem");
            let read = |name: &str| {
                let text = std::fs::read_to_string(openssl.at(name)).unwrap();
                SecretString::from(text)
            };
            let (certificate, key) = (read("certificate.pem"), read("key.pem"));
            let (pem, _) = identity(&certificate, &key, SystemTime::now()).unwrap();
            let pem = pem.expose_secret();
            assert!(
                pem.starts_with(&format!("-----BEGIN {label}-----\n")),
                "{label}"
            );
            let of = |text: &str| PrivateKeyDer::from_pem_slice(text.as_bytes()).unwrap();
            assert!(of(pem) == of(key.expose_secret()), "{label}");
        }
    }
}
