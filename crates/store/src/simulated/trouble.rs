//! What goes wrong between nodes and their database, and what a store could do wrong by itself.

use crate::memory::{Dice, Fate};

/// How likely each trouble is, in thousandths of the times its step is reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Trouble {
    /// There is no connection to be had.
    pub connect: u64,
    /// The connection is lost in the middle of a transaction. The server notices sooner or later.
    pub cut: u64,
    /// There is no room to write.
    pub full: u64,
    /// The connection is lost around the commit, whatever becomes of it.
    pub unknown: u64,
    /// Whether a transaction was committed cannot be found out at the moment: the question is lost, or its answer.
    pub question: u64,
    /// A node stands still, whatever it is at.
    pub freeze: u64,
}

impl Trouble {
    pub(super) fn fate(&self, dice: &mut Dice) -> Option<Fate> {
        (self.unknown > 0 && dice.chance(self.unknown))
            .then(|| *dice.pick(&[Fate::Landed, Fate::Lost, Fate::LandsLater, Fate::LostLater]))
    }
}

/// Something that a store of several nodes could do wrong: planted, to see that it would be found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flaw {
    /// Listings are not locked.
    LocksNoListings,
    /// What belongs to a listing is read before its lock is had.
    ReadsBeforeLocking,
    /// Listings that somebody else is at work on are left out, for commands too.
    SkipsLocked,
    /// Listings are locked in the order of their random ids on one half of the nodes.
    LocksInAnyOrder,
    /// The documents of listings are kept, whatever other nodes edit.
    KeepsOldListings,
    /// A pool that was sold out when it was last seen is not looked at again.
    RefusesFromMemory,
    /// Addresses are not locked.
    LocksNoAddresses,
    /// An idempotency key that somebody else has just used is passed over.
    KeysAreNotUnique,
    /// A foreign id that somebody else has just imported is imported again.
    ImportsAreNotUnique,
    /// Due bookings are settled without locking their listings.
    SettlesUnlocked,
    /// The node's clock decides.
    DecidesByOwnClock,
    /// An unknown outcome is settled by looking, and not for good.
    LooksWithoutClaiming,
    /// A batch id that was claimed looks like one that was committed.
    ClaimsLookCommitted,
    /// The event log is in the order of numbers that were drawn before the commit.
    OrdersByNumber,
    /// Places in the event log are given by several nodes at once.
    PlacesUnlocked,
    /// What was decided on what was known is written whatever the edition of the listing.
    BooksOnAnyEdition,
    /// The same, whatever the server's clock says.
    BooksAtAnyTime,
    /// The same, with counters in the place of those that are there, and not added to them.
    BooksOverTheCount,
    /// The same, although it does not fit.
    BooksWhatDoesNotFit,
    /// The same, although its idempotency key was used.
    BooksUnderUsedKeys,
    /// The same, although somebody waits for what came free.
    BooksPastWhoWaits,
    /// What is known of pools outlasts the edition of their listing.
    KeepsOldPools,
}

impl Flaw {
    /// All of them.
    pub const ALL: [Self; 22] = [
        Self::LocksNoListings,
        Self::ReadsBeforeLocking,
        Self::SkipsLocked,
        Self::LocksInAnyOrder,
        Self::KeepsOldListings,
        Self::RefusesFromMemory,
        Self::LocksNoAddresses,
        Self::KeysAreNotUnique,
        Self::ImportsAreNotUnique,
        Self::SettlesUnlocked,
        Self::DecidesByOwnClock,
        Self::LooksWithoutClaiming,
        Self::ClaimsLookCommitted,
        Self::OrdersByNumber,
        Self::PlacesUnlocked,
        Self::BooksOnAnyEdition,
        Self::BooksAtAnyTime,
        Self::BooksOverTheCount,
        Self::BooksWhatDoesNotFit,
        Self::BooksUnderUsedKeys,
        Self::BooksPastWhoWaits,
        Self::KeepsOldPools,
    ];
}
