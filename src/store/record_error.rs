//! Why a record can't be used.

use std::fmt;
use std::path::Path;

use super::private::PrivateError;

/// Why a record can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// A problem with the file.
    #[error(transparent)]
    File(#[from] PrivateError),
    /// The file is incomplete, another program wrote it, or a text in it can't be used.
    #[error("{0} Sign in again to replace it.")]
    Damaged(Damage),
    /// A newer version of this program wrote the file.
    #[error(
        "{path} was written by a newer version of this program (format {format}). Update the program."
    )]
    Newer {
        /// The file.
        path: String,
        /// The version of its format.
        format: u32,
    },
    /// The command that keeps the secrets printed those of another sign-in, or none.
    #[error(
        "The command {0} printed no tokens of this sign-in. Restore them in its store, or sign in again to replace them."
    )]
    Foreign(String),
}

/// What is wrong with the content of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The file, or the command that printed the record.
    pub place: String,
    /// What is wrong, as a clause such as `its access token contains a space`, if it is a single text.
    pub text: Option<String>,
}

impl Damage {
    /// Describes a file that is not a complete record.
    #[must_use]
    pub(super) fn of(path: &Path) -> Self {
        Self {
            place: path.to_string_lossy().into_owned(),
            text: None,
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = &self.place;
        match &self.text {
            None => write!(
                formatter,
                "{place} is damaged, or another program wrote it."
            ),
            Some(text) => write!(formatter, "{place} can't be used: {text}."),
        }
    }
}
