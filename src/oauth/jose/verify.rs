//! Signatures in the compact serialization (RFC 7515, section 7.1), parsed and verified.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::algorithm::Algorithm;
use super::jwk::{KeySet, Missing};
use crate::clean::clean;
use crate::oauth::json::parse_object;

/// Maximum length of a token, in bytes. A response is not larger either.
const LIMIT: usize = 1024 * 1024;

/// A JSON Web Signature that has not been verified yet.
#[derive(Debug)]
pub struct Jws<'a> {
    algorithm: String,
    key_id: Option<String>,
    has_nonce: bool,
    message: &'a str,
    signature: Vec<u8>,
}

/// Why a signature is not known to be valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The text is not in the compact serialization.
    #[error("it is not a valid JSON Web Signature")]
    Malformed,
    /// The header requires an extension that is not supported (RFC 7515, section 4.1.11).
    #[error("its header requires an unknown extension (crit)")]
    Critical,
    /// The algorithm is `none`.
    #[error("it is not signed (alg is none)")]
    Unsigned,
    /// The algorithm is not supported.
    #[error("the algorithm {0} isn't supported")]
    Unsupported(String),
    /// The key that the header names is not in the set.
    #[error("the issuer has published no key \"{0}\" for this algorithm")]
    UnknownKey(String),
    /// The header names no key, and no key in the set fits.
    #[error("the issuer has published no key for {0}")]
    NoKey(&'static str),
    /// Several keys fit.
    #[error("{0}, so the key isn't known")]
    Ambiguous(&'static str),
    /// The client secret is too short for the algorithm (RFC 7518, section 3.2).
    #[error("the client secret is too short for {0}")]
    ShortSecret(&'static str),
    /// The signature was made with another key or over another text.
    #[error("its signature is wrong")]
    Wrong,
}

impl<'a> Jws<'a> {
    /// Parses a token in the compact serialization.
    ///
    /// # Errors
    /// Returns an error if the token is malformed, or has a `crit` header.
    pub fn parse(text: &'a str) -> Result<Self, Refusal> {
        if text.len() > LIMIT {
            return Err(Refusal::Malformed);
        }
        let (message, signature) = text.rsplit_once('.').ok_or(Refusal::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(Refusal::Malformed)?;
        let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Refusal::Malformed);
        decoded(payload)?;
        let header = parse_object(&decoded(header)?).map_err(|_| Refusal::Malformed)?;
        if header.contains_key("crit") {
            return Err(Refusal::Critical);
        }
        let key_id = match header.get("kid") {
            Some(Value::String(id)) => Some(id.clone()),
            Some(_) => return Err(Refusal::Malformed),
            None => None,
        };
        let algorithm = header.get("alg").and_then(Value::as_str);
        Ok(Self {
            algorithm: algorithm.ok_or(Refusal::Malformed)?.to_owned(),
            key_id,
            has_nonce: header.contains_key("nonce"),
            message,
            signature: decoded(signature)?,
        })
    }

    /// Returns the name of the algorithm.
    #[must_use]
    pub fn algorithm_name(&self) -> &str {
        &self.algorithm
    }

    /// Returns whether the header contains a nonce. Such access tokens are signed over the hash of the nonce, which
    /// only their API can reproduce; everyone else sees an invalid signature.
    #[must_use]
    pub fn is_for_its_api_only(&self) -> bool {
        self.has_nonce
    }

    /// Returns whether the signature is empty.
    #[must_use]
    pub fn is_unsigned(&self) -> bool {
        self.signature.is_empty()
    }

    /// Returns the algorithm.
    ///
    /// # Errors
    /// Returns an error if there is no signature, or if the algorithm is not supported.
    pub fn algorithm(&self) -> Result<Algorithm, Refusal> {
        match self.algorithm.as_str() {
            // In any letter case, so that no spelling of `none` counts as merely unsupported.
            name if name.eq_ignore_ascii_case("none") => Err(Refusal::Unsigned),
            name => Algorithm::of(name).ok_or_else(|| Refusal::Unsupported(clean(name, 40))),
        }
    }

    /// Verifies the signature with the only key in the set that fits: the one that the header names, or the only one.
    /// Keys inside of the header are ignored.
    ///
    /// # Errors
    /// Returns an error if the signature is not known to be valid.
    pub fn verify(&self, keys: &KeySet) -> Result<Algorithm, Refusal> {
        let algorithm = self.algorithm()?;
        let id = self.key_id.as_deref();
        let verified = keys.verify(algorithm, id, self.message.as_bytes(), &self.signature);
        match (verified, id) {
            (Ok(Some(true)), _) => Ok(algorithm),
            (Ok(Some(false)), _) => Err(Refusal::Wrong),
            (Ok(None), _) => Err(Refusal::ShortSecret(algorithm.name())),
            (Err(Missing::None), Some(id)) => Err(Refusal::UnknownKey(clean(id, 80))),
            (Err(Missing::None), None) => Err(Refusal::NoKey(algorithm.name())),
            (Err(Missing::Several), Some(_)) => Err(Refusal::Ambiguous(
                "the issuer has published several keys with its key ID (kid)",
            )),
            (Err(Missing::Several), None) => Err(Refusal::Ambiguous(
                "it has no key ID (kid), and the issuer has published several keys",
            )),
        }
    }
}
