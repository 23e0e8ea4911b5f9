//! Detects values of another kind in Client ID and Client secret: a URL, a domain, an email address or a token.

use url::Url;

use crate::clean::trimmed;
use crate::form::field::Key;
use crate::form::problem::{Problem, Severity};
use crate::form::settings::Settings;
use crate::presets::format::mail_domain;
use crate::presets::patterns::Pattern;
use crate::secret::ExposeSecret;

/// Returns the problem with a client ID that is a value of another kind. Only where the preset knows the form of its
/// service's client IDs: others may be URLs or names of any form.
pub(super) fn client_id_problem(settings: &Settings) -> Option<Problem> {
    let typed = settings.value(Key::ClientId);
    let typed = trimmed(&typed);
    if typed.is_empty() {
        return None;
    }
    let kind = kind(typed)?;
    let patterns = settings.preset().all_patterns();
    let mut known = patterns.filter(|pattern| pattern.field == Pattern::CLIENT_ID);
    let example = known.next()?.example.as_str();
    let mut patterns = settings.preset().all_patterns();
    if patterns.any(|pattern| pattern.field == Pattern::CLIENT_ID && pattern.form.fits(typed)) {
        return None;
    }
    let text = format!("This is {kind}. A client ID of this service looks like {example}");
    Some(looks_wrong(Key::ClientId, text))
}

/// Returns the problem with a client secret that is a URL. The secret itself is not shown.
pub(super) fn client_secret_problem(settings: &Settings) -> Option<Problem> {
    let secret = settings.secret().expose_secret();
    let text = "This is a URL. Enter the client secret that the service issued";
    is_url(trimmed(secret)).then(|| looks_wrong(Key::ClientSecret, text.to_owned()))
}

/// Creates a warning: services change the forms of their values.
fn looks_wrong(key: Key, text: String) -> Problem {
    Problem::new(key, Severity::Warning, "looks wrong", text)
}

/// Returns what a value is, if that is certain.
fn kind(value: &str) -> Option<&'static str> {
    if is_url(value) {
        Some("a URL")
    } else if value.contains('@') && mail_domain(value).is_some() {
        Some("an email address")
    } else if value.starts_with("eyJ") && value.matches('.').count() >= 2 {
        Some("a token (JWT)")
    } else if is_domain(value) {
        Some("a domain name")
    } else {
        None
    }
}

fn is_url(value: &str) -> bool {
    let is_web = |url: Url| matches!(url.scheme(), "http" | "https") && url.has_host();
    value.contains("://") && Url::parse(value).is_ok_and(is_web)
}

/// Returns whether the value has labels of letters, digits and hyphens, and a top-level domain of letters.
fn is_domain(value: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|ch| ch.is_ascii_alphanumeric() || ch == b'-')
    };
    let Some((rest, top)) = value.rsplit_once('.') else {
        return false;
    };
    rest.split('.').all(is_label)
        && top.len() >= 2
        && top.bytes().all(|ch| ch.is_ascii_alphabetic())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;
    use crate::presets;

    #[test]
    fn value_of_another_kind_is_reported_for_known_formats() {
        let mut settings = Settings::new(presets::get("microsoft-mail").unwrap());
        let mut told = |typed: &str| {
            settings.set(Key::ClientId, typed.to_owned());
            client_id_problem(&settings).map(|problem| problem.text)
        };
        for (typed, kind) in [
            ("contoso.onmicrosoft.com", "a domain name"),
            ("https://login.microsoftonline.com/common", "a URL"),
            ("alice@contoso.example", "an email address"),
            ("eyJ0eXAi.eyJhdWQi.c2ln", "a token (JWT)"),
        ] {
            let text = told(typed).unwrap();
            assert!(text.starts_with(&format!("This is {kind}. ")), "{text}");
        }
        for right in ["11111111-2222-3333-4444-555555555555", "my-app", "v1.2", ""] {
            assert_eq!(told(right), None, "{right}");
        }
        let mut custom = Settings::new(presets::get("custom").unwrap());
        custom.set(Key::ClientId, "https://app.example/id".to_owned());
        assert_eq!(client_id_problem(&custom), None);
    }

    #[test]
    fn url_as_client_secret_is_reported_without_showing_it() {
        let mut settings = Settings::new(presets::get("custom").unwrap());
        settings.set(Key::ClientSecret, "https://app.example/s3cret".to_owned());
        let problem = client_secret_problem(&settings).unwrap();
        assert_eq!(problem.severity, Severity::Warning);
        assert!(!problem.text.contains("s3cret"), "{problem:?}");
        settings.set(Key::ClientSecret, "a://b~s3cret".to_owned());
        assert_eq!(client_secret_problem(&settings), None);
    }
}
