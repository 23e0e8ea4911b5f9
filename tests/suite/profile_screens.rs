//! Profiles in the full-screen program, against a real server.

use serde_json::{Value, json};

use crate::profiles::{Profiles, Ran};
use crate::servers::{Provider, eventually, person};
use crate::stores::Store;
use crate::terminal::{CTRL_C, Command, ENTER, ESC, Terminal};
use crate::token_tools;

fn flags(provider: &Provider) -> Vec<String> {
    let mut flags = provider.flags();
    flags.extend(
        [
            "--client-id",
            "public-native",
            "--scope",
            "openid email offline_access",
            "--extra-parameters",
            "prompt=consent",
            "--flow",
            "device-code",
        ]
        .map(str::to_owned),
    );
    flags
}

fn start(profiles: &Profiles, flags: &[&str]) -> Terminal {
    let terminal = Command::new(profiles.home.path(), flags).start();
    terminal.wait_for("[a Authorize]");
    terminal
}

/// Signs in as alice, up to the tokens.
fn sign_in(profiles: &Profiles, provider: &Provider) -> Terminal {
    let flags = flags(provider);
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let mut terminal = start(profiles, &flags);
    terminal.focus("Authorize");
    terminal.send(ENTER);
    terminal.wait_for("Copy code");
    let url = terminal.url();
    assert_eq!(person(&url, &[])["outcome"], "approved");
    terminal.wait_for("Signed in as");
    terminal
}

fn quit(mut terminal: Terminal) {
    terminal.send(CTRL_C);
    assert_eq!(terminal.wait_exit().exit_code(), 0, "{}", terminal.screen());
    terminal.assert_restored();
}

/// All files below the home folder.
fn files(profiles: &Profiles) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![profiles.home.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

#[test]
fn a_sign_in_is_saved_opened_changed_and_refreshed() {
    let provider = Provider::start(&[("DEVICE_INTERVAL", "1")]);
    let profiles = Profiles::new();
    let mut terminal = sign_in(&profiles, &provider);
    assert_eq!(files(&profiles), [""; 0], "nothing is written unasked");
    terminal.send("s");
    terminal.wait_for("Save as a profile");
    terminal.send("office");
    terminal.wait_for("oauth-authorizer token office");
    terminal.send(ENTER);
    terminal.wait_for("Saved the settings and tokens as the profile \"office\".");
    terminal.wait_for("office · tokens");
    // They are safe, so nothing is asked.
    quit(terminal);
    let first = profiles.token();
    assert_eq!(provider.userinfo(&first), (200, "alice".to_owned()));
    assert_eq!(provider.refreshes(), (0, 0));

    let mut terminal = start(&profiles, &["--profile", "office"]);
    terminal.wait_for("office · Custom settings");
    terminal.wait_for("[t Tokens]");
    terminal.focus("Scope");
    terminal.send(" profile");
    terminal.wait_for("office * · Custom settings");
    terminal.wait_for("was openid email off");
    terminal.wait_for("Scope was \"openid email offline_access\".");
    // Leaving asks, and can save.
    terminal.send(CTRL_C);
    terminal.wait_for("The changes to \"office\" are lost when you quit.");
    terminal.send(ESC);
    terminal.wait_until("no question", |screen| {
        !screen.contents().contains("[y Quit]")
    });
    terminal.send("\x13");
    terminal.wait_for("Saved the settings as the profile \"office\".");
    terminal.wait_for("office · Custom settings");
    let settings = std::fs::read_to_string(profiles.settings()).unwrap();
    assert!(settings.contains("offline_access profile\""), "{settings}");
    // The tokens were issued for other scopes.
    let ran = profiles.run(&["token", "office"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    terminal.send("\x7f".repeat(" profile".len()).as_str());
    terminal.wait_for("office * · Custom settings");
    terminal.send("\x13");
    terminal.wait_for("office · Custom settings");
    assert_eq!(profiles.token(), first);

    // The screen and scripts refresh at once, and the server is asked once.
    terminal.send(ESC);
    terminal.wait_for("▸[a Authorize]");
    terminal.send("t");
    terminal.wait_for("office · tokens");
    profiles.expire();
    let scripts: Vec<_> = (0..10)
        .map(|_| profiles.command(&["token", "office"]).spawn().unwrap())
        .collect();
    terminal.send("f");
    terminal.wait_for("Refresh token: stored in \"office\".");
    let ran: Vec<Ran> = scripts
        .into_iter()
        .map(|script| script.wait_with_output().unwrap().into())
        .collect();
    assert!(
        ran.iter()
            .all(|one| one.code == 0 && one.stdout == ran[0].stdout),
        "{ran:?}"
    );
    assert_eq!(provider.refreshes(), (1, 0));
    // The screen has the same token.
    terminal.send("r");
    terminal.wait_for("[r Hide]");
    assert_eq!(terminal.revealed(), ran[0].stdout.trim_end());
    assert_eq!(profiles.record()["generation"], 2);
    quit(terminal);
}

#[test]
fn sign_in_is_saved_to_an_external_store() {
    let provider = Provider::start(&[("DEVICE_INTERVAL", "1")]);
    let profiles = Profiles::new();
    let store = Store::new();
    // Programs that prompt must not write over the screen.
    for (name, body) in [("read", "cat kept"), ("write", "cat >kept")] {
        let prompt = "(echo Passphrase: >/dev/tty) 2>/dev/null && touch prompted";
        store.script(name, &format!("{prompt}\n{body}"));
    }
    let has_prompted = || store.path("prompted").exists();
    let mut terminal = sign_in(&profiles, &provider);
    terminal.send("s");
    terminal.wait_for("Save as a profile");
    terminal.send("office");
    terminal.focus("Kept in");
    terminal.send(" ");
    terminal.wait_for("(•) a command");
    terminal.wait_for("Read with");
    // A command that can't work leaves the tokens where they are.
    let read = store.path("read").display().to_string();
    for command in [read.as_str(), "no-such-program 'of mine'"] {
        terminal.send("\t");
        terminal.send(command);
    }
    terminal.send(ENTER);
    terminal.wait_for("The profile \"office\" was not saved.");
    assert!(!profiles.state("record").exists() && !profiles.settings().exists());
    terminal.send("\x15");
    terminal.send(&store.path("write").display().to_string());
    terminal.send(ENTER);
    terminal.wait_for("Saved the settings and tokens as the profile \"office\".");
    terminal.wait_for("office · tokens");
    assert!(!has_prompted());
    let settings = std::fs::read_to_string(profiles.settings()).unwrap();
    assert!(settings.contains("kind = \"command\""), "{settings}");
    let kept = store.kept()["tokens"]["access_token"].clone();
    let token = profiles.token();
    // This command may have the terminal of the tests.
    let _ = std::fs::remove_file(store.path("prompted"));
    assert_eq!(kept, token.as_str());
    assert_eq!(provider.userinfo(&token), (200, "alice".to_owned()));
    let file = std::fs::read_to_string(profiles.state("record")).unwrap();
    assert!(!file.contains(&token), "{file}");
    // Saved again as the same profile, the tokens stay in that store, and can be moved to a file.
    terminal.send("f");
    terminal.wait_for("Refresh token: stored in \"office\".");
    assert!(!has_prompted());
    let fresh = profiles.token();
    assert_ne!(fresh, token);
    terminal.send("s");
    terminal.wait_for("(•) a command");
    terminal.wait_for("exists");
    terminal.focus("Kept in");
    terminal.send(" ");
    terminal.wait_for("earlier");
    terminal.send("\x13");
    terminal.wait_for("Replace the profile \"office\"?");
    terminal.send("y");
    terminal.wait_for("Saved the settings and tokens as the profile \"office\".");
    assert_eq!(profiles.token(), fresh);
    let file = std::fs::read_to_string(profiles.state("record")).unwrap();
    assert!(file.contains(&fresh), "{file}");
    quit(terminal);
}

#[test]
fn nothing_is_written_unless_asked_for() {
    let provider = Provider::start(&[("DEVICE_INTERVAL", "1")]);
    let profiles = Profiles::new();
    let mut terminal = sign_in(&profiles, &provider);
    terminal.send("f");
    terminal.wait_for("Refreshed at");
    terminal.send(ESC);
    terminal.wait_for("[p Profiles…]");
    terminal.send("p");
    terminal.wait_for("There are no profiles yet.");
    terminal.send(ESC);
    terminal.wait_for("[a Authorize]");
    terminal.send("s");
    terminal.wait_for("Save as a profile");
    terminal.send("office");
    terminal.wait_for("token office");
    terminal.send(ESC);
    terminal.wait_for("▸[s Save]");
    terminal.send(ESC);
    terminal.wait_for("[p Profiles…]");
    terminal.send(CTRL_C);
    terminal.wait_for("not been copied or saved:");
    terminal.send("y");
    assert_eq!(terminal.wait_exit().exit_code(), 0);
    assert_eq!(files(&profiles), [""; 0]);
}

#[test]
fn profiles_are_listed_opened_renamed_and_deleted_on_the_screen() {
    let provider = Provider::start(&[("DEVICE_INTERVAL", "1")]);
    let profiles = Profiles::at(&provider);
    // 55 minutes: a whole hour reads 1 h, and a second later 59 min.
    profiles.edit(|record| {
        let end = record["tokens"]["expires_at"].as_u64().unwrap();
        record["tokens"]["expires_at"] = (end - 300).into();
    });
    let mut terminal = start(&profiles, &[]);
    terminal.send(ESC);
    terminal.wait_for("▸[a Authorize]");
    terminal.send("p");
    terminal.wait_for("1 profile");
    terminal.wait_for("token 5");
    terminal.send(ENTER);
    terminal.wait_for("office · Custom settings");
    terminal.wait_for("[t Tokens]");
    terminal.send("p");
    terminal.wait_for("1 profile");
    terminal.send("o");
    terminal.wait_for("Rename…");
    terminal.send(ENTER);
    terminal.wait_for("Rename the profile \"office\"");
    terminal.send("\x15");
    terminal.send("a/b");
    terminal.send(ENTER);
    terminal.wait_for("Problem: a profile name has");
    terminal.send("\x15");
    terminal.send("Shop");
    terminal.send(ENTER);
    terminal.wait_for("Renamed \"office\" to \"Shop\".");
    assert_eq!(profiles.run(&["token", "shop"]).code, 0);
    // Nothing is deleted by a single key.
    terminal.send("\x1b[3~");
    terminal.wait_for("Delete the profile \"Shop\"?");
    terminal.send(ENTER);
    terminal.wait_until("no question", |screen| {
        !screen.contents().contains("Delete the profile")
    });
    assert_eq!(profiles.run(&["token", "shop"]).code, 0);
    terminal.send("\x1b[3~");
    terminal.wait_for("Delete the profile \"Shop\"?");
    terminal.wait_for("Revoke isn't offered. The revocation endpoint is unknown");
    terminal.send("y");
    terminal.wait_for("There are no profiles yet.");
    assert_eq!(profiles.run(&["token", "shop"]).code, 2);
    // The tokens are nowhere but here now.
    terminal.send(CTRL_C);
    terminal.wait_for("not been copied or saved:");
    terminal.send("y");
    assert_eq!(terminal.wait_exit().exit_code(), 0);
}

/// Opens the only profile, and its tokens.
fn open_tokens(terminal: &mut Terminal) {
    terminal.send(ESC);
    terminal.wait_for("▸[a Authorize]");
    terminal.send("p");
    terminal.wait_for("1 profile");
    terminal.send(ENTER);
    terminal.wait_for("[t Tokens]");
    terminal.send("t");
    terminal.wait_for("office · tokens");
}

#[test]
fn revoked_tokens_are_removed_from_the_profile() {
    let provider = Provider::start(&[("DEVICE_INTERVAL", "1")]);
    let profiles = token_tools::public(&provider);
    let token = profiles.token();
    assert_eq!(provider.userinfo(&token).0, 200);
    let mut terminal = start(&profiles, &[]);
    open_tokens(&mut terminal);
    terminal.send("o");
    terminal.wait_for("Revoke…");
    terminal.focus("Revoke…");
    terminal.send(ENTER);
    terminal.wait_for("Revoke these tokens?");
    terminal.wait_for("removed from the profile \"office\"");
    // Not by the key that asked.
    terminal.send(ENTER);
    terminal.wait_until("no question", |screen| {
        !screen.contents().contains("Revoke these tokens?")
    });
    assert_eq!(provider.userinfo(&token).0, 200);
    terminal.send("o");
    terminal.wait_for("Revoke…");
    terminal.focus("Revoke…");
    terminal.send(ENTER);
    terminal.wait_for("Revoke these tokens?");
    terminal.send("y");
    terminal.wait_for("the service says.");
    assert_eq!(provider.userinfo(&token).0, 401);
    assert!(profiles.record()["tokens"].is_null());
    assert_eq!(profiles.run(&["token", "office"]).code, 7);
    // Nothing is left to lose.
    terminal.send(CTRL_C);
    assert_eq!(terminal.wait_exit().exit_code(), 0);
}

#[test]
fn profile_is_deleted_only_if_its_tokens_are_revoked() {
    let provider = Provider::start(&[("DEVICE_INTERVAL", "1")]);
    let profiles = token_tools::public(&provider);
    let token = profiles.token();
    let before = profiles.record();
    let mut terminal = start(&profiles, &[]);
    terminal.send(ESC);
    terminal.wait_for("▸[a Authorize]");
    terminal.send("p");
    terminal.wait_for("1 profile");
    // The endpoint is down: nothing is deleted.
    profiles.edit(|record| {
        record["issued_for"]["tools"]["revocation"] = "http://127.0.0.1:9/revoke".into();
    });
    terminal.send("\x1b[3~");
    terminal.wait_for("keep working unless you revoke them.");
    terminal.send("y");
    terminal.wait_for("The profile \"office\" was not deleted. The refresh token was not revoked.");
    assert_eq!(provider.userinfo(&token).0, 200);
    profiles.edit(|record| *record = before.clone());
    terminal.send("\x1b[3~");
    terminal.wait_for("[y Delete and revoke]");
    terminal.send("y");
    terminal.wait_for("There are no profiles yet.");
    assert_eq!(provider.userinfo(&token).0, 401);
    assert_eq!(profiles.run(&["token", "office"]).code, 2);
    quit(terminal);
}

#[test]
fn existing_profile_is_replaced_only_after_confirmation() {
    let provider = Provider::start(&[("DEVICE_INTERVAL", "1")]);
    let profiles = Profiles::at(&provider);
    let before = profiles.record();
    let mut terminal = sign_in(&profiles, &provider);
    terminal.send("s");
    terminal.wait_for("Save as a profile");
    terminal.send("OFFICE");
    terminal.send(ENTER);
    terminal.wait_for("Replace the profile \"OFFICE\"?");
    terminal.send(ENTER);
    terminal.wait_until("no question", |screen| {
        !screen.contents().contains("[y Replace]")
    });
    assert_eq!(profiles.record(), before);
    // A folder that cannot be written to.
    let folder = profiles.state("record").parent().unwrap().to_owned();
    let state = folder.parent().unwrap();
    std::fs::rename(&folder, state.join("moved")).unwrap();
    std::fs::write(&folder, "no folder").unwrap();
    terminal.send(ENTER);
    terminal.wait_for("Replace the profile");
    terminal.send("y");
    terminal.wait_for("The profile \"OFFICE\" was not saved.");
    std::fs::remove_file(&folder).unwrap();
    std::fs::rename(state.join("moved"), &folder).unwrap();
    assert_eq!(profiles.record(), before);
    terminal.send(ENTER);
    terminal.wait_for("Replace the profile");
    terminal.send("y");
    terminal.wait_for("Saved the settings and tokens as the profile \"office\".");
    let after = eventually("another record", || {
        let after = profiles.record();
        (after != before).then_some(after)
    });
    assert_eq!(after["generation"], 2);
    assert_eq!(provider.userinfo(&profiles.token()).0, 200);
}

#[test]
fn copy_of_an_open_profile_keeps_its_dates_and_endpoints() {
    let provider = Provider::start(&[("DEVICE_INTERVAL", "1")]);
    let profiles = Profiles::at(&provider);
    let userinfo = "https://as.example/userinfo";
    profiles.edit(|record| {
        record["origin"]["signed_in_at"] = json!(1000);
        record["tokens"]["refresh_obtained_at"] = json!(2000);
        record["issued_for"]["tools"]["userinfo"] = json!(userinfo);
    });
    let mut terminal = start(&profiles, &["--profile", "office"]);
    terminal.wait_for("[t Tokens]");
    terminal.send(ESC);
    terminal.wait_for("▸[a Authorize]");
    terminal.send("t");
    terminal.wait_for("office · tokens");
    terminal.send("s");
    terminal.wait_for("Save as a profile");
    terminal.send("\x7f".repeat("office".len()).as_str());
    terminal.send("copy");
    terminal.wait_for("oauth-authorizer token copy");
    terminal.send(ENTER);
    terminal.wait_for("Saved the settings and tokens as the profile \"copy\".");
    let copy = || -> Value {
        let path = profiles.state("record").with_file_name("copy.record");
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    };
    let (before, saved) = (profiles.record(), copy());
    for pointer in ["/origin", "/tokens", "/issued_for"] {
        assert_eq!(saved.pointer(pointer), before.pointer(pointer), "{pointer}");
    }
    // A refresh changes only the times of the tokens.
    terminal.send("f");
    terminal.wait_for("Refresh token: stored in \"copy\".");
    assert_eq!(copy()["origin"]["signed_in_at"], 1000);
    assert_eq!(copy()["issued_for"]["tools"]["userinfo"], userinfo);
    quit(terminal);
}

#[test]
fn saving_does_not_overwrite_tokens_refreshed_by_a_script() {
    let provider = Provider::start(&[("DEVICE_INTERVAL", "1")]);
    let profiles = Profiles::at(&provider);
    let mut terminal = start(&profiles, &["--profile", "office"]);
    terminal.wait_for("[t Tokens]");
    terminal.send(ESC);
    terminal.wait_for("▸[a Authorize]");
    terminal.send("t");
    terminal.wait_for("office · tokens");
    assert_eq!(profiles.run(&["refresh", "office"]).code, 0);
    let refreshed = profiles.record()["tokens"].clone();
    terminal.send("s");
    terminal.wait_for("Save as a profile");
    terminal.send(ENTER);
    terminal.wait_for("Replace the profile \"office\"?");
    terminal.send("y");
    terminal.wait_for("It already had newer tokens, which were kept");
    assert_eq!(profiles.record()["tokens"], refreshed);
    // The screen has them, too.
    terminal.send("r");
    terminal.wait_for("[r Hide]");
    let access = refreshed["access_token"].as_str().unwrap();
    terminal.wait_until("the newer token", |screen| {
        screen.contents().contains(&access[..20])
    });
    assert_eq!(profiles.run(&["refresh", "office"]).code, 0);
    quit(terminal);
}

#[test]
fn saving_does_not_overwrite_externally_changed_or_deleted_profile() {
    let provider = Provider::start(&[("DEVICE_INTERVAL", "1")]);
    let profiles = Profiles::at(&provider);
    let mut terminal = start(&profiles, &["--profile", "office"]);
    terminal.wait_for("[t Tokens]");
    let settings = || std::fs::read_to_string(profiles.settings());
    let text = settings().unwrap();
    let changed = text.replace(
        "[settings]\n",
        "[settings]\nlogin_hint = \"bob@example.org\"\n",
    );
    std::fs::write(profiles.settings(), &changed).unwrap();
    terminal.focus("Scope");
    terminal.send(" profile");
    terminal.wait_for("office * · Custom settings");
    terminal.send("\x13");
    terminal.wait_for("Another program changed it after you opened it.");
    assert_eq!(settings().unwrap(), changed);
    // The changes are still in the form.
    terminal.wait_for("office * · Custom settings");
    assert_eq!(profiles.run(&["profiles", "delete", "office"]).code, 0);
    terminal.send("\x13");
    terminal.wait_for("It was deleted or renamed after you opened it.");
    assert!(settings().is_err() && !profiles.state("record").exists());
    // The tokens are nowhere else.
    terminal.send(CTRL_C);
    terminal.wait_for("not been copied or saved");
    terminal.send("y");
    assert_eq!(terminal.wait_exit().exit_code(), 0);
}
