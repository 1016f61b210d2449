//! `POST /admin/bookings/{id}/{what}`: what operators do with a booking. Each is the command that the API sends.

use axum::extract::Path;
use lastseat_core::command::{Action, BookingChange, MoneyIn};
use lastseat_core::id::BookingId;
use lastseat_core::refusal::{Code, FieldError, Refusal};

use super::booking::{find, render};
use super::session::Desk;
use crate::pages::error::PageError;
use crate::pages::form::{Form, address};
use crate::pages::money;
use crate::pages::trouble::Trouble;
use crate::pages::visit::{Page, Visit};

/// `POST /admin/bookings/{id}/{what}`
pub(crate) async fn decide(
    Desk { visit, operator }: Desk,
    Path((id, what)): Path<(String, String)>,
    form: Form,
) -> Page {
    visit.check_seal(&form)?;
    let (listing, booking) = find(&visit, &id).await?;
    let (change, did) = match read(&what, &form, &listing.doc.currency) {
        Ok(Some(found)) => found,
        Ok(None) => return Err(PageError::not_found("page")),
        Err(errors) => {
            return render(&visit, &id, Some(trouble(Refusal::invalid(errors), &visit, &listing))).await;
        }
    };
    let seen = form.get("version").parse().ok();
    let action = Action::Booking { id: booking.id, change };
    let done = visit.submit(operator.actor(), &form, seen, action).await;
    let in_review = form.get("from") == "review";
    match done {
        Ok(_) if in_review => Ok(visit.redirect(&next(&form, "did", did))),
        Ok(_) => Ok(visit.redirect(&address(&format!("/admin/bookings/{id}"), [("did", did)]))),
        Err(refusal) if in_review && refusal.code == Code::WrongState => {
            Ok(visit.redirect(&next(&form, "trouble", "decided")))
        }
        Err(refusal) if in_review && refusal.code == Code::StaleVersion => {
            let fields = [("at", id.as_str()), ("trouble", "changed")];
            Ok(visit.redirect(&address("/admin/review", fields)))
        }
        Err(refusal) => render(&visit, &id, Some(trouble(refusal, &visit, &listing))).await,
    }
}

/// The review of the booking after this one.
fn next(form: &Form, word: &str, value: &str) -> String {
    let next = form.get("next").parse::<BookingId>().map(|id| id.to_string()).unwrap_or_default();
    address("/admin/review", [("at", next.as_str()), (word, value)])
}

fn trouble(refusal: Refusal, visit: &Visit, listing: &lastseat_core::listing::Listing) -> Trouble {
    let told = refusal.detail.clone();
    let code = refusal.code;
    let mut trouble = Trouble::of(refusal, listing, visit.now);
    if matches!(code, Code::Invalid) {
        (trouble.title, trouble.text) = ("That cannot be done like this".to_owned(), told);
        trouble.points.clear();
    }
    trouble
}

type Read = Result<Option<(BookingChange, &'static str)>, Vec<FieldError>>;

fn read(what: &str, form: &Form, currency: &str) -> Read {
    let amount = || {
        money::parse(form.get("amount"), currency).map_err(|text| vec![FieldError::new("The amount", text)])
    };
    let reference = || form.text("reference").unwrap_or_default();
    Ok(Some(match what {
        "approve" => (BookingChange::Approve, "approved"),
        "reject" => (BookingChange::Reject { reason: reason(form)? }, "rejected"),
        "cancel" => (BookingChange::Cancel { reason: form.text("reason") }, "cancelled-booking"),
        "confirm" => {
            let (amount, currency) = (amount()?, currency.to_owned());
            (BookingChange::Confirm(MoneyIn { amount, currency, reference: reference() }), "confirmed")
        }
        "refund" => (BookingChange::Refund { amount: amount()?, reference: reference() }, "refund"),
        "extend" => {
            let minutes: i64 = form
                .get("minutes")
                .parse()
                .map_err(|_| vec![FieldError::new("The minutes", "must be a whole number")])?;
            (BookingChange::Extend { seconds: minutes.saturating_mul(60) }, "extended-booking")
        }
        _ => return Ok(None),
    }))
}

/// The reason of a rejection: what was written, else what was picked.
fn reason(form: &Form) -> Result<String, Vec<FieldError>> {
    form.text("reason").or_else(|| form.text("picked")).ok_or_else(|| {
        vec![FieldError::new("The reason", "is missing: the customer has to know what is wrong")]
    })
}
