//! The certificate of the client in TLS (RFC 8705).

use std::sync::Arc;

use rustls::Error;
use rustls::client::ResolvesClientCert;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};

use crate::secret::{ExposeSecret, SecretString};

/// Presents the certificate in this PEM text, with its private key.
///
/// # Errors
/// If one of them is missing or can't be used, which was checked when they were read.
pub(super) fn of_pem(pem: &SecretString) -> Result<Arc<dyn ResolvesClientCert>, Error> {
    let pem = pem.expose_secret().as_bytes();
    let chain: Vec<_> = CertificateDer::pem_slice_iter(pem).flatten().collect();
    let (false, Ok(key)) = (chain.is_empty(), PrivateKeyDer::from_pem_slice(pem)) else {
        return Err(Error::General(
            "private key or certificate not found".to_owned(),
        ));
    };
    let provider = rustls::crypto::ring::default_provider();
    let certified = CertifiedKey::from_der(chain, key, &provider)?;
    Ok(Arc::new(SingleCertAndKey::from(certified)))
}
