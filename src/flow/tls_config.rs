//! TLS to servers, for https and for mail: its versions, and the certificates that are trusted.

use std::path::Path;
use std::sync::Arc;

use rustls::client::WantsClientCert;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, ConfigBuilder, Error};
use rustls_platform_verifier::Verifier;

use crate::store::file::read::{self as file, Kinds};

/// Checks the file that replaces the system's certificates, which would otherwise be waited for.
///
/// # Errors
/// Returns why it can't be read, as part of a sentence.
pub(super) fn check_system() -> Result<(), String> {
    match std::env::var_os("SSL_CERT_FILE") {
        Some(path) => {
            let checked = file::check(Path::new(&path), Kinds::WithPipes);
            checked.map_err(|error| error.to_string())
        }
        None => Ok(()),
    }
}

/// TLS 1.2 and 1.3 with servers that the system's certificates vouch for, or these. Reads the system's certificates, or those
/// that `SSL_CERT_FILE` and `SSL_CERT_DIR` name.
///
/// # Errors
/// If they can't be used.
pub(super) fn trusting(
    ca: Vec<CertificateDer<'static>>,
) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    // On Windows, additional certificates require more than the system's do.
    let verifier = if ca.is_empty() {
        Verifier::new(Arc::clone(&provider))?
    } else {
        Verifier::new_with_extra_roots(ca, Arc::clone(&provider))?
    };
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions()?.dangerous();
    Ok(builder.with_custom_certificate_verifier(Arc::new(verifier)))
}
