//! From the page's form to the form that the engine takes.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use lastseat_core::calendar::{MinuteOfDay, OpeningHours, Weekday, parse_date};
use lastseat_core::listing::spec::{ListingSpec, ResourceSpec, SeatingSpec};
use lastseat_core::listing::{Calendar, Kind, Listing, PaymentMethod, Policy, zone};
use lastseat_core::refusal::FieldError;
use lastseat_core::time::Time;

use super::rows;
use crate::pages::form::Form;
use crate::pages::{dates, money, words};

/// Longest time that a field can name, in its own unit; the engine has the real limits.
const MAX_PARTS: f64 = 1e9;

/// Reads one field after the other, and collects what is wrong.
struct Reader<'a> {
    form: &'a Form,
    errors: Vec<FieldError>,
}

/// What the form says. `base` is what it does not say: an empty form, or the listing that is edited.
///
/// # Errors
/// Every field that cannot be read.
pub(super) fn spec(
    base: ListingSpec,
    form: &Form,
    listing: Option<&Listing>,
) -> Result<ListingSpec, Vec<FieldError>> {
    let mut reader = Reader { form, errors: Vec::new() };
    let mut spec = base;
    spec.title = form.text("title").unwrap_or_default();
    spec.category = form.text("category");
    spec.description = form.text("description");
    spec.city = form.text("city");
    spec.venue = form.text("venue");
    if listing.is_none() {
        spec.timezone = form.text("timezone").unwrap_or_default();
        spec.currency = form.text("currency").unwrap_or_default().to_uppercase();
        spec.status = words::parse_status(form.get("status")).unwrap_or(spec.status);
    }
    let zone = zone(&spec.timezone).unwrap_or(TimeZone::UTC);
    spec.sale_opens_at = reader.instant("sale_opens_at", &zone);
    spec.sale_closes_at = reader.instant("sale_closes_at", &zone);
    spec.policy = reader.policy();
    if matches!(spec.kind, Kind::Places | Kind::Seats) {
        spec.starts_at = reader.instant("starts_at", &zone);
        spec.ends_at = reader.instant("ends_at", &zone);
        if listing.is_none() {
            spec.pools = reader.resources("pools", &spec.currency);
        }
    } else {
        spec.calendar = reader.calendar();
        spec.resources = match listing {
            Some(_) => reader.grown(&spec.resources, &spec.currency),
            None => reader.resources("resources", &spec.currency),
        };
    }
    match spec.kind {
        Kind::Places => {}
        Kind::Seats if listing.is_none() => spec.seating = reader.seating(&spec.currency),
        Kind::Seats => {}
        Kind::Nights => {
            spec.check_in_time = reader.clock("check_in_time");
            spec.check_out_time = reader.clock("check_out_time");
            spec.min_nights = reader.small("min_nights");
        }
        Kind::Slots => {
            spec.opening_hours = reader.hours();
            if listing.is_none() {
                spec.slot_minutes = reader.small("slot_minutes");
                spec.buffer_minutes = reader.small("buffer_minutes");
            }
        }
    }
    if reader.errors.is_empty() { Ok(spec) } else { Err(reader.errors) }
}

impl Reader<'_> {
    fn wrong(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.errors.push(FieldError::new(field, message));
    }

    /// What a field says, if it says something; what cannot be read is noted.
    fn parsed<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let text = self.form.text(name)?;
        match parse(&text) {
            Ok(value) => Some(value),
            Err(message) => {
                self.wrong(name, message);
                None
            }
        }
    }

    fn instant(&mut self, name: &str, zone: &TimeZone) -> Option<Time> {
        self.parsed(name, |text| dates::parse_local(text, zone))
    }

    fn number(&mut self, name: &str) -> Option<i64> {
        self.parsed(name, |text| text.parse().map_err(|_| "must be a whole number".to_owned()))
    }

    fn small(&mut self, name: &str) -> Option<u32> {
        self.parsed(name, |text| text.parse().map_err(|_| "must be a whole number".to_owned()))
    }

    fn clock(&mut self, name: &str) -> Option<jiff::civil::Time> {
        self.parsed(name, |text| {
            let time = text.get(..5).and_then(|text| text.parse::<MinuteOfDay>().ok());
            time.and_then(MinuteOfDay::time).ok_or_else(|| "must be a time of the day like 15:00".to_owned())
        })
    }

    /// A length of time in units of `unit` seconds, as seconds.
    #[expect(clippy::cast_possible_truncation, reason = "it is no larger than MAX_PARTS units")]
    #[expect(clippy::cast_precision_loss, reason = "units are minutes and hours")]
    fn seconds(&mut self, name: &str, unit: i64) -> Option<i64> {
        self.parsed(name, |text| {
            let value: f64 = text.replace(',', ".").parse().map_err(|_| "must be a number".to_owned())?;
            if !(0.0..=MAX_PARTS).contains(&value) {
                return Err("must be a number that is not negative".to_owned());
            }
            Ok((value * unit as f64).round() as i64)
        })
    }

    fn policy(&mut self) -> Policy {
        let default = Policy::default();
        let methods = [PaymentMethod::Receipt, PaymentMethod::External, PaymentMethod::GiftCard];
        let form = self.form;
        let picked = |method: &PaymentMethod| form.has("policy.payment", &super::filled::serde_name(method));
        Policy {
            payment: methods.into_iter().filter(picked).collect(),
            payment_instructions: form.text("policy.payment_instructions"),
            hold_seconds: self.seconds("policy.hold_seconds", 60).unwrap_or(default.hold_seconds),
            hold_max_seconds: self.seconds("policy.hold_max_seconds", 60),
            review_seconds: self.seconds("policy.review_seconds", 3600).unwrap_or(default.review_seconds),
            max_quantity: self.number("policy.max_quantity").unwrap_or(default.max_quantity),
            max_per_customer: self.number("policy.max_per_customer"),
            max_open_holds: self.number("policy.max_open_holds"),
            cancel_until_seconds: self.seconds("policy.cancel_until_seconds", 3600).unwrap_or(0),
            waitlist: form.has("policy.waitlist", "yes"),
        }
    }

    fn calendar(&mut self) -> Option<Calendar> {
        let date = |text: &str| parse_date(text).map_err(|_| "must be a date".to_owned());
        let (from, last) = (self.parsed("calendar.from", date), self.parsed("calendar.last", date));
        Some(Calendar { from: from?, until: last?.tomorrow().ok()? })
    }

    fn resources(&mut self, table: &str, currency: &str) -> Vec<ResourceSpec> {
        (0..rows::count(self.form, table)).map(|row| self.resource(table, row, currency)).collect()
    }

    fn resource(&mut self, table: &str, row: usize, currency: &str) -> ResourceSpec {
        let at = |column: &str| format!("{table}[{row}].{column}");
        let title = self.form.text(&at("title"));
        let capacity = self.number(&at("capacity"));
        if capacity.is_none() && self.form.text(&at("capacity")).is_none() {
            self.wrong(at("capacity"), "must say how many there are");
        }
        ResourceSpec {
            key: self.form.text(&at("key")).unwrap_or_else(|| key_of(title.as_deref().unwrap_or_default())),
            title,
            capacity: capacity.unwrap_or(0),
            price: self.parsed(&at("price"), |text| money::parse(text, currency)).unwrap_or(0),
        }
    }

    /// The resources of a listing with the titles that the form gives them, and the new ones behind.
    fn grown(&mut self, old: &[ResourceSpec], currency: &str) -> Vec<ResourceSpec> {
        let form = self.form;
        let title = |row: usize| form.text(&format!("resources[{row}].title"));
        let mut all: Vec<ResourceSpec> = old
            .iter()
            .enumerate()
            .map(|(row, resource)| ResourceSpec {
                title: title(row).or(resource.title.clone()),
                ..resource.clone()
            })
            .collect();
        for row in old.len()..rows::count(form, "resources") {
            all.push(self.resource("resources", row, currency));
        }
        all
    }

    fn hours(&mut self) -> Vec<OpeningHours> {
        let mut all = Vec::new();
        for row in 0..rows::count(self.form, "opening_hours") {
            let at = |column: &str| format!("opening_hours[{row}].{column}");
            let form = self.form;
            let names = |day: &Weekday| form.has(&at("days"), &super::filled::serde_name(day));
            let days: Vec<_> = Weekday::ALL.into_iter().filter(names).collect();
            let minute =
                |name: &str| form.get(name).get(..5).and_then(|text| text.parse::<MinuteOfDay>().ok());
            let (Some(from), Some(until)) = (minute(&at("from")), minute(&at("until"))) else {
                self.wrong("opening_hours", format!("need a beginning and an end in row {}", row + 1));
                continue;
            };
            match OpeningHours::new(days, from, until) {
                Ok(hours) => all.push(hours),
                Err(_) => self.wrong("opening_hours", format!("need at least one day in row {}", row + 1)),
            }
        }
        all
    }

    fn seating(&mut self, currency: &str) -> Option<SeatingSpec> {
        let plan = self.form.text("plan").and_then(|text| match serde_json::from_str(&text) {
            Ok(plan) => Some(plan),
            Err(error) => {
                self.wrong("seating.plan", format!("is not a seating plan in JSON: {error}"));
                None
            }
        });
        let mut prices = BTreeMap::new();
        let fields: Vec<_> = self.form.under("seating.prices.").map(|(name, _)| name.to_owned()).collect();
        for category in fields {
            let name = format!("seating.prices.{category}");
            if let Some(price) = self.parsed(&name, |text| money::parse(text, currency)) {
                prices.insert(category, price);
            }
        }
        Some(SeatingSpec { plan, prices })
    }
}

/// A key made from a title: `Double room` is `double-room`.
fn key_of(title: &str) -> String {
    let mut key = String::new();
    for c in title.to_lowercase().chars() {
        match c {
            c if c.is_alphanumeric() => key.push(c),
            _ if !key.is_empty() && !key.ends_with('-') => key.push('-'),
            _ => {}
        }
    }
    key.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_from_titles() {
        assert_eq!(key_of("Double room"), "double-room");
        assert_eq!(key_of(" Pitch / 1! "), "pitch-1");
        assert_eq!(key_of(""), "");
    }
}
