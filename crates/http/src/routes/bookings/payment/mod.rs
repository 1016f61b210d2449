//! `POST /v1/bookings/{id}/payment`: a receipt as a form, or gift cards as JSON.

pub(crate) mod form;
pub(crate) mod gift_cards;
pub(crate) mod receipt;

use axum::extract::{Request, State};
use http::header::CONTENT_TYPE;
use lastseat_core::refusal::Code;

use super::change::Verb;
use crate::auth::Right;
use crate::body::json::JSON;
use crate::body::{MAX_JSON_BYTES, media_type, read};
use crate::openapi::headers::{IdempotencyKey, IfMatch};
use crate::problem::{Answer, Problem};
use crate::routes::Id;
use crate::state::AppState;
use crate::view::BookingView;

/// The media type of forms with files.
const FORM: &str = "multipart/form-data";

/// A receipt with a note.
#[derive(utoipa::ToSchema)]
#[allow(dead_code, reason = "a description; the form is read as it comes in")]
pub(crate) struct ReceiptUpload {
    /// The file: JPEG, PNG, WebP or PDF.
    #[schema(value_type = String, format = Binary, content_media_type = "application/octet-stream")]
    receipt: Vec<u8>,
    /// What to say beside it.
    #[schema(nullable = false, max_length = 2000)]
    note: Option<String>,
}

const VERB: Verb = Verb { route: "POST /v1/bookings/{id}/payment", right: Right::Owner };

/// Hands in a receipt
///
/// A form with the file in `receipt` (JPEG, PNG, WebP or PDF by its content, up to 10 MiB) and perhaps a `note`.
/// Then an operator decides. Gift cards, as JSON, are not taken yet.
#[utoipa::path(
    post,
    path = "/v1/bookings/{id}/payment",
    operation_id = "payBooking",
    tag = "bookings",
    params(
        ("id" = String, Path, description = "Id of the booking"),
        IfMatch,
        IdempotencyKey,
    ),
    request_body(content((ReceiptUpload = "multipart/form-data"), (gift_cards::Form = "application/json"))),
    responses(
        (status = 200, description = "The booking as it is now", body = BookingView<'_>, headers(("ETag" = String, description = "The version, in quotes"), ("Idempotency-Replayed" = Option<String>, description = "`true` where the answer was given before"))),
        (status = 409, description = "`wrong_state`, `hold_expired`, `stale_version`, `not_on_sale`, `customer_limit`, `sold_out`"),
    ),
    security(("booking_token" = []), ("api_key" = [])),
)]
pub(crate) async fn pay(State(state): State<AppState>, Id(id): Id, request: Request) -> Answer {
    let (head, body) = request.into_parts();
    match media_type(&head.headers).as_str() {
        JSON => gift_cards::pay(&state, &head, &id, body).await,
        FORM => receipt::pay(&state, &head, &id, body).await,
        _ => {
            // Too large comes before the wrong type.
            read(&head.headers, body, MAX_JSON_BYTES).await?;
            let given =
                head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("nothing");
            let text = format!("Send a receipt as {FORM} (header Content-Type), not as {given}.");
            Err(Problem::new(Code::UnsupportedMediaType, text))
        }
    }
}
