//! Nonsense to every route: it gets a clear answer, and never one that says that the server broke.

use reqwest::Method;
use serde_json::Value;

use crate::support::{Ask, Server, places};

/// Bodies that somebody may send.
fn bodies() -> Vec<Vec<u8>> {
    let deep = |open: &str, close: &str, depth: usize| [open.repeat(depth), close.repeat(depth)].concat();
    let mut bodies: Vec<Vec<u8>> = [
        "",
        " ",
        "{",
        "}",
        "null",
        "true",
        "[]",
        "{}",
        "\"\"",
        "0",
        "-1",
        "1e999",
        "[[[[",
        "{\"\":{}}",
        "{\"a\":1,\"a\":2}",
        "\u{feff}{}",
        "{\"listing_id\":\"\\ud800\"}",
        "{\"lines\":[null]}",
        "{\"lines\":{\"0\":1}}",
        "{\"customer\":7}",
        "{\"customer\":{\"name\":\"\\u0000\"}}",
        "{\"seconds\":-9223372036854775808}",
        "{\"seconds\":18446744073709551616}",
        "{\"amount\":0.1,\"reference\":\"a\"}",
        "{\"reason\":\"\\u202e\\u0007\"}",
        "{\"payment\":{\"amount\":1e400,\"currency\":\"\",\"reference\":\"\"}}",
        "{\"stay\":{\"resource\":\"a\",\"check_in\":\"-9999-01-01\",\"check_out\":\"9999-12-31\"}}",
        "{\"slot\":{\"resource\":\"\",\"starts_at\":\"9999-12-31T23:59:59Z\",\"slots\":9223372036854775807}}",
        "{\"pools\":[{\"key\":\"standard\",\"capacity\":9223372036854775807,\"blocked\":-1}]}",
        "{\"from\":\"0000-00-00\",\"until\":\"x\",\"resource\":\"y\"}",
        "{\"calendar\":{\"from\":\"x\"},\"policy\":null}",
        "{\"policy\":{\"hold_seconds\":9223372036854775807}}",
        "{\"seating\":{\"plan\":{\"zones\":7}}}",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec();
    bodies.push(deep("[", "]", 100_000).into_bytes());
    bodies.push(deep("{\"a\":", "}", 50_000).into_bytes());
    bodies.push(format!("{{\"note\":\"{}\"}}", "x".repeat(900_000)).into_bytes());
    bodies.push(format!("{{\"reason\":\"{}\"}}", "\\u0000".repeat(1000)).into_bytes());
    bodies.push(vec![0; 1000]);
    bodies.push(vec![0xff; 1000]);
    bodies
}

/// Paths of the description, with ids that are real, unknown and nonsense.
fn paths(template: &str, listing: &str, booking: &str) -> Vec<String> {
    if !template.contains('{') {
        return vec![template.to_owned()];
    }
    let real = if template.contains("/listings/") { listing } else { booking };
    let ids =
        [real, "bkg_01h455vb4pex5vsknk084sn02q", "%00", "..", "%2e%2e%2f", "'%20or%201=1--", "\u{1f980}"];
    let fill = |id: &&str| template.replace("{id}", id).replace("{n}", id).replace("{code}", id);
    ids.iter().map(fill).collect()
}

#[tokio::test]
async fn no_request_breaks_the_server() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let booking = server.book(&listing).await;
    let api = server.get("/openapi.json").ask().await.json;
    let mut asked = 0;
    for (template, item) in api["paths"].as_object().unwrap() {
        if template.ends_with("/live") {
            continue;
        }
        for method in item.as_object().unwrap().keys() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            for path in paths(template, &listing, &booking.id()) {
                let bodies = if method == Method::GET { vec![Vec::new()] } else { bodies() };
                for body in bodies {
                    let ask = server.request(method.clone(), &path).key(&server.admin);
                    let answer = ask.text("application/json", body).ask().await;
                    let status = answer.status.as_u16();
                    assert!(status < 500, "{method} {path}: {}", answer.text);
                    if status >= 400 {
                        assert_eq!(
                            answer.header("content-type"),
                            "application/problem+json",
                            "{method} {path}"
                        );
                        assert!(
                            answer.json["detail"].as_str().is_some_and(|text| text.len() < 1000),
                            "{}",
                            answer.text
                        );
                    }
                    asked += 1;
                }
            }
        }
    }
    assert!(asked > 1000, "{asked}");
    server.get("/readyz").ask().await.ok(200);
}

#[tokio::test]
async fn no_query_breaks_the_server() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let values = [
        "",
        "%00",
        "%ff",
        "-1",
        "99999999999999999999",
        "'",
        "%",
        "\u{1f980}",
        "null",
        "[]",
        "2090-02-30",
        "9999-12-31",
        "-9999-01-01",
    ];
    let routes: [(String, &[&str]); 4] = [
        ("/v1/listings".to_owned(), &["kind", "category", "city", "q", "from", "until", "limit", "cursor"]),
        (format!("/v1/listings/{listing}/availability"), &["from", "until", "resource"]),
        ("/v1/bookings".to_owned(), &["state", "listing_id", "customer", "reference", "limit", "cursor"]),
        ("/v1/events".to_owned(), &["after", "listing_id", "limit"]),
    ];
    for (path, names) in routes {
        for name in names {
            for value in values {
                let answer = server.get(&format!("{path}?{name}={value}")).key(&server.admin).ask().await;
                assert!(
                    matches!(answer.status.as_u16(), 200 | 404 | 422),
                    "{path}?{name}={value}: {}",
                    answer.text
                );
            }
        }
    }
}

#[tokio::test]
async fn headers_of_nonsense_are_told_or_passed_over() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    for (name, value, status) in [
        ("authorization", "", 401),
        ("authorization", "Basic dTpw", 401),
        ("if-none-match", "nonsense", 200),
        ("accept", "image/*", 200),
        ("content-type", ";;;", 200),
        ("last-event-id", "\u{e4}", 200),
        ("booking-token", "x", 200),
    ] {
        let value = reqwest::header::HeaderValue::from_bytes(value.as_bytes()).unwrap();
        let answer = server.get(&format!("/v1/listings/{listing}")).header(name, value).ask().await;
        assert_eq!(answer.status.as_u16(), status, "{name}: {}", answer.text);
        assert!(matches!(answer.json, Value::Object(_)));
    }
}
