//! What a power cut leaves of one file, and the dice that decide it.

use super::node::{Change, Node};
use super::state::{Durable, NodeId};
use super::{Loss, Survival};

/// What is left of one name: `live` is the file of the running system, `durable` what the platter holds.
pub(super) fn survivor(
    live: Option<(NodeId, &Node)>,
    durable: Option<&Durable>,
    survival: Survival,
    dice: &mut Dice,
    loss: &mut Loss,
) -> Option<Vec<u8>> {
    let unsynced = live.map_or(0, |(_, node)| node.pending.len() as u64);
    loss.unsynced_changes += unsynced;
    match survival {
        Survival::Everything => live.map(|(_, node)| node.content.clone()),
        Survival::SyncedOnly => {
            loss.lost_changes += unsynced;
            durable.map(|durable| durable.content.clone())
        }
        Survival::Random { .. } => {
            let same_file = matches!((live, durable), (Some((id, _)), Some(durable)) if durable.node == id);
            // An unsynced creation, deletion or replacement of the name has happened, or has not.
            if !same_file && dice.coin() {
                loss.lost_changes += unsynced;
                return durable.map(|durable| durable.content.clone());
            }
            let (_, node) = live?;
            let mut content = if same_file {
                durable.map(|durable| durable.content.clone()).unwrap_or_default()
            } else {
                Vec::new()
            };
            loss.lost_changes += apply_some(&node.pending, &mut content, dice);
            Some(content)
        }
    }
}

/// Applies a random prefix (its last change torn) or a random subset of sectors; gives how many changes lost a part.
fn apply_some(pending: &[Change], content: &mut Vec<u8>, dice: &mut Dice) -> u64 {
    if dice.coin() {
        return pending.iter().map(|change| u64::from(!change.apply_torn(content, || dice.coin()))).sum();
    }
    let whole = dice.below(pending.len() as u64 + 1);
    let mut lost = 0;
    for (index, change) in (0..).zip(pending) {
        if index < whole {
            change.apply(content);
        } else if index > whole || !change.apply_torn(content, || dice.coin()) {
            lost += 1;
        }
    }
    lost
}

/// SplitMix64 (Steele, Lea and Flood, 2014): small, and the same on every machine.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn of(survival: Survival) -> Self {
        Self(match survival {
            Survival::Random { seed } => seed,
            Survival::SyncedOnly | Survival::Everything => 0,
        })
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn coin(&mut self) -> bool {
        self.next() & 1 == 1
    }

    /// A number below `bound`; the bias is far below what a test can see.
    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unsynced(node: NodeId) -> (NodeId, Node) {
        let mut file = Node::from_durable(vec![0; 4]);
        file.change(Change::Write { offset: 0, bytes: vec![1, 1] });
        file.change(Change::Write { offset: 2, bytes: vec![2, 2] });
        (node, file)
    }

    fn left(survival: Survival) -> (Option<Vec<u8>>, Loss) {
        let (id, node) = unsynced(1);
        let durable = Durable { node: id, content: vec![0; 4] };
        let mut loss = Loss::default();
        let content =
            survivor(Some((id, &node)), Some(&durable), survival, &mut Dice::of(survival), &mut loss);
        (content, loss)
    }

    #[test]
    fn what_was_not_synced_is_lost_unless_the_process_alone_died() {
        let (content, loss) = left(Survival::SyncedOnly);
        assert_eq!(content, Some(vec![0; 4]));
        assert_eq!(loss, Loss { unsynced_changes: 2, lost_changes: 2 });
        let (content, loss) = left(Survival::Everything);
        assert_eq!(content, Some(vec![1, 1, 2, 2]));
        assert_eq!(loss, Loss { unsynced_changes: 2, lost_changes: 0 });
    }

    #[test]
    fn random_survival_reaches_every_combination_and_repeats_for_a_seed() {
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..64 {
            let (content, loss) = left(Survival::Random { seed });
            assert_eq!((content.clone(), loss), left(Survival::Random { seed }));
            seen.insert(content.unwrap());
        }
        assert_eq!(seen.len(), 4, "nothing, the first, the second, both: {seen:?}");
    }
}
