//! Paths as the user enters them.

use std::path::{Path, PathBuf};

use crate::clean::{trimmed, unquoted};

/// Returns the path without whitespace and quotation marks around it, and with the folder in place of `~` or, on Windows, of
/// an environment variable at its start: a field has no shell that does this. A path that exists stays as it is.
#[must_use]
pub fn cleaned(path: &Path) -> PathBuf {
    let Some(text) = path.to_str().filter(|_| !path.exists()) else {
        return path.to_owned();
    };
    let text = trimmed(text);
    let text = Path::new(unquoted(text).unwrap_or(text));
    match (text.strip_prefix("~"), std::env::home_dir()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ if cfg!(windows) => with_folder(text, |name| std::env::var_os(name).map(PathBuf::from)),
        _ => text.to_owned(),
    }
}

/// Returns the path with the folder that a variable at its start names, as the command prompt (`%APPDATA%\x`) or PowerShell
/// (`$env:APPDATA\x`) writes it.
fn with_folder(path: &Path, folder: impl Fn(&str) -> Option<PathBuf>) -> PathBuf {
    let named = path.to_str().and_then(|text| {
        let (name, rest) = match text.strip_prefix('%') {
            Some(text) => text.split_once('%')?,
            None if text.get(..5)?.eq_ignore_ascii_case("$env:") => {
                let text = text.get(5..)?;
                text.split_at(text.find(['\\', '/']).unwrap_or(text.len()))
            }
            None => return None,
        };
        let folder = folder(name).filter(|folder| folder.is_absolute())?;
        let rest = rest.trim_start_matches(['\\', '/']);
        Some(if rest.is_empty() {
            folder
        } else {
            folder.join(rest)
        })
    });
    named.unwrap_or_else(|| path.to_owned())
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
    fn variable_at_the_start_of_a_windows_path_is_expanded() {
        let root = std::env::temp_dir();
        for (entered, meant) in [
            ("%APPDATA%\\a b.pem", root.join("a b.pem")),
            ("%APPDATA%/a.pem", root.join("a.pem")),
            ("$env:APPDATA\\a.pem", root.join("a.pem")),
            ("$ENV:APPDATA", root.clone()),
            ("%APPDATA%", root.clone()),
            ("%NONE%\\a.pem", "%NONE%\\a.pem".into()),
            ("%HERE%\\a.pem", "%HERE%\\a.pem".into()),
            ("a\\%APPDATA%", "a\\%APPDATA%".into()),
            ("100%", "100%".into()),
            ("%20", "%20".into()),
            ("ä%APPDATA%", "ä%APPDATA%".into()),
        ] {
            let folder = |name: &str| match name {
                "APPDATA" => Some(root.clone()),
                // Not a folder.
                "HERE" => Some("here".into()),
                _ => None,
            };
            assert_eq!(with_folder(Path::new(entered), folder), meant, "{entered}");
        }
        #[cfg(windows)]
        assert_eq!(
            cleaned(Path::new("\"%SystemRoot%\\none\"")),
            PathBuf::from(std::env::var_os("SystemRoot").unwrap()).join("none")
        );
    }

    #[test]
    fn existing_file_with_quotes_in_its_name_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("'name' ");
        std::fs::write(&path, "").unwrap();
        assert_eq!(cleaned(&path), path);
    }
}
