//! Where the program is: read once at the start, passed in everywhere.

use std::net::{IpAddr, SocketAddr};

use crate::console::origin::{Attached, Door, Keeper, Origin};

/// What the environment allows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Environment {
    /// Reached over SSH, and what is known of that.
    pub ssh: Option<Ssh>,
    /// The session came through mosh.
    pub mosh: bool,
    /// `TMUX` is set. It may belong to another window.
    pub tmux: bool,
    /// Inside a tmux that cannot be asked, because `TMUX` was lost.
    pub lost_tmux: bool,
    /// Inside GNU screen.
    pub screen: bool,
    /// Linux within Windows.
    pub wsl: bool,
    /// A desktop session on this machine can be shown something, and is surely the user's.
    pub display: bool,
    /// There is one that is the user's if tmux is attached from there only.
    pub display_of_tmux: bool,
    /// There is one that may be somebody else's: nothing is copied to it or shown on it.
    pub display_in_doubt: bool,
    /// Windows without a desktop shell: it has a clipboard and windows, and no browser.
    pub server_core: bool,
    /// Somebody became another user on the way here, so the desktop is that one's.
    pub changed_user: bool,
    /// The X display that the variables name.
    pub x_display: Option<String>,
    /// The Wayland display that the variables name.
    pub wayland_display: Option<String>,
    /// The name of the terminal's device.
    pub line: Option<String>,
    /// Who has logged in, as the variables tell; `None` if the name is not one that can be in a command.
    pub login: Option<String>,
    /// The terminal's type.
    pub term: String,
    /// What kind of terminal that is.
    pub terminal: Terminal,
    /// The terminal shows UTF-8.
    pub utf8: bool,
    /// The terminal shows colors, and the user has nothing against them.
    pub colors: bool,
    /// What decided that.
    pub why: Why,
    /// No URL is to be a link.
    pub no_links: bool,
    /// No browser is to be opened.
    pub no_browser: bool,
    /// A browser named by the user.
    pub browser: Option<String>,
    /// This is Windows: redirect URLs are listened on with HTTP.sys.
    pub windows: bool,
    /// The current user there, as `DOMAIN\name`; empty elsewhere.
    pub user: String,
    /// Names of variables that hold a secret; no child process inherits them.
    pub secret_variables: Vec<String>,
}

/// A session over SSH, as this machine sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ssh {
    /// Where this machine was reached; `None` if that is not told, or counts on this machine only.
    pub server: Option<SocketAddr>,
    /// Who has logged in; `None` if the name is not one that can be in a command.
    pub login: Option<String>,
}

/// A kind of terminal.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Terminal {
    /// An emulator of our days, or one that pretends to be.
    #[default]
    Emulator,
    /// The console of a Linux machine, also behind KVM.
    Linux,
    /// A terminal on a serial line, by its name where that is known; or one that names itself after such.
    Serial(Option<String>),
    /// The console of Windows.
    Windows,
    /// It can do nothing but print, or says nothing of itself.
    Dumb,
}

/// In words, what decided over glyphs, colors and the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Why {
    /// UTF-8 or ASCII.
    pub utf8: &'static str,
    /// Colors or none.
    pub colors: &'static str,
    /// A desktop or none.
    pub display: &'static str,
    /// How the program was reached, where the variables alone do not say so; with SSH, why that is known.
    pub reached: &'static str,
}

impl Environment {
    /// The environment of this process.
    #[must_use]
    pub fn of_process() -> Self {
        Self::from_variables(|name| std::env::var(name).ok(), &Origin::of_process())
    }

    /// Reads the environment through `variable`, so that tests need not change the real one. `origin` is what the machine
    /// tells beyond that.
    #[must_use]
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>, origin: &Origin) -> Self {
        let given = |name: &str| variable(name).filter(|value| !value.is_empty());
        let set = |name: &str| given(name).is_some();
        let term = variable("TERM").unwrap_or_default();
        let terminal = terminal(&term, origin.line.as_deref());
        let told = ["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"]
            .into_iter()
            .any(set);
        let mosh = origin.door == Some(Door::Mosh);
        let by_ssh = matches!(origin.door, Some(Door::Ssh | Door::Mosh));
        // Who became another user here has logged in under the first name.
        let login = origin
            .login
            .clone()
            .or_else(|| {
                ["SUDO_USER", "LOGNAME", "USER", "USERNAME"]
                    .into_iter()
                    .find_map(given)
            })
            .filter(|name| is_plain_name(name));
        let ssh = (told || by_ssh).then(|| Ssh {
            server: given("SSH_CONNECTION")
                .or_else(|| origin.ssh_connection.clone())
                .and_then(|text| server(&text)),
            login: login.clone(),
        });
        let reached = match origin.door {
            Some(Door::Mosh) => "mosh-server is a parent process",
            Some(Door::Ssh) if !told => "an SSH server is a parent process",
            Some(Door::Other) => {
                "from another computer: a server for remote terminals is a parent process"
            }
            None if origin.incomplete && !told => {
                "probably on this machine (some parent processes can't be seen)"
            }
            Some(Door::Ssh) | None => "",
        };
        let tmux = set("TMUX");
        let lost_tmux = !tmux && origin.keeper == Some(Keeper::Tmux);
        let screen = set("STY") || origin.keeper == Some(Keeper::Screen);
        let desktop = desktop(&given);
        let changed_user =
            origin.changed_user || ["SUDO_UID", "DOAS_USER", "PKEXEC_UID"].into_iter().any(set);
        let serial = matches!(terminal, Terminal::Serial(Some(_)));
        let doubt = if serial {
            Some("this is a serial line, and the desktop is on another computer")
        } else {
            doubt(&given, origin, changed_user).or_else(|| doubt_of_keeper(tmux, lost_tmux, screen))
        };
        let (display, why_display) = match (desktop, doubt) {
            (_, _) if ssh.is_some() => (false, "this is an SSH session from another computer"),
            (_, _) if origin.door.is_some() => (false, "you are connected from another computer"),
            (Err(why), _) | (Ok(_), Some(why)) => (false, why),
            (Ok(why), None) => (true, why),
        };
        let display_in_doubt =
            desktop.is_ok() && !display && ssh.is_none() && origin.door.is_none();
        let display_of_tmux = display_in_doubt && doubt == Some(DOUBT_OF_TMUX);
        let (utf8, why_utf8) = glyphs(&terminal, &given);
        let (colors, why_colors) = colors(&term, &terminal, &given);
        let user = match (variable("USERDOMAIN"), variable("USERNAME")) {
            (Some(domain), Some(name)) if cfg!(windows) => format!("{domain}\\{name}"),
            (None, Some(name)) if cfg!(windows) => name,
            _ => String::new(),
        };
        Self {
            mosh,
            tmux,
            lost_tmux,
            screen,
            wsl: is_wsl(&given),
            display,
            display_of_tmux,
            display_in_doubt,
            server_core: origin.server_core,
            changed_user,
            x_display: given("DISPLAY"),
            wayland_display: given("WAYLAND_DISPLAY"),
            line: origin.line.clone(),
            login,
            utf8,
            colors,
            why: Why {
                utf8: why_utf8,
                colors: why_colors,
                display: why_display,
                reached,
            },
            browser: given("BROWSER"),
            no_links: false,
            no_browser: false,
            windows: cfg!(windows),
            user,
            secret_variables: Vec::new(),
            ssh,
            term,
            terminal,
        }
    }

    /// Takes in what tmux said of who is attached to it.
    pub fn attached(&mut self, attached: &Attached) {
        if self.display_of_tmux {
            let here = attached.ours && attached.here;
            self.display = here;
            self.display_in_doubt = !here;
            self.why.display = if here {
                "tmux is attached from this desktop only"
            } else {
                "tmux is not attached from this desktop only"
            };
        }
        let by_tmux = "tmux is attached over SSH";
        if !attached.ours {
            return;
        }
        self.mosh = attached.mosh;
        if self.ssh.is_none() || self.why.reached == by_tmux {
            let connection = attached.ssh_connection.as_ref();
            self.ssh = attached.ssh.then(|| Ssh {
                server: connection.and_then(|connection| server(connection)),
                login: self.login.clone(),
            });
            self.why.reached = if attached.ssh { by_tmux } else { "" };
        }
    }

    /// True if this machine has a desktop that can show a browser.
    #[must_use]
    pub fn has_browser(&self) -> bool {
        self.display && (!self.server_core || self.browser.is_some())
    }

    /// True if a browser can be shown to the user: on a desktop of this machine only.
    #[must_use]
    pub fn can_browse(&self) -> bool {
        self.has_browser() && !self.no_browser
    }

    /// A command whose child sees no secret of ours.
    #[must_use]
    pub fn command(&self, program: &str) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(program);
        for name in &self.secret_variables {
            command.env_remove(name);
        }
        command
    }
}

fn terminal(term: &str, line: Option<&str>) -> Terminal {
    // Names of the kernel's drivers with a number behind; anything else may be a screen.
    let serial = line
        .and_then(|line| line.strip_prefix("/dev/"))
        .filter(|name| {
            [
                "ttyS", "ttyUSB", "ttyACM", "ttyAMA", "ttymxc", "ttyO", "hvc", "cuau",
            ]
            .into_iter()
            .filter_map(|driver| name.strip_prefix(driver))
            .any(|number| !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit()))
        });
    if cfg!(windows) {
        // Its console can do the same whatever somebody from elsewhere has put into TERM.
        Terminal::Windows
    } else if is_dumb(term) {
        Terminal::Dumb
    } else if term == "linux" {
        Terminal::Linux
    } else if let Some(name) = serial {
        Terminal::Serial(Some(name.to_owned()))
    } else if is_vt(term) {
        Terminal::Serial(None)
    } else {
        Terminal::Emulator
    }
}

/// True for what can only print lines, and for names that connections and printers have instead of terminals: terminfo
/// describes none of them as able to move the cursor.
fn is_dumb(term: &str) -> bool {
    let names = [
        "",
        "dumb",
        "emacs",
        "unknown",
        "network",
        "ethernet",
        "net",
        "dialup",
        "switch",
        "patch",
        "plugboard",
        "lpr",
        "printer",
    ];
    names.contains(&term) || term.starts_with("dumb-")
}

/// True for vt100 and its kin, but not for the emulators whose names begin so.
fn is_vt(term: &str) -> bool {
    term.strip_prefix("vt")
        .is_some_and(|rest| rest.starts_with(|digit: char| digit.is_ascii_digit()))
}

/// The server's half of `SSH_CONNECTION`: client address and port, server address and port.
fn server(connection: &str) -> Option<SocketAddr> {
    let parts: Vec<&str> = connection.split_ascii_whitespace().collect();
    let [_, _, ip, port] = parts.as_slice() else {
        return None;
    };
    // An address with a zone is none to another machine, and does not parse.
    let ip: IpAddr = ip.parse().ok()?;
    Some(SocketAddr::new(ip.to_canonical(), port.parse().ok()?))
}

/// True for a name that every shell takes as it is, and no program for a flag.
fn is_plain_name(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_')
        && name
            .chars()
            .all(|ch| ch.is_ascii_alphanumeric() || "._-+@".contains(ch))
}

/// Whether there is a desktop session here, and by what that is known.
fn desktop(given: &impl Fn(&str) -> Option<String>) -> Result<&'static str, &'static str> {
    let set = |name: &str| given(name).is_some();
    if cfg!(windows) {
        // Services and remote shells have no session name. Nor has an administrator's terminal, at times.
        if set("SESSIONNAME") || set("WT_SESSION") {
            Ok("interactive Windows session")
        } else {
            Err("not an interactive Windows session")
        }
    } else if cfg!(target_os = "macos") {
        Ok("macOS")
    } else if set("WAYLAND_DISPLAY") {
        Ok("WAYLAND_DISPLAY is set")
    } else if set("DISPLAY") {
        Ok("DISPLAY is set")
    } else {
        Err("no DISPLAY or WAYLAND_DISPLAY")
    }
}

/// Why a desktop that is here may not be the user's.
const DOUBT_OF_TMUX: &str = "this is tmux, which may be attached from another computer";

/// What speaks against a desktop that the variables name: it may be where a session was started, not where the user is.
fn doubt(
    given: &impl Fn(&str) -> Option<String>,
    origin: &Origin,
    changed_user: bool,
) -> Option<&'static str> {
    // Elsewhere the desktop has no such name.
    let named = |name| given(name).filter(|_| !cfg!(any(windows, target_os = "macos")));
    let (x, wayland) = (named("DISPLAY"), named("WAYLAND_DISPLAY"));
    // A path is a socket of this machine. X is used on a Wayland desktop too.
    let host = x.as_ref().and_then(|x| x.rsplit_once(':'));
    let host = host.map_or("", |(host, _)| host);
    let any = |is: &dyn Fn(&str) -> bool| [&x, &wayland].into_iter().flatten().any(|name| is(name));
    if !["", "unix"].contains(&host) && !host.starts_with('/') && !is_wsl(given) {
        Some("DISPLAY is a network address, so the desktop may be on another computer")
    } else if !changed_user && any(&|name| origin.is_foreign(name)) {
        Some("this is another user's desktop")
    } else if any(&|name| origin.is_outside(name)) {
        Some("this is a container, so the desktop may be someone else's")
    } else if origin.incomplete {
        Some("some parent processes can't be seen, so you may be connected from another computer")
    } else {
        None
    }
}

/// The same where something keeps the session.
fn doubt_of_keeper(tmux: bool, lost_tmux: bool, screen: bool) -> Option<&'static str> {
    if screen {
        Some("this is GNU screen, which may be attached from another computer")
    } else if lost_tmux {
        Some(
            "this is tmux, which may be attached from another computer and can't be queried without TMUX",
        )
    } else {
        tmux.then_some(DOUBT_OF_TMUX)
    }
}

fn is_wsl(given: &impl Fn(&str) -> Option<String>) -> bool {
    ["WSL_DISTRO_NAME", "WSL_INTEROP"]
        .into_iter()
        .any(|name| given(name).is_some())
}

fn glyphs(terminal: &Terminal, given: &impl Fn(&str) -> Option<String>) -> (bool, &'static str) {
    match terminal {
        Terminal::Windows => return (true, "the Windows console supports Unicode"),
        Terminal::Linux => return (false, "the console font has few glyphs"),
        Terminal::Serial(None) => return (false, "serial terminal"),
        Terminal::Dumb => return (false, "unknown terminal"),
        Terminal::Serial(Some(_)) | Terminal::Emulator => {}
    }
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(given);
    match locale.map(|locale| locale.to_ascii_lowercase()) {
        Some(locale) if locale.contains("utf-8") || locale.contains("utf8") => {
            (true, "set by the locale: LC_ALL, LC_CTYPE or LANG")
        }
        Some(_) => (false, "the locale is not UTF-8: LC_ALL, LC_CTYPE or LANG"),
        None => (false, "no locale is set in LC_ALL, LC_CTYPE or LANG"),
    }
}

fn colors(
    term: &str,
    terminal: &Terminal,
    given: &impl Fn(&str) -> Option<String>,
) -> (bool, &'static str) {
    if given("NO_COLOR").is_some() {
        return (false, "NO_COLOR is set");
    }
    match terminal {
        Terminal::Dumb => (false, "unknown terminal"),
        Terminal::Windows => (true, "the Windows console supports them"),
        // Of the many, these have colors.
        _ if is_vt(term)
            && !["vt241", "vt340", "vt525"]
                .iter()
                .any(|vt| term.starts_with(vt)) =>
        {
            (false, "the terminal doesn't support them")
        }
        _ if term.ends_with("-mono") || term.ends_with("-m") => (false, "monochrome terminal"),
        Terminal::Emulator | Terminal::Linux | Terminal::Serial(_) => {
            (true, "the terminal supports them")
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends on what it did not expect")]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Environment {
        on_line(variables, None)
    }

    fn on_line(variables: &[(&str, &str)], line: Option<&str>) -> Environment {
        let find = |name: &str| {
            variables
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        };
        let origin = Origin {
            line: line.map(str::to_owned),
            ..Origin::default()
        };
        Environment::from_variables(find, &origin)
    }

    #[test]
    fn a_desktop_without_a_shell_has_a_clipboard_and_no_browser() {
        let mut environment = Environment {
            display: true,
            ..Environment::default()
        };
        assert!(environment.has_browser() && environment.can_browse());
        environment.server_core = true;
        assert!(!environment.has_browser() && !environment.can_browse());
        // One that was installed is named.
        environment.browser = Some(r"C:\Browser\browser.exe".to_owned());
        assert!(environment.has_browser() && environment.can_browse());
        environment.no_browser = true;
        assert!(environment.has_browser() && !environment.can_browse());
    }

    #[cfg(windows)]
    #[test]
    fn a_session_with_a_name_is_a_desktop_here() {
        assert!(read(&[("SESSIONNAME", "Console")]).display);
        assert!(read(&[("WT_SESSION", "c7a5")]).display);
        assert!(!read(&[]).display);
        assert!(!read(&[("SESSIONNAME", "Console"), ("SSH_CLIENT", "10.0.0.1 5 22")]).display);
    }

    #[cfg(windows)]
    #[test]
    fn a_console_is_that_of_windows_whatever_term_says() {
        assert_eq!(read(&[]).terminal, Terminal::Windows);
        assert!(read(&[]).utf8 && read(&[]).colors);
        assert_eq!(read(&[("TERM", "dumb")]).terminal, Terminal::Windows);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_forwarded_display_is_not_a_desktop_here() {
        assert!(read(&[("DISPLAY", ":0")]).display);
        let remote = read(&[
            ("DISPLAY", "localhost:10.0"),
            ("SSH_CONNECTION", "10.0.0.1 5 10.0.0.2 22"),
        ]);
        assert!(remote.ssh.is_some() && !remote.display);
        assert!(!read(&[("DISPLAY", "")]).display);
        assert!(read(&[]).ssh.is_none());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_desktop_is_used_only_where_it_is_surely_the_users() {
        let desk = |variables: &[(&str, &str)], origin: Origin| {
            let find = |name: &str| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            Environment::from_variables(find, &origin)
        };
        let here = Origin::default;
        let x = ("DISPLAY", ":0");
        assert!(desk(&[x], here()).display);
        let outside = |display: &str| Origin {
            outside_displays: vec![display.to_owned()],
            ..here()
        };
        assert!(desk(&[("DISPLAY", ":1.0")], outside(":0")).display);
        let doubtful = [
            desk(&[("DISPLAY", "localhost:10.0")], here()),
            desk(
                &[
                    ("WAYLAND_DISPLAY", "wayland-0"),
                    ("DISPLAY", "localhost:10.0"),
                ],
                here(),
            ),
            desk(&[("DISPLAY", ":1.0")], outside(":1")),
            desk(&[("WAYLAND_DISPLAY", "wayland-0")], outside("wayland-0")),
            desk(&[x, ("STY", "1.a.b")], here()),
            desk(
                &[x],
                Origin {
                    foreign_displays: vec![":0".to_owned()],
                    ..here()
                },
            ),
            desk(
                &[x, ("TERM", "xterm")],
                Origin {
                    line: Some("/dev/ttyS0".to_owned()),
                    ..here()
                },
            ),
            desk(&[x, ("TMUX", "/tmp/x,1,0")], here()),
            desk(
                &[x],
                Origin {
                    keeper: Some(Keeper::Tmux),
                    ..here()
                },
            ),
            desk(
                &[x],
                Origin {
                    incomplete: true,
                    ..here()
                },
            ),
        ];
        for environment in &doubtful {
            assert!(
                !environment.display && environment.display_in_doubt,
                "{environment:?}"
            );
        }
        // Who ran sudo sits in front of it.
        let sudo = Origin {
            foreign_displays: vec![":0".to_owned()],
            changed_user: true,
            ..here()
        };
        for environment in [desk(&[x], sudo), desk(&[x, ("SUDO_UID", "1000")], here())] {
            assert!(environment.display && environment.changed_user);
        }
        // The way in is known where the variables are lost.
        for door in [Door::Ssh, Door::Mosh, Door::Other] {
            let origin = Origin {
                door: Some(door),
                login: Some("alice".to_owned()),
                ssh_connection: Some("192.0.2.1 5 192.0.2.2 22".to_owned()),
                ..here()
            };
            let environment = desk(&[x, ("USER", "root")], origin);
            assert!(!environment.display && !environment.display_in_doubt);
            assert_eq!(environment.mosh, door == Door::Mosh);
            let ssh = environment.ssh.map(|ssh| (ssh.server, ssh.login));
            let known = (
                Some("192.0.2.2:22".parse().unwrap()),
                Some("alice".to_owned()),
            );
            assert_eq!(ssh, (door != Door::Other).then_some(known));
        }
    }

    #[test]
    fn what_tmux_says_is_taken_in_each_time() {
        let mut environment = read(&[
            ("DISPLAY", ":0"),
            ("TMUX", "/tmp/x,1,0"),
            ("LOGNAME", "alice"),
        ]);
        let said = |ours, here, ssh: bool| Attached {
            ours,
            here,
            mosh: false,
            ssh,
            ssh_connection: ssh.then(|| "192.0.2.1 5 192.0.2.2 22".to_owned()),
        };
        if environment.display_of_tmux {
            environment.attached(&said(true, true, false));
            assert!(environment.can_browse());
            environment.attached(&said(false, true, false));
            assert!(!environment.can_browse());
        }
        environment.attached(&said(true, false, true));
        assert!(!environment.can_browse());
        let ssh = environment.ssh.clone().unwrap();
        assert_eq!(ssh.server, Some("192.0.2.2:22".parse().unwrap()));
        assert_eq!(ssh.login.as_deref(), Some("alice"));
        let unknown = Attached {
            ssh_connection: None,
            ..said(true, false, true)
        };
        environment.attached(&unknown);
        assert_eq!(environment.ssh.clone().map(|ssh| ssh.server), Some(None));
        environment.attached(&said(true, true, false));
        assert_eq!(environment.ssh, None);
    }

    #[test]
    fn the_server_and_the_login_are_taken_only_where_they_are_plain() {
        let ssh = |connection: &str, user: &str| {
            read(&[("SSH_CONNECTION", connection), ("USER", user)])
                .ssh
                .unwrap()
        };
        let four = ssh("192.0.2.1 50000 192.0.2.2 2222", "alice");
        assert_eq!(four.server, Some("192.0.2.2:2222".parse().unwrap()));
        assert_eq!(four.login.as_deref(), Some("alice"));
        let six = ssh("2001:db8::1 50000 2001:db8::2 22", "alice@corp.example");
        assert_eq!(six.server, Some("[2001:db8::2]:22".parse().unwrap()));
        assert_eq!(six.login.as_deref(), Some("alice@corp.example"));
        // As a socket for both families tells it.
        let mapped = ssh("::ffff:192.0.2.1 5 ::ffff:192.0.2.2 22", "a");
        assert_eq!(mapped.server, Some("192.0.2.2:22".parse().unwrap()));
        for connection in [
            "192.0.2.1 50000 $(reboot) 22",
            "192.0.2.1 50000 192.0.2.2;reboot 22",
            "192.0.2.1 50000 192.0.2.2 22;reboot",
            "192.0.2.1 50000 192.0.2.2 99999",
            "fe80::1%eth0 5 fe80::2%eth0 22",
            "192.0.2.2 22",
            "-oProxyCommand=reboot",
        ] {
            assert_eq!(ssh(connection, "alice").server, None, "{connection}");
        }
        for user in [
            "$(reboot)",
            "a b",
            "-oProxyCommand",
            "a;b",
            "a\nb",
            "é",
            "CORP\\alice",
        ] {
            assert_eq!(ssh("1 2 3 4", user).login, None, "{user}");
        }
        // Root has logged in as somebody else.
        let sudo = read(&[
            ("SSH_TTY", "/dev/pts/1"),
            ("USER", "root"),
            ("SUDO_USER", "alice"),
        ]);
        let sudo = sudo.ssh.unwrap();
        assert_eq!((sudo.login.as_deref(), sudo.server), (Some("alice"), None));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_kind_of_terminal_follows_its_name_and_its_line() {
        let kind = |term: &str, line: &str| on_line(&[("TERM", term)], Some(line)).terminal;
        let serial = |name: &str| Terminal::Serial(Some(name.to_owned()));
        assert_eq!(kind("linux", "/dev/tty1"), Terminal::Linux);
        assert_eq!(kind("vt220", "/dev/ttyS0"), serial("ttyS0"));
        assert_eq!(kind("xterm", "/dev/ttyUSB1"), serial("ttyUSB1"));
        assert_eq!(kind("xterm", "/dev/ttyAMA0"), serial("ttyAMA0"));
        assert_eq!(kind("vt100", "/dev/pts/3"), Terminal::Serial(None));
        assert_eq!(kind("vte-256color", "/dev/pts/3"), Terminal::Emulator);
        assert_eq!(kind("xterm", "/dev/ttySomething"), Terminal::Emulator);
        assert_eq!(kind("xterm", "/dev/ttyS"), Terminal::Emulator);
        for term in [
            "",
            "dumb",
            "dumb-emacs-ansi",
            "emacs",
            "unknown",
            "network",
            "dialup",
        ] {
            assert_eq!(kind(term, "/dev/ttyS0"), Terminal::Dumb, "{term}");
        }
        assert_eq!(kind("eterm-color", "/dev/pts/1"), Terminal::Emulator);
        assert_eq!(kind("", "/dev/pts/3"), Terminal::Dumb);
        assert_eq!(read(&[]).terminal, Terminal::Dumb);
        assert!(read(&[("WSL_DISTRO_NAME", "Debian")]).wsl && !read(&[]).wsl);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn glyphs_and_colors_follow_locale_and_terminal() {
        assert!(read(&[("TERM", "xterm-256color"), ("LANG", "C.UTF-8")]).utf8);
        assert!(!read(&[("TERM", "xterm"), ("LC_ALL", "C"), ("LANG", "de_DE.UTF-8")]).utf8);
        assert!(!read(&[("TERM", "linux"), ("LANG", "C.UTF-8")]).utf8);
        assert!(!read(&[("TERM", "vt220"), ("LANG", "C.UTF-8")]).utf8);
        assert!(read(&[("TERM", "linux")]).colors);
        assert!(!read(&[("TERM", "xterm"), ("NO_COLOR", "1")]).colors);
        assert!(read(&[("TERM", "xterm"), ("NO_COLOR", "")]).colors);
        assert!(!read(&[("TERM", "vt100")]).colors);
        assert!(!read(&[("TERM", "dumb")]).colors);
    }
}
