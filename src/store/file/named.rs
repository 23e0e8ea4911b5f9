//! Paths as the user enters them.

use std::path::{Path, PathBuf};

use crate::clean::{trimmed, unquoted};

/// Returns the path without whitespace and quotation marks around it, and with the home folder in place of `~`: a field has
/// no shell that does this. A path that exists stays as it is.
#[must_use]
pub fn cleaned(path: &Path) -> PathBuf {
    let Some(text) = path.to_str().filter(|_| !path.exists()) else {
        return path.to_owned();
    };
    let text = trimmed(text);
    let text = Path::new(unquoted(text).unwrap_or(text));
    match (text.strip_prefix("~"), std::env::home_dir()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => text.to_owned(),
    }
}

/// Returns the cleaned path, from the root.
#[must_use]
pub fn absolute(path: &Path) -> PathBuf {
    let path = cleaned(path);
    std::path::absolute(&path).unwrap_or(path)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_removed_and_tilde_is_expanded_in_paths() {
        let home = std::env::home_dir().unwrap();
        for (entered, meant) in [
            ("none/key.json", PathBuf::from("none/key.json")),
            (" \"none/key.json\" ", "none/key.json".into()),
            ("'none/my key.json'", "none/my key.json".into()),
            ("~/none/key.json", home.join("none/key.json")),
            ("\"~/none/key.json\"", home.join("none/key.json")),
            ("~other/key.json", "~other/key.json".into()),
            ("none/~/key.json", "none/~/key.json".into()),
        ] {
            assert_eq!(cleaned(Path::new(entered)), meant, "{entered}");
        }
        assert_eq!(absolute(Path::new("~/none")), home.join("none"));
    }

    #[test]
    fn existing_file_with_quotes_in_its_name_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("'name' ");
        std::fs::write(&path, "").unwrap();
        assert_eq!(cleaned(&path), path);
    }
}
