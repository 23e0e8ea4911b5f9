//! The terminals that users have.

use oauth_authorizer::console::environment::Environment;
use oauth_authorizer::console::origin::Origin;

/// A user's terminal, as the environment describes it.
#[derive(Clone, Copy)]
pub struct Place {
    pub name: &'static str,
    variables: &'static [(&'static str, &'static str)],
    windows: bool,
}

/// The terminals that users have.
pub const PLACES: [Place; 6] = [
    XTERM,
    TMUX,
    Place {
        name: "screen",
        variables: &[
            ("TERM", "screen"),
            ("LANG", "C.UTF-8"),
            ("STY", "1234.pts-0.host"),
            ("SSH_CONNECTION", "192.0.2.7 50022 192.0.2.1 22"),
        ],
        windows: false,
    },
    Place {
        name: "linux",
        variables: &[("TERM", "linux"), ("LANG", "C.UTF-8")],
        windows: false,
    },
    Place {
        name: "vt100",
        variables: &[("TERM", "vt100"), ("LANG", "C")],
        windows: false,
    },
    WINDOWS,
];

pub const XTERM: Place = Place {
    name: "xterm-256color",
    variables: &[("TERM", "xterm-256color"), ("LANG", "C.UTF-8")],
    windows: false,
};

pub const TMUX: Place = Place {
    name: "tmux-256color",
    variables: &[
        ("TERM", "tmux-256color"),
        ("LANG", "C.UTF-8"),
        ("TMUX", "/tmp/tmux-1000/default,1,0"),
        ("SSH_CONNECTION", "192.0.2.7 50022 192.0.2.1 22"),
    ],
    windows: false,
};

pub const WINDOWS: Place = Place {
    name: "Windows console",
    variables: &[("SESSIONNAME", "Console"), ("LANG", "C.UTF-8")],
    windows: true,
};

impl Place {
    /// Returns whether the machine runs Windows, with its HTTP service.
    pub fn is_windows(self) -> bool {
        self.windows
    }

    pub fn environment(self) -> Environment {
        let mut environment = Environment::from_variables(
            |name| {
                let found = self.variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            },
            &Origin::default(),
        );
        if self.windows {
            environment.windows = true;
            "CONTOSO\\Administrator".clone_into(&mut environment.user);
        }
        environment
    }
}
