//! The settings form: locked fields and messages about invalid input.

use std::net::TcpListener;
use std::path::Path;

use crate::servers::{Provider, free_port, run};
use crate::terminal::{BACK_TAB, CTRL_C, Command, DOWN, ENTER, ESC, TAB, Terminal, UP};

fn start(home: &Path, flags: &[&str]) -> Terminal {
    let terminal = Command::new(home, flags).start();
    terminal.wait_for("[a Authorize]");
    terminal
}

/// The row of a field, without its label.
fn row(terminal: &Terminal, label: &str) -> String {
    let screen = terminal.screen();
    let line = screen
        .lines()
        .find(|line| line.trim_start_matches([' ', '▸']).starts_with(label));
    line.unwrap_or_else(|| panic!("no {label}\n{screen}"))
        .split(label)
        .nth(1)
        .unwrap()
        .trim()
        .to_owned()
}

#[test]
fn locked_field_ignores_every_key_and_paste() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = start(home.path(), &["--preset", "github"]);
    let locked = ["Device code URL", "Token ex. URL"];
    let before = locked.map(|label| row(&terminal, label));
    assert!(
        before.iter().all(|row| row.ends_with("locked")),
        "{before:?}"
    );
    // Typing and a paste in every item that can have the focus.
    for key in [TAB, BACK_TAB, UP, DOWN]
        .into_iter()
        .flat_map(|key| [key; 16])
    {
        terminal.send(key);
        // Wait until the focus has moved.
        terminal.settle();
        for label in locked {
            assert!(
                !terminal.look(|screen| crate::terminal::is_focused(screen, label)),
                "{}",
                terminal.screen()
            );
        }
        if terminal.look(|screen| crate::terminal::is_focused(screen, "Client ID")) {
            terminal.paste("evil");
            terminal.send("x\x7f\x15");
        }
    }
    terminal.settle();
    assert_eq!(locked.map(|label| row(&terminal, label)), before);
}

#[test]
fn undo_key_from_help_restores_cleared_field() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = start(home.path(), &[]);
    terminal.focus("Client ID");
    terminal.paste("abc");
    terminal.wait_for("abc");
    // Ctrl+U, and Ctrl+_ as terminals send it.
    terminal.send("\x15");
    terminal.wait_until("the cleared field", |screen| {
        !screen.contents().contains("abc")
    });
    terminal.send("\x1f");
    terminal.wait_for("abc");
}

#[test]
fn preset_value_is_restored_and_restore_can_be_undone() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = start(home.path(), &["--preset", "gitlab"]);
    terminal.focus("Scope");
    terminal.send("\x15nothing");
    terminal.wait_for("nothing");
    // Ctrl+T and Ctrl+_.
    terminal.send("\x14");
    terminal.wait_for("read_user");
    terminal.send("\x1f");
    terminal.wait_for("nothing");
}

#[test]
fn custom_settings_keep_and_unlock_preset_values() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = start(home.path(), &["--preset", "github"]);
    terminal.focus("Preset");
    terminal.send(ENTER);
    terminal.wait_for("Find");
    terminal.send("cust");
    terminal.wait_for("Find cust");
    terminal.send(ENTER);
    terminal.wait_until("Custom settings", |screen| {
        screen.contents().contains("Custom settings")
    });
    assert_eq!(
        row(&terminal, "Token ex. URL"),
        "https://github.com/login/oauth/access_token"
    );
    terminal.focus("Token ex. URL");
    terminal.send("_more");
    terminal.wait_for("https://github.com/login/oauth/access_token_more");
}

#[test]
fn the_preset_list_filters_as_you_type() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = start(home.path(), &[]);
    for (typed, name) in [
        ("goo", "Google mail"),
        ("365", "Microsoft 365 mail"),
        ("git", "GitHub"),
        ("key", "Keycloak"),
    ] {
        terminal.focus("Preset");
        terminal.send(ENTER);
        terminal.wait_for("Find");
        terminal.send(typed);
        terminal.wait_for(&format!("Find {typed}"));
        terminal.send(ENTER);
        terminal.wait_until(name, |screen| {
            screen
                .contents_between(0, 0, 0, 80)
                .trim_end()
                .ends_with(name)
        });
    }
}

#[test]
fn scope_list_removes_a_deselected_scope() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = start(home.path(), &["--preset", "microsoft-mail"]);
    terminal.focus("Scope");
    terminal.send(TAB);
    terminal.send(ENTER);
    terminal.wait_for("Scope: Microsoft 365 mail");
    assert!(
        terminal
            .flat()
            .contains("[x] IMAP.AccessAsUser.All read and write mail over IMAP"),
        "{}",
        terminal.screen()
    );
    terminal.send(" ");
    terminal.wait_for("[ ] IMAP.AccessAsUser.All");
    terminal.send(ENTER);
    terminal.wait_for("offline_access …/SMTP.Send [List]");
}

#[test]
fn urls_update_as_variables_are_typed() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = start(home.path(), &["--preset", "keycloak"]);
    terminal.focus("Host");
    terminal.send("sso.example.org");
    terminal.wait_for("https://sso.example.org/realms/{realm}/");
    terminal.send(ENTER);
    terminal.send("staff");
    terminal.wait_for("https://sso.example.org/realms/staff/protocol/ope… locked");
}

#[test]
fn fields_of_other_flow_keep_their_position() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = start(home.path(), &["--preset", "microsoft-mail"]);
    let place = |terminal: &Terminal| {
        terminal
            .screen()
            .lines()
            .position(|line| line.contains("Redirect URL"))
            .unwrap()
    };
    let before = place(&terminal);
    assert!(row(&terminal, "Redirect URL").ends_with("not used"));
    terminal.focus("Flow");
    terminal.send(" ");
    terminal.wait_until("the other flow", |screen| {
        screen.contents().contains("(•) Auth. code")
    });
    assert_eq!(place(&terminal), before);
    assert!(row(&terminal, "Device code URL").ends_with("not used"));
}

/// Flags of Custom settings that are complete for the authorization code flow.
fn complete() -> Vec<String> {
    let endpoint = |name: &str| format!("http://127.0.0.1:{}/{name}", free_port());
    [
        ("--client-id", "kept-id".to_owned()),
        ("--scope", "kept-scope".to_owned()),
        ("--authorization-url", endpoint("auth")),
        ("--device-url", endpoint("device")),
        ("--token-url", endpoint("token")),
        ("--redirect-url", "http://127.0.0.1:0/cb".to_owned()),
    ]
    .into_iter()
    .flat_map(|(flag, value)| [flag.to_owned(), value])
    .collect()
}

/// Authorizes with `change` made to the complete flags. The sentences must be on the screen, and the settings still in
/// the form.
fn assert_told(change: &[(&str, &str)], sentences: &[&str]) {
    let home = tempfile::tempdir().unwrap();
    let mut flags = complete();
    for (flag, value) in change {
        match flags.iter().position(|known| known == flag) {
            Some(at) => (*value).clone_into(&mut flags[at + 1]),
            None => flags.extend([*flag, *value].map(str::to_owned)),
        }
    }
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let mut terminal = start(home.path(), &flags);
    let typed = |terminal: &Terminal| ["Client ID", "Scope"].map(|label| row(terminal, label));
    let before = typed(&terminal);
    terminal.focus("Authorize");
    terminal.send(ENTER);
    for sentence in sentences {
        terminal.wait_for(sentence);
    }
    if terminal.flat().contains("[Esc Cancel]") {
        terminal.send(ESC);
        terminal.wait_for("[y Cancel sign-in]");
        terminal.send("y");
        terminal.wait_for("[a Authorize]");
    }
    if terminal.flat().contains("[Esc Settings]") {
        terminal.focus("Settings");
        terminal.send(ENTER);
        terminal.wait_for("[a Authorize]");
    }
    assert_eq!(typed(&terminal), before);
}

#[test]
fn missing_client_id_is_reported() {
    assert_told(&[("--client-id", "")], &["The Client ID is missing."]);
}

#[test]
fn invalid_url_is_reported() {
    assert_told(
        &[("--token-url", "token")],
        &["Not a valid URL", "starting with https://"],
    );
    assert_told(
        &[("--token-url", "https://<host>/token")],
        &[
            "contains the placeholder <host>",
            "Replace it with your own value",
        ],
    );
    assert_told(
        &[("--token-url", "ftp://as.example/token")],
        &["The URL must start with https://, not with ftp:"],
    );
}

#[test]
fn unknown_preset_is_reported_with_suggestion() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = Command::new(home.path(), &["--preset", "gogle"]).start();
    assert_eq!(terminal.wait_exit().exit_code(), 2);
    let text = terminal.flat();
    assert!(
        text.contains(
            "There is no preset \"gogle\". Did you mean google? To list all presets, run"
        ),
        "{text}"
    );
}

#[test]
fn port_in_use_is_reported() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let redirect = format!("http://127.0.0.1:{port}/cb");
    let sentence = format!("Port {port} of 127.0.0.1 is in use by another program.");
    assert_told(
        &[
            ("--flow", "authorization-code"),
            ("--redirect-url", &redirect),
        ],
        &[
            &sentence,
            "Stop that program, or choose another port",
            "Field Redirect URL",
        ],
    );
}

#[test]
fn unreachable_server_is_reported() {
    let port = free_port();
    let url = format!("http://127.0.0.1:{port}/device");
    let sentence = format!("Can't connect to 127.0.0.1:{port}: Connection refused.");
    assert_told(
        &[("--flow", "device-code"), ("--device-url", &url)],
        &[
            &sentence,
            "Check the URL for typos",
            "Field Device code URL",
        ],
    );
}

#[test]
fn redirect_url_on_another_machine_is_explained() {
    // The program can't listen there and says so; the user can still paste the redirect.
    assert_told(
        &[
            ("--flow", "authorization-code"),
            ("--redirect-url", "https://mail.example.org/cb"),
        ],
        &[
            "Copy the final URL from the browser's address bar, and paste it",
            "for a paste. This machine can't receive the redirect to https://mail.example.org/cb",
        ],
    );
    let home = tempfile::tempdir().unwrap();
    let flags = [
        "--flow",
        "authorization-code",
        "--redirect-url",
        "https://mail.example.org/cb",
    ];
    let mut terminal = start(home.path(), &flags);
    terminal.focus("Redirect URL");
    terminal.wait_for("mail.example.org is not this machine, so the program can't listen there. Use localhost or 127.0.0.1");
}

#[test]
fn untrusted_certificate_is_reported_and_ca_file_fixes_it() {
    let home = tempfile::tempdir().unwrap();
    let (key, certificate) = (
        home.path().join("key.pem"),
        home.path().join("certificate.pem"),
    );
    run(std::process::Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=oauth-authorizer test",
        ])
        .args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate));
    let paths = (key.to_str().unwrap(), certificate.to_str().unwrap());
    let provider = Provider::start(&[
        ("TLS_KEY", paths.0),
        ("TLS_CERT", paths.1),
        ("DEVICE_INTERVAL", "1"),
    ]);
    let device = provider.endpoint("device");
    assert!(device.starts_with("https://"));
    let token = provider.endpoint("token");
    let change = [
        ("--device-url", device),
        ("--token-url", token),
        ("--client-id", "public-native"),
        ("--flow", "device-code"),
        ("--scope", "openid"),
    ];
    let told = [&change[..]].concat();
    assert_told(
        &told,
        &[
            "The certificate of 127.0.0.1",
            "is not trusted: it was issued by an untrusted CA.",
            "set CA file (--ca-file) to the CA certificate",
        ],
    );
    // A CA file that can't be read is reported, too.
    let not_one = [&change[..], &[("--ca-file", "/nonexistent/ca.pem")]].concat();
    assert_told(&not_one, &["Can't use the CA file /nonexistent/ca.pem"]);
    // The right CA file works, by the flag and by the environment variable.
    for by_variable in [false, true] {
        let flags: Vec<&str> = change
            .iter()
            .flat_map(|(flag, value)| [*flag, *value])
            .collect();
        let mut command = Command::new(home.path(), &flags);
        command = if by_variable {
            command.env("SSL_CERT_FILE", paths.1)
        } else {
            command.env("OAUTH_AUTHORIZER_CA_FILE", paths.1)
        };
        let mut terminal = command.start();
        terminal.wait_for("[a Authorize]");
        terminal.focus("Authorize");
        terminal.send(ENTER);
        terminal.wait_for("Enter code");
        terminal.send("k");
        terminal.wait_for("passed TLS");
    }
}

#[test]
fn screen_adapts_to_window_size() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = start(home.path(), &["--preset", "microsoft-mail"]);
    for (columns, rows) in [(120, 40), (60, 18), (40, 10), (80, 24)] {
        terminal.resize(columns, rows);
        terminal.wait_until("the rule at the new width", |screen| {
            let line = screen.contents_between(1, 0, 1, columns);
            line.trim().chars().count() == usize::from(columns) - 2
        });
        assert!(
            terminal.flat().contains("[a Authorize]"),
            "{}",
            terminal.screen()
        );
    }
    terminal.resize(39, 9);
    terminal.wait_for("This window is too small");
    terminal.send(CTRL_C);
    assert_eq!(terminal.wait_exit().exit_code(), 0);
}

#[test]
fn escape_closes_help_without_leaving_the_screen() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = start(home.path(), &["--preset", "github"]);
    terminal.focus("Help");
    terminal.send(ENTER);
    terminal.wait_for("This screen: settings");
    terminal.send(ESC);
    terminal.wait_until("the form", |screen| {
        !screen.contents().contains("This screen: settings")
    });
    terminal.send(ESC);
    terminal.settle();
    terminal.send(TAB);
    terminal.wait_until("the focus on Quit", |screen| {
        crate::terminal::is_focused(screen, "Quit")
    });
}
