#![allow(clippy::unwrap_used, reason = "a test ends on what it did not expect")]

use super::*;
use crate::console::environment::{Environment, Ssh};
use crate::flow::event::{FlowError, FlowEvent};
use crate::oauth::failure::Failure;
use crate::tui::keys::Command;
use crate::tui::screen::AnyScreen;
use crate::tui::screen::Outbox;
use crate::tui::screen::testing::{Solo, device_code, sign_in};

/// A sign-in by this flow that waits for the user.
fn waiting(environment: Environment, preset: &str, flow: FlowKind) -> Solo<SignIn> {
    let mut alone = Solo::new(environment, preset, |_| SignIn::new());
    alone.authorize(flow);
    alone.act(|screen, cx| Screen::entered(screen, Route::SignIn, cx));
    alone.hear(match flow {
        FlowKind::DeviceCode => device_code(),
        FlowKind::AuthorizationCode => sign_in(),
    });
    alone
}

fn device() -> Solo<SignIn> {
    let colourful = Environment {
        utf8: true,
        colours: true,
        ..Environment::default()
    };
    waiting(colourful, "demo", FlowKind::DeviceCode)
}

fn browser(ssh: Option<Ssh>) -> Solo<SignIn> {
    let environment = Environment {
        ssh,
        ..Environment::default()
    };
    waiting(environment, "demo", FlowKind::AuthorizationCode)
}

fn copied(out: &Outbox) -> Option<&Content> {
    match out.effects.as_slice() {
        [Effect::Copy(content)] => Some(content),
        _ => None,
    }
}

fn url(text: &str) -> Content {
    Content::Url(text.parse().unwrap())
}

const COMPLETE: &str = "https://as.example/device?c=WDJB-MJHT";

#[test]
fn the_code_and_its_urls_are_copied_and_shown_alone() {
    let mut alone = device();
    assert_eq!(alone.screen.common.focus, Item::CopyCode);
    let code = Content::UserCode("WDJB-MJHT".to_owned());
    for item in [Item::CopyCode, Item::Device(DeviceItem::Code)] {
        assert_eq!(copied(&alone.press(item)), Some(&code));
    }
    assert_eq!(alone.press(Item::PlainView).alone, Some(code));
    // The buttons act on what was chosen last.
    assert_eq!(copied(&alone.press(Item::CopyUrl)), Some(&url(COMPLETE)));
    let short = url("https://as.example/device");
    let item = Item::Device(DeviceItem::Url);
    assert_eq!(copied(&alone.press(item)), Some(&short));
    assert_eq!(copied(&alone.press(Item::CopyUrl)), Some(&short));
    let item = Item::Device(DeviceItem::CompleteUrl);
    assert_eq!(copied(&alone.press(item)), Some(&url(COMPLETE)));
    assert_eq!(alone.press(Item::PlainView).alone, Some(url(COMPLETE)));
}

#[test]
fn a_qr_code_is_closed_when_what_it_leads_to_is_over() {
    let mut alone = device();
    alone.press(Item::QrCode);
    assert!(AnyScreen::has_dialog(&alone.screen));
    alone.hear(FlowEvent::Trouble(
        "The service was not reached.".to_owned(),
    ));
    assert!(AnyScreen::has_dialog(&alone.screen));
    alone.hear(FlowEvent::Failed(FlowError::Protocol(Failure::Expired)));
    assert!(!AnyScreen::has_dialog(&alone.screen));
    assert_eq!(alone.screen.common.focus, Item::Again);
    assert!(alone.labels().contains(&"New code".to_owned()));
}

#[test]
fn what_is_pasted_is_handed_over_and_the_box_is_empty_again() {
    let mut alone = browser(None);
    assert!(Solo::<SignIn>::told(&alone.press(Item::Paste)).contains("Paste the address"));
    // Wherever the focus is, a paste is meant to be the answer.
    alone.go(Item::Trace);
    alone.act(|screen, cx| AnyScreen::paste(screen, "http://localhost:8400/?code=c\n", cx));
    assert_eq!(alone.screen.common.focus, Item::Paste);
    let out = alone.keys(&[Command::Enter]);
    assert!(
        matches!(out.effects.as_slice(), [Effect::Paste(text)] if text.expose_secret().contains("code=c")),
        "{out:?}"
    );
    assert_eq!(alone.screen.common.editor.text(), "");
}

#[test]
fn a_sign_in_over_ssh_offers_the_tunnel() {
    let alice = Ssh {
        server: "192.0.2.2:22".parse().ok(),
        login: Some("alice".to_owned()),
    };
    let mut alone = browser(Some(alice));
    let tunnel = "ssh -L 8400:127.0.0.1:8400 alice@192.0.2.2";
    assert_eq!(
        copied(&alone.press(Item::CopyTunnel)),
        Some(&Content::Tunnel(tunnel.to_owned()))
    );
    assert!(!browser(None).labels().contains(&"Copy tunnel".to_owned()));
}

#[test]
fn it_is_left_for_the_device_code_where_no_browser_can_be_opened() {
    let mut alone = browser(None);
    let out = alone.press(Item::SwitchToDeviceCode);
    assert!(matches!(out.effects.as_slice(), [Effect::Start(_)]));
    assert_eq!(out.navigation, Some(Navigation::Open(Route::SignIn)));
    assert_eq!(alone.session.settings.flow(), FlowKind::DeviceCode);
    // A desktop needs no way around, a service without that flow has none, and one that would refuse what is requested
    // has none either.
    let desktop = Environment {
        display: true,
        ..Environment::default()
    };
    let none = Environment::default();
    for (environment, preset) in [
        (desktop, "demo"),
        (none.clone(), "spotify"),
        (none, "google-mail"),
    ] {
        let alone = waiting(environment, preset, FlowKind::AuthorizationCode);
        let label = "Switch to device code".to_owned();
        assert!(!alone.labels().contains(&label), "{preset}");
    }
}

#[test]
fn a_browser_is_opened_and_the_demo_approved() {
    let desktop = Environment {
        display: true,
        ..Environment::default()
    };
    let mut alone = waiting(desktop, "demo", FlowKind::DeviceCode);
    let effects = alone.press(Item::OpenBrowser).effects;
    assert!(
        matches!(effects.as_slice(), [Effect::OpenBrowser(url, _)] if url.as_str() == COMPLETE),
        "{effects:?}"
    );
    let effects = alone.press(Item::ApproveDemo).effects;
    assert!(
        matches!(effects.as_slice(), [Effect::ApproveDemo(url)] if url.as_str() == COMPLETE),
        "{effects:?}"
    );
}

#[test]
fn it_is_cancelled_and_tried_again() {
    let mut alone = device();
    let trace = Navigation::Open(Route::Trace);
    assert_eq!(alone.press(Item::Trace).navigation, Some(trace));
    assert!(alone.press(Item::Help).help);
    let out = alone.press(Item::Cancel);
    assert!(matches!(out.effects.as_slice(), [Effect::Cancel]));
    let form = Navigation::Open(Route::Form(FormTarget::Authorize));
    assert_eq!(out.navigation, Some(form));
    let mut alone = device();
    alone.hear(FlowEvent::Failed(FlowError::Protocol(Failure::Expired)));
    assert_eq!(alone.press(Item::Settings).navigation, Some(form));
    let out = alone.press(Item::Again);
    assert!(matches!(out.effects.as_slice(), [Effect::Start(_)]));
    assert_eq!(out.navigation, Some(Navigation::Open(Route::SignIn)));
}
