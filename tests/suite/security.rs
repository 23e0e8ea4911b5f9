//! docs/security.md: each test that it names exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|it| it == "rs") {
            found.push(path);
        }
    }
}

/// The tests as the document writes them: `oauth::client::a_test`, without the module `tests` and the name `mod`.
fn tests() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = BTreeSet::new();
    for folder in ["src", "tests/suite"] {
        let folder = root.join(folder);
        let mut found = Vec::new();
        files(&folder, &mut found);
        for path in found {
            let text = fs::read_to_string(&path).unwrap();
            let module = path.strip_prefix(&folder).unwrap().with_extension("");
            let parts: Vec<_> = module.iter().map(|part| part.to_str().unwrap()).collect();
            let module = parts.join("::").trim_end_matches("::mod").to_owned();
            let mut is_test = false;
            for line in text.lines().map(str::trim) {
                if line == "#[test]" || line.starts_with("#[tokio::test") {
                    is_test = true;
                } else if let Some(rest) = line
                    .strip_prefix("async fn ")
                    .or_else(|| line.strip_prefix("fn "))
                {
                    let name = rest.split(['(', '<']).next().unwrap();
                    if is_test {
                        all.insert(format!("{module}::{name}"));
                    }
                    is_test = false;
                }
            }
        }
    }
    all
}

#[test]
fn every_rule_in_the_document_names_existing_tests() {
    let all = tests();
    assert!(all.len() > 800, "{}", all.len());
    let text = include_str!("../../docs/security.md");
    let mut named = 0;
    for row in text.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        let last = cells.last().unwrap().trim();
        if last == "test" || last.starts_with("---") {
            continue;
        }
        assert!(last.starts_with('`'), "no test in this row: {row}");
        for name in last.split(", ") {
            let name = name.trim_matches('`');
            assert!(all.contains(name), "there is no test {name}");
            named += 1;
        }
    }
    assert!(named > 80, "{named}");
}
