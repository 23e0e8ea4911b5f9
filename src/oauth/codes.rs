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

/// Codes that say no more than a status of 401 or 403.
const STATUS_CODES: &[&str] = &[
    "server_error",
    "unauthorized",
    "unauthorised",
    "unauthenticated",
    "not_authorized",
    "not_authenticated",
    "authentication_failed",
    "authentication_required",
    "forbidden",
    "permission_denied",
    "not_allowed",
];

/// Returns whether the code of an error says no more than its HTTP status.
pub(super) fn repeats_status(code: &str, status: u16) -> bool {
    let word = code.trim_end_matches(['.', '!']).to_ascii_lowercase();
    match status {
        401 | 403 => STATUS_CODES.contains(&word.as_str()) || word == status.to_string(),
        404 | 405 | 406 | 410 | 415 | 421 => !is_protocol_code(code),
        _ => false,
    }
}
