//! Places, and the standing areas beside seats: how many of which.

use askama::Template;
use lastseat_core::listing::Listing;
use lastseat_engine::PoolAvailability;

use super::take::{TAKE, Take, chosen};
use super::{BOOK, Ground};
use crate::pages::form::address;
use crate::pages::money;
use crate::pages::stock::Stock;
use crate::pages::waitlist::ask::WAIT;

/// Most entries of a list of quantities.
const MAX_ENTRIES: i64 = 100;

/// A quantity that can be chosen.
pub(crate) struct Quantity {
    /// Value of the field.
    pub value: String,
    /// What it is called.
    pub text: String,
    /// Whether it was chosen.
    pub chosen: bool,
}

/// A pool of which something can be taken.
pub(crate) struct Offer {
    /// What it is called.
    pub title: String,
    /// Its price.
    pub price: String,
    /// What is left.
    pub stock: Stock,
    /// What can be chosen.
    pub quantities: Vec<Quantity>,
    /// An id for the field.
    pub id: String,
    /// Where one waits for it, if there are others and nothing is left of it.
    pub wait: Option<String>,
}

/// The pools of a listing of places.
#[derive(Template)]
#[template(path = "choice/places.html")]
pub(crate) struct View {
    /// The pools.
    pub offers: Vec<Offer>,
    /// Whether one of them is chosen, once; else a number of each.
    pub one_of: bool,
    /// The name of the fields.
    pub name: &'static str,
    /// The form they belong to.
    pub form: &'static str,
}

impl View {
    /// All pools of the listing.
    pub(crate) fn new(ground: &Ground<'_>) -> Self {
        let pools = &ground.availability.pools;
        let one_of = ground.listing.policy().max_quantity == 1 && pools.len() > 1;
        let only = pools.len() == 1;
        let offers = pools.iter().map(|pool| offer(ground, pool, only || one_of)).collect();
        Self { offers, one_of, name: TAKE, form: BOOK }
    }
}

/// An offer. With `at_least_one`, nothing is not among what can be chosen.
pub(super) fn offer(ground: &Ground<'_>, pool: &PoolAvailability, at_least_one: bool) -> Offer {
    let Listing { doc, groups, .. } = ground.listing;
    let group = groups.get(pool.no.group);
    let taken = chosen(ground.typed, &pool.key);
    let several = ground.availability.pools.len() > 1;
    let most = pool.available.min(ground.listing.policy().max_quantity).min(MAX_ENTRIES);
    let quantities = (i64::from(at_least_one)..=most).map(|quantity| Quantity {
        value: Take { quantity, price: pool.price, key: &pool.key }.value(),
        text: quantity.to_string(),
        chosen: quantity == taken,
    });
    Offer {
        title: group.map_or_else(|| pool.key.clone(), |group| group.title.clone()),
        price: money::price(pool.price, &doc.currency),
        stock: Stock::of(pool, ground.now),
        quantities: if pool.available > 0 { quantities.collect() } else { Vec::new() },
        id: format!("take-{}", pool.no.group),
        wait: wait_at(ground, pool, &[]).filter(|_| several && pool.available <= 0),
    }
}

/// Where one waits for a pool of which nothing is left.
pub(super) fn wait_at(
    ground: &Ground<'_>,
    pool: &PoolAvailability,
    along: &[(&str, &str)],
) -> Option<String> {
    let fields = along.iter().copied().chain([(WAIT, pool.key.as_str())]);
    let takes = ground.waits && ground.listing.on_sale(pool.no, ground.now);
    takes.then(|| format!("{}#wait", address(ground.base, fields)))
}

/// What places cost together: counted by the script as they are chosen.
#[derive(Template)]
#[template(path = "choice/sum.html")]
pub(crate) struct Sum {
    /// Whether there is something to choose from.
    pub several: bool,
    /// The currency, by whose rules amounts are written.
    pub currency: String,
    /// Its digits after the point.
    pub exponent: u32,
}

impl Sum {
    /// For this listing.
    pub(crate) fn new(ground: &Ground<'_>) -> Self {
        let currency = ground.listing.doc.currency.clone();
        Self { several: ground.availability.pools.len() > 1, exponent: money::exponent(&currency), currency }
    }
}
