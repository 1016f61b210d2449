use serde_json::json;

use crate::support::{Ask, Server, places};

#[tokio::test]
async fn availability_shows_what_is_held_and_changes_its_tag_with_it() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let path = format!("/v1/listings/{listing}/availability");
    let before = server.get(&path).ask().await.ok(200);
    assert_eq!(before.json["listing_id"], listing);
    assert_eq!(before.json["pools"][0]["available"], 10);
    let tag = before.header("etag").to_owned();
    let seen = server.get(&path).header("if-none-match", &tag).ask().await.ok(304);
    assert_eq!((seen.text.as_str(), seen.header("etag")), ("", tag.as_str()));

    let booked = server.book(&listing).await;
    tokio::time::sleep(std::time::Duration::from_millis(250)).await;
    let after = server.get(&path).header("if-none-match", &tag).ask().await.ok(200);
    let pool = &after.json["pools"][0];
    assert_eq!((&pool["available"], &pool["held"], &pool["capacity"]), (&json!(9), &json!(1), &json!(10)));
    assert_eq!(pool["next_release_at"], booked.json["due_at"]);
    assert!(after.json["version"].as_u64() > before.json["version"].as_u64());
}

#[tokio::test]
async fn filters_of_dates_and_resources_are_checked() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let get = |query: &str| server.get(&format!("/v1/listings/{listing}/availability?{query}")).ask();
    assert_eq!(
        get("from=2090-12-24&until=2090-12-25").await.ok(200).json["pools"].as_array().unwrap().len(),
        1
    );
    assert_eq!(get("from=2090-12-25").await.ok(200).json["pools"], json!([]));
    get("from=christmas").await.invalid(&["from"]);
    get("resource=vip").await.invalid(&["resource"]);
    get("form=2090-12-24").await.invalid(&["form"]);
}
