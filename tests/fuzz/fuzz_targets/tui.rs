//! Any keys, pastes, sizes and events, through `update` and `view`. The suite does the same with random numbers; here,
//! code coverage guides the choice.

#![no_main]
#![allow(
    dead_code,
    unused_imports,
    reason = "parts of the suite that only its own tests use"
)]

#[path = "../../suite/app/mod.rs"]
mod app;
#[path = "../../suite/life.rs"]
mod life;
#[path = "../../suite/screens.rs"]
mod screens;

use std::fmt::Debug;
use std::path::Path;

use libfuzzer_sys::fuzz_target;
use proptest::strategy::{BoxedStrategy, Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};

use life::{Life, Messages};

/// Number of bytes that choose a message, so that the fuzzer removes, repeats and joins whole messages.
const BYTES: usize = 4;

fuzz_target!(
    init: {
        write_seeds();
    },
    |bytes: &[u8]| {
        live(bytes);
    }
);

/// Writes long runs as seeds. Without them, the fuzzer would find only short runs for hours.
fn write_seeds() {
    let Ok(folder) = std::env::var("SEEDS") else {
        return;
    };
    for seed in 1..=16_u8 {
        let bytes: Vec<u8> = (0..160_u8)
            .map(|at| at.wrapping_mul(2 * seed + 1))
            .collect();
        std::fs::write(Path::new(&folder).join(seed.to_string()), bytes).unwrap();
    }
}

fn live(bytes: &[u8]) {
    let mut parts = bytes.chunks_exact(BYTES);
    let Some(first) = parts.next() else { return };
    let beginning = chosen(&Messages::init_state(), first);
    let messages = Messages::transitions(&beginning);
    let mut life = Life::init_test(&beginning);
    for part in parts {
        life = Life::apply(life, &beginning, chosen(&messages, part));
        Life::check_invariants(&life, &beginning);
    }
    Life::teardown(life, beginning);
}

fn chosen<T: Debug>(strategy: &BoxedStrategy<T>, bytes: &[u8]) -> T {
    let mut seed = [0; 32];
    seed[..BYTES].copy_from_slice(bytes);
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), random);
    strategy
        .new_tree(&mut runner)
        .expect("nothing is left out")
        .current()
}
