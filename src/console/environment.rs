//! The environment of the program: read once at the start, then passed on.

use std::net::{IpAddr, SocketAddr};

use crate::console::origin::{Attached, Door, Keeper, Origin};

/// What the session and the terminal allow.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Environment {
    /// The SSH connection, if the user is connected over SSH.
    pub ssh: Option<Ssh>,
    /// Whether the session runs through mosh.
    pub mosh: bool,
    /// Whether `TMUX` is set. It may belong to another window.
    pub tmux: bool,
    /// Whether the program runs in a tmux that can't be queried because `TMUX` was lost.
    pub lost_tmux: bool,
    /// Whether the program runs in GNU screen.
    pub screen: bool,
    /// Whether this is Linux within Windows (WSL).
    pub wsl: bool,
    /// Whether this machine has a desktop session that can show windows and certainly belongs to the user.
    pub display: bool,
    /// Whether the desktop belongs to the user provided that tmux is attached from that desktop only.
    pub display_of_tmux: bool,
    /// Whether the desktop may belong to someone else: nothing is copied to it or shown on it.
    pub display_in_doubt: bool,
    /// Whether this is Windows Server Core, which has a clipboard and windows, but no desktop shell and no browser.
    pub server_core: bool,
    /// Whether the user has changed, for example with sudo: the desktop then belongs to the original user.
    pub changed_user: bool,
    /// The X display named in the environment.
    pub x_display: Option<String>,
    /// The Wayland display named in the environment.
    pub wayland_display: Option<String>,
    /// The name of the terminal device.
    pub line: Option<String>,
    /// The login name; `None` if it can't be used in a command unquoted.
    pub login: Option<String>,
    /// The value of `TERM`, in lowercase.
    pub term: String,
    /// The kind of terminal.
    pub terminal: Terminal,
    /// Whether the terminal shows UTF-8.
    pub utf8: bool,
    /// Whether the terminal shows colors, and the user allows them.
    pub colors: bool,
    /// The reasons for the values above.
    pub why: Why,
    /// Whether links (OSC 8) are turned off.
    pub no_links: bool,
    /// Whether opening a browser is turned off.
    pub no_browser: bool,
    /// The browser chosen by the user.
    pub browser: Option<String>,
    /// Whether this is Windows, where HTTP.sys can receive the redirect.
    pub windows: bool,
    /// The current Windows user, as `DOMAIN\name`; empty on other systems.
    pub user: String,
}

/// An SSH connection, as seen from this machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ssh {
    /// The address of the SSH server; `None` if it is unknown, or valid only on this machine.
    pub server: Option<SocketAddr>,
    /// The login name; `None` if it can't be used in a command unquoted.
    pub login: Option<String>,
}

/// A kind of terminal.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Terminal {
    /// A modern terminal emulator, or a terminal that claims to be one.
    #[default]
    Emulator,
    /// The console of a Linux machine, also over KVM.
    Linux,
    /// A terminal on a serial line, with the name of the line if known; or a terminal type of such devices.
    Serial(Option<String>),
    /// The Windows console.
    Windows,
    /// A terminal that can only print lines, or whose type is unknown.
    Dumb,
}

/// The reasons for using UTF-8, colors and the browser, in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Why {
    /// The reason for UTF-8 or ASCII.
    pub utf8: &'static str,
    /// The reason for colors or none.
    pub colors: &'static str,
    /// The reason for using the desktop or not.
    pub display: &'static str,
    /// How the user is connected, if the environment variables don't say; over SSH, how that was detected.
    pub reached: &'static str,
}

impl Environment {
    /// Returns the environment of this process.
    #[must_use]
    pub fn of_process() -> Self {
        Self::from_variables(|name| std::env::var(name).ok(), &Origin::of_process())
    }

    /// Detects the environment from `variable`, a replaceable function so that tests need not change the real
    /// environment variables. `origin` contains what was detected on this machine.
    #[must_use]
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>, origin: &Origin) -> Self {
        let given = |name: &str| variable(name).filter(|value| !value.is_empty());
        let set = |name: &str| given(name).is_some();
        let term = variable("TERM").unwrap_or_default();
        let term = term.trim().to_ascii_lowercase();
        let terminal = terminal(&term, origin.line.as_deref());
        let told = ["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"]
            .into_iter()
            .any(set);
        let mosh = origin.door == Some(Door::Mosh);
        let by_ssh = matches!(origin.door, Some(Door::Ssh | Door::Mosh));
        // A user who has changed with sudo or su logged in under the first name.
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
        let desktop = desktop(&given, origin.visible_desktop);
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
        let (utf8, why_utf8) = glyphs(&term, &terminal, &given);
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
            ssh,
            term,
            terminal,
        }
    }

    /// Updates the environment with the response of tmux about its clients.
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

    /// Returns whether this machine has a desktop that can show a browser.
    #[must_use]
    pub fn has_browser(&self) -> bool {
        self.display && (!self.server_core || self.browser.is_some())
    }

    /// Returns whether a browser can be opened for the user, which requires a desktop on this machine.
    #[must_use]
    pub fn can_browse(&self) -> bool {
        self.has_browser() && !self.no_browser
    }
}

fn terminal(term: &str, line: Option<&str>) -> Terminal {
    // Device names with a kernel driver and a number are serial lines. Other names may be a screen.
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
        // The Windows console has the same features regardless of TERM, which may come from another computer.
        Terminal::Windows
    } else if is_dumb(term) {
        Terminal::Dumb
    } else if is_variant(term, "linux") {
        Terminal::Linux
    } else if let Some(name) = serial {
        Terminal::Serial(Some(name.to_owned()))
    } else if is_vt(term) {
        Terminal::Serial(None)
    } else {
        Terminal::Emulator
    }
}

/// Returns whether the type is a terminal that can only print lines, or a name of a connection or printer instead of a
/// terminal: terminfo describes none of them as able to move the cursor.
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
    names.contains(&term) || term.starts_with("dumb-") || has_own_sequences(term)
}

/// Returns whether the type is a device whose escape sequences are not those of ANSI, unless its name says that it
/// emulates another one.
fn has_own_sequences(term: &str) -> bool {
    const DEVICES: &[&str] = &[
        "hp", "hpterm", "hpex", "vt50", "vt50h", "vt52", "h19", "heath", "z19", "zenith", "regent",
        "wy30", "wy50", "wy60", "wy100", "wy120", "wy150", "wy160", "wy325", "wy350",
    ];
    /// The names before their numbers, and the models that use ANSI.
    const MAKERS: &[(&str, &[&str])] = &[
        ("tvi", &["970"]),
        ("adm", &["36"]),
        ("hp", &[]),
        ("ibm31", &[]),
        ("d2", &[]),
        ("d4", &[]),
        ("regent", &[]),
    ];
    let (device, emulation) = term.split_once('-').unwrap_or((term, ""));
    if ["ansi", "vt"].iter().any(|name| emulation.contains(name)) {
        return false;
    }
    let device = device.replace("wyse", "wy");
    let is_model = |(maker, ansi): &(&str, &[&str])| {
        let model = device.strip_prefix(maker).unwrap_or_default();
        model.starts_with(|digit: char| digit.is_ascii_digit()) && !ansi.contains(&model)
    };
    DEVICES.contains(&device.as_str()) || MAKERS.iter().any(is_model)
}

/// Returns whether the type is `name`, or a variant of it such as `linux-16color`.
fn is_variant(term: &str, name: &str) -> bool {
    let rest = term.strip_prefix(name);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '+', '.']))
}

/// Returns whether the type is the console of a PC or a workstation, or a program that imitates one. Their fonts don't have
/// the glyphs of Unicode, whatever the locale says.
fn is_text_console(term: &str) -> bool {
    const NAMES: &str =
        "ansi pcansi scoansi qansi iris-ansi sun at386 ibmpc3 pc3 minix xenix wsvt25";
    let number = |name| {
        let rest = term.strip_prefix(name).unwrap_or_default();
        rest.starts_with(|digit: char| digit.is_ascii_digit())
    };
    NAMES.split(' ').any(|name| is_variant(term, name)) || ["cons", "pcvt"].into_iter().any(number)
}

/// Returns whether the type is vt100 or a related device, not an emulator whose name begins in the same way.
fn is_vt(term: &str) -> bool {
    term.strip_prefix("vt")
        .is_some_and(|rest| rest.starts_with(|digit: char| digit.is_ascii_digit()))
}

/// Returns the server's part of `SSH_CONNECTION`, which contains client address and port, server address and port.
fn server(connection: &str) -> Option<SocketAddr> {
    let parts: Vec<&str> = connection.split_ascii_whitespace().collect();
    let [_, _, ip, port] = parts.as_slice() else {
        return None;
    };
    // An address with a zone is useless to other machines, and parsing it fails.
    let ip: IpAddr = ip.parse().ok()?;
    Some(SocketAddr::new(ip.to_canonical(), port.parse().ok()?))
}

/// Returns whether a name needs no quotes in any shell, and can't be mistaken for a flag.
fn is_plain_name(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_')
        && name
            .chars()
            .all(|ch| ch.is_ascii_alphanumeric() || "._-+@".contains(ch))
}

/// Returns whether there is a desktop session on this machine, with the reason.
fn desktop(
    given: &impl Fn(&str) -> Option<String>,
    visible: bool,
) -> Result<&'static str, &'static str> {
    let set = |name: &str| given(name).is_some();
    if cfg!(windows) {
        // Services and remote shells have neither a session name nor a visible desktop. An administrator's terminal, started
        // as another user, has no session name, either.
        if set("SESSIONNAME") || set("WT_SESSION") || visible {
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

/// Why a desktop on this machine may not be the user's.
const DOUBT_OF_TMUX: &str = "this is tmux, which may be attached from another computer";

/// Returns why the desktop named in the environment may not be the user's: the variables may come from where the
/// session was started.
fn doubt(
    given: &impl Fn(&str) -> Option<String>,
    origin: &Origin,
    changed_user: bool,
) -> Option<&'static str> {
    // On other systems, these variables don't describe the desktop.
    let named = |name| given(name).filter(|_| !cfg!(any(windows, target_os = "macos")));
    let (x, wayland) = (named("DISPLAY"), named("WAYLAND_DISPLAY"));
    // A path is a socket on this machine. Wayland desktops also provide X.
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

/// Does the same for sessions in tmux or GNU screen.
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

fn glyphs(
    term: &str,
    terminal: &Terminal,
    given: &impl Fn(&str) -> Option<String>,
) -> (bool, &'static str) {
    match terminal {
        Terminal::Windows => return (true, "the Windows console supports Unicode"),
        Terminal::Linux => return (false, "the console font has few glyphs"),
        _ if is_text_console(term) => return (false, "the console font has few glyphs"),
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
        // Most VT terminals have no colors, but these do.
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
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
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
    fn server_core_has_no_browser_unless_one_is_configured() {
        let mut environment = Environment {
            display: true,
            ..Environment::default()
        };
        assert!(environment.has_browser() && environment.can_browse());
        environment.server_core = true;
        assert!(!environment.has_browser() && !environment.can_browse());
        // A browser was installed and configured.
        environment.browser = Some(r"C:\Browser\browser.exe".to_owned());
        assert!(environment.has_browser() && environment.can_browse());
        environment.no_browser = true;
        assert!(environment.has_browser() && !environment.can_browse());
    }

    #[cfg(windows)]
    #[test]
    fn named_windows_session_has_a_desktop() {
        assert!(read(&[("SESSIONNAME", "Console")]).display);
        assert!(read(&[("WT_SESSION", "c7a5")]).display);
        assert!(!read(&[]).display);
        // The terminal of an administrator, started as another user.
        let visible = Origin {
            visible_desktop: true,
            ..Origin::default()
        };
        assert!(Environment::from_variables(|_| None, &visible).display);
        assert!(!read(&[("SESSIONNAME", "Console"), ("SSH_CLIENT", "10.0.0.1 5 22")]).display);
    }

    #[cfg(windows)]
    #[test]
    fn term_does_not_change_the_windows_console() {
        assert_eq!(read(&[]).terminal, Terminal::Windows);
        assert!(read(&[]).utf8 && read(&[]).colors);
        assert_eq!(read(&[("TERM", "dumb")]).terminal, Terminal::Windows);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn forwarded_display_is_not_a_desktop() {
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
    fn doubtful_desktops_are_not_used() {
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
        // A user who ran sudo is at this desktop.
        let sudo = Origin {
            foreign_displays: vec![":0".to_owned()],
            changed_user: true,
            ..here()
        };
        for environment in [desk(&[x], sudo), desk(&[x, ("SUDO_UID", "1000")], here())] {
            assert!(environment.display && environment.changed_user);
        }
        // The connection is detected even if the variables are lost.
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
    fn environment_follows_each_tmux_report() {
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
    fn malformed_ssh_server_and_login_are_ignored() {
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
        // The address as a dual-stack socket reports it.
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
        // The user logged in under another name and became root.
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
    fn terminal_kind_depends_on_term_and_tty_device() {
        let kind = |term: &str, line: &str| on_line(&[("TERM", term)], Some(line)).terminal;
        let serial = |name: &str| Terminal::Serial(Some(name.to_owned()));
        for term in ["linux", "linux-16color", "linux-c", "Linux", " linux "] {
            assert_eq!(kind(term, "/dev/tty1"), Terminal::Linux, "{term}");
        }
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
            "Dumb",
            "unknown ",
            "emacs",
            "unknown",
            "network",
            "dialup",
            "wyse60",
            "wy50",
            "wyse50-w",
            "tvi925",
            "adm3a",
            "hp",
            "hp2392",
            "hpterm",
            "ibm3151",
            "d430",
            "d215-unix",
            "vt52",
        ] {
            assert_eq!(kind(term, "/dev/ttyS0"), Terminal::Dumb, "{term}");
        }
        for term in [
            "wyse60-vt",
            "wyse85",
            "tvi970",
            "adm36",
            "hurd",
            "dtterm",
            "ibm5151",
            "d430-ansi",
            "hpe",
        ] {
            assert_eq!(kind(term, "/dev/pts/1"), Terminal::Emulator, "{term}");
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
        for term in [
            "linux",
            "linux-16color",
            "cons25",
            "cons25-iso8859-1",
            "sun",
            "sun-color",
            "ansi",
            "ansi.sys",
            "pcansi-m",
            "scoansi",
            "ANSI",
        ] {
            let utf8 = read(&[("TERM", term), ("LANG", "C.UTF-8")]).utf8;
            assert!(!utf8, "{term}");
        }
        for term in ["xterm-sun", "konsole", "console", "sunrise", "st-256color"] {
            let utf8 = read(&[("TERM", term), ("LANG", "C.UTF-8")]).utf8;
            assert!(utf8, "{term}");
        }
        assert!(!read(&[("TERM", "vt220"), ("LANG", "C.UTF-8")]).utf8);
        assert!(read(&[("TERM", "linux")]).colors);
        assert!(!read(&[("TERM", "xterm"), ("NO_COLOR", "1")]).colors);
        assert!(read(&[("TERM", "xterm"), ("NO_COLOR", "")]).colors);
        assert!(!read(&[("TERM", "vt100")]).colors);
        assert!(!read(&[("TERM", "dumb")]).colors);
    }
}
