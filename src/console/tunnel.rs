//! Builds the command of the SSH tunnel through which a browser on another computer reaches the listener.
//!
//! The command consists of numbers, addresses and a name that needs no quotes in any shell: it contains no other text
//! from the environment. Only the user knows about jump hosts or other host names.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use url::Url;

use crate::console::environment::Ssh;

/// The default port of ssh.
const SSH_PORT: u16 = 22;

/// The command that opens a tunnel, to be run on the user's own computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tunnel {
    command: String,
    complete: bool,
}

impl Tunnel {
    /// Builds a tunnel from `host` and `port` on the user's computer to the most suitable address of `ends`. Returns
    /// `None` if no tunnel works: the redirect goes to a host other than the browser's own computer, or nothing
    /// listens.
    ///
    /// ssh listens on both IPv4 and IPv6 there, so one end is enough for `localhost`.
    #[must_use]
    pub fn new(ssh: &Ssh, host: &str, port: u16, ends: &[SocketAddr]) -> Option<Self> {
        let own: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
        if port == 0
            || !own.map_or(host.eq_ignore_ascii_case("localhost"), |ip| {
                ip.is_loopback()
            })
        {
            return None;
        }
        // IPv4 exists on nearly every machine.
        let end = ends
            .iter()
            .find(|end| end.is_ipv4())
            .or_else(|| ends.first())
            .filter(|end| end.port() != 0)?;
        let to = match end.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        let to = SocketAddr::new(to, end.port());
        // Without an address, ssh listens on 127.0.0.1 and ::1. Other addresses must be given.
        let from = match own {
            Some(IpAddr::V4(ip)) if ip != Ipv4Addr::LOCALHOST => format!("{ip}:"),
            Some(_) | None => String::new(),
        };
        let mut words = vec!["ssh".to_owned()];
        if let Some(server) = ssh.server.filter(|server| server.port() != SSH_PORT) {
            words.extend(["-p".to_owned(), server.port().to_string()]);
        }
        let forward = format!("{from}{port}:{to}");
        // Some shells interpret brackets as a pattern.
        let quote = if to.is_ipv6() { "\"" } else { "" };
        words.extend(["-L".to_owned(), format!("{quote}{forward}{quote}")]);
        if let Some(server) = ssh.server {
            let ip = server.ip();
            words.push(match &ssh.login {
                Some(login) => format!("{login}@{ip}"),
                None => ip.to_string(),
            });
        }
        Some(Self {
            command: words.join(" "),
            complete: ssh.server.is_some(),
        })
    }

    /// Builds a tunnel to the listener of a sign-in, which waits for the redirect at the addresses `listening`.
    #[must_use]
    pub fn to_listener(ssh: &Ssh, redirect_url: &Url, listening: &[String]) -> Option<Self> {
        let host = redirect_url.host_str()?;
        let port = redirect_url.port_or_known_default()?;
        let mut ends: Vec<SocketAddr> = listening
            .iter()
            .filter_map(|place| place.parse().ok())
            .collect();
        if ends.is_empty() && !listening.is_empty() {
            // HTTP.sys reports URLs instead of addresses: it listens on all addresses.
            let own: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
            let ip = own.unwrap_or(Ipv4Addr::LOCALHOST.into());
            ends.push(SocketAddr::new(ip, port));
        }
        Self::new(ssh, host, port, &ends)
    }

    /// Returns how to adapt the destination in the command, which may be wrong or missing.
    #[must_use]
    pub fn login_advice(&self) -> &'static str {
        if self.complete {
            "Adjust the user, host and port if you normally connect with different ones."
        } else {
            "Append user@host, as you normally connect."
        }
    }
}

impl fmt::Display for Tunnel {
    /// Formats the command on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.command)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    fn ssh(server: &str, login: &str) -> Ssh {
        Ssh {
            server: server.parse().ok(),
            login: (!login.is_empty()).then(|| login.to_owned()),
        }
    }

    fn command(ssh: &Ssh, host: &str, port: u16, ends: &[&str]) -> Option<String> {
        let ends: Vec<SocketAddr> = ends.iter().map(|end| end.parse().unwrap()).collect();
        Tunnel::new(ssh, host, port, &ends).map(|tunnel| tunnel.to_string())
    }

    #[test]
    fn tunnel_leads_to_the_listener() {
        let alice = ssh("192.0.2.2:22", "alice");
        for (host, ends, wanted) in [
            (
                "localhost",
                &["127.0.0.1:8400", "[::1]:8400"][..],
                "ssh -L 8400:127.0.0.1:8400 alice@192.0.2.2",
            ),
            (
                "LOCALHOST",
                &["[::1]:8400"],
                "ssh -L \"8400:[::1]:8400\" alice@192.0.2.2",
            ),
            (
                "127.0.0.1",
                &["127.0.0.1:8400"],
                "ssh -L 8400:127.0.0.1:8400 alice@192.0.2.2",
            ),
            (
                "[::1]",
                &["[::1]:8400"],
                "ssh -L \"8400:[::1]:8400\" alice@192.0.2.2",
            ),
            (
                "127.0.0.2",
                &["127.0.0.2:8400"],
                "ssh -L 127.0.0.2:8400:127.0.0.2:8400 alice@192.0.2.2",
            ),
            // With a Listen address.
            (
                "localhost",
                &["0.0.0.0:9000"],
                "ssh -L 8400:127.0.0.1:9000 alice@192.0.2.2",
            ),
        ] {
            assert_eq!(command(&alice, host, 8400, ends).unwrap(), wanted, "{host}");
        }
    }

    #[test]
    fn tunnel_uses_the_ssh_server_and_login() {
        let ends = &["127.0.0.1:1"];
        let end = |ssh: &Ssh| command(ssh, "localhost", 1, ends).unwrap();
        assert_eq!(
            end(&ssh("[2001:db8::2]:2222", "alice")),
            "ssh -p 2222 -L 1:127.0.0.1:1 alice@2001:db8::2"
        );
        assert_eq!(
            end(&ssh("192.0.2.2:22", "")),
            "ssh -L 1:127.0.0.1:1 192.0.2.2"
        );
        let unknown = Tunnel::new(
            &ssh("", "alice"),
            "localhost",
            1,
            &["127.0.0.1:1".parse().unwrap()],
        );
        let unknown = unknown.unwrap();
        assert_eq!(unknown.to_string(), "ssh -L 1:127.0.0.1:1");
        assert!(unknown.login_advice().contains("Append user@host"));
    }

    #[test]
    fn tunnel_is_built_for_a_waiting_sign_in() {
        let to = |url: &str, listening: &[&str]| {
            let listening: Vec<String> = listening.iter().map(ToString::to_string).collect();
            let tunnel = Tunnel::to_listener(
                &ssh("192.0.2.2:22", "alice"),
                &Url::parse(url).unwrap(),
                &listening,
            );
            tunnel.map(|tunnel| tunnel.to_string())
        };
        for (url, listening, wanted) in [
            (
                "http://localhost:8400/cb",
                &["127.0.0.1:8400", "[::1]:8400"][..],
                Some("ssh -L 8400:127.0.0.1:8400 alice@192.0.2.2"),
            ),
            (
                "https://localhost/cb",
                &["[::1]:443"],
                Some("ssh -L \"443:[::1]:443\" alice@192.0.2.2"),
            ),
            (
                "http://localhost:8400/cb",
                &["http://localhost:8400/cb/ (HTTP.sys)"],
                Some("ssh -L 8400:127.0.0.1:8400 alice@192.0.2.2"),
            ),
            ("https://sso.example.org/cb", &["127.0.0.1:8400"], None),
            ("http://localhost:8400/cb", &[], None),
        ] {
            assert_eq!(to(url, listening).as_deref(), wanted, "{url}");
        }
    }

    #[test]
    fn no_tunnel_to_other_hosts_or_without_a_listener() {
        let alice = ssh("192.0.2.2:22", "alice");
        let none = |host, port, ends: &[&str]| command(&alice, host, port, ends).is_none();
        assert!(none("sso.example.org", 443, &["127.0.0.1:8080"]));
        assert!(none("localhost.example.org", 443, &["127.0.0.1:8080"]));
        assert!(none("localhost", 8400, &[]));
        assert!(none("localhost", 0, &["127.0.0.1:0"]));
    }
}
