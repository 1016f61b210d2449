//! `GET /v1/bookings/{id}.ics`: the booking as a calendar entry (RFC 5545).

use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use icalendar::{Calendar, Component as _, Event, EventLike as _, EventStatus, Property};
use lastseat_core::booking::{Booking, State};
use lastseat_core::listing::Listing;
use lastseat_core::refusal::Code;
use lastseat_core::time::Time;

use super::get::read;
use crate::auth::Right;
use crate::params::Params;
use crate::problem::{Answer, Problem};
use crate::state::AppState;

/// The media type of calendar files.
pub(crate) const CALENDAR: &str = "text/calendar; charset=utf-8";

/// A booking for the calendar
#[utoipa::path(
    get,
    path = "/v1/bookings/{id}.ics",
    operation_id = "getBookingCalendar",
    tag = "bookings",
    params(
        ("id" = String, Path, description = "Id of the booking"),
    ),
    responses(
        (status = 200, description = "An iCalendar file", body = String, content_type = "text/calendar"),
    ),
    security(("booking_token" = []), ("api_key" = [])),
)]
pub(crate) async fn calendar(state: &AppState, head: &Parts, id: &str) -> Answer {
    let mut params = Params::new(head.uri.query());
    let booking = read(state, head, &mut params, id, Right::OwnerOrMaker).await?;
    params.finish()?;
    let listing = state.engine.listing_at(booking.listing).ok_or_else(|| Problem::not_found("listing"))?;
    let reference = state.engine.secret().reference(booking.no);
    let text = entry(&listing, &booking, &reference).ok_or_else(|| {
        Problem::new(Code::NotFound, "This booking has no date, so there is nothing for a calendar.")
    })?;
    let mut response = Response::new(text.into());
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(CALENDAR));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    let name = format!("attachment; filename=\"{reference}.ics\"");
    headers.insert(CONTENT_DISPOSITION, HeaderValue::try_from(name).expect("references are ASCII"));
    Ok(response)
}

/// The calendar file; none where the booking has no date.
pub(crate) fn entry(listing: &Listing, booking: &Booking, reference: &str) -> Option<String> {
    let starts_at = listing.starts_at(&booking.lines)?;
    let ends_at = listing.ends_at(&booking.lines).unwrap_or(starts_at);
    let mut event = Event::new();
    event
        .uid(&format!("{}@lastseat", booking.id))
        .sequence(u32::try_from(listing.sequence_of(booking.version)).unwrap_or(u32::MAX))
        .summary(&one_kind_of_break(&listing.doc.title))
        .description(&description(listing, booking, reference))
        .status(match booking.state {
            State::Held | State::InReview => EventStatus::Tentative,
            State::Confirmed | State::Completed => EventStatus::Confirmed,
            State::Expired | State::Rejected | State::Cancelled => EventStatus::Cancelled,
        });
    // When the row was last touched is not kept; the sequence orders the files.
    for (name, at) in [("DTSTAMP", booking.created_at), ("DTSTART", starts_at), ("DTEND", ends_at)] {
        event.append_property(Property::new(name, stamp(at)));
    }
    let place: Vec<_> = [&listing.doc.venue, &listing.doc.city].into_iter().flatten().cloned().collect();
    if !place.is_empty() {
        event.location(&one_kind_of_break(&place.join(", ")));
    }
    let mut calendar = Calendar::new();
    calendar.push(event.done());
    Some(calendar.done().to_string())
}

fn description(listing: &Listing, booking: &Booking, reference: &str) -> String {
    let mut text = format!("Booking {reference}: {}.", booking.state.as_str().replace('_', " "));
    for line in booking.lines.iter().take(20) {
        text.push_str(&format!("\n{} x {}", line.quantity, listing.pool_key(line.pool)));
    }
    text
}

/// The library escapes line feeds only; a carriage return would end the line for lenient readers.
fn one_kind_of_break(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// An instant as `20261224T170000Z`.
fn stamp(at: Time) -> String {
    let utc = at.timestamp().to_zoned(jiff::tz::TimeZone::UTC);
    utc.strftime("%Y%m%dT%H%M%SZ").to_string()
}
