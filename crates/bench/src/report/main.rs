//! The benchmark report.
fn main() {}
