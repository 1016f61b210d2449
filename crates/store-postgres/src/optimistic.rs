//! New bookings that are decided on what the lane knows, and written in one exchange with the database: the statement
//! [`sql::BOOK`](crate::sql::BOOK) locks the listing if its edition is the one that was decided on, compares the instant
//! with the database's clock, adds to the counters of the pools if their prices are the same (a constraint refuses what
//! does not fit), and inserts the rows (unique keys refuse what is there).

use lastseat_core::decide::names::Names;
use lastseat_core::pool::{Pool, PoolRef};
use lastseat_core::world::World;
use lastseat_store::CommitError;
use lastseat_store::optimistic::{OptimisticTx, Supposed, Supposing};

use crate::lane::PgLane;
use crate::write::new::NewBookings;

impl PgLane {
    /// None where more is needed than what is known.
    pub(crate) fn suppose(&mut self, batch: u128, names: &Names) -> Option<OptimisticTx<'_, Self>> {
        let listing = self.known.listing(names.only_new_bookings()?)?;
        if !self.spare.has(names.new_bookings) || self.connection().is_err() {
            return None;
        }
        let (now, numbers) = (self.shared().known.now(), self.spare.bookings.clone());
        Some(OptimisticTx::new(self, batch, names, now, listing, numbers))
    }
}

impl Supposing for PgLane {
    type New = NewBookings;

    fn pool(&self, at: PoolRef) -> Option<Pool> {
        self.known.pool(at)
    }

    fn ready(&self, supposed: &Supposed, world: &World) -> Option<NewBookings> {
        NewBookings::new(world, supposed)
    }

    fn book(&mut self, batch: u128, supposed: Supposed, new: NewBookings) -> Result<(), CommitError> {
        let booked = new.commit(self, batch, &supposed);
        if matches!(booked, Err(CommitError::Unknown(_))) {
            self.disconnect();
            self.spare = Default::default();
        }
        booked
    }
}
