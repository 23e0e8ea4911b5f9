//! The smallest window: the edited text stays visible, and anything without room is one key away.

use oauth_authorizer::flow::event::FlowEvent;
use oauth_authorizer::oauth::failure::ServerError;

use crate::app::{App, XTERM};

const COLUMNS: u16 = 40;
const ROWS: u16 = 10;

/// A sign-in in the browser with this text in its paste box, after this event.
fn waiting(over_ssh: bool, pasted: &str, event: Option<FlowEvent>) -> App {
    let mut app = App::new(XTERM.environment());
    if over_ssh {
        app.over_ssh();
    }
    app.browser(None);
    if !pasted.is_empty() {
        app.go("Paste").paste(pasted).keys("<enter>");
    }
    if let Some(event) = event {
        app.flow(event);
    }
    app.resize(COLUMNS, ROWS);
    app
}

#[test]
fn paste_box_stays_visible_with_any_focus() {
    let refused = || FlowEvent::PasteRefused("its state is not the one of this sign-in".to_owned());
    let unverified = || {
        let words = "The scope \"SMTP.Sendd\" is not valid for this client. ".repeat(4);
        FlowEvent::Unverified(ServerError::new("invalid_scope", Some(&words)))
    };
    let answer = "http://localhost:8400/?code=M.C546_BAY.2.U.42&state=Zk93";
    let page = "AADSTS50011: The redirect URI 'http://localhost:8400/' does not match.";
    for over_ssh in [false, true] {
        for (pasted, event, shown) in [
            (
                "",
                None,
                ("URL, code or error text", "URL, code or error text"),
            ),
            (
                answer,
                Some(refused()),
                ("http://localhost:8400/?code", "Zk93"),
            ),
            (
                answer,
                Some(unverified()),
                ("http://localhost:8400/?code", "Zk93"),
            ),
            (page, None, ("AADSTS50011", "not match.")),
            (
                "",
                Some(FlowEvent::NotOurs(
                    "its state is not the one that was sent, ".repeat(4),
                )),
                ("URL, code or error text", "URL, code or error text"),
            ),
        ] {
            let mut app = waiting(over_ssh, pasted, event);
            // The beginning of the text, or its end while it is edited. If it is empty, its row has only the marker.
            let is_shown = |row: &String| {
                row.contains(shown.0) || row.contains(shown.1) || row.trim_end() == " ▸"
            };
            let assert_shown = |app: &App| {
                let drawn = app.look();
                let rows = &drawn.rows()[1..usize::from(drawn.body_end())];
                assert!(
                    rows.iter().any(is_shown),
                    "over SSH: {over_ssh}\n{}",
                    drawn.text()
                );
            };
            for _ in 0..app.items().len() {
                assert_shown(&app);
                // Also with a long message.
                app.no_browser(&"xdg-open: not found, ".repeat(6));
                assert_shown(&app);
                app.keys("<tab>");
            }
        }
    }
}

#[test]
fn device_code_stays_visible_with_any_message() {
    let mut app = App::new(XTERM.environment());
    app.device(true).resize(COLUMNS, ROWS);
    for _ in 0..app.items().len() {
        app.no_browser(&"xdg-open: not found, ".repeat(6));
        let drawn = app.look();
        let rows = &drawn.rows()[1..usize::from(drawn.body_end())];
        let text = drawn.text();
        assert!(rows.iter().any(|row| row.contains("WDJB-MJHT")), "{text}");
        assert!(text.contains("Ctrl+O"), "{text}");
        app.keys("<ctrl-o><pagedown>");
        assert!(
            app.look().flat().contains("Open the URL yourself"),
            "{}",
            app.look().text()
        );
        app.keys("<esc><tab>");
    }
}
