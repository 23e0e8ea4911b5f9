//! Token stores of other programs: a command keeps the tokens of a profile instead of a file.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use crate::plain::Plain;
use crate::profiles::{Profiles, Ran};
use crate::scripted::{Reply, Scripted};
use crate::terminal::base;

/// A profile whose service issues `access-N` and `refresh-N` at the refresh with the number N - 1.
pub fn rotating() -> (Profiles, Scripted) {
    let count = AtomicU32::new(1);
    Profiles::scripted(move |_| {
        let number = count.fetch_add(1, Ordering::SeqCst) + 1;
        Reply::json(
            200,
            &format!(
                r#"{{"access_token":"access-{number}","token_type":"Bearer","expires_in":3600,"refresh_token":"refresh-{number}"}}"#
            ),
        )
    })
}

/// A store: a file, and two scripts that read and write it and log each call.
pub struct Store {
    folder: tempfile::TempDir,
}

impl Store {
    pub fn new() -> Self {
        let store = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        store.script("read", "cat kept");
        store.script("write", "cat >kept");
        store
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn script(&self, name: &str, body: &str) {
        let folder = self.folder.path().display();
        let path = self.path(name);
        std::fs::write(
            &path,
            format!("#!/bin/sh\ncd {folder} || exit 1\necho {name} >>notes\n{body}\n"),
        )
        .unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    }

    /// The calls of the scripts since the last look.
    fn notes(&self) -> String {
        let notes = std::fs::read_to_string(self.path("notes")).unwrap_or_default();
        let _ = std::fs::remove_file(self.path("notes"));
        notes.replace('\n', " ").trim_end().to_owned()
    }

    /// The stored text, without the `stored` mark that makes each text unique.
    pub fn kept(&self) -> Value {
        let bytes = std::fs::read(self.path("kept")).unwrap();
        let mut kept: Value = serde_json::from_slice(&bytes).unwrap();
        kept.as_object_mut().unwrap().remove("stored");
        kept
    }

    pub fn take(&self, profiles: &Profiles) -> Ran {
        let (read, write) = (self.path("read"), self.path("write"));
        let (read, write) = (read.to_str().unwrap(), write.to_str().unwrap());
        profiles.run(&[
            "profiles", "store", "office", "command", "--read", read, "--write", write,
        ])
    }
}

/// A profile whose tokens are in `store`.
pub fn stored() -> (Profiles, Scripted, Store) {
    let (profiles, server) = rotating();
    let store = Store::new();
    let ran = store.take(&profiles);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    store.notes();
    (profiles, server, store)
}

pub fn refreshes(server: &Scripted) -> usize {
    let requests = server.requests("/token");
    let grants = requests
        .iter()
        .filter(|request| request.form["grant_type"] == "refresh_token");
    grants.count()
}

#[test]
fn an_empty_token_in_a_store_is_refreshed() {
    let (profiles, server, store) = stored();
    let mut kept = store.kept();
    kept["tokens"]["access_token"] = json!("");
    std::fs::write(store.path("kept"), kept.to_string()).unwrap();
    let offline = profiles.run(&["token", "office", "--offline"]);
    assert_eq!(
        (offline.code, offline.stdout.as_str()),
        (5, ""),
        "{offline:?}"
    );
    assert_eq!(
        (profiles.token(), refreshes(&server)),
        ("access-2".to_owned(), 1)
    );
}

#[test]
fn tokens_move_to_a_command_store_and_back() {
    let (profiles, server, store) = stored();
    let secrets = |text: &str| ["first", "access-", "refresh-"].map(|secret| text.contains(secret));
    let file = || std::fs::read_to_string(profiles.state("record")).unwrap();
    assert_eq!(secrets(&file()), [false; 3], "{}", file());
    assert_eq!(store.kept()["tokens"]["refresh_token"], "refresh-1");
    // A valid token requires one call; lists require none.
    assert_eq!(
        (profiles.token(), store.notes()),
        ("first".to_owned(), "read".to_owned())
    );
    for arguments in [
        &["profiles", "list"][..],
        &["profiles", "show", "office"],
        &["profiles", "check", "office"],
    ] {
        let ran = profiles.run(arguments);
        assert_eq!((ran.code, store.notes()), (0, String::new()), "{ran:?}");
    }
    // A refresh first stores the current tokens, to find out whether the store works.
    profiles.expire();
    assert_eq!(profiles.token(), "access-2");
    // After each write, the text is read back.
    assert_eq!(store.notes(), "read write read write read read");
    assert_eq!(store.kept()["tokens"]["refresh_token"], "refresh-2");
    assert_eq!(secrets(&file()), [false; 3], "{}", file());
    assert_eq!(
        (profiles.record()["generation"].clone(), refreshes(&server)),
        (json!(2), 1)
    );
    let ran = profiles.run(&["profiles", "store", "office", "file"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stderr.contains("still has the tokens"), "{ran:?}");
    store.notes();
    assert_eq!(
        (profiles.token(), store.notes()),
        ("access-2".to_owned(), String::new())
    );
    let settings = std::fs::read_to_string(profiles.settings()).unwrap();
    assert!(
        settings.contains("[store]\nkind = \"file\"\n"),
        "{settings}"
    );
}

#[test]
fn tilde_in_store_command_expands_to_home_folder() {
    let (profiles, _server) = rotating();
    let store = Store::new();
    for name in ["read", "write"] {
        std::os::unix::fs::symlink(store.path(name), profiles.home.path().join(name)).unwrap();
    }
    let commands = ["--read", "~/read", "--write", "~/write"];
    let ran = profiles.run(&[&["profiles", "store", "office", "command"][..], &commands].concat());
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    assert_eq!(store.kept()["tokens"]["refresh_token"], "refresh-1");
    assert_eq!(profiles.token(), "first");
}

#[test]
fn failing_store_is_reported_before_any_request() {
    let (profiles, server, store) = stored();
    profiles.expire();
    store.script("write", "echo 'gpg: no key' >&2; exit 2");
    let ran = profiles.run(&["token", "office"]);
    assert_eq!(
        (ran.code, ran.stdout.as_str(), refreshes(&server)),
        (9, "", 0),
        "{ran:?}"
    );
    assert!(
        ran.stderr
            .contains("write failed with exit code 2: gpg: no key."),
        "{ran:?}"
    );
    store.script("write", "cat >kept");
    store.script("read", "echo 'gpg: locked' >&2; exit 2");
    let ran = profiles.run(&["token", "office"]);
    assert_eq!((ran.code, refreshes(&server)), (9, 0), "{ran:?}");
    assert!(ran.stderr.contains("gpg: locked"), "{ran:?}");
    // If the store fails only for a moment after the refresh, the new tokens are stored at the next try.
    store.script("read", "cat kept");
    store.script(
        "write",
        "cat >new; if grep -q access-2 new && [ ! -e failed ]; then touch failed; exit 1; fi; mv new kept",
    );
    assert_eq!(
        (profiles.token(), refreshes(&server)),
        ("access-2".to_owned(), 1)
    );
    assert!(store.path("failed").exists());
    assert_eq!(store.kept()["generation"], 2);
}

#[test]
fn interruption_between_store_and_file_loses_no_tokens() {
    let (profiles, server, store) = stored();
    let (file, kept) = (profiles.record(), store.kept());
    profiles.expire();
    assert_eq!(profiles.token(), "access-2");
    let (new_file, new_kept) = (profiles.record(), store.kept());
    let put = |end: &str, value: &Value| {
        std::fs::write(profiles.state(end), format!("{value}\n")).unwrap();
        let mode = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(profiles.state(end), mode).unwrap();
    };
    let keep = |value: &Value| std::fs::write(store.path("kept"), value.to_string()).unwrap();
    // The store has the new tokens, the record does not yet; with and without the next record.
    for next in [true, false] {
        put("record", &file);
        profiles.expire();
        if next {
            put("next", &new_file);
        }
        keep(&new_kept);
        assert_eq!(
            (profiles.token(), refreshes(&server)),
            ("access-2".to_owned(), 1)
        );
        assert_eq!(profiles.record()["generation"], 2, "{next}");
        assert!(!profiles.state("next").exists());
    }
    // The next record is complete and the store has the old tokens: the new tokens are stored again.
    put("record", &file);
    profiles.expire();
    put("next", &new_file);
    keep(&kept);
    assert_eq!(
        (profiles.token(), refreshes(&server)),
        ("access-3".to_owned(), 2)
    );
    let requests = server.requests("/token");
    assert_eq!(requests.last().unwrap().form["refresh_token"], "refresh-1");
}

#[test]
fn changed_commands_are_not_run_and_foreign_tokens_not_sent() {
    let (profiles, server, store) = stored();
    let settings = std::fs::read_to_string(profiles.settings()).unwrap();
    store.script("planted", "touch ran; cat kept");
    for name in ["read", "write"] {
        let planted = settings.replace(
            store.path(name).to_str().unwrap(),
            store.path("planted").to_str().unwrap(),
        );
        assert_ne!(planted, settings);
        std::fs::write(profiles.settings(), planted).unwrap();
        let ran = profiles.run(&["token", "office"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
        assert!(ran.stderr.contains("The store has changed"), "{ran:?}");
        assert!(!store.path("ran").exists());
    }
    std::fs::write(profiles.settings(), &settings).unwrap();
    // Tokens of another sign-in, service or client, older tokens, and something that is not a record.
    let good = store.kept();
    let with = |change: fn(&mut Value)| {
        let mut changed = good.clone();
        change(&mut changed);
        changed.to_string()
    };
    profiles.edit(|record| record["generation"] = json!(5));
    for foreign in [
        with(|record| record["lineage"] = json!("other")),
        with(|record| record["issued_for"]["token_url"] = json!("https://evil.example/")),
        with(|record| record["issued_for"]["client_id"] = json!("other")),
        with(|record| record["generation"] = json!(4)),
        with(|record| record["end"] = json!(false)),
        String::new(),
        "secret".to_owned(),
    ] {
        std::fs::write(store.path("kept"), &foreign).unwrap();
        let ran = profiles.run(&["token", "office"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (9, ""), "{ran:?}");
        assert!(
            ran.stderr.contains("printed no tokens of this sign-in"),
            "{ran:?}"
        );
    }
    assert_eq!(refreshes(&server), 0);
}

#[test]
fn a_deleted_profile_leaves_no_token_in_the_store() {
    let (profiles, _server, store) = stored();
    let ran = profiles.run(&["profiles", "rename", "office", "desk"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let ran = profiles.run(&["token", "desk"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "first\n"), "{ran:?}");
    let ran = profiles.run(&["profiles", "delete", "desk"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    assert_eq!(store.kept(), json!({"format": 1}));
}

#[test]
fn new_profile_can_be_saved_directly_to_a_store() {
    let profiles = Profiles::new();
    let store = Store::new();
    let secret = profiles.home.path().join("secret");
    std::fs::write(&secret, "s3cret").unwrap();
    // While the tokens are written to the store, no file contains the secret.
    store.script(
        "write",
        &format!(
            "cat >kept; grep -rl s3cret {}/.local >>leaks; true",
            profiles.home.path().display()
        ),
    );
    let (read, write) = (store.path("read"), store.path("write"));
    let (read, write) = (read.to_str().unwrap(), write.to_str().unwrap());
    let form = "--preset github --client-id me --client-secret-file";
    let mut flags = vec!["profiles", "save", "office", "--store", "command"];
    flags.extend(["--read", read, "--write", write]);
    flags.extend(form.split(' ').chain(secret.to_str()));
    let ran = profiles.run(&flags);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(store.kept()["client_secret"], "s3cret");
    assert_eq!(std::fs::read_to_string(store.path("leaks")).unwrap(), "");
    let file = std::fs::read_to_string(profiles.state("record")).unwrap();
    assert!(!file.contains("s3cret"), "{file}");
    // If the profile is saved without a store, the tokens stay in the store.
    let ran = profiles.run(&[
        "profiles",
        "save",
        "office",
        "--preset",
        "github",
        "--client-id",
        "me",
    ]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(store.kept()["client_secret"], "s3cret");
}

#[test]
fn invalid_store_settings_are_explained() {
    let (profiles, _server) = rotating();
    for (flags, words) in [
        (&["command"][..], "requires two commands"),
        (&["command", "--read", "cat x"], "requires two commands"),
        (
            &["command", "--read", "cat 'x", "--write", "tee x"],
            "The command of --read has an unclosed quotation mark.",
        ),
        (&["file", "--read", "cat x"], "has no commands"),
        (&["dpapi"], "requires Windows"),
        (&["keyring"], "possible values: file"),
    ] {
        let ran = profiles.run(&[&["profiles", "store", "office"], flags].concat());
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.stderr.contains(words), "{ran:?}");
    }
    // If the command can't be started, the tokens stay where they are.
    let missing = ["--read", "no-such-program", "--write", "no-such-program"];
    let ran = profiles.run(&[&["profiles", "store", "office", "command"], &missing[..]].concat());
    assert_eq!(ran.code, 9, "{ran:?}");
    assert!(ran.stderr.contains("can't be started"), "{ran:?}");
    assert_eq!(profiles.token(), "first");
    // The same applies if it stores the first text but not the tokens.
    let store = Store::new();
    store.script("write", "cat >new; ! grep -q first new && mv new kept");
    let ran = store.take(&profiles);
    assert_eq!(ran.code, 9, "{ran:?}");
    assert_eq!(profiles.token(), "first");
}

/// The password manager pass, with its own key.
#[test]
fn tokens_can_be_stored_in_pass() {
    let (profiles, server) = rotating();
    let run = |program: &str, arguments: &[&str]| {
        let output = Command::new(program)
            .args(arguments)
            .env_clear()
            .envs(base(profiles.home.path()))
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{program} {arguments:?}: {output:?}"
        );
        String::from_utf8(output.stdout).unwrap()
    };
    let key = [
        "--batch",
        "--passphrase",
        "",
        "--quick-generate-key",
        "office",
    ];
    run("gpg", &key);
    run("pass", &["init", "office"]);
    let ran = profiles.run(&[
        "profiles",
        "store",
        "office",
        "command",
        "--read",
        "pass show oauth/office",
        "--write",
        "pass insert --multiline --force oauth/office",
    ]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    assert_eq!(profiles.token(), "first");
    profiles.expire();
    assert_eq!(
        (profiles.token(), refreshes(&server)),
        ("access-2".to_owned(), 1)
    );
    let shown = run("pass", &["show", "oauth/office"]);
    assert!(shown.contains("\"refresh_token\":\"refresh-2\""));
    let folder = profiles.home.path().join(".password-store/oauth");
    assert!(folder.join("office.gpg").exists());
    // End gpg's agent together with the test.
    run("gpgconf", &["--kill", "all"]);
}

#[test]
fn trying_store_commands_keeps_existing_store_contents() {
    let (profiles, server, store) = stored();
    let kept = || store.kept()["tokens"]["refresh_token"].take();
    // Other names of the same store.
    store.script("read-2", "cat kept");
    store.script("write-2", "cat >kept");
    let line = |name: &str| store.path(name).display().to_string();
    let to = |read: &str, write: &str| {
        let flags = [
            "profiles", "store", "office", "command", "--read", read, "--write", write,
        ];
        profiles.run(&flags)
    };
    let ran = to(&line("read-2"), &line("write-2"));
    assert_eq!((ran.code, kept()), (0, json!("refresh-1")), "{ran:?}");
    assert!(!ran.stderr.contains("Delete them there"), "{ran:?}");
    assert_eq!(profiles.token(), "first");
    // Only one of the two commands is right.
    for (read, write) in [("/bin/true", "write"), ("/bin/false", "write")] {
        let ran = to(read, &line(write));
        assert_eq!((ran.code, kept()), (9, json!("refresh-1")), "{ran:?}");
    }
    let ran = to(&line("read"), "/bin/true");
    assert_eq!((ran.code, kept()), (9, json!("refresh-1")), "{ran:?}");
    assert_eq!(profiles.token(), "first");
    // The settings are edited by hand, and the trial before a sign-in uses them.
    let settings = std::fs::read_to_string(profiles.settings()).unwrap();
    let edited = settings
        .replace("read-2", "read")
        .replace("write-2", "write");
    assert_ne!(edited, settings);
    std::fs::write(profiles.settings(), edited).unwrap();
    let mut plain = Plain::start(profiles.home.path(), &["--profile", "office", "--save"]);
    plain.value("user_code");
    drop(plain);
    assert_eq!(kept(), "refresh-1");
    std::fs::write(profiles.settings(), settings).unwrap();
    assert_eq!(profiles.token(), "first");
    // An entry of another profile.
    let (read, write) = (line("read"), line("write"));
    let store_flags = ["--store", "command", "--read", &read, "--write", &write];
    let form = ["--preset", "github", "--client-id", "me"];
    let flags = [&["profiles", "save", "other"], &store_flags[..], &form[..]].concat();
    let ran = profiles.run(&flags);
    assert_eq!(ran.code, 9, "{ran:?}");
    assert!(
        ran.stderr
            .contains("prints the tokens of the profile office. Choose another entry"),
        "{ran:?}"
    );
    assert_eq!(
        (profiles.token(), refreshes(&server)),
        ("first".to_owned(), 0)
    );
}

#[test]
fn sign_in_refills_a_store_that_the_user_emptied() {
    let (profiles, _server, store) = stored();
    std::fs::remove_file(store.path("kept")).unwrap();
    let ran = profiles.run(&["token", "office"]);
    assert_eq!(ran.code, 9, "{ran:?}");
    let hint = "hint: If the store no longer contains the tokens, sign in again: oauth-authorizer --profile office\n";
    assert!(ran.stderr.ends_with(hint), "{ran:?}");
    let (code, stdout, stderr) =
        Plain::start(profiles.home.path(), &["--profile", "office", "--save"]).end();
    assert_eq!((code, stdout.as_str()), (0, ""), "{stderr}");
    assert!(store.kept()["tokens"]["refresh_token"].is_string());
    assert_eq!(profiles.run(&["token", "office"]).code, 0);
}

#[test]
fn profile_is_renamed_while_its_store_is_locked() {
    let (profiles, _server, store) = stored();
    store.script("read", "exit 1");
    let ran = profiles.run(&["profiles", "rename", "office", "shop"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    assert_eq!(profiles.run(&["token", "shop"]).code, 9);
    store.script("read", "cat kept");
    let ran = profiles.run(&["token", "shop"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "first\n"), "{ran:?}");
    // The store of a renamed profile names it again after the next refresh.
    assert_eq!(profiles.run(&["refresh", "shop"]).code, 0);
    assert_eq!(store.kept()["profile"], "shop");
}

#[test]
fn failed_move_to_a_store_mentions_a_possible_copy() {
    let (profiles, _server) = rotating();
    let store = Store::new();
    store.script("read", "exit 1");
    let ran = store.take(&profiles);
    let words = "hint: The profile keeps its store. If the command ";
    assert!(ran.code == 9 && ran.stderr.contains(words), "{ran:?}");
    assert_eq!(profiles.token(), "first");
}

#[test]
fn imported_tokens_go_to_the_profile_store() {
    let (profiles, _server) = rotating();
    let home = profiles.home.path();
    let path = |name: &str| home.join(name).to_str().unwrap().to_owned();
    let (key, file) = (path("key"), path("office.age"));
    let output = Command::new("age-keygen")
        .args(["-o", &key])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let recipient = said.trim().rsplit(' ').next().unwrap();
    let export = [
        "profiles", "export", "office", "-r", recipient, "--to", &file,
    ];
    assert_eq!(profiles.run(&export).code, 0);
    let store = Store::new();
    assert_eq!(store.take(&profiles).code, 0);
    // The profile has older tokens, and its own mailbox.
    let mut kept = store.kept();
    kept["generation"] = json!(0);
    std::fs::write(store.path("kept"), kept.to_string()).unwrap();
    profiles.edit(|record| record["generation"] = json!(0));
    let mut settings = std::fs::read_to_string(profiles.settings()).unwrap();
    settings.push_str("\n[mail]\nuser = \"shared@example.org\"\n");
    std::fs::write(profiles.settings(), settings).unwrap();
    let ran = profiles.run(&[
        "profiles",
        "import",
        &file,
        "--identity",
        &key,
        "--if-newer",
    ]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let record = std::fs::read_to_string(profiles.state("record")).unwrap();
    assert!(!record.contains("refresh-1"), "{record}");
    assert_eq!(store.kept()["generation"], 1);
    let settings = std::fs::read_to_string(profiles.settings()).unwrap();
    assert!(
        settings.contains("[store]") && settings.contains("shared@example.org"),
        "{settings}"
    );
    assert_eq!(profiles.token(), "first");
}

#[test]
fn tokens_move_only_to_a_store_that_returns_them() {
    let (profiles, server) = rotating();
    let store = Store::new();
    let before = std::fs::read(profiles.state("record")).unwrap();
    let line = |name: &str| store.path(name).display().to_string();
    for (read, write) in [
        ("/bin/false".to_owned(), line("write")),
        ("/bin/true".to_owned(), line("write")),
        (line("read"), "/usr/bin/tee /dev/null".to_owned()),
    ] {
        let flags = ["--read", &read, "--write", &write];
        let ran = profiles.run(&[&["profiles", "store", "office", "command"], &flags[..]].concat());
        assert_eq!(ran.code, 9, "{ran:?}");
        assert_eq!(std::fs::read(profiles.state("record")).unwrap(), before);
    }
    assert_eq!(profiles.token(), "first");
    // A command that no longer stores anything is noticed before the refresh request.
    let taken = store.take(&profiles);
    assert_eq!(taken.code, 0, "{taken:?}");
    store.script("write", "cat >/dev/null");
    profiles.expire();
    let ran = profiles.run(&["token", "office"]);
    assert_eq!((ran.code, refreshes(&server)), (9, 0), "{ran:?}");
    assert!(
        ran.stderr.contains("doesn't print what it stored"),
        "{ran:?}"
    );
    store.script("write", "cat >kept");
    assert_eq!(profiles.token(), "access-2");
}

#[test]
fn store_whose_read_command_prints_other_text_is_refused() {
    let (profiles, _server) = rotating();
    let store = Store::new();
    let before = std::fs::read(profiles.state("record")).unwrap();
    store.script("read", "echo Reading...; cat kept");
    let ran = store.take(&profiles);
    assert_eq!(ran.code, 9, "{ran:?}");
    assert!(
        ran.stderr
            .contains("prints other text before or after the tokens"),
        "{ran:?}"
    );
    assert_eq!(std::fs::read(profiles.state("record")).unwrap(), before);
}

#[test]
fn corrected_read_command_makes_the_tokens_of_a_store_available_again() {
    let (profiles, _server, store) = stored();
    store.script("read", "echo Reading...; cat kept");
    let ran = profiles.run(&["token", "office"]);
    assert_eq!(ran.code, 9, "{ran:?}");
    store.script("corrected", "cat kept");
    let (read, write) = (store.path("corrected"), store.path("write"));
    let commands = [
        "--read",
        read.to_str().unwrap(),
        "--write",
        write.to_str().unwrap(),
    ];
    // Tokens of another sign-in don't count.
    let kept = std::fs::read_to_string(store.path("kept")).unwrap();
    let mut other: Value = serde_json::from_str(&kept).unwrap();
    other["lineage"] = json!("other");
    std::fs::write(store.path("kept"), other.to_string()).unwrap();
    let ran = profiles.run(&[&["profiles", "store", "office", "command"][..], &commands].concat());
    assert_eq!(ran.code, 9, "{ran:?}");
    std::fs::write(store.path("kept"), kept).unwrap();
    let ran = profiles.run(&[&["profiles", "store", "office", "command"][..], &commands].concat());
    assert_eq!(
        (ran.code, profiles.token().as_str()),
        (0, "first"),
        "{ran:?}"
    );
}
