//! Profiles on Windows, under Wine.
//!
//! Wine can't show everything. It derives access control lists from the owner and the mode of a file, so the rights of
//! a service are not tested here. The key of its DPAPI depends only on the user's name, so nothing is lost with a
//! password or a computer. It does not wait for the disk when it renames a file.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::scripted::{Reply, Request, Scripted};
use crate::servers::eventually;
use crate::terminal::base;
use crate::{WINE, variable};

/// Profiles in the test's own folder, and the service that issued their tokens.
struct Profiles {
    home: tempfile::TempDir,
    server: Scripted,
}

/// The path in Windows notation.
fn of_windows(path: &Path) -> String {
    format!("Z:{}", path.to_str().unwrap().replace('/', "\\"))
}

/// The exit code, standard output and standard error of a command.
fn ran(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace("\r\n", "\n");
    (
        output.status.code().unwrap_or(-1),
        text(&output.stdout),
        text(&output.stderr),
    )
}

fn is_refresh(request: &Request) -> bool {
    let grant = request.form.get("grant_type");
    grant.is_some_and(|grant| grant == "refresh_token")
}

impl Profiles {
    /// Starts a service that answers a refresh with `reply`.
    fn new(reply: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let server = Scripted::start(move |request| match request.path.as_str() {
            "/device" => Reply::json(
                200,
                r#"{"device_code":"d","user_code":"CODE","verification_uri":"http://127.0.0.1/","expires_in":60,"interval":1}"#,
            ),
            _ if is_refresh(request) => reply(request),
            _ => Reply::json(
                200,
                r#"{"access_token":"the-first","token_type":"Bearer","expires_in":1,"refresh_token":"refresh-1"}"#,
            ),
        });
        let home = tempfile::tempdir().unwrap();
        Self { home, server }
    }

    /// Like `new`, signed in as `office`, with an expired access token.
    fn signed_in(reply: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let profiles = Self::new(reply);
        let (code, _, stderr) = profiles.sign_in(&["--save", "office"]);
        assert_eq!(code, 0, "{stderr}");
        let issued = SystemTime::now();
        eventually("the end of the access token", || {
            (issued.elapsed().unwrap() > Duration::from_secs(2)).then_some(())
        });
        profiles
    }

    fn sign_in(&self, flags: &[&str]) -> (i32, String, String) {
        let (device, token) = (
            format!("{}/device", self.server.url),
            format!("{}/token", self.server.url),
        );
        let mut all = vec![
            "--plain",
            "--device-url",
            &device,
            "--token-url",
            &token,
            "--client-id",
            "me",
            "--flow",
            "device-code",
        ];
        all.extend(flags);
        self.run(&all)
    }

    fn folder(&self) -> PathBuf {
        self.home.path().join("profiles")
    }

    /// A command of the program, ready to run.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("wine");
        command
            .arg(variable("OAUTH_AUTHORIZER_EXE"))
            .args(arguments)
            .current_dir(self.home.path())
            .env_clear()
            .envs(base(self.home.path()))
            .envs(WINE.map(|name| (name, variable(name))))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // The machine's own folder is in the Wine prefix.
        if !arguments.contains(&"--machine") {
            command.env("OAUTH_AUTHORIZER_PROFILES", of_windows(&self.folder()));
        }
        command
    }

    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        ran(&self.command(arguments).output().unwrap())
    }

    fn file(&self, end: &str) -> PathBuf {
        self.folder().join(format!("office.{end}"))
    }

    fn record(&self) -> Value {
        serde_json::from_slice(&fs::read(self.file("record")).unwrap()).unwrap()
    }

    fn refreshes(&self) -> usize {
        let requests = self.server.requests("/token");
        requests
            .iter()
            .filter(|request| is_refresh(request))
            .count()
    }
}

/// Starts Wine. Its own processes keep the pipes of the first command that starts them, so this command has none.
fn wake_wine() {
    let mut wine = Command::new("wine");
    wine.args(["cmd", "/c", "exit"]).stdin(Stdio::null());
    let status = wine
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
}

fn fresh() -> Reply {
    Reply::json(
        200,
        r#"{"access_token":"the-second","token_type":"Bearer","expires_in":3600,"refresh_token":"refresh-2"}"#,
    )
}

#[test]
fn tokens_are_encrypted_and_concurrent_callers_share_one_refresh() {
    wake_wine();
    let profiles = Profiles::signed_in(|_| fresh());
    let record = profiles.record();
    assert_eq!(
        (&record["format"], &record["sealed"]),
        (&json!(1), &json!("dpapi"))
    );
    for end in ["record", "lock", "toml"] {
        let about = fs::metadata(profiles.file(end)).unwrap();
        // Wine shows the rights of the system account as those of the group.
        assert_eq!(about.permissions().mode() & 0o007, 0, "{end}: {about:?}");
    }
    let many: Vec<Child> = (0..10)
        .map(|_| profiles.command(&["token", "office"]).spawn().unwrap())
        .collect();
    for child in many {
        let printed = ran(&child.wait_with_output().unwrap());
        assert_eq!(printed, (0, "the-second\n".to_owned(), String::new()));
    }
    assert_eq!(profiles.refreshes(), 1);
    // The new record is also encrypted with DPAPI, and no file contains a token.
    assert_eq!(profiles.record()["sealed"], "dpapi");
    for entry in fs::read_dir(profiles.folder()).unwrap() {
        let text = String::from_utf8_lossy(&fs::read(entry.unwrap().path()).unwrap()).into_owned();
        for secret in ["the-first", "the-second", "refresh-1", "refresh-2"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
    let (code, stdout, stderr) = profiles.run(&["profiles", "rename", "office", "work"]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert_eq!(
        profiles.run(&["token", "work"]),
        (0, "the-second\n".to_owned(), String::new())
    );
    let renamed: Value =
        serde_json::from_slice(&fs::read(profiles.folder().join("work.record")).unwrap()).unwrap();
    assert_eq!(renamed["sealed"], "dpapi");
    let (code, stdout, _) = profiles.run(&["profiles", "show", "work"]);
    assert!(
        code == 0 && stdout.contains("# Refresh token: yes"),
        "{stdout}"
    );
    let (code, _, stderr) = profiles.run(&["profiles", "delete", "work"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(!profiles.folder().join("work.record").exists());
}

#[test]
fn the_keeper_outlives_its_caller_and_holds_none_of_its_pipes() {
    wake_wine();
    let answered = Arc::new(AtomicBool::new(false));
    let (answer, is_answered) = (Arc::clone(&answered), answered);
    let asked = Arc::new(AtomicBool::new(false));
    let was_asked = Arc::clone(&asked);
    let go = Arc::new(AtomicBool::new(false));
    let may_go = Arc::clone(&go);
    let profiles = Profiles::signed_in(move |_| {
        asked.store(true, Ordering::SeqCst);
        eventually("the caller's end", || {
            may_go.load(Ordering::SeqCst).then_some(())
        });
        answer.store(true, Ordering::SeqCst);
        fresh()
    });
    // Both commands wait for the same keeper, which only the first started. Standard error is a file, because under
    // Wine every process inherits a pipe.
    let said = profiles.home.path().join("said");
    let wait = |limit: &str| {
        let mut command = profiles.command(&["refresh", "office", "--wait", limit]);
        command.stderr(fs::File::create(&said).unwrap());
        command
    };
    let first = wait("3s").spawn().unwrap();
    eventually("the request", || {
        was_asked.load(Ordering::SeqCst).then_some(())
    });
    // The output of the command ends while the keeper still waits for the service.
    let end = |output: Output| {
        let (code, stdout, _) = ran(&output);
        (code, stdout, fs::read_to_string(&said).unwrap())
    };
    let first = end(first.wait_with_output().unwrap());
    let second = end(wait("1s").output().unwrap());
    assert!(!is_answered.load(Ordering::SeqCst));
    for ((code, stdout, stderr), words) in [
        (first, "It continues without this command."),
        (second, "has been refreshing the tokens since"),
    ] {
        assert_eq!((code, stdout.as_str()), (8, ""), "{stderr}");
        assert!(stderr.contains(words), "{stderr}");
    }
    let before = profiles.record();
    go.store(true, Ordering::SeqCst);
    eventually("the stored record", || {
        (fs::read(profiles.file("record"))
            .ok()
            .and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok())?
            != before)
            .then_some(())
    });
    assert_eq!(
        profiles.run(&["token", "office"]),
        (0, "the-second\n".to_owned(), String::new())
    );
    assert_eq!(profiles.refreshes(), 1);
}

#[test]
fn unstored_token_is_returned_through_the_keeper_pipe() {
    wake_wine();
    let reserved = Arc::new(OnceLock::<PathBuf>::new());
    let next = Arc::clone(&reserved);
    let profiles = Profiles::signed_in(move |_| {
        fs::remove_file(next.get().unwrap()).unwrap();
        fresh()
    });
    reserved.set(profiles.file("next")).unwrap();
    let before = profiles.record();
    let (code, stdout, stderr) = profiles.run(&["token", "office"]);
    assert_eq!((code, stdout.as_str()), (10, "the-second\n"), "{stderr}");
    assert!(
        stderr.contains("The service issued new tokens, but they can't be stored."),
        "{stderr}"
    );
    assert_eq!(profiles.record(), before);
    assert!(!profiles.file("next").exists());
}

#[test]
fn undecryptable_record_is_reported_before_any_request() {
    wake_wine();
    let profiles = Profiles::signed_in(|_| fresh());
    let good = profiles.record();
    let with = |name: &str, value: &str| {
        let mut changed = good.clone();
        changed[name] = json!(value);
        changed
    };
    let data = good["data"].as_str().unwrap();
    for (record, words) in [
        (
            with("user", "S-1-5-21-1-2-3-4"),
            "encrypted for another user (S-1-5-21-1-2-3-4)",
        ),
        (with("data", "AAAA"), "the encrypted data is damaged"),
        (
            with("data", &data[..data.len() / 2]),
            "the encrypted data is damaged",
        ),
        (
            with("sealed", "age"),
            "encrypted in a way that this version doesn't know",
        ),
    ] {
        fs::write(profiles.file("record"), record.to_string()).unwrap();
        let (code, stdout, stderr) = profiles.run(&["token", "office"]);
        assert_eq!((code, stdout.as_str()), (9, ""), "{stderr}");
        assert!(stderr.contains(words), "{stderr}");
    }
    assert_eq!(profiles.refreshes(), 0);
    // A new sign-in replaces the record, in the store that the settings name.
    let settings = fs::read_to_string(profiles.file("toml")).unwrap();
    let named = format!("{settings}\n[store]\nkind = \"file\"\n");
    fs::write(profiles.file("toml"), named).unwrap();
    let (code, _, stderr) = profiles.sign_in(&["--save", "office"]);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(profiles.record()["tokens"]["access_token"], "the-first");
    let settings = fs::read_to_string(profiles.file("toml")).unwrap();
    assert!(settings.contains("kind = \"file\""), "{settings}");
}

#[test]
fn files_accessible_to_others_are_refused() {
    wake_wine();
    let profiles = Profiles::signed_in(|_| fresh());
    let token = |words: &str| {
        let (code, stdout, stderr) = profiles.run(&["token", "office"]);
        assert_eq!((code, stdout.as_str()), (9, ""), "{stderr}");
        assert!(stderr.contains(words), "{stderr}");
    };
    let mode = |path: &Path, mode| {
        let permissions = fs::Permissions::from_mode(mode);
        fs::set_permissions(path, permissions).unwrap();
    };
    let record = profiles.file("record");
    mode(&record, 0o604);
    token("can be read by another account (S-1-1-0). Run: icacls");
    mode(&record, 0o606);
    token("can be changed by another account (S-1-1-0). Run: icacls");
    mode(&record, 0o600);
    mode(&profiles.folder(), 0o707);
    token("can be changed by another account (S-1-1-0). Run: icacls");
    mode(&profiles.folder(), 0o700);
    mode(&profiles.file("toml"), 0o602);
    token("can be changed by another account");
    mode(&profiles.file("toml"), 0o644);
    if chown(&record, Some(65534), None).is_ok() {
        token("belongs to another account (S-1-5-7)");
        chown(&record, Some(0), None).unwrap();
    } else {
        println!("not root: no file of another user");
    }
    let (code, stdout, stderr) = profiles.run(&["token", "office"]);
    assert_eq!((code, stdout.as_str()), (0, "the-second\n"), "{stderr}");
}

#[test]
fn machine_profile_is_limited_to_administrators_and_its_service() {
    wake_wine();
    let data = Path::new(&variable("WINEPREFIX")).join("drive_c/ProgramData/oauth-authorizer");
    let _ = fs::remove_dir_all(&data);
    let profiles = Profiles::new(|_| fresh());
    let save =
        |account: &str| profiles.sign_in(&["--machine", "--save", "office", "--for", account]);
    for (account, words) in [
        ("Everyone", "is a group that includes other users"),
        ("S-1-5-32-545", "is a group that includes other users"),
        ("nobody-of-that-name", "There is no account"),
        ("S-1-rubbish", "There is no account"),
    ] {
        let (code, _, stderr) = save(account);
        assert!(code == 2 && stderr.contains(words), "{stderr}");
    }
    assert!(!data.exists());
    let (code, _, stderr) = save("S-1-5-20");
    assert_eq!(code, 0, "{stderr}");
    let record = data.join("state/office/office.record");
    let read = || serde_json::from_slice::<Value>(&fs::read(&record).unwrap()).unwrap();
    assert_eq!(read()["sealed"], "dpapi-machine");
    assert!(data.join("profiles/office.toml").exists());
    // Without a folder, the program searches the machine's folder after the user's.
    let machine = |arguments: &[&str]| {
        let mut command = profiles.command(arguments);
        command.env_remove("OAUTH_AUTHORIZER_PROFILES");
        ran(&command.output().unwrap())
    };
    let (code, stdout, stderr) = machine(&["refresh", "office"]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert_eq!(read()["sealed"], "dpapi-machine");
    assert_eq!(
        machine(&["token", "office"]),
        (0, "the-second\n".to_owned(), String::new())
    );
    let (code, _, stderr) = machine(&["profiles", "rename", "office", "work"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(data.join("state/work/work.record").exists() && !record.exists());
    assert_eq!(
        machine(&["token", "work"]),
        (0, "the-second\n".to_owned(), String::new())
    );
    // Another account created the folder first.
    if chown(&data, Some(65534), None).is_ok() {
        let (code, _, stderr) = machine(&["token", "work"]);
        assert_eq!(code, 9, "{stderr}");
        assert!(stderr.contains("belongs to another account"), "{stderr}");
        let (code, _, stderr) = save("S-1-5-20");
        assert_eq!(code, 9, "{stderr}");
    } else {
        println!("not root: no folder of another user");
    }
    fs::remove_dir_all(&data).unwrap();
}
