//! The recipes of docs/recipes.md, run as documented: real programs log in to real servers with the tokens of a
//! profile, also after the token has expired and has to be refreshed.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, mpsc};

use serde_json::{Value, json};

use crate::git::repository;
use crate::mail_server::{MailServer, messages};
use crate::profiles::{Profiles, Ran};
use crate::scripted::{Reply, Scripted};
use crate::servers::{Provider, eventually};
use crate::terminal::{LIMIT, base, copy_program, program};
use crate::token_file::{NOBODY, give_away};

const DOCUMENT: &str = include_str!("../../docs/recipes.md");

/// The blocks of the document that are not run, because PowerShell is not available.
const NOT_RUN: [&str; 2] = ["powershell", "powershell-mail"];

/// The blocks that the tests below run.
const RUN: [&str; 20] = [
    "cron-check",
    "cron.d",
    "crontab",
    "curl-api",
    "curl-imap",
    "curl-pop3",
    "curl-smtp",
    "entrypoint",
    "gitconfig-https",
    "gitconfig-msmtp",
    "gitconfig-smtp",
    "mail-report.service",
    "mbsync-rejected",
    "mbsyncrc",
    "msmtp-send",
    "msmtprc",
    "office-token.service",
    "office-token.timer",
    "token-refresh.service",
    "token-refresh.timer",
];

/// The path of the program in the document.
const INSTALLED: &str = "/usr/local/bin/oauth-authorizer";

/// The fenced block with this name, with the placeholders replaced by values.
fn block(name: &str, values: &[(&str, &str)]) -> String {
    let mut parts = DOCUMENT.split("\n```");
    let block = parts.find_map(|part| {
        let (info, text) = part.split_once('\n')?;
        (info.split_whitespace().nth(1) == Some(name)).then_some(text)
    });
    let block = block.unwrap_or_else(|| panic!("the document has no block {name}"));
    let mut text = format!("{block}\n");
    for (from, to) in values {
        assert!(text.contains(from), "{name} has no {from:?}");
        text = text.replace(from, to);
    }
    text
}

/// Checks that the document quotes these words and that the program prints them.
fn assert_documented(ran: &Ran, words: &str) {
    let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat(DOCUMENT).contains(words), "not documented: {words}");
    let said = flat(&format!("{} {}", ran.stdout, ran.stderr));
    assert!(said.contains(words), "{words}: {ran:?}");
}

#[test]
fn every_block_of_the_document_is_run() {
    let named: BTreeSet<&str> = DOCUMENT
        .lines()
        .filter_map(|line| line.strip_prefix("```"))
        .filter(|info| !info.is_empty())
        .map(|info| {
            info.split_whitespace()
                .nth(1)
                .expect("each block has a name")
        })
        .collect();
    let known: BTreeSet<&str> = RUN.into_iter().chain(NOT_RUN).collect();
    assert_eq!(named, known);
    for name in NOT_RUN {
        assert!(DOCUMENT.contains(&format!("```powershell {name}\n")));
    }
}

/// A user with a profile, and the servers.
struct Desk {
    provider: Provider,
    mail: MailServer,
    profiles: Profiles,
}

impl Desk {
    fn start() -> Self {
        let provider = Provider::start(&[("DEVICE_INTERVAL", "1")]);
        let mail = MailServer::start(&provider);
        let profiles = Profiles::at(&provider);
        install(&profiles);
        Self {
            provider,
            mail,
            profiles,
        }
    }

    fn home(&self) -> &Path {
        self.profiles.home.path()
    }

    /// A shell command of the user.
    fn command(&self, script: &str) -> Command {
        let path = format!(
            "{}/bin:{}",
            self.home().display(),
            std::env::var("PATH").unwrap()
        );
        let mut command = Command::new("sh");
        command
            .args(["-c", script])
            .current_dir(self.home())
            .env_clear()
            .envs(base(self.home()))
            .env("PATH", path)
            .env("CURL_CA_BUNDLE", self.mail.certificate())
            .env("SSL_CERT_FILE", self.mail.certificate())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a shell command of the user.
    fn sh(&self, script: &str) -> Ran {
        self.command(script).output().unwrap().into()
    }

    /// Runs a shell command with the valid access token, and again after it has expired.
    fn sh_twice(&self, script: &str) -> [Ran; 2] {
        [false, true].map(|expired| {
            let before = self.provider.refreshes();
            if expired {
                self.profiles.expire();
            }
            let ran = self.sh(script);
            assert_eq!(ran.code, 0, "{script}: {ran:?}\n{}", self.mail.log());
            let after = self.provider.refreshes();
            assert_eq!(after, (before.0 + usize::from(expired), before.1));
            ran
        })
    }

    /// Replaces the access token of the profile, so that the servers reject it until it is refreshed.
    fn spoil_token(&self) {
        self.profiles
            .edit(|record| record["tokens"]["access_token"] = json!("not-a-token"));
    }

    /// Removes the tokens of the profile.
    fn lose_tokens(&self) {
        self.profiles.expire();
        self.profiles
            .edit(|record| record["tokens"]["refresh_token"] = Value::Null);
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.home().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    }

    fn write_mbsyncrc(&self) {
        let host = format!(
            "Host localhost\nPort {}\nCertificateFile {}",
            self.mail.imaps,
            self.mail.certificate().display()
        );
        self.write(
            ".mbsyncrc",
            &block("mbsyncrc", &[("Host imap.example.org", &host)]),
        );
        std::fs::create_dir(self.home().join("Mail")).unwrap();
    }

    fn write_msmtprc(&self, mechanism: &str) {
        let port = format!("port {}", self.mail.submission);
        let certificate = self.mail.certificate();
        let values = [
            ("auth xoauth2", format!("auth {mechanism}")),
            ("host smtp.example.org", "host localhost".to_owned()),
            ("port 587", port),
            (
                "/etc/ssl/certs/ca-certificates.crt",
                certificate.to_str().unwrap().to_owned(),
            ),
        ];
        let values: Vec<_> = values
            .iter()
            .map(|(from, to)| (*from, to.as_str()))
            .collect();
        self.write(".msmtprc", &block("msmtprc", &values));
    }
}

/// Installs the program as a command of the user.
fn install(profiles: &Profiles) {
    let bin = profiles.home.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    symlink(program(), bin.join("oauth-authorizer")).unwrap();
}

#[test]
fn curl_calls_an_api() {
    let desk = Desk::start();
    let url = desk.provider.endpoint("userinfo");
    let script = block("curl-api", &[("https://api.example.org/v1/me", url)]);
    for ran in desk.sh_twice(&script) {
        let answer: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(answer["sub"], "alice");
    }
    // With a mailbox in the profile, curl receives it as well.
    desk.profiles
        .edit(|record| record["issued_for"]["user"] = json!("alice@example.org"));
    let ran = desk.sh(&script);
    assert!(ran.code == 0 && ran.stdout.contains("alice"), "{ran:?}");
    // An API that requires another word than Bearer before the token.
    let api = Scripted::start(|_| Reply::json(200, "{}"));
    let other = script.replace(url, &format!("{}/me", api.url));
    desk.profiles
        .edit(|record| record["issued_for"]["header"] = json!("Token"));
    assert_eq!(desk.sh(&other).code, 0);
    let token = desk.profiles.token();
    let sent = api.requests("/me")[0].authorization.clone();
    assert_eq!(sent, Some(format!("Token {token}")));
    desk.profiles
        .edit(|record| record["issued_for"]["header"] = json!("Bearer"));
    desk.spoil_token();
    let ran = desk.sh(&script);
    assert!(
        ran.code != 0 && ran.stdout.contains("invalid_token"),
        "{ran:?}"
    );
}

#[test]
fn curl_reads_and_sends_mail() {
    let desk = Desk::start();
    desk.mail
        .deliver("alice@example.org", "1", "Subject: One\n\nText\n");
    let url = |scheme: &str, port: u16| format!("{scheme}://localhost:{port}");
    let imap = block(
        "curl-imap",
        &[("imaps://imap.example.org", &url("imaps", desk.mail.imaps))],
    );
    for ran in desk.sh_twice(&imap) {
        assert!(ran.stdout.contains("INBOX"), "{ran:?}");
    }
    let pop3 = block(
        "curl-pop3",
        &[("pop3s://pop.example.org", &url("pop3s", desk.mail.pop3s))],
    );
    for ran in desk.sh_twice(&pop3) {
        assert!(ran.stdout.starts_with("1 "), "{ran:?}");
    }
    desk.write("message.txt", "Subject: Sent by curl\n\nText\n");
    let smtp = block(
        "curl-smtp",
        &[(
            "smtp://smtp.example.org:587",
            &url("smtp", desk.mail.submission),
        )],
    );
    desk.sh_twice(&smtp);
    let relayed = desk.mail.relayed();
    assert_eq!(relayed.len(), 2);
    for part in [
        "MAIL FROM:<alice@example.org>",
        "RCPT TO:<bob@example.org>",
        "Subject: Sent by curl",
    ] {
        assert!(
            relayed.iter().all(|message| message.contains(part)),
            "{relayed:?}"
        );
    }
    desk.spoil_token();
    for script in [&imap, &pop3, &smtp] {
        let ran = desk.sh(script);
        assert_eq!(ran.code, 67, "{ran:?}");
        assert_documented(&ran, "Login denied");
    }
    assert_eq!(desk.mail.relayed().len(), 2);
}

#[test]
fn mbsync_fetches_mail() {
    let desk = Desk::start();
    desk.mail
        .deliver("alice@example.org", "1", "Subject: One\n\nText\n");
    desk.write_mbsyncrc();
    desk.sh_twice("mbsync office");
    let inbox = desk.home().join("Mail/INBOX");
    let fetched = messages(&inbox);
    assert!(
        fetched.len() == 1 && fetched[0].contains("Subject: One"),
        "{fetched:?}"
    );
    desk.spoil_token();
    // mbsync then waits until the server closes the connection, minutes later.
    let block = block("mbsync-rejected", &[]);
    let words = block.trim_end();
    let mut mbsync = desk.command("exec mbsync office 2>&1").spawn().unwrap();
    let lines = BufReader::new(mbsync.stdout.take().unwrap()).lines();
    let mut said = Ran::default();
    for line in lines.map_while(Result::ok) {
        said.stdout += &line;
        if line.contains(words) {
            break;
        }
    }
    mbsync.kill().unwrap();
    mbsync.wait().unwrap();
    assert_documented(&said, words);
    assert_documented(&said, "[SASL-XOAUTH2]");
    desk.lose_tokens();
    let ran = desk.sh("mbsync office");
    assert_ne!(ran.code, 0, "{ran:?}");
    assert_documented(&ran, "PassCmd exited with status 7");
}

#[test]
fn msmtp_sends_mail_with_both_mechanisms() {
    let desk = Desk::start();
    let script = block("msmtp-send", &[]);
    for mechanism in ["xoauth2", "oauthbearer"] {
        desk.write_msmtprc(mechanism);
        desk.sh_twice(&script);
        let used = format!("method={}", mechanism.to_ascii_uppercase());
        assert!(desk.mail.log().contains(&used), "{}", desk.mail.log());
    }
    let relayed = desk.mail.relayed();
    assert_eq!(relayed.len(), 4);
    let sent = |message: &String| message.contains("Sent with an access token.");
    assert!(relayed.iter().all(sent), "{relayed:?}");
    desk.spoil_token();
    let ran = desk.sh(&script);
    assert_ne!(ran.code, 0, "{ran:?}");
    assert_documented(&ran, "authentication failed");
    assert_documented(&ran, "server message: 535");
    desk.lose_tokens();
    let ran = desk.sh(&script);
    assert_ne!(ran.code, 0, "{ran:?}");
    assert_documented(
        &ran,
        "cannot read output of 'oauth-authorizer token office'",
    );
}

#[test]
fn git_sends_patches() {
    let desk = Desk::start();
    let user = "\n[user]\n    name = Alice\n    email = alice@example.org\n";
    desk.write(".gitconfig", &(block("gitconfig-msmtp", &[]) + user));
    desk.write_msmtprc("xoauth2");
    let ran = desk.sh(
        "git init -q r && cd r && echo a > a && git add a && git commit -q -m first && git format-patch -q -o .. --root HEAD",
    );
    assert_eq!(ran.code, 0, "{ran:?}");
    let send = "git send-email --quiet --confirm=never --to bob@example.org 0001-*.patch";
    for ran in desk.sh_twice(send) {
        assert!(ran.stdout.contains("Sent"), "{ran:?}");
    }
    assert!(desk.mail.relayed().len() >= 2);
    // git sends the mail without msmtp.
    let port = desk.mail.submission;
    let server = format!("localhost:{port}");
    let values = [
        ("smtp.example.org:587", server.as_str()),
        ("smtp.example.org", "localhost"),
        ("587", &port.to_string()),
        ("XOAUTH2", "PLAIN"),
    ];
    desk.write(".gitconfig", &(block("gitconfig-smtp", &values) + user));
    let before = desk.mail.relayed().len();
    desk.sh_twice(send);
    let relayed = desk.mail.relayed();
    assert!(relayed.len() >= before + 2);
    let is_patch = |message: &String| message.contains("Subject: [PATCH] first");
    assert!(relayed.iter().all(is_patch), "{relayed:?}");
    // A token that the server rejects is replaced at the next attempt.
    let before = desk.provider.refreshes().0;
    desk.spoil_token();
    let ran = desk.sh(send);
    assert!(
        ran.code != 0 && ran.stderr.contains("Authentication failed"),
        "{ran:?}"
    );
    let ran = desk.sh(send);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(desk.provider.refreshes(), (before + 1, 0));
    // The documented error if the module is too old for XOAUTH2.
    let text = std::fs::read_to_string(desk.home().join(".gitconfig")).unwrap();
    desk.write(".gitconfig", &text.replace("PLAIN", "XOAUTH2"));
    let ran = desk.sh(send);
    if ran.code != 0 {
        assert_documented(&ran, "No SASL mechanism found");
    }
}

#[test]
fn git_fetches_over_https() {
    let desk = Desk::start();
    let token = desk.profiles.token();
    let server = repository("oauth2", &token);
    let config = block(
        "gitconfig-https",
        &[("https://git.example.org", &server.url)],
    );
    desk.write(".gitconfig", &config);
    let list = format!(
        "GIT_TERMINAL_PROMPT=0 git ls-remote {}/team/project.git",
        server.url
    );
    let ran = desk.sh(&list);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.contains("refs/heads/main"), "{ran:?}");
    desk.spoil_token();
    let ran = desk.sh(&list);
    assert_eq!(ran.code, 128, "{ran:?}");
    assert_documented(&ran, "Authentication failed");
    desk.sh(&list);
    assert_eq!(desk.provider.refreshes(), (1, 0));
}

/// Runs a command as cron does: with its environment and without a terminal.
fn cron(home: &Path, user: u32, assignments: &[(&str, &str)], command: &str) -> Ran {
    // cron turns % into a line feed.
    assert!(!command.contains('%'), "{command}");
    let user = user.to_string();
    Command::new("setsid")
        .args(["--wait", "setpriv", "--reuid", &user, "--regid", &user])
        .args(["--clear-groups", "/bin/sh", "-c", command])
        .current_dir(home)
        .env_clear()
        .env("HOME", home)
        .env("LOGNAME", "user")
        .env("SHELL", "/bin/sh")
        .env("PATH", "/usr/bin:/bin")
        .envs(assignments.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap()
        .into()
}

/// The command of a crontab line, without the fields before it (five of them are the time).
fn command_of(line: &str, fields: usize) -> &str {
    let mut rest = line;
    for _ in 0..fields {
        let (field, after) = rest.split_once(' ').unwrap();
        assert!(!field.is_empty(), "{line}");
        rest = after.trim_start();
    }
    rest
}

#[test]
fn cron_job_gets_a_token() {
    let desk = Desk::start();
    let program = program();
    let installed = (INSTALLED, program.to_str().unwrap());
    let url = desk.provider.endpoint("userinfo");
    let line = block(
        "crontab",
        &[installed, ("https://api.example.org/v1/poll", url)],
    );
    let check = block("cron-check", &[installed]);
    for expired in [false, true] {
        if expired {
            desk.profiles.expire();
        }
        let ran = cron(desk.home(), 0, &[], command_of(line.trim_end(), 5));
        assert_eq!(
            (ran.code, ran.stdout.as_str(), ran.stderr.as_str()),
            (0, "", ""),
            "{ran:?}"
        );
        let ran = desk.sh(&check);
        assert_eq!(ran.code, 0, "{ran:?}");
    }
    assert_eq!(desk.provider.refreshes(), (1, 0));
    let ran = cron(desk.home(), 0, &[], "oauth-authorizer token office");
    assert_documented(&ran, "oauth-authorizer: not found");
    let elsewhere = tempfile::tempdir().unwrap();
    let command = format!("{} token office", program.display());
    let ran = cron(elsewhere.path(), 0, &[], &command);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert_documented(&ran, "There is no profile");
}

#[test]
fn cron_runs_as_another_user() {
    let desk = Desk::start();
    desk.mail
        .deliver("alice@example.org", "1", "Subject: One\n\nText\n");
    desk.write_mbsyncrc();
    let bin = desk.home().join("bin");
    std::fs::remove_file(bin.join("oauth-authorizer")).unwrap();
    copy_program(&bin.join("oauth-authorizer"));
    desk.profiles.expire();
    give_away(desk.home());
    let text = block("cron.d", &[("/usr/local/bin", bin.to_str().unwrap())]);
    let mut assignments = Vec::new();
    let mut commands = Vec::new();
    for line in text.lines() {
        match line.split_once('=') {
            Some((name, value)) if !line.contains(' ') => assignments.push((name, value)),
            _ => commands.push(command_of(line, 6)),
        }
    }
    assert_eq!((assignments.len(), commands.len()), (2, 1), "{text}");
    let ran = cron(desk.home(), NOBODY, &assignments, commands[0]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(messages(&desk.home().join("Mail/INBOX")).len(), 1);
    assert_eq!(desk.provider.refreshes(), (1, 0));
    // All files belong to that user.
    let record = std::fs::metadata(desk.profiles.state("record")).unwrap();
    assert_eq!(std::os::unix::fs::MetadataExt::uid(&record), NOBODY);
}

/// Writes units of the document to a folder, lets systemd verify them, and returns the folder.
fn verify(names: &[&str], more: &[&str], values: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new("systemd-analyze");
    command.arg("verify").args(more);
    for name in names {
        let text = block(name, &[]);
        let values: Vec<_> = values
            .iter()
            .copied()
            .filter(|(from, _)| text.contains(from))
            .collect();
        let path = folder.path().join(name);
        std::fs::write(&path, block(name, &values)).unwrap();
        command.arg(path);
    }
    let ran: Ran = command
        .env("XDG_RUNTIME_DIR", folder.path())
        .env("HOME", folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap()
        .into();
    // systemd exits with success even for unknown settings, but prints a warning.
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    folder
}

/// The value of a setting of a unit, with the folders that systemd would fill in.
fn setting(unit: &Path, name: &str, folders: &[(&str, &Path)]) -> String {
    let text = std::fs::read_to_string(unit).unwrap();
    let mut value = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
        .unwrap_or_else(|| panic!("no {name} in {text}"))
        .to_owned();
    for (specifier, folder) in folders {
        value = value.replace(specifier, folder.to_str().unwrap());
    }
    assert!(!value.contains('%'), "{value}");
    value
}

/// Runs the command of a unit.
fn exec_start(command: &str, setpriv: &[&str], environment: &[(&str, &str)]) -> Ran {
    let words = shlex::split(command).unwrap();
    Command::new("setpriv")
        .args(setpriv)
        .args(words)
        .current_dir("/")
        .env_clear()
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin")
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap()
        .into()
}

/// A user without rights.
const AS_NOBODY: [&str; 3] = ["--reuid=65534", "--regid=65534", "--clear-groups"];

/// Makes the access token of the profile in this folder expire.
fn expire(folder: &Path) {
    let path = folder.join("office.record");
    let mut record: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    record["tokens"]["expires_at"] = json!(1);
    std::fs::write(&path, record.to_string()).unwrap();
}

/// Moves the profile to one folder and the program to a folder next to it, for `nobody`.
fn state_directory(profiles: &Profiles, name: &str) -> (PathBuf, PathBuf) {
    let state = profiles.home.path().join(name);
    std::fs::create_dir(&state).unwrap();
    std::fs::set_permissions(&state, PermissionsExt::from_mode(0o700)).unwrap();
    for path in [profiles.settings(), profiles.state("record")] {
        std::fs::rename(&path, state.join(path.file_name().unwrap())).unwrap();
    }
    let bin = profiles.home.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    copy_program(&bin.join("oauth-authorizer"));
    std::fs::set_permissions(profiles.home.path(), PermissionsExt::from_mode(0o755)).unwrap();
    (state, bin)
}

#[test]
fn systemd_service_with_dynamic_user_gets_a_token() {
    let provider = Provider::start(&[("DEVICE_INTERVAL", "1")]);
    let profiles = Profiles::at(&provider);
    profiles.expire();
    let url = provider.endpoint("userinfo");
    let (state, bin) = state_directory(&profiles, "mail-report");
    let folder = verify(
        &["mail-report.service"],
        &[],
        &[("https://api.example.org/v1/report", url)],
    );
    let unit = folder.path().join("mail-report.service");
    assert_eq!(setting(&unit, "StateDirectory", &[]), "mail-report");
    let folders = [("%S", profiles.home.path())];
    let environment = setting(&unit, "Environment", &folders);
    let (variable, value) = environment.split_once('=').unwrap();
    assert_eq!(Path::new(value), state);
    let command = setting(&unit, "ExecStart", &folders);
    let path = format!("{}:/usr/bin:/bin", bin.display());
    let environment = [
        (variable, value),
        ("STATE_DIRECTORY", value),
        ("HOME", "/"),
        ("PATH", &path),
    ];
    // Only the folder changes hands; its files still belong to root.
    std::os::unix::fs::chown(&state, Some(NOBODY), Some(NOBODY)).unwrap();
    let ran = exec_start(&command, &AS_NOBODY, &environment);
    assert_documented(&ran, "can't be opened: Permission denied");
    give_away(&state);
    for _ in 0..2 {
        let ran = exec_start(&command, &AS_NOBODY, &environment);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
        assert!(ran.stdout.contains("alice"), "{ran:?}");
    }
    assert_eq!(provider.refreshes(), (1, 0));
}

#[test]
fn timer_refreshes_old_tokens() {
    let provider = Provider::start(&[("DEVICE_INTERVAL", "1")]);
    let profiles = Profiles::at(&provider);
    let program = program();
    let folder = verify(
        &["token-refresh.service", "token-refresh.timer"],
        &["--user"],
        &[(INSTALLED, program.to_str().unwrap())],
    );
    let command = setting(
        &folder.path().join("token-refresh.service"),
        "ExecStart",
        &[],
    );
    let home = [("HOME", profiles.home.path().to_str().unwrap())];
    let run = || {
        let ran = exec_start(&command, &[], &home);
        assert_eq!(ran.code, 0, "{ran:?}");
        provider.refreshes()
    };
    assert_eq!(run(), (0, 0));
    profiles.edit(|record| {
        let obtained = record["tokens"]["obtained_at"].as_u64().unwrap();
        record["tokens"]["obtained_at"] = json!(obtained - 13 * 3600);
    });
    assert_eq!(run(), (1, 0));
    assert_eq!(run(), (1, 0));
}

#[test]
fn service_account_gets_only_access_tokens() {
    let provider = Provider::start(&[("DEVICE_INTERVAL", "1")]);
    let profiles = Profiles::at(&provider);
    let (state, bin) = state_directory(&profiles, "state");
    give_away(&state);
    let program = bin.join("oauth-authorizer");
    let folder = verify(
        &["office-token.service", "office-token.timer"],
        &[],
        &[
            (INSTALLED, program.to_str().unwrap()),
            ("--group relay", "--group 64321"),
        ],
    );
    let runtime = tempfile::tempdir().unwrap();
    std::fs::set_permissions(runtime.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let unit = folder.path().join("office-token.service");
    let directory = runtime.path().join(setting(&unit, "RuntimeDirectory", &[]));
    std::fs::create_dir(&directory).unwrap();
    give_away(&directory);
    let command = setting(&unit, "ExecStart", &[("%t", runtime.path())]);
    let environment = [("OAUTH_AUTHORIZER_PROFILES", state.to_str().unwrap())];
    let member = ["--reuid=65534", "--regid=65534", "--groups=64321"];
    let file = directory.join("token");
    for expired in [false, true] {
        if expired {
            expire(&state);
        }
        let ran = exec_start(&command, &member, &environment);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
        let ran = exec_start(
            &format!("cat {}", file.display()),
            &["--reuid=64322", "--regid=64322", "--groups=64321"],
            &[],
        );
        assert_eq!(provider.userinfo(ran.stdout.trim_end()).0, 200, "{ran:?}");
        let ran = exec_start(
            &format!("cat {}", file.display()),
            &["--reuid=64322", "--regid=64322", "--clear-groups"],
            &[],
        );
        assert!(ran.stderr.contains("Permission denied"), "{ran:?}");
    }
    assert_eq!(provider.refreshes(), (1, 0));
    let ran = exec_start(&command, &AS_NOBODY, &environment);
    assert_documented(&ran, "can't be given to the group");
}

/// A refresh whose response the test holds back.
struct Held {
    begun: mpsc::Receiver<()>,
    finish: mpsc::Sender<()>,
}

/// A profile whose refresh is held back, and then issues the token `second`.
fn held_refresh() -> (Profiles, Scripted, Held) {
    let (begin, begun) = mpsc::channel();
    let (finish, may_finish) = mpsc::channel::<()>();
    let (begin, may_finish) = (Mutex::new(begin), Mutex::new(may_finish));
    let (profiles, server) = Profiles::scripted(move |_| {
        begin.lock().unwrap().send(()).unwrap();
        may_finish.lock().unwrap().recv_timeout(LIMIT).unwrap();
        Reply::json(
            200,
            r#"{"access_token":"second","token_type":"Bearer","expires_in":3600,"refresh_token":"refresh-2"}"#,
        )
    });
    (profiles, server, Held { begun, finish })
}

fn kill(arguments: &[&str]) {
    let status = Command::new("kill").args(arguments).status().unwrap();
    assert!(status.success(), "{arguments:?}");
}

/// systemd stops a service by sending a signal to all its processes.
#[test]
fn refresh_in_progress_finishes_when_its_service_is_stopped() {
    let (profiles, _server, refresh) = held_refresh();
    profiles.expire();
    let mut caller = profiles.command(&["token", "office"]).spawn().unwrap();
    refresh.begun.recv_timeout(LIMIT).unwrap();
    let note: Value =
        serde_json::from_slice(&std::fs::read(profiles.state("attempt")).unwrap()).unwrap();
    let keeper = note["pid"].to_string();
    assert_ne!(keeper, caller.id().to_string());
    for signal in ["-TERM", "-HUP", "-INT"] {
        kill(&[signal, &keeper]);
    }
    kill(&[&caller.id().to_string()]);
    assert!(!caller.wait().unwrap().success());
    refresh.finish.send(()).unwrap();
    eventually("the new token", || {
        (profiles.record()["tokens"]["access_token"] == "second").then_some(())
    });
    assert_eq!(profiles.token(), "second");
}

/// The file system of a container, with the program and the entry point.
fn container() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let at = |name: &str| root.path().join(name);
    for name in ["usr", "proc", "dev", "app", "tmp", "var/lib/office"] {
        std::fs::create_dir_all(at(name)).unwrap();
    }
    for name in ["bin", "lib", "lib64"] {
        symlink(format!("usr/{name}"), at(name)).unwrap();
    }
    copy_program(&at("app/oauth-authorizer"));
    std::fs::write(at("app/entrypoint"), block("entrypoint", &[])).unwrap();
    std::fs::set_permissions(at("app/entrypoint"), PermissionsExt::from_mode(0o755)).unwrap();
    root
}

/// A command run by the entry point, in its own namespaces and file system, with this folder as the volume.
fn contained(root: &Path, volume: Option<(&Path, &str)>, command: &[&str]) -> Command {
    let mut script =
        "set -e; mount --rbind /usr usr; mount --rbind /proc proc; mount --rbind /dev dev; "
            .to_owned();
    if let Some((volume, options)) = volume {
        script += &format!(
            "mount --bind {} var/lib/office; mount -o remount,bind,{options} var/lib/office; ",
            volume.display()
        );
    }
    script += "exec chroot . /app/entrypoint \"$@\"";
    let mut unshare = Command::new("unshare");
    unshare
        .args([
            "--map-root-user",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
        ])
        .args(["sh", "-c", &script, "sh"])
        .args(command)
        .current_dir(root)
        .env_clear()
        .env("PATH", "/app:/usr/sbin:/usr/bin:/bin")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    unshare
}

#[test]
fn a_container_starts_with_a_valid_token() {
    let provider = Provider::start(&[("DEVICE_INTERVAL", "1")]);
    let profiles = Profiles::at(&provider);
    let (volume, _) = state_directory(&profiles, "volume");
    let root = container();
    let run = |options: Option<&str>, command: &[&str]| -> Ran {
        let volume = options.map(|options| (volume.as_path(), options));
        let mut command = contained(root.path(), volume, command);
        command.output().unwrap().into()
    };
    let command = ["oauth-authorizer", "token", "office"];
    expire(&volume);
    for _ in 0..2 {
        let ran = run(Some("rw"), &command);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
        assert_eq!(provider.userinfo(ran.stdout.trim_end()).0, 200, "{ran:?}");
    }
    // The container exits with the code of its command.
    let ran = run(Some("rw"), &["sh", "-c", "exit 3"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    // With a read-only volume, a valid token is still printed.
    let ran = run(Some("ro"), &command);
    assert_eq!(ran.code, 0, "{ran:?}");
    expire(&volume);
    let ran = run(Some("ro"), &command);
    assert_eq!((ran.code, ran.stdout.as_str()), (9, ""), "{ran:?}");
    let ran = run(None, &command);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
    assert_eq!(provider.refreshes(), (1, 0));
}

#[test]
fn stopping_a_container_waits_for_a_refresh() {
    let (profiles, _server, refresh) = held_refresh();
    let (volume, _) = state_directory(&profiles, "volume");
    let root = container();
    // The caller ends at once, and so does the command.
    let command = ["oauth-authorizer", "refresh", "office"];
    let mut child = contained(root.path(), Some((&volume, "rw")), &command)
        .spawn()
        .unwrap();
    refresh.begun.recv_timeout(LIMIT).unwrap();
    let children = format!("/proc/{0}/task/{0}/children", child.id());
    let first = std::fs::read_to_string(children).unwrap();
    kill(&["-TERM", first.trim()]);
    // After the command has ended, the entry point, which waits, and the refresh are left.
    eventually("the end of the command", || {
        let children = format!("/proc/{0}/task/{0}/children", first.trim());
        let children = std::fs::read_to_string(children).unwrap();
        let names = children
            .split_whitespace()
            .map(|pid| std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default());
        names
            .into_iter()
            .any(|name| name == "flock\n")
            .then_some(())
    });
    assert!(child.try_wait().unwrap().is_none());
    refresh.finish.send(()).unwrap();
    // 143: the command was stopped by SIGTERM.
    assert_eq!(child.wait().unwrap().code(), Some(143));
    let record = std::fs::read_to_string(volume.join("office.record")).unwrap();
    assert!(record.contains("second"), "{record}");
}
