//! `lastseat import`: bookings from elsewhere, line by line, into a running server.
//!
//! - [`lines`]: from a file to lines that a server reads
//! - [`columns`]: what the columns of a CSV file mean
//! - [`numbered`]: the numbers of its lines

mod columns;
mod lines;
mod numbered;

use std::collections::VecDeque;
use std::io::BufReader;

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::Client;
use crate::failure::Failure;
use crate::options::{ClientOptions, Input};
use crate::output;
use lines::{Format, Line, Lines};

/// Bytes that are sent at a time, about: small enough for the server's limit on one import.
const CHUNK_BYTES: usize = 4 * 1024 * 1024;

const EXAMPLES: &str = "\
A line of JSON has listing_id, lines (or stay, or slot), customer, state, created_at, paid and
external_id. CSV has these as columns: listing_id, pool, quantity, stay.resource, stay.check_in,
stay.check_out, customer.name, customer.email, ... A line whose external_id is there already is
skipped, so that an import can be repeated. Exit code 1: a line was refused.

Examples:
  lastseat import bookings.csv
  lastseat import old-system.jsonl --json > report.jsonl";

/// Import bookings from JSON lines or CSV into a running server
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The file; - reads standard input
    #[arg(value_name = "FILE")]
    file: Input,
    /// How it is written [default: by its name and first character]
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    #[command(flatten)]
    server: ClientOptions,
    /// Print what became of each line as JSON lines
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let client = Client::new(&args.server)?;
    let mut lines = Lines::new(&args.file, BufReader::new(args.file.open()?), args.format)?;
    let mut counts = Counts::default();
    let (mut chunk, mut bytes) = (Vec::new(), 0);
    while let Some(line) = lines.next()? {
        bytes += line.text.as_ref().map_or_else(String::len, String::len) + 1;
        chunk.push(line);
        if bytes >= CHUNK_BYTES {
            send(&client, &chunk, args.json, &mut counts).await?;
            chunk.clear();
            bytes = 0;
        }
    }
    if !chunk.is_empty() {
        send(&client, &chunk, args.json, &mut counts).await?;
    }
    let Counts { imported, skipped, refused } = counts;
    let summary = format!("imported {imported}, skipped {skipped} that were there, refused {refused}");
    if args.json {
        output::say(&summary);
    } else {
        output::data(&summary)?;
    }
    if refused > 0 { Err(Failure::NotSoSaid) } else { Ok(()) }
}

/// What became of the lines.
#[derive(Default)]
struct Counts {
    imported: usize,
    skipped: usize,
    refused: usize,
}

/// Sends some lines, and tells what became of them under their numbers in the file. Those that cannot become bookings
/// are refused here, in their place.
async fn send(client: &Client, chunk: &[Line], as_json: bool, counts: &mut Counts) -> Result<(), Failure> {
    let mut body = String::new();
    let (mut sent, mut refused) = (Vec::new(), VecDeque::new());
    for line in chunk {
        match &line.text {
            Ok(text) => {
                sent.push(line.number);
                body.push_str(text);
                body.push('\n');
            }
            Err(why) => refused.push_back((line.number, why)),
        }
    }
    let mut tell_refused = |before: u64, counts: &mut Counts| -> Result<(), Failure> {
        while let Some((number, why)) = refused.pop_front_if(|(number, _)| *number < before) {
            let view =
                json!({"line": number, "status": "refused", "id": null, "code": "invalid", "detail": why});
            tell(&view, as_json, counts)?;
        }
        Ok(())
    };
    if sent.is_empty() {
        return tell_refused(u64::MAX, counts);
    }
    let request = client
        .request(Method::POST, "v1/bookings/import")?
        .header("content-type", "application/x-ndjson")
        .body(body);
    let answer = client.send(request).await?.text().await.map_err(anyhow::Error::from)?;
    let mut told = 0;
    for answer in answer.lines().filter(|line| !line.trim().is_empty()) {
        let mut answer: Value = serde_json::from_str(answer)
            .map_err(|_| Failure::unable("the server's answer to the import is no JSON"))?;
        let place = answer["line"].as_u64().and_then(|line| usize::try_from(line).ok()?.checked_sub(1));
        let Some(&number) = place.and_then(|place| sent.get(place)) else {
            return Err(Failure::unable("the server's answer to the import names a line that was not sent"));
        };
        answer["line"] = number.into();
        told += 1;
        tell_refused(number, counts)?;
        tell(&answer, as_json, counts)?;
    }
    if told < sent.len() {
        let (first, sent) = (sent[0], sent.len());
        return Err(Failure::unable(format_args!(
            "the server told of {told} of the {sent} lines from line {first} on; import the file again: with an \
             external_id, lines that are there already are skipped"
        )));
    }
    tell_refused(u64::MAX, counts)
}

fn tell(answer: &Value, as_json: bool, counts: &mut Counts) -> Result<(), Failure> {
    match answer["status"].as_str() {
        Some("imported") => counts.imported += 1,
        Some("skipped") => counts.skipped += 1,
        _ => {
            counts.refused += 1;
            if !as_json {
                let why =
                    ["detail", "code"].iter().find_map(|field| answer[*field].as_str()).unwrap_or("refused");
                output::say(&format!("line {}: {why}", answer["line"]));
            }
        }
    }
    if as_json { output::data(&answer.to_string()) } else { Ok(()) }
}
