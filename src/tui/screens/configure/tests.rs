#![allow(clippy::unwrap_used, reason = "a test ends on what it did not expect")]

use super::*;
use crate::certificate::created::Created;
use crate::configure::report::{Finding, Report, State};
use crate::console::environment::Environment;
use crate::httpsys::certificates::StoreCertificate;
use crate::oauth::client::FlowKind;
use crate::tui::keys::Command;
use crate::tui::screen::AnyScreen;
use crate::tui::screen::Outbox;
use crate::tui::screen::testing::Solo;

const USER: &str = r"DOMAIN\alice";

/// Opened on this redirect URL; the first Verify is under way.
fn opened(windows: bool, redirect_url: &str) -> Solo<Configure> {
    let environment = Environment {
        windows,
        ..Environment::default()
    };
    let mut alone = Solo::new(environment, "custom", |_| Configure::new());
    alone.session.settings.set_flow(FlowKind::AuthorizationCode);
    let url = redirect_url.to_owned();
    alone.session.settings.set(Key::RedirectUrl, url);
    let out = alone.act(|screen, cx| Screen::entered(screen, Route::Configure, cx));
    assert!(matches!(out.effects.as_slice(), [Effect::SetUp(..)]));
    alone
}

/// What is under way came to this.
fn done(alone: &mut Solo<Configure>, report: Report) -> Outbox {
    let (_, number) = alone.session.set_up.as_ref().unwrap().busy.unwrap();
    let now = alone.console.now;
    let event = alone
        .session
        .set_up_done(number, report, Created::default(), now);
    alone.on_event(&event.unwrap())
}

fn told(out: &Outbox) -> &str {
    Solo::<Configure>::told(out)
}

#[test]
fn the_editor_follows_a_value_that_others_have_changed() {
    let mut alone = opened(true, "http://localhost:8400/");
    alone.go(Item::User);
    let report = Report {
        user: Some(USER.to_owned()),
        ..Report::default()
    };
    done(&mut alone, report);
    alone.type_text("x");
    assert_eq!(
        alone.session.set_up.as_ref().unwrap().user,
        format!("{USER}x")
    );
}

#[test]
fn one_action_at_a_time_and_what_came_of_it_is_told() {
    let mut alone = opened(true, "http://localhost:8400/");
    let busy = "Still at work on what was asked before.";
    assert_eq!(told(&alone.press(Item::Do(SetUpAction::Verify))), busy);
    assert_eq!(told(&done(&mut alone, Report::default())), "");
    alone.go(Item::User);
    alone.type_text("alice");
    let out = alone.press(Item::Do(SetUpAction::SetUp));
    assert!(
        matches!(out.effects.as_slice(), [Effect::SetUp(task, _)] if task.action == SetUpAction::SetUp)
    );
    let good = Report::of(vec![Finding::new(State::Done, "reserved")]);
    assert!(told(&done(&mut alone, good)).starts_with("Set up: done."));
    alone.press(Item::Do(SetUpAction::SetUp));
    let bad = Report::of(vec![Finding::new(State::Failed, "refused")]);
    assert!(told(&done(&mut alone, bad)).contains("not all was done"));
}

#[test]
fn a_deletion_is_asked_about_first() {
    let mut alone = opened(true, "http://localhost:8400/");
    done(&mut alone, Report::default());
    alone.press(Item::Do(SetUpAction::Delete));
    assert!(AnyScreen::has_dialog(&alone.screen));
    assert!(alone.keys(&[Command::Enter]).effects.is_empty());
    alone.press(Item::Do(SetUpAction::Delete));
    let out = alone.keys(&[Command::Next, Command::Enter]);
    assert!(
        matches!(out.effects.as_slice(), [Effect::SetUp(task, _)] if task.action == SetUpAction::Delete)
    );
}

#[test]
fn a_certificate_is_chosen_from_the_list() {
    let mut alone = opened(true, "https://localhost:8443/");
    let certificate = |digit: &str, subject: &str| StoreCertificate {
        subject: subject.to_owned(),
        thumbprint: digit.repeat(40).parse().unwrap(),
        names: vec!["localhost".to_owned()],
        expires: "2030-01-01".to_owned(),
        expired: false,
        has_key: true,
    };
    let report = Report {
        certificates: vec![certificate("a", "CN=one"), certificate("b", "CN=two")],
        ..Report::default()
    };
    done(&mut alone, report);
    alone.press(Item::CertificateList);
    alone.keys(&[Command::Next, Command::Enter]);
    assert_eq!(alone.screen.common.focus, Item::Thumbprint);
    assert_eq!(alone.screen.common.editor.text(), "b".repeat(40));
    assert_eq!(
        alone.session.set_up.as_ref().unwrap().thumbprint,
        "b".repeat(40)
    );
    // Enter goes on to what is missing, then to what can be done.
    alone.keys(&[Command::Enter]);
    assert_eq!(alone.screen.common.focus, Item::Do(SetUpAction::SetUp));
    alone.press(Item::User);
    assert_eq!(alone.screen.common.focus, Item::Do(SetUpAction::SetUp));
}

#[test]
fn the_url_without_set_up_is_taken_and_given_back() {
    let before = "http://localhost:8400/";
    let mut alone = opened(true, before);
    done(&mut alone, Report::default());
    let out = alone.press(Item::WithoutSetUp);
    assert!(told(&out).contains(WITHOUT_SET_UP));
    assert_eq!(
        alone.session.settings.value(Key::RedirectUrl),
        WITHOUT_SET_UP
    );
    assert_eq!(alone.screen.common.focus, Item::WithoutSetUp);
    done(&mut alone, Report::default());
    alone.press(Item::WithoutSetUp);
    assert_eq!(alone.session.settings.value(Key::RedirectUrl), before);
}

#[test]
fn commands_are_copied_and_back_leads_to_the_form() {
    let mut alone = opened(true, "http://localhost:8400/");
    done(&mut alone, Report::default());
    alone.go(Item::User);
    alone.type_text("alice");
    let out = alone.press(Item::CopyCommands);
    assert!(matches!(
        out.effects.as_slice(),
        [Effect::Copy(Content::Commands(_))]
    ));
    assert!(alone.press(Item::Help).help);
    assert_eq!(alone.press(Item::Back).navigation, Some(Navigation::Back));
    let elsewhere = opened(false, "http://localhost:8400/");
    assert_eq!(elsewhere.labels(), ["Verify", "Back", "Help"]);
}
