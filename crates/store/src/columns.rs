//! How the same things are written in the columns of every database.

use lastseat_core::waitlist::Reach;

/// Under which group, first and last pool entries of waitlists stand that want pools of several groups, or any.
pub const EVERYTHING: (i64, i64, i64) = (-1, 0, u32::MAX as i64);

/// The version that stands with the answer that an entry was there already: versions of bookings begin with 1.
pub const ENTRY_THERE: u32 = 0;

/// Under which group, first and last pool an entry of a waitlist stands.
#[must_use]
pub fn reach(reach: Reach) -> (i64, i64, i64) {
    match reach {
        Reach::Everything => EVERYTHING,
        Reach::Group { group, first, last } => (group.into(), first.into(), last.into()),
    }
}
