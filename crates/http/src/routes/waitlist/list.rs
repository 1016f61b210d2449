//! `GET /v1/listings/{id}/waitlist`

use axum::extract::{Request, State};
use http::StatusCode;
use lastseat_core::id::EntryNo;

use crate::auth::{OPERATORS, need_role};
use crate::cursor::List;
use crate::params::Params;
use crate::problem::Answer;
use crate::respond::{Page, Paging, json};
use crate::routes::Id;
use crate::routes::listings::visible;
use crate::state::AppState;
use crate::view::EntryView;

/// Who waits and waited, in the order of joining
#[utoipa::path(
    get,
    path = "/v1/listings/{id}/waitlist",
    operation_id = "listWaitlist",
    tag = "waitlist",
    params(
        ("id" = String, Path, description = "Id of the listing"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "Most items of the page; default 50"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "A page", body = Page<EntryView<'_>>),
    ),
    security(("api_key" = [])),
)]
pub(crate) async fn list(State(state): State<AppState>, Id(id): Id, request: Request) -> Answer {
    let (head, _) = request.into_parts();
    let actor = need_role(&state.engine, &head.headers, OPERATORS)?;
    let listing = visible(&state.engine, &actor, &id).await?;
    let mut params = Params::new(head.uri.query());
    let paging = Paging::read(&state.engine, &mut params, List::Waitlist);
    params.finish()?;
    let after = EntryNo(paging.after.unwrap_or(0));
    let found = state.engine.waitlist(listing.no, after, paging.ask()).await?;
    let page = paging.page(&state.engine, found, |entry| entry.entry.no.0);
    let items: Vec<_> = page.items.iter().map(|entry| EntryView::now(&state.engine, entry, &actor)).collect();
    Ok(json(StatusCode::OK, &Page { items, next_cursor: page.next_cursor }))
}
