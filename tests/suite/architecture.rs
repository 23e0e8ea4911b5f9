//! The invariants of `lib.rs`, read off the sources.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Each source file by its path below `src/`, without comments and without its tests.
fn sources() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = BTreeMap::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path
                    .strip_prefix(&root)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .replace('\\', "/");
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text
                    .split("#[cfg(test)]\n#[allow")
                    .next()
                    .unwrap()
                    .split("#[cfg(test)]\nmod tests {")
                    .next()
                    .unwrap();
                let code: Vec<&str> = code
                    .lines()
                    .map(|line| line.split("//").next().unwrap_or_default())
                    .collect();
                files.insert(name, code.join("\n"));
            }
        }
    }
    files.remove("demo/tests.rs");
    files.remove("flow/contract.rs");
    files.remove("flow/scripted.rs");
    assert!(files.len() > 25, "the sources are read");
    files
}

/// True where `word` stands in `code` as a whole word.
fn names(code: &str, word: &str) -> bool {
    let part = |ch: char| ch.is_alphanumeric() || ch == '_';
    code.match_indices(word)
        .any(|(at, _)| !code[..at].ends_with(part) && !code[at + word.len()..].starts_with(part))
}

fn assert_without(folder: &str, words: &[&str]) {
    for (file, code) in sources()
        .iter()
        .filter(|(file, _)| file.starts_with(folder))
    {
        for word in words {
            assert!(!names(code, word), "{file} names {word}");
        }
    }
}

/// `word` is named in these files only.
fn assert_only(word: &str, allowed: &[&str]) {
    for (file, code) in sources() {
        assert!(
            !names(&code, word) || allowed.contains(&file.as_str()),
            "{file} names {word}"
        );
    }
    let sources = sources();
    assert!(
        allowed.iter().any(|file| names(&sources[*file], word)),
        "{word} is not named at all any more"
    );
}

#[test]
fn oauth_has_no_io_no_runtime_no_screen_and_no_clock() {
    assert_without(
        "oauth/",
        &[
            "tokio",
            "reqwest",
            "hyper",
            "ratatui",
            "crossterm",
            "TcpStream",
            "TcpListener",
            "UdpSocket",
            "now",
            "Instant",
            "sleep",
            "fs",
            "env",
        ],
    );
}

#[test]
fn the_engine_knows_no_screen() {
    assert_without("flow/", &["ratatui", "crossterm", "tui"]);
    assert_without("configure/", &["ratatui", "crossterm", "tui"]);
}

#[test]
fn update_and_view_have_no_io_and_no_clock() {
    for file in [
        "tui/update.rs",
        "tui/model.rs",
        "tui/configuring.rs",
        "tui/view.rs",
        "tui/draw.rs",
        "tui/links.rs",
        "tui/qr.rs",
        "tui/screens/",
        "form/",
        "presets/format.rs",
        "presets/check.rs",
        "presets/library.rs",
        "configure/plan.rs",
        "configure/quote.rs",
        "configure/codes.rs",
        "configure/reading.rs",
        "configure/report.rs",
        "configure/service.rs",
        "configure/steps.rs",
        "configure/verify.rs",
        "configure/change.rs",
        "httpsys/prefix.rs",
    ] {
        assert_without(
            file,
            [
                "tokio",
                "now()",
                "Instant",
                "SystemTime",
                "fs",
                "env",
                "Command",
                "stdout",
                "spawn",
            ]
            .into_iter()
            .filter(|word| !(*word == "Command" && file == "tui/update.rs"))
            .collect::<Vec<_>>()
            .as_slice(),
        );
    }
}

#[test]
fn one_file_each_speaks_http_writes_to_the_terminal_and_prints() {
    assert_only("reqwest", &["flow/http.rs"]);
    assert_only("CrosstermBackend", &["tui/mod.rs"]);
    assert_only("execute", &["tui/guard.rs"]);
    assert_only("queue!", &["tui/mod.rs"]);
    assert_only(
        "stdout",
        &[
            "main.rs",
            "commands/mod.rs",
            "commands/configure.rs",
            "commands/doctor.rs",
            "commands/presets.rs",
            "tui/guard.rs",
            "console/browser.rs",
            "console/clipboard.rs",
        ],
    );
    for (file, code) in sources() {
        for word in ["println!", "print!", "eprint!", "eprintln!"] {
            assert!(!names(&code, word), "{file} names {word}");
        }
    }
    assert_only(
        "stderr",
        &[
            "console/talk.rs",
            "console/browser.rs",
            "console/clipboard.rs",
        ],
    );
    assert_only(
        "unsafe",
        &[
            "configure/account.rs",
            "configure/windows.rs",
            "flow/listener/httpsys.rs",
            "httpsys/api.rs",
            "httpsys/config.rs",
            "httpsys/store.rs",
            "store/file/windows.rs",
            "windows.rs",
        ],
    );
}

/// Words of the presets' names that have a meaning of their own.
const GENERIC: &[&str] = &[
    "365",
    "and",
    "apis",
    "app",
    "authorization",
    "box",
    "code",
    "com",
    "custom",
    "demo",
    "enterprise",
    "exchange",
    "government",
    "hub",
    "key",
    "login",
    "mail",
    "managed",
    "one",
    "org",
    "personal",
    "self",
    "selfmanaged",
    "server",
    "settings",
    "stack",
    "us",
    "web",
    "with",
    "x",
];

#[test]
fn no_line_of_code_names_a_service() {
    let presets = Path::new(env!("CARGO_MANIFEST_DIR")).join("presets");
    let mut services = BTreeSet::new();
    for entry in std::fs::read_dir(&presets).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let preset: toml::Table = text.parse().unwrap();
        for key in ["id", "name"] {
            let words = preset[key].as_str().unwrap().to_lowercase();
            services.extend(
                words
                    .split(|ch: char| !ch.is_alphanumeric())
                    .filter(|word| !word.is_empty() && !GENERIC.contains(word))
                    .map(str::to_owned),
            );
        }
    }
    assert!(services.len() > 50, "{services:?}");
    let named = |code: &str| {
        services
            .iter()
            .find(|service| names(code, service))
            .cloned()
    };
    // The test itself can fail.
    assert_eq!(
        named("if host == \"login.microsoftonline.com\" or slack"),
        Some("slack".to_owned())
    );
    for file in sources().keys() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(file);
        let text = std::fs::read_to_string(path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap().to_lowercase();
        for line in code
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
        {
            if let Some(service) = named(line) {
                panic!("{file} names {service}: {line}");
            }
        }
    }
}

#[test]
fn the_demo_uses_nothing_of_the_program() {
    assert_without("demo/", &["crate"]);
}

/// Which files a file uses, by its paths that begin with `crate`, `super` or the names of its children.
fn uses() -> BTreeMap<String, BTreeSet<String>> {
    let sources = sources();
    let module = |path: &[String]| -> Option<String> {
        (1..=path.len()).rev().find_map(|count| {
            let base = path[..count].join("/");
            [format!("{base}.rs"), format!("{base}/mod.rs")]
                .into_iter()
                .find(|file| sources.contains_key(file))
        })
    };
    let mut uses = BTreeMap::new();
    for (file, code) in &sources {
        let mut here: Vec<String> = file
            .trim_end_matches(".rs")
            .split('/')
            .map(str::to_owned)
            .collect();
        if here.last().is_some_and(|last| last == "mod") {
            here.pop();
        }
        let mut found = BTreeSet::new();
        for (at, _) in code.match_indices("::") {
            let head: String = code[..at]
                .chars()
                .rev()
                .take_while(|ch| ch.is_alphanumeric() || *ch == '_' || *ch == ':')
                .collect();
            let head: String = head.chars().rev().collect();
            let tail = &code[at + 2..];
            // `use super::{a, b::c}`: each of the names.
            let names: Vec<&str> = if let Some(group) = tail.strip_prefix('{') {
                group
                    .split('}')
                    .next()
                    .unwrap_or_default()
                    .split(',')
                    .map(str::trim)
                    .collect()
            } else {
                let name = tail
                    .split(|ch: char| !(ch.is_alphanumeric() || ch == '_'))
                    .next()
                    .unwrap_or_default();
                // The path goes on: its longer form is looked at further on.
                if tail[name.len()..].starts_with("::") {
                    continue;
                }
                vec![name]
            };
            for name in names {
                let full = format!("{head}::{name}");
                let mut parts: Vec<String> = full
                    .split("::")
                    .map(str::to_owned)
                    .filter(|part| !part.is_empty())
                    .collect();
                let mut base = match parts.first().map(String::as_str) {
                    Some("crate") => Vec::new(),
                    Some("self") => here.clone(),
                    Some("super") => here[..here.len() - 1].to_vec(),
                    _ => continue,
                };
                parts.remove(0);
                while parts.first().is_some_and(|part| part == "super") {
                    base.pop();
                    parts.remove(0);
                }
                base.extend(parts);
                if let Some(used) = module(&base).filter(|used| used != file) {
                    found.insert(used);
                }
            }
        }
        uses.insert(file.clone(), found);
    }
    uses
}

#[test]
fn files_do_not_use_each_other_in_a_circle() {
    let uses = uses();
    assert!(
        uses["tui/update.rs"].contains("tui/model.rs")
            && uses["flow/driver.rs"].contains("flow/refresh.rs"),
        "{uses:?}"
    );
    fn visit(
        file: &str,
        uses: &BTreeMap<String, BTreeSet<String>>,
        path: &mut Vec<String>,
        done: &mut BTreeSet<String>,
    ) {
        assert!(
            !path.iter().any(|one| one == file),
            "a circle: {} -> {file}",
            path.join(" -> ")
        );
        if done.contains(file) {
            return;
        }
        path.push(file.to_owned());
        for next in &uses[file] {
            visit(next, uses, path, done);
        }
        path.pop();
        done.insert(file.to_owned());
    }
    let mut done = BTreeSet::new();
    for file in uses.keys() {
        visit(file, &uses, &mut Vec::new(), &mut done);
    }
}

#[test]
fn use_goes_one_way() {
    // From the top down: a file uses only its own layer and those below.
    let layers: [&[&str]; 5] = [
        &["main.rs", "lib.rs"],
        &["cli/", "commands/", "tui/", "plain/"],
        &["outcome.rs"],
        &["flow/", "configure/"],
        &[
            "oauth/",
            "form/",
            "presets/",
            "console/",
            "certificate/",
            "clean.rs",
            "secret.rs",
            "store/",
            "demo/",
            "httpsys/",
            "windows.rs",
        ],
    ];
    let layer = |file: &str| {
        layers
            .iter()
            .position(|layer| layer.iter().any(|part| file.starts_with(part)))
            .unwrap_or_else(|| panic!("{file} has no layer"))
    };
    for (file, used) in uses() {
        for one in used {
            assert!(layer(&one) >= layer(&file), "{file} uses {one}");
        }
    }
    for (file, used) in uses().iter().filter(|(file, _)| file.starts_with("oauth/")) {
        assert!(
            used.iter()
                .all(|one| one.starts_with("oauth/") || one == "secret.rs" || one == "clean.rs"),
            "{file} uses {used:?}"
        );
    }
}
