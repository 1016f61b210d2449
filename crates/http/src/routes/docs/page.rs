//! `GET /docs`: the description of the API for people. No script, nothing from elsewhere.

use askama::Template;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use std::sync::OnceLock;

use super::model::Model;
use crate::openapi::openapi;
use crate::pages::shell::{Caching, Shell, html};

#[derive(Template)]
#[template(path = "docs.html")]
struct View {
    shell: Shell,
    api: Model,
}

pub(crate) async fn page() -> Response {
    static TEXT: OnceLock<Result<String, String>> = OnceLock::new();
    let text = TEXT.get_or_init(|| {
        let api = serde_json::to_value(openapi()).map_err(|error| error.to_string())?;
        let view = View { shell: Shell::bare("API"), api: Model::new(&api) };
        view.render().map_err(|error| error.to_string())
    });
    match text {
        Ok(text) => html(StatusCode::OK, Caching::Checked, Ok(text.clone())),
        Err(error) => {
            tracing::error!(error, "the page of the API could not be made");
            crate::problem::internal_error().into_response()
        }
    }
}
