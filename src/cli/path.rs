//! Paths as they are given.

use std::path::{Path, PathBuf};

use crate::clean::{trimmed, unquoted};

/// A path without whitespace and quotation marks around it, unless that is its name.
pub(super) fn cleaned_path(path: &Path) -> PathBuf {
    match path.to_str() {
        Some(text) if !path.exists() => {
            let text = trimmed(text);
            PathBuf::from(unquoted(text).unwrap_or(text))
        }
        Some(_) | None => path.to_owned(),
    }
}
