//! Of two faults the one that stands earlier in the list of codes is told. Each test builds a command with every pair
//! of faults that can come together.

use lastseat_core::booking::State;
use lastseat_core::command::{Action, Actor, BookingChange, Command, PoolsChange};
use lastseat_core::id::{BookingId, ListingId};
use lastseat_core::refusal::Code;
use serde_json::json;

use crate::bench::{Bench, admin, cancel, extend, key, lines, money, operator, receipt, reject, reschedule};

/// Runs `with` for each fault alone and each pair, and checks that the earlier one is told.
fn earlier_wins(faults: &[Code], with: impl Fn(&dyn Fn(Code) -> bool) -> Code) {
    assert!(faults.is_sorted(), "faults are given in the order of the list");
    for (index, first) in faults.iter().enumerate() {
        assert_eq!(with(&|fault| fault == *first), *first, "alone");
        for second in &faults[index + 1..] {
            let told = with(&|fault| fault == *first || fault == *second);
            assert_eq!(told, *first, "{first} and {second}");
        }
    }
    assert_eq!(with(&|fault| faults.contains(&fault)), faults[0], "all at once");
}

/// A listing with one standard place, two vip, and a limit of two for each customer.
fn bench() -> (Bench, ListingId) {
    let mut bench = Bench::default();
    let policy = json!({"payment": ["receipt", "external"], "hold_seconds": 60, "hold_max_seconds": 100,
        "max_per_customer": 2, "max_quantity": 5});
    let listing = bench.places(4, &policy);
    (bench, listing)
}

/// Uses the idempotency key 1 for something else.
fn use_key(bench: &mut Bench, listing: ListingId) {
    let create = bench.creation(listing, lines(&[("free", 1)]), "other");
    let mut command = Command::new(Actor::Public, Action::CreateBooking(Box::new(create)));
    command.idempotency = key(1, 1);
    bench.run(&command).unwrap();
}

#[test]
fn of_two_faults_of_a_new_booking_the_earlier_is_told() {
    use Code::{CustomerLimit, IdempotencyMismatch, Invalid, NotFound, NotOnSale, PriceChanged, SoldOut};
    let faults = [NotFound, Invalid, IdempotencyMismatch, NotOnSale, PriceChanged, CustomerLimit, SoldOut];
    earlier_wins(&faults, |has| {
        let (mut bench, listing) = bench();
        use_key(&mut bench, listing);
        if has(CustomerLimit) {
            bench.try_book(listing, lines(&[("free", 2)]), "c").unwrap();
        }
        if has(SoldOut) {
            bench.put_pools(listing, json!([{"key": "standard", "capacity": 0}])).unwrap();
        }
        if has(NotOnSale) {
            bench.patch(listing, json!({"status": "closed"})).unwrap();
        }
        let mut create = bench.creation(listing, lines(&[("standard", 1)]), "c");
        if has(NotFound) {
            create.listing = ListingId::from_bits(7);
        }
        if has(Invalid) {
            create.note = Some("\u{0}".to_owned());
        }
        create.expected_total = has(PriceChanged).then_some(1);
        let mut command = Command::new(Actor::Public, Action::CreateBooking(Box::new(create)));
        command.idempotency = if has(IdempotencyMismatch) { key(1, 2) } else { key(2, 2) };
        bench.run(&command).unwrap_err().code
    });
}

#[test]
fn an_unknown_pool_and_a_quantity_of_nothing_come_before_the_key() {
    for claim in [lines(&[("nowhere", 1)]), lines(&[("standard", 0)]), lines(&[("standard", 6)]), lines(&[])]
    {
        let (mut bench, listing) = bench();
        use_key(&mut bench, listing);
        let booking = bench.book(listing, &[("vip", 1)]);
        let create = bench.creation(listing, claim.clone(), "c");
        let change = BookingChange::Reschedule { claim };
        let moved = Action::Booking { id: booking.id, change };
        for action in [Action::CreateBooking(Box::new(create)), moved] {
            let mut command = Command::new(operator(), action);
            command.idempotency = key(1, 2);
            assert_eq!(bench.run(&command).unwrap_err().code, Code::Invalid);
        }
    }
}

#[test]
fn of_two_faults_of_a_move_the_earlier_is_told() {
    use Code::{
        CustomerLimit, HoldExpired, IdempotencyMismatch, Invalid, NotFound, NotOnSale, SoldOut, StaleVersion,
        Unauthenticated, WrongState,
    };
    for state in [WrongState, HoldExpired] {
        let faults = [
            Unauthenticated,
            NotFound,
            Invalid,
            IdempotencyMismatch,
            state,
            StaleVersion,
            NotOnSale,
            CustomerLimit,
            SoldOut,
        ];
        earlier_wins(&faults, |has| {
            let (mut bench, listing) = bench();
            use_key(&mut bench, listing);
            let booking = bench.try_book(listing, lines(&[("standard", 1)]), "c").unwrap();
            if has(WrongState) {
                bench.change(operator(), booking.id, receipt("a")).unwrap();
                bench.change(operator(), booking.id, reject("no")).unwrap();
            }
            if has(SoldOut) {
                bench.put_pools(listing, json!([{"key": "vip", "capacity": 0}])).unwrap();
            }
            if has(HoldExpired) {
                bench.pass(60);
            }
            if has(CustomerLimit) && !has(state) {
                // One more elsewhere, so that two here are too many.
                bench.try_book(listing, lines(&[("free", 1)]), "c").unwrap();
            }
            if has(NotOnSale) {
                bench.patch(listing, json!({"status": "closed"})).unwrap();
            }
            let quantity = if has(CustomerLimit) { 2 } else { 1 };
            let pool = if has(Invalid) { "nowhere" } else { "vip" };
            let id = if has(NotFound) { BookingId::from_bits(7) } else { booking.id };
            let change = reschedule(lines(&[(pool, quantity)]));
            let actor = if has(Unauthenticated) { Actor::Public } else { operator() };
            let mut command = Command::new(actor, Action::Booking { id, change });
            command.idempotency = if has(IdempotencyMismatch) { key(1, 2) } else { key(2, 2) };
            command.if_match = has(StaleVersion).then_some(9);
            bench.run(&command).unwrap_err().code
        });
    }
}

#[test]
fn of_two_faults_of_any_other_change_the_earlier_is_told() {
    use Code::{
        Forbidden, IdempotencyMismatch, Invalid, NotFound, StaleVersion, Unauthenticated, WrongState,
    };
    type Case = (&'static str, BookingChange, BookingChange, State);
    // A change in order, the same with a wrong field, and a state that it cannot be in.
    let long = "x".repeat(3_000);
    let mut dollars = money(100, "p");
    let BookingChange::Confirm(paid) = &mut dollars else { panic!() };
    paid.currency = "USD".to_owned();
    let mut noted = receipt("a");
    let BookingChange::SubmitReceipt(file) = &mut noted else { panic!() };
    file.note = Some(long.clone());
    let cases: Vec<Case> = vec![
        ("approve", BookingChange::Approve, BookingChange::Approve, State::Held),
        ("reject", reject("no"), reject(&long), State::Held),
        ("cancel", cancel(), BookingChange::Cancel { reason: Some(long.clone()) }, State::Cancelled),
        ("extend", extend(10), extend(0), State::InReview),
        ("extend too far", extend(10), extend(100), State::InReview),
        ("receipt", receipt("a"), noted, State::Cancelled),
        ("confirm", money(100, "p"), dollars, State::Cancelled),
    ];
    for (name, change, wrong, state) in cases {
        let mut faults = vec![
            Unauthenticated,
            NotFound,
            Forbidden,
            Invalid,
            IdempotencyMismatch,
            WrongState,
            StaleVersion,
        ];
        let owners = matches!(name, "cancel" | "extend" | "extend too far" | "receipt");
        faults.retain(|fault| match fault {
            Forbidden => !owners,
            Invalid => name != "approve",
            // Money is taken in every state, and how far is too far depends on it.
            WrongState => !matches!(name, "confirm" | "extend too far"),
            IdempotencyMismatch => name != "extend too far",
            _ => true,
        });
        earlier_wins(&faults, |has| {
            let (mut bench, listing) = bench();
            use_key(&mut bench, listing);
            let booking = bench.book(listing, &[("standard", 1)]);
            let needs_review = matches!(name, "approve" | "reject") != has(WrongState);
            if needs_review && state != State::Cancelled {
                bench.change(operator(), booking.id, receipt("a")).unwrap();
            }
            if has(WrongState) && state == State::Cancelled {
                bench.change(operator(), booking.id, cancel()).unwrap();
            }
            let id = if has(NotFound) { BookingId::from_bits(7) } else { booking.id };
            let actor = match (has(Unauthenticated), has(Forbidden)) {
                (true, _) => Actor::Public,
                (_, true) => Actor::Owner,
                _ => operator(),
            };
            let change = if has(Invalid) { wrong.clone() } else { change.clone() };
            let mut command = Command::new(actor, Action::Booking { id, change });
            command.idempotency = if has(IdempotencyMismatch) { key(1, 2) } else { key(2, 2) };
            command.if_match = has(StaleVersion).then_some(9);
            bench.run(&command).unwrap_err().code
        });
    }
}

#[test]
fn of_two_faults_of_a_change_of_pools_the_earlier_is_told() {
    use Code::{
        CapacityInUse, Forbidden, IdempotencyMismatch, Invalid, NotFound, StaleVersion, Unauthenticated,
    };
    let faults =
        [Unauthenticated, NotFound, Forbidden, Invalid, IdempotencyMismatch, StaleVersion, CapacityInUse];
    earlier_wins(&faults, |has| {
        let (mut bench, listing) = bench();
        use_key(&mut bench, listing);
        bench.book(listing, &[("standard", 2)]);
        let capacity = if has(CapacityInUse) { 1 } else { 9 };
        let blocked = if has(Invalid) { -1 } else { 0 };
        let pools = json!([{"key": "standard", "capacity": capacity, "blocked": blocked}]);
        let change = PoolsChange::Pools(serde_json::from_value(pools).unwrap());
        let id = if has(NotFound) { ListingId::from_bits(7) } else { listing };
        let mut command = Command::new(who(has), Action::PutPools { id, change });
        command.idempotency = if has(IdempotencyMismatch) { key(1, 2) } else { key(2, 2) };
        command.if_match = has(StaleVersion).then_some(9);
        bench.run(&command).unwrap_err().code
    });
}

#[test]
fn of_two_faults_of_an_edit_or_an_import_the_earlier_is_told() {
    use Code::{Forbidden, Invalid, NotFound, SoldOut, StaleVersion, Unauthenticated};
    earlier_wins(&[Unauthenticated, NotFound, Forbidden, Invalid, StaleVersion], |has| {
        let (mut bench, listing) = bench();
        let id = if has(NotFound) { ListingId::from_bits(7) } else { listing };
        let patch = if has(Invalid) { json!({"title": ""}) } else { json!({"title": "Other words"}) };
        let mut command = Command::new(who(has), Action::PatchListing { id, patch: Box::new(patch) });
        command.if_match = has(StaleVersion).then_some(9);
        bench.run(&command).unwrap_err().code
    });
    earlier_wins(&[Unauthenticated, NotFound, Forbidden, Invalid, SoldOut], |has| {
        let (mut bench, listing) = bench();
        let quantity = if has(SoldOut) { 5 } else { 1 };
        let listing = if has(NotFound) { ListingId::from_bits(7) } else { listing };
        let mut import = bench.importation(listing, lines(&[("standard", quantity)]), State::Confirmed);
        import.customer.external_id = None;
        import.paid = if has(Invalid) { -1 } else { 0 };
        bench.run(&Command::new(who(has), Action::ImportBooking(Box::new(import)))).unwrap_err().code
    });
}

fn who(has: &dyn Fn(Code) -> bool) -> Actor {
    match (has(Code::Unauthenticated), has(Code::Forbidden)) {
        (true, _) => Actor::Public,
        (_, true) => operator(),
        _ => admin(),
    }
}

#[test]
fn a_success_is_given_again_whatever_has_become_of_what_it_needed() {
    let (mut bench, listing) = bench();
    let create = bench.creation(listing, lines(&[("standard", 2)]), "c");
    let mut command = Command::new(Actor::Public, Action::CreateBooking(Box::new(create)));
    command.idempotency = key(3, 3);
    let first = bench.command_for_booking(&command).unwrap();
    let mut moved = Command::new(
        operator(),
        Action::Booking { id: first.id, change: reschedule(lines(&[("standard", 1)])) },
    );
    moved.idempotency = key(4, 4);
    moved.if_match = Some(1);
    bench.command_for_booking(&moved).unwrap();
    let policy = json!({"max_quantity": 1});
    bench.patch(listing, json!({"status": "closed", "policy": policy})).unwrap();
    bench.change(operator(), first.id, cancel()).unwrap();
    for (command, version) in [(command, 1), (moved, 2)] {
        let again = bench.run(&command).unwrap();
        let answer = lastseat_core::world::Answer::Booking { no: first.no, version };
        assert_eq!(again, lastseat_core::Outcome::Replay(answer));
    }
}
