//! New tokens that can't be stored: who still gets them, and what each process says.

use std::path::Path;
use std::process::{Child, Command};

use serde_json::Value;

use crate::jobs::kill;
use crate::plain::Plain;
use crate::profiles::{Profiles, Ran, device_flags};
use crate::scripted::{Reply, Scripted};
use crate::servers::{Provider, eventually};
use crate::stores::{Store, refreshes, stored};
use crate::terminal::{CTRL_C, Command as Screen, base, program};

/// The disk fails when a record is shortened to its length: the first time, and once more in a new file.
const FULL: &str = "inject=ftruncate:error=ENOSPC:when=1..2";
/// It fails when the next record is put in the place of the old one, after the attempt was.
const HELD: &str = "inject=?rename,?renameat,?renameat2:error=EIO:when=2";

/// Runs the program and the keeper that it starts, with a disk that fails.
fn run_on(disk: &str, profiles: &Profiles, arguments: &[&str]) -> Ran {
    Command::new("strace")
        .args(["-f", "-qq", "-o", "/dev/null", "-e", disk])
        .arg(program())
        .args(arguments)
        .current_dir(profiles.home.path())
        .env_clear()
        .envs(base(profiles.home.path()))
        .output()
        .unwrap()
        .into()
}

fn attempt(profiles: &Profiles) -> Value {
    serde_json::from_slice(&std::fs::read(profiles.state("attempt")).unwrap()).unwrap()
}

/// The files below a folder that contain a text.
fn files_with(folder: &Path, text: &str) -> Vec<String> {
    let output = Command::new("grep")
        .args(["-rlF", "--", text])
        .arg(folder)
        .output()
        .unwrap();
    let found = String::from_utf8(output.stdout).unwrap();
    found.lines().map(str::to_owned).collect()
}

#[test]
fn token_that_cannot_be_stored_is_only_printed() {
    let provider = Provider::start(&[("DEVICE_INTERVAL", "1")]);
    let profiles = Profiles::at(&provider);
    profiles.expire();
    let before = std::fs::read(profiles.state("record")).unwrap();
    let ran = run_on(FULL, &profiles, &["token", "office"]);
    assert_eq!(ran.code, 10, "{ran:?}");
    let token = ran.stdout.trim_end();
    assert_eq!(provider.userinfo(token), (200, "alice".to_owned()));
    for words in [
        "error: office: The service issued new tokens, but they can't be stored. ",
        "office.record can't be written: No space left on device.",
        "cause: The service replaced the refresh token, so the stored one probably no longer works.",
        "until the new access token expires. Make room on the disk or repair it. Sign in: ",
        "Sign in: oauth-authorizer --profile office\n",
    ] {
        assert!(ran.stderr.contains(words), "{words}: {ran:?}");
    }
    assert_eq!(std::fs::read(profiles.state("record")).unwrap(), before);
    assert!(!profiles.state("next").exists());
    assert_eq!(files_with(profiles.home.path(), token), [""; 0]);
    let note = attempt(&profiles);
    assert_eq!(note["outcome"]["code"], 10, "{note}");
    assert_eq!(note["lost"]["by"], "storage", "{note}");
    let ran = profiles.run(&["profiles", "check", "office"]);
    assert!(
        ran.stdout.contains("and its response couldn't be stored."),
        "{ran:?}"
    );
    // The disk works again, and the service has replaced the refresh token.
    let ran = profiles.run(&["token", "office"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (7, ""), "{ran:?}");
    assert!(
        ran.stderr
            .contains("and the response couldn't be stored. The service has probably replaced"),
        "{ran:?}"
    );
}

#[test]
fn unusable_reserved_space_falls_back_to_new_file() {
    let provider = Provider::start(&[("DEVICE_INTERVAL", "1")]);
    let profiles = Profiles::at(&provider);
    profiles.expire();
    let once = "inject=ftruncate:error=ENOSPC:when=1";
    let ran = run_on(once, &profiles, &["token", "office"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    assert_eq!(profiles.record()["generation"], 2);
    assert_eq!(profiles.token(), ran.stdout.trim_end());
    assert!(!profiles.state("next").exists());
}

#[test]
fn next_call_moves_a_complete_pending_record_into_place() {
    let provider = Provider::start(&[("DEVICE_INTERVAL", "1")]);
    let profiles = Profiles::at(&provider);
    profiles.expire();
    let before = std::fs::read(profiles.state("record")).unwrap();
    let file = profiles.home.path().join("token");
    let output = ["token", "office", "--output", file.to_str().unwrap()];
    let ran = run_on(HELD, &profiles, &output);
    assert_eq!((ran.code, ran.stdout.as_str()), (10, ""), "{ran:?}");
    for words in [
        "office.record can't be replaced: Input/output error.",
        "until the new access token expires. The new tokens are in ",
        "office.next, and the next refresh puts them in their place.",
    ] {
        assert!(ran.stderr.contains(words), "{words}: {ran:?}");
    }
    assert!(!ran.stderr.contains("Sign in"), "{ran:?}");
    let token = std::fs::read_to_string(&file).unwrap();
    assert_eq!(provider.userinfo(token.trim_end()).0, 200);
    assert_eq!(std::fs::read(profiles.state("record")).unwrap(), before);
    let note = attempt(&profiles);
    assert_eq!(note["outcome"]["code"], 10, "{note}");
    assert_eq!(note["lost"], Value::Null, "{note}");
    assert_eq!(profiles.token(), token.trim_end());
    assert_eq!(provider.refreshes(), (1, 0));
}

/// Lets the store take no new tokens.
fn break_store(store: &Store) {
    store.script(
        "write",
        "cat >new; if grep -q access- new; then rm new; touch failed; echo 'gpg: no key' >&2; exit 2; fi; mv new kept",
    );
}

/// Waits until the store has refused the new tokens.
fn wait_for_failure(store: &Store) {
    eventually("the failure of the store", || {
        store.path("failed").exists().then_some(())
    });
}

fn ended(child: Child) -> Ran {
    child.wait_with_output().unwrap().into()
}

#[test]
fn failing_store_returns_tokens_only_to_first_caller() {
    let (profiles, server, store) = stored();
    profiles.expire();
    break_store(&store);
    let before = store.kept();
    let first = profiles.command(&["token", "office"]).spawn().unwrap();
    wait_for_failure(&store);
    let others = [&["token", "office"][..], &["refresh", "office"]]
        .map(|arguments| profiles.command(arguments).spawn().unwrap());
    let ran = ended(first);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (10, "access-2\n"),
        "{ran:?}"
    );
    for words in [
        "can't be stored. The command ",
        "write failed with exit code 2: gpg: no key.",
        "until the new access token expires. Find out why the command fails. Sign in: ",
    ] {
        assert!(ran.stderr.contains(words), "{words}: {ran:?}");
    }
    for other in others {
        let other = ended(other);
        assert_eq!((other.code, other.stdout.as_str()), (1, ""), "{other:?}");
        for words in ["can't be stored.", "gpg: no key.", "hint: Find out why the"] {
            assert!(other.stderr.contains(words), "{words}: {other:?}");
        }
    }
    assert_eq!((refreshes(&server), store.kept()), (1, before));
    assert_eq!(files_with(profiles.home.path(), "access-2"), [""; 0]);
    // Nothing is sent while it fails, and what was lost isn't forgotten.
    store.script("write", "exit 1");
    let ran = profiles.run(&["token", "office"]);
    assert_eq!((ran.code, refreshes(&server)), (9, 1), "{ran:?}");
    assert_eq!(attempt(&profiles)["lost"]["by"], "storage");
}

#[test]
fn store_that_destroys_the_tokens_returns_new_ones_to_the_caller() {
    let (profiles, server, store) = stored();
    profiles.expire();
    let script = "touch failed; >kept; echo 'age: error: no space left' >&2; exit 1";
    store.script("write", script);
    let ran = profiles.run(&["token", "office"]);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (10, "access-2\n"),
        "{ran:?}"
    );
    for words in [
        "can't be stored. The command ",
        "failed with exit code 1: age: error: no space left. ",
        "The tokens in the store of that command are damaged.",
        "Find out why the command fails. Sign in: ",
    ] {
        assert!(ran.stderr.contains(words), "{words}: {ran:?}");
    }
    assert_eq!(refreshes(&server), 1);
    assert_eq!(files_with(profiles.home.path(), "access-2"), [""; 0]);
}

#[test]
fn full_disk_after_the_store_destroyed_the_tokens_names_both() {
    let (profiles, server, store) = stored();
    profiles.expire();
    store.script("write", ">kept; exit 1");
    let ran = run_on(FULL, &profiles, &["token", "office"]);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (10, "access-2\n"),
        "{ran:?}"
    );
    for words in [
        "can't be stored. ",
        "office.record can't be written: No space left on device. The command ",
        "The tokens in the store of that command are damaged.",
        "Make room on the disk or repair it, and find out why the command fails. Sign in: ",
    ] {
        assert!(ran.stderr.contains(words), "{words}: {ran:?}");
    }
    assert_eq!(refreshes(&server), 1);
    let ran = run_on(FULL, &profiles, &["revoke", "office"]);
    assert_eq!(ran.code, 9, "{ran:?}");
}

#[test]
fn store_that_destroys_the_tokens_gets_them_back() {
    let (profiles, server, store) = stored();
    profiles.expire();
    let script = "[ -e failed ] || { touch failed; >kept; exit 1; }; cat >kept";
    store.script("write", script);
    assert_eq!(profiles.token(), "access-2");
    assert_eq!(refreshes(&server), 1);
    // The same in a trial of the store, without a refresh.
    std::fs::remove_file(store.path("failed")).unwrap();
    let ran = store.take(&profiles);
    assert_eq!(
        (ran.code, profiles.token().as_str()),
        (0, "access-2"),
        "{ran:?}"
    );
}

#[test]
fn store_that_goes_offline_gets_no_refresh_and_the_caller_the_token() {
    let (profiles, server, store) = stored();
    profiles.expire();
    store.script("read", "[ -e away ] && exit 3; cat kept");
    store.script("write", "touch away; echo 'vault: no route' >&2; exit 2");
    let ran = profiles.run(&["token", "office"]);
    assert_eq!(
        (ran.code, ran.stdout.as_str(), refreshes(&server)),
        (10, "first\n", 0),
        "{ran:?}"
    );
    for words in [
        "The service wasn't contacted. The command ",
        "failed with exit code 2: vault: no route.",
        "The tokens in the store of that command can't be read, either.",
        "until the access token expires. Find out why the commands fail. If the store no longer contains the tokens, sign in again: ",
    ] {
        assert!(ran.stderr.contains(words), "{words}: {ran:?}");
    }
    assert_eq!(attempt(&profiles)["lost"], Value::Null);
    assert!(!profiles.state("next").exists());
    std::fs::remove_file(store.path("away")).unwrap();
    store.script("write", "cat >kept");
    assert_eq!(profiles.token(), "access-2");
    assert_eq!(refreshes(&server), 1);
}

#[test]
fn new_refresh_token_goes_to_the_caller_if_the_store_is_destroyed() {
    let body = r#"{"access_token":"at 9","token_type":"Bearer","refresh_token":"refresh-2"}"#;
    let (profiles, server) = Profiles::scripted(move |_| Reply::json(200, body));
    let store = Store::new();
    assert_eq!(store.take(&profiles).code, 0);
    profiles.expire();
    store.script("write", ">kept; exit 1");
    let keep = "keep-token office --generation 1 --attempt 0 --hand-over";
    let ran = profiles.run(&keep.split(' ').collect::<Vec<_>>());
    assert_eq!((ran.code, refreshes(&server)), (10, 1), "{ran:?}");
    let line: Value = serde_json::from_str(&ran.stdout).unwrap();
    let tokens = &line["record"]["tokens"];
    assert_eq!(tokens["refresh_token"], "refresh-2", "{line}");
    assert_eq!(tokens["access_token"], "first", "{line}");
    let error = line["outcome"]["error"].as_str().unwrap();
    let words = "The stored tokens are damaged. The command ";
    assert!(error.contains(words), "{error}");
}

#[test]
fn rejection_is_kept_when_a_destroyed_store_works_again() {
    let store = Store::new();
    let works = store.path("works");
    let (profiles, server) = Profiles::scripted(move |_| {
        std::fs::write(&works, "").unwrap();
        Reply::json(400, r#"{"error":"invalid_client"}"#)
    });
    assert_eq!(store.take(&profiles).code, 0);
    profiles.expire();
    let mut kept = store.kept();
    kept["rejected"] = serde_json::json!({"at": 1, "error": "Rejected.", "cause": null});
    std::fs::write(store.path("kept"), kept.to_string()).unwrap();
    store.script("write", "[ -e works ] || { >kept; exit 1; }; cat >kept");
    let ran = profiles.run(&["refresh", "office"]);
    assert_ne!(ran.code, 0, "{ran:?}");
    assert_eq!(refreshes(&server), 1, "{ran:?}");
    assert_eq!(store.kept(), kept, "{ran:?}");
}

#[test]
fn revocation_says_that_the_store_is_destroyed() {
    let (profiles, _server, store) = stored();
    store.script("write", ">kept; exit 1");
    let ran = profiles.run(&["revoke", "office"]);
    assert_eq!(ran.code, 9, "{ran:?}");
    let words = "The tokens in the store of that command are damaged.";
    assert!(ran.stderr.contains(words), "{ran:?}");
}

#[test]
fn keeper_without_caller_prints_nothing_and_records_the_loss() {
    let (profiles, server, store) = stored();
    profiles.expire();
    break_store(&store);
    let mut caller = profiles.command(&["refresh", "office"]).spawn().unwrap();
    wait_for_failure(&store);
    caller.kill().unwrap();
    caller.wait().unwrap();
    eventually("the outcome", || {
        let note = attempt(&profiles);
        (note["outcome"]["code"] == 10).then_some(())
    });
    assert_eq!(attempt(&profiles)["lost"]["by"], "storage");
    assert_eq!(refreshes(&server), 1);
    // Nor does one that nobody listens to.
    let keep = [
        "keep-token",
        "office",
        "--generation",
        "1",
        "--attempt",
        "9",
    ];
    let ran = profiles.run(&keep);
    assert_eq!(
        (ran.code, ran.stdout.as_str(), ran.stderr.as_str()),
        (10, "", ""),
        "{ran:?}"
    );
    assert_eq!(files_with(profiles.home.path(), "access-"), [""; 0]);
}

#[test]
fn screen_shows_unstored_tokens_and_saves_them_later() {
    let (profiles, server, store) = stored();
    break_store(&store);
    let mut terminal = Screen::new(profiles.home.path(), &["--profile", "office"]).start();
    terminal.wait_for("[t Tokens]");
    terminal.send("\x1b");
    terminal.wait_for("▸[a Authorize]");
    terminal.send("t");
    terminal.wait_for("office · tokens");
    terminal.send("f");
    wait_for_failure(&store);
    terminal.wait_for("but they can't be stored.");
    // They are in no profile, and leaving asks.
    terminal.send(CTRL_C);
    terminal.wait_for("not been copied or saved:");
    terminal.send("\x1b");
    terminal.wait_until("no question", |screen| {
        !screen.contents().contains("[y Quit]")
    });
    store.script("write", "cat >kept");
    terminal.send("\x13");
    terminal.wait_for("Saved the settings and tokens as the profile \"office\".");
    assert_eq!(store.kept()["tokens"]["refresh_token"], "refresh-2");
    assert_eq!(profiles.token(), "access-2");
    assert_eq!(refreshes(&server), 1);
    terminal.send(CTRL_C);
    assert_eq!(terminal.wait_exit().exit_code(), 0, "{}", terminal.screen());
}

/// A service whose first tokens can't be saved: a folder stands where the record goes. With the flags of a sign-in there that
/// is saved as `office`.
fn with_a_blocked_record(profiles: &Profiles) -> (Scripted, Vec<String>) {
    let record = profiles.state("record");
    let server = Scripted::start(move |request| {
        if request.path == "/device" {
            return Reply::json(
                200,
                r#"{"device_code":"d","user_code":"U","verification_uri":"http://127.0.0.1/","interval":1}"#,
            );
        }
        std::fs::create_dir(&record).unwrap();
        Reply::json(
            200,
            r#"{"access_token":"access-1","token_type":"Bearer","expires_in":3600,"refresh_token":"refresh-1"}"#,
        )
    });
    let mut flags = device_flags(&server.url).to_vec();
    flags.extend(["--save", "office"].map(str::to_owned));
    (server, flags)
}

#[test]
fn unattended_sign_in_is_kept_until_it_is_saved() {
    let profiles = Profiles::new();
    let (server, flags) = with_a_blocked_record(&profiles);
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let mut plain = Plain::start(profiles.home.path(), &flags);
    let error = plain.value("error");
    assert!(error.starts_with("office was not saved. "), "{error}");
    let hint = plain.value("hint");
    assert!(
        hint.starts_with("Only this process has the tokens. "),
        "{hint}"
    );
    let trouble = plain.value("trouble");
    assert!(trouble.ends_with(" Retrying."), "{trouble}");
    std::fs::remove_dir(profiles.state("record")).unwrap();
    plain.value("done");
    let (code, stdout, stderr) = plain.end();
    assert_eq!((code, stdout.as_str()), (0, ""), "{stderr}");
    assert_eq!(profiles.token(), "access-1");
    assert_eq!(server.requests("/token").len(), 1);

    // A token that is printed is not all that would be lost.
    let profiles = Profiles::new();
    let (_server, flags) = with_a_blocked_record(&profiles);
    let flags = flags.iter().map(String::as_str);
    let flags: Vec<&str> = flags.chain(["--print", "access-token"]).collect();
    let mut plain = Plain::start(profiles.home.path(), &flags);
    plain.value("trouble");
    std::fs::remove_dir(profiles.state("record")).unwrap();
    plain.value("done");
    let (code, stdout, stderr) = plain.end();
    assert_eq!((code, stdout.as_str()), (0, "access-1\n"), "{stderr}");
    assert_eq!(profiles.record()["tokens"]["refresh_token"], "refresh-1");

    // It ends when it is asked to.
    let profiles = Profiles::new();
    let (_server, flags) = with_a_blocked_record(&profiles);
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let mut plain = Plain::start(profiles.home.path(), &flags);
    plain.value("error");
    plain.value("hint");
    kill("TERM", &plain.pid().to_string());
    let (code, _, stderr) = plain.end();
    assert_eq!(code, 130, "{stderr}");
}

#[test]
fn a_signal_ends_a_run_that_waits_for_a_store() {
    let (profiles, _server, store) = stored();
    // The tokens of the sign-in differ from those that are stored by then.
    profiles.expire();
    assert_eq!(profiles.token(), "access-2");
    store.script(
        "write",
        "cat >next; grep -q access-2 next || { touch waits; exec sleep 15; }; cat next >kept",
    );
    let mut plain = Plain::start(profiles.home.path(), &["--profile", "office", "--save"]);
    plain.value("user_code");
    eventually("the command of the store", || {
        store.path("waits").exists().then_some(())
    });
    kill("INT", &plain.pid().to_string());
    let (code, stdout, stderr) = plain.end();
    assert_eq!((code, stdout.as_str()), (130, ""), "{stderr}");
    let told =
        "Saving the profile office was interrupted. If its tokens are missing, sign in again.";
    assert!(stderr.contains(told), "{stderr}");
}

#[test]
fn user_at_a_terminal_can_retry_a_failed_save() {
    let profiles = Profiles::new();
    let (_server, flags) = with_a_blocked_record(&profiles);
    let flags: Vec<&str> = ["--plain"]
        .into_iter()
        .chain(flags.iter().map(String::as_str))
        .collect();
    let mut terminal = Screen::new(profiles.home.path(), &flags).start();
    terminal.wait_for("Enter save to try again, or what to print:");
    terminal.send("save\r");
    terminal.wait_until("a second error", |screen| {
        screen.contents().matches("office was not saved.").count() == 2
    });
    std::fs::remove_dir(profiles.state("record")).unwrap();
    terminal.send("save\r");
    terminal.wait_for("Saved as the profile office");
    assert_eq!(terminal.wait_exit().exit_code(), 0, "{}", terminal.screen());
    assert_eq!(profiles.token(), "access-1");
}
