//! For our own listener: is the port free and allowed, who has it, what does `localhost` mean here, and is there a
//! certificate. On Windows nobody is told who has a port.

use std::fs;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs};

use super::certificate;
use super::holder::{Holder, holders};
use super::report::{Finding, Report, SetUpAction, SetUpTask, State};
use crate::clean::clean;
use crate::console::tunnel::Tunnel;
use crate::form::request::ListenAddress;
use crate::store::file::Readers;

/// Where names of this machine are kept.
const HOSTS: &str = if cfg!(windows) {
    r"C:\Windows\System32\drivers\etc\hosts"
} else {
    "/etc/hosts"
};

/// From this port on nobody needs to be root, where the system does not say.
const UNPRIVILEGED: u16 = 1024;

/// Does what is asked. Only a certificate is ever written or deleted; the rest is looking.
#[must_use]
pub fn perform(task: &SetUpTask) -> Report {
    let mut findings = Vec::new();
    let host = &task.prefix.host;
    match (task.action, task.prefix.secure && task.prefix.is_loopback()) {
        (SetUpAction::Verify, _) => {}
        (SetUpAction::SetUp, true) => match certificate::create(host) {
            Ok((fingerprint, readers)) => {
                findings.push(Finding::new(
                    State::Done,
                    format!("A certificate for {host} was made. Its fingerprint is {fingerprint}."),
                ));
                findings.extend(key_readers(readers));
            }
            Err(reason) => findings.push(Finding::new(State::Failed, reason)),
        },
        (SetUpAction::Delete, true) => {
            return Report::of(vec![match certificate::delete(host) {
                Ok(()) => Finding::new(
                    State::Done,
                    format!("The certificate for {host} was deleted."),
                ),
                Err(reason) => Finding::new(State::Failed, reason),
            }]);
        }
        (SetUpAction::SetUp, false) => findings.push(Finding::new(
            State::Note,
            "Nothing has to be set up for this listener. This is what Verify finds:",
        )),
        (SetUpAction::Delete, false) => {
            return Report::of(vec![Finding::new(
                State::Note,
                "Nothing was set up for this listener, so there is nothing to delete.",
            )]);
        }
    }
    findings.extend(verify(task));
    Report::of(findings)
}

/// A key that others may read, where the file system does not keep permissions.
fn key_readers(readers: Readers) -> Option<Finding> {
    (readers == Readers::Others).then(|| {
        Finding::new(
            State::Note,
            "The file system of the configuration folder does not support permissions: other users of this machine may be \
             able to read the private key.",
        )
    })
}

/// All that can be known without listening for long.
fn verify(task: &SetUpTask) -> Vec<Finding> {
    let prefix = &task.prefix;
    let mut findings = Vec::new();
    if task.listen.is_none() && !prefix.is_loopback() {
        return vec![Finding::new(
            State::Wrong,
            format!(
                "The redirect URL leads to {}, so nothing listens here. Paste the address that the browser ends at, or \
                 set a Listen address where a proxy leads from there to this machine.",
                prefix.host
            ),
        )];
    }
    if prefix.address().is_none() && prefix.host.eq_ignore_ascii_case("localhost") {
        findings.push(name(prefix.port));
    }
    if let Some(warning) = task.listen.and_then(ListenAddress::warning) {
        findings.push(Finding::new(State::Note, format!("{warning}.")));
    }
    let addresses = addresses(task);
    for (at, address) in addresses.iter().enumerate() {
        findings.extend(port(*address, at));
    }
    if prefix.secure {
        findings.push(https(&prefix.host));
    }
    let tunnel = |ssh| Tunnel::new(ssh, &prefix.host, prefix.port, &addresses);
    if let Some(tunnel) = task.ssh.as_ref().and_then(tunnel) {
        findings.push(
            Finding::new(
                State::Note,
                format!(
                    "You are here over SSH. For a browser on your own machine to come back here, open a tunnel from there. {} \
                     The tunnel:",
                    tunnel.login_advice()
                ),
            )
            .with(tunnel.to_string()),
        );
    }
    findings
}

/// Where the listener goes for this redirect URL.
fn addresses(task: &SetUpTask) -> Vec<SocketAddr> {
    let port = task.prefix.port;
    match (task.listen, task.prefix.address()) {
        (Some(listen), _) => vec![SocketAddr::new(listen.ip, listen.port.unwrap_or(port))],
        (None, Some(ip)) => vec![SocketAddr::new(ip, port)],
        (None, None) => vec![
            SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port),
            SocketAddr::new(Ipv6Addr::LOCALHOST.into(), port),
        ],
    }
}

/// What `localhost` means here.
fn name(port: u16) -> Finding {
    let found: Vec<IpAddr> = ("localhost", port)
        .to_socket_addrs()
        .map(|all| all.map(|address| address.ip()).collect())
        .unwrap_or_default();
    localhost(&found)
}

/// What these addresses of `localhost` mean.
#[must_use]
pub fn localhost(found: &[IpAddr]) -> Finding {
    let mut known: Vec<IpAddr> = Vec::new();
    for ip in found {
        if !known.contains(ip) {
            known.push(*ip);
        }
    }
    let words: Vec<String> = known.iter().map(ToString::to_string).collect();
    let words = words.join(" and ");
    if known.is_empty() {
        Finding::new(
            State::Note,
            format!(
                "The name localhost is not known here. Browsers know it by themselves; for other programs add it to {HOSTS}."
            ),
        )
    } else if known.iter().all(IpAddr::is_loopback) {
        Finding::new(State::Good, format!("localhost means {words} here."))
    } else {
        Finding::new(
            State::Wrong,
            format!(
                "localhost means {words} here, which is not this machine alone. Correct {HOSTS}."
            ),
        )
    }
}

fn https(host: &str) -> Finding {
    match certificate::fingerprint(host) {
        Ok(Some(fingerprint)) => Finding::new(
            State::Good,
            format!("The certificate for {host} is there. Its fingerprint is {fingerprint}."),
        ),
        Ok(None) => Finding::new(
            State::Wrong,
            format!("There is no certificate for {host}. Set up makes one."),
        ),
        Err(reason) => Finding::new(State::Failed, reason),
    }
}

/// Listens for a moment. `at` counts the addresses of the redirect URL: without IPv6 the first one is enough.
fn port(address: SocketAddr, at: usize) -> Vec<Finding> {
    let (ip, port) = (address.ip(), address.port());
    let error = match TcpListener::bind(address) {
        Ok(_) if port == 0 => {
            return vec![Finding::new(
                State::Good,
                format!("Port 0 of {ip}: a free port is taken when the sign-in begins."),
            )];
        }
        Ok(_) => {
            return vec![Finding::new(
                State::Good,
                format!("Port {port} of {ip} is free, and this user may listen there."),
            )];
        }
        Err(error) => error,
    };
    let holders = holders(address);
    match error.kind() {
        ErrorKind::PermissionDenied => {
            let mut findings = privileged(address, first_unprivileged(), &program(), at == 0);
            findings.extend(holders.first().map(|holder| taken(address, Some(holder))));
            findings
        }
        ErrorKind::AddrInUse => vec![taken(address, holders.first())],
        ErrorKind::AddrNotAvailable if at > 0 => vec![Finding::new(
            State::Note,
            format!("This machine has no {ip}, so only the other address is listened on."),
        )],
        ErrorKind::AddrNotAvailable => vec![Finding::new(
            State::Wrong,
            format!(
                "{ip} is not an address of this machine. Use 127.0.0.1 or localhost, or correct the Listen address."
            ),
        )],
        // Some systems without IPv6 say this.
        _ if at > 0 && holders.is_empty() => vec![Finding::new(
            State::Note,
            format!(
                "Nothing can listen on {ip} here ({error}), so only the other address is listened on."
            ),
        )],
        _ => vec![Finding::new(
            State::Wrong,
            format!(
                "Listening on port {port} of {ip} fails: {error}. Take another port in the Redirect URL."
            ),
        )],
    }
}

/// A port that somebody has.
#[must_use]
pub fn taken(address: SocketAddr, holder: Option<&Holder>) -> Finding {
    let (ip, port) = (address.ip(), address.port());
    let other = "or take another port in the Redirect URL and register it with the service.";
    let look = format!("sudo ss -ltnp 'sport = :{port}'");
    match holder {
        Some(Holder::Ourselves) => Finding::new(
            State::Note,
            format!("Port {port} of {ip} is in use by this program, for the sign-in that is under way."),
        ),
        Some(Holder::Process(name, id)) => Finding::new(
            State::Wrong,
            format!("Port {port} of {ip} is taken by {name} (process {id}). End that program, {other}"),
        ),
        Some(Holder::Hidden(uid, user)) => {
            let user = user
                .as_ref()
                .map_or_else(|| format!("number {uid}"), Clone::clone);
            Finding::new(
                State::Wrong,
                format!(
                    "Port {port} of {ip} is taken by a program of the user {user}; which one is not visible to this \
                     user. Look as root, {other}"
                ),
            )
            .with(look)
        }
        None if cfg!(windows) => Finding::new(
            State::Wrong,
            format!("Port {port} of {ip} is taken. Look by which process (its number comes last), {other}"),
        )
        .with(format!("netstat -ano -p tcp | findstr :{port}")),
        None => Finding::new(
            State::Wrong,
            format!(
                "Port {port} of {ip} is taken; by whom is not visible to this user. Look as root, {other}"
            ),
        )
        .with(if cfg!(target_os = "linux") {
            look
        } else {
            format!("sudo lsof -nP -iTCP:{port} -sTCP:LISTEN")
        }),
    }
}

/// A port that only root may have, and the ways around it where they are wanted.
#[must_use]
pub fn privileged(address: SocketAddr, first: u16, program: &str, ways: bool) -> Vec<Finding> {
    let (ip, port) = (address.ip(), address.port());
    if cfg!(windows) {
        return vec![
            Finding::new(
                State::Wrong,
                format!(
                    "Windows keeps port {port} of {ip} for itself or for another program. Take another port in the Redirect \
                     URL and register it with the service. Which ports are kept, this tells:"
                ),
            )
            .with("netsh interface ipv4 show excludedportrange protocol=tcp"),
        ];
    }
    if port >= first {
        return vec![Finding::new(
            State::Wrong,
            format!(
                "The system does not let this user listen on port {port} of {ip}. Take another port in the Redirect URL."
            ),
        )];
    }
    let mut findings = vec![Finding::new(
        State::Wrong,
        format!(
            "Port {port} of {ip} is for root: this user may listen from port {first} on. Take such a port in the Redirect \
             URL and register it with the service, or have root make way."
        ),
    )];
    if cfg!(target_os = "linux") && ways {
        let high = SocketAddr::new(ip, 8000 + port);
        let tables = if ip.is_ipv4() {
            "iptables"
        } else {
            "ip6tables"
        };
        findings.push(
            Finding::new(
                State::Note,
                "Let this program have such ports, again after each update of it:",
            )
            .with(format!("sudo setcap cap_net_bind_service=+ep '{program}'")),
        );
        findings.push(
            Finding::new(
                State::Note,
                "Or let everybody here have them, until the next start of the machine:",
            )
            .with(format!(
                "sudo sysctl net.ipv4.ip_unprivileged_port_start={port}"
            )),
        );
        findings.push(
            Finding::new(
                State::Note,
                format!("Or set {high} as the Listen address under Advanced, and lead the port there:"),
            )
            .with(format!(
                "sudo {tables} -t nat -A OUTPUT -o lo -p tcp --dport {port} -j REDIRECT --to-ports {}",
                high.port()
            )),
        );
    }
    findings
}

fn first_unprivileged() -> u16 {
    fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start")
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(UNPRIVILEGED)
}

/// This program's path, where it can stand in quotes.
fn program() -> String {
    std::env::current_exe()
        .ok()
        .map(|path| path.display().to_string())
        .filter(|path| !path.contains('\'') && clean(path, 4096) == *path)
        .unwrap_or_else(|| "/path/to/oauth-authorizer".to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends on what it did not expect")]
mod tests {
    use super::*;
    use crate::configure::report::{Consent, Listener};
    use crate::console::environment::Ssh;
    use crate::httpsys::prefix::Prefix;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn task(action: SetUpAction, url: &str) -> SetUpTask {
        SetUpTask {
            action,
            prefix: Prefix::of(url).unwrap(),
            listener: Listener::Loopback,
            listen: None,
            user: String::new(),
            thumbprint: None,
            ssh: None,
            consent: Consent::NotAsked,
        }
    }

    fn told(findings: &[Finding]) -> String {
        let lines: Vec<String> = findings
            .iter()
            .map(|finding| format!("{}: {}", finding.state.word(), finding.text))
            .collect();
        lines.join("\n")
    }

    #[test]
    fn a_listen_address_that_other_machines_reach_is_warned_about() {
        for (listen, open) in [("127.0.0.1", false), ("0.0.0.0", true), ("[::]", true)] {
            let listen = Some(format!("{listen}:0").parse().unwrap());
            let task = SetUpTask {
                listen,
                ..task(SetUpAction::Verify, "https://mail.example/cb")
            };
            let told = told(&verify(&task));
            let warned = told.contains("note: Anyone on any network of this machine can reach");
            assert_eq!(warned, open, "{told}");
        }
    }

    #[test]
    fn owners_are_named_as_far_as_they_are_known() {
        let at = address("127.0.0.1:8400");
        for (holder, words) in [
            (
                Some(Holder::Process("python3".to_owned(), 7)),
                "python3 (process 7)",
            ),
            (
                Some(Holder::Hidden(33, Some("www-data".to_owned()))),
                "user www-data; which one is not visible",
            ),
            (Some(Holder::Hidden(5, None)), "user number 5"),
            (
                None,
                if cfg!(windows) {
                    "by which process"
                } else {
                    "by whom is not visible"
                },
            ),
        ] {
            let finding = taken(at, holder.as_ref());
            assert_eq!(finding.state, State::Wrong);
            assert!(finding.text.contains(words), "{}", finding.text);
            assert!(
                finding.text.contains("take another port"),
                "{}",
                finding.text
            );
        }
        assert_eq!(taken(at, Some(&Holder::Ourselves)).state, State::Note);
    }

    #[test]
    fn localhost_is_this_machine_or_is_told() {
        let (four, six) = (
            IpAddr::from(Ipv4Addr::LOCALHOST),
            IpAddr::from(Ipv6Addr::LOCALHOST),
        );
        assert_eq!(
            localhost(&[four, six, four]).text,
            "localhost means 127.0.0.1 and ::1 here."
        );
        assert_eq!(localhost(&[]).state, State::Note);
        assert_eq!(
            localhost(&[four, Ipv4Addr::new(10, 0, 0, 1).into()]).state,
            State::Wrong
        );
    }

    #[cfg(windows)]
    #[test]
    fn a_port_that_windows_keeps_is_told_with_the_others() {
        let findings = privileged(address("127.0.0.1:443"), 1024, "x", true);
        assert!(told(&findings).contains("Windows keeps port 443"));
        assert!(findings[0].command.is_some() && findings.len() == 1);
    }

    #[cfg(not(windows))]
    #[test]
    fn a_privileged_port_has_ways_around_it() {
        let findings = privileged(address("127.0.0.1:443"), 1024, "/opt/o a", true);
        assert!(told(&findings).contains("from port 1024 on"));
        if cfg!(target_os = "linux") {
            let commands: String = findings
                .iter()
                .filter_map(|finding| finding.command.clone())
                .collect();
            assert!(
                commands.contains("cap_net_bind_service=+ep '/opt/o a'"),
                "{commands}"
            );
            assert!(
                commands.contains("--dport 443 -j REDIRECT --to-ports 8443"),
                "{commands}"
            );
        }
        assert_eq!(privileged(address("127.0.0.1:443"), 80, "x", true).len(), 1);
    }

    #[test]
    fn what_is_free_and_what_leads_elsewhere_is_told() {
        let report = perform(&task(SetUpAction::Verify, "http://127.0.0.1:0/"));
        assert_eq!(report.findings[0].state, State::Good);
        let other = perform(&task(SetUpAction::Verify, "https://sso.example.org/cb"));
        assert!(told(&other.findings).contains("wrong: The redirect URL leads to sso.example.org"));
        let mut ssh = task(SetUpAction::Verify, "http://localhost:65534/");
        ssh.ssh = Some(Ssh {
            server: Some(address("192.0.2.2:22")),
            login: Some("alice".to_owned()),
        });
        let last = perform(&ssh).findings.pop().unwrap();
        assert_eq!(
            last.command.unwrap(),
            "ssh -L 65534:127.0.0.1:65534 alice@192.0.2.2"
        );
        for action in [SetUpAction::SetUp, SetUpAction::Delete] {
            let report = perform(&task(action, "http://127.0.0.1:0/"));
            assert!(told(&report.findings).starts_with("note: Nothing"));
        }
    }

    #[test]
    fn a_port_of_this_process_is_known_as_its_own() {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", socket.local_addr().unwrap());
        let findings = perform(&task(SetUpAction::Verify, &url)).findings;
        if cfg!(target_os = "linux") {
            assert!(
                told(&findings).contains("in use by this program"),
                "{}",
                told(&findings)
            );
        }
    }
}
