//! The checker never accuses: histories of a correct engine pass, whatever is lost, late or tried again.

#![allow(clippy::unwrap_used, reason = "tests")]

mod model;

use lastseat_history::{Coverage, Rule, check};
use model::{Shape, history};

/// How many seeds; each makes one history of each shape.
const SEEDS: u64 = if cfg!(debug_assertions) { 40 } else { 400 };

fn shapes(seed: u64) -> [Shape; 6] {
    let usual = Shape { seed, ..Shape::default() };
    [
        usual,
        Shape { pause_us: 2_000, capacity: 20, customers: 60, ..usual },
        Shape { lost: 35, coverage: Coverage::Some, ..usual },
        Shape { step_back_ms: 40, pause_us: 20_000, ..usual },
        Shape {
            kept_us: 0,
            hold_seconds: 1,
            operations: 600,
            commit_us: 150_000,
            pause_us: 20_000,
            capacity: 12,
            lost: 3,
            ..usual
        },
        Shape { lost: 0, capacity: 2, pause_us: 400_000, ..usual },
    ]
}

#[test]
fn a_correct_history_passes() {
    for seed in 0..SEEDS {
        for (no, shape) in shapes(seed).into_iter().enumerate() {
            let report = check(&history(shape));
            assert!(report.holds(), "seed {seed}, shape {no}: {report}");
        }
    }
}

#[test]
fn every_rule_has_something_to_look_at() {
    let report = check(&history(Shape { operations: 2_000, ..Shape::default() }));
    assert_eq!(report.lacks(Rule::ALL), [], "{report}");
    let seen = report.seen;
    assert!(
        seen.acknowledged > 500 && seen.replayed > 50 && seen.refused > 200 && seen.unknown > 200,
        "{report}"
    );
}

#[test]
fn an_empty_history_proves_nothing() {
    let mut empty = history(Shape { operations: 0, ..Shape::default() });
    empty.last = None;
    let report = check(&empty);
    assert!(report.holds());
    assert_eq!(report.lacks(Rule::ALL), Rule::ALL);
}
