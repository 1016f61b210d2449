//! A crowd against the real routes.

use lastseat_bench::crowd;
use lastseat_bench::embedded::Embedded;
use lastseat_engine::EngineConfig;
use lastseat_http::receipts::ReceiptStore;
use lastseat_http::{AppState, HttpConfig};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Has `users` come for a listing, and gives the report.
async fn crowd_for(form: Value, users: usize) -> anyhow::Result<crowd::Report> {
    let dir = tempfile::tempdir()?;
    let embedded = Embedded::start(dir.path(), EngineConfig::default())?;
    let listing = embedded.listing(form).await?.id.to_string();
    let receipts = ReceiptStore::open_folder(dir.path())?;
    let state = AppState::new(embedded.engine.clone(), receipts, HttpConfig::default());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let closing = state.closing.clone();
    let serving = tokio::spawn(lastseat_http::serve(listener, state));
    let report = crowd::run(&crowd::Options { url, listing, users, api_key: None }).await?;
    closing.cancel();
    serving.await??;
    embedded.stop().await;
    Ok(report)
}

fn places(capacity: i64) -> Value {
    json!({
        "kind": "places", "title": "Shift", "timezone": "Asia/Tashkent", "currency": "UZS",
        "pools": [{"key": "standard", "capacity": capacity, "price": 2_500_000}],
        "policy": {"payment": ["receipt"], "max_per_customer": 1},
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_want_the_last_room_and_one_gets_it() {
    let form = json!({
        "kind": "nights", "title": "Hotel", "timezone": "Europe/Berlin", "currency": "EUR", "min_nights": 2,
        "resources": [{"key": "double", "capacity": 1, "price": 9_900}],
        "calendar": {"from": "2100-02-26", "until": "2100-03-03"},
    });
    let report = crowd_for(form, 20).await.unwrap();
    assert_eq!((report.created, report.refused, report.server_errors), (1, 19, 0), "{report}");
    assert_eq!(report.refusals.get("sold_out"), Some(&19), "{report}");
    // The stay is two nights.
    assert_eq!((report.taken_before, report.taken_after, report.oversold), (0, 2, false), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_of_different_people_gets_as_many_places_as_there_are() {
    let report = crowd_for(places(30), 100).await.unwrap();
    assert_eq!((report.created, report.refused, report.other, report.failed), (30, 70, 0, 0), "{report}");
    assert_eq!((report.taken_after, report.available, report.oversold), (30, 0, false), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn people_choose_seats_of_their_own() {
    let seats: Vec<Value> = (1..=10)
        .map(|number| json!({
            "seat_guid": format!("seat-{number}"), "seat_number": number.to_string(), "category": "Stalls",
            "position": {"x": number * 30, "y": 0}, "radius": 10, "seat_type": "seat",
        }))
        .collect();
    let plan = json!({
        "name": "Hall", "size": {"width": 400, "height": 100},
        "categories": [{"name": "Stalls", "color": "#7f7fff"}],
        "zones": [{
            "name": "Hall", "position": {"x": 0, "y": 0}, "areas": [],
            "rows": [{"row_number": "1", "position": {"x": 0, "y": 0}, "seats": seats}],
        }],
    });
    let form = json!({
        "kind": "seats", "title": "Film", "timezone": "Europe/Berlin", "currency": "EUR",
        "starts_at": "2100-01-01T19:00:00Z", "seating": {"plan": plan, "prices": {"Stalls": 900}},
    });
    let report = crowd_for(form, 12).await.unwrap();
    assert_eq!((report.created, report.refused), (10, 2), "{report}");
    assert!(!report.oversold);
}
