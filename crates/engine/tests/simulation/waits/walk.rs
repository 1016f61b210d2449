//! Everybody on a list is asked, from the first on.

use std::collections::BTreeMap;

use lastseat_core::id::EntryNo;
use lastseat_core::listing::Status;
use lastseat_core::pool::PoolNo;
use lastseat_core::waitlist::{Entry, Want};

use super::{PATIENCE, Replay, Units};

impl Replay<'_> {
    /// From the first to the last: who would be served first, and what is kept for those who have been patient.
    pub(super) fn walk(&self) -> (Option<(EntryNo, Units)>, BTreeMap<EntryNo, Units>) {
        let mut left: Units = self.stock.iter().map(|(no, (all, taken))| (*no, all - taken)).collect();
        let mut kept = BTreeMap::new();
        for entry in self.waiting.values() {
            if let Some(units) = self.may_get(entry, &left) {
                return (Some((entry.no, units)), kept);
            }
            if entry.skipped < PATIENCE || !self.goes_on(entry) {
                continue;
            }
            // As much as it needs, if it could ever have it.
            let all = |pool: &PoolNo| self.stock.get(pool).map_or(0, |(all, _)| *all);
            let own: Units = match &entry.want {
                Want::Lines(lines) if lines.iter().any(|line| all(&line.pool) < line.quantity) => {
                    Units::new()
                }
                Want::Lines(lines) => {
                    let lines = lines.iter().map(|line| (line.pool, line.quantity));
                    let has = |pool: &PoolNo| left.get(pool).copied().unwrap_or_default();
                    lines.map(|(pool, wants)| (pool, wants.min(has(&pool)))).collect()
                }
                Want::Any(quantity) => {
                    let sold = self.stock.keys().filter(|pool| self.is_sold(**pool));
                    let sold: Vec<PoolNo> = sold.copied().collect();
                    let enough = sold.iter().map(all).sum::<i64>() >= *quantity;
                    let sold = sold.into_iter().filter(|_| enough);
                    sold.map(|pool| (pool, left.get(&pool).copied().unwrap_or_default())).collect()
                }
            };
            let own: Units = own.into_iter().filter(|(_, units)| *units > 0).collect();
            for (pool, units) in &own {
                *left.entry(*pool).or_default() -= units;
            }
            kept.insert(entry.no, own);
        }
        (None, kept)
    }

    /// What an entry would get of what is left.
    pub(super) fn may_get(&self, entry: &Entry, left: &Units) -> Option<Units> {
        if !self.goes_on(entry) {
            return None;
        }
        let has = |pool: &PoolNo| left.get(pool).copied().unwrap_or_default();
        match &entry.want {
            Want::Lines(lines) => {
                let units: Units = lines.iter().map(|line| (line.pool, line.quantity)).collect();
                units.iter().all(|(pool, units)| has(pool) >= *units).then_some(units)
            }
            Want::Any(quantity) => {
                let open: Vec<&PoolNo> =
                    left.keys().filter(|pool| self.is_sold(**pool) && has(pool) > 0).collect();
                if let Some(one) = open.iter().find(|pool| has(pool) >= *quantity) {
                    return Some(Units::from([(**one, *quantity)]));
                }
                let dated = self.listing.kind().is_dated();
                let sum: i64 = open.iter().map(|pool| has(pool)).sum();
                (!dated && sum >= *quantity).then(|| open.iter().map(|pool| (**pool, has(pool))).collect())
            }
        }
    }

    fn is_sold(&self, pool: PoolNo) -> bool {
        self.listing.sale_ends_at(pool).is_none_or(|end| end > self.now)
    }

    /// Whether it is not over for this entry, whoever has noticed.
    pub(super) fn goes_on(&self, entry: &Entry) -> bool {
        let wants_what_is_sold = match &entry.want {
            Want::Lines(lines) => lines.iter().all(|line| self.is_sold(line.pool)),
            Want::Any(_) => self.stock.keys().any(|pool| self.is_sold(*pool)),
        };
        self.listing.doc.status == Status::Published
            && wants_what_is_sold
            && entry.until.is_none_or(|until| until > self.now)
    }
}

/// Whether an entry needs more of one of these pools than is left.
pub(super) fn lacks(entry: &Entry, left: &Units) -> bool {
    match &entry.want {
        Want::Lines(lines) => {
            lines.iter().any(|line| left.get(&line.pool).is_some_and(|left| *left < line.quantity))
        }
        Want::Any(_) => true,
    }
}
