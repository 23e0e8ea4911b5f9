//! Other programs that keep secrets, such as pass: run without a shell, within limits of time and size, and without the
//! terminal if this program needs it.

use std::collections::HashSet;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::Value;
use zeroize::Zeroizing;

use crate::child;
use crate::clean::{clean, system_reason};
use crate::secret;

/// Maximum run time. A program that has not ended by then is stopped.
const TIME_LIMIT: Duration = Duration::from_secs(20);
/// Maximum output, in bytes. More is an error.
const OUTPUT_LIMIT: u64 = 1024 * 1024;
/// What is added to a failure if the program could not prompt.
const ALONE: &str =
    ". It can't ask for a passphrase here. If it needs one, run it in a shell first";
/// Maximum length of the part of standard error that is shown.
const ERROR_LIMIT: usize = 300;
/// The length of each end of a long standard error that is read, in bytes.
const END_LIMIT: usize = 2048;
/// The shortest word, in bytes, that may be a secret.
const SHORTEST_SECRET: usize = 8;
/// A line that programs such as age add to each error.
const BOILERPLATE: &str = "report unexpected or unhelpful errors";

/// Whether programs must not use the terminal.
static TERMINAL_IS_TAKEN: AtomicBool = AtomicBool::new(false);

/// Runs all programs from now on without the terminal, where a prompt for a passphrase would overwrite the screen and take
/// keys. Windows opens no console for them in any case.
pub fn take_terminal() {
    TERMINAL_IS_TAKEN.store(true, Ordering::Relaxed);
}

/// Why a program failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("The command {name} {problem}.")]
pub struct ProgramError {
    name: String,
    problem: String,
}

impl ProgramError {
    /// Creates an error with what is wrong with `command`, as the end of a sentence that starts with its name.
    pub(super) fn of(command: &[String], problem: String) -> Self {
        Self {
            name: clean(command.first().map_or("", String::as_str), 80),
            problem,
        }
    }
}

/// Runs `command`, a program and its arguments, with `input` on its standard input. Returns its standard output.
///
/// # Errors
/// Returns an error if the command can't be started, fails, takes longer than 20 seconds, or writes more than 1 MiB.
pub fn run(command: &[String], input: &[u8]) -> Result<Zeroizing<Vec<u8>>, ProgramError> {
    let is_alone = TERMINAL_IS_TAKEN.load(Ordering::Relaxed);
    run_within(TIME_LIMIT, command, input, is_alone)
}

/// Runs a command, if `is_alone` without the terminal.
fn run_within(
    limit: Duration,
    command: &[String],
    input: &[u8],
    is_alone: bool,
) -> Result<Zeroizing<Vec<u8>>, ProgramError> {
    let (whole, given) = (command, input);
    let failed = |problem: String| ProgramError::of(whole, problem);
    let (program, arguments) = command
        .split_first()
        .ok_or_else(|| failed("is empty".to_owned()))?;
    let mut command = child::command(in_home(program));
    // The keeper has no console, so a console program would open a window.
    #[cfg(windows)]
    std::os::windows::process::CommandExt::creation_flags(
        &mut command,
        windows_sys::Win32::System::Threading::CREATE_NO_WINDOW,
    );
    command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let Started {
        mut child,
        stdin,
        stdout,
        stderr,
    } = start(command, is_alone).map_err(|error| {
        let text = error.to_string();
        failed(format!("can't be started: {}", system_reason(&text)))
    })?;
    // Each pipe has its own thread, because a program may write before it has read everything.
    let (sender, finished) = mpsc::channel();
    if let Some(mut pipe) = stdin {
        let input = Zeroizing::new(input.to_vec());
        std::thread::spawn(move || pipe.write_all(&input));
    }
    let outputs = [
        stdout.map(|pipe| Box::new(pipe) as Box<dyn Read + Send>),
        stderr.map(|pipe| Box::new(pipe) as Box<dyn Read + Send>),
    ];
    for (which, pipe) in outputs.into_iter().enumerate() {
        let sender = sender.clone();
        std::thread::spawn(move || {
            let read = pipe.and_then(|pipe| secret::read(pipe, OUTPUT_LIMIT + 1).ok());
            let _ = sender.send((which, read.unwrap_or_default()));
        });
    }
    let end = Instant::now() + limit;
    let mut written = [Zeroizing::new(Vec::new()), Zeroizing::new(Vec::new())];
    let too_slow = || failed(format!("did not finish within {} seconds", limit.as_secs()));
    for _ in 0..2 {
        let left = end.saturating_duration_since(Instant::now());
        match finished.recv_timeout(left) {
            Ok((_, bytes)) if bytes.len() as u64 > OUTPUT_LIMIT => {
                let _ = (child.kill(), child.wait());
                return Err(failed("wrote more than 1 MiB".to_owned()));
            }
            Ok((which, bytes)) => written[which] = bytes,
            Err(_) => {
                let has_ended = matches!(child.try_wait(), Ok(Some(_)));
                let _ = (child.kill(), child.wait());
                return Err(if has_ended {
                    failed("ended, but a process that it started keeps its output open".to_owned())
                } else {
                    too_slow()
                });
            }
        }
    }
    // The program has closed its output, so it has usually ended too.
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if Instant::now() < end => std::thread::sleep(Duration::from_millis(5)),
            Ok(None) | Err(_) => {
                let _ = (child.kill(), child.wait());
                return Err(too_slow());
            }
        }
    };
    let [output, errors] = written;
    if status.success() {
        return Ok(output);
    }
    let said = said(&errors, [given, &output[..]]);
    let said = if said.is_empty() {
        said
    } else {
        format!(": {said}")
    };
    let how = match status.code() {
        Some(code) => format!("failed with exit code {code}"),
        None => "was stopped by a signal".to_owned(),
    };
    let alone = if is_alone && cfg!(unix) { ALONE } else { "" };
    Err(failed(format!("{how}{said}{alone}")))
}

/// Returns what the program wrote to standard error, as one line without period. A long text is shortened to its first and its
/// last line. Whatever the program also read or printed may be a secret, and is redacted.
fn said(errors: &[u8], secrets: [&[u8]; 2]) -> String {
    let errors = redacted(&ends(errors), secrets);
    let lines = errors.lines().map(str::trim);
    let lines: Vec<String> = lines
        .filter(|text| !text.is_empty() && !text.contains(BOILERPLATE))
        .map(|text| clean(text, ERROR_LIMIT))
        .collect();
    let text = match lines.as_slice() {
        [first, .., last] if lines.iter().map(String::len).sum::<usize>() > ERROR_LIMIT => {
            format!("{first} … {last}")
        }
        lines => lines.join(" "),
    };
    text.trim_end_matches('.').to_owned()
}

/// Returns the beginning and the end of a long text. Words that were cut are left out, because they may be parts of secrets.
fn ends(text: &[u8]) -> Zeroizing<String> {
    let whole = |text: &[u8]| Zeroizing::new(String::from_utf8_lossy(text).into_owned());
    if text.len() <= 2 * END_LIMIT {
        return whole(text);
    }
    let (first, last) = (&text[..END_LIMIT], &text[text.len() - END_LIMIT..]);
    let first_end = first.iter().rposition(u8::is_ascii_whitespace);
    let last_start = last.iter().position(u8::is_ascii_whitespace);
    let first = whole(&first[..first_end.unwrap_or_default()]);
    let last = whole(&last[last_start.unwrap_or(END_LIMIT)..]);
    Zeroizing::new(format!("{}\n{}", *first, *last))
}

/// Returns a text in which everything that may be part of a secret is redacted: each word that occurs in `secrets`, and each
/// beginning of a value in them.
fn redacted(text: &str, secrets: [&[u8]; 2]) -> Zeroizing<String> {
    let secrets =
        secrets.map(|secret| Zeroizing::new(String::from_utf8_lossy(secret).into_owned()));
    // Most words and values are ruled out by their first bytes.
    let starts: HashSet<&[u8]> = text.as_bytes().windows(SHORTEST_SECRET).collect();
    let parts = secrets
        .iter()
        .flat_map(|secret| secret.as_bytes().windows(SHORTEST_SECRET));
    let common: HashSet<&[u8]> = parts.filter(|part| starts.contains(*part)).collect();
    let mut is_hidden = vec![false; text.len()];
    // A word may contain an equals sign, or follow one.
    for marks in ["_~+/-.=", "_~+/-."] {
        let mut at = 0;
        for part in text.split_inclusive(|ch: char| !is_word(ch, marks)) {
            let word = part.trim_end_matches(|ch| ch == '.' || !is_word(ch, marks));
            let start = word.as_bytes().get(..SHORTEST_SECRET);
            let may_occur = start.is_some_and(|start| common.contains(start));
            if may_occur && secrets.iter().any(|secret| secret.contains(word)) {
                is_hidden[at..at + word.len()].fill(true);
            }
            at += part.len();
        }
    }
    let mut values: Vec<_> = secrets.iter().flat_map(|secret| values(secret)).collect();
    values.sort_unstable_by(|a, b| a.as_str().cmp(b));
    values.dedup();
    for value in values {
        let start = value.as_bytes().get(..SHORTEST_SECRET);
        if start.is_none_or(|start| !starts.contains(start)) {
            continue;
        }
        for at in 0..text.len() {
            let same = text.as_bytes()[at..].iter().zip(value.as_bytes());
            let length = same.take_while(|(a, b)| a == b).count();
            if length >= SHORTEST_SECRET {
                is_hidden[at..at + length].fill(true);
            }
        }
    }
    let mut shown = Zeroizing::new(String::with_capacity(2 * text.len()));
    let mut was_hidden = false;
    for (at, ch) in text.char_indices() {
        if !is_hidden[at] {
            shown.push(ch);
        } else if !was_hidden {
            shown.push_str("[redacted]");
        }
        was_hidden = is_hidden[at];
    }
    shown
}

/// Returns whether this character can be part of a secret without spaces, such as a token.
fn is_word(ch: char, marks: &str) -> bool {
    ch.is_ascii_alphanumeric() || marks.contains(ch)
}

/// Returns the strings in a JSON text, or the lines and words of any other text.
fn values(text: &str) -> Vec<Zeroizing<String>> {
    fn collect(value: Value, strings: &mut Vec<Zeroizing<String>>) {
        match value {
            Value::String(text) => strings.push(Zeroizing::new(text)),
            Value::Array(list) => list.into_iter().for_each(|value| collect(value, strings)),
            Value::Object(members) => {
                for (_, value) in members {
                    collect(value, strings);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    if let Ok(value) = serde_json::from_str(text) {
        let mut strings = Vec::new();
        collect(value, &mut strings);
        return strings;
    }
    let words = text.split(|ch: char| ch.is_whitespace() || ch == '"');
    let parts = text.lines().map(str::trim).chain(words);
    let long = parts.filter(|part| part.len() >= SHORTEST_SECRET);
    long.map(|part| Zeroizing::new(part.to_owned())).collect()
}

/// Returns whether a program could prompt the user.
#[cfg(unix)]
fn has_terminal() -> bool {
    std::fs::File::open("/dev/tty").is_ok()
}

/// A program that was started, and its pipes.
struct Started {
    #[cfg(unix)]
    child: Box<dyn process_wrap::std::ChildWrapper>,
    #[cfg(not(unix))]
    child: std::process::Child,
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
}

/// Starts the program, if `is_alone` in a session of its own, which has no terminal. Without a terminal, it always gets a
/// session: then the processes that it starts end with it.
#[cfg(unix)]
fn start(mut command: Command, is_alone: bool) -> std::io::Result<Started> {
    use process_wrap::std::{CommandWrap, ProcessSession};

    if is_alone {
        // The agent of GnuPG opens the terminal that this names.
        command.env_remove("GPG_TTY");
    }
    let mut wrapped = CommandWrap::from(command);
    if is_alone || !has_terminal() {
        wrapped.wrap(ProcessSession);
    }
    let mut child = wrapped.spawn()?;
    Ok(Started {
        stdin: child.stdin().take(),
        stdout: child.stdout().take(),
        stderr: child.stderr().take(),
        child,
    })
}

/// Starts the program.
#[cfg(not(unix))]
fn start(mut command: Command, _is_alone: bool) -> std::io::Result<Started> {
    let mut child = command.spawn()?;
    Ok(Started {
        stdin: child.stdin.take(),
        stdout: child.stdout.take(),
        stderr: child.stderr.take(),
        child,
    })
}

/// Returns the program with the home folder in place of `~/`, as a shell would.
fn in_home(program: &str) -> PathBuf {
    match program.strip_prefix("~/").zip(std::env::home_dir()) {
        Some((rest, home)) => home.join(rest),
        None => program.into(),
    }
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    fn sh(script: &str, input: &[u8]) -> Result<Zeroizing<Vec<u8>>, ProgramError> {
        run(&["sh", "-c", script].map(str::to_owned), input)
    }

    #[test]
    fn input_output_and_arguments_are_passed_unchanged() {
        let input = vec![0xfe; 300_000];
        assert_eq!(*sh("cat", &input).unwrap(), input);
        // A program that does not read its input.
        assert_eq!(*sh("printf x", &input).unwrap(), b"x");
        // No shell reads the arguments.
        let words = ["printf", "%s", "$HOME;`id`"].map(str::to_owned);
        assert_eq!(*run(&words, b"").unwrap(), b"$HOME;`id`");
    }

    #[test]
    fn output_over_the_limit_is_refused() {
        let printed = |bytes: u64| {
            let outcome = sh(&format!("head -c {bytes} /dev/zero"), b"");
            outcome.map(|output| output.len() as u64).ok()
        };
        assert_eq!(printed(OUTPUT_LIMIT), Some(OUTPUT_LIMIT));
        assert_eq!(printed(OUTPUT_LIMIT + 1), None);
    }

    #[test]
    fn program_is_awaited_after_its_output_ends() {
        let error = sh("exec >&- 2>&-; sleep 0.2; exit 3", b"").unwrap_err();
        assert!(error.to_string().ends_with("failed with exit code 3."));
    }

    #[test]
    fn program_that_does_not_finish_is_stopped() {
        // With its output open, and closed.
        let late = "The command sh did not finish within 1 seconds.";
        let left = "The command sh ended, but a process that it started keeps its output open.";
        for (script, text) in [
            ("exec sleep 30", late),
            ("exec sleep 30 >&- 2>&-", late),
            ("sleep 3 & exit 0", left),
        ] {
            let command = ["sh", "-c", script].map(str::to_owned);
            let begun = Instant::now();
            let error = run_within(Duration::from_secs(1), &command, b"", false).unwrap_err();
            assert_eq!(error.to_string(), text);
            assert!(begun.elapsed() < Duration::from_secs(20), "{script}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn processes_of_a_stopped_program_end_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pid");
        let script = format!("sleep 30 & echo $! >'{}'; wait", path.display());
        let command = ["sh", "-c", &script].map(str::to_owned);
        run_within(Duration::from_secs(1), &command, b"", true).unwrap_err();
        let pid = std::fs::read_to_string(path).unwrap();
        // A process that has ended may still be a zombie for a moment.
        let status = std::fs::read_to_string(format!("/proc/{}/status", pid.trim()));
        let is_over = status.map_or(true, |status| status.contains("\nState:\tZ"));
        assert!(is_over);
    }

    #[test]
    fn error_output_is_shown_as_one_line_without_secrets() {
        let text = |errors: &str| {
            said(
                errors.as_bytes(),
                [b"{\"a\":\"s3cret-token\"}", b"other-secret"],
            )
        };
        for (errors, expected) in [
            ("", ""),
            ("\nno such entry.\n", "no such entry"),
            (
                "age: error: failed to open x\nage: report unexpected or unhelpful errors at https://filippo.io/age/report\n",
                "age: error: failed to open x",
            ),
            (
                "Error: You must run:\n    pass init your-gpg-id\nbefore you may use the password store.\n",
                "Error: You must run: pass init your-gpg-id before you may use the password store",
            ),
            (
                "bad input: {\"a\":\"s3cret-token\"}, other-secret",
                "bad input: {\"a\":\"[redacted]\"}, [redacted]",
            ),
        ] {
            assert_eq!(text(errors), expected);
        }
        let long = format!("first\n{}\nlast", "middle ".repeat(100));
        assert_eq!(text(&long), "first … last");
    }

    #[test]
    fn secret_is_redacted_whatever_is_around_it() {
        let input = br#"{"a":"s3cret-token","b":["p@ss \"word\" #1"],"c":"h\u00e9llo w\u00f6rld"}"#;
        for (errors, expected) in [
            ("bad token s3cret-token.", "bad token [redacted]"),
            ("token:s3cret-token", "token:[redacted]"),
            ("token=s3cret-token", "token=[redacted]"),
            ("(s3cret-token)", "([redacted])"),
            (
                "[`s3cret-token`;{s3cret-token}]",
                "[`[redacted]`;{[redacted]}]",
            ),
            ("xs3cret-tokenx", "x[redacted]x"),
            ("s3cret-tok… is wrong", "[redacted]… is wrong"),
            ("s3cret-t", "[redacted]"),
            ("cret-token", "[redacted]"),
            ("\u{1b}[31ms3cret-token\u{1b}[0m?", "[31m[redacted][0m?"),
            ("wrong: p@ss \"word\" #1!", "wrong: [redacted]!"),
            ("wrong: p@ss \"word", "wrong: [redacted]"),
            ("héllo wörld?", "[redacted]?"),
            ("s3cret-s3cret-token", "s3cret-[redacted]"),
            ("no secret: s3cret", "no secret: s3cret"),
        ] {
            assert_eq!(said(errors.as_bytes(), [input, b""]), expected, "{errors}");
            assert_eq!(said(errors.as_bytes(), [b"", input]), expected, "{errors}");
        }
        // The output of a password manager, and JSON with something after it.
        for output in ["p@ss!w#rd!1\nuser: me\n", "{\"a\":\"p@ss!w#rd!1\"} x"] {
            for errors in ["(p@ss!w#rd!1)", "p@ss!w#rd!1", "p@ss!w#r"] {
                let text = said(errors.as_bytes(), [b"", output.as_bytes()]);
                assert!(text.contains("[redacted]"), "{errors}: {text}");
                assert!(!text.contains("p@ss"), "{errors}: {text}");
            }
        }
    }

    #[test]
    fn long_error_output_is_cut_without_showing_parts_of_secrets() {
        let secret = "s3cret".repeat(200_000);
        let begun = Instant::now();
        // The secret begins or ends at each place around a cut.
        for shift in [0, 1, 7, 8, 300] {
            let around = " ".repeat(END_LIMIT - shift);
            let errors = format!("first{around}{secret}{around}last");
            let text = said(errors.as_bytes(), [secret.as_bytes(), b""]);
            assert!(!text.contains("s3c") && !text.contains("ret"), "{text}");
            assert!(
                text.starts_with("first") && text.ends_with("last"),
                "{text}"
            );
        }
        assert_eq!(said(secret.as_bytes(), [secret.as_bytes(), b""]), "");
        let long = "é".repeat(1_000_000);
        assert_eq!(said(long.as_bytes(), [b"", long.as_bytes()]), "");
        let words = "word1234 ".repeat(100_000);
        said(words.as_bytes(), [words.as_bytes(), words.as_bytes()]);
        assert!(begun.elapsed() < Duration::from_secs(20));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn program_has_no_terminal_if_it_is_in_use() {
        // The sixth field is the session.
        let script = "echo $$; cut -d' ' -f6 /proc/$$/stat; (: </dev/tty) 2>/dev/null && echo terminal; echo ${GPG_TTY-none}";
        let command = ["sh", "-c", script].map(str::to_owned);
        let printed = run_within(TIME_LIMIT, &command, b"", true).unwrap();
        let printed = String::from_utf8(printed.to_vec()).unwrap();
        let lines: Vec<&str> = printed.lines().collect();
        assert_eq!(lines, [lines[0], lines[0], "none"]);
        let command = ["sh", "-c", "echo 'No pinentry.' >&2; exit 2"].map(str::to_owned);
        let error = run_within(TIME_LIMIT, &command, b"", true).unwrap_err();
        assert_eq!(
            error.to_string(),
            "The command sh failed with exit code 2: No pinentry. It can't ask for a passphrase here. If it needs one, run \
             it in a shell first."
        );
    }

    #[test]
    fn failures_are_explained() {
        let error = |script: &str| sh(script, b"").unwrap_err().to_string();
        assert_eq!(
            error("echo first >&2; echo 'no such entry\u{1b}[2J' >&2; exit 3")
                .split('\u{1b}')
                .count(),
            1
        );
        assert!(
            error("echo no such entry >&2; exit 3")
                .contains("sh failed with exit code 3: no such entry.")
        );
        assert!(error("kill -9 $$").contains("was stopped by a signal"));
        assert!(error("head -c 2000000 /dev/zero").contains("more than 1 MiB"));
        let missing = run(&["no-such-program".to_owned()], b"")
            .unwrap_err()
            .to_string();
        assert_eq!(
            missing,
            "The command no-such-program can't be started: No such file or directory."
        );
        assert!(run(&[], b"").is_err());
    }
}
