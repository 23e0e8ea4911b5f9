//! Reads certificate stores of Windows.

#![allow(
    unsafe_code,
    reason = "Windows APIs are C interfaces; each block explains why it is sound"
)]

use std::ffi::c_void;
use std::ptr::{null, null_mut, without_provenance_mut};

use windows_sys::Win32::Foundation::ERROR_FILE_NOT_FOUND;
use windows_sys::Win32::Security::Cryptography::{
    CERT_CHAIN_CACHE_ONLY_URL_RETRIEVAL, CERT_CHAIN_CONTEXT, CERT_CHAIN_PARA, CERT_CONTEXT,
    CERT_FIND_ANY, CERT_FIND_FLAGS, CERT_FIND_SHA1_HASH, CERT_KEY_PROV_INFO_PROP_ID,
    CERT_STORE_OPEN_EXISTING_FLAG, CERT_STORE_PROV_SYSTEM_W, CERT_STORE_READONLY_FLAG,
    CERT_SYSTEM_STORE_CURRENT_USER, CERT_SYSTEM_STORE_LOCAL_MACHINE, CRYPT_INTEGER_BLOB,
    CertCloseStore, CertDuplicateCertificateContext, CertFindCertificateInStore,
    CertFreeCertificateChain, CertFreeCertificateContext, CertGetCertificateChain,
    CertGetCertificateContextProperty, CertOpenStore, HCERTCHAINENGINE, HCERTSTORE,
    PKCS_7_ASN_ENCODING, X509_ASN_ENCODING,
};
use x509_parser::parse_x509_certificate;

use super::store_path::{Location, STORE};
use super::thumbprint::Thumbprint;
use crate::windows::{last_error, wide};

/// The store `My` of the machine or of the user.
pub(crate) struct Store(HCERTSTORE);

impl Store {
    /// Opens a store. Returns `None` if it doesn't exist, because nothing was ever stored in it.
    ///
    /// # Errors
    /// Returns the Windows error code.
    pub(crate) fn open(location: Location) -> Result<Option<Self>, u32> {
        let flags = CERT_STORE_READONLY_FLAG | CERT_STORE_OPEN_EXISTING_FLAG;
        match Self::open_with(location, flags) {
            Err(ERROR_FILE_NOT_FOUND) => Ok(None),
            store => store.map(Some),
        }
    }

    fn open_with(location: Location, flags: u32) -> Result<Self, u32> {
        let name = wide(STORE);
        let location = match location {
            Location::LocalMachine => CERT_SYSTEM_STORE_LOCAL_MACHINE,
            Location::CurrentUser => CERT_SYSTEM_STORE_CURRENT_USER,
        };
        // SAFETY: this kind of store accepts a name that ends with a zero.
        let store = unsafe {
            CertOpenStore(
                CERT_STORE_PROV_SYSTEM_W,
                0,
                0,
                location | flags,
                name.as_ptr().cast(),
            )
        };
        if store.is_null() {
            return Err(last_error());
        }
        Ok(Self(store))
    }

    /// Finds the certificate with this thumbprint.
    pub(crate) fn find(&self, thumbprint: Thumbprint) -> Option<Certificate> {
        let mut bytes = thumbprint.0;
        let hash = CRYPT_INTEGER_BLOB {
            cbData: bytes.len() as u32,
            pbData: bytes.as_mut_ptr(),
        };
        // SAFETY: this kind of search requires such a structure as parameter, and it outlives the call.
        let found = unsafe { self.search(CERT_FIND_SHA1_HASH, (&raw const hash).cast(), null()) };
        (!found.is_null()).then_some(Certificate(found))
    }

    /// Returns all certificates.
    pub(crate) fn certificates(&self) -> impl Iterator<Item = Certificate> {
        Certificates {
            store: self,
            last: null(),
        }
    }

    /// Returns the certificate after `before`, which is freed; null if there is none.
    ///
    /// # Safety
    /// `parameter` is what this kind of search requires, and `before` is null or a reference that nothing else frees.
    unsafe fn search(
        &self,
        kind: CERT_FIND_FLAGS,
        parameter: *const c_void,
        before: *const CERT_CONTEXT,
    ) -> *const CERT_CONTEXT {
        // SAFETY: the store is open; the caller guarantees the rest.
        unsafe {
            CertFindCertificateInStore(
                self.0,
                X509_ASN_ENCODING | PKCS_7_ASN_ENCODING,
                0,
                kind,
                parameter,
                before,
            )
        }
    }

    /// Adds a certificate without a key. Other processes see it once this returns.
    #[cfg(test)]
    pub(crate) fn add(location: Location, der: &[u8]) -> Result<(), u32> {
        use windows_sys::Win32::Security::Cryptography::{
            CERT_STORE_ADD_ALWAYS, CertAddEncodedCertificateToStore,
        };
        let store = Self::open_with(location, 0)?;
        // SAFETY: the store is open, and the number of bytes is correct.
        let added = unsafe {
            CertAddEncodedCertificateToStore(
                store.0,
                X509_ASN_ENCODING,
                der.as_ptr(),
                der.len() as u32,
                CERT_STORE_ADD_ALWAYS,
                null_mut(),
            )
        };
        if added == 0 {
            return Err(last_error());
        }
        Ok(())
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // SAFETY: this value owns the store, which is closed once. Windows keeps it while its certificates are in use.
        unsafe { CertCloseStore(self.0, 0) };
    }
}

/// An iterator over the certificates of a store.
struct Certificates<'a> {
    store: &'a Store,
    /// Null before the first and after the last.
    last: *const CERT_CONTEXT,
}

impl Iterator for Certificates<'_> {
    type Item = Certificate;

    fn next(&mut self) -> Option<Certificate> {
        // SAFETY: this kind of search has no parameter, and the reference to the previous certificate is passed on.
        self.last = unsafe { self.store.search(CERT_FIND_ANY, null(), self.last) };
        if self.last.is_null() {
            return None;
        }
        // SAFETY: the certificate is valid, and the result has its own reference.
        Some(Certificate(unsafe {
            CertDuplicateCertificateContext(self.last)
        }))
    }
}

impl Drop for Certificates<'_> {
    fn drop(&mut self) {
        // SAFETY: this value owns the reference, which is freed once; null is allowed.
        unsafe { CertFreeCertificateContext(self.last) };
    }
}

/// A certificate in a store.
pub(crate) struct Certificate(*const CERT_CONTEXT);

// SAFETY: Windows counts the references, and certificates are not bound to a thread.
unsafe impl Send for Certificate {}

impl Certificate {
    /// Takes ownership of a reference.
    ///
    /// # Safety
    /// `context` is a valid certificate, and nothing else frees this reference.
    #[cfg(test)]
    pub(crate) unsafe fn from_raw(context: *const CERT_CONTEXT) -> Self {
        Self(context)
    }

    /// Returns the pointer, which is valid as long as `self`.
    pub(crate) fn pointer(&self) -> *const CERT_CONTEXT {
        self.0
    }

    /// Returns the certificate in DER format.
    pub(crate) fn der(&self) -> &[u8] {
        // SAFETY: the certificate is valid as long as `self`; the number of bytes is correct.
        unsafe {
            std::slice::from_raw_parts((*self.0).pbCertEncoded, (*self.0).cbCertEncoded as usize)
        }
    }

    /// Returns the certificates of the CAs that issued the certificate, its issuer first, without the root. Nothing is
    /// fetched from the network; certificates that this machine doesn't have are left out.
    pub(crate) fn intermediates(&self, location: Location) -> Vec<Vec<u8>> {
        let issuers = chain(self, location).into_iter().skip(1);
        issuers.filter(|der| !is_self_signed(der)).collect()
    }

    /// Returns whether the certificate says where its private key is.
    pub(crate) fn has_key(&self) -> bool {
        let mut length = 0;
        // SAFETY: without a buffer, the call only returns the length.
        unsafe {
            CertGetCertificateContextProperty(
                self.0,
                CERT_KEY_PROV_INFO_PROP_ID,
                null_mut(),
                &raw mut length,
            ) != 0
        }
    }
}

impl Drop for Certificate {
    fn drop(&mut self) {
        // SAFETY: this value owns the reference, which is freed once.
        unsafe { CertFreeCertificateContext(self.0) };
    }
}

/// Returns the certificate and those of its issuers.
fn chain(certificate: &Certificate, location: Location) -> Vec<Vec<u8>> {
    // The engines of wincrypt.h, which also search the other stores of the user or the machine.
    let engine: HCERTCHAINENGINE = match location {
        Location::CurrentUser => null_mut(),
        Location::LocalMachine => without_provenance_mut(1),
    };
    let parameters = CERT_CHAIN_PARA {
        cbSize: size_of::<CERT_CHAIN_PARA>() as u32,
        ..CERT_CHAIN_PARA::default()
    };
    let mut context: *mut CERT_CHAIN_CONTEXT = null_mut();
    // SAFETY: the certificate is valid, the structure contains its own size, and the output variable outlives the call.
    let found = unsafe {
        CertGetCertificateChain(
            engine,
            certificate.pointer(),
            null(),
            null_mut(),
            &raw const parameters,
            CERT_CHAIN_CACHE_ONLY_URL_RETRIEVAL,
            null(),
            &raw mut context,
        )
    };
    if found == 0 || context.is_null() {
        return Vec::new();
    }
    let mut all = Vec::new();
    // SAFETY: the context is valid until it is freed, here and once. Its arrays have the lengths that it contains, and
    // it has a reference to each certificate.
    unsafe {
        // Further chains belong to trust lists that vouch for the end of the first chain.
        if (*context).cChain > 0 {
            let first = *(*context).rgpChain;
            for at in 0..(*first).cElement as usize {
                let element = *(*first).rgpElement.add(at);
                let certificate = CertDuplicateCertificateContext((*element).pCertContext);
                all.push(Certificate(certificate).der().to_vec());
            }
        }
        CertFreeCertificateChain(context);
    }
    all
}

fn is_self_signed(der: &[u8]) -> bool {
    parse_x509_certificate(der)
        .is_ok_and(|(_, parsed)| parsed.subject().as_raw() == parsed.issuer().as_raw())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

    use super::*;

    #[test]
    fn intermediate_certificates_are_found_in_order_and_without_the_root() {
        let authority = |name: &str| {
            let mut params = CertificateParams::default();
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.distinguished_name.push(DnType::CommonName, name);
            (params, KeyPair::generate().unwrap())
        };
        let ((root, root_key), (middle, middle_key)) =
            (authority("The root"), authority("The one between"));
        let root_der = root.self_signed(&root_key).unwrap().der().to_vec();
        let issuer = Issuer::new(root, root_key);
        let middle_der = middle
            .signed_by(&middle_key, &issuer)
            .unwrap()
            .der()
            .to_vec();
        let issuer = Issuer::new(middle, middle_key);
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["client.example".to_owned()]).unwrap();
        let leaf = params.signed_by(&key, &issuer).unwrap().der().to_vec();
        for location in Location::ALL {
            for der in [&root_der, &middle_der, &leaf] {
                Store::add(location, der).unwrap();
            }
            let find = |der: &[u8]| {
                let store = Store::open(location).unwrap().unwrap();
                let mut all = store.certificates();
                all.find(|one| one.der() == der).unwrap()
            };
            let of = |der: &[u8]| find(der).intermediates(location);
            assert_eq!(of(&leaf), [middle_der.clone()], "{location:?}");
            assert_eq!(of(&middle_der), Vec::<Vec<u8>>::new());
            assert_eq!(of(&root_der), Vec::<Vec<u8>>::new());
        }
    }
}
