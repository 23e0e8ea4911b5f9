#![allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]

use super::*;
use crate::console::environment::Environment;
use crate::flow::driver::Job;
use crate::flow::event::FlowEvent;
use crate::flow::mail_login::{Report, StepFailed};
use crate::mail::verdict::{Problem, Step};
use crate::oauth::flow_kind::FlowKind;
use crate::oauth::token::TokenSet;
use crate::profile::issued_for::issued_for;
use crate::session::Session;
use crate::session::clock::Moment;
use crate::tui::keys::Command;
use crate::tui::screen::AnyScreen;
use crate::tui::screen::testing::{Solo, token_set};

/// Returns the screen with tokens of a service that has mail servers, valid for an hour.
fn mail() -> Solo<MailTest> {
    let mut alone = Solo::new(Environment::default(), "microsoft-mail", |_| {
        MailTest::new()
    });
    alone.authorize(FlowKind::DeviceCode);
    let set = TokenSet {
        expires_in: Some(3600),
        ..token_set("mail")
    };
    alone.hear(FlowEvent::Tokens(Box::new(set)));
    alone
}

fn enter(alone: &mut Solo<MailTest>) -> crate::tui::screen::Outbox {
    alone.act(|screen, cx| Screen::entered(screen, Route::MailTest, cx))
}

/// Types a text in the dialog, and presses Enter.
fn answer(alone: &mut Solo<MailTest>, text: &str) -> crate::tui::screen::Outbox {
    alone.type_text(text);
    alone.keys(&[Command::Enter])
}

/// Returns the tests that are started: protocol, user and server.
fn tested(effects: &[Effect]) -> Vec<String> {
    let [Effect::Start(started)] = effects else {
        return Vec::new();
    };
    let Job::TestMail(tests) = &*started.job else {
        return Vec::new();
    };
    tests
        .iter()
        .map(|test| {
            format!(
                "{} {} {}",
                test.protocol.key(),
                test.login.user,
                test.login.address
            )
        })
        .collect()
}

fn report(problem: Option<Problem>) -> Box<Report> {
    Box::new(Report {
        mechanism: None,
        steps: Vec::new(),
        failed: problem.map(|problem| StepFailed {
            step: Step::SignIn,
            sent: true,
            time: Duration::ZERO,
            problem,
            challenge: None,
        }),
        transcript: Vec::new(),
    })
}

fn refused(reply: &str) -> Problem {
    Problem::Refused {
        reply: reply.to_owned(),
        temporary: false,
    }
}

#[test]
fn all_servers_are_tested_after_the_mailbox_is_entered() {
    let mut alone = mail();
    assert!(enter(&mut alone).effects.is_empty());
    assert!(AnyScreen::has_dialog(&alone.screen));
    let out = answer(&mut alone, "a b");
    assert!(out.effects.is_empty() && AnyScreen::has_dialog(&alone.screen));
    for _ in 0.."a b".len() {
        alone.keys(&[Command::Edit(crate::tui::widgets::editor::Edit::Backspace)]);
    }
    let out = answer(&mut alone, "alice@example.org");
    assert_eq!(
        tested(&out.effects),
        [
            "imap alice@example.org outlook.office365.com:993 TLS",
            "pop3 alice@example.org outlook.office365.com:995 TLS",
            "smtp alice@example.org smtp.office365.com:587 STARTTLS",
        ]
    );
    assert!(alone.session.is_testing_mail());
    assert!(alone.text().contains("testing"));
    let _ = alone.hear(FlowEvent::MailTested(Protocol::Imap, report(None)));
    let _ = alone.hear(FlowEvent::MailTested(Protocol::Pop3, report(None)));
    let reply = "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.";
    let out = alone.hear(FlowEvent::MailTested(
        Protocol::Smtp,
        report(Some(refused(reply))),
    ));
    assert_eq!(
        Solo::<MailTest>::told(&out),
        "SMTP failed; IMAP and POP3 accepted the token."
    );
    assert!(!alone.session.is_testing_mail());
    let text = alone.text();
    assert!(
        text.contains("Cause") && text.contains("Set-TransportConfig"),
        "{text}"
    );
    // Returning to the screen sends nothing again.
    assert!(enter(&mut alone).effects.is_empty());
    let report = alone.session.mail_report().unwrap();
    assert!(report.contains("Mailbox: alice@example.org") && !report.contains("mail-access"));
    let copied = alone.press(Item::CopyReport).effects;
    assert!(
        matches!(copied.as_slice(), [Effect::Copy(Content::Text("report", text))] if *text == report)
    );
}

#[test]
fn an_expired_token_is_refreshed_first() {
    let mut alone = mail();
    alone.session.mail.user = Some("alice@example.org".to_owned());
    alone.console.now = Moment {
        up: Duration::from_secs(3590),
        ..Moment::default()
    };
    let out = enter(&mut alone);
    assert!(
        matches!(out.effects.as_slice(), [Effect::Start(started)] if matches!(*started.job, Job::Refresh(..)))
    );
    let set = TokenSet {
        expires_in: Some(3600),
        ..token_set("new")
    };
    let out = alone.hear(FlowEvent::Tokens(Box::new(set)));
    assert_eq!(tested(&out.effects).len(), 3);
    // After Cancel, nothing more is tested.
    let out = alone.press(Item::Cancel);
    assert!(matches!(out.effects.as_slice(), [Effect::Cancel]));
    assert!(!alone.session.is_testing_mail());
    // The first server may have received the token.
    let text = alone.text();
    assert!(
        text.contains("canceled") && text.contains("not tried"),
        "{text}"
    );
}

#[test]
fn server_and_mechanism_can_be_chosen() {
    let mut alone = mail();
    alone.session.mail.user = Some("alice@example.org".to_owned());
    alone.act(|screen, cx| AnyScreen::press(screen, "Other server…", cx));
    answer(&mut alone, "nonsense");
    assert!(AnyScreen::has_dialog(&alone.screen));
    alone.screen.common.dialog = None;
    alone.act(|screen, cx| AnyScreen::press(screen, "Other server…", cx));
    let out = answer(&mut alone, "imap mail.example.org:1993:TLS");
    assert_eq!(
        tested(&out.effects)[0],
        "imap alice@example.org mail.example.org:1993 TLS"
    );
    alone.press(Item::Cancel);
    // The server can be corrected.
    alone.act(|screen, cx| AnyScreen::press(screen, "Other server…", cx));
    let out = alone.keys(&[Command::Enter]);
    assert_eq!(
        tested(&out.effects)[0],
        "imap alice@example.org mail.example.org:1993 TLS"
    );
    alone.press(Item::Cancel);
    let out = alone.act(|screen, cx| {
        let answer = Answer::Picked {
            key: "OAUTHBEARER".to_owned(),
            filter: String::new(),
        };
        Screen::answered(screen, DialogId::Mechanism, answer, cx);
    });
    assert_eq!(tested(&out.effects).len(), 3);
    assert_eq!(alone.session.mail.mechanism, Some(Mechanism::Oauthbearer));
    for (typed, read) in [
        (
            "smtp a.example:2525:starttls",
            "smtp a.example:2525 STARTTLS",
        ),
        ("POP3 a.example:1995:TLS", "pop3 a.example:1995 TLS"),
        ("a.example:993:TLS", "imap a.example:993 TLS"),
        ("a.example:465", "smtp a.example:465 TLS"),
        ("imap  a.example", "imap a.example:993 TLS"),
        ("pop3 a.example", "pop3 a.example:995 TLS"),
        ("smtp a.example", "smtp a.example:587 STARTTLS"),
        ("imap [::1]:993", "imap [::1]:993 TLS"),
    ] {
        let (protocol, address) = read_server(typed).unwrap();
        assert_eq!(format!("{} {address}", protocol.key()), read);
    }
    for typed in [
        "",
        "imap",
        "a.example:4000:TLS",
        "a.example",
        "imap a.example:4000",
        "imap user@a.example",
        "http a.example:993:TLS",
    ] {
        assert!(read_server(typed).is_err(), "{typed}");
    }
}

#[test]
fn profile_tokens_are_sent_only_to_pinned_mail_servers() {
    let mut alone = mail();
    let pins = |session: &Session| {
        let tokens = session.tokens.as_ref().unwrap();
        issued_for(
            &tokens.request,
            &tokens.settings,
            Some("bob@example.org".to_owned()),
            None,
        )
    };
    let mut pins = pins(&alone.session);
    let tokens = alone.session.tokens.as_mut().unwrap();
    tokens.profile = Some("office".to_owned());
    tokens.obtained.pins = Some(Box::new(pins.clone()));
    let out = enter(&mut alone);
    assert_eq!(
        tested(&out.effects)[0],
        "imap bob@example.org outlook.office365.com:993 TLS"
    );
    alone.press(Item::Cancel);
    pins.mail = Some(vec!["imap other.example:993 TLS".to_owned()]);
    alone.session.tokens.as_mut().unwrap().obtained.pins = Some(Box::new(pins));
    let out = alone.press(Item::Test);
    assert!(out.effects.is_empty());
    assert!(
        Solo::<MailTest>::told(&out).contains("has changed"),
        "{out:?}"
    );
    assert!(alone.text().contains("not usable"));
}

#[test]
fn back_hint_mentions_no_results_before_a_test() {
    let mut alone = mail();
    alone.go(Item::Back);
    let hint = &alone.body(80, 24).hint[0];
    assert_eq!(
        (&*hint.label, &*hint.text),
        ("Back", "Return to the previous screen.")
    );
}
