//! JSON Web Signatures (RFC 7515) on ring: verified with the keys of a service, and made with the user's key.
//!
//! ring supports neither P-521 nor Ed448, so ES512 and Ed448 are missing.

mod algorithm;
mod held;
mod jwk;
mod key_file;
pub mod pem;
mod sign;
mod verify;

#[cfg(all(test, unix))]
pub(crate) mod openssl;
#[cfg(test)]
mod vectors;

pub use algorithm::Algorithm;
#[cfg(test)]
pub(crate) use held::tests::{device, fake};
pub use held::{HeldElsewhere, HeldKey, TriedKey};
pub use jwk::KeySet;
pub use key_file::{KeyError, certificate_thumbprint, thumbprint_of_der};
pub use sign::{SigningKey, sign};
pub use verify::{Jws, Refusal};
