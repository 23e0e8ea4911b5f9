//! Secrets stay where they belong, and the browser receives only the URL.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::plain::Plain;
use crate::scripted::{Reply, Scripted};
use crate::servers::{ODD_POST, ODD_SECRET, Provider, eventually, person};
use crate::terminal::{CTRL_C, Command, ENTER, Terminal, base, program};

/// All files below `folder`.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

fn holds(bytes: &[u8], secret: &str) -> bool {
    bytes
        .windows(secret.len())
        .any(|window| window == secret.as_bytes())
}

#[test]
fn a_run_leaves_no_secret_behind() {
    let home = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let provider = Provider::start(&[("DEVICE_INTERVAL", "1")]);
    let file = elsewhere.path().join("secret");
    std::fs::write(&file, format!("{ODD_SECRET}\n")).unwrap();
    let mut flags = provider.flags();
    let more = [
        "--client-id",
        ODD_POST,
        "--client-authentication",
        "post",
        "--scope",
        "openid offline_access",
    ];
    flags.extend(more.map(str::to_owned));
    flags.extend(["--extra-parameters".to_owned(), "prompt=consent".to_owned()]);
    flags.extend([
        "--client-secret-file".to_owned(),
        file.to_str().unwrap().to_owned(),
    ]);
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let mut terminal = Command::new(home.path(), &flags).start();
    terminal.wait_for("[a Authorize]");
    terminal.focus("Authorize");
    terminal.send(ENTER);
    terminal.wait_for("With code");
    let url = terminal.url();
    assert_eq!(person(&url, &[])["outcome"], "approved");
    terminal.wait_for("Access token");
    // So far, the screen has shown no secret.
    let written = terminal.bytes();
    let mut secrets = vec![ODD_SECRET.to_owned()];
    for (label, next) in [
        ("Access token", "Refresh token"),
        ("Refresh token", "ID token"),
        ("ID token", "Copy]"),
    ] {
        terminal.focus(label);
        terminal.send("r");
        terminal.wait_for("r Hide]");
        secrets.push(terminal.revealed());
        terminal.send("r");
        terminal.wait_for("[r Reveal]");
        terminal.focus(next);
    }
    for secret in &secrets {
        assert!(
            !holds(&written, secret),
            "on the screen without being revealed: {secret}"
        );
        let arguments = std::fs::read(format!("/proc/{}/cmdline", terminal.pid())).unwrap();
        assert!(!holds(&arguments, secret), "in the arguments: {secret}");
    }
    // Users share the trace of the sign-in and of a refresh.
    terminal.send("f");
    terminal.wait_for("Refreshed at");
    for label in ["Access token", "Refresh token"] {
        terminal.focus(label);
        terminal.send("r");
        terminal.wait_for("r Hide]");
        secrets.push(terminal.revealed());
        terminal.send("r");
        terminal.wait_for("[r Reveal]");
    }
    let code = url.split("user_code=").nth(1).unwrap().to_owned();
    let trace = terminal.trace(home.path());
    for secret in secrets.iter().chain([&code]) {
        assert!(
            !trace.contains(secret.as_str()),
            "in the trace: {secret}\n{trace}"
        );
    }
    for told in [
        "/device/auth -> 200",
        "/token -> 200",
        "grant_type=refresh_token",
    ] {
        assert!(trace.contains(told), "{told}\n{trace}");
    }
    terminal.send(CTRL_C);
    terminal.wait_for("not been copied or saved:");
    terminal.send(CTRL_C);
    terminal.wait_exit();
    // HOME, the folder for temporary files and the working folder are the same folder here.
    for path in files(home.path()) {
        let bytes = std::fs::read(&path).unwrap();
        for secret in &secrets {
            assert!(
                !holds(&bytes, secret),
                "in the file {}: {secret}",
                path.display()
            );
        }
    }
    assert_eq!(
        files(home.path()),
        Vec::<PathBuf>::new(),
        "nothing is written unless asked for"
    );
}

/// A browser that runs `script`; `$1` is the URL, `$OUT` a folder.
fn browser(folder: &Path, script: &str) -> PathBuf {
    let path = folder.join("browser");
    std::fs::write(
        &path,
        format!("#!/bin/sh\nOUT={}\n{script}\n", folder.display()),
    )
    .unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// The authorization code flow with a display and this browser, and with a secret in the environment.
fn with_browser(
    home: &Path,
    provider: &Provider,
    browser: &Path,
    more: &[(&str, &str)],
) -> Terminal {
    let mut flags = provider.flags();
    let rest = [
        "--flow",
        "authorization-code",
        "--client-id",
        "public-native",
        "--scope",
        "openid",
    ];
    flags.extend(rest.map(str::to_owned));
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let mut command = Command::new(home, &flags)
        .env("BROWSER", browser)
        .env("DISPLAY", ":986");
    for (name, value) in more {
        command = command.env(name, value);
    }
    let mut terminal = command.start();
    terminal.wait_for("[a Authorize]");
    terminal.focus("Authorize");
    terminal.send(ENTER);
    terminal.wait_for("URL, code or error text");
    terminal
}

#[test]
fn browser_gets_neither_the_terminal_nor_secrets() {
    let (home, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let provider = Provider::start(&[]);
    let script = "env > $OUT/env\n\
                  { [ -t 0 ] || [ -t 1 ] || [ -t 2 ] || (: < /dev/tty); } 2>/dev/null && echo terminal > $OUT/terminal\n\
                  echo noise; echo noise >&2\n\
                  printf '%s' \"$1\" > $OUT/part && mv $OUT/part $OUT/url";
    let browser = browser(folder.path(), script);
    let secret = [
        (
            "OAUTH_AUTHORIZER_CLIENT_SECRET",
            "s3cret-of-the-environment",
        ),
        ("OAUTH_AUTHORIZER_CLIENT_AUTHENTICATION", "automatic"),
    ];
    let terminal = with_browser(home.path(), &provider, &browser, &secret[1..]);
    let url = eventually("the browser's URL", || {
        std::fs::read_to_string(folder.path().join("url")).ok()
    });
    assert!(
        terminal
            .flat()
            .contains("in the browser window that opened"),
        "{}",
        terminal.screen()
    );
    assert!(!terminal.flat().contains("noise"), "{}", terminal.screen());
    assert!(
        !folder.path().join("terminal").exists(),
        "the browser can reach our terminal"
    );
    assert_eq!(person(&url, &[])["status"], 200);
    terminal.wait_for("Access token");
    // Again with a client secret. This client accepts none, but the browser must not see it.
    std::fs::remove_file(folder.path().join("url")).unwrap();
    let _terminal = with_browser(home.path(), &provider, &browser, &secret);
    eventually("the browser's URL", || {
        folder.path().join("url").exists().then_some(())
    });
    let environment = std::fs::read_to_string(folder.path().join("env")).unwrap();
    assert!(
        environment.contains("DISPLAY") && !environment.contains("s3cret"),
        "{environment}"
    );
}

#[test]
fn failing_browser_is_reported_and_hanging_one_ignored() {
    let (home, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let provider = Provider::start(&[]);
    let failing = browser(folder.path(), "exit 3");
    let terminal = with_browser(home.path(), &provider, &failing, &[]);
    terminal.wait_for("No browser was opened:");
    terminal.wait_for("Open the URL yourself,");
    let endless = browser(
        folder.path(),
        "echo $$ > $OUT/pid; printf '%s' \"$1\" > $OUT/part && mv $OUT/part $OUT/url; exec sleep 60",
    );
    let terminal = with_browser(home.path(), &provider, &endless, &[]);
    let url = eventually("the browser's URL", || {
        std::fs::read_to_string(folder.path().join("url")).ok()
    });
    assert_eq!(person(&url, &[])["status"], 200);
    terminal.wait_for("Access token");
    drop(terminal);
    let pid = std::fs::read_to_string(folder.path().join("pid")).unwrap();
    let _ = std::process::Command::new("kill").arg(pid.trim()).status();
}

#[test]
fn no_browser_starts_over_ssh_or_without_a_display() {
    let (home, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let provider = Provider::start(&[]);
    let browser = browser(folder.path(), "touch $OUT/started");
    for (more, where_to_open) in [
        (
            ("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 22"),
            "In the browser on that computer, open",
        ),
        (("DISPLAY", ""), "In a browser on this machine, open"),
    ] {
        let terminal = with_browser(home.path(), &provider, &browser, &[more]);
        assert!(
            terminal.flat().contains(where_to_open),
            "{}",
            terminal.screen()
        );
        assert!(
            !terminal.flat().contains("[b Open browser]"),
            "{}",
            terminal.screen()
        );
        assert!(!folder.path().join("started").exists());
    }
}

#[test]
fn core_dumps_and_memory_access_are_disabled() {
    let home = tempfile::tempdir().unwrap();
    let terminal = Command::new(home.path(), &["--preset", "github"]).start();
    terminal.wait_for("[a Authorize]");
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", terminal.pid())).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap();
    assert_eq!(
        core.split_whitespace().collect::<Vec<_>>()[4..6],
        ["0", "0"],
        "{core}"
    );
    // Root can read all memory, so the program and its reader run without root's capabilities.
    let as_user = |program: &Path| {
        let mut command = std::process::Command::new("setpriv");
        command.arg("--bounding-set=-all").arg(program);
        if rustix::process::geteuid().is_root() {
            command
        } else {
            std::process::Command::new(program)
        }
    };
    let can_read = |pid: u32| {
        let mut reader = as_user(Path::new("cat"));
        reader.arg(format!("/proc/{pid}/environ"));
        reader.output().unwrap().status.success()
    };
    let mut other = as_user(Path::new("sleep")).arg("60").spawn().unwrap();
    // Until `sleep` is executed, the process is still the program that starts it.
    eventually("a program that can be read", || {
        can_read(other.id()).then_some(())
    });
    other.kill().unwrap();
    other.wait().unwrap();
    let body = r#"{"device_code":"d","user_code":"U","verification_uri":"https://as.example/"}"#;
    let server = Scripted::start(move |_| Reply::json(200, body));
    let url = format!("{}/device", server.url);
    let flags = [
        ["--flow", "device-code"],
        ["--client-id", "me"],
        ["--device-url", &url],
        ["--token-url", &url],
        ["--print", "access-token"],
    ]
    .concat();
    let mut waits = Plain::start_by(as_user(&program()), home.path(), &flags, &[]);
    waits.value("user_code");
    assert!(!can_read(waits.pid()));
}

/// Runs the device flow with `--plain`, this device URL and these environment variables. Returns the exit code and
/// standard error.
fn plain_device_flow(url: &str, variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let home = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(program())
        .args([
            "--plain",
            "--print",
            "access-token",
            "--flow",
            "device-code",
            "--client-id",
            "me",
        ])
        .args(["--device-url", url, "--token-url", url])
        .env_clear()
        .envs(base(home.path()))
        .envs(variables.iter().copied())
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

#[test]
fn proxy_variables_are_used_except_for_this_machine() {
    use std::io::{BufRead, BufReader, Write};
    let proxy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", proxy.local_addr().unwrap());
    let (sender, asked) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for mut stream in proxy.incoming().flatten() {
            let mut line = String::new();
            let _ = BufReader::new(stream.try_clone().unwrap()).read_line(&mut line);
            let _ = sender.send(line);
            let _ = stream.write_all(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n");
        }
    });
    let variables = [
        ("HTTPS_PROXY", address.as_str()),
        ("HTTP_PROXY", &address),
        ("ALL_PROXY", &address),
    ];
    let (code, stderr) = plain_device_flow("https://as.example/device", &variables);
    assert_eq!(code, Some(5), "{stderr}");
    assert_eq!(
        asked.recv_timeout(crate::terminal::LIMIT).unwrap().trim(),
        "CONNECT as.example:443 HTTP/1.1"
    );
    // The program connects once more to check the service, but requests nothing else from the proxy.
    for line in asked.try_iter() {
        assert_eq!(line.trim(), "CONNECT as.example:443 HTTP/1.1");
    }
    let server = Scripted::start(|_| Reply::json(400, r#"{"error":"invalid_client"}"#));
    let (code, stderr) = plain_device_flow(&format!("{}/device", server.url), &variables);
    assert_eq!(code, Some(1), "{stderr}");
    assert_eq!(server.requests("/device").len(), 1);
    assert!(
        asked.try_recv().is_err(),
        "a request to this machine went to the proxy"
    );
}

#[test]
#[cfg(target_os = "linux")]
fn missing_ca_certificates_are_reported_without_ca_file() {
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/device", server.local_addr().unwrap());
    let nowhere = ("SSL_CERT_DIR", "/nonexistent");
    let (code, stderr) = plain_device_flow(&url, &[nowhere]);
    assert_eq!(code, Some(2), "{stderr}");
    for words in [
        "error: Can't use the system's CA certificates: No CA certificates were loaded",
        "install the system's CA certificates (package ca-certificates), or set CA file (--ca-file)",
    ] {
        assert!(stderr.contains(words), "{stderr}");
    }
    // The server is gone, but the CA certificates are no longer the problem.
    drop(server);
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("ca.pem");
    std::fs::write(&file, crate::services::ca()).unwrap();
    let file = ("OAUTH_AUTHORIZER_CA_FILE", file.to_str().unwrap());
    let (code, stderr) = plain_device_flow(&url, &[nowhere, file]);
    assert_eq!(code, Some(5), "{stderr}");
}

#[test]
fn response_size_is_limited() {
    let server = Scripted::start(|_| Reply::json(200, &"x".repeat(3_000_000)));
    let (code, stderr) = plain_device_flow(&format!("{}/device", server.url), &[]);
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("is larger than 1 MB"), "{stderr}");
}

/// The linker flags in `.cargo/config.toml` replace the compiler's own flags.
#[test]
#[cfg(target_os = "linux")]
fn binary_uses_full_relro_and_pie() {
    let read = std::process::Command::new("readelf")
        .args(["--wide", "--program-headers", "--dynamic"])
        .arg(program())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&read.stdout);
    for part in ["GNU_RELRO", "BIND_NOW", "Flags: NOW PIE"] {
        assert!(text.contains(part), "{part} is missing: {text}");
    }
}
