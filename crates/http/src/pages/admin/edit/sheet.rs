//! How the form of a listing is shown: sections of fields, and the tables of its kind.

use lastseat_core::calendar::Weekday;
use lastseat_core::listing::{Kind, Listing, PaymentMethod};
use lastseat_core::refusal::FieldError;
use lastseat_core::seating::SeatingPlan;

use super::filled::serde_name;
use super::rows;
use crate::pages::field::Field;
use crate::pages::form::Form;
use crate::pages::words;

/// Days of the week, Monday first, as the form shows them.
const DAYS: [&str; 7] = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"];

/// Fields under a heading.
pub(super) struct Section {
    /// The heading.
    pub title: &'static str,
    /// What it is about.
    pub hint: &'static str,
    /// The fields.
    pub fields: Vec<Field>,
}

/// A row of a table of pools or resources.
pub(super) struct Row {
    /// Its fields.
    pub fields: Vec<Field>,
    /// What cannot be changed here, in words; for rows that exist already.
    pub kept: Option<String>,
    /// Fields that only come along.
    pub hidden: Vec<(String, String)>,
}

/// A table of pools or resources.
pub(super) struct Table {
    /// Its name in the form.
    pub name: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// What it is about.
    pub hint: &'static str,
    /// Its rows.
    pub rows: Vec<Row>,
}

/// Opening hours on some days.
pub(super) struct Hours {
    /// The days.
    pub days: Field,
    /// From when.
    pub from: Field,
    /// Until when.
    pub until: Field,
}

/// A seating plan.
pub(super) struct Plan {
    /// The plan as it was sent, to come along; empty if there is none yet.
    pub text: String,
    /// What was read: `Sample hall, 140 seats`.
    pub read: Option<String>,
    /// What is wrong with it.
    pub error: Option<String>,
    /// The prices of its categories.
    pub prices: Vec<Field>,
}

/// The form.
pub(super) struct Sheet {
    /// The kind, as a value.
    pub kind: &'static str,
    /// What cannot be changed, in words.
    pub fixed: Vec<(&'static str, String)>,
    /// What it is.
    pub first: Vec<Section>,
    /// What there is of it.
    pub table: Option<Table>,
    /// When it is open.
    pub hours: Vec<Hours>,
    /// What is wrong with the hours.
    pub hours_error: Option<String>,
    /// The plan.
    pub plan: Option<Plan>,
    /// The terms.
    pub last: Vec<Section>,
    /// Names of time zones to choose from.
    pub zones: Vec<String>,
    /// Whether there is a file in it.
    pub has_file: bool,
}

/// A form with the errors of its fields.
struct Maker<'a> {
    form: &'a Form,
    errors: &'a [FieldError],
}

impl Sheet {
    /// The form of a kind, or of a listing that is edited.
    pub(super) fn new(kind: Kind, form: &Form, errors: &[FieldError], listing: Option<&Listing>) -> Self {
        let make = Maker { form, errors };
        let is_new = listing.is_none();
        let mut first = vec![make.texts(is_new)];
        if is_new {
            first.push(make.money_and_zone());
        }
        match kind {
            Kind::Places | Kind::Seats => first.push(make.times()),
            Kind::Nights => first.push(make.nights()),
            Kind::Slots => first.push(make.slots(is_new)),
        }
        let mut last = vec![make.payment(), make.limits(), make.window()];
        if is_new {
            last.push(make.status());
        }
        Self {
            kind: kind.as_str(),
            fixed: listing.map(fixed).unwrap_or_default(),
            first,
            table: make.table(kind, listing),
            hours: if kind == Kind::Slots { make.hours() } else { Vec::new() },
            hours_error: make.error("opening_hours", "Opening hours"),
            plan: (kind == Kind::Seats && is_new).then(|| make.plan()),
            last,
            zones: if is_new { zones() } else { Vec::new() },
            has_file: is_new,
        }
    }
}

/// What a listing keeps for ever.
fn fixed(listing: &Listing) -> Vec<(&'static str, String)> {
    vec![
        ("Kind", words::kind(listing.kind()).to_owned()),
        ("Time zone", listing.doc.timezone.clone()),
        ("Currency", listing.doc.currency.clone()),
    ]
}

/// Time zones that people live in.
fn zones() -> Vec<String> {
    let all = jiff::tz::TimeZoneDatabase::bundled();
    let named = |name: &String| {
        let continents =
            ["Africa/", "America/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/"];
        continents.iter().any(|continent| name.starts_with(continent))
    };
    all.available().map(|name| name.to_string()).filter(named).collect()
}

impl Maker<'_> {
    fn field(&self, name: &str, label: &str) -> Field {
        Field::new(name, label, self.form.get(name)).optional("-").errors(self.errors, name)
    }

    fn error(&self, name: &str, label: &str) -> Option<String> {
        self.field(name, label).error
    }

    fn texts(&self, is_new: bool) -> Section {
        let hint = if is_new { "What people see first." } else { "" };
        let fields = vec![
            self.field("title", "Name").required().full(),
            self.field("category", "What it is").hint("A word for people: gig, hotel, cinema, pitch."),
            self.field("city", "City"),
            self.field("venue", "Venue"),
            self.field("description", "Text").kind("textarea").full(),
        ];
        Section { title: "What it is", hint, fields }
    }

    fn money_and_zone(&self) -> Section {
        let zone = self
            .field("timezone", "Time zone")
            .required()
            .list("zones")
            .hint("All its times are in it: Asia/Tashkent.");
        let currency = self.field("currency", "Currency").required().hint("Three letters: UZS, EUR.");
        Section {
            title: "Zone and money",
            hint: "These stay as they are once the listing is made.",
            fields: vec![zone, currency],
        }
    }

    fn times(&self) -> Section {
        let start = self.field("starts_at", "Begins").kind("datetime-local");
        let end =
            self.field("ends_at", "Ends").kind("datetime-local").hint("Empty: an hour after it begins.");
        Section { title: "When", hint: "On the clocks of its time zone.", fields: vec![start, end] }
    }

    fn dates(&self, first: &str, last: &str) -> [Field; 2] {
        // Errors are about the calendar as a whole.
        let from = self.field("calendar.from", first).kind("date").required();
        let whole = self.error("calendar", "The calendar");
        let from = Field { error: from.error.clone().or(whole), ..from };
        [from, self.field("calendar.last", last).kind("date").required()]
    }

    fn nights(&self) -> Section {
        let mut fields = self.dates("First night", "Last night").to_vec();
        fields.push(self.field("check_in_time", "Check-in from").kind("time"));
        fields.push(self.field("check_out_time", "Check-out until").kind("time"));
        fields.push(self.field("min_nights", "Shortest stay, in nights").kind("number"));
        Section { title: "When", hint: "The calendar can grow later, and never shrinks.", fields }
    }

    fn slots(&self, is_new: bool) -> Section {
        let mut fields = self.dates("First day", "Last day").to_vec();
        if is_new {
            fields.push(self.field("slot_minutes", "Length of a slot, in minutes").kind("number").required());
            fields.push(self.field("buffer_minutes", "Pause after each, in minutes").kind("number"));
        }
        Section { title: "When", hint: "The calendar can grow later, and never shrinks.", fields }
    }

    fn hours(&self) -> Vec<Hours> {
        let hours = |row: usize| {
            let at = |column: &str| format!("opening_hours[{row}].{column}");
            let names = Weekday::ALL.map(|day| serde_name(&day));
            let days = names.iter().map(String::as_str).zip(DAYS);
            let chosen = at("days");
            Hours {
                days: Field::new(at("days"), "On", "").boxes(days, self.form.all(&chosen)),
                from: self.field(&at("from"), "From").kind("time").optional("-"),
                until: self.field(&at("until"), "Until").kind("time").optional("-"),
            }
        };
        (0..rows::count(self.form, "opening_hours").max(1)).map(hours).collect()
    }

    fn table(&self, kind: Kind, listing: Option<&Listing>) -> Option<Table> {
        let (name, title, hint) = match kind {
            Kind::Places if listing.is_none() => {
                ("pools", "Places", "One row per kind of place: adult, child.")
            }
            Kind::Seats if listing.is_none() => {
                ("pools", "Standing areas", "Beside the seats of the plan, if there are any.")
            }
            Kind::Places | Kind::Seats => return None,
            Kind::Nights => {
                ("resources", "Rooms", "One row per type of room, with how many there are each night.")
            }
            Kind::Slots => ("resources", "What can be booked", "One row per pitch, table or chair."),
        };
        let kept = listing
            .map_or(0, |listing| listing.groups.all().iter().filter(|group| group.seat.is_none()).count());
        let rows = (0..rows::count(self.form, name).max(1))
            .map(|row| self.row(name, row, listing.filter(|_| row < kept)))
            .collect();
        Some(Table { name, title, hint, rows })
    }

    fn row(&self, table: &str, row: usize, existing: Option<&Listing>) -> Row {
        let at = |column: &str| format!("{table}[{row}].{column}");
        let title = self.field(&at("title"), "Name").optional("-");
        if let Some(listing) = existing {
            let [key, capacity, price] =
                ["key", "capacity", "price"].map(|column| self.form.get(&at(column)).to_owned());
            return Row {
                fields: vec![title],
                kept: Some(format!(
                    "Key {key}, {capacity} of it at {price} {} when it was made",
                    listing.doc.currency
                )),
                hidden: vec![(at("key"), key), (at("capacity"), capacity), (at("price"), price)],
            };
        }
        let fields = vec![
            title,
            self.field(&at("capacity"), "How many").kind("number").optional("-"),
            self.field(&at("price"), "Price of one").kind("decimal").optional("empty: free"),
            self.field(&at("key"), "Key").optional("from the name"),
        ];
        Row { fields, kept: None, hidden: Vec::new() }
    }

    fn plan(&self) -> Plan {
        let text = self.form.get("plan").to_owned();
        let plan = (!text.is_empty()).then(|| SeatingPlan::parse(text.as_bytes()));
        let mut error =
            self.error("seating.plan", "The plan").or_else(|| self.error("seating.prices", "The plan"));
        let mut prices = Vec::new();
        let mut read = None;
        match plan {
            Some(Ok(plan)) => {
                read = Some(format!(
                    "{}, {}",
                    plan.name,
                    words::count(i64::try_from(plan.seats.len()).unwrap_or(0), "seat", "seats")
                ));
                for category in &plan.categories {
                    let name = format!("seating.prices.{}", category.name);
                    prices.push(self.field(&name, &category.name).kind("decimal").required());
                }
            }
            Some(Err(fault)) => error = Some(format!("The plan cannot be used: {fault}.")),
            None => {}
        }
        let text = if read.is_some() { text } else { String::new() };
        Plan { text, read, error, prices }
    }

    fn payment(&self) -> Section {
        let methods = [PaymentMethod::Receipt, PaymentMethod::External];
        let names = methods.map(|method| serde_name(&method));
        let options = names.iter().zip(methods).map(|(name, method)| (name.as_str(), words::payment(method)));
        let boxes =
            Field::new("policy.payment", "Accepted", "").boxes(options, self.form.all("policy.payment"));
        let boxes = boxes
            .hint("None: nothing is paid, and bookings are confirmed at once.")
            .errors(self.errors, "policy.payment");
        let how = self.field("policy.payment_instructions", "How to pay").kind("textarea").full();
        let how =
            how.hint("Shown to the customer while the place is held: a card number, an account, a link.");
        let minutes = |name: &str, label: &str| self.field(name, label).kind("decimal");
        let fields = vec![
            boxes.full(),
            how,
            minutes("policy.hold_seconds", "Held for, in minutes"),
            minutes("policy.hold_max_seconds", "Extended to, in minutes")
                .hint("Empty: half an hour, or as long as the hold."),
            minutes("policy.review_seconds", "Receipt check, in hours"),
        ];
        Section {
            title: "Payment",
            hint: "A change is for new bookings; others keep what they were made under.",
            fields,
        }
    }

    fn limits(&self) -> Section {
        let fields = vec![
            self.field("policy.max_quantity", "Most in one booking").kind("number"),
            self.field("policy.max_per_customer", "Most for one customer")
                .kind("number")
                .optional("empty: no limit"),
            self.field("policy.max_open_holds", "Most unpaid bookings of one customer")
                .kind("number")
                .optional("empty: no limit"),
            self.field(
                "policy.cancel_until_seconds",
                "Customers may cancel until, in hours before it begins",
            )
            .kind("decimal"),
            Field::new("policy.waitlist", "When it is sold out", "")
                .boxes([("yes", "People may wait for what comes back")], self.form.all("policy.waitlist")),
        ];
        Section { title: "Limits", hint: "", fields }
    }

    fn window(&self) -> Section {
        let opens =
            self.field("sale_opens_at", "Sale begins").kind("datetime-local").optional("empty: at once");
        let closes = self
            .field("sale_closes_at", "Sale ends")
            .kind("datetime-local")
            .optional("empty: when it begins");
        Section { title: "Sale", hint: "", fields: vec![opens, closes] }
    }

    fn status(&self) -> Section {
        let options =
            [("draft", "A draft: only operators see it"), ("published", "Published: everybody sees it")];
        let status = self.field("status", "It begins as").choices(options).optional("-");
        Section { title: "Ready?", hint: "", fields: vec![status] }
    }
}
