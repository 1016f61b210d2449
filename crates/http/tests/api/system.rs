//! What machines and readers ask for: probes, metrics, descriptions, and paths that lead nowhere.

use std::collections::HashSet;

use reqwest::Method;
use serde_json::Value;

use crate::support::{Ask, Server, places};

#[tokio::test]
async fn a_server_is_alive_and_ready_until_it_stops() {
    let server = Server::start().await;
    server.get("/healthz").ask().await.ok(200);
    server.get("/readyz").ask().await.ok(200);
    server.state.engine.drain().await;
    server.get("/healthz").ask().await.ok(200);
    let refused = server.get("/readyz").ask().await.problem(503, "unavailable");
    assert_ne!(refused.header("retry-after"), "");
    let refused = server.post("/v1/listings", &places()).key(&server.admin).ask().await;
    refused.problem(503, "unavailable");
}

#[tokio::test]
async fn metrics_count_bookings() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    server.book(&listing).await;
    let metrics = server.get("/metrics").ask().await.ok(200);
    assert!(metrics.text.contains("lastseat_bookings_total{outcome=\"held\"} 1"), "{}", metrics.text);
    assert!(metrics.text.contains("lastseat_invariant_violations 0"), "{}", metrics.text);
}

#[tokio::test]
async fn the_description_names_every_route_and_every_answer() {
    let server = Server::start().await;
    let api = server.get("/openapi.json").ask().await.ok(200).json;
    assert_eq!(api["openapi"], "3.1.0");
    let create = &api["paths"]["/v1/bookings"]["post"];
    let statuses: HashSet<_> = create["responses"].as_object().unwrap().keys().map(String::as_str).collect();
    for status in ["201", "400", "401", "403", "404", "409", "413", "415", "422", "429", "503"] {
        assert!(statuses.contains(status), "{status}");
    }
    let refusal = &create["responses"]["409"]["content"]["application/problem+json"]["schema"];
    assert_eq!(refusal["$ref"], "#/components/schemas/Problem");
    let paths = api["paths"].as_object().unwrap();
    let operations: Vec<_> = paths.values().flat_map(|item| item.as_object().unwrap().values()).collect();
    let names: HashSet<_> =
        operations.iter().map(|operation| operation["operationId"].as_str().unwrap()).collect();
    assert_eq!(names.len(), operations.len(), "an operation id stands twice");
    for link in create["responses"]["201"]["links"].as_object().unwrap().values() {
        assert!(names.contains(link["operationId"].as_str().unwrap()), "{link}");
    }
    assert!(dangling(&api).is_empty(), "{:?}", dangling(&api));
}

/// References that lead nowhere.
fn dangling(api: &Value) -> Vec<String> {
    fn walk(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                if let Some(Value::String(reference)) = map.get("$ref") {
                    found.push(reference.clone());
                }
                map.values().for_each(|value| walk(value, found));
            }
            Value::Array(list) => list.iter().for_each(|value| walk(value, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(api, &mut found);
    assert!(!found.is_empty());
    found.retain(|reference| api.pointer(reference.trim_start_matches('#')).is_none());
    found
}

#[tokio::test]
async fn the_pages_about_the_api_need_nothing_from_elsewhere() {
    let server = Server::start().await;
    for path in ["/docs", "/errors", "/errors/sold_out"] {
        let page = server.get(path).ask().await.ok(200);
        assert!(page.header("content-type").starts_with("text/html"), "{path}");
        assert!(page.header("content-security-policy").contains("default-src 'none'"), "{path}");
        assert!(!page.text.contains("http://") && !page.text.contains("<script"), "{path}");
    }
    let docs = server.get("/docs").ask().await;
    assert!(
        docs.text.contains("/v1/bookings/{id}/reschedule") && docs.text.contains("id=\"schema-Booking\"")
    );
    server.get("/errors/no_such_code").ask().await.problem(404, "not_found");
}

#[tokio::test]
async fn paths_and_methods_that_lead_nowhere_are_told_as_problems() {
    let server = Server::start().await;
    server.get("/v1/nowhere").ask().await.problem(404, "not_found");
    server.get("/v2/bookings").ask().await.problem(404, "not_found");
    server.get("/v1/bookings/").ask().await.problem(404, "not_found");
    let refused = server.request(Method::PUT, "/v1/bookings").ask().await.problem(405, "method_not_allowed");
    let allowed: HashSet<_> = refused.header("allow").split(',').map(str::trim).collect();
    assert_eq!(allowed, HashSet::from(["GET", "HEAD", "POST"]));
    server.request(Method::DELETE, "/healthz").ask().await.problem(405, "method_not_allowed");
}

#[tokio::test]
async fn head_requests_have_the_headers_without_the_body() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let head = server.request(Method::HEAD, &format!("/v1/listings/{listing}")).ask().await.ok(200);
    assert_eq!((head.text.as_str(), head.header("etag")), ("", "\"1\""));
}
