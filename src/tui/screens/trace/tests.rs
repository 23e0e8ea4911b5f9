#![allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]

use std::time::Duration;

use super::*;
use crate::console::environment::Environment;
use crate::flow::event::FlowEvent;
use crate::flow::http_error::HttpError;
use crate::flow::redact::Secrets;
use crate::flow::trace::Exchange;
use crate::oauth::answer::Answer;
use crate::oauth::flow_kind::FlowKind;
use crate::oauth::request::Request;
use crate::oauth::tools::Method;
use crate::tui::keys::Command;
use crate::tui::screen::AnyScreen;
use crate::tui::screen::testing::Solo;
use crate::tui::widgets::text::width;

fn trace() -> Solo<Trace> {
    let environment = Environment {
        utf8: true,
        ..Environment::default()
    };
    let mut alone = Solo::new(environment, "demo", |_| Trace::new());
    alone.authorize(FlowKind::DeviceCode);
    let request = Request {
        method: Method::Post,
        url: "https://as.example/token".parse().unwrap(),
        authorization: None,
        body: (0..30)
            .map(|at| format!("scope=number{at}"))
            .collect::<Vec<_>>()
            .join("&")
            .into(),
        proof: crate::oauth::assertion::Proof::None,
    };
    let outcome = Err(HttpError::Unreachable {
        host: "as.example".to_owned(),
        cause: "refused".to_owned(),
    });
    let none = Secrets::default();
    let exchange = Exchange::sent(&request, &outcome, Duration::ZERO, &none);
    alone.hear(FlowEvent::Exchange(exchange));
    alone
}

#[test]
fn an_empty_trace_has_nothing_to_copy_or_save() {
    let alone = Solo::new(Environment::default(), "demo", |_| Trace::new());
    assert_eq!(alone.labels(), ["Back", "Help"]);
    let hint = &alone.body(80, 24).hint[0];
    assert_eq!(hint.text, "Requests appear here when they are sent.");
}

#[test]
fn each_item_does_what_it_says() {
    let mut alone = trace();
    assert_eq!(alone.press(Item::Back).navigation, Some(Navigation::Back));
    assert!(alone.press(Item::Help).help);
    let copied = alone.press(Item::Copy).effects;
    assert!(matches!(copied.as_slice(), [Effect::Copy(Content::Trace)]));
    alone.press(Item::Save);
    let effects = alone.keys(&[Command::Enter]).effects;
    assert!(
        matches!(effects.as_slice(), [Effect::Save(Content::Trace, path)] if path == "oauth-authorizer-trace.txt"),
        "{effects:?}"
    );
    // Tab has no alternative to offer, and leaves the dialog open.
    alone.press(Item::Save);
    alone.keys(&[Command::Next]);
    assert!(AnyScreen::has_dialog(&alone.screen));
}

/// Returns the rows of the body on a page of this width.
fn rows(alone: &Solo<Trace>, columns: u16) -> Vec<String> {
    let rows = alone.body(columns, 20).rows;
    rows.iter().map(|row| row.line.to_string()).collect()
}

#[test]
fn exchange_is_shown_in_columns() {
    let mut alone = trace();
    let time = alone.console.now;
    let request = Request {
        method: Method::Post,
        url: "https://as.example/token".parse().unwrap(),
        authorization: None,
        body: "grant_type=refresh_token&code_challenge_method=S256".into(),
        proof: crate::oauth::assertion::Proof::None,
    };
    let answer = Answer {
        status: 400,
        retry_after: None,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: format!(r#"{{"error_description":"{}"}}"#, "word ".repeat(12))
            .as_str()
            .into(),
    };
    let took = Duration::from_millis(141);
    let exchange = Exchange::sent(&request, &Ok(answer), took, &Secrets::default());
    alone.hear(FlowEvent::Exchange(exchange));
    let all = rows(&alone, 80);
    assert!(all.iter().any(|row| row.contains("number29")));
    let words = "word word word word word word word word word word";
    let last = [
        &format!("   {time}  POST  https://as.example/token"),
        "             400   141 ms",
        "     sent      grant_type     refresh_token",
        "               code_challenge_method  S256",
        "     received  content-type   application/json",
        "               error_description",
        &format!("                              {words}"),
        "                              word word",
    ];
    assert_eq!(all[all.len() - last.len()..], last);
    for row in rows(&alone, 40) {
        assert!(width(row.trim_end()) < 40, "{row}");
    }
}

#[test]
fn failure_without_a_response_is_shown_in_full() {
    let all = rows(&trace(), 80);
    let at = all.iter().position(|row| row.contains("POST")).unwrap();
    assert!(
        all[at + 1].contains("as.example") && all[at + 1].ends_with("(0 ms)"),
        "{}",
        all[at + 1]
    );
}
