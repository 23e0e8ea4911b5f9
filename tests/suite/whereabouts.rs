//! Where the user is: copies, browsers and keys follow the user, not the machine. In real tmux, mosh, sshd and Xvfb.

use std::io::Read;
use std::net::{SocketAddr, UdpSocket};
use std::process::{Command as Process, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::clipboard::{Tmux, Xvfb, authorize, command, osc_52, token, tokens};
use crate::scripted::Scripted;
use crate::servers::{eventually, run};
use crate::ssh::Sshd;
use crate::terminal::{Command, ENTER, LEFT, RIGHT, TAB, Terminal, base, is_focused, program};

const OVER_SSH: (&str, &str) = ("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 2222");
const SENT: &str = "Sent the access token to your terminal's clipboard (OSC 52)";

/// The copies that are not empty.
fn copies(terminal: &Terminal) -> Vec<String> {
    let mut copies = osc_52(&terminal.bytes());
    copies.retain(|copy| !copy.is_empty());
    copies
}

/// An X server with a known text on its clipboard, so that a copy to it would be noticed.
fn marked_desktop() -> Xvfb {
    let x = Xvfb::start();
    let mut xclip = Process::new("xclip")
        .args(["-i", "-selection", "clipboard", "-display", &x.1])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut xclip.stdin.take().unwrap(), b"a mark").unwrap();
    assert!(xclip.wait().unwrap().success());
    assert_eq!(x.clipboard(), "a mark");
    x
}

#[test]
fn a_display_of_another_machine_gets_no_copy_and_no_browser() {
    for display in [
        "localhost:10.0",
        "desk.example:0",
        "192.0.2.7:0.0",
        "[2001:db8::7]:0",
        "tcp/desk.example:0",
    ] {
        let home = tempfile::tempdir().unwrap();
        let command = Command::new(home.path(), &["--demo"]).env("DISPLAY", display);
        let (mut terminal, token) = tokens(command);
        terminal.send("c");
        terminal.wait_for(SENT);
        terminal.wait_for("Failed: the desktop clipboard: DISPLAY is a network address, so the desktop may be on another \
            computer.");
        assert_eq!(copies(&terminal), [token], "{display}");
        let told = doctor(Command::new(home.path(), &["doctor"]).env("DISPLAY", display));
        assert!(
            told.contains("browser: won't be opened (DISPLAY is a network address, so the desktop may be on another computer)"),
            "{told}"
        );
        assert!(
            told.contains("not the desktop clipboard: DISPLAY is a network address, so the desktop may be on another computer"),
            "{told}"
        );
    }
}

#[test]
fn doctor_reports_owner_of_the_desktop_after_su() {
    let (home, x) = (tempfile::tempdir().unwrap(), Xvfb::start());
    let su = |line: &str| {
        let line = format!("{} {line}", program().display());
        Command::of(
            "su".as_ref(),
            home.path(),
            &["-p", "-s", "/bin/sh", "root", "-c", &line],
        )
        .env("DISPLAY", &x.1)
    };
    let (mut terminal, token) = tokens(su("--demo"));
    terminal.send("c");
    terminal.wait_for(
        "Copied the access token to the desktop clipboard of the user who ran sudo or su.",
    );
    assert_eq!(x.clipboard(), token);
    let told = doctor(su("doctor"));
    for text in [
        "; the desktop belongs to the user who ran sudo or su",
        "; sudo or su changed the user, so it may not start",
    ] {
        assert!(told.contains(text), "{told}");
    }
}

#[test]
fn the_desktop_of_another_user_gets_no_copy() {
    // The first X server creates the folder of the sockets.
    let (home, _x) = (tempfile::tempdir().unwrap(), Xvfb::start());
    let other = Xvfb::start_by(&["setpriv", "--reuid=65534", "--clear-groups", "Xvfb", "-ac"]);
    let command = Command::new(home.path(), &["--demo"]).env("DISPLAY", &other.1);
    let (mut terminal, token) = tokens(command);
    terminal.send("c");
    terminal.wait_for("Failed: the desktop clipboard: this is another user's desktop.");
    assert_eq!(copies(&terminal), [token]);
}

#[test]
fn the_first_frame_does_not_wait_for_tmux() {
    let home = tempfile::tempdir().unwrap();
    let file = |name: &str| home.path().join(name);
    let (asked, go) = (file("asked"), file("go"));
    // Hangs until the file `go` exists, and then says that the user is at this desk.
    let script = "#!/bin/sh\n\
        echo asked >> \"$HOME/asked\"\n\
        until [ -e \"$HOME/go\" ]; do sleep 0.02; done\n\
        echo \"pane $(readlink /proc/$PPID/fd/0)\"\n\
        echo \"client $(cut -d ' ' -f 4 /proc/$PPID/stat)\"\n\
        echo DISPLAY=:77\n";
    std::fs::write(file("tmux"), script).unwrap();
    run(Process::new("chmod").arg("+x").arg(file("tmux")));
    let path = format!(
        "{}:{}",
        home.path().display(),
        std::env::var("PATH").unwrap()
    );
    let start = || {
        let _ = std::fs::remove_file(&asked);
        let _ = std::fs::remove_file(&go);
        let terminal = Command::new(home.path(), &["--preset", "authentik"])
            .env("PATH", &path)
            .env("TMUX", "/tmp/no-socket,1,0")
            .env("DISPLAY", ":77")
            .start();
        // Drawn while tmux hangs, with the flow that needs no browser on this machine.
        terminal.wait_for("[a Authorize]");
        terminal.wait_for("(•) Device code");
        let questions = || std::fs::read_to_string(&asked).ok();
        let questions = eventually("the question", questions);
        assert_eq!(questions.lines().count(), 1, "asked before the first frame");
        terminal
    };
    // The response of tmux changes the flow.
    let terminal = start();
    std::fs::write(&go, "").unwrap();
    terminal.wait_for("(•) Authorization code");
    // It does not change a flow that the user chose in the meantime.
    let mut terminal = start();
    terminal.focus("Flow");
    terminal.send(RIGHT);
    terminal.wait_for("(•) Authorization code");
    terminal.send(LEFT);
    terminal.wait_for("(•) Device code");
    let hint = "no browser can be opened here";
    terminal.wait_for(hint);
    std::fs::write(&go, "").unwrap();
    eventually("another hint", || {
        (!terminal.flat().contains(hint)).then_some(())
    });
    assert!(terminal.flat().contains("(•) Device code"));
    // Keys work before tmux responds.
    let mut terminal = start();
    terminal.focus("Scope");
}

/// The output of `doctor` in this environment.
fn doctor(command: Command) -> String {
    let mut terminal = command.start_sized(400, 40);
    assert_eq!(terminal.wait_exit().exit_code(), 0);
    terminal.flat()
}

/// A tmux started at the desk, and a terminal with these environment variables attached to it.
fn attached(line: &[String], x: &Xvfb, variables: &[(&str, &str)]) -> (Tmux, Terminal) {
    let tmux = Tmux(tempfile::tempdir().unwrap());
    let start = ["new-session", "-d", "-x", "80", "-y", "23"];
    run(tmux.tmux().env("DISPLAY", &x.1).args(start).args(line));
    let socket = tmux.socket();
    let mut client = Command::of(
        "tmux".as_ref(),
        tmux.0.path(),
        &["-S", &socket, "-f", "/dev/null", "attach"],
    );
    for (name, value) in variables {
        client = client.env(name, value);
    }
    let terminal = client.start();
    (tmux, terminal)
}

#[test]
fn tmux_copy_uses_desktop_only_while_attached_locally() {
    let (x, token) = (marked_desktop(), token(2_000));
    let (line, _server) = command(&token, |line| line);
    // At the desk.
    let (tmux, mut desk) = attached(&line, &x, &[("DISPLAY", &x.1)]);
    authorize(&mut desk);
    desk.send("c");
    desk.wait_for("Copied the access token to the desktop clipboard.");
    assert!(x.clipboard() == token);
    // Also attached from another computer: it is unknown which user pressed the key.
    let elsewhere = Command::of(
        "tmux".as_ref(),
        tmux.0.path(),
        &["-S", &tmux.socket(), "-f", "/dev/null", "attach"],
    );
    let mut elsewhere = elsewhere.env(OVER_SSH.0, OVER_SSH.1).start();
    elsewhere.wait_for("Access token");
    elsewhere.send("h");
    elsewhere.wait_for("Copied the Authorization header to the tmux buffer");
    elsewhere.wait_for("Failed: the desktop clipboard: ");
    assert_eq!(
        tmux.buffer(),
        Some(format!("Authorization: Bearer {token}"))
    );
    assert!(x.clipboard() == token);
}

#[test]
fn desktop_gets_no_copy_if_tmux_is_attached_remotely() {
    // The client differs in its SSH variables, in a forwarded display, or in having no display.
    for variables in [
        &[OVER_SSH, ("DISPLAY", "localhost:10.0")][..],
        &[OVER_SSH],
        &[("DISPLAY", "localhost:10.0")],
        &[],
    ] {
        let (x, token) = (marked_desktop(), token(2_000));
        let (line, _server) = command(&token, |line| line);
        let (tmux, mut terminal) = attached(&line, &x, variables);
        authorize(&mut terminal);
        terminal.send("c");
        terminal.wait_for("Copied the access token to the tmux buffer");
        assert!(tmux.buffer() == Some(token), "{variables:?}");
        assert_eq!(x.clipboard(), "a mark", "{variables:?}");
    }
}

#[test]
fn doctor_reports_how_tmux_is_attached() {
    let shell = ["sh".to_owned()];
    for (variables, at_the_desk, told) in [
        (
            vec![OVER_SSH],
            false,
            &[
                "session: SSH to 192.0.2.2:2222 (user name unknown) (tmux is attached over SSH)",
                ", in tmux, attached over SSH",
                "clipboard: tmux buffer (delivery to tmux is confirmed",
                "not the desktop clipboard: tmux is not attached from this desktop only",
                "browser: won't be opened (",
            ][..],
        ),
        (
            vec![],
            true,
            &[
                "session: local",
                ", in tmux, attached from this desktop only",
                "clipboard: desktop clipboard (",
                "browser: will be opened",
            ],
        ),
    ] {
        let x = Xvfb::start();
        let mut variables = variables;
        if at_the_desk {
            variables.push(("DISPLAY", &x.1));
        }
        let (tmux, terminal) = attached(&shell, &x, &variables);
        run(tmux.tmux().args(["set", "-g", "status", "off"]));
        terminal.resize(400, 40);
        let line = format!("{} doctor", program().display());
        run(tmux.tmux().args(["send-keys", &line, "Enter"]));
        terminal.wait_for("flow: ");
        for text in told {
            assert!(
                terminal.flat().contains(text),
                "{text}\n{}",
                terminal.screen()
            );
        }
    }
}

#[test]
fn unavailable_tmux_does_not_prevent_a_terminal_copy() {
    let home = tempfile::tempdir().unwrap();
    for gone in ["/run/user/0/gone,1,0", "/dev/null,1,0", "nonsense"] {
        for term in ["xterm-256color", "tmux-256color"] {
            let command = Command::new(home.path(), &["--demo"])
                .env("TMUX", gone)
                .env("TERM", term);
            let (mut terminal, token) = tokens(command);
            terminal.send("c");
            terminal.wait_for(SENT);
            terminal.wait_for("Failed: tmux's buffer: ");
            assert_eq!(copies(&terminal), [token], "{gone} {term}");
        }
    }
    // A running tmux, but this terminal is not one of its panes.
    let tmux = Tmux::start(&["cat".to_owned()]);
    let variable = format!("{},1,0", tmux.socket());
    let command = Command::new(home.path(), &["--demo"]).env("TMUX", &variable);
    let (mut terminal, token) = tokens(command);
    terminal.send("c");
    terminal.wait_for(
        "Sent the access token to the tmux buffer, and to your terminal's clipboard (OSC 52)",
    );
    assert_eq!(copies(&terminal), [token]);
    assert_eq!(tmux.buffer().as_ref(), copies(&terminal).first());
    let told = doctor(Command::new(home.path(), &["doctor"]).env("TMUX", &variable));
    assert!(
        told.contains(", with TMUX set, but not a pane of that tmux"),
        "{told}"
    );
}

#[test]
fn ssh_session_is_detected_after_a_change_of_user() {
    let (home, sshd, x) = (
        tempfile::tempdir().unwrap(),
        Sshd::start(),
        marked_desktop(),
    );
    let (line, _server) = command("a-token-for-root", |line| {
        // The environment that sudo and su leave.
        let mut clean: Vec<String> = ["env", "-i", "TERM=xterm-256color", "LANG=C.UTF-8"]
            .map(str::to_owned)
            .to_vec();
        clean.push(format!("PATH={}", std::env::var("PATH").unwrap()));
        clean.push(format!("HOME={}", home.path().display()));
        clean.push(format!("DISPLAY={}", x.1));
        clean.extend(line);
        // The shell above keeps its environment variables.
        clean.extend([";", "exit"].map(str::to_owned));
        clean
    });
    let mut terminal = sshd.run(home.path(), &line);
    authorize(&mut terminal);
    terminal.send("c");
    terminal.wait_for(SENT);
    assert_eq!(copies(&terminal), ["a-token-for-root"]);
    assert_eq!(x.clipboard(), "a mark");
    assert!(
        !terminal.flat().contains("Open browser"),
        "{}",
        terminal.screen()
    );
    let mut line = line[..=7].to_vec();
    line.extend(["doctor", ";", "exit"].map(str::to_owned));
    let mut terminal = sshd.run(home.path(), &line);
    assert_eq!(terminal.wait_exit().exit_code(), 0);
    let told = terminal.flat();
    let session = format!(
        "session: SSH to {}@127.0.0.1:{} (an SSH server is a parent process)",
        sshd.user, sshd.port
    );
    assert!(told.contains(&session), "{session}\n{told}");
}

/// mosh's server with a program in it. It ends when the value is dropped.
struct Mosh {
    pid: u32,
    port: u16,
    key: String,
    home: tempfile::TempDir,
}

impl Drop for Mosh {
    fn drop(&mut self) {
        let _ = Process::new("kill").arg(self.pid.to_string()).output();
    }
}

impl Mosh {
    fn start(line: &[String]) -> Self {
        let home = tempfile::tempdir().unwrap();
        // It detaches from the terminal by itself and does not need these pipes afterwards.
        let mut server = Process::new("mosh-server")
            .args(["new", "-c", "256", "-i", "127.0.0.1", "--"])
            .args(line)
            .env_clear()
            .envs(base(home.path()))
            .env("MOSH_SERVER_NETWORK_TMOUT", "120")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("mosh-server is there (Debian: mosh)");
        let (mut out, mut err) = (String::new(), String::new());
        server
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut out)
            .unwrap();
        server
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut err)
            .unwrap();
        server.wait().unwrap();
        let connect = out
            .lines()
            .find_map(|line| line.strip_prefix("MOSH CONNECT "));
        let (port, key) = connect
            .and_then(|connect| connect.split_once(' '))
            .unwrap_or_else(|| panic!("mosh-server said {out}{err}"));
        let pid = err
            .split_once("detached, pid = ")
            .and_then(|(_, rest)| rest.split(']').next()?.parse().ok())
            .unwrap_or_else(|| panic!("mosh-server said {out}{err}"));
        Self {
            pid,
            port: port.parse().unwrap(),
            key: key.trim().to_owned(),
            home,
        }
    }

    /// A terminal with mosh's client.
    fn client(&self, port: u16) -> Terminal {
        Command::of(
            "mosh-client".as_ref(),
            self.home.path(),
            &["127.0.0.1", &port.to_string()],
        )
        .env("MOSH_KEY", &self.key)
        .env("MOSH_PREDICTION_DISPLAY", "never")
        .start()
    }
}

/// A link to this loopback port with this delay each way. Returns the link's own port.
fn slow_link(server: u16, delay: Duration) -> u16 {
    let front = UdpSocket::bind("127.0.0.1:0").unwrap();
    let back = UdpSocket::bind("127.0.0.1:0").unwrap();
    back.connect(("127.0.0.1", server)).unwrap();
    let port = front.local_addr().unwrap().port();
    let limit = Some(Duration::from_mins(2));
    front.set_read_timeout(limit).unwrap();
    back.set_read_timeout(limit).unwrap();
    let (to_server, for_server) = mpsc::channel::<(Instant, Vec<u8>)>();
    let (to_client, for_client) = mpsc::channel::<(Instant, Vec<u8>)>();
    let (there, client) = mpsc::channel::<SocketAddr>();
    let wait = |due: Instant| std::thread::sleep(due.saturating_duration_since(Instant::now()));
    let (socket, answers) = (front.try_clone().unwrap(), back.try_clone().unwrap());
    std::thread::spawn(move || {
        let mut buffer = [0; 8192];
        let mut known = false;
        while let Ok((count, from)) = front.recv_from(&mut buffer) {
            if !std::mem::replace(&mut known, true) {
                let _ = there.send(from);
            }
            if to_server
                .send((Instant::now() + delay, buffer[..count].to_vec()))
                .is_err()
            {
                return;
            }
        }
    });
    std::thread::spawn(move || {
        let mut buffer = [0; 8192];
        // After the server has ended, packets to it are rejected. The thread ends with the test.
        while let Ok(count) = answers.recv(&mut buffer) {
            if to_client
                .send((Instant::now() + delay, buffer[..count].to_vec()))
                .is_err()
            {
                return;
            }
        }
    });
    std::thread::spawn(move || {
        for (due, packet) in for_server {
            wait(due);
            let _ = back.send(&packet);
        }
    });
    std::thread::spawn(move || {
        let Ok(client) = client.recv() else { return };
        for (due, packet) in for_client {
            wait(due);
            let _ = socket.send_to(&packet, client);
        }
    });
    port
}

/// The tokens of a service that issues `token`, shown through mosh.
fn through_mosh(token: &str) -> (Mosh, Terminal, Scripted) {
    let (line, server) = command(token, |line| line);
    let mosh = Mosh::start(&line);
    let mut terminal = mosh.client(mosh.port);
    authorize(&mut terminal);
    (mosh, terminal, server)
}

#[test]
fn copy_through_mosh_arrives_complete_or_is_refused() {
    for size in [20, 3_000, 12_000, 12_200] {
        let token = token(size);
        let (_mosh, mut terminal, _server) = through_mosh(&token);
        terminal.send("c");
        terminal.wait_for(&format!("{SENT} through mosh."));
        terminal.wait_for("Copying the same text again may have no effect.");
        let copied = eventually("the copy", || {
            Some(copies(&terminal)).filter(|one| !one.is_empty())
        });
        assert!(copied == [token.clone()], "{size}");
        // A second copy of the same text arrives, too.
        terminal.send("c");
        let copied = eventually("the second copy", || {
            Some(copies(&terminal)).filter(|two| two.len() > 1)
        });
        assert!(copied == [token.clone(), token], "{size}");
    }
    for size in [12_201, 13_500] {
        let (_mosh, mut terminal, _server) = through_mosh(&token(size));
        terminal.send("c");
        terminal.wait_for(&format!(
            "The access token was not copied. Failed: the terminal's clipboard: mosh accepts at most 12200 bytes, but this has {size}. Use View alone to select the token with the mouse, or Save… to write it, or everything as JSON, to \
             a file."
        ));
        assert!(
            !terminal.bytes().windows(4).any(|bytes| bytes == b"\x1b]52"),
            "{size}"
        );
    }
}

#[test]
fn doctor_reports_mosh_and_its_copy_limit() {
    let mosh = Mosh::start(&[
        "sh".to_owned(),
        "-c".to_owned(),
        format!("{} doctor; exec cat", program().display()),
    ]);
    let terminal = mosh.client(mosh.port);
    terminal.wait_for("session: mosh ");
    terminal.wait_for("mosh-server is a parent process");
    terminal.wait_for(
        "mosh forwards at most 12200 bytes, and copying the same text again may have no effect",
    );
}

#[test]
fn keys_batched_by_slow_mosh_are_not_a_paste() {
    for delay in [0, 100, 250] {
        let line = [
            program().to_str().unwrap(),
            "--flow",
            "device-code",
            "--device-url",
            "https://as.example/device",
            "--token-url",
            "https://as.example/token",
        ]
        .map(str::to_owned);
        let mosh = Mosh::start(&line);
        let mut terminal = mosh.client(slow_link(mosh.port, Duration::from_millis(delay)));
        terminal.wait_until("the form", |screen| is_focused(screen, "Preset"));
        for key in [TAB, "c", "i", "d", ENTER] {
            terminal.send_now(key);
            // The speed of a user who types.
            std::thread::sleep(Duration::from_millis(120));
        }
        terminal.wait_until("the field after Client ID", |screen| {
            let text = screen.contents();
            let typed = text.lines().any(|row| {
                row.contains("Client ID") && row.split_whitespace().next_back() == Some("cid")
            });
            typed && !is_focused(screen, "Preset") && !is_focused(screen, "Client ID")
        });
    }
}

#[test]
fn tmux_send_keys_input_is_not_a_paste() {
    let line = [program().to_str().unwrap(), "--flow", "device-code"].map(str::to_owned);
    let tmux = Tmux::start(&line);
    tmux.wait_for("▸ Preset");
    // The first key moves to Client ID; the second reports that it is missing.
    run(tmux.tmux().args(["send-keys", "Tab", "Enter"]));
    tmux.wait_for("▸ Client ID");
    tmux.wait_for("The Client ID is missing.");
}

#[test]
fn key_soon_after_escape_is_not_lost_in_tmux() {
    let home = tempfile::tempdir().unwrap();
    let flags = ["--demo", "--flow", "device-code", "--no-browser"];
    let line: Vec<String> = [program().to_str().unwrap()]
        .iter()
        .chain(&flags)
        .map(|part| (*part).to_owned())
        .collect();
    for gap in [0, 50, 200, 450] {
        let tmux = Tmux::start(&line);
        // Newer versions join fewer keys.
        run(tmux.tmux().args(["set", "-s", "escape-time", "500"]));
        let mut terminal = Command::of(
            "tmux".as_ref(),
            home.path(),
            &["-S", &tmux.socket(), "-f", "/dev/null", "attach"],
        )
        .start();
        terminal.wait_for("▸[a Authorize]");
        terminal.press_until("\x1b[A", "Client ID", |screen| {
            is_focused(screen, "Client ID")
        });
        terminal.send("\x1b");
        std::thread::sleep(Duration::from_millis(gap));
        terminal.send("a");
        terminal.wait_for("Cancel");
        // The question that Esc opens is not answered by the Enter that came with it.
        terminal.send("\x1b");
        std::thread::sleep(Duration::from_millis(gap));
        terminal.send("\r");
        terminal.wait_for("Keep waiting");
        terminal.settle();
        assert!(terminal.screen().contains("Keep waiting"), "{gap} ms");
    }
}

#[test]
fn tmux_over_mosh_forwards_copy_with_the_documented_setting() {
    let setting = r",*:Ms=\E]52;c;%p2%s\7";
    let guide = std::fs::read_to_string("docs/guide.md").unwrap();
    assert!(guide.contains(&format!("set -as terminal-overrides '{setting}'")));
    for (size, configured) in [(2_000, false), (2_000, true), (13_500, true)] {
        let token = token(size);
        let (line, _server) = command(&token, |line| line);
        let tmux = Tmux::start(&line);
        if configured {
            run(tmux
                .tmux()
                .args(["set", "-as", "terminal-overrides", setting]));
        }
        let attach = ["tmux", "-S", &tmux.socket(), "-f", "/dev/null", "attach"];
        let mosh = Mosh::start(&attach.map(str::to_owned));
        let mut terminal = mosh.client(mosh.port);
        authorize(&mut terminal);
        terminal.send("c");
        if size > 12_200 {
            terminal.wait_for("Copied the access token to the tmux buffer only (paste: prefix ]). Your terminal did not get \
                it");
        } else {
            terminal.wait_for(
                "Copied the access token to the tmux buffer (paste: prefix ]). mosh forwards it",
            );
        }
        assert!(tmux.buffer().as_ref() == Some(&token), "{size}");
        if configured && size <= 12_200 {
            let copied = eventually("the copy", || {
                Some(copies(&terminal)).filter(|one| !one.is_empty())
            });
            assert!(copied == [token], "{size}");
        } else {
            assert_eq!(copies(&terminal), [] as [String; 0]);
        }
    }
}
