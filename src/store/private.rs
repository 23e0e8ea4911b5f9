//! Files of one user: opened without following links, and only where no other user can read or replace them.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::clean::clean;

/// How long a file that another program has open is tried to be replaced, on Windows.
const REPLACE_LIMIT: Duration = Duration::from_secs(2);
/// Paths longer than this are shortened in messages.
const PATH_LIMIT: usize = 200;

/// Why a file of this program cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrivateError {
    /// Nothing is there.
    #[error("{} does not exist.", shown(.0))]
    Missing(PathBuf),
    /// A link, a folder, a device.
    #[error("{} is not a regular file. Remove it, or move it away.", shown(.0))]
    NotAFile(PathBuf),
    /// It belongs to another user.
    #[error("{} belongs to another user (uid {owner}). Run the program as that user, or change the owner with chown.", shown(.path))]
    Owner {
        /// The file or folder.
        path: PathBuf,
        /// The number of the user.
        owner: u32,
    },
    /// Others can read it.
    #[error("{path} can be read by other users. Run: chmod 600 {path}", path = shown(.0))]
    Readable(PathBuf),
    /// Others can change it.
    #[error("{path} can be changed by other users. Run: chmod go-w {path}", path = shown(.0))]
    Writable(PathBuf),
    /// More than it can be.
    #[error("{} is larger than {limit} KiB. This program writes no such file; restore it from a backup.", shown(.path))]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// In KiB.
        limit: u64,
    },
    /// Anything else that the system says.
    #[error("{} can't be {action}: {reason}.", shown(.path))]
    System {
        /// The file or folder.
        path: PathBuf,
        /// What was tried, as a participle.
        action: &'static str,
        /// The system's words.
        reason: String,
    },
}

fn shown(path: &Path) -> String {
    clean(&path.to_string_lossy(), PATH_LIMIT)
}

impl PrivateError {
    /// The error of the system for an action, such as `read`.
    #[must_use]
    pub fn system(path: &Path, action: &'static str, error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::NotFound {
            return Self::Missing(path.to_owned());
        }
        let text = error.to_string();
        let reason = text.split(" (os error").next().unwrap_or_default();
        Self::System {
            path: path.to_owned(),
            action,
            reason: reason.to_owned(),
        }
    }
}

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Its owner alone: it has secrets.
    Owner,
    /// All users of the computer.
    All,
}

/// Reads a file of at most `limit` bytes that belongs to this user or to root.
///
/// # Errors
/// Where it is missing, of another kind, or within reach of other users.
pub fn read(
    path: &Path,
    audience: Audience,
    limit: u64,
) -> Result<Zeroizing<Vec<u8>>, PrivateError> {
    let file = open_existing(path, audience, false)?;
    let failed = |error: io::Error| PrivateError::system(path, "read", &error);
    let length = file.metadata().map_err(failed)?.len();
    let too_large = || PrivateError::TooLarge {
        path: path.to_owned(),
        limit: limit / 1024,
    };
    if length > limit {
        return Err(too_large());
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(
        usize::try_from(length + 1).unwrap_or_default(),
    ));
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > limit {
        return Err(too_large());
    }
    Ok(bytes)
}

/// Opens a file that is there, and checks who owns and who can read it.
///
/// # Errors
/// As [`read`].
pub fn open_existing(path: &Path, audience: Audience, write: bool) -> Result<File, PrivateError> {
    let mut options = OpenOptions::new();
    options.read(true).write(write);
    no_links(&mut options);
    let file = options.open(path).map_err(|error| {
        // A link that is not followed is an error of the system.
        match std::fs::symlink_metadata(path) {
            Ok(about) if !about.is_file() => PrivateError::NotAFile(path.to_owned()),
            _ => PrivateError::system(path, "opened", &error),
        }
    })?;
    check(&file, path, audience)?;
    Ok(file)
}

/// Creates a file that must not exist, for this user alone from its first byte.
///
/// # Errors
/// Where something is there, or the folder cannot be written to.
pub fn create(path: &Path) -> io::Result<File> {
    #[cfg(windows)]
    return super::file::create_private(path);
    #[cfg(not(windows))]
    {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        no_links(&mut options);
        options.open(path)
    }
}

#[cfg(unix)]
fn no_links(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    options
        .mode(0o600)
        .custom_flags(i32::try_from(flags.bits()).unwrap_or_default());
}

#[cfg(not(unix))]
fn no_links(_: &mut OpenOptions) {}

#[cfg(unix)]
fn check(file: &File, path: &Path, audience: Audience) -> Result<(), PrivateError> {
    use std::os::unix::fs::MetadataExt;
    let about = file
        .metadata()
        .map_err(|error| PrivateError::system(path, "read", &error))?;
    if !about.is_file() {
        return Err(PrivateError::NotAFile(path.to_owned()));
    }
    check_owner(path, about.uid())?;
    if audience == Audience::Owner && about.mode() & 0o077 != 0 {
        return Err(PrivateError::Readable(path.to_owned()));
    }
    if about.mode() & 0o022 != 0 {
        return Err(PrivateError::Writable(path.to_owned()));
    }
    Ok(())
}

#[cfg(not(unix))]
fn check(file: &File, path: &Path, _: Audience) -> Result<(), PrivateError> {
    let about = file
        .metadata()
        .map_err(|error| PrivateError::system(path, "read", &error))?;
    if about.is_file() {
        Ok(())
    } else {
        Err(PrivateError::NotAFile(path.to_owned()))
    }
}

#[cfg(unix)]
fn check_owner(path: &Path, owner: u32) -> Result<(), PrivateError> {
    let me = rustix::process::geteuid().as_raw();
    if owner == me || owner == 0 {
        Ok(())
    } else {
        Err(PrivateError::Owner {
            path: path.to_owned(),
            owner,
        })
    }
}

/// Checks that no other user can replace what is in a folder.
///
/// # Errors
/// Where it is missing, belongs to another user, or can be written to by others.
pub fn check_folder(folder: &Path) -> Result<(), PrivateError> {
    let about =
        std::fs::metadata(folder).map_err(|error| PrivateError::system(folder, "read", &error))?;
    if !about.is_dir() {
        return Err(PrivateError::NotAFile(folder.to_owned()));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        check_owner(folder, about.uid())?;
        if about.mode() & 0o022 != 0 {
            return Err(PrivateError::Writable(folder.to_owned()));
        }
    }
    Ok(())
}

/// Creates a folder and those above it, for this user alone, and checks it.
///
/// # Errors
/// As [`check_folder`], and where it cannot be created.
pub fn create_folder(folder: &Path) -> Result<(), PrivateError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(folder)
        .map_err(|error| PrivateError::system(folder, "created", &error))?;
    check_folder(folder)
}

/// Removes a file, if it is there.
///
/// # Errors
/// Where the system refuses.
pub fn remove(path: &Path) -> Result<(), PrivateError> {
    match std::fs::remove_file(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(PrivateError::system(path, "removed", &error)),
    }
}

/// Writes a small file as a whole: `beside` is written first and then takes the place of `path`.
///
/// # Errors
/// Where the folder cannot be written to. What was there before stays.
pub fn replace(path: &Path, beside: &Path, bytes: &[u8]) -> Result<(), PrivateError> {
    remove(beside)?;
    let failed = |error: io::Error| PrivateError::system(path, "written", &error);
    let mut file = create(beside).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    drop(file);
    rename(beside, path)
}

/// Puts `from` in the place of `to`, in the same folder, and makes that last.
///
/// # Errors
/// Where the system refuses. On Windows, a file that another program has open is tried again for two seconds.
pub fn rename(from: &Path, to: &Path) -> Result<(), PrivateError> {
    let end = Instant::now() + REPLACE_LIMIT;
    while let Err(error) = std::fs::rename(from, to) {
        // Access denied, sharing violation, lock violation.
        let held = cfg!(windows) && matches!(error.raw_os_error(), Some(5 | 32 | 33));
        if !held || Instant::now() >= end {
            return Err(PrivateError::system(to, "replaced", &error));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    sync_folder(to);
    Ok(())
}

/// Makes new names in the folder of `path` last. Not every file system can, and none of them undoes the rename.
pub fn sync_folder(path: &Path) {
    #[cfg(unix)]
    if let Some(folder) = path.parent()
        && let Ok(folder) = File::open(folder)
    {
        let _ = folder.sync_all();
    }
    #[cfg(not(unix))]
    let _ = path;
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used, reason = "a test ends on what it did not expect")]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_file_that_others_can_read_or_change_is_refused_with_the_command_that_helps() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.record");
        replace(&path, &folder.path().join("a.next"), b"text").unwrap();
        assert_eq!(*read(&path, Audience::Owner, 10).unwrap(), b"text");
        for (bits, audience, words) in [
            (0o640, Audience::Owner, "Run: chmod 600"),
            (0o604, Audience::Owner, "Run: chmod 600"),
            (0o664, Audience::All, "Run: chmod go-w"),
        ] {
            mode(&path, bits);
            let error = read(&path, audience, 10).unwrap_err().to_string();
            assert!(
                error.contains(words) && error.contains("a.record"),
                "{error}"
            );
        }
        mode(&path, 0o644);
        assert!(read(&path, Audience::All, 10).is_ok());
        assert!(matches!(
            read(&path, Audience::All, 3),
            Err(PrivateError::TooLarge { .. })
        ));
    }

    #[test]
    fn links_folders_and_pipes_are_no_files() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("real"), "x").unwrap();
        std::os::unix::fs::symlink(at("real"), at("link")).unwrap();
        std::fs::create_dir(at("folder")).unwrap();
        rustix::fs::mkfifoat(
            rustix::fs::CWD,
            at("pipe"),
            rustix::fs::Mode::from_raw_mode(0o600),
        )
        .unwrap();
        for name in ["link", "folder", "pipe"] {
            let error = read(&at(name), Audience::All, 10).unwrap_err();
            assert_eq!(error, PrivateError::NotAFile(at(name)));
        }
        // A link in the place of what is written goes; what it leads to stays.
        replace(&at("new"), &at("link"), b"new").unwrap();
        assert_eq!(std::fs::read_to_string(at("real")).unwrap(), "x");
        assert!(create(&at("new")).is_err());
    }

    #[test]
    fn a_folder_that_others_can_write_to_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        create_folder(&inner).unwrap();
        let bits = std::fs::metadata(&inner).unwrap().permissions().mode();
        assert_eq!(bits & 0o777, 0o700);
        mode(&inner, 0o770);
        assert!(matches!(
            check_folder(&inner),
            Err(PrivateError::Writable(_))
        ));
    }
}
