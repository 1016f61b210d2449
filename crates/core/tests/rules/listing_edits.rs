//! Edits of listings under bookings.

use lastseat_core::listing::change::change;
use lastseat_core::refusal::Code;
use serde_json::json;

use crate::bench::{Bench, code, nights_form, stay};

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
