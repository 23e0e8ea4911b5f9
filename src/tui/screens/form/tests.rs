#![allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]

use super::*;
use crate::certificate::store_path::StorePath;
use crate::console::environment::Environment;
use crate::flow::event::{FlowError, FlowEvent};
use crate::flow::store_key::ListedKey;
use crate::form::choices::AuthenticationChoice;
use crate::httpsys::certificates::StoreCertificate;
use crate::oauth::failure::Failure;
use crate::oauth::flow_kind::FlowKind;
use crate::presets::files::PresetFile;
use crate::presets::library::built_in;
use crate::presets::{CUSTOM, Library};
use crate::tui::keys::Command;
use crate::tui::screen::testing::{Solo, token_set};
use crate::tui::screen::{AnyScreen, Outbox, Place};
use crate::tui::widgets::editor::Edit;

/// Returns the form with complete settings of this preset.
fn form(preset: &str) -> Solo<Form> {
    Solo::new(Environment::default(), preset, Form::new)
}

/// Returns the form with Custom settings and an issuer.
fn custom() -> Solo<Form> {
    let mut alone = form(CUSTOM);
    alone.screen.advanced = true;
    alone.go(Item::Field(Key::Issuer));
    alone.type_text("https://as.example");
    alone
}

fn told(out: &Outbox) -> &str {
    Solo::<Form>::told(out)
}

fn starts(out: &Outbox) -> bool {
    matches!(out.effects.as_slice(), [Effect::Start(_)])
}

#[test]
fn typed_text_is_stored_and_enter_finds_missing_fields() {
    let mut alone = form("demo");
    assert_eq!(alone.screen.common.focus, Item::Authorize);
    alone.session.settings.set(Key::ClientId, String::new());
    alone.go(Item::Field(Key::Scope));
    alone.type_text(" x");
    assert!(alone.session.settings.value(Key::Scope).ends_with(" x"));
    alone.keys(&[Command::Enter]);
    assert_eq!(alone.screen.common.focus, Item::Field(Key::ClientId));
    // Pressing Enter there shows why the focus stays.
    let says = |alone: &Solo<Form>| {
        let said = alone.body(80, 24).hint;
        said.iter()
            .any(|said| said.text.starts_with("The Client ID is missing."))
    };
    assert!(!says(&alone));
    alone.keys(&[Command::Enter]);
    assert!(says(&alone));
    // An incomplete form starts nothing, and shows what is missing.
    let out = alone.press(Item::Authorize);
    assert!(out.effects.is_empty());
    let missing = Route::Form(FormTarget::Missing);
    assert_eq!(out.navigation, Some(Navigation::Open(missing)));
    let out = alone.act(|screen, cx| Screen::entered(screen, missing, cx));
    // The hint shows the fix, which a message would hide.
    assert_eq!(told(&out), "");
    let said = alone.body(80, 24).hint;
    assert!(said[0].text.contains("missing"), "{said:?}");
    assert_eq!(said[0].label, "Problem");
}

#[test]
fn buttons_start_actions_or_open_screens() {
    let mut alone = form("demo");
    for absent in ["Tokens", "Trace"] {
        assert!(!alone.labels().contains(&absent.to_owned()));
    }
    let out = alone.press(Item::Authorize);
    assert!(starts(&out));
    assert_eq!(out.navigation, Some(Navigation::Open(Route::SignIn)));
    alone.hear(FlowEvent::Tokens(Box::new(token_set("first"))));
    let tokens = Navigation::Open(Route::Tokens);
    assert_eq!(alone.press(Item::Tokens).navigation, Some(tokens));
    assert!(alone.press(Item::Help).help);
    assert!(alone.press(Item::Quit).quit);
    alone.press(Item::Info);
    assert!(AnyScreen::has_dialog(&alone.screen));
    alone.keys(&[Command::Escape]);
    // Configure… needs the redirect URL.
    alone.session.settings.set_flow(FlowKind::AuthorizationCode);
    alone.session.settings.set(Key::RedirectUrl, String::new());
    assert!(told(&alone.press(Item::Configure)).contains("Enter the redirect URL first"));
    assert_eq!(alone.screen.common.focus, Item::Field(Key::RedirectUrl));
    alone.type_text("http://localhost:8400/");
    let configure = Navigation::Open(Route::Configure);
    assert_eq!(alone.press(Item::Configure).navigation, Some(configure));
}

#[test]
fn value_replaced_from_a_list_can_be_undone() {
    let mut alone = form("microsoft-mail");
    let place = (0..9).find(|place| {
        let variables = &alone.session.settings.preset().variables;
        let variable = variables.get(*place);
        variable.is_some_and(|variable| !variable.choices.is_empty())
    });
    let place = place.unwrap();
    alone.go(Item::Field(Key::Var(place)));
    alone.keys(&[Command::Edit(Edit::DeleteToStart)]);
    alone.type_text("my-tenant");
    alone.press(Item::Choices(place));
    alone.keys(&[Command::Previous, Command::Enter]);
    let value = |alone: &Solo<Form>| alone.session.settings.value(Key::Var(place));
    assert_ne!(value(&alone), "my-tenant");
    alone.keys(&[Command::Edit(Edit::Undo)]);
    assert_eq!(value(&alone), "my-tenant");
    assert_eq!(alone.screen.common.editor.text(), "my-tenant");
}

#[test]
fn choices_are_changed_in_both_directions() {
    let mut alone = custom();
    alone.go(Item::Field(Key::Flow));
    let before = alone.session.settings.flow();
    alone.keys(&[Command::Toggle]);
    assert_ne!(alone.session.settings.flow(), before);
    alone.session.settings.set_flow(FlowKind::AuthorizationCode);
    alone.go(Item::Field(Key::Pkce));
    alone.keys(&[Command::ChangeRight]);
    assert!(!alone.session.settings.pkce());
    alone.go(Item::Field(Key::ClientAuthentication));
    for expected in [
        AuthenticationChoice::MutualTls,
        AuthenticationChoice::KeyJwt,
        AuthenticationChoice::SecretJwt,
        AuthenticationChoice::Basic,
        AuthenticationChoice::Post,
        AuthenticationChoice::Automatic,
    ] {
        alone.keys(&[Command::ChangeLeft]);
        assert_eq!(alone.session.settings.authentication(), expected);
    }
    alone.keys(&[Command::ChangeRight]);
    let choice = alone.session.settings.authentication();
    assert_eq!(choice, AuthenticationChoice::Post);
}

#[test]
fn secret_is_hidden_unless_revealed() {
    let mut alone = custom();
    alone
        .session
        .settings
        .set(Key::ClientSecret, "s3cret".to_owned());
    assert!(!alone.text().contains("s3cret"));
    alone.keys(&[Command::Reveal]);
    assert!(alone.text().contains("s3cret"));
    alone.keys(&[Command::Reveal]);
    assert!(!alone.text().contains("s3cret"));
}

#[test]
fn advanced_section_hides_its_items_when_folded() {
    let mut alone = form(CUSTOM);
    let issuer = |alone: &Solo<Form>| alone.labels().contains(&"Issuer".to_owned());
    assert!(!issuer(&alone));
    alone.press(Item::Advanced);
    assert!(issuer(&alone));
    alone.press(Item::Advanced);
    assert!(!issuer(&alone));
}

#[test]
fn typed_email_address_selects_preset_and_login_hint() {
    let mut alone = form(CUSTOM);
    alone.press(Item::Field(Key::Preset));
    alone.type_text("alice@gmail.com");
    alone.keys(&[Command::Enter]);
    assert_eq!(alone.session.settings.preset().id, "google-mail");
    let hint = alone.session.settings.value(Key::LoginHint);
    assert_eq!(hint, "alice@gmail.com");
    // The demo has its own server.
    alone.press(Item::Field(Key::Preset));
    alone.type_text("demo");
    let effects = alone.keys(&[Command::Enter]).effects;
    assert!(matches!(effects.as_slice(), [Effect::StartDemo]));
}

#[test]
fn preset_list_keeps_its_selection_after_a_reload() {
    let mut alone = form(CUSTOM);
    alone.press(Item::Field(Key::Preset));
    alone.keys(&[Command::Next, Command::Next, Command::Next]);
    // The selected entry, by the name of the preset that Enter chooses.
    let third = alone.session.library.all().unwrap()[3].clone();
    let text = built_in(&third.id).unwrap();
    let text = text.replacen(&format!("id = \"{}\"", third.id), "id = \"aaa\"", 1);
    let text = text.replacen(&format!("name = \"{}\"", third.name), "name = \"AAA\"", 1);
    let own = PresetFile {
        path: "aaa.toml".into(),
        text: Ok(text),
    };
    let library = Library::new(vec![own], Vec::new());
    assert!(library.left_out().is_empty());
    let event = alone.session.take_presets(library);
    alone.on_event(&event);
    alone.keys(&[Command::Enter]);
    assert_eq!(alone.session.settings.preset().id, third.id);
}

#[test]
fn scopes_are_ticked_in_their_list() {
    let mut alone = form("google-mail");
    let before = alone.session.settings.scopes();
    alone.press(Item::ScopeList);
    alone.keys(&[Command::Next, Command::Toggle]);
    assert_ne!(alone.session.settings.scopes(), before);
    alone.keys(&[Command::Toggle, Command::Escape]);
    assert!(!AnyScreen::has_dialog(&alone.screen));
}

#[test]
fn a_paste_on_the_preset_searches_for_it() {
    for pasted in ["gmail", " bob@gmail.com\n"] {
        let mut alone = form(CUSTOM);
        alone.go(Item::Field(Key::Preset));
        alone.act(|screen, cx| AnyScreen::paste(screen, pasted, cx));
        assert!(AnyScreen::has_dialog(&alone.screen));
        alone.keys(&[Command::Enter]);
        assert_eq!(
            alone.session.settings.preset().id,
            "google-mail",
            "{pasted}"
        );
    }
}

#[test]
fn unlisted_scopes_are_counted_separately() {
    let mut alone = form("microsoft-mail");
    let note = |alone: &Solo<Form>| scopes(alone.view()).note;
    assert!(note(&alone).contains("selected. Custom"));
    let listed = note(&alone).split(' ').next().unwrap().to_owned();
    alone.go(Item::Field(Key::Scope));
    alone.type_text(" my.own");
    let text = note(&alone);
    assert!(text.starts_with(&format!("{listed} of ")), "{text}");
    assert!(
        text.contains("selected, and 1 in the field only."),
        "{text}"
    );
}

#[test]
fn variable_list_starts_at_the_current_value() {
    let mut alone = form("microsoft-mail");
    let first = alone.session.settings.value(Key::Var(0));
    assert_eq!(choice(alone.view(), 0), first);
    alone.go(Item::Field(Key::Var(0)));
    alone.keys(&[Command::Edit(Edit::DeleteToStart)]);
    alone.type_text("contoso.example");
    // A look at the list changes nothing.
    alone.press(Item::Choices(0));
    alone.keys(&[Command::Enter]);
    assert_eq!(alone.session.settings.value(Key::Var(0)), "contoso.example");
}

#[test]
fn fix_key_fixes_a_problem_from_any_field() {
    let wrong = |alone: &mut Solo<Form>| {
        alone.session.settings.set_flow(FlowKind::AuthorizationCode);
        alone.go(Item::Field(Key::Scope));
        alone.keys(&[Command::Edit(Edit::DeleteToStart)]);
        alone.type_text("https://graph.microsoft.com/SMTP.Send");
    };
    let mut alone = form("microsoft-mail");
    wrong(&mut alone);
    let typed = alone.session.settings.value(Key::Scope);
    let out = alone.keys(&[Command::Fix]);
    assert!(!told(&out).is_empty(), "{out:?}");
    let fixed = alone.session.settings.value(Key::Scope);
    assert_ne!(fixed, typed);
    wrong(&mut alone);
    alone.go(Item::Authorize);
    alone.keys(&[Command::Fix]);
    assert_eq!(alone.session.settings.value(Key::Scope), fixed);
    // The editor contains the new text.
    assert_eq!(alone.screen.common.focus, Item::Field(Key::Scope));
    assert_eq!(alone.screen.common.editor.text(), fixed);
    alone.keys(&[Command::Edit(Edit::Undo)]);
    assert_eq!(alone.session.settings.value(Key::Scope), typed);
}

#[test]
fn discovery_requires_an_issuer_and_reports_its_outcome() {
    let mut alone = form(CUSTOM);
    assert!(told(&alone.press(Item::Discover)).contains("issuer URL"));
    assert_eq!(alone.screen.common.focus, Item::Field(Key::Issuer));
    // An email address finds the preset of its service.
    alone.type_text("alice@gmail.com");
    alone.press(Item::Discover);
    assert!(AnyScreen::has_dialog(&alone.screen));
    let mut alone = custom();
    let out = alone.press(Item::Discover);
    assert!(starts(&out) && told(&out).contains("metadata"));
    let failure = FlowEvent::Failed(FlowError::Protocol(Failure::Expired));
    assert!(!told(&alone.hear(failure)).is_empty());
    // Choosing another preset, which is about another service, cancels the discovery.
    alone.press(Item::Discover);
    alone.press(Item::Field(Key::Preset));
    alone.type_text("demo");
    let effects = alone.keys(&[Command::Enter]).effects;
    assert!(
        matches!(effects.as_slice(), [Effect::Cancel, Effect::StartDemo]),
        "{effects:?}"
    );
}

#[test]
fn unfocused_form_shows_no_cursor() {
    let alone = custom();
    let rows = |focused| {
        let cx = ViewContext {
            focused,
            ..alone.view()
        };
        let body = Screen::body(&alone.screen, cx, Rect::new(0, 2, 80, 24), 80);
        body.rows
            .into_iter()
            .filter(|row| row.cursor.is_some())
            .count()
    };
    assert_eq!(rows(true), 1);
    assert_eq!(rows(false), 0);
}

#[test]
fn error_in_a_locked_field_focuses_the_preset() {
    let mut alone = form("google-mail");
    let route = Route::Form(FormTarget::Field(Key::TokenUrl));
    let out = alone.act(|screen, cx| Screen::entered(screen, route, cx));
    assert_eq!(alone.screen.common.focus, Item::Field(Key::Preset));
    assert!(told(&out).contains("is set by the preset"));
    let route = Route::Form(FormTarget::Field(Key::ClientId));
    alone.act(|screen, cx| Screen::entered(screen, route, cx));
    assert_eq!(alone.screen.common.focus, Item::Field(Key::ClientId));
}

#[test]
fn store_certificate_can_be_chosen_as_client_key() {
    let windows = Environment {
        windows: true,
        ..Environment::default()
    };
    let mut alone = Solo::new(windows, CUSTOM, Form::new);
    alone.screen.advanced = true;
    alone.session.settings.set_flow(FlowKind::ClientCredentials);
    let hash = "01".repeat(20);
    let listed = ListedKey {
        path: StorePath::of_thumbprint(&hash).unwrap(),
        certificate: StoreCertificate {
            subject: "CN=mailsync".to_owned(),
            names: Vec::new(),
            starts: "2026-03-01".to_owned(),
            early: false,
            expires: "2027-03-01".to_owned(),
            expired: false,
            for_servers: false,
            thumbprint: hash.parse().unwrap(),
            has_key: true,
        },
    };
    let event = SessionEvent::StoreKeys(Ok(vec![listed]));
    // The user is not waiting for the list.
    alone.act(|screen, cx| Screen::on_event(screen, &event, cx));
    assert!(alone.screen.common.dialog.is_none());
    let out = alone.press(Item::KeyList);
    assert!(matches!(out.effects.as_slice(), [Effect::ListStoreKeys]));
    alone.act(|screen, cx| Screen::on_event(screen, &event, cx));
    alone.keys(&[Command::Enter]);
    assert_eq!(alone.screen.common.focus, Item::Field(Key::ClientKey));
    let chosen = alone.session.settings.value(Key::ClientKey);
    assert_eq!(chosen, format!(r"Cert:\LocalMachine\My\{hash}"));
    alone.go(Item::KeyList);
    let failed = SessionEvent::StoreKeys(Err("It can't be read.".to_owned()));
    let out = alone.act(|screen, cx| Screen::on_event(screen, &failed, cx));
    assert_eq!(told(&out), "It can't be read.");
    // On other systems there is no such list.
    let mut elsewhere = form(CUSTOM);
    elsewhere.screen.advanced = true;
    assert!(!elsewhere.labels().contains(&"List".to_owned()));
}

#[test]
fn a_small_window_shows_only_the_buttons_of_the_focused_row() {
    let mut alone = custom();
    alone.console.size = (40, 10);
    let shows_fold = |alone: &Solo<Form>| {
        let items = AnyScreen::items(&alone.screen, alone.view());
        let is_fold = |label: &str| ["Show", "Hide"].contains(&label);
        let mut placed = items.iter().filter(|item| is_fold(&item.label));
        placed.any(|item| matches!(item.place, Place::Row(_)))
    };
    alone.go(Item::Field(Key::TokenUrl));
    assert!(!shows_fold(&alone));
    alone.go(Item::Advanced);
    assert!(shows_fold(&alone));
}

#[test]
fn hint_offers_the_approve_key_only_for_the_demo() {
    let mut alone = form("demo");
    alone.go(Item::Authorize);
    let hint = &alone.body(80, 24).hint[0];
    assert!(hint.text.contains("Press y to approve it"), "{hint:?}");
    let mut other = form("microsoft-mail");
    other.go(Item::Authorize);
    let hint = &other.body(80, 24).hint[0];
    assert!(hint.text.contains("in any browser"), "{hint:?}");
}
