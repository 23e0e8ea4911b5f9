//! Tokens saved to a file.

use std::os::unix::fs::PermissionsExt;

use crate::scripted::{DeviceFlow, Scripted};
use crate::terminal::{CTRL_C, Command, ENTER, TAB, Terminal};

const TOKEN: &str = "an-access-token-to-be-saved";

fn tokens(home: &tempfile::TempDir) -> (Terminal, Scripted) {
    let (server, flags) = DeviceFlow::giving(TOKEN).start();
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let mut terminal = Command::new(home.path(), &flags).start();
    terminal.wait_for("[a Authorize]");
    terminal.focus("Authorize");
    terminal.send(ENTER);
    terminal.wait_for("Access token");
    (terminal, server)
}

/// Goes from the tokens to the question where to save the selected token.
fn to_a_file(terminal: &mut Terminal) {
    terminal.send("s");
    terminal.wait_for("Save as a profile");
    terminal.focus("To a file instead…");
    terminal.send(ENTER);
}

fn assert_private(path: &std::path::Path) {
    let mode = std::fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "{}", path.display());
}

#[test]
fn saved_token_and_json_files_are_private() {
    let home = tempfile::tempdir().unwrap();
    let (mut terminal, _server) = tokens(&home);
    to_a_file(&mut terminal);
    terminal.wait_for("Save the access token to this file");
    // Before the file is written, it is not known whether the file system supports modes.
    terminal.wait_for("Only you can read the file (mode 0600), if the file system supports it.");
    terminal.send(ENTER);
    let path = home.path().join("oauth-authorizer-access-token.txt");
    terminal.wait_for("(mode 0600).");
    let told = format!("Saved the access token to {} (mode 0600).", path.display());
    // A path may be wrapped anywhere.
    let squeezed = |text: &str| text.split_whitespace().collect::<String>();
    assert!(
        squeezed(&terminal.screen()).contains(&squeezed(&told)),
        "{}",
        terminal.screen()
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), TOKEN);
    assert_private(&path);

    // Another token, with a chosen file name, over a file that others can read.
    let path = home.path().join("mine");
    std::fs::write(
        &path,
        "what was there, and longer than the token that replaces it",
    )
    .unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    terminal.focus("Refresh token");
    to_a_file(&mut terminal);
    terminal.wait_for("Save the refresh token to this file");
    terminal.send("\x15");
    terminal.send("mine");
    terminal.send(ENTER);
    terminal.wait_for("Saved the refresh token to");
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        "a-refresh-token-of-the-test"
    );
    assert_private(&path);

    to_a_file(&mut terminal);
    terminal.wait_for("Save the refresh token to this file");
    terminal.send(TAB);
    terminal.wait_for("as JSON to this file");
    terminal.send(ENTER);
    terminal.wait_for("Saved the JSON to");
    let path = home.path().join("oauth-authorizer-tokens.json");
    let json: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(json["access_token"], TOKEN);
    assert_eq!(json["refresh_token"], "a-refresh-token-of-the-test");
    assert_private(&path);
}

#[test]
fn quitting_does_not_ask_about_saved_tokens() {
    let home = tempfile::tempdir().unwrap();
    let (mut terminal, _server) = tokens(&home);
    // The token is not saved if the folder does not exist, so quitting still asks.
    to_a_file(&mut terminal);
    terminal.wait_for("Save the access token to this file");
    terminal.send("\x15");
    terminal.send("no-such-folder/token");
    terminal.send(ENTER);
    terminal.wait_for("The access token was not saved:");
    terminal.send(CTRL_C);
    terminal.wait_for("not been copied or saved:");
    // The question offers to save all tokens.
    terminal.send(ENTER);
    terminal.wait_for("Save as a profile");
    terminal.focus("To a file instead…");
    terminal.send(ENTER);
    terminal.wait_for("as JSON to this file");
    terminal.send(ENTER);
    terminal.wait_for("Saved the JSON to");
    terminal.wait_for("saved, until");
    terminal.send(CTRL_C);
    assert_eq!(terminal.wait_exit().exit_code(), 0);
    terminal.assert_restored();
}
