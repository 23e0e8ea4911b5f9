//! Keys in the certificate stores of Windows.

#![allow(
    unsafe_code,
    reason = "Windows APIs are C interfaces; each block explains why it is sound"
)]

use std::ffi::{CStr, c_void};
use std::fmt;
use std::ptr::null;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use ring::digest;
use windows_sys::Win32::Security::Cryptography::{
    BCRYPT_PAD_PKCS1, BCRYPT_PAD_PSS, BCRYPT_PKCS1_PADDING_INFO, BCRYPT_PSS_PADDING_INFO,
    BCRYPT_SHA256_ALGORITHM, BCRYPT_SHA384_ALGORITHM, BCRYPT_SHA512_ALGORITHM,
    CERT_NCRYPT_KEY_SPEC, CRYPT_ACQUIRE_CACHE_FLAG, CRYPT_ACQUIRE_ONLY_NCRYPT_KEY_FLAG,
    CRYPT_ACQUIRE_SILENT_FLAG, CryptAcquireCertificatePrivateKey, NCRYPT_FLAGS, NCRYPT_KEY_HANDLE,
    NCRYPT_SILENT_FLAG,
};
use windows_sys::core::HRESULT;

use super::found::{ListedKey, Opened};
use super::words::{self, Step};
use crate::certificate::store::{Certificate, Store};
use crate::certificate::store_path::{Location, StorePath};
use crate::httpsys::certificates;
use crate::oauth::jose::{Algorithm, HeldElsewhere, HeldKey, KeyError};
use crate::windows::{AnyFunction, SystemLibrary, last_error};

/// Maximum number of certificates to read from a store.
const MOST_CERTIFICATES: usize = 500;
/// Maximum length of a signature, in bytes. RSA keys have 16384 bits at most.
const SIGNATURE_LIMIT: usize = 2048;

pub(super) fn open(path: &StorePath) -> Result<Opened, String> {
    let failed = |step| move |code| words::sentence(step, code, path.location);
    let store = Store::open(path.location).map_err(failed(Step::Find))?;
    let found = store.and_then(|store| store.find(path.thumbprint));
    let found = found.ok_or_else(|| failed(Step::Find)(words::NOT_FOUND))?;
    opened(found, path.location)
}

/// Returns the certificate with its key.
fn opened(certificate: Certificate, location: Location) -> Result<Opened, String> {
    let der = certificate.der().to_vec();
    let intermediates = certificate.intermediates(location);
    let key = Key::of(certificate, location);
    let key = key.map_err(|code| words::sentence(Step::Key, code, location))?;
    let key = HeldKey::of_certificate(&der, Arc::new(key));
    Ok(Opened {
        key: key.map_err(|error| error.to_string())?,
        certificate: der,
        intermediates,
    })
}

pub(super) fn list(now: SystemTime) -> Result<Vec<ListedKey>, String> {
    let mut all = Vec::new();
    for location in Location::ALL {
        let store = Store::open(location);
        let store = store.map_err(|code| words::sentence(Step::Find, code, location))?;
        let Some(store) = store else {
            continue;
        };
        let looked_at = store.certificates().take(MOST_CERTIFICATES);
        let keys = looked_at.filter(Certificate::has_key);
        let listed = keys.filter_map(|found| {
            let certificate = certificates::parse(found.der(), true, now)?;
            let thumbprint = certificate.thumbprint;
            let path = StorePath {
                location,
                thumbprint,
            };
            Some(ListedKey { path, certificate })
        });
        all.extend(listed);
    }
    Ok(all)
}

/// The private key of a certificate.
struct Key {
    /// Valid as long as the certificate exists, which frees the handle.
    handle: NCRYPT_KEY_HANDLE,
    /// Locked while the key signs: Windows doesn't document that several threads can use a handle at once.
    certificate: Mutex<Certificate>,
    location: Location,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:?})", self.location)
    }
}

impl Key {
    fn of(certificate: Certificate, location: Location) -> Result<Self, u32> {
        let (mut handle, mut kind, mut ours) = (0, 0, 0);
        // SAFETY: the certificate is valid, and the output variables outlive the call. With the cache flag, the handle
        // belongs to the certificate.
        let found = unsafe {
            CryptAcquireCertificatePrivateKey(
                certificate.pointer(),
                CRYPT_ACQUIRE_CACHE_FLAG
                    | CRYPT_ACQUIRE_ONLY_NCRYPT_KEY_FLAG
                    | CRYPT_ACQUIRE_SILENT_FLAG,
                null(),
                &raw mut handle,
                &raw mut kind,
                &raw mut ours,
            )
        };
        if found == 0 {
            return Err(last_error());
        }
        if kind != CERT_NCRYPT_KEY_SPEC {
            return Err(words::LEGACY);
        }
        Ok(Self {
            handle,
            certificate: Mutex::new(certificate),
            location,
        })
    }

    fn sign_digest(&self, padding: Padding, digest: &[u8]) -> Result<Vec<u8>, u32> {
        let hash = match digest.len() {
            32 => BCRYPT_SHA256_ALGORITHM,
            48 => BCRYPT_SHA384_ALGORITHM,
            _ => BCRYPT_SHA512_ALGORITHM,
        };
        let length = u32::try_from(digest.len()).unwrap_or(u32::MAX);
        let pkcs1 = BCRYPT_PKCS1_PADDING_INFO { pszAlgId: hash };
        let pss = BCRYPT_PSS_PADDING_INFO {
            pszAlgId: hash,
            cbSalt: length,
        };
        let (padding, flags): (*const c_void, u32) = match padding {
            Padding::Pkcs1 => ((&raw const pkcs1).cast(), BCRYPT_PAD_PKCS1),
            Padding::Pss => ((&raw const pss).cast(), BCRYPT_PAD_PSS),
            Padding::None => (null(), 0),
        };
        let mut signature = vec![0; SIGNATURE_LIMIT];
        let mut written = 0;
        let held = self
            .certificate
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let sign = sign_hash().ok_or(words::NOT_SUPPORTED)?;
        // SAFETY: the key is valid as long as its certificate, the lengths are those of the buffers, and the padding is
        // of the kind that the flag says.
        let code = unsafe {
            sign(
                self.handle,
                padding,
                digest.as_ptr(),
                length,
                signature.as_mut_ptr(),
                u32::try_from(signature.len()).unwrap_or(0),
                &raw mut written,
                flags | NCRYPT_SILENT_FLAG,
            )
        };
        drop(held);
        if code != 0 {
            return Err(code.cast_unsigned());
        }
        signature.truncate(written as usize);
        Ok(signature)
    }
}

/// The type of `NCryptSignHash`: key, padding, digest and its length, signature, its capacity and its length, flags.
/// Returns an error code.
type SignHash = unsafe extern "system" fn(
    NCRYPT_KEY_HANDLE,
    *const c_void,
    *const u8,
    u32,
    *mut u8,
    u32,
    *mut u32,
    NCRYPT_FLAGS,
) -> HRESULT;

/// Returns the function that signs. The program isn't linked with its library, because Windows could load a file of
/// that name next to the program.
fn sign_hash() -> Option<SignHash> {
    const NAME: &CStr = c"NCryptSignHash";
    static LIBRARY: SystemLibrary = SystemLibrary::new("ncrypt.dll");
    let found = LIBRARY.function(NAME)?;
    // SAFETY: the function of this name takes these arguments, and returns a code.
    Some(unsafe { std::mem::transmute::<AnyFunction, SignHash>(found) })
}

/// The padding of a digest before it is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Padding {
    Pkcs1,
    /// With a salt as long as the digest.
    Pss,
    /// No padding, for ECDSA. The signature consists of both numbers at fixed length, as JWS requires.
    None,
}

impl Padding {
    /// Returns `None` for algorithms that these keys don't support.
    fn of(algorithm: Algorithm) -> Option<Self> {
        match algorithm {
            Algorithm::Rs256 | Algorithm::Rs384 | Algorithm::Rs512 => Some(Self::Pkcs1),
            Algorithm::Ps256 | Algorithm::Ps384 | Algorithm::Ps512 => Some(Self::Pss),
            Algorithm::Es256 | Algorithm::Es384 => Some(Self::None),
            Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 | Algorithm::EdDsa => None,
        }
    }
}

impl HeldElsewhere for Key {
    fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let name = algorithm.name();
        let Some(padding) = Padding::of(algorithm) else {
            let text = format!("A key in a certificate store can't sign with {name}.");
            return Err(KeyError::Elsewhere(text));
        };
        let digest = digest::digest(algorithm.hash(), message);
        self.sign_digest(padding, digest.as_ref()).map_err(|code| {
            KeyError::Elsewhere(words::sentence(Step::Sign(name), code, self.location))
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, PublicKeyData, SignatureAlgorithm};
    use windows_sys::Win32::Security::Cryptography::{
        BCRYPT_RSA_ALGORITHM, BCRYPT_RSAPUBLIC_BLOB, CERT_KEY_CONTEXT, CERT_KEY_CONTEXT_0,
        CERT_KEY_CONTEXT_PROP_ID, CertCreateCertificateContext, CertSetCertificateContextProperty,
        MS_KEY_STORAGE_PROVIDER, NCRYPT_LENGTH_PROPERTY, NCryptCreatePersistedKey, NCryptExportKey,
        NCryptFinalizeKey, NCryptOpenStorageProvider, NCryptSetProperty, X509_ASN_ENCODING,
    };

    use super::*;
    use crate::flow::held_tls::tests::handshake;
    use crate::oauth::jose::SigningKey;

    /// Creates an RSA key in memory only.
    fn new_key() -> NCRYPT_KEY_HANDLE {
        let (mut provider, mut key, bits) = (0, 0, 2048_u32);
        // SAFETY: the names end with a zero, and the output variables outlive the calls.
        unsafe {
            let code = NCryptOpenStorageProvider(&raw mut provider, MS_KEY_STORAGE_PROVIDER, 0);
            assert_eq!(code, 0);
            let kind = BCRYPT_RSA_ALGORITHM;
            let code = NCryptCreatePersistedKey(provider, &raw mut key, kind, null(), 0, 0);
            assert_eq!(code, 0);
            let value = (&raw const bits).cast();
            assert_eq!(
                NCryptSetProperty(key, NCRYPT_LENGTH_PROPERTY, value, 4, 0),
                0
            );
            assert_eq!(NCryptFinalizeKey(key, 0), 0);
        }
        key
    }

    /// Creates a certificate that has this key.
    fn with_key(der: &[u8], key: NCRYPT_KEY_HANDLE) -> Certificate {
        let length = u32::try_from(der.len()).unwrap();
        let context = CERT_KEY_CONTEXT {
            cbSize: u32::try_from(size_of::<CERT_KEY_CONTEXT>()).unwrap(),
            Anonymous: CERT_KEY_CONTEXT_0 { hNCryptKey: key },
            dwKeySpec: CERT_NCRYPT_KEY_SPEC,
        };
        // SAFETY: the length is that of the bytes, and this property is a structure of this type.
        unsafe {
            let certificate = CertCreateCertificateContext(X509_ASN_ENCODING, der.as_ptr(), length);
            assert!(!certificate.is_null());
            let value = (&raw const context).cast();
            assert_ne!(
                CertSetCertificateContextProperty(certificate, CERT_KEY_CONTEXT_PROP_ID, 0, value),
                0
            );
            Certificate::from_raw(certificate)
        }
    }

    /// Returns the public key in PKCS #1 format, as in a certificate.
    fn public(key: NCRYPT_KEY_HANDLE) -> Vec<u8> {
        let (mut blob, mut length) = ([0; 1024], 0);
        // SAFETY: the length is that of the buffer.
        let code = unsafe {
            NCryptExportKey(
                key,
                0,
                BCRYPT_RSAPUBLIC_BLOB,
                null(),
                blob.as_mut_ptr(),
                1024,
                &raw mut length,
                0,
            )
        };
        assert_eq!(code, 0);
        let number = |at: usize| {
            let bytes = blob[at..at + 4].try_into().unwrap();
            usize::try_from(u32::from_le_bytes(bytes)).unwrap()
        };
        // BCRYPT_RSAKEY_BLOB: magic, bits, the lengths of the exponent and of the modulus, and of two primes.
        let (exponent, modulus) = (number(8), number(12));
        let exponent_end = 24 + exponent;
        let parts = [
            &blob[exponent_end..exponent_end + modulus],
            &blob[24..exponent_end],
        ];
        let mut content = Vec::new();
        for part in parts {
            // A positive integer, without leading zeros.
            let zeros = part.iter().take_while(|byte| **byte == 0).count();
            let mut part = part[zeros..].to_vec();
            if part[0] & 0x80 != 0 {
                part.insert(0, 0);
            }
            content.extend(element(0x02, &part));
        }
        element(0x30, &content)
    }

    /// Encodes an element in DER, with as few length bytes as possible.
    fn element(tag: u8, content: &[u8]) -> Vec<u8> {
        let [high, low] = u16::try_from(content.len()).unwrap().to_be_bytes();
        let length: &[u8] = match (high, low) {
            (0, ..0x80) => &[low],
            (0, _) => &[0x81, low],
            _ => &[0x82, high, low],
        };
        [&[tag], length, content].concat()
    }

    /// Issues certificates with a Windows key.
    struct Issuer(Key, Vec<u8>);

    impl PublicKeyData for Issuer {
        fn der_bytes(&self) -> &[u8] {
            &self.1
        }
        fn algorithm(&self) -> &'static SignatureAlgorithm {
            &PKCS_RSA_SHA256
        }
    }

    impl rcgen::SigningKey for Issuer {
        fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
            Ok(self.0.sign(Algorithm::Rs256, message).unwrap())
        }
    }

    fn self_signed(name: &str) -> (Vec<u8>, KeyPair) {
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        let pair = KeyPair::generate().unwrap();
        (params.self_signed(&pair).unwrap().der().to_vec(), pair)
    }

    #[test]
    fn windows_signatures_verify_with_the_certificate() {
        let handle = new_key();
        // Any certificate can own the handle until the right one exists.
        let (any, _) = self_signed("any.example");
        let location = Location::LocalMachine;
        let key = Key::of(with_key(&any, handle), location).unwrap();
        let issuer = Issuer(key, public(handle));
        let params = CertificateParams::new(["signing.example".to_owned()]).unwrap();
        let der = params.self_signed(&issuer).unwrap().der().to_vec();
        // Each certificate frees its key, so don't drop the first.
        std::mem::forget(issuer);
        let opened = opened(with_key(&der, handle), location).unwrap();
        assert_eq!(opened.certificate, der);
        for algorithm in [
            Algorithm::Rs256,
            Algorithm::Rs384,
            Algorithm::Rs512,
            Algorithm::Ps256,
            Algorithm::Ps384,
            Algorithm::Ps512,
        ] {
            let signing = SigningKey::held(opened.key.clone(), algorithm).unwrap();
            assert_eq!(signing.try_out(), Ok(()), "{}", algorithm.name());
        }
        // TLS 1.3 requires PSS, which is also the first choice with TLS 1.2.
        let key = opened.key.clone().tried().unwrap();
        for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
            let signed = handshake(version, &der, key.clone());
            assert_eq!(
                signed,
                Ok(rustls::SignatureScheme::RSA_PSS_SHA256),
                "{version:?}"
            );
        }
        let wrong = SigningKey::held(opened.key, Algorithm::Es256).unwrap_err();
        assert!(wrong.to_string().contains("an RSA key"), "{wrong}");
    }

    #[test]
    fn key_not_matching_the_certificate_is_detected() {
        let handle = new_key();
        let other = new_key();
        let (any, _) = self_signed("any.example");
        let location = Location::CurrentUser;
        let key = Key::of(with_key(&any, handle), location).unwrap();
        let issuer = Issuer(key, public(handle));
        let params = CertificateParams::new(["signing.example".to_owned()]).unwrap();
        let der = params.self_signed(&issuer).unwrap().der().to_vec();
        let opened = opened(with_key(&der, other), location).unwrap();
        let signing = SigningKey::held(opened.key, Algorithm::Rs256).unwrap();
        let wrong = signing.try_out();
        assert_eq!(wrong, Err(KeyError::OfAnotherCertificate));
    }

    #[test]
    fn certificate_without_key_is_found_but_not_listed() {
        let (der, _) = self_signed("without.example");
        for location in Location::ALL {
            Store::add(location, &der).unwrap();
            let path = StorePath {
                location,
                thumbprint: certificates::thumbprint(&der).unwrap(),
            };
            let said = open(&path).err().unwrap();
            assert!(said.contains("no private key on this machine"), "{said}");
            let listed = list(SystemTime::now()).unwrap();
            assert!(listed.iter().all(|one| one.path != path), "{listed:?}");
            let absent = StorePath {
                thumbprint: certificates::thumbprint(b"absent").unwrap(),
                ..path
            };
            let said = open(&absent).err().unwrap();
            assert!(said.contains("doesn't contain this certificate"), "{said}");
        }
    }
}
