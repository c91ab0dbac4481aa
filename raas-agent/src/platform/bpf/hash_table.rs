//! Hash maps as tables, written while programs read them.
//!
//! Since Linux 6.1 ("bpf: Convert hash map to bpf_mem_alloc.") an element that was removed or replaced is the
//! next one that the map hands out: a program that still holds it would see another key's value. So nothing is
//! allocated after something was freed, unless a grace period has passed in between.

use std::{collections::HashMap, hash::Hash};

use anyhow::{Context as _, Result};
use aya::{
    Pod,
    maps::{HashMap as BpfHashMap, MapData},
};
use raas_common::{FdbEntry, Port, PortKind, TunnelIngress};

use super::{
    Membarrier, maps,
    pins::Pins,
    table::{Changes, found, removed},
};
use crate::fib::Grace;

/// What becomes of a packet whose element is missing for a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The kernel forwards it: elements may be taken out, all at once, to be put back changed.
    Punts,
    /// It is lost: elements are replaced, one by one.
    Loses,
}

/// What a hash map holds.
pub trait Element: Pod + PartialEq {
    /// What becomes of a packet if it is missing.
    fn missing(&self) -> Missing;
}

impl Element for FdbEntry {
    fn missing(&self) -> Missing {
        Missing::Punts
    }
}

impl Element for Port {
    /// Of GRE, the kernel knows nothing.
    fn missing(&self) -> Missing {
        if self.kind == PortKind::ENDPOINT { Missing::Punts } else { Missing::Loses }
    }
}

impl Element for TunnelIngress {
    /// The peer would be unknown.
    fn missing(&self) -> Missing {
        Missing::Loses
    }
}

/// A hash map. Nobody writes it but us.
pub struct HashTable<K, V, G = Membarrier> {
    map: BpfHashMap<MapData, K, V>,
    name: &'static str,
    /// The content, once [`sync`](Self::sync) has read it, and as long as no write failed.
    known: Option<HashMap<K, V>>,
    /// Elements were freed since the last grace period.
    freed: bool,
    grace: G,
}

impl<K: Pod + Eq + Hash, V: Element, G: Grace> HashTable<K, V, G> {
    pub(super) fn open(pins: &Pins, name: &'static str, grace: G) -> Result<Self> {
        // Whoever wrote before us may have freed something a moment ago.
        Ok(Self { map: maps::open(pins, name)?, name, known: None, freed: true, grace })
    }

    /// The value of a key.
    pub fn get(&self, key: &K) -> Result<Option<V>> {
        found(self.map.get(key, 0)).with_context(|| format!("reading {}", self.name))
    }

    /// The whole content.
    pub fn entries(&self) -> Result<HashMap<K, V>> {
        let entries = self.map.iter().collect::<Result<_, _>>();
        entries.with_context(|| format!("reading {}", self.name))
    }

    /// Has the next [`sync`](Self::sync) read the content: somebody else may have written.
    pub fn forget(&mut self) {
        self.known = None;
        self.freed = true;
    }

    /// Writes the differences between the content and `desired`. The first time, the content is read; from
    /// then on, only the agent's own writes count.
    ///
    /// What is not desired goes first, so that an error later leaves nothing in that should not be, and a
    /// full map has room. Then changed elements are replaced, in the way that [`Element::missing`] says, and
    /// missing ones inserted. Waits for grace periods in between: one, and one more for each element but the
    /// first that must never be missing.
    pub fn sync<'a>(&mut self, desired: impl IntoIterator<Item = (&'a K, &'a V)>) -> Result<Changes>
    where
        K: 'a,
        V: 'a,
    {
        let mut content = match self.known.take() {
            Some(known) => known,
            None => self.entries()?,
        };
        let changes = self.write(&mut content, &desired.into_iter().collect())?;
        self.known = Some(content);
        Ok(changes)
    }

    fn write(&mut self, content: &mut HashMap<K, V>, desired: &HashMap<&K, &V>) -> Result<Changes> {
        let mut changes = Changes::default();
        for key in content.keys().filter(|key| !desired.contains_key(key)) {
            changes.removed += usize::from(self.remove(key)?);
        }
        content.retain(|key, _| desired.contains_key(key));

        let changed = |content: &HashMap<K, V>, missing| {
            let differs = |&(key, new): &(&K, &V)| content.get(key).is_some_and(|old| old != new);
            let wanted = desired.iter().map(|(&key, &value)| (key, value));
            wanted.filter(differs).filter(|(_, new)| new.missing() == missing).map(copied).collect::<Vec<_>>()
        };
        for (key, _) in changed(content, Missing::Punts) {
            self.remove(&key)?;
            content.remove(&key);
            changes.replaced += 1;
        }
        let absent = desired.iter().filter(|(key, _)| !content.contains_key(key));
        let absent: Vec<_> = absent.map(|(&key, &value)| copied((key, value))).collect();
        changes.inserted = absent.len() - changes.replaced;
        for (key, value) in absent {
            self.insert(&key, &value)?;
            content.insert(key, value);
        }
        for (key, value) in changed(content, Missing::Loses) {
            self.insert(&key, &value)?;
            self.freed = true;
            content.insert(key, value);
            changes.replaced += 1;
        }
        Ok(changes)
    }

    /// Inserts or replaces: allocates an element.
    fn insert(&mut self, key: &K, value: &V) -> Result<()> {
        if self.freed {
            let waiting = || format!("waiting for the programs to let go of elements of {}", self.name);
            self.grace.wait().with_context(waiting)?;
            self.freed = false;
        }
        self.map.insert(key, value, 0).with_context(|| format!("writing {}", self.name))
    }

    /// Removes, and says whether there was anything.
    fn remove(&mut self, key: &K) -> Result<bool> {
        self.freed = true;
        removed(self.map.remove(key)).with_context(|| format!("removing from {}", self.name))
    }
}

fn copied<K: Copy, V: Copy>((key, value): (&K, &V)) -> (K, V) {
    (*key, *value)
}
