//! Corrects URLs.

use url::Url;

use crate::clean::{clean, is_visible, trimmed};
use crate::form::meant::unfilled::in_url;
use crate::form::wrapping::{only_names_a_value, unwrapped};
use crate::oauth::url::is_loopback;

/// Maximum length of a misspelled scheme, such as `htttps`.
const SCHEME_LIMIT: usize = 7;

/// Returns the URL that the text probably means. The result may still be invalid.
pub(super) fn repaired(text: &str) -> String {
    let mut url = unwrapped(text).map_or_else(|| trimmed(text).to_owned(), |value| value.text);
    if url.contains(char::is_whitespace) {
        match of_words(&url) {
            Some(found) => url = found,
            None => return url,
        }
    }
    url.retain(is_visible);
    let url = url.replace('\\', "/");
    let whole = url.trim_end_matches(['.', '…', ',', ';']);
    let (_, rest) = whole.split_once("://").unwrap_or(("", whole));
    let is_cut = url.ends_with('…') || url.ends_with("...");
    if is_cut && !rest.contains(['/', '?', '#']) {
        // The rest of the host is missing.
        return url;
    }
    without_user_info(&with_scheme(whole))
}

/// Returns the URL in a text with words around it, or with a break within it. `None` if the break is in the host: joined,
/// its parts would be another host.
fn of_words(text: &str) -> Option<String> {
    let first = text.split_whitespace().next()?;
    let mut urls = text.split_whitespace().filter(|word| word.contains("://"));
    match (urls.next(), urls.next()) {
        (Some(url), None) if !first.contains("://") => Some(url.to_owned()),
        (Some(_), Some(_)) => None,
        _ => {
            let host = first.split_once("://").map_or(first, |(_, host)| host);
            let is_whole = host.contains(['/', '\\', '?', '#']);
            is_whole.then(|| text.split_whitespace().collect())
        }
    }
}

/// Returns the URL with the scheme that was meant.
fn with_scheme(text: &str) -> String {
    let name_ends = text
        .find(|ch: char| !ch.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let (name, rest) = text.split_at(name_ends);
    let after = rest.trim_start_matches([':', ';', '/']);
    let separator = &rest[..rest.len() - after.len()];
    let name = name.to_ascii_lowercase();
    if let Some(scheme) = scheme_like(&name).filter(|_| separator.contains('/') || separator == ":")
    {
        // A second scheme is in the place of the host.
        let inner = after.to_ascii_lowercase();
        if inner.starts_with("https:/") || inner.starts_with("http:/") {
            return with_scheme(after);
        }
        // After other separators, the first name may be a path: in `https:///token`, the host is missing.
        let is_after_two = separator
            .strip_suffix("//")
            .is_some_and(|it| !it.contains('/'));
        let is_port = separator == ":" && after.starts_with(|ch: char| ch.is_ascii_digit());
        if is_after_two
            || (separator.matches('/').count() < 2 && !is_port && host_of(after).is_some())
        {
            return format!("{scheme}://{after}");
        }
    }
    let host = text.strip_prefix("//").unwrap_or(text);
    match host_of(host) {
        Some(name) => {
            let url = format!("http://{host}");
            let here = Url::parse(&url).is_ok_and(|url| is_loopback(&url));
            if here || name == "localhost" {
                url
            } else {
                format!("https://{host}")
            }
        }
        None => text.to_owned(),
    }
}

/// Returns the scheme that a word probably means.
fn scheme_like(name: &str) -> Option<&'static str> {
    if name.is_empty() || name.len() > SCHEME_LIMIT {
        return None;
    }
    let distance = |scheme: &str| strsim::damerau_levenshtein(name, scheme);
    match (distance("http"), distance("https")) {
        (0, _) => Some("http"),
        (_, 0) => Some("https"),
        (a, b) if a.min(b) > 2 || (name.len() < 4 && a.min(b) > 1) => None,
        _ if !name.starts_with(['h', 't']) => None,
        _ if name.contains('s') || name.len() > 4 => Some("https"),
        _ => Some("http"),
    }
}

/// Returns the host at the start of a text without a scheme.
fn host_of(text: &str) -> Option<&str> {
    let authority = text.split(['/', '?', '#']).next().unwrap_or_default();
    let authority = authority.rsplit('@').next().unwrap_or_default();
    // The custom scheme of an app looks like a host.
    if authority.ends_with(':') {
        return None;
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !authority.ends_with(']') => (host, port),
        _ => (authority, ""),
    };
    let is_host = |host: &str| {
        let label = |label: &str| {
            let fits = |ch: char| ch.is_alphanumeric() || ch == '-' || ch == '_';
            !label.is_empty() && label.chars().all(fits)
        };
        host == "localhost"
            || (host.starts_with('[') && host.ends_with(']'))
            || (host.contains('.') && host.split('.').all(label))
    };
    (is_host(host) && port.bytes().all(|byte| byte.is_ascii_digit())).then_some(host)
}

/// Returns the URL without user name and password.
fn without_user_info(text: &str) -> String {
    match Url::parse(text) {
        Ok(mut url) if !url.username().is_empty() || url.password().is_some() => {
            let _ = url.set_username("");
            let _ = url.set_password(None);
            url.to_string()
        }
        Ok(_) | Err(_) => text.to_owned(),
    }
}

/// Returns the URL with its scheme in lowercase, as parsers write it. The rest stays the same.
pub(super) fn with_small_scheme(text: &str) -> String {
    match text.split_once("://") {
        Some((scheme, rest)) => format!("{}://{rest}", scheme.to_ascii_lowercase()),
        None => text.to_owned(),
    }
}

/// Returns a placeholder for the user's own value in a URL, such as `{tenant}`, `<host>`, `$TENANT`,
/// `your-domain`.
pub(super) fn placeholder(text: &str) -> Option<String> {
    for (opening, closing) in [('{', '}'), ('<', '>')] {
        if let Some(at) = text.find(opening) {
            let rest = &text[at..];
            let end = rest.find(closing).map_or(rest.len(), |end| end + 1);
            return Some(clean(&rest[..end], 60));
        }
    }
    if let Some(name) = in_url(text) {
        return Some(clean(&name, 60));
    }
    let part = text
        .split(['/', '.', ':', '?', '&', '='])
        .find(|part| part.to_ascii_lowercase().starts_with("your") && only_names_a_value(part))?;
    Some(clean(part, 60))
}
