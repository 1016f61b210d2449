//! What wins over what, and what is refused.

use std::ffi::OsString;

use clap::CommandFactory;

use super::*;
use crate::cli::Cli;
use crate::config::layers::{Source, variable_of};

/// A file with this text, and the argument that names it.
fn file(text: &str) -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("test.toml");
    std::fs::write(&path, text).unwrap();
    let flag = format!("--config={}", path.display());
    (dir, flag)
}

fn parse(args: &[&str], variables: &[(&str, &str)]) -> Result<Parsed, Stop> {
    let args: Vec<OsString> =
        std::iter::once("lastseat").chain(args.iter().copied()).map(Into::into).collect();
    read(Cli::command(), &args, variables.iter().map(|(name, value)| (name.into(), value.into())))
}

fn refusal(args: &[&str], variables: &[(&str, &str)]) -> String {
    match parse(args, variables) {
        Err(Stop::Failure(Failure::Usage(sentence))) => sentence,
        other => panic!("{other:?}"),
    }
}

/// The value of a flag of the verb `config`.
fn value(parsed: &Parsed, id: &str) -> String {
    let (_, matches) = parsed.matches.subcommand().unwrap();
    matches.get_raw(id).unwrap().next().unwrap().to_string_lossy().into_owned()
}

#[test]
fn the_command_line_beats_the_environment_and_that_beats_the_file() {
    let (_dir, flag) = file("log_level = \"debug\"\nlog-format = \"json\"\nmax_connections = 3\n");
    let variables = [("LASTSEAT_LOG_FORMAT", "human"), ("LASTSEAT_MAX_CONNECTIONS", "4")];
    let parsed = parse(&["config", &flag, "--max-connections", "5"], &variables).unwrap();
    assert_eq!(value(&parsed, "log_level"), "debug");
    assert_eq!(value(&parsed, "log_format"), "human");
    assert_eq!(value(&parsed, "max_connections"), "5");
    assert_eq!(value(&parsed, "audit_seconds"), "60");
    assert!(matches!(parsed.given["log_level"].source, Source::File { line: 1, .. }));
}

#[test]
fn the_environment_may_name_the_file_and_the_command_line_beats_it() {
    let (_a, flag) = file("max_connections = 3");
    let (_b, other) = file("max_connections = 4");
    let path = flag.strip_prefix("--config=").unwrap();
    let parsed = parse(&["config"], &[("LASTSEAT_CONFIG", path)]).unwrap();
    assert_eq!(value(&parsed, "max_connections"), "3");
    let parsed = parse(&["config", &other], &[("LASTSEAT_CONFIG", path)]).unwrap();
    assert_eq!(value(&parsed, "max_connections"), "4");
    let apart = other.replace("--config=", "");
    let parsed = parse(&["config", "--config", &apart], &[]).unwrap();
    assert_eq!(value(&parsed, "max_connections"), "4");
}

#[test]
fn what_a_file_must_not_say_is_refused_with_its_line() {
    for (text, line, word) in [
        ("\n# comment\nlisten_on = \"x\"\n", 3, "unknown key `listen_on`"),
        ("lisen = \"127.0.0.1:1\"", 1, "did you mean `listen`?"),
        ("data = \"x\"\n\nlisten = \"nonsense\"", 3, "ADDRESS:PORT"),
        ("log_format = \"xml\"", 1, "possible values: human, json"),
        ("max_connections = -1", 1, "max_connections"),
        ("max_connections = 0", 1, "at least 1"),
        ("rate_per_key = \"20:10\"", 1, "cannot be fewer"),
        ("max_connections = [1]", 1, "must be a text, a number, true or false"),
        ("[serve]\nlisten = \"127.0.0.1:1\"", 1, "unknown key `serve`"),
        ("log_level = \"info\"\nlog-level = \"warn\"", 2, "is set in line 1 too"),
        ("data = \"a\"\ndata = \"b\"", 2, "duplicate key"),
        ("data = \"x\"\nlisten = ", 2, ""),
        ("json = 1", 1, "must be true or false"),
        ("config = \"other.toml\"", 1, "unknown key `config`"),
        ("help = true", 1, "unknown key `help`"),
    ] {
        let (dir, flag) = file(text);
        let refusal = refusal(&["config", &flag], &[]);
        let place = format!("{}:{line}: ", dir.path().join("test.toml").display());
        assert!(refusal.starts_with(&place) && refusal.contains(word), "{text:?}: {refusal}");
    }
}

#[test]
fn a_file_that_is_named_must_be_there() {
    assert!(refusal(&["config", "--config=/nonexistent.toml"], &[]).contains("/nonexistent.toml"));
}

#[test]
fn a_variable_with_a_wrong_value_is_refused_by_its_name_and_without_secrets() {
    let refused = refusal(&["config"], &[("LASTSEAT_LISTEN", "nonsense")]);
    assert!(refused.starts_with("the variable LASTSEAT_LISTEN: "), "{refused}");
    let refused = refusal(&["config"], &[("LASTSEAT_ADMIN_KEY", "too-short")]);
    assert!(refused.contains("16") && !refused.contains("too-short"), "{refused}");
}

#[test]
fn an_unknown_variable_is_warned_of_and_an_empty_one_is_not_set() {
    let parsed =
        parse(&["config"], &[("LASTSEAT_LISEN", "x"), ("LASTSEAT_LISTEN", ""), ("LISTEN", "x")]).unwrap();
    assert_eq!(parsed.warnings.len(), 1);
    assert!(parsed.warnings[0].contains("LASTSEAT_LISEN") && parsed.warnings[0].contains("LASTSEAT_LISTEN?"));
    assert_eq!(value(&parsed, "listen"), "127.0.0.1:8080");
}

#[test]
fn a_required_option_may_come_from_anywhere() {
    let from = |parsed: Parsed| matches!(parsed.cli.verb, crate::cli::Verb::Backup(_));
    assert!(from(parse(&["backup"], &[("LASTSEAT_TO", "x.tar")]).unwrap()));
    let (_dir, flag) = file("to = \"x.tar\"");
    assert!(from(parse(&["backup", &flag], &[]).unwrap()));
    assert!(matches!(parse(&["backup"], &[]), Err(Stop::Clap(_))));
}

#[test]
fn switches_can_be_set_and_unset_from_beside() {
    let switch = |text: &str| {
        let parsed = parse(&["config"], &[("LASTSEAT_JSON", text)]).unwrap();
        parsed.matches.subcommand().unwrap().1.get_flag("json")
    };
    assert!(switch("true") && !switch("false"));
}

#[test]
fn help_and_the_version_can_be_had_whatever_the_configuration_says() {
    let (_dir, flag) = file("nonsense");
    for args in [vec!["--help"], vec!["--version"], vec!["serve", "--help"], vec!["help", "serve"]] {
        let args: Vec<&str> = args.into_iter().chain([flag.as_str()]).collect();
        assert!(matches!(parse(&args, &[("LASTSEAT_LISTEN", "nonsense")]), Err(Stop::Clap(_))), "{args:?}");
    }
}

/// Options of one name share a key, so they must take the same values in all verbs.
#[test]
fn options_of_one_name_are_of_one_type() {
    fn collect(command: &Command, into: &mut std::collections::BTreeMap<String, String>) {
        for arg in command.get_arguments() {
            let Some(key) = layers::key_of(arg) else { continue };
            let shape = format!("{:?} {:?}", arg.get_value_parser(), arg.get_action());
            let known = into.entry(key.clone()).or_insert_with(|| shape.clone());
            assert_eq!(*known, shape, "{key} in {}", command.get_name());
        }
        command.get_subcommands().for_each(|verb| collect(verb, into));
    }
    collect(&Cli::command(), &mut std::collections::BTreeMap::new());
}

#[test]
fn every_key_has_a_variable_that_leads_back_to_it() {
    let command = Cli::command();
    for key in Known::of(&command).keys() {
        assert_eq!(variable_of(key).strip_prefix("LASTSEAT_").unwrap().to_lowercase(), *key);
        assert!(key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{key}");
    }
}
