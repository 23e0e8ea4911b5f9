//! A signature in the compact form (RFC 7515, section 7.1), and whether it is right.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::algorithm::Algorithm;
use super::jwk::{KeySet, Missing};
use crate::clean::clean;
use crate::oauth::answer::parse_object;

/// A longer text is not read; an answer is not larger either.
const LIMIT: usize = 1024 * 1024;

/// A signed text, not verified yet.
#[derive(Debug)]
pub struct Jws<'a> {
    algorithm: String,
    key_id: Option<String>,
    has_nonce: bool,
    message: &'a str,
    signature: Vec<u8>,
}

/// Why a signature is not known to be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not in the compact form.
    #[error("it is not a valid JSON Web Signature")]
    Malformed,
    /// An extension that has to be understood (RFC 7515, section 4.1.11).
    #[error("its header requires an unknown extension (crit)")]
    Critical,
    /// The algorithm `none`.
    #[error("it is not signed (alg is none)")]
    Unsigned,
    /// An algorithm that is not supported.
    #[error("the algorithm {0} isn't supported")]
    Unsupported(String),
    /// The key that it names is not there.
    #[error("the issuer has published no key \"{0}\" for this algorithm")]
    UnknownKey(String),
    /// It names no key, and there is none.
    #[error("the issuer has published no key for {0}")]
    NoKey(&'static str),
    /// It may be one of several keys.
    #[error("{0}, so the key isn't known")]
    Ambiguous(&'static str),
    /// The secret is too short for the algorithm (RFC 7518, section 3.2).
    #[error("the client secret is too short for {0}")]
    ShortSecret(&'static str),
    /// Some other key or text.
    #[error("its signature is wrong")]
    Wrong,
}

impl<'a> Jws<'a> {
    /// Reads the parts.
    ///
    /// # Errors
    /// What is wrong with them.
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

    /// The name of its algorithm.
    #[must_use]
    pub fn algorithm_name(&self) -> &str {
        &self.algorithm
    }

    /// True where the header has a nonce. Such access tokens are signed over the hash of that nonce, which only their API
    /// undoes; the signature looks wrong to everyone else.
    #[must_use]
    pub fn is_for_its_api_only(&self) -> bool {
        self.has_nonce
    }

    /// True if there is no signature at all.
    #[must_use]
    pub fn is_unsigned(&self) -> bool {
        self.signature.is_empty()
    }

    /// Its algorithm.
    ///
    /// # Errors
    /// Where there is no signature, or the algorithm is not supported.
    pub fn algorithm(&self) -> Result<Algorithm, Refusal> {
        match self.algorithm.as_str() {
            // Whatever the case of its letters, so that no spelling of it is only unknown.
            name if name.eq_ignore_ascii_case("none") => Err(Refusal::Unsigned),
            name => Algorithm::of(name).ok_or_else(|| Refusal::Unsupported(clean(name, 40))),
        }
    }

    /// Verifies the signature with the one key of the set that fits: the one that it names, or the only one. Keys that are
    /// part of the header are not looked at.
    ///
    /// # Errors
    /// Why it is not known to be right.
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
