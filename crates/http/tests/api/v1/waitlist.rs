//! Waiting for what is sold out.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Ask, Events, Server, booking, free_places, places};

/// A listing of one place, which is taken.
async fn sold_out(server: &Server) -> (String, Answer) {
    let mut form = places();
    form["pools"][0]["capacity"] = json!(1);
    let listing = server.listing(&form).await;
    let made = server.book(&listing).await;
    (listing, made)
}

fn who(name: &str) -> Value {
    json!({"name": name, "email": format!("{name}@example.org")})
}

fn wish(name: &str) -> Value {
    json!({"customer": who(name), "lines": [{"pool": "standard", "quantity": 1}]})
}

impl Server {
    fn join(&self, listing: &str, wish: &Value) -> reqwest::RequestBuilder {
        self.post(&format!("/v1/listings/{listing}/waitlist"), wish)
    }

    async fn entry(&self, entry: &Answer) -> Value {
        let request = self.get(&format!("/v1/waitlist/{}", entry.id()));
        request.header("waitlist-token", entry.token()).ask().await.ok(200).json
    }

    async fn cancel(&self, id: &str) {
        let cancel = self.post(&format!("/v1/bookings/{id}/cancel"), &json!({}));
        cancel.key(&self.operator).ask().await.ok(200);
    }
}

#[tokio::test]
async fn a_refused_booking_says_where_to_wait_and_who_waits_gets_what_comes_free() {
    let server = Server::start().await;
    let (listing, made) = sold_out(&server).await;
    let refused = server.post("/v1/bookings", &booking(&listing)).ask().await.problem(409, "sold_out");
    assert_eq!(refused.json["waitlist"], format!("/v1/listings/{listing}/waitlist"));
    let joined = server.post(refused.json["waitlist"].as_str().unwrap(), &wish("vera")).ask().await.ok(201);
    assert_eq!(joined.header("location"), format!("/v1/waitlist/{}", joined.id()));
    let mut body = joined.json.clone();
    for field in ["id", "token", "created_at", "listing_id"] {
        assert!(body[field].is_string(), "{field}");
        body[field] = Value::from("...");
    }
    body.sort_all_objects();
    insta::assert_json_snapshot!(body, @r#"
    {
      "ahead": 0,
      "any": null,
      "booking_id": null,
      "created_at": "...",
      "customer": {
        "email": "vera@example.org",
        "external_id": null,
        "name": "vera",
        "phone": null,
        "telegram_id": null
      },
      "due_at": null,
      "id": "...",
      "lines": [
        {
          "pool": "standard",
          "quantity": 1
        }
      ],
      "listing_id": "...",
      "reason": null,
      "skipped": 0,
      "state": "waiting",
      "token": "...",
      "until": null
    }
    "#);
    let second = server.join(&listing, &wish("boris")).ask().await.ok(201);
    assert_eq!(second.json["ahead"], 1);
    server.cancel(&made.id()).await;
    let offered = server.entry(&joined).await;
    assert_eq!((&offered["state"], &offered["ahead"]), (&json!("offered"), &json!(0)));
    assert_eq!(server.entry(&second).await["ahead"], 0);
    // The booking is the customer's, by its own token.
    let id = offered["booking_id"].as_str().unwrap();
    let held = server.get(&format!("/v1/bookings/{id}")).token(offered["booking_token"].as_str().unwrap());
    let held = held.ask().await.ok(200);
    assert_eq!((&held.json["state"], &held.json["due_at"]), (&json!("held"), &offered["due_at"]));
    let gone = server.request(Method::DELETE, &format!("/v1/waitlist/{}", joined.id()));
    let gone = gone.header("waitlist-token", joined.token()).ask().await.ok(204);
    assert_eq!(gone.text, "");
    assert_eq!(server.entry(&joined).await["state"], "left");
    assert_eq!(server.entry(&second).await["state"], "offered");
    let events = server.get(&format!("/v1/events?listing_id={listing}")).key(&server.operator).ask().await;
    let types: Vec<&str> = events.json["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    let wanted = [
        "listing.created",
        "booking.held",
        "waitlist.joined",
        "waitlist.joined",
        "booking.cancelled",
        "booking.held",
        "waitlist.offered",
        "booking.cancelled",
        "waitlist.left",
        "booking.held",
        "waitlist.offered",
    ];
    assert_eq!(types, wanted);
}

#[tokio::test]
async fn a_second_join_is_the_same_entry_and_its_token_is_for_who_made_it() {
    let server = Server::start().await;
    let (listing, _) = sold_out(&server).await;
    let first = server.join(&listing, &wish("vera")).idempotent("one").ask().await.ok(201);
    let again = server.join(&listing, &wish("vera")).ask().await.ok(200);
    assert_eq!((again.id(), again.json.get("token")), (first.id(), None));
    // Whoever knows an address learns nothing of who waits there for what.
    for key in [None, Some(&server.integrator)] {
        let mut join = server.join(&listing, &wish("vera"));
        if let Some(key) = key {
            join = join.key(key);
        }
        let told = join.ask().await.ok(200);
        assert!(!told.text.contains("example.org"), "{}", told.text);
        assert_eq!((told.json.get("customer"), &told.json["lines"]), (None, &Value::Null));
    }
    let replay = server.join(&listing, &wish("vera")).idempotent("one").ask().await.ok(201);
    assert_eq!((replay.header("idempotency-replayed"), &replay.json), ("true", &first.json));
    server.join(&listing, &wish("boris")).idempotent("one").ask().await.problem(422, "idempotency_mismatch");
    let partner = server.join(&listing, &wish("anna")).key(&server.integrator).ask().await.ok(201);
    let again = server.join(&listing, &wish("anna")).key(&server.integrator).ask().await.ok(200);
    assert_eq!(again.token(), partner.token());
    assert_eq!(server.join(&listing, &wish("anna")).ask().await.ok(200).json.get("token"), None);
    // That somebody waits already is remembered too, and does not put them in line again when they have left.
    let there = server.join(&listing, &wish("vera")).idempotent("two").ask().await.ok(200);
    let leave = server.request(Method::DELETE, &format!("/v1/waitlist/{}", first.id()));
    leave.header("waitlist-token", first.token()).ask().await.ok(204);
    let replay = server.join(&listing, &wish("vera")).idempotent("two").ask().await.ok(200);
    assert_eq!((replay.header("idempotency-replayed"), replay.id()), ("true", there.id()));
    server.join(&listing, &wish("anna")).idempotent("two").ask().await.problem(422, "idempotency_mismatch");
}

#[tokio::test]
async fn an_entry_is_for_who_has_its_token_who_made_it_and_operators() {
    let server = Server::start().await;
    let (listing, _) = sold_out(&server).await;
    let entry = server.join(&listing, &wish("vera")).ask().await.ok(201);
    let other = server.join(&listing, &wish("boris")).key(&server.integrator).ask().await.ok(201);
    let path = format!("/v1/waitlist/{}", entry.id());
    for (method, path) in
        [(Method::GET, path.clone()), (Method::DELETE, path.clone()), (Method::GET, format!("{path}/live"))]
    {
        server.request(method.clone(), &path).ask().await.problem(401, "unauthenticated");
        for token in [other.token(), "nonsense".to_owned()] {
            let request = server.request(method.clone(), &path).header("waitlist-token", token);
            request.ask().await.problem(404, "not_found");
        }
        server.request(method.clone(), &path).key(&server.integrator).ask().await.problem(404, "not_found");
        server.request(method, &path).key("wrong").ask().await.problem(401, "unauthenticated");
    }
    server.get(&format!("/v1/waitlist/{}", other.id())).key(&server.integrator).ask().await.ok(200);
    let seen = server.get(&path).key(&server.operator).ask().await.ok(200);
    assert_eq!(seen.json.get("booking_token"), None);
    server.get(&format!("{path}?token={}", entry.token())).ask().await.ok(200);
    server.get(&format!("{path}?token={}&more=1", entry.token())).ask().await.invalid(&["more"]);
    let list = format!("/v1/listings/{listing}/waitlist");
    server.get(&list).ask().await.problem(401, "unauthenticated");
    server.get(&list).key(&server.integrator).ask().await.problem(403, "forbidden");
    let page = server.get(&format!("{list}?limit=1")).key(&server.operator).ask().await.ok(200);
    assert_eq!(page.json["items"][0]["id"], entry.id());
    let cursor = page.json["next_cursor"].as_str().unwrap();
    let rest = server.get(&format!("{list}?cursor={cursor}")).key(&server.operator).ask().await.ok(200);
    assert_eq!((&rest.json["items"][0]["id"], &rest.json["next_cursor"]), (&json!(other.id()), &Value::Null));
    server.request(Method::DELETE, &path).key(&server.operator).ask().await.ok(204);
}

#[tokio::test]
async fn what_cannot_be_waited_for_is_refused_with_its_reason() {
    let server = Server::start().await;
    let (listing, _) = sold_out(&server).await;
    let line = |quantity: i64| json!([{"pool": "standard", "quantity": quantity}]);
    let customer = who("vera");
    for (wish, fields) in [
        (json!({"customer": customer}), &["lines"][..]),
        (json!({"customer": customer, "lines": line(1), "any": {"quantity": 1}}), &["any"]),
        (json!({"customer": customer, "lines": line(0)}), &["lines[0].quantity"]),
        (json!({"customer": customer, "lines": line(2)}), &["lines"]),
        (json!({"customer": customer, "lines": line(11)}), &["lines"]),
        (json!({"customer": customer, "any": {"quantity": 0}}), &["any.quantity"]),
        (json!({"customer": customer, "any": {"quantity": 2}}), &["any.quantity"]),
        (json!({"customer": customer, "lines": [{"pool": "balcony", "quantity": 1}]}), &["lines[0].pool"]),
        (json!({"customer": {"name": ""}, "lines": line(1)}), &["customer.name"]),
        (json!({"customer": customer, "lines": line(1), "until": "2020-01-01T00:00:00Z"}), &["until"]),
        (json!({"customer": customer, "lines": line(1), "on_offer": "buy"}), &["on_offer"]),
        (json!({"customer": customer, "lines": line(1), "nonsense": 1}), &["nonsense"]),
        (
            json!({"customer": customer, "stay": {"resource": "standard", "check_in": "2090-12-24", "check_out": "2090-12-25"}}),
            &["stay"],
        ),
    ] {
        server.join(&listing, &wish).ask().await.invalid(fields);
    }
    let free = server.listing(&free_places(3)).await;
    let refused = server.join(&free, &wish("vera")).ask().await.problem(409, "wrong_state");
    assert_eq!(refused.json["pools"][0]["available"], 3);
    server.join("lst_nonsense", &wish("vera")).ask().await.problem(404, "not_found");
    let list = format!("/v1/listings/{listing}");
    let closed = server.request(Method::PATCH, &list).json(&json!({"status": "closed"})).key(&server.admin);
    closed.ask().await.ok(200);
    server.join(&listing, &wish("vera")).ask().await.problem(409, "not_on_sale");
}

#[tokio::test]
async fn an_entry_is_followed_until_it_is_offered_and_what_costs_nothing_is_taken_by_its_owner() {
    let server = Server::start().await;
    let listing = server.listing(&free_places(1)).await;
    let made = server.book(&listing).await;
    let first = server.join(&listing, &wish("anna")).ask().await.ok(201);
    let second = server.join(&listing, &wish("vera")).ask().await.ok(201);
    let path = format!("/v1/waitlist/{}/live?token={}", second.id(), second.token());
    let mut events = Events::open(server.get(&path)).await;
    let event = events.next().await.unwrap();
    assert_eq!((event.name.as_str(), &event.data["state"]), ("waitlist", &json!("waiting")));
    assert_eq!((&event.data["ahead"], event.data.get("token")), (&json!(1), None));
    let leave = server.request(Method::DELETE, &format!("/v1/waitlist/{}", first.id()));
    leave.header("waitlist-token", first.token()).ask().await.ok(204);
    assert_eq!(events.next().await.unwrap().data["ahead"], 0);
    server.cancel(&made.id()).await;
    let event = events.next().await.unwrap();
    assert_eq!(event.data["state"], "offered");
    let offered = server.entry(&second).await;
    let confirm = format!("/v1/bookings/{}/confirm", offered["booking_id"].as_str().unwrap());
    let token = offered["booking_token"].as_str().unwrap();
    let taken = server.post(&confirm, &json!({})).token(token).ask().await.ok(200);
    assert_eq!(taken.json["state"], "confirmed");
    assert_eq!(events.next().await.unwrap().data["state"], "taken");
    server.post(&confirm, &json!({})).token(token).ask().await.problem(409, "wrong_state");
    let leave = server.request(Method::DELETE, &format!("/v1/waitlist/{}", second.id()));
    let refused = leave.header("waitlist-token", second.token()).ask().await.problem(409, "wrong_state");
    assert_eq!(refused.json["state"], "taken");
}

#[tokio::test]
async fn availability_says_how_many_wait_and_what_is_kept_for_them() {
    let server = Server::start().await;
    let mut form = places();
    form["pools"][0]["capacity"] = json!(12);
    let listing = server.listing(&form).await;
    let mut made = Vec::new();
    for _ in 0..12 {
        made.push(server.book(&listing).await.id());
    }
    let group = json!({"customer": who("group"), "lines": [{"pool": "standard", "quantity": 3}]});
    let entry = server.join(&listing, &group).ask().await.ok(201);
    for _ in 0..10 {
        server.cancel(&made.pop().unwrap()).await;
        server.book(&listing).await;
    }
    server.cancel(&made.pop().unwrap()).await;
    server.post("/v1/bookings", &booking(&listing)).ask().await.problem(409, "sold_out");
    tokio::time::sleep(std::time::Duration::from_millis(260)).await;
    let seen = server.get(&format!("/v1/listings/{listing}/availability")).ask().await.ok(200).json;
    let pool = &seen["pools"][0];
    assert_eq!((&seen["waiting"], &pool["kept"], &pool["available"]), (&json!(1), &json!(1), &json!(0)));
    assert_eq!(server.entry(&entry).await["skipped"], 10);
}
