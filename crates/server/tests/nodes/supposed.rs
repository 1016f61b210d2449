//! New bookings are decided on what a node knows from before. What others have done meanwhile must be in force all the
//! same.

use lastseat_testkit::{Postgres, TestServer};
use reqwest::Method;
use serde_json::{Value, json};

use crate::real::{Answer, Api, ask};
use crate::shop::{DATABASE, api, nodes, postgres};

/// Two nodes on one database.
struct Shop {
    nodes: Vec<TestServer>,
    _postgres: Postgres,
}

impl Shop {
    fn start() -> Self {
        let postgres = postgres();
        Self { nodes: nodes(&postgres.create_database(DATABASE).unwrap(), 2), _postgres: postgres }
    }
}

/// Two pools without any limit per customer: only such listings are booked on what is known.
async fn listing(api: &Api, capacity: i64, price: i64) -> String {
    let pool = |key: &str| json!({ "key": key, "capacity": capacity, "price": price });
    let form = json!({
        "kind": "places", "title": "Night shift", "timezone": "Asia/Tashkent", "currency": "UZS",
        "pools": [pool("p"), pool("q")], "policy": { "payment": ["external"], "max_quantity": 10 }
    });
    api.listing(&form).await
}

async fn book(api: &Api, listing: &str, pool: &str, quantity: i64) -> Answer {
    ask(api.post("/v1/bookings", &wish(listing, pool, quantity))).await
}

fn wish(listing: &str, pool: &str, quantity: i64) -> Value {
    json!({
        "listing_id": listing, "lines": [{ "pool": pool, "quantity": quantity }],
        "customer": { "name": "Dilnoza K." }
    })
}

async fn reprice(api: &Api, listing: &str, price: i64) {
    let pools = json!({ "pools": [{ "key": "p", "price": price }, { "key": "q", "price": price }] });
    let put = api.request(Method::PUT, &format!("/v1/listings/{listing}/pools")).json(&pools);
    ask(put.bearer_auth(&api.admin)).await.ok(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_that_was_changed_on_one_node_holds_on_the_other_for_every_pool() {
    let shop = Shop::start();
    let (a, b) = (api(&shop.nodes[0]), api(&shop.nodes[1]));
    let listing = listing(&a, 100, 1_000).await;
    for round in 1..=5 {
        for pool in ["q", "p", "q", "p"] {
            book(&a, &listing, pool, 1).await.ok(201);
        }
        let price = 1_000 + round;
        reprice(&b, &listing, price).await;
        for pool in ["p", "p", "q", "q"] {
            assert_eq!(
                book(&a, &listing, pool, 1).await.ok(201).json["total"],
                price,
                "{pool} in round {round}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_beside_new_ones_is_answered_as_before_whatever_has_changed() {
    let shop = Shop::start();
    let (a, b) = (api(&shop.nodes[0]), api(&shop.nodes[1]));
    let listing = listing(&a, 1_000, 1_000).await;
    let mut first = wish(&listing, "p", 1);
    first["expected_total"] = json!(1_000);
    let send = || ask(a.post("/v1/bookings", &first).header("idempotency-key", "once"));
    let id = send().await.ok(201).id();
    reprice(&b, &listing, 2_000).await;
    for _ in 0..20 {
        let new = futures_util::future::join_all((0..6).map(|_| book(&a, &listing, "p", 1)));
        let (again, new) = tokio::join!(send(), new);
        assert_eq!(again.ok(201).id(), id);
        new.into_iter().for_each(|new| assert_eq!(new.ok(201).json["total"], 2_000));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_refused_for_want_of_places_that_another_node_has_given_back() {
    let shop = Shop::start();
    let (a, b) = (api(&shop.nodes[0]), api(&shop.nodes[1]));
    for _ in 0..10 {
        let listing = listing(&a, 28, 0).await;
        let mut sold = Vec::new();
        for _ in 0..2 {
            sold.push(book(&a, &listing, "p", 10).await.ok(201).id());
        }
        for id in sold {
            let cancel = b.post(&format!("/v1/bookings/{id}/cancel"), &json!({}));
            ask(cancel.bearer_auth(&b.admin)).await.ok(200);
        }
        // The node believes that eight are left.
        let few = futures_util::future::join_all((0..6).map(|_| book(&a, &listing, "p", 1)));
        let (many, few) = tokio::join!(book(&a, &listing, "p", 10), few);
        many.ok(201);
        few.into_iter().for_each(|one| drop(one.ok(201)));
    }
}
