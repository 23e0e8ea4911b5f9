//! Windows access lists for the files of profiles. Only this user may use the files; in the machine-wide folders, those
//! whom the administrators allow to use the folder.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::access::{Access, AccessError, Finding, MODIFY, is_broad};
use super::file::windows as system;
use super::folders;
use crate::windows::user_sid;

/// A descriptor that gives the administrators all rights to a folder and everything in it.
const MACHINE: &str = "O:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)";

/// The Windows error for users other than administrators.
const INVALID_OWNER: i32 = 1307;

/// Returns the machine-wide folder that contains `path`.
fn machine(path: &Path) -> Option<PathBuf> {
    folders::machine().filter(|base| path.starts_with(base))
}

/// Returns whether the folder contains the tokens of a machine-wide profile.
fn is_shared(folder: &Path) -> bool {
    folders::machine_records().is_some_and(|records| folder.parent() == Some(&records))
}

fn me() -> Option<String> {
    user_sid().ok()
}

/// Creates a file that must not exist. In a machine-wide folder, a file without a secret is accessible to everyone who
/// may use the folder.
///
/// # Errors
/// Returns an error if the path exists, or if the folder can't be written to.
pub(in crate::store) fn create(path: &Path, secret: bool) -> io::Result<File> {
    let folder = path.parent().filter(|folder| machine(folder).is_some());
    let descriptor = match folder {
        Some(folder) => system::access(folder)?.handed_down(secret),
        None => system::user_alone()?,
    };
    system::create(path, &descriptor)
}

/// Creates a folder and its missing parents.
///
/// # Errors
/// Returns an error if they can't be created.
pub(in crate::store) fn create_folder(folder: &Path) -> io::Result<()> {
    let is_missing = |one: &&Path| !one.as_os_str().is_empty() && !one.exists();
    let missing: Vec<&Path> = folder.ancestors().take_while(is_missing).collect();
    for one in missing.into_iter().rev() {
        let descriptor = match machine(one) {
            // The names of the profiles are not secret.
            Some(_) if folders::machine_records().as_deref() == Some(one) => {
                format!("{MACHINE}(A;;0x1200a9;;;BU)")
            }
            Some(_) if is_shared(one) => MACHINE.to_owned(),
            Some(_) => format!("{MACHINE}(A;OICI;0x1200a9;;;BU)"),
            None => system::user_alone()?.replace("(A;;", "(A;OICI;"),
        };
        match system::create_folder(one, &descriptor) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            // Only an administrator can make the administrators the owner.
            Err(error) if error.raw_os_error() == Some(INVALID_OWNER) => {
                return Err(io::ErrorKind::PermissionDenied.into());
            }
            outcome => outcome?,
        }
    }
    Ok(())
}

/// Checks that no other user can replace the contents of a folder. Any user could have created a machine-wide folder
/// first, so the owner of each level is checked.
///
/// # Errors
/// Returns an error that says what is wrong.
pub(in crate::store) fn check_folder(folder: &Path) -> Result<(), AccessError> {
    let Some(base) = machine(folder) else {
        // Links are followed, as on other systems.
        let real = folder.canonicalize();
        let about = access(real.as_deref().unwrap_or(folder))?;
        return judge(folder, &about, false, &[]);
    };
    for one in folder.ancestors().take_while(|one| one.starts_with(&base)) {
        let about = std::fs::symlink_metadata(one);
        if !about.map_err(|error| unknown(one, &error))?.is_dir() {
            return Err(AccessError::Link(one.to_owned()));
        }
        let access = access(one)?;
        judge(one, &access, false, &granted(one, &access))?;
    }
    Ok(())
}

/// Checks that no other user can change a file, or read it if it is `secret`.
///
/// # Errors
/// Returns an error that says what is wrong.
pub(in crate::store) fn check_file(
    file: &File,
    path: &Path,
    secret: bool,
) -> Result<(), AccessError> {
    let mut about = system::access_of(file).map_err(|error| unknown(path, &error))?;
    let mut accounts = Vec::new();
    if let Some(folder) = path.parent().filter(|folder| machine(folder).is_some()) {
        check_folder(folder)?;
        let of_folder = access(folder)?;
        accounts = granted(folder, &of_folder);
        // Those who may create files in the folder are known. A file of a service belongs to the account that the
        // service signed in with.
        about.owner = of_folder.owner;
    }
    judge(path, &about, secret, &accounts)
}

fn access(path: &Path) -> Result<Access, AccessError> {
    system::access(path).map_err(|error| unknown(path, &error))
}

fn unknown(path: &Path, error: &io::Error) -> AccessError {
    AccessError::Unknown {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

/// Returns the accounts that the administrators allow to use the tokens of a profile.
fn granted(folder: &Path, access: &Access) -> Vec<String> {
    if !is_shared(folder) {
        return Vec::new();
    }
    let accounts = access.accounts().filter(|account| !is_broad(account));
    accounts.map(str::to_owned).collect()
}

fn judge(
    path: &Path,
    access: &Access,
    secret: bool,
    accounts: &[String],
) -> Result<(), AccessError> {
    let me = me().unwrap_or_default();
    let is_trusted = |account: &str| account == me || accounts.iter().any(|one| one == account);
    let path = path.to_owned();
    let (can, account) = match access.finding(secret, is_trusted) {
        None => return Ok(()),
        Some(Finding::Owner(owner)) => return Err(AccessError::Owner { path, owner }),
        Some(Finding::Read(account)) => ("read", account),
        Some(Finding::Change(account)) => ("changed", account),
    };
    let command = removal(&path, &account, &me, machine(&path).is_some());
    Err(AccessError::Others {
        path,
        can,
        account,
        command,
    })
}

/// Returns the command that removes the access of an account. Entries that are inherited from a folder can't be removed from a
/// file alone: in the folders of the machine, the command converts them, because services depend on the others.
fn removal(path: &Path, account: &str, me: &str, is_machine: bool) -> String {
    let at = path.display();
    if is_machine {
        format!("icacls \"{at}\" /inheritance:d /remove:g *{account}")
    } else {
        format!("icacls \"{at}\" /inheritance:r /remove:g *{account} /grant *{me}:F")
    }
}

/// Allows only `accounts` and the administrators to use the tokens of a machine-wide profile.
///
/// # Errors
/// Returns an error if this user isn't allowed to change the access list.
pub(in crate::store) fn grant(folder: &Path, accounts: &[String]) -> io::Result<()> {
    let of_account = |account: &String| format!("(A;OICI;{MODIFY:#x};;;{account})");
    let list: String = accounts.iter().map(of_account).collect();
    system::set_access(folder, &format!("{MACHINE}{list}"))?;
    let handed_down = system::access(folder)?.handed_down(true);
    for entry in std::fs::read_dir(folder)? {
        system::set_access(&entry?.path(), &handed_down)?;
    }
    Ok(())
}

/// Allows the accounts that may use the folder `like` to use a new folder of tokens.
///
/// # Errors
/// Returns an error if this user isn't allowed to change the access list.
pub(in crate::store) fn share_as(folder: &Path, like: &Path) -> io::Result<()> {
    if !is_shared(folder) || folder == like {
        return Ok(());
    }
    grant(folder, &granted(like, &system::access(like)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_keeps_the_access_of_services_in_machine_folders() {
        let path = Path::new(r"C:\a b");
        assert_eq!(
            removal(path, "S-1-1-0", "S-1-5-21-1", true),
            r#"icacls "C:\a b" /inheritance:d /remove:g *S-1-1-0"#
        );
        assert_eq!(
            removal(path, "S-1-1-0", "S-1-5-21-1", false),
            r#"icacls "C:\a b" /inheritance:r /remove:g *S-1-1-0 /grant *S-1-5-21-1:F"#
        );
    }
}
