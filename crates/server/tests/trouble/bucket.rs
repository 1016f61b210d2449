//! Receipts in an S3-compatible store: kept, shared, and missed when it is away.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use lastseat_testkit::{Flow, Postgres, Proxy, S3, ServerBuilder, TestServer, lastseat_command, wait_until};

use crate::health::Healthy;
use crate::real::{Answer, Api, ask, booking, pdf, places, receipt};

/// How long an upload may take that the store does not take, in seconds: its limit, and some time for the machine.
const ENOUGH_SECONDS: u64 = 20;

/// A server that keeps receipts in a prefix, found at that address.
fn on_bucket(s3: &S3, prefix: &str, at: SocketAddr) -> ServerBuilder {
    let server = TestServer::builder().args(["--files-url", &s3.url(prefix)]);
    s3.variables_at(at).into_iter().fold(server, |server, (name, value)| server.env(name, value))
}

/// What a start says that is refused, and its exit code.
fn refused(data: &Path, url: &str, variables: &[(&str, &str)]) -> (i32, String) {
    let mut command = lastseat_command().unwrap();
    command.current_dir(std::env::temp_dir()).args([
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--files-url",
        url,
        "--data",
    ]);
    command.arg(data).envs(variables.iter().copied()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let ended = wait_until(Duration::from_secs(ENOUGH_SECONDS), "the start to be refused", || {
        child.try_wait().unwrap()
    });
    if ended.is_err() {
        child.kill().unwrap();
    }
    let said = child.wait_with_output().unwrap().stderr;
    (ended.unwrap().code().unwrap(), String::from_utf8(said).unwrap())
}

async fn hand_in(api: &Api, held: &Answer, bytes: Vec<u8>) -> Answer {
    let request = api.request(reqwest::Method::POST, &format!("/v1/bookings/{}/payment", held.id()));
    ask(request.multipart(receipt(bytes, "r", "text/html")).header("booking-token", held.token())).await
}

async fn show(api: &Api, held: &Answer) -> Answer {
    ask(api.get(&format!("/v1/bookings/{}/receipts/1", held.id())).bearer_auth(&api.admin)).await
}

fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.file_name().into_string().unwrap())
        .filter(|name| !name.starts_with('.'))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_are_kept_in_the_bucket_and_shown_from_there() {
    let s3 = S3::start().unwrap();
    let mut server = on_bucket(&s3, "shops/one", s3.address()).start().unwrap();
    let api = Api::of(&server);
    let listing = api.listing(&places(10)).await;
    let held = api.book(&booking(&listing, "somebody")).await;
    hand_in(&api, &held, pdf("in a bucket")).await.ok(200);
    for _ in 0..2 {
        let shown = show(&api, &held).await.ok(200);
        assert_eq!(shown.header("content-type"), "application/pdf");
        assert!(shown.header("content-disposition").starts_with("attachment"));
        assert_eq!(shown.text.as_bytes(), pdf("in a bucket"));
        server.restart().unwrap();
    }
    let kept = names(&s3.dir_of("shops/one"));
    assert_eq!(kept.len(), 2, "{kept:?}");
    assert!(kept.contains(&"lastseat-shop".to_owned()), "{kept:?}");
    assert_eq!(names(&server.data_dir().join("receipts")), Vec::<String>::new());
    assert!(!server.stderr().contains("lastseat-test-secret"));

    let backup = server.data_dir().with_file_name("backup.tar");
    let mut command = server.command("backup");
    let said = command.arg("--to").arg(backup).args(["--files-url", &s3.url("shops/one")]).output().unwrap();
    assert!(said.status.success());
    let said = String::from_utf8(said.stderr).unwrap();
    assert!(said.contains("receipts in s3://receipts/shops/one are not in it"), "{said}");
}

#[test]
fn a_bucket_that_cannot_be_used_is_said_at_the_start_before_anything_is_made() {
    let s3 = S3::start().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let good = s3.variables_at(s3.address());
    let with = |name: &str, value: &str| -> Vec<(String, String)> {
        let others = good.iter().filter(|(other, _)| *other != name);
        let others = others.map(|(name, value)| ((*name).to_owned(), value.clone()));
        others.chain([(name.to_owned(), value.to_owned())]).collect()
    };
    let closed = lastseat_testkit::free_port().unwrap();
    let closed = format!("http://127.0.0.1:{closed}");
    for (url, variables, code, words) in [
        (
            "s3://receipts/x",
            with("AWS_SECRET_ACCESS_KEY", "hunter2"),
            3,
            "403 Forbidden (SignatureDoesNotMatch)",
        ),
        ("s3://receipts/x", with("AWS_ACCESS_KEY_ID", "hunter2"), 3, "403 Forbidden ("),
        ("s3://others/x", with("X", ""), 3, "404 Not Found (NoSuchBucket)"),
        ("s3://receipts/x", with("AWS_ENDPOINT_URL", &closed), 3, "Connection refused"),
        ("s3://receipts/x", with("AWS_SECRET_ACCESS_KEY", ""), 2, "not set: AWS_SECRET_ACCESS_KEY"),
        ("s3://receipts/x", with("AWS_ALLOW_HTTP", ""), 2, "AWS_ALLOW_HTTP=true"),
        ("s3://a:hunter2@receipts", with("X", ""), 2, "must hold no credentials"),
        ("file:///hunter2", with("X", ""), 2, "does not begin with s3://"),
    ] {
        let variables: Vec<(&str, &str)> =
            variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let (found, said) = refused(&data, url, &variables);
        assert_eq!(found, code, "{said}");
        assert!(said.contains(words), "{words:?} is not in {said}");
        assert!(!said.contains("hunter2") && !said.contains("lastseat-test-secret"), "{said}");
        assert!(!data.exists(), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prefix_is_one_shops_only() {
    let s3 = S3::start().unwrap();
    let _one = on_bucket(&s3, "x", s3.address()).start().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let variables = s3.variables_at(s3.address());
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let (code, said) = refused(dir.path(), &s3.url("x"), &variables);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("holds the receipts of another shop"), "{said}");
    on_bucket(&s3, "y", s3.address()).data_dir(dir.path()).start().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_store_is_away_receipts_wait_and_nothing_else_does() {
    let s3 = S3::start().unwrap();
    let proxy = Proxy::start(s3.address(), Duration::ZERO).unwrap();
    let server = on_bucket(&s3, "x", proxy.address()).start().unwrap();
    let api = Api::of(&server);
    let listing = api.listing(&places(10)).await;
    let before = api.book(&booking(&listing, "before")).await;
    hand_in(&api, &before, pdf("before")).await.ok(200);
    let held = api.book(&booking(&listing, "somebody")).await;
    let healthy = Healthy::beside(&api).await;
    for hangs in [false, true] {
        if hangs {
            proxy.requests(Flow::Hold);
        } else {
            proxy.refuse();
            proxy.cut();
        }
        let begun = Instant::now();
        let answers = tokio::join!(hand_in(&api, &held, pdf("x")), show(&api, &before));
        answers.0.problem("an upload", 503, "unavailable");
        answers.1.problem("a look", 503, "unavailable");
        assert!(begun.elapsed() < Duration::from_secs(ENOUGH_SECONDS), "{:?}", begun.elapsed());
        let state = ask(api.get(&format!("/v1/bookings/{}", held.id())).bearer_auth(&api.admin)).await;
        assert_eq!(state.ok(200).json["state"], "held");
        if hangs {
            proxy.requests(Flow::Pass);
            proxy.heal();
            proxy.cut();
        } else {
            proxy.accept().unwrap();
        }
        show(&api, &before).await.ok(200);
    }
    hand_in(&api, &held, pdf("x")).await.ok(200);
    healthy.was_served().await;
    let log = server.stderr();
    assert!(log.contains("the store of receipts failed") && log.contains("Connection refused"), "{log}");
    assert!(log.contains("timed out"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_on_one_database_share_the_bucket() {
    const KEY: &str = "lsk_of-a-test-with-a-bucket";
    let (s3, postgres) = (S3::start().unwrap(), Postgres::start().unwrap());
    let url = postgres.create_database("shop").unwrap();
    let node = || {
        let node = on_bucket(&s3, "x", s3.address()).database_url(&url).env("LASTSEAT_ADMIN_KEY", KEY);
        node.start().unwrap()
    };
    let (one, two) = (node(), node());
    let [one, two] = [&one, &two].map(|node| Api { admin: KEY.to_owned(), ..Api::of(node) });
    let listing = one.listing(&places(10)).await;
    let held = one.book(&booking(&listing, "somebody")).await;
    hand_in(&one, &held, pdf("shared")).await.ok(200);
    assert_eq!(show(&two, &held).await.ok(200).text.as_bytes(), pdf("shared"));
    let rows = postgres.sql("shop", "SELECT (count(*) = 0)::text FROM files").unwrap();
    assert!(format!("{rows:?}").contains("true"), "{rows:?}");
}
