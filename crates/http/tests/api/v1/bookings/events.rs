use serde_json::{Value, json};

use crate::support::{Ask, Server, places};

#[tokio::test]
async fn events_of_a_booking_speak_of_pools_by_their_keys() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let made = server.book(&listing).await;
    server
        .post(&format!("/v1/bookings/{}/cancel", made.id()), &json!({"reason": "ill"}))
        .token(&made.token())
        .ask()
        .await
        .ok(200);
    let path = format!("/v1/bookings/{}/events", made.id());
    let mut events = server.get(&path).token(&made.token()).ask().await.ok(200).json;
    assert_eq!(events["items"][0]["data"]["due_at"], made.json["due_at"]);
    for event in events["items"].as_array_mut().unwrap() {
        assert_eq!((&event["listing_id"], &event["booking_id"]), (&json!(listing), &json!(made.id())));
        for field in ["id", "at", "listing_id", "booking_id"] {
            event[field] = Value::from("...");
        }
        for field in ["created_at", "due_at", "decided_at"] {
            if event["data"][field].is_string() {
                event["data"][field] = Value::from("...");
            }
        }
    }
    events.sort_all_objects();
    insta::assert_json_snapshot!(events, @r#"
    {
      "items": [
        {
          "actor": "public",
          "at": "...",
          "booking_id": "...",
          "data": {
            "created_at": "...",
            "created_by": null,
            "customer": {
              "email": null,
              "external_id": null,
              "name": "Dilnoza K.",
              "phone": null,
              "telegram_id": null
            },
            "due_at": "...",
            "lines": [
              {
                "pool": "standard",
                "quantity": 1,
                "unit_price": 2500000
              }
            ],
            "note": null,
            "state": "held",
            "total": 2500000
          },
          "id": "...",
          "listing_id": "...",
          "seq": 1,
          "type": "booking.held"
        },
        {
          "actor": "owner",
          "at": "...",
          "booking_id": "...",
          "data": {
            "decided_at": "...",
            "decided_by": "owner",
            "due_at": null,
            "reason": "ill",
            "state": "cancelled"
          },
          "id": "...",
          "listing_id": "...",
          "seq": 2,
          "type": "booking.cancelled"
        }
      ],
      "next_cursor": null
    }
    "#);
    let page = server.get(&format!("{path}?limit=1")).token(&made.token()).ask().await.ok(200);
    let cursor = page.json["next_cursor"].as_str().unwrap();
    let rest = server.get(&format!("{path}?cursor={cursor}")).token(&made.token()).ask().await.ok(200);
    assert_eq!((&rest.json["items"][0]["seq"], &rest.json["next_cursor"]), (&json!(2), &Value::Null));
    server.get(&path).ask().await.problem(401, "unauthenticated");
}
