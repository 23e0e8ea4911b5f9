//! The invariants of `lib.rs`, read off the sources.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use syn::buffer::{Cursor, TokenBuffer};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, ItemMod, ItemUse, Macro, Meta, Token, UseTree, VisRestricted};

/// A source file without what is compiled for tests only.
struct Source {
    /// All lines; those of tests are empty.
    text: String,
    /// The same without comments.
    code: String,
    /// Each path that stands in it, from the crate's root where it leads into the crate.
    paths: BTreeSet<Vec<String>>,
    /// The modules that it declares for tests.
    for_tests: Vec<Vec<String>>,
}

impl Source {
    /// Reads the file of this path below `src/`.
    fn read(file: &str, text: &str) -> Self {
        let mut here: Vec<String> = file
            .trim_end_matches(".rs")
            .split('/')
            .map(str::to_owned)
            .collect();
        if matches!(
            here.last().map(String::as_str),
            Some("mod" | "lib" | "main")
        ) {
            here.pop();
        }
        let mut reader = Reader {
            here,
            ..Reader::default()
        };
        reader.visit_file(&syn::parse_file(text).unwrap());
        let lines: Vec<&str> = text
            .lines()
            .enumerate()
            .map(|(at, line)| {
                let tests = reader.tests.iter().any(|tests| tests.contains(&(at + 1)));
                if tests { "" } else { line }
            })
            .collect();
        let code: Vec<&str> = lines
            .iter()
            .map(|line| line.split("//").next().unwrap_or_default())
            .collect();
        let found = reader.found.iter();
        Self {
            text: lines.join("\n"),
            code: code.join("\n"),
            paths: found
                .filter_map(|(here, path)| reader.resolve(here, path))
                .collect(),
            for_tests: reader.for_tests,
        }
    }
}

/// What the tree of a source file says.
#[derive(Default)]
struct Reader {
    /// The module that is being read.
    here: Vec<String>,
    /// Paths as they are written, and in which module.
    found: Vec<(Vec<String>, Vec<String>)>,
    /// What `use` calls by another path.
    aliases: BTreeMap<String, Vec<String>>,
    /// The modules that are declared here.
    children: BTreeSet<Vec<String>>,
    /// The lines that are for tests only.
    tests: Vec<std::ops::RangeInclusive<usize>>,
    for_tests: Vec<Vec<String>>,
}

impl Reader {
    /// A path from the crate's root; `None` where it leads out of the crate, or is a name of this module.
    fn resolve(&self, here: &[String], path: &[String]) -> Option<Vec<String>> {
        let mut path = path.to_vec();
        // An alias may be made of another; in a circle it is the name of a crate.
        for _ in 0..4 {
            match self.aliases.get(&path[0]) {
                Some(whole) if whole[0] != path[0] => {
                    path.splice(..1, whole.iter().cloned());
                }
                _ => break,
            }
        }
        let mut base = here.to_vec();
        let mut rest = path.as_slice();
        match rest[0].as_str() {
            "crate" => base.clear(),
            "self" => {}
            "super" => {
                base.pop()?;
            }
            name => {
                base.push(name.to_owned());
                if !self.children.contains(&base) {
                    return None;
                }
            }
        }
        rest = &rest[1..];
        while rest.first().is_some_and(|part| part == "super") {
            base.pop()?;
            rest = &rest[1..];
        }
        base.extend_from_slice(rest);
        Some(base)
    }

    fn add(&mut self, path: Vec<String>) {
        self.found.push((self.here.clone(), path));
    }

    /// The paths of a `use`, each written out.
    fn add_use(&mut self, tree: &UseTree, before: &[String]) {
        let with = |name: String| {
            let mut path = before.to_vec();
            // `a::{self}` is `a`.
            if name != "self" || path.is_empty() {
                path.push(name);
            }
            path
        };
        match tree {
            UseTree::Path(path) => self.add_use(&path.tree, &with(path.ident.to_string())),
            UseTree::Name(name) => {
                let path = with(name.ident.to_string());
                self.aliases
                    .insert(path[path.len() - 1].clone(), path.clone());
                self.add(path);
            }
            UseTree::Rename(name) => {
                let path = with(name.ident.to_string());
                self.aliases.insert(name.rename.to_string(), path.clone());
                self.add(path);
            }
            UseTree::Glob(_) => self.add(before.to_vec()),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.add_use(tree, before);
                }
            }
        }
    }

    /// The paths in what a macro was given: that has no tree.
    fn add_tokens(&mut self, mut at: Cursor<'_>) {
        let (mut path, mut colons) = (Vec::new(), 0);
        loop {
            let (ident, punct, group) = (at.ident(), at.punct(), at.any_group());
            let goes_on = match (&ident, &punct) {
                (Some(_), _) => colons == 2,
                (None, Some((punct, _))) => punct.as_char() == ':' && colons < 2,
                (None, None) => false,
            };
            if !goes_on && !path.is_empty() {
                self.add(std::mem::take(&mut path));
            }
            if at.eof() {
                return;
            }
            at = if let Some((inside, _, _, after)) = group {
                self.add_tokens(inside);
                colons = 0;
                after
            } else if let Some((ident, after)) = ident {
                path.push(ident.to_string());
                colons = 0;
                after
            } else if let Some((punct, after)) = punct {
                colons = if punct.as_char() == ':' {
                    colons + 1
                } else {
                    0
                };
                after
            } else {
                colons = 0;
                at.token_tree().unwrap().1
            };
        }
    }

    fn leave_out(&mut self, part: &impl Spanned) {
        let span = part.span();
        self.tests.push(span.start().line..=span.end().line);
    }
}

/// True with `#[cfg(test)]`, or a condition that holds with it only.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    fn needs_test(condition: &Meta) -> bool {
        match condition {
            Meta::Path(path) => path.is_ident("test"),
            Meta::List(list) if list.path.is_ident("all") => list
                .parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)
                .is_ok_and(|all| all.iter().any(needs_test)),
            _ => false,
        }
    }
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<Meta>()
                .is_ok_and(|condition| needs_test(&condition))
    })
}

/// What is for tests is not looked into.
macro_rules! without_tests {
    ($($name:ident: $part:ident),* $(,)?) => {
        $(fn $name(&mut self, part: &'ast syn::$part) {
            if is_for_tests(&part.attrs) {
                self.leave_out(part);
            } else {
                visit::$name(self, part);
            }
        })*
    };
}

impl<'ast> Visit<'ast> for Reader {
    without_tests! {
        visit_item_const: ItemConst,
        visit_item_enum: ItemEnum,
        visit_item_fn: ItemFn,
        visit_item_impl: ItemImpl,
        visit_item_macro: ItemMacro,
        visit_item_static: ItemStatic,
        visit_item_struct: ItemStruct,
        visit_item_trait: ItemTrait,
        visit_item_type: ItemType,
        visit_impl_item_const: ImplItemConst,
        visit_impl_item_fn: ImplItemFn,
        visit_trait_item_fn: TraitItemFn,
        visit_field: Field,
        visit_field_value: FieldValue,
        visit_variant: Variant,
        visit_arm: Arm,
        visit_local: Local,
    }

    fn visit_item_mod(&mut self, part: &'ast ItemMod) {
        self.here.push(part.ident.to_string());
        if is_for_tests(&part.attrs) {
            self.leave_out(part);
            self.for_tests.push(self.here.clone());
        } else {
            self.children.insert(self.here.clone());
            visit::visit_item_mod(self, part);
        }
        self.here.pop();
    }

    fn visit_item_use(&mut self, part: &'ast ItemUse) {
        if is_for_tests(&part.attrs) {
            self.leave_out(part);
        } else if part.leading_colon.is_none() {
            self.add_use(&part.tree, &[]);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            let names = path.segments.iter();
            self.add(names.map(|segment| segment.ident.to_string()).collect());
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, part: &'ast Macro) {
        self.add_tokens(TokenBuffer::new2(part.tokens.clone()).begin());
        visit::visit_macro(self, part);
    }

    /// `pub(super)` uses nothing.
    fn visit_vis_restricted(&mut self, _: &'ast VisRestricted) {}
}

/// Each source file by its path below `src/`, but for those of tests.
fn sources() -> &'static BTreeMap<String, Source> {
    static SOURCES: LazyLock<BTreeMap<String, Source>> = LazyLock::new(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut files = BTreeMap::new();
        let mut folders: Vec<PathBuf> = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let name = path.strip_prefix(&root).unwrap().to_str().unwrap();
                    let text = std::fs::read_to_string(&path).unwrap();
                    files.insert(name.to_owned(), Source::read(name, &text));
                }
            }
        }
        let for_tests: Vec<String> = files
            .values()
            .flat_map(|source| source.for_tests.iter().map(|module| module.join("/")))
            .collect();
        files.retain(|file, _| {
            let rest = |module: &String| file.strip_prefix(module.as_str());
            let is_in = |module| rest(module).is_some_and(|rest| rest.starts_with(['.', '/']));
            !for_tests.iter().any(is_in)
        });
        assert!(files.len() > 25, "the sources are read");
        files
    });
    &SOURCES
}

/// True where `word` stands in `code` as a whole word.
fn names(code: &str, word: &str) -> bool {
    let part = |ch: char| ch.is_alphanumeric() || ch == '_';
    code.match_indices(word)
        .any(|(at, _)| !code[..at].ends_with(part) && !code[at + word.len()..].starts_with(part))
}

fn assert_without(folder: &str, words: &[&str]) {
    let mut files = sources()
        .iter()
        .filter(|(file, _)| file.starts_with(folder))
        .peekable();
    assert!(files.peek().is_some(), "there is no {folder}");
    for (file, source) in files {
        for word in words {
            assert!(!names(&source.code, word), "{file} names {word}");
        }
    }
}

/// `word` is named in these files only.
fn assert_only(word: &str, allowed: &[&str]) {
    for (file, source) in sources() {
        assert!(
            !names(&source.code, word) || allowed.contains(&file.as_str()),
            "{file} names {word}"
        );
    }
    for file in allowed {
        assert!(
            names(&sources()[*file].code, word),
            "{file} does not name {word} any more"
        );
    }
}

#[test]
fn oauth_code_uses_no_io_runtime_screen_or_clock() {
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
fn mail_protocol_code_uses_no_io_runtime_or_clock() {
    assert_without(
        "mail/",
        &[
            "tokio",
            "net",
            "io",
            "now",
            "Instant",
            "SystemTime",
            "sleep",
            "fs",
            "env",
            "TcpStream",
        ],
    );
}

#[test]
fn engine_uses_no_screen_libraries() {
    assert_without("flow/", &["ratatui", "crossterm", "tui"]);
    assert_without("configure/", &["ratatui", "crossterm", "tui"]);
    assert_without("httpsys/", &["ratatui", "crossterm", "tui"]);
}

#[test]
fn update_and_view_have_no_io_and_no_clock() {
    for file in [
        "tui/update.rs",
        "tui/model.rs",
        "tui/copies.rs",
        "tui/root.rs",
        "tui/screen/",
        "tui/dialog/",
        "session/",
        "tui/view.rs",
        "tui/widgets/",
        "tui/terminal/links.rs",
        "tui/screens/",
        "form/",
        "presets/format.rs",
        "presets/check.rs",
        "presets/library.rs",
        "profile/check.rs",
        "profile/dates.rs",
        "configure/plan.rs",
        "quote.rs",
        "words.rs",
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
            &[
                "tokio",
                "now()",
                "Instant",
                "SystemTime",
                "fs",
                "env",
                "process",
                "stdout",
                "spawn",
            ],
        );
    }
}

#[test]
fn http_terminal_and_output_apis_stay_in_listed_files() {
    assert_only("reqwest", &["flow/http.rs"]);
    assert_only("CrosstermBackend", &[]);
    assert_only("execute!", &[]);
    assert_only(
        "queue!",
        &["tui/terminal/display.rs", "tui/terminal/guard.rs"],
    );
    assert_only(
        "stdout",
        &[
            "main.rs",
            "commands/mod.rs",
            "commands/configure.rs",
            "commands/doctor.rs",
            "commands/explain.rs",
            "commands/inspect.rs",
            "commands/mail_test.rs",
            "commands/presets.rs",
            "commands/profiles.rs",
            "commands/profiles_check.rs",
            "commands/token.rs",
            "commands/tools.rs",
            "commands/transfer.rs",
            // They choose the terminal or start another program, and write nothing.
            "console/device.rs",
            "console/browser.rs",
            "console/tmux.rs",
            "keeper/process/mod.rs",
            "store/program.rs",
        ],
    );
    for (file, source) in sources() {
        for word in ["println!", "print!", "eprint!", "eprintln!"] {
            assert!(!names(&source.code, word), "{file} names {word}");
        }
    }
    assert_only(
        "stderr",
        &[
            "console/talk.rs",
            "console/device.rs",
            "console/browser.rs",
            "console/tmux.rs",
            "keeper/process/mod.rs",
            "store/program.rs",
        ],
    );
    assert_only(
        "unsafe",
        &[
            "certificate/store.rs",
            "configure/account.rs",
            "configure/windows.rs",
            "flow/listener/httpsys.rs",
            "flow/listener/received.rs",
            "flow/store_key/windows.rs",
            "httpsys/api.rs",
            "httpsys/config.rs",
            "httpsys/library.rs",
            "keeper/process/windows.rs",
            "store/file/windows.rs",
            "store/seal/windows.rs",
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

/// Where Windows says what it is itself.
const KEY_OF_WINDOWS: &str = r"software\microsoft\windows nt\currentversion";
/// Where Windows keeps the proxy of a user.
const PROXY_OF_WINDOWS: &str = r"software\microsoft\windows\currentversion\internet settings";

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
    for (file, source) in sources() {
        for line in source
            .text
            .to_lowercase()
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
        {
            let line = line
                .replace(KEY_OF_WINDOWS, "")
                .replace(PROXY_OF_WINDOWS, "");
            if let Some(service) = named(&line) {
                panic!("{file} names {service}: {line}");
            }
        }
    }
}

#[test]
fn demo_uses_no_code_of_the_program() {
    assert_without("demo/", &["crate"]);
}

/// The file that a path from the crate's root leads into.
fn file_of(path: &[String], exists: impl Fn(&str) -> bool) -> Option<String> {
    (1..=path.len()).rev().find_map(|count| {
        let base = path[..count].join("/");
        [format!("{base}.rs"), format!("{base}/mod.rs")]
            .into_iter()
            .find(|file| exists(file))
    })
}

/// Which other files a file uses, or folders a folder.
type Uses = BTreeMap<String, BTreeSet<String>>;

/// Which files a file uses. A `mod.rs` that only declares uses none.
fn uses() -> Uses {
    let sources = sources();
    let used = |file: &String, source: &Source| {
        let files = source
            .paths
            .iter()
            .filter_map(|path| file_of(path, |file| sources.contains_key(file)));
        files.filter(|used| used != file).collect()
    };
    sources
        .iter()
        .map(|(file, source)| (file.clone(), used(file, source)))
        .collect()
}

/// The same of what stands directly in `folder`, which is empty or ends in a slash: each folder there as one.
fn folded(uses: &Uses, folder: &str) -> Uses {
    let part = |file: &str| {
        let rest = file.strip_prefix(folder)?;
        Some(rest.split_inclusive('/').next()?.to_owned())
    };
    let mut folded = Uses::new();
    for (file, used) in uses {
        let Some(user) = part(file) else { continue };
        let used = used.iter().filter_map(|file| part(file));
        let used: Vec<String> = used.filter(|used| *used != user).collect();
        folded.entry(user).or_default().extend(used);
    }
    folded
}

/// A way from something back to itself.
fn circle(uses: &Uses) -> Option<Vec<String>> {
    fn visit<'a>(
        one: &'a str,
        uses: &'a Uses,
        path: &mut Vec<&'a str>,
        done: &mut BTreeSet<&'a str>,
    ) -> Option<Vec<String>> {
        if let Some(start) = path.iter().position(|before| *before == one) {
            let circle = path[start..].iter().chain([&one]);
            return Some(circle.map(|one| (*one).to_owned()).collect());
        }
        if done.contains(one) {
            return None;
        }
        path.push(one);
        let found = uses
            .get(one)
            .into_iter()
            .flatten()
            .find_map(|next| visit(next, uses, path, done));
        path.pop();
        done.insert(one);
        found
    }
    let mut done = BTreeSet::new();
    uses.keys()
        .find_map(|one| visit(one, uses, &mut Vec::new(), &mut done))
}

#[test]
fn files_have_no_dependency_cycles() {
    let uses = uses();
    assert!(
        uses["tui/update.rs"].contains("tui/model.rs")
            && uses["flow/driver.rs"].contains("flow/refresh.rs"),
        "{uses:?}"
    );
    assert_eq!(circle(&uses), None);
}

#[test]
fn folders_have_no_dependency_cycles() {
    let uses = uses();
    let folders: BTreeSet<&str> = uses
        .keys()
        .flat_map(|file| {
            let ends = file.match_indices('/').map(|(at, _)| at + 1);
            ends.chain([0]).map(|end| &file[..end])
        })
        .collect();
    assert!(folders.contains("") && folders.contains("tui/screens/"));
    let top = folded(&uses, "");
    assert!(top["flow/"].contains("oauth/") && top["configure/"].contains("httpsys/"));
    for folder in folders {
        assert_eq!(circle(&folded(&uses, folder)), None, "in src/{folder}");
    }
}

#[test]
fn folder_cycle_is_found_even_without_file_cycle() {
    let uses = |pairs: &[(&str, &str)]| {
        let mut uses = Uses::new();
        for (user, used) in pairs {
            let users = uses.entry((*user).to_owned()).or_default();
            users.insert((*used).to_owned());
        }
        uses
    };
    let two = uses(&[
        ("a/mod.rs", "b/x.rs"),
        ("b/y.rs", "a/z.rs"),
        ("c.rs", "a/mod.rs"),
    ]);
    assert_eq!(circle(&two), None);
    let found = circle(&folded(&two, "")).unwrap();
    assert_eq!(found, ["a/", "b/", "a/"]);
    assert_eq!(circle(&folded(&two, "a/")), None);
    let files = uses(&[("a.rs", "b.rs"), ("b.rs", "c.rs"), ("c.rs", "b.rs")]);
    assert_eq!(circle(&files).unwrap(), ["b.rs", "c.rs", "b.rs"]);
}

#[test]
fn imports_are_parsed_in_every_syntax() {
    let source = Source::read(
        "a/b.rs",
        r#"
        pub(super) mod child;
        use std::fmt::{self, Write as _};
        use crate::one::{self, two::{Three, four::*}, five as fifth};
        use self::child::Six;
        use super::seven;
        #[cfg(test)]
        use crate::no1::A;
        #[cfg(not(test))]
        use crate::eight::A;
        pub(in crate::no2) fn f(x: &crate::nine::T) -> fmt::Result {
            // crate::no3::comment
            let text = "crate::no4::text";
            seven::g(fifth::six::h, child::seven());
            println!("{}", [<crate::ten::U>::new(x), seven::deep::g()].len());
            inside::f(super::super::eleven::V)
        }
        mod inside {
            pub fn f(_: super::super::twelve::W) {}
        }
        struct S { #[cfg(test)] x: crate::no5::X, #[cfg(unix)] y: crate::thirteen::Y }
        #[cfg(all(unix, test))]
        impl S { fn g() { crate::no6::g(); } }
        #[cfg(test)]
        mod tests;
        "#,
    );
    let paths: BTreeSet<String> = source.paths.iter().map(|path| path.join("::")).collect();
    let expected = [
        "a::b::child::Six",
        "a::b::child::seven",
        "a::b::inside::f",
        "a::seven",
        "a::seven::deep::g",
        "a::seven::g",
        "a::twelve::W",
        "eight::A",
        "eleven::V",
        "nine::T",
        "one",
        "one::five",
        "one::five::six::h",
        "one::two::Three",
        "one::two::four",
        "ten::U",
        "thirteen::Y",
    ];
    assert_eq!(paths, expected.map(str::to_owned).into());
    assert_eq!(source.for_tests, [["a", "b", "tests"]]);
    assert!(!source.code.contains("no1") && !source.code.contains("no6"));
    assert!(source.code.contains("eight") && !source.code.contains("no3"));
}

#[test]
fn files_use_only_their_own_layer_and_lower_ones() {
    // From the top down: a file uses only its own layer and those below.
    let layers: [&[&str]; 7] = [
        &["main.rs", "lib.rs"],
        &["cli/", "commands/", "tui/", "plain/"],
        &["keeper/"],
        &["outcome.rs"],
        &["session/"],
        &["flow/", "configure/"],
        &[
            "oauth/",
            "mail/",
            "form/",
            "presets/",
            "profile/",
            "console/",
            "keyboard/",
            "certificate/",
            "account_name.rs",
            "child.rs",
            "clean.rs",
            "clock.rs",
            "escapes.rs",
            "quote.rs",
            "runtime.rs",
            "secret.rs",
            "store/",
            "demo/",
            "httpsys/",
            "windows.rs",
            "words.rs",
            "zone.rs",
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
    for folder in ["oauth/", "mail/"] {
        for (file, used) in uses().iter().filter(|(file, _)| file.starts_with(folder)) {
            assert!(
                used.iter().all(|one| {
                    one.starts_with(folder)
                        || ["clean.rs", "escapes.rs", "secret.rs", "words.rs"]
                            .contains(&one.as_str())
                }),
                "{file} uses {used:?}"
            );
        }
    }
}

/// The folders of the screens.
fn screens() -> BTreeSet<String> {
    let folders = sources().keys().filter_map(|file| {
        let (screen, _) = file.strip_prefix("tui/screens/")?.split_once('/')?;
        Some(screen.to_owned())
    });
    folders.collect()
}

#[test]
fn screens_use_neither_each_other_nor_their_container() {
    let holds_them = [
        "tui/model.rs",
        "tui/root.rs",
        "tui/screens/mod.rs",
        "tui/shell.rs",
        "tui/stack.rs",
        "tui/update.rs",
        "tui/view.rs",
    ];
    let uses = uses();
    for screen in screens() {
        let folder = format!("tui/screens/{screen}/");
        let files = uses.iter().filter(|(file, _)| file.starts_with(&folder));
        for (file, used) in files {
            let wrong = used.iter().find(|one| {
                let other = one.starts_with("tui/screens/") && !one.starts_with(&folder);
                other || holds_them.contains(&one.as_str())
            });
            assert_eq!(wrong, None, "used by {file}");
        }
    }
}

#[test]
fn every_screen_has_a_route_and_is_registered_once() {
    let camel = |screen: &String| -> String {
        let words = screen.split('_').map(|word| {
            let (first, rest) = word.split_at(1);
            first.to_uppercase() + rest
        });
        words.collect()
    };
    let routes = variants("tui/screen/route.rs", "Route");
    let screens = screens();
    let expected: BTreeSet<String> = screens.iter().map(camel).collect();
    assert_eq!(routes, expected);
    for (file, used) in uses() {
        let of = |screen: &&String| {
            let folder = format!("tui/screens/{screen}/");
            !file.starts_with(&folder) && used.iter().any(|one| one.starts_with(&folder))
        };
        let named = screens.iter().filter(of).count();
        let all = file == "tui/screens/mod.rs";
        assert_eq!(
            named,
            if all { screens.len() } else { 0 },
            "named by {file}"
        );
    }
}

/// The variants of an enum.
fn variants(file: &str, name: &str) -> BTreeSet<String> {
    let (_, source) = sources().iter().find(|(one, _)| *one == file).unwrap();
    let parsed = syn::parse_file(&source.text).unwrap();
    let found = parsed.items.into_iter().find_map(|item| match item {
        syn::Item::Enum(item) if item.ident == name => Some(item.variants),
        _ => None,
    });
    let variants = found.unwrap().into_iter();
    variants.map(|variant| variant.ident.to_string()).collect()
}

#[test]
fn one_file_creates_attempts_and_shell_writes_no_files() {
    for (file, source) in sources() {
        let makes = source.code.contains("AttemptId(");
        assert_eq!(makes, file == "flow/attempt.rs", "{file}");
    }
    assert_without("tui/shell.rs", &["fs", "sync_all"]);
}

/// The length of a file up to its tests, in lines.
const LONGEST: usize = 500;

/// Files that may be longer than [`LONGEST`].
const LONG: [(&str, &str); 1] = [("presets/format.rs", "every field of a preset, in one table")];

#[test]
fn long_files_have_a_documented_reason() {
    for (file, source) in sources() {
        let lines = source.text.trim_end().lines().count();
        let named = LONG.iter().any(|(long, _)| long == file);
        assert_eq!(lines > LONGEST, named, "{file} has {lines} lines");
    }
}

#[test]
fn no_doc_comment_is_a_single_word() {
    let is_doc = |line: &str| line.trim_start().starts_with("///");
    for (file, source) in sources() {
        let lines: Vec<&str> = source.text.lines().collect();
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| is_doc(line)) {
            let alone = |other: Option<&&str>| !other.is_some_and(|other| is_doc(other));
            let before = at.checked_sub(1).and_then(|at| lines.get(at));
            let words = line.trim_start().trim_start_matches('/').split_whitespace();
            let is_text = !line.contains('`');
            assert!(
                words.count() > 1 || !is_text || !alone(before) || !alone(lines.get(at + 1)),
                "{file}:{} says too little: {line}",
                at + 1
            );
        }
    }
}

#[test]
fn the_engine_uses_no_front_end() {
    let engine = [
        "certificate/",
        "configure/",
        "flow/",
        "form/",
        "httpsys/",
        "oauth/",
        "presets/",
        "session/",
        "store/",
    ];
    let front_ends = ["cli/", "commands/", "outcome.rs", "plain/", "tui/"];
    let starts = |file: &str, parts: &[&str]| parts.iter().any(|part| file.starts_with(part));
    for (file, used) in uses().iter().filter(|(file, _)| starts(file, &engine)) {
        let wrong = used.iter().find(|one| starts(one, &front_ends));
        assert_eq!(wrong, None, "used by {file}");
    }
}
