//! A database and its nodes.

use std::time::{Duration, Instant};

use lastseat_testkit::{Postgres, ServerBuilder, TestServer};
use reqwest::Method;

use crate::real::{Answer, Api, ask};

/// The admin key of all nodes.
pub const KEY: &str = "lsk_of-a-test-with-several-nodes";

/// How the database is called in each server.
pub const DATABASE: &str = "shop";

/// A PostgreSQL with its defaults.
pub fn postgres() -> Postgres {
    Postgres::start().unwrap()
}

/// The password in the URL of a server.
pub fn password(postgres: &Postgres) -> String {
    let url = postgres.url();
    let (_, rest) = url.split_once("//").unwrap();
    rest.split_once('@').unwrap().0.split_once(':').unwrap().1.to_owned()
}

/// How a node is started.
pub fn node(url: &str) -> ServerBuilder {
    TestServer::builder().database_url(url).env("LASTSEAT_ADMIN_KEY", KEY)
}

/// Starts nodes, all at once.
pub fn nodes(url: &str, count: usize) -> Vec<TestServer> {
    let starts: Vec<_> = (0..count)
        .map(|_| {
            let node = node(url);
            std::thread::spawn(move || node.start())
        })
        .collect();
    starts.into_iter().map(|start| start.join().unwrap().unwrap()).collect()
}

/// A client of a node, as its admin.
pub fn api(node: &TestServer) -> Api {
    Api { admin: KEY.to_owned(), ..Api::of(node) }
}

/// Asks as the admin, and waits for the answer no longer than that.
pub async fn ask_admin(api: &Api, path: &str) -> Answer {
    ask(api.request(Method::GET, path).bearer_auth(&api.admin)).await
}

/// How long the load of a test lasts: `LASTSEAT_TEST_SECONDS`, or the given number of seconds.
pub fn load_time(seconds: u64) -> Duration {
    let given = std::env::var("LASTSEAT_TEST_SECONDS").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(given.unwrap_or(seconds))
}

/// The clock that all clients of this process share, in microseconds.
pub fn now_us() -> i64 {
    static BEGIN: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    // Not from 0 on, so that nothing is ever before the beginning.
    1_000_000 + i64::try_from(BEGIN.elapsed().as_micros()).unwrap()
}
