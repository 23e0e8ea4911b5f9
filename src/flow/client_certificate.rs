//! The client certificate for mutual TLS (RFC 8705).

use std::sync::Arc;

use rustls::Error;
use rustls::client::ResolvesClientCert;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};

use super::held_tls::HeldTlsKey;
use crate::oauth::assertion::Identity;
use crate::oauth::jose::TriedKey;
use crate::secret::{ExposeSecret, SecretString};

/// Returns the resolver that presents the certificate of this identity.
///
/// # Errors
/// Returns an error if a part of the identity is missing or can't be used. Reading it has already checked that.
pub(super) fn of(identity: &Identity) -> Result<Arc<dyn ResolvesClientCert>, Error> {
    match identity {
        Identity::Pem(pem) => of_pem(pem),
        Identity::Held { chain, key } => Ok(of_held(chain, key.clone())),
    }
}

/// Returns the resolver for a key outside the program, with its certificate and the intermediate certificates.
pub(super) fn of_held(chain: &[Vec<u8>], key: TriedKey) -> Arc<dyn ResolvesClientCert> {
    let chain = chain.iter().cloned().map(CertificateDer::from).collect();
    let certified = CertifiedKey::new(chain, Arc::new(HeldTlsKey(key)));
    Arc::new(SingleCertAndKey::from(certified))
}

fn of_pem(pem: &SecretString) -> Result<Arc<dyn ResolvesClientCert>, Error> {
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
