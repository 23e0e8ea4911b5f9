//! The real program for Windows, under Wine in tmux, with HTTP.sys and a certified OpenID provider. `tests/windows`
//! runs this test in its own network and sets the path of the program.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    unreachable_pub,
    dead_code,
    reason = "a test fails on anything unexpected; not all of what is shared is used here"
)]

mod scripted;
mod servers;
mod terminal;
mod windows_console;
mod windows_profiles;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command as Process;

use servers::{Provider, eventually, free_port, get, person};
use terminal::{Command, ENTER, ESC, Terminal, base};

/// The environment variables that Wine requires.
const WINE: [&str; 3] = ["WINEPREFIX", "WINEDEBUG", "WINEDLLOVERRIDES"];
/// Rounds before the descriptors are counted, so that descriptors that are opened once and kept are open by then.
const WARM_UP: usize = 10;
const ROUNDS: usize = 100;

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run tests/windows"))
}

/// The program in tmux, in a window of 80x24 without a status line.
struct InTmux {
    terminal: Terminal,
    home: tempfile::TempDir,
}

impl Drop for InTmux {
    fn drop(&mut self) {
        let _ = self.tmux().arg("kill-server").status();
    }
}

impl InTmux {
    fn start(flags: &[&str]) -> Self {
        // Wine's own console ignores escape sequences, so the program is told to use the terminal that Wine runs in.
        Self::start_by(
            "TERMINAL_DEVICE=Z:$(tty | tr / '\\\\') exec wine \"$@\"",
            flags,
        )
    }

    /// Starts the program by another shell command line, which gets the program and its flags as arguments.
    fn start_by(line: &str, flags: &[&str]) -> Self {
        let home = tempfile::tempdir().unwrap();
        fs::write(
            home.path().join("tmux.conf"),
            "set -g status off\nset -g escape-time 0\n",
        )
        .unwrap();
        let socket = home.path().join("socket");
        let exe = variable("OAUTH_AUTHORIZER_EXE");
        let mut all = vec![
            "-S",
            socket.to_str().unwrap(),
            "-f",
            "tmux.conf",
            "new-session",
            "sh",
            "-c",
            line,
            "sh",
            &exe,
        ];
        all.extend(flags);
        let mut command = Command::of(Path::new("tmux"), home.path(), &all);
        for name in WINE {
            command = command.env(name, variable(name));
        }
        let terminal = command.start();
        Self { terminal, home }
    }

    fn tmux(&self) -> Process {
        let mut tmux = Process::new("tmux");
        tmux.env_clear()
            .envs(base(self.home.path()))
            .arg("-S")
            .arg(self.home.path().join("socket"));
        tmux
    }

    /// The screen according to tmux.
    fn capture(&self) -> String {
        servers::run(self.tmux().args(["capture-pane", "-p"]))
    }
}

/// A process on this machine.
struct Found {
    folder: PathBuf,
    name: String,
    prefix: bool,
}

/// All processes, with their names and whether they belong to this test's Wine prefix.
fn processes() -> Vec<Found> {
    let prefix = format!("WINEPREFIX={}", variable("WINEPREFIX"));
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries
        .map(|entry| entry.path())
        .filter_map(|folder| {
            let line = fs::read_to_string(folder.join("cmdline")).ok()?;
            let name = line.split('\0').next()?.rsplit(['/', '\\']).next()?;
            let environment = fs::read(folder.join("environ")).unwrap_or_default();
            let prefix = environment
                .split(|byte| *byte == 0)
                .any(|one| one == prefix.as_bytes());
            Some(Found {
                name: name.trim().to_owned(),
                folder,
                prefix,
            })
        })
        .collect()
}

fn descriptors(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.join("fd")).into_iter().flatten();
    entries
        .flatten()
        .filter_map(|entry| fs::read_link(entry.path()).ok())
        .collect()
}

/// Number of open descriptors of this prefix's wineserver.
fn wineserver_descriptors() -> usize {
    let all = processes();
    let mut servers = all
        .iter()
        .filter(|found| found.prefix && found.name.starts_with("wineserver"));
    let server = servers.next().expect("the prefix has a wineserver");
    assert!(servers.next().is_none(), "the prefix has one wineserver");
    descriptors(&server.folder).len()
}

/// The sockets that listen on `port`.
fn listening(port: u16) -> Vec<PathBuf> {
    let mut sockets = Vec::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        for line in fs::read_to_string(table).unwrap().lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            // 0A is the state LISTEN.
            if fields[3] == "0A" && fields[1].ends_with(&format!(":{port:04X}")) {
                sockets.push(format!("socket:[{}]", fields[9]).into());
            }
        }
    }
    sockets
}

/// The names of the processes that have one of these sockets open.
fn owners(sockets: &[PathBuf]) -> Vec<String> {
    let mut names: Vec<String> = processes()
        .into_iter()
        .filter(|found| {
            descriptors(&found.folder)
                .iter()
                .any(|open| sockets.contains(open))
        })
        .map(|found| found.name)
        .collect();
    names.sort();
    names.dedup();
    names
}

fn flags(provider: &Provider, port: u16) -> Vec<String> {
    let mut flags = provider.flags();
    // Wine looks like a desktop.
    flags.push("--no-browser".to_owned());
    let redirect = format!("http://localhost:{port}/callback/");
    for (name, value) in [
        ("--flow", "authorization-code"),
        ("--redirect-url", &redirect),
        ("--scope", "openid email offline_access"),
        ("--extra-parameters", "prompt=consent"),
    ] {
        flags.extend([name.to_owned(), value.to_owned()]);
    }
    flags
}

fn start(flags: &[String]) -> InTmux {
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let program = InTmux::start(&flags);
    program.terminal.wait_for("[a Authorize]");
    program
}

#[test]
fn flow_through_http_sys_shows_tokens() {
    let (provider, port) = (Provider::start(&[]), free_port());
    let mut program = start(&flags(&provider, port));
    let terminal = &mut program.terminal;
    terminal.focus("Client ID");
    // Single keys, a correction, and a character that many keyboards type with AltGr.
    for key in ["p", "u", "b", "l", "i", "c", "x", "\x7f", "-"] {
        terminal.send(key);
    }
    terminal.paste("native");
    terminal.wait_for("public-native");
    terminal.send(ENTER);
    terminal.wait_until("the focus on Authorize", |screen| {
        terminal::is_focused(screen, "Authorize")
    });
    terminal.send(ENTER);
    terminal.wait_for(&format!("http://localhost:{port}/callback/ (HTTP.sys)"));

    let sockets = listening(port);
    assert!(!sockets.is_empty(), "nothing listens on {port}");
    let owners = owners(&sockets);
    println!("listening on {port}: {owners:?}");
    assert!(
        owners.iter().any(|name| name.starts_with("wineserver")),
        "{owners:?}"
    );
    // Under Wine, wineserver owns every socket. The process that has loaded the driver shows that the driver listens.
    let drivers = processes().into_iter().filter(|found| {
        let maps = fs::read_to_string(found.folder.join("maps")).unwrap_or_default();
        found.prefix && maps.contains("/http.sys")
    });
    let drivers: Vec<String> = drivers.map(|found| found.name).collect();
    println!("http.sys is in: {drivers:?}");
    assert_eq!(drivers, ["winedevice.exe"]);
    // A wrong state is rejected, and the wait continues.
    let (status, page) = get(
        &format!("http://localhost:{port}/callback/?code=x&state=forged"),
        &[],
    );
    assert_eq!(status, 400, "{page}");

    let url = terminal.url();
    // Wine's HTTP.sys requires the header name `Host` as browsers write it; the script of the user sends `host`.
    let answer = person(&url, &["--no-callback"]);
    assert_eq!(answer["outcome"], "approved", "{answer}");
    let (status, page) = get(answer["callback"].as_str().unwrap(), &[]);
    assert_eq!(status, 200, "{page}");
    assert!(page.contains("Almost done"), "{page}");
    terminal.wait_for("Access token");
    terminal.wait_for("Signed in as");
    terminal.focus("Access token");
    terminal.send("r");
    terminal.wait_for("r Hide]");
    let token = terminal.revealed();
    assert_eq!(provider.userinfo(&token), (200, "alice".to_owned()));
    // tmux shows the same text on its screen.
    assert!(program.capture().contains(&token[..20]));
    eventually("the URL to be free", || {
        listening(port).is_empty().then_some(())
    });
    let terminal = &mut program.terminal;

    // Only this user can read the saved file, according to both Wine and the host system.
    terminal.focus("Trace");
    terminal.send(ENTER);
    terminal.wait_for("Secrets and tokens are redacted.");
    terminal.send("s");
    terminal.wait_for("Save the trace to this file");
    terminal.send(ENTER);
    terminal.wait_for("(only you can read it).");
    let path = program.home.path().join("oauth-authorizer-trace.txt");
    let about = fs::metadata(&path).unwrap();
    // Wine shows the rights of the system account, which has access anyway, as those of the group.
    assert_eq!(about.permissions().mode() & 0o027, 0, "{about:?}");
    assert!(!fs::read_to_string(&path).unwrap().contains(&token));
}

#[test]
fn canceled_sign_ins_leak_no_descriptor_or_url() {
    let (provider, port) = (Provider::start(&[]), free_port());
    let mut flags = flags(&provider, port);
    flags.extend(["--client-id".to_owned(), "public-native".to_owned()]);
    let mut program = start(&flags);
    let terminal = &mut program.terminal;
    terminal.focus("Authorize");
    let mut counts = Vec::new();
    for _ in 0..WARM_UP + ROUNDS {
        terminal.send(ENTER);
        terminal.wait_for("(HTTP.sys)");
        terminal.send(ESC);
        terminal.wait_for("Cancel this sign-in?");
        terminal.send("y");
        terminal.wait_for("The sign-in was canceled.");
        counts.push(wineserver_descriptors());
    }
    let after = &counts[WARM_UP..];
    let (first, last) = (after[0], after[after.len() - 1]);
    println!(
        "descriptors of wineserver after {WARM_UP} rounds: {first}, after {ROUNDS} more: {last}"
    );
    // One descriptor leaked in each round would add up to a hundred.
    assert!(last <= first + 5, "{counts:?}");
    eventually("the URL to be free", || {
        listening(port).is_empty().then_some(())
    });
    // Another program can use the URL now.
    let mut other = start(&flags);
    other.terminal.focus("Authorize");
    other.terminal.send(ENTER);
    other.terminal.wait_for("(HTTP.sys)");
    // Meanwhile, the first program reports that.
    let terminal = &mut program.terminal;
    terminal.send(ENTER);
    // The real driver reports that the URL is in use (183), Wine that the port is in use (32).
    let url = format!("http://localhost:{port}/callback/");
    terminal.wait_until("who has it", |screen| {
        let text = terminal::flat(screen);
        text.contains(&format!(
            "Another program is already listening on {url} (code 183)."
        )) || text.contains(&format!(
            "Another program uses the port of {url} without HTTP.sys"
        ))
    });
}

#[test]
fn url_that_http_sys_cannot_take_uses_own_listener() {
    let (provider, port) = (Provider::start(&[]), free_port());
    let mut flags = flags(&provider, port);
    let at = flags
        .iter()
        .position(|flag| flag == "--redirect-url")
        .unwrap();
    // HTTP.sys would compare the path unescaped. Under Wine, access is never denied.
    flags[at + 1] = format!("http://127.0.0.1:{port}/a%20b");
    flags.extend(["--client-id".to_owned(), "public-native".to_owned()]);
    let mut program = start(&flags);
    let terminal = &mut program.terminal;
    terminal.focus("Authorize");
    terminal.send(ENTER);
    terminal
        .wait_for("HTTP.sys doesn't accept escaped characters (%) in a path, so the program uses");
    terminal.wait_for(&format!("127.0.0.1:{port}"));
    let url = format!("http://127.0.0.1:{port}/a%20b?code=x&state=forged");
    let (status, page) = get(&url, &[]);
    assert_eq!(status, 400, "{page}");
    // If the user requires HTTP.sys, the program uses no other listener.
    flags.extend(["--listener".to_owned(), "httpsys".to_owned()]);
    let mut other = start(&flags);
    other.terminal.focus("Authorize");
    other.terminal.send(ENTER);
    other.terminal.wait_for("start with --listener loopback");
}

#[test]
fn configure_queries_the_http_service() {
    let (provider, port) = (Provider::start(&[]), free_port());
    let mut flags = flags(&provider, port);
    // Not localhost, for which Windows requires no reservation.
    let url = format!("http://127.0.0.1:{port}/callback/");
    flags.extend(["--redirect-url".to_owned(), url.clone()]);
    let at = flags
        .iter()
        .position(|flag| flag == "--redirect-url")
        .unwrap();
    flags.drain(at..at + 2);
    let mut program = start(&flags);
    let terminal = &mut program.terminal;
    terminal.focus("Configure…");
    terminal.send(ENTER);
    terminal.wait_for("netsh http add urlacl");
    // For an ordinary user, Verify tries to listen; for an administrator, it reads the reservation.
    terminal.wait_until("what Verify found", |screen| {
        let text = terminal::flat(screen);
        text.contains(&format!("missing URL reservation for {url}"))
            || text.contains(&format!("may listen on {url}"))
    });
}

#[test]
fn client_key_is_searched_in_the_certificate_store() {
    let absent = format!(r"Cert:\LocalMachine\My\{}", "0".repeat(40));
    for method in ["automatic", "mutual-tls"] {
        let flags = [
            "--flow",
            "client-credentials",
            "--client-id",
            "me",
            "--token-url",
            "https://as.example/token",
            "--client-authentication",
            method,
            "--client-key",
            &absent,
        ];
        let mut program = start(&flags.map(str::to_owned));
        let terminal = &mut program.terminal;
        terminal.focus("Authorize");
        terminal.send(ENTER);
        terminal.wait_for("Field Client key [Edit]");
        terminal.wait_until("where it was looked for", |screen| {
            terminal::flat(screen).contains("certificate store doesn't contain this certificate")
        });
        terminal.focus("Edit");
        terminal.send(ENTER);
        terminal.focus("List");
        terminal.send(ENTER);
        terminal.wait_until("the list of certificates", |screen| {
            terminal::flat(screen).contains("Certificates of this machine with a private key")
        });
    }
}

#[test]
fn burst_of_keys_is_treated_as_a_paste() {
    let mut program = InTmux::start(&["--no-browser"]);
    let terminal = &mut program.terminal;
    terminal.wait_for("[a Authorize]");
    terminal.focus("Client ID");
    terminal.send("one\ttwo\rthree");
    terminal.wait_for("onetwothree");
    assert!(terminal.look(|screen| terminal::is_focused(screen, "Client ID")));
}

#[test]
fn the_program_ends_when_its_console_is_closed() {
    let program = InTmux::start(&["--demo", "--no-browser"]);
    program.terminal.wait_for("[a Authorize]");
    let running = || {
        let all = processes();
        let ours = |found: &&Found| found.prefix && found.name == "oauth-authorizer.exe";
        all.iter().filter(ours).count()
    };
    assert_eq!(running(), 1);
    servers::run(program.tmux().arg("kill-session"));
    eventually("the end of the program", || (running() == 0).then_some(()));
}
