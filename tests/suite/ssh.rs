//! Use over SSH: a real sshd, the program in one of its sessions, and the browser on another machine.
//!
//! The other machine is a network namespace that has only its own loopback, so anything that arrives at the listener
//! from there came through the tunnel. On that machine, ssh reaches the sshd by a command instead of a network
//! connection.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command as Process, Stdio};

use crate::servers::{Provider, eventually, free_port, person, person_by, run};
use crate::terminal::{Command, ENTER, Terminal, base, program};

/// A process that ends when the value is dropped.
struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Debian's sshd on a free loopback port, with its own keys and settings.
pub struct Sshd {
    folder: tempfile::TempDir,
    pub port: u16,
    pub user: String,
    _process: Ends,
}

impl Sshd {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["host", "key"] {
            run(Process::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(folder.path().join(name)));
        }
        let at = |name: &str| folder.path().join(name).display().to_string();
        let port = free_port();
        let settings = format!(
            "ListenAddress 127.0.0.1\nPort {port}\nHostKey {host}\nAuthorizedKeysFile {keys}\nPidFile none\nStrictModes no\n\
             UsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n\
             AllowTcpForwarding local\nX11Forwarding no\nPrintMotd no\nLogLevel VERBOSE\n",
            host = at("host"),
            keys = at("key.pub"),
        );
        std::fs::write(folder.path().join("sshd_config"), settings).unwrap();
        let public = std::fs::read_to_string(folder.path().join("host.pub")).unwrap();
        std::fs::write(
            folder.path().join("known"),
            format!("[127.0.0.1]:{port} {public}"),
        )
        .unwrap();
        // sshd requires this folder for its unprivileged process. The package creates it only when the machine starts.
        if !Path::new("/run/sshd").exists() {
            std::fs::create_dir("/run/sshd").expect("run the tests as root");
            std::fs::set_permissions("/run/sshd", std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let process = Process::new("/usr/sbin/sshd")
            .args(["-D", "-e", "-f"])
            .arg(folder.path().join("sshd_config"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("sshd is there (Debian: openssh-server)");
        let sshd = Self {
            port,
            user: run(Process::new("id").arg("-un")).trim().to_owned(),
            _process: Ends(process),
            folder,
        };
        eventually("the sshd", || {
            sshd.log().contains("Server listening").then_some(())
        });
        sshd
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// The options that make ssh use the test's keys and no settings of this machine.
    fn options(&self) -> Vec<String> {
        let at = |name: &str| self.folder.path().join(name).display().to_string();
        [
            "-F".to_owned(),
            "none".to_owned(),
            "-i".to_owned(),
            at("key"),
        ]
        .into_iter()
        .chain(
            [
                format!("UserKnownHostsFile={}", at("known")),
                "IdentitiesOnly=yes".to_owned(),
                "IdentityAgent=none".to_owned(),
                "BatchMode=yes".to_owned(),
                "StrictHostKeyChecking=yes".to_owned(),
                "ExitOnForwardFailure=yes".to_owned(),
            ]
            .into_iter()
            .flat_map(|option| ["-o".to_owned(), option]),
        )
        .collect()
    }

    /// Starts the program with these flags in its own session, as a user would.
    fn session(&self, home: &Path, flags: &[String]) -> Terminal {
        let mut words = vec![
            format!("HOME='{}'", home.display()),
            "LANG=C.UTF-8".to_owned(),
            "exec".to_owned(),
            format!("'{}'", program().display()),
        ];
        words.extend(flags.iter().map(|flag| format!("'{flag}'")));
        self.run(home, &words)
    }

    /// Runs these words as the command of a session with a terminal.
    pub fn run(&self, home: &Path, words: &[String]) -> Terminal {
        let mut line = self.options();
        line.extend([
            "-tt".to_owned(),
            "-p".to_owned(),
            self.port.to_string(),
            format!("{}@127.0.0.1", self.user),
            words.join(" "),
        ]);
        let line: Vec<&str> = line.iter().map(String::as_str).collect();
        Command::of(Path::new("/usr/bin/ssh"), home, &line).start()
    }
}

/// The user's own machine: a network namespace without access to a network.
struct Machine(Ends);

impl Machine {
    fn start() -> Self {
        let mut process = Process::new("unshare")
            .args([
                "--net",
                "sh",
                "-c",
                "ip link set lo up && echo ready && exec cat",
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare is there");
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert_eq!(line, "ready\n", "run the tests as root");
        Self(Ends(process))
    }

    /// The beginning of a command that runs on that machine.
    fn there(&self) -> [String; 2] {
        [
            "nsenter".to_owned(),
            format!("--net=/proc/{}/ns/net", self.0.0.id()),
        ]
    }

    /// Returns whether a program listens on this port of its loopback.
    fn listens(&self, port: u16) -> bool {
        let [nsenter, there] = self.there();
        Process::new(nsenter)
            .args([
                &there,
                "bash",
                "-c",
                &format!("exec 3<>/dev/tcp/127.0.0.1/{port}"),
            ])
            .stderr(Stdio::null())
            .status()
            .unwrap()
            .success()
    }
}

/// The provider's form over SSH, with the focus on Authorize.
fn form(sshd: &Sshd, home: &Path, provider: &Provider, redirect: &str) -> Terminal {
    let mut flags = provider.flags();
    flags.extend(
        [
            "--client-id",
            "public-native",
            "--scope",
            "openid email offline_access",
            "--extra-parameters",
            "prompt=consent",
            "--flow",
            "authorization-code",
            "--redirect-url",
            redirect,
        ]
        .map(str::to_owned),
    );
    let mut terminal = sshd.session(home, &flags);
    terminal.wait_for("[a Authorize]");
    terminal.focus("Authorize");
    terminal
}

/// The tunnel command, which is on its own row without indentation or border.
fn tunnel(terminal: &Terminal) -> String {
    let screen = terminal.screen();
    let rows: Vec<&str> = screen
        .lines()
        .filter_map(|row| row.find(" ssh ").map(|at| row[at + 1..].trim_end()))
        .collect();
    assert_eq!(rows.len(), 1, "{screen}");
    let command = rows[0].trim_end_matches("[n Copy]");
    command.trim_end().to_owned()
}

/// Checks that the server accepts the tokens, and that a copy is sent the way that is right over SSH.
fn assert_tokens(terminal: &mut Terminal, provider: &Provider) {
    terminal.wait_for("Access token");
    terminal.focus("Access token");
    terminal.send("r");
    terminal.wait_for("r Hide]");
    let token = terminal.revealed();
    assert_eq!(provider.userinfo(&token), (200, "alice".to_owned()));
    terminal.send("c");
    terminal.wait_for("Sent the access token to your terminal");
    let encoded = {
        use base64::Engine;
        base64::engine::general_purpose::STANDARD.encode(&token)
    };
    let bytes = String::from_utf8_lossy(&terminal.bytes()).into_owned();
    assert!(bytes.contains(&format!("\x1b]52;c;{encoded}")), "{token}");
}

#[test]
fn tunnel_shown_over_ssh_carries_the_browser_redirect() {
    let (home, sshd, machine) = (
        tempfile::tempdir().unwrap(),
        Sshd::start(),
        Machine::start(),
    );
    let provider = Provider::start(&[]);
    let port = free_port();
    let mut terminal = form(
        &sshd,
        home.path(),
        &provider,
        &format!("http://localhost:{port}/callback"),
    );
    terminal.send(ENTER);
    terminal.wait_for("URL, code or error text");
    // Everything that the user needs is on the screen at once.
    let url = terminal.url_at("http://127.0.0.1");
    assert!(
        url.contains("code_challenge=") && url.contains("state="),
        "{url}"
    );
    assert!(
        terminal
            .flat()
            .contains("this screen continues automatically"),
        "{}",
        terminal.screen()
    );
    let command = tunnel(&terminal);
    assert_eq!(
        command,
        format!(
            "ssh -p {} -L {port}:127.0.0.1:{port} {}@127.0.0.1",
            sshd.port, sshd.user
        )
    );
    // The button copies the command.
    terminal.focus("Copy");
    terminal.send(ENTER);
    terminal.wait_for("Sent the tunnel command to your terminal");
    // No display was forwarded, so the program offers no browser, but another flow.
    assert!(
        !terminal.flat().contains("Open browser"),
        "{}",
        terminal.screen()
    );
    assert!(
        terminal.flat().contains("[l Device code flow]"),
        "{}",
        terminal.screen()
    );

    // Nothing listens on the other machine yet.
    assert!(!machine.listens(port));
    // The same command, with the test's key, a way to the sshd, and a second tunnel to the provider, which a real
    // provider would not need.
    let endpoint = url::Url::parse(provider.issuer()).unwrap().port().unwrap();
    let [nsenter, there] = machine.there();
    let way = format!(
        "ProxyCommand=nsenter --net=/proc/{}/ns/net bash -c 'exec 3<>/dev/tcp/127.0.0.1/{}; cat <&3 & cat >&3; kill $!'",
        std::process::id(),
        sshd.port
    );
    let mut words = vec![there.clone(), "ssh".to_owned(), "-N".to_owned()];
    words.extend(sshd.options());
    words.extend([
        "-o".to_owned(),
        way,
        "-L".to_owned(),
        format!("{endpoint}:127.0.0.1:{endpoint}"),
    ]);
    words.extend(command.split(' ').skip(1).map(str::to_owned));
    let _tunnel = Ends(
        Process::new(nsenter)
            .args(&words)
            .env_clear()
            .envs(base(home.path()))
            .stdin(Stdio::null())
            .spawn()
            .unwrap(),
    );
    eventually("the tunnel", || machine.listens(port).then_some(()));
    assert!(machine.listens(endpoint));

    // Use the browser on the other machine.
    let answer = person_by(&machine.there(), &url, &[]);
    assert_eq!(answer["status"], 200, "{answer}");
    let callback = answer["callback"].as_str().unwrap();
    assert!(
        callback.starts_with(&format!("http://localhost:{port}/callback?")),
        "{callback}"
    );
    assert!(
        answer["body"]
            .as_str()
            .unwrap()
            .contains("Return to your terminal"),
        "{answer}"
    );
    assert_tokens(&mut terminal, &provider);
    assert!(
        sshd.log().matches("Accepted publickey").count() == 2,
        "{}",
        sshd.log()
    );
}

#[test]
fn pasting_the_redirect_works_over_ssh() {
    let (home, sshd) = (tempfile::tempdir().unwrap(), Sshd::start());
    let provider = Provider::start(&[]);
    let redirect = format!("http://127.0.0.1:{}/callback", free_port());
    let mut terminal = form(&sshd, home.path(), &provider, &redirect);
    terminal.send(ENTER);
    terminal.wait_for("URL, code or error text");
    let url = terminal.url_at("http://127.0.0.1");
    // A rejected redirect is reported next to everything else on the screen, at 80x24.
    assert_eq!(person(&url, &["--set", "state=forged"])["status"], 400);
    terminal.wait_for("Ignored a redirect: it is from a different sign-in (state mismatch).");
    tunnel(&terminal);
    assert_eq!(terminal.url_at("http://127.0.0.1"), url);
    assert!(
        terminal.flat().contains("URL, code or error text"),
        "{}",
        terminal.screen()
    );
    // A browser on another computer ends at a URL where no server responds.
    let answer = person(&url, &["--no-callback"]);
    assert_eq!(answer["outcome"], "approved");
    terminal.paste(answer["callback"].as_str().unwrap());
    terminal.focus("Paste");
    terminal.send(ENTER);
    assert_tokens(&mut terminal, &provider);
}
