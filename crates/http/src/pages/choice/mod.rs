//! Choosing what to book: one view per kind, the same for a new booking and for moving an old one. What is chosen
//! goes into the form `book`; links and the form `pick` only look around.

mod nights;
mod places;
mod seats;
mod slots;
mod take;

use askama::Template;
use lastseat_core::command::WaitFor;
use lastseat_core::line::Lines;
use lastseat_core::listing::request::Claim;
use lastseat_core::listing::{Kind, Listing};
use lastseat_core::refusal::FieldError;
use lastseat_core::time::Time;
use lastseat_engine::Availability;

use super::form::Form;
pub(crate) use take::{TAKE, Take, Wanted};

/// The id of the form that books.
pub(crate) const BOOK: &str = "book";
/// The id of the form that only looks around.
pub(crate) const PICK: &str = "pick";

/// What a choice is made from.
pub(crate) struct Ground<'a> {
    /// The listing.
    pub listing: &'a Listing,
    /// What is left.
    pub availability: &'a Availability,
    /// The store's clock.
    pub now: Time,
    /// What was chosen so far: the query, or the form that was sent.
    pub typed: &'a Form,
    /// The address of this page, to which what is looked at is added.
    pub base: &'a str,
    /// Whether what is sold out can be waited for.
    pub waits: bool,
}

/// The part of a page in which something is chosen.
pub(crate) struct Choice {
    /// The part itself, as HTML.
    pub html: String,
    /// What was chosen so far, as HTML: it stands inside the form that books.
    pub summary: String,
    /// The stay that was chosen, if it is full and can be waited for.
    pub waits: Option<WaitFor>,
}

impl Choice {
    /// The choice for a listing.
    ///
    /// # Errors
    /// When a template fails.
    pub(crate) fn new(ground: &Ground<'_>) -> askama::Result<Self> {
        match ground.listing.kind() {
            Kind::Places => {
                let view = places::View::new(ground);
                Ok(Self { html: view.render()?, summary: places::Sum::new(ground).render()?, waits: None })
            }
            Kind::Nights => {
                let stay = nights::Stay::of(ground);
                let html = nights::View::new(ground, stay.as_ref()).render()?;
                let summary = nights::Summary::new(ground, stay.as_ref()).render()?;
                let waits = stay.as_ref().and_then(|stay| stay.to_wait_for(ground));
                Ok(Self { html, summary, waits: waits.map(|stay| WaitFor::Claim(Claim::Stay(stay))) })
            }
            Kind::Seats => {
                let view = seats::View::new(ground);
                let summary = seats::Summary { view: &view }.render()?;
                Ok(Self { html: view.render()?, summary, waits: None })
            }
            Kind::Slots => {
                let view = slots::View::new(ground);
                let summary = slots::Summary { view: &view }.render()?;
                Ok(Self { html: view.render()?, summary, waits: None })
            }
        }
    }
}

/// What a form asks for, and the total that its sender saw.
///
/// # Errors
/// What is missing or cannot be read.
pub(crate) fn wanted(listing: &Listing, form: &Form) -> Result<Wanted, Vec<FieldError>> {
    match listing.kind() {
        Kind::Nights => nights::wanted(form),
        Kind::Places => take::wanted(form, "Choose how many places you want."),
        Kind::Seats => take::wanted(form, "Choose at least one seat."),
        Kind::Slots => take::wanted(form, "Choose at least one time."),
    }
}

/// What to wait for, by the fields of a form: those of a choice, or pools by their keys.
///
/// # Errors
/// What is missing or cannot be read.
pub(crate) fn awaited(listing: &Listing, form: &Form) -> Result<Claim, Vec<FieldError>> {
    let named = form.find(TAKE).is_some();
    let wanted = if named { take::wanted(form, "Choose what to wait for.") } else { wanted(listing, form) };
    Ok(wanted?.claim)
}

/// These pools as fields, for a form that asks for them once more.
#[must_use]
pub(crate) fn fields_of(listing: &Listing, lines: &Lines) -> Vec<(&'static str, String)> {
    let field = |line: &lastseat_core::line::Line| {
        let key = listing.pool_key(line.pool);
        (TAKE, Take { quantity: line.quantity, price: line.unit_price, key: &key }.value())
    };
    lines.iter().map(field).collect()
}

/// Fields of a claim: an error at one of them belongs to the choice, not to a field of the form.
#[must_use]
pub(crate) fn is_about_the_choice(field: &str) -> bool {
    let lines = Claim::Lines(Vec::new());
    [lines.field(), "stay", "slot", "choice", "any"].into_iter().any(|name| {
        field.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    })
}
