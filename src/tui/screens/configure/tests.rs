#![allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]

use super::*;
use crate::certificate::created::Created;
use crate::configure::report::{Finding, Report, State};
use crate::console::environment::{Environment, Ssh};
use crate::httpsys::certificates::StoreCertificate;
use crate::oauth::flow_kind::FlowKind;
use crate::tui::keys::Command;
use crate::tui::screen::AnyScreen;
use crate::tui::screen::Outbox;
use crate::tui::screen::testing::Solo;
use crate::tui::widgets::editor::Edit;

const USER: &str = r"DOMAIN\alice";

/// Opens the screen with this redirect URL. The first check is then in progress.
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

/// Finishes the action in progress with this report.
fn done(alone: &mut Solo<Configure>, report: Report) -> Outbox {
    let (_, number) = alone.session.set_up.as_ref().unwrap().busy.unwrap();
    let now = alone.console.now;
    let event = alone
        .session
        .set_up_done(number, report, Created::default(), now);
    alone.on_event(&event.unwrap())
}

fn certificate(digit: &str, subject: &str) -> StoreCertificate {
    StoreCertificate {
        subject: subject.to_owned(),
        thumbprint: digit.repeat(40).parse().unwrap(),
        names: vec!["localhost".to_owned()],
        starts: "2026-01-01".to_owned(),
        early: false,
        expires: "2030-01-01".to_owned(),
        expired: false,
        for_servers: true,
        has_key: true,
    }
}

fn told(out: &Outbox) -> &str {
    Solo::<Configure>::told(out)
}

#[test]
fn editor_follows_a_value_changed_elsewhere() {
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
fn actions_run_one_at_a_time_and_report_outcomes() {
    let mut alone = opened(true, "http://localhost:8400/");
    let busy = "The previous action is still in progress.";
    assert_eq!(told(&alone.press(Item::Do(SetUpAction::Verify))), busy);
    assert_eq!(told(&done(&mut alone, Report::default())), "");
    alone.go(Item::User);
    alone.type_text("alice");
    let out = alone.press(Item::Do(SetUpAction::SetUp));
    assert!(
        matches!(out.effects.as_slice(), [Effect::SetUp(task, _)] if task.action == SetUpAction::SetUp)
    );
    let bad = Report::of(vec![Finding::new(State::Failed, "refused")]);
    assert!(told(&done(&mut alone, bad)).contains("was not completed"));
}

#[test]
fn set_up_is_followed_by_a_check() {
    let mut alone = opened(true, "http://localhost:8400/");
    done(&mut alone, Report::default());
    alone.go(Item::User);
    alone.type_text("alice");
    let good = || Report::of(vec![Finding::new(State::Done, "reserved")]);
    for (found, words) in [
        (State::Missing, "the check found a problem"),
        (State::Good, "You can sign in now."),
    ] {
        alone.press(Item::Do(SetUpAction::SetUp));
        let out = done(&mut alone, good());
        assert!(
            matches!(out.effects.as_slice(), [Effect::SetUp(task, _)] if task.action == SetUpAction::Verify)
        );
        let out = done(&mut alone, Report::of(vec![Finding::new(found, "found")]));
        assert!(told(&out).contains(words), "{}", told(&out));
        let ready = alone.screen.common.focus == Item::Back;
        assert_eq!(ready, found == State::Good);
        let text = alone.text();
        assert!(
            text.contains("reserved") && text.contains("found"),
            "{text}"
        );
        assert!(!text.contains("netsh"), "{text}");
    }
    // A check that the user starts doesn't move the focus, and shows no message.
    let out = alone.press(Item::Do(SetUpAction::Verify));
    assert!(!out.effects.is_empty());
    assert_eq!(told(&done(&mut alone, Report::default())), "");
    assert_eq!(alone.screen.common.focus, Item::Do(SetUpAction::Verify));
}

#[test]
fn set_up_of_our_own_listener_needs_no_check() {
    let mut alone = opened(false, "https://localhost:8443/");
    done(&mut alone, Report::default());
    alone.press(Item::Do(SetUpAction::SetUp));
    let out = done(
        &mut alone,
        Report::of(vec![Finding::new(State::Done, "created")]),
    );
    assert!(out.effects.is_empty() && told(&out).contains("You can sign in now."));
    assert_eq!(alone.screen.common.focus, Item::Back);
}

#[test]
fn deletion_requires_confirmation() {
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
    alone.keys(&[Command::Edit(Edit::Undo)]);
    assert_eq!(alone.screen.common.editor.text(), "");
    alone.press(Item::CertificateList);
    alone.keys(&[Command::Next, Command::Enter]);
    // Enter moves to the next missing value, then to the next action.
    alone.keys(&[Command::Enter]);
    assert_eq!(alone.screen.common.focus, Item::Do(SetUpAction::SetUp));
    alone.press(Item::User);
    assert_eq!(alone.screen.common.focus, Item::Do(SetUpAction::SetUp));
}

#[test]
fn command_to_create_a_certificate_is_offered_if_missing() {
    let mut alone = opened(true, "https://localhost:8443/");
    done(&mut alone, Report::default());
    // The user comes first, because the URL is reserved for that user.
    assert!(!alone.text().contains("New-SelfSignedCertificate"));
    alone.go(Item::User);
    alone.type_text("alice");
    let text = alone.text();
    assert!(text.contains("New-SelfSignedCertificate"), "{text}");
    let out = alone.press(Item::Copy);
    let copied = |effect: &Effect| match effect {
        Effect::Copy(Content::Commands(commands)) => Some(commands.clone()),
        _ => None,
    };
    let commands = out.effects.iter().find_map(copied).unwrap();
    assert!(commands[0].contains("-DnsName localhost"), "{commands:?}");
    // The check's finding has the same command. It is hidden only while that command is shown.
    let found = Finding::new(State::Note, "No certificate fits.").with(commands[0].clone());
    let report = Report {
        findings: vec![found],
        ..Report::default()
    };
    alone.press(Item::Do(SetUpAction::Verify));
    done(&mut alone, report);
    alone.go(Item::Do(SetUpAction::SetUp));
    assert_eq!(alone.text().matches("New-SelfSignedCertificate").count(), 1);
    alone.go(Item::Do(SetUpAction::Verify));
    let text = alone.text();
    assert!(
        text.contains("No certificate fits.") && text.contains("New-SelfSignedCertificate"),
        "{text}"
    );
    // A chosen certificate is bound.
    alone.go(Item::Thumbprint);
    alone.type_text(&"a".repeat(40));
    assert!(alone.text().contains("sslcert"), "{}", alone.text());
}

#[test]
fn url_without_set_up_can_be_used_and_undone() {
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
fn commands_can_be_copied_and_back_opens_the_form() {
    let mut alone = opened(true, "http://localhost:8400/");
    done(&mut alone, Report::default());
    alone.go(Item::User);
    alone.type_text("alice");
    let out = alone.press(Item::Copy);
    assert!(matches!(
        out.effects.as_slice(),
        [Effect::Copy(Content::Commands(_))]
    ));
    // The commands are shown in full.
    let text = alone.text();
    assert!(
        text.contains("run this command:") && text.contains("user=alice"),
        "{text}"
    );
    // A command that can't be built is not offered.
    alone.go(Item::User);
    alone.keys(&[Command::Edit(Edit::DeleteToStart)]);
    assert!(!alone.labels().contains(&"Copy".to_owned()));
    assert!(alone.press(Item::Help).help);
    assert_eq!(alone.press(Item::Back).navigation, Some(Navigation::Back));
    let mut elsewhere = opened(false, "http://localhost:8400/");
    assert_eq!(elsewhere.labels(), ["Verify", "Back", "Help"]);
    assert!(elsewhere.text().contains("Nothing to set up"));
    // Over SSH, the tunnel command can be copied.
    elsewhere.session.set_up.as_mut().unwrap().ssh = Some(Ssh {
        server: "192.0.2.2:22".parse().ok(),
        login: Some("alice".to_owned()),
    });
    assert_eq!(elsewhere.labels(), ["Copy", "Verify", "Back", "Help"]);
    let out = elsewhere.press(Item::Copy);
    let tunnel = |effect: &Effect| match effect {
        Effect::Copy(Content::Tunnel(command)) => Some(command.clone()),
        _ => None,
    };
    let command = out.effects.iter().find_map(tunnel).unwrap();
    let text = elsewhere.text();
    assert!(
        text.contains(command.as_str()) && text.contains("Over SSH"),
        "{text}"
    );
}

#[test]
fn findings_show_fix_and_command_in_separate_rows() {
    let mut alone = opened(false, "http://localhost:8400/callback");
    alone.console.environment.utf8 = true;
    let findings = vec![
        Finding::new(
            State::Good,
            "127.0.0.1 port 8400 is free, and you may listen there.",
        ),
        Finding::new(
            State::Problem,
            "[::1] port 8400 is in use by a process of the user root.",
        )
        .fix("Stop it.")
        .with("sudo ss -ltnp"),
    ];
    done(&mut alone, Report::of(findings));
    let expected = [
        "   Redirect URL      http://localhost:8400/callback",
        "",
        &format!("   Checked           {}", alone.console.now),
        "     ok              127.0.0.1 port 8400 is free, and you may listen there.",
        "     problem         [::1] port 8400 is in use by a process of the user root.",
        "     Fix             Stop it.",
        "                     sudo ss -ltnp",
        "",
        "   Set up            Nothing to set up for plain http.",
    ];
    assert_eq!(alone.text(), expected.join("\n"));
    alone.console.size = (40, 10);
    let rows = alone.body(40, 7).rows;
    let rows: Vec<String> = rows.iter().map(|row| row.line.to_string()).collect();
    let expected = [
        " http://localhost:8400/callback",
        " ok       127.0.0.1 port 8400 is free,",
        "          and you may listen there.",
        " problem  [::1] port 8400 is in use by",
    ];
    assert_eq!(rows[..4], expected);
}

/// Returns the buttons at the bottom.
fn buttons(alone: &Solo<Configure>) -> Vec<String> {
    let items = Screen::items(&alone.screen, alone.view()).into_iter();
    let buttons = items.filter(|entry| matches!(entry.item, Item::Do(_)));
    buttons.map(|entry| entry.label.into_owned()).collect()
}

#[test]
fn urls_without_set_up_offer_only_verify() {
    for url in [
        "http://localhost:0/",
        "http://localhost:8400/a%20b",
        WITHOUT_SET_UP,
    ] {
        let mut alone = opened(true, url);
        done(&mut alone, Report::default());
        assert_eq!(buttons(&alone), ["Verify"], "{url}");
        let verify = Item::Do(SetUpAction::Verify);
        assert_eq!(alone.screen.common.focus, verify, "{url}");
        // Nothing is reserved, so no user is needed.
        assert!(!alone.text().contains("User"), "{}", alone.text());
    }
    let alone = opened(true, "http://localhost:8400/");
    assert_eq!(buttons(&alone), ["Set up", "Verify", "Delete…"]);
    assert!(alone.text().contains("User"));
}

#[test]
fn without_set_up_button_shows_use_or_undo() {
    let enter = |alone: &Solo<Configure>| {
        let items = Screen::items(&alone.screen, alone.view()).into_iter();
        let mut items = items.filter(|entry| entry.item == Item::WithoutSetUp);
        items.next().unwrap().enter
    };
    let mut alone = opened(true, "http://localhost:8400/");
    done(&mut alone, Report::default());
    assert_eq!(enter(&alone), Some("use"));
    alone.press(Item::WithoutSetUp);
    assert_eq!(enter(&alone), Some("undo"));
    // Opened with this URL, there is none to return to.
    assert_eq!(enter(&opened(true, WITHOUT_SET_UP)), None);
}

#[test]
fn missing_certificate_hint_depends_on_the_list() {
    let mut alone = opened(true, "https://localhost:8443/");
    done(&mut alone, Report::default());
    alone.go(Item::User);
    alone.type_text("alice");
    let out = alone.press(Item::Do(SetUpAction::SetUp));
    let create = "Create one with the command above, then enter its thumbprint.";
    assert!(told(&out).ends_with(create), "{}", told(&out));
    let hint = |alone: &Solo<Configure>| alone.body(80, 20).hint[0].text.clone();
    assert!(hint(&alone).ends_with(create), "{}", hint(&alone));
    alone.go(Item::Thumbprint);
    assert!(!hint(&alone).contains("List"), "{}", hint(&alone));
    let report = Report {
        certificates: vec![certificate("a", "CN=one")],
        ..Report::default()
    };
    alone.press(Item::Do(SetUpAction::Verify));
    done(&mut alone, report);
    alone.go(Item::Do(SetUpAction::SetUp));
    let choose = "Choose one from the list, or enter its thumbprint.";
    assert!(hint(&alone).ends_with(choose), "{}", hint(&alone));
    assert!(alone.text().contains("missing"), "{}", alone.text());
    alone.go(Item::Thumbprint);
    assert!(hint(&alone).contains("Choose List"), "{}", hint(&alone));
    // A value that is there is not missing.
    alone.type_text("0");
    let text = alone.text();
    assert!(
        text.contains("problem") && !text.contains("missing"),
        "{text}"
    );
}

#[test]
fn command_count_is_shown_and_verify_needs_no_administrator() {
    for (url, these, copy) in [
        ("http://localhost:8400/", "run this command", "the command"),
        (
            "https://localhost:8443/",
            "run these 2 commands",
            "the commands",
        ),
    ] {
        let mut alone = opened(true, url);
        done(&mut alone, Report::default());
        alone.session.set_up.as_mut().unwrap().user = USER.to_owned();
        alone.session.set_up.as_mut().unwrap().thumbprint = "a".repeat(40);
        let shown = |alone: &mut Solo<Configure>, action| {
            alone.go(Item::Do(action));
            let text = alone.text();
            alone.go(Item::Copy);
            (text, alone.body(80, 20).hint[0].text.clone())
        };
        let (text, hint) = shown(&mut alone, SetUpAction::Verify);
        assert!(
            text.contains(&format!("{these} to see these settings:")),
            "{text}"
        );
        assert!(hint.starts_with(&format!("Copy {copy}. ")), "{hint}");
        let (text, hint) = shown(&mut alone, SetUpAction::SetUp);
        assert!(text.contains(&format!("{these}:")), "{text}");
        assert!(hint.starts_with(&format!("Copy {copy}, to run ")), "{hint}");
        assert!(hint.ends_with("as administrator."), "{hint}");
    }
}

#[test]
fn narrow_window_does_not_truncate_labels() {
    for (windows, url) in [
        (true, "https://localhost:8443/"),
        (false, "https://localhost:8443/"),
        (false, "https://mail.example/"),
    ] {
        let mut alone = opened(windows, url);
        let set_up = alone.session.set_up.as_mut().unwrap();
        // A listener behind a proxy needs no setup.
        let is_behind = !windows && url.contains("mail");
        set_up.listen = "127.0.0.1:8443"
            .parse()
            .ok()
            .filter(|_| windows || is_behind);
        done(&mut alone, Report::default());
        alone.console.size = (40, 10);
        for action in SetUpAction::ALL {
            if is_behind && action != SetUpAction::Verify {
                continue;
            }
            alone.go(Item::Do(action));
            for row in alone.body(40, 7).rows {
                let label: String = row.line.to_string().chars().take(14).collect();
                assert!(!label.contains("... "), "{label:?}");
            }
        }
    }
}
