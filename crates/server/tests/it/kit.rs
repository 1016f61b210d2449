//! What these tests share.

use std::path::Path;
use std::process::{Command, Stdio};

use lastseat_testkit::{TestServer, lastseat_command};
use serde_json::{Value, json};

/// What a run of the binary said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    /// Its standard output as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }

    /// Asserts that it did what was asked.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{self:?}");
        self
    }

    /// Asserts that it ended with this code, said this on standard error, and had no data.
    #[track_caller]
    pub(crate) fn refused(self, code: i32, words: &str) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        assert!(self.err.contains(words), "{words:?} is not in {self:?}");
        self
    }
}

/// Runs a command to its end.
pub(crate) fn finish(command: &mut Command) -> Said {
    let output = command.stdin(Stdio::null()).output().expect("the binary can be run");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the binary says UTF-8");
    let code = output.status.code().expect("no signal ended it");
    Said { code, out: text(output.stdout), err: text(output.stderr) }
}

/// `lastseat ARGS`, in a directory without a configuration file.
pub(crate) fn lastseat(args: &[&str]) -> Said {
    finish(command().args(args))
}

/// `lastseat`, in a directory without a configuration file.
pub(crate) fn command() -> Command {
    let mut command = lastseat_command().expect("the binary was built");
    command.current_dir(std::env::temp_dir());
    command
}

/// `lastseat ARGS` with a data directory.
pub(crate) fn on_data(data: &Path, args: &[&str]) -> Said {
    finish(command().args(args).arg("--data").arg(data))
}

/// `lastseat ARGS` against a server, as its admin.
pub(crate) fn as_admin(server: &TestServer, args: &[&str]) -> Said {
    let key = server.admin_key().expect("the first start made a key");
    finish(command().args(args).args(["--url", &server.base_url()]).env("LASTSEAT_KEY", key))
}

/// A server with the defaults.
pub(crate) fn server() -> TestServer {
    TestServer::start().expect("the server starts")
}

/// A listing of ten places that are paid by receipt, in English, at any time.
pub(crate) fn places(capacity: i64) -> Value {
    json!({
        "kind": "places", "title": "Night shift", "timezone": "Asia/Tashkent", "currency": "UZS",
        "pools": [{"key": "standard", "capacity": capacity, "price": 2_500_000}],
        "policy": {"payment": ["receipt"], "hold_seconds": 600},
    })
}

/// Creates a listing by the command line; gives its id.
pub(crate) fn create_listing(server: &TestServer, form: &Value) -> String {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), form.to_string()).expect("it can be written");
    let path = file.path().to_string_lossy().into_owned();
    as_admin(server, &["listing", "create", &path]).ok().out.trim().to_owned()
}

/// An answer of the server: its status, and its body where that is JSON.
pub(crate) type Answer = (u16, Value);

/// Asks the server.
pub(crate) fn ask(
    server: &TestServer,
    method: &str,
    path: &str,
    key: Option<&str>,
    body: Option<&Value>,
) -> Answer {
    let send = async {
        let client = lastseat_testkit::http_client().expect("a client");
        let mut request = client.request(method.parse().expect("a method"), server.url(path));
        if let Some(key) = key {
            request = request.bearer_auth(key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.expect("the server answers");
        let status = response.status().as_u16();
        (status, serde_json::from_slice(&response.bytes().await.expect("a body")).unwrap_or_default())
    };
    tokio::runtime::Runtime::new().expect("a runtime").block_on(send)
}

/// Books one place as the public does; gives the booking.
pub(crate) fn book(server: &TestServer, listing: &str, name: &str) -> Value {
    let body = json!({
        "listing_id": listing, "lines": [{"pool": "standard", "quantity": 1}],
        "customer": {"name": name, "email": format!("{}@example.org", name.to_lowercase().replace(' ', "-"))},
    });
    let (status, booking) = ask(server, "POST", "/v1/bookings", None, Some(&body));
    assert_eq!(status, 201, "{booking}");
    booking
}
