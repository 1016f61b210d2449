//! All files of one disk, and what a power cut does to them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use super::node::{Change, Node};
use super::survival::{Dice, survivor};
use super::{Loss, Survival};

/// Names one file's content, whatever it is called.
pub(super) type NodeId = u64;

/// Why an operation was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The power is off, or was off since the handle was opened.
    NoPower,
    /// The write would pass the disk's limit.
    Full,
}

/// How far a sync, or the making durable of a deletion, reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// The file alone.
    File,
    /// All names in the file's directory too.
    FileAndDirectory,
}

/// A file as it is on the platter.
#[derive(Debug)]
pub(super) struct Durable {
    pub(super) node: NodeId,
    pub(super) content: Vec<u8>,
}

/// The disk: the files of the running system, and those that a power cut leaves.
#[derive(Debug, Default)]
pub(super) struct State {
    names: BTreeMap<String, NodeId>,
    nodes: HashMap<NodeId, Node>,
    durable: BTreeMap<String, Durable>,
    last_id: u64,
    /// Counts the power cuts; a handle of an earlier generation is dead.
    generation: u64,
    power_failed: bool,
    fail_at_operation: Option<u64>,
    operations: u64,
    syncs: u64,
    limit_bytes: Option<u64>,
}

impl State {
    /// A number never given out before, for nodes and handles.
    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) fn is_powered(&self) -> bool {
        !self.power_failed
    }

    pub(super) fn operations(&self) -> u64 {
        self.operations
    }

    pub(super) fn syncs(&self) -> u64 {
        self.syncs
    }

    pub(super) fn limit_bytes(&mut self, limit: Option<u64>) {
        self.limit_bytes = limit;
    }

    pub(super) fn fail_power_after(&mut self, operations: u64) {
        self.fail_at_operation = Some(self.operations + operations.max(1));
    }

    pub(super) fn used_bytes(&self) -> u64 {
        self.nodes.values().map(|node| node.content.len() as u64).sum()
    }

    pub(super) fn files(&self) -> Vec<String> {
        self.names.keys().cloned().collect()
    }

    pub(super) fn content(&self, name: &str) -> Option<&[u8]> {
        self.names.get(name).and_then(|id| self.nodes.get(id)).map(|node| node.content.as_slice())
    }

    /// The file of that name, made if `create` says so; `None` if there is none. Nameless files are temporary.
    pub(super) fn open(&mut self, name: Option<&str>, create: bool) -> Option<NodeId> {
        let found = name.and_then(|name| self.names.get(name).copied());
        let id = match found {
            Some(id) => id,
            None if create => {
                let id = self.next_id();
                self.nodes.insert(id, Node::default());
                if let Some(name) = name {
                    self.names.insert(name.to_owned(), id);
                }
                id
            }
            None => return None,
        };
        self.nodes.get_mut(&id)?.handles += 1;
        Some(id)
    }

    /// Lets go of one handle of a file; the last one of a file without a name frees it.
    pub(super) fn close(&mut self, id: NodeId, generation: u64) {
        if generation != self.generation {
            return;
        }
        if let Some(node) = self.nodes.get_mut(&id) {
            node.handles -= 1;
        }
        self.free_if_unused(id);
    }

    /// The file behind a handle, unless the power failed since the handle was opened.
    pub(super) fn node(&mut self, id: NodeId, generation: u64) -> Result<&mut Node, Fault> {
        if self.power_failed || generation != self.generation {
            return Err(Fault::NoPower);
        }
        self.nodes.get_mut(&id).ok_or(Fault::NoPower)
    }

    /// Makes one change. The change under way when the power fails counts as unsynced.
    pub(super) fn change(&mut self, id: NodeId, generation: u64, change: Change) -> Result<(), Fault> {
        let len = self.node(id, generation)?.content.len();
        if let (Some(limit), Change::Write { offset, bytes }) = (self.limit_bytes, &change) {
            let growth = (offset + bytes.len()).saturating_sub(len) as u64;
            if growth > 0 && self.used_bytes() + growth > limit {
                return Err(Fault::Full);
            }
        }
        self.node(id, generation)?.change(change);
        self.count_operation()
    }

    /// Makes everything that was written to a file durable, its name too.
    pub(super) fn sync(&mut self, id: NodeId, generation: u64, scope: Scope) -> Result<(), Fault> {
        self.node(id, generation)?;
        self.count_operation()?;
        self.syncs += 1;
        let Some(node) = self.nodes.get_mut(&id) else { return Ok(()) };
        let pending = std::mem::take(&mut node.pending);
        let Some(name) = self.names.iter().find(|(_, named)| **named == id).map(|(name, _)| name.clone())
        else {
            return Ok(());
        };
        match self.durable.get_mut(&name) {
            Some(durable) if durable.node == id => {
                pending.iter().for_each(|change| change.apply(&mut durable.content));
            }
            _ => {
                self.durable.insert(name.clone(), Durable { node: id, content: node.content.clone() });
            }
        }
        if scope == Scope::FileAndDirectory {
            self.sync_directory(&name);
        }
        Ok(())
    }

    /// Removes a name, durably if its directory is synced too; says whether there was such a file.
    pub(super) fn delete(&mut self, name: &str, scope: Scope) -> Result<bool, Fault> {
        if self.power_failed {
            return Err(Fault::NoPower);
        }
        let removed = self.names.remove(name);
        if let Some(id) = removed {
            self.free_if_unused(id);
        }
        self.count_operation()?;
        if scope == Scope::FileAndDirectory {
            self.sync_directory(name);
        }
        Ok(removed.is_some())
    }

    /// Makes every creation, removal and replacement in the directory of `name` durable. A file that is there but was
    /// never synced is then an empty one.
    fn sync_directory(&mut self, name: &str) {
        let directory = Path::new(name).parent();
        let inside = |name: &str| Path::new(name).parent() == directory;
        self.durable.retain(|name, durable| !inside(name) || self.names.get(name) == Some(&durable.node));
        for (name, node) in self.names.iter().filter(|(name, _)| inside(name)) {
            self.durable.entry(name.clone()).or_insert_with(|| Durable { node: *node, content: Vec::new() });
        }
    }

    /// See [`super::PowerDisk::power_cycle`].
    pub(super) fn power_cycle(&mut self, survival: Survival) -> Loss {
        let mut loss = Loss::default();
        let mut dice = Dice::of(survival);
        let mut survivors = BTreeMap::new();
        let every_name: BTreeSet<String> = self.names.keys().chain(self.durable.keys()).cloned().collect();
        for name in every_name {
            let live = self.names.get(&name).and_then(|id| self.nodes.get(id).map(|node| (*id, node)));
            let durable = self.durable.get(&name);
            if let Some(content) = survivor(live, durable, survival, &mut dice, &mut loss) {
                survivors.insert(name, content);
            }
        }
        self.names.clear();
        self.nodes.clear();
        self.durable.clear();
        self.generation += 1;
        self.power_failed = false;
        self.fail_at_operation = None;
        for (name, content) in survivors {
            let node = self.next_id();
            self.nodes.insert(node, Node::from_durable(content.clone()));
            self.names.insert(name.clone(), node);
            self.durable.insert(name, Durable { node, content });
        }
        loss
    }

    fn count_operation(&mut self) -> Result<(), Fault> {
        self.operations += 1;
        if self.fail_at_operation.is_some_and(|at| self.operations >= at) {
            self.power_failed = true;
            return Err(Fault::NoPower);
        }
        Ok(())
    }

    fn free_if_unused(&mut self, id: NodeId) {
        let named = self.names.values().any(|named| *named == id);
        if !named && self.nodes.get(&id).is_some_and(|node| node.handles == 0) {
            self.nodes.remove(&id);
        }
    }
}
