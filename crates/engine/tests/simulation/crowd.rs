//! A crowd: more want to come than there is room for, holds lapse soon, and most of those who ask wait.

use std::time::Duration;

use lastseat_core::command::{Actor, WaitFor};
use lastseat_core::id::ListingId;
use lastseat_core::listing::request::{Claim, LineSpec};
use lastseat_core::listing::{Kind, Listing};
use lastseat_store::Read;
use lastseat_store::memory::Dice;
use serde_json::{Value, json};

use crate::requests::{What, claim, entries, wait_for};

/// Little room that comes free soon, and mostly nobody is counted.
pub(crate) fn make_room(dice: &mut Dice, form: &mut Value) {
    let policy = form["policy"].as_object_mut().unwrap();
    if dice.chance(800) {
        policy.remove("max_per_customer");
        policy.remove("max_open_holds");
    }
    if policy["payment"] == json!([]) {
        policy["payment"] = json!(["external"]);
    }
    policy.insert("hold_seconds".into(), json!(5 + dice.below(30)));
    for field in ["pools", "resources"] {
        for pool in form.get_mut(field).and_then(Value::as_array_mut).into_iter().flatten() {
            pool["capacity"] = json!(2 + dice.below(4));
        }
    }
}

/// Time passes in small steps, of so many milliseconds at most.
pub(crate) fn time(dice: &mut Dice, most: u64) -> Duration {
    Duration::from_millis(dice.below(most))
}

/// What somebody in a crowd wishes for; none for what is asked for at other times too.
pub(crate) fn wish(dice: &mut Dice, read: &dyn Read, listing: &Listing) -> Option<(Actor, What)> {
    let id: ListingId = listing.id;
    Some(match dice.below(100) {
        0..35 => {
            let claim = if dice.chance(700) { one(dice, listing) } else { claim(dice, listing) };
            (Actor::Public, What::Create { listing: id, claim, who: dice.below(4), address: false })
        }
        35..70 => {
            let want =
                if dice.chance(400) { WaitFor::Claim(one(dice, listing)) } else { wait_for(dice, listing) };
            let who = dice.chance(150).then(|| dice.below(6));
            (Actor::Public, What::Join { listing: id, want, who, until: None, address: false })
        }
        70..74 => {
            let entries = entries(read, listing.no);
            if entries.is_empty() {
                return None;
            }
            (Actor::Owner, What::Leave { entry: dice.pick(&entries).id })
        }
        _ => return None,
    })
}

/// The least that one can have.
fn one(dice: &mut Dice, listing: &Listing) -> Claim {
    if listing.kind() == Kind::Places {
        let pool = if dice.chance(900) { "standard" } else { "free" };
        return Claim::Lines(vec![LineSpec { pool: pool.into(), quantity: 1 }]);
    }
    claim(dice, listing)
}
