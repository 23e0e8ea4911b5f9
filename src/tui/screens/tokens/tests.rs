#![allow(clippy::unwrap_used, reason = "a test ends on what it did not expect")]

use super::*;
use crate::console::environment::Environment;
use crate::flow::event::{FlowError, FlowEvent};
use crate::oauth::client::FlowKind;
use crate::oauth::failure::Failure;
use crate::secret::ExposeSecret;
use crate::tui::keys::Command;
use crate::tui::screen::AnyScreen;
use crate::tui::screen::testing::{Solo, token_set};

fn tokens() -> Solo<Tokens> {
    let mut alone = Solo::new(Environment::default(), "demo", |_| Tokens::new());
    alone.authorize(FlowKind::DeviceCode);
    alone.hear(FlowEvent::Tokens(Box::new(token_set("first"))));
    alone
}

/// What a button copies, in plain text.
fn copied(alone: &mut Solo<Tokens>, item: Item) -> String {
    match alone.press(item).effects.as_slice() {
        [Effect::Copy(content)] => {
            let text = content.text(&alone.session).unwrap();
            text.expose_secret().to_owned()
        }
        effects => format!("{effects:?}"),
    }
}

#[test]
fn the_buttons_act_on_the_chosen_value() {
    let mut alone = tokens();
    assert_eq!(copied(&mut alone, Item::Copy), "first-access");
    alone.go(Item::Value(Value::Refresh));
    assert_eq!(copied(&mut alone, Item::Copy), "first-refresh");
    assert_eq!(
        copied(&mut alone, Item::CopyHeader),
        "Authorization: Bearer first-access"
    );
    assert!(copied(&mut alone, Item::CopyJson).contains(r#""refresh_token":"first-refresh""#));
    let alone_view = alone.press(Item::PlainView).alone;
    assert!(matches!(
        alone_view,
        Some(Content::Token(Value::Refresh, _))
    ));
}

#[test]
fn a_value_is_shown_until_another_is_chosen() {
    let mut alone = tokens();
    assert!(!alone.text().contains("first-access"));
    alone.press(Item::Value(Value::Access));
    assert!(alone.text().contains("first-access"));
    alone.press(Item::Reveal);
    assert!(!alone.text().contains("first-access"));
    alone.press(Item::Reveal);
    alone.go(Item::Value(Value::Refresh));
    assert!(!alone.text().contains("first-"));
}

#[test]
fn the_chosen_value_or_all_of_them_are_saved() {
    let mut alone = tokens();
    let mut saved = |keys: &[Command]| {
        alone.press(Item::Save);
        match alone.keys(keys).effects.pop() {
            Some(Effect::Save(content, path)) => (content.name(), path),
            other => ("", format!("{other:?}")),
        }
    };
    let token = (
        "access token",
        "oauth-authorizer-access-token.txt".to_owned(),
    );
    let json = ("JSON", "oauth-authorizer-tokens.json".to_owned());
    assert_eq!(saved(&[Command::Enter]), token);
    assert_eq!(saved(&[Command::Next, Command::Enter]), json);
    assert_eq!(
        saved(&[Command::Next, Command::Next, Command::Enter]),
        token
    );
    // A name that was typed stays.
    alone.press(Item::Save);
    alone.type_text("x");
    alone.keys(&[Command::Next]);
    let effects = alone.keys(&[Command::Enter]).effects;
    assert!(
        matches!(effects.as_slice(), [Effect::Save(Content::Json(_), path)] if path.ends_with("token.txtx")),
        "{effects:?}"
    );
}

#[test]
fn a_refresh_can_be_cancelled_and_the_focus_follows_its_button() {
    let mut alone = tokens();
    let out = alone.press(Item::Refresh);
    assert!(matches!(out.effects.as_slice(), [Effect::Start(_)]));
    assert_eq!(alone.screen.common.focus, Item::Cancel);
    let out = alone.press(Item::Cancel);
    assert!(matches!(out.effects.as_slice(), [Effect::Cancel]));
    assert!(Solo::<Tokens>::told(&out).contains("may have replaced the refresh token"));
    assert_eq!(alone.screen.common.focus, Item::Refresh);
    // It ends by itself.
    alone.press(Item::Refresh);
    alone.hear(FlowEvent::Failed(FlowError::Protocol(Failure::Expired)));
    assert_eq!(alone.screen.common.focus, Item::Refresh);
    alone.press(Item::Refresh);
    alone.hear(FlowEvent::Tokens(Box::new(token_set("second"))));
    assert_eq!(alone.screen.common.focus, Item::Refresh);
    assert_eq!(copied(&mut alone, Item::Copy), "second-access");
}

#[test]
fn a_value_that_the_new_tokens_lack_is_no_longer_chosen() {
    let mut alone = tokens();
    alone.press(Item::Value(Value::Refresh));
    alone.press(Item::Refresh);
    let mut set = token_set("second");
    set.refresh_token = None;
    alone.hear(FlowEvent::Tokens(Box::new(set)));
    assert_eq!(copied(&mut alone, Item::Copy), "second-access");
    assert!(!alone.text().contains("second-access"));
    assert!(!alone.labels().contains(&"Refresh".to_owned()));
}

#[test]
fn others_are_named_by_their_route() {
    let mut alone = tokens();
    let form = Navigation::Open(Route::Form(FormTarget::Authorize));
    assert_eq!(alone.press(Item::Settings).navigation, Some(form));
    let trace = Navigation::Open(Route::Trace);
    assert_eq!(alone.press(Item::Trace).navigation, Some(trace));
    assert!(alone.press(Item::Help).help);
    assert!(!AnyScreen::has_dialog(&alone.screen));
}
