//! Every fixture as it is drawn, with text and styles, in a usual window and in the smallest one.
//!
//! A change is written next to the snapshot as `.snap.new`; review and accept it with `cargo insta review`.
//! `INSTA_UPDATE=always` accepts all changes.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use crate::app::fixtures::{Fixture, all};

const SIZES: [(u16, u16); 2] = [(80, 24), (40, 10)];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots")
}

fn shot(fixture: &Fixture) -> String {
    let shots = SIZES.map(|(columns, rows)| {
        let mut app = fixture.app(fixture.usual());
        let drawn = app.draw(columns, rows);
        if app.shows_a_value_alone() {
            format!("# {columns}x{rows}, a value alone, written by the shell\n")
        } else {
            drawn.listing()
        }
    });
    shots.join("\n")
}

#[test]
fn every_screen_matches_its_snapshot() {
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path(folder());
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let changed: Vec<&str> = all()
        .iter()
        .filter(|fixture| {
            let compare = || settings.bind(|| insta::assert_snapshot!(fixture.name, shot(fixture)));
            catch_unwind(AssertUnwindSafe(compare)).is_err()
        })
        .map(|fixture| fixture.name)
        .collect();
    assert!(changed.is_empty(), "not as in their snapshots: {changed:?}");
}

#[test]
fn every_snapshot_belongs_to_a_screen() {
    let wanted: BTreeSet<String> = all()
        .iter()
        .map(|fixture| format!("{}.snap", fixture.name))
        .collect();
    let there: BTreeSet<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let stale: Vec<&String> = there.difference(&wanted).collect();
    let missing: Vec<&String> = wanted.difference(&there).collect();
    assert!(
        stale.is_empty() && missing.is_empty(),
        "of no screen: {stale:?}; missing: {missing:?}"
    );
}
