//! Signatures in the compact serialization, made for assertions (RFC 7523).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair};
use serde_json::{Map, Value};

use super::algorithm::{Algorithm, Family};
use super::held::HeldKey;
use super::key_file::{KeyError, KeyKind, PrivateKey};
use crate::secret::{ExposeSecret, SecretString};

/// A key that makes signatures.
pub struct SigningKey {
    pub(super) algorithm: Algorithm,
    key: Loaded,
}

enum Loaded {
    Secret(hmac::Key),
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Held(HeldKey),
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.algorithm.name())
    }
}

impl SigningKey {
    /// Parses the private key in a PEM file: PKCS#8, PKCS#1 (RSA) or SEC 1 (EC).
    ///
    /// # Errors
    /// Returns an error if the key can't be used.
    pub fn from_pem(pem: &SecretString, algorithm: Algorithm) -> Result<Self, KeyError> {
        Self::of(&PrivateKey::from_pem(pem)?, algorithm)
    }

    /// Parses the private key in a PEM file, and selects the first of its algorithms that is in `listed`, or the usual
    /// one.
    ///
    /// # Errors
    /// Returns an error if the key can't be used.
    pub fn from_pem_preferring(pem: &SecretString, listed: &[Algorithm]) -> Result<Self, KeyError> {
        let found = PrivateKey::from_pem(pem)?;
        Self::of(&found, preferred(found.kind, listed)?)
    }

    /// Creates a key that signs outside of this program.
    ///
    /// # Errors
    /// Returns an error if the algorithm requires another kind of key.
    pub fn held(key: HeldKey, algorithm: Algorithm) -> Result<Self, KeyError> {
        required(algorithm, key.kind)?;
        Ok(Self {
            algorithm,
            key: Loaded::Held(key),
        })
    }

    /// Creates a key that signs outside of this program, with the first of its algorithms that is in `listed`, or the
    /// usual one.
    ///
    /// # Errors
    /// Returns an error if there is no algorithm for the key.
    pub fn held_preferring(key: HeldKey, listed: &[Algorithm]) -> Result<Self, KeyError> {
        let algorithm = preferred(key.kind, listed)?;
        Self::held(key, algorithm)
    }

    fn of(found: &PrivateKey, algorithm: Algorithm) -> Result<Self, KeyError> {
        let key = match required(algorithm, found.kind)? {
            KeyKind::Rsa => Loaded::Rsa(found.rsa()?),
            KeyKind::P256 | KeyKind::P384 => Loaded::Ec(found.ec()?),
            KeyKind::Ed25519 => Loaded::Ed25519(found.ed25519()?),
        };
        Ok(Self { algorithm, key })
    }

    /// Creates a key from the client secret.
    ///
    /// # Errors
    /// Returns an error if the secret is too short (RFC 7518, section 3.2), or if the algorithm needs a key pair.
    pub fn from_secret(secret: &SecretString, algorithm: Algorithm) -> Result<Self, KeyError> {
        if !algorithm.is_symmetric() {
            return Err(KeyError::NotAsymmetric(algorithm.name()));
        }
        let key = algorithm.hmac_key(secret.expose_secret().as_bytes());
        let key = key.ok_or(KeyError::ShortSecret {
            algorithm: algorithm.name(),
            length: algorithm.hash().output_len(),
        })?;
        Ok(Self {
            algorithm,
            key: Loaded::Secret(key),
        })
    }

    /// Returns whether the key signs outside of this program.
    pub(in crate::oauth) fn is_held(&self) -> bool {
        matches!(self.key, Loaded::Held(_))
    }

    /// Makes a test signature. Otherwise a key that can't sign would fail only when a request is sent.
    ///
    /// # Errors
    /// Returns an error if the key can't sign.
    pub fn try_out(&self) -> Result<(), KeyError> {
        self.signature(b"").map(drop)
    }

    pub(super) fn signature(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let random = SystemRandom::new();
        let failed = |_| KeyError::Unusable("it can't sign".to_owned());
        Ok(match &self.key {
            Loaded::Held(key) => key.sign(self.algorithm, message)?,
            Loaded::Secret(key) => hmac::sign(key, message).as_ref().to_vec(),
            Loaded::Ed25519(key) => key.sign(message).as_ref().to_vec(),
            Loaded::Ec(key) => key
                .sign(&random, message)
                .map_err(failed)?
                .as_ref()
                .to_vec(),
            Loaded::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                let padding = self.algorithm.rsa_padding();
                let padding = padding.ok_or(ring::error::Unspecified).map_err(failed)?;
                key.sign(padding, &random, message, &mut signature)
                    .map_err(failed)?;
                signature
            }
        })
    }
}

/// Returns the first algorithm of a key that is in `listed`, or the usual one.
fn preferred(kind: KeyKind, listed: &[Algorithm]) -> Result<Algorithm, KeyError> {
    let algorithms = kind.algorithms();
    let listed = algorithms.iter().find(|one| listed.contains(one));
    let found = listed.or(algorithms.first());
    found.copied().ok_or(KeyError::NoKey)
}

/// Returns the kind of key that the algorithm requires, or an error if `found` is another kind.
fn required(algorithm: Algorithm, found: KeyKind) -> Result<KeyKind, KeyError> {
    let right = match algorithm.family() {
        Family::Hmac => return Err(KeyError::NotSymmetric(algorithm.name())),
        Family::RsaPkcs1 | Family::RsaPss => KeyKind::Rsa,
        Family::Ecdsa if algorithm == Algorithm::Es256 => KeyKind::P256,
        Family::Ecdsa => KeyKind::P384,
        Family::Ed25519 => KeyKind::Ed25519,
    };
    if found == right {
        return Ok(right);
    }
    Err(KeyError::WrongKind {
        found: found.label(),
        algorithm: algorithm.name(),
        right: right.label(),
    })
}

/// Signs `claims`. `header` contains the header parameters other than `alg`, such as `kid`, `typ` and `x5t#S256`.
///
/// # Errors
/// Returns an error if the key can't sign. This doesn't happen with a key that was read from a file.
pub fn sign(
    header: &Map<String, Value>,
    claims: &Map<String, Value>,
    key: &SigningKey,
) -> Result<SecretString, KeyError> {
    let mut header = header.clone();
    header.insert("alg".to_owned(), key.algorithm.name().into());
    let encoded =
        |members: Map<String, Value>| URL_SAFE_NO_PAD.encode(Value::Object(members).to_string());
    let message = format!("{}.{}", encoded(header), encoded(claims.clone()));
    let signature = URL_SAFE_NO_PAD.encode(key.signature(message.as_bytes())?);
    Ok(format!("{message}.{signature}").into())
}
