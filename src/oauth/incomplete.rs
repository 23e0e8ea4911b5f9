//! What a service may leave out of its ID tokens, in words. The user can't change that, except by asking for none.

pub(super) const NOT_ONE: &str = "it is not a JSON Web Token";
pub(super) const NO_NONCE: &str = "it carries no nonce, though one was sent";
pub(super) const NO_ISSUER: &str = "it names no issuer";
pub(super) const NO_CLIENT: &str = "it names no client (aud is missing or empty)";
pub(super) const NO_EXPIRY: &str = "it does not say when it expires";

/// True where this is wrong with an ID token because its service leaves something out.
pub(super) fn is_incomplete(reason: &str) -> bool {
    [NOT_ONE, NO_NONCE, NO_ISSUER, NO_CLIENT, NO_EXPIRY].contains(&reason)
}
