//! The TLS configuration for https and mail: protocol versions and trusted certificates.

use std::path::Path;
#[cfg(all(unix, not(target_vendor = "apple")))]
use std::path::PathBuf;
use std::sync::Arc;

#[cfg(all(unix, not(target_vendor = "apple")))]
use rustls::RootCertStore;
use rustls::client::WantsClientCert;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, ConfigBuilder, Error};
use rustls_platform_verifier::Verifier;

use crate::store::file::read::{self as file, Kinds};

/// Checks the file that replaces the system's certificates, because reading some kinds of files would block.
///
/// # Errors
/// Returns why the file can't be read, as part of a sentence.
pub(super) fn check_system() -> Result<(), String> {
    match std::env::var_os("SSL_CERT_FILE") {
        Some(path) if !path.is_empty() => {
            let checked = file::check(Path::new(&path), Kinds::WithPipes);
            checked.map_err(|error| format!("SSL_CERT_FILE: {error}"))
        }
        Some(_) | None => Ok(()),
    }
}

/// Returns the CA certificates of the system if `SSL_CERT_FILE` is set to nothing, which counts as not set. The verifier
/// itself would look for a file without a name.
#[cfg(all(unix, not(target_vendor = "apple")))]
fn of_the_system() -> Vec<CertificateDer<'static>> {
    let is_empty = |name| std::env::var_os(name).map(|value| value.is_empty());
    if is_empty("SSL_CERT_FILE") != Some(true) || is_empty("SSL_CERT_DIR") == Some(false) {
        return Vec::new();
    }
    let places = openssl_probe::probe();
    let folders = places.cert_dir.iter().map(|folder| (None, Some(folder)));
    let all = std::iter::once((places.cert_file.as_ref(), None)).chain(folders);
    let all = all.flat_map(|(file, folder)| {
        let file = file.map(PathBuf::as_path);
        rustls_native_certs::load_certs_from_paths(file, folder.map(PathBuf::as_path)).certs
    });
    // The verifier rejects a list with an invalid certificate.
    all.filter(|it| RootCertStore::empty().add(it.clone()).is_ok())
        .collect()
}

#[cfg(not(all(unix, not(target_vendor = "apple"))))]
fn of_the_system() -> Vec<CertificateDer<'static>> {
    Vec::new()
}

/// Creates a configuration for TLS 1.2 and 1.3 that trusts the CA certificates in `ca` and those of the system, or
/// those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name.
///
/// # Errors
/// Returns an error if the certificates can't be used.
pub(super) fn trusting(
    mut ca: Vec<CertificateDer<'static>>,
) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, Error> {
    ca.extend(of_the_system());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    // On Windows, the rules for additional certificates are stricter than those for the system's certificates.
    let verifier = if ca.is_empty() {
        Verifier::new(Arc::clone(&provider))?
    } else {
        Verifier::new_with_extra_roots(ca, Arc::clone(&provider))?
    };
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions()?.dangerous();
    Ok(builder.with_custom_certificate_verifier(Arc::new(verifier)))
}
