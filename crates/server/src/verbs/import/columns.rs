//! What the columns of a CSV file mean: the fields of an imported booking, with dots for what is inside
//! another one. `pool` and `quantity` are its one line; bookings with more lines need JSON.

use csv::StringRecord;
use serde_json::{Map, Value, json};

/// What stands in a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Type {
    Text,
    Number,
}

/// The columns that there may be.
const COLUMNS: &[(&str, Type)] = &[
    ("listing_id", Type::Text),
    ("pool", Type::Text),
    ("quantity", Type::Number),
    ("stay.resource", Type::Text),
    ("stay.check_in", Type::Text),
    ("stay.check_out", Type::Text),
    ("stay.quantity", Type::Number),
    ("slot.resource", Type::Text),
    ("slot.starts_at", Type::Text),
    ("slot.slots", Type::Number),
    ("customer.name", Type::Text),
    ("customer.email", Type::Text),
    ("customer.phone", Type::Text),
    ("customer.telegram_id", Type::Number),
    ("customer.external_id", Type::Text),
    ("state", Type::Text),
    ("created_at", Type::Text),
    ("paid", Type::Number),
    ("external_id", Type::Text),
];

/// The columns of one file, in its order.
#[derive(Debug)]
pub(super) struct Columns(Vec<(&'static str, Type)>);

impl Columns {
    /// The columns that a heading names.
    ///
    /// # Errors
    /// A sentence, for one that is not known or stands twice.
    pub(super) fn of(heading: &StringRecord) -> Result<Self, String> {
        let mut columns: Vec<(&'static str, Type)> = Vec::new();
        for name in heading {
            let name = name.trim_start_matches('\u{feff}');
            let Some(column) = COLUMNS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) else {
                let known: Vec<&str> = COLUMNS.iter().map(|(known, _)| *known).collect();
                return Err(format!("unknown column `{name}`; there are {}", known.join(", ")));
            };
            if columns.contains(column) {
                return Err(format!("the column `{name}` stands there twice"));
            }
            columns.push(*column);
        }
        Ok(Self(columns))
    }

    /// The booking of a line. Empty cells are fields that are not there.
    ///
    /// # Errors
    /// A sentence, for a number that is none, and for more or fewer cells than there are columns.
    pub(super) fn booking(&self, record: &StringRecord) -> Result<Value, String> {
        if record.len() != self.0.len() {
            return Err(format!("it has {} cells, and there are {} columns", record.len(), self.0.len()));
        }
        let mut booking = Map::new();
        for ((name, kind), text) in self.0.iter().zip(record).filter(|(_, text)| !text.is_empty()) {
            let value = match kind {
                Type::Text => json!(text),
                Type::Number => text
                    .parse::<i64>()
                    .map(|number| json!(number))
                    .map_err(|_| format!("`{name}` must be a whole number, not `{text}`"))?,
            };
            match name.split_once('.') {
                Some((outer, inner)) => {
                    let object = booking.entry(outer).or_insert_with(|| json!({}));
                    object[inner] = value;
                }
                None => {
                    booking.insert((*name).to_owned(), value);
                }
            }
        }
        let quantity = booking.remove("quantity");
        if let Some(pool) = booking.remove("pool") {
            booking.insert(
                "lines".to_owned(),
                json!([{"pool": pool, "quantity": quantity.unwrap_or(json!(1))}]),
            );
        }
        Ok(Value::Object(booking))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn booking(heading: &[&str], cells: &[&str]) -> Result<Value, String> {
        let columns = Columns::of(&heading.to_vec().into())?;
        columns.booking(&cells.to_vec().into())
    }

    #[test]
    fn a_line_becomes_the_booking_that_json_would_say() {
        let made = booking(
            &["listing_id", "pool", "quantity", "customer.name", "customer.telegram_id", "paid", "state"],
            &["lst_1", "standard", "2", "Sample Person", "77", "", "confirmed"],
        );
        let wanted = json!({
            "listing_id": "lst_1", "lines": [{"pool": "standard", "quantity": 2}],
            "customer": {"name": "Sample Person", "telegram_id": 77}, "state": "confirmed",
        });
        assert_eq!(made.unwrap(), wanted);
    }

    #[test]
    fn a_stay_has_its_own_columns() {
        let heading = ["stay.resource", "stay.check_in", "stay.check_out"];
        let made = booking(&heading, &["double", "2026-12-24", "2026-12-27"]).unwrap();
        assert_eq!(
            made,
            json!({"stay": {"resource": "double", "check_in": "2026-12-24", "check_out": "2026-12-27"}})
        );
    }

    #[test]
    fn wrong_columns_and_numbers_are_named() {
        assert!(booking(&["price"], &["1"]).unwrap_err().contains("`price`"));
        assert!(booking(&["pool", "POOL"], &["a", "b"]).unwrap_err().contains("twice"));
        assert_eq!(booking(&["paid"], &["1.50"]).unwrap_err(), "`paid` must be a whole number, not `1.50`");
    }
}
