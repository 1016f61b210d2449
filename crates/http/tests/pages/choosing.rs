//! Nights, slots and seats, chosen by links and boxes.

use lastseat_core::seating::sample_plan;
use serde_json::json;

use crate::person::Person;
use crate::support::Server;

/// How long what is shown as available may be behind the commits.
const AVAILABILITY_IS_BEHIND: std::time::Duration = std::time::Duration::from_millis(250);

fn hotel() -> serde_json::Value {
    json!({
        "kind": "nights", "title": "Hotel", "timezone": "Asia/Tashkent", "currency": "USD",
        "resources": [{"key": "double", "title": "Double room", "capacity": 2, "price": 9900},
                      {"key": "single", "title": "Single room", "capacity": 1, "price": 6450}],
        "calendar": {"from": "2090-12-01", "until": "2091-02-01"}, "min_nights": 2,
        "policy": {"payment": ["receipt"]}
    })
}

#[tokio::test]
async fn a_stay_is_chosen_day_by_day_and_booked() {
    let server = Server::start().await;
    let id = server.listing(&hotel()).await;
    let person = Person::new(&server);
    let page =
        person.get(&format!("/listings/{id}")).await.says("December 2090").says("Choose the day you come");
    let come = page.link_labelled("Sat 30 Dec 2090");
    let page = person.get(&come).await.says("Now choose the day you leave");
    let other_month = page.links().into_iter().find(|link| link.contains("month=2091-01")).unwrap();
    let page = person.get(&other_month).await.says("January 2091");
    let page = person.get(&page.link_labelled("Tue 2 Jan 2091")).await;
    let page = page.says("Sat 30 Dec 2090 – Tue 2 Jan 2091").says("3 nights").says("Total 297 USD");
    let booked = person
        .send(page.form(&format!("/listings/{id}/book")).set("rooms", "2").set("name", "Anna"))
        .await
        .is(200);
    booked.says("2 × Double room").says("Sat 30 Dec 2090 – Tue 2 Jan 2091, 3 nights").says("Pay 594 USD");
    // Those nights are full now, and a stay over them says which: as soon as the page knows, which is a moment later.
    let mut page;
    let at = format!("/listings/{id}?room=double&check_in=2090-12-29&check_out=2091-01-01");
    let begun = std::time::Instant::now();
    loop {
        page = person.get(&at).await;
        if page.words().contains("No room is left") || begun.elapsed() > AVAILABILITY_IS_BEHIND {
            break;
        }
    }
    page.says("No room is left on Sat 30 Dec and 1 more");
}

#[tokio::test]
async fn a_stay_that_is_too_short_or_beyond_the_calendar_is_told_before_it_is_sent() {
    let server = Server::start().await;
    let id = server.listing(&hotel()).await;
    let person = Person::new(&server);
    let at =
        |from: &str, until: &str| format!("/listings/{id}?room=single&check_in={from}&check_out={until}");
    person.get(&at("2090-12-24", "2090-12-25")).await.says("The shortest stay here is 2 nights");
    person.get(&at("2091-01-30", "2091-02-04")).await.says("Not all of these nights can be booked");
    person.get(&at("2090-12-25", "2090-12-24")).await.says("Now choose the day you leave");
    person.get(&at("9999-12-30", "9999-12-31")).await.is(200);
    person.get(&at("0001-01-01", "-9999")).await.is(200);
    let page = person.get(&format!("/listings/{id}")).await;
    let form = page.form(&format!("/listings/{id}/book")).set("name", "Anna");
    person.send(form).await.is(422).says("Choose the day you come.");
}

#[tokio::test]
async fn times_of_a_day_are_chosen_and_what_is_taken_cannot_be() {
    let server = Server::start().await;
    let id = server
        .listing(&json!({
            "kind": "slots", "title": "Pitch", "timezone": "America/New_York", "currency": "USD",
            "resources": [{"key": "p1", "title": "Pitch 1", "capacity": 1, "price": 6000}],
            "calendar": {"from": "2090-12-04", "until": "2090-12-11"},
            "opening_hours": [{"days": ["mon", "tue"], "from": "18:00", "until": "22:00"}], "slot_minutes": 60,
            "policy": {"payment": ["receipt"]}
        }))
        .await;
    let person = Person::new(&server);
    let page = person.get(&format!("/listings/{id}")).await;
    let page =
        page.says("Mon 4 Dec 2090").says("New York time (UTC−5)").says("Each is 1 hour").says("closed");
    let six = page.box_labelled("18:00 to 19:00, Pitch 1, 60 USD").unwrap();
    let seven = page.box_labelled("19:00").unwrap();
    let form = page.form("/listings/").set("name", "Anna").tick("take", &six).tick("take", &seven);
    let booked = person.send(form).await.is(200).says("Pay 120 USD");
    booked.says("Pitch 1 Mon 4 Dec 2090, 18:00–19:00");
    // As soon as the page knows, which is a moment later.
    let begun = std::time::Instant::now();
    let page = loop {
        let page = person.get(&format!("/listings/{id}?day=2090-12-04")).await;
        if page.box_labelled("18:00").is_none() || begun.elapsed() > AVAILABILITY_IS_BEHIND {
            break page;
        }
    };
    assert_eq!(page.box_labelled("18:00"), None);
    let tuesday = page.link_labelled("Tue 5 Dec, 4 free");
    person.get(&tuesday).await.says("Tue 5 Dec 2090");
    person.send(page.form("/listings/").set("name", "Ben")).await.is(422).says("Choose at least one time.");
}

fn hall(rows: usize, seats: usize) -> serde_json::Value {
    json!({
        "kind": "seats", "title": "Hall", "timezone": "Europe/Berlin", "currency": "EUR",
        "starts_at": "2090-12-24T17:00:00Z",
        "seating": {"plan": sample_plan(rows, seats), "prices": {"Front": 4500, "Stalls": 3000, "Balcony": 2000}},
        "pools": [{"key": "standing", "title": "Standing", "capacity": 5, "price": 1000}],
        "policy": {"payment": ["receipt"], "max_quantity": 4}
    })
}

#[tokio::test]
async fn seats_are_chosen_on_the_plan_with_standing_places_beside_them() {
    let server = Server::start().await;
    let id = server.listing(&hall(8, 10)).await;
    let (anna, ben) = (Person::new(&server), Person::new(&server));
    let (hers, his) = (anna.get(&format!("/listings/{id}")).await, ben.get(&format!("/listings/{id}")).await);
    let seat = hers.box_labelled("Row A, seat 1, Front, 45 EUR").unwrap();
    let form = hers.form("/listings/").set("name", "Anna").set("take", "1:1000:standing").tick("take", &seat);
    anna.send(form).await.is(200).says("Pay 55 EUR").says("Stalls A-1").says("Standing");
    // Two wanted one seat: the other hears which, and keeps the rest.
    let other = his.box_labelled("Row A, seat 2").unwrap();
    let form = his.form("/listings/").set("name", "Ben").tick("take", &seat).tick("take", &other);
    let late = ben.send(form).await.is(409).says("Somebody was faster").says("Stalls A-1: it is gone");
    assert_eq!(late.box_labelled("Row A, seat 1"), None);
    let form = late.form(&format!("/listings/{id}/book"));
    assert!(form.fields.contains(&("take".to_owned(), other)), "{form:?}");
    ben.send(form).await.is(200).says("Stalls A-2");
    // More than one may have.
    let page = ben.get(&format!("/listings/{id}")).await;
    let mut form = page.form(&format!("/listings/{id}/book")).set("name", "Ben");
    for number in 3..8 {
        form = form.tick("take", &page.box_labelled(&format!("Row A, seat {number},")).unwrap());
    }
    ben.send(form).await.is(422).says("one booking may have at most 4");
}

#[tokio::test]
async fn a_large_hall_is_looked_at_by_sections_and_keeps_what_was_chosen() {
    let server = Server::start().await;
    let id = server.listing(&hall(60, 40)).await;
    let person = Person::new(&server);
    let path = format!("/listings/{id}");
    let page = person.get(&path).await.says("Stalls, rows A–O 600 left").says("Balcony");
    let first = page.box_labelled("Row A, seat 7").unwrap();
    let page = person.get(&format!("{path}?take={first}&section=3")).await.says("45 EUR");
    // It comes along with the form that looks, and with the one that books.
    let carried = ("take".to_owned(), first.clone());
    assert!(page.html.contains("Stalls A-7"));
    assert!(page.form(&format!("{path}/book")).fields.contains(&carried));
    assert!(page.form(&path).fields.contains(&carried));
    let second = page.box_labelled("Row AU, seat 1,").unwrap();
    let page = person.get(&format!("{path}?take={first}&take={second}&section=3")).await;
    let form = page.form(&format!("{path}/book")).set("name", "Anna");
    person.send(form).await.is(200).says("Stalls A-7").says("Balcony AU-1").says("Pay 65 EUR");
}
