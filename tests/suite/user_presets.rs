//! The user's own presets and explanations: used if they are valid, reported and left out if they are not.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use crate::scripted::{Reply, Scripted};
use crate::servers::run;
use crate::terminal::{Command, ENTER, ESC, LIMIT, TAB, Terminal, UP, base, is_focused, program};

/// A valid preset of 8 lines, so that added text begins at line 9.
const GOOD: &str = r#"id = "zebra"
name = "Zebra service"
group = "business"

[endpoints]
authorization = "https://zebra.example/authorize"
device = "https://zebra.example/device"
token = "https://zebra.example/token"
"#;

/// The first words of a fix.
const REMEDIES: &[&str] = &[
    "Add", "Change", "Choose", "Correct", "Enter", "Give", "List", "Make", "Move", "Remove",
    "Rename", "Save",
];

/// A home folder with a folder for presets.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        fs::create_dir_all(home.presets().join("errors")).unwrap();
        home
    }

    /// A home folder with the good preset.
    fn good() -> Self {
        let home = Self::new();
        home.write("zebra.toml", GOOD);
        home
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn config(&self) -> PathBuf {
        self.path().join("config")
    }

    fn presets(&self) -> PathBuf {
        self.config().join("oauth-authorizer/presets")
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.presets().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn command(&self, flags: &[&str]) -> Command {
        Command::new(self.path(), flags).env("XDG_CONFIG_HOME", self.config())
    }

    /// Starts the program and waits for the form.
    fn start(&self, flags: &[&str]) -> Terminal {
        let terminal = self.command(flags).start();
        terminal.wait_for("[a Authorize]");
        terminal
    }

    /// Runs a subcommand. Returns the exit code, standard output and standard error.
    fn run(&self, flags: &[&str]) -> (i32, String, String) {
        // Use files: a pipe may be too small for a preset's text.
        let out = tempfile::NamedTempFile::new().unwrap();
        let err = tempfile::NamedTempFile::new().unwrap();
        let mut child = std::process::Command::new(program())
            .args(flags)
            .current_dir(self.path())
            .env_clear()
            .envs(base(self.path()))
            .env("XDG_CONFIG_HOME", self.config())
            .stdin(Stdio::null())
            .stdout(out.reopen().unwrap())
            .stderr(err.reopen().unwrap())
            .spawn()
            .unwrap();
        let end = Instant::now() + LIMIT;
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > end {
                child.kill().unwrap();
                child.wait().unwrap();
                panic!("{flags:?} does not end");
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        };
        let text = |file: &Path| fs::read_to_string(file).unwrap();
        (
            status.code().unwrap_or(-1),
            text(out.path()),
            text(err.path()),
        )
    }
}

/// The row of a field, without its label.
fn row(terminal: &Terminal, label: &str) -> String {
    let screen = terminal.screen();
    let begins = |line: &&str| line.trim_start_matches([' ', '▸']).starts_with(label);
    let line = screen.lines().find(begins);
    let line = line.unwrap_or_else(|| panic!("no {label}\n{screen}"));
    line.split_once(label).unwrap().1.trim().to_owned()
}

/// The name of the service in the title.
fn title(screen: &vt100::Screen) -> String {
    let line = screen.contents_between(0, 0, 0, 80);
    line.replacen("OAuth Authorizer", "", 1).trim().to_owned()
}

/// Opens the list of presets and types `typed` as its filter.
fn find(terminal: &mut Terminal, typed: &str) {
    terminal.focus("Preset");
    terminal.send(ENTER);
    terminal.wait_for("Choose a preset");
    terminal.send(typed);
    terminal.wait_for(&format!("Find {typed}"));
}

/// The row of the marked entry of the list, counted from 0.
fn marked_row(terminal: &Terminal) -> usize {
    let screen = terminal.screen();
    screen
        .lines()
        .position(|line| line.starts_with(" ▸"))
        .unwrap_or_else(|| panic!("nothing is marked\n{screen}"))
}

/// The name of the marked entry of the list.
fn marked(terminal: &Terminal) -> String {
    let screen = terminal.screen();
    let line = screen.lines().nth(marked_row(terminal)).unwrap();
    let line = line.trim_start_matches([' ', '▸']);
    line.split("  ").next().unwrap().trim().to_owned()
}

/// Returns whether the text has a fix.
fn has_remedy(text: &str) -> bool {
    let sentences = text.split(['.', ':', ',']).map(str::trim);
    sentences
        .filter_map(|sentence| sentence.split(' ').next())
        .any(|word| REMEDIES.contains(&word))
}

/// The message above the buttons, as one line.
fn message(terminal: &Terminal) -> String {
    // The presets of the user are read after the first frame, which has the hint of the focused field there.
    terminal.wait_until("a message", |screen| {
        let text = screen.contents();
        text.contains("[a Authorize]") && !text.contains("Press Enter to choose a service")
    });
    let screen = terminal.screen();
    let lines: Vec<&str> = screen.lines().collect();
    let buttons = lines.iter().position(|line| line.contains("[a Authorize]"));
    let buttons = buttons.unwrap();
    // A long message takes more than the usual three lines.
    let first = lines.iter().position(|line| line.contains(" Problem "));
    let words = lines[first.unwrap_or(buttons - 4)..buttons]
        .iter()
        .flat_map(|line| line.split_whitespace());
    words.collect::<Vec<_>>().join(" ")
}

/// Checks that the good preset is in the list, is found by typing, and can be chosen.
fn assert_good_works(terminal: &mut Terminal) {
    find(terminal, "zeb");
    assert_eq!(marked(terminal), "Zebra service");
    terminal.send(ENTER);
    terminal.wait_until("the good preset", |screen| title(screen) == "Zebra service");
    let row = row(terminal, "Token ex. URL");
    assert!(
        row.starts_with("https://zebra.example/token ") && row.ends_with("locked"),
        "{row}"
    );
}

/// Checks that the file is reported with `place` (line and key) and a fix wherever presets are read.
fn assert_told(name: &str, home: &Home, place: &[&str]) {
    assert_left_out(name, home, place);
    let path = home.presets().join(name);
    let path = path.to_str().unwrap();
    let whole = |text: &str, what: &str| whole(text, what, place);

    let (code, out, err) = home.run(&["presets", "check", path]);
    assert_eq!(code, 1, "{out}{err}");
    assert!(out.starts_with(path), "{out}");
    whole(&out, "check");

    let mut terminal = home.command(&["--preset-file", path]).start();
    assert_eq!(terminal.wait_exit().exit_code(), 2, "{}", terminal.screen());
    let told = terminal.flat();
    let sentence = format!("Can't use the preset file {path}: ");
    // A path may be wrapped anywhere.
    let squeezed = |text: &str| text.split_whitespace().collect::<String>();
    assert!(squeezed(&told).contains(&squeezed(&sentence)), "{told}");
    whole(&told, "flag");
}

fn whole(text: &str, what: &str, place: &[&str]) {
    for part in place {
        assert!(text.contains(part), "{what}: no {part:?} in {text:?}");
    }
    assert!(has_remedy(text), "{what}: no remedy in {text:?}");
}

/// Checks that a file in the folder is reported and left out, and that the good preset works.
fn assert_left_out(name: &str, home: &Home, place: &[&str]) {
    let whole = |text: &str, what: &str| whole(text, what, place);

    let mut terminal = home.start(&[]);
    let told = message(&terminal);
    assert!(told.contains(name), "{}", terminal.screen());
    whole(&told, "form");
    assert_good_works(&mut terminal);
    drop(terminal);

    let (code, out, err) = home.run(&["presets", "list"]);
    assert_eq!(code, 0, "{err}");
    assert!(
        out.contains("zebra\tZebra service\tbusiness\tyour own\n"),
        "{out}"
    );
    assert!(!out.contains(name), "{out}");
    let line = err.lines().find(|line| line.contains(name));
    whole(line.unwrap_or_else(|| panic!("{err}")), "list");
}

/// Checks a file with this content like `assert_told`.
fn assert_bad(text: impl AsRef<[u8]>, place: &[&str]) {
    let home = Home::good();
    home.write("bad.toml", text);
    assert_told("bad.toml", &home, place);
}

#[test]
fn wrong_value_type_is_reported() {
    assert_bad(GOOD.replace("\"Zebra service\"", "5"), &["line 2", "name"]);
}

#[test]
fn unknown_key_is_reported() {
    assert_bad(
        GOOD.replace("group", "color = \"red\"\ngroup"),
        &["line 3", "color"],
    );
}

#[test]
fn missing_token_url_is_reported() {
    let text = GOOD.replace("token = \"https://zebra.example/token\"\n", "");
    assert_bad(text, &["line 5", "endpoints.token"]);
}

#[test]
fn unclosed_brace_is_reported() {
    let text = GOOD.replace("https://zebra.example/token", "https://{host/token");
    assert_bad(text, &["line 8", "endpoints.token"]);
}

#[test]
fn brace_in_a_default_value_is_reported() {
    let text = GOOD.replace("https://zebra.example/token", "https://{host}/token");
    let variable = "\n[[variables]]\nname = \"host\"\nlabel = \"Host\"\ndefault = \"{host}\"\n";
    assert_bad(text + variable, &["line 10", "variables", "host"]);
}

#[test]
fn oversized_file_is_reported() {
    assert_bad(format!("{GOOD}#{}", "x".repeat(10 << 20)), &["256 KiB"]);
}

#[test]
fn non_utf_8_file_is_reported() {
    let text = GOOD.replace("Zebra service", "Zebr\u{0}");
    let bytes: Vec<u8> = text
        .bytes()
        .map(|byte| if byte == 0 { 0xe4 } else { byte })
        .collect();
    assert_bad(bytes, &["line 2", "UTF-8"]);
}

#[test]
fn pipe_instead_of_a_file_is_reported() {
    let home = Home::good();
    run(std::process::Command::new("mkfifo").arg(home.presets().join("bad.toml")));
    assert_left_out("bad.toml", &home, &["it is a pipe, not a regular file"]);
}

#[test]
fn empty_file_is_reported() {
    assert_bad("", &["line 1", "`id`"]);
}

#[test]
fn invalid_toml_is_reported() {
    assert_bad(
        GOOD.replace("[endpoints]", "[endpoints"),
        &["line 5", "TOML"],
    );
}

#[test]
fn reserved_id_of_custom_settings_is_refused() {
    assert_bad(GOOD.replace("\"zebra\"", "\"custom\""), &["line 1", "id"]);
}

#[test]
fn file_name_that_differs_from_its_id_is_reported() {
    let home = Home::good();
    let twin = GOOD.replace("Zebra service", "Twin");
    let path = home.write("twin.toml", twin.replace("\"zebra\"", "\"twin\""));
    home.write("twin-2.toml", twin.replace("\"zebra\"", "\"twin\""));
    // Each is valid by itself.
    assert_eq!(home.run(&["presets", "check", &path]).0, 0);
    let whole = |text: &str| {
        assert!(
            text.contains("it is twin, but the file is named twin-2.toml"),
            "{text}"
        );
        assert!(text.contains("id") && has_remedy(text), "{text}");
    };
    let mut terminal = home.start(&[]);
    assert_good_works(&mut terminal);
    find(&mut terminal, "twin");
    let screen = terminal.screen();
    let rows = screen
        .lines()
        .map(|line| line.trim_start_matches([' ', '▸']));
    assert_eq!(rows.filter(|row| row.starts_with("Twin ")).count(), 1);
    drop(terminal);
    let (code, out, err) = home.run(&["presets", "list"]);
    assert_eq!((code, out.matches("\ntwin\t").count()), (0, 1), "{out}");
    whole(&err);
    whole(&message(&home.start(&[])));
}

#[test]
fn invalid_explanations_are_reported() {
    let home = Home::good();
    home.write(
        "errors/mine.toml",
        "[[error]]\ncode = \"x\"\ncause = \"y\"\n",
    );
    let terminal = home.start(&[]);
    let told = message(&terminal);
    for part in ["mine.toml", "line 1", "remedy"] {
        assert!(told.contains(part), "{told}");
    }
    assert!(has_remedy(&told), "{told}");
}

#[test]
fn several_bad_files_are_counted() {
    let home = Home::good();
    for name in ["a.toml", "b.toml", "c.toml"] {
        home.write(name, "id = 5\n");
    }
    let mut terminal = home.start(&[]);
    let told = message(&terminal);
    assert!(
        told.contains("a.toml") && told.contains("2 more files"),
        "{told}"
    );
    assert_good_works(&mut terminal);
}

#[test]
fn valid_file_is_accepted_in_any_folder() {
    let home = Home::good();
    let path = home.presets().join("zebra.toml");
    let path = path.to_str().unwrap();
    let (code, out, err) = home.run(&["presets", "check", path]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(out.contains("the preset zebra is fine"), "{out}");
    // The text of a preset is a starting point for another.
    let (code, text, _) = home.run(&["presets", "show", "keycloak"]);
    assert_eq!(code, 0);
    assert!(text.contains("\nid = \"keycloak\"\n") || text.starts_with("id = \"keycloak\"\n"));
    let text = text.replacen("id = \"keycloak\"", "id = \"our-sign-in\"", 1);
    let text = text.replacen("name = \"Keycloak\"", "name = \"Our sign-in\"", 1);
    let path = home.path().join("our-sign-in.toml");
    fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap();
    let (code, out, _) = home.run(&["presets", "check", path]);
    assert_eq!(code, 0, "{out}");
    let terminal = home.start(&["--preset-file", path]);
    assert_eq!(terminal.look(title), "Our sign-in");
    assert!(terminal.flat().contains("https://{host}/realms/{realm}/"));
}

#[test]
fn a_file_replaces_a_built_in_preset() {
    let home = Home::new();
    let text = GOOD.replace("\"zebra\"", "\"github\"");
    home.write(
        "github.toml",
        text.replace("zebra.example", "git.example.org"),
    );
    let terminal = home.start(&["--preset", "github"]);
    for (label, url) in [
        ("Device code URL", "https://git.example.org/device"),
        ("Token ex. URL", "https://git.example.org/token"),
    ] {
        let row = row(&terminal, label);
        assert!(row.starts_with(url) && row.ends_with("locked"), "{row}");
    }
    let (_, out, _) = home.run(&["presets", "list"]);
    assert_eq!(
        out.lines()
            .filter(|line| line.starts_with("github\t"))
            .collect::<Vec<_>>(),
        ["github\tZebra service\tbusiness\tyour own"]
    );
}

#[test]
fn user_explanations_are_used() {
    let service = Scripted::start(|_| Reply::json(400, r#"{"error":"house_rule"}"#));
    let home = Home::new();
    home.write(
        "errors/mine.toml",
        r#"[[error]]
code = "house_rule"
at = ["device-code"]
cause = "The house does not want that."
remedy = "Ask the porter."
field = "vars"
source = "https://house.example/rules"
"#,
    );
    let text = format!(
        r#"id = "house"
name = "House"
group = "business"
errors = ["mine"]

[endpoints]
device = "{0}/{{floor}}/device"
token = "{0}/token"

[[variables]]
name = "floor"
label = "Floor"
"#,
        service.url
    );
    home.write("house.toml", text);
    let flags = [
        "--preset",
        "house",
        "--var",
        "floor=2",
        "--client-id",
        "a-client",
    ];
    let mut terminal = home.start(&flags);
    terminal.focus("Authorize");
    terminal.send(ENTER);
    terminal.wait_for("Failed The house does not want that. Fix Ask the porter. ▸ Field Floor");
    assert!(
        terminal.flat().contains("house_rule"),
        "{}",
        terminal.screen()
    );
    terminal.send(ENTER);
    terminal.wait_until("the focus on the variable", |screen| {
        is_focused(screen, "Floor")
    });
}

#[test]
fn three_characters_find_popular_services() {
    let home = Home::new();
    let mut terminal = home.start(&[]);
    for (typed, name) in [
        ("goo", "Google mail"),
        ("mic", "Microsoft 365 mail"),
        ("git", "GitHub"),
        ("okt", "Okta"),
        ("key", "Keycloak"),
    ] {
        find(&mut terminal, typed);
        assert_eq!(marked(&terminal), name, "{}", terminal.screen());
        // The marked entry is the first one.
        assert_eq!(marked_row(&terminal), 4);
        terminal.send(ESC);
        terminal.wait_until("the form", |screen| {
            !screen.contents().contains("Choose a preset")
        });
    }
}

#[test]
fn email_address_finds_its_mail_service() {
    let home = Home::new();
    for (address, names) in [
        ("me@gmail.com", &["Google mail"][..]),
        ("me@outlook.com", &["Microsoft Outlook.com mail"]),
    ] {
        let mut terminal = home.start(&[]);
        find(&mut terminal, address);
        assert!(
            names.contains(&marked(&terminal).as_str()),
            "{}",
            terminal.screen()
        );
        terminal.send(ENTER);
        terminal.wait_until("the preset", |screen| {
            names.contains(&title(screen).as_str())
        });
        terminal.focus("Show");
        terminal.send(ENTER);
        // Page Down.
        terminal.send("\x1b[6~");
        terminal.wait_for("Login hint");
        assert_eq!(row(&terminal, "Login hint"), address);
    }
}

#[test]
fn email_address_without_a_preset_is_reported() {
    let home = Home::new();
    let mut terminal = home.start(&[]);
    find(&mut terminal, "me@example.org");
    terminal.settle();
    let told = "No preset covers me@example.org. Type the name of the service that hosts its mail";
    assert!(terminal.flat().contains(told), "{}", terminal.screen());
}

#[test]
fn unverified_preset_is_marked() {
    let home = Home::new();
    let mut terminal = home.start(&["--preset", "pingfederate"]);
    assert!(
        row(&terminal, "Preset").contains("unverified"),
        "{}",
        terminal.screen()
    );
    terminal.press_until(UP, "Preset", |screen| is_focused(screen, "Preset"));
    terminal.wait_for("Use Discover to check it against the service.");
    terminal.send(TAB);
    let (_, out, _) = home.run(&["presets", "list"]);
    assert!(
        out.contains("pingfederate\tPingFederate\tidentity\tunverified\n"),
        "{out}"
    );
}
