//! Refusals that operations share: which ones each can give follows from what it takes.

use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::{Content, OpenApi, Ref, RefOr, Response};

use crate::problem::PROBLEM_JSON;

/// Adds to each operation the refusals that it shares with others, and to all refusals their shape.
pub(super) fn add(api: &mut OpenApi) {
    for (path, item) in &mut api.paths.paths {
        let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            if path.starts_with("/v1/") {
                share(operation);
            } else {
                refuse(operation, "503", "`unavailable`");
            }
            shape(operation);
        }
    }
}

fn share(operation: &mut Operation) {
    let parameters = operation.parameters.as_deref().unwrap_or_default();
    let names_something = parameters.iter().any(|parameter| parameter.parameter_in == ParameterIn::Path);
    let filters = parameters.iter().any(|parameter| parameter.name == "listing_id");
    let needs_key =
        operation.security.as_ref().is_some_and(|all| all.iter().all(|one| *one != Default::default()));
    if operation.request_body.is_some() {
        refuse(operation, "400", "`malformed`");
        refuse(operation, "413", "`too_large`");
        refuse(operation, "415", "`unsupported_media_type`");
    }
    refuse(operation, "401", "`unauthenticated`");
    if needs_key {
        refuse(operation, "403", "`forbidden`");
    }
    if names_something || filters || operation.request_body.is_some() {
        refuse(operation, "404", "`not_found`");
    }
    refuse(operation, "422", "`invalid` with the fields, `idempotency_mismatch`");
    refuse(operation, "429", "`rate_limited`");
    refuse(operation, "503", "`overloaded`, `unavailable`");
}

fn refuse(operation: &mut Operation, status: &str, codes: &str) {
    let refusal = RefOr::T(Response::new(codes));
    operation.responses.responses.entry(status.to_owned()).or_insert(refusal);
}

fn shape(operation: &mut Operation) {
    for (status, response) in &mut operation.responses.responses {
        if !status.starts_with(['4', '5']) {
            continue;
        }
        if let RefOr::T(response) = response {
            let content = Content::new(Some(Ref::from_schema_name("Problem")));
            response.content.insert(PROBLEM_JSON.to_owned(), content);
        }
    }
}
