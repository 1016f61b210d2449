//! A rush: all want to book at once, so that most batches are of new bookings alone.

use lastseat_core::command::PoolsChange;
use lastseat_store::memory::Dice;
use serde_json::{Value, json};

use crate::requests::{Request, What};

/// Places for more than a few, and nobody is counted.
pub(super) fn make_room(dice: &mut Dice, form: &mut Value) {
    for limit in ["max_per_customer", "max_open_holds"] {
        form["policy"].as_object_mut().unwrap().remove(limit);
    }
    for field in ["pools", "resources"] {
        for pool in form.get_mut(field).and_then(Value::as_array_mut).into_iter().flatten() {
            pool["capacity"] = json!(5 + dice.below(40));
        }
    }
}

/// Whether it is what is asked for when all want to book at once: a booking, from nowhere in particular, and little else.
pub(super) fn suits(dice: &mut Dice, request: &mut Request) -> bool {
    match &mut request.what {
        What::Create { address, .. } => {
            *address = false;
            true
        }
        // It is not about what is left, and nobody begins to count.
        What::Pools { change: PoolsChange::Range(_), .. } => false,
        What::Pools { change: PoolsChange::Pools(pools), .. } => {
            pools.iter().all(|pool| pool.capacity.is_none())
        }
        What::Patch { patch, .. } if patch["policy"]["max_per_customer"].is_number() => false,
        _ => dice.chance(250),
    }
}
