//! Where the tokens of a profile are kept, as its settings say.

use serde::Deserialize;

use crate::store::seal::Seal;

/// The section of the settings file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Store {
    pub(super) kind: StoreKind,
}

/// Where the tokens are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StoreKind {
    /// In a file that only the user can read.
    File,
    /// In a file that Windows encrypts for the user.
    Dpapi,
    /// In a file that Windows encrypts for the computer, readable by those whom its access list names.
    DpapiMachine,
}

impl StoreKind {
    /// As the settings name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Dpapi => "dpapi",
            Self::DpapiMachine => "dpapi-machine",
        }
    }

    /// How its files are encrypted.
    #[must_use]
    pub fn seal(self) -> Seal {
        match self {
            Self::File => Seal::Plain,
            Self::Dpapi => Seal::Dpapi,
            Self::DpapiMachine => Seal::DpapiMachine,
        }
    }
}

impl Store {
    /// Why it can't be used on this system, as a sentence.
    pub(super) fn problem(&self) -> Option<String> {
        let is_known = cfg!(windows) || self.kind.seal() == Seal::Plain;
        let kind = self.kind.name();
        (!is_known).then(|| {
            format!("[store] kind = \"{kind}\" requires Windows. Use \"file\" on this computer.")
        })
    }
}
