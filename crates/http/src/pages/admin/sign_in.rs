//! `GET` and `POST /admin/sign-in`, `POST /admin/sign-out`: an API key opens the organiser's desk.

use askama::Template;
use http::StatusCode;

use super::session::{self, Operator};
use crate::auth::hash_secret;
use crate::pages::form::Form;
use crate::pages::shell::Shell;
use crate::pages::visit::{Page, Visit};

/// Longest key that is looked at, in bytes.
const MAX_SECRET_BYTES: usize = 512;

#[derive(Template)]
#[template(path = "admin/sign_in.html")]
struct View {
    shell: Shell,
    next: String,
    error: Option<&'static str>,
    again: bool,
}

/// `GET /admin/sign-in`
pub(crate) async fn ask(visit: Visit) -> Page {
    let next = next(&visit.query);
    if visit.operator.is_some() {
        return Ok(visit.redirect(&next));
    }
    // A session is not shown to us on the first step from another site. The browser takes a second one by itself.
    let again = visit.headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site");
    Ok(show(&visit, StatusCode::OK, next, None, again))
}

/// `POST /admin/sign-in`
pub(crate) async fn enter(mut visit: Visit, form: Form) -> Page {
    visit.check_seal(&form)?;
    let next = next(&form);
    let secret = form.get("key").trim();
    // The look-up is by the hash of the secret: how long it takes tells nothing about any key.
    let key = (secret.len() <= MAX_SECRET_BYTES).then(|| visit.engine().key(&hash_secret(secret))).flatten();
    let Some(key) = key else {
        let error = "This key is not known here. Was it copied whole? It may have been taken away, too.";
        return Ok(show(&visit, StatusCode::UNAUTHORIZED, next, Some(error), false));
    };
    if Operator::of_key(&key).is_none() {
        let error = "This key is for a program. People sign in with a key of the role operator or admin.";
        return Ok(show(&visit, StatusCode::FORBIDDEN, next, Some(error), false));
    }
    visit.set_cookie(session::begin(visit.engine(), &key, visit.now));
    Ok(visit.redirect(&next))
}

/// `POST /admin/sign-out`
pub(crate) async fn leave(mut visit: Visit, form: Form) -> Page {
    visit.check_seal(&form)?;
    visit.set_cookie(session::end());
    Ok(visit.redirect("/admin/sign-in"))
}

/// Where to go afterwards: one of our own pages for operators, and nothing else.
fn next(form: &Form) -> String {
    let wanted = form.get("next");
    let is_ours = wanted == "/admin" || wanted.starts_with("/admin/") || wanted.starts_with("/admin?");
    let plain = wanted.bytes().all(|byte| byte.is_ascii_graphic()) && !wanted.starts_with("/admin/sign-");
    if is_ours && plain { wanted.to_owned() } else { "/admin".to_owned() }
}

fn show(
    visit: &Visit,
    status: StatusCode,
    next: String,
    error: Option<&'static str>,
    again: bool,
) -> axum::response::Response {
    let view = View { shell: visit.admin_shell("Sign in"), next, error, again };
    visit.show_private(status, &view)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signing_in_leads_to_our_own_pages_only() {
        let next = |wanted: &str| next(&Form::new(vec![("next".to_owned(), wanted.to_owned())]));
        assert_eq!(next("/admin/review?at=bkg_1"), "/admin/review?at=bkg_1");
        for elsewhere in
            ["", "//evil.example", "https://evil.example", "/adminx", "/admin/\r\nX: y", "/admin/sign-in"]
        {
            assert_eq!(next(elsewhere), "/admin", "{elsewhere}");
        }
    }
}
