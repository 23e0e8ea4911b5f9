//! Runs the program for a case and collects everything that it leaves behind.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use super::endpoints::{Plan, Way};
use super::secrets::value;
use crate::servers::get;
use crate::terminal::{self, CTRL_C, ENTER, Terminal, base};

/// Longer than every timeout of the program.
const LIMIT: Duration = Duration::from_mins(2);
/// Interval between measurements of the memory.
const PAUSE: Duration = Duration::from_millis(20);

/// Everything that a run left behind.
#[derive(Debug, Default)]
pub struct Outcome {
    pub exit: i32,
    pub stdout: String,
    pub stderr: String,
    /// The text that was on the screen, and all bytes written to the terminal.
    pub screen: String,
    pub terminal: Vec<u8>,
    /// The saved trace.
    pub trace: String,
    /// The arguments and environments of the program's children.
    pub children: String,
    /// The files in the home folder, by relative path.
    pub files: Vec<(PathBuf, Vec<u8>)>,
    /// Peak memory of the program and its children, in kilobytes, if it was measured.
    pub memory: u64,
}

impl Outcome {
    /// Everything that the user reads, as one line.
    pub fn read(&self) -> String {
        let all = [&self.stderr, &self.screen, &self.stdout]
            .map(String::as_str)
            .join("\n");
        all.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// Runs `program` according to the plan; `measured` says whether its memory is measured.
pub fn run(program: &Path, plan: &Plan, measured: bool) -> Outcome {
    let execs = plan.aside.path().join("execs");
    let mut words: Vec<String> = [
        "-f",
        "--seccomp-bpf",
        "-qq",
        "-e",
        "trace=execve",
        "-v",
        "-s",
        "65535",
        "-o",
    ]
    .map(str::to_owned)
    .into();
    words.push(execs.to_str().unwrap().to_owned());
    for (name, value) in &plan.inside {
        words.extend(["-E".to_owned(), format!("{name}={value}")]);
    }
    words.push(program.to_str().unwrap().to_owned());
    words.extend(plan.arguments.iter().cloned());
    let mut outcome = match &plan.way {
        Way::Register | Way::OnScreen | Way::ApproveOnScreen => on_screen(plan, &words),
        way => on_pipes(plan, &words, way, measured, &execs),
    };
    let log = std::fs::read(&execs).unwrap();
    let log = String::from_utf8_lossy(&log).into_owned();
    // The first line is the program itself, whose environment is set by the test.
    log.split_once('\n')
        .unwrap_or_default()
        .1
        .clone_into(&mut outcome.children);
    collect(plan.home.path(), plan.home.path(), &mut outcome.files);
    outcome
}

fn collect(home: &Path, folder: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(home, &path, files);
        } else if path.is_file() {
            files.push((
                path.strip_prefix(home).unwrap().to_owned(),
                std::fs::read(&path).unwrap(),
            ));
        }
    }
    files.sort();
}

struct Running {
    child: Child,
    stdin: ChildStdin,
    lines: Receiver<String>,
    seen: Vec<String>,
    end: Instant,
}

impl Running {
    /// Waits for the authorization URL and pastes a code. Does nothing if the program ends before.
    fn approve(&mut self) {
        let left = |end: Instant| end.saturating_duration_since(Instant::now());
        while let Ok(line) = self.lines.recv_timeout(left(self.end)) {
            self.seen.push(line.clone());
            let Some(url) = line.strip_prefix("authorization_url: ") else {
                continue;
            };
            let url = url::Url::parse(url).unwrap();
            let state = url.query_pairs().find(|(name, _)| name == "state");
            let answer = match state {
                Some((_, state)) => format!("?code={}&state={state}", value("code")),
                // The pushed request contains the state, and a code alone is sufficient.
                None => value("code").to_owned(),
            };
            // A program that has ended does not read the line.
            let _ = writeln!(self.stdin, "{answer}");
            return;
        }
    }
}

fn on_pipes(plan: &Plan, words: &[String], way: &Way, measured: bool, execs: &Path) -> Outcome {
    let mut command = Command::new("strace");
    command
        .args(words)
        .current_dir(plan.home.path())
        .env_clear()
        .envs(base(plan.home.path()))
        .envs(plan.variables.iter().cloned())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut pipe = child.stdout.take().unwrap();
    let stdout = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    });
    let stderr = BufReader::new(child.stderr.take().unwrap());
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in stderr.split(b'\n').map_while(Result::ok) {
            if sender
                .send(String::from_utf8_lossy(&line).into_owned())
                .is_err()
            {
                return;
            }
        }
    });
    let mut running = Running {
        stdin: child.stdin.take().unwrap(),
        child,
        lines,
        seen: Vec::new(),
        end: Instant::now() + LIMIT,
    };
    if matches!(way, Way::Approve) {
        running.approve();
    }
    let mut memory = 0;
    let status = loop {
        if let Some(status) = running.child.try_wait().unwrap() {
            break status.code().unwrap_or(-1);
        }
        if measured {
            memory = memory.max(most_memory(execs));
        }
        if Instant::now() > running.end {
            for pid in pids(execs) {
                let _ = Command::new("kill").args(["-KILL", &pid]).status();
            }
            running.child.kill().unwrap();
            running.child.wait().unwrap();
            break -2;
        }
        std::thread::sleep(PAUSE);
    };
    running.seen.extend(running.lines.iter());
    Outcome {
        exit: status,
        stdout: stdout.join().unwrap(),
        stderr: running.seen.join("\n"),
        memory,
        ..Outcome::default()
    }
}

/// The process IDs that strace has logged.
fn pids(execs: &Path) -> Vec<String> {
    let log = std::fs::read(execs).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    log.lines()
        .filter_map(|line| Some(line.split_once(' ')?.0.to_owned()))
        .collect()
}

fn most_memory(execs: &Path) -> u64 {
    let one = |pid: String| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
        line.split_whitespace().nth(1)?.parse().ok()
    };
    pids(execs).into_iter().filter_map(one).max().unwrap_or(0)
}

/// Does on the screen what the plan says, and saves the trace.
fn on_screen(plan: &Plan, words: &[String]) -> Outcome {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut command = terminal::Command::of(Path::new("strace"), plan.home.path(), &words);
    for (name, value) in &plan.variables {
        command = command.env(name, value);
    }
    let mut terminal = command.start_sized(80, 60);
    terminal.wait_for("[a Authorize]");
    let ends: &[&str] = if matches!(plan.way, Way::Register) {
        register(&mut terminal);
        &["Problem", "filled in"]
    } else {
        terminal.focus("Authorize");
        terminal.send(ENTER);
        if matches!(plan.way, Way::ApproveOnScreen) {
            terminal.wait_for("URL, code or error text");
            let url = url::Url::parse(&terminal.url()).unwrap();
            let part = |name: &str| {
                let found = url.query_pairs().find(|(known, _)| known == name);
                found.unwrap().1.into_owned()
            };
            let (to, state) = (part("redirect_uri"), part("state"));
            let _ = get(&format!("{to}?code={}&state={state}", value("code")), &[]);
        }
        &["Try again", "Access token"]
    };
    let end = Instant::now() + LIMIT;
    while !ends.iter().any(|words| terminal.flat().contains(words)) && Instant::now() < end {
        std::thread::sleep(PAUSE);
    }
    terminal.settle();
    let screen = terminal.screen();
    let trace = terminal.trace(plan.home.path());
    terminal.send(CTRL_C);
    terminal.settle();
    if !terminal.has_ended() {
        // The program asks whether unsaved tokens may be lost.
        terminal.send(CTRL_C);
    }
    let exit = terminal.wait_exit().exit_code();
    Outcome {
        exit: i32::try_from(exit).unwrap(),
        screen,
        terminal: terminal.bytes(),
        trace,
        ..Outcome::default()
    }
}

/// Registers the program from the form.
fn register(terminal: &mut Terminal) {
    terminal.focus("Discover");
    terminal.send(ENTER);
    terminal.wait_for("registration of this program");
    terminal.focus("Register\u{2026}");
    terminal.send(ENTER);
    terminal.wait_for("Initial access token");
    // Pasted, so that it is not one burst with Enter.
    terminal.paste(value("initial"));
    terminal.settle();
    terminal.send(ENTER);
}
