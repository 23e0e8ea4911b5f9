//! `profiles export` and `profiles import`: transfer a profile in one file, encrypted by the program age.

use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::stop::Ended;
use super::wiped::Wiped;
use crate::child;
use crate::clean::{clean, clean_path};
use crate::console::talk::say;
use crate::keeper::profile::settings_outcome;
use crate::keeper::save::{current, lock, save_imported};
use crate::keeper::save_error::SaveError;
use crate::outcome::exit;
use crate::profile::destinations::destinations;
use crate::profile::name::ProfileName;
use crate::profile::places::{Place, Places};
use crate::profile::settings_file::{SettingsError, SettingsFile, read_bytes};
use crate::profile::store_kind::Store;
use crate::secret;
use crate::store::file::named;
use crate::store::file::read::{Kinds, check as check_file, in_time, read as read_file};
use crate::store::issued_for::IssuedFor;
use crate::store::private::PrivateError;
use crate::store::record::Record;
use crate::store::record_error::{Damage, RecordError};

/// The format version that this program writes.
const FORMAT: u32 = 1;
/// Maximum size of a file to import, in bytes.
const LIMIT: u64 = 4 * 1024 * 1024;
/// The first bytes of age files, in binary and in ASCII format.
const AGE: [&[u8]; 2] = [
    b"age-encryption.org/",
    b"-----BEGIN AGE ENCRYPTED FILE-----",
];

/// What age wrote says more.
const AGE_FAILED: &str = "The program age failed; see its message above.";
/// Why another file can't be imported.
const DAMAGED: &str = "It is not a file of `oauth-authorizer profiles export`, or it is damaged.";
/// Why a file with a later format can't be imported.
const NEWER: &str = "A newer version of this program wrote it. Update the program.";

/// A profile in one file, to be written.
#[derive(Serialize)]
struct Exported<'a> {
    format: u32,
    profile: &'a str,
    settings: &'a str,
    record: &'a Record,
}

/// A profile in one file, as it was read.
#[derive(Deserialize)]
struct Imported {
    format: u32,
    profile: String,
    settings: String,
    record: Wiped,
}

/// The file to import, and the options.
pub(super) struct Import<'a> {
    pub(super) file: &'a Path,
    pub(super) identity: Option<&'a Path>,
    pub(super) name: Option<&'a ProfileName>,
    pub(super) if_newer: bool,
    pub(super) allow_commands: bool,
    pub(super) machine: bool,
    pub(super) folder: Option<&'a Path>,
}

/// Why an export or import failed, with the exit code.
type Failure = (u8, String);

fn report<T>(place: &str, outcome: Result<T, Failure>) -> Result<T, u8> {
    outcome.map_err(|(code, text)| {
        say("error", &format!("{place}: {text}"));
        code
    })
}

/// Encrypts a profile and writes it to a file or to standard output.
///
/// # Errors
/// Returns an error if standard output can't be written to.
pub(super) fn export(
    place: &Place,
    to: Option<&Path>,
    recipients: &[String],
    passphrase: bool,
) -> Ended {
    let to = to.filter(|path| path.as_os_str() != "-");
    let to = to.map(named::cleaned);
    // Before age asks for a passphrase.
    if let Some(problem) = to.as_deref().and_then(target_problem) {
        say("error", &problem);
        return Ok(exit::FAILED);
    }
    let mut age = child::command("age");
    if passphrase {
        age.arg("--passphrase");
    }
    for recipient in recipients {
        age.args(["--recipient", recipient]);
    }
    let failed = if passphrase {
        (exit::RECORD, AGE_FAILED.to_owned())
    } else {
        (exit::USAGE, format!("{AGE_FAILED} Check --recipient."))
    };
    let sealed = exported(place).and_then(|bytes| run(age.arg("--encrypt"), &bytes, failed));
    let sealed = report(place.name.as_str(), sealed)?;
    if let Some(path) = to {
        if let Err(error) = write_new(&path, &sealed) {
            let error = PrivateError::system(&path, "written", &error);
            say("error", &format!("{error} Choose another file."));
            return Ok(exit::FAILED);
        }
    } else {
        let mut stdout = io::stdout().lock();
        stdout.write_all(&sealed)?;
        stdout.flush()?;
    }
    say(
        "hint",
        "If the service replaces refresh tokens, use the profile on only one computer: the first refresh on one computer signs \
         out the other.",
    );
    Ok(exit::DONE)
}

/// Returns why a file can't be created there, as a sentence, as far as that is known in advance.
fn target_problem(path: &Path) -> Option<String> {
    let shown = clean_path(path);
    if path.is_dir() {
        return Some(format!("{shown} is a folder. Add the name of a file."));
    }
    // Empty for a bare name, which means the current folder.
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())?;
    (!folder.is_dir()).then(|| {
        let folder = clean_path(folder);
        format!("There is no folder {folder}. Create it, or choose another file.")
    })
}

/// Writes a new file. Fails if the file exists.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Returns the current profile, after waiting for a refresh in progress.
fn exported(place: &Place) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let fail = |text: String| (exit::RECORD, text);
    let _lock = lock(place).map_err(|error| match error {
        SaveError::Busy => (exit::BUSY, error.to_string()),
        error => fail(error.to_string()),
    })?;
    let settings = read_bytes(place).map_err(|error| {
        let outcome = settings_outcome(&SettingsError::File(error));
        (outcome.code, outcome.error)
    })?;
    let record = current(place).map_err(|error| fail(error.to_string()))?;
    let record = record.ok_or_else(|| fail("It has no tokens yet.".to_owned()))?;
    let settings = String::from_utf8_lossy(&settings);
    let exported = Exported {
        format: FORMAT,
        profile: place.name.as_str(),
        settings: &settings,
        record: &record,
    };
    // Room for all, even if each character of the settings is escaped: a buffer that grows leaves copies behind.
    let room = record.to_bytes().len() + 6 * settings.len() + 4096;
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    // Writing to memory can't fail, and all keys are strings.
    let _ = serde_json::to_writer(&mut *bytes, &exported);
    Ok(bytes)
}

/// Runs age, which may ask for a passphrase on the terminal, without a time limit. Returns `failed` if age reports an error.
fn run(age: &mut Command, input: &[u8], failed: Failure) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let missing = |error: io::Error| {
        let reason = if error.kind() == io::ErrorKind::NotFound {
            "The program age is not installed. Install it from your distribution or from age-encryption.org.".to_owned()
        } else {
            format!("The program age can't be started: {error}.")
        };
        (exit::RECORD, reason)
    };
    let mut child = age
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(missing)?;
    let mut output = Ok(Zeroizing::default());
    if let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) {
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let _ = stdin.write_all(input);
            });
            output = secret::read(stdout, LIMIT);
        });
    }
    match (child.wait(), output) {
        (Ok(status), Ok(output)) if status.success() => Ok(output),
        _ => Err(failed),
    }
}

/// Imports a profile from a file. Returns the exit code.
pub(super) fn import(import: &Import<'_>) -> u8 {
    let shown = if is_standard_input(import.file) {
        "standard input".to_owned()
    } else {
        clean_path(import.file)
    };
    match report(&shown, try_import(import)) {
        Ok(text) => {
            say("done", &text);
            exit::DONE
        }
        Err(code) => code,
    }
}

fn try_import(import: &Import<'_>) -> Result<String, Failure> {
    let usage = |text: String| (exit::USAGE, text);
    let (text, record, name) = read(import)?;
    let places = Places::new(import.folder).map_err(|error| usage(error.to_string()))?;
    let name = match import.name {
        Some(name) => name.clone(),
        None => name,
    };
    let place = places
        .place(&name, import.machine)
        .map_err(|error| usage(error.to_string()))?;
    let file = SettingsFile::parse(text.as_bytes(), "its settings")
        .map_err(|error| usage(error.to_string()))?;
    let store = file.store().and_then(Store::commands);
    let mut commands: Vec<&[String]> = file.secret_command().into_iter().collect();
    if let Some(store) = &store {
        commands.extend([store.read.as_slice(), store.write.as_slice()]);
    }
    // The tokens are stored where the settings say, which may differ from the other computer.
    let record = Record {
        issued_for: IssuedFor {
            store: store.clone(),
            ..record.issued_for
        },
        ..record
    };
    for command in commands {
        let command = clean(&command.join(" "), 400);
        if !import.allow_commands {
            return Err(usage(format!(
                "Its settings run a command: {command}. Check it, and add --allow-commands to accept it."
            )));
        }
        say("hint", &format!("Its settings run a command: {command}"));
    }
    for place in destinations(&record, &file).map_err(|text| (exit::RECORD, text))? {
        say("hint", &place);
    }
    if !import.if_newer && places.find(&name).is_some() {
        return Err(usage(format!(
            "There is already a profile \"{name}\". Give the imported one another name with --as, or replace the tokens with \
             --if-newer."
        )));
    }
    match save_imported(&place, &text, file, record, import.if_newer) {
        Ok(true) => Ok(format!("Imported as the profile {}.", place.name)),
        Ok(false) => Ok(format!(
            "The profile {} already has tokens that are at least as new. Nothing changed.",
            place.name
        )),
        Err(error @ SaveError::Busy) => Err((exit::BUSY, error.to_string())),
        Err(error) => Err((exit::RECORD, error.to_string())),
    }
}

fn is_standard_input(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Reads the settings, the record and the name from a file.
fn read(import: &Import<'_>) -> Result<(String, Record, ProfileName), Failure> {
    let fail = |text: &str| (exit::RECORD, text.to_owned());
    if let Some(identity) = import.identity {
        let path = identity.to_owned();
        let checked = in_time(move || check_file(&path, Kinds::WithPipes));
        checked.and_then(|checked| checked).map_err(|error| {
            let identity = clean_path(identity);
            (
                exit::USAGE,
                format!("The identity file {identity} can't be used: {error}."),
            )
        })?;
    }
    let bytes = if is_standard_input(import.file) {
        secret::read(io::stdin().lock(), LIMIT).map_err(|error| error.to_string())
    } else {
        read_file(import.file, Kinds::WithPipes, LIMIT).map_err(|error| error.to_string())
    };
    let mut bytes =
        bytes.map_err(|error| (exit::RECORD, format!("It can't be imported: {error}.")))?;
    if AGE.iter().any(|start| bytes.starts_with(start)) {
        let mut age = child::command("age");
        age.arg("--decrypt");
        if let Some(identity) = import.identity {
            age.arg("--identity").arg(named::cleaned(identity));
        }
        bytes = run(&mut age, &bytes, (exit::RECORD, AGE_FAILED.to_owned()))?;
    }
    let exported = serde_json::from_slice(&bytes);
    let exported: Imported = exported.map_err(|_| fail(DAMAGED))?;
    if exported.format > FORMAT {
        return Err(fail(NEWER));
    }
    let name: ProfileName = exported
        .profile
        .parse()
        .map_err(|_| fail("It has no valid profile name."))?;
    // Numbers may become longer.
    let mut record = Zeroizing::new(Vec::with_capacity(2 * bytes.len()));
    let _ = serde_json::to_writer(&mut *record, &exported.record);
    let record = Record::parse(&record, Path::new(&format!("{name}.record")));
    let record = record.map_err(|error| (exit::RECORD, problem(&error)))?;
    Ok((exported.settings, record, name))
}

/// Returns why the record in a file to import can't be used. There is no file with the name in the error yet.
fn problem(error: &RecordError) -> String {
    match error {
        RecordError::Damaged(Damage {
            text: Some(text), ..
        }) => format!("It can't be imported: {text}."),
        RecordError::Damaged(_) => DAMAGED.to_owned(),
        RecordError::Newer { .. } => NEWER.to_owned(),
        RecordError::File(PrivateError::Seal { problem, .. }) => {
            format!("It can't be imported: {problem}.")
        }
        error => error.to_string(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    #[test]
    fn target_file_needs_a_name_and_an_existing_folder() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing");
        assert_eq!(target_problem(&folder.path().join("office.age")), None);
        assert_eq!(target_problem(Path::new("office.age")), None);
        assert_eq!(
            target_problem(folder.path()),
            Some(format!(
                "{} is a folder. Add the name of a file.",
                folder.path().display()
            ))
        );
        assert_eq!(
            target_problem(&missing.join("office.age")),
            Some(format!(
                "There is no folder {}. Create it, or choose another file.",
                missing.display()
            ))
        );
    }
}
