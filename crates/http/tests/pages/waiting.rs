//! Until when somebody wants to wait, and waiting for one seat that is taken.

use serde_json::json;

use crate::html;
use crate::person::{Person, Shown};
use crate::support::{Ask, Server, free_places};
use crate::waitlist::{cancel, sold_out, until, wait_form};

/// Whether the field is folded away.
fn is_folded(page: &Shown) -> bool {
    let tags = html::tags(&page.html);
    let fold = tags.iter().position(|tag| tag.name == "details").expect("a part that folds");
    let field = tags.iter().position(|tag| tag.get("name") == Some("until")).expect("the field");
    assert!(fold < field && tags[fold..field].iter().all(|tag| tag.name != "/details"));
    !tags[fold].has("open")
}

/// Until when an entry waits, by its page.
async fn until_of(server: &Server, place: &Shown) -> serde_json::Value {
    let path = place.url.strip_prefix(&server.url).unwrap();
    server.get(&format!("/v1{path}")).ask().await.ok(200).json["until"].clone()
}

#[tokio::test]
async fn who_says_nothing_waits_as_long_as_it_is_sold() {
    let server = Server::start().await;
    let (id, _) = sold_out(&server, &free_places(1)).await;
    let person = Person::new(&server);
    let page = person.get(&format!("/listings/{id}")).await;
    assert!(is_folded(&page), "one tap is enough");
    let form = wait_form(&page).set("name", "Anna");
    assert_eq!(form.get("until"), Some(""));
    let place = person.send(form).await.says("You are next").says("Until");
    assert!(until_of(&server, &place).await.is_null());
}

#[tokio::test]
async fn one_waits_to_the_end_of_a_day_where_the_listing_is() {
    let server = Server::start().await;
    let mut spec = free_places(1);
    (spec["timezone"], spec["starts_at"]) = ("Asia/Tashkent".into(), "2090-12-30T17:00:00Z".into());
    let (id, _) = sold_out(&server, &spec).await;
    let person = Person::new(&server);
    let page = person.get(&format!("/listings/{id}")).await.says("that day, Tashkent time (UTC+5)");
    let form = wait_form(&page).set("name", "Anna").set("until", "2090-12-24");
    let place = person.send(form).await.says("You are next").says("Until the end of Sun 24 Dec 2090");
    assert_eq!(until_of(&server, &place).await, "2090-12-24T19:00:00Z");
}

#[tokio::test]
async fn a_day_that_is_over_or_none_is_told_beside_the_field_with_what_was_typed() {
    let server = Server::start().await;
    let (id, _) = sold_out(&server, &free_places(1)).await;
    let person = Person::new(&server);
    let mut page = person.get(&format!("/listings/{id}")).await;
    let yesterday = server.state.engine.now().await.unwrap().plus_seconds(-86_400).to_string();
    for (typed, words) in [
        (&yesterday[..10], "Choose today or a later day."),
        ("soon", "Write a date like 2026-12-24."),
        ("9999-12-31", "Write a date like 2026-12-24."),
    ] {
        page =
            person.send(wait_form(&page).set("name", "Anna").set("until", typed)).await.is(422).says(words);
        page = page.says("You do not wait yet").says("What is marked below needs a change.");
        assert!(!is_folded(&page), "what is wrong is seen");
        assert!(page.html.contains("id=\"until-error\""));
        let form = wait_form(&page);
        assert_eq!((form.get("name"), form.get("until")), (Some("Anna"), Some(typed)));
    }
    // All that is wrong is told at once.
    let form = wait_form(&page).set("email", "nonsense");
    person.send(form).await.says("E-mail is not an e-mail address.").says("Write a date");
    let today = server.state.engine.now().await.unwrap().to_string();
    person.send(wait_form(&page).set("until", &today[..10])).await.is(200).says("You are next");
}

#[tokio::test]
async fn a_full_stay_is_waited_for_until_a_day_too() {
    let server = Server::start().await;
    let hotel = json!({
        "kind": "nights", "title": "Hotel", "timezone": "UTC", "currency": "EUR",
        "resources": [{"key": "double", "title": "Double room", "capacity": 1, "price": 9900}],
        "calendar": {"from": "2090-12-01", "until": "2091-01-15"}
    });
    let id = server.listing(&hotel).await;
    let stay = json!({"resource": "double", "check_in": "2090-12-24", "check_out": "2090-12-26"});
    let body = json!({"listing_id": id, "stay": stay, "customer": {"name": "Ben"}});
    server.post("/v1/bookings", &body).ask().await.ok(201);
    let person = Person::new(&server);
    let path = format!("/listings/{id}");
    let at = format!("{path}?room=double&check_in=2090-12-23&check_out=2090-12-25");
    let page = until(&person, &at, "Only until a certain day?").await;
    let mut form = page.form(&format!("{path}/book")).set("name", "Anna").set("until", "2001-01-01");
    form.action = format!("{path}/wait");
    let page = person.send(form).await.is(422).says("Choose today or a later day.").says("Double room");
    let mut form = page.form(&format!("{path}/book")).set("until", "2090-12-01");
    form.action = format!("{path}/wait");
    let place = person.send(form).await.is(200).says("You are next").says("Until the end of Fri 1 Dec 2090");
    assert_eq!(until_of(&server, &place).await, "2090-12-02T00:00:00Z");
}

#[tokio::test]
async fn a_refused_booking_waits_until_a_day_as_well() {
    let server = Server::start().await;
    let id = server.listing(&free_places(1)).await;
    let person = Person::new(&server);
    let form = person.get(&format!("/listings/{id}")).await.form("/listings/").set("name", "Anna");
    server.book(&id).await;
    let late = person.send(form).await.is(409).says("Wait for it instead?");
    assert!(is_folded(&late));
    let form = late.form(&format!("/listings/{id}/wait")).set("until", "nonsense");
    let again = person.send(form).await.is(422).says("Write a date like 2026-12-24.").says("For Anna");
    let form = again.form(&format!("/listings/{id}/wait")).set("until", "2089-12-01");
    person.send(form).await.is(200).says("You are next").says("Until the end of Thu 1 Dec 2089");
}

fn hall(rows: usize, seats: usize) -> serde_json::Value {
    json!({
        "kind": "seats", "title": "Hall", "timezone": "UTC", "currency": "EUR", "starts_at": "2090-12-24T17:00:00Z",
        "seating": {
            "plan": lastseat_core::seating::sample_plan(rows, seats),
            "prices": {"Front": 0, "Stalls": 0, "Balcony": 0}
        }
    })
}

async fn take_seat(server: &Server, listing: &str, seat: &str) -> crate::support::Answer {
    let lines = json!([{"pool": seat, "quantity": 1}]);
    let body = json!({"listing_id": listing, "lines": lines, "customer": {"name": "Ben"}});
    server.post("/v1/bookings", &body).ask().await.ok(201)
}

/// The seats that can be waited for, by their keys.
fn offered_seats(page: &Shown) -> Vec<String> {
    let tags = html::tags(&page.html);
    let list = tags.iter().skip_while(|tag| tag.get("id") != Some("wait-seat"));
    let options = list.take_while(|tag| tag.name != "/select").filter(|tag| tag.name == "option");
    options.map(|tag| tag.get("value").unwrap().to_owned()).collect()
}

#[tokio::test]
async fn one_seat_that_is_taken_is_waited_for_while_others_are_left() {
    let server = Server::start().await;
    let id = server.listing(&hall(2, 2)).await;
    let person = Person::new(&server);
    let path = format!("/listings/{id}");
    person.get(&path).await.never_says("Wait for a seat");
    let taken = take_seat(&server, &id, "A-2").await;
    let page = until(&person, &path, "Wait for a seat that is taken").await.says("Your booking");
    assert_eq!(offered_seats(&page), ["A-2"]);
    let form = page.form(&format!("{path}#wait"));
    let page = person.get(&format!("{path}?wait={}", form.get("wait").unwrap())).await.says("This is taken.");
    let place = person.send(wait_form(&page).set("name", "Anna")).await.is(200).says("You are next");
    let place = place.says("A-2");
    cancel(&server, &taken).await;
    person.get(&place.url[server.url.len()..]).await.says("Held for you").says("A-2");
    // If nothing is left, one waits for any seats, and a listing without a waitlist offers nothing.
    for seat in ["A-1", "B-1", "B-2"] {
        take_seat(&server, &id, seat).await;
    }
    until(&person, &path, "Join the waitlist").await.never_says("Wait for a seat");
    let mut spec = hall(2, 2);
    spec["policy"] = json!({"waitlist": false});
    let id = server.listing(&spec).await;
    take_seat(&server, &id, "A-2").await;
    until(&person, &format!("/listings/{id}"), "3 left").await.never_says("Wait for a seat");
}

#[tokio::test]
async fn in_a_large_hall_the_seats_of_the_section_that_is_shown_are_waited_for() {
    let server = Server::start().await;
    let id = server.listing(&hall(60, 40)).await;
    let person = Person::new(&server);
    for seat in ["A-7", "AU-1"] {
        take_seat(&server, &id, seat).await;
    }
    let path = format!("/listings/{id}");
    let page = until(&person, &format!("{path}?section=3"), "Wait for a seat that is taken").await;
    assert_eq!(offered_seats(&page), ["AU-1"]);
    assert_eq!(page.form(&format!("{path}#wait")).get("section"), Some("3"));
    let page = person.get(&format!("{path}?section=3&wait=AU-1")).await.says("This is taken.");
    assert!(page.links().contains(&format!("{path}?section=3#side")), "the way back leads to that section");
}
