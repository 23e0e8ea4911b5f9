//! How the environment affects the screen, and what the program leaves alone.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};

use crate::plain::Plain;
use crate::servers::{Provider, eventually, person, run};
use crate::terminal::{Command, ENTER, Terminal, base, program};

/// The form of the demo with these flags and environment variables.
fn demo(home: &Path, flags: &[&str], variables: &[(&str, &str)]) -> Terminal {
    let mut command = Command::new(home, &[&["--demo"], flags].concat());
    for (name, value) in variables {
        command = command.env(name, value);
    }
    let terminal = command.start();
    terminal.wait_for("[a Authorize]");
    terminal
}

/// Returns whether a sequence sets a color.
fn is_colored(terminal: &Terminal) -> bool {
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
fn color_and_glyph_flags_override_the_environment() {
    let home = tempfile::tempdir().unwrap();
    for (flags, variables, colored, ascii) in [
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
        // The steps of a run have colors.
        terminal.focus("Authorize");
        terminal.send(ENTER);
        terminal.wait_for("Enter code");
        let case = format!("{flags:?} {variables:?}");
        assert_eq!(is_colored(&terminal), colored, "{case}");
        assert_eq!(terminal.bytes().is_ascii(), ascii, "{case}");
    }
}

/// Programs that would use the terminal or open a browser on this machine. Each leaves a mark when it is run.
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

    /// A search path in which these programs are first.
    fn path(&self) -> String {
        format!(
            "{}:{}",
            self.folder.path().display(),
            std::env::var("PATH").unwrap()
        )
    }

    /// The programs that were run.
    fn run(&self) -> Vec<PathBuf> {
        std::fs::read_dir(self.folder.path().join("run"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect()
    }
}

const SIGN_IN: &[&str] = &["--flow", "authorization-code"];

#[test]
fn no_browser_is_run_without_a_display() {
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
        terminal.wait_for("URL, code or error text");
        terminal
    };
    for variables in [
        &[][..],
        &[("BROWSER", "w3m")],
        // A display forwarded over SSH belongs to the user's machine, not to this one.
        &[ssh, ("DISPLAY", "localhost:10.0")],
        &[
            ssh,
            ("BROWSER", "www-browser"),
            ("WAYLAND_DISPLAY", "wayland-0"),
        ],
    ] {
        let fakes = Fakes::new();
        let mut terminal = sign_in(&fakes, variables);
        // The letter of Open browser, which is not shown.
        terminal.send("b");
        // Two letters that arrive together would be a paste.
        terminal.settle();
        // The demo's button approves the sign-in, so the whole sign-in is covered.
        terminal.send("y");
        terminal.wait_for("Access token");
        assert_eq!(fakes.run(), [] as [PathBuf; 0], "{variables:?}");
    }
    // The same without the full-screen interface.
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
        &[("PATH", &path), ("BROWSER", "w3m"), ssh, ("USER", "alice")],
    );
    let redirect = url::Url::parse(&plain.value("redirect_url")).unwrap();
    let port = redirect.port().unwrap();
    assert_eq!(
        plain.value("tunnel"),
        format!("ssh -L {port}:127.0.0.1:{port} alice@192.0.2.2")
    );
    assert_eq!(
        person(&plain.value("authorization_url"), &[])["status"],
        200
    );
    assert_eq!(plain.end().0, 0);
    assert_eq!(fakes.run(), [] as [PathBuf; 0]);
    // With a display, a browser is started, so the marks work.
    let fakes = Fakes::new();
    let _terminal = sign_in(&fakes, &[("DISPLAY", ":987")]);
    eventually("xdg-open", || (!fakes.run().is_empty()).then_some(()));
    assert!(fakes.run()[0].ends_with("xdg-open"));
}

/// The output of `doctor` with these environment variables.
fn doctor(home: &Path, flags: &[&str], variables: &[(&str, &str)]) -> String {
    let output = Process::new(program())
        .arg("doctor")
        .args(flags)
        .env_clear()
        .envs(base(home))
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

const OVER_SSH: (&str, &str) = ("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 2222");

#[test]
fn doctor_reports_ineffective_no_proxy_entries() {
    let home = tempfile::tempdir().unwrap();
    let told = |value: &str| {
        let told = doctor(home.path(), &[], &[("NO_PROXY", value)]);
        let lines = told
            .lines()
            .filter_map(|line| line.strip_prefix("NO_PROXY: "));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(told("localhost,.example.com,10.0.0.0/8"), [] as [&str; 0]);
    assert_eq!(
        told("localhost,a.example;b.example,https://c.example"),
        [
            "a.example;b.example has no effect: separate entries with commas",
            "https://c.example has no effect: it is a URL: enter only the host",
        ]
    );
}

#[test]
fn doctor_describes_the_environment_and_its_effects() {
    let home = tempfile::tempdir().unwrap();
    let see = |flags: &[&str], variables: &[(&str, &str)], lines: &[&str]| {
        let told = doctor(home.path(), flags, variables);
        for line in lines {
            assert!(
                told.lines().any(|one| one.starts_with(line)),
                "{line}\n{told}"
            );
        }
        told
    };
    let here = see(
        &[],
        &[],
        &[
            "session: local",
            "terminal: terminal emulator (TERM=xterm-256color)",
            "screen: full screen",
            "glyphs: UTF-8 (set by the locale",
            "colors: 16 (",
            "clipboard: OSC 52 (delivery can't be confirmed)",
            "browser: won't be opened (no DISPLAY or WAYLAND_DISPLAY)",
            "default flow: device code where supported",
        ],
    );
    assert!(!here.contains("tunnel"), "{here}");
    see(
        &["--glyphs", "ascii", "--no-browser"],
        &[
            ("DISPLAY", ":0"),
            ("NO_COLOR", "1"),
            ("WSL_DISTRO_NAME", "Debian"),
        ],
        &[
            "session: local, in WSL",
            "glyphs: ASCII (set by a flag",
            "colors: none (NO_COLOR is set)",
            "clipboard: desktop clipboard",
            "browser: won't be opened (--no-browser)",
            "default flow: the one that the preset prefers",
        ],
    );
    see(
        &[],
        &[
            OVER_SSH,
            ("USER", "alice"),
            ("TMUX", "/tmp/x,1,0"),
            ("DISPLAY", "localhost:10.0"),
        ],
        &[
            "session: SSH to alice@192.0.2.2:2222",
            "terminal: terminal emulator, with TMUX set but no response (tmux said: error connecting to /tmp/x",
            "clipboard: OSC 52 (delivery can't be confirmed); not tmux's buffer: tmux said",
            "browser: won't be opened (this is an SSH session",
            "tunnel: ssh -p 2222 -L 8400:127.0.0.1:8400 alice@192.0.2.2 (8400 stands for the port",
        ],
    );
    see(
        &[],
        &[OVER_SSH, ("USER", "a;reboot"), ("TERM", "dumb")],
        &[
            "session: SSH to 192.0.2.2:2222 (user name unknown)",
            "screen: line by line, as with --plain",
            "clipboard: none (",
            "tunnel: ssh -p 2222 -L 8400:127.0.0.1:8400 192.0.2.2 (",
        ],
    );
    see(
        &[],
        &[("OAUTH_AUTHORIZER_GLYPHS", "ascii"), ("TERM", "vt100")],
        &[
            "terminal: serial terminal (TERM=vt100)",
            "glyphs: ASCII (set by a flag",
            "colors: none (the terminal doesn't support them)",
            "clipboard: none (",
        ],
    );
}

#[test]
fn doctor_reports_the_result_of_a_test_copy() {
    let home = tempfile::tempdir().unwrap();
    let copy = |term: &str| {
        let mut terminal = Command::new(home.path(), &["doctor", "--test-copy"])
            .env(OVER_SSH.0, OVER_SSH.1)
            .env("TERM", term)
            .start();
        let code = terminal.wait_exit().exit_code();
        (code, String::from_utf8(terminal.bytes()).unwrap())
    };
    // base64 of "OAuth Authorizer: this is a test copy".
    let sequence = "\u{1b}]52;c;T0F1dGggQXV0aG9yaXplcjogdGhpcyBpcyBhIHRlc3QgY29weQ==";
    let (code, told) = copy("xterm-256color");
    assert!(
        code == 0 && told.contains(sequence) && told.contains("sent: \"OAuth Authorizer: this is"),
        "{told:?}"
    );
    let (code, told) = copy("linux");
    assert!(
        code == 1 && !told.contains('\u{1b}') && told.contains("error: Nothing was copied"),
        "{told:?}"
    );
    // A real tmux has the text in its buffer afterwards.
    let tmux = || {
        let mut tmux = Process::new("tmux");
        tmux.env_clear()
            .envs(base(home.path()))
            .arg("-S")
            .arg(home.path().join("socket"))
            .args(["-f", "/dev/null"]);
        tmux
    };
    run(tmux().args(["new-session", "-d", "-x", "80", "-y", "24"]));
    let line = format!("{} doctor --test-copy", program().display());
    run(tmux().args(["send-keys", &line, "Enter"]));
    eventually("tmux's word", || {
        let pane = run(tmux().args(["capture-pane", "-p", "-J"]));
        pane.contains("copied: tmux has").then_some(())
    });
    assert_eq!(
        run(tmux().arg("show-buffer")).trim_end(),
        "OAuth Authorizer: this is a test copy"
    );
    run(tmux().arg("kill-server"));
}
