//! Fixes for errors that a service reports.

use super::asked::Asked;
use super::body_kind::BodyKind;

/// Returns whether a registration was rejected for its initial access token, or for the lack of one (RFC 6750, section
/// 3.1).
pub(super) fn rejects_initial_token(code: &str, status: u16) -> bool {
    match code {
        "invalid_redirect_uri" => false,
        "invalid_token" | "access_denied" | "insufficient_scope" => true,
        _ => matches!(status, 401 | 403),
    }
}

/// Returns what to do after the service rejected a registration (RFC 7591, section 3.2.2).
pub(super) fn registration_hint(code: &str, status: u16) -> String {
    match (code, status) {
        ("invalid_redirect_uri", _) => {
            "Change Redirect URL to one that the service accepts, such as http://127.0.0.1:8400/callback, then register again."
        }
        (code, status) if rejects_initial_token(code, status) => {
            "The service requires a valid initial access token. Get one from the service's administrator, then register again."
        }
        ("invalid_software_statement" | "unapproved_software_statement", _) => {
            "The service registers only clients with an approved software statement. Register a client in the service's \
             console, and enter its Client ID."
        }
        (_, 404 | 405 | 410 | 501) => {
            "The service doesn't register clients here. Register a client in the service's console, and enter its Client ID."
        }
        ("", 201 | 202) => {
            "The service may have registered a client: look for it in the service's console. Check Issuer, or register a \
             client in the service's console, and enter its Client ID."
        }
        ("", _) => "Check Issuer, or register a client in the service's console, and enter its Client ID.",
        _ => {
            "See the service's message for the cause. Change Redirect URL, Scope, Flow or Client auth., then register again."
        }
    }
    .to_owned()
}

/// The fix if a service doesn't register clients without a redirect URL.
pub(super) const NEEDS_REDIRECT: &str = "The service registers only clients with a redirect URL, which this flow doesn't use. \
    Register a client in the service's console, and enter its Client ID. If you can use the Auth. code flow instead, select \
    it, then register again.";

/// Returns the fix for a response that is not part of the protocol. A page with the status of a success often comes from
/// something between this machine and the service.
pub(super) fn response_hint(asked: Asked, status: u16, body: BodyKind) -> String {
    let hint = unusable_hint(asked, status);
    if body == BodyKind::Page && (200..300).contains(&status) {
        format!(
            "{hint} If the URL is correct, a firewall or this network's sign-in page probably responded instead."
        )
    } else {
        hint
    }
}

/// Returns the fix for a response that is not part of the protocol: its status says the most.
pub(super) fn unusable_hint(asked: Asked, status: u16) -> String {
    let url = asked.field();
    match (asked, status) {
        (Asked::JwtBearer, 401) => {
            "The service rejected the assertion: check the Key file, Subject and Scope.".to_owned()
        }
        (_, 401) => {
            "The service rejected the client: check Client secret, Client ID, and Client auth. (--client-authentication)."
                .to_owned()
        }
        (Asked::Refresh, 400 | 422) => {
            "The refresh token has probably expired: sign in again.".to_owned()
        }
        (Asked::Pushed, 404 | 405 | 410) => {
            "The endpoint in the issuer's metadata doesn't exist: check Issuer, or ask the service's administrator."
                .to_owned()
        }
        (Asked::Pushed, 400 | 403 | 422) => {
            "The service rejected the request: check Client ID, Client secret, Redirect URL and Scope.".to_owned()
        }
        (Asked::Pushed, _) => {
            "The endpoint is in the issuer's metadata: check Issuer, or ask the service's administrator.".to_owned()
        }
        (_, 403 | 423 | 451) => format!(
            "The service or a firewall doesn't allow the request: check the app's registration and the {url}."
        ),
        (_, 404 | 405 | 410) => format!(
            "Check the {url}: there is no such endpoint."
        ),
        (_, 406 | 411 | 415 | 417 | 421 | 426 | 428) => format!(
            "Check the {url}: this endpoint doesn't accept such requests."
        ),
        (_, 413 | 414 | 431) => {
            "The request is too large for the service: shorten Scope and Extra parameters.".to_owned()
        }
        (_, 400 | 422) => format!(
            "The service rejected the request: check the {url}, Client ID and Client secret."
        ),
        _ => format!("Check that the {url} is this service's endpoint."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registration_hint_depends_on_error_then_on_status() {
        for (code, status, words) in [
            ("invalid_redirect_uri", 400, "Change Redirect URL to one"),
            ("invalid_redirect_uri", 401, "Change Redirect URL to one"),
            ("invalid_token", 400, "valid initial access token"),
            ("insufficient_scope", 400, "valid initial access token"),
            ("", 401, "valid initial access token"),
            ("", 403, "valid initial access token"),
            ("unapproved_software_statement", 400, "software statement"),
            ("", 404, "doesn't register clients here"),
            ("", 405, "doesn't register clients here"),
            ("", 501, "doesn't register clients here"),
            ("", 400, "Check Issuer"),
            ("", 201, "may have registered a client"),
            ("", 202, "may have registered a client"),
            ("invalid_client_metadata", 400, "See the service's message"),
        ] {
            let hint = registration_hint(code, status);
            assert!(hint.contains(words), "{code} {status}: {hint}");
        }
    }

    #[test]
    fn hint_depends_on_the_status_of_an_unusable_response() {
        for (asked, status, words) in [
            (Asked::Exchange, 400, "The service rejected the request"),
            (Asked::Exchange, 422, "The service rejected the request"),
            (Asked::Refresh, 422, "sign in again"),
            (Asked::Pushed, 422, "Redirect URL and Scope"),
            (Asked::Exchange, 413, "too large"),
            (Asked::Exchange, 451, "a firewall"),
            (Asked::Exchange, 426, "doesn't accept such requests"),
            (Asked::Exchange, 418, "Check that the Token ex. URL"),
        ] {
            let hint = unusable_hint(asked, status);
            assert!(hint.contains(words), "{asked:?} {status}: {hint}");
        }
    }

    #[test]
    fn page_of_a_firewall_is_mentioned_only_with_the_status_of_a_success() {
        let hint = |status, body| response_hint(Asked::Exchange, status, body);
        for asked in [Asked::Exchange, Asked::Pushed] {
            let hint = response_hint(asked, 200, BodyKind::Page);
            assert!(
                hint.contains(". If the URL is correct, a firewall or this network's sign-in page"),
                "{hint}"
            );
        }
        assert!(!hint(404, BodyKind::Page).contains("sign-in page"));
        assert!(!hint(200, BodyKind::Other).contains("sign-in page"));
    }
}
