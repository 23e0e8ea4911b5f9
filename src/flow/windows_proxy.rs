//! The proxy in the Internet settings of a Windows user. reqwest supports neither a proxy for each protocol nor all forms of
//! the exceptions.

use url::Url;

/// The registry key of the settings, below `HKEY_CURRENT_USER`.
#[cfg(windows)]
const KEY: &str = r"Software\Microsoft\Windows\CurrentVersion\Internet Settings";

/// The proxy settings of a user.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct WindowsProxy {
    /// One proxy for all protocols, or one for each, as in `http=a:80;https=b:80` (`ProxyServer`). Each may have a scheme, and
    /// semicolons or spaces separate them.
    servers: String,
    /// The hosts that are reached without the proxy (`ProxyOverride`).
    exceptions: String,
}

impl WindowsProxy {
    /// Returns the settings of this user; `None` without a proxy, and on other systems.
    pub(super) fn of_user() -> Option<Self> {
        #[cfg(windows)]
        {
            let settings = windows_registry::CURRENT_USER.open(KEY).ok()?;
            let enabled = settings.get_u32("ProxyEnable").unwrap_or_default() != 0;
            let text = |name| settings.get_string(name).unwrap_or_default();
            enabled.then(|| Self {
                servers: text("ProxyServer"),
                exceptions: text("ProxyOverride"),
            })
        }
        #[cfg(not(windows))]
        None
    }

    /// Returns the proxy for a request to this https URL; `None` for a direct connection.
    pub(super) fn on_the_way_to(&self, url: &Url) -> Option<String> {
        let exceptions = self.exceptions.split([';', ' ']);
        if exceptions.into_iter().any(|entry| is_exception(entry, url)) {
            return None;
        }
        let of = |protocol: &str| {
            let mut entries = self
                .servers
                .split([';', ' '])
                .filter(|entry| !entry.is_empty());
            entries.find_map(|entry| {
                let (name, address) = entry.split_once('=').unwrap_or(("", entry));
                let is_same = name.eq_ignore_ascii_case(protocol);
                (is_same && !address.is_empty()).then(|| address.to_owned())
            })
        };
        let of_socks = || {
            let address = of("socks")?;
            let has_scheme = address.contains("://");
            Some(if has_scheme {
                address
            } else {
                format!("socks4://{address}")
            })
        };
        // An entry without a protocol is for those that have none.
        of("https").or_else(|| of("")).or_else(of_socks)
    }
}

/// Returns whether a PAC file chooses the proxy. This program doesn't run its script.
pub(crate) fn has_script() -> bool {
    #[cfg(windows)]
    return windows_registry::CURRENT_USER
        .open(KEY)
        .is_ok_and(|settings| {
            let script = settings.get_string("AutoConfigURL");
            script.is_ok_and(|script| !script.trim().is_empty())
        });
    #[cfg(not(windows))]
    false
}

/// Returns whether an entry of the exceptions names the host of the URL.
fn is_exception(entry: &str, url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let entry = entry.trim().to_ascii_lowercase();
    if entry == "<local>" {
        return !host.contains(['.', ':']);
    }
    let entry = entry.strip_prefix("https://").unwrap_or(&entry);
    let entry = entry.trim_end_matches('/');
    let port = url.port_or_known_default().unwrap_or_default();
    is_like(host, entry) || is_like(&format!("{host}:{port}"), entry)
}

/// Returns whether the text matches a pattern, in which `*` stands for any text.
fn is_like(text: &str, pattern: &str) -> bool {
    let Some((start, after)) = pattern.split_once('*') else {
        return text == pattern;
    };
    let (middle, end) = after.rsplit_once('*').unwrap_or(("", after));
    let inner = text
        .strip_prefix(start)
        .and_then(|rest| rest.strip_suffix(end));
    // The first place of each part leaves the most room for the next ones.
    let mut parts = middle.split('*');
    inner
        .and_then(|inner| parts.try_fold(inner, |rest, part| Some(rest.split_once(part)?.1)))
        .is_some()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
pub(super) mod tests {
    use super::*;

    pub(in crate::flow) fn settings(servers: &str, exceptions: &str) -> WindowsProxy {
        WindowsProxy {
            servers: servers.to_owned(),
            exceptions: exceptions.to_owned(),
        }
    }

    fn proxy(servers: &str, exceptions: &str, url: &str) -> Option<String> {
        settings(servers, exceptions).on_the_way_to(&Url::parse(url).unwrap())
    }

    #[test]
    fn proxy_for_https_is_chosen_from_the_list_of_protocols() {
        for (servers, chosen) in [
            ("proxy:8080", Some("proxy:8080")),
            ("http://proxy:8080", Some("http://proxy:8080")),
            ("http=a:80;https=b:81", Some("b:81")),
            ("ftp=a:21 HTTPS=http://b:81", Some("http://b:81")),
            ("http=a:80;socks=c:1080", Some("socks4://c:1080")),
            ("socks=c:1080;https=b:81", Some("b:81")),
            ("http=a:80;b:81", Some("b:81")),
            ("b:81;c:82", Some("b:81")),
            ("b:81;", Some("b:81")),
            ("socks=socks5://c:1080", Some("socks5://c:1080")),
            ("http=a:80", None),
            ("https=", None),
            ("", None),
        ] {
            let found = proxy(servers, "", "https://as.example/token");
            assert_eq!(found.as_deref(), chosen, "{servers}");
        }
    }

    #[test]
    fn exceptions_match_as_in_windows() {
        for (exceptions, url, direct) in [
            ("as.example", "https://as.example/", true),
            ("AS.example", "https://as.example/", true),
            ("example", "https://as.example/", false),
            ("a;*.example;b", "https://as.example/", true),
            ("*.example", "https://example/", false),
            ("a*s.ex*le", "https://as.example/", true),
            ("a*s*x*a*le", "https://as.example/", true),
            ("a*x*s*le", "https://as.example/", false),
            ("as.exam*mple", "https://as.example/", false),
            ("**", "https://as.example/", true),
            ("*", "https://as.example/", true),
            ("<local>", "https://adfs/", true),
            ("<local>", "https://adfs.example/", false),
            ("<local>", "https://[2001:db8::1]/", false),
            ("10.*", "https://10.1.2.3/", true),
            ("10.*", "https://101.2.3.4/", false),
            ("https://as.example", "https://as.example/", true),
            ("as.example:443", "https://as.example/", true),
            ("as.example:8443", "https://as.example/", false),
            ("", "https://as.example/", false),
        ] {
            let found = proxy("proxy:8080", exceptions, url);
            assert_eq!(found.is_none(), direct, "{exceptions}: {url}");
        }
    }
}
