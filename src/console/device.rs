//! The terminal that the program draws on and reads keys from.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::OFlags;

/// How often to check whether the program is in the foreground again.
pub const LOOK: Duration = Duration::from_millis(200);

/// Opens the terminal for reading and writing: the first of standard input, standard output and standard error that is
/// a terminal, or else the controlling terminal. A program started by `su` or `setsid` has no controlling terminal, and
/// one in `$(...)` has no terminal as standard output.
///
/// # Errors
/// Returns an error if there is no terminal.
pub fn open() -> io::Result<File> {
    let (stdin, stdout, stderr) = (io::stdin(), io::stdout(), io::stderr());
    let streams = [stdin.as_fd(), stdout.as_fd(), stderr.as_fd()];
    match streams.into_iter().find_map(terminal) {
        Some(terminal) => Ok(terminal),
        None => File::options().read(true).write(true).open("/dev/tty"),
    }
}

/// Opens the terminal of a stream for both reading and writing: a redirected stream may be open for only one of them.
fn terminal(stream: BorrowedFd) -> Option<File> {
    if !stream.is_terminal() {
        return None;
    }
    let mode = rustix::fs::fcntl_getfl(stream).ok()?;
    if mode & OFlags::ACCMODE == OFlags::RDWR {
        return stream.try_clone_to_owned().ok().map(File::from);
    }
    let name = rustix::termios::ttyname(stream, Vec::new()).ok()?;
    File::options()
        .read(true)
        .write(true)
        // Never make it the controlling terminal.
        .custom_flags(OFlags::NOCTTY.bits().cast_signed())
        .open(Path::new(std::ffi::OsStr::from_bytes(name.as_bytes())))
        .ok()
}

/// Returns whether standard output is a file or a device, such as `/dev/null`, not a terminal or a pipe: writing to it
/// reaches nobody who would write to the terminal.
#[must_use]
pub fn writes_to_file() -> bool {
    use rustix::fs::FileType;
    let kind = rustix::fs::fstat(io::stdout()).map(|stat| FileType::from_raw_mode(stat.st_mode));
    let is_device = kind == Ok(FileType::CharacterDevice) && !io::stdout().is_terminal();
    kind == Ok(FileType::RegularFile) || is_device
}

/// Returns the name of the terminal device.
pub(super) fn name() -> Option<String> {
    let name = rustix::termios::ttyname(open().ok()?, Vec::new()).ok()?;
    name.into_string().ok()
}

/// Returns `true` unless another process group has the terminal: then, reading or changing it would stop the program.
#[must_use]
pub fn is_in_foreground(terminal: impl AsFd) -> bool {
    // A terminal that is not the controlling terminal stops no process.
    rustix::termios::tcgetpgrp(terminal).map_or(true, |group| group == rustix::process::getpgrp())
}

/// Discards what was typed but not read, if the program is in the foreground.
pub fn discard_input(terminal: impl AsFd) {
    if terminal.as_fd().is_terminal() && is_in_foreground(&terminal) {
        let _ = rustix::termios::tcflush(terminal, rustix::termios::QueueSelector::IFlush);
    }
}

/// Waits until the terminal has input, or for `limit`. Returns whether it has some.
pub(super) fn has_input(terminal: impl AsFd, limit: Duration) -> bool {
    let limit = rustix::event::Timespec::try_from(limit).ok();
    poll(&mut [PollFd::new(&terminal, PollFlags::IN)], limit.as_ref()).is_ok_and(|count| count > 0)
}

/// Returns when the terminal has input and the program is in the foreground. A background read would stop the program.
///
/// # Errors
/// Returns an error if the terminal can't be watched.
pub fn wait_for_input(terminal: impl AsFd) -> io::Result<()> {
    loop {
        match poll(&mut [PollFd::new(&terminal, PollFlags::IN)], None) {
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
            Ok(_) if is_in_foreground(&terminal) => return Ok(()),
            Ok(_) => std::thread::sleep(LOOK),
        }
    }
}
