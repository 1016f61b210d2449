//! Usage, help, version, and the codes of wrong use.

use crate::kit::{command, finish, lastseat, server};

#[test]
fn the_version_is_said_on_standard_output() {
    let said = lastseat(&["--version"]).ok();
    assert_eq!(said.out, format!("lastseat {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn help_names_every_verb_and_ends_with_examples() {
    for args in [["--help"].as_slice(), &["help"], &["-h"]] {
        let said = lastseat(args).ok();
        for verb in [
            "demo", "serve", "verify", "listing", "booking", "key", "import", "migrate", "backup", "restore",
            "doctor", "openapi", "config", "bench",
        ] {
            assert!(said.out.contains(&format!("\n  {verb} ")), "{verb} is not in {}", said.out);
        }
        assert!(said.out.contains("Examples:"), "{}", said.out);
    }
    assert!(lastseat(&["help", "serve"]).ok().out.contains("--listen <ADDR>"));
}

#[test]
fn wrong_use_is_code_2_and_nothing_is_data() {
    for args in [
        [].as_slice(),
        &["srve"],
        &["serve", "--lisen", "127.0.0.1:0"],
        &["serve", "extra"],
        &["listing"],
        &["listing", "create"],
        &["backup"],
        &["booking", "reject", "bkg_1"],
        &["listing", "list", "--limit", "0"],
        &["booking", "list", "--limit", "0"],
        &["bench", "book", "--listing", "lst_1", "--rate", "0"],
        &["key", "create", "--role", "owner", "--name", "x"],
    ] {
        let said = lastseat(args).refused(2, "");
        assert!(said.out.is_empty() && !said.err.is_empty(), "{args:?}: {said:?}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let program = lastseat_testkit::lastseat_command().unwrap();
    let line = format!("'{}' listing example seats | head -n 1", program.get_program().display());
    let said = finish(std::process::Command::new("sh").args(["-c", &line]));
    assert_eq!((said.out.as_str(), said.err.as_str()), ("{\n", ""));
}

#[test]
fn references_are_markdown_from_the_program_itself() {
    assert!(lastseat(&["reference", "cli"]).ok().out.starts_with("# Command line\n"));
    assert!(
        lastseat(&["reference", "config"])
            .ok()
            .out
            .contains("| `listen` | `LASTSEAT_LISTEN` | `127.0.0.1:8080` |")
    );
    assert!(lastseat(&["reference", "metrics"]).ok().out.contains("`lastseat_bookings_total`"));
}

#[test]
fn the_description_of_the_api_is_openapi() {
    let api = lastseat(&["openapi"]).ok().json();
    assert!(api["openapi"].as_str().unwrap().starts_with("3.1"), "{}", api["openapi"]);
    assert!(api["paths"]["/v1/bookings"]["post"].is_object());
}

#[test]
fn forms_to_start_from_are_listings() {
    for kind in ["places", "nights", "seats", "slots"] {
        assert_eq!(lastseat(&["listing", "example", kind]).ok().json()["kind"], kind);
    }
    lastseat(&["listing", "example", "tables"]).refused(2, "places");
}

#[test]
fn verbs_that_ask_a_server_need_no_list_of_trusted_authorities() {
    let empty = tempfile::tempdir().unwrap();
    let server = server();
    let mut ask = command();
    ask.env("SSL_CERT_FILE", empty.path().join("none.pem")).env("SSL_CERT_DIR", empty.path());
    finish(ask.args(["listing", "list", "--url", &server.base_url()])).ok();
}
