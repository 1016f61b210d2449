//! Seats as a table: each row of the hall is a row, and columns keep the aisles and the shifts between rows.

use super::{COLOURS, Spot, condition};
use crate::pages::choice::take::{Take, chosen};
use crate::pages::form::Form;
use crate::pages::money;

/// Columns per seat: two, so that a row may stand half a seat off.
const COLUMNS_PER_SEAT: usize = 2;
/// Widest row that keeps its gaps, in columns.
const MAX_COLUMNS: usize = 400;

/// A seat of the table.
pub(crate) struct Cell {
    /// Empty columns before it.
    pub gap: usize,
    /// Its number, as on the chair.
    pub number: String,
    /// What a screen reader says.
    pub label: String,
    /// Key of the pool, by which live changes find it.
    pub pool: String,
    /// Value of the field.
    pub value: String,
    /// `free`, `held`, `sold`, `off`.
    pub state: &'static str,
    /// Whether it can be chosen.
    pub free: bool,
    /// Whether it was chosen.
    pub chosen: bool,
    /// The number of its category's colour.
    pub colour: usize,
}

/// A row of the table.
pub(crate) struct Row {
    /// Its name.
    pub name: String,
    /// Name of the zone, where this row begins one.
    pub zone: Option<String>,
    /// Its seats.
    pub cells: Vec<Cell>,
}

/// The columns of the widest row, at least one.
pub(super) fn columns(rows: &[Row]) -> usize {
    let wide = |row: &Row| row.cells.iter().map(|cell| cell.gap + COLUMNS_PER_SEAT).sum();
    rows.iter().map(wide).max().unwrap_or(0).max(1)
}

/// The rows of these seats, which are in the order of the plan.
pub(super) fn rows(spots: &[Spot<'_>], typed: &Form, currency: &str) -> Vec<Row> {
    let columns = Columns::of(spots);
    let zones = spots.iter().any(|spot| spot.seat.zone != spots[0].seat.zone);
    let mut last_zone = None;
    spots
        .chunk_by(|a, b| a.seat.row == b.seat.row && a.seat.zone == b.seat.zone)
        .map(|row| {
            let zone = row[0].seat.zone.as_str();
            let begins = zones && last_zone.replace(zone) != Some(zone);
            let mut sorted: Vec<&Spot<'_>> = row.iter().collect();
            sorted.sort_by(|a, b| a.seat.x.total_cmp(&b.seat.x));
            let mut at = 0;
            let cells = sorted.into_iter().map(|spot| {
                let gap = columns.as_ref().map_or(0, |columns| columns.at(spot.seat.x).saturating_sub(at));
                at += gap + COLUMNS_PER_SEAT;
                cell(spot, gap, typed, currency)
            });
            Row {
                name: row[0].seat.row.clone(),
                cells: cells.collect(),
                zone: begins.then(|| zone.to_owned()),
            }
        })
        .collect()
}

fn cell(spot: &Spot<'_>, gap: usize, typed: &Form, currency: &str) -> Cell {
    let (state, words) = condition(spot.pool);
    let free = state == "free";
    let price = money::price(spot.pool.price, currency);
    let what = if free { price.as_str() } else { words };
    Cell {
        gap,
        number: spot.seat.number.clone(),
        label: format!("Row {}, seat {}, {}, {what}", spot.seat.row, spot.seat.number, spot.seat.category),
        pool: spot.pool.key.clone(),
        value: Take { quantity: 1, price: spot.pool.price, key: &spot.pool.key }.value(),
        state,
        free,
        chosen: free && chosen(typed, &spot.pool.key) > 0,
        colour: spot.colour % COLOURS,
    }
}

/// From positions of the plan to columns.
struct Columns {
    left: f64,
    step: f64,
}

impl Columns {
    /// None where the positions make no sensible table: all in one place, or far apart.
    fn of(spots: &[Spot<'_>]) -> Option<Self> {
        let rows = spots.chunk_by(|a, b| a.seat.row == b.seat.row && a.seat.zone == b.seat.zone);
        let steps = rows.flat_map(|row| row.windows(2).map(|pair| (pair[1].seat.x - pair[0].seat.x).abs()));
        let step = steps.filter(|step| *step > 0.5).fold(f64::INFINITY, f64::min) / 2.0;
        let left = spots.iter().map(|spot| spot.seat.x).fold(f64::INFINITY, f64::min);
        let right = spots.iter().map(|spot| spot.seat.x).fold(f64::NEG_INFINITY, f64::max);
        let columns = Self { left, step };
        (step.is_finite() && columns.at(right) <= MAX_COLUMNS).then_some(columns)
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "`as` saturates, and far too many columns are no table"
    )]
    #[expect(clippy::cast_sign_loss, reason = "no seat is left of the leftmost one")]
    fn at(&self, x: f64) -> usize {
        ((x - self.left) / self.step).round() as usize
    }
}
