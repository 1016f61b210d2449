//! Bodies that are no JSON, not as JSON is asked for, too large, or of another type: on every route that takes one.

use lastseat_testkit::TestServer;
use reqwest::Method;
use serde_json::json;

use crate::health::Healthy;
use crate::real::{Answer, Api, ask, booking, places};

/// The largest JSON body that is taken, in bytes.
const MIB: usize = 1024 * 1024;

/// Every route that takes a JSON body, with a body of its own fields.
struct Routes {
    api: Api,
    routes: Vec<(Method, String)>,
}

impl Routes {
    async fn of(api: &Api) -> Self {
        let listing = api.listing(&places(100)).await;
        let held = api.book(&booking(&listing, "somebody")).await.id();
        let mut routes = vec![
            (Method::POST, "/v1/listings".to_owned()),
            (Method::PATCH, format!("/v1/listings/{listing}")),
            (Method::PUT, format!("/v1/listings/{listing}/pools")),
            (Method::POST, "/v1/bookings".to_owned()),
            (Method::POST, "/v1/keys".to_owned()),
        ];
        for verb in ["confirm", "approve", "reject", "cancel", "extend", "reschedule", "refund", "payment"] {
            routes.push((Method::POST, format!("/v1/bookings/{held}/{verb}")));
        }
        Self { api: api.clone(), routes }
    }

    async fn each(&self, kind: &str, body: impl AsRef<[u8]>) -> Vec<(String, Answer)> {
        let mut answers = Vec::new();
        for (method, path) in &self.routes {
            let request = self.api.request(method.clone(), path).bearer_auth(&self.api.admin);
            let request = request.header("content-type", kind).body(body.as_ref().to_vec());
            answers.push((format!("{method} {path}"), ask(request).await));
        }
        answers
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_json_is_malformed_on_every_route() {
    let server = TestServer::start().unwrap();
    let api = Api::of(&server);
    let routes = Routes::of(&api).await;
    let healthy = Healthy::beside(&api).await;
    let broken: &[(&str, &[u8])] = &[
        ("a brace", b"{"),
        ("an open text", b"{\"title\": \"x"),
        ("a comma too many", b"{\"title\": \"x\",}"),
        ("single quotes", b"{'title': 'x'}"),
        ("a comment", b"{} // nothing"),
        ("two documents", b"{}{}"),
        ("not a number", b"{\"price\": NaN}"),
        ("a control character in a text", b"{\"title\": \"a\x01b\"}"),
        ("bytes that are no UTF-8", b"{\"title\": \"\xff\xfe\"}"),
        ("zeros", &[0; 1000]),
        ("a form", b"title=x&price=1"),
    ];
    for (name, body) in broken {
        for (route, answer) in routes.each("application/json", body).await {
            answer.problem(&format!("{route}, {name}"), 400, "malformed");
        }
    }
    // What is nested this deeply is JSON, but nothing that is asked for: it may be told as either.
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep_objects = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    for body in [
        deep.clone(),
        deep_objects,
        format!("{{\"title\": {deep}}}"),
        format!("{{\"no_such_field\": {deep}}}"),
    ] {
        for (route, answer) in routes.each("application/json", &body).await {
            assert!(matches!(answer.code(), "malformed" | "invalid"), "{route}: {}", answer.text);
        }
    }
    healthy.was_served().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn json_that_is_no_object_and_unknown_fields_are_invalid_on_every_route() {
    let server = TestServer::start().unwrap();
    let api = Api::of(&server);
    let routes = Routes::of(&api).await;
    let healthy = Healthy::beside(&api).await;
    for body in ["null", "true", "7", "\"text\"", "[]", "[{}]", "-0.0", "1e400"] {
        for (route, answer) in routes.each("application/json", body).await {
            if body == "1e400" && answer.status == 400 {
                continue;
            }
            answer.invalid(&format!("{route}, {body}"), "body");
        }
    }
    for (route, answer) in routes.each("application/json", r#"{"no_such_field": 1}"#).await {
        let answer = answer.problem(&route, 422, "invalid");
        assert!(answer.text.contains("no_such_field"), "{route}: {}", answer.text);
    }
    // Half a surrogate pair is a text that there is not, though its escape is JSON.
    for (route, answer) in routes.each("application/json", r#"{"\ud800": "\ud800"}"#).await {
        assert!(matches!(answer.code(), "malformed" | "invalid"), "{route}: {}", answer.text);
    }
    let twice = r#"{"no_such_field": 1, "no_such_field": 2}"#;
    for (route, answer) in routes.each("application/json", twice).await {
        answer.problem(&route, 422, "invalid");
    }
    healthy.was_served().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_types_than_json_are_unsupported_on_every_route() {
    let server = TestServer::start().unwrap();
    let api = Api::of(&server);
    let routes = Routes::of(&api).await;
    for kind in
        ["text/plain", "application/xml", "application/x-www-form-urlencoded", "application/jsonp", "x"]
    {
        for (route, answer) in routes.each(kind, "{}").await {
            answer.problem(&format!("{route} as {kind}"), 415, "unsupported_media_type");
        }
    }
    // Compressed bodies are not unpacked: a bomb stays small.
    for coding in ["gzip", "br", "zstd", "deflate"] {
        let request = api.post("/v1/bookings", &json!({})).header("content-encoding", coding);
        let answer = ask(request).await;
        assert!(matches!(answer.status.as_u16(), 415 | 400 | 422), "{coding}: {}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_beyond_a_mebibyte_are_too_large_on_every_route_that_takes_no_plan() {
    let server = TestServer::start().unwrap();
    let api = Api::of(&server);
    let mut routes = Routes::of(&api).await;
    // A seating plan may be larger, and so may the numbers of all its seats.
    routes.routes.retain(|(method, path)| path != "/v1/listings" && method != Method::PUT);
    let healthy = Healthy::beside(&api).await;
    let body = format!("{{\"title\": \"{}\"}}", "x".repeat(MIB));
    for (route, answer) in routes.each("application/json", body).await {
        answer.problem(&route, 413, "too_large");
    }
    healthy.was_served().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_of_33_mebibytes_and_an_import_of_65_are_too_large() {
    let server = TestServer::start().unwrap();
    let api = Api::of(&server);
    let healthy = Healthy::beside(&api).await;
    let body = format!("{{\"title\": \"{}\"}}", "x".repeat(33 * MIB));
    let request = api.request(Method::POST, "/v1/listings").bearer_auth(&api.admin);
    let request = request.header("content-type", "application/json").body(body);
    ask(request).await.problem("a listing", 413, "too_large");
    let line = format!("{{\"listing_id\": \"{}\"}}\n", "x".repeat(1000));
    let lines = line.repeat(65 * MIB / line.len() + 1);
    let request = api.request(Method::POST, "/v1/bookings/import").bearer_auth(&api.admin);
    let request = request.header("content-type", "application/x-ndjson").body(lines);
    ask(request).await.problem("an import", 413, "too_large");
    healthy.was_served().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn methods_that_a_path_does_not_know_and_paths_that_there_are_not() {
    let server = TestServer::start().unwrap();
    let api = Api::of(&server);
    for (method, path) in [
        (Method::DELETE, "/v1/listings"),
        (Method::PUT, "/v1/bookings"),
        (Method::PATCH, "/v1/bookings/bkg_x"),
        (Method::POST, "/v1/events"),
        (Method::GET, "/v1/bookings/import"),
        (Method::DELETE, "/healthz"),
    ] {
        let answer = ask(api.request(method.clone(), path).bearer_auth(&api.admin)).await;
        // `import` may as well be read as an id.
        if answer.status != 404 {
            let answer = answer.problem(&format!("{method} {path}"), 405, "method_not_allowed");
            assert!(!answer.header("allow").is_empty());
        }
    }
    for path in ["/v1", "/v1/", "/v2/listings", "/v1/listings/", "/v1//listings", "/v1/listings/%ff", "/%00"]
    {
        let answer = ask(api.get(path)).await;
        assert_eq!(answer.status, 404, "{path}: {}", answer.text);
    }
}
