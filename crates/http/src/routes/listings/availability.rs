//! `GET /v1/listings/{id}/availability`

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Request, State};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use lastseat_core::id::ListingNo;
use lastseat_engine::{Availability, PoolAvailability};
use sha2::{Digest as _, Sha256};

use crate::auth::anybody;
use crate::params::Params;
use crate::problem::Answer;
use crate::respond::{self, unless_seen};
use crate::routes::Id;
use crate::routes::listings::visible;
use crate::state::AppState;
use crate::view::{AvailabilityView, PoolView};

/// Bytes of the digest that the entity tag shows.
const TAG_BYTES: usize = 15;
/// Bytes of whole answers that are kept: a hall of 60,000 seats takes 12 MB, and many ask for it at once.
const MAX_KEPT_BYTES: usize = 64 * 1024 * 1024;

/// An answer with its tag.
#[derive(Clone, Debug)]
struct Written {
    text: Bytes,
    tag: HeaderValue,
}

/// The last answers about whole listings. One that the engine still gives is not written again.
#[derive(Debug, Default)]
pub(crate) struct Kept(Mutex<HashMap<ListingNo, (Arc<Availability>, Written)>>);

impl Kept {
    fn whole(&self, of: &Arc<Availability>) -> Written {
        let no = of.listing.no;
        if let Some((known, written)) = self.lock().get(&no)
            && Arc::ptr_eq(known, of)
        {
            return written.clone();
        }
        // Not under the lock: two may write the same, and one of them is kept.
        let written = Written::new(of, &of.pools);
        let mut kept = self.lock();
        let bytes: usize = kept.values().map(|(_, written)| written.text.len()).sum();
        if bytes + written.text.len() > MAX_KEPT_BYTES {
            kept.clear();
        }
        kept.insert(no, (Arc::clone(of), written.clone()));
        written
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<ListingNo, (Arc<Availability>, Written)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Written {
    fn new<'a>(of: &Availability, pools: impl IntoIterator<Item = &'a PoolAvailability>) -> Self {
        // Everything but `as_of` is in the tag.
        let Availability { listing, version, waiting, .. } = of;
        let head = format!(r#"{{"listing_id":"{}","version":{version},"waiting":{waiting}"#, listing.id);
        let pools = respond::to_bytes(&pools.into_iter().map(PoolView::from).collect::<Vec<_>>());
        let digest = Sha256::new().chain_update(&head).chain_update(&pools).finalize();
        let tag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(&digest[..TAG_BYTES]));
        let middle = format!(r#","as_of":"{}","pools":"#, of.as_of);
        let text = [head.as_bytes(), middle.as_bytes(), &pools, b"}"].concat();
        Self { text: text.into(), tag: HeaderValue::try_from(tag).expect("base64 is ASCII") }
    }
}

/// What can be had now
///
/// At most 250 ms behind.
#[utoipa::path(
    get,
    path = "/v1/listings/{id}/availability",
    operation_id = "getAvailability",
    tag = "listings",
    params(
        ("id" = String, Path, description = "Id of the listing"),
        ("from" = Option<String>, Query, description = "Pools that begin at or after this date (in the listing's time zone) or instant"),
        ("until" = Option<String>, Query, description = "Pools that begin before it"),
        ("resource" = Option<String>, Query, description = "Pools of this resource"),
        ("If-None-Match" = Option<String>, Header, description = "ETag of the answer that the client has already"),
    ),
    responses(
        (status = 200, description = "The pools", body = AvailabilityView<'_>, headers(("ETag" = String, description = "Of everything but `as_of`"))),
        (status = 304, description = "The client has it already", headers(("ETag" = String, description = "The version, in quotes"))),
    ),
    security((), ("api_key" = [])),
)]
pub(crate) async fn availability(State(state): State<AppState>, Id(id): Id, request: Request) -> Answer {
    let (head, _) = request.into_parts();
    let actor = anybody(&state.engine, &head.headers)?;
    let listing = visible(&state.engine, &actor, &id).await?;
    let mut params = Params::new(head.uri.query());
    let from = params.moment("from").map(|from| from.at(&listing));
    let until = params.moment("until").map(|until| until.at(&listing));
    let resource = params.text("resource");
    let group = resource.as_ref().and_then(|key| listing.groups.find(key));
    if resource.is_some() && group.is_none() {
        params.problem("resource", "is not a resource of this listing");
    }
    params.finish()?;

    let availability = state.engine.availability(&listing).await?;
    let written = if group.is_none() && from.is_none() && until.is_none() {
        state.availability.whole(&availability)
    } else {
        let wanted = |pool: &&PoolAvailability| {
            group.is_none_or(|group| pool.no.group == group)
                && pool.starts_at.is_none_or(|at| from.is_none_or(|from| from <= at))
                && pool.starts_at.is_none_or(|at| until.is_none_or(|until| at < until))
        };
        Written::new(&availability, availability.pools.iter().filter(wanted))
    };
    let Written { text, tag } = written;
    Ok(unless_seen(&head.headers, tag, || respond::bytes(StatusCode::OK, text)))
}
