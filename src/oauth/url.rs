//! Which URLs may be asked, listened on and shown.

use url::{Host, Url};

use crate::secret::{clean, is_clean};

/// Why a text is not a URL that may be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlProblem {
    /// Not a URL at all.
    #[error("This is not a complete URL: {0}. It begins with https:// and has no spaces")]
    Malformed(String),
    /// A scheme other than http and https.
    #[error("A URL here begins with https://, not with {0}:")]
    Scheme(String),
    /// http to another machine.
    #[error("http is only for this machine (localhost, 127.0.0.1); use https for {0}")]
    Insecure(String),
    /// `user:password@` in the URL.
    #[error("A URL here holds no user name or password")]
    UserInfo,
    /// A fragment, which is never sent (RFC 6749, section 3.1).
    #[error("A URL here has no part behind a #")]
    Fragment,
}

/// True for the addresses of this machine: 127.0.0.0/8, `::1` and `localhost`.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Reads a URL that requests may be sent to: https, or http on loopback.
///
/// # Errors
/// Says what is wrong with the text.
pub fn endpoint(text: &str) -> Result<Url, UrlProblem> {
    let text = text.trim();
    if !is_clean(text) || text.contains(char::is_whitespace) {
        return Err(UrlProblem::Malformed(
            "it holds a space or an invisible character".to_owned(),
        ));
    }
    let url = Url::parse(text).map_err(|error| UrlProblem::Malformed(error.to_string()))?;
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        "http" => {
            return Err(UrlProblem::Insecure(clean(
                url.host_str().unwrap_or_default(),
                60,
            )));
        }
        other => return Err(UrlProblem::Scheme(clean(other, 20))),
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(UrlProblem::Malformed("it has no host".to_owned()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlProblem::UserInfo);
    }
    if url.fragment().is_some() {
        return Err(UrlProblem::Fragment);
    }
    Ok(url)
}

/// A URL that a server gave, fit to be shown, opened, linked and encoded: the rules of [`endpoint`].
/// A fragment is allowed, as a page may need it.
///
/// # Errors
/// Says what is wrong with it.
pub fn from_server(text: &str) -> Result<Url, UrlProblem> {
    let (base, fragment) = match text.trim().split_once('#') {
        Some((base, fragment)) => (base, Some(fragment)),
        None => (text.trim(), None),
    };
    let mut url = endpoint(base)?;
    if let Some(fragment) = fragment {
        if !is_clean(fragment) {
            return Err(UrlProblem::Malformed(
                "it holds an invisible character".to_owned(),
            ));
        }
        url.set_fragment(Some(fragment));
    }
    Ok(url)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends on what it did not expect")]
mod tests {
    use super::*;

    #[test]
    fn http_is_for_loopback_only() {
        for good in [
            "https://example.org/x?y=1",
            "http://localhost:8400/",
            "http://127.1.2.3/",
            "http://[::1]:5/a",
        ] {
            assert!(endpoint(good).is_ok(), "{good}");
        }
        for bad in [
            "http://example.org/",
            "http://localhost.example.org/",
            "http://10.0.0.1/",
            "ftp://localhost/",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "example.org/token",
            "https://",
            "https://user:pw@example.org/",
            "https://user@example.org/",
            "https://example.org/#x",
            "https://exam ple.org/",
            "https://example.org/\u{202e}x",
            "",
        ] {
            assert!(endpoint(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_url_from_a_server_may_have_a_fragment_and_no_user() {
        assert_eq!(
            from_server("https://e.org/a#b").unwrap().as_str(),
            "https://e.org/a#b"
        );
        assert!(from_server("https://u@e.org/").is_err());
        assert!(from_server("http://e.org/").is_err());
    }
}
