//! JSON Web Keys and key sets (RFC 7517), parsed within limits.

use std::fmt;

use base64::engine::{DecodePaddingMode, Engine, GeneralPurpose, GeneralPurposeConfig};
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use serde_json::{Map, Value};

use super::algorithm::{Algorithm, Family};
use crate::oauth::answer::Answer;
use crate::secret::{ExposeSecret, SecretString};

/// Maximum number of keys in a set. Sets of known services have at most a dozen.
const KEY_LIMIT: usize = 100;
/// Maximum length of an encoded number. An RSA modulus of 8192 bits has 1366 characters.
const NUMBER_LIMIT: usize = 2000;
/// Some services encode numbers carelessly, so decoding is lenient. A key that is decoded wrongly verifies nothing.
const NUMBER: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The keys that may verify a signature.
#[derive(Debug, Clone, Default)]
pub struct KeySet {
    keys: Vec<Key>,
    /// Whether the only key is the client secret, which signatures do not name.
    unnamed: bool,
}

/// A key that verifies signatures.
#[derive(Clone)]
struct Key {
    id: Option<String>,
    /// The only algorithm that the key may be used with, if the set names it.
    algorithm: Option<String>,
    material: Material,
}

#[derive(Clone)]
enum Material {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// An uncompressed point; the same for `P384`.
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
    Secret(SecretString),
    SecretBytes(zeroize::Zeroizing<Vec<u8>>),
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:?})", self.id)
    }
}

/// Why no key in a set can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// No key fits.
    None,
    /// Several keys fit.
    Several,
}

impl KeySet {
    /// Returns the keys that a service publishes. Symmetric keys are ignored: they are public, so they prove nothing.
    ///
    /// # Errors
    /// Returns an error that says why the response is not a key set.
    pub fn published(answer: &Answer) -> Result<Self, String> {
        if answer.status != 200 {
            return Err(format!("HTTP status {}", answer.status));
        }
        let mut set = Self::parse(answer.members()?)?;
        set.keys.retain(|key| !key.is_symmetric());
        Ok(set)
    }

    /// Returns the client secret as a key (OpenID Connect Core, section 10.1).
    #[must_use]
    pub fn of_secret(secret: &SecretString) -> Self {
        Self {
            keys: vec![Key {
                id: None,
                algorithm: None,
                material: Material::Secret(secret.clone()),
            }],
            unnamed: true,
        }
    }

    /// Parses a key set. Keys that are not for signatures or of an unknown kind are ignored (RFC 7517, section 5), and
    /// so are symmetric keys in a set that contains public keys.
    ///
    /// # Errors
    /// Returns an error that says why the members are not a key set.
    pub(super) fn parse(members: &Map<String, Value>) -> Result<Self, String> {
        let keys = members.get("keys").and_then(Value::as_array);
        let keys = keys.ok_or("it has no list of keys")?;
        if keys.len() > KEY_LIMIT {
            return Err(format!("it has more than {KEY_LIMIT} keys"));
        }
        let keys = keys.iter().filter_map(Value::as_object);
        let mut keys: Vec<Key> = keys.filter_map(Key::parse).collect();
        if keys.iter().any(|key| !key.is_symmetric()) {
            keys.retain(|key| !key.is_symmetric());
        }
        Ok(Self {
            keys,
            unnamed: false,
        })
    }

    /// Verifies a signature with the only key that fits; `None` if the key is a secret that is too short for the
    /// algorithm.
    pub(super) fn verify(
        &self,
        algorithm: Algorithm,
        id: Option<&str>,
        message: &[u8],
        signature: &[u8],
    ) -> Result<Option<bool>, Missing> {
        let is_named = |key: &&Key| self.unnamed || id.is_none() || key.id.as_deref() == id;
        let fitting = self.keys.iter().filter(is_named);
        let mut fitting = fitting.filter(|key| key.is_for(algorithm));
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Ok(key.verify(algorithm, message, signature)),
            (Some(_), Some(_)) => Err(Missing::Several),
            (None, _) => Err(Missing::None),
        }
    }
}

impl Key {
    fn parse(members: &Map<String, Value>) -> Option<Self> {
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        let number = |name: &str| {
            let text = text(name).filter(|text| text.len() <= NUMBER_LIMIT)?;
            NUMBER.decode(text).ok()
        };
        let point = |length: usize| {
            let (x, y) = (number("x")?, number("y")?);
            // Coordinates always have the full length (RFC 7518, section 6.2.1.2).
            (x.len() == length && y.len() == length).then(|| [vec![4], x, y].concat())
        };
        if text("use").is_some_and(|purpose| purpose != "sig") {
            return None;
        }
        if let Some(operations) = members.get("key_ops")
            && !operations.as_array()?.contains(&Value::from("verify"))
        {
            return None;
        }
        let material = match (text("kty")?, text("crv")) {
            ("RSA", _) => Material::Rsa {
                n: without_zeros(number("n")?),
                e: without_zeros(number("e")?),
            },
            ("EC", Some("P-256")) => Material::P256(point(32)?),
            ("EC", Some("P-384")) => Material::P384(point(48)?),
            ("OKP", Some("Ed25519")) => Material::Ed25519(number("x")?),
            ("oct", _) => Material::SecretBytes(number("k")?.into()),
            _ => return None,
        };
        Some(Self {
            id: text("kid").map(str::to_owned),
            algorithm: text("alg").map(str::to_owned),
            material,
        })
    }

    fn is_symmetric(&self) -> bool {
        matches!(
            self.material,
            Material::Secret(_) | Material::SecretBytes(_)
        )
    }

    /// Returns whether the key is of the right kind and not meant for a different algorithm (RFC 8725, section 3.1).
    fn is_for(&self, algorithm: Algorithm) -> bool {
        let family = algorithm.family();
        let right = match &self.material {
            Material::Rsa { .. } => matches!(family, Family::RsaPkcs1 | Family::RsaPss),
            Material::P256(_) => algorithm == Algorithm::Es256,
            Material::P384(_) => algorithm == Algorithm::Es384,
            Material::Ed25519(_) => family == Family::Ed25519,
            Material::Secret(_) | Material::SecretBytes(_) => family == Family::Hmac,
        };
        let named = self.algorithm.as_deref();
        right && named.is_none_or(|name| Algorithm::of(name) == Some(algorithm))
    }

    /// Verifies a signature; `None` if the key is a secret that is too short.
    fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> Option<bool> {
        let asymmetric = |kind: &'static dyn signature::VerificationAlgorithm, key: &[u8]| {
            let key = UnparsedPublicKey::new(kind, key);
            Some(key.verify(message, signature).is_ok())
        };
        let symmetric = |secret: &[u8]| {
            let key = algorithm.hmac_key(secret)?;
            Some(ring::hmac::verify(&key, message, signature).is_ok())
        };
        match &self.material {
            Material::Rsa { n, e } => {
                let key = RsaPublicKeyComponents { n, e };
                let parameters = algorithm.rsa();
                Some(parameters.is_some_and(|kind| {
                    !is_roca(n) && key.verify(kind, message, signature).is_ok()
                }))
            }
            Material::P256(point) => asymmetric(&signature::ECDSA_P256_SHA256_FIXED, point),
            Material::P384(point) => asymmetric(&signature::ECDSA_P384_SHA384_FIXED, point),
            Material::Ed25519(point) => asymmetric(&signature::ED25519, point),
            Material::Secret(secret) => symmetric(secret.expose_secret().as_bytes()),
            Material::SecretBytes(secret) => symmetric(secret),
        }
    }
}

/// Removes leading zeros. They don't change a number, and ring rejects them.
fn without_zeros(mut number: Vec<u8>) -> Vec<u8> {
    let zeros = number.iter().take_while(|&&byte| byte == 0).count();
    number.drain(..zeros);
    number
}

/// Returns whether the private key of an RSA key can be computed, because a faulty library generated its primes
/// (CVE-2017-15361): modulo each small prime, such a modulus is a power of 65537.
fn is_roca(modulus: &[u8]) -> bool {
    const PRIMES: [u32; 38] = [
        3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89,
        97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
    ];
    PRIMES.into_iter().all(|prime| {
        let step = |rest: u32, byte: &u8| (rest * 256 + u32::from(*byte)) % prime;
        let rest = modulus.iter().fold(0, step);
        let mut power = 1;
        (0..prime).any(|_| {
            power = power * (65537 % prime) % prime;
            power == rest
        })
    })
}
