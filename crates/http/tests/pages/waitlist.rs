//! Waiting for what is sold out: the form that joins, the place in line, and what is offered.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::html;
use crate::person::{Filled, Person, Shown};
use crate::support::{Answer, Ask, Server, booking, free_places, places, png};

/// How long what is shown may take to be what was committed.
const SOON: Duration = Duration::from_secs(5);

/// Opens a page until it says this.
pub(crate) async fn until(person: &Person<'_>, path: &str, text: &str) -> Shown {
    let begun = Instant::now();
    loop {
        let page = person.get(path).await;
        if page.words().contains(text) || begun.elapsed() > SOON {
            return page.says(text);
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

/// A listing of which everything is booked, with that booking.
pub(crate) async fn sold_out(server: &Server, spec: &Value) -> (String, Answer) {
    let id = server.listing(spec).await;
    let taken = server.book(&id).await;
    until(&Person::new(server), &format!("/listings/{id}"), "Join the waitlist").await;
    (id, taken)
}

pub(crate) async fn cancel(server: &Server, booking: &Answer) {
    let path = format!("/v1/bookings/{}/cancel", booking.id());
    server.post(&path, &json!({})).key(&server.operator).ask().await.ok(200);
}

pub(crate) fn wait_form(page: &Shown) -> Filled {
    page.form(&format!(
        "{}/wait",
        page.url
            .split('?')
            .next()
            .unwrap()
            .rsplit_once("/listings/")
            .map(|(_, id)| format!("/listings/{}", id.split('/').next().unwrap()))
            .unwrap()
    ))
}

/// Somebody who waits, with the page of that place.
pub(crate) async fn waiting<'a>(
    server: &'a Server,
    listing: &str,
    name: &str,
) -> (Person<'a>, Shown, String) {
    let person = Person::new(server);
    let page = person.get(&format!("/listings/{listing}")).await;
    let page = person.send(wait_form(&page).set("name", name)).await.is(200);
    let path = page.url.strip_prefix(&server.url).unwrap().to_owned();
    assert!(path.starts_with("/waitlist/"), "{path}");
    (person, page, path)
}

pub(crate) fn id_of(path: &str) -> String {
    path.split(['/', '?']).nth(2).unwrap().to_owned()
}

/// One of two kinds of places is left.
fn two_kinds() -> Value {
    let mut spec = places();
    spec["pools"] = json!([
        {"key": "standard", "title": "Early", "capacity": 1, "price": 100},
        {"key": "late", "title": "Late", "capacity": 1, "price": 100}
    ]);
    spec
}

#[tokio::test]
async fn who_finds_it_sold_out_joins_with_one_form_and_reads_first_what_waiting_means() {
    let server = Server::start().await;
    let mut spec = places();
    (spec["pools"][0]["capacity"], spec["policy"]["hold_seconds"]) = (1.into(), 900.into());
    let (id, _) = sold_out(&server, &spec).await;
    let person = Person::new(&server);
    let page = person.get(&format!("/listings/{id}")).await;
    let page = page
        .says("None left right now")
        .says("Nobody waits yet: you would be the first.")
        .says("it is held for you for 15 minutes")
        .says("Waiting costs nothing.");
    let form = wait_form(&page).set("name", "Anna").set("email", "anna@example.org");
    let place = person.send(form.clone()).await.is(200).says("You are next").says("Worker").says("Anna");
    assert_eq!(place.header("cache-control"), "no-store");
    // The same form once more is the same place.
    let again = person.send(form).await.is(200);
    assert_eq!(
        id_of(again.url.strip_prefix(&server.url).unwrap()),
        id_of(place.url.strip_prefix(&server.url).unwrap())
    );
    until(&Person::new(&server), &format!("/listings/{id}"), "1 person waits already.")
        .await
        .never_says("You wait here");
    let page = person.get(&format!("/listings/{id}")).await.says("You wait here already");
    assert!(page.links().iter().any(|link| link.starts_with("/waitlist/wtl_")));
}

#[tokio::test]
async fn nobody_is_asked_to_wait_where_the_organiser_has_no_waitlist() {
    let server = Server::start().await;
    let mut spec = free_places(1);
    spec["policy"] = json!({"waitlist": false});
    let id = server.listing(&spec).await;
    server.book(&id).await;
    let page = until(&Person::new(&server), &format!("/listings/{id}"), "Sold out").await;
    page.never_says("waitlist");
    // Neither where it cannot be booked any more.
    let (id, _) = sold_out(&server, &free_places(1)).await;
    let path = format!("/v1/listings/{id}");
    let close = server.request(reqwest::Method::PATCH, &path).json(&json!({"status": "closed"}));
    close.key(&server.admin).ask().await.ok(200);
    Person::new(&server).get(&format!("/listings/{id}")).await.says("Closed").never_says("waitlist");
}

#[tokio::test]
async fn errors_of_who_wants_to_wait_stand_beside_their_fields() {
    let server = Server::start().await;
    let (id, _) = sold_out(&server, &free_places(1)).await;
    let person = Person::new(&server);
    let form = wait_form(&person.get(&format!("/listings/{id}")).await).set("email", "nonsense");
    let again = person.send(form.set("name", "Anna")).await.is(422).says("You do not wait yet");
    let form = wait_form(&again.says("E-mail is not an e-mail address."));
    assert_eq!(form.get("name"), Some("Anna"));
    let unsealed = form.clone().set("email", "anna@example.org").set("seal", "");
    person.send(unsealed).await.is(403).says("You do not wait yet");
    person.send(form.set("email", "anna@example.org")).await.is(200).says("You are next");
}

#[tokio::test]
async fn one_kind_that_is_gone_is_waited_for_while_others_are_left() {
    let server = Server::start().await;
    let id = server.listing(&two_kinds()).await;
    server.book(&id).await;
    let person = Person::new(&server);
    let page = until(&person, &format!("/listings/{id}"), "Wait for it").await.says("Your booking");
    let page = person.get(&page.link_labelled("Wait for Early")).await.says("Book something else");
    let place = person.send(wait_form(&page).set("name", "Anna")).await.says("You are next").says("Early");
    place.never_says("Late");
    // A name in the address that can be had, or is nothing, waits for nothing.
    for key in ["late", "nonsense", "*"] {
        person
            .get(&format!("/listings/{id}?wait={key}"))
            .await
            .is(200)
            .says("Your booking")
            .never_says("Join the");
    }
}

#[tokio::test]
async fn of_several_kinds_one_waits_for_any_or_for_one() {
    let server = Server::start().await;
    let id = server.listing(&two_kinds()).await;
    let early = server.book(&id).await;
    let mut late = booking(&id);
    late["lines"][0]["pool"] = "late".into();
    server.post("/v1/bookings", &late).ask().await.ok(201);
    let (anna, ben) = (Person::new(&server), Person::new(&server));
    let page = until(&anna, &format!("/listings/{id}"), "Any place, whatever comes free").await;
    let form = wait_form(&page).set("name", "Anna");
    assert_eq!(form.get("wait"), Some("*"));
    let hers = anna.send(form).await.says("Any place").says("You are next");
    let page = ben.get(&format!("/listings/{id}")).await;
    ben.send(wait_form(&page).set("name", "Ben").set("wait", "late"))
        .await
        .says("Late")
        .says("1 person is ahead of you");
    cancel(&server, &early).await;
    anna.get(&hers.url[server.url.len()..]).await.says("Held for you").says("Early");
}

#[tokio::test]
async fn a_full_stay_and_a_full_time_are_waited_for_where_they_are_chosen() {
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
    let at = format!("/listings/{id}?room=double&check_in=2090-12-23&check_out=2090-12-25");
    let page =
        until(&person, &at, "or wait for this stay").await.says("Nobody waits yet").never_says("Total");
    // The form that books has another button now, and what was typed goes along.
    let button = html::tags(&page.html).into_iter().find(|tag| tag.has("formaction")).unwrap();
    let mut form = page.form(&format!("/listings/{id}/book")).set("name", "Anna");
    button.get("formaction").unwrap().clone_into(&mut form.action);
    let place = person.send(form).await.is(200).says("You are next").says("Double room");
    place.says("Sat 23 Dec 2090 – Mon 25 Dec 2090, 2 nights");

    let pitch = json!({
        "kind": "slots", "title": "Pitch", "timezone": "UTC", "currency": "EUR",
        "resources": [{"key": "p1", "title": "Pitch 1", "capacity": 1, "price": 6000}],
        "calendar": {"from": "2090-12-04", "until": "2090-12-11"},
        "opening_hours": [{"days": ["mon"], "from": "18:00", "until": "20:00"}], "slot_minutes": 60
    });
    let id = server.listing(&pitch).await;
    let slot = json!({"resource": "p1", "starts_at": "2090-12-04T18:00:00Z"});
    let body = json!({"listing_id": id, "slot": slot, "customer": {"name": "Ben"}});
    server.post("/v1/bookings", &body).ask().await.ok(201);
    let page = until(&person, &format!("/listings/{id}"), "taken").await;
    let page = person.get(&page.link_labelled("Wait for 18:00 to 19:00, Pitch 1")).await;
    let place = person.send(wait_form(&page).set("name", "Anna")).await.is(200);
    place.says("Pitch 1 Mon 4 Dec 2090, 18:00–19:00").says("You are next");
}

#[tokio::test]
async fn of_a_sold_out_hall_one_waits_for_any_seats() {
    let server = Server::start().await;
    let id = server
        .listing(&json!({
            "kind": "seats", "title": "Hall", "timezone": "UTC", "currency": "EUR", "starts_at": "2090-12-24T17:00:00Z",
            "seating": {"plan": lastseat_core::seating::sample_plan(1, 2), "prices": {"Front": 0, "Stalls": 0, "Balcony": 0}},
            "policy": {"max_quantity": 4}
        }))
        .await;
    let seats = server.get(&format!("/v1/listings/{id}/availability")).ask().await.ok(200);
    let lines: Vec<Value> = seats.json["pools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pool| json!({"pool": pool["key"], "quantity": 1}))
        .collect();
    let body = json!({"listing_id": id, "lines": lines, "customer": {"name": "Ben"}});
    server.post("/v1/bookings", &body).ask().await.ok(201);
    let person = Person::new(&server);
    let page = until(&person, &format!("/listings/{id}"), "Join the waitlist").await;
    let form = wait_form(&page).set("name", "Anna").set("quantity", "2");
    person.send(form).await.is(200).says("Any 2 seats").says("You are next");
}

#[tokio::test]
async fn a_refused_booking_waits_in_one_tap_with_all_that_was_typed() {
    let server = Server::start().await;
    let mut spec = places();
    spec["pools"][0]["capacity"] = 2.into();
    let id = server.listing(&spec).await;
    let (person, before) = (Person::new(&server), Person::new(&server));
    let form = person.get(&format!("/listings/{id}")).await.form("/listings/");
    let form = form.set("take", "2:2500000:standard").set("name", "Anna").set("phone", "+998 90 1234567");
    server.book(&id).await;
    // Somebody waits for two already.
    let body = json!({"lines": [{"pool": "standard", "quantity": 2}], "customer": {"name": "Ben"}});
    server.post(&format!("/v1/listings/{id}/waitlist"), &body).ask().await.ok(201);
    let late =
        person.send(form.clone()).await.is(409).says("Somebody was faster").says("Wait for it instead?");
    let late = late.says("2 × Worker").says("For Anna").says("1 person waits already.");
    // What is left can be booked as before, too.
    assert_eq!(late.form(&format!("/listings/{id}/book")).get("name"), Some("Anna"));
    let form = late.form(&format!("/listings/{id}/wait"));
    assert_eq!(form.get("phone"), Some("+998 90 1234567"));
    let place =
        person.send(form).await.is(200).says("1 person is ahead of you").says("2 × Worker").says("Anna");
    assert!(place.words().contains("+998 90 1234567"), "{}", place.words());
    before.get(&place.url[server.url.len()..]).await.is(200);
}

#[tokio::test]
async fn who_waits_already_is_led_there_and_nobody_else_is() {
    let server = Server::start().await;
    let (id, _) = sold_out(&server, &free_places(1)).await;
    let (anna, stranger) = (Person::new(&server), Person::new(&server));
    let path = format!("/listings/{id}");
    let form = wait_form(&anna.get(&path).await).set("name", "Anna").set("email", "anna@example.org");
    let place = anna.send(form).await.says("You are next");
    let form = wait_form(&anna.get(&path).await).set("name", "Anna").set("email", "ANNA@example.org");
    assert_eq!(id_of(&anna.send(form).await.url[server.url.len()..]), id_of(&place.url[server.url.len()..]));
    let form = wait_form(&stranger.get(&path).await).set("name", "Eve").set("email", "anna@example.org");
    let told = stranger.send(form).await.is(409).says("You wait already");
    assert!(!told.html.contains("wtl_"), "the place of somebody else is not named");
}

#[tokio::test]
async fn what_came_free_meanwhile_is_booked_and_not_waited_for() {
    let server = Server::start().await;
    let (id, taken) = sold_out(&server, &places_for(1)).await;
    let person = Person::new(&server);
    let form = wait_form(&person.get(&format!("/listings/{id}")).await).set("name", "Anna");
    cancel(&server, &taken).await;
    let page = person.send(form).await.is(409).says("It has just come free").says("Your booking");
    let form = page.form(&format!("/listings/{id}/book"));
    assert_eq!(form.get("name"), Some("Anna"));
    person.send(form).await.is(200).says("Held for you");
}

fn places_for(capacity: i64) -> Value {
    let mut spec = places();
    spec["pools"][0]["capacity"] = capacity.into();
    spec
}

#[tokio::test]
async fn a_place_in_line_opens_with_its_token_only_and_is_remembered() {
    let server = Server::start().await;
    let (id, _) = sold_out(&server, &free_places(1)).await;
    let (anna, page, path) = waiting(&server, &id, "Anna").await;
    let (_, _, other) = waiting(&server, &id, "Ben").await;
    let stranger = Person::new(&server);
    let foreign = other.split_once("token=").unwrap().1;
    let bare = path.split('?').next().unwrap();
    for path in [
        bare.to_owned(),
        format!("{bare}?token={foreign}"),
        format!("{bare}/leave"),
        format!("{bare}/leave?token={}", &path.split_once("token=").unwrap().1[1..]),
        "/waitlist/wtl_x?token=1".to_owned(),
    ] {
        stranger.get(&path).await.is(404).never_says("Anna");
    }
    let page = page.says("Since");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    anna.get(bare).await.is(200).says("Anna");
    let start = anna.get("/").await.says("Yours").says("Waiting");
    anna.send(start.form("/forget")).await.never_says("Yours");
    anna.get(bare).await.is(404);
    let operator = Person::signed_in(&server, &server.operator).await;
    assert_eq!(operator.get_once(bare).await.location(), format!("/admin/listings/{id}/waitlist"));
}

#[tokio::test]
async fn a_place_in_line_turns_into_the_offer_without_any_script() {
    let server = Server::start().await;
    let (id, taken) = sold_out(&server, &places_for(1)).await;
    let (anna, page, path) = waiting(&server, &id, "Anna").await;
    assert!(page.html.contains("http-equiv=\"refresh\""), "without a script the page looks again by itself");
    let (ben, his, its) = waiting(&server, &id, "Ben").await;
    his.says("1 person is ahead of you");
    cancel(&server, &taken).await;
    let offer = anna.get(&path).await.says("Held for you").says("now it is your turn").says("Pay 25,000 UZS");
    assert!(offer.url.contains("/bookings/bkg_"), "{}", offer.url);
    ben.get(&its).await.says("You are next");
    // Paid for, the place in line leads on to the booking.
    anna.send(offer.form("/bookings/").file("receipt", png())).await.says("Your receipt is being checked");
    let page = anna.get(&path).await.says("You have got it").says("My booking");
    assert!(page.links().iter().any(|link| link.starts_with("/bookings/bkg_")));
    assert!(!page.html.contains("refresh"));
}

#[tokio::test]
async fn an_offer_that_costs_nothing_is_taken_with_one_button() {
    let server = Server::start().await;
    let (id, taken) = sold_out(&server, &free_places(1)).await;
    let (anna, _, path) = waiting(&server, &id, "Anna").await;
    cancel(&server, &taken).await;
    let offer = anna.get(&path).await.says("Held for you").says("left to take it").never_says("Pay");
    let form = offer.form("/bookings/");
    assert!(form.action.ends_with("/take"), "{}", form.action);
    anna.send(form.clone().set("seal", "")).await.is(403);
    Person::new(&server).send(form.clone().set("token", "wrong")).await.is(404);
    anna.send(form).await.says("It is yours now").says("Confirmed").never_says("Take it");
    anna.get(&path).await.says("You have got it");
}

#[tokio::test]
async fn leaving_asks_once_more_and_lets_the_next_one_in() {
    let server = Server::start().await;
    let (id, taken) = sold_out(&server, &free_places(1)).await;
    let (anna, page, path) = waiting(&server, &id, "Anna").await;
    let (ben, _, its) = waiting(&server, &id, "Ben").await;
    let ask = page.links().into_iter().find(|link| link.contains("/leave")).unwrap();
    let question = anna.get(&ask).await.says("Leave the waitlist?");
    anna.send(question.form("/waitlist/").set("seal", "")).await.is(403);
    anna.send(question.form("/waitlist/")).await.is(200).says("You wait no more").never_says("Leave the");
    ben.get(&its).await.says("You are next");
    assert!(anna.get_once(&ask).await.status.is_redirection(), "who has left is not asked again");
    // To join again is to stand at the end.
    let form = anna.get(&path).await.says("Join again, at the end").form("/listings/");
    anna.send(form).await.is(200).says("1 person is ahead of you").says("Anna");
    cancel(&server, &taken).await;
    ben.get(&its).await.says("Held for you");
}

#[tokio::test]
async fn leaving_never_declines_what_was_offered_meanwhile() {
    let server = Server::start().await;
    let (id, taken) = sold_out(&server, &free_places(1)).await;
    let (anna, page, _) = waiting(&server, &id, "Anna").await;
    let ask = page.links().into_iter().find(|link| link.contains("/leave")).unwrap();
    let question = anna.get(&ask).await;
    cancel(&server, &taken).await;
    anna.send(question.form("/waitlist/")).await.says("Held for you").says("Take it");
}

#[tokio::test]
async fn an_offer_that_lapsed_says_so_and_leads_back_to_the_end() {
    let server = Server::start().await;
    let mut spec = free_places(1);
    spec["policy"] = json!({"hold_seconds": 1});
    let (id, taken) = sold_out(&server, &spec).await;
    let (anna, _, path) = waiting(&server, &id, "Anna").await;
    let (ben, _, its) = waiting(&server, &id, "Ben").await;
    cancel(&server, &taken).await;
    let page = until(&anna, &path, "Your turn has passed").await.says("at the end");
    assert!(
        page.links().iter().any(|link| link.starts_with("/bookings/bkg_")),
        "its booking is still to be seen"
    );
    until(&ben, &its, "Your turn has passed").await;
}

#[tokio::test]
async fn the_end_of_waiting_is_told_with_its_reason() {
    let server = Server::start().await;
    for (status, words) in [("closed", "takes no bookings"), ("cancelled", "has called this off")] {
        let (id, _) = sold_out(&server, &free_places(1)).await;
        let (anna, _, path) = waiting(&server, &id, "Anna").await;
        let edit = server.request(reqwest::Method::PATCH, &format!("/v1/listings/{id}"));
        edit.json(&json!({"status": status})).key(&server.admin).ask().await.ok(200);
        let page = anna.get(&path).await.says("Waiting has come to its end").says(words);
        page.never_says("Join again").says("See what else can be booked");
    }
}

#[tokio::test]
async fn groups_read_how_often_they_were_passed_over_and_what_is_kept_for_them() {
    let server = Server::start().await;
    let spec = {
        let mut spec = free_places(2);
        spec["pools"][0]["title"] = "Chair".into();
        spec
    };
    let id = server.listing(&spec).await;
    let (mut one, other) = (server.book(&id).await, server.book(&id).await);
    let two = json!({"lines": [{"pool": "standard", "quantity": 2}], "customer": {"name": "Anna"}});
    let hers = server.post(&format!("/v1/listings/{id}/waitlist"), &two).ask().await.ok(201);
    let path = format!("/waitlist/{}?token={}", hers.id(), hers.token());
    let anna = Person::new(&server);
    anna.get(&path).await.says("2 × Chair").never_says("less came free");
    for times in 1..=10 {
        let single = json!({"lines": [{"pool": "standard", "quantity": 1}], "customer": {"name": "Ben"}});
        let his = server.post(&format!("/v1/listings/{id}/waitlist"), &single).ask().await.ok(201);
        cancel(&server, &one).await;
        let entry =
            server.get(&format!("/v1/waitlist/{}?token={}", his.id(), his.token())).ask().await.ok(200);
        let booking = entry.json["booking_id"].as_str().unwrap().to_owned();
        let confirm = format!("/v1/bookings/{booking}/confirm");
        one = server.post(&confirm, &json!({})).key(&server.operator).ask().await.ok(200);
        let words = match times {
            1 => "Once less came free than the 2 you need".to_owned(),
            2 => "Twice less came free".to_owned(),
            many => format!("{many} times less came free"),
        };
        anna.get(&path).await.says(&words);
    }
    cancel(&server, &one).await;
    anna.get(&path)
        .await
        .says("From now on what comes free is kept for you")
        .says("Kept for you 1 of 2 so far");
    // Everybody else sees that it is not to be had, and why.
    let page = until(&Person::new(&server), &format!("/listings/{id}"), "1 kept for the waitlist").await;
    page.says("Join the waitlist").never_says("1 left");
    let admin = Person::signed_in(&server, &server.admin).await;
    admin.get(&format!("/admin/listings/{id}/pools")).await.says("1 sold, 0 held, 1 kept for the waitlist");
    admin.get(&format!("/admin/listings/{id}")).await.says("1 kept for the waitlist").says("Waiting 1");
    let list = admin.get(&format!("/admin/listings/{id}/waitlist")).await.says("1 waits").says("1 kept");
    assert!(list.says("Taken").words().contains("10"));
    cancel(&server, &other).await;
    anna.get(&path).await.says("Held for you").says("2 × Chair");
}
