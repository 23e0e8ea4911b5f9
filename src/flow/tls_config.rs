//! The TLS configuration for https and mail: protocol versions and trusted certificates.

use std::path::Path;
use std::sync::Arc;

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
        Some(path) => {
            let checked = file::check(Path::new(&path), Kinds::WithPipes);
            checked.map_err(|error| error.to_string())
        }
        None => Ok(()),
    }
}

/// Creates a configuration for TLS 1.2 and 1.3 that trusts the CA certificates in `ca` and those of the system, or
/// those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name.
///
/// # Errors
/// Returns an error if the certificates can't be used.
pub(super) fn trusting(
    ca: Vec<CertificateDer<'static>>,
) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, Error> {
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
