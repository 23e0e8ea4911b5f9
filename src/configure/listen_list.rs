//! Compares the addresses that HTTP.sys listens on (all, or those of the `iplisten` list) with the redirect URL.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::report::{Finding, State};
use crate::httpsys::prefix::Prefix;

/// What to do after the list was changed.
const RESTART: &str = "restart the HTTP service or Windows: HTTP.sys reads the list only when it starts. Stopping the \
    service also stops IIS and every other program that uses HTTP.sys.";

/// Returns the addresses through which a browser on this machine may return.
fn expected(prefix: &Prefix) -> Vec<IpAddr> {
    prefix.address().map_or_else(
        || vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
        |ip| vec![ip],
    )
}

/// Returns whether the list covers this address: by the address itself, or by all addresses of its family.
fn is_heard(list: &[IpAddr], ip: IpAddr) -> bool {
    list.iter()
        .any(|entry| *entry == ip || (entry.is_unspecified() && entry.is_ipv4() == ip.is_ipv4()))
}

/// Returns what the list means for this redirect URL.
pub(super) fn finding(prefix: &Prefix, list: Result<Vec<IpAddr>, u32>) -> Finding {
    let list = match list {
        Ok(list) => list,
        Err(code) => {
            let text = format!(
                "The addresses that HTTP.sys is limited to could not be read (code {code})."
            );
            return Finding::new(State::Failed, text)
                .fix("If this command lists addresses, they must include the redirect URL's address.")
                .with("netsh http show iplisten");
        }
    };
    if list.is_empty() {
        return Finding::new(
            State::Note,
            "HTTP.sys listens on all addresses. This program rejects requests from other computers.",
        );
    }
    let expected = expected(prefix);
    let missing: Vec<IpAddr> = expected
        .iter()
        .copied()
        .filter(|ip| !is_heard(&list, *ip))
        .collect();
    let names: Vec<String> = list.iter().map(ToString::to_string).collect();
    let names = names.join(", ");
    let Some(first) = missing.first() else {
        let text = format!("HTTP.sys is limited to {names}.");
        return Finding::new(State::Note, text).fix(format!(
            "If this was changed since Windows started, {RESTART}"
        ));
    };
    let add = format!("netsh http add iplisten ipaddress={first}");
    if missing.len() < expected.len() {
        let text = format!(
            "HTTP.sys is limited to {names}, so a browser that connects to {first} first has to try the other address of \
             localhost."
        );
        return Finding::new(State::Note, text)
            .fix(format!(
                "To avoid that, add {first} as administrator, then {RESTART}"
            ))
            .with(add);
    }
    let text = format!(
        "HTTP.sys is limited to some addresses, and {first} is not one of them, so the browser can't return."
    );
    Finding::new(State::Problem, text)
        .fix(format!("Add it as administrator, then {RESTART}"))
        .with(add)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    #[test]
    fn listen_list_is_compared_with_the_redirect_url() {
        use State::{Note, Problem};
        for (host, list, state, added) in [
            ("localhost", &[][..], Note, None),
            ("localhost", &["127.0.0.1", "::1"], Note, None),
            ("localhost", &["0.0.0.0", "::"], Note, None),
            ("localhost", &["127.0.0.1"], Note, Some("::1")),
            // All IPv6 addresses don't include IPv4.
            ("localhost", &["::"], Note, Some("127.0.0.1")),
            ("127.0.0.1", &["::"], Problem, Some("127.0.0.1")),
            ("127.0.0.1", &["0.0.0.0"], Note, None),
            ("[::1]", &["::"], Note, None),
            ("[::1]", &["127.0.0.1", "0.0.0.0"], Problem, Some("::1")),
            ("localhost", &["192.0.2.1"], Problem, Some("127.0.0.1")),
            ("+", &["192.0.2.1"], Problem, Some("127.0.0.1")),
        ] {
            let prefix = Prefix::of(&format!("http://{host}:8400/")).unwrap();
            let entries = list.iter().map(|ip| ip.parse().unwrap()).collect();
            let finding = finding(&prefix, Ok(entries));
            assert_eq!(finding.state, state, "{host} {list:?}");
            let command = added.map(|ip| format!("netsh http add iplisten ipaddress={ip}"));
            assert_eq!(finding.command, command, "{host} {list:?}");
            // After any change, HTTP.sys must read the list again.
            let restart = finding
                .fix
                .is_some_and(|fix| fix.contains("restart the HTTP service"));
            assert_eq!(restart, !list.is_empty(), "{host} {list:?}");
        }
    }

    #[test]
    fn unreadable_listen_list_is_reported_as_failed() {
        let prefix = Prefix::of("http://localhost:8400/").unwrap();
        let finding = finding(&prefix, Err(5));
        assert_eq!(finding.state, State::Failed);
        assert!(finding.text.contains("code 5"), "{}", finding.text);
    }
}
