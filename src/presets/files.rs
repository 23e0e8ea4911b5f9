//! Reading the person's preset files: where they are, and how much of them is read.

use std::io::Read;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

/// A larger file is no preset.
const SIZE_LIMIT: u64 = 256 * 1024;
/// Further files of the folder are not read.
const COUNT_LIMIT: usize = 200;

/// A file, read or not.
#[derive(Debug)]
pub struct PresetFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its text, or why there is none, as a sentence without its stop.
    pub text: Result<String, String>,
}

/// The folder of the person's presets; `None` where this system names no home folder.
#[must_use]
pub fn folder() -> Option<PathBuf> {
    let base = etcetera::choose_base_strategy().ok()?;
    Some(base.config_dir().join("oauth-authorizer").join("presets"))
}

/// The preset files of a folder, in the order of their names. No folder is no file.
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
    let mut files: Vec<PresetFile> = paths.iter().map(|path| read_file(path)).collect();
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

/// The file of the preset with this identifier, where there is one.
#[must_use]
pub fn find(folder: &Path, id: &str) -> Option<PresetFile> {
    let fits = |ch: char| ch.is_ascii_alphanumeric() || ch == '-';
    let path = folder.join(format!("{id}.toml"));
    (!id.is_empty() && id.chars().all(fits) && path.exists()).then(|| read_file(&path))
}

/// Reads one file.
#[must_use]
pub fn read_file(path: &Path) -> PresetFile {
    PresetFile {
        path: path.to_owned(),
        text: text(path),
    }
}

fn text(path: &Path) -> Result<String, String> {
    let words = |error: std::io::Error| {
        let remedy = if error.kind() == std::io::ErrorKind::NotFound {
            "Correct the path"
        } else {
            "Make it readable, or remove it"
        };
        format!("{error}. {remedy}")
    };
    // A pipe or a device could keep the program waiting.
    let about = std::fs::metadata(path).map_err(words)?;
    if !about.is_file() {
        return Err("it is no ordinary file. Remove it, or put one there".to_owned());
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .map_err(words)?
        .take(SIZE_LIMIT + 1)
        .read_to_end(&mut bytes)
        .map_err(words)?;
    if bytes.len() as u64 > SIZE_LIMIT {
        return Err(format!(
            "it is larger than {} KiB, so it is no preset. Remove it, or shorten it",
            SIZE_LIMIT / 1024
        ));
    }
    String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = before.split(|byte| *byte == b'\n').count();
        format!("line {line}: it is not UTF-8. Save it with that encoding")
    })
}
