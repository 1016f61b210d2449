//! What the form holds when it is opened: defaults for a new listing, or what a listing says.

use lastseat_core::listing::spec::ResourceSpec;
use lastseat_core::listing::{Kind, Listing, Policy, Status, change};

use crate::pages::form::Form;
use crate::pages::{dates, money};

/// A page's form for a new listing.
pub(super) fn blank(kind: Kind) -> Form {
    let mut form = Form::default();
    form.push("kind", kind.as_str());
    form.push("status", Status::Draft.as_str());
    form.push("policy.payment", "receipt");
    let policy = Policy { max_quantity: if kind == Kind::Nights { 3 } else { 10 }, ..Policy::default() };
    put_policy(&mut form, &policy);
    if kind == Kind::Nights {
        form.push("check_in_time", "15:00");
        form.push("check_out_time", "11:00");
        form.push("min_nights", "1");
    }
    if kind == Kind::Slots {
        form.push("slot_minutes", "60");
        form.push("buffer_minutes", "0");
        for day in ["mon", "tue", "wed", "thu", "fri"] {
            form.push("opening_hours[0].days", day);
        }
        form.push("opening_hours[0].from", "09:00");
        form.push("opening_hours[0].until", "22:00");
    }
    form
}

/// A page's form for a listing as it is.
pub(super) fn of(listing: &Listing) -> Form {
    let spec = change::form(listing);
    let zone = listing.zone();
    let mut form = Form::default();
    let mut put = |name: &str, value: Option<String>| form.push(name, value.unwrap_or_default());
    put("title", Some(spec.title.clone()));
    put("category", spec.category.clone());
    put("description", spec.description.clone());
    put("city", spec.city.clone());
    put("venue", spec.venue.clone());
    for (name, time) in [
        ("starts_at", spec.starts_at),
        ("ends_at", spec.ends_at),
        ("sale_opens_at", spec.sale_opens_at),
        ("sale_closes_at", spec.sale_closes_at),
    ] {
        put(name, time.map(|time| dates::local_field(time, zone)));
    }
    for (name, time) in [("check_in_time", spec.check_in_time), ("check_out_time", spec.check_out_time)] {
        put(name, time.map(|time| time.strftime("%H:%M").to_string()));
    }
    put("min_nights", spec.min_nights.map(|nights| nights.to_string()));
    if let Some(calendar) = spec.calendar {
        put("calendar.from", Some(calendar.from.to_string()));
        put("calendar.last", Some(calendar.until.yesterday().unwrap_or(calendar.until).to_string()));
    }
    for (row, resource) in spec.resources.iter().enumerate() {
        put_resource(&mut form, row, resource, &spec.currency);
    }
    for (row, hours) in spec.opening_hours.iter().enumerate() {
        for day in hours.days() {
            form.push(format!("opening_hours[{row}].days"), serde_name(day));
        }
        form.push(format!("opening_hours[{row}].from"), hours.from().to_string());
        form.push(format!("opening_hours[{row}].until"), hours.until().to_string().replace("24:00", "00:00"));
    }
    for method in &listing.policy().payment {
        form.push("policy.payment", serde_name(method));
    }
    put_policy(&mut form, listing.policy());
    form
}

fn put_resource(form: &mut Form, row: usize, resource: &ResourceSpec, currency: &str) {
    let at = |column: &str| format!("resources[{row}].{column}");
    form.push(at("title"), resource.title.clone().unwrap_or_default());
    form.push(at("key"), resource.key.clone());
    form.push(at("capacity"), resource.capacity.to_string());
    form.push(at("price"), money::plain(resource.price, currency));
    form.push(at("kept"), "yes");
}

fn put_policy(form: &mut Form, policy: &Policy) {
    let number = |value: Option<i64>| value.map(|value| value.to_string()).unwrap_or_default();
    form.push("policy.payment_instructions", policy.payment_instructions.clone().unwrap_or_default());
    form.push("policy.hold_seconds", parts(policy.hold_seconds, 60));
    let most = policy.hold_max_seconds.map(|seconds| parts(seconds, 60));
    form.push("policy.hold_max_seconds", most.unwrap_or_default());
    form.push("policy.review_seconds", parts(policy.review_seconds, 3600));
    form.push("policy.cancel_until_seconds", parts(policy.cancel_until_seconds, 3600));
    form.push("policy.max_quantity", policy.max_quantity.to_string());
    form.push("policy.max_per_customer", number(policy.max_per_customer));
    form.push("policy.max_open_holds", number(policy.max_open_holds));
    if policy.waitlist {
        form.push("policy.waitlist", "yes");
    }
}

/// The name of a unit variant in JSON.
pub(super) fn serde_name(value: &impl serde::Serialize) -> String {
    let json = serde_json::to_value(value).ok();
    json.and_then(|json| json.as_str().map(str::to_owned)).unwrap_or_default()
}

/// So many seconds in units of `unit` seconds: `10`, `1.5`. No more digits than it takes to come back exact.
pub(super) fn parts(seconds: i64, unit: i64) -> String {
    let (whole, rest) = (seconds / unit, seconds % unit);
    if rest == 0 {
        return whole.to_string();
    }
    let text = format!("{whole}.{:06}", rest * 1_000_000 / unit);
    text.trim_end_matches('0').to_owned()
}
