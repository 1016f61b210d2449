//! `/listings/{id}` and its form.

use lastseat_engine::BookingQuery;
use serde_json::json;

use crate::person::Person;
use crate::support::{Server, free_places, places};

/// How many bookings there are.
async fn bookings(server: &Server) -> usize {
    server.state.engine.bookings(BookingQuery::default(), 200).await.unwrap().len()
}

#[tokio::test]
async fn a_place_is_booked_with_nothing_but_a_form() {
    let server = Server::start().await;
    let id = server.listing(&places()).await;
    let person = Person::new(&server);
    let page = person.get(&format!("/listings/{id}")).await.says("10 left");
    let form = page.form("/listings/").set("take", "2:2500000:standard");
    let booked = person.send(form.set("name", "Dilnoza K.").set("email", "d@example.org")).await.is(200);
    let booked = booked.says("Held for you").says("Pay 50,000 UZS").says("Card 8600").says("2 × Worker");
    assert!(booked.url.contains("?token="), "{}", booked.url);
    assert_eq!(bookings(&server).await, 1);
}

#[tokio::test]
async fn what_costs_nothing_is_confirmed_at_once() {
    let server = Server::start().await;
    let id = server.listing(&free_places(1)).await;
    let person = Person::new(&server);
    let page = person.get(&format!("/listings/{id}")).await;
    person.send(page.form("/listings/").set("name", "Anna")).await.says("Confirmed").says("It is yours");
}

#[tokio::test]
async fn errors_stand_beside_their_fields_and_what_was_typed_is_kept() {
    let server = Server::start().await;
    let id = server.listing(&places()).await;
    let person = Person::new(&server);
    let page = person.get(&format!("/listings/{id}")).await;
    let form =
        page.form("/listings/").set("take", "2:2500000:standard").set("name", " ").set("email", "nonsense");
    let again = person.send(form.set("phone", "+998 90").set("note", "At the <door>")).await.is(422);
    let again = again.says("Name must not be empty.").says("E-mail is not an e-mail address.");
    let form = again.form("/listings/");
    assert_eq!(form.get("phone"), Some("+998 90"));
    assert_eq!(form.get("note"), Some("At the <door>"));
    assert_eq!(form.get("take"), Some("2:2500000:standard"));
    // Mended, the same form goes through.
    person.send(form.set("name", "Anna").set("email", "anna@example.org")).await.says("Held for you");
}

#[tokio::test]
async fn a_form_that_was_not_given_to_this_browser_books_nothing() {
    let server = Server::start().await;
    let id = server.listing(&places()).await;
    let (person, other) = (Person::new(&server), Person::new(&server));
    let page = person.get(&format!("/listings/{id}")).await;
    let theirs =
        other.get(&format!("/listings/{id}")).await.form("/listings/").get("seal").unwrap().to_owned();
    for seal in ["", "a.b", &theirs] {
        let form = page.form("/listings/").set("name", "Anna").set("seal", seal);
        let answer = person.send(form).await.is(403).says("Please send it once more");
        // What was typed is still there, with a good seal.
        assert_eq!(answer.form("/listings/").get("name"), Some("Anna"));
    }
    let form = page.form("/listings/").set("name", "Anna");
    let from_elsewhere = person.request(&form).header("sec-fetch-site", "cross-site");
    person.ask(from_elsewhere).await.is(403);
    let from_elsewhere = person.request(&form).header("origin", "https://evil.example");
    person.ask(from_elsewhere).await.is(403);
    assert_eq!(bookings(&server).await, 0);
    person.send(form).await.is(200);
    assert_eq!(bookings(&server).await, 1);
}

#[tokio::test]
async fn the_same_form_sent_twice_books_once() {
    let server = Server::start().await;
    let id = server.listing(&places()).await;
    let person = Person::new(&server);
    let form = person.get(&format!("/listings/{id}")).await.form("/listings/").set("name", "Anna");
    let (first, second) = tokio::join!(person.send_once(form.clone()), person.send_once(form.clone()));
    assert_eq!(first.location(), second.location());
    assert!(first.location().starts_with("/bookings/"), "{}", first.words());
    assert_eq!(bookings(&server).await, 1);
    // Changed, it is another booking.
    person.send(form.set("name", "Ben")).await.is(200);
    assert_eq!(bookings(&server).await, 2);
}

#[tokio::test]
async fn who_comes_too_late_hears_what_is_left_and_when_to_look_again() {
    let server = Server::start().await;
    let mut spec = places();
    spec["pools"][0]["capacity"] = 2.into();
    let id = server.listing(&spec).await;
    let person = Person::new(&server);
    let form = person.get(&format!("/listings/{id}")).await.form("/listings/");
    server.book(&id).await;
    let late = person.send(form.set("take", "2:2500000:standard").set("name", "Anna")).await.is(409);
    let late = late
        .says("Somebody was faster")
        .says("Worker: you asked for 2, 1 is left, 1 is held and may come back");
    let late = late.says("The next hold lapses in");
    assert_eq!(late.form("/listings/").get("name"), Some("Anna"));
}

#[tokio::test]
async fn a_listing_with_nothing_left_says_so_and_offers_no_form() {
    let server = Server::start().await;
    let mut spec = places();
    spec["pools"][0]["capacity"] = 1.into();
    let id = server.listing(&spec).await;
    server.book(&id).await;
    let page = Person::new(&server).get(&format!("/listings/{id}")).await;
    let page = page
        .says("not all of it is paid for yet")
        .says("1 held")
        .says("the next hold lapses in")
        .says("None left right now");
    assert!(!page.html.contains("<form id=\"book\""));
}

#[tokio::test]
async fn a_price_that_changed_behind_the_page_is_asked_about() {
    let server = Server::start().await;
    let id = server.listing(&places()).await;
    let person = Person::new(&server);
    let form = person.get(&format!("/listings/{id}")).await.form("/listings/").set("name", "Anna");
    let pools = json!({"pools": [{"key": "standard", "price": 3_000_000}]});
    let path = format!("/v1/listings/{id}/pools");
    server.request(reqwest::Method::PUT, &path).bearer_auth(&server.admin).json(&pools).send().await.unwrap();
    let again = person.send(form).await.is(409).says("The price has changed").says("30,000 UZS");
    person.send(again.form("/listings/").set("take", "1:3000000:standard")).await.says("Pay 30,000 UZS");
}

#[tokio::test]
async fn a_sale_that_has_not_begun_counts_down_and_shows_no_form() {
    let server = Server::start().await;
    let mut spec = places();
    spec["sale_opens_at"] = "2090-12-01T00:00:00Z".into();
    let id = server.listing(&spec).await;
    let page = Person::new(&server).get(&format!("/listings/{id}")).await.says("The sale begins in");
    assert!(!page.html.contains("<form id=\"book\""));
}

#[tokio::test]
async fn a_limit_for_customers_needs_somebody_to_count() {
    let server = Server::start().await;
    let mut spec = places();
    spec["policy"]["max_per_customer"] = 1.into();
    let id = server.listing(&spec).await;
    let person = Person::new(&server);
    let form = person.get(&format!("/listings/{id}")).await.form("/listings/").set("name", "Anna");
    person.send(form.clone()).await.is(422).says("or a telephone number is needed");
    person.send(form.clone().set("email", "anna@example.org")).await.is(200);
    let form = form.set("email", "ANNA@example.org").set("note", "again");
    person.send(form).await.is(409).says("more than one customer may have");
}

#[tokio::test]
async fn forms_that_no_page_has_made_are_answered_in_words() {
    let server = Server::start().await;
    let id = server.listing(&places()).await;
    let person = Person::new(&server);
    let form = person.get(&format!("/listings/{id}")).await.form("/listings/").set("name", "Anna");
    for take in
        ["x", "1:1", "1:2500000:nothing", "-1:2500000:standard", "9999999999999:1:standard", "0:0:standard"]
    {
        let answer = person.send(form.clone().set("take", take)).await;
        assert!([409, 422].contains(&answer.status.as_u16()), "{take}: {} {}", answer.status, answer.words());
    }
    let huge = "x".repeat(2 * 1024 * 1024);
    person.send(form.clone().set("note", &huge)).await.is(413).says("too much");
    person.ask(server.post(&form.action, &json!({"name": "Anna"}))).await.is(415).says("cannot be read");
    assert_eq!(bookings(&server).await, 0);
}
