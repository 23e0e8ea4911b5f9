//! Which URLs may be requested, listened on and shown.

use url::{Host, ParseError, Url};

use crate::clean::{clean, is_clean};

/// Why a text is not a usable URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlProblem {
    /// It is not a URL.
    #[error("Not a valid URL: {0}. Enter the full URL, starting with https:// and without spaces")]
    Malformed(String),
    /// It has no scheme.
    #[error("Not a valid URL. Enter the full URL, starting with https:// and without spaces")]
    Partial,
    /// It has a scheme other than http and https.
    #[error("The URL must start with https://, not with {0}:")]
    Scheme(String),
    /// It uses http to another machine.
    #[error(
        "Plain http is allowed only for this machine (localhost, 127.0.0.1). Use https for {host}", host = .0.trim_end_matches('.')
    )]
    Insecure(String),
    /// It contains `user:password@`.
    #[error("Remove the user name and password from the URL")]
    UserInfo,
    /// It contains a fragment, which is never sent (RFC 6749, section 3.1).
    #[error("Remove the fragment (# and everything after it) from the URL")]
    Fragment,
    /// A response from another machine contained a URL of this machine.
    #[error("{0} points to this machine, but the response came from another one")]
    Here(String),
    /// Its query contains a parameter that would be sent twice (RFC 6749, section 3.1).
    #[error("The URL's query contains {0}, which the program sets")]
    Parameter(String),
}

impl UrlProblem {
    /// Returns what is wrong with a URL that the user can't change, as part of a sentence.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Malformed(reason) => format!("it is not a valid URL: {reason}"),
            Self::Partial => "it is not a full URL".to_owned(),
            Self::Scheme(_) | Self::Insecure(_) => "it is not an https URL".to_owned(),
            Self::UserInfo => "it contains a user name".to_owned(),
            Self::Fragment => "it contains a fragment (#)".to_owned(),
            Self::Here(_) | Self::Parameter(_) => self.to_string(),
        }
    }
}

/// A redirect URL, parsed and as entered. Services compare it as text (RFC 9700, section 2.1), so the text is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedirectUrl {
    url: Url,
    text: String,
}

impl RedirectUrl {
    /// Creates a redirect URL from `url` and the `text` that it was parsed from.
    #[must_use]
    pub fn new(url: Url, text: &str) -> Self {
        Self {
            url,
            text: text.trim().to_owned(),
        }
    }

    /// Returns the text to send.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Replaces port 0 by the port of `listening`, which was chosen by the system. Nothing else in the text changes.
    #[must_use]
    pub fn with_port_of(&self, listening: &Url) -> Self {
        let Some(port) = listening.port().filter(|_| self.url.port() == Some(0)) else {
            return self.clone();
        };
        let mut url = self.url.clone();
        // This can't fail, because the URL had a port.
        let _ = url.set_port(Some(port));
        let start = self.text.find("://").map_or(0, |at| at + 3);
        let end = self.text[start..]
            .find(['/', '?', '#', '\\'])
            .map_or(self.text.len(), |at| start + at);
        let text = match self.text[start..end].rsplit_once(':') {
            Some((host, _)) => format!("{}{host}:{port}{}", &self.text[..start], &self.text[end..]),
            None => url.to_string(),
        };
        Self { url, text }
    }
}

impl From<Url> for RedirectUrl {
    fn from(url: Url) -> Self {
        let text = url.to_string();
        Self { url, text }
    }
}

impl std::str::FromStr for RedirectUrl {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self::new(Url::parse(text.trim())?, text))
    }
}

impl std::ops::Deref for RedirectUrl {
    type Target = Url;

    fn deref(&self) -> &Url {
        &self.url
    }
}

impl std::fmt::Display for RedirectUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// Returns whether the URL points to this machine: 127.0.0.0/8, `::1` or `localhost`.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Returns whether a connection to this host may end at this machine, however the host is written. Includes more hosts
/// than [`is_loopback`], because it decides what is rejected, not what may be sent without TLS.
#[must_use]
pub fn leads_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            // RFC 6761, section 6.3. The other names are in the hosts file of many systems.
            [
                "localhost",
                "localhost.localdomain",
                "ip6-localhost",
                "ip6-loopback",
            ]
            .contains(&name.as_str())
                || name.ends_with(".localhost")
        }
        Some(Host::Ipv4(address)) => address.is_loopback() || address.is_unspecified(),
        Some(Host::Ipv6(address)) => {
            let within = address.to_ipv4_mapped();
            address.is_loopback()
                || address.is_unspecified()
                || within.is_some_and(|address| address.is_loopback() || address.is_unspecified())
        }
        None => false,
    }
}

/// Returns whether both URLs belong to the same operator, as far as their hosts tell: the hosts are the same, one is a
/// subdomain of the other, or both are this machine.
///
/// Two hosts below a common parent don't count as the same: without the public suffix list, the tenants of a hosting
/// domain would.
#[must_use]
pub fn same_operator(one: &Url, other: &Url) -> bool {
    let name = |url: &Url| match url.host()? {
        Host::Domain(name) => Some(name.trim_end_matches('.').to_ascii_lowercase()),
        // An IP address has no subdomains.
        Host::Ipv4(_) | Host::Ipv6(_) => None,
    };
    let below = |name: &str, parent: &str| {
        parent.contains('.')
            && name
                .strip_suffix(parent)
                .is_some_and(|rest| rest.ends_with('.'))
    };
    if one.host() == other.host() || (leads_here(one) && leads_here(other)) {
        return true;
    }
    match (name(one), name(other)) {
        (Some(one), Some(other)) => one == other || below(&one, &other) || below(&other, &one),
        _ => false,
    }
}

/// Rejects a URL of this machine that came from the server of another machine, which doesn't own the services on this
/// one.
///
/// # Errors
/// Returns an error if the URL points to this machine.
pub fn not_turned_here(url: &Url, from: &Url) -> Result<(), UrlProblem> {
    if leads_here(url) && !leads_here(from) {
        return Err(UrlProblem::Here(clean(
            url.host_str().unwrap_or_default(),
            60,
        )));
    }
    Ok(())
}

/// Parses a URL, and rejects those whose host only the parser knows: it takes the path of `https:///token` for the host,
/// and makes 1.2.0.3 of `1.2.3`. Here, a request must not go to a host that nobody entered.
///
/// # Errors
/// Returns an error if the text is not a URL, or is an http or https URL without its host.
pub fn as_written(text: &str) -> Result<Url, UrlProblem> {
    let malformed = |reason: &str| Err(UrlProblem::Malformed(reason.to_owned()));
    let url = match Url::parse(text) {
        Err(ParseError::RelativeUrlWithoutBase) => return Err(UrlProblem::Partial),
        Err(ParseError::EmptyHost) => return malformed(NO_HOST),
        Err(error) => return malformed(&error.to_string()),
        Ok(url) if !matches!(url.scheme(), "http" | "https") => return Ok(url),
        Ok(url) => url,
    };
    let (_, rest) = text.split_once(':').unwrap_or_default();
    let Some(rest) = rest.strip_prefix("//") else {
        return malformed(&format!(
            "{}: isn't followed by // and a host",
            url.scheme()
        ));
    };
    let authority = rest.split(['/', '\\', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = match host.find(']') {
        Some(end) => &host[..=end],
        None => host.split(':').next().unwrap_or_default(),
    };
    if host.is_empty() {
        return malformed(NO_HOST);
    }
    let is_another = match url.host() {
        // Everyone reads 127.1 as an address of this machine.
        Some(Host::Ipv4(address)) => {
            host != address.to_string() && !(address.is_loopback() && host.contains('.'))
        }
        Some(Host::Domain(_) | Host::Ipv6(_)) | None => false,
    };
    if is_another {
        return Err(UrlProblem::Malformed(format!(
            "{} is neither a host name nor a complete IP address",
            clean(host, 60)
        )));
    }
    let labels = url.host_str().unwrap_or_default();
    let labels = labels.strip_suffix('.').unwrap_or(labels);
    if labels.split('.').any(str::is_empty) {
        return malformed("a part of its host is missing");
    }
    let is_name = |ch: char| ch.is_ascii_alphanumeric() || "-_.".contains(ch);
    if let Some(Host::Domain(name)) = url.host()
        && let Some(wrong) = name.chars().find(|ch| !is_name(*ch))
    {
        return Err(UrlProblem::Malformed(format!(
            "a host name can't contain \"{wrong}\""
        )));
    }
    Ok(url)
}

/// What is wrong with a URL without a host.
const NO_HOST: &str = "it has no host";

/// Parses a URL to which requests may be sent: https, or http on loopback.
///
/// # Errors
/// Returns an error that says what is wrong with the text.
pub fn endpoint(text: &str) -> Result<Url, UrlProblem> {
    let text = text.trim();
    if !is_clean(text) || text.contains(char::is_whitespace) {
        return Err(UrlProblem::Malformed(
            "it contains a space or an invisible character".to_owned(),
        ));
    }
    let url = as_written(text)?;
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
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlProblem::UserInfo);
    }
    if url.fragment().is_some() {
        return Err(UrlProblem::Fragment);
    }
    Ok(url)
}

/// Parses a URL from a server that is safe to show, open, link and encode, by the rules of [`endpoint`]. A fragment is
/// allowed, because a page may need it.
///
/// # Errors
/// Returns an error that says what is wrong with the text.
pub fn from_server(text: &str) -> Result<Url, UrlProblem> {
    let (base, fragment) = match text.trim().split_once('#') {
        Some((base, fragment)) => (base, Some(fragment)),
        None => (text.trim(), None),
    };
    let mut url = endpoint(base)?;
    if let Some(fragment) = fragment {
        if !is_clean(fragment) {
            return Err(UrlProblem::Malformed(
                "it contains an invisible character".to_owned(),
            ));
        }
        url.set_fragment(Some(fragment));
    }
    Ok(url)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    #[test]
    fn host_with_other_characters_is_rejected() {
        for (text, wrong) in [
            ("https://a.example,https://b.example/t", "\",\""),
            ("https://a.example;b/t", "\";\""),
            ("https://a(b)/t", "\"(\""),
        ] {
            let error = endpoint(text).unwrap_err().to_string();
            let told = format!("a host name can't contain {wrong}");
            assert!(error.contains(&told), "{text}: {error}");
        }
        for text in [
            "https://my_host.example/t",
            "https://b\u{fc}cher.example/t",
            "https://[::1]/t",
        ] {
            assert!(endpoint(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn redirect_url_is_sent_as_typed_except_port_0() {
        let typed = |text: &str| RedirectUrl::new(endpoint(text).unwrap(), text);
        let listening = Url::parse("http://127.0.0.1:40123/").unwrap();
        for (text, sent) in [
            ("http://localhost:18471", "http://localhost:18471"),
            (
                " https://mail.example:443/cb ",
                "https://mail.example:443/cb",
            ),
            (
                "https://Mail.Example/a/../cb?x=%7e",
                "https://Mail.Example/a/../cb?x=%7e",
            ),
            ("http://LocalHost:0", "http://LocalHost:40123"),
            ("http://[::1]:0/cb?at=10:0", "http://[::1]:40123/cb?at=10:0"),
            ("http://127.0.0.1:00/cb:0/", "http://127.0.0.1:40123/cb:0/"),
            ("http://127.0.0.1:8400/cb:0", "http://127.0.0.1:8400/cb:0"),
            ("http://127.0.0.1/cb", "http://127.0.0.1/cb"),
            ("https://a.b:0/c/../d", "https://a.b:40123/c/../d"),
        ] {
            let url = typed(text).with_port_of(&listening);
            assert_eq!((url.text(), url.to_string().as_str()), (sent, sent));
            assert_eq!(*url, Url::parse(sent).unwrap());
        }
    }

    #[test]
    fn http_is_allowed_only_for_loopback() {
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
            "http://:18501/",
            "http://18501/",
            "https://443/token",
            "https:8400/",
            "https://2130706433/",
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
    fn url_without_an_explicit_host_is_an_error() {
        for text in [
            "https:///oauth/token",
            "https:////oauth/token",
            "http:///localhost/token",
            "https://",
            "https://?x=1",
            "https://#x",
            "https://:8443/token",
            "https://\\token",
            "https:///user@as.example/token",
        ] {
            let problem = as_written(text).unwrap_err().to_string();
            assert!(problem.contains("it has no host"), "{text}: {problem}");
        }
        for text in [
            "https:/oauth/token",
            "https:as.example/token",
            "https:\\\\as.example/token",
        ] {
            let problem = as_written(text).unwrap_err().to_string();
            let said = "https: isn't followed by // and a host";
            assert!(problem.contains(said), "{text}: {problem}");
        }
        for (text, host) in [
            ("https://1.2.3/", "1.2.3"),
            ("https://2130706433:1/cb", "2130706433"),
            ("http://18501/", "18501"),
            ("https://010.0.0.1/", "010.0.0.1"),
            ("https://0xa.0.0.1/", "0xa.0.0.1"),
        ] {
            let problem = as_written(text).unwrap_err().to_string();
            let said = format!("{host} is neither a host name nor a complete IP address");
            assert!(problem.contains(&said), "{text}: {problem}");
        }
        for text in [
            "https://.as.example/",
            "https://as..example/",
            "https://./x",
        ] {
            let problem = as_written(text).unwrap_err().to_string();
            assert!(problem.contains("a part of its host"), "{text}: {problem}");
        }
        for text in [
            "https://as/token",
            "https://as.example.",
            "https://AS.example:443/",
            "https://bücher.example/",
            "https://10.1.2.3:8443/",
            "https://[2001:db8::1]",
            "https://[0:0::1]:8443/x",
            "http://127.1:8400/",
            "https://me:pw@as.example/",
            "myapp://cb",
            "com.example.app:/cb",
        ] {
            assert!(as_written(text).is_ok(), "{text}");
        }
    }

    fn url(host: &str) -> Url {
        Url::parse(&format!("https://{host}/x")).unwrap()
    }

    #[test]
    fn this_machine_is_recognized_in_any_notation() {
        for here in [
            "localhost",
            "LOCALHOST.",
            "a.localhost",
            "localhost.localdomain",
            "127.0.0.1",
            "127.1",
            "0x7f.1",
            "2130706433",
            "0.0.0.0",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:0:0]",
        ] {
            assert!(leads_here(&url(here)), "{here}");
            assert!(not_turned_here(&url(here), &url("as.example")).is_err());
            assert!(not_turned_here(&url(here), &url("127.0.0.1:8443")).is_ok());
        }
        for elsewhere in [
            "as.example",
            "localhost.as.example",
            "notlocalhost",
            "10.0.0.1",
            "[fe80::1]",
        ] {
            assert!(!leads_here(&url(elsewhere)), "{elsewhere}");
            assert!(not_turned_here(&url(elsewhere), &url("as.example")).is_ok());
        }
    }

    #[test]
    fn url_errors_are_explained_in_plain_words() {
        for (text, told) in [
            ("", "Not a valid URL. Enter the full URL"),
            ("as.example/token", "Not a valid URL. Enter the full URL"),
            (
                "https://as.example/a b",
                "Not a valid URL: it contains a space",
            ),
            (
                "https://as.example:99999/",
                "Not a valid URL: invalid port number",
            ),
        ] {
            let problem = endpoint(text).unwrap_err().to_string();
            assert!(problem.starts_with(told), "{text}: {problem}");
        }
    }

    #[test]
    fn hosts_under_a_common_parent_are_different_operators() {
        for (one, other, same) in [
            ("as.example", "as.example", true),
            ("as.example", "AS.example.", true),
            ("as.example:444", "as.example", true),
            ("as.example", "token.as.example", true),
            ("localhost", "127.0.0.1", true),
            ("localhost", "as.example", false),
            ("a.hosting.example", "b.hosting.example", false),
            ("accounts.google.com", "oauth2.googleapis.com", false),
            ("as.example", "evilas.example", false),
            ("as.example", "example", false),
            ("10.0.0.1", "10.0.0.2", false),
            ("10.0.0.1", "10.0.0.1", true),
        ] {
            assert_eq!(same_operator(&url(one), &url(other)), same, "{one} {other}");
            assert_eq!(same_operator(&url(other), &url(one)), same, "{other} {one}");
        }
    }

    #[test]
    fn server_url_may_have_a_fragment_but_no_user() {
        assert_eq!(
            from_server("https://e.org/a#b").unwrap().as_str(),
            "https://e.org/a#b"
        );
        assert!(from_server("https://u@e.org/").is_err());
        assert!(from_server("http://e.org/").is_err());
    }
}
