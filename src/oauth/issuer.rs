//! Compares issuers: how the one that a response names differs from the expected one, also where both look the same, and
//! which one was probably meant.

use url::Url;

use super::answer::Answer;
use super::members::text;
use super::url::{endpoint, same_operator};
use crate::clean::{clean, is_visible};

/// Maximum length of an issuer in a message, in characters.
const LIMIT: usize = 120;

/// Maximum length of an issuer that is suggested, in bytes.
const ISSUER_LIMIT: usize = 200;

/// Returns how the two differ, as part of a sentence.
pub(super) fn difference(named: &str, expected: &str) -> String {
    let (shown, other) = (clean(named, LIMIT), clean(expected, LIMIT));
    if shown.is_empty() {
        return "its issuer is empty".to_owned();
    }
    if shown != other {
        return format!("its issuer is {shown}, not {other}");
    }
    let same = named.chars().zip(expected.chars());
    let same = same.take_while(|(one, other)| one == other).count();
    match named.chars().nth(same) {
        Some(ch) if ch == ' ' || !is_visible(ch) => format!(
            "its issuer is {shown}, but contains an invisible character (U+{:04X})",
            u32::from(ch)
        ),
        _ => format!(
            "its issuer differs from {other} from character {} on",
            same + 1
        ),
    }
}

/// Returns the issuer whose metadata is at this URL; `None` if this is not the URL of a metadata document.
#[must_use]
pub fn issuer_of_address(text: &str) -> Option<String> {
    let (base, rest) = text.split_once("/.well-known/")?;
    let (document, path) = rest.split_once('/').unwrap_or((rest, ""));
    let document = document.split(['?', '#']).next().unwrap_or_default();
    let known = ["openid-configuration", "oauth-authorization-server"].contains(&document);
    let path = path.split(['?', '#']).next().unwrap_or_default();
    (known && base.contains("://")).then(|| {
        let path = path.trim_end_matches('/');
        if path.is_empty() {
            base.to_owned()
        } else {
            format!("{base}/{path}")
        }
    })
}

/// Returns the issuer that the metadata at `source` names instead of the requested one, if it can be used instead.
#[must_use]
pub fn other_issuer(answer: &Answer, asked: &str, source: &Url) -> Option<String> {
    let named = text(answer.members().ok()?, "issuer").filter(|_| answer.status == 200)?;
    let url = endpoint(&named).ok()?;
    same_operator(&url, source).then_some(())?;
    let whole = named.len() <= ISSUER_LIMIT && !named.contains(['{', '<']);
    (whole && url.query().is_none() && named != asked).then_some(named)
}

/// Returns the issuer of the metadata to which the request for the metadata of `asked` was redirected.
#[must_use]
pub fn issuer_behind(target: &str, asked: &Url) -> Option<String> {
    let issuer = issuer_of_address(target).filter(|issuer| issuer.len() <= ISSUER_LIMIT)?;
    let url = endpoint(&issuer).ok()?;
    same_operator(&url, asked).then_some(())?;
    (url != *asked).then_some(issuer)
}

/// Returns the issuer to which the URL of an endpoint or page probably belongs; `None` if the URL may be an issuer
/// itself.
#[must_use]
pub fn without_endpoint(issuer: &str) -> Option<String> {
    let url = endpoint(issuer).ok()?;
    let parts: Vec<&str> = url
        .path_segments()?
        .filter(|part| !part.is_empty())
        .collect();
    let is_endpoint = |part: &&str| {
        let part = part.to_ascii_lowercase();
        ENDPOINT_WORDS.contains(&part.as_str())
    };
    // A version may be part of an issuer, unless it is followed by an endpoint word.
    let is_version = |part: &&str| {
        part.starts_with('v') && part[1..].starts_with(|ch: char| ch.is_ascii_digit())
    };
    let kept = match parts
        .iter()
        .rposition(|part| !is_endpoint(part) && !is_version(part))
    {
        Some(last) => last + 1,
        None => 0,
    };
    let ends_in_endpoint = parts.last().is_some_and(is_endpoint);
    let kept = match (ends_in_endpoint, parts.len()) {
        (true, _) => kept,
        // The URL of a page on the service's website.
        (false, 1) => 0,
        (false, _) => return None,
    };
    let mut root = url.clone();
    root.set_path(&parts[..kept].join("/"));
    root.set_query(None);
    Some(root.as_str().trim_end_matches('/').to_owned())
}

/// The last words of URLs of endpoints and pages; issuers hardly ever end in one.
const ENDPOINT_WORDS: [&str; 18] = [
    "auth",
    "authorization",
    "authorize",
    "connect",
    "device",
    "device_authorization",
    "devicecode",
    "index.html",
    "login",
    "oauth",
    "oauth2",
    "openid-connect",
    "protocol",
    "signin",
    "sign-in",
    "token",
    "tokens",
    "userinfo",
];

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    #[test]
    fn lookalike_issuers_are_explained_by_their_difference() {
        let expected = "https://as.example";
        let long = format!("{expected}/{}", "x".repeat(200));
        let hidden = "its issuer is https://as.example, but contains an invisible character";
        for (named, expected, told) in [
            (
                "https://other.example",
                expected,
                "its issuer is https://other.example, not https://as.example",
            ),
            (
                "https://as.example ",
                expected,
                &format!("{hidden} (U+0020)"),
            ),
            (
                "https://as.example\0",
                expected,
                &format!("{hidden} (U+0000)"),
            ),
            (
                "https://as\u{200b}.example",
                expected,
                &format!("{hidden} (U+200B)"),
            ),
            ("", expected, "its issuer is empty"),
            (" ", expected, "its issuer is empty"),
            (
                &format!("{long}y"),
                &long,
                &format!(
                    "its issuer differs from {} from character 220 on",
                    clean(&long, LIMIT)
                ),
            ),
            (
                &long,
                &format!("{long}y"),
                &format!(
                    "its issuer differs from {} from character 220 on",
                    clean(&long, LIMIT)
                ),
            ),
        ] {
            assert_eq!(difference(named, expected), told);
        }
    }

    #[test]
    fn endpoint_or_page_url_leads_to_its_issuer() {
        for (typed, issuer) in [
            (
                "https://as.example/oauth2/v1/token",
                Some("https://as.example"),
            ),
            ("https://as.example/TOKEN", Some("https://as.example")),
            (
                "https://as.example/realms/staff/protocol/openid-connect/auth",
                Some("https://as.example/realms/staff"),
            ),
            (
                "https://as.example/t1/oauth2/v2.0/authorize",
                Some("https://as.example/t1"),
            ),
            (
                "https://as.example:8443/home",
                Some("https://as.example:8443"),
            ),
            (
                "https://as.example/login?next=1",
                Some("https://as.example"),
            ),
            ("https://as.example", None),
            ("https://as.example/", None),
            ("https://as.example/realms/staff", None),
            ("https://as.example/t1/v2.0", None),
            ("as.example/token", None),
        ] {
            assert_eq!(without_endpoint(typed).as_deref(), issuer, "{typed}");
        }
    }

    #[test]
    fn another_issuer_is_suggested_only_if_it_is_usable() {
        let source = Url::parse("https://as.example/.well-known/openid-configuration").unwrap();
        let asked = Url::parse("https://as.example").unwrap();
        let behind = |issuer: &str| {
            issuer_behind(
                &format!("{issuer}/.well-known/openid-configuration"),
                &asked,
            )
        };
        let moved = "https://login.as.example";
        assert_eq!(behind(moved).as_deref(), Some(moved));
        assert_eq!(issuer_behind(moved, &asked), None);
        for issuer in [
            "https://as.example",
            "https://other.example",
            "https://evil-as.example",
            "https://example",
            "http://127.0.0.1:1",
            "http://as.example",
        ] {
            assert_eq!(behind(issuer), None, "{issuer}");
        }
        let named = |status, issuer: &str| {
            let answer = Answer {
                status,
                retry_after: None,
                headers: Vec::new(),
                body: format!("{{\"issuer\":\"{issuer}\"}}").as_str().into(),
            };
            other_issuer(&answer, "https://as.example", &source)
        };
        let other = "https://login.as.example/t";
        assert_eq!(named(200, other).as_deref(), Some(other));
        for (status, issuer) in [
            (404, other),
            (200, "https://as.example"),
            (200, "https://as.example/{tenant}"),
            (200, "https://as.example/?p=x"),
            (200, "http://127.0.0.1:1/"),
            (200, "https://evil.example"),
            (200, "http://as.example"),
            (200, "someone"),
        ] {
            assert_eq!(named(status, issuer), None, "{issuer}");
        }
    }

    #[test]
    fn issuer_is_derived_only_from_a_metadata_url() {
        for (text, issuer) in [
            (
                "https://as.example/.well-known/openid-configuration",
                Some("https://as.example"),
            ),
            (
                "https://as.example/.well-known/oauth-authorization-server/t1?x=1",
                Some("https://as.example/t1"),
            ),
            ("as.example/.well-known/openid-configuration", None),
            ("https://as.example/.well-known/security.txt", None),
            ("https://as.example/openid-configuration", None),
        ] {
            assert_eq!(issuer_of_address(text).as_deref(), issuer, "{text}");
        }
    }
}
