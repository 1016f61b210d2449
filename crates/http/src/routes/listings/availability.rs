//! `GET /v1/listings/{id}/availability`

use axum::extract::{Request, State};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use lastseat_engine::PoolAvailability;
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

/// What can be had now
///
/// At most 250 ms behind.
#[utoipa::path(
    get,
    path = "/v1/listings/{id}/availability",
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
    let listing = visible(&state.engine, &actor, &id)?;
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
    let wanted = |pool: &&PoolAvailability| {
        group.is_none_or(|group| pool.no.group == group)
            && pool.starts_at.is_none_or(|at| from.is_none_or(|from| from <= at))
            && pool.starts_at.is_none_or(|at| until.is_none_or(|until| at < until))
    };
    let pools: Vec<PoolView<'_>> = availability.pools.iter().filter(wanted).map(PoolView::from).collect();
    // Everything but `as_of` is in the tag.
    let head_text = format!(r#"{{"listing_id":"{}","version":{}"#, listing.id, availability.version);
    let pools = respond::to_bytes(&pools);
    let digest = Sha256::new().chain_update(&head_text).chain_update(&pools).finalize();
    let tag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(&digest[..TAG_BYTES]));
    let tag = HeaderValue::try_from(tag).expect("base64 is ASCII");
    Ok(unless_seen(&head.headers, tag, || {
        let mut text = Vec::with_capacity(head_text.len() + pools.len() + 64);
        text.extend_from_slice(head_text.as_bytes());
        text.extend_from_slice(format!(r#","as_of":"{}","pools":"#, availability.as_of).as_bytes());
        text.extend_from_slice(&pools);
        text.push(b'}');
        respond::bytes(StatusCode::OK, Bytes::from(text))
    }))
}
