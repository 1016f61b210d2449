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
use crate::view::PoolView;

/// Bytes of the digest that the entity tag shows.
const TAG_BYTES: usize = 15;

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
