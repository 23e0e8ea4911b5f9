//! Phrases that must not come back: see docs/style.md.

use std::fs;
use std::path::{Path, PathBuf};

/// In lowercase, as whole words. A space stands for any whitespace and for the beginning of a comment.
const PHRASES: &[&str] = &[
    "anew",
    "as it stands here",
    "as the service wishes",
    "at hand",
    "authorize again",
    "by which",
    "cannot be reached",
    "carries no",
    "device flow refuses",
    "does not speak",
    "e-mail address",
    "goes on waiting",
    "goes there",
    "hand it on",
    "hardly belongs",
    "is to be had",
    "its person",
    "leads here",
    "lets go of",
    "letter by letter",
    "life not told",
    "no refresh token will come",
    "no usable answer",
    "nobody says",
    "none came",
    "not announced",
    "nothing can listen",
    "one level back",
    "puts an end to",
    "speak https",
    "stands above",
    "stands below",
    "stands beside",
    "stands for a value",
    "stands twice",
    "surely meant",
    "surroundings",
    "the answer cannot be used",
    "the device flow of",
    "the person",
    "this is no toml",
    "turned away",
    "turns away",
    "type it again",
    "under way",
    "wants",
    "well founded",
    "what answers there",
    "what is said of",
    "when the service refuses",
    "where it is none",
    "white space",
];

/// The folders and files to search, except this one.
const PLACES: [&str; 6] = ["src", "docs", "presets", "tests", ".ci", "README.md"];

/// The text files at or below a path.
fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        let kind = path.extension().and_then(|kind| kind.to_str());
        // Scripts have no extension.
        let is_text = matches!(
            kind,
            None | Some("rs" | "md" | "toml" | "mjs" | "ps1" | "yml")
        ) && !path.ends_with(file!());
        return if is_text {
            vec![path.to_owned()]
        } else {
            Vec::new()
        };
    }
    if path.ends_with("node_modules") {
        return Vec::new();
    }
    let entries = fs::read_dir(path).unwrap();
    entries
        .flat_map(|entry| files(&entry.unwrap().path()))
        .collect()
}

/// A document without its fenced blocks, which are in the words of other programs. Line numbers stay the same.
fn without_code(text: &str) -> String {
    let mut code = false;
    let lines = text.lines().map(|line| {
        let fence = line.starts_with("```");
        code ^= fence;
        if code || fence { "" } else { line }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The phrases in a text, each with its line number.
fn found(text: &str) -> Vec<(usize, &'static str)> {
    // Join the words across the ends of lines and the marks of comments.
    let mut flat = String::new();
    let mut lines = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let words = line
            .trim_start()
            .trim_start_matches(['/', '!', '#', '|'])
            .split_whitespace()
            .filter(|word| *word != "\\");
        for word in words {
            let word = word.to_lowercase();
            lines.extend(std::iter::repeat_n(at + 1, word.len() + 1));
            flat.push_str(&word);
            flat.push(' ');
        }
    }
    let bytes = flat.as_bytes();
    let is_letter = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_alphanumeric);
    let mut all = Vec::new();
    for phrase in PHRASES {
        for (at, _) in flat.match_indices(phrase) {
            let before = at.checked_sub(1).is_some_and(is_letter);
            if !before && !is_letter(at + phrase.len()) {
                all.push((lines[at], *phrase));
            }
        }
    }
    all
}

#[test]
fn banned_phrases_do_not_appear() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files: Vec<PathBuf> = PLACES.iter().flat_map(|at| files(&root.join(at))).collect();
    assert!(files.len() > 200, "{} files", files.len());
    let mut all = Vec::new();
    for file in files {
        let text = without_code(&fs::read_to_string(&file).unwrap());
        let name = file.strip_prefix(root).unwrap().display();
        let found = found(&text).into_iter();
        all.extend(found.map(|(line, phrase)| format!("{name}:{line}: {phrase}")));
    }
    assert!(all.is_empty(), "see docs/style.md:\n{}", all.join("\n"));
}

#[test]
fn banned_phrase_is_found_at_any_position() {
    let found = |text: &str| {
        found(text)
            .into_iter()
            .map(|(line, _)| line)
            .collect::<Vec<_>>()
    };
    assert_eq!(found("The tokens at hand are kept."), [1]);
    assert_eq!(found("\n/// What the\n/// person did.\n"), [2]);
    assert_eq!(found("\"The ones at \\\n     hand\""), [1]);
    assert_eq!(found("Drawn ANEW, by\nwhich way?"), [1, 1]);
    let fenced = "a\n```text\nat hand\n```\nanew\n";
    assert_eq!(found(&without_code(fenced)), [5]);
    // Parts of other words don't count.
    assert!(found("renewed; that hand; a wantsome thing; the personal account").is_empty());
}
