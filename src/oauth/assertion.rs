//! Client authentication with a key: signed assertions (RFC 7523, section 2.2; OpenID Connect Core, section 9) and client
//! certificates (RFC 8705).

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use oauth2::CsrfToken;
use serde_json::{Map, Value, json};

use super::client_authentication::ClientAuthentication;
use super::form::Form;
use super::jose::{Algorithm, HeldKey, KeyError, SigningKey, TriedKey, sign};
use crate::secret::{ExposeSecret, SecretString};

/// The value of `client_assertion_type` (RFC 7523, section 2.2).
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Lifetime of an assertion, in seconds. Each is sent only once, immediately.
const LIFE: u64 = 60;

/// The PEM files of a client, or the path of a certificate in a key store of the system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFiles {
    /// The private key.
    pub key: PathBuf,
    /// Its certificate; may be the same file. `None` for a key store, which contains both.
    pub certificate: Option<PathBuf>,
}

/// The service's requirements for assertions.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// The only algorithm that the service accepts.
    pub algorithm: Option<Algorithm>,
    /// The algorithms in the service's metadata, used if `algorithm` is `None`. Empty if the metadata has no list.
    pub listed: Vec<Algorithm>,
    /// The audience (`aud`) of assertions.
    pub audience: String,
    /// Whether the header contains the thumbprint of the certificate (RFC 7515, section 4.1.8).
    pub thumbprint: bool,
    /// The key ID in the header. It tells the service which public key to verify with (RFC 7515, section 4.1.4).
    pub key_id: Option<String>,
}

impl Rules {
    /// Returns a key that signs with the client secret.
    ///
    /// # Errors
    /// Returns an error if the secret is too short for every allowed algorithm.
    pub fn secret_key(&self, secret: &SecretString) -> Result<SigningKey, KeyError> {
        const ALL: [Algorithm; 3] = [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512];
        let fixed = self.algorithm.filter(|algorithm| algorithm.is_symmetric());
        let listed = ALL.into_iter().find(|one| self.listed.contains(one));
        let algorithm = fixed.or(listed).unwrap_or(Algorithm::Hs256);
        SigningKey::from_secret(secret, algorithm)
    }

    /// Returns a key that signs with the private key in a PEM file.
    ///
    /// # Errors
    /// Returns an error if the key can't be used.
    pub fn private_key(&self, pem: &SecretString) -> Result<SigningKey, KeyError> {
        match self.algorithm.filter(|one| !one.is_symmetric()) {
            Some(algorithm) => SigningKey::from_pem(pem, algorithm),
            None => SigningKey::from_pem_preferring(pem, &self.listed),
        }
    }

    /// Returns a key that signs outside of this program.
    ///
    /// # Errors
    /// Returns an error if no allowed algorithm fits the key.
    pub fn held_key(&self, key: HeldKey) -> Result<SigningKey, KeyError> {
        match self.algorithm.filter(|one| !one.is_symmetric()) {
            Some(algorithm) => SigningKey::held(key, algorithm),
            None => SigningKey::held_preferring(key, &self.listed),
        }
    }
}

/// A client's signer of assertions.
#[derive(Clone)]
pub struct Signer {
    key: Arc<SigningKey>,
    client_id: String,
    audience: String,
    key_id: Option<String>,
    thumbprint: Option<String>,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({:?}, {})", self.key, self.audience)
    }
}

impl Signer {
    /// Creates a signer for this client that follows these rules.
    #[must_use]
    pub fn new(key: SigningKey, client_id: &str, rules: &Rules) -> Self {
        Self {
            key: Arc::new(key),
            client_id: client_id.to_owned(),
            audience: rules.audience.clone(),
            key_id: rules.key_id.clone(),
            thumbprint: None,
        }
    }

    /// Adds the thumbprint of the certificate to the header of each assertion.
    #[must_use]
    pub fn with_thumbprint(mut self, thumbprint: String) -> Self {
        self.thumbprint = Some(thumbprint);
        self
    }

    /// Creates an assertion to be sent at this time.
    fn assertion(&self, unix_time: u64) -> Result<SecretString, KeyError> {
        let mut header = Map::from_iter([("typ".to_owned(), Value::from("JWT"))]);
        for (name, value) in [("kid", &self.key_id), ("x5t#S256", &self.thumbprint)] {
            if let Some(value) = value {
                header.insert(name.to_owned(), value.as_str().into());
            }
        }
        let claims = [
            ("iss", json!(self.client_id)),
            ("sub", json!(self.client_id)),
            ("aud", json!(self.audience)),
            ("jti", json!(CsrfToken::new_random().secret())),
            ("iat", json!(unix_time)),
            ("exp", json!(unix_time + LIFE)),
        ];
        let claims = claims.map(|(name, value)| (name.to_owned(), value));
        sign(&header, &Map::from_iter(claims), &self.key)
    }
}

/// What a client authenticates with, other than by sending a secret.
#[derive(Debug, Clone, Default)]
pub enum Credential {
    /// No other credential.
    #[default]
    None,
    /// PEM files that are read when the run starts, or a key in a key store that is opened then.
    Files(KeyFiles, Rules),
    /// A key that signs assertions.
    Signer(Signer),
    /// The private key and the certificate for TLS.
    Identity(Identity),
}

/// A certificate for TLS, and its private key.
#[derive(Debug, Clone)]
pub enum Identity {
    /// The certificate, the intermediate certificates and the private key, as PEM.
    Pem(SecretString),
    /// A key that signs outside of this program.
    Held {
        /// The certificate and its intermediate certificates, in DER form.
        chain: Vec<Vec<u8>>,
        /// The key of the certificate.
        key: TriedKey,
    },
}

impl Credential {
    /// Returns the PEM files if they have not been read yet.
    #[must_use]
    pub fn files(&self) -> Option<&KeyFiles> {
        match self {
            Self::Files(files, _) => Some(files),
            Self::None | Self::Signer(_) | Self::Identity(_) => None,
        }
    }

    /// Returns what a request needs in addition to its parameters; `None` if the credential doesn't fit `method`.
    pub(super) fn proof(&self, method: ClientAuthentication) -> Option<Proof> {
        Some(match (method, self) {
            (
                ClientAuthentication::ClientSecretJwt | ClientAuthentication::PrivateKeyJwt,
                Self::Signer(signer),
            ) => Proof::Assertion(signer.clone()),
            (ClientAuthentication::MutualTls, Self::Identity(_)) => Proof::Certificate,
            (
                ClientAuthentication::None
                | ClientAuthentication::Post
                | ClientAuthentication::Basic,
                _,
            ) => Proof::None,
            _ => return None,
        })
    }
}

/// How a request authenticates the client when it is sent.
#[derive(Debug, Clone, Default)]
pub enum Proof {
    /// By the request itself.
    #[default]
    None,
    /// By an assertion, created each time the request is sent.
    Assertion(Signer),
    /// By the client certificate of the connection.
    Certificate,
}

impl Proof {
    /// Returns whether a key outside of this program signs.
    pub(super) fn signs_elsewhere(&self) -> bool {
        matches!(self, Self::Assertion(signer) if signer.key.is_held())
    }

    /// Returns the body of the request with a new assertion; `None` if the request needs no assertion.
    ///
    /// # Errors
    /// Returns an error if the key can't sign.
    pub(super) fn signed(
        &self,
        body: &SecretString,
        unix_time: u64,
    ) -> Result<Option<SecretString>, KeyError> {
        let Self::Assertion(signer) = self else {
            return Ok(None);
        };
        let mut form = Form::parse(body.expose_secret());
        form.set("client_assertion_type", ASSERTION_TYPE);
        form.set(
            "client_assertion",
            signer.assertion(unix_time)?.expose_secret(),
        );
        Ok(Some(form.write().into()))
    }
}

/// One of the files of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyPart {
    /// The private key.
    Key,
    /// The certificate.
    Certificate,
}

impl KeyPart {
    fn label(self) -> &'static str {
        match self {
            Self::Key => "Client key",
            Self::Certificate => "Client certificate",
        }
    }
}

/// Why a file of a client can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} {path}: {reason}", .part.label())]
pub struct KeyFileError {
    /// The file that can't be used.
    pub part: KeyPart,
    /// Its path, cleaned.
    pub path: String,
    /// Why it can't be used, as a sentence.
    pub reason: String,
}

impl KeyFileError {
    /// Returns the fix, as a sentence.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self.part {
            KeyPart::Key => "Correct Client key.",
            KeyPart::Certificate => "Correct Client certificate.",
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use std::collections::HashMap;

    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use url::form_urlencoded;

    use super::super::jose::{Jws, KeySet, fake, thumbprint_of_der};
    use super::*;

    const SECRET: &str = "a-client-secret-that-is-long-enough-for-HS256";

    fn rules() -> Rules {
        Rules {
            audience: "https://as.example".to_owned(),
            ..Rules::default()
        }
    }

    fn signer() -> Signer {
        let rules = rules();
        Signer::new(rules.secret_key(&SECRET.into()).unwrap(), "me", &rules)
    }

    fn part(assertion: &str, at: usize) -> Value {
        let part = assertion.split('.').nth(at).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    fn sent(proof: &Proof) -> HashMap<String, String> {
        let body = proof
            .signed(&"client_id=me&grant_type=x".into(), 1000)
            .unwrap();
        form_urlencoded::parse(body.unwrap().expose_secret().as_bytes())
            .into_owned()
            .collect()
    }

    #[test]
    fn each_request_has_a_new_assertion_with_client_claims() {
        let proof = Proof::Assertion(signer().with_thumbprint("print".to_owned()));
        let (first, second) = (sent(&proof), sent(&proof));
        assert_eq!(first["client_assertion_type"], ASSERTION_TYPE);
        assert_eq!((&*first["client_id"], &*first["grant_type"]), ("me", "x"));
        let assertion = &first["client_assertion"];
        assert_eq!(
            part(assertion, 0),
            json!({"alg": "HS256", "typ": "JWT", "x5t#S256": "print"})
        );
        let claims = part(assertion, 1);
        let id = claims["jti"].as_str().unwrap().to_owned();
        assert!(id.len() >= 20, "{id}");
        assert_eq!(
            claims,
            json!({
                "iss": "me", "sub": "me", "aud": "https://as.example", "jti": id, "iat": 1000, "exp": 1060,
            })
        );
        assert_ne!(part(&second["client_assertion"], 1)["jti"], claims["jti"]);
        let keys = KeySet::of_secret(&SECRET.into());
        assert!(Jws::parse(assertion).unwrap().verify(&keys).is_ok());
    }

    #[test]
    fn key_id_is_in_the_header_only_if_set() {
        for key_id in [None, Some("Schlüssel \"1\"".to_owned())] {
            let rules = Rules { key_id, ..rules() };
            let signer = Signer::new(rules.secret_key(&SECRET.into()).unwrap(), "me", &rules);
            let sent = sent(&Proof::Assertion(signer));
            let header = part(&sent["client_assertion"], 0);
            assert_eq!(header["kid"].as_str(), rules.key_id.as_deref());
            assert_eq!(header.get("kid").is_some(), rules.key_id.is_some());
        }
    }

    #[test]
    fn external_key_uses_the_algorithm_of_its_certificate() {
        let (key, certificate) = fake(Algorithm::Es384);
        let held = HeldKey::of_certificate(&certificate, key).unwrap();
        let rules = rules();
        let thumbprint = thumbprint_of_der(&certificate);
        let signer = Signer::new(rules.held_key(held).unwrap(), "me", &rules);
        let proof = Proof::Assertion(signer.with_thumbprint(thumbprint.clone()));
        assert!(proof.signs_elsewhere() && !Proof::Assertion(self::signer()).signs_elsewhere());
        let request = crate::oauth::request::Request {
            method: crate::oauth::tools::Method::Post,
            url: url::Url::parse("https://as.example/token").unwrap(),
            authorization: None,
            body: "a=b".into(),
            proof: proof.clone(),
        };
        assert!(request.signs_elsewhere());
        let sent = sent(&proof);
        let assertion = &sent["client_assertion"];
        assert_eq!(
            part(assertion, 0),
            json!({"alg": "ES384", "typ": "JWT", "x5t#S256": thumbprint})
        );
    }

    #[test]
    fn preferred_algorithm_is_used_if_the_key_supports_it() {
        let long = "x".repeat(64);
        for (fixed, listed, expected) in [
            (None, vec![], "HS256"),
            (None, vec![Algorithm::Rs256], "HS256"),
            (None, vec![Algorithm::Hs512, Algorithm::Hs384], "HS384"),
            (Some(Algorithm::Hs512), vec![Algorithm::Hs256], "HS512"),
            (Some(Algorithm::Ps256), vec![], "HS256"),
        ] {
            let rules = Rules {
                algorithm: fixed,
                listed,
                ..rules()
            };
            let key = rules.secret_key(&long.as_str().into()).unwrap();
            assert_eq!(format!("{key:?}"), format!("SigningKey({expected})"));
        }
        let short = rules().secret_key(&"short".into()).unwrap_err();
        assert!(short.to_string().contains("at least 32 bytes"), "{short}");
    }

    #[test]
    fn other_proofs_change_no_body_and_debug_hides_keys() {
        for proof in [Proof::None, Proof::Certificate] {
            assert!(proof.signed(&"a=b".into(), 1).unwrap().is_none());
        }
        let pem = Identity::Pem("pem".into());
        let text = format!("{:?} {:?}", signer(), Credential::Identity(pem.clone()));
        assert!(!text.contains(SECRET) && !text.contains("pem"), "{text}");
        assert!(text.contains("Signer(SigningKey(HS256), "), "{text}");
        let unread = Credential::Files(
            KeyFiles {
                key: "k".into(),
                certificate: None,
            },
            rules(),
        );
        for method in [
            ClientAuthentication::PrivateKeyJwt,
            ClientAuthentication::MutualTls,
            ClientAuthentication::ClientSecretJwt,
        ] {
            assert!(unread.proof(method).is_none());
        }
        assert!(unread.proof(ClientAuthentication::Post).is_some());
        assert_eq!(unread.files().unwrap().key, std::path::PathBuf::from("k"));
        let identity = Credential::Identity(pem);
        assert!(identity.files().is_none());
        let proof = identity.proof(ClientAuthentication::MutualTls);
        assert!(matches!(proof, Some(Proof::Certificate)), "{proof:?}");
    }

    #[cfg(unix)]
    #[test]
    fn private_key_never_uses_an_hmac_algorithm() {
        let openssl = crate::oauth::jose::openssl::Openssl::new();
        let pem = openssl.pem(
            "p256",
            "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256",
        );
        for (algorithm, used) in [
            (None, "ES256"),
            (Some(Algorithm::Es256), "ES256"),
            (Some(Algorithm::Hs256), "ES256"),
        ] {
            let rules = Rules {
                algorithm,
                ..rules()
            };
            let key = rules.private_key(&pem).unwrap();
            assert_eq!(format!("{key:?}"), format!("SigningKey({used})"));
        }
        let rules = Rules {
            algorithm: Some(Algorithm::Rs256),
            ..rules()
        };
        assert!(rules.private_key(&pem).is_err());
    }

    #[test]
    fn unusable_key_file_error_names_its_field() {
        for (part, told) in [
            (
                KeyPart::Key,
                "Client key /k.pem: It is empty. Correct Client key.",
            ),
            (
                KeyPart::Certificate,
                "Client certificate /k.pem: It is empty. Correct Client certificate.",
            ),
        ] {
            let error = KeyFileError {
                part,
                path: "/k.pem".to_owned(),
                reason: "It is empty.".to_owned(),
            };
            assert_eq!(format!("{error} {}", error.hint()), told);
        }
    }
}
