//! Reads files that the user named, which may be of any kind, within limits of size and time.

use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Duration;

use zeroize::Zeroizing;

use super::named::cleaned;
use crate::clean::system_reason;
use crate::words::{capitalized, sentence};

/// Maximum time for reading a file. After that it is given up, such as a pipe that nothing writes to.
const LIMIT: Duration = Duration::from_secs(10);

/// Why a file was not read: a clause for a sentence, without the period.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// There is no such file.
    #[error("there is no such file")]
    Missing,
    /// A directory.
    #[error("it is a directory")]
    Directory,
    /// A device, such as a terminal or `/dev/zero`.
    #[error("it is a device, not a file")]
    Device,
    /// A socket.
    #[error("it is a socket, not a file")]
    Socket,
    /// A pipe, where only a regular file is allowed.
    #[error("it is a pipe, not a regular file")]
    Pipe,
    /// Larger than the limit, in KiB.
    #[error("it is larger than {0} KiB")]
    TooLarge(u64),
    /// Nothing was written to the pipe, or the disk does not respond.
    #[error("it could not be read within {} seconds", LIMIT.as_secs())]
    TooSlow,
    /// Any other error of the system.
    #[error("it cannot be read ({0})")]
    Unreadable(String),
}

impl ReadError {
    /// Returns the clause as a complete sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        sentence(capitalized(&self.to_string()))
    }
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::NotFound {
            return Self::Missing;
        }
        Self::Unreadable(system_reason(&error.to_string()).to_owned())
    }
}

/// The kinds of files that may be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kinds {
    /// Regular files and pipes, because the user may name `<(command)`. Reading a pipe may have to wait.
    WithPipes,
    /// Regular files only, such as those in a folder of the program.
    Regular,
}

/// Checks whether such a file would be read, without opening it.
///
/// # Errors
/// Returns an error if the file is of another kind, or can't be examined.
pub fn check(path: &Path, kinds: Kinds) -> Result<(), ReadError> {
    check_kind(&std::fs::metadata(cleaned(path))?, kinds)
}

fn check_kind(about: &Metadata, kinds: Kinds) -> Result<(), ReadError> {
    let kind = about.file_type();
    if kind.is_file() {
        return Ok(());
    }
    if kind.is_dir() {
        return Err(ReadError::Directory);
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if kind.is_fifo() {
            return match kinds {
                Kinds::WithPipes => Ok(()),
                Kinds::Regular => Err(ReadError::Pipe),
            };
        }
        if kind.is_socket() {
            return Err(ReadError::Socket);
        }
    }
    #[cfg(not(unix))]
    let _ = kinds;
    Err(ReadError::Device)
}

/// Opens a file or a pipe that the user named.
///
/// # Errors
/// Returns an error if the file is of another kind, or can't be opened.
pub fn open(path: &Path, kinds: Kinds) -> Result<File, ReadError> {
    // Checked twice: opening a device may have an effect, and the path may be another file by the time it is opened.
    check(path, kinds)?;
    let file = File::open(cleaned(path))?;
    check_kind(&file.metadata()?, kinds)?;
    Ok(file)
}

/// Reads a file of at most `limit` bytes, which may contain a secret. Waits at most ten seconds for a pipe, or for a file
/// system that does not respond.
///
/// # Errors
/// Returns an error if the file is larger, is of another kind, or can't be read.
pub fn read(path: &Path, kinds: Kinds, limit: u64) -> Result<Zeroizing<Vec<u8>>, ReadError> {
    let path = path.to_owned();
    in_time(move || read_now(&path, kinds, limit))?
}

fn read_now(path: &Path, kinds: Kinds, limit: u64) -> Result<Zeroizing<Vec<u8>>, ReadError> {
    let file = open(path, kinds)?;
    // Allocated at its full size, because a vector that grows leaves copies behind.
    let room = usize::try_from(limit + 1).unwrap_or_default();
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(ReadError::TooLarge(limit / 1024));
    }
    Ok(bytes)
}

/// The contents of pipes that were read, by path.
static PIPES: Mutex<BTreeMap<PathBuf, Zeroizing<Vec<u8>>>> = Mutex::new(BTreeMap::new());

/// Reads a file or pipe that is used more than once. Only the first reader of a pipe gets its contents, so these are
/// kept. A file is read again, because it may have changed.
///
/// # Errors
/// Returns the errors of [`read`].
pub fn read_again(path: &Path, limit: u64) -> Result<Zeroizing<Vec<u8>>, ReadError> {
    let pipes = || PIPES.lock().unwrap_or_else(PoisonError::into_inner);
    if check(path, Kinds::Regular).is_ok() {
        return read(path, Kinds::WithPipes, limit).map(without_mark);
    }
    if let Some(bytes) = pipes().get(path) {
        return Ok(bytes.clone());
    }
    let bytes = without_mark(read(path, Kinds::WithPipes, limit)?);
    if !bytes.is_empty() {
        pipes().insert(path.to_owned(), bytes.clone());
    }
    Ok(bytes)
}

/// Removes the byte order mark that some editors write at the start.
fn without_mark(mut bytes: Zeroizing<Vec<u8>>) -> Zeroizing<Vec<u8>> {
    if bytes.starts_with("\u{feff}".as_bytes()) {
        bytes.drain(.."\u{feff}".len());
    }
    bytes
}

/// Does work that may wait for a file, while there is nothing else to do. Signals end the program as usual.
///
/// # Errors
/// Returns [`ReadError::TooSlow`] if the work takes longer than ten seconds.
pub fn in_time<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ReadError> {
    let (sender, done) = mpsc::channel();
    std::thread::Builder::new()
        .spawn(move || drop(sender.send(work())))
        .map_err(ReadError::from)?;
    done.recv_timeout(LIMIT).map_err(|_| ReadError::TooSlow)
}

/// Does work that may wait for a file on a separate thread, so that nothing else waits.
///
/// A thread that takes too long is abandoned, and does not delay the end of the program.
///
/// # Errors
/// Returns [`ReadError::TooSlow`] if the work takes longer than ten seconds.
pub async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ReadError> {
    let (sender, done) = tokio::sync::oneshot::channel();
    // Not a blocking task of the runtime, because the runtime would wait for it when it shuts down.
    std::thread::Builder::new()
        .spawn(move || drop(sender.send(work())))
        .map_err(ReadError::from)?;
    match tokio::time::timeout(LIMIT, done).await {
        Ok(Ok(result)) => Ok(result),
        Ok(Err(_)) | Err(_) => Err(ReadError::TooSlow),
    }
}

/// Returns whether this is a regular file whose mode lets other users read it. False for pipes, and on Windows, which
/// has access lists.
#[must_use]
pub fn is_readable_by_others(file: &File) -> bool {
    file.metadata().is_ok_and(|about| is_open_to_others(&about))
}

/// The same for a path as entered by the user, without opening the file.
#[must_use]
pub fn may_others_read(path: &Path) -> bool {
    std::fs::metadata(cleaned(path)).is_ok_and(|about| is_open_to_others(&about))
}

fn is_open_to_others(about: &Metadata) -> bool {
    #[cfg(unix)]
    return {
        use std::os::unix::fs::PermissionsExt;
        about.is_file() && about.permissions().mode() & 0o044 != 0
    };
    #[cfg(not(unix))]
    return {
        let _ = about;
        false
    };
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_up_to_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let read = |path: &Path| read(path, Kinds::WithPipes, 1024).map(|bytes| bytes.len());
        assert_eq!(read(&path), Err(ReadError::Missing));
        for (length, outcome) in [
            (0, Ok(0)),
            (1024, Ok(1024)),
            (1025, Err(ReadError::TooLarge(1))),
        ] {
            std::fs::write(&path, vec![0; length]).unwrap();
            assert_eq!(read(&path), outcome);
        }
        // The size in the metadata doesn't matter.
        std::fs::File::create(&path)
            .unwrap()
            .set_len(1 << 40)
            .unwrap();
        assert_eq!(read(&path), Err(ReadError::TooLarge(1)));
        assert_eq!(read(folder.path()), Err(ReadError::Directory));
    }

    #[cfg(unix)]
    #[test]
    fn devices_and_sockets_are_refused_and_pipes_are_limited() {
        let folder = tempfile::tempdir().unwrap();
        for device in ["/dev/zero", "/dev/full", "/dev/null", "/dev/tty"] {
            let outcome = read(Path::new(device), Kinds::WithPipes, 1024);
            assert_eq!(outcome.err(), Some(ReadError::Device), "{device}");
        }
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let outcome = read(&socket, Kinds::WithPipes, 1024);
        assert_eq!(outcome.err(), Some(ReadError::Socket));
        let pipe = pipe(folder.path());
        let outcome = read(&pipe, Kinds::Regular, 1024);
        assert_eq!(outcome.err(), Some(ReadError::Pipe));
        for (text, outcome) in [
            (vec![b'x'; 1024], Ok(1024)),
            (vec![b'x'; 100_000], Err(ReadError::TooLarge(1))),
        ] {
            let write = {
                let pipe = pipe.clone();
                std::thread::spawn(move || drop(std::fs::write(pipe, text)))
            };
            let read = read(&pipe, Kinds::WithPipes, 1024).map(|bytes| bytes.len());
            assert_eq!(read, outcome);
            write.join().unwrap();
        }
    }

    #[cfg(unix)]
    #[test]
    fn files_readable_by_others_are_detected() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let file = File::create(&path).unwrap();
        for (mode, readable) in [
            (0o600, false),
            (0o622, false),
            (0o640, true),
            (0o604, true),
            (0o644, true),
        ] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(may_others_read(&path), readable, "{mode:o}");
            let quoted = format!("\"{}\"", path.display());
            assert_eq!(may_others_read(Path::new(&quoted)), readable, "{mode:o}");
            assert_eq!(is_readable_by_others(&file), readable, "{mode:o}");
        }
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        assert!(!may_others_read(folder.path()) && !may_others_read(&folder.path().join("no")));
    }

    #[cfg(unix)]
    #[test]
    fn pipe_content_is_cached_and_files_are_reread() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = pipe(folder.path());
        let write = {
            let pipe = pipe.clone();
            std::thread::spawn(move || std::fs::write(pipe, "once").unwrap())
        };
        for _ in 0..2 {
            assert_eq!(*read_again(&pipe, 1024).unwrap(), b"once");
        }
        write.join().unwrap();
        let file = folder.path().join("file");
        for text in ["first", "second"] {
            std::fs::write(&file, text).unwrap();
            assert_eq!(*read_again(&file, 1024).unwrap(), text.as_bytes());
        }
    }

    #[cfg(unix)]
    fn pipe(folder: &Path) -> std::path::PathBuf {
        let path = folder.join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        path
    }

    #[cfg(unix)]
    #[test]
    fn pipe_without_a_writer_times_out() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = pipe(folder.path());
        assert_eq!(
            read(&pipe, Kinds::WithPipes, 1024).err(),
            Some(ReadError::TooSlow)
        );
    }

    #[cfg(unix)]
    #[tokio::test(start_paused = true)]
    async fn background_read_times_out_without_delaying_exit() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = pipe(folder.path());
        let outcome = aside(move || read(&pipe, Kinds::WithPipes, 1024)).await;
        assert_eq!(outcome.err(), Some(ReadError::TooSlow));
    }
}
