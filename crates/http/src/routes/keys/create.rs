//! `POST /v1/keys`

use axum::extract::{Request, State};
use http::header::CACHE_CONTROL;
use http::{HeaderValue, StatusCode};
use lastseat_core::Outcome;
use lastseat_core::command::{Action, Command, NewKey, Role};
use lastseat_core::refusal::Code;
use lastseat_engine::ids;
use serde::{Deserialize, Serialize};

use crate::auth::{ADMINS, hash_secret, need_role, new_secret};
use crate::body::MAX_JSON_BYTES;
use crate::body::json::json;
use crate::idempotency::{self, Scope};
use crate::openapi::headers::IdempotencyKey;
use crate::problem::{Answer, Problem};
use crate::respond;
use crate::routes::no_params;
use crate::state::AppState;
use crate::view::KeyView;

const ROUTE: &str = "POST /v1/keys";

/// A request for an API key.
#[derive(Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = KeyRequest)]
pub(crate) struct Form {
    /// What it may do.
    role: Role,
    /// What people call it; decisions are signed with it.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
}

/// A new API key.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = NewKey)]
pub(crate) struct NewKeyView<'a> {
    /// The key.
    #[serde(flatten)]
    key: KeyView<'a>,
    /// What to send as `Authorization: Bearer <secret>`. Shown this once; null where the answer is repeated.
    secret: Option<String>,
}

/// Makes an API key
#[utoipa::path(
    post,
    path = "/v1/keys",
    operation_id = "createKey",
    tag = "keys",
    params(
        IdempotencyKey,
    ),
    request_body = Form,
    responses(
        (status = 201, description = "The key, with its secret this once", body = NewKeyView<'_>, headers(("Idempotency-Replayed" = Option<String>, description = "`true` where the answer was given before"))),
    ),
    security(("api_key" = [])),
)]
pub(crate) async fn create(State(state): State<AppState>, request: Request) -> Answer {
    let (head, body) = request.into_parts();
    let json = json::<Form>(&head, body, MAX_JSON_BYTES).await?;
    let actor = need_role(&state.engine, &head.headers, ADMINS)?;
    no_params(&head)?;
    let form = json.valid()?;
    let idempotency = idempotency::of_json(&head, Scope::of(&actor, None), ROUTE, &form)?;
    let Form { role, name } = form;
    let secret = new_secret();
    let key = NewKey { id: ids::key_id(), role, name, hash: hash_secret(&secret) };
    let action = Action::CreateKey(Box::new(key));
    let done = state.engine.submit(Command { actor, idempotency, if_match: None, action }).await?;
    let Outcome::Key(id) = done.outcome else { unreachable!("a key was made") };
    let Some(key) = state.engine.find_key_by_id(id).await else {
        return Err(Problem::new(Code::NotFound, "The key of the first answer was revoked since."));
    };
    let view = NewKeyView { key: (&*key).into(), secret: Some(secret).filter(|_| !done.replayed) };
    let mut response = respond::json(StatusCode::CREATED, &view);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    idempotency::mark(&mut response, done.replayed);
    Ok(response)
}
