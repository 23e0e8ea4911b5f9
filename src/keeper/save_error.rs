//! Why a profile was not saved.

use crate::store::private::PrivateError;
use crate::store::record_error::RecordError;

/// Why a profile was not saved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SaveError {
    /// A file can't be read or written.
    #[error(transparent)]
    File(#[from] PrivateError),
    /// The existing record can't be replaced.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The existing settings don't say which store to use.
    #[error("{0}")]
    Settings(String),
    /// Another process is refreshing the profile.
    #[error("Another process is refreshing this profile and did not finish. Try again.")]
    Busy,
    /// The profile has other settings than those that the user opened.
    #[error("Another program changed it after you opened it.")]
    Changed,
    /// The profile that the user opened does not exist anymore.
    #[error("It was deleted or renamed after you opened it.")]
    Gone,
}
