#![allow(clippy::unwrap_used, reason = "a test ends on what it did not expect")]

use std::time::Duration;

use super::*;
use crate::console::environment::Environment;
use crate::flow::event::FlowEvent;
use crate::flow::http::HttpError;
use crate::flow::redact::Secrets;
use crate::flow::trace::Exchange;
use crate::oauth::client::{FlowKind, Request};
use crate::tui::keys::Command;
use crate::tui::screen::AnyScreen;
use crate::tui::screen::testing::Solo;

fn trace() -> Solo<Trace> {
    let mut alone = Solo::new(Environment::default(), "demo", |_| Trace::new());
    alone.authorize(FlowKind::DeviceCode);
    let request = Request {
        url: "https://as.example/token".parse().unwrap(),
        authorization: None,
        body: (0..30)
            .map(|at| format!("scope=number{at}"))
            .collect::<Vec<_>>()
            .join("&")
            .into(),
    };
    let outcome = Err(HttpError::Unreachable {
        host: "as.example".to_owned(),
        cause: "refused".to_owned(),
    });
    let none = Secrets::default();
    let exchange = Exchange::posted(&request, &outcome, Duration::ZERO, &none);
    alone.hear(FlowEvent::Exchange(exchange));
    alone
}

#[test]
fn each_item_does_what_it_says() {
    let mut alone = trace();
    assert_eq!(alone.press(Item::Back).navigation, Some(Navigation::Back));
    assert!(alone.press(Item::Help).help);
    alone.press(Item::Save);
    let effects = alone.keys(&[Command::Enter]).effects;
    assert!(
        matches!(effects.as_slice(), [Effect::Save(Content::Trace, path)] if path == "oauth-authorizer-trace.txt"),
        "{effects:?}"
    );
    // Tab has nothing else to offer, and leaves the question open.
    alone.press(Item::Save);
    alone.keys(&[Command::Next]);
    assert!(AnyScreen::has_dialog(&alone.screen));
}

#[test]
fn it_scrolls_line_by_line_and_not_far_behind_the_end() {
    let mut alone = trace();
    alone.keys(&[Command::LineDown, Command::LineDown, Command::LineUp]);
    assert_eq!(alone.body(80, 10).scroll, 1);
    for _ in 0..20 {
        alone.keys(&[Command::PageDown]);
    }
    assert!(alone.body(80, 10).scroll < 60);
    assert!(alone.text().contains("number29"));
}
