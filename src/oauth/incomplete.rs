//! Claims that a service may omit from its ID tokens, as error texts. The user can only avoid these errors by not
//! requesting an ID token.

pub(super) const NOT_ONE: &str = "it is not a JSON Web Token";
pub(super) const NO_NONCE: &str = "it has no nonce, although one was sent";
pub(super) const NO_ISSUER: &str = "it has no issuer (iss)";
pub(super) const NO_CLIENT: &str = "it has no audience (aud is missing or empty)";
pub(super) const NO_SUBJECT: &str = "it has no subject (sub)";
pub(super) const NO_TIME: &str = "it doesn't say when it was issued (iat)";
pub(super) const NO_EXPIRY: &str = "it has no expiry (exp)";

/// Returns whether the problem with an ID token is that the service omitted something.
pub(super) fn is_incomplete(reason: &str) -> bool {
    [
        NOT_ONE, NO_NONCE, NO_ISSUER, NO_CLIENT, NO_SUBJECT, NO_TIME, NO_EXPIRY,
    ]
    .contains(&reason)
}
