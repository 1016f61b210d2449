//! Where what was just made can be used: for tools that follow one request with another.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::{OpenApi, RefOr};

/// What makes something, and how the paths begin that take its id.
const MAKERS: [(&str, &str); 3] = [
    ("/v1/listings", "/v1/listings/{id}"),
    ("/v1/bookings", "/v1/bookings/{id}"),
    ("/v1/keys", "/v1/keys/{id}"),
];
/// The id in the answer of a maker.
const ID: &str = "$response.body#/id";

/// Links each maker to the operations on what it makes.
pub(super) fn add(api: &mut OpenApi) {
    for (maker, users) in MAKERS {
        let paths = api.paths.paths.iter();
        // In the order of their names, whether or not another crate has JSON's maps keep their order.
        let links: BTreeMap<String, Value> = paths
            .filter(|(path, _)| path.starts_with(users) && !path.ends_with("/live"))
            .flat_map(|(_, item)| [&item.get, &item.put, &item.post, &item.patch, &item.delete])
            .flatten()
            .filter(|operation| takes_id_only(operation))
            .filter_map(|operation| operation.operation_id.clone())
            .map(|name| (name.clone(), json!({ "operationId": name, "parameters": { "id": ID } })))
            .collect();
        let made = api.paths.paths.get_mut(maker).and_then(|item| item.post.as_mut());
        let made = made.and_then(|operation| operation.responses.responses.get_mut("201"));
        if let Some(RefOr::T(answer)) = made {
            // The library's own type of links is written with `operation_id`, which OpenAPI does not know.
            answer
                .extensions
                .get_or_insert_default()
                .insert("links".to_owned(), Value::Object(links.into_iter().collect()));
        }
    }
}

fn takes_id_only(operation: &Operation) -> bool {
    let parameters = operation.parameters.as_deref().unwrap_or_default();
    let in_path = parameters.iter().filter(|parameter| parameter.parameter_in == ParameterIn::Path);
    in_path.map(|parameter| parameter.name.as_str()).eq(["id"])
}
