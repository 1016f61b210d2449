//! What goes where: data on standard output, talk on standard error.

use std::io::{self, Write};

use serde::Serialize;

use crate::failure::Failure;

/// Prints data, with a line break at its end. A reader that has gone (`| head`) ends the program quietly.
pub(crate) fn data(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let done = out
        .write_all(text.as_bytes())
        .and_then(|()| if text.ends_with('\n') { Ok(()) } else { out.write_all(b"\n") })
        .and_then(|()| out.flush());
    match done {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => Err(anyhow::Error::from(error).context("cannot write to standard output").into()),
        Ok(()) => Ok(()),
    }
}

/// Prints data as indented JSON.
pub(crate) fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(anyhow::Error::from)?;
    data(&text)
}

/// Says something to the person. Nobody may be listening; that is fine.
pub(crate) fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
