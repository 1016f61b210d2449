//! `/bookings/{id}`: what a customer sees of a booking, and can do with it.

use serde_json::json;

use crate::person::{Person, Shown};
use crate::support::{Ask, Server, places, png};

/// A held booking with its page.
async fn held<'a>(server: &'a Server, spec: &serde_json::Value) -> (Person<'a>, Shown, String) {
    let listing = server.listing(spec).await;
    let person = Person::new(server);
    let page = person.get(&format!("/listings/{listing}")).await;
    let page = person.send(page.form("/listings/").set("name", "Dilnoza K.")).await.is(200);
    let path = page.url.strip_prefix(&server.url).unwrap().to_owned();
    (person, page, path)
}

fn id_of(path: &str) -> String {
    path.split(['/', '?']).nth(2).unwrap().to_owned()
}

#[tokio::test]
async fn a_booking_opens_with_its_token_only() {
    let server = Server::start().await;
    let (_, _, path) = held(&server, &places()).await;
    let (_, _, other) = held(&server, &places()).await;
    let (id, token) = (id_of(&path), path.split_once("token=").unwrap().1);
    let stranger = Person::new(&server);
    let foreign = other.split_once("token=").unwrap().1;
    for path in [
        format!("/bookings/{id}"),
        format!("/bookings/{id}?token="),
        format!("/bookings/{id}?token={foreign}"),
        format!("/bookings/{id}/cancel?token={}", &token[1..]),
        format!("/bookings/{id}/move"),
        "/bookings/bkg_x?token=1".to_owned(),
    ] {
        stranger.get(&path).await.is(404).never_says("Dilnoza");
    }
    let page = stranger.get(&path).await.is(200).says("Dilnoza K.").says("Held for you");
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
}

#[tokio::test]
async fn a_browser_remembers_its_bookings_until_it_is_told_to_forget() {
    let server = Server::start().await;
    let (person, _, path) = held(&server, &places()).await;
    let bare = path.split('?').next().unwrap();
    person.get(bare).await.is(200).says("Dilnoza K.");
    let start = person.get("/").await.says("Yours").says("Held");
    person.send(start.form("/forget")).await.says("Forgotten here").never_says("Yours");
    person.get(bare).await.is(404);
    person.get(&path).await.is(200);
    // A cookie that somebody made up opens nothing.
    let forger = Person::new(&server);
    forger.set_cookie("lastseat_bookings", &format!("{}:{}", id_of(&path), "A".repeat(24)));
    forger.get(bare).await.is(404);
}

#[tokio::test]
async fn a_receipt_is_handed_in_with_a_plain_form() {
    let server = Server::start().await;
    let (person, page, path) = held(&server, &places()).await;
    let form = page.form("/bookings/").file("receipt", png()).set("note", "From my card");
    assert!(form.action.ends_with("/receipt"), "{}", form.action);
    person
        .send(form)
        .await
        .says("Your receipt is being checked")
        .says("Picture")
        .says("Your receipt is here");
    let api = server.get(&format!("/v1/bookings/{}", id_of(&path))).key(&server.operator).ask().await;
    assert_eq!(api.json["state"], "in_review");
}

#[tokio::test]
async fn what_is_no_receipt_is_refused_in_words_and_changes_nothing() {
    let server = Server::start().await;
    let (person, page, path) = held(&server, &places()).await;
    let form = page.form("/bookings/");
    let html = form.clone().file("receipt", b"<!doctype html><script>alert(1)</script>".to_vec());
    person.send(html).await.is(422).says("The receipt was not taken").says("not a JPEG, PNG, WebP or PDF");
    let empty = form.clone().file("receipt", Vec::new()).set("note", "From my card");
    let again = person.send(empty).await.is(422).says("No file was chosen");
    assert_eq!(again.form("/bookings/").get("note"), Some("From my card"), "what was typed stays");
    let large = form.clone().file("receipt", vec![0; 10 * 1024 * 1024 + 1]);
    person.send(large).await.is(413).says("larger than 10 MiB");
    person.send(form.clone().file("receipt", png()).set("seal", "x.y")).await.is(403);
    person.send(form.file("receipt", png()).set("token", "wrong")).await.is(404);
    let api = server.get(&format!("/v1/bookings/{}", id_of(&path))).key(&server.operator).ask().await;
    assert_eq!(api.json["state"], "held");
}

#[tokio::test]
async fn a_hold_is_extended_once() {
    let server = Server::start().await;
    let (person, page, path) = held(&server, &places()).await;
    let form = page.says("20 minutes more").form(&format!("/bookings/{}/extend", id_of(&path)));
    let page = person.send(form.clone()).await.says("You have more time now").never_says("minutes more");
    assert!(page.words().contains("29:5") || page.words().contains("30:00"), "{}", page.words());
    person.send(form.set("seconds", "1")).await.is(409).says("There is no more time to be had");
}

#[tokio::test]
async fn a_booking_is_cancelled_after_one_more_question() {
    let server = Server::start().await;
    let (person, page, path) = held(&server, &places()).await;
    let ask = page.links().into_iter().find(|link| link.contains("/cancel")).unwrap();
    let question = person.get(&ask).await.says("Cancel this booking?").says("Nothing was paid yet");
    person.send(question.form("/bookings/").set("seal", "")).await.is(403);
    let form = question.form("/bookings/").set("reason", "I am ill");
    person.send(form.clone()).await.says("Your booking is cancelled").says("I am ill");
    person.send(form.set("reason", "again")).await.is(409).says("It was not cancelled");
    person.get(&path).await.says("Cancelled").never_says("Cancel it");
}

#[tokio::test]
async fn a_booking_moves_to_another_place_at_once_or_not_at_all() {
    let server = Server::start().await;
    let mut spec = places();
    spec["pools"] = json!([{"key": "a", "title": "Early", "capacity": 1, "price": 100}, {"key": "b", "title": "Late", "capacity": 1, "price": 100}]);
    spec["policy"]["max_quantity"] = 1.into();
    let listing = server.listing(&spec).await;
    let person = Person::new(&server);
    let page = person.get(&format!("/listings/{listing}")).await;
    let page =
        person.send(page.form("/listings/").set("name", "Anna").set("take", "1:100:a")).await.says("Early");
    let move_to = page.links().into_iter().find(|link| link.contains("/move")).unwrap();
    let choose = person.get(&move_to).await.says("Move your booking").says("Late");
    let form = choose.form("/bookings/").set("take", "1:100:b");
    let body =
        json!({"listing_id": listing, "lines": [{"pool": "b", "quantity": 1}], "customer": {"name": "Ben"}});
    let other = server.post("/v1/bookings", &body).ask().await.ok(201);
    person.send(form.clone()).await.is(409).says("your booking stands as it was");
    let cancel = format!("/v1/bookings/{}/cancel", other.id());
    server.post(&cancel, &json!({})).key(&server.operator).ask().await.ok(200);
    person.send(form).await.says("Your booking is moved").says("Late").never_says("Early");
}

#[tokio::test]
async fn each_state_is_told_in_words() {
    let server = Server::start().await;
    let (person, page, path) = held(&server, &places()).await;
    let id = id_of(&path);
    person.send(page.form("/bookings/").file("receipt", png())).await.is(200);
    let act = async |what: &str, body: serde_json::Value| {
        let path = format!("/v1/bookings/{id}/{what}");
        server.post(&path, &body).key(&server.operator).ask().await.ok(200);
    };
    act("reject", json!({"reason": "The amount is wrong."})).await;
    let page = person.get(&path).await.says("The receipt was not accepted").says("The amount is wrong.");
    person.send(page.form("/bookings/").file("receipt", png())).await.says("Your receipt is being checked");
    act("approve", json!({})).await;
    person.get(&path).await.says("Confirmed").says("It is yours").says("Paid 25,000 UZS");
    act("cancel", json!({"reason": "The truck broke down."})).await;
    person.get(&path).await.says("Cancelled").says("The truck broke down.").says("Book anew");
    for gone in ["/cancel?", "/move?"] {
        let stale = person.get(&path.replace('?', gone)).await.says("Cancelled");
        assert!(!stale.html.contains("Yes, cancel it") && !stale.html.contains("Choose anew"));
    }
    let page = person.get(&path).await;
    page.says("You get 25,000 UZS back").says("To go back to you 25,000 UZS");
}
