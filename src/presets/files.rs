//! Reads the preset files of a folder, within limits.

use std::path::{Path, PathBuf};

use crate::store::file::read::{Kinds, ReadError, in_time, read};

/// Maximum size of a preset file, in bytes.
const SIZE_LIMIT: u64 = 256 * 1024;
/// Maximum number of files in a folder. Further files are not read.
const COUNT_LIMIT: usize = 200;

/// A preset file and its text, if it could be read.
#[derive(Debug)]
pub struct PresetFile {
    /// The path of the file.
    pub path: PathBuf,
    /// The text, or why it could not be read, as a sentence without a period.
    pub text: Result<String, String>,
}

/// Reads the preset files of a folder, in the order of their names. Returns none if the folder doesn't exist.
#[must_use]
pub fn read_folder(folder: &Path) -> Vec<PresetFile> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            return vec![PresetFile {
                path: folder.to_owned(),
                text: Err(format!("{error}. Make the folder readable, or remove it")),
            }];
        }
    };
    let mut paths: Vec<PathBuf> = entries
        .take(COUNT_LIMIT * 10)
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .collect();
    paths.sort();
    let more = paths.len().saturating_sub(COUNT_LIMIT);
    paths.truncate(COUNT_LIMIT);
    let mut files: Vec<PresetFile> = paths.iter().map(|path| read_kept(path)).collect();
    if more > 0 {
        files.push(PresetFile {
            path: folder.to_owned(),
            text: Err(format!(
                "{more} more files in this folder were not read. Keep at most {COUNT_LIMIT} there"
            )),
        });
    }
    files
}

/// Reads the file of the preset with this identifier, if it exists.
#[must_use]
pub fn find(folder: &Path, id: &str) -> Option<PresetFile> {
    let fits = |ch: char| ch.is_ascii_alphanumeric() || ch == '-';
    let path = folder.join(format!("{id}.toml"));
    (!id.is_empty() && id.chars().all(fits) && path.exists()).then(|| read_kept(&path))
}

/// Reads a file that the user named. Reading a pipe may take up to ten seconds.
#[must_use]
pub fn read_file(path: &Path) -> PresetFile {
    let read = {
        let path = path.to_owned();
        in_time(move || read(&path, Kinds::WithPipes, SIZE_LIMIT))
    };
    let text = read.and_then(|read| read).map_err(|error| {
        let remedy = match error {
            ReadError::Missing => "Correct the path",
            ReadError::TooLarge(_) => "Choose a preset file",
            ReadError::Unreadable(_) => "Make the file readable",
            ReadError::TooSlow => "Choose a file that can be read",
            ReadError::Directory | ReadError::Device | ReadError::Socket | ReadError::Pipe => {
                "Choose a regular file"
            }
        };
        format!("{error}. {remedy}")
    });
    PresetFile {
        path: path.to_owned(),
        text: text.and_then(|bytes| utf8(&bytes)),
    }
}

/// Reads a file of the folder.
fn read_kept(path: &Path) -> PresetFile {
    PresetFile {
        path: path.to_owned(),
        text: kept_text(path),
    }
}

fn kept_text(path: &Path) -> Result<String, String> {
    let bytes = read(path, Kinds::Regular, SIZE_LIMIT).map_err(|error| {
        let remedy = match error {
            ReadError::Missing => "Correct the path",
            ReadError::TooLarge(_) => "Remove or shorten it",
            ReadError::Unreadable(_) | ReadError::TooSlow => "Make it readable, or remove it",
            ReadError::Directory | ReadError::Device | ReadError::Socket | ReadError::Pipe => {
                "Remove it, or put a regular file there"
            }
        };
        format!("{error}. {remedy}")
    })?;
    utf8(&bytes)
}

fn utf8(bytes: &[u8]) -> Result<String, String> {
    String::from_utf8(bytes.to_vec()).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = before.split(|byte| *byte == b'\n').count();
        format!("line {line}: it is not UTF-8. Save it with that encoding")
    })
}
