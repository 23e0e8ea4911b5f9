//! Random keys, pastes, events and window sizes in any order: no panic, no hang, one focus, no tokens lost, the
//! terminal restored.
//!
//! Each run prints its seed; `OAUTH_AUTHORIZER_SEED` repeats it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};

use crate::life::{Life, Messages, ODD};
use crate::terminal::{CTRL_C, Command, Terminal};

fn seed() -> u64 {
    let given = std::env::var("OAUTH_AUTHORIZER_SEED").ok();
    // The same seed by default, so that the result depends on the change only. The variable sets another seed.
    let seed = given.map_or(1_795_609_919, |text| text.parse().unwrap());
    println!("OAUTH_AUTHORIZER_SEED={seed}");
    seed
}

/// Number of runs of the program, and of events in each.
const LIVES: u32 = 100;
const MESSAGES: usize = 200;

#[test]
fn random_messages_break_no_invariant() {
    let seed = seed();
    let began = Instant::now();
    let count = AtomicUsize::new(0);
    let live = |part: u64| {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&(seed + part).to_le_bytes());
        let config = Config {
            cases: LIVES / 2,
            failure_persistence: None,
            max_shrink_time: 60_000,
            ..Config::default()
        };
        let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let mut runner = TestRunner::new_with_rng(config.clone(), random);
        let lives = Messages::sequential_strategy(MESSAGES);
        let outcome = runner.run(&lives, |(beginning, messages, seen)| {
            count.fetch_add(messages.len(), Ordering::Relaxed);
            Life::test_sequential(config.clone(), beginning, messages, seen);
            Ok(())
        });
        if let Err(error) = outcome {
            panic!("{error}");
        }
    };
    std::thread::scope(|scope| {
        for part in 0..2 {
            scope.spawn(move || live(part));
        }
    });
    println!(
        "{} messages in {LIVES} lives in {:?}",
        count.into_inner(),
        began.elapsed()
    );
}

/// The test's own generator, so that a seed means the same on every machine.
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
        let odd: Vec<char> = ODD.chars().collect();
        (0..self.below(most)).map(|_| self.of(&odd)).collect()
    }
}

/// Keys as a terminal sends them, without those that stop the program or form a path.
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
    // If the program tried to reach a service, this proxy would prevent it. With a folder for profiles, none is saved for
    // the machine.
    let terminal = Command::new(home.path(), &["--demo"])
        .env("HTTPS_PROXY", "http://127.0.0.1:9")
        .env("OAUTH_AUTHORIZER_PROFILES", home.path().join("profiles"))
        .start();
    terminal.wait_for("[a Authorize]");
    terminal
}

#[test]
fn two_thousand_random_keys_do_not_crash_the_program() {
    let seed = seed();
    let began = Instant::now();
    // The threads mostly wait.
    let parts: Vec<_> = (0..8)
        .map(|part| {
            std::thread::spawn(move || {
                let mut dice = Dice(seed + part);
                let home = tempfile::tempdir().unwrap();
                let mut terminal = demo(&home);
                let mut begun = 1;
                for _ in 0..250 {
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
                // The program still reacts to keys and ends when asked. An unfinished paste receives keys for a moment
                // more, so wait for the reaction itself, not for any output, such as that for the new size.
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
