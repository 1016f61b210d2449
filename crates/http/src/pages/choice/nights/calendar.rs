//! The calendar of a room type: a month at a time, each day a link, so that a stay is two of them.

use std::collections::HashMap;

use askama::Template;
use jiff::ToSpan;
use jiff::civil::Date;
use lastseat_core::calendar::parse_date;
use lastseat_core::listing::{Group, Shape, night_date};
use lastseat_engine::PoolAvailability;

use super::{ROOM, Stay, room};
use crate::pages::choice::{Ground, PICK};
use crate::pages::form::{address, split};
use crate::pages::stock::are_few;
use crate::pages::{dates, money};

/// A room type to be looked at.
pub(crate) struct Room {
    /// What it is called.
    pub title: String,
    /// Where it is shown.
    pub href: String,
    /// Its price, or from which on.
    pub price: String,
    /// Whether it is the one that is shown.
    pub current: bool,
}

/// A day of the calendar.
pub(crate) struct Cell {
    /// The date.
    pub date: Date,
    /// Day of the month.
    pub number: i8,
    /// What a screen reader says.
    pub label: String,
    /// What choosing it leads to; none if it cannot be chosen.
    pub href: Option<String>,
    /// Key of the pool, by which live changes find it.
    pub pool: String,
    /// Its price, short.
    pub price: String,
    /// How many are left; none for nights that do not exist.
    pub left: Option<i64>,
    /// Classes: `free`, `few`, `full`, `off`, and `edge`, `within` for the stay.
    pub class: String,
    /// Whether the night can be had.
    pub current: bool,
}

/// The days of the week, short and in full.
const WEEKDAYS: [(&str, &str); 7] = [
    ("Mo", "Monday"),
    ("Tu", "Tuesday"),
    ("We", "Wednesday"),
    ("Th", "Thursday"),
    ("Fr", "Friday"),
    ("Sa", "Saturday"),
    ("Su", "Sunday"),
];

/// The calendar of a room type.
#[derive(Template)]
#[template(path = "choice/nights.html")]
pub(crate) struct View {
    /// The room types.
    pub rooms: Vec<Room>,
    /// The key of the one that is shown.
    pub room: String,
    /// The fields of the address of this page that have to come along.
    pub along: Vec<(String, String)>,
    /// Where the dates are sent to be looked at.
    pub path: String,
    /// The month.
    pub month: String,
    /// The month before.
    pub earlier: Option<String>,
    /// The month after.
    pub later: Option<String>,
    /// Its weeks.
    pub weeks: Vec<Vec<Option<Cell>>>,
    /// The first and the last date of the calendar.
    pub first: String,
    /// See `first`.
    pub last: String,
    /// What is in the fields.
    pub check_in: String,
    /// What is in the fields.
    pub check_out: String,
    /// What to do next.
    pub hint: &'static str,
    /// The currency.
    pub currency: String,
    /// From and until when one comes and goes.
    pub times: String,
    /// The form that only looks.
    pub form: &'static str,
}

impl View {
    /// The heads of the columns.
    #[expect(clippy::unused_self, reason = "templates reach functions through the value they show")]
    pub(crate) fn weekdays(&self) -> [(&'static str, &'static str); 7] {
        WEEKDAYS
    }

    pub(in crate::pages::choice) fn new(ground: &Ground<'_>, stay: Option<&Stay<'_>>) -> Self {
        let (listing, zone) = (ground.listing, ground.listing.zone());
        let today = dates::date_of(ground.now, zone);
        let (calendar, times) = match &listing.doc.shape {
            Shape::Nights { calendar, check_in_time, check_out_time, .. } => {
                let clock = |time: &jiff::civil::Time| time.strftime("%H:%M").to_string();
                let times = format!(
                    "Check-in from {}, check-out until {}",
                    clock(check_in_time),
                    clock(check_out_time)
                );
                (Some(*calendar), times)
            }
            _ => (None, String::new()),
        };
        let (first, until) = calendar.map_or((today, today), |calendar| (calendar.from, calendar.until));
        let (group, room) = room(listing, ground.typed).unzip();
        let (group, room) = (group.unwrap_or(0), room.map_or("", |room| room.key.as_str()));
        let of_room: HashMap<Date, &PoolAvailability> = ground
            .availability
            .pools
            .iter()
            .filter(|pool| pool.no.group == group)
            .map(|pool| (night_date(pool.no), pool))
            .collect();
        let first_free =
            of_room.values().filter(|pool| pool.available > 0).map(|pool| night_date(pool.no)).min();
        let asked = parse_date(&format!("{}-01", ground.typed.get("month"))).ok();
        let shown = asked.or(stay.map(|stay| stay.check_in)).or(first_free).unwrap_or(today.max(first));
        let month = shown.clamp(first, until).first_of_month();
        let links = Links { ground, room, stay };
        let next = month.checked_add(1.month()).unwrap_or(month);
        let before = month.checked_sub(1.month()).unwrap_or(month);
        let choosing_out = stay.is_some_and(|stay| stay.check_out.is_none());
        let (path, along) = split(ground.base);
        Self {
            rooms: rooms(ground, room, stay),
            room: room.to_owned(),
            along,
            path,
            month: dates::month(month),
            earlier: (month > first.max(today).first_of_month()).then(|| links.month(before)),
            later: (next < until).then(|| links.month(next)),
            weeks: weeks(&links, month, &of_room, today),
            first: first.max(today).to_string(),
            last: until.to_string(),
            check_in: stay.map(|stay| stay.check_in.to_string()).unwrap_or_default(),
            check_out: stay.and_then(|stay| stay.check_out).map(|date| date.to_string()).unwrap_or_default(),
            hint: match stay {
                None => "Choose the day you come.",
                Some(_) if choosing_out => "Now choose the day you leave.",
                Some(_) => "To choose anew, begin with the day you come.",
            },
            currency: listing.doc.currency.clone(),
            times: format!("{times}, {}", dates::zone_name(&listing.doc.timezone, zone, ground.now)),
            form: PICK,
        }
    }
}

struct Links<'a> {
    ground: &'a Ground<'a>,
    room: &'a str,
    stay: Option<&'a Stay<'a>>,
}

impl Links<'_> {
    fn to(&self, room: &str, check_in: Option<Date>, check_out: Option<Date>, month: Option<Date>) -> String {
        let text = |date: Option<Date>| date.map(|date| date.to_string()).unwrap_or_default();
        let (check_in, check_out) = (text(check_in), text(check_out));
        let month = month.map(|month| month.strftime("%Y-%m").to_string()).unwrap_or_default();
        let fields = [(ROOM, room), ("check_in", &check_in), ("check_out", &check_out), ("month", &month)];
        format!("{}#choose", address(self.ground.base, fields))
    }

    fn month(&self, month: Date) -> String {
        let check_in = self.stay.map(|stay| stay.check_in);
        self.to(self.room, check_in, self.stay.and_then(|stay| stay.check_out), Some(month))
    }
}

fn rooms(ground: &Ground<'_>, current: &str, stay: Option<&Stay<'_>>) -> Vec<Room> {
    let links = Links { ground, room: current, stay };
    let dates = stay.map(|stay| (stay.check_in, stay.check_out));
    let room = |(number, group): (u32, &Group)| {
        let prices =
            ground.availability.pools.iter().filter(|pool| pool.no.group == number).map(|pool| pool.price);
        let (low, high) = prices.fold((i64::MAX, 0), |(low, high), price| (low.min(price), high.max(price)));
        let low = low.min(high);
        let from = if low == high { "" } else { "from " };
        Room {
            title: group.title.clone(),
            href: links.to(&group.key, dates.map(|dates| dates.0), dates.and_then(|dates| dates.1), None),
            price: format!("{from}{} a night", money::price(low, &ground.listing.doc.currency)),
            current: group.key == current,
        }
    };
    (0u32..).zip(ground.listing.groups.all()).map(room).collect()
}

fn weeks(
    links: &Links<'_>,
    month: Date,
    of_room: &HashMap<Date, &PoolAvailability>,
    today: Date,
) -> Vec<Vec<Option<Cell>>> {
    let before = usize::try_from(month.weekday().to_monday_zero_offset()).unwrap_or(0);
    let mut cells: Vec<Option<Cell>> = (0..before).map(|_| None).collect();
    cells.extend(
        month
            .series(1.day())
            .take_while(|date| date.month() == month.month())
            .map(|date| Some(cell(links, date, of_room.get(&date).copied(), today))),
    );
    while !cells.len().is_multiple_of(7) {
        cells.push(None);
    }
    let mut cells = cells.into_iter();
    let mut weeks = Vec::new();
    loop {
        let week: Vec<Option<Cell>> = cells.by_ref().take(7).collect();
        if week.is_empty() {
            return weeks;
        }
        // Weeks that are over only take up room.
        if !weeks.is_empty() || week.iter().flatten().any(|cell| cell.date >= today) {
            weeks.push(week);
        }
    }
}

fn cell(links: &Links<'_>, date: Date, pool: Option<&PoolAvailability>, today: Date) -> Cell {
    let listing = links.ground.listing;
    let currency = &listing.doc.currency;
    let left = pool.map(|pool| pool.available);
    let leaving = links.stay.filter(|stay| stay.check_out.is_none() && date > stay.check_in);
    let takes = |left: i64| left > 0 || links.ground.waits;
    let open = left.is_some_and(takes) && date >= today;
    let href = match leaving {
        Some(stay) => Some(links.to(links.room, Some(stay.check_in), Some(date), None)),
        None if open => Some(links.to(links.room, Some(date), None, Some(date))),
        None => None,
    };
    let mut class = match pool {
        Some(pool) if date >= today => match pool.available {
            ..=0 => "full",
            left if are_few(left, pool.capacity) => "few",
            _ => "free",
        },
        _ => "off",
    }
    .to_owned();
    let (mut current, mut what) = (false, if leaving.is_some() { "choose as the day you leave" } else { "" });
    if let Some(stay) = links.stay {
        if date == stay.check_in || Some(date) == stay.check_out {
            class.push_str(" edge");
            current = true;
            what = if date == stay.check_in { "the day you come" } else { "the day you leave" };
        } else if date > stay.check_in && stay.check_out.is_some_and(|out| date < out) {
            class.push_str(" within");
        }
    }
    let night = match pool {
        Some(pool) if pool.available > 0 => {
            format!("{}, {} left", money::price(pool.price, currency), pool.available)
        }
        Some(_) => "full".to_owned(),
        None => "no night".to_owned(),
    };
    let label = [dates::day(date), night, what.to_owned()].into_iter().filter(|part| !part.is_empty());
    Cell {
        date,
        number: date.day(),
        label: label.collect::<Vec<_>>().join(", "),
        href,
        pool: pool.map(|pool| pool.key.clone()).unwrap_or_default(),
        price: pool
            .filter(|_| date >= today)
            .map(|pool| money::compact(pool.price, currency))
            .unwrap_or_default(),
        left: left.filter(|_| date >= today),
        class,
        current,
    }
}
