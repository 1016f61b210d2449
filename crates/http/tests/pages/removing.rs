//! Operators see who waits, and take somebody off the waitlist.

use serde_json::{Value, json};

use crate::person::{Person, Shown};
use crate::support::{Ask, Server, free_places, places, png};
use crate::waitlist::{cancel, sold_out, until, waiting};

/// The question whether to remove somebody, from the list.
async fn question(operator: &Person<'_>, listing: &str, name: &str) -> Shown {
    let list = operator.get(&format!("/admin/listings/{listing}/waitlist")).await;
    operator.get(&list.link_labelled(&format!("Remove {name}"))).await.is(200)
}

/// An entry, by the page of its place in line.
async fn entry(server: &Server, path: &str) -> Value {
    server.get(&format!("/v1{path}")).ask().await.ok(200).json
}

#[tokio::test]
async fn operators_see_who_waits_page_by_page() {
    let server = Server::start().await;
    let (id, taken) = sold_out(&server, &free_places(1)).await;
    for number in 0..60 {
        let body = json!({"lines": [{"pool": "standard", "quantity": 1}], "customer": {"name": format!("Guest {number:03}")}});
        server.post(&format!("/v1/listings/{id}/waitlist"), &body).ask().await.ok(201);
    }
    let path = format!("/admin/listings/{id}/waitlist");
    let answer = Person::new(&server).get_once(&path).await.is(303);
    assert!(answer.location().starts_with("/admin/sign-in?next=/admin"));
    let operator = Person::signed_in(&server, &server.operator).await;
    let overview = until(&operator, &format!("/admin/listings/{id}"), "Waiting 60").await;
    assert!(overview.links().contains(&path));
    let first = operator.get(&path).await.says("60 wait");
    let next = first.links().into_iter().find(|link| link.contains("after=")).unwrap();
    let second = operator.get(&next).await;
    let words = first.words() + &second.words();
    for number in 0..60 {
        assert_eq!(words.matches(&format!("Guest {number:03}")).count(), 1, "{number}");
    }
    assert!(!second.html.contains("rel=\"next\""));
    cancel(&server, &taken).await;
    let page = operator.get(&path).await.says("59 wait").says("Offered");
    assert!(page.links().iter().any(|link| link.starts_with("/admin/bookings/bkg_")));
}

#[tokio::test]
async fn an_operator_removes_somebody_after_one_more_question() {
    let server = Server::start().await;
    let (id, taken) = sold_out(&server, &free_places(1)).await;
    let (anna, _, hers) = waiting(&server, &id, "Anna").await;
    let (_, _, his) = waiting(&server, &id, "Ben").await;
    let operator = Person::signed_in(&server, &server.operator).await;
    let asked = question(&operator, &id, "Anna").await.says("Remove from the waitlist?").says("Anna");
    let asked = asked.says("Open lecture").says("goes to those behind them").never_says("offer");
    assert_eq!(asked.header("cache-control"), "no-store");
    assert_eq!(entry(&server, &hers).await["state"], "waiting", "a question changes nothing");
    let list = operator.send(asked.form("/admin/waitlist/")).await.is(200);
    let list = list.says("Removed from the waitlist").says("Open lecture · 1 waits").says("Left");
    assert!(list.url.contains(&format!("/admin/listings/{id}/waitlist")), "{}", list.url);
    assert!(!list.html.contains("Remove Anna") && list.html.contains("Remove Ben"));
    assert_eq!(entry(&server, &hers).await["state"], "left");
    anna.get(&hers).await.says("You wait no more");
    let events = server.get(&format!("/v1/events?listing_id={id}")).key(&server.operator).ask().await.ok(200);
    let left = events.json["items"].as_array().unwrap().iter().find(|event| event["type"] == "waitlist.left");
    let key = server.state.engine.keys().iter().find(|key| key.name == "operator").unwrap().id.to_string();
    assert_eq!(left.unwrap()["actor"], key, "the log says who did it");
    // What comes free goes to who was behind.
    cancel(&server, &taken).await;
    assert_eq!(entry(&server, &his).await["state"], "offered");
}

#[tokio::test]
async fn removing_somebody_whose_turn_it_is_gives_the_offer_up_and_says_so_before() {
    let server = Server::start().await;
    let mut spec = places();
    spec["pools"][0]["capacity"] = 1.into();
    let (id, taken) = sold_out(&server, &spec).await;
    let (anna, _, hers) = waiting(&server, &id, "Anna").await;
    let (_, _, his) = waiting(&server, &id, "Ben").await;
    cancel(&server, &taken).await;
    let offer = entry(&server, &hers).await["booking_id"].as_str().unwrap().to_owned();
    let operator = Person::signed_in(&server, &server.operator).await;
    let asked = question(&operator, &id, "Anna").await.says("It is their turn").says("the hold is cancelled");
    assert!(asked.links().contains(&format!("/admin/bookings/{offer}")));
    let list = operator.send(asked.form("/admin/waitlist/")).await.says("the hold is cancelled");
    list.says("Offered").says("Left");
    let booking = server.get(&format!("/v1/bookings/{offer}")).key(&server.operator).ask().await.ok(200);
    assert_eq!(booking.json["state"], "cancelled");
    assert_eq!(entry(&server, &his).await["state"], "offered");
    anna.get(&hers).await.says("You wait no more");
    operator.get(&format!("/admin/bookings/{offer}")).await.says("The offer from the waitlist was given up.");
}

#[tokio::test]
async fn an_offer_made_meanwhile_is_not_given_up_by_who_does_not_know_of_it() {
    let server = Server::start().await;
    let (id, taken) = sold_out(&server, &free_places(1)).await;
    let (_, _, hers) = waiting(&server, &id, "Anna").await;
    let operator = Person::signed_in(&server, &server.operator).await;
    let asked = question(&operator, &id, "Anna").await;
    cancel(&server, &taken).await;
    let again = operator.send(asked.form("/admin/waitlist/")).await.is(409).says("It is their turn now");
    assert_eq!(entry(&server, &hers).await["state"], "offered");
    let again = again.says("Nobody was removed").says("the hold is cancelled");
    operator.send(again.form("/admin/waitlist/")).await.is(200).says("Removed from the waitlist");
    assert_eq!(entry(&server, &hers).await["state"], "left");
}

#[tokio::test]
async fn who_is_gone_meanwhile_is_told_in_a_sentence_on_the_list() {
    let server = Server::start().await;
    let mut spec = places();
    spec["pools"][0]["capacity"] = 1.into();
    let (id, taken) = sold_out(&server, &spec).await;
    let (anna, _, hers) = waiting(&server, &id, "Anna").await;
    let (_, _, his) = waiting(&server, &id, "Ben").await;
    let operator = Person::signed_in(&server, &server.operator).await;
    let (first, second) = (question(&operator, &id, "Anna").await, question(&operator, &id, "Ben").await);
    // Taken up.
    cancel(&server, &taken).await;
    let offer = anna.get(&hers).await;
    anna.send(offer.form("/bookings/").file("receipt", png())).await.says("Your receipt is being checked");
    let list = operator.send(first.form("/admin/waitlist/")).await.is(200).says("There was nobody to remove");
    list.says("Their offer was taken up meanwhile").says("Ben").never_says("Removed from");
    operator.get_once(&format!("/admin{}/remove", hers.split('?').next().unwrap())).await.is(303);
    // Removed by somebody else: the same form is no trouble, and the question is not asked any more.
    let other = Person::signed_in(&server, &server.admin).await;
    let theirs = question(&other, &id, "Ben").await.form("/admin/waitlist/");
    other.send(theirs).await.says("Removed from the waitlist");
    operator.send(second.form("/admin/waitlist/")).await.is(200).says("Removed from the waitlist");
    let list = operator.get(&format!("/admin{}/remove", his.split('?').next().unwrap())).await.is(200);
    list.says("There was nobody to remove").says("somebody else removed them");
    operator.get("/admin/waitlist/wtl_x/remove").await.is(404);
}

#[tokio::test]
async fn only_who_is_signed_in_removes_anybody_and_only_with_a_form_of_ours() {
    let server = Server::start().await;
    let (id, _) = sold_out(&server, &free_places(1)).await;
    let (anna, _, hers) = waiting(&server, &id, "Anna").await;
    let operator = Person::signed_in(&server, &server.operator).await;
    let form = question(&operator, &id, "Anna").await.form("/admin/waitlist/");
    operator.send(form.clone().set("seal", "")).await.is(403);
    let foreign = Person::signed_in(&server, &server.admin).await;
    foreign.send(form.clone()).await.is(403);
    anna.send(form.clone()).await.is(401).says("You are not signed in any more");
    let asked = anna.get_once(&form.action).await.is(303);
    assert!(asked.location().starts_with("/admin/sign-in?next=/admin/waitlist/"), "{}", asked.location());
    assert_eq!(entry(&server, &hers).await["state"], "waiting");
    operator.send(form).await.says("Removed from the waitlist");
}

#[tokio::test]
async fn one_is_led_back_to_the_page_of_the_list_that_one_came_from() {
    let server = Server::start().await;
    let (id, _) = sold_out(&server, &free_places(1)).await;
    for number in 0..52 {
        let body = json!({"lines": [{"pool": "standard", "quantity": 1}], "customer": {"name": format!("Guest {number:03}")}});
        server.post(&format!("/v1/listings/{id}/waitlist"), &body).ask().await.ok(201);
    }
    let operator = Person::signed_in(&server, &server.operator).await;
    let first = operator.get(&format!("/admin/listings/{id}/waitlist")).await;
    let next = first.links().into_iter().find(|link| link.contains("after=")).unwrap();
    let second = operator.get(&next).await.says("Guest 051").never_says("Guest 000");
    let asked = operator.get(&second.link_labelled("Remove Guest 051")).await;
    assert!(asked.links().contains(&next), "{:?}", asked.links());
    let list = operator.send(asked.form("/admin/waitlist/")).await.says("Removed").says("51 wait");
    list.says("Guest 051").never_says("Guest 000");
}
