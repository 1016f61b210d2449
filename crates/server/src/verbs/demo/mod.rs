//! `lastseat demo`.

mod fill;

use std::fmt::Write as _;

use anyhow::Context;
use lastseat_engine::EngineConfig;
use lastseat_http::HttpConfig;

use crate::failure::Failure;
use crate::options::{ListenOptions, LogOptions};
use crate::place::Place;
use crate::serving::{self, AdminKey, Running, Settings};
use crate::{logging, output};
use fill::Filled;

const EXAMPLES: &str = "\
Everything is in a temporary directory and gone when the demo ends (Ctrl-C).

Examples:
  lastseat demo
  lastseat demo --listen 127.0.0.1:0        on any free port";

/// Serve sample listings of every kind, to try things out
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    listen: ListenOptions,
    #[command(flatten)]
    log: LogOptions,
}

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    logging::start(&args.log);
    let dir = tempfile::Builder::new()
        .prefix("lastseat-demo-")
        .tempdir()
        .context("cannot make a temporary directory")?;
    let key = AdminKey::fresh();
    let settings = Settings {
        place: Place::Directory(dir.path().to_owned()),
        files: None,
        data: dir.path().to_owned(),
        listen: args.listen.listen,
        http: HttpConfig::default(),
        engine: EngineConfig::default(),
        audit_every: None,
        admin_key: Some(key.clone()),
    };
    let running = serving::start(settings).await?;
    let filled = fill::fill(running.engine(), running.receipts()).await?;
    output::data(&format!("listening on http://{}", running.address()))?;
    output::say(&welcome(&running, &filled, &key, dir.path()));
    let ended = running.until_told().await;
    dir.close().context("cannot remove the temporary directory")?;
    ended
}

/// What there is to see, and to try.
fn welcome(running: &Running, filled: &Filled, key: &AdminKey, data: &std::path::Path) -> String {
    let (url, key, data) = (format!("http://{}", running.address()), key.secret(), data.display());
    let program = std::env::args().next().unwrap_or_else(|| "lastseat".to_owned());
    let Filled { listings, bookings, .. } = filled;
    let mut text = format!(
        "
  {} sample listings with {bookings} bookings. They are gone when this ends (Ctrl-C).

  Start page      {url}/
  For operators   {url}/admin
                  with the key {key}
  The API         {url}/docs

  Try in another terminal:
",
        listings.len()
    );
    let mut line = |comment: &str, command: &str| {
        let _ = writeln!(text, "    # {comment}\n    {command}");
    };
    if let Some(hotel) = filled.id_of("hotel") {
        line(
            "two hundred people want the last double room",
            &format!("{program} bench crowd --url {url} --listing {hotel} --users 200"),
        );
    }
    line(
        "what waits for a decision",
        &format!("LASTSEAT_KEY={key} {program} booking list --url {url} --state in_review"),
    );
    line("every invariant, while it is being served", &format!("{program} verify --data {data}"));
    text
}
