//! What a booking claims, in words, and what it costs: one entry per stay, slot, seat or kind of place. And what
//! somebody waits for, who hears what it costs when it is offered.

use lastseat_core::booking::Booking;
use lastseat_core::line::{Line, Lines, Run};
use lastseat_core::listing::{Kind, Listing, night_date};
use lastseat_core::pool::PoolNo;
use lastseat_core::waitlist::Want;

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
    of(listing, &booking.lines)
}

/// What somebody waits for, without prices.
#[must_use]
pub(crate) fn wanted(listing: &Listing, want: &Want) -> Vec<Item> {
    let bare = |item: Item| Item { price: String::new(), ..item };
    match want {
        Want::Lines(lines) => of(listing, lines).into_iter().map(bare).collect(),
        Want::Any(quantity) => {
            vec![Item { what: any(listing, *quantity), when: String::new(), price: String::new() }]
        }
    }
}

/// `Any seat`, `Any 2 places`
#[must_use]
pub(crate) fn any(listing: &Listing, quantity: i64) -> String {
    let (one, many) = words::units(listing.kind());
    if quantity == 1 { format!("Any {one}") } else { format!("Any {quantity} {many}") }
}

fn of(listing: &Listing, lines: &Lines) -> Vec<Item> {
    let mut items: Vec<Item> = match listing.kind() {
        Kind::Nights => lines.runs().iter().map(|run| stay(listing, lines, run)).collect(),
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
    on_one_line(&items(listing, booking), booking.lines.len())
}

/// What somebody waits for, on one line.
#[must_use]
pub(crate) fn wanted_brief(listing: &Listing, want: &Want) -> String {
    let all = match want {
        Want::Lines(lines) => lines.len(),
        Want::Any(_) => 1,
    };
    on_one_line(&wanted(listing, want), all)
}

fn on_one_line(items: &[Item], all: usize) -> String {
    let Some(first) = items.first() else { return String::new() };
    let glue = if first.when.is_empty() { "" } else { ", " };
    let more =
        if items.len() > 1 { format!(" and {} more", all.max(items.len()) - 1) } else { String::new() };
    format!("{}{glue}{}{more}", first.what, first.when)
}

fn title(listing: &Listing, group: u32) -> String {
    listing.groups.get(group).map_or_else(|| "?".to_owned(), |group| group.title.clone())
}

fn times(quantity: i64, title: String) -> String {
    if quantity == 1 { title } else { format!("{quantity} × {title}") }
}

fn stay(listing: &Listing, lines: &Lines, run: &Run) -> Item {
    let within =
        |line: &&Line| line.pool.group == run.group && (run.first..=run.last).contains(&line.pool.position);
    let total: i64 = lines.iter().filter(within).map(|line| line.quantity * line.unit_price).sum();
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
