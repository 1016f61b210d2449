//! `GET` and `POST /admin/keys`, `POST /admin/keys/{id}/revoke`: who may come in, and which programs.

use askama::Template;
use axum::extract::Path;
use http::StatusCode;
use jiff::tz::TimeZone;
use lastseat_core::Outcome;
use lastseat_core::command::{Action, NewKey, Role};
use lastseat_core::id::KeyId;
use lastseat_engine::ids;

use super::session::{AdminDesk, Operator};
use crate::auth::{hash_secret, new_secret};
use crate::pages::dates::Instant;
use crate::pages::error::PageError;
use crate::pages::field::sentence;
use crate::pages::flash;
use crate::pages::form::Form;
use crate::pages::shell::Shell;
use crate::pages::visit::{Page, Visit};

struct Row {
    id: String,
    name: String,
    role: &'static str,
    made: Instant,
    own: bool,
}

#[derive(Template)]
#[template(path = "admin/keys.html")]
struct View {
    shell: Shell,
    rows: Vec<Row>,
    secret: Option<(String, String)>,
    name: String,
    role: String,
    error: Option<String>,
}

/// `GET /admin/keys`
pub(crate) async fn list(desk: AdminDesk) -> Page {
    let AdminDesk(desk) = desk;
    Ok(render(&desk.visit, &desk.operator, StatusCode::OK, None, &Form::default(), None))
}

/// `POST /admin/keys`
pub(crate) async fn create(AdminDesk(desk): AdminDesk, form: Form) -> Page {
    let (visit, operator) = (&desk.visit, &desk.operator);
    visit.check_seal(&form)?;
    let refused =
        |text: String| Ok(render(visit, operator, StatusCode::UNPROCESSABLE_ENTITY, None, &form, Some(text)));
    let Some(role) = Role::parse(form.get("role")) else {
        return refused("Choose what the key may do.".to_owned());
    };
    let (name, secret) = (form.text("name").unwrap_or_default(), new_secret());
    let key = NewKey { id: ids::key_id(), role, name: name.clone(), hash: hash_secret(&secret) };
    match visit.submit(operator.actor(), &form, None, Action::CreateKey(Box::new(key.clone()))).await {
        // A form that was sent twice has made one key, and the secret of that one was shown.
        Ok(Outcome::Key(id)) if id != key.id => Ok(visit.redirect("/admin/keys")),
        Ok(_) => {
            Ok(render(visit, operator, StatusCode::CREATED, Some((name, secret)), &Form::default(), None))
        }
        Err(refusal) => refused(sentence("The name", refusal.detail.trim_start_matches("name "))),
    }
}

/// `POST /admin/keys/{id}/revoke`
pub(crate) async fn revoke(AdminDesk(desk): AdminDesk, Path(id): Path<String>, form: Form) -> Page {
    let (visit, operator) = (&desk.visit, &desk.operator);
    visit.check_seal(&form)?;
    let id: KeyId = id.parse().map_err(|_| PageError::not_found("key"))?;
    visit
        .submit(operator.actor(), &form, None, Action::RevokeKey { id })
        .await
        .map_err(|refusal| PageError::from(refusal).link("/admin/keys", "Back to the keys"))?;
    Ok(visit.redirect("/admin/keys?did=revoked"))
}

fn render(
    visit: &Visit,
    operator: &Operator,
    status: StatusCode,
    secret: Option<(String, String)>,
    typed: &Form,
    error: Option<String>,
) -> axum::response::Response {
    let rows = visit.engine().keys().into_iter().map(|key| Row {
        id: key.id.to_string(),
        name: key.name.clone(),
        role: key.role.as_str(),
        made: Instant::new(key.created_at, &TimeZone::UTC),
        own: key.id == operator.id,
    });
    let view = View {
        shell: visit.admin_shell("Keys").current("keys").flash(flash::of(&visit.query)).script("admin.js"),
        rows: rows.collect(),
        secret,
        name: typed.get("name").to_owned(),
        role: typed.get("role").to_owned(),
        error,
    };
    visit.show_private(status, &view)
}
