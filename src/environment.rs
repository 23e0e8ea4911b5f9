//! Where the program is: read once at the start, passed in everywhere.

/// What the surroundings allow.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Environment {
    /// Reached over SSH.
    pub ssh: bool,
    /// Inside tmux.
    pub tmux: bool,
    /// Inside GNU screen.
    pub screen: bool,
    /// A desktop session on this machine can be shown something.
    pub display: bool,
    /// The terminal's type.
    pub term: String,
    /// The terminal shows UTF-8.
    pub utf8: bool,
    /// The terminal shows colours, and the person has nothing against them.
    pub colours: bool,
    /// The person wants no browser to be opened.
    pub no_browser: bool,
    /// A browser named by the person.
    pub browser: Option<String>,
    /// This is Windows: redirect URLs are listened on with HTTP.sys.
    pub windows: bool,
    /// The current user there, as `DOMAIN\name`; empty elsewhere.
    pub user: String,
    /// Names of variables that hold a secret; no child process inherits them.
    pub secret_variables: Vec<String>,
}

impl Environment {
    /// Reads the environment through `variable`, so that tests need not change the real one.
    #[must_use]
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
        let term = variable("TERM").unwrap_or_default();
        let ssh = ["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"]
            .into_iter()
            .any(set);
        let display = if cfg!(windows) {
            // Services and remote shells have no session name. Nor has an administrator's terminal, at times.
            set("SESSIONNAME") || set("WT_SESSION")
        } else if cfg!(target_os = "macos") {
            true
        } else {
            set("DISPLAY") || set("WAYLAND_DISPLAY")
        };
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
            .into_iter()
            .filter_map(&variable)
            .find(|value| !value.is_empty())
            .unwrap_or_default()
            .to_ascii_lowercase();
        let user = match (variable("USERDOMAIN"), variable("USERNAME")) {
            (Some(domain), Some(name)) if cfg!(windows) => format!("{domain}\\{name}"),
            (None, Some(name)) if cfg!(windows) => name,
            _ => String::new(),
        };
        let plain_font = term == "linux" || term.starts_with("vt") || term == "dumb";
        let mono =
            set("NO_COLOR") || term == "dumb" || term.starts_with("vt1") || term.starts_with("vt2");
        Self {
            ssh,
            tmux: set("TMUX"),
            screen: set("STY"),
            display: display && !ssh,
            utf8: cfg!(windows)
                || (!plain_font && (locale.contains("utf-8") || locale.contains("utf8"))),
            colours: !mono,
            browser: variable("BROWSER").filter(|value| !value.is_empty()),
            no_browser: false,
            windows: cfg!(windows),
            user,
            secret_variables: Vec::new(),
            term,
        }
    }

    /// True where a browser can be shown to the person: on a desktop of this machine only.
    #[must_use]
    pub fn can_browse(&self) -> bool {
        self.display && !self.no_browser
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Environment {
        Environment::read(|name| {
            variables
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[cfg(windows)]
    #[test]
    fn a_session_with_a_name_is_a_desktop_here() {
        assert!(read(&[("SESSIONNAME", "Console")]).display);
        assert!(read(&[("WT_SESSION", "c7a5")]).display);
        assert!(!read(&[]).display);
        assert!(!read(&[("SESSIONNAME", "Console"), ("SSH_CLIENT", "10.0.0.1 5 22")]).display);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_forwarded_display_is_not_a_desktop_here() {
        assert!(read(&[("DISPLAY", ":0")]).display);
        let remote = read(&[
            ("DISPLAY", "localhost:10.0"),
            ("SSH_CONNECTION", "10.0.0.1 5 10.0.0.2 22"),
        ]);
        assert!(remote.ssh && !remote.display);
        assert!(!read(&[("DISPLAY", "")]).display);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn glyphs_and_colours_follow_locale_and_terminal() {
        assert!(read(&[("TERM", "xterm-256color"), ("LANG", "C.UTF-8")]).utf8);
        assert!(!read(&[("TERM", "xterm"), ("LC_ALL", "C"), ("LANG", "de_DE.UTF-8")]).utf8);
        assert!(!read(&[("TERM", "linux"), ("LANG", "C.UTF-8")]).utf8);
        assert!(read(&[("TERM", "linux")]).colours);
        assert!(!read(&[("TERM", "xterm"), ("NO_COLOR", "1")]).colours);
        assert!(read(&[("TERM", "xterm"), ("NO_COLOR", "")]).colours);
        assert!(!read(&[("TERM", "vt100")]).colours);
    }
}
