//! A long stay costs little more than a short one.

use jiff::civil::{Date, date};
use jiff::{Span, ToSpan};
use lastseat_bench::embedded::Embedded;
use lastseat_bench::latency::Percentiles;
use lastseat_core::listing::request::{Claim, StaySpec};
use lastseat_engine::EngineConfig;
use serde_json::json;

use super::{Entry, LONG_HOLD_SECONDS};
use crate::figure::{Bound, Figure, Samples, Unit};
use crate::lab::Lab;

pub(super) const ENTRY: Entry = Entry {
    name: "stay",
    title: "A long stay",
    how: "Stays of 30 nights and of one night in a hotel of one room type, with arrivals spread over 300 days, by one \
          caller (median latency) and by 1,000 callers (time per booking).",
    measure,
};

/// The first night that exists; far off, so that it is on sale whenever this is measured.
const FROM: Date = date(2100, 1, 1);
/// Nights that exist.
const NIGHTS: i64 = 400;
/// Days over which arrivals are spread.
const ARRIVALS: u64 = 300;
/// Nights of a long stay.
const LONG: i64 = 30;
/// Callers, with the bookings of a round.
const ONE: (u64, u64) = (1, 3_000);
const MANY: (u64, u64) = (1_000, 60_000);

fn measure(lab: &Lab) -> anyhow::Result<Vec<Figure>> {
    let [mut long_one, mut short_one, mut long_many, mut short_many] = [Unit::Millis; 4].map(Samples::new);
    for _ in 0..lab.rounds() {
        for (nights, one, many) in
            [(LONG, &mut long_one, &mut long_many), (1, &mut short_one, &mut short_many)]
        {
            one.push(stays(lab, nights, ONE)?.0);
            many.push(stays(lab, nights, MANY)?.1);
        }
    }
    let most = Bound::AtMost(3.0);
    Ok(vec![
        Figure::ratio("30 nights, 1 caller", &long_one, "1 night", &short_one, most),
        Figure::ratio("30 nights, 1,000 callers", &long_many, "1 night", &short_many, most),
    ])
}

/// The median latency, and the time per booking, in milliseconds.
fn stays(lab: &Lab, nights: i64, (callers, bookings): (u64, u64)) -> anyhow::Result<(f64, f64)> {
    let dir = lab.fresh()?;
    let embedded = Embedded::start(dir.path(), EngineConfig::default())?;
    let bookings = lab.scaled(bookings, callers);
    let until = FROM.checked_add(Span::new().try_days(NIGHTS)?)?;
    let timed = lab.block_on(async {
        let form = json!({
            "kind": "nights", "title": "Benchmark", "timezone": "Europe/Berlin", "currency": "EUR",
            "resources": [{"key": "double", "capacity": 1_000_000, "price": 9_900}],
            "calendar": {"from": FROM, "until": until},
            "policy": {"payment": ["receipt"], "hold_seconds": LONG_HOLD_SECONDS},
        });
        let listing = embedded.listing(form).await?;
        let timed =
            embedded.book_all(listing.id, callers, bookings, move |number| stay(number, nights)).await?;
        embedded.stop().await;
        anyhow::Ok(timed)
    })?;
    Ok((Percentiles::of(&timed.latencies).p50_ms, 1_000.0 / timed.per_second()))
}

fn stay(number: u64, nights: i64) -> Claim {
    let arrival = i64::try_from(number % ARRIVALS).expect("a few hundred");
    let check_in = FROM + arrival.days();
    Claim::Stay(StaySpec {
        resource: "double".to_owned(),
        check_in,
        check_out: check_in + nights.days(),
        quantity: 1,
    })
}
