//! Until when somebody wants to wait.

use serde_json::json;

use crate::html;
use crate::person::{Person, Shown};
use crate::support::{Ask, Server, free_places};
use crate::waitlist::{sold_out, until, wait_form};

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
        page = person.send(wait_form(&page).set("name", "Anna").set("until", typed)).await.is(422).says(words);
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
