//! Reads a line without showing it, such as a secret, and always restores the terminal.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
#[cfg(unix)]
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use zeroize::Zeroizing;

#[cfg(unix)]
use super::jobs;
use super::jobs::{Job, Jobs};
#[cfg(unix)]
use super::modes;
use super::signals::Signals;
use super::talk::say;
#[cfg(unix)]
use super::typed_text::{BACKSPACE, CTRL_C, CTRL_D, CTRL_U, CTRL_W, CTRL_Z, DELETE, TypedText};
use crate::runtime;

/// After this pause, a paste has arrived completely.
#[cfg(unix)]
const PASTE_PAUSE: Duration = Duration::from_millis(250);
/// How often to discard parts of a paste, at most.
#[cfg(unix)]
const PASTE_READS: usize = 100;

/// Shows `hint`, and reads a line of at most `limit` bytes from standard input, which must be a terminal. Returns
/// `None` if the system asks the program to end, such as for Ctrl+C.
///
/// # Errors
/// Returns an error if the terminal can't be read.
pub fn read_line(hint: &str, limit: u64) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let runtime = runtime::new()?;
    runtime.block_on(async {
        let mut signals = Signals::new()?;
        let mut jobs = Jobs::new();
        let mut hidden = Some(Hidden::new()?);
        say("hint", hint);
        let (sender, mut line) = oneshot::channel();
        let limit = usize::try_from(limit).unwrap_or_default();
        let restart = Arc::new(AtomicBool::new(false));
        let restarts = Arc::clone(&restart);
        // The thread is never joined, because reading blocks.
        std::thread::spawn(move || sender.send(read(limit, &restarts)));
        loop {
            tokio::select! {
                biased;
                () = signals.next() => return Ok(None),
                job = jobs.next() => {
                    drop(hidden.take());
                    // What was typed before can't be seen.
                    restart.store(true, Ordering::SeqCst);
                    if let Job::Return = job {
                        hidden = Some(Hidden::new()?);
                        say("hint", hint);
                    }
                }
                line = &mut line => {
                    if let Some(hidden) = hidden {
                        hidden.show_again();
                    }
                    let line = line.unwrap_or_else(|_| Err(io::ErrorKind::UnexpectedEof.into()));
                    return line.map(Some);
                }
            }
        }
    })
}

/// Discards what was typed at the terminal that is standard input, but not read.
pub fn discard() {
    #[cfg(unix)]
    super::device::discard_input(io::stdin());
}

/// Discards the rest of a paste, until nothing has arrived for a moment. Not on Windows.
pub fn discard_paste() {
    // Of a line that isn't complete, too.
    #[cfg(unix)]
    let _hidden = Hidden::new();
    #[cfg(unix)]
    for _ in 0..PASTE_READS {
        if !super::device::has_input(io::stdin(), PASTE_PAUSE) {
            break;
        }
        discard();
    }
}

/// Reads a line, and edits it: the system's own line mode would cut it at 4096 bytes. Bytes that are not UTF-8 become
/// U+FFFD. What exceeds `limit` is dropped, up to the end of the line. Starts again if `restart` is set.
#[cfg(unix)]
fn read(limit: usize, restart: &AtomicBool) -> io::Result<Zeroizing<Vec<u8>>> {
    use rustix::io::Errno;
    let stdin = io::stdin();
    // Growing the buffer would leave copies behind.
    let mut line = Zeroizing::new(Vec::with_capacity(limit));
    let mut typed = TypedText::default();
    // One byte at a time: what follows the line is for another reader.
    let mut byte = Zeroizing::new([0]);
    loop {
        super::device::wait_for_input(&stdin)?;
        let count = match rustix::io::read(&stdin, &mut byte[..]) {
            Err(Errno::INTR | Errno::AGAIN) => continue,
            count => count?,
        };
        if restart.swap(false, Ordering::SeqCst) {
            line.clear();
            typed.reset();
        }
        let mut ended = count == 0;
        if !ended {
            typed.arrive(Instant::now());
            typed.byte(byte[0], |ch| match ch {
                CTRL_C => jobs::interrupt(),
                CTRL_Z => jobs::suspend(),
                ch => ended |= is_end(&mut line, limit, ch),
            });
        }
        if ended {
            return Ok(line);
        }
    }
}

/// Applies a typed character to the line. Returns whether it ends the line.
#[cfg(unix)]
fn is_end(line: &mut Vec<u8>, limit: usize, ch: char) -> bool {
    match ch {
        '\r' | '\n' => return true,
        CTRL_D => return line.is_empty(),
        // The last character is its first byte, and the bytes that continue it.
        BACKSPACE | DELETE => while line.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {},
        CTRL_U => line.clear(),
        CTRL_W => {
            while line.pop_if(|byte| *byte == b' ').is_some() {}
            while line.pop_if(|byte| *byte != b' ').is_some() {}
        }
        // A key that edits nothing.
        ch if ch.is_control() && ch != '\t' => {}
        ch if line.len() + ch.len_utf8() <= limit => {
            let mut bytes = Zeroizing::new([0; 4]);
            line.extend(ch.encode_utf8(&mut *bytes).as_bytes());
        }
        _ => {}
    }
    false
}

/// Reads a line. The system edits it.
#[cfg(windows)]
fn read(limit: usize, _restart: &AtomicBool) -> io::Result<Zeroizing<Vec<u8>>> {
    use std::io::{BufRead, Read};
    // Growing the buffer would leave copies behind.
    let mut line = Zeroizing::new(Vec::with_capacity(limit));
    let stdin = io::stdin().lock();
    stdin.take(limit as u64).read_until(b'\n', &mut line)?;
    Ok(line)
}

/// Turns off the echo and the line mode of the terminal; restores them on drop.
#[cfg(unix)]
struct Hidden(());

#[cfg(unix)]
impl Hidden {
    fn new() -> io::Result<Self> {
        modes::take(io::stdin(), modes::set_for_prompt)?;
        Ok(Self(()))
    }

    /// Restores the echo after the line was read. Input typed since is kept, because it may be for another program.
    fn show_again(self) {
        modes::give_back(io::stdin());
        drop(self);
    }
}

#[cfg(unix)]
impl Drop for Hidden {
    fn drop(&mut self) {
        modes::give_back_without_input(io::stdin());
    }
}

/// The previous console mode, which is restored on drop.
#[cfg(windows)]
struct Hidden(u32);

#[cfg(windows)]
impl Hidden {
    const ENABLE_ECHO_INPUT: u32 = 0x4;

    fn show_again(self) {
        drop(self);
    }

    fn new() -> io::Result<Self> {
        let mode = Self::mode()?;
        let before = mode.mode()?;
        mode.set_mode(before & !Self::ENABLE_ECHO_INPUT)?;
        Ok(Self(before))
    }

    fn mode() -> io::Result<crossterm_winapi::ConsoleMode> {
        let input = crossterm_winapi::Handle::new(crossterm_winapi::HandleType::InputHandle)?;
        Ok(crossterm_winapi::ConsoleMode::from(input))
    }
}

#[cfg(windows)]
impl Drop for Hidden {
    fn drop(&mut self) {
        let _ = Self::mode().and_then(|mode| mode.set_mode(self.0));
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// Returns the line that these bytes are, with at most 8 bytes, and how many bytes were read.
    fn typed(bytes: &[u8]) -> (Vec<u8>, usize) {
        let mut line = Vec::new();
        let mut typed = TypedText::default();
        let end = bytes.iter().position(|byte| {
            let mut ended = false;
            typed.byte(*byte, |ch| ended |= is_end(&mut line, 8, ch));
            ended
        });
        (line, end.map_or(bytes.len(), |end| end + 1))
    }

    #[test]
    fn hidden_line_is_edited_and_ends_at_enter() {
        for (bytes, line, read) in [
            (&b"s3cret\rx"[..], &b"s3cret"[..], 7),
            (b"s3cret\nx", b"s3cret", 7),
            (b"ab\x7fc\x08d\r", b"ad", 7),
            (b"\x7fa\xc3\xa9\x7fb\r", b"ab", 7),
            (b"one\x15two\r", b"two", 8),
            (b"one two \x17x\r", b"one x", 11),
            (b"a\x04b\r", b"ab", 4),
            (b"\x04b\r", b"", 1),
            (b"\x1b[200~s3cret\x1b[201~\rx", b"s3cret", 19),
            (b"\x1b[Da\x1b[Ib\0c\x1b]11;rgb:0\x1b\\d\r", b"abcd", 24),
            (b"a\xe9\r", "a\u{fffd}".as_bytes(), 3),
        ] {
            assert_eq!(
                typed(bytes),
                (line.to_vec(), read),
                "{}",
                bytes.escape_ascii()
            );
        }
        // What is too long is read to its end, because a shell would get the rest.
        assert_eq!(typed(b"0123456789\rx"), (b"01234567".to_vec(), 11));
    }
}
