//! `lastseat listing`.

use crate::kit::{as_admin, ask, command, create_listing, finish, lastseat, places, server};

#[test]
fn a_listing_of_every_kind_can_be_made_from_its_example() {
    let server = server();
    for kind in ["places", "nights", "seats", "slots"] {
        let form = lastseat(&["listing", "example", kind]).ok().json();
        let id = create_listing(&server, &form);
        assert!(id.starts_with("lst_"), "{id}");
    }
    let table = as_admin(&server, &["listing", "list"]).ok().out;
    assert_eq!(table.lines().count(), 5, "{table}");
    assert!(table.contains("Berlin") && table.contains("Hotel am Kanal"), "{table}");
    let nights = as_admin(&server, &["listing", "list", "--kind", "nights", "--json"]).ok().json();
    assert_eq!(nights.as_array().unwrap().len(), 1);
    let none = as_admin(&server, &["listing", "list", "--city", "Nowhere"]).ok();
    assert!(none.out.is_empty() && none.err.contains("no listings"), "{none:?}");
}

#[test]
fn a_form_may_come_from_standard_input() {
    let server = server();
    let script = format!(
        "echo '{}' | '{}' listing create - --json --url {}",
        places(3),
        command().get_program().display(),
        server.base_url()
    );
    let mut shell = std::process::Command::new("sh");
    let made =
        finish(shell.args(["-c", &script]).env("LASTSEAT_KEY", server.admin_key().unwrap())).ok().json();
    assert_eq!(made["title"], "Night shift");
}

#[test]
fn a_closed_listing_takes_no_bookings() {
    let server = server();
    let id = create_listing(&server, &places(3));
    as_admin(&server, &["listing", "close", &id]).ok();
    assert_eq!(ask(&server, "GET", &format!("/v1/listings/{id}"), None, None).1["status"], "closed");
    as_admin(&server, &["listing", "close", "lst_01h455vb4pex5vsknk084sn02q"]).refused(2, "not_found");
    as_admin(&server, &["listing", "close", "../../healthz"]).refused(2, "is no id of a listing");
}

#[test]
fn all_that_is_wrong_with_a_form_is_said() {
    let server = server();
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_string_lossy().into_owned();
    let mut form = places(3);
    form["currency"] = "EURO".into();
    form["timezone"] = "Mars/Olympus".into();
    std::fs::write(file.path(), form.to_string()).unwrap();
    let said = as_admin(&server, &["listing", "create", &path]).refused(2, "timezone: ");
    assert!(
        said.err.contains("currency: ") && said.err.contains("(invalid)") && said.out.is_empty(),
        "{said:?}"
    );
    std::fs::write(file.path(), "{").unwrap();
    as_admin(&server, &["listing", "create", &path]).refused(2, "is no JSON");
    as_admin(&server, &["listing", "create", "/nonexistent"]).refused(2, "cannot read /nonexistent");
}

#[test]
fn a_server_that_is_not_there_is_code_3_and_an_address_that_is_none_code_2() {
    let url = |url: &str| lastseat(&["listing", "list", "--url", url]);
    url("http://127.0.0.1:9").refused(3, "is the server running");
    for wrong in ["127.0.0.1:8080", "ftp://x", "nonsense", ""] {
        url(wrong).refused(2, "--url");
    }
    url("https://127.0.0.1:9").refused(2, "TLS");
}
