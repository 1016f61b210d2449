use serde_json::json;

use crate::support::{Ask, Server, places};

#[tokio::test]
async fn a_hall_is_sold_by_its_seats() {
    let server = Server::start().await;
    let plan = lastseat_core::seating::sample_plan(4, 5);
    let prices = json!({"Front": 4500, "Stalls": 3000, "Balcony": 2000});
    let spec = json!({"kind": "seats", "title": "Quartet", "timezone": "Europe/Berlin", "currency": "EUR",
        "starts_at": "2090-12-24T17:00:00Z", "seating": {"plan": plan, "prices": prices}});
    let listing = server.listing(&spec).await;
    let shown = server.get(&format!("/v1/listings/{listing}")).ask().await.ok(200);
    assert_eq!(shown.json["seating"], json!({"prices": prices}));
    let seating = server.get(&format!("/v1/listings/{listing}/seating")).ask().await.ok(200);
    assert_eq!((&seating.json["plan"], &seating.json["prices"]), (&plan, &prices));
    let body = json!({"listing_id": listing, "customer": {"name": "A"},
        "lines": [{"pool": "A-1", "quantity": 1}, {"pool": "D-5", "quantity": 1}]});
    let booked = server.post("/v1/bookings", &body).ask().await.ok(201);
    assert_eq!(booked.json["total"], 6500);
    let again = server.post("/v1/bookings", &body).ask().await.problem(409, "sold_out");
    assert_eq!(again.json["pools"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_has_no_seats_has_no_plan() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    server.get(&format!("/v1/listings/{listing}/seating")).ask().await.problem(404, "not_found");
}
