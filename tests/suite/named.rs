//! Files that the user names may be anything: a pipe, a device, a directory, huge, or endless.

use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use oauth_authorizer::certificate::created;

use crate::plain::Plain;
use crate::scripted::{DeviceFlow, Reply, Scripted};
use crate::servers::{eventually, run};
use crate::terminal::{CTRL_C, ENTER, ESC, Terminal, base, program};

/// What "at once" means on a machine that may be busy.
const AT_ONCE: Duration = Duration::from_secs(3);

/// A named pipe without a writer.
fn pipe(home: &Path) -> PathBuf {
    let path = home.join("pipe");
    run(Command::new("mkfifo").arg(&path));
    path
}

/// A sparse file of a terabyte.
fn huge(home: &Path) -> PathBuf {
    let path = home.join("huge");
    let file = std::fs::File::create(&path).unwrap();
    file.set_len(1 << 40).unwrap();
    path
}

/// A server that issues a token to every client, and the flags for it.
fn server() -> (Scripted, Vec<String>) {
    let (server, mut flags) = DeviceFlow::giving("the-token").start();
    flags.extend(["--print", "access-token"].map(str::to_owned));
    (server, flags)
}

/// Runs the program with `--plain`. Returns the exit code and standard error.
fn plain(home: &Path, flags: &[String], more: &[&str]) -> (i32, String) {
    let mut all: Vec<&str> = flags.iter().map(String::as_str).collect();
    all.extend(more);
    let (exit, _, stderr) = Plain::start(home, &all).end();
    (exit, stderr)
}

#[test]
fn device_directory_or_missing_file_is_refused_with_reason() {
    let home = tempfile::tempdir().unwrap();
    let (_server, flags) = server();
    let huge = huge(home.path());
    let (huge, folder) = (huge.to_str().unwrap(), home.path().to_str().unwrap());
    let socket = home.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    for (path, secret, ca) in [
        (
            "/dev/zero",
            "it is a device, not a file",
            "it is a device, not a file",
        ),
        (
            "/dev/full",
            "it is a device, not a file",
            "it is a device, not a file",
        ),
        (folder, "it is a directory", "it is a directory"),
        (
            huge,
            "its first line is longer than 64 KiB",
            "it is larger than 1024 KiB",
        ),
        ("none", "there is no such file", "there is no such file"),
        (
            socket.to_str().unwrap(),
            "it is a socket, not a file",
            "it is a socket, not a file",
        ),
    ] {
        let begin = Instant::now();
        for (flag, reason) in [("--client-secret-file", secret), ("--ca-file", ca)] {
            let (exit, stderr) = plain(home.path(), &flags, &[flag, path]);
            assert_eq!(exit, 2, "{flag} {path}: {stderr}");
            assert!(stderr.contains(reason), "{flag} {path}: {stderr}");
            assert!(
                stderr.contains(&format!("use the CA file {path}: "))
                    || stderr.contains(&format!("read the client secret from {path}: ")),
                "{stderr}"
            );
        }
        // The same for a certificate, and for a preset.
        let redirect = [
            "--flow",
            "authorization-code",
            "--redirect-url",
            "https://localhost:0/",
        ];
        let own = ["--certificate", path, "--certificate-key", path];
        let authorize = ["--authorization-url", "https://as.example/"];
        let (exit, stderr) = plain(
            home.path(),
            &flags,
            &[&redirect[..], &own, &authorize].concat(),
        );
        assert_eq!(exit, 2, "{path}: {stderr}");
        assert!(
            stderr.contains("error: The certificate "),
            "{path}: {stderr}"
        );
        let (exit, stderr) = plain(
            home.path(),
            &[],
            &["--print", "json", "--preset-file", path],
        );
        assert_eq!(exit, 2, "{path}: {stderr}");
        let told = format!("error: Can't use the preset file {path}: ");
        assert!(stderr.contains(&told), "{path}: {stderr}");
        assert!(!stderr.contains("Remove it"), "{path}: {stderr}");
        assert!(
            begin.elapsed() < 4 * AT_ONCE,
            "{path}: {:?}",
            begin.elapsed()
        );
    }
}

/// Sends SIGTERM to the program while it waits for the pipe, and returns its exit status.
fn terminated(home: &Path, pipe: &str, flags: &[&str]) -> ExitStatus {
    let mut child = Command::new(program())
        .args(flags)
        .current_dir(home)
        .env_clear()
        .envs(base(home))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Opening the pipe for writing without waiting succeeds only after the program has opened it for reading.
    let nonblocking = 0o4000;
    let writer = eventually("a reader of the pipe", || {
        let mut options = std::fs::File::options();
        options
            .write(true)
            .custom_flags(nonblocking)
            .open(pipe)
            .ok()
    });
    let begin = Instant::now();
    run(Command::new("kill").args(["-s", "TERM", &child.id().to_string()]));
    let status = eventually("the end", || child.try_wait().unwrap());
    assert!(begin.elapsed() < AT_ONCE, "{:?}", begin.elapsed());
    drop(writer);
    status
}

#[test]
fn signal_ends_wait_for_a_pipe_without_writer() {
    let home = tempfile::tempdir().unwrap();
    let pipe = pipe(home.path());
    let pipe = pipe.to_str().unwrap();
    let (_server, flags) = server();
    let all = |more: &[&'static str]| -> Vec<String> {
        let more = more.iter().map(|&flag| flag.to_owned());
        ["--plain".to_owned()]
            .into_iter()
            .chain(flags.clone())
            .chain(more)
            .collect()
    };
    let of = |flags: &[String], more: &[&str]| {
        let mut flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        flags.extend(more);
        terminated(home.path(), pipe, &flags)
    };
    assert_eq!(of(&all(&[]), &["--ca-file", pipe]).code(), Some(130));
    let https = all(&[
        "--flow",
        "authorization-code",
        "--redirect-url",
        "https://localhost:0/",
        "--authorization-url",
        "https://as.example/",
    ]);
    let own = ["--certificate", pipe, "--certificate-key", pipe];
    assert_eq!(of(&https, &own).code(), Some(130));
    // Before the front end has started, the signal has its default effect.
    assert_eq!(
        of(&all(&[]), &["--client-secret-file", pipe]).signal(),
        Some(15)
    );
    assert_eq!(
        of(&[], &["--plain", "--preset-file", pipe]).signal(),
        Some(15)
    );
}

fn authorizing(home: &Path, more: &[&str]) -> (Terminal, Scripted) {
    let (server, flags) = DeviceFlow::giving("the-token").start();
    let mut all: Vec<&str> = flags.iter().map(String::as_str).collect();
    all.extend(more);
    let mut terminal = crate::terminal::Command::new(home, &all).start();
    terminal.wait_for("[a Authorize]");
    terminal.focus("Authorize");
    terminal.send(ENTER);
    terminal.wait_for("[Esc Cancel]");
    (terminal, server)
}

#[test]
fn screen_stays_responsive_while_reading_pipe_without_writer() {
    let home = tempfile::tempdir().unwrap();
    let pipe = pipe(home.path());
    let flags = ["--ca-file", pipe.to_str().unwrap()];
    let begin = || Instant::now();
    let (mut terminal, _server) = authorizing(home.path(), &flags);
    terminal.send("?");
    terminal.wait_for("This screen: sign-in");
    terminal.send(ESC);
    let time = begin();
    terminal.send(CTRL_C);
    assert_eq!(terminal.wait_exit().exit_code(), 0);
    assert!(time.elapsed() < AT_ONCE, "{:?}", time.elapsed());
    terminal.assert_restored();

    let (mut terminal, _server) = authorizing(home.path(), &flags);
    let time = begin();
    terminal.signal("TERM");
    assert_eq!(terminal.wait_exit().exit_code(), 130);
    assert!(time.elapsed() < AT_ONCE, "{:?}", time.elapsed());
    terminal.assert_restored();

    // Without a signal, it times out and says why.
    let (terminal, _server) = authorizing(home.path(), &flags);
    terminal.wait_for("it could not be read within 10 seconds");
}

#[test]
fn ctrl_c_ends_wait_for_a_secret_file() {
    let home = tempfile::tempdir().unwrap();
    let pipe = pipe(home.path());
    let flags = ["--client-secret-file", pipe.to_str().unwrap()];
    let mut terminal = crate::terminal::Command::new(home.path(), &flags).start();
    let begin = Instant::now();
    terminal.send(CTRL_C);
    assert_ne!(terminal.wait_exit().exit_code(), 0);
    assert!(begin.elapsed() < AT_ONCE, "{:?}", begin.elapsed());
    terminal.assert_restored();
}

#[test]
fn command_output_can_be_used_as_a_file() {
    let home = tempfile::tempdir().unwrap();
    let server = Scripted::start(|request| {
        if request.path != "/token" {
            return Reply::json(
                200,
                r#"{"device_code":"d","user_code":"U","verification_uri":"https://as.example/","interval":1,"expires_in":60}"#,
            );
        }
        match request.form.get("client_secret").map(String::as_str) {
            Some("from-a-command") => {
                Reply::json(200, r#"{"access_token":"the-token","token_type":"Bearer"}"#)
            }
            _ => Reply::json(400, r#"{"error":"invalid_client"}"#),
        }
    });
    let now = std::time::SystemTime::now();
    let (files, _) = created::create(home.path(), "localhost", now).unwrap();
    // The second command keeps running after it has printed the secret.
    for secret in [
        "printf 'from-a-command\\n'",
        "echo from-a-command; sleep 60",
    ] {
        let script = format!(
            "exec \"$0\" --plain --print access-token --client-id me --client-authentication post --flow device-code \
             --device-url {url}/device --token-url {url}/token --client-secret-file <({secret}) --ca-file <(cat '{ca}')",
            url = server.url,
            ca = files.certificate.display(),
        );
        let mut child = Command::new("bash")
            .args(["-c", &script])
            .arg(program())
            .env_clear()
            .envs(base(home.path()))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(home.path().join("talk")).unwrap())
            .spawn()
            .unwrap();
        let status = eventually("the end", || child.try_wait().unwrap());
        let talk = std::fs::read_to_string(home.path().join("talk")).unwrap();
        assert_eq!(status.code(), Some(0), "{talk}");
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line).unwrap();
        assert_eq!(line, "the-token\n", "{talk}");
        assert!(!talk.contains("other users"), "a pipe has no mode\n{talk}");
    }
}

/// Discovery reads the certificates first; the flow reads them again.
#[test]
fn piped_certificates_are_used_for_discovery_and_flow() {
    let home = tempfile::tempdir().unwrap();
    let url = Arc::new(OnceLock::<String>::new());
    let known = Arc::clone(&url);
    let server = Scripted::start(move |request| {
        let url = known.wait();
        match request.path.as_str() {
            "/.well-known/openid-configuration" => Reply::json(
                200,
                &format!(
                    r#"{{"issuer":"{url}","token_endpoint":"{url}/token","device_authorization_endpoint":"{url}/device"}}"#
                ),
            ),
            "/device" => Reply::json(
                200,
                r#"{"device_code":"d","user_code":"U","verification_uri":"https://as.example/","interval":1,"expires_in":60}"#,
            ),
            "/token" => Reply::json(200, r#"{"access_token":"the-token","token_type":"Bearer"}"#),
            _ => Reply::json(404, "{}"),
        }
    });
    url.set(server.url.clone()).unwrap();
    let now = std::time::SystemTime::now();
    let (files, _) =
        oauth_authorizer::certificate::created::create(home.path(), "localhost", now).unwrap();
    let script = format!(
        "exec \"$0\" --plain --print access-token --client-id me --flow device-code --issuer {} --ca-file <(cat '{}')",
        server.url,
        files.certificate.display(),
    );
    let output = Command::new("bash")
        .args(["-c", &script])
        .arg(program())
        .env_clear()
        .envs(base(home.path()))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let talk = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{talk}");
    assert!(
        !server
            .requests("/.well-known/openid-configuration")
            .is_empty(),
        "{talk}"
    );
    assert_eq!(output.stdout, b"the-token\n", "{talk}");
}

#[test]
fn reading_a_pipe_without_writer_times_out() {
    let home = tempfile::tempdir().unwrap();
    let pipe = pipe(home.path());
    let (pipe, home) = (pipe.to_str().unwrap(), home.path());
    std::thread::scope(|scope| {
        for (flag, told) in [
            (
                "--client-secret-file",
                format!(
                    "Can't read the client secret from {pipe}: it could not be read within 10 seconds."
                ),
            ),
            (
                "--preset-file",
                format!(
                    "Can't use the preset file {pipe}: it could not be read within 10 seconds. "
                ),
            ),
        ] {
            scope.spawn(move || {
                let (exit, stderr) = plain(home, &[], &[flag, pipe]);
                assert_eq!(exit, 2, "{flag}: {stderr}");
                assert!(stderr.contains(&told), "{flag}: {stderr}");
            });
        }
    });
}

#[test]
fn secret_file_readable_by_others_causes_a_warning() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("secret");
    std::fs::write(&path, "s3cret\n").unwrap();
    let (server, flags) = server();
    let warning = format!(
        "The client secret file {} can be read by other users. Run chmod 600 on it.",
        path.display()
    );
    for (mode, warned) in [(0o644, true), (0o640, true), (0o600, false)] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let more = ["--client-secret-file", path.to_str().unwrap()];
        let (exit, stderr) = plain(home.path(), &flags, &more);
        assert_eq!(exit, 0, "{stderr}");
        let told = stderr.contains(&format!(
            "hint: Client secret (--client-secret-file): {warning}\n"
        ));
        assert_eq!(told, warned, "{mode:o}: {stderr}");
        let asked = server.requests("/token").pop().unwrap();
        assert!(asked.form.contains_key("device_code"));

        let terminal = crate::terminal::Command::new(home.path(), &more).start();
        terminal.wait_for("[a Authorize]");
        let squeezed = |text: &str| text.split_whitespace().collect::<String>();
        let told = squeezed(&terminal.screen()).contains(&squeezed(&warning));
        assert_eq!(told, warned, "{mode:o}: {}", terminal.screen());
    }
}

#[test]
fn secret_with_control_characters_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("secret");
    std::fs::write(&path, [0; 32]).unwrap();
    let (server, flags) = server();
    let more = ["--client-secret-file", path.to_str().unwrap()];
    let (exit, stderr) = plain(home.path(), &flags, &more);
    assert_eq!(exit, 2, "{stderr}");
    let told = format!(
        "Can't read the client secret from {}: character 1 is a control character (U+0000).",
        path.display()
    );
    assert!(stderr.contains(&told), "{stderr}");
    // The same applies to standard input.
    let mut child = Command::new(program())
        .args(["--plain", "--client-secret-stdin"])
        .args(&flags)
        .env_clear()
        .envs(base(home.path()))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut stdin, b"s3\x07cret\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(
        stderr.contains("from standard input: character 3 is a control character (U+0007)"),
        "{stderr}"
    );
    assert!(server.requests("/token").is_empty());
}
