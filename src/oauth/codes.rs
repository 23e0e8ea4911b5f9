//! The error codes that the protocol defines.

/// Error codes of the protocol. They are never redacted, even if a secret contains the same word: explanations depend
/// on them.
const PROTOCOL_CODES: &[&str] = &[
    "access_denied",
    "authorization_declined",
    "authorization_pending",
    "code_expired",
    "expired_token",
    "interaction_required",
    "invalid_client",
    "invalid_grant",
    "invalid_request",
    "invalid_scope",
    "invalid_target",
    "invalid_token",
    "login_required",
    "server_error",
    "slow_down",
    "temporarily_unavailable",
    "token_expired",
    "unauthorized_client",
    "unsupported_grant_type",
    "unsupported_response_type",
];

/// Returns whether `code` is an error code of the protocol.
pub(super) fn is_protocol_code(code: &str) -> bool {
    PROTOCOL_CODES.contains(&code)
}

/// Returns the code as the protocol spells it. Some services send its codes in capital letters.
pub(super) fn as_in_protocol(code: &str) -> &str {
    let mut codes = PROTOCOL_CODES.iter();
    codes
        .find(|known| known.eq_ignore_ascii_case(code))
        .unwrap_or(&code)
}
