//! `lastseat demo`.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::kit::{Said, command, finish};

/// A running demo; dropping it ends it, so that it removes its directory.
struct Demo {
    child: Child,
    url: String,
    key: String,
    said: String,
}

impl Drop for Demo {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.terminate();
            let _ = self.child.wait();
        }
    }
}

impl Demo {
    fn start() -> Self {
        let mut child = command()
            .args(["demo", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("{line:?}")).to_owned();
        let mut talk = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        while !said.contains("lastseat verify") && !said.contains(" verify --data") {
            assert!(talk.read_line(&mut said).unwrap() > 0, "{said}");
        }
        child.stderr = Some(talk.into_inner());
        let key = said.split("with the key ").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
        Self { child, url, key, said }
    }

    fn terminate(&self) -> std::io::Result<std::process::ExitStatus> {
        std::process::Command::new("kill").args(["-s", "TERM", &self.child.id().to_string()]).status()
    }

    fn run(&self, args: &[&str]) -> Said {
        finish(command().args(args).args(["--url", &self.url]).env("LASTSEAT_KEY", &self.key))
    }

    /// The status of a page.
    fn status(&self, path: &str) -> u16 {
        let url = format!("{}{path}", self.url);
        let get = async {
            lastseat_testkit::http_client().unwrap().get(url).send().await.unwrap().status().as_u16()
        };
        tokio::runtime::Runtime::new().unwrap().block_on(get)
    }

    /// The data directory, as it is named in what to try.
    fn data(&self) -> String {
        self.said.split("--data ").nth(1).unwrap().split_whitespace().next().unwrap().to_owned()
    }
}

fn array(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

#[test]
fn the_demo_shows_all_kinds_with_bookings_and_cleans_up_after_itself() {
    let mut demo = Demo::start();
    assert!(demo.said.contains(&format!("{}/", demo.url)), "{}", demo.said);
    for path in ["/", "/admin/sign-in", "/docs"] {
        assert_eq!(demo.status(path), 200, "{path}");
    }
    let listings = demo.run(&["listing", "list", "--json"]).ok().json();
    let distinct = |field: &str| -> usize {
        let values = array(&listings).iter().map(|listing| listing[field].as_str().unwrap());
        values.collect::<std::collections::BTreeSet<_>>().len()
    };
    assert_eq!(distinct("kind"), 4);
    assert!(distinct("city") >= 5 && distinct("currency") >= 5, "{listings}");
    let bookings = demo.run(&["booking", "list", "--json"]).ok().json();
    for state in ["held", "in_review", "confirmed", "rejected", "cancelled"] {
        assert!(array(&bookings).iter().any(|booking| booking["state"] == state), "none is {state}");
    }
    let data = demo.data();
    let verified = finish(command().args(["verify", "--data", &data])).ok();
    assert!(!verified.out.is_empty());

    assert!(demo.terminate().unwrap().success());
    let mut rest = String::new();
    demo.child.stderr.take().unwrap().read_to_string(&mut rest).unwrap();
    assert!(demo.child.wait().unwrap().success(), "{rest}");
    assert!(!std::path::Path::new(&data).exists());
}

#[test]
fn a_crowd_gets_the_last_double_room_of_the_demo_once() {
    let demo = Demo::start();
    let hotel = demo.said.split("--listing ").nth(1).unwrap().split_whitespace().next().unwrap();
    let report = demo.run(&["bench", "crowd", "--listing", hotel, "--users", "20", "--json"]).ok().json();
    assert_eq!(
        (report["201"].as_u64(), report["409"].as_u64(), report["5xx"].as_u64()),
        (Some(1), Some(19), Some(0))
    );
    assert_eq!(report["oversold"], false);
}

#[test]
fn an_approval_of_the_demo_can_be_made_from_the_command_line() {
    let demo = Demo::start();
    let waiting = demo.run(&["booking", "list", "--state", "in_review", "--json"]).ok().json();
    let reference = waiting[0]["reference"].as_str().unwrap();
    demo.run(&["booking", "approve", reference]).ok().refused(0, "confirmed");
}
