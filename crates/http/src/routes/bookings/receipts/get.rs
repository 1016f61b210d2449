//! `GET /v1/bookings/{id}/receipts/{n}`

use axum::extract::{Path, Request, State};
use axum::response::Response;

use crate::auth::Right;
use crate::params::Params;
use crate::problem::{Answer, Problem};
use crate::receipts::{ReceiptType, serving_headers};
use crate::routes::bookings::get::read;
use crate::routes::bookings::payment::receipt::not_shown;
use crate::state::AppState;

/// A receipt
#[utoipa::path(
    get,
    path = "/v1/bookings/{id}/receipts/{n}",
    operation_id = "getReceipt",
    tag = "bookings",
    params(
        ("id" = String, Path, description = "Id of the booking"),
        ("n" = u32, Path, minimum = 1, description = "Its number within the booking"),
    ),
    responses(
        (status = 200, description = "The file: images without metadata, PDFs as they were sent", content((Vec<u8> = "image/jpeg"), (Vec<u8> = "image/png"), (Vec<u8> = "image/webp"), (Vec<u8> = "application/pdf"))),
    ),
    security(("api_key" = [])),
)]
pub(crate) async fn get(
    State(state): State<AppState>,
    path: Result<Path<(String, String)>, axum::extract::rejection::PathRejection>,
    request: Request,
) -> Answer {
    let (head, _) = request.into_parts();
    let Path((id, n)) = path.map_err(|_| Problem::not_found("receipt"))?;
    let mut params = Params::new(head.uri.query());
    let booking = read(&state, &head, &mut params, &id, Right::Operators).await?;
    let missing = || Problem::not_found("receipt");
    let index = n.parse::<usize>().ok().and_then(|n| n.checked_sub(1)).ok_or_else(missing)?;
    let receipt = booking.details.receipts.get(index).ok_or_else(missing)?;
    params.finish()?;
    let (Ok(key), Some(kind)) = (receipt.file.parse(), ReceiptType::from_media_type(&receipt.media_type))
    else {
        return Err(missing());
    };
    let bytes = state.receipts.get(&key).await.map_err(|error| not_shown(&error, &booking))?;
    let mut response = Response::new(bytes.into());
    response.headers_mut().extend(serving_headers(kind));
    Ok(response)
}
