//! The form that joins a waitlist: what for, how many, who; and what waiting means, said before anybody waits.

use lastseat_core::command::WaitFor;
use lastseat_core::listing::request::{Claim, LineSpec};
use lastseat_core::listing::{Kind, Listing};
use lastseat_core::refusal::FieldError;
use lastseat_core::time::Time;
use lastseat_core::waitlist::Want;
use lastseat_engine::{Availability, PoolAvailability};

use super::super::visit::Visit;
use crate::pages::error::PageError;
use crate::pages::field::Field;
use crate::pages::form::Form;
use crate::pages::lines::{self, Item};
use crate::pages::trouble::{self, Trouble};
use crate::pages::{choice, dates, words};

/// The field with the key of the pool that is waited for.
pub(crate) const WAIT: &str = "wait";
/// Its value for any pool. No pool has this key.
pub(crate) const ANY: &str = "*";
/// The field with how many units of it.
const QUANTITY: &str = "quantity";
/// The field with the last day on which one waits.
pub(crate) const UNTIL: &str = "until";
/// Most entries of a list of quantities.
const MAX_ENTRIES: i64 = 100;
/// What is carried along for a booking that was refused.
const ALONG: [&str; 9] = ["name", "email", "phone", "take", "each", "room", "check_in", "check_out", "rooms"];

/// What waiting means.
pub(crate) struct Meaning {
    /// How many wait already.
    pub line: String,
    /// Whether that is how many wait in the whole listing: then it changes by itself.
    pub whole: bool,
    /// How long it is held for who has waited.
    pub hold: String,
    /// Whether something has to be paid then.
    pub paid: bool,
}

/// A form that joins.
pub(crate) struct Ask {
    /// What stands above it.
    pub title: &'static str,
    /// What happened.
    pub text: &'static str,
    /// Whether it stands in the place of the form that books.
    pub alone: bool,
    /// What is waited for, where that is settled.
    pub items: Vec<Item>,
    /// Who waits, where that is known already.
    pub who: Option<String>,
    /// What is known already.
    pub hidden: Vec<(String, String)>,
    /// What has to be filled in.
    pub fields: Vec<Field>,
    /// What waiting means.
    pub meaning: Meaning,
    /// The way back to the form that books.
    pub back: Option<String>,
}

/// The fields of a form as what to wait for.
///
/// # Errors
/// What is missing or cannot be read.
pub(crate) fn wanted(listing: &Listing, form: &Form) -> Result<WaitFor, Vec<FieldError>> {
    let key = form.get(WAIT);
    if key.is_empty() {
        return Ok(WaitFor::Claim(choice::awaited(listing, form)?));
    }
    let quantity = match form.get(QUANTITY) {
        "" => 1,
        text => text.parse().map_err(|_| vec![FieldError::new("any.quantity", "must be a whole number")])?,
    };
    if key == ANY {
        return Ok(WaitFor::Any(quantity));
    }
    Ok(WaitFor::Claim(Claim::Lines(vec![LineSpec { pool: key.to_owned(), quantity }])))
}

/// Until when a form wants to wait: the end of a day, or none.
///
/// # Errors
/// What cannot be read, or is over.
pub(crate) fn until(listing: &Listing, form: &Form, now: Time) -> Result<Option<Time>, Vec<FieldError>> {
    let Some(day) = form.text(UNTIL) else { return Ok(None) };
    match dates::parse_day_end(&day, listing.zone()) {
        Ok(end) if end > now => Ok(Some(end)),
        Ok(_) => Err(vec![FieldError::new(UNTIL, "Choose today or a later day.")]),
        Err(text) => Err(vec![FieldError::new(UNTIL, text)]),
    }
}

/// The field for that.
pub(crate) fn until_field(listing: &Listing, typed: &Form, trouble: Option<&Trouble>, now: Time) -> Field {
    let errors = trouble.map_or(&[][..], |trouble| &trouble.fields);
    let zone = dates::zone_name(&listing.doc.timezone, listing.zone(), now);
    Field::new(UNTIL, "Wait until", typed.get(UNTIL))
        .kind("date")
        .optional("-")
        .hint(format!("To the end of that day, {zone}. Empty: as long as it is sold."))
        .errors(errors, UNTIL)
}

/// What to wait for, with its pools found; none where there is no such thing.
fn want(listing: &Listing, wait: &WaitFor) -> Option<Want> {
    Some(match wait {
        WaitFor::Any(quantity) => Want::Any(*quantity),
        WaitFor::Claim(claim) => Want::lines(&claim.resolve(listing).ok()?),
    })
}

impl Meaning {
    /// Of waiting for something in this listing, with what is known of that.
    fn new(listing: &Listing, ahead: i64, whole: bool) -> Self {
        let policy = listing.policy();
        Self {
            line: words::waiting(ahead),
            whole,
            hold: dates::duration(policy.hold_seconds),
            paid: !policy.payment.is_empty(),
        }
    }

    /// Of waiting for this, behind those who want the same.
    ///
    /// # Errors
    /// `503` if the store fails.
    pub(crate) async fn of(visit: &Visit, listing: &Listing, wait: &WaitFor) -> Result<Self, PageError> {
        let ahead = match want(listing, wait) {
            Some(want) => visit.engine().waiting_for(listing.no, want.reach()).await?,
            None => 0,
        };
        Ok(Self::new(listing, ahead, false))
    }
}

impl Ask {
    /// For a listing of which nothing is left: one chooses what to wait for, or says that anything will do.
    pub(crate) fn all(
        listing: &Listing,
        availability: &Availability,
        typed: &Form,
        trouble: Option<&Trouble>,
        contact: Vec<Field>,
    ) -> Self {
        let pools = &availability.pools;
        let plain: Vec<&PoolAvailability> = pools.iter().filter(|pool| is_plain(listing, pool)).collect();
        let mut hidden = Vec::new();
        let mut fields = Vec::new();
        match (plain.as_slice(), pools.len()) {
            ([only], 1) => hidden.push((WAIT.to_owned(), only.key.clone())),
            ([], _) => hidden.push((WAIT.to_owned(), ANY.to_owned())),
            _ => {
                let (one, _) = words::units(listing.kind());
                let any = (ANY.to_owned(), format!("Any {one}, whatever comes free"));
                let named = plain.iter().map(|pool| (pool.key.clone(), trouble::name(listing, pool.no)));
                let options: Vec<(String, String)> = std::iter::once(any).chain(named).collect();
                let options = options.iter().map(|(value, text)| (value.as_str(), text.as_str()));
                fields.push(
                    Field::new(WAIT, "Wait for", typed.get(WAIT)).choices(options).optional("-").full(),
                );
            }
        }
        let most = pools.iter().map(|pool| pool.capacity).sum();
        fields.extend(quantity(listing, most, typed, trouble));
        fields.extend(contact);
        let held = pools.iter().any(|pool| pool.held > 0);
        Self {
            title: "Join the waitlist",
            text: if held {
                "Everything is taken, but not all of it is paid for yet. What comes back goes to those who wait, first come, \
                 first served."
            } else {
                "Everything is taken. What comes back goes to those who wait, first come, first served."
            },
            alone: true,
            items: Vec::new(),
            who: None,
            hidden,
            fields,
            meaning: Meaning::new(listing, availability.waiting, true),
            back: None,
        }
    }

    /// For one pool of which nothing is left, while there are others.
    ///
    /// # Errors
    /// `503` if the store fails.
    pub(crate) async fn one(
        visit: &Visit,
        listing: &Listing,
        pool: &PoolAvailability,
        typed: &Form,
        trouble: Option<&Trouble>,
        contact: Vec<Field>,
    ) -> Result<Self, PageError> {
        let mut fields: Vec<Field> = quantity(listing, pool.capacity, typed, trouble).into_iter().collect();
        fields.extend(contact);
        let line = LineSpec { pool: pool.key.clone(), quantity: 1 };
        let wait = WaitFor::Claim(Claim::Lines(vec![line]));
        let looked_at = ["day", "section"].map(|name| (name, typed.get(name)));
        let back = crate::pages::form::address(&format!("/listings/{}", listing.id), looked_at);
        Ok(Self {
            title: "Join the waitlist",
            text: "This is taken. If it comes back, it goes to those who wait, first come, first served.",
            alone: true,
            items: want(listing, &wait).map(|want| lines::wanted(listing, &want)).unwrap_or_default(),
            who: None,
            hidden: vec![(WAIT.to_owned(), pool.key.clone())],
            fields,
            meaning: Meaning::of(visit, listing, &wait).await?,
            back: Some(back),
        })
    }

    /// For a booking that was refused because something of it is sold out: all that was typed comes along.
    ///
    /// # Errors
    /// `503` if the store fails.
    pub(crate) async fn again(
        visit: &Visit,
        listing: &Listing,
        typed: &Form,
        wait: &WaitFor,
        alone: bool,
    ) -> Result<Self, PageError> {
        let hidden = typed.fields().filter(|(name, value)| ALONG.contains(name) && !value.is_empty());
        Ok(Self {
            title: "Wait for it instead?",
            text: "What comes back goes to those who wait, first come, first served.",
            alone,
            items: want(listing, wait).map(|want| lines::wanted(listing, &want)).unwrap_or_default(),
            who: typed.text("name"),
            hidden: hidden.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            fields: Vec::new(),
            meaning: Meaning::of(visit, listing, wait).await?,
            back: None,
        })
    }
}

/// Whether a pool can be waited for by its name: seats are too many to be listed.
fn is_plain(listing: &Listing, pool: &PoolAvailability) -> bool {
    matches!(listing.kind(), Kind::Places | Kind::Seats)
        && listing.groups.get(pool.no.group).is_some_and(|group| group.seat.is_none())
}

/// The field for how many; none if only one can be had.
fn quantity(listing: &Listing, most: i64, typed: &Form, trouble: Option<&Trouble>) -> Option<Field> {
    let most = listing.policy().max_quantity.min(most).min(MAX_ENTRIES);
    if most < 2 {
        return None;
    }
    let numbers: Vec<String> = (1..=most).map(|number| number.to_string()).collect();
    let options = numbers.iter().map(|number| (number.as_str(), number.as_str()));
    let errors = trouble.map_or(&[][..], |trouble| &trouble.fields);
    let field = Field::new(QUANTITY, "How many", typed.get(QUANTITY)).choices(options).optional("-").full();
    Some(field.errors(errors, "any.quantity"))
}
