//! Private keys that sign outside of this program, such as in a key store of the system.

use std::fmt;
use std::sync::Arc;

use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, UnparsedPublicKey, VerificationAlgorithm,
};
use x509_parser::parse_x509_certificate;
use x509_parser::public_key::PublicKey;

use super::algorithm::Algorithm;
use super::key_file::{KeyError, KeyKind, kind_of};

/// Minimum size of an RSA key, in bits (RFC 7518, section 3.3).
const FEWEST_BITS: usize = 2048;
/// Maximum size of an RSA key whose signatures can be verified, in bits.
const MOST_BITS: usize = 8192;

/// A private key that signs outside of this program.
pub trait HeldElsewhere: fmt::Debug + Send + Sync {
    /// Signs `message` in the form that JWS requires (RFC 7518, section 3): the salt of RSA-PSS is as long as the hash,
    /// and an ECDSA signature consists of its two numbers, each in full length.
    ///
    /// # Errors
    /// Returns an error if the key can't sign.
    fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, KeyError>;
}

/// A private key outside of this program, with the public key from its certificate.
#[derive(Clone)]
pub struct HeldKey {
    key: Arc<dyn HeldElsewhere>,
    pub(super) kind: KeyKind,
    /// The public key in the certificate, without its algorithm.
    public: Vec<u8>,
}

impl fmt::Debug for HeldKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HeldKey({:?}, {:?})", self.kind, self.key)
    }
}

impl HeldKey {
    /// Creates the key that belongs to a certificate in DER form.
    ///
    /// # Errors
    /// Returns an error if the certificate can't be read, or the key isn't supported.
    pub fn of_certificate(
        certificate: &[u8],
        key: Arc<dyn HeldElsewhere>,
    ) -> Result<Self, KeyError> {
        let (_, parsed) =
            parse_x509_certificate(certificate).map_err(|_| KeyError::DamagedCertificate)?;
        let public = parsed.public_key();
        if let Ok(PublicKey::RSA(rsa)) = public.parsed() {
            match rsa.key_size() {
                ..FEWEST_BITS => return Err(KeyError::TooShort),
                FEWEST_BITS..=MOST_BITS => {}
                _ => {
                    let text = "The RSA key is too long. Use one with at most 8192 bits.";
                    return Err(KeyError::Elsewhere(text.to_owned()));
                }
            }
        }
        Ok(Self {
            key,
            kind: kind_of(&public.algorithm)?,
            public: public.subject_public_key.data.to_vec(),
        })
    }

    /// Signs `message` and verifies the signature with the certificate.
    pub(super) fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let signature = self.key.sign(algorithm, message)?;
        let public = UnparsedPublicKey::new(verification(algorithm)?, &self.public);
        public
            .verify(message, &signature)
            .map_err(|_| KeyError::OfAnotherCertificate)?;
        Ok(signature)
    }
}

/// A key outside of this program that has made a test signature. For TLS, which doesn't use JWS.
#[derive(Debug, Clone)]
pub struct TriedKey {
    key: HeldKey,
    algorithms: Vec<Algorithm>,
}

impl HeldKey {
    /// Makes a test signature. Otherwise a key that can't sign would fail only in the middle of a handshake.
    ///
    /// # Errors
    /// Returns an error if the key can't sign.
    pub fn tried(self) -> Result<TriedKey, KeyError> {
        // Some devices lack one of the RSA paddings. They support a padding with every hash or with none.
        let mut paddings: Vec<&[Algorithm]> = match self.kind {
            KeyKind::Rsa => vec![
                &[Algorithm::Ps256, Algorithm::Ps384, Algorithm::Ps512],
                &[Algorithm::Rs256, Algorithm::Rs384, Algorithm::Rs512],
            ],
            other => vec![other.algorithms()],
        };
        let mut first = None;
        for at in 0..paddings.len() {
            match self.sign(paddings[at][0], b"") {
                Ok(_) => {
                    paddings.swap(0, at);
                    let algorithms = paddings.concat();
                    return Ok(TriedKey {
                        key: self,
                        algorithms,
                    });
                }
                Err(error) => first = first.or(Some(error)),
            }
        }
        Err(first.unwrap_or(KeyError::NoKey))
    }
}

impl TriedKey {
    /// Returns the algorithms of the key. Those with the padding of the test signature are first.
    #[must_use]
    pub fn algorithms(&self) -> &[Algorithm] {
        &self.algorithms
    }

    /// Signs `message` and verifies the signature with the certificate. The form of the signature is that of JWS.
    ///
    /// # Errors
    /// Returns an error if the key can't sign.
    pub fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.key.sign(algorithm, message)
    }
}

fn verification(algorithm: Algorithm) -> Result<&'static dyn VerificationAlgorithm, KeyError> {
    match algorithm {
        Algorithm::Es256 => Ok(&ECDSA_P256_SHA256_FIXED),
        Algorithm::Es384 => Ok(&ECDSA_P384_SHA384_FIXED),
        other => match other.rsa() {
            Some(rsa) => Ok(rsa),
            None => Err(KeyError::Elsewhere(format!(
                "A private key outside of a file can't sign with {}.",
                algorithm.name()
            ))),
        },
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
pub(crate) mod tests {
    use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384};

    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::{Map, json};

    use super::super::jwk::KeySet;
    use super::super::sign::{SigningKey, sign};
    use super::super::verify::Jws;
    use super::*;
    use crate::secret::{ExposeSecret, SecretString};

    /// A key of this process in place of a key outside of it.
    #[derive(Debug)]
    pub(crate) struct Fake(SigningKey);

    impl HeldElsewhere for Fake {
        fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, KeyError> {
            assert_eq!(algorithm, self.0.algorithm);
            self.0.signature(message)
        }
    }

    /// A key of this process in place of a key in a device without some algorithms.
    #[derive(Debug)]
    struct Device(SecretString, Vec<Algorithm>);

    impl HeldElsewhere for Device {
        fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, KeyError> {
            if self.1.contains(&algorithm) {
                let text = format!("The device can't sign with {}.", algorithm.name());
                return Err(KeyError::Elsewhere(text));
            }
            SigningKey::from_pem(&self.0, algorithm)?.signature(message)
        }
    }

    /// Returns the key in a PEM file as if it were in a device without the algorithms in `lacks`.
    pub(crate) fn device(pem: &SecretString, lacks: &[Algorithm]) -> Arc<dyn HeldElsewhere> {
        Arc::new(Device(pem.clone(), lacks.to_vec()))
    }

    /// Returns a new key and its certificate in DER form.
    pub(crate) fn fake(algorithm: Algorithm) -> (Arc<Fake>, Vec<u8>) {
        let kind = match algorithm {
            Algorithm::Es384 => &PKCS_ECDSA_P384_SHA384,
            _ => &PKCS_ECDSA_P256_SHA256,
        };
        let pair = KeyPair::generate_for(kind).unwrap();
        let certificate = CertificateParams::new(vec![]).unwrap();
        let der = certificate.self_signed(&pair).unwrap().der().to_vec();
        let pem = pair.serialize_pem().into();
        let key = Fake(SigningKey::from_pem(&pem, algorithm).unwrap());
        (Arc::new(key), der)
    }

    #[test]
    fn external_signature_is_checked_against_the_certificate() {
        let (key, certificate) = fake(Algorithm::Es256);
        let held = HeldKey::of_certificate(&certificate, key.clone()).unwrap();
        let signature = held.sign(Algorithm::Es256, b"message").unwrap();
        assert_eq!(signature.len(), 64);
        let (_, other) = fake(Algorithm::Es256);
        let wrong = HeldKey::of_certificate(&other, key).unwrap();
        assert_eq!(
            wrong.sign(Algorithm::Es256, b"message"),
            Err(KeyError::OfAnotherCertificate)
        );
    }

    #[test]
    fn key_is_tried_with_each_algorithm_until_it_signs() {
        let pair = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![]).unwrap();
        let certificate = certificate.self_signed(&pair).unwrap().der().to_vec();
        let held = |key| HeldKey::of_certificate(&certificate, key).unwrap();
        let pem = pair.serialize_pem().into();
        let tried = held(device(&pem, &[])).tried().unwrap();
        assert_eq!(tried.algorithms(), [Algorithm::Es256]);
        let error = held(device(&pem, &[Algorithm::Es256])).tried().unwrap_err();
        assert_eq!(error.to_string(), "The device can't sign with ES256.");
        let other = held(fake(Algorithm::Es256).0).tried().unwrap_err();
        assert_eq!(other, KeyError::OfAnotherCertificate);
    }

    #[test]
    fn external_signature_verifies_with_the_public_key() {
        let (key, certificate) = fake(Algorithm::Es256);
        let held = HeldKey::of_certificate(&certificate, key).unwrap();
        let x = URL_SAFE_NO_PAD.encode(&held.public[1..33]);
        let y = URL_SAFE_NO_PAD.encode(&held.public[33..]);
        let keys = json!({"keys": [{"kty": "EC", "crv": "P-256", "x": x, "y": y}]});
        let keys = KeySet::parse(keys.as_object().unwrap()).unwrap();
        let signing = SigningKey::held(held, Algorithm::Es256).unwrap();
        let assertion = sign(&Map::new(), &Map::new(), &signing).unwrap();
        let assertion = Jws::parse(assertion.expose_secret()).unwrap();
        assert_eq!(assertion.verify(&keys), Ok(Algorithm::Es256));
    }

    #[test]
    fn the_algorithm_follows_from_the_certificate() {
        for (algorithm, other) in [
            (Algorithm::Es256, Algorithm::Es384),
            (Algorithm::Es384, Algorithm::Ps256),
        ] {
            let (key, certificate) = fake(algorithm);
            let held = HeldKey::of_certificate(&certificate, key).unwrap();
            let signing = SigningKey::held_preferring(held.clone(), &[other]).unwrap();
            assert_eq!(signing.algorithm, algorithm);
            let refused = SigningKey::held(held, other).unwrap_err();
            assert!(matches!(refused, KeyError::WrongKind { .. }), "{refused}");
        }
        let (key, _) = fake(Algorithm::Es256);
        assert_eq!(
            HeldKey::of_certificate(b"no certificate", key).unwrap_err(),
            KeyError::DamagedCertificate
        );
    }

    #[cfg(unix)]
    #[test]
    fn short_rsa_key_is_refused_and_debug_hides_it() {
        let openssl = super::super::openssl::Openssl::new();
        let of_bits = |bits: usize| {
            openssl.pem(
                "key",
                &format!("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:{bits}"),
            );
            openssl.run("openssl req -x509 -key key -subj /CN=a -outform DER -out certificate");
            let certificate = std::fs::read(openssl.at("certificate")).unwrap();
            let (key, _) = fake(Algorithm::Es256);
            HeldKey::of_certificate(&certificate, key)
        };
        assert_eq!(of_bits(FEWEST_BITS - 64).unwrap_err(), KeyError::TooShort);
        let held = of_bits(FEWEST_BITS).unwrap();
        assert_eq!(format!("{held:?}"), "HeldKey(Rsa, Fake(SigningKey(ES256)))");
    }
}
