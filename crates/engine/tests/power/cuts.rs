//! The power fails at a moment that a seed chooses.

use lastseat_testkit::vfs::Survival;

use crate::machine::{Machine, Sync};

/// Seeds that are tried: each is a machine whose power fails several times.
const SEEDS: u64 = 40;
/// Cuts that one machine goes through.
const CUTS: u64 = 3;
/// Disk operations after which the power fails at the latest. A commit of the load takes about ten.
const MOST_OPERATIONS: u64 = 600;
/// The same for long runs: enough that the log is copied into the database and begun anew.
const MANY_OPERATIONS: u64 = 12_000;
/// Requests that a client makes if nothing stops it.
const REQUESTS: u64 = 2_000;

/// SplitMix64: another number for every seed.
fn mixed(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

fn survival(seed: u64) -> Survival {
    match seed % 4 {
        0 => Survival::SyncedOnly,
        1 => Survival::Everything,
        _ => Survival::Random { seed },
    }
}

async fn survive(seed: u64, most_operations: u64) {
    let mut machine = Machine::new(Sync::Full).await;
    for cut in 0..CUTS {
        let dice = mixed(seed * CUTS + cut);
        machine.disk.fail_power_after(1 + dice % most_operations);
        machine.load(REQUESTS).await;
        assert!(!machine.disk.is_powered(), "the load was over before the power failed");
        // Some holds are overdue when it starts again.
        machine.pass(200);
        machine.power_cycle(survival(dice >> 32)).await;
        machine.assert_whole().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_power_cut_at_any_moment_loses_and_doubles_nothing_that_was_acknowledged() {
    for seed in 0..SEEDS {
        println!("seed {seed}");
        survive(seed, MOST_OPERATIONS).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_power_cut_around_a_checkpoint_loses_and_doubles_nothing_that_was_acknowledged() {
    for seed in 1_000..1_000 + SEEDS / 10 {
        println!("seed {seed}");
        survive(seed, MANY_OPERATIONS).await;
    }
}

/// The control: with nothing synced the same cuts lose what was acknowledged, so the tests above can fail.
#[tokio::test(flavor = "multi_thread")]
async fn without_syncing_power_cuts_lose_acknowledged_bookings() {
    let mut lost = 0;
    for seed in 0..SEEDS / 6 {
        let mut machine = Machine::new(Sync::Off).await;
        machine.disk.fail_power_after(1 + mixed(seed) % MOST_OPERATIONS);
        machine.load(REQUESTS).await;
        let told = machine.told.booked.len();
        machine.power_cycle(Survival::SyncedOnly).await;
        println!("seed {seed}: {} of {told} lost", machine.lost());
        lost += machine.lost();
    }
    assert!(lost > 0, "nothing is lost even without syncing: these tests prove nothing");
}
