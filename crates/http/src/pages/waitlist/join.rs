//! `POST /listings/{id}/wait`: a place in line from the form of a listing's page.

use axum::extract::Path;
use lastseat_core::command::{Action, Actor, JoinWaitlist, WaitFor};
use lastseat_core::decide::Outcome;
use lastseat_core::id::WaitlistId;
use lastseat_core::listing::{Kind, Listing};
use lastseat_core::refusal::{Code, FieldError, Refusal, RefusalData};
use lastseat_engine::ids;

use super::address_of;
use super::ask::{self, UNTIL, WAIT};
use crate::pages::CATCH_UP;
use crate::pages::book::customer;
use crate::pages::choice::{TAKE, Take};
use crate::pages::form::Form;
use crate::pages::listing::{Look, find, render};
use crate::pages::trouble::Trouble;
use crate::pages::visit::{Page, Visit};

/// What is told where the seal is not good.
const UNSEALED: &str = "The page lay open for very long, or cookies are switched off. You do not wait yet, and what you \
     filled in is still here: send it again.";
/// What is told where the customer waits already, in another browser perhaps.
const ALREADY: &str = "Somebody with this e-mail address or telephone number waits here already, and one customer waits \
     once. Open the link that you were given when you joined.";

/// `GET /listings/{id}/wait`: somebody loads the answer again.
pub(crate) async fn again(visit: Visit, Path(id): Path<String>) -> Page {
    let (listing, _) = find(&visit, &id).await?;
    Ok(visit.redirect(&format!("/listings/{}", listing.id)))
}

/// `POST /listings/{id}/wait`
pub(crate) async fn join(mut visit: Visit, Path(id): Path<String>, form: Form) -> Page {
    let (listing, _) = find(&visit, &id).await?;
    let (join, trouble) = match read(&visit, &listing, &form) {
        Ok(join) if visit.is_sealed(&form) => (join, None),
        Ok(join) => (join, Some(Trouble::new(403, "Please send it once more", UNSEALED))),
        Err(errors) => {
            // Who waits and what for stands, if only the day is wrong.
            let stands = errors.iter().all(|error| error.field == UNTIL);
            let want = ask::wanted(&listing, &form).ok().filter(|_| stands);
            let trouble = Trouble { title: "You do not wait yet".into(), ..Trouble::fields(errors) };
            return refuse(&visit, &id, &form, want, trouble).await;
        }
    };
    if let Some(trouble) = trouble {
        return refuse(&visit, &id, &form, Some(join.want), trouble).await;
    }
    let want = join.want.clone();
    match visit.submit(Actor::Public, &form, None, Action::JoinWaitlist(Box::new(join))).await {
        Ok(Outcome::Waits(entry)) => {
            let token = visit.engine().secret().waitlist_token(entry.id);
            visit.set_cookie(visit.places.with(entry.id, &token));
            Ok(visit.redirect(&address_of(entry.id, &token)))
        }
        Ok(Outcome::WaitsAlready(entry)) => already(&visit, &id, &form, entry).await,
        Ok(_) => Ok(visit.redirect(&format!("/listings/{}", listing.id))),
        Err(refusal) if is_free(&refusal) => free(&visit, &id, &form, refusal).await,
        Err(refusal) => {
            let mut trouble = Trouble::of(refusal, &listing, visit.now);
            trouble.title = match trouble.fields.is_empty() && trouble.points.is_empty() {
                true => trouble.title,
                false => "You do not wait yet".to_owned(),
            };
            refuse(&visit, &id, &form, Some(want), trouble).await
        }
    }
}

fn read(visit: &Visit, listing: &Listing, form: &Form) -> Result<JoinWaitlist, Vec<FieldError>> {
    let (customer, mut errors) = customer(listing, form);
    let (address, max_open_holds_of_address) = visit.address();
    match (ask::wanted(listing, form), ask::until(listing, form, visit.now)) {
        (Ok(want), Ok(until)) if errors.is_empty() => Ok(JoinWaitlist {
            id: ids::waitlist_id(),
            listing: listing.id,
            want,
            customer,
            address,
            max_open_holds_of_address,
            until,
        }),
        (want, until) => {
            errors.extend(want.err().into_iter().chain(until.err()).flatten());
            Err(errors)
        }
    }
}

/// The page again, with what was typed. What was carried along from a refused booking is still one tap away.
async fn refuse(visit: &Visit, id: &str, form: &Form, want: Option<WaitFor>, trouble: Trouble) -> Page {
    let (listing, availability) = find(visit, id).await?;
    let carried = form.get(WAIT).is_empty() && (listing.kind() != Kind::Nights || form.find(TAKE).is_some());
    let look = Look { typed: form, trouble: Some(trouble), again: want.filter(|_| carried) };
    render(visit, &listing, &availability, look).await
}

/// Who waits already is sent to that place if this browser remembers it. Whoever else typed that address learns nothing
/// but that.
async fn already(visit: &Visit, id: &str, form: &Form, entry: WaitlistId) -> Page {
    if let Some(token) = visit.places.token(entry) {
        return Ok(visit.redirect(&address_of(entry, token)));
    }
    refuse(visit, id, form, None, Trouble::new(409, "You wait already", ALREADY)).await
}

/// Whether nobody has to wait for it.
fn is_free(refusal: &Refusal) -> bool {
    refusal.code == Code::WrongState && matches!(refusal.data, RefusalData::Pools { .. })
}

/// It came free in the meantime: the form that books, with the same customer and the same choice.
async fn free(visit: &Visit, id: &str, form: &Form, refusal: Refusal) -> Page {
    // What is shown may be a moment behind.
    tokio::time::sleep(CATCH_UP).await;
    let (listing, availability) = find(visit, id).await?;
    let mut typed = form.clone();
    if let RefusalData::Pools { pools, .. } = &refusal.data
        && !form.get(WAIT).is_empty()
    {
        for pool in pools {
            let found = availability.pools.iter().find(|found| found.key == pool.key);
            if let Some(found) = found {
                typed.push(
                    TAKE,
                    Take { quantity: pool.requested, price: found.price, key: &pool.key }.value(),
                );
            }
        }
    }
    typed.set(WAIT, "");
    let text = "Nobody has to wait for it now: book it. It is not yours before you have.";
    let look =
        Look { typed: &typed, trouble: Some(Trouble::new(409, "It has just come free", text)), again: None };
    render(visit, &listing, &availability, look).await
}
