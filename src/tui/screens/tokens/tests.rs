#![allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::*;
use crate::console::environment::Environment;
use crate::flow::event::{FlowError, FlowEvent};
use crate::flow::tool_report::{self, Revoked, Told, Verified};
use crate::form::field::Key;
use crate::mail::server::Protocol;
use crate::oauth::check::{Check, CheckName, Outcome};
use crate::oauth::failure::Failure;
use crate::oauth::flow_kind::FlowKind;
use crate::oauth::token::TokenSet;
use crate::oauth::tools::{TokenKind, Tool};
use crate::secret::ExposeSecret;
use crate::session::Taken;
use crate::session::clock::Moment;
use crate::tui::keys::Command;
use crate::tui::screen::AnyScreen;
use crate::tui::screen::testing::{Solo, token_set};

const ACCESS: Item = Item::Line(Line::Token(Value::Access));
const REFRESH: Item = Item::Line(Line::Token(Value::Refresh));

/// When the tokens of the tests arrive: 2026-11-26 12:01:07.
const CAME: i64 = 1_795_694_467;

fn moment(after: u64) -> Moment {
    let seconds = i64::try_from(after).unwrap();
    Moment {
        up: Duration::from_secs(after),
        local: jiff::civil::date(2026, 11, 26).at(12, 1, 7, 0)
            + jiff::SignedDuration::from_secs(seconds),
        unix: CAME + seconds,
    }
}

fn with(preset: &str, set: TokenSet) -> Solo<Tokens> {
    let environment = Environment {
        utf8: true,
        ..Environment::default()
    };
    let mut alone = Solo::new(environment, preset, |_| Tokens::new());
    alone.console.now = moment(0);
    alone.authorize(FlowKind::DeviceCode);
    alone.hear(FlowEvent::Tokens(Box::new(set)));
    alone
}

fn tokens() -> Solo<Tokens> {
    with("demo", token_set("first"))
}

fn jwt(claims: &serde_json::Value) -> String {
    format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

/// Returns tokens like those of Microsoft 365.
fn of_mail() -> TokenSet {
    let id = json!({
        "aud": "me", "email": "alice@contoso.example", "exp": CAME + 3600, "iat": CAME, "iss": "https://as.example",
    });
    TokenSet {
        access_token: format!("eyJ0eXAiOiJK{}9fQx3w", "x".repeat(1183)).into(),
        expires_in: Some(3600),
        refresh_token: Some(format!("0.AXYAwq3-Ti{}kT9_vA", "y".repeat(948)).into()),
        id_token: Some(jwt(&id).into()),
        ..token_set("mail")
    }
}

/// Presses a button, and returns the text that it copies.
fn copied(alone: &mut Solo<Tokens>, item: Item) -> String {
    let out = alone.press(item);
    text_of(alone, &out.effects)
}

/// Presses a button under More, and returns the text that it copies.
fn copied_from_more(alone: &mut Solo<Tokens>, label: &str) -> String {
    let out = alone.act(|screen, cx| AnyScreen::press(screen, label, cx));
    text_of(alone, &out.effects)
}

fn text_of(alone: &Solo<Tokens>, effects: &[Effect]) -> String {
    match effects {
        [Effect::Copy(content)] => {
            let text = content.text(&alone.session).unwrap();
            text.expose_secret().to_owned()
        }
        effects => format!("{effects:?}"),
    }
}

/// Returns the row with this label, without trailing spaces.
fn row(alone: &Solo<Tokens>, label: &str) -> String {
    let text = alone.text();
    let mut rows = text.lines().map(|row| row.trim_start_matches([' ', '▸']));
    let found = rows.find(|row| row.starts_with(label));
    found.unwrap_or_default().trim_end().to_owned()
}

/// Returns the label and text of the message about the focused item.
fn said(alone: &Solo<Tokens>) -> Vec<(String, String)> {
    let said = alone.body(80, 24).hint.into_iter();
    said.map(|said| (said.label.into_owned(), said.text))
        .collect()
}

#[test]
fn buttons_act_on_the_selected_line() {
    let mut alone = tokens();
    assert_eq!(alone.screen.common.focus, ACCESS);
    assert_eq!(copied(&mut alone, Item::Copy), "first-access");
    alone.go(REFRESH);
    assert_eq!(copied(&mut alone, Item::Copy), "first-refresh");
    assert_eq!(copied(&mut alone, ACCESS), "first-access");
    alone.go(REFRESH);
    assert_eq!(
        copied(&mut alone, Item::CopyHeader),
        "Authorization: Bearer first-access"
    );
    assert!(copied(&mut alone, Item::CopyJson).contains(r#""refresh_token":"first-refresh""#));
    let alone_view = alone.press(Item::ViewAlone).alone;
    assert!(matches!(
        alone_view,
        Some(Content::Token(Value::Refresh, _))
    ));
}

#[test]
fn each_line_is_copied_in_full() {
    let mut alone = with("microsoft-mail", of_mail());
    let command = "oauth-authorizer --preset microsoft-mail --client-id me";
    for (line, text) in [
        (Line::Person, "alice@contoso.example"),
        (
            Line::Granted,
            "offline_access https://outlook.office.com/IMAP.AccessAsUser.All https://outlook.office.com/SMTP.Send",
        ),
        (Line::User, "alice@contoso.example"),
        (
            Line::Server(Protocol::Imap),
            "outlook.office365.com:993 TLS",
        ),
        (
            Line::Server(Protocol::Smtp),
            "smtp.office365.com:587 STARTTLS",
        ),
        (Line::ClientId, "me"),
        (
            Line::TokenUrl,
            "https://login.microsoftonline.com/common/oauth2/v2.0/token",
        ),
        (Line::Command, command),
    ] {
        assert_eq!(copied(&mut alone, Item::Line(line)), text);
        assert_eq!(copied(&mut alone, Item::Copy), text);
    }
    let access = copied(&mut alone, Item::Line(Line::Password));
    assert!(access.starts_with("eyJ0eXAiOiJKx") && access.len() == 1201);
    assert!(copied(&mut alone, Item::Line(Line::RefreshWith)).ends_with("kT9_vA"));
    assert!(copied(&mut alone, Item::Line(Line::Header)).ends_with(&access));
    assert_eq!(copied_from_more(&mut alone, "Copy command"), command);
}

#[test]
fn copied_command_and_report_contain_no_secrets() {
    let mut alone = Solo::new(Environment::default(), "google-mail", |_| Tokens::new());
    let settings = &mut alone.session.settings;
    settings.set(Key::ClientSecret, "s3cret-of-the-client".to_owned());
    settings.set(Key::Scope, "openid".to_owned());
    alone.authorize(FlowKind::AuthorizationCode);
    alone.hear(FlowEvent::Check(Check::new(
        CheckName::Pkce,
        Outcome::Passed,
        "S256",
    )));
    alone.hear(FlowEvent::Tokens(Box::new(of_mail())));
    let command = copied_from_more(&mut alone, "Copy command");
    let report = copied_from_more(&mut alone, "Copy report");
    assert!(command.contains("--client-id me"), "{command}");
    assert!(report.contains("passed: PKCE: S256"), "{report}");
    assert!(
        report.contains("Access token: 1,201 characters"),
        "{report}"
    );
    let set = of_mail();
    let mut secrets: Vec<&str> = set.secrets().map(ExposeSecret::expose_secret).collect();
    secrets.push("s3cret-of-the-client");
    for secret in secrets {
        let part = &secret[..8];
        assert!(!command.contains(part) && !report.contains(part), "{part}");
    }
}

#[test]
fn token_row_shows_ends_length_and_state() {
    let mut alone = with("microsoft-mail", of_mail());
    assert_eq!(
        row(&alone, "Access token"),
        "Access token      eyJ0eXAiOiJK…9fQx3w  1,201 chars      until 13:01 (60 min)"
    );
    let attempt = alone.session.tokens.as_ref().unwrap().attempt;
    let refresh = Content::Token(Value::Refresh, attempt);
    alone.session.took(&refresh, Taken::Sent);
    assert!(row(&alone, "Refresh token").ends_with("966 chars                      sent"));
    alone.session.took(&refresh, Taken::Copied);
    alone.session.took(&refresh, Taken::Sent);
    assert_eq!(
        row(&alone, "Refresh token"),
        "Refresh token     0.AXYAwq3-Ti…kT9_vA    966 chars                    copied"
    );
    alone.session.took(&Content::Header(attempt), Taken::Copied);
    assert!(row(&alone, "Access token").ends_with("1,201 chars       copied, until 13:01"));
    alone.session.took(&Content::Json(attempt), Taken::Saved);
    assert!(row(&alone, "ID token").ends_with("saved, until 13:01"));
    alone.console.now = moment(3600);
    assert!(row(&alone, "Access token").ends_with(" expired"));
}

#[test]
fn narrow_window_drops_length_then_time_left_then_ends() {
    let alone = with("microsoft-mail", of_mail());
    let first = |columns| {
        let row = &alone.body(columns, 24).rows[0];
        row.line.to_string().trim_end().to_owned()
    };
    assert_eq!(
        first(66),
        " ▸ Access token      eyJ0eXAiOiJK…9fQx3w     until 13:01 (60 min)"
    );
    assert_eq!(
        first(60),
        " ▸ Access token      eyJ0eXAiOiJK…9fQx3w        until 13:01"
    );
    assert_eq!(first(40), " ▸ Access     eyJ0e…Qx3w    until 13:01");
}

#[test]
fn revealed_line_is_hidden_when_another_is_selected() {
    let mut alone = with("microsoft-mail", of_mail());
    let whole = "x".repeat(79);
    assert!(!alone.text().contains(&whole));
    alone.press(Item::Reveal);
    alone.go(ACCESS);
    // Without indentation.
    assert!(
        alone
            .text()
            .contains(&format!("\neyJ0eXAiOiJK{}", "x".repeat(68)))
    );
    assert!(alone.labels().contains(&"Hide".to_owned()));
    alone.press(Item::Reveal);
    assert!(!alone.text().contains(&whole));
    alone.press(Item::Reveal);
    alone.go(REFRESH);
    assert!(!alone.text().contains(&whole));
    assert!(alone.labels().contains(&"Reveal".to_owned()));
}

#[test]
fn checks_are_one_line_until_expanded() {
    let mut alone = tokens();
    alone.press(Item::Refresh);
    for (name, outcome) in [
        (CheckName::Tls, Outcome::Passed),
        (CheckName::Pkce, Outcome::NotApplicable),
        (CheckName::IdToken, Outcome::NotChecked),
        (CheckName::Scope, Outcome::Failed),
    ] {
        alone.hear(FlowEvent::Check(Check::new(name, outcome, "the detail")));
    }
    alone.hear(FlowEvent::Tokens(Box::new(token_set("second"))));
    assert_eq!(
        row(&alone, "Checks"),
        "Checks            1 passed, 1 failed: scope, 1 not checked: ID …  [k Checks]"
    );
    assert!(!alone.text().contains("the detail"));
    alone.keys(&[Command::Letter('k')]);
    assert!(
        alone
            .text()
            .contains("not checked     ID token: the detail")
    );
    alone.press(Item::Checks);
    assert!(!alone.text().contains("the detail"));
}

#[test]
fn missing_refresh_token_is_reported_with_a_scope_fix() {
    let mut alone = Solo::new(Environment::default(), "microsoft-mail", |_| Tokens::new());
    alone.console.now = moment(0);
    let settings = &mut alone.session.settings;
    settings.toggle_scope("offline_access");
    alone.authorize(FlowKind::DeviceCode);
    let set = TokenSet {
        refresh_token: None,
        ..of_mail()
    };
    alone.hear(FlowEvent::Tokens(Box::new(set)));
    assert!(row(&alone, "Refresh token").ends_with("not issued"));
    let [(label, text), (fix, how)] = said(&alone).try_into().unwrap();
    assert_eq!((label.as_str(), fix.as_str()), ("No refresh token", "Fix"));
    assert!(
        text.starts_with("At 13:01 you must sign in again."),
        "{text}"
    );
    assert_eq!(
        how,
        "Press Ctrl+F to add offline_access and return to the form."
    );
    let out = alone.keys(&[Command::Fix]);
    let form = Navigation::Open(Route::Form(FormTarget::Authorize));
    assert_eq!(out.navigation, Some(form));
    let told = Solo::<Tokens>::told(&out);
    assert!(told.starts_with("Scope is now "), "{told}");
    assert!(
        told.ends_with(" Sign in again to get a refresh token."),
        "{told}"
    );
    let scopes = alone.session.settings.scopes();
    assert!(scopes.contains(&"offline_access".to_owned()));
    // The fix is applied, so nothing more is suggested.
    assert_eq!(said(&alone).len(), 1);
    assert!(alone.keys(&[Command::Fix]).navigation.is_none());
}

#[test]
fn ungranted_refresh_scope_is_not_suggested_again() {
    let mut alone = Solo::new(Environment::default(), "microsoft-mail", |_| Tokens::new());
    alone.console.now = moment(0);
    alone.authorize(FlowKind::DeviceCode);
    let set = TokenSet {
        refresh_token: None,
        expires_in: None,
        scope: Some(vec![
            "https://outlook.office.com/IMAP.AccessAsUser.All".to_owned(),
        ]),
        ..of_mail()
    };
    alone.hear(FlowEvent::Tokens(Box::new(set)));
    let [(_, text)] = said(&alone).try_into().unwrap();
    assert_eq!(
        text,
        "When the access token expires, you must sign in again. The service did not grant offline_access."
    );
    assert_eq!(
        row(&alone, "Lifetime"),
        "Lifetime          not returned by the service. Usual lifetimes: access token"
    );
    let words: Vec<String> = alone.text().split_whitespace().map(str::to_owned).collect();
    assert!(
        words
            .join(" ")
            .contains("Usual lifetimes: access token about 1 hour; refresh token")
    );
}

#[test]
fn expired_token_hint_suggests_refresh_or_sign_in() {
    let mut alone = with("microsoft-mail", of_mail());
    alone.console.now = moment(3600);
    let expired = |alone: &Solo<Tokens>| said(alone).remove(0).1;
    assert_eq!(
        expired(&alone),
        "Expired today at 13:01. Press f to get a new one."
    );
    alone.console.now = moment(24 * 3600);
    assert!(expired(&alone).starts_with("Expired yesterday at 13:01. "));
    let set = TokenSet {
        refresh_token: None,
        expires_in: Some(60),
        ..of_mail()
    };
    let mut without = with("facebook", set);
    without.console.now = moment(60);
    assert!(expired(&without).ends_with(" Sign in again to get a new one."));
}

#[test]
fn revoked_refresh_token_hides_the_refresh_button() {
    let mut alone = with("gitlab", of_mail());
    assert!(alone.labels().contains(&"Refresh".to_owned()));
    let asked = alone.session.ask(Tool::Revocation, TokenKind::Refresh);
    let _ = asked.unwrap();
    let kinds = [TokenKind::Refresh, TokenKind::Access];
    let revoked = kinds.map(|kind| Revoked {
        kind,
        outcome: Ok(Verified::Inactive),
    });
    alone.hear(FlowEvent::Tool(Box::new(Told {
        outcome: Ok(tool_report::Outcome::Revoked(revoked.into())),
        took: Duration::ZERO,
    })));
    assert!(!alone.labels().contains(&"Refresh".to_owned()));
    alone.go(REFRESH);
    let text = "Revoked. Sign in again to get new tokens.";
    assert_eq!(
        said(&alone),
        [("Refresh token".to_owned(), text.to_owned())]
    );
}

#[test]
fn the_checks_are_copied_from_their_row() {
    let mut alone = tokens();
    let check = |name| Check::new(name, Outcome::Passed, "as expected");
    let checks = vec![check(CheckName::Tls), check(CheckName::State)];
    alone.session.tokens.as_mut().unwrap().checks = checks;
    alone.go(Item::Checks);
    let out = alone.keys(&[Command::Letter('c')]);
    let text = text_of(&alone, &out.effects);
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(text.contains("as expected"), "{text}");
    alone.keys(&[Command::Letter('r')]);
    assert!(alone.screen.checks && !alone.screen.revealed);
}

#[test]
fn missing_scopes_are_named() {
    let granted = |scope: Option<&[&str]>| {
        let scope = scope.map(|all| all.iter().map(|it| (*it).to_owned()).collect());
        let set = TokenSet {
            scope,
            ..token_set("first")
        };
        row(&with("demo", set), "Granted")
    };
    let all = "Granted           all 3 requested scopes";
    assert_eq!(granted(None), all);
    assert_eq!(granted(Some(&["email", "openid"])), all);
    assert_eq!(
        granted(Some(&["email", "openid", "more"])),
        format!("{all}, and 1 more")
    );
    assert_eq!(
        granted(Some(&["openid"])),
        "Granted           2 of 3 requested scopes; missing: email"
    );
}

#[test]
fn claims_show_times_and_identify_this_client() {
    let mut alone = with("microsoft-mail", of_mail());
    alone.act(|screen, cx| AnyScreen::press(screen, "Claims…", cx));
    assert!(AnyScreen::has_dialog(&alone.screen));
    let reading = Screen::reading(&alone.screen, &DialogId::Claims, 76, alone.view());
    let lines: Vec<String> = reading.lines.iter().map(ToString::to_string).collect();
    assert_eq!(
        reading.title,
        "Claims of the ID token (signature not verified)"
    );
    let text = lines.join("\n");
    let exp = CAME + 3600;
    for line in [
        format!("exp    {exp}    today 13:01:07, in 60 minutes"),
        format!("iat    {CAME}    today 12:01:07"),
        "aud    me    this client ID".to_owned(),
    ] {
        assert!(lines.contains(&line), "{line}: {text}");
    }
    // The claims of an access token are shown as well.
    let access = jwt(&json!({"scp": "SMTP.Send", "nbf": CAME - 90_000}));
    let set = TokenSet {
        access_token: access.into(),
        ..of_mail()
    };
    let alone = with("microsoft-mail", set);
    let reading = Screen::reading(&alone.screen, &DialogId::Claims, 76, alone.view());
    let text: Vec<String> = reading.lines.iter().map(ToString::to_string).collect();
    let text = text.join("\n");
    assert_eq!(reading.title, "Claims (signatures not verified)");
    assert!(text.contains("Of the access token\nnbf"), "{text}");
    assert!(text.contains("yesterday 11:01:07"), "{text}");
}

#[test]
fn long_claims_are_shown_whole_and_truncation_is_reported() {
    let reading = |claims: &serde_json::Value, profile: Option<&str>| {
        let set = TokenSet {
            id_token: Some(jwt(claims).into()),
            ..of_mail()
        };
        let mut alone = with("microsoft-mail", set);
        alone.session.tokens.as_mut().unwrap().profile = profile.map(str::to_owned);
        let reading = Screen::reading(&alone.screen, &DialogId::Claims, 76, alone.view());
        let lines: Vec<String> = reading.lines.iter().map(ToString::to_string).collect();
        lines.join(" ")
    };
    let roles: Vec<String> = (0..400).map(|role| format!("r{role}")).collect();
    let whole = reading(&json!({"aud": "me", "roles": roles}), None);
    assert!(whole.trim_end().ends_with("\"r399\"]"), "{whole}");
    let many = |count: usize| {
        let claims = (0..count).map(|at| (format!("c{at}"), json!(at)));
        serde_json::Value::Object(claims.collect())
    };
    let cut = reading(&many(1500), Some("office"));
    let end =
        "500 more claims are not shown. Run oauth-authorizer inspect office --json to see all.";
    assert!(cut.ends_with(end), "{}", &cut[cut.len() - 200..]);
    let cut = reading(&many(1001), None);
    let end = "1 more claim is not shown. To see all, save the tokens as a profile and run oauth-authorizer inspect NAME --json.";
    assert!(cut.ends_with(end), "{}", &cut[cut.len() - 200..]);
}

#[test]
fn claims_and_checks_say_whether_the_signature_was_verified() {
    for (outcome, checks, title, hint) in [
        (
            Outcome::Passed,
            "1 passed",
            "Claims of the ID token",
            "From the ID token. Its signature was verified.",
        ),
        (
            Outcome::NotChecked,
            "0 passed, 1 not checked: signature",
            "Claims of the ID token (signature not verified)",
            "From the ID token. Its signature was not verified.",
        ),
    ] {
        let mut alone = tokens();
        alone.press(Item::Refresh);
        let check = Check::new(CheckName::Signature, outcome, "the detail");
        alone.hear(FlowEvent::Check(check));
        alone.hear(FlowEvent::Tokens(Box::new(of_mail())));
        let shown = row(&alone, "Checks");
        let shown = shown
            .trim_start_matches("Checks")
            .trim_end_matches("[k Checks]");
        assert_eq!(shown.trim(), checks);
        alone.act(|screen, cx| AnyScreen::press(screen, "Claims…", cx));
        let reading = Screen::reading(&alone.screen, &DialogId::Claims, 76, alone.view());
        assert_eq!(reading.title, title);
        let tokens = alone.view().session.tokens.as_ref().unwrap();
        let told = super::hints::about_line(alone.view(), tokens, Line::Person);
        assert_eq!(told, hint);
    }
}

#[test]
fn selected_value_or_all_values_can_be_saved() {
    let mut alone = tokens();
    let mut saved = |item: Option<Item>, keys: &[Command]| {
        match item {
            Some(item) => alone.press(item),
            None => alone.keys(&[Command::Save]),
        };
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
    assert_eq!(saved(Some(Item::Save), &[Command::Enter]), token);
    assert_eq!(saved(None, &[Command::Enter]), token);
    assert_eq!(
        saved(Some(Item::Save), &[Command::Next, Command::Enter]),
        json
    );
    assert_eq!(
        saved(
            Some(Item::Save),
            &[Command::Next, Command::Next, Command::Enter]
        ),
        token
    );
    // On a line that is not a token, saves all tokens, or the access token.
    alone.go(Item::Line(Line::ClientId));
    let mut saved = |keys: &[Command]| {
        alone.keys(&[Command::Letter('s')]);
        match alone.keys(keys).effects.pop() {
            Some(Effect::Save(content, path)) => (content.name(), path),
            other => ("", format!("{other:?}")),
        }
    };
    assert_eq!(saved(&[Command::Enter]), json);
    assert_eq!(saved(&[Command::Next, Command::Enter]), token);
    // A name that the user typed is kept.
    alone.go(ACCESS);
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
fn refresh_can_be_canceled_and_focus_is_restored() {
    let mut alone = tokens();
    alone.go(REFRESH);
    let out = alone.keys(&[Command::Letter('f')]);
    assert!(matches!(out.effects.as_slice(), [Effect::Start(_)]));
    assert_eq!(alone.screen.common.focus, REFRESH);
    // Esc stops the refresh, and doesn't return to the form.
    let out = alone.keys(&[Command::Escape]);
    assert!(matches!(out.effects.as_slice(), [Effect::Cancel]));
    assert!(out.navigation.is_none());
    assert!(Solo::<Tokens>::told(&out).contains("may have already replaced the refresh token"));
    // The focus moves from Refresh to Cancel, and back.
    alone.press(Item::Refresh);
    assert_eq!(alone.screen.common.focus, Item::Cancel);
    let out = alone.press(Item::Cancel);
    assert!(matches!(out.effects.as_slice(), [Effect::Cancel]));
    assert_eq!(alone.screen.common.focus, Item::Refresh);
    // The refresh ends without Cancel.
    alone.press(Item::Refresh);
    alone.hear(FlowEvent::Failed(FlowError::Protocol(Failure::Expired)));
    assert_eq!(alone.screen.common.focus, Item::Refresh);
    alone.press(Item::Refresh);
    alone.hear(FlowEvent::Tokens(Box::new(token_set("second"))));
    assert_eq!(alone.screen.common.focus, Item::Refresh);
    assert_eq!(copied(&mut alone, ACCESS), "second-access");
}

#[test]
fn selection_moves_if_the_new_tokens_lack_the_value() {
    let mut alone = tokens();
    alone.go(REFRESH);
    alone.press(Item::Refresh);
    let mut set = token_set("second");
    set.refresh_token = None;
    alone.hear(FlowEvent::Tokens(Box::new(set)));
    assert_eq!(copied(&mut alone, Item::Copy), "second-access");
    assert!(!alone.text().contains("second-access"));
    assert!(!alone.labels().contains(&"Refresh".to_owned()));
}

#[test]
fn buttons_and_escape_open_other_screens() {
    let mut alone = tokens();
    let form = Navigation::Open(Route::Form(FormTarget::Authorize));
    assert_eq!(alone.press(Item::Settings).navigation, Some(form));
    assert_eq!(alone.keys(&[Command::Escape]).navigation, Some(form));
    let trace = Navigation::Open(Route::Trace);
    assert_eq!(alone.press(Item::Trace).navigation, Some(trace));
    assert!(alone.press(Item::Help).help);
    assert!(alone.keys(&[Command::Letter('o')]).more);
    assert!(!AnyScreen::has_dialog(&alone.screen));
}

#[test]
fn saving_all_before_quitting_asks_for_a_path() {
    let mut alone = tokens();
    alone.act(Screen::save_all);
    let effects = alone.keys(&[Command::Enter]).effects;
    assert!(
        matches!(effects.as_slice(), [Effect::Save(Content::Json(_), _)]),
        "{effects:?}"
    );
}
