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
use crate::problem::{Answer, Problem};
use crate::routes::Id;
use crate::state::AppState;

/// The media type of forms with files.
const FORM: &str = "multipart/form-data";

const VERB: Verb = Verb { route: "POST /v1/bookings/{id}/payment", right: Right::Owner };

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
