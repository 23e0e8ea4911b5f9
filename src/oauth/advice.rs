//! What to do about errors that a service names.

/// What to do after a registration was rejected (RFC 7591, section 3.2.2).
pub(super) fn registration_hint(code: &str, status: u16) -> String {
    match (code, status) {
        ("invalid_redirect_uri", _) => {
            "Change Redirect URL to one that the service accepts, such as http://127.0.0.1:8400/callback, then register again."
        }
        (_, 401 | 403) | ("invalid_token" | "access_denied" | "insufficient_scope", _) => {
            "The service requires a valid initial access token. Get one from the service's administrator, then register again."
        }
        ("invalid_software_statement" | "unapproved_software_statement", _) => {
            "The service registers only clients with an approved software statement. Register a client in the service's \
             console, and enter its Client ID."
        }
        (_, 404 | 405 | 410 | 501) => {
            "The service doesn't register clients here. Register a client in the service's console, and enter its Client ID."
        }
        ("", _) => "Check Issuer, or register a client in the service's console, and enter its Client ID.",
        _ => {
            "See the service's message for the cause. Change Redirect URL, Scope, Flow or Client auth., then register again."
        }
    }
    .to_owned()
}
