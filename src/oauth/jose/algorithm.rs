//! The signature algorithms (RFC 7518, section 3.1; RFC 8037, section 3.1).

use ring::{digest, hmac, signature};

/// A signature algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of RFC 7518 and RFC 8037")]
pub enum Algorithm {
    Hs256,
    Hs384,
    Hs512,
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    EdDsa,
}

/// The kind of key that an algorithm requires, and how that key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Hmac,
    RsaPkcs1,
    RsaPss,
    Ecdsa,
    Ed25519,
}

impl Algorithm {
    /// All algorithms.
    pub const ALL: [Self; 12] = [
        Self::Hs256,
        Self::Hs384,
        Self::Hs512,
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::EdDsa,
    ];

    /// Returns the algorithm with this name; `None` for `none` and for unsupported algorithms.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        // The name in RFC 9864.
        if name == "Ed25519" {
            return Some(Self::EdDsa);
        }
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name() == name)
    }

    /// Returns the name in the header of a signature.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
        }
    }

    /// Returns whether the algorithm uses the client secret instead of a key pair.
    #[must_use]
    pub fn is_symmetric(self) -> bool {
        self.family() == Family::Hmac
    }

    pub(super) fn family(self) -> Family {
        match self {
            Self::Hs256 | Self::Hs384 | Self::Hs512 => Family::Hmac,
            Self::Rs256 | Self::Rs384 | Self::Rs512 => Family::RsaPkcs1,
            Self::Ps256 | Self::Ps384 | Self::Ps512 => Family::RsaPss,
            Self::Es256 | Self::Es384 => Family::Ecdsa,
            Self::EdDsa => Family::Ed25519,
        }
    }

    /// Returns the hash of the algorithm, which `at_hash` uses too (OpenID Connect Core, section 3.1.3.6). Ed25519 uses
    /// SHA-512 internally.
    #[must_use]
    pub fn hash(self) -> &'static digest::Algorithm {
        match self {
            Self::Hs256 | Self::Rs256 | Self::Ps256 | Self::Es256 => &digest::SHA256,
            Self::Hs384 | Self::Rs384 | Self::Ps384 | Self::Es384 => &digest::SHA384,
            Self::Hs512 | Self::Rs512 | Self::Ps512 | Self::EdDsa => &digest::SHA512,
        }
    }

    /// Returns the HMAC key of this algorithm; `None` if `secret` is shorter than the hash (RFC 7518, section 3.2).
    pub(super) fn hmac_key(self, secret: &[u8]) -> Option<hmac::Key> {
        let algorithm = match self {
            Self::Hs256 => hmac::HMAC_SHA256,
            Self::Hs384 => hmac::HMAC_SHA384,
            Self::Hs512 => hmac::HMAC_SHA512,
            _ => return None,
        };
        let long_enough = secret.len() >= self.hash().output_len();
        long_enough.then(|| hmac::Key::new(algorithm, secret))
    }

    /// Returns how to verify RSA signatures. Keys with fewer than 2048 bits are not accepted (RFC 7518, section 3.3).
    pub(super) fn rsa(self) -> Option<&'static signature::RsaParameters> {
        Some(match self {
            Self::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
            Self::Rs384 => &signature::RSA_PKCS1_2048_8192_SHA384,
            Self::Rs512 => &signature::RSA_PKCS1_2048_8192_SHA512,
            Self::Ps256 => &signature::RSA_PSS_2048_8192_SHA256,
            Self::Ps384 => &signature::RSA_PSS_2048_8192_SHA384,
            Self::Ps512 => &signature::RSA_PSS_2048_8192_SHA512,
            _ => return None,
        })
    }

    /// Returns how to make RSA signatures.
    pub(super) fn rsa_padding(self) -> Option<&'static dyn signature::RsaEncoding> {
        Some(match self {
            Self::Rs256 => &signature::RSA_PKCS1_SHA256,
            Self::Rs384 => &signature::RSA_PKCS1_SHA384,
            Self::Rs512 => &signature::RSA_PKCS1_SHA512,
            Self::Ps256 => &signature::RSA_PSS_SHA256,
            Self::Ps384 => &signature::RSA_PSS_SHA384,
            Self::Ps512 => &signature::RSA_PSS_SHA512,
            _ => return None,
        })
    }
}
