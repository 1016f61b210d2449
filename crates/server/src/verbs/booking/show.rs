//! `lastseat booking show`.

use serde_json::Value;

use super::One;
use crate::client::Client;
use crate::failure::Failure;
use crate::money::amount;
use crate::output;

/// Show a booking
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  lastseat booking show 7K3QW9ZD")]
pub(crate) struct Args {
    #[command(flatten)]
    one: One,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let client = Client::new(&args.one.server)?;
    let id = super::find(&client, &args.one.id).await?;
    let booking = client.get(&format!("v1/bookings/{id}")).await?;
    if args.one.json { output::json(&booking) } else { output::data(&text(&booking)) }
}

/// One line per field that has something to say.
fn text(booking: &Value) -> String {
    let currency = booking["currency"].as_str().unwrap_or("");
    let mut out = String::new();
    let mut line = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            let value = value.replace(|c: char| c.is_control(), " ");
            out.push_str(&format!("{name:<15} {value}\n"));
        }
    };
    let plain = |field: &str| booking[field].as_str().map(str::to_owned);
    let money = |field: &str| {
        booking[field].as_i64().filter(|&minor| minor != 0).map(|minor| amount(minor, currency))
    };
    line("reference", plain("reference"));
    line("id", plain("id"));
    line("state", plain("state"));
    line("reason", plain("reason"));
    line("listing", plain("listing_id"));
    for claim in booking["lines"].as_array().into_iter().flatten() {
        let price = amount(claim["unit_price"].as_i64().unwrap_or(0), currency);
        line(
            "line",
            Some(format!("{} x {} at {price}", claim["quantity"], claim["pool"].as_str().unwrap_or("?"))),
        );
    }
    line("customer", Some(customer(&booking["customer"])));
    line("note", plain("note"));
    line("total", Some(amount(booking["total"].as_i64().unwrap_or(0), currency)));
    line("paid", money("paid"));
    line("refund due", money("refund_due"));
    line("refunded", money("refunded"));
    line("created", plain("created_at"));
    line("due", plain("due_at"));
    line("starts", plain("starts_at"));
    line("ends", plain("ends_at"));
    line("decided by", plain("decided_by"));
    line("decided at", plain("decided_at"));
    out
}

/// A customer's name and ways to reach them.
fn customer(customer: &Value) -> String {
    let fields = ["name", "email", "phone", "external_id"];
    let mut parts: Vec<String> =
        fields.iter().filter_map(|field| customer[*field].as_str()).map(str::to_owned).collect();
    if let Some(id) = customer["telegram_id"].as_i64() {
        parts.push(format!("Telegram {id}"));
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_booking_is_shown_without_its_empty_fields() {
        let booking = json!({
            "reference": "7K3QW9ZD", "state": "held", "currency": "EUR", "total": 9950, "paid": 0, "note": null,
            "lines": [{"pool": "double/2026-12-24", "quantity": 1, "unit_price": 9950}],
            "customer": {"name": "Sample\u{7} Person", "telegram_id": 7},
        });
        let text = text(&booking);
        assert!(text.contains("line            1 x double/2026-12-24 at 99.50 EUR\n"), "{text}");
        assert!(text.contains("customer        Sample  Person, Telegram 7\n"), "{text}");
        assert!(!text.contains("note") && !text.contains("paid"), "{text}");
    }
}
