//! Windows access lists: who may read and change a file. Only decides; `file` reads the lists.

use std::path::PathBuf;

use crate::clean::clean_path;

/// The security identifier (SID) of the system account.
const SYSTEM: &str = "S-1-5-18";
/// The SID of the computer's administrators.
const ADMINISTRATORS: &str = "S-1-5-32-544";
/// The SID that stands for the owner of a file.
const OWNER_RIGHTS: &str = "S-1-3-4";

/// The rights to read the contents, specific or generic.
const READ: u32 = 0x0000_0001 | GENERIC_READ | GENERIC_ALL;
/// The rights to change the contents, the entries of a folder, the file itself, its access list or its owner.
const CHANGE: u32 =
    0x0000_0002 | 0x0000_0004 | 0x0000_0040 | 0x000D_0000 | GENERIC_WRITE | GENERIC_ALL;
const GENERIC_READ: u32 = 0x8000_0000;
const GENERIC_WRITE: u32 = 0x4000_0000;
const GENERIC_ALL: u32 = 0x1000_0000;

/// The rights of a service to the tokens of its profile: Modify, which excludes changing the access list and the owner.
pub const MODIFY: u32 = 0x0013_01BF;

/// An entry that allows something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The security identifier of the account.
    pub account: String,
    /// The rights, as a bit mask.
    pub rights: u32,
}

/// The owner of a file or folder, and what its access list allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The security identifier of the owner.
    pub owner: String,
    /// The entries that apply to the object itself, not only to objects inside of it, and allow something. `None` if
    /// there is no access list, which allows everyone everything.
    pub entries: Option<Vec<Entry>>,
}

/// A problem with an access list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// The object belongs to this account.
    Owner(String),
    /// This account can read the object.
    Read(String),
    /// This account can change the object.
    Change(String),
}

/// Why a file or folder can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// A folder is a link.
    #[error("{} is a link, not a folder. Remove it.", clean_path(.0))]
    Link(PathBuf),
    /// The file or folder belongs to another account.
    #[error("{} belongs to another account ({owner}). Run the program as that user, or have an administrator delete it.", clean_path(.path))]
    Owner {
        /// The file or folder.
        path: PathBuf,
        /// The security identifier of its owner.
        owner: String,
    },
    /// The access list allows another account to use the file or folder.
    #[error("{} can be {can} by another account ({account}). Run: {command}", clean_path(.path))]
    Others {
        /// The file or folder.
        path: PathBuf,
        /// What the account can do, as a participle.
        can: &'static str,
        /// The security identifier of the account.
        account: String,
        /// The command that removes this access.
        command: String,
    },
    /// The system can't tell who may use the file or folder.
    #[error("The access list of {} can't be read: {}.", clean_path(.path), .reason.trim_end_matches('.'))]
    Unknown {
        /// The file or folder.
        path: PathBuf,
        /// The system's error message.
        reason: String,
    },
}

/// Returns whether the account is the system or the administrators, who can do everything anyway.
#[must_use]
pub fn is_administrator(account: &str) -> bool {
    account == SYSTEM || account == ADMINISTRATORS
}

/// Returns whether anyone may be a member of the group. No file of a service may be accessible to such a group.
#[must_use]
pub fn is_broad(account: &str) -> bool {
    let is_domain_group = account
        .strip_prefix("S-1-5-21-")
        .and_then(|rest| rest.rsplit('-').next())
        // Users, guests and computers of a domain.
        .is_some_and(|last| matches!(last, "501" | "513" | "514" | "515"));
    let is_local_group = account.starts_with("S-1-5-32-") && account != ADMINISTRATORS;
    // After `S-1-5-`, a single number stands for everyone with one kind of sign-in, except for the service accounts.
    let is_sign_in = account
        .strip_prefix("S-1-5-")
        .is_some_and(|rest| !rest.contains('-') && !matches!(rest, "18" | "19" | "20"));
    // All services, all applications in containers, all virtual machines.
    let is_all_of_a_kind = account.starts_with("S-1-15-2-")
        || matches!(account, "S-1-5-80-0" | "S-1-5-82-0" | "S-1-5-83-0");
    let is_nt = account.starts_with("S-1-5-") || account.starts_with("S-1-12-1-");
    is_domain_group || is_local_group || is_sign_in || is_all_of_a_kind || !is_nt
}

impl Access {
    /// Returns the first problem of a file or folder that only the administrators and `trusted` may change and, if it
    /// is `secret`, read. Entries that deny something are ignored.
    #[must_use]
    pub fn finding(&self, secret: bool, trusted: impl Fn(&str) -> bool) -> Option<Finding> {
        let is_trusted = |account: &str| is_administrator(account) || trusted(account);
        if !is_trusted(&self.owner) {
            return Some(Finding::Owner(self.owner.clone()));
        }
        let everyone = || Entry {
            account: "S-1-1-0".to_owned(),
            rights: GENERIC_ALL,
        };
        let entries = self.entries.clone().unwrap_or_else(|| vec![everyone()]);
        let others = entries
            .into_iter()
            .filter(|entry| entry.account != OWNER_RIGHTS && !is_trusted(&entry.account));
        for entry in others {
            if entry.rights & CHANGE != 0 {
                return Some(Finding::Change(entry.account));
            }
            if secret && entry.rights & READ != 0 {
                return Some(Finding::Read(entry.account));
            }
        }
        None
    }

    /// Returns a descriptor, in text form, for a file that is accessible to the accounts that may use this folder. A
    /// file with a secret is not accessible to groups that anyone may be a member of.
    #[must_use]
    pub fn handed_down(&self, secret: bool) -> String {
        let entries = self.entries.iter().flatten();
        let entries = entries.filter(|entry| {
            !secret || is_administrator(&entry.account) || !is_broad(&entry.account)
        });
        let entries = entries.map(|entry| format!("(A;;{:#x};;;{})", entry.rights, entry.account));
        format!("D:P{}", entries.collect::<String>())
    }

    /// Returns the accounts other than the administrators.
    pub fn accounts(&self) -> impl Iterator<Item = &str> {
        let entries = self.entries.iter().flatten();
        let accounts = entries.map(|entry| entry.account.as_str());
        accounts.filter(|account| !is_administrator(account))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: &str = "S-1-5-21-1-2-3-1001";
    const SERVICE: &str = "S-1-5-80-1-2-3-4-5";

    fn access(owner: &str, entries: &[(&str, u32)]) -> Access {
        let entries = entries.iter().map(|(account, rights)| Entry {
            account: (*account).to_owned(),
            rights: *rights,
        });
        Access {
            owner: owner.to_owned(),
            entries: Some(entries.collect()),
        }
    }

    #[test]
    fn access_of_other_accounts_is_detected() {
        let (everyone, other) = ("S-1-1-0", "S-1-5-21-1-2-3-1002");
        let of = |account: &str| account == ME;
        let all = 0x001F_01FF;
        let read = 0x0012_0089;
        let change = |account: &str| Some(Finding::Change(account.to_owned()));
        for (entries, open, secret) in [
            (
                vec![(ME, all), (SYSTEM, all), (ADMINISTRATORS, all)],
                None,
                None,
            ),
            (
                vec![(ME, all), (everyone, read)],
                None,
                Some(Finding::Read(everyone.to_owned())),
            ),
            (
                vec![(other, GENERIC_READ)],
                None,
                Some(Finding::Read(other.to_owned())),
            ),
            (vec![(other, GENERIC_ALL)], change(other), change(other)),
            (vec![(other, MODIFY)], change(other), change(other)),
            // The rights to delete the file, and to change its access list and its owner.
            (vec![(other, 0x0001_0000)], change(other), change(other)),
            (vec![(other, 0x0004_0000)], change(other), change(other)),
            (vec![(other, 0x0008_0000)], change(other), change(other)),
            // The rights to read attributes and the access list, and to wait.
            (vec![(other, 0x0012_0080)], None, None),
            (vec![(OWNER_RIGHTS, all)], None, None),
        ] {
            for owner in [ME, SYSTEM, ADMINISTRATORS] {
                let list = access(owner, &entries);
                assert_eq!(list.finding(false, of), open, "{list:?}");
                assert_eq!(list.finding(true, of), secret, "{list:?}");
            }
            let foreign = access(other, &entries);
            assert_eq!(
                foreign.finding(false, of),
                Some(Finding::Owner(other.to_owned()))
            );
        }
        let none = Access {
            owner: ME.to_owned(),
            entries: None,
        };
        assert_eq!(none.finding(false, of), change(everyone));
    }

    #[test]
    fn access_errors_name_the_path() {
        let path = PathBuf::from("/data/office");
        let account = "S-1-5-7".to_owned();
        for (error, text) in [
            (
                AccessError::Link(path.clone()),
                "/data/office is a link, not a folder. Remove it.",
            ),
            (
                AccessError::Others {
                    path: path.clone(),
                    can: "changed",
                    account,
                    command: "icacls x".to_owned(),
                },
                "/data/office can be changed by another account (S-1-5-7). Run: icacls x",
            ),
            (
                AccessError::Unknown {
                    path,
                    reason: "Access is denied.".to_owned(),
                },
                "The access list of /data/office can't be read: Access is denied.",
            ),
        ] {
            assert_eq!(error.to_string(), text);
        }
    }

    #[test]
    fn broad_groups_are_distinguished_from_accounts() {
        for account in [
            ME,
            SERVICE,
            SYSTEM,
            "S-1-5-19",
            "S-1-5-20",
            "S-1-5-82-1-2-3-4-5",
            "S-1-12-1-1-2-3-4",
        ] {
            assert!(!is_broad(account), "{account}");
        }
        for group in [
            "S-1-1-0",
            "S-1-3-0",
            "S-1-5-2",
            "S-1-5-4",
            "S-1-5-7",
            "S-1-5-11",
            "S-1-5-32-545",
            "S-1-5-32-546",
            "S-1-5-21-1-2-3-513",
            "S-1-5-80-0",
            "S-1-15-2-1",
        ] {
            assert!(is_broad(group), "{group}");
        }
    }

    #[test]
    fn files_inherit_the_access_of_their_folder() {
        let users = "S-1-5-32-545";
        let folder = access(
            ADMINISTRATORS,
            &[
                (SYSTEM, 0x001F_01FF),
                (SERVICE, MODIFY),
                (users, 0x0012_00A9),
            ],
        );
        let secret = format!("D:P(A;;0x1f01ff;;;{SYSTEM})(A;;0x1301bf;;;{SERVICE})");
        assert_eq!(folder.handed_down(true), secret);
        let open = format!("{secret}(A;;0x1200a9;;;{users})");
        assert_eq!(folder.handed_down(false), open);
        assert_eq!(folder.accounts().collect::<Vec<_>>(), [SERVICE, users]);
    }
}
