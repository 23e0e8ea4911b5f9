//! Whether a folder can take the next record, found out without writing anything.

use std::path::Path;

/// Checks whether a record could be written to a folder.
///
/// # Errors
/// Returns an error and its fix, as sentences, if this account may not write there, or if the disk is read-only or full.
#[cfg(unix)]
pub fn check(folder: &Path) -> Result<(), (String, &'static str)> {
    use rustix::fs::{Access, AtFlags, CWD, accessat, statvfs};

    use super::record::RESERVED;
    use crate::clean::system_reason;

    let may_write = Access::WRITE_OK | Access::EXEC_OK;
    accessat(CWD, folder, may_write, AtFlags::EACCESS).map_err(|error| {
        let fix = if error == rustix::io::Errno::ROFS {
            "Mount it writable."
        } else {
            "Make it writable for this account."
        };
        let error = std::io::Error::from(error).to_string();
        let text = format!(
            "The folder {} can't be written to: {}.",
            folder.display(),
            system_reason(&error)
        );
        (text, fix)
    })?;
    let is_full = statvfs(folder)
        .is_ok_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) < RESERVED as u64);
    if is_full {
        let text = format!("The disk of {} is full.", folder.display());
        return Err((text, "Free some space."));
    }
    Ok(())
}

/// Checks nothing on Windows, where access lists decide.
///
/// # Errors
/// Returns no error.
#[cfg(not(unix))]
pub fn check(_: &Path) -> Result<(), (String, &'static str)> {
    Ok(())
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    #[test]
    fn unwritable_folder_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(check(folder.path()), Ok(()));
        let missing = folder.path().join("missing");
        let (error, fix) = check(&missing).unwrap_err();
        assert_eq!(fix, "Make it writable for this account.");
        assert!(
            error.ends_with("can't be written to: No such file or directory."),
            "{error}"
        );
        // Nobody can write there, not even root.
        let (error, _) = check(Path::new("/proc/self/fdinfo")).unwrap_err();
        assert!(error.contains("/proc/self/fdinfo "), "{error}");
    }
}
