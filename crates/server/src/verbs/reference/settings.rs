//! docs/configuration.md.

use std::collections::BTreeMap;

use clap::{Arg, Command};

use super::{GENERATED, cell};
use crate::config::FILE_KEY;
use crate::config::layers::{is_switch, key_of, variable_of};

const INTRODUCTION: &str = "\
Every option is a flag, a variable `LASTSEAT_<NAME>` and a key in a TOML file: `lastseat.toml` in the working directory if
it is there, or the one that `--config` names. The command line beats the environment, the environment beats the file.
An empty variable counts as not set.

```toml
listen = \"0.0.0.0:8080\"
data = \"/var/lib/lastseat\"
log_format = \"json\"
rate_per_address = \"20:100\"
```

`lastseat config` shows the settings that hold, and where each comes from. An unknown key, or a value that cannot be, is
refused with the file and the line, and exit code 2. An unknown variable is warned of.
";

/// Settings of one group of verbs, by key.
type Settings = BTreeMap<String, (Arg, Vec<String>)>;

/// The page with all settings.
pub(super) fn page(command: &Command) -> String {
    let mut all = Settings::new();
    collect(command, "", &mut all);
    let (serve, other): (Settings, Settings) =
        all.into_iter().partition(|(_, (_, verbs))| verbs.iter().any(|verb| verb == "serve"));
    let mut out = format!("# Configuration\n\n{GENERATED}\n\n{INTRODUCTION}");
    out.push_str("\n## The server\n\n| key | variable | default | meaning |\n| --- | --- | --- | --- |\n");
    for (key, (arg, _)) in serve {
        out.push_str(&format!(
            "| `{key}` | `{}` | {} | {} |\n",
            variable_of(&key),
            default(&arg),
            help(&arg)
        ));
    }
    out.push_str("\n## The other verbs\n\n| key | variable | default | meaning | verbs |\n| --- | --- | --- | --- | --- |\n");
    for (key, (arg, verbs)) in other {
        let (variable, verbs) = (variable_of(&key), verbs.join(", "));
        out.push_str(&format!("| `{key}` | `{variable}` | {} | {} | {verbs} |\n", default(&arg), help(&arg)));
    }
    out
}

fn collect(command: &Command, name: &str, all: &mut Settings) {
    for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set() && verb.get_name() != "help") {
        let name =
            if name.is_empty() { verb.get_name().to_owned() } else { format!("{name} {}", verb.get_name()) };
        for arg in verb.get_arguments() {
            if let Some(key) = key_of(arg).filter(|key| key != FILE_KEY) {
                all.entry(key).or_insert_with(|| (arg.clone(), Vec::new())).1.push(name.clone());
            }
        }
        collect(verb, &name, all);
    }
}

/// How help texts tell a default that is no value.
const DEFAULT: &str = " [default: ";

fn default(arg: &Arg) -> String {
    if is_switch(arg) {
        return "`false`".to_owned();
    }
    if let Some((_, told)) = arg.get_help().map(ToString::to_string).unwrap_or_default().split_once(DEFAULT) {
        return cell(told.trim_end_matches(']'));
    }
    let values: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if values.is_empty() { String::new() } else { format!("`{}`", cell(&values.join(" "))) }
}

fn help(arg: &Arg) -> String {
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let help = help.split_once(DEFAULT).map_or(help.as_str(), |(help, _)| help);
    let values: Vec<String> =
        arg.get_possible_values().iter().map(|value| format!("`{}`", value.get_name())).collect();
    // Some texts name the values already.
    if is_switch(arg) || values.iter().all(|value| help.contains(value.trim_matches('`'))) {
        return cell(help);
    }
    format!("{}: {}", cell(help), values.join(", "))
}
