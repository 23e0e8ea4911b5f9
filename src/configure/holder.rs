//! Finds which process uses a port, in the kernel's tables, as far as this user may see it. Linux only.

use std::fmt::Write as _;
use std::fs;
use std::net::{IpAddr, SocketAddr};

use crate::clean::clean;

/// The process that uses a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// This program itself.
    Ourselves,
    /// A process, with its name and PID.
    Process(String, u32),
    /// A process that is hidden from this user. Contains the ID and name of its user.
    Hidden(u32, Option<String>),
}

/// A listening socket, with its address, user ID and inode.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Socket {
    address: SocketAddr,
    uid: u32,
    inode: u64,
}

/// Returns which processes prevent listening on `address`. There are several if a process has passed its socket on.
pub(super) fn holders(address: SocketAddr) -> Vec<Holder> {
    let sockets: Vec<Socket> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .into_iter()
        .filter_map(|path| fs::read_to_string(path).ok())
        .flat_map(|table| listening(&table))
        .filter(|socket| in_the_way(socket.address, address))
        .collect();
    let mut holders: Vec<Holder> = sockets.iter().filter_map(process).collect();
    if holders.is_empty() {
        let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
        holders.extend(
            sockets
                .iter()
                .map(|socket| Holder::Hidden(socket.uid, user_name(&users, socket.uid))),
        );
    }
    holders
}

/// Returns whether a socket listening on `there` prevents listening on `here`.
fn in_the_way(there: SocketAddr, here: SocketAddr) -> bool {
    let (one, other) = (there.ip().to_canonical(), here.ip().to_canonical());
    there.port() == here.port()
        && (one == other
            || (other.is_unspecified() && (other.is_ipv6() || one.is_ipv4()))
            // A socket for all IPv6 addresses also covers IPv4, unless it is IPv6-only.
            || (one.is_unspecified() && (one.is_ipv6() || other.is_ipv4())))
}

/// Parses the listening sockets of a table such as /proc/net/tcp or tcp6.
fn listening(table: &str) -> Vec<Socket> {
    table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let (local, state) = (fields.get(1)?, fields.get(3)?);
            (*state == "0A").then_some(())?;
            let (ip, port) = local.split_once(':')?;
            // Groups of four bytes, each written as a number in native byte order.
            let bytes: Option<Vec<u8>> = (0..ip.len() / 8)
                .map(|at| u32::from_str_radix(ip.get(at * 8..at * 8 + 8)?, 16).ok())
                .map(|word| word.map(u32::to_ne_bytes))
                .collect::<Option<Vec<[u8; 4]>>>()
                .map(|words| words.concat());
            let bytes = bytes?;
            let ip: IpAddr = match (<[u8; 4]>::try_from(&*bytes), <[u8; 16]>::try_from(&*bytes)) {
                (Ok(four), _) => four.into(),
                (_, Ok(sixteen)) => sixteen.into(),
                _ => return None,
            };
            Some(Socket {
                address: SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?),
                uid: fields.get(7)?.parse().ok()?,
                inode: fields.get(9)?.parse().ok()?,
            })
        })
        .collect()
}

/// Finds the process that has this socket open, as far as this user may see it.
fn process(socket: &Socket) -> Option<Holder> {
    let mut link = String::new();
    let _ = write!(link, "socket:[{}]", socket.inode);
    let has = |folder: &str| {
        fs::read_dir(folder).is_ok_and(|entries| {
            entries
                .flatten()
                .any(|entry| fs::read_link(entry.path()).is_ok_and(|to| to.as_os_str() == &*link))
        })
    };
    // This program hides its files from other processes of the user, and thereby also under its own PID.
    if has("/proc/self/fd") {
        return Some(Holder::Ourselves);
    }
    for entry in fs::read_dir("/proc").ok()?.flatten() {
        let Some(id) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        if has(&format!("/proc/{id}/fd")) {
            return Some(Holder::Process(process_name(id), id));
        }
    }
    None
}

/// Returns the name of a process: that of its executable, because threads may have other names.
fn process_name(id: u32) -> String {
    let file = fs::read_link(format!("/proc/{id}/exe")).ok();
    let file = file.as_ref().and_then(|path| path.file_name());
    let name = file.map_or_else(
        || fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default(),
        |name| name.to_string_lossy().into_owned(),
    );
    clean(&name, 40)
}

/// Returns the name of a user, from a text such as /etc/passwd.
fn user_name(users: &str, uid: u32) -> Option<String> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let known: u32 = fields.nth(1)?.parse().ok()?;
        (known == uid).then(|| clean(name, 40))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn socket_tables_are_parsed() {
        let four = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   0: \
            0100007F:20D0 00000000:0000 0A 00000000:00000000 00:00000000 00000000    33        0 12345 1 0\n   1: 0100007F:20D1 \
            0100007F:1 01 0:0 00:0 0 0 0 9 1\nrubbish\n";
        assert_eq!(
            listening(four),
            [Socket {
                address: address("127.0.0.1:8400"),
                uid: 33,
                inode: 12345
            }]
        );
        let six = "head\n 0: 00000000000000000000000001000000:01BB 0:0 0A 0:0 00:0 0 0 0 77 1\n 1: \
            0000000000000000FFFF00000100007F:0050 0:0 0A 0:0 00:0 0 1000 0 78 1\n";
        let sockets = listening(six);
        assert_eq!(sockets[0].address, address("[::1]:443"));
        assert!(in_the_way(sockets[1].address, address("127.0.0.1:80")));
    }

    #[test]
    fn wildcard_sockets_conflict_with_specific_addresses() {
        for (there, here, way) in [
            ("127.0.0.1:1", "127.0.0.1:1", true),
            ("127.0.0.1:1", "127.0.0.1:2", false),
            ("0.0.0.0:1", "127.0.0.1:1", true),
            ("[::]:1", "127.0.0.1:1", true),
            ("[::]:1", "[::1]:1", true),
            ("0.0.0.0:1", "[::1]:1", false),
            ("127.0.0.2:1", "127.0.0.1:1", false),
            ("127.0.0.2:1", "0.0.0.0:1", true),
            ("[::1]:1", "0.0.0.0:1", false),
        ] {
            assert_eq!(
                in_the_way(address(there), address(here)),
                way,
                "{there} {here}"
            );
        }
    }

    #[test]
    fn user_names_are_looked_up_by_uid() {
        let users = "root:x:0:0::/:/bin/sh\nwww-data:x:33:33::/:/bin/sh\nbroken\n";
        assert_eq!(user_name(users, 33), Some("www-data".to_owned()));
        assert_eq!(user_name(users, 5), None);
    }
}
