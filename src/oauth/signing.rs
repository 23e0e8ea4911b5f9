//! What is known about the signatures of ID tokens before one arrives.

use url::Url;

/// How a service signs ID tokens, as far as this is known.
#[derive(Debug, Clone, Default)]
pub struct Signing {
    /// The algorithm registered for the client (`id_token_signed_response_alg`).
    pub registered: Option<String>,
    /// The relevant part of the issuer's metadata; `None` without metadata.
    pub published: Option<Published>,
}

/// The part of an issuer's metadata that is about its signatures.
#[derive(Debug, Clone, Default)]
pub struct Published {
    /// The URL of the issuer's keys (`jwks_uri`).
    pub keys_url: Option<Url>,
    /// The algorithms that the issuer signs with; `None` if the metadata omits them.
    pub algorithms: Option<Vec<String>>,
}
