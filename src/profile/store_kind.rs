//! The `[store]` section of the settings: where the tokens of a profile are stored.

use serde::Deserialize;

use super::toml_text::{list, quoted};
use crate::quote;
use crate::store::commands::StoreCommands;
use crate::store::seal::Seal;

/// The section of the settings file that says where the tokens are stored.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Store {
    kind: StoreKind,
    /// The command that prints the stored tokens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    read: Vec<String>,
    /// The command that stores them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    write: Vec<String>,
}

/// The kinds of token stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StoreKind {
    /// A file that only the user can read.
    File,
    /// A file that Windows encrypts for the user.
    Dpapi,
    /// A file that Windows encrypts for the computer.
    DpapiMachine,
    /// The store of another program, used through commands.
    Command,
}

/// The kinds that this system offers to a single user and, in the second entry, to all users of the computer. The first
/// kind of each entry is the default.
const OFFERED: [&[StoreKind]; 2] = if cfg!(windows) {
    [
        &[StoreKind::Dpapi, StoreKind::File, StoreKind::Command],
        &[StoreKind::DpapiMachine, StoreKind::File, StoreKind::Command],
    ]
} else {
    [&[StoreKind::File, StoreKind::Command]; 2]
};

impl StoreKind {
    /// All kinds.
    pub(super) const ALL: [Self; 4] = [Self::File, Self::Dpapi, Self::DpapiMachine, Self::Command];

    /// Returns the kinds to choose from for a profile of the user or, with `machine`, of the computer. The first kind
    /// is the default.
    #[must_use]
    pub fn offered(machine: bool) -> &'static [Self] {
        OFFERED[usize::from(machine)]
    }

    /// Returns the name used in the settings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Dpapi => "dpapi",
            Self::DpapiMachine => "dpapi-machine",
            Self::Command => "command",
        }
    }
}

impl Store {
    /// Creates a store of this kind, with the commands to read and to write it.
    ///
    /// # Errors
    /// Returns the reason, as a sentence, if the store can't be used.
    pub fn new(kind: StoreKind, read: Vec<String>, write: Vec<String>) -> Result<Self, String> {
        let store = Self { kind, read, write };
        match store.problem() {
            Some(problem) => Err(problem),
            None => Ok(store),
        }
    }

    /// Returns the kind of the store.
    #[must_use]
    pub fn kind(&self) -> StoreKind {
        self.kind
    }

    /// Returns how the files of the store are encrypted. With commands, the files contain nothing to encrypt.
    #[must_use]
    pub fn seal(&self) -> Seal {
        match self.kind {
            StoreKind::File | StoreKind::Command => Seal::Plain,
            StoreKind::Dpapi => Seal::Dpapi,
            StoreKind::DpapiMachine => Seal::DpapiMachine,
        }
    }

    /// Returns the commands of a command store.
    #[must_use]
    pub fn commands(&self) -> Option<StoreCommands> {
        (self.kind == StoreKind::Command).then(|| StoreCommands {
            read: self.read.clone(),
            write: self.write.clone(),
        })
    }

    /// Returns why the store can't be used, as a sentence.
    pub(super) fn problem(&self) -> Option<String> {
        let kind = self.kind.name();
        if self.kind == StoreKind::Command {
            let is_missing = self.read.is_empty() || self.write.is_empty();
            return is_missing.then(|| {
                "A store of the kind \"command\" requires two commands: read prints the tokens, write stores its standard input."
                    .to_owned()
            });
        }
        if !self.read.is_empty() || !self.write.is_empty() {
            return Some(format!(
                "A store of the kind \"{kind}\" has no commands. Remove read and write, or use the kind \"command\"."
            ));
        }
        let is_known = cfg!(windows) || self.seal() == Seal::Plain;
        (!is_known).then(|| {
            format!("[store] kind = \"{kind}\" requires Windows. Use \"file\" on this machine.")
        })
    }

    /// Returns the commands to read and to write as shell command lines; empty without commands.
    #[must_use]
    pub fn command_lines(&self) -> [String; 2] {
        [&self.read, &self.write].map(|words| quote::join(words).unwrap_or_default())
    }

    /// Returns the lines of the section.
    pub(super) fn lines(&self) -> String {
        let mut lines = format!("kind = {}\n", quoted(self.kind.name()));
        for (name, command) in [("read", &self.read), ("write", &self.write)] {
            if !command.is_empty() {
                lines += &format!("{name} = {}\n", list(command));
            }
        }
        lines
    }
}
