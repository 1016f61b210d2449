use serde_json::json;

use crate::support::{Answer, Ask, Server, booking, free_places, places};

fn ids(answer: &Answer) -> Vec<String> {
    let items = answer.json["items"].as_array().unwrap();
    items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn pages_hold_still_while_more_is_booked() {
    let server = Server::start().await;
    let listing = server.listing(&free_places(20)).await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.insert(0, server.book(&listing).await.id());
    }
    let first = server.get("/v1/bookings?limit=2").key(&server.operator).ask().await.ok(200);
    assert_eq!(ids(&first), made[..2]);
    server.book(&listing).await;
    let cursor = first.json["next_cursor"].as_str().unwrap();
    let second = server
        .get(&format!("/v1/bookings?limit=2&cursor={cursor}"))
        .key(&server.operator)
        .ask()
        .await
        .ok(200);
    assert_eq!(ids(&second), made[2..4]);
    let cursor = second.json["next_cursor"].as_str().unwrap();
    let last = server.get(&format!("/v1/bookings?limit=2&cursor={cursor}")).key(&server.operator).ask().await;
    assert_eq!(ids(&last), made[4..]);
    assert!(last.json["next_cursor"].is_null());
    let foreign = server.get(&format!("/v1/listings?cursor={cursor}")).ask().await;
    foreign.invalid(&["cursor"]);
}

#[tokio::test]
async fn filters_find_what_they_say() {
    let server = Server::start().await;
    let (one, two) = (server.listing(&places()).await, server.listing(&free_places(5)).await);
    let held = server.book(&one).await;
    let mut body = booking(&two);
    body["customer"] = json!({"name": "Jörg Weiß", "email": "joerg@example.org"});
    let sold = server.post("/v1/bookings", &body).key(&server.integrator).ask().await.ok(201);
    let get = async |query: &str| {
        let path = format!("/v1/bookings?{query}");
        ids(&server.get(&path).key(&server.operator).ask().await.ok(200))
    };
    assert_eq!(get("state=held").await, [held.id()]);
    assert_eq!(get("state=confirmed").await, [sold.id()]);
    assert_eq!(get("state=expired").await, Vec::<String>::new());
    assert_eq!(get(&format!("listing_id={one}")).await, [held.id()]);
    assert_eq!(get("customer=example.org").await, [sold.id()]);
    let reference = sold.json["reference"].as_str().unwrap().to_lowercase();
    assert_eq!(get(&format!("reference={reference}")).await, [sold.id()]);
    assert_eq!(get(&format!("reference={reference}&state=held")).await, Vec::<String>::new());
    assert_eq!(get("").await, [sold.id(), held.id()]);
    let own = server.get("/v1/bookings").key(&server.integrator).ask().await.ok(200);
    assert_eq!(ids(&own), [sold.id()]);
}

#[tokio::test]
async fn filters_that_make_no_sense_are_refused() {
    let server = Server::start().await;
    let get = |query: &str| server.get(&format!("/v1/bookings?{query}")).key(&server.operator).ask();
    get("state=hold").await.invalid(&["state"]);
    get("reference=7K3").await.invalid(&["reference"]);
    get("listing_id=x").await.invalid(&["listing_id"]);
    get("listing_id=lst_01h455vb4pex5vsknk084sn02q").await.problem(404, "not_found");
    get("limit=0&cursor=x&stat=held").await.invalid(&["limit", "cursor", "stat"]);
    get("customer=a%00b").await.invalid(&["customer"]);
    server.get("/v1/bookings").ask().await.problem(401, "unauthenticated");
    server.get("/v1/bookings?limit=0").ask().await.problem(401, "unauthenticated");
}
