//! What the surroundings make of the screen, and what the program leaves alone there.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::plain::Plain;
use crate::servers::{Provider, eventually, person};
use crate::terminal::{Command, ENTER, Terminal};

/// The form of the demo with these flags and variables.
fn demo(home: &Path, flags: &[&str], variables: &[(&str, &str)]) -> Terminal {
    let mut command = Command::new(home, &[&["--demo"], flags].concat());
    for (name, value) in variables {
        command = command.env(name, value);
    }
    let terminal = command.start();
    terminal.wait_for("[ Authorize ]");
    terminal
}

/// True where a sequence sets a colour.
fn is_coloured(terminal: &Terminal) -> bool {
    let bytes = terminal.bytes();
    let text = String::from_utf8_lossy(&bytes);
    text.split("\x1b[").skip(1).any(|sequence| {
        let parameters = sequence.split('m').next().unwrap_or_default();
        parameters
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b';')
            && parameters.split(';').any(|one| {
                one == "38"
                    || one == "48"
                    || (one.len() == 2 && one.starts_with(['3', '4']) && !one.ends_with('9'))
            })
    })
}

#[test]
fn colours_and_glyphs_follow_the_flags_before_all_else() {
    let home = tempfile::tempdir().unwrap();
    for (flags, variables, coloured, ascii) in [
        (&[][..], &[][..], true, false),
        (&[][..], &[("NO_COLOR", "1")][..], false, false),
        (
            &["--colour", "16"][..],
            &[("NO_COLOR", "1")][..],
            true,
            false,
        ),
        (&["--color", "none"][..], &[][..], false, false),
        (&["--glyphs", "ascii"][..], &[][..], true, true),
        (&["--glyphs", "utf8"][..], &[("LANG", "C")][..], true, false),
        (
            &[][..],
            &[("OAUTH_AUTHORIZER_GLYPHS", "ascii")][..],
            true,
            true,
        ),
    ] {
        let mut terminal = demo(home.path(), flags, variables);
        // Steps of a run have colours.
        terminal.focus("Authorize");
        terminal.send(ENTER);
        terminal.wait_for("and enter the code");
        let case = format!("{flags:?} {variables:?}");
        assert_eq!(is_coloured(&terminal), coloured, "{case}");
        assert_eq!(terminal.bytes().is_ascii(), ascii, "{case}");
    }
}

/// Programs that would take the terminal, or open a browser elsewhere, each leaving a mark when it is run.
struct Fakes {
    folder: tempfile::TempDir,
}

const BROWSERS: &[&str] = &["www-browser", "w3m", "xdg-open", "lynx", "sensible-browser"];

impl Fakes {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in BROWSERS {
            let path = folder.path().join(name);
            let mark = folder.path().join("run").join(name);
            std::fs::write(
                &path,
                format!("#!/bin/sh\necho \"$@\" >'{}'\n", mark.display()),
            )
            .unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        std::fs::create_dir(folder.path().join("run")).unwrap();
        Self { folder }
    }

    /// A search path with them in front.
    fn path(&self) -> String {
        format!(
            "{}:{}",
            self.folder.path().display(),
            std::env::var("PATH").unwrap()
        )
    }

    /// Those that were run.
    fn run(&self) -> Vec<PathBuf> {
        std::fs::read_dir(self.folder.path().join("run"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect()
    }
}

const SIGN_IN: &[&str] = &["--flow", "authorization-code"];

#[test]
fn without_a_display_no_browser_of_any_kind_is_run() {
    let home = tempfile::tempdir().unwrap();
    let ssh = ("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 22");
    let sign_in = |fakes: &Fakes, variables: &[(&str, &str)]| {
        let path = fakes.path();
        let mut terminal = demo(
            home.path(),
            SIGN_IN,
            &[variables, &[("PATH", path.as_str())]].concat(),
        );
        terminal.focus("Authorize");
        terminal.send(ENTER);
        terminal.wait_for("Or paste it here");
        terminal
    };
    for variables in [
        &[][..],
        &[("BROWSER", "w3m")],
        // A display forwarded over SSH is the person's, not this machine's.
        &[ssh, ("DISPLAY", "localhost:10.0")],
        &[
            ssh,
            ("BROWSER", "www-browser"),
            ("WAYLAND_DISPLAY", "wayland-0"),
        ],
    ] {
        let fakes = Fakes::new();
        let mut terminal = sign_in(&fakes, variables);
        // The letter of the button that is not there.
        terminal.send("b");
        // The demo approves by the button, so that the whole sign-in has passed.
        terminal.send("a");
        terminal.wait_for("Access token");
        assert_eq!(fakes.run(), [] as [PathBuf; 0], "{variables:?}");
    }
    // The same without a screen.
    let (fakes, provider) = (Fakes::new(), Provider::start(&[]));
    let path = fakes.path();
    let mut flags = provider.flags();
    flags.extend(
        [
            "--client-id",
            "public-native",
            "--scope",
            "openid",
            "--print",
            "access-token",
        ]
        .map(str::to_owned),
    );
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let mut plain = Plain::start_with(
        home.path(),
        &[&flags, SIGN_IN].concat(),
        &[("PATH", &path), ("BROWSER", "w3m")],
    );
    assert_eq!(
        person(&plain.value("authorization_url"), &[])["status"],
        200
    );
    assert_eq!(plain.end().0, 0);
    assert_eq!(fakes.run(), [] as [PathBuf; 0]);
    // With a display one is run: the marks tell something.
    let fakes = Fakes::new();
    let _terminal = sign_in(&fakes, &[("DISPLAY", ":987")]);
    eventually("xdg-open", || (!fakes.run().is_empty()).then_some(()));
    assert!(fakes.run()[0].ends_with("xdg-open"));
}
