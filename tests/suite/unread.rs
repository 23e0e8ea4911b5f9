//! Standard output and standard error that are not read, full or closed: the sign-in continues, the tokens arrive, and
//! a signal ends the program at once.

use std::fs::File;
use std::io::{PipeReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::scripted::{DeviceFlow, Reply, Scripted};
use crate::servers::{eventually, free_port, get};
use crate::terminal::{ENTER, LIMIT, base, program};

/// What "at once" means on a machine that may be busy.
const AT_ONCE: Duration = Duration::from_secs(3);

/// Capacity of a Linux pipe, in bytes.
const PIPE: usize = 64 * 1024;

/// The state of standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Talk {
    /// The descriptor is not open.
    Closed,
    /// Every write fails.
    Full,
    /// A pipe that is already full and has no active reader.
    Unread,
    /// A pipe whose other end is closed.
    Broken,
}

const ALL: [Talk; 4] = [Talk::Closed, Talk::Full, Talk::Unread, Talk::Broken];

/// A pipe that is full.
fn full_pipe() -> (PipeReader, Stdio) {
    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(&vec![b'x'; PIPE]).unwrap();
    (reader, writer.into())
}

/// A pipe without a reader.
fn broken_pipe() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

/// A sign-in with the authorization code flow. The code is pasted without the state, which can't be read.
struct Run {
    child: Child,
    port: u16,
    _server: Scripted,
    _home: tempfile::TempDir,
    _unread: Option<PipeReader>,
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Run {
    fn start(talk: Talk) -> Self {
        let (unread, stderr) = match talk {
            Talk::Closed => (None, Stdio::inherit()),
            Talk::Full => {
                let full = File::options().write(true).open("/dev/full").unwrap();
                (None, full.into())
            }
            Talk::Unread => {
                let (reader, stderr) = full_pipe();
                (Some(reader), stderr)
            }
            Talk::Broken => (None, broken_pipe()),
        };
        Self::with(stderr, talk == Talk::Closed, unread)
    }

    fn with(stderr: Stdio, closed: bool, unread: Option<PipeReader>) -> Self {
        let home = tempfile::tempdir().unwrap();
        let server =
            Scripted::start(
                |request| match request.form.get("code").map(String::as_str) {
                    Some("true-code") => {
                        Reply::json(200, r#"{"access_token":"the-token","token_type":"Bearer"}"#)
                    }
                    _ => Reply::json(400, r#"{"error":"invalid_grant"}"#),
                },
            );
        let port = free_port();
        let mut command = if closed {
            let mut shell = Command::new("sh");
            shell.args(["-c", "exec \"$0\" \"$@\" 2>&-"]).arg(program());
            shell
        } else {
            Command::new(program())
        };
        command
            .args([
                "--plain",
                "--flow",
                "authorization-code",
                "--client-id",
                "me",
                "--print",
                "access-token",
                "--authorization-url",
                "https://as.example/a",
                "--token-url",
                &format!("{}/token", server.url),
                "--redirect-url",
                &format!("http://127.0.0.1:{port}/callback"),
            ])
            .current_dir(home.path())
            .env_clear()
            .envs(base(home.path()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(stderr);
        let child = command.spawn().unwrap();
        eventually("the listener", || {
            std::net::TcpStream::connect(("127.0.0.1", port)).ok()
        });
        Self {
            child,
            port,
            _server: server,
            _home: home,
            _unread: unread,
        }
    }

    /// Sends this many requests for this path and checks the status of each response.
    fn requests(&self, count: usize, path: &str, status: u16) {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..count / 4 {
                        assert_eq!(get(&url, &[]).0, status);
                    }
                });
            }
        });
    }

    fn paste(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Waits for the end and returns the exit code and standard output.
    fn end(mut self) -> (Option<i32>, String) {
        let code = end(&mut self.child, LIMIT);
        let mut stdout = String::new();
        let mut pipe = self.child.stdout.take().unwrap();
        pipe.read_to_string(&mut stdout).unwrap();
        (code, stdout)
    }
}

fn end(child: &mut Child, limit: Duration) -> Option<i32> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        if Instant::now() > deadline {
            child.kill().unwrap();
            panic!("the program does not end");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn terminate(child: &Child) {
    let pid = child.id().to_string();
    let status = Command::new("kill").args(["-s", "TERM", &pid]).status();
    assert!(status.unwrap().success());
}

#[test]
fn tokens_are_printed_even_if_nobody_reads_standard_error() {
    for talk in ALL {
        let mut run = Run::start(talk);
        run.requests(2000, "/favicon.ico", 404);
        run.paste("true-code");
        assert_eq!(
            run.end(),
            (Some(0), "the-token\n".to_owned()),
            "standard error: {talk:?}"
        );
    }
}

#[test]
fn signal_ends_program_even_if_nobody_reads_standard_error() {
    for talk in ALL {
        let mut run = Run::start(talk);
        run.requests(400, "/favicon.ico", 404);
        terminate(&run.child);
        assert_eq!(
            end(&mut run.child, AT_ONCE),
            Some(130),
            "standard error: {talk:?}"
        );
    }
}

/// The exit code of a run whose messages are not read.
fn unread(flags: &[&str], variables: &[(&str, &str)]) -> Option<i32> {
    let home = tempfile::tempdir().unwrap();
    let (_reader, stderr) = full_pipe();
    let mut child = Command::new(program())
        .args(flags)
        .current_dir(home.path())
        .env_clear()
        .envs(base(home.path()))
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(stderr)
        .spawn()
        .unwrap();
    end(&mut child, AT_ONCE)
}

#[test]
fn startup_error_ends_program_even_if_nobody_reads_it() {
    for flags in [
        &["--plain", "--client-secret-file", "/nonexistent"][..],
        &["--plain", "--preset-file", "/nonexistent"],
        &["--plain", "--preset", "nonexistent"],
        &["--client-secret-file", "/nonexistent"],
        &["--plain", "--nonexistent"],
        &["nonexistent"],
    ] {
        assert_eq!(unread(flags, &[]), Some(2), "{flags:?}");
    }
    // A hint is printed before the error.
    let dumb = [("TERM", "dumb")];
    let flags = ["--client-secret-file", "/nonexistent"];
    assert_eq!(unread(&flags, &dumb), Some(2));
}

#[test]
fn a_log_stays_small_under_an_attack() {
    let home = tempfile::tempdir().unwrap();
    let log = home.path().join("log");
    let mut run = Run::with(File::create(&log).unwrap().into(), false, None);
    run.requests(5000, "/favicon.ico", 404);
    run.requests(5000, "/callback?code=x&state=forged", 400);
    run.paste("true-code");
    let (code, stdout) = run.end();
    let log = std::fs::read_to_string(log).unwrap();
    assert_eq!((code, stdout.as_str()), (Some(0), "the-token\n"), "{log}");
    assert!(log.len() < 8 * 1024, "{} bytes\n{log}", log.len());
    for (line, count) in [
        (
            "stray: rejected a request that does not belong to this sign-in",
            20,
        ),
        ("refused: a callback: it is from a different sign-in", 20),
        ("stray: 5000 requests rejected in total\n", 1),
        ("refused: 5000 callbacks rejected in total\n", 1),
        ("check: ", 5),
    ] {
        assert!(log.matches(line).count() >= count, "{line:?}\n{log}");
    }
    // The totals are at the end.
    let last: Vec<&str> = log.lines().rev().take(2).collect();
    assert!(last.iter().all(|line| line.ends_with(" in total")), "{log}");
}

/// Starts a device flow that returns a token larger than a pipe.
fn large(flags: &[&str], stdout: Stdio) -> (Child, String, Scripted, tempfile::TempDir) {
    let home = tempfile::tempdir().unwrap();
    let token = "t".repeat(4 * PIPE);
    let (server, at) = DeviceFlow::giving(&token).start();
    let child = Command::new(program())
        .args(flags)
        .args(&at)
        .current_dir(home.path())
        .env_clear()
        .envs(base(home.path()))
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    (child, token, server, home)
}

#[test]
fn signal_ends_program_while_it_writes_an_unread_result() {
    let (reader, stdout) = full_pipe();
    let (mut child, ..) = large(&["--plain", "--print", "json"], stdout);
    // All messages are printed before the result.
    let mut stderr = std::io::BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("check: Refresh token") {
        line.clear();
        let count = std::io::BufRead::read_line(&mut stderr, &mut line).unwrap();
        assert!(count > 0, "it has ended");
    }
    eventually("a thread that waits for the pipe", || {
        waits_for_a_pipe(&child)
    });
    terminate(&child);
    assert_eq!(end(&mut child, AT_ONCE), Some(130));
    drop(reader);
}

/// Returns `Some` if one of the program's threads is blocked writing to a pipe.
fn waits_for_a_pipe(child: &Child) -> Option<()> {
    let threads = std::fs::read_dir(format!("/proc/{}/task", child.id())).ok()?;
    // The number of the system call `write`.
    let number = if cfg!(target_arch = "x86_64") {
        "1 "
    } else {
        "64 "
    };
    threads
        .flatten()
        .any(|thread| {
            std::fs::read_to_string(thread.path().join("syscall"))
                .is_ok_and(|call| call.starts_with(number))
        })
        .then_some(())
}

#[test]
fn a_slow_reader_gets_the_whole_result() {
    let (mut child, token, ..) = large(&["--plain", "--print", "access-token"], Stdio::piped());
    let mut stdout = child.stdout.take().unwrap();
    let mut read = Vec::new();
    let mut piece = [0; 1000];
    loop {
        // Read more slowly than the program writes; the result must not depend on it.
        std::thread::sleep(Duration::from_millis(1));
        match stdout.read(&mut piece).unwrap() {
            0 => break,
            count => read.extend_from_slice(&piece[..count]),
        }
    }
    assert!(read == format!("{token}\n").as_bytes(), "{}", read.len());
    assert_eq!(end(&mut child, AT_ONCE), Some(0));
}

#[test]
fn failure_to_write_the_result_is_an_error() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    for stdout in [broken_pipe(), Stdio::from(full)] {
        let (mut child, ..) = large(&["--plain", "--print", "access-token"], stdout);
        let code = end(&mut child, LIMIT);
        let mut told = String::new();
        let mut pipe = child.stderr.take().unwrap();
        pipe.read_to_string(&mut told).unwrap();
        assert_eq!(code, Some(1), "{told}");
        assert!(
            told.contains("error: The result could not be printed"),
            "{told}"
        );
    }
}

#[test]
fn messages_and_result_stay_in_order() {
    let home = tempfile::tempdir().unwrap();
    let both = home.path().join("both");
    let file = File::create(&both).unwrap();
    let (_server, flags) = DeviceFlow::giving("the-token").start();
    let status = Command::new(program())
        .args(["--plain", "--print", "access-token"])
        .args(&flags)
        .env_clear()
        .envs(base(home.path()))
        .stdin(Stdio::null())
        .stdout(file.try_clone().unwrap())
        .stderr(file)
        .status()
        .unwrap();
    assert!(status.success());
    let both = std::fs::read_to_string(both).unwrap();
    assert!(both.ends_with("\nthe-token\n"), "{both}");
    assert!(both.starts_with("step: "), "{both}");
}

/// The full-screen program writes its result to a pipe that its own process keeps open and nobody reads.
#[test]
fn signal_ends_program_with_unread_result_after_the_screen() {
    let home = tempfile::tempdir().unwrap();
    let (_server, flags) = DeviceFlow::giving(&"t".repeat(4 * PIPE)).start();
    let program = program();
    let script = "mkfifo pipe && exec 3<>pipe && exec \"$0\" \"$@\" >&3";
    let mut all = vec!["-c", script, program.to_str().unwrap(), "--print", "json"];
    all.extend(flags.iter().map(String::as_str));
    let shell = Path::new("/bin/sh");
    let mut terminal = crate::terminal::Command::of(shell, home.path(), &all).start();
    terminal.wait_for("[a Authorize]");
    terminal.focus("Authorize");
    terminal.send(ENTER);
    terminal.wait_until("the shell's screen", |screen| !screen.alternate_screen());
    let begin = Instant::now();
    terminal.signal("TERM");
    assert_eq!(terminal.wait_exit().exit_code(), 130);
    assert!(begin.elapsed() < AT_ONCE, "{:?}", begin.elapsed());
    terminal.assert_restored();
}
