//! `GET /v1/keys`

use std::sync::Arc;

use axum::extract::{Request, State};
use http::StatusCode;
use lastseat_store::ApiKey;

use crate::auth::{ADMINS, need_role};
use crate::cursor::List;
use crate::params::Params;
use crate::problem::Answer;
use crate::respond::{Page, Paging, json};
use crate::state::AppState;
use crate::view::KeyView;

/// What is left of an id after this shift fits into a place.
const PLACE_SHIFT: u32 = 65;

/// The API keys in force
#[utoipa::path(
    get,
    path = "/v1/keys",
    operation_id = "listKeys",
    tag = "keys",
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "Most items of the page; default 50"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "A page", body = Page<KeyView<'_>>),
    ),
    security(("api_key" = [])),
)]
pub(crate) async fn list(State(state): State<AppState>, request: Request) -> Answer {
    let (head, _) = request.into_parts();
    need_role(&state.engine, &head.headers, ADMINS)?;
    let mut params = Params::new(head.uri.query());
    let paging = Paging::read(&state.engine, &mut params, List::Keys);
    params.finish()?;
    // The place is the time in the id, with some of its random bits: keys that go away in between move
    // nothing.
    let place = |key: &Arc<ApiKey>| i64::try_from(key.id.bits() >> PLACE_SHIFT).unwrap_or(i64::MAX);
    let mut keys = state.engine.keys();
    keys.retain(|key| paging.after.is_none_or(|after| place(key) > after));
    let page = paging.page(&state.engine, keys, place);
    let items = page.items.iter().map(|key| KeyView::from(&**key)).collect();
    Ok(json(StatusCode::OK, &Page { items, next_cursor: page.next_cursor }))
}
