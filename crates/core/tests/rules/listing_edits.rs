//! Edits of listings under bookings.

use lastseat_core::listing::change::change;
use lastseat_core::listing::change::form;
use lastseat_core::refusal::{Code, RefusalData};
use serde_json::{Value, json};

use crate::bench::{Bench, code, nights_form, places_form, seats_form, slots_form, stay};

#[test]
fn new_times_of_check_in_and_check_out_leave_the_pools_alone() {
    let mut bench = Bench::default();
    let inn = bench.listing(nights_form(2, &json!({})));
    for who in ["a", "b"] {
        bench.try_book(inn, stay("double", "2026-11-25", "2026-11-28", 1), who).unwrap();
    }
    for patch in
        [json!({"check_in_time": "14:00"}), json!({"check_out_time": "10:00"}), json!({"min_nights": 2})]
    {
        // The pools are not loaded for such an edit, so it must not make any.
        let listing = bench.world.listing(inn).unwrap();
        let edit = change(listing, &patch, &[], bench.world.now).unwrap();
        assert_eq!((edit.add, edit.remove), (vec![], vec![]), "{patch}");
        bench.patch(inn, patch).unwrap();
        assert_eq!(bench.pool(inn, "double/2026-11-26").confirmed, 2);
        let refused = bench.try_book(inn, stay("double", "2026-11-26", "2026-11-28", 1), "c");
        assert_eq!(code(refused), Code::SoldOut);
    }
}

#[test]
fn what_is_wrong_in_an_edit_is_named_with_its_path() {
    let mut bench = Bench::default();
    let inn = bench.listing(nights_form(2, &json!({})));
    for (patch, field, message) in [
        (json!({"check_in_time": "25:00"}), "check_in_time", "must be a time of the day like 15:00"),
        (json!({"calendar": {"from": "2026-13-01"}}), "calendar.from", ""),
        (json!({"policy": {"foo": 1}}), "policy.foo", "is not a field of this request"),
        (json!({"policy": {"foo": null}}), "policy.foo", "is not a field of this request"),
        (json!({"titel": null}), "titel", "is not a field of this request"),
        (json!({"title": null}), "title", "is missing"),
    ] {
        let RefusalData::Fields(wrong) = bench.patch(inn, patch).unwrap_err().data else { panic!("{field}") };
        assert_eq!((wrong.len(), wrong[0].field.as_str()), (1, field));
        assert!(wrong[0].message.starts_with(message), "{}", wrong[0].message);
    }
    // Null for what has a default, or need not be there, is fine.
    for patch in
        [json!({"min_nights": null}), json!({"policy": {"hold_seconds": null}}), json!({"venue": null})]
    {
        bench.patch(inn, patch).unwrap();
        bench.patch(inn, json!({"check_in_time": null, "check_out_time": null})).unwrap();
    }
}

#[test]
fn a_field_of_another_kind_is_refused_and_null_is_what_it_is_anyway() {
    let fields = json!({
        "starts_at": "2027-01-01T00:00:00Z", "ends_at": "2027-01-01T01:00:00Z", "pools": [], "resources": [],
        "calendar": {"from": "2027-01-01", "until": "2027-02-01"}, "check_in_time": "14:00",
        "check_out_time": "10:00", "min_nights": 2, "opening_hours": [], "slot_minutes": 30,
        "buffer_minutes": 0, "seating": {"prices": {}},
    });
    let policy = json!({});
    for (form_of, own) in [
        (places_form(2, &policy), &["starts_at", "ends_at", "pools"][..]),
        (seats_form(&policy), &["starts_at", "ends_at", "pools", "seating"]),
        (
            nights_form(2, &policy),
            &["resources", "calendar", "check_in_time", "check_out_time", "min_nights"],
        ),
        (
            slots_form(2, &policy),
            &["resources", "calendar", "opening_hours", "slot_minutes", "buffer_minutes"],
        ),
    ] {
        let mut bench = Bench::default();
        let kind = form_of["kind"].as_str().unwrap().to_owned();
        let id = bench.listing(form_of);
        let before = form(bench.world.listing(id).unwrap());
        for (field, value) in
            fields.as_object().unwrap().iter().filter(|(field, _)| !own.contains(&field.as_str()))
        {
            let refusal = bench.patch(id, json!({ field: value })).unwrap_err();
            let RefusalData::Fields(wrong) = refusal.data else { panic!("{kind}: {field}") };
            let wrong: Vec<_> =
                wrong.iter().map(|wrong| (wrong.field.as_str(), wrong.message.as_str())).collect();
            assert_eq!(wrong, [(field.as_str(), format!("does not belong to the kind {kind}").as_str())]);
            let null = bench.patch(id, json!({ field: Value::Null }));
            assert_eq!(null.is_ok(), !value.is_array(), "{kind}: {field}");
        }
        assert_eq!(form(bench.world.listing(id).unwrap()), before);
    }
}
