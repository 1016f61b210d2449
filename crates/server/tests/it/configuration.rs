//! Settings from the command line, the environment and a file.

use std::path::Path;

use crate::kit::{Said, command, finish};

/// `lastseat config --json ARGS` in a directory with this `lastseat.toml`.
fn config(file: Option<&str>, variables: &[(&str, &str)], args: &[&str]) -> Said {
    let dir = tempfile::tempdir().unwrap();
    if let Some(text) = file {
        std::fs::write(dir.path().join("lastseat.toml"), text).unwrap();
    }
    config_in(dir.path(), variables, args)
}

fn config_in(dir: &Path, variables: &[(&str, &str)], args: &[&str]) -> Said {
    let mut command = command();
    command.current_dir(dir).args(["config", "--json"]).args(args).envs(variables.iter().copied());
    finish(&mut command)
}

#[test]
fn each_value_is_shown_with_where_it_comes_from() {
    let file = "listen = \"127.0.0.1:1\"\nlog_level = \"warn\"\ndata = \"/srv/x\"\n";
    let variables = [("LASTSEAT_LISTEN", "127.0.0.1:2"), ("LASTSEAT_LOG_LEVEL", "error")];
    let shown = config(Some(file), &variables, &["--listen", "127.0.0.1:3"]).ok().json();
    let one = |key: &str| (shown[key]["value"].as_str().unwrap(), shown[key]["source"].as_str().unwrap());
    assert_eq!(one("listen"), ("127.0.0.1:3", "command line"));
    assert_eq!(one("log_level"), ("error", "environment LASTSEAT_LOG_LEVEL"));
    assert_eq!(one("data"), ("/srv/x", "lastseat.toml:3"));
    assert_eq!(one("log_format"), ("human", "default"));
    assert_eq!(shown["admin_key"]["source"], "not set");
}

#[test]
fn secrets_are_never_shown() {
    let secret = "0123456789-secret-word";
    let url = format!("postgres://me:{secret}@db/x");
    let variables =
        [("LASTSEAT_ADMIN_KEY", secret), ("LASTSEAT_KEY", secret), ("LASTSEAT_DATABASE_URL", &url)];
    for args in [[].as_slice(), &["--url", "http://127.0.0.1:1"]] {
        let said = config(None, &variables, args).ok();
        assert!(!said.out.contains(secret) && said.out.contains("********"), "{said:?}");
        assert!(said.out.contains("postgres://me:********@db/x"), "{said:?}");
    }
}

#[test]
fn an_unknown_key_is_refused_with_file_and_line_by_every_verb() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("lastseat.toml"), "data = \"x\"\n\nlisten_adress = \"127.0.0.1:1\"\n")
        .unwrap();
    for args in [["serve"].as_slice(), &["config"], &["verify"], &["listing", "list"]] {
        let said = finish(command().current_dir(dir.path()).args(args));
        said.refused(2, "lastseat.toml:3: unknown key `listen_adress`");
    }
    assert!(!dir.path().join("x").exists());
}

#[test]
fn the_file_may_be_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("my.toml");
    std::fs::write(&path, "log_level = \"debug\"").unwrap();
    let path = path.to_string_lossy().into_owned();
    let shown = config(Some("log_level = \"warn\""), &[], &["--config", &path]).ok().json();
    assert_eq!(shown["log_level"]["value"], "debug");
    config(None, &[], &["--config", "/nonexistent/lastseat.toml"]).refused(2, "/nonexistent/lastseat.toml");
}

#[test]
fn a_variable_that_is_no_setting_is_warned_of() {
    let said = config(None, &[("LASTSEAT_LISTN", "x")], &[]).ok();
    assert!(
        said.err.contains("LASTSEAT_LISTN") && said.err.contains("did you mean LASTSEAT_LISTEN?"),
        "{said:?}"
    );
    config(None, &[("LASTSEAT_LISTEN", "x")], &[]).refused(2, "LASTSEAT_LISTEN");
}

#[test]
fn what_is_printed_for_people_is_a_file_that_can_be_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let args = ["config", "--rate-per-address", "5:9", "--data", "a \"b\""];
    let said = finish(command().current_dir(dir.path()).args(args)).ok();
    std::fs::write(dir.path().join("lastseat.toml"), said.out).unwrap();
    let shown = config_in(dir.path(), &[], &[]).ok().json();
    assert_eq!(shown["data"]["value"], "a \"b\"");
    assert_eq!(shown["rate_per_address"]["value"], "5:9");
    assert!(shown["rate_per_address"]["source"].as_str().unwrap().starts_with("lastseat.toml:"));
}
