//! `GET /v1/bookings/{id}/events`

use axum::extract::{Request, State};
use http::StatusCode;

use super::get::read;
use crate::auth::Right;
use crate::cursor::List;
use crate::params::Params;
use crate::problem::Answer;
use crate::respond::{Page, Paging, json};
use crate::routes::Id;
use crate::state::AppState;
use crate::view::EventView;

/// What happened to a booking
#[utoipa::path(
    get,
    path = "/v1/bookings/{id}/events",
    operation_id = "listBookingEvents",
    tag = "bookings",
    params(
        ("id" = String, Path, description = "Id of the booking"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "Most items of the page; default 50"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "A page", body = Page<EventView>),
    ),
    security(("booking_token" = []), ("api_key" = [])),
)]
pub(crate) async fn events(State(state): State<AppState>, Id(id): Id, request: Request) -> Answer {
    let (head, _) = request.into_parts();
    let mut params = Params::new(head.uri.query());
    let paging = Paging::read(&state.engine, &mut params, List::BookingEvents);
    let booking = read(&state, &head, &mut params, &id, Right::OwnerOrMaker).await?;
    params.finish()?;
    let after = paging.after.unwrap_or(0);
    let mut events = state.engine.booking_events(booking.no).await?;
    events.retain(|event| i64::from(event.seq) > after);
    let page = paging.page(&state.engine, events, |event| i64::from(event.seq));
    Ok(json(StatusCode::OK, &page.map(|event| EventView::new(&state.engine, event))))
}
