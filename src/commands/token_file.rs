//! Writes the file of `token --output`.

use std::io::{self, Write};
use std::path::Path;

use crate::secret::{ExposeSecret, SecretString};
use crate::store::private::{self, Audience, PrivateError};

/// Who may read the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    not(unix),
    allow(dead_code, reason = "the access list of the file names the user alone")
)]
pub(super) struct Readers {
    /// The permission bits.
    pub(super) mode: u32,
    /// The ID of the group that will own the file; `None` for the group that the system chooses.
    pub(super) group: Option<u32>,
}

/// Checks whether the file can be replaced, before the service is contacted.
///
/// # Errors
/// Returns an error if other users could change the folder or the file.
pub(super) fn check(path: &Path) -> Result<(), PrivateError> {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    private::check_folder(path.parent().unwrap_or(&path))?;
    match private::open_existing(&path, Audience::All, false) {
        Ok(_) | Err(PrivateError::Missing(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Replaces a file atomically. Refuses a link, a file of another user, and a folder that others can write to.
pub(super) fn write(
    path: &Path,
    text: &SecretString,
    readers: Readers,
) -> Result<(), PrivateError> {
    check(path)?;
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().unwrap_or(&path);
    let failed = |error: io::Error| PrivateError::system(&path, "written", &error);
    let mut file = tempfile::Builder::new()
        .prefix(".token-")
        .make_in(folder, private::create)
        .map_err(failed)?;
    file.write_all(text.expose_secret().as_bytes())
        .and_then(|()| file.write_all(b"\n"))
        .map_err(failed)?;
    let_read(file.as_file(), &path, readers)?;
    file.as_file().sync_all().map_err(failed)?;
    // If the rename fails, the temporary file is removed.
    private::rename(&file.into_temp_path(), &path)
}

/// Sets the group before the permissions: otherwise, members of another group could read the file for a moment.
#[cfg(unix)]
fn let_read(file: &std::fs::File, path: &Path, readers: Readers) -> Result<(), PrivateError> {
    use std::os::unix::fs::{PermissionsExt, fchown};
    if readers.group.is_some() {
        fchown(file, None, readers.group).map_err(|error| match error.kind() {
            io::ErrorKind::PermissionDenied => PrivateError::System {
                path: path.to_owned(),
                action: "given to the group",
                reason: "you are neither root nor a member of it".to_owned(),
            },
            _ => PrivateError::system(path, "given to the group", &error),
        })?;
    }
    file.set_permissions(std::fs::Permissions::from_mode(readers.mode))
        .map_err(|error| PrivateError::system(path, "written", &error))
}

#[cfg(not(unix))]
fn let_read(_: &std::fs::File, _: &Path, _: Readers) -> Result<(), PrivateError> {
    Ok(())
}

/// Returns the ID of a group, given by name or ID.
///
/// # Errors
/// Returns an error, as a sentence, if there is no such group.
#[cfg(unix)]
pub(super) fn group(name: &str) -> Result<u32, String> {
    let found = nix::unistd::Group::from_name(name)
        .map_err(|error| format!("The group \"{name}\" can't be looked up: {}.", error.desc()))?;
    found
        .map(|group| group.gid.as_raw())
        .or_else(|| name.parse().ok().filter(|number| *number != u32::MAX))
        .ok_or_else(|| {
            let name = crate::clean::clean(name, 40);
            format!("There is no group \"{name}\". List the groups with: getent group")
        })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn groups_are_names_or_numbers() {
        assert_eq!(group("4294967294"), Ok(4_294_967_294));
        for wrong in [
            "",
            "no such group",
            "-1",
            "4294967295",
            "99999999999",
            "a\0b",
            "\u{1b}",
        ] {
            let error = group(wrong).err().unwrap_or_default();
            assert!(
                error.contains("group") && !error.contains('\u{1b}'),
                "{wrong:?}: {error}"
            );
        }
    }
}
