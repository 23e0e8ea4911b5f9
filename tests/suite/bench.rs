//! Ratios to something else in the same run, for `tests/bench`. Not a test: it only prints.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    unreachable_pub,
    dead_code,
    unused_imports,
    reason = "it measures with the tools of the tests and prints"
)]

mod bounds;
mod listener;
mod plain;
mod process;
#[cfg(unix)]
mod profiles;
#[cfg(target_os = "linux")]
mod rivals;
mod scripted;
mod servers;
mod terminal;

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command as Process, Stdio};
use std::time::{Duration, Instant};

use oauth2::{PkceCodeChallenge, PkceCodeVerifier};
use portable_pty::{CommandBuilder, PtySize, native_pty_system};

use crate::servers::{Provider, person};
use crate::terminal::{Command, ENTER, LIMIT, base, program};

const ROUNDS: usize = 15;

/// The median of several measurements, because these machines are noisy.
fn median(mut measure: impl FnMut() -> Duration) -> Duration {
    let mut times: Vec<Duration> = (0..ROUNDS).map(|_| measure()).collect();
    times.sort();
    times[ROUNDS / 2]
}

/// The medians of two measurements that take turns, so that a busy moment affects both.
fn medians(
    mut first: impl FnMut() -> Duration,
    mut second: impl FnMut() -> Duration,
) -> (Duration, Duration) {
    let (mut firsts, mut seconds): (Vec<_>, Vec<_>) =
        (0..ROUNDS).map(|_| (first(), second())).unzip();
    firsts.sort();
    seconds.sort();
    (firsts[ROUNDS / 2], seconds[ROUNDS / 2])
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn main() {
    first_frame();
    presets();
    memory();
    size();
    callback();
    #[cfg(unix)]
    tokens();
    #[cfg(target_os = "linux")]
    attack();
    hostile();
}

/// The cost of the most expensive requests and responses (aims: 50 ms of processor time, 4 MB).
fn hostile() {
    let print = |what: &str| {
        let what = what.to_owned();
        move |name: &str, time: Duration, memory: u64| {
            println!(
                "{what}: {name:32} {:6.1} ms {:6.1} MB",
                ms(time),
                memory as f64 / 1024.0
            );
        }
    };
    bounds::measure_callbacks(&mut print("callback"));
    bounds::measure_answers(&mut print("answer"));
    bounds::measure_discovery(&mut print("metadata"));
}

/// The time from the start of the process to the end of the first frame, and to bash's first prompt.
fn first_frame() {
    let home = tempfile::tempdir().unwrap();
    let shell = ["/bin/bash", "--norc", "-i"];
    let bash = || time_until("prompt>", &shell, home.path(), &[("PS1", "prompt> ")]);
    let screen = screen();
    let ours = || time_until("quit", &screen, home.path(), &[]);
    let (bash, ours) = medians(bash, ours);
    let ratio = ours.as_secs_f64() / bash.as_secs_f64();
    println!(
        "first frame       {:6.1} ms   bash's first prompt {:6.1} ms   ratio {ratio:.2} (aim: at most 1.4)",
        ms(ours),
        ms(bash)
    );
}

fn screen() -> [String; 3] {
    let program = program().to_str().unwrap().to_owned();
    [program, "--preset".to_owned(), "microsoft-mail".to_owned()]
}

/// The time from the start of a program until its terminal has received `last`. Meanwhile, no emulator reads the
/// output: that would take longer for a whole frame than for a prompt.
fn time_until(
    last: &str,
    arguments: &[impl AsRef<OsStr>],
    home: &Path,
    variables: &[(&str, &str)],
) -> Duration {
    let mut command = CommandBuilder::from_argv(
        arguments
            .iter()
            .map(|argument| argument.as_ref().to_owned())
            .collect(),
    );
    command.env_clear();
    for (name, value) in base(home) {
        command.env(name, value);
    }
    for (name, value) in variables {
        command.env(name, value);
    }
    let window = PtySize {
        rows: 24,
        cols: 80,
        ..PtySize::default()
    };
    let pair = native_pty_system().openpty(window).unwrap();
    let mut reader = pair.master.try_clone_reader().unwrap();
    let begin = Instant::now();
    let mut child = pair.slave.spawn_command(command).unwrap();
    let (mut received, mut buffer) = (Vec::new(), [0; 4096]);
    while !String::from_utf8_lossy(&received).contains(last) {
        let count = reader.read(&mut buffer).unwrap();
        assert!(count > 0 && begin.elapsed() < LIMIT, "no {last:?}");
        received.extend_from_slice(&buffer[..count]);
    }
    let time = begin.elapsed();
    let _ = child.kill();
    let _ = child.wait();
    time
}

/// The first frame with the built-in presets, and with all of them again as the user's own.
fn presets() {
    let one = tempfile::tempdir().unwrap();
    let many = tempfile::tempdir().unwrap();
    let built_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("presets");
    for (home, only) in [(&one, Some("microsoft-mail.toml")), (&many, None)] {
        let folder = home.path().join("config/oauth-authorizer/presets");
        std::fs::create_dir_all(&folder).unwrap();
        for entry in std::fs::read_dir(&built_in).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap();
            let wanted = path.is_file()
                && only.is_none_or(|only| name == only)
                && !["custom.toml", "demo.toml"]
                    .iter()
                    .any(|other| name == *other);
            if wanted {
                std::fs::copy(&path, folder.join(name)).unwrap();
            }
        }
    }
    let screen = screen();
    let frame = |home: &Path| {
        let own = home.join("config");
        time_until(
            "quit",
            &screen,
            home,
            &[("XDG_CONFIG_HOME", own.to_str().unwrap())],
        )
    };
    let (few, all) = medians(|| frame(one.path()), || frame(many.path()));
    let ratio = all.as_secs_f64() / few.as_secs_f64();
    println!(
        "51 own presets    {:6.1} ms   one own preset      {:6.1} ms   ratio {ratio:.2} (aim: no slower)",
        ms(all),
        ms(few)
    );
}

fn memory() {
    let home = tempfile::tempdir().unwrap();
    let terminal = Command::new(home.path(), &["--preset", "microsoft-mail"]).start();
    terminal.wait_for("Ctrl+C quit");
    let status = std::fs::read_to_string(format!("/proc/{}/status", terminal.pid())).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    let kilobytes: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    println!(
        "memory on the form {:5.1} MB (aim: at most 7)",
        kilobytes / 1024.0
    );
}

fn size() {
    let bytes = std::fs::metadata(program()).unwrap().len() as f64;
    println!(
        "size of the binary {:5.1} MB (aim: at most 8)",
        bytes / 1024.0 / 1024.0
    );
}

/// The time from the browser's callback to the tokens on the screen, and that of curl's POST of the same exchange.
fn callback() {
    let home = tempfile::tempdir().unwrap();
    let provider = Provider::start(&[]);
    let mut flags = provider.flags();
    let more = [
        "--client-id",
        "public-native",
        "--scope",
        "openid",
        "--flow",
        "authorization-code",
    ];
    flags.extend(more.map(str::to_owned));
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let redirect = "http://127.0.0.1:9/callback";
    let curl = median(|| {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let mut url = url::Url::parse(provider.endpoint("authorization")).unwrap();
        url.query_pairs_mut()
            .append_pair("client_id", "public-native")
            .append_pair("response_type", "code")
            .append_pair("scope", "openid")
            .append_pair("state", "s")
            .append_pair("redirect_uri", redirect)
            .append_pair("code_challenge", challenge.as_str())
            .append_pair("code_challenge_method", "S256");
        let answer = person(url.as_str(), &["--no-callback"]);
        let callback = url::Url::parse(answer["callback"].as_str().unwrap()).unwrap();
        let code = callback
            .query_pairs()
            .find(|(name, _)| name == "code")
            .unwrap()
            .1
            .into_owned();
        exchange_with_curl(&provider, &code, &verifier, redirect)
    });
    let ours = median(|| {
        let mut terminal = Command::new(home.path(), &flags).start();
        terminal.wait_for("[a Authorize]");
        terminal.focus("Authorize");
        terminal.send(ENTER);
        terminal.wait_for("URL, code or error text");
        let answer = person(&terminal.url(), &["--no-callback"]);
        let callback = answer["callback"].as_str().unwrap().to_owned();
        let begin = Instant::now();
        let browser = std::thread::spawn(move || servers::get(&callback, &[]));
        terminal.wait_exactly("Access token");
        let time = begin.elapsed();
        assert_eq!(browser.join().unwrap().0, 200);
        time
    });
    let ratio = ours.as_secs_f64() / curl.as_secs_f64();
    println!(
        "callback to tokens{:6.1} ms   curl's POST         {:6.1} ms   ratio {ratio:.2} (aim: at most 1.3)",
        ms(ours),
        ms(curl)
    );
}

fn exchange_with_curl(
    provider: &Provider,
    code: &str,
    verifier: &PkceCodeVerifier,
    redirect: &str,
) -> Duration {
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", "public-native"),
        ("redirect_uri", redirect),
        ("code", code),
        ("code_verifier", verifier.secret()),
    ];
    let mut curl = Process::new("curl");
    curl.args(["-sS", "--fail", provider.endpoint("token")])
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    for (name, value) in fields {
        curl.arg("--data-urlencode").arg(format!("{name}={value}"));
    }
    let begin = Instant::now();
    assert!(curl.status().unwrap().success());
    begin.elapsed()
}

/// The time from a callback to its response, after a pause of 200 ms: on a quiet machine, and while other programs
/// attack the listener.
#[cfg(target_os = "linux")]
fn attack() {
    use crate::rivals::{Held, OnScreen, Rivals, callback};
    let answered = |attack: &dyn Fn(&mut Rivals)| {
        let screen = OnScreen::start();
        let mut rivals = Rivals::of(screen.to);
        attack(&mut rivals);
        let query = format!("code=a-code&state={}", screen.state);
        let (page, time) = callback(screen.to, Duration::from_millis(200), &query);
        assert!(page.contains("Almost done"), "{page}");
        time
    };
    let mut times: Vec<Duration> = Vec::new();
    for _ in 0..ROUNDS {
        times.push(answered(&|rivals| {
            rivals.hold(2000, Held::Once);
            rivals.storm(3);
            rivals.junk(10_000, "/callback");
        }));
    }
    times.sort();
    println!(
        "callback in attack{:6.1} ms   on a quiet machine  {:6.1} ms   at most {:.1} ms (aim: at most 1000)",
        ms(times[ROUNDS / 2]),
        ms(answered(&|_| {})),
        ms(times[ROUNDS - 1])
    );
}

/// `token` with a valid record, compared with a program that only prints; and a refresh, compared with curl's POST.
#[cfg(unix)]
fn tokens() {
    let provider = Provider::start(&[("DEVICE_INTERVAL", "1")]);
    let profiles = profiles::Profiles::at(&provider);
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("prints.rs");
    std::fs::write(&source, "fn main() { println!(\"a-token\"); }").unwrap();
    let prints = folder.path().join("prints");
    let built = Process::new("rustc")
        .args(["-O", "-C", "strip=symbols", "-o"])
        .arg(&prints)
        .arg(&source)
        .status();
    assert!(built.unwrap().success());
    let run = |command: &mut Process| {
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let begin = Instant::now();
        assert!(command.status().unwrap().success());
        begin.elapsed()
    };
    // Many runs, taking turns: each takes about a millisecond.
    let (mut only, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..300 {
        only.push(run(&mut Process::new(&prints)));
        ours.push(run(&mut profiles.command(&["token", "office"])));
    }
    only.sort();
    ours.sort();
    let ratio = ours[150].as_secs_f64() / only[150].as_secs_f64();
    println!(
        "token             {:6.2} ms   a program that prints{:5.2} ms   ratio {ratio:.2} (aim: at most 1.4)",
        ms(ours[150]),
        ms(only[150])
    );
    let curl = || {
        let record = profiles.record();
        let token = record["tokens"]["refresh_token"].as_str().unwrap();
        // The new refresh token goes into the record, because the old one can't be used any more.
        let mut curl = Process::new("curl");
        curl.args(["-sS", "-o", "answer", provider.endpoint("token")])
            .args(["--data-urlencode", "grant_type=refresh_token"])
            .args(["--data-urlencode", "client_id=public-native"])
            .arg("--data-urlencode")
            .arg(format!("refresh_token={token}"))
            .current_dir(profiles.home.path());
        let time = run(&mut curl);
        let answer = std::fs::read(profiles.home.path().join("answer")).unwrap();
        let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap();
        profiles.edit(|record| record["tokens"]["refresh_token"] = answer["refresh_token"].clone());
        time
    };
    let ours = || {
        profiles.expire();
        run(&mut profiles.command(&["token", "office"]))
    };
    let (curl, ours) = medians(curl, ours);
    let ratio = ours.as_secs_f64() / curl.as_secs_f64();
    println!(
        "refresh           {:6.1} ms   curl's POST         {:6.1} ms   ratio {ratio:.2} (aim: at most 1.5)",
        ms(ours),
        ms(curl)
    );
}
