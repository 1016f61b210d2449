//! The JSON format of pretix: zones hold rows, rows hold seats, and positions add up from the outside in.
//!
//! The format is that of `seating-plan.schema.json` in <https://github.com/pretix/pretix>. Read here: the
//! names and colours of `categories`; `size`; of each zone `name`, `position` and `rows`; of each row
//! `row_number`, `position` and `seats`; of each seat `seat_guid`, `seat_number`, `category` and `position`.
//! All else is decoration or the editor's own (`areas`, `uuid`, `radius`, ...) and may be anything.
//!
//! Plans of earlier versions of the format lack some fields, so names and positions of zones and rows, the
//! plan's name and its size may be missing. A missing size is that of a drawing which shows all seats.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::error::{PlanError, PlanFault, PlanPlace};
use super::walk::Node;
use super::{Category, DEFAULT_COLOR, MAX_GUID_BYTES, MAX_SEATS, Seat, SeatingPlan, Size};

/// The margin around the outermost seats of a plan that tells no size, in pixels: two seats of the editor.
const MARGIN: f64 = 40.0;
/// Characters of an unknown name that an error repeats.
const SHOWN_CHARS: usize = 60;
/// The longest colour, in bytes: `hsla(100.5deg, 100%, 100%, 0.5)` and somewhat more.
const MAX_COLOR_BYTES: usize = 40;

impl SeatingPlan {
    /// Reads a plan from JSON text.
    ///
    /// # Errors
    ///
    /// [`PlanFault::NotJson`], and whatever [`SeatingPlan::from_value`] finds.
    pub fn parse(json: &[u8]) -> Result<Self, PlanError> {
        let value: Value = serde_json::from_slice(json).map_err(|error| PlanError {
            place: PlanPlace::default(),
            fault: PlanFault::NotJson(error.to_string()),
        })?;
        Self::from_value(&value)
    }

    /// Reads a plan from a JSON value.
    ///
    /// # Errors
    ///
    /// The first [`PlanError`] in the order of the plan: a missing field, a wrong type, a guid that is empty,
    /// too long, not printable or taken, an unknown category, a position that is not finite, too many seats.
    pub fn from_value(value: &Value) -> Result<Self, PlanError> {
        let plan = Node::new(value, PlanPlace::default())?;
        let mut reader = Reader::default();
        reader.read_categories(plan)?;
        for (index, zone) in plan.list("zones")?.iter().enumerate() {
            reader.read_zone(Node::new(zone, PlanPlace { zone: Some(index), ..plan.place })?)?;
        }
        Ok(Self {
            name: plan.optional_text("name")?.unwrap_or_default().to_owned(),
            size: read_size(plan, &reader.seats)?,
            categories: reader.categories,
            seats: reader.seats,
        })
    }
}

/// What has been read so far.
#[derive(Default)]
struct Reader<'a> {
    categories: Vec<Category>,
    category_by_name: HashMap<&'a str, usize>,
    seats: Vec<Seat>,
    place_by_guid: HashMap<&'a str, PlanPlace>,
}

/// What the seats of a row have in common.
struct Row {
    zone: Arc<str>,
    row: Arc<str>,
    origin: (f64, f64),
}

impl<'a> Reader<'a> {
    fn read_categories(&mut self, plan: Node<'a>) -> Result<(), PlanError> {
        for (index, value) in plan.list("categories")?.iter().enumerate() {
            let node = Node::new(value, PlanPlace { category: Some(index), ..plan.place })?;
            let name = node.text("name")?;
            let color = node.optional_text("color")?.filter(|color| is_css_color(color));
            // A name that comes again is the same category: prices are by name.
            self.category_by_name.entry(name).or_insert_with(|| {
                let color = color.unwrap_or(DEFAULT_COLOR).to_owned();
                self.categories.push(Category { name: name.to_owned(), color });
                self.categories.len() - 1
            });
        }
        Ok(())
    }

    fn read_zone(&mut self, zone: Node<'a>) -> Result<(), PlanError> {
        let name: Arc<str> = zone.optional_text("name")?.unwrap_or_default().into();
        let origin = zone.optional_position()?.unwrap_or_default();
        for (index, value) in zone.list("rows")?.iter().enumerate() {
            let row = Node::new(value, PlanPlace { row: Some(index), ..zone.place })?;
            let common = Row {
                zone: Arc::clone(&name),
                row: row.optional_text("row_number")?.unwrap_or_default().into(),
                origin: add(origin, row.optional_position()?.unwrap_or_default()),
            };
            for (index, value) in row.list("seats")?.iter().enumerate() {
                let seat = Node::new(value, PlanPlace { seat: Some(index), ..row.place })?;
                self.read_seat(seat, &common)?;
            }
        }
        Ok(())
    }

    fn read_seat(&mut self, node: Node<'a>, row: &Row) -> Result<(), PlanError> {
        if self.seats.len() == MAX_SEATS {
            return Err(node.error("", PlanFault::TooManySeats));
        }
        let guid = node.text("seat_guid")?;
        check_guid(guid).map_err(|fault| node.error("seat_guid", fault))?;
        if let Some(&first) = self.place_by_guid.get(guid) {
            let fault = PlanFault::GuidTaken { guid: guid.to_owned(), first: Box::new(first) };
            return Err(node.error("seat_guid", fault));
        }
        let name = node.text("category")?;
        let category = *self.category_by_name.get(name).ok_or_else(|| {
            let name = name.chars().take(SHOWN_CHARS).collect();
            node.error("category", PlanFault::UnknownCategory { name })
        })?;
        let number = node.text("seat_number")?.to_owned();
        let own = node.optional_position()?.ok_or_else(|| node.error("position", PlanFault::Missing))?;
        let (x, y) = add(row.origin, own);
        if !(x.is_finite() && y.is_finite()) {
            return Err(node.error("position", PlanFault::NotFinite));
        }
        self.place_by_guid.insert(guid, node.place);
        self.seats.push(Seat {
            guid: guid.to_owned(),
            zone: Arc::clone(&row.zone),
            row: Arc::clone(&row.row),
            number,
            category,
            x,
            y,
        });
        Ok(())
    }
}

fn check_guid(guid: &str) -> Result<(), PlanFault> {
    if guid.is_empty() {
        return Err(PlanFault::GuidEmpty);
    }
    if guid.len() > MAX_GUID_BYTES {
        return Err(PlanFault::GuidTooLong { bytes: guid.len() });
    }
    if guid.chars().any(char::is_control) {
        return Err(PlanFault::GuidHasControlCharacters);
    }
    Ok(())
}

fn read_size(plan: Node<'_>, seats: &[Seat]) -> Result<Size, PlanError> {
    let told = plan.optional_pair("size", [("width", "size.width"), ("height", "size.height")])?;
    let (width, height) = told.unwrap_or_default();
    for (side, field) in [(width, "size.width"), (height, "size.height")] {
        if side < 0.0 {
            return Err(plan.error(field, PlanFault::Negative));
        }
    }
    let needed = |of: fn(&Seat) -> f64| seats.iter().map(of).fold(0.0, f64::max) + MARGIN;
    Ok(Size {
        width: if width > 0.0 { width } else { needed(|seat| seat.x) },
        height: if height > 0.0 { height } else { needed(|seat| seat.y) },
    })
}

fn add(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    (a.0 + b.0, a.1 + b.1)
}

/// Whether `text` can be no more than one colour: a name, `#` and digits, or a function of numbers.
fn is_css_color(text: &str) -> bool {
    let (name, arguments) = match text.split_once('(') {
        Some((name, rest)) => (name, rest.strip_suffix(')')),
        None => (text.strip_prefix('#').unwrap_or(text), Some("")),
    };
    let numeric = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | ',' | '.' | '%' | '/' | '-' | '+');
    !name.is_empty()
        && text.len() <= MAX_COLOR_BYTES
        && name.chars().all(|c| c.is_ascii_alphanumeric())
        && !name.eq_ignore_ascii_case("url")
        && arguments.is_some_and(|arguments| arguments.chars().all(numeric))
}

#[cfg(test)]
mod tests;
