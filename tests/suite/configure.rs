//! Configure…: the checks on this machine, and the setup on a Windows machine, whose HTTP service is a stand-in. Its
//! screens are among the fixtures.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};

use oauth_authorizer::configure::service::Rights;

use crate::app::{App, WINDOWS, found};
use crate::servers::free_port;
use crate::terminal::{self, ENTER, base, copy_program, program};

/// A program that uses a port of 127.0.0.1.
struct Taker(Child);

impl Drop for Taker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Taker {
    fn start(port: u16) -> Self {
        let script = format!(
            "require('net').createServer().listen({port}, '127.0.0.1', () => console.log('there'))"
        );
        let mut child = Command::new("node")
            .args(["-e", &script])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert_eq!(line, "there\n");
        Self(child)
    }

    fn name(&self) -> String {
        format!("node (process {})", self.0.id())
    }
}

/// Runs `configure`; as an ordinary user if that is requested and the test runs as root.
fn configure(ordinary: bool, arguments: &[&str]) -> (i32, String, String) {
    let home = tempfile::tempdir().unwrap();
    let root = rustix::process::geteuid().is_root();
    let mut command = if ordinary && root {
        // The other user must be able to run the program.
        let open = fs::Permissions::from_mode(0o755);
        fs::set_permissions(home.path(), open).unwrap();
        let copy = home.path().join("oauth-authorizer");
        copy_program(&copy);
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
        command.arg(copy);
        command
    } else {
        Command::new(program())
    };
    let output = command
        .arg("configure")
        .args(arguments)
        .current_dir(home.path())
        .env_clear()
        .envs(base(home.path()))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

fn verify(ordinary: bool, url: &str) -> (i32, String, String) {
    configure(ordinary, &["verify", "--redirect-url", url])
}

#[test]
fn port_in_use_is_reported_with_its_process() {
    let port = free_port();
    let taker = Taker::start(port);
    let url = format!("http://localhost:{port}/callback");
    let (code, out, err) = verify(false, &url);
    assert_eq!(code, 6, "{out}{err}");
    let told = format!(
        "problem: 127.0.0.1 port {port} is in use by {}. ",
        taker.name()
    );
    assert!(out.lines().any(|line| line.starts_with(&told)), "{out}");
    assert!(out.contains("choose another port"), "{out}");

    let home = tempfile::tempdir().unwrap();
    let flags = ["--flow", "authorization-code", "--redirect-url", &url];
    let mut screen = terminal::Command::new(home.path(), &flags).start();
    screen.wait_for("[a Authorize]");
    screen.focus("Configure…");
    screen.send(ENTER);
    screen.wait_for(&format!("is in use by {}.", taker.name()));
    drop(taker);
    // The focus is on Verify.
    screen.send(ENTER);
    screen.wait_for(&format!("ok 127.0.0.1 port {port} is free"));
    screen.focus("Back");
    screen.send(ENTER);
    screen.wait_for("[a Authorize]");
}

#[test]
fn process_of_another_user_is_reported_as_not_visible() {
    if !rustix::process::geteuid().is_root() {
        // The test requires a second user.
        return;
    }
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", socket.local_addr().unwrap());
    let (code, out, err) = verify(true, &url);
    assert_eq!(code, 6, "{out}{err}");
    assert!(
        out.contains("in use by a process of the user root, which your account can't see"),
        "{out}"
    );
    assert!(out.contains("sudo ss -ltnp 'sport = :"), "{out}");
}

#[test]
fn privileged_port_is_reported_with_what_to_do() {
    let path = "/proc/sys/net/ipv4/ip_unprivileged_port_start";
    let first: u16 = fs::read_to_string(path).unwrap().trim().parse().unwrap();
    assert!(
        first > 443,
        "this machine lets everybody have port 443: {path}"
    );
    let (code, out, err) = verify(true, "https://127.0.0.1/callback");
    assert_eq!(code, 6, "{out}{err}");
    for words in [
        &*format!(
            "problem: 127.0.0.1 port 443 requires root. Your account can listen only on ports {first} and above. Choose such a port"
        ),
        "sudo setcap cap_net_bind_service=+ep '",
        "sudo sysctl net.ipv4.ip_unprivileged_port_start=443",
        "set Listen address to 127.0.0.1:8443",
    ] {
        assert!(out.contains(words), "{words}\n{out}");
    }
}

#[test]
fn free_port_passes_and_invalid_url_is_refused() {
    let port = free_port();
    let (code, out, err) = verify(true, &format!("http://127.0.0.1:{port}/"));
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert_eq!(
        out,
        format!("ok: 127.0.0.1 port {port} is free and can be used.\n")
    );
    for work in ["setup", "verify", "delete"] {
        let (code, out, err) = configure(false, &[work, "--redirect-url", "localhost 8400"]);
        assert_eq!((code, out.as_str()), (2, ""));
        assert!(
            err.starts_with("error: The redirect URL is not valid"),
            "{err}"
        );
        let (code, _, err) = configure(false, &[work]);
        assert_eq!(code, 2);
        assert!(err.contains("--redirect-url"), "{err}");
    }
    let (code, out, _) = verify(false, "https://sso.example.org/callback");
    assert_eq!(code, 6);
    assert!(
        out.starts_with("problem: The redirect URL points to sso.example.org"),
        "{out}"
    );
    let url = format!("http://127.0.0.1:{port}/");
    let (code, out, err) = configure(false, &["setup", "--redirect-url", &url, "--user", "me"]);
    assert_eq!(code, 0, "{out}");
    assert!(
        out.starts_with("note: There is nothing to set up for this listener."),
        "{out}"
    );
    assert!(err.contains("--user is only used on Windows"), "{err}");
    let (code, out, _) = configure(false, &["delete", "--redirect-url", &url]);
    assert_eq!(code, 0, "{out}");
}

#[test]
fn configure_requires_a_redirect_url() {
    let home = tempfile::tempdir().unwrap();
    let mut screen = terminal::Command::new(
        home.path(),
        &["--flow", "authorization-code", "--redirect-url", ""],
    )
    .start();
    screen.wait_for("[a Authorize]");
    screen.focus("Configure…");
    screen.send(ENTER);
    screen.wait_for("Enter the redirect URL first");
}

/// The setup of this redirect URL on a Windows machine.
fn windows(url: &str) -> App {
    let mut app = App::new(WINDOWS.environment());
    app.configure_windows(url);
    app
}

const HTTP: &str = "http://localhost:8400/callback";
const HTTPS: &str = "https://localhost:8443/callback";

#[test]
fn windows_url_reservation_is_deleted_only_after_confirmation() {
    let mut app = windows(HTTP);
    app.press("Set up");
    assert!(app.service.sddl.is_some());
    // The first button of the question is Keep.
    app.press("Delete…").keys("<enter>").expect("[y Set up]");
    assert!(app.service.sddl.is_some());
    app.press("Delete…").keys("y");
    assert_eq!(app.service.sddl, None);
}

#[test]
fn windows_https_uses_certificate_selected_in_list() {
    let mut app = windows(HTTPS);
    app.press("List").keys("<enter>");
    assert_eq!(app.look().focus().unwrap().label, "Certificate");
    app.press("Set up");
    assert_eq!(app.service.bound, Some(found([1; 20])));
}

#[test]
fn windows_offers_redirect_url_that_needs_no_setup() {
    let mut app = windows(HTTP);
    app.service(|service| service.rights = Rights::None);
    app.press("Without setup")
        .expect("Redirect URL http://localhost/Temporary_Listen_Addresses/")
        .press("Without setup")
        .expect(&format!("Redirect URL {HTTP}"))
        .press("Back")
        .expect("[a Authorize]")
        .expect(&format!("Redirect URL {HTTP}"));
}

#[test]
fn certificate_is_created_reported_and_deleted() {
    let home = tempfile::tempdir().unwrap();
    let url = format!("https://localhost:{}/callback", free_port());
    let run = |what: &str| {
        let output = Command::new(program())
            .args(["configure", what, "--redirect-url", &url])
            .env_clear()
            .envs(base(home.path()))
            .env("XDG_CONFIG_HOME", home.path().join("config"))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let out = String::from_utf8(output.stdout).unwrap();
        (output.status.code().unwrap(), out)
    };
    let (code, out) = run("verify");
    assert_eq!(code, 6, "{out}");
    assert!(
        out.contains("missing: Certificate for localhost. Set up creates one."),
        "{out}"
    );
    let (code, out) = run("setup");
    assert_eq!(code, 0, "{out}");
    let folder = home.path().join("config/oauth-authorizer/certificates");
    let (certificate, key) = (
        folder.join("localhost.pem"),
        folder.join("localhost.key.pem"),
    );
    let mode = fs::metadata(&key).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let told = Command::new("openssl")
        .args(["x509", "-noout", "-fingerprint", "-sha256", "-in"])
        .arg(&certificate)
        .output()
        .unwrap();
    let told = String::from_utf8(told.stdout).unwrap();
    let fingerprint = told.trim().rsplit('=').next().unwrap();
    assert!(out.contains(fingerprint), "{out}\n{told}");
    let (code, out) = run("verify");
    assert!(code == 0 && out.contains(fingerprint), "{out}");
    // Setup keeps the certificate, because a browser may trust it by now.
    let (code, out) = run("setup");
    assert!(
        code == 0 && out.contains(fingerprint) && out.contains("To replace it, delete it first."),
        "{out}"
    );
    let (code, out) = run("delete");
    assert_eq!(code, 0, "{out}");
    assert!(!certificate.exists() && !key.exists());
    assert_eq!(run("verify").0, 6);
}
