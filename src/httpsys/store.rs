//! Lists the certificates in the machine's store, for use with HTTP.sys.

use std::time::SystemTime;

use super::certificates::{self, StoreCertificate};
use crate::certificate::About;
use crate::certificate::store::Store;
use crate::certificate::store_path::Location;
use crate::certificate::thumbprint::Thumbprint;

/// Maximum number of certificates to list.
const MOST_CERTIFICATES: usize = 500;

/// Returns the certificates, as of the time `now`.
///
/// # Errors
/// Returns the Windows error code.
pub(crate) fn list(now: SystemTime) -> Result<Vec<StoreCertificate>, u32> {
    let Some(store) = Store::open(Location::LocalMachine)? else {
        return Ok(Vec::new());
    };
    let all = store.certificates().take(MOST_CERTIFICATES);
    let all = all.filter_map(|one| certificates::parse(one.der(), one.has_key(), now));
    Ok(all.collect())
}

/// Returns what the user must know about the certificate with this hash.
pub(crate) fn about(hash: &[u8]) -> Option<About> {
    let thumbprint = Thumbprint(hash.try_into().ok()?);
    let store = Store::open(Location::LocalMachine).ok()??;
    certificates::about(store.find(thumbprint)?.der())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    #[test]
    fn certificates_of_the_machine_are_listed() {
        let params = CertificateParams::new(["listed.example".to_owned()]).unwrap();
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let der = certificate.der();
        Store::add(Location::LocalMachine, der).unwrap();
        let added = certificates::parse(der, false, SystemTime::now()).unwrap();
        let listed = list(SystemTime::now()).unwrap();
        assert!(listed.contains(&added), "{listed:?}");
        assert!(added.fits("listed.example") && !added.expired);
        // The certificate that a browser gets is found by its hash.
        let shown = about(&added.thumbprint.0).unwrap();
        assert_eq!(
            shown.fingerprint,
            crate::certificate::x509::fingerprint(der)
        );
        assert_eq!(about(&[0; 20]), None);
    }
}
