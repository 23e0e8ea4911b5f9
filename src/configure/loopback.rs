//! Checks what the loopback listener requires: a port that is free and allowed, the addresses of `localhost`, and a
//! certificate. Except on Linux, the process that uses a port can't be named.

use std::fs;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs};
use std::time::SystemTime;

use super::certificate;
use super::holder::{Holder, holders};
use super::plan::SetUpAction;
use super::report::{Finding, Report, SetUpTask, State};
use crate::certificate::{Files, load};
use crate::clean::clean;
use crate::console::tunnel::Tunnel;
use crate::form::listen_address::ListenAddress;
use crate::store::file::Readers;

/// The file with the host names of this machine.
const HOSTS: &str = if cfg!(windows) {
    r"C:\Windows\System32\drivers\etc\hosts"
} else {
    "/etc/hosts"
};

/// Ports from this number on don't require root, if the system doesn't say otherwise.
const UNPRIVILEGED: u16 = 1024;

/// Runs the task. Only certificates are ever written or deleted; everything else is read-only.
#[must_use]
pub fn perform(task: &SetUpTask) -> Report {
    let mut findings = Vec::new();
    let host = &task.prefix.host;
    match (
        task.action,
        task.needs_certificate() && task.prefix.is_loopback(),
    ) {
        (SetUpAction::Verify, _) => {}
        // Keep an existing certificate: a browser may already trust it.
        (SetUpAction::SetUp, true) if matches!(certificate::fingerprint(host), Ok(Some(_))) => {
            findings.push(Finding::new(
                State::Note,
                format!(
                    "The certificate for {host} is valid, so it stays. To replace it, delete it first."
                ),
            ));
        }
        (SetUpAction::SetUp, true) => match certificate::create(host) {
            Ok((fingerprint, readers)) => {
                findings.push(Finding::new(
                    State::Done,
                    format!("Created a certificate for {host}. Its SHA-256 fingerprint is {fingerprint}."),
                ));
                findings.extend(key_readers(readers));
            }
            Err(reason) => findings.push(Finding::new(State::Failed, reason)),
        },
        (SetUpAction::Delete, true) => {
            return Report::of(vec![match certificate::delete(host) {
                Ok(true) => {
                    Finding::new(State::Done, format!("Deleted the certificate for {host}."))
                }
                Ok(false) => Finding::new(
                    State::Good,
                    format!("There is no certificate for {host}, so nothing was deleted."),
                ),
                Err(reason) => Finding::new(State::Failed, reason),
            }]);
        }
        (SetUpAction::SetUp, false) => findings.push(Finding::new(
            State::Note,
            "There is nothing to set up for this listener. Verify finds:",
        )),
        (SetUpAction::Delete, false) => {
            return Report::of(vec![Finding::new(
                State::Note,
                "There is nothing to delete: this listener requires no setup.",
            )]);
        }
    }
    findings.extend(verify(task));
    Report::of(findings)
}

/// Returns a note if other users may read the private key, because the file system has no permissions.
fn key_readers(readers: Readers) -> Option<Finding> {
    (readers == Readers::Others).then(|| {
        Finding::new(
            State::Note,
            "The file system of the configuration folder doesn't support permissions. Other users of this machine may be \
             able to read the private key.",
        )
    })
}

/// Returns all that can be found without listening for long.
fn verify(task: &SetUpTask) -> Vec<Finding> {
    let prefix = &task.prefix;
    let mut findings = Vec::new();
    if task.listen.is_none() && !prefix.is_loopback() {
        let text = format!(
            "The redirect URL points to {}, so this program can't listen on it.",
            prefix.host
        );
        return vec![Finding::new(State::Problem, text).fix(
            "After signing in, paste the final URL from the browser. If a proxy forwards requests from there to this \
             machine, set Listen address.",
        )];
    }
    if prefix.address().is_none() && prefix.host.eq_ignore_ascii_case("localhost") {
        findings.push(name(prefix.port));
    }
    if let Some(warning) = task.listen.and_then(ListenAddress::warning) {
        findings.push(Finding::new(State::Note, format!("{warning}.")));
    }
    for (at, address) in addresses(task).iter().enumerate() {
        findings.extend(port(*address, at));
    }
    if task.needs_certificate() {
        findings.push(https(&prefix.host));
    } else if let (Some(files), None) = (
        task.certificate.as_ref().filter(|_| prefix.secure),
        task.listen,
    ) {
        findings.push(given(files, &prefix.host));
    } else if prefix.secure {
        let text = format!(
            "The listener uses plain http, because Listen address is set. A proxy must accept https for {} and forward it.",
            prefix.host
        );
        findings.push(Finding::new(State::Note, text));
    }
    if let Some(tunnel) = tunnel(task) {
        let text = format!(
            "You are connected over SSH. Before you sign in, run this command on the computer with your browser. {}",
            tunnel.login_advice()
        );
        findings.push(Finding::new(State::Note, text).with(tunnel.to_string()));
    }
    findings
}

/// Returns the tunnel through which a browser on another computer reaches the listener; `None` if none is needed.
#[must_use]
pub fn tunnel(task: &SetUpTask) -> Option<Tunnel> {
    let prefix = &task.prefix;
    let ssh = task.ssh.as_ref()?;
    Tunnel::new(ssh, &prefix.host, prefix.port, &addresses(task))
}

/// Returns the addresses of the listener for this redirect URL.
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

/// Checks what `localhost` resolves to on this machine.
fn name(port: u16) -> Finding {
    let found: Vec<IpAddr> = ("localhost", port)
        .to_socket_addrs()
        .map(|all| all.map(|address| address.ip()).collect())
        .unwrap_or_default();
    localhost(&found)
}

/// Returns what these addresses of `localhost` mean.
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
                "This system can't resolve localhost. Browsers don't need it to; for other programs, add it to {HOSTS}."
            ),
        )
    } else if known.iter().all(IpAddr::is_loopback) {
        Finding::new(State::Good, format!("localhost resolves to {words}."))
    } else {
        let text = format!("localhost resolves to {words}, which is not only this machine.");
        Finding::new(State::Problem, text).fix(format!("Correct {HOSTS}."))
    }
}

/// Checks the certificate that the user entered.
fn given(files: &Files, host: &str) -> Finding {
    match load(files, host, SystemTime::now()) {
        Ok(loaded) => Finding::new(
            State::Good,
            format!(
                "The entered certificate is valid for {host}. Its SHA-256 fingerprint is {}.",
                loaded.about.fingerprint
            ),
        ),
        Err(error) => Finding::new(State::Problem, format!("{error}.")).fix(error.hint()),
    }
}

fn https(host: &str) -> Finding {
    match certificate::fingerprint(host) {
        Ok(Some(fingerprint)) => Finding::new(
            State::Good,
            format!("There is a certificate for {host}. Its SHA-256 fingerprint is {fingerprint}."),
        ),
        Ok(None) => Finding::new(State::Missing, format!("Certificate for {host}."))
            .fix("Set up creates one."),
        Err(reason) => Finding::new(State::Failed, reason),
    }
}

/// Formats an address and port for use within a sentence.
fn place(address: SocketAddr) -> String {
    match address.ip() {
        IpAddr::V4(ip) => format!("{ip} port {}", address.port()),
        IpAddr::V6(ip) => format!("[{ip}] port {}", address.port()),
    }
}

/// Checks a port by listening briefly. `at` is the index among the addresses of the redirect URL: without IPv6, the
/// first address is enough.
fn port(address: SocketAddr, at: usize) -> Vec<Finding> {
    let (ip, port) = (address.ip(), address.port());
    let error = match TcpListener::bind(address) {
        Ok(_) if port == 0 => {
            let text = format!("{ip}: port 0 picks a free port when you sign in.");
            return vec![Finding::new(State::Good, text)];
        }
        Ok(_) => return vec![free(address)],
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
            format!(
                "This machine doesn't have the address {ip}, so only the other address is used."
            ),
        )],
        ErrorKind::AddrNotAvailable => vec![
            Finding::new(
                State::Problem,
                format!("{ip} is not an address of this machine."),
            )
            .fix("Use 127.0.0.1 or localhost, or correct Listen address."),
        ],
        // Some systems without IPv6 return such an error.
        _ if at > 0 && holders.is_empty() => vec![Finding::new(
            State::Note,
            format!("{ip} can't be used here ({error}), so only the other address is used."),
        )],
        _ => vec![
            Finding::new(
                State::Problem,
                format!("Can't listen on {}: {error}.", place(address)),
            )
            .fix("Choose another port in Redirect URL."),
        ],
    }
}

/// Returns the finding for a free port.
#[must_use]
pub fn free(address: SocketAddr) -> Finding {
    let text = format!("{} is free and can be used.", place(address));
    Finding::new(State::Good, text)
}

/// Returns the finding for a port in use.
#[must_use]
pub fn taken(address: SocketAddr, holder: Option<&Holder>) -> Finding {
    let (place, port) = (place(address), address.port());
    let problem = |text: String| Finding::new(State::Problem, text);
    let other = "or choose another port and register it with the service.";
    let hidden = format!("Find it as root, {other}");
    let look = if cfg!(target_os = "linux") {
        format!("sudo ss -ltnp 'sport = :{port}'")
    } else {
        format!("sudo lsof -nP -iTCP:{port} -sTCP:LISTEN")
    };
    match holder {
        Some(Holder::Ourselves) => Finding::new(
            State::Note,
            format!("{place} is in use by this program, for the sign-in in progress."),
        ),
        Some(Holder::Process(name, id)) => {
            problem(format!("{place} is in use by {name} (process {id})."))
                .fix(format!("Stop that process, {other}"))
        }
        Some(Holder::Hidden(uid, user)) => {
            let user = user
                .as_ref()
                .map_or_else(|| format!("with ID {uid}"), Clone::clone);
            problem(format!(
                "{place} is in use by a process of the user {user}, which your account can't see."
            ))
            .fix(hidden)
            .with(look)
        }
        None if cfg!(windows) => problem(format!("{place} is in use."))
            .fix(format!(
                "Find the process, whose ID is in the last column, {other}"
            ))
            .with(format!(
                "netstat -ano -p {} | findstr :{port}",
                if address.is_ipv6() { "tcpv6" } else { "tcp" }
            )),
        None => problem(format!(
            "{place} is in use by a process that your account can't see."
        ))
        .fix(hidden)
        .with(look),
    }
}

/// Returns the findings for a port that only root may use, with the workarounds if `ways` is set.
#[must_use]
pub fn privileged(address: SocketAddr, first: u16, program: &str, ways: bool) -> Vec<Finding> {
    let (ip, port, place) = (address.ip(), address.port(), place(address));
    let problem = |text: String| Finding::new(State::Problem, text);
    if cfg!(windows) {
        return vec![
            problem(format!(
                "Windows reserves {place} for itself or for another program."
            ))
            .fix(
                "Choose another port and register it with the service. This command lists the reserved ports:",
            )
            .with("netsh interface ipv4 show excludedportrange protocol=tcp"),
        ];
    }
    if port >= first {
        return vec![
            problem(format!(
                "The system doesn't allow your account to listen on {place}."
            ))
            .fix("Choose another port in Redirect URL."),
        ];
    }
    let mut findings = vec![
        problem(format!(
            "{place} requires root. Your account can listen only on ports {first} and above."
        ))
        .fix(
            "Choose such a port and register it with the service, or have root run one of these commands.",
        ),
    ];
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
                "To allow this program to use such ports (again after each update):",
            )
            .with(format!("sudo setcap cap_net_bind_service=+ep '{program}'")),
        );
        findings.push(
            Finding::new(
                State::Note,
                "To allow all users to use them, until the next restart:",
            )
            .with(format!(
                "sudo sysctl net.ipv4.ip_unprivileged_port_start={port}"
            )),
        );
        findings.push(
            Finding::new(
                State::Note,
                format!("To redirect the port, set Listen address to {high} and run:"),
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

/// Returns the path of this program, if it can be quoted.
fn program() -> String {
    std::env::current_exe()
        .ok()
        .map(|path| path.display().to_string())
        .filter(|path| !path.contains('\'') && clean(path, 4096) == *path)
        .unwrap_or_else(|| "/path/to/oauth-authorizer".to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
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
            or_loopback: false,
            listen: None,
            certificate: None,
            user: String::new(),
            thumbprint: None,
            ssh: None,
            consent: Consent::NotAsked,
        }
    }

    fn told(findings: &[Finding]) -> String {
        let lines: Vec<String> = findings
            .iter()
            .map(|finding| format!("{}: {}", finding.state.word(), finding.sentences()))
            .collect();
        lines.join("\n")
    }

    #[test]
    fn listen_address_reachable_by_others_causes_a_warning() {
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
    fn verify_checks_the_sign_in_certificate() {
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let file = folder.path().join("both.pem");
        let pem = made.cert.pem() + &made.signing_key.serialize_pem();
        std::fs::write(&file, pem).unwrap();
        let told_of = |path: std::path::PathBuf| {
            let certificate = Some(Files {
                certificate: path.clone(),
                key: path,
                origin: crate::certificate::Origin::Given,
            });
            let task = SetUpTask {
                certificate,
                ..task(SetUpAction::Verify, "https://localhost:0/cb")
            };
            told(&verify(&task))
        };
        let good = told_of(file);
        assert!(
            good.contains("ok: The entered certificate is valid for localhost."),
            "{good}"
        );
        let bad = told_of(folder.path().join("missing.pem"));
        assert!(
            bad.contains("missing.pem") && !bad.contains("Set up creates one"),
            "{bad}"
        );
    }

    #[test]
    fn no_certificate_is_needed_behind_a_proxy() {
        for url in ["https://mail.example/cb", "https://localhost:8443/cb"] {
            let listen = Some("127.0.0.1:0".parse().unwrap());
            for action in [SetUpAction::SetUp, SetUpAction::Verify] {
                let report = perform(&SetUpTask {
                    listen,
                    ..task(action, url)
                });
                let told = told(&report.findings);
                assert!(!told.contains("missing"), "{told}");
                assert!(told.contains("A proxy must accept https for "), "{told}");
            }
        }
    }

    #[test]
    fn port_owner_is_named_if_known() {
        let at = address("127.0.0.1:8400");
        for (holder, words) in [
            (
                Some(Holder::Process("python3".to_owned(), 7)),
                "python3 (process 7)",
            ),
            (
                Some(Holder::Hidden(33, Some("www-data".to_owned()))),
                "user www-data, which your account can't see",
            ),
            (Some(Holder::Hidden(5, None)), "user with ID 5"),
            (
                None,
                if cfg!(windows) {
                    "whose ID"
                } else {
                    "your account can't see"
                },
            ),
        ] {
            let finding = taken(at, holder.as_ref());
            assert_eq!(finding.state, State::Problem);
            let text = finding.sentences();
            assert!(text.contains(words), "{text}");
            assert!(text.contains("choose another port"), "{text}");
        }
        assert_eq!(taken(at, Some(&Holder::Ourselves)).state, State::Note);
    }

    #[test]
    fn localhost_resolving_elsewhere_is_reported() {
        let (four, six) = (
            IpAddr::from(Ipv4Addr::LOCALHOST),
            IpAddr::from(Ipv6Addr::LOCALHOST),
        );
        assert_eq!(
            localhost(&[four, six, four]).text,
            "localhost resolves to 127.0.0.1 and ::1."
        );
        assert_eq!(localhost(&[]).state, State::Note);
        assert_eq!(
            localhost(&[four, Ipv4Addr::new(10, 0, 0, 1).into()]).state,
            State::Problem
        );
    }

    #[cfg(windows)]
    #[test]
    fn windows_reserved_port_is_reported() {
        let findings = privileged(address("127.0.0.1:443"), 1024, "x", true);
        assert!(told(&findings).contains("Windows reserves 127.0.0.1 port 443"));
        assert!(findings[0].command.is_some() && findings.len() == 1);
    }

    #[cfg(not(windows))]
    #[test]
    fn privileged_port_shows_workarounds() {
        let findings = privileged(address("127.0.0.1:443"), 1024, "/opt/o a", true);
        assert!(told(&findings).contains("ports 1024 and above"));
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
    fn verify_reports_free_ports_and_foreign_hosts() {
        let report = perform(&task(SetUpAction::Verify, "http://127.0.0.1:0/"));
        assert_eq!(report.findings[0].state, State::Good);
        let other = perform(&task(SetUpAction::Verify, "https://sso.example.org/cb"));
        assert!(
            told(&other.findings).contains("problem: The redirect URL points to sso.example.org")
        );
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
            assert!(told(&report.findings).starts_with("note: There is nothing"));
        }
    }

    #[test]
    fn port_held_by_this_process_is_recognized() {
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
