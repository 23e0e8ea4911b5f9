//! Finds the files of profiles: in the folders of the user or of the machine, or in one folder given by the user.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::name::ProfileName;
use crate::clean::{clean_path, system_reason};
use crate::oauth::tools::looks_like_token;
use crate::quote::{self, INSPECT_FILE};
use crate::store::file::named;
use crate::store::folders;

/// The environment variable for the folder that contains all profiles.
pub const VARIABLE: &str = "OAUTH_AUTHORIZER_PROFILES";

/// Whether file names are case-insensitive, as by default on these systems.
const IGNORES_CASE: bool = cfg!(any(windows, target_os = "macos"));

/// The owner of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// This user.
    User,
    /// The machine.
    Machine,
    /// Whoever owns the folder given by a flag or the environment variable.
    Named,
}

/// The folders of one owner, for settings and for records.
#[derive(Debug, Clone)]
struct Folders {
    owner: Owner,
    settings: PathBuf,
    records: PathBuf,
}

/// The folders to search, in this order.
#[derive(Debug, Clone)]
pub struct Places(Vec<Folders>);

/// The error if this system has no home folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "There is no home folder to look for profiles in. Set HOME, or name a folder with --profiles or {VARIABLE}."
)]
pub struct NoFolder;

/// The error if no profile has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("There is no profile {}.", shown(.name))]
pub struct NoProfile {
    name: String,
    known: Vec<String>,
    /// The profile folder given by the user.
    folder: Option<PathBuf>,
    /// Why it was not found, as a sentence, if something prevents the search.
    problem: Option<String>,
    /// That there are no profiles, as a sentence.
    none: String,
}

/// Returns the name, unless it may be a token.
fn shown(name: &str) -> String {
    if looks_like_token(name) {
        "of that name. It looks like a token, so it is not repeated here".to_owned()
    } else {
        format!("\"{name}\"")
    }
}

impl NoProfile {
    /// Returns the fix, as a sentence.
    #[must_use]
    pub fn hint(&self) -> String {
        if looks_like_token(&self.name) {
            format!(
                "Other users can read arguments: pass a token on standard input only, as in `{INSPECT_FILE}`."
            )
        } else if let Some(problem) = &self.problem {
            problem.clone()
        } else if self.known.is_empty() {
            format!(
                "{} Sign in and save it: oauth-authorizer --plain --preset PRESET --client-id ID --save {}",
                self.none,
                target(&self.name, self.folder.as_deref())
            )
        } else {
            format!("Profiles: {}.", self.known.join(", "))
        }
    }
}

/// Returns why a folder can't be searched, as a sentence; `None` if it can.
fn folder_problem(folder: &Path) -> Option<String> {
    let error = std::fs::read_dir(folder).err()?;
    let shown = clean_path(folder);
    Some(match error.kind() {
        ErrorKind::NotFound => format!("The folder {shown} does not exist."),
        // Windows has several errors for this.
        _ if folder.is_file() => format!("{shown} is not a folder."),
        _ => {
            let reason = error.to_string();
            format!(
                "The folder {shown} can't be read: {}.",
                system_reason(&reason)
            )
        }
    })
}

/// The files of one profile.
#[derive(Debug, Clone)]
pub struct Place {
    /// The name of the profile.
    pub name: ProfileName,
    /// The owner of the profile.
    pub owner: Owner,
    /// The security identifier of the account that may use the tokens of a machine profile, if an account other than
    /// administrators is to be allowed.
    pub account: Option<String>,
    folders: Folders,
}

impl Places {
    /// Returns only the folder given by the user, if any; otherwise the folders of this user and of the machine.
    ///
    /// # Errors
    /// Returns an error if this system has no home folder.
    pub fn new(folder: Option<&Path>) -> Result<Self, NoFolder> {
        if let Some(folder) = folder {
            // Without a separator at its end, which can't be quoted for Windows.
            let folder: PathBuf = named::absolute(folder).components().collect();
            return Ok(Self(vec![Folders {
                owner: Owner::Named,
                settings: folder.clone(),
                records: folder,
            }]));
        }
        let pair = |owner, settings: Option<PathBuf>, records: Option<PathBuf>| {
            Some(Folders {
                owner,
                settings: settings?,
                records: records?,
            })
        };
        let own = pair(Owner::User, folders::profiles(), folders::records());
        let machine = pair(
            Owner::Machine,
            folders::machine_profiles(),
            folders::machine_records(),
        );
        let all: Vec<Folders> = own.into_iter().chain(machine).collect();
        if all.is_empty() {
            Err(NoFolder)
        } else {
            Ok(Self(all))
        }
    }

    /// Checks whether the folder given by the user can be searched. Other folders may not exist yet.
    ///
    /// # Errors
    /// Returns an error, as a sentence, if it can't.
    pub fn check_named(&self) -> Result<(), String> {
        self.named().and_then(folder_problem).map_or(Ok(()), Err)
    }

    /// Checks whether the folders of this user can be searched, unless they don't exist yet.
    ///
    /// # Errors
    /// Returns an error, as a sentence, if they can't.
    pub fn check_own(&self) -> Result<(), String> {
        self.unreadable(Owner::User).map_or(Ok(()), Err)
    }

    /// Checks whether there is a home folder to look for profiles in, or at least a profile of the machine.
    ///
    /// # Errors
    /// Returns an error if there is neither.
    pub fn check_home(&self) -> Result<(), NoFolder> {
        let has_own = self.0.iter().any(|folders| folders.owner != Owner::Machine);
        if has_own || !self.all().is_empty() {
            Ok(())
        } else {
            Err(NoFolder)
        }
    }

    /// Says that there are no profiles, and where they were looked for.
    #[must_use]
    pub fn none(&self) -> String {
        let folders = self.0.iter().map(|folders| clean_path(&folders.settings));
        let folders: Vec<String> = folders.collect();
        format!("There are no profiles in {}.", folders.join(" or "))
    }

    /// Returns why an existing folder of this owner can't be searched, as a sentence. Each profile reports its record.
    fn unreadable(&self, owner: Owner) -> Option<String> {
        let problem = |folder: &Path| match std::fs::read_dir(folder) {
            Ok(_) => Some(None),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(_) => Some(folder_problem(folder)),
        };
        let mut of_owner = self.0.iter().filter(|folders| folders.owner == owner);
        of_owner
            .find_map(|folders| problem(&folders.settings).or_else(|| problem(&folders.records)))
            .flatten()
    }

    /// Returns what prevents the search for a profile, as a sentence.
    fn problem(&self) -> Option<String> {
        if let Some(named) = self.named() {
            return folder_problem(named);
        }
        if !self.0.iter().any(|folders| folders.owner == Owner::User) {
            return Some(NoFolder.to_string());
        }
        // Normally only administrators can read the folder of the machine.
        self.unreadable(Owner::Machine)
            .map(|problem| format!("It may be a profile of this machine. {problem}"))
    }

    /// Returns the folder given by the user.
    fn named(&self) -> Option<&Path> {
        let mut all = self.0.iter();
        let named = all.find(|folders| folders.owner == Owner::Named)?;
        Some(&named.settings)
    }

    /// Returns only these folders of a user, for settings and for tokens. Only tests need this.
    #[must_use]
    pub fn of_user(settings: PathBuf, records: PathBuf) -> Self {
        Self(vec![Folders {
            owner: Owner::User,
            settings,
            records,
        }])
    }

    /// Returns whether machine profiles have separate folders.
    #[must_use]
    pub fn has_machine(&self) -> bool {
        self.0.iter().any(|folders| folders.owner == Owner::Machine)
    }

    /// Returns where a new profile of this name would be. Accesses no file.
    #[must_use]
    pub fn new_place(&self, name: &ProfileName, machine: bool) -> Option<Place> {
        let owner = if machine { Owner::Machine } else { Owner::User };
        let fits = |folders: &&Folders| folders.owner == owner || folders.owner == Owner::Named;
        let folders = self.0.iter().find(fits)?;
        Some(Place::new(name.clone(), folders))
    }

    /// Returns the profile of this name; a user's profile has priority over the machine's.
    #[must_use]
    pub fn find(&self, name: &ProfileName) -> Option<Place> {
        self.0.iter().find_map(|folders| {
            let place = Place::new(name.clone(), folders);
            // If names are case-insensitive, the file name may differ in case from this name.
            if !IGNORES_CASE && place.settings().exists() {
                return Some(place);
            }
            Some(Place::new(known(name, folders)?, folders))
        })
    }

    /// Returns the profile of this name.
    ///
    /// # Errors
    /// Returns an error if no profile has this name.
    pub fn get(&self, name: &ProfileName) -> Result<Place, NoProfile> {
        self.find(name).ok_or_else(|| NoProfile {
            name: name.to_string(),
            known: self
                .all()
                .iter()
                .map(|place| place.name.to_string())
                .collect(),
            folder: self.named().map(Path::to_owned),
            problem: self.problem(),
            none: self.none(),
        })
    }

    /// Returns where a profile of this name is saved: in the folder given by the user, or else in that of the user or
    /// the machine.
    ///
    /// # Errors
    /// Returns an error if this system has no home folder.
    pub fn place(&self, name: &ProfileName, machine: bool) -> Result<Place, NoFolder> {
        let owner = if machine { Owner::Machine } else { Owner::User };
        let fits = |folders: &&Folders| folders.owner == owner || folders.owner == Owner::Named;
        let folders = self.0.iter().find(fits).ok_or(NoFolder)?;
        let known = known(name, folders);
        Ok(Place::new(known.unwrap_or_else(|| name.clone()), folders))
    }

    /// Returns all profiles, sorted by name. A name used by both the user and the machine occurs twice.
    #[must_use]
    pub fn all(&self) -> Vec<Place> {
        let mut all = BTreeMap::new();
        for (order, folders) in self.0.iter().enumerate() {
            for name in names(folders) {
                if let Ok(parsed) = name.parse::<ProfileName>() {
                    let place = Place::new(parsed, folders);
                    all.insert((name.to_ascii_lowercase(), order), place);
                }
            }
        }
        all.into_values().collect()
    }
}

fn target(name: &str, folder: Option<&Path>) -> String {
    let Some(folder) = folder else {
        return name.to_owned();
    };
    let folder = folder.display().to_string();
    let quoted = quote::shell_line(&[&folder]);
    format!("{name} --profiles {}", quoted.unwrap_or(folder))
}

/// Returns the name of a profile as its files are named: the same name, or one that differs only in case.
fn known(name: &ProfileName, folders: &Folders) -> Option<ProfileName> {
    let mut same = names(folders);
    same.retain(|known| name.is(known));
    let exact = same.iter().find(|known| *known == name.as_str());
    exact.or_else(|| same.first())?.parse().ok()
}

/// Returns the names of the profiles in these folders. Tokens without a settings file count: a user who deleted the
/// settings file manually must still be able to find and delete the tokens.
fn names(folders: &Folders) -> Vec<String> {
    let mut names = with_ending(&folders.settings, ".toml");
    // If each record has its own folder, the folder has the name of the profile.
    let records = if has_folder_of_its_own(folders.owner) {
        with_ending(&folders.records, "")
    } else {
        with_ending(&folders.records, ".record")
    };
    names.extend(records);
    names.sort();
    names.dedup();
    names
}

/// Returns the names of the files in a folder that have this ending, without the ending.
fn with_ending(folder: &Path, ending: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            name.strip_suffix(ending).map(str::to_owned)
        })
        .collect()
}

/// Returns whether each record has its own folder, with an access list that says which service may use the tokens.
fn has_folder_of_its_own(owner: Owner) -> bool {
    cfg!(windows) && owner == Owner::Machine
}

impl Place {
    fn new(name: ProfileName, folders: &Folders) -> Self {
        let mut folders = folders.clone();
        if has_folder_of_its_own(folders.owner) {
            folders.records.push(name.as_str());
        }
        Self {
            name,
            owner: folders.owner,
            account: None,
            folders,
        }
    }

    /// Returns whether both are the same profile.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.owner == other.owner && self.name.is(other.name.as_str())
    }

    /// Returns the same place under another name.
    #[must_use]
    pub fn renamed(&self, name: &ProfileName) -> Self {
        let mut renamed = self.clone();
        renamed.name = name.clone();
        if has_folder_of_its_own(self.owner) {
            renamed.folders.records.set_file_name(name.as_str());
        }
        renamed
    }

    /// Returns the folder of the settings.
    #[must_use]
    pub fn settings_folder(&self) -> &Path {
        &self.folders.settings
    }

    /// Returns the folder of the record.
    #[must_use]
    pub fn record_folder(&self) -> &Path {
        &self.folders.records
    }

    /// Returns the path of the settings file.
    #[must_use]
    pub fn settings(&self) -> PathBuf {
        self.folders.settings.join(format!("{}.toml", self.name))
    }

    /// Returns the path of the settings that were replaced last, and differed.
    #[must_use]
    pub fn settings_before(&self) -> PathBuf {
        self.settings().with_extension("toml.before")
    }

    /// Returns the path of the record, which contains the tokens and the client secret.
    #[must_use]
    pub fn record(&self) -> PathBuf {
        self.beside("record")
    }

    /// Returns the path of the lock file, which the process that writes the record keeps locked.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.beside("lock")
    }

    /// Returns the path of the note about the current or last attempt to refresh.
    #[must_use]
    pub fn attempt(&self) -> PathBuf {
        self.beside("attempt")
    }

    /// Returns the path of the file in which the next record is written.
    #[must_use]
    pub fn next(&self) -> PathBuf {
        self.beside("next")
    }

    /// Returns the arguments for this profile in suggested commands: its name, and the flag for its folder if needed.
    #[must_use]
    pub fn target(&self) -> String {
        let folder = (self.owner == Owner::Named).then_some(&*self.folders.settings);
        target(self.name.as_str(), folder)
    }

    fn beside(&self, end: &str) -> PathBuf {
        self.folders.records.join(format!("{}.{end}", self.name))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    #[test]
    fn profile_lookup_ignores_case_and_stays_in_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("Office.toml"), "").unwrap();
        std::fs::write(folder.path().join("no name.toml"), "").unwrap();
        let places = Places::new(Some(folder.path())).unwrap();
        let place = places.find(&"office".parse().unwrap()).unwrap();
        assert_eq!(place.name.as_str(), "Office");
        assert_eq!(place.record(), folder.path().join("Office.record"));
        assert!(places.find(&"other".parse().unwrap()).is_none());
        assert_eq!(places.all().len(), 1);
        let new = places.place(&"other".parse().unwrap(), false).unwrap();
        assert_eq!(new.owner, Owner::Named);
    }

    #[test]
    fn named_folder_is_expanded_and_has_no_separator_at_its_end() {
        let home = std::env::home_dir().unwrap();
        for folder in ["~/none", "~/none/", "\"~/none\""] {
            let places = Places::new(Some(Path::new(folder))).unwrap();
            let named = places.named().unwrap().as_os_str();
            assert_eq!(named, home.join("none").as_os_str(), "{folder}");
        }
    }

    #[test]
    fn only_a_named_folder_must_exist() {
        let folder = tempfile::tempdir().unwrap();
        let (missing, file) = (folder.path().join("missing"), folder.path().join("file"));
        std::fs::write(&file, "").unwrap();
        for (path, problem) in [
            (folder.path(), None),
            (
                &missing,
                Some(format!("The folder {} does not exist.", missing.display())),
            ),
            (&file, Some(format!("{} is not a folder.", file.display()))),
        ] {
            let places = Places::new(Some(path)).unwrap();
            assert_eq!(places.check_named().err(), problem);
            let hint = places.get(&"office".parse().unwrap()).unwrap_err().hint();
            assert!(problem.is_none_or(|problem| hint == problem), "{hint}");
        }
        let own = Places::of_user(missing.clone(), missing);
        assert_eq!(own.check_named(), Ok(()));
        assert_eq!(own.check_own(), Ok(()));
    }

    #[test]
    fn own_folder_that_cannot_be_searched_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let missing = folder.path().join("missing");
        for (settings, records) in [(&file, &missing), (&missing, &file)] {
            let places = Places::of_user(settings.clone(), records.clone());
            let problem = format!("{} is not a folder.", file.display());
            assert_eq!(places.check_own(), Err(problem));
        }
    }

    #[test]
    fn profile_is_not_found_without_a_home_folder_or_in_a_locked_machine_folder() {
        let folder = tempfile::tempdir().unwrap();
        let machine = folder.path().join("machine");
        let of = |owner, path: &Path| Folders {
            owner,
            settings: path.to_owned(),
            records: path.to_owned(),
        };
        let hint = |places: &Places| places.get(&"office".parse().unwrap()).unwrap_err().hint();
        let homeless = Places(vec![of(Owner::Machine, &machine)]);
        assert_eq!(hint(&homeless), NoFolder.to_string());
        assert_eq!(homeless.check_home(), Err(NoFolder));
        let both = Places(vec![
            of(Owner::User, folder.path()),
            of(Owner::Machine, &machine),
        ]);
        assert!(
            hint(&both).contains(" Sign in and save it: "),
            "{}",
            hint(&both)
        );
        assert_eq!(both.check_home(), Ok(()));
        std::fs::write(&machine, "").unwrap();
        let expected = format!(
            "It may be a profile of this machine. {} is not a folder.",
            machine.display()
        );
        assert_eq!(hint(&both), expected);
        std::fs::remove_file(&machine).unwrap();
        std::fs::create_dir(&machine).unwrap();
        std::fs::write(machine.join("relay.toml"), "").unwrap();
        assert_eq!(homeless.check_home(), Ok(()));
    }

    #[test]
    fn record_without_settings_is_treated_as_a_profile() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["office.record", "gone.record", "office.toml", "other.lock"] {
            std::fs::write(folder.path().join(file), "").unwrap();
        }
        let places = Places::new(Some(folder.path())).unwrap();
        let names: Vec<String> = places.all().iter().map(|it| it.name.to_string()).collect();
        assert_eq!(names, ["gone", "office"]);
        assert!(places.find(&"gone".parse().unwrap()).is_some());
        assert!(places.find(&"other".parse().unwrap()).is_none());
    }
}
