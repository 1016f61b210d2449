//! `POST /listings/{id}/book`: a booking from the form of a listing's page.

use axum::extract::Path;
use lastseat_core::command::{Action, Actor, CreateBooking, WaitFor};
use lastseat_core::customer::Customer;
use lastseat_core::decide::Outcome;
use lastseat_core::listing::Listing;
use lastseat_core::refusal::{FieldError, RefusalData};
use lastseat_engine::ids;

use super::booking;
use super::choice;
use super::form::Form;
use super::listing::{Look, find, render};
use super::trouble::Trouble;
use super::visit::{Page, Visit};

/// What is told where the seal is not good. What was typed is still there, and sending it again is enough.
const UNSEALED: &str = "The page lay open for very long, or cookies are switched off. Nothing was booked, and what \
     you filled in is still here: send it again.";

/// `GET /listings/{id}/book`: somebody loads the answer again.
pub(crate) async fn again(visit: Visit, Path(id): Path<String>) -> Page {
    let (listing, _) = find(&visit, &id).await?;
    Ok(visit.redirect(&format!("/listings/{}", listing.id)))
}

/// `POST /listings/{id}/book`
pub(crate) async fn create(mut visit: Visit, Path(id): Path<String>, form: Form) -> Page {
    let (listing, availability) = find(&visit, &id).await?;
    if !visit.is_sealed(&form) {
        let trouble = Trouble::new(403, "Please send it once more", UNSEALED);
        return render(&visit, &listing, &availability, Look::refused(&form, trouble)).await;
    }
    let create = match read(&visit, &listing, &form) {
        Ok(create) => create,
        Err(errors) => {
            let look = Look::refused(&form, Trouble::fields(errors));
            return render(&visit, &listing, &availability, look).await;
        }
    };
    let wanted = create.claim.clone();
    match visit.submit(Actor::Public, &form, None, Action::CreateBooking(Box::new(create))).await {
        Ok(Outcome::Booking(booking)) => {
            let token = visit.engine().secret().booking_token(booking.id);
            visit.set_cookie(visit.wallet.with(booking.id, &token));
            Ok(visit.redirect(&booking::address_of(booking.id, &token)))
        }
        Ok(_) => Ok(visit.redirect(&format!("/listings/{}", listing.id))),
        Err(refusal) => {
            // What is left has changed: show it as it is now.
            let waits = matches!(refusal.data, RefusalData::Pools { waitlist: Some(_), .. });
            let (listing, availability) = find(&visit, &id).await?;
            let look = Look::refused(&form, Trouble::of(refusal, &listing, visit.now));
            let again = waits.then_some(WaitFor::Claim(wanted));
            render(&visit, &listing, &availability, Look { again, ..look }).await
        }
    }
}

/// Who the form is for, and what is wrong with that.
pub(crate) fn customer(listing: &Listing, form: &Form) -> (Customer, Vec<FieldError>) {
    let customer = Customer {
        name: form.text("name").unwrap_or_default(),
        email: form.text("email"),
        phone: form.text("phone"),
        telegram_id: None,
        external_id: None,
    };
    let mut errors = customer.problems();
    if listing.policy().limits_customers() && customer.identity().is_none() {
        let text = "or a telephone number is needed, because one customer may have only so many here";
        errors.push(FieldError::new("customer.email", text));
    }
    (customer, errors)
}

fn read(visit: &Visit, listing: &Listing, form: &Form) -> Result<CreateBooking, Vec<FieldError>> {
    let (customer, mut errors) = customer(listing, form);
    let wanted = match choice::wanted(listing, form) {
        Ok(wanted) if errors.is_empty() => wanted,
        wanted => {
            errors.extend(wanted.err().unwrap_or_default());
            return Err(errors);
        }
    };
    let (address, max_open_holds_of_address) = visit.address();
    Ok(CreateBooking {
        id: ids::booking_id(),
        listing: listing.id,
        claim: wanted.claim,
        expected_total: wanted.total,
        customer,
        address,
        max_open_holds_of_address,
        note: form.text("note"),
        pass: None,
    })
}
