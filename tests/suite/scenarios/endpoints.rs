//! How the program reaches each endpoint, with which service and which files.

use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::{Value, json};

use super::file::{Case, Endpoint};
use super::mail::MailServer;
use super::run::{self, Outcome};
use super::secrets::value;
use super::service::Service;
use super::tls;
use crate::terminal::program;

/// The path of the profile's record in the home folder. Only this file may contain the tokens.
pub const RECORD: &str = ".local/state/oauth-authorizer/profiles/office.record";
const SETTINGS: &str = ".config/oauth-authorizer/profiles/office.toml";

/// What the test does while the program runs.
pub enum Way {
    /// Nothing.
    Wait,
    /// The user approves in the browser and pastes the redirect.
    Approve,
    /// The user registers the program from the form.
    Register,
    /// The user signs in on the screen.
    OnScreen,
    /// Like `OnScreen`; the user approves in the browser.
    ApproveOnScreen,
}

/// A run of the program.
pub struct Plan {
    pub home: tempfile::TempDir,
    /// The folder of other files: the log of strace, the clock.
    pub aside: tempfile::TempDir,
    pub arguments: Vec<String>,
    pub variables: Vec<(String, String)>,
    /// The environment variables of the program, but not of strace, which starts it.
    pub inside: Vec<(String, String)>,
    pub way: Way,
}

/// The server of a run.
pub enum Server {
    Http(Service),
    Mail(MailServer),
}

impl Server {
    /// Number of bytes of a huge response that the client read.
    pub fn taken(&self) -> u64 {
        match self {
            Self::Http(service) => service.taken(),
            Self::Mail(server) => server.taken(),
        }
    }
}

/// Prepares the server and the run of a case.
pub fn prepare(endpoint: Endpoint, case: &Case) -> (Server, Plan) {
    let (home, aside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let clock = aside.path().join("clock");
    let mut plan = Plan {
        arguments: Vec::new(),
        variables: vec![(
            "SSL_CERT_FILE".to_owned(),
            tls::ca_file().to_str().unwrap().to_owned(),
        )],
        inside: Vec::new(),
        way: Way::Wait,
        home,
        aside,
    };
    if case.has(|answer| answer.clock.is_some()) {
        std::fs::write(&clock, "+0").unwrap();
        for (name, value) in [
            ("LD_PRELOAD", faketime()),
            (
                "FAKETIME_TIMESTAMP_FILE",
                clock.to_str().unwrap().to_owned(),
            ),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ] {
            plan.inside.push((name.to_owned(), value));
        }
    }
    if endpoint.is_mail() {
        let server = MailServer::start(endpoint, case, clock);
        let address = format!("localhost:{}:TLS", server.port);
        plan.arguments = words(&[
            "mail-test",
            "office",
            &endpoint.name(),
            "--server",
            &address,
            "--user",
            "alice@example.org",
        ]);
        let good = Service::start(Endpoint::Refresh, &good(), plan.aside.path().join("unused"));
        install(plan.home.path(), &good, false);
        return (Server::Mail(server), plan);
    }
    let service = Service::start(endpoint, case, clock);
    if endpoint.has_profile() {
        let command = if endpoint == Endpoint::Refresh {
            "token".to_owned()
        } else {
            endpoint.name()
        };
        plan.arguments = words(&[&command, "office"]);
        install(plan.home.path(), &service, endpoint == Endpoint::Refresh);
        return (Server::Http(service), plan);
    }
    let secret = (
        "OAUTH_AUTHORIZER_CLIENT_SECRET".to_owned(),
        value("secret").to_owned(),
    );
    if endpoint == Endpoint::Registration {
        plan.arguments = words(&[
            "--issuer",
            &service.url,
            "--scope",
            "mail",
            "--flow",
            "authorization-code",
        ]);
        plan.way = Way::Register;
        return (Server::Http(service), plan);
    }
    plan.arguments = sign_in(endpoint, &service);
    plan.variables.push(secret);
    if matches!(endpoint, Endpoint::Exchange | Endpoint::Par) {
        plan.way = Way::Approve;
    }
    (Server::Http(service), plan)
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// Changes a plan so that the sign-in is on the screen.
pub fn on_screen(mut plan: Plan) -> Plan {
    plan.arguments
        .retain(|word| !["--plain", "--print", "access-token"].contains(&word.as_str()));
    plan.way = match plan.way {
        Way::Approve => Way::ApproveOnScreen,
        _ => Way::OnScreen,
    };
    plan
}

/// The flags of a sign-in that reaches this endpoint.
fn sign_in(endpoint: Endpoint, service: &Service) -> Vec<String> {
    let flow = match endpoint {
        Endpoint::Exchange | Endpoint::Par => "authorization-code",
        _ => "device-code",
    };
    let scope = if endpoint == Endpoint::Keys {
        "openid"
    } else {
        "y"
    };
    let mut all = words(&[
        "--plain",
        "--client-id",
        "me",
        "--print",
        "access-token",
        "--flow",
        flow,
        "--scope",
        scope,
    ]);
    let urls = match endpoint {
        Endpoint::Discovery | Endpoint::Keys | Endpoint::Par => {
            vec![("--issuer", service.at(Endpoint::Discovery))]
        }
        _ => vec![
            ("--authorization-url", format!("{}/authorize", service.url)),
            ("--device-url", service.at(Endpoint::Device)),
            (
                "--token-url",
                service.at(if endpoint == Endpoint::Exchange {
                    endpoint
                } else {
                    Endpoint::Poll
                }),
            ),
        ],
    };
    for (flag, url) in urls {
        all.extend([flag.to_owned(), url]);
    }
    if flow == "authorization-code" {
        all.extend(words(&["--redirect-url", "http://127.0.0.1:0/"]));
    }
    all
}

fn faketime() -> String {
    let folders = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"];
    let paths = folders.map(|folder| format!("{folder}/faketime/libfaketimeMT.so.1"));
    paths
        .into_iter()
        .find(|path| Path::new(path).exists())
        .expect("faketime is there")
}

/// A case in which everything is good.
fn good() -> Case {
    toml::from_str("exit = 0\nreads = []").unwrap()
}

/// The files of a profile as a sign-in has saved them, and the URL of its service.
struct Saved {
    url: String,
    files: Vec<(PathBuf, Vec<u8>)>,
}

fn saved() -> &'static Saved {
    static SAVED: OnceLock<Saved> = OnceLock::new();
    SAVED.get_or_init(|| {
        let (home, aside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let service = Service::start(Endpoint::Userinfo, &good(), aside.path().join("clock"));
        let mut arguments = words(&[
            "--plain",
            "--client-id",
            "me",
            "--flow",
            "device-code",
            "--scope",
            "openid",
            "--save",
            "office",
            "--issuer",
        ]);
        arguments.push(service.url.clone());
        let plan = Plan {
            arguments,
            variables: vec![(
                "OAUTH_AUTHORIZER_CLIENT_SECRET".to_owned(),
                value("secret").to_owned(),
            )],
            inside: Vec::new(),
            way: Way::Wait,
            home,
            aside,
        };
        let Outcome {
            exit,
            stderr,
            files,
            ..
        } = run::run(&program(), &plan, false);
        assert_eq!(exit, 0, "{stderr}");
        Saved {
            url: service.url,
            files,
        }
    })
}

/// Installs the profile in a home folder, as if this service had issued its tokens.
fn install(home: &Path, service: &Service, expired: bool) {
    let Saved { url, files } = saved();
    for (path, bytes) in files {
        let mut text = String::from_utf8(bytes.clone()).unwrap();
        if path == Path::new(RECORD) || path == Path::new(SETTINGS) {
            for endpoint in [
                Endpoint::Refresh,
                Endpoint::Revoke,
                Endpoint::Introspect,
                Endpoint::Userinfo,
            ] {
                let (_, end) = service
                    .at(endpoint)
                    .rsplit_once('/')
                    .map(|(base, end)| (base.to_owned(), end.to_owned()))
                    .unwrap();
                text = text.replace(&format!("{url}/{end}"), &service.at(endpoint));
            }
            text = text.replace(url, &service.url);
        }
        if expired && path == Path::new(RECORD) {
            let mut record: Value = serde_json::from_str(&text).unwrap();
            let obtained = record["tokens"]["obtained_at"].as_u64().unwrap() - 7200;
            record["tokens"]["obtained_at"] = json!(obtained);
            record["tokens"]["expires_at"] = json!(obtained + 3600);
            text = record.to_string();
        }
        let path = home.join(path);
        let folders = std::fs::DirBuilder::new()
            .mode(0o700)
            .recursive(true)
            .create(path.parent().unwrap());
        folders.unwrap();
        let mut options = std::fs::OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o600).open(&path);
        std::io::Write::write_all(&mut file.unwrap(), text.as_bytes()).unwrap();
    }
}
