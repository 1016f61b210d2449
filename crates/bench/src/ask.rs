//! What customers of a listing ask for, by its kind.

use std::collections::BTreeMap;

use anyhow::bail;
use jiff::civil::Date;
use lastseat_core::listing::Kind;
use serde_json::{Value, json};

use crate::inventory::{Inventory, ListingView, PoolView};
use crate::load::PLACEHOLDER;

/// One thing to ask for.
#[derive(Clone, PartialEq, Debug)]
pub struct Ask {
    /// The pools of which it takes one unit each, by their place in the inventory.
    pub pools: Vec<usize>,
    /// How many could have it, as the server said.
    pub left: i64,
    /// The claim in a booking's body: its field and what stands there.
    claim: (&'static str, Value),
}

impl Ask {
    /// The body of a booking, with [`PLACEHOLDER`] where the customer's number goes.
    #[must_use]
    pub fn body(&self, listing: &str) -> String {
        let mut body = json!({
            "listing_id": listing,
            "customer": {
                "name": format!("Customer {PLACEHOLDER}"),
                "email": format!("customer-{PLACEHOLDER}@example.org"),
            },
        });
        body[self.claim.0] = self.claim.1.clone();
        body.to_string()
    }
}

/// Everything that can be asked for, one unit at a time: each place, seat, slot, and each stay of the shortest length.
/// What is still to be had, or, when nothing is, all the same: to be refused is a result too.
///
/// # Errors
/// If the listing has nothing that could be asked for at all.
pub fn asks(listing: &ListingView, inventory: &Inventory) -> anyhow::Result<Vec<Ask>> {
    let mut all = match listing.kind {
        Kind::Places | Kind::Seats => lines(inventory),
        Kind::Slots => slots(inventory),
        Kind::Nights => stays(inventory, listing.min_nights.unwrap_or(1)),
    };
    if all.is_empty() {
        bail!("{} has nothing that can be booked", listing.id);
    }
    if all.iter().any(|ask| ask.left > 0) {
        all.retain(|ask| ask.left > 0);
    }
    Ok(all)
}

/// What a crowd wants that comes for one thing: of places the first kind, of slots and stays the scarcest. Seats are
/// shared out, as each person wants one of their own; when one seat is left, all want that.
#[must_use]
pub fn wanted_by_a_crowd(kind: Kind, asks: &[Ask]) -> Vec<Ask> {
    match kind {
        Kind::Seats => asks.to_vec(),
        Kind::Places => asks.iter().take(1).cloned().collect(),
        Kind::Slots | Kind::Nights => asks.iter().min_by_key(|ask| ask.left).cloned().into_iter().collect(),
    }
}

fn lines(inventory: &Inventory) -> Vec<Ask> {
    let ask = |(index, pool): (usize, &PoolView)| Ask {
        pools: vec![index],
        left: pool.available,
        claim: ("lines", json!([{"pool": pool.key, "quantity": 1}])),
    };
    inventory.pools.iter().enumerate().map(ask).collect()
}

fn slots(inventory: &Inventory) -> Vec<Ask> {
    let ask = |(index, pool): (usize, &PoolView)| {
        let (resource, _) = pool.key.rsplit_once('/')?;
        let starts_at = pool.starts_at.as_ref()?;
        let claim = json!({"resource": resource, "starts_at": starts_at, "slots": 1});
        Some(Ask { pools: vec![index], left: pool.available, claim: ("slot", claim) })
    };
    inventory.pools.iter().enumerate().filter_map(ask).collect()
}

fn stays(inventory: &Inventory, min_nights: u32) -> Vec<Ask> {
    let mut nights: BTreeMap<&str, BTreeMap<Date, usize>> = BTreeMap::new();
    for (index, pool) in inventory.pools.iter().enumerate() {
        if let Some((resource, night)) = pool.key.rsplit_once('/')
            && let Ok(night) = night.parse()
        {
            nights.entry(resource).or_default().insert(night, index);
        }
    }
    let mut asks = Vec::new();
    for (resource, nights) in nights {
        for &check_in in nights.keys() {
            let run = check_in.series(jiff::Span::new().days(1)).take(min_nights.max(1) as usize + 1);
            let days: Vec<Date> = run.collect();
            let Some((&check_out, stay)) = days.split_last() else { continue };
            let pools: Option<Vec<usize>> = stay.iter().map(|night| nights.get(night).copied()).collect();
            let Some(pools) = pools else { continue };
            let left = pools.iter().map(|&index| inventory.pools[index].available).min().unwrap_or(0);
            let claim =
                json!({"resource": resource, "check_in": check_in, "check_out": check_out, "quantity": 1});
            asks.push(Ask { pools, left, claim: ("stay", claim) });
        }
    }
    asks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inventory(pools: &[(&str, i64)]) -> Inventory {
        let pool = |&(key, available): &(&str, i64)| PoolView {
            key: key.to_owned(),
            capacity: 9,
            available,
            held: 0,
            confirmed: 9 - available,
            blocked: 0,
            starts_at: Some("2026-12-24T17:00:00Z".to_owned()),
        };
        Inventory { pools: pools.iter().map(pool).collect() }
    }

    fn listing(kind: Kind, min_nights: u32) -> ListingView {
        ListingView { id: "lst_1".to_owned(), kind, min_nights: Some(min_nights) }
    }

    fn crowd(kind: Kind, min_nights: u32, pools: &[(&str, i64)]) -> Vec<Ask> {
        let asks = asks(&listing(kind, min_nights), &inventory(pools)).unwrap();
        wanted_by_a_crowd(kind, &asks)
    }

    #[test]
    fn a_crowd_wants_the_last_room() {
        let pools = [("double/2026-12-24", 3), ("double/2026-12-25", 1), ("single/2026-12-24", 0), ("x", 0)];
        let asks = crowd(Kind::Nights, 1, &pools);
        assert_eq!(asks.len(), 1);
        assert_eq!(
            asks[0].claim.1,
            json!({"resource": "double", "check_in": "2026-12-25", "check_out": "2026-12-26", "quantity": 1})
        );
        assert_eq!((asks[0].left, &asks[0].pools), (1, &vec![1]));
    }

    #[test]
    fn a_stay_is_as_long_as_the_house_demands_and_has_no_gap() {
        let pools = [("d/2026-02-27", 1), ("d/2026-02-28", 1), ("d/2026-03-01", 5), ("d/2026-03-03", 5)];
        let asks = asks(&listing(Kind::Nights, 2), &inventory(&pools)).unwrap();
        let stays: Vec<_> = asks.iter().map(|ask| ask.pools.clone()).collect();
        assert_eq!(stays, [vec![0, 1], vec![1, 2]]);
    }

    #[test]
    fn people_choose_seats_of_their_own_until_one_is_left() {
        assert_eq!(crowd(Kind::Seats, 1, &[("a", 1), ("b", 0), ("c", 1)]).len(), 2);
        assert_eq!(crowd(Kind::Seats, 1, &[("a", 0), ("b", 1), ("c", 0)])[0].pools, [1]);
    }

    #[test]
    fn places_are_wanted_from_the_first_pool_that_has_some() {
        let asks = crowd(Kind::Places, 1, &[("a", 0), ("b", 7), ("c", 1)]);
        assert_eq!(asks[0].claim.1, json!([{"pool": "b", "quantity": 1}]));
        let body: Value = serde_json::from_str(&asks[0].body("lst_1")).unwrap();
        assert_eq!(body["listing_id"], "lst_1");
        assert_eq!(body["customer"]["name"], format!("Customer {PLACEHOLDER}"));
    }

    #[test]
    fn a_slot_is_asked_for_by_its_start() {
        let asks = crowd(Kind::Slots, 1, &[("pitch/2026-12-24T17:00Z", 1)]);
        assert_eq!(
            asks[0].claim.1,
            json!({"resource": "pitch", "starts_at": "2026-12-24T17:00:00Z", "slots": 1})
        );
    }

    #[test]
    fn what_is_sold_out_is_asked_for_all_the_same() {
        assert_eq!(crowd(Kind::Places, 1, &[("a", 0), ("b", 0)])[0].pools, [0]);
        assert!(asks(&listing(Kind::Places, 1), &Inventory::default()).is_err());
    }
}
