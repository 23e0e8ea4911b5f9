//! JSON Web Signatures (RFC 7515) on ring: verified with the keys of a service, and made with a key of the user.
//!
//! ring has no P-521, so there is no ES512; Ed448 is missing for the same reason.

mod algorithm;
mod held;
mod jwk;
mod key_file;
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
