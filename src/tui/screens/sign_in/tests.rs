#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails on anything unexpected"
)]

use super::*;
use crate::console::environment::{Environment, Ssh};
use crate::flow::event::Step;
use crate::flow::event::{FlowError, FlowEvent};
use crate::oauth::asked::Asked;
use crate::oauth::device::Note;
use crate::oauth::failure::{Failure, ServerError};
use crate::oauth::id_token_problem::IdTokenProblem;
use crate::tui::keys::Command;
use crate::tui::screen::AnyScreen;
use crate::tui::screen::Outbox;
use crate::tui::screen::testing::{Solo, device_code, sign_in};
use crate::tui::widgets::editor::Edit;

/// Returns a sign-in with this flow that waits for the user.
fn waiting(environment: Environment, preset: &str, flow: FlowKind) -> Solo<SignIn> {
    let mut alone = Solo::new(environment, preset, |_| SignIn::new());
    alone.authorize(flow);
    alone.act(|screen, cx| Screen::entered(screen, Route::SignIn, cx));
    alone.hear(match flow {
        FlowKind::DeviceCode => device_code(),
        FlowKind::AuthorizationCode => sign_in(),
        FlowKind::ClientCredentials | FlowKind::JwtBearer => FlowEvent::Began(Step::TokenRequest),
    });
    alone
}

fn device() -> Solo<SignIn> {
    waiting(colorful(), "demo", FlowKind::DeviceCode)
}

fn colorful() -> Environment {
    Environment {
        utf8: true,
        colors: true,
        ..Environment::default()
    }
}

fn alice() -> Ssh {
    Ssh {
        server: "192.0.2.2:22".parse().ok(),
        login: Some("alice".to_owned()),
    }
}

fn over_ssh() -> Environment {
    Environment {
        ssh: Some(alice()),
        ..Environment::default()
    }
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

/// Returns the redirect URL as it is sent.
fn redirect_url() -> Content {
    Content::Text("redirect URL", "http://localhost:8400/".to_owned())
}

fn url(text: &str) -> Content {
    Content::Url(text.parse().unwrap())
}

const COMPLETE: &str = "https://as.example/device?c=WDJB-MJHT";

#[test]
fn code_and_urls_can_be_copied_and_shown_alone() {
    let mut alone = device();
    assert_eq!(alone.screen.common.focus, Item::CopyCode);
    let code = Content::UserCode("WDJB-MJHT".to_owned());
    assert_eq!(copied(&alone.press(Item::CopyCode)), Some(&code));
    let short = url("https://as.example/device");
    assert_eq!(copied(&alone.press(Item::CopyUrl)), Some(&short));
    assert_eq!(copied(&alone.press(Item::Link)), Some(&url(COMPLETE)));
    for (letter, content) in [('c', code), ('u', short)] {
        let out = alone.keys(&[Command::Letter(letter)]);
        assert_eq!(copied(&out), Some(&content));
    }
    let both = alone.press(Item::Alone).alone.unwrap();
    let text = both.text(&alone.session).unwrap();
    assert_eq!(
        text.expose_secret(),
        "https://as.example/device\r\n\r\nWDJB-MJHT"
    );
}

#[test]
fn code_uses_large_letters_only_if_they_fit() {
    let mut alone = device();
    assert!(alone.text().contains("█▄▀▄█  █  █  ▄  █  █▀▀▄  ▀▀▀"));
    assert!(alone.text().contains("   As text        WDJB-MJHT"));
    // A low window first leaves out steps, then the large letters.
    let shown = |alone: &Solo<SignIn>, columns, rows| {
        let body = alone.body(columns, rows).rows;
        let lines: Vec<String> = body.iter().map(|row| row.line.to_string()).collect();
        assert!(lines.len() <= usize::from(rows), "{lines:#?}");
        lines.join("\n")
    };
    alone.console.size = (80, 12);
    let low = shown(&alone, 80, 6);
    assert!(low.contains('█') && !low.contains("3  Approve"), "{low}");
    let lowest = shown(&alone, 80, 4);
    assert!(!lowest.contains('█') && lowest.contains("2  Enter code     WDJB-MJHT"));
    alone.console.size = (40, 10);
    let small = shown(&alone, 40, 5);
    assert!(
        !small.contains('█') && small.contains("   WDJB-MJHT"),
        "{small}"
    );
    // ASCII has no half blocks, and lowercase letters have no large form.
    let mut ascii = waiting(Environment::default(), "demo", FlowKind::DeviceCode);
    assert!(ascii.text().contains("|   W D J B - M J H T   |"));
    ascii.hear(FlowEvent::DeviceCode {
        user_code: "wdjb".to_owned(),
        verification_uri: "https://as.example/device".parse().unwrap(),
        complete: None,
        expires_in: Duration::from_mins(15),
    });
    ascii.console.theme.utf8 = true;
    assert!(!ascii.text().contains('█') && ascii.text().contains("2  Enter code     wdjb"));
}

#[test]
fn waiting_hint_shows_code_expiry_and_check_interval() {
    let mut alone = device();
    let said = |alone: &Solo<SignIn>| {
        let hint = alone.body(80, 14).hint;
        let lines = hint
            .iter()
            .map(|said| format!("{}: {}", said.label, said.text));
        lines.collect::<Vec<_>>().join("\n")
    };
    assert!(said(&alone).starts_with(
        "Waiting: for approval. The code expires at 00:15, in 15 minutes. Not checked yet."
    ));
    let polled = |times, note| FlowEvent::Polled {
        times,
        note,
        pause: Duration::from_secs(5),
    };
    alone.hear(polled(4, Note::Pending));
    assert!(said(&alone).contains("Checked 4 times, every 5 seconds."));
    alone.hear(polled(5, Note::Trouble("no answer in time".to_owned())));
    let slow = said(&alone);
    assert!(slow.contains(
        "Retrying: The last check failed: no answer in time. It is repeated after 5 seconds."
    ));
    assert!(!slow.contains("Checked"), "{slow}");
    alone.hear(FlowEvent::Note("Set CA file.".to_owned()));
    assert!(said(&alone).contains("\nNote: Set CA file."));
    alone.console.size = (40, 10);
    assert!(said(&alone).contains("Waiting for approval. Checked 5 times."));
    assert!(Screen::title(&alone.screen, alone.view()).contains("device code · 15 minutes left"));
}

#[test]
fn qr_code_closes_when_the_code_expires() {
    let mut alone = device();
    alone.press(Item::QrCode);
    assert!(AnyScreen::has_dialog(&alone.screen));
    alone.console.now = alone.console.now.after(Duration::from_mins(15));
    alone.hear(FlowEvent::Trouble(
        "The service was not reached.".to_owned(),
    ));
    assert!(AnyScreen::has_dialog(&alone.screen));
    alone.hear(FlowEvent::Failed(FlowError::Protocol(Failure::Expired)));
    assert!(!AnyScreen::has_dialog(&alone.screen));
    assert_eq!(alone.screen.common.focus, Item::Again);
    assert!(alone.labels().contains(&"Another code".to_owned()));
    let text = alone.text();
    assert!(text.contains("The code WDJB-MJHT expired at 00:15 without approval."));
    assert!(text.contains("approve it within 15 minutes."), "{text}");
}

#[test]
fn early_expiry_is_shown_without_a_future_time() {
    let mut alone = device();
    alone.hear(FlowEvent::Polled {
        times: 1,
        note: Note::Trouble("no answer in time".to_owned()),
        pause: Duration::from_secs(5),
    });
    alone.hear(FlowEvent::Failed(FlowError::Protocol(Failure::Expired)));
    let text = alone.text();
    assert!(
        text.contains("The code WDJB-MJHT expired without approval."),
        "{text}"
    );
    assert!(text.contains("once; the last check, at"), "{text}");
    assert!(text.contains("failed: no answer in"), "{text}");
}

#[test]
fn small_window_omits_the_hint_after_a_failure() {
    let mut alone = device();
    alone.hear(FlowEvent::Failed(FlowError::Protocol(Failure::Expired)));
    let hint = alone.body(80, 24).hint;
    assert_eq!(hint[0].text, "Your settings are unchanged.");
    alone.console.size = (40, 10);
    assert!(alone.body(40, 10).hint.is_empty());
}

#[test]
fn oversized_qr_code_is_under_more_except_in_ascii() {
    let long = |environment| {
        let mut alone = waiting(environment, "demo", FlowKind::DeviceCode);
        alone.hear(FlowEvent::DeviceCode {
            user_code: "WDJB-MJHT".to_owned(),
            verification_uri: format!("https://as.example/{}", "device/".repeat(40))
                .parse()
                .unwrap(),
            complete: None,
            expires_in: Duration::from_mins(15),
        });
        let items = Screen::items(&alone.screen, alone.view());
        let found = items.into_iter().find(|entry| entry.item == Item::QrCode);
        found.map(|entry| (entry.off, entry.more.is_some()))
    };
    assert_eq!(long(colorful()), Some((true, true)));
    assert_eq!(long(Environment::default()), None);
}

#[test]
fn pasted_text_is_submitted_and_stays_until_next_paste() {
    let mut alone = browser(None);
    assert!(Solo::<SignIn>::told(&alone.press(Item::Paste)).contains("copy the URL"));
    // Wherever the focus is, a paste goes to the paste box.
    alone.go(Item::Trace);
    let paste = |alone: &mut Solo<SignIn>, text: &str| {
        alone.act(|screen, cx| AnyScreen::paste(screen, text, cx));
        alone.screen.common.editor.text().to_owned()
    };
    let first = paste(&mut alone, "http://localhost:8400/?code=c\n");
    assert_eq!(alone.screen.common.focus, Item::Paste);
    let out = alone.keys(&[Command::Enter]);
    assert!(
        matches!(out.effects.as_slice(), [Effect::Paste(text)] if text.expose_secret().contains("code=c")),
        "{out:?}"
    );
    assert!(alone.text().contains("checking"));
    alone.hear(FlowEvent::PasteRefused(
        "it is from a different sign-in (state mismatch)".to_owned(),
    ));
    assert_eq!(alone.screen.common.editor.text(), first);
    assert!(alone.text().contains("not used"), "{}", alone.text());
    let hint = alone.body(80, 14).hint;
    assert_eq!(hint[0].label, "Not used");
    assert_eq!(
        hint[0].text,
        "It is from a different sign-in (state mismatch)."
    );
    assert!(hint[1].text.contains("step 1"), "{}", hint[1].text);
    // The next paste replaces the text; text after that is inserted.
    assert_eq!(
        paste(&mut alone, "http://localhost:8400/?code=d"),
        "http://localhost:8400/?code=d"
    );
    assert!(!alone.text().contains("not used"));
    paste(&mut alone, "e");
    assert_eq!(
        alone.screen.common.editor.text(),
        "http://localhost:8400/?code=de"
    );
    alone.keys(&[Command::Edit(Edit::DeleteToStart)]);
    assert_eq!(alone.screen.pasted.expose_secret(), "");
}

#[test]
fn pasted_error_page_is_explained_with_the_redirect_url() {
    let mut alone = waiting(
        Environment::default(),
        "microsoft-mail",
        FlowKind::AuthorizationCode,
    );
    for text in [
        "http://localhost:8400/?error=50011",
        "https://login.example.com/error?code=50011",
        "https://login.example.com/oauth2/authorize?x=1&error_code=50011",
        "50011",
        "Error code: 50011",
        "AADSTS50011: The redirect URI specified in the request does not match.",
    ] {
        alone.go(Item::Paste);
        alone.act(|screen, cx| AnyScreen::paste(screen, text, cx));
        let out = alone.keys(&[Command::Enter]);
        assert!(out.effects.is_empty(), "{text}: {out:?}");
        assert!(alone.text().contains("explained"), "{text}");
    }
    let hint = alone.body(80, 14).hint;
    assert_eq!(hint[0].label, "Error page");
    assert!(alone.text().contains("explained"));
    // Enter or `c` copies the value to register.
    assert_eq!(alone.screen.common.focus, Item::RedirectUrl);
    let redirect_url = redirect_url();
    for key in [Command::Enter, Command::Letter('c')] {
        assert_eq!(copied(&alone.keys(&[key])), Some(&redirect_url));
    }
    let id = Content::Text("client ID", "me".to_owned());
    assert_eq!(copied(&alone.press(Item::ClientId)), Some(&id));
    // A redirect goes to the flow, which knows the state; so does a number that is not a known error.
    for text in [
        "http://localhost:8400/?error=50011&state=s",
        "http://localhost:8400/?code=99999999",
        "http://localhost:8400/?error=invalid_scope",
    ] {
        alone.go(Item::Paste);
        alone.act(|screen, cx| AnyScreen::paste(screen, text, cx));
        let out = alone.keys(&[Command::Enter]);
        assert!(
            matches!(out.effects.as_slice(), [Effect::Paste(_)]),
            "{text}: {out:?}"
        );
    }
}

#[test]
fn numeric_error_code_is_explained() {
    let mut alone = waiting(
        Environment::default(),
        "microsoft-mail",
        FlowKind::AuthorizationCode,
    );
    let error = ServerError::new("50011", None);
    let failure = Failure::Callback(error);
    alone.hear(FlowEvent::Failed(FlowError::Protocol(failure)));
    let text = alone.text();
    assert!(
        text.contains("This redirect URL isn't registered for the app."),
        "{text}"
    );
}

#[test]
fn error_without_state_does_not_end_the_sign_in() {
    let mut alone = browser(None);
    let error = ServerError::new("invalid_scope", Some("The scope SMTP.Sendd is not valid."));
    alone.hear(FlowEvent::Unverified(error));
    let text = alone.text();
    assert!(text.contains("Unverified") && text.contains("     error           invalid_scope"));
    assert!(
        text.contains("SMTP.Sendd") && text.contains("If genuine"),
        "{text}"
    );
    let hint = alone.body(80, 14).hint;
    assert!(hint[0].text.contains("did not end the sign-in"));
    assert!(alone.session.work().is_some());
    // Going to the field asks first.
    let out = alone.press(Item::Edit);
    assert!(out.effects.is_empty() && out.navigation.is_none());
    assert!(AnyScreen::has_dialog(&alone.screen));
    let out = alone.keys(&[Command::Letter('y')]);
    assert!(matches!(out.effects.as_slice(), [Effect::Cancel]));
    let form = FormTarget::Field(Key::Scope);
    assert_eq!(out.navigation, Some(Navigation::Open(Route::Form(form))));
}

#[test]
fn sign_in_over_ssh_shows_numbered_steps_and_tunnel() {
    let tunnel = "ssh -L 8400:127.0.0.1:8400 alice@192.0.2.2";
    let mut alone = browser(Some(alice()));
    assert_eq!(alone.screen.common.focus, Item::CopyTunnel);
    let content = Content::Tunnel(tunnel.to_owned());
    assert_eq!(copied(&alone.keys(&[Command::Letter('n')])), Some(&content));
    let text = alone.text();
    for part in ["1  Tunnel", tunnel, "2  Sign in", "3  Return", "Paste  "] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(!browser(None).labels().contains(&"Copy".to_owned()));
    // In the smallest window, the paste box is visible and has the cursor.
    alone = Solo::new(over_ssh(), "demo", |_| SignIn::new());
    alone.console.size = (40, 10);
    alone.authorize(FlowKind::AuthorizationCode);
    alone.act(|screen, cx| Screen::entered(screen, Route::SignIn, cx));
    alone.hear(sign_in());
    assert_eq!(alone.screen.common.focus, Item::Paste);
    let rows = alone.body(40, 5).rows;
    assert!(rows[3].cursor.is_some());
    assert!(rows[0].line.to_string().ends_with(" [n]"));
    assert!(
        rows[1].line.to_string().ends_with("… [u]")
            || rows[1].line.to_string().ends_with("... [u]")
    );
    // The redirect can't reach this machine, so only the paste box remains.
    let mut without = Solo::new(over_ssh(), "demo", |_| SignIn::new());
    without.authorize(FlowKind::AuthorizationCode);
    without.hear(FlowEvent::SignIn {
        url: "https://as.example/authorize".parse().unwrap(),
        redirect_url: "https://sso.example.com/callback".parse().unwrap(),
        listening: Vec::new(),
        certificate: None,
    });
    assert_eq!(without.screen.common.focus, Item::Paste);
}

#[test]
fn other_flow_is_offered_only_if_it_would_work() {
    for (flow, other, label) in [
        (
            FlowKind::AuthorizationCode,
            FlowKind::DeviceCode,
            "Device code flow",
        ),
        (
            FlowKind::DeviceCode,
            FlowKind::AuthorizationCode,
            "Browser flow",
        ),
    ] {
        let mut alone = waiting(Environment::default(), "demo", flow);
        assert!(alone.labels().contains(&label.to_owned()));
        // The code or URL would be lost, so this asks first.
        let out = alone.press(Item::OtherFlow);
        assert!(out.effects.is_empty() && AnyScreen::has_dialog(&alone.screen));
        assert_eq!(alone.session.settings.flow(), flow);
        let out = alone.keys(&[Command::Letter('y')]);
        assert!(matches!(out.effects.as_slice(), [Effect::Start(_)]));
        assert_eq!(out.navigation, Some(Navigation::Open(Route::SignIn)));
        assert_eq!(alone.session.settings.flow(), other);
    }
    // There is no button if the service doesn't offer that flow, or would reject the request.
    for preset in ["spotify", "google-mail"] {
        let alone = waiting(Environment::default(), preset, FlowKind::AuthorizationCode);
        let label = "Device code flow".to_owned();
        assert!(!alone.labels().contains(&label), "{preset}");
    }
}

#[test]
fn buttons_open_the_browser_and_approve_the_demo() {
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
fn demo_hint_warns_about_browsers_over_ssh() {
    for (environment, words) in [
        (over_ssh(), "can't open the URL"),
        (Environment::default(), "or open the URL in a browser"),
    ] {
        for flow in [FlowKind::AuthorizationCode, FlowKind::DeviceCode] {
            let hint = waiting(environment.clone(), "demo", flow).body(80, 24).hint;
            assert!(
                hint.iter().any(|said| said.text.contains(words)),
                "{hint:?}"
            );
        }
    }
}

#[test]
fn steps_and_checks_are_folded_except_on_wide_pages() {
    let mut alone = device();
    alone.hear(FlowEvent::Began(Step::Approval));
    assert!(!alone.text().contains("Steps"));
    alone.press(Item::Checks);
    let text = alone.text();
    assert!(text.contains("Steps") && text.contains("waiting"), "{text}");
    assert!(
        text.contains("ID token, signature, scope, refresh token"),
        "{text}"
    );
    assert!(alone.labels().contains(&"Hide checks".to_owned()));
    alone.press(Item::Checks);
    assert!(!alone.text().contains("Steps"));
    alone.console.size = (132, 43);
    assert!(alone.text().contains("Steps"));
    assert!(!alone.labels().contains(&"Checks".to_owned()));
}

#[test]
fn sign_in_is_canceled_after_confirmation_and_retried() {
    let mut alone = device();
    let trace = Navigation::Open(Route::Trace);
    assert_eq!(alone.press(Item::Trace).navigation, Some(trace));
    assert!(alone.press(Item::Help).help);
    for keep in [Command::Escape, Command::Enter] {
        let out = alone.keys(&[Command::Escape]);
        assert!(out.effects.is_empty() && AnyScreen::has_dialog(&alone.screen));
        let out = alone.keys(&[keep]);
        assert!(out.effects.is_empty() && !AnyScreen::has_dialog(&alone.screen));
    }
    let out = alone.keys(&[Command::Escape, Command::Letter('y')]);
    assert!(matches!(out.effects.as_slice(), [Effect::Cancel]));
    let form = Navigation::Open(Route::Form(FormTarget::Authorize));
    assert_eq!(out.navigation, Some(form));
    let mut alone = device();
    // The sign-in may end before the question is answered.
    alone.keys(&[Command::Escape]);
    alone.hear(FlowEvent::Failed(FlowError::Protocol(Failure::Expired)));
    assert!(!AnyScreen::has_dialog(&alone.screen));
    assert_eq!(alone.press(Item::Settings).navigation, Some(form));
    let out = alone.press(Item::Again);
    assert!(matches!(out.effects.as_slice(), [Effect::Start(_)]));
    assert_eq!(out.navigation, Some(Navigation::Open(Route::SignIn)));
}

#[test]
fn failure_shows_the_value_to_register_and_its_field() {
    let mut alone = waiting(
        Environment::default(),
        "microsoft-mail",
        FlowKind::AuthorizationCode,
    );
    let said = "AADSTS50011: The redirect URI 'http://localhost:8400/' does not match.";
    let error = ServerError::new("invalid_request", Some(said));
    alone.hear(FlowEvent::Failed(FlowError::Protocol(Failure::Callback(
        error,
    ))));
    let rows: Vec<String> = alone.text().lines().map(str::to_owned).collect();
    let at = |words: &str| {
        let found = rows.iter().position(|row| row.contains(words));
        found.unwrap_or_else(|| panic!("{words} is not in {rows:#?}"))
    };
    let exact = at("http://localhost:8400/  ");
    assert!(rows[exact].contains("[u Copy URL]"));
    let order = [
        at("Failed"),
        at("Fix"),
        exact,
        at("Field "),
        at("Service said"),
    ];
    assert!(order.is_sorted(), "{order:?}");
    assert_eq!(alone.screen.common.focus, Item::Edit);
    let field = Navigation::Open(Route::Form(FormTarget::Field(Key::RedirectUrl)));
    assert_eq!(alone.keys(&[Command::Enter]).navigation, Some(field));
    let out = alone.keys(&[Command::Letter('u')]);
    assert_eq!(copied(&out), Some(&redirect_url()));
    // The report contains the same.
    assert_eq!(
        copied(&alone.keys(&[Command::Letter('c')])),
        Some(&Content::Report)
    );
    let report = Content::Report.text(&alone.session).unwrap();
    for part in ["Fix: ", "Redirect URL: http://localhost:8400/\n", said] {
        assert!(report.expose_secret().contains(part), "{part}");
    }
    assert!(!report.expose_secret().contains("state=s"));
}

#[test]
fn fix_key_removes_openid_only_if_that_helps() {
    for (problem, scope, left) in [
        (IdTokenProblem::NoNonce, "email openid a", Some("email a")),
        (IdTokenProblem::Incomplete, "openid", Some("")),
        (IdTokenProblem::Incomplete, "openid x", Some("x")),
        // No change in the form helps if the token may belong to someone else, or the scope was not requested.
        (IdTokenProblem::SignIn, "openid", None),
        (IdTokenProblem::Incomplete, "email", None),
    ] {
        let mut alone = waiting(Environment::default(), "demo", FlowKind::AuthorizationCode);
        let settings = &mut alone.session.settings;
        settings.set(Key::Scope, scope.to_owned());
        let failure = Failure::IdToken {
            problem,
            reason: "it has a problem".to_owned(),
        };
        alone.hear(FlowEvent::Failed(FlowError::Protocol(failure)));
        let text = alone.text();
        let words: Vec<&str> = text.split_whitespace().collect();
        let offered = words
            .join(" ")
            .contains("Press Ctrl+F to remove openid from Scope.");
        assert_eq!(offered, left.is_some(), "{problem:?}");
        let out = alone.keys(&[Command::Fix]);
        let value = alone.session.settings.value(Key::Scope);
        assert_eq!(value, left.unwrap_or(scope), "{problem:?}");
        let form = Navigation::Open(Route::Form(FormTarget::Authorize));
        assert_eq!(out.navigation, left.map(|_| form), "{problem:?}");
    }
}

#[test]
fn unexplained_error_shows_the_words_of_the_service() {
    let mut alone = device();
    let error = ServerError::new("made_up", Some("No one knows this."));
    let asked = Asked::Exchange;
    let failure = Failure::Server { asked, error };
    alone.hear(FlowEvent::Failed(FlowError::Protocol(failure)));
    let text = alone.text();
    assert!(
        text.contains("The service rejected the token request: made_up"),
        "{text}"
    );
    assert!(text.contains("made_up: No one knows this."), "{text}");
    assert_eq!(alone.screen.common.focus, Item::Again);
    assert!(!alone.labels().contains(&"Edit".to_owned()));
}
