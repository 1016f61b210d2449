use std::time::{Duration, Instant};

use serde_json::json;

use super::super::sample_plan;
use super::*;

/// A plan as the editor writes it, with what it keeps for itself and for the drawing.
fn theatre() -> Value {
    json!({
        "name": "Kammerspiele",
        "categories": [
            {"name": "Parkett", "color": "#7d4f9e"},
            {"name": "Rollstuhl", "color": "rgb(0, 120, 40)"}
        ],
        "size": {"width": 800, "height": 600},
        "zones": [
            {
                "name": "Parkett", "zone_id": "P", "uuid": "11ff1b0c-8a3f-4a57-9f1a-6e2d3f7f8a01",
                "position": {"x": 100, "y": 50},
                "rows": [
                    {
                        "row_number": "1", "row_label": "Reihe %s", "seat_label": null, "uuid": "2c6b",
                        "row_number_position": "both", "position": {"x": 10, "y": 20},
                        "seats": [
                            {"seat_guid": "P-1-1", "seat_number": "1", "uuid": "a", "radius": 10,
                             "start_direction": ">", "position": {"x": 0, "y": 0}, "category": "Parkett"},
                            {"seat_guid": "P-1-2", "seat_number": "2", "position": {"x": 25.5, "y": -1.25},
                             "category": "Parkett"}
                        ]
                    },
                    {"row_number": "2", "seats": [
                        {"seat_guid": "P-2-1", "seat_number": "1", "position": {"x": 0, "y": 40},
                         "category": "Rollstuhl"}
                    ]}
                ],
                "areas": [
                    {"shape": "polygon", "color": "#eee", "rotation": 12.5, "position": {"x": 1, "y": 2},
                     "polygon": {"points": [{"x": 0, "y": 0}, {"x": 9, "y": 0}]}},
                    {"shape": "text", "text": {"text": "Bühne", "position": {"x": 0, "y": 0}}}
                ]
            },
            {"position": {"x": 0, "y": 0}, "rows": [], "areas": []}
        ]
    })
}

/// The error for the theatre with one value put at `pointer`.
fn refused_with(pointer: &str, value: Value) -> String {
    let mut plan = theatre();
    *plan.pointer_mut(pointer).unwrap() = value;
    SeatingPlan::from_value(&plan).unwrap_err().to_string()
}

#[test]
fn a_real_plan_is_read_in_its_order_with_absolute_positions() {
    let plan = SeatingPlan::parse(theatre().to_string().as_bytes()).unwrap();
    assert_eq!(plan.name, "Kammerspiele");
    assert_eq!(plan.size, Size { width: 800.0, height: 600.0 });
    let colors: Vec<_> = plan.categories.iter().map(|category| category.color.as_str()).collect();
    assert_eq!(colors, ["#7d4f9e", "rgb(0, 120, 40)"]);
    let seats: Vec<_> = plan
        .seats
        .iter()
        .map(|seat| (&*seat.guid, &*seat.zone, &*seat.row, &*seat.number, seat.category, seat.x, seat.y))
        .collect();
    assert_eq!(
        seats,
        [
            ("P-1-1", "Parkett", "1", "1", 0, 110.0, 70.0),
            ("P-1-2", "Parkett", "1", "2", 0, 135.5, 68.75),
            ("P-2-1", "Parkett", "2", "1", 1, 100.0, 90.0),
        ]
    );
}

#[test]
fn bytes_and_values_give_the_same_plan() {
    let value = sample_plan(12, 20);
    assert_eq!(SeatingPlan::parse(value.to_string().as_bytes()), SeatingPlan::from_value(&value));
}

#[test]
fn a_plan_without_a_size_is_as_large_as_its_seats_need() {
    for size in [json!(null), json!({"width": 0, "height": 0})] {
        let mut plan = theatre();
        plan["size"] = size;
        let plan = SeatingPlan::from_value(&plan).unwrap();
        assert_eq!(plan.size, Size { width: 135.5 + MARGIN, height: 90.0 + MARGIN });
    }
}

#[test]
fn names_of_plans_zones_and_rows_may_be_missing() {
    let plan = json!({"categories": [{"name": "A"}], "zones": [{"rows": [{"seats": [
        {"seat_guid": "1", "seat_number": "", "category": "A", "position": {"x": 1, "y": 2}}
    ]}]}]});
    let plan = SeatingPlan::from_value(&plan).unwrap();
    assert_eq!((&*plan.name, &*plan.seats[0].zone, &*plan.seats[0].row), ("", "", ""));
    assert_eq!((plan.seats[0].x, plan.seats[0].y), (1.0, 2.0));
    assert_eq!(plan.categories[0].color, DEFAULT_COLOR);
}

#[test]
fn a_category_that_is_named_twice_is_one() {
    let mut plan = theatre();
    plan["categories"] = json!([
        {"name": "Parkett", "color": "red"}, {"name": "Parkett", "color": "blue"}, {"name": "Rollstuhl"}
    ]);
    let plan = SeatingPlan::from_value(&plan).unwrap();
    assert_eq!(plan.categories[0], Category { name: "Parkett".to_owned(), color: "red".to_owned() });
    assert_eq!((plan.categories.len(), plan.seats[2].category), (2, 1));
}

#[test]
fn refusals_name_the_place() {
    let seat = "zones[0].rows[0].seats[1]";
    let at = "/zones/0/rows/0/seats/1";
    for (pointer, value, error) in [
        ("seat_guid", json!(""), ".seat_guid: is empty"),
        ("seat_guid", json!("x".repeat(201)), ".seat_guid: has 201 bytes, more than 200"),
        ("seat_guid", json!("a\nb"), ".seat_guid: has control characters"),
        ("seat_guid", json!("a\u{85}b"), ".seat_guid: has control characters"),
        ("seat_guid", json!("P-1-1"), ".seat_guid: `P-1-1` is already the guid of zones[0].rows[0].seats[0]"),
        ("seat_guid", json!(12), ".seat_guid: must be a string"),
        ("seat_guid", json!(null), ".seat_guid: is missing"),
        ("seat_number", json!(2), ".seat_number: must be a string"),
        ("category", json!("Loge"), ".category: the plan has no category `Loge`"),
        ("position", json!(null), ".position: is missing"),
        ("position", json!([1, 2]), ".position: must be an object"),
        ("position/x", json!("1"), ".position.x: must be a number"),
        ("position/y", json!(null), ".position.y: is missing"),
    ] {
        assert_eq!(refused_with(&format!("{at}/{pointer}"), value), format!("{seat}{error}"));
    }
    assert_eq!(refused_with(at, json!("seat")), format!("{seat}: must be an object"));
    for (pointer, value, error) in [
        ("", json!([]), "plan: must be an object"),
        ("/name", json!(7), "name: must be a string"),
        ("/zones", json!(null), "zones: is missing"),
        ("/zones", json!({}), "zones: must be a list"),
        ("/zones/1", json!(1), "zones[1]: must be an object"),
        ("/zones/0/name", json!(1), "zones[0].name: must be a string"),
        ("/zones/0/position/x", json!(true), "zones[0].position.x: must be a number"),
        ("/zones/0/rows", json!(null), "zones[0].rows: is missing"),
        ("/zones/0/rows/1/row_number", json!(2), "zones[0].rows[1].row_number: must be a string"),
        ("/zones/0/rows/1/seats", json!("none"), "zones[0].rows[1].seats: must be a list"),
        ("/categories", json!(null), "categories: is missing"),
        ("/categories/1", json!("Loge"), "categories[1]: must be an object"),
        ("/categories/1/name", json!(null), "categories[1].name: is missing"),
        ("/categories/1/color", json!(7), "categories[1].color: must be a string"),
        ("/size", json!(800), "size: must be an object"),
        ("/size/width", json!("800"), "size.width: must be a number"),
        ("/size/height", json!(-1), "size.height: must not be negative"),
    ] {
        assert_eq!(refused_with(pointer, value), error);
    }
}

#[test]
fn positions_that_add_up_beyond_all_numbers_are_refused() {
    let mut plan = theatre();
    plan["zones"][0]["position"]["x"] = json!(1e308);
    plan["zones"][0]["rows"][0]["position"]["x"] = json!(1e308);
    let error = SeatingPlan::from_value(&plan).unwrap_err();
    assert_eq!(error.to_string(), "zones[0].rows[0].seats[0].position: is not a finite position");
}

#[test]
fn unknown_names_are_repeated_in_part() {
    let message = refused_with("/zones/0/rows/0/seats/0/category", json!("ü".repeat(100_000)));
    assert!(message.len() < 300, "{}", message.len());
}

#[test]
fn what_is_not_json_is_refused_with_line_and_column() {
    for text in ["", "{", "{\"zones\": [1e999]}", "\u{0}"] {
        let error = SeatingPlan::parse(text.as_bytes()).unwrap_err();
        assert!(matches!(error.fault, PlanFault::NotJson(_)), "{text}: {error}");
    }
    assert!(SeatingPlan::parse("[".repeat(100_000).as_bytes()).is_err());
    assert!(SeatingPlan::parse(b"\xff").is_err());
}

#[test]
fn only_colors_are_taken_as_colors() {
    for color in ["red", "#fff", "#7d4f9eCC", "rgb(1,2,3)", "hsl(120deg 50% 50% / 0.5)"] {
        assert!(is_css_color(color), "{color}");
    }
    for text in ["", "#", "red;x:y", "url(x)", "red\"", "rgb(1", "rgb(1))", "expression(alert(1))", "#<b>"] {
        assert!(!is_css_color(text), "{text}");
    }
    assert!(!is_css_color(&"r".repeat(41)));
}

#[test]
fn the_largest_plan_is_read_in_reasonable_time() {
    let bytes = sample_plan(300, 200).to_string().into_bytes();
    let start = Instant::now();
    let plan = SeatingPlan::parse(&bytes).unwrap();
    assert_eq!(plan.seats.len(), MAX_SEATS);
    // A fraction of a second, also without optimization; the bound is for machines under load.
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}
