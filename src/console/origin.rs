//! Detects where the user is connected from, by the processes above this one, the displays and the container.
//!
//! `sudo` and `su` drop the variables that tell, and programs that outlive a session keep outdated ones. Detection
//! never waits: it reads a few small files, within limits.

#[cfg(target_os = "linux")]
use std::fs::Metadata;

/// Maximum number of parent processes to check.
#[cfg(target_os = "linux")]
const LEVELS: usize = 64;
/// Maximum size of the environment to read from a process, in bytes.
#[cfg(target_os = "linux")]
const VARIABLES: u64 = 256 * 1024;

/// A server through which users connect from other machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// An SSH server.
    Ssh,
    /// A mosh server.
    Mosh,
    /// Another server, such as telnet or a terminal in a web page.
    Other,
}

/// A program that keeps sessions, to which terminals attach from this machine and from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeper {
    /// A tmux server.
    Tmux,
    /// GNU screen.
    Screen,
}

/// What the machine tells about where the user is. With the default, only the environment variables count.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// The name of the terminal device.
    pub line: Option<String>,
    /// The server through which the user is connected.
    pub door: Option<Door>,
    /// The program that keeps the session. The processes above it are not checked: they only tell where it was started.
    pub keeper: Option<Keeper>,
    /// Whether some processes above this one can't be seen.
    pub incomplete: bool,
    /// The value of `SSH_CONNECTION` in a process above this one.
    pub ssh_connection: Option<String>,
    /// The login name in the process title of the SSH server.
    pub login: Option<String>,
    /// Whether the user has changed on the way, with `sudo`, `su` or a similar program.
    pub changed_user: bool,
    /// Whether this is Windows Server without a desktop shell (Server Core).
    pub server_core: bool,
    /// Whether this process belongs to a visible desktop of Windows.
    pub visible_desktop: bool,
    /// The displays of other users, such as `:1` or `wayland-0`.
    pub foreign_displays: Vec<String>,
    /// The displays from outside this container, such as `:1` or `wayland-0`.
    pub outside_displays: Vec<String>,
}

/// The clients that are attached to this tmux.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attached {
    /// Whether this terminal is a pane of this tmux. `false` if that is unknown.
    pub ours: bool,
    /// Whether at least one client is attached, and all of them are at the desktop named in the environment.
    pub here: bool,
    /// Whether a client is attached through mosh.
    pub mosh: bool,
    /// Whether a client is attached over SSH or through mosh.
    pub ssh: bool,
    /// The `SSH_CONNECTION` of that client, if known.
    pub ssh_connection: Option<String>,
}

impl Origin {
    /// Returns the origin of this process.
    #[must_use]
    pub fn of_process() -> Self {
        Self {
            line: line(),
            #[cfg(windows)]
            visible_desktop: crate::windows::desktop_is_visible(),
            #[cfg(windows)]
            server_core: is_server_core(
                crate::windows::machine_setting(
                    r"SOFTWARE\Microsoft\Windows NT\CurrentVersion",
                    "InstallationType",
                )
                .as_deref(),
            ),
            #[cfg(target_os = "linux")]
            foreign_displays: foreign_displays(),
            #[cfg(target_os = "linux")]
            outside_displays: if is_container() {
                outside_displays()
            } else {
                Vec::new()
            },
            ..Self::of(std::process::id())
        }
    }

    /// Returns whether a display belongs to another user.
    #[must_use]
    pub fn is_foreign(&self, name: &str) -> bool {
        holds(&self.foreign_displays, name)
    }

    /// Returns whether a display comes from outside this container.
    #[must_use]
    pub fn is_outside(&self, name: &str) -> bool {
        holds(&self.outside_displays, name)
    }

    /// Returns what the processes above `pid` tell.
    #[must_use]
    pub fn of(pid: u32) -> Self {
        #[cfg(target_os = "linux")]
        return walk(pid, &Proc);
        #[cfg(not(target_os = "linux"))]
        {
            let _ = pid;
            Self::default()
        }
    }
}

/// Returns whether this edition of Windows has no desktop shell, and so no browser.
#[cfg(any(windows, test))]
fn is_server_core(installation: Option<&str>) -> bool {
    matches!(installation, Some("Server Core" | "Nano Server"))
}

/// Returns the values of these variables at the start of a process; `None` if they can't be read.
#[cfg(target_os = "linux")]
#[must_use]
pub fn variables_of<const N: usize>(pid: u32, names: [&str; N]) -> Option<[Option<String>; N]> {
    use std::io::Read;
    let file = std::fs::File::open(format!("/proc/{pid}/environ")).ok()?;
    let mut bytes = Vec::new();
    file.take(VARIABLES).read_to_end(&mut bytes).ok()?;
    let values = names.map(|name| {
        bytes.split(|byte| *byte == 0).find_map(|entry| {
            let entry = std::str::from_utf8(entry).ok()?;
            let (known, value) = entry.split_once('=')?;
            (known == name && !value.is_empty()).then(|| value.to_owned())
        })
    });
    // The environment may contain secrets of other programs.
    zeroize::Zeroize::zeroize(&mut bytes);
    Some(values)
}

/// Returns whether the list contains a display. An X display may end with a screen number.
fn holds(displays: &[String], name: &str) -> bool {
    let display = name.split('.').next().unwrap_or_default();
    displays
        .iter()
        .any(|known| [name, display].contains(&known.as_str()))
}

/// Returns the name of the terminal device.
fn line() -> Option<String> {
    #[cfg(unix)]
    {
        super::device::name()
    }
    #[cfg(not(unix))]
    None
}

#[cfg(target_os = "linux")]
fn is_container() -> bool {
    ["/.dockerenv", "/run/.containerenv"]
        .into_iter()
        .any(|mark| std::path::Path::new(mark).exists())
        || std::env::var_os("container").is_some_and(|name| !name.is_empty())
}

/// Returns the displays whose sockets were not created in this container: mounted sockets are on another file system,
/// and sockets that come with the network of the host have no file in the container.
#[cfg(target_os = "linux")]
fn outside_displays() -> Vec<String> {
    use std::os::unix::fs::MetadataExt;
    let Ok(home) = std::fs::metadata("/tmp") else {
        return Vec::new();
    };
    let (mut outside, mut own) = (Vec::new(), Vec::new());
    if let Ok(sockets) = std::fs::read_dir("/tmp/.X11-unix") {
        for (name, socket) in displays(sockets) {
            let displays = if socket.dev() == home.dev() {
                &mut own
            } else {
                &mut outside
            };
            displays.push(name);
        }
    }
    let unnamed = std::fs::read_to_string("/proc/net/unix").unwrap_or_default();
    outside.extend(
        unnamed
            .lines()
            .filter_map(|line| line.rsplit_once("@/tmp/.X11-unix/X"))
            .map(|(_, number)| format!(":{number}"))
            .filter(|name| !own.contains(name)),
    );
    outside.extend(wayland().map(|(name, _)| name));
    outside
}

/// Returns the displays whose sockets belong to neither this user nor root. Some X servers run as root.
#[cfg(target_os = "linux")]
fn foreign_displays() -> Vec<String> {
    use std::os::unix::fs::MetadataExt;
    let user = rustix::process::geteuid().as_raw();
    let sockets = std::fs::read_dir("/tmp/.X11-unix").map(displays);
    sockets
        .unwrap_or_default()
        .into_iter()
        .chain(wayland())
        .filter(|(_, socket)| ![0, user].contains(&socket.uid()))
        .map(|(name, _)| name)
        .collect()
}

/// Returns the Wayland display named in the environment, and its socket.
#[cfg(target_os = "linux")]
fn wayland() -> Option<(String, Metadata)> {
    let name = std::env::var("WAYLAND_DISPLAY").ok()?;
    let folder = std::env::var_os("XDG_RUNTIME_DIR")?;
    let socket = std::fs::metadata(std::path::Path::new(&folder).join(&name)).ok()?;
    Some((name, socket))
}

/// Returns the X displays of these sockets.
#[cfg(target_os = "linux")]
fn displays(sockets: std::fs::ReadDir) -> Vec<(String, Metadata)> {
    sockets
        .flatten()
        .take(1000)
        .filter_map(|socket| {
            let name = socket.file_name().into_string().ok()?;
            let found = std::fs::symlink_metadata(socket.path()).ok()?;
            Some((format!(":{}", name.strip_prefix('X')?), found))
        })
        .collect()
}

/// Access to the processes of a machine.
#[cfg(target_os = "linux")]
trait Processes {
    /// Returns the parent and the name of a process.
    fn stat(&self, pid: u32) -> Option<(u32, String)>;
    /// Returns the title that a process has set for itself.
    fn title(&self, pid: u32) -> Option<String>;
    fn ssh_connection(&self, pid: u32) -> Option<String>;
}

/// The processes of this machine.
#[cfg(target_os = "linux")]
struct Proc;

#[cfg(target_os = "linux")]
impl Processes for Proc {
    fn stat(&self, pid: u32) -> Option<(u32, String)> {
        let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
        parse_stat(&String::from_utf8_lossy(&stat))
    }

    fn title(&self, pid: u32) -> Option<String> {
        use std::io::Read;
        let file = std::fs::File::open(format!("/proc/{pid}/cmdline")).ok()?;
        let mut title = Vec::new();
        file.take(512).read_to_end(&mut title).ok()?;
        let first = title.split(|byte| *byte == 0).next()?;
        String::from_utf8(first.to_vec()).ok()
    }

    fn ssh_connection(&self, pid: u32) -> Option<String> {
        let [connection] = variables_of(pid, ["SSH_CONNECTION"])?;
        connection
    }
}

/// Parses the parent and the name. The name may contain any characters, including parentheses and spaces.
#[cfg(target_os = "linux")]
fn parse_stat(stat: &str) -> Option<(u32, String)> {
    let (before, after) = stat.rsplit_once(')')?;
    let (_, name) = before.split_once('(')?;
    let parent = after.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some((parent, name.to_owned()))
}

#[cfg(target_os = "linux")]
fn walk(pid: u32, processes: &impl Processes) -> Origin {
    let mut origin = Origin {
        incomplete: true,
        ..Origin::default()
    };
    let mut below = Vec::new();
    let Some((mut pid, _)) = processes.stat(pid) else {
        return origin;
    };
    for _ in 0..LEVELS {
        // A process without a parent was started from outside this container.
        if pid == 0 {
            return origin;
        }
        let Some((parent, name)) = processes.stat(pid) else {
            // The first process may be hidden from users, but nothing is above it.
            origin.incomplete = pid != 1;
            return origin;
        };
        origin.changed_user |= changes_user(&name);
        origin.keeper = keeper(&name);
        origin.door = door(&name);
        if origin.keeper.is_some() {
            origin.incomplete = false;
            return origin;
        }
        if origin.door.is_some() {
            origin.incomplete = false;
            origin.ssh_connection = below
                .iter()
                .rev()
                .find_map(|pid| processes.ssh_connection(*pid));
            origin.login = processes.title(pid).and_then(|title| login(&title));
            return origin;
        }
        if pid == 1 {
            origin.incomplete = false;
            return origin;
        }
        below.push(pid);
        pid = parent;
    }
    origin
}

#[cfg(target_os = "linux")]
fn changes_user(name: &str) -> bool {
    ["sudo", "su", "doas", "pkexec", "runuser"].contains(&name)
}

#[cfg(target_os = "linux")]
fn keeper(name: &str) -> Option<Keeper> {
    match name {
        "tmux: server" => Some(Keeper::Tmux),
        "screen" | "SCREEN" => Some(Keeper::Screen),
        _ => None,
    }
}

#[cfg(target_os = "linux")]
fn door(name: &str) -> Option<Door> {
    match name {
        "sshd" | "sshd-session" | "dropbear" => Some(Door::Ssh),
        "mosh-server" => Some(Door::Mosh),
        "telnetd" | "in.telnetd" | "etterminal" | "ttyd" | "shellinaboxd" | "cockpit-bridge" => {
            Some(Door::Other)
        }
        _ => None,
    }
}

/// Returns the login name in a title such as `sshd: alice@pts/3`.
#[cfg(target_os = "linux")]
fn login(title: &str) -> Option<String> {
    let rest = ["sshd: ", "sshd-session: "]
        .into_iter()
        .find_map(|server| title.strip_prefix(server))?;
    let (name, _) = rest.rsplit_once('@')?;
    Some(name.to_owned())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// Processes as PID, parent, name, title and `SSH_CONNECTION`.
    struct Table(&'static [(u32, u32, &'static str, &'static str, &'static str)]);

    impl Processes for Table {
        fn stat(&self, pid: u32) -> Option<(u32, String)> {
            let (_, parent, name, ..) = self.0.iter().find(|one| one.0 == pid)?;
            Some((*parent, (*name).to_owned()))
        }

        fn title(&self, pid: u32) -> Option<String> {
            self.0
                .iter()
                .find(|one| one.0 == pid)
                .map(|one| one.3.to_owned())
        }

        fn ssh_connection(&self, pid: u32) -> Option<String> {
            let one = self.0.iter().find(|one| one.0 == pid)?;
            (!one.4.is_empty()).then(|| one.4.to_owned())
        }
    }

    #[test]
    fn server_core_is_known_by_its_installation_type() {
        for installation in ["Server Core", "Nano Server"] {
            assert!(is_server_core(Some(installation)));
        }
        for installation in [Some("Client"), Some("Server"), Some(""), None] {
            assert!(!is_server_core(installation));
        }
    }

    #[test]
    fn ssh_server_is_found_behind_sudo_and_su() {
        let table = Table(&[
            (1, 0, "systemd", "", ""),
            (10, 1, "sshd", "sshd: /usr/sbin/sshd -D", ""),
            (11, 10, "sshd", "sshd: alice [priv]", ""),
            (12, 11, "sshd", "sshd: alice@pts/0", ""),
            (13, 12, "bash", "-bash", "192.0.2.1 5 192.0.2.2 22"),
            (14, 13, "sudo", "sudo", "192.0.2.1 5 192.0.2.2 22"),
            (15, 14, "su", "su", ""),
            (16, 15, "oauth", "oauth", ""),
        ]);
        let origin = walk(16, &table);
        assert_eq!(origin.door, Some(Door::Ssh));
        assert_eq!(origin.login.as_deref(), Some("alice"));
        assert!(origin.changed_user);
        assert_eq!(
            origin.ssh_connection.as_deref(),
            Some("192.0.2.1 5 192.0.2.2 22")
        );
        assert!(!origin.incomplete);
    }

    #[test]
    fn processes_above_tmux_and_screen_are_ignored() {
        for (name, keeper) in [
            ("tmux: server", Keeper::Tmux),
            ("screen", Keeper::Screen),
            ("SCREEN", Keeper::Screen),
        ] {
            let table = [
                (1, 0, "init", "", ""),
                (2, 1, "sshd", "", ""),
                (3, 2, name, "", ""),
                (4, 3, "bash", "", ""),
                (5, 4, "oauth", "", ""),
            ];
            let table = Table(Box::leak(Box::new(table)));
            let origin = walk(5, &table);
            assert_eq!((origin.keeper, origin.door), (Some(keeper), None), "{name}");
        }
    }

    #[test]
    fn process_chain_is_complete_only_up_to_init() {
        let desk = Table(&[
            (1, 0, "systemd", "", ""),
            (2, 1, "xterm", "", ""),
            (3, 2, "bash", "", ""),
            (4, 3, "oauth", "", ""),
        ]);
        assert_eq!(walk(4, &desk), Origin::default());
        // The first process is hidden.
        assert!(!walk(4, &Table(&desk.0[1..])).incomplete);
        // Another process is hidden, or the program was started from outside the container.
        assert!(walk(4, &Table(&desk.0[2..])).incomplete);
        assert!(walk(4, &Table(&[(4, 0, "oauth", "", "")])).incomplete);
        // A cycle, which can appear while processes change.
        assert!(walk(4, &Table(&[(4, 3, "a", "", ""), (3, 4, "b", "", "")])).incomplete);
    }

    #[test]
    fn unusual_process_names_are_parsed() {
        let (parent, name) = parse_stat("12 (a) R 1 (b) S 77 12 12 0").unwrap_or_default();
        assert_eq!((parent, name.as_str()), (77, "a) R 1 (b"));
        assert_eq!(parse_stat("12 (cut"), None);
        assert_eq!(login("sshd: a@corp@pts/1"), Some("a@corp".to_owned()));
        assert_eq!(login("sshd: alice [priv]"), None);
    }
}
