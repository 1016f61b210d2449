//! Everything goes over, and comes back.

use lastseat_store::verify::verify;
use lastseat_testkit::Postgres;
use serde_json::json;

use crate::real::booking;
use crate::shop::{self, Memory};
use crate::{copy, seen, text};

/// Books on a server and reads its feed: numbers go on, nothing collides, and all events from before are there.
async fn goes_on(memory: &Memory, api: &crate::real::Api, name: &str, before: &[String]) -> Vec<String> {
    memory.assert_kept(api).await;
    let fresh = api.book(&booking(&memory.listing, name)).await;
    let own =
        shop::admin(api, reqwest::Method::GET, &format!("/v1/bookings/{}/events", fresh.id()), None).await;
    let own = own.ok(200).json["items"][0]["id"].as_str().unwrap().to_owned();
    let (feed, _) = shop::feed(api).await;
    assert_eq!(&feed[..before.len()], before, "the feed begins as it was");
    assert!(feed[before.len()..].contains(&own), "what is new comes after it");
    let mut ids = feed.clone();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), feed.len(), "no event has the id of another");
    feed
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_goes_to_postgresql_and_back_and_stays_what_it_was() {
    let postgres = Postgres::start().unwrap();
    let url = postgres.create_database("shop").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (old, new) = (dir.path().join("old"), dir.path().join("new"));
    let memory = shop::fill(&old).await;

    let report = copy(&text(&old), &url);
    assert_eq!((&report["was_there"], &report["receipts"]), (&json!(false), &json!(3)), "{report}");
    let rows = |name: &str| {
        let tables = report["tables"].as_array().unwrap().iter();
        tables.filter(|of| of["table"] == name).map(|of| of["rows"].as_i64().unwrap()).sum::<i64>()
    };
    for (table, least) in [("bookings", 15), ("events", 30), ("api_keys", 3), ("imports", 2), ("plans", 1)] {
        assert!(rows(table) >= least, "{table}: {report}");
    }
    for table in ["holds", "customers", "customer_holds", "idempotency", "groups", "pools", "inventory"] {
        assert!(rows(table) > 0, "{table}: {report}");
    }
    seen::assert_same(seen::directory(&old).as_ref(), seen::database(&url).as_ref());
    let epoch = |store: Box<dyn lastseat_store::Store>| store.reader().unwrap().epoch().unwrap();
    let renewing = |store: Box<dyn lastseat_store::Store>| store.reader().unwrap().is_renewing().unwrap();
    assert!(renewing(seen::directory(&old)) && renewing(seen::database(&url)), "an edit is under way");
    assert_ne!(epoch(seen::directory(&old)), epoch(seen::database(&url)));
    assert_eq!(copy(&text(&old), &url)["was_there"], json!(true), "done again, it is only checked");

    let mut nodes = [shop::node(&url), shop::node(&url)];
    let mut feed = goes_on(&memory, &shop::api(&nodes[0]), "one more", &memory.feed).await;
    feed = goes_on(&memory, &shop::api(&nodes[1]), "and another", &feed).await;
    assert!(!renewing(seen::database(&url)), "nodes have finished the edit");
    for node in &mut nodes {
        assert_eq!(node.terminate().unwrap(), 0);
    }
    assert!(verify(seen::database(&url).as_ref()).unwrap().ok);

    // What nodes have done meanwhile stands in the log in the order of their commits; it is read anew.
    copy(&url, &text(&new));
    seen::assert_same(seen::database(&url).as_ref(), seen::directory(&new).as_ref());
    let mut server = shop::serve(&new);
    goes_on(&memory, &shop::api(&server), "back again", &feed).await;
    assert_eq!(server.terminate().unwrap(), 0);
    assert!(verify(seen::directory(&new).as_ref()).unwrap().ok);
    assert!(new.join("receipts").read_dir().unwrap().count() >= 3);
}
