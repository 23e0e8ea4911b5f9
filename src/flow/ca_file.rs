//! Reads the CA file. If the file is not in PEM format, the error names its format and the command that converts it.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::oauth::jose::pem::bare;
use crate::quote::path_argument;
use crate::store::file::read as file;

/// Maximum size of a CA file, in bytes. A typical file is a few kilobytes; the largest public bundles are a quarter MB.
const LIMIT: u64 = 1024 * 1024;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// DER object identifiers: signedData of PKCS #7, and data, which PKCS #12 starts with (RFC 5652, RFC 7292).
const SIGNED_DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
const DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";

/// Reads the certificates in a CA file, at least one.
///
/// # Errors
/// Returns why the file can't be used, as part of a sentence.
pub(super) fn read(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    // Discovery and the flow read the same file.
    let text = file::read_again(path, LIMIT).map_err(|error| error.to_string())?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let found = found.unwrap_or_default();
    let more = reflowed(&text).filter(|more| more.len() > found.len());
    let certificates = more.unwrap_or(found);
    if certificates.is_empty() {
        return Err(kind(&text, path));
    }
    let mut roots = RootCertStore::empty();
    let damaged = |certificate: &CertificateDer<'static>| roots.add(certificate.clone()).is_err();
    match (certificates.iter().position(damaged), certificates.len()) {
        (None, _) => Ok(certificates),
        (Some(_), 1) => Err("its certificate is damaged".to_owned()),
        (Some(at), all) => Err(format!("certificate {} of {all} in it is damaged", at + 1)),
    }
}

/// Returns the certificates of a file whose lines are indented, joined or separated by a literal `\n`, as after copying
/// from YAML or JSON. Returns `None` if any certificate is incomplete.
fn reflowed(text: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let text = std::str::from_utf8(text).ok()?;
    let blocks = text.split(BEGIN).skip(1).map(|block| {
        let (body, _) = block.split_once(END)?;
        Some(CertificateDer::from(
            STANDARD.decode(bare(body).as_str()).ok()?,
        ))
    });
    blocks.collect()
}

/// Returns whether a file is in PKCS #12 format.
pub(super) fn is_pkcs12(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(64)];
    bytes.starts_with(b"\x30") && head.windows(DATA.len()).any(|part| part == DATA)
}

/// Describes a file without a PEM certificate, with the command that converts it.
fn kind(bytes: &[u8], path: &Path) -> String {
    let name = path_argument(path);
    let has = |words: &[u8]| bytes.windows(words.len()).any(|part| part == words);
    let convert = |what: &str, command: &str| {
        format!("{what}, not a certificate in PEM format. Convert it: {command}")
    };
    // A DER sequence with a long length, as in all these files.
    let der = bytes.starts_with(b"\x30\x82") || bytes.starts_with(b"\x30\x83");
    let head = &bytes[..bytes.len().min(64)];
    let begins_with = |id: &[u8]| head.windows(id.len()).any(|part| part == id);
    if bytes.is_empty() {
        "it is empty".to_owned()
    } else if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        "it is text in UTF-16. Save it as plain text (UTF-8)".to_owned()
    } else if has(b"-----BEGIN TRUSTED CERTIFICATE-----") {
        let command = format!("openssl x509 -in {name} -out ca.pem");
        convert("it is an OpenSSL trusted certificate", &command)
    } else if has(b"-----BEGIN X509 CERTIFICATE-----") {
        let command = format!("openssl x509 -in {name} -out ca.pem");
        convert("it is a certificate with an old label", &command)
    } else if has(b"-----BEGIN PKCS7-----") || has(b"-----BEGIN CMS-----") {
        let command = format!("openssl pkcs7 -print_certs -in {name} -out ca.pem");
        convert("it is a PKCS #7 bundle (.p7b)", &command)
    } else if has(b"-----BEGIN CERTIFICATE REQUEST-----") {
        "it is a certificate request, not a certificate".to_owned()
    } else if has(b"PRIVATE KEY-----") {
        "it is a private key, not a certificate".to_owned()
    } else if has(b"-----BEGIN X509 CRL-----") {
        "it is a certificate revocation list, not a certificate".to_owned()
    } else if has(b"-----BEGIN CERTIFICATE-----") {
        "its certificate is damaged: the text between the BEGIN and END lines is incomplete"
            .to_owned()
    } else if der && begins_with(SIGNED_DATA) {
        let command = format!("openssl pkcs7 -inform DER -print_certs -in {name} -out ca.pem");
        convert("it is a PKCS #7 bundle (.p7b)", &command)
    } else if is_pkcs12(bytes) {
        let command = format!("openssl pkcs12 -in {name} -nokeys -out ca.pem");
        convert("it is a PKCS #12 file (.pfx, .p12)", &command)
    } else if der {
        let command = format!("openssl x509 -inform DER -in {name} -out ca.pem");
        convert("it is in DER format", &command)
    } else {
        "it contains no certificate in PEM format".to_owned()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    #[test]
    fn damaged_certificate_is_reported_with_its_number() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let key = rcgen::KeyPair::generate().unwrap();
        let good = rcgen::CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
        let good = good.self_signed(&key).unwrap().pem();
        let broken = "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n";
        for (text, told) in [
            (good.clone(), None),
            (good.clone() + &good, None),
            (
                good.clone() + broken,
                Some("certificate 2 of 2 in it is damaged"),
            ),
            (
                broken.to_owned() + &good + &good,
                Some("certificate 1 of 3 in it is damaged"),
            ),
            (broken.to_owned(), Some("its certificate is damaged")),
        ] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(read(&path).err().as_deref(), told);
        }
    }

    #[test]
    fn certificate_is_read_despite_reformatted_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let key = rcgen::KeyPair::generate().unwrap();
        let good = rcgen::CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
        let good = good.self_signed(&key).unwrap();
        let (pem, der) = (good.pem().replace("\r\n", "\n"), good.der());
        let indented = pem.lines().map(|line| format!("    {line}\n"));
        let indented: String = indented.collect();
        let cut = pem.replacen('M', "", 1);
        for (text, count) in [
            (indented.clone(), 1),
            (format!("ca: |\n{indented}"), 1),
            (pem.replace('\n', " "), 1),
            (pem.replace('\n', ""), 1),
            (format!("\"{}\"", pem.replace('\n', "\\n")), 1),
            (pem.replace('\n', "\\r\\n"), 1),
            (pem.replace('\n', "\\\\n"), 1),
            (pem.replace('\n', "\t\n"), 1),
            // No certificate is left out.
            (format!("{pem}{indented}"), 2),
            (format!("{indented}{pem}"), 2),
            (indented.replacen('M', "", 1), 0),
            (format!("{indented}{cut}"), 0),
        ] {
            std::fs::write(&path, &text).unwrap();
            let found = read(&path).unwrap_or_default();
            assert_eq!(found.len(), count, "{text}");
            assert!(found.iter().all(|one| one == der));
        }
    }

    #[test]
    fn non_pem_file_is_identified_with_conversion_command() {
        let of = |bytes: &[u8]| kind(bytes, Path::new("my.cer"));
        let sequence = |inner: &[u8]| [b"\x30\x82\x01\x00", inner].concat();
        for (bytes, words) in [
            (b"".to_vec(), "it is empty"),
            (b"hello".to_vec(), "no certificate in PEM format"),
            (b"\xff\xfe-\0-\0".to_vec(), "UTF-16"),
            (
                b"-----BEGIN TRUSTED CERTIFICATE-----".to_vec(),
                "openssl x509 -in my.cer -out ca.pem",
            ),
            (
                b"-----BEGIN PKCS7-----".to_vec(),
                "openssl pkcs7 -print_certs -in my.cer",
            ),
            (b"-----BEGIN EC PRIVATE KEY-----".to_vec(), "a private key"),
            (
                b"-----BEGIN CERTIFICATE REQUEST-----".to_vec(),
                "a certificate request",
            ),
            (b"-----BEGIN CERTIFICATE-----\nMII".to_vec(), "damaged"),
            (
                sequence(b"\x30\x82\x00\x00\xa0\x03\x02\x01\x02"),
                "openssl x509 -inform DER -in my.cer",
            ),
            (
                sequence(&[b"\x06\x09", SIGNED_DATA].concat()),
                "openssl pkcs7 -inform DER",
            ),
            (
                sequence(&[b"\x02\x01\x03\x30\x82\x00\x00\x06\x09", DATA].concat()),
                "openssl pkcs12 -in my.cer",
            ),
        ] {
            let told = of(&bytes);
            assert!(told.contains(words), "{told}");
        }
    }
}
