//! URLs as terminal hyperlinks, checked in the bytes that the terminal receives.

use crate::clipboard::Tmux;
use crate::scripted::{DeviceFlow, Scripted};
use crate::terminal::{Command, ENTER, RIGHT, Terminal, program};

/// The parts of a link, each with its URL and its text.
fn links(bytes: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(bytes);
    text.split("\x1b]8;id=url;")
        .skip(1)
        .map(|rest| {
            let (url, rest) = rest.split_once("\x1b\\").unwrap();
            let (text, _) = rest.split_once("\x1b]8;;\x1b\\").expect("a link ends");
            (url.to_owned(), text.to_owned())
        })
        .collect()
}

fn device_flow(uri: &str, env: &[(&str, &str)]) -> (Terminal, Scripted, tempfile::TempDir) {
    let home = tempfile::tempdir().unwrap();
    let (server, flags) = DeviceFlow::at(uri).start();
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let mut command = Command::new(home.path(), &flags);
    for (name, value) in env {
        command = command.env(name, value);
    }
    let mut terminal = command.start();
    terminal.wait_for("[a Authorize]");
    terminal.focus("Authorize");
    terminal.send(ENTER);
    terminal.wait_for("Enter code");
    (terminal, server, home)
}

#[test]
fn device_url_is_a_link_that_shows_itself() {
    let uri = "https://as.example/device";
    let (mut terminal, _server, _home) = device_flow(uri, &[]);
    assert_eq!(links(&terminal.bytes()), [(uri.to_owned(), uri.to_owned())]);
    assert!(
        terminal.flat().contains(&format!("1 Open {uri} ")),
        "{}",
        terminal.screen()
    );
    // The link is written again only if necessary.
    terminal.focus("View alone");
    assert_eq!(links(&terminal.bytes()).len(), 1);
    terminal.send("?");
    terminal.wait_for("Everywhere");
    terminal.send(ENTER);
    terminal.wait_for(uri);
    assert_eq!(links(&terminal.bytes()).len(), 2);
}

#[test]
fn links_can_be_turned_off() {
    let uri = "https://as.example/device";
    let none = [("OAUTH_AUTHORIZER_LINKS", "none")];
    let (terminal, _server, _home) = device_flow(uri, &none);
    assert!(links(&terminal.bytes()).is_empty());
}

#[test]
fn shortened_authorization_url_links_to_the_full_url() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = Command::new(home.path(), &["--demo"]).start();
    terminal.wait_for("[a Authorize]");
    terminal.focus("Flow");
    terminal.send(RIGHT);
    terminal.wait_for("(•) Authorization code");
    terminal.focus("Authorize");
    terminal.send(ENTER);
    terminal.wait_for("for the browser at http://127.0.0.1:");
    let links = links(&terminal.bytes());
    let url = terminal.url();
    let [(to, text)] = &links[..] else {
        panic!("{links:?}");
    };
    assert_eq!(*to, url);
    assert!(text.len() < url.len() && url.starts_with(text), "{text}");
}

#[test]
fn terminals_without_link_support_get_no_link() {
    for env in [
        &[("TERM", "linux")][..],
        &[("TERM", "vt100")],
        &[("TERM", "unheard-of")],
        &[("TERM", "xterm"), ("STY", "1.a")],
        &[("TERM", "screen")],
    ] {
        let (terminal, _server, _home) = device_flow("https://as.example/device", env);
        let bytes = terminal.bytes();
        assert!(!bytes.windows(2).any(|pair| pair == b"\x1b]"), "{env:?}");
    }
    // tmux accepts links, whatever the name of the terminal.
    let env = [("TERM", "screen"), ("TMUX", "/nowhere,1,0")];
    let (terminal, _server, _home) = device_flow("https://as.example/device", &env);
    assert_eq!(links(&terminal.bytes()).len(), 1);
}

/// No part of a link's sequence is visible, whether this tmux forwards links or drops them.
#[test]
fn link_sequence_is_not_visible_in_tmux() {
    let (_server, flags) = DeviceFlow::at("https://as.example/device").start();
    let mut line = vec![program().to_str().unwrap().to_owned()];
    line.extend(flags);
    let tmux = Tmux::start(&line);
    tmux.authorize();
    tmux.wait_for(
        "1 Open https://as.example/device [u Copy URL] in a browser on any device. 2 Enter code",
    );
}
