//! `/admin`: who may come in, and what operators do with bookings.

use serde_json::json;

use crate::person::Person;
use crate::support::{Ask, Server, booking, places, png};

/// A booking in review: its id.
async fn in_review(server: &Server, listing: &str, name: &str) -> String {
    let mut body = booking(listing);
    body["customer"]["name"] = name.into();
    let booked = server.post("/v1/bookings", &body).ask().await.ok(201);
    let part = reqwest::multipart::Part::bytes(png()).file_name("r.png");
    let form = reqwest::multipart::Form::new().part("receipt", part);
    let path = format!("/v1/bookings/{}/payment", booked.id());
    server.request(reqwest::Method::POST, &path).token(&booked.token()).multipart(form).ask().await.ok(200);
    booked.id()
}

async fn state(server: &Server, id: &str) -> String {
    let answer = server.get(&format!("/v1/bookings/{id}")).key(&server.operator).ask().await;
    answer.json["state"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_page_for_operators_needs_somebody_who_is_signed_in() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let id = in_review(&server, &listing, "Anna").await;
    let person = Person::new(&server);
    for path in [
        "/admin".to_owned(),
        "/admin/review".to_owned(),
        "/admin/bookings".to_owned(),
        format!("/admin/bookings/{id}"),
        format!("/admin/bookings/{id}/receipts/1"),
        format!("/admin/listings/{listing}"),
        format!("/admin/listings/{listing}/edit"),
        format!("/admin/listings/{listing}/pools"),
        format!("/admin/listings/{listing}/status?to=cancelled"),
        "/admin/listings/new".to_owned(),
        "/admin/keys".to_owned(),
    ] {
        let answer = person.get_once(&path).await.is(303);
        assert!(answer.location().starts_with("/admin/sign-in?next=/admin"), "{path}: {}", answer.location());
    }
    let operator = Person::signed_in(&server, &server.operator).await;
    let form = operator.get(&format!("/admin/bookings/{id}")).await.form("/admin/bookings/");
    person.send(form).await.is(401).says("You are not signed in any more");
    assert_eq!(state(&server, &id).await, "in_review");
}

#[tokio::test]
async fn signing_in_takes_a_key_of_a_person_and_leads_back() {
    let server = Server::start().await;
    let person = Person::new(&server);
    let page = person.get("/admin/bookings?state=held").await.says("Organiser’s desk");
    let form = page.form("/admin/sign-in");
    person.send(form.clone().set("key", "wrong")).await.is(401).says("This key is not known here");
    person.send(form.clone().set("key", &server.integrator)).await.is(403).says("This key is for a program");
    person.send(form.clone().set("key", &server.operator).set("seal", "")).await.is(403);
    let answer = person.send_once(form.set("key", &server.operator)).await.is(303);
    assert_eq!(answer.location(), "/admin/bookings?state=held");
    let cookie = answer
        .headers
        .get_all("set-cookie")
        .iter()
        .find(|c| c.to_str().unwrap().contains("session"))
        .unwrap();
    let cookie = cookie.to_str().unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    assert!(!cookie.contains(&server.operator), "the key itself is not in the cookie");
    let desk = person.get("/admin").await.says("Nothing waits for you");
    person.send(desk.form("/admin/sign-out")).await.says("Sign in");
    assert_eq!(person.get_once("/admin").await.status, 303);
}

#[tokio::test]
async fn behind_https_cookies_demand_it() {
    let server = Server::start().await;
    let answer = server.get("/").header("x-forwarded-proto", "https").send().await.unwrap();
    assert!(answer.headers()["set-cookie"].to_str().unwrap().ends_with("; Secure"));
}

#[tokio::test]
async fn a_session_ends_with_its_key_and_cannot_be_made_up() {
    let server = Server::start().await;
    let made =
        server.post("/v1/keys", &json!({"role": "operator", "name": "Dora"})).key(&server.admin).ask().await;
    let dora = Person::signed_in(&server, made.json["secret"].as_str().unwrap()).await;
    dora.get("/admin").await.says("Overview");
    let session = dora.cookie("lastseat_session").unwrap();
    let parts: Vec<&str> = session.split('.').collect();
    let later = format!("{}.{}.{}", parts[0], parts[1].parse::<i64>().unwrap() + 1, parts[2]);
    let admin = Person::signed_in(&server, &server.admin).await.cookie("lastseat_session").unwrap();
    let other = format!("{}.{}.{}", admin.split('.').next().unwrap(), parts[1], parts[2]);
    for forged in [later.as_str(), other.as_str(), "", "..", "x.1.y", &session[..session.len() - 1]] {
        let forger = Person::new(&server);
        forger.set_cookie("lastseat_session", forged);
        assert_eq!(forger.get_once("/admin").await.status, 303, "{forged}");
    }
    let path = format!("/v1/keys/{}", made.id());
    server.request(reqwest::Method::DELETE, &path).key(&server.admin).ask().await.ok(204);
    assert_eq!(dora.get_once("/admin").await.status, 303);
}

#[tokio::test]
async fn operators_decide_bookings_and_change_nothing_else() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let operator = Person::signed_in(&server, &server.operator).await;
    operator.get("/admin").await.never_says("New listing").never_says("Keys");
    operator.get(&format!("/admin/listings/{listing}")).await.says("Sold").never_says("Call off");
    for path in [
        "new",
        &format!("{listing}/edit"),
        &format!("{listing}/pools"),
        &format!("{listing}/status?to=closed"),
    ] {
        operator.get(&format!("/admin/listings/{path}")).await.is(403).says("Only admins may do this");
    }
    operator.get("/admin/keys").await.is(403);
    // Not by sending an admin's form either.
    let admin = Person::signed_in(&server, &server.admin).await;
    let form =
        admin.get(&format!("/admin/listings/{listing}/status?to=closed")).await.form("/admin/listings/");
    operator.send(form).await.is(403);
}

#[tokio::test]
async fn what_waits_is_reviewed_one_after_the_other() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let first = in_review(&server, &listing, "Anna").await;
    let second = in_review(&server, &listing, "Ben").await;
    let operator = Person::signed_in(&server, &server.operator).await;
    operator.get("/admin").await.says("2 bookings wait for approval");
    let page = operator.get("/admin/review").await.says("1 of 2").says("Anna").says("Warehouse night shift");
    let picture = format!("/admin/bookings/{first}/receipts/1");
    assert!(page.html.contains(&format!("src=\"{picture}\"")));
    let image = operator.get(&picture).await.is(200);
    assert_eq!(
        (image.header("content-type"), image.header("x-content-type-options")),
        ("image/png", "nosniff")
    );
    operator.get(&format!("/admin/bookings/{first}/receipts/2")).await.is(404);
    for file in std::fs::read_dir(server.data().join("receipts")).unwrap() {
        std::fs::remove_file(file.unwrap().path()).unwrap();
    }
    operator.get(&picture).await.is(503);
    let page = operator.send(page.form(&format!("/admin/bookings/{first}/approve"))).await;
    let page = page.says("Approved").says("1 of 1").says("Ben");
    assert_eq!(state(&server, &first).await, "confirmed");
    let form = page.form(&format!("/admin/bookings/{second}/reject")).set("reason", "It is blurred.");
    operator.send(form).await.says("Rejected").says("Nothing waits");
    assert_eq!(state(&server, &second).await, "rejected");
    operator.get(&format!("/admin/bookings/{second}")).await.says("It is blurred.").says("by operator");
}

#[tokio::test]
async fn the_second_of_two_decisions_changes_nothing_and_is_told_so() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let id = in_review(&server, &listing, "Anna").await;
    let (dora, emil) =
        (Person::signed_in(&server, &server.operator).await, Person::signed_in(&server, &server.admin).await);
    let (hers, his) = (dora.get("/admin/review").await, emil.get("/admin/review").await);
    dora.send(hers.form(&format!("/admin/bookings/{id}/approve"))).await.says("Approved");
    let late = emil.send(his.form(&format!("/admin/bookings/{id}/reject"))).await;
    late.says("Somebody has decided already");
    assert_eq!(state(&server, &id).await, "confirmed");
    let page = emil.get(&format!("/admin/bookings/{id}")).await.says("Confirmed by operator");
    emil.send(page.form(&format!("/admin/bookings/{id}/cancel")).set("version", "1")).await.is(409);
    assert_eq!(state(&server, &id).await, "confirmed");
}

#[tokio::test]
async fn money_comes_in_and_goes_back() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let id = server.book(&listing).await.id();
    let operator = Person::signed_in(&server, &server.operator).await;
    let path = format!("/admin/bookings/{id}");
    let page = operator.get(&path).await.says("Held");
    let form = page.form(&format!("{path}/confirm")).set("reference", "bank-1");
    assert_eq!(form.get("amount"), Some("25000"));
    operator.send(form.clone().set("amount", "2,5e3")).await.is(422).says("must be an amount in UZS");
    operator.send(form.clone().set("amount", "1")).await.is(422);
    operator.send(form.clone().set("seal", "")).await.is(403);
    let page = operator.send(form).await.says("The payment is written down").says("Confirmed");
    let form = page.form(&format!("{path}/cancel")).set("reason", "The truck broke down.");
    let page = operator.send(form).await.says("To go back 25,000 UZS").says("The truck broke down.");
    let form = page.form(&format!("{path}/refund")).set("reference", "back-1");
    operator.send(form).await.says("Gone back 25,000 UZS").says("Refunded");
    operator.get(&format!("/admin/listings/{listing}")).await.says("Money kept 0 UZS").says("Cancelled");
}

#[tokio::test]
async fn a_hold_gets_more_time() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let id = server.book(&listing).await.id();
    let operator = Person::signed_in(&server, &server.operator).await;
    let path = format!("/admin/bookings/{id}");
    let form = operator.get(&path).await.form(&format!("{path}/extend"));
    operator.send(form.clone().set("minutes", "x")).await.is(422).says("must be a whole number");
    operator.send(form.set("minutes", "5")).await.says("The hold lasts longer now").says("Hold extended");
    operator.get("/admin/bookings/bkg_x").await.is(404);
}

#[tokio::test]
async fn bookings_are_found_by_reference_customer_state_and_listing() {
    let server = Server::start().await;
    let (listing, other) = (server.listing(&places()).await, server.listing(&places()).await);
    let anna = in_review(&server, &listing, "Anna Field").await;
    server.book(&other).await;
    let operator = Person::signed_in(&server, &server.operator).await;
    let at = async |query: &str| operator.get(&format!("/admin/bookings?{query}")).await;
    at("q=anna+f").await.says("Anna Field").never_says("Dilnoza");
    at("state=in_review").await.says("Anna Field").never_says("Dilnoza");
    at(&format!("listing={other}")).await.says("Dilnoza").never_says("Anna Field");
    at("q=nobody").await.says("Nothing fits");
    let reference = server.get(&format!("/v1/bookings/{anna}")).key(&server.operator).ask().await;
    let reference = reference.json["reference"].as_str().unwrap().to_lowercase();
    let found = at(&format!("q={reference}")).await.says("Anna Field").says("History");
    assert!(found.url.ends_with(&anna), "{}", found.url);
}

#[tokio::test]
async fn a_long_list_goes_on_without_losing_or_repeating_anybody() {
    let server = Server::start().await;
    let mut spec = places();
    spec["pools"][0]["capacity"] = 200.into();
    let listing = server.listing(&spec).await;
    for number in 0..60 {
        let mut body = booking(&listing);
        body["customer"]["name"] = format!("Guest {number:03}").into();
        server.post("/v1/bookings", &body).ask().await.ok(201);
    }
    let operator = Person::signed_in(&server, &server.operator).await;
    let first = operator.get(&format!("/admin/bookings?listing={listing}")).await;
    let next = first.links().into_iter().find(|link| link.contains("before=")).unwrap();
    let second = operator.get(&next).await;
    let words = first.words() + &second.words();
    for number in 0..60 {
        assert_eq!(words.matches(&format!("Guest {number:03}")).count(), 1, "{number}");
    }
    assert!(!second.html.contains("rel=\"next\""));
}

#[tokio::test]
async fn keys_are_shown_once_and_taken_away_at_once() {
    let server = Server::start().await;
    let admin = Person::signed_in(&server, &server.admin).await;
    let page = admin.get("/admin/keys").await.says("yours");
    let form = page.form("/admin/keys").set("name", "Front desk").set("role", "operator");
    admin.send(form.clone().set("name", " ")).await.is(422);
    admin.send(form.clone().set("role", "king")).await.is(422);
    let made = admin.send(form).await.is(201).says("shown this once").says("Front desk");
    let secret = made.html.split("data-secret>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let desk = Person::signed_in(&server, &secret).await;
    let again = admin.get("/admin/keys").await.says("Front desk");
    assert!(!again.html.contains(&secret));
    let row = server.state.engine.keys().iter().find(|key| key.name == "Front desk").unwrap().id;
    admin.send(again.form(&format!("/admin/keys/{row}/revoke"))).await.says("The key is taken away");
    assert_eq!(desk.get_once("/admin").await.status, 303);
}

#[tokio::test]
async fn an_operator_who_opens_a_customers_address_sees_the_operators_page() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let id = server.book(&listing).await.id();
    let operator = Person::signed_in(&server, &server.operator).await;
    let answer = operator.get_once(&format!("/bookings/{id}")).await.is(303);
    assert_eq!(answer.location(), format!("/admin/bookings/{id}"));
}
