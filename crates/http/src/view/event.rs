//! An event as JSON. What it changed of a booking is shown in the words of the API: pools by their keys, the
//! deadline as `due_at`, and nothing of what is only the store's.

use lastseat_core::booking::{Details, Patch, Payment, Receipt};
use lastseat_core::event::{EventKind, event_id};
use lastseat_core::id::{BookingId, EventId, ListingId};
use lastseat_core::listing::Listing;
use lastseat_core::time::Time;
use lastseat_engine::Engine;
use lastseat_store::StoredEvent;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::booking::{CustomerView, lines};

/// An event.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Event)]
pub struct EventView {
    /// Id.
    #[schema(value_type = String)]
    pub id: EventId,
    /// Number within the booking, from 1; 0 for events of a listing.
    pub seq: u32,
    /// When.
    pub at: Time,
    /// What happened.
    #[schema(value_type = String, example = "booking.held")]
    pub r#type: EventKind,
    /// Of which listing.
    #[schema(value_type = Option<String>)]
    pub listing_id: Option<ListingId>,
    /// Of which booking.
    #[schema(value_type = Option<String>)]
    pub booking_id: Option<BookingId>,
    /// Who did it: `public`, `owner`, `system`, or the id of an API key.
    pub actor: String,
    /// The fields that changed, with their new values.
    #[schema(value_type = Object)]
    pub data: Value,
}

impl EventView {
    /// An event of the log.
    #[must_use]
    pub fn new(engine: &Engine, event: StoredEvent) -> Self {
        let listing = engine.listing_at(event.listing);
        let data = match (event.booking, &listing) {
            (Some(_), Some(listing)) => {
                serde_json::from_str(&event.data).map(|patch| changes(listing, patch)).unwrap_or_default()
            }
            _ => serde_json::from_str(&event.data).unwrap_or_default(),
        };
        Self {
            id: event_id(event.at, event.no),
            seq: event.seq,
            at: event.at,
            r#type: event.kind,
            listing_id: listing.map(|listing| listing.id),
            booking_id: event.booking.map(|(_, id)| id),
            actor: event.actor,
            data,
        }
    }
}

/// What changed of a booking.
fn changes(listing: &Listing, patch: Patch) -> Value {
    let mut data = Map::new();
    set(&mut data, "state", patch.state.as_ref());
    set(&mut data, "lines", patch.lines.map(|changed| lines(listing, &changed)).as_ref());
    set(&mut data, "total", patch.total.as_ref());
    set(&mut data, "paid", patch.paid.as_ref());
    set(&mut data, "refund_due", patch.refund_due.as_ref());
    set(&mut data, "refunded", patch.refunded.as_ref());
    set(&mut data, "due_at", patch.deadline.as_ref());
    set(&mut data, "reason", patch.reason.as_ref());
    set(&mut data, "decided_by", patch.decided_by.as_ref());
    set(&mut data, "decided_at", patch.decided_at.as_ref());
    if let Some(Details { extended, payments, refunds, receipts, imported_as, offer }) = &patch.details {
        set(&mut data, "extended", Some(extended));
        set(&mut data, "payments", some(payments, payment).as_ref());
        set(&mut data, "refunds", some(refunds, payment).as_ref());
        set(&mut data, "receipts", some(receipts, receipt).as_ref());
        set(&mut data, "external_id", imported_as.as_ref());
        set(&mut data, "waitlist_id", offer.as_ref().map(|offer| &offer.entry));
    }
    if let Some(created) = patch.created {
        set(&mut data, "created_at", Some(&created.at));
        set(&mut data, "customer", Some(&CustomerView::from(&created.customer)));
        set(&mut data, "note", Some(&created.note));
        set(&mut data, "created_by", Some(&created.by));
    }
    Value::Object(data)
}

fn set<T: Serialize>(data: &mut Map<String, Value>, name: &str, value: Option<&T>) {
    if let Some(value) = value {
        data.insert(name.to_owned(), json!(value));
    }
}

fn some<T>(list: &[T], view: impl Fn(&T) -> Value) -> Option<Vec<Value>> {
    (!list.is_empty()).then(|| list.iter().map(view).collect())
}

fn payment(payment: &Payment) -> Value {
    json!({ "reference": payment.reference, "amount": payment.amount, "at": payment.at })
}

/// Without the key under which the file is kept.
fn receipt(receipt: &Receipt) -> Value {
    json!({ "media_type": receipt.media_type, "size": receipt.size, "sha256": receipt.sha256, "at": receipt.at, "note": receipt.note })
}
