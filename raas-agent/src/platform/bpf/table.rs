//! Maps as tables: read, write one, or bring the whole to a desired content.

use std::{
    borrow::Borrow,
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::Hash,
    ops::AddAssign,
};

use anyhow::{Context as _, Result};
use aya::{
    Pod,
    maps::{Array, DevMapHash, HashMap as BpfHashMap, MapData, MapError},
};

use super::{maps, pins::Pins};

/// What bringing a table to its desired content took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Keys that were missing.
    pub inserted: usize,
    /// Keys that had another value.
    pub replaced: usize,
    /// Keys that were not desired.
    pub removed: usize,
}

impl Changes {
    /// Nothing had to be done.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl AddAssign for Changes {
    fn add_assign(&mut self, other: Self) {
        self.inserted += other.inserted;
        self.replaced += other.replaced;
        self.removed += other.removed;
    }
}

/// A hash map. An element is replaced at once: the programs see its old value or its new one.
pub struct HashTable<K, V> {
    map: BpfHashMap<MapData, K, V>,
    name: &'static str,
}

impl<K: Pod + Eq + Hash, V: Pod + PartialEq> HashTable<K, V> {
    pub(super) fn open(pins: &Pins, name: &'static str) -> Result<Self> {
        Ok(Self { map: maps::open(pins, name)?, name })
    }

    /// The value of a key.
    pub fn get(&self, key: &K) -> Result<Option<V>> {
        found(self.map.get(key, 0)).with_context(|| format!("reading {}", self.name))
    }

    /// Inserts or replaces.
    pub fn insert(&mut self, key: &K, value: &V) -> Result<()> {
        self.map.insert(key, value, 0).with_context(|| format!("writing {}", self.name))
    }

    /// Removes, and says whether there was anything.
    pub fn remove(&mut self, key: &K) -> Result<bool> {
        let removed = removed(self.map.remove(key));
        removed.with_context(|| format!("removing from {}", self.name))
    }

    /// The whole content.
    pub fn entries(&self) -> Result<HashMap<K, V>> {
        let entries = self.map.iter().collect::<Result<_, _>>();
        entries.with_context(|| format!("reading {}", self.name))
    }

    /// Writes the differences between the content and `desired`.
    pub fn sync<'a>(&mut self, desired: impl IntoIterator<Item = (&'a K, &'a V)>) -> Result<Changes>
    where
        K: 'a,
        V: 'a,
    {
        let mut changes = Changes::default();
        let mut actual = self.entries()?;
        let mut missing = Vec::new();
        for (key, value) in desired {
            match actual.remove(key) {
                Some(old) if old == *value => {}
                Some(_) => {
                    self.insert(key, value)?;
                    changes.replaced += 1;
                }
                None => missing.push((key, value)),
            }
        }
        // What is not desired goes before what is missing comes: a full map has room for it then.
        for key in actual.keys() {
            changes.removed += usize::from(self.remove(key)?);
        }
        for (key, value) in missing {
            self.insert(key, value)?;
            changes.inserted += 1;
        }
        Ok(changes)
    }
}

/// An array; an element that nobody wrote, or that was cleared, is the default.
///
/// The kernel copies a value in place: a reader may see part of an old and part of a new one. So write only
/// elements that no program reaches, or of which each field is right by itself.
pub struct ArrayTable<V: Pod> {
    map: Array<MapData, V>,
    name: &'static str,
}

impl<V: Pod + Default + PartialEq> ArrayTable<V> {
    pub(super) fn open(pins: &Pins, name: &'static str) -> Result<Self> {
        Ok(Self { map: maps::open(pins, name)?, name })
    }

    /// An element.
    pub fn get(&self, index: u32) -> Result<V> {
        self.map.get(&index, 0).with_context(|| format!("reading {}", self.name))
    }

    /// Writes an element.
    pub fn set(&mut self, index: u32, value: impl Borrow<V>) -> Result<()> {
        self.map.set(index, value, 0).with_context(|| format!("writing {}", self.name))
    }

    /// Writes the differences between the content and `desired`, beyond which all are the default.
    pub fn sync(&mut self, desired: &BTreeMap<u32, V>) -> Result<Changes> {
        let mut changes = Changes::default();
        if let Some((&last, _)) = desired.last_key_value() {
            anyhow::ensure!(last < self.map.len(), "{} has no element {last}", self.name);
        }
        for index in 0..self.map.len() {
            let (old, new) = (self.get(index)?, desired.get(&index));
            let value = new.copied().unwrap_or_default();
            if old == value {
                continue;
            }
            self.set(index, value)?;
            match new {
                None => changes.removed += 1,
                Some(_) if old == V::default() => changes.inserted += 1,
                Some(_) => changes.replaced += 1,
            }
        }
        Ok(changes)
    }
}

/// `DEVICES`: the interfaces that XDP may redirect to, by index. The kernel resolves an index in the network
/// namespace of the thread that writes it, and removes an interface that goes away.
pub struct Devices {
    map: DevMapHash<MapData>,
}

impl Devices {
    pub(super) fn open(pins: &Pins) -> Result<Self> {
        Ok(Self { map: maps::open(pins, "DEVICES")? })
    }

    /// The interfaces in the map.
    pub fn entries(&self) -> Result<BTreeSet<u32>> {
        self.map.keys().collect::<Result<_, _>>().context("reading DEVICES")
    }

    /// Adds an interface.
    pub fn insert(&mut self, index: u32) -> Result<()> {
        self.map.insert(index, index, None, 0).with_context(|| format!("adding interface {index} to DEVICES"))
    }

    /// Removes an interface, and says whether it was there.
    pub fn remove(&mut self, index: u32) -> Result<bool> {
        removed(self.map.remove(index)).with_context(|| format!("removing interface {index} from DEVICES"))
    }

    /// Adds what is missing, removes the rest.
    pub fn sync(&mut self, desired: &BTreeSet<u32>) -> Result<Changes> {
        let mut changes = Changes::default();
        let actual = self.entries()?;
        for &index in actual.difference(desired) {
            changes.removed += usize::from(self.remove(index)?);
        }
        for &index in desired.difference(&actual) {
            self.insert(index)?;
            changes.inserted += 1;
        }
        Ok(changes)
    }
}

/// "No such key" is not an error.
fn found<V>(result: Result<V, MapError>) -> Result<Option<V>, MapError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(MapError::KeyNotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Removing what is not there is not an error.
fn removed(result: Result<(), MapError>) -> Result<bool, MapError> {
    match result {
        Ok(()) => Ok(true),
        Err(MapError::KeyNotFound) => Ok(false),
        Err(MapError::SyscallError(error)) if error.io_error.raw_os_error() == Some(libc::ENOENT) => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}
