//! `GET` and `POST /admin/listings/{id}/pools`: capacities, what is withheld, prices.

use askama::Template;
use axum::extract::Path;
use http::StatusCode;
use jiff::civil::Date;
use lastseat_core::calendar::parse_date;
use lastseat_core::command::{Action, PoolRange, PoolSpec, PoolsChange};
use lastseat_core::listing::{Kind, Listing};
use lastseat_core::refusal::{Code, FieldError, Refusal, RefusalData};
use lastseat_engine::Availability;

use super::listing::find;
use super::session::AdminDesk;
use crate::pages::field::{Field, sentence};
use crate::pages::form::Form;
use crate::pages::shell::Shell;
use crate::pages::trouble::{Point, Trouble, name};
use crate::pages::visit::{Page, Visit};
use crate::pages::{CATCH_UP, dates, flash, money};

/// Days of the calendar that are shown.
const SHOWN_DAYS: usize = 42;

/// A pool whose numbers can be changed by themselves.
struct Row {
    key: String,
    title: String,
    sold: i64,
    held: i64,
    kept: i64,
    fields: Vec<Field>,
}

/// A date of a resource.
struct Day {
    date: String,
    title: String,
    slots: i64,
    capacity: i64,
    blocked: i64,
    taken: i64,
    kept: i64,
    price: String,
}

#[derive(Template)]
#[template(path = "admin/pools.html")]
struct View<'a> {
    shell: Shell,
    listing: &'a Listing,
    path: String,
    rows: Vec<Row>,
    can_add: bool,
    new: Vec<Field>,
    range: Vec<Field>,
    seats: Vec<Field>,
    days: Vec<Day>,
    trouble: Option<Trouble>,
}

/// `GET /admin/listings/{id}/pools`
pub(crate) async fn ask(AdminDesk(desk): AdminDesk, Path(id): Path<String>) -> Page {
    render(&desk.visit, &id, &Form::default(), None).await
}

/// `POST /admin/listings/{id}/pools`
pub(crate) async fn put(AdminDesk(desk): AdminDesk, Path(id): Path<String>, form: Form) -> Page {
    let visit = &desk.visit;
    visit.check_seal(&form)?;
    let listing = find(visit, &id).await?;
    let availability = visit.engine().availability(&listing).await?;
    let change = match read(&form, &listing, &availability) {
        Ok(change) => change,
        Err(errors) => {
            return render(visit, &id, &form, Some(trouble(Refusal::invalid(errors), &listing))).await;
        }
    };
    let action = Action::PutPools { id: listing.id, change };
    match visit.submit(desk.operator.actor(), &form, None, action).await {
        Ok(_) => {
            tokio::time::sleep(CATCH_UP).await;
            Ok(visit.redirect(&format!("/admin/listings/{}/pools?did=pools", listing.id)))
        }
        Err(refusal) => render(visit, &id, &form, Some(trouble(refusal, &listing))).await,
    }
}

fn trouble(refusal: Refusal, listing: &Listing) -> Trouble {
    let status = refusal.code.status();
    let mut trouble = Trouble::new(status, "Nothing was changed", String::new());
    match refusal.data {
        RefusalData::Fields(errors) => {
            let point =
                |error: &FieldError| Point { text: sentence(&error.field, &error.message), next: None };
            trouble.points = errors.iter().map(point).collect();
        }
        RefusalData::Pools { pools, .. } if refusal.code == Code::CapacityInUse => {
            trouble.text = "More is sold and held than would be left to sell:".to_owned();
            let point = |pool: &lastseat_core::refusal::ShortPool| {
                let title =
                    listing.find_pool(&pool.key).map_or_else(|| pool.key.clone(), |no| name(listing, no));
                let text = format!(
                    "{title}: {} sold, {} held, {} wanted.",
                    pool.confirmed, pool.held, pool.requested
                );
                Point { text, next: None }
            };
            trouble.points = pools.iter().map(point).collect();
        }
        _ => trouble.text = refusal.detail,
    }
    trouble
}

type Numbers = (Option<i64>, Option<i64>, Option<i64>);

/// Capacity, what is withheld, and price: those that were filled in.
fn numbers(form: &Form, at: impl Fn(&str) -> String, currency: &str) -> Result<Numbers, Vec<FieldError>> {
    let mut errors = Vec::new();
    let mut whole = |column: &str, label: &str| {
        let text = form.text(&at(column))?;
        let number = text.parse().map_err(|_| errors.push(FieldError::new(label, "must be a whole number")));
        number.ok()
    };
    let (capacity, blocked) = (whole("capacity", "Capacity"), whole("blocked", "Withheld"));
    let price = form.text(&at("price")).and_then(|text| {
        money::parse(&text, currency).map_err(|message| errors.push(FieldError::new("Price", message))).ok()
    });
    if errors.is_empty() { Ok((capacity, blocked, price)) } else { Err(errors) }
}

fn read(form: &Form, listing: &Listing, availability: &Availability) -> Result<PoolsChange, Vec<FieldError>> {
    let currency = &listing.doc.currency;
    let wrong = |field: &str, message: &str| vec![FieldError::new(field, message)];
    if form.get("what") == "range" {
        let date = |name: &str| {
            parse_date(form.get(name)).map_err(|_| wrong("The dates", "must be a first and a last date"))
        };
        let (from, last): (Date, Date) = (date("from")?, date("last")?);
        let until = last.tomorrow().map_err(|_| wrong("The last date", "is too far away"))?;
        let (capacity, blocked, price) = numbers(form, |column| format!("range.{column}"), currency)?;
        let resource = form.get("resource").to_owned();
        return Ok(PoolsChange::Range(PoolRange { resource, from, until, capacity, blocked, price }));
    }
    if form.get("what") == "seats" {
        let (_, blocked, price) = numbers(form, |column| format!("seats.{column}"), currency)?;
        let keys: Vec<String> = form
            .get("keys")
            .split([',', '\n'])
            .map(|key| key.trim().to_owned())
            .filter(|key| !key.is_empty())
            .collect();
        if keys.is_empty() {
            return Err(wrong("The seats", "must be named, one to a line"));
        }
        let spec = |key: String| PoolSpec { key, capacity: None, blocked, price };
        return Ok(PoolsChange::Pools(keys.into_iter().map(spec).collect()));
    }
    let mut specs = Vec::new();
    let plain = availability.pools.iter().filter(|pool| is_plain(listing, pool.no.group));
    for (index, pool) in plain.enumerate() {
        let (capacity, blocked, price) = numbers(form, |column| format!("pool.{index}.{column}"), currency)?;
        let changed = |new: Option<i64>, old: i64| new.filter(|new| *new != old);
        let spec = PoolSpec {
            key: pool.key.clone(),
            capacity: changed(capacity, pool.capacity),
            blocked: changed(blocked, pool.blocked),
            price: changed(price, pool.price),
        };
        if spec.capacity.or(spec.blocked).or(spec.price).is_some() {
            specs.push(spec);
        }
    }
    if let Some(key) = form.text("new.key") {
        let (capacity, blocked, price) = numbers(form, |column| format!("new.{column}"), currency)?;
        specs.push(PoolSpec { key, capacity, blocked, price });
    }
    if specs.is_empty() {
        return Err(wrong("The numbers", "are the same as before"));
    }
    Ok(PoolsChange::Pools(specs))
}

/// Whether a group has one pool that is no seat.
fn is_plain(listing: &Listing, group: u32) -> bool {
    matches!(listing.kind(), Kind::Places | Kind::Seats)
        && listing.groups.get(group).is_some_and(|group| group.seat.is_none())
}

async fn render(visit: &Visit, id: &str, typed: &Form, trouble: Option<Trouble>) -> Page {
    let listing = find(visit, id).await?;
    let availability = visit.engine().availability(&listing).await?;
    let status = trouble.as_ref().and_then(|trouble| StatusCode::from_u16(trouble.status).ok());
    let currency = &listing.doc.currency;
    let dated = listing.kind().is_dated();
    let field = |name: String, label: &str, now: String| {
        let value = typed.find(&name).map_or(now, str::to_owned);
        Field::new(name, label, value).optional("-")
    };
    let price_label = format!("Price in {currency}");
    let trio = |prefix: &str, [capacity, blocked, price]: [String; 3]| {
        vec![
            field(format!("{prefix}.capacity"), "Capacity", capacity).kind("number"),
            field(format!("{prefix}.blocked"), "Withheld", blocked).kind("number"),
            field(format!("{prefix}.price"), &price_label, price).kind("decimal"),
        ]
    };
    let empty = || [String::new(), String::new(), String::new()];
    let plain = availability.pools.iter().filter(|pool| is_plain(&listing, pool.no.group)).enumerate();
    let rows = plain.map(|(index, pool)| Row {
        key: pool.key.clone(),
        title: listing.groups.get(pool.no.group).map(|group| group.title.clone()).unwrap_or_default(),
        sold: pool.confirmed,
        held: pool.held,
        kept: pool.kept,
        fields: trio(
            &format!("pool.{index}"),
            [pool.capacity.to_string(), pool.blocked.to_string(), money::plain(pool.price, currency)],
        ),
    });
    let mut range = Vec::new();
    if dated {
        let groups = listing.groups.all().iter().map(|group| (group.key.as_str(), group.title.as_str()));
        range.push(field("resource".to_owned(), "For", String::new()).choices(groups));
        range.push(field("from".to_owned(), "From", String::new()).kind("date"));
        range.push(field("last".to_owned(), "Until, with this day", String::new()).kind("date"));
        range.extend(trio("range", empty()));
    }
    let mut seats = Vec::new();
    if listing.groups.all().iter().any(|group| group.seat.is_some()) {
        let keys = field("keys".to_owned(), "Seats, one to a line", String::new()).kind("textarea").full();
        seats.push(keys.hint("By their keys in the plan: A-1."));
        let options = [("", "As it is"), ("1", "Withhold them"), ("0", "Sell them")];
        seats.push(field("seats.blocked".to_owned(), "On sale", String::new()).choices(options));
        seats.push(field("seats.price".to_owned(), &price_label, String::new()).kind("decimal"));
    }
    let mut new = vec![field("new.key".to_owned(), "Key", String::new())];
    new.extend(trio("new", empty()));
    let view = View {
        shell: visit
            .admin_shell("Capacity and prices")
            .current("overview")
            .flash(flash::of(&visit.query))
            .script("admin.js"),
        path: format!("/admin/listings/{}", listing.id),
        rows: rows.collect(),
        can_add: listing.kind() == Kind::Places,
        new,
        range,
        seats,
        days: if dated { days(&listing, &availability, visit.now) } else { Vec::new() },
        listing: &listing,
        trouble,
    };
    Ok(visit.show_private(status.unwrap_or(StatusCode::OK), &view))
}

/// The days to come, with the numbers of each resource.
fn days(listing: &Listing, availability: &Availability, now: lastseat_core::time::Time) -> Vec<Day> {
    let zone = listing.zone();
    let today = dates::date_of(now, zone);
    let mut found: std::collections::BTreeMap<(Date, u32), (Day, i64, i64)> =
        std::collections::BTreeMap::new();
    for pool in &availability.pools {
        let Some(date) =
            pool.starts_at.map(|start| dates::date_of(start, zone)).filter(|date| *date >= today)
        else {
            continue;
        };
        let day = found.entry((date, pool.no.group)).or_insert_with(|| {
            let title =
                listing.groups.get(pool.no.group).map(|group| group.title.clone()).unwrap_or_default();
            let day = Day {
                date: dates::day(date),
                title,
                slots: 0,
                capacity: 0,
                blocked: 0,
                taken: 0,
                kept: 0,
                price: String::new(),
            };
            (day, i64::MAX, 0)
        });
        day.0.slots += 1;
        day.0.capacity += pool.capacity;
        day.0.blocked += pool.blocked;
        day.0.taken += pool.confirmed + pool.held;
        day.0.kept += pool.kept;
        (day.1, day.2) = (day.1.min(pool.price), day.2.max(pool.price));
    }
    let currency = &listing.doc.currency;
    let days = found.into_values().take(SHOWN_DAYS).map(|(day, low, high)| Day {
        price: if low == high {
            money::number(low, currency)
        } else {
            format!("{}–{}", money::number(low, currency), money::number(high, currency))
        },
        ..day
    });
    days.collect()
}
