//! What is random in a run, from a seed that is printed.

pub use lastseat_store::memory::Dice;

/// Dice with the seed from `LASTSEAT_TEST_SEED`, or another one each time. Prints it.
pub fn thrown(what: &str) -> Dice {
    let given = std::env::var("LASTSEAT_TEST_SEED").ok().and_then(|text| text.parse().ok());
    let seed = given.unwrap_or_else(|| {
        std::hash::BuildHasher::hash_one(&std::collections::hash_map::RandomState::new(), what)
    });
    eprintln!("{what}: LASTSEAT_TEST_SEED={seed}");
    Dice::new(seed)
}
