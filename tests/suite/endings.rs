//! After every ending, the terminal is as before; and while nothing happens, the program does nothing.

use std::time::Duration;

use crate::terminal::{CTRL_C, Command, ENTER, Terminal, program};

fn started(home: &tempfile::TempDir) -> Terminal {
    let terminal = Command::new(home.path(), &["--preset", "github", "--client-id", "me"]).start();
    terminal.wait_for("[a Authorize]");
    let (alternate, paste) =
        terminal.look(|screen| (screen.alternate_screen(), screen.bracketed_paste()));
    assert!(alternate && paste, "the guard has taken the terminal");
    terminal
}

#[test]
fn terminal_is_restored_after_quit() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = started(&home);
    terminal.focus("Quit");
    terminal.send(ENTER);
    assert_eq!(terminal.wait_exit().exit_code(), 0);
    terminal.assert_restored();
}

#[test]
fn terminal_is_restored_after_ctrl_c() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = started(&home);
    terminal.send(CTRL_C);
    assert_eq!(terminal.wait_exit().exit_code(), 0);
    terminal.assert_restored();
}

#[test]
fn terminal_is_restored_after_signals() {
    for signal in ["TERM", "HUP", "INT", "QUIT"] {
        let home = tempfile::tempdir().unwrap();
        let mut terminal = started(&home);
        terminal.signal(signal);
        assert_eq!(terminal.wait_exit().exit_code(), 130, "{signal}");
        terminal.assert_restored();
    }
}

#[test]
fn terminal_is_restored_after_panics_in_draw_and_task() {
    let fixture = std::path::Path::new(env!("CARGO_BIN_EXE_oauth-authorizer"))
        .with_file_name("examples/panics");
    for (place, code) in [("draw", 101), ("task", 1)] {
        let home = tempfile::tempdir().unwrap();
        let mut terminal = Command::of(&fixture, home.path(), &[place]).start();
        assert_eq!(terminal.wait_exit().exit_code(), code, "{place}");
        let bytes = String::from_utf8_lossy(&terminal.bytes()).into_owned();
        assert!(
            bytes.contains("\x1b[?1049h"),
            "the terminal was taken: {bytes:?}"
        );
        terminal.assert_restored();
        // The shell's screen shows the location of the panic, but not its message, which may be a secret.
        assert!(
            terminal.flat().contains("a bug at tests/suite/panics.rs:"),
            "{}",
            terminal.screen()
        );
        assert!(!bytes.contains("s3cret"), "{bytes:?}");
    }
}

#[test]
fn quitting_with_unsaved_tokens_asks_once() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = Command::new(home.path(), &["--demo"]).start();
    terminal.wait_for("[a Authorize]");
    terminal.send(ENTER);
    terminal.wait_for("Enter code");
    terminal.send("y");
    terminal.wait_for("Access token");
    terminal.send(CTRL_C);
    terminal.wait_for("not been copied or saved:");
    terminal.send("\x1b");
    terminal.wait_until("the tokens again", |screen| {
        !screen.contents().contains("copied or saved:")
    });
    terminal.send(CTRL_C);
    terminal.wait_for("not been copied or saved:");
    terminal.send(CTRL_C);
    assert_eq!(terminal.wait_exit().exit_code(), 0);
    terminal.assert_restored();
}

#[test]
fn program_suspends_and_resumes_in_a_shell() {
    let home = tempfile::tempdir().unwrap();
    let bash = std::path::Path::new("/bin/bash");
    let mut terminal = Command::of(bash, home.path(), &["--norc", "--noprofile", "-i"])
        .env("PS1", "shell> ")
        .start();
    terminal.wait_for("shell>");
    terminal.send("seq -f 'line %g' 14\r");
    terminal.wait_for("line 14 shell>");
    let shell = terminal.screen();
    terminal.send(&format!("{} --preset github\r", program().display()));
    terminal.wait_for("[a Authorize]");
    let ours = terminal.screen();
    assert!(!ours.contains("line 14"), "{ours}");
    for _ in 0..2 {
        terminal.send("\x1a");
        terminal.wait_until("the shell's prompt", |screen| {
            !screen.alternate_screen() && screen.contents().contains("Stopped")
        });
        // The earlier text of the shell is back, and the cursor is visible.
        assert!(terminal.screen().contains(&shell), "{}", terminal.screen());
        assert!(terminal.look(|screen| !screen.hide_cursor()));
        terminal.send("echo typed\r");
        terminal.wait_for("echo typed typed shell>");
        terminal.send("clear\r");
        terminal.wait_until("an empty screen", |screen| {
            screen.contents().trim() == "shell>"
        });
        terminal.send("seq -f 'line %g' 14\r");
        terminal.wait_for("line 14 shell>");
        terminal.send("fg\r");
        terminal.wait_until("our screen", vt100::Screen::alternate_screen);
        terminal.wait_for("[a Authorize]");
        assert_eq!(terminal.screen(), ours);
    }
    terminal.send(CTRL_C);
    terminal.wait_until("the shell again", |screen| !screen.alternate_screen());
    terminal.send("exit\r");
    terminal.wait_exit();
}

/// CPU time of a process, in ticks of a hundredth of a second.
fn ticks(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let after = stat.rsplit_once(") ").unwrap().1;
    let fields: Vec<&str> = after.split(' ').collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

#[test]
fn idle_program_writes_nothing_and_uses_no_cpu() {
    let home = tempfile::tempdir().unwrap();
    let terminal = started(&home);
    let (bytes, before) = (terminal.written(), ticks(terminal.pid()));
    // The program is measured over exactly this time.
    std::thread::sleep(Duration::from_mins(1));
    let written = terminal.written() - bytes;
    let used = ticks(terminal.pid()) - before;
    println!("an idle minute: {written} bytes, {used} hundredths of a second of CPU time");
    assert_eq!(written, 0, "bytes written while idle");
    assert!(
        used <= 1,
        "{used} hundredths of a second of CPU time while idle"
    );
}

#[test]
fn program_exits_if_terminal_disappears_without_signal() {
    let home = tempfile::tempdir().unwrap();
    // On the form, and during a flow.
    for flags in [&["--preset", "github"][..], &["--demo"]] {
        let pair = portable_pty::native_pty_system()
            .openpty(portable_pty::PtySize {
                rows: 24,
                cols: 80,
                pixel_width: 0,
                pixel_height: 0,
            })
            .unwrap();
        let mut builder = portable_pty::CommandBuilder::new(program());
        builder.args(flags);
        builder.env_clear();
        builder.cwd(home.path());
        for (name, value) in crate::terminal::base(home.path()) {
            builder.env(name, value);
        }
        // With a controlling terminal, the kernel itself would send a hang-up.
        builder.set_controlling_tty(false);
        let mut child = pair.slave.spawn_command(builder).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let mut writer = pair.master.take_writer().unwrap();
        // Reading has no time limit of its own, but it ends with the program.
        let mut killer = child.clone_killer();
        let (done, waited) = std::sync::mpsc::channel::<()>();
        std::thread::spawn(move || {
            if waited.recv_timeout(crate::terminal::LIMIT)
                == Err(std::sync::mpsc::RecvTimeoutError::Timeout)
            {
                let _ = killer.kill();
            }
        });
        let mut seen = Vec::new();
        let mut read_until = |what: &str| {
            let mut buffer = [0; 4096];
            while !String::from_utf8_lossy(&seen).contains(what) {
                // The read also ends when the program ends.
                let count = std::io::Read::read(&mut reader, &mut buffer).unwrap();
                let shown = String::from_utf8_lossy(&seen);
                assert!(count > 0, "the program ended before {what:?}: {shown}");
                seen.extend_from_slice(&buffer[..count]);
            }
        };
        read_until("Authorize");
        if flags == ["--demo"] {
            std::io::Write::write_all(&mut writer, b"\r").unwrap();
            read_until("enter");
        }
        let pid = child.process_id().unwrap();
        let before = ticks(pid);
        drop((reader, writer, pair.master, done));
        let began = std::time::Instant::now();
        let state = || {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
            stat.rsplit_once(") ").unwrap().1.chars().next()
        };
        // The CPU times of a process can be read until it is waited for.
        while state() != Some('Z') {
            if began.elapsed() > Duration::from_secs(10) {
                let _ = child.kill();
                panic!("the program goes on without a terminal");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let used = ticks(pid) - before;
        println!(
            "{flags:?}: ended after {:?}, with {used} hundredths of a second of CPU time",
            began.elapsed()
        );
        assert_eq!(child.wait().unwrap().exit_code(), 130);
        assert!(used <= 5, "{used} hundredths of a second of CPU time");
    }
}

#[test]
fn missing_terminal_is_reported() {
    let home = tempfile::tempdir().unwrap();
    let output = std::process::Command::new("setsid")
        .arg("--wait")
        .arg(program())
        .current_dir(home.path())
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(
        text.contains("No terminal available")
            && text.contains("Run the program in a terminal, for example with ssh -t"),
        "{text}"
    );
    assert!(output.stdout.is_empty());
}
