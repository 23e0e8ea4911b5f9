//! Files that the user named: read within limits, and saved so that only the user can read them.

pub mod named;
pub mod read;
pub mod secret_line;
#[cfg(windows)]
pub(super) mod windows;

use std::io::{self, Write};
use std::path::Path;

use crate::secret::{ExposeSecret, SecretString};

/// Who can read a saved file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// Only the user.
    User,
    /// Possibly others too, because the file system does not store permissions.
    Others,
}

impl Readers {
    /// Returns the readers of a file that was created with mode 0600, by its actual mode.
    #[cfg(unix)]
    fn of_mode(mode: u32) -> Self {
        match mode & 0o077 {
            0 => Self::User,
            _ => Self::Others,
        }
    }
}

/// Creates a file that must not exist and that only this user can access.
#[cfg(windows)]
fn create_private(path: &Path) -> io::Result<std::fs::File> {
    windows::create(path, &windows::user_alone()?)
}

#[cfg(unix)]
fn readers(file: &std::fs::File) -> io::Result<Readers> {
    use std::os::unix::fs::PermissionsExt;
    Ok(Readers::of_mode(file.metadata()?.permissions().mode()))
}

#[cfg(windows)]
fn readers(file: &std::fs::File) -> io::Result<Readers> {
    Ok(if windows::keeps_access_lists(file)? {
        Readers::User
    } else {
        Readers::Others
    })
}

/// Writes `text` to `path`. Only the user can read the file from its first byte on, if the file system stores
/// permissions. The file is replaced as a whole, so a failure leaves the previous contents. Returns who can read the
/// file.
///
/// # Errors
/// Returns an error if the folder can't be written to, or if `path` is not a regular file.
pub fn save(path: &Path, text: &SecretString) -> io::Result<Readers> {
    // Empty for a bare name, which means the current folder.
    let folder = path.parent().unwrap_or(Path::new(""));
    if !folder.as_os_str().is_empty() && !folder.is_dir() {
        return Err(io::Error::other(format!(
            "there is no folder {}; create it, or enter another path",
            folder.display()
        )));
    }
    // Otherwise a device or a link would be replaced by a file.
    match std::fs::symlink_metadata(path) {
        Ok(there) if !there.is_file() => {
            return Err(io::Error::other(
                "it is not a regular file; enter another name",
            ));
        }
        Ok(_) | Err(_) => {}
    }
    // `tempfile` creates the file with mode 0600.
    #[cfg(unix)]
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    #[cfg(windows)]
    let mut file = tempfile::Builder::new().make_in(folder, create_private)?;
    file.write_all(text.expose_secret().as_bytes())?;
    file.as_file().sync_all()?;
    let file = file.persist(path)?;
    // The file is saved by now, even if its permissions can't be read.
    Ok(readers(&file).unwrap_or(Readers::Others))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    #[test]
    fn saved_file_replaces_the_old_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trace.txt");
        std::fs::write(&path, "old and longer").unwrap();
        assert_eq!(save(&path, &"new".into()).unwrap(), Readers::User);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
        #[cfg(unix)]
        assert_eq!(
            std::os::unix::fs::PermissionsExt::mode(
                &std::fs::metadata(&path).unwrap().permissions()
            ) & 0o777,
            0o600
        );
        #[cfg(windows)]
        {
            let access = windows::access(&path).unwrap();
            let user = crate::windows::user_sid().unwrap();
            assert_eq!(access.owner, user);
            // The system can do everything anyway; some access lists name it.
            assert!(access.accounts().all(|account| account == user));
            assert!(access.accounts().next().is_some(), "{access:?}");
        }
        assert!(save(folder.path(), &"new".into()).is_err());
        #[cfg(unix)]
        {
            let link = folder.path().join("link");
            std::os::unix::fs::symlink(&path, &link).unwrap();
            let error = save(&link, &"newer".into()).unwrap_err();
            assert!(error.to_string().contains("not a regular file"), "{error}");
            assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
            std::fs::remove_file(link).unwrap();
        }
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            1,
            "nothing is left behind"
        );
    }

    #[cfg(unix)]
    #[test]
    fn readers_are_derived_from_the_actual_file_mode() {
        for (mode, readers) in [
            (0o100_600, Readers::User),
            (0o100_700, Readers::User),
            (0o100_400, Readers::User),
            // The default modes of vfat, exfat, ntfs and cifs.
            (0o100_755, Readers::Others),
            (0o100_777, Readers::Others),
            (0o100_640, Readers::Others),
            (0o100_604, Readers::Others),
        ] {
            assert_eq!(Readers::of_mode(mode), readers, "{mode:o}");
        }
    }
}
