//! Private keys and certificates in PEM files.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest;
use ring::error::KeyRejected;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    RsaKeyPair,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::asn1_rs::{Any, Class, FromDer, Integer, Oid, Sequence, Tag};
use x509_parser::oid_registry::{
    OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_NIST_EC_P384, OID_NIST_EC_P521,
    OID_PKCS1_RSAENCRYPTION, OID_PKCS1_RSASSAPSS, OID_SIG_ED25519,
};
use x509_parser::x509::AlgorithmIdentifier;
use zeroize::Zeroizing;

use super::super::other_file::OtherFile;
use super::algorithm::Algorithm;
use crate::secret::{ExposeSecret, SecretString};

/// Why a key can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The key is encrypted with a passphrase.
    #[error(
        "The private key is encrypted. Remove its passphrase: openssl pkey -in KEY.pem -out NEW.pem"
    )]
    Encrypted,
    /// The public key instead of the private key.
    #[error("The file contains a public key. The private key is required.")]
    Public,
    /// A certificate instead of the key.
    #[error("The file contains a certificate. The private key that belongs to it is required.")]
    Certificate,
    /// A key in the OpenSSH format.
    #[error(
        "The private key is in the format of OpenSSH. Convert a copy of it: ssh-keygen -p -m PKCS8 -f COPY"
    )]
    OpenSsh,
    /// A key in the format of PuTTY.
    #[error(
        "The private key is in the format of PuTTY. Convert it: puttygen KEY.ppk -O private-openssh -o KEY.pem"
    )]
    Putty,
    /// The JSON file of a service account.
    #[error(
        "The file is the key of a service account in JSON format. Use it as Key file (--service-account-file), with the flow \
         Service account (--flow service-account)."
    )]
    ServiceAccount,
    /// A key in JSON format.
    #[error(
        "The file contains a JSON Web Key (JWK). Export the key in PEM format (BEGIN PRIVATE KEY) instead."
    )]
    Jwk,
    /// Any other JSON file.
    #[error(
        "The file is in JSON format. Save only the private key from it, in PEM format (BEGIN PRIVATE KEY)."
    )]
    Json,
    /// A certificate request instead of the key.
    #[error("The file contains a certificate request. The private key is required.")]
    Request,
    /// No known PEM block.
    #[error("The file contains no private key in PEM format (BEGIN PRIVATE KEY).")]
    NoKey,
    /// No certificate, although one is required.
    #[error("The file contains no certificate in PEM format (BEGIN CERTIFICATE).")]
    NoCertificate,
    /// A key that is truncated or changed.
    #[error("The private key is damaged.")]
    Damaged,
    /// An RSA key with fewer than 2048 bits.
    #[error("The RSA key is too short. It must have at least 2048 bits.")]
    TooShort,
    /// An RSA key with more than 4096 bits.
    #[error("The RSA key is too long. It can have at most 4096 bits.")]
    TooLong,
    /// An unsupported key algorithm or curve.
    #[error("The private key is {0}. RSA, EC P-256, EC P-384 and Ed25519 keys are supported.")]
    UnsupportedKind(String),
    /// A key for a different kind of algorithm.
    #[error("The private key is {found}, but {algorithm} requires {right}.")]
    WrongKind {
        /// The kind of the key.
        found: &'static str,
        /// The algorithm that the key was to be used with.
        algorithm: &'static str,
        /// The kind of key that the algorithm requires.
        right: &'static str,
    },
    /// A private key for an algorithm that uses the client secret.
    #[error("{0} uses the client secret, not a private key.")]
    NotSymmetric(&'static str),
    /// The client secret for an algorithm that uses a key pair.
    #[error("{0} requires a private key, not the client secret.")]
    NotAsymmetric(&'static str),
    /// A client secret that is too short for the algorithm.
    #[error("The client secret is too short: {algorithm} requires at least {length} bytes.")]
    ShortSecret {
        /// The algorithm that the secret was to be used with.
        algorithm: &'static str,
        /// The required length, in bytes.
        length: usize,
    },
    /// A certificate that can't be read.
    #[error("The certificate is damaged. Import it again.")]
    DamagedCertificate,
    /// A signature that doesn't match the certificate.
    #[error(
        "The private key doesn't belong to the certificate. Import the certificate again, together with its key."
    )]
    OfAnotherCertificate,
    /// The key outside of this program can't sign; a sentence.
    #[error("{0}")]
    Elsewhere(String),
    /// Any other problem with the key.
    #[error("The private key can't be used: {0}.")]
    Unusable(String),
}

/// The kind of a private key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyKind {
    Rsa,
    P256,
    P384,
    Ed25519,
}

impl KeyKind {
    /// Returns the algorithms that the key can be used with, the usual one first.
    pub(super) fn algorithms(self) -> &'static [Algorithm] {
        match self {
            Self::Rsa => &[
                Algorithm::Rs256,
                Algorithm::Ps256,
                Algorithm::Rs384,
                Algorithm::Ps384,
                Algorithm::Rs512,
                Algorithm::Ps512,
            ],
            Self::P256 => &[Algorithm::Es256],
            Self::P384 => &[Algorithm::Es384],
            Self::Ed25519 => &[Algorithm::EdDsa],
        }
    }

    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Rsa => "an RSA key",
            Self::P256 => "an EC P-256 key",
            Self::P384 => "an EC P-384 key",
            Self::Ed25519 => "an Ed25519 key",
        }
    }
}

/// Minimum length of an RSA key with 2048 bits, in bytes: its numbers have 4.5 times as many bits. One with 1536 bits is
/// shorter.
const LONG_RSA: usize = 1100;

/// A private key in the encoding in which it was found.
pub(super) struct PrivateKey {
    pub(super) kind: KeyKind,
    /// The key in PKCS#8 format, or in PKCS#1 format for RSA.
    der: Zeroizing<Vec<u8>>,
    pkcs1: bool,
}

impl PrivateKey {
    /// Parses the first private key in a PEM file.
    pub(super) fn from_pem(pem: &SecretString) -> Result<Self, KeyError> {
        let text = pem.expose_secret();
        let key = PrivateKeyDer::from_pem_slice(text.as_bytes());
        let key = Zeroizing::new(key.map_err(|_| what_else(text))?);
        match &*key {
            PrivateKeyDer::Pkcs1(key) => Ok(Self {
                kind: KeyKind::Rsa,
                der: key.secret_pkcs1_der().to_vec().into(),
                pkcs1: true,
            }),
            PrivateKeyDer::Sec1(key) => {
                let der = key.secret_sec1_der();
                let kind = curve_kind(curve_of_sec1(der).as_ref())?;
                Ok(Self {
                    kind,
                    der: pkcs8(kind, der),
                    pkcs1: false,
                })
            }
            PrivateKeyDer::Pkcs8(key) => {
                let der = key.secret_pkcs8_der();
                Ok(Self {
                    kind: kind_of_pkcs8(der)?,
                    der: der.to_vec().into(),
                    pkcs1: false,
                })
            }
            _ => Err(KeyError::NoKey),
        }
    }

    pub(super) fn rsa(&self) -> Result<RsaKeyPair, KeyError> {
        let pair = if self.pkcs1 {
            RsaKeyPair::from_der(&self.der)
        } else {
            RsaKeyPair::from_pkcs8(&self.der)
        };
        pair.map_err(|reason| match reason.to_string().as_str() {
            "TooSmall" if self.der.len() >= LONG_RSA => KeyError::UnsupportedKind(
                "an RSA key with a small public exponent, such as 3".to_owned(),
            ),
            "VersionNotSupported" => {
                KeyError::UnsupportedKind("an RSA key with more than two primes".to_owned())
            }
            _ => rejected(reason),
        })
    }

    pub(super) fn ec(&self) -> Result<EcdsaKeyPair, KeyError> {
        let algorithm = if self.kind == KeyKind::P256 {
            &ECDSA_P256_SHA256_FIXED_SIGNING
        } else {
            &ECDSA_P384_SHA384_FIXED_SIGNING
        };
        EcdsaKeyPair::from_pkcs8(algorithm, &self.der, &SystemRandom::new()).map_err(rejected)
    }

    pub(super) fn ed25519(&self) -> Result<Ed25519KeyPair, KeyError> {
        // Files often lack the public key, which ring would compare.
        Ed25519KeyPair::from_pkcs8_maybe_unchecked(&self.der).map_err(rejected)
    }
}

/// Returns the thumbprint of the first certificate in a PEM file, for `x5t#S256` (RFC 7515, section 4.1.8).
///
/// # Errors
/// Returns an error if the file contains no certificate.
pub fn certificate_thumbprint(pem: &str) -> Result<String, KeyError> {
    let certificate =
        CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| KeyError::NoCertificate)?;
    Ok(thumbprint_of_der(&certificate))
}

/// Returns the thumbprint of a certificate in DER form.
#[must_use]
pub fn thumbprint_of_der(certificate: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, certificate))
}

/// Returns the error for a file without a readable private key, by what the file contains instead.
fn what_else(text: &str) -> KeyError {
    let holds = |label: &str| text.contains(&format!("-----BEGIN {label}-----"));
    match OtherFile::of(text) {
        Some(OtherFile::Pem) | None => {}
        Some(_) if text.contains("\"service_account\"") => return KeyError::ServiceAccount,
        Some(_) if text.contains("\"kty\"") => return KeyError::Jwk,
        Some(_) => return KeyError::Json,
    }
    if text.trim_start().starts_with("PuTTY-User-Key-File-") {
        KeyError::Putty
    } else if holds("ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED") {
        KeyError::Encrypted
    } else if holds("OPENSSH PRIVATE KEY") {
        KeyError::OpenSsh
    } else if ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"]
        .into_iter()
        .any(holds)
    {
        KeyError::Damaged
    } else if holds("DSA PRIVATE KEY") {
        KeyError::UnsupportedKind("a DSA key".to_owned())
    } else if holds("PUBLIC KEY") || holds("RSA PUBLIC KEY") {
        KeyError::Public
    } else if holds("CERTIFICATE REQUEST") || holds("NEW CERTIFICATE REQUEST") {
        KeyError::Request
    } else if holds("CERTIFICATE") || holds("TRUSTED CERTIFICATE") {
        KeyError::Certificate
    } else {
        KeyError::NoKey
    }
}

fn rejected(reason: KeyRejected) -> KeyError {
    match reason.to_string().as_str() {
        "TooSmall" => KeyError::TooShort,
        "TooLarge" => KeyError::TooLong,
        "InvalidEncoding" | "InvalidComponent" | "InconsistentComponents" => KeyError::Damaged,
        other => KeyError::Unusable(other.to_owned()),
    }
}

fn kind_of_pkcs8(der: &[u8]) -> Result<KeyKind, KeyError> {
    let damaged = |_| KeyError::Damaged;
    let (_, key) = Sequence::from_der(der).map_err(damaged)?;
    let (rest, _) = Integer::from_der(&key.content).map_err(damaged)?;
    let (_, algorithm) = AlgorithmIdentifier::from_der(rest).map_err(|_| KeyError::Damaged)?;
    kind_of(&algorithm)
}

/// Kinds of keys that are not supported, by their object identifiers (RFC 3279, RFC 8410, RFC 9881).
const KINDS: [(&str, &str); 9] = [
    ("1.2.840.10040.4.1", "a DSA key"),
    ("1.2.840.10046.2.1", "a Diffie-Hellman key"),
    ("1.2.840.113549.1.3.1", "a Diffie-Hellman key"),
    ("1.3.101.110", "an X25519 key"),
    ("1.3.101.111", "an X448 key"),
    ("1.3.101.113", "an Ed448 key"),
    ("2.16.840.1.101.3.4.3.17", "an ML-DSA-44 key"),
    ("2.16.840.1.101.3.4.3.18", "an ML-DSA-65 key"),
    ("2.16.840.1.101.3.4.3.19", "an ML-DSA-87 key"),
];
/// Curves that are not supported, by their object identifiers (SEC 2, RFC 5639).
const CURVES: [(&str, &str); 5] = [
    ("1.3.132.0.10", "secp256k1"),
    ("1.3.132.0.33", "P-224"),
    ("1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1"),
    ("1.3.36.3.3.2.8.1.1.11", "brainpoolP384r1"),
    ("1.3.36.3.3.2.8.1.1.13", "brainpoolP512r1"),
];

fn named(names: &[(&str, &'static str)], id: &str) -> Option<&'static str> {
    let (_, name) = names.iter().find(|(known, _)| *known == id)?;
    Some(name)
}

/// Returns the kind of a private or public key with this algorithm.
pub(super) fn kind_of(algorithm: &AlgorithmIdentifier<'_>) -> Result<KeyKind, KeyError> {
    let id = &algorithm.algorithm;
    if *id == OID_PKCS1_RSAENCRYPTION {
        Ok(KeyKind::Rsa)
    } else if *id == OID_SIG_ED25519 {
        Ok(KeyKind::Ed25519)
    } else if *id == OID_KEY_TYPE_EC_PUBLIC_KEY {
        let curve = algorithm
            .parameters
            .as_ref()
            .and_then(|any| any.clone().oid().ok());
        curve_kind(curve.as_ref())
    } else if *id == OID_PKCS1_RSASSAPSS {
        Err(KeyError::UnsupportedKind(
            "for RSA-PSS only (id-RSASSA-PSS)".to_owned(),
        ))
    } else {
        let id = id.to_id_string();
        Err(KeyError::UnsupportedKind(match named(&KINDS, &id) {
            Some(kind) => kind.to_owned(),
            None => format!("of another kind ({id})"),
        }))
    }
}

fn curve_kind(curve: Option<&Oid<'_>>) -> Result<KeyKind, KeyError> {
    let unsupported = |name: &str| Err(KeyError::UnsupportedKind(name.to_owned()));
    match curve {
        Some(curve) if *curve == OID_EC_P256 => Ok(KeyKind::P256),
        Some(curve) if *curve == OID_NIST_EC_P384 => Ok(KeyKind::P384),
        Some(curve) if *curve == OID_NIST_EC_P521 => unsupported("an EC P-521 key"),
        Some(curve) => {
            let id = curve.to_id_string();
            let name = named(&CURVES, &id).unwrap_or(&id);
            unsupported(&format!("an EC key on another curve ({name})"))
        }
        None => unsupported("an EC key without a named curve"),
    }
}

/// Returns the curve of a key in SEC 1 format (RFC 5915, section 3).
fn curve_of_sec1(der: &[u8]) -> Option<Oid<'_>> {
    let (_, key) = Sequence::from_der(der).ok()?;
    let mut rest = match &key.content {
        std::borrow::Cow::Borrowed(content) => *content,
        std::borrow::Cow::Owned(_) => return None,
    };
    while !rest.is_empty() {
        let (after, member) = Any::from_der(rest).ok()?;
        if member.class() == Class::ContextSpecific && member.tag() == Tag(0) {
            return Oid::from_der(member.data).ok().map(|(_, curve)| curve);
        }
        rest = after;
    }
    None
}

/// Converts a key from SEC 1 format to PKCS#8 (RFC 5958), the only format that ring reads.
fn pkcs8(kind: KeyKind, sec1: &[u8]) -> Zeroizing<Vec<u8>> {
    // SEQUENCE { id-ecPublicKey, curve }
    const P256: &[u8] = &[
        0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
        0x48, 0xce, 0x3d, 0x03, 0x01, 0x07,
    ];
    const P384: &[u8] = &[
        0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81,
        0x04, 0x00, 0x22,
    ];
    const VERSION: &[u8] = &[0x02, 0x01, 0x00];
    let algorithm = if kind == KeyKind::P256 { P256 } else { P384 };
    let key = element(0x04, &[sec1]);
    element(0x30, &[VERSION, algorithm, &key])
}

/// Encodes a DER element of at most 65,535 bytes. Keys are much shorter.
fn element(tag: u8, parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let content = Zeroizing::new(parts.concat());
    let [.., high, low] = content.len().to_be_bytes();
    let length: &[u8] = match (high, low) {
        (0, ..0x80) => &[low],
        (0, _) => &[0x81, low],
        _ => &[0x82, high, low],
    };
    Zeroizing::new([&[tag], length, content.as_slice()].concat())
}
