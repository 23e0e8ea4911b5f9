//! Cleans paths given by the user.

use std::path::{Path, PathBuf};

use crate::clean::{trimmed, unquoted};

/// Returns a path without surrounding whitespace and quotation marks, unless a file with exactly that name exists.
pub(super) fn cleaned_path(path: &Path) -> PathBuf {
    match path.to_str() {
        Some(text) if !path.exists() => {
            let text = trimmed(text);
            PathBuf::from(unquoted(text).unwrap_or(text))
        }
        Some(_) | None => path.to_owned(),
    }
}
