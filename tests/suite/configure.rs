//! Configure…: what it finds on this machine, and each of its screens as a snapshot. The screens of Windows are drawn from
//! data: the service's part is played by a stand-in.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use oauth_authorizer::configure::holder::Holder;
use oauth_authorizer::configure::loopback;
use oauth_authorizer::configure::plan::APP_ID;
use oauth_authorizer::configure::reading::Account;
use oauth_authorizer::configure::report::{Finding, Report, State, Task, Work};
use oauth_authorizer::configure::service::{Rights, Service};
use oauth_authorizer::configure::steps;
use oauth_authorizer::console::environment::{Environment, Ssh};
use oauth_authorizer::form::settings::{Key, Settings};
use oauth_authorizer::httpsys::certificates::StoreCertificate;
use oauth_authorizer::httpsys::prefix::{Endpoint, FoundBinding, SslBinding, Thumbprint, UrlAcl};
use oauth_authorizer::presets::{self, Library};
use oauth_authorizer::tui::model::{Action, Effect, Model, Moment, Msg, News, Screen, Target};
use oauth_authorizer::tui::update::update;
use oauth_authorizer::tui::view::view;
use ratatui::Terminal as Drawing;
use ratatui::backend::TestBackend;

use crate::servers::free_port;
use crate::terminal::{self, ENTER, base, program};

/// A program that has a port of 127.0.0.1.
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

/// Runs `configure`; as an ordinary user where that is wanted and this is root.
fn configure(ordinary: bool, arguments: &[&str]) -> (i32, String, String) {
    let home = tempfile::tempdir().unwrap();
    let root = rustix::process::geteuid().is_root();
    let mut command = if ordinary && root {
        // Where that user can reach it.
        let open = fs::Permissions::from_mode(0o755);
        fs::set_permissions(home.path(), open).unwrap();
        let copy = home.path().join("oauth-authorizer");
        fs::copy(program(), &copy).unwrap();
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
fn a_port_taken_by_another_process_names_it() {
    let port = free_port();
    let taker = Taker::start(port);
    let url = format!("http://localhost:{port}/callback");
    let (code, out, err) = verify(false, &url);
    assert_eq!(code, 6, "{out}{err}");
    let told = format!(
        "wrong: Port {port} of 127.0.0.1 is taken by {}. ",
        taker.name()
    );
    assert!(out.lines().any(|line| line.starts_with(&told)), "{out}");
    assert!(out.contains("take another port"), "{out}");

    let home = tempfile::tempdir().unwrap();
    let flags = ["--flow", "authorization-code", "--redirect-url", &url];
    let mut screen = terminal::Command::new(home.path(), &flags).start();
    screen.wait_for("[ Authorize ]");
    screen.focus("Configure…");
    screen.send(ENTER);
    screen.wait_for(&format!("is taken by {}.", taker.name()));
    drop(taker);
    // Verify has the focus.
    screen.send(ENTER);
    screen.wait_for(&format!("ok Port {port} of 127.0.0.1 is free"));
    screen.focus("Back");
    screen.send(ENTER);
    screen.wait_for("[ Authorize ]");
}

#[test]
fn what_another_user_has_is_not_visible_to_an_ordinary_one() {
    if !rustix::process::geteuid().is_root() {
        // It takes a second user.
        return;
    }
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", socket.local_addr().unwrap());
    let (code, out, err) = verify(true, &url);
    assert_eq!(code, 6, "{out}{err}");
    assert!(
        out.contains("taken by a program of the user root; which one is not visible to this user"),
        "{out}"
    );
    assert!(out.contains("sudo ss -ltnp 'sport = :"), "{out}");
}

#[test]
fn a_port_for_root_says_what_to_do() {
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
            "wrong: Port 443 of 127.0.0.1 is for root: this user may listen from port {first} on. Take such a port"
        ),
        "sudo setcap cap_net_bind_service=+ep '",
        "sudo sysctl net.ipv4.ip_unprivileged_port_start=443",
        "set 127.0.0.1:8443 as the Listen address",
    ] {
        assert!(out.contains(words), "{words}\n{out}");
    }
}

#[test]
fn a_free_port_is_fine_and_a_wrong_url_is_usage() {
    let port = free_port();
    let (code, out, err) = verify(true, &format!("http://127.0.0.1:{port}/"));
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert_eq!(
        out,
        format!("ok: Port {port} of 127.0.0.1 is free, and this user may listen there.\n")
    );
    for work in ["setup", "verify", "delete"] {
        let (code, out, err) = configure(false, &[work, "--redirect-url", "localhost 8400"]);
        assert_eq!((code, out.as_str()), (2, ""));
        assert!(
            err.starts_with("error: The redirect URL is not complete"),
            "{err}"
        );
        let (code, _, err) = configure(false, &[work]);
        assert_eq!(code, 2);
        assert!(err.contains("--redirect-url"), "{err}");
    }
    let (code, out, _) = verify(false, "https://sso.example.org/callback");
    assert_eq!(code, 6);
    assert!(
        out.starts_with("wrong: The redirect URL leads to sso.example.org"),
        "{out}"
    );
    let url = format!("http://127.0.0.1:{port}/");
    let (code, out, err) = configure(false, &["setup", "--redirect-url", &url, "--user", "me"]);
    assert_eq!(code, 0, "{out}");
    assert!(
        out.starts_with("note: Nothing has to be set up for this listener."),
        "{out}"
    );
    assert!(err.contains("--user counts on Windows only"), "{err}");
    let (code, out, _) = configure(false, &["delete", "--redirect-url", &url]);
    assert_eq!(code, 0, "{out}");
}

#[test]
fn without_a_redirect_url_it_asks_for_one() {
    let home = tempfile::tempdir().unwrap();
    let mut screen = terminal::Command::new(home.path(), &["--redirect-url", ""]).start();
    screen.wait_for("[ Authorize ]");
    screen.focus("Configure…");
    screen.send(ENTER);
    screen.wait_for("there is none yet. Type one");
}

/// The HTTP service of a Windows machine that there is not.
pub struct StandIn {
    rights: Rights,
    code: u32,
    sddl: Option<String>,
    bound: Option<FoundBinding>,
}

impl StandIn {
    pub fn new(rights: Rights) -> Self {
        Self {
            rights,
            code: 0,
            sddl: None,
            bound: None,
        }
    }
}

fn certificate(subject: &str, name: &str, hash: u8) -> StoreCertificate {
    StoreCertificate {
        subject: format!("CN={subject}"),
        names: vec![name.to_owned()],
        expires: "2027-03-01".to_owned(),
        expired: false,
        thumbprint: Thumbprint([hash; 20]),
        has_key: true,
    }
}

impl Service for StandIn {
    fn rights(&self) -> Rights {
        self.rights
    }
    fn user(&self) -> Option<String> {
        Some("CONTOSO\\Jürgen Groß".to_owned())
    }
    fn sid(&self, _: &str) -> Result<String, u32> {
        Ok("S-1-5-21-1-2-3-1001".to_owned())
    }
    fn account(&self, sid: &str) -> Option<Account> {
        (sid == "S-1-5-20").then(|| Account {
            name: "NT AUTHORITY\\NETWORK SERVICE".to_owned(),
            group: false,
        })
    }
    fn is_member(&self, _: &str) -> bool {
        false
    }
    fn listen(&self, _: &str) -> u32 {
        0
    }
    fn is_deaf(&self) -> bool {
        false
    }
    fn certificates(&self) -> Result<Vec<StoreCertificate>, u32> {
        let mut old = certificate("old.contoso.example", "old.contoso.example", 2);
        (old.expired, old.has_key) = (true, false);
        "2025-01-31".clone_into(&mut old.expires);
        Ok(vec![certificate("localhost", "localhost", 1), old])
    }
    fn reservation(&self, _: &str) -> Result<Option<String>, u32> {
        Ok(self.sddl.clone())
    }
    fn binding(&self, _: &Endpoint) -> Result<Option<FoundBinding>, u32> {
        Ok(self.bound.clone())
    }
    fn reserve(&mut self, reservation: &UrlAcl) -> u32 {
        if self.code == 0 {
            self.sddl = Some(reservation.sddl.clone());
        }
        self.code
    }
    fn bind(&mut self, binding: &SslBinding) -> u32 {
        if self.code == 0 {
            self.bound = Some(found(binding.hash));
        }
        self.code
    }
    fn release(&mut self, _: &str) -> u32 {
        self.sddl = None;
        self.code
    }
    fn unbind(&mut self, _: &Endpoint) -> u32 {
        self.bound = None;
        self.code
    }
    fn consent(&mut self, _: &[String]) -> Result<u32, u32> {
        Err(1223)
    }
}

fn found(hash: [u8; 20]) -> FoundBinding {
    FoundBinding {
        hash: hash.to_vec(),
        app_id: APP_ID,
        store: "MY".to_owned(),
    }
}

/// The whole program but its terminal and its effects.
struct Whole<'a> {
    model: Model,
    answer: Box<dyn FnMut(&Task) -> Report + 'a>,
    drawing: Drawing<TestBackend>,
}

impl<'a> Whole<'a> {
    fn new(environment: Environment, url: &str, answer: impl FnMut(&Task) -> Report + 'a) -> Self {
        let custom = presets::get(presets::CUSTOM).unwrap();
        let mut settings = Settings::new(custom.clone());
        settings.set(Key::RedirectUrl, url.to_owned());
        let model = Model::new(environment, settings, custom, Library::default());
        let mut whole = Self {
            model,
            answer: Box::new(answer),
            drawing: Drawing::new(TestBackend::new(80, 24)).unwrap(),
        };
        whole.focus(Target::Button(Action::Configure));
        whole.press(KeyCode::Enter);
        assert_eq!(whole.model.screen, Screen::Configure);
        whole
    }

    fn windows(url: &str, stand_in: &'a mut StandIn) -> Self {
        let environment = Environment {
            windows: true,
            utf8: true,
            ..Environment::default()
        };
        Self::new(environment, url, move |task| steps::perform(task, stand_in))
    }

    fn here(url: &str, findings: Vec<Finding>) -> Self {
        let environment = Environment {
            utf8: true,
            ..Environment::default()
        };
        Self::new(environment, url, move |_| Report::of(findings.clone()))
    }

    fn small(mut self) -> Self {
        self.drawing = Drawing::new(TestBackend::new(40, 10)).unwrap();
        self.send(News::Resized(40, 10));
        self
    }

    fn send(&mut self, what: News) {
        let at = Moment {
            up: std::time::Duration::from_secs(1),
            clock: (12, 1, 7),
        };
        for effect in update(&mut self.model, Msg { at, what }) {
            if let Effect::Configure(task, number) = effect {
                let report = (self.answer)(&task);
                self.send(News::Configured(number, Box::new(report), Box::default()));
            }
        }
    }

    fn press(&mut self, code: KeyCode) {
        self.send(News::Key(KeyEvent::new(code, KeyModifiers::NONE)));
    }

    /// By Tab, as everything is reachable so.
    fn focus(&mut self, target: Target) {
        for _ in 0..60 {
            if self.model.focus == target {
                return;
            }
            self.press(KeyCode::Tab);
        }
        panic!("{target:?} is not reachable");
    }

    fn act(&mut self, target: Target) {
        self.focus(target);
        self.press(KeyCode::Enter);
    }

    fn text(&mut self) -> String {
        let model = &self.model;
        self.drawing.draw(|frame| view(model, frame)).unwrap();
        let buffer = self.drawing.backend().buffer();
        let width = usize::from(buffer.area.width);
        let rows = buffer.content.chunks(width).map(|row| {
            let line: String = row.iter().map(ratatui::buffer::Cell::symbol).collect();
            line.trim_end().to_owned() + "\n"
        });
        rows.collect()
    }

    /// Compares the screen with the snapshot of this name.
    fn assert(&mut self, name: &str) {
        let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/snapshots")
            .join(format!("configure-{name}.txt"));
        let text = self.text();
        if std::env::var_os("OAUTH_AUTHORIZER_WRITE_SNAPSHOTS").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &text).unwrap();
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(
            text.lines().collect::<Vec<_>>(),
            kept.lines().collect::<Vec<_>>(),
            "{} differs; OAUTH_AUTHORIZER_WRITE_SNAPSHOTS=1 writes it anew",
            path.display()
        );
    }
}

const SET_UP: Target = Target::Button(Action::Work(Work::SetUp));
const VERIFY: Target = Target::Button(Action::Work(Work::Verify));
const DELETE: Target = Target::Button(Action::Work(Work::Delete));
const HTTP: &str = "http://localhost:8400/callback";
const HTTPS: &str = "https://localhost:8443/callback";

#[test]
fn windows_http_is_set_up_verified_and_deleted() {
    let mut service = StandIn::new(Rights::Elevated);
    let mut whole = Whole::windows(HTTP, &mut service);
    whole.assert("windows-http");
    whole.act(SET_UP);
    whole.assert("windows-http-done");
    whole.act(VERIFY);
    whole.assert("windows-http-verified");
    whole.act(DELETE);
    whole.assert("windows-http-delete");
    // The question is answered with Back at first.
    whole.press(KeyCode::Enter);
    assert!(whole.text().contains("[ Set up ]"));
    whole.press(KeyCode::Enter);
    whole.press(KeyCode::Tab);
    whole.press(KeyCode::Enter);
    whole.assert("windows-http-deleted");
    drop(whole);
    assert_eq!(service.sddl, None);
}

#[test]
fn windows_https_takes_a_certificate_from_the_list() {
    let mut service = StandIn::new(Rights::Elevated);
    let mut whole = Whole::windows(HTTPS, &mut service);
    whole.assert("windows-https");
    whole.act(Target::CertificateList);
    whole.assert("windows-https-certificates");
    whole.press(KeyCode::Down);
    whole.press(KeyCode::Enter);
    whole.act(VERIFY);
    whole.assert("windows-https-unfit");
    whole.act(Target::CertificateList);
    whole.press(KeyCode::Enter);
    assert_eq!(whole.model.focus, Target::Thumbprint);
    whole.assert("windows-https-chosen");
    whole.act(SET_UP);
    whole.assert("windows-https-done");
    whole.act(VERIFY);
    whole.assert("windows-https-verified");
    drop(whole);
    assert_eq!(service.bound, Some(found([1; 20])));
}

#[test]
fn windows_tells_what_is_different_and_what_is_wrong() {
    let mut service = StandIn::new(Rights::Elevated);
    service.sddl = Some("D:(A;;GX;;;S-1-5-20)".to_owned());
    service.bound = Some(found([9; 20]));
    let mut whole = Whole::windows(HTTPS, &mut service);
    whole.focus(Target::Thumbprint);
    whole.send(News::Paste("01".repeat(20)));
    whole.act(VERIFY);
    whole.assert("windows-differences");
    whole.focus(Target::Thumbprint);
    whole.send(News::Paste("0".to_owned()));
    whole.assert("windows-wrong-thumbprint");
    drop(whole);
    let mut service = StandIn::new(Rights::Elevated);
    let mut whole = Whole::windows("http://localhost:0/", &mut service);
    whole.assert("windows-any-port");
    drop(whole);
    let mut whole = Whole::windows("localhost", &mut service);
    whole.assert("windows-wrong-url");
}

#[test]
fn windows_without_rights_gives_the_commands() {
    let mut service = StandIn::new(Rights::None);
    let mut whole = Whole::windows(HTTP, &mut service);
    whole.act(SET_UP);
    whole.assert("windows-not-elevated");
    drop(whole);
    service.rights = Rights::Consent;
    let mut whole = Whole::windows(HTTP, &mut service);
    whole.act(SET_UP);
    whole.assert("windows-no-consent");
    drop(whole);
    service.rights = Rights::Elevated;
    service.code = 183;
    let mut whole = Whole::windows(HTTP, &mut service);
    whole.act(SET_UP);
    whole.assert("windows-code-183");
}

#[test]
fn windows_has_a_redirect_url_without_set_up() {
    let mut service = StandIn::new(Rights::None);
    let mut whole = Whole::windows(HTTP, &mut service);
    whole.act(Target::WithoutSetUp);
    whole.assert("windows-without-set-up");
    whole.act(Target::WithoutSetUp);
    assert_eq!(whole.model.settings.value(Key::RedirectUrl), HTTP);
    whole.act(Target::Button(Action::Back));
    assert_eq!(whole.model.screen, Screen::Form);
}

#[test]
fn a_small_window_scrolls() {
    let mut service = StandIn::new(Rights::Elevated);
    let mut whole = Whole::windows(HTTPS, &mut service).small();
    whole.assert("windows-small");
    whole.press(KeyCode::PageDown);
    whole.press(KeyCode::PageDown);
    whole.assert("windows-small-scrolled");
    whole.focus(Target::User);
    whole.assert("windows-small-user");
    whole.act(DELETE);
    whole.assert("windows-small-delete");
}

#[test]
fn elsewhere_the_findings_are_shown() {
    let localhost: [IpAddr; 2] = ["127.0.0.1".parse().unwrap(), "::1".parse().unwrap()];
    let at = |text: &str| -> SocketAddr { text.parse().unwrap() };
    let free_at = |ip: &str| {
        let text = format!("Port 8400 of {ip} is free, and this user may listen there.");
        Finding::new(State::Good, text)
    };
    let free = || free_at("::1");
    let process = Holder::Process("python3.11".to_owned(), 4711);
    let hidden = Holder::Hidden(33, Some("www-data".to_owned()));
    let taken = |holder| loopback::taken(at("127.0.0.1:8400"), holder);
    for (name, url, findings) in [
        (
            "taken",
            HTTP,
            vec![
                loopback::localhost(&localhost),
                taken(Some(&process)),
                free(),
            ],
        ),
        (
            "hidden",
            HTTP,
            vec![
                loopback::localhost(&localhost),
                taken(Some(&hidden)),
                free(),
            ],
        ),
        (
            "free",
            HTTP,
            vec![
                loopback::localhost(&localhost),
                free_at("127.0.0.1"),
                free(),
            ],
        ),
        (
            "root",
            "http://127.0.0.1:443/callback",
            loopback::privileged(at("127.0.0.1:443"), 1024, "/opt/oauth-authorizer", true),
        ),
    ] {
        Whole::here(url, findings).assert(&format!("here-{name}"));
    }
    Whole::here("http:/x y/", Vec::new()).assert("here-wrong-url");
    let environment = Environment {
        ssh: Some(Ssh::default()),
        ..Environment::default()
    };
    let url = "https://sso.example.org/callback";
    Whole::new(environment, url, loopback::perform).assert("here-elsewhere-ascii");
}

#[test]
fn a_certificate_is_made_told_and_deleted() {
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
        out.contains("There is no certificate for localhost. Set up makes one."),
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
    let (code, out) = run("delete");
    assert_eq!(code, 0, "{out}");
    assert!(!certificate.exists() && !key.exists());
    assert_eq!(run("verify").0, 6);
}
