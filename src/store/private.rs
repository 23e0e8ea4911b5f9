//! Files of one user: opened without following links, and only if no other user can read or replace them.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::access::AccessError;
#[cfg(windows)]
use super::access_lists;
use super::program::ProgramError;
use super::seal::SealError;
use crate::clean::{clean_path, system_reason};
use crate::quote::path_argument;

/// How long to retry when another program has a file open, on Windows.
const HELD_LIMIT: Duration = Duration::from_secs(2);

/// Why a file of this program can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrivateError {
    /// The file does not exist.
    #[error("{} does not exist.", clean_path(.0))]
    Missing(PathBuf),
    /// The path is a symbolic link.
    #[error("{} is a symbolic link, which isn't followed here. Use a regular file.", clean_path(.0))]
    Link(PathBuf),
    /// The path is a folder or a device.
    #[error("{} is not a regular file. Name another file, or move it away.", clean_path(.0))]
    NotAFile(PathBuf),
    /// A file is in the place of a folder.
    #[error("{} is not a folder. Remove it, or move it away.", clean_path(.0))]
    NotAFolder(PathBuf),
    /// The file or folder belongs to another user.
    #[error("{} belongs to another user (uid {owner}). Run the program as that user, or change the owner with chown.", clean_path(.path))]
    Owner {
        /// The file or folder.
        path: PathBuf,
        /// The user ID of the owner.
        owner: u32,
    },
    /// Other users can read the file.
    #[error("{} can be read by other users. Run: chmod 600 {}", clean_path(.0), path_argument(.0))]
    Readable(PathBuf),
    /// Other users can change the file or folder.
    #[error("{} can be changed by other users. Run: chmod go-w {}", clean_path(.0), path_argument(.0))]
    Writable(PathBuf),
    /// The folder is shared by all users, such as /tmp.
    #[error("{} can be changed by all users. Use a folder that only you can change.", clean_path(.0))]
    Shared(PathBuf),
    /// A problem with the access list or the owner, on Windows.
    #[error(transparent)]
    AccessList(#[from] AccessError),
    /// The contents can't be encrypted or decrypted.
    #[error("{}: {problem}.", clean_path(.path))]
    Seal {
        /// The file.
        path: PathBuf,
        /// The problem with the encryption.
        problem: SealError,
    },
    /// The command that stores the secrets failed.
    #[error("{0} Run it in a terminal to find out more.")]
    Keeping(ProgramError),
    /// The command that stores the secrets failed, and what was stored before can no longer be read.
    #[error("{0} The tokens in the store of that command are damaged.")]
    Damaged(ProgramError),
    /// The command that stores the secrets failed, and so does the one that prints what was stored before.
    #[error("{0} The tokens in the store of that command can't be read, either.")]
    Unread(ProgramError),
    /// A file can't be written after a command damaged what was stored, or made it unreadable.
    #[error("{file} {store}")]
    FileAndStore {
        /// The error of the file.
        file: Box<Self>,
        /// The error of the store.
        store: Box<Self>,
    },
    /// The command that returns the secrets failed.
    #[error(
        "The tokens are in the store of another program. {0} Run it in a terminal to find out more."
    )]
    Program(ProgramError),
    /// The file is larger than any that this program writes.
    #[error("{} is larger than {limit} KiB. This program doesn't write files of this size. Move it away, then sign in again or restore the settings.", clean_path(.path))]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The maximum size in KiB.
        limit: u64,
    },
    /// Any other error of the system.
    #[error("{} can't be {action}: {reason}.", clean_path(.path))]
    System {
        /// The file or folder.
        path: PathBuf,
        /// The action that failed, as a participle.
        action: &'static str,
        /// The system's error message.
        reason: String,
    },
}

impl PrivateError {
    /// Returns the error of the store, if this is one of a file as well.
    #[must_use]
    pub fn of_store(&self) -> &Self {
        match self {
            Self::FileAndStore { store, .. } => store,
            error => error,
        }
    }

    fn not_a_file(path: &Path, about: &std::fs::Metadata) -> Self {
        if about.is_symlink() {
            Self::Link(path.to_owned())
        } else {
            Self::NotAFile(path.to_owned())
        }
    }

    /// Creates an error from the system's error for an action, such as `read`.
    #[must_use]
    pub fn system(path: &Path, action: &'static str, error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::NotFound {
            return Self::Missing(path.to_owned());
        }
        Self::System {
            path: path.to_owned(),
            action,
            reason: system_reason(&error.to_string()).to_owned(),
        }
    }
}

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Only its owner, because the file contains secrets.
    Owner,
    /// All users of the computer.
    All,
}

/// Reads a file of at most `limit` bytes that belongs to this user or to root.
///
/// # Errors
/// Returns an error if the file is missing, of another kind, too large, or accessible to other users.
pub fn read(
    path: &Path,
    audience: Audience,
    limit: u64,
) -> Result<Zeroizing<Vec<u8>>, PrivateError> {
    let file = open_existing(path, audience, false)?;
    let failed = |error: io::Error| PrivateError::system(path, "read", &error);
    let length = file.metadata().map_err(failed)?.len();
    // Allocated at its full size, because a vector that grows leaves copies behind.
    let room = usize::try_from(length.min(limit) + 1).unwrap_or_default();
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > limit {
        return Err(PrivateError::TooLarge {
            path: path.to_owned(),
            limit: limit / 1024,
        });
    }
    Ok(bytes)
}

/// Opens an existing file, and checks who owns it and who can access it.
///
/// # Errors
/// Returns the errors of [`read`].
pub fn open_existing(path: &Path, audience: Audience, write: bool) -> Result<File, PrivateError> {
    let mut options = OpenOptions::new();
    options.read(true).write(write);
    no_links(&mut options);
    let file = patiently(HELD, || options.open(path)).map_err(|error| {
        // The system returns an error for a link that it doesn't follow.
        match std::fs::symlink_metadata(path) {
            Ok(about) if !about.is_file() => PrivateError::not_a_file(path, &about),
            _ => PrivateError::system(path, "opened", &error),
        }
    })?;
    check(&file, path, audience)?;
    Ok(file)
}

/// Creates a file that must not exist. Only this user can access it from its first byte on.
///
/// # Errors
/// Returns an error if the path exists, or if the folder can't be written to.
pub fn create(path: &Path) -> io::Result<File> {
    create_for(path, Audience::Owner)
}

/// Creates such a file. In machine-wide folders on Windows, a file for [`Audience::All`] is accessible to everyone who
/// may use the folder.
fn create_for(path: &Path, audience: Audience) -> io::Result<File> {
    #[cfg(windows)]
    return access_lists::create(path, audience == Audience::Owner);
    #[cfg(not(windows))]
    {
        let _ = audience;
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
    options.mode(0o600).custom_flags(flags.bits().cast_signed());
}

#[cfg(windows)]
fn no_links(options: &mut OpenOptions) {
    use std::os::windows::fs::OpenOptionsExt;
    use windows_sys::Win32::Storage::FileSystem::FILE_FLAG_OPEN_REPARSE_POINT;
    options.custom_flags(FILE_FLAG_OPEN_REPARSE_POINT);
}

#[cfg(unix)]
fn check(file: &File, path: &Path, audience: Audience) -> Result<(), PrivateError> {
    use std::os::unix::fs::MetadataExt;
    let about = file
        .metadata()
        .map_err(|error| PrivateError::system(path, "read", &error))?;
    if !about.is_file() {
        return Err(PrivateError::not_a_file(path, &about));
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

#[cfg(windows)]
fn check(file: &File, path: &Path, audience: Audience) -> Result<(), PrivateError> {
    let about = file
        .metadata()
        .map_err(|error| PrivateError::system(path, "read", &error))?;
    if !about.is_file() {
        return Err(PrivateError::not_a_file(path, &about));
    }
    access_lists::check_file(file, path, audience == Audience::Owner)?;
    Ok(())
}

#[cfg(unix)]
fn check_owner(path: &Path, owner: u32) -> Result<(), PrivateError> {
    if is_trusted(owner, rustix::process::geteuid().as_raw()) {
        Ok(())
    } else {
        Err(PrivateError::Owner {
            path: path.to_owned(),
            owner,
        })
    }
}

/// Returns whether the owner is this user or root, who can do everything anyway.
#[cfg(unix)]
fn is_trusted(owner: u32, me: u32) -> bool {
    owner == me || owner == 0
}

/// Checks that no other user can replace the contents of a folder.
///
/// # Errors
/// Returns an error if the folder is missing, belongs to another user, or can be written to by others.
pub fn check_folder(folder: &Path) -> Result<(), PrivateError> {
    let about =
        std::fs::metadata(folder).map_err(|error| PrivateError::system(folder, "read", &error))?;
    if !about.is_dir() {
        return Err(PrivateError::NotAFolder(folder.to_owned()));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        check_owner(folder, about.uid())?;
        match about.mode() {
            // A folder such as /tmp: the system stops working without this access.
            mode if mode & 0o1022 > 0o1000 => Err(PrivateError::Shared(folder.to_owned())),
            mode if mode & 0o022 != 0 => Err(PrivateError::Writable(folder.to_owned())),
            _ => Ok(()),
        }
    }
    #[cfg(windows)]
    {
        access_lists::check_folder(folder)?;
        Ok(())
    }
}

/// Creates a folder and its missing parents for this user alone, and checks the folder.
///
/// # Errors
/// Returns the errors of [`check_folder`], or an error if the folder can't be created.
pub fn create_folder(folder: &Path) -> Result<(), PrivateError> {
    #[cfg(unix)]
    let created = {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)
    };
    #[cfg(windows)]
    let created = access_lists::create_folder(folder);
    created.map_err(|error| PrivateError::system(folder, "created", &error))?;
    check_folder(folder)
}

/// Checks whether a folder that doesn't exist may be created: not below a folder of another user, such as the home folder of
/// the user who ran this program as root.
///
/// # Errors
/// Returns an error if its first existing parent belongs to another user.
pub fn check_parents(folder: &Path) -> Result<(), PrivateError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let mut parents = folder.ancestors();
        let existing = parents.find_map(|path| Some((path, std::fs::metadata(path).ok()?)));
        let existing = existing.filter(|(path, _)| *path != folder);
        let me = rustix::process::geteuid().as_raw();
        if let Some((path, about)) = existing.filter(|(_, about)| !is_trusted(about.uid(), me)) {
            return Err(PrivateError::System {
                path: folder.to_owned(),
                action: "created",
                reason: format!(
                    "{} belongs to another user (uid {}). Run the program as that user, for example with sudo -u",
                    clean_path(path),
                    about.uid()
                ),
            });
        }
    }
    let _ = folder;
    Ok(())
}

/// Allows `account`, a security identifier, to use the tokens of a machine-wide profile, on Windows.
///
/// # Errors
/// Returns an error if this user isn't allowed to change the access list.
pub fn grant(folder: &Path, account: &str) -> Result<(), PrivateError> {
    #[cfg(windows)]
    let granted = access_lists::grant(folder, &[account.to_owned()]);
    #[cfg(not(windows))]
    let granted = {
        let _ = account;
        Err(io::Error::from(io::ErrorKind::Unsupported))
    };
    granted.map_err(|error| PrivateError::system(folder, "shared", &error))
}

/// Allows the accounts that may use the folder `like` to use a new folder of tokens, on Windows. On other systems, all
/// folders belong to this user.
///
/// # Errors
/// Returns an error if this user isn't allowed to change the access list.
pub fn share_as(folder: &Path, like: &Path) -> Result<(), PrivateError> {
    #[cfg(windows)]
    {
        let shared = access_lists::share_as(folder, like);
        shared.map_err(|error| PrivateError::system(folder, "shared", &error))
    }
    #[cfg(not(windows))]
    {
        let _ = (folder, like);
        Ok(())
    }
}

/// Removes a file if it exists.
///
/// # Errors
/// Returns an error if the system doesn't allow it.
pub fn remove(path: &Path) -> Result<(), PrivateError> {
    match patiently(HELD, || std::fs::remove_file(path)) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(PrivateError::system(path, "removed", &error)),
    }
}

/// Writes a small file without a secret as a whole: first writes `beside`, then moves it to `path`.
///
/// # Errors
/// Returns an error if the folder can't be written to. The previous file then stays.
pub fn replace(path: &Path, beside: &Path, bytes: &[u8]) -> Result<(), PrivateError> {
    remove(beside)?;
    let failed = |error: io::Error| PrivateError::system(path, "written", &error);
    let mut file = create_for(beside, Audience::All).map_err(failed)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    drop(file);
    let replaced = written.map_err(failed).and_then(|()| rename(beside, path));
    if replaced.is_err() {
        let _ = remove(beside);
    }
    replaced
}

/// Replaces `to` with `from` in the same folder, durably.
///
/// # Errors
/// Returns an error if the system doesn't allow it. On Windows, this is retried for two seconds if another program has
/// the file open.
pub fn rename(from: &Path, to: &Path) -> Result<(), PrivateError> {
    #[cfg(unix)]
    let replace = || std::fs::rename(from, to);
    // The standard library can replace a file that is open if its readers permit it, but does not wait for the disk.
    #[cfg(windows)]
    let replace = || {
        let replaced = super::file::windows::replace(from, to);
        replaced.or_else(|_| std::fs::rename(from, to))
    };
    patiently(REPLACED_HELD, replace)
        .map_err(|error| PrivateError::system(to, "replaced", &error))?;
    sync_folder(to);
    Ok(())
}

/// The Windows errors for a file that another program, such as a virus scanner, has open: sharing violation, lock
/// violation.
const HELD: &[i32] = &[32, 33];
/// The Windows errors if such a file is to be replaced, which include access denied.
const REPLACED_HELD: &[i32] = &[5, 32, 33];

/// Runs `action`, and retries it for two seconds while Windows returns one of `codes`.
fn patiently<T>(codes: &[i32], action: impl Fn() -> io::Result<T>) -> io::Result<T> {
    let end = Instant::now() + HELD_LIMIT;
    loop {
        let outcome = action();
        let code = outcome.as_ref().err().and_then(io::Error::raw_os_error);
        let is_held = cfg!(windows) && code.is_some_and(|code| codes.contains(&code));
        if !is_held || Instant::now() >= end {
            return outcome;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Makes new names in the folder of `path` durable. Not every file system can, and a failure doesn't undo the rename.
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
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn folder_below_one_of_another_user_is_not_created() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        create_folder(&home).unwrap();
        let wanted = home.join(".config").join("profiles");
        assert_eq!(check_parents(&wanted), Ok(()));
        // Only root can give a folder away.
        if nix::unistd::chown(&home, Some(12345.into()), None).is_ok() {
            let error = check_parents(&wanted).unwrap_err().to_string();
            let words = "home belongs to another user (uid 12345). Run the program as that user";
            assert!(error.contains(words), "{error}");
            create_folder(&wanted).unwrap();
            assert_eq!(check_parents(&wanted), Ok(()));
        }
    }

    #[test]
    fn file_open_to_others_is_refused_with_fix_command() {
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
    fn file_over_the_size_limit_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        drop(create(&path).unwrap());
        let read = || read(&path, Audience::All, 2048).map(|bytes| bytes.len());
        for length in [0, 2047, 2048] {
            std::fs::write(&path, vec![b'x'; length]).unwrap();
            assert_eq!(read(), Ok(length));
        }
        for length in [2049, 1 << 40] {
            File::create(&path).unwrap().set_len(length).unwrap();
            let error = read().unwrap_err().to_string();
            assert!(error.contains(" is larger than 2 KiB. "), "{error}");
        }
    }

    #[test]
    fn only_files_of_this_user_or_root_are_trusted() {
        for (owner, me, trusted) in [
            (1000, 1000, true),
            (0, 1000, true),
            (0, 0, true),
            (1001, 1000, false),
            (1000, 0, false),
        ] {
            assert_eq!(is_trusted(owner, me), trusted, "{owner} {me}");
        }
        let other = rustix::process::geteuid().as_raw() + 1;
        let error = check_owner(Path::new("/data/x"), other).unwrap_err();
        let text = format!("/data/x belongs to another user (uid {other}).");
        assert!(error.to_string().starts_with(&text), "{error}");
    }

    #[test]
    fn fix_command_can_be_pasted_into_a_shell() {
        let path = PathBuf::from("/data/my files/a.record");
        for (error, words) in [
            (
                PrivateError::Readable(path.clone()),
                "read by other users. Run: chmod 600 '/data/my files/a.record'",
            ),
            (
                PrivateError::Writable(path),
                "changed by other users. Run: chmod go-w '/data/my files/a.record'",
            ),
        ] {
            assert_eq!(
                error.to_string(),
                format!("/data/my files/a.record can be {words}")
            );
        }
    }

    #[test]
    fn system_errors_are_reported_without_retries() {
        let folder = tempfile::tempdir().unwrap();
        let error = remove(folder.path()).unwrap_err().to_string();
        assert!(error.contains(" can't be removed: "), "{error}");
        assert!(folder.path().exists());
        assert_eq!(remove(&folder.path().join("missing")), Ok(()));
        assert!(grant(folder.path(), "S-1-5-80-1").is_err());
        // These codes have another meaning on this system.
        let tries = std::cell::Cell::new(0);
        for code in REPLACED_HELD {
            let outcome = patiently(REPLACED_HELD, || -> io::Result<()> {
                tries.set(tries.get() + 1);
                Err(io::Error::from_raw_os_error(*code))
            });
            assert!(outcome.is_err());
        }
        assert_eq!(tries.get(), REPLACED_HELD.len());
    }

    /// Linux doesn't open the file of a running program for writing.
    #[cfg(target_os = "linux")]
    #[test]
    fn open_error_of_a_regular_file_is_reported() {
        let program = std::env::current_exe().unwrap();
        let error = open_existing(&program, Audience::All, true).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(" can't be opened: "), "{text}");
    }

    #[test]
    fn new_file_is_private_and_replaced_atomically() {
        let folder = tempfile::tempdir().unwrap();
        let (path, next) = (folder.path().join("record"), folder.path().join("next"));
        let mut file = create(&path).unwrap();
        let bits = file.metadata().unwrap().permissions().mode();
        assert_eq!(bits & 0o777, 0o600);
        file.write_all(b"old").unwrap();
        let mut reader = File::open(&path).unwrap();
        replace(&path, &next, b"new").unwrap();
        // A process that reads the previous file at that moment reads all of it.
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        let now = std::fs::read_to_string(&path).unwrap();
        assert_eq!((text.as_str(), now.as_str()), ("old", "new"));
        assert!(!next.exists());
    }

    #[test]
    fn links_folders_and_pipes_are_refused() {
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
            let expected = match name {
                "link" => PrivateError::Link(at(name)),
                _ => PrivateError::NotAFile(at(name)),
            };
            assert_eq!(error, expected);
        }
        // A link in place of the file to write is removed; its target stays.
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

/// What Wine can't show: it stores no access lists, but derives one from the owner and the mode of a file. The access
/// list for a service and the wait for the disk can be tested only on Windows.
#[cfg(all(test, windows))]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod windows_tests {
    use std::os::windows::fs::OpenOptionsExt;

    use windows_sys::Win32::Storage::FileSystem::{FILE_SHARE_READ, FILE_SHARE_WRITE};

    use super::*;
    use crate::store::file::windows::access;
    use crate::windows::user_sid;

    #[test]
    fn folders_and_files_are_private_to_this_user() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a\\b");
        create_folder(&inner).unwrap();
        create_folder(&inner).unwrap();
        let path = inner.join("a.record");
        replace(&path, &inner.join("a.next"), b"text").unwrap();
        assert_eq!(*read(&path, Audience::Owner, 10).unwrap(), b"text");
        let me = user_sid().unwrap();
        for one in [inner.parent().unwrap(), &inner, &path] {
            let access = access(one).unwrap();
            assert_eq!(access.owner, me);
            let accounts: Vec<&str> = access.accounts().collect();
            assert_eq!(accounts, [&me], "{one:?}");
        }
        assert!(matches!(
            read(&inner, Audience::All, 10),
            Err(PrivateError::NotAFile(_))
        ));
    }

    #[test]
    fn file_is_replaced_once_readers_release_it() {
        let folder = tempfile::tempdir().unwrap();
        let (path, next) = (folder.path().join("record"), folder.path().join("next"));
        std::fs::write(&path, "old").unwrap();
        std::fs::write(&next, "new").unwrap();
        // Virus scanners that don't share the deletion open files like this.
        let mut options = OpenOptions::new();
        options
            .read(true)
            .share_mode(FILE_SHARE_READ | FILE_SHARE_WRITE);
        let held = options.open(&path).unwrap();
        let (sender, released) = std::sync::mpsc::channel();
        let reader = std::thread::spawn(move || {
            // Waits a second; takes longer only if the test has already failed.
            let _: Result<(), _> = released.recv_timeout(Duration::from_secs(1));
            drop(held);
        });
        let begun = Instant::now();
        rename(&next, &path).unwrap();
        assert!(begun.elapsed() > Duration::from_millis(900));
        drop(sender);
        reader.join().unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");

        // A program that never closes the file: both the file and its replacement stay as they were.
        std::fs::write(&next, "newer").unwrap();
        let _held = options.open(&path).unwrap();
        let error = rename(&next, &path).unwrap_err();
        assert!(matches!(error, PrivateError::System { .. }), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(std::fs::read_to_string(&next).unwrap(), "newer");
    }

    #[test]
    #[ignore = "Wine 8 replaces no file that is open; Windows 10 does"]
    fn file_is_replaced_under_readers_that_share_deletion() {
        let folder = tempfile::tempdir().unwrap();
        let (path, next) = (folder.path().join("record"), folder.path().join("next"));
        std::fs::write(&path, "old").unwrap();
        std::fs::write(&next, "new").unwrap();
        let mut reader = File::open(&path).unwrap();
        rename(&next, &path).unwrap();
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(
            (text, std::fs::read_to_string(&path).unwrap()),
            ("old".to_owned(), "new".to_owned())
        );
    }

    #[test]
    fn windows_error_reasons_end_with_one_period() {
        let error = io::Error::from_raw_os_error(5);
        let text = PrivateError::system(Path::new("x"), "read", &error).to_string();
        assert!(text.ends_with('.') && !text.ends_with(".."), "{text}");
    }
}
