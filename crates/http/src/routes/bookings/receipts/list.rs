//! `GET /v1/bookings/{id}/receipts`

use axum::extract::{Request, State};
use http::StatusCode;
use lastseat_core::booking::Receipt;
use lastseat_core::time::Time;
use serde::Serialize;

use crate::auth::Right;
use crate::cursor::List;
use crate::params::Params;
use crate::problem::Answer;
use crate::respond::{Page, Paging, json};
use crate::routes::Id;
use crate::routes::bookings::get::read;
use crate::state::AppState;

/// A receipt that was handed in.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Receipt)]
pub(crate) struct ReceiptView<'a> {
    /// Its number within the booking, from 1.
    n: usize,
    /// Media type by content.
    media_type: &'a str,
    /// Bytes as stored: images without metadata, PDFs as they were sent.
    size: u64,
    /// SHA-256 of what was stored, in hex.
    sha256: &'a str,
    /// When it was handed in.
    at: Time,
    /// What the customer wrote beside it.
    note: Option<&'a str>,
}

impl<'a> ReceiptView<'a> {
    fn new(index: usize, receipt: &'a Receipt) -> Self {
        let Receipt { media_type, size, sha256, at, note, file: _ } = receipt;
        Self { n: index + 1, media_type, size: *size, sha256, at: *at, note: note.as_deref() }
    }
}

/// The receipts of a booking
#[utoipa::path(
    get,
    path = "/v1/bookings/{id}/receipts",
    operation_id = "listReceipts",
    tag = "bookings",
    params(
        ("id" = String, Path, description = "Id of the booking"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "Most items of the page; default 50"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "A page", body = Page<ReceiptView<'_>>),
    ),
    security(("api_key" = [])),
)]
pub(crate) async fn list(State(state): State<AppState>, Id(id): Id, request: Request) -> Answer {
    let (head, _) = request.into_parts();
    let mut params = Params::new(head.uri.query());
    let paging = Paging::read(&state.engine, &mut params, List::Receipts);
    let booking = read(&state, &head, &mut params, &id, Right::Operators).await?;
    params.finish()?;
    let after = paging.after.and_then(|after| usize::try_from(after).ok()).unwrap_or(0);
    let receipts = booking.details.receipts.iter().enumerate().skip(after);
    let views = receipts.map(|(index, receipt)| ReceiptView::new(index, receipt)).collect();
    let page = paging.page(&state.engine, views, |view: &ReceiptView<'_>| view.n as i64);
    Ok(json(StatusCode::OK, &page))
}
