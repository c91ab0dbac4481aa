//! Memory with readers in it: after every store, every reader must find what it could have found before or
//! after.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    io,
    net::Ipv4Addr,
    rc::Rc,
};

use raas_common::{FibEntry, FibRoot, Group, Nexthop};

use crate::fib::{
    Grace, HeapMemory, NexthopMemory, TrieMemory,
    memory::{descend, lookup},
};

/// What a reader may find: the targets of nexthops, or 0 for no route.
pub type Outcome = BTreeSet<u32>;

/// Readers of one address of one router.
pub struct Reader {
    pub router: u32,
    pub address: Ipv4Addr,
    /// Readers under way since the last grace period: the entry that each holds, and how many bytes it has
    /// consumed.
    held: BTreeSet<(u32, usize)>,
    /// What the routes said since then, newest last.
    allowed: Vec<Outcome>,
}

impl Reader {
    pub fn new(router: u32, address: Ipv4Addr) -> Self {
        Self { router, address, held: BTreeSet::new(), allowed: Vec::new() }
    }

    fn capture(&mut self, memory: &HeapMemory) {
        let octets = self.address.octets();
        let root = memory.root(self.router);
        let (mut entry, mut consumed) = (root.enter(octets[0]), usize::from(root.has_row()));
        self.held.insert((entry.bits, consumed));
        while entry.is_child() && consumed < octets.len() {
            entry = memory.entry(entry.node(), octets[consumed]);
            consumed += 1;
            self.held.insert((entry.bits, consumed));
        }
    }

    /// `outcomes` keeps what is known of each leaf already.
    fn check(&self, memory: &HeapMemory, outcomes: &mut BTreeMap<u32, Outcome>) {
        let octets = self.address.octets();
        let fresh = lookup(memory, self.router, self.address);
        let resumed =
            self.held.iter().map(|&(entry, at)| descend(memory, FibEntry { bits: entry }, &octets[at..]));
        for leaf in resumed.chain([fresh]) {
            for target in outcomes.entry(leaf.bits).or_insert_with(|| outcome(memory, leaf)).iter() {
                assert!(
                    self.allowed.iter().any(|allowed| allowed.contains(target)),
                    "{} at router {}: found {target}, allowed {:?}",
                    self.address,
                    self.router,
                    self.allowed,
                );
            }
        }
    }
}

/// The targets that a leaf leads to.
pub fn outcome(memory: &HeapMemory, leaf: FibEntry) -> Outcome {
    let target = |id: u32| memory.nexthop(id).unwrap().target;
    match (leaf.is_leaf(), leaf.is_group()) {
        (_, true) => {
            memory.group(leaf.index()).unwrap().buckets.iter().map(|&id| target(id.into())).collect()
        }
        (true, false) => [target(leaf.index())].into(),
        (false, false) => {
            assert_eq!(leaf, FibEntry::NONE, "a child below the last byte");
            [0].into()
        }
    }
}

/// Counts grace periods; [`Watched`] lets its readers finish when it sees a new one.
#[derive(Clone, Default)]
pub struct Epoch(Rc<Cell<u32>>);

impl Epoch {
    /// Grace periods so far.
    pub fn waits(&self) -> u32 {
        self.0.get()
    }
}

impl Grace for Epoch {
    fn wait(&mut self) -> io::Result<()> {
        self.0.set(self.0.get() + 1);
        Ok(())
    }
}

pub struct Watched {
    pub memory: HeapMemory,
    readers: RefCell<Vec<Reader>>,
    epoch: Epoch,
    seen: Cell<u32>,
}

impl Watched {
    pub fn new(memory: HeapMemory, readers: Vec<Reader>, epoch: Epoch) -> Self {
        let seen = Cell::new(epoch.0.get());
        Self { memory, readers: RefCell::new(readers), epoch, seen }
    }

    /// Readers start; from now on they may also find what `next` says.
    pub fn expect(&self, next: impl Fn(&Reader) -> Outcome) {
        self.finish_readers();
        for reader in self.readers.borrow_mut().iter_mut() {
            reader.capture(&self.memory);
            let next = next(reader);
            if reader.allowed.last() != Some(&next) {
                reader.allowed.push(next);
            }
        }
    }

    /// All readers find what the routes say now, nothing older.
    pub fn settle(&self) {
        for reader in self.readers.borrow().iter() {
            let found = outcome(&self.memory, lookup(&self.memory, reader.router, reader.address));
            assert_eq!(Some(&found), reader.allowed.last(), "{} at router {}", reader.address, reader.router);
        }
    }

    fn finish_readers(&self) {
        let epoch = self.epoch.0.get();
        if self.seen.replace(epoch) != epoch {
            for reader in self.readers.borrow_mut().iter_mut() {
                reader.held.clear();
                // A change may be under way: what was before it and what will be after.
                reader.allowed.drain(..reader.allowed.len().saturating_sub(2));
            }
        }
    }

    fn check(&self) {
        self.check_those(|_| true);
    }

    fn check_those(&self, concerned: impl Fn(&Reader) -> bool) {
        self.finish_readers();
        let mut outcomes = BTreeMap::new();
        let readers = self.readers.borrow();
        let concerned = readers.iter().filter(|reader| concerned(reader));
        concerned.for_each(|reader| reader.check(&self.memory, &mut outcomes));
    }
}

impl TrieMemory for Watched {
    fn node_capacity(&self) -> u32 {
        self.memory.node_capacity()
    }

    fn router_capacity(&self) -> u32 {
        self.memory.router_capacity()
    }

    fn root(&self, router: u32) -> FibRoot {
        self.memory.root(router)
    }

    fn set_root(&mut self, router: u32, root: FibRoot) {
        self.memory.set_root(router, root);
        self.check();
    }

    fn entry(&self, node: u32, slot: u8) -> FibEntry {
        self.memory.entry(node, slot)
    }

    fn set_entry(&mut self, node: u32, slot: u8, entry: FibEntry) {
        self.memory.set_entry(node, slot, entry);
        // Nobody else comes by.
        self.check_those(|reader| reader.address.octets().contains(&slot));
    }

    fn fill(&mut self, node: u32, entry: FibEntry) {
        self.memory.fill(node, entry);
        self.check();
    }

    fn copy(&mut self, from: u32, to: u32) {
        self.memory.copy(from, to);
        self.check();
    }
}

impl NexthopMemory for Watched {
    fn nexthop_capacity(&self) -> u32 {
        self.memory.nexthop_capacity()
    }

    fn group_capacity(&self) -> u32 {
        self.memory.group_capacity()
    }

    fn nexthop(&self, id: u32) -> io::Result<Nexthop> {
        self.memory.nexthop(id)
    }

    fn set_nexthop(&mut self, id: u32, nexthop: &Nexthop) -> io::Result<()> {
        self.memory.set_nexthop(id, nexthop)?;
        self.check();
        Ok(())
    }

    fn group(&self, id: u32) -> io::Result<Group> {
        self.memory.group(id)
    }

    fn set_group(&mut self, id: u32, group: &Group) -> io::Result<()> {
        self.memory.set_group(id, group)?;
        self.check();
        Ok(())
    }
}
