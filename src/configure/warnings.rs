//! Warnings about a redirect URL, given before anything is set up for it.

use std::net::IpAddr;

use super::plan::{SetUpAction, WITHOUT_SET_UP};
use super::report::{Finding, State};
use crate::httpsys::prefix::Prefix;

/// Returns the warnings before an action. For Verify, a host to which no browser can return is a problem.
pub(super) fn warnings(action: SetUpAction, prefix: &Prefix) -> Vec<Finding> {
    let mut found = Vec::new();
    match action {
        SetUpAction::SetUp => found.extend(elsewhere(prefix, State::Note)),
        SetUpAction::Verify => found.extend(elsewhere(prefix, State::Problem)),
        SetUpAction::Delete => return Vec::new(),
    }
    found.extend(whole_port(prefix));
    found
}

/// Returns a warning about a host that is not this machine, or that doesn't work under this name.
fn elsewhere(prefix: &Prefix, state: State) -> Option<Finding> {
    if prefix.is_loopback() || prefix.host == "+" {
        return None;
    }
    let host = &prefix.host;
    let finding = |text: &str, fix: &str| Some(Finding::new(state, text).fix(fix));
    let bare = host.trim_end_matches('.');
    if bare.len() < host.len() && bare.eq_ignore_ascii_case("localhost") {
        return finding(
            &format!(
                "HTTP.sys treats {host} (with a trailing period) and {bare} as different hosts."
            ),
            "Remove the period from Redirect URL.",
        );
    }
    if prefix.address().is_some_and(|ip| ip.is_unspecified()) {
        return finding(
            &format!("{host} means all addresses of a machine, so the browser can't return there."),
            "Use localhost or 127.0.0.1 in Redirect URL.",
        );
    }
    if matches!(prefix.address(), Some(IpAddr::V6(ip)) if ip.is_unicast_link_local()) {
        return finding(
            &format!(
                "{host} is a link-local address, which is valid only with the name of a network interface. This program \
                 listens only on this machine."
            ),
            "Use localhost or [::1] in Redirect URL.",
        );
    }
    finding(
        &format!(
            "The redirect URL points to {host}, but this program listens only on this machine."
        ),
        "Use localhost, or paste the final URL from the browser after signing in.",
    )
}

/// Returns a warning about a reservation that covers a whole port used by websites.
fn whole_port(prefix: &Prefix) -> Option<Finding> {
    let port = if prefix.secure { 443 } else { 80 };
    if prefix.port != port || prefix.path != "/" {
        return None;
    }
    let text = format!(
        "A reservation of {prefix} covers every path on port {port}. Websites of IIS, and other programs that use HTTP.sys, \
         may stop working there."
    );
    let fix = if prefix.secure {
        "Use another port, or a path of your own such as /callback/.".to_owned()
    } else {
        format!(
            "Use another port, a path of your own such as /callback/, or {WITHOUT_SET_UP}, which requires no setup."
        )
    };
    Some(Finding::new(State::Note, text).fix(fix))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    fn told(action: SetUpAction, url: &str) -> Vec<Finding> {
        warnings(action, &Prefix::of(url).unwrap())
    }

    #[test]
    fn reserving_a_whole_web_port_causes_a_warning() {
        for (url, warned) in [
            ("http://localhost/", true),
            ("http://+:80/", true),
            ("https://localhost/", true),
            ("http://localhost/callback", false),
            ("http://localhost:443/", false),
            ("https://localhost:80/", false),
            ("http://localhost:8080/", false),
            (WITHOUT_SET_UP, false),
        ] {
            for action in [SetUpAction::SetUp, SetUpAction::Verify] {
                let found = told(action, url);
                assert_eq!(!found.is_empty(), warned, "{url}");
                for finding in found {
                    assert_eq!(finding.state, State::Note);
                    assert!(finding.text.contains("IIS"), "{}", finding.text);
                    let without = finding.sentences().contains(WITHOUT_SET_UP);
                    assert_eq!(without, url.starts_with("http:"), "{url}");
                }
            }
            assert!(told(SetUpAction::Delete, url).is_empty());
        }
    }

    #[test]
    fn unreachable_redirect_hosts_are_reported() {
        for (host, words) in [
            ("0.0.0.0", "means all addresses"),
            ("[::]", "means all addresses"),
            ("[fe80::1]", "link-local"),
            (
                "localhost.",
                "(with a trailing period) and localhost as different hosts",
            ),
            ("192.0.2.1", "points to 192.0.2.1"),
            ("sso.example.org", "points to sso.example.org"),
        ] {
            let url = format!("http://{host}:8400/callback");
            for (action, state) in [
                (SetUpAction::SetUp, State::Note),
                (SetUpAction::Verify, State::Problem),
            ] {
                let found = told(action, &url);
                assert_eq!(found.len(), 1, "{url}");
                assert_eq!(found[0].state, state, "{url}");
                assert!(found[0].text.contains(words), "{}", found[0].text);
            }
        }
        for host in ["localhost", "LOCALHOST", "127.0.0.1", "[::1]", "+"] {
            let url = format!("http://{host}:8400/callback");
            assert!(told(SetUpAction::SetUp, &url).is_empty(), "{url}");
        }
    }
}
