//! The suite that every store passes. A store's tests call [`store_conformance!`](crate::store_conformance) with
//! a function that makes an empty store on a given clock; each case becomes a test of its own.
//!
//! - `kit`: a batch in miniature, which loads everything
//! - `bookings`, `holds`, `customers`, `due`: what is kept about bookings
//! - `listings`, `events`, `memories`: the rest of the rows
//! - `transactions`: what makes a transaction one
//! - `waitlists`: who waits
//! - `optimistic`: transactions on what a lane knows, where a store offers them
#![allow(clippy::unwrap_used, reason = "a suite of tests")]

pub mod bookings;
pub mod customers;
pub mod due;
pub mod events;
pub mod holds;
pub(crate) mod kit;
pub mod listings;
pub mod memories;
pub mod optimistic;
pub mod transactions;
pub mod waitlists;

use std::sync::Arc;

use crate::memory::TestClock;
use crate::tx::Store;

/// Makes an empty store that takes its time from this clock.
pub type Factory<'a> = &'a dyn Fn(&TestClock) -> Arc<dyn Store>;

macro_rules! cases {
    ($d:tt $($module:ident::$name:ident,)*) => {
        /// Makes a test of each case of the suite for the stores that a function makes: `fn(&TestClock) -> Arc<dyn
        /// Store>`.
        #[macro_export]
        macro_rules! store_conformance {
            ($d factory:expr) => {
                $(
                    #[test]
                    fn $name() {
                        $d crate::conformance::$module::$name(&$d factory);
                    }
                )*
            };
        }
    };
}

cases! { $
    bookings::a_booking_comes_back_with_every_field,
    bookings::a_booking_comes_back_with_nothing_but_what_it_needs,
    bookings::every_change_of_a_booking_is_kept,
    bookings::bookings_are_listed_newest_first_by_what_is_asked,
    bookings::customers_are_found_by_what_they_are_called_in_any_script,
    bookings::overdue_bookings_are_listed_beside_those_that_were_settled,
    bookings::all_bookings_come_in_pages_and_in_order,
    bookings::numbers_are_summed_by_state,
    holds::overdue_holds_are_found_oldest_first_and_no_more_than_asked,
    holds::a_stay_is_overdue_on_its_own_nights_only,
    holds::moving_extending_and_ending_a_hold_moves_what_is_found,
    holds::the_next_release_is_the_first_deadline_to_come,
    holds::holds_are_listed_by_group_and_deadline,
    customers::what_a_customer_has_is_counted_where_limits_are_set,
    customers::overdue_holds_of_a_customer_and_of_an_address_are_found,
    customers::a_first_limit_has_everybody_counted_anew,
    due::what_is_due_comes_oldest_first,
    due::an_edit_has_the_bookings_renewed_in_parts,
    due::a_second_edit_begins_renewing_anew,
    listings::listings_of_every_kind_come_back_whole,
    listings::an_edit_changes_the_listing_and_its_pools,
    listings::pools_of_two_listings_are_kept_apart,
    listings::the_inventory_counts_changes_of_its_own_listing,
    listings::an_edit_that_was_rolled_back_was_never_there,
    events::events_come_in_order_and_none_is_skipped,
    events::the_events_of_a_booking_fold_to_its_row,
    memories::answers_are_remembered_until_they_are_pruned,
    memories::a_key_is_remembered_once,
    memories::an_imported_booking_is_found_by_its_foreign_id,
    memories::api_keys_are_in_force_until_they_are_revoked,
    waitlists::an_entry_comes_back_with_every_field,
    waitlists::every_change_of_an_entry_is_kept,
    waitlists::who_waits_is_found_in_order_by_the_pools_that_are_wanted,
    waitlists::who_is_ahead_is_counted_by_what_is_wanted,
    waitlists::entries_are_due_when_they_say_so_and_after_an_edit_all_of_them_are,
    waitlists::live_entries_and_those_for_which_something_is_kept_are_found,
    waitlists::an_entry_that_cannot_be_is_refused_as_bad_data,
    waitlists::joining_is_remembered,
    transactions::what_is_not_committed_leaves_nothing_behind,
    transactions::a_snapshot_never_changes,
    transactions::a_transaction_sees_what_it_wrote,
    transactions::time_stands_still_in_a_transaction,
    transactions::what_was_not_committed_stays_so_however_often_one_asks,
    transactions::what_breaks_a_rule_is_refused_as_bad_data,
    transactions::the_same_row_twice_is_refused_as_bad_data,
    transactions::the_secret_and_the_epoch_stay,
    transactions::an_empty_store_has_nothing,
    optimistic::what_fits_is_booked_on_numbers_that_are_out_of_date,
    optimistic::what_is_booked_at_once_is_as_if_it_had_been_booked_with_locks,
    optimistic::what_does_not_fit_any_more_is_not_booked,
    optimistic::nothing_is_booked_on_an_edition_that_is_not_in_force,
    optimistic::a_price_is_not_remembered_from_another_edition,
    optimistic::a_key_that_somebody_has_used_is_not_used_again,
    optimistic::what_cannot_be_supposed_is_a_conflict,
    optimistic::nothing_is_booked_past_who_waits,
    optimistic::a_booking_from_elsewhere_is_booked_whole_or_not_at_all,
}
