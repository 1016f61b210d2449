//! `/admin/listings`: making and changing listings by forms.

use lastseat_core::seating::sample_plan;
use serde_json::{Value, json};

use crate::person::{Filled, Person, Shown};
use crate::support::{Ask, Server, places};

async fn blank(person: &Person<'_>, kind: &str) -> Filled {
    let page = person.get(&format!("/admin/listings/new?kind={kind}")).await;
    let form = page.form("/admin/listings/new").set("title", "Made by a form").set("status", "published");
    // A form with a file is sent in parts, chosen or not.
    form.set("timezone", "Europe/Berlin").set("currency", "eur").file("file", Vec::new())
}

/// The listing that a page is about, as the API shows it.
async fn shown(server: &Server, page: &Shown) -> Value {
    let id = page.url.split("/listings/").nth(1).unwrap().split(['?', '/']).next().unwrap().to_owned();
    server.get(&format!("/v1/listings/{id}")).ask().await.ok(200).json
}

#[tokio::test]
async fn a_listing_of_places_is_made_with_its_terms() {
    let server = Server::start().await;
    let admin = Person::signed_in(&server, &server.admin).await;
    admin.get("/admin/listings/new").await.says("What is scarce?").says("Stays");
    let form = blank(&admin, "places").await.set("starts_at", "2090-12-24T18:00").set("city", "Berlin");
    let form = form
        .set("pools[0].title", "Adult ticket")
        .set("pools[0].capacity", "8")
        .set("pools[0].price", "45,50");
    let form = form.set("policy.hold_seconds", "1.5").set("policy.cancel_until_seconds", "2");
    let page = admin.send(form.set("policy.max_per_customer", "2")).await.says("The listing is made");
    let made = shown(&server, &page).await;
    assert_eq!(made["starts_at"], "2090-12-24T17:00:00Z");
    assert_eq!(
        made["pools"],
        json!([{"key": "adult-ticket", "title": "Adult ticket", "capacity": 8, "price": 4550}])
    );
    assert_eq!(made["policy"]["hold_seconds"], 90);
    assert_eq!(made["policy"]["cancel_until_seconds"], 7200);
    assert_eq!(made["policy"]["payment"], json!(["receipt"]));
    assert_eq!((&made["policy"]["max_per_customer"], &made["currency"]), (&json!(2), &json!("EUR")));
}

#[tokio::test]
async fn errors_of_a_listing_stand_beside_their_fields_and_nothing_is_lost() {
    let server = Server::start().await;
    let admin = Person::signed_in(&server, &server.admin).await;
    let form =
        blank(&admin, "places").await.set("title", "").set("timezone", "Mars/Base").set("currency", "XXQ");
    let form = form
        .set("pools[0].title", "Adult")
        .set("pools[0].price", "1,500.00")
        .set("pools[0].capacity", "many");
    let page = admin
        .send(form.clone())
        .await
        .is(422)
        .says("How many must be a whole number")
        .says("must be an amount in XXQ");
    let form = page.form("/admin/listings/new").file("file", Vec::new());
    assert_eq!(form.get("pools[0].price"), Some("1,500.00"));
    let page = admin.send(form.set("pools[0].price", "15").set("pools[0].capacity", "5")).await.is(422);
    let page = page
        .says("Name must not be empty")
        .says("is not a known IANA time zone")
        .says("is not an ISO 4217 code");
    let form =
        page.form("/admin/listings/new").file("file", Vec::new()).set("title", "Now").set("timezone", "UTC");
    let form = form.set("currency", "EUR");
    assert_eq!(form.get("pools[0].title"), Some("Adult"));
    admin.send(form.clone().set("seal", "")).await.is(403);
    admin.send(form).await.says("The listing is made");
}

#[tokio::test]
async fn rows_are_added_by_a_button_and_empty_ones_do_not_count() {
    let server = Server::start().await;
    let admin = Person::signed_in(&server, &server.admin).await;
    let form = blank(&admin, "places").await.set("pools[0].title", "Adult").set("pools[0].capacity", "5");
    let page = admin.send(form.set("add", "pools")).await.is(200);
    let page =
        admin.send(page.form("/admin/listings/new").file("file", Vec::new()).set("add", "pools")).await;
    let form = page.form("/admin/listings/new").file("file", Vec::new());
    assert_eq!((form.get("pools[0].title"), form.get("pools[1].title")), (Some("Adult"), Some("")));
    let form = form.set("pools[2].title", "Child").set("pools[2].capacity", "3");
    let page = admin.send(form).await.says("The listing is made");
    let pools = shown(&server, &page).await["pools"].as_array().unwrap().len();
    assert_eq!(pools, 2);
}

#[tokio::test]
async fn a_hotel_and_a_pitch_are_made_with_their_calendars() {
    let server = Server::start().await;
    let admin = Person::signed_in(&server, &server.admin).await;
    let form =
        blank(&admin, "nights").await.set("calendar.from", "2090-12-01").set("calendar.last", "2090-12-31");
    let form = form
        .set("resources[0].title", "Double")
        .set("resources[0].capacity", "4")
        .set("resources[0].price", "99");
    let page = admin.send(form).await.says("The listing is made");
    let made = shown(&server, &page).await;
    assert_eq!(made["calendar"], json!({"from": "2090-12-01", "until": "2091-01-01"}));
    assert_eq!((&made["check_in_time"], &made["min_nights"]), (&json!("15:00"), &json!(1)));

    let form =
        blank(&admin, "slots").await.set("calendar.from", "2090-12-04").set("calendar.last", "2090-12-10");
    let form = form.set("resources[0].title", "Pitch 1").set("resources[0].capacity", "1");
    let form = form.set("opening_hours[0].until", "00:00").set("slot_minutes", "90");
    let page = admin.send(form).await.says("The listing is made");
    let made = shown(&server, &page).await;
    let days = json!(["mon", "tue", "wed", "thu", "fri"]);
    assert_eq!(made["opening_hours"], json!([{"days": days, "from": "09:00", "until": "00:00"}]));
    assert_eq!(made["slot_minutes"], 90);
}

#[tokio::test]
async fn a_hall_is_made_from_a_plan_whose_prices_are_asked_for() {
    let server = Server::start().await;
    let admin = Person::signed_in(&server, &server.admin).await;
    let form = blank(&admin, "seats").await.set("starts_at", "2090-12-24T18:00");
    admin
        .send(form.clone().file("file", b"not a plan".to_vec()))
        .await
        .is(422)
        .says("The plan cannot be used");
    admin.send(form.clone()).await.is(422).says("is needed");
    let plan = sample_plan(8, 10).to_string();
    let page = admin.send(form.file("file", plan.into_bytes())).await.is(422).says("Sample hall, 80 seats");
    // The plan need not be chosen again.
    let form = page.form("/admin/listings/new").file("file", Vec::new());
    let form = form
        .set("seating.prices.Front", "45")
        .set("seating.prices.Stalls", "30")
        .set("seating.prices.Balcony", "20");
    let page = admin.send(form).await.says("The listing is made").says("Capacity 80");
    let id = shown(&server, &page).await["id"].as_str().unwrap().to_owned();
    Person::new(&server).get(&format!("/listings/{id}")).await.says("Front 45 EUR");
}

#[tokio::test]
async fn a_listing_is_edited_and_never_saved_over_unseen_changes() {
    let server = Server::start().await;
    let id = server.listing(&places()).await;
    let (dora, emil) =
        (Person::signed_in(&server, &server.admin).await, Person::signed_in(&server, &server.admin).await);
    let path = format!("/admin/listings/{id}/edit");
    let (hers, his) = (dora.get(&path).await, emil.get(&path).await);
    let form = hers.form("/admin/listings/");
    assert_eq!(form.get("starts_at"), Some("2090-12-24T22:00"));
    // Saved unchanged, it stays as it is: policies too.
    let before = shown(&server, &hers).await;
    dora.send(form.clone()).await.says("Saved");
    let after = shown(&server, &hers).await;
    assert_eq!((&after["policy"], &after["starts_at"]), (&before["policy"], &before["starts_at"]));
    let form = dora.get(&path).await.form("/admin/listings/");
    dora.send(form.set("title", "Day shift").set("ends_at", "").set("policy.hold_seconds", "5"))
        .await
        .says("Day shift");
    let late = emil.send(his.form("/admin/listings/").set("title", "Evening shift")).await.is(409);
    let late = late.says("It has changed in the meantime");
    assert_eq!(late.form("/admin/listings/").get("title"), Some("Evening shift"));
    assert_eq!(shown(&server, &hers).await["title"], "Day shift");
    assert_eq!(shown(&server, &hers).await["policy"]["hold_seconds"], 300);
    emil.send(late.form("/admin/listings/")).await.says("Evening shift");
    dora.send(hers.form("/admin/listings/").set("starts_at", "yesterday"))
        .await
        .is(422)
        .says("must be a date and a time");
}

#[tokio::test]
async fn a_calendar_and_its_rooms_grow() {
    let server = Server::start().await;
    let id = server
        .listing(&json!({
            "kind": "nights", "title": "Hotel", "timezone": "UTC", "currency": "EUR",
            "resources": [{"key": "double", "capacity": 2, "price": 9900}],
            "calendar": {"from": "2090-12-01", "until": "2091-01-01"}
        }))
        .await;
    let admin = Person::signed_in(&server, &server.admin).await;
    let path = format!("/admin/listings/{id}/edit");
    let page = admin.get(&path).await;
    let form = page.form("/admin/listings/");
    admin.send(form.clone().set("calendar.last", "2090-12-10")).await.is(422).says("may only grow");
    let form = form.set("calendar.last", "2091-01-31").set("resources[0].title", "Double room");
    let form = form
        .set("resources[1].title", "Single room")
        .set("resources[1].capacity", "1")
        .set("resources[1].price", "60");
    let page = admin.send(form).await.says("Saved").says("Capacity 186");
    let now = shown(&server, &page).await;
    assert_eq!(now["resources"][0]["title"], "Double room");
    assert_eq!(now["resources"][1]["key"], "single-room");
}

#[tokio::test]
async fn a_listing_is_closed_opened_and_called_off_after_a_question() {
    let server = Server::start().await;
    let id = server.listing(&places()).await;
    let booked = server.book(&id).await.id();
    let admin = Person::signed_in(&server, &server.admin).await;
    let path = format!("/admin/listings/{id}");
    let question = admin.get(&format!("{path}/status?to=closed")).await.says("Close it?");
    admin.send(question.form("/admin/listings/").set("seal", "x")).await.is(403);
    admin.send(question.form("/admin/listings/")).await.says("The status is changed").says("Open again");
    admin.get(&format!("{path}/status?to=nothing")).await.is(404);
    let question =
        admin.get(&format!("{path}/status?to=cancelled")).await.says("One live booking is cancelled with it");
    admin.send(question.form("/admin/listings/")).await.says("Called off").never_says("Open again");
    let answer = server.get(&format!("/v1/bookings/{booked}")).key(&server.operator).ask().await;
    assert_eq!(answer.json["state"], "cancelled");
    Person::new(&server).get(&format!("/listings/{id}")).await.says("Called off");
}

#[tokio::test]
async fn capacities_and_prices_change_but_never_below_what_is_taken() {
    let server = Server::start().await;
    let id = server.listing(&places()).await;
    server.book(&id).await;
    let admin = Person::signed_in(&server, &server.admin).await;
    let path = format!("/admin/listings/{id}/pools");
    let form = admin.get(&path).await.says("0 sold, 1 held").form(&path);
    assert_eq!((form.get("pool.0.capacity"), form.get("pool.0.price")), (Some("10"), Some("25000")));
    let short = admin.send(form.clone().set("pool.0.capacity", "0")).await.is(409);
    short.says("Nothing was changed").says("Worker: 0 sold, 1 held");
    admin.send(form.clone()).await.is(422).says("are the same as before");
    admin.send(form.clone().set("pool.0.price", "x")).await.is(422).says("must be an amount");
    let form = form.set("pool.0.capacity", "12").set("pool.0.blocked", "2").set("pool.0.price", "30000");
    let form = form.set("new.key", "helper").set("new.capacity", "3").set("new.price", "10000");
    admin.send(form).await.says("Capacity and prices are changed").says("helper");
    Person::new(&server)
        .get(&format!("/listings/{id}"))
        .await
        .says("30,000 UZS")
        .says("9 left")
        .says("10,000 UZS");
}

#[tokio::test]
async fn nights_change_by_stretches_and_seats_by_their_names() {
    let server = Server::start().await;
    let hotel = json!({
        "kind": "nights", "title": "Hotel", "timezone": "UTC", "currency": "EUR",
        "resources": [{"key": "double", "capacity": 2, "price": 9900}],
        "calendar": {"from": "2090-12-01", "until": "2091-01-01"}
    });
    let hall = json!({
        "kind": "seats", "title": "Hall", "timezone": "UTC", "currency": "EUR", "starts_at": "2090-12-24T17:00:00Z",
        "seating": {"plan": sample_plan(4, 4), "prices": {"Front": 4500, "Stalls": 3000, "Balcony": 2000}}
    });
    let (hotel, hall) = (server.listing(&hotel).await, server.listing(&hall).await);
    let admin = Person::signed_in(&server, &server.admin).await;
    let path = format!("/admin/listings/{hotel}/pools");
    let form = admin.get(&path).await.says("The days to come").form(&path);
    admin.send(form.clone()).await.is(422).says("must be a first and a last date");
    let form = form.set("from", "2090-12-24").set("last", "2090-12-26").set("range.price", "149");
    admin.send(form).await.says("Capacity and prices are changed").says("149");
    let night = |date: &str| format!("/v1/listings/{hotel}/availability?from={date}&until=2091-01-01");
    let pools = server.get(&night("2090-12-26")).ask().await.ok(200).json;
    assert_eq!((&pools["pools"][0]["price"], &pools["pools"][1]["price"]), (&json!(14900), &json!(9900)));

    let path = format!("/admin/listings/{hall}/pools");
    let form = admin.get(&path).await.form(&path).set("keys", "A-1\nA-2").set("seats.blocked", "1");
    admin.send(form.clone().set("keys", " ")).await.is(422);
    admin.send(form).await.says("Capacity and prices are changed");
    let page = Person::new(&server).get(&format!("/listings/{hall}")).await.says("14 left");
    assert_eq!(page.box_labelled("Row A, seat 1, Front, not for sale"), None);
}
