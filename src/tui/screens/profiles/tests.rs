#![allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]

use std::sync::Arc;

use super::*;
use crate::console::environment::Environment;
use crate::flow::tool_report::{Revoked, Verified};
use crate::form::field::Key;
use crate::form::settings::Settings;
use crate::oauth::tools::TokenKind;
use crate::presets::{self, CUSTOM};
use crate::profile::finding::{Finding, Forecast, Level};
use crate::profile::places::Places;
use crate::session::profiles::{self, Listed, Opened, ProfileReport, Standing};
use crate::tui::keys::Command;
use crate::tui::screen::testing::{Solo, settings, token_set};
use crate::tui::screen::{AnyScreen, Outbox};
use crate::tui::widgets::editor::Edit;

fn places() -> Places {
    Places::of_user("/c/profiles".into(), "/s/profiles".into())
}

fn place(name: &str) -> Place {
    places().new_place(&name.parse().unwrap(), false).unwrap()
}

fn listed(name: &str) -> Listed {
    Listed {
        place: place(name),
        preset: "Custom settings".to_owned(),
        user: None,
        standing: Standing::New,
        revocation: None,
        twin: None,
        store: None,
    }
}

fn hear(alone: &mut Solo<Profiles>, report: ProfileReport) -> Outbox {
    let event = alone.session.hear_profile(report, alone.console.now);
    alone.on_event(&event)
}

/// Returns the screen with these profiles.
fn profiles(names: &[&str]) -> Solo<Profiles> {
    let mut alone = Solo::new(Environment::default(), "demo", |_| Profiles::new());
    alone.session.profiles = profiles::Profiles::new(Some(places()), None, None);
    let out = alone.act(|screen, cx| Screen::entered(screen, Route::Profiles, cx));
    assert!(
        matches!(
            out.effects.as_slice(),
            [Effect::Profile(ProfileTask::List(_))]
        ),
        "{out:?}"
    );
    let all = names.iter().map(|name| listed(name)).collect();
    hear(&mut alone, ProfileReport::Listed(all));
    alone
}

fn row(name: &str) -> Item {
    Item::Row(name.to_owned())
}

fn opens(out: &Outbox) -> Option<(&str, Opening)> {
    match out.effects.as_slice() {
        [Effect::Profile(ProfileTask::Open(place, opening, _))] => {
            Some((place.name.as_str(), *opening))
        }
        _ => None,
    }
}

#[test]
fn screen_opens_before_loading_and_then_focuses_the_list() {
    let mut alone = Solo::new(Environment::default(), "demo", |_| Profiles::new());
    alone.session.profiles = profiles::Profiles::new(Some(places()), None, None);
    assert!(alone.text().contains("Reading the profiles"));
    assert_eq!(alone.labels(), ["Back", "Help"]);
    hear(
        &mut alone,
        ProfileReport::Listed(vec![listed("a"), listed("b")]),
    );
    assert_eq!(alone.screen.common.focus, row("a"));
    // After a reload, the focus stays.
    alone.go(row("b"));
    hear(
        &mut alone,
        ProfileReport::Listed(vec![listed("aa"), listed("b")]),
    );
    assert_eq!(alone.screen.common.focus, row("b"));
    // If the profile is gone, the focus moves to its neighbor.
    hear(&mut alone, ProfileReport::Listed(vec![listed("aa")]));
    assert_eq!(alone.screen.common.focus, row("aa"));
    assert_eq!(alone.screen.chosen, "aa");
    hear(&mut alone, ProfileReport::Listed(Vec::new()));
    assert!(alone.text().contains("There are no profiles yet."));
}

#[test]
fn enter_opens_and_a_authorizes_the_chosen_one() {
    let mut alone = profiles(&["a", "b"]);
    alone.go(row("b"));
    let out = alone.keys(&[Command::Enter]);
    assert_eq!(opens(&out), Some(("b", Opening::Form)));
    let out = alone.press(Item::Open);
    assert_eq!(opens(&out), Some(("b", Opening::Form)));
    let out = alone.keys(&[Command::Letter('a')]);
    assert_eq!(opens(&out), Some(("b", Opening::Authorize)));
    // A sign-in in progress is not interrupted.
    let _ = alone.session.authorize().unwrap();
    let out = alone.press(Item::Open);
    assert!(out.effects.is_empty());
    assert!(Solo::<Profiles>::told(&out).contains("A sign-in is in progress"));
}

#[test]
fn opening_a_profile_asks_before_discarding_changes() {
    let mut alone = profiles(&["a", "b"]);
    open(&mut alone, "a", settings("demo"));
    assert_eq!(alone.session.profile().unwrap().as_str(), "a");
    alone.go(row("b"));
    assert!(opens(&alone.keys(&[Command::Enter])).is_some());
    // With an unsaved change.
    alone
        .session
        .settings
        .set(Key::ClientId, "other".to_owned());
    assert!(alone.session.has_unsaved_changes());
    assert!(alone.keys(&[Command::Enter]).effects.is_empty());
    assert!(AnyScreen::has_dialog(&alone.screen));
    assert!(alone.keys(&[Command::Enter]).effects.is_empty());
    alone.keys(&[Command::Enter]);
    let out = alone.keys(&[Command::Letter('y')]);
    assert_eq!(opens(&out), Some(("b", Opening::Form)));
    alone.keys(&[Command::Letter('a')]);
    assert!(AnyScreen::has_dialog(&alone.screen));
    let out = alone.keys(&[Command::Letter('y')]);
    assert_eq!(opens(&out), Some(("b", Opening::Authorize)));
    // With tokens that the user has not saved.
    alone.session.settings.set(Key::ClientId, "me".to_owned());
    assert!(!alone.session.has_unsaved_changes());
    let _ = alone.session.authorize().unwrap();
    alone.hear(crate::flow::event::FlowEvent::Tokens(Box::new(token_set(
        "x",
    ))));
    alone.keys(&[Command::Letter('a')]);
    assert!(AnyScreen::has_dialog(&alone.screen));
}

fn open(alone: &mut Solo<Profiles>, name: &str, settings: Settings) {
    let opened = Opened {
        place: place(name),
        mail: Vec::new(),
        settings,
        tokens: None,
        notice: None,
    };
    let opened = ProfileReport::Opened(Ok(Box::new(opened)), Opening::Form);
    hear(alone, opened);
}

#[test]
fn opening_a_profile_keeps_entered_values_or_asks_first() {
    let of_custom = || Settings::new(presets::get(CUSTOM).unwrap());
    let opens_at_once = |form: Settings| {
        let mut alone = profiles(&["a"]);
        *alone.session.settings = form;
        alone.go(row("a"));
        let at_once = opens(&alone.keys(&[Command::Enter])).is_some();
        assert_ne!(at_once, AnyScreen::has_dialog(&alone.screen));
        at_once
    };
    assert!(opens_at_once(of_custom()));
    for key in [Key::ClientId, Key::ClientSecret, Key::TokenUrl, Key::Scope] {
        let mut form = of_custom();
        form.set(key, "x".to_owned());
        assert!(!opens_at_once(form), "{key:?}");
    }
    // Values of another preset are there again when it is selected.
    let mut alone = profiles(&["a"]);
    *alone.session.settings = settings("github");
    alone.go(row("a"));
    assert!(opens(&alone.keys(&[Command::Enter])).is_some());
    open(&mut alone, "a", of_custom());
    assert_eq!(alone.session.settings.value(Key::ClientId), "");
    let github = settings("github");
    alone.session.settings.choose(Arc::clone(github.preset()));
    assert_eq!(alone.session.settings.value(Key::ClientId), "me");
    assert_eq!(
        alone.session.settings.secret().expose_secret(),
        github.secret().expose_secret()
    );
}

#[test]
fn list_is_read_again_after_a_profile_is_gone() {
    let mut alone = profiles(&["a"]);
    let gone = ProfileReport::Opened(Err("a.toml does not exist.".to_owned()), Opening::Form);
    let out = hear(&mut alone, gone);
    assert!(matches!(
        out.effects.as_slice(),
        [Effect::Profile(ProfileTask::List(_))]
    ));
}

#[test]
fn delete_and_enter_keys_do_not_confirm_a_deletion() {
    let mut alone = profiles(&["a"]);
    for keys in [
        &[Command::Delete, Command::Enter][..],
        &[Command::Delete, Command::Delete],
    ] {
        assert!(alone.keys(keys).effects.is_empty());
        alone.keys(&[Command::Escape]);
        alone.go(row("a"));
    }
    let out = alone.keys(&[Command::Delete, Command::Letter('y')]);
    assert!(
        matches!(out.effects.as_slice(), [Effect::Profile(ProfileTask::Delete { place, revoke: false })] if place.name.is("a")),
        "{out:?}"
    );
}

#[test]
fn deleting_a_profile_does_not_revoke_shared_tokens() {
    let mut alone = profiles(&[]);
    let one = |name: &str, twin: &str| Listed {
        revocation: Some(Ok(())),
        twin: Some(twin.to_owned()),
        ..listed(name)
    };
    let all = vec![one("a", "b"), one("b", "a")];
    hear(&mut alone, ProfileReport::Listed(all));
    alone.go(row("a"));
    let out = alone.keys(&[Command::Delete, Command::Letter('y')]);
    assert!(
        matches!(
            out.effects.as_slice(),
            [Effect::Profile(ProfileTask::Delete { revoke: false, .. })]
        ),
        "{out:?}"
    );
}

#[test]
fn deletion_reports_whether_tokens_were_revoked() {
    let mut alone = profiles(&["a"]);
    let mut said = |revoked: Vec<Revoked>| {
        let report = ProfileReport::Deleted(place("a"), Ok(revoked));
        match alone.session.hear_profile(report, alone.console.now) {
            SessionEvent::Profile(ProfileNews::Done(_, text)) => Some(text),
            _ => None,
        }
    };
    assert_eq!(said(Vec::new()).unwrap(), "the profile \"a\".");
    let revoked = Revoked {
        kind: TokenKind::Refresh,
        outcome: Ok(Verified::Inactive),
    };
    let text = said(vec![revoked]).unwrap();
    assert_eq!(text, "the profile \"a\". Its tokens were revoked.");
}

#[test]
fn rename_asks_again_for_an_invalid_or_taken_name() {
    let mut alone = profiles(&["a", "taken"]);
    alone.act(|screen, cx| screen.activate(Item::Rename, cx));
    alone.type_text("/b");
    assert!(alone.keys(&[Command::Enter]).effects.is_empty());
    assert!(AnyScreen::has_dialog(&alone.screen));
    alone.keys(&[Command::Edit(Edit::DeleteToStart)]);
    alone.type_text("Taken");
    assert!(alone.keys(&[Command::Enter]).effects.is_empty());
    assert!(AnyScreen::has_dialog(&alone.screen));
    alone.keys(&[Command::Edit(Edit::DeleteToStart)]);
    alone.type_text("b");
    let out = alone.keys(&[Command::Enter]);
    assert!(
        matches!(out.effects.as_slice(), [Effect::Profile(ProfileTask::Rename(from, to, _))]
            if from.name.is("a") && to.is("b")),
        "{out:?}"
    );
    // The focus follows the renamed profile.
    hear(
        &mut alone,
        ProfileReport::Listed(vec![listed("aa"), listed("b")]),
    );
    assert_eq!(alone.screen.chosen, "b");
}

#[test]
fn profile_can_be_found_by_typing() {
    let names: Vec<String> = (0..20).map(|at| format!("box-{at}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut alone = profiles(&names[..8]);
    assert!(!alone.labels().contains(&"Find".to_owned()));
    alone = profiles(&names);
    alone.keys(&[Command::Letter('/')]);
    alone.type_text("x-17");
    alone.keys(&[Command::Enter]);
    assert_eq!(alone.screen.common.focus, row("box-17"));
    let out = alone.act(|screen, cx| screen.activate(Item::CopyCommand, cx));
    assert!(
        matches!(out.effects.as_slice(), [Effect::Copy(Content::Text(_, text))]
            if text == "oauth-authorizer token box-17"),
        "{out:?}"
    );
}

#[test]
fn check_dialog_shows_findings_and_fixes() {
    let mut alone = profiles(&["a", "b"]);
    alone.go(row("b"));
    let out = alone.keys(&[Command::Letter('k')]);
    assert!(
        matches!(out.effects.as_slice(), [Effect::Profile(ProfileTask::Check(place))] if place.name.is("b")),
        "{out:?}"
    );
    let finding = Finding {
        level: Level::Soon,
        id: "refresh-token-expires",
        at: None,
        text: "The refresh token expires on 2026-12-12 (in 16 days).".to_owned(),
        fix: Some("Sign in: oauth-authorizer --profile b".to_owned()),
    };
    let shown = |alone: &mut Solo<Profiles>, findings: Vec<Finding>| {
        let forecast = Forecast {
            summary: Some("access token valid for 41 minutes".to_owned()),
            findings,
        };
        hear(alone, ProfileReport::Checked(place("b"), forecast));
        assert!(AnyScreen::has_dialog(&alone.screen));
        let id = alone.screen.common.dialog.as_ref().unwrap().id.clone();
        let reading = Screen::reading(&alone.screen, &id, 76, alone.view());
        assert_eq!(reading.title, "Check of the profile \"b\"");
        let lines = reading.lines.iter().map(ToString::to_string);
        let lines: Vec<String> = lines.collect();
        alone.keys(&[Command::Escape]);
        lines
    };
    assert_eq!(
        shown(&mut alone, vec![finding]),
        [
            "ok      access token valid for 41 minutes",
            "soon    The refresh token expires on 2026-12-12 (in 16 days).",
            "fix     Sign in: oauth-authorizer --profile b",
        ]
    );
    assert_eq!(
        shown(&mut alone, Vec::new()).last().unwrap(),
        "Nothing will break within 30 days, as far as is known."
    );
}

#[test]
fn button_hints_name_the_profile() {
    let mut alone = profiles(&["a", "b"]);
    alone.go(row("b"));
    for item in [
        Item::Open,
        Item::Authorize,
        Item::Check,
        Item::MailTest,
        Item::Delete,
    ] {
        alone.go(item.clone());
        let hint = &alone.body(80, 24).hint[0];
        assert!(hint.text.contains("\"b\""), "{item:?}: {hint:?}");
    }
}
