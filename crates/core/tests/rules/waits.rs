//! Waitlists of a world: they are served after every command, as the engine does it, and looked
//! through after every step.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lastseat_core::booking::State;
use lastseat_core::command::{Action, Actor, Command, JoinWaitlist, WaitFor};
use lastseat_core::id::{EntryNo, EntryRef, ListingId, ListingNo, WaitlistId};
use lastseat_core::listing::{Kind, Listing, Status};
use lastseat_core::pool::{PoolNo, PoolRef};
use lastseat_core::waitlist::serve::{Ask, Need, serve};
use lastseat_core::waitlist::{Entry, EntryState, MAX_SKIPS, Reach, Want};
use lastseat_core::world::World;

use crate::bench::{Bench, admin, customer, integrator, operator};

/// Units of pools.
pub(crate) type Units = BTreeMap<PoolNo, i64>;

impl Bench {
    /// Gives what came free to those who wait, and loads what that needs.
    pub(crate) fn serve(&mut self) {
        while let Some(of) = self.world.to_serve() {
            while let Err(need) = serve(&mut self.world, of) {
                match need {
                    Need::Keepers => {
                        let keepers = self.waiting(of).into_iter().filter(|entry| !entry.kept.is_empty());
                        keepers.for_each(|entry| self.world.load_entry(Arc::new(entry)));
                        self.world.loaded_keepers(of);
                    }
                    Need::Whole => self.world.loaded_whole(of),
                    Need::Waiting(ask) => self.load_waiting(of, ask),
                    Need::Numbers(_) => panic!("there are always numbers"),
                }
            }
        }
    }

    fn load_waiting(&mut self, of: ListingNo, ask: Ask) {
        let ask = Ask { limit: ask.limit.min(self.chunk), ..ask };
        let mut found = self.waiting(of);
        found.retain(|entry| {
            let reach = entry.want.reach();
            entry.no > ask.after
                && ask.pools.iter().any(|pool| reach.covers(*pool))
                && ask.most.is_none_or(|most| entry.want.least() <= most)
        });
        found.truncate(ask.limit as usize);
        self.world.loaded_waiting(of, &ask, found.len(), found.last().map(|entry| entry.no));
        found.into_iter().for_each(|entry| self.world.load_entry(Arc::new(entry)));
    }

    /// Forgets who waits: a new world, in which only what commands name is loaded of the waitlists.
    pub(crate) fn forget_who_waits(&mut self) {
        let mut world = World::new(self.world.now);
        for booking in self.bookings() {
            world.load_booking(booking);
        }
        for listing in self.world.listings.values() {
            world.load_listing(Arc::clone(listing));
            for (pool, numbers) in self.world.pools_of(listing.no) {
                world.load_pool(PoolRef { listing: listing.no, pool }, Some(numbers));
            }
            world.load_list(listing.no, self.world.list_numbers(listing.no));
        }
        for of in &self.customers {
            world.load_customer(of.clone(), self.world.customer(of));
        }
        for actor in [operator(), admin(), integrator()] {
            world.load_key(actor.key().unwrap());
        }
        (world.booking_numbers, world.listing_numbers) =
            (self.world.booking_numbers.clone(), self.world.listing_numbers.clone());
        self.world = world;
    }

    /// What a store does when it may have changed until when those of a listing wait.
    pub(crate) fn recheck(&mut self, of: ListingNo) {
        let now = self.world.now;
        for entry in self.entries(of).into_iter().filter(Entry::waits) {
            self.world.update_entry(Entry { due_at: Some(now), ..entry });
        }
        self.store_entries();
    }

    /// Takes in the entries that have changed.
    pub(crate) fn store_entries(&mut self) {
        self.stored.extend(self.world.changed_entries().map(|(_, entry)| (entry.at(), entry.clone())));
    }

    /// All entries of a listing, in order.
    pub(crate) fn entries(&self, listing: ListingNo) -> Vec<Entry> {
        let first = EntryRef { listing, no: EntryNo(0) };
        let entries = self.stored.range(first..).take_while(|(at, _)| at.listing == listing);
        entries.map(|(_, entry)| entry.clone()).collect()
    }

    /// Who waits, in order.
    pub(crate) fn waiting(&self, listing: ListingNo) -> Vec<Entry> {
        self.entries(listing).into_iter().filter(Entry::waits).collect()
    }

    /// A command to join. How many are ahead is loaded with it.
    pub(crate) fn joining(&mut self, listing: ListingId, want: WaitFor, who: Option<&str>) -> Command {
        let found = self.world.listing(listing).cloned().unwrap();
        let reach = match &want {
            WaitFor::Any(_) => Reach::Everything,
            WaitFor::Claim(claim) => match claim.resolve(&found) {
                Ok(asked) => Want::lines(&asked).reach(),
                Err(_) => Reach::Everything,
            },
        };
        let ahead = self.waiting(found.no).iter().filter(|entry| entry.want.reach().meets(reach)).count();
        self.world.load_ahead(found.no, reach, i64::try_from(ahead).unwrap());
        let mut customer = customer(who.unwrap_or_default());
        if who.is_none() {
            customer.external_id = None;
        }
        let id = WaitlistId::from_bits(self.id());
        let join = JoinWaitlist {
            id,
            listing,
            want,
            customer,
            address: None,
            max_open_holds_of_address: None,
            until: None,
        };
        Command::new(Actor::Public, Action::JoinWaitlist(Box::new(join)))
    }

    /// Nobody waits who could be served, what is kept is kept for somebody, and offers and entries name each other.
    pub(crate) fn check_waits(&self) {
        for listing in self.world.listings.values() {
            let entries = self.entries(listing.no);
            let waiting: Vec<&Entry> = entries.iter().filter(|entry| entry.waits()).collect();
            let counted = self.world.list_numbers(listing.no).waiting;
            assert_eq!(counted, i64::try_from(waiting.len()).unwrap(), "who waits is not counted");
            self.check_kept(listing, &waiting);
            let mut live = BTreeSet::new();
            for entry in &entries {
                self.check_offer(entry);
                let twice = entry.customer.identity().filter(|_| self.world.standing(entry).is_live());
                assert!(twice.is_none_or(|identity| live.insert(identity)), "waits twice: {entry:?}");
            }
        }
    }

    fn check_offer(&self, entry: &Entry) {
        let Some(no) = entry.booking else {
            assert_ne!(entry.state, EntryState::Offered, "offered nothing: {entry:?}");
            return;
        };
        assert_eq!(entry.state, EntryState::Offered);
        let offer = self.world.booking_at(no).expect("an offer is a booking");
        assert_eq!(offer.details.offer.map(|offer| offer.entry), Some(entry.id));
        assert!(offer.state != State::Held || offer.customer == entry.customer);
    }

    fn check_kept(&self, listing: &Listing, waiting: &[&Entry]) {
        let pools = self.world.pools_of(listing.no);
        let mut kept = Units::new();
        for entry in waiting {
            assert!(entry.skipped <= MAX_SKIPS, "passed over too often: {entry:?}");
            // What is kept for somebody who is due is kept until the next batch goes on, for whoever is first.
            let is_due = entry.due_at.is_some_and(|due| due <= self.world.now);
            let may_keep = entry.skipped == MAX_SKIPS || is_due;
            assert!(entry.kept.is_empty() || may_keep, "kept too early: {entry:?}");
            for (pool, units) in &entry.kept {
                *kept.entry(*pool).or_default() += units;
            }
        }
        for (no, pool) in &pools {
            let sum = kept.remove(no).unwrap_or_default();
            assert_eq!(pool.kept, sum, "{} keeps for nobody: {pool:?}", listing.pool_key(*no));
        }
        assert!(kept.is_empty(), "kept of pools that do not exist: {kept:?}");
        let left: Units = pools.iter().map(|(no, pool)| (*no, pool.available())).collect();
        for entry in waiting {
            assert_eq!(self.fits(listing, entry, &left), None, "waits although it fits {left:?}: {entry:?}");
            let is_patient = entry.skipped == MAX_SKIPS && self.is_served(listing, entry);
            if let Want::Lines(lines) = &entry.want
                && is_patient
            {
                for line in lines.iter() {
                    let own =
                        entry.kept.iter().find(|(no, _)| *no == line.pool).map_or(0, |(_, units)| *units);
                    let rest = left.get(&line.pool).copied().unwrap_or_default();
                    assert!(
                        own == line.quantity || rest == 0,
                        "{rest} are left besides what is kept: {entry:?}"
                    );
                }
            }
        }
    }

    fn is_sold(&self, listing: &Listing, pool: PoolNo) -> bool {
        listing.sale_ends_at(pool).is_none_or(|end| end > self.world.now)
    }

    /// Whether an entry would be served, if there were enough.
    fn is_served(&self, listing: &Listing, entry: &Entry) -> bool {
        let sold = match &entry.want {
            Want::Lines(lines) => lines.iter().all(|line| self.is_sold(listing, line.pool)),
            Want::Any(_) => true,
        };
        let stays = entry.until.is_none_or(|until| until > self.world.now);
        listing.doc.status == Status::Published && sold && stays
    }

    /// Whether an entry could be served with what is left.
    fn fits(&self, listing: &Listing, entry: &Entry, left: &Units) -> Option<PoolNo> {
        if !self.is_served(listing, entry) {
            return None;
        }
        let has = |pool: PoolNo| left.get(&pool).copied().unwrap_or_default();
        match &entry.want {
            Want::Lines(lines) => {
                let first = lines.iter().next()?.pool;
                lines.iter().all(|line| has(line.pool) >= line.quantity).then_some(first)
            }
            Want::Any(quantity) => {
                let open: Vec<PoolNo> = left
                    .keys()
                    .copied()
                    .filter(|pool| has(*pool) > 0 && self.is_sold(listing, *pool))
                    .collect();
                let dated = matches!(listing.kind(), Kind::Nights | Kind::Slots);
                let sum: i64 = open.iter().map(|pool| has(*pool)).sum();
                let one = open.iter().copied().find(|pool| has(*pool) >= *quantity);
                one.or_else(|| open.first().copied().filter(|_| !dated && sum >= *quantity))
            }
        }
    }

    /// What nobody has of a pool, kept or not.
    pub(crate) fn free(&self, listing: ListingNo, pool: PoolNo) -> i64 {
        self.world.pool(PoolRef { listing, pool }).unwrap().free()
    }
}
