//! Fills an engine with the samples, by the commands that clients use.

use anyhow::Context;
use futures_util::future::{join_all, try_join_all};
use lastseat_core::Outcome;
use lastseat_core::booking::{Booking, Receipt};
use lastseat_core::command::{Action, Actor, BookingChange, Command, CreateBooking, MoneyIn};
use lastseat_core::id::ListingId;
use lastseat_core::listing::Listing;
use lastseat_core::listing::spec::ListingSpec;
use lastseat_core::refusal::Refusal;
use lastseat_core::time::Time;
use lastseat_engine::{Engine, ids};
use lastseat_http::receipts::{Receipt as Upload, ReceiptStore};
use sha2::{Digest, Sha256};

use crate::samples::{self, Sample, SampleBooking, Then, customer};

/// A picture of a receipt that says that it is none.
const RECEIPT: &[u8] = include_bytes!("../../../assets/sample-receipt.png");

/// What was made.
pub(super) struct Filled {
    /// The samples' names, and the listings' ids.
    pub(super) listings: Vec<(&'static str, ListingId)>,
    /// How many bookings.
    pub(super) bookings: usize,
}

impl Filled {
    /// The listing of the sample of that name.
    pub(super) fn id_of(&self, name: &str) -> Option<ListingId> {
        self.listings.iter().find(|(sample, _)| *sample == name).map(|(_, id)| *id)
    }
}

/// Makes all samples.
pub(super) async fn fill(engine: &Engine, receipts: &ReceiptStore) -> anyhow::Result<Filled> {
    let now = engine.now().await?;
    let operator = operator(engine)?;
    let mut filled = Filled { listings: Vec::new(), bookings: 0 };
    for sample in samples::all(now) {
        let name = sample.name;
        let (id, bookings) = make(engine, receipts, &operator, sample, filled.bookings)
            .await
            .with_context(|| format!("cannot make the sample {name}"))?;
        filled.listings.push((name, id));
        filled.bookings += bookings;
    }
    Ok(filled)
}

/// Who approves and confirms: the bearer of the admin key.
fn operator(engine: &Engine) -> anyhow::Result<Actor> {
    let key = engine.keys().into_iter().next().context("there is no admin key")?;
    Ok(Actor::Key { id: key.id, role: key.role, name: key.name.as_str().into() })
}

/// Makes one sample; gives how many bookings there are. `first` numbers its first customer.
async fn make(
    engine: &Engine,
    receipts: &ReceiptStore,
    operator: &Actor,
    sample: Sample,
    first: usize,
) -> anyhow::Result<(ListingId, usize)> {
    let spec: ListingSpec = serde_json::from_value(sample.form)?;
    let id = ids::listing_id();
    let create = Action::CreateListing { id, spec: Box::new(spec) };
    engine.submit(Command::new(operator.clone(), create)).await?;
    let listing = engine.listing(id).context("the listing that was just made is not there")?;
    // All at once: they are decided in few batches, in this order.
    let made = join_all(sample.bookings.iter().enumerate().map(|(number, booking)| {
        let create = CreateBooking {
            id: ids::booking_id(),
            listing: id,
            claim: booking.claim.clone(),
            expected_total: None,
            customer: customer(first + number),
            address: None,
            max_open_holds_of_address: None,
            note: None,
            pass: None,
        };
        submit(engine, Actor::Public, Action::CreateBooking(Box::new(create)))
    }))
    .await;
    // What a closed day or a slot that has begun refuses is left out.
    let made: Vec<(Booking, &SampleBooking)> = made
        .into_iter()
        .zip(&sample.bookings)
        .filter_map(|(made, booking)| Some((made.ok()?, booking)))
        .collect();
    let follow = made
        .iter()
        .map(|(made, booking)| follow_up(engine, receipts, operator, &listing, made, booking.then));
    try_join_all(follow).await?;
    Ok((id, made.len()))
}

/// Does with a booking what is to become of it.
async fn follow_up(
    engine: &Engine,
    receipts: &ReceiptStore,
    operator: &Actor,
    listing: &Listing,
    booking: &Booking,
    then: Then,
) -> anyhow::Result<()> {
    let id = booking.id;
    let change = |actor: &Actor, change| submit(engine, actor.clone(), Action::Booking { id, change });
    match then {
        Then::Stays => {}
        Then::HandsInReceipt | Then::IsApproved | Then::IsRejected => {
            change(&Actor::Owner, BookingChange::SubmitReceipt(Box::new(receipt(receipts).await?))).await?;
            if then == Then::IsApproved {
                change(operator, BookingChange::Approve).await?;
            } else if then == Then::IsRejected {
                let reason = "The receipt is of another payment.".to_owned();
                change(operator, BookingChange::Reject { reason }).await?;
            }
        }
        Then::IsPaid | Then::IsPaidAndCancelled => {
            let currency = listing.doc.currency.clone();
            let reference = format!("sample-{}", booking.no.0);
            change(operator, BookingChange::Confirm(MoneyIn { amount: booking.total, currency, reference }))
                .await?;
            if then == Then::IsPaidAndCancelled {
                let reason = Some("The plans have changed.".to_owned());
                change(&Actor::Owner, BookingChange::Cancel { reason }).await?;
            }
        }
    }
    Ok(())
}

/// A stored sample receipt.
async fn receipt(receipts: &ReceiptStore) -> anyhow::Result<Receipt> {
    let upload = Upload::accept(RECEIPT)?;
    let key = receipts.put(&upload, ids::bits()).await?;
    let digest = Sha256::digest(upload.bytes());
    Ok(Receipt {
        file: key.to_string(),
        media_type: upload.kind().media_type().to_owned(),
        size: upload.bytes().len() as u64,
        sha256: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
        at: Time::default(),
        note: None,
    })
}

async fn submit(engine: &Engine, actor: Actor, action: Action) -> Result<Booking, Refusal> {
    match engine.submit(Command::new(actor, action)).await?.outcome {
        Outcome::Booking(booking) => Ok(*booking),
        _ => Err(Refusal::not_found("booking")),
    }
}
