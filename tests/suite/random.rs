//! Whatever is pressed, pasted, reported and resized, in whatever order: no panic, no hang, the terminal restored.
//!
//! `OAUTH_AUTHORIZER_SEED` repeats a run; each prints its seed.

use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use oauth_authorizer::console::clipboard::By;
use oauth_authorizer::flow::event::{FlowError, FlowEvent, Step};
use oauth_authorizer::flow::listener::Stray;
use oauth_authorizer::oauth::check::{Check, CheckName, Outcome};
use oauth_authorizer::oauth::device::Note;
use oauth_authorizer::oauth::failure::{Failure, ServerError};
use oauth_authorizer::store::file::Readers;
use oauth_authorizer::tui::model::{Effect, News, Ticket};

use crate::fixtures::{App, PLACES, all, copied, sign_in, token_set};
use crate::terminal::{CTRL_C, Command, Terminal};

/// A generator of the test's own, so that a seed means the same everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, count: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % count
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    fn text(&mut self, most: usize) -> String {
        let odd: Vec<char> =
            "ab1 \t\n\r\0\"'`$%&=?#:/.-日本語é\u{301}\u{202e}\u{200b}\u{7f}\u{1b}🙂"
                .chars()
                .collect();
        (0..self.below(most)).map(|_| self.of(&odd)).collect()
    }
}

fn seed() -> u64 {
    let given = std::env::var("OAUTH_AUTHORIZER_SEED").ok();
    // The same each time, so that a run is a verdict on the change; others are named by the variable.
    let seed = given.map_or(1_795_609_919, |text| text.parse().unwrap());
    println!("OAUTH_AUTHORIZER_SEED={seed}");
    seed
}

const CODES: [KeyCode; 17] = [
    KeyCode::Tab,
    KeyCode::Tab,
    KeyCode::BackTab,
    KeyCode::Up,
    KeyCode::Down,
    KeyCode::Left,
    KeyCode::Right,
    KeyCode::Enter,
    KeyCode::Enter,
    KeyCode::Esc,
    KeyCode::Home,
    KeyCode::End,
    KeyCode::Backspace,
    KeyCode::Delete,
    KeyCode::PageDown,
    KeyCode::PageUp,
    KeyCode::F(5),
];

fn key(dice: &mut Dice) -> News {
    let letter = |dice: &mut Dice| dice.of(b"abcdefghijklmnopqrstuvwxyz?") as char;
    let (code, modifiers) = match dice.below(10) {
        0..6 => (dice.of(&CODES), KeyModifiers::NONE),
        6 => (KeyCode::Char(' '), KeyModifiers::NONE),
        7 => (KeyCode::Char(letter(dice)), KeyModifiers::CONTROL),
        8 => (
            KeyCode::Char(dice.of(&['日', 'é', '/', ':', '\u{301}'])),
            KeyModifiers::SHIFT,
        ),
        _ => (KeyCode::Char(letter(dice)), KeyModifiers::NONE),
    };
    News::Key(KeyEvent::new(code, modifiers))
}

fn event(dice: &mut Dice) -> FlowEvent {
    let step = dice.of(&[
        Step::DeviceCode,
        Step::Approval,
        Step::Listen,
        Step::SignIn,
        Step::Exchange,
    ]);
    match dice.below(14) {
        0 | 1 => FlowEvent::Began(step),
        2 => FlowEvent::Done(Duration::from_millis(dice.below(100_000) as u64)),
        3 | 4 => FlowEvent::DeviceCode {
            user_code: dice.text(40),
            verification_uri: sign_in(dice.below(4)),
            complete: (dice.below(2) == 0).then(|| sign_in(dice.below(9))),
            expires_in: Duration::from_secs(dice.below(2000) as u64),
        },
        5 => FlowEvent::Polled {
            times: u32::try_from(dice.below(1000)).unwrap(),
            note: match dice.below(3) {
                0 => Note::Pending,
                1 => Note::SlowDown,
                _ => Note::Trouble(dice.text(200)),
            },
        },
        6 | 7 => FlowEvent::SignIn {
            url: sign_in(dice.below(60)),
            redirect_url: "http://localhost:8400/".parse().unwrap(),
            listening: vec!["127.0.0.1:8400".to_owned(); dice.below(3)],
            certificate: None,
        },
        8 => FlowEvent::NotOurs(dice.text(300)),
        9 => FlowEvent::PasteRefused(dice.text(300)),
        10 => FlowEvent::Trouble(dice.text(300)),
        11 => FlowEvent::Stray(Stray::Path),
        12 => FlowEvent::Check(Check::new(
            dice.of(&[CheckName::Tls, CheckName::Scope, CheckName::IdToken]),
            dice.of(&[Outcome::Passed, Outcome::Failed, Outcome::NotChecked]),
            dice.text(200),
        )),
        _ => match dice.below(3) {
            0 => FlowEvent::Failed(FlowError::Protocol(Failure::Expired)),
            1 => FlowEvent::Failed(FlowError::Protocol(Failure::Callback(ServerError::new(
                "invalid_scope",
                Some(&dice.text(900)),
            )))),
            _ => FlowEvent::Tokens(Box::new(token_set())),
        },
    }
}

fn news(dice: &mut Dice, app: &App) -> News {
    let ticket = Ticket {
        name: "code",
        tokens_of: (dice.below(2) == 0).then_some(app.model.attempt),
        instead: "",
    };
    match dice.below(40) {
        0..28 => key(dice),
        28..31 => {
            // Most are short; some are longer than anything is.
            let most = if dice.below(50) == 0 { 70_000 } else { 300 };
            News::Paste(dice.text(most))
        }
        31 | 32 => News::Resized(
            u16::try_from(dice.below(150)).unwrap(),
            u16::try_from(dice.below(50)).unwrap(),
        ),
        33..38 => {
            // At times of an attempt that is over.
            let attempt = app
                .model
                .attempt
                .saturating_sub(u64::from(dice.below(8) == 0));
            News::Flow(attempt, event(dice))
        }
        38 => News::Copied(
            ticket,
            match dice.below(5) {
                0 => copied(Some(By::Desktop), ""),
                1 => copied(Some(By::Tmux), &dice.text(90)),
                2 => copied(Some(By::TmuxOnly), ""),
                3 => copied(Some(By::Terminal("".into())), &dice.text(90)),
                _ => copied(None, &dice.text(300)),
            },
        ),
        _ => match dice.below(6) {
            0 => News::Browser(app.model.attempt, Err(dice.text(90))),
            1 => News::Demo(Ok("http://127.0.0.1:9".to_owned())),
            2 => News::DemoApproved(Err(dice.text(90))),
            3 => News::Saved(
                ticket,
                Ok((dice.text(300), dice.of(&[Readers::User, Readers::Others]))),
            ),
            4 => News::Saved(ticket, Err(dice.text(300))),
            _ => News::PasteLost,
        },
    }
}

#[test]
fn a_hundred_thousand_random_messages() {
    let mut dice = Dice(seed());
    let fixtures = all();
    let fresh = |dice: &mut Dice| {
        let mut environment = dice.of(&PLACES).environment();
        environment.utf8 &= dice.below(4) > 0;
        fixtures[dice.below(fixtures.len())].app(environment)
    };
    let began = Instant::now();
    let mut app = fresh(&mut dice);
    let (mut begun, mut drawn, mut started) = (1, 0, 0);
    for at in 0..100_000 {
        let news = news(&mut dice, &app);
        if dice.below(10) == 0 {
            app.after(dice.below(120) as u64);
        }
        let mut effects = app.send(news);
        started += effects
            .iter()
            .filter(|effect| matches!(effect, Effect::Start(..)))
            .count();
        effects.retain(|effect| matches!(effect, Effect::Quit));
        if !effects.is_empty() {
            begun += 1;
            app = fresh(&mut dice);
        }
        // Each would be drawn; a part of them is enough.
        if at % 5 == 0 {
            drawn += 1;
            let screen = app.look();
            if let Some(cursor) = screen.cursor {
                assert!(screen.buffer.area.contains(cursor), "step {at}: {cursor:?}");
            }
            assert!(
                app.model.environment.utf8 || screen.text().is_ascii(),
                "step {at}: {}",
                screen.text()
            );
        }
    }
    println!(
        "100000 messages in {:?}: begun {begun} times, {started} runs started, {drawn} drawings",
        began.elapsed()
    );
}

/// As a terminal sends them. Left out are the keys that stop the program, and what makes a path.
fn keys(dice: &mut Dice) -> String {
    let one = |dice: &mut Dice| {
        let typed = b"abcdefghijklmnoprstuvwxyz?0123456789-_"[dice.below(38)];
        let control = b"\x01\x04\x05\x06\x08\x0b\x0c\x15\x17"[dice.below(9)];
        match dice.below(12) {
            0 | 1 => "\t".to_owned(),
            2 => "\x1b[Z".to_owned(),
            3 => dice
                .of(&["\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D", "\x1bOA"])
                .to_owned(),
            4 => dice
                .of(&["\x1b[H", "\x1b[F", "\x1b[3~", "\x1b[5~", "\x1b[6~", "\x7f"])
                .to_owned(),
            5 | 6 => "\r".to_owned(),
            7 => " ".to_owned(),
            8 => "\x1b".to_owned(),
            9 => (control as char).to_string(),
            _ => (typed as char).to_string(),
        }
    };
    match dice.below(12) {
        0 => {
            let text: String = dice.text(400).replace(['/', '\u{1b}', '.'], "");
            format!("\x1b[200~{text}\x1b[201~")
        }
        1 => (0..dice.below(30)).map(|_| one(dice)).collect(),
        _ => one(dice),
    }
}

fn demo(home: &tempfile::TempDir) -> Terminal {
    // Should it want to reach a service, it reaches nothing.
    let terminal = Command::new(home.path(), &["--demo"])
        .env("HTTPS_PROXY", "http://127.0.0.1:9")
        .start();
    terminal.wait_for("[ Authorize ]");
    terminal
}

#[test]
fn two_thousand_random_keys_in_a_terminal() {
    let seed = seed();
    let began = Instant::now();
    let parts: Vec<_> = (0..4)
        .map(|part| {
            std::thread::spawn(move || {
                let mut dice = Dice(seed + part);
                let home = tempfile::tempdir().unwrap();
                let mut terminal = demo(&home);
                let mut begun = 1;
                for _ in 0..500 {
                    if dice.below(25) == 0 {
                        let columns = u16::try_from(1 + dice.below(140)).unwrap();
                        let rows = u16::try_from(1 + dice.below(45)).unwrap();
                        terminal.resize(columns, rows);
                    }
                    terminal.send(&keys(&mut dice));
                    if terminal.has_ended() {
                        assert_eq!(terminal.wait_exit().exit_code(), 0);
                        terminal.assert_restored();
                        terminal = demo(&home);
                        begun += 1;
                    }
                }
                terminal.resize(80, 24);
                // It answers, and ends as asked.
                // An unfinished paste takes keys for a moment more, so the answer is waited for, not any output such as
                // that of the new size.
                terminal.settle();
                let before = terminal.written();
                let mut pressed = 0;
                while !terminal.bytes()[before..]
                    .windows(4)
                    .any(|bytes| bytes == b"\x1b[2J")
                {
                    assert!(pressed < 60, "no answer\n{}", terminal.screen());
                    pressed += 1;
                    terminal.send("\x0c");
                    terminal.settle();
                }
                for _ in 0..3 {
                    if !terminal.has_ended() {
                        terminal.send(CTRL_C);
                        terminal.settle();
                    }
                }
                assert_eq!(terminal.wait_exit().exit_code(), 0);
                terminal.assert_restored();
                begun
            })
        })
        .collect();
    let begun: Vec<u32> = parts.into_iter().map(|part| part.join().unwrap()).collect();
    println!("2000 keys in {:?}: begun {begun:?} times", began.elapsed());
}
