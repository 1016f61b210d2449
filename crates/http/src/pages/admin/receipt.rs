//! `GET /admin/bookings/{id}/receipts/{n}`: a receipt, for whoever is signed in.

use axum::extract::Path;
use axum::response::Response;

use super::booking::find;
use super::session::Desk;
use crate::pages::error::PageError;
use crate::pages::visit::Page;
use crate::receipts::{ReceiptType, serving_headers};
use crate::routes::bookings::payment::receipt::not_shown;

/// `GET /admin/bookings/{id}/receipts/{n}`
pub(crate) async fn show(Desk { visit, .. }: Desk, Path((id, number)): Path<(String, usize)>) -> Page {
    let missing = || PageError::not_found("receipt");
    let (_, booking) = find(&visit, &id).await?;
    let receipt =
        number.checked_sub(1).and_then(|index| booking.details.receipts.get(index)).ok_or_else(missing)?;
    let (Ok(key), Some(kind)) = (receipt.file.parse(), ReceiptType::from_media_type(&receipt.media_type))
    else {
        return Err(missing());
    };
    let read = visit.state.receipts.get(&key).await;
    let bytes = read.map_err(|error| PageError::from(*not_shown(&error, &booking).0))?;
    let mut response = Response::new(bytes.into());
    response.headers_mut().extend(serving_headers(kind));
    Ok(response)
}
