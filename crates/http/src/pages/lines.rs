//! What a booking claims, in words, and what it costs: one entry per stay, slot, seat or kind of place.

use lastseat_core::booking::Booking;
use lastseat_core::line::{Line, Run};
use lastseat_core::listing::{Kind, Listing, night_date};
use lastseat_core::pool::PoolNo;

use super::{dates, money, words};

/// Most entries that are told one by one.
const MAX_ITEMS: usize = 40;

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    /// `2 × Worker`, `Double room`
    pub what: String,
    /// `Thu 24 Dec 2026 – Sun 27 Dec 2026, 3 nights`; may be empty.
    pub when: String,
    /// What it costs.
    pub price: String,
}

/// The entries of a booking. Of very many the last one says how many more there are.
#[must_use]
pub(crate) fn items(listing: &Listing, booking: &Booking) -> Vec<Item> {
    let lines = &booking.lines;
    let mut items: Vec<Item> = match listing.kind() {
        Kind::Nights => lines.runs().iter().map(|run| stay(listing, booking, run)).collect(),
        _ => lines.iter().take(MAX_ITEMS + 1).map(|line| single(listing, line)).collect(),
    };
    let all = if listing.kind() == Kind::Nights { items.len() } else { lines.len() };
    if all > MAX_ITEMS {
        items.truncate(MAX_ITEMS);
        let what = format!("and {} more", all - MAX_ITEMS);
        items.push(Item { what, when: String::new(), price: String::new() });
    }
    items
}

/// The whole booking on one line: `2 × Worker`, `Double room, Thu 24 Dec 2026 – Sun 27 Dec 2026, 3 nights`.
#[must_use]
pub(crate) fn brief(listing: &Listing, booking: &Booking) -> String {
    let items = items(listing, booking);
    let Some(first) = items.first() else { return String::new() };
    let glue = if first.when.is_empty() { "" } else { ", " };
    let more = if items.len() > 1 {
        format!(" and {} more", booking.lines.len().max(items.len()) - 1)
    } else {
        String::new()
    };
    format!("{}{glue}{}{more}", first.what, first.when)
}

fn title(listing: &Listing, group: u32) -> String {
    listing.groups.get(group).map_or_else(|| "?".to_owned(), |group| group.title.clone())
}

fn times(quantity: i64, title: String) -> String {
    if quantity == 1 { title } else { format!("{quantity} × {title}") }
}

fn stay(listing: &Listing, booking: &Booking, run: &Run) -> Item {
    let within =
        |line: &&Line| line.pool.group == run.group && (run.first..=run.last).contains(&line.pool.position);
    let total: i64 = booking.lines.iter().filter(within).map(|line| line.quantity * line.unit_price).sum();
    let night = |position| night_date(PoolNo::new(run.group, position));
    let nights = i64::from(run.last - run.first) + 1;
    let leave = night(run.last).tomorrow().unwrap_or(jiff::civil::Date::MAX);
    Item {
        what: times(run.quantity, title(listing, run.group)),
        when: format!(
            "{} – {}, {}",
            dates::day(night(run.first)),
            dates::day(leave),
            words::count(nights, "night", "nights")
        ),
        price: money::price(total, &listing.doc.currency),
    }
}

fn single(listing: &Listing, line: &Line) -> Item {
    let when = match (listing.kind(), listing.pool_starts_at(line.pool), listing.pool_ends_at(line.pool)) {
        (Kind::Slots, Some(start), Some(end)) => dates::span(start, end, listing.zone()),
        _ => String::new(),
    };
    Item {
        what: times(line.quantity, title(listing, line.pool.group)),
        when,
        price: money::price(line.quantity * line.unit_price, &listing.doc.currency),
    }
}
