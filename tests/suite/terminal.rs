//! A pseudo-terminal of 80x24 for the real program, with a terminal emulator that keeps its screen.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};

/// Time limit of a wait for a condition, on a machine that may be busy.
pub const LIMIT: Duration = Duration::from_secs(30);

/// A frame is complete if nothing follows for this long. Longer than the program holds keys that may be a burst.
const QUIET: Duration = Duration::from_millis(60);

/// How long to wait for a program that may not read its input.
const READ: Duration = Duration::from_secs(2);

pub const TAB: &str = "\t";
pub const BACK_TAB: &str = "\x1b[Z";
pub const ENTER: &str = "\r";
pub const ESC: &str = "\x1b";
pub const UP: &str = "\x1b[A";
pub const DOWN: &str = "\x1b[B";
pub const LEFT: &str = "\x1b[D";
pub const RIGHT: &str = "\x1b[C";
pub const CTRL_C: &str = "\x03";

/// The program under test: the release build if the runner names one.
pub fn program() -> PathBuf {
    std::env::var_os("OAUTH_AUTHORIZER_BIN").map_or_else(
        || env!("CARGO_BIN_EXE_oauth-authorizer").into(),
        PathBuf::from,
    )
}

/// A copy of the program. Another process writes it: while this one has a file open for writing, a child that another test
/// starts inherits it, and then the copy can't be run ("Text file busy").
pub fn copy_program(to: &Path) {
    let copied = std::process::Command::new("cp")
        .args([program().as_path(), to])
        .status();
    assert!(copied.unwrap().success());
}

/// A command to run, in its own environment.
pub struct Command {
    builder: CommandBuilder,
}

impl Command {
    /// The program with these flags and with `home` as its home folder.
    pub fn new(home: &Path, flags: &[&str]) -> Self {
        Self::of(&program(), home, flags)
    }

    /// Any program, with these flags and with `home` as its home folder.
    pub fn of(program: &Path, home: &Path, flags: &[&str]) -> Self {
        let mut builder = CommandBuilder::new(program);
        builder.args(flags);
        builder.env_clear();
        builder.cwd(home);
        for (name, value) in base(home) {
            builder.env(name, value);
        }
        Self { builder }
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.builder.env(name, value);
        self
    }

    /// Starts the command in a terminal of 80x24.
    pub fn start(self) -> Terminal {
        Terminal::start(self, 80, 24)
    }

    /// Starts the command in a window of this size; 0 means that the terminal does not know the size.
    pub fn start_sized(self, cols: u16, rows: u16) -> Terminal {
        Terminal::start(self, cols, rows)
    }
}

/// The environment of every program that a test starts, without anything of the machine's own.
pub fn base(home: &Path) -> Vec<(&'static str, String)> {
    vec![
        ("PATH", std::env::var("PATH").unwrap()),
        ("HOME", home.to_str().unwrap().to_owned()),
        ("TMPDIR", home.to_str().unwrap().to_owned()),
        ("TERM", "xterm-256color".to_owned()),
        ("LANG", "C.UTF-8".to_owned()),
    ]
}

struct Shown {
    parser: vt100::Parser,
    bytes: Vec<u8>,
    ended: bool,
}

/// A pseudo-terminal with a running program.
pub struct Terminal {
    shown: Arc<(Mutex<Shown>, Condvar)>,
    writer: Box<dyn Write + Send>,
    master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
    /// The terminal's settings before the program began: modes, echo, control characters.
    settings_before: String,
}

/// The input of a terminal that the program has not read yet.
pub struct Unread(std::fs::File);

impl Unread {
    /// Waits until the program has read everything, and looks again after each `pause`. Returns false if it has not within
    /// `limit`.
    pub fn wait_read(&self, pause: Duration, limit: Duration) -> bool {
        let end = Instant::now() + limit;
        while rustix::io::ioctl_fionread(&self.0).is_ok_and(|count| count > 0) {
            if Instant::now() > end {
                return false;
            }
            std::thread::sleep(pause);
        }
        true
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Terminal {
    fn start(command: Command, cols: u16, rows: u16) -> Self {
        let pair = native_pty_system()
            .openpty(PtySize {
                rows,
                cols,
                pixel_width: 0,
                pixel_height: 0,
            })
            .unwrap();
        let settings_before = settings(pair.master.as_ref());
        let child = pair.slave.spawn_command(command.builder).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let writer = pair.master.take_writer().unwrap();
        let shown = Arc::new((
            Mutex::new(Shown {
                parser: vt100::Parser::new(size(rows, 24), size(cols, 80), 1000),
                bytes: Vec::new(),
                ended: false,
            }),
            Condvar::new(),
        ));
        let feed = Arc::clone(&shown);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            loop {
                let count = reader.read(&mut buffer).unwrap_or(0);
                let mut shown = feed.0.lock().unwrap();
                shown.parser.process(&buffer[..count]);
                shown.bytes.extend_from_slice(&buffer[..count]);
                shown.ended = count == 0;
                feed.1.notify_all();
                if count == 0 {
                    return;
                }
            }
        });
        Self {
            shown,
            writer,
            master: pair.master,
            child,
            settings_before,
        }
    }

    /// Presses a key, or sends several keys at once as a burst.
    pub fn send(&mut self, keys: &str) {
        // Not in one burst with earlier keys, which a program on a busy machine may not have read yet.
        self.wait_read();
        self.settle();
        self.send_now(keys);
    }

    /// Sends keys without a pause.
    pub fn send_now(&mut self, keys: &str) {
        self.send_bytes(keys.as_bytes());
    }

    /// Sends bytes of any kind without a pause.
    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.writer.write_all(bytes).unwrap();
        self.writer.flush().unwrap();
    }

    /// Pastes text, as a terminal with bracketed paste does.
    pub fn paste(&mut self, text: &str) {
        self.send(&format!("\x1b[200~{text}\x1b[201~"));
    }

    /// Presses `key` until the screen satisfies `wanted`.
    pub fn press_until(&mut self, key: &str, what: &str, wanted: impl Fn(&vt100::Screen) -> bool) {
        for _ in 0..60 {
            if wanted(self.shown.0.lock().unwrap().parser.screen()) {
                return;
            }
            let before = self.written();
            self.send(key);
            self.wait(
                &format!("an answer to a key, on the way to {what}"),
                |shown| shown.bytes.len() > before,
            );
            self.settle();
        }
        panic!("{what} was not reached\n{}", self.screen());
    }

    /// Moves the focus to the item that begins with `label`, by Tab.
    pub fn focus(&mut self, label: &str) {
        self.press_until(TAB, label, |screen| is_focused(screen, label));
    }

    /// Waits until no output has arrived for a moment, so that the frame is complete.
    pub fn settle(&self) {
        let mut shown = self.shown.0.lock().unwrap();
        let end = Instant::now() + LIMIT;
        loop {
            let before = shown.bytes.len();
            let (next, timeout) = self.shown.1.wait_timeout(shown, QUIET).unwrap();
            shown = next;
            if (timeout.timed_out() && shown.bytes.len() == before) || shown.ended {
                return;
            }
            assert!(Instant::now() < end, "the screen does not come to rest");
        }
    }

    /// Waits until the program has read everything that was sent. A program may also read nothing.
    fn wait_read(&self) {
        if let Some(input) = self.input() {
            input.wait_read(Duration::from_millis(5), READ);
        }
    }

    /// The input that the program has not read yet; nothing if the terminal is gone.
    pub fn input(&self) -> Option<Unread> {
        let path = self.master.tty_name().unwrap();
        // Never make it the controlling terminal.
        let flags = rustix::fs::OFlags::NOCTTY.bits().cast_signed();
        let mut options = std::fs::File::options();
        let terminal = options.read(true).custom_flags(flags).open(path);
        terminal.ok().map(Unread)
    }

    fn wait(&self, what: &str, wanted: impl Fn(&Shown) -> bool) {
        let end = Instant::now() + LIMIT;
        let mut shown = self.shown.0.lock().unwrap();
        while !wanted(&shown) {
            let left = end.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "waited in vain for {what}\n{}",
                shown.parser.screen().contents()
            );
            shown = self
                .shown
                .1
                .wait_timeout(shown, left.min(Duration::from_millis(200)))
                .unwrap()
                .0;
        }
    }

    /// Waits until `text` is on the screen and the frame is complete.
    pub fn wait_for(&self, text: &str) {
        self.wait_exactly(text);
        self.settle();
    }

    /// Waits until `text` is on the screen, without waiting for a complete frame.
    pub fn wait_exactly(&self, text: &str) {
        self.wait(&format!("{text:?}"), |shown| {
            flat(shown.parser.screen()).contains(text)
        });
    }

    /// Waits until the screen satisfies `wanted`.
    pub fn wait_until(&self, what: &str, wanted: impl Fn(&vt100::Screen) -> bool) {
        self.wait(what, |shown| wanted(shown.parser.screen()));
        self.settle();
    }

    /// The screen as text, with one line per row.
    pub fn screen(&self) -> String {
        self.shown.0.lock().unwrap().parser.screen().contents()
    }

    /// The screen as one line, to find a sentence however it is wrapped.
    pub fn flat(&self) -> String {
        flat(self.shown.0.lock().unwrap().parser.screen())
    }

    /// Calls `look` with the screen.
    pub fn look<T>(&self, look: impl FnOnce(&vt100::Screen) -> T) -> T {
        look(self.shown.0.lock().unwrap().parser.screen())
    }

    /// Number of bytes written so far.
    pub fn written(&self) -> usize {
        self.shown.0.lock().unwrap().bytes.len()
    }

    /// Waits until more than `before` bytes have been written.
    pub fn wait_written(&self, before: usize) {
        self.wait("bytes", |shown| shown.bytes.len() > before);
    }

    /// All bytes written so far.
    pub fn bytes(&self) -> Vec<u8> {
        self.shown.0.lock().unwrap().bytes.clone()
    }

    /// The process ID.
    pub fn pid(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// Sends the signal with this name.
    pub fn signal(&self, name: &str) {
        let status = std::process::Command::new("kill")
            .args(["-s", name, &self.pid().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// Changes the size of the window; 0 means that the terminal does not know the size.
    pub fn resize(&self, cols: u16, rows: u16) {
        self.resize_emulator(cols, rows);
        self.master
            .resize(PtySize {
                rows,
                cols,
                pixel_width: 0,
                pixel_height: 0,
            })
            .unwrap();
    }

    /// Stops the terminal from accepting output, as Ctrl+S does, or lets it continue.
    pub fn take_output(&self, take: bool) {
        use rustix::termios::{Action, tcflow};
        let path = self.master.tty_name().unwrap();
        let terminal = std::fs::File::options().write(true).open(path).unwrap();
        tcflow(&terminal, if take { Action::OOn } else { Action::OOff }).unwrap();
    }

    /// Changes the size of the emulator's screen without notifying the program.
    pub fn resize_emulator(&self, cols: u16, rows: u16) {
        let (rows, cols) = (size(rows, 24), size(cols, 80));
        let mut shown = self.shown.0.lock().unwrap();
        shown.parser.screen_mut().set_size(rows, cols);
    }

    /// Returns whether the program has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits until the program ends.
    pub fn wait_exit(&mut self) -> ExitStatus {
        let end = Instant::now() + LIMIT;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                // Read the last output.
                self.wait("the end of the output", |shown| shown.ended);
                return status;
            }
            assert!(
                Instant::now() < end,
                "the program does not end\n{}",
                self.screen()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Checks that the screen, cursor, modes and echo of the terminal are as before.
    pub fn assert_restored(&self) {
        let (alternate, hidden, paste) = self.look(|screen| {
            (
                screen.alternate_screen(),
                screen.hide_cursor(),
                screen.bracketed_paste(),
            )
        });
        assert_eq!(
            (alternate, hidden, paste),
            (false, false, false),
            "alternate screen, hidden cursor, bracketed paste"
        );
        self.assert_settings_restored();
    }

    /// Checks that the modes and echo of the terminal are as before.
    pub fn assert_settings_restored(&self) {
        assert_eq!(
            settings(self.master.as_ref()),
            self.settings_before,
            "the settings of the terminal"
        );
    }

    /// Saves the trace and reads it.
    pub fn trace(&mut self, home: &Path) -> String {
        self.focus("Trace");
        self.send(ENTER);
        self.wait_for("Secrets and tokens are redacted.");
        self.send("s");
        self.wait_for("Save the trace to this file");
        self.send(ENTER);
        self.wait_for("oauth-authorizer-trace.txt (mode 0600).");
        let path = home.join("oauth-authorizer-trace.txt");
        let trace = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        self.focus("Back");
        self.send(ENTER);
        self.wait_until("the screen before", |screen| {
            !screen
                .contents()
                .contains("Secrets and tokens are redacted.")
        });
        trace
    }

    /// The last loopback URL with a query on the screen, joined from its rows.
    pub fn url(&mut self) -> String {
        self.url_at("http://127.0.0.1")
    }

    /// The last URL on the screen that begins like this. If it is cut, it is read from View alone.
    pub fn url_at(&mut self, beginning: &str) -> String {
        // A form next to it may show the URL without a query.
        let cut = |line: &str| {
            let rest = line.split_once(beginning).map(|(_, rest)| rest);
            let rest = rest.and_then(|rest| rest.split(' ').next());
            rest.is_some_and(|rest| rest.contains(['…', '?']) || rest.contains("..."))
        };
        let whole = |line: &str| !line.contains('…') && !line.contains("...");
        let screen = self.screen();
        let found = screen.lines().rfind(|line| cut(line));
        if found.is_some_and(whole) {
            return self.whole_url(beginning);
        }
        if self.look(|screen| is_focused(screen, "Paste")) {
            self.send(ESC);
            self.settle();
        }
        self.send("w");
        self.wait_for("Any key: back");
        let url = self.whole_url(beginning);
        self.send(" ");
        self.wait_until("the screen as before", |screen| {
            !screen.contents().contains("Any key: back")
        });
        url
    }

    fn whole_url(&self, beginning: &str) -> String {
        let screen = self.screen();
        let mut url = String::new();
        for line in screen.lines() {
            let line = line.trim_end();
            let start = line.find(beginning);
            match start {
                Some(start) => line[start..].clone_into(&mut url),
                None if line.starts_with("Any key") => break,
                None if !url.is_empty() && !line.is_empty() && !line.starts_with(' ') => {
                    url.push_str(line);
                }
                None if !url.is_empty() => break,
                None => {}
            }
            if let Some(start) = start
                && !line[start..].contains('?')
            {
                url.clear();
            }
        }
        assert!(url.contains('?'), "no URL on the screen\n{screen}");
        url
    }

    /// The revealed value on the screen, without indentation.
    pub fn revealed(&self) -> String {
        let screen = self.screen();
        let mut value = String::new();
        for line in screen.lines().skip(2) {
            let line = line.trim_end();
            if !line.is_empty() && !line.starts_with(' ') {
                value.push_str(line);
            } else if !value.is_empty() {
                break;
            }
        }
        assert!(!value.is_empty(), "nothing is revealed\n{screen}");
        value
    }
}

/// The size for the emulator; `assumed` if the terminal's size is unknown.
fn size(count: u16, assumed: u16) -> std::num::NonZeroU16 {
    let count = if count == 0 { assumed } else { count };
    count.try_into().unwrap()
}

fn settings(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().unwrap())
}

/// The screen as one line with single spaces.
pub fn flat(screen: &vt100::Screen) -> String {
    screen
        .contents()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// Returns whether the cursor is on the row or button that begins with `label`, or on a further row of its value.
pub fn is_focused(screen: &vt100::Screen, label: &str) -> bool {
    let (mut row, column) = screen.cursor_position();
    let columns = screen.size().1.get();
    let line = |row: u16| screen.contents_between(row, 0, row, columns);
    // A further row of a value; in the right half, the marker is in the row itself.
    let goes_on = |row: u16| {
        let line = line(row);
        line.starts_with(&" ".repeat(10)) && !line.contains(['▸', '>'])
    };
    while row > 0 && goes_on(row) {
        row -= 1;
    }
    let line = line(row);
    // On a button, the cursor is on its key, or on its first letter if it has no key.
    let chars: Vec<char> = line.chars().collect();
    let here: String = chars.iter().skip(column.into()).collect();
    let button = column >= 1 && chars.get(usize::from(column) - 1) == Some(&'[');
    if button {
        let named = here.split_once(' ').map_or("", |(_, named)| named);
        here.starts_with(label) || named.starts_with(label)
    } else {
        // On a wide screen, the row may begin with something else, and the marker is in its right half.
        let marked = line.split(['▸', '>']).nth(1).unwrap_or_default();
        let begins = |text: &str| text.trim_start_matches([' ', '▸', '>']).starts_with(label);
        begins(&line) || begins(marked)
    }
}
