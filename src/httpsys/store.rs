//! The certificate store of the machine, to be read.

#![allow(
    unsafe_code,
    reason = "the interfaces of Windows are those of C; each block says why it is sound"
)]

use std::ptr::{null, null_mut};
use std::time::SystemTime;

use windows_sys::Win32::Foundation::ERROR_FILE_NOT_FOUND;
use windows_sys::Win32::Security::Cryptography::{
    CERT_CONTEXT, CERT_KEY_PROV_INFO_PROP_ID, CERT_STORE_OPEN_EXISTING_FLAG,
    CERT_STORE_PROV_SYSTEM_W, CERT_STORE_READONLY_FLAG, CERT_SYSTEM_STORE_LOCAL_MACHINE,
    CertCloseStore, CertEnumCertificatesInStore, CertGetCertificateContextProperty, CertOpenStore,
    HCERTSTORE,
};

use super::certificates::{self, StoreCertificate};
use super::prefix::STORE;
use crate::certificate::About;
use crate::windows::{last_error, wide};

/// More certificates are not listed.
const MOST_CERTIFICATES: usize = 500;

/// The certificates, as of the time `now`.
///
/// # Errors
/// The Windows error code.
pub(crate) fn list(now: SystemTime) -> Result<Vec<StoreCertificate>, u32> {
    let mut all = Vec::new();
    each_certificate(|der, has_key| {
        if all.len() < MOST_CERTIFICATES {
            all.extend(certificates::parse(der, has_key, now));
        }
    })?;
    Ok(all)
}

/// What there is to know of the certificate with this hash.
pub(crate) fn about(hash: &[u8]) -> Option<About> {
    let mut about = None;
    let wanted = |der: &[u8], _| {
        if certificates::thumbprint(der).is_some_and(|found| found.0 == *hash) {
            about = certificates::about(der);
        }
    };
    each_certificate(wanted).ok()?;
    about
}

/// Shows each certificate of the machine's store in DER form, and whether its key is there.
fn each_certificate(mut look: impl FnMut(&[u8], bool)) -> Result<(), u32> {
    let store = match Store::open() {
        // Nothing was ever put into it.
        Err(ERROR_FILE_NOT_FOUND) => return Ok(()),
        store => store?,
    };
    let mut context: *const CERT_CONTEXT = null();
    loop {
        // SAFETY: the store is open; the context before is freed by this call.
        context = unsafe { CertEnumCertificatesInStore(store.0, context) };
        if context.is_null() {
            return Ok(());
        }
        // SAFETY: the context lives until the next call; its bytes are as many as it says.
        let der = unsafe {
            std::slice::from_raw_parts((*context).pbCertEncoded, (*context).cbCertEncoded as usize)
        };
        let mut length = 0;
        // SAFETY: with no room given, only the length is returned.
        let has_key = unsafe {
            CertGetCertificateContextProperty(
                context,
                CERT_KEY_PROV_INFO_PROP_ID,
                null_mut(),
                &raw mut length,
            )
        } != 0;
        look(der, has_key);
    }
}

/// The certificate store of the machine, to be read.
struct Store(HCERTSTORE);

impl Store {
    fn open() -> Result<Self, u32> {
        let name = wide(STORE);
        // SAFETY: this kind of store takes a name that ends in a zero.
        let store = unsafe {
            CertOpenStore(
                CERT_STORE_PROV_SYSTEM_W,
                0,
                0,
                CERT_SYSTEM_STORE_LOCAL_MACHINE
                    | CERT_STORE_READONLY_FLAG
                    | CERT_STORE_OPEN_EXISTING_FLAG,
                name.as_ptr().cast(),
            )
        };
        if store.is_null() {
            return Err(last_error());
        }
        Ok(Self(store))
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // SAFETY: the store is ours, and is closed once.
        unsafe { CertCloseStore(self.0, 0) };
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends on what it did not expect")]
mod tests {
    use rcgen::{CertificateParams, KeyPair};
    use windows_sys::Win32::Security::Cryptography::{
        CERT_STORE_ADD_ALWAYS, CertAddEncodedCertificateToStore, X509_ASN_ENCODING,
    };

    use super::*;

    #[test]
    fn certificates_of_the_machine_are_listed() {
        let params = CertificateParams::new(["listed.example".to_owned()]).unwrap();
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let (der, name) = (certificate.der(), wide(STORE));
        // SAFETY: as in `Store::open`, to be written to.
        let store = Store(unsafe {
            CertOpenStore(
                CERT_STORE_PROV_SYSTEM_W,
                0,
                0,
                CERT_SYSTEM_STORE_LOCAL_MACHINE,
                name.as_ptr().cast(),
            )
        });
        // SAFETY: the bytes are as many as told.
        let added = unsafe {
            CertAddEncodedCertificateToStore(
                store.0,
                X509_ASN_ENCODING,
                der.as_ptr(),
                u32::try_from(der.len()).unwrap(),
                CERT_STORE_ADD_ALWAYS,
                null_mut(),
            )
        };
        assert!(added != 0, "{}", last_error());
        // Others see it when the store is closed.
        drop(store);
        let added = certificates::parse(der, false, SystemTime::now()).unwrap();
        let listed = list(SystemTime::now()).unwrap();
        assert!(listed.contains(&added), "{listed:?}");
        assert!(added.fits("listed.example") && !added.expired);
        // What a browser would be shown is found by its hash.
        let shown = about(&added.thumbprint.0).unwrap();
        assert_eq!(
            shown.fingerprint,
            crate::certificate::x509::fingerprint(der)
        );
        assert_eq!(about(&[0; 20]), None);
    }
}
