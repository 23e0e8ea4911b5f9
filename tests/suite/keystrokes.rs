//! Number of keys on the usual way from the start of the program to the tokens on the clipboard.

use std::fs;

use crate::clipboard::osc_52;
use crate::scripted::DeviceFlow;
use crate::terminal::{Command, DOWN, ENTER, Terminal, is_focused};

const CLIENT: &str = "11111111-2222-3333-4444-555555555555";
const ACCESS: &str = "the-access-token-of-the-test";
const REFRESH: &str = "a-refresh-token-of-the-test";

/// Maximum number of keys on the usual way; a paste counts as one.
const MOST: usize = 9;

/// A terminal that counts the keys sent to it.
struct Counted {
    terminal: Terminal,
    keys: usize,
}

impl Counted {
    fn press(&mut self, key: &str) {
        self.terminal.send(key);
        self.keys += 1;
    }

    fn paste(&mut self, text: &str) {
        self.terminal.paste(text);
        self.keys += 1;
    }

    fn wait_for_focus(&self, label: &str) {
        let what = format!("the focus on {label}");
        self.terminal
            .wait_until(&what, |screen| is_focused(screen, label));
    }
}

/// The built-in preset of Microsoft 365 mail, but at this server.
fn preset_at(server: &str) -> String {
    let built_in = concat!(env!("CARGO_MANIFEST_DIR"), "/presets/microsoft-mail.toml");
    let text = fs::read_to_string(built_in).unwrap();
    let (before, rest) = text.split_once("[endpoints]\n").unwrap();
    let (_, after) = rest.split_once("\n[discovery]").unwrap();
    let endpoints = format!(
        "[endpoints]\nauthorization = \"{server}/{{tenant}}/authorize\"\ndevice = \"{server}/device?tenant={{tenant}}\"\n\
         token = \"{server}/token\"\n\n[discovery]"
    );
    format!("{before}{endpoints}{after}")
}

#[test]
fn copying_both_microsoft_365_tokens_takes_nine_keys() {
    let home = tempfile::tempdir().unwrap();
    let presets = home.path().join("config/oauth-authorizer/presets");
    fs::create_dir_all(&presets).unwrap();
    let (server, _) = DeviceFlow::giving(ACCESS).start();
    fs::write(presets.join("microsoft-mail.toml"), preset_at(&server.url)).unwrap();
    let terminal = Command::new(home.path(), &[])
        .env("XDG_CONFIG_HOME", home.path().join("config"))
        .start();
    let mut user = Counted { terminal, keys: 0 };
    user.wait_for_focus("Preset");
    user.press("m");
    user.press("3");
    user.terminal.wait_for("Find m3");
    user.press(ENTER);
    user.wait_for_focus("Client ID");
    user.paste(CLIENT);
    user.terminal.wait_for(CLIENT);
    user.press(ENTER);
    user.wait_for_focus("Authorize");
    user.press(ENTER);
    user.wait_for_focus("Access token");
    user.press("c");
    user.terminal
        .wait_for("access token to your terminal's clipboard");
    user.press(DOWN);
    user.wait_for_focus("Refresh token");
    user.press("c");
    user.terminal
        .wait_for("refresh token to your terminal's clipboard");
    let copies = osc_52(&user.terminal.bytes());
    assert_eq!(copies, [ACCESS, REFRESH]);
    let sent = &server.requests("/token")[0].form;
    assert_eq!(sent["client_id"], CLIENT);
    assert!(user.keys <= MOST, "{} keys", user.keys);
}
