//! docs/cli.md.

use clap::Command;

use super::GENERATED;

/// The page with all verbs.
pub(super) fn page(command: &Command) -> String {
    let mut out = format!("# Command line\n\n{GENERATED}\n");
    write(&mut out, command, "");
    out
}

fn write(out: &mut String, command: &Command, above: &str) {
    let name = if above.is_empty() {
        command.get_name().to_owned()
    } else {
        format!("{above} {}", command.get_name())
    };
    let mut shown = command.clone().disable_help_flag(true).disable_version_flag(true).bin_name(name.clone());
    // The width of a page of text, whatever the terminal.
    shown = shown.term_width(100);
    let help = shown.render_help().to_string();
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    out.push_str(&format!("\n## {name}\n\n```text\n{}\n```\n", help.join("\n").trim_end()));
    for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set() && verb.get_name() != "help") {
        write(out, verb, &name);
    }
}
