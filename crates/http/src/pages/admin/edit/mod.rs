//! `GET` and `POST /admin/listings/new` and `/admin/listings/{id}/edit`: the form of a listing, for all kinds.
//!
//! - `filled.rs`: what the form holds at first, from defaults or from a listing
//! - `sheet.rs`: how it is shown
//! - `read.rs`: what it means when it comes back
//! - `rows.rs`: its tables, which grow by a button

mod filled;
mod read;
mod rows;
mod sheet;

use askama::Template;
use axum::extract::Path;
use http::StatusCode;
use lastseat_core::Outcome;
use lastseat_core::command::Action;
use lastseat_core::listing::change::form as spec_of;
use lastseat_core::listing::spec::ListingSpec;
use lastseat_core::listing::{Kind, Listing};
use lastseat_core::refusal::{Code, FieldError, Refusal, RefusalData};
use lastseat_engine::ids;

use super::listing::find;
use super::session::AdminDesk;
use crate::pages::field::sentence;
use crate::pages::form::Form;
use crate::pages::shell::Shell;
use crate::pages::trouble::{Point, Trouble};
use crate::pages::upload::Upload;
use crate::pages::visit::{Page, Visit};
use crate::pages::words;
use sheet::Sheet;

#[derive(Template)]
#[template(path = "admin/edit.html")]
struct View {
    shell: Shell,
    heading: String,
    back: String,
    action: String,
    sheet: Sheet,
    version: Option<u64>,
    trouble: Option<Trouble>,
    button: &'static str,
}

#[derive(Template)]
#[template(path = "admin/kinds.html")]
struct Kinds {
    shell: Shell,
}

/// `GET /admin/listings/new?kind=`
pub(crate) async fn ask_new(AdminDesk(desk): AdminDesk) -> Page {
    let visit = &desk.visit;
    let Some(kind) = words::parse_kind(visit.query.get("kind")) else {
        let view = Kinds { shell: visit.admin_shell("A new listing").current("overview") };
        return Ok(visit.show_private(StatusCode::OK, &view));
    };
    Ok(show_new(visit, kind, &filled::blank(kind), None))
}

/// `POST /admin/listings/new`
pub(crate) async fn create(AdminDesk(desk): AdminDesk, upload: Upload) -> Page {
    let visit = &desk.visit;
    visit.check_seal(&upload.form)?;
    let mut form = rows::compact(&upload.form);
    if let Some(plan) = &upload.file {
        // A plan that was read once stays in the form, so that it need not be chosen again.
        form.set("plan", String::from_utf8_lossy(plan));
    }
    let kind = words::parse_kind(form.get("kind")).unwrap_or(Kind::Places);
    if rows::grow(&mut form) {
        return Ok(show_new(visit, kind, &form, None));
    }
    let spec = match read::spec(ListingSpec::empty(kind), &form, None) {
        Ok(spec) => spec,
        Err(errors) => return Ok(show_new(visit, kind, &form, Some(trouble(Refusal::invalid(errors))))),
    };
    let action = Action::CreateListing { id: ids::listing_id(), spec: Box::new(spec) };
    match visit.submit(desk.operator.actor(), &form, None, action).await {
        Ok(Outcome::Listing(listing)) => {
            Ok(visit.redirect(&format!("/admin/listings/{}?did=created", listing.id)))
        }
        Ok(_) => Ok(visit.redirect("/admin")),
        Err(refusal) => Ok(show_new(visit, kind, &form, Some(trouble(refusal)))),
    }
}

/// `GET /admin/listings/{id}/edit`
pub(crate) async fn ask(AdminDesk(desk): AdminDesk, Path(id): Path<String>) -> Page {
    let listing = find(&desk.visit, &id).await?;
    Ok(show_edit(&desk.visit, &listing, &filled::of(&listing), listing.version, None))
}

/// `POST /admin/listings/{id}/edit`
pub(crate) async fn save(AdminDesk(desk): AdminDesk, Path(id): Path<String>, sent: Form) -> Page {
    let visit = &desk.visit;
    visit.check_seal(&sent)?;
    let listing = find(visit, &id).await?;
    let mut form = rows::compact(&sent);
    let seen: u64 = form.get("version").parse().unwrap_or(listing.version);
    if rows::grow(&mut form) {
        return Ok(show_edit(visit, &listing, &form, seen, None));
    }
    let spec = match read::spec(spec_of(&listing), &form, Some(&listing)) {
        Ok(spec) => spec,
        Err(errors) => {
            return Ok(show_edit(visit, &listing, &form, seen, Some(trouble(Refusal::invalid(errors)))));
        }
    };
    let action = Action::PatchListing { id: listing.id, patch: Box::new(patch(&spec)) };
    match visit.submit(desk.operator.actor(), &sent, Some(seen), action).await {
        Ok(_) => Ok(visit.redirect(&format!("/admin/listings/{}?did=saved", listing.id))),
        Err(refusal) => {
            // Whoever has read what changed may save over it.
            let listing = find(visit, &id).await?;
            Ok(show_edit(visit, &listing, &form, listing.version, Some(trouble(refusal))))
        }
    }
}

/// A form as a merge patch: what it leaves empty is taken away.
fn patch(spec: &ListingSpec) -> serde_json::Value {
    let mut patch = serde_json::to_value(spec).expect("a form is JSON");
    let fields = patch.as_object_mut().expect("a form is an object");
    for name in ["starts_at", "ends_at", "check_in_time", "check_out_time", "min_nights"] {
        fields.entry(name).or_insert(serde_json::Value::Null);
    }
    patch
}

fn show_new(visit: &Visit, kind: Kind, form: &Form, trouble: Option<Trouble>) -> axum::response::Response {
    let status = trouble.as_ref().and_then(|trouble| StatusCode::from_u16(trouble.status).ok());
    let errors = trouble.as_ref().map_or(&[][..], |trouble| &trouble.fields);
    let view = View {
        shell: visit.admin_shell("A new listing").current("overview").script("admin.js"),
        heading: format!("A new listing: {}", words::kind(kind).to_lowercase()),
        back: "/admin/listings/new".to_owned(),
        action: "/admin/listings/new".to_owned(),
        sheet: Sheet::new(kind, form, errors, None),
        version: None,
        trouble,
        button: "Make the listing",
    };
    visit.show_private(status.unwrap_or(StatusCode::OK), &view)
}

fn show_edit(
    visit: &Visit,
    listing: &Listing,
    form: &Form,
    seen: u64,
    trouble: Option<Trouble>,
) -> axum::response::Response {
    let status = trouble.as_ref().and_then(|trouble| StatusCode::from_u16(trouble.status).ok());
    let errors = trouble.as_ref().map_or(&[][..], |trouble| &trouble.fields);
    let path = format!("/admin/listings/{}", listing.id);
    let view = View {
        shell: visit
            .admin_shell(format!("Edit {}", listing.doc.title))
            .current("overview")
            .script("admin.js"),
        heading: format!("Edit {}", listing.doc.title),
        action: format!("{path}/edit"),
        back: path,
        sheet: Sheet::new(listing.kind(), form, errors, Some(listing)),
        version: Some(seen),
        trouble,
        button: "Save",
    };
    visit.show_private(status.unwrap_or(StatusCode::OK), &view)
}

/// A refusal above the form: every wrong field is named there, and told beside the field as well.
fn trouble(refusal: Refusal) -> Trouble {
    let status = refusal.code.status();
    if refusal.code == Code::StaleVersion {
        let text = "Somebody else has saved this listing since you opened it. What you typed is still here: look at \
                    it beside the listing's page, and save again if it should stand.";
        return Trouble::new(status, "It has changed in the meantime", text);
    }
    match refusal.data {
        RefusalData::Fields(errors) => {
            let point = |error: &FieldError| Point {
                text: sentence(&label(&error.field), &error.message),
                next: None,
            };
            let points = errors.iter().map(point).collect();
            let title = "Some of it cannot be saved like this".to_owned();
            Trouble { title, points, fields: errors, status, ..Trouble::default() }
        }
        _ => Trouble::new(status, refusal.code.title(), refusal.detail),
    }
}

/// The name of a field for people: `policy.hold_seconds` is `Hold`.
fn label(field: &str) -> String {
    let name = field.strip_prefix("policy.").unwrap_or(field);
    let name = name.trim_end_matches("_seconds").replace(['_', '.', '['], " ").replace(']', "");
    let name = name.replace("timezone", "time zone");
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_fields_become_words() {
        assert_eq!(label("policy.hold_seconds"), "Hold");
        assert_eq!(label("pools[0].capacity"), "Pools 0 capacity");
        assert_eq!(label("timezone"), "Time zone");
        assert_eq!(label("title"), "Title");
    }
}
