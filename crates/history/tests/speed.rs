//! A long history is checked within seconds.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod model;

use std::time::{Duration, Instant};

use lastseat_history::check;
use model::{Shape, history};

/// How many operations; without optimisation fewer.
const OPERATIONS: usize = if cfg!(debug_assertions) { 20_000 } else { 200_000 };
/// How long that may take.
const LIMIT: Duration = Duration::from_secs(10);

#[track_caller]
fn check_within_the_limit(what: &str, shape: Shape) {
    let long = history(Shape { operations: OPERATIONS.div_ceil(shape.listings), ..shape });
    assert!(long.operations.len() >= OPERATIONS);
    let begun = Instant::now();
    let report = check(&long);
    let took = begun.elapsed();
    println!("{what}: {} operations in {took:?}", long.operations.len());
    assert!(report.holds(), "{report}");
    assert!(took < LIMIT, "{what} took {took:?}");
}

#[test]
fn a_long_history_of_many_customers_is_checked_within_seconds() {
    check_within_the_limit(
        "many customers",
        Shape { capacity: 5_000, customers: 20_000, pause_us: 2_000, ..Shape::default() },
    );
}

#[test]
fn a_long_history_of_a_hot_pool_is_checked_within_seconds() {
    check_within_the_limit(
        "a hot pool",
        Shape { listings: 1, capacity: 40, customers: 1_000, pause_us: 500, ..Shape::default() },
    );
}

#[test]
fn a_long_history_with_many_lost_answers_is_checked_within_seconds() {
    check_within_the_limit(
        "lost answers",
        Shape { capacity: 100, lost: 30, customers: 500, pause_us: 5_000, ..Shape::default() },
    );
}
