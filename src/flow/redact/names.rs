//! Which parameters and members may be shown, by name: those with secrets, those without, and all others.

/// Parameters and members that contain no secrets. Their values are shown, after redaction.
const HARMLESS: &[&str] = &[
    "access_type",
    "application_type",
    "audience",
    "client_assertion_type",
    "client_id",
    "client_id_issued_at",
    "client_key",
    "client_name",
    "client_secret_expires_at",
    "code_challenge_method",
    "correlationId",
    "correlation_id",
    "description",
    "detail",
    "error",
    "errcode",
    "errmsg",
    "errorCode",
    "errorDescription",
    "errorId",
    "errorMessage",
    "errorSummary",
    "errorType",
    "error_code",
    "error_codes",
    "error_description",
    "error_message",
    "error_reason",
    "error_type",
    "error_subcode",
    "error_uri",
    "expires",
    "expires_in",
    "ext_expires_in",
    "grant_type",
    "grant_types",
    "hint",
    "instance",
    "interval",
    "iss",
    "localizedMessage",
    "login_hint",
    "message",
    "ok",
    "prompt",
    "reason",
    "redirect_uri",
    "redirect_uris",
    "refresh_expires_in",
    "refresh_token_expires_in",
    "requestId",
    "request_id",
    "resource",
    "response_type",
    "response_types",
    "scope",
    "scopes",
    "status",
    "suberror",
    "timestamp",
    "title",
    "token_access_type",
    "token_endpoint_auth_method",
    "token_type",
    "traceId",
    "trace_id",
    "trackingId",
    "type",
    "verification_uri",
    "verification_url",
];

/// Members of metadata (RFC 8414, OpenID Connect Discovery), which contain no secrets either.
const METADATA: &[&str] = &[
    "acr_values_supported",
    "authorization_endpoint",
    "authorization_response_iss_parameter_supported",
    "backchannel_logout_supported",
    "claims_parameter_supported",
    "claims_supported",
    "code_challenge_methods_supported",
    "device_authorization_endpoint",
    "end_session_endpoint",
    "grant_types_supported",
    "id_token_signing_alg_values_supported",
    "introspection_endpoint",
    "issuer",
    "jwks_uri",
    "mtls_endpoint_aliases",
    "op_policy_uri",
    "op_tos_uri",
    "prompt_values_supported",
    "pushed_authorization_request_endpoint",
    "registration_endpoint",
    "request_parameter_supported",
    "request_uri_parameter_supported",
    "require_pushed_authorization_requests",
    "require_request_uri_registration",
    "response_modes_supported",
    "response_types_supported",
    "revocation_endpoint",
    "scopes_supported",
    "service_documentation",
    "subject_types_supported",
    "tls_client_certificate_bound_access_tokens",
    "token_endpoint",
    "token_endpoint_auth_methods_supported",
    "token_endpoint_auth_signing_alg_values_supported",
    "ui_locales_supported",
    "userinfo_endpoint",
];

/// Parameters and members whose values are secrets. Their names may be shown.
pub(super) const SECRET: &[&str] = &[
    "access_token",
    "assertion",
    "client_assertion",
    "client_secret",
    "code_challenge",
    "code_verifier",
    "device_code",
    "id_token",
    "nonce",
    "password",
    "refresh_token",
    "registration_access_token",
    "session_state",
    "state",
    "token",
    "user_code",
    "verification_uri_complete",
    "verification_url_complete",
];

/// Words of error messages, which no service issues as a token or code.
const ERROR_WORDS: &[&str] = &[
    "denied",
    "disabled",
    "error",
    "expired",
    "failed",
    "failure",
    "forbidden",
    "inactive",
    "incorrect",
    "invalid",
    "malformed",
    "missing",
    "rejected",
    "required",
    "revoked",
    "unauthenticated",
    "unauthorized",
    "unknown",
    "unsupported",
];

/// Returns whether the text is a word of error messages.
pub(super) fn is_error_word(text: &str) -> bool {
    ERROR_WORDS
        .iter()
        .any(|word| word.eq_ignore_ascii_case(text))
}

/// Other names that may be shown. Their values may be anything.
const KNOWN_NAMES: &[&str] = &[
    "authed_user",
    "code",
    "data",
    "errors",
    "id",
    "not-before-policy",
    "request_uri",
    "team",
    "user",
];

/// Returns whether the value of this parameter or member may be shown, after redaction.
pub(in crate::flow) fn is_harmless(name: &str) -> bool {
    HARMLESS.contains(&name) || METADATA.contains(&name)
}

/// Returns whether the name of a parameter or member may be shown. Any other name may itself be a secret.
pub(in crate::flow) fn is_known_name(name: &str) -> bool {
    is_harmless(name) || SECRET.contains(&name) || KNOWN_NAMES.contains(&name)
}

/// Returns whether the value of this name is a URL. A URL is shown without the secrets in it.
pub(in crate::flow) fn is_address(name: &str) -> bool {
    matches!(name, "iss" | "issuer" | "service_documentation")
        || ["_uri", "_url", "_endpoint"]
            .iter()
            .any(|end| name.ends_with(end))
}
