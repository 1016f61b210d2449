//! `GET /v1/bookings`

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use lastseat_core::booking::{Booking, State as BookingState};
use lastseat_core::command::{Actor, Role};
use lastseat_core::id::{BookingNo, ListingId};
use lastseat_engine::BookingQuery;

use crate::auth::need_role;
use crate::cursor::List;
use crate::params::Params;
use crate::problem::{Answer, Problem};
use crate::respond::{Page, Paging, json};
use crate::state::AppState;
use crate::view::BookingView;

/// Bookings that fit, the newest first
///
/// Integrators see those that they made.
#[utoipa::path(
    get,
    path = "/v1/bookings",
    operation_id = "listBookings",
    tag = "bookings",
    params(
        ("state" = Option<BookingState>, Query, description = "Where it stands"),
        ("listing_id" = Option<String>, Query, description = "Of this listing"),
        ("customer" = Option<String>, Query, description = "Part of the customer's name or contact"),
        ("reference" = Option<String>, Query, description = "The 8 characters that people read out"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "Most items of the page; default 50"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "A page", body = Page<BookingView<'_>>),
    ),
    security(("api_key" = [])),
)]
pub(crate) async fn list(State(state): State<AppState>, request: Request) -> Answer {
    let (head, _) = request.into_parts();
    let everybody = &[Role::Admin, Role::Operator, Role::Integrator];
    let actor = need_role(&state.engine, &head.headers, everybody)?;
    let mut params = Params::new(head.uri.query());
    let paging = Paging::read(&state.engine, &mut params, List::Bookings);
    let states = BookingState::ALL.map(|state| (state.as_str(), state));
    let booking_state = params.one_of("state", &states);
    let customer = params.text("customer");
    let listing: Option<ListingId> = params.parse("listing_id", "the id of a listing");
    let reference = params.text("reference");
    let no = reference.as_ref().map(|reference| {
        let no = state.engine.secret().booking_no(reference);
        if no.is_none() {
            params.problem("reference", "must have 8 letters and digits, like 7K3QW9ZD");
        }
        no.unwrap_or_default()
    });
    params.finish()?;
    let listing = match listing {
        Some(id) => {
            Some(state.engine.find_listing(id).await.ok_or_else(|| Problem::not_found("listing"))?.no)
        }
        None => None,
    };
    let query = BookingQuery {
        listing,
        state: booking_state,
        customer,
        created_by: maker(&actor),
        // A reference names one booking: the query begins just before it and takes one.
        before: match no {
            Some(no) => Some(BookingNo(no.0.saturating_add(1))),
            None => paging.after.map(BookingNo),
        },
    };
    let ask = if no.is_some() { 1 } else { paging.ask() };
    let mut found = state.engine.bookings(query, ask).await?;
    found.retain(|booking| no.is_none_or(|no| booking.no == no));
    Ok(page(&state, &paging, found))
}

/// Integrators see what they made.
fn maker(actor: &Actor) -> Option<lastseat_core::id::KeyId> {
    if actor.is_operator() { None } else { actor.key() }
}

fn page(state: &AppState, paging: &Paging, found: Vec<Booking>) -> Response {
    let page = paging.page(&state.engine, found, |booking| booking.no.0);
    let listings: Vec<_> =
        page.items.iter().map(|booking| state.engine.listing_at(booking.listing)).collect();
    let rows = page.items.iter().zip(&listings);
    let items: Vec<_> = rows
        .filter_map(|(booking, listing)| Some(BookingView::new(&state.engine, listing.as_deref()?, booking)))
        .collect();
    json(StatusCode::OK, &crate::respond::Page { items, next_cursor: page.next_cursor })
}
