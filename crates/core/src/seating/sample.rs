//! Plans for demonstrations and tests.

use serde_json::{Value, json};

/// The categories of a sample plan, with their colours: the front rows, the others downstairs, the balcony.
/// Small plans have categories without seats.
pub const SAMPLE_CATEGORIES: [(&str, &str); 3] =
    [("Front", "#c2410c"), ("Stalls", "#1d4ed8"), ("Balcony", "#047857")];

/// From one seat to the next, and from one row to the next, in pixels.
const SEAT_STEP: f64 = 24.0;
const ROW_STEP: f64 = 30.0;
/// How much further back the ends of a row are than its middle, in pixels.
const BOW: f64 = 36.0;
const MARGIN: f64 = 60.0;
const STAGE_HEIGHT: f64 = 60.0;
/// One row of so many is in front, and one of so many on the balcony.
const FRONT_SHARE: usize = 4;
const BALCONY_SHARE: usize = 4;

/// A hall of `rows` bowed rows with `seats_per_row` seats each, as JSON in the pretix format: the stalls with
/// a stage before them, and a balcony of the last rows. Rows are `A`, `B`, ..., `Z`, `AA`, ...; guids are
/// `A-1`, `A-2`, ... The same arguments give the same plan.
#[must_use]
pub fn sample_plan(rows: usize, seats_per_row: usize) -> Value {
    let in_front = rows.div_ceil(FRONT_SHARE);
    let downstairs = rows - rows / BALCONY_SHARE;
    let row = |index: usize| {
        let category = match index {
            _ if index < in_front => 0,
            _ if index < downstairs => 1,
            _ => 2,
        };
        row(index, seats_per_row, SAMPLE_CATEGORIES[category].0)
    };
    let stalls: Vec<Value> = (0..downstairs).map(row).collect();
    let balcony: Vec<Value> = (downstairs..rows).map(row).collect();
    let width = length(seats_per_row) * SEAT_STEP + 2.0 * MARGIN;
    let below_stage = MARGIN + STAGE_HEIGHT + MARGIN;
    let before_balcony = below_stage + MARGIN;
    let height = before_balcony + length(rows) * ROW_STEP + BOW + MARGIN;
    let stage = json!({
        "shape": "rectangle", "color": "#e5e7eb", "border_color": "#9ca3af", "rotation": 0,
        "position": {"x": 0.0, "y": -MARGIN - STAGE_HEIGHT},
        "rectangle": {"width": length(seats_per_row) * SEAT_STEP, "height": STAGE_HEIGHT},
        "text": {
            "text": "Stage", "color": "#374151", "size": 20,
            "position": {"x": length(seats_per_row) * SEAT_STEP / 2.0, "y": STAGE_HEIGHT / 2.0}
        }
    });
    json!({
        "name": "Sample hall",
        "categories": SAMPLE_CATEGORIES.map(|(name, color)| json!({"name": name, "color": color})),
        "zones": [
            {
                "name": "Stalls", "zone_id": "stalls", "position": {"x": MARGIN, "y": below_stage},
                "rows": stalls, "areas": [stage]
            },
            {
                "name": "Balcony", "zone_id": "balcony", "position": {"x": MARGIN, "y": before_balcony},
                "rows": balcony, "areas": []
            }
        ],
        "size": {"width": width, "height": height.ceil()}
    })
}

/// A row; `index` counts through both zones, so that letters and guids are unique.
fn row(index: usize, seats: usize, category: &str) -> Value {
    let letters = letters(index);
    let seat = |seat: usize| {
        let number = seat + 1;
        // From -1 at the left end over 0 in the middle to 1 at the right end.
        let off_middle = (2.0 * length(seat) + 1.0) / length(seats) - 1.0;
        json!({
            "seat_guid": format!("{letters}-{number}"), "seat_number": number.to_string(),
            "category": category,
            "position": {"x": (length(seat) + 0.5) * SEAT_STEP, "y": (BOW * off_middle * off_middle).round()}
        })
    };
    json!({
        "row_number": letters, "row_number_position": "both",
        "position": {"x": 0.0, "y": length(index) * ROW_STEP},
        "seats": (0..seats).map(seat).collect::<Vec<_>>()
    })
}

/// `A` to `Z`, `AA`, `AB`, ... for 0, 1, ...
fn letters(index: usize) -> String {
    let mut text = String::new();
    let mut rest = index + 1;
    while rest > 0 {
        rest -= 1;
        let letter = u8::try_from(rest % 26).expect("less than 26");
        text.insert(0, char::from(b'A' + letter));
        rest /= 26;
    }
    text
}

/// A count as a length; counts of seats are far below 2^53.
fn length(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::{MAX_SEATS, PlanFault, SeatingPlan};
    use super::*;

    #[test]
    fn a_sample_plan_has_its_rows_and_seats_in_order() {
        let plan = SeatingPlan::from_value(&sample_plan(8, 10)).unwrap();
        assert_eq!(plan.seats.len(), 80);
        assert_eq!((plan.seats[0].guid.as_str(), plan.seats[79].guid.as_str()), ("A-1", "H-10"));
        let names: Vec<_> = plan.categories.iter().map(|category| category.name.as_str()).collect();
        assert_eq!(names, ["Front", "Stalls", "Balcony"]);
        let seats_in = |category| plan.seats.iter().filter(|seat| seat.category == category).count();
        assert_eq!([seats_in(0), seats_in(1), seats_in(2)], [20, 40, 20]);
        let zones: HashSet<&str> = plan.seats.iter().map(|seat| &*seat.zone).collect();
        assert_eq!(zones, HashSet::from(["Stalls", "Balcony"]));
    }

    #[test]
    fn its_seats_are_apart_and_inside_the_drawing() {
        let plan = SeatingPlan::from_value(&sample_plan(30, 40)).unwrap();
        let mut places = HashSet::new();
        for seat in &plan.seats {
            assert!(seat.x > 0.0 && seat.x < plan.size.width, "{seat:?}");
            assert!(seat.y > 0.0 && seat.y < plan.size.height, "{seat:?}");
            assert!(places.insert((seat.x.to_bits(), seat.y.to_bits())), "{seat:?}");
        }
    }

    #[test]
    fn any_number_of_rows_and_seats_is_a_plan() {
        for (rows, seats_per_row) in [(0, 0), (0, 5), (5, 0), (1, 1), (3, 2), (27, 1)] {
            let plan = SeatingPlan::from_value(&sample_plan(rows, seats_per_row)).unwrap();
            assert_eq!(plan.seats.len(), rows * seats_per_row);
        }
    }

    #[test]
    fn more_seats_than_a_plan_may_have_are_refused_on_reading() {
        let error = SeatingPlan::from_value(&sample_plan(1, MAX_SEATS + 1)).unwrap_err();
        assert_eq!(error.fault, PlanFault::TooManySeats);
        assert_eq!(error.place.to_string(), format!("zones[0].rows[0].seats[{MAX_SEATS}]"));
    }

    #[test]
    fn rows_beyond_z_have_two_letters() {
        assert_eq!([0, 25, 26, 51, 52, 701, 702].map(letters), ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]);
    }
}
