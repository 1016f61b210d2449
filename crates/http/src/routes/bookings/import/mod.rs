//! `POST /v1/bookings/import`: bookings from elsewhere, one JSON object per line in, one per line out, while
//! they come in. Lines are decided in their order, many at a time; memory does not grow with their number.

mod lines;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream::StreamExt as _;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use lastseat_core::Outcome;
use lastseat_core::booking::State as BookingState;
use lastseat_core::command::{Action, Actor, Command, ImportBooking};
use lastseat_core::customer::Customer;
use lastseat_core::id::BookingId;
use lastseat_core::listing::request::{LineSpec, SlotSpec, StaySpec};
use lastseat_core::refusal::Code;
use lastseat_core::time::Time;
use lastseat_engine::ids;
use serde::{Deserialize, Serialize};

use self::lines::Lines;
use super::claim::one_claim;
use crate::auth::{ADMINS, need_role};
use crate::body::object::{object, optional_object, optional_objects};
use crate::body::{Chunks, MAX_IMPORT_BYTES, json, need_type};
use crate::idempotency::{self, Scope};
use crate::problem::{Answer, Problem};
use crate::routes::listings::visible;
use crate::routes::no_params;
use crate::state::AppState;

const ROUTE: &str = "POST /v1/bookings/import";

/// The media type of JSON lines.
pub(crate) const NDJSON: &str = "application/x-ndjson";
/// Lines that are decided at the same time.
const LINES_IN_FLIGHT: usize = 256;
/// Lines of the answer that are sent together if they are ready together.
const LINES_TOGETHER: usize = 64;
/// How often a line is tried again when the engine has no room for it, and how long it waits each time.
const TRIES: u32 = 50;
const PAUSE: Duration = Duration::from_millis(100);

/// One line of an import.
#[derive(Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ImportLine)]
pub(crate) struct Form {
    /// The listing.
    listing_id: String,
    /// What it claims, by pools.
    #[serde(default, deserialize_with = "optional_objects")]
    lines: Option<Vec<LineSpec>>,
    /// What it claims, by nights.
    #[serde(default, deserialize_with = "optional_object")]
    stay: Option<StaySpec>,
    /// What it claims, by slots.
    #[serde(default, deserialize_with = "optional_object")]
    slot: Option<SlotSpec>,
    /// Who it is for.
    #[serde(deserialize_with = "object")]
    customer: Customer,
    /// Where it stands.
    state: BookingState,
    /// When it was made; default now.
    #[serde(default)]
    created_at: Option<Time>,
    /// Money that came in, in minor units.
    #[serde(default)]
    #[schema(minimum = 0)]
    paid: i64,
    /// Its id there; a second line with the same is skipped.
    #[serde(default)]
    external_id: Option<String>,
}

/// What became of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LineStatus {
    /// It is a booking now.
    Imported,
    /// It was here already.
    Skipped,
    /// It is none; see `code`.
    Refused,
}

/// One line of the answer.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ImportedLine)]
pub(crate) struct View {
    /// The number of the line, from 1.
    line: u64,
    /// What became of it.
    status: LineStatus,
    /// The booking.
    #[schema(value_type = Option<String>)]
    id: Option<BookingId>,
    /// Why it was refused.
    code: Option<&'static str>,
    /// The same as a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    detail: Option<String>,
}

impl View {
    fn done(line: u64, status: LineStatus, id: BookingId) -> Self {
        Self { line, status, id: Some(id), code: None, detail: None }
    }

    fn refused(line: u64, problem: &Problem) -> Self {
        let (code, detail) = (Some(problem.0.code.as_str()), Some(problem.0.detail.clone()));
        Self { line, status: LineStatus::Refused, id: None, code, detail }
    }

    fn write(&self) -> Vec<u8> {
        let mut text = serde_json::to_vec(self).expect("views are plain data");
        text.push(b'\n');
        text
    }
}

/// Takes in bookings from elsewhere
///
/// A JSON object per line in, one per line out, while they come in. A line that repeats an `external_id` is
/// skipped, so an import may be repeated as a whole. So it may under an `Idempotency-Key`, which counts for each line by
/// its number: a line that was imported under it is answered again and not imported twice.
#[utoipa::path(
    post,
    path = "/v1/bookings/import",
    operation_id = "importBookings",
    tag = "bookings",
    params(
        ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = "^[!-~]+$", description = "Any text that is this request's own: repeated, each line is carried out once"),
    ),
    request_body(content = Form, content_type = "application/x-ndjson"),
    responses(
        (status = 200, description = "What became of each line", body = View, content_type = "application/x-ndjson"),
    ),
    security(("api_key" = [])),
)]
pub(crate) async fn import(State(state): State<AppState>, request: Request) -> Answer {
    let (head, body) = request.into_parts();
    let chunks = Chunks::new(&head.headers, body, MAX_IMPORT_BYTES).await?;
    need_type(&head.headers, &[NDJSON])?;
    let actor = need_role(&state.engine, &head.headers, ADMINS)?;
    no_params(&head)?;
    let key = idempotency::key(&head.headers)?.map(Arc::<str>::from);
    let answers = Lines::new(chunks)
        .stream()
        .map(move |(line, text)| one(state.clone(), actor.clone(), key.clone(), line, text))
        .buffered(LINES_IN_FLIGHT)
        .ready_chunks(LINES_TOGETHER)
        .map(|views| Bytes::from(views.iter().flat_map(View::write).collect::<Vec<u8>>()));
    let mut response = Response::new(Body::from_stream(answers.map(Ok::<_, Infallible>)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(NDJSON));
    Ok(response)
}

/// What becomes of one line.
async fn one(
    state: AppState,
    actor: Actor,
    key: Option<Arc<str>>,
    line: u64,
    text: Result<Bytes, Problem>,
) -> View {
    let read = async {
        let command = command(&state, actor, key.as_deref(), line, &text?).await?;
        submit(&state, command).await
    };
    let done = read.await;
    match done {
        Ok(Outcome::Imported(id)) => View::done(line, LineStatus::Imported, id),
        // It was imported before, under the same key.
        Ok(Outcome::Booking(booking)) => View::done(line, LineStatus::Imported, booking.id),
        Ok(Outcome::Skipped(id)) => View::done(line, LineStatus::Skipped, id),
        Ok(_) => unreachable!("an import is imported or skipped"),
        Err(problem) => View::refused(line, &problem),
    }
}

async fn command(
    state: &AppState,
    actor: Actor,
    key: Option<&str>,
    line: u64,
    text: &[u8],
) -> Result<Command, Problem> {
    let form = json::parse::<Form>(text)?.map_err(Problem::invalid)?;
    let listing = visible(&state.engine, &actor, &form.listing_id).await?;
    let idempotency = key.map(|key| idempotency::of_line(key, Scope::of(&actor, None), ROUTE, line, &form));
    let action = Action::ImportBooking(Box::new(ImportBooking {
        id: ids::booking_id(),
        listing: listing.id,
        claim: one_claim(form.lines, form.stay, form.slot, None)?,
        customer: form.customer,
        state: form.state,
        created_at: form.created_at,
        paid: form.paid,
        external_id: form.external_id,
    }));
    Ok(Command { actor, idempotency, if_match: None, action })
}

/// An import is in no hurry: when others fill the queue, it waits.
async fn submit(state: &AppState, command: Command) -> Result<Outcome, Problem> {
    let mut tries = TRIES;
    loop {
        match state.engine.submit(command.clone()).await {
            Err(refusal) if refusal.code == Code::Overloaded && tries > 0 => {
                tries -= 1;
                tokio::time::sleep(PAUSE).await;
            }
            done => return Ok(done?.outcome),
        }
    }
}
